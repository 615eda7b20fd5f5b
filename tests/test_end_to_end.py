"""From a scenario to its KPIs at odd hours: every figure a second time, from the tables and a roster laid out by hand.

The clock starts at half past six, within a shift and within its break; nights cross midnight and the borders of the
window; people work on after their shifts; customers give up; some cases are still open when the clock stops.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds import mapping

from servsim import prepare
from servsim.model import Scenario
from servsim.quantities import DAY, HOUR, MINUTE
from servsim.records import Workload
from servsim.simulate import SimulatedRun, simulate

Span = tuple[int, int]

BEGIN, END, UNTIL = DAY, 9 * DAY, 11 * DAY
FIRST_MIDNIGHT = -(6 * HOUR + 30 * MINUTE)
EIGHT_DAYS_AT_TWO_DESKS: dict[str, Any] = {
    "clock": {"start": "2026-03-02 06:30", "horizon": "9 d", "warm_up": "1 d", "run_out": "2 d"},
    "departments": {"front": {}, "back": {}},
    "pools": {
        "desk": {"department": "front", "wage": 60, "overtime": 2},
        "night": {"department": "back", "wage": 30, "overtime": 1.5},
    },
    "shifts": {
        "early": {"days": "all", "hours": "02:00-10:00", "breaks": [{"at": "06:15", "lasts": "30 min"}]},
        "late": {"days": "mon-fri", "hours": ["10:00-12:00", "13:00-18:20"]},
        "night": {
            "days": "all",
            "hours": "22:00-06:00",
            "breaks": [{"at": "23:50", "lasts": "30 min", "rule": "pause"}],
        },
    },
    "staffing": {"desk": {"early": 2, "late": 1}, "night": {"night": 2}},
    "case_classes": {
        "ordinary": {
            "process": "p",
            "promises": {"first_response": {"limit": "30 min", "penalty": 7}},
            "patience": {"kind": "exponential", "mean": "3 h"},
        }
    },
    "demand": {"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "4/h"}}},
    "processes": {
        "p": {
            "start": "a",
            "steps": {
                "a": {"kind": "task", "skill": "desk", "time": {"kind": "exponential", "mean": "12 min"}, "next": "b"},
                "b": {
                    "kind": "task",
                    "skill": "night",
                    "time": {"kind": "exponential", "mean": "14 min"},
                    "next": {"end": 0.8, "a": 0.2},
                },
            },
        }
    },
}


def roster() -> tuple[dict[str, list[Span]], dict[str, list[Span]]]:
    """(duties, breaks) of each worker, in ticks; 2 March 2026 is a Monday."""
    duties: dict[str, list[Span]] = {}
    breaks: dict[str, list[Span]] = {}

    def enter(into: dict[str, list[Span]], who: Iterable[str], day: int, begin: float, end: float) -> None:
        at = FIRST_MIDNIGHT + day * DAY
        for name in who:
            into.setdefault(name, []).append((at + round(begin * HOUR), at + round(end * HOUR)))

    early, late, night = ["desk.early.1", "desk.early.2"], ["desk.late.1"], ["night.night.1", "night.night.2"]
    for day in range(-2, 13):
        enter(duties, early, day, 2, 10)
        enter(breaks, early, day, 6.25, 6.75)
        if day % 7 < 5:
            enter(duties, late, day, 10, 12)
            enter(duties, late, day, 13, 18 + 1 / 3)
        enter(duties, night, day, 22, 30)
        enter(breaks, night, day, 23 + 5 / 6, 24 + 1 / 3)
    return duties, breaks


def common(one: Span, other: Span) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def total(spans: dict[str, list[Span]], pool: str, within: Iterable[Span]) -> float:
    """Hours of the pool's spans that lie within."""
    within = list(within)
    ours = [span for name, own in spans.items() if name.startswith(pool) for span in own]
    return sum(common(span, part) for span in ours for part in within) / HOUR


WINDOW: list[Span] = [(BEGIN, END)]


