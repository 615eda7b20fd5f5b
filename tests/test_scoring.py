"""Scorecards against worked examples of textbooks."""

from __future__ import annotations

import numpy as np
import pytest

from servsim.scoring import CONSISTENT, by_judgement, efficiency, evaluated, memberships


# ---------------------------------------------------------------------- weights
def test_judgements_that_agree_give_the_ratios() -> None:
    found = by_judgement([[1, 2, 6], [1 / 2, 1, 3], [1 / 6, 1 / 3, 1]])
    assert found.weights == pytest.approx(np.array([6, 3, 1]) / 10)
    assert found.ratio == 0


def test_a_worked_example_with_three_criteria() -> None:
    """[[1, 1/3, 5], [3, 1, 7], [1/5, 1/7, 1]], the example of many lessons. For three things λ is the root of
    λ³ − 3λ² = c + 1/c − 2 with c = a₁₂ a₂₃ a₃₁ = 7/15: 3.0649; the weights are .279, .649, .072."""
    found = by_judgement([[1, 1 / 3, 5], [3, 1, 7], [1 / 5, 1 / 7, 1]])
    assert found.weights == pytest.approx([0.2790, 0.6491, 0.0719], abs=5e-5)
    assert found.ratio == pytest.approx((3.0649 - 3) / 2 / 0.58, abs=1e-4)


HOUSE = [
    [1, 5, 3, 7, 6, 6, 1 / 3, 1 / 4],
    [1 / 5, 1, 1 / 3, 5, 3, 3, 1 / 5, 1 / 7],
    [1 / 3, 3, 1, 6, 3, 4, 6, 1 / 5],
    [1 / 7, 1 / 5, 1 / 6, 1, 1 / 3, 1 / 4, 1 / 7, 1 / 8],
    [1 / 6, 1 / 3, 1 / 3, 3, 1, 1 / 2, 1 / 5, 1 / 6],
    [1 / 6, 1 / 3, 1 / 4, 4, 2, 1, 1 / 5, 1 / 6],
    [3, 5, 1 / 6, 7, 5, 5, 1, 1 / 2],
    [4, 7, 5, 8, 6, 6, 2, 1],
]


def test_the_house_of_saaty() -> None:
    """Eight criteria of a family that buys a house (Saaty, How to make a decision, European Journal of Operational
    Research 48, 1990): λ 9.669, consistency index .238, ratio .169, which is too much."""
    found = by_judgement(HOUSE)
    assert found.weights == pytest.approx([0.173, 0.054, 0.188, 0.018, 0.031, 0.036, 0.167, 0.333], abs=5e-4)
    assert found.ratio == pytest.approx(0.169, abs=5e-4)
    assert found.ratio * 1.41 * 7 + 8 == pytest.approx(9.669, abs=5e-4)
    assert found.ratio > CONSISTENT


def test_judgements_that_go_in_a_circle_are_inconsistent() -> None:
    assert by_judgement([[1, 5, 1 / 5], [1 / 5, 1, 5], [5, 1 / 5, 1]]).ratio > 1


@pytest.mark.parametrize("matrix", [[[1, 2], [2, 1]], [[1, 2, 3]], [[1, -2], [-1 / 2, 1]], []])
def test_what_is_not_reciprocal_is_refused(matrix: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="expected a square matrix"):
        by_judgement(matrix)


# ---------------------------------------------------------------------- grades
@pytest.mark.parametrize(
    ("value", "grades"),
    [(10, [1, 0, 0, 0]), (30, [1, 0, 0, 0]), (75, [0, 0.75, 0.25, 0]), (120, [0, 0, 1, 0]), (999, [0, 0, 0, 1])],
)
def test_a_value_belongs_to_the_two_grades_that_it_lies_between(value: float, grades: list[float]) -> None:
    assert memberships(value, [30, 60, 120, 240]) == pytest.approx(grades)


def test_higher_may_be_better() -> None:
    assert memberships(0.85, [0.95, 0.9, 0.8, 0.6]) == pytest.approx([0, 0.5, 0.5, 0])
    with pytest.raises(ValueError, match="each worse than the one before"):
        memberships(1, [1, 3, 2])


def test_a_worked_evaluation_by_both_operators() -> None:
    """Weights .2 .5 .2 .1 over four factors: the classroom example of clothes (Wang Peizhuang)."""
    rows = [[0.2, 0.5, 0.2, 0.1], [0.7, 0.2, 0.1, 0.0], [0.0, 0.4, 0.5, 0.1], [0.2, 0.3, 0.5, 0.0]]
    weights = [0.2, 0.5, 0.2, 0.1]
    assert evaluated(weights, rows) == pytest.approx([0.41, 0.31, 0.24, 0.04])
    assert evaluated(weights, rows, "min_max") == pytest.approx(np.array([0.5, 0.2, 0.2, 0.1]))


def test_the_main_factor_decides() -> None:
    """Clothes once more, five factors and the weights of a group of men (the example of Chinese lecture notes on
    模糊综合评价): B = (.35 .30 .30 .15), made to sum to 1: (.32 .27 .27 .14)."""
    rows = [[0.2, 0.5, 0.3, 0], [0.1, 0.3, 0.5, 0.1], [0, 0.1, 0.6, 0.3], [0, 0.4, 0.5, 0.1], [0.5, 0.3, 0.2, 0]]
    found = evaluated([0.1, 0.1, 0.15, 0.3, 0.35], rows, "min_max")
    assert found == pytest.approx(np.array([0.35, 0.30, 0.30, 0.15]) / 1.1)
    assert found == pytest.approx([0.32, 0.27, 0.27, 0.14], abs=5e-3)


