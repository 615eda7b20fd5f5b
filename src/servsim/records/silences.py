"""What becomes of approvals that nobody begins in time, as arrays."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np

from servsim.records.arrays import Codes, Ids, Ticks, freeze


class Silent(enum.IntEnum):
    """What silence means."""

    NOTHING = 0
    APPROVE = 1
    REJECT = 2
    ESCALATE = 3


@dataclass(frozen=True, slots=True)
class Silences:
    """By step and by item; everything is empty where silence means nothing.

    Calendar k is open in [open_from, open_to) at the places open_first[k] … open_first[k+1]-1, in order.
    """

    then: Codes = field(default_factory=lambda: np.empty(0, np.int8))  # [steps] Silent
    after: Ticks = field(default_factory=lambda: np.empty(0, np.int64))  # [steps] since the item was offered
    calendar: Codes = field(default_factory=lambda: np.empty(0, np.int8))  # [steps] in whose open hours, -1: always
    to: Ids = field(default_factory=lambda: np.empty(0, np.int32))  # [steps] skill to whose queue it moves, -1: none
    next_item: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    """[items] what follows if silence decides, where that is something else than if somebody does; -1: the same"""
    world: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    """[items] -1: on the way without silence; else the same number for all items behind one verdict by silence"""
    open_first: Ids = field(default_factory=lambda: np.zeros(1, np.int32))  # [calendars + 1]
    open_from: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    open_to: Ticks = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        freeze(self)

    def __bool__(self) -> bool:
        """Silence means something at some step."""
        return bool(len(self.then))

    def due(self, step: int, offered: int) -> int:
        """When silence speaks of an item offered then; -1: not within the hours that are laid out."""
        after, calendar = int(self.after[step]), int(self.calendar[step])
        if calendar < 0:
            return offered + after
        first, end = self.open_first[calendar : calendar + 2].tolist()
        begin = int(np.searchsorted(self.open_to[first:end], offered, side="right")) + first
        for k in range(begin, end):
            opens = max(offered, int(self.open_from[k]))
            if after <= self.open_to[k] - opens:
                return opens + after
            after -= int(self.open_to[k]) - opens
        return -1
