"""Who works where and when: departments, pools, skills, shifts and named workers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, field_validator, model_validator

from servsim.model.base import (
    Count,
    Date,
    Duration,
    Id,
    Label,
    Model,
    Number,
    Percent,
    Positive,
    Share,
    Speed,
    TimeOfDay,
)
from servsim.model.calendar import WEEKDAYS, Days, Hours, apart, by_day
from servsim.model.disruptions import Needs
from servsim.model.errors import expected, refuse
from servsim.quantities import DAY, MINUTE, clock_time, written


class Department(Model):
    label: Label = Label()


class Ability(Model):
    """How well a pool does a skill: pace in per cent of the standard time; preference, lower is looked at first."""

    pace: Percent = 100
    preference: Positive = Field(default=1, le=100)


def _abilities(value: Any) -> Any:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        return value
    if not all(isinstance(skill, str) for skill in value):
        raise expected("names of skills", value, "技能名称")
    return {skill: {} for skill in value}


class Shrinkage(Model):
    """The share of each duty that is lost to meetings, training, talk: in interruptions of length `each`."""

    share: Share
    each: Duration = 10 * MINUTE

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        if not 0 < self.share < 1:
            raise refuse((("share",), "must lie between 0 and 1, such as 0.1; leave it out where nothing is lost"))
        if self.each <= 0:
            raise refuse((("each",), "must be longer than zero, such as '10 min'"))
        return self


def _shrinkage(value: Any) -> Any:
    """A bare share is that share; 0 is none."""
    if isinstance(value, Mapping | Model | None):
        return value
    return {"share": value} if value != 0 else None


class Call(Model):
    """One is called whenever an item enters and so many wait then, those on their way deducted; and for each item that
    has waited so long."""

    waiting: Positive | None = None
    oldest: Duration | None = None

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if self.waiting is None and self.oldest is None:
            raise refuse((("waiting",), "is missing; say when somebody is called: `waiting: 3` or `oldest: 10 min`"))
        if self.oldest == 0:
            raise refuse((("oldest",), "must be longer than zero; for everything that waits write `waiting: 1`"))
        return self


class Release(Model):
    """Who is free, and has stayed long enough, leaves when no more than so many wait."""

    waiting: Count = 0


class Reserve(Model):
    """Workers who come when called, `delay` after the call; `wage` per hour present (default: the pool's).

    They stay at least `stay`, and leave when they are free and the queues are at or below `release`. They come at any
    hour, or only in the hours of `shifts`.
    """

    headcount: Positive
    call: Call
    delay: Duration = 0
    stay: Duration = 0
    release: Release = Release()
    wage: Number | None = None
    shifts: tuple[Id, ...] = ()

    @model_validator(mode="after")
    def _leaves_below_the_mark(self) -> Self:
        mark = self.call.waiting
        if mark is not None and self.release.waiting >= mark:
            raise refuse((("release", "waiting"), f"must be below the mark at which somebody is called, {mark}"))
        return self


class AtOnce(Model):
    """How many items a worker has in hand at once, and the speed of each, in per cent (to the thousandth), while it is
    one, two, three, …

    Without `pace` nothing is slowed down; `sharing: equal` shares the speed out equally among the items in hand.
    """

    cases: Positive = 100
    pace: tuple[Speed, ...] = ()
    sharing: Literal["equal"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_many_as_paces(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and "cases" not in value and isinstance(value.get("pace"), list | tuple):
            return {**value, "cases": len(value["pace"])}
        return value

    @model_validator(mode="after")
    def _one_pace_for_each_number(self) -> Self:
        if self.pace and self.sharing:
            raise refuse((("pace",), "has no effect with `sharing: equal`; leave one of them out"))
        if self.pace and len(self.pace) != self.cases:
            raise refuse((("pace",), f"needs {self.cases} numbers, one for each number in hand; got {len(self.pace)}"))
        if not self.sharing and "cases" not in self.model_fields_set:
            raise refuse((("cases",), "is missing; say how many a worker handles at once, such as 2"))
        if self.cases > 200:
            raise refuse((("cases",), "must be at most 200"))
        return self

    def paces(self) -> tuple[float, ...]:
        """Speed of each item by the number in hand, in per cent; empty where it is shared out equally."""
        return () if self.sharing else self.pace or (100,) * self.cases

    @property
    def all_together(self) -> float:
        """Speed of a worker with both hands full, 1 for one item at the standard pace."""
        return 1.0 if self.sharing else self.cases * self.paces()[-1] / 100


class Pool(Model):
    """Workers with the same skills. Wage in money per rostered hour; overtime hours cost `overtime` times as much.

    After `overtime_limit` of overtime the item in hand is laid down (null: it is finished, however long it takes).
    `absence` is the share of days on which a worker does not come, `shrinkage` the share lost of the others.
    `leaves`: whose shift ends leaves (named), or the staff is a headcount, and who is idle leaves first.
    `needs`: systems without which these workers stand still. `at_once`: how many items each has in hand at once.
    """

    department: Id
    label: Label = Label()
    skills: Annotated[dict[Id, Ability], BeforeValidator(_abilities)] | None = None
    end_of_shift: Literal["finish", "suspend", "suspend_keep", "no_late_start", "restart"] = "finish"
    leaves: Literal["named", "idle_first"] = "named"
    overtime_limit: Duration | None = None
    wage: Number = 0.0
    overtime: Number = 1.5
    needs: Needs = ()
    reserve: Reserve | None = None
    at_once: AtOnce | None = None
    absence: Share = 0.0
    shrinkage: Annotated[Shrinkage | None, BeforeValidator(_shrinkage)] = None

    @model_validator(mode="after")
    def _either_at_once_or_called(self) -> Self:
        if self.at_once and self.reserve:
            raise refuse((("at_once",), "does not go with a `reserve` in one pool; give the reserve a pool of its own"))
        return self

    @model_validator(mode="after")
    def _a_headcount_of_whole_people(self) -> Self:
        if self.at_once and self.leaves == "idle_first":
            raise refuse((("leaves",), "does not go with `at_once`: nobody hands over half of their items"))
        return self

    @model_validator(mode="after")
    def _overtime_has_something_to_limit(self) -> Self:
        if self.overtime_limit is not None and self.end_of_shift != "finish":
            raise refuse((("overtime_limit",), f"has no effect: under '{self.end_of_shift}' there is no overtime"))
        if self.overtime_limit == 0:
            raise refuse((("overtime_limit",), "of zero is `end_of_shift: suspend`; write that"))
        return self

    @property
    def abilities(self) -> dict[str, Ability]:
        """`skills`; in a scenario a pool that names none has one skill of its own name."""
        return self.skills or {}


# ------------------------------------------------------------------ shifts


class Break(Model):
    """A pause at a time of day, in `waves`: the workers go in so many groups, one group after the other."""

    label: Label = Label()
    at: TimeOfDay
    lasts: Duration
    rule: Literal["postpone", "pause"] = "postpone"
    waves: Positive = 1


class Shift(Model):
    """Hours on certain days, with breaks. Hours may cross midnight; they belong to the day on which they begin.

    Who works it stays for `handover` after the hours, together with those of the next shift.
    """

    label: Label = Label()
    days: Days
    hours: Hours
    breaks: tuple[Break, ...] = ()
    handover: Duration = 0

    @field_validator("hours")
    @classmethod
    def _apart(cls, value: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        return apart(value)

    @model_validator(mode="after")
    def _breaks_fit(self) -> Shift:
        taken: list[tuple[int, int]] = []
        for i, pause in enumerate(self.breaks):
            begin = self.break_at(pause)
            if begin < 0:
                raise refuse((("breaks", i, "at"), f"{clock_time(pause.at)} is outside the hours of the shift"))
            end = begin + pause.waves * pause.lasts
            if not any(a <= begin and end <= b for a, b in self.hours):
                raise refuse((("breaks", i, "lasts"), f"{pause.waves} × {written(pause.lasts)} ends after the shift"))
            if any(begin < b and a < end for a, b in taken):
                raise refuse((("breaks", i, "at"), "overlaps with an earlier break of the shift"))
            taken.append((begin, end))
        return self

    def break_at(self, pause: Break) -> int:
        """Ticks from midnight of the shift's day to the break (above 24:00 after midnight); -1 outside the hours."""
        inside = (at for at in (pause.at, pause.at + DAY) if any(a <= at < b for a, b in self.hours))
        return next(inside, -1)


class Profile(Model):
    """How many are present in each slot of the day, instead of hours; a holiday falls back to the Sunday."""

    label: Label = Label()
    every: Duration
    headcount: dict[str, tuple[Count, ...]]

    @model_validator(mode="after")
    def _one_number_for_each_slot(self) -> Profile:
        if self.every <= 0 or DAY % self.every:
            raise refuse((("every",), "must divide the day, such as '15 min', '30 min' or '1 h'"))
        n = DAY // self.every
        for days, counts in self.headcount.items():
            if len(counts) != n:
                raise refuse(
                    (
                        ("headcount", days),
                        f"needs {n} whole numbers for slots of {written(self.every)}, got {len(counts)}",
                    )
                )
        _check_days(self.headcount, "headcount")
        return self

    def by_day(self) -> dict[str, tuple[int, ...]]:
        """Headcount of each slot, by day type."""
        return by_day(self.headcount)


def _check_days(value: dict[str, Any], field: str) -> None:
    try:
        by_day(value)
    except ValueError as error:
        raise refuse(((field,), str(error)), value=list(value)) from None


def _shift(value: Any) -> Any:
    """A Shift, or a Profile where it has a headcount."""
    if isinstance(value, Model):
        return value
    if not isinstance(value, Mapping):
        raise expected("a mapping with days and hours", value, "带有 days 和 hours 的映射")
    kind: type[Model] = Profile if "headcount" in value or "every" in value else Shift
    return kind.model_validate(value)


AnyShift = Annotated[Shift | Profile, BeforeValidator(_shift)]


_PACE: TypeAdapter[int] = TypeAdapter(Percent)
_PACE_BY_SKILL: TypeAdapter[dict[str, int]] = TypeAdapter(dict[Id, Percent])


def _pace(value: Any) -> Any:
    return _PACE_BY_SKILL.validate_python(value) if isinstance(value, Mapping) else _PACE.validate_python(value)


Pace = Annotated[int | dict[str, int], BeforeValidator(_pace)]
"""Per cent of the standard pace, for all skills or by skill."""


class Dates(Model):
    """The dates from `from` to `to`, both included; the one date where `to` is not given."""

    first: Date = Field(alias="from")
    last: Date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last is not None and self.last < self.first:
            raise refuse((("to",), "is before `from`"))
        return self


def _dates(value: Any) -> Any:
    """One date, or from-to; either alone or in a list."""
    many = value if isinstance(value, list | tuple) else [value]
    return [part if isinstance(part, Mapping | Model) else {"from": part} for part in many]


class RampUp(Model):
    """The pace of a new worker: `from` per cent in the first week, rising by equal steps to 100 after `weeks`."""

    first: Percent = Field(alias="from", le=100)
    weeks: Positive

    def pace(self, week: int) -> int:
        """Per cent in a week, counted from 0."""
        return min(100, (2 * (self.first * (self.weeks - week) + 100 * week) + self.weeks) // (2 * self.weeks))


class Worker(Model):
    """One named person on top of the counts; pace in per cent, overall or by skill, on top of the pool's."""

    label: Label = Label()
    pool: Id
    shifts: tuple[Id, ...] = Field(min_length=1)
    pace: Pace = 100
    absent: Annotated[tuple[Dates, ...], BeforeValidator(_dates)] = ()

    joins: Date | None = None
    ramp_up: RampUp | None = None

    @model_validator(mode="after")
    def _ramp_begins_some_day(self) -> Self:
        if self.ramp_up and self.joins is None:
            raise refuse((("joins",), "is missing; `ramp_up` counts the weeks from the date of joining"))
        return self

    def is_away(self, date: dt.date) -> bool:
        """Not there yet, or on leave by the roster, whatever chance says."""
        return (self.joins is not None and date < self.joins) or any(
            dates.first <= date <= (dates.last or dates.first) for dates in self.absent
        )

    def pace_of(self, skill: str) -> int:
        return self.pace if isinstance(self.pace, int) else self.pace.get(skill, 100)


def overlap(a: Shift, b: Shift) -> str | None:
    """The first day on which two weekly shifts overlap, or None; holidays are compared within the day."""
    if "holiday" in a.days and "holiday" in b.days and _meet(a.hours, b.hours, 0):
        return "holiday"
    for day in a.days:
        for other in b.days:
            if "holiday" in (day, other):
                continue
            between = (WEEKDAYS.index(other) - WEEKDAYS.index(day)) % 7
            if any(_meet(a.hours, b.hours, shift * DAY) for shift in (between, between - 7)):
                return day
    return None


def _meet(one: tuple[tuple[int, int], ...], two: tuple[tuple[int, int], ...], later: int) -> bool:
    return any(a < d + later and c + later < b for a, b in one for c, d in two)