def the_hour(hour: int) -> list[Span]:
    """That hour of each day, as far as it lies within the window."""
    begins = [FIRST_MIDNIGHT + day * DAY + hour * HOUR for day in range(13)]
    return [(max(at, BEGIN), min(at + HOUR, END)) for at in begins if at < END and at + HOUR > BEGIN]


@pytest.fixture(scope="module")
def run() -> SimulatedRun:
    return simulate(Scenario.model_validate(mapping(**EIGHT_DAYS_AT_TWO_DESKS)), seed=3)


@pytest.fixture(scope="module")
def figure(run: SimulatedRun) -> dict[tuple[str, str], float]:
    return {(row.kpi, row.group): row.value for row in run.kpis().itertuples()}


@pytest.fixture(scope="module")
def busy(run: SimulatedRun) -> dict[str, list[Span]]:
    """Stretches of work of each worker."""
    found: dict[str, list[Span]] = {}
    _, worker, begin, end = run.stretches()
    for name, a, b in zip(np.array(run.plan.workers)[worker].tolist(), begin.tolist(), end.tolist(), strict=True):
        found.setdefault(name, []).append((a, b))
    return found


def overtime(busy: dict[str, list[Span]], pool: str) -> float:
    """Hours of work within the window and outside of duty."""
    duties, _ = roster()
    on = sum(
        common((max(a, BEGIN), min(b, END)), duty)
        for name, spans in busy.items()
        if name.startswith(pool)
        for a, b in spans
        if common((a, b), WINDOW[0])
        for duty in duties[name]
    )
    return total(busy, pool, WINDOW) - on / HOUR


@pytest.mark.parametrize("pool", ["desk", "night"])
def test_rostered_hours_utilisation_and_overtime(pool: str, figure: Any, busy: dict[str, list[Span]]) -> None:
    duties, breaks = roster()
    rostered = total(duties, pool, WINDOW) - total(breaks, pool, WINDOW)
    assert figure["rostered_hours", f"pool={pool}"] == pytest.approx(rostered)
    assert figure["utilisation", f"pool={pool}"] == pytest.approx(total(busy, pool, WINDOW) / rostered)
    assert overtime(busy, pool) > 1
    assert figure["overtime_hours", f"pool={pool}"] == pytest.approx(overtime(busy, pool))


@pytest.mark.parametrize("hour", [0, 6, 9, 23])
def test_utilisation_by_hour_of_the_clock(hour: int, figure: Any, busy: dict[str, list[Span]]) -> None:
    duties, breaks = roster()
    there = total(duties, "", the_hour(hour)) - total(breaks, "", the_hour(hour))
    assert figure["utilisation", f"hour={hour:02d}"] == pytest.approx(total(busy, "", the_hour(hour)) / there)


def test_cost(run: SimulatedRun, figure: Any, busy: dict[str, list[Span]]) -> None:
    duties, breaks = roster()
    wages = sum(
        wage * (total(duties, pool, WINDOW) - total(breaks, pool, WINDOW) + factor * overtime(busy, pool))
        for pool, wage, factor in (("desk", 60, 2), ("night", 30, 1.5))
    )
    assert figure["cost_wages", "all"] == pytest.approx(wages)
    _, missed = promises(run)
    assert figure["cost_penalties", "all"] == 7 * missed
    assert figure["cost_per_case", "all"] == pytest.approx((wages + 7 * missed) / run.cases["counted"].sum())


def promises(run: SimulatedRun) -> tuple[int, int]:
    """Promises kept and missed, case by case."""
    stop = run.start + np.timedelta64(11, "D")
    kept = missed = 0
    for case in run.cases[run.cases["counted"]].itertuples():
        due = case.arrived_at.to_datetime64() + np.timedelta64(30, "m")
        if str(case.responded_at) == "NaT":
            missed += case.outcome == "abandoned" or due < stop
        else:
            in_time = case.responded_at.to_datetime64() <= due
            kept, missed = kept + in_time, missed + (not in_time)
    return kept, missed


