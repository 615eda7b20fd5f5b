"""How a case travels: the steps of a process as a graph, and what makes such a graph sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, field_validator

from servsim.model.base import Id, Label, Model, OneOf
from servsim.model.errors import Path, refuse
from servsim.model.steps import EXITS, STEPS, Join, Parallel, Step, Work
from servsim.registry import suggestion

AnyStep = Annotated[Step, OneOf(STEPS)]
Steps = Mapping[str, Step]
Found = Iterator[tuple[Path, str]]


class Process(Model):
    """Steps by id, and where a case begins."""

    label: Label = Label()
    start: Id
    steps: dict[Id, AnyStep] = Field(min_length=1)

    @field_validator("steps")
    @classmethod
    def _exits_are_no_steps(cls, steps: dict[str, Step]) -> dict[str, Step]:
        for name in EXITS:
            if name in steps:
                raise refuse(((name,), f"'{name}' is a way out of the process, not the id of a step"))
        return steps


@dataclass(frozen=True)
class Flow:
    """A sound process after its edits."""

    start: str
    steps: dict[str, Step]

    @property
    def responders(self) -> frozenset[str]:
        """The steps whose start is an answer to the customer: those that say so, else the first work on each way."""
        explicit = frozenset(name for name, step in self.steps.items() if isinstance(step, Work) and step.responds)
        return explicit or frozenset(self._first_work())

    def doing(self, name: str) -> tuple[str, ...]:
        """The steps that do what was written as that step: itself, its levels, what it was merged into."""
        works = {at: step for at, step in self.steps.items() if isinstance(step, Work)}
        return tuple(at for at, work in works.items() if at == name or any(p.step == name for p in work.parts_of(at)))

    def unanswered(self) -> frozenset[str]:
        """The steps to which a case can come before it has been answered."""
        responders = self.responders
        ahead = reach([self.start], lambda at: () if at in (*EXITS, *responders) else self.steps[at].possible())
        return frozenset(ahead - set(EXITS))

    def inside_branches(self) -> frozenset[str]:
        """The steps between a parallel and its join."""
        forks = [step for step in self.steps.values() if isinstance(step, Parallel)]
        return frozenset(name for fork in forks for name in self._between(fork))

    def join_around(self, name: str) -> str:
        """The join of the innermost parallel in a branch of which the step lies, "" for none."""
        forks = [(self._between(step), step.join) for step in self.steps.values() if isinstance(step, Parallel)]
        return min(((len(inside), join) for inside, join in forks if name in inside), default=(0, ""))[1]

    def _between(self, fork: Parallel) -> set[str]:
        outside = {*EXITS, fork.join}
        return reach(fork.branches, lambda at: () if at in outside else self.steps[at].possible()) - outside

    def _first_work(self) -> Iterator[str]:
        seen, ahead = {self.start}, [self.start]
        while ahead:
            name = ahead.pop()
            step = self.steps[name]
            if isinstance(step, Work) and step.responds is not False:
                yield name
                continue
            for follower in sorted(step.possible() - seen - set(EXITS)):
                seen.add(follower)
                ahead.append(follower)


# ------------------------------------------------------------------ soundness


def flaws(start: str, steps: Steps) -> list[tuple[Path, str]]:
    """What is wrong with a flow, as (path below the process, message); empty where it is sound."""
    return list(_names(start, steps)) or [*_reachability(start, steps), *_parallels(start, steps)]


def _names(start: str, steps: Steps) -> Found:
    if start not in steps:
        yield ("start",), f"there is no step '{start}'{suggestion(start, steps)}"
    for name, step in steps.items():
        for path, target in step.references():
            is_way_out = target in EXITS and path[0] not in ("return_to", "back_to", "branches", "join")
            if target not in steps and not is_way_out:
                yield ("steps", name, *path), f"there is no step '{target}'{suggestion(target, [*steps, *EXITS])}"


def reach(begin: Iterable[str], follow: Callable[[str], Iterable[str]]) -> set[str]:
    """Everything that can be reached, the beginning included."""
    seen: set[str] = set()
    ahead = list(begin)
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead.extend(follow(name))
    return seen


def _reachability(start: str, steps: Steps) -> Found:
    reached = reach([start], lambda name: steps[name].successors() if name in steps else ())
    for name in steps:
        if name not in reached:
            yield (
                ("steps", name),
                f"cannot be reached from the start '{start}'; no step that is reached names it as `next`",
            )
    before: dict[str, list[str]] = {}
    for name, step in steps.items():
        for follower in step.leads_on():
            before.setdefault(follower, []).append(name)
    leaves = reach(EXITS, lambda name: before.get(name, ()))
    stuck = [name for name in steps if name in reached and name not in leaves]
    if stuck:
        loop = next((name for name in stuck if name in _after(name, steps)), stuck[0])
        round_trip = [name for name in stuck if name in _after(loop, steps) and loop in _after(name, steps)] or [loop]
        whom = f"{', '.join(round_trip)} lead only to one another" if len(round_trip) > 1 else "it leads only to itself"
        place = ("steps", loop, "next") if getattr(steps[loop], "next", None) else ("steps", loop)
        yield place, f"a case that comes to '{loop}' can never leave: {whom}; give a way out a probability above 0"


def _after(name: str, steps: Steps) -> set[str]:
    return reach(steps[name].possible(), lambda at: steps[at].possible() if at in steps else ())


def _parallels(start: str, steps: Steps) -> Found:
    owner: dict[str, str] = {}
    for name, step in steps.items():
        if not isinstance(step, Parallel):
            continue
        path = ("steps", name, "join")
        if not isinstance(steps[step.join], Join):
            yield path, f"'{step.join}' is a {steps[step.join].kind}; expected a step of kind join"
        elif (needs := steps[step.join].needs or 0) > len(step.branches):  # type: ignore[attr-defined]
            yield ("steps", step.join, "needs"), f"{needs} of {len(step.branches)} branches can never come"
        elif step.join in owner:
            yield path, f"'{step.join}' is already the join of '{owner[step.join]}'; each parallel needs its own"
        else:
            owner[step.join] = name
            yield from _branches(name, step, start, steps)
    for name, step in steps.items():
        if isinstance(step, Join) and name not in owner:
            yield ("steps", name), "is the join of no parallel; name it as `join` of one"


def _branches(name: str, fork: Parallel, start: str, steps: Steps) -> Found:
    """Every way of every branch leads to the join and nowhere else, and nothing leads in from outside."""
    outside = {*EXITS, *reach([start, fork.join], lambda at: () if at in (*EXITS, name) else steps[at].possible())}
    branch_of: dict[str, str] = {}
    for i, branch in enumerate(fork.branches):
        if branch == fork.join:
            yield ("steps", name, "branches", i), "is the join itself; a branch needs at least one step"
            continue
        if branch in outside:
            yield from _led_into(branch, name, start, outside, steps)
            continue
        region = reach([branch], lambda at: () if at in outside else steps[at].possible())
        for at in sorted(region - outside):
            if branch_of.setdefault(at, branch) != branch:
                yield ("steps", at), f"lies on two branches of '{name}': '{branch_of[at]}' and '{branch}'"
            for out in sorted(steps[at].possible() & outside - {fork.join}):
                what = f"goes to '{out}', which lies outside the branches of '{name}'"
                yield ("steps", at), f"{what}; from inside every way leads to '{fork.join}'"
        if fork.join not in region:
            yield ("steps", name, "branches", i), f"the branch '{branch}' never comes to the join '{fork.join}'"


def _led_into(branch: str, name: str, start: str, outside: set[str], steps: Steps) -> Found:
    if branch == start:
        yield (
            ("steps", name),
            f"the branch '{branch}' is the start of the process; a branch begins at its parallel only",
        )
    for at, step in steps.items():
        if at in outside and at != name and branch in step.possible():
            yield ("steps", at), f"leads into '{branch}', a branch of '{name}', from outside"
