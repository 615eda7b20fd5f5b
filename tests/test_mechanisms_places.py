"""Places to wait, overflow, several workers at once, and times that depend on who works.

Times are minutes, logs are worked out by hand; the sections bear the numbers of the rules of docs/semantics.md.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError
from test_theory import assert_means, exponential, queue
from worlds import Case, Do, at_desk, expect, mapping, tiny

from servsim.engines import Engine
from servsim.model import Scenario
from servsim.records import Outcome, Run
from servsim.simulate import simulate

# ------------------------------------------------------------------ 14. places to wait


def test_three_in_the_system_and_no_more(engine: Engine) -> None:
    """One server, 21 minutes each, somebody every 5 minutes, two places to wait; the shift ends at 51."""
    world = tiny(
        {f"b{at:02d}": at_desk(at, 21) for at in range(5, 51, 5)},
        until=100,
        staff={"ann": [(0, 51)]},
        places={"desk": 2},
    )
    expect(
        engine,
        world,
        """
        b05 5 5 5 26 ann
        b10 10 10 26 47 ann
        b15 15 15 47 68 ann
        b20 20 20 - -
        b25 25 25 - -
        b30 30 30 - -
        b35 35 35 - -
        b40 40 40 - -
        b45 45 45 - -
        b50 50 50 - -
        no place: b20 20
        no place: b25 25
        no place: b35 35
        no place: b40 40
        no place: b45 45
        """
        "left b05 26, b10 47, b15 68, b20 20 turned_away, b25 25 turned_away, b30 -, "
        "b35 35 turned_away, b40 40 turned_away, b45 45 turned_away, b50 -",
    )


def test_a_blocked_caller_tries_again_until_the_line_is_free(engine: Engine) -> None:
    world = tiny(
        {
            "l1": Case(600, [Do("desk", 9)], redial=(4,)),
            "l2": Case(603, [Do("desk", 5)], redial=(4,)),
            "l3": Case(610, [Do("desk", 3)], redial=(4,)),
        },
        places={"desk": 0},
    )
    expect(
        engine,
        world,
        """
        l1 600 600 600 609 ann
        l2 603 603 615 620 ann
        l3 610 610 610 613 ann
        no place: l2 603
        no place: l2 607
        no place: l2 611
        left l1 609, l2 620, l3 613
        """,
    )


def lost(run: Run) -> float:
    return float(np.mean(run.log.outcome[run.counted] == Outcome.TURNED_AWAY))


def test_erlang_b() -> None:
    """Two lines, one Erlang: a fifth is lost."""
    scenario = queue(2, 1.0, exponential(1), 20_000, dispatch={"teams": {"desk": {"waiting_places": 0}}})
    assert_means(scenario, [(lost, 0.2)])


def test_retrials() -> None:
    """One line, λ = 0.4, μ = 1, and everybody tries again at the rate θ = 2 until served."""
    classes = {"ordinary": {"process": "p", "redial": {"after": exponential(0.5)}}}
    scenario = queue(
        1, 0.4, exponential(1), 28_000, dispatch={"teams": {"desk": {"waiting_places": 0}}}, case_classes=classes
    )
    orbit = 0.4 * (0.4 + 2 * 0.4) / (2 * (1 - 0.4))  # ρ (λ + θρ) / (θ (1 − ρ)) try again, on average

    def wait(run: Run) -> float:
        ours = (run.log.started_at >= 0) & run.counted[run.workload.case]
        return float(np.mean(run.log.started_at[ours] - run.log.offered_at[ours])) / 60e6

    assert_means(scenario, [(wait, orbit / 0.4)])


def test_a_share_of_turned_away_cases() -> None:
    scenario = queue(1, 1.0, "3 min", 200, dispatch={"teams": {"desk": {"waiting_places": 1}}})
    run = simulate(scenario, seed=1)
    table = run.kpis().set_index(["kpi", "group"])["value"]
    assert table["turned_away_rate", "all"] == pytest.approx(lost(run))
    assert 0.5 < lost(run) < 0.8


def test_other_draws_stay_as_they_are() -> None:
    plain = simulate(queue(1, 0.6, exponential(1), 500), seed=3)
    limited = simulate(queue(1, 0.6, exponential(1), 500, dispatch={"teams": {"desk": {"waiting_places": 3}}}), seed=3)
    assert np.array_equal(plain.workload.work, limited.workload.work)
    assert np.array_equal(plain.workload.arrived_at, limited.workload.arrived_at)
    assert math.isfinite(lost(limited))


@pytest.mark.parametrize(
    ("changes", "path", "told"),
    [
        (
            {"case_classes": {"ordinary": {"process": "p", "redial": {"after": "1 min"}}}},
            ("case_classes", "ordinary", "redial"),
            "no team has `waiting_places`",
        ),
        (
            {"dispatch": {"teams": {"desk": {"waiting_places": -1}}}},
            ("dispatch", "teams", "desk", "waiting_places"),
            "≥ 0",
        ),
    ],
)
def test_bad_input(changes: dict[str, object], path: tuple[str, ...], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Scenario.model_validate(mapping(**changes))
    assert refused.value.errors()[0]["loc"] == path
    assert told in refused.value.errors()[0]["msg"]


# ------------------------------------------------------------------ 4. who works decides how long it takes


def test_able_and_baker(engine: Engine) -> None:
    """Able is asked first; Baker needs two minutes more for each."""
    world = tiny(
        {"k1": at_desk(540, 5), "k2": at_desk(542, 5), "k3": at_desk(544, 5), "k4": at_desk(553, 5)},
        staff={"able": [(480, 960)], "baker": [(480, 960)]},
        assignment={"desk": "fixed"},
        own={"desk": {"desk": 6}, "baker": {"desk": 7}},
    )
    expect(
        engine,
        world,
        """
        k1 540 540 540 546 able
        k2 542 542 542 549 baker
        k3 544 544 546 552 able
        k4 553 553 553 559 able
        left k1 546, k2 549, k3 552, k4 559
        """,
    )


def shared_desk(**more: object) -> Scenario:
    task = {"kind": "task", "skill": "desk", "time": exponential(4), "next": "end", **more}
    people = {who: {"pool": "desk", "shifts": ["always"]} for who in ("quick", "slow")}
    processes = {"p": {"start": "serve", "steps": {"serve": task}}}
    return queue(0, 0.2, exponential(4), 20_000, workers=people, processes=processes)


def test_two_servers_of_different_speed() -> None:
    """λ = 0.2, means 4 and 8, the quick one first: by the balance equations of the six states that matter."""
    quick, slow, arrive = 1 / 4, 1 / 8, 0.2
    # states: 0, quick only, slow only, both, then a geometric tail of ratio λ / (μ1 + μ2)
    rates = np.array(
        [
            [-arrive, arrive, 0, 0],
            [quick, -arrive - quick, 0, arrive],
            [slow, 0, -arrive - slow, arrive],
            [0, slow, quick, -quick - slow],  # above "both" what comes and goes balances
        ]
    )
    share = np.linalg.lstsq(np.vstack([rates.T, np.ones(4)]), np.array([0, 0, 0, 0, 1.0]), rcond=None)[0]
    ratio = arrive / (quick + slow)
    total = share[:3].sum() + share[3] / (1 - ratio)
    exact = share[3] / (1 - ratio) ** 2 * ratio / total / arrive

    def wait(run: Run) -> float:
        ours = (run.log.started_at >= 0) & run.counted[run.workload.case]
        return float(np.mean(run.log.started_at[ours] - run.log.offered_at[ours])) / 60e6

    scenario = shared_desk(times={"slow": exponential(8)})
    scenario = scenario.model_copy(update={"dispatch": scenario.dispatch.model_copy(update={"assignment": "fixed"})})
    runs = [wait(simulate(scenario, seed=2, replication=k)) for k in range(12)]
    error = float(np.std(runs, ddof=1)) / math.sqrt(12)
    assert abs(float(np.mean(runs)) - exact) < 4.4 * error
    assert error < 0.02 * exact


def test_an_unknown_worker_with_a_time() -> None:
    with pytest.raises(ValidationError, match="no pool or named worker 'quik'; did you mean quick"):
        shared_desk(times={"quik": "5 min"})
