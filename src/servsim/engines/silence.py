"""What happens when an approver says nothing for too long (docs/semantics.md, rule 13)."""

from __future__ import annotations

from dataclasses import replace
from heapq import heapify

import numpy as np

from servsim.engines.clock import ESCALATION, SILENCE
from servsim.engines.floor import GONE, Place, Queue
from servsim.engines.gates import Gates
from servsim.engines.quorums import Quorums
from servsim.records import EventLog, Plan, Silent, Workload


class Silence(Gates, Quorums):
    """Items that are decided, or go elsewhere, when nobody has begun them in time."""

    @staticmethod
    def is_used(plan: Plan, workload: Workload) -> bool:
        return bool(workload.silences)

    def equip(self, plan: Plan) -> None:
        """What is offered in these queues is noted: they need the rule of dispatch in full."""
        super().equip(plan)
        of = self.workload.silences
        self.step_of, self.meaning = self.workload.step.tolist(), of.then.tolist()
        for skill in np.unique(self.workload.skill[of.then[self.workload.step] != Silent.NOTHING]).tolist():
            if skill >= 0:
                self.queues[skill].special = True
        self.speaks_at: dict[int, int] = {}  # item → tick at which silence speaks
        self.offered_for: dict[int, int] = {}  # item → when it was offered for the last time
        self.silences: list[tuple[int, int]] = []  # item, at

    def run(self, until: int) -> EventLog:
        log = super().run(until)
        rows = np.array(self.silences, np.int64).reshape(-1, 2)
        return replace(log, silent_item=rows[:, 0].astype(np.int32), silent_at=rows[:, 1].copy())

    # ------------------------------------------------------------------ waiting for a word
    def enter(self, queue: Queue, place: Place, now: int) -> None:
        self.wait_for_word(place[2], place[1])
        super().enter(queue, place, now)

    def wait_at(self, gate: int, item: int, now: int) -> None:
        self.wait_for_word(item, now)
        super().wait_at(gate, item, now)

    def wait_for_word(self, item: int, offered: int) -> None:
        """From the moment at which the item is offered, in whichever queue it stands later."""
        step = self.step_of[item]
        if self.meaning[step] == Silent.NOTHING or self.offered_for.get(item) == offered:
            return
        due = self.workload.silences.due(step, offered)
        if due >= 0 and self.speaks_at.get(item) != due:
            self.clock.book(due, SILENCE, item, self.speak)
        self.offered_for[item], self.speaks_at[item] = offered, due

    # ------------------------------------------------------------------ silence speaks
    def speak(self, item: int) -> None:
        """Nobody has begun the item: that is a verdict, or it goes to another queue."""
        now = self.clock.tick
        if self.speaks_at[item] != now or self.started[item] >= 0 or self.skill[item] == GONE:
            return
        if not (self.leave_gate(item) if self.skill[item] < 0 else self.leave_queue(item)):
            return
        self.silences.append((item, now))
        if self.meaning[self.step_of[item]] == Silent.ESCALATE:
            self.move_to(int(self.workload.silences.to[self.step_of[item]]), item, now)
        else:
            self.decide(item, now)
        self.dispatch(now, self.queues)

    def leave_gate(self, item: int) -> bool:
        """False if the item is not there."""
        assert self.gate_of
        waiting = self.waiting_at[self.gate_of[item]]
        entry = next((entry for entry in waiting if entry[1] == item), None)
        if entry is not None:
            waiting.remove(entry)
            heapify(waiting)
        return entry is not None

    def leave_queue(self, item: int) -> bool:
        """False if the item is in no queue: it found no place to wait, and tries again."""
        queue = self.queues[self.skill[item]]
        place = next((place for place in queue.waiting if place[2] == item), None)
        if place is not None:
            queue.remove(place)
        return place is not None

    def move_to(self, skill: int, item: int, now: int) -> None:
        """To another queue, with its place by rank and offered tick; what would have moved it from here does not."""
        if self.queues[self.skill[item]].escalate_after >= 0:
            self.clock.cancel(ESCALATION, item)
        self.skill[item] = skill
        queue = self.queues[skill]
        if queue.by_work_left:
            self.rank[item] = self.work[item]
        self.enter(queue, (self.rank[item], self.offered_for[item], item), now)

    def decide(self, item: int, now: int) -> None:
        """As if done by nobody within no time."""
        self.started[item] = self.completed[item] = now
        following = int(self.workload.silences.next_item[item])
        if following >= 0:
            self.next_item[item] = following
            self.otherwise.append(item)
        self.move_on(item, now)

    def ways_from(self, item: int) -> tuple[int, ...]:
        return *super().ways_from(item), int(self.workload.silences.next_item[item])
