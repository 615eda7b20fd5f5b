"""Which measures earn their keep, and which only work together? Combinations of measures, taken apart into effects.

Every effect is a weighted sum of the same figure over the combinations, taken replication by replication (common random
numbers), so its interval is that of a mean over replications.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from servsim import statistics
from servsim.statistics import Difference, Estimate

if TYPE_CHECKING:
    from servsim.experiment import Comparison

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FULL = 6
"""So many measures are run in all combinations; more in a fraction of them."""
GENERATORS: dict[int, tuple[str, ...]] = {
    7: ("ABCDEF",), 8: ("ABCD", "ABEF"), 9: ("ACDFG", "BCEFG"), 10: ("ABCG", "BCDE", "ACDF"),
    11: ("ABCG", "BCDE", "ACDF", "ABCDEFG"),
}  # fmt: skip
"""Fractions of resolution V or more: no effect of one or two measures is mixed up with another such effect. The last
measures are set as products of the first ones. Source: Montgomery, Design and Analysis of Experiments, 8th ed.,
table 8.14."""
MOST = max(GENERATORS)


@dataclass(frozen=True)
class Design:
    """The combinations of measures that are run."""

    measures: tuple[str, ...]
    runs: Flags  # [runs, measures] the measure is in place; the first run has none, the last one all
    in_factorial: Flags  # [runs] belongs to the factorial or to the fraction of it

    @staticmethod
    def of(measures: Sequence[str]) -> Design:
        """All combinations of up to `FULL` measures; of up to `MOST` a fraction, and each alone, all, all but one.

        Raises ValueError below 2 and above `MOST`.
        """
        n = len(measures)
        if not 2 <= n <= MOST:
            raise ValueError(f"expected 2 to {MOST} measures, got {n}")
        if n <= FULL:
            runs = sorted(product((False, True), repeat=n), key=lambda run: (sum(run), tuple(not on for on in run)))
            return Design(tuple(measures), np.array(runs), np.ones(len(runs), bool))
        fraction = {tuple(run) for run in _fraction(n).tolist()}
        ends = {tuple(i in chosen for i in range(n)) for k in (0, 1, n - 1, n) for chosen in combinations(range(n), k)}
        runs = sorted(fraction | ends, key=lambda run: (sum(run), tuple(not on for on in run)))
        return Design(tuple(measures), np.array(runs), np.array([run in fraction for run in runs]))

    @property
    def is_full(self) -> bool:
        return bool(self.in_factorial.all())

    @property
    def combinations(self) -> list[list[str]]:
        """[runs] the measures that are in place."""
        return [[name for name, on in zip(self.measures, run, strict=True) if on] for run in self.runs.tolist()]

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        return tuple(combinations(range(len(self.measures)), 2))

    def at(self, *on: int) -> int:
        """The run in which exactly these measures are in place."""
        wanted = np.isin(np.arange(len(self.measures)), on)
        return int(np.flatnonzero((self.runs == wanted).all(axis=1))[0])

    # ------------------------------------------------------------------ weights [effects, runs]
    def _between(self, ends: Sequence[tuple[int, int]]) -> Floats:
        """One run minus another."""
        weights = np.zeros((len(ends), len(self.runs)))
        for row, (plus, minus) in zip(weights, ends, strict=True):
            row[plus] += 1
            row[minus] -= 1
        return weights

    @property
    def total(self) -> Floats:
        return self._between([(len(self.runs) - 1, 0)])

    @property
    def alone(self) -> Floats:
        """The measure on top of nothing."""
        return self._between([(self.at(i), 0) for i in range(len(self.measures))])

    @property
    def last(self) -> Floats:
        """The measure on top of all others."""
        everything = range(len(self.measures))
        without = [self.at(*(j for j in everything if j != i)) for i in everything]
        return self._between([(len(self.runs) - 1, run) for run in without])

    @property
    def fair(self) -> Floats:
        """Shapley values: the mean of what a measure adds over all orders in which the measures could be introduced.

        φᵢ = Σ_S |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)). Source: Shapley, A value for n-person games, 1953.
        From a fraction: those of the model with effects of one and of two measures, which are the main effects.
        """
        n, weights = len(self.measures), np.zeros((len(self.measures), len(self.runs)))
        if not self.is_full:
            signs = np.where(self.runs, 1.0, -1.0) * self.in_factorial[:, None]
            return np.asarray(signs.T * 2 / self.in_factorial.sum())
        for run, on in enumerate(self.runs):
            k = int(on.sum())
            joins = factorial(k - 1) * factorial(n - k) / factorial(n) if k else 0.0
            leaves = factorial(k) * factorial(n - k - 1) / factorial(n) if k < n else 0.0
            weights[:, run] = np.where(on, joins, -leaves)
        return weights

    @property
    def together(self) -> Floats:
        """[pairs] how much more one of two measures brings where the other is in place than where it is not; the mean
        over all settings of the others."""
        signs = np.where(self.runs, 1.0, -1.0) * self.in_factorial[:, None]
        products = [signs[:, i] * np.where(self.runs[:, j], 1, -1) for i, j in self.pairs]
        return np.array(products) * 4 / int(self.in_factorial.sum())


def _fraction(n: int) -> Flags:
    """[runs, n] in which each generated measure is the product of others, with the sign that leaves the baseline in."""
    free = n - len(GENERATORS[n])
    signs = np.array(list(product((-1, 1), repeat=free)))
    for word in GENERATORS[n]:
        chosen = ["ABCDEFG".index(letter) for letter in word]
        sign = -1 if len(word) % 2 == 0 else 1
        signs = np.column_stack([signs, sign * signs[:, chosen].prod(axis=1)])
    return np.asarray(signs > 0)


@dataclass(frozen=True)
class Attribution:
    """The effect of all measures on one figure, split up; in the unit of the figure."""

    kpi: str
    total: Estimate  # of all together
    alone: Estimate  # [measures] on top of nothing
    fair: Estimate  # [measures] Shapley values: they add up to the total
    last: Estimate  # [measures] on top of all others
    share: Estimate  # [measures] of the total; NaN where the total is not shown to differ from 0
    rest: float  # total − sum of fair: 0 unless only a fraction of the combinations was run
    together: Difference  # [pairs] what two bring beyond the sum of both; p adjusted (Holm) over the pairs
    n: int  # replications


def attribution(comparison: Comparison, design: Design, names: Sequence[str], kpi: str) -> Attribution:
    """Splits up a figure over all cases. `names` are the scenarios of the runs, in the design's order.

    Replications in which a combination has no answer are left out.
    """
    values = _values(comparison, names, kpi)
    values = values[:, ~np.isnan(values).any(axis=0)]
    total, alone, fair, last, pairs = (
        w @ values for w in (design.total, design.alone, design.fair, design.last, design.together)
    )
    whole = statistics.mean(total[0])
    beyond = statistics.paired_difference(pairs, np.zeros_like(pairs))
    return Attribution(
        kpi=kpi,
        total=whole,
        alone=statistics.mean(alone),
        fair=statistics.mean(fair),
        last=statistics.mean(last),
        share=_ratio(fair, total[0]) if whole.lower * whole.upper > 0 else statistics.mean(np.full_like(fair, np.nan)),
        rest=float(whole.mean - fair.mean(axis=1).sum()) if values.size else float("nan"),
        together=Difference(beyond.difference, beyond.lower, beyond.upper, statistics.holm(beyond.p), beyond.n),
        n=values.shape[1],
    )


def _values(comparison: Comparison, names: Sequence[str], kpi: str) -> Floats:
    """[runs, replications] of a figure over all cases; NaN where there is none."""
    frame = comparison.kpis
    rows = frame[(frame["kpi"] == kpi) & (frame["group"] == "all")]
    table = rows.pivot(index="scenario", columns="replication", values="value")
    return np.asarray(table.reindex(index=list(names), columns=range(comparison.n)), np.float64)


def _ratio(part: Floats, whole: Floats) -> Estimate:
    """Mean of the parts [measures, replications] by mean of the whole [replications], with intervals.

    By linearisation: the spread of part − r · whole. Source: Cochran, Sampling Techniques, 3rd ed., 2.11.
    """
    share = part.mean(axis=1) / whole.mean()
    around = statistics.mean((part - share[:, None] * whole) / whole.mean())
    return Estimate(share, share + around.lower, share + around.upper, around.n)
