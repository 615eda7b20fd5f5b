"""Approvers who say nothing: by hand with the whole log, and cases that go on both ways in a scenario."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from conftest import MORE
from flows import processes
from hypothesis import given, settings
from pydantic import ValidationError
from worlds import ALWAYS, Case, Do, Gate, Person, Quiet, Team, World, expect, mapping, tiny

from servsim.dispatch import still_to_do
from servsim.engines import Engine
from servsim.kpis import KPIS
from servsim.model import Scenario
from servsim.model.errors import InputError
from servsim.quantities import HOUR, MINUTE
from servsim.records import Leaves, Outcome, Run
from servsim.report.logs import TRANSITIONS, events
from servsim.report.story import story
from servsim.simulate import simulate


def approval(silent: Quiet, work: int = 5, **more: Any) -> Do:
    return Do("desk", work, step="sign", silent=silent, **more)


LONG = Do("desk", 60)
TEAMS = {"desk": Team({"desk": 0}), "head": Team({"head": 0})}


def office(cases: dict[str, Case], **changes: Any) -> World:
    people = {"ann": Person("desk", ALWAYS), "bob": Person("head", ALWAYS)}
    return World(**{"teams": TEAMS, "people": people, "cases": cases, "until": 1000, **changes})


def test_rule_13_silence_decides_and_the_case_goes_on(engine: Engine) -> None:
    """Ann is busy until 60; b waits from 10 and is decided at 40, c is begun at 60, one minute before."""
    cases = {
        "a": Case(0, [LONG]),
        "b": Case(10, [approval(Quiet(30)), Do("head", 5)]),
        "c": Case(31, [approval(Quiet(30))]),
    }
    expect(
        engine,
        office(cases),
        """
        a 0 0 0 60 ann
        b.sign 10 10 40 40
        b.head 40 40 40 45 bob
        c 31 31 60 65 ann
        silence on b.sign 40
        left a 60, b 45, c 65
        """,
    )


def test_rule_13_who_begins_at_that_tick_has_answered(engine: Engine) -> None:
    """Ann completes a at 60, in phase 1; silence would speak of b in phase 9 of the same tick."""
    cases = {"a": Case(0, [LONG]), "b": Case(30, [approval(Quiet(30))])}
    expect(engine, office(cases), "a 0 0 0 60 ann\nb 30 30 60 65 ann\nleft a 60, b 65")


def test_rule_13_another_verdict_is_another_way(engine: Engine) -> None:
    """What would have been returned goes on; what nobody would have rejected is rejected."""
    cases = {
        "a": Case(0, [LONG]),
        "b": Case(0, [approval(Quiet(20, way=[Do("head", 3)])), Do("desk", 7), Do("head", 9)]),
        "c": Case(0, [approval(Quiet(20, way=[], rejected=True)), Do("head", 4)]),
    }
    expect(
        engine,
        office(cases),
        """
        a 0 0 0 60 ann
        b.sign 0 0 20 20
        b.silence 20 20 20 20
        b.head 20 20 20 23 bob
        b.desk - - - -
        b.head2 - - - -
        c.sign 0 0 20 20
        c.silence 20 20 20 20
        c.head - - - -
        silence on b.sign 20
        silence on c.sign 20
        left a 60, b 23, c 20 rejected
        """,
    )


def test_rule_13_to_the_queue_of_somebody_else(engine: Engine) -> None:
    """At 20 b stands before c at Bob's, being offered earlier; he is free at 25. Later nothing more is heard of it."""
    cases = {
        "a": Case(0, [LONG]),
        "x": Case(0, [Do("head", 25)]),
        "b": Case(0, [approval(Quiet(20, to="head"))]),
        "c": Case(10, [Do("head", 4)]),
    }
    expect(
        engine,
        office(cases),
        """
        a 0 0 0 60 ann
        x 0 0 0 25 bob
        b 0 0 25 30 bob
        c 10 10 30 34 bob
        silence on b 20
        left a 60, x 25, b 30, c 34
        """,
    )


