"""The complaints case study: measures are what their assumptions say, and the scorecard is one that is accepted."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import NormalDist

import pytest

import servsim
from servsim import grading
from servsim.scoring import CONSISTENT, by_judgement

ROOT = Path(__file__).parents[1]
VARIANTS = sorted(path.stem for path in (ROOT / "scenarios" / "complaints").glob("*.yaml"))
MORE_STAFF = {"one_more_handler", "special_team", "all_together"}


def load(variant: str) -> servsim.Scenario:
    return servsim.load(f"complaints/{variant}", project=ROOT)


def daily_wages(scenario: servsim.Scenario) -> float:
    """Money for the shifts of a working day."""
    hours = {name: sum(b - a for a, b in shift.hours) / 3.6e9 for name, shift in scenario.shifts.items()}
    return sum(
        n * hours[shift] * scenario.pools[pool].wage
        for pool, shifts in scenario.staffing.items()
        for shift, n in shifts.items()
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_measures_that_say_so_cost_more_wages(variant: str) -> None:
    more = daily_wages(load(variant)) - daily_wages(load("baseline"))
    assert (more > 100) if variant in MORE_STAFF else abs(more) < 1


def test_the_share_of_small_claims_is_as_stated() -> None:
    scenario = load("authority")
    decision = scenario.processes["complaint"].steps["how_much"]
    (limit, step), *_ = decision.below.items()
    variance = math.log(1 + 1.2**2)
    below = NormalDist().cdf((math.log(float(limit) / 400) + variance / 2) / math.sqrt(variance))
    assert (step, round(below, 2)) == ("offer", 0.57)


def test_the_patch_takes_80_percent_of_what_was_more() -> None:
    """1 + 0.2 (2 − 1) after the first week, and a fifth of the repeats."""
    before, after = load("baseline"), load("patch")
    surges = [scenario.demand["product"].surges for scenario in (before, after)]
    assert [s["wave_first_week"].factor for s in surges] == [2, 2]
    extra = [s["wave_later"].factor - 1 for s in surges]
    assert extra[1] == pytest.approx(0.2 * extra[0])
    shares = [scenario.case_classes["product"].repeat.share for scenario in (before, after)]
    assert shares[1] == pytest.approx(0.2 * shares[0])


def test_the_judgements_of_the_scorecard_do_not_contradict_each_other() -> None:
    card = load("baseline").scorecard
    assert card is not None
    grading.check(card)
    assert by_judgement(card.matrix(list(card.criteria))).ratio < CONSISTENT / 2
    assert card.seasons["peak"].weights == {"receiving": 0.4}
