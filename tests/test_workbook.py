"""The workbook of a report: sheets, numbers that are numbers, texts that stay texts; pictures as PNG and PDF."""

from __future__ import annotations

import io
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers_comparison import MEASURES, comparison
from matplotlib.figure import Figure
from matplotlib.image import imread
from openpyxl import load_workbook

from servsim.model import Settings
from servsim.report import write
from servsim.report.figures.look import png, style
from servsim.report.findings import Findings
from servsim.report.lettering import families
from servsim.report.numbers import Quantity, quantity
from servsim.report.sheets import sheet_names, spread
from servsim.report.tables import Cell, Table
from servsim.report.words import LANGUAGES, words
from servsim.report.writing import columns, scale

LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("books")
    for language in LANGUAGES:
        write(comparison(language=language), folder / language, language)
    return {language: load_workbook(folder / language / "report.xlsx") for language in LANGUAGES}


def cells(sheet: Any, row: int) -> list[Any]:
    return [cell.value for cell in sheet[row]]


def column(sheet: Any, title: str) -> list[Any]:
    at = cells(sheet, 2).index(title) + 1
    return [sheet.cell(row, at) for row in range(3, 3 + sum(1 for _ in MEASURES) + 1)]


# ---------------------------------------------------------------------- sheets
@LANGUAGE
def test_each_table_has_a_sheet_in_the_readers_language(books: dict[str, Any], language: str) -> None:
    book, say = books[language], words(language)
    parts = ("page.ranking", "page.costs", "page.facts", "page.assumptions")
    extra = ("figures", "settings", "chart", "making")
    assert {*map(say, parts), *(say(f"sheet.{part}") for part in extra)} <= set(book.sheetnames)
    assert book.sheetnames[0] == say("sheet.answer")
    assert all(len(name) <= 31 for name in book.sheetnames)


@LANGUAGE
def test_the_first_sheet_answers_and_links_to_all_others(books: dict[str, Any], language: str) -> None:
    book = books[language]
    front = book.worksheets[0]
    told = [cell.value for (cell,) in front.iter_rows(max_col=1) if cell.value]
    assert words(language)("page.answer") in told
    assert any("¥" in text for text in told)
    links = [cell.hyperlink.location for (cell,) in front.iter_rows(max_col=1) if cell.hyperlink]
    assert links == [f"'{name}'!A1" for name in book.sheetnames[1:]]


@LANGUAGE
def test_a_ranking_has_its_values_and_the_ends_of_intervals_as_numbers(books: dict[str, Any], language: str) -> None:
    say = words(language)
    sheet = books[language][say("page.ranking")]
    kpi = Findings(comparison(language=language), say).kpi("promise_first_response")
    value, lower, upper, verdict = (
        column(sheet, title) for title in (kpi, *(say(f"sheet.{x}", column=kpi) for x in ("lower", "upper", "verdict")))
    )
    made = comparison(language=language).differences.query("kpi == 'promise_first_response'").set_index("scenario")
    best = made.loc["fault_repair/together"]
    assert value[1].value == pytest.approx(100 * best["difference"])
    assert (lower[1].value, upper[1].value) == pytest.approx((100 * best["lower"], 100 * best["upper"]))
    assert value[1].number_format.startswith("+")
    assert value[0].number_format == "#,##0.0%" and 0 < value[0].value < 1
    assert verdict[1].value == say("verdict.better")
    assert all(low.value <= mid.value <= high.value for low, mid, high in zip(lower, value, upper, strict=True))


@LANGUAGE
def test_the_header_stays_in_sight_and_can_be_filtered(books: dict[str, Any], language: str) -> None:
    sheet = books[language][words(language)("page.ranking")]
    assert sheet.freeze_panes == "B3"
    assert sheet.auto_filter.ref.startswith("A2:") and sheet.auto_filter.ref.endswith(str(3 + len(MEASURES)))
    below = [cell.value for (cell,) in sheet.iter_rows(min_row=4 + len(MEASURES), max_col=1) if cell.value]
    assert words(language)("note.verdicts") in below


@LANGUAGE
def test_columns_are_wide_enough_for_names(books: dict[str, Any], language: str) -> None:
    sheet = books[language][words(language)("page.ranking")]
    names = [sheet.cell(row, 1).value for row in range(3, 4 + len(MEASURES))]
    assert sheet.column_dimensions["A"].width >= min(56, max(map(columns, names)))


def test_no_number_of_a_table_is_written_as_text(books: dict[str, Any]) -> None:
    for part in ("page.ranking", "page.costs", "sheet.figures"):
        sheet = books["en"][words("en")(part)]
        texts = [c.value for row in sheet.iter_rows(min_row=3) for c in row if isinstance(c.value, str)]
        assert not [text for text in texts if text.lstrip("+-¥[").replace(",", "")[:1].isdigit()]


def test_all_settings_are_there_and_say_where_scenarios_differ(books: dict[str, Any]) -> None:
    sheet = books["en"][words("en")("sheet.settings")]
    rows = {row[0].value: [cell.value for cell in row[1:]] for row in sheet.iter_rows(min_row=3) if row[1].value}
    assert rows["currency"][:2] == ["yes", "CNY"]
    assert rows["label.en"][0] == "no"
    assert rows["label.en"][1:3] == ["Today", MEASURES["peak_30"][0]["en"]]  # type: ignore[index]


