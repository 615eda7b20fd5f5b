"""The rules of whose work it is a second time: slow, plain, tick by tick."""

from __future__ import annotations

from typing import Any


class Owners:
    """What the oracle knows of the same person and of another one."""

    def prepare_owners(self: Any) -> None:
        self.owned: list[tuple[int, int, int]] = []
        self.barred: list[tuple[int, int, int]] = []

    def first_place(self: Any, number: int) -> int:
        persons = self.plan.worker_person
        return int(persons[number]) if len(persons) else number

    def doer(self: Any, number: int) -> int:
        """Who completed the item, -1: nobody."""
        done = number >= 0 and self.items[number].completed >= 0 and self.items[number].worker >= 0
        return self.first_place(self.items[number].worker) if done else -1

    def crew(self: Any, number: int) -> set[int]:
        """All who had a hand on it to the end."""
        return set(self.items[number].crew) if self.doer(number) >= 0 else set()

    def answerer(self: Any, case: int) -> int:
        begun = [item for item in self.of_case(case) if item.answers and item.worker >= 0]
        first = min(begun, key=lambda item: (item.started, item.number), default=None)
        return -1 if first is None else self.first_place(first.worker)

    def settle_owner(self: Any, item: Any, t: int) -> None:
        """As the item is offered."""
        of = self.work.owners
        if not of or item.skill < 0:
            return
        item.owner, item.kept_until = -1, -1
        item.not_by = set().union(*(self.crew(int(row[item.number])) for row in of.not_by))
        self.barred += [(item.number, t, who) for who in sorted(item.not_by)]
        if of.item[item.number] >= 0:
            item.owner = self.doer(int(of.item[item.number]))
        elif of.of_case[item.number] >= 0:
            item.owner = self.answerer(int(of.of_case[item.number]))
        lacks = item.owner >= 0 and self.plan.preference[self.workers[item.owner].pool, item.skill] < 0
        if lacks or item.owner in item.not_by:
            item.owner = -1
        if item.owner >= 0:
            self.owned.append((item.number, t, item.owner))
            kept = int(of.kept[item.number])
            item.kept_until = 2**62 if kept < 0 else t + kept if kept else -1

    def no_longer_kept(self: Any, t: int) -> None:
        for item in self.items:
            if item.kept_until == t:
                item.kept_until = -1
                self.dispatch(t)

    def is_barred(self: Any, w: Any, item: Any) -> bool:
        return self.first_place(w.number) in item.not_by

    def is_for(self: Any, w: Any, item: Any, t: int) -> bool:
        """The worker may start the item as far as it matters who did what."""
        person = self.first_place(w.number)
        if self.is_barred(w, item):
            return False
        own_queue = item.skill == self.work.skill[item.number]
        if item.owner < 0 or person == item.owner or not own_queue:
            return True
        places = [o for o in self.workers if self.first_place(o.number) == item.owner]
        can = any(o.is_idle and not self.is_stopped(o) and self.fits(o, item, t) for o in places)
        if item.needs > 1:
            return can or item.kept_until < 0
        return not can and item.kept_until < 0

    def next_of(self: Any, rest: list[Any], team: list[Any], item: Any) -> list[Any]:
        """Whom the item is for is the first of those who do it together."""
        own_queue = item.skill == self.work.skill[item.number]
        mine = [w for w in rest if own_queue and not team and self.first_place(w.number) == item.owner]
        return sorted(mine, key=lambda w: (w.idle_since, w.number))[:1] or rest

    def lacks_owner(self: Any, team: list[Any], item: Any) -> bool:
        own_queue = item.skill == self.work.skill[item.number]
        kept = own_queue and item.owner >= 0 and item.kept_until >= 0
        return kept and all(self.first_place(w.number) != item.owner for w in team)
