"""Which measure brings how much: differences, shares of a joint effect and swings as points and bars with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from servsim.kpis import KPIS
from servsim.report.figures.look import BLUE, GREY, INK, MARKS, NO_MARK, SKY
from servsim.report.figures.parts import difference_title, more_space_between, row_names, with_unit
from servsim.report.findings import Findings
from servsim.report.writing import balanced
from servsim.statistics import BETTER, WORSE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from servsim.report.attributed import Attributed
    from servsim.report.tornado import Tornado


def comparison(found: Findings) -> Figure | None:
    """Differences from the baseline: a panel per headline KPI, a row per scenario, points with intervals."""
    if not found.alternatives or not found.headline:
        return None
    from matplotlib.figure import Figure

    names = [balanced(found.label(s), 26) for s in found.ranked]
    heights = [0.16 * len(name) + 0.22 for name in names]
    heading = max(len(balanced(found.kpi(kpi), 21)) for kpi in found.headline)
    widths = [2.1, *[1.75] * len(found.headline)]
    figure = Figure(figsize=(sum(widths) + 0.2, sum(heights) + 1.2 + 0.16 * heading))
    axes = figure.subplots(1, len(widths), sharey=True, width_ratios=widths)
    more_space_between(figure)
    places = [-(sum(heights[:i]) + height / 2) for i, height in enumerate(heights)]
    row_names(axes[0], names, places, sum(heights))
    for axis, kpi in zip(axes[1:], found.headline, strict=True):
        effects(axis, _effects(found, kpi, places), found.scale(kpi).factor)
        axis.set_title("\n".join(balanced(found.kpi(kpi), 21)))
        axis.set_xlabel(difference_title(found, kpi))
    _legend_of_verdicts(figure, found)
    return figure


def contributions(attributed: Attributed, kpi: str) -> Figure:
    """A row per measure: its fair share of the joint effect as a bar, its effect alone and on top of the others."""
    from matplotlib.figure import Figure

    found, e = attributed.found, attributed.effects[kpi]
    factor, n = found.scale(kpi).factor, len(attributed.design.measures)
    order = sorted(range(n), key=lambda i: (-1 if KPIS[kpi].better == "lower" else 1) * e.fair.mean[i])
    figure = Figure(figsize=(7.0, 1.3 + 0.42 * n), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color=GREY, linewidth=0.9)
    axes.barh(range(n), factor * e.fair.mean[order], height=0.55, color=SKY, label=found.words("attribution.fair"))
    spans = factor * np.array([e.fair.lower[order], e.fair.upper[order]])
    axes.hlines(range(n), *spans, color=BLUE, label=found.words("axis.interval"))
    for name, marker in (("alone", "o"), ("last", "D")):
        at = factor * getattr(e, name).mean[order]
        look: dict[str, Any] = {"marker": marker, "color": INK, "markerfacecolor": "white", "markersize": 5.0}
        axes.plot(at, range(n), linestyle="none", label=found.words(f"attribution.{name}"), **look)
    axes.set_yticks(range(n), ["\n".join(balanced(attributed.label(i), 28)) for i in order])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(difference_title(found, kpi))
    figure.legend(loc="outside upper left", ncols=4)
    return figure


def swings(tornado: Tornado, kpi: str) -> Figure:
    """A panel per scenario, a bar per assumption: the figure where it is lower (pale) and higher (dark)."""
    from matplotlib.figure import Figure

    found, n = tornado.found, len(tornado.assumptions)
    names = ["\n".join(balanced(tornado.label(name), 28)) for name in tornado.assumptions]
    columns = min(3, len(tornado.scenarios))
    rows = math.ceil(len(tornado.scenarios) / columns)
    figure = Figure(figsize=(2.2 + 2.6 * columns, 0.9 + (0.9 + 0.32 * n) * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes, scenario in zip(grid, tornado.scenarios, strict=False):
        is_base = scenario == tornado.scenarios[0]
        for place, swing in enumerate(tornado.swings(kpi, scenario)):
            factor, shown = found.scale(kpi).factor, swing.level if is_base else swing.effect
            low, middle, high = factor * shown.mean
            for end, colour in sorted(((low, SKY), (high, BLUE)), key=lambda bar: -abs(bar[0] - middle)):
                axes.barh(-place, end - middle, left=middle, height=0.55, color=colour)
            for k, above in ((0, 0.12), (2, -0.12)):
                axes.hlines(above - place, factor * shown.lower[k], factor * shown.upper[k], color=INK, linewidth=0.9)
            axes.axvline(middle, color=GREY, linewidth=0.9)
        title = "tornado.level_of" if is_base else "tornado.effect_of"
        axes.set_title("\n".join(balanced(found.words(title, scenario=found.label(scenario)), 34)))
        value = with_unit(found, found.kpi(kpi), found.scale(kpi))
        axes.set_xlabel(value if is_base else difference_title(found, kpi))
        axes.set_yticks([-place for place in range(n)], names)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.08)
        axes.locator_params(axis="x", nbins=4)
    for axes in grid[len(tornado.scenarios) :]:
        axes.set_axis_off()
    _legend_of_ends(figure, tornado)
    return figure


def effects(axes: Axes, frame: pd.DataFrame, factor: float = 1.0) -> None:
    """place, value, lower, upper, verdict as points with intervals around the line of no difference."""
    axes.axvline(0, color=GREY, linewidth=0.9)
    for place, value, lower, upper, verdict in frame.itertuples(index=False, name=None):
        colour, marker, filling = MARKS.get(verdict, NO_MARK)
        axes.plot([factor * lower, factor * upper], [place, place], color=colour, solid_capstyle="butt")
        axes.plot([factor * value], [place], marker=marker, color=colour, markerfacecolor=filling, markersize=5.5)
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.1)
    axes.locator_params(axis="x", nbins=3)
    axes.tick_params(axis="y", length=0, labelleft=False)
    axes.spines["left"].set_visible(False)


def _effects(found: Findings, kpi: str, places: Sequence[float]) -> pd.DataFrame:
    """place, value, lower, upper, verdict of the alternatives in order of rank; those without a result left out."""
    import pandas as pd

    pairs = [(place, found.difference(s, kpi)) for place, s in zip(places, found.ranked, strict=True)]
    rows = [(place, d.value, d.lower, d.upper, d.verdict) for place, d in pairs if d]
    return pd.DataFrame(rows, columns=["place", "value", "lower", "upper", "verdict"])


def _legend_of_ends(figure: Figure, tornado: Tornado) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    by = f"{100 * tornado.by:.0f}"
    ends = ((SKY, "tornado.less"), (BLUE, "tornado.more"))
    handles: list[Any] = [Patch(color=colour, label=tornado.found.words(key, by=by)) for colour, key in ends]
    handles.append(Line2D([], [], color=INK, linewidth=0.9, label=tornado.found.words("axis.interval")))
    figure.legend(handles=handles, loc="outside upper left", ncols=3)


def _legend_of_verdicts(figure: Figure, found: Findings) -> None:
    from matplotlib.lines import Line2D

    kinds = {"better": MARKS[BETTER], "worse": MARKS[WORSE], "not_shown": NO_MARK}
    handles = [
        Line2D([], [], color=colour, marker=marker, markerfacecolor=filling, label=found.words(f"axis.{kind}"))
        for kind, (colour, marker, filling) in kinds.items()
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
