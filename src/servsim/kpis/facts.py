"""Which cases and items are counted, and the groups they fall into: the columns that many KPIs share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from servsim.kpis.groups import HOURS, Groups, Integers, counts, everything, way
from servsim.kpis.kpi import once
from servsim.quantities import HOUR
from servsim.records import Outcome, Run
from servsim.records.arrays import Ids

Numbers = NDArray[np.integer[Any]]


class Counted(NamedTuple):
    """Cases that arrive within the window and their items. Both stand in order of arrival, hence in one piece; only
    cases that follow others do not, and are picked one by one."""

    cases: slice | Numbers
    items: slice | Numbers

    def place_of_case(self, case: Numbers) -> Numbers:
        """Where these cases, all counted, stand among the counted ones."""
        return case - self.cases.start if isinstance(self.cases, slice) else np.searchsorted(self.cases, case)

    def item(self, place: Numbers) -> Numbers:
        """The items at these places among the counted ones."""
        return place + self.items.start if isinstance(self.items, slice) else self.items[place]

    def place_of_item(self, item: Numbers) -> Numbers:
        """Where these items stand among the counted ones, -1 for the others."""
        if isinstance(self.items, slice):
            inside = (item >= self.items.start) & (item < self.items.stop)
            return np.where(inside, item - self.items.start, -1)
        place = np.minimum(np.searchsorted(self.items, item), len(self.items) - 1)
        return np.where(self.items[place] == item, place, -1) if len(self.items) else np.full(len(item), -1)


@once
def counted(run: Run) -> Counted:
    work = run.workload
    if len(work.followers.case):
        return Counted(np.flatnonzero(run.counted), np.flatnonzero(run.counted[work.case]))
    begin, end = run.window.counts_from, max(run.window.counts_from, run.window.end)
    first, last = np.searchsorted(work.arrived_at, [begin, end])
    return Counted(slice(first, last), slice(int(work.first_item[first]), int(work.first_item[last])))


def midnight(run: Run) -> int:
    """Ticks from the midnight before the run's start to its start."""
    since = run.start.astype("datetime64[us]") - run.start.astype("datetime64[D]")
    return int(since.astype(np.int64))


@once
def skill_department(run: Run) -> Ids:
    """[skills] the department that owns the skill, -1 where nobody has it."""
    plan = run.plan
    return plan.department_of_skill() if plan.pools else np.full(len(plan.skills), -1, np.int32)


@once
def step_department(run: Run) -> Ids:
    """[steps] the department that owns the step's skill, -1 where the step needs nobody."""
    return np.append(skill_department(run), np.int32(-1))[run.workload.steps.skill]


class Cells(NamedTuple):
    """Rows and the ways to group them."""

    cell: Ids  # [rows]
    n: int
    groups: Groups


@once
def case_cells(run: Run) -> Cells:
    """Counted cases by class, channel, hour of arrival and department (of the first step that needs somebody)."""
    work, plan, cases = run.workload, run.plan, counted(run).cases
    department = _first_department(run, work.first_item[:-1][cases], work.first_item[1:][cases])
    hour = (work.arrived_at[cases] + midnight(run)) // HOUR % 24
    shape = (max(1, len(work.classes)), max(1, len(work.channels)), 24, len(plan.departments) + 1)
    raw = np.ravel_multi_index((work.case_class[cases], work.channel[cases], hour, department + 1), shape)
    used = np.flatnonzero(counts(raw, int(np.prod(shape))))
    place = np.zeros(int(np.prod(shape)), np.int32)
    place[used] = np.arange(len(used))
    klass, channel, at, owner = np.unravel_index(used, shape)
    ways = (
        everything(len(used)),
        way("class", work.classes, klass),
        way("channel", work.channels, channel),
        way("department", plan.departments, owner - 1),
        way("hour", HOURS, at),
    )
    return Cells(place[raw], len(used), Groups(ways))


def _first_department(run: Run, first: Integers, end: Integers) -> Ids:
    """[cases] the department of the first of the items [first, end) whose step has one, -1 where none has."""
    of_step, step = step_department(run), run.workload.step
    owned = np.append(np.flatnonzero((of_step >= 0)[step]), len(step))
    at = owned[np.searchsorted(owned, first)]
    return np.where(at < end, np.append(of_step[step], np.int32(-1))[at], np.int32(-1))


@once
def item_cells(run: Run) -> Cells:
    """Items of counted cases by class, step and department of the step. Only steps that need somebody have a group."""
    work, plan, items = run.workload, run.plan, counted(run).items
    n_classes = max(1, len(work.classes))
    cell = work.step[items] * np.int32(n_classes) + work.case_class[work.case[items]]
    staffed = np.flatnonzero(work.steps.skill >= 0)
    place = np.full(len(work.steps.names), -1)
    place[staffed] = np.arange(len(staffed))
    step, klass = np.divmod(np.arange(len(place) * n_classes), n_classes)
    ways = (
        everything(len(step)),
        way("class", work.classes, klass),
        way("step", [work.steps.names[s] for s in staffed], place[step]),
        way("department", plan.departments, step_department(run)[step]),
    )
    return Cells(cell, len(step), Groups(ways))


@once
def outcomes(run: Run) -> NDArray[np.int64]:
    """[cells of cases, outcomes] number of counted cases."""
    cells, n = case_cells(run), len(Outcome)
    code = cells.cell * np.int32(n) + run.log.outcome[counted(run).cases]
    return counts(code, cells.n * n).reshape(cells.n, n)


@once
def ended(run: Run) -> NDArray[np.bool_]:
    """[counted cases] True for cases that were completed or rejected."""
    outcome = run.log.outcome[counted(run).cases]
    return np.isin(outcome, (Outcome.COMPLETED, Outcome.REJECTED))


def of_kind(run: Run, *kinds: str) -> NDArray[np.bool_]:
    """[steps] True for steps of one of these kinds."""
    return np.array([kind in kinds for kind in run.workload.steps.kind], bool)
