"""What happens next: SimPy's environment on whole ticks, with a total order of what happens at the same tick.

Stock SimPy orders simultaneous events by the history of their insertion. Here the order is (tick, phase, key): the
phase says what kind of event it is (docs/semantics.md, rule 2), the key is an item, case or worker number, so that no
two entries are equal and no engine has to repeat another's history.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from heapq import heapify, heappop, heappush

import simpy

SIMPY, COMPLETION, SHIFT_END, SHIFT_START, BREAK_START, BREAK_END, DISPATCH, ARRIVAL, PATIENCE, ESCALATION = range(10)
OVERFLOW, SILENCE, MEETING = 10, 14, 15
"""The phases of a tick, in order. SIMPY is for the beginnings of SimPy's own processes."""
ROUND = 16
"""Phase + ROUND is the same phase in the next round of the same tick."""

Booking = tuple[int, int, int, Callable[[int], object]]
Moments = Generator[tuple[int, int, int], None, None]


class Clock(simpy.Environment):
    """SimPy's environment. Its agenda holds (tick, phase, key, act); `act(key)` is called when the time comes."""

    def __init__(self) -> None:
        super().__init__()
        self.tick: int = 0
        self.phase: int = 0
        self.key: int = -1
        self.agenda: list[Booking] = self._queue  # type: ignore[assignment]

    @property
    def now(self) -> int:
        """The present tick."""
        return self.tick

    def book(self, tick: int, phase: int, key: int, act: Callable[[int], object]) -> Booking:
        """Have `act(key)` called; what has been passed in the present round of this tick comes in the next round."""
        if tick == self.tick:
            done = self.phase % ROUND
            phase += self.phase - done + (ROUND if (phase, key) <= (done, self.key) else 0)
        booking = (tick, phase, key, act)
        heappush(self.agenda, booking)
        return booking

    def book_in_next_round(self, phase: int, key: int, act: Callable[[int], object]) -> None:
        """Have `act(key)` called in the next round of this tick."""
        heappush(self.agenda, (self.tick, self.phase - self.phase % ROUND + ROUND + phase, key, act))

    def cancel(self, phase: int, key: int) -> None:
        """Strike a booking out. Linear in the agenda: only interruptions do it."""
        self.agenda.remove(next(entry for entry in self.agenda if entry[2] == key and entry[1] % ROUND == phase))
        heapify(self.agenda)

    def is_due(self, phase: int, key: int) -> bool:
        """True if something is booked for the present tick under this phase and key."""
        agenda, look_at = self.agenda, [0]
        while look_at:  # in a heap, what is due now hangs together at the top
            k = look_at.pop()
            if k < len(agenda) and agenda[k][0] == self.tick:
                if agenda[k][2] == key and agenda[k][1] % ROUND == phase:
                    return True
                look_at += (2 * k + 1, 2 * k + 2)
        return False

    def more_before(self, phase: int) -> bool:
        """True if something else is to happen in this round of this tick before the phase."""
        tick, next_phase, _, _ = self.agenda[0]
        return tick == self.tick and next_phase < self.phase - self.phase % ROUND + phase

    def process(self, generator: Moments) -> Course:  # type: ignore[override]  # SimPy's processes yield events
        """Start a process; it goes on at the moments that it yields."""
        return Course(self, generator)

    def schedule(self, event: simpy.Event, priority: int = 1, delay: float = 0) -> None:
        """Where SimPy's own events (a process begins or ends) enter the same order."""
        self.book(self.tick + int(delay), SIMPY, next(self._eid), partial(_occur, event))

    def run(self, until: int) -> None:  # type: ignore[override]
        """Handle everything that happens before the tick `until`."""
        agenda = self.agenda
        heappush(agenda, (until, -1, 0, _nothing))
        while agenda[0][0] < until:
            self.tick, self.phase, key, act = heappop(agenda)
            self.key = key
            act(key)


class Course(simpy.Process):
    """A SimPy process that yields (tick, phase, key) when it wants to go on then: no event has to be made for it."""

    def __init__(self, clock: Clock, moments: Moments) -> None:
        self.clock, self.agenda, self.moments, self.act = clock, clock.agenda, moments, self.go_on
        super().__init__(clock, moments)  # type: ignore[arg-type]

    def _resume(self, event: simpy.Event) -> None:
        self.go_on(0)

    def go_on(self, _: int) -> None:
        """Run to the next moment at which the process waits; after the last it ends."""
        for tick, phase, key in self.moments:
            if tick == self.clock.tick:
                self.clock.book(tick, phase, key, self.act)
            else:
                heappush(self.agenda, (tick, phase, key, self.act))
            return
        self._ok, self._value = True, None
        self.clock.schedule(self)


def _occur(event: simpy.Event, _: int) -> None:
    callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
    for callback in callbacks:
        callback(event)
    if not event._ok and not hasattr(event, "_defused"):
        raise event._value


def _nothing(_: int) -> None: ...
