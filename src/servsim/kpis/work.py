"""How long work items wait, how long people work on them, and how many they complete."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from servsim.kpis.facts import case_cells, counted, ended, item_cells, outcomes
from servsim.kpis.groups import Floats, counts, ratio, totals
from servsim.kpis.kpi import Pairs, kpi, once
from servsim.quantities import MINUTE
from servsim.records import Outcome, Run


class Waits(NamedTuple):
    """Waiting of items of counted cases."""

    mean: Floats  # [groups of items] minutes
    p90: Floats  # [groups of items] minutes
    of_ended: Floats  # [cells of items] total over the cases that ended, in ticks


@once
def waits(run: Run) -> Waits:
    work, log, items, cells = run.workload, run.log, counted(run).items, item_cells(run)
    started, enabled, cell, case = log.started_at[items], log.enabled_at[items], cells.cell, work.case[items]
    served = (started >= 0) & (work.skill[items] >= 0)
    waiting = started - enabled
    if not served.all():
        waiting, cell, case = waiting[served], cell[served], case[served]
    total, n = totals(cell, waiting, cells.n), counts(cell, cells.n)
    of_ended = totals(cell, waiting * ended(run)[counted(run).place_of_case(case)], cells.n)
    sums = cells.groups.sums
    return Waits(
        mean=ratio(sums(total), sums(n)) / MINUTE,
        p90=cells.groups.quantiles(waiting, cell, (0.9,))[0] / MINUTE,
        of_ended=of_ended,
    )


@kpi("waiting_mean", "min", "lower", "waiting per work item, mean", "每个工作项的等待时间（平均值）")
def waiting_mean(run: Run) -> Pairs:
    """started − enabled, of the items of counted cases that need somebody and were started. Time in which an item lies
    interrupted is not in it. NaN where no item was started."""
    return item_cells(run).groups.pairs(waits(run).mean)


@kpi("waiting_p90", "min", "lower", "waiting per work item, 90th percentile", "每个工作项的等待时间（90分位）")
def waiting_p90(run: Run) -> Pairs:
    """90th percentile of started − enabled, of the same items as waiting_mean. NaN where no item was started."""
    return item_cells(run).groups.pairs(waits(run).p90)


@kpi("waiting_total_mean", "min", "lower", "waiting per case, all steps together", "每个事项各环节等待时间合计")
def waiting_total_mean(run: Run) -> Pairs:
    """Waiting of all items of a case added up (parallel branches too), mean over counted cases that ended. NaN without
    any."""
    of_items, of_cases = (cells(run).groups.only("all", "class") for cells in (item_cells, case_cells))
    n = of_cases.sums(outcomes(run)[:, [Outcome.COMPLETED, Outcome.REJECTED]].sum(axis=1))
    return of_cases.pairs(ratio(of_items.sums(waits(run).of_ended), n) / MINUTE)


@kpi("processing_mean", "min", None, "worker time per work item", "每个工作项的人工处理时间")
def processing_mean(run: Run) -> Pairs:
    """Time somebody worked on an item, interruptions taken out (of several workers at once the time of each); mean over
    completed items of counted cases that need somebody. NaN where none was completed."""
    log, cells, of = run.log, item_cells(run), counted(run)
    items = of.items
    done = (log.completed_at[items] >= 0) & (run.workload.skill[items] >= 0)
    time = log.completed_at[items] - log.started_at[items]
    place = of.place_of_item(log.stretch_item)
    broken = np.flatnonzero(place >= 0)
    if len(broken):
        item = place[broken]
        time[item] = 0
        np.add.at(time, item, log.stretch_to[broken] - log.stretch_from[broken])
    help_with = of.place_of_item(log.helper_item)
    helped = np.flatnonzero(help_with >= 0)
    np.add.at(time, help_with[helped], (log.helper_to - log.helper_from)[helped])
    cell = cells.cell if done.all() else cells.cell[done]
    total, n = totals(cell, time if done.all() else time[done], cells.n), counts(cell, cells.n)
    return cells.groups.pairs(ratio(cells.groups.sums(total), cells.groups.sums(n)) / MINUTE)


@once
def items_done(run: Run) -> Floats:
    """[cells of items] items of counted cases that somebody completed."""
    log, cells, items = run.log, item_cells(run), counted(run).items
    done = (log.completed_at[items] >= 0) & (log.worker[items] >= 0)
    return totals(cells.cell, done, cells.n)


@kpi("items_completed", "count", None, "work items completed", "完成的工作项数")
def items_completed(run: Run) -> Pairs:
    """Items of counted cases that somebody completed, whenever; what silence decided is not among them. The figure
    is 0 without any."""
    return item_cells(run).groups.pairs(item_cells(run).groups.sums(items_done(run)))
