"""How long it takes and what the time goes into: response times, parts of the time of a case."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from servsim.report.figures.look import BLUE, FAINT, GREY, INK, LIMIT, PALE, VERMILLION
from servsim.report.figures.parts import axis_titles, legend, more_space_between, panels, row_names, with_unit
from servsim.report.findings import Findings
from servsim.report.writing import Scale, balanced

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS = {
    "working": (BLUE, ""), "busy": ("#56B4E9", ""), "nobody_on_shift": (VERMILLION, ""),
    "dispatch_delay": ("#E69F00", ""), "outage": (INK, ""), "required_person": ("#CC79A7", ""),
    "overtaken": ("#F0E442", ""), "meeting": ("#009E73", ""), "handover": (GREY, ""),
    "interrupted": (BLUE, "////"), "delays": (PALE, r"\\"), "before_start": (FAINT, ""),
}  # fmt: skip
"""What the time of a case goes into → colour and hatching, in the order of the picture."""


def response_times(found: Findings) -> Figure | None:
    """The share of the answered cases that were answered within a time."""
    every = {s: found.response_times(s) for s in (found.baseline, *found.ranked)}
    frames = {s: frame[::2] for s, frame in every.items() if frame is not None}
    if not frames:
        return None
    limits = found.promised()
    longest = max(float(frame["minutes"].quantile(0.99)) for frame in frames.values())

    def draw(axes: Axes, scenario: str, line: Mapping[str, Any]) -> None:
        cumulative(axes, frames[scenario], line)

    figure, places = panels(found, frames, draw)
    for axes in places:
        _time_axis(axes, found, max(longest, *limits, 10.0))
        axes.set_ylim(0, 100)
        for limit in limits:
            axes.axvline(limit, **LIMIT)
    axis_titles(figure, found.words("axis.within"), found.words("axis.answered"))
    legend(figure, found, interval=True, promise=bool(limits))
    return figure


def time_spent(found: Findings) -> Figure | None:
    """Where the time of a case goes: a bar per scenario, in parts of what it is spent on."""
    rows = {s: parts for s in (found.baseline, *found.ranked) if (parts := found.time_spent(s))}
    total = max((sum(parts.values()) for parts in rows.values()), default=0.0)
    if not total:
        return None
    from matplotlib.figure import Figure

    shown = [what for what in LOOKS if any(parts.get(what, 0) >= total / 200 for parts in rows.values())]
    names = [balanced(found.label(s), 26) for s in rows]
    heights = [max(0.36, 0.16 * len(name) + 0.14) for name in names]
    places = [-(sum(heights[:i]) + height / 2) for i, height in enumerate(heights)]
    figure = Figure(figsize=(7.6, sum(heights) + 1.1 + 0.2 * (len(shown) // 3 + 1)))
    more_space_between(figure)
    label, axes = figure.subplots(1, 2, sharey=True, width_ratios=(2.1, 5.3))
    row_names(label, names, places, sum(heights))
    scale = found.scale("cycle_time_mean", total)
    lengths = [[scale.factor * parts.get(what, 0) for what in shown] for parts in rows.values()]
    stacked(axes, list(zip(places, lengths, strict=True)), [LOOKS[what] for what in shown])
    _totals(axes, found, dict(zip(rows, places, strict=True)), scale)
    axes.set_xlabel(with_unit(found, found.words("axis.per_case"), scale))
    _legend_of_parts(figure, found, shown)
    return figure


def _totals(axes: Axes, found: Findings, places: Mapping[str, float], scale: Scale) -> None:
    """All of it, at the end of each bar: the mean cycle time with its interval."""
    widest = 0.0
    for scenario, place in places.items():
        whole = found.estimate(scenario, "cycle_time_mean")
        if whole is None or not math.isfinite(whole.mean):
            continue
        low, high = (end if math.isfinite(end) else whole.mean for end in (whole.lower, whole.upper))
        axes.plot([scale.factor * low, scale.factor * high], [place, place], color=INK, linewidth=1.1)
        axes.annotate(
            scale.value(whole.mean, whole.half_width), (scale.factor * high, place), (4, 0),
            textcoords="offset points", va="center", fontsize=7.5,
        )  # fmt: skip
        widest = max(widest, scale.factor * high)
    axes.set_xlim(right=max(axes.get_xlim()[1], 1.16 * widest))


def cumulative(axes: Axes, frame: pd.DataFrame, line: Mapping[str, Any]) -> None:
    """quantile, minutes, lower, upper as the share (in %) up to each time, with the interval of the time as a band."""
    times, shares = frame[["minutes", "lower", "upper"]].clip(lower=_SHORTEST), 100 * frame["quantile"]
    axes.fill_betweenx(shares, times["lower"], times["upper"], color=line["color"], alpha=0.25, linewidth=0)
    axes.plot(times["minutes"], shares, **line)


def stacked(axes: Axes, rows: Sequence[tuple[float, Sequence[float]]], looks: Sequence[tuple[str, str]]) -> None:
    """Place and lengths of each row as bars of these colours and hatchings, one behind the other; what is long enough
    bears its share."""
    longest = max(sum(lengths) for _, lengths in rows)
    for place, lengths in rows:
        at, total = 0.0, sum(lengths)
        for length, (colour, hatch) in zip(lengths, looks, strict=True):
            axes.barh(place, length, 0.26, at, color=colour, hatch=hatch, edgecolor="white", linewidth=0.6)
            if length >= 0.06 * longest:
                box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
                share = f"{100 * length / total:.0f}%"
                axes.text(at + length / 2, place, share, ha="center", va="center", fontsize=7.0, bbox=box)
            at += length
    axes.set_xlim(0, 1.02 * longest)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0, labelleft=False)
    axes.spines["left"].set_visible(False)


def _time_axis(axes: Axes, found: Findings, longest: float) -> None:
    """A logarithmic axis of minutes with ticks at times that people name."""
    shortest = _SHORTEST if longest <= 60 else 1.0
    shown = [(at, text) for at, text in _NAMED_TIMES if shortest <= at <= longest * 1.3]
    axes.set_xscale("log")
    axes.set_xlim(shortest, longest * 1.3)
    axes.set_xticks([at for at, _ in shown], [_time(found, text) for _, text in shown])
    axes.minorticks_off()


_SHORTEST = 1 / 12  # minutes; an answer at once is shown at the left edge
_NAMED_TIMES = (
    (1 / 12, "5 s"), (1 / 3, "20 s"), (1, "1 min"), (5, "5 min"), (30, "30 min"), (120, "2 h"), (480, "8 h"),
    (1440, "1 d"), (5760, "4 d"), (20160, "14 d"), (86400, "60 d"),
)  # fmt: skip


def _time(found: Findings, text: str) -> str:
    n, unit = text.split()
    return f"{n}{found.words('unit.gap')}{found.words(f'unit.{unit}')}"


def _legend_of_parts(figure: Figure, found: Findings, shown: Sequence[str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0.6, label=found.words(f"spent.{what}"))
        for what in shown
        for colour, hatch in [LOOKS[what]]
    ]
    handles.append(Line2D([], [], color=INK, linewidth=1.1, label=found.words("axis.interval_of_all")))
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
