"""What would overturn the answer: the arithmetic on known figures, the words, and a small study from end to end."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers_comparison import comparison

from servsim.cli import main
from servsim.model.basis import Target
from servsim.overturn import ORDER, Ends, Overturn, Part, parts, replications
from servsim.report import answer, page
from servsim.report.document import to_markdown
from servsim.report.findings import Findings
from servsim.report.overturned import blocks
from servsim.report.words import words
from servsim.statistics import Estimate

NOISE = np.array([0.0, 2.0, -1.0, -1.0, 1.0, -1.0])
BEST, OTHER = "fault_repair/together", "fault_repair/peak_30"


def runs(n: int, **means: float) -> Any:
    """A comparison in which every scenario has a mean and the same noise."""
    rows = [
        {"scenario": name, "replication": r, "kpi": "wait", "group": "all", "value": mean + NOISE[r]}
        for name, mean in means.items()
        for r in range(n)
    ]
    return SimpleNamespace(kpis=pd.DataFrame(rows), n=n, scenarios=tuple(means))


def found(target: Target | None = None, best: tuple[float, float] = (60.0, 60.0), other: float = 70.0) -> list[Part]:
    """Best 60, other 70 min as assumed; `best`: its mean where the load is 10 % lower and higher."""
    nominal = runs(6, best=60.0, other=70.0)
    again = runs(3, low=best[0], high=best[1], slower=other)
    ends = [Ends("load", (0.9, 1.1), ("low", "high"), ("other", "slower"))]
    return list(parts(nominal, again, ends, "best", "other", "wait", -1.0, {"soon": target} if target else {}))


def test_margins_move_by_what_the_pairs_show() -> None:
    (order,) = found(best=(55.0, 66.0))
    assert order.margin.mean == pytest.approx([15.0, 10.0, 4.0])
    assert order.margin.half_width == pytest.approx([0, 0, 0], abs=1e-9)  # common random numbers
    assert order.flips == ()


def test_the_order_turns_where_the_straight_line_passes_nothing() -> None:
    (flip,) = found(best=(60.0, 75.0))[0].flips
    assert flip.part.part == ORDER
    assert flip.factor == pytest.approx(1 + 0.1 * 10 / 15)
    assert (flip.was_so, flip.is_shown) == (True, True)


def test_a_target_is_lost_or_won_by_each_of_the_two() -> None:
    order, best, other = found(Target(kpi="wait", at_most=65.0), best=(60.0, 66.0), other=62.0)
    assert order.margin.mean == pytest.approx([10.0, 10.0, -4.0])
    assert best.margin.mean == pytest.approx([5.0, 5.0, -1.0])
    assert other.margin.mean == pytest.approx([-5.0, -5.0, 3.0])
    flips = [(flip.part.scenario, flip.was_so) for flip in best.flips + other.flips]
    assert flips == [("best", True), ("other", False)]


def test_what_is_not_shown_on_either_side_is_not_told() -> None:
    e = SimpleNamespace(mean=np.array([1, 1, -1.0]), lower=np.array([-1, -1, -3.0]), upper=np.array([3, 3, 1.0]))
    unsure: Any = e
    assert Part("load", ORDER, "best", np.array([0.9, 1, 1.1]), unsure).flips == ()
    unsure.lower[1] = 0.5
    assert [flip.is_shown for flip in Part("load", ORDER, "best", np.array([0.9, 1, 1.1]), unsure).flips] == [False]


def test_a_target_that_is_just_reached_is_lost_and_one_that_becomes_just_reached_is_won() -> None:
    """Nobody may give up: nobody does today, some do with more load; the other way round for a ceiling of few."""
    factors, n = np.array([0.9, 1.0, 1.1]), np.array([3, 6, 3])

    def of(*margin: float, part: str = "nobody gives up") -> Part:
        at = np.array(margin)
        return Part("load", part, "best", factors, Estimate(at, at, at, n))

    assert [(f.factor, f.was_so, f.is_shown) for f in of(0.0, 0.0, -2.0).flips] == [(1.0, True, True)]
    assert [(f.factor, f.was_so, f.is_shown) for f in of(0.0, -2.0, -3.0).flips] == [(0.9, False, True)]
    assert of(0.0, 1.0, 2.0).flips == () == of(-2.0, -1.0, -3.0).flips
    assert of(0.0, 1.0, 2.0, part=ORDER).flips == ()
    assert [f.factor for f in of(-1.0, 2.0, -4.0).flips] == pytest.approx([1 + 0.1 / 3, 1 - 0.2 / 3])  # nearest first


def test_what_is_shown_is_told_first_then_what_is_about_the_best_then_the_nearest() -> None:
    def of(scenario: str, end: float, half: float) -> Part:
        at = np.array([5.0, 5.0, end])
        factors, n = np.array([0.9, 1.0, 1.1]), np.array([3, 6, 3])
        return Part(f"{scenario} {end}", "soon", scenario, factors, Estimate(at, at - half, at + half, n))

    every = (of("best", -2.0, 3.0), of("other", -9.0, 3.0), of("best", -4.0, 3.0), of("best", -5.0, 3.0))
    flips = Overturn("best", "other", 0.1, 3, every).flips
    assert [flip.part.assumption for flip in flips] == ["best -5.0", "best -4.0", "other -9.0", "best -2.0"]


@pytest.mark.parametrize(
    ("n", "scenarios", "assumptions", "told"),
    [(20, 8, 4, 5), (20, 8, 6, 3), (20, 2, 5, 3), (200, 8, 2, 8), (3, 8, 2, 0), (20, 8, 0, 0)],
)
def test_replications_are_a_share_of_those_of_the_comparison(
    n: int, scenarios: int, assumptions: int, told: int
) -> None:
    made: Any = SimpleNamespace(n=n, scenarios=("x",) * scenarios)
    assert replications(made, assumptions) == told


# ---------------------------------------------------------------------- words
def told(language: str = "en", **would: Any) -> Findings:
    made = comparison(["peak_30", "together"])
    config = {**made.configs["fault_repair/baseline"], "facts": {}}
    config["assumptions"] = {"load": {"label": {"en": "Load", "zh": "业务量"}}}
    config["targets"] = {"rate": {"kpi": "promise_first_response", "at_least": 0.6}}
    configs = {**made.configs, "fault_repair/baseline": config}
    return Findings(replace(made, configs=configs), words(language), Overturn(BEST, OTHER, 0.1, **would))


def margins(part: str, scenario: str, *mean: float, half: float = 0.01) -> Part:
    at = np.array(mean)
    return Part("load", part, scenario, np.array([0.9, 1.0, 1.1]), answer.statistics.Estimate(
        at, at - half, at + half, np.array([3, 12, 3])))  # fmt: skip


def test_the_third_sentence_says_which_assumption_would_overturn_the_answer() -> None:
    lost = margins("rate", OTHER, 0.05, 0.02, -0.08)
    assert answer.three(told(n=3, parts=(lost,)))[2] == (
        "Beware: “Peak-hour headcount +30 %” would miss the target on average if “Load” (then 52.0 %, 51.0 to 53.0) "
        "were 10 % higher."
    )
    assert answer.three(told("zh", n=3, parts=(lost,)))[2] == (
        "需要注意：如果“业务量”（届时为52.0%，51.0至53.0）高出10%，“高峰时段增加30%人手”平均就达不到目标。"
    )
    over = margins(ORDER, BEST, -2.0, 9.0, 9.0, half=3.0)
    assert answer.three(told(n=3, parts=(over,)))[2] == (
        "Beware: “Peak-hour headcount +30 %” would overtake “All together” if “Load” (within chance) were 10 % lower."
    )


def test_a_ceiling_is_missed_above_it() -> None:
    found = told(n=3, parts=(margins("soon", BEST, 70.0, 65.0, -20.0),))
    base = {**found.config, "targets": {"soon": {"kpi": "first_response_mean", "at_most": "100 min"}}}
    found = replace(found, comparison=replace(found.comparison, configs={"fault_repair/baseline": base}))
    assert "“Load” (then 120" in answer.three(found)[2]


def test_where_nothing_overturns_it_the_sentence_says_what_was_tried_and_what_is_left_out() -> None:
    found = told(n=3, parts=(margins(ORDER, BEST, 3.0, 2.0, 1.0),))
    base = {**found.config, "not_modelled": {"storms": {"label": "Storms", "why": "rare"}}}
    found = replace(found, comparison=replace(found.comparison, configs={"fault_repair/baseline": base}))
    assert answer.three(found)[2] == (
        "Beware: the one assumption that could be varied, by ±10 %, does not overturn this, but some things are not "
        "modelled: Storms."
    )
    assert "| Storms | rare |" in to_markdown(page.blocks(found, []), {})


def test_the_part_of_the_report_has_a_table_for_each_part_of_the_answer() -> None:
    both = (margins(ORDER, BEST, 30.0, 58.0, 60.0), margins("rate", OTHER, 0.05, 0.02, -0.08))
    text = to_markdown(blocks(told(n=3, parts=both), "servsim sensitivity x"), {})
    assert "| Load | 65.0 [64.0, 66.0] | 62.0 [61.0, 63.0] | 52.0 [51.0, 53.0] overturned |" in text
    assert "by a straight line, the answer turns at about +2 %." in text
    assert "servsim sensitivity x" in text


@pytest.mark.parametrize("why", ["few_replications", "no_settings"])
def test_where_nothing_was_varied_that_is_said(why: str) -> None:
    found = told(why_not=why)
    assert words("en")(f"beware.{why}") in answer.three(found)[2]
    assert len(blocks(found, "")) == 2
    assert blocks(told(why_not="off"), "") == []


# ---------------------------------------------------------------------- from end to end
STUDY = """\
name: desk/baseline
label: Today
headline: [first_response_mean]
clock: {start: 2026-03-02, horizon: 3 d}
departments: {desk: }
pools: {clerks: {department: desk, wage: 30}}
shifts: {all_day: {days: mon-sun, hours: "00:00-24:00"}}
staffing: {clerks: {all_day: 1}}
case_classes: {case: {process: answer}}
demand: {door: {case_class: case, arrivals: {kind: poisson, rate: 7/h}}}
processes:
  answer:
    start: work
    steps: {work: {kind: task, skill: clerks, time: {kind: exponential, mean: 8 min}, next: end}}
