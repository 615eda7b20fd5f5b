"""Interruption and order: who is interrupted, what becomes of the progress, and who is next when that depends on time.

Times are minutes, logs are worked out by hand; the sections bear the numbers of the rules of docs/semantics.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from test_theory import assert_means, exponential, mean_time_in_system, queue
from worlds import Case, Do, Person, Team, World, at_desk, expect, mapping, tiny

from servsim import prepare
from servsim.engines import ENGINES, Engine
from servsim.kpis import outcomes
from servsim.model import Scenario
from servsim.quantities import HOUR, MINUTE
from servsim.records import Run
from servsim.report import story
from servsim.simulate import ranked, simulate

# ------------------------------------------------------------------ 5. end of shift: restart, overtime up to a limit

RESTART = {"desk": Team({"desk": 0}, "restart")}


def test_what_is_laid_down_is_begun_again_from_scratch(engine: Engine) -> None:
    """Two mornings from 9 to 12; 17 of the 30 minutes of t5 are left at 12, and all 30 are due the next day."""
    cases = {"t1": (660, 20), "t2": (665, 30), "t3": (670, 25), "t4": (675, 15), "t5": (707, 30), "t6": (725, 10)}
    shifts = [(540, 720), (1980, 2160)]
    world = tiny(
        {name: at_desk(at, work) for name, (at, work) in cases.items()},
        until=3000,
        staff={"ann": shifts, "bob": shifts},
        teams=RESTART,
    )
    expect(
        engine,
        world,
        """
        t1 660 660  660  680 ann
        t2 665 665  665  695 bob
        t3 670 670  680  705 ann
        t4 675 675  695  710 bob
        t5 707 707  707 2010 ann
        t6 725 725 1980 1990 bob
        ann: t5 707-720
        ann: t5 1980-2010
        left t1 680, t2 695, t3 705, t4 710, t5 2010, t6 1990
        """,
    )


def test_a_server_absent_from_5_to_9_begins_again(engine: Engine) -> None:
    expect(
        engine,
        tiny({"x": at_desk(1, 10)}, staff={"ann": [(0, 5), (9, 100)]}, teams=RESTART),
        """
        x 1 1 1 19 ann
        ann: x 1-5
        ann: x 9-19
        left x 19
        """,
    )


def test_whoever_is_eligible_begins_again_at_their_own_pace_and_before_others(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 10), "b": at_desk(1, 2)}, staff={"ann": [(0, 8)], "bob": [(12, 50)]}, teams=RESTART),
        """
        a 0 0  0 22 bob
        b 1 1 22 24 bob
        ann: a 0-8
        bob: a 12-22
        left a 22, b 24
        """,
    )


def limited(**staff: list[tuple[int, int]]) -> dict[str, object]:
    return {"staff": staff, "teams": {"desk": Team({"desk": 0}, "finish", overtime_limit=5)}}


def test_after_so_much_overtime_the_item_goes_back_to_its_queue(engine: Engine) -> None:
    """ann works from 0 to 10 and 5 more; what is left of a (5 of 20) is bob's. b comes first when it ends at 15."""
    expect(
        engine,
        tiny({"a": at_desk(0, 20), "c": at_desk(12, 1)}, **limited(ann=[(0, 10)], bob=[(20, 50)])),
        """
        a  0  0  0 25 bob
        c 12 12 25 26 bob
        ann: a 0-15
        bob: a 20-25
        left a 25, c 26
        """,
    )


def test_an_item_completed_at_the_limit_is_not_interrupted(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 15)}, **limited(ann=[(0, 10)])),
        """
        a 0 0 0 15 ann
        left a 15
        """,
    )


def test_a_limit_that_was_not_reached_does_not_concern_the_next_shift(engine: Engine) -> None:
    """The first overtime ends at 12; the limit that it had (15) is the end of the second shift."""
    expect(
        engine,
        tiny({"a": at_desk(0, 12), "b": at_desk(13, 6)}, **limited(ann=[(0, 10), (13, 15)])),
        """
        a  0  0  0 12 ann
        b 13 13 13 19 ann
        left a 12, b 19
        """,
    )


def test_a_shift_that_begins_before_the_limit_goes_on_with_the_item(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 20)}, **limited(ann=[(0, 10), (14, 50)])),
        """
        a 0 0 0 20 ann
        left a 20
        """,
    )


