"""What the pictures of a report look like: tidy frames in, figures out; nothing is computed here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from servsim.report import changing
from servsim.report.figures.durations import response_times, time_spent
from servsim.report.figures.effects import comparison, contributions, swings
from servsim.report.figures.heat import queue_by_department, queue_by_weekday
from servsim.report.figures.hours import queue_by_hour, utilisation_by_hour, waiting_by_hour
from servsim.report.figures.look import style
from servsim.report.figures.processes import processes
from servsim.report.findings import Findings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from servsim.report.attributed import Attributed
    from servsim.report.tornado import Tornado

PICTURES: dict[str, Callable[[Findings], Figure | None]] = {
    "comparison": comparison,
    "time_spent": time_spent,
    "queue_by_department": queue_by_department,
    "queue_by_weekday": queue_by_weekday,
    "queue_by_hour": queue_by_hour,
    "waiting_by_hour": waiting_by_hour,
    "response_times": response_times,
    "utilisation_by_hour": utilisation_by_hour,
}
"""Name → what draws it; None where there are no data."""


def draw_all(found: Findings) -> dict[str, Figure]:
    """Name → every picture for which there are data."""
    drawn: dict[str, Figure] = {}
    for name, draw in PICTURES.items():
        with style():
            figure = draw(found)
            if figure is not None:
                drawn[name] = figure
    for picture in changing.drawn(found):
        with style():
            drawn[picture.name] = processes(found, picture)
    return drawn


def draw_attribution(attributed: Attributed) -> dict[str, Figure]:
    """Headline KPI → what each measure contributes to it."""
    drawn = {}
    for kpi in attributed.effects:
        with style():
            drawn[kpi] = contributions(attributed, kpi)
    return drawn


def draw_tornado(tornado: Tornado) -> dict[str, Figure]:
    """Headline KPI → how far each assumption moves it."""
    drawn = {}
    for kpi in tornado.figures:
        with style():
            drawn[kpi] = swings(tornado, kpi)
    return drawn
