"""Who may do it because of who did something before: the same person, or another one (docs/semantics.md, rule 17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from servsim.engines.clock import ESCALATION
from servsim.engines.floor import Floor, Pool, Queue, Worker
from servsim.records import EventLog, Plan, Workload


class Owners(Floor):
    """Items that are for one person, or for everybody but some."""

    @staticmethod
    def is_used(plan: Plan, workload: Workload) -> bool:
        return bool(workload.owners)

    def __init__(self, plan: Plan, workload: Workload) -> None:
        super().__init__(plan, workload)
        self.person_at = plan.person_of().tolist()
        self.places_of: dict[int, list[Worker]] = {}
        for worker, person in zip(self.workers, self.person_at, strict=True):
            self.places_of.setdefault(person, []).append(worker)
        self.owner: dict[int, int] = {}  # item → person, from when it is offered
        self.others: dict[int, set[int]] = {}  # item → who may not do it
        self.kept_until: dict[int, int] = {}  # items that nobody but the owner may start yet; -1: for ever
        self.makers: dict[int, set[int]] = {}  # item that several did → who completed it
        self.owned: list[tuple[int, int, int]] = []  # item, at, person
        self.barred: list[tuple[int, int, int]] = []

    def equip(self, plan: Plan) -> None:
        """What the first may not start, another one further back may."""
        super().equip(plan)
        of = self.workload.owners
        self.ruled = ((of.item >= 0) | (of.of_case >= 0) | (of.not_by >= 0).any(axis=0)).tobytes()
        self.same_as, self.of_case, self.kept = of.item.tolist(), of.of_case.tolist(), of.kept.tolist()
        self.not_by = of.not_by.tolist()
        self.own_skill = self.workload.skill.tolist()
        for queue in self.queues:
            queue.special = queue.picky = True

    def run(self, until: int) -> EventLog:
        log, columns = super().run(until), dict[str, NDArray[np.int64]]()
        for name, rows, last in (("owned", self.owned, "by"), ("barred", self.barred, "who")):
            item, at, who = np.array(rows, np.int64).reshape(-1, 3).T
            columns |= {f"{name}_item": item, f"{name}_at": at, f"{name}_{last}": who}
        return replace(log, **{name: column.astype(getattr(log, name).dtype) for name, column in columns.items()})

    # ------------------------------------------------------------------ who it is for
    def offer(self, item: int, now: int) -> None:
        if self.ruled[item] and self.skill[item] >= 0:
            self.see_who_did_what(item, now)
        super().offer(item, now)

    def see_who_did_what(self, item: int, now: int) -> None:
        """Whose the item is, and who may not do it, is settled when it is offered."""
        self.others[item] = set[int]().union(*(self.all_who_did(row[item]) for row in self.not_by))
        self.barred += [(item, now, person) for person in sorted(self.others[item])]
        case = self.of_case[item]
        owner = self.first_who_answered(case) if case >= 0 else self.who_did(self.same_as[item])
        self.owner.pop(item, None)
        self.kept_until.pop(item, None)
        if owner < 0 or owner in self.others[item] or not self.is_able(owner, item):
            return
        self.owner[item] = owner
        self.owned.append((item, now, owner))
        kept = self.kept[item]
        if kept:
            self.kept_until[item] = now + kept if kept > 0 else -1
        if kept > 0:  # before all escalations of that tick
            self.clock.book(now + kept, ESCALATION, item - len(self.skill), self.keep_no_longer)

    def who_did(self, item: int) -> int:
        """The person who completed the item, -1: nobody."""
        done = item >= 0 and self.completed[item] >= 0 and self.worker_of[item] >= 0
        return self.person_at[self.worker_of[item]] if done else -1

    def all_who_did(self, item: int) -> set[int]:
        """Everybody who had a hand on the item when it was completed."""
        maker = self.who_did(item)
        return set() if maker < 0 else self.makers.get(item, {maker})

    def complete(self, item: int) -> None:
        if item in self.several:
            self.makers[item] = {self.person_at[worker.id] for worker in self.workers if worker.item == item}
        super().complete(item)

    def first_who_answered(self, case: int) -> int:
        """The person who has, or worked on last, the item with which the case was answered by somebody; -1: nobody."""
        work = self.workload
        answers = (item for item in self.items_of(case) if work.steps.responds[work.step[item]])
        begun = [(self.started[item], item) for item in answers if self.started[item] >= 0 <= self.worker_of[item]]
        return self.person_at[self.worker_of[min(begun)[1]]] if begun else -1

    def is_able(self, person: int, item: int) -> bool:
        return self.places_of[person][0].pool.preference[self.skill[item]] >= 0

    def keep_no_longer(self, key: int) -> None:
        """The item has waited long enough for its owner: anybody may start it."""
        item, now = key + len(self.skill), self.clock.tick
        if self.kept_until.get(item) == now:
            del self.kept_until[item]
            if self.skill[item] >= 0:
                self.dispatch(now, (self.queues[self.skill[item]],))

    # ------------------------------------------------------------------ who may start it
    def able(self, pools: list[Pool], queue: Queue, item: int, now: int) -> Sequence[Worker]:
        """Nobody, as long as the one for whom it is kept is not idle."""
        if item in self.kept_until and (owner := self.owner_here(item)) >= 0 and not self.is_idle(owner):
            return ()
        return super().able(pools, queue, item, now)

    def is_idle(self, owner: int) -> bool:
        return any(place.item < 0 and place in place.pool.idle for place in self.places_of[owner])

    def is_barred(self, worker: Worker, item: int) -> bool:
        return bool(self.ruled[item]) and self.person_at[worker.id] in self.others[item]

    def may_start(self, worker: Worker, item: int, now: int) -> bool:
        allowed = not self.ruled[item] or self.is_for(worker, item, now)
        return allowed and super().may_start(worker, item, now)

    def is_for(self, worker: Worker, item: int, now: int) -> bool:
        """Not one of those who may not; the owner, or anybody where it is not kept and the owner cannot start it."""
        person, owner = self.person_at[worker.id], self.owner_here(item)
        if self.is_barred(worker, item):
            return False
        if owner in (-1, person):
            return True
        if item in self.several:
            return item not in self.kept_until or self.can_start(owner, item, now)
        return item not in self.kept_until and not self.can_start(owner, item, now)

    def owner_here(self, item: int) -> int:
        """Whose the item is, -1: nobody's; what was escalated is anybody's."""
        return self.owner.get(item, -1) if self.skill[item] == self.own_skill[item] else -1

    def can_start(self, owner: int, item: int, now: int) -> bool:
        places = (place for place in self.places_of[owner] if place in place.pool.idle)
        return any(super(Owners, self).may_start(place, item, now) for place in places)

    # ------------------------------------------------------------------ with others
    def team(self, queue: Queue, item: int, now: int) -> list[Worker]:
        """Nobody begins what is kept for somebody without them."""
        team = super().team(queue, item, now)
        persons = {self.person_at[worker.id] for worker in team}
        return team if item not in self.kept_until or self.owner_here(item) in {-1, *persons} else []

    def next_of(self, rest: list[Worker], team: list[Worker], item: int) -> list[Worker]:
        """The owner, if they can, is the first of those who do it together."""
        owner = self.owner_here(item)
        mine = [worker for worker in rest if not team and self.person_at[worker.id] == owner]
        return mine[:1] or super().next_of(rest, team, item)
