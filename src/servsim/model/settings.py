"""How an experiment is run and shown, apart from what is simulated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from servsim.model.base import AboveZero, Count, Id, Model, PerHundred, Positive
from servsim.model.errors import expected


def _replications(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if value != "auto" and not whole and not (isinstance(value, str) and value.isdecimal() and int(value) >= 1):
        raise expected("a whole number ≥ 1, or auto", value, "不小于 1 的整数或 auto")
    return value if value == "auto" else int(value)


class Precision(Model):
    """For `replications: auto`: the half-width of each headline KPI's interval, relative to its mean."""

    half_width: AboveZero = 0.05
    at_most: Positive = 200


class Compute(Model):
    """Processes at a time; -1: one per core."""

    jobs: int = Field(default=-1, ge=-1)


HEADLINE = ("first_response_mean", "promise_first_response", "cycle_time_mean", "completion_rate", "cost_per_case")


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Settings(Model):
    """Settings of the experiment."""

    seed: Count = 1
    replications: Annotated[int | Literal["auto"], BeforeValidator(_replications)] = 20
    precision: Precision = Precision()
    headline: tuple[Id, ...] = HEADLINE
    overturn: PerHundred | None = 10.0
    """Per cent by which `compare` varies each assumption to see what would overturn the answer; 0: not at all."""
    experiment: str | None = None
    language: Literal["en", "zh"] = "en"
    pictures: Annotated[tuple[Literal["png", "pdf"], ...], BeforeValidator(_several)] = ()
    results: str = "results"
    compute: Compute = Compute()


def split(mapping: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A composed mapping as (that of the scenario, that of the settings)."""
    scenario = {key: value for key, value in mapping.items() if key not in Settings.model_fields}
    return scenario, {key: value for key, value in mapping.items() if key in Settings.model_fields}
