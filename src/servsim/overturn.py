"""What would overturn the answer? Its parts where each assumption is somewhat lower and higher, from few replications.

The answer has parts: that the best scenario is ahead of the next, and that each of the two reaches a target or not.
Each is a margin with a value in every replication. An assumption is varied alone, and only the two scenarios are run
again, a few replications on the random numbers of the first of the comparison; what is known from all of its
replications is moved by what the pairs show (`statistics.moved_mean`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from servsim import statistics
from servsim.statistics import Estimate
from servsim.targets import margin

if TYPE_CHECKING:
    from servsim.experiment import Comparison
    from servsim.model.basis import Target

Floats = NDArray[np.float64]

FEWEST, MOST = 3, 8
"""Replications at each value of an assumption."""
SHARE = 0.5
"""Runs for this, as a share of those of the comparison, as long as there are FEWEST replications at each value."""
ORDER = ""
"""The part of the answer that is about the order of the two; the others are called by their target."""


@dataclass(frozen=True)
class Part:
    """A part of the answer at the values of one assumption: lower, as assumed, higher."""

    assumption: str
    part: str  # ORDER or the name of a target
    scenario: str  # whose target; the best for the order
    factors: Floats  # [3]
    margin: Estimate  # [3]; above 0: the best is ahead, or the target reached

    @property
    def flips(self) -> tuple[Flip, ...]:
        """Where the margin passes 0, by straight lines between the values that were run; the nearer one first.

        What is not shown on either side is not told: there is nothing to overturn, and nothing that would.
        """
        middle, found = float(self.margin.mean[1]), []
        for end in (0, 2):
            there = float(self.margin.mean[end])
            if (middle >= 0) != (there >= 0) and (self._is_shown(1) or self._is_shown(end)):
                at = 1 + (self.factors[end] - 1) * middle / (middle - there)
                found.append(Flip(self, float(at), middle >= 0, self._is_shown(end)))
        return tuple(sorted(found, key=lambda flip: abs(flip.factor - 1)))

    def _is_shown(self, k: int) -> bool:
        """Whether the interval of the margin is on one side; who is just at the target has reached it."""
        low, high = self.margin.lower[k], self.margin.upper[k]
        return bool(low > 0 or high < 0 or (low == 0 and self.part != ORDER))


@dataclass(frozen=True)
class Flip:
    """A part of the answer is no longer so from this factor on."""

    part: Part
    factor: float
    was_so: bool  # False: a target that is missed as assumed is reached beyond
    is_shown: bool  # at the value that was run beyond, the interval of the margin leaves out 0


@dataclass(frozen=True)
class Overturn:
    """What became of the answer; `why_not` says why nothing was varied."""

    best: str
    other: str
    by: float  # each assumption so much lower and higher, as a share
    n: int = 0  # replications at each value
    parts: tuple[Part, ...] = ()
    refused: Mapping[str, str] | None = None  # assumption → why it could not be varied
    why_not: str = ""  # off, no_settings, few_replications

    @property
    def assumptions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.assumption for part in self.parts))

    @property
    def flips(self) -> tuple[Flip, ...]:
        """What would overturn the answer: first what is shown, then what is about the best, then the nearest."""
        found = [flip for part in self.parts for flip in part.flips]
        return tuple(sorted(found, key=lambda f: (not f.is_shown, f.part.scenario != self.best, abs(f.factor - 1))))


@dataclass(frozen=True)
class Ends:
    """The two scenarios where an assumption is lower and higher."""

    assumption: str
    factors: tuple[float, float]
    best: tuple[str, str]  # names in the runs that were made besides, or the scenario's own where it stays as it is
    other: tuple[str, str]


def replications(comparison: Comparison, n_assumptions: int) -> int:
    """Replications at each value of each assumption; 0 where the comparison has too few itself."""
    if comparison.n < FEWEST + 1 or not n_assumptions:
        return 0
    fitting = int(SHARE * comparison.n * len(comparison.scenarios) / (4 * n_assumptions))
    return min(comparison.n, MOST, max(FEWEST, fitting))


def parts(
    comparison: Comparison, again: Comparison, ends: Sequence[Ends], best: str, other: str, kpi: str, sign: float,
    targets: Mapping[str, Target],
) -> tuple[Part, ...]:  # fmt: skip
    """The parts of the answer at all values; `again` holds the runs of `ends`.

    `sign`: 1 where more of the leading KPI is better, else −1.
    """

    def figure(scenario: str, kpi: str, group: str = "all") -> Floats:
        if scenario in again.scenarios:
            return values(again, scenario, kpi, group)
        return values(comparison, scenario, kpi, group)

    def ahead(first: str, second: str) -> Floats:
        one, two = figure(first, kpi), figure(second, kpi)
        n = min(len(one), len(two))
        return sign * (one[:n] - two[:n])

    def reaches(target: Target, first: str) -> Floats:
        return margin(target, figure(first, target.kpi, target.group))

    found = []
    for end in ends:
        factors = np.array([end.factors[0], 1.0, end.factors[1]])
        gaps = [ahead(*names) for names in zip(end.best, end.other, strict=True)]
        found.append(Part(end.assumption, ORDER, best, factors, _joined(ahead(best, other), gaps)))
        for name, target in targets.items():
            for scenario, runs in ((best, end.best), (other, end.other)):
                margins = [reaches(target, run) for run in runs]
                found.append(Part(end.assumption, name, scenario, factors, _joined(reaches(target, scenario), margins)))
    return tuple(found)


def _joined(nominal: Floats, ends: Sequence[Floats]) -> Estimate:
    """Lower, as assumed, higher."""
    low, high = (statistics.moved_mean(nominal, end) for end in ends)
    each = (low, statistics.mean(nominal), high)
    mean, lower, upper, n = (np.array([getattr(e, name) for e in each]) for name in ("mean", "lower", "upper", "n"))
    return Estimate(mean, lower, upper, n)


def values(comparison: Comparison, scenario: str, kpi: str, group: str = "all") -> Floats:
    """[replications] of a figure, NaN where there is none."""
    frame = comparison.kpis
    rows = frame[(frame["scenario"] == scenario) & (frame["kpi"] == kpi) & (frame["group"] == group)]
    found = np.full(comparison.n, np.nan)
    found[rows["replication"].to_numpy(dtype=np.int64)] = rows["value"].to_numpy(dtype=np.float64)
    return found
