"""What may fail, and when: the systems of a run, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from servsim.records.arrays import Codes, Ids, Ticks, freeze


def _ids() -> Ids:
    return np.empty(0, np.int32)


def _codes() -> Codes:
    return np.empty(0, np.int8)


def _ticks() -> Ticks:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Systems:
    """Systems fail as units: one for each shared system, one for each worker of a separate one.

    Outages are those known beforehand, apart from one another for each unit. Wear is what the unit goes through while
    people work with it: `wear_up` ticks of that, then it is down for `wear_down`, and so on in this order.
    """

    names: tuple[str, ...] = ()
    restart: Codes = field(default_factory=_codes)  # [systems] 1: the work in hand is lost, 0: it is kept
    by_load: Codes = field(default_factory=_codes)  # [systems] 1: wears as many times as fast as people work with it
    unit_system: Ids = field(default_factory=_ids)  # [units]
    unit_worker: Ids = field(default_factory=_ids)  # [units] whose own it is, -1: everybody's
    outage_unit: Ids = field(default_factory=_ids)  # [outages]
    outage_from: Ticks = field(default_factory=_ticks)
    outage_to: Ticks = field(default_factory=_ticks)
    wear_unit: Ids = field(default_factory=_ids)  # [failures]
    wear_up: Ticks = field(default_factory=_ticks)
    wear_down: Ticks = field(default_factory=_ticks)
    pool_needs: Codes = field(default_factory=_codes)  # [pools, systems] 1: its workers can do nothing without it

    def __post_init__(self) -> None:
        freeze(self)

    def units_of(self, worker: int, pool: int) -> list[int]:
        """The units without which the worker stands still."""
        if not len(self.pool_needs):
            return []
        mine = (self.unit_worker == -1) | (self.unit_worker == worker)
        return np.flatnonzero(mine & (self.pool_needs[pool, self.unit_system] == 1)).tolist()
