"""The items that walking cases leave behind, chunk by chunk, and how they follow one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from servsim.records import Leaves

Numbers = NDArray[np.int64]
COLUMNS = {"skill": -1, "work": 0, "hold": 0, "returned": 0, "gate": -1}
"""Columns with what they hold where nothing is said."""


def _width(name: str) -> type[np.integer[Any]]:
    return np.int64 if name in ("work", "hold") or name.startswith(("timer", "own")) else np.int32


class Items:
    """Grows by chunks; items are numbered in the order in which they were left, predecessors before successors."""

    def __init__(self, timers: int = 0, own_times: int = 0) -> None:
        self.n = 0
        self.columns = COLUMNS | {f"timer {k}": -1 for k in range(timers)}
        self.columns |= {f"own {k}": -1 for k in range(own_times)}
        self.steps: dict[tuple[str, str], int] = {}  # (process, step) → number
        self._chunks: dict[str, list[Numbers]] = {name: [] for name in ("case", "step", "visit", "lot", *self.columns)}
        self._links: list[tuple[Numbers, Numbers]] = []
        self._marks: dict[str, list[Numbers]] = {}
        self._quorums: list[tuple[Numbers, int]] = []
        self._several: list[tuple[Numbers, Numbers]] = []
        self._leaves: list[tuple[Numbers, Leaves]] = []
        self._instead: list[Numbers] = []
        self._silences: list[tuple[Numbers, Numbers]] = []
        self._worlds: list[tuple[Numbers, Numbers]] = []

    def add(
        self,
        step: tuple[str, str],
        case: Numbers,
        after: Numbers,
        visit: Numbers | int,
        lot: Numbers,
        columns: Mapping[str, Numbers | int],
    ) -> Numbers:
        """One item for each case; returns their numbers."""
        number = np.arange(self.n, self.n + len(case))
        self.n += len(case)
        given = {"case": case, "step": self.steps.setdefault(step, len(self.steps)), "visit": visit, "lot": lot}
        for name, value in {**self.columns, **given, **columns}.items():
            self._chunks[name].append(np.broadcast_to(np.asarray(value, _width(name)), case.shape))
        follows = after >= 0
        self.link(after[follows], number[follows])
        return number

    def link(self, before: Numbers, after: Numbers) -> None:
        """Say what follows what."""
        self._links.append((before, after))

    def link_instead(self, before: Numbers, after: Numbers) -> None:
        """Say what follows what, where it comes in place of something else that the join waits for."""
        self.link(before, after)
        self._instead.append(after)

    def instead(self) -> Numbers:
        """The joins that some item comes to in place of another, once for each."""
        return np.concatenate([np.empty(0, np.int64), *self._instead])

    def silence(self, items: Numbers, following: Numbers) -> None:
        """Say what follows if silence decides."""
        self._silences.append((items, following))

    def silences(self) -> tuple[Numbers, Numbers]:
        """All (item, what follows if silence decides it otherwise than somebody would)."""
        nobody = np.empty(0, np.int64)
        items, following = zip((nobody, nobody), *self._silences, strict=True)
        return np.concatenate(items), np.concatenate(following)

    def world(self, items: Numbers, worlds: Numbers) -> None:
        """These stand behind a verdict by silence, each behind that of this number."""
        self._worlds.append((items, worlds))

    def worlds(self) -> NDArray[np.int32]:
        """[items] behind which verdict by silence each stands, -1: behind none."""
        of = np.full(self.n, -1, np.int32)
        for items, worlds in self._worlds:
            of[items] = worlds
        return of

    def leaves(self, items: Numbers, how: Leaves) -> None:
        """With these items their cases leave."""
        self._leaves.append((items, how))

    def column(self, name: str) -> NDArray[Any]:
        """One column: int64 for durations, int32 for all others."""
        return np.concatenate([np.empty(0, _width(name)), *self._chunks[name]])

    def left(self) -> NDArray[np.int8]:
        """[items] how the case leaves with the item."""
        how = np.zeros(self.n, np.int8)
        for items, kind in self._leaves:
            how[items] = kind
        return how

    def mark(self, name: str, items: Numbers) -> None:
        """Say of these items that they are something special."""
        self._marks.setdefault(name, []).append(items)

    def quorum(self, joins: Numbers, needs: int) -> None:
        """These are reached with so many of those that lead to them."""
        self._quorums.append((joins, needs))

    def quorums(self) -> NDArray[np.int8]:
        """[items] with how many each join is reached, 0: with all; empty where all wait for all."""
        needs = np.zeros(self.n if self._quorums else 0, np.int8)
        for joins, k in self._quorums:
            needs[joins] = k
        return needs

    def several(self, items: Numbers, workers: Numbers) -> None:
        """These need so many workers at once."""
        self._several.append((items, workers))

    def workers(self) -> NDArray[np.int32]:
        """[items] workers at once, 0: as for one; empty where nothing needs several."""
        needs = np.zeros(self.n if self._several else 0, np.int32)
        for items, workers in self._several:
            needs[items] = workers
        return needs if (needs > 1).any() else needs[:0]

    def marked(self, name: str) -> NDArray[np.int8]:
        """[items] 1 for those marked so; empty where none can be."""
        if name not in self._marks:
            return np.empty(0, np.int8)
        marks = np.zeros(self.n, np.int8)
        marks[np.concatenate(self._marks[name])] = 1
        return marks

    def links(self) -> tuple[Numbers, Numbers]:
        """All (before, after)."""
        if not self._links:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        before, after = zip(*self._links, strict=True)
        return np.concatenate(before), np.concatenate(after)
