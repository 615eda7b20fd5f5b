"""Targets: who reaches them, in how many periods; and the answer in three sentences, on figures that are known."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers_comparison import comparison
from rich.console import Console

from servsim.cli import main
from servsim.experiment import Comparison
from servsim.report import answer, write
from servsim.report.document import to_markdown
from servsim.report.findings import Findings
from servsim.report.page import blocks
from servsim.report.targets import Aims, period
from servsim.report.terminal import comparison_table
from servsim.report.words import words
from servsim.targets import MISSED, OPEN, REACHED, Targets

BASE = "fault_repair/baseline"
RATE = {"label": {"en": "answered in time", "zh": "按时响应"}, "kpi": "promise_first_response", "at_least": 0.6}
SOON = {"kpi": "first_response_mean", "at_most": "100 min"}


def with_targets(targets: dict[str, Any], measures: Sequence[str] = ("peak_30", "together"), **how: Any) -> Comparison:
    made = comparison(measures, **how)
    return replace(made, configs={**made.configs, BASE: {**made.configs[BASE], "targets": targets}})


def rates(made: Comparison, scenario: str, values: Sequence[float | None], kpi: str = "promise_first_response") -> None:
    """Writes the figure of each replication; None: the table has no such row."""
    frame = made.kpis
    here = (frame["scenario"] == scenario) & (frame["kpi"] == kpi) & (frame["group"] == "all")
    for r, value in enumerate(values):
        frame.loc[here & (frame["replication"] == r), "value"] = float("nan") if value is None else value


def test_a_target_is_reached_in_the_periods_that_reach_it_and_by_the_mean() -> None:
    made = with_targets({"rate": RATE}, n=5)
    rates(made, "fault_repair/peak_30", [0.6, 0.59, 0.7, None, 0.65])
    found = Targets(made).of("rate", "fault_repair/peak_30")
    assert (int(found.periods.k), int(found.periods.n), float(found.level.mean)) == (3, 4, pytest.approx(0.635))
    assert found.on_average == OPEN
    assert Targets(made).of("rate", "fault_repair/together").on_average == REACHED
    assert Targets(made).of("rate", BASE).on_average == MISSED


def test_a_ceiling_is_reached_from_below_and_read_as_a_duration() -> None:
    made = with_targets({"soon": SOON}, n=4)
    rates(made, "fault_repair/peak_30", [100.0, 100.1, 99.0, 20.0], "first_response_mean")
    assert int(Targets(made).of("soon", "fault_repair/peak_30").periods.k) == 3


def test_the_target_of_the_baseline_holds_and_an_empty_one_is_none() -> None:
    made = with_targets({"rate": RATE, "soon": None})
    other = {**made.configs["fault_repair/peak_30"], "targets": {"rate": {**RATE, "at_least": 0.1}, "late": SOON}}
    asked = Targets(replace(made, configs={**made.configs, "fault_repair/peak_30": other})).asked
    assert {name: target.limit for name, target in asked.items()} == {"rate": 0.6, "late": 100.0}


def test_all_targets_at_once_count_where_each_has_a_figure() -> None:
    made = with_targets({"rate": RATE, "soon": SOON}, n=4)
    rates(made, "fault_repair/peak_30", [0.7, 0.7, 0.5, 0.7])
    rates(made, "fault_repair/peak_30", [90.0, 120.0, 90.0, None], "first_response_mean")
    both = Targets(made).together("fault_repair/peak_30", ["rate", "soon"])
    assert (int(both.k), int(both.n)) == (1, 3)


def test_a_target_without_figures_is_none_of_those_reached_at_once() -> None:
    made = with_targets({"rate": RATE, "none": {**RATE, "group": "class=nobody"}, "soon": SOON}, n=4)
    told = Aims(Findings(made, words("en"))).answer()
    assert "All 2 targets in the same period" in told[1], told
    rates(made, "fault_repair/together", [None] * 4)
    rates(made, "fault_repair/peak_30", [None] * 4)
    rates(made, BASE, [None, 0.9, 0.9, None])
    rates(made, BASE, [20.0, None, None, 20.0], "first_response_mean")
    assert len(Aims(Findings(made, words("en"))).answer()) == 2  # nothing is known of all at once


def test_the_sentence_says_in_how_many_periods_and_with_what_interval() -> None:
    made = with_targets({"rate": RATE}, n=20)
    rates(made, "fault_repair/peak_30", [0.61] * 14 + [0.59] * 6)
    rates(made, "fault_repair/together", [0.9] * 20)
    (told,) = Aims(Findings(made, words("en"))).answer()
    assert told == (
        "The target “answered in time: at least 60 %” is reached by “All together” in 20 of 20 simulated periods of "
        "3 weeks (probability 100 %, 95 % interval 84 to 100 %); by “Peak-hour headcount +30 %” in 14 of 20 (70 %, 48 "
        "to 85 %); never by the other one."
    )
    (told,) = Aims(Findings(made, words("zh"))).answer()
    assert told == (
        "目标“按时响应不低于60%”：“全部措施合用”在模拟的20个周期（各3周）中有20个达标（概率100%，95%置信区间84%至100%）；"
        "“高峰时段增加30%人手”20个中有14个（70%，48%至85%）；另一个方案从未达标。"
    )


def test_where_nobody_reaches_it_the_nearest_is_named() -> None:
    (told,) = Aims(Findings(with_targets({"rate": {**RATE, "at_least": 0.99}}), words("en"))).answer()
    assert told.startswith("No scenario reaches the target “answered in time: at least 99 %” in any of 12 simulated")
    assert "“All together” comes nearest, with 89.6 % (88." in told


def test_a_target_without_figures_is_told_and_no_table_is_made() -> None:
    made = with_targets({"rate": {**RATE, "group": "class=nobody"}})
    found = Findings(made, words("en"))
    assert Aims(found).names == ()
    assert "Without a figure in any scenario: answered in time: at least 60 %." in to_markdown(blocks(found, []), {})


def test_the_window_is_told_in_the_largest_whole_unit() -> None:
    made = comparison([])
    for clock, told in (({"horizon": "5 wk", "warm_up": "1 wk"}, "4 weeks"), ({"horizon": "10 d"}, "10 days"),
                        ({"horizon": "1 d"}, "one day"), ({"horizon": "90 min"}, "90 minutes")):  # fmt: skip
        config = {**made.configs[BASE], "clock": {"start": "2026-03-02", **clock}}
        assert period(Findings(replace(made, configs={BASE: config}), words("en"))) == told


@pytest.mark.parametrize("language", ["en", "zh"])
def test_report_terminal_and_file_say_the_same(language: str, tmp_path: Path) -> None:
    made = with_targets({"rate": RATE, "soon": SOON}, language=language)
    write(made, tmp_path, language)
    page, say = (tmp_path / "report.md").read_text("utf-8"), words(language)
    console = Console(width=120, file=io.StringIO())
    console.print(comparison_table(made, language))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"## {say('page.targets')}" in page
    for text in (page, shown):
        assert say("target.together") in text
        assert say("target.of", k=12, n=12) in text
    with (tmp_path / "targets.csv").open(encoding="utf-8") as file:
        rows = {(row["target"], row["scenario"]): row for row in csv.DictReader(file)}
    assert rows["rate", "fault_repair/together"]["probability"] == "1"
    assert rows["soon", BASE]["on_average"] == MISSED
    assert rows["all together", "fault_repair/together"]["periods_reached"] == "12"


def test_an_unknown_kpi_of_a_target_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", str(tmp_path / "desk")]) == 0
    typed = "targets={rate: {kpi: promise_kep, at_least: 1}}"
    assert main(["compare", "--project", str(tmp_path / "desk"), "desk", typed]) == 2
    assert "targets.rate.kpi: there is no KPI 'promise_kep'" in capsys.readouterr().err


# ---------------------------------------------------------------------- three sentences
def three(made: Comparison, language: str = "en") -> list[str]:
    return answer.three(Findings(made, words(language)))


def test_the_first_sentence_names_the_best_its_cost_and_the_next() -> None:
    first = three(with_targets({"rate": RATE}))[0]
    assert first.startswith("“All together” helps most: it shortens the mean first response time by 150.0 min (149.")
    assert "; the cost per case rises by ¥5.2 (5." in first
    assert "; next comes “Peak-hour headcount +30 %”, 58." in first
    assert " behind, but ¥2.2 (" in first
    assert first.endswith(" cheaper.")


def test_what_cannot_be_told_apart_is_told_so() -> None:
    made = with_targets({"rate": RATE}, ["peak_30", "together"], n=6)
    frame = made.kpis
    wait = (frame["kpi"] == "first_response_mean") & (frame["group"] == "all")
    best = frame[wait & (frame["scenario"] == "fault_repair/together")]["value"].to_numpy()
    frame.loc[wait & (frame["scenario"] == "fault_repair/peak_30"), "value"] = best + np.array([1, -1, 2, -2, 3, -2.5])
    assert "“Peak-hour headcount +30 %” cannot be told apart from it, 0 min (-2 to +2), but" in three(made)[0]


def test_a_price_within_chance_is_not_told() -> None:
    made = with_targets({"rate": RATE})
    price = np.array([38.4 + 5.2 + (1 if r % 2 else -1) * (3 + r) for r in range(12)])
    rates(made, "fault_repair/peak_30", price.tolist(), "cost_per_case")
    first = three(made)[0]
    assert "next comes “Peak-hour headcount +30 %”" in first
    assert "cheaper" not in first and "dearer" not in first


def test_without_a_target_the_second_sentence_is_about_money() -> None:
    told = three(comparison(["peak_30"]))
    assert told[1] == "What it costs: the cost per case rises by ¥3.1 (3.0 to 3.2)."
    assert "cost" not in told[0]


def test_where_nothing_helps_that_is_the_answer() -> None:
    made = comparison(["fewer", "nothing"])
    assert three(made)[0].startswith("No measure is shown to shorten the mean first response time; the one that comes")
    assert Findings(made, words("en")).contenders == (BASE, "fault_repair/nothing")


def test_a_missed_fact_is_what_to_beware_of() -> None:
    told = three(comparison(["peak_30"]))[2]
    fact = "cycle: reported 8.00 h, simulated 8.62 h (8.36 to 8.88)"
    assert told == f"Beware: “Today” as simulated misses a reported fact, {fact}."
    told = three(comparison(["peak_30"]), "zh")[2]
    assert told == "需要注意：“现状”的模拟与报告的事实不符：cycle，报告值8.00小时，模拟值8.62小时（8.36至8.88）。"
