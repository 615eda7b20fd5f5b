"""Demand and start: cases written out, customers who try again, a bot, a finite source, the backlog of today.

Times are minutes after the start; the whole log stands in the test.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from worlds import Case, Do, at_desk, expect, mapping, tiny

from servsim.engines import Engine
from servsim.model import Scenario
from servsim.prepare import workload
from servsim.quantities import MINUTE
from servsim.records.arrays import digest
from servsim.report.story import story
from servsim.simulate import simulate


def scenario(cases: dict[str, Any], **changes: Any) -> Scenario:
    """The shortest scenario with these cases written out."""
    demand = {"calls": {"case_class": "ordinary", "arrivals": {"kind": "listed", "cases": cases}}}
    return Scenario.model_validate(mapping(demand=demand, **changes))


def rows(of: Scenario) -> list[str]:
    """One line per item: case, step, started, completed (minutes)."""
    run = simulate(of)
    work, log = run.workload, run.log
    whole = zip(work.case.tolist(), work.step.tolist(), log.started_at, log.completed_at, strict=True)
    return [f"{c} {work.steps.names[s]} {_min(a)} {_min(b)}" for c, s, a, b in whole]


def _min(at: int) -> str:
    return "-" if at < 0 else f"{at / MINUTE:g}"


def task(following: Any = "end", skill: str = "desk", **more: Any) -> dict[str, Any]:
    return {"kind": "task", "skill": skill, "time": "1 min", "next": following, **more}


def flow(**steps: Any) -> dict[str, Any]:
    return {"p": {"start": next(iter(steps)), "steps": steps}}


# ------------------------------------------------------------------ cases written out


def test_listed_cases_come_when_they_are_written_to_with_the_work_and_the_ways_that_are_written() -> None:
    """Two returns, as in a check that fails twice: work 20, check 5, work 10, check 5, work 10, check 5."""
    cases = {
        "r1": {"at": "09:00", "work": {"work": ["20 min", "10 min", "10 min"], "check": ["5 min"] * 3},
               "next": {"check": ["work", "work", "end"]}},
        "r2": {"at": "2026-03-02 09:10", "work": {"work": "15 min", "check": "5 min"}},
    }  # fmt: skip
    shop = {
        "pools": {"desk": {"department": "office"}, "checker": {"department": "office"}},
        "staffing": {"desk": {"always": 1}, "checker": {"always": 1}},
        "processes": flow(work=task("check"), check=task({"end": 1, "work": 0}, "checker")),
    }
    assert rows(scenario(cases, **shop)) == [
        "0 work 540 560",
        "0 check 560 565",
        "0 work 575 585",
        "0 check 585 590",
        "0 work 590 600",
        "0 check 600 605",
        "1 work 560 575",
        "1 check 575 580",
    ]


def test_approvals_and_handovers_decide_as_written() -> None:
    steps = {
        "draft": task("push"),
        "push": {"kind": "handoff", "to": "office", "delay": "30 min", "back_to": "draft", "next": "sign"},
        "sign": {**task("end"), "kind": "approval", "return_to": "draft"},
    }
    cases = {
        "a": {"at": "0 min", "work": {"push": ["2 min", "3 min"]}, "next": {"push": ["draft"], "sign": ["draft"]}},
        "b": {"at": "60 min", "next": {"sign": "rejected"}},
    }
    run = simulate(scenario(cases, processes=flow(**steps)))
    names = [run.workload.steps.names[s] for s in run.workload.step]
    assert names == ["draft", "push", "draft", "push", "sign", "draft", "push", "sign", "draft", "push", "sign"]
    assert run.workload.returned.tolist() == [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert (run.workload.work[[1, 3, 6]] // MINUTE).tolist() == [2, 3, 30]
    assert run.log.outcome.tolist() == [1, 2]


def test_what_is_not_written_is_drawn_as_for_everybody_else() -> None:
    drawn = workload(scenario({"a": {"at": "1 min"}, "b": {"at": "2 min"}, "c": {"at": "3 min"}}), 1, 0)
    some = workload(scenario({"a": {"at": "1 min"}, "b": {"at": "2 min", "work": {"serve": "7 min"}},
                              "c": {"at": "3 min"}}), 1, 0)  # fmt: skip
    assert some.work.tolist() == [drawn.work[0], 7 * MINUTE, drawn.work[2]]


def test_a_listed_case_has_its_own_priority_patience_due_time_channel_and_first_step() -> None:
    cases = {
        "a": {"at": "0 min", "work": {"serve": "30 min"}},
        "b": {"at": "1 min", "work": {"serve": "5 min"}},
        "c": {"at": "2 min", "work": {"serve": "5 min"}, "priority": 1, "channel": "web", "due": {"resolution": "1 h"}},
        "d": {"at": "3 min", "patience": "4 min"},
        "e": {"at": "3 min", "first_step": "later", "work": {"later": "2 min"}},
    }
    of = scenario(
        cases,
        case_classes={"ordinary": {"process": "p", "priority": 2}},
        dispatch={"rule": "priority"},
        processes=flow(serve=task("later"), later={"kind": "delay", "time": "1 min", "next": "end"}),
    )
    assert rows(of)[::2][:3] + rows(of)[-2:] == [
        "0 serve 0 30", "1 serve 35 40", "2 serve 30 35", "3 later - -", "4 later 3 5",
    ]  # fmt: skip
    run = simulate(of)
    assert run.workload.channels == ("calls", "web")
    assert run.log.left_at[3] == 7 * MINUTE
    assert run.workload.due_at[1].tolist() == [-1, -1, 62 * MINUTE, -1, -1]


@pytest.mark.parametrize(
    ("case", "where", "says"),
    [
        ({"at": "yesterday"}, "at", "cannot read 'yesterday' as a moment"),
        ({"at": "2026-03-01 10:00"}, "at", "lies before the clock's start"),
        ({"at": "1 min", "work": {"serv": "1 min"}}, "serv", "there is no step 'serv'; did you mean serve?"),
        ({"at": "1 min", "next": {"serve": "serve"}}, 0, "'serve' does not lead to 'serve'"),
        ({"at": "1 min", "first_step": "x"}, "first_step", "there is no step 'x'"),
        ({"at": "1 min", "case_class": "urgent"}, None, "needs exactly one of `case_class`, `mix` or a"),
    ],
)
def test_a_listed_case_that_does_not_fit_is_refused(case: dict[str, Any], where: Any, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        scenario({"t1": case})
    (error,) = caught.value.errors()
    assert says in error["msg"]
    assert where is None or (error["loc"][-1] == where and "t1" in error["loc"])


# ------------------------------------------------------------------ cases that follow others: the engine


def test_who_gave_up_comes_again_after_a_lag(engine: Engine) -> None:
    """b gives up at 5 and comes again at 12 with more patience; c would follow a had a given up."""
    cases = {
        "a": at_desk(0, 20, answers=True),
        "b": at_desk(1, 5, patience=4, answers=True),
        "b2": follow("b", "gave up", 7, at_desk(0, 5, patience=30, answers=True)),
        "c": follow("a", "gave up", 0, at_desk(0, 1)),
    }
    expect(
        engine,
        tiny(cases),
        """
        a   0  0   0  20  ann
        b   1  1   -   -
        b2 12 12  20  25  ann
        c   -  -   -   -
        left a 20, b 5 abandoned, b2 25, c -
        """,
    )


def test_what_follows_at_once_comes_in_the_same_tick_and_each_follower_once(engine: Engine) -> None:
    """b follows the completion of a at 10, after who waits (w) is dispatched; c any end of b; d the rejection of w."""
    cases = {
        "a": at_desk(0, 10),
        "w": Case(1, [Do("desk", 5)], rejected=True),
        "b": follow("a", "completed", 0, at_desk(0, 2)),
        "c": follow("b", "left", 3, at_desk(0, 2)),
        "d": follow("w", "rejected", 0, at_desk(0, 2)),
        "e": follow("w", "completed", 0, at_desk(0, 2)),
    }
    expect(
        engine,
        tiny(cases),
        """
        a   0  0   0  10  ann
        w   1  1  10  15  ann
        b  10 10  15  17  ann
        c  20 20  20  22  ann
        d  15 15  17  19  ann
        e   -  -   -   -
        left a 10, w 15 rejected, b 17, c 22, d 19, e -
        """,
    )


def test_a_second_submission_comes_only_if_nobody_has_answered_by_then(engine: Engine) -> None:
    """a is answered at 0, b at 10 exactly (in time), c not by 5, d gives up at 3 and submits nothing any more."""
    cases = {
        "a": at_desk(0, 10, answers=True),
        "b": at_desk(1, 10, answers=True),
        "c": at_desk(1, 10, answers=True),
        "d": at_desk(1, 10, answers=True, patience=3),
        "a2": follow("a", "unanswered", 5, at_desk(0, 1)),
        "b2": follow("b", "unanswered", 9, at_desk(0, 1)),
        "c2": follow("c", "unanswered", 5, at_desk(0, 1)),
        "d2": follow("d", "unanswered", 5, at_desk(0, 1)),
    }
    expect(
        engine,
        tiny(cases),
        """
        a   0  0   0  10  ann
        b   1  1  10  20  ann
        c   1  1  20  30  ann
        d   1  1   -   -
        a2  -  -   -   -
        b2  -  -   -   -
        c2  6  6  30  31  ann
        d2  -  -   -   -
        left a 10, b 20, c 30, d 4 abandoned, a2 -, b2 -, c2 31, d2 -
        """,
    )


def follow(case: str, on: str, lag: int, what: Case) -> Case:
    return replace(what, follows=(case, on, lag))


# ------------------------------------------------------------------ cases that follow others: in a scenario

TASK = {"kind": "task", "skill": "desk", "time": "10 min", "next": "end"}


def figure(run: Any, kpi: str, group: str = "all") -> float:
    table = run.kpis().set_index(["kpi", "group"])["value"]
    return float(table[kpi, group])


def test_who_gives_up_tries_again_at_most_so_often() -> None:
    """a works until 60; b gives up at 11, tries at 31, gives up at 41, tries at 61 and is served."""
    cases = {
        "a": {"at": "0 min", "work": {"serve": "60 min"}, "patience": "1 d"},
        "b": {"at": "1 min", "work": {"serve": "5 min"}, "patience": "10 min"},
    }
    kind = {"process": "p", "retry": {"after": "20 min", "times": 3}, "promises": {"resolution": {"limit": "6 min"}}}
    run = simulate(scenario(cases, case_classes={"ordinary": kind}))
    work, log = run.workload, run.log
    came = work.arrived_at < 2**61
    assert (work.arrived_at[came] // MINUTE).tolist() == [0, 1, 31, 61]
    assert (log.left_at[came] // MINUTE).tolist() == [60, 11, 41, 66]
    assert log.outcome[came].tolist() == [1, 3, 3, 1]
    assert (work.due_at[1][came] // MINUTE).tolist() == [6, 7, 37, 67]
    assert figure(run, "retries") == 2
    assert figure(run, "abandonment_rate") == 2 / 4
    assert figure(run, "lost_rate") == 0
    assert figure(run, "promise_resolution") == 1 / 4
    assert figure(run, "cycle_time_mean") == (60 + 5) / 2
    assert run.cases["arrived_at"].notna().sum() == 4
    assert run.cases["outcome"].tolist() == ["completed", "abandoned", "abandoned", "completed"]


def test_lost_is_who_gave_up_on_the_last_try_and_counts_once() -> None:
    """a works until 60; b gives up at 11, tries at 31 and gives up at 41, for good."""
    cases = {
        "a": {"at": "0 min", "work": {"serve": "60 min"}, "patience": "1 d"},
        "b": {"at": "1 min", "patience": "10 min"},
    }
    kind = {"process": "p", "retry": {"after": "20 min", "times": 1}}
    run = simulate(scenario(cases, case_classes={"ordinary": kind}))
    assert figure(run, "retries") == 1
    assert figure(run, "abandonment_rate") == 2 / 3
    assert figure(run, "lost_rate") == 1 / 2


def test_the_story_of_a_case_says_which_one_it_follows() -> None:
    """a has no answer at 15 and is submitted again; b, answered at once, is not."""
    cases = {"a": {"at": "10 min", "work": {"serve": "5 min"}}, "b": {"at": "0 min", "work": {"serve": "20 min"}}}
    kind = {"process": "p", "duplicate": {"after": "5 min", "channel": "web"}}
    run = simulate(scenario(cases, case_classes={"ordinary": kind}))
    stories = [story(run, case) for case in range(run.workload.n_cases)]
    assert run.cases["outcome"].tolist() == ["completed"] * 3
    twin = next(case for case, told in enumerate(stories) if "web" in told and "arrives" in told)
    assert "00:15:00  arrives: submitted a second time, nobody has answered case 1\n" in stories[twin]
    never = [told.splitlines()[1:] for told in stories if "never came" in told]
    assert never == [["never came: it would have followed case 0"]]


def test_who_was_served_contacts_again_as_another_class() -> None:
    classes = {
        "ordinary": {"process": "p", "repeat": {"share": 1, "after": "30 min", "times": 2, "case_class": "complaint"}},
        "complaint": {"process": "q", "repeat": {"share": 1, "after": "1 h", "times": 2}},
    }
    steps = {"p": {"start": "serve", "steps": {"serve": TASK}}, "q": {"start": "listen", "steps": {"listen": TASK}}}
    run = simulate(scenario({"a": {"at": "0 min"}}, case_classes=classes, processes=steps))
    assert (run.workload.arrived_at // MINUTE).tolist() == [0, 40, 110]
    assert [run.workload.classes[c] for c in run.workload.case_class] == ["ordinary", "complaint", "complaint"]
    assert run.workload.channels == ("calls",)
    assert figure(run, "repeats") == 2
    assert figure(run, "repeats", "class=complaint") == 2
    assert figure(run, "repeat_rate") == 2 / 3
    assert figure(run, "repeat_rate", "class=ordinary") == 0


def test_who_has_no_answer_submits_a_second_time_through_another_channel() -> None:
    """a is answered at once, b not within 30 minutes of its arrival: its duplicate costs the desk its time."""
    kind = {"process": "p", "duplicate": {"after": "30 min", "channel": "phone"}}
    cases = {"a": {"at": "0 min", "work": {"serve": "50 min"}}, "b": {"at": "10 min", "work": {"serve": "5 min"}}}
    of = scenario(cases, case_classes={"ordinary": kind}, processes=flow(serve=TASK))
    assert rows(of) == ["0 serve 0 50", "1 serve 50 55", "2 serve - -", "3 serve 55 65"]
    run = simulate(of)
    assert run.workload.channels == ("calls", "phone")
    assert figure(run, "duplicates", "channel=phone") == 1
    assert figure(run, "duplicate_rate") == figure(run, "duplicate_rate", "channel=calls") == 1 / 2
    assert np.isnan(figure(run, "duplicate_rate", "channel=phone"))


def test_whom_a_bot_answers_nobody_waits_for_to_submit_a_second_time() -> None:
    kind = {"process": "p", "duplicate": {"after": "30 min"}}
    plain = simulate(Scenario.model_validate(mapping(case_classes={"ordinary": kind})))
    run = simulate(Scenario.model_validate(mapping(case_classes={"ordinary": {**kind, "bot": {"share": 0.25}}})))
    work = run.workload
    solved = work.case[np.isin(work.step, [s for s, name in enumerate(work.steps.names) if name == "bot"])]
    assert len(solved) and not np.isin(work.followers.after, solved).any()
    assert 0 < len(run.workload.followers.case) < len(plain.workload.followers.case)


def test_a_bot_solves_its_share_before_anybody_is_needed() -> None:
    run = simulate(Scenario.model_validate(mapping(
        case_classes={"ordinary": {"process": "p", "bot": {"share": 0.25, "time": "2 min"}}}
    )))  # fmt: skip
    share, work = figure(run, "bot_share"), run.workload
    bot = [s for s, name in enumerate(work.steps.names) if name == "bot"]
    solved = work.case[np.isin(work.step, bot)]
    assert 0.15 < share < 0.35 and abs(share - len(solved) / work.n_cases) < 1e-9
    assert (run.log.left_at[solved] - work.arrived_at[solved])[:-1].tolist() == [2 * MINUTE] * (len(solved) - 1)
    assert (run.responded_at[solved] == work.arrived_at[solved]).all()


def test_followers_and_bots_leave_all_other_draws_as_they_were() -> None:
    with_time = {"kind": "exponential", "mean": "5 min"}
    plain = {"process": "p", "patience": with_time}
    rich = {**plain, "retry": {"after": with_time}, "repeat": {"share": 0.5, "after": with_time},
            "duplicate": {"after": with_time, "channel": "web"}}  # fmt: skip
    some, more = (workload(Scenario.model_validate(mapping(case_classes={"ordinary": k})), 1, 0) for k in (plain, rich))
    n = some.n_cases
    assert more.n_cases > 2 * n and (more.arrived_at[:n] == some.arrived_at).all()
    assert (more.work[: some.n_items] == some.work).all() and (more.patience[:n] == some.patience).all()
    bot = {**plain, "bot": {"share": 0.5}}
    less = workload(Scenario.model_validate(mapping(case_classes={"ordinary": bot})), 1, 0)
    by_hand = less.skill >= 0
    assert (less.work[by_hand] == some.work[by_hand]).all() and 0 < by_hand.sum() < n


def test_edd_ranks_those_who_come_again_by_their_own_due_time() -> None:
    """a works until 30 and contacts again at 31 (due 41); b, due 50, waits since 5: c works 30-40, then a's repeat."""
    cases = {
        "a": {"at": "0 min", "work": {"serve": "30 min"}},
        "c": {"at": "1 min", "work": {"serve": "10 min"}, "due": {"resolution": "20 min"}},
        "b": {"at": "5 min", "work": {"serve": "5 min"}, "due": {"resolution": "45 min"}},
    }
    repeat = {"share": 1, "after": "1 min"}
    of = scenario(
        cases,
        dispatch={"rule": "edd"},
        case_classes={"ordinary": {"process": "p", "promises": {"resolution": {"limit": "10 min"}}, "repeat": repeat}},
        processes=flow(serve=TASK),
    )
    assert rows(of)[:4] == ["0 serve 0 30", "1 serve 30 40", "2 serve 50 55", "3 serve 40 50"]


