"""Why work waits: every tick between enabled and started has one cause, and they add up."""

from __future__ import annotations

import random

import numpy as np
import pytest
from conftest import MORE
from test_promises import Dealt, dealt, hours, opened, promised
from worlds import Case, Do, Person, Team, World, at_desk, random_world, tiny

from servsim.engines import ENGINES
from servsim.kpis.causes import Causes, Waiting, causes, waiting
from servsim.kpis.cycle import SPENT, time_on_clock, whole_time
from servsim.quantities import MINUTE
from servsim.records import Course, Run, State

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


# ------------------------------------------------------------------ in random worlds, tick by tick


@pytest.mark.parametrize("block", range(4))
def test_the_causes_are_those_found_tick_by_tick(block: int) -> None:
    for seed in range(round(60 * MORE)):
        world = random_world(random.Random(f"causes/{block}/{seed}").randint)
        run = world.run(ENGINE)
        found, wanted = np.stack(causes(run)), np.stack(one_by_one(run, world.unit))
        assert np.array_equal(found, wanted), f"seed causes/{block}/{seed}\n{world.shown()}\n{found}\n{wanted}"
        assert np.array_equal(found.sum(axis=0), waiting(run))


@pytest.mark.parametrize("block", range(4))
def test_a_case_spends_every_tick_on_one_thing(block: int) -> None:
    for seed in range(round(60 * MORE)):
        world = random_world(random.Random(f"cycle/{block}/{seed}").randint).but(unit=1)
        run = world.run(ENGINE)
        found, arrived = whole_time(run), run.workload.arrived_at
        end = np.where(run.log.left_at >= 0, run.log.left_at, run.window.until)
        came = arrived < run.window.until
        assert np.array_equal(found.sum(axis=0), np.where(came, end - arrived, 0)), f"seed cycle/{block}/{seed}"
        wanted = np.zeros_like(found)
        for case in np.flatnonzero(came).tolist():
            wanted[SPENT.index("before_start"), case] = max(0, -arrived[case])
            for what in day_of(run, case, int(end[case]), last_of(run, case)).values():
                wanted[SPENT.index(what), case] += 1
        assert np.array_equal(found, wanted), f"seed cycle/{block}/{seed}\n{world.shown()}\n{found}\n{wanted}"


@pytest.mark.parametrize("block", range(4))
def test_the_time_of_a_promise_is_that_on_its_clock(block: int) -> None:
    for seed in range(round(30 * MORE)):
        pick = random.Random(f"clock/{block}/{seed}").randint
        world = random_world(pick).but(unit=1)
        calendars = [hours(pick) for _ in range(pick(0, 2))]
        run = world.run(ENGINE)
        deals = [[dealt(pick, len(run.workload.steps.names), len(calendars))] for _ in range(2)]
        run = promised(run, deals, calendars, [0] * run.workload.n_cases)
        waiting_of_run = Waiting(run)
        for number, course in enumerate(run.courses):
            here = run.workload.arrived_at < run.window.until
            cases = np.flatnonzero((course.state != State.NOTHING) & here)
            found = time_on_clock(waiting_of_run, number, cases)
            for place, case in enumerate(cases.tolist()):
                wanted = clocked(run, deals[number][0], calendars, course, case)
                assert dict(zip(SPENT, found[:, place].tolist(), strict=True)) == wanted, f"clock/{block}/{seed} {case}"


def clocked(run: Run, deal: Dealt, calendars: list[list[tuple[int, int]]], course: Course, case: int) -> dict[str, int]:
    """What the time on a promise's clock went into, tick by tick."""
    work, log, spent = run.workload, run.log, dict.fromkeys(SPENT, 0)
    left = log.left_at[case] if log.left_at[case] >= 0 else run.window.until
    end = int(course.ended_at[case] if course.ended_at[case] >= 0 else left)
    own = range(*work.first_item[case : case + 2].tolist())
    answers = [
        i for i in own if work.steps.responds[work.step[i]] and log.started_at[i] == end == run.responded_at[case]
    ]
    way = day_of(run, case, int(left), answers[0] if answers else last_of(run, case))
    paused = [i for i in own if work.step[i] in deal.of.pauses and log.enabled_at[i] >= 0]
    is_open = opened(calendars[deal.calendar]) if deal.calendar >= 0 else lambda at: True
    for at in range(max(0, int(course.began_at[case])), end):
        stands = any(log.enabled_at[i] <= at < done_or_gone(run, i) for i in paused)
        if is_open(at) and not stands:
            spent[way[at]] += 1
    spent["before_start"] = max(0, min(end, 0) - int(course.began_at[case]))
    return spent


