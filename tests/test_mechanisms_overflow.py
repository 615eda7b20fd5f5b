"""Overflow to other pools and delegation (rule 15): by hand with the whole log, against theory, and in a scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from test_mechanisms_reserve import there
from worlds import Called, Case, Do, Person, Spill, Team, World, at_desk, expect, mapping

from servsim import prepare
from servsim.engines import Engine
from servsim.lint import lint
from servsim.model import Scenario
from servsim.quantities import HOUR, MINUTE
from servsim.records import Run
from servsim.simulate import simulate

# ------------------------------------------------------------------ by hand


def helped(cases: dict[str, Case], spill: Spill, **changes: Any) -> World:
    """Ann is at the desk; bo, in the back, takes over under a condition, and has a queue of his own that he prefers."""
    teams = {"desk": Team({"desk": 1}), "back": Team({"back": 1, "desk": 2})}
    people = {"ann": Person("desk", [(0, 1000)]), "bo": Person("back", [(0, 1000)])}
    given: dict[str, Any] = {"teams": teams, "people": people, "until": 1000, "overflow": {"desk": {"back": spill}}}
    return World(cases=cases, **{**given, **changes})


def test_rule_15_after_five_minutes_of_waiting(engine: Engine) -> None:
    """Truth M55: w2 is open to the back at 548, w3 from 551 on; ann takes w4 from the same queue."""
    cases = {"w1": at_desk(540, 20), "w2": at_desk(543, 10), "w3": at_desk(546, 10), "w4": at_desk(556, 5)}
    expect(
        engine,
        helped(cases, Spill(after=5)),
        """
        w1 540 540 540 560 ann
        w2 543 543 548 558 bo
        w3 546 546 558 568 bo
        w4 556 556 560 565 ann
        left w1 560, w2 558, w3 568, w4 565
        """,
    )


def test_rule_15_while_three_wait(engine: Engine) -> None:
    """At 3 there are three, the one that comes included; at 13 only two; at 14 three again."""
    cases = {"a": at_desk(0, 20), **{name: at_desk(at, 10) for name, at in {"b": 1, "c": 2, "d": 3, "e": 14}.items()}}
    expect(
        engine,
        helped(cases, Spill(waiting=3)),
        """
        a 0 0 0 20 ann
        b 1 1 3 13 bo
        c 2 2 14 24 bo
        d 3 3 20 30 ann
        e 14 14 30 40 ann
        left a 20, b 13, c 24, d 30, e 40
        """,
    )


def test_rule_15_either_condition_suffices(engine: Engine) -> None:
    """Two wait at 2, so that b goes to the back; c has waited 9 at 11."""
    cases = {"a": at_desk(0, 20), "b": at_desk(1, 4), "c": at_desk(2, 4)}
    expect(
        engine,
        helped(cases, Spill(after=9, waiting=2)),
        """
        a 0 0 0 20 ann
        b 1 1 2 6 bo
        c 2 2 11 15 bo
        left a 20, b 6, c 15
        """,
    )


def approvers(cases: dict[str, Case], *shifts: tuple[int, int], **changes: Any) -> World:
    """Bosses by shift, and a deputy who is always there and signs while no boss is on duty."""
    people = {f"boss{k}": Person("boss", [shift], **changes) for k, shift in enumerate(shifts)}
    return World(
        teams={"boss": Team({"sign": 0}), "deputies": Team({"sign": 0})},
        people={**people, "deputy": Person("deputies", [(0, 1000)])},
        cases={name: Case(case.at, [Do("sign", part.work) for part in case.path]) for name, case in cases.items()},
        until=1000,
        overflow={"sign": {"deputies": Spill(alone=True)}},
    )


def test_rule_15_a_deputy_signs_while_the_approver_is_off_duty(engine: Engine) -> None:
    """c is open to the deputy when the boss's shift ends, though he still works on b; he is back at 120: the deputy
    completes e, f is his, and g waits for him although the deputy is idle from 128 on."""
    at = {"a": (50, 5), "b": (58, 10), "c": (59, 10), "d": (65, 10), "e": (118, 10), "f": (119, 10), "g": (125, 1)}
    expect(
        engine,
        approvers({name: at_desk(*times) for name, times in at.items()}, (0, 60), (120, 180)),
        """
        a 50 50 50 55 boss0
        b 58 58 58 68 boss0
        c 59 59 60 70 deputy
        d 65 65 70 80 deputy
        e 118 118 118 128 deputy
        f 119 119 120 130 boss1
        g 125 125 130 131 boss1
        left a 55, b 68, c 70, d 80, e 128, f 130, g 131
        """,
    )


def test_rule_15_where_one_shift_follows_another_nobody_stands_in(engine: Engine) -> None:
    cases = {"a": at_desk(55, 10), "b": at_desk(57, 2)}
    expect(
        engine,
        approvers(cases, (0, 60), (60, 120)),
        """
        a 55 55 55 65 boss0
        b 57 57 60 62 boss1
        left a 65, b 62
        """,
    )


def test_rule_15_a_break_is_no_absence(engine: Engine) -> None:
    expect(
        engine,
        approvers({"a": at_desk(12, 3)}, (0, 60), breaks=[(10, 10, "pause")]),
        """
        a 12 12 20 23 boss0
        left a 23
        """,
    )


def test_rule_15_completions_arrivals_and_escalations_of_the_tick_come_first(engine: Engine) -> None:
    """At 5 ann is free for b; at 25 bo begins with his own d before f is open to him; h goes to the other queue."""
    cases = {
        "a": at_desk(0, 5),
        "b": at_desk(0, 25),
        "d": Case(25, [Do("back", 2)]),
        "f": at_desk(20, 5),
        "h": Case(41, [Do("late", 5)]),
        "g": Case(40, [Do("late", 20)]),
    }
    teams = {
        "desk": Team({"desk": 1, "late": 1}), "back": Team({"back": 1, "desk": 2, "late": 2}), "top": Team({"top": 1}),
    }  # fmt: skip
    people = {"ann": Person("desk", [(0, 1000)]), "bo": Person("back", [(0, 1000)]), "cy": Person("top", [(0, 1000)])}
    cases = dict(sorted(cases.items(), key=lambda case: case[1].at))
    overflow = {skill: {"back": Spill(after=5)} for skill in ("desk", "late")}
    expect(
        engine,
        helped(cases, Spill(), teams=teams, people=people, overflow=overflow, escalate={"late": (5, "top")}),
        """
        a 0 0 0 5 ann
        b 0 0 5 30 ann
        f 20 20 27 32 bo
        d 25 25 25 27 bo
        g 40 40 40 60 ann
        h 41 41 46 51 cy
        escalated h 46
        left a 5, b 30, f 32, d 27, g 60, h 51
        """,
    )


def test_rule_15_the_wait_begins_anew_in_another_queue(engine: Engine) -> None:
    """b has waited 8 when it moves to the desk, and 5 more when it is open to the back."""
    teams = {"desk": Team({"desk": 1}), "back": Team({"desk": 2}), "front": Team({"front": 1})}
    cases = {"a": at_desk(0, 50), "b": Case(1, [Do("front", 3)])}
    expect(
        engine,
        helped(cases, Spill(after=5), teams=teams, escalate={"front": (8, "desk")}),
        """
        a 0 0 0 50 ann
        b 1 1 14 17 bo
        escalated b 9
        left a 50, b 17
        """,
    )


def test_rule_15_what_is_interrupted_counts_from_when_it_came(engine: Engine) -> None:
    """The urgent one may not go to bo, who is idle, and interrupts a; a is open to bo at 5."""
    cases = {"a": at_desk(0, 10, rank=1), "b": at_desk(3, 4)}
    expect(
        engine,
        helped(cases, Spill(after=5), preempt={"desk": "resume"}),
        """
        a 0 0 0 12 bo
        b 3 3 3 7 ann
        ann: a 0-3
        bo: a 5-12
        left a 12, b 7
        """,
    )


def test_rule_15_interruptions_obey_the_condition(engine: Engine) -> None:
    """b may take bo's item in hand away when it is open to him, and not before."""
    cases = {"a": at_desk(0, 20), "o": Case(0, [Do("back", 20, rank=5)]), "b": at_desk(1, 4)}
    teams = {"desk": Team({"desk": 1}), "back": Team({"back": 1, "desk": 1})}
    expect(
        engine,
        helped(cases, Spill(after=5), teams=teams, preempt={"desk": "resume", "back": "resume"}),
        """
        a 0 0 0 20 ann
        o 0 0 0 24 bo
        b 1 1 6 10 bo
        bo: o 0-6
        bo: o 10-24
        left a 20, o 24, b 10
        """,
    )


