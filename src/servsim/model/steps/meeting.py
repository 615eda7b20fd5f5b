"""Meeting: cases wait at a gate until the next date of a timetable, and go on together."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, field_validator, model_validator

from servsim.model.base import Count, Duration, Id, Model, TimeOfDay
from servsim.model.calendar import Clock, Days, by_day, days_of
from servsim.model.distributions import AnyDistribution, distribution
from servsim.model.errors import refuse
from servsim.model.steps.step import STEPS, Onward


class Timetable(Model):
    """When a gate opens: at `times` of the day on certain `days`, or at other times on other days (`by_day`; a holiday
    falls back to the Sunday), or `every` so often from `first` after tick 0 on."""

    days: Days = days_of("all")
    times: tuple[TimeOfDay, ...] | None = None
    by_day: dict[str, tuple[TimeOfDay, ...]] | None = None
    every: Duration | None = None
    first: Duration = 0

    @model_validator(mode="after")
    def _times_or_every(self) -> Self:
        if (self.times, self.by_day, self.every).count(None) != 2:
            either = 'give one of `times` of the day (["10:00", "14:00"]), `by_day` ({tue: ["10:00"], thu: ["14:00"]})'
            raise refuse((("times",), f"{either} and `every` (2 h)"))
        if self.by_day is not None:
            self._check_days(self.by_day)
        if self.times is not None and (not self.times or self.first):
            raise refuse((("times",), "names no time of the day" if not self.times else "has no `first`; leave it out"))
        if self.every is not None and (self.every <= 0 or "days" in self.model_fields_set):
            what = "must be longer than zero" if self.every <= 0 else "runs on all days; leave `days` out"
            raise refuse((("every",), what), value=self.every)
        return self

    def _check_days(self, written: dict[str, tuple[int, ...]]) -> None:
        try:
            by_day(written)
        except ValueError as error:
            raise refuse((("by_day",), str(error)), value=list(written)) from None
        if not any(written.values()) or self.first or "days" in self.model_fields_set:
            nothing = not any(written.values())
            told = "names no time of the day" if nothing else "has no `days` and no `first`; leave them out"
            raise refuse((("by_day",), told))

    def on(self, day: str) -> tuple[int, ...]:
        """The times of a type of day."""
        if self.by_day is not None:
            return by_day(self.by_day).get(day, ())
        return self.times or () if day in self.days else ()

    def openings(self, clock: Clock) -> NDArray[np.int64]:
        """The ticks at which the gate opens before the clock stops, in order."""
        if self.every is not None:
            return np.arange(self.first, clock.until, self.every, dtype=np.int64)
        dates = {day: clock.day_type(clock.date(day)) for day in range(clock.n_days)}
        at = sorted({clock.midnight(day) + time for day, kind in dates.items() for time in self.on(kind)})
        return np.array([tick for tick in at if 0 <= tick < clock.until], np.int64)


def _times_alone(value: Any) -> Any:
    return {"times": value} if isinstance(value, list | tuple) else value


AnyTimetable = Annotated[Timetable, BeforeValidator(_times_alone)]
"""A timetable, or only its times of the day."""


class Agenda(Timetable):
    """Meetings: at most `seats` items take part (null: all), those that have waited `deadline` at least, oldest first.

    A meeting that `lasts` only so long takes them one after the other, and no more than fit. Steps with the same
    `committee`, of whatever process, are decided in the same meetings: the seats are theirs together.
    """

    seats: Count | None = None
    deadline: Duration = 0
    lasts: Duration | None = None
    committee: Id | None = None

    @field_validator("seats")
    @classmethod
    def _some_seat(cls, value: int | None) -> int | None:
        if value == 0:
            raise ValueError("a meeting without seats decides nothing; write null for no limit")
        return value


@STEPS.register("meeting")
class Meeting(Onward, Agenda):
    """Waits for a meeting. It takes `time` from its beginning; with `lasts`, item after item in turn."""

    kind: Literal["meeting"] = "meeting"
    time: AnyDistribution = Field(default_factory=lambda: distribution("0 min"))