STAFF = {
    "performance": (0.4, [0.2, 0.3, 0.3, 0.2], [
        [0.8, 0.15, 0.05, 0, 0], [0.2, 0.6, 0.1, 0.1, 0], [0.5, 0.4, 0.1, 0, 0], [0.1, 0.3, 0.5, 0.05, 0.05],
    ]),
    "attitude": (0.3, [0.3, 0.2, 0.1, 0.2, 0.2], [
        [0.3, 0.5, 0.15, 0.05, 0], [0.2, 0.2, 0.4, 0.1, 0.1], [0.4, 0.4, 0.1, 0.1, 0], [0.1, 0.3, 0.3, 0.2, 0.1],
        [0.3, 0.2, 0.2, 0.2, 0.1],
    ]),
    "ability": (0.2, [0.1, 0.2, 0.3, 0.2, 0.2], [
        [0.1, 0.3, 0.5, 0.1, 0], [0.2, 0.3, 0.3, 0.1, 0.1], [0.2, 0.3, 0.35, 0.15, 0], [0.1, 0.3, 0.4, 0.1, 0.1],
        [0.1, 0.4, 0.3, 0.1, 0.1],
    ]),
    "growth": (0.1, [0.3, 0.2, 0.2, 0.3], [
        [0.3, 0.4, 0.2, 0.1, 0], [0.1, 0.4, 0.3, 0.1, 0.1], [0.2, 0.3, 0.4, 0.1, 0], [0.4, 0.3, 0.2, 0.1, 0],
    ]),
}  # fmt: skip


def test_an_evaluation_on_two_levels() -> None:
    """The appraisal of an employee by 18 indicators in four groups (司守奎、孙玺菁, 数学建模算法与应用, chapter 14):
    first each group, then the groups; graded 良好, the second of five."""
    groups = {name: evaluated(weights, rows) for name, (_, weights, rows) in STAFF.items()}
    assert groups["performance"] == pytest.approx([0.39, 0.39, 0.17, 0.04, 0.01])
    assert groups["attitude"] == pytest.approx([0.25, 0.33, 0.235, 0.125, 0.06])
    assert groups["ability"] == pytest.approx([0.15, 0.32, 0.355, 0.115, 0.06])
    assert groups["growth"] == pytest.approx([0.27, 0.35, 0.26, 0.1, 0.02])
    whole = evaluated([weight for weight, *_ in STAFF.values()], list(groups.values()))
    assert whole == pytest.approx([0.288, 0.354, 0.2355, 0.0865, 0.036])
    assert whole.argmax() == 1


# ---------------------------------------------------------------------- efficiency
def test_one_input_one_output() -> None:
    """Eight stores: employees and sales (Cooper, Seiford & Tone, Data Envelopment Analysis, example 1.1): store B is
    best, the others' efficiency is their sales per head over B's."""
    staff, sales = np.array([2, 3, 3, 4, 5, 5, 6, 8.0]), np.array([1, 3, 2, 3, 4, 2, 3, 5.0])
    found = efficiency(staff[:, None], sales[:, None])
    assert found.score == pytest.approx(sales / staff)
    assert found.peers[0, 1] == pytest.approx(1 / 3)


def test_two_inputs_one_output() -> None:
    """Nine stores, example 1.2 of the same book: C, D and E are the frontier (employees and floor area per sales)."""
    employees = [4, 7, 8, 4, 2, 5, 6, 5.5, 6]
    area = [3, 3, 1, 2, 4, 2, 4, 2.5, 2.5]
    found = efficiency(np.column_stack([employees, area]), np.ones((9, 1)))
    assert np.flatnonzero(found.score > 1 - 1e-9).tolist() == [2, 3, 4]
    assert found.score[0] == pytest.approx(0.8571, abs=5e-5)  # A: 6/7
    assert found.score[1] == pytest.approx(0.6316, abs=5e-5)  # B: 12/19


def test_two_inputs_two_outputs() -> None:
    """Twelve hospitals: doctors and nurses, out- and inpatients, and their CCR efficiencies (Cooper, Seiford & Tone,
    Data Envelopment Analysis, section 1.5)."""
    doctors = [20, 19, 25, 27, 22, 55, 33, 31, 30, 50, 53, 38]
    nurses = [151, 131, 160, 168, 158, 255, 235, 206, 244, 268, 306, 284]
    out = [100, 150, 160, 180, 94, 230, 220, 152, 190, 250, 260, 250]
    inpatients = [90, 50, 55, 72, 66, 90, 88, 80, 100, 100, 147, 120]
    found = efficiency(np.column_stack([doctors, nurses]), np.column_stack([out, inpatients]))
    told = [1, 1, 0.883, 1, 0.763, 0.835, 0.902, 0.796, 0.960, 0.871, 0.955, 0.958]
    assert found.score == pytest.approx(told, abs=5e-4)


def test_variable_returns_are_kinder_to_small_units() -> None:
    x, y = [[2], [3], [5], [8]], [[1], [3], [4], [4.5]]
    constant, variable = efficiency(x, y).score, efficiency(x, y, variable_returns=True).score
    assert (variable >= constant - 1e-9).all()
    assert variable[0] == pytest.approx(1)
    assert constant[0] == pytest.approx(0.5)


def test_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        efficiency([[0.0]], [[1.0]])
