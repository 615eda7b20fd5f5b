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

