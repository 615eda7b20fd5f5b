"""Which values of the assumptions reproduce the reported facts, and how well do the facts determine them?

An assumption is a factor on its settings. Facts are run at points of a design within the ranges of the factors, smooth
curves (`kriging`) tell what they would be in between, and all questions are asked of the curves: which point comes
nearest to the facts, and how far one can go from there until a fact is missed by more than its tolerance, the noise of
the simulation and the uncertainty of the curve together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from servsim.kriging import Curve, curve

Floats = NDArray[np.float64]
Run = Callable[[Floats, int], Floats]
"""(factors [n, k], replications) → values of the facts' KPIs [n, m, replications], NaN: none"""

PINNED, NARROWED, NOT_PINNED = "pinned", "narrowed", "not_pinned"
PINNED_BELOW, NOT_PINNED_ABOVE = 0.3, 0.8
"""Accepted share of a range below which its assumption is pinned down, and above which it is not at all."""
_CANDIDATES = 2048
_STAYING = 0.3
"""What moving to the edge of a range counts, in tolerances: where the facts leave it open, an assumption stays."""


@dataclass(frozen=True)
class Ranges:
    """The factors that are thought possible, and what is asked of the facts. k assumptions, m facts."""

    assumptions: tuple[str, ...]
    low: Floats  # [k]
    high: Floats
    facts: tuple[str, ...]
    reported: Floats  # [m]
    tolerance: Floats  # [m], above 0

    def factors(self, at: Floats) -> Floats:
        """Places −1 … 1 as factors, evenly in their logarithm; four digits, as they will be typed."""
        logs = (np.log(self.high) - np.log(self.low)) / 2 * at + (np.log(self.high) + np.log(self.low)) / 2
        return np.asarray([[float(f"{factor:.4g}") for factor in row] for row in np.exp(logs)])

    def places(self, factors: Floats) -> Floats:
        logs = np.log(factors) - (np.log(self.high) + np.log(self.low)) / 2
        return np.asarray(logs / self.half)

    @property
    def half(self) -> Floats:
        """Half the width of each range, in logarithms of the factor."""
        return np.asarray((np.log(self.high) - np.log(self.low)) / 2)

    @property
    def stated(self) -> Floats:
        """Where the factors are 1, or as near to it as the ranges allow; [k]."""
        return np.clip(self.places(np.ones(len(self.low))), -1.0, 1.0)


@dataclass(frozen=True)
class Accepted:
    """Factors at which all facts hold, and the share of the range that they take up (in logarithms)."""

    low: float
    high: float
    share: float

    @property
    def verdict(self) -> str:
        return PINNED if self.share < PINNED_BELOW else NOT_PINNED if self.share > NOT_PINNED_ABOVE else NARROWED


@dataclass(frozen=True)
class Combination:
    """A product of powers of factors that a fact depends on; `accepted` is about that product ÷ the one found."""

    fact: str
    powers: Floats  # [k], the largest is ±1, 0: does not matter
    accepted: Accepted


@dataclass(frozen=True)
class Conflict:
    """A fact that is missed at the point found."""

    fact: str
    together: float  # what comes out there
    alone: float  # the nearest to it where no other fact is looked at
    against: tuple[str, ...]  # facts with which it cannot be met, each taken alone; empty: several of them at once
    possible: bool  # alone


@dataclass(frozen=True)
class Tuning:
    """What was found; factors as they are typed."""

    ranges: Ranges
    factors: Floats  # [k]
    accepted: tuple[Accepted, ...]  # by assumption
    combinations: tuple[Combination, ...]  # by fact, where it depends on more than one assumption
    trade: Floats  # [k], changes of factors (as powers) that leave all facts as they are; 0 where there are none
    conflicts: tuple[Conflict, ...]
    design: Floats  # [n, k], factors that were run
    values: Floats  # [n, m], what came out, mean over the replications


