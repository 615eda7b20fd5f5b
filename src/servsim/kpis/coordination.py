"""What crossing desks costs: hand-overs, returns, rework, and the time that cases spend in approval and hand-over."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from servsim.kpis.facts import case_cells, counted, ended, item_cells, of_kind, outcomes
from servsim.kpis.groups import Groups, counts, everything, ratio, totals, way
from servsim.kpis.kpi import Pairs, kpi, once
from servsim.records import Run


class Visits(NamedTuple):
    """[cells of items] visits of counted cases, up to the stop of the clock."""

    begun: NDArray[np.int64]
    again: NDArray[np.int64]  # not the case's first visit to the step
    returned: NDArray[np.int64]  # completed and sent back


@once
def visits(run: Run) -> Visits:
    work, log, items, cells = run.workload, run.log, counted(run).items, item_cells(run)
    enabled, done = log.enabled_at[items] >= 0, log.completed_at[items] >= 0
    chosen = enabled, enabled & (work.visit[items] > 0), done & (run.returned[items] == 1)
    return Visits(*(counts(cells.cell[rows], cells.n) for rows in chosen))


def _kinds(run: Run, *kinds: str) -> NDArray[np.bool_]:
    """[cells of items] True for cells of steps of these kinds."""
    return np.repeat(of_kind(run, *kinds), max(1, len(run.workload.classes)))


def _per_case(run: Run, count: NDArray[np.int64]) -> Pairs:
    """Count ([cells of items]) ÷ counted cases, of all and of each class."""
    of_items, of_cases = (cells(run).groups.only("all", "class") for cells in (item_cells, case_cells))
    return of_cases.pairs(ratio(of_items.sums(count), of_cases.sums(outcomes(run).sum(axis=1))))


@kpi("handovers_per_case", "count", "lower", "hand-overs per case", "每个事项的交接次数")
def handovers_per_case(run: Run) -> Pairs:
    """Hand-overs begun ÷ counted cases, unfinished ones included. NaN without cases."""
    return _per_case(run, visits(run).begun * _kinds(run, "handoff"))


@kpi("returns_per_case", "count", "lower", "returns per case", "每个事项的退回次数")
def returns_per_case(run: Run) -> Pairs:
    """Approvals and hand-overs that sent the case back ÷ counted cases, unfinished ones included. NaN without cases."""
    return _per_case(run, visits(run).returned)


@kpi("sent_back_share", "share", "lower", "sent back at least once", "至少被退回一次的比例")
def sent_back_share(run: Run) -> Pairs:
    """Counted cases that an approval or a hand-over sent back at least once ÷ counted cases, unfinished ones included.
    NaN without cases."""
    work, of, cells = run.workload, counted(run), case_cells(run)
    back = (run.log.completed_at[of.items] >= 0) & (run.returned[of.items] == 1)
    sent = np.zeros(work.n_cases, bool)
    sent[work.case[of.item(np.flatnonzero(back))]] = True
    sums = cells.groups.only("all", "class").sums
    share = ratio(sums(totals(cells.cell, sent[of.cases], cells.n)), sums(outcomes(run).sum(axis=1)))
    return cells.groups.only("all", "class").pairs(share)


@kpi("handover_returns", "share", "lower", "hand-overs sent back", "交接被退回的比例")
def handover_returns(run: Run) -> Pairs:
    """Hand-overs sent back ÷ hand-overs completed, of counted cases; "pair=service>repair": those from the one
    department to the other. NaN without any."""
    work, steps, items = run.workload, run.workload.steps, counted(run).items
    n, n_departments = len(steps.names), len(run.plan.departments)
    over = of_kind(run, "handoff")[work.step[items]] & (run.log.completed_at[items] >= 0)
    done = totals(work.step[items], over, n)
    back = totals(work.step[items], over & (work.returned[items] == 1), n)
    known = np.flatnonzero((steps.sender >= 0) & (steps.receiver >= 0)) if len(steps.sender) else np.empty(0, np.int64)
    pair = np.full(n, -1)
    codes = steps.sender[known] * n_departments + steps.receiver[known] if len(known) else known
    used, pair[known] = np.unique(codes, return_inverse=True)
    named = [">".join(run.plan.departments[d] for d in divmod(int(code), n_departments)) for code in used]
    groups = Groups((everything(n), way("pair", named, pair)))
    return groups.pairs(ratio(groups.sums(back), groups.sums(done)))


@kpi("items_per_case", "count", "lower", "tasks and approvals per case", "每个事项的办理与审批次数")
def items_per_case(run: Run) -> Pairs:
    """Visits to tasks and approvals ÷ counted cases, unfinished ones included. NaN without cases."""
    work, of, cells = run.workload, counted(run), case_cells(run)
    begun = of_kind(run, "task", "approval")[work.step[of.items]] & (run.log.enabled_at[of.items] >= 0)
    case = of.place_of_case(work.case[of.item(np.flatnonzero(begun))])
    groups = cells.groups.only("all", "class", "department")
    return groups.pairs(ratio(groups.sums(counts(cells.cell[case], cells.n)), groups.sums(outcomes(run).sum(axis=1))))


@kpi("rework_share", "share", "lower", "repeated work", "返工比例")
def rework_share(run: Run) -> Pairs:
    """Visits to tasks and approvals that are not the case's first to that step ÷ all such visits of counted cases.
    NaN without any."""
    work, sums = _kinds(run, "task", "approval"), item_cells(run).groups.sums
    return item_cells(run).groups.pairs(ratio(sums(visits(run).again * work), sums(visits(run).begun * work)))


def _time_share(run: Run, *kind: str) -> Pairs:
    """Time from enabled to completed of a kind of items ÷ cycle time, of counted cases that ended."""
    work, log, of, cells = run.workload, run.log, counted(run), case_cells(run)
    rows, cases = of.item(np.flatnonzero(of_kind(run, *kind)[work.step[of.items]])), of.cases
    rows = rows[ended(run)[of.place_of_case(work.case[rows])] & (log.completed_at[rows] >= 0)]
    cell = cells.cell[of.place_of_case(work.case[rows])]
    there = totals(cell, log.completed_at[rows] - log.enabled_at[rows], cells.n)
    cycle = (log.left_at[cases] - work.arrived_at[cases]) * ended(run)
    groups = cells.groups.only("all", "class", "department")
    return groups.pairs(ratio(groups.sums(there), groups.sums(totals(cells.cell, cycle, cells.n))))


@kpi("approval_time_share", "share", "lower", "share of the cycle time in approval", "审批时间占全程的比例")
def approval_time_share(run: Run) -> Pairs:
    """Time from enabled to completed of approvals ÷ cycle time, of counted cases that ended. Parallel approvals count
    one by one. NaN without such cases."""
    return _time_share(run, "approval", "board")


@kpi("handover_time_share", "share", "lower", "share of the cycle time in hand-over", "交接时间占全程的比例")
def handover_time_share(run: Run) -> Pairs:
    """Time from enabled to completed of hand-overs ÷ cycle time, of counted cases that ended. NaN without such
    cases."""
    return _time_share(run, "handoff")
