"""Several items in one person's hands at once, each slower (docs/semantics.md, rule 4).

The plan has a place for each item that a person can have in hand; each is a worker. What is left of an item is counted
in whole units so small that every speed is a whole number of them per tick: nothing is lost by rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from heapq import heappush

from servsim.engines.clock import COMPLETION
from servsim.engines.floor import Pool, Queue, Worker
from servsim.engines.presence import Presence
from servsim.records import Plan, Workload

FULL = 100_000
"""The speed that is not slowed down, in thousandths of per cent."""


class Person:
    """The places of one person, and when it was last counted what they had done."""

    __slots__ = ("busy", "counted_at", "places", "shares", "unit")

    def __init__(self, places: list[Worker], paces: list[int]) -> None:
        self.places, n_places = places, len(places)
        self.busy: list[Worker] = []  # the places with an item in hand
        self.counted_at = 0
        numbers = range(1, n_places + 1)
        even = 1 if paces else math.lcm(*numbers)
        self.shares = paces or [FULL * even // n for n in numbers]  # speed of each with so many in hand
        self.unit = 100 * FULL * even  # units of work in a tick: thousandths of per cent of a pace in per cent


class Sharing(Presence):
    """People who have several items in hand."""

    @staticmethod
    def is_used(plan: Plan, workload: Workload) -> bool:
        return bool(len(plan.worker_person))

    def __init__(self, plan: Plan, workload: Workload) -> None:
        super().__init__(plan, workload)
        places: dict[int, list[Worker]] = {}
        for worker, person in zip(self.workers, plan.worker_person.tolist(), strict=False):
            places.setdefault(person, []).append(worker)
        paces = plan.at_once_pace.tolist()
        self.person_of: dict[int, Person] = {}
        for first, own in places.items():
            if len(own) > 1:
                person = Person(own, [pace for pace in paces[plan.worker_pool[first]] if pace])
                self.person_of.update((place.id, person) for place in own)
        self.units_left: dict[int, int] = {}
        self.ends: dict[int, int] = {}

    def equip(self, plan: Plan) -> None:
        """Who has fewest in hand comes first: these queues need the rule of dispatch in full."""
        super().equip(plan)
        persons = plan.worker_person.tolist()
        for pool, person, number in zip(plan.worker_pool.tolist(), persons, range(len(persons)), strict=False):
            for queue in self.pools[pool].queues if person != number else ():
                queue.special = True

    # ------------------------------------------------------------------ progress
    def speed(self, person: Person, worker: Worker, number: int) -> int:
        """Units per tick of the item in hand while the person has so many."""
        return person.shares[number - 1] * (worker.pace[self.skill[worker.item]] if worker.pace else 100)

    def count(self, person: Person, now: int) -> None:
        """What has been done since it was last counted."""
        busy, passed = person.busy, now - person.counted_at
        person.counted_at = now
        for worker in busy if passed else ():
            self.units_left[worker.item] -= passed * self.speed(person, worker, len(busy))

    def foresee(self, person: Person, now: int) -> None:
        """Book anew when each item in hand will be completed; what is due now stays due."""
        for worker in person.busy:
            item, speed = worker.item, self.speed(person, worker, len(person.busy))
            if self.ends.get(item) == now:
                continue
            self.clock.cancel(COMPLETION, item)
            self.ends[item] = now + (2 * max(0, self.units_left[item]) + speed) // (2 * speed)
            if self.ends[item] > now:
                heappush(self.agenda, (self.ends[item], COMPLETION, item, self.completes))
            else:
                self.clock.book_in_next_round(COMPLETION, item, self.complete_at_once)

    # ------------------------------------------------------------------ what is different for those who share
    def start(self, worker: Worker, item: int, now: int) -> None:
        person = self.person_of.get(worker.id)
        if person is None:
            super().start(worker, item, now)
            return
        self.count(person, now)
        super().start(worker, item, now)
        again = self.resumed_at.get(item) == now
        self.units_left[item] = person.unit * (self.work_left[item] if again else self.work[item])
        self.ends.pop(item, None)
        person.busy.append(worker)
        self.foresee(person, now)

    def complete(self, item: int) -> None:
        worker, now = self.workers[self.worker_of[item]], self.clock.tick
        person = self.person_of.get(worker.id)
        if person is not None:
            self.count(person, now)
            person.busy.remove(worker)
            self.foresee(person, now)
        super().complete(item)

    def lay_down(self, worker: Worker, now: int) -> None:
        super().lay_down(worker, now)
        person = self.person_of.get(worker.id)
        if person is not None:
            person.busy.remove(worker)
            self.foresee(person, now)

    def left_of(self, worker: Worker, now: int) -> int:
        person = self.person_of.get(worker.id)
        if person is None:
            return super().left_of(worker, now)
        self.count(person, now)
        return (2 * max(0, self.units_left[worker.item]) + person.unit) // (2 * person.unit)

    def able(self, pools: list[Pool], queue: Queue, item: int, now: int) -> Sequence[Worker]:
        """Only the places of those who have fewest in hand."""
        person_of, fewest, found = self.person_of, len(self.workers), list[Worker]()
        for worker in super().able(pools, queue, item, now):
            number = len(person_of[worker.id].busy) if worker.id in person_of else 0
            if number < fewest:
                fewest, found = number, [worker]
            elif number == fewest:
                found.append(worker)
        return sorted(found, key=self.idle_since) if len(found) > 1 else found

    def idle_since(self, worker: Worker) -> tuple[int, int]:
        """Since when the person has been idle, in so far as they are; then the order of the roster."""
        person = self.person_of.get(worker.id)
        return max(place.idle_since for place in person.places) if person else worker.idle_since, worker.id
