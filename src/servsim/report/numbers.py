"""Which number a cell says, and how a spreadsheet shows it: in the unit of the text, with its digits."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from servsim.report.writing import Scale

_DECIMALS = re.compile(r"#,##0\.?(0*)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in the unit that its format shows, with the ends of its interval; NaN where there is none."""

    value: float
    lower: float = math.nan
    upper: float = math.nan
    form: str = "General"  # Excel's number format

    @property
    def own_form(self) -> str:
        """Without a sign where the value is shown as 0."""
        if ";" not in self.form:
            return self.form
        plain = self.form.rpartition(";")[2]
        places = len(_DECIMALS.findall(plain)[-1])
        return self.form if round(self.value, places) else f"{plain};{plain}"

    @property
    def has_interval(self) -> bool:
        return math.isfinite(self.lower) and math.isfinite(self.upper)


def quantity(scale: Scale, value: float, lower: float, upper: float, signed: bool = False) -> Quantity:
    """A value, or a difference (`signed`), of a KPI that is shown in this scale.

    A share is a number between 0 and 1 in the format of a percentage; a difference of shares counts points.

    >>> from servsim.report.words import words
    >>> from servsim.report.writing import scale
    >>> quantity(scale("min", 200.0, None, words("zh")), 187.25, 181.0, 192.0).form
    '#,##0"分钟"'
    """
    places = len(scale.numbers(value, lower, upper, signed)[0].partition(".")[2])
    if scale.unit == "share" and not signed:
        return Quantity(value, lower, upper, decimals(places) + "%")
    before, _, behind = scale.difference("#").partition("#")
    form = f"{_quoted(before)}{decimals(places)}{_quoted(behind)}"
    mean, low, high = (scale.factor * x for x in (value, lower, upper))
    return Quantity(mean, low, high, signs(form) if signed else form)


def decimals(places: int) -> str:
    """The format of a number with so many decimals, thousands separated."""
    return f"#,##0.{'0' * places}" if places > 0 else "#,##0"


def signs(form: str) -> str:
    """The format with the sign of a difference."""
    return f"+{form};-{form};{form}"


def _quoted(text: str) -> str:
    """Text within a number format."""
    return f'"{text}"'.replace('""', "") if text else ""
