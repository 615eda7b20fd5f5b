"""What comes of approvals that are not given before the work: delivery, late refusals, cases without approval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from servsim.kpis.facts import case_cells, counted, item_cells, of_kind, outcomes
from servsim.kpis.groups import Floats, counts, ratio, totals
from servsim.kpis.kpi import Pairs, kpi, once
from servsim.quantities import MINUTE
from servsim.records import Run


def _marked_cases(run: Run, marks: NDArray[np.int8], done: NDArray[np.bool_]) -> Pairs:
    """Share of the counted cases with a marked item for which `done` ([items]) holds."""
    cells = case_cells(run)
    groups = cells.groups.only("all", "class")
    found = np.zeros(run.workload.n_cases, bool)
    found[run.workload.case[np.flatnonzero((marks == 1) & done)] if len(marks) else np.empty(0, np.int64)] = True
    n = groups.sums(totals(cells.cell, found[counted(run).cases], cells.n))
    return groups.pairs(ratio(n, groups.sums(outcomes(run).sum(axis=1))))


@kpi("delivery_time_mean", "min", "lower", "time to delivery, mean", "交付时长（平均值）")
def delivery_time_mean(run: Run) -> Pairs:
    """From arrival until all but signatures that may follow is done, of counted cases that came so far and were not
    rejected. The cycle time, where nothing is signed afterwards. NaN without such cases."""
    cases, cells = counted(run).cases, case_cells(run)
    at, arrived = run.delivered_at[cases], run.workload.arrived_at[cases]
    known = at >= 0
    took = totals(cells.cell[known], (at - arrived)[known], cells.n)
    n = cells.groups.sums(counts(cells.cell[known], cells.n))
    return cells.groups.pairs(ratio(cells.groups.sums(took), n) / MINUTE)


@kpi("non_compliant_share", "share", "lower", "passed without approval", "未经审批的比例")
def non_compliant_share(run: Run) -> Pairs:
    """Counted cases that passed some approval without it ÷ counted cases. NaN without cases."""
    return _marked_cases(run, run.workload.skipped, run.log.completed_at >= 0)


@kpi("silent_approvals", "share", "lower", "approvals decided by silence", "因沉默而定的审批比例")
def silent_approvals(run: Run) -> Pairs:
    """Approvals of counted cases that silence decided, one way or the other ÷ all that were decided. NaN without."""
    work, cells, items = run.workload, item_cells(run), counted(run).items
    decided = of_kind(run, "approval", "board")[work.step] & (run.log.completed_at >= 0)
    if len(work.skipped):
        decided &= work.skipped == 0
    by_silence = np.zeros(work.n_items, bool)
    by_silence[run.silent] = True
    parts = (cells.groups.sums(totals(cells.cell, each[items], cells.n)) for each in (by_silence, decided))
    return cells.groups.pairs(ratio(*parts))


@kpi("late_refusal_share", "share", "lower", "refused after the work", "事后被否决的比例")
def late_refusal_share(run: Run) -> Pairs:
    """Counted cases with a signature refused after the work ÷ counted cases. NaN without cases."""
    return _marked_cases(run, run.refused, run.log.completed_at >= 0)


@once
def refusals(run: Run) -> Floats:
    """[cells of cases] money for late refusals of counted cases."""
    work, cells = run.workload, case_cells(run)
    if not len(work.refused) or not len(work.refusal_cost):
        return np.zeros(cells.n)
    money = np.where((run.refused == 1) & (run.log.completed_at >= 0), work.refusal_cost[work.step], 0.0)
    return totals(cells.cell, totals(work.case, money, work.n_cases)[counted(run).cases], cells.n)


@kpi("cost_late_refusals", "money", "lower", "late refusals", "事后否决成本")
def cost_late_refusals(run: Run) -> Pairs:
    """What late refusals of counted cases cost, beyond the work that is done again. 0 without any."""
    groups = case_cells(run).groups.only("all", "class")
    return groups.pairs(groups.sums(refusals(run)))
