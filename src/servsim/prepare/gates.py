"""Which steps wait for a date, and when their gates open: the timetables of meetings and deliveries on the clock."""

from __future__ import annotations

from typing import Any

import numpy as np

from servsim.model import Board, Handoff, Meeting, Scenario
from servsim.model.steps import Timetable


def timetables(scenario: Scenario) -> dict[tuple[str, str], Timetable]:
    """(process, step) → its timetable; the order gives the gates their numbers."""
    found: dict[tuple[str, str], Timetable] = {}
    for process in scenario.used_processes():
        for name, step in scenario.flow(process).steps.items():
            table: Timetable | None = step if isinstance(step, Meeting | Board) else None
            if isinstance(step, Handoff):
                table = step.deliveries
            if table is not None:
                found[process, name] = table
    return found


def gate_numbers(scenario: Scenario) -> dict[tuple[str, str], int]:
    """(process, step) → its gate; the steps of one committee have one."""
    numbers: dict[tuple[str, ...], int] = {}
    found: dict[tuple[str, str], int] = {}
    for place, table in timetables(scenario).items():
        committee = getattr(table, "committee", None)
        found[place] = numbers.setdefault(place if committee is None else (committee,), len(numbers))
    return found


def gates(scenario: Scenario) -> dict[str, Any]:
    """The columns of the plan that say when gates open and whom they let through."""
    places = {number: place for place, number in reversed(gate_numbers(scenario).items())}
    every = timetables(scenario)
    tables = {places[number]: every[places[number]] for number in sorted(places)}
    at = [table.openings(scenario.clock) for table in tables.values()]
    seats = [getattr(table, "seats", None) for table in tables.values()]
    lasts = [getattr(table, "lasts", None) for table in tables.values()]
    return {
        "gates": tuple(f"{process}.{step}" for process, step in tables),
        "gate_first": np.cumsum([0, *map(len, at)]).astype(np.int32),
        "gate_at": np.concatenate([np.empty(0, np.int64), *at]),
        "gate_seats": np.array([-1 if n is None else n for n in seats], np.int32),
        "gate_deadline": np.array([getattr(table, "deadline", 0) for table in tables.values()], np.int64),
        "gate_lasts": np.array([-1 if length is None else length for length in lasts], np.int64),
    }
