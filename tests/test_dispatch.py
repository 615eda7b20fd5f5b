"""Who is served next: the rank that each dispatch rule gives, and that it is obeyed while the clock runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from worlds import mapping

from servsim import prepare
from servsim.dispatch import NEVER, RULES, Urgency, ranked
from servsim.engines import assignment
from servsim.model import ASSIGNMENTS, Scenario
from servsim.model import RULES as NAMED
from servsim.quantities import HOUR, MINUTE
from servsim.records.workload import RankBy
from servsim.simulate import ranked as ranked_for
from servsim.simulate import simulate

MIN = MINUTE


def test_the_model_knows_the_rules_by_name() -> None:
    """Model and engine are blind to one another; here they meet."""
    assert tuple(RULES) == NAMED
    assert tuple(assignment.RULES) == ASSIGNMENTS


# ------------------------------------------------------------------ rework


def returning(**dispatch: Any) -> Scenario:
    """One at the desk. `again` comes back at 10 while `b` and `c`, who came at 1 and 2, still wait."""
    steps = {"serve": {"kind": "task", "skill": "desk", "time": "10 min", "next": {"serve": 0, "end": 1}}}
    cases = {
        "again": {"at": "0 min", "next": {"serve": ["serve", "end"]}},
        "b": {"at": "1 min"},
        "c": {"at": "2 min", "work": {"serve": "5 min"}},
    }
    return Scenario.model_validate(
        mapping(
            clock={"start": "2026-03-02", "horizon": "2 h"},
            staffing={"desk": {"always": 1}},
            case_classes={"ordinary": {"process": "p"}},
            processes={"p": {"start": "serve", "steps": steps}},
            demand={"listed": {"case_class": "ordinary", "arrivals": {"kind": "listed", "cases": cases}}},
            dispatch=dispatch,
        )
    )


@pytest.mark.parametrize(
    ("dispatch", "starts"),
    [
        ({}, [0, 25, 10, 20]),
        ({"rework_first": True}, [0, 10, 20, 30]),
        ({"teams": {"desk": {"rule": "lcfs", "rework_first": True}}}, [0, 10, 25, 20]),
        ({"rule": "edd", "rework_first": True}, [0, 10, 20, 30]),
        ({"rule": "sjf", "rework_first": True, "teams": {"desk": {"rework_first": False}}}, [0, 25, 15, 10]),
    ],
)
def test_rework_goes_first_where_it_is_to(dispatch: dict[str, Any], starts: list[int]) -> None:
    """Starts of again's two visits, b and c, in minutes; without promises `edd` knows no due times."""
    log = simulate(returning(**dispatch)).log
    assert [at // MIN for at in log.started_at.tolist()] == starts


@pytest.mark.parametrize(
    ("dispatch", "told"),
    [
        ({"rework_first": True, "rule": "priority", "preempt": "resume"}, "does not go with `preempt`"),
        ({"rework_first": True, "rule": "random"}, "does not go with the rule 'random'"),
        ({"teams": {"desk": {"rework_first": True, "rule": "accumulating"}}}, "whose order changes in time"),
    ],
)
def test_rework_goes_first_only_by_ranks_that_stay(dispatch: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        returning(**dispatch)


# ------------------------------------------------------------------ ranks

TRACE = """at,class,minutes
2026-03-02 08:00:00,slow,60
2026-03-02 08:10:00,slow,50
2026-03-02 08:20:00,quick,5
2026-03-02 08:30:00,quick,7
2026-03-02 08:40:00,vip,9
"""


def office(folder: Path, **dispatch: Any) -> Scenario:
    """One at the desk; four cases come while the first is served. Steps: serve (the first response); close, 1 min."""
    (folder / "cases.csv").write_text(TRACE, encoding="utf-8")
    steps = {
        "serve": {"kind": "task", "skill": "desk", "time": "1 min", "next": "close"},
        "close": {"kind": "task", "skill": "back", "time": "1 min", "next": "end"},
    }
    promises = {
        "slow": {"first_response": {"limit": "4 h"}, "resolution": {"limit": "30 h"}},
        "quick": {"first_response": {"limit": "1 h"}},
        "vip": {"resolution": {"limit": "3 h"}},
    }
    priorities = {"slow": 3, "quick": 2, "vip": 1}
    head_starts = {"slow": "0 min", "quick": "5 min", "vip": "20 min"}
    classes = {
        name: {
            "process": "p",
            "priority": priorities[name],
            "head_start": head_starts[name],
            "promises": promises[name],
        }
        for name in priorities
    }
    columns = {"arrived_at": "at", "case_class": "class", "service": {"serve": "minutes"}}
    trace = {"kind": "trace", "file": "cases.csv", "unit": "min", "columns": columns}
    config = mapping(
        pools={"desk": {"department": "office"}, "back": {"department": "office"}},
        staffing={"desk": {"always": 1}, "back": {"always": 1}},
        case_classes=classes,
        demand={"calls": {"arrivals": trace}},
        processes={"p": {"start": "serve", "steps": steps}},
        dispatch=dispatch,
    )
    return Scenario.model_validate(config, context={"folder": folder})


def ranks(folder: Path, rule: str, **more: Any) -> tuple[list[int], list[int], int]:
    """Ranks at the desk and at the back in minutes, and the slope."""
    scenario = office(folder, rule=rule, **more)
    plan = prepare.plan(scenario)
    work = ranked_for(prepare.workload(scenario, 1, 0), scenario, plan.skills)
    assert plan.skills == ("desk", "back") and len(set(work.rank_slope.tolist())) == 1
    at = [(work.rank[work.skill == skill] // MIN).tolist() for skill in (0, 1)]
    return at[0], at[1], int(work.rank_slope[0])


@pytest.mark.parametrize(("rule", "slope"), [("fcfs", 0), ("lcfs", -1)])
def test_first_and_last_come_need_no_rank(tmp_path: Path, rule: str, slope: int) -> None:
    assert ranks(tmp_path, rule) == ([0] * 5, [0] * 5, slope)


def test_priority_is_that_of_the_class(tmp_path: Path) -> None:
    scenario = office(tmp_path, rule="priority")
    work = ranked_for(prepare.workload(scenario, 1, 0), scenario, ("desk", "back"))
    assert work.rank.tolist() == [3, 3, 3, 3, 2, 2, 2, 2, 1, 1]
    assert work.rank_slope.tolist() == [0, 0]


def test_due_is_the_first_response_for_what_answers_and_the_resolution_for_the_rest(tmp_path: Path) -> None:
    """Where only the other one is promised, that counts: quick at the back, vip at the desk."""
    h = 60
    desk = [12 * h, 12 * h + 10, 9 * h + 20, 9 * h + 30, 11 * h + 40]
    back = [38 * h, 38 * h + 10, 9 * h + 20, 9 * h + 30, 11 * h + 40]
    assert ranks(tmp_path, "edd") == (desk, back, 0)


def test_slack_is_due_less_the_work_that_the_case_still_needs(tmp_path: Path) -> None:
    h = 60
    desk = [12 * h - 61, 12 * h + 10 - 51, 9 * h + 20 - 6, 9 * h + 30 - 8, 11 * h + 40 - 10]
    back = [38 * h - 1, 38 * h + 10 - 1, 9 * h + 20 - 1, 9 * h + 30 - 1, 11 * h + 40 - 1]
    assert ranks(tmp_path, "slack") == (desk, back, 0)


@pytest.mark.parametrize("rule", ["edd", "slack"])
def test_without_a_promise_an_item_is_last(rule: str) -> None:
    work = prepare.workload(Scenario.model_validate(mapping()), 1, 0)
    urgency = Urgency(np.array([1]), np.array([0]), 0)
    assert set(ranked(work, [rule], [urgency]).rank.tolist()) == {NEVER}


def test_shortest_job_is_by_the_work_of_the_item(tmp_path: Path) -> None:
    assert ranks(tmp_path, "sjf") == ([60, 50, 5, 7, 9], [1] * 5, 0)


def test_a_head_start_counts_as_waiting(tmp_path: Path) -> None:
    assert ranks(tmp_path, "head_start") == ([0, 0, -5, -5, -20], [0, 0, -5, -5, -20], 1)


def test_ageing_is_a_wait_for_each_class_of_priority(tmp_path: Path) -> None:
    assert ranks(tmp_path, "ageing", ageing="20 min") == ([60, 60, 40, 40, 20], [60, 60, 40, 40, 20], 1)


def test_random_is_by_lots_that_every_item_has(tmp_path: Path) -> None:
    scenario = office(tmp_path, rule="random")
    work = ranked_for(prepare.workload(scenario, 1, 0), scenario, ("desk", "back"))
    assert (work.rank_by == RankBy.LOT).all() and len(set(work.lot.tolist())) == 10


def test_every_team_may_have_its_own_rule(tmp_path: Path) -> None:
    scenario = office(tmp_path, rule="priority", teams={"back": {"rule": "ageing", "ageing": "10 min"}})
    work = ranked_for(prepare.workload(scenario, 1, 0), scenario, ("desk", "back"))
    assert work.rank[work.skill == 0].tolist() == [3, 3, 2, 2, 1]
    assert (work.rank[work.skill == 1] // MIN).tolist() == [30, 30, 20, 20, 10]
    assert work.rank_slope.tolist() == [0, 1]


def test_two_teams_may_age_at_different_paces(tmp_path: Path) -> None:
    teams = {"back": {"ageing": "10 min"}}
    scenario = office(tmp_path, rule="ageing", ageing="20 min", teams=teams)
    work = ranked_for(prepare.workload(scenario, 1, 0), scenario, ("desk", "back"))
    assert (work.rank[work.skill == 0] // MIN).tolist() == [60, 60, 40, 40, 20]
    assert (work.rank[work.skill == 1] // MIN).tolist() == [30, 30, 20, 20, 10]


# ------------------------------------------------------------------ ranks are obeyed

ORDERS = {
    "fcfs": "01234",
    "lcfs": "04321",
    "priority": "04231",
    "edd": "02341",
    "slack": "02314",
    "sjf": "02341",
    "head_start": "01243",  # as if come at 8:10, 8:15, 8:25, 8:20
    "ageing": "02413",  # as if come at 9:10, 9:00, 9:10, 9:00: among equals who came first
}


@pytest.mark.parametrize("rule", ORDERS)
def test_cases_are_served_in_the_order_of_their_ranks(tmp_path: Path, rule: str) -> None:
    """All have come when the first has been served at 9:00."""
    more = {"ageing": "20 min"} if rule == "ageing" else {}
    run = simulate(office(tmp_path, rule=rule, **more))
    desk = run.workload.skill == 0
    order = np.argsort(run.log.started_at[desk], kind="stable")
    assert "".join(map(str, order)) == ORDERS[rule]


@pytest.mark.parametrize("rule", list(RULES))
def test_a_rule_changes_the_order_and_not_the_work(rule: str) -> None:
    """One rank for each item; and one server is busy as long under every rule, until the queue is empty."""
    changes: dict[str, Any] = {
        "case_classes": {
            "a": {"process": "p", "priority": 1, "head_start": "9 min", "promises": {"resolution": {"limit": "1 h"}}},
            "b": {"process": "p", "priority": 2, "accumulation": 0.5},
        },
        "demand": {"calls": {"mix": {"a": 0.3, "b": 0.7}, "arrivals": {"kind": "poisson", "rate": "11/h"}}},
        "clock": {"start": "2026-03-02", "horizon": "1 d", "run_out": "5 d", "arrivals_in_run_out": False},
        "dispatch": {"rule": rule, "ageing": "15 min"},
    }
    run, plain = (simulate(Scenario.model_validate(mapping(**changes | more))) for more in ({}, {"dispatch": {}}))
    assert len(run.workload.rank) == run.workload.n_items
    assert (run.workload.work == plain.workload.work).all()
    assert run.log.completed_at.max() == plain.log.completed_at.max() < 2 * 24 * HOUR
    assert busy_periods(run) == busy_periods(plain)


def busy_periods(run: Any) -> list[tuple[int, int]]:
    """From when to when the one server was busy without a break."""
    order = np.argsort(run.log.started_at)
    begin, end = run.log.started_at[order], run.log.completed_at[order]
    first = np.concatenate([[True], begin[1:] > end[:-1]])
    return list(zip(begin[first].tolist(), end[np.append(first[1:], True)].tolist(), strict=True))
