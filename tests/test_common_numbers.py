"""A draw belongs to its case, step, purpose and visit: whatever is changed, every other draw stays as it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from worlds import mapping

from servsim import prepare
from servsim.model import Scenario
from servsim.quantities import MINUTE
from servsim.records import Workload
from servsim.simulate import simulate

Key = tuple[str, int, str, int]
Change = Callable[[dict[str, Any]], None]


def gamma(minutes: float) -> dict[str, Any]:
    return {"kind": "gamma", "mean": f"{minutes} min", "cv": 0.7}


def base() -> dict[str, Any]:
    """Two sources, two classes, three steps with rework, an approval, a hand-over, patience, a dispatch delay."""
    steps = {
        "serve": {"kind": "task", "skill": "desk", "time": gamma(5), "next": {"push": 0.7, "serve": 0.1, "end": 0.2}},
        "push": {
            "kind": "handoff", "to": "office", "delay": gamma(20), "returned": 0.2, "back_to": "serve", "next": "fix",
        },
        "fix": {"kind": "task", "skill": "back", "time": gamma(30), "next": "check"},
        "check": {
            "kind": "approval", "skill": "back", "time": gamma(3), "return": 0.3, "return_to": "fix", "reject": 0.1,
            "next": "end",
        },
    }  # fmt: skip
    poisson = {"kind": "poisson", "rate": "20/h"}
    return mapping(
        pools={name: {"department": "office"} for name in ("desk", "back")},
        staffing={"desk": {"always": 5}, "back": {"always": 20}},
        case_classes={
            "ordinary": {"process": "p", "priority": 2, "patience": {"kind": "exponential", "mean": "9 min"}},
            "vip": {"process": "p", "attributes": {"amount": {"numbers": {"kind": "uniform", "low": 0, "high": 9}}}},
        },
        demand={
            "calls": {"mix": {"ordinary": 0.7, "vip": 0.3}, "arrivals": poisson, "busy_days": {"cv": 0.3}},
            "mails": {"case_class": "ordinary", "arrivals": {"kind": "renewal", "gap": gamma(6)}},
        },
        processes={"p": {"start": "serve", "steps": steps}},
        dispatch={"delay": gamma(2)},
    )


def workload(config: dict[str, Any], seed: int = 1) -> Workload:
    return prepare.workload(Scenario.model_validate(config), seed, 0)


def keys(work: Workload) -> list[tuple[str, int]]:
    """(source, how many came from it before) of each case."""
    seen = dict.fromkeys(range(len(work.sources)), 0)
    found = []
    for source in work.source.tolist():
        found.append((work.sources[source], seen[source]))
        seen[source] += 1
    return found


def by_case(work: Workload) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Arrival, class, patience and path of each case."""
    steps = np.array(work.steps.names, object)[work.step]
    paths = [tuple(steps[a:b]) for a, b in zip(work.first_item[:-1], work.first_item[1:], strict=True)]
    classes = [work.classes[k] for k in work.case_class]
    rows = zip(work.arrived_at.tolist(), classes, work.patience.tolist(), paths, strict=True)
    return dict(zip(keys(work), rows, strict=True))


def by_item(work: Workload) -> dict[Key, tuple[int, int, int]]:
    """Work, hold and outcome of each visit, by source, entry, step and visit."""
    case, names = keys(work), work.steps.names
    columns = zip(work.case, work.step, work.visit, work.work, work.hold, work.returned, strict=True)
    return {(*case[c], names[s], int(v)): (int(w), int(h), int(r)) for c, s, v, w, h, r in columns}


def changed(change: Change) -> tuple[Workload, Workload]:
    config = base()
    change(config)
    return workload(base()), workload(config)


def differing(one: Workload, other: Workload) -> set[str]:
    """The columns that are not the same."""
    return {c.name for c in dataclasses.fields(Workload) if not same(getattr(one, c.name), getattr(other, c.name))}


def same(a: Any, b: Any) -> bool:
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, part.name), getattr(b, part.name)) for part in dataclasses.fields(a))
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else bool(a == b)


def put(value: Any, *path: str) -> Change:
    """The change of one value."""

    def change(config: dict[str, Any]) -> None:
        for name in path[:-1]:
            config = config.setdefault(name, {})
        config[path[-1]] = value

    return change


SERVE = ("processes", "p", "steps", "serve")

