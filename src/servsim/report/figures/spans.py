"""What is the picture of a tuning? For each assumption its range, the factors that the facts allow, the one found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from servsim.report.figures.look import BLUE, GREY, INK, SKY, style
from servsim.report.tuned import PICTURE, Tuned
from servsim.report.writing import balanced

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_tuning(tuned: Tuned) -> dict[str, Figure]:
    """Name → the picture."""
    with style():
        return {PICTURE: accepted(tuned)}


def accepted(tuned: Tuned) -> Figure:
    """A row per assumption, factors from left to right."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    say, t = tuned.found.words, tuned.tuning
    names = ["\n".join(balanced(tuned.assumption(name), 28)) for name in t.ranges.assumptions]
    figure = Figure(figsize=(6.4, 1.3 + 0.42 * len(names)), layout="constrained")
    axes = figure.subplots()
    rows = zip(t.ranges.low, t.ranges.high, t.accepted, t.factors, strict=True)
    for place, (low, high, one, factor) in enumerate(rows):
        axes.barh(-place, high - low, left=low, height=0.5, color=SKY)
        axes.barh(-place, one.high - one.low, left=one.low, height=0.22, color=BLUE)
        axes.plot(factor, -place, "o", color=INK)
    axes.axvline(1.0, color=GREY, linewidth=0.9)
    axes.set_yticks([-place for place in range(len(names))], names)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(say("tuned.axis"))
    _factors(axes, float(t.ranges.low.min()), float(t.ranges.high.max()))
    handles: list[Any] = [Patch(color=SKY), Patch(color=BLUE), Line2D([], [], color=INK, marker="o", linestyle="")]
    labels = [say(f"tuned.column.{name}") for name in ("range", "accepted", "factor")]
    figure.legend(handles, labels, loc="outside upper left", ncols=3)
    return figure


def _factors(axes: Axes, low: float, high: float) -> None:
    """A logarithmic axis with a few round factors on it."""
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(low / (high / low) ** 0.04, high * (high / low) ** 0.04)
    fine = [0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.5, 2, 3, 5, 10]
    coarse = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
    axes.xaxis.set_major_locator(FixedLocator(fine if high / low < 10 else coarse))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
