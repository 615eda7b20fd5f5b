"""What the report says of a scorecard: grades and scores of all scenarios, and what they rest on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from servsim.grading import Card, Graded, graded
from servsim.kpis import KPIS
from servsim.model.base import Label
from servsim.model.scorecard import GRADES, Criterion, Indicator, Scorecard, Subcriterion
from servsim.report.findings import Findings
from servsim.report.numbers import Quantity, decimals, quantity, signs
from servsim.report.tables import Cell, Table, measured
from servsim.report.words import Words
from servsim.report.writing import NONE, Scale, number, scale
from servsim.scoring import memberships
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

    @cached_property
    def best(self) -> str:
        """The scenario with the best score."""
        overall = self.card.overall
        return max(overall, key=lambda name: float(overall[name].score.mean))

    # ------------------------------------------------------------------ sentences
    def answer(self) -> list[str]:
        """The grade of the baseline, and of the scenario with the best score."""
        say, overall = self.found.words, self.card.overall
        base, best = self.found.baseline, self.best
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
        yield "scorecard.stands", self.stands()
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
                    self._steady(of),
                    _points(of.score),
                    Cell(NONE) if name == self.found.baseline else _points(card.difference[name], signed=True),
                    *(self._cell(card.by_criterion[name, criterion]) for criterion in criteria),
                )
            )
        notes = [say("scorecard.note"), say(f"scorecard.by_{self.asked.grade_by}")]
        if card.left_out:
            notes.append(say("scorecard.left_out", indicators=say.list([self._path(path) for path in card.left_out])))
        return Table(tuple(titles), tuple(rows), tuple(notes))

    def _cell(self, of: Graded) -> Cell:
        return replace(_points(of.score), text=self.found.words(f"grade.{of.grade}"), detail=_interval(of.score))

    def _steady(self, of: Graded) -> Cell:
        """The grade, and how often a replication has it by itself."""
        share = self.found.words("scorecard.steady", share=number(100 * of.steady, 0))
        return Cell(self.found.words(f"grade.{of.grade}"), share, number=Quantity(of.steady, form="0%"))

    def criteria(self) -> Table:
        """Criteria and their indicators: weight, the values of the grades."""
        say, card = self.found.words, self.card
        header = ("scorecard.indicator", "scorecard.weight", *(f"grade.{grade}" for grade in GRADES))
        rows = tuple(
            self._leaf(of, path) if isinstance(of, Indicator) else self._branch(of, path) for path, of in self._every()
        )
        ratio = say("scorecard.consistency", ratio=number(max(card.ratios.values()), 2))
        return Table(tuple(Cell(say(key)) for key in header), rows, (say("scorecard.note_weight"), ratio))

    def stands(self) -> Table:
        """Indicators: the value of the baseline and of the best scenario, and the grade to which it is nearest."""
        shown = list(dict.fromkeys([self.found.baseline, self.best]))
        titles = (self.found.words("scorecard.indicator"), *map(self.found.label, shown))
        rows = []
        for _, of in self._every():
            if isinstance(of, Indicator):
                at = scale(KPIS[of.kpi].unit, max(map(abs, of.typical)), self._currency, self.found.words)
                label = self._called(of.label, self.found.kpi(of.kpi))
                rows.append((Cell(label), *(self._stands(of, at, scenario) for scenario in shown)))
        return Table(tuple(map(Cell, titles)), tuple(rows))

    def _every(self) -> Iterator[tuple[str, Criterion | Subcriterion | Indicator]]:
        """(path, criterion or indicator), each criterion followed by what is below it."""
        for name, of in self.asked.criteria.items():
            yield name, of
            for sub, below in of.criteria.items():
                yield f"{name}.{sub}", below
                yield from ((f"{name}.{sub}.{at}", indicator) for at, indicator in below.indicators.items())
            yield from ((f"{name}.{at}", indicator) for at, indicator in of.indicators.items())

    def _branch(self, of: Criterion | Subcriterion, path: str) -> tuple[Cell, ...]:
        label = self._called(of.label, path.rpartition(".")[2])
        return Cell(_indented(label, path)), self._weight(path), *(Cell(""),) * len(GRADES)

    def _leaf(self, of: Indicator, path: str) -> tuple[Cell, ...]:
        """An indicator: the values of the grades."""
        at = scale(KPIS[of.kpi].unit, max(map(abs, of.typical)), self._currency, self.found.words)
        values = [Cell(at.value(v), number=quantity(at, v, math.nan, math.nan)) for v in of.typical]
        label = self._called(of.label, self.found.kpi(of.kpi))
        return Cell(_indented(label, path)), self._weight(path), *values

    def _stands(self, of: Indicator, at: Scale, scenario: str) -> Cell:
        """The value of an indicator, and the grade to which it belongs most."""
        e = self.found.estimate(scenario, of.kpi, of.group)
        if e is None or math.isnan(e.mean):
            return Cell(NONE)
        grade = GRADES[int(memberships(float(e.mean), of.typical).argmax())]
        value, lower, upper = (float(part) for part in (e.mean, e.lower, e.upper))
        return Cell(at.value(value), self.found.words(f"grade.{grade}"), number=quantity(at, value, lower, upper))

    def _weight(self, path: str) -> Cell:
        """The weight among siblings, and that in the whole."""
        own, whole = self.card.weights[path], math.prod(self.card.weights[at] for at in _upwards(path))
        of_all = self.found.words("scorecard.of_all", share=number(100 * whole, 1))
        return Cell(number(own, 3), of_all if "." in path else "", number=Quantity(whole, form="0.0%"))

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
        """Scenarios (× departments) by data envelopment analysis: the share of the inputs that would do."""
        say, found, card = self.found.words, self.found, self.card
        departments = list(dict.fromkeys(department for _, department in card.efficiency))
        titles = [found.group(f"department={name}") if name else say("scorecard.efficient") for name in departments]
        rows = [
            (Cell(found.label(s)), *(_share(say, card.efficiency.get((s, department))) for department in departments))
            for s in dict.fromkeys(scenario for scenario, _ in card.efficiency)
        ]
        ask = self.asked.efficiency
        named = [say.list([found.kpi(kpi) for kpi in of]) for of in (ask.inputs, ask.outputs)] if ask else ["", ""]
        notes = [say("scorecard.note_efficiency", inputs=named[0], outputs=named[1])]
        if departments != [""]:
            notes.append(say("scorecard.note_departments"))
        return Table(tuple(map(Cell, [say("table.scenario"), *titles])), tuple(rows), tuple(notes))

    def worth(self) -> Table:
        """Scenarios × what a gain is worth, in money; what is left of all when the additional cost is paid."""
        say, card = self.found.words, self.card
        names = list(dict.fromkeys(name for _, name in card.worth))
        titles = [self._called(of.label, self.found.kpi(of.kpi)) for of in (self.asked.worth[name] for name in names)]
        rows = [
            (
                Cell(self.found.label(scenario)),
                *(self._money(card.worth[scenario, name]) for name in names),
                self._money(card.left[scenario], judged=True),
            )
            for scenario in sorted(self.found.alternatives, key=lambda s: -float(card.left[s].mean))
        ]
        rates = say("scorecard.rates", rates=say("list.strong").join(map(self._rate, names)))
        header = (say("table.scenario"), *titles, say("scorecard.left"))
        return Table(tuple(map(Cell, header)), tuple(rows), (rates, say("scorecard.note_left")))

    def _rate(self, name: str) -> str:
        """What the gain is worth, as stated."""
        of, say = self.asked.worth[name], self.found.words
        units = {KPIS[of.kpi].unit: of.per, "money": of.money}
        scales = {unit: scale(unit, value, self._currency, say) for unit, value in units.items()}
        told = {unit: at.difference(f"{at.factor * units[unit]:,g}") for unit, at in scales.items()}
        key = "scorecard.rate_each" if of.each_case else "scorecard.rate"
        label = self._called(of.label, self.found.kpi(of.kpi))
        return say(key, gain=label, per=told[KPIS[of.kpi].unit], money=told["money"])

    def _money(self, e: Estimate, judged: bool = False) -> Cell:
        at = scale("money", abs(float(e.mean)), self._currency, self.found.words)
        verdict = _verdict(e) if judged else ""
        shown = measured(at, float(e.mean), float(e.lower), float(e.upper), signed=True, verdict=verdict)
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

    def _called(self, label: Label, otherwise: str) -> str:
        return self.found.words.label(label.model_dump(exclude_none=True), otherwise)

    def _criterion(self, name: str) -> str:
        return self._called(self.asked.criteria[name].label, name)

    def _path(self, path: str) -> str:
        name, *below, which = path.split(".")
        of: Criterion | Subcriterion = self.asked.criteria[name]
        for sub in below:
            of = self.asked.criteria[name].criteria[sub]
        return self._called(of.indicators[which].label, which)


def _upwards(path: str) -> list[str]:
    """The path and those above it.

    >>> _upwards("a.b.c")
    ['a', 'a.b', 'a.b.c']
    """
    parts = path.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def _indented(label: str, path: str) -> str:
    return f"{'– ' * path.count('.')}{label}"


def _share(say: Words, e: Estimate | None) -> Cell:
    """A share in per cent with its interval."""
    if e is None:
        return Cell(NONE)
    share, lower, upper = (float(part) for part in (e.mean, e.lower, e.upper))
    ends = f"[{number(100 * lower, 1)}, {number(100 * min(upper, 1.0), 1)}]" if not math.isnan(lower) else ""
    return Cell(f"{number(100 * share, 1)}{say('unit.gap')}%", ends, number=Quantity(share, lower, upper, "0.0%"))


def _verdict(e: Estimate) -> str:
    return (BETTER if e.mean > 0 else WORSE) if e.lower * e.upper > 0 else NOT_SHOWN


def _interval(e: Estimate) -> str:
    """The score with its interval."""
    mean, lower, upper = (number(float(part), 1) for part in (e.mean, e.lower, e.upper))
    return f"{mean} [{lower}, {upper}]" if lower != NONE else mean


def _points(e: Estimate, signed: bool = False) -> Cell:
    score, low, high = (float(part) for part in (e.mean, e.lower, e.upper))
    mean, lower, upper = (number(end, 1, signed) for end in (score, low, high))
    shown = _verdict(e) if signed else ""
    form = signs(decimals(1)) if signed else decimals(1)
    return Cell(mean, f"[{lower}, {upper}]" if lower != NONE else "", shown, number=Quantity(score, low, high, form))
