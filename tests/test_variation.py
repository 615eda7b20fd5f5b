"""An assumption that is ten per cent higher: every setting that it stands for is, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from servsim.model.errors import InputError
from servsim.variation import put, varied

MAPPING: dict[str, Any] = {
    "staffing": {"desk": {"early": 2, "day": 8}, "repair": {"day": 10}},
    "demand": {
        "online": {"factor": 0.75, "arrivals": {"kind": "hourly", "per_hour": {"mon-fri": [1, 2.5], "sat": [0, 4]}}},
        "phone": {
            "factor": 0.25, "arrivals": {"kind": "poisson", "rate": "12/h"}, "mix": {"a": 0.2, "b": 0.5, "c": 0.3},
        },
    },
    "time": {"kind": "lognormal", "mean": "90 min", "cv": 0.6},
    "either": {"kind": "mixture", "parts": [{"share": 0.3, "of": {"kind": "constant", "value": "10 min"}}]},
    "text": "review",
}


@pytest.mark.parametrize(
    ("setting", "factor", "expected"),
    [
        ("staffing.desk.day", 1.1, ("staffing.desk.day=9",)),
        ("staffing.desk.*", 1.25, ("staffing.desk.early=3", "staffing.desk.day=10")),
        ("staffing.repair", 0.9, ("staffing.repair.day=9",)),
        ("demand.*.factor", 1.1, ("demand.online.factor=0.825", "demand.phone.factor=0.275")),
        ("demand.phone.arrivals.rate", 0.9, ("demand.phone.arrivals.rate=10.8/h",)),
        (
            "demand.online.arrivals.per_hour",
            2,
            ("demand.online.arrivals.per_hour.mon-fri=[2,5]", "demand.online.arrivals.per_hour.sat=[0,8]"),
        ),
        ("time", 1.1, ("time.mean=1 h 39 min",)),
        ("time.cv", 0.5, ("time.cv=0.3",)),
        ("demand.phone.mix.b", 1.2, ("demand.phone.mix.a=0.16", "demand.phone.mix.b=0.6", "demand.phone.mix.c=0.24")),
    ],
)
def test_settings_are_multiplied(setting: str, factor: float, expected: tuple[str, ...]) -> None:
    assert varied(MAPPING, [setting], factor) == expected


def test_settings_named_twice_are_multiplied_once() -> None:
    assert varied(MAPPING, ["demand.*.factor", "demand.phone.factor"], 2) == varied(MAPPING, ["demand.*.factor"], 2)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("staffing.dsk.day", "'staffing.dsk.day' leads nowhere; did you mean desk"),
        ("text", "'text': 'review' cannot be multiplied"),
        ("demand.phone.mix.b", r"demand.phone.mix.b: a share of 1.5; vary it by less"),
    ],
)
def test_what_cannot_be_varied_is_told(setting: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        varied(MAPPING, [setting], 3)


def test_a_value_is_put_into_a_copy() -> None:
    changed = put(MAPPING, ("staffing", "desk", "day"), 11)
    assert changed["staffing"] == {"desk": {"early": 2, "day": 11}, "repair": {"day": 10}}
    assert changed["demand"] is MAPPING["demand"]
    assert MAPPING["staffing"]["desk"]["day"] == 8
