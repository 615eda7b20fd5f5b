"""Contacts that come because of others, and what a bot takes off: tries, repeats, duplicates."""

from __future__ import annotations

import numpy as np

from servsim.kpis.facts import case_cells, counted, of_kind, outcomes
from servsim.kpis.groups import Floats, ratio, totals
from servsim.kpis.kpi import Pairs, kpi
from servsim.records import Outcome, Relation, Run
from servsim.records.arrays import Ids
from servsim.records.workload import NEVER


def _following(run: Run, relation: Relation) -> Floats:
    """[groups of cases] counted cases that follow others for this reason."""
    cells, followers = case_cells(run), run.workload.followers
    why = np.zeros(run.workload.n_cases, np.int8)
    why[followers.case] = followers.relation
    return cells.groups.sums(totals(cells.cell, why[counted(run).cases] == relation, cells.n))


def _number(run: Run, relation: Relation) -> Pairs:
    return case_cells(run).groups.pairs(_following(run, relation))


@kpi("retries", "count", "lower", "tries after giving up", "放弃后重试次数")
def retries(run: Run) -> Pairs:
    """Counted cases that are another try of a customer who gave up. Each try is a case of its own. The figure
    is 0 without any."""
    return _number(run, Relation.RETRY)


@kpi("lost_rate", "share", "lower", "gave up for good", "最终放弃的比例")
def lost_rate(run: Run) -> Pairs:
    """Customers who gave up, or found no place to wait, and did not try again ÷ customers: counted cases that are no
    `retry`, each with its tries, in the groups of the first one. NaN without cases."""
    cells, work, sums = case_cells(run), run.workload, case_cells(run).groups.sums
    tries = work.followers.relation == Relation.RETRY
    customer = np.ones(work.n_cases, bool)
    customer[work.followers.case[tries]] = False
    lost = np.isin(run.log.outcome[_last_try(run)], (Outcome.ABANDONED, Outcome.TURNED_AWAY)) & customer
    cases = counted(run).cases
    return cells.groups.pairs(ratio(*(sums(totals(cells.cell, of[cases], cells.n)) for of in (lost, customer))))


def _last_try(run: Run) -> Ids:
    """[cases] the last of the tries that follow one another from this case on; the case itself if it has none."""
    work, followers = run.workload, run.workload.followers
    came = (followers.relation == Relation.RETRY) & (work.arrived_at[followers.case] < NEVER)
    further = np.arange(work.n_cases, dtype=np.int32)
    further[followers.after[came]] = followers.case[came]
    last = further
    while (further[last] != last).any():
        last = further[last]
    return last


@kpi("repeats", "count", "lower", "repeated contacts", "重复来访次数")
def repeats(run: Run) -> Pairs:
    """Counted cases that are another contact of a customer who had been served. The figure is
    0 without any."""
    return _number(run, Relation.REPEAT)


@kpi("repeat_rate", "share", "lower", "repeated contacts, share", "重复来访的比例")
def repeat_rate(run: Run) -> Pairs:
    """repeats ÷ counted cases. NaN without cases."""
    groups = case_cells(run).groups
    return groups.pairs(ratio(_following(run, Relation.REPEAT), groups.sums(outcomes(run).sum(axis=1))))


@kpi("duplicates", "count", "lower", "second submissions", "重复提交次数")
def duplicates(run: Run) -> Pairs:
    """Counted cases that were submitted a second time because nobody had answered. The figure
    is 0 without any."""
    return _number(run, Relation.DUPLICATE)


@kpi("duplicate_rate", "share", "lower", "second submissions, share", "重复提交的比例")
def duplicate_rate(run: Run) -> Pairs:
    """Counted cases that were followed by a second submission ÷ counted cases that are none themselves, in the groups
    of the first submission. NaN without cases."""
    cells, work, sums = case_cells(run), run.workload, case_cells(run).groups.sums
    second = work.followers.relation == Relation.DUPLICATE
    came = second & (work.arrived_at[work.followers.case] < NEVER)
    first, again = np.ones(work.n_cases, bool), np.zeros(work.n_cases, bool)
    first[work.followers.case[second]] = False
    again[work.followers.after[came]] = True
    cases = counted(run).cases
    return cells.groups.pairs(ratio(*(sums(totals(cells.cell, of[cases], cells.n)) for of in (again, first))))


@kpi("bot_share", "share", None, "solved by the bot", "机器人解决的比例")
def bot_share(run: Run) -> Pairs:
    """Counted cases that a bot solved before they reached anyone ÷ counted cases. NaN without cases."""
    work, cells = run.workload, case_cells(run)
    solved = np.zeros(work.n_cases, bool)
    solved[work.case[of_kind(run, "bot")[work.step]]] = True
    sums = cells.groups.sums
    ours = totals(cells.cell, solved[counted(run).cases], cells.n)
    return cells.groups.pairs(ratio(sums(ours), sums(totals(cells.cell, np.ones(len(cells.cell)), cells.n))))
