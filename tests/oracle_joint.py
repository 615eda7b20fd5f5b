"""The rules of several workers at once on one item a second time: slow, plain, tick by tick."""

from __future__ import annotations

from typing import Any

from servsim.records import EndOfShift


class Joint:
    """What the oracle knows of items that need several workers."""

    def prepare_joint(self: Any) -> None:
        for item in self.items if len(self.work.workers) else ():
            item.needs = max(1, int(self.work.workers[item.number]))
        self.helped: list[tuple[int, int, int, int]] = []

    def with_hand_on(self: Any, item: Any) -> list[Any]:
        """In the order in which they become free: first those who then go home."""
        team = [w for w in self.workers if w.hand is item]
        return sorted(team, key=lambda w: (not w.overtime, w.number))

    def release(self: Any, team: list[Any], t: int) -> None:
        for w in team:
            if w.overtime:
                w.overtime = False
            else:
                self.become_free(w, t)

    # ------------------------------------------------------------------ who waits for whom
    def see_who_waits(self: Any, t: int) -> None:
        """The items for which too few are idle who do not wait for something else that comes first."""
        self.binding: list[Any] = []
        while True:
            more = [item for item in self.items if item not in self.binding and self.binds(item, t)]
            if not more:
                return
            self.binding += more

    def binds(self: Any, item: Any, t: int) -> bool:
        if item.needs == 1 or item.state != "queued" or self.is_backfilled(item) or self.is_blocked(item):
            return False
        if self.is_held_back(item) and self.could(item) < self.plan.keep_idle[item.skill] + item.needs:
            return False
        there = [w for w in self.eligible(item) if self.is_there(w) and not self.is_barred(w, item)]
        return sum(not self.waits_for_other(w, item) for w in there) < item.needs

    def is_backfilled(self: Any, item: Any) -> bool:
        return bool(len(self.plan.backfilling) and self.plan.backfilling[item.skill])

    def eligible(self: Any, item: Any) -> list[Any]:
        return [w for w in self.workers if self.plan.preference[w.pool, item.skill] >= 0 and self.is_open(w.pool, item)]

    def is_there(self: Any, w: Any) -> bool:
        return bool(w.is_idle and not self.is_stopped(w))

    def waits_for_other(self: Any, w: Any, item: Any) -> bool:
        """Somebody waits for something that comes before this item for them."""

        def key(one: Any) -> tuple[int, Any]:
            return int(self.plan.preference[w.pool, one.skill]), one.place

        held_for = (one for one in self.binding if w in self.eligible(one) and not self.is_barred(w, one))
        return any(key(first) < key(item) for first in held_for)

    # ------------------------------------------------------------------ who does it
    def team(self: Any, item: Any, t: int) -> list[Any]:
        """Those who would start it, in the order in which they are chosen; empty if it cannot be started."""
        able = [w for w in self.eligible(item) if self.is_there(w) and self.fits(w, item, t)]
        while len(able) >= item.needs:
            rest, team = list(able), []
            while rest and len(team) < item.needs:
                likely = self.next_of(rest, team, item)
                best = min(self.plan.preference[w.pool, item.skill] for w in likely)
                most = [w for w in likely if self.plan.preference[w.pool, item.skill] == best]
                team.append(self.named(most, item, t))
                rest = [w for w in rest if w not in team and self.in_time([*team, w], item, t)]
            if len(team) == item.needs:
                return [] if self.lacks_owner(team, item) else team
            able.remove(team[0])
        return []

    def in_time(self: Any, team: list[Any], item: Any, t: int) -> bool:
        """Nobody of them would have to stay longer than they would begin it for."""
        lasts = max(self.service(w, item) for w in team)
        strict = [w for w in team if self.plan.pool_end_of_shift[w.pool] == EndOfShift.NO_LATE_START]
        return all(t + lasts <= w.duty_to for w in strict)

    def take_up_together(self: Any, team: list[Any], item: Any, t: int) -> None:
        slowest = max(team, key=lambda w: self.service(w, item))
        self.take_up(slowest, item, t)
        for w in team:
            w.hand, w.since = item, t
