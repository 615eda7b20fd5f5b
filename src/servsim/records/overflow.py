"""Which pools may take items of a queue only under a condition, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from servsim.records.arrays import Codes, Ids, Ticks, freeze


@dataclass(frozen=True, slots=True)
class Overflow:
    """Conditions by pool and skill, any one of which suffices; of shape (0, 0) where no queue overflows."""

    after: Ticks = field(default_factory=lambda: np.empty((0, 0), np.int64))
    """[pools, skills] items that have waited so long, -1: none of them"""
    waiting: Ids = field(default_factory=lambda: np.empty((0, 0), np.int32))
    """[pools, skills] while so many items wait, -1: not by their number"""
    alone: Codes = field(default_factory=lambda: np.empty((0, 0), np.int8))
    """[pools, skills] 1: while nobody of the regular pools is on duty by the roster"""

    def __post_init__(self) -> None:
        freeze(self)

    def conditional(self, n_pools: int, n_skills: int) -> NDArray[np.bool_]:
        """[pools, skills] True where the pool takes items of the queue only under a condition."""
        if not self.after.size:
            return np.zeros((n_pools, n_skills), np.bool_)
        return np.asarray((self.after >= 0) | (self.waiting >= 0) | (self.alone > 0))
