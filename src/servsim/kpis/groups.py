"""How rows fall into groups, and the sums and quantiles of every group at once.

Rows are told apart by small whole numbers, their cell: the combination of all that they are grouped by (class,
channel, hour, department of a case). A figure is summed by cell once, and the few cells are then added up to groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]
Numbers = NDArray[np.number[Any] | np.bool_]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to group: its labels, and to which of them each cell belongs (-1: to none)."""

    name: str
    labels: tuple[str, ...]
    of_cell: Integers

    def sums(self, per_cell: Numbers) -> Floats:
        """[labels] the total over the cells of each group."""
        place = np.where(self.of_cell >= 0, self.of_cell, len(self.labels))
        return totals(place, per_cell, len(self.labels) + 1)[:-1]


@dataclass(frozen=True, slots=True)
class Groups:
    """Several ways to group the same rows. Vectors over "groups" run through the labels of all ways, in order."""

    ways: tuple[Way, ...]

    def sums(self, per_cell: Numbers) -> Floats:
        """[groups]"""
        return np.concatenate([way.sums(per_cell) for way in self.ways])

    def quantiles(self, values: NDArray[np.int64], cell: Integers, shares: Sequence[float]) -> Floats:
        """[shares, groups] quantiles of `values` (whole, not negative) of the rows in each group; NaN for none."""
        found: dict[tuple[int, bytes], Floats] = {}  # ways that part the rows alike have the same quantiles
        parted = [(len(way.labels), way.of_cell.astype(np.int32).tobytes()) for way in self.ways]
        for way, parts in zip(self.ways, parted, strict=True):
            if parts in found:
                continue
            code = way.of_cell[cell]
            if way.of_cell.min(initial=0) < 0:
                code, inside = code[code >= 0], values[code >= 0]
            else:
                inside = values
            found[parts] = quantiles(inside, code, len(way.labels), shares)
        return np.concatenate([found[parts] for parts in parted], axis=1)

    def pairs(self, values: Floats) -> list[tuple[str, float]]:
        """[groups] values with their labels. Hours in which there was nothing are left out."""
        labelled = zip((label for way in self.ways for label in way.labels), values.tolist(), strict=True)
        return [(label, value) for label, value in labelled if value == value or not label.startswith("hour=")]

    def only(self, *names: str) -> Groups:
        """These ways to group and no other."""
        return Groups(tuple(way for way in self.ways if way.name in names))


def way(name: str, members: Sequence[str], of_cell: Integers) -> Way:
    """A way to group by named members, with labels such as "class=urgent"."""
    return Way(name, tuple(f"{name}={member}" for member in members), of_cell)


def everything(n_cells: int) -> Way:
    """The way to group that makes no difference: one group, "all"."""
    return Way("all", ("all",), np.zeros(n_cells, np.int32))


HOURS = tuple(f"{hour:02d}" for hour in range(24))


def totals(cell: Integers, weights: Numbers, n: int) -> Floats:
    """[n] sum of the weights of the rows in each cell."""
    return np.asarray(np.bincount(cell, weights, n), np.float64)


def counts(cell: Integers, n: int) -> NDArray[np.int64]:
    """[n] number of rows in each cell."""
    return np.bincount(cell, minlength=n)


def ratio(top: Numbers, bottom: Numbers) -> Floats:
    """top ÷ bottom, NaN where bottom is 0."""
    share = np.full(np.shape(bottom), np.nan)
    np.divide(top, bottom, out=share, where=np.asarray(bottom) != 0)
    return share


def quantiles(values: NDArray[np.int64], code: Integers, n_groups: int, shares: Sequence[float]) -> Floats:
    """[shares, groups] quantiles, interpolated as np.quantile does, without sorting the values.

    Rows are counted by (group, range of values); only the ranges in which an asked quantile lies are sorted.
    """
    width, key = _ranges(values, code)
    count = np.bincount(key, minlength=n_groups * width)
    upto = np.cumsum(count)
    size = count.reshape(n_groups, width).sum(axis=1)
    first = np.cumsum(size) - size

    at = np.multiply.outer(np.asarray(shares, np.float64), np.maximum(size - 1, 0))
    below = np.floor(at).astype(np.int64)
    place = np.stack([below, np.minimum(below + 1, np.maximum(size - 1, 0))]) + first  # among all rows in order
    wanted = np.zeros(len(count), bool)
    holder = np.minimum(np.searchsorted(upto, place, side="right"), len(count) - 1)
    wanted[holder] = True

    rows = np.flatnonzero(wanted[key])
    if not len(rows):
        return np.full(at.shape, np.nan)
    in_order = values[rows][np.lexsort((values[rows], key[rows]))]
    skipped = np.cumsum(np.where(wanted, 0, count))  # rows in order that were not sorted
    low, high = in_order[np.minimum(place - skipped[holder], len(in_order) - 1)]
    return np.where(size > 0, low + (high - low) * (at - below), np.nan)


def _ranges(values: NDArray[np.int64], code: Integers) -> tuple[int, NDArray[np.int64]]:
    """(number of ranges, [rows] code × that number + range of the value). Ranges are 6 % wide: a floating-point
    number's exponent and the first four bits after it."""
    part = (values + 1).astype(np.float64).view(np.int64) >> 48
    part -= 1023 << 4
    width = int(part.max(initial=0)) + 1
    return width, part + code.astype(np.int64) * width
