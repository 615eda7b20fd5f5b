"""What the report says of a scorecard: grades and scores of all scenarios, and what they rest on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from servsim.grading import Card, Graded, graded
from servsim.kpis import KPIS
from servsim.model.scorecard import GRADES, Scorecard
from servsim.report.findings import Findings
from servsim.report.numbers import Quantity, decimals, quantity, signs
from servsim.report.tables import Cell, Table, measured
from servsim.report.writing import NONE, number, scale
from servsim.statistics import BETTER, NOT_SHOWN, WORSE, Estimate

COLUMNS = ("scenario", "of", "grade", "score", "lower", "upper", *GRADES)


@dataclass(frozen=True)
class Scored:
    """A scorecard and what it says, in the reader's language."""

    found: Findings
    asked: Scorecard

    @staticmethod
    def of(found: Findings) -> Scored | None:
        """The scorecard of the baseline's configuration, None where there is none."""
        written = found.config.get("scorecard")
        return Scored(found, Scorecard.model_validate(written)) if written else None

    @cached_property
    def card(self) -> Card:
        return graded(self.found.comparison, self.asked)

    # ------------------------------------------------------------------ sentences
    def answer(self) -> list[str]:
        """The grade of the baseline, and of the scenario with the best score."""
        say, overall = self.found.words, self.card.overall
        base = self.found.baseline
        best = max(overall, key=lambda name: float(overall[name].score.mean))
        told = [say("scorecard.now", scenario=self.found.label(base), **self._told(overall[base]))]
        if best != base:
            told.append(say("scorecard.best", scenario=self.found.label(best), **self._told(overall[best])))
        return told

    def _told(self, of: Graded) -> dict[str, str]:
        return {"grade": self.found.words(f"grade.{of.grade}"), "score": number(float(of.score.mean), 1)}

    # ------------------------------------------------------------------ tables
    def tables(self) -> Iterator[tuple[str, Table]]:
        """(key of the heading, table)"""
        yield "scorecard.grades", self.grades()
        yield "scorecard.criteria", self.criteria()
        if self.card.by_season:
            yield "scorecard.seasons", self.seasons()
        if self.card.efficiency:
            yield "scorecard.efficiency", self.efficiency()
        if self.card.worth:
            yield "scorecard.worth", self.worth()

    def grades(self) -> Table:
        """Scenarios, the best first: grade, score, difference from the baseline, grade by criterion."""
        say, card = self.found.words, self.card
        names = sorted(card.overall, key=lambda name: -float(card.overall[name].score.mean))
        criteria = list(dict.fromkeys(criterion for _, criterion in card.by_criterion))
        header = ("table.scenario", "scorecard.grade", "scorecard.score", "scorecard.difference")
        titles = [Cell(say(key)) for key in header] + [Cell(self._criterion(name)) for name in criteria]
        rows = []
        for name in names:
            of = card.overall[name]
            rows.append(
                (
                    Cell(self.found.label(name), say("table.baseline") if name == self.found.baseline else ""),
                    Cell(say(f"grade.{of.grade}")),
                    _points(of.score),
                    Cell(NONE) if name == self.found.baseline else _points(card.difference[name], signed=True),
                    *(self._cell(card.by_criterion[name, criterion]) for criterion in criteria),
                )
            )
        notes = [say("scorecard.note")]
        if card.left_out:
            notes.append(say("scorecard.left_out", indicators=say.list([self._path(path) for path in card.left_out])))
        return Table(tuple(titles), tuple(rows), tuple(notes))

    def _cell(self, of: Graded) -> Cell:
        score = float(of.score.mean)
        return Cell(self.found.words(f"grade.{of.grade}"), number(score, 1), number=Quantity(score, form=decimals(1)))

    def criteria(self) -> Table:
        """Criteria and their indicators: weight, the values of the grades."""
        say, card = self.found.words, self.card
        header = ("scorecard.indicator", "scorecard.weight", "scorecard.ratio", *(f"grade.{grade}" for grade in GRADES))
        rows = []
        for name, of in self.asked.criteria.items():
            empty = (Cell(""),) * len(GRADES)
            rows.append((Cell(self._criterion(name)), _weight(card.weights[name]), _ratio(card.ratios[name]), *empty))
            for which, indicator in of.indicators.items():
                at = scale(KPIS[indicator.kpi].unit, max(map(abs, indicator.typical)), self._currency, say)
                values = tuple(
                    Cell(at.value(value), number=quantity(at, value, math.nan, math.nan)) for value in indicator.typical
                )
                label = say.label(indicator.label.model_dump(exclude_none=True), self.found.kpi(indicator.kpi))
                rows.append((Cell(f"– {label}"), _weight(card.weights[f"{name}.{which}"]), Cell(""), *values))
        ratio = say("scorecard.consistency", ratio=number(card.ratios[""], 2))
        return Table(tuple(Cell(say(key)) for key in header), tuple(rows), (ratio,))

    def seasons(self) -> Table:
        """Scenarios × seasons: grade and score with the weights of the season."""
        say, card = self.found.words, self.card
        seasons = list(self.asked.seasons)
        titles = [say.label(self.asked.seasons[s].label.model_dump(exclude_none=True), s) for s in seasons]
        rows = [
            (Cell(self.found.label(name)), *(self._cell(card.by_season[name, season]) for season in seasons))
            for name in card.overall
        ]
        return Table((Cell(say("table.scenario")), *map(Cell, titles)), tuple(rows))

    def efficiency(self) -> Table:
        """Units by data envelopment analysis: the share of the inputs that would do."""
        say, found = self.found.words, self.found
        rows = []
        for (scenario, department), score in self.card.efficiency.items():
            unit = f"{found.label(scenario)} · {found.group(f'department={department}')}" if department else ""
            share = Cell(number(100 * score, 1), number=Quantity(score, form="0.0%"))
            rows.append((Cell(unit or found.label(scenario)), share))
        header = (Cell(say("scorecard.unit")), Cell(say("scorecard.efficient"), "%"))
        return Table(header, tuple(rows), (say("scorecard.note_efficiency"),))

    def worth(self) -> Table:
        """Scenarios × what a gain is worth, in money."""
        say, card = self.found.words, self.card
        names = list(dict.fromkeys(name for _, name in card.worth))
        titles = []
        for name in names:
            of = self.asked.worth[name]
            titles.append(say.label(of.label.model_dump(exclude_none=True), self.found.kpi(of.kpi)))
        rows = []
        for scenario in self.found.alternatives:
            rows.append((Cell(self.found.label(scenario)), *(self._money(card.worth[scenario, n]) for n in names)))
        return Table((Cell(say("table.scenario")), *map(Cell, titles)), tuple(rows))

    def _money(self, e: Estimate) -> Cell:
        at = scale("money", abs(float(e.mean)), self._currency, self.found.words)
        shown = measured(at, float(e.mean), float(e.lower), float(e.upper), signed=True)
        return replace(shown, text=at.difference(shown.text))

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """scenario, of ("all", criterion=…, season=…), grade, score, lower, upper, membership of each grade."""
        card = self.card
        every = [(name, "all", of) for name, of in card.overall.items()]
        every += [(name, f"criterion={which}", of) for (name, which), of in card.by_criterion.items()]
        every += [(name, f"season={which}", of) for (name, which), of in card.by_season.items()]
        for name, which, of in every:
            score = (float(part) for part in (of.score.mean, of.score.lower, of.score.upper))
            yield (name, which, of.grade, *score, *of.membership.tolist())

    @property
    def _currency(self) -> str | None:
        return self.found.config.get("currency")

    def _criterion(self, name: str) -> str:
        return self.found.words.label(self.asked.criteria[name].label.model_dump(exclude_none=True), name)

    def _path(self, path: str) -> str:
        name, _, which = path.partition(".")
        indicator = self.asked.criteria[name].indicators[which]
        return self.found.words.label(indicator.label.model_dump(exclude_none=True), which)


def _points(e: Estimate, signed: bool = False) -> Cell:
    score, low, high = (float(part) for part in (e.mean, e.lower, e.upper))
    mean, lower, upper = (number(end, 1, signed) for end in (score, low, high))
    shown = "" if not signed else (BETTER if e.mean > 0 else WORSE) if e.lower * e.upper > 0 else NOT_SHOWN
    form = signs(decimals(1)) if signed else decimals(1)
    return Cell(mean, f"[{lower}, {upper}]" if lower != NONE else "", shown, number=Quantity(score, low, high, form))


def _weight(weight: float) -> Cell:
    return Cell(number(weight, 3), number=Quantity(weight, form=decimals(3)))


def _ratio(ratio: float) -> Cell:
    return Cell(number(ratio, 2), number=Quantity(ratio, form=decimals(2)))
