"""The rules of docs/semantics.md, one small world each; the sections bear the numbers of the rules.

Times are minutes. The whole log stands in the test; worlds.py says how to read it.
"""

from __future__ import annotations

import pytest
from worlds import ALWAYS, Case, Do, Person, Team, World, at_desk, expect, mapping, tiny

from servsim.engines import Engine
from servsim.model import Scenario
from servsim.quantities import HOUR, MINUTE
from servsim.simulate import simulate

TWO = {"ann": [(0, 1000)], "bob": [(0, 1000)]}

# ------------------------------------------------------------------ 1. time


def test_nothing_happens_at_or_after_the_end_of_the_clock(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 10), "b": at_desk(5, 10), "c": at_desk(20, 1), "d": at_desk(25, 1)}, until=20),
        """
        a  0 0  0 10  ann
        b  5 5 10  -  ann
        c  - -  -  -
        d  - -  -  -
        left a 10, b -, c -, d -
        """,
    )


def test_a_world_without_cases_or_without_people_is_a_world(engine: Engine) -> None:
    expect(engine, tiny({}), "left")
    expect(engine, tiny({"a": at_desk(3, 1)}, staff={}), "a 3 3 - -\nleft a -")


# ------------------------------------------------------------------ 2. the order of simultaneous events


def test_a_completion_comes_before_the_end_of_the_shift(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 10)}, staff={"ann": [(0, 10), (20, 30)]}, teams={"desk": Team({"desk": 0}, "suspend")}),
        """
        a 0 0 0 10 ann
        left a 10
        """,
    )


def test_ends_and_starts_of_shift_come_before_dispatch(engine: Engine) -> None:
    """At 10 ann completes a and leaves; b, waiting, and c, arriving, find bob and cy."""
    expect(
        engine,
        tiny(
            {"a": at_desk(0, 10), "b": at_desk(1, 5), "c": at_desk(10, 5)},
            staff={"ann": [(0, 10)], "bob": [(10, 50)], "cy": [(10, 50)]},
        ),
        """
        a  0  0   0 10  ann
        b  1  1  10 15  bob
        c 10 10  10 15  cy
        left a 10, b 15, c 15
        """,
    )


def test_a_break_falls_due_before_dispatch(engine: Engine) -> None:
    expect(
        engine,
        tiny(
            {"a": at_desk(0, 10), "b": at_desk(1, 5)}, staff={"ann": Person("desk", [(0, 50)], [(10, 5, "postpone")])}
        ),
        """
        a 0 0  0 10  ann
        b 1 1 15 20  ann
        left a 10, b 20
        """,
    )


def test_the_end_of_a_break_and_the_start_of_a_shift_come_before_dispatch_and_are_the_same_to_it(
    engine: Engine,
) -> None:
    """ann ends her break and bob begins his shift at 10; both are idle since 10, ann is first in the roster."""
    staff = {"ann": Person("desk", [(0, 50)], [(5, 5, "postpone")]), "bob": Person("desk", [(10, 50)])}
    expect(
        engine,
        tiny({"a": at_desk(6, 20), "b": at_desk(10, 20)}, staff=staff),
        """
        a  6  6  10 30  ann
        b 10 10  10 30  bob
        left a 30, b 30
        """,
    )


def test_who_waits_is_dispatched_before_who_arrives(engine: Engine) -> None:
    """c is more urgent than b, but arrives at 10 when b has been taken up."""
    expect(
        engine,
        tiny({"a": at_desk(0, 10), "b": at_desk(1, 10, rank=2), "c": at_desk(10, 10, rank=1)}),
        """
        a  0  0   0 10  ann
        b  1  1  10 20  ann
        c 10 10  20 30  ann
        left a 10, b 20, c 30
        """,
    )


def test_arrivals_of_one_tick_are_dispatched_one_by_one_in_the_order_of_their_items(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(5, 10, rank=2), "b": at_desk(5, 10, rank=1), "c": at_desk(5, 10, rank=0)}),
        """
        a 5 5   5 15  ann
        b 5 5  25 35  ann
        c 5 5  15 25  ann
        left a 15, b 35, c 25
        """,
    )


def test_ends_of_delays_and_pushes_stand_in_one_line_with_arrivals(engine: Engine) -> None:
    """At 10: a comes back from its delay, b is pushed, c arrives; the lowest item is first."""
    cases = {
        "a": Case(0, [Do(None, 10), Do("desk", 5)]),
        "b": at_desk(4, 5, hold=6),
        "c": at_desk(10, 5),
    }
    expect(
        engine,
        tiny(cases),
        """
        a.wait  0  0   0 10
        a.desk 10 10  10 15  ann
        b       4 10  15 20  ann
        c      10 10  20 25  ann
        left a 15, b 20, c 25
        """,
    )


def test_completions_of_one_tick_all_come_before_the_dispatch_of_what_follows(engine: Engine) -> None:
    """x and y complete at 10; what follows y is more urgent and gets the one at the desk."""
    world = World(
        teams={"back": Team({"back": 0}), "desk": Team({"desk": 0})},
        people={"xi": Person("back", ALWAYS), "yu": Person("back", ALWAYS), "ann": Person("desk", ALWAYS)},
        cases={
            "x": Case(0, [Do("back", 10), Do("desk", 5, rank=2)]),
            "y": Case(0, [Do("back", 10), Do("desk", 5, rank=1)]),
        },
        until=100,
    )
    expect(
        engine,
        world,
        """
        x.back  0  0   0 10  xi
        x.desk 10 10  15 20  ann
        y.back  0  0   0 10  yu
        y.desk 10 10  10 15  ann
        left x 20, y 15
        """,
    )


def test_patience_that_ends_when_somebody_becomes_free_is_just_long_enough(engine: Engine) -> None:
    cases = {"a": at_desk(0, 10, answers=True), "b": at_desk(5, 4, patience=5, answers=True)}
    expect(
        engine,
        tiny(cases),
        """
        a 0 0  0 10  ann
        b 5 5 10 14  ann
        left a 10, b 14
        """,
    )


def test_patience_that_ends_when_the_shift_starts_is_just_long_enough(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(5, 4, patience=5, answers=True)}, staff={"ann": [(10, 50)]}),
        """
        a 5 5 10 14 ann
        left a 14
        """,
    )


def test_an_item_that_is_taken_up_when_it_is_to_be_escalated_stays(engine: Engine) -> None:
    expect(
        engine,
        supervised({"a": at_desk(0, 10), "b": at_desk(5, 4)}, after=5),
        """
        a 0 0  0 10  ann
        b 5 5 10 14  ann
        left a 10, b 14
        """,
    )


def test_patience_runs_out_before_an_escalation_of_the_same_tick(engine: Engine) -> None:
    expect(
        engine,
        supervised({"a": at_desk(0, 10), "b": at_desk(2, 4, patience=5, answers=True)}, after=5),
        """
        a 0 0 0 10 ann
        b 2 2 - -
        left a 10, b 7 abandoned
        """,
    )


def test_work_of_zero_length_is_completed_in_the_same_tick(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(5, 0, 0, 3), "b": at_desk(5, 0)}),
        """
        a.desk  5 5  5 5  ann
        a.desk2 5 5  5 5  ann
        a.desk3 5 5  5 8  ann
        b       5 5  8 8  ann
        left a 8, b 8
        """,
    )


def test_work_of_zero_length_is_completed_in_a_new_round_after_the_arrivals_of_this_one(engine: Engine) -> None:
    cases = {
        "a": at_desk(0, 10),
        "b": Case(0, [Do(None, 10), Do("desk", 3)]),
        "c": at_desk(0, 0, 5),
    }
    expect(
        engine,
        tiny(cases),
        """
        a        0  0   0 10  ann
        b.wait   0  0   0 10
        b.desk  10 10  10 13  ann
        c.desk   0  0  10 10  ann
        c.desk2 10 10  13 18  ann
        left a 10, b 13, c 18
        """,
    )


