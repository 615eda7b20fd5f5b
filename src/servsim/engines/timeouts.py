"""What happens when nobody came in time: customers give up, items move to another queue (docs/semantics.md, rule 7)."""

from __future__ import annotations

from servsim.engines.floor import GONE, Floor
from servsim.records import Outcome


class Timeouts(Floor):
    """Patience and escalation."""

    def lose_patience(self, case: int) -> None:
        """The case leaves unless it has been answered; from a worker's hands when the item is completed (rule 7)."""
        items = self.items_of(case)
        if case in self.turned_away:
            return
        if any(self.started[item] >= 0 if self.answers[item] else self.is_end(item) for item in items):
            return
        self.leave_with(case, self.clock.tick)

    def leave_with(self, case: int, now: int) -> None:
        """The case leaves with the completion of the items in hand; at once where there are none."""
        items = self.items_of(case)
        in_hand = [item for item in items if self.is_in_hand(item)]
        if in_hand:
            self.giving_up[case] = now
        else:
            self.leave_unserved(case, now)
        for item in items:
            if self.completed[item] < 0 and item not in in_hand:
                self.skill[item] = GONE

    def leave_unserved(self, case: int, now: int) -> None:
        self.abandoned[case] = now
        self.wake(case, self.outcome_of(case), now)

    def outcome_of(self, case: int) -> Outcome:
        """Why a case left that was not served to its end."""
        return Outcome.TURNED_AWAY if case in self.turned_away else Outcome.ABANDONED

    def escalate(self, item: int) -> None:
        """Waited too long here: the item goes to another queue, with its place by rank and offered tick (rule 7)."""
        if self.started[item] >= 0 or self.skill[item] == GONE:
            return
        queue, now = self.queues[self.skill[item]], self.clock.tick
        place = next(place for place in queue.waiting if place[2] == item)
        queue.remove(place)
        self.escalations.append((item, now))
        self.skill[item] = queue.escalate_to
        queue = self.queues[queue.escalate_to]
        if queue.by_work_left:
            self.rank[item] = self.work[item]
            place = self.rank[item], *place[1:]
        self.enter(queue, place, now)
