"""Who works and what waits: workers, pools, queues, and everything that a running service has to remember."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from servsim.engines.assignment import RULES, longest_idle
from servsim.engines.clock import Clock, Moments
from servsim.records import EndOfShift, EventLog, Plan, Workload

GONE = -2
"""As the skill of an item: its case gave up."""
WAKES = -3
"""As the next item of an item: its case leaves and others follow."""
AHEAD = -1
"""As the offered tick of a queued item: it was interrupted and goes before others of equal rank."""

Place = tuple[int, int, int]
"""An item's place in a queue, least first: (rank, offered tick, item)."""
Match = tuple[int, Place, int]
"""What may be started, least first: (preference of the worker's pool for the skill, place, number of the worker)."""


class Worker:
    """One person: on duty or not, on a break or not, idle or with an item in hand."""

    __slots__ = (
        "break_due", "busy", "duty_since", "duty_until", "engaged", "id", "idle_since", "item", "kept", "leaves",
        "on_break", "on_duty", "overtime_until", "pace", "pool", "present", "queue",
    )  # fmt: skip

    def __init__(self, number: int, pool: Pool, pace: list[int]) -> None:
        self.id, self.pool = number, pool
        self.queue = pool.plain_queue
        self.pace = None if set(pace) <= {0, 100} else pace  # per cent by skill
        self.item = -1  # in hand
        self.on_duty = self.on_break = False
        self.leaves = False  # off duty, but the item in hand is being finished
        self.break_due = 0  # length of the break that waits for the item in hand
        self.kept = -1  # an item laid down, to be taken up again by this worker
        self.engaged = False  # one of the last three holds: not free after the item in hand
        self.idle_since = 0
        self.duty_since = self.duty_until = self.overtime_until = 0
        self.busy = self.present = 0  # ticks, without the present item and the present duty


class Pool:
    """Workers able to do the same skills."""

    __slots__ = ("end_of_shift", "idle", "overtime_limit", "plain_queue", "preference", "queues")

    def __init__(self, end_of_shift: int, preference: list[int], overtime_limit: int = -1) -> None:
        self.end_of_shift, self.preference, self.overtime_limit = end_of_shift, preference, overtime_limit
        self.idle: deque[Worker] = deque()  # longest idle first, then lowest number
        self.queues: list[Queue] = []
        self.plain_queue: Queue | None = None


class Queue:
    """The items that wait for one skill, and the pools that have it."""

    __slots__ = (
        "by_work_left", "escalate_after", "escalate_to", "hold_above", "idle", "keep", "limit", "picks",
        "picky", "plain", "pools", "preempts", "score", "simple", "skill", "slope", "special", "timer",
        "waiting",
    )  # fmt: skip

    def __init__(self, skill: int, slope: int, rule: str, after: int, to: int) -> None:
        self.skill, self.slope, self.picks = skill, slope, RULES[rule]
        self.escalate_after, self.escalate_to = after, to
        self.timer: list[int] = []  # [items] drawn instead
        self.waiting: list[Place] = []  # a heap; items that went elsewhere are dropped when they come first
        self.pools: list[Pool] = []
        self.idle: deque[Worker] = deque()  # of the one pool of a plain queue
        self.plain = self.simple = False
        self.special = False  # some mechanism needs the rule of dispatch in full
        self.limit = -1  # places to wait, -1: no limit
        self.preempts = 0  # Preempt
        self.by_work_left = False  # ranked by what is left of the work
        self.hold_above, self.keep = -1, 0  # cases of higher priority numbers are started only while more are idle
        self.score: Callable[[Place], Place] | None = None  # what a place is worth at present, if that changes
        self.picky = False  # some pool does not start what it cannot finish

    def settle(self) -> None:
        """Say whether the queue is plain, once its pools are known."""
        first, *others = self.pools or [Pool(EndOfShift.FINISH, [])]
        self.picky |= any(pool.end_of_shift == EndOfShift.NO_LATE_START for pool in self.pools)
        self.plain = not others and len(first.queues) == 1 and not self.picky and self.picks is longest_idle
        self.plain = self.plain and not self.special
        self.simple = self.plain and self.escalate_after < 0
        if self.plain:
            self.idle, first.plain_queue = first.idle, self

    def places(self, skill: list[int]) -> Iterator[Place]:
        """The places in order, without those whose item went elsewhere; beyond the first only where it matters."""
        while self.waiting and skill[self.waiting[0][2]] != self.skill:
            heappop(self.waiting)
        if self.score:
            worth = [self.score(place) for place in self.waiting if skill[place[2]] == self.skill]
            yield from sorted(worth) if self.picky else worth and [min(worth)]
            return
        yield from self.waiting[:1]
        if self.picky:
            yield from (place for place in sorted(self.waiting)[1:] if skill[place[2]] == self.skill)

    def remove(self, place: Place) -> None:
        """Take a place out of the queue: nearly always the first."""
        if self.score:
            place = next(kept for kept in self.waiting if kept[2] == place[2])
        if self.waiting[0] == place:
            heappop(self.waiting)
        else:
            self.waiting.remove(place)
            heapify(self.waiting)


