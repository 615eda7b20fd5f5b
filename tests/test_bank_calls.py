"""The bank_calls case study: its arithmetic by hand, its files in step, its baseline within the stated tolerances."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import servsim

STUDY = Path(__file__).parents[1] / "scenarios" / "bank_calls"
sys.path.insert(0, str(STUDY))

from derivation import calls, hanging_up, precedence, serving, staffing  # noqa: E402
from derivation.writing import fill  # noqa: E402


def test_patience_counts_answered_callers_as_having_waited_longer() -> None:
    curve = hanging_up.kaplan_meier(np.array([1.0, 2, 3, 4]), np.array([True, False, True, False]))
    assert curve.at_risk.tolist() == [4, 3, 2, 1]
    assert curve.still.tolist() == [3 / 4, 3 / 4, 3 / 8, 3 / 8]


def test_patience_beyond_the_last_observation_goes_on_at_the_rate_seen_last() -> None:
    waited = np.concatenate([np.full(100, 10.0), np.full(100, 20.0)])
    hung_up = np.concatenate([np.ones(150, bool), np.zeros(50, bool)])
    assert hanging_up.tail(hanging_up.kaplan_meier(waited, hung_up), waited, hung_up) == (20.0, 0.25, 20.0)
    quantiles = hanging_up.quantiles(waited, hung_up)
    assert quantiles[[0, 40, 60]].tolist() == [0, 10, 20] and (np.diff(quantiles) >= 0).all()
    assert quantiles[90] == round(20 + 20 * np.log(0.25 / 0.10))


def test_quantiles_of_service_keep_the_mean() -> None:
    values = np.sort(np.random.default_rng(1).lognormal(5, 1, 5000))
    quantiles = serving.quantiles(values)
    assert (quantiles[1:] + quantiles[:-1]).mean() / 2 == pytest.approx(values.mean(), abs=0.6)


def test_headcounts_keep_the_sum_and_leave_no_kind_of_call_without_an_agent() -> None:
    means = zip(staffing.POOLS, (0.9, 1.4, 0.3, 0.1), strict=True)
    wanted = pd.DataFrame({pool: np.full(48, mean) for pool, mean in means})
    whole = staffing.headcounts(wanted, (7, 24))
    half_hours = whole.loc[14:]
    assert abs(half_hours.sum() - wanted.loc[14:].sum()).max() <= 1.5
    assert (half_hours.sum(axis=1) - 2.7).abs().max() < 1
    assert (half_hours.all_round + half_hours.account_and_new).min() >= 1
    assert (half_hours.all_round + half_hours.account_and_stock + half_hours.stock_desk).min() >= 1
    assert whole.loc[:13].to_numpy().sum() == 0


def test_an_agent_is_on_duty_between_calls_but_not_over_a_long_gap() -> None:
    serving_at = np.zeros(100, bool)
    serving_at[10:20] = serving_at[25:30] = serving_at[60:70] = True
    assert np.flatnonzero(np.diff(staffing.bridged(serving_at, 5).astype(int))).tolist() == [9, 29, 59, 69]


def test_a_head_start_shows_in_who_was_taken_first() -> None:
    kinds = {"taken_process": "account", "other_process": "account"}
    rows = pd.DataFrame(
        [
            {**kinds, "taken_priority": True, "other_priority": False, "later": 80},
            {**kinds, "taken_priority": False, "other_priority": True, "later": -100},
        ]
    )
    later, first = precedence.choices(rows, ("account", True), ("account", False))
    assert later.tolist() == [80, 100] and first.tolist() == [True, False]


def test_the_opening_hours_follow_the_day() -> None:
    friday, saturday = 4 * calls.DAY, 5 * calls.DAY
    at = np.array([7 * 3600, 6 * 3600, friday + 13 * 3600, friday + 14 * 3600, saturday + 19 * 3600, saturday + 70200])
    assert calls.is_open(at).tolist() == [True, False, True, False, False, True]


def test_only_marked_values_are_replaced(tmp_path: Path) -> None:
    file = tmp_path / "some.yaml"
    file.write_text("a: &one [1, 2]  # derived: x\nb: 3\nc: 4  # derived: y\n", encoding="utf-8")
    assert fill(file, {"x": "[5]", "y": "4"}) == 1
    assert file.read_text(encoding="utf-8") == "a: &one [5]  # derived: x\nb: 3\nc: 4  # derived: y\n"


def test_the_facts_of_the_baseline_are_those_of_the_reported_table() -> None:
    reported = pd.read_csv(STUDY / "reported.csv").set_index("hour").loc["all"]
    facts = servsim.load("bank_calls/baseline", project=STUDY.parents[1]).facts
    assert facts["hang_ups"].value == pytest.approx(reported.hang_up_share, abs=5e-4)
    assert facts["within_60s"].value == pytest.approx(reported.within_60s_share, abs=5e-4)


def test_the_baseline_reproduces_the_reported_facts_within_their_tolerance() -> None:
    scenario = servsim.load("bank_calls/baseline", project=STUDY.parents[1])
    kpis = pd.concat([servsim.simulate(scenario, seed=1, replication=r).kpis() for r in range(5)])
    simulated = kpis.groupby(["kpi", "group"]).value.mean()
    for fact in scenario.facts.values():
        assert simulated[fact.kpi, fact.group] == pytest.approx(fact.value, abs=fact.tolerance)