SAME: dict[str, tuple[Change, set[str]]] = {
    "another headcount": (put(9, "staffing", "desk", "always"), set()),
    "no one at the desk but a named worker": (
        lambda config: config.update(
            staffing={"back": {"always": 20}}, workers={"li": {"pool": "desk", "shifts": ["always"], "pace": 80}}
        ),
        set(),
    ),
    "breaks": (put([{"at": "12:00", "lasts": "30 min"}], "shifts", "always", "breaks"), set()),
    "another end of shift": (put("suspend", "pools", "desk", "end_of_shift"), set()),
    "wages": (put(60, "pools", "desk", "wage"), set()),
    "another dispatch rule": (put("priority", "dispatch", "rule"), set()),
    "random order": (put("random", "dispatch", "rule"), {"lot"}),
    "another assignment": (put("fixed", "dispatch", "assignment"), set()),
    "escalation": (put({"after": "9 min", "to": "back"}, "dispatch", "escalate"), set()),
    "another priority": (put(7, "case_classes", "vip", "priority"), set()),
    "no dispatch delay": (put(None, "dispatch", "delay"), {"hold"}),
    "a longer dispatch delay": (put(gamma(60), "dispatch", "delay"), {"hold"}),
    "no patience": (put(None, "case_classes", "ordinary", "patience"), {"patience"}),
    "patience for all": (put("20 min", "case_classes", "vip", "patience"), {"patience"}),
    "a promise": (
        put({"first_response": {"limit": "2 h", "penalty": 3}}, "case_classes", "vip", "promises"),
        {"due_at", "promise_penalty"},
    ),
    "a longer service": (put(gamma(6), *SERVE, "time"), {"work"}),
    "another distribution of service": (put("5 min", *SERVE, "time"), {"work"}),
    "a quicker hand-over": (put("1 min", "processes", "p", "steps", "push", "delay"), {"work"}),
    "an automated share": (put({"share": 0.3, "time": "1 s"}, *SERVE, "automated"), {"work", "hold", "skill"}),
    "a channel": (put("phone", "demand", "calls", "channel"), {"channels"}),
}


@pytest.mark.parametrize("what", SAME)
def test_a_change_changes_what_it_is_about_and_nothing_else(what: str) -> None:
    change, columns = SAME[what]
    one, other = changed(change)
    assert differing(one, other) == columns


def test_longer_services_are_longer_for_the_same_cases() -> None:
    """The same uniform: whose service was longer than another's still has the longer one."""
    one, other = changed(put({"kind": "lognormal", "mean": "8 min", "cv": 2}, *SERVE, "time"))
    serve = one.step == one.steps.names.index("serve")
    assert (np.argsort(one.work[serve]) == np.argsort(other.work[serve])).all()
    assert (one.work[~serve] == other.work[~serve]).all()


def test_an_automated_share_leaves_the_work_of_the_others() -> None:
    one, other = changed(SAME["an automated share"][0])
    by_hand = other.skill >= 0
    assert 0 < (by_hand & (one.skill >= 0)).sum() < (one.skill >= 0).sum()
    assert (one.work[by_hand] == other.work[by_hand]).all()
    assert (one.hold[by_hand] == other.hold[by_hand]).all()


def test_a_larger_automated_share_takes_in_the_smaller() -> None:
    small, large = (workload(config(put({"share": share}, *SERVE, "automated"))) for share in (0.2, 0.5))
    serve = small.step == small.steps.names.index("serve")
    assert ((small.skill < 0) & serve <= (large.skill < 0)).all()


def config(change: Change) -> dict[str, Any]:
    made = base()
    change(made)
    return made


def shared(one: Workload, other: Workload) -> int:
    """Asserts that all visits that both have are the same; returns how many they are."""
    before, after = by_item(one), by_item(other)
    common = before.keys() & after.keys()
    assert all(before[key] == after[key] for key in common)
    return len(common)


def test_a_skipped_step_leaves_all_others() -> None:
    one, other = changed(put({"go": {"kind": "skip", "process": "p", "step": "push"}}, "edits"))
    lost = by_item(one).keys() - by_item(other).keys()
    # without the hand-over nothing is sent back to the desk: second visits there may be missing, and what follows
    assert {key[2] for key in lost if key[3] == 0} == {"push"}
    assert shared(one, other) > 0.6 * one.n_items
    assert {k: v[:3] for k, v in by_case(one).items()} == {k: v[:3] for k, v in by_case(other).items()}


def test_a_new_step_leaves_all_others() -> None:
    def survey(made: dict[str, Any]) -> None:
        steps = made["processes"]["p"]["steps"]
        steps["check"]["next"] = "survey"
        steps["survey"] = {"kind": "task", "skill": "desk", "time": gamma(2), "next": "end"}

    one, other = changed(survey)
    assert shared(one, other) == one.n_items
    assert other.n_items > one.n_items


