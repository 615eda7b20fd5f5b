"""What a case spends its time on: every tick between arrival and leaving exactly once (docs/semantics.md, rule 10).

Of branches that run at the same time only the one that held the case up counts: from the item that ended the case back
to the last of those that it had to wait for, and so on to the arrival.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from servsim.kpis.causes import CAUSES, FOR_EVER, JOINING, Causes, Flags, Pieces, Rows, Waiting, gone_at, joined, links
from servsim.kpis.manning import Spans
from servsim.records import Run
from servsim.records.arrays import Ids, Ticks

SPENT = (*CAUSES[:JOINING], "working", "interrupted", "delays", "before_start")
"""What time goes into; on the way that held the case up nothing waits for other branches."""
WORKING, INTERRUPTED, DELAYS, BEFORE = range(JOINING, len(SPENT))


class Stays(NamedTuple):
    """Stays of cases at items, one after the other without a gap: an item, from when to when."""

    item: Rows
    begin: Ticks
    end: Ticks

    def chosen(self, rows: Flags) -> Stays:
        return Stays(*(column[rows] for column in self))


def whole_time(run: Run) -> NDArray[np.int64]:
    """[what it is spent on, cases] ticks from arrival to leaving, or to the stop of the clock; 0 for cases that did
    not come."""
    work = run.workload
    came, waiting = np.flatnonzero(work.arrived_at < run.window.until), Waiting(run)
    time = np.zeros((len(SPENT), work.n_cases), np.int64)
    for what, item, ticks in spent(waiting, waiting.causes(), stays(run, last_items(run, came))):
        time[what] += np.bincount(work.case[item], ticks, work.n_cases).astype(np.int64)
    time[BEFORE, came] = np.maximum(0, -work.arrived_at[came])
    return time


def spent(waiting: Waiting, found: Causes, of: Stays) -> Iterator[tuple[int, Rows, Ticks]]:
    """(what on, items, ticks of each) of stays from enabled on, not cut off while the item waits."""
    for cause in range(JOINING):
        if found[cause].any():
            yield cause, of.item, found[cause][of.item]
    pieces = since_started(waiting, of)
    length = pieces.end - pieces.begin
    for what in (WORKING, INTERRUPTED, DELAYS):
        rows = np.flatnonzero(pieces.cause == what)
        if len(rows):
            yield what, pieces.item[rows], length[rows]


def in_pieces(waiting: Waiting, of: Stays) -> Pieces:
    """All that stays consist of."""
    n = waiting.run.workload.n_items
    chosen, begin, end = np.zeros(n, bool), np.zeros(n, np.int64), np.zeros(n, np.int64)
    chosen[of.item], begin[of.item], end[of.item] = True, of.begin, of.end
    waits = waiting.pieces(chosen)
    return joined([waits.chosen(waits.cause != JOINING).within(begin, end), since_started(waiting, of)])


def since_started(waiting: Waiting, of: Stays) -> Pieces:
    """Stays from the end of waiting on: in somebody's hands, or in a meeting; laid down; by itself."""
    run = waiting.run
    begin = np.maximum(of.begin, waiting.until[of.item])
    rows = np.flatnonzero(of.end > begin)
    item, begin, end = of.item[rows], begin[rows], of.end[rows]
    what = np.where(run.workload.skill[item] >= 0, WORKING, DELAYS).astype(np.int8)
    if len(run.workload.gate):
        what[run.workload.gate[item] >= 0] = WORKING
    whole = Pieces(item, what, np.full(len(item), -1, np.int32), begin, end)
    broken = np.zeros(run.workload.n_items, bool)
    broken[run.log.stretch_item] = True
    laid_down = broken[item]
    if not laid_down.any():
        return whole
    return joined([whole.chosen(~laid_down), *_stretches(run, whole.chosen(laid_down))])


def _stretches(run: Run, of: Pieces) -> Iterator[Pieces]:
    """Pieces of items that were interrupted: in hand, and in between."""
    log, n = run.log, run.workload.n_items
    begin, end, since = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    begin[of.item], end[of.item] = of.begin, of.end
    since[of.item] = np.cumsum(of.end - of.begin + 1) - of.end  # one item after the other
    code, none = np.full(len(log.stretch_item), WORKING, np.int8), np.full(len(log.stretch_item), -1, np.int32)
    in_hand = Pieces(log.stretch_item.astype(np.int64), code, none, log.stretch_from, log.stretch_to).within(begin, end)
    at = since[in_hand.item]
    yield in_hand
    laid_down = of._replace(cause=np.full_like(of.cause, INTERRUPTED))
    yield laid_down.outside(Spans.union(in_hand.begin + at, in_hand.end + at), since)


# ------------------------------------------------------------------ the way that held the case up


def last_items(run: Run, cases: Rows) -> Rows:
    """The item with which each case ended: the one whose completion ended it; else one that was completed in the tick
    in which it left and led nowhere, else the one that has been open longest, also when the clock stops; -1 for a case
    that reached none."""
    work, log = run.workload, run.log
    if not len(work.fork_item):  # one after the other: the last that was reached
        found = np.full(work.n_cases, -1)
        reached = np.flatnonzero(log.enabled_at >= 0)
        found[work.case[reached]] = reached
        return found[cases]
    rows = np.flatnonzero(log.enabled_at >= 0)
    left = log.left_at[work.case[rows]]
    done, withdrawn = log.completed_at[rows], np.zeros(work.n_items, bool)
    withdrawn[log.withdrawn_item] = True
    ended = (done >= 0) & (done == left)
    nowhere = ended & ~_led_on(run)[rows]
    rank = np.where(nowhere, np.where(work.leaves[rows] > 0, 0, 1), 2)
    rank[(rank == 2) & ((done >= 0) | withdrawn[rows])] = 3
    order = rows[np.lexsort((rows, log.enabled_at[rows], rank, work.case[rows]))][::-1]
    found = np.full(work.n_cases, -1)
    found[work.case[order]] = order
    return found[cases]


