"""What the report of a tuning says: which values reproduce the facts, and what the facts leave open."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from servsim.model import Scenario
from servsim.model.basis import Fact
from servsim.report import page
from servsim.report.document import Blocks, Bullets, Heading, Paragraph, Picture, Typed, notes
from servsim.report.findings import Findings
from servsim.report.numbers import Quantity, decimals, quantity
from servsim.report.tables import Cell, Table, measured
from servsim.report.writing import number
from servsim.statistics import BETTER, WORSE
from servsim.tuning import NOT_PINNED, PINNED, Combination, Conflict, Tuning

Rows = list[tuple[Any, ...]]
COLUMNS = ("assumption", "low", "high", "factor", "accepted_low", "accepted_high", "share_of_range", "verdict")
FACT_COLUMNS = ("fact", "kpi", "group", "reported", "tolerance", "stated", "tuned", "lower", "upper", "met")
PICTURE = "accepted"
_TELLING = 0.5
"""Share of its range below which a combination is told."""


@dataclass(frozen=True)
class Tuned:
    """The findings about the scenario as stated and as found, and what the search says."""

    found: Findings
    tuning: Tuning
    scenario: Scenario  # as stated
    lines: tuple[str, ...]  # the settings found, as they are typed
    typed: tuple[str, ...]  # those typed for both

    @property
    def names(self) -> tuple[str, str]:
        """Of the scenario as stated and as found."""
        stated, found = self.found.comparison.scenarios
        return stated, found

    def assumption(self, name: str) -> str:
        return self.scenario.assumptions[name].label.text(self.found.words.language, name)

    def fact(self, name: str) -> str:
        fact = self.scenario.facts[name]
        group = self.found.group(fact.group)
        return fact.label.text(self.found.words.language, name) + (f" ({group})" if group else "")

    def missed(self, scenario: str = "") -> list[str]:
        """Facts that the mean is not within the tolerance of; as found unless another scenario is named."""
        every = self.scenario.facts.items()
        return [name for name, fact in every if not self._is_met(fact, scenario or self.names[1])]

    # ------------------------------------------------------------------ sentences
    def answer(self) -> list[str]:
        say, missed = self.found.words, self.missed()
        n = len(self.scenario.facts)
        as_stated = say("tuned.stated", n=n - len(self.missed(self.names[0])))
        if missed:
            facts = say.list([self._quoted(name) for name in missed])
            told = [say("tuned.missed", n=n, met=n - len(missed), facts=facts, stated=as_stated)]
        else:
            told = [say("tuned.met", n=n, stated=as_stated)]
        told += map(self._conflict, self.tuning.conflicts)
        return [*told, *self._open(), *self._combinations(), *self._trade()]

    def _quoted(self, name: str) -> str:
        return self.found.words("tuned.quoted", name=self.fact(name))

    def _conflict(self, conflict: Conflict) -> str:
        say, fact = self.found.words, self.scenario.facts[conflict.fact]
        scale = self.found.scale(fact.kpi)
        alone, together = (scale.value(_shown(fact, value)) for value in (conflict.alone, conflict.together))
        texts = {"reported": scale.value(fact.value), "alone": alone, "together": together}
        key = "tuned.against" if conflict.against else "tuned.jointly" if conflict.possible else "tuned.impossible"
        others = say.list([self._quoted(name) for name in conflict.against])
        return say(key, fact=self.fact(conflict.fact), others=others, **texts)

    def _open(self) -> Iterator[str]:
        """What is not pinned down, and what lies at the edge of its range."""
        say, ranges = self.found.words, self.tuning.ranges
        verdicts = [accepted.verdict for accepted in self.tuning.accepted]
        loose = [self.assumption(a) for a, v in zip(ranges.assumptions, verdicts, strict=True) if v == NOT_PINNED]
        yield say("tuned.open", assumptions=say.list(loose)) if loose else say("tuned.none_open")
        places = ranges.places(self.tuning.factors[None, :])[0]
        edge = [self.assumption(a) for a, at in zip(ranges.assumptions, places, strict=True) if abs(at) > 0.99]
        if edge:
            yield say("tuned.edge", assumptions=say.list(edge))

    def _combinations(self) -> Iterator[str]:
        """Products of assumptions that are pinned down where one of them alone is not."""
        say = self.found.words
        told: dict[str, list[Combination]] = {}
        for one in self.tuning.combinations:
            loose = any(self.tuning.accepted[i].verdict != PINNED for i in np.flatnonzero(one.powers))
            if loose and one.accepted.share < _TELLING:
                told.setdefault(self._product(one.powers), []).append(one)
        for product, by in told.items():
            low, high = max(one.accepted.low for one in by), min(one.accepted.high for one in by)
            ends = {"low": number(100 * (low - 1), 0, signed=True), "high": number(100 * (high - 1), 0, signed=True)}
            facts = say.list([self._quoted(one.fact) for one in by])
            yield say("tuned.combination", facts=facts, product=product, **ends)

    def _product(self, powers: Any) -> str:
        """'Volume × Service times^0.5 ÷ Staff'"""
        signs = {True: " × ", False: " ÷ "}
        order = sorted(np.flatnonzero(powers), key=lambda i: powers[i] < 0)
        first = 1.0 if powers[order[0]] > 0 else -1.0  # 1 ÷ product says as much
        text = ""
        for i in order:
            size = abs(float(powers[i]))
            part = self.assumption(self.tuning.ranges.assumptions[i]) + ("" if size > 0.95 else f"^{size:.1f}")
            text += (signs[bool(powers[i] * first > 0)] if text else "") + part
        return text

    def _trade(self) -> Iterator[str]:
        """What may go up together with what goes down."""
        say, trade = self.found.words, self.tuning.trade
        if trade.any():
            moves = [
                say(
                    "tuned.higher" if power > 0 else "tuned.lower",
                    assumption=self.assumption(name),
                    by=number(abs(100 * (1.1**power - 1)), 0),
                )
                for name, power in zip(self.tuning.ranges.assumptions, trade.tolist(), strict=True)
                if power
            ]
            yield say("tuned.trade", moves=say.list(moves))

    # ------------------------------------------------------------------ tables
    def assumptions(self) -> Table:
        """Assumptions: range, factor found, accepted range, its share of the range, verdict."""
        say, ranges = self.found.words, self.tuning.ranges
        header = ("assumption", "range", "factor", "accepted", "share", "verdict")
        rows = []
        for i, name in enumerate(ranges.assumptions):
            accepted = self.tuning.accepted[i]
            factor, share = float(self.tuning.factors[i]), float(accepted.share)
            row = (
                Cell(self.assumption(name)),
                Cell(_span(ranges.low[i], ranges.high[i])),
                Cell(f"{factor:.4g}", number=Quantity(factor, form=decimals(3))),
                Cell(_span(accepted.low, accepted.high)),
                Cell(f"{number(100 * share, 0)}{say('unit.gap')}%", number=Quantity(share, form="0%")),
                Cell(say(f"tuned.{accepted.verdict}")),
            )
            rows.append(row)
        note = "tuned.note_missed" if self.tuning.conflicts else "tuned.note"
        return Table(tuple(Cell(say(f"tuned.column.{c}")) for c in header), tuple(rows), (say(note),))

    def facts(self) -> Table:
        """Facts: reported, as stated, as found with its interval, tolerance, met."""
        say = self.found.words
        header = ("fact", "reported", "as_stated", "as_found", "tolerance", "met")
        rows = [self._fact(name, fact) for name, fact in self.scenario.facts.items()]
        return Table(tuple(Cell(say(f"tuned.column.{c}")) for c in header), tuple(rows))

    def _fact(self, name: str, fact: Fact) -> tuple[Cell, ...]:
        say, scale = self.found.words, self.found.scale(fact.kpi)
        shown = [measured(scale, *self._simulated(fact, scenario)) for scenario in self.names]
        tolerance = f"{fact.tolerance * scale.factor:.3f}".rstrip("0").rstrip(".")
        met = self._is_met(fact, self.names[1])
        verdict = Cell(say("table.yes" if met else "table.no"), verdict=BETTER if met else WORSE)
        allowed = Cell(f"± {scale.difference(tolerance, in_words=True)}")
        reported = Cell(scale.value(fact.value), number=quantity(scale, fact.value, math.nan, math.nan))
        return (Cell(self.fact(name)), reported, *shown, allowed, verdict)

    def _simulated(self, fact: Fact, scenario: str) -> tuple[float, float, float]:
        """(mean, ends of its interval) on the scale of the source."""
        e = self.found.estimate(scenario, fact.kpi, fact.group)
        if e is None:
            return math.nan, math.nan, math.nan
        if fact.transform == "complement":
            return 1 - e.mean, 1 - e.upper, 1 - e.lower
        return e.mean, e.lower, e.upper

    def _is_met(self, fact: Fact, scenario: str) -> bool:
        return abs(self._simulated(fact, scenario)[0] - fact.value) <= fact.tolerance + 1e-12

    # ------------------------------------------------------------------ files
    def command(self) -> str:
        """What shows the facts with the settings found."""
        return page.command(self.found, [*self.typed, *self.lines], "facts", [self.scenario.name])

    def page(self, typed: str) -> Blocks:
        """The report."""
        say = self.found.words
        table = self.assumptions()
        basis = say("tuned.basis", points=len(self.tuning.design), n=self.found.comparison.n)
        told: Blocks = [
            Heading(say("tuned.title", study=self.found.study), 1),
            Heading(say("page.answer")),
            Bullets(tuple(self.answer())),
            Paragraph(basis),
            Heading(say("tuned.facts")),
            self.facts(),
            Heading(say("tuned.assumptions")),
            table,
            *notes(table),
            Picture(PICTURE, say("tuned.picture")),
        ]
        if self.lines:
            told += [Heading(say("tuned.lines")), Typed("\n".join(self.lines)), Typed(self.command())]
        return [*told, *page.rests(self.found, typed)]

    def rows(self) -> Rows:
        """As COLUMNS says: for a CSV file."""
        t, of = self.tuning, self.tuning.ranges
        numbers = np.array([of.low, of.high, t.factors]).T.tolist()
        every = zip(of.assumptions, numbers, t.accepted, strict=True)
        return [(name, *row, a.low, a.high, a.share, a.verdict) for name, row, a in every]

    def fact_rows(self) -> Rows:
        stated, tuned = self.names
        return [
            (
                name, fact.kpi, fact.group, fact.value, fact.tolerance, self._simulated(fact, stated)[0],
                *self._simulated(fact, tuned), self._is_met(fact, tuned),
            )
            for name, fact in self.scenario.facts.items()
        ]  # fmt: skip

    def design_columns(self) -> tuple[str, ...]:
        return (*self.tuning.ranges.assumptions, *self.tuning.ranges.facts)

    def design_rows(self) -> Rows:
        """Factors of each point that was run, and what the facts' KPIs were there."""
        return [tuple(map(float, row)) for row in np.hstack([self.tuning.design, self.tuning.values])]


def _shown(fact: Fact, value: float) -> float:
    return 1 - value if fact.transform == "complement" else value


def _span(low: float, high: float) -> str:
    """'0.8–1.25'"""
    return f"{low:.3g}–{high:.3g}"
