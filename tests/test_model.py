"""What a scenario may state, what its words mean, and what a planner reads when it is wrong."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from servsim.model import BusinessCalendar, Clock, Scenario, Settings, problems, split
from servsim.model.calendar import by_day, days_of
from servsim.model.dispatching import ASSIGNMENTS, RULES
from servsim.model.steps import Approval, Join, Parallel, Task
from servsim.quantities import DAY, HOUR, MINUTE

EVERYTHING = """
name: fault_repair/baseline
label: {en: Fault repair, zh: 故障维修}
question: Which measure helps?
facts:
  late: {value: 0.70, kpi: promise_first_response, tolerance: 0.03, source: report.txt, transform: complement}
assumptions:
  load: {value: 70 %, why: {en: not reported, zh: 未报告}}
clock:
  start: 2026-03-02
  horizon: 4 wk
  warm_up: 1 wk
  run_out: 2 d
  holidays: CN
  exceptions: {2026-03-18: closed, 2026-03-21: mon}
departments: {service: {label: Service}, repair: {}, approvals: }
pools:
  desk: {department: service, skills: [desk], wage: 60, overtime: 1.5}
  field: {department: repair, skills: {repair: {pace: 90, preference: 2}, legal: {}, risk: {}}, end_of_shift: suspend}
  manager: {department: approvals}
shifts:
  day: {days: mon-fri, hours: "08:30-17:30", breaks: [{at: "12:00", lasts: 30 min, rule: postpone, waves: 2}]}
  night: {days: all, hours: "22:00-06:00", breaks: [{at: "02:00", lasts: 30 min, rule: pause}]}
  base: {every: 12 h, headcount: {sun-thu: [1, 2], fri: [1, 1], sat: [0, 1]}}
staffing:
  desk: {day: 10, base: 1}
  field: {day: 2}
  manager: {day: 1}
workers:
  li_wei: {label: {zh: 李伟}, pool: field, shifts: [day, night], pace: {repair: 90}}
calendars: {office: {days: mon-fri, hours: "08:30-17:30"}}
case_classes:
  urgent:
    process: fault
    patience: {kind: exponential, mean: 30 min}
    head_start: 90 s
    attributes: {kind: {choices: {a: 0.4, b: 0.6}}, amount: {numbers: {kind: uniform, low: 100, high: 9000}}}
    promises: {first_response: {limit: 2 h, penalty: 20}, resolution: {limit: 4 h, clock: office}}
  ordinary: {process: fault, priority: 2, attributes: {kind: {choices: {a: 1}}, amount: {numbers: 50}}}
demand:
  online:
    case_class: ordinary
    channel: online
    arrivals: {kind: hourly, per_hour: {mon-fri: [6,6,6,6,6,6,6,6,6,6,6,6,6,6,6,6,6,6,6,6,6,6,6,6]}}
    busy_days: {cv: 0.2}
    surges: {sale: {from: 2026-03-11, to: 2026-03-13, factor: 3}}
    batch: {sizes: {1: 0.7, 3: 0.3}}
  phone: {mix: {urgent: 0.2, ordinary: 0.8}, arrivals: {kind: poisson, rate: 12/h}}
  visits: {case_class: urgent, arrivals: {kind: appointments, days: mon-fri, from: "09:00", to: "12:00", every: 20 min}}
  walk_in: {case_class: urgent, arrivals: {kind: renewal, gap: 5 min}}
processes:
  fault:
    start: intake
    steps:
      intake: {kind: task, skill: desk, time: {kind: lognormal, mean: 8 min, cv: 0.8}, next: triage,
               automated: {share: 0.2, time: 0 min}}
      triage: {kind: decision, next: {kind_of: 0.7, end: 0.3}}
      kind_of: {kind: decision, by: kind, next: {a: push}, otherwise: by_amount}
      by_amount: {kind: decision, by: amount, below: {1000: push, 5000: repair}, otherwise: end}
      push: {kind: handoff, from: service, to: repair, delay: 30 min, returned: 0.1, back_to: intake, rounds: 2,
             next: repair}
      repair: {kind: task, skill: repair, time: 2 h, next: {check: 0.8, repair: 0.2}}
      check: {kind: approval, skill: manager, time: 5 min, next: both, return: 0.15, return_to: repair, reject: 0.05}
      both: {kind: parallel, branches: [risk, legal], join: joined}
      risk: {kind: task, skill: risk, time: 10 min, next: joined}
      legal: {kind: task, skill: legal, time: 20 min, next: joined}
      joined: {kind: join, next: wait}
      wait: {kind: delay, time: 1 d, next: end}
edits:
  esign: {kind: automate, process: fault, step: check, share: 0.35, time: 0 min}
dispatch:
  rule: fcfs
  ageing: 30 min
  escalate: {after: 30 min, to: repair}
  teams: {repair: {rule: edd, delay: 5 min, assignment: fixed}, desk: {escalate: false}}