def pool(**changes: object) -> dict[str, object]:
    return mapping(pools={"desk": {"department": "office", **changes}})


def test_a_limit_of_overtime_is_stated_by_the_pool() -> None:
    plan = prepare.plan(Scenario.model_validate(pool(overtime_limit="1 h")))
    assert plan.overtime_limit.tolist() == [HOUR]
    assert not len(prepare.plan(Scenario.model_validate(pool())).overtime_limit)
    assert prepare.plan(Scenario.model_validate(pool(end_of_shift="restart"))).pool_end_of_shift.tolist() == [4]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"overtime_limit": "1 h", "end_of_shift": "suspend"}, "under 'suspend' there is no overtime"),
        ({"overtime_limit": "0 min"}, "`end_of_shift: suspend`"),
    ],
)
def test_a_limit_without_effect_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Scenario.model_validate(pool(**changes))


# ------------------------------------------------------------------ 3. interruptions by dispatch

RESUME = {"preempt": {"desk": "resume"}}
TWO = {"ann": [(0, 1000)], "bob": [(0, 1000)]}


def test_of_two_equally_urgent_items_the_one_taken_up_last_is_interrupted(engine: Engine) -> None:
    cases = {"d1": at_desk(600, 35, rank=2), "d2": at_desk(605, 30, rank=2), "d3": at_desk(610, 20, rank=1)}
    expect(
        engine,
        tiny(cases, staff=TWO, **RESUME),
        """
        d1 600 600 600 635 ann
        d2 605 605 605 655 bob
        d3 610 610 610 630 bob
        bob: d2 605-610
        bob: d2 630-655
        left d1 635, d2 655, d3 630
        """,
    )


def test_or_the_one_taken_up_first(engine: Engine) -> None:
    """At 635 ann resumes d1, of which 25 minutes are left."""
    cases = {"d1": at_desk(600, 35, rank=2), "d2": at_desk(605, 30, rank=2), "d3": at_desk(610, 25, rank=1)}
    expect(
        engine,
        tiny(cases, staff=TWO, earliest=["desk"], **RESUME),
        """
        d1 600 600 600 660 ann
        d2 605 605 605 635 bob
        d3 610 610 610 635 ann
        ann: d1 600-610
        ann: d1 635-660
        left d1 660, d2 635, d3 635
        """,
    )


def test_interrupted_items_that_restart_wait_in_the_order_in_which_they_came(engine: Engine) -> None:
    """At 2 the one taken up at 1 is thrown out, at 3 the other one; at 12 the one that came first is begun again."""
    cases = {"a": (0, 2), "b": (1, 2), "c": (2, 1), "d": (3, 1)}
    expect(
        engine,
        tiny(
            {name: at_desk(at, 10, rank=rank) for name, (at, rank) in cases.items()},
            staff={"ann": [(0, 1000)], "bob": [(0, 1000)]},
            preempt={"desk": "restart"},
        ),
        """
        a 0 0 0 22 bob
        b 1 1 1 23 ann
        c 2 2 2 12 bob
        d 3 3 3 13 ann
        ann: a 0-3
        bob: b 1-2
        bob: a 12-22
        ann: b 13-23
        left a 22, b 23, c 12, d 13
        """,
    )


def test_the_least_urgent_item_in_hand_is_interrupted_and_equals_are_not(engine: Engine) -> None:
    cases = {"a": (0, 3), "b": (1, 2), "c": (2, 2), "d": (3, 2)}
    expect(
        engine,
        tiny({name: at_desk(at, 10, rank=rank) for name, (at, rank) in cases.items()}, staff=TWO, **RESUME),
        """
        a 0 0  0 20 ann
        b 1 1  1 11 bob
        c 2 2  2 12 ann
        d 3 3 11 21 bob
        ann: a 0-2
        ann: a 12-20
        left a 20, b 11, c 12, d 21
        """,
    )


def test_what_is_completed_in_this_tick_is_not_interrupted(engine: Engine) -> None:
    """b, without work, is in hand at 5 when c arrives; c is taken up when b is completed, in the same tick."""
    expect(
        engine,
        tiny({"b": at_desk(5, 0, rank=2), "c": at_desk(5, 3, rank=1)}, **RESUME),
        """
        b 5 5 5 5 ann
        c 5 5 5 8 ann
        left b 5, c 8
        """,
    )


