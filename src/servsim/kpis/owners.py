"""Who did it because of who did something before: work that is kept for its owner (docs/semantics.md, rule 17)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from servsim.kpis.facts import counted, item_cells
from servsim.kpis.groups import counts, ratio
from servsim.kpis.kpi import Pairs, kpi
from servsim.records import Run
from servsim.records.arrays import Ids, Ticks

FOR_EVER = np.iinfo(np.int64).max


class Kept(NamedTuple):
    """Spans [begin, end) before the first start of an item in which nobody but one person might start it."""

    item: Ids
    worker: Ids  # that stands for the person
    begin: Ticks
    end: Ticks


def required_person(run: Run) -> Kept:
    """Who each item had to wait for and how long; an item that tried again has a span for each try. Sorted by
    (item, begin); spans are longer than zero."""
    log, of = run.log, run.workload.owners
    item, begin = log.owned_item, log.owned_at
    if not len(item):
        return Kept(item, log.owned_by, begin, begin)
    kept = of.kept[item]
    end = np.minimum(np.where(kept < 0, FOR_EVER, begin + kept), _first_wait_until(run)[item])
    away = (log.escalated_item, log.escalated_at), (log.silent_item, log.silent_at), (log.blocked_item, log.blocked_at)
    for moved, at in away:
        end = np.minimum(end, _next(moved, at, item, begin))
    order = np.lexsort((begin, item))
    rows = order[(end > begin)[order]]
    return Kept(item[rows], log.owned_by[rows], begin[rows], end[rows])


def barred(run: Run) -> dict[int, frozenset[int]]:
    """By item: the persons (workers that stand for them) who may not do it, as they did what `not_same_as` names."""
    log, last, found = run.log, dict[int, int](), dict[int, set[int]]()
    for item, at, who in zip(*(c.tolist() for c in (log.barred_item, log.barred_at, log.barred_who)), strict=True):
        if last.get(item) != at:
            last[item], found[item] = at, set()  # the last try counts
        found[item].add(who)
    return {item: frozenset(persons) for item, persons in found.items()}


def _first_wait_until(run: Run) -> Ticks:
    """[items] the first start, else the withdrawal, the case's leaving or the stop of the clock."""
    log = run.log
    left = np.where(log.left_at >= 0, log.left_at, run.window.until)[run.workload.case]
    left[log.withdrawn_item] = log.withdrawn_at
    return np.where(log.started_at >= 0, log.started_at, left)


def _next(moved: Ids, at: Ticks, item: Ids, since: Ticks) -> Ticks:
    """When it next happened to each of the items at or after the ticks `since`; FOR_EVER where it did not."""
    found = np.full(len(item), FOR_EVER)
    for other, tick in zip(moved.tolist(), at.tolist(), strict=True):
        rows = (item == other) & (since <= tick)
        found[rows] = np.minimum(found[rows], tick)
    return found


@kpi("same_person_share", "share", "higher", "done by the same person as before", "由同一人继续办理的比例")
def same_person_share(run: Run) -> Pairs:
    """Items done by the person for whom they were meant (`same_as`) ÷ items completed that were meant for somebody, of
    counted cases. NaN without any."""
    log, cells = run.log, item_cells(run)
    owner = np.full(run.workload.n_items, -1)
    owner[log.owned_item] = log.owned_by  # the last try counts
    done = np.flatnonzero((owner >= 0) & (log.completed_at >= 0))
    place = counted(run).place_of_item(done)
    done, place = done[place >= 0], place[place >= 0]
    same = _person(run, log.worker[done]) == owner[done]
    all_, ours = counts(cells.cell[place], cells.n), counts(cells.cell[place[same]], cells.n)
    return cells.groups.pairs(ratio(cells.groups.sums(ours), cells.groups.sums(all_)))


def _person(run: Run, worker: Ids) -> NDArray[np.int32]:
    return run.plan.person_of()[worker] if len(run.plan.workers) else worker
