"""The rules of the reserve a second time: slow, plain, tick by tick."""

from __future__ import annotations

from typing import Any


class Reserve:
    """What the oracle knows of workers who are called in."""

    def prepare_reserve(self: Any) -> None:
        of = self.plan.reserves
        self.crews = {
            p: [w for w in self.workers if w.pool == p and len(of.worker) and of.worker[w.number]]
            for p in range(len(self.plan.pools))
        }
        self.arrives: dict[int, int] = {}  # worker: tick
        self.there: dict[int, int] = {}  # worker: since
        self.presences: list[tuple[int, int, int]] = []
        self.entered_since: list[int] = []  # skills
        self.reached_since: list[int] = []  # pools that may take a waiting item now that they could not before

    def called_by(self: Any, skill: int) -> list[int]:
        return [p for p, crew in self.crews.items() if crew and self.plan.preference[p, skill] >= 0]

    def number_waiting(self: Any, pool: int) -> int:
        waits = [item for item in self.items if item.state == "queued" and self.plan.preference[pool, item.skill] >= 0]
        return sum(self.is_open(pool, item) for item in waits)

    def call(self: Any, pool: int, t: int) -> None:
        free = [w for w in self.crews[pool] if w.number not in self.arrives and w.number not in self.there]
        at = t + int(self.plan.reserves.delay[pool])
        if free and self.is_called_to(pool, at):
            self.arrives[free[0].number] = at

    def is_called_to(self: Any, pool: int, t: int) -> bool:
        of = self.plan.reserves
        mine = [i for i in range(len(of.hours_pool)) if of.hours_pool[i] == pool]
        return not mine or any(of.hours_from[i] <= t < of.hours_to[i] for i in mine)

    def look(self: Any, t: int) -> None:
        pools = [pool for skill in self.entered_since for pool in self.called_by(skill)]
        for pool in pools + [pool for pool in self.reached_since if self.crews[pool]]:
            mark = int(self.plan.reserves.call_waiting[pool])
            coming = sum(w.number in self.arrives for w in self.crews[pool])
            if mark >= 0 and self.number_waiting(pool) >= mark + coming:
                self.call(pool, t)
        self.entered_since, self.reached_since = [], []

    def long_waits(self: Any, t: int) -> None:
        for pool, crew in self.crews.items():
            for item in self.items if crew else ():
                mark = int(self.plan.reserves.call_oldest[pool])
                mine = item.skill >= 0 and self.plan.preference[pool, item.skill] >= 0
                if mark >= 0 and mine and item.state == "queued" and item.started < 0 and item.entered + mark == t:
                    self.call(pool, t)

    def reserve_arrives(self: Any, t: int) -> None:
        for number in sorted(w for w, at in self.arrives.items() if at == t):
            del self.arrives[number]
            w = self.workers[number]
            w.on_duty, w.duty_from, w.duty_to = True, t, 2**62
            self.there[number] = t
            self.become_free(w, t)

    def send_home(self: Any, t: int) -> None:
        for number, since in list(self.there.items()):
            w = self.workers[number]
            over = t >= since + self.plan.reserves.stay[w.pool]
            few = self.number_waiting(w.pool) <= self.plan.reserves.release[w.pool]
            late = not self.is_called_to(w.pool, t)
            if w.is_idle and not self.is_stopped(w) and ((over and few) or late):
                w.on_duty = False
                w.rostered += t - since
                del self.there[number]
                self.presences.append((number, since, t))

    def stays(self: Any, until: int) -> list[tuple[int, int, int]]:
        return [*self.presences, *((number, self.there[number], until) for number in sorted(self.there))]
