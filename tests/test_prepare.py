"""From a scenario to plan and workload: arrivals, what cases leave behind at each kind of step, who is there when."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flows import processes, task
from hypothesis import given
from hypothesis import strategies as st
from worlds import mapping

from servsim import prepare
from servsim.model import Scenario
from servsim.model.errors import InputError
from servsim.prepare.arrivals import Intensity
from servsim.prepare.streams import Streams
from servsim.quantities import DAY, HOUR, MINUTE, SECOND
from servsim.records import Leaves, Plan, Workload
from servsim.records.workload import FORK

MONDAY = "2026-03-02"


def scenario(folder: Path | None = None, **changes: Any) -> Scenario:
    return Scenario.model_validate(mapping(**changes), context={"folder": folder} if folder else None)


def drawn(seed: int = 1, replication: int = 0, folder: Path | None = None, **changes: Any) -> Workload:
    return prepare.workload(scenario(folder, **changes), seed, replication)


def arrived(
    arrivals: Any, days: int = 1, seed: int = 1, clock: dict[str, Any] | None = None, **more: Any
) -> np.ndarray:
    """Arrival ticks of one source over so many days."""
    source = {"case_class": "ordinary", "arrivals": arrivals, **more}
    work = drawn(seed, clock={"start": MONDAY, "horizon": f"{days} d", **(clock or {})}, demand={"calls": source})
    return work.arrived_at


def process(**steps: Any) -> dict[str, Any]:
    """One process that starts with the first of the steps."""
    return {"p": {"start": next(iter(steps)), "steps": steps}}


def by_step(work: Workload) -> dict[str, np.ndarray]:
    """Items by step."""
    return {name: np.flatnonzero(work.step == number) for number, name in enumerate(work.steps.names)}


def paths(work: Workload) -> list[list[str]]:
    """Steps of each case, in the order of its items."""
    names = np.array(work.steps.names, object)[work.step]
    return [names[a:b].tolist() for a, b in zip(work.first_item[:-1], work.first_item[1:], strict=True)]


def near(share: float, n: int, expected: float) -> bool:
    """Within four standard errors of a share."""
    return abs(share - expected) <= 4 * math.sqrt(expected * (1 - expected) / n)


# ------------------------------------------------------------------ streams


def test_an_entry_of_a_stream_does_not_depend_on_how_many_are_drawn() -> None:
    streams = Streams(7, 3)
    many = streams.uniforms(1000, "calls", "work")
    assert (streams.uniforms(10, "calls", "work") == many[:10]).all()
    assert (streams.at(np.array([999, 0, 5]), "calls", "work") == many[[999, 0, 5]]).all()
    assert len(streams.at(np.empty(0, np.int64), "calls")) == 0
    assert ((many >= 0) & (many < 1)).all()


def test_streams_differ_by_name_replication_and_seed() -> None:
    firsts = {
        float(Streams(seed, replication).uniforms(1, *name)[0])
        for seed in (1, 2)
        for replication in (0, 1)
        for name in (("a", "b"), ("a", "c"), ("a",), ("b", "a"))
    }
    assert len(firsts) == 16


# ------------------------------------------------------------------ arrivals: rates over time


def test_the_inverse_of_the_cumulative_rate_is_exact_at_the_edges() -> None:
    """2 an hour, then nothing for an hour, then 1 an hour: the points 0, 1, 2 and 2.5 lie at 0:00, 0:30, 2:00, 2:30."""
    over_time = Intensity(np.array([0, HOUR, 2 * HOUR, 3 * HOUR]), np.array([2.0, 0.0, 1.0]) / HOUR)
    assert over_time.total == pytest.approx(3.0)
    at = over_time.inverse(np.array([0.0, 1.0, 2.0, 2.5, 2.999999, 3.0, 7.0]))
    assert at.tolist() == pytest.approx([0, HOUR // 2, 2 * HOUR, 2.5 * HOUR, 3 * HOUR - 3600], abs=1)


def test_no_case_comes_in_an_hour_without_rate() -> None:
    rates = [0.0] * 24
    rates[9], rates[10], rates[17] = 30.0, 60.0, 3.0
    at = arrived({"kind": "hourly", "per_hour": {"mon-fri": rates}}, days=140)
    hour, weekday = at % DAY // HOUR, at // DAY % 7
    assert set(hour.tolist()) == {9, 10, 17}
    assert set(weekday.tolist()) == {0, 1, 2, 3, 4}
    for busy, rate in ((9, 30), (10, 60), (17, 3)):
        assert abs((hour == busy).sum() - 100 * rate) <= 4 * math.sqrt(100 * rate)
    within = at[hour == 10] % HOUR / HOUR
    assert abs(within.mean() - 0.5) <= 4 / math.sqrt(12 * len(within))


@pytest.mark.parametrize("slots", [24, 48, 96, 288, 1440])
def test_rates_are_cases_per_hour_however_long_the_slots(slots: int) -> None:
    rates = [0.0] * slots
    rates[slots // 2 : slots // 2 + slots // 24] = [500.0] * (slots // 24)  # from 12 to 13
    at = arrived({"kind": "hourly", "per_hour": {"all": rates}}, days=4)
    assert (at % DAY // HOUR == 12).all()
    assert abs(len(at) - 2000) <= 4 * math.sqrt(2000)


def test_a_holiday_has_the_rates_of_a_sunday_and_a_closed_day_none() -> None:
    rates = {"mon-sat": [100.0] * 24, "sun": [1.0] * 24}
    clock = {"exceptions": {"2026-03-03": "holiday", "2026-03-04": "closed", "2026-03-05": "sun"}}
    counts = np.bincount(arrived({"kind": "hourly", "per_hour": rates}, days=5, clock=clock) // DAY, minlength=5)
    assert abs(counts[[0, 4]] - 2400).max() <= 4 * math.sqrt(2400)
    assert counts[2] == 0 and counts[1] < 60 and counts[3] < 60


def test_the_clock_may_start_at_noon() -> None:
    """Rates belong to the time of day, not to the time since the start."""
    rates = [0.0] * 24
    rates[13] = 500.0
    at = arrived({"kind": "hourly", "per_hour": {"all": rates}}, days=2, clock={"start": "2026-03-02 12:00"})
    assert set((at // HOUR).tolist()) == {1, 25}


def test_arrivals_go_on_in_the_run_out_unless_they_are_not_to() -> None:
    clock = {"horizon": "1 d", "run_out": "1 d"}
    poisson = {"kind": "poisson", "rate": "100/h"}
    assert arrived(poisson, clock=clock).max() > 1.9 * DAY
    assert arrived(poisson, clock={**clock, "arrivals_in_run_out": False}).max() < DAY


def test_a_rate_of_nothing_brings_nobody() -> None:
    assert len(arrived({"kind": "poisson", "rate": "0/h"})) == 0
    assert len(arrived({"kind": "poisson", "rate": "5/h"}, factor=0)) == 0
    assert (
        drawn(demand={"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "0/h"}}}).n_items == 0
    )


def test_poisson_counts_have_the_variance_of_their_mean() -> None:
    counts = np.bincount(arrived({"kind": "poisson", "rate": "10/h"}, days=100) // HOUR, minlength=2400)
    assert abs(counts.mean() - 10) <= 4 * math.sqrt(10 / 2400)
    assert abs(counts.var() / counts.mean() - 1) <= 4 * math.sqrt(2 / 2400)


def test_a_surge_multiplies_the_arrivals_of_its_dates_both_included() -> None:
    surges = {
        "sale": {"from": "2026-03-03", "to": "2026-03-04", "factor": 3},
        "night": {"from": "2026-03-04", "to": "2026-03-04", "factor": 2},
    }
    at = arrived({"kind": "poisson", "rate": "100/h"}, days=4, factor=0.5, surges=surges)
    for count, expected in zip(np.bincount(at // DAY), (1200, 3600, 7200, 1200), strict=True):
        assert abs(count - expected) <= 4 * math.sqrt(expected)


def test_the_factor_of_a_busy_day_may_have_any_distribution() -> None:
    """Two kinds of day: 60 and 360 arrivals; as many of either as the shares say."""
    parts = [{"share": 0.75, "of": 0.25}, {"share": 0.25, "of": 1.5}]
    busy = {"factor": {"kind": "mixture", "parts": parts}}
    counts = np.bincount(arrived({"kind": "poisson", "rate": "10/h"}, days=1000, busy_days=busy) // DAY, minlength=1000)
    busy_ones = counts[counts > 180]
    assert abs(busy_ones.mean() - 360) <= 4 * math.sqrt(360 / 250)
    assert abs(counts[counts <= 180].mean() - 60) <= 4 * math.sqrt(60 / 750)
    assert abs(len(busy_ones) - 250) <= 4 * math.sqrt(250 * 0.75)


def test_members_of_a_finite_source_come_no_more_than_so_many_times() -> None:
    source = {"case_class": "ordinary", "arrivals": {"kind": "finite", "population": 3, "away": "1 us", "times": 7}}
    assert len(drawn(demand={"calls": source}).arrived_at) == 21


def test_busy_days_inflate_the_variance_of_the_counts_and_not_their_mean() -> None:
    """Variance λ + λ²·cv² with λ = 240 a day, cv 0.3: 240 + 5184."""
    at = arrived({"kind": "poisson", "rate": "10/h"}, days=1000, busy_days={"cv": 0.3})
    counts = np.bincount(at // DAY, minlength=1000)
    assert abs(counts.mean() - 240) <= 4 * math.sqrt(5424 / 1000)
    assert abs(counts.var() / 5424 - 1) <= 0.2
    by_hour = np.bincount(at // HOUR, minlength=24000).reshape(1000, 24)
    factor = counts / counts.mean()
    assert (by_hour.sum(axis=1) == counts).all()
    assert abs(np.corrcoef(factor, by_hour[:, 0])[0, 1]) > 0.5  # a busy day is busy all day


def test_batches_come_at_one_tick() -> None:
    at = arrived({"kind": "poisson", "rate": "100/h"}, days=10, batch={"sizes": {1: 0.5, 4: 0.5}})
    _, sizes = np.unique(at, return_counts=True)
    assert set(sizes.tolist()) == {1, 4}
    assert near((sizes == 4).mean(), len(sizes), 0.5)
    assert abs(len(sizes) - 24000) <= 4 * math.sqrt(24000)


# ------------------------------------------------------------------ arrivals: renewal, appointments, trace


def test_renewal_gaps_include_the_first() -> None:
    assert arrived({"kind": "renewal", "gap": "5 h"}).tolist() == [5 * HOUR, 10 * HOUR, 15 * HOUR, 20 * HOUR]


def test_a_factor_speeds_up_a_renewal_process() -> None:
    at = arrived({"kind": "renewal", "gap": "5 h"}, factor=2)
    assert at.tolist() == [int(2.5 * HOUR * k) for k in range(1, 10)]
    sale = {"sale": {"from": "2026-03-03", "to": "2026-03-03", "factor": 4}}
    counts = np.bincount(arrived({"kind": "renewal", "gap": "1 h"}, days=3, surges=sale) // DAY)
    assert counts.tolist() == [23, 96, 24]


def test_renewal_gaps_have_the_distribution_that_is_asked_for() -> None:
    gaps = (
        np.diff(arrived({"kind": "renewal", "gap": {"kind": "gamma", "mean": "10 min", "cv": 0.5}}, days=100)) / MINUTE
    )
    assert abs(gaps.mean() - 10) <= 4 * 5 / math.sqrt(len(gaps))
    assert abs(gaps.std() - 5) <= 0.2
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) <= 4 / math.sqrt(len(gaps))


def test_appointments_come_at_their_times_on_their_days() -> None:
    at = arrived({"kind": "appointments", "days": "mon-tue", "times": ["09:00", "14:30"], "per_slot": 2}, days=8)
    slots = [9 * HOUR, 9 * HOUR, 14 * HOUR + 30 * MINUTE, 14 * HOUR + 30 * MINUTE]
    assert at.tolist() == [day * DAY + slot for day in (0, 1, 7) for slot in slots]


def test_appointments_every_so_often_end_before_the_last_time() -> None:
    at = arrived({"kind": "appointments", "days": "all", "from": "09:00", "to": "10:00", "every": "20 min"})
    assert (at / MINUTE).tolist() == [540, 560, 580]


def test_who_does_not_come_is_no_case_and_the_others_keep_their_entries() -> None:
    slots = {"kind": "appointments", "days": "all", "from": "00:00", "to": "24:00", "every": "1 min"}
    everybody = drawn(demand={"calls": {"case_class": "ordinary", "arrivals": slots}})
    demand = {"calls": {"case_class": "ordinary", "arrivals": {**slots, "no_show": 0.25}}}
    some = drawn(demand=demand)
    assert near(some.n_cases / everybody.n_cases, everybody.n_cases, 0.75)
    came = np.isin(everybody.arrived_at, some.arrived_at)
    assert (everybody.work[came] == some.work).all()


def test_early_or_late_is_normal_around_the_slot() -> None:
    slots = {
        "kind": "appointments",
        "days": "all",
        "times": ["12:00"],
        "per_slot": 200,
        "early_or_late": {"sd": "5 min"},
    }
    late = (arrived(slots, days=20) % DAY - 12 * HOUR) / MINUTE
    assert len(late) == 4000
    assert abs(late.mean()) <= 4 * 5 / math.sqrt(4000)
    assert abs(late.std() - 5) <= 4 * 5 / math.sqrt(2 * 4000)


TRACE = """id,when,kind,via,gives up,minutes,secs
1,2020-01-06 09:00:00,ordinary,phone,10,4,30
2,2020-01-06 08:00:00,vip,app,20,5,31
3,2020-01-05 23:59:59,vip,app,20,6,32
4,2020-01-07 00:00:00,ordinary,app,1.5,7,33
5,2020-01-09 00:00:00,ordinary,app,1.5,8,34
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    (tmp_path / "calls.csv").write_text(TRACE, encoding="utf-8")
    return tmp_path


