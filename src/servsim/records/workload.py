"""What there is to do: every case and every work item of a run, all dice thrown, before the clock starts."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from servsim.records.arrays import Codes, Ids, Ticks, freeze
from servsim.records.clocks import Clocks
from servsim.records.owners import Owners
from servsim.records.silences import Silences


class Outcome(enum.IntEnum):
    """How a case ended, as far as the clock went."""

    IN_PROCESS = 0
    COMPLETED = 1
    REJECTED = 2
    ABANDONED = 3
    TURNED_AWAY = 4
    """found no place to wait"""


class Leaves(enum.IntEnum):
    """What the completion of an item means for its case."""

    NOT = 0
    COMPLETED = 1
    REJECTED = 2


class RankBy(enum.IntEnum):
    """What changes the rank of an item in the course of time."""

    NOTHING = 0
    WORK_LEFT = 1
    """the rank is the work that is left"""
    POINTS = 2
    """the most points come first: those that a case collects per minute × time since the item was offered"""
    LOT = 3
    """a fresh order at every tick, made of the item's lot and the tick"""


NEVER = 2**62
"""As the arrival of a case: dormant until another case wakes it."""
FORK = -2
"""In `next_item`: the item has several successors, listed in `fork_target`."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps that items belong to: one row per step of each process that is in use."""

    names: tuple[str, ...]  # step id; "process.step" where two processes share an id
    process: tuple[str, ...]
    kind: tuple[str, ...]  # task, handoff, approval, delay, join, ...
    skill: Ids  # -1: needs nobody
    responds: Codes  # 1: its start is an answer to the customer
    needs: Codes = field(default_factory=lambda: np.zeros((0, 0), np.int8))  # [steps, systems] 1: needs it; empty: none
    sender: Ids = field(default_factory=lambda: np.empty(0, np.int32))  # department that hands over, -1: none is named
    receiver: Ids = field(default_factory=lambda: np.empty(0, np.int32))


class Relation(enum.IntEnum):
    """Why a case follows another."""

    NONE = 0
    RETRY = 1
    """tries again after giving up"""
    REPEAT = 2
    """contacts again after completion"""
    DUPLICATE = 3
    """submitted a second time, as nobody had answered"""
    RETURN = 4
    """the same member of a finite source"""


@dataclass(frozen=True, slots=True)
class Followers:
    """Cases that are dormant (`arrived_at` is NEVER) until another case wakes them; each follows one case.

    `on` has the bit 1 << Outcome for each way to leave that wakes it `lag` ticks later; the bit of
    IN_PROCESS: it comes `lag` after the arrival of the other if that has not been answered by then.
    """

    case: Ids  # [followers], ascending
    after: Ids
    on: Codes
    lag: Ticks
    relation: Codes

    def __post_init__(self) -> None:
        freeze(self)

    @staticmethod
    def none() -> Followers:
        ids, codes = np.empty(0, np.int32), np.empty(0, np.int8)
        return Followers(ids, ids, codes, np.empty(0, np.int64), codes)