def test_the_newcomer_interrupts_and_the_last_interrupted_is_resumed_first(engine: Engine) -> None:
    expect(
        engine,
        tiny({name: at_desk(at, 10) for name, at in {"a": 0, "b": 3, "c": 5}.items()}, slope={"desk": -1}, **RESUME),
        """
        a 0 0 0 30 ann
        b 3 3 3 23 ann
        c 5 5 5 15 ann
        ann: a 0-3
        ann: b 3-5
        ann: b 15-23
        ann: a 23-30
        left a 30, b 23, c 15
        """,
    )


def test_shortest_remaining_work_interrupts_longer(engine: Engine) -> None:
    """At 4 six minutes of a are left: b (7) waits, c (5) interrupts; at 9 a (6) comes before b (7)."""
    expect(
        engine,
        tiny({"a": at_desk(0, 10), "b": at_desk(4, 7), "c": at_desk(4, 5)}, by_work_left=["desk"], **RESUME),
        """
        a 0 0  0 15 ann
        b 4 4 15 22 ann
        c 4 4  4  9 ann
        ann: a 0-4
        ann: a 9-15
        left a 15, b 22, c 9
        """,
    )


def test_without_interruptions_what_is_left_counts_when_it_goes_back(engine: Engine) -> None:
    """a, laid down at 8 with 2 minutes left, comes before b with 3."""
    world = tiny(
        {"a": at_desk(0, 10), "b": at_desk(1, 3)},
        staff={"ann": [(0, 8), (20, 50)]},
        teams={"desk": Team({"desk": 0}, "suspend")},
        by_work_left=["desk"],
    )
    expect(
        engine,
        world,
        """
        a 0 0  0 22 ann
        b 1 1 22 25 ann
        ann: a 0-8
        ann: a 20-22
        left a 22, b 25
        """,
    )


def test_who_owes_a_break_or_works_overtime_is_not_interrupted(engine: Engine) -> None:
    """ann's break is due at 5 and begins after a; bob's shift ends at 5."""
    staff = {"ann": Person("desk", [(0, 100)], [(5, 10, "postpone")]), "bob": Person("desk", [(0, 5)])}
    expect(
        engine,
        tiny(
            {"a": at_desk(0, 10, rank=2), "b": at_desk(0, 10, rank=2), "c": at_desk(6, 1, rank=1)},
            staff=staff,
            **RESUME,
        ),
        """
        a 0 0  0 10 ann
        b 0 0  0 10 bob
        c 6 6 20 21 ann
        left a 10, b 10, c 21
        """,
    )


def two_skills(preempt: dict[str, str], preference: int = 0) -> World:
    """ann serves A and B; an item of A is in hand when a more urgent one of B comes."""
    return World(
        teams={"P": Team({"A": 0, "B": preference})},
        people={"ann": Person("P", [(0, 100)])},
        cases={"a": Case(0, [Do("A", 10, rank=2)]), "b": Case(4, [Do("B", 3, rank=1)])},
        until=100,
        preempt=preempt,
    )


WAITS = "a 0 0 0 10 ann\nb 4 4 10 13 ann\nleft a 10, b 13"
INTERRUPTS = "a 0 0 0 13 ann\nb 4 4 4 7 ann\nann: a 0-4\nann: a 7-13\nleft a 13, b 7"


def test_both_skills_have_to_allow_it_and_the_pool_not_to_prefer_the_one_in_hand(engine: Engine) -> None:
    expect(engine, two_skills({"A": "resume", "B": "resume"}), INTERRUPTS)
    expect(engine, two_skills({"A": "resume"}), WAITS)
    expect(engine, two_skills({"B": "resume"}), WAITS)
    expect(engine, two_skills({"A": "resume", "B": "resume"}, preference=1), WAITS)


def test_progress_is_lost_as_the_skill_of_the_interrupted_item_has_it(engine: Engine) -> None:
    lost = "a 0 0 0 17 ann\nb 4 4 4 7 ann\nann: a 0-4\nann: a 7-17\nleft a 17, b 7"
    expect(engine, two_skills({"A": "restart", "B": "resume"}), lost)
    expect(engine, two_skills({"A": "resume", "B": "restart"}), INTERRUPTS)


# ------------------------------------------------------------------ 3. points collected while waiting


