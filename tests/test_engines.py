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

