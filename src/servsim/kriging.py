"""What would have come out between the points that were run? A smooth curve, and how far off it may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

REACH = (0.4, 12.0)
"""Shortest and longest distance over which figures hang together; the box of places is 2 wide."""
ROUGHNESS = (1e-8, 0.5)
"""Least and greatest share of what no smooth curve explains: rounding to whole people, failed replications."""
_STARTS = ((1.5, 1e-4), (5.0, 1e-2))


@dataclass(frozen=True)
class Form:
    """A scale on which figures may be smooth: to it, back from it, and the slope of the way to it."""

    to: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    holds: Callable[[Floats], bool]  # for figures such as these


_LEAST = 1e-9
FORMS = (
    Form(lambda y: y, lambda t: t, np.ones_like, lambda y: True),
    Form(np.log, np.exp, lambda y: 1 / y, lambda y: bool(y.min() > _LEAST)),
    Form(lambda y: -1 / y, lambda t: -1 / np.minimum(t, -1e-12), lambda y: 1 / y**2, lambda y: bool(y.min() > _LEAST)),
    Form(
        lambda y: np.log(y / (1 - y)),
        lambda t: 1 / (1 + np.exp(-t)),
        lambda y: 1 / (y * (1 - y)),
        lambda y: bool(y.min() > _LEAST and y.max() < 1 - _LEAST),
    ),
)
"""As they are; logarithm; minus the reciprocal (waits near full load); logit (shares)."""


@dataclass(frozen=True)
class Curve:
    """Figures as a smooth curve on the scale of a form."""

    form: Form
    smooth: Kriging

    def __call__(self, at: Floats) -> tuple[Floats, Floats]:
        """(figure, its standard deviation) at places [m, k]."""
        told, sd = self.smooth(at)
        value = self.form.back(told)
        return value, sd / np.maximum(self.form.slope(value), 1e-300)


def curve(places: Floats, values: Floats) -> Curve:
    """The likeliest smooth curve through `values` [n] at `places` [n, k], over all forms. Needs n ≥ k + 3."""
    fits = []
    for form in FORMS:
        if form.holds(values):
            smooth, misfit = _kriging(places, form.to(values))
            fits.append((misfit - 2 * float(np.log(form.slope(values)).sum()), smooth, form))
    _, smooth, form = min(fits, key=lambda fit: fit[0])
    return Curve(form, smooth)


@dataclass(frozen=True)
class Kriging:
    """Figures as a plane plus a smooth departure from it.

    y(z) = β₀ + β·z + δ(z), cov(δ(z), δ(z′)) = σ² exp(−½ Σ (z_j − z′_j)²/ℓ_j²), and a share of σ² for roughness; ℓ and
    that share by restricted maximum likelihood, β by generalised least squares. Source: Santner, Williams, Notz, The
    Design and Analysis of Computer Experiments, 2nd ed., 3.2–3.3 (universal kriging).
    """

    places: Floats  # [n, k], within −1 … 1
    reach: Floats  # ℓ, [k]
    whitener: Floats  # inverse of the Cholesky factor of the correlations, [n, n]
    slope: Floats  # β, [1 + k]
    weights: Floats  # [n], of the departures
    spread: float  # σ, in the unit of the figures
    plane: Floats  # what turns a place's distance from the fitted plane into uncertainty, [1 + k, 1 + k]

    def __call__(self, at: Floats) -> tuple[Floats, Floats]:
        """(figure, its standard deviation) at places [m, k]."""
        near = _correlation(at, self.places, self.reach)  # [m, n]
        trend = _trend(at)
        half = near @ self.whitener.T
        off = trend - half @ (self.whitener @ _trend(self.places))
        variance = 1 - (half**2).sum(axis=1) + ((off @ self.plane) ** 2).sum(axis=1)
        return trend @ self.slope + near @ self.weights, self.spread * np.sqrt(np.maximum(variance, 0.0))


def _kriging(places: Floats, values: Floats) -> tuple[Kriging, float]:
    """(the curve through `values` [n] at `places` [n, k], minus twice its restricted log likelihood)"""
    from scipy.optimize import minimize

    k = places.shape[1]
    middle, scale = float(values.mean()), float(values.std())
    if scale <= 1e-12 * max(abs(middle), 1e-300):  # a figure that never moves
        scale = 0.0
    y = (values - middle) / (scale or 1.0)
    bounds = [(float(np.log(low)), float(np.log(high))) for low, high in [*[REACH] * k, ROUGHNESS]]

    def misfit(logs: Floats) -> float:
        return _solved(places, y, np.exp(logs))[0]

    starts = [np.log([*[reach] * k, rough]) for reach, rough in _STARTS]
    tried = [minimize(misfit, start, method="L-BFGS-B", bounds=bounds) for start in starts if scale]
    chosen = min(tried, key=lambda found: float(found.fun)).x if tried else starts[0]
    fit, whitener, slope, weights, spread, plane = _solved(places, y, np.exp(chosen))
    slope = scale * slope + np.eye(1 + k)[0] * middle
    smooth = Kriging(places, np.exp(chosen)[:-1], whitener, slope, scale * weights, scale * spread, plane)
    return smooth, fit + 2 * len(y) * float(np.log(scale or 1.0))


def _solved(places: Floats, y: Floats, shape: Floats) -> tuple[float, Floats, Floats, Floats, float, Floats]:
    """(minus twice the restricted log likelihood but for a constant, whitener, β, weights, σ, plane)"""
    n, k = places.shape
    factor = np.linalg.cholesky(_correlation(places, places, shape[:-1]) + shape[-1] * np.eye(n))
    whitener = np.linalg.inv(factor)  # small, and not too far from singular: roughness keeps it away
    trend, half = whitener @ _trend(places), whitener @ y
    q, r = np.linalg.qr(trend)
    slope = np.linalg.solve(r, q.T @ half)
    rest = half - trend @ slope
    variance = float(rest @ rest) / (n - k - 1) + 1e-300
    fit = (n - k - 1) * np.log(variance) + 2 * np.log(np.diag(factor)).sum() + 2 * np.log(np.abs(np.diag(r))).sum()
    weights = whitener.T @ rest
    return float(fit), whitener, slope, weights, float(np.sqrt(variance)), np.linalg.inv(r)


def _trend(places: Floats) -> Floats:
    return np.column_stack([np.ones(len(places)), places])


def _correlation(one: Floats, other: Floats, reach: Floats) -> Floats:
    away = ((one[:, None, :] - other[None, :, :]) / reach) ** 2
    return np.asarray(np.exp(-0.5 * away.sum(axis=2)))
