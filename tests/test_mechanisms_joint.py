"""Several workers at once on one item: by hand with the whole log, on random worlds, and from scenarios (rule 16)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import MORE
from pydantic import ValidationError
from test_laws import compared
from worlds import Case, Do, Failing, Person, Team, World, at_desk, expect, mapping, random_world, tiny

from servsim.engines import Engine
from servsim.lint import lint
from servsim.model import Scenario
from servsim.report.logs import write_csv
from servsim.report.story import story
from servsim.simulate import SimulatedRun, simulate

ALL_DAY = [(0, 1000)]


def two(cases: dict[str, Case], **changes: Any) -> World:
    """Ann and bob at one desk."""
    return tiny(cases, staff={"ann": ALL_DAY, "bob": ALL_DAY}, **changes)


def both(at: int, *work: int, workers: int = 2, **more: Any) -> Case:
    return at_desk(at, *work, workers=workers, **more)


# ------------------------------------------------------------------ who waits for whom


def test_rule_16_the_first_in_the_queue_waits_for_both_and_nobody_overtakes(engine: Engine) -> None:
    """Truth M62: bob is idle from 546 to 560, and k3 waits."""
    expect(
        engine,
        two({"k1": at_desk(540, 20), "k2": both(545, 10), "k3": at_desk(546, 5)}),
        """
        k1 540 540 540 560 ann
        k2 545 545 560 570 bob
        k3 546 546 570 575 ann
        ann helps: k2 560-570
        left k1 560, k2 570, k3 575
        """,
    )


def test_rule_16_with_backfilling_a_smaller_one_goes_first(engine: Engine) -> None:
    """k3 fits in; k4 comes at 551 and keeps bob until 571, so that k2 waits for longer than without."""
    cases = {"k1": at_desk(540, 20), "k2": both(545, 10), "k3": at_desk(546, 5), "k4": at_desk(551, 20)}
    expect(
        engine,
        two(cases, backfilling=["desk"]),
        """
        k1 540 540 540 560 ann
        k2 545 545 571 581 ann
        k3 546 546 546 551 bob
        k4 551 551 551 571 bob
        bob helps: k2 571-581
        left k1 560, k2 581, k3 551, k4 571
        """,
    )


def skilled(cases: dict[str, Case], prefers: tuple[int, int], **changes: Any) -> World:
    """Ann and bob can do calls and visits."""
    people = {name: Person("field", ALL_DAY) for name in ("ann", "bob")}
    team = Team({"calls": prefers[0], "visits": prefers[1]})
    return World(**{"teams": {"field": team}, "people": people, "cases": cases, "until": 1000, **changes})


MIXED = {
    "a": Case(0, [Do("calls", 10)]),
    "v": Case(2, [Do("visits", 5, workers=2)]),
    "b": Case(3, [Do("calls", 4)]),
}


def test_rule_16_a_stream_of_calls_does_not_starve_a_visit(engine: Engine) -> None:
    """Bob is held for v, which came before b."""
    expect(
        engine,
        skilled(MIXED, (0, 0)),
        """
        a 0 0 0 10 ann
        v 2 2 10 15 bob
        b 3 3 15 19 ann
        ann helps: v 10-15
        left a 10, v 15, b 19
        """,
    )


def test_rule_16_what_a_pool_prefers_goes_on(engine: Engine) -> None:
    expect(
        engine,
        skilled(MIXED, (0, 1)),
        """
        a 0 0 0 10 ann
        v 2 2 10 15 bob
        b 3 3 3 7 bob
        ann helps: v 10-15
        left a 10, v 15, b 7
        """,
    )


def test_rule_16_who_gives_up_sets_free_those_who_waited(engine: Engine) -> None:
    cases = {"a": at_desk(0, 10), "v": both(2, 5, patience=4), "b": at_desk(3, 2)}
    cases["v"] = replace(cases["v"], path=[replace(cases["v"].path[0], answers=True)])  # type: ignore[type-var]
    expect(
        engine,
        two(cases),
        """
        a 0 0 0 10 ann
        v 2 2 - -
        b 3 3 6 8 bob
        left a 10, v 6 abandoned, b 8
        """,
    )


def test_rule_16_two_that_lack_somebody_do_not_block_each_other(engine: Engine) -> None:
    """Each pool prefers another skill; when all four are idle the least match is made, whoever is held for what."""
    teams = {"P": Team({"A": 0, "B": 1}), "Q": Team({"B": 0, "A": 1})}
    people = {"p": Person("P", ALL_DAY), "q": Person("Q", [(5, 1000)])}
    cases = {"a": Case(0, [Do("A", 3, workers=2)]), "b": Case(0, [Do("B", 3, workers=2)])}
    expect(
        engine,
        World(teams=teams, people=people, cases=cases, until=1000),
        """
        a 0 0 5 8 p
        b 0 0 8 11 q
        q helps: a 5-8
        p helps: b 8-11
        left a 8, b 11
        """,
    )


def test_rule_16_what_is_held_back_holds_nobody(engine: Engine) -> None:
    """Of three, one is kept for priority 1: the ordinary pair needs three idle, and b goes first meanwhile."""
    staff = {"ann": ALL_DAY, "bob": ALL_DAY, "cy": ALL_DAY}
    cases = {
        "a": replace(at_desk(0, 10), priority=1),
        "v": replace(both(1, 5), priority=2),
        "b": replace(at_desk(2, 3), priority=1),
    }
    expect(
        engine,
        tiny(cases, staff=staff, hold_back={"desk": (1, 1)}),
        """
        a 0 0 0 10 ann
        v 1 1 10 15 cy
        b 2 2 2 5 bob
        bob helps: v 10-15
        left a 10, v 15, b 5
        """,
    )


# ------------------------------------------------------------------ together


def test_rule_16_the_slowest_sets_the_pace(engine: Engine) -> None:
    """At 100 % and 50 %: ten minutes of work take twenty; the slowest is the worker of the log."""
    staff = {"ann": Person("desk", ALL_DAY), "bob": Person("desk", ALL_DAY, pace=50)}
    expect(engine, tiny({"v": both(0, 10)}, staff=staff), "v 0 0 0 20 bob\n ann helps: v 0-20\n left v 20")


def test_rule_16_times_of_their_own_count_for_who_is_slowest(engine: Engine) -> None:
    world = two({"v": both(0, 10)}, own={"ann": {"desk": 12}, "bob": {"desk": 4}})
    expect(engine, world, "v 0 0 0 12 ann\n bob helps: v 0-12\n left v 12")


def test_rule_16_nobody_takes_part_who_could_not_finish_with_the_others(engine: Engine) -> None:
    """With bob, who is half as fast, ann would not be done at 12, so cy works with her; from 20 on cy can stay with
    bob."""
    team = Team({"desk": 0}, "no_late_start")
    staff = {
        "ann": Person("desk", [(0, 12)]),
        "bob": Person("desk", [(0, 40)], pace=50),
        "cy": Person("desk", [(0, 11), (20, 40)]),
    }
    expect(
        engine,
        tiny({"v": both(0, 10), "w": both(0, 10)}, teams={"desk": team}, staff=staff),
        """
        v 0 0 0 10 ann
        w 0 0 20 40 bob
        cy helps: v 0-10
        cy helps: w 20-40
        left v 10, w 40
        """,
    )


# ------------------------------------------------------------------ all or nobody


def ends(rule: str, limit: int | None = None, **changes: Any) -> World:
    """Ann goes at 10, cy comes at 12."""
    staff = {"ann": [(0, 10)], "bob": [(0, 100)], "cy": [(12, 100)]}
    teams = {"desk": Team({"desk": 0}, rule, overtime_limit=limit)}
    return tiny({"v": both(4, 10), "b": at_desk(5, 1)}, teams=teams, staff=staff, **changes)


def test_rule_16_end_of_shift_finish(engine: Engine) -> None:
    expect(
        engine,
        ends("finish"),
        """
        v 4 4 4 14 ann
        b 5 5 12 13 cy
        bob helps: v 4-14
        left v 14, b 13
        """,
    )


@pytest.mark.parametrize(("rule", "done"), [("suspend", 16), ("restart", 22)])
def test_rule_16_end_of_shift_of_one_is_that_of_all(engine: Engine, rule: str, done: int) -> None:
    """At 10 bob is free, and held for v, which stands before b again; at 12 cy takes ann's part."""
    expect(
        engine,
        ends(rule),
        f"""
        v 4 4 4 {done} bob
        b 5 5 {done} {done + 1} bob
        ann: v 4-10
        bob: v 12-{done}
        bob helps: v 4-10
        cy helps: v 12-{done}
        left v {done}, b {done + 1}
        """,
    )


