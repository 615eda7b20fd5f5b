"""Whatever is wrong with a scenario, the answer is a line or two that says where: never another exception.

Scenarios that are right – those that are shipped, and the richest of the tests – are spoilt at random: keys left out,
misspelt, or put elsewhere, values of other types, negative and huge numbers, nothing at all.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import MORE
from test_common_numbers_of_keys import CHANGES, _rich

from servsim.compose import Composed, build, composing
from servsim.model.errors import InputError
from servsim.project import Project, find

ROOT = Path(__file__).resolve().parents[1]
TIMES = ("1 h", "-5 min", "0 min", "1e400 d", "2026-03-02", "25:00", "mon")
WORDS = (*TIMES, "yes", "no", "", " ", "end", "desk", "ü", "a.b", "x" * 999)
NUMBERS = (0, 1, -1, 3, 0.5, -0.5, 1e-300, 1e308, 10**18, -(10**30), 2**63, float("nan"), float("inf"), -float("inf"))
OTHERS = (None, True, False, [], {}, [[]], [None], {"": None}, {"kind": "x"}, {"kind": None}, {None: 1}, {1: 2}, b"x")
Where = tuple[Any, Any]


@cache
def shipped() -> tuple[tuple[Project, Composed], ...]:
    """The baselines that are shipped, as composed from their files."""
    place = find(ROOT)
    studies = sorted(path.parent.name for path in (ROOT / "scenarios").glob("*/baseline.yaml"))
    with composing(place) as composer:
        return tuple((place, composer.scenario(place.scenario_named(f"{name}/baseline"))) for name in studies)


@cache
def right() -> tuple[dict[str, Any], ...]:
    """Scenarios that load."""
    return (*(composed.mapping for _, composed in shipped()), _rich(), *(c.applied() for c in CHANGES.values()))


def places(part: Any) -> Iterator[Where]:
    """(container, key or index) of everything below."""
    keys = part.keys() if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    for key in keys:
        yield part, key
        yield from places(part[key])


def spoilt(config: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The scenario with one to three things wrong, or at least different."""
    made = copy.deepcopy(config)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        part, key = rng.choice(list(places(made)))
        how = rng.randrange(7)
        if how == 0:
            del part[key]
        elif how == 1 and isinstance(part, dict) and isinstance(key, str):
            part[rng.choice((key[:-1], key + "s", key.upper(), key[::-1], "label"))] = part.pop(key)
        elif how == 2:
            other, name = rng.choice(list(places(made)))
            part[key] = copy.deepcopy(other[name])
        elif how == 3 and isinstance(part[key], int | float) and not isinstance(part[key], bool):
            part[key] = part[key] * rng.choice((-1, 0, 1000, 1e9))
        else:
            part[key] = copy.deepcopy(rng.choice(rng.choice((WORDS, NUMBERS, OTHERS))))
    return made


def told(made: dict[str, Any]) -> str:
    """What is said when the scenario is built; nothing if it can be."""
    place, composed = shipped()[0]
    try:
        build(replace(composed, mapping=made), place)
    except InputError as error:
        return str(error) or "nothing"
    return ""


@pytest.mark.parametrize("block", range(4))
def test_a_spoilt_scenario_loads_or_says_where_it_is_wrong(block: int) -> None:
    rng, refused = random.Random(f"spoilt/{block}"), 0
    for _ in range(round(100 * MORE)):
        made = spoilt(rng.choice(right()), rng)
        try:
            said = told(made)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error} in {made}") from error
        for line in said.splitlines():
            assert ": " in line and "Traceback" not in line and len(line) < 2000, said
        refused += bool(said)
    assert refused > 30 * MORE