def test_after_work_of_zero_length_all_who_became_idle_at_this_tick_stand_in_the_order_of_the_roster(
    engine: Engine,
) -> None:
    expect(
        engine,
        tiny({"a": at_desk(2, 0, 0)}, staff={"ann": [(2, 9)], "bob": [(2, 9)]}),
        """
        a.desk  2 2  2 2  ann
        a.desk2 2 2  2 2  ann
        left a 2
        """,
    )


def test_all_branches_are_offered_before_one_is_dispatched(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": Case(0, [([Do("A", 5)], [Do("B", 5)])])}, teams={"desk": Team({"A": 1, "B": 0})}),
        """
        a.fork  0  0   0  0
        a.A     0  0   5 10  ann
        a.B     0  0   0  5  ann
        a.join 10 10  10 10
        left a 10
        """,
    )


# ------------------------------------------------------------------ 3. dispatch


def test_the_place_in_a_queue_is_rank_then_offered_tick_then_item(engine: Engine) -> None:
    cases = {
        "a": at_desk(0, 10),
        "b": at_desk(1, 10, rank=2),
        "c": at_desk(2, 10, rank=1),
        "d": at_desk(3, 10, rank=1),
        "e": at_desk(3, 10, rank=1),
    }
    expect(
        engine,
        tiny(cases),
        """
        a 0 0   0 10  ann
        b 1 1  40 50  ann
        c 2 2  10 20  ann
        d 3 3  20 30  ann
        e 3 3  30 40  ann
        left a 10, b 50, c 20, d 30, e 40
        """,
    )


def test_last_come_is_a_rank_that_falls_with_the_offered_tick(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 10), "b": at_desk(1, 10), "c": at_desk(2, 10), "d": at_desk(15, 10)}, slope={"desk": -1}),
        """
        a  0  0   0 10  ann
        b  1  1  30 40  ann
        c  2  2  10 20  ann
        d 15 15  20 30  ann
        left a 10, b 40, c 20, d 30
        """,
    )


def test_waiting_makes_up_for_a_lower_rank_where_the_rank_grows_with_the_offered_tick(engine: Engine) -> None:
    """b has 10 + 1, c has 0 + 12 and d 0 + 9: d, b, c."""
    cases = {"a": at_desk(0, 20), "b": at_desk(1, 5, rank=10), "c": at_desk(12, 5), "d": at_desk(9, 5)}
    cases = dict(sorted(cases.items(), key=lambda case: case[1].at))
    expect(
        engine,
        tiny(cases, slope={"desk": 1}),
        """
        a  0  0   0 20  ann
        b  1  1  25 30  ann
        d  9  9  20 25  ann
        c 12 12  30 35  ann
        left a 20, b 30, d 25, c 35
        """,
    )


def test_nobody_is_interrupted_by_something_more_urgent(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 60, rank=9), "b": at_desk(1, 1, rank=0)}),
        """
        a 0 0  0 60  ann
        b 1 1 60 61  ann
        left a 60, b 61
        """,
    )


def test_a_freed_worker_looks_first_at_the_queue_that_the_pool_prefers(engine: Engine) -> None:
    """Both queues have somebody waiting when gus becomes free; B is preferred though A waits longer and is urgent."""
    world = tiny(
        {
            "a": Case(0, [Do("B", 10)]),
            "b": Case(1, [Do("A", 10)]),
            "c": Case(2, [Do("B", 10, rank=5)]),
        },
        teams={"desk": Team({"A": 2, "B": 1})},
        staff={"gus": ALWAYS},
    )
    expect(
        engine,
        world,
        """
        a 0 0  0 10  gus
        b 1 1 20 30  gus
        c 2 2 10 20  gus
        left a 10, b 30, c 20
        """,
    )


def test_with_equal_preference_the_best_item_over_all_queues_is_taken(engine: Engine) -> None:
    """A V: one pool, two queues. Waiting since 1 beats waiting since 2, a lower rank beats both."""
    world = tiny(
        {
            "a": Case(0, [Do("A", 10)]),
            "b": Case(1, [Do("B", 10, rank=1)]),
            "c": Case(2, [Do("A", 10, rank=1)]),
            "d": Case(3, [Do("B", 10)]),
        },
        teams={"desk": Team({"A": 0, "B": 0})},
        staff={"gus": ALWAYS},
    )
    expect(
        engine,
        world,
        """
        a 0 0   0 10  gus
        b 1 1  20 30  gus
        c 2 2  30 40  gus
        d 3 3  10 20  gus
        left a 10, b 30, c 40, d 20
        """,
    )


def test_an_item_goes_to_the_pool_that_prefers_it_even_if_somebody_else_has_been_idle_for_longer(
    engine: Engine,
) -> None:
    world = World(
        teams={"specialists": Team({"A": 0}), "generalists": Team({"B": 0, "A": 1})},
        people={"sue": Person("specialists", [(5, 60)]), "gus": Person("generalists", [(0, 60)])},
        cases={"a": Case(10, [Do("A", 20)]), "b": Case(12, [Do("A", 20)])},
        until=60,
    )
    expect(
        engine,
        world,
        """
        a 10 10  10 30  sue
        b 12 12  12 32  gus
        left a 30, b 32
        """,
    )


def test_specialist_and_generalist_when_both_become_free(engine: Engine) -> None:
    """An N. At 20 both become free: gus prefers B and takes b1, sue takes a3."""
    world = World(
        teams={"specialists": Team({"A": 1}), "generalists": Team({"B": 1, "A": 2})},
        people={"sue": Person("specialists", ALWAYS), "gus": Person("generalists", ALWAYS)},
        cases={
            "a1": Case(0, [Do("A", 20)]),
            "a2": Case(5, [Do("A", 15)]),
            "b1": Case(10, [Do("B", 10)]),
            "a3": Case(12, [Do("A", 10)]),
            "b2": Case(25, [Do("B", 10)]),
            "a4": Case(26, [Do("A", 5)]),
        },
        until=100,
    )
    expect(
        engine,
        world,
        """
        a1  0  0   0 20  sue
        a2  5  5   5 20  gus
        b1 10 10  20 30  gus
        a3 12 12  20 30  sue
        b2 25 25  30 40  gus
        a4 26 26  30 35  sue
        left a1 20, a2 20, b1 30, a3 30, b2 40, a4 35
        """,
    )


def test_a_w_of_three_pools_over_two_queues(engine: Engine) -> None:
    """At 10 everybody becomes free: the two specialists take the first of their own, gus the best of what is left."""
    world = World(
        teams={"As": Team({"A": 1}), "Bs": Team({"B": 1}), "both": Team({"A": 2, "B": 2})},
        people={"al": Person("As", ALWAYS), "bo": Person("Bs", ALWAYS), "gus": Person("both", ALWAYS)},
        cases={
            "a": Case(0, [Do("A", 10)]),
            "b": Case(0, [Do("B", 10)]),
            "c": Case(0, [Do("A", 10)]),
            "d": Case(1, [Do("A", 10)]),
            "e": Case(2, [Do("B", 10)]),
            "f": Case(3, [Do("B", 10)]),
            "g": Case(4, [Do("A", 10)]),
        },
        until=100,
    )
    expect(
        engine,
        world,
        """
        a 0 0   0 10  al
        b 0 0   0 10  bo
        c 0 0   0 10  gus
        d 1 1  10 20  al
        e 2 2  10 20  bo
        f 3 3  10 20  gus
        g 4 4  20 30  al
        left a 10, b 10, c 10, d 20, e 20, f 20, g 30
        """,
    )