def trace(**changes: Any) -> dict[str, Any]:
    columns = {
        "arrived_at": "when", "case_class": "kind", "channel": "via", "patience": "gives up",
        "service": {"serve": "minutes"},
    }  # fmt: skip
    arrivals = {
        "kind": "trace",
        "file": "calls.csv",
        "from": "2020-01-06",
        "unit": "min",
        "columns": columns,
        **changes,
    }
    return {
        "clock": {"start": MONDAY, "horizon": "2 d"},
        "case_classes": {"ordinary": {"process": "p"}, "vip": {"process": "p"}},
        "demand": {"calls": {"arrivals": arrivals}},
        "processes": process(serve=task("1 h", {"end": 0.5, "again": 0.5}), again=task("2 h", "serve2"), serve2=task()),
    }


def test_a_trace_is_replayed_with_all_that_the_file_knows(calls: Path) -> None:
    """Rows in order of time, those outside the clock left out; the date `from` is the clock's first."""
    work = drawn(folder=calls, **trace())
    assert work.arrived_at.tolist() == [8 * HOUR, 9 * HOUR, DAY]
    assert [work.classes[k] for k in work.case_class] == ["vip", "ordinary", "ordinary"]
    assert [work.channels[k] for k in work.channel] == ["app", "phone", "app"]
    assert work.patience.tolist() == [20 * MINUTE, 10 * MINUTE, 90 * SECOND]
    assert work.work[work.first_item[:-1]].tolist() == [5 * MINUTE, 4 * MINUTE, 7 * MINUTE]


