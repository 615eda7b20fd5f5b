"""Whose work it is because of who did something before: the same person, or somebody else.

Times are minutes, logs are worked out by hand; the sections bear the numbers of the rules of docs/semantics.md.
"""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import numpy as np
import pytest
from conftest import MORE
from oracle import oracle
from pydantic import ValidationError
from worlds import ALWAYS, FOR_EVER, OWNER, PREVIOUS, Case, Do, Person, Team, World, expect, mapping, random_world, told

from servsim import kpis, prepare
from servsim.engines import Engine
from servsim.kpis.owners import required_person
from servsim.lint import lint
from servsim.model import Scenario
from servsim.model.errors import problems
from servsim.quantities import MINUTE
from servsim.records import Run
from servsim.records.workload import FORK
from servsim.report.story import story
from servsim.simulate import simulate

# ------------------------------------------------------------------ 17. the same person


def pair(cases: dict[str, Case], until: int = 100, **changes: Any) -> World:
    """Ann and Bob do both the desk's and the back office's work, always."""
    people = {"ann": Person("office", ALWAYS), "bob": Person("office", ALWAYS)}
    teams = {"office": Team({"desk": 0, "back": 0})}
    return World(**{"teams": teams, "people": people, "cases": cases, "until": until, **changes})


def back(work: int, **rule: Any) -> Do:
    return Do("back", work, **rule)


def desk(work: int, **rule: Any) -> Do:
    return Do("desk", work, **rule)


def test_preferred_the_same_person_whoever_has_been_idle_longest(engine: Engine) -> None:
    """Bob, idle since 0, would have b.back at 15; ann did b.desk. Nobody keeps c.back for bob, who is busy at 30."""
    world = pair(
        {
            "a": Case(5, [desk(10)]),
            "b": Case(16, [desk(4), back(3, same_as="desk")]),
            "c": Case(20, [desk(10), Do(None, 2), back(6, same_as="desk")]),
            "d": Case(31, [desk(20)]),
        },
        assignment={"desk": "fixed", "back": "longest_idle"},
    )
    expect(
        engine,
        world,
        """
        a 5 5 5 15 ann
        b.desk 16 16 16 20 ann
        b.back 20 20 20 23 ann
        c.desk 20 20 20 30 bob
        c.wait 30 30 30 32
        c.back 32 32 32 38 bob
        d 31 31 31 51 ann
        for ann: b.back 20
        for bob: c.back 32
        left a 15, b 23, c 38, d 51
        """,
    )


