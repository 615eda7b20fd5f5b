"""What arrives and when: case classes by source, with the pattern of their arrivals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from servsim.model.base import (
    Date,
    Duration,
    Id,
    Label,
    Model,
    Number,
    OneOf,
    Positive,
    Rate,
    Share,
    TimeOfDay,
    TimeUnit,
    Variation,
    Word,
    sums_to_one,
)
from servsim.model.calendar import Days, by_day
from servsim.model.cases import WrittenCase
from servsim.model.distributions import AnyDistribution, NumberDistribution
from servsim.model.errors import InputError, refuse
from servsim.model.files import check_columns
from servsim.registry import Registry

ARRIVALS: Registry[type[Arrivals]] = Registry("kind of arrivals")


class Arrivals(Model):
    """When cases come."""

    kind: str

    fixed: ClassVar[str | None] = None
    """Why a factor, surges, busy days and batches cannot change the number of cases; None where they can."""


@ARRIVALS.register("hourly")
class Hourly(Arrivals):
    """Poisson with a rate for each hour (24 numbers), half hour (48), quarter (96), five minutes (288) or minute (1440)
    of a day, in cases per hour.

    Days that are not named have no arrivals; a holiday falls back to the Sunday.
    """

    kind: Literal["hourly"] = "hourly"
    per_hour: dict[str, tuple[Number, ...]]

    @field_validator("per_hour")
    @classmethod
    def _whole_days(cls, value: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        for days, rates in value.items():
            if len(rates) not in (24, 48, 96, 288, 1440):
                told = "needs 24, 48, 96, 288 or 1440 numbers (cases per hour)"
                raise refuse(((days,), f"{told}, got {len(rates)}"))
        by_day(value)
        return value

    def by_day(self) -> dict[str, NDArray[np.float64]]:
        """Cases per hour in each slot of equal length, by day type."""
        return {day: np.array(rates) for day, rates in by_day(self.per_hour).items()}


@ARRIVALS.register("poisson")
class Poisson(Arrivals):
    """Poisson at a constant rate."""

    kind: Literal["poisson"] = "poisson"
    rate: Rate


@ARRIVALS.register("renewal")
class Renewal(Arrivals):
    """Independent gaps between arrivals, the first one included."""

    kind: Literal["renewal"] = "renewal"
    gap: AnyDistribution

    @model_validator(mode="after")
    def _time_goes_on(self) -> Self:
        if self.gap.mean <= 0:
            raise refuse((("gap",), "must be longer than zero on average"))
        return self


class EarlyOrLate(Model):
    """Normal deviation from the appointed time."""

    sd: Duration


@ARRIVALS.register("appointments")
class Appointments(Arrivals):
    """Appointed times on certain days: a list of `times`, or `every` so often from `from` to before `to`."""

    kind: Literal["appointments"] = "appointments"
    days: Days
    times: tuple[TimeOfDay, ...] | None = None
    begin: TimeOfDay | None = Field(default=None, alias="from")
    end: TimeOfDay | None = Field(default=None, alias="to")
    every: Duration | None = None
    per_slot: Positive = 1
    early_or_late: EarlyOrLate | None = None
    no_show: Share = 0.0

    fixed: ClassVar[str | None] = "appointments are as many as are booked; change `times`, `every` or `per_slot`"

    @model_validator(mode="after")
    def _times_or_interval(self) -> Self:
        interval = (self.begin, self.end, self.every)
        if (self.times is None) == (None in interval) or (self.times is not None and interval != (None, None, None)):
            raise ValueError("needs either `times`, or `from`, `to` and `every`")
        if self.every is not None and (self.every <= 0 or self.begin >= self.end):  # type: ignore[operator]
            raise ValueError("`every` must be longer than zero and `from` earlier than `to`")
        return self

    def slots(self) -> tuple[int, ...]:
        """Appointed times, in ticks since midnight."""
        if self.times is not None:
            return self.times
        assert self.begin is not None and self.end is not None and self.every is not None
        return tuple(range(self.begin, self.end, self.every))


class TraceColumns(Model):
    """What the columns of the file are called. `patience` and the service times (by step) are durations."""

    arrived_at: str
    case_class: str | None = None
    channel: str | None = None
    patience: str | None = None
    service: dict[Id, str] = Field(default_factory=dict)

    def flat(self) -> dict[str, str]:
        """Column by purpose; service times as 'service.<step>'."""
        named = {name: getattr(self, name) for name in ("arrived_at", "case_class", "channel", "patience")}
        return {k: v for k, v in named.items() if v is not None} | {f"service.{s}": c for s, c in self.service.items()}


@ARRIVALS.register("trace")
class Trace(Arrivals):
    """Arrivals replayed from a CSV file (path relative to the project), with what else the file knows.

    `from` is the date in the file that becomes the first date of the clock (default: dates as they are); `unit` is
    that of bare numbers in duration columns.
    """

    kind: Literal["trace"] = "trace"
    file: str
    columns: TraceColumns
    first_date: Date | None = Field(default=None, alias="from")
    unit: TimeUnit | None = None

    fixed: ClassVar[str | None] = "a trace is replayed as it stands in the file"

    _path: Path = PrivateAttr()

    @model_validator(mode="after")
    def _file_has_the_columns(self, info: ValidationInfo) -> Self:
        self._path = Path((info.context or {}).get("folder") or Path.cwd(), self.file)
        try:
            check_columns(self._path, self.columns.flat())
        except InputError as error:
            raise refuse((("file",), str(error)), value=self.file) from None
        return self

    @property
    def path(self) -> Path:
        """The file, found."""
        return self._path


@ARRIVALS.register("listed")
class Listed(Arrivals):
    """Cases written out one by one, by the name of each."""

    kind: Literal["listed"] = "listed"
    cases: dict[Id, WrittenCase] = Field(min_length=1)

    fixed: ClassVar[str | None] = "the cases are those of the list"

    @property
    def classes(self) -> tuple[str, ...]:
        """Case classes that the list names."""
        return tuple(dict.fromkeys(case.case_class for case in self.cases.values() if case.case_class))


@ARRIVALS.register("finite")
class Finite(Arrivals):
    """So many members who come again and again: each is away for a while, comes, and is away again after leaving.

    Each comes at most so many `times` (null: as often as it can before the clock stops).
    """

    kind: Literal["finite"] = "finite"
    population: Positive
    away: AnyDistribution
    times: Positive | None = None

    fixed: ClassVar[str | None] = "the members of a finite source come when they come; change `population` or `away`"

    @model_validator(mode="after")
    def _time_goes_on(self) -> Self:
        if self.away.mean <= 0:
            raise refuse((("away",), "must be longer than zero on average"))
        return self


AnyArrivals = Annotated[Arrivals, OneOf(ARRIVALS)]

# ------------------------------------------------------------------ sources of demand


class BusyDays(Model):
    """A factor for each date (doubly stochastic Poisson): gamma with mean 1 and `cv`, or from any distribution of plain
    numbers."""

    cv: Variation | None = None
    factor: NumberDistribution | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.cv is None) == (self.factor is None):
            raise ValueError("needs either `cv` or `factor`")
        return self

    @property
    def mean(self) -> float:
        return 1.0 if self.factor is None else self.factor.mean

    def quantile(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.factor is not None:
            return np.maximum(self.factor.quantile(u), 0.0)
        assert self.cv is not None
        from scipy.special import gammaincinv

        shape = self.cv**-2
        return np.asarray(gammaincinv(shape, u) / shape)


class Surge(Model):
    """So many times the arrivals on the dates from `from` to `to`, both included."""

    label: Label = Label()
    first_date: Date = Field(alias="from")
    last_date: Date = Field(alias="to")
    factor: Number

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last_date < self.first_date:
            raise refuse((("to",), "is before `from`"))
        return self


class Batch(Model):
    """Cases per arrival: shares by size."""

    sizes: dict[Positive, Share]

    @field_validator("sizes")
    @classmethod
    def _sum(cls, value: dict[int, float]) -> dict[int, float]:
        sums_to_one(value)
        return value

    @property
    def mean(self) -> float:
        return sum(size * share for size, share in self.sizes.items())


class Demand(Model):
    """One source of cases: a class or a mix of classes through one channel (default: named like the source)."""

    label: Label = Label()
    case_class: Id | None = None
    mix: dict[Id, Share] | None = None
    channel: Word | None = None
    factor: Number = 1.0
    arrivals: AnyArrivals
    busy_days: BusyDays | None = None
    surges: dict[Id, Surge] = Field(default_factory=dict)
    batch: Batch | None = None

    @model_validator(mode="after")
    def _one_way_to_the_class(self) -> Self:
        in_file = isinstance(self.arrivals, Trace) and self.arrivals.columns.case_class is not None
        in_file = in_file or (isinstance(self.arrivals, Listed) and bool(self.arrivals.classes))
        given = (self.case_class is not None) + (self.mix is not None) + in_file
        if given != 1:
            also = {"trace": " or a column `case_class`", "listed": " or a `case_class` in each case"}
            raise ValueError(f"needs exactly one of `case_class`, `mix`{also.get(self.arrivals.kind, '')}")
        if in_file and isinstance(self.arrivals, Listed):
            lacking = [name for name, case in self.arrivals.cases.items() if case.case_class is None]
            if lacking:
                found = ((("arrivals", "cases", name), "needs a `case_class`, as others have one") for name in lacking)
                raise refuse(*found)
        if self.mix is not None:
            try:
                sums_to_one(self.mix)
            except ValueError as error:
                raise refuse((("mix",), str(error)), value=self.mix) from None
        return self

    @model_validator(mode="after")
    def _nothing_is_without_effect(self) -> Self:
        asked = {"factor": self.factor != 1, "busy_days": self.busy_days, "surges": self.surges, "batch": self.batch}
        if self.arrivals.fixed and (names := [name for name, given in asked.items() if given]):
            raise refuse(*(((name,), f"has no effect here: {self.arrivals.fixed}") for name in names))
        return self

    @property
    def classes(self) -> dict[str, float]:
        """Share of each class; empty where a file or list says."""
        return self.mix if self.mix is not None else {self.case_class: 1.0} if self.case_class is not None else {}

    def factor_on(self, date: Any) -> float:
        """The factor on a date, surges included."""
        surges = [surge.factor for surge in self.surges.values() if surge.first_date <= date <= surge.last_date]
        return float(self.factor * np.prod(surges)) if surges else self.factor
