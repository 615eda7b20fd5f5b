"""Does the adapter for neutral statements take any of the same kind: other values, other names, other times?

Models whose answer is a formula (statements.py), and those on file in disguise.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
import statements
import truth
from test_truth import CASES, NOT_STATED, needs_statements

Json = dict[str, Any]
GIVEN = statements.all_of_them()
MICRO = sorted(case for case in set(CASES) - NOT_STATED if "expected_segments" in CASES[case])
ODD = ("end", "rejected", "first", "desk 1", "desk_1", "初审", "初 审", "exit_", "3rd", "-", "bot", "always", "_1")
"""Names that mean something else to a scenario, or look alike once they are made ids."""


def wrong(case: Json) -> str:
    rows = truth.rows_of(case, truth.Effort.quick(), seed=5)
    return "\n".join(row.text() for row in rows if not row.ok) or ("" if rows else "nothing was compared")


@pytest.mark.parametrize("case", GIVEN)
def test_formulas(case: str) -> None:
    assert not wrong(GIVEN[case])


# ------------------------------------------------------------------ disguises


def renamed(of: Any, names: dict[str, str]) -> Any:
    """The same with other names, as keys and as values."""
    if isinstance(of, dict):
        return {names.get(key, key): renamed(value, names) for key, value in of.items()}
    if isinstance(of, list):
        return [renamed(part, names) for part in of]
    return names.get(of, of) if isinstance(of, str) else of


def named(case: Json) -> list[str]:
    """All names that the statement gives."""
    model = case["model"]
    groups = ("classes", "steps", "teams", "agents", "cases", "sla")
    found = [one["name"] for group in groups for one in model.get(group, ()) if one["name"] != "exit"]
    found += [agent["class"] for agent in model.get("cases", ()) if "class" in agent]
    found += [
        agent for team in model.get("teams", ()) for agent in team.get("named_agents", ()) if isinstance(agent, str)
    ]
    return list(dict.fromkeys(found))


WORDS = ("case", "step", "agent", "team", "service", "delay", "meeting", "waits", "completed", "class", "join", "fork",
         "business", "calendar")  # fmt: skip
"""Names that are words of the statements too."""


def under_odd_names(case: Json) -> Json:
    ours = [name for name in named(case) if name not in WORDS]
    rest = [f"{ODD[k % len(ODD)]}{k // len(ODD) or ''}" for k in range(len(ours))]
    told = renamed(
        {key: case[key] for key in case if key not in ("id", "features", "run")}, dict(zip(ours, rest, strict=True))
    )
    return {**told, "id": case["id"], **({"run": case["run"]} if "run" in case else {})}


def in_another_order(case: Json) -> Json:
    """Lists whose order means nothing, shuffled; keys too."""
    rng, case = random.Random(3), copy.deepcopy(case)
    for group in ("classes", "steps"):
        rng.shuffle(case["model"].get(group, []))
    return dict(sorted(case.items(), reverse=True)) | {
        "model": {key: case["model"][key] for key in sorted(case["model"], reverse=True)}
    }


def with_nulls(case: Json) -> Json:
    """What is not said, said to be nothing."""
    case = copy.deepcopy(case)
    nothing = {
        "steps": ("discipline", "waiting_places", "escalate", "next_by_attempt", "capacity"),
        "classes": ("priority", "patience", "if_blocked", "team_preference"),
        "teams": ("end_of_shift", "max_concurrent", "skills", "takes_work_if", "staffing"),
    }
    for group, keys in nothing.items():
        for one in case["model"].get(group, ()):
            for key in keys:
                one.setdefault(key, None)
    return case


DISGUISES: dict[str, Callable[[Json], Json]] = {
    "names": under_odd_names,
    "order": in_another_order,
    "nulls": with_nulls,
}
DISGUISED = (
    "jackson",
    "closed_9",
    "two_go_round",
    "priority_preemptive_resume",
    "attempts_in_turn",
    "twice",
    "drained",
)


@pytest.mark.parametrize("how", DISGUISES)
@pytest.mark.parametrize("case", DISGUISED)
def test_formulas_in_disguise(case: str, how: str) -> None:
    assert not wrong(DISGUISES[how](GIVEN[case]))


# ------------------------------------------------------------------ by hand, at other times

INSTANTS = ("arrival", "due", "planned_start", "horizon")
BETWEEN = ("duration", "travel", "after_waiting", "patience", "retry_after", "submission_deadline_before", "target",
           "late_by", "elapsed", "tick", "times_of")  # fmt: skip
LATER = ("completed", "closed", "delivered", "abandoned", "escalated", "rejected", "joined", "floater_present",
         "breaks_taken")  # fmt: skip
LONGER = ("waits", "response", "overtime", "waits_by_step", "waits_by_visit", "business_waits", "mean_wait_of")


def later(case: Json, by: float) -> Json:
    """Everything so much later."""

    def moved(of: Any, key: str = "", inside: str = "") -> Any:
        if isinstance(of, dict):
            return {k: moved(v, k, inside or (k if k in LATER else "")) for k, v in of.items()}
        if isinstance(of, list):
            return [moved(v, key, inside) for v in of]
        at = key in INSTANTS or (key in ("from", "to") and inside != "sla") or inside or key == "times"
        return of + by if at and isinstance(of, int | float) and not isinstance(of, bool) else of

    return {key: moved(value, key) for key, value in case.items()}


@needs_statements
@pytest.mark.parametrize("case", MICRO)
@pytest.mark.parametrize("how", ["names", "nulls"])
def test_logs_in_disguise(case: str, how: str) -> None:
    assert not wrong(DISGUISES[how](CASES[case]))


@needs_statements
@pytest.mark.parametrize("case", [c for c in MICRO if not {"sla", "horizon", "tick"} & set(CASES[c]["model"])])
@pytest.mark.parametrize("by", [0.5, 7.0, 7 * 1440.0])
def test_logs_later(case: str, by: float) -> None:
    """Half a minute, some minutes or a week later everything is as much later."""
    assert not wrong(later(CASES[case], by))


# ------------------------------------------------------------------ by hand, what no file has


def by_hand(step: Json, cases: Json, segments: str, expected: Json | None = None, **agent: Any) -> Json:
    """One agent from 0 to 500; cases by name: (arrival, times, other keys); segments: case from to [interrupted]."""
    rows = [line.split() for line in segments.strip().splitlines()]
    ends = [{"case": c, "step": "work", "agent": "A", "from": float(a), "to": float(b), "end": (*end, "completed")[0]}
            for c, a, b, *end in rows]  # fmt: skip
    return {
        "id": "by hand",
        "model": {
            "agents": [{"name": "A", "team": "T", "shifts": [{"from": 0, "to": 500}], **agent}],
            "teams": [{"name": "T", "end_of_shift": "exhaustive", "agent_selection": "longest_idle"}],
            "steps": [{"name": "work", "type": "service", "team": "T", "discipline": "fcfs", "next": "exit", **step}],
            "cases": [
                {"name": name, "arrival": at, "first_step": "work", "service_times": {"work": times}, **more}
                for name, (at, times, more) in cases.items()
            ],
        },
        "expected_segments": ends,
        "expected": expected or {},
    }


RETURNS = {"k": (0, [10, 4], {"outcomes": {"work": ["work", "exit"]}}), "l": (1, [10], {}), "m": (2, [5], {})}
BY_HAND = {
    "rework last": by_hand({}, RETURNS, "k 0 10\n l 10 20\n m 20 25\n k 25 29", {"waits_by_visit": {"k": [0, 15]}}),
    "rework first": by_hand({"rework_first": True}, RETURNS, "k 0 10\n k 10 14\n l 14 24\n m 24 29"),
    "due before it came": by_hand(
        {"discipline": "edd"},
        {"p": (0, [9], {"due": 9}), "q": (1, [5], {"due": 3}), "r": (2, [4], {"due": 1}), "s": (5, [2], {"due": 5})},
        "p 0 9\n r 9 13\n q 13 18\n s 18 20",
        {"late_by": {"p": 0, "r": 12, "s": 15}},
    ),
    "two share": by_hand(
        {},
        {"p": (0, [6], {}), "q": (0, [6], {}), "r": (2, [3], {})},
        "p 0 12\n q 0 12\n r 12 15",
        {"waits": {"r": 10}},
        max_concurrent=2,
        sharing="equal",
    ),
    "all share": by_hand(
        {"discipline": "processor_sharing"},
        {"p": (0, [6], {}), "q": (2, [2], {}), "r": (3, [9], {})},
        "p 0 11.5\n q 2 7.5\n r 3 17",
    ),
    "thirds of a minute": by_hand(
        {"discipline": "processor_sharing"},
        {"p": (0, [4], {}), "q": (1, [6], {}), "r": (2, [10], {}), "s": (3, [3], {})},
        "p 0 11.666666666666666\n s 3 14.166666666666666\n q 1 18.5\n r 2 23",
        {"completed": {"p": 11.6666667}},
    ),
    "no limit": by_hand(
        {"waiting_places": 0},
        {"p": (0, [6], {}), "q": (2, [2], {}), "r": (3, [9], {})},
        "p 0 6\n q 2 4",
        {"rejected": {"r": 3}},
        max_concurrent=2,
    ),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_by_hand(case: str) -> None:
    assert not wrong(BY_HAND[case])


def agents(**teams: str) -> list[Json]:
    shifts = [{"from": 0, "to": 500}]
    return [{"name": one, "team": team, "shifts": shifts} for team, names in teams.items() for one in names]


def service(step: str, team: str, then: str = "exit", **more: Any) -> Json:
    return {"name": step, "type": "service", "team": team, "discipline": "fcfs", "next": then, **more}


def log_of(
    who: list[Json], steps: list[Json], cases: dict[str, tuple[float, Json]], lines: str, **expected: Any
) -> Json:
    """Cases by name: (arrival, times by step); lines: case step agent from to."""
    rows = [line.split() for line in lines.strip().splitlines()]
    segments = [{"case": c, "step": s, "agent": a, "from": float(f), "to": float(t), "end": "completed"}
                for c, s, a, f, t in rows]  # fmt: skip
    first = steps[0]["name"]
    listed = [{"name": c, "arrival": at, "first_step": first, "service_times": of} for c, (at, of) in cases.items()]
    teams = [{"name": team, "end_of_shift": "exhaustive"} for team in dict.fromkeys(one["team"] for one in who)]
    model = {"agents": who, "teams": teams, "steps": steps, "cases": listed}
    return {"id": "log", "model": model, "expected_segments": segments, "expected": expected}


def test_what_is_escalated_goes_on_elsewhere() -> None:
    """The boss sends it to the archive, the desk to the cash desk; f is taken up at the very minute."""
    steps = [
        service("desk", "d", "cash", escalate={"after_waiting": 10, "to": "boss"}),
        service("boss", "b", "archive"),
        service("cash", "c"),
        {"name": "archive", "type": "delay", "next": "cash"},
    ]
    times = {"desk": [20], "boss": [5], "cash": [2], "archive": [7]}
    lines = """e desk D 0 20\n e cash C 20 22\n f desk D 20 40\n f cash C 40 42\n g boss B 15 20\n g cash C 27 29
        h boss B 21 26\n h cash C 33 35"""
    cases = {"e": (0.0, times), "f": (10.0, times), "g": (5.0, times), "h": (11.0, times)}
    escalated = {"g": 15, "h": 21}
    assert not wrong(log_of(agents(d="D", b="B", c="C"), steps, cases, lines, escalated=escalated, waits={"f": 10}))


def test_escalated_to_where_nobody_is_needed() -> None:
    steps = [service("desk", "d", escalate={"after_waiting": 10, "to": "away"}), {"name": "away", "type": "delay"}]
    cases = {"e": (0.0, {"desk": [30]}), "f": (1.0, {"desk": [9], "away": [4]})}
    assert not wrong(log_of(agents(d="D"), steps, cases, "e desk D 0 30", completed={"e": 30, "f": 15}))


def test_steps_of_one_team_with_rules_of_their_own() -> None:
    """Only what waits at the first step is escalated, though the second is the same desk."""
    steps = [service("in", "d", "out", escalate={"after_waiting": 4, "to": "boss"}), service("out", "d"),
             service("boss", "b", "out")]  # fmt: skip
    cases = {"e": (0.0, {"in": [9], "out": [3]}), "f": (2.0, {"in": [5], "boss": [2], "out": [6]})}
    lines = "e in D 0 9\n f boss B 6 8\n f out D 9 15\n e out D 15 18"
    assert not wrong(log_of(agents(d="D", b="B"), steps, cases, lines))


def test_the_order_of_agents_who_are_not_alike() -> None:
    """A, B and C are idle since the same minute: the first in the list, though only A and C are alike. Who has
    several in hand is idle since the last completion: C before B."""
    who = agents(d="ABC")
    who[1]["max_concurrent"] = 2
    cases = {"e": (0.0, {"in": [30]}), "f": (1.0, {"in": [4]}), "g": (6.0, {"in": [20]}), "h": (7.0, {"in": [20]})}
    lines = "e in A 0 30\n f in B 1 5\n g in C 6 26\n h in B 7 27"
    assert not wrong(log_of(who, [service("in", "d")], cases, lines))


def test_meetings_at_other_times_on_other_days() -> None:
    """10:00 and 14:00 on the first day, 09:00 on the third: who comes at 15:00 waits until then."""
    step = {"name": "board", "type": "meeting", "times": [600, 840, 3420], "capacity": 1, "next": "exit"}
    cases = [{"name": f"m{at}", "arrival": at, "first_step": "board", "service_times": {}} for at in (590, 595, 900)]
    model = {"agents": [], "teams": [], "steps": [step], "cases": cases}
    ends = {"m590": 600, "m595": 840, "m900": 3420}
    case = {"id": "board", "model": model, "expected_segments": [], "expected": {"completed": ends}}
    assert not wrong(case)
