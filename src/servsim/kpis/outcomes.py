"""How cases end: completed, rejected, given up, or unfinished when the clock stops."""

from __future__ import annotations

import numpy as np

from servsim.kpis.facts import case_cells, counted, outcomes
from servsim.kpis.groups import Integers, ratio, totals
from servsim.kpis.kpi import Pairs, kpi
from servsim.records import Outcome, Run
from servsim.records.silences import Silent


def _share(run: Run, *ends: Outcome) -> Pairs:
    groups, count = case_cells(run).groups, outcomes(run)
    return groups.pairs(ratio(groups.sums(count[:, list(ends)].sum(axis=1)), groups.sums(count.sum(axis=1))))


@kpi("cases", "count", None, "cases", "事项数")
def cases(run: Run) -> Pairs:
    """Counted cases: those that arrive within the window. The figure is 0 without any."""
    return case_cells(run).groups.pairs(case_cells(run).groups.sums(outcomes(run).sum(axis=1)))


@kpi("completion_rate", "share", "higher", "completed", "办结率")
def completion_rate(run: Run) -> Pairs:
    """(completed + rejected) ÷ counted cases. Cases unfinished when the clock stops count as not completed: give the
    clock a `run_out` so that late arrivals can finish. NaN without cases."""
    return _share(run, Outcome.COMPLETED, Outcome.REJECTED)


@kpi("unfinished_share", "share", "lower", "unfinished at the end", "期末未办结的比例")
def unfinished_share(run: Run) -> Pairs:
    """Counted cases still in process when the clock stops ÷ counted cases. NaN without cases."""
    return _share(run, Outcome.IN_PROCESS)


@kpi("rejection_rate", "share", None, "rejected", "驳回率")
def rejection_rate(run: Run) -> Pairs:
    """Rejected ÷ counted cases, unfinished ones included. NaN without cases."""
    return _share(run, Outcome.REJECTED)


@kpi("abandonment_rate", "share", "lower", "gave up waiting", "放弃率")
def abandonment_rate(run: Run) -> Pairs:
    """Cases whose customer gave up ÷ counted cases, unfinished ones included. NaN without cases."""
    return _share(run, Outcome.ABANDONED)


@kpi("turned_away_rate", "share", "lower", "found no place to wait", "无等候位而离开的比例")
def turned_away_rate(run: Run) -> Pairs:
    """Cases that found no place to wait and left ÷ counted cases, unfinished ones included. NaN without cases."""
    return _share(run, Outcome.TURNED_AWAY)


@kpi("alert_rate", "share", "lower", "with an alert", "触发预警的比例")
def alert_rate(run: Run) -> Pairs:
    """Cases with an item that was not started in time (`alert` of the dispatch) ÷ counted cases. NaN without cases, or
    where no alert is set."""
    return _with_an_item(run, np.flatnonzero(run.alerted_at >= 0), bool(len(run.plan.alert_after)))


@kpi("escalation_rate", "share", None, "escalated", "升级的比例")
def escalation_rate(run: Run) -> Pairs:
    """Cases with an item that waited too long and moved to another queue (`escalate` of the dispatch, or silence that
    escalates) ÷ counted cases. NaN without cases, or where nothing escalates."""
    of, silent = run.workload.silences, run.log.silent_item
    moved = silent[of.then[run.workload.step[silent]] == Silent.ESCALATE] if of else silent
    rules = bool((run.plan.escalate_after >= 0).any() or (of.then == Silent.ESCALATE).any())
    return _with_an_item(run, np.concatenate([run.log.escalated_item, moved]), rules)


def _with_an_item(run: Run, items: Integers, rules: bool) -> Pairs:
    """Cases with one of these items ÷ counted cases; NaN where there are no rules that would have made them so."""
    cells, work = case_cells(run), run.workload
    found = np.zeros(work.n_cases, bool)
    found[work.case[items]] = True
    found, sums = found[counted(run).cases], cells.groups.sums
    cases = totals(cells.cell, np.ones(len(cells.cell)), cells.n) * rules
    return cells.groups.pairs(ratio(sums(totals(cells.cell, found, cells.n)), sums(cases)))
