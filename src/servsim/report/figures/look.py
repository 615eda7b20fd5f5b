"""How the pictures of a report look, and how they become files: colours, one style, bytes that stay the same.

Colours are those of Okabe & Ito, told apart by all kinds of colour sight; what a colour says, a shape or a place says
too. Text stays text in the SVG, so the reader's machine brings the fonts; PNG and PDF are drawn with the fonts that
come along, with which widths of text are measured too, hence the same on every machine.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from servsim.report.lettering import families
from servsim.statistics import BETTER, WORSE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, VERMILLION, SKY = "#0072B2", "#D55E00", "#A9D5EE"
INK, GREY, PALE, FAINT = "#222222", "#767676", "#A6A6A6", "#E3E3E3"

MARKS = {BETTER: (BLUE, "o", BLUE), WORSE: (VERMILLION, "s", VERMILLION)}
"""Verdict → colour, marker, filling. Everything else is an empty grey diamond."""
NO_MARK = (GREY, "D", "white")

BEFORE: dict[str, Any] = {"color": PALE, "linewidth": 2.8}
"""The baseline's line: broad, so that it is seen under a line that does not differ."""
AFTER: dict[str, Any] = {"color": BLUE, "linewidth": 1.5}
LIMIT: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (1, 2))}

STYLE: dict[str, Any] = {
    "font.size": 9.0, "text.color": INK, "lines.linewidth": 1.6,
    "axes.titlesize": 9.0, "axes.titlelocation": "left", "axes.labelcolor": INK, "axes.edgecolor": GREY,
    "axes.linewidth": 0.8, "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "axes.grid": True, "grid.color": FAINT, "grid.linewidth": 0.8, "legend.frameon": False, "legend.fontsize": 8.5,
    "xtick.color": GREY, "xtick.labelcolor": INK, "xtick.labelsize": 8.0,
    "ytick.color": GREY, "ytick.labelcolor": INK, "ytick.labelsize": 8.0,
    "figure.facecolor": "white", "svg.fonttype": "none", "pdf.fonttype": 42, "svg.hashsalt": "servsim",
}  # fmt: skip

FONTS = (
    "'DejaVu Sans', Verdana, 'Noto Sans CJK SC', 'Noto Sans SC', 'Microsoft YaHei', 'PingFang SC', 'Hiragino Sans GB', "
    "sans-serif"
)
"""Who reads the SVG needs one of these; Verdana is as wide as DejaVu Sans."""


@contextmanager
def style() -> Iterator[None]:
    """The one style, and silence about rare letters that the measuring fonts lack: the reader's fonts have them."""
    from matplotlib import rc_context

    with rc_context(cast(Any, {**STYLE, "font.family": [*families()]})), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield


def svg(figure: Figure) -> str:
    """The figure as SVG, the same to the byte for the same data."""
    out = StringIO()
    with style():
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return _slim(out.getvalue())


def _slim(text: str) -> str:
    """Half the size: the fonts named once, tenths of a point, neither comments nor turns by nothing."""
    named = ", ".join(f"'{family}'" for family in families())
    text = re.sub(rf"font-family: {re.escape(named)};? ?", "", text)
    text = re.sub(rf"font: ([\d.]+px) {re.escape(named)}", r"font-size: \1", text)
    text = re.sub(r"<!--.*?-->|(?<=>)\s+(?=<)", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*">', "<g>", text)
    text = re.sub(r"<g>(<(?:text|path)[^>]*>(?:[^<]*</text>)?)</g>", r"\1", text)
    text = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", text)
    text = re.sub(r' (?:d|x|y)="[^"]*"', lambda place: re.sub(r"(\d\.\d)\d+|\n", r"\1", place[0]), text)
    return text.replace("<svg ", f'<svg font-family="{FONTS}" ', 1)


A4 = (11.69, 8.27)
"""Inches of a page across."""


def pdf(path: Path, figures: Mapping[str, Figure], titles: Mapping[str, str]) -> None:
    """All figures in one file, each on a page A4 across below its title, the same to the byte for the same data.

    A figure is as large as it was drawn; one that is larger than a page makes the page larger, printers then shrink it.
    """
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.transforms import Bbox

    with style(), PdfPages(path, metadata={"CreationDate": None, "Creator": "servsim", "Producer": None}) as pages:
        for name, figure in figures.items():
            wide, high = figure.get_size_inches()
            scale = max(1.0, (wide + 1.0) / A4[0], (high + 1.5) / A4[1])
            across, down = A4[0] * scale, A4[1] * scale
            page = Bbox.from_bounds((wide - across) / 2, high + 1.0 - down, across, down)
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
            for legend in figure.legends:  # else it goes to the corner of the page
                legend.set_bbox_to_anchor((0, 0, 1, 1), figure.transFigure)
            title = figure.text(0, 1 + 0.3 / high, titles.get(name, ""), fontsize=14)
            title.set_in_layout(False)
            pages.savefig(figure, bbox_inches=page)
            title.remove()


SLIDES = 200
"""Dots per inch of a PNG: sharp on a slide and in print."""


def png(figure: Figure) -> bytes:
    """The figure as PNG for slides, the same to the byte for the same data."""
    out = BytesIO()
    with style():
        figure.savefig(out, format="png", dpi=SLIDES, metadata={"Software": None})
    return out.getvalue()
