"""What several pictures share: rows with names, small multiples, titles of axes, legends."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from servsim.kpis import KPIS
from servsim.report.figures.look import AFTER, BEFORE, GREY, LIMIT, STYLE
from servsim.report.findings import Findings
from servsim.report.writing import Scale, balanced

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

def panels(
    found: Findings, frames: Mapping[str, object], draw: Callable[[Axes, str, Mapping[str, Any]], None]
) -> tuple[Figure, list[Axes]]:
    """Small multiples: the baseline in grey in every panel, one other scenario in colour in each."""
    from matplotlib.figure import Figure

    others: list[str | None] = [s for s in found.ranked if s in frames] or [None]
    columns = min(3, len(others))
    rows = math.ceil(len(others) / columns)
    figure = Figure(figsize=(max(6.0, 3.1 * columns), 0.8 + (3.0 if rows == 1 else 2.1) * rows))
    more_space_between(figure)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, scenario in zip(grid, others, strict=False):
        if found.baseline in frames:
            draw(axes, found.baseline, BEFORE if scenario else AFTER)
        if scenario:
            draw(axes, scenario, AFTER)
            axes.set_title("\n".join(balanced(found.label(scenario), 70 if columns == 1 else 40)))
    for axes in grid[len(others) :]:
        axes.set_axis_off()
    for axes in grid[max(0, len(others) - columns) : len(others)]:
        axes.tick_params(labelbottom=True)
    return figure, list(grid[: len(others)])


def row_names(axes: Axes, names: Sequence[Sequence[str]], places: Sequence[float], height: float) -> None:
    axes.set_axis_off()
    axes.set_ylim(-height, 0)
    for name, place in zip(names, places, strict=True):
        axes.text(0, place, "\n".join(name), transform=axes.get_yaxis_transform(), va="center", linespacing=1.25)


def axis_titles(figure: Figure, x: str, y: str) -> None:
    figure.supxlabel(x, fontsize=STYLE["font.size"])
    figure.supylabel(y, fontsize=STYLE["font.size"])


def difference_title(found: Findings, kpi: str) -> str:
    """'difference, min (← better)'"""
    scale = found.scale(kpi)
    symbol = scale.difference_symbol
    hint = {"lower": "axis.better_left", "higher": "axis.better_right"}.get(KPIS[kpi].better or "")
    title = found.words("axis.difference", unit=symbol.strip()) if symbol else found.words("axis.difference_bare")
    return found.words("axis.hinted", title=title, hint=found.words(hint)) if hint else title


def with_unit(found: Findings, title: str, scale: Scale) -> str:
    return found.words("axis.with_unit", kpi=title, unit=scale.symbol) if scale.symbol else title


def more_space_between(figure: Figure) -> None:
    """Room between panels for the numbers at the ends of their axes."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure.set_layout_engine(ConstrainedLayoutEngine(wspace=0.06))


def legend(figure: Figure, found: Findings, interval: bool, promise: bool = False) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    several = bool(found.alternatives)
    handles: list[Any] = [Line2D([], [], **(BEFORE if several else AFTER), label=found.label(found.baseline))]
    if several:
        handles.append(Line2D([], [], **AFTER, label=found.words("axis.measure")))
    if interval:
        handles.append(Patch(color=GREY, alpha=0.35, linewidth=0, label=found.words("axis.interval")))
    if promise:
        handles.append(Line2D([], [], **LIMIT, label=found.words("axis.promise")))
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
