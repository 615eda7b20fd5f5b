"""Who finds no place to wait: turned away, or tries again later (docs/semantics.md, rule 14)."""

from __future__ import annotations

from servsim.engines.clock import ARRIVAL
from servsim.engines.floor import GONE, Floor, Place, Queue
from servsim.records import Plan


class WaitingPlaces(Floor):
    """Queues with so many places and no more."""

    since: dict[int, int]  # when items that collect points were offered (Preemption)

    def equip(self, plan: Plan) -> None:
        super().equip(plan)
        for skill, places in enumerate(plan.waiting_places.tolist()):
            self.queues[skill].limit = places
        for queue in self.queues if (plan.waiting_places >= 0).any() else ():
            queue.special = True  # a case that is turned away leaves every queue: all completions come first
        self.newcomers: list[Place] = []  # offered, and not yet looked at whether there is a place for them

    def look_for_places(self, now: int) -> bool:
        """After dispatch: newcomers that still wait keep a place in the order of their numbers, if there is one; True
        if there was none for some."""
        before = len(self.blocked)
        newcomers, self.newcomers = sorted(self.newcomers, key=lambda place: place[2]), []
        for k, place in enumerate(newcomers):
            if not self.is_waiting(place):
                continue
            queue, open_yet = self.queues[self.skill[place[2]]], newcomers[k:]
            waiting = (kept for kept in queue.waiting if self.skill[kept[2]] == queue.skill)
            if sum(kept not in open_yet for kept in waiting) >= queue.limit:
                queue.remove(place)
                self.find_no_place(queue, place, now)
        return len(self.blocked) > before

    def is_waiting(self, place: Place) -> bool:
        skill = self.skill[place[2]]
        return skill != GONE and place in self.queues[skill].waiting

    def find_no_place(self, queue: Queue, place: Place, now: int) -> None:
        """The case tries again after a while, or leaves."""
        item, redial = place[2], self.workload.redial
        case, k = self.case_of(item), self.tries.get(item, 0)
        self.blocked.append((item, now))
        lag = int(redial[case, k % redial.shape[1]]) if redial.size else -1
        if lag >= 0:
            self.tries[item] = k + 1
            self.rank[item] -= queue.slope * place[1]
            self.since.pop(item, None)
            self.clock.book(now + lag, ARRIVAL, item, self.push)
            return
        self.turned_away.add(case)
        self.leave_with(case, now)
