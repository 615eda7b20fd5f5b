"""What every model is made of: the frozen base class, and the types of written values (durations, ids, labels)."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import CoreSchema, core_schema

from servsim.model.errors import expected, refuse, unknown_keys
from servsim.quantities import DAY, HOUR, MINUTE, UNITS, clock_time, per_tick, ticks, time_of_day, written
from servsim.registry import Registry, suggestion


class Model(BaseModel):
    """A frozen value that refuses unknown keys and says which key was meant."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    known_elsewhere: ClassVar[tuple[str, ...]] = ()
    """Keys that are no fields but are worth suggesting."""

    @model_validator(mode="wrap")
    @classmethod
    def _say_which_key_was_meant(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            from servsim.model.keys import home

            raise unknown_keys(error, [*cls.keys(), *cls.known_elsewhere], home) from None

    @classmethod
    def keys(cls) -> list[str]:
        """The keys of this mapping in the YAML."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """As pydantic's, with the keys of the YAML; what comes out validates to an equal model."""
        return super().model_dump(**{"by_alias": True, **options})

    def model_dump_json(self, **options: Any) -> str:
        return super().model_dump_json(**{"by_alias": True, **options})


# ------------------------------------------------------------------ numbers

Duration = Annotated[int, BeforeValidator(ticks), PlainSerializer(written, return_type=str)]
"""Ticks, written '15 min'; a bare number is refused."""

TimeOfDay = Annotated[int, BeforeValidator(time_of_day), PlainSerializer(clock_time, return_type=str)]
"""Ticks since midnight, written '17:30'."""


def _written_rate(rate: float) -> str:
    """The rate per hour or day where that is exact, else per microsecond (which always is)."""
    for unit, length in (("h", HOUR), ("d", DAY)):
        text = f"{rate * length!r}/{unit}"
        if per_tick(text) == rate:
            return text
    return f"{rate!r}/us"


Rate = Annotated[float, BeforeValidator(per_tick), PlainSerializer(_written_rate, return_type=str)]
"""Events per tick, written '12/h'."""


def _unit(value: Any) -> Any:
    if value not in UNITS:
        raise ValueError(f"'{value}' is not a unit of time{suggestion(str(value), ['s', 'min', 'h', 'd', 'wk'])}")
    return value


TimeUnit = Annotated[str, BeforeValidator(_unit)]
"""What bare numbers of a file are counted in: 's', 'min', 'h', 'd', 'wk'."""


def _number(low: float, high: float, whole: bool, english: str, chinese: str) -> BeforeValidator:
    def read(value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise expected(english, value, chinese) from None
        fits = math.isfinite(number) and low <= number <= high and (not whole or number == int(number))
        if isinstance(value, bool) or not fits:
            raise expected(english, value, chinese)
        return int(number) if whole else number

    return BeforeValidator(read)


_ALL = math.inf
Count = Annotated[int, _number(0, _ALL, True, "a whole number ≥ 0", "不小于 0 的整数")]
Positive = Annotated[int, _number(1, _ALL, True, "a whole number ≥ 1", "不小于 1 的整数")]
Number = Annotated[float, _number(0, _ALL, False, "a number ≥ 0", "不小于 0 的数字")]
AboveZero = Annotated[float, _number(5e-324, _ALL, False, "a number above 0", "大于 0 的数字")]
Variation = Annotated[float, _number(0.001, 1000, False, "a number from 0.001 to 1000", "0.001 至 1000 的数字")]
WeibullShape = Annotated[float, _number(0.1, 1000, False, "a number from 0.1 to 1000", "0.1 至 1000 的数字")]
Share = Annotated[float, _number(0, 1, False, "a share between 0 and 1", "0 与 1 之间的份额")]
Percent = Annotated[int, _number(1, 10_000, True, "per cent as a whole number ≥ 1", "不小于 1 的百分数（整数）")]
PerHundred = Annotated[float, _number(0, 99, False, "per cent from 0 to 99", "0 至 99 的百分数")]
Speed = Annotated[float, _number(0.001, 10_000, False, "per cent ≥ 0.001", "不小于 0.001 的百分数")]


def sums_to_one(shares: Mapping[Any, float] | tuple[float, ...], what: str = "shares") -> None:
    """Raises ValueError unless they sum to 1 within 1e-9."""
    values = shares.values() if isinstance(shares, Mapping) else shares
    total = math.fsum(values)
    if abs(total - 1) > 1e-9:
        raise ValueError(f"the {what} sum to {total:.10g}, not to 1")


# ------------------------------------------------------------------ names and texts

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*(\[[ -~]+\])?\Z")  # [a=1] of a sweep


def _ascii(value: Any, pattern: re.Pattern[str], rule: str) -> str:
    if isinstance(value, bool):
        raise ValueError("is read by YAML as true/false; put quotes around it or choose another id")
    if isinstance(value, str) and pattern.match(value):
        return value
    text = str(value)
    if not text.isascii():
        raise ValueError(f"'{text}': {rule}; write the Chinese name as label: {{zh: {text}}}")
    raise ValueError(f"'{text}': {rule}")


def _id(value: Any) -> str:
    return _ascii(value, _ID, "ids are ASCII letters, digits, _ and -, and do not begin with a digit")


def _name(value: Any) -> str:
    return _ascii(value, _NAME, "scenario names are ASCII letters, digits, _, - and one / after the study")


Id = Annotated[str, BeforeValidator(_id)]
Name = Annotated[str, BeforeValidator(_name)]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        raise ValueError("is read by YAML as true/false; put quotes around it")
    return str(value) if isinstance(value, int | float) else value


Word = Annotated[str, BeforeValidator(_word)]
"""A value of an attribute, a case class or a channel; a number is taken as it is written."""


class Label(Model):
    """What people call a thing, in one or two languages; one plain string serves both."""

    en: str | None = None
    zh: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"en": value, "zh": value} if isinstance(value, str) else {} if value is None else value

    def text(self, language: str = "en", fallback: str = "") -> str:
        """In that language, else in the other one, else the fallback (usually the id)."""
        first, second = (self.zh, self.en) if language == "zh" else (self.en, self.zh)
        return first or second or fallback


# ------------------------------------------------------------------ dates


def _date(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"'{value}' is not a date; write it as 2026-03-02") from None


def _instant(value: Any) -> Any:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    try:
        at = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"'{value}' is not a date; write it as 2026-03-02 or '2026-03-02 08:00'") from None
    if at.tzinfo is not None:
        raise ValueError(f"'{value}' names a time zone; the simulated clock is local time without one")
    return at


