"""What the report of a sensitivity analysis says: which assumption matters, and which would overturn the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from servsim.kpis import KPIS
from servsim.report import page
from servsim.report.document import Blocks, Bullets, Heading, Paragraph, Picture
from servsim.report.findings import Findings
from servsim.report.tables import Cell, Table, measured
from servsim.report.writing import number
from servsim.sensitivity import Flip, Sensitivity, Swing, Varied, sensitivity
from servsim.statistics import Estimate

Rows = list[tuple[Any, ...]]
COLUMNS = ("kpi", "assumption", "scenario", "factor", "level", "effect", "lower", "upper")
FLIP_COLUMNS = ("kpi", "assumption", "factor", "before", "after", "shown")


@dataclass(frozen=True)
class Tornado:
    """The findings about all runs, and what became of each headline KPI."""

    found: Findings
    scenarios: tuple[str, ...]  # as assumed, the baseline first
    by: float  # each assumption so much lower and higher, as a share
    figures: Mapping[str, Sensitivity]

    @staticmethod
    def of(found: Findings, scenarios: Sequence[str], varied: Sequence[Varied], by: float) -> Tornado:
        """`found` is about the scenarios as assumed and all runs of `varied`."""
        figures = {
            kpi: sensitivity(found.comparison, scenarios, varied, kpi, KPIS[kpi].better) for kpi in found.headline
        }
        return Tornado(found, tuple(scenarios), by, figures)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Those that matter most to the first leading KPI first."""
        swings = next(iter(self.figures.values())).swings
        widest: dict[str, float] = {}
        for swing in swings:
            if swing.scenario != self.scenarios[0] or len(self.scenarios) == 1:
                widest[swing.assumption] = max(widest.get(swing.assumption, 0.0), swing.width)
        return tuple(sorted(widest, key=lambda name: -widest[name]))

    def label(self, assumption: str) -> str:
        entries = [c.get("assumptions", {}).get(assumption) for c in self.found.comparison.configs.values()]
        entry: Mapping[str, Any] = next(filter(None, entries), {})
        return self.found.words.label(entry.get("label"), assumption)

    def swings(self, kpi: str, scenario: str) -> list[Swing]:
        """In the order of the assumptions."""
        here = {swing.assumption: swing for swing in self.figures[kpi].swings if swing.scenario == scenario}
        return [here[name] for name in self.assumptions]

    # ------------------------------------------------------------------ sentences
    def answer(self) -> list[str]:
        say, told = self.found.words, []
        percent = number(100 * self.by, 0)
        for kpi in self.found.leading[:1]:
            flips = self.figures[kpi].flips
            if len(self.scenarios) > 1:
                key = "tornado.flips" if flips else "tornado.holds"
                told.append(say(key, kpi=self.found.phrase(kpi), by=percent, n=len(self.assumptions)))
            told += [self._flip(flip) for flip in sorted(flips, key=lambda f: abs(f.factor - 1))]
            told += [self._most(kpi, scenario, percent) for scenario in self.scenarios[1:] or self.scenarios]
        return told

    def _flip(self, flip: Flip) -> str:
        change = number(abs(100 * (flip.factor - 1)), 1)
        key = f"tornado.{'higher' if flip.factor > 1 else 'lower'}_{'shown' if flip.is_shown else 'luck'}"
        names = {"before": self.found.label(flip.before), "after": self.found.label(flip.after)}
        return self.found.words(key, assumption=self.label(flip.assumption), by=change, **names)

    def _most(self, kpi: str, scenario: str, percent: str) -> str:
        """The assumption on which a measure's effect depends most."""
        swing = max(self.swings(kpi, scenario), key=lambda swing: swing.width)
        shown = swing.level if scenario == self.scenarios[0] else swing.effect
        scale = self.found.scale(kpi)
        ends = [scale.numbers(*_at(shown, k), signed=shown is swing.effect)[0] for k in (0, 2)]
        low, high = (scale.difference(end, in_words=True) for end in ends)
        key = "tornado.most_level" if shown is swing.level else "tornado.most"
        names = {"measure": self.found.label(scenario), "assumption": self.label(swing.assumption)}
        return self.found.words(key, **names, kpi=self.found.phrase(kpi), by=percent, low=low, high=high)

    # ------------------------------------------------------------------ tables
    def table(self, kpi: str, scenario: str) -> Table:
        """Assumptions, the one that matters most first: the figure where it is lower, as it is, higher."""
        say, percent = self.found.words, number(100 * self.by, 0)
        scale, is_base = self.found.scale(kpi), scenario == self.scenarios[0]
        symbol = scale.symbol if is_base else scale.difference_symbol
        header = (
            Cell(say("table.assumption")),
            Cell(say("tornado.less", by=percent), symbol),
            Cell(say("tornado.as_assumed"), symbol),
            Cell(say("tornado.more", by=percent), symbol),
        )
        rows = []
        for swing in self.swings(kpi, scenario):
            shown = swing.level if is_base else swing.effect
            cells = (self._cell(kpi, shown, k, signed=not is_base) for k in range(3))
            rows.append((Cell(self.label(swing.assumption)), *cells))
        return Table(header, tuple(rows))

    def _cell(self, kpi: str, e: Estimate, k: int, signed: bool) -> Cell:
        return measured(self.found.scale(kpi), *_at(e, k), signed=signed)

    # ------------------------------------------------------------------ files
    def page(self, typed: str) -> Blocks:
        """The report."""
        say = self.found.words
        told: Blocks = [
            Heading(say("tornado.title", study=self.found.study), 1),
            Heading(say("page.answer")),
            Bullets(tuple(self.answer())),
            Paragraph(say("tornado.basis", n=self.found.comparison.n, by=number(100 * self.by, 0))),
        ]
        for kpi in self.figures:
            told += [Heading(self.found.kpi(kpi)), Picture(kpi, self.found.kpi(kpi))]
            for scenario in self.scenarios:
                key = "tornado.level_of" if scenario == self.scenarios[0] else "tornado.effect_of"
                told += [Heading(say(key, scenario=self.found.label(scenario)), 3), self.table(kpi, scenario)]
        return [*told, *page.rests(self.found, typed)]

    def rows(self) -> Rows:
        """kpi, assumption, scenario, factor, level, effect with its interval: for a CSV file."""
        return [
            (kpi, s.assumption, s.scenario, float(s.factors[k]), float(s.level.mean[k]), *_at(s.effect, k))
            for kpi, figure in self.figures.items()
            for s in figure.swings
            for k in range(3)
        ]

    def flip_rows(self) -> Rows:
        return [
            (kpi, flip.assumption, flip.factor, flip.before, flip.after, flip.is_shown)
            for kpi, figure in self.figures.items()
            for flip in figure.flips
        ]


def _at(e: Estimate, k: int) -> tuple[float, float, float]:
    return float(e.mean[k]), float(e.lower[k]), float(np.asarray(e.upper)[k])
