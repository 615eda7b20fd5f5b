"""Absence, shrinkage, new staff, hand-over: what a roster promises and what comes of it, by hand and in numbers."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import MORE
from pydantic import ValidationError
from test_laws import compared
from worlds import Person, at_desk, expect, mapping, random_world, tiny

from servsim import prepare
from servsim.engines import Engine
from servsim.lint import lint
from servsim.model import Scenario
from servsim.quantities import DAY, HOUR, MINUTE
from servsim.records import Plan
from servsim.simulate import simulate

DAY_SHIFT = {"day": {"days": "all", "hours": "09:00-17:00"}}


def desk(days: int = 10, staff: int = 5, pool: dict[str, Any] | None = None, **changes: Any) -> Scenario:
    """So many at a desk from nine to five every day."""
    given = {
        "clock": {"start": "2026-03-02", "horizon": f"{days} d"},
        "pools": {"desk": {"department": "office", **(pool or {})}},
        "shifts": DAY_SHIFT,
        "staffing": {"desk": {"day": staff}},
    }
    return Scenario.model_validate(mapping(**{**given, **changes}))


def days_of(plan: Plan, worker: str) -> list[int]:
    """The days on which somebody is on duty."""
    return (plan.duty_from[plan.duty_worker == plan.workers.index(worker)] // DAY).tolist()


def refused(where: str, what: str, **changes: Any) -> None:
    with pytest.raises(ValidationError) as error:
        desk(**changes)
    assert [".".join(map(str, e["loc"])) for e in error.value.errors()] == [where]
    assert what in error.value.errors()[0]["msg"]


# ------------------------------------------------------------------ absence


def test_rule_5_who_is_absent_on_a_date_does_not_work_the_shifts_that_begin_on_it() -> None:
    anna = {"pool": "desk", "shifts": ["night"], "absent": ["2026-03-03", {"from": "2026-03-05", "to": "2026-03-06"}]}
    night = {"night": {"days": "all", "hours": "22:00-06:00", "breaks": [{"at": "02:00", "lasts": "30 min"}]}}
    plan = prepare.plan(desk(7, 0, shifts={**DAY_SHIFT, **night}, workers={"anna": anna}))
    assert plan.duty_from.tolist() == [0, 22 * HOUR, 2 * DAY + 22 * HOUR, 5 * DAY + 22 * HOUR, 6 * DAY + 22 * HOUR]
    assert (plan.break_at // DAY).tolist() == [0, 1, 3, 6]


def test_rule_5_absence_takes_its_share_of_the_days() -> None:
    scenario = desk(100, 40, {"absence": 0.1})
    worked = [len(prepare.plan(scenario, seed).duty_worker) for seed in range(5)]
    assert sum(worked) / (5 * 4000) == pytest.approx(0.9, abs=4 * (0.09 / 20000) ** 0.5)
    assert len(set(worked)) > 1


def test_rule_8_absence_is_drawn_by_worker_and_date() -> None:
    """One more worker, a later start, another mechanism: who was absent on a date is absent on it."""
    few = prepare.plan(desk(30, 5, {"absence": 0.3}), 1)
    many = prepare.plan(desk(30, 9, {"absence": 0.3, "shrinkage": 0.1}), 1)
    clock = {"start": "2026-03-05", "horizon": "27 d"}
    later = prepare.plan(desk(30, 5, {"absence": 0.3}, clock=clock), 1)
    for worker in few.workers:
        assert days_of(few, worker) == days_of(many, worker)
        assert [day - 3 for day in days_of(few, worker) if day >= 3] == days_of(later, worker)
    assert days_of(few, "desk.day.1") != days_of(few, "desk.day.2")
    assert days_of(prepare.plan(desk(30, 5, {"absence": 0.3}), 1, 1), "desk.day.1") != days_of(few, "desk.day.1")


def test_rule_8_absence_leaves_all_other_draws() -> None:
    plain, thinned = (simulate(desk(3, 5, pool)).workload for pool in ({}, {"absence": 0.4, "shrinkage": 0.2}))
    assert np.array_equal(plain.arrived_at, thinned.arrived_at)
    assert np.array_equal(plain.work, thinned.work)


# ------------------------------------------------------------------ shrinkage


def test_rule_5_shrinkage_takes_exactly_its_share_of_each_duty() -> None:
    plan = prepare.plan(desk(4, 3, {"shrinkage": 0.125}), 1)
    for worker in range(3):
        own = plan.break_worker == worker
        at, lasts = plan.break_at[own], plan.break_lasts[own]
        assert lasts.reshape(4, -1).sum(axis=1).tolist() == [HOUR] * 4  # an eighth of eight hours
        assert lasts[:6].tolist() == [10 * MINUTE] * 6  # one in each 80 min
        pieces = (at[:6] - 9 * HOUR) // (80 * MINUTE)
        assert pieces.tolist() == list(range(6))
    assert plan.break_postponed.all()
    assert plan.break_paid.all()


def test_rule_5_the_rest_of_a_duty_has_a_shorter_interruption() -> None:
    plan = prepare.plan(desk(1, 1, {"shrinkage": {"share": 0.2, "each": "60 min"}}), 1)
    assert (plan.break_lasts // MINUTE).tolist() == [60, 36]  # of 5 h, and of the 3 h that are left


def test_shrinkage_is_paid_and_absence_is_not() -> None:
    def money(**pool: Any) -> float:
        table = simulate(desk(20, 10, {"wage": 60, "overtime": 0, **pool})).kpis().set_index(["kpi", "group"]).value
        return float(table["cost_wages", "all"]), float(table["rostered_hours", "all"])

    assert money() == (20 * 10 * 8 * 60, 20 * 10 * 8)
    paid, rostered = money(shrinkage=0.25)
    assert (paid, rostered) == (pytest.approx(20 * 10 * 8 * 60), pytest.approx(0.75 * 20 * 10 * 8))
    paid, rostered = money(absence=0.25)
    assert paid == 60 * rostered < 0.85 * 20 * 10 * 8 * 60


def test_the_load_lint_counts_with_absence_and_shrinkage() -> None:
    rate = {"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "16/h"}}}  # 1.33 people
    assert not [f for f in lint(desk(7, 5, demand=rate)) if f.severity == "error"]  # 40 h for 32 h of work a day
    found = lint(desk(7, 5, {"absence": 0.1, "shrinkage": 0.2}, demand=rate))  # 28.8 h
    assert [f.severity for f in found][:1] == ["error"]
    assert "28" in found[0].message or "111%" in found[0].message


# ------------------------------------------------------------------ bad input


def test_bad_input_about_absence_and_shrinkage() -> None:
    refused("pools.desk.absence", "share between 0 and 1", pool={"absence": 5})
    refused("pools.desk.shrinkage.share", "between 0 and 1", pool={"shrinkage": 1})
    refused("pools.desk.shrinkage.share", "share between 0 and 1", pool={"shrinkage": "a tenth"})
    anna = {"pool": "desk", "shifts": ["day"]}
    away = {"from": "2026-03-05", "to": "2026-03-04"}
    refused("workers.anna.absent.0.to", "before `from`", workers={"anna": {**anna, "absent": [away]}})
    refused("workers.anna.absent.0.from", "not a date", workers={"anna": {**anna, "absent": "tomorrow"}})
    assert desk(pool={"shrinkage": 0}).pools["desk"].shrinkage is None


# ------------------------------------------------------------------ new staff, hand-over


def test_rule_4_the_pace_is_that_of_the_beginning_of_the_duty(engine: Engine) -> None:
    """At half the pace until 20. The second shift begins then; who is still at an item of the first keeps the pace."""
    ann = Person("desk", [(0, 18), (20, 99)], ramp=[(0, 50), (20, 100)])
    cases = {"a": at_desk(0, 5), "b": at_desk(12, 5), "c": at_desk(50, 5)}
    expect(
        engine,
        tiny(cases, staff={"ann": ann}),
        "a 0 0 0 10 ann\n b 12 12 12 22 ann\n c 50 50 50 60 ann\n left a 10, b 22, c 60",
    )
    later = Person("desk", [(0, 18), (30, 99)], ramp=[(0, 50), (20, 100)])
    expect(
        engine,
        tiny(cases, staff={"ann": later}),
        "a 0 0 0 10 ann\n b 12 12 12 22 ann\n c 50 50 50 55 ann\n left a 10, b 22, c 55",
    )


def test_the_rules_are_read_alike_with_learning_staff(engine: Engine) -> None:
    for seed in range(round(150 * MORE)):
        rng = random.Random(f"learning/{seed}")
        world = random_world(rng.randint)
        ramps = {name: [(rng.randint(0, 9), 50), (rng.randint(10, 20), 200)] for name in world.people}
        people = {n: replace(who, ramp=() if who.reserve else ramps[n]) for n, who in world.people.items()}
        assert not compared(world.but(people=people), engine), f"seed {seed}"


def test_ramp_up_rises_week_by_week_from_the_date_of_joining() -> None:
    anna = {"pool": "desk", "shifts": ["day"], "pace": 90, "joins": "2026-03-04", "ramp_up": {"from": 50, "weeks": 4}}
    plan = prepare.plan(desk(60, 0, workers={"anna": anna}))
    assert plan.duty_from[0] == 2 * DAY + 9 * HOUR
    assert plan.ramp_at.tolist() == [(2 + 7 * week) * DAY for week in range(5)]
    assert plan.ramp_pace[:, 0].tolist() == [45, 57, 68, 79, 90]  # 90 % of 50, 63, 75, 88, 100
    run = simulate(desk(60, 0, workers={"anna": anna}, demand=RARE))
    spent, work = run.log.completed_at - run.log.started_at, run.workload.work
    done = np.flatnonzero(run.log.completed_at >= 0)
    paces = {round(float(work[i] * 100 / spent[i])) for i in done}
    assert paces == {45, 57, 68, 79, 90}


RARE = {"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "2/h"}}}


def test_who_is_never_off_duty_learns_as_well() -> None:
    ramp = {"from": 50, "weeks": 4}
    anna = {"pool": "desk", "shifts": ["always"], "joins": "2026-03-04", "ramp_up": ramp}
    always = {"always": {"days": "all", "hours": "00:00-24:00"}}
    plan = prepare.plan(desk(30, 0, shifts=always, staffing={}, workers={"anna": anna}))
    assert plan.duty_from.tolist() == [(2 + 7 * week) * DAY for week in range(4)]


def test_rule_5_who_hands_over_stays_after_the_hours() -> None:
    shifts = {
        "early": {"days": "all", "hours": "06:00-14:00", "handover": "15 min"},
        "late": {"days": "all", "hours": "14:00-22:00"},
    }
    plan = prepare.plan(desk(1, 0, shifts=shifts, staffing={"desk": {"early": 1, "late": 1}}))
    assert plan.duty_from.tolist() == [6 * HOUR, 14 * HOUR]
    assert plan.duty_to.tolist() == [14 * HOUR + 15 * MINUTE, 22 * HOUR]


def test_bad_input_about_new_staff() -> None:
    anna = {"pool": "desk", "shifts": ["day"]}
    refused("workers.anna.joins", "is missing", workers={"anna": {**anna, "ramp_up": {"from": 50, "weeks": 8}}})
    ramp = {"from": 150, "weeks": 8}
    refused("workers.anna.ramp_up.from", "100", workers={"anna": {**anna, "joins": "2026-03-02", "ramp_up": ramp}})
    refused("shifts.day.handover", "15 min", shifts={"day": {**DAY_SHIFT["day"], "handover": 15}})
