"""Several items in one person's hands: by hand with the whole log, on random worlds, and against theory."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import MORE
from pydantic import ValidationError
from test_laws import compared
from worlds import Case, Do, Person, Team, World, at_desk, expect, mapping, random_world, tiny

from servsim.engines import Engine
from servsim.lint import lint
from servsim.model import Scenario
from servsim.prepare import plan
from servsim.simulate import simulate


def chats(cases: dict[str, Case], pace: list[float], places: int = 2, **changes: Any) -> World:
    """Ann handles so many at once."""
    person = Person("desk", changes.pop("duty", [(0, 1000)]), changes.pop("breaks", ()))
    staff = {"ann": person, **{f"ann{k}": replace(person, same_as="ann") for k in range(2, places + 1)}}
    team = Team({"desk": 0}, changes.pop("end_of_shift", "finish"), at_once=pace)
    return tiny(cases, teams={"desk": team}, staff=staff, **changes)


def sharing_world(seed: int) -> World:
    """A random world in which some people have several places."""
    rng = random.Random(f"sharing/{seed}")
    world = random_world(rng.randint)
    teams, people = dict(world.teams), {}
    for name, person in world.people.items():
        people[name] = person
        for k in range(rng.randint(0, 2)):
            people[f"{name}+{k}"] = replace(person, same_as=name)
    for name in teams:
        if rng.random() < 0.6:
            teams[name] = replace(teams[name], at_once=[100, rng.choice([100, 60, 33]), rng.choice([90, 40, 10])])
    return world.but(teams=teams, people=people, cases=alone(world.cases))


def alone(part: Any) -> Any:
    """No step needs several: people with several items in hand do not serve such."""
    if isinstance(part, Mapping):
        return {name: alone(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return type(part)(map(alone, part))
    if isinstance(part, Do):
        return replace(part, workers=1)
    return replace(part, path=alone(part.path)) if isinstance(part, Case) else part


# ------------------------------------------------------------------ by hand


def test_rule_4_two_at_once_at_full_speed(engine: Engine) -> None:
    """Truth M69: up to two chats at a time, no slowdown."""
    cases = {"p1": at_desk(540, 10), "p2": at_desk(544, 10), "p3": at_desk(546, 5), "p4": at_desk(552, 4)}
    expect(
        engine,
        chats(cases, [100, 100]),
        """
        p1 540 540 540 550 ann
        p2 544 544 544 554 ann2
        p3 546 546 550 555 ann
        p4 552 552 554 558 ann2
        left p1 550, p2 554, p3 555, p4 558
        """,
    )


def test_rule_4_each_is_slower_while_there_are_two(engine: Engine) -> None:
    """At 50 % each from 4 to 16: a does 4 + 6, b 6, and after 16 b does its last 4 alone."""
    cases = {"a": at_desk(0, 10), "b": at_desk(4, 10)}
    expect(engine, chats(cases, [100, 50]), "a 0 0 0 16 ann\n b 4 4 4 20 ann2\n left a 16, b 20")


def test_rule_4_speeds_are_counted_to_the_thousandth_of_a_per_cent(engine: Engine) -> None:
    """At 62.5 % b's 5 take 8, in which a does 5 as well; the other 5 of a take 5."""
    world = chats({"a": at_desk(0, 10), "b": at_desk(0, 5)}, [100, 62.5])
    expect(engine, world, "a 0 0 0 13 ann\n b 0 0 0 8 ann2\n left a 13, b 8")
    model = desk({"pace": [100, 62.5, 33.333]}, "1/h", {"kind": "constant", "value": "5 min"})
    assert plan(model).at_once_pace.tolist() == [[100_000, 62_500, 33_333]]


def test_rule_4_shared_out_equally(engine: Engine) -> None:
    """Three of six minutes each, from 0 at once: each at a third until 18."""
    cases = {name: at_desk(0, 6) for name in "abc"} | {"d": at_desk(6, 2)}
    expect(
        engine,
        chats(cases, [], places=4),
        """
        a 0 0 0 20 ann
        b 0 0 0 20 ann2
        c 0 0 0 20 ann3
        d 6 6 6 14 ann4
        left a 20, b 20, c 20, d 14
        """,
    )


def test_rule_4_who_has_fewest_in_hand_comes_first(engine: Engine) -> None:
    """Ann has been idle longer on her second place, but bob has nothing in hand."""
    staff = {"ann": Person("desk", [(0, 99)]), "ann2": Person("desk", [(0, 99)], same_as="ann")}
    staff["bob"] = Person("desk", [(3, 99)])
    world = tiny(
        {"a": at_desk(0, 10), "b": at_desk(5, 10), "c": at_desk(6, 10)},
        teams={"desk": Team({"desk": 0}, at_once=[100, 100])},
        staff=staff,
    )
    expect(engine, world, "a 0 0 0 10 ann\n b 5 5 5 15 bob\n c 6 6 6 16 ann2\n left a 10, b 15, c 16")


def test_rule_5_a_break_interrupts_both(engine: Engine) -> None:
    cases = {"a": at_desk(0, 10), "b": at_desk(0, 10)}
    expect(
        engine,
        chats(cases, [100, 50], breaks=[(10, 5, "pause")]),
        """
        a 0 0 0 25 ann
        b 0 0 0 25 ann2
        ann: a 0-10
        ann2: b 0-10
        ann: a 15-25
        ann2: b 15-25
        left a 25, b 25
        """,
    )


