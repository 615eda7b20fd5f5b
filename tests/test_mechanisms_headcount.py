"""Who leaves when a headcount falls: by hand with the whole log, as laws, and in a scenario."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import MORE
from pydantic import ValidationError
from worlds import Case, Do, Person, Team, World, at_desk, expect, mapping, random_world, tiny

from servsim.engines import Engine
from servsim.kpis import KPIS
from servsim.model import Scenario
from servsim.quantities import MINUTE
from servsim.records import Run
from servsim.simulate import simulate


def counted(
    cases: dict[str, Case], staff: dict[str, list[tuple[int, int]]], rule: str = "finish", **more: Any
) -> World:
    return tiny(cases, staff=staff, teams={"desk": Team({"desk": 0}, rule, idle_first=True, **more)})


def there(run: Run) -> list[tuple[str, float, float]]:
    """Duties as worked."""
    return [(run.plan.workers[w], a / MINUTE, b / MINUTE) for w, a, b in zip(*run.duties, strict=True)]


LONG_AND_SHORT = {"ann": [(0, 100)], "bob": [(0, 10)]}
TWO = {"a": at_desk(0, 4), "b": at_desk(0, 20), "c": at_desk(15, 5)}


def test_rule_5_the_idle_one_leaves_in_place_of_the_busy_one(engine: Engine) -> None:
    """Bob's duty ends at 10; Ann has been idle since 4 and leaves, Bob stays and takes c as well."""
    world = counted(TWO, LONG_AND_SHORT)
    expect(
        engine,
        world,
        """
        a 0 0 0 4 ann
        b 0 0 0 20 bob
        c 15 15 20 25 bob
        left a 4, b 20, c 25
        """,
    )
    assert there(world.run(engine)) == [("ann", 0, 10), ("bob", 0, 100)]


def test_rule_5_named_workers_leave_themselves(engine: Engine) -> None:
    world = tiny(TWO, staff=LONG_AND_SHORT)
    expect(
        engine,
        world,
        """
        a 0 0 0 4 ann
        b 0 0 0 20 bob
        c 15 15 15 20 ann
        left a 4, b 20, c 20
        """,
    )
    assert there(world.run(engine)) == [("ann", 0, 100), ("bob", 0, 10)]


def test_rule_5_the_first_completion_after_the_reduction_lets_go(engine: Engine) -> None:
    """Both are busy at 10: Ann completes first, at 14, and leaves; Bob is in overtime until then and takes c at 20."""
    cases = {"a": at_desk(0, 14), "b": at_desk(0, 20), "c": at_desk(12, 5)}
    world = counted(cases, LONG_AND_SHORT)
    expect(
        engine,
        world,
        """
        a 0 0 0 14 ann
        b 0 0 0 20 bob
        c 12 12 20 25 bob
        left a 14, b 20, c 25
        """,
    )
    run = world.run(engine)
    assert there(run) == [("ann", 0, 14), ("bob", 0, 10), ("bob", 14, 100)]
    assert dict(KPIS["overtime_hours"].function(run))["all"] == pytest.approx(4 / 60)
    assert dict(KPIS["rostered_hours"].function(run))["all"] == pytest.approx(110 / 60)


def test_rule_5_who_took_up_last_is_interrupted(engine: Engine) -> None:
    """At 10 Ann, who took up b at 6, lays it down and leaves; Bob, whose duty ends, goes on for her."""
    cases = {"a": at_desk(0, 6), "x": at_desk(0, 14), "b": at_desk(5, 10)}
    world = counted(cases, LONG_AND_SHORT, "suspend")
    expect(
        engine,
        world,
        """
        a 0 0 0 6 ann
        x 0 0 0 14 bob
        b 5 5 6 20 bob
        ann: b 6-10
        bob: b 14-20
        left a 6, x 14, b 20
        """,
    )
    assert there(world.run(engine)) == [("ann", 0, 10), ("bob", 0, 100)]


def test_rule_5_idle_ones_leave_before_anybody_is_interrupted(engine: Engine) -> None:
    """Of three places two end at 10: Cid is idle, so that only one of the busy ones lays down the item, the last."""
    cases = {"a": at_desk(0, 3), "b": at_desk(0, 30), "c": at_desk(1, 30)}
    staff = {"ann": [(0, 100)], "bob": [(0, 10)], "cid": [(0, 10)]}
    world = counted(cases, staff, "suspend")
    expect(
        engine,
        world,
        """
        a 0 0 0 3 ann
        b 0 0 0 30 bob
        c 1 1 1 51 bob
        cid: c 1-10
        bob: c 30-51
        left a 3, b 30, c 51
        """,
    )


def test_rule_5_a_duty_that_begins_as_another_one_ends_is_taken_by_who_is_there(engine: Engine) -> None:
    """The number does not change at 10: nobody is interrupted, and Bob need not come."""
    world = counted({"a": at_desk(0, 15)}, {"ann": [(0, 10)], "bob": [(10, 30)]}, "suspend")
    expect(engine, world, "a 0 0 0 15 ann\nleft a 15")
    assert there(world.run(engine)) == [("ann", 0, 30)]


def test_rule_5_who_comes_while_one_finishes_goes_again(engine: Engine) -> None:
    """The number rises at 12: Ann, still at the item, is one of them again."""
    world = counted({"a": at_desk(0, 15), "b": at_desk(13, 2)}, {"ann": [(0, 10)], "bob": [(12, 30)]})
    expect(engine, world, "a 0 0 0 15 ann\nb 13 13 15 17 ann\nleft a 15, b 17")
    assert there(world.run(engine)) == [("ann", 0, 10), ("ann", 12, 30)]