"""


PARSED: dict[str, Any] = yaml.safe_load(EVERYTHING)


def everything() -> dict[str, Any]:
    return copy.deepcopy(PARSED)


def small(**steps: Any) -> dict[str, Any]:
    """A scenario of one pool, one class and the steps given; the first one is the start."""
    return {
        "name": "small",
        "clock": {"start": "2026-03-02", "horizon": "1 d"},
        "departments": {"office": {}},
        "pools": {"clerk": {"department": "office"}},
        "shifts": {"always": {"days": "all", "hours": "00:00-24:00"}},
        "staffing": {"clerk": {"always": 1}},
        "case_classes": {"any": {"process": "p"}},
        "demand": {"in": {"case_class": "any", "arrivals": {"kind": "poisson", "rate": "1/h"}}},
        "processes": {"p": {"start": next(iter(steps)), "steps": steps}},
    }


def task(next: Any, time: str = "5 min", **more: Any) -> dict[str, Any]:
    return {"kind": "task", "skill": "clerk", "time": time, "next": next, **more}


def approval(next: Any, **more: Any) -> dict[str, Any]:
    return {"kind": "approval", "skill": "clerk", "time": "1 min", "next": next, **more}


def wrong(data: dict[str, Any], language: str = "en") -> list[tuple[str, str]]:
    """(path as 'a.b.0', message) of everything that is wrong."""
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(data)
    return [(".".join(map(str, path)), text) for path, text in problems(caught.value, data, language)]


def put(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one value set; `None` as value removes it."""
    changed = copy.deepcopy(data)
    *way, last = path.split(".")
    here: Any = changed
    for part in way:
        here = here[int(part) if isinstance(here, list) else part]
    if value is None:
        del here[last]
    else:
        here[int(last) if isinstance(here, list) else last] = value
    return changed


# ------------------------------------------------------------------ what is stated comes back


def test_everything_is_read_and_written_back() -> None:
    scenario = Scenario.model_validate(everything())
    assert Scenario.model_validate(scenario.model_dump(mode="json")) == scenario
    assert Scenario.model_validate(scenario.model_dump()) == scenario
    assert Scenario.model_validate_json(scenario.model_dump_json()) == scenario
    assert Scenario.model_validate(yaml.safe_load(yaml.safe_dump(scenario.model_dump(mode="json")))) == scenario
    assert pickle.loads(pickle.dumps(scenario)) == scenario


def test_quantities_are_written_as_people_write_them() -> None:
    written = Scenario.model_validate(everything()).model_dump(mode="json")
    assert written["clock"]["horizon"] == "28 d" and written["demand"]["phone"]["arrivals"]["rate"] == "12.0/h"
    assert written["shifts"]["night"]["hours"] == ["22:00-06:00"]
    assert written["processes"]["fault"]["steps"]["check"]["return"] == 0.15
    assert written["demand"]["online"]["surges"]["sale"]["from"] == "2026-03-11"


def test_what_is_left_out_has_a_default() -> None:
    scenario = Scenario.model_validate(everything())
    assert list(scenario.pools["manager"].abilities) == ["manager"]
    assert scenario.channel("phone") == "phone"
    assert scenario.used_processes() == ("fault",) and scenario.classes_in_use() == ("urgent", "ordinary")
    assert scenario.flow("fault").responders == {"intake"}
    assert scenario.label.text("zh") == "故障维修" and scenario.question.text("zh") == "Which measure helps?"
    assert scenario.pools["desk"].label.text("zh", "desk") == "desk"


def test_a_team_inherits_what_it_does_not_say() -> None:
    dispatch = Scenario.model_validate(everything()).dispatch
    repair, desk, legal = (dispatch.for_skill(skill) for skill in ("repair", "desk", "legal"))
    assert (repair.rule, repair.assignment, repair.ageing) == ("edd", "fixed", 30 * MINUTE)
    assert repair.delay is not None and repair.delay.mean == 5 * MINUTE
    assert repair.escalate is None, "a queue does not escalate to itself"
    assert desk.escalate is None and desk.rule == "fcfs" and desk.delay is None
    assert legal.escalate is not None and legal.escalate.to == "repair"


def test_settings_are_told_from_the_scenario() -> None:
    scenario, settings = split({"name": "x", "seed": 7, "replications": "auto", "compute": {"jobs": 2}})
    assert scenario == {"name": "x"}
    read = Settings.model_validate(settings)
    assert (read.seed, read.replications, read.compute.jobs) == (7, "auto", 2)
    assert Settings.model_validate(read.model_dump(mode="json")) == read
    for bad in (0, "many", 1.5, True):
        with pytest.raises(ValidationError, match="expected a whole number ≥ 1, or auto"):
            Settings(replications=bad)


def test_times_of_day_may_come_as_yaml_made_them() -> None:
    data = put(everything(), "shifts.day.breaks.0.at", 720)
    assert Scenario.model_validate(data) == Scenario.model_validate(everything())


# ------------------------------------------------------------------ days, holidays, hours


def test_day_names_and_ranges() -> None:
    assert days_of("mon-fri") == ("mon", "tue", "wed", "thu", "fri")
    assert days_of("sun-thu") == ("mon", "tue", "wed", "thu", "sun")
    assert days_of(["sat", "Mon"]) == ("mon", "sat")
    assert days_of("all") == ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
    assert days_of(["mon-tue", "holiday"]) == ("mon", "tue", "holiday")
    for bad in ("fry", "mon-xx", "mon-holiday", [], ""):
        with pytest.raises(ValueError):
            days_of(bad)


def test_a_holiday_falls_back_to_the_sunday() -> None:
    assert by_day({"mon-sat": 1, "sun": 2}) == {**dict.fromkeys(days_of("mon-sat"), 1), "sun": 2, "holiday": 2}
    assert by_day({"sun": 2, "holiday": 3})["holiday"] == 3
    assert "holiday" not in by_day({"mon-fri": 1})
    with pytest.raises(ValueError, match="wed is given twice"):
        by_day({"mon-wed": 1, "wed-fri": 2})


def clock(**more: Any) -> Clock:
    return Clock.model_validate({"start": "2026-02-13", "horizon": "12 d", **more})


