"""How much of what falls into which hour of the run: spans of time added up over the hours that they touch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from servsim.kpis.facts import midnight
from servsim.kpis.groups import Floats, Integers, counts, totals
from servsim.quantities import DAY, HOUR
from servsim.records import Run
from servsim.records.arrays import Ticks

PIECE = 2**16
"""Rows taken at a time (or more), so that the steps in between stay in the processor's cache."""


def by_day(run: Run, begin: Ticks, end: Ticks, code: Integers, n: int) -> Floats:
    """[n, days, 24] ticks of the spans [begin, end) of each code within the window, by hour of each day of the clock.

    The number of spans open at a time is that of the begun less that of the ended ones, so beginnings and ends are
    counted apart: each is present for the rest of its own hour and for all of the hours after it.
    """
    window, shift = run.window, midnight(run)
    n_hours = -(-(window.end + shift) // DAY) * 24 + 24
    present, later = np.zeros(n * n_hours), np.zeros(n * n_hours)
    piece = max(PIECE, len(present))
    for first in range(0, len(begin), piece):
        rows = slice(first, first + piece)
        base = code[rows].astype(np.int64) * n_hours
        for at, sign in ((begin[rows], 1), (end[rows], -1)):
            clipped = np.clip(at, window.begin, max(window.begin, window.end)) + shift
            hour = clipped // HOUR
            present += sign * totals(base + hour, (hour + 1) * HOUR - clipped, n * n_hours)
            later += sign * counts(base + hour, n * n_hours)
    whole = (np.cumsum(later.reshape(n, n_hours), axis=1) - later.reshape(n, n_hours)) * HOUR
    return np.asarray((present.reshape(n, n_hours) + whole).reshape(n, n_hours // 24, 24))


def by_hour(run: Run, begin: Ticks, end: Ticks, code: Integers, n: int) -> Floats:
    """[n, 24] the same by hour of the day."""
    return np.asarray(by_day(run, begin, end, code, n).sum(axis=1))


def by_weekday(run: Run, begin: Ticks, end: Ticks, code: Integers, n: int) -> Floats:
    """[n, 7, 24] the same by weekday (0: Monday) and hour of the day."""
    days = by_day(run, begin, end, code, n)
    first = (int(run.start.astype("datetime64[D]").astype(np.int64)) + 3) % 7  # 1970-01-01 was a Thursday
    return np.stack([days[:, (weekday - first) % 7 :: 7].sum(axis=1) for weekday in range(7)], axis=1)


def window_by_hour(run: Run) -> Floats:
    """[24] ticks of the window by hour of the day."""
    return np.asarray(window_by_weekday(run).sum(axis=0))


def window_by_weekday(run: Run) -> Floats:
    """[7, 24] ticks of the window by weekday and hour of the day."""
    window = np.array([run.window.begin]), np.array([run.window.end])
    return np.asarray(by_weekday(run, *window, np.zeros(1, np.int64), 1)[0])


class Queue(NamedTuple):
    """Waiting within the window, of all items, counted or not, one row per span: in the queue of which skill, from when
    to when."""

    skill: Integers
    begin: Ticks
    end: Ticks


def queue_spans(run: Run) -> Queue:
    """Where items wait: from enabled (dispatch delay included) to their first start, to the customer's giving up, or to
    the stop of the clock. Escalated items wait in the next queue from then on. Spans of no length are left out."""
    work, log = run.workload, run.log
    end = log.started_at.copy()
    unserved = np.flatnonzero(end < 0)
    left = log.left_at[work.case[unserved]]
    end[unserved] = np.where(left >= 0, left, run.window.until)
    idle = log.started_at[log.withdrawn_item] < 0
    end[log.withdrawn_item[idle]] = log.withdrawn_at[idle]
    rows = np.flatnonzero((work.skill >= 0) & (log.enabled_at >= 0) & (end > log.enabled_at))
    if not run.moves:
        return _within(run, work.skill, log.enabled_at, end, rows)
    moves = _moved(run, end)
    item, at, _ = np.array(run.moves, np.int64).T
    np.minimum.at(end, item, at)
    skill = np.concatenate([work.skill[rows], moves.skill])
    begin = np.concatenate([log.enabled_at[rows], moves.begin])
    until = np.concatenate([end[rows], moves.end])
    return _within(run, skill, begin, until, np.arange(len(skill)))


def _within(run: Run, skill: Integers, begin: Ticks, end: Ticks, rows: Integers) -> Queue:
    """These rows, cut off at the borders of the window."""
    first, last = run.window.begin, run.window.end
    rows = rows[(begin[rows] < last) & (end[rows] > first)]
    return Queue(skill[rows], np.maximum(begin[rows], first), np.minimum(end[rows], last))


def _moved(run: Run, end: Ticks) -> Queue:
    """Waiting of items that moved on in the queues to which they moved, up to `end` ([items]) or the next move."""
    moves = np.array(run.moves, np.int64)
    item, begin, skill = moves[np.argsort(moves[:, 0], kind="stable")].T
    until = end[item]
    again = np.flatnonzero(item[1:] == item[:-1])
    until[again] = begin[again + 1]
    return Queue(skill, begin, until)


def longest(run: Run, queue: Queue, code: Integers, n: int) -> Floats:
    """[n] largest number of spans of each code open at a time within the window; a leaver goes before a comer.

    Bounds first: within a slice of time there are never more than at its beginning plus the comers. Only the slices
    that may hold the record are looked at event by event.
    """
    begin, end = queue.begin, queue.end
    n_slices = max(1, len(begin) // (8 * max(1, n)))
    width = (run.window.end - run.window.begin) // n_slices + 1
    base = code.astype(np.int64) * n_slices
    comes, goes = (base + (at - run.window.begin) // width for at in (begin, end))
    comers, leavers = (counts(at, n * n_slices).reshape(n, n_slices) for at in (comes, goes))
    before = np.cumsum(comers - leavers, axis=1) - (comers - leavers)
    record = before.max(axis=1, initial=0)
    open_ = (before + comers > record[:, None]).ravel()

    coming, going = np.flatnonzero(open_[comes]), np.flatnonzero(open_[goes])
    where = np.concatenate([goes[going], comes[coming]])
    change = np.repeat([-1, 1], [len(going), len(coming)])
    order = np.lexsort((change, np.concatenate([end[going], begin[coming]]), where))
    where, change = where[order], change[order]
    so_far = np.cumsum(change)
    first = np.flatnonzero(np.diff(where, prepend=-1))
    earlier = np.repeat((so_far - change)[first], np.diff(first, append=len(where)))
    np.maximum.at(record, where // n_slices, before.ravel()[where] + so_far - earlier)
    return np.asarray(record, np.float64)