def last_of(run: Run, case: int) -> int:
    """The item with which the case ended, or that it is at."""
    work, log = run.workload, run.log
    own = [i for i in range(*work.first_item[case : case + 2].tolist()) if log.enabled_at[i] >= 0]
    own.sort(key=lambda i: log.enabled_at[i])
    ended = [i for i in own if log.completed_at[i] >= 0 and log.completed_at[i] == log.left_at[case]]
    final = [i for i in ended if work.leaves[i]]
    led_nowhere = [i for i in ended if all(log.enabled_at[k] < 0 for k in successors(run, i))]
    still_open = [i for i in own if log.completed_at[i] < 0 and i not in log.withdrawn_item]
    return [*final, *led_nowhere, *still_open][0]


def day_of(run: Run, case: int, end: int, item: int) -> dict[int, str]:
    """What a case spends each tick on, on the way to an item."""
    work, log, spent = run.workload, run.log, {}
    own = range(*work.first_item[case : case + 2].tolist())
    while True:
        begin = int(log.enabled_at[item])
        spent |= {at: _doing(run, item, at) for at in range(begin, min(end, done_or_gone(run, item)))}
        before = [i for i in own if item in successors(run, i) and log.completed_at[i] == begin]
        if not before:
            return spent
        item = before[0]


def done_or_gone(run: Run, item: int) -> int:
    return int(run.log.completed_at[item]) if run.log.completed_at[item] >= 0 else gone(run, item)


def _doing(run: Run, item: int, at: int) -> str:
    work, log = run.workload, run.log
    begun = log.started_at[item]
    if not 0 <= begun <= at or work.steps.kind[work.step[item]] == "handoff":
        return _cause(run, item, at)
    if work.skill[item] < 0:
        return "working" if work.gate[item] >= 0 else "delays"
    mine = log.stretch_item == item
    in_hand = ((log.stretch_from <= at) & (at < log.stretch_to))[mine]
    return "working" if in_hand.any() or not mine.any() else "interrupted"


def one_by_one(run: Run, unit: int) -> Causes:
    """The causes again, by looking at each unit of time of each item's waiting."""
    work, log = run.workload, run.log
    spent = np.zeros((len(Causes._fields), work.n_items), np.int64)
    place = {name: i for i, name in enumerate(Causes._fields)}
    for item in np.flatnonzero(log.enabled_at >= 0).tolist():
        over = work.steps.kind[work.step[item]] == "handoff"
        ends = [log.completed_at[item] if over else log.started_at[item], gone(run, item)]
        for at in range(int(log.enabled_at[item]), int(next(end for end in ends if end >= 0)), unit):
            spent[place[_cause(run, item, at)], item] += unit
        joins = [k for k in successors(run, item) if work.n_predecessors[k] > 1]
        if log.completed_at[item] >= 0 and joins:
            ends = [log.enabled_at[k] if log.enabled_at[k] >= 0 else gone(run, k) for k in joins]
            for _ in range(int(log.completed_at[item]), int(max(ends)), unit):
                spent[place["joining"], item] += unit
    return Causes(*spent)


def gone(run: Run, item: int) -> int:
    """When an item that is not done is not waited for any more."""
    log, case = run.log, run.workload.case[item]
    withdrawn = log.withdrawn_at[log.withdrawn_item == item]
    return int(withdrawn[0] if len(withdrawn) else log.left_at[case] if log.left_at[case] >= 0 else run.window.until)


def successors(run: Run, item: int) -> list[int]:
    work = run.workload
    if work.next_item[item] >= 0:
        return [int(work.next_item[item])]
    k = np.flatnonzero(work.fork_item == item)
    return work.fork_target[work.fork_first[k[0]] : work.fork_first[k[0] + 1]].tolist() if len(k) else []