def collecting(cases: dict[str, tuple[int, int, int]], **more: Any) -> World:
    """Cases by (arrival, work, points per minute)."""
    return tiny(
        {name: Case(at, [Do("desk", work)], points=points) for name, (at, work, points) in cases.items()},
        by_points=["desk"],
        **more,
    )


def test_the_most_points_at_the_moment_of_dispatch_come_first(engine: Engine) -> None:
    """At 600: v1 40, v3 30, v2 45, v4 6. At 610: v1 50, v3 40, v4 36. At 620: v3 50, v4 66."""
    cases = {"v0": (540, 60, 1), "v1": (560, 10, 1), "v3": (570, 10, 1), "v2": (585, 10, 3), "v4": (598, 10, 3)}
    expect(
        engine,
        collecting(cases),
        """
        v0 540 540 540 600 ann
        v1 560 560 610 620 ann
        v3 570 570 630 640 ann
        v2 585 585 600 610 ann
        v4 598 598 620 630 ann
        left v0 600, v1 620, v3 640, v2 610, v4 630
        """,
    )


def test_points_are_compared_to_the_tick_and_equals_go_by_the_offered_tick(engine: Engine) -> None:
    """At 12 b has 2 × 6 points, c 3 × 4, d 13 × 1: d, then b, which came before c."""
    cases = {"a": (0, 12, 0), "b": (6, 1, 2), "c": (8, 1, 3), "d": (11, 0, 13)}
    expect(
        engine,
        collecting(cases),
        """
        a  0  0  0 12 ann
        b  6  6 12 13 ann
        c  8  8 13 14 ann
        d 11 11 12 12 ann
        left a 12, b 13, c 14, d 12
        """,
    )


def test_an_interrupted_item_keeps_the_points_of_all_its_time(engine: Engine) -> None:
    """a is laid down at 8; at 20 it has 20 points, b 2 × 11 = 22."""
    world = collecting(
        {"a": (0, 10, 1), "b": (9, 3, 2)},
        staff={"ann": [(0, 8), (20, 50)]},
        teams={"desk": Team({"desk": 0}, "suspend")},
    )
    expect(
        engine,
        world,
        """
        a 0 0  0 25 ann
        b 9 9 20 23 ann
        ann: a 0-8
        ann: a 23-25
        left a 25, b 23
        """,
    )


# ------------------------------------------------------------------ ... and theory


def of_class(number: int) -> Any:
    """Mean time in the system of a class."""

    def mean(run: Run) -> float:
        use = run.counted & (run.log.left_at >= 0) & (run.workload.case_class == number)
        return float((run.log.left_at - run.workload.arrived_at)[use].mean() / MINUTE)

    mean.__name__ = f"mean_time_of_class_{number}"
    return mean


def two_classes(
    servers: int, rates: tuple[float, float], times: tuple[Any, Any], customers: int, **dispatch: Any
) -> Any:
    task = [{"kind": "task", "skill": "desk", "time": time, "next": "end"} for time in times]
    return queue(
        servers,
        rates[0],
        times[0],
        round(customers * rates[0] / sum(rates)),
        case_classes={
            "one": {"process": "p", "priority": 1, "accumulation": 1},
            "two": {"process": "q", "priority": 2, "accumulation": 3},
        },
        demand={
            name: {"case_class": name, "arrivals": {"kind": "poisson", "rate": f"{rate}/min"}}
            for name, rate in zip(("one", "two"), rates, strict=True)
        },
        processes={name: {"start": "serve", "steps": {"serve": step}} for name, step in zip("pq", task, strict=True)},
        dispatch=dispatch,
    )


def test_preemptive_resume_priority_of_two_classes_with_rates_of_their_own() -> None:
    """Three servers; the first class sees an M/M/3 of its own. Exact two-dimensional Markov chain."""
    world = two_classes(3, (0.15, 0.2), (exponential(5), exponential(8)), 12000, rule="priority", preempt="resume")
    assert_means(world, [(of_class(0), 5.09803921569)])


def test_preemptive_resume_priority_with_one_server() -> None:
    """One: 0.03/min, Erlang-2 with mean 6; two: 0.02/min, exactly 12. (E[S](1 - s) + R) / ((1 - s')(1 - s)), where s
    and s' are the loads with and without the class (0.42, 0.18) and R is the mean residual work (0.81, 2.25)."""
    erlang = {"kind": "erlang", "mean": "6 min", "k": 2}
    world = two_classes(1, (0.03, 0.02), (erlang, "12 min"), 15000, rule="priority", preempt="resume")
    exact = (6 * 0.82 + 0.81) / 0.82, (12 * 0.58 + 2.25) / (0.82 * 0.58)
    assert_means(world, [(of_class(0), exact[0]), (of_class(1), exact[1])])