def test_chinese_new_year_has_holidays_and_make_up_days() -> None:
    # 2026: off from Sunday 15 to Monday 23 February, weekends stay weekends; Saturdays 14 and 28 are worked
    types = clock(holidays="CN", horizon="16 d").day_types()
    assert types[:3] == ("fri", "mon", "sun")
    assert types[3:8] == ("holiday",) * 5
    assert types[8:11] == ("sat", "sun", "holiday")
    assert types[11:17] == ("tue", "wed", "thu", "fri", "mon", "sun")
    assert clock(holidays="CN", make_up_as="sat").day_type(dt.date(2026, 2, 14)) == "sat"


def test_exceptions_beat_holidays() -> None:
    some = clock(
        holidays="CN", exceptions={"2026-02-16": "wed", dt.date(2026, 2, 13): "closed", "2026-02-24": "holiday"}
    )
    assert [some.day_type(dt.date(2026, 2, d)) for d in (13, 16, 17, 24)] == ["closed", "wed", "holiday", "holiday"]


def test_a_weekend_that_is_no_weekend_is_not_a_make_up_day() -> None:
    saudi = clock(holidays="SA", start="2026-03-01")  # a Sunday; Friday and Saturday are the weekend
    assert saudi.day_types()[0] == "sun"


def test_day_types_go_from_the_first_date_to_one_after_the_last() -> None:
    assert clock(horizon="1 d").day_types() == ("fri", "sat")
    late = clock(start="2026-02-13 08:00", horizon="1 d", run_out="16 h")
    assert late.day_types() == ("fri", "sat", "sun")
    assert late.offset == 8 * HOUR and late.midnight(0) == -8 * HOUR and late.tick(dt.date(2026, 2, 14)) == 16 * HOUR


OFFICE = BusinessCalendar.model_validate({"days": "mon-fri", "hours": "08:30-17:30"})
WEEK = Clock.model_validate({"start": "2026-03-02", "horizon": "2 wk", "exceptions": {"2026-03-04": "closed"}})


def due(calendar: BusinessCalendar, arrived: int, limit: int) -> int:
    return int(calendar.due(WEEK, np.array([arrived]), limit)[0])