def test_a_trace_gives_the_times_of_first_visits_and_others_are_drawn(calls: Path) -> None:
    steps = process(serve=task("1 h", {"serve": 0.9, "end": 0.1}))
    work = drawn(folder=calls, **{**trace(), "processes": steps})
    first = work.visit == 0
    assert sorted(work.work[first].tolist()) == [4 * MINUTE, 5 * MINUTE, 7 * MINUTE]
    assert set(work.work[~first].tolist()) == {HOUR}


def test_rows_of_a_trace_keep_their_draws_whatever_else_is_in_the_clock(calls: Path) -> None:
    """Entry i is row i of the file."""
    late = {"start": MONDAY, "horizon": "4 d"}
    exponential = process(serve=task({"kind": "exponential", "mean": "1 h"}))
    columns = {"arrived_at": "when", "case_class": "kind"}
    short = drawn(folder=calls, **{**trace(columns=columns), "processes": exponential})
    long = drawn(folder=calls, **{**trace(columns=columns), "processes": exponential, "clock": late})
    assert (short.n_cases, long.n_cases) == (3, 4)
    assert (short.work == long.work[:3]).all()


def test_a_class_that_only_the_file_knows_is_refused(calls: Path) -> None:
    changes = trace()
    changes["case_classes"] = {"ordinary": {"process": "p"}, "vips": {"process": "p"}}
    with pytest.raises(InputError, match="there is no case class 'vip'; did you mean vips"):
        drawn(folder=calls, **changes)


