"""The clocks of promises: what begins and stops each, in which steps it stands still, in which hours it runs."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np

from servsim.records.arrays import Codes, Ids, Ticks, freeze


class Event(enum.IntEnum):
    """What a clock begins or stops with; from ENABLED on it is one of certain steps."""

    ARRIVAL = 0
    ANSWER = 1
    """the first start of a step that answers the customer"""
    DELIVERY = 2
    """all is done but signatures that may follow"""
    LEAVING = 3
    """the case has been completed or rejected"""
    ENABLED = 4
    OFFERED = 5
    STARTED = 6
    COMPLETED = 7


@dataclass(frozen=True, slots=True)
class Triggers:
    """By promise and case class: the event, and of which steps."""

    event: Codes  # [promises, classes] Event
    steps: Codes  # [promises, classes, steps] 1: of this step
    last: Codes  # [promises, classes] 1: of the last visit, else the first that counts

    def __post_init__(self) -> None:
        freeze(self)

    @staticmethod
    def none() -> Triggers:
        return Triggers(np.zeros((0, 0), np.int8), np.zeros((0, 0, 0), np.int8), np.zeros((0, 0), np.int8))


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where promises are more than due times: every one of the workload, also those that are no more than that.

    Calendar k is open in [open_from, open_to) at the places open_first[k] … open_first[k+1]-1, in order.
    """

    limit: Ticks = field(default_factory=lambda: np.empty((0, 0), np.int64))  # [promises, cases] -1: nothing promised
    calendar: Codes = field(default_factory=lambda: np.empty((0, 0), np.int8))
    """[promises, cases] in whose open hours the clock runs, -1: always"""
    begins: Triggers = field(default_factory=Triggers.none)
    ends: Triggers = field(default_factory=Triggers.none)
    pauses_in: Codes = field(default_factory=lambda: np.zeros((0, 0, 0), np.int8))  # [promises, classes, steps]
    open_first: Ids = field(default_factory=lambda: np.zeros(1, np.int32))  # [calendars + 1]
    open_from: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    open_to: Ticks = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        freeze(self)
