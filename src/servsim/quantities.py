"""What a written quantity means: "15 min", "2 h", "3/h", "17:30" and the ticks they stand for.

One tick is a microsecond. Inside the program every instant and duration is a whole number of ticks;
people read and write units.
"""

from __future__ import annotations

import re

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

UNITS = {
    "us": 1, "ms": 1_000, "s": SECOND, "sec": SECOND, "second": SECOND, "seconds": SECOND, "秒": SECOND,
    "min": MINUTE, "minute": MINUTE, "minutes": MINUTE, "分钟": MINUTE, "分": MINUTE,
    "h": HOUR, "hour": HOUR, "hours": HOUR, "小时": HOUR,
    "d": DAY, "day": DAY, "days": DAY, "天": DAY,
    "wk": WEEK, "week": WEEK, "weeks": WEEK, "周": WEEK,
}  # fmt: skip

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_PART = re.compile(rf"\s*({_NUMBER})\s*([^\W\d_]+)")
_RATE = re.compile(rf"\s*({_NUMBER})\s*(?:/|per)\s*([^\W\d_]+)\s*$")
_TIME_OF_DAY = re.compile(r"\s*(\d{1,2}):(\d{2})(?::(\d{2}))?\s*$")


def ticks(text: object) -> int:
    """Ticks in a written, non-negative duration.

    >>> ticks("15 min") == 15 * MINUTE, ticks("1 h 25 min") == 85 * MINUTE, ticks("0.5 s")
    (True, True, 500000)

    Raises ValueError for a bare number, an unknown unit, a negative duration.
    """
    if isinstance(text, int | float):
        raise ValueError(f"needs a unit, for example '{text} min', '{text} h' or '{text} d'")
    rest, total = str(text).strip(), 0.0
    if not rest:
        raise ValueError("is empty; write a duration such as '15 min', '2 h' or '3 d'")
    at = 0
    while at < len(rest):
        part = _PART.match(rest, at)
        if not part or part[2] not in UNITS:
            raise ValueError(f"cannot read '{text}' as a duration; write '15 min', '2 h' or '3 d'")
        if part[1].startswith("-"):
            raise ValueError(f"must not be negative, got '{text}'")
        total += float(part[1]) * UNITS[part[2]]
        at = part.end()
        while at < len(rest) and rest[at] == " ":
            at += 1
    if total >= 2**62:
        raise ValueError(f"'{text}' is longer than the clock can count")
    return round(total)


def per_tick(text: object) -> float:
    """Events per tick in a written, non-negative rate.

    >>> round(per_tick("3/h") * HOUR, 12)
    3.0
    """
    match = _RATE.match(str(text))
    if not match or match[2] not in UNITS:
        raise ValueError(f"cannot read '{text}' as a rate; write '3/h' or '40/d'")
    rate = float(match[1]) / UNITS[match[2]]
    if rate < 0:
        raise ValueError(f"must not be negative, got '{text}'")
    return rate


def time_of_day(value: object) -> int:
    """Ticks since midnight of '17:30', up to and including '24:00'.

    YAML 1.1 reads an unquoted 17:30 as the sexagesimal number 1050 (and 22:10:05 as 79805), so
    whole numbers are taken as what YAML made of them: minutes up to 24:00, seconds above.

    >>> time_of_day("17:30") == time_of_day(1050) == 17 * HOUR + 30 * MINUTE
    True
    """
    if isinstance(value, bool):
        raise ValueError("is read by YAML as true/false; put quotes around it, for example '08:30'")
    if isinstance(value, int):
        at = value * MINUTE if value <= 24 * 60 else value * SECOND
    else:
        match = _TIME_OF_DAY.match(str(value))
        if not match or int(match[2]) > 59 or int(match[3] or 0) > 59:
            raise ValueError(f"cannot read '{value}' as a time of day; write '08:30' or '24:00'")
        at = int(match[1]) * HOUR + int(match[2]) * MINUTE + int(match[3] or 0) * SECOND
    if not 0 <= at <= DAY:
        raise ValueError(f"'{value}' is not a time of day between '00:00' and '24:00'")
    return at


def written(duration: int) -> str:
    """A duration as people write it, exactly.

    >>> written(85 * MINUTE), written(0), written(1_500_000), written(90 * DAY)
    ('1 h 25 min', '0 min', '1.5 s', '90 d')
    """
    if duration == 0:
        return "0 min"
    sign, rest, parts = "-" if duration < 0 else "", abs(duration), []
    for unit in ("d", "h", "min"):
        n, rest = divmod(rest, UNITS[unit])
        if n:
            parts.append(f"{n} {unit}")
    if rest:
        parts.append(f"{rest / SECOND:.6f}".rstrip("0").rstrip(".") + " s")
    return sign + " ".join(parts)


def clock_time(at: int) -> str:
    """A time of day as written: '08:30', '24:00'.

    >>> clock_time(8 * HOUR + 30 * MINUTE)
    '08:30'
    """
    hours, rest = divmod(at, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    return f"{hours:02d}:{minutes:02d}" + (f":{rest // SECOND:02d}" if rest else "")