@pytest.mark.parametrize(
    ("arrived", "limit", "expected"),
    [
        (9 * HOUR, 2 * HOUR, 11 * HOUR),
        (9 * HOUR, 8 * HOUR + 30 * MINUTE, 17 * HOUR + 30 * MINUTE),  # exactly at closing, not at the next opening
        (9 * HOUR, 8 * HOUR + 30 * MINUTE + 1, DAY + 8 * HOUR + 30 * MINUTE + 1),
        (3 * HOUR, 1 * HOUR, 9 * HOUR + 30 * MINUTE),  # arrives in the night
        (17 * HOUR + 30 * MINUTE, 1 * HOUR, DAY + 9 * HOUR + 30 * MINUTE),  # arrives at closing
        (17 * HOUR + 30 * MINUTE - 1, 1, 17 * HOUR + 30 * MINUTE),
        (8 * HOUR + 30 * MINUTE, 9 * HOUR, 17 * HOUR + 30 * MINUTE),  # a whole day
        (DAY + 16 * HOUR + 30 * MINUTE, 2 * HOUR, 3 * DAY + 9 * HOUR + 30 * MINUTE),  # over the closed Wednesday
        (4 * DAY + 16 * HOUR + 30 * MINUTE, 2 * HOUR, 7 * DAY + 9 * HOUR + 30 * MINUTE),  # over the weekend
        (5 * DAY + 12 * HOUR, 9 * HOUR, 7 * DAY + 17 * HOUR + 30 * MINUTE),
        (5 * DAY + 12 * HOUR, 0, 5 * DAY + 12 * HOUR),
        (13 * DAY, 450 * HOUR, 13 * DAY + 50 // 5 * 7 * DAY - 2 * DAY - DAY + DAY + 17 * HOUR + 30 * MINUTE),
    ],
)
def test_open_time_is_counted_exactly(arrived: int, limit: int, expected: int) -> None:
    assert due(OFFICE, arrived, limit) == expected


def test_open_hours_may_cross_midnight_and_be_split() -> None:
    nights = BusinessCalendar.model_validate({"days": "sun", "hours": "22:00-06:00"})
    assert due(nights, 0, HOUR) == HOUR, "Sunday night reaches into the first Monday"
    assert due(nights, 6 * HOUR, HOUR) == 6 * DAY + 23 * HOUR
    split_hours = BusinessCalendar.model_validate({"days": "mon", "hours": ["13:00-17:00", "08:00-12:00"]})
    assert due(split_hours, 11 * HOUR, 2 * HOUR) == 14 * HOUR


def test_open_on_holidays_only_if_it_says_so() -> None:
    feb = Clock.model_validate({"start": "2026-02-13", "horizon": "2 wk", "holidays": "CN"})
    arrived = np.array([16 * HOUR + 30 * MINUTE])  # Friday 13; the 14th is worked, then nine days off
    shut = BusinessCalendar.model_validate({"days": "mon-fri", "hours": "08:30-17:30"})
    assert shut.due(feb, arrived, 11 * HOUR).tolist() == [11 * DAY + 9 * HOUR + 30 * MINUTE]
    always = BusinessCalendar.model_validate({"days": "mon-fri", "hours": "08:30-17:30", "holidays": True})
    assert always.due(feb, arrived, 11 * HOUR).tolist() == [3 * DAY + 9 * HOUR + 30 * MINUTE]


def test_a_calendar_that_never_opens_is_refused_when_it_is_needed() -> None:
    never = BusinessCalendar.model_validate({"days": "holiday", "hours": "08:30-17:30"})
    with pytest.raises(ValueError, match="20 years; is it ever open"):
        never.due(WEEK, np.array([0]), HOUR)


# ------------------------------------------------------------------ edits


def edited(data: dict[str, Any], *edits: dict[str, Any]) -> dict[str, Any]:
    return {**data, "edits": {f"e{i}": {"process": "p", **edit} for i, edit in enumerate(edits)}}


def arrows(data: dict[str, Any]) -> dict[str, dict[str, float]]:
    flow = Scenario.model_validate(data).flow("p")
    return {name: dict(getattr(step, "next", {})) for name, step in flow.steps.items()}


CHAIN = small(
    a=task("b"),
    b=task("c", "7 min"),
    c=approval({"d": 0.9, "e": 0.1}, **{"return": 0.2, "return_to": "a"}),
    d=task("end"),
    e=task("end"),
)


def test_skip_puts_the_next_in_its_place() -> None:
    assert arrows(edited(CHAIN, {"kind": "skip", "step": "b"}))["a"] == {"c": 1.0}
    flow = Scenario.model_validate(edited(CHAIN, {"kind": "skip", "step": "a"})).flow("p")
    assert flow.start == "b" and flow.steps["c"].return_to == "b"


def test_skip_hands_on_a_choice_with_its_dice() -> None:
    flow = Scenario.model_validate(edited(CHAIN, {"kind": "skip", "step": "c"})).flow("p")
    b = flow.steps["b"]
    assert isinstance(b, Task) and dict(b.next) == {"d": 0.9, "e": 0.1} and b.outcome == "c"


def test_skip_multiplies_probabilities() -> None:
    data = small(a=task({"b": 0.5, "end": 0.5}), b=task({"c": 0.4, "b": 0.2, "end": 0.4}), c=task("end"))
    assert arrows(edited(data, {"kind": "skip", "step": "b"}))["a"] == pytest.approx({"c": 0.25, "end": 0.75})


PARALLEL = small(
    f={"kind": "parallel", "branches": ["a", "b"], "join": "j"},
    a=task("j"),
    b=task("j"),
    j={"kind": "join", "next": "z"},
    z=task("end"),
)


def test_skip_of_a_whole_branch_leaves_no_parallel_of_one() -> None:
    flow = Scenario.model_validate(edited(PARALLEL, {"kind": "skip", "step": "b"})).flow("p")
    assert flow.start == "a" and set(flow.steps) == {"a", "z"} and flow.steps["a"].successors() == {"z"}


def test_merge_does_both_in_one_visit() -> None:
    flow = Scenario.model_validate(edited(CHAIN, {"kind": "merge", "steps": ["a", "b"], "factor": 0.5})).flow("p")
    a = flow.steps["a"]
    assert set(flow.steps) == {"a", "c", "d", "e"} and isinstance(a, Task)
    assert [(part.step, part.time.mean) for part in a.parts_of("a")] == [("a", 5 * MINUTE), ("b", 7 * MINUTE)]
    assert a.factor == 0.5 and a.outcome == "b" and dict(a.next) == {"c": 1.0}
    assert a.mean_work() == 6 * MINUTE


def test_merge_with_an_approval_keeps_its_outcomes() -> None:
    flow = Scenario.model_validate(edited(CHAIN, {"kind": "merge", "steps": ["b", "c"]})).flow("p")
    b = flow.steps["b"]
    assert isinstance(b, Approval) and b.returned == 0.2 and b.return_to == "a" and b.outcome == "c"
    assert [part.step for part in b.parts] == ["b", "c"] and dict(flow.steps["a"].next) == {"b": 1.0}


def test_a_return_to_a_merged_step_goes_to_the_merged_visit() -> None:
    data = put(CHAIN, "processes.p.steps.c.return_to", "b")
    flow = Scenario.model_validate(edited(data, {"kind": "merge", "steps": ["a", "b"]})).flow("p")
    assert flow.steps["c"].return_to == "a"


def test_automate_frees_a_share_of_the_cases() -> None:
    flow = Scenario.model_validate(edited(CHAIN, {"kind": "automate", "step": "c", "share": 0.35, "time": "2 s"})).flow(
        "p"
    )
    c = flow.steps["c"]
    assert isinstance(c, Approval) and c.automated is not None and c.automated.share == 0.35
    assert c.mean_work() == 0.65 * MINUTE and c.returned == 0.2


def test_parallel_makes_branches_of_consecutive_steps() -> None:
    flow = Scenario.model_validate(edited(CHAIN, {"kind": "parallel", "steps": ["a", "b"]})).flow("p")
    fork, join = flow.steps["e0"], flow.steps["e0_join"]
    assert flow.start == "e0" and isinstance(fork, Parallel) and isinstance(join, Join)
    assert fork.branches == ("a", "b") and fork.join == "e0_join"
    assert dict(join.next) == {"c": 1.0} and dict(flow.steps["a"].next) == dict(flow.steps["b"].next) == {
        "e0_join": 1.0
    }
    assert flow.steps["c"].return_to == "e0", "rework begins both again"
    assert flow.responders == {"a", "b"}


def test_move_takes_an_approval_behind_the_work() -> None:
    data = small(a=task("check"), check=approval("work", **{"return": 0.1, "return_to": "a"}), work=task("end"))
    moved = edited(data, {"kind": "move", "step": "check", "after": "work"})
    assert arrows(moved) == {"a": {"work": 1.0}, "work": {"check": 1.0}, "check": {"end": 1.0}}
    assert Scenario.model_validate(moved).flow("p").steps["check"].return_to == "a"


def test_move_behind_a_step_that_repeats_itself_waits_until_it_goes_on() -> None:
    data = small(check=approval("work"), work=task({"x": 0.8, "work": 0.2}), x=task("end"))
    moved = arrows(edited(data, {"kind": "move", "step": "check", "after": "work"}))
    assert moved["work"] == {"work": 0.2, "check": 0.8} and moved["check"] == {"x": 1.0}


def test_move_leaves_the_dice_with_the_choice() -> None:
    data = small(check=approval("work"), work=task({"x": 0.8, "end": 0.2}), x=task("end"))
    flow = Scenario.model_validate(edited(data, {"kind": "move", "step": "check", "after": "work"})).flow("p")
    assert dict(flow.steps["check"].next) == {"x": 0.8, "end": 0.2} and flow.steps["check"].outcome == "work"


def test_move_out_of_a_branch_leaves_no_empty_branch() -> None:
    moved = edited(PARALLEL, {"kind": "move", "step": "b", "after": "z"})
    assert arrows(moved) == {"a": {"z": 1.0}, "z": {"b": 1.0}, "b": {"end": 1.0}}


def test_edits_follow_one_another() -> None:
    data = edited(
        CHAIN,
        {"kind": "skip", "step": "b"},
        {"kind": "automate", "step": "a", "share": 1},
        {"kind": "merge", "steps": ["a", "c"]},
    )
    a = Scenario.model_validate(data).flow("p").steps["a"]
    assert isinstance(a, Approval) and [part.automated is not None for part in a.parts] == [True, False]


@pytest.mark.parametrize(
    ("edit", "path", "words"),
    [
        ({"kind": "skip", "step": "bb"}, "edits.e0.step", "there is no step 'bb'; did you mean b?"),
        ({"kind": "skp", "step": "b"}, "edits.e0.kind", "there is no kind of edit 'skp'; did you mean skip?"),
        ({"kind": "skip", "step": "b", "process": "q"}, "edits.e0.process", "there is no process 'q'"),
        ({"kind": "merge", "steps": ["b", "a"]}, "edits.e0.steps.1", "'a' does not follow directly after 'b'"),
        ({"kind": "merge", "steps": ["a", "b", "c"], "factor": -1}, "edits.e0.factor", "expected a number ≥ 0, got -1"),
        ({"kind": "merge", "steps": ["a"]}, "edits.e0.steps", "needs at least 2"),
        ({"kind": "move", "step": "b", "after": "f"}, "edits.e0.after", "there is no step 'f'"),
        ({"kind": "move", "step": "b", "after": "b"}, "edits.e0.after", "is the step itself"),
        ({"kind": "automate", "step": "b", "share": 1.2}, "edits.e0.share", "a share between 0 and 1, got 1.2"),
        ({"kind": "parallel", "steps": ["b", "c"]}, "processes.p.steps.c", "goes to 'a', which lies outside"),
    ],
)
def test_an_edit_that_cannot_be_done_is_refused(edit: dict[str, Any], path: str, words: str) -> None:
    found = wrong(edited(CHAIN, edit))
    assert found[0][0] == path and words in found[0][1], found


def test_an_edit_of_a_step_that_another_took_away_names_that_one() -> None:
    found = wrong(edited(CHAIN, {"kind": "merge", "steps": ["a", "b"]}, {"kind": "skip", "step": "b"}))
    assert found[0][0] == "edits.e1.step" and "edits.e0 comes before and has taken it away" in found[0][1], found


# ------------------------------------------------------------------ flows that are not sound


@pytest.mark.parametrize(
    ("steps", "path", "words"),
    [
        ({"a": task("bb"), "b": task("end")}, "a.next", "there is no step 'bb'; did you mean b?"),
        (
            {"a": task({"b": 0.5, "ende": 0.5}), "b": task("end")},
            "a.next.ende",
            "there is no step 'ende'; did you mean end?",
        ),
        ({"a": task({"b": 0.5, "end": 0.4}), "b": task("end")}, "a.next", "the probabilities sum to 0.9, not to 1"),
        ({"a": {"kind": "decision", "next": {"end": 0.9}}}, "a.next", "the probabilities sum to 0.9, not to 1"),
        ({"a": {"kind": "decision", "next": {"end": "b"}}}, "a.next.end", "to decide by a value give `by`"),
        ({"a": task("end"), "b": task("end")}, "b", "cannot be reached from the start 'a'"),
        ({"a": task("b"), "b": task("a")}, "a.next", "can never leave: a, b lead only to one another"),
        ({"a": task({"a": 1.0, "end": 0.0})}, "a.next", "can never leave: it leads only to itself"),
        ({"a": task("b"), "b": task("c"), "c": task("b")}, "b.next", "can never leave: b, c"),
        ({"a": approval("a", reject=0)}, "a.next", "can never leave"),
        ({"a": approval("end", **{"return": 0.2})}, "a.return_to", "is missing; name the step"),
        ({"a": approval("end", **{"return": 0.2, "return_to": "end"})}, "a.return_to", "there is no step 'end'"),
        ({"a": approval("end", reject=0.5, **{"return": 0.6, "return_to": "a"})}, "a.return", "sum to 1.1, above 1"),
        ({"a": approval("end", rounds=-1)}, "a.rounds", "expected a whole number ≥ 0, got -1"),
        (
            {"a": {"kind": "handoff", "to": "ofice", "next": "end"}},
            "a.to",
            "there is no department 'ofice'; did you mean office?",
        ),
        ({"a": {"kind": "handoff", "to": "office", "returned": 0.1, "next": "end"}}, "a.back_to", "is missing"),
        ({"a": task("end"), "end": task("a")}, "end", "is a way out of the process"),
        ({"a": {**task("end"), "kind": "tsk"}}, "a.kind", "there is no step kind 'tsk'; did you mean task?"),
        ({"a": {"kind": "join", "next": "end"}}, "a", "is the join of no parallel"),
    ],
)
def test_an_unsound_flow_is_refused(steps: dict[str, Any], path: str, words: str) -> None:
    found = wrong(small(**steps))
    assert len(found) == 1, found
    assert found[0][0] == f"processes.p.steps.{path}" and words in found[0][1], found


@pytest.mark.parametrize(
    ("step", "value", "path", "words"),
    [
        (
            "a",
            task("end"),
            "a",
            "goes to 'end', which lies outside the branches of 'f'; from inside every way leads to 'j'",
        ),
        ("a", task("b"), "b", "lies on two branches of 'f'"),
        ("a", task("z"), "a", "goes to 'z', which lies outside"),
        (
            "f",
            {"kind": "parallel", "branches": ["a", "b"], "join": "z"},
            "f.join",
            "'z' is a task; expected a step of kind join",
        ),
        ("f", {"kind": "parallel", "branches": ["a", "j"], "join": "j"}, "f.branches.1", "is the join itself"),
        ("z", task({"a": 0.1, "end": 0.9}), "z", "leads into 'a', a branch of 'f', from outside"),
        ("z", {"kind": "parallel", "branches": ["a", "b"], "join": "j"}, "z.join", "'j' is already the join of 'f'"),
    ],
)
def test_a_parallel_keeps_its_branches_to_itself(step: str, value: Any, path: str, words: str) -> None:
    found = wrong(put(PARALLEL, f"processes.p.steps.{step}", value))
    assert (f"processes.p.steps.{path}" in [p for p, _ in found]) and any(words in text for _, text in found), found


def test_nested_parallels_and_rework_inside_a_branch_are_sound() -> None:
    inner = {"kind": "parallel", "branches": ["c", "d"], "join": "k"}
    data = copy.deepcopy(PARALLEL)
    data["processes"]["p"]["steps"] |= {
        "a": task("g"),
        "g": inner,
        "c": task("k"),
        "d": approval("k", **{"return": 0.5, "return_to": "d"}),
        "k": {"kind": "join", "next": "j"},
    }
    assert Scenario.model_validate(data).flow("p").responders == {"a", "b"}
    around = put(PARALLEL, "processes.p.steps.z", approval("end", **{"return": 0.3, "return_to": "f"}))
    Scenario.model_validate(around)


# ------------------------------------------------------------------ what a planner reads


HERE = ""
CASES: list[tuple[str, Any, str, str]] = [
    # what is set (None: removed), where the message points, what it says
    ("pools.desk.departmnt", "x", HERE, "is not a known setting; did you mean department?"),
    ("replicaton", 3, HERE, "is not a known setting; did you mean replications?"),
    ("clock.horizon", 28, HERE, "needs a unit, for example '28 min'"),
    ("clock.horizon", "4 weks", HERE, "cannot read '4 weks' as a duration"),
    ("clock.horizon", "-4 wk", HERE, "must not be negative"),
    ("clock.warm_up", "4 wk", HERE, "must be shorter than the horizon"),
    ("clock.start", "2026-02-30", HERE, "'2026-02-30' is not a date"),
    ("clock.holidays", "CHN2", HERE, "'CHN2' is not a country"),
    ("clock.holidays", "cn", HERE, "did you mean CN"),
    ("clock.holidays", False, HERE, "'NO' for Norway"),
    ("clock.exceptions", {"2026-13-01": "closed"}, "clock.exceptions.2026-13-01", "'2026-13-01' is not a date"),
    (
        "clock.exceptions",
        {"2026-03-05": "cloesd"},
        "clock.exceptions.2026-03-05",
        'cannot be "cloesd"; did you mean closed?',
    ),
    ("demand.online.surges.sale.from", "2026-02-30", HERE, "is not a date"),
    ("demand.online.surges.sale.to", "2026-03-01", HERE, "is before `from`"),
    ("pools.desk.department", "servce", HERE, "there is no department 'servce'; did you mean service?"),
    ("pools.desk.end_of_shift", "finsh", HERE, 'cannot be "finsh"; did you mean finish?'),
    ("pools.desk.wage", "sixty", HERE, 'expected a number ≥ 0, got "sixty"'),
    ("pools.field.skills.repair.pace", 0, HERE, "expected per cent as a whole number ≥ 1, got 0"),
    ("staffing.dsk", {"day": 1}, HERE, "there is no pool 'dsk'; did you mean desk?"),
    ("staffing.desk.dya", 1, HERE, "there is no shift 'dya'; did you mean day?"),
    ("staffing.desk.day", "six", HERE, 'expected a whole number ≥ 0, got "six"'),
    ("staffing.desk.day", 1.5, HERE, "expected a whole number ≥ 0, got 1.5"),
    ("staffing.desk.day", -1, HERE, "expected a whole number ≥ 0, got -1"),
    ("shifts.day.days", "mon-fry", HERE, 'there is no day "fry"; did you mean fri'),
    ("shifts.day.hours", "8:30 to 17:30", HERE, "as hours; write '08:30-17:30'"),
    ("shifts.day.hours", ["08:00-12:00", "11:00-15:00"], HERE, "overlaps"),
    ("shifts.day.breaks.0.at", "18:00", HERE, "18:00 is outside the hours"),
    ("shifts.day.breaks.0.waves", 20, "shifts.day.breaks.0.lasts", "20 × 30 min ends after the shift"),
    ("shifts.base.every", "7 h", HERE, "must divide the day"),
    ("shifts.base.headcount.fri", [1], HERE, "needs 2 whole numbers for slots of 12 h, got 1"),
    ("workers.li_wei.pool", "feld", HERE, "there is no pool 'feld'; did you mean field?"),
    ("workers.li_wei.shifts", ["day", "base"], "workers.li_wei.shifts.1", "is a profile of headcounts"),
    ("workers.li_wei.pace", {"repare": 90}, "workers.li_wei.pace.repare", "did you mean repair?"),
    ("workers.li_wei.pace", "fast", HERE, "expected per cent"),
    ("case_classes.urgent.process", "falt", HERE, "there is no process 'falt'; did you mean fault?"),
    (
        "case_classes.urgent.promises.resolution.clock",
        "ofice",
        HERE,
        "there is no calendar 'ofice'; did you mean office?",
    ),
    ("case_classes.urgent.promises.resolved", {"limit": "1 h"}, HERE, "known: first_response, resolution"),
    (
        "case_classes.urgent.attributes.kind.choices.b",
        0.5,
        "case_classes.urgent.attributes.kind.choices",
        "sum to 0.9, not to 1",
    ),
    ("case_classes.urgent.attributes.kind", {}, HERE, "needs either `choices` or `numbers`"),
    ("demand.online.case_class", "ordinry", HERE, "there is no case class 'ordinry'; did you mean ordinary?"),
    ("demand.phone.mix.urgent", 0.3, "demand.phone.mix", "sum to 1.1, not to 1"),
    ("demand.phone.case_class", "urgent", "demand.phone", "needs exactly one of `case_class`, `mix`"),
    ("demand.phone.arrivals.rate", 12, HERE, "write '3/h' or '40/d'"),
    ("demand.phone.arrivals.kind", "posson", HERE, "there is no kind of arrivals 'posson'; did you mean poisson?"),
    (
        "demand.online.arrivals.per_hour",
        {"mon-fri": [1, 2]},
        "demand.online.arrivals.per_hour.mon-fri",
        "needs 24, 48, 96, 288 or 1440 numbers",
    ),
    (
        "demand.visits.arrivals.times",
        ["09:00"],
        "demand.visits.arrivals",
        "needs either `times`, or `from`, `to` and `every`",
    ),
    ("demand.visits.factor", 3, HERE, "has no effect here: appointments are as many as are booked"),
    (
        "demand.visits.surges",
        {"sale": {"from": "2026-03-11", "to": "2026-03-13", "factor": 3}},
        HERE,
        "has no effect here: appointments",
    ),
    ("demand.online.busy_days", {"cv": 0.2, "factor": 1}, HERE, "needs either `cv` or `factor`"),
    ("demand.visits.busy_days", {"cv": 0.2}, HERE, "has no effect here: appointments"),
    ("demand.visits.batch", {"sizes": {2: 1}}, HERE, "has no effect here: appointments"),
    ("dispatch.rule", "proirity", HERE, "there is no dispatch rule 'proirity'; did you mean priority?"),
    ("dispatch.assignment", "longest", HERE, "did you mean longest_idle or slowest?"),
    ("dispatch.teams.repare", {"rule": "edd"}, HERE, "there is no skill 'repare'; did you mean repair?"),
    ("dispatch.teams.repair.rule", "ede", HERE, "did you mean edd?"),
    (
        "dispatch.teams.repair.escalate",
        {"after": "0 min", "to": "manager"},
        "dispatch.teams.repair.escalate.to",
        "goes round in a circle: repair → manager → repair",
    ),
    (
        "dispatch.teams.desk.escalate",
        {"after": 30, "to": "repair"},
        "dispatch.teams.desk.escalate.after",
        "needs a unit",
    ),
    ("dispatch.escalate.to", "supervisor", HERE, "there is no skill 'supervisor'"),
    ("dispatch", {"rule": "ageing"}, "dispatch.rule", "needs `ageing`"),
    (
        "processes.fault.steps.intake.skill",
        "dsek",
        HERE,
        "nobody can do step 'intake': no pool has the skill 'dsek'; did you mean desk?",
    ),
    (
        "staffing.manager.day",
        0,
        "processes.fault.steps.check.skill",
        "nobody can do step 'check': the headcount of manager is 0",
    ),
    ("processes.fault.steps.kind_of.by", "knd", HERE, "urgent, ordinary: no attribute 'knd'; did you mean kind?"),
    ("processes.fault.steps.kind_of.otherwise", None, "processes.fault.steps.by_amount", "cannot be reached"),
    (
        "processes.fault.steps.kind_of.next",
        {"a": "push", "c": "repair"},
        "processes.fault.steps.kind_of.next.c",
        "there is no value of 'kind' 'c'",
    ),
    (
        "processes.fault.steps.by_amount.by",
        "kind",
        "processes.fault.steps.by_amount.below",
        "write `next`: a step for each",
    ),
    ("processes.fault.steps.triage.label", 3, HERE, "expected a mapping"),
    ("pools.客服", {"department": "service"}, HERE, "write the Chinese name as label: {zh: 客服}"),
    ("name", "故障/基线", HERE, "scenario names are ASCII letters"),
    ("facts.late.tolerance", None, HERE, "is missing"),
    ("departments", [], HERE, "expected a mapping"),
    ("calendars.calendar", {"days": "all", "hours": "00:00-24:00"}, HERE, "choose another id"),
]


@pytest.mark.parametrize(("where", "value", "path", "words"), CASES, ids=[f"{c[0]}={c[1]}" for c in CASES])
def test_a_mistake_is_told_once_where_it_stands(where: str, value: Any, path: str, words: str) -> None:
    found = wrong(put(everything(), where, value))
    assert len(found) == 1, found
    assert found[0][0] == (path or where) and words in found[0][1], found
    assert "\n" not in found[0][1]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in nested mappings and lists."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in inner for place in places(child, (*path, key)))]


@pytest.mark.parametrize("rubbish", [None, True, -1, "中文", "", [], {"a": 1}, float("nan"), 10**400], ids=repr)
def test_rubbish_anywhere_is_told_in_one_line_at_a_place_that_exists(rubbish: Any) -> None:
    for path in places(everything())[1:]:
        data = everything()
        *way, last = path
        here: Any = data
        for part in way:
            here = here[part]
        here[last] = rubbish
        try:
            Scenario.model_validate(data)
        except ValidationError as error:
            for where, text in problems(error, data):
                assert len(text) <= 300 and "\n" not in text and "Input should" not in text
                assert where and str(where[0]) in data


def test_several_mistakes_are_told_together() -> None:
    data = put(put(everything(), "staffing.desk.day", "six"), "clock.horizn", "4 wk")
    assert {path for path, _ in wrong(data)} == {"staffing.desk.day", "clock.horizn"}


def test_a_misspelt_required_key_is_not_also_missing() -> None:
    data = everything()
    data["clock"]["horizn"] = data["clock"].pop("horizon")
    assert wrong(data) == [("clock.horizn", "is not a known setting; did you mean horizon?")]


def test_one_worker_is_not_on_two_shifts_at_once() -> None:
    def both(**shifts: Any) -> dict[str, Any]:
        data = put(everything(), "workers.li_wei.shifts", list(shifts))
        data["shifts"] |= shifts
        return data

    early = {"days": "mon-fri", "hours": "06:00-14:00"}
    Scenario.model_validate(both(early=early, late={"days": "mon-fri", "hours": "14:00-22:00"}))
    [(path, text)] = wrong(both(early=early, late={"days": "fri-sat", "hours": "13:59-22:00"}))
    assert path == "workers.li_wei.shifts.1"
    assert text == "the shifts 'early' and 'late' overlap (fri); a worker is on one at a time"
    # Sunday night reaches into Monday morning
    assert len(wrong(both(night={"days": "sun", "hours": "22:00-06:30"}, early=early))) == 1
    Scenario.model_validate(both(night={"days": "sun", "hours": "22:00-06:00"}, early=early))


def test_overlapping_shifts_of_a_pool_add_up() -> None:
    data = put(everything(), "staffing.desk", {"day": 10, "night": 1, "base": 1})
    Scenario.model_validate(data)


def test_a_class_or_channel_that_a_decision_forgets_is_named() -> None:
    by_class = put(
        everything(),
        "processes.fault.steps.triage",
        {"kind": "decision", "by": "case_class", "next": {"urgent": "kind_of"}},
    )
    assert wrong(by_class) == [
        ("processes.fault.steps.triage.next", "says no step for ordinary; name one, or give `otherwise`")
    ]
    Scenario.model_validate(put(by_class, "processes.fault.steps.triage.otherwise", "end"))
    by_channel = put(
        everything(),
        "processes.fault.steps.triage",
        {"kind": "decision", "by": "channel", "next": {"online": "kind_of", "fone": "end"}, "otherwise": "end"},
    )
    assert wrong(by_channel) == [
        ("processes.fault.steps.triage.next.fone", "there is no channel 'fone'; did you mean phone or online?")
    ]


def test_a_rule_of_head_start_needs_one() -> None:
    data = put(put(everything(), "case_classes.urgent.head_start", None), "dispatch.rule", "head_start")
    assert wrong(data)[0][0] == "dispatch.rule"


def test_a_step_that_is_always_automated_needs_nobody() -> None:
    data = small(a=task("b"), b={**task("end"), "skill": "robot", "automated": {"share": 1}})
    Scenario.model_validate(data)


def test_a_trace_is_looked_up_in_the_project(tmp_path: Path) -> None:
    data = small(a=task("end"))
    trace: dict[str, Any] = {
        "kind": "trace",
        "file": "calls.csv",
        "columns": {"arrived_at": "at", "service": {"a": "took"}},
    }
    data["demand"]["in"]["arrivals"] = trace
    (tmp_path / "calls.csv").write_text("at,took\n2026-03-02 08:00,3\n")
    scenario = Scenario.model_validate(data, context={"folder": tmp_path})
    arrivals = scenario.demand["in"].arrivals
    assert arrivals.path == tmp_path / "calls.csv"  # type: ignore[attr-defined]
    assert Scenario.model_validate(scenario.model_dump(mode="json"), context={"folder": tmp_path}) == scenario

    def told(change: Callable[[], None]) -> str:
        change()
        with pytest.raises(ValidationError) as caught:
            Scenario.model_validate(data, context={"folder": tmp_path})
        [(path, text)] = problems(caught.value, data)
        return f"{'.'.join(map(str, path))}: {text}"

    assert told(lambda: trace["columns"]["service"].update(b="took")).startswith(
        "demand.in.arrivals.columns.service.b: there is no step 'b'"
    )
    trace["columns"]["service"] = {}
    assert 'there is no column "att"; did you mean at?' in told(lambda: trace["columns"].update(arrived_at="att"))
    assert "is empty" in told(lambda: (tmp_path / "calls.csv").write_text("") and None)  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("where", "value", "text"),
    [
        ("staffing.desk.day", "six", '应为不小于 0 的整数，而不是 "six"'),
        ("clock.horizn", "4 wk", "不是有效的设置项；是否应为 horizon？"),
        ("facts.late.tolerance", None, "缺少此项"),
        ("pools.desk.end_of_shift", "finsh", '不能是 "finsh"；是否应为 finish？'),
    ],
)
def test_standard_messages_come_in_chinese_too(where: str, value: Any, text: str) -> None:
    assert wrong(put(everything(), where, value), "zh")[0][1] == text


def test_the_rules_that_a_scenario_may_name_are_those_that_exist() -> None:
    dispatch = pytest.importorskip("servsim.dispatch")
    assert set(dispatch.RULES) == set(RULES)
    assignment = getattr(dispatch, "ASSIGNMENTS", None)
    assert assignment is None or set(assignment) == set(ASSIGNMENTS)
