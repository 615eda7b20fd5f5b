"""Who leaves when a headcount falls, where the workers of a pool stand for one another (docs/semantics.md, rule 5).

The duties of such a pool are those of places. Each worker holds one place at a time; two who change places change all
duties and breaks that are still to come.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from servsim.engines.floor import Worker
from servsim.engines.presence import Presence
from servsim.records import EndOfShift, EventLog, Plan, Workload

FINISHES = (EndOfShift.FINISH, EndOfShift.NO_LATE_START)


class Headcount(Presence):
    """Pools in which the idle leave first."""

    @staticmethod
    def is_used(plan: Plan, workload: Workload) -> bool:
        return bool(plan.idle_first.any())

    def __init__(self, plan: Plan, workload: Workload) -> None:
        super().__init__(plan, workload)
        counted = np.isin(plan.worker_pool, np.flatnonzero(plan.idle_first))
        counted[np.flatnonzero(plan.reserves.worker)] = False
        self.holder = {w.id: w for w in self.workers if counted[w.id]}  # by place
        self.place_of = {w.id: w.id for w in self.holder.values()}  # by worker
        self.crew = {id(pool): [w for w in self.staff[pool] if w.id in self.holder] for pool in self.pools}
        rows = zip(plan.duty_from.tolist(), plan.duty_worker.tolist(), plan.duty_to.tolist(), strict=True)
        self.begins = {(at, place): to for at, place, to in rows if place in self.holder}  # end of the duty
        self.there_since: dict[int, int] = {}  # of who is on duty: when they came, or took over a duty
        self.over_since: dict[int, int] = {}  # of who is finishing: when their duty ended
        self.worked: list[tuple[int, int, int]] = []  # worker, from, to: duties as worked

    def equip(self, plan: Plan) -> None:
        """Whoever becomes free may have to leave: these queues need the rule of dispatch in full."""
        super().equip(plan)
        for pool in np.flatnonzero(plan.idle_first).tolist():
            for queue in self.pools[pool].queues:
                queue.special = True

    def run(self, until: int) -> EventLog:
        log = super().run(until)
        still = [(w.id, self.there_since[w.id], w.duty_until) for w in self.holder.values() if w.on_duty]
        rows = np.array(sorted([*self.worked, *still]), np.int64).reshape(-1, 3)
        return replace(log, duty_worker=rows[:, 0].astype(np.int32), duty_from=rows[:, 1], duty_to=rows[:, 2])

    # ------------------------------------------------------------------ duties of places
    def come_on_duty(self, worker: Worker, now: int, to: int) -> None:
        """`worker` stands for the place: who holds it comes, unless somebody has stayed for this duty."""
        if worker.id not in self.holder:
            super().come_on_duty(worker, now, to)
        elif self.begins.pop((now, worker.id), None) is not None:
            holder = self.holder[worker.id]
            self.there_since[holder.id] = now
            super().come_on_duty(holder, now, to)

    def break_falls_due(self, worker: Worker, now: int, lasts: int, postponed: bool) -> None:
        super().break_falls_due(self.holder.get(worker.id, worker), now, lasts, postponed)

    def go_off_duty(self, worker: Worker, now: int) -> None:
        """`worker` stands for the place: its holder leaves, or somebody else of the pool does."""
        if worker.id not in self.holder:
            super().go_off_duty(worker, now)
            return
        holder = self.holder[worker.id]
        if holder.item < 0:
            self.leave(holder, now)
        elif not self.stay_for_next(holder, now):
            other = self.surplus(holder, now)
            if other is not holder:
                self.change_places(holder, other)
            self.leave(other, now)

    def stay_for_next(self, worker: Worker, now: int) -> bool:
        """True if a duty of the pool begins now whose place's holder is not there: the worker stays for that."""
        own = self.place_of[worker.id]
        holders = ((w.id, self.holder[w.id]) for w in self.crew[id(worker.pool)])
        absent = (place for place, holder in holders if not (holder.on_duty or holder.leaves))
        place = next((place for place in (own, *absent) if (now, place) in self.begins), -1)
        if place < 0:
            return False
        if place != own:
            self.change_places(worker, self.holder[place])
        worker.duty_until = self.begins.pop((now, place))
        worker.break_due, worker.engaged = 0, False
        return True

    def surplus(self, worker: Worker, now: int) -> Worker:
        """Who leaves when the duty of one with an item in hand ends: who has been idle longest; else, where nobody
        finishes, who took up the item in hand last; else the worker."""
        idle = [other for other in worker.pool.idle if other.id in self.place_of and other.duty_until > now]
        if idle:
            return idle[0]
        if worker.pool.end_of_shift in FINISHES:
            return worker
        busy = [other for other in self.crew[id(worker.pool)] if other.on_duty and other.item >= 0]
        return max(busy, key=lambda other: (self.taken_up_at(other.item), other.id))

    def change_places(self, one: Worker, other: Worker) -> None:
        """From now on each has the duties of the other. Breaks that were put off lapse."""
        places = self.place_of[other.id], self.place_of[one.id]
        self.place_of[one.id], self.place_of[other.id] = places
        self.holder[places[0]], self.holder[places[1]] = one, other
        one.duty_until, other.duty_until = other.duty_until, one.duty_until
        one.break_due, one.engaged = 0, False

    def leave(self, worker: Worker, now: int) -> None:
        if now > self.there_since[worker.id]:
            self.worked.append((worker.id, self.there_since[worker.id], now))
        super().go_off_duty(worker, now)
        self.over_since[worker.id] = now

    def be_idle(self, worker: Worker, now: int) -> None:
        """Whoever becomes idle while somebody of the pool is finishing leaves in their place."""
        super().be_idle(worker, now)
        if worker.id not in self.place_of or worker.duty_until <= now:
            return
        finishing = [other for other in self.crew[id(worker.pool)] if other.leaves]
        if finishing:
            first = min(finishing, key=lambda other: (self.over_since[other.id], other.id))
            self.change_places(first, worker)
            self.leave(worker, now)
            first.on_duty, first.leaves, first.duty_since, self.there_since[first.id] = True, False, now, now
