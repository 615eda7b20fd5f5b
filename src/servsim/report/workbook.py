"""What a report is as an Excel workbook: the answer, a sheet for each table of the page, all figures, all settings.

Numbers are numbers in the unit of their format, the ends of an interval stand in columns of their own, and a text stays
a text whatever it begins with. The same report gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from servsim.report.document import Block, Bullets, Heading, Paragraph, Picture, Typed
from servsim.report.findings import Findings
from servsim.report.numbers import Quantity
from servsim.report.sheets import GROUPS_UP_TO, Sheet, all_figures, all_settings, sheet_names, spread
from servsim.report.tables import Table
from servsim.report.words import Words
from servsim.report.writing import columns
from servsim.statistics import BETTER, WORSE

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

LONGEST = 32_767
"""Characters that a cell of Excel holds."""
PAGE_WIDTH = 72.0
"""Characters across a sheet of prose."""
NAMES_WIDTH = 46.0
"""Characters across the names of scenarios beside a chart."""
WIDEST_PRINT = 240.0
"""Characters across a sheet that still fits on a page in print."""
LINE = 15.0
"""Points that a line of text is high."""
COLOURS = {BETTER: "#0072B2", WORSE: "#B84500"}
HEAD_ROWS = 2
"""A title and the header of the table."""


def write_workbook(
    path: Path, page: Sequence[Block], found: Findings, made_by: Mapping[str, str], shown: Sequence[str] = ()
) -> None:
    """`made_by`: what made the report, name → version; `shown`: the scenarios whose figures and settings are listed.

    Without `shown` the report is a comparison: all its scenarios are listed and its ranking is drawn.
    """
    from xlsxwriter import Workbook

    told = _told(page, found.words)
    names = tuple(shown) or found.comparison.scenarios
    with Workbook(str(path)) as book:
        book.set_properties({"title": told.title, "author": "servsim", "created": datetime(2000, 1, 1)})
        pen = _Pen(book, found.words)
        sheets = [*told.sheets, _figures(found, names), all_settings(found, names)]
        labels = sheet_names([found.words("sheet.answer"), *(sheet.name for sheet in sheets), *_extra(found, shown)])
        front = book.add_worksheet(labels[0])
        for name, sheet in zip(labels[1:], sheets, strict=False):
            pen.table(book.add_worksheet(name), sheet)
        for name in labels[len(sheets) + 1 : -1]:
            pen.ranking(book.add_worksheet(name), found)
        pen.making(book.add_worksheet(labels[-1]), told.making, {**made_by, **_counts(found)})
        pen.front(front, told, {name: sheet.title for name, sheet in zip(labels[1:], sheets, strict=False)}, labels)


def _figures(found: Findings, names: Sequence[str]) -> Sheet:
    note = "sheet.note_figures" if len(names) <= GROUPS_UP_TO else "sheet.note_figures_all"
    title = found.words("sheet.figures")
    return Sheet(title, title, all_figures(found, names), (found.words(note),))


def _extra(found: Findings, shown: Sequence[str]) -> list[str]:
    ranking = [found.words("sheet.chart")] if found.alternatives and found.leading and not shown else []
    return [*ranking, found.words("sheet.making")]


def _counts(found: Findings) -> dict[str, str]:
    n = {found.replications(scenario) for scenario in found.comparison.scenarios}
    return {
        found.words("table.seed"): str(found.comparison.settings.seed),
        found.words("sheet.replications"): " – ".join(map(str, sorted({min(n), max(n)}))),
    }


# ---------------------------------------------------------------------- page → sheets
@dataclass
class _Told:
    """A page, sorted: prose for the first sheet, tables for sheets of their own, how it was made for the last."""

    title: str = "servsim"
    front: list[Block] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    making: list[Block] = field(default_factory=list)


def _told(page: Sequence[Block], say: Words) -> _Told:
    told = _Told()
    about_making = {say(f"page.{part}") for part in ("counting", "reproduce", "notes")}
    for headings, blocks in _sections(page):
        tables = [block for block in blocks if isinstance(block, Table)]
        if tables:
            told.sheets += _sheets(headings, blocks)
        elif blocks:
            place = told.making if headings[0] in about_making else told.front
            place += [Heading(headings[-1]), *blocks]
    told.title = next((block.text for block in page if isinstance(block, Heading) and block.level == 1), told.title)
    return told


def _sections(page: Sequence[Block]) -> list[tuple[list[str], list[Block]]]:
    """([heading, heading below it], what stands under them without pictures)"""
    found: list[tuple[list[str], list[Block]]] = [([""], [])]
    for block in page:
        if isinstance(block, Heading):
            above = found[-1][0][:1] if block.level > 2 else []
            found.append(([*above, block.text], []))
        elif not isinstance(block, Picture):
            found[-1][1].append(block)
    return found


def _sheets(headings: Sequence[str], blocks: Sequence[Block]) -> list[Sheet]:
    """The tables of a section; what stands before the first goes with it, what follows one goes with that one."""
    made: list[Sheet] = []
    before: list[str] = []
    for block in blocks:
        if isinstance(block, Table):
            apart = [block.header[0].text] if made else []
            title = " · ".join([*headings, *apart])
            made.append(Sheet(" · ".join([headings[-1], *apart]), title, block, tuple(before)))
            before = []
        elif made:
            made[-1] = made[-1].with_notes(_lines(block))
        else:
            before += _lines(block)
    return made


def _lines(block: Block) -> list[str]:
    match block:
        case Bullets(lines):
            return list(lines)
        case Heading(text) | Paragraph(text) | Typed(text):
            return [text]
        case _:
            return []


def _mark(block: Block, i: int) -> str:
    """What stands before the i-th line."""
    match block:
        case Bullets(_, is_lead):
            return f"{i}. " if is_lead else "• "
        case _:
            return ""


# ---------------------------------------------------------------------- sheets → cells
class _Pen:
    """Writes into one workbook; each format is made once."""

    def __init__(self, book: Workbook, words: Words) -> None:
        self.book = book
        self.say = words
        self.made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def look(self, **how: Any) -> Format:
        key = tuple(sorted(how.items()))
        if key not in self.made:
            self.made[key] = self.book.add_format({"valign": "top", **how})
        return self.made[key]

    def text(self, sheet: Worksheet, row: int, column: int, text: str, **how: Any) -> None:
        sheet.write_string(row, column, text[:LONGEST], self.look(**how))

    # ------------------------------------------------------------------ tables
    def table(self, sheet: Worksheet, content: Sheet) -> None:
        """Title, header, rows; the notes below them."""
        shown = spread(content.table, self.say)
        last, n = len(shown) - 1, len(content.table.rows)
        self.text(sheet, 0, 0, content.title, bold=True, font_size=13)
        for j, column in enumerate(shown):
            sheet.set_column(j, j, column.width)
            self.text(sheet, 1, j, column.title, bold=True, text_wrap=True, bottom=1, bg_color="#EEF2F5")
            for i, cell in enumerate(column.cells):
                self._cell(sheet, HEAD_ROWS + i, j, cell, column.verdicts[i], bool(j))
        _row_height(sheet, 1, max((_n_lines(column.title, column.width) for column in shown), default=1))
        for i in range(n):
            texts = ((column.cells[i], column.width) for column in shown)
            _row_height(sheet, HEAD_ROWS + i, max((_n_lines(t, w) for t, w in texts if isinstance(t, str)), default=1))
        sheet.freeze_panes(HEAD_ROWS, 1)
        if n:
            sheet.autofilter(1, 0, 1 + n, last)
        wide = sum(column.width for column in shown)
        for i, note in enumerate(content.all_notes):
            self._note(sheet, HEAD_ROWS + n + 1 + i, last, note, min(wide, 160.0))
        _to_print(sheet, wide=wide)

    def _cell(
        self, sheet: Worksheet, row: int, column: int, cell: str | Quantity, verdict: str = "", indent: bool = True
    ) -> None:
        how = {"font_color": COLOURS[verdict], "bold": True} if verdict in COLOURS else {}
        if isinstance(cell, Quantity):
            sheet.write_number(row, column, cell.value, self.look(num_format=cell.own_form, **how))
        elif cell:
            self.text(sheet, row, column, cell, text_wrap=True, **({"indent": 1} if indent else {}), **how)

    def _note(self, sheet: Worksheet, row: int, last: int, note: str, wide: float) -> None:
        """A note across the columns, as high as its lines."""
        look = self.look(text_wrap=True, font_color="#555555")
        if last:
            sheet.merge_range(row, 0, row, last, "", look)
        sheet.write_string(row, 0, note[:LONGEST], look)
        _row_height(sheet, row, _n_lines(note, wide))

    # ------------------------------------------------------------------ prose
    def prose(self, sheet: Worksheet, row: int, blocks: Sequence[Block]) -> int:
        """The blocks one below the other; the row after them."""
        for block in blocks:
            is_heading = isinstance(block, Heading)
            row += is_heading
            how: dict[str, Any] = {"bold": True, "font_size": 12} if is_heading else {}
            if isinstance(block, Typed):
                how = {"font_name": "Consolas"}
            for i, line in enumerate(_lines(block), start=1):
                self.text(sheet, row, 0, _mark(block, i) + line, text_wrap=True, **how)
                _row_height(sheet, row, _n_lines(line, PAGE_WIDTH * (0.8 if how else 1)) + 0.3)
                row += 1
        return row

    def front(self, sheet: Worksheet, told: _Told, contents: Mapping[str, str], labels: Sequence[str]) -> None:
        """Title, question and answer, then a link to each sheet."""
        sheet.set_column(0, 0, PAGE_WIDTH)
        self.text(sheet, 0, 0, told.title, bold=True, font_size=16, text_wrap=True)
        row = 1 + self.prose(sheet, 1, told.front)
        self.text(sheet, row, 0, self.say("sheet.contents"), bold=True, font_size=12)
        for i, name in enumerate(labels[1:], start=1):
            link = self.look(font_color="#0072B2", underline=1)
            sheet.write_url(row + i, 0, f"internal:'{name}'!A1", link, contents.get(name, name))
        last, reading = row + len(labels) + 1, self.say("sheet.reading")
        self.text(sheet, last, 0, reading, text_wrap=True, font_color="#555555")
        _row_height(sheet, last, _n_lines(reading, PAGE_WIDTH))
        sheet.hide_gridlines(2)
        _to_print(sheet, landscape=False)

    def making(self, sheet: Worksheet, blocks: Sequence[Block], made_by: Mapping[str, str]) -> None:
        """How it was counted, how to get it again, and what made it."""
        sheet.set_column(0, 0, PAGE_WIDTH)
        row = 1 + self.prose(sheet, 0, blocks)
        self.text(sheet, row, 0, self.say("sheet.made_by"), bold=True, font_size=12)
        for i, (name, value) in enumerate(made_by.items(), start=1):
            self.text(sheet, row + i, 0, f"{name}{self.say('sheet.colon')}{value}")
        sheet.hide_gridlines(2)
        _to_print(sheet, landscape=False)

    # ------------------------------------------------------------------ chart
    def ranking(self, sheet: Worksheet, found: Findings) -> None:
        """The differences of each headline KPI from the baseline as bars with their intervals, beside their numbers."""
        keys = ("table.scenario", "sheet.difference", "sheet.chart_below", "sheet.chart_above")
        heads = [found.words(key) for key in keys]
        sheet.set_column(0, 0, NAMES_WIDTH)
        sheet.set_column(1, 3, 16)
        row = 0
        for kpi in found.headline:
            pairs = [(s, d) for s in found.ranked if (d := found.difference(s, kpi)) and d.value == d.value]
            if not pairs:
                continue
            self.text(sheet, row, 0, found.kpi(kpi), bold=True, font_size=12)
            for j, head in enumerate(heads):
                self.text(sheet, row + 1, j, head, bold=True, bottom=1, text_wrap=True)
            _row_height(sheet, row + 1, 2)
            for i, (scenario, _) in enumerate(pairs, start=row + 2):
                self._bar(sheet, i, found, kpi, scenario)
            verdicts = [d.verdict for _, d in pairs]
            sheet.insert_chart(row, 5, self._chart(sheet.get_name(), found.kpi(kpi), row + 2, verdicts))
            row += max(len(pairs) + 3, _chart_rows(len(pairs)) + 1)
        _to_print(sheet)

    def _bar(self, sheet: Worksheet, row: int, found: Findings, kpi: str, scenario: str) -> None:
        from servsim.report.tables import difference_cell

        shown = difference_cell(found, kpi, found.difference(scenario, kpi)).number
        assert shown is not None
        self.text(sheet, row, 0, found.label(scenario), text_wrap=True)
        _row_height(sheet, row, _n_lines(found.label(scenario), NAMES_WIDTH))
        self._cell(sheet, row, 1, shown)
        if shown.has_interval:
            plain = shown.form.rpartition(";")[2]
            for j, part in ((2, shown.value - shown.lower), (3, shown.upper - shown.value)):
                sheet.write_number(row, j, part, self.look(num_format=plain))

    def _chart(self, name: str, title: str, row: int, verdicts: Sequence[str]) -> Any:
        n = len(verdicts)
        chart = self.book.add_chart({"type": "bar"})
        span = [name, row, 0, row + n - 1, 0]
        at = [[name, row, j, row + n - 1, j] for j in range(4)]
        cells = [f"='{name}'!${'ABCD'[j]}${row + 1}:${'ABCD'[j]}${row + n}" for j in range(4)]
        bars = {"type": "custom", "plus_values": cells[3], "minus_values": cells[2], "line": {"color": "#222222"}}
        fills = [{"fill": {"color": COLOURS.get(verdict, "#A6A6A6")}} for verdict in verdicts]
        chart.add_series({"categories": span, "values": at[1], "y_error_bars": bars, "points": fills, "gap": 60})
        chart.set_title({"name": title, "name_font": {"size": 12}, "overlay": False})
        chart.set_legend({"none": True})
        chart.set_y_axis({"reverse": True, "crossing": "max", "label_position": "low", "num_font": {"size": 9}})
        chart.set_x_axis({"name": self.say("sheet.chart_axis"), "major_gridlines": {"visible": True}})
        chart.set_size({"width": 760, "height": 20 * _chart_rows(n)})
        return chart


def _chart_rows(n: int) -> int:
    """Rows of a sheet that a chart with so many bars is as high as."""
    return max(12, 6 + 2 * n)


def _n_lines(text: str, width: float) -> int:
    """Lines that a text takes in a column; some room is lost where lines are broken between words."""
    wide = [columns(line) for line in text.split("\n")]
    return sum(1 if line < width else 1 + int(line / max(width - 3, 1)) for line in wide)


def _row_height(sheet: Worksheet, row: int, n_lines: float) -> None:
    if n_lines > 1:
        sheet.set_row(row, min(LINE * n_lines, 400.0))


def _to_print(sheet: Worksheet, landscape: bool = True, wide: float = 0.0) -> None:
    """On A4, as wide as one page, or as two where one made it too small to read."""
    sheet.set_paper(9)
    sheet.fit_to_pages(1 if wide <= WIDEST_PRINT else 2, 0)
    if wide > WIDEST_PRINT:
        sheet.repeat_columns(0)
    if landscape:
        sheet.set_landscape()
        sheet.repeat_rows(1)
    sheet.set_footer("&L&A&R&P / &N")
