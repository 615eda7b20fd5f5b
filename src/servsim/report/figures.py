"""What the pictures of a report look like: tidy frames in, SVG out; nothing is computed here.

Colours are those of Okabe & Ito, told apart by all kinds of colour sight; what a colour says, a shape or a place says
too. Text stays text in the SVG, so the reader's machine brings the fonts. Widths of text are measured with the
fonts that come with matplotlib, hence the same on every machine.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from servsim.kpis import KPIS
from servsim.report.findings import Findings
from servsim.report.writing import Scale, balanced
from servsim.statistics import BETTER, WORSE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from servsim.report.attributed import Attributed
    from servsim.report.tornado import Tornado

BLUE, VERMILLION, SKY = "#0072B2", "#D55E00", "#A9D5EE"
INK, GREY, PALE, FAINT = "#222222", "#767676", "#A6A6A6", "#E3E3E3"

MARKS = {BETTER: (BLUE, "o", BLUE), WORSE: (VERMILLION, "s", VERMILLION)}
"""Verdict → colour, marker, filling. Everything else is an empty grey diamond."""
NO_MARK = (GREY, "D", "white")

BEFORE: dict[str, Any] = {"color": PALE, "linewidth": 2.8}
"""The baseline's line: broad, so that it is seen under a line that does not differ."""
AFTER: dict[str, Any] = {"color": BLUE, "linewidth": 1.5}
LIMIT: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (1, 2))}

LOOKS = {
    "working": (BLUE, ""), "busy": ("#56B4E9", ""), "nobody_on_shift": (VERMILLION, ""),
    "dispatch_delay": ("#E69F00", ""), "outage": (INK, ""), "required_person": ("#CC79A7", ""),
    "overtaken": ("#F0E442", ""), "meeting": ("#009E73", ""), "handover": (GREY, ""),
    "interrupted": (BLUE, "////"), "delays": (PALE, "...."), "before_start": (FAINT, ""),
}  # fmt: skip
"""What the time of a case goes into → colour and hatching, in the order of the picture."""

STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"], "font.size": 9.0, "text.color": INK, "lines.linewidth": 1.6,
    "axes.titlesize": 9.0, "axes.titlelocation": "left", "axes.labelcolor": INK, "axes.edgecolor": GREY,
    "axes.linewidth": 0.8, "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "axes.grid": True, "grid.color": FAINT, "grid.linewidth": 0.8, "legend.frameon": False, "legend.fontsize": 8.5,
    "xtick.color": GREY, "xtick.labelcolor": INK, "xtick.labelsize": 8.0,
    "ytick.color": GREY, "ytick.labelcolor": INK, "ytick.labelsize": 8.0,
    "figure.facecolor": "white", "svg.fonttype": "none", "svg.hashsalt": "servsim",
}  # fmt: skip

FONTS = (
    "'DejaVu Sans', Verdana, 'Noto Sans CJK SC', 'Noto Sans SC', 'Microsoft YaHei', 'PingFang SC', 'Hiragino Sans GB', "
    "sans-serif"
)
"""Who reads the SVG needs one of these; Verdana is as wide as DejaVu Sans."""


def draw_all(found: Findings) -> dict[str, str]:
    """Name → SVG of every picture for which there are data."""
    pictures = {
        "comparison": comparison,
        "waiting_by_hour": waiting_by_hour,
        "response_times": response_times,
        "time_spent": time_spent,
        "utilisation_by_hour": utilisation_by_hour,
        "queue_by_hour": queue_by_hour,
    }
    drawn: dict[str, str] = {}
    for name, draw in pictures.items():
        with style():
            figure = draw(found)
            if figure is not None:
                drawn[name] = svg(figure)
    return drawn


def draw_attribution(attributed: Attributed) -> dict[str, str]:
    """Headline KPI → SVG of what each measure contributes to it."""
    drawn = {}
    for kpi in attributed.effects:
        with style():
            drawn[kpi] = svg(contributions(attributed, kpi))
    return drawn