@pytest.mark.parametrize("block", range(2))
def test_the_log_is_that_of_a_second_reading_of_the_rules(engine: Engine, block: int) -> None:
    for seed in range(block * 10_000, block * 10_000 + round(150 * MORE)):
        assert not compared(sharing_world(seed), engine), f"seed {seed}"


# ------------------------------------------------------------------ from a scenario


def desk(at_once: dict[str, Any], rate: str, time: dict[str, Any], staff: int = 1, days: int = 30) -> Scenario:
    config = mapping(
        clock={"start": "2026-03-02", "horizon": f"{days} d", "warm_up": "2 d"},
        pools={"desk": {"department": "office", "at_once": at_once, "wage": 60, "overtime": 0}},
        staffing={"desk": {"always": staff}},
        demand={"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": rate}}},
    )
    config["processes"]["p"]["steps"]["serve"]["time"] = time
    return Scenario.model_validate(config)


def theory(scenario: Scenario, **expected: float) -> None:
    """Within four standard errors over replications, and those below 6 % of the value."""
    tables = [simulate(scenario, 5, k).kpis().set_index(["kpi", "group"]).value for k in range(8)]
    for kpi, value in expected.items():
        values = [table[kpi, "all"] for table in tables]
        error = np.std(values, ddof=1) / len(values) ** 0.5
        assert abs(np.mean(values) - value) <= 4 * error, kpi
        assert error < 0.07 * value, kpi


def test_theory_processor_sharing() -> None:
    """Truth PS-01: T = E[S] ÷ (1 − ρ), whatever the distribution of the work."""
    work = {"kind": "lognormal", "mean": "10 min", "cv": 1.5**0.5}
    theory(desk({"sharing": "equal", "cases": 40}, "0.07/min", work), cycle_time_mean=33.3333333333, utilisation=0.7)


def test_theory_chat_agents() -> None:
    """Truth CONC-01, exact Markov chain: three agents, rates 0.2 and 0.13 per case, fewest in hand first."""
    work = {"kind": "exponential", "mean": "5 min"}
    scenario = desk({"cases": 2, "pace": [100, 65]}, "0.6/min", work, staff=3, days=30)
    theory(scenario, waiting_mean=2.06985140833, cycle_time_mean=8.90198226502, utilisation=0.842960212283)


def test_a_person_is_rostered_and_paid_once() -> None:
    scenario = desk({"cases": 2}, "10/h", {"kind": "exponential", "mean": "5 min"}, staff=3, days=4)
    value = simulate(scenario).kpis().set_index(["kpi", "group"]).value
    assert value["rostered_hours", "all"] == 3 * 24 * 2
    assert value["cost_wages", "all"] == pytest.approx(3 * 24 * 2 * 60)
    assert plan(scenario).workers == tuple(f"desk.always.{k}" for k in (1, 1, 2, 2, 3, 3))


def test_the_load_lint_counts_all_places() -> None:
    work = {"kind": "exponential", "mean": "5 min"}
    assert not [f for f in lint(desk({"pace": [100, 65]}, "15/h", work)) if f.severity == "error"]  # 1.25 of 1.3
    assert [f for f in lint(desk({"pace": [100, 60]}, "15/h", work)) if f.severity == "error"]


def test_bad_input_about_several_at_once() -> None:
    def refused(where: str, what: str, at_once: dict[str, Any]) -> None:
        with pytest.raises(ValidationError) as error:
            desk(at_once, "1/h", {"kind": "constant", "value": "5 min"})
        assert [".".join(map(str, e["loc"])) for e in error.value.errors()] == [f"pools.desk.at_once.{where}"]
        assert what in error.value.errors()[0]["msg"]

    refused("cases", "how many", {})
    refused("pace", "needs 3 numbers", {"cases": 3, "pace": [100, 50]})
    refused("pace", "no effect", {"pace": [100, 50], "sharing": "equal"})
    refused("cases", "at most 200", {"cases": 1000})
    refused("pace.1", "per cent", {"pace": [100, 0]})
    call = {"headcount": 1, "call": {"waiting": 3}}
    pools = {"desk": {"department": "office", "at_once": {"cases": 2}, "reserve": call}}
    with pytest.raises(ValidationError, match="pool of its own"):
        Scenario.model_validate(mapping(pools=pools))


def test_rule_3_one_of_several_items_in_hand_is_interrupted(engine: Engine) -> None:
    """a and b are half done, at half the speed; a, of the first in the roster, goes back, and b goes on beside c."""
    cases = {"a": at_desk(0, 10, rank=1), "b": at_desk(0, 10, rank=1), "c": at_desk(10, 5)}
    expect(
        engine,
        chats(cases, [100, 50], preempt={"desk": "resume"}),
        """
        a 0 0 0 25 ann
        b 0 0 0 20 ann2
        c 10 10 10 20 ann
        ann: a 0-10
        ann: a 20-25
        left a 25, b 20, c 20
        """,
    )
    pools = {"desk": {"department": "office", "at_once": {"pace": [100, 50]}}}
    simulate(Scenario.model_validate(mapping(pools=pools, dispatch={"rule": "priority", "preempt": "resume"})))
