"""The experiment layer, mostly with a made-up service: pairing, isolation of failures, order, precision, verdicts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from servsim import experiment
from servsim.experiment import Comparison, Outcome, compare, run_one
from servsim.kpis.series import SERIES
from servsim.model import Scenario, Settings
from servsim.model.base import Label
from servsim.model.errors import InputError

MEAN, PROMISE, COST = "first_response_mean", "promise_first_response", "cost_per_case"


@dataclass(frozen=True)
class Service:
    """Stands in for a scenario: how much it adds to the wait of everyone."""

    name: str
    adds: float = 0.0
    noise: float = 0.0
    breaks_at: int = -1
    facts: Mapping[str, Any] = field(default_factory=dict)
    scorecard: Any = None
    case_classes: Mapping[str, Any] = field(default_factory=dict)
    targets: Mapping[str, Any] = field(default_factory=dict)
    label: Label = field(default_factory=Label)

    def used_processes(self) -> tuple[str, ...]:
        return ()


def made_up(service: Any, seed: int, replication: int) -> Outcome:
    """Waits that depend on the replication (the common luck) far more than on the service."""
    if replication == service.breaks_at:
        return Outcome(service.name, replication, failure="ZeroDivisionError: division by zero (queues.py:12)")
    luck = np.random.default_rng([seed, replication])
    wait = 60 + 20 * luck.standard_normal() + service.adds
    own = np.random.default_rng([seed, replication, *service.name.encode()]).standard_normal()
    rows = {
        (MEAN, "all"): wait + service.noise * own,
        (MEAN, "class=urgent"): wait / 2,
        (PROMISE, "all"): 0.5 - service.adds / 100,
        (COST, "all"): float("nan") if replication == 1 else 10.0,
    }
    if replication == 2:
        rows[MEAN, "class=rare"] = 5.0
    series = {"waiting_by_hour": pd.DataFrame({"hour": [8, 9], "value": [wait, np.nan]})}
    return Outcome(
        service.name, replication, tuple(rows), np.array(list(rows.values())), series, f"{seed}/{replication}"
    )


@pytest.fixture(autouse=True)
def _a_made_up_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "_replicate", made_up)


def settings(**changes: Any) -> Settings:
    plain: dict[str, Any] = {"seed": 1, "replications": 8, "headline": [MEAN, PROMISE], "compute": {"jobs": 1}}
    return Settings.model_validate(plain | changes)


def ran(*services: Service, **changes: Any) -> Comparison:
    return compare(services, settings(**changes))  # type: ignore[arg-type]


def row(frame: pd.DataFrame, scenario: str, kpi: str = MEAN, group: str = "all") -> Any:
    found = frame[(frame["scenario"] == scenario) & (frame["kpi"] == kpi) & (frame["group"] == group)]
    assert len(found) == 1
    return next(found.itertuples())


FRAMES = ["kpis", "summary", "differences", "failures"]
BASE, QUICK = Service("case/base"), Service("case/quick", adds=-3)


def test_differences_are_taken_replication_by_replication() -> None:
    got = ran(BASE, QUICK)
    assert (got.baseline, got.scenarios, got.n) == ("case/base", ("case/base", "case/quick"), 8)
    mean, difference = row(got.summary, "case/quick"), row(got.differences, "case/quick")
    assert mean.upper - mean.lower > 10  # the luck of the replications …
    assert difference.upper - difference.lower == pytest.approx(0)  # … is common to both scenarios
    assert (difference.difference, difference.verdict) == (pytest.approx(-3), "better")
    assert row(got.differences, "case/quick", PROMISE).verdict == "better"
    assert row(got.differences, "case/quick", COST).verdict == "no difference shown"


def test_a_scenario_compared_with_itself_shows_no_difference() -> None:
    got = ran(BASE, Service("case/again")).differences
    assert (got["difference"] == 0).all() and (got["p_adjusted"].dropna() == 1).all()
    assert set(got["verdict"]) == {"no difference shown", ""}  # "": one pair only (class=rare)


def test_the_frames_have_the_columns_that_other_tools_read() -> None:
    got = ran(BASE, QUICK)
    assert list(got.kpis) == ["scenario", "replication", "kpi", "group", "value"]
    assert list(got.summary) == ["scenario", "kpi", "group", "mean", "lower", "upper", "n"]
    assert list(got.differences) == [
        *("scenario", "kpi", "group", "difference", "lower", "upper", "p_adjusted", "verdict")
    ]
    assert list(got.failures) == ["scenario", "replication", "seed", "message"] and got.failures.empty
    assert got.digests[("case/quick", 7)] == "1/7" and len(got.digests) == 16


def test_rows_stand_in_the_order_of_scenarios_replications_and_figures() -> None:
    got = ran(BASE, QUICK, replications=3)
    first = got.kpis.iloc[:4]
    assert list(zip(first["kpi"], first["group"], strict=True)) == [
        *((MEAN, "all"), (MEAN, "class=urgent"), (PROMISE, "all"), (COST, "all"))
    ]
    assert got.kpis["scenario"].drop_duplicates().tolist() == ["case/base", "case/quick"]
    assert got.summary["group"].iloc[:3].tolist() == ["all", "class=urgent", "class=rare"]


def test_a_figure_without_an_answer_stays_in_the_table_and_is_left_out_of_the_mean() -> None:
    got = ran(BASE)
    assert got.kpis["value"].isna().sum() == 1
    assert row(got.summary, "case/base", COST).n == 7
    rare = row(got.summary, "case/base", MEAN, "class=rare")
    assert (rare.mean, rare.n) == (5.0, 1) and np.isnan(rare.lower)


def test_one_failed_replication_is_told_and_the_others_go_on() -> None:
    got = ran(BASE, Service("case/quick", adds=-3, breaks_at=4), seed=9)
    assert got.failures.to_dict("records") == [
        {
            "scenario": "case/quick",
            "replication": 4,
            "seed": 9,
            "message": "ZeroDivisionError: division by zero (queues.py:12)",
        }
    ]
    assert row(got.summary, "case/quick").n == 7 and row(got.summary, "case/base").n == 8
    assert row(got.differences, "case/quick").difference == pytest.approx(-3)  # pairs only; the means differ by more
    assert ("case/quick", 4) not in got.digests


def test_all_replications_failing_leaves_empty_tables_and_all_messages() -> None:
    got = ran(Service("case/broken", breaks_at=0), replications=1)
    assert got.kpis.empty and got.summary.empty and got.differences.empty and len(got.failures) == 1


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second, other = ran(BASE, QUICK), ran(BASE, QUICK), ran(BASE, QUICK, seed=2)
    for name in FRAMES:
        assert getattr(first, name).to_csv() == getattr(second, name).to_csv()
    assert first.kpis.to_csv() != other.kpis.to_csv()


def test_the_number_of_cores_changes_nothing() -> None:
    one, two = (ran(BASE, QUICK, Service("case/slow", adds=2, breaks_at=3), compute={"jobs": j}) for j in (1, 2))
    for name in FRAMES:
        assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=True)
        assert getattr(one, name).to_csv() == getattr(two, name).to_csv()
    assert dict(one.digests) == dict(two.digests)
    assert_frame_equal(one.series["waiting_by_hour"], two.series["waiting_by_hour"], check_exact=True)


def test_the_order_of_completion_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    want = ran(BASE, QUICK)
    monkeypatch.setattr(
        experiment, "_outcomes", lambda tasks, workers: (made_up(*task) for task in reversed(list(tasks)))
    )
    got = ran(BASE, QUICK)
    for name in FRAMES:
        assert_frame_equal(getattr(got, name), getattr(want, name), check_exact=True)


def test_a_backend_that_cannot_hand_over_one_by_one_is_used_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import joblib

    def parallel(n_jobs: int, return_as: str = "list") -> Any:
        if return_as != "list":
            raise ValueError("Backend ray does not support return_as=generator_unordered")
        return lambda tasks: [function(*args) for function, args, _ in tasks]

    monkeypatch.setattr(joblib, "Parallel", parallel)
    assert_frame_equal(ran(BASE, QUICK, compute={"jobs": 2}).kpis, ran(BASE, QUICK).kpis)


def kills_its_worker(service: Any, seed: int, replication: int) -> Outcome:
    if replication == service.breaks_at:
        os._exit(1)
    return made_up(service, seed, replication)


def test_a_replication_that_kills_its_worker_does_not_lose_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "_replicate", kills_its_worker)
    got = ran(BASE, Service("case/greedy", breaks_at=2), replications=4, compute={"jobs": 2})
    assert got.failures[["scenario", "replication"]].values.tolist() == [["case/greedy", 2]]
    assert "the worker process died" in got.failures["message"][0] and len(got.digests) == 7


def test_progress_is_told_after_every_replication() -> None:
    seen: list[tuple[int, int]] = []
    compare([BASE, QUICK], settings(replications=2), progress=lambda done, planned: seen.append((done, planned)))  # type: ignore[list-item]
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_ctrl_c_is_not_a_failed_replication(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(run: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.undo()
    monkeypatch.setattr(experiment, "simulate", lambda scenario, seed, replication: None)
    monkeypatch.setattr(experiment, "table", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ran(BASE)


def test_a_replication_that_raises_becomes_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(experiment, "simulate", lambda scenario, seed, replication: SimpleNamespace(digest="d"))
    monkeypatch.setattr(experiment, "table", lambda run: 1 // 0)
    outcome = experiment._replicate(BASE, 1, 0)  # type: ignore[arg-type]
    assert outcome.failure.startswith("ZeroDivisionError: integer division or modulo by zero (test_experiment.py:")
    assert "\n" not in outcome.failure and not outcome.labels


def test_bad_input_is_not_a_failed_replication(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(scenario: Any, seed: int, replication: int) -> Any:
        raise InputError("calls.csv: no column 'arrived_at'")

    monkeypatch.undo()
    monkeypatch.setattr(experiment, "simulate", refuse)
    with pytest.raises(InputError, match=r"calls\.csv"):
        ran(BASE)


def test_p_values_are_adjusted_over_the_scenarios() -> None:
    rivals = [Service(f"case/{name}", adds=-2, noise=3) for name in "abc"]
    alone = [row(ran(BASE, rival).differences, rival.name).p_adjusted for rival in rivals]
    together = [row(ran(BASE, *rivals).differences, rival.name).p_adjusted for rival in rivals]
    order = np.argsort(alone)
    want = np.maximum.accumulate(np.array([3, 2, 1]) * np.array(alone)[order])
    assert np.array(together)[order] == pytest.approx(np.minimum(want, 1))


def test_groups_of_one_kind_are_a_family_of_their_own() -> None:
    got = ran(BASE, Service("case/noisy", adds=-2, noise=3))
    families = experiment._Cube.of(
        ("a",), 1, [Outcome("a", 0, ((MEAN, "all"), (MEAN, "hour=08"), (MEAN, "hour=09"), (COST, "all")), np.zeros(4))]
    )._families()
    assert [family.tolist() for family in families] == [[0], [1, 2], [3]]
    assert row(got.differences, "case/noisy").p_adjusted < 1


def test_a_note_explains_an_interval_without_zero_and_without_a_verdict() -> None:
    found = []
    for seed in range(30):
        got = ran(BASE, *(Service(f"case/{i}", adds=-1, noise=2) for i in range(4)), seed=seed, headline=[MEAN])
        headline = got.differences[(got.differences["kpi"] == MEAN) & (got.differences["group"] == "all")]
        puzzling = headline[(headline["upper"] < 0) & (headline["verdict"] == "no difference shown")]
        notes = [note for note in got.notes if "may well be luck" in note]
        assert len(notes) == len(puzzling)
        found += notes
    assert found


def test_auto_adds_replications_until_the_headline_is_precise_enough() -> None:
    got = ran(BASE, QUICK, replications="auto", precision={"half_width": 0.1, "at_most": 200}, headline=[MEAN])
    assert got.n % 10 == 0 and 20 <= got.n < 200
    for scenario in got.scenarios:
        e = row(got.summary, scenario)
        assert (e.upper - e.lower) / 2 <= 0.1 * e.mean and e.n == got.n
    fewer = ran(BASE, QUICK, replications=got.n - 10).summary
    assert any((e.upper - e.lower) / 2 > 0.1 * e.mean for e in (row(fewer, s) for s in got.scenarios))
    assert "as precise as asked" in got.notes[0] and "case/quick" in got.notes[0]


def test_auto_stops_at_the_most_allowed_and_says_which_figure_is_too_wide() -> None:
    got = ran(BASE, QUICK, replications="auto", precision={"half_width": 0.001, "at_most": 25}, headline=[MEAN])
    assert got.n == 25 and "not reached" in got.notes[0] and "case/quick" in got.notes[0]


def test_auto_gives_what_the_same_fixed_number_gives() -> None:
    precision = {"half_width": 0.1, "at_most": 200}
    auto = ran(BASE, QUICK, replications="auto", precision=precision, headline=[MEAN])
    assert auto.kpis.to_csv() == ran(BASE, QUICK, replications=auto.n).kpis.to_csv()


def test_auto_asks_points_of_a_share_and_a_part_of_the_mean_of_all_else() -> None:
    rows = ((MEAN, "all"), (PROMISE, "all"))
    good = [Outcome("a", r, rows, np.array([100.0 + r, 0.01 + 0.01 * r])) for r in range(2)]
    asked = settings(precision={"half_width": 0.1, "at_most": 20})
    widest = experiment._widest(good, ("a",), 2, asked)
    assert widest is not None and widest.kpi == PROMISE
    assert widest.ratio == pytest.approx(12.706 * 0.005 / 0.1, rel=1e-3)  # not / 0.015


def test_headline_figures_without_an_answer_do_not_keep_auto_going() -> None:
    got = ran(Service("case/base"), replications="auto", headline=["abandonment_rate"])
    assert got.n == 10 and "no answer" in " ".join(got.notes).lower()


def test_one_replication_has_no_verdict_and_a_note() -> None:
    got = ran(BASE, QUICK, replications=1)
    assert set(got.differences["verdict"]) == {""} and any("One replication" in note for note in got.notes)


def test_notes_speak_the_language_of_the_settings() -> None:
    assert any("一次重复" in note for note in ran(BASE, replications=1, language="zh").notes)


def test_notes_call_scenarios_by_their_labels() -> None:
    labelled = Service("case/base", label=Label(en="Today", zh="现状"))
    headline = ["abandonment_rate"]
    assert "“现状”没有“放弃率”的结果。" in ran(labelled, language="zh", headline=headline).notes
    assert any("“Today”" in note for note in ran(labelled, headline=headline).notes)


def test_the_series_are_means_over_replications() -> None:
    got = ran(BASE, QUICK)
    waiting = got.series["waiting_by_hour"]
    assert list(waiting) == ["scenario", "hour", "value", "lower", "upper"] and len(waiting) == 4
    found = row(got.summary, "case/base")
    assert waiting.loc[0, ["value", "lower", "upper"]].tolist() == pytest.approx([found.mean, found.lower, found.upper])
    assert np.isnan(waiting["value"][1])


def test_one_scenario_alone_has_a_summary_and_no_differences() -> None:
    got = run_one(BASE, settings())  # type: ignore[arg-type]
    assert len(got.summary) == 5 and got.differences.empty


def test_a_fact_about_an_unknown_kpi_is_refused() -> None:
    wrong = Service("case/wrong", facts={"late": SimpleNamespace(kpi="late_frist_response")})
    with pytest.raises(InputError, match=r"facts.late.kpi: there is no KPI .* did you mean late_first_response"):
        ran(wrong)


def test_bad_questions_are_refused_before_anything_runs() -> None:
    with pytest.raises(InputError, match="two scenarios are called 'case/base'"):
        ran(BASE, BASE)
    with pytest.raises(InputError, match="at least one scenario"):
        ran()
    with pytest.raises(InputError, match=f"did you mean {MEAN}"):
        ran(BASE, headline=["first_respons_mean"])


def test_a_large_experiment_is_summed_up_quickly() -> None:
    import time

    rows = tuple((f"kpi{i // 30}", f"hour={i % 30}" if i % 30 else "all") for i in range(600))
    rng = np.random.default_rng(1)
    names = tuple(f"s{i}" for i in range(10))
    outcomes = [Outcome(s, r, rows, rng.standard_normal(600)) for s in names for r in range(50)]
    began = time.process_time()
    cube = experiment._Cube.of(names, 50, outcomes)
    assert len(cube.kpis()) == 300_000 and len(cube.summary()) == 6_000 and len(cube.differences()[0]) == 5_400
    assert time.process_time() - began < 1  # 0.1 s, pandas already imported


# ---------------------------------------------------------------------- the real thing


def desk(name: str, clerks: int = 2) -> Scenario:
    steps = {
        "answer": {"kind": "task", "skill": "desk", "time": {"kind": "exponential", "mean": "10 min"}, "next": "end"}
    }
    return Scenario.model_validate(
        {
            "name": name,
            "clock": {"start": "2026-03-02", "horizon": "2 d"},
            "departments": {"service": {}},
            "pools": {"desk": {"department": "service", "wage": 60}},
            "shifts": {"day": {"days": "all", "hours": "00:00-24:00"}},
            "staffing": {"desk": {"day": clerks}},
            "case_classes": {"fault": {"process": "fault"}},
            "demand": {"phone": {"case_class": "fault", "arrivals": {"kind": "poisson", "rate": "11/h"}}},
            "processes": {"fault": {"start": "answer", "steps": steps}},
        }
    )


@pytest.fixture
def _the_real_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "_replicate", REPLICATE)


REPLICATE = experiment._replicate


@pytest.mark.usefixtures("_the_real_thing")
def test_simulated_scenarios_are_compared_the_same_way_on_one_core_and_on_two() -> None:
    scenarios = [desk("desk/base"), desk("desk/again"), desk("desk/three", clerks=3)]
    one, two = (compare(scenarios, settings(replications=6, compute={"jobs": jobs})) for jobs in (1, 2))
    for name in FRAMES:
        assert getattr(one, name).to_csv() == getattr(two, name).to_csv()
    assert dict(one.digests) == dict(two.digests) and one.failures.empty
    again = one.differences[one.differences["scenario"] == "desk/again"]
    assert (again["difference"] == 0).all() and set(again["verdict"]) <= {"no difference shown", ""}
    assert row(one.differences, "desk/three").verdict == "better"
    assert row(one.differences, "desk/three", COST).verdict == "worse"
    assert set(one.series) == set(SERIES) == set(two.series)
    for name in SERIES:
        assert_frame_equal(one.series[name], two.series[name], check_exact=True)