def _cause(run: Run, item: int, at: int) -> str:
    work, log, plan = run.workload, run.log, run.plan
    offered = log.offered_at[item]
    if offered < 0 or at < offered:
        return "dispatch_delay"
    if work.skill[item] < 0:
        return "handover" if work.steps.kind[work.step[item]] == "handoff" else "meeting"
    skill, since = in_queue(run, item, at)
    there = {w for w, a, b in zip(*map(np.ndarray.tolist, run.duties), strict=True) if a <= at < b}
    able = [w for w in there if plan.pace[w, skill] > 0 and may_take(run, w, skill, since, at)]
    if not able:
        return "nobody_on_shift"
    able = [w for w in able if not stands_still(run, w, at) and not is_down(run, item, at)]
    if not able:
        return "outage"
    makers = who_made(run, item)
    if all(plan.person_of()[w] in makers for w in able) or is_kept(run, item, at):
        return "required_person"
    moved = set(log.escalated_item.tolist())
    peers = [i for i in range(work.n_items) if work.skill[i] == work.skill[item] and i not in moved]
    first = any(log.offered_at[i] > offered and 0 <= log.started_at[i] <= at for i in peers)
    return "overtaken" if first and item not in moved else "busy"


def in_queue(run: Run, item: int, at: int) -> tuple[int, int]:
    """In whose queue the item waits, and since when."""
    skill, since = int(run.workload.skill[item]), int(run.log.offered_at[item])
    for when in run.log.escalated_at[run.log.escalated_item == item].tolist():
        if at >= when:
            skill, since = int(run.plan.escalate_to[skill]), when
    return skill, since


def may_take(run: Run, worker: int, skill: int, since: int, at: int) -> bool:
    """The pool of the worker serves the queue, be it only under a condition that is met."""
    plan, of, pool = run.plan, run.plan.overflow, run.plan.worker_pool[worker]
    conditional = of.conditional(len(plan.pools), len(plan.skills))[:, skill]
    if not conditional[pool] or 0 <= of.after[pool, skill] <= at - since:
        return True
    if 0 <= of.waiting[pool, skill] <= sum(is_waiting(run, i, skill, at) for i in range(run.workload.n_items)):
        return True
    called = plan.reserves.worker
    regular = [
        w
        for w, a, b in zip(*map(np.ndarray.tolist, run.duties), strict=True)
        if a <= at < b and plan.pace[w, skill] > 0 and not conditional[plan.worker_pool[w]] and not called[w]
    ]
    return bool(of.alone[pool, skill]) and not regular


def is_waiting(run: Run, item: int, skill: int, at: int) -> bool:
    log = run.log
    end = log.started_at[item] if log.started_at[item] >= 0 else gone(run, item)
    return 0 <= log.offered_at[item] <= at < end and in_queue(run, item, at)[0] == skill


def who_made(run: Run, item: int) -> set[int]:
    """The persons who may not do the item because of what they did before."""
    log, not_by = run.log, run.workload.owners.not_by
    made = [i for i in (not_by[:, item].tolist() if not_by.size else ()) if i >= 0]
    made = [i for i in made if 0 <= log.completed_at[i] <= log.offered_at[item] and log.worker[i] >= 0]
    return {int(run.plan.person_of()[log.worker[i]]) for i in made}


def is_kept(run: Run, item: int, at: int) -> bool:
    """Nobody but its owner might start the item: since it was last offered, until it goes to another queue."""
    log = run.log
    for i, since in zip(log.owned_item.tolist(), log.owned_at.tolist(), strict=True):
        kept = run.workload.owners.kept[i]
        changes = [*log.escalated_at[log.escalated_item == i], *log.blocked_at[log.blocked_item == i]]
        until = min([at + 1, *(change for change in changes if change >= since)])
        if i == item and since <= at < until and (kept < 0 or at < since + kept):
            return True
    return False


def down_at(run: Run, at: int) -> set[int]:
    """The units that are down."""
    log = run.log
    return set(log.down_unit[(log.down_from <= at) & (at < log.down_to)].tolist())


def stands_still(run: Run, worker: int, at: int) -> bool:
    of, pool = run.plan.systems, run.plan.worker_pool[worker]
    return any(
        of.pool_needs[pool, of.unit_system[unit]] and of.unit_worker[unit] in (-1, worker) for unit in down_at(run, at)
    )


def is_down(run: Run, item: int, at: int) -> bool:
    """Something that the step of the item needs is down."""
    of, needs = run.plan.systems, run.workload.steps.needs
    units = [unit for unit in down_at(run, at) if of.unit_worker[unit] < 0]
    return any(needs[run.workload.step[item], of.unit_system[unit]] for unit in units)
