"""Structural what-ifs: a process with a step skipped, merged, automated, made parallel or moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from servsim.model.base import Id, Label, Model, Number, OneOf, Share
from servsim.model.distributions import AnyDistribution, distribution
from servsim.model.errors import refuse
from servsim.model.process import Process
from servsim.model.steps import EXITS, Approval, Automated, Decision, Join, Onward, Parallel, Step, Work
from servsim.model.steps.owners import SameAs, merged
from servsim.model.steps.step import Routes, single
from servsim.registry import Registry, suggestion

T = TypeVar("T")
EDITS: Registry[type[Edit]] = Registry("kind of edit")


class Edit(Model):
    """A change of one process. Draws stay with the original steps, so that scenarios remain comparable case by case."""

    kind: str
    label: Label = Label()
    process: Id

    def apply(self, process: Process, name: str) -> Process:
        """The changed process; `name` is the edit's own id. Raises ValidationError with a path below the edit."""
        raise NotImplementedError


AnyEdit = Annotated[Edit, OneOf(EDITS)]

# ------------------------------------------------------------------ the edits


@EDITS.register("skip")
class Skip(Edit):
    """Leaves a step out; its place is taken by its `next`."""

    kind: Literal["skip"] = "skip"
    step: Id

    def apply(self, process: Process, name: str) -> Process:
        step = _step(process, self.step, "step")
        stream = (step.outcome if isinstance(step, Onward) else None) or self.step
        around = _redirected(process, self.step, _routes_after(process, self.step), stream)
        return _branches_tidied(_with_steps(around, {}, without=(self.step,)))


@EDITS.register("merge")
class Merge(Edit):
    """Does the work of consecutive steps in one visit, that of the first, with its skill; work = factor × the sum.

    The last decides where the case goes; it alone may be an approval. What led to a later one leads to the first.
    """

    kind: Literal["merge"] = "merge"
    steps: tuple[Id, ...] = Field(min_length=2)
    factor: Number = 1.0

    def apply(self, process: Process, name: str) -> Process:
        works = self._works(process)
        says = [work.responds for work in works]
        same_as, not_same_as = self._owners(works)
        merged = works[-1].model_copy(
            update={
                "label": works[0].label,
                "skill": works[0].skill,
                "time": works[0].time,
                "automated": None,
                "needs": tuple(dict.fromkeys(system for work in works for system in work.needs)),
                "parts": tuple(part for at, work in zip(self.steps, works, strict=True) for part in work.parts_of(at)),
                "factor": self.factor,
                "same_as": same_as,
                "not_same_as": not_same_as,
                "responds": True if True in says else None if None in says else False,
                "outcome": works[-1].outcome or self.steps[-1],
            }
        )
        first = self.steps[0]
        changed = _with_steps(process, {first: merged}, without=self.steps[1:])
        for later in self.steps[1:]:
            changed = _redirected(changed, later, {first: 1.0})
        return changed

    def _owners(self, works: Sequence[Work]) -> tuple[SameAs | None, tuple[str, ...]]:
        rules = {at: (work.same_as, work.not_same_as) for at, work in zip(self.steps, works, strict=True)}
        try:
            return merged(rules)
        except ValueError as error:
            raise refuse((("steps",), str(error))) from None

    def _works(self, process: Process) -> list[Work]:
        works: list[Work] = []
        for i, step in enumerate(_chain(process, self.steps)):
            if not isinstance(step, Work) or (isinstance(step, Approval) and i < len(self.steps) - 1):
                raise refuse((("steps", i), f"is a {step.kind}; only tasks can be merged, and an approval as the last"))
            if isinstance(step, Approval) and step.is_compound:
                raise refuse((("steps", i), "has levels, a chain or a meeting; it cannot be merged"))
            if step.parts:
                raise refuse((("steps", i), "is already merged; list all the steps in one merge"))
            if works and step.workers != works[0].workers:
                message = f"needs other `workers` than '{self.steps[0]}'; a visit has the same for all"
                raise refuse((("steps", i), message))
            works.append(step)
        return works


@EDITS.register("automate")
class Automate(Edit):
    """A share of the cases needs nobody at a step any more; they take `time` there."""

    kind: Literal["automate"] = "automate"
    step: Id
    share: Share
    time: AnyDistribution = distribution("0 min")

    def apply(self, process: Process, name: str) -> Process:
        step = _step(process, self.step, "step")
        if not isinstance(step, Work):
            raise refuse((("step",), f"'{self.step}' is a {step.kind}; only a task or an approval can be automated"))
        if step.parts:
            raise refuse((("step",), f"'{self.step}' is already merged; automate its steps before the merge"))
        automated = Automated(share=self.share, time=self.time)
        return _with_steps(process, {self.step: step.model_copy(update={"automated": automated})})


@EDITS.register("parallel")
class Together(Edit):
    """Consecutive steps become branches that are worked on at once; the edit's id is that of the new parallel step.

    Who pointed to one of them points to the parallel step; what followed the last follows the join.
    """

    kind: Literal["parallel"] = "parallel"
    steps: tuple[Id, ...] = Field(min_length=2)

    def apply(self, process: Process, name: str) -> Process:
        chain, join = _chain(process, self.steps), f"{name}_join"
        for new in (name, join):
            if new in process.steps:
                raise refuse(((), f"there is already a step '{new}'; give the edit another id"))
        last = chain[-1]
        if not isinstance(last, Onward):
            raise refuse((("steps", len(chain) - 1), f"is a {last.kind}; it has no single `next`"))
        changed = process
        for at in self.steps:
            changed = _redirected(changed, at, {name: 1.0}, but=self.steps)
        branches: dict[str, Step] = {
            at: step.model_copy(update={"next": {join: 1.0}, "outcome": None})
            for at, step in zip(self.steps, chain, strict=True)
        }
        fork = Parallel(label=self.label, branches=self.steps, join=join)
        meet = Join(next=last.next, outcome=last.outcome or (self.steps[-1] if len(last.next) > 1 else None))
        return _with_steps(changed, {**branches, name: fork, join: meet})


