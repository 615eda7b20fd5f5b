"""Scorecards of comparisons whose figures are known: weights, grades, seasons, what a gain is worth."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers_comparison import comparison
from pydantic import ValidationError

from servsim.grading import graded, seasonal
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


def test_efficiency_compares_scenarios() -> None:
    ask = {"inputs": ["cost_total"], "outputs": ["completion_rate"]}
    found = graded(comparison(["peak_30", "fewer"]), card(efficiency=ask))
    assert max(found.efficiency.values()) == pytest.approx(1)
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