def test_an_interrupted_item_goes_before_others_of_equal_rank_but_not_before_a_lower_one(engine: Engine) -> None:
    world = tiny(
        {
            "a": at_desk(5, 10, rank=1),
            "b": at_desk(0, 5, rank=1),
            "c": at_desk(6, 5, rank=1),
            "d": at_desk(7, 5, rank=0),
        },
        staff={"ann": [(0, 10), (20, 90)]},
        teams={"desk": Team({"desk": 0}, "suspend")},
    )
    world = world.but(cases=dict(sorted(world.cases.items(), key=lambda case: case[1].at)))
    expect(
        engine,
        world,
        """
        b 0 0   0  5  ann
        a 5 5   5 30  ann
        c 6 6  30 35  ann
        d 7 7  20 25  ann
        ann: a 5-10
        ann: a 25-30
        left b 5, a 30, c 35, d 25
        """,
    )


def test_interrupted_items_of_equal_rank_stand_in_the_order_of_the_items(engine: Engine) -> None:
    """b was offered before a, whose visit comes after a delay; both are laid down at 10 and a is the lower item."""
    world = tiny(
        {"a": Case(0, [Do(None, 5), Do("desk", 10)]), "b": at_desk(1, 15)},
        staff={"ann": [(0, 10)], "bob": [(0, 10)], "cy": [(20, 90)]},
        teams={"desk": Team({"desk": 0}, "suspend")},
    )
    expect(
        engine,
        world,
        """
        a.wait 0 0  0  5
        a.desk 5 5  5 25  cy
        b      1 1  1 31  cy
        ann: b 1-10
        bob: a.desk 5-10
        cy: a.desk 20-25
        cy: b 25-31
        left a 25, b 31
        """,
    )


def test_an_interrupted_item_that_never_waited_keeps_the_rank_of_when_it_was_offered(engine: Engine) -> None:
    """Waiting counts (slope 1): a has 0 + 5, b has −4 + 7 and goes first."""
    world = tiny(
        {"a": at_desk(5, 10), "b": at_desk(7, 10, rank=-4)},
        staff={"ann": [(0, 10), (20, 60)]},
        teams={"desk": Team({"desk": 0}, "suspend")},
        slope={"desk": 1},
    )
    expect(
        engine,
        world,
        """
        a 5 5  5 35  ann
        b 7 7 20 30  ann
        ann: a 5-10
        ann: a 30-35
        left a 35, b 30
        """,
    )


# ------------------------------------------------------------------ 4. eligible, idle, and who gets the item


def test_the_longest_idle_gets_the_item(engine: Engine) -> None:
    expect(
        engine,
        tiny(
            {
                "c1": at_desk(10, 10), "c2": at_desk(12, 30), "c3": at_desk(25, 5), "c4": at_desk(31, 5),
                "c5": at_desk(33, 5), "c6": at_desk(40, 5),
            },
            staff={"A": ALWAYS, "B": ALWAYS, "C": ALWAYS},
        ),
        """
        c1 10 10  10 20  A
        c2 12 12  12 42  B
        c3 25 25  25 30  C
        c4 31 31  31 36  A
        c5 33 33  33 38  C
        c6 40 40  40 45  A
        left c1 20, c2 42, c3 30, c4 36, c5 38, c6 45
        """,
    )  # fmt: skip


def test_idle_since_the_same_tick_they_stand_in_the_order_of_the_roster(engine: Engine) -> None:
    """bob's item is the lower one, so he completes it first; both are idle since 10."""
    expect(
        engine,
        tiny(
            {"a": at_desk(0, 10), "b": at_desk(1, 9), "c": at_desk(20, 5)},
            staff={"ann": [(1, 90)], "bob": [(0, 90)]},
        ),
        """
        a  0  0   0 10  bob
        b  1  1   1 10  ann
        c 20 20  20 25  ann
        left a 10, b 10, c 25
        """,
    )


def test_after_a_break_idleness_counts_anew(engine: Engine) -> None:
    staff = {"A": Person("desk", ALWAYS, [(20, 10, "postpone")]), "B": Person("desk", ALWAYS)}
    expect(
        engine,
        tiny({"e1": at_desk(5, 5), "e2": at_desk(7, 5), "e3": at_desk(31, 5), "e4": at_desk(38, 5)}, staff=staff),
        """
        e1  5  5   5 10  A
        e2  7  7   7 12  B
        e3 31 31  31 36  B
        e4 38 38  38 43  A
        left e1 10, e2 12, e3 36, e4 43
        """,
    )


def test_after_a_shift_began_anew_idleness_counts_anew(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(30, 5)}, staff={"ann": [(0, 10), (20, 90)], "bob": [(15, 90)]}),
        """
        a 30 30 30 35 bob
        left a 35
        """,
    )


def test_the_least_utilised_gets_the_item(engine: Engine) -> None:
    """At 20: ann busy 10 of 20, bob 2 of 10, though ann has been idle longer. At 26: ann 10 of 26, bob 7 of 16."""
    world = tiny(
        {"a": at_desk(0, 10), "b": at_desk(12, 2), "c": at_desk(20, 5), "d": at_desk(26, 5)},
        staff={"ann": ALWAYS, "bob": [(10, 90)]},
        assignment={"desk": "least_utilised"},
    )
    expect(
        engine,
        world,
        """
        a  0  0   0 10  ann
        b 12 12  12 14  bob
        c 20 20  20 25  bob
        d 26 26  26 31  ann
        left a 10, b 14, c 25, d 31
        """,
    )


def test_utilisation_is_compared_to_a_millionth(engine: Engine) -> None:
    """At 5000: ann was busy for 1 of 5000, bob for 1 of 4000 minutes."""
    world = tiny(
        {"a": at_desk(0, 1), "b": at_desk(1001, 1), "c": at_desk(5000, 1)},
        staff={"ann": [(0, 9000)], "bob": [(1000, 9000)]},
        assignment={"desk": "least_utilised"},
        until=9000,
    )
    expect(
        engine,
        world,
        """
        a    0    0     0    1  ann
        b 1001 1001  1001 1002  bob
        c 5000 5000  5000 5001  ann
        left a 1, b 1002, c 5001
        """,
    )


def test_utilisation_counts_all_shifts_so_far(engine: Engine) -> None:
    """At 40 ann was busy 5 of 10 + 10 ticks, bob 6 of 20."""
    world = tiny(
        {"a": at_desk(0, 5), "b": at_desk(21, 6), "c": at_desk(40, 5)},
        staff={"ann": [(0, 10), (30, 90)], "bob": [(20, 90)]},
        assignment={"desk": "least_utilised"},
    )
    expect(
        engine,
        world,
        """
        a  0  0   0  5  ann
        b 21 21  21 27  bob
        c 40 40  40 45  ann
        left a 5, b 27, c 45
        """,
    )


def test_the_fastest_at_the_skill_gets_the_item(engine: Engine) -> None:
    world = tiny(
        {"a": Case(0, [Do("A", 10)]), "b": Case(1, [Do("A", 10)]), "c": Case(50, [Do("B", 10)])},
        teams={"desk": Team({"A": 0, "B": 0})},
        staff={
            "ann": Person("desk", ALWAYS, pace={"A": 50, "B": 100}),
            "bob": Person("desk", ALWAYS, pace={"A": 200, "B": 80}),
        },
        assignment={"A": "fastest", "B": "fastest"},
    )
    expect(
        engine,
        world,
        """
        a  0  0   0  5  bob
        b  1  1   1 21  ann
        c 50 50  50 60  ann
        left a 5, b 21, c 60
        """,
    )


def test_fastest_among_people_of_the_standard_pace_is_the_one_idle_longest(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 5)}, staff={"ann": [(0, 60)], "bob": [(0, 60)]}, assignment={"desk": "fastest"}),
        """
        a 0 0 0 5 ann
        left a 5
        """,
    )


def test_fixed_is_the_first_in_the_order_of_the_roster(engine: Engine) -> None:
    world = tiny({"a": at_desk(0, 5), "b": at_desk(3, 5), "c": at_desk(20, 5)}, staff=TWO, assignment={"desk": "fixed"})
    expect(
        engine,
        world,
        """
        a  0  0   0  5  ann
        b  3  3   3  8  bob
        c 20 20  20 25  ann
        left a 5, b 8, c 25
        """,
    )


