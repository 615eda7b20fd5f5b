"""Whose work it is: items that are for the person who did another one, or for anybody but that person."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from servsim.records.arrays import Ids, Ticks, freeze


@dataclass(frozen=True, slots=True)
class Owners:
    """By item; empty where nobody has such a rule. A row of `not_by` stands for a step that the rule names."""

    item: Ids = field(default_factory=lambda: np.empty(0, np.int32))  # [items] whose worker it is for, -1: nobody's
    of_case: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    """[items] or the case whose owner, the first who answered it, it is for; -1: none"""
    kept: Ticks = field(default_factory=lambda: np.empty(0, np.int64))
    """[items] how long after it was offered it is kept for that person; 0: not at all, -1: for ever"""
    not_by: NDArray[np.int32] = field(default_factory=lambda: np.empty((0, 0), np.int32))
    """[steps named, items] the items whose workers may not do it, -1: none"""

    def __post_init__(self) -> None:
        freeze(self)

    def __bool__(self) -> bool:
        """Somebody has such a rule."""
        return bool(len(self.kept))
