"""Which fonts pictures are measured and drawn with: only those that come along, hence the same on every machine."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import as_file, files

LATIN = "DejaVu Sans"
"""Comes with matplotlib."""


@lru_cache
def families() -> tuple[str, ...]:
    """The families to draw with: one for Latin letters, then the Chinese one that comes with servsim.

    Noto Sans SC, 9155 characters, among them all of GB 2312; `tools/make_font.py` makes the file.
    """
    from matplotlib.font_manager import FontProperties, fontManager

    with as_file(files("servsim.report").joinpath("fonts", "NotoSansSC-Regular.ttf")) as path:
        fontManager.addfont(path)
        return LATIN, FontProperties(fname=str(path)).get_name()