def test_the_ranking_is_drawn_with_its_intervals(tmp_path: Path) -> None:
    write(comparison(["peak_30", "fewer"]), tmp_path, "en")
    with zipfile.ZipFile(tmp_path / "report.xlsx") as packed:
        charts = [name for name in packed.namelist() if name.startswith("xl/charts/chart")]
        text = packed.read(charts[0]).decode()
    assert len(charts) == len(Findings(comparison(["peak_30", "fewer"]), words("en")).headline)
    assert "'Ranking as a chart'!$C$3:$C$4" in text and "'Ranking as a chart'!$D$3:$D$4" in text


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write(comparison(["peak_30"]), tmp_path / name, "zh")
    assert (tmp_path / "a" / "report.xlsx").read_bytes() == (tmp_path / "b" / "report.xlsx").read_bytes()


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "{=1}", "http://a.b/c"])
def test_a_text_stays_a_text_whatever_it_begins_with(tmp_path: Path, label: str) -> None:
    made = comparison(["peak_30"])
    config = {**made.configs["fault_repair/peak_30"], "label": label}
    write(replace(made, configs={**made.configs, "fault_repair/peak_30": config}), tmp_path, "en")
    book = load_workbook(tmp_path / "report.xlsx")
    cell = book["Ranking of the measures"]["A4"]
    assert (cell.value, cell.data_type) == (label, "s")
    assert not [c for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"]


def test_names_of_sheets_are_what_excel_takes() -> None:
    made = sheet_names(["a" * 40, "a" * 40, "A" * 40, "x/y:z", "", "'quoted'", "History", "全部措施" * 10])
    assert len({name.casefold() for name in made}) == len(made)
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\'") for name in made)


def test_formats_show_units_and_no_sign_of_a_zero() -> None:
    pp = quantity(scale("share", 0.5, None, words("en")), -0.0003, -0.002, 0.0014, signed=True)
    assert pp.own_form == '#,##0.0" pp";#,##0.0" pp"'
    money = quantity(scale("money", 40.0, "CNY", words("zh")), 3.21, 3.1, 3.3, signed=True)
    assert money.own_form == '+"¥"#,##0.0;-"¥"#,##0.0;"¥"#,##0.0'
    assert quantity(scale("money", 0.3, "Fr.", words("en")), -0.3, -0.4, -0.2, signed=True).own_form.startswith("+")
    days = quantity(scale("min", 14_400.0, None, words("zh")), 14_400.0, 14_000.0, 14_800.0)
    assert (days.value, days.form) == (10.0, '#,##0.0"天"')


# ---------------------------------------------------------------------- pictures
def test_pictures_for_slides_and_for_print(tmp_path: Path) -> None:
    made = comparison(["peak_30"], language="zh")
    asked = replace(made, settings=made.settings.model_copy(update={"pictures": ("png", "pdf")}))
    for name in "ab":
        write(asked, tmp_path / name, "zh")
    drawn = sorted(path.stem for path in (tmp_path / "a" / "figures").glob("*.svg"))
    assert sorted(path.stem for path in (tmp_path / "a" / "figures").glob("*.png")) == drawn
    assert imread(tmp_path / "a" / "figures" / "comparison.png").shape[1] > 800
    assert (tmp_path / "a" / "figures.pdf").read_bytes().count(b"/Type /Page ") == len(drawn)
    for path in (tmp_path / "a").rglob("*.p[nd][gf]"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_pictures_are_svg_alone_unless_others_are_asked_for(tmp_path: Path) -> None:
    assert Settings().pictures == ()
    assert Settings(pictures="png").pictures == ("png",)
    write(comparison(["peak_30"]), tmp_path, "en")
    assert not list(tmp_path.rglob("*.png")) and not list(tmp_path.rglob("*.pdf"))


def ink(text: str, family: str | None = None) -> Any:
    figure = Figure(figsize=(1.0, 0.5))
    with style():
        figure.text(0.1, 0.3, text, fontsize=20, **({"family": family} if family else {}))
    return imread(io.BytesIO(png(figure)))[..., 0] < 0.5


def test_chinese_letters_are_drawn_with_the_fonts_that_come_along() -> None:
    """Each letter leaves ink of its own: were the font missing, all would be the same empty box."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        box = ink("高", families()[0])
    drawn = [ink(letter) for letter in "高峰加人岗鄢囍"]
    assert all(picture.any() and not np.array_equal(picture, box) for picture in drawn)
    assert all(not np.array_equal(a, b) for i, a in enumerate(drawn) for b in drawn[:i])


def test_every_chinese_letter_of_the_catalogue_has_a_glyph(recwarn: pytest.WarningsRecorder) -> None:
    from importlib.resources import as_file, files

    from matplotlib.ft2font import FT2Font

    with as_file(files("servsim.report").joinpath("fonts", "NotoSansSC-Regular.ttf")) as path:
        known = set(FT2Font(str(path)).get_charmap())
    used = {letter for text in words("zh").catalogue.values() for letter in text}
    assert {letter for letter in used if "\u4e00" <= letter <= "\u9fff" and ord(letter) not in known} == set()
    assert bytes([0xB0, 0xA1]).decode("gb2312") in map(chr, known)
    assert len(known) > 9000


def test_numbers_that_are_typed_in_a_scenario_are_numbers_and_other_texts_are_not() -> None:
    row = (Cell("1"), Cell("12"), Cell("0.25"), Cell("007"), Cell("3 h"), Cell("1" * 16))
    shown = spread(Table(row, (row,)), words("en"))
    assert [isinstance(column.cells[0], Quantity) for column in shown] == [False, True, True, False, False, False]