def test_preemptive_last_come_first_served_is_insensitive() -> None:
    world = queue(1, 0.03, "12 min", 8000, dispatch={"rule": "lcfs", "preempt": "resume"})
    assert_means(world, [(mean_time_in_system, 12 / (1 - 0.36))])


def wait_of(number: int) -> Any:
    """Mean waiting time of a class."""

    def mean(run: Run) -> float:
        use = run.counted & (run.log.started_at >= 0) & (run.workload.case_class == number)
        return float((run.log.started_at - run.workload.arrived_at)[use].mean() / MINUTE)

    mean.__name__ = f"mean_wait_of_class_{number}"
    return mean


def test_accumulating_priority() -> None:
    """Kleinrock (1964), delay-dependent priorities: one 0.04/min, two 0.02/min, mean 10, 1 and 3 points per minute."""
    world = two_classes(1, (0.04, 0.02), (exponential(10), exponential(10)), 40000, rule="accumulating")
    fcfs = 6 / (1 - 0.6)
    slow = fcfs / (1 - 0.2 * (1 - 1 / 3))
    fast = fcfs - 0.4 * slow * (1 - 1 / 3)
    assert_means(world, [(wait_of(0), slow), (wait_of(1), fast)])


def test_shortest_remaining_processing_time() -> None:
    """Schrage & Miller (1966), by quadrature: M/M/1, 0.05 per minute, mean 10."""
    world = queue(1, 0.05, exponential(10), 15000, dispatch={"rule": "least_remaining", "preempt": "resume"})
    assert_means(world, [(mean_time_in_system, 14.253727)])


# ------------------------------------------------------------------ ... in a scenario


def dispatched(**dispatch: Any) -> Scenario:
    two = {"front": {"department": "office"}, "back": {"department": "office"}}
    staffing = {"front": {"always": 1}, "back": {"always": 1}}
    steps = {
        "serve": {"kind": "task", "skill": "front", "time": "1 min", "next": "file"},
        "file": {"kind": "task", "skill": "back", "time": "1 min", "next": "end"},
    }
    processes = {"p": {"start": "serve", "steps": steps}}
    return Scenario.model_validate(mapping(pools=two, staffing=staffing, processes=processes, dispatch=dispatch))


def test_interruptions_are_stated_for_all_or_by_team() -> None:
    everywhere = prepare.plan(dispatched(rule="priority", preempt="resume"))
    assert (everywhere.preempts.tolist(), everywhere.victim_earliest.tolist()) == ([1, 1], [])
    teams = {"back": {"preempt": "restart", "victim": "earliest_started"}}
    differently = prepare.plan(dispatched(rule="priority", preempt="resume", teams=teams))
    assert (differently.preempts.tolist(), differently.victim_earliest.tolist()) == ([1, 2], [0, 1])
    never = prepare.plan(dispatched(rule="edd", preempt="resume", teams={"back": {"preempt": False}}))
    assert never.preempts.tolist() == [1, 0]
    orderly = prepare.plan(dispatched(rule="edd", preempt="resume", teams={"back": {"rule": "fcfs"}}))
    assert orderly.preempts.tolist() == [1, 0]
    assert not len(prepare.plan(dispatched()).preempts)


@pytest.mark.parametrize(
    ("dispatch", "message"),
    [
        ({"preempt": "resume"}, "dispatch.preempt.*under the rule fcfs nobody is interrupted"),
        ({"rule": "priority", "preempt": "stop"}, "dispatch.preempt"),
        ({"rule": "sjf", "teams": {"back": {"rule": "fcfs", "preempt": "resume"}}}, "dispatch.teams.back.preempt"),
        ({"rule": "sjf", "victim": "oldest"}, "dispatch.victim"),
        ({"rule": "accumulating"}, "dispatch.rule.*classes of different `accumulation`"),
    ],
)
def test_interruptions_that_cannot_be_are_refused(dispatch: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){message}"):
        dispatched(**dispatch)