def test_random_is_by_the_lot_of_the_item(engine: Engine) -> None:
    """Lot 4 among three is the second; lot 4 among the two that are left is the first of them."""
    world = tiny(
        {"a": at_desk(0, 5, lot=4), "b": at_desk(1, 5, lot=4), "c": at_desk(20, 5, lot=2)},
        staff={"ann": ALWAYS, "bob": ALWAYS, "cy": ALWAYS},
        assignment={"desk": "random"},
    )
    expect(
        engine,
        world,
        """
        a  0  0   0  5  bob
        b  1  1   1  6  ann
        c 20 20  20 25  cy
        left a 5, b 6, c 25
        """,
    )


def test_who_has_just_completed_the_item_before_is_one_of_the_idle(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 5, 5)}, staff={"ann": [(0, 60)], "bob": [(0, 60)]}, assignment={"desk": "fixed"}),
        """
        a.desk  0 0  0  5  ann
        a.desk2 5 5  5 10  ann
        left a 10
        """,
    )


def test_service_takes_work_by_pace_rounded_half_up(engine: Engine) -> None:
    """In ticks: 5 at 200 % is 2.5, so 3; 10 at 30 % is 33.3; 1 at 200 % is 0.5, so 1."""
    staff = {"ann": Person("desk", ALWAYS, pace=200), "bob": Person("desk", ALWAYS, pace=30)}
    cases = {"a": at_desk(0, 5), "b": at_desk(0, 10), "c": at_desk(50, 1), "d": at_desk(60, 0)}
    expect(
        engine,
        tiny(cases, staff=staff, unit=1, assignment={"desk": "fixed"}),
        """
        a  0  0   0  3  ann
        b  0  0   0 33  bob
        c 50 50  50 51  ann
        d 60 60  60 60  ann
        left a 3, b 33, c 51, d 60
        """,
    )


def test_a_pool_that_lacks_the_skill_is_not_asked(engine: Engine) -> None:
    world = World(
        teams={"front": Team({"A": 0}), "back": Team({"B": 0})},
        people={"fay": Person("front", ALWAYS), "bob": Person("back", ALWAYS)},
        cases={"a": Case(0, [Do("A", 10)]), "b": Case(0, [Do("A", 10)])},
        until=100,
    )
    expect(
        engine,
        world,
        """
        a 0 0   0 10  fay
        b 0 0  10 20  fay
        left a 10, b 20
        """,
    )


def test_dispatch_is_causal() -> None:
    """One server, one case an hour, 10 minutes each: whoever goes first, nobody waits. (A simulator that ranks future
    arrivals lets ordinary cases wait for ten hours here.)"""
    scenario = mapping(
        case_classes={"vip": {"process": "p", "priority": 1}, "ordinary": {"process": "p", "priority": 2}},
        demand={
            "calls": {"mix": {"vip": 0.5, "ordinary": 0.5}, "arrivals": {"kind": "renewal", "gap": "1 h"}},
        },
        dispatch={"rule": "priority"},
    )
    run = simulate(Scenario.model_validate(scenario))
    assert run.workload.n_cases == 23
    assert len(set(run.workload.case_class.tolist())) == 2
    assert (run.log.started_at == run.workload.arrived_at).all()


def test_assignment_looks_at_the_shift() -> None:
    """At 20:00 both are without work, but one has gone home."""
    scenario = mapping(
        shifts={"day": {"days": "all", "hours": "09:00-17:00"}, "always": {"days": "all", "hours": "00:00-24:00"}},
        staffing={"desk": {"day": 1, "always": 1}},
        demand={
            "calls": {
                "case_class": "ordinary",
                "arrivals": {"kind": "appointments", "days": "all", "times": ["20:00"]},
            },
        },
    )
    run = simulate(Scenario.model_validate(scenario))
    assert run.log.started_at.tolist() == [20 * HOUR]
    assert run.plan.workers[run.log.worker[0]] == "desk.always.1"


def test_the_same_seed_gives_the_same_log_and_another_one_does_not() -> None:
    scenario = Scenario.model_validate(mapping())
    assert simulate(scenario, seed=1).digest == simulate(scenario, seed=1).digest
    assert len({simulate(scenario, seed, r).digest for seed in (1, 2) for r in (0, 1)}) == 4


def test_a_wait_over_the_weekend_is_counted_in_full() -> None:
    """Reported on Friday at 16:00, taken up on Monday at 9:00: 65 hours, not 17."""
    scenario = mapping(
        clock={"start": "2026-03-06", "horizon": "1 d", "run_out": "5 d"},
        shifts={"day": {"days": "mon-thu", "hours": "09:00-17:00"}},
        staffing={"desk": {"day": 1}},
        demand={
            "calls": {
                "case_class": "ordinary",
                "arrivals": {"kind": "appointments", "days": "fri", "times": ["16:00"]},
            },
        },
    )
    run = simulate(Scenario.model_validate(scenario))
    assert (run.log.started_at - run.log.enabled_at).tolist() == [65 * HOUR]


# ------------------------------------------------------------------ 5. presence: the end of the shift


def test_finish_completes_the_item_in_hand_and_begins_no_other(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(5, 10), "b": at_desk(6, 3)}, staff={"ann": [(0, 10), (30, 90)]}),
        """
        a 5 5   5 15  ann
        b 6 6  30 33  ann
        left a 15, b 33
        """,
    )


def test_a_full_turnover_of_staff(engine: Engine) -> None:
    """Everyone finishes the customer in hand; overtime 0, 1, 3, 2 and 3."""
    shifts = {"s1": (0, 7), "s2": (0, 7), "s3": (0, 7), "s4": (7, 11), "s5": (7, 11), "s6": (11, 20)}
    cases = {"c1": (1, 5), "c2": (1, 7), "c3": (1, 9), "c4": (9, 4), "c5": (9, 5), "c6": (12, 5)}
    expect(
        engine,
        tiny({name: at_desk(*case) for name, case in cases.items()}, staff={name: [s] for name, s in shifts.items()}),
        """
        c1  1  1   1  6  s1
        c2  1  1   1  8  s2
        c3  1  1   1 10  s3
        c4  9  9   9 13  s4
        c5  9  9   9 14  s5
        c6 12 12  12 17  s6
        left c1 6, c2 8, c3 10, c4 13, c5 14, c6 17
        """,
    )


def test_who_is_still_at_it_when_the_next_shift_begins_stays_on_duty(engine: Engine) -> None:
    """From 10 to 20 ann is off duty and finishes a; at 20 her next shift begins, so b finds her at 25."""
    expect(
        engine,
        tiny({"a": at_desk(5, 20), "b": at_desk(6, 3), "c": at_desk(50, 3)}, staff={"ann": [(0, 10), (20, 60)]}),
        """
        a  5  5   5 25  ann
        b  6  6  25 28  ann
        c 50 50  50 53  ann
        left a 25, b 28, c 53
        """,
    )


def test_who_finishes_an_item_over_a_whole_day_off_comes_back_for_the_next_shift(engine: Engine) -> None:
    """Off from 10 to 20 and from 30 to 40; the item lasts from 5 to 35, in the second time off."""
    expect(
        engine,
        tiny({"a": at_desk(5, 30), "b": at_desk(6, 3)}, staff={"ann": [(0, 10), (20, 30), (40, 50)]}),
        """
        a 5 5   5 35  ann
        b 6 6  40 43  ann
        left a 35, b 43
        """,
    )


