"""Values that reproduce facts: found where the truth is known, and said to be open or impossible where it is so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from servsim import experiment
from servsim.cli.asking import Asked, all_loaded
from servsim.cli.varying import settings_of_all
from servsim.kriging import curve
from servsim.project import find
from servsim.tuning import NOT_PINNED, PINNED, Ranges, Tuning, fewest, tune

if TYPE_CHECKING:
    from helpers_project import TemporaryProject

pytest_plugins = ["helpers_project"]

Model = Callable[[Any], list[float]]


def tuned(
    model: Model, facts: list[tuple[float, float]], k: int, low: float = 0.7, high: float = 1.4, noise: float = 0.0
) -> Tuning:
    """`model(factors)` → what comes out for each fact; `noise`: of a replication, the same at all points."""
    names = tuple("abcdef"[:k])
    reported, tolerance = np.array(facts).T
    called = tuple(f"fact{i}" for i in range(len(facts)))
    ranges = Ranges(names, np.full(k, low), np.full(k, high), called, reported, tolerance)

    def run(factors: Any, replications: int) -> Any:
        chance = np.random.default_rng(5).normal(0, noise, (len(facts), replications))
        values = np.array([model(row) for row in factors])
        return values[:, :, None] * (1 + chance)

    return tune(ranges, run, 2 * fewest(k), 4, 20, 1)


# ---------------------------------------------------------------------- curves
def test_a_curve_passes_through_the_figures_and_knows_where_it_is_sure() -> None:
    places = np.linspace(-1, 1, 9)[:, None]
    found = curve(places, np.exp(2 * places[:, 0]) + 3)
    told, sd = found(np.array([[0.1], [0.6]]))
    assert told == pytest.approx(np.exp([0.2, 1.2]) + 3, rel=0.002)
    assert (sd < 0.02).all()
    assert found(np.array([[3.0]]))[1] > 10 * sd.max()


def test_a_queue_near_full_load_is_smooth_on_the_scale_of_its_reciprocal() -> None:
    """ρ/(1 − ρ) from ρ = 0.5 to 0.98: 1 to 49. Twelve points tell it everywhere within two per cent."""
    at = np.linspace(-1, 1, 12)[:, None]

    def wait(places: Any) -> Any:
        load = 0.7 * 1.4 ** places[:, 0]
        return load / (1 - load)

    there = np.linspace(-0.95, 0.95, 40)[:, None]
    assert curve(at, wait(at))(there)[0] == pytest.approx(wait(there), rel=0.02)


def test_a_figure_that_never_moves_is_told_as_it_is() -> None:
    told, sd = curve(np.linspace(-1, 1, 7)[:, None], np.full(7, 3.5))(np.array([[0.3]]))
    assert told == pytest.approx([3.5])
    assert sd == pytest.approx([0.0])


# ---------------------------------------------------------------------- where the truth is known
def test_the_load_of_a_queue_is_found_from_its_wait() -> None:
    """M/M/1 with ρ = 0.7 as stated and a wait of 4 services reported: ρ = 0.8. 3.9 to 4.1 is ρ = 0.796 to 0.804."""
    found = tuned(lambda f: [0.7 * f[0] / (1 - 0.7 * f[0])], [(4.0, 0.1)], k=1)
    (accepted,) = found.accepted
    assert found.factors[0] == pytest.approx(0.8 / 0.7, abs=0.002)
    assert (accepted.low, accepted.high) == pytest.approx((0.7959 / 0.7, 0.8039 / 0.7), abs=0.003)
    assert accepted.verdict == PINNED
    assert found.conflicts == ()


def test_of_a_product_only_the_product_is_pinned_down() -> None:
    found = tuned(lambda f: [f[0] * f[1]], [(1.0, 0.02)], k=2, low=0.8, high=1.25)
    assert found.factors[0] * found.factors[1] == pytest.approx(1, abs=0.002)
    assert [one.verdict for one in found.accepted] == [NOT_PINNED, NOT_PINNED]
    assert found.factors == pytest.approx([1, 1], abs=0.01)  # what is open stays as it was
    (combination,) = found.combinations
    assert combination.powers == pytest.approx([1, 1], abs=0.02)
    assert (combination.accepted.low, combination.accepted.high) == pytest.approx((0.98, 1.02), abs=0.01)
    assert found.trade[0] == pytest.approx(-found.trade[1], abs=0.03)


def test_a_product_and_a_quotient_leave_nothing_to_trade() -> None:
    found = tuned(lambda f: [f[0] * f[1], f[0] / f[1]], [(1.0, 0.02), (1.0, 0.03)], k=2)
    assert [one.verdict for one in found.accepted] == [PINNED, PINNED]
    assert not found.trade.any()


def test_what_matters_to_no_fact_is_not_pinned_down() -> None:
    found = tuned(lambda f: [f[0]], [(1.1, 0.02)], k=2)
    assert [one.verdict for one in found.accepted] == [PINNED, NOT_PINNED]
    assert found.factors == pytest.approx([1.1, 1.0], abs=0.01)
    assert found.combinations == ()


def test_two_facts_that_contradict_each_other_are_said_to() -> None:
    """One wants a to be 1.2, the other 1 ÷ 1.2; a third is met by b in any case."""
    found = tuned(lambda f: [f[0], 1 / f[0], f[1]], [(1.2, 0.03), (1.2, 0.03), (1.1, 0.02)], k=2)
    assert [(one.fact, one.against, one.possible) for one in found.conflicts] == [
        ("fact0", ("fact1",), True),
        ("fact1", ("fact0",), True),
    ]
    assert found.conflicts[0].together == pytest.approx(1.0, abs=0.01)
    assert found.conflicts[0].alone == pytest.approx(1.2, abs=0.03)
    assert found.factors[1] == pytest.approx(1.1, abs=0.01)
    assert (found.accepted[1].low, found.accepted[1].high) == pytest.approx((1.08, 1.12), abs=0.005)


def test_three_facts_that_only_clash_all_at_once() -> None:
    """a, b and a + b: any two of them can be met."""
    facts = [(1.2, 0.03), (1.2, 0.03), (2.1, 0.03)]
    found = tuned(lambda f: [f[0], f[1], f[0] + f[1]], facts, k=2)
    assert found.conflicts
    assert all(one.possible and not one.against for one in found.conflicts)


def test_a_fact_out_of_reach_is_said_to_be_with_the_nearest_that_there_is() -> None:
    found = tuned(lambda f: [f[0], 9 * f[1]], [(1.2, 0.03), (20.0, 0.3)], k=2)
    (conflict,) = found.conflicts
    assert (conflict.fact, conflict.possible, conflict.against) == ("fact1", False, ())
    assert conflict.alone == pytest.approx(9 * 1.4, abs=0.01)
    assert found.factors == pytest.approx([1.2, 1.4], abs=0.005)


def test_noise_widens_what_is_accepted_and_holds_the_truth() -> None:
    exact, noisy = (tuned(lambda f: [10 * f[0]], [(11.0, 0.05)], k=1, noise=noise) for noise in (0.0, 0.04))
    widths = [found.accepted[0].high - found.accepted[0].low for found in (exact, noisy)]
    assert widths[1] > 2 * widths[0]
    assert noisy.accepted[0].low < 1.1 < noisy.accepted[0].high


def test_many_replications_at_the_best_point_correct_the_level_that_few_have_told() -> None:
    ranges = Ranges(("a",), np.array([0.7]), np.array([1.4]), ("fact",), np.array([1.1]), np.array([0.02]))

    def run(factors: Any, replications: int) -> Any:
        return np.repeat(factors[:, :, None] * (1.05 if replications == 4 else 1.0), replications, axis=2)

    found = tune(ranges, run, 2 * fewest(1), 4, 20, 1)
    assert found.factors[0] == pytest.approx(1.1, abs=0.003)
    assert (found.accepted[0].low, found.accepted[0].high) == pytest.approx((1.08, 1.12), abs=0.004)


def test_the_same_again() -> None:
    one, other = (tuned(lambda f: [f[0] * f[1] ** 0.5], [(1.1, 0.02)], k=2, noise=0.02) for _ in range(2))
    assert np.array_equal(one.factors, other.factors)
    assert np.array_equal(one.design, other.design)
    assert one.accepted == other.accepted


# ---------------------------------------------------------------------- the command
SCENARIO: dict[str, Any] = {
    "name": "till/baseline",
    "label": {"en": "A till", "zh": "收银台"},
    "clock": {"start": "2026-03-02", "horizon": "12 h"},
    "departments": {"shop": {}},
    "pools": {"till": {"department": "shop", "wage": 20}},
    "shifts": {"day": {"days": "all", "hours": "00:00-24:00"}},
    "staffing": {"till": {"day": 1}},
    "case_classes": {"buyer": {"process": "pay"}},
    "demand": {"door": {"case_class": "buyer", "arrivals": {"kind": "poisson", "rate": "6/h"}}},
    "processes": {
        "pay": {
            "start": "wait_for_it",
            "steps": {
                "wait_for_it": {"kind": "delay", "time": "20 min", "next": "pay"},
                "pay": {"kind": "task", "skill": "till", "time": "2 min", "next": "end"},
            },
        }
    },
    "facts": {
        "service": {
            "label": {"en": "Service", "zh": "服务"},
            "value": "3 min",
            "kpi": "time_working",
            "tolerance": 0.05,
        }
    },
    "assumptions": {
        "talk": {
            "label": {"en": "Talk", "zh": "通话"},
            "settings": ["processes.pay.steps.pay.time"],
            "range": [0.5, 2],
        },
        "delay": {
            "label": {"en": "Delay", "zh": "延迟"},
            "settings": ["processes.pay.steps.wait_for_it.time"],
            "range": [0.5, 2],
        },
    },
}

QUICK = ("points=12", "per_point=1", "replications=2", "compute.jobs=1")


def till(project: TemporaryProject, **changes: Any) -> None:
    text = yaml.safe_dump({**SCENARIO, **changes}, allow_unicode=True, sort_keys=False)
    project.write("scenarios/till/baseline.yaml", f"# @package _global_\n{text}")


def files(folder: Path) -> dict[str, bytes]:
    made = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in made.items() if name != "provenance.json"}


def test_the_command_finds_the_time_that_was_reported(project: TemporaryProject) -> None:
    """Service takes 2 minutes as stated and 3 as reported: talk × 1.5; nothing is said about the delay."""
    till(project)
    said = project.servsim("tune", "till", *QUICK)
    assert said.code == 0, said.err
    assert "processes.pay.steps.pay.time=3 min" in said.out
    assert "Not pinned down by the facts: Delay." in said.out
    rows = [line.split(",") for line in project.path("results/till-tune/tuning.csv").read_text().splitlines()[1:]]
    assert [(row[0], row[-1]) for row in rows] == [("talk", "pinned"), ("delay", "not_pinned")]
    assert float(rows[0][3]) == pytest.approx(1.5, abs=0.005)
    first = files(project.path("results/till-tune"))
    assert {"facts.csv", "design.csv", "report.md", "report.html", "figures/accepted.svg"} <= set(first)
    project.servsim("tune", "till", *QUICK)
    assert files(project.path("results/till-tune")) == first


def test_the_settings_found_make_the_facts_hold(project: TemporaryProject) -> None:
    till(project)
    before = project.servsim("facts", "till", "replications=2")
    lines = [line for line in project.servsim("tune", "till", *QUICK).out.splitlines() if line.startswith("processes.")]
    assert before.code == 1
    assert project.servsim("facts", "till", "replications=2", *lines).code == 0


def test_a_fact_about_the_complement_is_met_on_the_scale_of_its_source(project: TemporaryProject) -> None:
    """Nobody to serve for 70 % of the time; the KPI says how long there is: 20 % as stated, 30 % with talk × 1.5."""
    idle = {"value": 0.7, "kpi": "utilisation", "tolerance": 0.08, "transform": "complement"}
    till(project, facts={"idle": idle})
    said = project.servsim("tune", "till", *QUICK)
    assert said.code == 0, said.out
    facts = project.path("results/till-tune/facts.csv").read_text().splitlines()[1].split(",")
    assert float(facts[3]) == 0.7 and float(facts[6]) == pytest.approx(0.7, abs=0.08)


def test_a_setting_of_two_assumptions_is_multiplied_by_both(project: TemporaryProject) -> None:
    talk = {"settings": ["processes.pay.steps.pay.time"], "range": [0.5, 2]}
    till(project, assumptions={"talk": talk, "work": {**talk, "settings": ["processes.*.steps.*.time"]}})
    (loaded,) = all_loaded(find(None), [Asked("till/baseline")], [])
    assert settings_of_all(loaded, {"talk": 1.5, "work": 1.2}) == (
        "processes.pay.steps.pay.time=3 min 36 s",
        "processes.pay.steps.wait_for_it.time=24 min",
    )


def test_a_fact_that_cannot_be_met_is_said_in_the_readers_language(project: TemporaryProject) -> None:
    fact = {**SCENARIO["facts"]["service"], "value": "9 min"}
    till(project, facts={"service": fact})
    said = project.servsim("tune", "till", *QUICK, "language=zh")
    assert said.code == 1
    assert "“服务”（9" in said.out
    assert "在给定范围内无法达到" in said.out


def test_runs_of_the_search_that_fail_are_told_and_others_confirm_it(
    project: TemporaryProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: dict[str, set[int]] = {"point": set(), "tuned": set(), "": set()}

    def one_fails(scenario: Any, **how: Any) -> Any:
        seeds[scenario.name.partition("[")[2][:5]].add(how["seed"])
        if scenario.name == "till/baseline[point 7]":
            raise ZeroDivisionError("oops")
        return simulate(scenario, **how)

    till(project)
    simulate = experiment.simulate
    monkeypatch.setattr(experiment, "simulate", one_fails)
    said = project.servsim("tune", "till", *QUICK)
    assert "note: 1 of 8 runs of the search failed and are left out" in said.err
    assert "processes.pay.steps.pay.time=3 min" in said.out
    assert seeds["tuned"] == seeds[""] and not seeds["tuned"] & seeds["point"]


BAD: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "no ranges": (
        {"assumptions": {"talk": {"settings": ["processes.pay.steps.pay.time"]}}},
        (),
        "till/baseline: no assumption gives a `range`, so there is nothing to tune; write for example "
        "assumptions.volume.range: [0.8, 1.25]",
    ),
    "no facts": ({"facts": {}}, (), "till/baseline: states no `facts`, so there is nothing to tune to"),
    "too few points": ({}, ("points=5",), "command line: points: expected at least 12 for so many ranges, got '5'"),
    "no number": ({}, ("per_point=x",), "command line: per_point: expected a whole number ≥ 1, got 'x'"),
    "a misspelt KPI": (
        {"facts": {"late": {"value": 0.5, "kpi": "processing_maen", "tolerance": 0.1}}},
        QUICK,
        "till/baseline: facts.late.kpi: there is no KPI 'processing_maen'; did you mean processing_mean or "
        "work_in_process_mean?",
    ),
    "a fact without a value": (
        {"facts": {"late": {"value": 0.5, "kpi": "late_first_response", "tolerance": 0.1}}},
        QUICK,
        "till/baseline: facts.late: late_first_response of group 'all' has no value here",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_in_one_line(case: str, project: TemporaryProject) -> None:
    changes, typed, told = BAD[case]
    till(project, **changes)
    said = project.servsim("tune", "till", *typed)
    assert (said.code, said.out) == (2, "")
    assert said.err.endswith(f"{told}\n")
    assert said.err.count("\n") == 1
