"""How values and texts are written: units, no more digits than an interval deserves, lines of a width."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from unicodedata import east_asian_width

from servsim.report.words import Words

CURRENCIES = {"CNY": "¥", "EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
_CODE = re.compile("[A-Z]{3}")
"""Currencies that stand before the amount, as symbols do; other words (agent hours) stand behind it, as units do."""
NONE = "–"
"""No answer."""

_TIMES = (("s", 2.0, 1 / 60), ("min", 300.0, 1.0), ("h", 7200.0, 60.0), ("d", math.inf, 1440.0))
"""Symbol, the minutes below which it is used, minutes in one."""
_PIECE = re.compile(
    r"(?:（[^（）]{1,6}）"  # a short Chinese bracket
    r"|\S+ (?:%|min|h|d|pp)(?!\w)\S*"  # a number with its unit
    r"|[^\u2e80-\uffef\s]+|[\u2e80-\uffef])\s*"  # a word; a Chinese character
)
_CLOSING, _OPENING = "，。、；：！？）》”’%％,.;:!?)]}", "（《“‘([{"


@dataclass(frozen=True, slots=True)
class Scale:
    """How all values of one KPI are shown: times `factor`, with at most `finest` decimals, with a symbol."""

    unit: str  # min | h | share | count | money, as the KPI states it
    symbol: str
    factor: float
    finest: int
    difference_symbol: str  # in tables
    difference_words: str  # in sentences
    gap: str  # between a number and its symbol

    def value(self, value: float, half_width: float = math.nan) -> str:
        """'35.6 min', '71.2 %', '¥12.30'; '–' for no answer."""
        places = min(self.finest, digits(value * self.factor, half_width * self.factor))
        return self.written(self.symbol, number(value * self.factor, places))

    def numbers(self, value: float, lower: float, upper: float, signed: bool = False) -> tuple[str, str, str]:
        """Value and interval as bare numbers with the same decimals; differences (`signed`) with their signs.

        One more decimal where an end would look like the value; for differences as many as it takes to tell an end
        from 0.
        """
        v, low, high = (x * self.factor for x in (value, lower, upper))
        places = min(self.finest, digits(v, (high - low) / 2))
        if low != high and number(v, places) in (number(low, places), number(high, places)):
            places += 1
        if signed and low * high > 0:
            places = max(places, min(digits(v, (high - low) / 2), -_magnitude(min(abs(low), abs(high)))))
        return number(v, places, signed), number(low, places, signed), number(high, places, signed)

    def difference(self, shown: str, in_words: bool = False) -> str:
        """A number already written, with the symbol of differences: '-12.3 min', '+¥3.20', '4.1 pp'."""
        return self.written(self.difference_words if in_words else self.difference_symbol, shown)

    def written(self, symbol: str, shown: str) -> str:
        """A number already written, with a symbol."""
        if shown == NONE or not symbol:
            return shown
        if self.unit == "money" and (symbol in CURRENCIES.values() or _CODE.fullmatch(symbol)):
            sign, gap = shown[0] if shown[0] in "+-" else "", "" if symbol in CURRENCIES.values() else " "
            return f"{sign}{symbol}{gap}{shown.removeprefix(sign)}"
        return f"{shown}{self.gap}{symbol}"


def scale(unit: str, typical: float, currency: str | None, words: Words) -> Scale:
    """The scale for a KPI with such values; times from 2 min in minutes, from 5 h in hours, from 5 d in days.

    >>> from servsim.report.words import words
    >>> scale("min", 480.0, None, words("en")).value(481.5)
    '8.03 h'
    """
    symbol, factor, points, in_words = "", 1.0, "", ""
    if unit == "min":
        name, _, minutes = next(t for t in _TIMES if (typical or 2.0) < t[1])
        symbol, factor = words(f"unit.{name}"), 1 / minutes
    elif unit == "share":
        symbol, factor, points, in_words = "%", 100.0, words("unit.pp"), words("unit.points")
    elif unit == "money" and currency:
        symbol = CURRENCIES.get(currency, "") or words.catalogue.get(f"unit.{currency}", currency)
    elif unit == "h":
        symbol = words("unit.h")
    finest, gap = digits(typical * factor), words("unit.gap")
    return Scale(unit, symbol, factor, finest, points or symbol, in_words or symbol, gap)


def digits(value: float, half_width: float = math.nan) -> int:
    """Decimals to show: three significant digits of the value, at most two and at least one of the half-width.

    >>> digits(35.612, 0.41), digits(35.612, 14.1), digits(12_305.0, 15.0), digits(0.0)
    (1, 0, -1, 0)
    """
    three = 2 - _magnitude(value) if _is_number(value) else None
    if not _is_number(half_width):
        return 0 if three is None else three
    one = -_magnitude(half_width)
    return one + 1 if three is None else max(min(three, one + 1), one)


def number(value: float, places: int, signed: bool = False) -> str:
    """A number rounded to `places` decimals (negative: tens, hundreds), with thousands separated.

    >>> number(-0.04, 1), number(12_345.0, -2), number(3.25, 2, signed=True)
    ('0.0', '12,300', '+3.25')
    """
    if not math.isfinite(value):
        return NONE
    rounded = round(value, places) + 0.0
    return f"{rounded:{'+' if signed and rounded else ''},.{max(places, 0)}f}"


def duration(text: str, words: Words) -> str:
    """A duration as scenarios write it, with its units in the reader's language; anything else as it is.

    >>> from servsim.report.words import words
    >>> duration("1 wk", words("zh")), duration("1 h 30 min", words("zh")), duration("1 wk", words("en"))
    ('1周', '1小时30分钟', '1 wk')
    """
    gap = words("unit.gap")
    told = re.sub(r"(\d) ?(wk|d|h|min|s)(?: |\b)", lambda m: f"{m[1]}{gap}{words(f'unit.{m[2]}')}{gap}", text)
    return told.strip()


def columns(text: str) -> int:
    """Columns that a text takes where Chinese characters take two."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def lines(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns, broken between words, between Chinese characters anywhere.

    >>> lines("peak hours +30 %", 11), lines("高峰加人，三成", 8)
    (['peak hours', '+30 %'], ['高峰加', '人，三成'])
    """
    done, line = [], ""
    for piece in _pieces(text):
        if columns(line + piece.rstrip()) > width and line.strip():
            done.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*done, line.rstrip()]


def balanced(text: str, width: int) -> list[str]:
    """As few lines as `lines` makes, of about the same length.

    >>> balanced("one two three four five", 18)
    ['one two three', 'four five']
    """
    fewest = len(lines(text, width))
    return next(found for w in range(1, width + 1) if len(found := lines(text, w)) == fewest)


def _pieces(text: str) -> list[str]:
    """What must stay in one line, with the space after it."""
    pieces: list[str] = []
    for part in _PIECE.findall(text):
        glued = pieces and (part[0] in _CLOSING or pieces[-1][-1] in _OPENING)
        if glued and not pieces[-1][-1].isspace():
            pieces[-1] += part
        else:
            pieces.append(part)
    return pieces


def _is_number(value: float) -> bool:
    return math.isfinite(value) and value != 0


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value)) + 1e-12)
