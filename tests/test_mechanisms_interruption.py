"""Interruption and order: who is interrupted, what becomes of the progress, and who is next when that depends on time.

Times are minutes, logs are worked out by hand; the sections bear the numbers of the rules of docs/semantics.md.
"""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from worlds import Team, at_desk, expect, mapping, tiny

from servsim import prepare
from servsim.engines import Engine
from servsim.model import Scenario
from servsim.quantities import HOUR

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
