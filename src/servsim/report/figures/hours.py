"""When it is busy: figures by hour of the day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from servsim.report.figures.parts import axis_titles, legend, panels, with_unit
from servsim.report.findings import Findings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def waiting_by_hour(found: Findings) -> Figure | None:
    return _by_hour(found, "first_response_mean", "hour_of_arrival")


def utilisation_by_hour(found: Findings) -> Figure | None:
    return _by_hour(found, "utilisation", "hour_of_day")


def queue_by_hour(found: Findings) -> Figure | None:
    return _by_hour(found, "queue_length_mean", "hour_of_day")


def _by_hour(found: Findings, kpi: str, axis: str) -> Figure | None:
    frames = {s: frame for s in (found.baseline, *found.ranked) if (frame := found.by_hour(s, kpi)) is not None}
    if not frames:
        return None
    scale = found.scale(kpi, max(float(frame["value"].max()) for frame in frames.values()))

    def draw(axes: Axes, scenario: str, line: Mapping[str, Any]) -> None:
        hourly(axes, frames[scenario], line, scale.factor)

    figure, places = panels(found, frames, draw)
    for axes in places:
        axes.set_xlim(-0.5, 23.5)
        axes.set_xticks(range(0, 24, 3))
        axes.set_ylim(0, _FULL * scale.factor if _is_beyond(kpi, frames.values()) else None)
    axis_titles(figure, found.words(f"axis.{axis}"), with_unit(found, found.kpi(kpi), scale))
    legend(figure, found, interval=True)
    return figure


_FULL = 1.5
"""Utilisation that the picture still shows: work that runs on after a shift has next to no rostered hours."""


def _is_beyond(kpi: str, frames: Iterable[pd.DataFrame]) -> bool:
    return kpi == "utilisation" and max(float(frame["value"].max()) for frame in frames) > _FULL


def hourly(axes: Axes, frame: pd.DataFrame, line: Mapping[str, Any], factor: float = 1.0) -> None:
    """hour, value, lower, upper as a line with its intervals as a band."""
    low, high = factor * frame["lower"], factor * frame["upper"]
    axes.fill_between(frame["hour"], low, high, color=line["color"], alpha=0.25, linewidth=0)
    axes.plot(frame["hour"], factor * frame["value"], **line)
