"""The report: what it says, what it writes, and that it says and writes the same every time."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
import yaml
from helpers_comparison import MEASURES, comparison
from rich.console import Console

from servsim.report import document, page, sentences, write
from servsim.report.document import to_markdown
from servsim.report.findings import Findings
from servsim.report.terminal import comparison_table, run_table
from servsim.report.words import LANGUAGES, words
from servsim.report.writing import columns, digits, lines, scale

LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
PICTURES = (
    "comparison", "waiting_by_hour", "response_times", "time_spent", "utilisation_by_hour", "queue_by_hour",
)  # fmt: skip


def findings(*measures: str, language: str = "en", **how: Any) -> Findings:
    return Findings(comparison(measures, **how), words(language))


def printed(renderable: Any, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    return console.file.getvalue()  # type: ignore[attr-defined]


def sentence(measure: str, language: str = "en") -> str:
    return sentences.measure(findings(measure, language=language), f"fault_repair/{measure}")


# ---------------------------------------------------------------------- words
def test_the_catalogues_have_the_same_keys_and_placeholders() -> None:
    asked = [{key: _placeholders(text) for key, text in words(lang).catalogue.items()} for lang in LANGUAGES]
    assert all(each == asked[0] for each in asked)


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_word_that_the_code_asks_for_is_there() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in Path(page.__file__).parent.glob("*.py"))
    asked = set(re.findall(r'(?:say|words)\("([a-z_]+\.[a-z_.]+)"', code))
    assert asked
    assert asked <= set(words("en").catalogue)


def test_a_language_without_a_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match="no report language 'de'; known: en, zh"):
        words("de")


def test_items_with_commas_inside_are_told_apart() -> None:
    assert words("en").list(["A", "B", "C"]) == "A, B and C"
    assert words("en").list(["A, then B", "C"]) == "A, then B; C"
    assert words("zh").list(["甲", "乙", "丙"]) == "甲、乙和丙"


# ---------------------------------------------------------------------- numbers
def test_numbers_have_no_more_digits_than_their_interval_deserves() -> None:
    minutes = scale("min", 200.0, None, words("en"))
    assert minutes.numbers(35.612, 35.2, 36.02) == ("35.6", "35.2", "36.0")
    assert scale("min", 40.0, None, words("en")).numbers(35.612, 35.2, 36.02) == ("35.6", "35.2", "36.0")
    assert digits(12_305.0, 15.0) == -1


def test_an_end_of_an_interval_that_is_not_0_does_not_read_as_0() -> None:
    minutes = scale("min", 200.0, None, words("en"))
    assert minutes.numbers(-0.52, -1.03, -0.012, signed=True) == ("-0.52", "-1.03", "-0.01")


def test_units_suit_the_size_of_the_values() -> None:
    say = words("en")
    assert scale("min", 480.0, None, say).value(480.0) == "8.00 h"
    assert scale("min", 0.62, None, say).value(0.62) == "37.2 s"
    assert scale("min", 15_000.0, None, say).value(14_400.0) == "10.0 d"
    assert scale("share", 0.7, None, say).value(0.698) == "69.8 %"
    assert scale("money", 48_000.0, "CNY", say).value(48_123.0) == "¥48,100"
    assert scale("money", 48.0, "SEK", say).difference("-3.2") == "-SEK 3.2"
    assert scale("money", 48.0, "tokens", say).difference("-3.2") == "-3.2 tokens"
    assert scale("money", 48.0, "h", words("zh")).value(48.0) == "48.0小时"
    assert scale("min", 200.0, None, words("zh")).value(187.2) == "187分钟"


def test_lines_break_between_chinese_characters_but_not_before_their_punctuation() -> None:
    assert lines("高峰加人，三成", 8) == ["高峰加", "人，三成"]
    assert all(columns(line) <= 20 for line in lines("使平均首次响应时间缩短150分钟（149.9至151.0）", 20))


# ---------------------------------------------------------------------- sentences
def test_a_better_measure_is_told_with_size_interval_level_and_cost() -> None:
    assert sentence("peak_30") == (
        "Peak-hour headcount +30 %: shortens the mean first response time by 91.8 min (91.3 to 92.4) to 95 min and "
        "raises the share answered within the promise by 31.0 percentage points (30.9 to 31.1) to 60.5 %. "
        "The cost per case rises by ¥3.1 (3.0 to 3.2)."
    )
    assert sentence("peak_30", "zh") == (
        "高峰时段增加30%人手：使平均首次响应时间缩短91.8分钟（91.3至92.4）至95分钟，并使按时响应率提高31.0个百分点"
        "（30.9至31.1）至60.5%。单个事项成本增加¥3.1（3.0至3.2）。"
    )


def test_a_worse_measure_is_told_as_worse() -> None:
    assert "lengthens the mean first response time by 44.2 min" in sentence("fewer")
    assert "lowers the share answered within the promise by 9.0 percentage points" in sentence("fewer")
    assert "使平均首次响应时间延长44.2分钟" in sentence("fewer", "zh")
    assert "使按时响应率降低9.0个百分点" in sentence("fewer", "zh")


def test_a_measure_without_a_shown_difference_is_told_so() -> None:
    assert sentence("nothing").startswith("A new wallpaper: no difference shown in the mean first response time, ")
    assert "The cost per case shows no difference" in sentence("nothing")
    assert sentence("nothing", "zh").startswith("新墙纸：未显示差异，平均首次响应时间")


def test_a_measure_that_helps_in_one_only_says_but() -> None:
    assert ", but shows no difference in the share answered within the promise" in sentence("auto_priority")
    assert "，但按时响应率未显示差异" in sentence("auto_priority", "zh")


def test_the_verdict_counts_where_an_interval_alone_would_say_more() -> None:
    made = comparison(["peak_30"])
    made.differences["verdict"] = "no difference shown"
    told = sentences.measure(Findings(made, words("en")), "fault_repair/peak_30")
    assert "no difference shown in the mean first response time, -91.8 min (-92.4 to -91.3)" in told
    assert "The cost per case shows no difference, +¥3.1 (+3.0 to +3.2)." in told


def test_the_answer_sorts_the_measures_by_what_they_do() -> None:
    told = sentences.answer(findings("fewer", "nothing", "peak_30", "together", "auto_priority"))
    aims = "shorten the mean first response time and raise the share answered within the promise"
    assert told[0] == f"Shown to {aims}: All together and Peak-hour headcount +30 %."
    assert told[1].endswith("other: Automatic priority, longest idle first, no dispatch delay.")
    assert told[2:4] == ["No difference shown: A new wallpaper.", "Shown to do harm: Two fewer at the desk."]
    assert "“Today”" in told[4]
    assert "(12 of each)" in told[4]


def test_one_replication_gives_no_intervals_and_no_verdicts() -> None:
    found = findings("peak_30", n=1)
    told = sentences.measure(found, "fault_repair/peak_30")
    assert "(no interval)" in told
    assert "nan" not in told + printed(comparison_table(comparison(["peak_30"], n=1)))


def test_a_scenario_whose_replications_all_failed_has_no_result() -> None:
    failed = [("fault_repair/peak_30", r) for r in range(3)]
    found = findings("peak_30", "fewer", n=3, failed=failed)
    assert sentences.measure(found, "fault_repair/peak_30").endswith("no result; no replication can be compared.")
    assert "Without a result: Peak-hour headcount +30 %." in sentences.answer(found)


def test_a_comparison_in_which_everything_failed_is_still_told(tmp_path: Path) -> None:
    failed = [(f"fault_repair/{name}", r) for name in ("baseline", "peak_30") for r in range(2)]
    made = comparison(["peak_30"], n=2, failed=failed)
    empty = {name: getattr(made, name).iloc[:0] for name in ("kpis", "summary", "differences")}
    made = replace(made, digests={}, series={}, **empty)
    write(made, tmp_path, "en")
    assert "ZeroDivisionError" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "left out: 4." in printed(comparison_table(made))
    assert not (tmp_path / "figures").exists()


# ---------------------------------------------------------------------- terminal
@LANGUAGE
@pytest.mark.parametrize("width", [80, 120])
def test_piped_output_is_plain_and_fits(language: str, width: int) -> None:
    text = printed(comparison_table(comparison(), language), width)
    assert "\x1b" not in text
    assert max(columns(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text


@LANGUAGE
def test_the_table_shows_values_differences_intervals_and_verdicts(language: str) -> None:
    text = printed(comparison_table(comparison(), language), 120)
    for shown in ("187", "[181, 192]", "+60.0", "[+59.9, +60.1]", "¥"):
        assert shown in text
    verdicts = {"en": ("better", "worse", "not shown"), "zh": ("改善", "变差", "未显示")}[language]
    assert all(verdict in text for verdict in verdicts)


def test_a_narrow_terminal_gets_the_columns_in_blocks() -> None:
    headings = [
        line for line in printed(comparison_table(comparison()), 80).splitlines() if line.startswith("Scenario")
    ]
    assert len(headings) == 2


def test_failed_replications_are_counted_under_the_table() -> None:
    text = printed(comparison_table(comparison(["fewer"], failed=[("fault_repair/fewer", 3)])))
    assert "Replications that failed and are left out: 1." in text


@LANGUAGE
def test_a_run_shows_every_kpi_with_its_interval(language: str) -> None:
    text = printed(run_table(comparison([]), language))
    assert re.search(r"\[181, 192\]", text)
    assert len(text.splitlines()) > 12


# ---------------------------------------------------------------------- files
def test_all_files_are_written(tmp_path: Path) -> None:
    write(comparison(), tmp_path / "results" / "x", "en", ["staffing.desk.day=12"])
    there = {p.relative_to(tmp_path / "results" / "x").as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    tables = {"kpis.csv", "summary.csv", "differences.csv", "changes.csv"}
    configs = {f"config/{name}.yaml" for name in ("baseline", *MEASURES)}
    pictures = {f"figures/{name}.svg" for name in PICTURES}
    others = {"overrides.yaml", "report.md", "report.html", "report.xlsx", "provenance.json"}
    assert there == tables | configs | pictures | others


@LANGUAGE
def test_the_same_result_is_written_to_the_byte(tmp_path: Path, language: str) -> None:
    for name in ("a", "b"):
        write(comparison(["peak_30", "fewer"]), tmp_path / name, language)
    first, second = ({p.relative_to(tmp_path / n): p for p in (tmp_path / n).rglob("*.*")} for n in ("a", "b"))
    for (one, path), other in zip(sorted(first.items()), sorted(second.values()), strict=True):
        if path.name != "provenance.json":
            assert path.read_bytes() == other.read_bytes(), one


def test_an_earlier_report_is_replaced_and_other_files_stay(tmp_path: Path) -> None:
    write(comparison(["peak_30", "fewer"]), tmp_path, "en")
    (tmp_path / "log.csv").write_text("mine")
    write(comparison(["peak_30"]), tmp_path, "en")
    assert sorted(p.name for p in (tmp_path / "config").iterdir()) == ["baseline.yaml", "peak_30.yaml"]
    assert (tmp_path / "log.csv").read_text() == "mine"
    assert not [p for p in tmp_path.parent.iterdir() if p.name.startswith(f".{tmp_path.name}-")]


def test_a_report_that_cannot_be_finished_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise RuntimeError("no page today")

    monkeypatch.setattr("servsim.report.files.to_markdown", fail)
    with pytest.raises(RuntimeError, match="no page today"):
        write(comparison(["peak_30"]), tmp_path / "x", "en")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(OSError, match="x"):
        write(comparison(["peak_30"]), tmp_path / "x", "en")
    assert (tmp_path / "x").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_csv_files_hold_the_frames(tmp_path: Path) -> None:
    made = comparison(["peak_30"])
    write(made, tmp_path, "en")
    for name in ("kpis", "summary", "differences"):
        frame, raw = getattr(made, name), (tmp_path / f"{name}.csv").read_bytes()
        rows = list(csv.reader(raw.decode("utf-8").splitlines()))
        assert b"\r" not in raw
        assert rows[0] == list(frame.columns)
        assert len(rows) == len(frame) + 1
    assert float(rows[1][3]) == pytest.approx(made.differences["difference"].iloc[0], rel=1e-7)


def test_a_configuration_reads_back_as_it_was(tmp_path: Path) -> None:
    made = comparison(["peak_30"])
    write(made, tmp_path, "en")
    text = (tmp_path / "config" / "peak_30.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == made.configs["fault_repair/peak_30"]
    assert "高峰" in text


def test_provenance_says_how_to_make_the_files_again(tmp_path: Path) -> None:
    failed = [("fault_repair/peak_30", 3)]
    write(comparison(["peak_30"], failed=failed), tmp_path, "en", ["seed=7", "a.b='x y'"])
    made = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    names = "fault_repair/baseline fault_repair/peak_30"
    assert made["command"] == f"servsim compare {names} replications=12 seed=7 \"a.b='x y'\""
    assert made["replications"] == {"fault_repair/baseline": 12, "fault_repair/peak_30": 11}
    assert len(made["event_logs"]["fault_repair/baseline"]["0"]) == 64
    assert made["versions"]["numpy"]


# ---------------------------------------------------------------------- page
@LANGUAGE
def test_the_page_has_all_its_parts(tmp_path: Path, language: str) -> None:
    write(comparison(failed=[("fault_repair/fewer", 3)], language=language), tmp_path, language)
    text, say = (tmp_path / "report.md").read_text(encoding="utf-8"), words(language)
    for part in ("question", "answer", "ranking", "costs", "pictures", "rests", "counting", "reproduce", "failures"):
        assert f"\n## {say(f'page.{part}')}\n" in text
    assert all((tmp_path / link).is_file() for link in re.findall(r"\]\((figures/.*?)\)", text))
    assert not re.search(r"\bnan\b|\{|\}|None", text)


class Read(HTMLParser):
    """What an HTML page has: tags that are left open, ids, links within it, addresses elsewhere, its text."""

    ALONE = ("meta", "path", "use", "rect", "line", "circle", "ellipse", "polygon", "polyline", "image", "stop")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open += [tag] if tag not in self.ALONE else []
        for name, value in attrs:
            assert not name.startswith("on"), "nothing in the page runs"
            self.ids += [value or ""] if name == "id" else []
            self.links += [value or ""] if name in ("href", "xlink:href", "src") else []
            self.links += re.findall(r"url\((.*?)\)", value or "")
        assert tag not in ("script", "link", "iframe", "object")

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.ALONE:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_one_file_that_needs_no_other(language: str, tmp_path: Path) -> None:
    found = comparison(language=language)
    write(found, tmp_path / "one", language)
    write(found, tmp_path / "two", language)
    text = (tmp_path / "one" / "report.html").read_text(encoding="utf-8")
    assert text == (tmp_path / "two" / "report.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 1_000_000
    read = Read(text)
    assert read.open == []
    assert len(read.ids) == len(set(read.ids))
    assert {link for link in read.links if link.removeprefix("#") not in read.ids} == set()
    say = words(language)
    markdown = (tmp_path / "one" / "report.md").read_text(encoding="utf-8")
    for heading in re.findall(r"^#+ (.*)", markdown, re.MULTILINE):
        assert heading in read.text
    assert say("figure.comparison") in read.text
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text).replace("http-equiv", "")


def test_texts_of_a_scenario_cannot_become_part_of_the_page(tmp_path: Path) -> None:
    found = comparison(["peak_30"])
    evil = {**found.configs["fault_repair/peak_30"], "label": "<script>alert(1)</script> & more"}
    write(replace(found, configs={**found.configs, "fault_repair/peak_30": evil}), tmp_path / "x", "en")
    assert "<script>alert(1)</script> & more" in Read((tmp_path / "x" / "report.html").read_text("utf-8")).text


def test_facts_stand_beside_what_is_simulated() -> None:
    text = to_markdown(page.blocks(findings("peak_30"), []), {})
    late = "| not answered within 2 h | 70.0 % | 69.2 % [67.2, 71.2] | ± 3 percentage points | yes | report.txt |"
    assert late in text
    assert "| cycle | 8.00 h | 8.62 h [8.36, 8.88] | ± 0.167 h | no | report.txt |" in text
    assert r"| load | 12 an hour | not \| reported |" in text


def test_assumptions_of_a_measure_stand_behind_those_of_the_baseline_in_the_readers_language() -> None:
    found = comparison(["peak_30"])
    value = {"en": "3 of 10", "zh": "10人中3人"}
    peak = {"label": {"en": "Peak shift", "zh": "高峰班"}, "value": value, "why": {"en": "whole people", "zh": "取整"}}
    load = found.configs["fault_repair/baseline"]["assumptions"]
    config = {**found.configs["fault_repair/peak_30"], "assumptions": {**load, "peak": peak}}
    found = replace(found, configs={**found.configs, "fault_repair/peak_30": config})
    rows = [
        line
        for line in to_markdown(page.blocks(Findings(found, words("zh")), []), {}).splitlines()
        if line.startswith(("| load", "| 高峰班"))
    ]
    assert rows == ["| load | 12 an hour | 资料未给出 |", "| 高峰班 | 10人中3人 | 取整 |"]


def test_swept_settings_are_in_the_names_and_not_in_the_command_again() -> None:
    found = Findings(comparison(["peak_30"]), words("en"))
    swept = ["fault_repair/baseline", "fault_repair/peak_30[staffing.desk.day=12]"]
    object.__setattr__(found.comparison, "scenarios", tuple(swept))
    told = page.command(found, ["staffing.desk.day=12,14", "clock.horizon=2 wk"])
    assert told.endswith('"fault_repair/peak_30[staffing.desk.day=12]" replications=12 seed=7 "clock.horizon=2 wk"')


# ---------------------------------------------------------------------- pictures
def test_the_time_of_a_case_is_shown_without_what_takes_next_to_none(tmp_path: Path) -> None:
    write(comparison(["peak_30"]), tmp_path, "en")
    text = "".join(ElementTree.parse(tmp_path / "figures" / "time_spent.svg").getroot().itertext())
    assert all(words("en")(f"spent.{what}") in text for what in ("working", "busy", "nobody_on_shift"))
    assert not any(words("en")(f"spent.{what}") in text for what in ("outage", "meeting", "handover"))
    assert "55%" in text  # 281 of 512


def test_the_page_says_where_the_time_goes_and_why_cases_are_late(tmp_path: Path) -> None:
    made = comparison(["peak_30"])
    rows = {"busy": 0.5, "nobody_on_shift": 0.295, "working": 0.2, "outage": 0.005}
    late = pd.DataFrame([late_row(what, "promise=first_response", share) for what, share in rows.items()])
    told = sentences.where(Findings(replace(made, summary=pd.concat([made.summary, late])), words("en")))
    shares = "everybody busy 55 %, nobody on shift 39 % and work 6 %"
    assert told[0] == f"Where the 8.53 h of a case go with “Today”: {shares}."
    assert told[1].endswith("their time went into: everybody busy 50 %, nobody on shift 30 % and work 20 %.")
    write(made, tmp_path, "zh")
    assert "时间用在哪里" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_the_page_is_called_by_the_title_of_the_study() -> None:
    made = comparison(["peak_30"])
    assert page.blocks(Findings(made, words("zh")), ())[0] == document.Heading("fault_repair：措施比较", 1)
    titled = {**made.configs["fault_repair/baseline"], "title": {"en": "Fault reports", "zh": "故障报修"}}
    found = Findings(replace(made, configs={**made.configs, "fault_repair/baseline": titled}), words("zh"))
    assert page.blocks(found, ())[0] == document.Heading("故障报修：措施比较", 1)


def late_row(what: str, group: str, share: float) -> dict[str, Any]:
    estimate = {"mean": share, "lower": share, "upper": share, "n": 12}
    return {"scenario": "fault_repair/baseline", "kpi": f"late_{what}", "group": group, **estimate}


@LANGUAGE
def test_pictures_are_svg_with_text_as_text(tmp_path: Path, language: str, recwarn: pytest.WarningsRecorder) -> None:
    write(comparison(), tmp_path, language)
    for name in PICTURES:
        tree = ElementTree.parse(tmp_path / "figures" / f"{name}.svg")
        text = "".join(tree.getroot().itertext())
        legend = {"comparison": "axis.not_shown", "time_spent": "spent.busy"}
        assert words(language)(legend.get(name, "axis.measure")) in text
        assert "Noto Sans CJK SC" in (tmp_path / "figures" / f"{name}.svg").read_text(encoding="utf-8")
    assert [str(w.message) for w in recwarn if "Glyph" in str(w.message)] == []


def test_one_scenario_alone_has_no_picture_of_differences(tmp_path: Path) -> None:
    write(comparison([]), tmp_path, "en")
    assert sorted(p.stem for p in (tmp_path / "figures").iterdir()) == sorted(set(PICTURES) - {"comparison"})
