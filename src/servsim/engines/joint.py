"""Several workers at once on one item: who waits for whom, who begins and ends together (semantics.md, rule 16)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from operator import attrgetter

import numpy as np

from servsim.engines.floor import Match, Place, Pool, Queue, Worker, ticks_at
from servsim.engines.preemption import Interruption, Preemption
from servsim.records import EndOfShift, EventLog, Plan, Workload


class Joint(Preemption):
    """Items that need several workers, and the idle who wait for enough of them."""

    @staticmethod
    def is_used(plan: Plan, workload: Workload) -> bool:
        return bool((workload.workers > 1).any())

    def __init__(self, plan: Plan, workload: Workload) -> None:
        super().__init__(plan, workload)
        self.teams: dict[int, list[Worker]] = {}  # who would start an item, in the order in which they are chosen
        self.together: dict[int, list[Worker]] = {}  # who helps with an item in hand
        self.helped: list[tuple[int, int, int, int]] = []  # item, worker, from, to
        self.binding: list[tuple[Queue, Place]] = []  # items for which the idle wait
        self.looked_at: Place = (0, 0, -1)
        self.most = max(self.several.values(), default=1)
        overtaking = set(self.of_several).difference(self.strict)
        self.walks = [q.picky or bool(q.score) or q in overtaking for q in self.queues]  # is the first not enough
        for queue in self.bound:
            queue.picky = True

    def equip(self, plan: Plan) -> None:
        """Where several may be needed, and where somebody may have to wait for that."""
        super().equip(plan)
        backfilling = plan.backfilling.tolist() or [0] * len(self.queues)
        self.of_several = [self.queues[skill] for skill in sorted(self._skills_of_several())]
        self.strict = [queue for queue in self.of_several if not backfilling[queue.skill]]
        self.bound = list(dict.fromkeys(q for queue in self.of_several for pool in queue.pools for q in pool.queues))
        for queue in self.bound:
            queue.special = True

    def _skills_of_several(self) -> set[int]:
        """The queues in which such items may come to wait."""
        silent, found = self.workload.silences, set[int]()
        moved = {int(silent.to[self.workload.step[item]]) for item in self.several} if silent else set[int]()
        ahead = {self.skill[item] for item in self.several} | moved - {-1}
        while ahead:
            found |= ahead
            ahead = {self.queues[skill].escalate_to for skill in ahead} - found - {-1}
        return found

    def run(self, until: int) -> EventLog:
        """The log, with all who helped."""
        log = super().run(until)
        still = [
            (item, helper.id, self.taken_up_at(item), until)
            for item, helpers in self.together.items()
            for helper in helpers
        ]
        rows = np.array(sorted([*self.helped, *still], key=lambda r: (r[2], r[0], r[1])), np.int64).reshape(-1, 4)
        item, worker = rows[:, 0].astype(np.int32), rows[:, 1].astype(np.int32)
        return replace(
            log, helper_item=item, helper_worker=worker, helper_from=rows[:, 2].copy(), helper_to=rows[:, 3].copy()
        )

    # ------------------------------------------------------------------ who waits for whom
    def free(self, queue: Queue, item: int) -> list[Worker]:
        """The idle who are eligible for the item, whatever else they could do."""
        return [worker for pool in queue.pools if self.is_open(pool, item) for worker in pool.idle]

    def find_binding(self) -> None:
        """The items for which too few are idle who do not wait for another one that comes first."""
        self.binding = []
        found = True
        while found:
            found = False
            for queue in self.strict:
                if not self.binding and self.has_enough(queue):
                    continue
                for place in self.places_of_several(queue):
                    known = (queue, place) in self.binding
                    if not known and self.lacks(queue, place):
                        self.binding.append((queue, place))
                        known = found = True
                    if known and not self.walks[queue.skill]:
                        break  # those behind it hold up nobody else

    def has_enough(self, queue: Queue) -> bool:
        """As many are idle as any item needs, and they may start whatever is in the queue."""
        return not self.walks[queue.skill] and sum(len(pool.idle) for pool in queue.pools) >= self.most

    def places_of_several(self, queue: Queue) -> Iterator[Place]:
        """Where items stand that could be started now if enough were idle; the places are those that never change."""
        if not (self.preempting or any(pool.idle for pool in queue.pools)):
            return
        for place in in_order(queue.waiting):
            item = place[2]
            waits = item in self.several and self.skill[item] == queue.skill
            if waits and not self.is_stopped(item) and not self.is_kept_back(queue, item):
                yield place

    def is_kept_back(self, queue: Queue, item: int) -> bool:
        """It would not leave enough workers idle for more urgent items."""
        needs = queue.keep + self.several[item]
        return self.is_held_back(queue, item) and len(self.free(queue, item)) < needs

    def lacks(self, queue: Queue, place: Place) -> bool:
        item = place[2]
        likely = (worker for worker in self.free(queue, item) if not self.is_barred(worker, item))
        free = [worker for worker in likely if not self.is_bound(worker, queue, place)]
        needs: int = self.several[item]
        return len(free) < needs

    def is_bound(self, worker: Worker, queue: Queue, place: Place) -> bool:
        """The worker waits for something that comes before this."""
        preference = worker.pool.preference
        mine = (preference[queue.skill], place)
        return any(
            (preference[other.skill], first) < mine
            for other, first in self.binding
            if preference[other.skill] >= 0
            and self.is_open(worker.pool, first[2])
            and not self.is_barred(worker, first[2])
        )

    def best_match(self, queues: Sequence[Queue], now: int) -> Match | None:
        self.find_binding()
        return super().best_match(queues, now)

    def places(self, queue: Queue) -> Iterator[Place]:
        """Behind the first one that nobody may overtake there is nothing to look for."""
        for place in super().places(queue):
            self.looked_at = self.rank[place[2]], place[1], place[2]
            yield place
            if not self.walks[queue.skill]:
                return

    def may_start(self, worker: Worker, item: int, now: int) -> bool:
        is_free = self.looked_at[2] != item or not self.is_bound(worker, self.queues[self.skill[item]], self.looked_at)
        return is_free and super().may_start(worker, item, now)

    def dispatch(self, now: int, queues: Sequence[Queue]) -> None:
        """What happens in one queue may set free those who waited for it in another."""
        super().dispatch(now, self.queues)

    def lose_patience(self, case: int) -> None:
        super().lose_patience(case)
        self.dispatch(self.clock.tick, self.queues)

    def come_back(self, item: int) -> None:
        super().come_back(item)
        self.dispatch(self.clock.tick, self.queues)

    # ------------------------------------------------------------------ who does it
    def able(self, pools: list[Pool], queue: Queue, item: int, now: int) -> Sequence[Worker]:
        """For an item that needs several: the first of those who would start it together."""
        if item not in self.several:
            return super().able(pools, queue, item, now)
        self.teams[item] = [] if self.is_kept_back(queue, item) else self.team(queue, item, now)
        return self.teams[item][:1]

    def team(self, queue: Queue, item: int, now: int) -> list[Worker]:
        """So many of the idle as are needed; without the first who is chosen if too few go together with that one."""
        able = [worker for worker in self.free(queue, item) if self.may_start(worker, item, now)]
        while len(able) >= self.several[item]:
            team = self.chosen(able, queue, item, now)
            if len(team) == self.several[item]:
                return team
            able.remove(team[0])
        return []

    def chosen(self, able: list[Worker], queue: Queue, item: int, now: int) -> list[Worker]:
        """One after the other, from the pools that prefer it most, by the rule of assignment."""
        rest, team = sorted(able, key=attrgetter("idle_since", "id")), list[Worker]()
        in_time = any(pool.end_of_shift == EndOfShift.NO_LATE_START for pool in queue.pools)
        while rest and len(team) < self.several[item]:
            likely = self.next_of(rest, team, item)
            first = min(worker.pool.preference[queue.skill] for worker in likely)
            most = [worker for worker in likely if worker.pool.preference[queue.skill] == first]
            team.append(queue.picks(most, queue.skill, self.lot[item] if self.lot else 0, now))
            rest.remove(team[-1])
            if in_time:
                rest = [one for one in rest if self.in_time([*team, one], item, now)]
        return team

    def next_of(self, rest: list[Worker], team: list[Worker], item: int) -> list[Worker]:
        """Those among whom the next member of the team is chosen."""
        return rest

    def in_time(self, team: list[Worker], item: int, now: int) -> bool:
        """All of them could finish it together before their shifts end, as far as that matters (rule 5)."""
        ends = now + max(self.alone(worker, item) for worker in team)
        return all(w.pool.end_of_shift != EndOfShift.NO_LATE_START or ends <= w.duty_until for w in team)

    def alone(self, worker: Worker, item: int) -> int:
        """Ticks that the worker would need for it."""
        work = self.work_left[item] if item in self.work_left else self.time_of(worker, item)
        return ticks_at(worker.pace[self.skill[item]], work) if worker.pace else work

    def start(self, worker: Worker, item: int, now: int) -> None:
        """All begin, with the time and the pace of the slowest."""
        if item not in self.several:
            super().start(worker, item, now)
            return
        team = self.teams.pop(item)
        slowest = max(team, key=lambda one: self.alone(one, item))
        for one in team:
            if one is not worker:
                one.pool.idle.remove(one)
        super().start(slowest, item, now)
        self.together[item] = [one for one in team if one is not slowest]
        for helper in self.together[item]:
            helper.item = item
            self.use(helper, item, 1, now)

    # ------------------------------------------------------------------ all stop together
    def complete(self, item: int) -> None:
        """Who then goes home does so first; those who become free do so in the order of the roster."""
        if item not in self.together:
            super().complete(item)
            return
        self.gather()
        now, slowest = self.clock.tick, self.workers[self.worker_of[item]]
        team = sorted([slowest, *self.release(item, now)], key=_goes_home_first)
        for one in team:
            if one is slowest:
                super().complete(item)
            else:
                self.become_free(one, now, one.pool.queues)

    def release(self, item: int, now: int) -> list[Worker]:
        """The helpers have the item in hand no longer."""
        helpers = self.together.pop(item)
        for helper in helpers:
            since = self.taken_up_at(item)
            self.helped.append((item, helper.id, since, now))
            helper.busy += now - since
            helper.item = -1
            self.use(helper, item, -1, now)
        return helpers

    def lay_down(self, worker: Worker, now: int) -> None:
        """All lay it down; the others are free, it is the worker's to give back."""
        item = worker.item
        if item not in self.together:
            super().lay_down(worker, now)
            return
        slowest = self.workers[self.worker_of[item]]
        team = [slowest, *self.release(item, now)]
        super().lay_down(slowest, now)
        slowest.kept, slowest.engaged = -1, slowest.leaves or slowest.break_due > 0
        worker.kept, worker.engaged = item, True
        waits, self.simultaneous = self.simultaneous, True
        for other in sorted(team, key=_goes_home_first):
            if other is not worker:
                self.become_free(other, now, other.pool.queues)
        self.simultaneous = waits

    def left_of(self, worker: Worker, now: int) -> int:
        return super().left_of(self.workers[self.worker_of[worker.item]], now)

    def break_falls_due(self, worker: Worker, now: int, lasts: int, postponed: bool) -> None:
        """Nobody leaves the others alone: the break begins after the item."""
        super().break_falls_due(worker, now, lasts, postponed or worker.item in self.together)

    def interruptions(self, queue: Queue, now: int) -> Iterator[Interruption]:
        """An item that needs several interrupts nobody."""
        return (one for one in super().interruptions(queue, now) if one[0][2] not in self.several)


def in_order(heap: list[Place]) -> Iterator[Place]:
    """The entries of a heap, least first; no more work than for those that are asked for."""
    ahead = [(heap[0], 0)] if heap else []
    while ahead:
        place, at = heappop(ahead)
        yield place
        for below in (2 * at + 1, 2 * at + 2):
            if below < len(heap):
                heappush(ahead, (heap[below], below))


def _goes_home_first(worker: Worker) -> tuple[bool, int]:
    return not worker.leaves, worker.id