def test_a_step_moved_elsewhere_keeps_its_draws() -> None:
    edits = {"late": {"kind": "move", "process": "p", "step": "push", "after": "fix"}}
    one, other = changed(put(edits, "edits"))
    assert shared(one, other) > 0.8 * one.n_items


def test_less_rework_leaves_first_visits() -> None:
    one, other = changed(put(0.0, "processes", "p", "steps", "check", "return"))
    first = {key: value[:2] for key, value in by_item(one).items() if key[3] == 0}
    still = {key: value[:2] for key, value in by_item(other).items() if key[3] == 0}
    assert first.items() >= {k: v for k, v in still.items() if k in first}.items()
    assert max(key[3] for key in by_item(other) if key[2] == "check") < max(
        key[3] for key in by_item(one) if key[2] == "check"
    )


def test_a_new_source_leaves_the_others() -> None:
    letters = {"case_class": "vip", "arrivals": {"kind": "poisson", "rate": "7/h"}}
    one, other = changed(put(letters, "demand", "letters"))
    assert shared(one, other) == one.n_items
    assert by_case(one).items() <= by_case(other).items()


def test_a_source_taken_away_leaves_the_others() -> None:
    one, other = changed(lambda made: made["demand"].pop("calls"))
    assert shared(other, one) == other.n_items > 0


def test_a_new_class_in_the_mix_leaves_arrivals_and_the_draws_of_all_cases() -> None:
    """Who changes class has other patience and may go another way; work at a step stays what it was."""

    def add(made: dict[str, Any]) -> None:
        made["case_classes"]["new"] = {"process": "p"}
        made["demand"]["calls"]["mix"] = {"ordinary": 0.7, "vip": 0.1, "new": 0.2}

    one, other = changed(add)
    assert (one.arrived_at == other.arrived_at).all()
    assert shared(one, other) == one.n_items == other.n_items
    ordinary = one.case_class == 0
    assert (one.patience[ordinary] == other.patience[ordinary]).all()
    assert (other.case_class[ordinary] == 0).all()


def test_more_demand_brings_the_same_cases_sooner_and_others_after_them() -> None:
    one, other = changed(put(1.5, "demand", "calls", "factor"))
    before, after = by_case(one), by_case(other)
    calls = [key for key in before if key[0] == "calls"]
    assert len([key for key in after if key[0] == "calls"]) > 1.3 * len(calls)
    for key in calls:
        assert before[key][1:] == after[key][1:]
        assert after[key][0] <= before[key][0]
    assert all(before[key] == after[key] for key in before if key[0] == "mails")
    assert shared(one, other) == one.n_items


def test_a_surge_leaves_the_cases_what_they_are() -> None:
    surge = {"sale": {"from": "2026-03-02", "to": "2026-03-02", "factor": 3}}
    one, other = changed(put(surge, "demand", "calls", "surges"))
    assert shared(one, other) == one.n_items
    assert other.n_items > 1.5 * one.n_items


def test_busy_days_leave_the_cases_what_they_are() -> None:
    one, other = changed(put(None, "demand", "calls", "busy_days"))
    assert shared(one, other) >= 0.5 * one.n_items
    assert one.arrived_at.tolist() != other.arrived_at.tolist()


def test_a_longer_clock_adds_cases_at_its_end() -> None:
    one, other = changed(put("3 d", "clock", "horizon"))
    assert (other.arrived_at[: one.n_cases] == one.arrived_at).all()
    assert shared(one, other) == one.n_items


def test_another_seed_changes_every_draw() -> None:
    one, other = workload(base(), seed=1), workload(base(), seed=2)
    same = by_item(one).items() & by_item(other).items()
    assert len({key for key, value in same if value[0] > 0}) < 0.001 * one.n_items


def test_differences_between_scenarios_are_those_of_the_measure() -> None:
    """Two more at the desk: nobody waits longer there, and everybody's work is the same."""
    few, more = (simulate(Scenario.model_validate(config(put(n, "staffing", "desk", "always")))) for n in (5, 7))
    assert (few.workload.work == more.workload.work).all()
    first = few.workload.first_item[:-1]
    answered = (few.log.started_at[first] >= 0) & (more.log.started_at[first] >= 0)
    wait = [(run.log.started_at - run.log.offered_at)[first][answered] / MINUTE for run in (few, more)]
    assert wait[0].mean() > wait[1].mean()
    assert (wait[1] <= wait[0] + 1e-9).mean() > 0.95
