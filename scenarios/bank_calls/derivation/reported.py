"""What the file reports by hour of the day: the figures that a simulation is compared with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from derivation.calls import DAY, DAY_GROUPS, N_DAYS, day_groups, in_incident
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
    """The comparison table by hour, with a last row "all".

    Callers count in the hour in which they joined; agents in the hour of the clock: hours summed over the 20 days.
    """
    hour = (demand.arrived % DAY // 3600).astype(int).map("{:02d}".format)
    callers = pd.concat([by_caller(demand, hour), by_caller(demand, pd.Series("all", index=demand.index))])
    agents = pd.DataFrame(
        {
            "serving_hours": hours(who.serving.sum(0)),
            "on_duty_hours": hours(who.on_duty.sum(0)),
            "effective_hours": effective_hours(effective),
        },
        index=[f"{h:02d}" for h in range(24)],
    )
    agents.loc["all"] = agents[7:].sum()
    table = callers.join(agents)
    table["load_on_duty"] = table.serving_hours / table.on_duty_hours
    table["load_effective"] = table.serving_hours / table.effective_hours
    return table.rename_axis("hour").round(4)


def effective_hours(effective: dict[str, pd.DataFrame]) -> np.ndarray:
    """[24] effective agent hours by hour of the clock over the observed half hours of the 20 days."""
    days = observed_days()
    by_half_hour = sum(days[name] * effective[name].sum(axis=1).to_numpy() for name in DAY_GROUPS)
    return np.asarray(np.asarray(by_half_hour).reshape(24, 2).sum(1) / 2)


def observed_days() -> dict[str, np.ndarray]:
    """[48] days of each group on which a half hour was seen, incidents left out in proportion."""
    seen = (~in_incident(np.arange(N_DAYS * DAY))).reshape(N_DAYS, 48, 1800).mean(2)
    group = np.array(day_groups())
    return {name: seen[group == name].sum(0) for name in DAY_GROUPS}


def hours(present: np.ndarray) -> np.ndarray:
    """[24] agent hours by hour of the clock, without the incidents."""
    seen = present[: N_DAYS * DAY] * ~in_incident(np.arange(N_DAYS * DAY))
    return np.asarray(seen.reshape(N_DAYS, 24, 3600).sum((0, 2)) / 3600)


def case_class(demand: pd.DataFrame, dice: np.random.Generator, share: dict[str, float]) -> np.ndarray:
    """Class of each call in the scenario; where priority was not recorded (calls that never queued) it is drawn."""
    drawn = pd.Series(dice.random(len(demand)), index=demand.index) < demand.process.map(share).fillna(0)
    holds = drawn.where(~demand.queued, demand.priority == "2") & demand.process.isin(list(share))
    names = demand.process.replace({"account": "regular"})
    prior = demand.process.replace({"account": "priority", "stock": "stock_priority"})
    return prior.where(holds, names).to_numpy()
