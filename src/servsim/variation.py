"""What settings does an assumption stand for, and what are they if it is so much higher or lower?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from servsim.model.errors import InputError
from servsim.quantities import ticks, written
from servsim.registry import suggestion

Path = tuple[str, ...]

_RATE = re.compile(r"\s*([0-9.eE+-]+)\s*(/|per)\s*(\w+)\s*$")
_SIZES = ("value", "mean", "sd", "low", "mode", "high", "means", "values", "quantiles", "parts", "of")
"""Keys of a distribution that are in its unit; its shape stays as it is."""
_WHOLE = ("staffing", "seats", "size", "sizes", "population", "waiting_places", "times", "rounds", "keep", "workers")
"""Keys that hold whole numbers, or below which there are whole numbers."""


def varied(mapping: Mapping[str, Any], settings: Sequence[str], factor: float) -> tuple[str, ...]:
    """The settings multiplied by a factor, as they are typed: 'staffing.desk.day=11', 'demand.phone.factor=0.275'.

    `settings` are paths in the composed mapping of a scenario; `*` stands for any key. What multiplies: a number, a
    duration or rate, a distribution (its size, not its shape), all that is below a path. Of shares that add up to one
    the others give way. What is null stays so. Raises InputError for a path that leads nowhere, or to text.

    >>> varied({"staffing": {"desk": {"day": 10}}, "wait": "2 h"}, ["staffing.desk.*", "wait"], 1.1)
    ('staffing.desk.day=11', 'wait=2 h 12 min')
    """
    return typed(changes(mapping, settings, factor))


def changes(mapping: Mapping[str, Any], settings: Sequence[str], factor: float) -> dict[Path, Any]:
    """As `varied`, by path and value."""
    told: dict[Path, Any] = {}
    for setting in settings:
        found = list(_at(mapping, setting.split(".")))
        if not found:
            raise InputError(f"'{setting}' leads nowhere{_hint(mapping, setting)}")
        for path, value in found:
            changed = dict(_multiplied(mapping, path, value, factor))
            if not changed and value is not None:
                hint = "name a number, a duration or a distribution"
                raise InputError(f"'{setting}': {value!r} cannot be multiplied; {hint}")
            told |= changed
    return told


def typed(changed: Mapping[Path, Any]) -> tuple[str, ...]:
    """Paths and values in the grammar of the command line."""
    return tuple(f"{'.'.join(path)}={_typed(value)}" for path, value in changed.items())


def put(tree: Any, path: Path, value: Any) -> Any:
    """A copy of a tree of mappings with another value at a path that it has."""
    if not path:
        return value
    return {key: put(one, path[1:], value) if str(key) == path[0] else one for key, one in tree.items()}


def _at(tree: Any, rest: Sequence[str], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """(path, value) for all that a path with `*` leads to."""
    if not rest:
        yield above, tree
    elif isinstance(tree, Mapping):
        for key in tree if rest[0] == "*" else [key for key in tree if str(key) == rest[0]]:
            yield from _at(tree[key], rest[1:], (*above, str(key)))


def _hint(tree: Any, setting: str) -> str:
    for key in setting.split("."):
        if not isinstance(tree, Mapping):
            return ""
        if key != "*" and key not in tree:
            return suggestion(key, [str(other) for other in tree])
        tree = tree[key] if key != "*" else next(iter(tree.values()), None)
    return ""


def _multiplied(mapping: Mapping[str, Any], path: Path, value: Any, factor: float) -> Iterator[tuple[Path, Any]]:
    """(path, new value) for all that changes."""
    shares = next((tree for above, tree in _at(mapping, path[:-1]) if above == path[:-1]), None)
    if _is_number(value) and isinstance(shares, Mapping) and _add_up_to_one(shares):
        yield from _with_others_giving_way(shares, path, value, factor)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if "kind" not in value or key in _SIZES:
                yield from _multiplied(mapping, (*path, str(key)), inner, factor)
    else:
        new = _times(value, factor, any(key in _WHOLE for key in path))
        if new is not None:
            yield path, new


def _times(value: Any, factor: float, whole: bool) -> Any:
    """The value times the factor, None where it is nothing that can be multiplied."""
    if _is_number(value):
        return int(value * factor + 0.5) if whole else float(f"{value * factor:.10g}")
    if isinstance(value, list):
        each = [_times(one, factor, whole) for one in value]
        return None if None in each or not each else each
    if isinstance(value, Mapping):
        return {key: _times(one, factor, whole) if key in _SIZES else one for key, one in value.items()}
    if isinstance(value, str):
        if match := _RATE.match(value):
            return f"{float(match[1]) * factor:.10g}/{match[3]}"
        try:
            return written(round(ticks(value) * factor))
        except ValueError:
            return None
    return None


def _with_others_giving_way(
    shares: Mapping[Any, Any], path: Path, value: float, factor: float
) -> Iterator[tuple[Path, Any]]:
    share = value * factor
    if not 0 <= share <= 1:
        raise InputError(f"{'.'.join(path)}: a share of {share:.3g}; vary it by less")
    if value == 1:
        return
    for key, other in shares.items():
        new = share if str(key) == path[-1] else other * (1 - share) / (1 - value)
        yield (*path[:-1], str(key)), float(f"{new:.12g}")


def _add_up_to_one(shares: Mapping[Any, Any]) -> bool:
    return len(shares) > 1 and all(map(_is_number, shares.values())) and abs(sum(shares.values()) - 1) < 1e-9


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _typed(value: Any) -> str:
    """A value in the grammar of the command line."""
    if isinstance(value, list):
        return f"[{','.join(map(_typed, value))}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}: {_typed(one)}' for key, one in value.items())}}}"
    return f"{value:.12g}" if isinstance(value, float) else str(value)