targets: {soon: {label: soon, kpi: first_response_mean, at_most: 20 min}}
assumptions:
  rate: {label: Rate, settings: [demand.*.arrivals.rate]}
  wages: {label: Wages, settings: [pools.*.wage]}
  hands: {label: Hands, settings: [staffing.*.*]}
"""
VARIANTS = {
    "quick": "processes: {answer: {steps: {work: {time: {mean: 6 min}}}}}",
    "quicker": "processes: {answer: {steps: {work: {time: {mean: 2 min}}}}}",
}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "scenarios" / "desk"
    folder.mkdir(parents=True)
    (folder / "baseline.yaml").write_text(f"# @package _global_\n{STUDY}", encoding="utf-8")
    for name, text in VARIANTS.items():
        head = f"# @package _global_\ndefaults: [baseline, _self_]\nname: desk/{name}\nlabel: {name}\n"
        (folder / f"{name}.yaml").write_text(head + text + "\n", encoding="utf-8")
    return tmp_path


def compare(study: Path, *typed: str) -> str:
    assert main(["compare", "--project", str(study), "desk", "compute.jobs=1", *typed]) == 0
    return (study / "results" / "desk" / "report.md").read_text("utf-8")


def test_compare_varies_what_it_can_and_only_what_matters(study: Path) -> None:
    page = compare(study, "replications=6", "overturn=20")
    with (study / "results" / "desk" / "overturn.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["assumption"] for row in rows} == {"rate"}  # wages and one pair of hands change nothing
    assert {row["scenario"] for row in rows} == {"desk/quicker", "desk/quick"}
    by = {(row["part"], row["scenario"], row["factor"]): float(row["margin"]) for row in rows}
    assert by["soon", "desk/quick", "0.8"] > by["soon", "desk/quick", "1"] > by["soon", "desk/quick", "1.2"]
    assert "## What would overturn the answer" in page
    assert compare(study, "replications=6", "overturn=20") == page


def test_it_can_be_switched_off_and_wants_enough_replications(study: Path) -> None:
    assert "What would overturn" not in compare(study, "replications=6", "overturn=0")
    told = words("en")("beware.few_replications")
    assert f"Beware: {told}." in compare(study, "replications=2")
    assert not (study / "results" / "desk" / "overturn.csv").exists()


def test_an_assumption_that_cannot_be_varied_does_not_stop_the_rest(study: Path) -> None:
    page = compare(study, "replications=4", "assumptions.wages.settings=[pools.nobody.wage]")
    assert "- “Wages” could not be varied: 'pools.nobody.wage' leads nowhere; known: clerks" in page
    assert "| Rate |" in page


def test_a_wrong_percentage_is_refused(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--project", str(study), "desk", "overturn=120"]) == 2
    assert "expected per cent from 0 to 99" in capsys.readouterr().err


def test_of_two_that_are_level_nothing_overtakes_rather_than_overturns() -> None:
    found = told(n=3, parts=(margins("rate", BEST, 0.3, 0.3, 0.3),))
    holds = "“Peak-hour headcount +30 %” shown to overtake “All together”"
    assert answer.three(found)[2].startswith("Beware: the one assumption that could be varied, by ±10 %, does not over")
    frame = found.comparison.kpis.copy()
    leading = (frame["kpi"] == found.leading[0]) & (frame["group"] == "all")
    best, other = leading & (frame["scenario"] == BEST), leading & (frame["scenario"] == OTHER)
    apart = [(-1.0) ** r * (1 + r % 3) for r in range(int(best.sum()))]
    frame.loc[best, "value"] = frame.loc[other, "value"].to_numpy() + apart
    level = replace(found, comparison=replace(found.comparison, kpis=frame))
    assert holds.replace(" shown", " was not shown") in answer.three(level)[2]
