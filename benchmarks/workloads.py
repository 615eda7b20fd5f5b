"""The reference workloads W1, W1flat, W2 and W3, stated as servsim scenarios.

W1: a service desk of three teams, eight weeks with daily peaks at three times the night rate; W1flat: the same at a
constant rate; W2: one queue, 20 servers, 90 % load; W3: W1 with three shifts a day.
"""

from __future__ import annotations

from servsim.model import Scenario

CASES_PER_WEEK = 12_500.0
TEAMS = {"front": 22, "specialist": 54, "manager": 8}
SHIFT_TEAMS = {"front": (15, 31, 20), "specialist": (38, 76, 48), "manager": (6, 11, 7)}


def hourly_weights() -> tuple[list[float], list[float]]:
    """Relative arrivals by hour, weekday and weekend; the weekday peak is three times the lowest."""
    day = [1.0] * 24
    for hour in (8, 12, 17):
        day[hour] = 2.0
    for hour in (9, 10, 11, 13, 14, 15, 16):
        day[hour] = 3.0
    return day, [1.0] * 24


def service_desk(weeks: float = 8.0, flat: bool = False, shifts: bool = False) -> Scenario:
    """W1, W1flat or W3 over so many weeks, run until nobody is left."""
    weekday, weekend = hourly_weights()
    unit = CASES_PER_WEEK / (5 * sum(weekday) + 2 * sum(weekend))
    mean = CASES_PER_WEEK / 168
    rates = {
        "mon-fri": [mean if flat else unit * w for w in weekday],
        "sat-sun": [mean if flat else unit * w for w in weekend],
    }

    def task(skill: str, minutes: int, following: str | dict[str, float]) -> dict[str, object]:
        time = {"kind": "lognormal", "mean": f"{minutes} min", "cv": 1.0}
        return {"kind": "task", "skill": skill, "time": time, "next": following}

    counts = SHIFT_TEAMS if shifts else {team: (n,) * 3 for team, n in TEAMS.items()}
    return Scenario.model_validate(
        {
            "name": f"bench/{'w3' if shifts else 'w1flat' if flat else 'w1'}",
            "clock": {
                "start": "2026-03-02",
                "horizon": f"{round(weeks * 168)} h",
                "run_out": "14 d",
                "arrivals_in_run_out": False,
            },
            "departments": {"desk": {}},
            "pools": {team: {"department": "desk"} for team in TEAMS},
            "shifts": {team: {"every": "8 h", "headcount": {"mon-sun": n}} for team, n in counts.items()},
            "staffing": {team: {team: 1} for team in TEAMS},
            "case_classes": {name: {"process": "p", "priority": i} for i, name in enumerate("abc", 1)},
            "demand": {
                "all": {"mix": {"a": 0.1, "b": 0.3, "c": 0.6}, "arrivals": {"kind": "hourly", "per_hour": rates}}
            },
            "dispatch": {"rule": "priority"},
            "processes": {
                "p": {
                    "start": "intake",
                    "steps": {
                        "intake": task("front", 10, "work"),
                        "work": task("specialist", 30, {"close": 0.1, "approve": 0.9}),
                        "approve": {**task("manager", 5, {"work": 0.15, "close": 0.85})},
                        "close": task("front", 4, "end"),
                    },
                }
            },
        }
    )


def single_queue(customers: int = 1_000_000, servers: int = 20, load: float = 0.9) -> Scenario:
    """W2: M/M/c with a mean service time of one minute."""
    rate = servers * load
    return Scenario.model_validate(
        {
            "name": "bench/w2",
            "clock": {
                "start": "2026-03-02",
                "horizon": f"{customers / rate} min",
                "run_out": "1 d",
                "arrivals_in_run_out": False,
            },
            "departments": {"desk": {}},
            "pools": {"clerks": {"department": "desk"}},
            "shifts": {"always": {"days": "mon-sun", "hours": "00:00-24:00"}},
            "staffing": {"clerks": {"always": servers}},
            "case_classes": {"customer": {"process": "p"}},
            "demand": {"all": {"case_class": "customer", "arrivals": {"kind": "poisson", "rate": f"{rate}/min"}}},
            "processes": {
                "p": {
                    "start": "serve",
                    "steps": {
                        "serve": {
                            "kind": "task",
                            "skill": "clerks",
                            "time": {"kind": "exponential", "mean": "1 min"},
                            "next": "end",
                        }
                    },
                }
            },
        }
    )


WORKLOADS = {
    "w1": service_desk,
    "w1flat": lambda: service_desk(flat=True),
    "w2": single_queue,
    "w3": lambda: service_desk(shifts=True),
}