def tune(ranges: Ranges, run: Run, points: int, per_point: int, replications: int, seed: int) -> Tuning:
    """Two thirds of the points all over the ranges, the others where the facts hold, then the best point once more."""
    first = -(-2 * points // 3)
    design, values = _run(ranges, run, _spread(ranges, first, seed), per_point)
    for more in (points - first - (points - first) // 2, (points - first) // 2):
        curves = Curves.through(ranges, design, values)
        again = _run(ranges, run, _nearby(curves, design, more, seed), per_point)
        design, values = np.vstack([design, again[0]]), np.vstack([values, again[1]])
    curves = Curves.through(ranges, design, values)
    best = ranges.places(ranges.factors(curves.best()[None, :]))
    curves = curves.shifted(best, run(ranges.factors(best), replications)[0])
    best = ranges.places(ranges.factors(curves.best()[None, :]))[0]
    reachable = curves.as_good_as(best)
    return Tuning(
        ranges=ranges,
        factors=ranges.factors(best[None, :])[0],
        accepted=tuple(_of_assumption(ranges, reachable, best, i) for i in range(len(best))),
        combinations=tuple(_combinations(ranges, reachable, best)),
        trade=_trade(ranges, reachable, best),
        conflicts=tuple(_conflicts(ranges, curves, best)),
        design=ranges.factors(design),
        values=values,
    )


def fewest(assumptions: int) -> int:
    """Points below which nothing can be said: a middle, both ends of each range, and as many in between."""
    return 4 * assumptions + 4


# ---------------------------------------------------------------------- where to run
def _run(ranges: Ranges, run: Run, places: Floats, replications: int) -> tuple[Floats, Floats]:
    """(places as the rounded factors have them, means over the replications)"""
    factors = ranges.factors(places)
    values = run(factors, replications)
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return ranges.places(factors), np.where(there, values, 0.0).sum(axis=2) / there.sum(axis=2)


def _spread(ranges: Ranges, n: int, seed: int) -> Floats:
    """As stated, the middle, both ends of each range alone, and points spread evenly (scrambled Sobol)."""
    k = len(ranges.low)
    ends = [sign * axis for axis in np.eye(k) for sign in (-1.0, 1.0)]
    fixed = np.array([ranges.stated, np.zeros(k), *ends])
    _, once = np.unique(ranges.factors(fixed), axis=0, return_index=True)
    fixed = fixed[np.sort(once)]
    return np.vstack([fixed, _sobol(n - len(fixed), k, seed)])


def _sobol(n: int, k: int, seed: int) -> Floats:
    """n places, evenly spread."""
    from scipy.stats import qmc

    power = max(n - 1, 1).bit_length()
    return np.asarray(2 * qmc.Sobol(k, seed=seed).random_base2(power)[: max(n, 0)] - 1)


def _nearby(curves: Curves, design: Floats, n: int, seed: int) -> Floats:
    """The best place, then places where the facts seem to hold, each as far as possible from those before."""
    candidates = _sobol(_CANDIDATES, design.shape[1], seed + 1)
    excess = curves.excess(candidates).max(axis=1)
    good = candidates[np.argsort(excess, kind="stable")[: max(int((excess <= 0).sum()), 8 * n)]]
    chosen = [curves.best()]
    for _ in range(n - 1):
        done = np.vstack([design, chosen])
        away = np.min(((good[:, None, :] - done[None, :, :]) ** 2).sum(axis=2), axis=1)
        chosen.append(good[int(np.argmax(away))])
    return np.array(chosen[:n]).reshape(n, -1)


# ---------------------------------------------------------------------- what the facts would be
@dataclass(frozen=True)
class Curves:
    """The facts' KPIs as functions of the place."""

    ranges: Ranges
    of: tuple[Curve, ...]  # by fact
    shift: Floats  # [m], what many replications add to what the few of the design said
    error: Floats  # [m], standard error of these
    slack: Floats  # [m], tolerances by which a fact may be missed besides
    looked_at: tuple[int, ...]  # the facts that matter

    @classmethod
    def through(cls, ranges: Ranges, design: Floats, values: Floats) -> Curves:
        m = len(ranges.facts)
        of = []
        for column in values.T:
            there = ~np.isnan(column)
            of.append(curve(design[there], column[there]))
        return cls(ranges, tuple(of), np.zeros(m), np.zeros(m), np.zeros(m), tuple(range(m)))

    def shifted(self, at: Floats, values: Floats) -> Curves:
        """So that they say what many replications (values [m, replications]) gave at a place [1, k]."""
        from servsim import statistics

        found = statistics.mean(values)
        n = np.maximum(found.n, 1)
        error = np.nan_to_num(np.nanstd(values, axis=1, ddof=1 if values.shape[1] > 1 else 0) / np.sqrt(n))
        shift = np.nan_to_num(found.mean - self.values(at)[0][0])
        return Curves(self.ranges, self.of, shift, error, self.slack, self.looked_at)

    def values(self, at: Floats) -> tuple[Floats, Floats]:
        """(facts [n, m], their standard deviation with that of the simulation)"""
        told = [one(at) for one in self.of]
        mean, sd = (np.column_stack([part[i] for part in told]) for i in (0, 1))
        return mean + self.shift, np.sqrt(sd**2 + self.error**2)

    def misfit(self, at: Floats) -> Floats:
        """Facts − reported, in tolerances; [n, m]."""
        return (self.values(at)[0] - self.ranges.reported) / self.ranges.tolerance

    def excess(self, at: Floats) -> Floats:
        """By how many tolerances a fact is missed beyond all that is allowed; at most 0: it holds; [n, facts]."""
        values, sd = self.values(at)
        allowed = 1 + self.slack + 1.96 * sd / self.ranges.tolerance
        excess = np.abs(values - self.ranges.reported) / self.ranges.tolerance - allowed
        return excess[:, list(self.looked_at)]

    def only(self, *facts: int) -> Curves:
        return Curves(self.ranges, self.of, self.shift, self.error, self.slack, facts)

    def as_good_as(self, at: Floats) -> Curves:
        """Where the facts cannot all be met, what is missed at this place may be missed as much elsewhere."""
        slack = np.maximum(np.abs(self.misfit(at[None, :])[0]) - 1, 0.0)
        return Curves(self.ranges, self.of, self.shift, self.error, slack, self.looked_at)

    def best(self) -> Floats:
        """The place [k] with the least sum of squared misfits, and none above a tolerance if that can be."""
        chosen = list(self.looked_at)
        stated = self.ranges.stated

        def off(at: Floats) -> Floats:
            misfit = self.misfit(at)[:, chosen]
            beyond = 5 * np.maximum(np.abs(misfit) - 0.9, 0.0)
            return np.hstack([misfit, beyond, _STAYING * (at - stated)])

        candidates = np.vstack([stated, _sobol(_CANDIDATES, len(stated), 0)])
        order = np.argsort((off(candidates) ** 2).sum(axis=1), kind="stable")
        found = [_least_squares(off, candidates[i]) for i in order[:5]]
        return min(found, key=lambda at: float((off(at[None, :]) ** 2).sum()))


def _least_squares(off: Callable[[Floats], Floats], start: Floats) -> Floats:
    """The place in the box where the sum of squares of off(places [n, k]) [n, …] is least, from a start."""
    from scipy.optimize import least_squares

    step = 1e-4

    def here(at: Floats) -> Floats:
        return np.asarray(off(at[None, :])[0])

    def slope(at: Floats) -> Floats:
        back = np.where(at > 0, -step, step)  # stays in the box
        around = off(np.vstack([at, at + np.diag(back)]))
        return np.asarray(((around[1:] - around[0]) / back[:, None]).T)

    inside = np.clip(start, -0.999, 0.999)
    found = least_squares(here, inside, jac=slope, bounds=(-1.0, 1.0), max_nfev=60)
    return np.asarray(found.x)


# ---------------------------------------------------------------------- how well it is determined
def _accepted(ranges: Ranges, curves: Curves, best: Floats, powers: Floats) -> tuple[float, float, float]:
    """(lowest, highest, share of all that the ranges allow) of log Π factor^power where all facts hold.

    Lowest and highest are counted from the best place.
    """
    way = powers * ranges.half
    whole = float(np.abs(way).sum())
    high, low = _furthest(curves, best, way / whole), -_furthest(curves, best, -way / whole)
    here = float(way @ best)
    return whole * low - here, whole * high - here, (high - low) / 2


def _of_assumption(ranges: Ranges, curves: Curves, best: Floats, k: int) -> Accepted:
    low, high, share = _accepted(ranges, curves, best, np.eye(len(best))[k])
    here = float(np.log(ranges.low[k] * ranges.high[k]) / 2 + ranges.half[k] * best[k])
    return Accepted(float(np.exp(here + low)), float(np.exp(here + high)), share)


_CLOSE = 0.01
"""Of a tolerance, or of a range: what counts as nothing."""


def _furthest(curves: Curves, best: Floats, way: Floats) -> float:
    """The largest way·place at which all facts hold; |way| adds up to 1, so that it is at most 1."""
    places = np.vstack([best, _sobol(_CANDIDATES, len(best), 0)])
    excess = curves.excess(places).max(axis=1)
    along = places @ way
    holds = excess <= 0
    holds[0] = True
    reached = places[int(np.argmax(np.where(holds, along, -np.inf)))]
    if 1 - float(reached @ way) < _CLOSE:
        return 1.0
    beyond, step = 1.0, 1.0
    for _ in range(8):
        lowest = float(reached @ way)
        target = lowest + step * (beyond - lowest)
        near = places[int(np.argmin(np.maximum(excess, 0.0) ** 2 + 400 * (along - target) ** 2))]
        found = _held_at(curves, (reached + (target - lowest) * np.sign(way), near), way, target)
        step = 0.5
        if found is None:
            beyond = target
        else:
            reached = found
        if beyond - float(reached @ way) < _CLOSE:
            break
    return min(float(reached @ way), 1.0)


def _held_at(curves: Curves, starts: Sequence[Floats], way: Floats, target: float) -> Floats | None:
    """A place with way·place = target where all facts hold; None where none was found."""

    def off(at: Floats) -> Floats:
        return np.hstack([np.maximum(curves.excess(at) + _CLOSE, 0.0), 20 * (at @ way - target)[:, None]])

    for start in starts:
        at = _least_squares(off, start)
        if curves.excess(at[None, :]).max() <= _CLOSE and abs(float(at @ way) - target) < _CLOSE:
            return at
    return None


def _slopes(ranges: Ranges, curves: Curves, best: Floats) -> Floats:
    """Tolerances by which each fact moves when an assumption goes through its whole range; [m, k]."""
    step = 0.05
    around = [curves.misfit(np.clip(best + sign * step * np.eye(len(best)), -1, 1)) for sign in (1.0, -1.0)]
    width = np.diag(np.clip(best + step * np.eye(len(best)), -1, 1) - np.clip(best - step * np.eye(len(best)), -1, 1))
    return np.asarray((2 * (around[0] - around[1]) / width[:, None]).T)


def _combinations(ranges: Ranges, curves: Curves, best: Floats) -> list[Combination]:
    """By fact: the product that it says something about, where more than one assumption is in it."""
    told = []
    for fact, slopes in zip(ranges.facts, _slopes(ranges, curves, best), strict=True):
        powers = np.where(np.abs(slopes) >= 1.0, slopes / ranges.half, 0.0)
        powers = powers / max(np.abs(powers).max(), 1e-300)
        powers = np.where(np.abs(powers) >= 0.1, powers, 0.0)
        if np.count_nonzero(powers) > 1:
            low, high, share = _accepted(ranges, curves, best, powers)
            told.append(Combination(fact, powers, Accepted(float(np.exp(low)), float(np.exp(high)), share)))
    return told


def _trade(ranges: Ranges, curves: Curves, best: Floats) -> Floats:
    """The way in which all facts change least, where one tolerance suffices for half a range of it."""
    slopes = _slopes(ranges, curves, best)
    _, sizes, ways = np.linalg.svd(slopes, full_matrices=True)
    least = float(sizes[-1]) if len(sizes) == len(best) else 0.0
    powers = ways[-1] * ranges.half
    powers = powers / powers[int(np.argmax(np.abs(powers)))]
    powers = np.where(np.abs(powers) >= 0.1, powers, 0.0)
    return powers if least < 2.0 and np.count_nonzero(powers) > 1 else np.zeros(len(best))


# ---------------------------------------------------------------------- facts that cannot be met
def _conflicts(ranges: Ranges, curves: Curves, best: Floats) -> list[Conflict]:
    there = curves.values(best[None, :])[0][0]
    missed = [i for i, off in enumerate(curves.misfit(best[None, :])[0]) if abs(off) > 1 + _CLOSE]
    return [_conflict(ranges, curves, i, float(there[i])) for i in missed]


def _conflict(ranges: Ranges, curves: Curves, fact: int, together: float) -> Conflict:
    alone = curves.only(fact).best()
    possible = _holds(curves, alone, (fact,))
    others = [i for i in range(len(ranges.facts)) if i != fact and possible]
    against = [i for i in others if not _holds(curves, curves.only(fact, i).best(), (fact, i))]
    nearest = float(curves.values(alone[None, :])[0][0, fact])
    return Conflict(ranges.facts[fact], together, nearest, tuple(ranges.facts[i] for i in against), possible)


def _holds(curves: Curves, at: Floats, facts: Sequence[int]) -> bool:
    return bool((np.abs(curves.misfit(at[None, :])[0, list(facts)]) <= 1 + _CLOSE).all())
