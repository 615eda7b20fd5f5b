"""Makes NotoSansSC-Regular.ttf from the woff2 files of the npm package @fontsource/noto-sans-sc.

    npm pack @fontsource/noto-sans-sc && tar xzf fontsource-noto-sans-sc-*.tgz
    pip install fonttools brotli
    python make_font.py package/files NotoSansSC-Regular.ttf

matplotlib reads no woff2, and one file is easier to ship than a hundred. The characters are those of the package's
Simplified Chinese file and all others of GB 2312; the family has a name of its own, so that no other font that is
installed can stand in for it and a picture is the same on every machine.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from fontTools.merge import Merger
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FAMILY = "Noto Sans SC servsim"
NAMES = {1: FAMILY, 2: "Regular", 3: f"{FAMILY} 2.004", 4: f"{FAMILY} Regular", 6: "NotoSansSCservsim-Regular"}
KEPT = {0, 5, 13, 14}
"""Names that stay: copyright, version, licence and its address."""

MADE = 3_786_912_000
"""Seconds since 1904, the same each time: the first of January 2024."""


def gb2312() -> set[int]:
    pairs = (bytes([high, low]) for high in range(0xA1, 0xF8) for low in range(0xA1, 0xFF))
    return {ord(text) for pair in pairs if (text := pair.decode("gb2312", errors="ignore"))}


def part(path: Path, wanted: set[int], folder: Path) -> Path:
    """The wanted characters of a font as a plain TTF."""
    options = Options(layout_features=[], hinting=False, notdef_outline=True, name_IDs=["*"], flavor=None)
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "STAT", "gasp", "prep", "vhea", "vmtx"]
    font = TTFont(path)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    font.flavor = None
    made = folder / f"{path.stem}.ttf"
    font.save(made)
    return made


def main(source: Path, target: Path) -> None:
    first = source / "noto-sans-sc-chinese-simplified-400-normal.woff2"
    have = set(TTFont(first).getBestCmap())
    missing = gb2312() - have
    with tempfile.TemporaryDirectory() as folder:
        parts = [part(first, have, Path(folder))]
        for slice_ in sorted(source.glob("noto-sans-sc-[0-9]*-400-normal.woff2")):
            here = set(TTFont(slice_).getBestCmap()) & missing
            missing -= here
            parts += [part(slice_, here, Path(folder))] if here else []
        merged = Merger().merge([str(path) for path in parts])
    merged["name"].names = [n for n in merged["name"].names if n.nameID in KEPT]
    for which, text in NAMES.items():
        merged["name"].setName(text, which, 3, 1, 0x409)
    merged["head"].created = merged["head"].modified = MADE
    merged.recalcTimestamp = False
    merged["post"].formatType = 3.0
    merged.save(target)
    print(len(merged.getBestCmap()), target.stat().st_size, len(missing))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
