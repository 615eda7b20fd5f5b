"""What assumptions do to effects, and where measures change places: on figures whose answer is known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from servsim.sensitivity import Sensitivity, Varied, sensitivity

NAMES = ["base", "peak", "rule"]


def found(figure: Any, by: float = 0.1, better: str | None = "lower", n: int = 4) -> Sensitivity:
    """`figure(scenario, load, speed, replication)` for one assumption `load` and one `speed`."""
    rows, varied = [], []

    def add(name: str, *at: Any) -> None:
        for r in range(n):
            row = {"scenario": name, "replication": r, "kpi": "wait", "group": "all"}
            rows.append({**row, "value": figure(at[0], at[1], at[2], r)})

    for name in NAMES:
        add(name, name, 1.0, 1.0)
    for assumption in ("load", "speed"):
        for factor in (1 - by, 1 + by):
            runs = tuple(f"{name}[{assumption} {factor}]" for name in NAMES)
            for name, run in zip(NAMES, runs, strict=True):
                add(run, name, factor if assumption == "load" else 1.0, factor if assumption == "speed" else 1.0)
            varied.append(Varied(assumption, factor, runs))
    frame = pd.DataFrame(rows)
    comparison: Any = SimpleNamespace(kpis=frame, n=n, scenarios=tuple(dict.fromkeys(frame["scenario"])))
    return sensitivity(comparison, NAMES, varied, "wait", better)


def linear(name: str, load: float, speed: float, r: int) -> float:
    """peak saves 30, whatever the load; rule saves 28 and 100 more for each unit of load above 1."""
    saved = {"base": 0.0, "peak": 30.0, "rule": 28.0 + 100 * (load - 1)}[name]
    return 100 * load - saved + 7 * r


def test_levels_and_effects_follow_the_assumption() -> None:
    swings = {(s.assumption, s.scenario): s for s in found(linear).swings}
    assert swings["load", "base"].level.mean - 10.5 == pytest.approx([90, 100, 110])
    assert swings["load", "rule"].effect.mean == pytest.approx([-18, -28, -38])
    assert swings["load", "rule"].effect.half_width == pytest.approx([0, 0, 0], abs=1e-9)  # common random numbers
    assert swings["load", "base"].width == pytest.approx(20)
    assert swings["load", "peak"].width == pytest.approx(0)
    assert swings["speed", "rule"].width == pytest.approx(0)


def test_two_measures_change_places_where_the_lines_cross() -> None:
    (flip,) = found(linear).flips
    assert (flip.assumption, flip.before, flip.after, flip.is_shown) == ("load", "peak", "rule", True)
    assert flip.factor == pytest.approx(1.02)


def test_nothing_flips_within_a_narrow_range_or_without_a_better_way() -> None:
    assert found(linear, by=0.01).flips == ()
    assert found(linear, better=None).flips == ()


def test_where_more_is_better_the_other_one_leads() -> None:
    (flip,) = found(linear, better="higher").flips
    assert (flip.before, flip.after) == ("rule", "peak")


def test_a_change_of_places_by_luck_is_not_shown() -> None:
    random = np.random.default_rng(3)

    def noisy(name: str, load: float, speed: float, r: int) -> float:
        return linear(name, load, speed, r) + float(random.normal(0, 30))

    flips = [flip for _ in range(30) for flip in found(noisy).flips]
    assert len(flips) > 10
    assert sum(flip.is_shown for flip in flips) < len(flips) / 4
