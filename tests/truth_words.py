"""How a neutral statement's words are written in a scenario: durations, distributions, rosters (minutes → YAML)."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]
DAY = 1440.0
WEEK = 7 * DAY
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
ALWAYS = {"days": "all", "hours": "00:00-24:00"}


class NotStatedError(Exception):
    """The statement uses something that a scenario cannot say."""


def known(mapping: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    """Raises NotStatedError for a key that nobody would look at."""
    for key in mapping:
        if key not in keys:
            raise NotStatedError(f"{where}.{key}")


OURS = {"end", "rejected", "bot", "always", "nobody", "none", "office", "truth", "cases"}
"""Ids that mean something already."""


def name(text: str) -> str:
    """An id of the statement as an id of a scenario: no two are the same."""
    clean = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in str(text))
    if clean == text and not clean[0].isdigit() and clean[0] != "-" and clean not in OURS:
        return clean
    return f"_{clean}_{zlib.crc32(str(text).encode()):08x}"


def composed(*texts: object) -> str:
    """An id made of several: never that of a single one."""
    return name("|".join(map(str, texts)))


def without_nulls(of: Any) -> Any:
    """Without the keys whose value is null: they say what is so anyway."""
    if isinstance(of, Mapping):
        return {key: without_nulls(value) for key, value in of.items() if value is not None}
    return [without_nulls(part) for part in of] if isinstance(of, list) else of


def agent_id(agent: str) -> str:
    """The id of a named agent: never that of a team."""
    return composed("agent", agent)


def ticks(minutes: float) -> int:
    return round(minutes * 60_000_000)


def span(minutes: float) -> str:
    """A duration."""
    return f"{ticks(minutes)} us"


# ------------------------------------------------------------------ distributions


DISTRIBUTION_KEYS = ("dist", "mean", "value", "shape", "scv", "low", "high", "probabilities", "means", "values",
                     "components", "note", "support_from", "cv", "state_dependent_rates_per_case")  # fmt: skip
Quantity = Callable[[float], Any]


def plain(number: float) -> float:
    """A plain number."""
    return float(number)


def distribution(of: Any, quantity: Quantity = span) -> Any:
    """A distribution of durations, or of other quantities; a bare number is constant."""
    if isinstance(of, int | float):
        return quantity(of)
    kind = of["dist"]
    known(of, DISTRIBUTION_KEYS, f"dist {kind}")
    if kind not in KINDS:
        raise NotStatedError(f"dist {kind}")
    return KINDS[kind](of, quantity)


def _mixture(shares: Sequence[float], parts: Sequence[Any]) -> Json:
    total = sum(shares)
    return {
        "kind": "mixture",
        "parts": [{"share": share / total, "of": part} for share, part in zip(shares, parts, strict=True) if share > 0],
    }


def _exponential(of: Json, quantity: Quantity) -> Json:
    return {"kind": "exponential", "mean": quantity(mean_of(of))}


def _gamma(of: Json, quantity: Quantity) -> Json:
    cv = math.sqrt(of["scv"] if "scv" in of else 1 / of["shape"])
    return {"kind": "gamma", "mean": quantity(of["mean"]), "cv": cv}


def _erlang(of: Json, quantity: Quantity) -> Json:
    shape = of["shape"] if "shape" in of else 1 / of["scv"]
    if abs(shape - round(shape)) > 1e-9:
        return _gamma(of, quantity)
    return {"kind": "erlang", "mean": quantity(of["mean"]), "k": round(shape)}


KINDS: dict[str, Callable[[Json, Quantity], Any]] = {
    "exponential": _exponential,
    "deterministic": lambda of, q: q(mean_of(of)),
    "erlang": _erlang,
    "gamma": _gamma,
    "lognormal": lambda of, q: {"kind": "lognormal", "mean": q(of["mean"]), "cv": math.sqrt(of["scv"])},
    "uniform": lambda of, q: {"kind": "uniform", "low": q(of["low"]), "high": q(of["high"])},
    "hyperexponential": lambda of, q: _mixture(
        of["probabilities"], [{"kind": "exponential", "mean": q(mean)} for mean in of["means"]]
    ),
    "discrete": lambda of, q: _mixture(of["probabilities"], [q(value) for value in of["values"]]),
    "mixture": lambda of, q: _mixture(of["probabilities"], [distribution(part, q) for part in of["components"]]),
    "geometric": lambda of, q: _mixture(
        list(batch_sizes(of).values()), [q(value) for value in batch_sizes(of)]
    ),
}


def rates_in_hand(of: Any) -> list[float]:
    """Rates of completion of each case by the number in hand, where a time depends on it."""
    return list(of.get("state_dependent_rates_per_case") or ()) if isinstance(of, Mapping) else []


def mean_of(of: Any) -> float:
    """The mean in minutes."""
    if isinstance(of, int | float):
        return float(of)
    if "mean" not in of and rates_in_hand(of):
        return 1 / rates_in_hand(of)[0]
    kind = of["dist"]
    if kind == "uniform":
        return float(of["low"] + of["high"]) / 2
    parts = of.get("means") or of.get("values") or [mean_of(part) for part in of.get("components", ())]
    if parts:
        return float(sum(p * mean for p, mean in zip(of["probabilities"], parts, strict=True)))
    return float(of.get("mean", of.get("value", 0.0)))


def with_cv(of: Any) -> Json:
    """A factor for each day: gamma if it has the mean 1, else any distribution."""
    if isinstance(of, Mapping) and (of.get("dist", "gamma") in ("gamma", "erlang")) and of.get("mean", 1.0) == 1.0:
        scv = of["scv"] if "scv" in of else of["cv"] ** 2 if "cv" in of else 1 / of["shape"]
        return {"cv": math.sqrt(scv)}
    return {"factor": distribution(of, plain)}


def batch_sizes(of: Any) -> dict[int, float]:
    """Shares by number of cases."""
    if isinstance(of, int | float):
        return {int(of): 1.0}
    if of["dist"] == "geometric":
        stay, first = 1 - 1 / (of["mean"] - of.get("support_from", 1) + 1), of.get("support_from", 1)
        n = max(2, math.ceil(math.log(1e-12) / math.log(stay))) if stay > 0 else 1
        shares = {first + k: (1 - stay) * stay**k for k in range(n)}
    elif of["dist"] == "deterministic":
        shares = {int(of["value"]): 1.0}
    elif of["dist"] == "discrete":
        shares = dict(zip(map(int, of["values"]), of["probabilities"], strict=True))
    elif of["dist"] == "uniform":
        sizes = range(int(of["low"]), int(of["high"]) + 1)
        shares = dict.fromkeys(sizes, 1 / len(sizes))
    else:
        raise NotStatedError(f"batch_size {of['dist']}")
    if 0 in shares:
        raise NotStatedError("batch_size 0")
    return {size: share / sum(shares.values()) for size, share in shares.items()}


# ------------------------------------------------------------------ rosters

Piece = tuple[float, float]


def by_day(pieces: Sequence[Piece]) -> dict[int, list[Piece]]:
    """The pieces cut at midnight, as minutes of the day, by day."""
    found: dict[int, list[Piece]] = {}
    for begin, end in sorted(pieces):
        while begin < end:
            day = math.floor(begin / DAY)
            until = min(end, (day + 1) * DAY)
            found.setdefault(day, []).append((begin - day * DAY, until - day * DAY))
            begin = until
    return found


def time_of_day(minutes: float) -> str:
    seconds = minutes * 60
    if abs(seconds - round(seconds)) > 1e-9:
        raise NotStatedError(f"a time of day of {minutes} min")
    whole = round(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def hours(piece: Piece) -> str:
    return f"{time_of_day(piece[0])}-{time_of_day(piece[1])}"


def repeated(pieces: Sequence[Piece], cycle: float | None) -> list[Piece]:
    """Pieces that come again every `cycle`, over a week."""
    if cycle is None:
        return list(pieces)
    if WEEK % cycle:
        raise NotStatedError(f"cycle {cycle}")
    return [(a + k * cycle, b + k * cycle) for k in range(round(WEEK / cycle)) for a, b in pieces]


class Week:
    """Which days of the statement are which days of the scenario's week.

    A statement that goes on for longer than a week may use any seven or eight days; all others are closed then.
    """

    def __init__(self, days: Sequence[int], n_days: int, start: str) -> None:
        import datetime as dt

        used = sorted(set(days))
        self.exceptions: dict[str, str] = {}
        if n_days <= 7:
            self.types = {day: DAYS[day] for day in range(7)}
            return
        if len(used) > len(DAYS):
            raise NotStatedError(f"{len(used)} different days")
        self.types = {day: DAYS[k] for k, day in enumerate(used)}
        first = dt.date.fromisoformat(start)
        for day in range(n_days):
            self.exceptions[str(first + dt.timedelta(days=day))] = self.types.get(day, "closed")

    def shifts(self, prefix: str, pieces: Sequence[Piece], breaks: Sequence[tuple[float, float, str]] = ()) -> Json:
        """Shifts by id, one for each piece of a day."""
        shifts: Json = {}
        for day, parts in by_day(pieces).items():
            for k, part in enumerate(parts):
                inside = [
                    {"at": time_of_day(at - day * DAY), "lasts": span(lasts), "rule": rule}
                    for at, lasts, rule in breaks
                    if part[0] <= at - day * DAY < part[1]
                ]
                shift = {"days": self.types[day], "hours": hours(part), "breaks": inside}
                shifts[f"{prefix}_{day}_{k}"] = shift
        return shifts
