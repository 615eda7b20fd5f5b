"""Kinds of case: how urgent they are, what is promised to them, how long they wait, what they are like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from servsim.model.base import Duration, Id, Label, Model, Number, Positive, Share, Word, sums_to_one
from servsim.model.distributions import AnyDistribution, NumberDistribution, distribution
from servsim.model.errors import expected, refuse
from servsim.registry import suggestion

CALENDAR = "calendar"
KEPT_WITH = {"first_response": "answer", "resolution": "leaving"}
"""The promises that say by their id what keeps them."""
PROMISES = tuple(KEPT_WITH)
OF_CASES = ("arrival", "answer", "delivery", "leaving")
OF_STEPS = ("enabled", "offered", "started", "completed")
VISITS = ("first", "last")


@dataclass(frozen=True)
class Happening:
    """An event of the case (then without a step), or of its first or last visit to a step."""

    event: str
    step: str | None = None
    last: bool = False

    @classmethod
    def of(cls, text: str) -> Self:
        """'arrival', 'repair started', 'last repair completed'. Raises ValueError for anything else."""
        words = text.split()
        if len(words) == 1 and words[0] in OF_CASES:
            return cls(words[0])
        visit = words.pop(0) if len(words) == 3 and words[0] in VISITS else VISITS[0]
        if len(words) == 2 and words[1] in OF_STEPS:
            return cls(words[1], words[0], visit == VISITS[1])
        known = OF_STEPS if len(words) == 2 else OF_CASES
        ways = f"write {', '.join(OF_CASES[:-1])} or {OF_CASES[-1]}, or a step and what happens there: 'repair started'"
        raise ValueError(f"'{text}' is no event{suggestion(words[-1] if words else '', known)} ({ways})")


def _happening(value: Any) -> Any:
    """As one text, checked."""
    if isinstance(value, Mapping):
        strange = [key for key in value if key not in ("step", "event", "visit")]
        if strange or "event" not in value:
            raise expected("an event such as 'repair started', or {step, event, visit}", value)
        value = " ".join(str(value[key]) for key in ("visit", "step", "event") if key in value)
    if not isinstance(value, str):
        raise expected("an event such as 'arrival' or 'repair started'", value)
    Happening.of(value)
    return " ".join(value.split())


AnEvent = Annotated[str, BeforeValidator(_happening)]
"""'arrival', 'answer', 'delivery', 'leaving'; 'repair started', 'last repair completed'."""


class Promise(Model):
    """So much time from one event to another, on the calendar clock or on a business calendar; money per breach.

    The clock stands still while the case is at one of the steps `pauses_in`. `to` is given by the ids first_response
    (answer) and resolution (leaving).
    """

    label: Label = Label()
    limit: Duration
    clock: Id = CALENDAR
    penalty: Number = 0.0
    since: AnEvent = Field(default="arrival", alias="from")
    to: AnEvent | None = None
    pauses_in: tuple[Id, ...] = ()

    @field_validator("limit")
    @classmethod
    def _some_time(cls, value: int) -> int:
        if value <= 0:
            raise ValueError("must be more than no time at all; write '15 min', '2 h' or '3 d'")
        return value

    @field_validator("since", "to")
    @classmethod
    def _one_after_the_other(cls, value: str | None, info: Any) -> str | None:
        if info.field_name == "since" and value == "leaving":
            raise ValueError("nothing comes after 'leaving'; write arrival, answer, delivery or 'repair started'")
        if info.field_name == "to" and value == "arrival":
            raise ValueError("'arrival' comes before everything; write answer, delivery, leaving or 'repair completed'")
        return value

    def ends_with(self, name: str) -> str:
        """What keeps a promise of this id."""
        return self.to or KEPT_WITH[name]

    def is_plain(self, name: str) -> bool:
        """No more than a due time for the answer, or for leaving: that of the arrival plus the limit."""
        plain = self.since == "arrival" and self.clock == CALENDAR and not self.pauses_in
        return plain and name in KEPT_WITH and self.ends_with(name) == KEPT_WITH[name]


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
    promises: dict[Id, Promise] = Field(default_factory=dict)

    @field_validator("promises")
    @classmethod
    def _kept_with_something(cls, promises: dict[str, Promise]) -> dict[str, Promise]:
        for name, promise in promises.items():
            if promise.to is None and name not in KEPT_WITH:
                hint = suggestion(name, KEPT_WITH)
                raise refuse(((name,), f"needs `to`: what keeps it, such as 'repair completed'{hint}"))
        return promises

    def leads_to(self) -> set[str]:
        """Other classes as which its cases come again."""
        named = {follower.case_class for follower in (self.repeat, self.duplicate) if follower}
        return {name for name in named if name is not None}
