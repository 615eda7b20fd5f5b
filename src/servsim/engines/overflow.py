"""Who else may take what waits: pools to which a queue overflows, deputies (docs/semantics.md, rule 15)."""

from __future__ import annotations

from collections.abc import Sequence

from servsim.engines.clock import OVERFLOW
from servsim.engines.floor import Match, Place, Pool, Queue, Worker
from servsim.engines.presence import Presence
from servsim.records import Plan, Workload


class Spill:
    """When a pool may take items of a queue that it serves only under a condition."""

    __slots__ = ("after", "alone", "number", "of_age", "pool", "queue", "ready", "regular", "waiting")

    def __init__(self, number: int, pool: Pool, queue: Queue, after: int, waiting: int, alone: bool) -> None:
        self.number, self.pool, self.queue = number, pool, queue
        self.after, self.waiting, self.alone = after, waiting, alone
        self.of_age: set[int] = set()  # items that have waited long enough since they entered the queue
        self.ready: dict[int, None] = {}  # those of them that wait; some may have gone elsewhere
        self.regular: list[Worker] = []  # of the other pools, without their reserve


class Overflow(Presence):
    """Pools that help out."""

    @staticmethod
    def is_used(plan: Plan, workload: Workload) -> bool:
        return bool(plan.overflow.after.size)

    def __init__(self, plan: Plan, workload: Workload) -> None:
        super().__init__(plan, workload)
        called = plan.reserves.worker
        for spill in self.spills:
            regular = [pool for pool in spill.queue.pools if pool not in self.spills_of[spill.queue.skill]]
            everybody = (worker for pool in regular for worker in self.staff[pool])
            spill.regular = [worker for worker in everybody if not (len(called) and called[worker.id])]

    def equip(self, plan: Plan) -> None:
        """In these queues not everybody may take everything."""
        super().equip(plan)
        of, self.spills = plan.overflow, list[Spill]()
        self.spills_of: list[dict[Pool, Spill]] = [{} for _ in self.queues]  # [skills]
        self.entered_at_last: dict[int, int] = {}  # when each item entered its present queue
        self.waits: set[int] = set()  # items in queues; of those that are gone some
        for p, skill in zip(*of.conditional(len(self.pools), len(self.queues)).nonzero(), strict=True):
            pool, queue = self.pools[p], self.queues[skill]
            conditions = int(of.after[p, skill]), int(of.waiting[p, skill]), bool(of.alone[p, skill])
            self.spills.append(Spill(len(self.spills), pool, queue, *conditions))
            self.spills_of[skill][pool] = self.spills[-1]
            queue.special = queue.picky = True

    # ------------------------------------------------------------------ conditions
    def is_open(self, pool: Pool, item: int) -> bool:
        """Any of the conditions is met."""
        spill = self.spills_of[self.skill[item]].get(pool)
        return spill is None or item in spill.of_age or self.is_open_to_all(spill)

    def is_open_to_all(self, spill: Spill) -> bool:
        """The pool may take whatever is in the queue."""
        if spill.alone and not any(worker.on_duty for worker in spill.regular):
            return True
        number, skill = spill.waiting, spill.queue.skill
        for place in spill.queue.waiting if 0 <= number <= len(spill.queue.waiting) else ():
            number -= self.skill[place[2]] == skill
            if number <= 0:
                return True
        return False

    def may_take_some(self, spill: Spill | None) -> bool:
        """False if the pool can take nothing of the queue at present."""
        if spill is None:
            return True
        while spill.ready and self.skill[next(iter(spill.ready))] != spill.queue.skill:
            del spill.ready[next(iter(spill.ready))]
        return bool(spill.ready) or self.is_open_to_all(spill)

    def enter(self, queue: Queue, place: Place, now: int) -> None:
        item = place[2]
        self.entered_at_last[item] = now
        self.waits.add(item)
        for spill in self.spills_of[queue.skill].values():
            if spill.after >= 0:
                spill.of_age.discard(item)
                spill.ready.pop(item, None)
                key = item * len(self.spills) + spill.number
                self.clock.book(now + spill.after, OVERFLOW, key, self.come_of_age)
        super().enter(queue, place, now)

    def come_of_age(self, key: int) -> None:
        """Unless it has gone elsewhere the item has waited so long that others may take it."""
        item, number = divmod(key, len(self.spills))
        spill, now = self.spills[number], self.clock.tick
        if self.entered_at_last[item] + spill.after != now or self.skill[item] != spill.queue.skill:
            return
        spill.of_age.add(item)
        if item in self.waits:
            spill.ready[item] = None
            self.comes_into_reach(spill.pool)
            self.dispatch(now, (spill.queue,))

    def start(self, worker: Worker, item: int, now: int) -> None:
        self.waits.discard(item)
        for spill in self.spills_of[self.skill[item]].values():
            spill.ready.pop(item, None)
        super().start(worker, item, now)

    def find_no_place(self, queue: Queue, place: Place, now: int) -> None:
        self.waits.discard(place[2])
        super().find_no_place(queue, place, now)

    def put_back(self, item: int) -> None:
        self.waits.add(item)
        for spill in self.spills_of[self.skill[item]].values():
            if item in spill.of_age:
                spill.ready[item] = None
        super().put_back(item)

    # ------------------------------------------------------------------ what is different where it is asked who may
    def first_match(self, queue: Queue, now: int) -> Match | None:
        """A long queue need not be looked through for those who may take nothing of it."""
        spills = self.spills_of[queue.skill]
        if spills and not any(self.may_take_some(spills.get(pool)) for pool in queue.pools if pool.idle):
            return None
        return super().first_match(queue, now)

    def able(self, pools: list[Pool], queue: Queue, item: int, now: int) -> Sequence[Worker]:
        if self.spills_of[queue.skill]:
            pools = [pool for pool in pools if self.is_open(pool, item)]
        return super().able(pools, queue, item, now)

    def may_start(self, worker: Worker, item: int, now: int) -> bool:
        return self.is_open(worker.pool, item) and super().may_start(worker, item, now)