class Floor:
    """The state of a running service, and questions about it. What happens stands in the classes built on this one."""

    if TYPE_CHECKING:

        def run(self, until: int) -> EventLog: ...
        def processes(self) -> list[Moments]: ...
        def start(self, worker: Worker, item: int, now: int) -> None: ...
        def may_start(self, worker: Worker, item: int, now: int) -> bool: ...
        def complete(self, item: int) -> None: ...
        def complete_at_once(self, item: int) -> None: ...
        def able(self, pools: list[Pool], queue: Queue, item: int, now: int) -> Sequence[Worker]: ...
        def enter(self, queue: Queue, place: Place, now: int) -> None: ...
        def become_free(self, worker: Worker, now: int, queues: Sequence[Queue]) -> None: ...
        def dispatch(self, now: int, queues: Sequence[Queue]) -> None: ...
        def be_idle(self, worker: Worker, now: int) -> None: ...
        def gather(self) -> None: ...
        def reach(self, item: int, now: int) -> None: ...
        def offer(self, item: int, now: int) -> None: ...
        def team(self, queue: Queue, item: int, now: int) -> list[Worker]: ...
        def next_of(self, rest: list[Worker], team: list[Worker], item: int) -> list[Worker]: ...
        def lose_patience(self, case: int) -> None: ...
        def wake(self, case: int, outcome: int, now: int) -> None: ...
        def come_back(self, item: int) -> None: ...
        def move_on(self, item: int, now: int) -> None: ...
        def push(self, item: int) -> None: ...
        def leave_with(self, case: int, now: int) -> None: ...
        def best_match(self, queues: Sequence[Queue], now: int) -> Match | None: ...
        def find_no_place(self, queue: Queue, place: Place, now: int) -> None: ...
        def first_match(self, queue: Queue, now: int) -> Match | None: ...

    def __init__(self, plan: Plan, workload: Workload) -> None:
        self.plan, self.workload = plan, workload
        self.clock = Clock()
        self.agenda = self.clock.agenda
        self._take_in_workload(workload)
        self._take_in_plan(plan)
        self.started, self.completed = (array("q", [-1]) * workload.n_items for _ in range(2))
        self.worker_of = array("i", [-1]) * workload.n_items
        self.abandoned: dict[int, int] = {}  # case → tick
        self.giving_up: dict[int, int] = {}  # case → tick: those that leave when the items in hand then are completed
        self.cut_short: list[int] = []  # the last items of such cases
        self.turned_away: set[int] = set()  # those of both that found no place to wait
        self.work_left: dict[int, int] = {}  # of interrupted items, at a pace of 100 %
        self.resumed_at: dict[int, int] = {}  # when they were last taken up again
        self.stretches: list[tuple[int, int, int, int]] = []  # item, worker, from, to: of interrupted items
        self.escalations: list[tuple[int, int]] = []  # item, at
        self.blocked: list[tuple[int, int]] = []  # item, at: each time that there was no place to wait
        self.tries: dict[int, int] = {}  # of such items
        self.never_offered: list[int] = []  # items whose case had left when they were to be offered
        self.still_to_join: dict[int, int] = {}
        self.careful = "least_utilised" in plan.assignment  # stretches of work have to be noted
        plain = all(pool.plain_queue for pool in self.pools)
        self.straight = plain and not self.hold and not self.joins and not self.answers  # what follows can be offered
        self.completes = self.complete
        self.simultaneous = False  # dispatch waits for the rest of this round of the tick (rule 2)

    def _take_in_workload(self, work: Workload) -> None:
        self.skill, self.work, self.next_item = listed(work.skill), listed(work.work), listed(work.next_item)
        self.hold = listed(work.hold) if work.hold.any() else None
        self.rank = listed(work.rank)
        self.lot = work.lot.tolist()
        self.gate_of = work.gate.tolist() if (work.gate >= 0).any() else None
        bounds, targets = work.fork_first.tolist(), work.fork_target.tolist()
        self.forks = {item: targets[bounds[k] : bounds[k + 1]] for k, item in enumerate(work.fork_item.tolist())}
        self.answers = (work.steps.responds[work.step] == 1).tobytes() if (work.patience >= 0).any() else b""
        joins = np.flatnonzero(work.n_predecessors > 1)
        self.joins = dict(zip(joins.tolist(), work.n_predecessors[joins].tolist(), strict=True))
        some = np.flatnonzero(work.quorum > 0)
        self.quorums = dict(zip(some.tolist(), work.quorum[some].tolist(), strict=True))
        self.joins |= self.quorums
        self.not_awaited: set[int] = set()  # items in hand when the join that they lead to was reached
        self.otherwise: list[int] = []  # items decided by silence, otherwise than somebody would have
        self.withdrawn: dict[int, int] = {}  # item → tick
        several = np.flatnonzero(work.workers > 1)
        several = several[work.skill[several] >= 0]
        self.several = dict(zip(several.tolist(), work.workers[several].tolist(), strict=True))
        self.never_reached: list[int] = []  # of the withdrawn ones, those that their case came to too late

    def _take_in_plan(self, plan: Plan) -> None:
        columns = (self.workload.rank_slope, plan.escalate_after, plan.escalate_to)
        slopes, afters, tos = (column.tolist() for column in columns)
        rows = zip(slopes, plan.assignment, afters, tos, strict=True)
        self.queues = [Queue(skill, *row) for skill, row in enumerate(rows)]
        limits = plan.overtime_limit.tolist() or [-1] * len(plan.pools)
        teams = zip(plan.pool_end_of_shift.tolist(), plan.preference.tolist(), limits, strict=True)
        self.pools = [Pool(*row) for row in teams]
        for pool in self.pools:
            pool.queues = [self.queues[skill] for skill, place in enumerate(pool.preference) if place >= 0]
            for queue in pool.queues:
                queue.pools.append(pool)
        for queue, row in zip(self.queues, self.workload.timer_of.tolist(), strict=False):
            queue.timer = self.workload.timer[row].tolist() if row >= 0 else []
        self.equip(plan)
        for queue in self.queues:
            queue.settle()
        people = zip(plan.worker_pool.tolist(), plan.pace.tolist(), strict=True)
        self.workers = [Worker(number, self.pools[pool], pace) for number, (pool, pace) in enumerate(people)]

        self.staff = {pool: [worker for worker in self.workers if worker.pool is pool] for pool in self.pools}

    def equip(self, plan: Plan) -> None:
        """What the mechanisms built on this need to know of pools and queues, before these settle."""

    # ------------------------------------------------------------------ questions
    def case_of(self, item: int) -> int:
        return int(self.workload.case[item])

    def items_of(self, case: int) -> range:
        return range(*self.workload.first_item[case : case + 2].tolist())

    def is_in_hand(self, item: int) -> bool:
        return self.worker_of[item] >= 0 and self.workers[self.worker_of[item]].item == item

    def is_end(self, item: int) -> bool:
        return self.next_item[item] in (-1, WAKES) and self.completed[item] >= 0

    def is_open(self, pool: Pool, item: int) -> bool:
        """Workers of the pool, which has the skill, may take the item at present."""
        return True

    def comes_into_reach(self, pool: Pool) -> None:
        """The pool may take a waiting item from now on."""

    def places(self, queue: Queue) -> Iterator[Place]:
        """Those that are looked at for something to start, in their order."""
        return queue.places(self.skill)

    def is_barred(self, worker: Worker, item: int) -> bool:
        """The worker may not do the item, because of what they did before."""
        return False

    def is_stopped(self, item: int) -> bool:
        """The item's step needs something that is down."""
        return False

    def time_of(self, worker: Worker, item: int) -> int:
        """Work at a pace of 100 % if this worker takes the item up first."""
        return self.work[item]

    def use(self, worker: Worker, item: int, more: int, now: int) -> None:
        """One more works with what worker and item need, or one less."""

    def taken_up_at(self, item: int) -> int:
        """When the present stretch of work on the item began."""
        return self.resumed_at.get(item, self.started[item])


def listed(column: NDArray[np.integer[Any]]) -> list[int]:
    """The column as a list of its own: reading one entry of a list is quicker."""
    same = len(column) and column[0] == column[-1] and (column == column[0]).all()
    return [int(column[0])] * len(column) if same else column.tolist()


def ticks_at(pace: int, work: int) -> int:
    """Ticks that `work` takes at a pace in per cent, rounded half up."""
    return (200 * work + pace) // (2 * pace)
