"""What does a scenario rest on, and what is it to reach? Reported facts, assumptions, what is not modelled, targets."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import model_validator

from servsim.model.base import AboveZero, Figure, Label, Model, Number
from servsim.model.errors import refuse


class Fact(Model):
    """A figure that the source reports, and the KPI that should come out near it."""

    label: Label = Label()
    value: Figure
    kpi: str
    group: str = "all"
    tolerance: Number
    source: str | None = None
    transform: Literal["complement"] | None = None


class Assumption(Model):
    """What the source does not say and was chosen, and why. `settings`: the paths of the numbers that it stands for,
    `*` for any key; `servsim sensitivity` multiplies them. `range`: the smallest and the largest factor of these that
    is thought possible; `servsim tune` searches there."""

    label: Label = Label()
    value: Any = None
    why: Label = Label()
    settings: tuple[str, ...] = ()
    range: tuple[AboveZero, AboveZero] | None = None

    @model_validator(mode="after")
    def _range_of_something(self) -> Self:
        if self.range is not None and self.range[0] >= self.range[1]:
            raise refuse((("range",), "expected the smallest and the largest factor, such as [0.8, 1.25]"))
        if self.range is not None and not self.settings:
            raise refuse((("range",), "needs the `settings` that it is a range of"))
        return self


class NotModelled(Model):
    """What the service has and the model has not, and what that means for the answer."""

    label: Label = Label()
    why: Label = Label()


class Target(Model):
    """A KPI that is to reach a value: at least, or at most: '30 min', 0.9."""

    label: Label = Label()
    kpi: str
    group: str = "all"
    at_least: Figure | None = None
    at_most: Figure | None = None
    source: str | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise refuse((("at_least",), "give one of `at_least` and `at_most`"))
        return self

    @property
    def is_floor(self) -> bool:
        """Whether the KPI is to be at least so much."""
        return self.at_least is not None

    @property
    def limit(self) -> float:
        return float(self.at_least if self.at_least is not None else self.at_most or 0.0)
