"""What became of a promise: when its clock began, how long it ran, when it ran out (docs/semantics.md, rule 18)."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from servsim.records.arrays import Codes, Ticks
from servsim.records.clocks import Clocks, Event
from servsim.records.workload import NEVER, Outcome, Workload

if TYPE_CHECKING:
    from servsim.records.run import Run

Flags = NDArray[np.bool_]
Numbers = NDArray[np.integer[Any]]


GIVEN_UP = (Outcome.ABANDONED, Outcome.TURNED_AWAY)


class State(enum.IntEnum):
    """How a promise stands when the case has left or the clock stops."""

    OPEN = 0
    """neither kept nor broken yet"""
    KEPT = 1
    MISSED = 2
    NOTHING = 3
    """nothing was promised, or what was promised was not called for"""


class Course(NamedTuple):
    """[cases] ticks, -1 where it did not happen. Where nothing was promised all is -1."""

    began_at: Ticks
    ended_at: Ticks  # what was promised has happened, be it in time or late
    elapsed: Ticks  # time that the clock ran, until it ended, the case left or the run stopped
    due_at: Ticks  # when the limit is used up, as far as is known by then
    breached_at: Ticks  # the first tick at which more than the limit had elapsed; or the case was gone without
    state: Codes  # State

    @property
    def missed(self) -> Flags:
        return np.asarray(self.state == State.MISSED)


def course(run: Run, promise: int) -> Course:
    """What became of the promise of this number, case by case."""
    work, log = run.workload, run.log
    limit = limits(work, promise)
    if (limit < 0).all():
        return _nothing(work.n_cases)
    terms = [*_terms(work, promise)]
    left = np.where(log.left_at >= 0, log.left_at, run.window.until)
    began, ended, dropped = _moments(run, terms, np.where(log.left_at >= 0, log.left_at, NEVER))
    none = (limit < 0) | (began == NEVER) | (dropped < 0)
    until = np.maximum(np.minimum(np.where(ended < NEVER, ended, left), dropped), np.where(none, 0, began))
    time = Time.of(work.clocks, promise)
    sums = _sums(run, terms, time, np.where(none, 0, began), until, limit)
    over = sums.elapsed > limit
    breach = time.last(sums.breach) + 1
    gone = (ended == NEVER) & ((log.left_at >= 0) | (dropped < NEVER))
    lost = gone & (dropped == NEVER) & (np.isin(log.outcome, GIVEN_UP) | _owed(terms, work.n_cases))
    missed = np.where(over, (ended < NEVER) | gone | (breach < run.window.until), lost)
    state = np.select([missed, ended < NEVER, gone], [State.MISSED, State.KEPT, State.NOTHING], State.OPEN)
    due = np.where(limit > 0, time.first(sums.due), began)

    def where(known: Flags, at: Ticks) -> Ticks:
        return np.where(known & ~none, at, -1)

    return Course(
        began_at=where(began < NEVER, began),
        ended_at=where(ended < NEVER, ended),
        elapsed=where(~none, sums.elapsed),
        due_at=where(due < NEVER, due),
        breached_at=where(missed, np.where(over, breach, left)),
        state=np.where(none, State.NOTHING, state).astype(np.int8),
    )


def _nothing(n_cases: int) -> Course:
    """Nobody was promised anything."""
    never = np.full(n_cases, -1)
    return Course(never, never, never, never, never, np.full(n_cases, State.NOTHING, np.int8))


def _moments(run: Run, terms: list[Terms], last: Ticks) -> tuple[Ticks, Ticks, Ticks]:
    """[cases] when the clock begins, when what was promised happens, since when that is not called for; NEVER where it
    is not so by `last`, when the case has left."""
    began, ended, dropped = (np.full(run.workload.n_cases, NEVER) for _ in range(3))
    for part in terms:
        of = part.cases
        began[of] = part.begins.first(run, np.full(run.workload.n_cases, -NEVER))[of]
    began[began > last] = NEVER
    for part in terms:
        of = part.cases
        ended[of] = part.ends.first(run, began)[of]
        dropped[of] = part.ends.dropped(run)[of]
    ended[ended > last] = NEVER
    return began, ended, dropped


def limits(work: Workload, promise: int) -> Ticks:
    """[cases] the time promised, -1: none."""
    if len(work.clocks.limit):
        return np.asarray(work.clocks.limit[promise])
    due: Ticks = work.due_at[promise]
    return np.where((due == -1) | (work.arrived_at == NEVER), -1, due - work.arrived_at)


# ------------------------------------------------------------------ what begins, ends and pauses it


@dataclass(frozen=True)
class Trigger:
    """An event of a case, or of its items at certain steps ([steps] flags)."""

    event: Event
    steps: Flags
    last: bool

    def first(self, run: Run, since: Ticks) -> Ticks:
        """[cases] when it happened first from then on (of the last visit: when it happened), NEVER where it did not."""
        work, log = run.workload, run.log
        if self.event == Event.ARRIVAL:
            return work.arrived_at
        if self.event in (Event.LEAVING, Event.DELIVERY):
            left = np.where(np.isin(log.outcome, (Outcome.COMPLETED, Outcome.REJECTED)), log.left_at, -1)
            at = left if self.event == Event.LEAVING else np.where(run.delivered_at >= 0, run.delivered_at, left)
            return np.where((at >= 0) & (at >= since), at, NEVER)
        columns = {Event.ENABLED: log.enabled_at, Event.OFFERED: log.offered_at, Event.COMPLETED: log.completed_at}
        items = self.items(work)
        at, case = columns.get(self.event, log.started_at)[items], work.case[items]
        counts = (at >= 0) & (at >= since[case])
        found = np.full(work.n_cases, NEVER)
        np.minimum.at(found, case[counts], at[counts])
        return found

    def items(self, work: Workload) -> Numbers:
        """The items that it may be an event of."""
        answers = work.steps.responds == 1
        items = np.flatnonzero((answers if self.event == Event.ANSWER else self.steps)[work.step])
        return items[np.diff(work.case[items], append=-1) != 0] if self.last else items

    def dropped(self, run: Run) -> Ticks:
        """[cases] since when it is not called for: -1 where the way of a case does not lead there; when the last of its
        items was withdrawn; else NEVER."""
        work, log = run.workload, run.log
        if self.event < Event.ENABLED:
            return np.full(work.n_cases, NEVER)
        items = self.items(work)
        gone = np.full(work.n_items, NEVER)
        gone[log.withdrawn_item] = np.where(log.completed_at[log.withdrawn_item] < 0, log.withdrawn_at, NEVER)
        at = np.full(work.n_cases, -1)
        np.maximum.at(at, work.case[items], gone[items])
        return at


class Terms(NamedTuple):
    """What holds for the cases of a class."""

    cases: Flags
    begins: Trigger
    ends: Trigger
    pauses: Flags  # [steps]


def _terms(work: Workload, promise: int) -> Iterator[Terms]:
    clocks, nowhere = work.clocks, np.zeros(len(work.steps.names), bool)
    if not len(clocks.limit):
        ends = Event.ANSWER if work.promise_event[promise] == "first_response" else Event.LEAVING
        everybody = np.ones(work.n_cases, bool)
        yield Terms(everybody, Trigger(Event.ARRIVAL, nowhere, False), Trigger(ends, nowhere, False), nowhere)
        return
    for number in range(len(work.classes)):
        cases = (work.case_class == number) & (clocks.limit[promise] >= 0)
        if cases.any():
            begins, ends_with = (
                Trigger(
                    Event(of.event[promise, number]), of.steps[promise, number] == 1, bool(of.last[promise, number])
                )
                for of in (clocks.begins, clocks.ends)
            )
            yield Terms(cases, begins, ends_with, clocks.pauses_in[promise, number] == 1)


def _owed(terms: list[Terms], n_cases: int) -> Flags:
    """[cases] who leaves without it has been let down: an answer."""
    owed = np.zeros(n_cases, bool)
    for part in terms:
        owed |= part.cases & (part.ends.event == Event.ANSWER)
    return owed


# ------------------------------------------------------------------ the time that passes


class Sums(NamedTuple):
    """[cases] running time until the end; and, counted as the calendar does, when the limit is used up and until when
    no more than it has elapsed."""

    elapsed: Ticks
    due: Ticks
    breach: Ticks


def _sums(run: Run, terms: list[Terms], time: Time, began: Ticks, until: Ticks, limit: Ticks) -> Sums:
    """Pauses count once where they overlap; those of a case are gone through in the order in which they begin."""
    since, end = time.passed(began), time.passed(until)
    elapsed, due = end - since, since + limit
    breach = due.copy()
    paused = np.zeros(len(run.workload.steps.names), bool)
    for part in terms:
        paused |= part.pauses
    if not paused.any():
        return Sums(elapsed, due, breach)
    case, begin, to = _pauses(run, terms)
    begin, to = np.maximum(begin, began[case]), np.minimum(to, until[case])
    order = np.lexsort((to, begin, case))
    order = order[to[order] > begin[order]]
    case, begin, to = case[order], time.passed(begin[order], case[order]), time.passed(to[order], case[order])
    nth = np.arange(len(case)) - np.searchsorted(case, case)
    upto = since.copy()
    for k in range(nth.max(initial=-1) + 1):
        rows = nth == k
        of = case[rows]
        new = np.maximum(begin[rows], upto[of])
        length = np.maximum(to[rows] - new, 0)
        upto[of] = new + length
        elapsed[of] -= length
        due[of] += np.where(new < due[of], length, 0)
        breach[of] += np.where(new <= breach[of], length, 0)
    return Sums(elapsed, due, breach)


def _pauses(run: Run, terms: list[Terms]) -> tuple[Numbers, Ticks, Ticks]:
    """(case, from, to) of the items in whose steps the clocks of their cases stand still: from enabled to completed."""
    work, log = run.workload, run.log
    stands = np.zeros(work.n_items, bool)
    for part in terms:
        stands |= part.pauses[work.step] & part.cases[work.case]
    gone = np.where(log.left_at >= 0, log.left_at, run.window.until)[work.case]
    gone[log.withdrawn_item] = log.withdrawn_at
    to = np.where(log.completed_at >= 0, log.completed_at, gone)
    items = np.flatnonzero(stands & (log.enabled_at >= 0))
    return work.case[items], log.enabled_at[items], to[items]


@dataclass(frozen=True)
class Time:
    """Time as the cases' calendars count it; where there is none, all of it."""

    calendar: Codes  # [cases] -1: always open; empty: everywhere
    hours: tuple[Hours, ...]

    @classmethod
    def of(cls, clocks: Clocks, promise: int) -> Time:
        if not len(clocks.open_from):
            return cls(np.empty(0, np.int8), ())
        parts = [slice(*ends) for ends in pairwise(clocks.open_first.tolist())]
        return cls(clocks.calendar[promise], tuple(Hours.of(clocks.open_from[p], clocks.open_to[p]) for p in parts))

    def passed(self, at: Ticks, case: Numbers | slice = slice(None)) -> Ticks:
        """Open time before each instant; of these cases."""
        return self._each("passed", at, case)

    def first(self, passed: Ticks) -> Ticks:
        """The first instant before which so much was open; NEVER where it is out of sight."""
        return self._each("first", passed, slice(None))

    def last(self, passed: Ticks) -> Ticks:
        """The last instant before which no more than that was open; NEVER where it is out of sight."""
        return self._each("last", passed, slice(None))

    def _each(self, what: str, at: Ticks, case: Numbers | slice) -> Ticks:
        found = at.copy()
        for number, hours in enumerate(self.hours):
            ours = self.calendar[case] == number
            found[ours] = getattr(hours, what)(at[ours])
        return found


@dataclass(frozen=True)
class Hours:
    """Open intervals of a calendar in order, and how much is open until the end of each."""

    begin: Ticks
    end: Ticks
    total: Ticks

    @classmethod
    def of(cls, begin: Ticks, end: Ticks) -> Hours:
        return cls(begin, end, np.cumsum(end - begin))

    def passed(self, at: Ticks) -> Ticks:
        i = np.searchsorted(self.begin, at, side="right") - 1
        return np.where(i >= 0, self.total[i] - np.maximum(self.end[i] - at, 0), 0)

    def first(self, passed: Ticks) -> Ticks:
        i = np.searchsorted(self.total, passed, side="left")
        return self._at(i, passed)

    def last(self, passed: Ticks) -> Ticks:
        i = np.searchsorted(self.total, passed, side="right")
        return self._at(i, passed)

    def _at(self, i: Numbers, passed: Ticks) -> Ticks:
        inside = np.minimum(i, len(self.total) - 1)
        return np.where(i < len(self.total), self.end[inside] - (self.total[inside] - passed), NEVER)