@dataclass(frozen=True, slots=True)
class Workload:
    """Cases in order of arrival, dormant ones last; items grouped by case, in an order in which a predecessor never
    follows its successor.

    Case i owns items first_item[i] … first_item[i+1]-1. A case enters with its first item at `arrived_at`; one that
    arrived before 0 (backlog) enters at 0.
    """

    classes: tuple[str, ...]
    channels: tuple[str, ...]
    sources: tuple[str, ...]  # demand ids
    promises: tuple[str, ...]
    promise_event: tuple[str, ...]  # [promises] "first_response", "resolution" or "": something else
    promise_penalty: NDArray[np.float64]  # [promises, classes] money per breach
    steps: Steps

    # cases
    arrived_at: Ticks
    case_class: Ids
    channel: Ids
    source: Ids
    patience: Ticks  # gives up that long after arrival if nobody has begun to serve it; -1: never
    due_at: NDArray[np.int64]  # [promises, cases] as known on arrival, without pauses; -1: nothing, or not known yet
    first_item: NDArray[np.int64]  # [cases + 1]

    # items
    case: Ids
    step: Ids
    visit: Ids  # 0 for the first visit of the case to the step
    skill: Ids  # -1: needs nobody, runs for `work` by itself
    work: Ticks  # at a pace of 100 %
    hold: Ticks  # between enabled and offered (dispatch delay)
    next_item: Ids  # -1: the case leaves; -2: several, see fork_*
    n_predecessors: Codes  # enabled when so many have completed (joins); 1 for most
    leaves: Codes  # Leaves
    returned: Codes  # 1: the visit ended in a return (approval sent back, hand-over sent back)
    rank: Ticks  # lower first; filled in by dispatch

    # forks: fork_item[k] is followed by fork_target[fork_first[k]:fork_first[k+1]]
    fork_item: Ids
    fork_first: NDArray[np.int64]
    fork_target: Ids

    # the key of an item in the queue of skill s is (rank + rank_slope[s] * offered tick, offered tick, item)
    rank_slope: Codes  # [skills] -1, 0 or 1
    lot: Ids = field(default_factory=lambda: np.empty(0, np.int32))  # [items] pre-drawn lots, where a rule draws lots
    gate: Ids = field(default_factory=lambda: np.empty(0, np.int32))  # [items] of the plan, waited for without anybody

    priority: Ticks = field(default_factory=lambda: np.empty(0, np.int64))  # [cases] -1: that of the class
    answered_before: Codes = field(default_factory=lambda: np.empty(0, np.int8))
    """[cases] 1: had been answered before the clock's start; empty: none"""
    followers: Followers = field(default_factory=lambda: Followers.none())
    rank_from_arrival: Codes = field(default_factory=lambda: np.empty(0, np.int8))
    """[skills] 1: the rank of items of followers is counted from their arrival; empty: nowhere"""
    rank_by: Codes = field(default_factory=lambda: np.empty(0, np.int8))  # [skills] RankBy; empty: nothing
    points: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    """[cases] millionths of a point collected per minute of waiting; empty where no rule looks at them"""
    urgency: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    """[cases] priority, 1 first; empty where nothing asks for it while the clock runs"""
    timer_of: Ids = field(default_factory=lambda: np.empty(0, np.int32))  # [skills] row of `timer`; empty: none drawn
    timer: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 0), np.int64))
    """[skills with timers, items] drawn waiting time after which the item moves on from that queue"""

    own_time_of: tuple[str, ...] = ()  # pools and workers that need a time of their own for some steps
    own_time: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 0), np.int64))
    """[these, items] work at a pace of 100 % if one of them takes the item up first; -1: that of `work`"""
    redial: Ticks = field(default_factory=lambda: np.empty((0, 0), np.int64))
    """[cases, times] who finds no place to wait tries again after that, -1: does not; in turn; empty: nobody does"""
    quorum: Codes = field(default_factory=lambda: np.empty(0, np.int8))  # [items] joins reached with so many

    # approvals that are not given before the work; empty: there are none
    delivers: Codes = field(default_factory=lambda: np.empty(0, np.int8))  # [items] 1: all but signatures is done
    skipped: Codes = field(default_factory=lambda: np.empty(0, np.int8))  # [items] 1: passed without approval
    refused: Codes = field(default_factory=lambda: np.empty(0, np.int8))  # [items] 1: refused after the work
    refusal_cost: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))  # [steps] money

    workers: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    """[items] so many work on it together; 0 as 1; empty: nowhere more than one"""

    owners: Owners = field(default_factory=Owners)  # who may do it depends on who did something before
    clocks: Clocks = field(default_factory=Clocks)  # of promises, where one is more than a due time
    silences: Silences = field(default_factory=Silences)  # what becomes of approvals that nobody begins in time

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def n_cases(self) -> int:
        return len(self.arrived_at)

    @property
    def n_items(self) -> int:
        return len(self.case)
