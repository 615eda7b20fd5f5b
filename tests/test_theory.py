"""Where queueing theory has an answer, the simulation has it too.

Every model runs as a scenario, in twelve replications with a fixed seed. The simulated mean must lie within 4.4
standard errors of the exact one (t with 11 degrees of freedom: one false alarm in a thousand), and the standard error
must be at most 1 % of it, lest the test say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from worlds import mapping

from servsim.model import Scenario
from servsim.quantities import HOUR, MINUTE
from servsim.records import Outcome, Run
from servsim.simulate import simulate

REPLICATIONS = 12
T = 4.4
"""0.9995-quantile of Student's t with 11 degrees of freedom (two-sided 0.001)."""

Measure = Callable[[Run], float]


def queue(servers: int, rate: float, time: Any, customers: int, **more: Any) -> Scenario:
    """One queue before so many servers; `rate` per minute. The first tenth of the time is warm-up."""
    minutes = customers / rate
    config = mapping(
        clock={"start": "2026-03-02", "horizon": f"{minutes} min", "warm_up": f"{minutes / 10} min", "run_out": "1 d"},
        staffing={"desk": {"always": servers}},
        demand={"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": f"{rate}/min"}}},
        processes={
            "p": {"start": "serve", "steps": {"serve": {"kind": "task", "skill": "desk", "time": time, "next": "end"}}}
        },
    )
    return Scenario.model_validate(config | more)


def exponential(mean: float) -> dict[str, Any]:
    return {"kind": "exponential", "mean": f"{mean} min"}


def assert_means(scenario: Scenario, exact: Sequence[tuple[Measure, float]]) -> None:
    """The means over replications are the exact values, and known to 1 %."""
    runs = (simulate(scenario, seed=5, replication=r) for r in range(REPLICATIONS))
    values = np.array([[measure(run) for measure, _ in exact] for run in runs])
    means, errors = values.mean(axis=0), values.std(axis=0, ddof=1) / math.sqrt(REPLICATIONS)
    for (measure, value), mean, error in zip(exact, means, errors, strict=True):
        told = f"{measure.__name__}: {mean:.5f} ± {error:.5f}, exactly {value:.5f}"
        assert abs(mean - value) <= T * error, told
        assert error <= 0.01 * value, f"{told}: too wide to be a test"


# ------------------------------------------------------------------ measures, in minutes and shares


def waits(run: Run, chosen: np.ndarray | None = None) -> np.ndarray:
    """Waiting times of the counted cases (with one step each) that were started, in minutes."""
    use = run.counted & (run.log.started_at >= 0)
    use = use if chosen is None else use & chosen
    return (run.log.started_at - run.workload.arrived_at)[use] / MINUTE


def mean_wait(run: Run) -> float:
    return float(waits(run).mean())


def delayed(run: Run) -> float:
    return float((waits(run) > 0).mean())


def within_a_minute(run: Run) -> float:
    return float((waits(run) <= 1).mean())


def mean_time_in_system(run: Run) -> float:
    use = run.counted & (run.log.left_at >= 0)
    return float((run.log.left_at - run.workload.arrived_at)[use].mean() / MINUTE)


def abandoned(run: Run) -> float:
    return float((run.log.outcome == Outcome.ABANDONED)[run.counted].mean())


def mean_wait_of_all(run: Run) -> float:
    """Until the start of service or until giving up."""
    ends = np.where(run.log.started_at >= 0, run.log.started_at, run.log.left_at)
    return float((ends - run.workload.arrived_at)[run.counted].mean() / MINUTE)


def utilisation(run: Run) -> float:
    """Busy time of the workers within the window over the time that they were there."""
    _, _, begin, end = run.stretches()
    window = run.window
    busy = np.minimum(end, window.end) - np.maximum(begin, window.begin)
    return float(busy[busy > 0].sum() / (window.end - window.begin) / len(run.plan.workers))


def wait_of_class(number: int) -> Measure:
    def mean_wait_of_class(run: Run) -> float:
        return float(waits(run, run.workload.case_class == number).mean())

    mean_wait_of_class.__name__ = f"mean_wait_of_class_{number}"
    return mean_wait_of_class


# ------------------------------------------------------------------ closed forms


def erlang_c(servers: int, load: float) -> float:
    """Probability of waiting in M/M/c: A^c/c!·c/(c−A) over the sum (Erlang 1917)."""
    top = load**servers / math.factorial(servers) * servers / (servers - load)
    return top / (sum(load**k / math.factorial(k) for k in range(servers)) + top)