def draw_tornado(tornado: Tornado) -> dict[str, str]:
    """Headline KPI → SVG of how far each assumption moves it."""
    drawn = {}
    for kpi in tornado.figures:
        with style():
            drawn[kpi] = svg(swings(tornado, kpi))
    return drawn


@contextmanager
def style() -> Iterator[None]:
    """The one style, and silence about Chinese letters that the measuring font lacks: the reader's fonts have them."""
    from matplotlib import rc_context

    with rc_context(cast(Any, STYLE)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield


def svg(figure: Figure) -> str:
    """The figure as SVG, the same to the byte for the same data."""
    out = StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue().replace("'DejaVu Sans'", FONTS)


# ---------------------------------------------------------------------- pictures
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
    _more_space_between(figure)
    places = [-(sum(heights[:i]) + height / 2) for i, height in enumerate(heights)]
    _row_names(axes[0], names, places, sum(heights))
    for axis, kpi in zip(axes[1:], found.headline, strict=True):
        effects(axis, _effects(found, kpi, places), found.scale(kpi).factor)
        axis.set_title("\n".join(balanced(found.kpi(kpi), 21)))
        axis.set_xlabel(_difference_title(found, kpi))
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
    axes.set_xlabel(_difference_title(found, kpi))
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
        value = _with_unit(found, found.kpi(kpi), found.scale(kpi))
        axes.set_xlabel(value if is_base else _difference_title(found, kpi))
        axes.set_yticks([-place for place in range(n)], names)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.08)
        axes.locator_params(axis="x", nbins=4)
    for axes in grid[len(tornado.scenarios) :]:
        axes.set_axis_off()
    _legend_of_ends(figure, tornado)
    return figure


def waiting_by_hour(found: Findings) -> Figure | None:
    return _by_hour(found, "first_response_mean", "hour_of_arrival")


def utilisation_by_hour(found: Findings) -> Figure | None:
    return _by_hour(found, "utilisation", "hour_of_day")


def queue_by_hour(found: Findings) -> Figure | None:
    return _by_hour(found, "queue_length_mean", "hour_of_day")


