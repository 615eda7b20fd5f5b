"""What holds in every world: laws on the log of random worlds, and equality with a second reading of the rules.

Worlds are small, on a coarse grid, and rich in ties. SERVSIM_EXAMPLES=20 tries twenty times as many of them.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from conftest import MORE
from flows import processes
from hypothesis import given, note, settings
from hypothesis import strategies as st
from laws import breaches
from oracle import oracle
from worlds import Case, Do, Person, Team, World, mapping, random_world, told

from servsim import prepare
from servsim.engines import Engine
from servsim.model import Scenario
from servsim.quantities import MINUTE
from servsim.records import EventLog, Run
from servsim.simulate import ranked


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Worlds that hypothesis can make smaller."""
    return random_world(lambda low, high: draw(st.integers(low, high)))


def ran(world: World, engine: Engine) -> Run:
    """The run of a world; both are shown if the test fails."""
    note(world.shown())
    run = world.run(engine)
    note("\n".join(told(world, run)))
    return run


# ------------------------------------------------------------------ the rules, read twice


def differences(one: EventLog, other: EventLog) -> list[str]:
    """The columns that are not the same."""
    names = [column.name for column in dataclasses.fields(EventLog)]
    return [name for name in names if not np.array_equal(getattr(one, name), getattr(other, name))]


def compared(world: World, engine: Engine) -> str:
    """Empty if the engine's log is that of the oracle in all columns; else both stories."""
    run, truth = world.run(engine), world.run(oracle)
    wrong = differences(run.log, truth.log)
    if not wrong:
        return ""
    parts = [
        world.shown(),
        f"different: {', '.join(wrong)}",
        "engine:",
        *told(world, run),
        "oracle:",
        *told(world, truth),
    ]
    return "\n".join(parts)


@given(world=worlds())
def test_the_log_is_that_of_a_second_reading_of_the_rules(engine: Engine, world: World) -> None:
    assert not compared(world, engine)


@pytest.mark.parametrize("block", range(4))
def test_the_same_on_many_more_worlds(engine: Engine, block: int) -> None:
    for seed in range(round(750 * MORE)):
        assert not compared(random_world(random.Random(f"{block}/{seed}").randint), engine), f"seed {block}/{seed}"


def test_the_same_where_queues_are_served_in_random_order(engine: Engine) -> None:
    for seed in range(round(150 * MORE)):
        world = random_world(random.Random(f"lots/{seed}").randint)
        lots = {"by_lot": world.skills, "by_points": (), "by_work_left": (), "preempt": {}}
        assert not compared(dataclasses.replace(world, **lots), engine), f"seed lots/{seed}"


def crowded(seed: int) -> World:
    """A plain world with many cases and a handful of people: long queues, some rare mechanisms at once."""
    rng = random.Random(f"crowded/{seed}")
    rules = [rng.choice(["finish", "suspend", "suspend_keep", "no_late_start"]) for _ in range(3)]
    teams = {
        "P": Team({"A": 0}, rules[0]),
        "Q": Team({"B": 0, "C": 1}, rules[1]),
        "R": Team({"B": 1, "C": 0, "A": 2} if rng.random() < 0.5 else {"C": 0}, rules[2]),
    }
    people = {}
    for number in range(8):
        shift = [(at + rng.randint(0, 3), at + rng.randint(8, 14)) for at in range(0, 150, 15)]
        breaks = [
            (rng.randint(a + 1, b - 1), 2, rng.choice(["pause", "postpone"])) for a, b in shift if rng.random() < 0.4
        ]
        people[f"w{number}"] = Person("PQR"[number % 3], shift, breaks)
    cases, at = {}, 0
    for number in range(60):
        at += rng.choice([0, 0, 1, 2, 4])
        path = [Do(rng.choice("ABC"), rng.randint(0, 5), rank=rng.randint(0, 1)) for _ in range(rng.randint(1, 4))]
        cases[f"c{number}"] = Case(at, path, rng.choice([None, None, 12]))
    return World(teams, people, cases, until=160, escalate={"A": (9, "B")} if rng.random() < 0.3 else {}, unit=1)


def test_the_same_in_crowded_worlds(engine: Engine) -> None:
    for seed in range(round(20 * MORE)):
        assert not compared(crowded(seed), engine), f"seed {seed}"


TIMES = {
    "duty_from", "duty_to", "break_at", "break_lasts", "escalate_after", "overtime_limit",
    "arrived_at", "patience", "work", "hold", "due_at",
}  # fmt: skip


