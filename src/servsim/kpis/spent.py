"""Where the time goes: waiting by its cause, the whole time of cases, and what made cases late."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from servsim.kpis.causes import CAUSES, JOINING, Causes, Flags, Rows, Waiting
from servsim.kpis.cycle import BEFORE, SPENT, WORKING, last_items, spent, stays, time_on_clock
from servsim.kpis.facts import case_cells, counted, ended, item_cells, step_department
from servsim.kpis.groups import Floats, Groups, counts, everything, ratio, totals, way
from servsim.kpis.kpi import Better, Pairs, kpi, once
from servsim.kpis.promises import missed
from servsim.quantities import MINUTE
from servsim.records import Run
from servsim.records.arrays import Ticks

LABELS = {
    "dispatch_delay": ("the dispatch delay", "派单延迟"),
    "nobody_on_shift": ("nobody on shift", "无人在岗"),
    "outage": ("an outage", "系统中断"),
    "required_person": ("the person it has to be", "等待指定人员"),
    "overtaken": ("others taken first", "被优先件插队"),
    "busy": ("everybody busy", "人员全忙"),
    "meeting": ("the meeting not yet held", "等待会议召开"),
    "handover": ("hand-over", "移交途中"),
    "joining": ("other branches not ready", "等待其他并行分支"),
    "working": ("work", "办理中"),
    "interrupted": ("work laid down", "办理中断"),
    "delays": ("the customer, and what runs by itself", "等待客户及自动环节"),
    "before_start": ("what was before the start", "模拟开始之前"),
}


class Figures(NamedTuple):
    """What the KPIs of this family say; the causes of single items are not kept."""

    waits: dict[str, Floats]  # by cause: [groups of waiting] minutes per work item
    times: dict[str, Floats]  # by what it is spent on: [groups of time] minutes per case that ended
    late: dict[str, list[tuple[str, float]]]  # by what it is spent on: share of the late cases, by group


@once
def figures(run: Run) -> Figures:
    waiting = Waiting(run)
    found = waiting.causes()
    total = _totals(run, found)
    return Figures(_waits(run, total), _times(waiting, found, total), _late(waiting))


def _cells(run: Run, steps: Flags) -> Groups:
    """Groups of items as in item_cells, with groups for these steps."""
    work, n_classes = run.workload, max(1, len(run.workload.classes))
    place = np.full(len(work.steps.names), -1)
    place[steps] = np.arange(steps.sum())
    step, klass = np.divmod(np.arange(len(place) * n_classes), n_classes)
    names = [name for name, chosen in zip(work.steps.names, steps.tolist(), strict=True) if chosen]
    return Groups(
        (
            everything(len(step)),
            way("class", work.classes, klass),
            way("step", names, place[step]),
            way("department", run.plan.departments, step_department(run)[step]),
        )
    )


def _of_way(groups: Groups, name: str) -> Flags:
    """[groups] whether they belong to this way of grouping."""
    return np.concatenate([np.full(len(one.labels), one.name == name) for one in groups.ways])


# ------------------------------------------------------------------ waiting of items


@once
def waiting_groups(run: Run) -> Groups:
    """Groups of items; steps where something waits: for somebody, for a meeting, on the way, for other branches."""
    steps, work = run.workload.steps, run.workload
    waits = (steps.skill >= 0) | np.isin(steps.kind, ("handoff", "meeting", "board"))
    if len(work.gate):
        waits[work.step[work.gate >= 0]] = True
    return _cells(run, waits)


def _totals(run: Run, found: Causes) -> Floats:
    """[causes, cells of items] of the items of counted cases that were started."""
    items, cell, n = counted(run).items, item_cells(run).cell, item_cells(run).n
    done = run.log.started_at[items] >= 0
    cell = cell if done.all() else cell[done]
    nil = np.zeros(n)

    def total(ticks: Ticks) -> Floats:
        return totals(cell, ticks[items] if len(cell) == len(done) else ticks[items][done], n)

    return np.stack([total(ticks) if ticks.any() else nil for ticks in found])


def _waits(run: Run, total: Floats) -> dict[str, Floats]:
    work, items, groups = run.workload, counted(run).items, waiting_groups(run)
    cell, n = item_cells(run).cell, item_cells(run).n
    done, by_people = run.log.started_at[items] >= 0, work.skill[items] >= 0
    visits = counts(cell, n) if done.all() else counts(cell[done], n)
    served = visits if by_people.all() else counts(cell[done & by_people], n)
    staffed = np.repeat(work.steps.skill >= 0, max(1, len(work.classes)))
    by_visit = groups.sums(np.where(staffed, served, visits))
    size = np.where(_of_way(groups, "step"), by_visit, groups.sums(served))
    return {name: ratio(groups.sums(row), size) / MINUTE for name, row in zip(CAUSES, total, strict=True)}


def _waiting_because(name: str, english: str, chinese: str) -> None:
    @kpi(f"wait_{name}", "min", "lower", f"waiting per work item: {english}", f"每个工作项的等待时间：{chinese}")
    def figure(run: Run) -> Pairs:
        return waiting_groups(run).pairs(figures(run).waits[name])

    figure.__doc__ = f"""Waiting that is due to {english} ÷ items in waiting_mean; of a step that needs nobody: ÷ visits
    begun. What waits for somebody adds up to waiting_mean; meetings, hand-overs and joins come on top. NaN where no
    item was started."""


# ------------------------------------------------------------------ the whole time of cases


@once
def time_groups(run: Run) -> Groups:
    """Groups of items by what the whole time of cases can be told apart."""
    return _cells(run, np.ones(len(run.workload.steps.names), bool))


def _times(waiting: Waiting, found: Causes, waits: Floats) -> dict[str, Floats]:
    run, groups, by_case = waiting.run, time_groups(waiting.run), case_cells(waiting.run)
    through = ended(run)
    cases = np.arange(run.workload.n_cases)[counted(run).cases][through]
    cell = by_case.cell[through]
    n = by_case.groups.only("all", "class").sums(counts(cell, by_case.n))
    size = np.full(len(_of_way(groups, "class")), n[0])
    size[_of_way(groups, "class")] = n[1:]
    means = [ratio(groups.sums(row), size) / MINUTE for row in _time_totals(waiting, found, waits, cases)]
    before = np.maximum(0, -run.workload.arrived_at[cases])
    if before.any():
        sums = by_case.groups.only("all", "class").sums(totals(cell, before, by_case.n))
        means[BEFORE][_of_way(groups, "all") | _of_way(groups, "class")] = ratio(sums, n) / MINUTE
    return dict(zip(SPENT, means, strict=True))


def _time_totals(waiting: Waiting, found: Causes, waits: Floats, cases: Rows) -> Floats:
    """[what it is spent on, cells of items] of counted cases, these, that ended."""
    run, of, cells = waiting.run, counted(waiting.run), item_cells(waiting.run)
    work, log, total = run.workload, run.log, np.zeros((len(SPENT), cells.n))
    if len(cases) == len(case_cells(run).cell) and not len(work.fork_item) and (log.completed_at[of.items] >= 0).all():
        total[:JOINING] = waits[:JOINING]  # all that they waited, and they did one thing after the other
        if not len(log.stretch_item) and (work.skill[of.items] >= 0).all():
            total[WORKING] = totals(cells.cell, (log.completed_at - log.started_at)[of.items], cells.n)
            return total
        found = Causes(*[np.empty(0, np.int64)] * len(CAUSES))
    for what, item, ticks in spent(waiting, found, stays(run, last_items(run, cases))):
        total[what] += totals(cells.cell[of.place_of_item(item)], ticks, cells.n)
    return total


def _time_spent(name: str, english: str, chinese: str) -> None:
    better: Better = None if name in ("working", "before_start") else "lower"

    @kpi(f"time_{name}", "min", better, f"time per case: {english}", f"每个事项的时间：{chinese}")
    def figure(run: Run) -> Pairs:
        return time_groups(run).pairs(figures(run).times[name])

    figure.__doc__ = f"""Time per counted case that ended that went into {english}; of branches that run at the same
    time only the one that held the case up counts, so that all kinds together are cycle_time_mean. By step and
    department: what was spent there, of the same cases. NaN without such cases."""


# ------------------------------------------------------------------ what made cases late


def _late(waiting: Waiting) -> dict[str, list[tuple[str, float]]]:
    """Of the cases that missed a promise the share by what most of the time on its clock went into."""
    run, cells = waiting.run, case_cells(waiting.run)
    shares = np.full((len(SPENT), len(cells.groups.sums(np.zeros(cells.n)))), np.nan)
    of_promises: list[list[tuple[str, float]]] = [[] for _ in SPENT]
    for promise, (name, event) in enumerate(zip(run.workload.promises, run.workload.promise_event, strict=True)):
        late = np.flatnonzero(missed(run, promise))
        main = late
        if len(late):
            cases = np.arange(run.workload.n_cases)[counted(run).cases][late]
            main = time_on_clock(waiting, promise, cases).argmax(axis=0)
        code = cells.cell[late].astype(np.int64) * len(SPENT) + main
        count = counts(code, cells.n * len(SPENT)).reshape(cells.n, len(SPENT)).T
        if event == "first_response":
            sums = np.stack([cells.groups.sums(row) for row in count])
            shares = ratio(sums, np.broadcast_to(sums.sum(axis=0), sums.shape))
        of_all = ratio(count.sum(axis=1), np.full(len(SPENT), len(late)))
        for rows, share in zip(of_promises, of_all.tolist(), strict=True):
            rows.append((f"promise={name}", share))
    every = zip(SPENT, shares, of_promises, strict=True)
    return {what: [*cells.groups.pairs(row), *more] for what, row, more in every}


def _late_because(name: str, english: str, chinese: str) -> None:
    @kpi(f"late_{name}", "share", None, f"of those answered late: mostly {english}", f"超时件中主要因{chinese}的比例")
    def figure(run: Run) -> Pairs:
        return figures(run).late[name]

    figure.__doc__ = f"""Share of the cases answered late whose time until then was mostly due to {english};
    "promise=…": of the cases that missed this promise, of the time from where its clock begins until what was promised
    happened, hours and steps in which the clock stands still left out. NaN where none was late."""


for _name, _texts in LABELS.items():
    if _name in CAUSES:
        _waiting_because(_name, *_texts)
for _name in SPENT:
    _time_spent(_name, *LABELS[_name])
for _name in SPENT:
    _late_because(_name, *LABELS[_name])
