"""The rules of pools in which the idle leave first a second time: slow, plain, tick by tick."""

from __future__ import annotations

from typing import Any

from servsim.records import EndOfShift


class Headcount:
    """What the oracle knows of workers who stand for one another. `duties_of[w]` is whose duties worker w has."""

    def prepare_headcount(self: Any) -> None:
        self.duties_of = list(range(len(self.workers)))
        self.stayed: set[tuple[int, int]] = set()  # (place, tick): somebody was there already
        self.came: dict[int, int] = {}
        self.went: dict[int, int] = {}  # into overtime
        self.duty_log: list[tuple[int, int, int]] = []

    def is_counted(self: Any, w: Any) -> bool:
        called = len(self.plan.reserves.worker) and self.plan.reserves.worker[w.number]
        return bool(len(self.plan.idle_first) and self.plan.idle_first[w.pool] and not called)

    def holding(self: Any, place: int) -> Any:
        return self.workers[self.duties_of.index(place)]

    def mates(self: Any, w: Any) -> list[Any]:
        return [other for other in self.workers if other.pool == w.pool and self.is_counted(other)]

    def exchange(self: Any, stays: Any, other: Any) -> None:
        a, b = stays.number, other.number
        self.duties_of[a], self.duties_of[b] = self.duties_of[b], self.duties_of[a]
        stays.duty_to, other.duty_to = other.duty_to, stays.duty_to
        stays.break_owed = 0

    def who_leaves(self: Any, w: Any, t: int) -> Any:
        """When the duty of worker w ends; None: somebody who would come now need not."""
        if not self.is_counted(w):
            return w
        leaver = w
        if w.hand is not None:
            for place in [self.duties_of[w.number], *(m.number for m in self.mates(w))]:
                ends = self.begins_now(place, t)
                gone = not (self.holding(place).on_duty or self.holding(place).overtime)
                if ends and (place == self.duties_of[w.number] or gone):
                    self.stayed.add((place, t))
                    self.exchange(w, self.holding(place))
                    w.duty_to = ends
                    return None
            leaver = self.least_needed(w, t)
            if leaver is not w:
                self.exchange(w, leaver)
        if self.came[leaver.number] < t:
            self.duty_log.append((leaver.number, self.came[leaver.number], t))
        self.went[leaver.number] = t
        return leaver

    def begins_now(self: Any, place: int, t: int) -> int:
        rows = zip(self.plan.duty_worker, self.plan.duty_from, self.plan.duty_to, strict=True)
        own = [int(to) for w, at, to in rows if w == place and at == t]
        return own[0] if own and (place, t) not in self.stayed else 0

    def least_needed(self: Any, w: Any, t: int) -> Any:
        idle = [m for m in self.mates(w) if m.is_idle and not self.is_stopped(m) and m.duty_to > t]
        if idle:
            return min(idle, key=lambda m: (m.idle_since, m.number))
        if self.plan.pool_end_of_shift[w.pool] in (EndOfShift.FINISH, EndOfShift.NO_LATE_START):
            return w
        return max((m for m in self.mates(w) if m.on_duty and m.hand is not None), key=lambda m: (m.since, m.number))

    def relieve(self: Any, w: Any, t: int) -> None:
        """Who has become idle leaves in the place of one in overtime."""
        late = [m for m in self.mates(w) if m.overtime] if self.is_counted(w) and w.duty_to > t else []
        if not late:
            return
        stays = min(late, key=lambda m: (self.went[m.number], m.number))
        self.exchange(stays, w)
        w.on_duty = False
        w.rostered += t - w.duty_from
        if self.came[w.number] < t:
            self.duty_log.append((w.number, self.came[w.number], t))
        stays.overtime, stays.on_duty, stays.duty_from = False, True, t
        self.came[stays.number] = t

    def duties(self: Any) -> list[tuple[int, int, int]]:
        there = [w for w in self.workers if self.is_counted(w) and w.on_duty]
        return sorted([*self.duty_log, *((w.number, self.came[w.number], w.duty_to) for w in there)])
