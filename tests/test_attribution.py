"""What all measures do together is split up among them as the theory of factorial designs and of games has it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from servsim.attribution import FULL, GENERATORS, MOST, Attribution, Design, attribution


def measured(design: Design, figure: Any, replications: int = 1) -> tuple[Any, list[str]]:
    """A comparison in which the figure of a run is `figure(set of measures, replication)`."""
    names = ["+".join(np.array(design.measures)[run]) or "baseline" for run in design.runs]
    rows = [
        {"scenario": name, "replication": r, "kpi": "wait", "group": "all", "value": figure({*np.flatnonzero(run)}, r)}
        for name, run in zip(names, design.runs, strict=True)
        for r in range(replications)
    ]
    return SimpleNamespace(kpis=pd.DataFrame(rows), n=replications), names


def split(n: int, figure: Any, replications: int = 1) -> Attribution:
    design = Design.of("ABCDEFGHIJKLMN"[:n])
    return attribution(*_with(design, measured(design, figure, replications)), "wait")


def _with(design: Design, found: tuple[Any, list[str]]) -> tuple[Any, Design, list[str]]:
    return found[0], design, found[1]


# ---------------------------------------------------------------------- designs
@pytest.mark.parametrize("n", range(2, MOST + 1))
def test_a_design_begins_with_nothing_ends_with_everything_and_has_no_run_twice(n: int) -> None:
    design = Design.of("ABCDEFGHIJK"[:n])
    assert not design.runs[0].any()
    assert design.runs[-1].all()
    assert len({tuple(run) for run in design.runs.tolist()}) == len(design.runs)
    assert design.is_full == (n <= FULL)
    assert design.in_factorial.sum() == 2 ** (n - len(GENERATORS.get(n, ())))


@pytest.mark.parametrize("n", sorted(GENERATORS))
def test_a_fraction_mixes_up_no_effects_of_one_or_two_measures(n: int) -> None:
    design = Design.of("ABCDEFGHIJK"[:n])
    signs = np.where(design.runs[design.in_factorial], 1, -1)
    columns = [*signs.T, *(signs[:, i] * signs[:, j] for i, j in design.pairs), np.ones(len(signs))]
    products = np.array(columns) @ np.array(columns).T
    assert (products == len(signs) * np.eye(len(columns))).all()


@pytest.mark.parametrize("n", [0, 1, MOST + 1])
def test_too_few_or_too_many_measures_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"expected 2 to {MOST} measures, got {n}"):
        Design.of("ABCDEFGHIJKLMN"[:n])


# ---------------------------------------------------------------------- effects
def test_the_glove_game() -> None:
    """Left gloves A and B, right glove C, a pair is worth 1: Shapley's values are 1/6, 1/6, 2/3 (textbook example)."""
    found = split(3, lambda on, r: float(2 in on and bool(on & {0, 1})))
    assert found.fair.mean == pytest.approx([1 / 6, 1 / 6, 2 / 3])
    assert found.alone.mean.tolist() == [0, 0, 0]
    assert found.last.mean.tolist() == [0, 0, 1]


def test_fair_shares_are_the_mean_over_all_orders() -> None:
    random = np.random.default_rng(5)
    value = {tuple(sorted(on)): float(random.normal()) for on in _subsets(4)}
    found = split(4, lambda on, r: value[tuple(sorted(on))])
    added = np.zeros(4)
    for order in permutations(range(4)):
        for k, measure in enumerate(order):
            added[measure] += value[tuple(sorted(order[: k + 1]))] - value[tuple(sorted(order[:k]))]
    assert found.fair.mean == pytest.approx(added / 24)
    assert found.fair.mean.sum() == pytest.approx(found.total.mean)
    assert found.rest == pytest.approx(0)


def _subsets(n: int) -> list[list[int]]:
    return [[i for i in range(n) if mask >> i & 1] for mask in range(2**n)]


def test_what_two_bring_beyond_the_sum_of_both() -> None:
    """10 for A, 20 for B, 5 more for both, and C changes nothing: by hand."""
    found = split(3, lambda on, r: 10 * (0 in on) + 20 * (1 in on) + 5 * ({0, 1} <= on) + 100.0)
    assert found.together.difference == pytest.approx([5, 0, 0])
    assert found.fair.mean == pytest.approx([12.5, 22.5, 0])
    assert found.last.mean == pytest.approx([15, 25, 0])


@pytest.mark.parametrize("n", sorted(GENERATORS))
def test_a_fraction_tells_the_effects_of_one_and_two(n: int) -> None:
    one = np.arange(1.0, n + 1)
    found = split(n, lambda on, r: float(one[list(on)].sum() + 7 * ({1, n - 1} <= on)))
    expected = one + 3.5 * np.isin(np.arange(n), (1, n - 1))
    assert found.fair.mean == pytest.approx(expected)
    assert found.rest == pytest.approx(0)
    by_pair = dict(zip(Design.of("ABCDEFGHIJK"[:n]).pairs, found.together.difference, strict=True))
    assert by_pair.pop((1, n - 1)) == pytest.approx(7)
    assert list(by_pair.values()) == pytest.approx([0] * len(by_pair))


def test_what_a_fraction_cannot_tell_is_left_over() -> None:
    """Only all seven together bring something: seen in the total, in no effect of one or two measures."""
    found = split(7, lambda on, r: float(len(on) == 7))
    assert found.total.mean == 1
    assert found.rest == pytest.approx(1)


# ---------------------------------------------------------------------- intervals
@dataclass
class Noise:
    """Normal noise by replication, part of it common to all combinations."""

    common: float
    own: float

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(11)
        self.shared = self.random.normal(size=1000) * self.common

    def __call__(self, on: set[int], r: int) -> float:
        return 2.0 * (0 in on) + 1.0 * (1 in on) + self.shared[r] + self.own * float(self.random.normal())


def test_noise_that_all_combinations_share_widens_no_interval() -> None:
    found = split(2, Noise(common=50, own=0), 10)
    assert found.fair.half_width == pytest.approx([0, 0], abs=1e-9)
    assert found.share.mean == pytest.approx([2 / 3, 1 / 3])


def test_intervals_cover_as_often_as_they_say() -> None:
    noise = Noise(common=3, own=1)
    runs = [split(2, noise, 12) for _ in range(400)]
    for truth, name, k in ((2.0, "fair", 0), (1.0, "fair", 1), (2 / 3, "share", 0)):
        covered = np.mean([getattr(r, name).lower[k] <= truth <= getattr(r, name).upper[k] for r in runs])
        assert 0.91 < covered < 0.98, (name, covered)
    shown = np.mean([(r.together.p < 0.05).any() for r in runs])
    assert shown < 0.09  # no pair brings anything


def test_no_shares_of_a_total_that_may_be_nothing() -> None:
    noise = Noise(common=0, own=1)
    found = split(2, lambda on, r: noise(set(), r), 12)
    assert np.isnan(found.share.mean).all()


def test_a_replication_that_failed_somewhere_is_left_out() -> None:
    design = Design.of("AB")
    comparison, names = measured(design, lambda on, r: float(len(on) * (r + 1)), 3)
    comparison.kpis = comparison.kpis[~((comparison.kpis["scenario"] == "A") & (comparison.kpis["replication"] == 2))]
    found = attribution(comparison, design, names, "wait")
    assert (found.n, float(found.total.mean)) == (2, pytest.approx(3.0))
