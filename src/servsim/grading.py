"""What grade does each scenario deserve? A scorecard over the figures of a comparison, replication by replication."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from servsim import statistics
from servsim.kpis import KPIS
from servsim.model.errors import InputError
from servsim.model.scorecard import GRADES, Scorecard, Weighted, Worth
from servsim.scoring import CONSISTENT, Weights, by_judgement, efficiency, evaluated, memberships
from servsim.statistics import Estimate

if TYPE_CHECKING:
    from servsim.experiment import Comparison

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Graded:
    """A scenario's grade: by all criteria, or by one."""

    membership: Floats  # [grades] mean over the replications; sums to 1
    score: Estimate  # points, 0-dimensional

    @property
    def grade(self) -> str:
        """The grade to which it belongs most; of equals the better one."""
        return GRADES[int(np.argmax(self.membership))]


@dataclass(frozen=True)
class Card:
    """What a scorecard says of all scenarios."""

    weights: Mapping[str, float]  # criterion → weight; "criterion.indicator" → weight within the criterion
    ratios: Mapping[str, float]  # "" and criterion → consistency ratio of its judgements
    overall: Mapping[str, Graded]  # scenario → grade
    by_criterion: Mapping[tuple[str, str], Graded]  # (scenario, criterion)
    difference: Mapping[str, Estimate]  # scenario → score minus that of the baseline, paired
    by_season: Mapping[tuple[str, str], Graded]  # (scenario, season)
    efficiency: Mapping[tuple[str, str], float]  # (scenario, department or "") → share of the inputs that would do
    worth: Mapping[tuple[str, str], Estimate]  # (scenario, id) → money gained against the baseline
    left_out: tuple[str, ...]  # indicators that some scenario has no value for


def graded(comparison: Comparison, card: Scorecard) -> Card:
    """The scorecard of every scenario of a comparison. Indicators that any scenario lacks are left out, and said.

    Raises InputError for judgements that contradict each other too much.
    """
    figures = _Figures(comparison)
    own = {name: _weights(f"criteria.{name}.", list(c.indicators), c, card) for name, c in card.criteria.items()}
    top = _weights("", list(card.criteria), card, card)
    rows = {name: _criterion(figures, card, name, own[name].weights) for name in card.criteria}
    left_out = tuple(f"{name}.{which}" for name, (_, lacking) in rows.items() for which in lacking)
    cubes = {name: cube for name, (cube, _) in rows.items() if cube is not None}
    if not cubes:
        raise InputError("scorecard: no scenario has a value for any of its indicators")
    weights = dict(zip(card.criteria, top.weights.tolist(), strict=True))
    within = {
        f"{name}.{indicator}": float(weight)
        for name, of in card.criteria.items()
        for indicator, weight in zip(of.indicators, own[name].weights, strict=True)
    }
    every = [np.array([cubes[name][s] for name in cubes]) for s in range(len(comparison.scenarios))]

    def all_together(by: Mapping[str, float]) -> list[Floats]:
        w = np.array([by[name] for name in cubes])
        return [_evaluated(w / w.sum(), rows, card) for rows in every]

    overall = all_together(weights)
    scores = [of @ np.array(card.points) for of in overall]
    names = comparison.scenarios
    return Card(
        weights=weights | within,
        ratios={"": top.ratio} | {name: found.ratio for name, found in own.items()},
        overall={name: _graded(of, card) for name, of in zip(names, overall, strict=True)},
        by_criterion={(s, name): _graded(cube[k], card) for name, cube in cubes.items() for k, s in enumerate(names)},
        difference={s: statistics.mean(score - scores[0]) for s, score in zip(names, scores, strict=True)},
        by_season={
            (s, season): _graded(of, card)
            for season in card.seasons
            for s, of in zip(names, all_together(seasonal(weights, card.seasons[season].weights)), strict=True)
        },
        efficiency=_efficiency(figures, card),
        worth={(s, name): _worth(figures, s, worth) for name, worth in card.worth.items() for s in names[1:]},
        left_out=left_out,
    )


def seasonal(weights: Mapping[str, float], fixed: Mapping[str, float]) -> dict[str, float]:
    """Weights of a season: some fixed, the others what is left, in proportion to what they had.

    >>> seasonal({"speed": 0.2, "quality": 0.6, "cost": 0.2}, {"speed": 0.4})
    {'speed': 0.4, 'quality': 0.45, 'cost': 0.15}
    """
    others = sum(weight for name, weight in weights.items() if name not in fixed)
    rest = 1 - sum(fixed.values())
    return {name: fixed[name] if name in fixed else round(w / others * rest, 12) for name, w in weights.items()}


