"""When promises fall due, as far as that is known beforehand, and how their clocks run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from servsim.model import Promise, Scenario
from servsim.model.promised import places
from servsim.model.promises import CALENDAR, KEPT_WITH, PROMISES, CaseClass, Happening
from servsim.prepare.arrivals import Arrived
from servsim.records import Clocks, Event, Triggers
from servsim.records.arrays import Codes, Ticks
from servsim.records.workload import NEVER

Place = tuple[str, str]
"""Process and step."""


def names(scenario: Scenario) -> tuple[str, ...]:
    """The ids of all promises, those of the first response and the resolution first."""
    return tuple(dict.fromkeys([*PROMISES, *(name for _, name, _ in _written(scenario))]))


def events(scenario: Scenario) -> tuple[str, ...]:
    return tuple(name if name in PROMISES else "" for name in names(scenario))


def penalties(scenario: Scenario) -> NDArray[np.float64]:
    """[promises, classes] money per breach."""
    found = np.zeros((len(names(scenario)), len(scenario.case_classes)))
    for number, name, promise in _written(scenario):
        found[names(scenario).index(name), number] = promise.penalty
    return found


def _written(scenario: Scenario) -> Iterator[tuple[int, str, Promise]]:
    for number, kind in enumerate(scenario.case_classes.values()):
        for name, promise in kind.promises.items():
            yield number, name, promise


# ------------------------------------------------------------------ due times


def due(scenario: Scenario, cases: Arrived) -> Ticks:
    """[promises, cases] when each promise falls due, without pauses; -1 where nothing is promised, or the clock begins
    with something that is to come. For cases that follow others: how long after their arrival, on the calendar."""
    dormant = cases.at == NEVER
    arrived = np.where(dormant, 0, cases.at)
    promised = names(scenario)
    found = np.full((len(promised), len(arrived)), -1)
    for number, name, promise in _written(scenario):
        ours = np.flatnonzero(cases.case_class == number)
        if promise.since != "arrival":
            continue
        if promise.clock == CALENDAR:
            limit = arrived[ours] + promise.limit
        else:
            since = int(arrived.min(initial=0))
            openings = scenario.calendars[promise.clock].openings(scenario.clock, since)
            limit = np.where(dormant[ours], promise.limit, openings.due(arrived[ours], promise.limit))
        found[promised.index(name), ours] = np.where(limit == -1, -2, limit)  # -1 is none
    for name, limits in cases.limits.items():
        place = promised.index(name)
        found[place] = np.where((limits >= 0) & _from_arrival(scenario, name, cases), arrived + limits, found[place])
    found[_answered_before(scenario, cases)] = -1
    return found


def _answered_before(scenario: Scenario, cases: Arrived) -> NDArray[np.bool_]:
    """[promises, cases] the clock begins or stops with the answer, and that was before the start, kept or not."""
    promised = names(scenario)
    found = np.zeros((len(promised), len(cases.at)), bool)
    for number, kind in enumerate(scenario.case_classes.values() if cases.opened is not None else ()):
        for place, name in enumerate(promised):
            promise = kind.promises.get(name)
            events = (promise.since, promise.ends_with(name)) if promise else (KEPT_WITH.get(name),)
            if "answer" in events and cases.opened is not None:
                found[place] |= (cases.case_class == number) & cases.opened.answered
    return found


def _from_arrival(scenario: Scenario, name: str, cases: Arrived) -> NDArray[np.bool_]:
    """[cases] the clock of the promise begins with the arrival, also where only single cases have one."""
    kinds = [kind.promises.get(name) for kind in scenario.case_classes.values()]
    return np.array([kind is None or kind.since == "arrival" for kind in kinds])[cases.case_class]


def due_of_woken(scenario: Scenario, kind: CaseClass, name: str, arrived: Ticks, limit: Ticks) -> Ticks:
    """Due times from the limits; on the clock of the class's promise where the limit is that of the class."""
    found = np.where(limit >= 0, arrived + limit, -1)
    promise = kind.promises.get(name)
    if promise is None or promise.clock == CALENDAR:
        return found
    openings = scenario.calendars[promise.clock].openings(scenario.clock)
    return np.where(limit == promise.limit, openings.due(arrived, promise.limit), found)