def test_rule_16_overtime_limit(engine: Engine) -> None:
    """Ann stays until 11; then v stands before b again, and waits for cy."""
    expect(
        engine,
        ends("finish", 1),
        """
        v 4 4 4 15 bob
        b 5 5 15 16 bob
        ann: v 4-11
        bob: v 12-15
        bob helps: v 4-11
        cy helps: v 12-15
        left v 15, b 16
        """,
    )


@pytest.mark.parametrize("rule", ["pause", "postpone"])
def test_rule_16_a_break_begins_after_the_item(engine: Engine, rule: str) -> None:
    staff = {"ann": Person("desk", ALL_DAY, [(5, 10, rule)]), "bob": Person("desk", ALL_DAY)}
    expect(
        engine,
        tiny({"v": both(0, 8), "w": both(1, 2)}, staff=staff),
        """
        v 0 0 0 8 ann
        w 1 1 18 20 bob
        bob helps: v 0-8
        ann helps: w 18-20
        left v 8, w 20
        """,
    )


def outage(restart: bool, needs: Sequence[str] = ()) -> World:
    """The line of ann alone is down from 4 to 6."""
    system = {"line": Failing([(4, 6, "ann")], restart=restart, separate=True)}
    team = Team({"desk": 0}, needs=["line"])
    return two({"v": both(0, 10), "b": at_desk(1, 1)}, teams={"desk": team}, systems=system)


