"""Statistics against scipy, a worked example, and their own promises (coverage, no contradictions)."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from scipy import stats

from servsim import statistics as st

NAN = float("nan")


def test_the_examples_in_the_docstrings_run() -> None:
    result = doctest.testmod(st)
    assert result.attempted > 0 and result.failed == 0


def test_the_mean_and_its_interval_are_those_of_scipy() -> None:
    values = np.random.default_rng(1).normal(30, 4, 12)
    got = st.mean(values)
    low, high = stats.t.interval(0.95, 11, loc=values.mean(), scale=stats.sem(values))
    assert [got.mean, got.lower, got.upper] == pytest.approx([values.mean(), low, high], rel=1e-12)
    assert got.n == 12


def test_a_replication_without_an_answer_is_left_out_and_n_says_so() -> None:
    with_hole, without = st.mean([3.0, NAN, 5.0, 10.0]), st.mean([3.0, 5.0, 10.0])
    assert with_hole.n == 3
    assert (with_hole.mean, with_hole.lower, with_hole.upper) == (without.mean, without.lower, without.upper)


def test_no_replication_has_no_mean_and_one_has_no_interval() -> None:
    none, one = st.mean([NAN, NAN]), st.mean([NAN, 7.0])
    assert none.n == 0 and np.isnan(none.mean)
    assert one.n == 1 and one.mean == 7.0 and np.isnan(one.lower) and np.isnan(one.upper)


def test_many_rows_are_done_at_once() -> None:
    values = np.random.default_rng(2).exponential(5, (3, 4, 10))
    together = st.mean(values)
    assert together.mean.shape == (3, 4)
    assert together.upper[2, 1] == pytest.approx(float(st.mean(values[2, 1]).upper), rel=1e-12)


def test_the_paired_difference_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(3)
    baseline = rng.normal(100, 10, 15)
    values = baseline - 2 + rng.normal(0, 3, 15)
    got, want = st.paired_difference(values, baseline), stats.ttest_rel(values, baseline)
    interval = want.confidence_interval(0.95)
    assert [got.p, got.lower, got.upper] == pytest.approx([want.pvalue, interval.low, interval.high], rel=1e-10)
    assert got.difference == pytest.approx((values - baseline).mean())


def test_only_replications_that_both_have_are_paired() -> None:
    got = st.paired_difference([1.0, NAN, 5.0, 4.0], [0.0, 1.0, NAN, 1.0])
    assert got.n == 2 and got.difference == 2.0


def test_a_thing_and_itself_do_not_differ() -> None:
    got = st.paired_difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert (got.difference, got.lower, got.upper, got.p) == (0.0, 0.0, 0.0, 1.0)


def test_the_same_difference_every_time_is_certain() -> None:
    got = st.paired_difference([1.1, 2.1, 3.1], [1.0, 2.0, 3.0])
    assert got.p == 0.0
    assert [got.lower, got.upper] == pytest.approx([0.1, 0.1])


def test_rounding_is_not_a_difference() -> None:
    baseline = np.array([0.1 + 0.2, 1e6 / 3, 123.456])
    got = st.paired_difference(np.nextafter(baseline, np.inf), baseline)
    assert (got.difference, got.p) == (0.0, 1.0)


def test_one_pair_shows_nothing() -> None:
    got = st.paired_difference([1.0], [0.0])
    assert got.difference == 1.0 and np.isnan([got.lower, got.upper, got.p]).all()


def test_holm_steps_down_as_in_the_worked_example() -> None:
    """Four hypotheses, 0.01 0.04 0.03 0.005 at 5 %: the fourth and the first are rejected, then it stops."""
    adjusted = st.holm([0.01, 0.04, 0.03, 0.005])
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert (adjusted < 0.05).tolist() == [True, False, False, True]


def test_holm_leaves_out_what_was_not_tested() -> None:
    assert st.holm([0.02, NAN, 0.04]) == pytest.approx([0.04, NAN, 0.04], nan_ok=True)
    assert len(st.holm([])) == 0
    assert st.holm([0.7, 0.9]).tolist() == [1.0, 1.0]


def test_holm_lies_between_no_adjustment_and_bonferroni() -> None:
    p = np.random.default_rng(4).uniform(0, 0.2, 30)
    adjusted = st.holm(p)
    assert (adjusted >= p).all() and (adjusted <= np.minimum(1, 30 * p) + 1e-15).all()
    assert (np.argsort(p) == np.argsort(adjusted, kind="stable")).sum() > 0 and adjusted[p.argmin()] == 30 * p.min()


@pytest.mark.parametrize(
    ("difference", "p", "better", "said"),
    [
        (-3.0, 0.01, "lower", "better"),
        (3.0, 0.01, "lower", "worse"),
        (0.1, 0.01, "higher", "better"),
        (-0.1, 0.01, "higher", "worse"),
        (-3.0, 0.05, "lower", "no difference shown"),
        (-3.0, 0.01, "", ""),
        (-3.0, NAN, "lower", ""),
    ],
)
def test_the_verdict_is_plain(difference: float, p: float, better: str, said: str) -> None:
    assert st.verdict(difference, p, better) == said


def test_better_and_worse_never_stand_beside_an_interval_that_holds_zero() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        n, m = rng.integers(2, 8), rng.integers(1, 6)
        rows = st.paired_difference(rng.normal(rng.normal(0, 1, (m, 1)), 1, (m, n)), 0.0)
        said = st.verdict(rows.difference, st.holm(rows.p), np.full(m, "lower"))
        holds_zero = (rows.lower <= 0) & (rows.upper >= 0)
        assert not (holds_zero & np.isin(said, ["better", "worse"])).any()
        assert m > 1 or (said[0] == "no difference shown") == holds_zero[0]


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    draws = np.random.default_rng(6).normal(5, 2, (20_000, 6))
    got = st.mean(draws)
    assert np.mean((got.lower <= 5) & (got.upper >= 5)) == pytest.approx(0.95, abs=0.005)


def test_holm_errs_anywhere_in_a_family_of_nothings_in_at_most_5_per_cent() -> None:
    rng = np.random.default_rng(7)
    common = rng.normal(0, 1, (4_000, 1, 8))
    rows = st.paired_difference(rng.normal(0, 1, (4_000, 5, 8)), common)  # all share one baseline, as scenarios do
    wrong = np.mean([(st.holm(p) < 0.05).any() for p in rows.p])
    assert 0.01 < wrong < 0.06


def test_the_relative_half_width_of_nothing_is_nothing() -> None:
    assert st.relative_half_width([[0.0, 0.0], [-1.0, 1.0]]).tolist() == [0.0, np.inf]
    assert st.relative_half_width([9.0, 10.0, 11.0]) == pytest.approx(stats.t.ppf(0.975, 2) / np.sqrt(3) / 10)


# ---------------------------------------------------------------------- shares
@pytest.mark.parametrize(
    ("k", "n", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_that_of_newcombe(k: int, n: int, lower: float, upper: float) -> None:
    """Newcombe, Statistics in Medicine 1998, table I, method 3 (Wilson without continuity correction)."""
    s = st.share([True] * k + [False] * (n - k))
    assert (int(s.k), int(s.n)) == (k, n)
    assert (float(s.lower), float(s.upper)) == pytest.approx((lower, upper), abs=5e-5)


def test_the_interval_of_a_share_is_that_of_scipy_and_mirrors() -> None:
    for k in range(13):
        s, other = (st.share([True] * hits + [False] * (12 - hits)) for hits in (k, 12 - k))
        exact = stats.binomtest(k, 12).proportion_ci(method="wilson")
        assert (float(s.lower), float(s.upper)) == pytest.approx((exact.low, exact.high))
        assert (float(s.lower), float(s.upper)) == pytest.approx((1 - float(other.upper), 1 - float(other.lower)))


def test_what_has_no_answer_is_in_no_share() -> None:
    s = st.share([[True, True, False], [True, False, False]], [[True, False, True], [False, False, False]])
    assert s.k.tolist() == [1, 0]
    assert s.n.tolist() == [2, 0]
    assert s.share[0] == 0.5
    assert np.isnan([s.share[1], s.lower[1], s.upper[1]]).all()


def test_the_interval_of_a_share_covers_it_about_as_often_as_it_says() -> None:
    """On average over all probabilities; at single ones it is now above, now below (Brown, Cai, DasGupta 2001)."""
    dice, n = np.random.default_rng(5), 20
    p = dice.uniform(0, 1, 20_000)
    s = st.share(dice.uniform(0, 1, (20_000, n)) < p[:, None])
    assert np.mean((s.lower <= p) & (p <= s.upper)) == pytest.approx(0.95, abs=0.01)


# ---------------------------------------------------------------------- moved means
def test_a_moved_mean_with_all_pairs_is_the_plain_mean() -> None:
    moved = [5.0, 7.5, 6.0, 9.0]
    a, b = st.moved_mean([4.0, 6.0, 5.0, 7.0], moved), st.mean(moved)
    assert (float(a.mean), float(a.half_width)) == pytest.approx((float(b.mean), float(b.half_width)))


def test_a_moved_mean_leaves_out_pairs_that_lack_one_of_the_two() -> None:
    of = st.moved_mean([1, NAN, 3, 4, 6], [2, 9, 5, NAN])
    same = st.moved_mean([1, 3, 4, 6], [2, 5])
    assert [float(x) for x in (of.mean, of.lower, of.upper, of.n)] == pytest.approx(
        [float(x) for x in (same.mean, same.lower, same.upper, same.n)]
    )


def test_a_moved_mean_takes_the_level_from_all_and_the_shift_from_the_pairs() -> None:
    e = st.moved_mean([1.0, 3.0, 8.0, 12.0], [2.0, 6.0])
    assert float(e.mean) == 6.0 + 2.0
    error = np.sqrt(2.0 * (1 / 2 - 1 / 4) + 8.0 / 4)  # s_d² = 2 of the differences 1 and 3, s_y² = 8 of 2 and 6
    assert float(e.half_width) == pytest.approx(stats.t.ppf(0.975, 1) * error)


def test_a_moved_mean_covers_the_truth_at_least_as_often_as_it_says() -> None:
    dice = np.random.default_rng(8)
    x = dice.normal(10, 2, (20_000, 20))
    moved = x[:, :4] + 3 + dice.normal(0, 1, (20_000, 4))
    e = st.moved_mean(x, moved)
    assert 0.94 < np.mean((e.lower <= 13) & (e.upper >= 13)) < 0.995
    assert np.mean(e.half_width) < np.mean(st.mean(moved).half_width)
