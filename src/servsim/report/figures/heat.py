"""When and where the queue stands: maps of hours against departments or weekdays, dark where many wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from servsim.report.figures.look import GREY, INK
from servsim.report.findings import Findings
from servsim.report.queueing import Grid, by_department, by_weekday, shown
from servsim.report.writing import balanced, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize
    from matplotlib.figure import Figure

SHADES = ("#EFF5FB", "#D6E6F4", "#ABCFE5", "#6AAED6", "#3787C0", "#105BA4", "#08306B")
"""From light to dark in one hue: told apart by all kinds of colour sight, and in grey."""
ROW, HOUR_WIDE = 0.27, 0.265
"""Inches of a cell."""


def queue_by_department(found: Findings) -> Figure | None:
    grids = {s: grid for s in shown(found) if (grid := by_department(found, s))}
    return _maps(found, grids) if any(len(grid.rows) > 1 for grid in grids.values()) else None


def queue_by_weekday(found: Findings) -> Figure | None:
    return _maps(found, {s: grid for s in shown(found) if (grid := by_weekday(found, s))})


def _maps(found: Findings, grids: Mapping[str, Grid]) -> Figure | None:
    """A map for each scenario, one below the other, all in the same shades."""
    most = max((float(np.nanmax(grid.value)) for grid in grids.values()), default=0.0)
    if not most > 0:
        return None
    from matplotlib.figure import Figure

    rows = [len(grid.rows) for grid in grids.values()]
    size = 24 * HOUR_WIDE + 2.3, ROW * sum(rows) + 0.42 * len(rows) + 0.5
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(grids), 1, sharex=True, squeeze=False, height_ratios=rows).ravel()
    colours, norm = shades(most)
    for axes, (scenario, grid) in zip(panels, grids.items(), strict=True):
        mesh = heat(axes, grid.value, colours, norm)
        axes.set_yticks(np.arange(len(grid.rows)) + 0.5, ["\n".join(balanced(name, 20)) for name in grid.rows])
        axes.set_title("\n".join(balanced(found.label(scenario), 70)))
    panels[-1].set_xlabel(found.words("axis.hour_of_day"))
    bar = figure.colorbar(mesh, ax=list(panels), fraction=0.03, pad=0.015, aspect=28)
    bar.set_label("\n".join(balanced(found.words("axis.waiting"), 28)))
    bar.outline.set_visible(False)
    return figure


def shades(most: float) -> tuple[Colormap, Normalize]:
    """So many shades as there are round steps from 0 to the largest value."""
    from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap
    from matplotlib.ticker import MaxNLocator

    steps = MaxNLocator(nbins=12, steps=[1, 2, 2.5, 5, 10]).tick_values(0, most)
    colours = LinearSegmentedColormap.from_list("servsim", SHADES, N=len(steps) - 1)
    return colours.with_extremes(bad="#F0F0F0"), BoundaryNorm(steps, colours.N)


def heat(axes: Axes, value: NDArray[np.float64], colours: Colormap, norm: Normalize) -> Any:
    """[rows, 24] as cells with their numbers; what is nearly nothing bears none, what is not known is grey."""
    mesh = axes.pcolormesh(np.ma.masked_invalid(value), cmap=colours, norm=norm, edgecolors="none", clip_on=False)
    axes.hlines(range(1, len(value)), 0, 24, color="white", linewidth=1.2)
    axes.vlines(range(1, 24), 0, len(value), color="white", linewidth=0.8)
    for row, hour in np.argwhere(value >= 0.05):
        text, dark = _figure(value[row, hour]), _is_dark(colours(norm(value[row, hour])))
        look: dict[str, Any] = {"fontsize": 6.5, "ha": "center", "va": "center_baseline"}
        axes.text(hour + 0.5, row + 0.5, text, color="white" if dark else INK, **look)
    axes.invert_yaxis()
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 25, 3))
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelbottom=True)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)
    return mesh


def _figure(value: float) -> str:
    """As fits a cell: '0.4', '23', '1.2k'."""
    if value >= 999.5:
        return f"{number(value / 1000, 1 if value < 9950 else 0)}k"
    return number(value, 1 if value < 9.95 else 0)


def _is_dark(colour: Sequence[float]) -> bool:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] < 0.55