def test_answers_and_outcomes(run: SimulatedRun, figure: Any) -> None:
    begin = run.start + np.timedelta64(1, "D")
    cases = run.cases[(run.cases["arrived_at"] >= begin) & (run.cases["arrived_at"] < begin + np.timedelta64(8, "D"))]
    kept, missed = promises(run)
    assert figure["promise_first_response", "all"] == pytest.approx(kept / (kept + missed))
    for kpi, outcome in (
        ("abandonment_rate", "abandoned"),
        ("completion_rate", "completed"),
        ("unfinished_share", "in_process"),
    ):
        share = (cases["outcome"] == outcome).mean()
        assert 0 < share < 1
        assert figure[kpi, "all"] == pytest.approx(share)
    minutes = (cases["responded_at"] - cases["arrived_at"]).dt.total_seconds() / 60
    assert figure["first_response_mean", "all"] == pytest.approx(minutes.mean())
    assert figure["first_response_p95", "all"] == pytest.approx(np.quantile(minutes.dropna(), 0.95))
    for hour in (6, 7, 23):
        ours = minutes[cases["arrived_at"].dt.hour == hour]
        assert figure["first_response_mean", f"hour={hour:02d}"] == pytest.approx(ours.mean())


def test_cases_and_items_that_are_there_at_a_time(run: SimulatedRun, figure: Any) -> None:
    left = [at if at >= 0 else UNTIL for at in run.log.left_at.tolist()]
    there = zip(run.workload.arrived_at.tolist(), left, strict=True)
    assert figure["work_in_process_mean", "all"] == pytest.approx(
        sum(common(span, WINDOW[0]) for span in there) / (END - BEGIN)
    )
    waits = [
        (enabled, started if started >= 0 else left[case])
        for enabled, started, case in zip(
            run.log.enabled_at.tolist(), run.log.started_at.tolist(), run.workload.case.tolist(), strict=True
        )
        if enabled >= 0
    ]
    assert figure["queue_length_mean", "all"] == pytest.approx(
        sum(common(span, WINDOW[0]) for span in waits) / (END - BEGIN)
    )


def test_interruptions_are_not_processing(run: SimulatedRun, figure: Any) -> None:
    items, cases = run.items, run.cases
    done = items[items["completed_at"].notna() & items["case"].isin(cases.index[cases["counted"]])]
    lasted = (done["completed_at"] - done["started_at"]).dt.total_seconds() / 60
    assert (done["processing"] < lasted - 29).any()
    assert (done["processing"] < lasted + 1e-6).all()
    assert figure["processing_mean", "all"] == pytest.approx(done["processing"].mean())


# ---------------------------------------------------------------------- traces


def replayed(folder: Path, start: str, **more: Any) -> Workload:
    """A trace of five calls around two days, two of them on the borders."""
    rows = ["2026-03-03 07:59:59", "2026-03-03 08:00:00", "2026-03-04 12:30:00", "2026-03-05 07:59:59.5"]
    (folder / "calls.csv").write_text("\n".join(["at", *rows, "2026-03-05 08:00:00"]), encoding="utf-8")
    trace = {"kind": "trace", "file": "calls.csv", "columns": {"arrived_at": "at"}, **more}
    patience = {"kind": "exponential", "mean": "5 min"}
    scenario = mapping(
        clock={"start": start, "horizon": "2 d"},
        case_classes={"ordinary": {"process": "p", "patience": patience}, "other": {"process": "p"}},
        demand={"calls": {"mix": {"ordinary": 0.5, "other": 0.5}, "arrivals": trace}},
    )
    return prepare.workload(Scenario.model_validate(scenario, context={"folder": folder}), 1, 0)


def test_a_trace_is_aligned_with_a_clock_that_starts_in_the_morning(tmp_path: Path) -> None:
    work = replayed(tmp_path, "2026-03-03 08:00")
    assert work.arrived_at.tolist() == [0, 28 * HOUR + 30 * MINUTE, 2 * DAY - 500_000]
    later = replayed(tmp_path, "2026-04-13 08:00", **{"from": "2026-03-03"})
    assert later.arrived_at.tolist() == work.arrived_at.tolist()


