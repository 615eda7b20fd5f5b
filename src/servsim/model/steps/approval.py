"""Approval: somebody decides; the case goes on, back for rework, or out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from servsim.model.base import Count, Duration, Id, Model, Number, Share, Word
from servsim.model.distributions import AnyDistribution, distribution
from servsim.model.errors import Path, refuse
from servsim.model.steps.decision import Decision
from servsim.model.steps.meeting import Agenda
from servsim.model.steps.parallel import Join
from servsim.model.steps.step import END, REJECTED, STEPS, Onward, Routes, Step, Work, single
from servsim.registry import suggestion


class Escalated(Model):
    """To the queue of which skill."""

    escalate: Id


def _consequence(value: Any) -> Any:
    if isinstance(value, str) and value not in ("approve", "reject"):
        known = ("approve", "reject")
        raise ValueError(f"expected approve, reject or {{escalate: a skill}}, got '{value}'{suggestion(value, known)}")
    return value if isinstance(value, str) else Escalated.model_validate(value)


class Silence(Model):
    """What is not begun `after` it was offered, counted by the `clock`, is approved or rejected by that; or it moves
    to the queue of another skill."""

    after: Duration
    then: Annotated[Literal["approve", "reject"] | Escalated, BeforeValidator(_consequence)]
    clock: Id = "calendar"

    @field_validator("after")
    @classmethod
    def _some_time(cls, value: int) -> int:
        if value <= 0:
            raise ValueError("must be longer than zero, such as '2 d'")
        return value

    @property
    def to(self) -> str | None:
        """The skill to which it escalates."""
        return self.then.escalate if isinstance(self.then, Escalated) else None


class Verdict(Onward):
    """With probability `reject` the case leaves as rejected, with `return` it goes to `return_to`, else on.

    A case is returned at most `rounds` times by this step; then what would be returned is approved. Whom nobody answers
    for long enough has an answer by `silence`.
    """

    returned: Share = Field(default=0.0, alias="return")
    return_to: Id | None = None
    reject: Share = 0.0
    rounds: Count = 3
    silence: Silence | None = None

    target_fields: ClassVar[tuple[str, ...]] = ("return_to",)
    return_fields: ClassVar[tuple[str, ...]] = ("return_to",)

    @model_validator(mode="after")
    def _outcomes(self) -> Self:
        if self.returned > 0 and self.return_to is None:
            raise refuse((("return_to",), "is missing; name the step to which the case is returned"))
        if self.returned + self.reject > 1 + 1e-9:
            raise refuse((("return",), f"return and reject sum to {self.returned + self.reject:.10g}, above 1"))
        return self

    def references(self) -> Iterator[tuple[Path, str]]:
        yield from super().references()
        if self.reject > 0:
            yield ("reject",), REJECTED
        elif self.silence and self.silence.then == "reject":
            yield ("silence", "then"), REJECTED

    def leads_on(self) -> frozenset[str]:
        by_silence = self.silence.then if self.silence else None
        onward = super().possible() if self.reject < 1 or by_silence == "approve" else frozenset[str]()
        return onward | ({REJECTED} if self.reject > 0 or by_silence == "reject" else frozenset())

    def possible(self) -> frozenset[str]:
        back = {self.return_to} if self.returned > 0 and self.rounds > 0 and self.return_to else frozenset[str]()
        return self.leads_on() | back


@STEPS.register("board")
class Board(Verdict, Agenda):
    """An approval that is decided in a meeting, without a queue for anybody."""

    kind: Literal["board"] = "board"
    time: AnyDistribution = Field(default_factory=lambda: distribution("0 min"))


class Link(Model):
    """One level of a chain; what is not given is as in the approval."""

    skill: Id
    time: AnyDistribution | None = None
    returned: Share | None = Field(default=None, alias="return")
    return_to: Id | None = None
    reject: Share | None = None
    rounds: Count | None = None
    delegate: Id | None = None
    silence: Silence | None = None

    def given(self) -> dict[str, Any]:
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}


class LateRefusal(Model):
    """Of the cases that are signed after the work: the share refused, what each costs, the step that is done again."""

    share: Share | None = None
    """Default: what the approval would return or reject beforehand."""
    cost: Number = 0.0
    redo: Id | None = None


class Skipped(Model):
    """The share of the cases that pass without approval."""

    share: Share


def _link(value: Any) -> Any:
    return {"skill": value} if isinstance(value, str) else value


@STEPS.register("approval")
class Approval(Verdict, Work):
    """Work of somebody with the `skill`, and a verdict. Instead of a skill it may name

    `levels` by a numeric attribute: the skill for values below each bound, and `above` for all others;
    a `chain` of skills that decide one after the other, each with a verdict of its own;
    a `meeting` that decides.

    `delegate` names the pool of the deputies.

    `timing: after`: the case goes on at once and the signature follows; it may be refused late. `skip`: all pass
    without approval, or the share in `skipped` does.
    """

    kind: Literal["approval"] = "approval"
    by: Word | None = None
    levels: dict[Number, Id] = Field(default_factory=dict)
    above: Id | None = None
    chain: tuple[Annotated[Link, BeforeValidator(_link)], ...] = ()
    meeting: Agenda | None = None
    timing: Literal["before", "after", "skip"] = "before"
    late_refusal: LateRefusal | None = None
    skipped: Skipped | None = None
    delegate: Id | None = None
    """The pool whose workers sign while nobody else who can is on duty."""

    @model_validator(mode="before")
    @classmethod
    def _one_who_decides(cls, value: Any) -> Any:
        """Puts a stand-in where the skill follows from something else."""
        if not isinstance(value, Mapping):
            return value
        ways = [key for key in ("skill", "levels", "chain", "meeting") if value.get(key)]
        if len(ways) > 1:
            message = f"cannot be combined with `{ways[0]}`; give one of skill, levels, chain, meeting"
            raise refuse(((ways[1],), message))
        rest = {"time": "0 min", **value} if ways == ["meeting"] else dict(value)
        return {**rest, "skill": "_"} if ways and ways != ["skill"] else rest

    @model_validator(mode="after")
    def _a_ladder_without_a_gap(self) -> Self:
        if self.levels and self.above is None:
            bound = max(self.levels)
            raise refuse((("above",), f"is missing: nobody approves {bound:g} and more; name the skill that does"))
        if self.levels and self.by is None:
            raise refuse((("by",), "is missing; name the attribute that decides the level"))
        if not self.levels and (self.by or self.above):
            raise refuse((("levels",), "is missing; `by` and `above` belong to levels"))
        return self

    @model_validator(mode="after")
    def _one_way_of_signing(self) -> Self:
        changed = next((key for key in ("timing", "skipped") if key in self.model_fields_set), "")
        if changed and (self.chain or self.meeting):
            raise refuse(((changed,), "cannot be combined with a chain or a meeting"))
        if self.delegate is not None and self.meeting:
            raise refuse((("delegate",), "cannot be combined with a meeting, which nobody has to attend"))
        if self.late_refusal is not None and self.timing != "after":
            raise refuse((("late_refusal",), "only what is signed after the work is refused late; set `timing: after`"))
        return self

    @model_validator(mode="after")
    def _somebody_to_be_silent(self) -> Self:
        then = self.silence.then if self.silence else None
        if self.silence and self.timing == "skip":
            raise refuse((("silence",), "has no effect: with `timing: skip` nobody is asked"))
        if self.timing == "after" and then == "reject":
            told = "what is signed after the work is not rejected by silence; approve it, or escalate"
            raise refuse((("silence", "then"), told))
        if self.meeting and isinstance(then, Escalated):
            raise refuse((("silence", "then"), "a meeting has no queue to leave; approve or reject"))
        return self

    @property
    def is_signed_later(self) -> bool:
        return self.timing == "after"

    @property
    def skip_share(self) -> float:
        """Share of the cases that pass without approval."""
        return self.skipped.share if self.skipped else float(self.timing == "skip")

    @property
    def late_share(self) -> float:
        """Share of the signatures that are refused after the work."""
        given = self.late_refusal.share if self.late_refusal else None
        return self.returned + self.reject if given is None else given

    def mean_work(self) -> float:
        return super().mean_work() * (1 - self.skip_share)

    @property
    def is_compound(self) -> bool:
        """Stands for several steps, or for a meeting."""
        return bool(self.levels or self.chain or self.meeting)

    def references(self) -> Iterator[tuple[Path, str]]:
        yield from super().references()
        for i, link in enumerate(self.chain):
            if link.return_to is not None:
                yield ("chain", i, "return_to"), link.return_to
            if link.reject:
                yield ("chain", i, "reject"), REJECTED
        if self.late_refusal is not None and self.late_refusal.redo is not None:
            yield ("late_refusal", "redo"), self.late_refusal.redo

    def leads_on(self) -> frozenset[str]:
        if self.is_signed_later:
            return Onward.possible(self)
        if not self.chain:
            return super().leads_on()
        links = [self.model_copy(update={**k.given(), "chain": ()}) for k in self.chain]
        rejects = {REJECTED} if any(REJECTED in link.leads_on() for link in links) else set()
        return Onward.possible(self) | rejects

    def possible(self) -> frozenset[str]:
        if self.is_signed_later:
            return Onward.possible(self)
        links = [self.model_copy(update={**link.given(), "chain": ()}) for link in self.chain]
        return frozenset[str]().union(*(link.possible() for link in links)) if links else super().possible()

    def redirected(self, old: str, new: Routes, stream: str | None = None, keep_returns: bool = False) -> Self:
        other = super().redirected(old, new, stream, keep_returns)
        if keep_returns or all(link.return_to != old for link in self.chain):
            return other
        swap = [{"return_to": single(old, new)} if link.return_to == old else {} for link in self.chain]
        chain = tuple(link.model_copy(update=change) for link, change in zip(self.chain, swap, strict=True))
        return other.model_copy(update={"chain": chain})

    # ------------------------------------------------------------------ what it stands for

    def expanded(self, name: str) -> dict[str, Step]:
        """The steps that a compound approval stands for; the case comes to the one that keeps the name."""
        if self.meeting is not None:
            fields = {key: getattr(self, key) for key in Verdict.model_fields if key != "kind"}
            agenda = {key: getattr(self.meeting, key) for key in Agenda.model_fields}
            return {name: Board.model_construct(**fields, **agenda, kind="board", time=self.time)}
        plain = self.model_copy(update={"levels": {}, "above": None, "by": None, "chain": (), "meeting": None})
        if self.levels:
            assert self.above is not None
            below = {bound: f"{name}_{skill}" for bound, skill in self.levels.items()}
            decision = Decision(label=self.label, by=self.by, below=below, otherwise=f"{name}_{self.above}")
            common = {"parts": self.parts_of(name), "outcome": self.outcome or name}
            skills = dict.fromkeys([*self.levels.values(), self.above])
            return {name: decision} | {f"{name}_{s}": plain.model_copy(update={**common, "skill": s}) for s in skills}
        names = [name, *(f"{name}_{k}" for k in range(2, len(self.chain) + 1))]
        ways = [{after: 1.0} for after in names[1:]]
        steps = {at: plain.model_copy(update={**k.given(), "next": w, "outcome": None})
                 for at, k, w in zip(names, self.chain, [*ways, {}], strict=True)}  # fmt: skip
        last = {"next": dict(self.next), "outcome": self.outcome or (name if len(self.next) > 1 else None)}
        return {**steps, names[-1]: steps[names[-1]].model_copy(update=last)}


SILENT = "_silent"
"""Behind the id of an approval: the verdict by silence, where it is not what somebody would have said."""
CLOSED = "_closed"
"""Behind the id of an approval: where a case waits for its signatures after all else is done."""


def expanded(steps: Mapping[str, Step]) -> dict[str, Step]:
    """The steps with those that compound approvals, and those signed later, stand for.

    Raises ValidationError where an id is taken.
    """
    found: dict[str, Step] = {}
    for name, step in steps.items():
        new = step.expanded(name) if isinstance(step, Approval) and step.is_compound else {name: step}
        if isinstance(step, Approval) and step.is_signed_later:
            new = {**new, f"{name}{CLOSED}": Join(next={END: 1.0})}
        asked = [at for at, one in new.items() if isinstance(one, Verdict) and one.silence]
        for other in (*new, *(f"{at}{SILENT}" for at in asked)):
            if other != name and other in steps:
                raise refuse((("steps", name), f"stands for a step '{other}' of its own, and there is one already"))
        found |= new
    return found
