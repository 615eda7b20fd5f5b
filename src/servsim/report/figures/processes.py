"""How the work runs and what a scenario changes about it: processes as boxes and arrows in lanes of departments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from servsim.report.changing import Drawn
from servsim.report.figures.look import BLUE, FAINT, GREY, INK, PALE, VERMILLION
from servsim.report.findings import Findings
from servsim.report.flow import BEGIN, CHANGED, DECISION, END, FORK, NEW, OUT, REMOVED, WAIT
from servsim.report.flowchart import DETAIL, TITLE, Lane, Layout, Placed, Route, layout
from servsim.report.words import Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKED: dict[str, dict[str, Any]] = {
    NEW: {"edgecolor": BLUE, "linewidth": 2.0},
    CHANGED: {"edgecolor": VERMILLION, "linewidth": 2.0},
    REMOVED: {"edgecolor": GREY, "linewidth": 0.9, "linestyle": (0, (3, 2))},
}
PLAIN: dict[str, Any] = {"edgecolor": INK, "linewidth": 0.8}
COLOURS = {NEW: BLUE, CHANGED: VERMILLION, REMOVED: PALE}
"""Of arrows."""
LARGE, SMALL = 8.0, 7.0
WIDEST, BETWEEN, MARGIN = 9.4, 0.35, 0.08
"""Inches: of a picture, between processes, around all."""


def processes(found: Findings, picture: Drawn) -> Figure:
    """Each process in lanes of departments, with its name where there are several."""
    from matplotlib.figure import Figure

    drawn = [(chart.title, layout(chart)) for chart in picture.charts]
    titled = len(found.comparison.flows[found.baseline]) > 1
    head = TITLE * 1.9 if titled else 0.0
    places, width, height = shelved([(each.width, each.height + head) for _, each in drawn])
    figure = Figure(figsize=(width + 2 * MARGIN, height + 2 * MARGIN))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-MARGIN, width + MARGIN)
    axes.set_ylim(height + MARGIN, -MARGIN)
    axes.set_axis_off()
    for (title, each), (x, y) in zip(drawn, places, strict=True):
        if titled:
            axes.text(x, y, title, fontsize=10.0, va="top")
        flow(axes, each, (x, y + head), found.words)
    return figure


def shelved(sizes: Sequence[tuple[float, float]]) -> tuple[list[tuple[float, float]], float, float]:
    """Left upper corners of rectangles, side by side as far as the width goes, then below; width and height of all."""
    places, x, y, row, widest = [], 0.0, 0.0, 0.0, 0.0
    for width, height in sizes:
        if x and x + width > WIDEST:
            x, y, row = 0.0, y + row + BETWEEN, 0.0
        places.append((x, y))
        x, row, widest = x + width + BETWEEN, max(row, height), max(widest, x + width)
    return places, widest, y + row


def flow(axes: Axes, drawn: Layout, corner: tuple[float, float], words: Words) -> None:
    """A layout with its left upper corner there."""
    from matplotlib.transforms import Affine2D

    shift = Affine2D().translate(*corner) + axes.transData
    for number, lane in enumerate(drawn.lanes):
        _lane(axes, lane, drawn, shift, shaded=number % 2 == 0)
    for route in sorted(drawn.routes, key=lambda route: route.arrow.mark != REMOVED):
        _arrow(axes, route, shift)
    for route in drawn.routes:
        _label(axes, route, shift)
    for placed in drawn.boxes:
        _box(axes, placed, shift, words)


def _lane(axes: Axes, lane: Lane, drawn: Layout, shift: Any, shaded: bool) -> None:
    from matplotlib.patches import Rectangle

    size = lane.right - lane.left, drawn.height
    colour = "#F4F6F8" if shaded else "white"
    axes.add_patch(Rectangle((lane.left, 0), *size, facecolor=colour, edgecolor=FAINT, linewidth=0.8, transform=shift))
    if lane.name:
        middle = (lane.left + lane.right) / 2, drawn.head / 2
        text: dict[str, Any] = {"fontsize": 9.0, "ha": "center", "va": "center_baseline", "linespacing": 1.2}
        axes.text(*middle, "\n".join(lane.name), transform=shift, **text)


# ---------------------------------------------------------------------- boxes
def _box(axes: Axes, placed: Placed, shift: Any, words: Words) -> None:
    look = MARKED.get(placed.box.mark, PLAIN)
    axes.add_patch(_shape(placed, {"facecolor": "white", "transform": shift, "zorder": 3, **look}))
    if placed.box.shape == OUT:
        for title in placed.title:
            axes.text(placed.x + 0.12, placed.top + 0.08, title, fontsize=SMALL, va="center", transform=shift)
        return
    ink = GREY if placed.box.mark == REMOVED else INK
    text = TITLE * len(placed.title) + DETAIL * len(placed.details)
    at = placed.bottom - text - 0.01 if placed.box.shape == FORK else placed.top + (placed.height - text) / 2
    for lines, height, size, colour in ((placed.title, TITLE, LARGE, ink), (placed.details, DETAIL, SMALL, GREY)):
        for line in lines:
            how: dict[str, Any] = {"fontsize": size, "color": colour, "ha": "center", "va": "center", "zorder": 4}
            axes.text(placed.x, at + height / 2, line, transform=shift, **how)
            at += height
    if placed.box.mark:
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        look = {"color": look["edgecolor"], "fontsize": SMALL, "bbox": box, "zorder": 5}
        tag = words(f"flow.{placed.box.mark}")
        axes.text(placed.x - placed.width / 2 + 0.06, placed.top, tag, va="center", transform=shift, **look)


def _shape(placed: Placed, look: dict[str, Any]) -> Any:
    from matplotlib.patches import Circle, FancyBboxPatch, Polygon, Rectangle

    left, top, width, height = placed.x - placed.width / 2, placed.top, placed.width, placed.height
    middle = top + height / 2
    match placed.box.shape:
        case shape if shape in (BEGIN, END, OUT):
            filled = {BEGIN: {}, END: {"facecolor": INK}, OUT: {"facecolor": VERMILLION}}[shape]
            return Circle((placed.x, middle), width / 2, **{**look, **filled})
        case shape if shape == FORK:
            return Rectangle((left, top), width, 0.06, **{**look, "facecolor": look["edgecolor"]})
        case shape if shape == DECISION:
            tip = min(0.14, width / 2)
            ends = [(left, middle), (left + tip, top), (left + width - tip, top), (left + width, middle)]
            return Polygon([*ends, (left + width - tip, top + height), (left + tip, top + height)], **look)
        case shape:
            soft = f"round,pad=0,rounding_size={min(height / 2, 0.15) if shape == WAIT else 0.04}"
            filled = {"facecolor": "#ECECEC"} if shape == WAIT else {}
            return FancyBboxPatch((left, top), width, height, boxstyle=soft, **{**look, **filled})


# ---------------------------------------------------------------------- arrows
def _arrow(axes: Axes, route: Route, shift: Any) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    codes = [Path.MOVETO]
    for piece in route.pieces:
        codes += [Path.LINETO] if len(piece) == 1 else [Path.CURVE4] * 3
    points = [route.start, *(point for piece in route.pieces for point in piece)]
    colour = COLOURS.get(route.arrow.mark, INK)
    dashes: Any = (0, (3, 2)) if route.leads_back or route.arrow.mark == REMOVED else "solid"
    width = 1.6 if route.arrow.mark in (NEW, CHANGED) else 0.9
    look: dict[str, Any] = {"edgecolor": colour, "linewidth": width, "linestyle": dashes, "facecolor": "none"}
    axes.add_patch(PathPatch(Path(points, codes), transform=shift, zorder=2, **look))
    x, y = route.end
    head = [(x, y), (x - 0.035, y - 0.085), (x + 0.035, y - 0.085)]
    axes.add_patch(Polygon(head, facecolor=colour, edgecolor="none", zorder=2.5, transform=shift))


def _label(axes: Axes, route: Route, shift: Any) -> None:
    if not route.label:
        return
    colour = {NEW: BLUE, CHANGED: VERMILLION, REMOVED: GREY}.get(route.arrow.mark, INK)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.9}
    look: dict[str, Any] = {"fontsize": SMALL, "color": colour, "ha": "center", "va": "center", "bbox": box}
    axes.text(*route.label_at, "\n".join(route.label), transform=shift, zorder=2.8, linespacing=1.2, **look)