def test_rule_5_breaks_belong_to_the_places(engine: Engine) -> None:
    """Bob takes over Ann's break at 12: he lays down the item."""
    people = {"ann": Person("desk", [(0, 100)], [(12, 5, "pause")]), "bob": Person("desk", [(0, 10)])}
    world = counted(TWO, LONG_AND_SHORT).but(people=people)
    expect(
        engine,
        world,
        """
        a 0 0 0 4 ann
        b 0 0 0 25 bob
        c 15 15 25 30 bob
        bob: b 0-12
        bob: b 17-25
        left a 4, b 25, c 30
        """,
    )


def test_rule_5_overtime_is_limited_until_somebody_is_let_go(engine: Engine) -> None:
    """Limit 5: nobody completes before 15, so that Bob lays b down then."""
    cases = {"a": at_desk(0, 16), "b": at_desk(0, 20)}
    world = counted(cases, LONG_AND_SHORT, overtime_limit=5)
    expect(
        engine,
        world,
        """
        a 0 0 0 16 ann
        b 0 0 0 21 ann
        bob: b 0-15
        ann: b 16-21
        left a 16, b 21
        """,
    )


# ------------------------------------------------------------------ laws


def on_duty(duties: Sequence[Any], pool: int, run: Run) -> np.ndarray:
    """[ticks] how many of the pool are on duty."""
    worker, begin, end = duties
    own = run.plan.worker_pool[worker] == pool
    at = np.arange(run.window.until)[:, None]
    return ((begin[own] <= at) & (at < end[own])).sum(axis=1)


def test_as_many_are_on_duty_as_rostered(engine: Engine) -> None:
    """Whoever they are, at every tick, whatever else happens."""
    changed = 0
    for seed in range(round(150 * MORE)):
        world = random_world(random.Random(f"headcount/{seed}").randint)
        teams = {name: replace(team, idle_first=True, called=None) for name, team in world.teams.items()}
        people = {name: person for name, person in world.people.items() if not person.reserve}
        run = world.but(teams=teams, people=people).run(engine)
        plan = run.plan
        rostered = plan.duty_worker, plan.duty_from, plan.duty_to
        changed += len(run.duties[0]) != len(rostered[0]) or any(
            not np.array_equal(a, b) for a, b in zip(run.duties, rostered, strict=True)
        )
        for pool in range(len(plan.pools)):
            assert np.array_equal(on_duty(run.duties, pool, run), on_duty(rostered, pool, run)), f"seed {seed}"
    assert changed > 20 * MORE


def test_it_does_not_matter_where_nobody_is_busy_at_the_end(engine: Engine) -> None:
    cases = {"a": at_desk(0, 4), "b": at_desk(1, 4)}
    named, headcount = tiny(cases, staff=LONG_AND_SHORT).run(engine), counted(cases, LONG_AND_SHORT).run(engine)
    assert np.array_equal(named.log.completed_at, headcount.log.completed_at)
    assert there(named) == there(headcount)


# ------------------------------------------------------------------ in a scenario


def office(**pool: Any) -> dict[str, Any]:
    return mapping(
        pools={"desk": {"department": "office", "wage": 10, **pool}},
        shifts={
            "base": {"days": "all", "hours": "08:00-18:00"},
            "peak": {"days": "all", "hours": ["09:00-11:00", "14:00-16:00"]},
        },
        staffing={"desk": {"base": 2, "peak": 2}},
        demand={"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "20/h"}}},
    )


@pytest.mark.parametrize("rule", ["finish", "suspend", "suspend_keep", "no_late_start", "restart"])
def test_rostered_hours_are_those_of_the_headcount(rule: str) -> None:
    """Overtime becomes less where somebody is idle; under no_late_start nobody is busy at the end."""
    named, headcount = (
        simulate(Scenario.model_validate(office(end_of_shift=rule, leaves=who))) for who in ("named", "idle_first")
    )
    hours, more = ([dict(KPIS[f"{kind}_hours"].function(run))["all"] for kind in ("rostered", "overtime")]
                   for run in (named, headcount))  # fmt: skip
    assert hours[0] == pytest.approx(more[0])
    assert hours[1] > more[1] if rule == "finish" else hours[1] == more[1] == 0
    assert (there(named) != there(headcount)) == (rule != "no_late_start")


@pytest.mark.parametrize(
    ("config", "path", "told"),
    [
        (office(leaves="last"), "pools.desk.leaves", "named"),
        (office(leaves="idle_first", at_once=2), "pools.desk", "at_once"),
        (
            office(leaves="idle_first") | {"workers": {"ann": {"pool": "desk", "shifts": ["base"], "pace": 120}}},
            "workers.ann.pace",
            "stand for one another",
        ),
    ],
)
def test_refused(config: dict[str, Any], path: str, told: str) -> None:
    with pytest.raises(ValidationError) as error:
        Scenario.model_validate(config)
    (first, *_) = error.value.errors()
    assert ".".join(map(str, first["loc"])).startswith(path)
    assert told in first["msg"] or told in str(first)


def test_items_that_need_nobody_are_not_touched(engine: Engine) -> None:
    world = counted({"a": Case(0, [Do(None, 20), Do("desk", 3)])}, LONG_AND_SHORT)
    expect(engine, world, "a.wait 0 0 0 20\na.desk 20 20 20 23 ann\nleft a 23")
