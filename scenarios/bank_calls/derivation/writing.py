"""Putting derived figures where the scenarios keep them: on the lines that end in "# derived: key"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_LINE = re.compile(r"^(?P<key>\s*[\w-]+: )(?P<anchor>&\w+ )?.*(?P<mark>  # derived: (?P<name>\S+))$")


def fill(path: Path, figures: Mapping[str, str]) -> int:
    """Replaces the value on each marked line; returns how many lines changed. Raises KeyError for an unknown mark."""
    lines = path.read_text(encoding="utf-8").splitlines()
    changed = 0
    for number, line in enumerate(lines):
        if found := _LINE.match(line):
            new = f"{found['key']}{found['anchor'] or ''}{figures[found['name']]}{found['mark']}"
            changed += new != line
            lines[number] = new
    if changed:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return changed


def numbers(values: Iterable[float], digits: int = 0) -> str:
    """A YAML list of numbers, without needless digits."""
    return f"[{', '.join(number(value, digits) for value in values)}]"


def seconds(values: Iterable[float]) -> str:
    """A YAML list of durations in whole seconds."""
    return f"[{', '.join(f'{value:.0f} s' for value in values)}]"


def number(value: float, digits: int) -> str:
    """A decimal number with at most so many digits after the point."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text
