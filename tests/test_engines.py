"""The rules of docs/semantics.md, one small world each: the number in a test's section is the number of the rule.

Times are minutes. A world's whole log stands in its test; see worlds.py for how to read it.
"""

from __future__ import annotations

from servsim.engines import Engine
from worlds import Case, Do, Person, Team, World, at_desk, expect, tiny


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


def test_an_item_goes_to_the_pool_that_prefers_it_even_if_somebody_else_has_been_idle_for_longer(engine: Engine) -> None:
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

