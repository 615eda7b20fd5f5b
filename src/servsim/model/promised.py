"""Do the clocks of promises begin, stop and stand still with something that happens to the cases?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from servsim.model.errors import Path
from servsim.model.process import Flow, reach
from servsim.model.promises import OF_STEPS, Happening, Promise
from servsim.model.steps import EXITS, Approval, Board, Decision, Parallel, Step
from servsim.registry import suggestion

Found = Iterator[tuple[Path, str]]
Steps = Mapping[str, Step]


def places(steps: Steps, name: str, event: str | None = None) -> tuple[str, ...]:
    """The steps that leave items for a written one: of a chain of approvals the last is the one to be completed, the
    first the one that is begun, and a case stays at all of them (no event); of levels it is any.

    `steps` are those of the process after its edits.
    """
    step = steps.get(name)
    if not isinstance(step, Approval) or not step.is_compound:
        return (name,)
    parts = [part for part, of in step.expanded(name).items() if isinstance(of, Approval | Board)]
    if not step.chain or event is None:
        return tuple(parts)
    return (parts[-1] if event == "completed" else parts[0],)


def flaws(name: str, promise: Promise, steps: Steps, flow: Flow) -> Found:
    """What is wrong with a promise of a class whose process has these steps, as (path below it, message)."""
    begin, end = Happening.of(promise.since), Happening.of(promise.ends_with(name))
    found = [*_known("from", begin, steps, flow), *_known("to", end, steps, flow)]
    for i, step in enumerate(promise.pauses_in):
        found += [(("pauses_in", i), text) for _, text in _known("", Happening("enabled", step), steps, flow)]
    yield from found
    if not found and begin == end:
        yield ("to",), f"'{promise.ends_with(name)}' is what the clock begins with; it would stop at once"
    elif not found and not _follows(begin, end, steps, flow):
        told = f"'{promise.ends_with(name)}' never comes after '{promise.since}'; the clock would not stop"
        yield ("to",), told


def _known(key: str, of: Happening, steps: Steps, flow: Flow) -> Found:
    """Nothing where the step exists and is one at which cases stay."""
    if of.step is None:
        return
    known = {**flow.steps, **steps}
    step = known.get(of.step)
    if step is None:
        yield (key,), f"there is no step '{of.step}'{suggestion(of.step, known)}"
    elif isinstance(step, Decision | Parallel):
        yield (key,), f"'{of.step}' is a {step.kind}, at which no case stays; name a step before or after it"


def _follows(begin: Happening, end: Happening, steps: Steps, flow: Flow) -> bool:
    """The end may come at the same time as the beginning, or after it."""
    first, last = (_places(of, steps, flow) for of in (begin, end))
    if not first or not last:
        return True
    inside = flow.inside_branches()
    for at in first:
        after = reach(flow.steps[at].successors(), lambda to: () if to in EXITS else flow.steps[to].successors())
        for to in last:
            in_turn = at == to and _nth(end) >= _nth(begin)
            if in_turn or to in after or {at, to} <= inside or _signed_later(steps, at, to):
                return True
    return False


def _nth(of: Happening) -> int:
    return OF_STEPS.index("started" if of.event == "answer" else of.event)


def _places(of: Happening, steps: Steps, flow: Flow) -> frozenset[str]:
    """Where it may happen; nowhere in particular for arrival, delivery and leaving."""
    if of.step is not None:
        return frozenset(places(steps, of.step, of.event))
    return flow.responders if of.event == "answer" else frozenset()


def _signed_later(steps: Steps, *names: str) -> bool:
    """Signatures that follow stand beside everything else."""
    found = [steps.get(name) for name in names]
    return any(isinstance(step, Approval) and step.is_signed_later for step in found)
