"""Who is there, when, and what they can do: the staff side of a run, as arrays."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from servsim.records.arrays import Codes, Ids, Ticks, freeze
from servsim.records.overflow import Overflow
from servsim.records.reserves import Reserves
from servsim.records.systems import Systems


class EndOfShift(enum.IntEnum):
    """What a worker does with the item in hand when the shift ends."""

    FINISH = 0
    """completes it; the extra time is overtime"""
    SUSPEND = 1
    """lays it down; it goes to the head of its queue and anybody able may resume it"""
    SUSPEND_KEEP = 2
    """lays it down and resumes it at the start of the next shift"""
    NO_LATE_START = 3
    """does not start what cannot be finished; takes the next item in the queue that fits"""
    RESTART = 4
    """lays it down; it goes to the head of its queue and anybody able begins it again from scratch"""


class Preempt(enum.IntEnum):
    """Whether items of a skill interrupt one another, and what becomes of the progress."""

    NOT = 0
    RESUME = 1
    RESTART = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """The staff of one run. Departments, pools, skills and workers are numbered in the order of their names.

    A skill has one queue. A pool is a group of workers able to do the same skills; `preference[pool, skill]` is
    the order in which a freed worker looks at the queues (lower first, equal: the best item over all of them), -1 where
    the pool lacks the skill. `pace[worker, skill]` is the speed in per cent of the standard time (0: not able).
    Duty spans never overlap for one worker; breaks lie within duty spans.
    """

    departments: tuple[str, ...]
    pools: tuple[str, ...]
    skills: tuple[str, ...]
    workers: tuple[str, ...]

    pool_department: Ids  # [pools]
    pool_end_of_shift: Codes  # [pools] EndOfShift
    pool_wage: NDArray[np.float64]  # [pools] money per rostered hour
    pool_overtime: NDArray[np.float64]  # [pools] wage factor of an overtime hour
    preference: Codes  # [pools, skills]

    worker_pool: Ids  # [workers]
    pace: NDArray[np.int32]  # [workers, skills] per cent

    duty_worker: Ids  # [duties], sorted by (worker, from)
    duty_from: Ticks
    duty_to: Ticks
    break_worker: Ids  # [breaks], sorted by (worker, at)
    break_at: Ticks
    break_lasts: Ticks
    break_postponed: Codes  # 1: begins after the item in hand; 0: begins on time, the work is paused

    assignment: tuple[str, ...]  # [skills] name of the rule that picks the worker
    escalate_after: Ticks  # [skills] waiting time (its mean, if drawn) after which an item moves on, -1: never
    escalate_to: Ids  # [skills] the skill whose queue it moves to
    break_paid: Codes = field(default_factory=lambda: np.empty(0, np.int8))  # [breaks] 1: paid; empty: none is
    overtime_limit: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    """[pools] how long after its end the item in hand is laid down under FINISH, -1: never; empty: nowhere"""

    # gates: openings of gate g are gate_at[gate_first[g]:gate_first[g+1]]
    gates: tuple[str, ...] = ()  # process.step
    gate_first: Ids = field(default_factory=lambda: np.zeros(1, np.int32))
    gate_at: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    gate_seats: Ids = field(default_factory=lambda: np.empty(0, np.int32))  # [gates] -1: no limit
    gate_deadline: Ticks = field(default_factory=lambda: np.empty(0, np.int64))  # [gates]
    gate_lasts: Ticks = field(default_factory=lambda: np.empty(0, np.int64))  # [gates] -1: no limit, all at once

    # interruptions by dispatch; empty: nobody is interrupted
    preempts: Codes = field(default_factory=lambda: np.empty(0, np.int8))  # [skills] Preempt
    victim_earliest: Codes = field(default_factory=lambda: np.empty(0, np.int8))
    """[skills] of items in hand with the same rank is interrupted: 1 the one taken up first, 0 the one taken up last"""

    # people with several items in hand have a place, a worker, for each; empty: nobody has
    worker_person: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    """[workers] the first place of the same person"""
    at_once_pace: Ids = field(default_factory=lambda: np.zeros((0, 0), np.int32))
    """[pools, number in hand] speed of each item in thousandths of per cent; all 0: the speed is shared out equally"""

    # paces that hold from a tick on, in place of `pace`, by worker and time; taken on when a duty begins
    ramp_worker: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    ramp_at: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    ramp_pace: Ids = field(default_factory=lambda: np.zeros((0, 0), np.int32))  # [ramps, skills] per cent

    systems: Systems = field(default_factory=Systems)  # what may fail
    reserves: Reserves = field(default_factory=Reserves)  # who is called in
    waiting_places: Ids = field(default_factory=lambda: np.empty(0, np.int32))  # [skills] -1: no limit; empty: nowhere
    # of skill s, cases of a priority above hold_above[s] are started only while more than keep_idle[s] can; empty: no
    hold_above: Ticks = field(default_factory=lambda: np.empty(0, np.int64))  # [skills] -1: all are started
    keep_idle: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    alert_after: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    """[skills] an item not started so long after it was offered is reported, -1: never; empty: nowhere"""
    overflow: Overflow = field(default_factory=Overflow)  # who takes items of a queue only under a condition
    idle_first: Codes = field(default_factory=lambda: np.empty(0, np.int8))
    """[pools] 1: duties are those of places; who holds them changes as the idle leave first; empty: nowhere"""

    backfilling: Codes = field(default_factory=lambda: np.empty(0, np.int8))
    """[skills] 1: who waits for several workers holds nobody up; empty: nowhere"""

    def __post_init__(self) -> None:
        freeze(self)

    def person_of(self) -> Ids:
        """[workers] the worker that stands for the person: itself, but for further places of the same person."""
        return self.worker_person if len(self.worker_person) else np.arange(len(self.workers), dtype=np.int32)

    def department_of_skill(self) -> Ids:
        """Department of the first pool that has the skill, -1 where nobody has it."""
        if not self.pools:
            return np.full(len(self.skills), -1, np.int32)
        able = self.preference >= 0
        first = np.where(able.any(axis=0), able.argmax(axis=0), -1)
        return np.where(first >= 0, self.pool_department[first], -1).astype(np.int32)