def test_suspend_lays_the_item_down_for_whoever_is_there(engine: Engine) -> None:
    expect(
        engine,
        tiny(
            {"a": at_desk(5, 10), "b": at_desk(6, 4)},
            staff={"ann": [(0, 10), (40, 90)], "bob": [(20, 90)]},
            teams={"desk": Team({"desk": 0}, "suspend")},
        ),
        """
        a 5 5   5 25  bob
        b 6 6  25 29  bob
        ann: a 5-10
        bob: a 20-25
        left a 25, b 29
        """,
    )


def test_suspended_work_goes_on_over_as_many_days_as_it_takes(engine: Engine) -> None:
    expect(
        engine,
        tiny(
            {"a": at_desk(5, 18)},
            staff={"ann": [(0, 10), (100, 110), (200, 210)]},
            teams={"desk": Team({"desk": 0}, "suspend")},
        ),
        """
        a 5 5 5 203 ann
        ann: a 5-10
        ann: a 100-110
        ann: a 200-203
        left a 203
        """,
    )


def test_suspended_work_is_taken_over_at_the_tick_of_the_handover(engine: Engine) -> None:
    """Adjacent shifts: bob takes up what ann lays down; so does ann herself where her own shifts touch."""
    cases = {"a": at_desk(5, 10)}
    teams = {"desk": Team({"desk": 0}, "suspend")}
    expect(
        engine,
        tiny(cases, staff={"ann": [(0, 10)], "bob": [(10, 20)]}, teams=teams),
        """
        a 5 5 5 15 bob
        ann: a 5-10
        bob: a 10-15
        left a 15
        """,
    )
    expect(
        engine,
        tiny(cases, staff={"ann": [(0, 10), (10, 20)]}, teams=teams),
        """
        a 5 5 5 15 ann
        ann: a 5-10
        ann: a 10-15
        left a 15
        """,
    )


def test_finish_over_adjacent_shifts_is_no_interruption(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(5, 10), "b": at_desk(6, 3)}, staff={"ann": [(0, 10), (10, 20)]}),
        """
        a 5 5   5 15  ann
        b 6 6  15 18  ann
        left a 15, b 18
        """,
    )


def test_suspend_keep_has_the_same_worker_take_it_up_first_thing(engine: Engine) -> None:
    """Not bob, who is idle; and before b, which is more urgent."""
    expect(
        engine,
        tiny(
            {"a": at_desk(5, 10, rank=1), "b": at_desk(29, 10), "c": at_desk(30, 10)},
            staff={"ann": [(0, 10), (30, 90)], "bob": [(20, 90)]},
            teams={"desk": Team({"desk": 0}, "suspend_keep")},
        ),
        """
        a  5  5   5 35  ann
        b 29 29  29 39  bob
        c 30 30  35 45  ann
        ann: a 5-10
        ann: a 30-35
        left a 35, b 39, c 45
        """,
    )


def test_what_is_kept_by_somebody_who_does_not_come_back_stays_with_them(engine: Engine) -> None:
    expect(
        engine,
        tiny(
            {"a": at_desk(5, 10)},
            staff={"ann": [(0, 10)], "bob": [(0, 10), (20, 90)]},
            teams={"desk": Team({"desk": 0}, "suspend_keep")},
            until=100,
        ),
        """
        a 5 5 5 - ann
        ann: a 5-10
        left a -
        """,
    )


def test_no_late_start_takes_the_first_item_that_fits(engine: Engine) -> None:
    """At 90 a would end at 130, after the shift; b, 5 later, fits; at 115 c does not. The next shift begins at 200."""
    expect(
        engine,
        tiny(
            {"a": at_desk(90, 40), "b": at_desk(95, 20), "c": at_desk(110, 15)},
            staff={"ann": [(0, 120), (200, 300)]},
            teams={"desk": Team({"desk": 0}, "no_late_start")},
        ),
        """
        a  90  90  200 240  ann
        b  95  95   95 115  ann
        c 110 110  240 255  ann
        left a 240, b 115, c 255
        """,
    )


def test_no_late_start_looks_along_the_whole_queue_in_order(engine: Engine) -> None:
    """At 90, when 30 minutes are left: e (rank 0) and b, c (rank 1) do not fit, of a and d (rank 2) a came first."""
    cases = {
        "x": at_desk(0, 90),
        "a": at_desk(1, 20, rank=2),
        "b": at_desk(2, 31, rank=1),
        "c": at_desk(3, 60, rank=1),
        "d": at_desk(4, 5, rank=2),
        "e": at_desk(5, 40, rank=0),
    }
    expect(
        engine,
        tiny(cases, staff={"ann": [(0, 120)]}, teams={"desk": Team({"desk": 0}, "no_late_start")}),
        """
        x 0 0    0  90  ann
        a 1 1   90 110  ann
        b 2 2    -   -
        c 3 3    -   -
        d 4 4  110 115  ann
        e 5 5    -   -
        left x 90, a 110, b -, c -, d 115, e -
        """,
    )


def test_what_ends_with_the_shift_fits_at_the_workers_own_pace(engine: Engine) -> None:
    """10 minutes are left: 20 fit at 200 %, 11 do not at 100 %."""
    expect(
        engine,
        tiny(
            {"a": at_desk(90, 20), "b": at_desk(90, 11)},
            staff={"ann": Person("desk", [(0, 100)]), "bob": Person("desk", [(0, 100)], pace=200)},
            teams={"desk": Team({"desk": 0}, "no_late_start")},
        ),
        """
        a 90 90 90 100 bob
        b 90 90  -   -
        left a 100, b -
        """,
    )


def test_what_does_not_fit_one_pool_is_taken_by_another(engine: Engine) -> None:
    world = World(
        teams={"day": Team({"desk": 0}, "no_late_start"), "night": Team({"desk": 1})},
        people={"dora": Person("day", [(0, 100)]), "nick": Person("night", [(0, 100)])},
        cases={"a": at_desk(90, 20), "b": at_desk(91, 5)},
        until=200,
    )
    expect(
        engine,
        world,
        """
        a 90 90  90 110  nick
        b 91 91  91  96  dora
        left a 110, b 96
        """,
    )


def test_a_night_shift_crosses_midnight_and_the_week() -> None:
    """Sunday 22:00 to Monday 6:00 covers the first six hours of a clock that starts on a Monday, and its last two."""
    scenario = mapping(
        clock={"start": "2026-03-02", "horizon": "7 d"},
        shifts={"night": {"days": "sun", "hours": "22:00-06:00"}},
        staffing={"desk": {"night": 1}},
        pools={"desk": {"department": "office", "end_of_shift": "suspend"}},
        demand={
            "calls": {
                "case_class": "ordinary",
                "arrivals": {"kind": "appointments", "days": "mon", "times": ["00:00", "05:30"]},
            }
        },
        processes={
            "p": {"start": "t", "steps": {"t": {"kind": "task", "skill": "desk", "time": "1 h", "next": "end"}}}
        },
    )
    run = simulate(Scenario.model_validate(scenario))
    sunday = 6 * 24 * HOUR + 22 * HOUR
    assert run.log.started_at.tolist() == [0, 5 * HOUR + 30 * MINUTE]
    assert run.log.completed_at.tolist() == [HOUR, sunday + 30 * MINUTE]
    assert run.log.stretch_to.tolist() == [6 * HOUR, sunday + 30 * MINUTE]


# ------------------------------------------------------------------ 5. presence: breaks


def on_break(*breaks: tuple[int, int, str], duty: tuple[tuple[int, int], ...] = ((0, 90),)) -> dict[str, Person]:
    """ann with these breaks."""
    return {"ann": Person("desk", duty, breaks)}


@pytest.mark.parametrize("rule", ["pause", "postpone"])
def test_an_idle_worker_goes_on_time(engine: Engine, rule: str) -> None:
    expect(
        engine,
        tiny({"a": at_desk(12, 5)}, staff=on_break((10, 5, rule))),
        """
        a 12 12 15 20 ann
        left a 20
        """,
    )


