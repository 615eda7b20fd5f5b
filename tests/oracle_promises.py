"""Rule 18 read a second time: the clock of one promise of one case, counted tick by tick."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from servsim.records import Outcome, Run

IsOpen = Callable[[int], bool]
OF_STEPS = ("enabled", "offered", "started", "completed")


@dataclass(frozen=True)
class Stay:
    """A visit to a step, in the order of the case's way; None: did not happen."""

    step: int
    answers: bool
    enabled: int | None
    offered: int | None
    started: int | None
    completed: int | None
    withdrawn: int | None


@dataclass(frozen=True)
class Seen:
    """A case as its log tells it."""

    arrived: int | None
    left: int | None
    outcome: Outcome
    stays: Sequence[Stay]


@dataclass(frozen=True)
class Promised:
    """`begins` and `ends`: a word, or an event and the steps whose event it is; `last`: of the last visit only."""

    limit: int
    begins: str = "arrival"
    begin_steps: Collection[int] = ()
    begin_last: bool = False
    ends: str = "leaving"
    end_steps: Collection[int] = ()
    end_last: bool = False
    pauses: Collection[int] = ()


def seen(run: Run, case: int) -> Seen:
    log, work = run.log, run.workload
    gone = dict(zip(log.withdrawn_item.tolist(), log.withdrawn_at.tolist(), strict=True))

    def at(column: Any, i: int) -> int | None:
        return int(column[i]) if column[i] >= 0 else None

    stays = [
        Stay(
            int(work.step[i]), bool(work.steps.responds[work.step[i]]), at(log.enabled_at, i), at(log.offered_at, i),
            at(log.started_at, i), at(log.completed_at, i), gone.get(i) if log.completed_at[i] < 0 else None,
        )
        for i in range(*work.first_item[case : case + 2].tolist())
    ]  # fmt: skip
    arrived = int(work.arrived_at[case])
    return Seen(arrived if arrived < 2**61 else None, at(log.left_at, case), Outcome(log.outcome[case]), stays)


def happens(of: Seen, what: str, steps: Collection[int], last: bool) -> list[int]:
    """All ticks at which it happens."""
    if what == "arrival":
        return [of.arrived] if of.arrived is not None else []
    if what == "leaving":
        ended = of.outcome in (Outcome.COMPLETED, Outcome.REJECTED)
        return [of.left] if ended and of.left is not None else []
    if what == "answer":
        found = [stay.started for stay in of.stays if stay.answers]
    else:
        found = [getattr(stay, what) for stay in ways(of, steps, last)]
    return [at for at in found if at is not None]


def ways(of: Seen, steps: Collection[int], last: bool) -> list[Stay]:
    stays = [stay for stay in of.stays if stay.step in steps]
    return stays[-1:] if last else stays


def watched(of: Seen, promise: Promised, is_open: IsOpen, until: int, far: int = 1000) -> dict[str, Any]:
    """As servsim tells it (-1: did not happen); due times are looked for so far ahead."""
    nothing = {"began": -1, "ended": -1, "elapsed": -1, "due": -1, "breached": -1, "state": "NOTHING"}
    starts = [at for at in happens(of, promise.begins, promise.begin_steps, promise.begin_last)
              if of.left is None or at <= of.left]  # fmt: skip
    called_for, of_steps = ways(of, promise.end_steps, promise.end_last), promise.ends in OF_STEPS
    if not starts or (of_steps and not called_for):
        return nothing
    stops = happens(of, promise.ends, promise.end_steps, promise.end_last)
    withdrawn = [stay.withdrawn for stay in called_for]
    t = began = min(starts)
    elapsed, due, breached, ended, state = 0, None, None, None, ""
    while True:
        if elapsed > promise.limit and breached is None and t < until:
            breached = t
        if elapsed >= promise.limit and due is None:
            due = t
        if t in stops:
            ended, state = t, "KEPT"
        elif called_for and all(at is not None and at <= t for at in withdrawn):
            state = "NOTHING"
        elif of.left is not None and t >= of.left:
            let_down = of.outcome in (Outcome.ABANDONED, Outcome.TURNED_AWAY) or promise.ends == "answer"
            breached = t if let_down and breached is None else breached
            state = "NOTHING"
        elif t >= until:
            state = "OPEN"
        if state:
            break
        elapsed += runs(of, promise, is_open, t)
        t += 1
    stopped, more = elapsed, t
    while due is None and more < t + far:
        stopped += is_open(more)
        more += 1
        due = more if stopped >= promise.limit else None
    return {
        "began": began, "ended": -1 if ended is None else ended, "elapsed": elapsed, "due": -1 if due is None else due,
        "breached": -1 if breached is None else breached, "state": "MISSED" if breached is not None else state,
    }  # fmt: skip


def runs(of: Seen, promise: Promised, is_open: IsOpen, t: int) -> bool:
    """Whether the clock runs from this tick to the next."""
    for stay in of.stays:
        if stay.step in promise.pauses and stay.enabled is not None and stay.enabled <= t:
            ends = stay.completed if stay.completed is not None else stay.withdrawn
            if ends is None or t < ends:
                return False
    return is_open(t)
