"""Rule 18, promises: their clocks counted tick by tick in random worlds, by hand, and as a scenario says them."""

from __future__ import annotations

import dataclasses
import datetime
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import MORE
from hypothesis import given, note
from hypothesis import strategies as st
from oracle_promises import IsOpen, Promised, Seen, seen, watched
from pydantic import ValidationError
from worlds import Pick, mapping, random_world, told

from servsim import prepare
from servsim.engines import Engine
from servsim.experiment import compare
from servsim.kpis.promises import figures_of
from servsim.model import BusinessCalendar, Scenario, Settings, problems
from servsim.model.errors import InputError
from servsim.quantities import MINUTE
from servsim.records import Clocks, Event, Run, State, Triggers
from servsim.report import tables
from servsim.report.findings import Findings
from servsim.report.story import story
from servsim.report.words import words
from servsim.simulate import ranked, simulate

WORDS = ("arrival", "answer", "leaving", "enabled", "offered", "started", "completed")


# ------------------------------------------------------------------ counted tick by tick


@dataclasses.dataclass(frozen=True)
class Dealt:
    """A promise for the cases of one class of a random world, and in whose open hours its clock runs."""

    of: Promised
    calendar: int  # -1: always


def dealt(pick: Pick, n_steps: int, n_calendars: int) -> Dealt:
    def steps() -> tuple[int, ...]:
        return tuple(k for k in range(n_steps) if pick(0, 2) == 0)

    begins = "arrival" if pick(0, 1) else ("answer", *WORDS[3:])[pick(0, 4)]
    ends = WORDS[1:][pick(0, 5)]
    of_step = [steps() if word in WORDS[3:] else () for word in (begins, ends)]
    of = Promised(
        pick(0, 3) if pick(0, 1) else pick(0, 30),
        begins, of_step[0], bool(pick(0, 1)) and begins in WORDS[3:],
        ends, of_step[1], bool(pick(0, 1)) and ends in WORDS[3:],
        steps() if pick(0, 2) else (),
    )  # fmt: skip
    return Dealt(of, pick(-1, n_calendars - 1))


def hours(pick: Pick) -> list[tuple[int, int]]:
    """Open hours that never touch, some of them long closed."""
    found, at = [], -30
    while at < 150:
        at += pick(1, 9)
        found.append((at, at := at + pick(1, 9)))
    return found


def promised(run: Run, deals: list[list[Dealt]], calendars: list[list[tuple[int, int]]], classes: list[int]) -> Run:
    """The run with these promises ([promises][classes]) made beforehand; nothing else depends on them."""
    n_steps, shape = len(run.workload.steps.names), (len(deals), len(deals[0]))

    def codes(of: Callable[[Dealt], Any]) -> np.ndarray:
        return np.array([[of(deal) for deal in row] for row in deals], np.int8)

    def flags(of: Callable[[Dealt], Any]) -> np.ndarray:
        rows = [[[k in of(deal) for k in range(n_steps)] for deal in row] for row in deals]
        return np.array(rows, np.int8).reshape(*shape, n_steps)

    case_class = np.array(classes, np.int32)
    clocks = Clocks(
        np.array([[row[k].of.limit for k in classes] for row in deals], np.int64),
        np.array([[row[k].calendar for k in classes] for row in deals], np.int8),
        Triggers(
            codes(lambda d: Event[d.of.begins.upper()]),
            flags(lambda d: d.of.begin_steps),
            codes(lambda d: d.of.begin_last),
        ),
        Triggers(
            codes(lambda d: Event[d.of.ends.upper()]),
            flags(lambda d: d.of.end_steps),
            codes(lambda d: d.of.end_last),
        ),
        flags(lambda d: d.of.pauses),
        np.cumsum([0, *map(len, calendars)]).astype(np.int32),
        np.array([a for part in calendars for a, _ in part], np.int64),
        np.array([b for part in calendars for _, b in part], np.int64),
    )
    work = dataclasses.replace(
        run.workload,
        classes=tuple("xyz"[: shape[1]]),
        case_class=case_class,
        promises=tuple("pqrs"[: shape[0]]),
        promise_event=("",) * shape[0],
        promise_penalty=np.zeros(shape),
        due_at=np.full((shape[0], run.workload.n_cases), -1),
        clocks=clocks,
    )
    return dataclasses.replace(run, workload=work)


def wrong(pick: Pick, engine: Engine) -> str:
    """Draws a world and promises; empty if all clocks ran as counted tick by tick."""
    world = random_world(pick).but(unit=1)
    run = world.run(engine)
    n_steps = len(run.workload.steps.names)
    calendars = [hours(pick) for _ in range(pick(0, 2))]
    deals = [[dealt(pick, n_steps, len(calendars)) for _ in range(2)] for _ in range(3)]
    classes = [pick(0, 1) for _ in range(run.workload.n_cases)]
    run = promised(run, deals, calendars, classes)
    for number, course in enumerate(run.courses):
        for case, of_class in enumerate(classes):
            deal = deals[number][of_class]
            is_open = opened(calendars[deal.calendar]) if deal.calendar >= 0 else lambda t: True
            truth = watched(seen(run, case), deal.of, is_open, run.window.until)
            found = {
                "began": course.began_at[case], "ended": course.ended_at[case], "elapsed": course.elapsed[case],
                "due": course.due_at[case], "breached": course.breached_at[case],
                "state": State(course.state[case]).name,
            }  # fmt: skip
            if truth != found:
                parts = [world.shown(), *told(world, run), f"{deal} of case {case}", f"hours {calendars}"]
                return "\n".join([*parts, f"counted {truth}", f"found   {found}"])
    return ""