@pytest.mark.parametrize("rule", ["pause", "postpone"])
def test_a_break_at_the_start_of_a_shift_is_taken_at_once(engine: Engine, rule: str) -> None:
    expect(
        engine,
        tiny({"a": at_desk(5, 5)}, staff=on_break((10, 5, rule), duty=((10, 90),))),
        """
        a 5 5 15 20 ann
        left a 20
        """,
    )


def test_a_postponed_break_begins_after_the_item_in_hand_and_has_its_full_length(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 20), "b": at_desk(15, 10)}, staff=on_break((10, 15, "postpone"))),
        """
        a  0  0   0 20  ann
        b 15 15  35 45  ann
        left a 20, b 45
        """,
    )


def test_a_pause_begins_on_time_and_the_work_waits_for_the_same_worker(engine: Engine) -> None:
    """bob is idle, and b is more urgent: a waits for ann, and she takes it up first."""
    staff = {**on_break((10, 15, "pause")), "bob": Person("desk", [(12, 14)])}
    expect(
        engine,
        tiny({"a": at_desk(0, 20, rank=1), "b": at_desk(15, 10)}, staff=staff),
        """
        a  0  0   0 35  ann
        b 15 15  35 45  ann
        ann: a 0-10
        ann: a 25-35
        left a 35, b 45
        """,
    )


@pytest.mark.parametrize("rule", ["pause", "postpone"])
def test_a_break_that_falls_due_during_another_is_added_to_it(engine: Engine, rule: str) -> None:
    """The first begins at 12, after a; the second, due at 14, follows it: 12 to 24."""
    expect(
        engine,
        tiny({"a": at_desk(0, 12), "b": at_desk(13, 5)}, staff=on_break((10, 5, "postpone"), (14, 7, rule))),
        """
        a  0  0   0 12  ann
        b 13 13  24 29  ann
        left a 12, b 29
        """,
    )


def test_two_breaks_that_fall_due_during_one_item_are_taken_together(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 30), "b": at_desk(1, 5)}, staff=on_break((10, 5, "postpone"), (20, 7, "postpone"))),
        """
        a 0 0   0 30  ann
        b 1 1  42 47  ann
        left a 30, b 47
        """,
    )


def test_a_postponed_break_that_is_still_due_when_a_pause_begins_is_added_to_it(engine: Engine) -> None:
    """The pause lasts from 20 to 25, the break due since 10 from 25 to 30; then ann goes on with a."""
    expect(
        engine,
        tiny({"a": at_desk(0, 30)}, staff=on_break((10, 5, "postpone"), (20, 5, "pause"))),
        """
        a 0 0 0 40 ann
        ann: a 0-20
        ann: a 30-40
        left a 40
        """,
    )


def test_a_postponed_break_lapses_when_the_shift_ends_first(engine: Engine) -> None:
    expect(
        engine,
        tiny(
            {"a": at_desk(0, 30), "b": at_desk(1, 5)},
            staff=on_break((10, 5, "postpone"), duty=((0, 20), (25, 90))),
        ),
        """
        a 0 0   0 30  ann
        b 1 1  30 35  ann
        left a 30, b 35
        """,
    )


def test_a_break_that_outlasts_the_shift_goes_on_in_the_next(engine: Engine) -> None:
    """Due at 10, begun after a at 18, for 10 minutes; the shift ends at 20, the next begins at 24."""
    expect(
        engine,
        tiny(
            {"a": at_desk(0, 18), "b": at_desk(19, 5)},
            staff=on_break((10, 10, "postpone"), duty=((0, 20), (24, 90))),
        ),
        """
        a  0  0   0 18  ann
        b 19 19  28 33  ann
        left a 18, b 33
        """,
    )


def test_a_shift_that_ends_during_a_break_ends_what_was_to_follow_the_break(engine: Engine) -> None:
    """The break due at 3 begins at 8, that due at 10 is added to it and lapses at the end of the shift."""
    breaks = [(3, 6, "postpone"), (10, 2, "postpone")]
    expect(
        engine,
        tiny({"a": at_desk(0, 8), "b": at_desk(20, 5)}, staff={"ann": Person("desk", [(0, 12), (20, 60)], breaks)}),
        """
        a  0  0   0  8  ann
        b 20 20  20 25  ann
        left a 8, b 25
        """,
    )


@pytest.mark.parametrize("rule", ["finish", "suspend", "no_late_start"])
def test_a_paused_item_goes_back_to_its_queue_when_the_shift_ends_during_the_break(engine: Engine, rule: str) -> None:
    world = tiny(
        {"a": at_desk(0, 15)},
        staff={**on_break((10, 5, "pause"), duty=((0, 15), (50, 90))), "bob": Person("desk", [(12, 90)])},
        teams={"desk": Team({"desk": 0}, rule)},
    )
    expect(
        engine,
        world,
        """
        a 0 0 0 20 bob
        ann: a 0-10
        bob: a 15-20
        left a 20
        """,
    )


def test_a_paused_item_stays_over_the_end_of_the_shift_under_suspend_keep(engine: Engine) -> None:
    world = tiny(
        {"a": at_desk(0, 15)},
        staff={**on_break((10, 5, "pause"), duty=((0, 15), (50, 90))), "bob": Person("desk", [(12, 90)])},
        teams={"desk": Team({"desk": 0}, "suspend_keep")},
    )
    expect(
        engine,
        world,
        """
        a 0 0 0 55 ann
        ann: a 0-10
        ann: a 50-55
        left a 55
        """,
    )


def test_what_a_pause_makes_late_is_finished_under_no_late_start(engine: Engine) -> None:
    """It fitted when it was begun: 0 to 15 in a shift until 18; after the pause it lasts until 20."""
    expect(
        engine,
        tiny(
            {"a": at_desk(0, 15)},
            staff=on_break((10, 5, "pause"), duty=((0, 18),)),
            teams={"desk": Team({"desk": 0}, "no_late_start")},
        ),
        """
        a 0 0 0 20 ann
        ann: a 0-10
        ann: a 15-20
        left a 20
        """,
    )


def test_progress_is_kept_at_the_pace_of_each_worker(engine: Engine) -> None:
    """100 minutes of work: ann does 20 in 10 at 200 %, bob needs 160 for the other 80 at 50 %."""
    world = tiny(
        {"a": at_desk(0, 100)},
        staff={"ann": Person("desk", [(0, 10)], pace=200), "bob": Person("desk", [(30, 900)], pace=50)},
        teams={"desk": Team({"desk": 0}, "suspend")},
    )
    expect(
        engine,
        world,
        """
        a 0 0 0 190 bob
        ann: a 0-10
        bob: a 30-190
        left a 190
        """,
    )


def test_progress_is_rounded_half_up(engine: Engine) -> None:
    """In ticks: 5 at 50 % takes 10; after 3 of them 1.5, so 2, are done and 3 are left, which take 6."""
    world = tiny(
        {"a": at_desk(0, 5)},
        staff={"ann": Person("desk", [(0, 3), (10, 50)], pace=50)},
        teams={"desk": Team({"desk": 0}, "suspend")},
        unit=1,
    )
    expect(
        engine,
        world,
        """
        a 0 0 0 16 ann
        ann: a 0-3
        ann: a 10-16
        left a 16
        """,
    )


# ------------------------------------------------------------------ 6. moving on


def test_a_chain_of_visits_is_enabled_step_by_step(engine: Engine) -> None:
    """Fault report at 10:15, pushed to the repair team at 11:40, repaired within the hour."""
    world = World(
        teams={"desk": Team({"desk": 0}), "repair": Team({"repair": 0})},
        people={"ann": Person("desk", ALWAYS), "rob": Person("repair", ALWAYS)},
        cases={"a": Case(615, [Do("desk", 5), Do("repair", 60, hold=80)])},
        until=1000,
    )
    expect(
        engine,
        world,
        """
        a.desk   615 615  615 620  ann
        a.repair 620 700  700 760  rob
        left a 760
        """,
    )


