"""How busy people are: rostered hours, utilisation and overtime, and what gets done in an hour."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from servsim.kpis.facts import item_cells
from servsim.kpis.groups import HOURS, Floats, Groups, everything, ratio, totals, way
from servsim.kpis.kpi import Pairs, kpi, once
from servsim.kpis.spans import by_hour
from servsim.kpis.work import items_done
from servsim.quantities import HOUR
from servsim.records import Run
from servsim.records.arrays import Ids, Ticks


class Presence(NamedTuple):
    """[pools, 24] ticks within the window, by hour of the day; overtime is [pools]."""

    rostered: Floats
    busy: Floats
    overtime: Floats


@once
def presence(run: Run) -> Presence:
    """Rostered: duty less the planned breaks, and the presence of the reserve. Busy: somebody works on an item, or on
    several at once. Overtime: busy outside of duty."""
    plan, n = run.plan, len(run.plan.pools)
    rests = np.flatnonzero(plan.person_of()[plan.break_worker] == plan.break_worker)
    breaks = plan.break_at[rests], (plan.break_at + plan.break_lasts)[rests]
    first = plan.person_of() == np.arange(len(plan.workers))  # who handles several at once has several places
    who, come, go = (column[first[run.duties[0]]] for column in run.duties)
    duty = by_hour(run, come, go, plan.worker_pool[who], n)
    away = by_hour(run, *breaks, plan.worker_pool[plan.break_worker[rests]], n)
    worker, begin, end = _work_by_worker(run)
    extra, of = _off_duty(run, worker, begin, end)
    busy = by_hour(run, begin, end, plan.worker_pool[worker], n)
    return Presence(duty - away, busy, totals(plan.worker_pool[of], extra, n))


def _work_by_worker(run: Run) -> tuple[Ids, Ticks, Ticks]:
    """(worker, from, to) of the stretches of work within the window, cut off at its borders, worker by worker:
    neighbours then search in the same place, which is several times as fast."""
    _, worker, begin, end = run.stretches()
    first, last = run.window.begin, run.window.end
    small = worker.astype(np.uint16) if len(run.plan.workers) < 2**16 else worker
    order = np.argsort(small, kind="stable")
    order = order[((end > first) & (begin < last))[order]]
    worker, begin, end = worker[order], np.maximum(begin[order], first), np.minimum(end[order], last)
    return merged(run.plan.worker_person[worker], begin, end) if len(run.plan.worker_person) else (worker, begin, end)


def merged(worker: Ids, begin: Ticks, end: Ticks) -> tuple[Ids, Ticks, Ticks]:
    """The spans of each worker without what an earlier one covers: several items at once are one person's time."""
    order = np.lexsort((begin, worker))
    worker, begin, end = worker[order], begin[order], end[order]
    apart = worker.astype(np.int64) * (int(end.max(initial=0)) + 1)
    reached = np.append(0, np.maximum.accumulate(end + apart)[:-1]) - apart if len(end) else end
    begin = np.maximum(begin, reached)
    keep = np.flatnonzero(end > begin)
    return worker[keep], begin[keep], end[keep]


def _off_duty(run: Run, worker: Ids, begin: Ticks, end: Ticks) -> tuple[Ticks, Ids]:
    """(ticks outside of duty, worker) of the stretches that are not wholly on duty."""
    who, come, go = run.duties
    span = np.int64(max(run.window.until, int(go.max(initial=0))) + 1)
    duty_from, duty_to = come + who * span, go + who * span
    begin, end = begin + worker * span, end + worker * span
    closes = np.append(-1, duty_to)[np.searchsorted(duty_from, begin, side="right")]
    out = np.flatnonzero(end > closes)
    on_duty = _passed(duty_from, duty_to, end[out]) - _passed(duty_from, duty_to, begin[out])
    return end[out] - begin[out] - on_duty, worker[out]


def _passed(begins: Ticks, ends: Ticks, at: Ticks) -> Ticks:
    """Ticks of the spans (in order, without overlap) that lie before each instant."""
    before = np.append(0, np.cumsum(ends - begins))
    n = np.searchsorted(begins, at, side="right")
    return before[n] - np.maximum(np.append(-1, ends)[n] - at, 0)


@once
def pool_groups(run: Run) -> Groups:
    """Groups of pools; cell = pool."""
    plan, each = run.plan, np.arange(len(run.plan.pools))
    department = way("department", plan.departments, plan.pool_department)
    return Groups((everything(len(each)), way("pool", plan.pools, each), department))


@once
def hour_groups(run: Run) -> Groups:
    """Groups of clock hours; cell = hour."""
    return Groups((way("hour", HOURS, np.arange(24)),))


@kpi("utilisation", "share", None, "utilisation", "人员利用率")
def utilisation(run: Run) -> Pairs:
    """Busy ÷ rostered time within the window. Overtime counts as busy but is not rostered, so that more than 1 is
    possible. Groups "hour=09": what falls into that hour of the clock. NaN where nobody is rostered."""
    there, pools = presence(run), pool_groups(run)
    by_pool = ratio(pools.sums(there.busy.sum(axis=1)), pools.sums(there.rostered.sum(axis=1)))
    of_day = ratio(there.busy.sum(axis=0), there.rostered.sum(axis=0))
    return pools.pairs(by_pool) + hour_groups(run).pairs(of_day)


@kpi("rostered_hours", "h", "lower", "rostered hours", "排班工时")
def rostered_hours(run: Run) -> Pairs:
    """Duty less planned breaks within the window. 0 without staff."""
    pools = pool_groups(run)
    return pools.pairs(pools.sums(presence(run).rostered.sum(axis=1)) / HOUR)


@kpi("items_per_hour", "count", "higher", "work items per rostered hour", "每排班工时完成的工作项数")
def items_per_hour(run: Run) -> Pairs:
    """items_completed ÷ rostered_hours. NaN where nobody is rostered."""
    of_items, of_pools = (groups.only("all", "department") for groups in (item_cells(run).groups, pool_groups(run)))
    hours = of_pools.sums(presence(run).rostered.sum(axis=1)) / HOUR
    return of_items.pairs(ratio(of_items.sums(items_done(run)), hours))


@kpi("overtime_hours", "h", "lower", "overtime hours", "加班工时")
def overtime_hours(run: Run) -> Pairs:
    """Work outside of the workers' duty within the window. 0 without any."""
    pools = pool_groups(run)
    return pools.pairs(pools.sums(presence(run).overtime) / HOUR)


@kpi("reserve_hours", "h", "lower", "hours of the reserve", "机动人员工时")
def reserve_hours(run: Run) -> Pairs:
    """Presence of workers who were called in, within the window; they are rostered hours too. NaN where no pool has a
    reserve."""
    plan, log, pools = run.plan, run.log, pool_groups(run)
    if not plan.reserves.worker.any():
        return pools.pairs(pools.sums(np.zeros(len(plan.pools))) * np.nan)
    of = plan.worker_pool[log.reserve_worker]
    there = by_hour(run, log.reserve_from, log.reserve_to, of, len(plan.pools))
    return pools.pairs(pools.sums(there.sum(axis=1)) / HOUR)