def test_rule_13_open_hours_only(engine: Engine) -> None:
    """20 of open time from 5: five until 10, then fifteen from 30; offered in closed time at 12: twenty from 30."""
    cases = {
        "a": Case(0, [LONG]),
        "b": Case(5, [approval(Quiet(20, open_hours=True))]),
        "c": Case(12, [approval(Quiet(20, open_hours=True))]),
    }
    expect(
        engine,
        office(cases, hours=[(0, 10), (30, 50), (55, 100)]),
        """
        a 0 0 0 60 ann
        b 5 5 45 45
        c 12 12 50 50
        silence on b 45
        silence on c 50
        left a 60, b 45, c 50
        """,
    )


def test_rule_13_what_is_interrupted_has_been_begun(engine: Engine) -> None:
    """Ann goes at 10 and lays the approval down; that is not silence."""
    world = tiny(
        {"a": Case(5, [approval(Quiet(10), work=10)])},
        staff={"ann": [(0, 10), (40, 100)]},
        teams={"desk": Team({"desk": 0}, "suspend")},
    )
    expect(engine, world, "a 5 5 5 45 ann\nann: a 5-10\nann: a 40-45\nleft a 45")


def test_rule_13_meetings_that_are_not_held(engine: Engine) -> None:
    """The next one is at 100; b has waited long enough at 60, c is on its agenda."""
    board = {"board": Gate([0, 100])}
    cases = {
        "b": Case(10, [Do(None, 5, gate="board", step="board~", silent=Quiet(50))]),
        "c": Case(60, [Do(None, 5, gate="board", step="board~", silent=Quiet(50))]),
    }
    expect(
        engine,
        office(cases, gates=board),
        "b 10 10 60 60\nc 60 60 100 105\nsilence on b 60\nleft b 60, c 105",
    )


def test_rule_13_in_a_branch_it_comes_to_the_join_instead(engine: Engine) -> None:
    """The join waits for the other branch, and for one of both ways of this one."""
    branch = [approval(Quiet(20, way=[Do("head", 2)])), Do("desk", 7)]
    cases = {"a": Case(0, [LONG]), "b": Case(0, [(branch, [Do("head", 30)]), Do("head", 1)])}
    expect(
        engine,
        office(cases),
        """
        a 0 0 0 60 ann
        b.fork 0 0 0 0
        b.sign 0 0 20 20
        b.silence 20 20 20 20
        b.head 20 20 30 32 bob
        b.desk - - - -
        b.head2 0 0 0 30 bob
        b.join 32 32 32 32
        b.head3 32 32 32 33 bob
        silence on b.sign 20
        left a 60, b 33
        """,
    )


def test_rule_13_the_customer_may_give_up_before(engine: Engine) -> None:
    cases = {"a": Case(0, [LONG]), "b": Case(0, [approval(Quiet(20), answers=True)], patience=20)}
    expect(engine, office(cases), "a 0 0 0 60 ann\nb 0 0 - -\nleft a 60, b 20 abandoned")


# ------------------------------------------------------------------ in a scenario


