"""What happened: the one log from which every figure is computed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from servsim.records.arrays import Codes, Ids, Ticks, freeze


@dataclass(frozen=True, slots=True)
class EventLog:
    """Facts of one run, by item and by case; -1 where it did not happen before the clock stopped.

    An item that was never interrupted was worked on from `started_at` to `completed_at` by `worker`. All stretches of
    work of the others stand in `stretch_*`, in order of their beginning, the last one included; `worker` is then who
    worked on it last. An item in hand when the clock stops has started_at and worker but no completed_at.
    """

    # items
    enabled_at: Ticks  # the case has reached the step
    offered_at: Ticks  # pushed to the queue
    started_at: Ticks  # service begins for the first time
    completed_at: Ticks
    worker: Ids

    # stretches of work of interrupted items
    stretch_item: Ids
    stretch_worker: Ids
    stretch_from: Ticks
    stretch_to: Ticks

    # items moved to another queue after waiting too long
    escalated_item: Ids
    escalated_at: Ticks

    # cases
    left_at: Ticks
    outcome: Codes  # Outcome

    arrived_at: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    """[cases] where some cases follow others: when each came, NEVER if it did not; else empty"""

    # outages of systems, in the order in which they began; one that lasts ends with the clock
    down_unit: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    down_from: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    down_to: Ticks = field(default_factory=lambda: np.empty(0, np.int64))

    # each time that an item found no place to wait
    blocked_item: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    blocked_at: Ticks = field(default_factory=lambda: np.empty(0, np.int64))

    # when workers of the reserve were there, in the order in which they left; who is still there last
    reserve_worker: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    reserve_from: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    reserve_to: Ticks = field(default_factory=lambda: np.empty(0, np.int64))

    # items that a join did not wait for, and that nobody had in hand then
    withdrawn_item: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    withdrawn_at: Ticks = field(default_factory=lambda: np.empty(0, np.int64))

    # items offered for somebody in particular: when, and for whom (the worker that stands for the person)
    owned_item: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    owned_at: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    owned_by: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    # items offered for anybody but somebody: when, and who may not do it
    barred_item: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    barred_at: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    barred_who: Ids = field(default_factory=lambda: np.empty(0, np.int32))

    # duties as worked, by worker and time, in pools in which the idle leave first; one that lasts ends as rostered
    duty_worker: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    duty_from: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    duty_to: Ticks = field(default_factory=lambda: np.empty(0, np.int64))

    # stretches of work of those who help `worker` with items that need several at once, by begin, item and worker
    helper_item: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    helper_worker: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    helper_from: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    helper_to: Ticks = field(default_factory=lambda: np.empty(0, np.int64))

    # items of which silence spoke: decided (started and completed then, by nobody), or moved to another queue
    silent_item: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    silent_at: Ticks = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        freeze(self)