# ------------------------------------------------------------------ clocks


def clocks(
    scenario: Scenario, cases: Sequence[Arrived], steps: Sequence[Place], order: NDArray[np.int64] | None
) -> Clocks:
    """How the clocks run; nothing where every promise is no more than a due time. `steps` are those that have items,
    `order` that of the cases in the workload (None: as they are)."""
    written = list(_written(scenario))
    if all(promise.is_plain(name) for _, name, promise in written):
        return Clocks()
    used = list(dict.fromkeys(promise.clock for *_, promise in written if promise.clock != CALENDAR))
    parts = [_limits(scenario, part, used) for part in cases]
    limit, calendar = (np.concatenate(columns, axis=1) for columns in zip(*parts, strict=True))
    if order is not None:
        limit, calendar = limit[:, order], calendar[:, order]
    begins, ends = _triggers(scenario, steps, "arrival"), _triggers(scenario, steps, "")
    pauses = np.zeros(begins.steps.shape, np.int8)
    for number, name, promise in written:
        for step in promise.pauses_in:
            pauses[names(scenario).index(name), number] |= _flags(scenario, number, step, None, steps)
    first, opens, closes = _openings(scenario, used, cases)
    return Clocks(limit, calendar, begins, ends, pauses, first, opens, closes)


def _limits(scenario: Scenario, cases: Arrived, used: list[str]) -> tuple[Ticks, Codes]:
    """[promises, cases] limits, -1 where nothing is promised, and calendars; what is promised to a single case runs on
    the calendar clock."""
    promised, n = names(scenario), len(cases.at)
    limit, calendar = np.full((len(promised), n), -1), np.full((len(promised), n), -1, np.int8)
    for number, name, promise in _written(scenario):
        place, ours = promised.index(name), cases.case_class == number
        limit[place, ours] = promise.limit
        calendar[place, ours] = used.index(promise.clock) if promise.clock in used else -1
    for name, own in cases.limits.items():
        place = promised.index(name)
        limit[place] = np.where(own >= 0, own, limit[place])
        calendar[place, own >= 0] = -1
    limit[_answered_before(scenario, cases)] = -1
    return limit, calendar


def _triggers(scenario: Scenario, steps: Sequence[Place], what: str) -> Triggers:
    """What begins the clocks ("arrival": where nothing else is said), or ends them."""
    promised = names(scenario)
    shape = len(promised), len(scenario.case_classes)
    event, last = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
    of_step = np.zeros((*shape, len(steps)), np.int8)
    for place, name in enumerate(promised):
        for number, kind in enumerate(scenario.case_classes.values()):
            text = what or KEPT_WITH.get(name, "leaving")
            if promise := kind.promises.get(name):
                text = promise.since if what else promise.ends_with(name)
            of = Happening.of(text)
            event[place, number], last[place, number] = Event[of.event.upper()], of.last
            if of.step is not None:
                of_step[place, number] = _flags(scenario, number, of.step, of.event, steps)
    return Triggers(event, of_step, last)


def _flags(scenario: Scenario, number: int, step: str, event: str | None, steps: Sequence[Place]) -> Codes:
    """[steps] 1: stands for that step in the process of the class."""
    process = list(scenario.case_classes.values())[number].process
    found = [(process, name) for name in places(scenario.edited(process).steps, step, event)]
    return np.array([place in found for place in steps], np.int8)


def _openings(
    scenario: Scenario, used: list[str], cases: Sequence[Arrived]
) -> tuple[NDArray[np.int32], Ticks, Ticks]:
    """Where the intervals of each calendar begin; from and to of them all, from the first case on until long enough
    after the clock has stopped."""
    since = min(int(np.where(part.at == NEVER, 0, part.at).min(initial=0)) for part in cases)
    longest = max(promise.limit for *_, promise in _written(scenario))
    sizes, opens, closes = [0], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for name in used:
        openings = scenario.calendars[name].openings(scenario.clock, since)
        openings.due(np.array([scenario.clock.until]), longest)
        sizes.append(len(openings.begin))
        opens.append(openings.begin)
        closes.append(openings.end)
    return np.cumsum(sizes).astype(np.int32), np.concatenate(opens), np.concatenate(closes)
