"""How long items wait for a date, and how many are left over: meetings and deliveries."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from servsim.kpis.facts import counted
from servsim.kpis.groups import Floats, Groups, Integers, counts, everything, ratio, totals, way
from servsim.kpis.kpi import Pairs, kpi, once
from servsim.quantities import MINUTE
from servsim.records import Run


class Left(NamedTuple):
    """[gates] within the window."""

    openings: Floats
    left: Floats  # items, over all openings


def gate_groups(run: Run) -> Groups:
    """All gates, and each by the name of its step."""
    n = len(run.plan.gates)
    return Groups((everything(n), way("step", step_names(run), np.arange(n))))


def step_names(run: Run) -> list[str]:
    """[gates] the step as it is called elsewhere in the run; as in the plan where no case came to it."""
    work, names = run.workload, list(run.plan.gates)
    for gate in range(len(names)):
        items = np.flatnonzero(work.gate == gate)
        if len(items):
            names[gate] = work.steps.names[work.step[items[0]]]
    return names


@once
def left_over(run: Run) -> Left:
    """Items that go on waiting at each opening, those who came too late for it included."""
    plan, n = run.plan, len(run.plan.gates)
    openings, left = np.zeros(n), np.zeros(n)
    for gate in range(n):
        at = plan.gate_at[plan.gate_first[gate] : plan.gate_first[gate + 1]]
        at = at[(at >= run.window.begin) & (at < run.window.end)]
        came, went = _stay(run, np.flatnonzero(run.workload.gate == gate))
        there = np.searchsorted(came, at, side="right") - np.searchsorted(went, at, side="right")
        openings[gate], left[gate] = len(at), there.sum()
    return Left(openings, left)


def _stay(run: Run, items: Integers) -> tuple[Integers, Integers]:
    """Sorted ticks at which these items came to the gate, and at which they left it, in whatever way."""
    log = run.log
    items = items[log.offered_at[items] >= 0]
    gone = np.where(log.started_at[items] >= 0, log.started_at[items], log.left_at[run.workload.case[items]])
    return np.sort(log.offered_at[items]), np.sort(gone[gone >= 0])


@kpi("meeting_left_mean", "count", "lower", "items left after a meeting", "会后剩余事项数")
def meeting_left_mean(run: Run) -> Pairs:
    """Items that wait on after a meeting (or a delivery), averaged over those in the window. NaN without meetings."""
    groups, figures = gate_groups(run), left_over(run)
    return groups.pairs(ratio(groups.sums(figures.left), groups.sums(figures.openings)))


@kpi("meeting_wait_mean", "min", "lower", "waiting for a meeting", "等待会议的时间")
def meeting_wait_mean(run: Run) -> Pairs:
    """From coming to the gate to the meeting (or the delivery), of items of counted cases that have been at one. NaN
    without such items."""
    work, log, groups, n = run.workload, run.log, gate_groups(run), len(run.plan.gates)
    chosen = np.flatnonzero((work.gate >= 0) & (log.started_at >= 0)) if len(work.gate) else np.empty(0, np.int64)
    chosen = chosen[counted(run).place_of_item(chosen) >= 0]
    gate = work.gate[chosen].astype(np.int64) if len(chosen) else chosen
    waited = totals(gate, log.started_at[chosen] - log.offered_at[chosen], n)
    return groups.pairs(ratio(groups.sums(waited), groups.sums(counts(gate, n))) / MINUTE)
