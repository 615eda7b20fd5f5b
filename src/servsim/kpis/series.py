"""What the pictures show: small tables of one run, by hour of the day and by quantile.

They are what a worker process sends home instead of its log. Each has its x columns and then `value`, NaN where there
is no answer; rows are the same in every replication of a scenario, so that they can be averaged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from servsim.kpis.facts import counted, ended, midnight, step_department
from servsim.kpis.groups import Floats, Numbers, counts, ratio, totals
from servsim.kpis.queues import queues
from servsim.kpis.spans import window_by_hour
from servsim.kpis.staff import presence
from servsim.quantities import HOUR, MINUTE
from servsim.records import Run
from servsim.records.arrays import Ticks

if TYPE_CHECKING:
    import pandas as pd

SHARES = np.linspace(0, 1, 101)


def waiting_by_hour(run: Run) -> pd.DataFrame:
    """department ("all" first), hour (0–23, in which the item was enabled), value: mean waiting in minutes of the items
    of counted cases that were started."""
    work, log, items = run.workload, run.log, counted(run).items
    owner, started, enabled = step_department(run)[work.step[items]], log.started_at[items], log.enabled_at[items]
    rows = np.flatnonzero((started >= 0) & (work.skill[items] >= 0) & (owner >= 0))
    key = (enabled[rows] + midnight(run)) // HOUR % 24 + 24 * owner[rows]
    size = 24 * len(run.plan.departments)
    waiting = totals(key, (started - enabled)[rows], size).reshape(-1, 24)
    n = counts(key, size).reshape(-1, 24)
    return _by_hour("department", run.plan.departments, ratio(_and_all(waiting), _and_all(n)) / MINUTE)


def utilisation_by_hour(run: Run) -> pd.DataFrame:
    """pool ("all" first), hour (0–23), value: busy ÷ rostered time within the window."""
    there = presence(run)
    return _by_hour("pool", run.plan.pools, ratio(_and_all(there.busy), _and_all(there.rostered)))


def rostered_by_hour(run: Run) -> pd.DataFrame:
    """pool ("all" first), hour (0–23), value: people rostered, time average over that hour of the clock."""
    return _by_hour("pool", run.plan.pools, _at_a_time(run, presence(run).rostered))


def queue_by_hour(run: Run) -> pd.DataFrame:
    """skill ("all" first), hour (0–23), value: items waiting, time average over that hour of the clock."""
    return _by_hour("skill", run.plan.skills, _at_a_time(run, queues(run).waiting))


def response_times(run: Run) -> pd.DataFrame:
    """group ("all", "class=…"), quantile (0, 0.01 … 1), value: first response in minutes of counted cases answered."""
    cases = counted(run).cases
    at = run.responded_at[cases]
    return _quantiles(run, at - run.workload.arrived_at[cases], at >= 0)


def cycle_times(run: Run) -> pd.DataFrame:
    """group ("all", "class=…"), quantile (0, 0.01 … 1), value: cycle time in minutes of counted cases that ended."""
    cases = counted(run).cases
    return _quantiles(run, run.log.left_at[cases] - run.workload.arrived_at[cases], ended(run))


def breaches_by_hour(run: Run) -> pd.DataFrame:
    """promise ("all" first), hour (0–23), value: promises of counted cases that were missed at that hour."""
    cases, names = counted(run).cases, run.workload.promises
    count = np.zeros((len(names), 24))
    for number, course in enumerate(run.courses):
        at = course.breached_at[cases][course.missed[cases]]
        count[number] = counts((at + midnight(run)) // HOUR % 24, 24)
    return _by_hour("promise", names, np.vstack([count.sum(axis=0), count]))


SERIES: dict[str, Callable[[Run], pd.DataFrame]] = {
    function.__name__: function
    for function in (
        waiting_by_hour,
        utilisation_by_hour,
        rostered_by_hour,
        queue_by_hour,
        response_times,
        cycle_times,
        breaches_by_hour,
    )
}


def _quantiles(run: Run, duration: Ticks, known: NDArray[np.bool_]) -> pd.DataFrame:
    import pandas as pd

    classes, of_case = run.workload.classes, run.workload.case_class[counted(run).cases]
    rows = [duration[known], *(duration[known & (of_case == k)] for k in range(len(classes)))]
    values = [np.quantile(of, SHARES) / MINUTE if len(of) else np.full(len(SHARES), np.nan) for of in rows]
    groups = np.repeat(["all", *(f"class={name}" for name in classes)], len(SHARES))
    columns = {"group": groups, "quantile": np.tile(SHARES, len(rows)), "value": np.concatenate(values)}
    return pd.DataFrame(columns)


def _at_a_time(run: Run, present: Floats) -> Floats:
    """[1 + rows, 24] average number at a time of what was present for [rows, 24] ticks."""
    window = np.broadcast_to(window_by_hour(run), (len(present) + 1, 24))
    return ratio(_and_all(present), window)


def _and_all(values: Numbers) -> Numbers:
    """The sum of all rows on top of the rows."""
    return np.vstack([values.sum(axis=0), values])


def _by_hour(kind: str, names: tuple[str, ...], values: Floats) -> pd.DataFrame:
    """[1 + names, 24] as a long table."""
    import pandas as pd

    x = {kind: np.repeat(["all", *names], 24), "hour": np.tile(np.arange(24), 1 + len(names))}
    return pd.DataFrame({**x, "value": values.ravel()})
