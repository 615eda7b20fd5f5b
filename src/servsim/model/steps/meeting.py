"""Meeting: cases wait at a gate until the next date of a timetable, and go on together."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, field_validator, model_validator

from servsim.model.base import Count, Duration, Model, TimeOfDay
from servsim.model.calendar import Clock, Days, days_of
from servsim.model.distributions import AnyDistribution, distribution
from servsim.model.errors import refuse
from servsim.model.steps.step import STEPS, Onward


class Timetable(Model):
    """When a gate opens: at `times` of the day on certain `days`, or `every` so often from `first` after tick 0 on."""

    days: Days = days_of("all")
    times: tuple[TimeOfDay, ...] | None = None
    every: Duration | None = None
    first: Duration = 0

    @model_validator(mode="after")
    def _times_or_every(self) -> Self:
        if (self.times is None) == (self.every is None):
            raise refuse((("times",), 'give either `times` of the day (["10:00", "14:00"]) or `every` (2 h)'))
        if self.times is not None and (not self.times or self.first):
            raise refuse((("times",), "names no time of the day" if not self.times else "has no `first`; leave it out"))
        if self.every is not None and (self.every <= 0 or "days" in self.model_fields_set):
            what = "must be longer than zero" if self.every <= 0 else "runs on all days; leave `days` out"
            raise refuse((("every",), what), value=self.every)
        return self

    def openings(self, clock: Clock) -> NDArray[np.int64]:
        """The ticks at which the gate opens before the clock stops, in order."""
        if self.every is not None:
            return np.arange(self.first, clock.until, self.every, dtype=np.int64)
        dates = [day for day in range(clock.n_days) if clock.day_type(clock.date(day)) in self.days]
        at = sorted({clock.midnight(day) + time for day in dates for time in self.times or ()})
        return np.array([tick for tick in at if 0 <= tick < clock.until], np.int64)


def _times_alone(value: Any) -> Any:
    return {"times": value} if isinstance(value, list | tuple) else value


AnyTimetable = Annotated[Timetable, BeforeValidator(_times_alone)]
"""A timetable, or only its times of the day."""


class Agenda(Timetable):
    """Meetings: at most `seats` items take part (null: all), those that have waited `deadline` at least, oldest first.

    A meeting that `lasts` only so long takes them one after the other, and no more than fit.
    """

    seats: Count | None = None
    deadline: Duration = 0
    lasts: Duration | None = None

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