def test_a_trace_outside_the_clock_is_refused(calls: Path) -> None:
    with pytest.raises(InputError, match="no row arrives within the clock; the file goes from 2020-01-05"):
        drawn(folder=calls, **trace(**{"from": "2021-01-01"}))


# ------------------------------------------------------------------ classes, channels, patience, promises


def test_a_mix_of_classes_has_its_shares() -> None:
    work = drawn(
        case_classes={"a": {"process": "p"}, "b": {"process": "p"}, "c": {"process": "p"}},
        demand={"calls": {"mix": {"c": 0.2, "a": 0.8}, "arrivals": {"kind": "poisson", "rate": "400/h"}}},
    )
    counts = np.bincount(work.case_class, minlength=3)
    assert counts[1] == 0
    assert near(counts[2] / work.n_cases, work.n_cases, 0.2)


def test_sources_are_merged_in_order_of_arrival() -> None:
    poisson = {"kind": "poisson", "rate": "20/h"}
    work = drawn(
        demand={
            "calls": {"case_class": "ordinary", "arrivals": poisson},
            "mails": {"case_class": "ordinary", "arrivals": poisson, "channel": "online"},
        }
    )
    assert (np.diff(work.arrived_at) >= 0).all()
    assert (work.sources, work.channels) == (("calls", "mails"), ("calls", "online"))
    assert (work.source == work.channel).all() and set(work.source.tolist()) == {0, 1}
    assert (work.case == np.repeat(np.arange(work.n_cases), np.diff(work.first_item))).all()


def test_patience_is_that_of_the_class() -> None:
    work = drawn(
        case_classes={
            "a": {"process": "p", "patience": {"kind": "exponential", "mean": "2 min"}},
            "b": {"process": "p"},
            "c": {"process": "p", "patience": "3 min"},
        },
        demand={
            "calls": {"mix": {"a": 0.5, "b": 0.25, "c": 0.25}, "arrivals": {"kind": "poisson", "rate": "400/h"}},
        },
    )
    of = {name: work.patience[work.case_class == number] for number, name in enumerate(work.classes)}
    assert set(of["b"].tolist()) == {-1} and set(of["c"].tolist()) == {3 * MINUTE}
    assert abs(of["a"].mean() / MINUTE - 2) <= 4 * 2 / math.sqrt(len(of["a"]))


def test_promises_fall_due_by_the_calendar_or_by_office_hours() -> None:
    """Arrived on Friday at 16:00 and 18:00; four office hours end on Monday at 11:30 and 12:30."""
    work = drawn(
        clock={"start": "2026-03-06", "horizon": "1 d"},
        calendars={"office": {"days": "mon-fri", "hours": "08:30-17:30"}},
        case_classes={
            "ordinary": {
                "process": "p",
                "promises": {"first_response": {"limit": "2 h"}, "resolution": {"limit": "4 h", "clock": "office"}},
            }
        },
        demand={
            "calls": {
                "case_class": "ordinary",
                "arrivals": {"kind": "appointments", "days": "all", "times": ["16:00", "18:00"]},
            }
        },
    )
    first, last = work.due_at / HOUR
    assert first.tolist() == [18, 20]
    assert last.tolist() == [72 + 11, 72 + 12.5]


def test_a_promise_may_fall_due_long_after_the_clock_has_stopped() -> None:
    work = drawn(
        calendars={"office": {"days": "mon", "hours": "08:00-10:00"}},
        case_classes={
            "ordinary": {"process": "p", "promises": {"resolution": {"limit": "40 h", "clock": "office"}}},
        },
        demand={
            "calls": {"case_class": "ordinary", "arrivals": {"kind": "appointments", "days": "mon", "times": ["07:00"]}}
        },
    )
    assert work.due_at[1].tolist() == [19 * 7 * DAY + 10 * HOUR]


# ------------------------------------------------------------------ steps


def test_work_is_drawn_for_each_visit() -> None:
    work = drawn(processes=process(serve=task({"kind": "exponential", "mean": "5 min"}, {"serve": 0.5, "end": 0.5})))
    assert abs((work.visit == 1).sum() / (work.visit == 0).sum() - 0.5) < 0.2
    assert len(np.unique(work.work)) > 0.99 * work.n_items
    for case, path in enumerate(paths(work)):
        own = slice(work.first_item[case], work.first_item[case + 1])
        assert work.visit[own].tolist() == list(range(len(path)))


def test_what_follows_is_taken_by_its_probability() -> None:
    steps = process(first=task(then={"a": 0.2, "b": 0.3, "end": 0.5}), a=task(), b=task(then="rejected"))
    work = drawn(processes=steps, demand=many())
    routes = [tuple(path) for path in paths(work)]
    n = len(routes)
    assert near(routes.count(("first", "a")) / n, n, 0.2)
    assert near(routes.count(("first", "b")) / n, n, 0.3)
    assert near(routes.count(("first",)) / n, n, 0.5)
    out = work.leaves[by_step(work)["b"]]
    assert set(out.tolist()) == {Leaves.REJECTED}


