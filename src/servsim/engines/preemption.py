"""Who has to lay down what they have in hand for something that comes first (docs/semantics.md, rule 3)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from servsim.engines.clock import COMPLETION
from servsim.engines.floor import Place, Queue, Worker
from servsim.engines.presence import Presence
from servsim.records import Plan, Preempt, RankBy

MASK = 2**64 - 1
Interruption = tuple[Place, int, int, int]
"""What may be interrupted, least first: (place of the item that comes, − rank of the one in hand, by when it was
taken up, number of the worker)."""


class Preemption(Presence):
    """Interruptions by dispatch, and ranks that change while an item is in hand."""

    def equip(self, plan: Plan) -> None:
        """Queues whose items interrupt one another, and queues ranked by the work that is left."""
        super().equip(plan)
        restless = np.isin(self.workload.rank_by, (RankBy.POINTS, RankBy.LOT))  # there nobody is interrupted
        for skill in np.flatnonzero(plan.preempts).tolist():
            changes = restless[skill : skill + 1].any()
            self.queues[skill].preempts = Preempt.NOT if changes else int(plan.preempts[skill])
            self.queues[skill].special = True
        for skill, by in enumerate(self.workload.rank_by.tolist()):
            self.queues[skill].by_work_left = by == RankBy.WORK_LEFT
            if by == RankBy.POINTS:
                self.queues[skill].special, self.queues[skill].score = True, self.worth
            if by == RankBy.LOT:
                self.queues[skill].special, self.queues[skill].score = True, self.luck
        for queue, above, keep in zip(self.queues, plan.hold_above.tolist(), plan.keep_idle.tolist(), strict=False):
            queue.hold_above, queue.keep = above, keep
            queue.picky |= above >= 0
        held = (plan.hold_above >= 0).any()
        self.urgency: list[int] = self.workload.urgency[self.workload.case].tolist() if held else []
        self.since: dict[int, int] = {}  # when items that collect points were offered
        self.preempting = [queue for queue in self.queues if queue.preempts]

    def is_held_back(self, queue: Queue, item: int) -> bool:
        """True if the item must leave some workers idle for more urgent ones."""
        return 0 <= queue.hold_above < self.urgency[item]

    def worth(self, place: Place) -> Place:
        """The place by the points that the item has collected until now."""
        _, offered, item = place
        since = self.since.setdefault(item, offered)
        return -int(self.workload.points[self.case_of(item)]) * (self.clock.tick - since), offered, item

    def luck(self, place: Place) -> Place:
        """The place in the order of this tick: one dispatch tells nothing about the next."""
        return scrambled(self.lot[place[2]], self.clock.tick), *place[1:]

    # ------------------------------------------------------------------ interruptions
    def interrupt(self, now: int) -> bool:
        """The first waiting item that comes before an item in hand takes its worker; False if there is none."""
        found = (one for queue in self.preempting for one in self.interruptions(queue, now))
        best = min(found, default=None)
        if best is None:
            return False
        (_, _, item), _, _, number = best
        worker = self.workers[number]
        self.queues[self.skill[item]].remove(best[0])
        self.lay_down(worker, now)
        victim, worker.kept, worker.engaged = worker.kept, -1, False
        if self.queues[self.skill[victim]].preempts == Preempt.RESTART:
            self.work_left[victim] = self.work[victim]
        self.put_back(victim)
        self.start(worker, item, now)
        return True

    def interruptions(self, queue: Queue, now: int) -> Iterator[Interruption]:
        """What items of the queue may interrupt."""
        earliest = len(self.plan.victim_earliest) and self.plan.victim_earliest[queue.skill]
        for place in self.places(queue):
            for pool in queue.pools if not self.is_held_back(queue, place[2]) else ():
                for worker in self.staff[pool]:
                    if not self.may_be_interrupted(worker, queue) or not self.may_start(worker, place[2], now):
                        continue
                    rank, since = self.rank_in_hand(worker, now), self.taken_up_at(worker.item)
                    if rank > place[0]:
                        yield place, -rank, since if earliest else -since, worker.id

    def may_be_interrupted(self, worker: Worker, queue: Queue) -> bool:
        """True if the worker has an item in hand that may be laid down for one of the queue, were it ranked before."""
        if worker.item < 0 or worker.engaged:
            return False
        other, preference = self.queues[self.skill[worker.item]], worker.pool.preference
        if not other.preempts or preference[queue.skill] > preference[other.skill]:
            return False
        return not self.clock.is_due(COMPLETION, worker.item)

    def rank_in_hand(self, worker: Worker, now: int) -> int:
        """The rank that the item would have if it were laid down now."""
        if self.queues[self.skill[worker.item]].by_work_left:
            return self.left_of(worker, now)
        return self.rank[worker.item]


def scrambled(lot: int, tick: int) -> int:
    """A whole number below 2⁶⁴ that looks random: splitmix64's finisher over lot · φ + tick (Steele et al. 2014)."""
    x = (lot * 0x9E3779B97F4A7C15 + tick) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)
