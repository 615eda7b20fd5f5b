"""The service as a SimPy model: cases arrive, queue, are taken up by workers on duty, move on and leave.

Everything random is in the workload and everything about presence in the plan; here stands only what happens when.
Rule numbers refer to docs/semantics.md.

A queue is *plain* if its one pool serves no other queue and the worker idle longest takes whatever is first. Most are,
and for them a match is one look at the head of a line; all others go through `dispatch`, which has the rule in full.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from servsim.engines.assignment import RULES, longest_idle
from servsim.engines.clock import (
    ARRIVAL,
    BREAK_END,
    BREAK_START,
    COMPLETION,
    DISPATCH,
    ESCALATION,
    PATIENCE,
    SHIFT_END,
    SHIFT_START,
    Clock,
    Moments,
)
from servsim.records import EndOfShift, EventLog, Outcome, Plan, Workload
from servsim.records.arrays import Ticks
from servsim.records.workload import FORK

GONE = -2
"""As the skill of an item: its case gave up."""
AHEAD = -1
"""As the offered tick of a queued item: it was interrupted and goes before others of equal rank."""

Place = tuple[int, int, int]
"""An item's place in a queue, least first: (rank, offered tick, item)."""
Match = tuple[int, Place, int]
"""What may be started, least first: (preference of the worker's pool for the skill, place, number of the worker)."""


def simulate(plan: Plan, workload: Workload, until: int) -> EventLog:
    """The log of what happens to `workload` under `plan` before the tick `until`."""
    return Service(plan, workload).run(until)


