"""What grade does each scenario deserve? A scorecard over the figures of a comparison, replication by replication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from servsim import statistics
from servsim.kpis import KPIS
from servsim.model.errors import InputError
from servsim.model.scorecard import GRADES, Criterion, Indicator, Scorecard, Subcriterion, Weighted, Worth
from servsim.scoring import CONSISTENT, Weights, by_judgement, efficiency, evaluated, memberships
from servsim.statistics import Estimate

if TYPE_CHECKING:
    from servsim.experiment import Comparison

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Graded:
    """A scenario's grade: by all criteria, or by one."""

    grade: str
    membership: Floats  # [grades] mean over the replications; sums to 1
    score: Estimate  # points, 0-dimensional
    steady: float  # share of the replications that have the same grade by themselves


@dataclass(frozen=True)
class Card:
    """What a scorecard says of all scenarios. Paths: "speed", "speed.answer", "quality.first.repeats"."""

    weights: Mapping[str, float]  # path of a criterion or an indicator → weight among its siblings
    ratios: Mapping[str, float]  # "" and path of a criterion → consistency ratio of its judgements
    overall: Mapping[str, Graded]  # scenario → grade
    by_criterion: Mapping[tuple[str, str], Graded]  # (scenario, criterion)
    difference: Mapping[str, Estimate]  # scenario → score minus that of the baseline, paired
    by_season: Mapping[tuple[str, str], Graded]  # (scenario, season)
    efficiency: Mapping[tuple[str, str], Estimate]  # (scenario, department or "") → share of the inputs that would do
    worth: Mapping[tuple[str, str], Estimate]  # (scenario, id) → money gained against the baseline
    left: Mapping[str, Estimate]  # scenario → all that is gained less what it costs more than the baseline
    left_out: tuple[str, ...]  # paths of indicators that some scenario has no value for


