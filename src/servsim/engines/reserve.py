"""Who is called in when work piles up, and let go when it is done (docs/semantics.md, rule 5)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from servsim.engines.clock import ESCALATION, SHIFT_END, SHIFT_START
from servsim.engines.floor import Place, Pool, Queue, Worker
from servsim.engines.presence import Presence
from servsim.records import EventLog, Plan, Workload

NEVER = 2**62


class Crew:
    """The reserve of a pool."""

    __slots__ = ("at_home", "call_oldest", "call_waiting", "delay", "hours", "on_the_way", "pool", "release", "stay")

    def __init__(self, pool: Pool, call_waiting: int, call_oldest: int, delay: int, stay: int, release: int) -> None:
        self.pool = pool
        self.hours: list[tuple[int, int]] = []  # none: at any hour
        self.call_waiting, self.call_oldest, self.delay = call_waiting, call_oldest, delay
        self.stay, self.release = stay, release
        self.at_home: list[Worker] = []
        self.on_the_way = 0

    def closes(self, at: int) -> int:
        """The end of the hours that a tick lies in; −1 outside of them."""
        place = bisect_right(self.hours, (at, NEVER)) - 1
        end = self.hours[place][1] if place >= 0 else -1
        return NEVER if not self.hours else end if at < end else -1


class Reserve(Presence):
    """Workers who are called in by pressure on the queues of their pool."""

    @staticmethod
    def is_used(plan: Plan, workload: Workload) -> bool:
        return bool(plan.reserves.worker.any())

    def __init__(self, plan: Plan, workload: Workload) -> None:
        super().__init__(plan, workload)
        of = plan.reserves
        self.crews: list[Crew] = []
        marks = zip(
            *(c.tolist() for c in (of.call_waiting, of.call_oldest, of.delay, of.stay, of.release)), strict=True
        )
        for pool, row in zip(self.pools, marks, strict=False):
            crew = Crew(pool, *row)
            mine = of.hours_pool == self.pools.index(pool)
            crew.hours = list(zip(of.hours_from[mine].tolist(), of.hours_to[mine].tolist(), strict=True))
            crew.at_home = [worker for worker in self.staff[pool] if of.worker[worker.id]]
            self.crews += [crew] if crew.at_home else []
        self.pressed = [[crew for crew in self.crews if crew.pool in queue.pools] for queue in self.queues]
        self.crew_of = {worker.id: crew for crew in self.crews for worker in crew.at_home}
        self.reserve_key = 2 * (len(self.workers) + len(plan.systems.unit_system))  # after everybody and every system
        self.present: dict[int, tuple[Worker, int]] = {}  # who is there, since when
        self.closes: dict[int, int] = {}  # by worker: the end of the hours in which the present stay began
        self.booked: set[tuple[int, int]] = set()  # (tick, key) of ends that are known
        self.presences: list[tuple[int, int, int]] = []  # worker, from, to
        self.entered: list[Crew] = []  # of whose queues items have entered one since the last dispatch
        self.entered_at: dict[int, int] = {}  # when each item entered its present queue
        self.watched_from: dict[int, int] = {}  # by crew and item: since when the wait is watched

    def equip(self, plan: Plan) -> None:
        """Somebody may be called whenever an item enters one of these queues."""
        super().equip(plan)
        for pool in np.unique(plan.worker_pool[np.flatnonzero(plan.reserves.worker)]).tolist():
            for queue in self.pools[pool].queues:
                queue.special = True

    def run(self, until: int) -> EventLog:
        log = super().run(until)
        still = [(number, since, until) for number, (_, since) in sorted(self.present.items())]
        rows = np.array([*self.presences, *still], np.int64).reshape(-1, 3)
        return replace(log, reserve_worker=rows[:, 0].astype(np.int32), reserve_from=rows[:, 1], reserve_to=rows[:, 2])

    # ------------------------------------------------------------------ pressure
    def enter(self, queue: Queue, place: Place, now: int) -> None:
        for crew in self.pressed[queue.skill]:
            if crew.call_oldest >= 0:
                self.entered_at[place[2]] = now
                key = len(self.skill) * (1 + self.crews.index(crew)) + place[2]
                if self.watched_from.get(key) != now:  # not yet in another of their queues, at this tick
                    self.watched_from[key] = now
                    self.clock.book(now + crew.call_oldest, ESCALATION, key, self.waits_long)
        self.entered += self.pressed[queue.skill]
        super().enter(queue, place, now)

    def comes_into_reach(self, pool: Pool) -> None:
        self.entered += [crew for crew in self.crews if crew.pool is pool]

    def waits_long(self, key: int) -> None:
        """An item that has waited so long in its queue, not started, calls one."""
        number, item = divmod(key, len(self.skill))
        crew, now = self.crews[number - 1], self.clock.tick
        if self.started[item] >= 0 or self.entered_at[item] + crew.call_oldest != now:
            return
        mine = (queue for queue in crew.pool.queues if queue.skill == self.skill[item])
        if any(place[2] == item for queue in mine for place in queue.waiting):
            self.call(crew, now)

    def dispatch(self, now: int, queues: Sequence[Queue]) -> None:
        """Who is not needed any more leaves before and after it; what still waits then may call somebody."""
        if self.simultaneous:
            return
        self.let_go(now)
        super().dispatch(now, queues)
        self.let_go(now)
        entered, self.entered = self.entered, []
        for crew in entered:
            if crew.call_waiting >= 0 and self.waits_at_least(crew.pool, crew.call_waiting + crew.on_the_way):
                self.call(crew, now)

    def waits_at_least(self, pool: Pool, number: int) -> bool:
        """So many items that the pool may take wait in its queues."""
        if number <= 0:
            return True
        for queue in pool.queues:
            for place in queue.waiting:
                number -= self.skill[place[2]] == queue.skill and self.is_open(pool, place[2])
                if not number:
                    return True
        return False

    # ------------------------------------------------------------------ coming and going
    def call(self, crew: Crew, now: int) -> None:
        """The first in the order of the roster sets out, if anybody is left and would arrive within their hours."""
        if crew.at_home and crew.closes(now + crew.delay) >= 0:
            worker = crew.at_home.pop(0)
            crew.on_the_way += 1
            if crew.delay:
                self.clock.book(now + crew.delay, SHIFT_START, self.reserve_key + worker.id, self.arrive)
            else:
                self.clock.book_in_next_round(SHIFT_START, self.reserve_key + worker.id, self.arrive)

    def arrive(self, key: int) -> None:
        worker, now = self.workers[key - self.reserve_key], self.clock.tick
        crew = self.crew_of[worker.id]
        crew.on_the_way -= 1
        self.present[worker.id] = (worker, now)
        self.closes[worker.id] = crew.closes(now)
        for end in (now + crew.stay, self.closes[worker.id]):
            if now < end < NEVER and (end, key) not in self.booked:
                self.booked.add((end, key))
                self.clock.book(end, SHIFT_END, key, self.stay_is_over)
        self.gather()
        self.come_on_duty(worker, now, NEVER)

    def stay_is_over(self, _: int) -> None:
        """Whether the worker is let go is seen at the dispatch of this tick."""
        self.gather()

    def let_go(self, now: int) -> None:
        """Who is idle leaves after the hours, or who has stayed long enough and is not needed."""
        for worker, since in list(self.present.values()):
            crew, late = self.crew_of[worker.id], now >= self.closes[worker.id]
            if worker.item >= 0 or (now < since + crew.stay and not late) or worker not in crew.pool.idle:
                continue
            if late or not self.waits_at_least(crew.pool, crew.release + 1):
                crew.pool.idle.remove(worker)
                worker.on_duty = False
                worker.present += now - since
                del self.present[worker.id]
                self.presences.append((worker.id, since, now))
                crew.at_home = sorted([*crew.at_home, worker], key=lambda w: w.id)

    def come_back(self, item: int) -> None:
        """What is not needed any more may have been withdrawn."""
        super().come_back(item)
        if not self.simultaneous:
            self.let_go(self.clock.tick)

    def push(self, item: int) -> None:
        super().push(item)
        if not self.simultaneous:
            self.let_go(self.clock.tick)

    def leave_with(self, case: int, now: int) -> None:
        """Who gives up may leave nothing to do."""
        super().leave_with(case, now)
        if not self.simultaneous:
            self.let_go(now)
