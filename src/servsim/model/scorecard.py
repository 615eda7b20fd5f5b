"""What a good service is: indicators, how important each is, and what values deserve which grade."""

from __future__ import annotations

from itertools import combinations
from typing import Literal, Self

from pydantic import Field, model_validator

from servsim.model.base import AboveZero, Figure, Id, Label, Model, Number, Share
from servsim.model.errors import refuse
from servsim.registry import suggestion

GRADES = ("excellent", "good", "fair", "poor")


class Indicator(Model):
    """A KPI, and the values that are typical of each grade, the best one first."""

    label: Label = Label()
    kpi: str
    group: str = "all"
    typical: tuple[Figure, ...]

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        steps = [b - a for a, b in zip(self.typical, self.typical[1:], strict=False)]
        if len(self.typical) != len(GRADES):
            raise refuse((("typical",), f"needs a value for each of the grades {', '.join(GRADES)}"))
        if not (all(step > 0 for step in steps) or all(step < 0 for step in steps)):
            raise refuse((("typical",), "must rise or fall from grade to grade"))
        return self


class Weighted(Model):
    """Things of which some are more important than others: by `weights`, or by `judgements` about pairs: `a/b: 3`
    says that a is three times as important as b (1/3: the other way round)."""

    weights: dict[Id, AboveZero] = Field(default_factory=dict)
    judgements: dict[str, AboveZero] = Field(default_factory=dict)

    def check(self, names: list[str]) -> None:
        """Raises ValidationError unless every one of `names` has a weight, or every pair of them a judgement."""
        if self.weights and self.judgements:
            raise refuse((("judgements",), "cannot be combined with weights; give one of them"))
        for name in self.weights:
            if name not in names:
                raise refuse((("weights", name), f"there is no '{name}' here{suggestion(name, names)}"))
        missing = [name for name in names if self.weights and name not in self.weights]
        if missing:
            raise refuse((("weights",), f"'{missing[0]}' has no weight"))
        for pair in self.judgements:
            one, slash, other = pair.partition("/")
            wrong = next((name for name in (one, other) if name not in names), None)
            if not slash or one == other or wrong is not None:
                hint = suggestion(wrong or "", names) if wrong else ""
                raise refuse((("judgements", pair), f"expected two of these things, as in a/b{hint}"))
        for one, other in combinations(names, 2):
            given = [pair for pair in (f"{one}/{other}", f"{other}/{one}") if pair in self.judgements]
            if self.judgements and len(given) != 1:
                told = "is judged twice" if given else "is not judged"
                raise refuse((("judgements",), f"{one}/{other} {told}"))

    def matrix(self, names: list[str]) -> list[list[float]]:
        """How many times as important each is as each other; from weights their ratios, else equal."""
        if not self.judgements:
            given = [self.weights.get(name, 1.0) for name in names]
            return [[a / b for b in given] for a in given]
        return [
            [1.0 if a == b else self.judgements.get(f"{a}/{b}") or 1 / self.judgements[f"{b}/{a}"] for b in names]
            for a in names
        ]


class Subcriterion(Weighted):
    """Several indicators of one kind."""

    label: Label = Label()
    indicators: dict[Id, Indicator] = Field(min_length=1)

    @model_validator(mode="after")
    def _known(self) -> Self:
        self.check(list(self.indicators))
        return self


class Criterion(Weighted):
    """Several indicators of one kind, or criteria below it that have them."""

    label: Label = Label()
    indicators: dict[Id, Indicator] = Field(default_factory=dict)
    criteria: dict[Id, Subcriterion] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> Self:
        if bool(self.indicators) == bool(self.criteria):
            raise refuse((("indicators",), "needs `indicators`, or `criteria` that have them, one of the two"))
        self.check(list(self.indicators or self.criteria))
        return self


class Season(Model):
    """What is more important for a while: criteria with a fixed weight; the others share the rest in proportion."""

    label: Label = Label()
    weights: dict[Id, Share] = Field(min_length=1)


class Envelopment(Model):
    """Efficiency of scenarios, or of departments within each, from what goes in and what comes out (KPIs)."""

    of: Literal["scenarios", "departments"] = "scenarios"
    inputs: tuple[str, ...] = Field(min_length=1)
    outputs: tuple[str, ...] = Field(min_length=1)
    variable_returns: bool = False


class Worth(Model):
    """What a KPI gained is worth: `money` for each `per` by which it gets better, once or per counted case."""

    label: Label = Label()
    kpi: str
    group: str = "all"
    per: Figure
    money: Number
    each_case: bool = False
    better: Literal["lower", "higher"] | None = None
    """For a KPI of which neither is better as such."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.per <= 0:
            raise refuse((("per",), "must be above 0"))
        return self


class Scorecard(Weighted):
    """Criteria, their indicators, and what else is told of scenarios beside their grade."""

    label: Label = Label()
    criteria: dict[Id, Criterion] = Field(min_length=1)
    points: tuple[Number, ...] = (95.0, 80.0, 65.0, 40.0)
    """Of the grades, for the score."""
    grade_by: Literal["score", "membership"] = "score"
    """The grade whose points are nearest to the score, or the one to which it belongs most: where values lie at both
    ends the latter may call excellent what has 65 points."""
    operator: Literal["weighted", "min_max"] = "weighted"
    accept_inconsistent: bool = False
    seasons: dict[Id, Season] = Field(default_factory=dict)
    efficiency: Envelopment | None = None
    worth: dict[Id, Worth] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> Self:
        self.check(list(self.criteria))
        if len(self.points) != len(GRADES):
            raise refuse((("points",), f"needs a number for each of the grades {', '.join(GRADES)}"))
        for name, season in self.seasons.items():
            for criterion in season.weights:
                if criterion not in self.criteria:
                    message = f"there is no criterion '{criterion}'{suggestion(criterion, self.criteria)}"
                    raise refuse((("seasons", name, "weights", criterion), message))
            total = sum(season.weights.values())
            if total > 1 or (total < 1 and len(season.weights) == len(self.criteria)):
                raise refuse((("seasons", name, "weights"), f"sum to {total:g}; the criteria together have 1"))
        return self

    def kpis(self) -> dict[tuple[str, ...], str]:
        """The KPI that stands at each path."""
        found: dict[tuple[str, ...], str] = {}
        for name, criterion in self.criteria.items():
            for indicator, of in criterion.indicators.items():
                found["criteria", name, "indicators", indicator, "kpi"] = of.kpi
            for sub, below in criterion.criteria.items():
                for indicator, of in below.indicators.items():
                    found["criteria", name, "criteria", sub, "indicators", indicator, "kpi"] = of.kpi
        for name, worth in self.worth.items():
            found["worth", name, "kpi"] = worth.kpi
        for key in ("inputs", "outputs") if self.efficiency else ():
            for i, kpi in enumerate(getattr(self.efficiency, key)):
                found["efficiency", key, str(i)] = kpi
        return found
