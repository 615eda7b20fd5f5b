"""The rules of overflow and delegation a second time: slow, plain, tick by tick."""

from __future__ import annotations

from typing import Any


class Overflow:
    """What the oracle knows of pools that take items of a queue only under a condition."""

    def prepare_overflow(self: Any) -> None:
        self.came_of_age: dict[tuple[int, int], int] = {}  # (item, pool): when it had entered the queue

    def conditions(self: Any, pool: int, skill: int) -> tuple[int, int, bool]:
        """After, waiting, alone; -1, -1, False for a regular pool."""
        of = self.plan.overflow
        if not of.after.size:
            return -1, -1, False
        return int(of.after[pool, skill]), int(of.waiting[pool, skill]), bool(of.alone[pool, skill])

    def is_open(self: Any, pool: int, item: Any) -> bool:
        after, waiting, alone = self.conditions(pool, item.skill)
        if (after, waiting, alone) == (-1, -1, False):
            return True
        if after >= 0 and self.came_of_age.get((item.number, pool)) == item.entered:
            return True
        if waiting >= 0 and sum(o.state == "queued" and o.skill == item.skill for o in self.items) >= waiting:
            return True
        return alone and not any(w.on_duty and self.is_regular(w, item.skill) for w in self.workers)

    def is_regular(self: Any, w: Any, skill: int) -> bool:
        """By the roster: who comes when called does not count."""
        called = len(self.plan.reserves.worker) and self.plan.reserves.worker[w.number]
        has_it = self.plan.preference[w.pool, skill] >= 0
        return bool(has_it and not called and self.conditions(w.pool, skill) == (-1, -1, False))

    def come_of_age(self: Any, t: int) -> None:
        """Items that have waited long enough, one by one in their order, for one pool after the other."""
        for item in self.items:
            for pool in range(len(self.plan.pools)):
                after = self.conditions(pool, item.skill)[0] if item.skill >= 0 else -1
                if after < 0 or item.entered < 0 or item.entered + after != t:
                    continue
                self.came_of_age[item.number, pool] = item.entered
                if item.state == "queued":
                    self.reached_since.append(pool)
                    self.dispatch(t)
