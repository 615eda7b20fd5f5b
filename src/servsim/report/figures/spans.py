"""What is the picture of a tuning? For each assumption its range, the factors that the facts allow, the one found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from servsim.report.figures.look import BLUE, GREY, INK, SKY, style
from servsim.report.tuned import PICTURE, Tuned
from servsim.report.writing import balanced

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_tuning(tuned: Tuned) -> dict[str, Figure]:
    """Name → the picture."""
    with style():
        return {PICTURE: accepted(tuned)}


def accepted(tuned: Tuned) -> Figure:
    """A row per assumption, factors from left to right."""
    from matplotlib.figure import Figure

    say, t = tuned.found.words, tuned.tuning
    names = ["\n".join(balanced(tuned.assumption(name), 28)) for name in t.ranges.assumptions]
    figure = Figure(figsize=(6.4, 1.3 + 0.42 * len(names)), layout="constrained")
    axes = figure.subplots()
    rows = zip(t.ranges.low, t.ranges.high, t.accepted, t.factors, strict=True)
    for place, (low, high, one, factor) in enumerate(rows):
        axes.barh(-place, high - low, left=low, height=0.5, color=SKY, label=say("tuned.column.range"))
        axes.barh(-place, one.high - one.low, left=one.low, height=0.22, color=BLUE, label=say("tuned.column.accepted"))
        axes.plot(factor, -place, "o", color=INK, label=say("tuned.column.factor"))
    axes.axvline(1.0, color=GREY, linewidth=0.9)
    axes.set_xscale("log")
    axes.set_yticks([-place for place in range(len(names))], names)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(say("tuned.axis"))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles[:3], labels[:3], loc="outside upper left", ncols=3)
    return figure
