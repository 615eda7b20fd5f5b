"""When enough is enough: joins that are reached with some of their branches (docs/semantics.md, rule 6)."""

from __future__ import annotations

from servsim.engines.clock import ARRIVAL, ROUND
from servsim.engines.floor import GONE, Floor


class Quorums(Floor):
    """What becomes of the branches that a join does not wait for."""

    def withdraw(self, join: int, now: int) -> None:
        """Items on the way to the join are withdrawn, but for those in hand: they are finished, and lead nowhere."""
        held = {key for _, phase, key, act in self.agenda if phase % ROUND == ARRIVAL and act == self.push}
        held -= {item for item, _ in self.blocked}  # they were pushed before, and found no place
        for item in self.on_the_way_to(join):
            if self.completed[item] >= 0 or item in self.withdrawn:
                continue
            if self.is_in_hand(item):
                self.not_awaited.add(item)
                continue
            self.withdrawn[item] = now
            self.skill[item] = GONE
            if item in held:
                self.never_offered.append(item)

    def on_the_way_to(self, join: int) -> list[int]:
        """The items from which the join can be reached; predecessors have lower numbers."""
        found = {join}
        for item in range(join - 1, self.items_of(self.case_of(join)).start - 1, -1):
            if not found.isdisjoint(self.ways_from(item)):
                found.add(item)
        return sorted(found - {join})

    def ways_from(self, item: int) -> tuple[int, ...]:
        """What may follow the item."""
        return tuple(self.forks.get(item, (self.next_item[item],)))
