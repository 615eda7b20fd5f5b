"""Kinds of case: how urgent they are, what is promised to them, how long they wait, what they are like."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from servsim.model.base import Duration, Id, Label, Model, Number, Positive, Share, Word, sums_to_one
from servsim.model.distributions import AnyDistribution, NumberDistribution, distribution

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


class Retry(Model):
    """Who gave up tries again: a share of them, `after` a while, at most `times` in a row; a new case each time."""

    share: Share = 1.0
    after: AnyDistribution
    times: Positive = 1
    case_class: ClassVar[str | None] = None


class Redial(Model):
    """Who finds no place to wait tries again `after` a while, as the same case; each time only a `share` of them."""

    after: AnyDistribution
    share: Share = 1.0


class Repeat(Model):
    """Who has been served contacts again, as a case of the same class or of `case_class`."""

    share: Share
    after: AnyDistribution
    times: Positive = 1
    case_class: Id | None = None


class Duplicate(Model):
    """Who has no answer `after` a while submits the same a second time, through another channel or as another class."""

    share: Share = 1.0
    after: AnyDistribution
    channel: Word | None = None
    case_class: Id | None = None
    times: ClassVar[int] = 1


class Bot(Model):
    """The share of cases that is solved before it reaches anyone, and how long that takes."""

    share: Share
    time: AnyDistribution = distribution("0 min")


class CaseClass(Model):
    """Cases of one kind. Priority 1 is served first; who waits for the first response beyond `patience` gives up.

    `accumulation`: points collected per minute of waiting, for the dispatch rule accumulating.
    """

    label: Label = Label()
    process: Id
    priority: Positive = 1
    patience: AnyDistribution | None = None
    head_start: Duration = 0
    accumulation: Number = 1.0
    attributes: dict[Id, Attribute] = Field(default_factory=dict)
    bot: Bot | None = None
    retry: Retry | None = None
    redial: Redial | None = None
    repeat: Repeat | None = None
    duplicate: Duplicate | None = None
    promises: dict[Literal["first_response", "resolution"], Promise] = Field(default_factory=dict)

    def leads_to(self) -> set[str]:
        """Other classes as which its cases come again."""
        named = {follower.case_class for follower in (self.repeat, self.duplicate) if follower}
        return {name for name in named if name is not None}
