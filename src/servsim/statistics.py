"""How sure are we? Intervals over replications, paired differences, multiplicity.

All functions work along the last axis, which holds the replications; the leading axes (scenarios, figures) are
done at once. A replication without an answer is NaN and is left out; `n` says how many remain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

LEVEL = 0.95
ALPHA = 0.05
"""A difference is shown when its adjusted p-value is below this; 1 − LEVEL."""

BETTER, WORSE, NOT_SHOWN, NO_VERDICT = "better", "worse", "no difference shown", ""

_ROUNDING = 1e-12
"""Differences below this share of the values compared are left-overs of summing in another order, hence 0."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over replications with its interval; NaN bounds below two replications."""

    mean: Floats
    lower: Floats
    upper: Floats
    n: Counts

    @property
    def half_width(self) -> Floats:
        return (self.upper - self.lower) / 2


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean paired difference with its interval and the two-sided p-value of "no difference"."""

    difference: Floats
    lower: Floats
    upper: Floats
    p: Floats
    n: Counts


@dataclass(frozen=True, slots=True)
class Share:
    """In how many of `n` replications something happens, and the interval of its probability; NaN where n is 0."""

    k: Counts
    n: Counts
    lower: Floats
    upper: Floats

    @property
    def share(self) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.k / self.n, dtype=np.float64)


def mean(values: ArrayLike, level: float = LEVEL) -> Estimate:
    """Mean over the last axis with its Student t interval.

    x̄ ± t(n − 1, (1 + level)/2) · s/√n, s² = Σ(x − x̄)²/(n − 1). Source: Law, Simulation Modeling and Analysis,
    5th ed., 9.4.1 (fixed-sample-size procedure). NaN mean where n = 0, NaN bounds where n < 2.

    >>> e = mean([4.0, 6.0, 5.0, float("nan")])
    >>> float(e.mean), int(e.n), round(float(e.half_width), 3)
    (5.0, 3, 2.484)
    """
    x = np.asarray(values, dtype=np.float64)
    average, error, n = _moments(x, np.abs(x))
    half_width = _t_quantile(n, level) * error
    return Estimate(average, average - half_width, average + half_width, n)


def paired_difference(values: ArrayLike, baseline: ArrayLike, level: float = LEVEL) -> Difference:
    """Mean of values − baseline, replication by replication, with paired t interval and p-value.

    t = d̄ / (s_d/√n) with n − 1 degrees of freedom, over the replications that both have. Source: Law, 5th ed.,
    10.2.1 (paired-t interval; made for common random numbers). Where all differences are the same there is no
    chance left: p is 1 if they are 0 and 0 otherwise, and the interval has no width. Below two pairs the bounds and p
    are NaN.
    """
    x, y = np.broadcast_arrays(np.asarray(values, dtype=np.float64), np.asarray(baseline, dtype=np.float64))
    scale = np.maximum(np.abs(x), np.abs(y))
    d = x - y
    d = np.where(np.abs(d) <= _ROUNDING * scale, 0.0, d)
    average, error, n = _moments(np.where(np.isnan(scale), np.nan, d), scale)
    half_width = _t_quantile(n, level) * error
    return Difference(average, average - half_width, average + half_width, _p_value(average, error, n), n)


def share(happens: ArrayLike, there: ArrayLike = True, level: float = LEVEL) -> Share:
    """Probability of what happens in some replications, with its Wilson score interval; `there`: those that count.

    (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n) with p = k/n and the normal quantile z. Unlike p ± z·s/√n it
    stays within 0 and 1 and has a width where k is 0 or n; unlike the exact (Clopper-Pearson) interval it covers the
    probability about as often as it says for the few replications there are. Sources: Wilson, JASA 1927; Brown, Cai,
    DasGupta, Statistical Science 2001, who recommend it up to n = 40.

    >>> s = share([True] * 14 + [False] * 6)
    >>> int(s.k), int(s.n), round(float(s.lower), 3), round(float(s.upper), 3)
    (14, 20, 0.481, 0.855)
    """
    from scipy.special import ndtri

    counts, hits = np.broadcast_arrays(np.asarray(there, dtype=bool), np.asarray(happens, dtype=bool))
    n, k = counts.sum(axis=-1), (hits & counts).sum(axis=-1)
    z = ndtri((1 + level) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = k / n
        middle, shrink = p + z**2 / (2 * n), 1 + z**2 / n
        half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        lower, upper = (middle - half) / shrink, (middle + half) / shrink
    return Share(k, n, np.where(k == 0, 0.0 * p, lower), np.where(k == n, p, upper))


def moved_mean(values: ArrayLike, moved: ArrayLike, level: float = LEVEL) -> Estimate:
    """Mean under other settings of which fewer replications were run, the first of `values` on the same random numbers.

    x̄ₙ + d̄ᵣ: the mean of all n values, moved by the mean difference of the r pairs. With s_d² and s_y², the variances
    of the differences and of the moved values over the pairs, its variance is s_d²·(1/r − 1/n) + s_y²/n; t has r − 1
    degrees of freedom, which errs towards wide. Source: difference estimator in double sampling, Cochran, Sampling
    Techniques, 3rd ed., 12.6 with slope 1. Where r = n it is the plain mean of the moved values. NaN bounds below two
    pairs.

    >>> e = moved_mean([4.0, 6.0, 5.0, 7.0], [5.0, 7.0])
    >>> float(e.mean), int(e.n)
    (6.5, 2)
    """
    x, y = np.asarray(values, dtype=np.float64), np.asarray(moved, dtype=np.float64)
    pairs = y - x[..., : y.shape[-1]]
    there = np.where(np.isnan(pairs), np.nan, y)
    shift, s_d, r = _moments(pairs, np.abs(there))
    _, s_y, _ = _moments(there, np.abs(there))
    base, _, n = _moments(x, np.abs(x))
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(s_d**2 * (1 - r / n) + s_y**2 * r / n)
    half_width = _t_quantile(r, level) * error
    return Estimate(base + shift, base + shift - half_width, base + shift + half_width, r)


def holm(p: ArrayLike) -> Floats:
    """p-values of one family, adjusted step by step; NaN (no test) stays NaN and does not count.

    Sorted upwards, adjusted p₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) · p₍ⱼ₎). Rejecting what is below α errs
    anywhere in the family with probability at most α, whatever the dependence. Source: Holm, Scand. J. Statist. 1979.

    >>> holm([0.01, 0.04, 0.03, 0.005]).tolist()
    [0.03, 0.06, 0.06, 0.02]
    """
    raw = np.asarray(p, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    steps = np.arange(len(order), 0, -1)
    adjusted = np.full(raw.shape, np.nan)
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, steps * raw[order]))
    return adjusted


def verdict(difference: ArrayLike, p_adjusted: ArrayLike, better: ArrayLike) -> NDArray[np.str_]:
    """What a difference from the baseline says, in words: "better", "worse", "no difference shown" or "".

    One rule for every row: a difference is shown when its Holm-adjusted p is below ALPHA; its sign and `better`
    ("lower", "higher", or "" where neither way is better) then say which. "" where there is no better way or no test.

    The 95 % interval printed beside it speaks of its row alone, the verdict of the whole family of rows. Since
    adjusting only ever raises p, "better" and "worse" never stand beside an interval that holds 0. The other way round
    happens: an interval may leave out 0 and the verdict still be "no difference shown", because among so many rows one
    such interval is to be expected by luck. With a family of one the two always agree.
    """
    d, p = np.asarray(difference, dtype=np.float64), np.asarray(p_adjusted, dtype=np.float64)
    way = np.asarray(better, dtype=np.str_)
    gain = np.where(way == "lower", -d, d)
    said = np.where(p < ALPHA, np.where(gain > 0, BETTER, WORSE), NOT_SHOWN)
    return np.where((way == "") | np.isnan(p), NO_VERDICT, said).astype(np.str_)


def relative_half_width(values: ArrayLike, level: float = LEVEL) -> Floats:
    """Half-width of the interval as a share of |mean|; 0 where there is no spread, inf where only the mean is 0."""
    estimate = mean(values, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = estimate.half_width / np.abs(estimate.mean)
    return np.asarray(np.where(estimate.half_width == 0, 0.0, share))


def _moments(x: Floats, scale: Floats) -> tuple[Floats, Floats, Counts]:
    """(mean, standard error, n) over the last axis without NaN; the error is exactly 0 where the spread is rounding."""
    there = ~np.isnan(x)
    n = there.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        average = np.where(there, x, 0.0).sum(axis=-1) / n
        spread = np.where(there, x - average[..., None], 0.0)
        sd = np.sqrt((spread**2).sum(axis=-1) / (n - 1))
        size = np.max(scale, axis=-1, where=there, initial=0.0)
        error = np.where(sd <= _ROUNDING * size, 0.0, sd) / np.sqrt(n)
    return np.where(n > 0, average, np.nan), np.where(n > 1, error, np.nan), n


def _t_quantile(n: Counts, level: float) -> Floats:
    from scipy.special import stdtrit  # scipy.stats would cost ten times the import

    return np.where(n > 1, stdtrit(np.maximum(n - 1, 1).astype(np.float64), (1 + level) / 2), np.nan)


def _p_value(average: Floats, error: Floats, n: Counts) -> Floats:
    from scipy.special import stdtr

    with np.errstate(invalid="ignore", divide="ignore"):
        p = 2 * stdtr(np.maximum(n - 1, 1).astype(np.float64), -np.abs(average / error))
    certain = np.where(average == 0, 1.0, 0.0)
    return np.where(n > 1, np.where(error == 0, certain, p), np.nan)