def test_preferred_is_not_waited_for(engine: Engine) -> None:
    """Ann did a.desk, and is at b when a comes to the back office: bob has it at once."""
    world = pair(
        {
            "a": Case(0, [desk(5), Do(None, 2), back(5, same_as="desk")]),
            "b": Case(6, [desk(20)]),
        },
        assignment={"desk": "fixed"},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 5 ann
        a.wait 5 5 5 7
        a.back 7 7 7 12 bob
        b 6 6 6 26 ann
        for ann: a.back 7
        left a 12, b 26
        """,
    )


@pytest.mark.parametrize(("kept", "began", "who"), [(FOR_EVER, 26, "ann"), (10, 17, "bob"), (19, 26, "ann")])
def test_required_is_waited_for(engine: Engine, kept: int, began: int, who: str) -> None:
    """From 7 on, while ann is busy until 26; bob, idle, takes what came later. At 26 ann's completion comes first."""
    world = pair(
        {
            "a": Case(0, [desk(5), Do(None, 2), back(5, same_as="desk", kept=kept)]),
            "b": Case(6, [desk(20)]),
            "c": Case(8, [back(2)]),
        },
        assignment={"desk": "fixed"},
    )
    expect(
        engine,
        world,
        f"""
        a.desk 0 0 0 5 ann
        a.wait 5 5 5 7
        a.back 7 7 {began} {began + 5} {who}
        b 6 6 6 26 ann
        c 8 8 8 10 bob
        for ann: a.back 7
        left a {began + 5}, b 26, c 10
        """,
    )


def test_nobody_is_held_idle_for_what_is_theirs(engine: Engine) -> None:
    """At 20 ann takes b, which came before a.back; bob may not help with a, and takes c, which came last."""
    world = pair(
        {
            "a": Case(0, [desk(5), Do(None, 6), back(5, same_as="desk", kept=FOR_EVER)]),
            "x": Case(1, [back(30)]),
            "y": Case(5, [desk(15)]),
            "b": Case(8, [back(7)]),
            "c": Case(30, [back(9)]),
        },
        assignment={"desk": "fixed"},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 5 ann
        a.wait 5 5 5 11
        a.back 11 11 27 32 ann
        x 1 1 1 31 bob
        y 5 5 5 20 ann
        b 8 8 20 27 ann
        c 30 30 31 40 bob
        for ann: a.back 11
        left a 32, x 31, y 20, b 27, c 40
        """,
    )


def test_waiting_for_somebody_ends_before_escalations_and_after_arrivals_of_the_tick(engine: Engine) -> None:
    """At 17 b comes first and takes bob; a is free for all then, and would be escalated at the same tick."""
    world = pair(
        {
            "a": Case(0, [desk(5), Do(None, 2), back(5, same_as="desk", kept=10)]),
            "z": Case(6, [desk(50)]),
            "b": Case(17, [desk(3)]),
            "c": Case(0, [Do("chief", 1, hold=0)]),
        },
        teams={"office": Team({"desk": 0, "back": 0}), "lead": Team({"chief": 0})},
        people={"ann": Person("office", ALWAYS), "bob": Person("office", ALWAYS), "eva": Person("lead", ALWAYS)},
        assignment={"desk": "fixed"},
        escalate={"back": (10, "chief")},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 5 ann
        a.wait 5 5 5 7
        a.back 7 7 17 22 eva
        z 6 6 6 56 ann
        b 17 17 17 20 bob
        c 0 0 0 1 eva
        escalated a.back 17
        for ann: a.back 7
        left a 22, z 56, b 20, c 1
        """,
    )
    without_b = world.but(cases={name: case for name, case in world.cases.items() if name != "b"})
    expect(
        engine,
        without_b,
        """
        a.desk 0 0 0 5 ann
        a.wait 5 5 5 7
        a.back 7 7 17 22 bob
        z 6 6 6 56 ann
        c 0 0 0 1 eva
        for ann: a.back 7
        left a 22, z 56, c 1
        """,
    )


def test_what_is_escalated_is_anybodys(engine: Engine) -> None:
    """Ann alone may do a.back; escalated to the queue `late`, which both have, bob does it."""
    world = pair(
        {
            "a": Case(0, [desk(5), Do(None, 2), back(5, same_as="desk", kept=FOR_EVER)]),
            "z": Case(6, [desk(50)]),
        },
        teams={"office": Team({"desk": 0, "back": 0, "late": 0})},
        assignment={"desk": "fixed"},
        escalate={"back": (4, "late")},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 5 ann
        a.wait 5 5 5 7
        a.back 7 7 11 16 bob
        z 6 6 6 56 ann
        escalated a.back 11
        for ann: a.back 7
        left a 16, z 56
        """,
    )


def test_an_interrupted_item_goes_back_to_the_same_person(engine: Engine) -> None:
    """Ann's shift ends at 10, with a.back in hand; bob is idle, yet it waits until she is back at 30."""
    world = pair(
        {"a": Case(0, [desk(5), back(10, same_as="desk", kept=FOR_EVER)])},
        teams={"office": Team({"desk": 0, "back": 0}, end_of_shift="suspend")},
        people={"ann": Person("office", [(0, 10), (30, 60)]), "bob": Person("office", ALWAYS)},
        assignment={"desk": "fixed"},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 5 ann
        a.back 5 5 5 35 ann
        ann: a.back 5-10
        ann: a.back 30-35
        for ann: a.back 5
        left a 35
        """,
    )


def test_who_finished_it_counts_not_who_began(engine: Engine) -> None:
    world = pair(
        {"a": Case(0, [desk(15), back(5, same_as="desk", kept=FOR_EVER)])},
        teams={"office": Team({"desk": 0, "back": 0}, end_of_shift="suspend")},
        people={"ann": Person("office", [(0, 10), (12, 60)]), "bob": Person("office", ALWAYS)},
        assignment={"desk": "fixed", "back": "fixed"},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 15 bob
        a.back 15 15 15 20 bob
        ann: a.desk 0-10
        bob: a.desk 10-15
        for bob: a.back 15
        left a 20
        """,
    )


def test_the_last_visit_by_somebody_on_the_way_counts(engine: Engine) -> None:
    """Ann does the first visit to the desk, bob the second, nobody a third; each branch has somebody of its own."""
    world = pair(
        {
            "a": Case(0, [desk(10), desk(4), Do(None, step="desk"), back(1, same_as="desk", kept=FOR_EVER)]),
            "b": Case(
                40, [([desk(5, step="one")], [desk(6, step="two")]), back(1, same_as="two"), back(1, same_as="one")]
            ),
        },
        assignment={"back": "fixed"},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 10 ann
        a.desk2 10 10 10 14 bob
        a.desk3 14 14 14 14
        a.back 14 14 14 15 bob
        b.fork 40 40 40 40
        b.one 40 40 40 45 ann
        b.two 40 40 40 46 bob
        b.join 46 46 46 46
        b.back 46 46 46 47 bob
        b.back2 47 47 47 48 ann
        for bob: a.back 14
        for bob: b.back 46
        for ann: b.back2 47
        left a 15, b 48
        """,
    )


def test_anybody_where_nobody_did_it_or_they_cannot(engine: Engine) -> None:
    """a: nobody has been at the desk. b: eva was, who has no skill for the back office."""
    world = pair(
        {
            "a": Case(0, [Do(None, 3, step="desk"), back(5, same_as="desk", kept=FOR_EVER)]),
            "b": Case(0, [Do("chief", 3), back(5, same_as="chief", kept=FOR_EVER)]),
        },
        teams={"office": Team({"desk": 0, "back": 0}), "lead": Team({"chief": 0})},
        people={"ann": Person("office", ALWAYS), "bob": Person("office", ALWAYS), "eva": Person("lead", ALWAYS)},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 3
        a.back 3 3 3 8 bob
        b.chief 0 0 0 3 eva
        b.back 3 3 3 8 ann
        left a 8, b 8
        """,
    )


def test_the_owner_answered_first_and_keeps_the_case_and_the_next_one(engine: Engine) -> None:
    """Bob answers a at 0 (ann comes at 4), and has its last step and the whole follow-up. c follows no case."""
    world = pair(
        {
            "a": Case(0, [desk(5, answers=True), desk(5, answers=True), back(5, same_as=OWNER, kept=FOR_EVER)]),
            "z": Case(0, [desk(1)]),
            "c": Case(60, [back(2, same_as=PREVIOUS, kept=FOR_EVER)]),
            "b": Case(0, [back(2, same_as=PREVIOUS), desk(3, same_as=PREVIOUS)], follows=("a", "completed", 20)),
        },
        people={"ann": Person("office", [(4, 100)]), "bob": Person("office", ALWAYS)},
        assignment={"desk": "fixed", "back": "fixed"},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 5 bob
        a.desk2 5 5 5 10 ann
        a.back 10 10 10 15 bob
        z 0 0 4 5 ann
        c 60 60 60 62 ann
        b.back 35 35 35 37 bob
        b.desk 37 37 37 40 bob
        for bob: a.back 10
        for bob: b.back 35
        for bob: b.desk 37
        left a 15, z 5, c 62, b 40
        """,
    )


def test_several_places_are_one_person(engine: Engine) -> None:
    """Ann has two items in hand at once: her second place may go on with what her first did, and may not check it."""
    people = {"ann": Person("office", ALWAYS), "ann2": Person("office", ALWAYS, same_as="ann")}
    world = pair(
        {
            "a": Case(0, [desk(5), back(5, same_as="desk", kept=FOR_EVER), back(1, not_as=["desk"])]),
            "b": Case(5, [desk(20)]),
        },
        teams={"office": Team({"desk": 0, "back": 0}, at_once=(100, 100)), "other": Team({"back": 1})},
        people={**people, "bob": Person("other", [(30, 100)])},
        assignment={"desk": "fixed", "back": "fixed"},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 5 ann
        a.back 5 5 5 10 ann
        a.back2 10 10 30 31 bob
        b 5 5 5 25 ann2
        for ann: a.back 5
        left a 31, b 25
        """,
    )


def test_who_it_is_for_is_one_of_those_who_do_it_together(engine: Engine) -> None:
    """Two are needed, one of them ann, busy until 26. Neither she nor bob, who helped, does the check."""
    people = {name: Person("office", ALWAYS) for name in ("ann", "bob", "eva")}
    both = back(4, same_as="desk", kept=FOR_EVER, workers=2)
    world = pair(
        {
            "a": Case(0, [desk(5), Do(None, 2), both, desk(3, step="check", not_as=["back"])]),
            "y": Case(6, [desk(20)]),
        },
        people=people,
        assignment={"desk": "fixed", "back": "fixed"},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 5 ann
        a.wait 5 5 5 7
        a.back 7 7 26 30 ann
        a.check 30 30 30 33 eva
        y 6 6 6 26 ann
        bob helps: a.back 26-30
        for ann: a.back 7
        left a 33, y 26
        """,
    )


# ------------------------------------------------------------------ 17. another person


def test_four_eyes(engine: Engine) -> None:
    """Ann, idle, does not check what she made; the check goes to bob, and what came later to ann."""
    world = pair(
        {
            "a": Case(0, [desk(5), back(5, not_as=["desk"])]),
            "b": Case(1, [desk(20)]),
            "c": Case(7, [back(3)]),
            "d": Case(30, [desk(1), back(1, not_as=["desk"]), back(1, not_as=["desk", "back"])]),
        },
        until=60,
        assignment={"desk": "fixed"},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 5 ann
        a.back 5 5 21 26 bob
        b 1 1 1 21 bob
        c 7 7 7 10 ann
        d.desk 30 30 30 31 ann
        d.back 31 31 31 32 bob
        d.back2 32 32 - -
        left a 26, b 21, c 10, d -
        """,
    )


def test_four_eyes_hold_after_escalation_and_when_work_is_taken_up_again(engine: Engine) -> None:
    """Bob lays the check down at 10; ann, who made it, does not go on with it, nor after it was escalated."""
    world = pair(
        {
            "a": Case(0, [desk(5), back(10, not_as=["desk"])]),
            "b": Case(20, [desk(2), back(4, not_as=["desk"])]),
        },
        teams={"office": Team({"desk": 0, "back": 0, "late": 0}, end_of_shift="suspend")},
        people={"ann": Person("office", ALWAYS), "bob": Person("office", [(0, 10), (40, 60)])},
        assignment={"desk": "fixed"},
        escalate={"back": (3, "late")},
    )
    expect(
        engine,
        world,
        """
        a.desk 0 0 0 5 ann
        a.back 5 5 5 45 bob
        b.desk 20 20 20 22 ann
        b.back 22 22 45 49 bob
        bob: a.back 5-10
        bob: a.back 40-45
        escalated b.back 25
        left a 45, b 49
        """,
    )


def test_whom_it_is_for_and_not_for_at_once_is_for_anybody_else(engine: Engine) -> None:
    world = pair(
        {"a": Case(0, [desk(5), back(5, same_as="desk", kept=FOR_EVER, not_as=["desk"])])},
        assignment={"desk": "fixed"},
    )
    expect(engine, world, "a.desk 0 0 0 5 ann\na.back 5 5 5 10 bob\nleft a 10")


# ------------------------------------------------------------------ laws on random worlds


def owned_worlds(number: int) -> list[World]:
    worlds = (random_world(random.Random(f"owners/{seed}").randint) for seed in range(number))
    return [world for world in worlds if world.workload().owners]


def test_no_work_is_done_by_who_must_not_or_before_it_may_be(engine: Engine) -> None:
    """Four eyes are never violated; what is kept for somebody is started by nobody else until then."""
    checked = kept = 0
    for world in owned_worlds(round(1500 * MORE)):
        run = world.run(engine)
        item, worker, begin, _ = run.stretches()
        person, of, work = run.plan.person_of(), run.workload.owners, run.workload
        for row in of.not_by:
            for i, w, at in zip(item.tolist(), worker.tolist(), begin.tolist(), strict=True):
                others = work.quorum[slice(*work.first_item[work.case[i] : work.case[i] + 2])]
                latest = run.log.offered_at[i] - others.any()  # what no join waits for may be done later in the tick
                done = row[i] >= 0 and 0 <= run.log.completed_at[row[i]] <= latest
                if done and run.log.worker[row[i]] >= 0:
                    checked += 1
                    assert person[w] != person[run.log.worker[row[i]]], (world.shown(), i, at)
        for i, w, since, until in zip(*(column.tolist() for column in required_person(run)), strict=True):
            kept += 1
            assert since < until and work.skill[i] >= 0
            started = int(run.log.started_at[i])
            own = (item == i) & (begin < until)
            assert (person[worker[own]] == w).all()
            assert started < 0 or started >= until
    assert checked > 50 and kept > 20


def busy_office(seed: int) -> World:
    """Many cases, few people, long queues; every step but the first is for somebody, or for somebody else."""
    rng = random.Random(f"office/{seed}")
    teams = {"P": Team({"A": 0, "B": 0}, rng.choice(["finish", "suspend", "suspend_keep", "no_late_start"]))}
    teams["Q"] = Team({"B": 1, "C": 0, "A": rng.randint(0, 2)})
    people = {}
    for number in range(6):
        shift = [(at + rng.randint(0, 3), at + rng.randint(8, 14)) for at in range(0, 150, 15)]
        people[f"w{number}"] = Person("PQ"[number % 2], shift if rng.random() < 0.7 else [(0, 160)])

    def visit(first: bool) -> Do:
        one = Do(rng.choice("ABC"), rng.randint(0, 5), rank=rng.randint(0, 1), answers=first)
        rules = {"same_as": rng.choice(["A", "B", "C", OWNER, ""]), "kept": rng.choice([0, FOR_EVER, 3, 8, 15])}
        return one if first else dataclasses.replace(one, **rules, not_as=rng.choice([(), (), "A", "B", "AC"]))

    cases, at = {}, 0
    for number in range(40):
        at += rng.choice([0, 0, 1, 2, 4, 6])
        path = [visit(k == 0) for k in range(rng.randint(2, 5))]
        cases[f"c{number}"] = Case(at, path, rng.choice([None, None, 12]))
    moves = {"A": (9, "B")} if rng.random() < 0.3 else {}
    preempt = {"A": "resume", "B": "restart"} if rng.random() < 0.3 else {}
    rules = {skill: rng.choice(["longest_idle", "fixed", "fastest"]) for skill in "ABC"}
    return World(teams, people, cases, until=160, escalate=moves, preempt=preempt, assignment=rules, unit=1)


def test_busy_offices_are_as_in_a_second_reading_of_the_rules(engine: Engine) -> None:
    for seed in range(round(12 * MORE)):
        world = busy_office(seed)
        assert told(world, world.run(engine)) == told(world, world.run(oracle)), f"seed {seed}"


# ------------------------------------------------------------------ figures


def test_whom_work_waited_for_and_how_much_was_done_by_the_same_person(engine: Engine) -> None:
    world = pair(
        {
            "a": Case(0, [desk(5), Do(None, 2), back(5, same_as="desk", kept=10)]),
            "b": Case(6, [desk(20)]),
            "c": Case(30, [desk(2), back(2, same_as="desk", kept=FOR_EVER)]),
            "d": Case(50, [desk(2), Do(None, 1), back(2, same_as="desk")]),
            "e": Case(52, [desk(9)]),
        },
        assignment={"desk": "fixed"},
    )
    run = world.run(engine)
    (item,), (worker,), (begin,), (end,) = required_person(run)
    names = run.workload.steps.names
    assert (run.workload.case[item], names[run.workload.step[item]]) == (0, "back")
    assert (run.plan.workers[worker], begin, end) == ("ann", 7 * MINUTE, 17 * MINUTE)
    assert share(run) == pytest.approx({"all": 1 / 3, "step=back": 1 / 3, "step=desk": np.nan}, nan_ok=True)


def test_the_story_says_whose_it_is(engine: Engine) -> None:
    rules = ({"kept": 10}, {"kept": FOR_EVER}, {})
    visits = [back(5, same_as="desk", **rule) for rule in rules]
    run = pair({"a": Case(0, [desk(5), *visits])}, assignment={"desk": "fixed"}).run(engine)
    told = story(run, 0).splitlines()
    assert told[6].endswith("05:00  back: kept for ann (office), at most 10 min".replace("05:00", "00:05:00"))
    assert [line.split("  ")[-1] for line in told if "back: " in line and " for " in line] == [
        "back: kept for ann (office), at most 10 min",
        "back: for nobody but ann (office)",
        "back: for ann (office), if free",
    ]
    chinese = [line for line in story(run, 0, "zh").splitlines() if "ann" in line]
    assert any("留给 ann（office） 办理，最多等 10分钟" in line for line in chinese)


def share(run: Run) -> dict[str, float]:
    table = kpis.table(run)
    rows = table[table.kpi == "same_person_share"]
    found = dict(zip(rows["group"], rows["value"], strict=True))
    return {group: found[group] for group in ("all", "step=back", "step=desk")}


# ------------------------------------------------------------------ as written in a scenario


def written(changes: dict[str, Any] | None = None, checkers: int = 2, **steps: Any) -> dict[str, Any]:
    """Some draft at the desk, some check in the back office, who can draft too."""
    task = {"kind": "task", "time": "5 min"}
    plain = {"draft": {**task, "skill": "desk", "next": "check"}, "check": {**task, "skill": "back", "next": "end"}}
    data = mapping(
        pools={"desk": {"department": "office"}, "back": {"department": "office", "skills": ["desk", "back"]}},
        staffing={"desk": {"always": 1}, "back": {"always": checkers}},
        processes={"p": {"start": "draft", "steps": {n: plain.get(n, {}) | steps.get(n, {}) for n in plain | steps}}},
    )
    return data | (changes or {})


@pytest.mark.parametrize(
    ("rule", "path", "message"),
    [
        ({"same_as": "draught"}, "same_as", "there is no step 'draught'; did you mean draft?"),
        ({"same_as": ["draft"]}, "same_as", "expected a mapping (name: value), got a list"),
        ({"same_as": {"rule": "required"}}, "same_as.step", "is missing; name the step whose worker does this one too"),
        ({"same_as": {"step": "draft", "owner_of": "case"}}, "same_as.owner_of", "cannot be combined with `step`"),
        ({"same_as": {"owner_of": "caze"}}, "same_as.owner_of", 'cannot be "caze"; did you mean case?'),
        ({"same_as": {"step": "draft", "rule": "strict"}}, "same_as.rule", "known: preferred, required"),
        ({"same_as": {"step": "draft", "wait": "0 min"}}, "same_as.wait", "must be longer than zero"),
        ({"same_as": {"step": "draft", "wait": 30}}, "same_as.wait", "30"),
        ({"same_as": {"owner_of": "previous_case"}}, "same_as.owner_of", "no case class has `repeat`"),
        ({"not_same_as": ["draft", "sign"]}, "not_same_as.1", "there is no step 'sign'"),
        ({"not_same_as": "after"}, "not_same_as", "'after' is done by nobody (delay); name a task or an approval"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused(rule: dict[str, Any], path: str, message: str) -> None:
    wait = {"kind": "delay", "time": "1 min", "next": "end"}
    data = written(check=rule | {"next": "after"}, after=wait)
    with pytest.raises(ValidationError) as error:
        Scenario.model_validate(data)
    ((where, told),) = problems(error.value, data)
    assert ".".join(map(str, where)).startswith(f"processes.p.steps.check.{path}")
    assert message in told


def refused(data: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as error:
        Scenario.model_validate(data)
    ((_, message),) = problems(error.value, data)
    return message


def test_only_what_came_before_can_have_been_done_by_somebody() -> None:
    assert refused(written(draft={"same_as": "check"})) == (
        "no way leads from 'check' to 'draft'; name a step that comes before"
    )
    again = written(draft={"same_as": "draft"}, check={"next": {"draft": 0.2, "end": 0.8}})
    assert Scenario.model_validate(again)
    assert refused(written(draft={"same_as": "draft"})).startswith("no way leads from 'draft' to 'draft'")


def test_somebody_must_be_able_to_do_both() -> None:
    pools = {"desk": {"department": "office"}, "back": {"department": "office"}}
    for rule in ({"step": "draft", "rule": "required"}, {"owner_of": "case"}):
        told = refused(written({"pools": pools}, check={"same_as": rule}))
        assert told.endswith("(desk) can do 'check' (back); give a pool both skills, or leave the rule out")


def test_somebody_must_be_left_to_do_it() -> None:
    assert refused(written(checkers=1, check={"not_same_as": "draft"})) == (
        "only one can do 'check' (back), who may have done 'draft' too; "
        "then nobody is left: give somebody else the skill"
    )
    assert Scenario.model_validate(written(checkers=2, check={"not_same_as": "draft"}))
    task = {"kind": "task", "time": "5 min", "skill": "back", "next": "end"}
    chain = {"check": {"next": "sign"}, "sign": {**task, "not_same_as": ["draft", "check"]}}
    assert "all 2 who can do 'sign' may have done 'draft', 'check' too" in refused(written(checkers=2, **chain))
    assert Scenario.model_validate(written(checkers=3, **chain))
    apart = {"desk": {"department": "office"}, "back": {"department": "office"}}
    assert Scenario.model_validate(written({"pools": apart}, checkers=1, check={"not_same_as": "draft"}))


def roster(**absent: Any) -> dict[str, Any]:
    """Bob and eva in the back office; when each is away."""
    clock = {"start": "2026-03-02", "horizon": "14 d"}
    people = {name: {"pool": "back", "shifts": ["always"], "absent": absent.get(name, [])} for name in ("bob", "eva")}
    return {"clock": clock, "staffing": {"desk": {"always": 1}}, "workers": people}


def test_the_lint_sees_who_is_off() -> None:
    """Bob alone checks in those weeks, and drafts too; eva leaves after three days with work kept for her."""
    fortnight = {"from": "2026-03-02", "to": "2026-03-20"}
    four_eyes = written(roster(eva=[fortnight]), check={"not_same_as": "draft"})
    (found,) = lint(Scenario.model_validate(four_eyes))
    assert (found.severity, found.where) == ("warning", "processes.p.steps.check.not_same_as")
    assert found.message == (
        "check: of the 2 who can do it only bob is ever on duty; what they made themselves waits for ever"
    )
    leaves = written(roster(eva=[{"from": "2026-03-05", "to": "2026-03-20"}]), check={"same_as": "draft"})
    assert not lint(Scenario.model_validate(leaves))
    leaves["processes"]["p"]["steps"]["check"]["same_as"] = {"step": "draft", "rule": "required"}
    (found,) = lint(Scenario.model_validate(leaves))
    assert (found.severity, found.where) == ("warning", "processes.p.steps.check.same_as")
    assert found.message == (
        "check: after 2026-03-04 eva is not on duty again; what is kept for them waits for ever, give a `wait`"
    )
    leaves["processes"]["p"]["steps"]["check"]["same_as"] |= {"wait": "1 d"}
    assert not lint(Scenario.model_validate(leaves))


def test_the_lint_sees_that_nobody_who_is_there_can_do_both() -> None:
    """Only eva can do both, and she is away."""
    clock, away = {"start": "2026-03-02", "horizon": "7 d"}, [{"from": "2026-03-02", "to": "2026-03-20"}]
    pools = {name: {"department": "office", "skills": [name]} for name in ("desk", "back")}
    changes = {
        "clock": clock,
        "pools": pools | {"all": {"department": "office", "skills": ["desk", "back"]}},
        "staffing": {"desk": {"always": 2}, "back": {"always": 2}},
        "workers": {"eva": {"pool": "all", "shifts": ["always"], "absent": away}},
    }
    (found,) = lint(Scenario.model_validate(written(changes, check={"same_as": "draft"})))
    assert (found.severity, found.where) == ("warning", "processes.p.steps.check.same_as")
    assert (
        found.message == "check: of those who can do 'draft' too nobody is ever on duty (eva); the rule has no effect"
    )


def owners_of(data: dict[str, Any], step: str) -> list[tuple[str, int, int, list[str]]]:
    """(item that it is for, kept, case of the owner, items that exclude) of the visits to a step in the first cases."""
    work = prepare.workload(Scenario.model_validate(data), 1, 0)
    names = [f"{work.case[i]}.{work.steps.names[s]}{work.visit[i]}" for i, s in enumerate(work.step)] + ["-"]
    of, rows = work.owners, np.flatnonzero(work.step == work.steps.names.index(step))
    return [
        (names[of.item[i]], int(of.kept[i]), int(of.of_case[i]), [names[row[i]] for row in of.not_by]) for i in rows
    ]


def test_the_last_visit_before_is_known_beforehand() -> None:
    """Each check is for who drafted last: the draft before it, not the first one nor one of another case."""
    rule = {"same_as": {"step": "draft", "rule": "required", "wait": "30 min"}, "not_same_as": ["check"]}
    data = written(check={**rule, "next": {"draft": 0.4, "end": 0.6}})
    work = prepare.workload(Scenario.model_validate(data), 1, 0)
    found = owners_of(data, "check")
    checks = np.flatnonzero(work.step == work.steps.names.index("check"))
    assert max(work.visit[checks]) >= 2
    for (made, kept, of_case, others), i in zip(found, checks, strict=True):
        case, visit = work.case[i], work.visit[i]
        assert made == f"{case}.draft{visit}"
        assert (kept, of_case) == (30 * MINUTE, -1)
        assert others == [f"{case}.check{visit - 1}" if visit else "-"]


def test_the_way_to_an_item_is_that_of_its_case() -> None:
    """Among loops and branches: what `last_before` finds is what one finds going back from item to item."""
    task = {"kind": "task", "time": "5 min", "skill": "desk", "same_as": "look"}
    steps = {
        "draft": {**task, "next": {"look": 0.6, "both": 0.4}},
        "look": {**task, "automated": {"share": 0.3}, "next": {"draft": 0.5, "both": 0.5}},
        "both": {"kind": "parallel", "branches": ["left", "right"], "join": "met"},
        "left": {**task, "same_as": "draft", "next": {"left": 0.3, "met": 0.7}},
        "right": {**task, "same_as": "right", "next": {"right": 0.4, "met": 0.6}},
        "met": {"kind": "join", "next": "check"},
        "check": {**task, "same_as": "left", "not_same_as": ["right", "check"], "next": {"draft": 0.4, "end": 0.6}},
    }
    data = written(
        {"clock": {"start": "2026-03-02", "horizon": "6 h"}, "processes": {"p": {"start": "draft", "steps": steps}}}
    )
    work = prepare.workload(Scenario.model_validate(data), 1, 0)
    names = [work.steps.names[s] for s in work.step]
    before: dict[int, set[int]] = {i: set() for i in range(work.n_items)}
    for i, after in enumerate(work.next_item.tolist()):
        follow = [after] if after >= 0 else []
        if after == FORK:
            place = work.fork_item.tolist().index(i)
            follow = work.fork_target[work.fork_first[place] : work.fork_first[place + 1]].tolist()
        for k in follow:
            before[k] |= {i} | before[i]  # predecessors have lower numbers

    def last(item: int, step: str) -> int:
        return max((k for k in before[item] if names[k] == step and work.skill[k] >= 0), default=-1)

    for i in np.flatnonzero(work.skill >= 0).tolist():
        assert work.owners.item[i] == last(i, steps[names[i]]["same_as"])
        others = [*steps[names[i]].get("not_same_as", []), "", ""][:2]
        assert work.owners.not_by[:, i].tolist() == [last(i, step) for step in others]
    assert (work.owners.item[np.array(names) == "right"] >= 0).any()


def test_automated_visits_were_done_by_nobody() -> None:
    data = written(draft={"automated": {"share": 0.5}}, check={"same_as": "draft"})
    work = prepare.workload(Scenario.model_validate(data), 1, 0)
    by_hand = work.skill[work.step == work.steps.names.index("draft")] >= 0
    assert 0 < by_hand.sum() < len(by_hand)
    assert [made != "-" for made, *_ in owners_of(data, "check")] == by_hand.tolist()


def test_levels_of_an_approval_count_as_the_approval() -> None:
    """Whoever approved, on whatever level, does not pay."""
    approve = {"kind": "approval", "by": "amount", "levels": {100: "desk"}, "above": "back", "time": "1 min"}
    steps = {
        "draft": {"next": "approve"},
        "approve": {**approve, "next": "check"},
        "check": {"not_same_as": "approve", "same_as": {"owner_of": "case"}},
    }
    amount = {"numbers": {"kind": "uniform", "low": 0, "high": 200}}
    classes = {"ordinary": {"process": "p", "attributes": {"amount": amount}}}
    found = owners_of(written({"case_classes": classes}, checkers=3, **steps), "check")
    assert {others[0].split(".")[1] for *_, others in found} == {"approve_desk0", "approve_back0"}
    assert [of_case for _, _, of_case, _ in found] == list(range(len(found)))


def test_a_follow_up_is_for_the_owner_of_the_case_before() -> None:
    repeat = {"repeat": {"share": 0.5, "after": "1 h"}}
    classes = {"ordinary": {"process": "p", **repeat}}
    data = written({"case_classes": classes}, check={"same_as": {"owner_of": "previous_case"}})
    work = prepare.workload(Scenario.model_validate(data), 1, 0)
    leader = dict(zip(work.followers.case.tolist(), work.followers.after.tolist(), strict=True))
    assert leader
    rows = np.flatnonzero(work.step == work.steps.names.index("check"))
    assert work.owners.of_case[rows].tolist() == [leader.get(case, -1) for case in work.case[rows].tolist()]


def test_edits_keep_the_rules() -> None:
    """Skipped: nobody did it. Merged: who did the merged visit. One visit cannot be for two people."""
    sign = {"kind": "task", "time": "5 min", "skill": "back", "next": "end", "same_as": "check"}
    steps = {"check": {"next": "sign"}, "sign": sign}
    skip = {"kind": "skip", "process": "p", "step": "check"}
    assert {made for made, *_ in owners_of(written({"edits": {"e": skip}}, **steps), "sign")} == {"-"}
    merge = {"kind": "merge", "process": "p", "steps": ["draft", "check"]}
    merged = written({"edits": {"e": merge}}, **steps)
    assert {made.split(".")[1] for made, *_ in owners_of(merged, "sign")} == {"draft0"}
    four_eyes = written({"edits": {"e": merge}}, check={"not_same_as": "draft"})
    assert refused(four_eyes) == "'check' is not for who did 'draft' (`not_same_as`); one visit cannot do both"


def test_who_goes_on_at_once_does_two_steps_as_one() -> None:
    """Everybody looks at the checks first, and each is for who drafted: to the tick, and to the person, as if both were
    one visit."""
    both = {"department": "office", "skills": {"desk": {"preference": 2}, "back": {"preference": 1}}}
    time = {"time": {"kind": "exponential", "mean": "11 min"}}
    rule = {"same_as": {"step": "draft", "rule": "required"}}
    apart = {"pools": {"back": both}, "staffing": {"back": {"always": 4}}}
    merge = {"e": {"kind": "merge", "process": "p", "steps": ["draft", "check"]}}
    two = simulate(Scenario.model_validate(written(apart, draft=time, check=rule | time)))
    one = simulate(Scenario.model_validate(written(apart | {"edits": merge}, draft=time, check=rule | time)))
    anybody = simulate(Scenario.model_validate(written(apart, draft=time, check=time)))
    assert two.workload.n_items == 2 * one.workload.n_items > 400
    assert np.array_equal(two.log.left_at, one.log.left_at)
    drafts, checks = two.log.worker[::2], two.log.worker[1::2]
    assert np.array_equal(drafts, one.log.worker) and np.array_equal(drafts[checks >= 0], checks[checks >= 0])
    assert not np.array_equal(anybody.log.worker[::2], anybody.log.worker[1::2])


def test_rules_leave_every_draw_as_it_was() -> None:
    """The workload is the same but for whose it is."""
    plain = prepare.workload(Scenario.model_validate(written()), 1, 0)
    ruled = prepare.workload(Scenario.model_validate(written(check={"same_as": "draft"})), 1, 0)
    assert ruled.owners and not plain.owners
    for column in dataclasses.fields(plain):
        if isinstance(value := getattr(plain, column.name), np.ndarray):
            assert np.array_equal(value, getattr(ruled, column.name)), column.name
