"""What a comparison found about one KPI of one scenario, looked up, named and ranked for readers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from servsim.kpis import KPIS
from servsim.kpis.cycle import SPENT
from servsim.quantities import MINUTE, ticks
from servsim.report.words import Words, capital
from servsim.report.writing import Scale, scale
from servsim.statistics import BETTER, NOT_SHOWN, WORSE

if TYPE_CHECKING:
    import pandas as pd

    from servsim.experiment import Comparison
    from servsim.overturn import Overturn

Key = tuple[str, str, str]  # scenario, kpi, group

SECTIONS = {
    "class": "case_classes", "department": "departments", "skill": "skills", "pool": "pools", "system": "systems",
}  # fmt: skip
"""Where the configuration keeps the labels of the groups of a KPI."""

_RANKS = {BETTER: 0, NOT_SHOWN: 1, "": 1, WORSE: 2}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` replications with its 95 % interval (NaN below two replications)."""

    mean: float
    lower: float
    upper: float
    n: int

    @property
    def half_width(self) -> float:
        return (self.upper - self.lower) / 2


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference from the baseline with its 95 % interval and verdict."""

    value: float
    lower: float
    upper: float
    p_adjusted: float
    verdict: str

    @property
    def half_width(self) -> float:
        return (self.upper - self.lower) / 2


@dataclass(frozen=True)
class Findings:
    """A comparison as its readers see it: in one language, by label, in units that suit the size of the values."""

    comparison: Comparison
    words: Words
    would: Overturn | None = None  # what would overturn the answer, if that was looked at

    @property
    def baseline(self) -> str:
        return self.comparison.baseline

    @property
    def study(self) -> str:
        """What the study is called: its title, else its id."""
        return self.words.label(self.config.get("title"), self.baseline.partition("/")[0])

    @property
    def alternatives(self) -> tuple[str, ...]:
        """The scenarios other than the baseline, as they were given."""
        return tuple(s for s in self.comparison.scenarios if s != self.baseline)

    @property
    def config(self) -> Mapping[str, Any]:
        """The baseline's composed configuration."""
        return self.comparison.configs.get(self.baseline, {})

    @cached_property
    def headline(self) -> tuple[str, ...]:
        """The KPIs that the settings put first, as far as the baseline has them."""
        asked = self.comparison.settings.headline
        return tuple(kpi for kpi in asked if (self.baseline, kpi, "all") in self._estimates)

    @cached_property
    def leading(self) -> tuple[str, ...]:
        """The one or two headline KPIs that the answer is about: the first that are not money."""
        return tuple(kpi for kpi in self.headline if KPIS[kpi].unit != "money")[:2]

    @cached_property
    def money(self) -> tuple[str, ...]:
        """All KPIs in money, those of the headline first."""
        known = dict.fromkeys([*self.headline, *(kpi for _, kpi, group in self._estimates if group == "all")])
        return tuple(kpi for kpi in known if KPIS[kpi].unit == "money")

    @cached_property
    def ranked(self) -> tuple[str, ...]:
        """The alternatives by their effect on the first leading KPI: better, not shown, worse; then by its size."""
        return tuple(sorted(self.alternatives, key=self._rank)) if self.leading else self.alternatives

    @cached_property
    def contenders(self) -> tuple[str, str] | None:
        """The two that the answer is about: the best scenario by the first leading KPI, and the next one.

        The baseline comes behind what is shown to be better than it and before all others. None where nothing can be
        ranked.
        """
        if not self.leading or not self.alternatives:
            return None
        known = [(s, self.difference(s, self.leading[0])) for s in self.ranked]
        better = [s for s, d in known if d and d.verdict == BETTER]
        others = [s for s, d in known if d and d.verdict != BETTER]
        order = [*better, self.baseline, *others]
        return (order[0], order[1]) if len(order) > 1 else None

    def estimate(self, scenario: str, kpi: str, group: str = "all") -> Estimate | None:
        return self._estimates.get((scenario, kpi, group))

    def measured(self, scenario: str) -> tuple[str, ...]:
        """All KPIs of the scenario over all cases."""
        return tuple(kpi for name, kpi, group in self._estimates if name == scenario and group == "all")

    def time_spent(self, scenario: str) -> dict[str, float]:
        """Minutes of a case that ended by what they went into; without what took none. Empty where no case ended."""
        return self._parts(scenario, "time_", "all")

    def late_because(self, scenario: str) -> dict[str, dict[str, float]]:
        """By promise, of those that were missed: the share of the late cases by what most of the time went into."""
        found = {p: self._parts(scenario, "late_", f"promise={p}") for p in self._promises}
        return {promise: parts for promise, parts in found.items() if parts}

    def _parts(self, scenario: str, family: str, group: str) -> dict[str, float]:
        estimates = {what: self.estimate(scenario, f"{family}{what}", group) for what in SPENT}
        return {what: estimate.mean for what, estimate in estimates.items() if estimate and estimate.mean > 0}

    @cached_property
    def _promises(self) -> tuple[str, ...]:
        """Those of which it is known why they were missed."""
        groups = dict.fromkeys(group for _, kpi, group in self._estimates if kpi == "late_busy")
        return tuple(group.removeprefix("promise=") for group in groups if group.startswith("promise="))

    def difference(self, scenario: str, kpi: str, group: str = "all") -> Difference | None:
        return self._differences.get((scenario, kpi, group))

    def replications(self, scenario: str) -> int:
        """Replications of the scenario that ended well."""
        return len(self._replications.get(scenario, ()))

    def label(self, scenario: str) -> str:
        return self.words.label(self.comparison.configs.get(scenario, {}).get("label"), scenario)

    def kpi(self, kpi: str) -> str:
        """The KPI's name as a heading."""
        return capital(self._named(kpi))

    def phrase(self, kpi: str) -> str:
        """The KPI's name as a noun within a sentence."""
        found = KPIS[kpi]
        if found.about and found.unit == "share":
            return self.words("phrase.promise_kept", name=self._label_of("promise", found.about))
        return self.words.catalogue.get(f"phrase.{kpi}") or self._named(kpi)

    def _named(self, kpi: str) -> str:
        found = KPIS[kpi]
        return found.label(self.words.language, self._label_of("promise", found.about) if found.about else "")

    def group(self, group: str) -> str:
        """'class=urgent' with the label of the class; '' for all."""
        kind, _, name = group.partition("=")
        if not name:
            return ""
        return self.words(f"group.{kind}", name=self._label_of(kind, name))

    def scale(self, kpi: str, typical: float | None = None) -> Scale:
        """How values of the KPI are shown, in all tables and sentences: as suits the baseline, else the others."""
        if typical is None:
            every = [self.estimate(scenario, kpi) for scenario in (self.baseline, *self.alternatives)]
            typical = next((abs(e.mean) for e in every if e and e.mean and math.isfinite(e.mean)), 0.0)
        return scale(KPIS[kpi].unit, typical, self.config.get("currency"), self.words)

    def by_hour(self, scenario: str, kpi: str) -> pd.DataFrame | None:
        """hour (0–23), value, lower, upper in the KPI's unit, NaN where there is no answer; None without any."""
        import pandas as pd

        hours = [self.estimate(scenario, kpi, f"hour={hour:02d}") for hour in range(24)]
        if not any(hours):
            return None
        rows = [(e.mean, e.lower, e.upper) if e else (math.nan,) * 3 for e in hours]
        return pd.DataFrame(rows, columns=["value", "lower", "upper"]).assign(hour=range(24))

    def series(self, name: str, scenario: str) -> pd.DataFrame | None:
        """One of the comparison's series: its x columns, value, lower, upper; None where the scenario has none."""
        frame = self.comparison.series.get(name)
        here = frame[frame["scenario"] == scenario] if frame is not None else None
        return None if here is None or here.empty else here.drop(columns="scenario")

    def response_times(self, scenario: str) -> pd.DataFrame | None:
        """quantile, minutes, lower, upper: how the first response times of answered cases are distributed; None
        without any."""
        frame = self.series("response_times", scenario)
        if frame is None:
            return None
        here = frame[frame["group"] == "all"].dropna(subset=["value"])
        return here.drop(columns="group").rename(columns={"value": "minutes"}) if len(here) else None

    def promised(self) -> list[float]:
        """Minutes of the limits for a first response that run on the calendar clock, the shortest first."""
        promises = [c.get("promises") or {} for c in (self.config.get("case_classes") or {}).values()]
        first = [p["first_response"] for p in promises if p.get("first_response")]
        plain = [p for p in first if p.get("clock", "calendar") == "calendar" and not {"from", "to"} & p.keys()]
        return sorted({ticks(p["limit"]) / MINUTE for p in plain if not p.get("pauses_in")})

    def gain(self, scenario: str, kpi: str) -> float:
        """The difference, counted upwards in the direction that is better; NaN where there is none."""
        found = self.difference(scenario, kpi)
        if found is None:
            return math.nan
        return -found.value if KPIS[kpi].better == "lower" else found.value

    @cached_property
    def _estimates(self) -> dict[Key, Estimate]:
        rows = self.comparison.summary[["scenario", "kpi", "group", "mean", "lower", "upper", "n"]]
        return {
            (str(r[0]), str(r[1]), str(r[2])): Estimate(float(r[3]), float(r[4]), float(r[5]), int(r[6]))
            for r in rows.itertuples(index=False, name=None)
        }

    @cached_property
    def _differences(self) -> dict[Key, Difference]:
        columns = ["scenario", "kpi", "group", "difference", "lower", "upper", "p_adjusted", "verdict"]
        return {
            (str(r[0]), str(r[1]), str(r[2])): Difference(float(r[3]), float(r[4]), float(r[5]), float(r[6]), str(r[7]))
            for r in self.comparison.differences[columns].itertuples(index=False, name=None)
        }

    @cached_property
    def _replications(self) -> dict[str, set[int]]:
        done: dict[str, set[int]] = {}
        pairs = self.comparison.kpis[["scenario", "replication"]].drop_duplicates()
        for scenario, replication in pairs.itertuples(index=False, name=None):
            done.setdefault(str(scenario), set()).add(int(replication))
        return done

    def _rank(self, scenario: str) -> tuple[float, float]:
        found, gain = self.difference(scenario, self.leading[0]), self.gain(scenario, self.leading[0])
        if found is None or math.isnan(gain):
            return (math.inf, 0.0)
        return (_RANKS[found.verdict], -gain)

    def _label_of(self, kind: str, name: str) -> str:
        if kind == "pair":
            return " → ".join(self._label_of("department", end) for end in name.split(">"))
        if kind == "step":
            steps = [p.get("steps", {}).get(name) for p in self.config.get("processes", {}).values()]
            entry: Mapping[str, Any] = next(filter(None, steps), {})
        elif kind == "channel":
            sources = self.config.get("demand", {}).items()
            entry = next((d for source, d in sources if name in (d.get("channel"), source) and d.get("label")), {})
        elif kind == "promise":
            configs = [self.config, *(self.comparison.configs.get(name, {}) for name in self.alternatives)]
            classes = [c for config in configs for c in (config.get("case_classes") or {}).values()]
            promises = [(c.get("promises") or {}).get(name) or {} for c in classes]
            entry = next((p for p in promises if p.get("label")), {})
        else:
            entry = self.config.get(SECTIONS.get(kind, ""), {}).get(name) or {}
        known = self.words.catalogue.get(f"promise.{name}") if kind == "promise" else None
        return self.words.label(entry.get("label"), known or name)
