"""Scorecards of comparisons whose figures are known: weights, grades, seasons, what a gain is worth."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers_comparison import comparison
from pydantic import ValidationError

from servsim.experiment import Comparison
from servsim.grading import check, graded, seasonal
from servsim.model.errors import InputError, problems
from servsim.model.scorecard import Scorecard
from servsim.report import page
from servsim.report.document import to_markdown
from servsim.report.findings import Findings
from servsim.report.words import words

CARD: dict[str, Any] = {
    "criteria": {
        "speed": {
            "label": {"en": "Speed", "zh": "时效"},
            "indicators": {
                "answer": {"kpi": "first_response_mean", "typical": ["30 min", "1 h", "2 h", "4 h"]},
                "promise": {"kpi": "promise_first_response", "typical": [0.95, 0.8, 0.6, 0.3]},
            },
            "judgements": {"answer/promise": 1 / 3},
        },
        "cost": {"indicators": {"case": {"kpi": "cost_per_case", "typical": [30, 35, 40, 50]}}},
    },
    "judgements": {"speed/cost": 4},
}


def card(**changes: Any) -> Scorecard:
    return Scorecard.model_validate({**CARD, **changes})


def test_the_grade_of_the_baseline_by_hand() -> None:
    """Answer 185 min: 0.458 fair, 0.542 poor; promise 0.302: poor but for 0.7 %; cost 38.4: 0.32 good, 0.68 fair."""
    found = graded(comparison(n=12), card())
    assert found.weights == pytest.approx(
        {"speed": 0.8, "cost": 0.2, "speed.answer": 0.25, "speed.promise": 0.75, "cost.case": 1.0}
    )
    answer, promise = np.array([0, 0, 55 / 120, 65 / 120]), np.array([0, 0, 0.002 / 0.3, 1 - 0.002 / 0.3])
    cost = np.array([0, 0.32, 0.68, 0])
    expected = 0.8 * (0.25 * answer + 0.75 * promise) + 0.2 * cost
    of = found.overall["fault_repair/baseline"]
    assert of.membership == pytest.approx(expected, abs=0.02)
    assert of.membership.sum() == pytest.approx(1)
    assert of.score.mean == pytest.approx(of.membership @ [95, 80, 65, 40])
    assert of.grade == "poor"


def test_a_better_scenario_scores_higher_and_the_difference_is_paired() -> None:
    found = graded(comparison(["peak_30", "nothing"]), card())
    up = found.difference["fault_repair/peak_30"]
    assert up.lower > 0
    same = found.difference["fault_repair/nothing"]
    assert same.lower <= 0 <= same.upper
    assert found.difference["fault_repair/baseline"].mean == 0


def test_seasons_shift_the_weights() -> None:
    busy = {"busy": {"weights": {"cost": 0.6}}}
    found = graded(comparison(["fewer"]), card(seasons=busy))
    name = "fault_repair/fewer"
    speed, cost = (found.by_criterion[name, c].score.mean for c in ("speed", "cost"))
    assert found.by_season[name, "busy"].score.mean == pytest.approx(0.4 * speed + 0.6 * cost)


def test_weights_of_a_season_leave_the_others_in_proportion() -> None:
    assert seasonal({"a": 0.5, "b": 0.3, "c": 0.2}, {"c": 0.4}) == pytest.approx({"a": 0.375, "b": 0.225, "c": 0.4})


def test_what_a_gain_is_worth() -> None:
    """Peak +30 % answers 92 min sooner; 10 min are worth 50."""
    ask = {"sooner": {"kpi": "first_response_mean", "per": "10 min", "money": 50}}
    found = graded(comparison(["peak_30"]), card(worth=ask))
    assert found.worth["fault_repair/peak_30", "sooner"].mean == pytest.approx(460, rel=0.05)


def test_what_a_gain_is_worth_for_each_case_and_what_is_left_of_it() -> None:
    """Peak +30 % answers 92 min sooner: at 2 for each minute of 1,000 cases 184,000; the cost stays as it is."""
    compared = with_figures(comparison(["peak_30"]), cases={"baseline": 1000, "peak_30": 1000})
    ask = {"sooner": {"kpi": "first_response_mean", "per": "1 min", "money": 2, "each_case": True}}
    found = graded(compared, card(worth=ask))
    assert found.worth["fault_repair/peak_30", "sooner"].mean == pytest.approx(184_000, rel=0.05)
    cost = figures(compared, "peak_30", "cost_total") - figures(compared, "baseline", "cost_total")
    gain = found.worth["fault_repair/peak_30", "sooner"].mean
    assert found.left["fault_repair/peak_30"].mean == pytest.approx(gain - cost.mean())


def test_a_gain_may_lie_in_fewer_cases_if_told_so() -> None:
    compared = with_figures(comparison(["nothing"]), cases={"baseline": 1000, "nothing": 900})
    ask = {"fewer": {"kpi": "cases", "per": 1, "money": 50, "better": "lower"}}
    assert graded(compared, card(worth=ask)).worth["fault_repair/nothing", "fewer"].mean == pytest.approx(5000)
    check(card(worth=ask))
    with pytest.raises(InputError, match=r"scorecard.worth.fewer: neither more nor less of cases is better as such"):
        check(card(worth={"fewer": {**ask["fewer"], "better": None}}))


def with_figures(of: Comparison, group: str = "all", **kpis: dict[str, float]) -> Comparison:
    """The comparison with more figures, the same in each replication: KPI → scenario → value."""
    rows = [
        (f"fault_repair/{scenario}", r, kpi, group, value)
        for kpi, values in kpis.items() for scenario, value in values.items() for r in range(of.n)
    ]  # fmt: skip
    return replace(of, kpis=pd.concat([of.kpis, pd.DataFrame(rows, columns=of.kpis.columns)], ignore_index=True))


def figures(of: Comparison, scenario: str, kpi: str) -> np.ndarray:
    rows = of.kpis[(of.kpis.scenario == f"fault_repair/{scenario}") & (of.kpis.kpi == kpi) & (of.kpis.group == "all")]
    return rows.value.to_numpy()


def test_efficiency_of_departments_by_hand() -> None:
    """Items per hour: service 2 today and 3 with the measure, repair 4 and 1. The best, 4, is the frontier of all: a
    department under another plan is a unit of its own."""
    compared = comparison(["peak_30"])
    for department, hours, items in (("service", (100, 100), (200, 300)), ("repair", (50, 50), (200, 50))):
        pair = ({"baseline": a, "peak_30": b} for a, b in (hours, items))
        group = f"department={department}"
        compared = with_figures(compared, group, **dict(zip(("rostered_hours", "items_completed"), pair, strict=True)))
    ask = {"of": "departments", "inputs": ["rostered_hours"], "outputs": ["items_completed"]}
    found = graded(compared, card(efficiency=ask)).efficiency
    assert {key: pytest.approx(float(e.mean)) for key, e in found.items()} == {
        ("fault_repair/baseline", "service"): 0.5, ("fault_repair/baseline", "repair"): 1,
        ("fault_repair/peak_30", "service"): 0.75, ("fault_repair/peak_30", "repair"): 0.25,
    }  # fmt: skip


def test_a_department_without_figures_does_not_take_those_of_the_others_away() -> None:
    compared = comparison([])
    for department, items in (("archive", float("nan")), ("service", 200), ("repair", 100)):
        told = {"rostered_hours": {"baseline": 100.0}, "items_completed": {"baseline": items}}
        compared = with_figures(compared, f"department={department}", **told)
    ask = {"of": "departments", "inputs": ["rostered_hours"], "outputs": ["items_completed"]}
    found = graded(compared, card(efficiency=ask)).efficiency
    assert {at: float(e.mean) for (_, at), e in found.items()} == pytest.approx({"service": 1, "repair": 0.5})


def test_there_is_no_grade_where_no_replication_has_all_figures() -> None:
    compared = with_figures(comparison([], n=2), promise_resolution={"baseline": 0.7}, completion_x={"baseline": 1.0})
    frame = compared.kpis
    value = frame.value.where(~((frame.kpi == "promise_resolution") & (frame.replication == 0)))
    value = value.where(~((frame.kpi == "completion_x") & (frame.replication == 1)))
    two = {kpi: {"kpi": kpi, "typical": [0.9, 0.8, 0.6, 0.3]} for kpi in ("promise_resolution", "completion_x")}
    with pytest.raises(InputError, match="in each replication some indicator has no value"):
        asked = card(criteria={"c": {"indicators": two}}, judgements={})
        graded(replace(compared, kpis=frame.assign(value=value)), asked)


def test_units_without_an_output_are_left_out_of_the_efficiency() -> None:
    compared = with_figures(comparison(["peak_30"]), promise_resolution={"baseline": 0.5, "peak_30": 0})
    ask = {"inputs": ["cost_total"], "outputs": ["promise_resolution"]}
    assert set(graded(compared, card(efficiency=ask)).efficiency) == {("fault_repair/baseline", "")}


# ---------------------------------------------------------------------- several levels
STAFF: dict[str, Any] = {
    "criteria": {
        "conduct": {
            "indicators": {
                "on_time": {"kpi": "promise_resolution", "typical": [0.9, 0.8, 0.6, 0.3]},
                "longest": {"kpi": "cycle_time_max", "typical": ["30 min", "1 h", "2 h", "4 h"]},
            },
            "weights": {"on_time": 3, "longest": 1},
        },
        "load": {"indicators": {"cases": {"kpi": "cases", "typical": [50, 100, 150, 200]}}},
    },
    "judgements": {"conduct/load": 1.5},
}
END = {"indicators": {"rejected": {"kpi": "rejection_rate", "typical": [0.01, 0.03, 0.05, 0.1]}}}
KNOWN = {"promise_resolution": 0.7, "cycle_time_max": 75, "cases": 100, "rejection_rate": 0.05}


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        # 0.8 (0.6 (0.75 [0 .5 .5 0] + 0.25 [0 .75 .25 0]) + 0.4 [0 1 0 0]) + 0.2 [0 0 1 0]
        ("weighted", [0, 0.59, 0.41, 0]),
        # conduct: .75 ∧ .5 for both; staff: .6 ∧ .5 for both; with the end .8 ∧ .5, and .8 ∧ .5 ∨ .2 ∧ 1
        ("min_max", [0, 0.5, 0.5, 0]),
    ],
)
def test_criteria_may_have_criteria_below_them(operator: str, expected: list[float]) -> None:
    compared = with_figures(comparison([]), **{kpi: {"baseline": value} for kpi, value in KNOWN.items()})
    asked = card(criteria={"staff": STAFF, "end": END}, judgements={"staff/end": 4}, operator=operator)
    found = graded(compared, asked)
    assert found.weights == pytest.approx(
        {
            "staff": 0.8, "end": 0.2, "staff.conduct": 0.6, "staff.load": 0.4, "staff.conduct.on_time": 0.75,
            "staff.conduct.longest": 0.25, "staff.load.cases": 1, "end.rejected": 1,
        }
    )  # fmt: skip
    of = found.overall["fault_repair/baseline"]
    assert of.membership == pytest.approx(np.array(expected))
    assert of.score.mean == pytest.approx(np.array(expected) @ [95, 80, 65, 40])
    assert of.steady == 1
    assert set(found.ratios) == {"", "staff", "staff.conduct", "staff.load", "end"}


def test_judgements_below_are_checked_too() -> None:
    one = {"kpi": "cost_per_case", "typical": [30, 35, 40, 50]}
    circle = {"indicators": dict.fromkeys("abc", one), "judgements": {"a/b": 5, "b/c": 5, "a/c": 0.2}}
    wrong = Scorecard.model_validate({"criteria": {"top": {"criteria": {"below": circle}}}})
    with pytest.raises(InputError, match=r"scorecard.criteria.top.criteria.below.judgements: contradict each other"):
        check(wrong)


@pytest.mark.parametrize(("grade_by", "grade"), [("score", "fair"), ("membership", "excellent")])
def test_the_grade_of_what_is_excellent_in_one_thing_and_poor_in_another(grade_by: str, grade: str) -> None:
    """0.51 × 95 + 0.49 × 40 = 68 points: nearest to fair; yet it belongs to no grade as much as to the best one."""
    compared = with_figures(comparison([]), **{kpi: {"baseline": v} for kpi, v in KNOWN.items()})
    asked = {
        "good": {"indicators": {"cases": {"kpi": "cases", "typical": [100, 150, 200, 250]}}},
        "bad": {"indicators": {"rejected": {"kpi": "rejection_rate", "typical": [0.01, 0.02, 0.03, 0.05]}}},
    }
    weights = {"good": 0.51, "bad": 0.49}
    of = graded(compared, card(criteria=asked, judgements={}, weights=weights, grade_by=grade_by))
    assert of.overall["fault_repair/baseline"].grade == grade
    assert of.overall["fault_repair/baseline"].score.mean == pytest.approx(68.05)


def test_how_steady_a_grade_is() -> None:
    """0.72 is rather good than fair, 0.68 the other way round; it is 0.68 in 5 of 12 replications."""
    compared = with_figures(comparison([]), promise_resolution={"baseline": 0.72})
    mine = (compared.kpis.kpi == "promise_resolution") & compared.kpis.replication.isin(range(5))
    compared = replace(compared, kpis=compared.kpis.assign(value=compared.kpis.value.where(~mine, 0.68)))
    one = {"c": {"indicators": {"i": {"kpi": "promise_resolution", "typical": [0.9, 0.8, 0.6, 0.3]}}}}
    of = graded(compared, card(criteria=one, judgements={})).overall["fault_repair/baseline"]
    assert (of.grade, of.steady) == ("good", pytest.approx(7 / 12))


def test_efficiency_compares_scenarios() -> None:
    ask = {"inputs": ["cost_total"], "outputs": ["completion_rate"]}
    found = graded(comparison(["peak_30", "fewer"]), card(efficiency=ask))
    assert max(float(e.mean) for e in found.efficiency.values()) == pytest.approx(1, abs=0.01)
    assert {scenario for scenario, _ in found.efficiency} == {
        "fault_repair/baseline", "fault_repair/peak_30", "fault_repair/fewer",
    }  # fmt: skip


def test_an_indicator_without_a_value_is_left_out_and_said() -> None:
    cost = {**CARD["criteria"]["cost"]["indicators"], "late": {"kpi": "queue_x", "typical": [1, 2, 3, 4]}}
    found = graded(comparison(["peak_30"]), card(criteria={**CARD["criteria"], "cost": {"indicators": cost}}))
    assert found.left_out == ("cost.late",)


# ---------------------------------------------------------------------- bad input
def test_contradictory_judgements_are_refused_unless_accepted() -> None:
    circle = {"a/b": 5, "b/c": 5, "a/c": 0.2}
    one = {"indicators": {"x": {"kpi": "cost_per_case", "typical": [30, 35, 40, 50]}}}
    wrong = {"criteria": dict.fromkeys("abc", one), "judgements": circle}
    with pytest.raises(InputError, match=r"scorecard.judgements: contradict each other \(consistency ratio"):
        graded(comparison(["peak_30"]), Scorecard.model_validate(wrong))
    accepted = graded(comparison(["peak_30"]), Scorecard.model_validate({**wrong, "accept_inconsistent": True}))
    assert accepted.ratios[""] > 0.1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"judgements": {}, "weights": {"speed": 1}}, "weights: 'cost' has no weight"),
        ({"judgements": {"speed/price": 2}}, "judgements.speed/price: expected two of these things"),
        ({"judgements": {"speed/cost": 2, "cost/speed": 2}}, "judgements: speed/cost is judged twice"),
        ({"judgements": {}, "criteria": {"c": {}}}, "criteria.c.indicators: needs `indicators`, or `criteria`"),
        ({"points": [1, 2]}, "points: needs a number for each of the grades"),
        ({"seasons": {"x": {"weights": {"sped": 0.4}}}}, "there is no criterion 'sped'; did you mean speed"),
        ({"seasons": {"x": {"weights": {"speed": 0.9, "cost": 0.9}}}}, "sum to 1.8"),
        (
            {"judgements": {}, "criteria": {"c": {"indicators": {"i": {"kpi": "cases", "typical": [1, 3, 2, 4]}}}}},
            "typical: must rise or fall from grade to grade",
        ),
    ],
)
def test_bad_scorecards(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        card(**changes)
    lines = [f"{'.'.join(map(str, path))}: {message}" for path, message in problems(refused.value, {**CARD, **changes})]
    assert any(told in line for line in lines), lines


# ---------------------------------------------------------------------- in the report
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_has_a_section(language: str) -> None:
    ask = {
        "seasons": {"busy": {"label": {"en": "Busy", "zh": "旺季"}, "weights": {"speed": 0.9}}},
        "efficiency": {"inputs": ["cost_total"], "outputs": ["completion_rate"]},
        "worth": {"sooner": {"kpi": "first_response_mean", "per": "10 min", "money": 50}},
    }
    found = comparison(["peak_30"])
    baseline = {**found.configs["fault_repair/baseline"], "scorecard": CARD | ask}
    configs = {**found.configs, "fault_repair/baseline": baseline}
    text = to_markdown(page.blocks(Findings(replace(found, configs=configs), words(language)), []), {})
    say = words(language)
    for key in ("title", "grades", "criteria", "seasons", "efficiency", "worth"):
        assert f"# {say(f'scorecard.{key}')}\n" in text
    assert say("grade.poor") in text
    assert not re.search(r"\bnan\b", text)
