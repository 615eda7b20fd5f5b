"""The rules of systems that fail a second time: slow, plain, tick by tick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oracle import Item, Worker

    from servsim.records import Plan, Workload


class Outages:
    """What the oracle knows of systems."""

    plan: Plan
    work: Workload
    workers: list[Worker]

    def prepare_outages(self) -> None:
        of = self.plan.systems
        self.units = list(zip(of.unit_system.tolist(), of.unit_worker.tolist(), strict=True))
        self.known = list(zip(of.outage_unit.tolist(), of.outage_from.tolist(), of.outage_to.tolist(), strict=True))
        rows = list(zip(of.wear_unit.tolist(), of.wear_up.tolist(), of.wear_down.tolist(), strict=True))
        self.lives = [[[up, down] for unit, up, down in rows if unit == u] for u in range(len(self.units))]
        self.reasons = [0] * len(self.units)  # for which a unit is down
        self.back_at: list[tuple[int, int]] = []  # (unit, tick) of those that wore out
        self.down_log: list[list[int]] = []

    def pass_a_tick(self) -> None:
        """What is worked with during the tick wears."""
        for u, (system, _) in enumerate(self.units):
            users = sum(w.hand is not None and self.uses(w, w.hand, u) for w in self.workers)
            if self.lives[u]:
                self.lives[u][0][0] -= users if self.plan.systems.by_load[system] else min(1, users)

    def uses(self, w: Worker, item: Item, unit: int) -> bool:
        return self.is_needed_by(w, unit) or self.item_needs(item, unit)

    def is_needed_by(self, w: Worker, unit: int) -> bool:
        system, owner = self.units[unit]
        return bool(self.plan.systems.pool_needs[w.pool, system]) and owner in (-1, w.number)

    def item_needs(self, item: Item, unit: int) -> bool:
        system, owner = self.units[unit]
        needs = self.work.steps.needs
        return owner == -1 and needs.size > 0 and bool(needs[self.work.step[item.number], system])

    def is_blocked(self, item: Item) -> bool:
        return any(self.reasons[u] and self.item_needs(item, u) for u in range(len(self.units)))

    def is_stopped(self, w: Worker) -> bool:
        return any(self.reasons[u] and self.is_needed_by(w, u) for u in range(len(self.units)))

    def outages_start(self: Any, t: int) -> None:
        failing = [u for u, begin, _ in self.known if begin == t]
        for u in range(len(self.units)):
            if self.lives[u] and self.lives[u][0][0] <= 0:
                failing.append(u)
                self.back_at.append((u, t + self.lives[u].pop(0)[1]))
        for u in failing:
            before = {w.number for w in self.workers if self.is_stopped(w)}
            self.reasons[u] += 1
            if self.reasons[u] > 1:
                continue
            self.down_log.append([u, t, -1])
            restart = bool(self.plan.systems.restart[self.units[u][0]])
            for w in self.workers:
                if self.is_needed_by(w, u) and w.number not in before:
                    self.stand_still(w, restart, t)
            for w in self.workers:
                if w.hand is not None and self.item_needs(w.hand, u):
                    self.give_back(w, restart, t)

    def stand_still(self: Any, w: Worker, restart: bool, t: int) -> None:
        if w.hand is None and w.on_duty and w.break_ends < 0 and w.break_owed:
            w.break_ends, w.break_owed = t + w.break_owed, 0  # others have laid down what all had in hand
        if w.hand is None:
            return
        leaves, w.overtime = w.overtime, False
        self.drop(w, restart, t)
        if leaves or w.kept.needs > 1:
            self.put_back(w)
        if w.break_owed:
            w.break_ends, w.break_owed = t + w.break_owed, 0

    def give_back(self: Any, w: Worker, restart: bool, t: int) -> None:
        leaves, w.overtime = w.overtime, False
        self.drop(w, restart, t)
        self.put_back(w)
        if not leaves:
            self.become_free(w, t)

    def drop(self: Any, w: Worker, restart: bool, t: int) -> None:
        self.lay_down(w, t)
        if restart:
            w.kept.left = w.kept.full

    def outages_end(self: Any, t: int) -> None:
        ending = [u for u, _, end in self.known if end == t] + [u for u, end in self.back_at if end == t]
        for u in ending:
            before = {w.number for w in self.workers if self.is_stopped(w)}
            self.reasons[u] -= 1
            if self.reasons[u]:
                continue
            next(row for row in self.down_log if row[0] == u and row[2] < 0)[2] = t
            for w in self.workers:
                if w.number in before and not self.is_stopped(w) and w.on_duty and w.break_ends < 0:
                    self.become_free(w, t)
