"""Why work waits: every tick between enabled and started has one cause, and they add up."""

from __future__ import annotations

import random

import numpy as np
import pytest
from conftest import MORE
from worlds import Case, Do, Person, Team, World, at_desk, random_world, tiny

from servsim.engines import ENGINES
from servsim.kpis.causes import Causes, causes, waiting_until
from servsim.quantities import MINUTE
from servsim.records import Run

ENGINE = ENGINES["reference"]


def minutes(run: Run, item: int) -> dict[str, float]:
    """The causes of one item's waiting that are not nil, in minutes."""
    return {name: ticks[item] / MINUTE for name, ticks in causes(run)._asdict().items() if ticks[item]}


def test_a_wait_is_parted_by_what_it_was_for() -> None:
    """ann is there 0-30 and 60-90. The second case comes at 5, is pushed at 12, waits for ann until 20 while she serves
    the first; the third is pushed at 25, finds her busy until she goes at 30 (she finishes at 35) and waits for 60."""
    cases = {"one": at_desk(0, 20), "two": at_desk(5, 15, hold=7), "three": at_desk(25, 5)}
    world = tiny(cases, staff={"ann": [(0, 30), (60, 90)]})
    run = world.run(ENGINE)
    assert minutes(run, 0) == {}
    assert minutes(run, 1) == {"dispatch_delay": 7, "busy": 8}
    assert minutes(run, 2) == {"busy": 5, "nobody_on_shift": 30}


def test_who_came_later_and_was_taken_first_has_overtaken() -> None:
    """low waits from 5; high comes at 10 and is taken up at 20, when the first is done: then low is overtaken."""
    world = tiny({"first": at_desk(0, 20), "low": at_desk(5, 5, rank=2), "high": at_desk(10, 15, rank=1)})
    assert minutes(world.run(ENGINE), 1) == {"busy": 15, "overtaken": 15}


def test_an_escalated_item_waits_in_one_queue_after_the_other() -> None:
    """Nobody of the first line is there; the supervisor, to whom it moves after 10, comes at 25."""
    world = World(
        teams={"desk": Team({"desk": 0}), "boss": Team({"boss": 0})},
        people={"ann": Person("desk", [(50, 90)]), "sue": Person("boss", [(0, 12), (25, 90)])},
        cases={"a": Case(0, [Do("boss", 20)]), "b": Case(5, [Do("desk", 1)])},
        until=100,
        escalate={"desk": (6, "boss")},
    )
    # b: 5-11 nobody at the desk; 11-12 sue busy; 12-25 nobody (sue goes with a in hand, done at 20); started at 25
    assert minutes(world.run(ENGINE), 1) == {"nobody_on_shift": 19, "busy": 1}


@pytest.mark.parametrize("block", range(3))
def test_the_causes_are_those_found_tick_by_tick(block: int) -> None:
    for seed in range(round(40 * MORE)):
        world = random_world(random.Random(f"causes/{block}/{seed}").randint)
        run = world.run(ENGINE)
        found, wanted = np.stack(causes(run)), np.stack(one_by_one(run, world.unit))
        assert np.array_equal(found, wanted), f"seed causes/{block}/{seed}\n{world.shown()}\n{found}\n{wanted}"


def one_by_one(run: Run, unit: int) -> Causes:
    """The causes again, by looking at each unit of time of each item's waiting."""
    work, log, plan = run.workload, run.log, run.plan
    spent = np.zeros((len(Causes._fields), work.n_items), np.int64)
    place = {name: i for i, name in enumerate(Causes._fields)}
    until = waiting_until(run)
    moves = list(zip(log.escalated_item.tolist(), log.escalated_at.tolist(), strict=True))
    for item in np.flatnonzero((work.skill >= 0) & (log.enabled_at >= 0)).tolist():
        for at in range(int(log.enabled_at[item]), int(until[item]), unit):
            own = [when for who, when in moves if who == item]
            spent[place[_cause(run, item, at, own, plan.escalate_to)], item] += unit
    return Causes(*spent)


def _cause(run: Run, item: int, at: int, moves: list[int], escalate_to: np.ndarray) -> str:
    work, log, plan = run.workload, run.log, run.plan
    offered = log.offered_at[item]
    if offered < 0 or at < offered:
        return "dispatch_delay"
    skill = work.skill[item]
    for when in moves:
        skill = escalate_to[skill] if at >= when else skill
    worker, begin, end = run.duties
    on_duty = (begin <= at) & (end > at) & (plan.pace[worker, skill] > 0)
    if not on_duty.any():
        return "nobody_on_shift"
    moved = set(log.escalated_item.tolist())
    peers = [i for i in range(work.n_items) if work.skill[i] == work.skill[item] and i not in moved]
    first = any(log.offered_at[i] > offered and 0 <= log.started_at[i] <= at for i in peers)
    return "overtaken" if first and not moves else "busy"