@pytest.mark.parametrize(("restart", "done"), [(False, 12), (True, 16)])
def test_rule_16_an_outage_of_one_is_that_of_all(engine: Engine, restart: bool, done: int) -> None:
    """Bob is free at 4, and held for v."""
    expect(
        engine,
        outage(restart),
        f"""
        v 0 0 0 {done} bob
        b 1 1 {done} {done + 1} ann
        ann: v 0-4
        bob: v 6-{done}
        bob helps: v 0-4
        ann helps: v 6-{done}
        left v {done}, b {done + 1}
        """,
    )


def test_rule_16_who_interrupts_one_interrupts_all(engine: Engine) -> None:
    """u takes ann at 4, who is first in the roster; bob takes b, which comes before v; v needs both again."""
    cases = {
        "v": Case(0, [Do("desk", 10, rank=2, workers=2)]),
        "u": Case(4, [Do("desk", 3, rank=1)]),
        "b": Case(5, [Do("desk", 1, rank=1)]),
    }
    expect(
        engine,
        two(cases, preempt={"desk": "resume"}),
        """
        v 0 0 0 13 bob
        u 4 4 4 7 ann
        b 5 5 5 6 bob
        ann: v 0-4
        bob: v 7-13
        bob helps: v 0-4
        ann helps: v 7-13
        left v 13, u 7, b 6
        """,
    )


def test_rule_16_an_item_that_needs_several_interrupts_nobody(engine: Engine) -> None:
    cases = {"a": Case(0, [Do("desk", 10, rank=2)]), "v": Case(1, [Do("desk", 5, rank=1, workers=2)])}
    world = two(cases, preempt={"desk": "resume"})
    expect(engine, world, "a 0 0 0 10 ann\n v 1 1 10 15 bob\n ann helps: v 10-15\n left a 10, v 15")


def test_rule_16_who_may_not_do_it_is_not_held_for_it_and_does_not_count(engine: Engine) -> None:
    """x is for two of those who did not do what came before: it waits for bob and holds cid, while ann goes on."""
    do = Do("desk", 5, step="x", workers=2, not_as=["first"])
    cases = {
        "a": Case(0, [Do("desk", 1, step="first"), do]),
        "b": at_desk(0, 20),
        "s": at_desk(2, 30),
        "t": at_desk(3, 5),
    }
    expect(
        engine,
        tiny(cases, staff={name: [(0, 1000)] for name in ("ann", "bob", "cid")}),
        """
        a.first 0 0 0 1 ann
        a.x 1 1 20 25 cid
        b 0 0 0 20 bob
        s 2 2 2 32 ann
        t 3 3 25 30 bob
        bob helps: a.x 20-25
        left a 25, b 20, s 32, t 30
        """,
    )