@EDITS.register("move")
class Move(Edit):
    """Takes a step out of its place (taken by its `next`) and puts it behind another; what returns to it still does.

    Where the other repeats itself with some probability, the moved step follows once it goes on.
    """

    kind: Literal["move"] = "move"
    step: Id
    after: Id

    def apply(self, process: Process, name: str) -> Process:
        moved = _step(process, self.step, "step")
        if not isinstance(moved, Onward) or isinstance(moved, Join):
            raise refuse((("step",), f"'{self.step}' is a {moved.kind}; it cannot be moved"))
        if self.step == self.after:
            raise refuse((("after",), "is the step itself"))
        routes = _routes_after(process, self.step)
        around = _redirected(process, self.step, routes, moved.outcome or self.step, keep_returns=True)
        taken_out = _branches_tidied(around)
        before = _step(taken_out, self.after, "after")
        if not isinstance(before, Onward):
            raise refuse((("after",), f"'{self.after}' is a {before.kind}; it has no single `next` to move behind"))
        again = before.next.get(self.after, 0.0)
        if again >= 1:
            raise refuse((("after",), f"'{self.after}' leads only to itself"))
        onward = {to: p / (1 - again) for to, p in before.next.items() if to != self.after}
        stream = (before.outcome or self.after) if not again and len(onward) > 1 else None
        here = {self.after: again} if again else {}
        return _with_steps(
            taken_out,
            {
                self.after: before.model_copy(update={"next": {**here, self.step: 1 - again}}),
                self.step: moved.model_copy(update={"next": onward, "outcome": stream}),
            },
        )


# ------------------------------------------------------------------ on the graph


def _step(process: Process, name: str, *path: str | int) -> Step:
    if name not in process.steps:
        raise refuse((path, f"there is no step '{name}'{suggestion(name, process.steps)}"), value=name)
    return process.steps[name]


def _chain(process: Process, names: Sequence[str]) -> list[Step]:
    """The steps, each of which is followed by the next one and nothing else."""
    chain = [_step(process, name, "steps", i) for i, name in enumerate(names)]
    for i, (step, after) in enumerate(zip(chain, names[1:], strict=False)):
        if not isinstance(step, Onward) or dict(step.next) != {after: 1.0}:
            raise refuse((("steps", i + 1), f"'{after}' does not follow directly after '{names[i]}' in every case"))
    return chain


def _routes_after(process: Process, name: str) -> dict[str, float]:
    """Where a case goes from a step, not counting that it stays there; for a step that is taken out."""
    step = process.steps[name]
    if isinstance(step, Join | Parallel):
        raise refuse((("step",), f"'{name}' is a {step.kind}; skip the steps of its branches instead"))
    routes = step.next if isinstance(step, Onward) else step.routes if isinstance(step, Decision) else {}
    away = {to: p for to, p in routes.items() if to != name}
    total = sum(away.values())
    if total <= 0:
        raise refuse((("step",), f"'{name}' has no `next` that could take its place"))
    return {to: p / total for to, p in away.items()} if name in routes else away


def _with_steps(process: Process, new: dict[str, Step], without: Sequence[str] = ()) -> Process:
    steps = {name: step for name, step in {**process.steps, **new}.items() if name not in without}
    return process.model_copy(update={"steps": steps})


def _redirected(
    process: Process,
    old: str,
    new: Routes,
    stream: str | None = None,
    keep_returns: bool = False,
    but: Sequence[str] = (),
) -> Process:
    """Everything that leads to `old`, but from the steps `but`, leads to `new`."""
    steps = {
        name: step if name in but else _step_redirected(name, step, old, new, stream, keep_returns)
        for name, step in process.steps.items()
    }
    start = process.start
    if start == old:
        start = _or_refuse(lambda: single(old, new), "the start")
    return process.model_copy(update={"start": start, "steps": steps})


def _step_redirected(name: str, step: Step, old: str, new: Routes, stream: str | None, keep_returns: bool) -> Step:
    changed = _or_refuse(lambda: step.redirected(old, new, stream, keep_returns), f"'{name}'")
    for path, target in changed.references():
        if target in EXITS and path[0] in ("return_to", "back_to", "branches"):
            raise refuse((("step",), f"'{name}' names '{old}' as `{path[0]}`, and after it the case leaves"))
    return changed


def _or_refuse(compute: Callable[[], T], whose: str) -> T:
    try:
        return compute()
    except ValueError as error:
        raise refuse((("step",), f"{whose}: {error}")) from None


def _branches_tidied(process: Process) -> Process:
    """Drops branches that have become empty, and a parallel that is left with one branch."""
    for name, fork in process.steps.items():
        if not isinstance(fork, Parallel) or fork.join not in fork.branches:
            continue
        branches = tuple(branch for branch in fork.branches if branch != fork.join)
        if len(branches) > 1:
            return _branches_tidied(_with_steps(process, {name: fork.model_copy(update={"branches": branches})}))
        meet = process.steps[fork.join]
        assert isinstance(meet, Join)
        opened = _redirected(process, name, {branches[0] if branches else fork.join: 1.0})
        opened = _redirected(opened, fork.join, meet.next, meet.outcome or fork.join)
        return _branches_tidied(_with_steps(opened, {}, without=(name, fork.join)))
    return process
