"""How long would a caller wait? From those who hung up and from those who were answered first (censored)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from derivation.calls import WITH_PRIORITY

GROUPS = {"new": ("new", "internet"), "regular": ("account", "stock", "call_back"), "priority": ("account", "stock")}
AT_RISK = 30  # the product-limit estimate is used while this many callers are still waiting
N_POINTS = 101


def observed(demand: pd.DataFrame, group: str) -> tuple[np.ndarray, np.ndarray]:
    """(seconds in the queue, hung up?) of the queued callers of a patience group."""
    chosen = demand.queued & demand.process.isin(GROUPS[group])
    if group != "new":
        holds_priority = (demand.priority == "2") & demand.process.isin(WITH_PRIORITY)
        chosen &= holds_priority == (group == "priority")
    callers = demand[chosen]
    return callers.wait.to_numpy(float), ~callers.answered.to_numpy(bool)


def kaplan_meier(waited: np.ndarray, hung_up: np.ndarray) -> pd.DataFrame:
    """at, at_risk, hung_up, still (share that would still wait just after `at`), variance of log(still) (Greenwood)."""
    at, place = np.unique(waited, return_inverse=True)
    left = np.bincount(place)
    events = np.bincount(place, weights=hung_up).astype(int)
    at_risk = left[::-1].cumsum()[::-1]
    still = np.cumprod(1 - events / at_risk)
    variance = np.cumsum(events / (at_risk * np.maximum(at_risk - events, 1)))
    return pd.DataFrame({"at": at, "at_risk": at_risk, "hung_up": events, "still": still, "variance": variance})


def tail(curve: pd.DataFrame, waited: np.ndarray, hung_up: np.ndarray) -> tuple[float, float, float]:
    """(from, share still waiting there, mean further patience): what is assumed beyond the last reliable observation.

    Beyond the instant at which fewer than AT_RISK callers remain, patience goes on with the constant rate of hanging up
    seen beyond half that time: hang-ups per second waited (the exponential's maximum likelihood under censoring).
    """
    last = curve[curve.at_risk >= AT_RISK].iloc[-1]
    half = last["at"] / 2
    beyond = waited > half
    rate = hung_up[beyond].sum() / (waited[beyond] - half).sum()
    return float(last["at"]), float(last["still"]), float(1 / rate)


def quantiles(waited: np.ndarray, hung_up: np.ndarray, points: int = N_POINTS) -> np.ndarray:
    """Equally spaced quantiles of patience in seconds: Kaplan–Meier, then the exponential tail; the last point is
    the quantile in the middle of the last interval, since an exponential has no longest value."""
    curve = kaplan_meier(waited, hung_up)
    begin, still, mean = tail(curve, waited, hung_up)
    level = np.linspace(0, 1, points)
    level[-1] = (level[-2] + 1) / 2
    survival = 1 - level
    steps = curve[curve["at"] <= begin]
    index = np.searchsorted(-steps.still.to_numpy(), -survival, side="left")
    inside = steps["at"].to_numpy()[np.minimum(index, len(steps) - 1)]
    outside = begin + mean * np.log(np.maximum(still, 1e-12) / survival)
    quantile = np.where(survival >= still, inside, outside)
    quantile[0] = 0.0
    return np.round(np.maximum.accumulate(quantile))


def weibull(waited: np.ndarray, hung_up: np.ndarray) -> tuple[float, float]:
    """(scale in s, shape) by maximum likelihood under censoring."""
    from scipy.optimize import brentq

    at, log = np.maximum(waited, 0.5), np.log(np.maximum(waited, 0.5))

    def slope(shape: float) -> float:
        power = at**shape
        return float(1 / shape + log[hung_up].mean() - (power * log).sum() / power.sum())

    shape = float(brentq(slope, 0.05, 5))
    return float(((at**shape).sum() / hung_up.sum()) ** (1 / shape)), shape


def table(demand: pd.DataFrame) -> pd.DataFrame:
    """By patience group: callers, hang-ups, early ones, survival at 1, 3 and 5 min, exponential and Weibull fits."""
    rows = {}
    for group in GROUPS:
        waited, hung_up = observed(demand, group)
        curve = kaplan_meier(waited, hung_up)
        begin, still, further = tail(curve, waited, hung_up)
        scale, shape = weibull(waited, hung_up)
        rows[group] = {
            "queued": len(waited),
            "hung_up": int(hung_up.sum()),
            **{f"within_{limit}s": (waited[hung_up] <= limit).sum() / len(waited) for limit in (5, 10)},
            **{f"still_{at}s": float(curve.still[curve["at"] <= at].iloc[-1]) for at in (60, 180, 300)},
            "exponential_mean": waited.sum() / hung_up.sum(),
            "weibull_scale": scale,
            "weibull_shape": shape,
            "tail_from": begin,
            "tail_share": still,
            "tail_mean": further,
        }
    return pd.DataFrame(rows).T.round(3)
