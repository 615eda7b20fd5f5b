"""What all steps of a process have in common: where a case goes next, and what an edit may change about that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter

from servsim.model.base import Id, Label, Model, Number, Positive, Share, sums_to_one
from servsim.model.disruptions import Needs
from servsim.model.distributions import AnyDistribution, distribution
from servsim.model.errors import Path
from servsim.model.steps.owners import MaybeSameAs, NotSameAs
from servsim.registry import Registry

END, REJECTED = "end", "rejected"
EXITS = (END, REJECTED)

STEPS: Registry[type[Step]] = Registry("step kind")
Routes = Mapping[str, float]


def _one_way(value: Any) -> Any:
    return {value: 1.0} if isinstance(value, str) else value


def _checked(value: dict[str, float]) -> dict[str, float]:
    sums_to_one(value, "probabilities")
    return value


Next = Annotated[dict[Id, Share], BeforeValidator(_one_way), AfterValidator(_checked)]
"""Probability of each following step; a step written alone has probability 1. `end` and `rejected` are the ways out."""


class Step(Model):
    """A node of a process."""

    kind: str
    label: Label = Label()

    target_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that name one other step (or a list of them)."""
    return_fields: ClassVar[tuple[str, ...]] = ()
    """Those of them that lead back: they keep their target when it is moved elsewhere."""

    def references(self) -> Iterator[tuple[Path, str]]:
        """(path below the step, step named there), in the order of the YAML."""
        for name in self.target_fields:
            value, key = getattr(self, name), type(self).model_fields[name].alias or name
            if isinstance(value, tuple):
                yield from (((key, i), target) for i, target in enumerate(value))
            elif value is not None:
                yield (key,), value

    def successors(self) -> frozenset[str]:
        """Every step, or way out, that this one names."""
        return frozenset(target for _, target in self.references())

    def possible(self) -> frozenset[str]:
        """Those successors to which a case goes with a probability above 0."""
        return self.successors()

    def leads_on(self) -> frozenset[str]:
        """The possible successors that stay open however often a case comes; a limited number of returns does not."""
        return self.possible()

    def redirected(self, old: str, new: Routes, stream: str | None = None, keep_returns: bool = False) -> Self:
        """With `new` in place of `old` wherever it is named; `stream` is the one that chose among `new` so far."""
        changes: dict[str, Any] = {}
        for name in self.target_fields:
            value = getattr(self, name)
            if keep_returns and name in self.return_fields:
                continue
            if value == old:
                changes[name] = single(old, new)
            elif isinstance(value, tuple) and old in value:
                changes[name] = tuple(single(old, new) if target == old else target for target in value)
        return self.model_copy(update=changes) if changes else self


def single(old: str, new: Routes) -> str:
    """The only step in `new`; raises ValueError where there is a choice."""
    if len(new) > 1:
        raise ValueError(f"'{old}' is followed by one of several steps ({', '.join(new)}), here one is needed")
    return next(iter(new))


class Onward(Step):
    """A step that is followed by `next`."""

    next: Next
    outcome: Id | None = None
    """Set by edits: the step whose random stream chooses among `next` (default: this one)."""

    def references(self) -> Iterator[tuple[Path, str]]:
        alone = len(self.next) == 1
        yield from ((("next",) if alone else ("next", target), target) for target in self.next)
        yield from super().references()

    def possible(self) -> frozenset[str]:
        return frozenset(target for target, p in self.next.items() if p > 0)

    def redirected(self, old: str, new: Routes, stream: str | None = None, keep_returns: bool = False) -> Self:
        other = super().redirected(old, new, stream, keep_returns)
        if old not in other.next:
            return other
        routes: dict[str, float] = {}
        for target, p in other.next.items():
            for to, q in new.items() if target == old else [(target, 1.0)]:
                routes[to] = routes.get(to, 0.0) + p * q
        changes: dict[str, Any] = {"next": routes}
        if len(other.next) == 1 and len(new) > 1:
            changes["outcome"] = stream
        return other.model_copy(update=changes)


# ------------------------------------------------------------------ steps that need somebody


_WORKERS: TypeAdapter[int] = TypeAdapter(Positive)
_WORKERS_BY_CLASS: TypeAdapter[dict[str, int]] = TypeAdapter(dict[Id, Positive])


def _workers(value: Any) -> Any:
    return _WORKERS_BY_CLASS.validate_python(value) if isinstance(value, Mapping) else _WORKERS.validate_python(value)


Workers = Annotated[int | dict[str, int], BeforeValidator(_workers)]
"""So many at once, for all cases or by case class (1 for those that are not named)."""


class Automated(Model):
    """The share of cases that need nobody at this step, and how long it takes then."""

    share: Share
    time: AnyDistribution = distribution("0 min")


class WorkPart(Model):
    """The work of one original step within a visit; drawn from the random streams of that step."""

    step: Id
    time: AnyDistribution
    automated: Automated | None = None

    @property
    def mean(self) -> float:
        """Mean work for people, in ticks at the standard pace."""
        return self.time.mean * (1 - self.automated.share if self.automated else 1.0)


class Work(Onward):
    """A step at which somebody with the `skill` is busy for `time` (at the standard pace).

    After a merge `parts` holds the steps done in this visit: work = factor × the sum of what is drawn for each part.
    """

    skill: Id
    time: AnyDistribution
    times: dict[Id, AnyDistribution] = Field(default_factory=dict)
    """For pools and named workers that need another time; the draw is the same. Not for merged steps."""
    automated: Automated | None = None
    needs: Needs = ()
    """Systems without which nobody can work on it."""
    workers: Workers = 1
    """Who begin and end together, all with the skill."""
    same_as: MaybeSameAs = None
    """For the person who did another step."""
    not_same_as: NotSameAs = ()
    """For anybody but those who did these steps."""
    responds: bool | None = None
    """Its start is an answer to the customer. Default: true for the first work of a process if no step says so."""
    parts: tuple[WorkPart, ...] = ()
    """Set by edits."""
    factor: Number = 1.0
    """Set by edits."""

    def parts_of(self, own_id: str) -> tuple[WorkPart, ...]:
        """What is done in one visit; mostly one part, this step itself."""
        return self.parts or (WorkPart(step=own_id, time=self.time, automated=self.automated),)

    def decider(self, own_id: str) -> str:
        """The step whose random stream decides about approval, return and rejection: the last of the parts."""
        return self.parts_of(own_id)[-1].step

    def workers_of(self, case_class: str) -> int:
        """How many the step needs at once for a case of the class."""
        return self.workers if isinstance(self.workers, int) else self.workers.get(case_class, 1)

    def mean_work(self) -> float:
        """Mean work of a visit for people, in ticks at the standard pace, for each who takes part."""
        return self.factor * sum(part.mean for part in self.parts_of("_"))

    @property
    def needs_nobody(self) -> bool:
        """Every visit is automated."""
        return all(part.automated is not None and part.automated.share == 1 for part in self.parts_of("_"))