def test_rule_15_only_those_who_may_take_it_count_for_what_is_held_back(engine: Engine) -> None:
    """One is to be kept idle: a waits while only ann may take it, and is hers when bo may too."""
    cases = {"a": Case(0, [Do("desk", 3)], priority=2)}
    expect(
        engine,
        helped(cases, Spill(after=5), hold_back={"desk": (1, 1)}),
        """
        a 0 0 5 8 ann
        left a 8
        """,
    )


def test_rule_15_the_reserve_is_called_by_what_it_may_take(engine: Engine) -> None:
    """b waits from 1 on, is open to the back at 6, and calls: the reserve is there at 8, and leaves at 12."""
    teams = {"desk": Team({"desk": 1}), "back": Team({"desk": 2}, called=Called(waiting=1, delay=2))}
    people = {"ann": Person("desk", [(0, 1000)]), "ro": Person("back", [], reserve=True)}
    world = helped({"a": at_desk(0, 50), "b": at_desk(1, 4)}, Spill(after=5), teams=teams, people=people)
    expect(
        engine,
        world,
        """
        a 0 0 0 50 ann
        b 1 1 8 12 ro
        left a 50, b 12
        """,
    )
    assert there(world.run(engine)) == [("ro", 8, 12)]


def test_rule_15_places_to_wait_are_those_of_the_queue(engine: Engine) -> None:
    """Two at a time, the newcomer included, send b to the back; d finds c in the only place."""
    cases = {"a": at_desk(0, 20), **{name: at_desk(at, 9) for name, at in {"b": 1, "c": 2, "d": 3}.items()}}
    expect(
        engine,
        helped(cases, Spill(waiting=2), places={"desk": 1}),
        """
        a 0 0 0 20 ann
        b 1 1 2 11 bo
        c 2 2 20 29 ann
        d 3 3 - -
        no place: d 3
        left a 20, b 11, c 29, d 3 turned_away
        """,
    )


