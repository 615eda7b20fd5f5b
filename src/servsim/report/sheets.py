"""Which columns a table has in a spreadsheet, and the tables that only the workbook has: all figures, all settings."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from servsim.report.findings import Findings
from servsim.report.numbers import Quantity
from servsim.report.tables import Cell, Table, difference_cell, estimate_cell
from servsim.report.words import Words
from servsim.report.writing import NONE, columns

GROUPS_UP_TO = 12
"""With more scenarios than that, only figures over all cases are listed."""
NAME_LENGTH = 31
NARROW, WIDE = 9.0, 56.0
"""Characters across a column."""


@dataclass(frozen=True)
class Sheet:
    """A table that becomes a sheet, what it is called there, and what is said below it."""

    name: str  # cut to what Excel allows
    title: str
    table: Table
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def with_notes(self, lines: Sequence[str]) -> Sheet:
        return replace(self, after=(*self.after, *lines))

    @property
    def all_notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.before, *self.after, *self.table.notes)))


@dataclass(frozen=True)
class Column:
    """A column of a sheet: texts and numbers."""

    title: str
    cells: tuple[str | Quantity, ...]
    verdicts: tuple[str, ...]
    width: float


def spread(table: Table, say: Words) -> list[Column]:
    """The columns of a table: a number, the ends of its interval and its verdict in a column each."""
    return [column for j in range(len(table.header)) for column in _spread(table, j, say)]


def _spread(table: Table, j: int, say: Words) -> Iterator[Column]:
    head, cells = table.header[j], [row[j] for row in table.rows]
    said = {cell.text for cell in cells} - {"", NONE}
    if said and all(map(_is_interval, said)):
        return  # the number before it has its ends
    numbers = [cell.number for cell in cells]
    title = head.text.partition("[")[0].rstrip()
    if head.detail and not any(numbers):
        title += say("target.group", group=head.detail)
    apart = any(cell.number and cell.detail and not _is_interval(cell.detail) for cell in cells)
    yield _column(title, cells, [_whole(cell, apart, say, names=not j) for cell in cells])
    if apart:
        yield _column(say("sheet.number", column=title), cells, [_or_none(n) for n in numbers])
    if any(n and n.has_interval for n in numbers):
        for end in ("lower", "upper"):
            ends = [replace(n, value=getattr(n, end)) if n and n.has_interval else "" for n in numbers]
            yield _column(say(f"sheet.{end}", column=title), cells, ends)
    if any(cell.mark for cell in cells):
        yield _column(say("sheet.verdict", column=title), cells, [cell.mark for cell in cells])


def _is_interval(text: str) -> bool:
    return text.startswith("[")


_PLAIN = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,6})?")
"""A number that is typed in a scenario."""


def _whole(cell: Cell, apart: bool, say: Words, names: bool) -> str | Quantity:
    """What the first column of a cell says: its number, or its text with what stands behind it."""
    if cell.number and not apart:
        return _or_none(cell.number)
    if not names and not cell.detail and _PLAIN.fullmatch(cell.text):
        return Quantity(float(cell.text))
    behind = cell.detail and not _is_interval(cell.detail) and not apart
    return cell.text + say("target.group", group=cell.detail) if behind else cell.text


def _or_none(number: Quantity | None) -> str | Quantity:
    return number if number and math.isfinite(number.value) else NONE


def _column(title: str, cells: Sequence[Cell], shown: Sequence[str | Quantity]) -> Column:
    widths = [columns(c.text) + 5 if isinstance(s, Quantity) else columns(s) for c, s in zip(cells, shown, strict=True)]
    body = max(widths, default=0)
    longest_word = max(map(columns, re.split(r"\s+", title)), default=0)
    width = max(NARROW, body + 2, min(longest_word + 4, 18), min(columns(title) / 2 + 4, 22))
    return Column(title, tuple(shown), tuple(cell.verdict for cell in cells), min(width, WIDE))


def sheet_names(titles: Sequence[str]) -> list[str]:
    """Names that Excel allows: at most 31 characters, without []:*?/\\ and apostrophes, each only once.

    >>> sheet_names(["Costs: a/b", "costs: A/B", "History"])
    ['Costs a b', 'costs A B 2', 'History 2']
    """
    taken = {"history", ""}
    names = []
    for title in titles:
        plain = re.sub(r"\s+", " ", re.sub(r"[\[\]:*?/\\'\x00-\x1f]", " ", title)).strip() or "–"
        n, name = 1, _cut(plain, NAME_LENGTH)
        while name.casefold() in taken:
            n += 1
            name = f"{_cut(plain, NAME_LENGTH - len(f' {n}'))} {n}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _cut(text: str, most: int) -> str:
    return text if len(text.encode("utf-16-le")) <= 2 * most else f"{text[: most - 1].rstrip()}…"


# ---------------------------------------------------------------------- tables of the workbook alone
def all_figures(found: Findings, scenarios: Sequence[str]) -> Table:
    """A row per scenario, KPI and group: mean and difference from the baseline; the hours of the day are left out."""
    say = found.words
    groups = len(scenarios) <= GROUPS_UP_TO
    every = found.comparison.summary[["scenario", "kpi", "group"]].astype(str).itertuples(index=False, name=None)
    heads = ("table.scenario", "table.kpi", "sheet.group", "table.mean", "sheet.replications", "sheet.difference")
    listed = [key for key in every if key[0] in scenarios and (key[2] == "all" or (groups and "hour=" not in key[2]))]
    rows = [_figure(found, *key) for key in sorted(listed, key=lambda key: key[2] != "all")]
    return Table(tuple(Cell(say(head)) for head in heads), tuple(rows))


def _figure(found: Findings, scenario: str, kpi: str, group: str) -> tuple[Cell, ...]:
    mean = found.estimate(scenario, kpi, group)
    n = mean.n if mean else 0
    apart = found.difference(scenario, kpi, group)
    which = found.group(group) or found.words("sheet.every_case")
    names = (Cell(found.label(scenario)), Cell(found.kpi(kpi)), Cell(which))
    count = Cell(str(n), number=Quantity(float(n), form="0"))
    return *names, estimate_cell(found, kpi, mean), count, difference_cell(found, kpi, apart) if apart else Cell("")


def all_settings(found: Findings, scenarios: Sequence[str]) -> Sheet:
    """A row per setting: its value in each scenario, and whether it is the same in all."""
    say = found.words
    flat = {s: dict(_flat(found.comparison.configs.get(s, {}))) for s in scenarios}
    rows = []
    for path in dict.fromkeys(path for settings in flat.values() for path in settings):
        values = [settings.get(path, "") for settings in flat.values()]
        same = say("table.no") if any(value != values[0] for value in values) else say("table.yes")
        rows.append((Cell(path), Cell(same), *map(_setting, values)))
    heads = [say("sheet.setting"), say("sheet.same"), *(found.label(s) for s in scenarios)]
    return Sheet(say("sheet.settings"), say("sheet.settings"), Table(tuple(map(Cell, heads)), tuple(rows)))


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of all that is no mapping, and of no list of mappings."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(inner, Mapping) for inner in value):
        for i, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{i}]")
    else:
        yield path, ", ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value == {} else value


def _setting(value: Any) -> Cell:
    if isinstance(value, bool) or value is None:
        return Cell({True: "true", False: "false", None: "null"}[value])
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) < 1e15:
        return Cell(str(value), number=Quantity(float(value)))
    return Cell(str(value))
