"""Kinds of case: how urgent they are, what is promised to them, how long they wait, what they are like."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from servsim.model.base import Duration, Id, Label, Model, Number, Positive, Share, Word, sums_to_one
from servsim.model.distributions import AnyDistribution, NumberDistribution

CALENDAR = "calendar"
PROMISES = ("first_response", "resolution")


class Promise(Model):
    """A time limit from arrival, on the calendar clock or on a business calendar; money per breach."""

    label: Label = Label()
    limit: Duration
    clock: Id = CALENDAR
    penalty: Number = 0.0


class Attribute(Model):
    """What is drawn for each case on arrival: one of several `choices` by share, or a plain number."""

    label: Label = Label()
    choices: dict[Word, Share] | None = None
    numbers: NumberDistribution | None = None

    @field_validator("choices")
    @classmethod
    def _sum(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        if value is not None:
            sums_to_one(value)
        return value

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.choices is None) == (self.numbers is None):
            raise ValueError("needs either `choices` or `numbers`")
        return self


class CaseClass(Model):
    """Cases of one kind. Priority 1 is served first; who waits for the first response beyond `patience` gives up."""

    label: Label = Label()
    process: Id
    priority: Positive = 1
    patience: AnyDistribution | None = None
    head_start: Duration = 0
    attributes: dict[Id, Attribute] = Field(default_factory=dict)
    promises: dict[Literal["first_response", "resolution"], Promise] = Field(default_factory=dict)
