"""Whose work it is: the last visit, on the way of each item, to the step that its rule names."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from servsim.model import Scenario
from servsim.model.steps import Work
from servsim.prepare.items import Items
from servsim.records import Followers, Owners
from servsim.records.arrays import Ids

Numbers = NDArray[np.int64]


class Ways:
    """How the items follow one another, numbered as in the workload, predecessors first."""

    def __init__(self, items: Items, step: Ids, skill: Ids, before: Numbers, after: Numbers) -> None:
        self.step_numbers, self.step, self.by_hand = items.steps, step, skill >= 0
        self.before, self.after = before, after

    def items_of(self, process: str, names: Iterable[str]) -> NDArray[np.bool_]:
        """[items] True for visits to these steps that need somebody."""
        numbers = [self.step_numbers[process, name] for name in names if (process, name) in self.step_numbers]
        return self.by_hand & np.isin(self.step, numbers)

    def last_before(self, visits: NDArray[np.bool_]) -> Numbers:
        """[items] the last of these visits on the ways to each item, -1: none."""
        latest = np.where(visits, np.arange(len(visits)), -1)
        earlier = np.full(len(visits), -1)
        while True:
            np.maximum.at(earlier, self.after, latest[self.before])
            if (latest >= earlier).all():
                return earlier
            latest = np.maximum(latest, earlier)


def owners(scenario: Scenario, ways: Ways, case: Ids, followers: Followers) -> Owners:
    """The rules of all items; empty where no step that is visited has one."""
    flows = {process: scenario.flow(process).steps for process, _ in ways.step_numbers}
    works = {key: step for key in ways.step_numbers if isinstance(step := flows[key[0]].get(key[1]), Work)}
    ruled = {key: step for key, step in works.items() if step.same_as or step.not_same_as}
    if not ruled:
        return Owners()
    n, most = len(case), max(len(step.not_same_as) for step in ruled.values())
    item, of_case, kept, not_by = (np.full(shape, -1) for shape in (n, n, n, (most, n)))
    leader = np.full(int(case.max(initial=-1)) + 1, -1)
    leader[followers.case] = followers.after
    for (process, name), step in ruled.items():
        rows, doing = np.flatnonzero(ways.items_of(process, [name])), scenario.flow(process).doing
        for k, earlier in enumerate(step.not_same_as):
            not_by[k, rows] = ways.last_before(ways.items_of(process, doing(earlier)))[rows]
        if step.same_as is None:
            continue
        kept[rows] = step.same_as.kept
        if step.same_as.step is not None:
            item[rows] = ways.last_before(ways.items_of(process, doing(step.same_as.step)))[rows]
        else:
            of_case[rows] = case[rows] if step.same_as.owner_of == "case" else leader[case[rows]]
    return Owners(item.astype(np.int32), of_case.astype(np.int32), kept, not_by.astype(np.int32))
