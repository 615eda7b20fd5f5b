"""What is expected of a scenario before it is run, against hand counts and the prepared workload, and what is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from servsim import prepare
from servsim.lint import Finding, lint
from servsim.model import Scenario
from servsim.outlook import Outlook, inflows, on_duty, travel
from servsim.quantities import DAY, HOUR, MINUTE


def task(minutes: float, skill: str = "desk", **more: Any) -> dict[str, Any]:
    return {"kind": "task", "skill": skill, "time": f"{minutes} min", "next": "end", **more}


def desk(**changes: Any) -> Scenario:
    """Four cases an hour of 10 minutes each, one clerk round the clock, Monday to Sunday."""
    plain: dict[str, Any] = {
        "name": "desk/base",
        "clock": {"start": "2026-03-02", "horizon": "7 d"},
        "departments": {"service": {}},
        "pools": {"desk": {"department": "service"}},
        "shifts": {"all": {"days": "all", "hours": "00:00-24:00"}, "day": {"days": "mon-fri", "hours": "08:00-18:00"}},
        "staffing": {"desk": {"all": 1}},
        "case_classes": {"fault": {"process": "fault"}},
        "demand": {"phone": {"case_class": "fault", "arrivals": {"kind": "poisson", "rate": "4/h"}}},
        "processes": {"fault": {"start": "answer", "steps": {"answer": task(10)}}},
    }
    return Scenario.model_validate(plain | changes)


def arriving(**arrivals: Any) -> dict[str, Any]:
    return {"phone": {"case_class": "fault", "arrivals": arrivals}}


def process(start: str, **steps: Any) -> dict[str, Any]:
    return {"fault": {"start": start, "steps": steps}}


def said(scenario: Scenario) -> list[str]:
    return [f"{finding.severity}: {finding.message}" for finding in lint(scenario)]


# ---------------------------------------------------------------------- visits

MANY_KINDS = process(
    "intake",
    intake=task(8, next="triage"),
    triage={"kind": "decision", "next": {"push": 0.7, "kind": 0.2, "end": 0.1}},
    push={"kind": "handoff", "to": "service", "returned": 0.3, "back_to": "intake", "rounds": 2, "next": "repair"},
    repair=task(30, next={"check": 0.8, "repair": 0.2}),
    check={
        **task(5, next="both"),
        **{"kind": "approval", "return": 0.4, "return_to": "repair", "reject": 0.1, "rounds": 1},
    },
    both={"kind": "parallel", "branches": ["risk", "legal"], "join": "joined"},
    risk=task(3, next={"risk": 0.5, "joined": 0.5}),
    legal=task(3, next="joined"),
    joined={"kind": "join", "next": "size"},
    kind={"kind": "decision", "by": "kind", "next": {"product": "size"}, "otherwise": "end"},
    size={"kind": "decision", "by": "amount", "below": {"1000": "small", "3000": "large"}, "otherwise": "end"},
    small=task(1),
    large=task(2, automated={"share": 0.25}),
)
ATTRIBUTES = {
    "kind": {"choices": {"product": 0.4, "service": 0.6}},
    "amount": {"numbers": {"kind": "uniform", "low": 0, "high": 4000}},
}


def test_expected_visits_are_those_of_many_cases() -> None:
    """Returns are limited per case, which the equations know on average only; hence 3 %."""
    scenario = desk(
        processes=MANY_KINDS,
        case_classes={"fault": {"process": "fault", "attributes": ATTRIBUTES}},
        demand=arriving(kind="poisson", rate="200/h"),
    )
    (inflow,) = inflows(scenario)
    expected = travel(scenario, inflow).visits
    work = prepare.workload(scenario, 1, 0)
    came = np.bincount(work.step, minlength=len(work.steps.names)) / work.n_cases
    seen = dict(zip(work.steps.names, came.tolist(), strict=True))
    for step in ("intake", "push", "repair", "check", "risk", "legal", "joined", "small", "large"):
        assert expected[step] == pytest.approx(seen[step], rel=0.03), step
    assert expected["end"] + expected["rejected"] == pytest.approx(1)


def test_a_limited_number_of_returns_is_counted_exactly() -> None:
    loop = process("work", work=task(1, next="check"), check={**task(1), **APPROVAL, "rounds": 2})
    scenario = desk(processes=loop)
    (inflow,) = inflows(scenario)
    assert travel(scenario, inflow).visits["work"] == pytest.approx(1 + 0.5 + 0.25)
    always = desk(processes=process("work", work=task(1, next="check"), check={**task(1), **APPROVAL, "return": 1}))
    assert travel(always, inflow).visits["check"] == pytest.approx(4)


APPROVAL = {"kind": "approval", "return": 0.5, "return_to": "work", "rounds": 3}


def test_a_decision_knows_the_class_and_the_channel() -> None:
    steps = {
        "who": {"kind": "decision", "by": "case_class", "next": {"fault": "how", "query": "end"}},
        "how": {"kind": "decision", "by": "channel", "next": {"phone": "talk"}, "otherwise": "write"},
        "talk": task(1),
        "write": task(1),
    }
    scenario = desk(
        processes=process("who", **steps),
        case_classes={"fault": {"process": "fault"}, "query": {"process": "fault"}},
        demand={
            "phone": {"mix": {"fault": 0.5, "query": 0.5}, "arrivals": {"kind": "poisson", "rate": "1/h"}},
            "mail": {"case_class": "fault", "arrivals": {"kind": "poisson", "rate": "1/h"}},
        },
    )
    came = {(i.source, i.case_class): travel(scenario, i).visits for i in inflows(scenario)}
    assert [(v["talk"], v["write"]) for v in came.values()] == [(1, 0), (0, 0), (0, 1)]


# ---------------------------------------------------------------------- arrivals, capacity

KINDS: dict[str, dict[str, Any]] = {
    "hourly": {"kind": "hourly", "per_hour": {"mon-fri": [*[0] * 8, *[60] * 8, *[0] * 8]}},
    "poisson": {"kind": "poisson", "rate": "60/h"},
    "renewal": {"kind": "renewal", "gap": {"kind": "erlang", "mean": "1 min", "k": 4}},
    "appointments": {"kind": "appointments", "days": "mon-sat", "from": "09:00", "to": "12:00", "every": "1 min"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_expected_arrivals_are_those_that_come_day_by_day(kind: str) -> None:
    demand = arriving(**KINDS[kind])
    surges = {"sale": {"from": "2026-03-04", "to": "2026-03-04", "factor": 3}}
    if kind != "appointments":
        demand["phone"] |= {"surges": surges, "batch": {"sizes": {1: 0.5, 3: 0.5}}, "busy_days": {"cv": 0.01}}
    clock = {"start": "2026-03-02 06:00", "horizon": "6 d"}
    scenario = desk(demand=demand, clock=clock)
    (inflow,) = inflows(scenario)
    edges = np.clip(np.arange(8) * DAY - 6 * HOUR, 0, 6 * DAY)
    seen, _ = np.histogram(prepare.workload(scenario, 3, 0).arrived_at, edges)
    expected = np.diff(inflow.by(edges))
    assert (np.abs(seen - expected) <= 4 * np.sqrt(3 * expected) + 1e-9).all()
    assert expected[2] > 2.5 * expected[1] or kind == "appointments"


def test_a_trace_counts_as_it_stands_in_the_file(tmp_path: Path) -> None:
    classes = {"fault": {"process": "fault"}, "query": {"process": "fault"}}
    rows = ["at,class,minutes", "2026-03-02 08:10,fault,30", "2026-03-02 08:20,query,90", "2026-03-03 09:00,fault,60"]
    file = tmp_path / "calls.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    columns = {"arrived_at": "at", "case_class": "class", "service": {"answer": "minutes"}}
    trace = {"kind": "trace", "file": str(file), "columns": columns, "unit": "min"}
    load = Outlook(desk(case_classes=classes, demand={"phone": {"arrivals": trace}})).load["desk"]
    assert (load[0, 8], load[1, 9], load.sum()) == pytest.approx((0.75 + 1.5, 0.75, 3))  # by class, on average


def test_people_on_duty_are_counted_without_their_breaks() -> None:
    breaks = [{"at": "12:00", "lasts": "30 min", "waves": 2}]
    shifts = {"day": {"days": "mon", "hours": "08:30-17:30", "breaks": breaks}}
    plan = prepare.plan(desk(shifts=shifts, staffing={"desk": {"day": 4}}))
    hours = on_duty(plan, np.ones(4), np.arange(25) * HOUR)
    assert hours[[7, 8, 9, 12, 13, 17, 18]].tolist() == [0, 2, 4, 2, 4, 2, 0]


def test_work_is_booked_when_it_comes_up() -> None:
    steps = {"intake": task(0, next="pause"), "pause": {"kind": "delay", "time": "90 min", "next": "answer"}}
    demand = arriving(kind="hourly", per_hour={"mon": [*[0] * 8, 6, *[0] * 15]})
    load = Outlook(desk(processes=process("intake", **steps, answer=task(10)), demand=demand)).load["desk"]
    assert load[0, 8:12] == pytest.approx([0, 0.5, 0.5, 0])


# ---------------------------------------------------------------------- findings


def test_a_sound_scenario_gives_nothing_to_complain_about() -> None:
    assert lint(desk()) == []


def test_more_work_than_people_is_an_error() -> None:
    assert lint(desk(demand=arriving(kind="poisson", rate="7.2/h"))) == [
        Finding(
            "error",
            "desk: 202 h of work a week for 168 h on duty (120%); the queue grows without limit",
            "staffing.desk",
        )
    ]


def test_more_work_than_people_may_be_meant_where_callers_give_up_or_work_moves_on() -> None:
    much = arriving(kind="poisson", rate="7/h")
    patient = {"fault": {"process": "fault", "patience": "5 min"}}
    (gives_up,) = lint(desk(demand=much, case_classes=patient))
    assert gives_up.severity == "warning" and "until those who wait give up" in gives_up.message
    pools = {"desk": {"department": "service"}, "boss": {"department": "service"}}
    escalate = {"escalate": {"after": "30 min", "to": "boss"}}
    staffing = {"desk": {"all": 1}, "boss": {"all": 1}}
    (moves_on,) = lint(desk(demand=much, pools=pools, staffing=staffing, dispatch=escalate))
    assert moves_on.severity == "warning" and "moves on to boss" in moves_on.message


def test_hours_with_too_much_work_are_put_together_into_ranges() -> None:
    day = [*[0] * 9, 9, 9, 0, 0, 9, *[0] * 10]
    demand = arriving(kind="hourly", per_hour={"mon-wed": day, "thu": [*[0] * 10, 12, *[0] * 13], "sat": day})
    assert said(desk(demand=demand)) == [
        "warning: desk: more work than can be done Mon-Wed 09:00-11:00, 13:00-14:00; Thu 10:00-11:00; Sat 09:00-11:00, "
        "13:00-14:00; the most Thu 10:00-11:00: 2 people's worth of work per hour for 1 on duty"
    ]


def test_days_with_too_much_work_are_named() -> None:
    demand = arriving(kind="hourly", per_hour={"mon": [9] * 24, "tue": [1] * 24})
    found = said(desk(demand=demand))
    assert (
        found[0] == "warning: desk: more work than time on duty on Mon (36 h for 24 h); the rest waits for another day"
    )


def test_a_date_with_a_surge_is_named() -> None:
    demand = arriving(kind="poisson", rate="3/h")
    demand["phone"]["surges"] = {"sale": {"from": "2026-03-11", "to": "2026-03-11", "factor": 3}}
    found = said(desk(demand=demand, clock={"start": "2026-03-02", "horizon": "2 wk"}))
    assert found == [
        "warning: desk: more work than time on duty on 2026-03-11 (36 h for 24 h); the rest waits for another day"
    ]


def test_hours_without_anybody_are_named_with_their_share_of_the_work() -> None:
    found = said(desk(staffing={"desk": {"day": 3}}))
    assert found == [
        "warning: desk: nobody is on duty Mon-Fri 00:00-08:00, 18:00-24:00; Sat-Sun 00:00-24:00, when 70% of the work "
        "comes up; it waits"
    ]


def test_dates_without_anybody_are_told_even_if_there_is_somebody_on_other_days() -> None:
    """A new clerk comes on the second Monday, so that no hour of the week is always without anybody."""
    workers = {"li": {"pool": "desk", "shifts": ["all"], "joins": "2026-03-09"}}
    found = said(desk(staffing={}, workers=workers, clock={"start": "2026-03-02", "horizon": "3 wk"}))
    assert found == ["warning: desk: nobody is on duty on some dates, when 33% of the work comes up; it waits"]


def test_trying_again_after_nothing_is_told() -> None:
    def told(**changes: Any) -> list[str]:
        kind = {"process": "fault", "retry": {"after": "30 min"}, **changes.pop("kind", {})}
        return [f.where for f in lint(desk(case_classes={"fault": kind}, **changes)) if "no effect" in f.message]

    assert told() == ["case_classes.fault.retry"]
    assert told(kind={"patience": "1 h"}) == []
    assert told(dispatch={"teams": {"desk": {"waiting_places": 3}}}) == []


def test_escalation_to_a_queue_that_nobody_serves_is_told() -> None:
    def told(**dispatch: Any) -> list[tuple[str, str]]:
        pools = {"desk": {"department": "service"}, "head": {"department": "service"}}
        found = lint(desk(pools=pools, staffing={"desk": {"all": 1}}, dispatch=dispatch))
        return [(finding.where, finding.message) for finding in found]

    message = "head: nobody is ever on duty who could take what is escalated from desk"
    rule = {"after": "30 min", "to": "head"}
    assert told() == []
    assert told(escalate=rule) == [("dispatch.escalate", message)]
    assert told(teams={"desk": {"escalate": rule}}) == [("dispatch.teams.desk.escalate", message)]


def test_a_skill_that_is_never_on_duty_is_an_error() -> None:
    shifts = {"weekend": {"days": "sat-sun", "hours": "08:00-18:00"}}
    scenario = desk(shifts=shifts, staffing={"desk": {"weekend": 1}}, clock={"start": "2026-03-02", "horizon": "5 d"})
    assert said(scenario) == ["error: desk: nobody who can do it is on duty at any time, while 80 h of work come in"]


def test_skills_that_share_people_are_looked_at_together() -> None:
    steps = {"answer": task(6, next="solve"), "solve": task(6, skill="expert")}
    pools = {"desk": {"department": "service", "skills": ["desk", "expert"]}}
    (found,) = lint(
        desk(processes=process("answer", **steps), pools=pools, demand=arriving(kind="poisson", rate="6/h"))
    )
    assert found.message == (
        "desk, expert together: 202 h of work a week for 168 h on duty (120%); the queue grows without limit"
    )


def test_a_slow_pool_counts_for_less() -> None:
    pools = {"desk": {"department": "service", "skills": {"desk": {"pace": 50}}}}
    (found,) = lint(desk(pools=pools))
    assert "112 h of work a week for 84 h on duty" in found.message


def test_a_reserve_helps_in_the_hours_to_which_it_is_called() -> None:
    """One on call at any hour, then from nine to twelve: 24 and 3 hours of a day more."""
    shifts = {"am": {"days": "all", "hours": ["09:00-11:00", "11:00-12:00"]}}
    hours = []
    for more in ({}, {"shifts": ["am"]}):
        reserve = {"headcount": 1, "call": {"waiting": 1}, **more}
        pools = {"desk": {"department": "service", "reserve": reserve}}
        hours.append(Outlook(desk(pools=pools, shifts=shifts, staffing={})).team(["desk"]).capacity)
    assert hours[0].sum(axis=1).tolist() == pytest.approx([24] * len(hours[0]))
    assert hours[1].sum(axis=1).tolist() == pytest.approx([3] * len(hours[1]))
    assert hours[1][:, 9:12].all()


def test_a_promise_shorter_than_what_it_takes_is_told() -> None:
    steps = {
        "intake": task(5, next="pass"),
        "pass": {"kind": "handoff", "to": "service", "delay": "40 min", "next": "answer"},
        "answer": task(10, responds=True),
    }
    promises = {"first_response": {"limit": "30 min"}, "resolution": {"limit": "1 h"}}
    classes = {"fault": {"process": "fault", "promises": promises}}
    scenario = desk(
        processes=process("intake", **steps), case_classes=classes, demand=arriving(kind="poisson", rate="1/h")
    )
    assert lint(scenario) == [
        Finding(
            "warning",
            "fault: promised an answer within 30 min, but that takes 45 min on average even if nothing waits",
            "case_classes.fault.promises.first_response",
        )
    ]


def test_on_business_hours_only_the_time_at_work_counts_against_a_promise() -> None:
    steps = {"answer": task(90, next="wait"), "wait": {"kind": "delay", "time": "1 d", "next": "end"}}
    calendars = {"office": {"days": "mon-fri", "hours": "08:00-18:00"}}

    def found(limit: str) -> list[str]:
        promises = {"resolution": {"limit": limit, "clock": "office"}}
        classes = {"fault": {"process": "fault", "promises": promises}}
        rare = arriving(kind="poisson", rate="0.1/h")
        return said(desk(processes=process("answer", **steps), case_classes=classes, calendars=calendars, demand=rare))

    assert found("2 h") == []
    assert found("1 h") == [
        "warning: fault: promised to be done within 1 h, but that takes 1 h 30 min on average even if nothing waits"
    ]


def test_a_dispatch_delay_takes_time_too() -> None:
    classes = {"fault": {"process": "fault", "promises": {"first_response": {"limit": "20 min"}}}}
    (found,) = lint(desk(case_classes=classes, dispatch={"delay": "25 min"}))
    assert "takes 25 min on average" in found.message


def test_nothing_arriving_is_nothing_to_complain_about() -> None:
    assert lint(desk(demand=arriving(kind="hourly", per_hour={"mon": [0] * 24}))) == []


def test_edits_are_looked_through() -> None:
    """The load is that of the process after its edits."""
    edits = {"robot": {"kind": "automate", "process": "fault", "step": "answer", "share": 0.5, "time": "0 min"}}
    assert Outlook(desk(edits=edits)).load["desk"].sum() == pytest.approx(168 * 4 * 10 * MINUTE / HOUR / 2)


def test_promises_with_other_ids_are_looked_at_as_far_as_they_begin_with_the_arrival() -> None:
    steps = {
        "check": {"kind": "task", "skill": "desk", "time": "45 min", "next": "ask"},
        "ask": {"kind": "delay", "time": "2 h", "next": "answer"},
        "answer": {"kind": "task", "skill": "desk", "time": "15 min", "next": "end", "responds": True},
    }
    promises = {
        "soon": {"limit": "2 h 44 min", "to": "answer started"},
        "late": {"limit": "2 h 45 min", "to": "answer offered"},
        "asked": {"limit": "44 min", "to": "ask enabled"},
        "paused": {"limit": "1 min", "to": "leaving", "pauses_in": ["ask"]},
        "after": {"limit": "1 min", "from": "ask completed", "to": "leaving"},
        "done": {"limit": "2 h 59 min", "to": "delivery"},
    }
    classes = {"fault": {"process": "fault", "promises": promises}}
    found = said(desk(processes=process("check", **steps), case_classes=classes,
                      demand=arriving(kind="poisson", rate="0.1/h")))  # fmt: skip
    assert [line for line in found if "promised" in line] == [
        "warning: fault: promised answer started within 2 h 44 min, but that takes 2 h 45 min on average even if "
        "nothing waits",
        "warning: fault: promised ask enabled within 44 min, but that takes 45 min on average even if nothing waits",
        "warning: fault: promised to be done within 2 h 59 min, but that takes 3 h on average even if nothing waits",
    ]