# ------------------------------------------------------------------ read twice


def crowd(seed: int) -> World:
    """A random world with more people in each team and pairs and threes among the items; nobody has several places."""
    rng = random.Random(f"joint/{seed}")
    world = random_world(rng.randint)
    people = dict(world.people)
    for name in world.teams:
        for k in range(rng.randint(0, 3)):
            pace = {skill: rng.choice([100, 100, 50, 200]) for skill in world.teams[name].skills}
            people[f"{name}+{k}"] = Person(name, [(rng.randint(0, 4), world.until - rng.randint(0, 4))], pace=pace)
    teams = {name: replace(t, end_of_shift=t.end_of_shift.replace("_keep", "")) for name, t in world.teams.items()}

    def several(path: Any) -> Any:
        if isinstance(path, Do):
            return replace(path, workers=rng.choice([1, 1, 2, 2, 3]))
        return type(path)(map(several, path)) if isinstance(path, list | tuple) else path

    cases = {name: replace(case, path=several(case.path)) for name, case in world.cases.items()}
    backfilling = [skill for skill in world.skills if not rng.randint(0, 3)]
    return world.but(people=people, teams=teams, cases=cases, backfilling=backfilling)


@pytest.mark.parametrize("block", range(2))
def test_the_log_is_that_of_a_second_reading_of_the_rules(engine: Engine, block: int) -> None:
    for seed in range(block * 10_000, block * 10_000 + round(200 * MORE)):
        assert not compared(crowd(seed), engine), f"seed {seed}"


# ------------------------------------------------------------------ from a scenario


def desk(workers: Any = 2, staff: int = 3, **changes: Any) -> dict[str, Any]:
    config = mapping(staffing={"desk": {"always": staff}}, **changes)
    config["processes"]["p"]["steps"]["serve"]["workers"] = workers
    return config


def run(**changes: Any) -> SimulatedRun:
    return simulate(Scenario.model_validate(desk(**changes)), seed=1)


def test_everybody_counts_as_busy_and_is_paid_for_it() -> None:
    """Twice the time of one each; waiting and cycle time are those of the item."""
    alone, together = run(workers=1, staff=40), run(workers=2, staff=40)
    a, b = (of.kpis().set_index(["kpi", "group"]).value for of in (alone, together))
    assert b["utilisation", "all"] == pytest.approx(2 * a["utilisation", "all"])
    assert b["processing_mean", "all"] == pytest.approx(2 * a["processing_mean", "all"])
    assert b["cycle_time_mean", "all"] == a["cycle_time_mean", "all"]
    assert (together.workload.work == alone.workload.work).all()


def test_workers_by_case_class() -> None:
    classes = {"ordinary": {"process": "p"}, "complex": {"process": "p"}}
    calls = {"mix": {"ordinary": 0.5, "complex": 0.5}, "arrivals": {"kind": "poisson", "rate": "10/h"}}
    found = run(workers={"complex": 3}, case_classes=classes, demand={"calls": calls})
    helped, case_class = found.log.helper_item, found.workload.case_class[found.workload.case]
    assert set(found.workload.workers.tolist()) == {1, 3}
    assert set(case_class[helped].tolist()) == {1}
    done = (found.log.started_at >= 0) & (case_class == 1)
    assert len(helped) == 2 * done.sum()


def test_the_story_and_the_exported_log_name_everybody(tmp_path: Path) -> None:
    found = run()
    text = story(found, 0)
    assert "desk.always.1 and desk.always.2 start together" in text
    assert "desk.always.1、desk.always.2 共同开始处理" in story(found, 0, "zh")
    write_csv(found, tmp_path / "log.csv")
    rows = [line.split(",") for line in (tmp_path / "log.csv").read_text(encoding="utf-8").splitlines()[1:]]
    first = [(row[2], row[4], row[7]) for row in rows if row[0] == "0"]
    assert first == [
        ("schedule", "", "0"),
        ("start", "desk.always.1", "0"),
        ("start", "desk.always.2", "0/2"),
        ("complete", "desk.always.1", "0"),
        ("complete", "desk.always.2", "0/2"),
    ]


