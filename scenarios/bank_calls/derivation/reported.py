"""What the file reports by hour of the day: the figures that a simulation is compared with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from derivation.calls import DAY, DAY_GROUPS, N_DAYS, day_groups
from derivation.staffing import Presence

SOON = 60  # s


def by_caller(demand: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    """Calls, hang-up share, mean wait until answer or hang-up (s), share answered within 60 s."""
    soon = demand.answered & (demand.wait <= SOON)
    return pd.DataFrame(
        {
            "calls": demand.groupby(key).size(),
            "hang_up_share": 1 - demand.answered.groupby(key).mean(),
            "mean_wait_s": demand.wait.groupby(key).mean(),
            "within_60s_share": soon.groupby(key).mean(),
        }
    )


def by_hour(demand: pd.DataFrame, who: Presence, effective: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The comparison table by hour, with a last row "all". Agents are hours per day of the file, summed over 20 days.

    Callers count in the hour in which they joined; agents in the hour of the clock.
    """
    hour = (demand.arrived % DAY // 3600).astype(int).map("{:02d}".format)
    callers = pd.concat([by_caller(demand, hour), by_caller(demand, pd.Series("all", index=demand.index))])
    agents = pd.DataFrame(
        {
            "serving_hours": hours(who.serving.sum(0)),
            "on_duty_hours": hours(who.on_duty.sum(0)),
            "effective_hours": sum(
                day_groups().count(name) * effective[name].sum(axis=1).to_numpy().reshape(24, 2).sum(1) / 2
                for name in DAY_GROUPS
            ),
        },
        index=[f"{h:02d}" for h in range(24)],
    )
    agents.loc["all"] = agents[7:].sum()
    table = callers.join(agents)
    table["load_on_duty"] = table.serving_hours / table.on_duty_hours
    table["load_effective"] = table.serving_hours / table.effective_hours
    return table.rename_axis("hour").round(4)


def hours(present: np.ndarray) -> np.ndarray:
    """[24] agent hours by hour of the clock."""
    return present[: N_DAYS * DAY].reshape(N_DAYS, 24, 3600).sum((0, 2)) / 3600


def case_class(demand: pd.DataFrame, dice: np.random.Generator, share: dict[str, float]) -> np.ndarray:
    """Class of each call in the scenario; where priority was not recorded (calls that never queued) it is drawn."""
    drawn = dice.random(len(demand)) < demand.process.map(share).fillna(0)
    holds = drawn.where(~demand.queued, demand.priority == "2") & demand.process.isin(list(share))
    names = demand.process.replace({"account": "regular"})
    prior = demand.process.replace({"account": "priority", "stock": "stock_priority"})
    return prior.where(holds, names).to_numpy()
