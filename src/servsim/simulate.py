"""One scenario, one replication → Run."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from servsim import dispatch, kpis, prepare
from servsim.engines import ENGINES
from servsim.model import Scenario
from servsim.records import Run, Window, Workload
from servsim.records.workload import NEVER

if TYPE_CHECKING:
    import pandas as pd


class SimulatedRun(Run):
    """A run that knows its figures."""

    @cached_property
    def _kpis(self) -> pd.DataFrame:
        return kpis.table(self)

    def kpis(self) -> pd.DataFrame:
        """One row per KPI and group: kpi, group, value (minutes, shares, counts, money)."""
        return self._kpis


def simulate(scenario: Scenario, seed: int = 1, replication: int = 0, engine: str = "reference") -> SimulatedRun:
    """One replication: staff and work are prepared, the clock runs, the log is written.

    The same scenario, seed and replication give the same run. Scenarios that are compared share seed and replication,
    and so all draws that they have in common.
    """
    plan = prepare.plan(scenario, seed, replication)
    workload = ranked(prepare.workload(scenario, seed, replication), scenario, plan.skills)
    clock = scenario.clock
    log = ENGINES[engine](plan, workload, clock.until)
    return SimulatedRun(
        scenario=scenario.name,
        start=np.datetime64(clock.start, "us"),
        window=Window(clock.warm_up, clock.horizon, clock.until, -NEVER if scenario.counts_backlog else None),
        plan=plan,
        workload=prepare.settled(scenario, workload, log),
        log=log,
        seed=seed,
        replication=replication,
    )


def ranked(workload: Workload, scenario: Scenario, skills: tuple[str, ...]) -> Workload:
    """The workload with the ranks that the scenario's dispatch rules give."""
    policies = [scenario.dispatch.for_skill(skill) for skill in skills]
    classes = scenario.case_classes.values()
    priority = np.array([kind.priority for kind in classes], np.int64)
    head_start = np.array([kind.head_start for kind in classes], np.int64)
    points = np.array([round(kind.accumulation * 1_000_000) for kind in classes], np.int64)
    urgencies = [dispatch.Urgency(priority, head_start, policy.ageing or 0, points) for policy in policies]
    if any(policy.hold_back for policy in policies):
        workload = replace(workload, urgency=dispatch.priorities(workload, urgencies[0]))
    rules, again = [policy.rule for policy in policies], [policy.rework_first for policy in policies]
    return dispatch.ranked(workload, rules, urgencies, again)