def graded(comparison: Comparison, card: Scorecard) -> Card:
    """The scorecard of every scenario of a comparison. Indicators that any scenario lacks are left out, and said.

    Raises InputError for judgements that contradict each other too much.
    """
    figures, names = _Figures(comparison), comparison.scenarios
    found = {name: _evaluation(figures, card, name, of) for name, of in card.criteria.items()}
    cubes = {name: of.cube for name, of in found.items() if of.cube is not None}
    if not cubes:
        raise InputError("scorecard: no scenario has a value for any of its indicators")
    top = _weights("", list(card.criteria), card, card)
    weights = dict(zip(card.criteria, top.weights.tolist(), strict=True))

    def all_together(by: Mapping[str, float]) -> Floats:
        return _put_together([by[name] for name in cubes], list(cubes.values()), card)

    overall = all_together(weights)
    scores = overall @ np.array(card.points)
    by_season = {season: all_together(seasonal(weights, of.weights)) for season, of in card.seasons.items()}
    gains = {(s, name): _gain(figures, s, worth) for name, worth in card.worth.items() for s in names[1:]}
    return Card(
        weights={**weights, **{path: weight for of in found.values() for path, weight in of.weights.items()}},
        ratios={"": top.ratio, **{path: ratio for of in found.values() for path, ratio in of.ratios.items()}},
        overall={s: _graded(of, card) for s, of in zip(names, overall, strict=True)},
        by_criterion={(s, name): _graded(cube[k], card) for name, cube in cubes.items() for k, s in enumerate(names)},
        difference={s: statistics.mean(score - scores[0]) for s, score in zip(names, scores, strict=True)},
        by_season={(s, at): _graded(of[k], card) for at, of in by_season.items() for k, s in enumerate(names)},
        efficiency=_efficiency(figures, card),
        worth={key: statistics.mean(gain) for key, gain in gains.items()},
        left={s: statistics.mean(_left(figures, s, gains)) for s in names[1:] if gains},
        left_out=tuple(path for of in found.values() for path in of.left_out),
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


@dataclass(frozen=True)
class _Evaluation:
    """A criterion, or an indicator, of all scenarios."""

    cube: Floats | None  # [scenarios, replications, grades]; None where some scenario has no value
    weights: dict[str, float]  # path of what is below → weight
    ratios: dict[str, float]  # its own path, and those of criteria below → consistency ratio
    left_out: tuple[str, ...]  # paths of indicators


def _evaluation(figures: _Figures, card: Scorecard, path: str, of: Indicator | Criterion | Subcriterion) -> _Evaluation:
    """Level by level: what is below is evaluated first, then put together by its weights."""
    if isinstance(of, Indicator):
        return _indicator(figures, path, of)
    below: dict[str, Any] = {**of.indicators, **(of.criteria if isinstance(of, Criterion) else {})}
    judged = _weights(f"criteria.{path.replace('.', '.criteria.')}.", list(below), of, card)
    parts = {f"{path}.{name}": _evaluation(figures, card, f"{path}.{name}", part) for name, part in below.items()}
    weights = dict(zip(parts, judged.weights.tolist(), strict=True))
    there = {at: part.cube for at, part in parts.items() if part.cube is not None}
    return _Evaluation(
        _put_together([weights[at] for at in there], list(there.values()), card) if there else None,
        {**weights, **{at: weight for part in parts.values() for at, weight in part.weights.items()}},
        {path: judged.ratio, **{at: ratio for part in parts.values() for at, ratio in part.ratios.items()}},
        tuple(at for part in parts.values() for at in part.left_out),
    )


def _indicator(figures: _Figures, path: str, of: Indicator) -> _Evaluation:
    values = np.array([figures.of(scenario, of.kpi, of.group) for scenario in figures.scenarios])
    if np.isnan(values).all(axis=1).any():
        return _Evaluation(None, {}, {}, (path,))
    return _Evaluation(np.array([[memberships(x, of.typical) for x in row] for row in values]), {}, {}, ())


def _put_together(weights: Sequence[float], cubes: Sequence[Floats], card: Scorecard) -> Floats:
    """[scenarios, replications, grades] of several such by weights, which need not sum to 1."""
    w, (n, replications, _) = np.array(weights) / sum(weights), cubes[0].shape
    rows = [[[cube[s, r] for cube in cubes] for r in range(replications)] for s in range(n)]
    return np.array([[evaluated(w, of, card.operator) for of in row] for row in rows])


def _graded(membership: Floats, card: Scorecard) -> Graded:
    known = membership[~np.isnan(membership).any(axis=1)]
    if not len(known):
        raise InputError("scorecard: in each replication some indicator has no value; leave out what often has none")
    found = known.mean(axis=0)
    grade, each = _grades(found[None], card)[0], _grades(known, card)
    return Graded(GRADES[grade], found, statistics.mean(known @ np.array(card.points)), float((each == grade).mean()))


def _grades(membership: Floats, card: Scorecard) -> NDArray[np.intp]:
    """[rows] number of the grade of each row of memberships; of equals the better one."""
    if card.grade_by == "membership":
        return np.asarray(membership.argmax(axis=1))
    points = np.array(card.points)
    return np.asarray(np.abs(membership @ points[:, None] - points).argmin(axis=1))


def _efficiency(figures: _Figures, card: Scorecard) -> dict[tuple[str, str], Estimate]:
    """Within each replication of which the baseline has figures. Units that lack a figure in one, or have one that is
    not above 0, are left out of all. Departments are compared over all scenarios: a department under another plan is a
    unit of its own, as a branch in another year is in window analysis (Charnes, Clark, Cooper & Golany 1985)."""
    ask = card.efficiency
    if ask is None:
        return {}
    groups = ["all"] if ask.of == "scenarios" else figures.groups(ask.inputs[0], "department=")
    if not groups:
        return {}
    units = [(s, group) for s in figures.scenarios for group in groups]
    table = np.array([[figures.of(s, kpi, g) for kpi in (*ask.inputs, *ask.outputs)] for s, g in units])
    runs = np.flatnonzero((~np.isnan(table[: len(groups)]).any(axis=1)).any(axis=0))
    fit = [k for k, rows in enumerate(table) if len(runs) and (rows[:, runs] > 0).all()]
    if not fit:
        return {}
    n = len(ask.inputs)
    scores = [efficiency(of[:, :n], of[:, n:], ask.variable_returns).score for of in (table[fit][..., r] for r in runs)]
    each = zip(fit, np.array(scores).T, strict=True)
    return {(units[k][0], units[k][1].partition("=")[2]): statistics.mean(of) for k, of in each}


def _gain(figures: _Figures, scenario: str, worth: Worth) -> Floats:
    """[replications] money gained against the baseline."""
    before, after = (figures.of(s, worth.kpi, worth.group) for s in (figures.scenarios[0], scenario))
    gain = (after - before) * (-1 if _better(worth) == "lower" else 1)
    if not worth.each_case:
        return gain / worth.per * worth.money
    of_cases = worth.group in figures.groups("cases", "")  # "step=…" is no group of cases
    return gain / worth.per * worth.money * figures.of(scenario, "cases", worth.group if of_cases else "all")


def _better(worth: Worth) -> str | None:
    return worth.better or KPIS[worth.kpi].better


def _left(figures: _Figures, scenario: str, gains: Mapping[tuple[str, str], Floats]) -> Floats:
    """[replications] all gains together less the additional cost."""
    cost = figures.of(scenario, "cost_total") - figures.of(figures.scenarios[0], "cost_total")
    return np.asarray(sum(gain for (s, _), gain in gains.items() if s == scenario) - cost)


def check(card: Scorecard) -> None:
    """Raises InputError for judgements that contradict each other too much, and for gains that may be losses."""
    _weights("", list(card.criteria), card, card)
    for name, of in card.criteria.items():
        _weights(f"criteria.{name}.", list(of.indicators or of.criteria), of, card)
        for sub, below in of.criteria.items():
            _weights(f"criteria.{name}.criteria.{sub}.", list(below.indicators), below, card)
    for name, worth in card.worth.items():
        if _better(worth) is None:
            raise InputError(
                f"scorecard.worth.{name}: neither more nor less of {worth.kpi} is better as such; say `better: lower` "
                "or `better: higher`"
            )