# ---------------------------------------------------------------------- parts
class _Figures:
    """The figures of a comparison by scenario, KPI and group: [replications], NaN where there is none."""

    def __init__(self, comparison: Comparison) -> None:
        self.scenarios, self.n = comparison.scenarios, comparison.n
        frame = comparison.kpis
        self.values: dict[tuple[str, str, str], Floats] = {}
        for (scenario, kpi, group), rows in frame.groupby(["scenario", "kpi", "group"], sort=False):
            values = np.full(self.n, np.nan)
            values[rows["replication"].to_numpy()] = rows["value"].to_numpy()
            self.values[str(scenario), str(kpi), str(group)] = values

    def of(self, scenario: str, kpi: str, group: str = "all") -> Floats:
        return self.values.get((scenario, kpi, group), np.full(self.n, np.nan))

    def groups(self, kpi: str, kind: str) -> list[str]:
        return list(dict.fromkeys(group for _, name, group in self.values if name == kpi and group.startswith(kind)))


def _weights(where: str, names: list[str], of: Weighted, card: Scorecard) -> Weights:
    found = by_judgement(of.matrix(names))
    if found.ratio > CONSISTENT and not card.accept_inconsistent:
        raise InputError(
            f"scorecard.{where}judgements: contradict each other (consistency ratio {found.ratio:.2f}, at most "
            f"{CONSISTENT}); judge again, or set scorecard.accept_inconsistent: true"
        )
    return found


def _criterion(figures: _Figures, card: Scorecard, name: str, weights: Floats) -> tuple[Floats | None, list[str]]:
    """([scenarios, replications, grades] of one criterion, None without any value; indicators left out)"""
    indicators = card.criteria[name].indicators
    values = {i: np.array([figures.of(s, of.kpi, of.group) for s in figures.scenarios]) for i, of in indicators.items()}
    there = [i for i, value in values.items() if not np.isnan(value).all(axis=1).any()]
    if not there:
        return None, list(indicators)
    w = np.array([weight for i, weight in zip(indicators, weights, strict=True) if i in there])
    rows = np.array([[[memberships(x, indicators[i].typical) for x in s] for s in values[i]] for i in there])
    cube = np.array([_evaluated(w / w.sum(), rows[:, s], card) for s in range(len(figures.scenarios))])
    return cube, [i for i in indicators if i not in there]


def _evaluated(weights: Floats, rows: Floats, card: Scorecard) -> Floats:
    """[replications, grades] of rows [things, replications, grades]."""
    return np.array([evaluated(weights, rows[:, r], card.operator) for r in range(rows.shape[1])])


def _graded(membership: Floats, card: Scorecard) -> Graded:
    known = membership[~np.isnan(membership).any(axis=1)]
    return Graded(known.mean(axis=0), statistics.mean(known @ np.array(card.points)))


def _efficiency(figures: _Figures, card: Scorecard) -> dict[tuple[str, str], float]:
    """From means over the replications; units that lack a figure, or have one that is not above 0, are left out."""
    ask = card.efficiency
    if ask is None:
        return {}
    groups = ["all"] if ask.of == "scenarios" else figures.groups(ask.inputs[0], "department=")
    units = [(s, group) for s in figures.scenarios for group in groups]
    table = np.array([[_mean(figures.of(s, kpi, g)) for kpi in (*ask.inputs, *ask.outputs)] for s, g in units])
    fit = [k for k, row in enumerate(table) if (row > 0).all()]
    if not fit:
        return {}
    n = len(ask.inputs)
    found = efficiency(table[fit, :n], table[fit, n:], ask.variable_returns)
    names = [(units[k][0], units[k][1].partition("=")[2]) for k in fit]
    return dict(zip(names, found.score.tolist(), strict=True))


def _worth(figures: _Figures, scenario: str, worth: Worth) -> Estimate:
    before, after = (figures.of(s, worth.kpi, worth.group) for s in (figures.scenarios[0], scenario))
    gain = (after - before) * (-1 if KPIS[worth.kpi].better == "lower" else 1)
    cases = figures.of(scenario, "cases", worth.group) if worth.each_case else np.ones(figures.n)
    return statistics.mean(gain / worth.per * worth.money * cases)


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def check(card: Scorecard) -> None:
    """Raises InputError for judgements that contradict each other too much."""
    _weights("", list(card.criteria), card, card)
    for name, of in card.criteria.items():
        _weights(f"criteria.{name}.", list(of.indicators), of, card)
