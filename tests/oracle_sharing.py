"""The rules of several items at once a second time: fractions, tick by tick."""

from __future__ import annotations

from fractions import Fraction
from typing import Any


class Sharing:
    """What the oracle knows of people with several items in hand."""

    def places_of(self: Any, w: Any) -> list[Any]:
        persons = self.plan.worker_person
        return [o for o in self.workers if persons[o.number] == persons[w.number]] if len(persons) else [w]

    def since_idle(self: Any, w: Any) -> int:
        return max(o.idle_since for o in self.places_of(w))

    def in_hand(self: Any, w: Any) -> int:
        if not self.shares_work(w):
            return 0
        return sum(o.hand is not None for o in self.places_of(w))

    def shares_work(self: Any, w: Any) -> bool:
        return len(self.places_of(w)) > 1

    def speed(self: Any, w: Any) -> Fraction:
        n, paces = self.in_hand(w), [int(p) for p in self.plan.at_once_pace[w.pool] if p]
        return Fraction(self.pace(w, w.hand), 100) * (Fraction(paces[n - 1], 100_000) if paces else Fraction(1, n))

    def work_a_tick(self: Any) -> None:
        for w in self.workers:
            if w.hand is not None and self.shares_work(w):
                w.hand.units -= self.speed(w)

    def foresee(self: Any, w: Any, t: int, new: Any = None) -> None:
        """When each item in hand will be completed."""
        if self.shares_work(w):
            for o in self.places_of(w):
                if o.hand is not None and (o.hand is new or o.hand.ends != t):
                    o.hand.ends = t + rounded(max(Fraction(0), o.hand.units) / self.speed(o))


def rounded(x: Fraction) -> int:
    """Half up."""
    return (2 * x.numerator + x.denominator) // (2 * x.denominator)
