"""Which scenario reaches its target, and how likely is that? Replications, each one period of the counted window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from servsim import statistics
from servsim.model.basis import Target
from servsim.statistics import Estimate, Share

if TYPE_CHECKING:
    from servsim.experiment import Comparison

Floats = NDArray[np.float64]

REACHED, MISSED, OPEN = "reached", "missed", "open"
"""What the interval of the mean says: on the good side of the target, on the other, on both."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One target in one scenario: the KPI's mean, what that says, and in how many periods the target is reached."""

    level: Estimate
    periods: Share
    on_average: str  # REACHED, MISSED, OPEN; "" below two replications

    @property
    def has_figures(self) -> bool:
        return bool(self.periods.n)


@dataclass(frozen=True)
class Targets:
    """The targets of a comparison and what became of them."""

    comparison: Comparison

    @cached_property
    def asked(self) -> Mapping[str, Target]:
        """Those of the baseline, then those that only another scenario names."""
        found: dict[str, Target] = {}
        for scenario in self.comparison.scenarios:
            named = self.comparison.configs.get(scenario, {}).get("targets") or {}
            found |= {str(name): Target.model_validate(t) for name, t in named.items() if t and name not in found}
        return found

    def of(self, target: str, scenario: str) -> Reached:
        values = self.values(scenario, self.asked[target])
        level = statistics.mean(values)
        good = margin(self.asked[target], values)
        average = margin(self.asked[target], np.array([level.lower, level.upper], dtype=np.float64))
        return Reached(level, statistics.share(good >= 0, ~np.isnan(good)), _said(average))

    def together(self, scenario: str, names: Sequence[str]) -> Share:
        """Periods in which these targets are reached at once; those in which one has no figure do not count."""
        good = np.array([margin(self.asked[name], self.values(scenario, self.asked[name])) for name in names])
        return statistics.share((good >= 0).all(axis=0), ~np.isnan(good).any(axis=0))

    def values(self, scenario: str, target: Target) -> Floats:
        """[replications], NaN where there is no figure."""
        return self._values.get((scenario, target.kpi, target.group), np.full(self.comparison.n, np.nan))

    @cached_property
    def _values(self) -> Mapping[tuple[str, str, str], Floats]:
        frame = self.comparison.kpis
        wanted = {(target.kpi, target.group) for target in self.asked.values()}
        found: dict[tuple[str, str, str], Floats] = {}
        rows = frame[frame["kpi"].isin([kpi for kpi, _ in wanted])]
        for scenario, r, kpi, group, value in rows[["scenario", "replication", "kpi", "group", "value"]].itertuples(
            index=False, name=None
        ):
            if (kpi, group) in wanted:
                found.setdefault((scenario, kpi, group), np.full(self.comparison.n, np.nan))[r] = value
        return found


def margin(target: Target, values: Floats) -> Floats:
    """By how much values reach a target: below 0 they miss it."""
    return values - target.limit if target.is_floor else target.limit - values


def _said(ends: Floats) -> str:
    if np.isnan(ends).any():
        return ""
    return REACHED if (ends >= 0).all() else MISSED if (ends < 0).all() else OPEN
