"""Systems that fail: by hand with the whole log, against theory, and in a scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from worlds import Case, Do, Failing, Person, Team, World, at_desk, expect, mapping, tiny

from servsim import prepare
from servsim.engines import Engine
from servsim.lint import lint
from servsim.model import Scenario
from servsim.quantities import DAY, HOUR, MINUTE
from servsim.simulate import simulate


def failing(cases: dict[str, Case], crm: Failing, needs: bool = True, **changes: Any) -> World:
    """A desk at which nothing goes on without the crm."""
    team = Team({"desk": 0}, changes.pop("end_of_shift", "finish"), needs=["crm"] if needs else ())
    return tiny(cases, teams={"desk": team}, systems={"crm": crm}, **changes)


TWO = {"ann": [(480, 960)], "bob": [(480, 960)]}

# ------------------------------------------------------------------ people who need a system


def test_rule_5_work_is_resumed_by_the_same_worker(engine: Engine) -> None:
    """Truth M45: outage 10:20-10:50, work resumed."""
    cases = {"o1": at_desk(600, 30), "o2": at_desk(610, 5), "o3": at_desk(625, 10)}
    expect(
        engine,
        failing(cases, Failing([(620, 650, "")]), staff=TWO),
        """
        o1 600 600 600 660 ann
        o2 610 610 610 615 bob
        o3 625 625 650 660 bob
        ann: o1 600-620
        ann: o1 650-660
        left o1 660, o2 615, o3 660
        """,
    )


def test_rule_5_restart_begins_from_scratch(engine: Engine) -> None:
    world = failing({"a": at_desk(0, 30)}, Failing([(20, 50, "")], restart=True), staff={"ann": [(0, 200)]})
    expect(engine, world, "a 0 0 0 80 ann\n ann: a 0-20\n ann: a 50-80\n left a 80")


def test_rule_5_a_separate_system_stops_one_worker(engine: Engine) -> None:
    """Ann's workplace fails; bob works on. He is free first, but what ann has in hand waits for her."""
    cases = {"a": at_desk(0, 10), "b": at_desk(0, 10), "c": at_desk(1, 10)}
    expect(
        engine,
        failing(cases, Failing([(5, 25, "ann")], separate=True), staff={"ann": [(0, 99)], "bob": [(0, 99)]}),
        """
        a 0 0 0 30 ann
        b 0 0 0 10 bob
        c 1 1 10 20 bob
        ann: a 0-5
        ann: a 25-30
        left a 30, b 10, c 20
        """,
    )


def test_rule_5_in_overtime_it_goes_back_and_breaks_fall_due_on_time(engine: Engine) -> None:
    """Ann is past her shift when the crm fails at 12: bob takes the item over. His break lies in the outage."""
    cases = {"a": at_desk(5, 10), "b": at_desk(6, 10)}
    staff = {"ann": [(0, 10)], "bob": Person("desk", [(8, 99)], [(15, 3, "pause")])}
    expect(
        engine,
        failing(cases, Failing([(12, 20, "")]), staff=staff),
        """
        a 5 5 5 29 bob
        b 6 6 8 26 bob
        ann: a 5-12
        bob: b 8-12
        bob: b 20-26
        bob: a 26-29
        left a 29, b 26
        """,
    )


def test_rule_5_a_shift_that_begins_in_an_outage_and_one_that_ends_in_it(engine: Engine) -> None:
    cases = {"a": at_desk(0, 10)}
    staff = {"ann": [(0, 8)], "bob": [(6, 50)]}
    expect(
        engine,
        failing(cases, Failing([(5, 9, "")]), staff=staff, end_of_shift="suspend"),
        "a 0 0 0 14 bob\n ann: a 0-5\n bob: a 9-14\n left a 14",
    )


# ------------------------------------------------------------------ steps that need a system


def test_rule_5_a_step_waits_and_its_worker_is_free_for_others(engine: Engine) -> None:
    """From 5 to 20 nothing can be booked; ann lays it down and answers the phone instead."""
    book = {"skill": "desk", "step": "book", "needs": ["crm"]}
    cases = {"a": Case(0, [Do(work=10, **book)]), "b": Case(6, [Do(work=2, **book)]), "c": at_desk(7, 4)}
    expect(
        engine,
        failing(cases, Failing([(5, 20, "")]), needs=False, staff={"ann": [(0, 99)]}),
        """
        a 0 0 0 25 ann
        b 6 6 25 27 ann
        c 7 7 7 11 ann
        ann: a 0-5
        ann: a 20-25
        left a 25, b 27, c 11
        """,
    )