# ------------------------------------------------------------------ in a scenario


POOLS = {
    "desk": {"department": "office"},
    "back": {"department": "office", "skills": {"desk": {"preference": 2, "pace": 80}}},
    "other": {"department": "office"},
}


def scenario(overflow: Any = None, **changes: Any) -> Scenario:
    """Six at the desk, three in the back."""
    given: dict[str, Any] = {
        "pools": POOLS,
        "staffing": {"desk": {"always": 6}, "back": {"always": 3}},
        "demand": {"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "0.8/min"}}},
        "clock": {"start": "2026-03-02", "horizon": "15 d", "warm_up": "1 d"},
        "dispatch": {"teams": {"desk": {} if overflow is None else {"overflow": overflow}}},
    }
    config = mapping(**{**given, **changes})
    if "processes" not in changes:
        config["processes"]["p"]["steps"]["serve"]["time"] = {"kind": "exponential", "mean": "8 min"}
    return Scenario.model_validate(config)


def test_theory_another_pool_steps_in_when_three_wait() -> None:
    """Truth OVF-03, exact Markov chain: 6 regular agents, 3 others at 80 % of the pace take over when three wait."""
    tables = [simulate(scenario({"to": "back", "waiting": 3}), 3, k).kpis() for k in range(8)]
    figures = [table.set_index(["kpi", "group"]).value for table in tables]
    expected = {
        ("waiting_mean", "all"): (2.00546483243, 0.06),
        ("utilisation", "pool=desk"): (0.877751349563, 0.01),
        ("utilisation", "pool=back"): (0.47228829276, 0.03),
        ("overflow_share", "skill=desk"): (0.177108109785, 0.03),
    }
    for key, (value, within) in expected.items():
        values = [figure[key] for figure in figures]
        error = np.std(values, ddof=1) / len(values) ** 0.5
        assert abs(np.mean(values) - value) <= 4 * error, key
        assert error < within * value, key


def test_overflow_leaves_all_draws_as_they_were() -> None:
    with_it, without = (simulate(scenario(way), 5).workload for way in ({"to": "back", "after": "2 min"}, False))
    for column in ("arrived_at", "work", "case_class", "next_item"):
        assert np.array_equal(getattr(with_it, column), getattr(without, column))


def test_switched_off_a_pool_with_the_skill_takes_everything() -> None:
    assert not prepare.plan(scenario(False)).overflow.after.size
    assert not prepare.plan(scenario()).overflow.after.size
    run = simulate(scenario(False), 5)
    assert np.isnan(run.kpis().set_index(["kpi", "group"]).value["overflow_share", "all"])


def test_conditions_reach_the_plan() -> None:
    pools = {**POOLS, "other": {"department": "office", "skills": ["other", "desk"]}}
    ways = [{"to": "back", "after": "5 min", "waiting": 4}, {"to": "other", "when": "nobody_on_duty"}]
    plan = prepare.plan(scenario(ways, pools=pools))
    assert plan.skills == ("desk", "other")
    assert plan.overflow.after.tolist() == [[-1, -1], [5 * MINUTE, -1], [-1, -1]]
    assert plan.overflow.waiting.tolist() == [[-1, -1], [4, -1], [-1, -1]]
    assert plan.overflow.alone.tolist() == [[0, 0], [0, 0], [1, 0]]
    written = scenario(ways, pools=pools)
    assert Scenario.model_validate(written.model_dump()) == written


@pytest.mark.parametrize(
    ("overflow", "where", "told"),
    [
        ({"to": "back"}, "", "says not when: give `after: 5 min`, `waiting: 3` or `when: nobody_on_duty`"),
        ({"to": "bakc", "waiting": 3}, "to", "there is no pool 'bakc'; did you mean back?"),
        ({"to": "other", "waiting": 3}, "to", "the pool 'other' lacks the skill 'desk'; add it to `pools.other."),
        ({"to": "desk", "waiting": 0}, "waiting", "a whole number ≥ 1"),
        ({"to": "back", "after": "0 min"}, "after", "more than no time at all"),
        ({"to": "back", "after": 5}, "after", "needs a unit"),
        ({"to": "back", "wait": 3}, "wait", "did you mean waiting?"),
        ({"to": "back", "when": "never"}, "when", "nobody_on_duty"),
        ([{"to": "back", "waiting": 3}, {"to": "back", "after": "1 h"}], "1.to", "'back' comes twice"),
        ([{"to": "back", "waiting": 3}, {"to": "desk", "waiting": 4}], "", "all pools with the skill 'desk'"),
    ],
)  # fmt: skip
def test_bad_input_about_overflow(overflow: Any, where: str, told: str) -> None:
    with pytest.raises(ValidationError) as error:
        scenario(overflow)
    (found,) = error.value.errors()
    assert ".".join(map(str, found["loc"])) == ".".join(filter(None, ["dispatch.teams.desk.overflow", where]))
    assert told in found["msg"]


def test_the_only_pool_with_a_skill_helps_nobody() -> None:
    pools = {"desk": {"department": "office"}, "back": {"department": "office"}}
    with pytest.raises(ValidationError, match="only 'desk' has the skill 'desk'"):
        scenario({"to": "desk", "after": "5 min"}, pools=pools)


# ------------------------------------------------------------------ delegation


APPROVE = {"kind": "approval", "time": "5 min", "next": "end"}


def approvals(step: dict[str, Any], **changes: Any) -> Scenario:
    """A manager from 9 to 12, deputies from 9 to 18; a case every hour from 8:30 on."""
    return Scenario.model_validate(
        mapping(
            **{
                "clock": {"start": "2026-03-02", "horizon": "1 d"},
                "pools": {
                    "manager": {"department": "office"},
                    "director": {"department": "office"},
                    "deputies": {"department": "office", "skills": ["manager", "director"]},
                },
                "shifts": {
                    "morning": {"days": "all", "hours": "09:00-12:00"},
                    "day": {"days": "all", "hours": "09:00-18:00"},
                },
                "staffing": {"manager": {"morning": 1}, "director": {"day": 1}, "deputies": {"day": 1}},
                "demand": {
                    "mail": {
                        "case_class": "ordinary",
                        "arrivals": {"kind": "appointments", "days": "all", "per_slot": 1,
                                     "times": [f"{hour:02d}:30" for hour in range(8, 20)]},
                    }
                },
                "processes": {"p": {"start": "approve", "steps": {"approve": {**APPROVE, **step}}}},
                **changes,
            }
        )
    )  # fmt: skip


def by_whom(run: Run) -> list[str]:
    """Who took up each item, and when."""
    rows = zip(run.log.started_at.tolist(), run.log.worker.tolist(), strict=True)
    return [f"{at / HOUR:g} {run.plan.workers[w].split('.')[0]}" for at, w in rows if at >= 0]


def test_deputies_sign_while_no_manager_is_on_duty() -> None:
    run = simulate(approvals({"skill": "manager", "delegate": "deputies"}))
    managers = ["9 manager", "9.5 manager", "10.5 manager", "11.5 manager"]
    assert by_whom(run) == managers + [f"{hour}.5 deputies" for hour in range(12, 18)]
    value = run.kpis().set_index(["kpi", "group"]).value
    assert value["overflow_share", "all"] == value["overflow_share", "skill=manager"] == pytest.approx(0.6)


def test_delegate_is_short_for_an_overflow_of_the_queue() -> None:
    overflow = {"to": "deputies", "when": "nobody_on_duty"}
    long = approvals({"skill": "manager"}, dispatch={"teams": {"manager": {"overflow": overflow}}})
    short = approvals({"skill": "manager", "delegate": "deputies"})
    assert np.array_equal(simulate(long).log.worker, simulate(short).log.worker)


def test_every_level_and_every_link_has_its_deputies() -> None:
    value = {"numbers": {"kind": "uniform", "low": 0, "high": 9}}
    classes = {"ordinary": {"process": "p", "attributes": {"value": value}}}
    levels = {"by": "value", "levels": {5: "manager"}, "above": "director", "delegate": "deputies"}
    chain = {"chain": ["director", {"skill": "manager", "delegate": "deputies"}]}
    alone = prepare.plan(approvals(levels, case_classes=classes)).overflow.alone
    assert alone.tolist() == [[0, 0], [0, 0], [1, 1]]
    assert prepare.plan(approvals(chain)).overflow.alone.tolist() == [[0, 0], [0, 0], [1, 0]]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ({"skill": "manager", "delegate": "deputy"}, "there is no pool 'deputy'; did you mean deputies?"),
        ({"skill": "manager", "delegate": "director"}, "the pool 'director' lacks the skill 'manager'"),
        ({"meeting": {"days": "all", "times": ["10:00"]}, "delegate": "deputies"}, "cannot be combined with a meeting"),
    ],
)
def test_bad_input_about_deputies(step: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as error:
        approvals(step)
    (found,) = error.value.errors()
    assert found["loc"] == ("processes", "p", "steps", "approve", "delegate")
    assert told in found["msg"]


def test_the_load_of_a_queue_is_shared_by_who_takes_over() -> None:
    """Deputies are there in the afternoon; where there are none nobody is on duty then, which is told."""

    def told(**changes: Any) -> list[str]:
        return [found.message for found in lint(approvals({"skill": "manager", "delegate": "deputies"}, **changes))]

    (hours,) = told()
    assert hours.startswith("manager: nobody is on duty Mon 08:00-09:00, 18:00-20:00, ")
    hours, nobody = sorted(told(staffing={"manager": {"morning": 1}}), reverse=True)
    assert hours.startswith("manager: nobody is on duty Mon 08:00-09:00, 12:00-20:00, ")
    assert nobody == "deputies: nobody is ever on duty who could take over from manager"


