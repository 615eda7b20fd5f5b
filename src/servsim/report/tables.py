"""Which tables the report shows: text in cells, ready for a terminal, a page or a sheet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from servsim.kpis import KPIS
from servsim.model.basis import Fact
from servsim.report.findings import Difference, Estimate, Findings
from servsim.report.numbers import Quantity, quantity
from servsim.report.words import LANGUAGES
from servsim.report.writing import NONE, Scale
from servsim.statistics import BETTER, NO_VERDICT, NOT_SHOWN, WORSE

VERDICTS = {BETTER: "better", WORSE: "worse", NOT_SHOWN: "not_shown", NO_VERDICT: "none"}
"""A verdict and its key under `verdict` in the catalogues."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, what belongs under or behind it (an interval), the verdict of a difference, the number in it."""

    text: str
    detail: str = ""
    verdict: str = ""
    mark: str = ""
    number: Quantity | None = None  # of the detail where that is no interval, else of the text


def measured(
    scale: Scale, value: float, lower: float, upper: float, signed: bool = False, verdict: str = "", mark: str = ""
) -> Cell:
    """A value, or a difference (`signed`), without its unit, above its interval."""
    text, low, high = scale.numbers(value, lower, upper, signed)
    number = quantity(scale, value, lower, upper, signed)
    return Cell(text, f"[{low}, {high}]" if low != NONE else "", verdict, mark, number)


@dataclass(frozen=True, slots=True)
class Table:
    """Header and rows of the same length; the first column names the row."""

    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    numeric: bool = True  # all columns but the first hold numbers


def comparison(found: Findings) -> Table:
    """Scenarios × headline KPIs: the baseline's values, then the differences from it, the best measure first."""
    return _scenarios_by(found, found.headline)


def costs(found: Findings) -> Table:
    """Scenarios × KPIs in money, as `comparison`; without what is nothing everywhere, or the same as one before it."""
    scenarios = (found.baseline, *found.ranked)
    shown: dict[tuple[float, ...], str] = {}
    for kpi in found.money:
        means = tuple(e.mean if (e := found.estimate(scenario, kpi)) else 0.0 for scenario in scenarios)
        if any(means):
            shown.setdefault(means, kpi)
    return _scenarios_by(found, tuple(shown.values()) or found.money[:1])


def kpis(found: Findings, scenario: str) -> Table:
    """All KPIs of one scenario over all cases: value, interval."""
    say = found.words
    known = dict.fromkeys([*found.headline, *KPIS, *found.measured(scenario)])
    rows = []
    for kpi in known:
        estimate = found.estimate(scenario, kpi)
        if estimate is not None and estimate.n:
            shown = estimate_cell(found, kpi, estimate)
            mean = found.scale(kpi).value(estimate.mean, estimate.half_width)
            rows.append((Cell(found.kpi(kpi)), Cell(mean, number=shown.number), Cell(shown.detail)))
    return Table(tuple(Cell(say(f"table.{c}")) for c in ("kpi", "mean", "interval")), tuple(rows))


def facts(found: Findings) -> Table:
    """What the sources report beside what the baseline simulates: reported, simulated, tolerance, within it or not."""
    header = tuple(
        Cell(found.words(f"table.{c}")) for c in ("fact", "reported", "simulated", "tolerance", "within", "source")
    )
    return Table(header, tuple(_fact(found, name, fact) for name, fact in _entries(found, "facts")), numeric=False)


def fact_told(found: Findings, name: str) -> tuple[str, str, str]:
    """(label, reported, simulated with its interval) of a fact."""
    label, reported, simulated, *_ = _fact(found, name, dict(_entries(found, "facts"))[name])
    low, _, high = simulated.detail.strip("[]").partition(", ")
    told = found.words("interval.of", size=simulated.text, low=low, high=high) if high else simulated.text
    return label.text, reported.text, told


def not_modelled(found: Findings) -> Table:
    """What the service has and the model has not, and what that means; of all scenarios."""
    header = (Cell(found.words("table.left_out")), Cell(found.words("table.meaning")))
    rows = ((named(found, entry, name), found.words.label(entry.get("why"), "")) for name, entry in left_out(found))
    return Table(header, tuple(tuple(map(Cell, row)) for row in rows), numeric=False)


def left_out(found: Findings) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each thing that any scenario names under `not_modelled`, once."""
    return _once(found, "not_modelled")


def named(found: Findings, entry: Mapping[str, Any], name: str) -> str:
    return found.words.label(entry.get("label"), name)


def assumptions(found: Findings) -> Table:
    """What the baseline takes for granted and why, then what the measures add to that."""
    say = found.words
    header = tuple(Cell(say(f"table.{c}")) for c in ("assumption", "value", "why"))
    rows = (
        (say.label(a.get("label"), name), _assumed(found, a.get("value")), say.label(a.get("why"), ""))
        for name, a in _once(found, "assumptions")
    )
    return Table(header, tuple(tuple(map(Cell, row)) for row in rows), numeric=False)


def _once(found: Findings, section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each entry of any scenario once, by name; a scenario that changes one has its own."""
    listed: list[tuple[str, Mapping[str, Any]]] = []
    for scenario in (found.baseline, *found.alternatives):
        for entry in _entries(found, section, scenario):
            if entry not in listed:
                listed.append(entry)
                yield entry


