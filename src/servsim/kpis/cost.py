"""What it costs: wages for rostered and overtime hours, penalties for promises that were not kept."""

from __future__ import annotations

import numpy as np

from servsim.kpis.facts import case_cells, outcomes
from servsim.kpis.groups import Floats
from servsim.kpis.kpi import Pairs, kpi, once
from servsim.kpis.promises import verdicts
from servsim.kpis.signatures import refusals
from servsim.kpis.spans import by_hour
from servsim.kpis.staff import pool_groups, presence
from servsim.quantities import HOUR
from servsim.records import Run


@once
def wages(run: Run) -> Floats:
    """[pools] money for the window: wage × (rostered hours + paid interruptions + overtime factor × overtime hours),
    and the reserve's own wage × the hours that it was there."""
    plan, there = run.plan, presence(run)
    paid = there.rostered.sum(axis=1) + paid_breaks(run) + there.overtime * plan.pool_overtime
    return np.asarray((plan.pool_wage * paid + called_in(run)) / HOUR)


def called_in(run: Run) -> Floats | float:
    """[pools] what the presence of the reserve costs above the pool's own wage, as wage × ticks."""
    plan, log = run.plan, run.log
    if not len(log.reserve_worker):
        return 0.0
    pool = plan.worker_pool[log.reserve_worker]
    there = by_hour(run, log.reserve_from, log.reserve_to, pool, len(plan.pools)).sum(axis=1)
    return np.asarray(there * (plan.reserves.wage - plan.pool_wage))


def paid_breaks(run: Run) -> Floats:
    """[pools] ticks within the window of breaks that are paid."""
    plan = run.plan
    paid = np.flatnonzero(plan.break_paid)
    paid = paid[plan.person_of()[plan.break_worker[paid]] == plan.break_worker[paid]]
    at, pool = plan.break_at[paid], plan.worker_pool[plan.break_worker[paid]]
    return np.asarray(by_hour(run, at, at + plan.break_lasts[paid], pool, len(plan.pools)).sum(axis=1))


@once
def penalties(run: Run) -> Floats:
    """[cells of cases] money for the missed promises of counted cases."""
    class_of_cell = case_cells(run).groups.ways[1].of_cell
    total = np.zeros(len(class_of_cell))
    for verdict, penalty in zip(verdicts(run), run.workload.promise_penalty, strict=True):
        total += verdict.missed * penalty[class_of_cell]
    return total


@kpi("cost_wages", "money", "lower", "wages", "人工成本")
def cost_wages(run: Run) -> Pairs:
    """Wages within the window: rostered hours, and overtime hours by the pool's factor. 0 without staff."""
    return pool_groups(run).pairs(pool_groups(run).sums(wages(run)))


@kpi("cost_penalties", "money", "lower", "penalties", "违约成本")
def cost_penalties(run: Run) -> Pairs:
    """Penalty × missed promise, of counted cases; see promise_first_response for what is a miss. 0 without any."""
    groups = case_cells(run).groups.only("all", "class")
    return groups.pairs(groups.sums(penalties(run)))


@kpi("cost_total", "money", "lower", "cost", "总成本")
def cost_total(run: Run) -> Pairs:
    """Wages within the window, and penalties and late refusals of the cases that arrived in it. 0 without staff and
    cases."""
    return [("all", _total(run))]


@kpi("cost_per_case", "money", "lower", "cost per case", "每个事项的成本")
def cost_per_case(run: Run) -> Pairs:
    """cost_total ÷ counted cases, unfinished ones included. NaN without cases."""
    n = int(outcomes(run).sum())
    return [("all", _total(run) / n if n else float("nan"))]


def _total(run: Run) -> float:
    return float(wages(run).sum() + penalties(run).sum() + refusals(run).sum())
