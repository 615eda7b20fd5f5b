"""Which meetings are the same meetings, although several steps lead to them, and where these contradict one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from servsim.model.errors import Path
from servsim.model.steps import Agenda

if TYPE_CHECKING:
    from servsim.model.scenario import Scenario

SAME = ("days", "times", "by_day", "every", "first", "seats", "deadline", "lasts")
"""What one committee says once."""


def meetings(of: Scenario) -> Iterator[tuple[tuple[str, str], Agenda]]:
    """(process, step) and its agenda."""
    for process in of.used_processes():
        for name, step in of.flow(process).steps.items():
            if isinstance(step, Agenda):
                yield (process, name), step


def flaws(of: Scenario) -> Iterator[tuple[Path, str]]:
    """(path in the YAML, what is wrong)."""
    first: dict[str, tuple[tuple[str, str], Agenda]] = {}
    for place, step in meetings(of):
        if step.committee is None:
            continue
        other, same = first.setdefault(step.committee, (place, step))
        for key in SAME:
            if getattr(step, key) != getattr(same, key):
                path: Path = ("processes", place[0], "steps", place[1], key)
                told = f"the committee '{step.committee}' meets as '{'.'.join(other)}' says; write the same here"
                yield path, told
                break