def erlang_a(servers: int, rate: float, mean: float, patience: float) -> tuple[float, float]:
    """(share abandoned, mean wait of all) of M/M/c+M, from the birth-and-death chain (Palm 1957).

    Each who waits leaves at the rate 1/patience: share abandoned E[waiting]/patience/rate, mean wait E[waiting]/rate.
    """
    weights, weight = [1.0], 1.0
    for k in range(1, 2000):
        weight *= rate / (min(k, servers) / mean + max(0, k - servers) / patience)
        weights.append(weight)
    chance = np.array(weights) / sum(weights)
    waiting = float(np.maximum(np.arange(2000) - servers, 0) @ chance)
    return waiting / patience / rate, waiting / rate


# ------------------------------------------------------------------ the tests


def test_erlang_c() -> None:
    """M/M/3 at 60 %: wait, probability of waiting, share started within a minute, time in the system, utilisation."""
    servers, rate, mean = 3, 0.6, 3.0
    waiting = erlang_c(servers, rate * mean)
    decay = servers / mean - rate
    assert_means(
        queue(servers, rate, exponential(mean), 120_000),
        [
            (mean_wait, waiting / decay),
            (delayed, waiting),
            (within_a_minute, 1 - waiting * math.exp(-decay)),
            (mean_time_in_system, waiting / decay + mean),
            (utilisation, rate * mean / servers),
        ],
    )


@pytest.mark.parametrize("rule", ["lcfs", "random", "sjf"])
def test_no_order_that_is_blind_to_the_work_changes_the_mean_wait(rule: str) -> None:
    """M/M/2: last come and random order wait as long as first come on average; shortest first waits less."""
    waiting = erlang_c(2, 1.0) / (2 - 1.0)
    scenario = queue(2, 1.0, exponential(1), 90_000, dispatch={"rule": rule})
    if rule != "sjf":
        assert_means(scenario, [(mean_wait, waiting)])
    else:
        assert mean_wait(simulate(scenario)) < 0.9 * waiting


@pytest.mark.parametrize(
    ("time", "scv"),
    [
        ("1 min", 0.0),
        ({"kind": "lognormal", "mean": "1 min", "cv": 1.2}, 1.44),
        ({"kind": "erlang", "mean": "1 min", "k": 4}, 0.25),
        ({"kind": "hyperexponential", "means": ["0.5 min", "2.5 min"], "shares": [0.75, 0.25]}, 2.5),
        ({"kind": "uniform", "low": "0 min", "high": "2 min"}, 1 / 3),
    ],
    ids=["constant", "lognormal", "erlang", "hyperexponential", "uniform"],
)
def test_pollaczek_khinchine(time: Any, scv: float) -> None:
    """M/G/1: the mean wait is ρ/(1−ρ)·(1+cv²)/2 service times (Pollaczek 1930, Khinchine 1932); M/D/1 with cv 0."""
    load = 0.5
    exact = load / (1 - load) * (1 + scv) / 2
    customers = 40_000 if scv < 1 else 100_000
    assert_means(queue(1, load, time, customers), [(mean_wait, exact), (utilisation, load)])


def test_erlang_a() -> None:
    """M/M/5+M with more work than five can do: who waits too long leaves."""
    share, wait = erlang_a(5, rate=2.2, mean=2.5, patience=3.0)
    patient = {"ordinary": {"process": "p", "patience": exponential(3)}}
    assert_means(
        queue(5, 2.2, exponential(2.5), 40_000, case_classes=patient),
        [(abandoned, share), (mean_wait_of_all, wait), (utilisation, 2.2 * (1 - share) * 2.5 / 5)],
    )


@pytest.mark.parametrize("time", [exponential(1), {"kind": "gamma", "mean": "1 min", "cv": 0.5}], ids=["M", "G"])
def test_non_preemptive_priority(time: dict[str, Any]) -> None:
    """Three classes before one server: class k waits W0/((1−σ(k−1))(1−σ(k))), W0 = λE[S²]/2 (Cobham 1954)."""
    loads, scv = np.array([0.15, 0.25, 0.2]), 1.0 if time["kind"] == "exponential" else 0.25
    ahead = np.concatenate([[0.0], np.cumsum(loads)])
    residual = loads.sum() * (1 + scv) / 2
    exact = residual / ((1 - ahead[:-1]) * (1 - ahead[1:]))
    names = ["first", "second", "third"]
    total = float(loads.sum())
    mix = {name: float(load) / total for name, load in zip(names, loads, strict=True)}
    scenario = queue(
        1,
        total,
        time,
        120_000,
        dispatch={"rule": "priority"},
        case_classes={name: {"process": "p", "priority": k} for k, name in enumerate(names, 1)},
        demand={"calls": {"mix": mix, "arrivals": {"kind": "poisson", "rate": f"{total}/min"}}},
    )
    assert_means(scenario, [(wait_of_class(k), value) for k, value in enumerate(exact)])