def many() -> dict[str, Any]:
    return {"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "200/h"}}}


def test_a_way_of_probability_zero_is_never_taken() -> None:
    steps = process(first=task(then={"a": 0.0, "end": 1.0}), a=task())
    assert {tuple(path) for path in paths(drawn(processes=steps, demand=many()))} == {("first",)}


def test_an_approval_approves_returns_and_rejects() -> None:
    steps = process(
        do=task(then="check"),
        check={
            "kind": "approval", "skill": "desk", "time": "1 min", "next": "end",
            "return": 0.3, "return_to": "do", "reject": 0.1,
        },
    )  # fmt: skip
    work = drawn(processes=steps, demand=many())
    check = by_step(work)["check"]
    first = check[work.visit[check] == 0]
    n = len(first)
    assert near(work.returned[first].mean(), n, 0.3)
    assert near((work.leaves[first] == Leaves.REJECTED).mean(), n, 0.1)
    assert near((work.leaves[first] == Leaves.COMPLETED).mean(), n, 0.6)
    assert not work.returned[by_step(work)["do"]].any()
    assert all(path == ["do", "check"] * (len(path) // 2) for path in paths(work))


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_an_approval_returns_a_case_so_many_times_and_then_approves(rounds: int) -> None:
    steps = process(
        do=task(then="check"),
        check={
            "kind": "approval", "skill": "desk", "time": "1 min", "next": "end",
            "return": 1.0, "return_to": "do", "rounds": rounds,
        },
    )  # fmt: skip
    work = drawn(processes=steps)
    assert {tuple(path) for path in paths(work)} == {("do", "check") * (rounds + 1)}
    assert (work.leaves == Leaves.COMPLETED).sum() == work.n_cases


def test_a_hand_over_takes_time_and_comes_back_at_most_so_often() -> None:
    steps = process(
        ask=task(then="push"),
        push={
            "kind": "handoff", "to": "office", "delay": "30 min", "returned": 0.4, "back_to": "ask", "rounds": 2,
            "next": "fix",
        },
        fix=task(),
    )  # fmt: skip
    work = drawn(processes=steps, demand=many())
    push = by_step(work)["push"]
    assert set(work.skill[push].tolist()) == {-1} and set(work.work[push].tolist()) == {30 * MINUTE}
    visits = np.array([path.count("push") for path in paths(work)])
    assert near((visits > 1).mean(), len(visits), 0.4)
    assert near((visits > 2).mean(), len(visits), 0.16)
    assert visits.max() == 3
    assert work.returned.sum() == (visits - 1).sum()
    assert all(path[-1] == "fix" for path in paths(work))


def test_a_delay_needs_nobody() -> None:
    steps = process(wait={"kind": "delay", "time": "1 d", "next": "serve"}, serve=task())
    work = drawn(processes=steps)
    wait = by_step(work)["wait"]
    assert set(work.skill[wait].tolist()) == {-1} and set(work.work[wait].tolist()) == {DAY}


def test_a_share_is_automated_and_takes_its_own_time() -> None:
    steps = process(serve=task("5 min", automated={"share": 0.2, "time": "10 s"}))
    work = drawn(processes=steps, demand=many())
    by_itself = work.skill < 0
    assert near(by_itself.mean(), work.n_items, 0.2)
    assert set(work.work[by_itself].tolist()) == {10 * SECOND}
    assert set(work.work[~by_itself].tolist()) == {5 * MINUTE}


def test_a_dispatch_delay_is_for_people_only() -> None:
    steps = process(serve=task("5 min", automated={"share": 0.2}))
    work = drawn(processes=steps, demand=many(), dispatch={"delay": {"kind": "exponential", "mean": "10 min"}})
    assert not work.hold[work.skill < 0].any()
    held = work.hold[work.skill >= 0] / MINUTE
    assert abs(held.mean() - 10) <= 4 * 10 / math.sqrt(len(held))


def test_a_decision_leaves_nothing_behind_unless_a_case_leaves_with_it() -> None:
    steps = process(
        first={"kind": "decision", "next": {"a": 0.5, "end": 0.5}},
        a=task(then="second"),
        second={"kind": "decision", "next": {"b": 0.5, "end": 0.5}},
        b=task(),
    )
    work = drawn(processes=steps, demand=many())
    assert {tuple(path) for path in paths(work)} == {("first",), ("a",), ("a", "b")}
    assert not work.work[by_step(work)["first"]].any()
    assert (work.leaves > 0).sum() == work.n_cases


def test_decisions_by_class_channel_choice_and_number() -> None:
    steps = process(
        kind={"kind": "decision", "by": "case_class", "next": {"vip": "v"}, "otherwise": "via"},
        via={"kind": "decision", "by": "channel", "next": {"app": "a"}, "otherwise": "what"},
        what={"kind": "decision", "by": "what", "next": {"repair": "r", "advice": "much"}},
        much={"kind": "decision", "by": "amount", "below": {1000: "small", 5000: "middle"}, "otherwise": "large"},
        **{name: task() for name in ("v", "a", "r", "small", "middle", "large")},
    )
    attributes = {
        "what": {"choices": {"repair": 0.4, "advice": 0.6}},
        "amount": {"numbers": {"kind": "uniform", "low": 0, "high": 10000}},
    }
    classes = {
        "ordinary": {"process": "p", "attributes": attributes},
        "vip": {"process": "p", "attributes": attributes},
    }
    poisson = {"kind": "poisson", "rate": "200/h"}
    mix = {"ordinary": 0.5, "vip": 0.5}
    work = drawn(
        processes=steps,
        case_classes=classes,
        demand={"phone": {"mix": mix, "arrivals": poisson}, "app": {"mix": mix, "arrivals": poisson}},
    )
    ends = np.array([path[-1] for path in paths(work)])
    vip, app = work.case_class == 1, work.channel == list(work.channels).index("app")
    assert set(ends[vip]) == {"v"}
    assert set(ends[~vip & app]) == {"a"}
    others = ends[~vip & ~app]
    n = len(others)
    assert near((others == "r").mean(), n, 0.4)
    for name, share in (("small", 0.06), ("middle", 0.24), ("large", 0.3)):
        assert near((others == name).mean(), n, share)


def test_branches_are_linked_to_their_join() -> None:
    steps = process(
        first=task(then="both"),
        both={"kind": "parallel", "branches": ["a", "b"], "join": "joined"},
        a=task(then="a2"),
        a2=task(then="joined"),
        b=task(then="joined"),
        joined={"kind": "join", "next": "last"},
        last=task(),
    )
    work = drawn(processes=steps)
    assert paths(work)[0] == ["first", "a", "b", "a2", "joined", "last"]
    assert work.next_item[:6].tolist() == [FORK, 3, 4, 4, 5, -1]
    assert work.fork_target[:2].tolist() == [1, 2]
    assert work.n_predecessors[:6].tolist() == [1, 1, 1, 1, 2, 1]


def test_a_process_may_begin_with_branches() -> None:
    steps = process(
        both={"kind": "parallel", "branches": ["a", "b"], "join": "joined"},
        a=task(then="joined"),
        b=task(then="joined"),
        joined={"kind": "join", "next": "end"},
    )
    work = drawn(processes=steps)
    assert paths(work)[0] == ["both", "a", "b", "joined"]
    assert work.work[0] == 0 and work.skill[0] == -1 and work.next_item[0] == FORK


def test_an_answer_is_the_first_work_unless_steps_say_so() -> None:
    steps = {"first": task(then="second"), "second": task()}
    work = drawn(processes=process(**steps))
    assert work.steps.responds.tolist() == [1, 0]
    steps["second"]["responds"] = True
    assert drawn(processes=process(**steps)).steps.responds.tolist() == [0, 1]


def test_lots_are_drawn_only_where_a_rule_draws_lots() -> None:
    assert len(drawn().lot) == 0
    for rule in ({"rule": "random"}, {"assignment": "random"}, {"teams": {"desk": {"rule": "random"}}}):
        work = drawn(dispatch=rule)
        assert len(np.unique(work.lot)) == work.n_items
        assert (work.lot >= 0).all()


# ------------------------------------------------------------------ edits


def chain() -> dict[str, Any]:
    exponential = {"kind": "exponential", "mean": "5 min"}
    return process(a=task(exponential, "b"), b=task(exponential, "c"), c=task(exponential))


def edited(**edit: Any) -> tuple[Workload, Workload]:
    """Without and with an edit of the chain a → b → c."""
    edits = {"edit": {"process": "p", **edit}}
    return drawn(processes=chain()), drawn(processes=chain(), edits=edits)


def work_at(work: Workload, step: str) -> np.ndarray:
    return work.work[by_step(work)[step]]


def test_a_merge_keeps_the_draws_of_all_its_steps() -> None:
    before, after = edited(kind="merge", steps=["a", "b"], factor=0.8)
    assert paths(after)[0] == ["a", "c"]
    assert (work_at(after, "a") == np.rint(0.8 * (work_at(before, "a") + work_at(before, "b")))).all()
    assert (work_at(after, "c") == work_at(before, "c")).all()


def test_a_skip_leaves_the_others_as_they_were() -> None:
    before, after = edited(kind="skip", step="b")
    assert paths(after)[0] == ["a", "c"]
    for step in "ac":
        assert (work_at(after, step) == work_at(before, step)).all()


def test_what_is_done_together_keeps_its_draws() -> None:
    before, after = edited(kind="parallel", steps=["a", "b"])
    assert paths(after)[0] == ["edit", "a", "b", "edit_join", "c"]
    for step in "abc":
        assert (work_at(after, step) == work_at(before, step)).all()


def test_an_automated_share_takes_its_cases_out_and_leaves_the_others() -> None:
    before, after = edited(kind="automate", step="b", share=0.4, time="1 s")
    items = by_step(after)["b"]
    by_itself = after.skill[items] < 0
    assert near(by_itself.mean(), len(items), 0.4)
    assert (work_at(after, "b")[~by_itself] == work_at(before, "b")[~by_itself]).all()


# ------------------------------------------------------------------ every workload is sound


def assert_sound(work: Workload) -> None:
    """Items by case, predecessors first, as many of them as is said, one item with which the case leaves."""
    n = work.n_items
    assert (work.case == np.repeat(np.arange(work.n_cases), np.diff(work.first_item))).all()
    assert (np.diff(work.first_item) > 0).all() and (np.diff(work.arrived_at) >= 0).all()
    chained = np.flatnonzero(work.next_item >= 0)
    before = np.concatenate([chained, np.repeat(work.fork_item, np.diff(work.fork_first))])
    after = np.concatenate([work.next_item[chained], work.fork_target])
    assert (before < after).all()
    assert (work.case[before] == work.case[after]).all()
    assert (np.maximum(1, np.bincount(after, minlength=n)) == work.n_predecessors).all()
    assert (np.flatnonzero(np.bincount(after, minlength=n) == 0) == work.first_item[:-1]).all()
    assert ((work.next_item == -1) == (work.leaves > 0)).all()
    assert (np.bincount(work.case[work.leaves > 0], minlength=work.n_cases) == 1).all()
    assert (np.flatnonzero(work.next_item == FORK) == work.fork_item).all()
    assert (work.work >= 0).all() and (work.hold >= 0).all()


@given(processes())
def test_every_process_leaves_a_sound_workload(flow: dict[str, Any]) -> None:
    assert_sound(drawn(processes=flow))


def test_two_processes_and_two_sources_leave_a_sound_workload() -> None:
    poisson = {"kind": "poisson", "rate": "50/h"}
    mix = {"mix": {"a": 0.5, "b": 0.5}, "arrivals": poisson}
    work = drawn(
        case_classes={"a": {"process": "p"}, "b": {"process": "q"}},
        demand={"one": mix, "two": mix},
        processes={
            "p": {"start": "x", "steps": {"x": task(then={"y": 0.5, "end": 0.5}), "y": task()}},
            "q": {"start": "x", "steps": {"x": task("7 min")}},
        },
    )
    assert_sound(work)
    assert set(work.steps.names) == {"p.x", "y", "q.x"}
    assert set(work.work[by_step(work)["q.x"]].tolist()) == {7 * MINUTE}


# ------------------------------------------------------------------ who is there when


def staffed(**changes: Any) -> Plan:
    return prepare.plan(scenario(**{"clock": {"start": MONDAY, "horizon": "1 d"}, **changes}))


def duties(plan: Plan) -> dict[str, list[tuple[float, float]]]:
    """By worker: spans in hours."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in plan.workers}
    for w, a, b in zip(plan.duty_worker, plan.duty_from, plan.duty_to, strict=True):
        found[plan.workers[w]].append((a / HOUR, b / HOUR))
    return found


def breaks(plan: Plan) -> dict[str, list[tuple[float, float, int]]]:
    """By worker: (at, minutes, is it postponed)."""
    found: dict[str, list[tuple[float, float, int]]] = {}
    for w, at, lasts, kind in zip(
        plan.break_worker, plan.break_at, plan.break_lasts, plan.break_postponed, strict=True
    ):
        found.setdefault(plan.workers[w], []).append((at / HOUR, lasts / MINUTE, int(kind)))
    return found


def test_overlapping_shifts_of_a_pool_add_up() -> None:
    plan = staffed(
        shifts={"day": {"days": "mon-fri", "hours": "09:00-17:00"}, "late": {"days": "mon", "hours": "12:00-20:00"}},
        staffing={"desk": {"day": 2, "late": 1}},
    )
    assert duties(plan) == {"desk.day.1": [(9, 17)], "desk.day.2": [(9, 17)], "desk.late.1": [(12, 20)]}


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    """Monday is the clock's first day: what began on Sunday evening is there from tick 0."""
    plan = staffed(
        clock={"start": MONDAY, "horizon": "2 d"},
        shifts={"night": {"days": ["mon", "sun"], "hours": "22:00-06:00"}},
        staffing={"desk": {"night": 1}},
    )
    assert duties(plan) == {"desk.night.1": [(0, 6), (22, 30)]}


def test_duties_that_touch_are_one() -> None:
    plan = staffed(
        clock={"start": MONDAY, "horizon": "3 d"},
        shifts={
            "always": {"days": "mon-tue", "hours": "00:00-24:00"},
            "wed": {"days": "wed", "hours": ["00:00-02:00"]},
        },
        staffing={},
        workers={"li": {"pool": "desk", "shifts": ["always", "wed"]}},
    )
    assert duties(plan) == {"li": [(0, 50)]}


def test_a_profile_says_how_many_are_there_in_each_slot() -> None:
    counts = [0] * 24
    counts[8:12] = [1, 3, 2, 1]
    plan = staffed(
        shifts={"base": {"every": "1 h", "headcount": {"mon-fri": counts}}},
        staffing={"desk": {"base": 1}},
    )
    assert duties(plan) == {"desk.base.1": [(8, 12)], "desk.base.2": [(9, 11)], "desk.base.3": [(9, 10)]}


def test_the_staffing_multiplies_a_profile() -> None:
    counts = [0] * 48
    counts[20:22] = [1, 2]
    plan = staffed(
        shifts={"base": {"every": "30 min", "headcount": {"mon": counts}}},
        staffing={"desk": {"base": 2}},
    )
    there = duties(plan)
    assert sorted(there.values()) == [[(10, 11)], [(10, 11)], [(10.5, 11)], [(10.5, 11)]]


def test_holidays_closed_days_and_make_up_days_have_their_own_shifts() -> None:
    plan = staffed(
        clock={
            "start": "2026-03-02", "horizon": "4 d",
            "exceptions": {"2026-03-03": "holiday", "2026-03-04": "closed", "2026-03-05": "sat"},
        },
        shifts={
            "week": {"days": "mon-fri", "hours": "09:00-17:00"},
            "rest": {"days": ["holiday"], "hours": "10:00-12:00"},
            "sat": {"days": "sat", "hours": "10:00-11:00"},
        },
        staffing={"desk": {"week": 1, "rest": 1, "sat": 1}},
    )  # fmt: skip
    assert duties(plan) == {"desk.week.1": [(9, 17)], "desk.rest.1": [(34, 36)], "desk.sat.1": [(82, 83)]}


def test_breaks_in_waves() -> None:
    noon = {"at": "12:00", "lasts": "30 min", "waves": 2}
    tea = {"at": "15:00", "lasts": "10 min", "rule": "pause"}
    plan = staffed(
        shifts={"day": {"days": "mon-fri", "hours": "09:00-17:00", "breaks": [noon, tea]}},
        staffing={"desk": {"day": 3}},
    )
    assert breaks(plan) == {
        "desk.day.1": [(12, 30, 1), (15, 10, 0)],
        "desk.day.2": [(12.5, 30, 1), (15, 10, 0)],
        "desk.day.3": [(12, 30, 1), (15, 10, 0)],
    }


def test_a_break_after_midnight_belongs_to_the_night_shift() -> None:
    plan = staffed(
        clock={"start": MONDAY, "horizon": "2 d"},
        shifts={
            "night": {"days": "mon", "hours": "22:00-06:00", "breaks": [{"at": "02:00", "lasts": "45 min"}]},
        },
        staffing={"desk": {"night": 1}},
    )
    assert breaks(plan) == {"desk.night.1": [(26, 45, 1)]}


def test_the_clock_may_start_within_a_shift() -> None:
    plan = staffed(
        clock={"start": "2026-03-02 11:30", "horizon": "1 d"},
        shifts={"day": {"days": "mon", "hours": "09:00-17:00", "breaks": [{"at": "12:00", "lasts": "30 min"}]}},
        staffing={"desk": {"day": 1}},
    )
    assert duties(plan) == {"desk.day.1": [(0, 5.5)]}
    assert breaks(plan) == {"desk.day.1": [(0.5, 30, 1)]}


def test_a_break_that_has_begun_before_the_clock_goes_on() -> None:
    plan = staffed(
        clock={"start": "2026-03-02 12:10", "horizon": "4 h"},
        shifts={
            "day": {
                "days": "mon",
                "hours": "09:00-17:00",
                "breaks": [{"at": "11:00", "lasts": "1 h"}, {"at": "12:00", "lasts": "30 min", "rule": "pause"}],
            }
        },
        staffing={"desk": {"day": 1}},
    )
    assert breaks(plan) == {"desk.day.1": [(0, 20, 0)]}


def test_paces_of_named_workers_come_on_top_of_the_pools() -> None:
    plan = staffed(
        pools={"desk": {"department": "office", "skills": {"a": {"pace": 80}, "b": {"preference": 2}}}},
        workers={
            "li": {"pool": "desk", "shifts": ["always"], "pace": 150},
            "wei": {"pool": "desk", "shifts": ["always"], "pace": {"b": 55}},
        },
        processes=process(serve={**task(), "skill": "a"}),
    )
    assert plan.workers == ("desk.always.1", "li", "wei")
    assert plan.skills == ("a", "b")
    assert plan.pace.tolist() == [[80, 100], [120, 150], [80, 55]]
    assert plan.preference.tolist() == [[1, 2]]


def test_rules_of_pools_and_skills_are_in_the_plan() -> None:
    plan = staffed(
        departments={"office": {}, "back": {}},
        pools={
            "desk": {"department": "office", "end_of_shift": "suspend", "wage": 60, "overtime": 2},
            "sup": {"department": "back", "skills": ["sup", "desk"]},
        },
        staffing={"desk": {"always": 1}, "sup": {"always": 1}},
        dispatch={
            "assignment": "fixed",
            "escalate": {"after": "30 min", "to": "sup"},
            "teams": {"sup": {"assignment": "random"}},
        },
    )
    assert plan.skills == ("desk", "sup")
    assert plan.assignment == ("fixed", "random")
    assert plan.escalate_after.tolist() == [30 * MINUTE, -1]
    assert plan.escalate_to.tolist() == [1, -1]
    assert plan.pool_end_of_shift.tolist() == [1, 0]
    assert (plan.pool_wage.tolist(), plan.pool_overtime.tolist()) == ([60, 0], [2, 1.5])
    assert plan.preference.tolist() == [[1, -1], [1, 1]]
    assert plan.department_of_skill().tolist() == [0, 1]


@given(
    first=st.integers(0, 47),
    length=st.integers(1, 47),
    start=st.integers(0, 47),
    day=st.sampled_from(["mon", "tue", "sun", "sat"]),
)
def test_a_shift_is_where_a_calendar_would_put_it(first: int, length: int, start: int, day: str) -> None:
    """Half hours on duty in ten days, counted one by one."""
    begin = dt.datetime(2026, 3, 2) + dt.timedelta(minutes=30 * start)
    end = (first + length - 1) % 48 + 1
    hours = f"{first // 2:02d}:{first % 2 * 3}0-{end // 2:02d}:{end % 2 * 3}0"
    plan = staffed(
        clock={"start": begin.isoformat(sep=" "), "horizon": "10 d"},
        shifts={"s": {"days": [day], "hours": hours}},
        staffing={"desk": {"s": 1}},
    )
    half = HOUR // 2
    there = set()
    for a, b in zip(plan.duty_from, plan.duty_to, strict=True):
        there |= set(range(a // half, min(b // half, 480)))
    wanted = set()
    for k in range(480):
        now = begin + dt.timedelta(minutes=30 * k)
        for back in (0, 1):
            date = now.date() - dt.timedelta(days=back)
            slot = (now.hour * 60 + now.minute) // 30 + 48 * back
            if date.strftime("%a").lower() == day and first <= slot < first + length:
                wanted.add(k)
    assert there == wanted
