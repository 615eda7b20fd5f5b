"""Why work waits (rule 10): every tick between enabled and started has one cause, and they add up."""

from __future__ import annotations

import random

import numpy as np
import pytest
from conftest import MORE
from test_promises import Dealt, dealt, hours, opened, promised
from worlds import (
    FOR_EVER,
    Called,
    Case,
    Do,
    Failing,
    Gate,
    Person,
    Spill,
    Team,
    World,
    at_desk,
    random_world,
    tiny,
)

from servsim.engines import ENGINES
from servsim.kpis.causes import Causes, Waiting, causes, waiting
from servsim.kpis.cycle import SPENT, time_on_clock, whole_time
from servsim.quantities import MINUTE
from servsim.records import Course, Run, Silent, State

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


def test_who_is_called_in_is_on_shift() -> None:
    """Nobody is rostered. Two waiting call the reserve, who comes 5 later and takes the first."""
    world = World(
        teams={"desk": Team({"desk": 0}, called=Called(waiting=2, delay=5))},
        people={"ann": Person("desk", [], reserve=True)},
        cases={"a": at_desk(0, 20), "b": at_desk(10, 1)},
        until=100,
    )
    run = world.run(ENGINE)
    assert minutes(run, 0) == {"nobody_on_shift": 15}
    assert minutes(run, 1) == {"nobody_on_shift": 5, "busy": 20}


def test_who_stands_still_is_on_shift_and_what_fails_is_the_cause() -> None:
    """The telephone is down 10-30 and the desk needs it; the files are down 30-45 and only the search needs them."""
    teams = {"desk": Team({"desk": 0}, needs=["phone"])}
    systems = {"phone": Failing([(10, 30, "")]), "files": Failing([(30, 45, "")])}
    search = Do("desk", 5, step="search", needs=["files"])
    cases = {"a": at_desk(0, 8), "b": Case(9, [search]), "c": Case(12, [search]), "d": at_desk(12, 5)}
    run = tiny(cases, teams=teams, systems=systems, staff={"ann": [(0, 20), (25, 100)]}).run(ENGINE)
    # b is begun at 9 and laid down at 10 until 30, when it goes back to the queue, until 45; then c at 49
    assert minutes(run, 2) == {"outage": 28, "nobody_on_shift": 5, "busy": 4}
    assert minutes(run, 3) == {"outage": 13, "nobody_on_shift": 5}
    assert cycle(run, "b") == {"working": 5, "interrupted": 35}


def test_what_is_kept_for_one_person_waits_for_that_person() -> None:
    """ann does the first step at 0-10 and is away until 30; bob, who is there, may not begin the second."""
    again = Do("desk", 5, step="again", same_as="desk", kept=FOR_EVER)
    cases = {"a": Case(0, [Do("desk", 10), again]), "b": at_desk(12, 30)}
    run = tiny(cases, staff={"ann": [(0, 10), (30, 90)], "bob": [(5, 90)]}).run(ENGINE)
    assert minutes(run, 1) == {"required_person": 20}


def test_who_may_not_check_their_own_work_is_no_help() -> None:
    """ann is alone until 25, but she made it; then bob comes."""
    check = Do("desk", 5, step="check", not_as=["desk"])
    run = tiny({"a": Case(0, [Do("desk", 10), check])}, staff={"ann": [(0, 90)], "bob": [(25, 90)]}).run(ENGINE)
    assert minutes(run, 1) == {"required_person": 15}


def test_a_pool_that_helps_out_is_on_shift_for_what_it_may_take() -> None:
    """The desk comes at 50. The back office, busy until 40, takes what has waited for 30."""
    world = World(
        teams={"desk": Team({"desk": 0}), "back": Team({"back": 0, "desk": 1})},
        people={"ann": Person("desk", [(50, 90)]), "bob": Person("back", [(0, 90)])},
        cases={"b": Case(0, [Do("back", 40)]), "a": at_desk(5, 10)},
        until=100,
        overflow={"desk": {"back": Spill(after=30)}},
    )
    assert minutes(world.run(ENGINE), 1) == {"nobody_on_shift": 30, "busy": 5}


def test_meetings_and_hand_overs_are_waited_for_and_branches_for_one_another() -> None:
    """One seat at 20 and at 40: the second case waits for its own. The post goes at 30 and takes 15."""
    gates = {"board": Gate([20, 40], seats=1), "post": Gate([30])}
    board, post = Do(None, 5, gate="board", kind="board"), Do(None, 15, gate="post", kind="handoff")
    both = ([board], [post, Do("desk", 5)])
    run = tiny({"a": Case(0, [board]), "b": Case(4, [both])}, gates=gates).run(ENGINE)
    names = [run.workload.steps.names[step] for step in run.workload.step]
    of = {name: minutes(run, i) for i, name in enumerate(names) if i}
    assert minutes(run, 0) == {"meeting": 20}
    assert of["board"] == {"meeting": 36, "joining": 5}  # 4-40, done at 45; the other branch at 50
    assert of["post"] == {"handover": 41}  # 4-45
    assert cycle(run, "b") == {"handover": 41, "working": 5}