def test_a_tandem_of_two_stations_is_a_jackson_network() -> None:
    """The second of two M/M/c stations in a row behaves as if alone (Jackson 1957)."""
    steps = {
        "one": {"kind": "task", "skill": "desk", "time": exponential(1), "next": "two"},
        "two": {"kind": "task", "skill": "back", "time": exponential(2), "next": "end"},
    }
    rate = 1.1
    scenario = queue(
        2,
        rate,
        "1 min",
        80_000,
        pools={name: {"department": "office"} for name in ("desk", "back")},
        staffing={"desk": {"always": 2}, "back": {"always": 4}},
        processes={"p": {"start": "one", "steps": steps}},
    )

    def wait_at(number: int) -> Measure:
        def wait(run: Run) -> float:
            at = run.counted[run.workload.case] & (run.workload.step == number) & (run.log.started_at >= 0)
            return float((run.log.started_at - run.log.enabled_at)[at].mean() / MINUTE)

        return wait

    exact = [erlang_c(2, rate) / (2 - rate), erlang_c(4, 2 * rate) / (2 - rate)]
    assert_means(scenario, [(wait_at(k), value) for k, value in enumerate(exact)])


def test_rework_multiplies_the_visits() -> None:
    """M/M/1 with feedback p: 1/(1−p) visits, each as long as in an M/M/1 at λ/(1−p) on average (Jackson 1957)."""
    rate, again = 0.4, 0.25
    load = rate / (1 - again)
    steps = {
        "serve": {"kind": "task", "skill": "desk", "time": exponential(1), "next": {"serve": again, "end": 1 - again}}
    }

    def visits(run: Run) -> float:
        return run.workload.n_items / run.workload.n_cases

    scenario = queue(1, rate, "1 min", 60_000, processes={"p": {"start": "serve", "steps": steps}})
    assert_means(scenario, [(visits, 1 / (1 - again)), (mean_time_in_system, 1 / (1 - again) / (1 - load))])


def test_arrivals_by_hour_and_number_in_service_follow_the_rate() -> None:
    """M(t)/M/∞: the arrivals of an hour are the integrated rate, the mean number in service obeys m' = λ(t) − m/s."""
    rates = [600.0 + 500 * math.sin(2 * math.pi * hour / 24) for hour in range(24)]
    rates[3] = 0.0
    hourly = {"kind": "hourly", "per_hour": {"all": rates}}
    mean = 0.5
    scenario = queue(
        900,
        1.0,
        exponential(60 * mean),
        10,
        clock={"start": "2026-03-02", "horizon": "1 d", "run_out": "1 d", "arrivals_in_run_out": False},
        demand={"calls": {"case_class": "ordinary", "arrivals": hourly}},
    )
    runs = [simulate(scenario, seed=5, replication=r) for r in range(REPLICATIONS)]
    counts = np.array([np.bincount(run.workload.arrived_at // HOUR, minlength=24) for run in runs])
    assert not counts[:, 3].any()
    deviation = (counts.sum(axis=0) - REPLICATIONS * np.array(rates)) / np.sqrt(REPLICATIONS * np.maximum(rates, 1))
    assert abs(deviation).max() < T

    exact, busy = 0.0, []
    for rate in rates:  # within an hour the number tends to λs at the pace 1/s
        exact = rate * mean + (exact - rate * mean) * math.exp(-1 / mean)
        busy.append(exact)
    ends = np.arange(1, 24) * HOUR
    there = np.array(
        [[((run.log.started_at <= at) & (run.log.completed_at > at)).sum() for at in ends] for run in runs]
    )
    expected = np.array(busy[:-1])
    assert (abs(there.sum(axis=0) - REPLICATIONS * expected) < T * np.sqrt(REPLICATIONS * expected)).all()
    assert all((run.log.started_at == run.workload.arrived_at).all() for run in runs)