def test_points_are_stated_by_class_in_whole_millionths() -> None:
    classes = {"ordinary": {"process": "p", "accumulation": 0.3}, "vip": {"process": "p", "accumulation": 3}}
    mix = {"calls": {"mix": {"ordinary": 0.5, "vip": 0.5}, "arrivals": {"kind": "poisson", "rate": "10/h"}}}
    of = Scenario.model_validate(mapping(case_classes=classes, demand=mix, dispatch={"rule": "accumulating"}))
    work = ranked(prepare.workload(of, 3, 1), of, ("desk",))
    assert (work.points == np.array([300_000, 3_000_000])[work.case_class]).all()
    assert work.rank_by.tolist() == [2]
    assert not len(ranked(prepare.workload(of, 3, 1), dispatched(), ("desk",)).points)


def test_interruptions_leave_every_draw_as_it_was() -> None:
    plain, other = (
        dispatched(rule="priority"),
        dispatched(rule="priority", preempt="restart", victim="earliest_started"),
    )
    one, two = (ranked(prepare.workload(of, 3, 1), of, ("front", "back")) for of in (plain, other))
    assert all(
        np.array_equal(getattr(one, name), getattr(two, name)) for name in ("arrived_at", "work", "hold", "rank")
    )


def test_least_remaining_ranks_by_work_and_says_so() -> None:
    of = dispatched(rule="least_remaining", teams={"back": {"rule": "edd"}})
    work = ranked(prepare.workload(of, 3, 1), of, ("front", "back"))
    assert work.rank_by.tolist() == [1, 0]
    assert (work.rank == work.work)[work.skill == 0].all()
    assert (
        simulate(of, seed=3).digest == simulate(dispatched(rule="sjf", teams={"back": {"rule": "edd"}}), seed=3).digest
    )


def test_a_later_item_may_be_first_for_a_pool_that_prefers_it(engine: Engine) -> None:
    """At 4 ann (preference 0) cannot finish b before 10; she takes c, bob (preference 1) takes b."""
    world = World(
        teams={"P": Team({"A": 0}, "no_late_start"), "Q": Team({"A": 1})},
        people={"ann": Person("P", [(4, 10)]), "bob": Person("Q", [(4, 100)])},
        cases={"b": Case(0, [Do("A", 20)]), "c": Case(1, [Do("A", 2)]), "d": Case(1, [Do("A", 9)])},
        until=100,
    )
    expect(
        engine,
        world,
        """
        b 0 0  4 24 bob
        c 1 1  4  6 ann
        d 1 1 24 33 bob
        left b 24, c 6, d 33
        """,
    )


# ------------------------------------------------------------------ 7. escalation after a drawn time


def escalating(after: Any, **more: Any) -> Scenario:
    """A first line of three that escalates to two supervisors; all take ten minutes on average."""
    pools = {"first": {"department": "office"}, "boss": {"department": "office"}}
    return queue(
        3,
        0.3,
        exponential(10),
        26000,
        pools=pools,
        staffing={"first": {"always": 3}, "boss": {"always": 2}},
        processes={
            "p": {
                "start": "serve",
                "steps": {"serve": {"kind": "task", "skill": "first", "time": exponential(10), "next": "end"}},
            }
        },
        dispatch={"teams": {"first": {"escalate": {"after": after, "to": "boss"}}}},
        **more,
    )


def test_every_item_has_a_time_of_its_own_in_each_queue(engine: Engine) -> None:
    """a and b move to sup after 3 and 1; from there b moves to boss after 4 more, a after 2."""
    world = World(
        teams={"P": Team({"desk": 0}), "Q": Team({"sup": 0}), "R": Team({"boss": 0})},
        people={"cy": Person("R", [(20, 50)])},
        cases={"a": Case(0, [Do("desk", 5)]), "b": Case(1, [Do("desk", 5)])},
        until=50,
        escalate={"desk": (99, "sup"), "sup": (99, "boss")},
        timers={"desk": [3, 1], "sup": [2, 4]},
    )
    expect(
        engine,
        world,
        """
        a 0 0 20 25 cy
        b 1 1 25 30 cy
        escalated b 2
        escalated a 3
        escalated a 5
        escalated b 6
        left a 25, b 30
        """,
    )


def share_escalated(run: Run) -> float:
    cases = np.unique(run.workload.case[run.log.escalated_item])
    return float(run.counted[cases].sum() / run.counted.sum())