def test_the_offered_tick_counts_in_the_queue_not_the_enabled_one(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 20), "b": at_desk(1, 5, hold=10), "c": at_desk(5, 5)}),
        """
        a 0  0   0 20  ann
        b 1 11  25 30  ann
        c 5  5  20 25  ann
        left a 20, b 30, c 25
        """,
    )


def test_delays_and_hand_overs_need_nobody(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": Case(0, [Do(None, 0), Do(None, 30), Do("desk", 5), Do(None, 10)])}, staff={"ann": [(0, 40)]}),
        """
        a.wait   0  0   0  0
        a.wait2  0  0   0 30
        a.desk  30 30  30 35  ann
        a.wait3 35 35  35 45
        left a 45
        """,
    )


def test_rework_stands_at_the_end_of_the_line(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 10, 10, 10), "b": at_desk(1, 10), "c": at_desk(12, 10)}),
        """
        a.desk   0  0   0 10  ann
        a.desk2 10 10  20 30  ann
        a.desk3 30 30  40 50  ann
        b        1  1  10 20  ann
        c       12 12  30 40  ann
        left a 50, b 20, c 40
        """,
    )


def test_a_join_is_enabled_with_the_last_of_its_branches(engine: Engine) -> None:
    world = World(
        teams={"risk": Team({"risk": 0}), "legal": Team({"legal": 0})},
        people={"rita": Person("risk", ALWAYS), "leo": Person("legal", ALWAYS)},
        cases={"a": Case(0, [Do("risk", 1), ([Do("risk", 10)], [Do("legal", 20), Do("legal", 5)]), Do("risk", 2)])},
        until=100,
    )
    expect(
        engine,
        world,
        """
        a.risk    0  0   0  1  rita
        a.risk2   1  1   1 11  rita
        a.legal   1  1   1 21  leo
        a.legal2 21 21  21 26  leo
        a.join   26 26  26 26
        a.risk3  26 26  26 28  rita
        left a 28
        """,
    )


def test_a_join_is_not_enabled_while_a_branch_is_open(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": Case(0, [([Do(None, 5)], [Do(None, 50)], [])])}, until=20),
        """
        a.fork  0 0  0 0
        a.wait  0 0  0 5
        a.wait2 0 0  0 -
        a.join  - -  - -
        left a -
        """,
    )


def test_branches_within_branches(engine: Engine) -> None:
    """Three at the desk share four visits; the inner join opens at 10, the outer one at 30."""
    inner = ([Do("desk", 10)], [Do("desk", 5)])
    expect(
        engine,
        tiny({"a": Case(0, [([inner, Do("desk", 20)], [Do("desk", 8)])])}, staff={**TWO, "cy": ALWAYS}),
        """
        a.fork  0  0   0  0
        a.desk  0  0   0 10  ann
        a.desk2 0  0   0  5  bob
        a.join 10 10  10 10
        a.desk3 10 10 10 30  bob
        a.desk4 0  0   0  8  cy
        a.join2 30 30 30 30
        left a 30
        """,
    )


def test_branches_wait_for_the_same_worker(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": Case(0, [([Do("desk", 10)], [Do("desk", 5)], [Do(None, 12)])])}),
        """
        a.fork   0  0   0  0
        a.desk   0  0   0 10  ann
        a.desk2  0  0  10 15  ann
        a.wait   0  0   0 12
        a.join  15 15  15 15
        left a 15
        """,
    )


def test_a_branch_without_work_does_not_open_the_join(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": Case(0, [([Do("desk", 5)], [])])}),
        """
        a.fork  0 0  0  0
        a.desk  0 0  0  5  ann
        a.join  5 5  5  5
        left a 5
        """,
    )


def test_two_branches_without_work_open_the_join_at_once(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": Case(3, [([], []), Do("desk", 5)])}),
        """
        a.fork 3 3  3 3
        a.join 3 3  3 3
        a.desk 3 3  3 8  ann
        left a 8
        """,
    )


def test_a_decision_that_leads_straight_to_the_join_leaves_the_other_branch_to_be_waited_for() -> None:
    steps = {
        "both": {"kind": "parallel", "branches": ["x", "y"], "join": "joined"},
        "x": {"kind": "decision", "next": {"t": 0.5, "joined": 0.5}},
        "t": {"kind": "task", "skill": "desk", "time": "5 min", "next": "joined"},
        "y": {"kind": "delay", "time": "30 min", "next": "joined"},
        "joined": {"kind": "join", "next": "end"},
    }
    scenario = mapping(processes={"p": {"start": "both", "steps": steps}}, staffing={"desk": {"always": 9}})
    run = simulate(Scenario.model_validate(scenario))
    left = run.log.left_at >= 0
    n_items = run.workload.first_item[1:] - run.workload.first_item[:-1]
    assert set(n_items.tolist()) == {3, 4}
    assert set((run.log.left_at - run.workload.arrived_at)[left].tolist()) == {30 * MINUTE}


def test_a_case_leaves_as_its_last_item_says(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": Case(0, [Do("desk", 5)], rejected=True)}),
        """
        a 0 0 0 5 ann
        left a 5 rejected
        """,
    )


# ------------------------------------------------------------------ 7. time-outs: patience


def test_who_is_not_answered_in_time_leaves_the_queue(engine: Engine) -> None:
    """Everybody waits for 10 minutes: b and c give up at 12 and 14, d is answered at 15."""
    cases = {"a": (0, 15), "b": (2, 10), "c": (4, 10), "d": (7, 5)}
    expect(
        engine,
        tiny({name: at_desk(at, work, patience=10, answers=True) for name, (at, work) in cases.items()}),
        """
        a 0 0   0 15  ann
        b 2 2   -  -
        c 4 4   -  -
        d 7 7  15 20  ann
        left a 15, b 12 abandoned, c 14 abandoned, d 20
        """,
    )


def test_patience_runs_from_arrival_while_the_item_is_held(engine: Engine) -> None:
    expect(
        engine,
        tiny({name: at_desk(at, 5, patience=10, answers=True, hold=10 + at) for name, at in (("a", 0), ("b", 1))}),
        """
        a 0 10  10 15  ann
        b 1  -   -  -
        left a 15, b 11 abandoned
        """,
    )


def test_no_patience_at_all_needs_somebody_idle_on_arrival(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": at_desk(0, 5, patience=0, answers=True), "b": at_desk(1, 5, patience=0, answers=True)}),
        """
        a 0 0 0 5 ann
        b 1 1 - -
        left a 5, b 1 abandoned
        """,
    )


def test_a_delay_ends_with_the_patience_of_its_case(engine: Engine) -> None:
    """a has not been answered when its delay runs at 10; nothing follows, and the delay is never completed."""
    expect(
        engine,
        tiny({"a": Case(0, [Do(None, 20), Do("desk", 5, answers=True)], patience=10)}),
        """
        a.wait 0 0 0 -
        a.desk - - - -
        left a 10 abandoned
        """,
    )


def test_who_has_been_answered_stays_however_long_the_rest_takes(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": Case(0, [Do("desk", 5, answers=True), Do(None, 60), Do("desk", 5)], patience=10)}),
        """
        a.desk   0  0   0  5  ann
        a.wait   5  5   5 65
        a.desk2 65 65  65 70  ann
        left a 70
        """,
    )


def test_an_answer_that_needs_nobody_is_an_answer(engine: Engine) -> None:
    expect(
        engine,
        tiny({"a": Case(0, [Do(None, 0, answers=True), Do("desk", 5)], patience=10), "b": at_desk(0, 20)}),
        """
        a.wait 0 0   0  0
        a.desk 0 0   0  5  ann
        b      0 0   5 25  ann
        left a 5, b 25
        """,
    )