Date = Annotated[dt.date, BeforeValidator(_date)]
Instant = Annotated[dt.datetime, BeforeValidator(_instant)]

# ------------------------------------------------------------------ families of models told apart by `kind`


@dataclass(frozen=True, eq=False)
class OneOf:
    """Annotation of a field that holds any member of a family: `Annotated[Step, OneOf(STEPS)]`.

    `shorthand` rewrites a brief form into a mapping; `context` is added to the validation context of what lies below.
    """

    family: Registry[Any]
    shorthand: Callable[[Any], Any] = lambda value: value
    context: Mapping[str, Any] = field(default_factory=dict)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_wrap_validator_function(
            self._read, handler(source), serialization=core_schema.simple_ser_schema("any")
        )

    def _read(self, value: Any, handler: Callable[[Any], Any], info: ValidationInfo) -> Any:
        if isinstance(value, Model):
            return handler(value)
        value, family = self.shorthand(value), self.family
        if not isinstance(value, Mapping):
            raise expected(f"a mapping with `kind` ({', '.join(family)})", value, "带有 kind 的映射")
        kind = value.get("kind")
        if kind is None:
            raise refuse((("kind",), f"is missing; known: {', '.join(family)}"), value=value)
        if not isinstance(kind, str) or kind not in family:
            raise refuse((("kind",), f"there is no {family.kind} '{kind}'{suggestion(str(kind), family)}"), value=kind)
        return family[kind].model_validate(dict(value), context={**(info.context or {}), **self.context})


def _figure(value: Any) -> Any:
    """A number as it is, a duration in minutes."""
    return ticks(value) / MINUTE if isinstance(value, str) else value


Figure = Annotated[float, BeforeValidator(_figure)]
"""A value of a KPI: '30 min' for times, 0.9 for shares, a number for counts and money."""
