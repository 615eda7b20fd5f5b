"""Scorecards against worked examples of textbooks."""

from __future__ import annotations

import numpy as np
import pytest

from servsim.scoring import by_judgement, efficiency, evaluated, memberships


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


def test_variable_returns_are_kinder_to_small_units() -> None:
    x, y = [[2], [3], [5], [8]], [[1], [3], [4], [4.5]]
    constant, variable = efficiency(x, y).score, efficiency(x, y, variable_returns=True).score
    assert (variable >= constant - 1e-9).all()
    assert variable[0] == pytest.approx(1)
    assert constant[0] == pytest.approx(0.5)


def test_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        efficiency([[0.0]], [[1.0]])
