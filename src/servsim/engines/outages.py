"""What happens when a system fails: people and steps that need it stand still (docs/semantics.md, rule 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from servsim.engines.clock import SHIFT_END, SHIFT_START, Moments
from servsim.engines.floor import Queue, Worker
from servsim.engines.presence import Presence
from servsim.records import EventLog, Plan, Workload

STARTS, ENDS = SHIFT_END, SHIFT_START
"""The phases in which outages start and end."""


class Unit:
    """A system, or a worker's own copy of it: up or down, and how much longer it lasts while people work with it."""

    __slots__ = (
        "by_load", "due", "fails", "left", "needed_by", "restart", "since", "stopped", "system", "users", "wear",
    )  # fmt: skip

    def __init__(self, system: int, restart: bool, by_load: bool) -> None:
        self.system, self.restart, self.by_load = system, restart, by_load
        self.stopped = 0  # for so many reasons
        self.since = 0  # down since, or users counted since
        self.needed_by: list[Worker] = []  # who can do nothing without it
        self.wear: Iterator[tuple[int, int]] = iter(())
        self.left = -1  # working time until it fails, -1: it does not
        self.fails = 0  # for how long then
        self.users = 0  # people who work with it
        self.due = -1  # when it fails if nothing changes

    def speed(self) -> int:
        """How fast it wears."""
        return self.users if self.by_load else min(self.users, 1)

    def take_next_wear(self) -> None:
        self.left, self.fails = next(self.wear, (-1, 0))


