"""Workers who are called in when work piles up: by hand with the whole log, against theory, and in a scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from worlds import Called, Case, Do, Person, Team, World, at_desk, expect, mapping, tiny

from servsim.engines import Engine
from servsim.lint import lint
from servsim.model import Scenario
from servsim.quantities import MINUTE
from servsim.records import Run
from servsim.simulate import simulate


def called(cases: dict[str, Case], mark: Called, n: int = 1, **changes: Any) -> World:
    """Ann is at the desk, others come when called."""
    others = {f"r{k}": Person("desk", [], reserve=True) for k in range(n)}
    teams = {"desk": Team({"desk": 0}, called=mark)}
    return tiny(cases, teams=teams, staff={"ann": [(0, 1000)], **others}, **changes)


def there(run: Run) -> list[tuple[str, float, float]]:
    log = run.log
    rows = zip(log.reserve_worker.tolist(), log.reserve_from.tolist(), log.reserve_to.tolist(), strict=True)
    return sorted((run.plan.workers[w], a / MINUTE, b / MINUTE) for w, a, b in rows)


def test_rule_5_called_when_three_wait(engine: Engine) -> None:
    """Truth M35: the third waits at 552, he comes at 557, and leaves at 587 when nothing waits."""
    cases = {"z1": at_desk(540, 30), **{f"z{k}": at_desk(at, 10) for k, at in enumerate((545, 550, 552, 555), 2)}}
    world = called(cases, Called(waiting=3, delay=5))
    expect(
        engine,
        world,
        """
        z1 540 540 540 570 ann
        z2 545 545 557 567 r0
        z3 550 550 567 577 r0
        z4 552 552 570 580 ann
        z5 555 555 577 587 r0
        left z1 570, z2 567, z3 577, z4 580, z5 587
        """,
    )
    assert there(world.run(engine)) == [("r0", 557, 587)]


def test_rule_5_called_by_the_oldest_wait_and_stays_at_least(engine: Engine) -> None:
    """b has waited 10 at 15; the reserve comes at 17 and stays until 47, so that it takes c at 40 as well."""
    cases = {"a": at_desk(0, 60), "b": at_desk(5, 4), "c": at_desk(40, 3)}
    world = called(cases, Called(oldest=10, delay=2, stay=30))
    expect(
        engine,
        world,
        """
        a 0 0 0 60 ann
        b 5 5 17 21 r0
        c 40 40 40 43 r0
        left a 60, b 21, c 43
        """,
    )
    assert there(world.run(engine)) == [("r0", 17, 47)]


def test_rule_5_those_on_their_way_are_deducted(engine: Engine) -> None:
    """With a mark of two the third that waits would call a second one only if the first were not on the way."""
    cases = {"a": at_desk(0, 60), **{f"b{k}": at_desk(1 + k, 5) for k in range(3)}}
    run = called(cases, Called(waiting=2, delay=10), n=2).run(engine)
    assert there(run) == [("r0", 12, 22), ("r1", 13, 18)]  # b1 enters as the second, b2 as the third: one each
    fewer = called({k: v for k, v in cases.items() if k != "b2"}, Called(waiting=2, delay=10), n=2).run(engine)
    assert there(fewer) == [("r0", 12, 22)]


def test_rule_5_who_becomes_free_below_the_mark_takes_nothing_more(engine: Engine) -> None:
    """Truth OVF-03 in small: they step in when three wait; one who is free leaves when no more than two do."""
    cases = {"a": at_desk(0, 60), **{f"b{k}": at_desk(1 + k, 5) for k in range(4)}}
    world = called(cases, Called(waiting=3, release=2), n=3)
    run = world.run(engine)
    assert there(run) == [("r0", 3, 8), ("r1", 4, 9)]
    assert (run.log.started_at // MINUTE).tolist() == [0, 3, 4, 60, 65]


def test_rule_5_nobody_is_called_outside_the_hours_and_who_is_free_at_their_end_leaves(engine: Engine) -> None:
    """b would bring somebody at 12, too early; c does at 20. At 40 they end: d, in hand, is finished; e waits."""
    cases = {"a": at_desk(0, 60), "b": at_desk(10, 5), "c": at_desk(18, 5), "d": at_desk(31, 15), "e": at_desk(32, 5)}
    world = called(cases, Called(waiting=1, delay=2, stay=15, hours=[(20, 40)]))
    expect(
        engine,
        world,
        """
        a 0 0 0 60 ann
        b 10 10 20 25 r0
        c 18 18 25 30 r0
        d 31 31 31 46 r0
        e 32 32 60 65 ann
        left a 60, b 25, c 30, d 46, e 65
        """,
    )
    assert there(world.run(engine)) == [("r0", 20, 46)]


def test_rule_5_nobody_sets_out_who_would_arrive_at_the_end_of_the_hours(engine: Engine) -> None:
    world = called({"a": at_desk(0, 60), "b": at_desk(38, 5)}, Called(waiting=1, delay=2, stay=15, hours=[(20, 40)]))
    assert there(world.run(engine)) == []


def test_rule_5_who_is_idle_when_the_hours_end_goes_home_before_the_stay_is_over(engine: Engine) -> None:
    """And comes again when called in the next hours; whoever becomes free at the very end takes nothing more."""
    cases = {"a": at_desk(0, 100), "b": at_desk(10, 5), "c": at_desk(50, 10), "d": at_desk(55, 5)}
    world = called(cases, Called(waiting=1, stay=60, hours=[(0, 20), (40, 60)]))
    expect(
        engine,
        world,
        """
        a 0 0 0 100 ann
        b 10 10 10 15 r0
        c 50 50 50 60 r0
        d 55 55 100 105 ann
        left a 100, b 15, c 60, d 105
        """,
    )
    assert there(world.run(engine)) == [("r0", 10, 20), ("r0", 50, 60)]


# ------------------------------------------------------------------ from a scenario

RESERVE = {"headcount": 3, "call": {"waiting": 3}, "release": {"waiting": 2}}


def test_rule_5_one_is_called_for_an_item_that_moves_on_at_once(engine: Engine) -> None:
    """Both queues are those of the pool: a has waited 4 in one of them, and calls one."""
    world = World(
        teams={"desk": Team({"new": 0, "old": 0}, called=Called(oldest=4))},
        people={name: Person("desk", [], reserve=True) for name in ("r0", "r1")},
        cases={"a": Case(0, [Do("new", 10)])},
        until=100,
        escalate={"new": (0, "old")},
    )
    assert there(world.run(engine)) == [("r0", 4, 14)]


def desk(reserve: dict[str, Any], **changes: Any) -> Scenario:
    """Six at the desk and a floating pool without anybody on duty."""
    pools = {
        "desk": {"department": "office", "wage": 60},
        "floating": {"department": "office", "skills": {"desk": {"pace": 80, "preference": 2}}, "reserve": reserve},
    }
    demand = {"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "0.8/min"}}}
    clock = {"start": "2026-03-02", "horizon": "15 d", "warm_up": "1 d"}
    given: dict[str, Any] = {"pools": pools, "staffing": {"desk": {"always": 6}}, "demand": demand, "clock": clock}
    config = mapping(**{**given, **changes})
    config["processes"]["p"]["steps"]["serve"]["time"] = {"kind": "exponential", "mean": "8 min"}
    return Scenario.model_validate(config)


def test_theory_floating_staff_step_in_when_three_wait() -> None:
    """Truth OVF-03, exact Markov chain: 6 regular agents, 3 floating ones at 80 % of the pace."""
    expected = {
        ("waiting_mean", "all"): 2.00546483243,
        ("utilisation", "pool=desk"): 0.877751349563,
    }
    tables = [simulate(desk(RESERVE), 3, k).kpis().set_index(["kpi", "group"]).value for k in range(8)]
    for key, value in expected.items():
        values = [table[key] for table in tables]
        error = np.std(values, ddof=1) / len(values) ** 0.5
        assert abs(np.mean(values) - value) <= 4 * error, key
        assert error < 0.06 * value, key
    run = simulate(desk(RESERVE), 3)
    by_floating = run.plan.worker_pool[run.log.worker[run.log.completed_at >= 0]] == 1
    assert by_floating.mean() == pytest.approx(0.177108109785, abs=0.02)


def test_presence_counts_as_rostered_and_costs_the_wage_of_the_reserve() -> None:
    run = simulate(desk({**RESERVE, "wage": 90}))
    value = run.kpis().set_index(["kpi", "group"]).value
    window = run.window
    hours = (np.clip(run.log.reserve_to, window.begin, None) - np.clip(run.log.reserve_from, window.begin, None)).sum()
    assert value["rostered_hours", "pool=floating"] == pytest.approx(hours / 3.6e9)
    assert value["reserve_hours", "pool=floating"] == value["reserve_hours", "all"] == pytest.approx(hours / 3.6e9)
    assert value["overtime_hours", "pool=floating"] == 0
    assert value["cost_wages", "pool=floating"] == pytest.approx(90 * hours / 3.6e9)
    assert value["cost_wages", "pool=desk"] == pytest.approx(6 * 24 * 14 * 60)
    assert value["utilisation", "pool=floating"] == pytest.approx(1)


def test_a_reserve_leaves_all_draws_as_they_were() -> None:
    with_it = simulate(desk(RESERVE)).workload
    without = simulate(desk(RESERVE, pools={"desk": {"department": "office"}})).workload
    assert np.array_equal(with_it.work, without.work)
    assert np.array_equal(with_it.arrived_at, without.arrived_at)


def test_bad_input_about_a_reserve() -> None:
    def refused(where: str, what: str, **reserve: Any) -> None:
        with pytest.raises(ValidationError) as error:
            desk({**RESERVE, **reserve})
        assert [".".join(map(str, e["loc"])) for e in error.value.errors()] == [f"pools.floating.reserve.{where}"]
        assert what in error.value.errors()[0]["msg"]

    refused("call.waiting", "say when somebody is called", call={})
    refused("call.oldest", "longer than zero", call={"oldest": "0 min"})
    refused("release.waiting", "below the mark", release={"waiting": 3})
    refused("headcount", "whole number", headcount=0)
    refused("hedcount", "headcount", hedcount=1)


def test_a_reserve_that_is_never_called_is_told() -> None:
    def told(**changes: Any) -> list[str]:
        found = lint(desk({**RESERVE, **changes.pop("reserve", {})}, **changes))
        return [finding.message for finding in found if finding.where.startswith("pools.")]

    assert told() == []
    assert told(reserve={"delay": "20 d"}) == ["floating: its reserve would arrive after the clock has stopped"]
    idle = {"department": "office", "skills": ["other"], "reserve": RESERVE}
    pools = {"desk": {"department": "office"}, "back": idle}
    assert told(pools=pools) == ["back: no work comes to the queues of its reserve; it is never called"]


def test_rule_5_on_call_outside_of_the_shifts() -> None:
    """Nobody is on duty at 02:00; who is on call comes 30 min after ten minutes of waiting, and stays an hour."""
    on_call = {"headcount": 1, "call": {"oldest": "10 min"}, "delay": "30 min", "stay": "1 h", "wage": 100}
    appointments = {"kind": "appointments", "days": "all", "times": ["02:00"], "per_slot": 1}
    config = mapping(
        clock={"start": "2026-03-02", "horizon": "2 d"},
        pools={"desk": {"department": "office", "reserve": on_call, "wage": 60}},
        shifts={"day": {"days": "all", "hours": "09:00-17:00"}},
        staffing={"desk": {"day": 1}},
        demand={"night": {"case_class": "ordinary", "arrivals": appointments}},
    )
    config["processes"]["p"]["steps"]["serve"]["time"] = "5 min"
    run = simulate(Scenario.model_validate(config))
    assert (run.log.started_at // MINUTE).tolist() == [160, 1600]
    assert there(run) == [("desk.reserve.1", 160, 220), ("desk.reserve.1", 1600, 1660)]
    value = run.kpis().set_index(["kpi", "group"]).value
    assert value["cost_wages", "all"] == pytest.approx(2 * 8 * 60 + 2 * 100)


def test_a_reserve_comes_in_the_hours_of_its_shifts_only() -> None:
    """Called the whole day, by six agents who cannot keep up; Monday to Friday from nine to five, over lunch too."""
    shifts = {
        "always": {"days": "all", "hours": "00:00-24:00"},
        "day": {"days": "mon-fri", "hours": ["09:00-12:00", "12:00-17:00"]},
    }
    run = simulate(desk({**RESERVE, "shifts": ["day"]}, shifts=shifts), 3)
    spans = [(begin, end) for _, begin, end in there(run)]
    day = 24 * 60
    assert len(spans) > 20
    assert all(540 <= begin % day < 1020 and begin // day % 7 < 5 for begin, _ in spans)
    assert max(end % day for _, end in spans) > 1020  # somebody finishes the item in hand
    assert sum(end - begin for begin, end in spans if end % day > 1020) > 0


def test_a_reserve_whose_shifts_have_no_hours_never_comes() -> None:
    always = {"days": "all", "hours": "00:00-24:00"}
    shifts = {"always": always, "holidays": {"days": "holiday", "hours": "09:00-17:00"}}
    scenario = desk({**RESERVE, "shifts": ["holidays"]}, shifts=shifts)
    assert there(simulate(scenario, 3)) == []
    (told,) = [finding for finding in lint(scenario) if finding.where == "pools.floating.reserve.shifts"]
    assert told.message.endswith("have no hours before the clock stops; it is never called")


def test_the_shifts_of_a_reserve_are_known_ones() -> None:
    with pytest.raises(ValidationError, match="shift"):
        desk({**RESERVE, "shifts": ["dya"]})