def test_the_load_counts_everybody() -> None:
    """Thirteen an hour of five minutes are 26 hours a day; for three at once 78, and three are there for 72."""

    def errors(workers: int) -> list[str]:
        calls = {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "13/h"}}
        found = lint(Scenario.model_validate(desk(workers, demand={"calls": calls})))
        return [finding.message for finding in found if finding.severity == "error"]

    assert not errors(2)
    assert errors(3) == ["desk: 78 h of work for 72 h on duty (108.3%); the queue grows without limit"]


def test_never_enough_at_a_time() -> None:
    """Two by day, one by night: three are never there together."""
    shifts = {"day": {"days": "all", "hours": "08:00-20:00"}, "night": {"days": "all", "hours": "20:00-08:00"}}
    config = desk(workers=3, shifts=shifts) | {"staffing": {"desk": {"day": 2, "night": 1}}}
    found = [finding for finding in lint(Scenario.model_validate(config)) if "together" in finding.message]
    assert [(f.severity, f.where) for f in found] == [("error", "processes.p.steps.serve.workers")]
    assert found[0].message == (
        "serve: needs 3 workers at once, and never more than 2 who can do desk are on duty together; "
        "it is never started"
    )


def refused(config: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as error:
        Scenario.model_validate(config)
    return [(".".join(map(str, e["loc"])), e["msg"]) for e in error.value.errors()]


WHERE = "processes.p.steps.serve.workers"


@pytest.mark.parametrize(
    ("config", "where", "what"),
    [
        (desk("two"), WHERE, 'expected a whole number ≥ 1, got "two"'),
        (desk(0), WHERE, "expected a whole number ≥ 1, got 0"),
        (desk({"ordinary": 0}), f"{WHERE}.ordinary", "expected a whole number ≥ 1, got 0"),
        (desk({"ordinry": 2}), f"{WHERE}.ordinry", "there is no case class 'ordinry'; did you mean ordinary?"),
        (desk(4), WHERE, "needs 4 workers with the skill 'desk' at once; there are never more than 3"),
        (
            desk(pools={"desk": {"department": "office", "end_of_shift": "suspend_keep"}}),
            WHERE,
            "(`suspend_keep`), which the others do not share; choose another `end_of_shift`, such as suspend",
        ),
        (
            desk(pools={"desk": {"department": "office", "at_once": {"cases": 2}}}),
            WHERE,
            "have several items in hand (`at_once`)",
        ),
        (
            desk(1, dispatch={"teams": {"desk": {"backfilling": True}}}),
            "dispatch.teams.desk.backfilling",
            "has no effect: no step with the skill 'desk' needs several `workers`",
        ),
        (desk(1, dispatch={"backfilling": True}), "dispatch.backfilling", "has no effect"),
        (
            desk(
                dispatch={"teams": {"desk": {"hold_back": {"priority": 1, "keep": 2}}}},
                case_classes={"ordinary": {"process": "p", "priority": 2}},
            ),
            WHERE,
            "needs 2 workers at once besides the 2 whom `hold_back` keeps idle; there are never more than 3",
        ),
        (
            desk(
                pools={
                    "desk": {"department": "office"},
                    "expert": {"department": "office", "end_of_shift": "suspend_keep"},
                },
                dispatch={"escalate": {"after": "1 h", "to": "expert"}},
            ),
            WHERE,
            "the workers of 'expert', who have the skill 'expert', keep what they have in hand",
        ),
    ],
)
def test_bad_input(config: dict[str, Any], where: str, what: str) -> None:
    ((at, message),) = refused(config)
    assert (at, what in message) == (where, True), message


def test_merged_steps_need_equally_many() -> None:
    config = desk()
    steps = config["processes"]["p"]["steps"]
    steps["serve"]["next"] = "check"
    steps["check"] = {"kind": "task", "skill": "desk", "time": "2 min", "next": "end"}
    config["edits"] = {"one": {"kind": "merge", "process": "p", "steps": ["serve", "check"]}}
    assert refused(config) == [
        ("edits.one.steps.1", "needs other `workers` than 'serve'; a visit has the same for all"),
    ]
    steps["check"]["workers"] = 2
    assert Scenario.model_validate(config).flow("p").steps["serve"].workers == 2  # type: ignore[attr-defined]