def test_rows_outside_the_clock_take_no_draws_from_the_others(tmp_path: Path) -> None:
    with_first, without = replayed(tmp_path, "2026-03-03"), replayed(tmp_path, "2026-03-03 08:00")
    assert without.arrived_at[:2].tolist() == (with_first.arrived_at[1:] - 8 * HOUR).tolist()
    assert without.case_class[:2].tolist() == with_first.case_class[1:].tolist()
    assert without.patience[:2].tolist() == with_first.patience[1:].tolist()
    assert without.work[:2].tolist() == with_first.work[1:].tolist()


def test_appointments_that_are_not_kept_take_no_draws_from_the_others() -> None:
    def booked(no_show: float) -> Workload:
        visits = {"kind": "appointments", "days": "all", "times": ["09:00", "10:00", "11:00"], "no_show": no_show}
        patience = {"kind": "exponential", "mean": "5 min"}
        scenario = mapping(
            clock={"start": "2026-03-02", "horizon": "30 d"},
            case_classes={"ordinary": {"process": "p", "patience": patience}, "other": {"process": "p"}},
            demand={"visits": {"mix": {"ordinary": 0.5, "other": 0.5}, "arrivals": visits}},
        )
        return prepare.workload(Scenario.model_validate(scenario), 1, 0)

    everybody, some = booked(0.0), booked(0.3)
    assert 50 < some.n_cases < 75
    kept = np.isin(everybody.arrived_at, some.arrived_at)
    assert some.case_class.tolist() == everybody.case_class[kept].tolist()
    assert some.patience.tolist() == everybody.patience[kept].tolist()


# ---------------------------------------------------------------------- edges


def test_an_answer_at_the_due_tick_is_in_time() -> None:
    """Three visitors at 09:00, 30 min each: they are answered at 09:00, 09:30 and 10:00."""
    scenario = mapping(
        clock={"start": "2026-03-02", "horizon": "1 d"},
        case_classes={"ordinary": {"process": "p", "promises": {"first_response": {"limit": "30 min"}}}},
        demand={
            "visits": {
                "case_class": "ordinary",
                "arrivals": {"kind": "appointments", "days": "all", "times": ["09:00"], "per_slot": 3},
            }
        },
        processes={
            "p": {
                "start": "serve",
                "steps": {"serve": {"kind": "task", "skill": "desk", "time": "30 min", "next": "end"}},
            }
        },
    )
    table = simulate(Scenario.model_validate(scenario)).kpis().set_index(["kpi", "group"])["value"]
    assert table["first_response_max", "all"] == 60
    assert table["promise_first_response", "all"] == pytest.approx(2 / 3)


def test_in_a_merged_step_the_machine_comes_before_the_people() -> None:
    def task(following: str, **more: Any) -> dict[str, Any]:
        return {"kind": "task", "skill": "desk", "time": "10 min", "next": following, **more}

    scenario = mapping(
        processes={
            "p": {
                "start": "look_up",
                "steps": {
                    "look_up": task("decide", automated={"share": 1, "time": "3 min"}),
                    "decide": task("end"),
                },
            }
        },
        edits={"one_visit": {"kind": "merge", "process": "p", "steps": ["look_up", "decide"]}},
    )
    run = simulate(Scenario.model_validate(scenario))
    items = run.items[run.items["case"] == 0]
    first = items.iloc[0]
    assert len(items) == 1
    assert (first["offered_at"] - first["enabled_at"]).total_seconds() == 3 * 60
    assert first["started_at"] == first["offered_at"]
    assert first["processing"] == 10


def test_what_has_not_been_pushed_yet_waits_too() -> None:
    """One visitor a day, somebody idle at once, and 36 min until the push."""
    visits = {"kind": "appointments", "days": "all", "times": ["09:00"]}
    scenario = mapping(
        demand={"visits": {"case_class": "ordinary", "arrivals": visits}},
        dispatch={"delay": "36 min"},
    )
    table = simulate(Scenario.model_validate(scenario)).kpis().set_index(["kpi", "group"])["value"]
    assert table["first_response_mean", "all"] == table["waiting_mean", "step=serve"] == 36
    assert table["queue_length_mean", "skill=desk"] == pytest.approx(36 / (24 * 60))
    assert table["queue_length_mean", "hour=09"] == pytest.approx(0.6)
    assert table["queue_length_max", "skill=desk"] == 1