def opened(spans: list[tuple[int, int]]) -> Callable[[int], bool]:
    ticks = {t for a, b in spans for t in range(a, b)}
    return lambda t: t in ticks


@given(data=st.data())
def test_clocks_run_as_counted_tick_by_tick(engine: Engine, data: st.DataObject) -> None:
    found = wrong(lambda low, high: data.draw(st.integers(low, high)), engine)
    note(found)
    assert not found


@pytest.mark.parametrize("block", range(4))
def test_the_same_on_many_more_worlds(engine: Engine, block: int) -> None:
    for seed in range(round(250 * MORE)):
        assert not wrong(random.Random(f"promises/{block}/{seed}").randint, engine), f"seed {block}/{seed}"


# ------------------------------------------------------------------ counted minute by minute, as a scenario says them


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")


def office(pick: Pick) -> tuple[dict[str, Any], dict[str, list[tuple[int, int]]]]:
    """A calendar as it is written, and its open minutes by type of day."""

    def spans() -> list[tuple[int, int]]:
        edges = sorted(random.Random(pick(0, 10**6)).sample(range(0, 1441, 15), 2 * pick(1, 3)))
        return list(zip(edges[::2], edges[1::2], strict=True))

    def written(of: list[tuple[int, int]]) -> list[str]:
        return [f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in of]

    week, weekend, own = spans(), spans(), pick(0, 2)
    by_day = dict.fromkeys(DAYS[:5], week) | ({"sat": weekend} if own else {})
    also = {"sat": written(weekend)} if own else {}
    calendar: dict[str, Any] = {"days": "mon-fri", "hours": written(week), "also": also}
    if pick(0, 1):
        calendar["holidays"], by_day["holiday"] = True, week
    return calendar, by_day


def said(of: Promised, clock: str) -> dict[str, Any]:
    """The promise as it is written; steps are a, b (in parallel, after a), and c, which is gone through up to three
    times."""

    def event(word: str, steps: Any, last: bool) -> str:
        return f"{'last ' if last else ''}{'abc'[min(steps)]} {word}" if steps else word

    return {
        "from": event(of.begins, of.begin_steps, of.begin_last),
        "to": event(of.ends, of.end_steps, of.end_last),
        "limit": f"{of.limit} min",
        "pauses_in": ["abc"[k] for k in of.pauses],
        "clock": clock,
    }


def written_out(pick: Pick) -> tuple[dict[str, Any], dict[str, tuple[Promised, bool]], dict[str, Any]]:
    """(scenario, its promises and whether they run on office hours, the open minutes by type of day)."""
    calendar, by_day = office(pick)
    days = {f"2026-03-{2 + pick(0, 12):02d}": (*DAYS[4:], "closed")[pick(0, 4)] for _ in range(pick(0, 4))}
    steps = {
        "a": {"kind": "delay", "time": "1 min", "next": "both"},
        "both": {"kind": "parallel", "branches": ["b", "c"], "join": "met"},
        "b": {**TASK, "time": "1 min", "next": "met"},
        "c": {**TASK, "time": "1 min", "next": {"c2": 0.5, "met": 0.5}, "responds": True},
        "c2": {"kind": "delay", "time": "0 min", "next": "c"},
        "met": {"kind": "join", "next": "end"},
    }
    cases = {
        f"n{k}": {
            "at": f"{pick(0, 14 * 1440)} min",
            "work": {step: [f"{pick(0, 3) * pick(0, 400)} min" for _ in range(3)] for step in ("a", "b", "c", "c2")},
            "next": {"c": [*["c2"] * pick(0, 2), "met"]},
        }
        for k in range(6)
    }
    promises = {}
    for k in range(4):
        begins = [("arrival", ()), ("answer", ()), ("a", (0,)), ("b", (1,)), ("c", (2,))][pick(0, 4)]
        ends = [("leaving", ()), ("b", (1,)), ("c", (2,))][pick(0, 2)]
        one, other = WORDS[3 + pick(0, 1)], WORDS[5 + pick(0, 1)]
        promises[f"p{k}"] = (
            Promised(
                pick(1, 900), one if begins[1] else begins[0], begins[1], bool(begins[1] and pick(0, 1)),
                other if ends[1] else ends[0], ends[1], bool(ends[1] and pick(0, 1)),
                tuple(k for k in range(3) if not pick(0, 2)),
            ),
            bool(pick(0, 3)),
        )  # fmt: skip
    as_said = {n: said(of, "office" if in_office else "calendar") for n, (of, in_office) in promises.items()}
    kind = {"process": "p", "promises": as_said}
    scenario = mapping(
        clock={"start": "2026-03-02", "horizon": "2 wk", "exceptions": days},
        calendars={"office": calendar},
        case_classes={"ordinary": kind},
        demand={"calls": {"case_class": "ordinary", "arrivals": {"kind": "listed", "cases": cases}}},
        processes={"p": {"start": "a", "steps": steps}},
    )
    return scenario, promises, {"by_day": by_day, "days": days}


def in_minutes(of: Seen, steps: list[str]) -> Seen:
    def at(tick: int | None) -> int | None:
        assert tick is None or tick % MINUTE == 0
        return None if tick is None else tick // MINUTE

    stays = [
        dataclasses.replace(
            stay, step={"a": 0, "b": 1, "c": 2}.get(steps[stay.step], 9), enabled=at(stay.enabled),
            offered=at(stay.offered), started=at(stay.started), completed=at(stay.completed),
        )
        for stay in of.stays
    ]  # fmt: skip
    return dataclasses.replace(of, arrived=at(of.arrived), left=at(of.left), stays=stays)