def config(silence: dict[str, Any] | None, steps: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Serve, then sign; the boss comes at night only, so that silence decides whatever arrives by day."""
    serve = {"kind": "task", "skill": "desk", "time": {"kind": "exponential", "mean": "5 min"}, "next": "sign"}
    told = {"silence": silence} if silence else {}
    sign = {"kind": "approval", "skill": "boss", "time": "1 min", "next": "file", **told, **more}
    file = {"kind": "task", "skill": "desk", "time": {"kind": "exponential", "mean": "3 min"}, "next": "end"}
    return mapping(
        clock={"start": "2026-03-02", "horizon": "18 h", "run_out": "2 h"},
        pools={name: {"department": "office"} for name in ("desk", "boss", "head")},
        shifts={
            "always": {"days": "all", "hours": "00:00-24:00"},
            "night": {"days": "all", "hours": "23:00-24:00"},
        },
        staffing={"desk": {"always": 30}, "boss": {"night": 1}, "head": {"always": 30}},
        processes={"p": {"start": "serve", "steps": {"serve": serve, "sign": sign, "file": file, **(steps or {})}}},
        calendars={"office": {"days": "mon-fri", "hours": "09:00-17:00"}},
    )


def ran(of: dict[str, Any]) -> Run:
    return simulate(Scenario.model_validate(of))


VERDICT = {"return": 0.4, "return_to": "serve", "reject": 0.3}
HALF_AN_HOUR = {"after": "30 min", "then": "approve"}


def stays(run: Run) -> list[int]:
    """How long each case that has left stayed."""
    return [int(left - at) for left, at in zip(run.log.left_at, run.workload.arrived_at, strict=True) if left >= 0]


def waiting() -> dict[str, Any]:
    """In place of the approval half an hour of waiting, then on."""
    of = config(None)
    of["processes"]["p"]["steps"]["sign"] = {"kind": "delay", "time": "30 min", "next": "file"}
    return of


@pytest.mark.parametrize("verdict", [VERDICT, {}, {"reject": 1.0}])
def test_always_approved_by_silence_is_as_if_one_had_only_waited(verdict: dict[str, Any]) -> None:
    """Whatever would have been said: the same times of the same steps, drawn alike."""
    silent, waited = ran(config(HALF_AN_HOUR, **verdict)), ran(waiting())
    assert len(stays(waited)) > 100
    assert stays(silent) == stays(waited)
    assert (silent.log.outcome == waited.log.outcome).all()


def test_approved_one_after_the_other_by_silence_is_as_if_one_had_only_waited() -> None:
    """Three links and a step between them that cases pass twice: ways branch off from ways."""
    back = {"kind": "handoff", "to": "office", "delay": "2 min", "returned": 0.5, "back_to": "serve", "next": "end"}
    chain = {"chain": ["boss", {"skill": "boss", "reject": 0.1}, "boss"], "skill": None, **VERDICT}
    of = config(HALF_AN_HOUR, {"over": back}, **chain)
    of["processes"]["p"]["steps"]["file"]["next"] = "over"
    of["demand"]["calls"]["arrivals"]["rate"] = "3/h"
    plain = config(None, {"over": back})
    plain["demand"]["calls"]["arrivals"]["rate"] = "3/h"
    plain["processes"]["p"]["steps"]["sign"] = {"kind": "delay", "time": "90 min", "next": "file"}
    plain["processes"]["p"]["steps"]["file"]["next"] = "over"
    silent, waited = ran(of), ran(plain)
    assert len(stays(waited)) > 30
    assert stays(silent) == stays(waited)


def branches(sign: dict[str, Any]) -> dict[str, Any]:
    steps = {
        "fork": {"kind": "parallel", "branches": ["one", "two"], "join": "both"},
        "one": {"kind": "task", "skill": "desk", "time": {"kind": "exponential", "mean": "9 min"}, "next": "sign"},
        "two": {"kind": "task", "skill": "desk", "time": {"kind": "exponential", "mean": "40 min"}, "next": "both"},
        "both": {"kind": "join", "next": "file"},
    }
    of = config(None, steps)
    of["processes"]["p"]["steps"]["serve"]["next"] = "fork"
    of["processes"]["p"]["steps"]["sign"] = sign
    return of


def test_in_branches_ways_join_again() -> None:
    """Returned within the branch or not, silence leads to the join, where there is one case again."""
    sign = {"kind": "approval", "skill": "boss", "time": "1 min", "next": "both", "return": 0.6, "return_to": "one"}
    silent = ran(branches({**sign, "silence": HALF_AN_HOUR}))
    waited = ran(branches({"kind": "delay", "time": "30 min", "next": "both"}))
    assert len(stays(waited)) > 100
    assert stays(silent) == stays(waited)
    joins = np.flatnonzero(silent.workload.step == silent.workload.steps.names.index("both"))
    assert len(joins) == silent.workload.n_cases
    assert (silent.workload.n_predecessors[joins] == 2).all()


@settings(max_examples=round(25 * MORE))
@given(flow=processes())
def test_in_any_process_silence_leads_on_as_waiting_would(flow: dict[str, Any]) -> None:
    """Branches in branches, detours, hand-overs that come back: each case goes one way, and all of it."""
    waits = copy.deepcopy(flow)
    for name, step in flow["p"]["steps"].items():
        if step["kind"] == "approval":
            back = {"return": 0.5, "return_to": name, "rounds": 2}
            step |= {**back, **step, "skill": "boss", "silence": {"after": "3 min", "then": "approve"}}
            waits["p"]["steps"][name] = {"kind": "delay", "time": "3 min", "next": step["next"]}
    at = {"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "2/h"}}}
    silent, waited = (ran({**config(None), "processes": processes, "demand": at}) for processes in (flow, waits))
    assert stays(silent) == stays(waited)
    assert (silent.log.outcome == waited.log.outcome).all()
    asked = [step["kind"] == "approval" for step in map(flow["p"]["steps"].get, waited.workload.steps.names) if step]
    done = np.array(asked, bool)[waited.workload.step] & (waited.log.completed_at >= 0)
    assert len(silent.log.silent_item) == done.sum()


def test_rejected_by_silence() -> None:
    run = ran(config({"after": "30 min", "then": "reject"}, **VERDICT))
    by_day = (run.log.left_at >= 0) & (run.workload.arrived_at < 18 * HOUR)
    assert (run.log.outcome[by_day] == Outcome.REJECTED).all()
    assert dict(KPIS["silent_approvals"].function(run))["all"] == 1
    assert dict(KPIS["returns_per_case"].function(run))["all"] == 0


def test_silence_that_never_comes_changes_nothing() -> None:
    """All draws stay, and so does what happens, of the items that are there without it."""
    plain, silent = (
        ran({**config(told, **VERDICT), "staffing": {"desk": {"always": 30}, "boss": {"always": 3}, "head": {}}})
        for told in (None, {"after": "9 h", "then": "approve"})
    )
    assert stays(plain) == stays(silent)
    assert not len(silent.log.silent_item)
    usual = silent.workload.silences.world < 0
    assert (silent.log.completed_at[usual] == plain.log.completed_at).all()
    assert (silent.log.enabled_at[~usual] < 0).all()
    assert usual.sum() < len(usual)


def test_escalated_by_silence_to_the_head() -> None:
    run = ran(config({"after": "30 min", "then": {"escalate": "head"}}, **VERDICT))
    signed = np.flatnonzero(run.workload.step == run.workload.steps.names.index("sign"))
    begun = signed[run.log.started_at[signed] >= 0]
    assert {run.plan.pools[p] for p in run.plan.worker_pool[run.log.worker[begun]]} == {"head"}
    assert (run.log.started_at[begun] - run.log.offered_at[begun] == 30 * MINUTE).all()
    assert dict(KPIS["silent_approvals"].function(run))["all"] == 0
    assert dict(KPIS["escalation_rate"].function(run))["all"] == 1  # of all cases: each is signed once


def test_in_office_hours_of_a_calendar() -> None:
    """Asked at night or in the morning before nine: half an hour after nine."""
    run = ran(config({"after": "30 min", "then": "approve", "clock": "office"}, **VERDICT))
    log, item = run.log, run.log.silent_item
    asked, said = log.offered_at[item], log.silent_at
    early = asked < 9 * HOUR
    assert early.any()
    assert (said[early] == 9 * HOUR + 30 * MINUTE).all()
    later = (asked >= 9 * HOUR) & (asked < 16.5 * HOUR)
    assert (said[later] - asked[later] == 30 * MINUTE).all()


def test_signatures_given_by_silence_are_not_refused() -> None:
    """Done first, signed later: nothing is done again, nothing is paid, and the case leaves with the last word."""
    late = {"timing": "after", "late_refusal": {"share": 0.7, "cost": 10, "redo": "file"}}
    silent, asked = (ran(config(told, **late)) for told in (HALF_AN_HOUR, None))
    assert dict(KPIS["late_refusal_share"].function(silent))["all"] == 0
    assert dict(KPIS["cost_late_refusals"].function(silent))["all"] == 0
    assert (silent.workload.refused == 1).sum() == (asked.workload.refused == 1).sum() > 0
    done = silent.log.left_at >= 0
    first = silent.workload.first_item[:-1]
    served = silent.log.completed_at[first]
    filed = silent.delivered_at
    assert (silent.log.left_at[done] == np.maximum(filed, served + 30 * MINUTE)[done]).all()
    assert (silent.workload.leaves > Leaves.NOT).sum() == silent.workload.n_cases


def test_each_link_of_a_chain_may_say_what_its_silence_means() -> None:
    links = [{"skill": "boss", "silence": {"after": "10 min", "then": "approve"}}, "boss"]
    run = ran(config(HALF_AN_HOUR, chain=links, skill=None))
    log, names = run.log, run.workload.steps.names
    took = (log.completed_at - log.offered_at)[run.silent]
    by_step = {names[s]: {int(t) for t in took[run.workload.step[run.silent] == s]} for s in range(len(names))}
    assert by_step["sign"] == {10 * MINUTE}
    assert by_step["sign_2"] == {30 * MINUTE}


def test_told_in_the_story_and_exported() -> None:
    run = ran(config(HALF_AN_HOUR, **VERDICT))
    item = int(run.silent[0])
    lines = story(run, int(run.workload.case[item]))
    assert "sign: nobody has said a word in time, approved by silence" in lines
    assert "sign_silent" not in lines
    found = events(run)
    own = [TRANSITIONS[t] for t in found.transition[found.item == item]]
    assert own == ["schedule", "autoskip"]


@pytest.mark.parametrize(
    ("silence", "more", "path", "told"),
    [
        ({"after": "0 min", "then": "approve"}, {}, "silence.after", "longer than zero"),
        ({"after": "1 d", "then": "aprove"}, {}, "silence.then", "did you mean approve"),
        ({"after": "1 d", "then": {"escalate": "heed"}}, {}, "silence.then.escalate", "did you mean head"),
        ({"after": "1 d", "then": "approve", "clock": "ofice"}, {}, "silence.clock", "did you mean office"),
        (HALF_AN_HOUR, {"timing": "skip"}, "silence", "nobody is asked"),
        ({"after": "1 d", "then": "reject"}, {"timing": "after"}, "silence.then", "signed after the work"),
        (
            {"after": "1 d", "then": {"escalate": "head"}},
            {"meeting": {"times": ["10:00"]}, "skill": None, "time": "0 min"},
            "silence.then",
            "no queue to leave",
        ),
    ],
)
def test_refused(silence: dict[str, Any], more: dict[str, Any], path: str, told: str) -> None:
    with pytest.raises(ValidationError) as error:
        Scenario.model_validate(config(silence, **more))
    (found,) = error.value.errors()
    assert ".".join(map(str, found["loc"])) == f"processes.p.steps.sign.{path}"
    assert told in found["msg"]


def test_a_way_out_of_a_branch_is_refused() -> None:
    sign = {"kind": "approval", "skill": "boss", "time": "1 min", "next": "both"}
    with pytest.raises(ValidationError, match="goes to 'rejected', which lies outside the branches"):
        Scenario.model_validate(branches({**sign, "silence": {"after": "1 h", "then": "reject"}}))


def test_work_still_to_do_is_that_of_the_way_one_is_on() -> None:
    """For the rule `slack`: other ways are no work to come, but behind a verdict by silence that way is."""
    plain, silent = (ran(config(told, **VERDICT)).workload for told in (None, HALF_AN_HOUR))
    usual = silent.silences.world < 0
    assert (still_to_do(silent)[usual] == still_to_do(plain)).all()
    first = np.flatnonzero(np.array(silent.steps.kind)[silent.step] == "silence")
    filed = silent.step[first + 1] == silent.steps.names.index("file")
    behind = [first[silent.silences.world[first] == world][0] for world in np.unique(silent.silences.world[first])]
    assert filed.any()
    for item in behind:
        own = np.flatnonzero(silent.silences.world == silent.silences.world[item])
        own = own[(silent.case[own] == silent.case[item]) & (silent.skill[own] >= 0)]
        assert still_to_do(silent)[item] == silent.work[own].sum()


def test_too_many_ways_are_refused() -> None:
    """Each return is a verdict that silence may change, and every way from there holds as many again."""
    of = config(HALF_AN_HOUR, chain=["boss"] * 4, skill=None, **{**VERDICT, "return": 0.7, "rounds": 5})
    with pytest.raises(InputError, match=r"processes\.p\.steps\.sign.*more than 100 ways for each case"):
        ran(of)


@pytest.mark.parametrize("silent", [False, True])
def test_rule_7_what_moves_to_a_queue_ranked_by_work_has_its_work_as_rank(engine: Engine, silent: bool) -> None:
    """The last in its own queue, it has the shortest work of those that wait in the other one."""
    do = Do("desk", 3, rank=9, step="a", silent=Quiet(5, to="back") if silent else None)
    cases = {"a": Case(0, [do]), "b": Case(0, [Do("back", 5, rank=1)]), "c": Case(0, [Do("back", 2)])}
    world = tiny(
        cases,
        teams={"desk": Team({"desk": 0}), "back": Team({"back": 0})},
        staff={"bob": Person("back", [(10, 1000)])},
        escalate={} if silent else {"desk": (5, "back")},
        by_work_left=["back"],
    )
    left = world.run(engine).log.left_at / world.unit
    assert left.tolist() == [15, 20, 12]
