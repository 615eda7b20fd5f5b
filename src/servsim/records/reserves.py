"""Who is called in when work piles up, and when they are let go again, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from servsim.records.arrays import Codes, Ids, Ticks, freeze


def _codes() -> Codes:
    return np.empty(0, np.int8)


def _ids() -> Ids:
    return np.empty(0, np.int32)


def _ticks() -> Ticks:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Reserves:
    """Reserve workers have no duty in the plan; they come when called. Everything is empty where there are none."""

    worker: Codes = field(default_factory=_codes)  # [workers] 1: of the reserve of their pool
    call_waiting: Ticks = field(default_factory=_ticks)  # [pools] call one when so many wait, -1: never
    call_oldest: Ticks = field(default_factory=_ticks)  # [pools] call one for each item that waits so long, -1: never
    delay: Ticks = field(default_factory=_ticks)  # [pools] from the call to the arrival
    stay: Ticks = field(default_factory=_ticks)  # [pools] at least so long
    release: Ticks = field(default_factory=_ticks)  # [pools] who is free leaves when no more than so many wait
    wage: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))  # [pools] money per hour present

    hours_pool: Ids = field(default_factory=_ids)  # they are called only to these hours; a pool without any: always
    hours_from: Ticks = field(default_factory=_ticks)  # by pool and time, never overlapping
    hours_to: Ticks = field(default_factory=_ticks)

    def __post_init__(self) -> None:
        freeze(self)