def _assumed(found: Findings, value: Any) -> str:
    """A value, which may be written in two languages."""
    if isinstance(value, Mapping) and set(value) <= set(LANGUAGES):
        return found.words.label(value, NONE)
    return NONE if value is None else str(value)


def failures(found: Findings) -> Table:
    """Replications that did not end: scenario, number, seed, message."""
    header = tuple(Cell(found.words(f"table.{c}")) for c in ("scenario", "replication", "seed", "message"))
    columns = ["scenario", "replication", "seed", "message"]
    failed = found.comparison.failures[columns].itertuples(index=False, name=None)
    rows = (
        (Cell(found.label(str(scenario))), _count(int(replication)), Cell(str(seed)), Cell(str(message)))
        for scenario, replication, seed, message in failed
    )
    return Table(header, tuple(rows), numeric=False)


def _count(n: int) -> Cell:
    return Cell(str(n), number=Quantity(float(n), form="0"))


def within_tolerance(found: Findings, fact: Mapping[str, Any]) -> tuple[Estimate | None, bool]:
    """(what the baseline simulates for a fact, is its mean within the fact's tolerance)."""
    estimate = found.estimate(found.baseline, str(fact["kpi"]), str(fact.get("group", "all")))
    if estimate is None:
        return None, False
    if fact.get("transform") == "complement":
        estimate = Estimate(1 - estimate.mean, 1 - estimate.upper, 1 - estimate.lower, estimate.n)
    reported = Fact.model_validate(fact)
    return estimate, abs(estimate.mean - reported.value) <= reported.tolerance + 1e-12


def missed(found: Findings) -> list[str]:
    """The facts that the baseline does not come near enough to."""
    return [name for name, fact in _entries(found, "facts") if not within_tolerance(found, fact)[1]]


def _scenarios_by(found: Findings, columns: tuple[str, ...]) -> Table:
    say = found.words
    header = (Cell(say("table.scenario")), *(Cell(found.kpi(kpi), found.scale(kpi).symbol) for kpi in columns))
    baseline = (
        Cell(found.label(found.baseline), say("table.baseline")),
        *(estimate_cell(found, kpi, found.estimate(found.baseline, kpi)) for kpi in columns),
    )
    rows = [
        (Cell(found.label(s)), *(difference_cell(found, kpi, found.difference(s, kpi)) for kpi in columns))
        for s in found.ranked
    ]
    return Table(header, (baseline, *rows), tuple(_notes(found, columns)) if rows else ())


def _notes(found: Findings, columns: tuple[str, ...]) -> Iterator[str]:
    yield found.words("note.differences")
    if any(KPIS[kpi].unit == "share" for kpi in columns):
        yield found.words("note.points")
    yield found.words("note.verdicts")


def estimate_cell(found: Findings, kpi: str, estimate: Estimate | None) -> Cell:
    if estimate is None:
        return Cell(NONE)
    return measured(found.scale(kpi), estimate.mean, estimate.lower, estimate.upper)


def difference_cell(found: Findings, kpi: str, d: Difference | None) -> Cell:
    if d is None:
        return Cell(NONE)
    mark = found.words(f"verdict.{VERDICTS[d.verdict]}")
    return measured(found.scale(kpi), d.value, d.lower, d.upper, True, d.verdict, mark)


def _fact(found: Findings, name: str, fact: Mapping[str, Any]) -> tuple[Cell, ...]:
    kpi = str(fact["kpi"])
    estimate, within = within_tolerance(found, fact)
    scale, value, allowed = found.scale(kpi), Fact.model_validate(fact).value, float(fact.get("tolerance", 0.0))
    tolerance = f"{allowed * scale.factor:.3f}".rstrip("0").rstrip(".")
    simulated = Cell(NONE)
    if estimate is not None:
        shown = estimate_cell(found, kpi, estimate)
        simulated = replace(shown, text=scale.value(estimate.mean, estimate.half_width))
    where = found.group(str(fact.get("group", "all")))
    plain = name + (found.words("target.group", group=where) if where else "")
    label = found.words.label(fact.get("label"), plain)
    reported = Cell(scale.value(value), number=quantity(scale, value, math.nan, math.nan))
    either = quantity(scale, allowed, math.nan, math.nan, signed=True)
    either = replace(either, form=f'"± "{either.form.rpartition(";")[2]}')
    margin = Cell(f"± {scale.difference(tolerance, in_words=True)}", number=either)
    verdict = found.words("table.yes" if within else "table.no")
    return Cell(label), reported, simulated, margin, Cell(verdict), Cell(str(fact.get("source", "")))


def _entries(found: Findings, section: str, scenario: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    """(id, entry) of a section of a scenario's configuration, the baseline's by default."""
    config = found.comparison.configs.get(scenario or found.baseline, {})
    return [(str(name), entry) for name, entry in (config.get(section) or {}).items()]
