"""Which cases come because of others: tried again, contacted again, submitted twice, members of a finite source.

Such a case is dormant until the case that it follows wakes it (docs/semantics.md, "demand that follows").
"""

from __future__ import annotations

import numpy as np

from servsim.engines.clock import ARRIVAL, PATIENCE
from servsim.engines.floor import WAKES, Floor
from servsim.records import Outcome, Workload


class Following(Floor):
    """Cases that wake others."""

    def _take_in_workload(self, work: Workload) -> None:
        super()._take_in_workload(work)
        dormant = work.followers
        self.followers: dict[int, list[tuple[int, int, int]]] = {}  # case → (follower, on, lag)
        self.unanswered: dict[int, list[tuple[int, int]]] = {}  # case → (follower, lag): it comes unless answered
        self.leader: dict[int, int] = {}
        self.came_at: dict[int, int] = {}
        columns = (dormant.case, dormant.after, dormant.on, dormant.lag)
        for case, after, on, lag in zip(*(column.tolist() for column in columns), strict=True):
            self.followers.setdefault(after, []).append((case, on, lag))
            self.leader[case] = after
            if on >> Outcome.IN_PROCESS & 1:
                self.unanswered.setdefault(after, []).append((case, lag))
        if self.unanswered and not self.answers:
            self.answers = (work.steps.responds[work.step] == 1).tobytes()
        for item in np.flatnonzero((work.leaves > 0) & np.isin(work.case, dormant.after)).tolist():
            self.next_item[item] = WAKES

    def watch(self, case: int, now: int) -> None:
        """A second submission follows if nobody has answered by then; `now`: when the case came."""
        for follower, lag in self.unanswered[case]:
            by = max(now + lag, self.clock.tick)
            self.clock.book(by, ARRIVAL, self.items_of(follower)[0], self.come_unless_answered)

    def wake(self, case: int, outcome: int, now: int) -> None:
        """The case has left: who follows on that comes after the lag."""
        for follower, on, lag in self.followers.get(case, ()):
            if on >> outcome & 1:
                self.clock.book(now + lag, ARRIVAL, self.items_of(follower)[0], self.come)

    def come_unless_answered(self, item: int) -> None:
        leader = self.leader[self.case_of(item)]
        items = self.items_of(leader)
        answered = any(self.started[i] >= 0 for i in items if self.answers[i])
        if not answered and leader not in self.abandoned and not any(self.is_end(i) for i in items):
            self.come(item)

    def come(self, item: int) -> None:
        """A case that was dormant arrives."""
        case, now, patience = self.case_of(item), self.clock.tick, self.workload.patience
        self.came_at[case] = now
        for timed in self.items_of(case) if self.workload.rank_from_arrival.any() else ():
            if self.skill[timed] >= 0 and self.workload.rank_from_arrival[self.skill[timed]]:
                self.rank[timed] += now
        if patience[case] >= 0:
            self.clock.book(now + int(patience[case]), PATIENCE, case, self.lose_patience)
        if case in self.unanswered:
            self.watch(case, now)
        self.reach(item, now)
