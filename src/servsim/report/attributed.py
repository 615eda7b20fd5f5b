"""What the report of an attribution says: which measure earns what share of the joint effect, which work together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from servsim.attribution import Attribution, Design, attribution
from servsim.kpis import KPIS
from servsim.report import page, sentences
from servsim.report.document import Blocks, Bullets, Heading, Paragraph, Picture, notes
from servsim.report.findings import Findings
from servsim.report.numbers import Quantity
from servsim.report.tables import VERDICTS, Cell, Table, measured
from servsim.report.writing import NONE, number
from servsim.statistics import BETTER, NOT_SHOWN, WORSE, Estimate, verdict

Rows = list[tuple[Any, ...]]
MOST_PAIRS = 3
"""Pairs that are told in sentences; the table has all."""


@dataclass(frozen=True)
class Attributed:
    """The findings about all combinations, and the effects that they come down to."""

    found: Findings
    design: Design  # its measures are names of scenarios
    runs: tuple[str, ...]  # the scenario of each run
    effects: Mapping[str, Attribution]  # headline KPI → its attribution

    @staticmethod
    def of(found: Findings, design: Design) -> Attributed:
        """`found` compares the baseline with every run of the design, in its order."""
        runs = found.comparison.scenarios
        effects = {kpi: attribution(found.comparison, design, runs, kpi) for kpi in found.headline}
        return Attributed(found, design, runs, effects)

    def label(self, measure: int) -> str:
        return self.found.label(self.runs[self.design.at(measure)])

    # ------------------------------------------------------------------ sentences
    def answer(self) -> list[str]:
        """What all measures bring together, who earns what share of it, who could be left out, who works together."""
        say = self.found.words
        everything = say("attribution.all", n=len(self.design.measures))
        told = [sentences.measure(self.found, self.runs[-1], everything)]
        for kpi in self.found.leading:
            told.append(self._shares(kpi))
        for kpi in self.found.leading[:1]:
            told += [*self._idle(kpi), *self._pairs(kpi)]
        return told

    def _shares(self, kpi: str) -> str:
        say, found = self.found.words, self.effects[kpi]
        if np.isnan(found.share.mean).all():
            return say("attribution.nothing", kpi=self.found.phrase(kpi))
        order = np.argsort(-found.share.mean, kind="stable")
        parts = [say("attribution.part", measure=self.label(i), share=self._share(found.share, i)) for i in order]
        return say("attribution.parts", kpi=self.found.phrase(kpi), parts=say.list(parts))

    def _share(self, e: Estimate, i: int) -> str:
        value, lower, upper = (number(100 * float(part[i]), 0) for part in (e.mean, e.lower, e.upper))
        key = "attribution.percent_alone" if lower == NONE else "attribution.percent"
        return self.found.words(key, value=value, low=lower, high=upper)

    def _idle(self, kpi: str) -> Iterator[str]:
        """Measures without an effect shown on top of all others."""
        last = self.effects[kpi].last
        idle = [self.label(i) for i in range(len(self.design.measures)) if last.lower[i] <= 0 <= last.upper[i]]
        if idle:
            yield self.found.words("attribution.idle", kpi=self.found.phrase(kpi), measures=self.found.words.list(idle))

    def _pairs(self, kpi: str) -> Iterator[str]:
        """Pairs that are shown to help or to hinder each other, the strongest first."""
        say, beyond, said = self.found.words, self.effects[kpi].together, self._verdicts(kpi)
        order = [k for k in np.argsort(-np.abs(beyond.difference), kind="stable") if said[k] in (BETTER, WORSE)]
        for k in order[:MOST_PAIRS]:
            one, other = map(self.label, self.design.pairs[k])
            size = self._interval(kpi, *_sorted(beyond.difference[k], beyond.lower[k], beyond.upper[k]))
            key = "attribution.helped" if said[k] == BETTER else "attribution.hindered"
            yield say(key, one=one, other=other, kpi=self.found.phrase(kpi), by=size)
        if not order:
            yield say("attribution.apart", kpi=self.found.phrase(kpi))
        if len(order) > MOST_PAIRS:
            yield say("attribution.more_pairs", n=len(order) - MOST_PAIRS)

    def _verdicts(self, kpi: str) -> list[str]:
        beyond, better = self.effects[kpi].together, KPIS[kpi].better or ""
        return [str(word) for word in verdict(beyond.difference, beyond.p, better)]

    def _interval(self, kpi: str, value: float, low: float, high: float) -> str:
        scale = self.found.scale(kpi)
        size, lower, upper = scale.numbers(value, low, high)
        key = "interval.none" if NONE in (lower, upper) else "interval.of"
        return self.found.words(key, size=scale.difference(size, in_words=True), low=lower, high=upper)

    # ------------------------------------------------------------------ tables
    def shares(self, kpi: str) -> Table:
        """Measures, the greatest share first: fair share, share of the total, alone, on top of all others."""
        say, found = self.found.words, self.effects[kpi]
        columns = ("measure", "fair", "share", "alone", "last")
        header = tuple(Cell(say(f"attribution.{c}"), self._symbol(kpi, c)) for c in columns)
        better = -1 if KPIS[kpi].better == "lower" else 1
        rows = [
            (
                Cell(self.label(i)),
                self._cell(kpi, found.fair, i),
                _percent(found.share, i),
                self._cell(kpi, found.alone, i),
                self._cell(kpi, found.last, i),
            )
            for i in np.argsort(-better * found.fair.mean, kind="stable")
        ]
        whole = self._cell(kpi, _row(found.total), 0)
        all_of_it = Cell(NONE) if np.isnan(found.share.mean).all() else Cell("100", number=Quantity(1.0, form="0%"))
        total = (Cell(say("attribution.total")), whole, all_of_it, whole, Cell(""))
        return Table(header, (*rows, total), tuple(self._remarks(kpi)))

    def _remarks(self, kpi: str) -> Iterator[str]:
        yield self.found.words("attribution.note")
        if not self.design.is_full:
            rest = self.found.scale(kpi).numbers(self.effects[kpi].rest, math.nan, math.nan, signed=True)[0]
            yield self.found.words("attribution.fraction", rest=self.found.scale(kpi).difference(rest))

    def pairs(self, kpi: str) -> Table:
        """Pairs of measures and what they bring beyond the sum of both, the strongest first."""
        say, beyond, said = self.found.words, self.effects[kpi].together, self._verdicts(kpi)
        header = (Cell(say("attribution.pair")), Cell(say("attribution.beyond"), self._symbol(kpi, "fair")))
        rows = []
        for k in np.argsort(-np.abs(beyond.difference), kind="stable"):
            one, other = map(self.label, self.design.pairs[k])
            value, lower, upper = (float(part[k]) for part in (beyond.difference, beyond.lower, beyond.upper))
            mark = say(f"verdict.{VERDICTS[said[k]]}") if said[k] else ""
            cell = measured(self.found.scale(kpi), value, lower, upper, True, said[k], mark)
            rows.append((Cell(f"{one} × {other}"), cell))
        return Table(header, tuple(rows), (say("attribution.note_pairs"),))

    def _symbol(self, kpi: str, column: str) -> str:
        scale = self.found.scale(kpi)
        return {"measure": "", "share": "%"}.get(column, scale.difference_symbol)

    def _cell(self, kpi: str, e: Estimate, i: int) -> Cell:
        shown = e.lower[i] * e.upper[i] > 0
        gain = e.mean[i] * (-1 if KPIS[kpi].better == "lower" else 1)
        colour = "" if not KPIS[kpi].better else (BETTER if gain > 0 else WORSE) if shown else NOT_SHOWN
        return measured(self.found.scale(kpi), *_numbers(e, i), signed=True, verdict=colour)

    # ------------------------------------------------------------------ files
    def page(self, overrides: Sequence[str] = ()) -> Blocks:
        """The report."""
        say = self.found.words
        basis = say("attribution.basis", n=self.effects[self.found.headline[0]].n, runs=len(self.runs))
        told: Blocks = [
            Heading(say("attribution.title", study=self.found.study), 1),
            Heading(say("page.answer")),
            Bullets(tuple(self.answer())),
            Paragraph(basis),
        ]
        for kpi in self.effects:
            shares, pairs = self.shares(kpi), self.pairs(kpi)
            told += [Heading(self.found.kpi(kpi)), Picture(kpi, self.found.kpi(kpi))]
            told += [shares, *notes(shares), pairs, *notes(pairs)]
        return [*told, *page.rests(self.found, self.command(overrides))]

    def command(self, overrides: Sequence[str] = ()) -> str:
        """The command that gives the same result again."""
        return page.command(self.found, overrides, "attribute", self.design.measures)

    def rows(self) -> Rows:
        """kpi, effect, measure, other measure, value, lower, upper, p adjusted: for a CSV file."""
        rows: Rows = []
        for kpi, e in self.effects.items():
            rows.append((kpi, "total", "", "", *_numbers(_row(e.total), 0), math.nan))
            for name in ("fair", "share", "alone", "last"):
                estimate: Estimate = getattr(e, name)
                rows += [
                    (kpi, name, measure, "", *_numbers(estimate, i), math.nan)
                    for i, measure in enumerate(self.design.measures)
                ]
            for k, (i, j) in enumerate(self.design.pairs):
                t, both = e.together, (self.design.measures[i], self.design.measures[j])
                rows.append((kpi, "together", *both, t.difference[k], t.lower[k], t.upper[k], t.p[k]))
        return rows


COLUMNS = ("kpi", "effect", "measure", "other", "value", "lower", "upper", "p_adjusted")


def _numbers(e: Estimate, i: int) -> tuple[float, float, float]:
    return float(e.mean[i]), float(e.lower[i]), float(e.upper[i])


def _row(e: Estimate) -> Estimate:
    """A single estimate as a row of one."""
    return Estimate(np.atleast_1d(e.mean), np.atleast_1d(e.lower), np.atleast_1d(e.upper), np.atleast_1d(e.n))


def _percent(e: Estimate, i: int) -> Cell:
    """Value and interval in per cent."""
    value, lower, upper = (number(100 * share, 0) for share in _numbers(e, i))
    detail = f"[{lower}, {upper}]" if lower != NONE else ""
    return Cell(value, detail, number=Quantity(*_numbers(e, i), form="0%"))


def _sorted(value: float, lower: float, upper: float) -> tuple[float, float, float]:
    """Size and interval of an effect, counted in its own direction."""
    return (value, lower, upper) if value >= 0 else (-value, -upper, -lower)