def response_times(found: Findings) -> Figure | None:
    """The share of the answered cases that were answered within a time."""
    frames = {s: frame for s in (found.baseline, *found.ranked) if (frame := found.response_times(s)) is not None}
    if not frames:
        return None
    limits = found.promised()
    longest = max(float(frame["minutes"].quantile(0.99)) for frame in frames.values())

    def draw(axes: Axes, scenario: str, line: Mapping[str, Any]) -> None:
        cumulative(axes, frames[scenario], line)

    figure, panels = _panels(found, frames, draw)
    for axes in panels:
        _time_axis(axes, found, max(longest, *limits, 10.0))
        axes.set_ylim(0, 100)
        for limit in limits:
            axes.axvline(limit, **LIMIT)
    _axis_titles(figure, found.words("axis.within"), found.words("axis.answered"))
    _legend(figure, found, interval=False, promise=bool(limits))
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
    figure = Figure(figsize=(7.6, sum(heights) + 1.1 + 0.2 * -(-len(shown) // 3)))
    _more_space_between(figure)
    label, axes = figure.subplots(1, 2, sharey=True, width_ratios=(2.1, 5.3))
    _row_names(label, names, places, sum(heights))
    scale = found.scale("cycle_time_mean", total)
    lengths = [[scale.factor * parts.get(what, 0) for what in shown] for parts in rows.values()]
    stacked(axes, list(zip(places, lengths, strict=True)), [LOOKS[what] for what in shown])
    axes.set_xlabel(_with_unit(found, found.words("axis.per_case"), scale))
    _legend_of_parts(figure, found, shown)
    return figure


# ---------------------------------------------------------------------- frame → axes
def hourly(axes: Axes, frame: pd.DataFrame, line: Mapping[str, Any], factor: float = 1.0) -> None:
    """hour, value, lower, upper as a line with its intervals as a band."""
    low, high = factor * frame["lower"], factor * frame["upper"]
    axes.fill_between(frame["hour"], low, high, color=line["color"], alpha=0.25, linewidth=0)
    axes.plot(frame["hour"], factor * frame["value"], **line)


def cumulative(axes: Axes, frame: pd.DataFrame, line: Mapping[str, Any]) -> None:
    """quantile, minutes as the share (in %) up to each time."""
    axes.plot(frame["minutes"].clip(lower=_SHORTEST), 100 * frame["quantile"], **line)


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


# ---------------------------------------------------------------------- parts
def _by_hour(found: Findings, kpi: str, axis: str) -> Figure | None:
    frames = {s: frame for s in (found.baseline, *found.ranked) if (frame := found.by_hour(s, kpi)) is not None}
    if not frames:
        return None
    scale = found.scale(kpi, max(float(frame["value"].max()) for frame in frames.values()))

    def draw(axes: Axes, scenario: str, line: Mapping[str, Any]) -> None:
        hourly(axes, frames[scenario], line, scale.factor)

    figure, panels = _panels(found, frames, draw)
    for axes in panels:
        axes.set_xlim(-0.5, 23.5)
        axes.set_xticks(range(0, 24, 3))
        axes.set_ylim(bottom=0)
    _axis_titles(figure, found.words(f"axis.{axis}"), _with_unit(found, found.kpi(kpi), scale))
    _legend(figure, found, interval=True)
    return figure


def _panels(
    found: Findings, frames: Mapping[str, pd.DataFrame], draw: Callable[[Axes, str, Mapping[str, Any]], None]
) -> tuple[Figure, list[Axes]]:
    """Small multiples: the baseline in grey in every panel, one other scenario in colour in each."""
    from matplotlib.figure import Figure

    others: list[str | None] = [s for s in found.ranked if s in frames] or [None]
    columns = min(3, len(others))
    rows = math.ceil(len(others) / columns)
    figure = Figure(figsize=(max(6.0, 3.1 * columns), 0.8 + (3.0 if rows == 1 else 2.1) * rows))
    _more_space_between(figure)
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


def _effects(found: Findings, kpi: str, places: Sequence[float]) -> pd.DataFrame:
    """place, value, lower, upper, verdict of the alternatives in order of rank; those without a result left out."""
    import pandas as pd

    pairs = [(place, found.difference(s, kpi)) for place, s in zip(places, found.ranked, strict=True)]
    rows = [(place, d.value, d.lower, d.upper, d.verdict) for place, d in pairs if d]
    return pd.DataFrame(rows, columns=["place", "value", "lower", "upper", "verdict"])


def _row_names(axes: Axes, names: Sequence[Sequence[str]], places: Sequence[float], height: float) -> None:
    axes.set_axis_off()
    axes.set_ylim(-height, 0)
    for name, place in zip(names, places, strict=True):
        axes.text(0, place, "\n".join(name), transform=axes.get_yaxis_transform(), va="center", linespacing=1.25)


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


def _axis_titles(figure: Figure, x: str, y: str) -> None:
    figure.supxlabel(x, fontsize=STYLE["font.size"])
    figure.supylabel(y, fontsize=STYLE["font.size"])


def _difference_title(found: Findings, kpi: str) -> str:
    """'difference, min (← better)'"""
    scale = found.scale(kpi)
    symbol = scale.difference_symbol
    hint = {"lower": "axis.better_left", "higher": "axis.better_right"}.get(KPIS[kpi].better or "")
    title = found.words("axis.difference", unit=symbol.strip()) if symbol else found.words("axis.difference_bare")
    return f"{title} ({found.words(hint)})" if hint else title


def _with_unit(found: Findings, title: str, scale: Scale) -> str:
    return found.words("axis.with_unit", kpi=title, unit=scale.symbol) if scale.symbol else title


def _more_space_between(figure: Figure) -> None:
    """Room between panels for the numbers at the ends of their axes."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure.set_layout_engine(ConstrainedLayoutEngine(wspace=0.06))


def _legend(figure: Figure, found: Findings, interval: bool, promise: bool = False) -> None:
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


def _legend_of_parts(figure: Figure, found: Findings, shown: Sequence[str]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0.6, label=found.words(f"spent.{what}"))
        for what in shown
        for colour, hatch in [LOOKS[what]]
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)


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
