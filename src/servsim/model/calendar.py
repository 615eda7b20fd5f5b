"""Which day is what: day names and ranges, the simulated clock with its holidays, and business hours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from servsim.model.base import Date, Duration, Instant, Label, Model
from servsim.model.errors import InputError, refuse, shown
from servsim.quantities import DAY, clock_time, time_of_day, written
from servsim.registry import suggestion

Ticks = NDArray[np.int64]
T = TypeVar("T")

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_TYPES = (*WEEKDAYS, "holiday", "closed")
_DAYS = (*WEEKDAYS, "holiday")

# ------------------------------------------------------------------ days and hours


def days_of(written: Any) -> tuple[str, ...]:
    """The days that 'mon-fri', 'sat', 'sun-thu', 'all' (holidays too), 'holiday' or a list of these stand for.

    >>> days_of("sat-mon"), days_of(["fri", "holiday"])
    (('mon', 'sat', 'sun'), ('fri', 'holiday'))
    """
    parts = written if isinstance(written, list | tuple) else [written]
    named = {day for part in parts for day in _range(part)}
    if not named:
        raise ValueError("names no day; write 'mon-fri', 'sat' or 'all'")
    return tuple(day for day in _DAYS if day in named)


def _range(part: Any) -> tuple[str, ...]:
    word = str(part).strip().lower()
    if word == "all":
        return _DAYS
    ends = [name.strip() for name in word.split("-")]
    for name in ends:
        if name not in _DAYS:
            raise ValueError(f"there is no day {shown(name)}{suggestion(name, [*_DAYS, 'all'])}")
    if len(ends) == 1:
        return (word,)
    first, last = ends[0], ends[-1]
    if "holiday" in (first, last):
        raise ValueError(f"'{part}': a range goes from weekday to weekday; write [{first}, {last}]")
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
    return tuple(WEEKDAYS[(begin + i) % 7] for i in range((end - begin) % 7 + 1))


Days = Annotated[tuple[str, ...], BeforeValidator(days_of), PlainSerializer(list)]
"""Day types in the order mon … sun, holiday."""


def by_day(written: Mapping[str, T]) -> dict[str, T]:
    """{'mon-fri': x, 'sat': y} as one entry for each day named; a holiday falls back to the Sunday."""
    found: dict[str, T] = {}
    for days, value in written.items():
        for day in days_of(days):
            if day in found:
                raise ValueError(f"'{days}': {day} is given twice")
            found[day] = value
    if "sun" in found:
        found.setdefault("holiday", found["sun"])
    return found


def _span(value: Any) -> Any:
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(at, int) for at in value):
        return value
    first, dash, last = str(value).partition("-")
    if not dash:
        raise ValueError(f"cannot read {shown(value)} as hours; write '08:30-17:30'")
    begin, end = time_of_day(first), time_of_day(last)
    if begin in (end, DAY):
        raise ValueError(f"'{value}' is empty; for the whole day write '00:00-24:00'")
    return begin, end if end > begin else end + DAY


def _written_span(span: tuple[int, int]) -> str:
    return f"{clock_time(span[0])}-{clock_time(span[1] if span[1] <= DAY else span[1] - DAY)}"


Span = Annotated[tuple[int, int], BeforeValidator(_span), PlainSerializer(_written_span, return_type=str)]
"""Ticks since midnight of begin and end, written '08:30-17:30'; the end exceeds 24 h where the hours cross midnight."""


def _spans(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Hours = Annotated[tuple[Span, ...], BeforeValidator(_spans), Field(min_length=1)]
"""One span of hours, or a list of them for split shifts; in order and apart."""


def apart(spans: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """The spans in order; refuses overlaps, also with the same spans of the next day."""
    ordered = tuple(sorted(spans))
    for (begin, end), (after, _) in zip(ordered, [*ordered[1:], (ordered[0][0] + DAY, 0)], strict=True):
        if after < end:
            raise ValueError(
                f"'{_written_span((begin, end))}' overlaps with hours that begin at {clock_time(after % DAY)}"
            )
    return ordered


# ------------------------------------------------------------------ the clock


@lru_cache(maxsize=64)
def _holidays(code: str, years: tuple[int, ...]) -> Any:
    """Calendar of the `holidays` library of 'CN', or 'DE-BY' for a part of a country."""
    import holidays

    country, _, part = code.partition("-")
    known = holidays.list_supported_countries()
    if country not in known:
        raise ValueError(f"'{country}' is not a country of the holidays library{suggestion(country.upper(), known)}")
    if part and part not in known[country]:
        raise ValueError(f"'{part}' is not a part of {country}{suggestion(part, known[country])}")
    return holidays.country_holidays(country, subdiv=part or None, years=years)


DayType = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday", "closed"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Clock(Model):
    """When the simulated time begins and ends, and what kind of day each date is.

    Cases that arrive in [warm_up, horizon) are counted; the clock stops at horizon + run_out.
    """

    start: Instant
    horizon: Duration
    warm_up: Duration = 0
    run_out: Duration = 0
    arrivals_in_run_out: bool = True
    holidays: str | None = None
    make_up_as: Weekday = "mon"
    exceptions: dict[Date, DayType] = Field(default_factory=dict)

    @field_validator("holidays", mode="before")
    @classmethod
    def _known_country(cls, value: Any) -> Any:
        if value is False:
            raise ValueError("is read by YAML as false; put quotes around it ('NO' for Norway), or write null for none")
        if isinstance(value, str):
            _holidays(value, (2026,))
        return value

    @model_validator(mode="after")
    def _something_is_counted(self) -> Clock:
        if self.horizon <= 0:
            raise refuse((("horizon",), "must be longer than zero"), value=self.horizon)
        if self.warm_up >= self.horizon:
            raise refuse((("warm_up",), "must be shorter than the horizon, or no case is counted"), value=self.warm_up)
        return self

    @property
    def until(self) -> int:
        """The tick at which the clock stops."""
        return self.horizon + self.run_out

    @cached_property
    def offset(self) -> int:
        """Ticks from midnight of the first date to tick 0 (0 when the clock starts at midnight)."""
        since = self.start - dt.datetime.combine(self.start.date(), dt.time())
        return since // dt.timedelta(microseconds=1)

    @property
    def n_days(self) -> int:
        """Dates that the clock touches, the first and the last included."""
        return -(-(self.offset + self.until) // DAY)

    def midnight(self, day: int) -> int:
        """Tick at which the date `day` (0: the first) begins; may lie before tick 0."""
        return day * DAY - self.offset

    def date(self, day: int) -> dt.date:
        return self.start.date() + dt.timedelta(days=day)

    def tick(self, date: dt.date) -> int:
        """Tick at which that date begins."""
        return self.midnight((date - self.start.date()).days)

    def day_type(self, date: dt.date) -> str:
        """'mon' … 'sun', 'holiday' or 'closed'. Exceptions come first; a make-up working day counts as `make_up_as`."""
        if date in self.exceptions:
            return self.exceptions[date]
        if self.holidays is not None:
            calendar = _holidays(self.holidays, (date.year,))
            if date in calendar:
                return "holiday"
            if date.weekday() in calendar.weekend and calendar.is_working_day(date):
                return self.make_up_as
        return WEEKDAYS[date.weekday()]

    @cached_property
    def days(self) -> tuple[tuple[dt.date, int, str], ...]:
        """(date, tick at which it begins, type) of each date on which a duty may begin, from that before the start."""
        dates = ((self.date(day), self.midnight(day)) for day in range(-1, self.n_days + 1))
        return tuple((date, midnight, self.day_type(date)) for date, midnight in dates)

    def day_types(self, spare: int = 1) -> tuple[str, ...]:
        """One per date from the first (index 0) to the one in which the clock stops, and `spare` more."""
        return tuple(self.day_type(self.date(day)) for day in range(self.n_days + spare))


# ------------------------------------------------------------------ business hours


class BusinessCalendar(Model):
    """When a promise's clock runs: open hours on certain days, closed on holidays unless `holidays: true`.

    A holiday that is open has the hours of the others. Closed dates of the clock are closed. `also` has days with other
    hours: {sat: "09:00-12:00"}.
    """

    label: Label = Label()
    days: Days
    hours: Hours
    holidays: bool = False
    also: dict[str, Hours] = Field(default_factory=dict)

    @field_validator("hours")
    @classmethod
    def _apart(cls, value: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        return apart(value)

    @field_validator("also")
    @classmethod
    def _each_apart(cls, value: dict[str, tuple[tuple[int, int], ...]]) -> dict[str, tuple[tuple[int, int], ...]]:
        return {days: apart(hours) for days, hours in value.items()}

    @model_validator(mode="after")
    def _each_day_once(self) -> Self:
        for days in self.also:
            try:
                days_of(days)
            except ValueError as error:
                raise refuse((("also", days), str(error))) from None
        other = [day for days in self.also for day in days_of(days)]
        twice = [day for i, day in enumerate(other) if day in self.days or day in other[:i]]
        if twice:
            raise refuse((("also",), f"{twice[0]} has hours already"))
        if self.also and any(end > DAY for hours in (self.hours, *self.also.values()) for _, end in hours):
            raise refuse((("also",), "does not go with hours that cross midnight; end them at 24:00"))
        return self

    def hours_on(self, day_type: str) -> tuple[tuple[int, int], ...]:
        """Open spans of a day of that type, in order."""
        own = next((hours for days, hours in self.also.items() if day_type in days_of(days)), None)
        if own is not None:
            return own
        is_open = day_type in self.days or (self.holidays and day_type == "holiday")
        return self.hours if is_open else ()

    def openings(self, clock: Clock, since: int = 0) -> Openings:
        """Its open time on the dates of that clock, and before it from the tick `since` on."""
        first = min(0, since) // DAY
        if first not in self.laid_out or self.laid_out[first][0] is not clock:
            self.laid_out[first] = clock, Openings(self, clock, since)
        return self.laid_out[first][1]

    @cached_property
    def laid_out(self) -> dict[int, tuple[Clock, Openings]]:
        """Open time that has been laid out already, by the first date: a year has many dates."""
        return {}

    def due(self, clock: Clock, arrived: Ticks, limit: int) -> Ticks:
        """The first instant at which `limit` of open time has passed since arrival."""
        return Openings(self, clock).due(arrived, limit)


AHEAD = (60, 730, 7300)
"""Dates after the clock stops on which a due time is looked for, in turn."""


class Openings:
    """Open intervals of a calendar in order, for counting open time; exact at their edges."""

    def __init__(self, calendar: BusinessCalendar, clock: Clock, since: int = 0) -> None:
        self._calendar, self._clock, self._spare = calendar, clock, -1
        self._first = min(0, since) // DAY - 1
        self._look_ahead(AHEAD[0])

    def _look_ahead(self, spare: int) -> None:
        """Lays out begin, end and cumulative length of the intervals up to `spare` dates after the clock stops."""
        if spare <= self._spare:
            return
        self._spare, calendar, clock = spare, self._calendar, self._clock
        days = range(self._first, clock.n_days + spare)  # from the day before: hours may cross midnight
        hours = ((clock.midnight(day), calendar.hours_on(clock.day_type(clock.date(day)))) for day in days)
        pairs = np.array([(at + a, at + b) for at, open_ in hours for a, b in open_], np.int64).reshape(-1, 2)
        self.begin: Ticks = pairs[:, 0]
        self.end: Ticks = pairs[:, 1]
        self.total: Ticks = np.cumsum(self.end - self.begin)

    def passed(self, at: Ticks) -> Ticks:
        """Open time before each instant."""
        if not len(self.begin):
            return np.zeros(len(at), dtype=np.int64)
        i = np.searchsorted(self.begin, at, side="right") - 1
        done = self.total[i] - np.maximum(self.end[i] - at, 0)
        return np.where(i >= 0, done, 0)

    def due(self, arrived: Ticks, limit: int) -> Ticks:
        """The first instant at which `limit` of open time has passed since arrival, however far ahead that is.

        Who arrives in closed time starts counting at the next opening. Raises InputError where there is not so much
        open time within 20 years.
        """
        if limit == 0 or not len(arrived):
            return arrived.copy()
        for spare in AHEAD:
            self._look_ahead(spare)
            target = self.passed(arrived) + limit
            if len(self.total) and target.max() <= self.total[-1]:
                i = np.searchsorted(self.total, target, side="left")
                return np.asarray(self.end[i] - (self.total[i] - target))
        raise InputError(f"the calendar has not {written(limit)} of open time within 20 years; is it ever open?")
