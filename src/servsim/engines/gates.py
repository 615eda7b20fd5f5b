"""When a gate opens: meetings and deliveries at fixed times (docs/semantics.md, rule 12)."""

from __future__ import annotations

from heapq import heappop, heappush

from servsim.engines.clock import ARRIVAL, MEETING, Moments
from servsim.engines.floor import GONE, Floor


class Gates(Floor):
    """Items that wait for a date, not for a person."""

    def meetings(self) -> Moments:
        """Gates open by their timetables; those of one tick in the order of their numbers."""
        plan = self.plan
        first = plan.gate_first.tolist()
        openings = [(at, g) for g in range(len(first) - 1) for at in plan.gate_at[first[g] : first[g + 1]].tolist()]
        self.waiting_at: list[list[tuple[int, int]]] = [[] for _ in first[1:]]
        for at, gate in sorted(openings):
            yield at, MEETING, gate
            self.open_gate(gate, at)

    def wait_at(self, gate: int, item: int, now: int) -> None:
        heappush(self.waiting_at[gate], (now, item))

    def open_gate(self, gate: int, now: int) -> None:
        """Those on the agenda leave together; one dispatch, in the next round, for all that follows."""
        spent, lasts, agenda, at_once = 0, int(self.plan.gate_lasts[gate]), self.agenda_of(gate, now), []
        for item in agenda:
            self.started[item] = now
            spent += self.work[item]
            ends = now + (spent if lasts >= 0 else self.work[item])
            if ends > now:
                self.clock.book(ends, ARRIVAL, item, self.come_back)
            else:
                at_once.append(item)
        for item in at_once:
            if self.skill[item] != GONE:  # withdrawn by one that was completed before
                self.gather()
                self.completed[item] = now
                self.move_on(item, now)

    def agenda_of(self, gate: int, now: int) -> list[int]:
        """Who takes part, oldest first: in time, within the seats and within the length of the meeting."""
        waiting, plan = self.waiting_at[gate], self.plan
        seats, latest, lasts = int(plan.gate_seats[gate]), now - int(plan.gate_deadline[gate]), plan.gate_lasts[gate]
        agenda: list[int] = []
        spent = 0
        while waiting and waiting[0][0] <= latest and len(agenda) != seats:
            item = waiting[0][1]
            if self.skill[item] != GONE:
                spent += self.work[item]
                if 0 <= lasts < spent:
                    break
                agenda.append(item)
            heappop(waiting)
        return agenda