# ------------------------------------------------------------------ wear


def test_rule_5_it_fails_after_so_much_work(engine: Engine) -> None:
    """Ten minutes of work with it, whenever: 0-6 and 20-24; then down for 5. The next ten are never used up."""
    cases = {"a": at_desk(0, 6), "b": at_desk(20, 6)}
    world = failing(cases, Failing(wear=[(10, 5), (10, 5)]), staff={"ann": [(0, 99)]})
    expect(engine, world, "a 0 0 0 6 ann\n b 20 20 20 31 ann\n ann: b 20-24\n ann: b 29-31\n left a 6, b 31")
    run = world.run(engine)
    assert (run.log.down_from // MINUTE).tolist() == [24]
    assert (run.log.down_to // MINUTE).tolist() == [29]


def test_rule_5_under_load_it_fails_sooner(engine: Engine) -> None:
    """Two work with it: it wears twice as fast, where its clock is that of the load."""
    cases, staff = {"a": at_desk(0, 20), "b": at_desk(0, 20)}, {"ann": [(0, 99)], "bob": [(0, 99)]}
    for by_load, begin in ((False, 10), (True, 5)):
        run = failing(cases, Failing(wear=[(10, 5)], by_load=by_load), staff=staff).run(engine)
        assert (run.log.down_from // MINUTE).tolist() == [begin]


def test_rule_5_it_fails_when_the_time_is_used_up_also_if_work_ends_then(engine: Engine) -> None:
    cases = {"a": at_desk(0, 10), "b": at_desk(10, 5)}
    world = failing(cases, Failing(wear=[(10, 5)]), staff={"ann": [(0, 99)]})
    expect(engine, world, "a 0 0 0 10 ann\n b 10 10 15 20 ann\n left a 10, b 20")


# ------------------------------------------------------------------ from a scenario


def desk(system: dict[str, Any], days: int = 2, rate: str = "3/h", mean: str = "10 min", **changes: Any) -> Scenario:
    given: dict[str, Any] = {
        "clock": {"start": "2026-03-02", "horizon": f"{days} d"},
        "pools": {"desk": {"department": "office", "needs": "crm"}},
        "systems": {"crm": system},
        "demand": {"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": rate}}},
    }
    scenario = mapping(**{**given, **changes})
    scenario["processes"]["p"]["steps"]["serve"]["time"] = {"kind": "exponential", "mean": mean}
    return Scenario.model_validate(scenario)


EXPONENTIAL = {"up": {"kind": "exponential", "mean": "240 min"}, "down": {"kind": "exponential", "mean": "30 min"}}


def test_dated_and_planned_outages_are_laid_out_over_the_clock() -> None:
    dated = {
        "a": {"from": "2026-03-02 10:00", "to": "2026-03-02 11:30"},
        "b": {"from": "2026-03-03", "to": "2026-03-04"},
    }
    planned = {"days": "all", "hours": "22:00-02:00"}
    of = prepare.plan(desk({"dated": dated, "planned": planned}), 1).systems
    assert of.outage_from.tolist() == [0, 10 * HOUR, 22 * HOUR]
    assert of.outage_to.tolist() == [2 * HOUR, 11 * HOUR + 30 * MINUTE, 2 * DAY + 2 * HOUR]


def test_separate_systems_are_drawn_for_each_worker_and_leave_all_other_draws() -> None:
    staffing = {"desk": {"always": 3}}
    three = prepare.plan(desk({**EXPONENTIAL, "separate": True}, staffing=staffing), 1).systems
    four = prepare.plan(desk({**EXPONENTIAL, "separate": True}, staffing={"desk": {"always": 4}}), 1).systems
    assert three.unit_worker.tolist() == [0, 1, 2]
    for unit in range(3):
        own = three.outage_from[three.outage_unit == unit]
        assert own.tolist() == four.outage_from[four.outage_unit == unit].tolist()
    assert three.outage_from[three.outage_unit == 0].tolist() != three.outage_from[three.outage_unit == 1].tolist()
    with_it, without = (
        simulate(desk(s)).workload for s in (EXPONENTIAL, {"dated": {}, **EXPONENTIAL, "clock": "load"})
    )
    plain = simulate(desk({"planned": {"days": "sun", "hours": "01:00-02:00"}})).workload
    for other in (with_it, without):
        assert np.array_equal(plain.work, other.work)
        assert np.array_equal(plain.arrived_at, other.arrived_at)


def theory(scenario: Scenario, replications: int = 8, **expected: float) -> None:
    """Within four standard errors over replications, and those below 6 % of the value."""
    tables = [simulate(scenario, 7, k).kpis().set_index(["kpi", "group"]).value for k in range(replications)]
    for kpi, value in expected.items():
        values = [table[kpi, "all"] for table in tables]
        error = np.std(values, ddof=1) / replications**0.5
        assert abs(np.mean(values) - value) <= 4 * error, kpi
        assert error < 0.06 * value, kpi


def test_theory_breakdowns_at_any_time() -> None:
    """White & Christie (1958), truth OUT-01: M/M/1, failing whether busy or idle, work resumed."""
    clock = {"start": "2026-03-02", "horizon": "130 d", "warm_up": "10 d"}
    scenario = desk(EXPONENTIAL, rate="0.08/min", mean="8 min", clock=clock)
    theory(scenario, cycle_time_mean=44.0476190476, availability=8 / 9)


def test_theory_failures_only_while_working() -> None:
    """Gaver (1962), truth OUT-03: M/E2/1, failing only while working, work resumed."""
    clock = {"start": "2026-03-02", "horizon": "130 d", "warm_up": "10 d"}
    system = {"up": {"kind": "exponential", "mean": "120 min"}, "down": "20 min", "clock": "working"}
    config = desk(system, rate="0.06/min", clock=clock).model_dump()
    config["processes"]["p"]["steps"]["serve"]["time"] = {"kind": "erlang", "k": 2, "mean": "10 min"}
    theory(Scenario.model_validate(config), cycle_time_mean=35.4166666667)


def test_availability_and_outages_within_the_window() -> None:
    """Down 23:00-01:00 at night, 12:00-13:00 on the first day: ½ + 1 + 2 + 1 h of 47.5."""
    dated = {"a": {"from": "2026-03-02 12:00", "to": "2026-03-02 13:00"}}
    clock = {"start": "2026-03-02", "horizon": "2 d", "warm_up": "30 min"}
    scenario = desk({"dated": dated, "planned": {"days": "all", "hours": "23:00-01:00"}}, clock=clock)
    value = simulate(scenario).kpis().set_index(["kpi", "group"]).value
    for group in ("all", "system=crm"):
        assert value["availability", group] == pytest.approx(1 - 4.5 / 47.5)
        assert value["outages", group] == 3


# ------------------------------------------------------------------ bad input


def refused(where: str, what: str, system: dict[str, Any], **changes: Any) -> None:
    with pytest.raises(ValidationError) as error:
        desk(system, **changes)
    assert [".".join(map(str, e["loc"])) for e in error.value.errors()] == [where]
    assert what in error.value.errors()[0]["msg"]


def test_bad_input_about_systems() -> None:
    refused("systems.crm.down", "is missing", {"up": "3 h"})
    refused("systems.crm.up", "is missing", {"down": "3 h"})
    refused("systems.crm.up", "say when the system is down", {})
    refused("systems.crm.up", "longer than zero", {"up": "0 min", "down": "3 h"})
    refused("systems.crm.clock", "no effect", {"clock": "load", "planned": {"days": "sat", "hours": "10:00-11:00"}})
    refused("systems.crm.dated.a.to", "not after", {"dated": {"a": {"from": "2026-03-02", "to": "2026-03-02"}}})
    pool = {"desk": {"department": "office", "needs": ["crn"]}}
    refused("pools.desk.needs.0", "did you mean crm?", EXPONENTIAL, pools=pool)
    task = {"kind": "task", "skill": "desk", "time": "5 min", "next": "end", "needs": "crm"}
    process = {"p": {"start": "serve", "steps": {"serve": task}}}
    pool = {"desk": {"department": "office"}}
    separate = {**EXPONENTIAL, "separate": True}
    config = mapping(pools=pool, systems={"crm": separate}, processes=process)
    with pytest.raises(ValidationError, match="of their own"):
        Scenario.model_validate(config)


def test_a_system_that_nobody_needs_is_told() -> None:
    found = lint(desk(EXPONENTIAL, pools={"desk": {"department": "office"}}))
    assert [finding.message for finding in found if finding.where == "systems.crm"] == [
        "crm: no step and no pool needs it; its outages are without effect"
    ]
