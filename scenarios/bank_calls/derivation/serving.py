"""How long does an agent need for a call, by kind of call?"""

from __future__ import annotations

import numpy as np
import pandas as pd

N_POINTS = 101


def durations(demand: pd.DataFrame, process: str) -> np.ndarray:
    """Recorded service times of one process, in seconds, sorted; the short ones are kept."""
    return np.sort(demand.service[(demand.process == process)].dropna().to_numpy())


def quantiles(values: np.ndarray, points: int = N_POINTS) -> np.ndarray:
    """Equally spaced quantiles whose straight-line interpolation has the mean of the values.

    Interpolating up to the longest call would overstate the last hundredth, so the last point is the one that keeps
    the mean: it is not the longest call.
    """
    level = np.linspace(0, 1, points)
    quantile: np.ndarray = np.round(np.quantile(values, level))
    inner = (quantile[:-2] + quantile[1:-1]).sum() / 2 + quantile[-2] / 2
    quantile[-1] = max(round(2 * (values.mean() * (points - 1) - inner)), quantile[-2])
    return quantile


def lognormal_fit(values: np.ndarray) -> pd.Series:
    """Lognormal by maximum likelihood on calls longer than 10 s, and how far it is from them."""
    long = values[values > 10]
    mu, sigma = np.log(long).mean(), np.log(long).std()
    from scipy.stats import norm

    distance = np.abs(norm.cdf((np.log(long) - mu) / sigma) - (np.arange(len(long)) + 0.5) / len(long)).max()
    return pd.Series({"median": np.exp(mu), "sigma": sigma, "largest_gap_of_cdf": distance})


def table(demand: pd.DataFrame) -> pd.DataFrame:
    """By process: calls, mean, cv, median, p90, share within 10 s, the lognormal fit."""
    rows = {}
    for process in sorted(demand.process.unique()):
        values = durations(demand, process)
        rows[process] = {
            "calls": len(values),
            "mean": values.mean(),
            "cv": values.std() / values.mean(),
            "median": np.median(values),
            "p90": np.quantile(values, 0.9),
            "within_10s": (values <= 10).mean(),
            **lognormal_fit(values),
        }
    return pd.DataFrame(rows).T.round(3)


def by_hour(demand: pd.DataFrame) -> pd.DataFrame:
    """Mean service time in seconds by hour of arrival, account calls and all calls."""
    hour = (demand.arrived % 86_400 // 3600).astype(int)
    everything = demand.groupby(hour).service.mean()
    account = demand[demand.process == "account"].groupby(hour).service.mean()
    return pd.DataFrame({"all": everything, "account": account}).round(0)