# ------------------------------------------------------------------ a finite source


def finite(population: int, away: Any, **changes: Any) -> Scenario:
    arrivals = {"kind": "finite", "population": population, "away": away}
    return Scenario.model_validate(
        mapping(demand={"staff": {"case_class": "ordinary", "arrivals": arrivals}}, **changes)
    )


def test_each_member_comes_again_after_leaving_and_being_away() -> None:
    """Two members, both at 60; the desk takes 10 minutes: the second leaves at 80 and is back at 140."""
    of = finite(2, "60 min", clock={"start": "2026-03-02", "horizon": "4 h"}, processes=flow(serve=TASK))
    assert rows(of)[:6] == [
        "0 serve 60 70", "1 serve 70 80", "2 serve 130 140", "3 serve 140 150", "4 serve 200 210", "5 serve 210 220",
    ]  # fmt: skip
    assert figure(simulate(of), "completion_rate") == 1


def test_a_finite_source_has_the_throughput_of_the_closed_network() -> None:
    """8 colleagues away 30 min on average, a desk of 2 at 10 min (exponential): 0.169716930746 visits per minute,
    a mean wait of 7.13731249344 min (Gordon and Newell)."""
    serve = {**TASK, "time": {"kind": "exponential", "mean": "10 min"}}
    of = finite(
        8,
        {"kind": "exponential", "mean": "30 min"},
        clock={"start": "2026-03-02", "horizon": "40 d", "warm_up": "1 d"},
        staffing={"desk": {"always": 2}},
        processes=flow(serve=serve),
    )
    runs = [simulate(of, 1, replication) for replication in range(10)]
    rate = np.array([run.counted.sum() / (39 * 24 * 60) for run in runs])
    wait = np.array([figure(run, "waiting_mean") for run in runs])
    for values, exact in ((rate, 0.169716930746), (wait, 7.13731249344)):
        error = values.std(ddof=1) / np.sqrt(len(values))
        assert abs(values.mean() - exact) < 4 * error and error < 0.02 * exact


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        ({"process": "p", "repeat": {"share": 1, "after": "1 h", "case_class": "x"}}, "there is no case class 'x'"),
        ({"process": "p", "bot": {"share": 2}}, "between 0 and 1"),
        ({"process": "p", "retry": {"share": 1}}, "required"),
    ],
)
def test_followers_that_do_not_fit_are_refused(classes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Scenario.model_validate(mapping(case_classes={"ordinary": classes}))


def test_members_of_a_finite_source_do_not_repeat_besides() -> None:
    kind = {"process": "p", "repeat": {"share": 1, "after": "1 h"}}
    with pytest.raises(ValidationError, match="members come again by themselves"):
        finite(2, "60 min", case_classes={"ordinary": kind})


# ------------------------------------------------------------------ start from today


def test_cases_that_came_before_the_start_enter_at_the_start_oldest_first(engine: Engine) -> None:
    """a came at -20, b at -5 (its patience of 8 runs out at 3), c's patience had run out: it is asked at 0."""
    cases = {
        "a": at_desk(-20, 10, answers=True),
        "c": at_desk(-7, 1, patience=5, answers=True),
        "b": at_desk(-5, 1, patience=8, answers=True),
        "d": at_desk(0, 5, answers=True),
    }
    expect(
        engine,
        tiny(cases),
        """
        a   0  0   0  10  ann
        c   0  0   -   -
        b   0  0   -   -
        d   0  0  10  15  ann
        left a 10, c 0 abandoned, b 3 abandoned, d 15
        """,
    )


STEPS = {
    "answer": {**TASK, "next": "wait"},
    "wait": {"kind": "delay", "time": "60 min", "next": "close"},
    "close": {**TASK, "time": "20 min", "next": "end"},
}
OPEN = {
    "a": {"case_class": "ordinary", "step": "close", "age": "3 h", "done": "40 %", "channel": "web"},
    "b": {"case_class": "ordinary", "step": "wait", "age": "2 h", "done": "45 min"},
    "c": {"case_class": "ordinary", "step": "answer", "age": "30 min"},
    "d": {"case_class": "ordinary", "step": "answer", "age": "70 min", "done": 0.5},
}
KIND = {"process": "p", "promises": {"first_response": {"limit": "35 min"}, "resolution": {"limit": "3 h 10 min"}}}


def from_today(backlog: dict[str, Any], **changes: Any) -> Scenario:
    kinds = {"case_classes": {"ordinary": KIND}, "processes": flow(**STEPS), "demand": {}}
    return Scenario.model_validate(mapping(backlog=backlog, **kinds | changes))


def test_a_run_begins_with_the_backlog_that_is_there() -> None:
    """Oldest first: a has 12 of 20 minutes of closing left, b 15 of the wait, d 5 of the answer, c all."""
    run = simulate(from_today({"cases": OPEN}))
    assert rows(from_today({"cases": OPEN})) == [
        "0 close 0 12", "1 wait 0 15", "1 close 27 47",
        "2 answer 12 17", "2 wait 17 77", "2 close 77 97",
        "3 answer 17 27", "3 wait 27 87", "3 close 97 117",
    ]  # fmt: skip
    work = run.workload
    assert (work.arrived_at // MINUTE).tolist() == [-180, -120, -70, -30]
    assert work.sources == ("backlog",) and work.channels == ("web", "backlog")
    assert work.answered_before.tolist() == [1, 1, 1, 0]
    assert (work.due_at // MINUTE)[1].tolist() == [10, 70, 120, 160]
    assert figure(run, "cycle_time_mean") == (180 + 12 + 120 + 47 + 70 + 97 + 30 + 117) / 4
    assert figure(run, "first_response_mean") == 30 + 17
    assert figure(run, "promise_first_response") == 0
    assert figure(run, "promise_resolution") == 3 / 4
    assert figure(run, "answered_within_60s") == 0
    assert str(run.cases["arrived_at"][0]) == "2026-03-01 21:00:00"


def test_the_backlog_need_not_be_counted_and_leaves_what_arrives_as_it_is() -> None:
    demand = {"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "1/h"}}}
    with_it = from_today({"cases": OPEN, "counted": False}, demand=demand)
    some = workload(Scenario.model_validate(mapping(case_classes={"ordinary": KIND}, processes=flow(**STEPS),
                                                    demand=demand)), 1, 0)  # fmt: skip
    run = simulate(with_it)
    assert run.workload.sources == ("backlog", "calls")
    assert run.counted.sum() == some.n_cases == run.workload.n_cases - 4
    assert (run.workload.work[run.workload.first_item[4] :] == some.work).all()


def test_patience_of_open_cases_is_that_of_those_who_are_still_there() -> None:
    classes = {"ordinary": {"process": "p", "patience": {"kind": "uniform", "low": "0 min", "high": "100 min"}}}
    cases = {f"c{i}": {"case_class": "ordinary", "step": "answer", "age": "80 min"} for i in range(50)}
    patience = workload(from_today({"cases": cases}, case_classes=classes), 1, 0).patience
    assert patience.min() >= 80 * MINUTE and patience.max() <= 100 * MINUTE and len(set(patience.tolist())) == 50


def test_business_hours_before_the_start_count_for_what_is_due() -> None:
    """Monday 00:00; the case came on Friday 16:00 (56 h ago); 3 h of office time are over on Monday 10:00."""
    kind = {"process": "p", "promises": {"resolution": {"limit": "3 h", "clock": "office"}}}
    calendar = {"office": {"days": "mon-fri", "hours": "08:00-17:00"}}
    cases = {"a": {"case_class": "ordinary", "step": "answer", "age": "56 h"}}
    work = workload(from_today({"cases": cases}, case_classes={"ordinary": kind}, calendars=calendar), 1, 0)
    assert work.due_at[1].tolist() == [10 * 60 * MINUTE]


def test_the_backlog_of_a_file_is_that_of_the_list(tmp_path: Path) -> None:
    file = tmp_path / "open.csv"
    lines = [
        "ordinary,close,180,40 %,web",
        "ordinary,wait,120,45 min,",
        "ordinary,answer,30,,",
        "ordinary,answer,70,0.5,",
    ]
    file.write_text("\n".join(["case_class,step,minutes,done,channel", *lines]))
    columns = {"age": "minutes", "done": "done", "channel": "channel"}
    of = from_today({"file": str(file), "columns": columns, "unit": "min"})
    one, other = workload(of, 1, 0), workload(from_today({"cases": OPEN}), 1, 0)
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("ordinary,clos,3 h", r"open.csv, line 2: there is no step 'clos'; did you mean close\?"),
        ("urgent,close,3 h", "open.csv, line 2: there is no case class 'urgent'"),
        ("ordinary,close,3", 'open.csv, line 2, column "age": expected a duration with its unit'),
        ("ordinary,close", "line 2: has 2 cells, the header has 3"),
    ],
)
def test_a_row_of_the_backlog_that_does_not_fit_is_refused_with_its_line(tmp_path: Path, row: str, says: str) -> None:
    file = tmp_path / "open.csv"
    file.write_text(f"case_class,step,age\n{row}\n")
    with pytest.raises(ValidationError, match=says):
        from_today({"file": str(file)})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"backlog": {}}, "needs either `file` or `cases`"),
        ({"backlog": {"cases": OPEN, "counted": True}, "clock": {"start": "2026-03-02", "horizon": "1 d",
                                                                "warm_up": "1 h"}}, "has no warm-up"),
        ({"backlog": {"cases": {"a": {**OPEN["a"], "done": "140 %"}}}}, "more than the whole"),
        ({"backlog": {"cases": {"a": {**OPEN["a"], "step": "end"}}}}, "there is no step 'end'"),
        ({"backlog": None}, "needs at least one source of demand"),
    ],
)  # fmt: skip
def test_a_backlog_that_does_not_fit_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        from_today(**changes)


