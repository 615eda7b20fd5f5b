"""KPIs: every one right on a run made by hand, silent about nothing, in agreement with brute force and Little's law."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from helpers_run import World, large

from servsim import kpis
from servsim.kpis import KPIS, series
from servsim.kpis.groups import quantiles
from servsim.kpis.spans import Queue, by_hour, by_weekday, longest
from servsim.quantities import DAY, HOUR, MINUTE
from servsim.records import Run, Window

NAN = math.nan

HAND_MADE = World(
    classes=("urgent", "ordinary"),
    channels=("phone", "online"),
    departments=("front", "back"),
    pools={
        "desk": {"department": "front", "skills": ["desk"], "wage": 60, "overtime": 1.5},
        "repair": {"department": "back", "skills": ["repair"], "wage": 90, "overtime": 2},
    },
    skills=("desk", "repair"),
    workers={
        "ann": {"pool": "desk", "duty": [(0, 240)], "breaks": [(120, 30)]},
        "bo": {"pool": "desk", "duty": [(60, 180)]},
        "cy": {"pool": "repair", "duty": [(0, 180)]},
    },
    steps={
        "intake": {"skill": "desk", "responds": 1},
        "push": {"kind": "handoff"},
        "fix": {"skill": "repair"},
        "check": {"kind": "approval", "skill": "desk"},
    },
    promises={
        "first_response": {"urgent": 20, "ordinary": 10},
        "resolution": {"urgent": 40, "ordinary": 5},
    },
    start=np.datetime64("2026-03-02T08:00"),
    window=(0, 240, 300),
    cases=[
        {
            "at": 0, "case_class": "urgent", "channel": "phone", "left": 50, "outcome": "completed",
            "due": {"first_response": 20, "resolution": 60},
            "items": [
                {"step": "intake", "enabled": 0, "started": 0, "completed": 10, "worker": "ann"},
                {"step": "push", "enabled": 10, "started": 10, "completed": 20},
                {"step": "fix", "enabled": 20, "started": 20, "completed": 50, "worker": "cy"},
            ],
        },
        {  # sent back once, then rejected; answered 2 min late
            "at": 5, "case_class": "ordinary", "channel": "online", "left": 50, "outcome": "rejected",
            "due": {"first_response": 8, "resolution": 100},
            "items": [
                {"step": "intake", "enabled": 5, "started": 10, "completed": 30, "worker": "ann"},
                {"step": "check", "enabled": 30, "started": 30, "completed": 35, "worker": "ann", "returned": 1},
                {"step": "intake", "enabled": 35, "started": 35, "completed": 45, "worker": "ann"},
                {"step": "check", "enabled": 45, "started": 45, "completed": 50, "worker": "ann"},
            ],
        },
        {  # gives up, before either promise is due
            "at": 70, "case_class": "ordinary", "channel": "phone", "left": 80, "outcome": "abandoned",
            "due": {"first_response": 100, "resolution": 200},
            "items": [{"step": "intake", "enabled": 70}, {"step": "fix"}],
        },
        {  # intake in two stretches, by two people; the repair ends 20 min after cy's shift
            "at": 90, "case_class": "urgent", "channel": "online", "left": 200, "outcome": "completed",
            "due": {"first_response": 110, "resolution": 150},
            "items": [
                {"step": "intake", "enabled": 90, "started": 95, "completed": 160, "worker": "ann",
                 "stretches": [("bo", 95, 105), ("ann", 150, 160)]},
                {"step": "fix", "enabled": 160, "started": 170, "completed": 200, "worker": "cy"},
            ],
        },
        {  # 5 of its 25 minutes of work fall into the window
            "at": 230, "case_class": "ordinary", "channel": "phone", "left": 260, "outcome": "completed",
            "due": {"first_response": 232, "resolution": 250},
            "items": [{"step": "intake", "enabled": 230, "started": 235, "completed": 260, "worker": "ann"}],
        },
        {  # unfinished, its promise still open when the clock stops
            "at": 235, "case_class": "ordinary", "channel": "online",
            "due": {"first_response": 400},
            "items": [{"step": "intake", "enabled": 235}],
        },
        {  # arrives after the window
            "at": 250, "case_class": "urgent", "channel": "phone",
            "due": {"first_response": 260},
            "items": [{"step": "intake", "enabled": 250}],
        },
    ],
)  # fmt: skip

EXPECTED = {
    # answered: 0, 5, 5, 5 minutes after arrival
    "first_response_mean": {
        "all": 15 / 4, "class=urgent": 2.5, "class=ordinary": 5, "channel=phone": 2.5, "channel=online": 5,
        "department=front": 15 / 4, "department=back": NAN, "hour=08": 2.5, "hour=09": 5, "hour=11": 5,
    },
    "first_response_median": {"all": 5, "class=urgent": 2.5},
    "first_response_p90": {"all": 5, "class=urgent": 4.5},
    "first_response_p95": {"all": 5, "class=urgent": 4.75},
    "first_response_max": {"all": 5, "hour=08": 5},
    # ended: 50, 45, 110, 30 minutes after arrival
    "cycle_time_mean": {"all": 235 / 4, "class=urgent": 80, "hour=08": 47.5, "hour=09": 110},
    "cycle_time_median": {"all": 47.5, "class=ordinary": 37.5},
    "cycle_time_p90": {"all": 50 + 0.7 * 60},
    "cycle_time_p95": {"all": 50 + 0.85 * 60},
    "cycle_time_max": {"all": 110, "channel=phone": 50},
    # first response kept: 0, 3; missed: 1 and 4 (late), 2 (gave up); open: 5
    "promise_first_response": {"all": 2 / 5, "class=urgent": 1, "class=ordinary": 0, "channel=phone": 1 / 3},
    "late_first_response": {"all": 3 / 5, "class=urgent": 0, "department=front": 3 / 5, "department=back": NAN},
    # resolution kept: 0, 1 (a rejection resolves); missed: 2, 3, 4; nothing promised: 5
    "promise_resolution": {"all": 2 / 5, "class=urgent": 1 / 2, "class=ordinary": 1 / 3, "hour=11": 0},
    "late_resolution": {"all": 3 / 5, "class=urgent": 1 / 2, "hour=08": 0},
    "answered_within_60s": {"all": 1 / 6, "class=urgent": 1 / 2},
    "completion_rate": {"all": 4 / 6, "class=urgent": 1, "class=ordinary": 2 / 4, "hour=11": 1 / 2},
    "unfinished_share": {"all": 1 / 6, "class=urgent": 0, "channel=online": 1 / 3},
    "rejection_rate": {"all": 1 / 6, "class=ordinary": 1 / 4},
    "abandonment_rate": {"all": 1 / 6, "hour=09": 1 / 2},
    # nobody follows anybody here; by hand in test_mechanisms_demand.py
    "retries": {"all": 0},
    "lost_rate": {"all": 1 / 6, "hour=09": 1 / 2},
    "repeats": {"all": 0},
    "repeat_rate": {"all": 0, "class=urgent": 0},
    "duplicates": {"all": 0},
    "duplicate_rate": {"all": 0, "class=urgent": 0},
    "bot_share": {"all": 0, "class=urgent": 0},
    # waits: intake 0 5 0 5 5, fix 0 10, check 0 0
    "waiting_mean": {
        "all": 25 / 9, "step=intake": 3, "step=fix": 5, "step=check": 0, "step=push": None,
        "department=front": 15 / 7, "department=back": 5, "class=urgent": 15 / 4, "class=ordinary": 10 / 5,
    },
    # everybody at the desk, or in the repair, is busy while anything waits; the hand-over takes 10
    "wait_dispatch_delay": {"all": 0},
    "wait_nobody_on_shift": {"all": 0},
    "wait_outage": {"all": 0, "step=push": 0},
    "wait_required_person": {"all": 0},
    "wait_overtaken": {"all": 0},
    "wait_busy": {"all": 25 / 9, "step=fix": 5, "step=push": 0, "class=urgent": 15 / 4, "department=back": 5},
    "wait_meeting": {"all": 0},
    "wait_handover": {"all": 10 / 9, "step=push": 10, "step=fix": 0, "class=urgent": 10 / 4, "class=ordinary": 0},
    "wait_joining": {"all": 0},
    # cases 0, 1, 3, 4: work 40 40 50 25, waiting 0 5 15 5, hand-over 10, laid down 45
    "time_working": {"all": 155 / 4, "class=urgent": 45, "step=intake": 85 / 4, "department=back": 60 / 4},
    "time_busy": {"all": 25 / 4, "class=urgent": 15 / 2, "class=ordinary": 5, "step=fix": 10 / 4},
    "time_handover": {"all": 10 / 4, "class=urgent": 5, "step=push": 10 / 4, "step=fix": 0},
    "time_interrupted": {"all": 45 / 4, "class=ordinary": 0, "step=intake": 45 / 4},
    "time_dispatch_delay": {"all": 0},
    "time_nobody_on_shift": {"all": 0},
    "time_outage": {"all": 0},
    "time_required_person": {"all": 0},
    "time_overtaken": {"all": 0},
    "time_meeting": {"all": 0},
    "time_delays": {"all": 0},
    "time_before_start": {"all": 0},
    # answered late: 1, 2, 4; not resolved in time: 2, and 3 and 4, which were worked on for longer than they waited
    "late_dispatch_delay": {"all": 0, "class=urgent": NAN},
    "late_nobody_on_shift": {"all": 0},
    "late_outage": {"all": 0},
    "late_required_person": {"all": 0},
    "late_overtaken": {"all": 0},
    "late_busy": {
        "all": 1, "class=urgent": NAN, "class=ordinary": 1, "promise=first_response": 1, "promise=resolution": 1 / 3,
    },
    "late_meeting": {"all": 0},
    "late_handover": {"all": 0},
    "late_working": {"all": 0, "promise=first_response": 0, "promise=resolution": 2 / 3},
    "late_interrupted": {"all": 0, "promise=resolution": 0},
    "late_delays": {"all": 0},
    "late_before_start": {"all": 0},
    "waiting_p90": {"all": 6, "step=intake": 5, "step=fix": 9, "step=check": 0, "department=back": 9},
    "waiting_total_mean": {"all": 25 / 4, "class=urgent": 15 / 2, "class=ordinary": 10 / 2, "step=fix": None},
    # work: intake 10 20 10 10+10 25, fix 30 30, check 5 5
    "processing_mean": {"all": 155 / 9, "step=intake": 17, "step=fix": 30, "step=check": 5},
    "items_completed": {"all": 9, "class=urgent": 4, "step=intake": 5, "step=fix": 2, "department=front": 7},
    "items_per_hour": {"all": 9 / 8.5, "department=front": 7 / 5.5, "department=back": 2 / 3},
    "handovers_per_case": {"all": 1 / 6, "class=urgent": 1 / 2, "class=ordinary": 0},
    "returns_per_case": {"all": 1 / 6, "class=urgent": 0, "class=ordinary": 1 / 4},
    "sent_back_share": {"all": 1 / 6, "class=urgent": 0, "class=ordinary": 1 / 4},
    "items_per_case": {"all": 11 / 6, "class=urgent": 4 / 2, "class=ordinary": 7 / 4, "department=front": 11 / 6},
    "rework_share": {"all": 2 / 11, "step=intake": 1 / 7, "step=check": 1 / 2, "step=fix": 0},
    "same_person_share": {"all": math.nan, "step=fix": math.nan},
    "silent_approvals": {"all": 0, "step=check": 0, "step=fix": math.nan},
    "overflow_share": {"all": math.nan, "skill=desk": math.nan},
    "approval_time_share": {
        "all": 10 / 235, "class=urgent": 0, "class=ordinary": 10 / 75, "department=front": 10 / 235,
    },
    "handover_time_share": {"all": 10 / 235, "class=urgent": 10 / 160, "class=ordinary": 0},
    # busy: ann 50 + 10 + 5, bo 10, cy 30 + 30; rostered: ann 240 - 30, bo 120, cy 180
    "utilisation": {
        "all": 135 / 510, "pool=desk": 75 / 330, "pool=repair": 60 / 180, "department=front": 75 / 330,
        "hour=08": 80 / 120, "hour=09": 10 / 180, "hour=10": 20 / 150, "hour=11": 25 / 60, "hour=12": None,
    },
    "rostered_hours": {"all": 8.5, "pool=desk": 5.5, "pool=repair": 3, "department=back": 3},
    "overtime_hours": {"all": 1 / 3, "pool=desk": 0, "pool=repair": 1 / 3},
    "work_in_process_mean": {
        "all": 230 / 240, "class=urgent": 160 / 240, "class=ordinary": 70 / 240,
        "hour=08": 95 / 60, "hour=09": 40 / 60, "hour=10": 1, "hour=11": 35 / 60, "hour=12": None,
    },
    "queue_length_mean": {
        "all": 40 / 240, "skill=desk": 30 / 240, "skill=repair": 10 / 240, "department=back": 10 / 240,
        "hour=08": 5 / 60, "hour=09": 15 / 60, "hour=10": 10 / 60, "hour=11": 10 / 60,
    },
    "queue_length_max": {"all": 1, "skill=desk": 1, "skill=repair": 1, "department=front": 1},
    # 5.5 × 60; 3 × 90 and 1/3 × 2 × 90; misses 3 × 10 and 40 + 2 × 5
    "cost_wages": {"all": 660, "pool=desk": 330, "pool=repair": 330, "department=back": 330},
    "cost_penalties": {"all": 80, "class=urgent": 40, "class=ordinary": 40},
    "cost_total": {"all": 740},
    "cost_per_case": {"all": 740 / 6},
    # no systems here; by hand in test_mechanisms_outages.py
    "availability": {"all": math.nan},
    "outages": {"all": 0},
    "cases": {"all": 6, "class=urgent": 2, "class=ordinary": 4},
    "alert_rate": {"all": math.nan},  # more in test_mechanisms_interruption.py
    "escalation_rate": {"all": math.nan},  # in test_an_escalated_item_waits_in_the_next_queue
    "reserve_hours": {"all": math.nan},  # in test_mechanisms_reserve.py
    "turned_away_rate": {"all": 0},  # more in test_mechanisms_places.py
    "delivery_time_mean": {"all": 190 / 3, "class=urgent": 80, "class=ordinary": 30},
    "non_compliant_share": {"all": 0},
    "late_refusal_share": {"all": 0},
    "cost_late_refusals": {"all": 0},
    "handover_returns": {"all": 0},
    # no meetings here: test_mechanisms_gates.py
    "meeting_wait_mean": {"all": math.nan},
    "meeting_left_mean": {"all": math.nan},
}  # fmt: skip


@pytest.fixture(scope="module")
def hand_made() -> dict[str, dict[str, float]]:
    return figures(HAND_MADE.run())


def figures(run: Run) -> dict[str, dict[str, float]]:
    table = kpis.table(run)
    assert list(table.columns) == ["kpi", "group", "value"]
    assert not table.duplicated(["kpi", "group"]).any()
    return {kpi: dict(zip(rows["group"], rows["value"], strict=True)) for kpi, rows in table.groupby("kpi")}


def test_every_kpi_has_a_hand_computed_value() -> None:
    assert set(EXPECTED) == set(KPIS)


@pytest.mark.parametrize("name", EXPECTED)
def test_is_right_on_the_run_made_by_hand(hand_made: dict[str, dict[str, float]], name: str) -> None:
    for group, value in EXPECTED[name].items():
        if value is None:
            assert group not in hand_made[name]
        else:
            assert hand_made[name][group] == pytest.approx(value, nan_ok=True), group


@pytest.mark.parametrize("name", list(KPIS))
def test_says_what_it_is_in_two_languages(name: str) -> None:
    kpi = KPIS[name]
    assert kpi.unit in ("min", "h", "share", "count", "money")
    assert kpi.better in ("lower", "higher", None)
    assert kpi.label("en").isascii() and not kpi.label("zh").isascii()
    assert "NaN" in str(kpi.function.__doc__) or " 0 " in str(kpi.function.__doc__) or name.startswith("late")


AMOUNTS = {
    "cases", "retries", "repeats", "duplicates",
    "rostered_hours", "overtime_hours", "work_in_process_mean", "queue_length_mean", "queue_length_max",
    "cost_wages", "cost_penalties", "cost_total", "outages", "cost_late_refusals", "items_completed",
}  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("window", [(0, 240, 240), (0, 0, 0)])
def test_an_empty_run_has_amounts_of_zero_and_no_other_answers(window: tuple[float, float, float]) -> None:
    empty = figures(World(window=window).run())
    assert set(empty) == set(KPIS)
    for name, groups in empty.items():
        for group, value in groups.items():
            assert value == 0 if name in AMOUNTS else math.isnan(value), (name, group)


@pytest.mark.filterwarnings("error")
def test_staff_without_cases_cost_money_and_are_idle() -> None:
    quiet = figures(dataclasses.replace(HAND_MADE, cases=()).run())
    assert quiet["cost_total"]["all"] == 5.5 * 60 + 3 * 90
    assert quiet["utilisation"]["all"] == 0
    assert math.isnan(quiet["cost_per_case"]["all"])
    assert math.isnan(quiet["completion_rate"]["class=urgent"])


def test_figures_by_hour_add_up_to_the_whole(hand_made: dict[str, dict[str, float]]) -> None:
    for name in ("work_in_process_mean", "queue_length_mean"):
        hours = [value for group, value in hand_made[name].items() if group.startswith("hour=")]
        assert np.mean(hours) == pytest.approx(hand_made[name]["all"])


# ---------------------------------------------------------------------- staff
ONE_PERSON = World(
    departments=("d",), pools={"p": {"department": "d", "skills": ["s"], "wage": 60}}, skills=("s",),
    steps={"a": {"skill": "s", "responds": 1}},
)  # fmt: skip


def at_work(worker: dict[str, object], *spans: tuple[float, float], window: tuple[float, float, float]) -> Run:
    cases = [
        {"at": a, "left": b, "outcome": "completed",
         "items": [{"step": "a", "enabled": a, "started": a, "completed": b, "worker": "w"}]}
        for a, b in spans
    ]  # fmt: skip
    return dataclasses.replace(ONE_PERSON, workers={"w": {"pool": "p", **worker}}, cases=cases, window=window).run()


def test_work_from_one_shift_into_the_next_is_overtime_only_in_between() -> None:
    run = at_work({"duty": [(0, 60), (100, 200)]}, (50, 120), window=(0, 200, 200))
    assert figures(run)["overtime_hours"]["all"] == pytest.approx(40 / 60)
    assert figures(run)["utilisation"]["all"] == pytest.approx(70 / 160)


def test_overtime_ends_with_the_window() -> None:
    run = at_work({"duty": [(0, 60)]}, (10, 20), (50, 120), window=(0, 90, 200))
    assert figures(run)["overtime_hours"]["all"] == pytest.approx(30 / 60)
    assert figures(run)["rostered_hours"]["all"] == 1


def test_work_before_the_window_is_left_out_of_utilisation() -> None:
    run = at_work({"duty": [(0, 200)]}, (10, 40), (60, 70), window=(30, 130, 200))
    assert figures(run)["utilisation"]["all"] == pytest.approx(20 / 100)


def test_a_break_is_not_rostered() -> None:
    run = at_work({"duty": [(0, 120)], "breaks": [(60, 30)]}, (0, 45), window=(0, 120, 120))
    assert figures(run)["utilisation"] == pytest.approx(
        {"all": 0.5, "pool=p": 0.5, "department=d": 0.5, "hour=00": 45 / 60, "hour=01": 0}
    )


def test_work_in_hand_when_the_clock_stops_counts_as_busy() -> None:
    item = {"step": "a", "enabled": 10, "started": 10, "worker": "w"}
    world = dataclasses.replace(
        ONE_PERSON,
        workers={"w": {"pool": "p", "duty": [(0, 60)]}},
        cases=[{"at": 10, "items": [item]}],
        window=(0, 60, 60),
    )
    assert figures(world.run())["utilisation"]["all"] == pytest.approx(50 / 60)


def test_a_night_shift_counts_by_the_hour_of_the_clock() -> None:
    world = dataclasses.replace(ONE_PERSON, start=np.datetime64("2026-03-02T22:30"))
    cases = [{"at": 0, "items": [{"step": "a", "enabled": 0, "started": 0, "completed": 120, "worker": "w"}]}]
    workers = {"w": {"pool": "p", "duty": [(0, 240)]}}
    run = dataclasses.replace(world, workers=workers, cases=cases, window=(0, 240, 240)).run()
    hours = {"hour=22": 1, "hour=23": 1, "hour=00": 30 / 60, "hour=01": 0, "hour=02": 0}
    assert {g: v for g, v in figures(run)["utilisation"].items() if "hour" in g} == pytest.approx(hours)


# ---------------------------------------------------------------------- promises and queues
def test_an_unanswered_case_is_a_miss_once_its_due_time_has_passed() -> None:
    def share(due: float) -> float:
        case = {"at": 0, "due": {"first_response": due}, "items": [{"step": "a", "enabled": 0}]}
        world = dataclasses.replace(ONE_PERSON, promises={"first_response": {}}, cases=[case], window=(0, 60, 60))
        return figures(world.run())["promise_first_response"]["all"]

    assert share(59) == 0
    assert math.isnan(share(60))


def test_a_case_that_ends_without_an_answer_is_a_miss_whenever_it_was_due() -> None:
    case = {"at": 0, "left": 20, "outcome": "completed", "due": {"first_response": 90}, "items": []}
    world = dataclasses.replace(ONE_PERSON, promises={"first_response": {}}, cases=[case], window=(0, 60, 60))
    assert figures(world.run())["promise_first_response"]["all"] == 0


def test_a_case_belongs_to_the_department_of_the_first_step_that_needs_somebody() -> None:
    wait = {"step": "wait", "enabled": 0, "started": 0, "completed": 4}
    ask = {"step": "ask", "enabled": 4, "started": 9}
    world = World(
        departments=("front", "back"),
        pools={"p": {"department": "back", "skills": ["s"]}, "q": {"department": "front", "skills": ["t"]}},
        skills=("s", "t"),
        steps={"wait": {"kind": "delay"}, "ask": {"skill": "s", "responds": 1}, "do": {"skill": "t"}},
        cases=[
            {"at": 0, "items": [wait, ask, {"step": "do"}]},
            {"at": 0, "items": [wait]},
            {"at": 0, "items": [{"step": "do"}]},
        ],
        window=(0, 60, 60),
    )
    found = figures(world.run())
    assert found["first_response_mean"]["department=back"] == 9
    assert found["unfinished_share"] == {"all": 1, "department=back": 1, "department=front": 1, "hour=00": 1} | {
        group: 1 for group in found["unfinished_share"] if group.startswith(("class=", "channel="))
    }


def test_an_escalated_item_waits_in_the_next_queue() -> None:
    world = World(
        departments=("d",),
        pools={"p": {"department": "d", "skills": ["s"]}, "boss": {"department": "d", "skills": ["t"]}},
        skills=("s", "t"),
        steps={"a": {"skill": "s"}, "b": {"skill": "t"}},
        cases=[{"at": 0, "items": [{"step": "a", "enabled": 0, "started": 20}]}],
        escalations=[(0, 5, "t")],
        window=(0, 100, 100),
    )
    found = figures(world.run())
    assert found["escalation_rate"]["all"] == 1
    expected = {"all": 0.2, "skill=s": 0.05, "skill=t": 0.15, "department=d": 0.2, "hour=00": 1 / 3, "hour=01": 0}
    assert found["queue_length_mean"] == pytest.approx(expected)
    assert found["queue_length_max"] == {"all": 1, "skill=s": 1, "skill=t": 1, "department=d": 1}


# ---------------------------------------------------------------------- laws and brute force
def test_littles_law_is_an_identity_when_every_case_leaves_within_the_window() -> None:
    run = large(400, 3)
    run = dataclasses.replace(run, window=Window(0, int(run.log.left_at.max()) + 1, run.window.until))
    keep = run.log.left_at >= 0
    found = figures(run)
    unfinished = np.maximum(run.window.end - run.workload.arrived_at[~keep], 0).sum() / MINUTE
    inside = found["work_in_process_mean"]["all"] * run.window.end / MINUTE
    assert inside == pytest.approx(found["cycle_time_mean"]["all"] * keep.sum() + unfinished)


@pytest.fixture(scope="module")
def random_run() -> Run:
    return large(500, 3)


def test_agrees_with_the_tables_that_people_read(random_run: Run) -> None:
    found, cases, items = figures(random_run), random_run.cases, random_run.items
    cases = cases[cases["counted"]]
    items = items[items["case"].isin(cases["case"])]
    first = ((cases["responded_at"] - cases["arrived_at"]).dt.total_seconds() / 60).dropna()
    cycle = ((cases["left_at"] - cases["arrived_at"]).dt.total_seconds() / 60).dropna()
    hour = cases["arrived_at"].dt.strftime("hour=%H")
    for name, values in (("first_response", first), ("cycle_time", cycle)):
        for which, share in (("median", 0.5), ("p90", 0.9), ("p95", 0.95), ("max", 1.0)):
            assert found[f"{name}_{which}"]["all"] == pytest.approx(values.quantile(share))
            by_hour = values.groupby(hour).quantile(share)
            assert {g: v for g, v in found[f"{name}_{which}"].items() if "hour" in g} == pytest.approx(dict(by_hour))
        by_class = values.groupby(cases["case_class"].astype(str)).mean()
        assert {g[6:]: v for g, v in found[f"{name}_mean"].items() if "class" in g} == pytest.approx(dict(by_class))
    for column, name in (("waiting", "waiting_mean"), ("processing", "processing_mean")):
        for key in ("step", "department"):
            expected = items.dropna(subset=[column]).groupby(items[key].astype(str))[column].mean()
            assert {g.split("=")[1]: v for g, v in found[name].items() if key in g} == pytest.approx(dict(expected))
    late = (cases["responded_at"] > cases["due_first_response"]) | (
        cases["responded_at"].isna() & (cases["due_first_response"] < random_run.when(np.array([28 * 24 * HOUR]))[0])
    )
    decided = late | cases["responded_at"].notna()
    assert found["late_first_response"]["all"] == pytest.approx(late.sum() / decided.sum())


def test_overtime_agrees_with_a_minute_by_minute_count(random_run: Run) -> None:
    plan, window = random_run.plan, random_run.window
    minutes = np.zeros((len(plan.workers), window.until // MINUTE), bool)
    for worker, begin, end in zip(plan.duty_worker, plan.duty_from, plan.duty_to, strict=True):
        minutes[worker, begin // MINUTE : end // MINUTE] = True
    total = 0.0
    for _, worker, begin, end in zip(*random_run.stretches(), strict=True):
        begin, end = max(begin, window.begin), min(end, window.end)
        for minute in range(begin // MINUTE, -(-end // MINUTE)):
            if not minutes[worker, minute]:
                total += max(0, min(end, (minute + 1) * MINUTE) - max(begin, minute * MINUTE))
    assert total > 0
    assert figures(random_run)["overtime_hours"]["all"] == pytest.approx(total / HOUR)


@pytest.mark.parametrize("seed", range(20))
def test_quantiles_by_group_are_those_of_numpy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, n_groups = int(rng.integers(0, 300)), 5
    scale = 10.0 ** rng.integers(0, 12)
    values = np.round(rng.lognormal(0, 2, n) * scale * (rng.random(n) < 0.7)).astype(np.int64)
    code = rng.integers(0, n_groups - 1, n)  # the last group stays empty
    shares = (0, 0.5, 0.9, 0.95, 1)
    found = quantiles(values, code, n_groups, shares)
    for group in range(n_groups):
        inside = values[code == group]
        expected = np.quantile(inside, shares) if len(inside) else np.full(len(shares), NAN)
        assert found[:, group] == pytest.approx(expected, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("seed", range(20))
def test_the_longest_queue_is_that_of_a_walk_through_all_events(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, codes, end = int(rng.integers(0, 200)), 3, int(rng.choice([20, 5000]))  # few instants: many ties
    run = dataclasses.replace(HAND_MADE.run(), window=Window(0, end, end))
    begin = rng.integers(0, end - 1, n)
    spans = Queue(rng.integers(0, codes, n), begin, np.minimum(end, begin + rng.integers(1, end // 4, n)))
    found = longest(run, spans, spans.skill, codes)
    for code in range(codes):
        rows = spans.skill == code
        events = sorted([(at, 1) for at in spans.begin[rows]] + [(at, -1) for at in spans.end[rows]])
        assert found[code] == max(np.cumsum([change for _, change in events], dtype=int), default=0)


def test_spans_fall_into_the_hours_that_they_touch() -> None:
    run = dataclasses.replace(HAND_MADE.run(), window=Window(30 * MINUTE, 27 * HOUR, 30 * HOUR))  # from 08:30
    begin, end = np.array([0, 50 * MINUTE, 26 * HOUR]), np.array([40 * MINUTE, 130 * MINUTE, 30 * HOUR])
    hours = by_hour(run, begin, end, np.array([0, 0, 1]), 2) / MINUTE
    assert {h: v for h, v in enumerate(hours[0]) if v} == {8: 20, 9: 60, 10: 10}
    assert {h: v for h, v in enumerate(hours[1]) if v} == {10: 60}


def test_spans_fall_into_the_weekdays_that_they_touch() -> None:
    saturday = np.datetime64("2026-03-07T20:00")
    run = dataclasses.replace(HAND_MADE.run(), start=saturday, window=Window(0, 9 * DAY, 9 * DAY))
    begin, end = np.array([0, 7 * DAY]), np.array([30 * HOUR, 7 * DAY + HOUR])  # to Monday 2:00; the Saturday after
    hours = by_weekday(run, begin, end, np.array([0, 0]), 1)[0] / HOUR
    whole = {(5, h): 1 for h in (21, 22, 23)} | {(6, h): 1 for h in range(24)} | {(0, 0): 1, (0, 1): 1}
    assert {(d, h): hours[d, h] for d in range(7) for h in range(24) if hours[d, h]} == {(5, 20): 2, **whole}


# ---------------------------------------------------------------------- series
@pytest.mark.parametrize("name", series.SERIES)
def test_a_series_has_x_columns_and_a_value_and_the_same_rows_in_every_run(name: str) -> None:
    full, quiet = (
        series.SERIES[name](run) for run in (HAND_MADE.run(), dataclasses.replace(HAND_MADE, cases=()).run())
    )
    assert full.columns[-1] == "value"
    pd.testing.assert_frame_equal(full.drop(columns="value"), quiet.drop(columns="value"))
    assert len(series.SERIES[name](World().run()).columns) == 3


def test_series_agree_with_the_kpis(hand_made: dict[str, dict[str, float]]) -> None:
    run = HAND_MADE.run()
    known = {g: v for g, v in hand_made["queue_length_mean"].items() if "hour" in g}
    queue = series.queue_by_department(run).groupby("hour")["value"].sum(min_count=1).dropna()
    assert {f"hour={hour:02d}": value for hour, value in queue.items()} == pytest.approx(known)
    owned = series.queue_by_department(run).groupby("department")["value"].mean()  # the window is 8 to 12 o'clock
    assert owned.to_dict() == pytest.approx({d: hand_made["queue_length_mean"][f"department={d}"] for d in owned.index})
    week = series.queue_by_weekday(run).dropna()
    assert set(week["weekday"]) == {0}  # a Monday
    assert {f"hour={h:02d}": v for h, v in zip(week["hour"], week["value"], strict=True)} == pytest.approx(known)
    times = series.response_times(run).set_index(["group", "quantile"])["value"]
    assert (times["all", 0.5], times["class=urgent", 1.0]) == (5, 5)