def _led_on(run: Run) -> Flags:
    """[items] whether an item that follows has been reached."""
    before, after = links(run)
    led = np.zeros(run.workload.n_items, bool)
    led[before[(after >= 0) & (run.log.enabled_at[after] >= 0)]] = True
    return led


def predecessors(run: Run) -> Ids:
    """[items] with whose completion each was reached, -1 for the first of a case; of several the first by number."""
    log, n = run.log, run.workload.n_items
    before, after = links(run)
    rows = np.flatnonzero((after >= 0) & (log.completed_at[before] >= 0))
    rows = rows[log.completed_at[before[rows]] == log.enabled_at[after[rows]]]
    found = np.full(n, n, np.int32)
    np.minimum.at(found, after[rows], before[rows])
    return np.where(found < n, found, -1).astype(np.int32)


def stays(run: Run, last: Rows) -> Stays:
    """The way to these items, each of another case, and the stays on it; the last one until the case left."""
    work, log, last = run.workload, run.log, last[last >= 0]
    if len(work.fork_item):
        way, item, before = [last], last, predecessors(run)
        while len(item):
            item = before[item].astype(np.int64)
            item = item[item >= 0]
            way.append(item)
        rows = np.concatenate(way)
    else:
        upto = np.full(work.n_cases, -1)
        upto[work.case[last]] = last
        rows = np.flatnonzero((log.enabled_at >= 0) & (np.arange(work.n_items) <= upto[work.case]))
    done = log.completed_at[rows]
    left = np.where(log.left_at >= 0, log.left_at, run.window.until)[work.case[rows]]
    return Stays(rows, log.enabled_at[rows], np.where(done >= 0, np.minimum(done, left), left))


# ------------------------------------------------------------------ the time of a promise


def time_on_clock(waiting: Waiting, promise: int, cases: Rows) -> NDArray[np.int64]:
    """[what it is spent on, these cases] ticks on the promise's clock until what was promised happened, the case left
    or the clock stopped; on the way to the answer, if that was promised, else on the way that held the case up."""
    run = waiting.run
    course, left = run.courses[promise], np.where(run.log.left_at >= 0, run.log.left_at, run.window.until)
    end = np.where(course.ended_at >= 0, course.ended_at, left)
    way = stays(run, _answering(run, cases, end))
    case = run.workload.case[way.item]
    way = Stays(way.item, np.maximum(way.begin, course.began_at[case]), np.minimum(way.end, end[case]))
    pieces = _on_the_clock(run, promise, in_pieces(waiting, way.chosen(way.end > way.begin)))
    place = np.zeros(run.workload.n_cases, np.int64)
    place[cases] = np.arange(len(cases))
    time = np.zeros((len(SPENT), len(cases)), np.int64)
    for what, item, ticks in waiting.parted(pieces):
        time[what] += np.bincount(place[run.workload.case[item]], ticks, len(cases)).astype(np.int64)
    time[BEFORE] = np.maximum(0, (np.minimum(end, 0) - course.began_at)[cases])
    return time


def _answering(run: Run, cases: Rows, end: Ticks) -> Rows:
    """The items with whose start these cases were answered, where that ends the time ([cases]) that is looked at; else
    the items with which the cases ended."""
    work, started = run.workload, run.log.started_at
    last = last_items(run, cases)
    answers = np.flatnonzero((work.steps.responds[work.step] == 1) & (started >= 0))[::-1]
    answers = answers[(started[answers] == end[work.case[answers]]) & (end == run.responded_at)[work.case[answers]]]
    found = np.full(work.n_cases, -1)
    found[work.case[answers]] = answers
    return np.where(found[cases] >= 0, found[cases], last)


def _on_the_clock(run: Run, promise: int, pieces: Pieces) -> Pieces:
    """Without the hours in which the promise's clock stands still, and without the time at steps where it does."""
    work, clocks = run.workload, run.workload.clocks
    if not len(clocks.limit):
        return pieces
    no_shift = np.zeros(work.n_items, np.int64)
    if len(clocks.open_from):
        calendar = clocks.calendar[promise][work.case[pieces.item]]
        parts = [pieces.chosen(calendar < 0)]
        for number, (first, end) in enumerate(pairwise(clocks.open_first.tolist())):
            opens, closes = clocks.open_from[first:end], clocks.open_to[first:end]
            closed = Spans(np.append(-FOR_EVER, closes), np.append(opens, FOR_EVER))
            parts.append(pieces.chosen(calendar == number).outside(closed, no_shift))
        pieces = joined(parts)
    stands = clocks.pauses_in[promise, work.case_class[work.case], work.step] == 1
    items = np.flatnonzero(stands & (run.log.enabled_at >= 0))
    if not len(items):
        return pieces
    case, left = work.case[items], np.where(run.log.left_at >= 0, run.log.left_at, run.window.until)
    end = np.where(run.log.completed_at >= 0, run.log.completed_at, gone_at(run))[items]
    came = np.clip(work.arrived_at, 0, left)
    since = np.cumsum(left - came + 1) - left  # one case after the other
    paused = Spans.union(run.log.enabled_at[items] + since[case], np.minimum(end, left[case]) + since[case])
    return pieces.outside(paused, since[work.case])