def test_the_branch_that_held_the_case_up_counts() -> None:
    """The desk's branch waits 10 for ann and takes 5; the other delays the case until 30, and then ann is away."""
    branches = ([Do("desk", 5)], [Do(None, 30)])
    cases = {"a": at_desk(0, 10), "b": Case(0, [branches, Do("desk", 10)])}
    run = tiny(cases, staff={"ann": [(0, 20), (50, 90)]}).run(ENGINE)
    assert cycle(run, "b") == {"delays": 30, "nobody_on_shift": 20, "working": 10}


def cycle(run: Run, case: str) -> dict[str, float]:
    """What the time of a case went into, in minutes."""
    time = whole_time(run)[:, "abc".index(case)] / MINUTE
    return {name: ticks for name, ticks in zip(SPENT, time.tolist(), strict=True) if ticks}


# ------------------------------------------------------------------ in random worlds, tick by tick


@pytest.mark.parametrize("block", range(4))
def test_the_causes_are_those_found_tick_by_tick(block: int) -> None:
    for seed in range(round(60 * MORE)):
        world = random_world(random.Random(f"causes/{block}/{seed}").randint, rich=seed % 4 == 0)
        run = world.run(ENGINE)
        found, wanted = np.stack(causes(run)), np.stack(one_by_one(run, world.unit))
        assert np.array_equal(found, wanted), f"seed causes/{block}/{seed}\n{world.shown()}\n{found}\n{wanted}"
        assert np.array_equal(found.sum(axis=0), waiting(run))


@pytest.mark.parametrize("block", range(4))
def test_a_case_spends_every_tick_on_one_thing(block: int) -> None:
    for seed in range(round(60 * MORE)):
        world = random_world(random.Random(f"cycle/{block}/{seed}").randint, rich=seed % 4 == 0).but(unit=1)
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
        world = random_world(pick, rich=seed % 4 == 0).but(unit=1)
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
    led_nowhere = [i for i in ended if all(log.enabled_at[k] < 0 for k in successors(run, i))]
    final = [i for i in led_nowhere if work.leaves[i]]
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
    """What follows the item, as it came about."""
    work, of = run.workload, run.workload.silences
    spoken = item in run.log.silent_item and of.then[work.step[item]] in (Silent.APPROVE, Silent.REJECT)
    if spoken and of.next_item[item] >= 0:
        return [int(of.next_item[item])]
    if work.next_item[item] >= 0:
        return [int(work.next_item[item])]
    k = np.flatnonzero(work.fork_item == item)
    return work.fork_target[work.fork_first[k[0]] : work.fork_first[k[0] + 1]].tolist() if len(k) else []


def _cause(run: Run, item: int, at: int) -> str:
    work, log, plan = run.workload, run.log, run.plan
    offered = log.offered_at[item]
    if offered < 0 or at < offered:
        return "dispatch_delay"
    skill, since = in_queue(run, item, at)
    if skill < 0:
        return "handover" if work.steps.kind[work.step[item]] == "handoff" else "meeting"
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
    moved = {i for i in range(work.n_items) if moved_at(run, i)}
    peers = [i for i in range(work.n_items) if work.skill[i] == work.skill[item] and i not in moved]
    taken = [i for i in peers if log.worker[i] >= 0 and 0 <= log.started_at[i] <= at]
    return "overtaken" if item not in moved and any(log.offered_at[i] > offered for i in taken) else "busy"


def moved_at(run: Run, item: int) -> list[tuple[int, bool]]:
    """When the item moved to another queue, and whether because nobody said a word."""
    work, log = run.workload, run.log
    found = [(int(at), False) for at in log.escalated_at[log.escalated_item == item]]
    if work.silences and work.silences.then[work.step[item]] == Silent.ESCALATE:
        found += [(int(at), True) for at in log.silent_at[log.silent_item == item]]
    return sorted(found)


def in_queue(run: Run, item: int, at: int) -> tuple[int, int]:
    """In whose queue the item waits, and since when."""
    skill, since = int(run.workload.skill[item]), int(run.log.offered_at[item])
    moves = [move for move in moved_at(run, item) if move[0] <= at]
    while moves:
        when, silent = moves.pop(0)
        if (when, True) in moves and since + escalates_after(run, skill, item) != when:
            moves.remove((when, True))  # silence first, then what follows from it
            moves.insert(0, (when, silent))
            silent = True
        to = run.workload.silences.to[run.workload.step[item]] if silent else run.plan.escalate_to[skill]
        skill, since = int(to), when
    return skill, since


def escalates_after(run: Run, skill: int, item: int) -> int:
    """How long the item waits in the queue before it is moved from there; -1: for ever."""
    row = run.workload.timer_of[skill] if len(run.workload.timer_of) else -1
    fixed = run.plan.escalate_after[skill]
    return int(run.workload.timer[row, item] if row >= 0 <= fixed else fixed)


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
    """The persons who may not do the item because of what they did before it was last offered."""
    log = run.log
    rows = log.barred_item == item
    return set(log.barred_who[rows & (log.barred_at == log.barred_at[rows].max(initial=-1))].tolist())


def is_kept(run: Run, item: int, at: int) -> bool:
    """Nobody but its owner might start the item: since it was last offered, until it goes to another queue."""
    log = run.log
    for i, since in zip(log.owned_item.tolist(), log.owned_at.tolist(), strict=True):
        kept = run.workload.owners.kept[i]
        changes = [*(when for when, _ in moved_at(run, i)), *log.blocked_at[log.blocked_item == i]]
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
