"""The fault_repair case study: the reported figures come out, measures are short diffs, the documents are true."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

import servsim
from servsim import statistics
from servsim.quantities import HOUR, MINUTE

ROOT = Path(__file__).parents[1]
STUDY = ROOT / "scenarios" / "fault_repair"
PAGES = [ROOT / "docs" / "cases" / name for name in ("fault_repair.md", "fault_repair.zh.md")]
SINGLE = ("auto_priority", "escalate_30", "reserve_10", "roster_forecast", "peak_30")
TOGETHER = ("same_hours", "all_together")
VARIANTS = (*SINGLE, *TOGETHER)
TEXTS = {"name", "label", "question", "assumptions", "defaults"}


def load(variant: str, *overrides: str) -> servsim.Scenario:
    return servsim.load(f"fault_repair/{variant}", overrides=list(overrides), project=ROOT)


@pytest.fixture(scope="module")
def causes() -> ModuleType:
    """The script scenarios/fault_repair/causes.py."""
    spec = importlib.util.spec_from_file_location("causes", STUDY / "causes.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def runs() -> list[servsim.Run]:
    """The baseline, eight times."""
    scenario = load("baseline")
    return [servsim.simulate(scenario, seed=1, replication=r) for r in range(8)]


@pytest.fixture(scope="module")
def comparison() -> servsim.Comparison:
    """Every scenario of the study, eight times."""
    return servsim.compare([load(v) for v in ("baseline", *VARIANTS)], replications=8, seed=1, compute={"jobs": 1})


def kept(comparison: servsim.Comparison, kpi: str = "promise_first_response") -> pd.Series:
    """Mean of a KPI over all cases, by variant."""
    rows = comparison.summary.query("kpi == @kpi and group == 'all'")
    return rows.set_index(rows.scenario.str.removeprefix("fault_repair/"))["mean"]


# ------------------------------------------------------------------ the baseline is the organisation that was reported
def test_the_baseline_reproduces_the_reported_facts_within_their_tolerance(runs: list[servsim.Run]) -> None:
    facts = load("baseline").facts
    assert set(facts) == {"late", "nobody_on_shift", "dispatch_delay"}
    for fact in facts.values():
        figures = [run.kpis().set_index(["kpi", "group"]).value[fact.kpi, fact.group] for run in runs]
        simulated = statistics.mean(np.array(figures))
        assert simulated.mean == pytest.approx(fact.value, abs=fact.tolerance)


def test_late_cases_have_the_reported_causes(runs: list[servsim.Run], causes: ModuleType) -> None:
    shares = pd.DataFrame([causes.figures(run) for run in runs]).mean()
    assert shares["nobody on shift"] == pytest.approx(0.30, abs=0.03)
    assert shares["dispatch delay"] == pytest.approx(0.20, abs=0.03)
    assert shares[list(causes.CAUSES)].sum() == pytest.approx(1)


def test_the_reported_case_is_an_ordinary_one(runs: list[servsim.Run], causes: ModuleType) -> None:
    shares = pd.DataFrame([causes.figures(run) for run in runs]).mean()
    assert 0.25 < shares["pushed"] < 0.50 and 0.20 < shares["8 h"] < 0.50
    case = causes.most_like_the_example(runs[0])
    for page in PAGES:
        assert f"case={case}\n" in page.read_text("utf-8")


def test_the_parts_of_a_wait_add_up_to_it(runs: list[servsim.Run], causes: ModuleType) -> None:
    waits = causes.waits(runs[0])
    parts = waits[list(causes.CAUSES)]
    assert (parts.to_numpy() > -1e-6).all()
    assert np.allclose(parts.sum(axis=1), waits.wait)
    late = runs[0].kpis().set_index(["kpi", "group"]).value["late_first_response", "all"]
    assert (waits.wait > waits.limit).mean() == pytest.approx(late)


def test_nobody_is_on_shift_before_the_first_comes_and_between_shifts(causes: ModuleType) -> None:
    plan = SimpleNamespace(
        skills=("desk", "repair"),
        preference=np.array([[1, -1], [-1, 1]]),
        worker_pool=np.array([0, 0, 1]),
        duty_worker=np.array([0, 1, 2]),
        duty_from=np.array([8, 10, 0]) * HOUR,
        duty_to=np.array([11, 12, 24]) * HOUR,
    )
    at = np.array([7.0, 9, 11.5, 13]) * 60
    assert causes.manned_until(SimpleNamespace(plan=plan), "desk", at).tolist() == [0, 60, 210, 240]


# ------------------------------------------------------------------ scenarios
def test_every_scenario_file_is_one_of_those_told_about() -> None:
    assert {file.stem for file in STUDY.glob("*.yaml")} == {"baseline", *VARIANTS}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_a_short_diff(variant: str) -> None:
    written = yaml.safe_load((STUDY / f"{variant}.yaml").read_text("utf-8"))
    assert set(written) - TEXTS <= {"shifts", "staffing", "dispatch", "pools"}
    assert set(written.get("staffing", {})) | set(written.get("pools", {})) <= {"desk"}
    assert len((STUDY / f"{variant}.yaml").read_text("utf-8").splitlines()) <= 32


@pytest.mark.parametrize("variant", ["baseline", *VARIANTS])
def test_everything_that_people_read_is_in_both_languages(variant: str) -> None:
    scenario = load(variant)
    texts = [scenario.label, scenario.question, *(fact.label for fact in scenario.facts.values())]
    for assumption in scenario.assumptions.values():
        texts += [assumption.label, assumption.why]
        assert set(assumption.value) == {"en", "zh"}
    texts += [text for one in scenario.not_modelled.values() for text in (one.label, one.why)]
    texts += [target.label for target in scenario.targets.values()]
    parts = (scenario.departments, scenario.pools, scenario.shifts, scenario.case_classes, scenario.demand)
    texts += [part.label for group in parts for part in group.values()]
    assert all(text.en and text.zh for text in texts)


def test_a_forecast_roster_has_no_more_hours_than_today() -> None:
    hours = [
        servsim.simulate(load(variant)).kpis().set_index(["kpi", "group"]).value["rostered_hours", "pool=desk"]
        for variant in ("baseline", "roster_forecast")
    ]
    assert 0.99 * hours[0] < hours[1] <= hours[0]


def test_the_peak_shift_is_30_and_the_reserve_10_per_cent_of_ordinary_hours() -> None:
    ordinary = sum(load("baseline").staffing["desk"][shift] for shift in ("early", "day"))
    assert load("peak_30").staffing["desk"]["peak"] == round(0.3 * ordinary)
    reserve = load("reserve_10").pools["desk"].reserve
    assert reserve is not None and reserve.headcount == round(0.1 * ordinary)


def test_the_reserve_comes_in_the_hours_of_today_and_is_paid_when_it_is_there(runs: list[servsim.Run]) -> None:
    run = servsim.simulate(load("reserve_10"), seed=1)
    kpis, today = (one.kpis().set_index(["kpi", "group"]).value for one in (run, runs[0]))
    minutes = (run.log.reserve_from // MINUTE) % (24 * 60)
    assert len(minutes) > 20
    assert (minutes >= 8.5 * 60).all() and (minutes < 19 * 60).all()
    paid = kpis["rostered_hours", "pool=desk"] - today["rostered_hours", "pool=desk"]
    assert paid == pytest.approx(kpis["reserve_hours", "all"])
    assert 100 < paid < 28 * 10.5


def test_headcounts_can_be_set_by_the_names_of_pool_and_shift() -> None:
    assert load("peak_30", "staffing.desk.day=12").staffing["desk"]["day"] == 12


# ------------------------------------------------------------------ what the documents say
def test_every_scenario_serves_the_same_cases(comparison: servsim.Comparison) -> None:
    arrived = [servsim.simulate(load(v)).workload.arrived_at for v in ("baseline", "all_together")]
    assert np.array_equal(*arrived)
    assert comparison.failures.empty


def test_every_measure_helps_and_none_alone_reaches_90_per_cent(comparison: servsim.Comparison) -> None:
    rows = comparison.differences.query("kpi == 'promise_first_response' and group == 'all'")
    assert (rows.verdict == "better").all()
    share = kept(comparison)
    assert share[list(SINGLE)].max() < 0.75
    assert share[list(TOGETHER)].min() > 0.90


def test_more_staff_adds_little_to_the_measures_without(comparison: servsim.Comparison) -> None:
    share, cost = kept(comparison), kept(comparison, "cost_total")
    assert 0 < share["all_together"] - share["same_hours"] < 0.02
    assert cost["same_hours"] < cost["baseline"] < cost["reserve_10"] < cost["all_together"] < cost["peak_30"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_table_of_the_documents_is_what_comes_out(page: Path, comparison: servsim.Comparison) -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*?\| ([\d.]+) % \|", page.read_text("utf-8"), re.MULTILINE)
    assert {name for name, _ in rows} == {"baseline", *VARIANTS}
    share = kept(comparison)
    for name, said in rows:
        assert share[name] == pytest.approx(float(said) / 100, abs=0.03)
    order = [name for name, _ in rows]
    assert list(share[order].sort_values().index) == order


def test_cases_that_only_supervisors_may_take_wait_for_days(comparison: servsim.Comparison) -> None:
    alone = servsim.simulate(load("escalate_30", "~pools.desk.skills.overdue")).kpis().set_index(["kpi", "group"]).value
    assert alone["promise_first_response", "all"] > kept(comparison)["escalate_30"] + 0.1
    assert alone["first_response_mean", "all"] > 3 * kept(comparison, "first_response_mean")["baseline"]