class Worker:
    """One person: on duty or not, on a break or not, idle or with an item in hand."""

    __slots__ = (
        "break_due", "busy", "duty_since", "duty_until", "engaged", "id", "idle_since", "item", "kept", "leaves",
        "on_break", "on_duty", "pace", "pool", "present", "queue",
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
        self.duty_since = self.duty_until = 0
        self.busy = self.present = 0  # ticks, without the present item and the present duty


class Pool:
    """Workers able to do the same skills."""

    __slots__ = ("end_of_shift", "idle", "plain_queue", "preference", "queues")

    def __init__(self, end_of_shift: int, preference: list[int]) -> None:
        self.end_of_shift, self.preference = end_of_shift, preference
        self.idle: deque[Worker] = deque()  # longest idle first, then lowest number
        self.queues: list[Queue] = []
        self.plain_queue: Queue | None = None


class Queue:
    """The items that wait for one skill, and the pools that have it."""

    __slots__ = (
        "escalate_after", "escalate_to", "idle", "picks", "picky", "plain", "pools", "simple", "skill", "slope",
        "waiting",
    )  # fmt: skip

    def __init__(self, skill: int, slope: int, rule: str, after: int, to: int) -> None:
        self.skill, self.slope, self.picks = skill, slope, RULES[rule]
        self.escalate_after, self.escalate_to = after, to
        self.waiting: list[Place] = []  # a heap; items that went elsewhere are dropped when they come first
        self.pools: list[Pool] = []
        self.idle: deque[Worker] = deque()  # of the one pool of a plain queue
        self.plain = self.simple = False
        self.picky = False  # some pool does not start what it cannot finish

    def settle(self) -> None:
        """Say whether the queue is plain, once its pools are known."""
        first, *others = self.pools or [Pool(EndOfShift.FINISH, [])]
        self.picky = any(pool.end_of_shift == EndOfShift.NO_LATE_START for pool in self.pools)
        self.plain = not others and len(first.queues) == 1 and not self.picky and self.picks is longest_idle
        self.simple = self.plain and self.escalate_after < 0
        if self.plain:
            self.idle, first.plain_queue = first.idle, self

    def places(self, skill: list[int]) -> Iterator[Place]:
        """The places in order, without those whose item went elsewhere; beyond the first only where it matters."""
        while self.waiting and skill[self.waiting[0][2]] != self.skill:
            heappop(self.waiting)
        yield from self.waiting[:1]
        if self.picky:
            yield from (place for place in sorted(self.waiting)[1:] if skill[place[2]] == self.skill)

    def remove(self, place: Place) -> None:
        """Take a place out of the queue: nearly always the first."""
        if self.waiting[0] == place:
            heappop(self.waiting)
        else:
            self.waiting.remove(place)
            heapify(self.waiting)


class Service:
    """The service organisation at work: one method for each thing that can happen in it."""

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
        self.work_left: dict[int, int] = {}  # of interrupted items, at a pace of 100 %
        self.resumed_at: dict[int, int] = {}  # when they were last taken up again
        self.stretches: list[tuple[int, int, int, int]] = []  # item, worker, from, to: of interrupted items
        self.escalations: list[tuple[int, int]] = []  # item, at
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
        bounds, targets = work.fork_first.tolist(), work.fork_target.tolist()
        self.forks = {item: targets[bounds[k] : bounds[k + 1]] for k, item in enumerate(work.fork_item.tolist())}
        self.answers = (work.steps.responds[work.step] == 1).tobytes() if (work.patience >= 0).any() else b""
        joins = np.flatnonzero(work.n_predecessors > 1)
        self.joins = dict(zip(joins.tolist(), work.n_predecessors[joins].tolist(), strict=True))

    def _take_in_plan(self, plan: Plan) -> None:
        columns = (self.workload.rank_slope, plan.escalate_after, plan.escalate_to)
        slopes, afters, tos = (column.tolist() for column in columns)
        rows = zip(slopes, plan.assignment, afters, tos, strict=True)
        self.queues = [Queue(skill, *row) for skill, row in enumerate(rows)]
        teams = zip(plan.pool_end_of_shift.tolist(), plan.preference.tolist(), strict=True)
        self.pools = [Pool(*row) for row in teams]
        for pool in self.pools:
            pool.queues = [self.queues[skill] for skill, place in enumerate(pool.preference) if place >= 0]
            for queue in pool.queues:
                queue.pools.append(pool)
        for queue in self.queues:
            queue.settle()
        people = zip(plan.worker_pool.tolist(), plan.pace.tolist(), strict=True)
        self.workers = [Worker(number, self.pools[pool], pace) for number, (pool, pace) in enumerate(people)]

    # ------------------------------------------------------------------ the processes
    def run(self, until: int) -> EventLog:
        """Open the doors, let the clock run, write the log."""
        for process in (self.arrivals, self.shifts, self.breaks):
            self.clock.process(process())
        self.clock.run(until)
        return self.log(until)

    def arrivals(self) -> Moments:
        """Cases come in, one by one."""
        work = self.workload
        patience = work.patience.tolist() if (work.patience >= 0).any() else None
        for case, (at, item) in enumerate(zip(work.arrived_at.tolist(), work.first_item.tolist(), strict=False)):
            yield at, ARRIVAL, item
            if patience and patience[case] >= 0:
                self.clock.book(at + patience[case], PATIENCE, case, self.lose_patience)
            if self.hold:
                self.reach(item, at)
            else:
                self.offer(item, at)

    def shifts(self) -> Moments:
        """Workers come on duty and go off duty."""
        plan = self.plan
        begins = zip(plan.duty_from.tolist(), plan.duty_worker.tolist(), plan.duty_to.tolist(), strict=True)
        changes = [(at, SHIFT_START, worker, to) for at, worker, to in begins]
        changes += [(to, SHIFT_END, worker, to) for _, _, worker, to in changes]
        for at, phase, number, to in sorted(changes):
            yield at, phase, number
            self.gather()
            if phase == SHIFT_START:
                self.come_on_duty(self.workers[number], at, to)
            else:
                self.go_off_duty(self.workers[number], at)

    def breaks(self) -> Moments:
        """Breaks fall due; the end of each is booked when it begins."""
        plan = self.plan
        columns = (plan.break_at, plan.break_worker, plan.break_lasts, plan.break_postponed)
        for at, number, lasts, postponed in sorted(zip(*(column.tolist() for column in columns), strict=True)):
            yield at, BREAK_START, number
            self.gather()
            self.break_falls_due(self.workers[number], at, lasts, bool(postponed))

    # ------------------------------------------------------------------ a case moves on
    def reach(self, item: int, now: int) -> None:
        """The case has reached the step; the push to the queue may take a while (rule 6)."""
        if self.hold and self.hold[item]:
            self.clock.book(now + self.hold[item], ARRIVAL, item, self.push)
        else:
            self.offer(item, now)

    def push(self, item: int) -> None:
        """The dispatch delay is over."""
        if self.skill[item] != GONE:
            self.offer(item, self.clock.tick)

    def offer(self, item: int, now: int) -> None:
        """The item joins the queue of its skill, or is taken up at once; one that needs nobody runs by itself."""
        skill = self.skill[item]
        if skill < 0:
            self.run_by_itself(item, now)
            return
        queue = self.queues[skill]
        if queue.slope:
            self.rank[item] += queue.slope * now
        if queue.plain and queue.idle and not self.simultaneous:
            self.start(queue.idle.popleft(), item, now)
            return
        place = (self.rank[item], now, item)
        if queue.simple:
            heappush(queue.waiting, place)
        else:
            self.enter(queue, place, now)

    def enter(self, queue: Queue, place: Place, now: int) -> None:
        heappush(queue.waiting, place)
        if queue.escalate_after >= 0:
            self.clock.book(now + queue.escalate_after, ESCALATION, place[2], self.escalate)
        self.dispatch(now, (queue,))

    def run_by_itself(self, item: int, now: int) -> None:
        self.started[item] = now
        if self.work[item]:
            self.clock.book(now + self.work[item], ARRIVAL, item, self.come_back)
        else:
            self.completed[item] = now
            self.move_on(item, now)

    def come_back(self, item: int) -> None:
        """A delay is over."""
        if self.skill[item] != GONE:
            self.completed[item] = self.clock.tick
            self.move_on(item, self.clock.tick)

    def move_on(self, item: int, now: int) -> None:
        """What follows a completed item: the next one, several at once, or nothing more."""
        following = self.next_item[item]
        if self.giving_up and self.case_of(item) in self.giving_up:
            self.cut_short.append(item)
            if all(self.completed[i] >= 0 or self.skill[i] == GONE for i in self.items_of(self.case_of(item))):
                self.abandoned[self.case_of(item)] = now
        elif following >= 0:
            self.come_to(following, now)
        elif following == FORK:
            self.fork(item, now)

    def fork(self, item: int, now: int) -> None:
        """All branches begin, then one dispatch for all of them."""
        waits, self.simultaneous = self.simultaneous, True
        for branch in self.forks[item]:
            self.come_to(branch, now)
        self.simultaneous = waits
        self.dispatch(now, self.queues)

    def come_to(self, item: int, now: int) -> None:
        """One of those that lead to the item is completed; it is reached with the last of them."""
        if item in self.joins:
            self.still_to_join[item] = self.still_to_join.get(item, self.joins[item]) - 1
            if self.still_to_join[item]:
                return
        self.reach(item, now)

    def case_of(self, item: int) -> int:
        return int(self.workload.case[item])

    # ------------------------------------------------------------------ work meets worker
    def start(self, worker: Worker, item: int, now: int) -> None:
        """The worker takes the item up, for the first time or again."""
        work = self.work[item]
        if self.careful and item in self.work_left:
            work = self.work_left[item]
            self.resumed_at[item] = now
        else:
            self.started[item] = now
        self.worker_of[item] = worker.id
        worker.item = item
        if worker.pace:
            work = ticks_at(worker.pace[self.skill[item]], work)
        if work:
            heappush(self.agenda, (now + work, COMPLETION, item, self.completes))
        else:
            self.clock.book_in_next_round(COMPLETION, item, self.complete_at_once)

    def complete_at_once(self, item: int) -> None:
        """Work of zero length, in a round of its own: somebody may have become idle at this tick already."""
        self.gather()
        self.complete(item)

    def complete(self, item: int) -> None:
        """The item in hand is done: the case moves on, the worker looks for the next one."""
        now, worker = self.clock.tick, self.workers[self.worker_of[item]]
        self.completed[item] = now
        if self.careful:
            self.account(worker, now)
        worker.item = -1
        if self.agenda[0][0] == now and self.clock.more_before(DISPATCH):
            self.gather()
        following = self.next_item[item]
        if following >= 0 and self.straight:
            self.offer(following, now)
        elif following != -1 or self.giving_up:
            waits, self.simultaneous = self.simultaneous, self.simultaneous or worker.queue is None
            self.move_on(item, now)  # who completed it is idle when what follows is dispatched
            self.simultaneous = waits
        if worker.engaged or worker.queue is None or self.simultaneous:
            self.become_free(worker, now, self.queues if following != -1 else worker.pool.queues)
        else:
            self.take_next(worker, worker.queue, now)

    def take_next(self, worker: Worker, queue: Queue, now: int) -> None:
        """From a plain queue: its first item, or stand at the end of the line of idle workers."""
        waiting = queue.waiting
        while waiting:
            item = heappop(waiting)[2]
            if self.skill[item] == queue.skill:
                self.start(worker, item, now)
                return
        worker.idle_since = now
        queue.idle.append(worker)

    def become_free(self, worker: Worker, now: int, queues: Sequence[Queue]) -> None:
        """After a completion, a start of shift, the end of a break: what is due first, else stand in line."""
        if worker.engaged:
            self.be_engaged(worker, now)
        else:
            self.be_idle(worker, now)
        self.dispatch(now, queues)

    def be_idle(self, worker: Worker, now: int) -> None:
        """Stand at the end of the line of the idle; those idle since the same tick stand in the order of the roster."""
        worker.idle_since = now
        idle = worker.pool.idle
        place = len(idle)
        while place and idle[place - 1].idle_since == now and idle[place - 1].id > worker.id:
            place -= 1
        idle.insert(place, worker)

    def gather(self) -> None:
        """Completions and changes of presence of one round all happen before anything is dispatched (rule 2)."""
        if not self.simultaneous:
            self.simultaneous = True
            self.clock.book(self.clock.tick, DISPATCH, 0, self.end_of_round)

    def end_of_round(self, _: int) -> None:
        self.simultaneous = False
        self.dispatch(self.clock.tick, self.queues)

    # ------------------------------------------------------------------ the rule of dispatch in full
    def dispatch(self, now: int, queues: Sequence[Queue]) -> None:
        """While some waiting item has an eligible idle worker, the least meets the worker who is named (rule 3).

        `queues` are those in which a match may have become possible by what happened last.
        """
        while not self.simultaneous:
            best: Match | None = None
            for queue in queues:
                if queue.waiting and (match := self.first_match(queue, now)) and (best is None or match < best):
                    best = match
            if best is None:
                return
            _, place, number = best
            worker, item = self.workers[number], place[2]
            self.queues[self.skill[item]].remove(place)
            worker.pool.idle.remove(worker)
            self.start(worker, item, now)

    def first_match(self, queue: Queue, now: int) -> Match | None:
        """The queue's first item that has an eligible idle worker, with the worker who gets it (rules 3, 4)."""
        pools = [pool for pool in queue.pools if pool.idle]
        for place in queue.places(self.skill) if pools else ():
            able = self.able(pools, queue, place[2], now)
            if able:
                worker = queue.picks(able, queue.skill, self.lot[place[2]] if self.lot else 0, now)
                return worker.pool.preference[queue.skill], place, worker.id
        return None

    def able(self, pools: list[Pool], queue: Queue, item: int, now: int) -> Sequence[Worker]:
        """Who may start the item, longest idle first, from the pools that prefer it most."""
        if len(pools) == 1 and not queue.picky:
            return pools[0].idle
        able = [worker for pool in pools for worker in pool.idle]
        if queue.picky:
            able = [worker for worker in able if self.may_start(worker, item, now)]
        first = min((worker.pool.preference[queue.skill] for worker in able), default=0)
        able = [worker for worker in able if worker.pool.preference[queue.skill] == first]
        able.sort(key=attrgetter("idle_since", "id"))
        return able

    def may_start(self, worker: Worker, item: int, now: int) -> bool:
        """False where the pool does not start what cannot be finished before the shift ends (rule 5)."""
        if worker.pool.end_of_shift != EndOfShift.NO_LATE_START:
            return True
        work = self.work_left.get(item, self.work[item])
        pace = worker.pace[self.skill[item]] if worker.pace else 100
        return now + ticks_at(pace, work) <= worker.duty_until

    # ------------------------------------------------------------------ presence
    def come_on_duty(self, worker: Worker, now: int, to: int) -> None:
        worker.on_duty, worker.duty_since, worker.duty_until = True, now, to
        if worker.leaves:  # still at the last item of the shift before
            worker.leaves, worker.engaged = False, False
        elif not worker.on_break:
            self.become_free(worker, now, worker.pool.queues)

    def go_off_duty(self, worker: Worker, now: int) -> None:
        """The shift ends; what becomes of the item in hand is the pool's rule (rule 5)."""
        worker.on_duty, worker.break_due, worker.engaged = False, 0, worker.kept >= 0
        worker.present += now - worker.duty_since
        rule = worker.pool.end_of_shift
        finishes = rule in (EndOfShift.FINISH, EndOfShift.NO_LATE_START)
        if worker.item >= 0 and finishes:
            worker.leaves = worker.engaged = True
        elif worker.item >= 0:
            self.lay_down(worker, now)
        elif not worker.on_break:
            worker.pool.idle.remove(worker)
        if worker.kept >= 0 and rule != EndOfShift.SUSPEND_KEEP:
            self.hand_back(worker, now)

    def break_falls_due(self, worker: Worker, now: int, lasts: int, postponed: bool) -> None:
        """An idle worker goes; one with an item in hand goes after it, or lays it down (rule 5)."""
        if not worker.on_duty:
            return
        if worker.on_break or (worker.item >= 0 and postponed):
            worker.break_due += lasts
            worker.engaged = True
            return
        if worker.item >= 0:
            self.lay_down(worker, now)
        else:
            worker.pool.idle.remove(worker)
        self.begin_break(worker, now, lasts)

    def begin_break(self, worker: Worker, now: int, lasts: int) -> None:
        worker.on_break = True
        self.clock.book(now + lasts, BREAK_END, worker.id, self.end_break)

    def end_break(self, number: int) -> None:
        worker = self.workers[number]
        worker.on_break = False
        self.gather()
        if worker.on_duty:
            self.become_free(worker, self.clock.tick, worker.pool.queues)

    def be_engaged(self, worker: Worker, now: int) -> None:
        """Leave, or take the break that is due, or take up again what was laid down."""
        lasts, item = worker.break_due, worker.kept
        if worker.leaves:
            worker.leaves = worker.engaged = False
        elif lasts:
            worker.break_due, worker.engaged = 0, item >= 0
            self.begin_break(worker, now, lasts)
        else:
            worker.kept, worker.engaged = -1, False
            if self.skill[item] != GONE:
                self.start(worker, item, now)
            else:
                self.become_free(worker, now, worker.pool.queues)

    # ------------------------------------------------------------------ interruptions
    def lay_down(self, worker: Worker, now: int) -> None:
        """The item in hand stays with the worker, its work left is kept."""
        item, self.careful = worker.item, True
        self.clock.cancel(item, self.completes)
        pace = worker.pace[self.skill[item]] if worker.pace else 100
        done = ((now - self.taken_up_at(item)) * pace + 50) // 100
        self.work_left[item] = max(0, self.work_left.get(item, self.work[item]) - done)
        self.account(worker, now)
        worker.item, worker.kept, worker.engaged = -1, item, True

    def hand_back(self, worker: Worker, now: int) -> None:
        """What was laid down goes back to its queue, before others of equal rank (rule 3)."""
        item, worker.kept, worker.engaged = worker.kept, -1, False
        if self.skill[item] != GONE:
            queue = self.queues[self.skill[item]]
            heappush(queue.waiting, (self.rank[item], AHEAD, item))
            self.dispatch(now, (queue,))

    def account(self, worker: Worker, now: int) -> None:
        """Note the stretch of work that ends now, where it does not follow from start and completion."""
        since = self.taken_up_at(worker.item)
        worker.busy += now - since
        if worker.item in self.work_left:
            self.stretches.append((worker.item, worker.id, since, now))

    def taken_up_at(self, item: int) -> int:
        """When the present stretch of work on the item began."""
        return self.resumed_at.get(item, self.started[item])

    # ------------------------------------------------------------------ time-outs
    def lose_patience(self, case: int) -> None:
        """The case leaves unless it has been answered; from a worker's hands when the item is completed (rule 7)."""
        items = self.items_of(case)
        if any(self.started[item] >= 0 if self.answers[item] else self.is_end(item) for item in items):
            return
        in_hand = [item for item in items if self.is_in_hand(item)]
        if in_hand:
            self.giving_up[case] = self.clock.tick
        else:
            self.abandoned[case] = self.clock.tick
        for item in items:
            if self.completed[item] < 0 and item not in in_hand:
                self.skill[item] = GONE

    def items_of(self, case: int) -> range:
        return range(*self.workload.first_item[case : case + 2].tolist())

    def is_in_hand(self, item: int) -> bool:
        return self.worker_of[item] >= 0 and self.workers[self.worker_of[item]].item == item

    def is_end(self, item: int) -> bool:
        return self.next_item[item] == -1 and self.completed[item] >= 0

    def escalate(self, item: int) -> None:
        """Waited too long here: the item goes to another queue, with its place by rank and offered tick (rule 7)."""
        if self.started[item] >= 0 or self.skill[item] == GONE:
            return
        queue, now = self.queues[self.skill[item]], self.clock.tick
        place = next(place for place in queue.waiting if place[2] == item)
        queue.remove(place)
        self.escalations.append((item, now))
        self.skill[item] = queue.escalate_to
        self.enter(self.queues[queue.escalate_to], place, now)

    # ------------------------------------------------------------------ the log
    def log(self, until: int) -> EventLog:
        """The facts, with what follows from them: when each item was enabled and offered, when each case left."""
        for worker in self.workers:
            if worker.item in self.work_left:
                self.stretches.append((worker.item, worker.id, self.taken_up_at(worker.item), until))
        work = self.workload
        completed = np.frombuffer(self.completed, np.int64)
        enabled = enabled_at(work, completed, self.cut_short, until)
        left_at, outcome = np.full(work.n_cases, -1), np.zeros(work.n_cases, np.int8)
        last = np.flatnonzero((work.leaves > 0) & (completed >= 0))
        last = np.setdiff1d(last, self.cut_short, assume_unique=True) if self.cut_short else last
        left_at[work.case[last]], outcome[work.case[last]] = completed[last], work.leaves[last]
        gone = list(self.abandoned)
        left_at[gone], outcome[gone] = list(self.abandoned.values()), Outcome.ABANDONED
        offered = np.where(enabled >= 0, enabled + work.hold, -1)
        limit = np.where(left_at >= 0, left_at, until - 1)
        limit[list(self.giving_up)] = list(self.giving_up.values())
        stretches = np.array(sorted(self.stretches, key=lambda s: (s[2], s[0])), np.int64).reshape(-1, 4)
        escalations = np.array(self.escalations, np.int64).reshape(-1, 2)
        return EventLog(
            enabled_at=enabled,
            offered_at=np.where(offered <= limit[work.case], offered, -1),
            started_at=np.frombuffer(self.started, np.int64),
            completed_at=completed,
            worker=np.frombuffer(self.worker_of, np.int32),
            stretch_item=stretches[:, 0].astype(np.int32),
            stretch_worker=stretches[:, 1].astype(np.int32),
            stretch_from=stretches[:, 2].copy(),
            stretch_to=stretches[:, 3].copy(),
            escalated_item=escalations[:, 0].astype(np.int32),
            escalated_at=escalations[:, 1].copy(),
            left_at=left_at,
            outcome=outcome,
        )


def enabled_at(work: Workload, completed: Ticks, cut_short: list[int], until: int) -> Ticks:
    """[items] when the last predecessor was completed, or the case arrived; -1 where that did not happen."""
    done = completed.copy()
    done[cut_short] = -1
    enabled = np.full(work.n_items, -1)
    enabled[work.first_item[:-1]] = np.where(work.arrived_at < until, work.arrived_at, -1)
    chained = np.flatnonzero(work.next_item >= 0)
    after, before = work.next_item[chained], done[chained]
    if len(work.fork_item):
        after = np.concatenate([after, work.fork_target])
        before = np.concatenate([before, np.repeat(done[work.fork_item], np.diff(work.fork_first))])
    enabled[after] = before
    joined = work.n_predecessors[after] > 1
    if joined.any():
        after, before = after[joined], before[joined]
        enabled[after] = -1
        np.maximum.at(enabled, after, before)
        enabled[after[before < 0]] = -1
    return enabled


def listed(column: NDArray[np.integer[Any]]) -> list[int]:
    """The column as a list of its own: reading one entry of a list is quicker."""
    same = len(column) and column[0] == column[-1] and (column == column[0]).all()
    return [int(column[0])] * len(column) if same else column.tolist()


def ticks_at(pace: int, work: int) -> int:
    """Ticks that `work` takes at a pace in per cent, rounded half up."""
    return (200 * work + pace) // (2 * pace)
