"""What holds in every world: laws on the log of random worlds, and equality with a second reading of the rules.

Worlds are small, on a coarse grid, and rich in ties. SERVSIM_EXAMPLES=20 tries twenty times as many of them.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from conftest import MORE
from flows import processes
from hypothesis import given, note, settings
from hypothesis import strategies as st
from oracle import oracle
from worlds import Case, Do, Person, Team, World, mapping, random_world, told

from servsim import prepare
from servsim.engines import Engine
from servsim.model import Scenario
from servsim.quantities import MINUTE
from servsim.records import EndOfShift, EventLog, Outcome, Run
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
    Team: {"skills", "end_of_shift"},
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
def test_little_is_an_identity(engine: Engine, world: World) -> None:
    """The integral of the number of cases in the system is the sum of the times that they spend there; so in queues."""
    run = ran(basic(world), engine)
    log, work = run.log, run.workload
    there = work.arrived_at < world.stop
    assert_little(np.maximum(work.arrived_at[there], 0), log.left_at[there], world.stop)
    waits = (log.offered_at >= 0) & (work.skill >= 0)
    gone = np.where(log.started_at >= 0, log.started_at, log.left_at[work.case])
    assert_little(log.offered_at[waits], gone[waits], world.stop)


def assert_little(begin: np.ndarray, end: np.ndarray, until: int) -> None:
    end = np.where(end >= 0, end, until)
    number = [int(((begin <= at) & (at < end)).sum()) for at in range(until)]
    assert sum(number) == int((end - begin).sum())


@given(world=worlds())
def test_an_item_is_enabled_then_offered_then_started_then_completed(engine: Engine, world: World) -> None:
    run = ran(world, engine)
    log, work = run.log, run.workload
    marks = [log.enabled_at, log.offered_at, log.started_at, log.completed_at]
    for before, after in itertools.pairwise(marks):
        assert (before[after >= 0] >= 0).all()
        assert (before <= after)[after >= 0].all()
    assert all((mark < world.stop).all() for mark in marks)
    offered = log.offered_at >= 0
    assert (log.offered_at - log.enabled_at == work.hold)[offered].all()
    enabled = log.enabled_at >= 0
    assert (log.enabled_at >= work.arrived_at[work.case])[enabled].all()


@given(world=worlds())
def test_no_case_is_lost(engine: Engine, world: World) -> None:
    """Arrived = completed + rejected + abandoned + in process; who has left has no item open, who has not has one."""
    run = ran(world, engine)
    log, work = run.log, run.workload
    arrived = work.arrived_at < world.stop
    counts = np.bincount(log.outcome[arrived], minlength=len(Outcome))
    assert counts.sum() == arrived.sum()
    assert ((log.outcome == Outcome.IN_PROCESS) == (log.left_at < 0)).all()
    through = np.isin(log.outcome, (Outcome.COMPLETED, Outcome.REJECTED))
    for case in np.flatnonzero(arrived):
        own = slice(work.first_item[case], work.first_item[case + 1])
        open_items = (log.enabled_at[own] >= 0) & (log.completed_at[own] < 0)
        if through[case] and work.quorum[own].any():  # what was not needed any more is withdrawn, or finished later
            assert log.left_at[case] in log.completed_at[own]
        elif through[case]:
            assert (log.completed_at[own] >= 0).all()
            assert log.left_at[case] == log.completed_at[own].max()
        elif log.outcome[case] == Outcome.IN_PROCESS:
            assert open_items.any()


def by_worker(run: Run) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
    """(worker, [(from, to, item)]) of all stretches of work, in order of time."""
    item, worker, begin, end = run.stretches()
    for w in range(len(run.plan.workers)):
        own = np.flatnonzero(worker == w)
        yield w, sorted(zip(begin[own].tolist(), end[own].tolist(), item[own].tolist(), strict=True))


@given(world=worlds())
def test_nobody_is_in_two_places(engine: Engine, world: World) -> None:
    run = ran(world, engine)
    for _, parts in by_worker(run):
        for (_, end, _), (begin, _, _) in itertools.pairwise(parts):
            assert end <= begin
    item, _, begin, end = run.stretches()
    for i in range(run.workload.n_items):
        own = sorted(zip(begin[item == i].tolist(), end[item == i].tolist(), strict=True))
        assert all(before <= after for (_, before), (after, _) in itertools.pairwise(own))


@given(world=worlds())
def test_nobody_works_off_duty_but_to_finish(engine: Engine, world: World) -> None:
    """Work begins on duty, and goes on after the shift only where the pool finishes what is in hand."""
    run = ran(basic(world), engine)
    plan = run.plan
    for w, parts in by_worker(run):
        shifts = [
            (int(a), int(b)) for v, a, b in zip(plan.duty_worker, plan.duty_from, plan.duty_to, strict=True) if v == w
        ]
        rule = plan.pool_end_of_shift[plan.worker_pool[w]]
        finishes = rule in (EndOfShift.FINISH, EndOfShift.NO_LATE_START)
        for begin, end, _ in parts:
            ends = [b for a, b in shifts if a <= begin < b]
            assert ends, f"{plan.workers[w]} begins at {begin}, off duty"
            assert finishes or end <= ends[0] or end == begin


@given(world=worlds())
def test_service_adds_up_to_the_work_at_the_pace(engine: Engine, world: World) -> None:
    """Uninterrupted: exactly, rounded half up. Interrupted: within half a tick for each stretch."""
    world = basic(world)
    kept = {name: Team(t.skills, t.end_of_shift.replace("restart", "suspend")) for name, t in world.teams.items()}
    run = ran(world.but(teams=kept), engine)
    plan, work, log = run.plan, run.workload, run.log
    item, worker, begin, end = run.stretches()
    for i in np.flatnonzero((log.completed_at >= 0) & (work.skill >= 0)):
        own = np.flatnonzero(item == i)
        # an escalated item is done by somebody of another skill; that of the pool's paces which fits is looked for
        paces = [{int(p) for p in plan.pace[worker[part]] if p > 0} for part in own]
        if any(len(options) > 1 for options in paces):
            continue
        lengths = [int(end[part] - begin[part]) for part in own]
        done = sum(length * next(iter(pace)) for length, pace in zip(lengths, paces, strict=True))
        slack = sum(50 + next(iter(pace)) // 2 + 1 for pace in paces) if len(own) > 1 else next(iter(paces[0])) / 2
        assert abs(done - 100 * work.work[i]) <= slack


@given(world=worlds())
def test_nobody_idles_while_somebody_they_could_serve_waits(engine: Engine, world: World) -> None:
    """At the end of every tick no item waits for a skill of somebody idle, unless it would end after their shift."""
    run = ran(basic(world), engine)
    free, waiting = idle_spans(run), waiting_spans(run)
    for w, spans in free.items():
        for item, skill, begin, end in waiting:
            if run.plan.preference[run.plan.worker_pool[w], skill] < 0:
                continue
            for since, until, shift_ends in spans:
                for at in range(max(begin, since), min(end, until)):
                    assert is_too_late(run, w, item, skill, at, shift_ends), f"{run.plan.workers[w]} idles at {at}"


def idle_spans(run: Run) -> dict[int, list[tuple[int, int, int]]]:
    """By worker: from, to, end of the shift. Only workers without breaks (when those begin is not in the log)."""
    plan, free = run.plan, {}
    for w, parts in by_worker(run):
        if (plan.break_worker == w).any() or plan.pool_end_of_shift[plan.worker_pool[w]] == EndOfShift.SUSPEND_KEEP:
            continue
        spans = []
        for v, a, b in zip(plan.duty_worker, plan.duty_from.tolist(), plan.duty_to.tolist(), strict=True):
            at = a
            for begin, end, _ in parts if v == w else ():
                if begin < b and end > a:
                    spans.append((at, max(at, begin), b))
                    at = max(at, end)
            if v == w:
                spans.append((at, min(b, run.window.until), b))
        free[w] = spans
    return free


def waiting_spans(run: Run) -> list[tuple[int, int, int, int]]:
    """Item, skill of the queue, from, to: in the queue until taken up, moved on, or gone."""
    log, work, spans = run.log, run.workload, []
    moves = {}
    for item, at in zip(log.escalated_item.tolist(), log.escalated_at.tolist(), strict=True):
        moves.setdefault(item, []).append(at)
    for i in np.flatnonzero((work.skill >= 0) & (log.offered_at >= 0)).tolist():
        left = log.left_at[work.case[i]]
        end = log.started_at[i] if log.started_at[i] >= 0 else left if left >= 0 else run.window.until
        at, skill = int(log.offered_at[i]), int(work.skill[i])
        for moved in moves.get(i, ()):
            spans.append((i, skill, at, moved))
            at, skill = moved, int(run.plan.escalate_to[skill])
        if log.outcome[work.case[i]] != Outcome.ABANDONED or log.started_at[i] >= 0:
            spans.append((i, skill, at, int(end)))
    return spans


def is_too_late(run: Run, w: int, item: int, skill: int, at: int, shift_ends: int) -> bool:
    rule, pace = run.plan.pool_end_of_shift[run.plan.worker_pool[w]], int(run.plan.pace[w, skill])
    return rule == EndOfShift.NO_LATE_START and 2 * pace * (shift_ends - at) < 200 * int(run.workload.work[item]) - pace


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
    """All times `by` times as long, all paces the standard one: the same story, `by` times as long."""
    people = {name: dataclasses.replace(person, pace=100) for name, person in world.people.items()}
    world = world.but(people=people, assignment={})
    note(world.shown())
    assert told(world, world.run(engine)) == told(world.but(unit=by), world.but(unit=by).run(engine))