def test_escalation_after_an_exponential_time() -> None:
    """First line 0.3/min, three servers; passed on after an exponential time of mean 30 min. Exact Markov chain."""
    assert_means(escalating(exponential(30)), [(mean_time_in_system, 15.4470674907), (share_escalated, 0.166102442591)])


def test_escalation_times_are_drawn_beforehand_and_only_they_are() -> None:
    drawn, fixed, other = escalating(exponential(30)), escalating("30 min"), escalating(exponential(60))
    one, two, three = (prepare.workload(of, 3, 1) for of in (drawn, fixed, other))
    assert (one.timer.shape, one.timer_of.tolist()) == ((1, one.n_items), [0, -1])
    assert (two.timer.size, two.timer_of.size) == (0, 0)
    assert abs(one.timer.mean() / (30 * MINUTE) - 1) < 0.05
    assert np.abs(three.timer - 2 * one.timer).max() <= 1
    assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in ("arrived_at", "work", "hold"))
    assert prepare.plan(drawn).escalate_after.tolist() == prepare.plan(fixed).escalate_after.tolist()


def test_items_have_timers_for_the_queues_that_they_may_come_to() -> None:
    """Three queues: front escalates to back after 5 minutes, back to the boss after a drawn time."""
    names = ("front", "back", "boss")
    steps = {
        "serve": {"kind": "task", "skill": "front", "time": "1 min", "next": "sign"},
        "sign": {"kind": "task", "skill": "boss", "time": "1 min", "next": "end"},
    }
    teams = {
        "front": {"escalate": {"after": "5 min", "to": "back"}},
        "back": {"escalate": {"after": {"kind": "uniform", "low": "2 min", "high": "9 min"}, "to": "boss"}},
    }
    config = mapping(
        pools={name: {"department": "office"} for name in names},
        staffing={name: {"always": 1} for name in names},
        processes={"p": {"start": "serve", "steps": steps}},
        dispatch={"teams": teams},
    )
    work = prepare.workload(Scenario.model_validate(config), 3, 1)
    assert work.timer_of.tolist() == [-1, 0, -1]
    front = work.timer[0, work.skill == 0]
    assert ((front >= 2 * MINUTE) & (front <= 9 * MINUTE)).all()
    assert (work.timer[0, work.skill == 2] == -1).all()


# ------------------------------------------------------------------ 7. alerts


