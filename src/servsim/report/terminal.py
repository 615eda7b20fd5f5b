"""What a planner reads in the terminal: the answer in sentences, then one table; with or without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from servsim.report import answer, sentences, tables
from servsim.report.findings import Findings
from servsim.report.scorecard import Scored
from servsim.report.tables import Cell, Table
from servsim.report.targets import Aims
from servsim.report.words import words
from servsim.report.writing import columns, lines
from servsim.statistics import BETTER, WORSE

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, Group, RenderableType
    from rich.table import Table as RichTable
    from rich.text import Text

    from servsim.experiment import Comparison
    from servsim.overturn import Overturn
    from servsim.report.attributed import Attributed
    from servsim.report.tornado import Tornado
    from servsim.report.tuned import Tuned

_STYLES = {BETTER: "green", WORSE: "red"}
_GAP = 2
"""Terminal columns between two columns of a table."""
_NAMES = 18
"""Terminal columns that the names of the rows get at least, if they need them."""


def comparison_table(comparison: Comparison, language: str = "en", would: Overturn | None = None) -> Group:
    """The answer, each measure in a sentence, and the table of differences from the baseline."""
    from rich.console import Group

    found = Findings(comparison, words(language), would)
    ranking = tables.comparison(found)
    measures = [_Paragraph(sentences.measure(found, s), "- ") for s in found.ranked] if found.leading else []
    parts = [*_lead(found), "", *measures, "", _Blocks(ranking), *_notes(found, ranking)]
    return Group(*parts, *_targets(found), *_scorecard(found))


def _lead(found: Findings) -> list[Any]:
    """The answer in three sentences, and how it was found; where nothing can be ranked only the latter."""
    told = answer.three(found)
    if not told:
        return [_answer(found)]
    return [*(_Paragraph(line, f"{i}. ") for i, line in enumerate(told, 1)), "", _Paragraph(sentences.basis(found))]


def _targets(found: Findings) -> list[Any]:
    """A table for each target, and for all at once."""
    aims, parts = Aims(found), list[Any]()
    for name in aims.names:
        parts += ["", _Paragraph(aims.called(name)), "", _Blocks(aims.table(name))]
    if len(aims.names) > 1:
        parts += ["", _Paragraph(found.words("target.together")), "", _Blocks(aims.together())]
    return parts


def run_table(comparison: Comparison, language: str = "en") -> Group:
    """All KPIs of the only scenario of a run with their intervals."""
    from rich.console import Group

    found = Findings(comparison, words(language))
    content = tables.kpis(found, found.baseline)
    told = [_answer(found), *(_Paragraph(line) for line in Aims(found).answer())]
    return Group(*told, "", _Blocks(content), *_notes(found, content), *_scorecard(found))


def _scorecard(found: Findings) -> list[Any]:
    """Grades and scores, where the baseline has a scorecard."""
    scored = Scored.of(found)
    if scored is None:
        return []
    head = _Paragraph(found.words("sentence.gap").join(scored.answer()))
    return ["", head, "", _Blocks(scored.grades())]


def facts_table(comparison: Comparison, language: str = "en") -> tuple[Group, bool]:
    """(reported beside simulated for each fact of the only scenario of a run, are all within their tolerance)"""
    from rich.console import Group

    found = Findings(comparison, words(language))
    content = tables.facts(found)
    return Group(_Paragraph(comparison.baseline), _answer(found), "", _Blocks(content)), not tables.missed(found)


def attribution_tables(attributed: Attributed) -> Group:
    """The answer in sentences, and for the leading KPIs and money what each measure contributes."""
    from rich.console import Group

    found = attributed.found
    parts: list[RenderableType] = [_Paragraph(line, "- ") for line in attributed.answer()]
    shown = [kpi for kpi in found.headline if kpi in (*found.leading, *found.money[:1])]
    for kpi in shown:
        parts += ["", _Paragraph(found.kpi(kpi)), _Blocks(attributed.shares(kpi))]
    notes = attributed.shares(shown[0]).notes if shown else ()
    return Group(*parts, _Paragraph(found.words("sentence.gap").join(notes)))


def sensitivity_tables(tornado: Tornado) -> Group:
    """The answer in sentences, and the effects on the first leading KPI under each assumption."""
    from rich.console import Group

    found, parts = tornado.found, list[Any]()
    parts += [_Paragraph(line, "- ") for line in tornado.answer()]
    for kpi in found.leading[:1]:
        for scenario in tornado.scenarios:
            key = "tornado.level_of" if scenario == tornado.scenarios[0] else "tornado.effect_of"
            parts += ["", _Paragraph(f"{found.kpi(kpi)} · {found.words(key, scenario=found.label(scenario))}")]
            parts += [_Blocks(tornado.table(kpi, scenario))]
    return Group(*parts)


def tuning_tables(tuned: Tuned) -> Group:
    """The answer in sentences, the facts, the assumptions, and what introduces the lines to paste."""
    from rich.console import Group

    say, table = tuned.found.words, tuned.assumptions()
    parts: list[RenderableType] = [_Paragraph(line, "- ") for line in tuned.answer()]
    parts += ["", _Blocks(tuned.facts()), _Blocks(table), *(_Paragraph(note) for note in table.notes)]
    return Group(*parts, "", _Paragraph(say("tuned.paste" if tuned.lines else "tuned.nothing")))


class _Paragraph:
    """A text wrapped to the width there is, Chinese too, with a mark before its first line."""

    def __init__(self, text: str, mark: str = "") -> None:
        self.text = text
        self.mark = mark

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        before = self.mark
        for line in lines(self.text, options.max_width - len(self.mark)):
            yield _plain(before + line)
            before = " " * len(self.mark)


class _Blocks:
    """A table that a narrow terminal shows as several, one below the other, each with the first column."""

    def __init__(self, content: Table) -> None:
        self.content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        for chosen in _blocks(self.content, options.max_width):
            yield _table(self.content, chosen, options.max_width)
            yield ""


def _blocks(content: Table, width: int) -> list[list[int]]:
    """Columns by block: as many as fit beside the first, at least one."""
    blocks: list[list[int]] = []
    room = 0
    for i in range(1, len(content.header)):
        wide = _column_width(content, i) + _GAP
        if not blocks or room < wide:
            blocks.append([])
            room = width - min(_column_width(content, 0), max(_NAMES, width // 4))
        blocks[-1].append(i)
        room -= wide
    return blocks


def _table(content: Table, chosen: Sequence[int], width: int) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable

    widths = {i: _column_width(content, i) for i in chosen}
    names = max(8, min(_column_width(content, 0), width - sum(widths.values()) - _GAP * len(chosen)))
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, _GAP - 1, 0, 0), show_edge=False)
    shown.add_column(_text(content.header[0], names), min_width=names)
    for i, wide in widths.items():
        shown.add_column(_text(content.header[i], wide), justify="right", min_width=wide)
    for row in content.rows:
        shown.add_row(_text(row[0], names), *(_text(row[i], wide) for i, wide in widths.items()))
    return shown


def _column_width(content: Table, i: int) -> int:
    """Columns that a column needs: its cells unbroken, its heading in as many lines as it takes."""
    heading = content.header[i]
    longest_word = max(map(columns, lines(heading.text, 14)))
    return max(longest_word, columns(heading.detail), *(max(map(columns, _cell_lines(row[i]))) for row in content.rows))


def _cell_lines(cell: Cell, width: int = 10**6) -> list[str]:
    first = lines(f"{cell.text} {cell.mark}".rstrip(), width)
    return [*first, cell.detail] if cell.detail else first


def _answer(found: Findings) -> _Paragraph:
    return _Paragraph(found.words("sentence.gap").join(sentences.answer(found)))


def _notes(found: Findings, content: Table) -> list[_Paragraph]:
    failed = len(found.comparison.failures)
    told = [*content.notes, *([found.words("note.failures", n=failed)] if failed else [])]
    legend = [_Paragraph(found.words("sentence.gap").join(told))] if told else []
    return [*legend, *(_Paragraph(note, "- ") for note in found.comparison.notes)]


def _text(cell: Cell, width: int) -> Text:
    return _plain("\n".join(_cell_lines(cell, width)), _STYLES.get(cell.verdict, ""))


def _plain(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style=style)
