"""How many calls per hour reach the agents, of which kind, and how much do days differ beyond chance?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from derivation.calls import DAY, DAY_GROUPS, N_DAYS, WITH_PRIORITY, day_groups, in_incident, is_open

INTERVAL = {"account": 1800, "new": 1800, "stock": 3600, "internet": 3600, "call_back": 3600}  # s


def exposure(interval: int) -> np.ndarray:
    """[days, intervals of the day] observed hours in opening hours, without the incidents."""
    seconds = np.zeros((N_DAYS, DAY // interval))
    minutes = np.arange(0, N_DAYS * DAY, 60) + 30.0
    seen = is_open(minutes) & ~in_incident(minutes)
    np.add.at(seconds, ((minutes // DAY).astype(int), (minutes % DAY // interval).astype(int)), 60.0 * seen)
    return seconds / 3600


def counts(arrived: pd.Series, interval: int) -> np.ndarray:
    """[days, intervals of the day] calls."""
    table = np.zeros((N_DAYS, DAY // interval))
    np.add.at(table, ((arrived // DAY).astype(int), (arrived % DAY // interval).astype(int)), 1)
    return table


def per_hour(demand: pd.DataFrame, process: str) -> dict[str, np.ndarray]:
    """Calls per hour by day group and interval of the day."""
    interval = INTERVAL[process]
    calls = counts(demand.arrived[demand.process == process], interval)
    hours = exposure(interval)
    group = np.array(day_groups())
    rates = {}
    for name in DAY_GROUPS:
        seen = hours[group == name].sum(0)
        total = calls[group == name].sum(0)
        rates[name] = np.divide(total, seen, out=np.zeros_like(total), where=seen > 0)
    return rates


def priority_shares(demand: pd.DataFrame) -> pd.DataFrame:
    """Share of priority customers by process, from queued calls only: the field was not filled in for the others."""
    queued = demand[demand.queued]
    by = (queued.priority == "2").groupby(queued.process).agg(["mean", "size"])
    return by.rename(columns={"mean": "share", "size": "queued"})


def priority_share(demand: pd.DataFrame, process: str) -> float:
    """Share of priority customers of one process; 0 where the model does not tell them apart."""
    return round(float(priority_shares(demand).share[process]), 3) if process in WITH_PRIORITY else 0.0


def busy_days(demand: pd.DataFrame, process: str | None = None) -> float:
    """Coefficient of variation of the day's factor, Sunday to Thursday, beyond Poisson and beyond the day group.

    Moments of the gamma-mixed Poisson: cv² = (s² − m) / m², s² pooled within the groups, counts scaled to full days.
    """
    arrived = demand.arrived if process is None else demand.arrived[demand.process == process]
    group = np.array(day_groups())
    calls = counts(arrived, 1800)
    hours = exposure(1800)
    squares, means, freedom = 0.0, [], 0
    for name in ("mon_wed", "sun_tue_thu"):
        own, seen = calls[group == name], hours[group == name]
        rate = np.divide(own.sum(0), seen.sum(0), out=np.zeros(own.shape[1]), where=seen.sum(0) > 0)
        full, expected = (rate * seen.max(0)).sum(), (rate * seen).sum(1)
        day = own.sum(1) * full / expected
        squares += ((day - day.mean()) ** 2).sum()
        freedom += len(day) - 1
        means += [full] * len(day)
    mean = float(np.mean(means))
    return round(float(np.sqrt(max(squares / freedom - mean, 0.0)) / mean), 3)


def correlation(demand: pd.DataFrame) -> float:
    """Correlation of the day totals of account and new-customer calls around their day group, Sunday to Thursday."""
    group = np.array(day_groups())
    residual = {}
    for process in ("account", "new"):
        day = counts(demand.arrived[demand.process == process], DAY)[:, 0]
        parts = [day[group == name] - day[group == name].mean() for name in ("mon_wed", "sun_tue_thu")]
        residual[process] = np.concatenate(parts)
    return round(float(np.corrcoef(residual["account"], residual["new"])[0, 1]), 2)