def test_who_is_not_started_in_time_is_reported_and_nothing_else_happens() -> None:
    """Alert after 5: b (waits from 1 to 10) at 6, d (from 12 on) at 17, e (gives up at 19) at 18. c (5 to 10) is
    started in the very tick; f's time is up when the clock stops."""
    cases = {
        "a": at_desk(0, 10),
        "b": at_desk(1, 0),
        "c": at_desk(5, 90),
        "d": at_desk(12, 1),
        "e": at_desk(13, 1, patience=6),
        "f": at_desk(15, 1),
    }
    run = tiny(cases, until=20).run(ENGINES["reference"])
    assert (run.alerted_at == -1).all()
    alerting = replace(run, plan=replace(run.plan, alert_after=np.array([5 * MINUTE])))
    assert (alerting.alerted_at // MINUTE).tolist() == [-1, 6, -1, 17, 18, -1]
    assert dict(outcomes.alert_rate(alerting))["all"] == 3 / 6


def test_alerts_are_stated_for_all_or_by_team() -> None:
    of = dispatched(alert={"after": "2 h"}, teams={"back": {"alert": {"after": "1 h"}}})
    assert prepare.plan(of).alert_after.tolist() == [2 * HOUR, HOUR]
    assert prepare.plan(dispatched(alert={"after": "2 h"}, teams={"back": {"alert": False}})).alert_after[1] == -1
    assert simulate(of, seed=3).digest == simulate(dispatched(), seed=3).digest
    late = simulate(dispatched(alert={"after": "0 min"}), seed=3)
    assert "not taken up in time, alert" in story.story(late, int(late.workload.case[late.alerted_at >= 0][0]))


# ------------------------------------------------------------------ 3. held back for urgent cases


def test_some_are_kept_idle_for_urgent_cases(engine: Engine) -> None:
    """One is kept: b, not urgent, waits until both are idle, while c, urgent and later, is served; bob then."""
    cases = {
        "a": Case(0, [Do("desk", 10)], priority=2),
        "b": Case(1, [Do("desk", 5)], priority=2),
        "c": Case(2, [Do("desk", 3)]),
        "d": Case(11, [Do("desk", 1)]),
    }
    expect(
        engine,
        tiny(cases, staff=TWO, hold_back={"desk": (1, 1)}),
        """
        a  0  0  0 10 ann
        b  1  1 10 15 bob
        c  2  2  2  5 bob
        d 11 11 11 12 ann
        left a 10, b 15, c 5, d 12
        """,
    )


def test_what_is_held_back_interrupts_nobody(engine: Engine) -> None:
    cases = {"a": Case(0, [Do("desk", 10, rank=2)]), "b": Case(1, [Do("desk", 5, rank=1)], priority=2)}
    expect(
        engine,
        tiny(cases, hold_back={"desk": (1, 1)}, preempt={"desk": "resume"}),
        """
        a 0 0 0 10 ann
        b 1 1 - -
        left a 10, b -
        """,
    )


def holding(**changes: Any) -> Scenario:
    classes = {"ordinary": {"process": "p", "priority": 2}, "urgent": {"process": "p"}}
    mix = {"calls": {"mix": {"ordinary": 0.8, "urgent": 0.2}, "arrivals": {"kind": "poisson", "rate": "20/h"}}}
    start = {"staffing": {"desk": {"always": 3}}, "dispatch": {"hold_back": {"keep": 1}}}
    return Scenario.model_validate(mapping(**{"case_classes": classes, "demand": mix} | start | changes))


def test_a_scenario_holds_back_by_the_priority_of_the_class() -> None:
    of = holding()
    plan, run = prepare.plan(of), simulate(of, seed=3)
    assert (plan.hold_above.tolist(), plan.keep_idle.tolist()) == ([1], [1])
    assert (run.workload.urgency == np.array([2, 1])[run.workload.case_class]).all()
    free = simulate(holding(dispatch={}), seed=3)
    assert (run.workload.work == free.workload.work).all()
    waits = [(r.log.started_at - r.log.offered_at)[r.workload.case_class[r.workload.case] == 1] for r in (run, free)]
    assert waits[0].mean() < waits[1].mean()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"staffing": {"desk": {"always": 1}}}, "dispatch.hold_back.keep.*at most 1 can do desk.*never started"),
        ({"dispatch": {"hold_back": {"priority": 2, "keep": 1}}}, "dispatch.hold_back.priority.*holds nothing back"),
        ({"dispatch": {"hold_back": {"keep": 0}}}, "dispatch.hold_back.keep"),
        (
            {"dispatch": {"teams": {"desk": {"hold_back": {"keep": 3}}}}},
            "dispatch.teams.desk.hold_back.keep.*at most 3",
        ),
    ],
)
def test_what_cannot_be_held_back_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){message}"):
        holding(**changes)


# ------------------------------------------------------------------ 4. assignment


def test_the_slowest_takes_the_item_so_that_the_quick_stay_free(engine: Engine) -> None:
    paces = {"ann": 200, "bob": 50, "cy": 50}
    staff = {name: Person("desk", [(0, 100)], pace=pace) for name, pace in paces.items()}
    expect(
        engine,
        tiny(
            {"a": at_desk(0, 10), "b": at_desk(0, 10), "c": at_desk(0, 10)}, staff=staff, assignment={"desk": "slowest"}
        ),
        """
        a 0 0 0 20 bob
        b 0 0 0 20 cy
        c 0 0 0  5 ann
        left a 20, b 20, c 5
        """,
    )


def test_who_might_have_taken_it_up_leaves_the_work_as_it_was(engine: Engine) -> None:
    """Ann would need 1 for b, and might be interrupted for it; in the other queue it ranks by its 5."""
    world = World(
        teams={"desk": Team({"new": 0, "old": 0})},
        people={"ann": Person("desk", [(0, 100)])},
        cases={
            "a": Case(0, [Do("old", 4)]),
            "b": Case(0, [Do("new", 5, rank=99)]),
            "c": Case(1, [Do("old", 3)]),
        },
        until=100,
        escalate={"new": (2, "old")},
        preempt={"new": "resume", "old": "resume"},
        by_work_left=["old"],
        own={"ann": {"new": 1}},
    )
    expect(
        engine,
        world,
        """
        a 0 0 0 4 ann
        b 0 0 7 8 ann
        c 1 1 4 7 ann
        escalated b 2
        left a 4, b 8, c 7
        """,
    )