def test_who_is_turned_away_tries_again_as_a_new_case() -> None:
    """No place to wait: b is turned away at 1 and at 6, and finds the desk free at 11."""
    cases = {"a": {"at": "0 min", "work": {"serve": "9 min"}}, "b": {"at": "1 min", "work": {"serve": "2 min"}}}
    run = simulate(scenario(
        cases,
        case_classes={"ordinary": {"process": "p", "retry": {"after": "5 min", "times": 5}}},
        dispatch={"teams": {"desk": {"waiting_places": 0}}},
    ))  # fmt: skip
    came = run.workload.arrived_at < 2**61
    assert (run.workload.arrived_at[came] // MINUTE).tolist() == [0, 1, 6, 11]
    assert (run.log.left_at[came] // MINUTE).tolist() == [9, 1, 6, 13]
    assert run.log.outcome[came].tolist() == [1, 4, 4, 1]


def test_repeated_contacts_load_the_desk_as_in_theory() -> None:
    """0.5 new contacts/min, 8 at the desk, 10 min each; 20 % contact again after 60 to 180 min: 0.625 contacts/min,
    a mean wait of 2.38982144354 min per contact, 78.125 % busy (REPEAT-01)."""
    repeat = {"share": 0.2, "times": 12, "after": {"kind": "uniform", "low": "60 min", "high": "180 min"}}
    of = Scenario.model_validate(mapping(
        clock={"start": "2026-03-02", "horizon": "40 d", "warm_up": "1 d"},
        staffing={"desk": {"always": 8}},
        demand={"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "30/h"}}},
        case_classes={"ordinary": {"process": "p", "repeat": repeat}},
        processes=flow(serve={**TASK, "time": {"kind": "exponential", "mean": "10 min"}}),
    ))  # fmt: skip
    runs = [simulate(of, 1, replication) for replication in range(8)]
    for exact, values in (
        (0.625, [run.counted.sum() / (39 * 24 * 60) for run in runs]),
        (2.38982144354, [figure(run, "waiting_mean") for run in runs]),
        (0.78125, [figure(run, "utilisation") for run in runs]),
    ):
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        assert abs(np.mean(values) - exact) < 4 * error and error < 0.04 * exact
