"""What may fail: systems that steps or people need, when they are down, and what that does to work in hand."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from servsim.model.base import Id, Instant, Label, Model
from servsim.model.calendar import Days, Hours, apart
from servsim.model.distributions import AnyDistribution
from servsim.model.errors import refuse


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Needs = Annotated[tuple[Id, ...], BeforeValidator(_listed)]
"""Systems without which nothing goes on; one alone needs no list."""


class Interval(Model):
    """Down from one instant to another."""

    label: Label = Label()
    begin: Instant = Field(alias="from")
    end: Instant = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end <= self.begin:
            raise refuse((("to",), "is not after `from`"))
        return self

    def ticks(self, start: dt.datetime) -> tuple[int, int]:
        """Begin and end, counted from the start of the clock."""
        one = dt.timedelta(microseconds=1)
        return (self.begin - start) // one, (self.end - start) // one


class Planned(Model):
    """Down at these hours of these days: maintenance, backups."""

    label: Label = Label()
    days: Days
    hours: Hours

    @field_validator("hours")
    @classmethod
    def _apart(cls, value: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        return apart(value)


class System(Model):
    """Something without which certain steps, or the workers of certain pools, stand still.

    It is up for a time drawn from `up`, then down for one drawn from `down`, in turn. `clock`: `always` – the time up
    passes at all times; `working` – while at least one works with it; `load` – as many times as fast as people work
    with it. `separate`: every worker of the pools that need it has one of their own.
    """

    label: Label = Label()
    up: AnyDistribution | None = None
    down: AnyDistribution | None = None
    clock: Literal["always", "working", "load"] = "always"
    effect: Literal["resume", "restart"] = "resume"
    separate: bool = False
    dated: dict[Id, Interval] = Field(default_factory=dict)
    planned: Planned | None = None

    @model_validator(mode="after")
    def _fails_somehow(self) -> Self:
        for given, missing in (("up", "down"), ("down", "up")):
            if getattr(self, given) is not None and getattr(self, missing) is None:
                raise refuse(((missing,), f"is missing; `{given}` alone does not say how long the system is {missing}"))
        if self.up is not None and self.up.mean <= 0:
            raise refuse((("up",), "must be longer than zero on average"))
        if self.up is None and self.clock != "always":
            raise refuse((("clock",), "has no effect without `up` and `down`"))
        if self.up is None and not self.dated and self.planned is None:
            raise refuse((("up",), "is missing; say when the system is down: `up` and `down`, `dated` or `planned`"))
        return self
