"""Why work waits: every tick between enabled and started has exactly one cause (docs/semantics.md, rule 10)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from servsim.kpis.facts import of_kind
from servsim.kpis.manning import Manning, Spans
from servsim.kpis.owners import barred, required_person
from servsim.records import Run
from servsim.records.arrays import Ids, Ticks

Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]
FOR_EVER = np.iinfo(np.int64).max


class Causes(NamedTuple):
    """[items] ticks of waiting by cause; they add up to `waiting(run)`."""

    dispatch_delay: Ticks  # not offered yet
    nobody_on_shift: Ticks  # nobody able is on duty (a break is not absence)
    outage: Ticks  # what the step needs is down, or everybody able who is on duty stands still
    required_person: Ticks  # it is for one person; or whoever is there may not do it, as they did what it checks
    overtaken: Ticks  # since an item that came later was taken up first
    busy: Ticks  # everybody able who is on duty is busy
    meeting: Ticks  # it has not been its turn in a meeting
    handover: Ticks  # on the way to the other department
    joining: Ticks  # completed, while the other branches are not


CAUSES = Causes._fields
DELAY, NOBODY, OUTAGE, PERSON, OVERTAKEN, BUSY, MEETING, HANDOVER, JOINING = range(len(CAUSES))


class Pieces(NamedTuple):
    """Pieces of waiting: [pieces] of which item, for which reason if somebody is there, in whose queue, from when to
    when. The queue is -1 where nobody is waited for; items that others may take by now, as they have waited so long,
    stand in queue + skills × number of ages passed."""

    item: Rows
    cause: NDArray[np.int8]
    queue: Ids
    begin: Ticks
    end: Ticks

    def chosen(self, rows: NDArray[np.generic]) -> Pieces:
        return Pieces(*(column[rows] for column in self))

    def within(self, begin: Ticks, end: Ticks) -> Pieces:
        """What lies in a span of time given for each item."""
        cut = self._replace(begin=np.maximum(self.begin, begin[self.item]), end=np.minimum(self.end, end[self.item]))
        return cut.chosen(cut.end > cut.begin)

    def because(self, cause: int, begin: Ticks, end: Ticks) -> Pieces:
        """The same pieces; what lies in a span given for each item, in a queue, has another cause."""
        inside = self.chosen(self.queue >= 0)
        middle = inside.within(begin, end)
        middle = middle._replace(cause=np.full_like(middle.cause, cause))
        before, after = inside.within(np.zeros_like(begin), begin), inside.within(end, np.full_like(end, FOR_EVER))
        return joined([self.chosen(self.queue < 0), before, middle, after])

    def outside(self, spans: Spans, since: Ticks) -> Pieces:
        """What lies outside of these spans, on an axis on which the clock of each item begins at `since`."""
        begin, end = self.begin + since[self.item], self.end + since[self.item]
        opens, closes = np.append(-FOR_EVER, spans.end), np.append(spans.begin, FOR_EVER)
        first, last = np.searchsorted(closes, begin, side="right"), np.searchsorted(opens, end, side="left")
        rows = np.repeat(np.arange(len(begin)), last - first)
        gap = np.arange(len(rows)) - np.repeat(np.cumsum(last - first) - last, last - first)
        at = since[self.item][rows]
        cut = self.chosen(rows)
        return cut._replace(begin=np.maximum(begin[rows], opens[gap]) - at, end=np.minimum(end[rows], closes[gap]) - at)


def joined(parts: list[Pieces]) -> Pieces:
    return Pieces(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def causes(run: Run) -> Causes:
    """The causes of each item's waiting."""
    return Waiting(run).causes()


def waiting(run: Run) -> Ticks:
    """[items] from enabled to the end of waiting, and from completed to the join; 0 where not enabled."""
    enabled, joins = run.log.enabled_at, joinings(run)
    time = np.where(enabled >= 0, waiting_until(run) - enabled, 0)
    time[joins.item] += joins.end - joins.begin
    return time


