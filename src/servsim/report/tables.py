"""Which tables the report shows: text in cells, ready for a terminal, a page or a sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from servsim.kpis import KPIS
from servsim.report.findings import Difference, Estimate, Findings
from servsim.report.words import LANGUAGES
from servsim.report.writing import NONE
from servsim.statistics import BETTER, NO_VERDICT, NOT_SHOWN, WORSE

VERDICTS = {BETTER: "better", WORSE: "worse", NOT_SHOWN: "not_shown", NO_VERDICT: "none"}
"""A verdict and its key under `verdict` in the catalogues."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, what belongs under or behind it (an interval), and the verdict if it is a difference."""

    text: str
    detail: str = ""
    verdict: str = ""
    mark: str = ""


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
    """Scenarios × KPIs in money, as `comparison`."""
    return _scenarios_by(found, found.money)


def kpis(found: Findings, scenario: str) -> Table:
    """All KPIs of one scenario over all cases: value, interval."""
    say = found.words
    known = dict.fromkeys([*found.headline, *KPIS, *found.measured(scenario)])
    rows = []
    for kpi in known:
        estimate = found.estimate(scenario, kpi)
        if estimate is not None and estimate.n:
            mean = found.scale(kpi).value(estimate.mean, estimate.half_width)
            rows.append((Cell(found.kpi(kpi)), Cell(mean), Cell(_estimate(found, kpi, estimate).detail)))
    return Table(tuple(Cell(say(f"table.{c}")) for c in ("kpi", "mean", "interval")), tuple(rows))


def facts(found: Findings) -> Table:
    """What the sources report beside what the baseline simulates: reported, simulated, tolerance, within it or not."""
    header = tuple(
        Cell(found.words(f"table.{c}")) for c in ("fact", "reported", "simulated", "tolerance", "within", "source")
    )
    return Table(header, tuple(_fact(found, name, fact) for name, fact in _entries(found, "facts")), numeric=False)


def assumptions(found: Findings) -> Table:
    """What the baseline takes for granted and why, then what the measures add to that."""
    say = found.words
    header = tuple(Cell(say(f"table.{c}")) for c in ("assumption", "value", "why"))
    rows = (
        (say.label(a.get("label"), name), _assumed(found, a.get("value")), say.label(a.get("why"), ""))
        for name, a in _assumptions(found)
    )
    return Table(header, tuple(tuple(map(Cell, row)) for row in rows), numeric=False)


def _assumptions(found: Findings) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each assumption of any scenario once, by name; a scenario that changes one is its own."""
    listed: list[tuple[str, Mapping[str, Any]]] = []
    for scenario in (found.baseline, *found.alternatives):
        for entry in _entries(found, "assumptions", scenario):
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
    rows = found.comparison.failures[columns].itertuples(index=False, name=None)
    texts = ([found.label(str(scenario)), *map(str, rest)] for scenario, *rest in rows)
    return Table(header, tuple(tuple(map(Cell, row)) for row in texts), numeric=False)


def within_tolerance(found: Findings, fact: Mapping[str, Any]) -> tuple[Estimate | None, bool]:
    """(what the baseline simulates for a fact, is its mean within the fact's tolerance)."""
    estimate = found.estimate(found.baseline, str(fact["kpi"]), str(fact.get("group", "all")))
    if estimate is None:
        return None, False
    if fact.get("transform") == "complement":
        estimate = Estimate(1 - estimate.mean, 1 - estimate.upper, 1 - estimate.lower, estimate.n)
    return estimate, abs(estimate.mean - float(fact["value"])) <= float(fact.get("tolerance", 0.0)) + 1e-12


def missed(found: Findings) -> list[str]:
    """The facts that the baseline does not come near enough to."""
    return [name for name, fact in _entries(found, "facts") if not within_tolerance(found, fact)[1]]


def _scenarios_by(found: Findings, columns: tuple[str, ...]) -> Table:
    say = found.words
    header = (Cell(say("table.scenario")), *(Cell(found.kpi(kpi), found.scale(kpi).symbol) for kpi in columns))
    baseline = (
        Cell(found.label(found.baseline), say("table.baseline")),
        *(_estimate(found, kpi, found.estimate(found.baseline, kpi)) for kpi in columns),
    )
    rows = [
        (Cell(found.label(s)), *(_difference(found, kpi, found.difference(s, kpi)) for kpi in columns))
        for s in found.ranked
    ]
    return Table(header, (baseline, *rows), tuple(_notes(found, columns)) if rows else ())


def _notes(found: Findings, columns: tuple[str, ...]) -> Iterator[str]:
    yield found.words("note.differences")
    if any(KPIS[kpi].unit == "share" for kpi in columns):
        yield found.words("note.points")
    yield found.words("note.verdicts")


def _estimate(found: Findings, kpi: str, estimate: Estimate | None) -> Cell:
    if estimate is None:
        return Cell(NONE)
    value, lower, upper = found.scale(kpi).numbers(estimate.mean, estimate.lower, estimate.upper)
    return Cell(value, f"[{lower}, {upper}]" if lower != NONE else "")


def _difference(found: Findings, kpi: str, d: Difference | None) -> Cell:
    if d is None:
        return Cell(NONE)
    value, lower, upper = found.scale(kpi).numbers(d.value, d.lower, d.upper, signed=True)
    mark = found.words(f"verdict.{VERDICTS[d.verdict]}")
    return Cell(value, f"[{lower}, {upper}]" if lower != NONE else "", d.verdict, mark)


def _fact(found: Findings, name: str, fact: Mapping[str, Any]) -> tuple[Cell, ...]:
    kpi = str(fact["kpi"])
    estimate, within = within_tolerance(found, fact)
    scale = found.scale(kpi)
    tolerance = f"{float(fact.get('tolerance', 0.0)) * scale.factor:.3f}".rstrip("0").rstrip(".")
    simulated = NONE
    if estimate is not None:
        mean = scale.value(estimate.mean, estimate.half_width)
        simulated = f"{mean} {_estimate(found, kpi, estimate).detail}".rstrip()
    where = found.group(str(fact.get("group", "all")))
    label = found.words.label(fact.get("label"), name) + (f" ({where})" if where else "")
    reported, source = scale.value(float(fact["value"])), str(fact.get("source", ""))
    verdict = found.words("table.yes" if within else "table.no")
    allowed = f"± {scale.difference(tolerance, in_words=True)}"
    return tuple(map(Cell, (label, reported, simulated, allowed, verdict, source)))


def _entries(found: Findings, section: str, scenario: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    """(id, entry) of a section of a scenario's configuration, the baseline's by default."""
    config = found.comparison.configs.get(scenario or found.baseline, {})
    return [(str(name), entry) for name, entry in (config.get(section) or {}).items()]
