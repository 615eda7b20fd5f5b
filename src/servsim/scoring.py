"""How good is a service, all in all? Weights by pairwise judgement, fuzzy evaluation in grades, data envelopment.

Plain arithmetic on numbers: which indicators there are and what they are worth stands in a scenario's `scorecard`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

RANDOM_INDEX = (0.0, 0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)
"""Mean consistency index of random judgements about n things. Source: Saaty, The Analytic Hierarchy Process, 1980."""
CONSISTENT = 0.1
"""Judgements with a greater consistency ratio contradict each other too much (Saaty)."""

Operator = Literal["weighted", "min_max"]


# ---------------------------------------------------------------------- weights
@dataclass(frozen=True)
class Weights:
    """What pairwise judgements come down to."""

    weights: Floats  # [n] sum 1
    ratio: float  # consistency ratio; 0: the judgements do not contradict each other at all


def by_judgement(matrix: ArrayLike) -> Weights:
    """Weights from a reciprocal matrix [n, n]: entry (i, j) says how many times as important i is as j.

    The weights are the principal eigenvector; the ratio is ((λ − n)/(n − 1)) / RANDOM_INDEX[n]. Source: Saaty 1980.
    Raises ValueError for what is not reciprocal, or above 15.

    >>> found = by_judgement([[1, 3], [1 / 3, 1]])
    >>> found.weights.round(3).tolist(), found.ratio
    ([0.75, 0.25], 0.0)
    """
    a = np.asarray(matrix, np.float64)
    n = len(a)
    if a.shape != (n, n) or n == 0 or not (a > 0).all() or not np.allclose(a * a.T, 1, rtol=1e-9):
        raise ValueError("expected a square matrix of positive numbers in which (j, i) is 1 over (i, j)")
    if n >= len(RANDOM_INDEX):
        raise ValueError(f"expected at most {len(RANDOM_INDEX) - 1} things to compare, got {n}; put some into a group")
    values, vectors = np.linalg.eig(a)
    principal = int(np.argmax(values.real))
    vector = np.abs(vectors[:, principal].real)
    index = (float(values[principal].real) - n) / (n - 1) if n > 2 else 0.0
    ratio = max(0.0, index / RANDOM_INDEX[n]) if n > 2 else 0.0
    return Weights(vector / vector.sum(), ratio if ratio > 1e-9 else 0.0)


# ---------------------------------------------------------------------- grades
def memberships(value: float, best_to_worst: ArrayLike) -> Floats:
    """[grades] how far a value belongs to each grade; they sum to 1. `best_to_worst` are the typical values of the
    grades, rising or falling; between two of them the value belongs to both, in proportion; beyond the ends wholly to
    the end. (Triangular membership functions, trapezoidal at both ends.)

    >>> memberships(45, [30, 60, 120, 240]).tolist()
    [0.5, 0.5, 0.0, 0.0]
    """
    typical = np.asarray(best_to_worst, np.float64)
    steps = np.diff(typical)
    if len(typical) < 2 or not ((steps > 0).all() or (steps < 0).all()):
        raise ValueError("expected typical values of at least two grades, each worse than the one before")
    x, at = (value, typical) if steps[0] > 0 else (-value, -typical)
    place = np.interp(x, at, np.arange(len(at)))
    return np.asarray(np.maximum(0.0, 1 - np.abs(np.arange(len(at)) - place)))


def evaluated(weights: ArrayLike, rows: ArrayLike, operator: Operator = "weighted") -> Floats:
    """[grades] fuzzy comprehensive evaluation of rows [things, grades] by weights [things]; sums to 1.

    `weighted`: B = W · R, which uses all of them. `min_max`: bⱼ = maxᵢ min(wᵢ, rᵢⱼ), made to sum to 1, in which the
    main factor decides. Source: Wang Peizhuang 1983 (模糊综合评判), models M(·, +) and M(∧, ∨).
    """
    w, r = np.asarray(weights, np.float64), np.asarray(rows, np.float64)
    if operator == "weighted":
        return np.asarray(w @ r)
    found = np.minimum(w[:, None], r).max(axis=0)
    return np.asarray(found / found.sum())


# ---------------------------------------------------------------------- efficiency
@dataclass(frozen=True)
class Efficiency:
    """How little of its inputs each unit could have done with, were it like the best."""

    score: Floats  # [units] 1: on the frontier; 0.8: 80 % of the inputs would have been enough
    peers: Floats  # [units, units] weight of each other unit in what it is compared with


def efficiency(inputs: ArrayLike, outputs: ArrayLike, variable_returns: bool = False) -> Efficiency:
    """Data envelopment analysis, input-oriented. `inputs` [units, m] and `outputs` [units, s], positive.

    min θ subject to Σ λⱼ xⱼ ≤ θ x₀, Σ λⱼ yⱼ ≥ y₀, λ ≥ 0, and Σ λⱼ = 1 with variable returns to scale. Sources:
    Charnes, Cooper & Rhodes 1978 (constant returns); Banker, Charnes & Cooper 1984. Raises ValueError for numbers
    that are not above 0.
    """
    from scipy.optimize import linprog

    x, y = np.asarray(inputs, np.float64), np.asarray(outputs, np.float64)
    if not (x > 0).all() or not (y > 0).all():
        raise ValueError("expected inputs and outputs above 0")
    n = len(x)
    score, peers = np.empty(n), np.empty((n, n))
    cost = np.append(1.0, np.zeros(n))
    convex: dict[str, Any] = {"A_eq": np.append(0.0, np.ones(n))[None, :], "b_eq": [1.0]} if variable_returns else {}
    for unit in range(n):
        less = np.column_stack([-x[unit], x.T])
        more = np.column_stack([np.zeros(y.shape[1]), -y.T])
        bounds = np.concatenate([np.zeros(x.shape[1]), -y[unit]])
        found = linprog(cost, A_ub=np.vstack([less, more]), b_ub=bounds, bounds=(0, None), **convex)
        score[unit], peers[unit] = found.x[0], found.x[1:]
    return Efficiency(np.minimum(score, 1.0), peers)