def waiting_until(run: Run) -> Ticks:
    """[items] when waiting ended: the first start (of a hand-over: its completion), else when the item was withdrawn,
    its case left, or the clock stopped."""
    log, over = run.log, of_kind(run, "handoff")
    ends = log.started_at
    if over.any():
        ends = np.where(over[run.workload.step] & (run.workload.skill < 0), log.completed_at, ends)
    return ends if (ends >= 0).all() else np.where(ends >= 0, ends, gone_at(run))


def gone_at(run: Run) -> Ticks:
    """[items] when an item that is never done is out of the world, not before it came."""
    log = run.log
    at = np.where(log.left_at >= 0, log.left_at, run.window.until)[run.workload.case]
    at[log.withdrawn_item] = log.withdrawn_at
    return np.maximum(at, log.enabled_at)


class Waiting:
    """The waiting of a run's items, in pieces."""

    def __init__(self, run: Run) -> None:
        log = run.log
        self.run, self.manning = run, Manning(run, self.crowded)
        self.until = waiting_until(run)
        self.delayed = bool((log.offered_at != log.enabled_at).any())
        self.offered = log.offered_at
        if self.delayed:
            self.offered = np.where(log.offered_at >= 0, np.minimum(log.offered_at, self.until), self.until)
        self.overtaken = first_overtaken(run, self.offered, self.until)
        self.barred = barred(run)

    def causes(self) -> Causes:
        work, log = self.run.workload, self.run.log
        none, enabled = np.zeros(work.n_items, np.int64), log.enabled_at >= 0
        spent = [none] * len(CAUSES)
        if self.manning.always() and not self.run.moves and not len(log.owned_item) and not self.barred:
            by_people = enabled & (work.skill >= 0)
            if self.delayed:
                spent[DELAY] = np.where(by_people, self.offered - log.enabled_at, 0)
            overtaken = self.until
            if self.overtaken is not self.until:
                overtaken = np.clip(self.overtaken, self.offered, self.until)
                spent[OVERTAKEN] = np.where(by_people, self.until - overtaken, 0)
            spent[BUSY] = np.where(by_people, overtaken - self.offered, 0)
            parts = list(self.by_themselves(enabled))
        else:
            parts = [self.pieces(enabled)]
        for cause, rows, ticks in self.parted(joined(parts)) if parts else ():
            spent[cause] = spent[cause] + np.bincount(rows, ticks, work.n_items).astype(np.int64)
        return Causes(*spent)

    def pieces(self, chosen: Flags) -> Pieces:
        """All the waiting of the chosen items, enabled ones."""
        return joined([*self.by_themselves(chosen), *self.in_queues(chosen)])

    def parted(self, of: Pieces) -> Iterator[tuple[int, Rows, Ticks]]:
        """(cause, items, ticks of each) of pieces; where nobody is there for a queue that is the cause."""
        rest = of.end - of.begin
        absent, stopped, barred = (np.zeros_like(rest) for _ in range(3))
        for queue, of_age, step, but, rows in self._by_need(of):
            ends = of.begin[rows], of.end[rows]
            there = at_work = self.manning.on_duty(queue, of_age).time(*ends)
            absent[rows] = rest[rows] - there
            if self.manning.any_outage:
                at_work = self.manning.at_work(queue, step, of_age).time(*ends)
                stopped[rows] = there - at_work
            if but:
                barred[rows] = at_work - self.manning.at_work(queue, step, of_age, but).time(*ends)
        for cause, ticks in ((NOBODY, absent), (OUTAGE, stopped), (PERSON, barred)):
            if ticks.any():
                yield cause, of.item, ticks
                rest = rest - ticks
        for cause in range(of.cause.max(initial=-1) + 1):
            rows = np.flatnonzero(of.cause == cause)
            if len(rows):
                yield cause, of.item[rows], rest[rows]

    def _by_need(self, of: Pieces) -> Iterator[tuple[int, int, int, frozenset[int], Rows]]:
        """(queue, ages passed, a step that needs the same systems, who may not, rows) of pieces in queues."""
        if self.manning.always() and not self.barred:
            return
        like, n, n_skills = self.manning.like_step, len(self.run.workload.steps.names), len(self.run.plan.skills)
        sets = [frozenset[int](), *dict.fromkeys(self.barred.values())]
        who, number = np.zeros(self.run.workload.n_items, np.int64), {one: k for k, one in enumerate(sets)}
        who[list(self.barred)] = [number[one] for one in self.barred.values()]
        code = (of.queue.astype(np.int64) * n + like[self.run.workload.step[of.item]]) * len(sets) + who[of.item]
        code = np.where(of.queue >= 0, code, -1)
        for one in np.unique(code[code >= 0]).tolist():
            queue, step = divmod(one // len(sets), n)
            yield queue % n_skills, queue // n_skills, step, sets[one % len(sets)], np.flatnonzero(code == one)

    def crowded(self, queue: int, number: int) -> Spans:
        """When at least so many items that have not been started wait in the queue."""
        of = self._in_their_queues(np.flatnonzero(self.run.log.enabled_at >= 0))
        rows = of.queue == queue
        at = np.concatenate([of.begin[rows], of.end[rows]])
        order = np.argsort(at, kind="stable")
        waiting = np.cumsum(np.repeat([1, -1], rows.sum())[order])
        full = np.flatnonzero(waiting >= number)
        return Spans.union(at[order][full], at[order][full + 1])

    # ------------------------------------------------------------------ the pieces
    def by_themselves(self, chosen: Flags) -> Iterator[Pieces]:
        """The waiting of chosen items that need nobody, and of what is completed for the other branches."""
        work, over = self.run.workload, of_kind(self.run, "handoff")
        if over.any() or len(work.gate) or self.delayed:
            rows = np.flatnonzero(chosen & (work.skill < 0))
            yield _pieces(rows, DELAY, self.run.log.enabled_at, self.offered)
            until = self._before_moves()
            yield _pieces(rows, np.where(over[work.step[rows]], HANDOVER, MEETING), self.offered, until)
        if len(work.fork_item):
            joins = joinings(self.run)
            yield joins.chosen(chosen[joins.item])

    def in_queues(self, chosen: Flags) -> Iterator[Pieces]:
        """The waiting of chosen items that need somebody."""
        rows = np.flatnonzero(chosen)
        if self.delayed:
            by_people = rows[self.run.workload.skill[rows] >= 0]
            yield _pieces(by_people, DELAY, self.run.log.enabled_at, self.offered)
        waits = self._by_age(self._in_their_queues(rows))
        if self.overtaken is not self.until:
            waits = waits.because(OVERTAKEN, self.overtaken, self.until)
        for begin, end in self._kept_for_one():
            waits = waits.because(PERSON, begin, end)
        yield waits

    def _before_moves(self) -> Ticks:
        """[items] the end of waiting where they waited first."""
        until = self.until.copy()
        for item, at, _ in self.run.moves[::-1]:
            until[item] = at
        return until

    def _in_their_queues(self, rows: Rows) -> Pieces:
        """Items that are moved wait in one queue after the other."""
        queue, chosen = self.run.workload.skill.astype(np.int32), np.zeros(self.run.workload.n_items, bool)
        chosen[rows] = True
        parts = [_pieces(rows[queue[rows] >= 0], BUSY, self.offered, self._before_moves(), queue)]
        moved, end = [], dict[int, int]()
        for item, at, to in self.run.moves[::-1]:  # from the last move to the first: each ends where the next begins
            if chosen[item]:
                moved.append((item, to, at, end.get(item, self.until[item])))
                end[item] = at
        if moved:
            item, of, since, until = np.array(moved[::-1], np.int64).T
            parts.append(Pieces(item, np.full(len(item), BUSY, np.int8), of.astype(np.int32), since, until))
        return joined(parts)

    def _by_age(self, waits: Pieces) -> Pieces:
        """Cut where items have waited so long in their queue that others may take them."""
        if not any(self.manning.ages):
            return waits
        parts = []
        for queue, ages in enumerate(self.manning.ages):
            of = waits.chosen(waits.queue == queue)
            for of_age, (since, to) in enumerate(pairwise([0, *ages, FOR_EVER])):
                begin, end = of.begin + since, np.where(of.end - of.begin > to, of.begin + to, of.end)
                cut = of._replace(begin=begin, end=end, queue=of.queue + np.int32(len(self.run.plan.skills) * of_age))
                parts.append(cut.chosen(end > begin))
        return joined(parts)

    def _kept_for_one(self) -> Iterator[tuple[Ticks, Ticks]]:
        """[items] from when to when nobody but a certain person might start it; again for those that have several."""
        kept, n = required_person(self.run), self.run.workload.n_items
        nth = np.arange(len(kept.item)) - np.searchsorted(kept.item, kept.item)
        for k in range(int(nth.max(initial=-1)) + 1):
            rows, begin, end = nth == k, np.zeros(n, np.int64), np.zeros(n, np.int64)
            begin[kept.item[rows]], end[kept.item[rows]] = kept.begin[rows], kept.end[rows]
            yield begin, end


def _pieces(rows: Rows, cause: int | Rows, begin: Ticks, end: Ticks, queue: Ids | None = None) -> Pieces:
    """Pieces [begin, end) ([items]) of these items, without those of no length; by default in no queue."""
    keep = end[rows] > begin[rows]
    why, rows = np.broadcast_to(np.asarray(cause, np.int8), keep.shape)[keep], rows[keep]
    of = np.full(len(rows), -1, np.int32) if queue is None else queue[rows]
    return Pieces(rows, why, of, begin[rows], end[rows])


def links(run: Run) -> tuple[Ids, Ids]:
    """(item, what follows it), as it came about; -1: nothing."""
    work, log, of = run.workload, run.log, run.workload.silences
    forked = np.repeat(work.fork_item, np.diff(work.fork_first))
    before = np.concatenate([np.arange(work.n_items, dtype=np.int32), forked])
    after = np.concatenate([work.next_item, work.fork_target])
    if len(log.silent_item):  # decided by silence: another way may follow
        decided = run.silent[of.next_item[run.silent] >= 0]
        after[np.isin(before, decided)] = -1
        after[decided] = of.next_item[decided]
    return before, after


def joinings(run: Run) -> Pieces:
    """For each item that leads to a join: from its completion until the last of the others, if it was not that."""
    work, log = run.workload, run.log
    before, after = links(run)
    rows = np.flatnonzero((after >= 0) & (work.n_predecessors[after] > 1) & (log.completed_at[before] >= 0))
    reached = log.enabled_at[after[rows]]
    if (reached < 0).any():
        reached = np.where(reached >= 0, reached, gone_at(run)[after[rows]])
    end = log.completed_at.copy()
    np.maximum.at(end, before[rows], reached)
    return _pieces(np.unique(before[rows]).astype(np.int64), JOINING, log.completed_at, end)


def first_overtaken(run: Run, offered: Ticks, until: Ticks) -> Ticks:
    """[items] when an item of the same skill that was offered later was first taken up; `until` where none was."""
    skill, enabled = run.workload.skill, run.log.enabled_at
    if (offered[1:] >= offered[:-1]).all() and (until[1:] >= until[:-1]).all() and (run.log.started_at >= 0).all():
        return until  # all in the order in which they came
    started = np.where((run.log.started_at >= 0) & (run.log.worker >= 0), run.log.started_at, FOR_EVER)
    found = until.copy()
    moved = np.zeros(len(skill), bool)
    moved[[item for item, _, _ in run.moves]] = True
    for number in range(len(run.plan.skills)):
        rows = np.flatnonzero((skill == number) & (enabled >= 0) & ~moved)
        came = offered[rows]
        if (came[1:] < came[:-1]).any():
            rows = rows[np.argsort(came, kind="stable")]
            came = offered[rows]
        taken = started[rows]
        if (taken[1:] >= taken[:-1]).all():
            continue
        earliest = np.minimum.accumulate(taken[::-1])[::-1]  # among this one and all that came after it
        after = np.searchsorted(came, came, side="right")  # the first that came later, not at the same tick
        found[rows] = np.minimum(np.append(earliest, FOR_EVER)[after], until[rows])
    return found