class Outages(Presence):
    """Systems fail and come back."""

    @staticmethod
    def is_used(plan: Plan, workload: Workload) -> bool:
        return bool(plan.systems.names)

    def __init__(self, plan: Plan, workload: Workload) -> None:
        super().__init__(plan, workload)
        of = plan.systems
        rows = zip(of.unit_system.tolist(), of.unit_worker.tolist(), strict=True)
        self.units = [Unit(s, bool(of.restart[s]), bool(of.by_load[s])) for s, _ in rows]
        self.first_key = 2 * len(self.workers)  # after the workers, and the ends of their overtime
        self.own_units = [of.units_of(worker.id, int(plan.worker_pool[worker.id])) for worker in self.workers]
        for worker in self.workers:
            for number in self.own_units[worker.id]:
                self.units[number].needed_by.append(worker)
        self.stopped_for = [0] * len(self.workers)  # so many units
        wear: dict[int, list[tuple[int, int]]] = {}
        columns = (of.wear_unit, of.wear_up, of.wear_down)
        for number, up, down in zip(*(column.tolist() for column in columns), strict=True):
            wear.setdefault(number, []).append((up, down))
        for number, lives in wear.items():
            self.units[number].wear = iter(lives)
            self.units[number].take_next_wear()
        self.down_times: list[tuple[int, int, int]] = []  # unit, from, to

    def equip(self, plan: Plan) -> None:
        """Queues with items that may have to wait for a system: another one further back may be startable."""
        super().equip(plan)
        self.needs = self._needs_of_items()
        for queue in self.queues if self.needs else ():
            queue.picky = True

    def _needs_of_items(self) -> list[tuple[int, ...]]:
        """[items] the units that the step needs; empty where no step needs any."""
        needs, of = self.workload.steps.needs, self.plan.systems
        if not needs.any():
            return []
        shared = {int(of.unit_system[unit]): int(unit) for unit in np.flatnonzero(of.unit_worker < 0)}
        by_step = [tuple(shared[s] for s, needed in enumerate(row) if needed) for row in needs.tolist()]
        return [by_step[step] for step in self.workload.step.tolist()]

    def processes(self) -> list[Moments]:
        return [*super().processes(), self.outages()]

    def run(self, until: int) -> EventLog:
        log = super().run(until)
        times = np.array(self.down_times, np.int64).reshape(-1, 3)
        end = np.where(times[:, 2] >= 0, times[:, 2], until)
        return replace(log, down_unit=times[:, 0].astype(np.int32), down_from=times[:, 1].copy(), down_to=end)

    # ------------------------------------------------------------------ up and down
    def outages(self) -> Moments:
        """Outages that are known beforehand."""
        of, first = self.plan.systems, self.first_key
        rows = zip(of.outage_unit.tolist(), of.outage_from.tolist(), of.outage_to.tolist(), strict=True)
        changes = [part for u, a, b in rows for part in ((a, STARTS, first + u), (b, ENDS, first + u))]
        for at, phase, key in sorted(changes):
            yield at, phase, key
            if phase == STARTS:
                self.goes_down(self.unit_of(key), at)
            else:
                self.comes_up(key)

    def wears_out(self, key: int) -> None:
        """So much has been worked with the unit: it fails."""
        unit, now = self.units[self.unit_of(key)], self.clock.tick
        if unit.due != now:
            return
        lasts, unit.due, unit.since = unit.fails, -1, now
        unit.take_next_wear()
        self.clock.book(now + lasts, ENDS, key, self.comes_up)
        self.goes_down(self.unit_of(key), now)

    def unit_of(self, key: int) -> int:
        """Keys of outages known beforehand come first, then those of wear; each by unit."""
        return (key - self.first_key) % len(self.units)

    def goes_down(self, number: int, now: int) -> None:
        """Who needs the unit stands still; items of steps that need it are laid down and go back to their queue."""
        unit = self.units[number]
        unit.stopped += 1
        self.gather()
        if unit.stopped > 1:
            return
        self.down_times.append((number, now, -1))
        for worker in unit.needed_by:
            self.stop(worker, unit.restart, now)
        for worker in self.workers if self.needs else ():
            if worker.item >= 0 and number in self.needs[worker.item]:
                self.give_back(worker, unit.restart, now)

    def comes_up(self, key: int) -> None:
        number, now = self.unit_of(key), self.clock.tick
        unit = self.units[number]
        unit.stopped -= 1
        self.gather()
        if unit.stopped:
            return
        last = next(i for i in reversed(range(len(self.down_times))) if self.down_times[i][0] == number)
        self.down_times[last] = (number, self.down_times[last][1], now)
        for worker in unit.needed_by:
            self.stopped_for[worker.id] -= 1
            if worker.on_duty and not worker.on_break:
                self.become_free(worker, now, worker.pool.queues)

    # ------------------------------------------------------------------ people
    def stop(self, worker: Worker, restart: bool, now: int) -> None:
        """The worker can do nothing: the item in hand waits; in overtime it goes back to its queue."""
        self.stopped_for[worker.id] += 1
        if self.stopped_for[worker.id] > 1:
            return
        if worker.item >= 0:
            leaves, worker.leaves = worker.leaves, False
            self.stop_work(worker, restart, now)
            if leaves or worker.kept in self.several:
                self.hand_back(worker, now)
            if worker.break_due:
                lasts, worker.break_due = worker.break_due, 0
                self.begin_break(worker, now, lasts)
        elif worker.on_duty and not worker.on_break:
            worker.pool.idle.remove(worker)

    def give_back(self, worker: Worker, restart: bool, now: int) -> None:
        """The item needs what is down: it goes back to its queue, the worker is free for another one."""
        leaves, worker.leaves = worker.leaves, False
        self.stop_work(worker, restart, now)
        self.hand_back(worker, now)
        worker.engaged = worker.break_due > 0
        if not leaves:
            self.become_free(worker, now, worker.pool.queues)

    def stop_work(self, worker: Worker, restart: bool, now: int) -> None:
        self.lay_down(worker, now)
        if restart:
            self.work_left[worker.kept] = self.work[worker.kept]

    def is_stopped(self, item: int) -> bool:
        """The item's step needs something that is down."""
        return bool(self.needs) and any(self.units[number].stopped for number in self.needs[item])

    # ------------------------------------------------------------------ what is different for those who stand still
    def become_free(self, worker: Worker, now: int, queues: Sequence[Queue]) -> None:
        if not self.stopped_for[worker.id]:
            super().become_free(worker, now, queues)

    def be_engaged(self, worker: Worker, now: int) -> None:
        """What was laid down cannot be taken up again while its step's system is down: it goes back to its queue."""
        waits = worker.kept >= 0 and not worker.leaves and not worker.break_due
        if waits and self.is_stopped(worker.kept):
            self.hand_back(worker, now)
            self.become_free(worker, now, worker.pool.queues)
        else:
            super().be_engaged(worker, now)

    def go_off_duty(self, worker: Worker, now: int) -> None:
        standing_still = bool(self.stopped_for[worker.id]) and not worker.on_break
        worker.on_break = worker.on_break or standing_still  # not among the idle
        super().go_off_duty(worker, now)
        worker.on_break = worker.on_break and not standing_still

    def break_falls_due(self, worker: Worker, now: int, lasts: int, postponed: bool) -> None:
        """Who stands still goes on time."""
        if worker.on_duty and self.stopped_for[worker.id] and not worker.on_break:
            self.begin_break(worker, now, lasts)
        else:
            super().break_falls_due(worker, now, lasts, postponed)

    def may_start(self, worker: Worker, item: int, now: int) -> bool:
        return not self.is_stopped(item) and super().may_start(worker, item, now)

    # ------------------------------------------------------------------ wear
    def start(self, worker: Worker, item: int, now: int) -> None:
        super().start(worker, item, now)
        self.use(worker, item, 1, now)

    def complete(self, item: int) -> None:
        self.use(self.workers[self.worker_of[item]], item, -1, self.clock.tick)
        super().complete(item)

    def lay_down(self, worker: Worker, now: int) -> None:
        self.use(worker, worker.item, -1, now)
        super().lay_down(worker, now)

    def use(self, worker: Worker, item: int, more: int, now: int) -> None:
        """One more works with the units that worker and item need, or one less."""
        needed = [*self.own_units[worker.id], *(self.needs[item] if self.needs else ())]
        for number in dict.fromkeys(needed):
            unit = self.units[number]
            if unit.left < 0:
                continue
            if unit.due != now:
                unit.left -= unit.speed() * (now - unit.since)
            unit.users, unit.since = unit.users + more, now
            if unit.due == now:  # it fails at this tick, whoever stops using it
                continue
            unit.due = -1
            if unit.users:
                unit.due = now - -unit.left // unit.speed()
                key = self.first_key + len(self.units) + number
                self.clock.book(unit.due, STARTS, key, self.wears_out)
