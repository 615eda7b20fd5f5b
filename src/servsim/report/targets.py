"""What the report says of targets: which scenario reaches them, in how many of the simulated periods."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from servsim.kpis import KPIS
from servsim.quantities import UNITS, ticks
from servsim.report.document import Blocks, Heading, Paragraph
from servsim.report.findings import Findings
from servsim.report.numbers import Quantity
from servsim.report.tables import Cell, Table, measured
from servsim.report.writing import NONE, Scale, number, scale
from servsim.statistics import BETTER, WORSE, Share
from servsim.targets import MISSED, REACHED, Reached, Targets

COLUMNS = (
    "target", "kpi", "group", "side", "limit", "scenario", "mean", "lower", "upper", "on_average",
    "periods_reached", "periods", "probability", "probability_lower", "probability_upper",
)  # fmt: skip
TOGETHER = "all together"
"""What stands for all targets at once in the file."""
_TOLD = 3
"""Scenarios that the sentence names."""
_VERDICTS = {REACHED: BETTER, MISSED: WORSE}


@dataclass(frozen=True)
class Aims:
    """The targets of a comparison, in the reader's language."""

    found: Findings

    @cached_property
    def targets(self) -> Targets:
        return Targets(self.found.comparison)

    @property
    def names(self) -> tuple[str, ...]:
        """Those of which there are figures."""
        return tuple(t for t in self.targets.asked if any(self._of(t, s).has_figures for s in self._scenarios))

    @property
    def without_figures(self) -> tuple[str, ...]:
        return tuple(name for name in self.targets.asked if name not in self.names)

    @property
    def _scenarios(self) -> tuple[str, ...]:
        return (self.found.baseline, *self.found.ranked)

    def _of(self, target: str, scenario: str) -> Reached:
        return self.targets.of(target, scenario)

    # ------------------------------------------------------------------ words
    def called(self, target: str) -> str:
        """'answered within 2 h, at least 90 %'"""
        asked, say = self.targets.asked[target], self.found.words
        where = self.found.group(asked.group)
        plain = self.found.kpi(asked.kpi) + (say("target.group", group=where) if where else "")
        name = say.label(asked.label.model_dump(exclude_none=True), plain)
        return say("target.at_least" if asked.is_floor else "target.at_most", name=name, limit=self.limit(target))

    def limit(self, target: str) -> str:
        asked = self.targets.asked[target]
        shown = self.scale(target)
        return shown.written(shown.symbol, f"{round(asked.limit * shown.factor, 2):,.10g}")

    def scale(self, target: str) -> Scale:
        """How values of its KPI are shown: as suits the limit."""
        asked = self.targets.asked[target]
        return scale(KPIS[asked.kpi].unit, abs(asked.limit), self.found.config.get("currency"), self.found.words)

    def period(self) -> str:
        """'4 weeks': the window in which cases are counted."""
        return period(self.found)

    # ------------------------------------------------------------------ sentences
    def answer(self) -> list[str]:
        """Which scenarios reach the first target, in how many periods; whether one reaches all at once."""
        say, names = self.found.words, self.names
        told = [self._sentence(names[0])] if names else []
        if len(names) > 1:
            told += self._all_at_once()
        if self.without_figures:
            told.append(say("target.no_figures", targets=say.list([self.called(t) for t in self.without_figures])))
        return told

    def _sentence(self, target: str) -> str:
        say = self.found.words
        each = {s: self._of(target, s) for s in self._scenarios if self._of(target, s).has_figures}
        order = list(each)
        hits = [s for s in order if each[s].periods.k]
        hits.sort(key=lambda s: (-float(each[s].periods.share), -self._gain(target, s)))
        window = {"target": self.called(target), "period": self.period()}
        if not hits:
            nearest = max(order, key=lambda s: self._gain(target, s))
            n, (_, high) = int(each[nearest].periods.n), _interval(each[nearest].periods)
            level = self._level(target, each[nearest])
            return say("target.nobody", **window, n=n, nearest=self.found.label(nearest), level=level, high=high)
        told = [self._hit(s, each[s].periods, first=i == 0) for i, s in enumerate(hits[:_TOLD])]
        text = say("target.somebody", **window, scenarios=say.list(told))
        never, more = len(order) - len(hits), len(hits) - len(told)
        tails = [say("target.more", n=more)] if more > 0 else []
        tails += [say("target.never_one" if never == 1 else "target.never", n=never)] if never else []
        return text + "".join(tails) + say("sentence.stop")

    def _hit(self, scenario: str, periods: Share, first: bool) -> str:
        low, high = _interval(periods)
        numbers = {"k": int(periods.k), "n": int(periods.n), "low": low, "high": high, "period": self.period()}
        key, share = "target.hit_first" if first else "target.hit", _hundred(float(periods.share))
        return self.found.words(key, scenario=self.found.label(scenario), share=share, **numbers)

    def _all_at_once(self) -> Iterator[str]:
        """The scenario that reaches all targets of which there are figures in one period most often."""
        say, n = self.found.words, len(self.names)
        each = {s: of for s in self._scenarios if (of := self._together(s)).n}
        if not each:
            return
        best = max(each, key=lambda s: float(each[s].share))
        if not each[best].k:
            yield say("target.never_all", targets=n)
            return
        low, high = _interval(each[best])
        numbers = {"k": int(each[best].k), "n": int(each[best].n), "low": low, "high": high}
        yield say("target.all", targets=n, scenario=self.found.label(best), **numbers)

    def _together(self, scenario: str) -> Share:
        return self.targets.together(scenario, self.names)

    def _gain(self, target: str, scenario: str) -> float:
        mean = float(self._of(target, scenario).level.mean)
        return -math.inf if math.isnan(mean) else mean if self.targets.asked[target].is_floor else -mean

    def _level(self, target: str, reached: Reached) -> str:
        e, shown = reached.level, self.scale(target)
        value, low, high = shown.numbers(float(e.mean), float(e.lower), float(e.upper))
        key = "interval.none" if NONE in (low, high) else "interval.of"
        return self.found.words(key, size=shown.written(shown.symbol, value), low=low, high=high)

    # ------------------------------------------------------------------ tables
    def blocks(self) -> Blocks:
        """The part of the page; empty where there are no targets."""
        if not self.targets.asked:
            return []
        say = self.found.words
        told: Blocks = [Heading(say("page.targets"))]
        if self.names:
            told.append(Paragraph(say("target.meaning", period=self.period())))
        for name in self.names:
            content = self.table(name)
            told += [Heading(self.called(name), 3), content]
        if len(self.names) > 1:
            told += [Heading(say("target.together"), 3), self.together()]
        missing = [self.called(name) for name in self.without_figures]
        return [*told, Paragraph(say("target.no_figures", targets=say.list(missing)))] if missing else told

    def table(self, target: str) -> Table:
        """Scenarios, the baseline first: mean, whether that is on the good side, periods, probability."""
        say = self.found.words
        header = (
            Cell(say("table.scenario")),
            Cell(say("table.mean"), self.scale(target).symbol),
            Cell(say("target.on_average")),
            Cell(say("target.periods")),
            Cell(say("target.probability"), "%"),
        )
        rows = tuple(self._row(target, scenario) for scenario in self._scenarios)
        return Table(header, rows)

    def _row(self, target: str, scenario: str) -> tuple[Cell, ...]:
        found, reached = self.found, self._of(target, scenario)
        name = Cell(found.label(scenario), found.words("table.baseline") if scenario == found.baseline else "")
        if not reached.has_figures:
            return (name, *(Cell(NONE),) * 4)
        e, verdict = reached.level, _VERDICTS.get(reached.on_average, "")
        said = found.words(f"target.{reached.on_average}") if reached.on_average else NONE
        mean = measured(self.scale(target), float(e.mean), float(e.lower), float(e.upper))
        return (name, mean, Cell(said, verdict=verdict), *self._probability(reached.periods))

    def _probability(self, periods: Share) -> tuple[Cell, Cell]:
        if not periods.n:
            return Cell(NONE), Cell(NONE)
        low, high = _interval(periods)
        of = self.found.words("target.of", k=int(periods.k), n=int(periods.n))
        chance = Quantity(float(periods.share), float(periods.lower), float(periods.upper), form="0%")
        return Cell(of), Cell(_hundred(float(periods.share)), f"[{low}, {high}]", number=chance)

    def together(self) -> Table:
        """Scenarios: periods in which all targets are reached at once."""
        say, found = self.found.words, self.found
        header = (Cell(say("table.scenario")), Cell(say("target.periods")), Cell(say("target.probability"), "%"))
        rows = tuple((Cell(found.label(s)), *self._probability(self._together(s))) for s in self._scenarios)
        return Table(header, rows)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """As COLUMNS: for a CSV file."""
        for name, asked in self.targets.asked.items():
            side = "at_least" if asked.is_floor else "at_most"
            for scenario in self._scenarios:
                reached = self._of(name, scenario)
                mean = (float(x) for x in (reached.level.mean, reached.level.lower, reached.level.upper))
                known = (name, asked.kpi, asked.group, side, asked.limit, scenario)
                yield (*known, *mean, reached.on_average, *_counts(reached.periods))
        if len(self.names) > 1:
            for scenario in self._scenarios:
                yield (TOGETHER, "", "", "", "", scenario, "", "", "", "", *_counts(self._together(scenario)))


def period(found: Findings) -> str:
    """The window in which cases are counted, in the largest unit that it is a whole number of: '4 weeks'."""
    clock = found.config.get("clock") or {}
    try:
        length = ticks(str(clock["horizon"])) - ticks(str(clock.get("warm_up", "0 min")))
    except (KeyError, ValueError):
        return found.words("period.unknown")
    unit = next((u for u in ("wk", "d", "h", "min") if length % UNITS[u] == 0), "min")
    n = length // UNITS[unit]
    return found.words(f"period.{unit}{'_one' if n == 1 else ''}", n=n)


def _counts(periods: Share) -> tuple[Any, ...]:
    return (int(periods.k), int(periods.n), float(periods.share), float(periods.lower), float(periods.upper))


def _interval(periods: Share) -> tuple[str, str]:
    return _hundred(float(periods.lower)), _hundred(float(periods.upper))


def _hundred(share: float) -> str:
    """A probability in whole per cent."""
    return number(100 * share, 0)
