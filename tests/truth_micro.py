"""A deterministic statement (micro.json) as a scenario, and its log compared with the one expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from truth_words import Json


def rows(case: Json) -> Iterator[tuple[Any, ...]]:
    yield case["id"], "log", "", "log", None, None, False, "not stated: cases"
