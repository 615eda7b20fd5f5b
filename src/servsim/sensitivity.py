"""Which assumption would overturn the answer? Effects of measures where each assumption is somewhat lower and higher.

An assumption is varied alone, in the baseline and in all measures alike; all runs share their random numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from servsim import statistics
from servsim.statistics import Estimate

if TYPE_CHECKING:
    from servsim.experiment import Comparison

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Varied:
    """An assumption at one of its values: the names under which the scenarios ran."""

    assumption: str
    factor: float
    runs: tuple[str, ...]  # [scenarios], the baseline first


@dataclass(frozen=True)
class Flip:
    """Two scenarios change places where an assumption is so much higher or lower."""

    assumption: str
    factor: float  # between two values that were run, by a straight line
    before: str  # the better one as assumed
    after: str  # the better one beyond
    is_shown: bool  # at the value that was run beyond it, the interval of the difference leaves out 0


@dataclass(frozen=True)
class Swing:
    """A figure of one scenario where an assumption is lower, as it is, and higher; [3] each."""

    assumption: str
    scenario: str
    factors: Floats
    level: Estimate
    effect: Estimate  # the difference from the baseline under the same assumption; 0 for the baseline

    @property
    def width(self) -> float:
        """How far the effect (of the baseline: the level) moves between the lower and the higher value."""
        moved = self.level if not self.effect.mean.any() else self.effect
        return float(abs(moved.mean[-1] - moved.mean[0]))


@dataclass(frozen=True)
class Sensitivity:
    """What became of one figure."""

    kpi: str
    swings: tuple[Swing, ...]  # by assumption, then scenario
    flips: tuple[Flip, ...]


def sensitivity(
    comparison: Comparison, scenarios: Sequence[str], varied: Sequence[Varied], kpi: str, better: str | None
) -> Sensitivity:
    """How a figure over all cases depends on each assumption, and where two scenarios change places.

    `scenarios` are those as assumed, the baseline first. Each assumption occurs twice in `varied`: lower, then higher.
    """
    values = _values(comparison, kpi)
    nominal = np.array([values[name] for name in scenarios])  # [scenarios, replications]
    swings, flips = [], []
    for low, high in zip(varied[::2], varied[1::2], strict=True):
        cube = np.array([[values[name] for name in low.runs], nominal, [values[name] for name in high.runs]])
        factors = np.array([low.factor, 1.0, high.factor])
        for k, scenario in enumerate(scenarios):
            swings.append(
                Swing(
                    low.assumption,
                    scenario,
                    factors,
                    statistics.mean(cube[:, k]),
                    statistics.mean(cube[:, k] - cube[:, 0]),
                )
            )
        if better:
            sign = -1.0 if better == "lower" else 1.0
            flips += _flips(low.assumption, factors, scenarios, sign * cube)
    return Sensitivity(kpi, tuple(swings), tuple(flips))


def _flips(assumption: str, factors: Floats, scenarios: Sequence[str], gain: Floats) -> list[Flip]:
    """Pairs of scenarios whose order at the lower or the higher value is another than as assumed; `gain`: more is
    better, [3, scenarios, replications]."""
    found = []
    for i, j in combinations(range(len(scenarios)), 2):
        difference = statistics.mean(gain[:, i] - gain[:, j])
        middle = difference.mean[1]
        for end in (0, 2):
            there = difference.mean[end]
            if middle * there < 0:
                at = factors[1] + (factors[end] - factors[1]) * middle / (middle - there)
                first, second = (scenarios[i], scenarios[j]) if middle > 0 else (scenarios[j], scenarios[i])
                shown = bool(difference.lower[end] * difference.upper[end] > 0)
                found.append(Flip(assumption, float(at), first, second, shown))
    return found


def _values(comparison: Comparison, kpi: str) -> Mapping[str, Floats]:
    """Scenario → [replications] of a figure over all cases; NaN where there is none."""
    frame = comparison.kpis
    rows = frame[(frame["kpi"] == kpi) & (frame["group"] == "all")]
    table = rows.pivot(index="scenario", columns="replication", values="value")
    table = table.reindex(index=list(comparison.scenarios), columns=range(comparison.n))
    return {str(name): np.asarray(row, np.float64) for name, row in zip(table.index, table.to_numpy(), strict=True)}
