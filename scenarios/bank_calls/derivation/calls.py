"""Which rows of the call file are demand for agents, and what was set aside?

Every function here works on seconds since midnight of 1 February 1999 (`FIRST_DAY`), the wall clock of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

FIRST_DAY = pd.Timestamp("1999-02-01")
N_DAYS = 20
DAY = 86_400
TECHNICAL_SERVICE = 20  # s; AGENT without a server and served no longer than this is a recording of the machine

# Incidents: (day of February, from, to) as seconds of the day. Seen in the counts of calls per five minutes.
INCIDENTS = {
    "six times the usual calls, hardly any answered": (3, 12 * 3600 + 50 * 60, 13 * 3600 + 40 * 60),
    "five times the usual calls, median call 22 s": (14, 21 * 3600 + 10 * 60, 22 * 3600 + 30 * 60),
}
DAY_GROUPS = {"mon_wed": ("mon", "wed"), "sun_tue_thu": ("sun", "tue", "thu"), "fri": ("fri",), "sat": ("sat",)}
OPENING = {"mon_wed": (7, 24), "sun_tue_thu": (7, 24), "fri": (7, 14), "sat": (19.5, 24)}  # hours
PROCESS = {"PS": "account", "PE": "account", "NE": "stock", "NW": "new", "IN": "internet", "TT": "call_back"}
WITH_PRIORITY = ("account", "stock")  # in the others nearly nobody holds priority 2


@dataclass(frozen=True)
class Calls:
    """The rows that count, and how many were set aside for which reason."""

    demand: pd.DataFrame  # arrived, wait, answered, service, served_from, served_to, server, process, priority, queued
    served: pd.DataFrame  # every stretch of work by a named agent, incidents included: that is when agents were there
    set_aside: pd.Series  # reason → rows


def read(folder: Path) -> pd.DataFrame:
    """The call file with instants in seconds and durations in seconds; raises FileNotFoundError."""
    calls = pd.read_csv(folder / "calls.csv.gz", dtype=str, keep_default_na=False)
    for column in ("vru_entry", "vru_exit", "queue_start", "queue_exit", "service_start", "service_exit"):
        at = pd.to_datetime(calls[column].str[:19], errors="coerce")
        calls[column] = (at - FIRST_DAY).dt.total_seconds()
    for column in ("vru_time", "queue_time", "service_time"):
        calls[column] = pd.to_numeric(calls[column])
    return calls


def reasons(calls: pd.DataFrame) -> pd.Series:
    """Why each row is set aside, "" where it counts as demand; the first reason that fits."""
    arrived, answered = arrival(calls), calls.outcome == "AGENT"
    machine = answered & (calls.server == "NO_SERVER") & (calls.service_time <= TECHNICAL_SERVICE)
    tests: dict[str, pd.Series] = {
        "hung up in the voice unit": (calls.outcome == "HANG") & (calls.queue_time == 0),
        "PHANTOM": calls.outcome == "PHANTOM",
        f"AGENT, NO_SERVER and at most {TECHNICAL_SERVICE} s": machine,
    }
    for what, (day, begin, end) in INCIDENTS.items():
        tests[f"incident of {day} February ({what})"] = during(arrived, day, begin, end)
    tests["joined outside opening hours"] = pd.Series(~is_open(arrived), index=calls.index)
    why = pd.Series("", index=calls.index)
    for reason, holds in tests.items():
        why[holds & (why == "")] = reason
    return why


def arrival(calls: pd.DataFrame) -> pd.Series:
    """When the call joined the queue or was put through: leaving the voice unit, never before entering it."""
    return calls[["vru_entry", "vru_exit"]].max(axis=1)


def during(at: pd.Series, day: int, begin: int, end: int) -> pd.Series:
    """True within an interval of one day of February."""
    return at.between((day - 1) * DAY + begin, (day - 1) * DAY + end, inclusive="left")


def in_incident(at: np.ndarray) -> np.ndarray:
    """True during an incident."""
    spans = [((day - 1) * DAY + begin, (day - 1) * DAY + end) for day, begin, end in INCIDENTS.values()]
    return np.asarray(np.any([(at >= begin) & (at < end) for begin, end in spans], axis=0))


def is_open(at: pd.Series | np.ndarray) -> np.ndarray:
    """True within the opening hours of the day's group."""
    at = np.asarray(at)
    bounds = np.array([OPENING[group] for group in day_groups()])[(at // DAY).astype(int) % N_DAYS]
    hour = at % DAY / 3600
    return np.asarray((hour >= bounds[:, 0]) & (hour < bounds[:, 1]))


def weekdays() -> list[str]:
    """Weekday of each day of the file."""
    return [(FIRST_DAY + pd.Timedelta(days=day)).day_name()[:3].lower() for day in range(N_DAYS)]


def day_groups() -> list[str]:
    """Group of each day of the file."""
    group_of = {weekday: group for group, days in DAY_GROUPS.items() for weekday in days}
    return [group_of[weekday] for weekday in weekdays()]


def sort_out(calls: pd.DataFrame) -> Calls:
    """The rows that are demand for agents, with what the model needs to know of each."""
    why = reasons(calls)
    kept = calls[why == ""]
    arrived = arrival(kept)
    answered = kept.outcome == "AGENT"
    late = kept.vru_time < 0  # queue_start lies before vru_entry: count the wait from vru_entry
    wait = np.where(late, np.maximum(kept.queue_exit - arrived, 0), kept.queue_time)
    demand = pd.DataFrame(
        {
            "arrived": arrived,
            "wait": wait,
            "answered": answered,
            "queued": (kept.queue_time > 0) & ~late,
            "service": np.where(answered & kept.service_start.notna(), kept.service_time, np.nan),
            "server": np.where(answered & (kept.server != "NO_SERVER"), kept.server, ""),
            "type": kept.service_type,
            "process": kept.service_type.map(PROCESS),
            "priority": kept.priority,
            "left_queue": arrived + wait,
        }
    ).sort_values("arrived", kind="stable", ignore_index=True)
    return Calls(demand, served_by_name(calls), why[why != ""].value_counts())


def served_by_name(calls: pd.DataFrame) -> pd.DataFrame:
    """Stretches of work by named agents: server, begin, end, type."""
    kept = calls[(calls.outcome == "AGENT") & (calls.server != "NO_SERVER") & calls.service_start.notna()]
    served = pd.DataFrame(
        {"server": kept.server, "begin": kept.service_start, "end": kept.service_exit, "type": kept.service_type}
    )
    return served.astype({"begin": int, "end": int}).sort_values(["server", "begin"], ignore_index=True)


def quirks(calls: pd.DataFrame, demand: pd.DataFrame) -> pd.Series:
    """How often each recording quirk occurs among the rows that count."""
    answered = demand[demand.answered]
    return pd.Series(
        {
            "negative voice-unit time, wait counted from its entry": int((calls.vru_time < 0).sum()),
            "answered, service time not recorded (no service start)": int(answered.service.isna().sum()),
            "answered, server not recorded, longer than technical": int((answered.server == "").sum()),
            "answered, service of at most 10 s (kept: the agent was taken)": int((answered.service <= 10).sum()),
            "queued, customer not identified (priority 0)": int((demand.queued & (demand.priority == "0")).sum()),
        }
    )