def open_minutes(dated: dict[str, str], by_day: dict[str, list[tuple[int, int]]]) -> IsOpen:
    """Whether a minute is open; 80 days are known."""
    dates = [datetime.date(2026, 3, 2) + datetime.timedelta(days=k) for k in range(80)]
    spans = [by_day.get(dated.get(str(date), DAYS[date.weekday()]), ()) for date in dates]
    known = [any(a <= t < b for a, b in of) for of in spans for t in range(1440)]
    return lambda t: known[t]


@pytest.mark.parametrize("block", range(4))
def test_18_clocks_of_scenarios_run_as_counted_minute_by_minute(block: int) -> None:
    """Office hours with split days, other Saturdays, holidays and closed dates."""
    for seed in range(round(15 * MORE)):
        pick = random.Random(f"minutes/{block}/{seed}").randint
        scenario, promises, open_ = written_out(pick)
        run = simulate(Scenario.model_validate(scenario))
        is_open = open_minutes(open_["days"], open_["by_day"])
        for name, (of, in_office) in promises.items():
            course = run.courses[run.workload.promises.index(name)]
            for case in range(run.workload.n_cases):
                one = in_minutes(seen(run, case), list(run.workload.steps.names))
                truth = watched(one, of, is_open if in_office else lambda t: True, 14 * 1440, far=60 * 1440)
                breached = int(course.breached_at[case])
                found = {
                    "began": course.began_at[case] // MINUTE, "ended": course.ended_at[case] // MINUTE,
                    "elapsed": course.elapsed[case] // MINUTE, "due": course.due_at[case] // MINUTE,
                    "breached": -(-breached // MINUTE) if breached >= 0 else -1,
                    "state": State(course.state[case]).name,
                }  # fmt: skip
                if truth["due"] != 14 * 1440 - 1:  # the minute after it is over only when the clock has stopped
                    assert truth == found, (block, seed, name, case, of, in_office)


# ------------------------------------------------------------------ by hand


TASK = {"kind": "task", "skill": "desk", "responds": False}
STEPS: dict[str, Any] = {
    "triage": {**TASK, "responds": True, "time": "10 min", "next": "ask"},
    "ask": {"kind": "delay", "time": "60 min", "next": "repair"},
    "repair": {**TASK, "time": "30 min", "next": "end"},
}
AT = {"a": "2026-03-02 09:00"}


def desk(promises: dict[str, Any], cases: dict[str, Any] | None = None, **changes: Any) -> Scenario:
    """One worker, always there; unless said otherwise one case on Monday at 9:00: triage 9:00-9:10, the customer is
    asked 9:10-10:10, repair 10:10-10:40."""
    listed = {name: case if isinstance(case, dict) else {"at": case} for name, case in (cases or AT).items()}
    kind = {"process": "p", "promises": promises} | changes.pop("kind", {})
    return Scenario.model_validate(mapping(**{
        "clock": {"start": "2026-03-02", "horizon": "2 wk"},
        "case_classes": {"ordinary": kind},
        "demand": {"calls": {"case_class": "ordinary", "arrivals": {"kind": "listed", "cases": listed}}},
        "processes": {"p": {"start": "triage", "steps": changes.pop("steps", STEPS)}},
    } | changes))  # fmt: skip


def became(scenario: Scenario, name: str, case: int = 0) -> str:
    """began - ended: elapsed min, due; state and when it was missed."""
    run = simulate(scenario)
    of = run.courses[run.workload.promises.index(name)]

    def at(tick: np.int64) -> str:
        if tick < 0:
            return "-"
        minutes, beyond = divmod(int(tick), MINUTE)
        day = f"{minutes // 1440 + 2}." if minutes >= 1440 else ""
        more = "+" if beyond == 1 else f"+{beyond}" if beyond else ""
        return f"{day}{minutes // 60 % 24}:{minutes % 60:02d}{more}"

    state = State(of.state[case]).name
    when = f"{at(of.began_at[case])} {at(of.ended_at[case])}: {of.elapsed[case] / MINUTE:g}, due {at(of.due_at[case])}"
    missed = f" {at(of.breached_at[case])}" if state == "MISSED" else ""
    return state if state == "NOTHING" else f"{when}, {state}{missed}"


@pytest.mark.parametrize(
    ("promise", "told"),
    [
        # without more said the id says what keeps it
        ({"first_response": {"limit": "5 min"}}, "9:00 9:00: 0, due 9:05, KEPT"),
        ({"resolution": {"limit": "100 min"}}, "9:00 10:40: 100, due 10:40, KEPT"),
        ({"resolution": {"limit": "99 min"}}, "9:00 10:40: 100, due 10:39, MISSED 10:39+"),
        # from one event to another
        ({"x": {"from": "triage completed", "to": "repair started", "limit": "1 h"}},
         "9:10 10:10: 60, due 10:10, KEPT"),
        ({"x": {"from": "ask started", "to": "leaving", "limit": "1 h"}}, "9:10 10:40: 90, due 10:10, MISSED 10:10+"),
        ({"x": {"from": "answer", "to": "repair enabled", "limit": "2 h"}}, "9:00 10:10: 70, due 11:00, KEPT"),
        ({"x": {"from": "repair offered", "to": "repair completed", "limit": "1 min"}},
         "10:10 10:40: 30, due 10:11, MISSED 10:11+"),
        ({"first_response": {"from": "ask enabled", "to": "repair started", "limit": "1 h"}},
         "9:10 10:10: 60, due 10:10, KEPT"),
        # the clock stands still while the customer is asked, also where it begins within
        ({"resolution": {"limit": "40 min", "pauses_in": ["ask"]}}, "9:00 10:40: 40, due 10:40, KEPT"),
        ({"resolution": {"limit": "39 min", "pauses_in": ["ask"]}}, "9:00 10:40: 40, due 10:39, MISSED 10:39+"),
        ({"resolution": {"limit": "10 min", "pauses_in": ["ask"]}}, "9:00 10:40: 40, due 9:10, MISSED 10:10+"),
        ({"x": {"from": "ask started", "to": "repair completed", "limit": "20 min", "pauses_in": ["ask"]}},
         "9:10 10:40: 30, due 10:30, MISSED 10:30+"),
        ({"x": {"to": "triage completed", "limit": "1 h", "pauses_in": ["triage", "ask", "repair"]}},
         "9:00 9:10: 0, due 10:10, KEPT"),
    ],
)  # fmt: skip
def test_18_a_clock_runs_from_one_event_to_another(promise: dict[str, Any], told: str) -> None:
    assert became(desk(promise), next(iter(promise))) == told


OFFICE = {"office": {"days": "mon-fri", "hours": ["09:00-10:00", "11:00-12:00"], "also": {"sat": "10:30-11:30"}}}


@pytest.mark.parametrize(
    ("at", "limit", "told"),
    [
        # Monday: 9:00-10:00 is used up, closed until 11: what is done at 10:40 is in time
        ("2026-03-02 09:00", "1 h", "9:00 10:40: 60, due 10:00, KEPT"),
        ("2026-03-02 09:00", "59 min", "9:00 10:40: 60, due 9:59, MISSED 9:59+"),
        # 9:30-11:10: half an hour, then ten minutes
        ("2026-03-02 09:30", "30 min", "9:30 11:10: 40, due 10:00, MISSED 11:00+"),
        ("2026-03-02 09:30", "40 min", "9:30 11:10: 40, due 11:10, KEPT"),
        # Tuesday is a holiday, Wednesday works like a Saturday
        ("2026-03-03 09:00", "1 min", "3.9:00 3.10:40: 0, due 4.10:31, KEPT"),
        ("2026-03-04 09:30", "30 min", "4.9:30 4.11:10: 40, due 4.11:00, MISSED 4.11:00+"),
        # Friday evening to Saturday
        ("2026-03-06 23:30", "30 min", "6.23:30 7.1:10: 0, due 7.11:00, KEPT"),
    ],
)
def test_18_business_hours(at: str, limit: str, told: str) -> None:
    days = {"2026-03-03": "holiday", "2026-03-04": "sat"}
    clock = {"start": "2026-03-02", "horizon": "2 wk", "exceptions": days}
    promise = {"resolution": {"limit": limit, "clock": "office"}}
    assert became(desk(promise, {"a": at}, calendars=OFFICE, clock=clock), "resolution") == told


def test_18_a_clock_stands_still_once_for_pauses_of_several_branches_and_for_closed_hours() -> None:
    """Branches 9:10-9:40 and 9:20-9:50, office 9-10 and 11-12: what runs is 9:00-9:10, 9:50-10:00, 11:00-11:05."""
    steps = {
        "triage": {**TASK, "responds": True, "time": "10 min", "next": "both"},
        "both": {"kind": "parallel", "branches": ["ask", "call"], "join": "met"},
        "ask": {"kind": "delay", "time": "30 min", "next": "met"},
        "call": {"kind": "delay", "time": "10 min", "next": "check"},
        "check": {"kind": "delay", "time": "30 min", "next": "met"},
        "met": {"kind": "join", "next": "repair"},
        "repair": {**TASK, "time": "75 min", "next": "end"},
    }
    promise = {"limit": "22 min", "clock": "office", "pauses_in": ["ask", "check"]}
    told = became(desk({"resolution": promise}, steps=steps, calendars=OFFICE), "resolution")
    assert told == "9:00 11:05: 25, due 11:02, MISSED 11:02+"


ROUND = {
    "triage": {**TASK, "responds": True, "time": "10 min", "next": "repair"},
    "repair": {**TASK, "time": "30 min", "next": "check"},
    "check": {"kind": "delay", "time": "20 min", "next": {"repair": 0.5, "end": 0.5}},
}


@pytest.mark.parametrize(
    ("begin", "end", "told"),
    [
        ("repair started", "repair completed", "9:10 9:40: 30, due 11:10, KEPT"),
        ("arrival", "last repair completed", "9:00 11:20: 140, due 11:00, MISSED 11:00+"),
        ("last repair started", "repair completed", "10:50 11:20: 30, due 12:50, KEPT"),
        ("check enabled", "repair started", "9:40 10:00: 20, due 11:40, KEPT"),
        ("last check enabled", "repair started", "NOTHING"),  # it does not come again
        ("first repair completed", "last check completed", "9:40 11:40: 120, due 11:40, KEPT"),
    ],
)
def test_18_of_several_visits_the_first_not_before_the_beginning_counts(begin: str, end: str, told: str) -> None:
    """Three rounds of repair 9:10, 10:00, 10:50 and check 9:40, 10:30, 11:20."""
    case = {"at": AT["a"], "next": {"check": ["repair", "repair", "end"]}}
    assert became(desk({"x": {"from": begin, "to": end, "limit": "2 h"}}, {"a": case}, steps=ROUND), "x") == told


def test_18_who_gives_up_has_been_let_down_at_that_tick() -> None:
    """a is served 9:00-10:00; b comes at 9:05 and gives up at 9:25."""
    steps = {"triage": {**TASK, "responds": True, "time": "60 min", "next": "end"}}
    cases = {"a": "2026-03-02 09:00", "b": "2026-03-02 09:05"}
    promises = {
        "first_response": {"limit": "1 h"},
        "resolution": {"limit": "10 min"},
        "x": {"to": "triage completed", "limit": "20 min"},
        "y": {"from": "triage started", "to": "leaving", "limit": "20 min"},
    }
    one = desk(promises, cases, steps=steps, kind={"patience": "20 min"})
    assert became(one, "first_response", 1) == "9:05 -: 20, due 10:05, MISSED 9:25"
    assert became(one, "resolution", 1) == "9:05 -: 20, due 9:15, MISSED 9:15+"
    assert became(one, "x", 1) == "9:05 -: 20, due 9:25, MISSED 9:25"
    assert became(one, "y", 1) == "NOTHING"


def test_18_what_a_case_does_not_come_to_is_not_promised() -> None:
    """b is closed after triage; c stands at the triage when the clock stops, of d is no repair left to do."""
    steps = {**STEPS, "triage": {**STEPS["triage"], "next": {"ask": 0.5, "end": 0.5}}}
    cases = {
        "a": {"at": "2026-03-02 09:00", "next": {"triage": "ask"}},
        "b": {"at": "2026-03-02 11:00", "next": {"triage": "end"}},
        "c": {"at": "2026-03-02 23:55", "next": {"triage": "ask"}},
    }
    promises = {
        "x": {"to": "repair completed", "limit": "1 min"},
        "y": {"from": "repair started", "to": "repair completed", "limit": "1 min"},
        "z": {"to": "repair completed", "limit": "6 min"},
    }
    one = desk(promises, cases, steps=steps, clock={"start": "2026-03-02", "horizon": "1 d"})
    assert [became(one, name, case).split(", ")[-1] for case in range(3) for name in promises] == [
        "MISSED 9:01+", "MISSED 10:11+", "MISSED 9:06+",
        "NOTHING", "NOTHING", "NOTHING",
        "MISSED 23:56+", "NOTHING", "OPEN",
    ]  # fmt: skip


def either(**last: Any) -> dict[str, Any]:
    """After triage three branches, of which the join waits for the quickest: 9:10-9:20."""
    return {
        "triage": {"kind": "delay", "time": "10 min", "next": "any"},
        "any": {"kind": "parallel", "branches": ["quick", "ask", "repair"], "join": "met"},
        "quick": {"kind": "delay", "time": "10 min", "next": "met"},
        "ask": {"kind": "delay", "time": "30 min", "next": "met"},
        "repair": {**TASK, "time": "60 min", "next": "met"},
        "met": {"kind": "join", "needs": 1, "next": "end"},
        **last,
    }


@pytest.mark.parametrize(
    ("promise", "told"),
    [
        ({"to": "ask completed", "limit": "15 min"}, "9:00 -: 20, due 9:15, MISSED 9:15+"),
        ({"to": "ask completed", "limit": "1 h"}, "NOTHING"),  # withdrawn at 9:20
        ({"to": "ask started", "limit": "1 h"}, "9:00 9:10: 10, due 10:00, KEPT"),
        ({"to": "leaving", "limit": "12 min", "pauses_in": ["ask"]}, "9:00 9:20: 10, due 9:22, KEPT"),
        ({"to": "repair completed", "limit": "2 h"}, "NOTHING"),  # at 10:10, when the case has left
        ({"from": "repair completed", "to": "leaving", "limit": "2 h"}, "NOTHING"),
    ],
)
def test_18_what_a_join_does_not_wait_for_is_not_called_for(promise: dict[str, Any], told: str) -> None:
    assert became(desk({"x": promise}, steps=either()), "x") == told


def test_18_what_was_withdrawn_is_not_owed_to_who_gives_up_later() -> None:
    """The join is over at 9:20; patience ends at 9:50, and the case is gone when repair, in hand then, is completed."""
    last = {"met": {"kind": "join", "needs": 1, "next": "answer"},
            "answer": {**TASK, "responds": True, "time": "5 min", "next": "end"},
            "repair": {**TASK, "time": "90 min", "next": "met"}}  # fmt: skip
    promises = {"x": {"to": "ask completed", "limit": "1 h"}, "y": {"to": "leaving", "limit": "1 h"}}
    one = desk(promises, steps=either(**last), kind={"patience": "50 min"})
    assert became(one, "x") == "NOTHING"
    assert became(one, "y") == "9:00 -: 100, due 10:00, MISSED 10:00+"


def test_18_at_the_last_tick_of_the_clock_a_promise_is_not_broken_yet() -> None:
    """Due one tick before the stop: more than the limit would have elapsed only when the clock has stopped."""
    clock = {"start": "2026-03-02", "horizon": "10 h"}
    for limit, state in (("60 min", "OPEN"), ("3599999999 us", "OPEN"), ("3599999998 us", "MISSED")):
        run = simulate(desk({"resolution": {"limit": limit}}, clock=clock))
        assert State(run.courses[1].state[0]).name == state, limit


def test_18_signed_later_a_case_is_delivered_before_it_is_closed() -> None:
    steps = {
        "triage": {**TASK, "responds": True, "time": "10 min", "next": "sign"},
        "sign": {"kind": "approval", "skill": "boss", "time": "5 min", "timing": "after", "next": "repair"},
        "repair": {**TASK, "time": "30 min", "next": "end"},
    }
    pools = {"desk": {"department": "office"}, "boss": {"department": "office"}}
    shifts = {"always": {"days": "all", "hours": "00:00-24:00"}, "late": {"days": "all", "hours": "12:00-13:00"}}
    staffing = {"desk": {"always": 1}, "boss": {"late": 1}}
    promises = {
        "resolution": {"limit": "2 h"},
        "done": {"to": "delivery", "limit": "2 h"},
        "signed": {"from": "delivery", "to": "sign completed", "limit": "2 h"},
    }
    one = desk(promises, steps=steps, pools=pools, shifts=shifts, staffing=staffing)
    assert became(one, "resolution") == "9:00 12:05: 185, due 11:00, MISSED 11:00+"
    assert became(one, "done") == "9:00 9:40: 40, due 11:00, KEPT"
    assert became(one, "signed") == "9:40 12:05: 145, due 11:40, MISSED 11:40+"


def test_18_a_chain_begins_with_its_first_approval_and_is_completed_with_its_last() -> None:
    chain = {"kind": "approval", "chain": ["desk", "desk"], "time": "15 min", "next": "repair"}
    steps = {"triage": {**STEPS["triage"], "next": "sign"}, "sign": chain, "repair": STEPS["repair"]}
    promises = {
        "x": {"from": "sign enabled", "to": "sign completed", "limit": "1 h"},
        "y": {"from": "sign_2 started", "to": "leaving", "limit": "1 h"},
        "z": {"to": "leaving", "limit": "1 h", "pauses_in": ["sign"]},
    }
    one = desk(promises, steps=steps)
    assert became(one, "x") == "9:10 9:40: 30, due 10:10, KEPT"
    assert became(one, "y") == "9:25 10:10: 45, due 10:25, KEPT"
    assert became(one, "z") == "9:00 10:10: 40, due 10:30, KEPT"


def test_18_levels_are_one_approval_whoever_decides() -> None:
    levels = {"by": "amount", "levels": {10: "desk"}, "above": "boss"}
    sign = {"kind": "approval", "time": "15 min", "next": "end", **levels}
    steps = {"triage": {**STEPS["triage"], "next": "sign"}, "sign": sign}
    pools = {"desk": {"department": "office", "skills": {"desk": {}, "boss": {}}}}
    for amount in (5, 15):
        kind = {"attributes": {"amount": {"numbers": amount}}}
        one = desk({"x": {"from": "sign started", "to": "sign completed", "limit": "1 h"}}, steps=steps, pools=pools,
                   kind=kind)  # fmt: skip
        assert became(one, "x") == "9:10 9:25: 15, due 10:10, KEPT"


def test_18_of_open_cases_the_clock_counts_from_their_arrival() -> None:
    """Came 3 h ago, stands in the question to the customer, of which 10 minutes are left."""
    open_ = {"a": {"case_class": "ordinary", "step": "ask", "age": "3 h", "done": "50 min"}}
    promises = {
        "resolution": {"limit": "190 min", "pauses_in": ["ask"]},
        "x": {"from": "triage completed", "to": "leaving", "limit": "1 h"},
    }
    one = desk(promises, backlog={"cases": open_}, demand={})
    run = simulate(one)
    assert (run.courses[1].elapsed / MINUTE).tolist() == [180 + 30]
    assert (run.courses[1].due_at / MINUTE).tolist() == [20]
    assert became(one, "x") == "NOTHING"


def test_18_an_answer_before_the_start_begins_and_stops_nothing() -> None:
    """The case comes to the triage, which answers, a second time in its life: it was answered before."""
    open_ = {"a": {"case_class": "ordinary", "step": "triage", "age": "3 h", "answered": True}}
    promises = {
        "first_response": {"limit": "1 h"},
        "x": {"to": "answer", "limit": "1 h", "pauses_in": ["ask"]},
        "y": {"from": "answer", "to": "leaving", "limit": "1 h"},
        "resolution": {"limit": "4 h"},
    }
    one = desk(promises, backlog={"cases": open_}, demand={})
    assert [became(one, name).split(", ")[-1] for name in promises] == ["NOTHING", "NOTHING", "NOTHING", "MISSED 1:00+"]
    first = desk({"first_response": {"limit": "1 h", "to": "triage completed"}}, backlog={"cases": open_}, demand={})
    assert simulate(first).courses[0].breached_at.tolist() == [-120 * MINUTE + 1]


def test_18_promises_of_cases_that_follow_others_begin_with_their_own_arrival() -> None:
    kind = {"repeat": {"share": 1.0, "after": "30 min"}}
    one = desk({"x": {"to": "repair completed", "limit": "99 min", "clock": "office"}}, kind=kind, calendars=OFFICE)
    assert became(one, "x", 1) == "11:10 12:50: 50, due 3.9:49, KEPT"


def test_18_a_case_of_a_list_has_a_due_time_of_its_own_on_the_calendar() -> None:
    case = {"at": AT["a"], "due": {"resolution": "90 min"}}
    promise = {"resolution": {"limit": "30 min", "clock": "office"}, "x": {"to": "leaving", "limit": "2 h"}}
    one = desk(promise, {"a": case}, calendars=OFFICE)
    assert became(one, "resolution") == "9:00 10:40: 100, due 10:30, MISSED 10:30+"


# ------------------------------------------------------------------ ranks


def test_18_ranks_look_at_due_times_that_are_known_on_arrival() -> None:
    """a: first response; b: only another id, from arrival; c: one that begins later is none."""
    kinds = {
        "a": {"first_response": {"limit": "3 h"}, "x": {"to": "leaving", "limit": "1 h"}},
        "b": {"x": {"to": "leaving", "limit": "2 h", "pauses_in": ["ask"]}, "y": {"to": "leaving", "limit": "5 h"}},
        "c": {"x": {"from": "triage started", "to": "leaving", "limit": "1 h"}},
    }
    classes = {name: {"process": "p", "promises": promises} for name, promises in kinds.items()}
    cases = {name: {"at": AT["a"], "case_class": name} for name in kinds}
    demand = {"calls": {"arrivals": {"kind": "listed", "cases": cases}}}
    one = desk({}, case_classes=classes, demand=demand, dispatch={"rule": "edd"})
    work = ranked(prepare.workload(one, 1, 0), one, ("desk",))
    first = work.first_item[:-1]
    assert (work.rank[first[:2]] // MINUTE).tolist() == [12 * 60, 11 * 60]
    assert work.rank[first[2]] > 2**61


# ------------------------------------------------------------------ figures


def test_18_figures_of_promises_with_other_ids() -> None:
    """Cases at 9:00, 11:00 and 13:00: the second one goes round once more (repair 10 min more, asked again)."""
    promises = {
        "pick_up": {"from": "ask completed", "to": "repair completed", "limit": "35 min", "penalty": 4,
                    "label": {"en": "pick-up", "zh": "接单"}},
        "resolution": {"limit": "30 min", "penalty": 100, "pauses_in": ["ask"]},
    }  # fmt: skip
    cases = {name: {"at": f"2026-03-02 {at}:00"} for name, at in {"a": "09", "b": "11", "c": "13"}.items()}
    cases["b"]["work"] = {"repair": "45 min"}
    run = simulate(desk(promises, cases))
    table = run.kpis().set_index(["kpi", "group"])["value"]
    assert table["promise_pick_up", "all"] == table["promise_pick_up", "class=ordinary"] == pytest.approx(2 / 3)
    assert table["promise_pick_up", "hour=11"] == 0
    found = {name: table[name, "all"] for name in figures_of("pick_up") if name.startswith(("elapsed", "late"))}
    assert found == {
        "elapsed_pick_up_mean": 35, "elapsed_pick_up_median": 30, "elapsed_pick_up_p90": pytest.approx(42),
        "elapsed_pick_up_max": 45, "late_by_pick_up": 10,
    }  # fmt: skip
    assert table["elapsed_resolution_mean", "all"] == pytest.approx((40 + 55 + 40) / 3)
    assert table["late_by_resolution", "all"] == pytest.approx((10 + 25 + 10) / 3)
    assert (table["missed_resolution", "all"], table["missed_pick_up", "all"]) == (3, 1)
    assert (table["missed_pick_up", "hour=11"], table["missed_pick_up", "hour=09"]) == (1, 0)
    assert table["cost_penalties", "all"] == 4 + 300
    cases_ = run.cases
    late = {name: cases_[f"breached_{name}"].dropna().dt.hour.tolist() for name in ("resolution", "pick_up")}
    assert late == {"resolution": [10, 12, 14], "pick_up": [12]}
    assert str(cases_["breached_pick_up"][1]) == "2026-03-02 12:45:00.000001"
    assert str(cases_["due_pick_up"][1]) == "2026-03-02 12:45:00"
    assert cases_["breached_pick_up"].isna().tolist() == [True, False, True]


def test_18_missed_promises_in_story_and_log() -> None:
    promises = {"pick_up": {"from": "ask completed", "to": "repair completed", "limit": "20 min"}}
    run = simulate(desk(promises))
    assert story(run, 0).splitlines()[-6:] == [
        " 7. Mon 2026-03-02 10:10:00  reaches repair",
        " 8. Mon 2026-03-02 10:10:00  repair: desk.always.1 starts",
        " 9. Mon 2026-03-02 10:30:00  “pick_up”: the time promised has run out",
        "10. Mon 2026-03-02 10:40:00  repair: completed after 30 min of work",
        "11. Mon 2026-03-02 10:40:00  leaves, completed, 1 h 40 min after arrival",
        "12. “pick_up” promised by Mon 2026-03-02 10:30:00: missed by 10 min",
    ]
    assert "“pick_up”：承诺时限已过" in story(run, 0, "zh")


LABELS = {
    "en": ("Promise “pick-up” kept", "the share of the promise “pick-up” that is kept",
           "Time on the clock of “pick-up”, mean", "Time on the clock of “resolution”, mean"),
    "zh": ("“接单”按时率", "“接单”按时率", "“接单”平均用时", "“办结”平均用时"),
}  # fmt: skip


@pytest.mark.parametrize("language", LABELS)
def test_18_reports_call_promises_by_their_labels(language: str) -> None:
    label = {"en": "pick-up", "zh": "接单"}
    promises = {"pick_up": {"to": "repair started", "limit": "1 h", "label": label},
                "resolution": {"limit": "2 h", "pauses_in": ["ask"]}}  # fmt: skip
    one = desk(promises)
    settings = Settings(replications=2, headline=("promise_pick_up",), compute={"jobs": 1})
    found = Findings(compare([one], settings, configs={one.name: as_written(promises)}), words(language))
    names = "promise_pick_up", "elapsed_pick_up_mean", "elapsed_resolution_mean"
    assert (found.kpi(names[0]), found.phrase(names[0]), found.kpi(names[1]), found.kpi(names[2])) == LABELS[language]
    rows = [row[0].text for row in tables.kpis(found, one.name).rows]
    assert rows[0] == LABELS[language][0] and {*LABELS[language][2:]} <= {*rows}


@pytest.mark.parametrize("kpi", ["promise_pickup", "elapsed_pick_up", "late_by_pick", "elapsed_pick_up_men"])
def test_18_a_figure_of_a_promise_that_nobody_makes_is_refused(kpi: str) -> None:
    one = desk({"pick_up": {"to": "repair started", "limit": "1 h"}})
    with pytest.raises(InputError, match=f"headline: there is no KPI '{kpi}'; did you mean .*pick_up"):
        compare([one], Settings(replications=2, headline=(kpi,), compute={"jobs": 1}))


# ------------------------------------------------------------------ what can be written


def test_18_promises_are_written_as_they_were_read() -> None:
    begin = {"step": "repair", "event": "started", "visit": "last"}
    promise = {"from": begin, "to": "last  repair completed", "limit": "1 h"}
    one = desk({"x": promise})
    written = one.case_classes["ordinary"].promises["x"]
    assert (written.since, written.to) == ("last repair started", "last repair completed")
    assert Scenario.model_validate(one.model_dump(mode="json")) == one


P = "case_classes.ordinary.promises"


@pytest.mark.parametrize(
    ("promises", "path", "told"),
    [
        ({"x": {"limit": "1 h"}}, "x", "needs `to`: what keeps it, such as 'repair completed'; known: first_response"),
        ({"resolutoin": {"limit": "1 h"}}, "resolutoin", "did you mean resolution?"),
        ({"x": {"limit": "0 min", "to": "leaving"}}, "x.limit", "must be more than no time at all"),
        ({"x": {"limit": "1 h", "to": "leaving", "penalty": -1}}, "x.penalty", "expected a number ≥ 0, got -1"),
        ({"x": {"limit": "1 h", "to": "repair complete"}}, "x.to", "is no event; did you mean completed?"),
        ({"x": {"limit": "1 h", "to": "delivred"}}, "x.to", "'delivred' is no event; did you mean delivery?"),
        ({"x": {"limit": "1 h", "to": "the repair completed"}}, "x.to", "'the repair completed' is no event"),
        ({"x": {"limit": "1 h", "to": "arrival"}}, "x.to", "'arrival' comes before everything"),
        ({"x": {"limit": "1 h", "from": "leaving", "to": "leaving"}}, "x.from", "nothing comes after 'leaving'"),
        ({"x": {"limit": "1 h", "to": {"stp": "repair", "event": "started"}}}, "x.to", "expected an event such as"),
        ({"x": {"limit": "1 h", "to": "repare completed"}}, "x.to", "there is no step 'repare'; did you mean repair?"),
        ({"x": {"limit": "1 h", "to": "leaving", "from": "tirage started"}}, "x.from", "did you mean triage?"),
        ({"x": {"limit": "1 h", "to": "leaving", "pauses_in": ["ask", "aks"]}}, "x.pauses_in.1", "did you mean ask?"),
        ({"x": {"limit": "1 h", "to": "way started"}}, "x.to", "'way' is a decision, at which no case stays"),
        ({"x": {"limit": "1 h", "from": "repair started", "to": "triage completed"}}, "x.to",
         "'triage completed' never comes after 'repair started'; the clock would not stop"),
        ({"x": {"limit": "1 h", "from": "repair completed", "to": "repair started"}}, "x.to", "never comes after"),
        ({"x": {"limit": "1 h", "from": "repair started", "to": "answer"}}, "x.to", "'answer' never comes after"),
        ({"first_response": {"limit": "1 h", "from": "repair started"}}, "first_response.to", "never comes after"),
        ({"x": {"limit": "1 h", "from": "repair started", "to": "repair started"}}, "x.to", "it would stop at once"),
        ({"x": {"limit": "1 h", "to": "leaving", "clock": "ofice"}}, "x.clock", "did you mean office?"),
        ({"x": {"limit": "1 h", "to": "leaving", "form": "arrival"}}, "x.form", "did you mean from?"),
    ],
)  # fmt: skip
def test_18_mistakes_are_one_line_each(promises: dict[str, Any], path: str, told: str) -> None:
    way = {"kind": "decision", "next": {"ask": 0.5, "repair": 0.5}}
    steps = {**STEPS, "triage": {**STEPS["triage"], "next": "way"}, "way": way}
    with pytest.raises(ValidationError) as error:
        desk(promises, steps=steps, calendars=OFFICE)
    ((where, message),) = problems(error.value, as_written(promises))
    assert (".".join(map(str, where)), told in message) == (f"{P}.{path}", True), message


def as_written(promises: dict[str, Any]) -> dict[str, Any]:
    return {"case_classes": {"ordinary": {"promises": promises}}}


@pytest.mark.parametrize(
    ("also", "told"),
    [
        ({"fri": "09:00-10:00"}, "fri has hours already"),
        ({"son": "09:00-10:00"}, "did you mean sun or mon?"),
        ({"sat": "22:00-02:00"}, "does not go with hours that cross midnight"),
    ],
)
def test_days_with_other_hours_are_others(also: dict[str, str], told: str) -> None:
    with pytest.raises(ValidationError, match=told.replace("?", "[?]")):
        BusinessCalendar.model_validate({"days": "mon-fri", "hours": "08:00-17:00", "also": also})