def in_minutes(record: Any) -> Any:
    """A plan or a workload with the minute as its tick; what was within a minute is at its beginning."""
    columns = {column.name: getattr(record, column.name) for column in dataclasses.fields(record)}
    changes = {name: value // MINUTE for name, value in columns.items() if name in TIMES}  # -1 stays -1
    return dataclasses.replace(record, **changes)


@settings(max_examples=round(20 * MORE))
@given(flow=processes(), skill=st.sampled_from(["desk", "back"]), rule=st.sampled_from(["fcfs", "lcfs", "random"]))
def test_the_same_on_what_scenarios_lead_to(engine: Engine, flow: dict[str, Any], skill: str, rule: str) -> None:
    """Random processes of a scenario with shifts, breaks, patience, a dispatch delay and escalation."""
    tea = {"at": "01:30", "lasts": "20 min"}
    change = {"at": "02:00", "lasts": "5 min", "rule": "pause"}
    for step in flow["p"]["steps"].values():
        if "skill" in step:
            step |= {"skill": skill, "time": {"kind": "uniform", "low": "0 min", "high": "9 min"}}
    config = mapping(
        clock={"start": "2026-03-02", "horizon": "4 h"},
        pools={
            "desk": {"department": "office", "end_of_shift": "suspend"},
            "back": {"department": "office", "skills": ["desk", "back"]},
        },
        shifts={
            "early": {"days": "mon", "hours": "00:30-02:00", "breaks": [tea]},
            "late": {"days": "mon", "hours": "02:00-04:00", "breaks": [change]},
        },
        staffing={"desk": {"early": 2, "late": 1}, "back": {"late": 1}},
        case_classes={"ordinary": {"process": "p", "patience": {"kind": "exponential", "mean": "1 h"}}},
        demand={"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "8/h"}}},
        processes=flow,
        dispatch={"rule": rule, "delay": "3 min", "escalate": {"after": "20 min", "to": "back"}},
    )
    note(str(config))
    scenario = Scenario.model_validate(config)
    plan = prepare.plan(scenario)
    work = in_minutes(ranked(prepare.workload(scenario, 1, 0), scenario, plan.skills))
    plan, until = in_minutes(plan), scenario.clock.until // MINUTE
    assert not differences(engine(plan, work, until), oracle(plan, work, until))


# ------------------------------------------------------------------ laws

BASIC = {
    World: {"teams", "people", "cases", "until", "assignment", "escalate", "slope", "unit"},
    Team: {"skills", "end_of_shift", "idle_first"},
    Person: {"pool", "duty", "breaks", "pace"},
    Case: {"at", "path", "patience", "rejected"},
    Do: {"skill", "work", "hold", "answers", "rank", "lot", "step"},
}
"""What a world consists of when nobody is interrupted, nothing fails and nothing waits for a date."""


def basic(part: Any) -> Any:
    """The world without anything else."""
    if isinstance(part, Mapping):
        return {name: basic(value) for name, value in part.items()}
    if isinstance(part, tuple) and len(part) > 1 and isinstance(part[1], list):  # branches; so many of them are enough
        return tuple(basic(branch) for branch in part if not isinstance(branch, int))
    if isinstance(part, list | tuple):
        return type(part)(map(basic, part))
    if type(part) not in BASIC:
        return part
    made = type(part)(**{name: basic(getattr(part, name)) for name in BASIC[type(part)]})
    if isinstance(made, World):  # what others would have woken comes by itself now, in its turn
        made = made.but(cases=dict(sorted(made.cases.items(), key=lambda case: case[1].at)))
    return made


@given(world=worlds())
def test_every_law_holds(engine: Engine, world: World) -> None:
    """Little's law, conservation of cases and of work, order, presence, causes of waiting: all of tests/laws.py."""
    assert not breaches(ran(world, engine))


@pytest.mark.parametrize("block", range(2))
def test_every_law_holds_in_many_more_worlds(engine: Engine, block: int) -> None:
    for seed in range(round(500 * MORE)):
        world = random_world(random.Random(f"laws/{block}/{seed}").randint, rich=bool(seed % 2))
        assert not broken(world, engine), f"seed {block}/{seed}"


def broken(world: World, engine: Engine) -> str:
    """Empty if all laws hold; else the world, its story and the breaches."""
    run = world.run(engine)
    wrong = breaches(run)
    return "\n".join([world.shown(), *told(world, run), *wrong]) if wrong else ""


def without_future(world: World, at: int) -> World:
    """The world as it is known before `at`: nobody comes then or later, nothing begins, fails or opens."""
    cases = {
        name: case if case.follows or case.at < at else dataclasses.replace(case, at=world.until)
        for name, case in world.cases.items()
    }
    people = {
        name: dataclasses.replace(
            who, duty=[d for d in who.duty if d[0] < at], breaks=[b for b in who.breaks if b[0] < at]
        )
        for name, who in world.people.items()
    }
    gates = {
        name: dataclasses.replace(gate, times=[t for t in gate.times if t < at]) for name, gate in world.gates.items()
    }
    systems = {
        name: dataclasses.replace(system, outages=[o for o in system.outages if o[0] < at])
        for name, system in world.systems.items()
    }
    return world.but(cases=cases, people=people, gates=gates, systems=systems)


def before(run: Run, at: int) -> dict[str, Any]:
    """What has happened before a tick."""
    log = run.log
    marks = ("enabled_at", "offered_at", "started_at", "completed_at", "left_at")
    parts = zip(*(column.tolist() for column in run.stretches()), strict=True)
    return {
        **{name: np.where(getattr(log, name) < at, getattr(log, name), -1).tolist() for name in marks},
        "outcome": np.where(log.left_at < at, log.outcome, 0).tolist(),
        "work": sorted((item, w, a, min(b, at)) for item, w, a, b in parts if a < at),
        "escalated": [row for row in zip(log.escalated_item, log.escalated_at, strict=True) if row[1] < at],
        "no place": [row for row in zip(log.blocked_item, log.blocked_at, strict=True) if row[1] < at],
        "withdrawn": [row for row in zip(log.withdrawn_item, log.withdrawn_at, strict=True) if row[1] < at],
    }


@given(world=worlds(), share=st.integers(1, 9))
def test_nothing_depends_on_what_is_still_to_come(engine: Engine, world: World, share: int) -> None:
    at = world.until * share // 10
    run = ran(world, engine)
    assert before(run, at) == before(without_future(world, at).run(engine), at)


@given(world=worlds())
def test_first_come_is_first_served_where_nothing_else_is_said(engine: Engine, world: World) -> None:
    """Without ranks, patience and late-start rules: who comes to a queue at an earlier tick is started no later."""
    world = basic(world)
    teams = {name: dataclasses.replace(team, end_of_shift="finish") for name, team in world.teams.items()}
    run = ran(world.but(teams=teams, escalate={}, slope={}, cases=unranked(world.cases)), engine)
    log, work = run.log, run.workload
    for skill in range(len(run.plan.skills)):
        queue = np.flatnonzero((work.skill == skill) & (log.offered_at >= 0))
        offered, started = log.offered_at[queue], log.started_at[queue]
        started = np.where(started >= 0, started, world.stop)
        assert all(started[offered < at].max(initial=0) <= started[offered == at].min() for at in set(offered.tolist()))


def unranked(part: Any) -> Any:
    """Cases without ranks and patience."""
    if isinstance(part, Mapping):
        return {name: unranked(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return type(part)(map(unranked, part))
    if isinstance(part, Do):
        return dataclasses.replace(part, rank=0)
    return dataclasses.replace(part, path=unranked(part.path), patience=None)


@given(world=worlds(), more=st.integers(1, 20))
def test_a_longer_clock_only_adds(engine: Engine, world: World, more: int) -> None:
    """What had happened by the end of a shorter clock stands unchanged in the log of a longer one."""
    short, long = ran(world, engine), world.but(until=world.until + more).run(engine)
    until = world.stop
    for name in ("enabled_at", "offered_at", "started_at", "completed_at", "left_at"):
        before, after = getattr(short.log, name), getattr(long.log, name)
        assert (before == np.where(after < until, after, -1)).all(), name


@given(world=worlds())
def test_a_run_is_repeated_to_the_byte(engine: Engine, world: World) -> None:
    assert ran(world, engine).digest == world.run(engine).digest


@given(world=worlds(), by=st.integers(1, 1000))
def test_the_size_of_a_tick_does_not_matter(engine: Engine, world: World, by: int) -> None:
    """All times `by` times as long, all paces the standard one: the same story, `by` times as long. Systems that wear
    the faster the more people use them are left out: their failures are rounded up to the tick (rule 5)."""
    people = {name: dataclasses.replace(person, pace=100) for name, person in world.people.items()}
    systems = {name: dataclasses.replace(system, by_load=False) for name, system in world.systems.items()}
    world = world.but(people=people, systems=systems, assignment={})
    note(world.shown())
    assert told(world, world.run(engine)) == told(world.but(unit=by), world.but(unit=by).run(engine))