def test_what_is_in_hand_when_patience_runs_out_is_completed_before_the_case_leaves(engine: Engine) -> None:
    """The first visit is no answer; after it, at 15, a leaves and nothing follows."""
    expect(
        engine,
        tiny({"a": Case(0, [Do("desk", 15), Do("desk", 5, answers=True)], patience=10), "b": at_desk(1, 5)}),
        """
        a.desk  0 0   0 15  ann
        a.desk2 - -   -  -
        b       1 1  15 20  ann
        left a 15 abandoned, b 20
        """,
    )


def test_an_item_laid_down_is_not_in_hand_and_goes_with_its_case(engine: Engine) -> None:
    """Kept by ann from 10 on; a gives up at 15, and at 20 she is free for b."""
    world = tiny(
        {"a": Case(5, [Do("desk", 15), Do("desk", 5, answers=True)], patience=10), "b": at_desk(16, 5)},
        staff={"ann": [(0, 10), (20, 90)]},
        teams={"desk": Team({"desk": 0}, "suspend_keep")},
    )
    expect(
        engine,
        world,
        """
        a.desk   5  5   5  -  ann
        a.desk2  -  -   -  -
        b       16 16  20 25  ann
        ann: a.desk 5-10
        left a 15 abandoned, b 25
        """,
    )


def test_who_gives_up_with_two_items_in_hand_leaves_with_the_last_of_them(engine: Engine) -> None:
    """x is completed at 4; y, in hand when patience ran out at 2, has been laid down at 3 and waits."""
    world = World(
        teams={"X": Team({"x": 0}), "Y": Team({"y": 0}, "suspend")},
        people={"xu": Person("X", [(0, 60)]), "yi": Person("Y", [(0, 3), (20, 60)])},
        cases={"a": Case(0, [([Do("x", 4)], [Do("y", 6)]), Do("x", 5, answers=True)], patience=2)},
        until=22,
    )
    beginning = """
        a.fork 0 0 0 0
        a.x    0 0 0 4 xu
        """
    expect(
        engine,
        world,
        beginning
        + """
        a.y    0 0 0 - yi
        a.join - - - -
        a.x2   - - - -
        yi: a.y 0-3
        yi: a.y 20-22
        left a -
        """,
    )
    expect(
        engine,
        world.but(until=60),
        beginning
        + """
        a.y    0 0 0 23 yi
        a.join - - - -
        a.x2   - - - -
        yi: a.y 0-3
        yi: a.y 20-23
        left a 23 abandoned
        """,
    )


def test_what_was_held_when_patience_ran_out_is_never_offered(engine: Engine) -> None:
    """The hold of y would have ended at 5, before the case leaves with the completion of x."""
    world = World(
        teams={"X": Team({"x": 0}), "Y": Team({"y": 0})},
        people={"xu": Person("X", [(0, 60)]), "yi": Person("Y", [(0, 60)])},
        cases={"a": Case(0, [([Do("x", 10)], [Do("y", 2, hold=5)])], patience=3)},
        until=60,
    )
    expect(
        engine,
        world,
        """
        a.fork 0 0 0  0
        a.x    0 0 0 10 xu
        a.y    0 - -  -
        a.join - - -  -
        left a 10 abandoned
        """,
    )


# ------------------------------------------------------------------ 7. time-outs: escalation


def supervised(cases: dict[str, Case], after: int, **changes: object) -> World:
    """ann at the desk; what waits `after` goes to the supervisor sid."""
    world = World(
        teams={"desk": Team({"desk": 0}), "sup": Team({"sup": 0})},
        people={"ann": Person("desk", ALWAYS), "sid": Person("sup", ALWAYS)},
        cases=cases,
        until=1000,
        escalate={"desk": (after, "sup")},
    )
    return world.but(**changes)


def test_what_has_waited_too_long_goes_to_the_supervisor(engine: Engine) -> None:
    """b after 30 minutes, at once to sid who is idle; c is taken up before."""
    expect(
        engine,
        supervised({"a": at_desk(0, 50), "b": at_desk(5, 10), "c": at_desk(25, 10)}, after=30),
        """
        a  0  0   0 50  ann
        b  5  5  35 45  sid
        c 25 25  50 60  ann
        escalated b 35
        left a 50, b 45, c 60
        """,
    )


def test_a_chain_of_escalations(engine: Engine) -> None:
    """From the desk after 10 to a supervisor who is busy, after 5 more to the manager."""
    world = World(
        teams={"desk": Team({"desk": 0}), "sup": Team({"sup": 0}), "boss": Team({"boss": 0})},
        people={"ann": Person("desk", ALWAYS), "sid": Person("sup", ALWAYS), "bo": Person("boss", ALWAYS)},
        cases={"a": at_desk(0, 50), "b": Case(0, [Do("sup", 50)]), "c": at_desk(1, 5)},
        until=100,
        escalate={"desk": (10, "sup"), "sup": (5, "boss")},
    )
    expect(
        engine,
        world,
        """
        a 0 0   0 50  ann
        b 0 0   0 50  sid
        c 1 1  16 21  bo
        escalated c 11
        escalated c 16
        left a 50, b 50, c 21
        """,
    )


def test_without_any_wait_an_item_goes_on_at_the_tick_at_which_it_comes(engine: Engine) -> None:
    """Through the supervisor's queue, where it may not wait either, to the manager, in the tick 1."""
    world = World(
        teams={"desk": Team({"desk": 0}), "sup": Team({"sup": 0}), "boss": Team({"boss": 0})},
        people={"ann": Person("desk", ALWAYS), "bo": Person("boss", ALWAYS)},
        cases={"a": at_desk(0, 50), "c": at_desk(1, 5)},
        until=100,
        escalate={"desk": (0, "sup"), "sup": (0, "boss")},
    )
    expect(
        engine,
        world,
        """
        a 0 0   0 50  ann
        c 1 1   1  6  bo
        escalated c 1
        escalated c 1
        left a 50, c 6
        """,
    )


def test_an_escalated_item_keeps_its_rank_and_its_offered_tick(engine: Engine) -> None:
    """At 31, b (offered at 1) comes before c (offered at 5 to the supervisor) and after d (rank -1)."""
    cases = {
        "a": at_desk(0, 90),
        "b": at_desk(1, 10),
        "e": Case(2, [Do("sup", 40)]),
        "c": Case(5, [Do("sup", 10)]),
        "d": Case(30, [Do("sup", 10, rank=-1)]),
    }
    expect(
        engine,
        supervised(cases, after=30),
        """
        a  0  0   0 90  ann
        b  1  1  52 62  sid
        e  2  2   2 42  sid
        c  5  5  62 72  sid
        d 30 30  42 52  sid
        escalated b 31
        left a 90, b 62, e 42, c 72, d 52
        """,
    )


def test_the_wait_counts_from_the_offer_and_not_once_the_item_has_been_started(engine: Engine) -> None:
    """b is held until 20 and escalated at 30; a, interrupted at 15, waits for ann until 100."""
    world = supervised({"a": at_desk(0, 20), "b": at_desk(5, 10, hold=15)}, after=10).but(
        teams={"desk": Team({"desk": 0}, "suspend"), "sup": Team({"sup": 0})},
        people={"ann": Person("desk", [(0, 15), (100, 200)]), "sid": Person("sup", ALWAYS)},
    )
    expect(
        engine,
        world,
        """
        a 0  0   0 105  ann
        b 5 20  30  40  sid
        ann: a 0-15
        ann: a 100-105
        escalated b 30
        left a 105, b 40
        """,
    )


def test_who_gives_up_after_an_escalation_leaves_the_other_queue(engine: Engine) -> None:
    cases = {"a": at_desk(0, 50), "s": Case(0, [Do("sup", 50)]), "b": at_desk(5, 10, patience=20, answers=True)}
    expect(
        engine,
        supervised(cases, after=10),
        """
        a 0 0 0 50 ann
        s 0 0 0 50 sid
        b 5 5 - -
        escalated b 15
        left a 50, s 50, b 25 abandoned
        """,
    )
