"""What the pictures show: small tables of one run, by hour and department or weekday, and by quantile.

They are what a worker process sends home instead of its log. Each has its x columns and then `value`, NaN where there
is no answer; rows are the same in every replication of a scenario, so that they can be averaged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from servsim.kpis.facts import counted, skill_department
from servsim.kpis.groups import ratio
from servsim.kpis.queues import queues
from servsim.kpis.spans import window_by_hour, window_by_weekday
from servsim.quantities import MINUTE
from servsim.records import Run
from servsim.records.arrays import Ticks

if TYPE_CHECKING:
    import pandas as pd

SHARES = np.linspace(0, 1, 101)


def queue_by_department(run: Run) -> pd.DataFrame:
    """department, hour (0–23), value: items in the queues that the department owns, time average over that hour of the
    clock; counted as in `queue_length_mean`."""
    import pandas as pd

    names, owner = run.plan.departments, skill_department(run)
    waiting = queues(run).waiting.sum(axis=1)
    values = [ratio(waiting[owner == number].sum(axis=0), window_by_hour(run)) for number in range(len(names))]
    x = {"department": np.repeat(names, 24), "hour": np.tile(np.arange(24), len(names))}
    return pd.DataFrame({**x, "value": np.array(values).ravel()})


def queue_by_weekday(run: Run) -> pd.DataFrame:
    """weekday (0: Monday), hour (0–23), value: items waiting, time average over that hour of that weekday; NaN where
    none lies within the window."""
    import pandas as pd

    waiting = ratio(queues(run).waiting.sum(axis=0), window_by_weekday(run))
    x = {"weekday": np.repeat(np.arange(7), 24), "hour": np.tile(np.arange(24), 7)}
    return pd.DataFrame({**x, "value": waiting.ravel()})


def response_times(run: Run) -> pd.DataFrame:
    """group ("all", "class=…"), quantile (0, 0.01 … 1), value: first response in minutes of counted cases answered."""
    cases = counted(run).cases
    at = run.responded_at[cases]
    return _quantiles(run, at - run.workload.arrived_at[cases], at >= 0)


SERIES: dict[str, Callable[[Run], pd.DataFrame]] = {
    function.__name__: function for function in (queue_by_department, queue_by_weekday, response_times)
}


def _quantiles(run: Run, duration: Ticks, known: NDArray[np.bool_]) -> pd.DataFrame:
    import pandas as pd

    classes, of_case = run.workload.classes, run.workload.case_class[counted(run).cases]
    rows = [duration[known], *(duration[known & (of_case == k)] for k in range(len(classes)))]
    values = [np.quantile(of, SHARES) / MINUTE if len(of) else np.full(len(SHARES), np.nan) for of in rows]
    groups = np.repeat(["all", *(f"class={name}" for name in classes)], len(SHARES))
    columns = {"group": groups, "quantile": np.tile(SHARES, len(rows)), "value": np.concatenate(values)}
    return pd.DataFrame(columns)
