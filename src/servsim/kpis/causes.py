"""Why work waits: every tick between enabled and started has exactly one cause (docs/semantics.md, rule 10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from servsim.kpis.facts import case_cells, counted, item_cells
from servsim.kpis.groups import Floats, counts, ratio, totals
from servsim.kpis.kpi import Pairs, kpi, once
from servsim.kpis.promises import MISSED, states
from servsim.quantities import MINUTE
from servsim.records import Run
from servsim.records.arrays import Ticks

Flags = NDArray[np.bool_]
FOR_EVER = np.iinfo(np.int64).max


class Causes(NamedTuple):
    """[items] ticks between enabled and the end of waiting (the first start; else the customer's leaving or the stop of
    the clock), by cause. Zero for items that were not enabled or need nobody."""

    dispatch_delay: Ticks  # not offered yet
    nobody_on_shift: Ticks  # nobody able is on duty (a break is not absence)
    overtaken: Ticks  # since an item that came later was taken up first
    busy: Ticks  # everybody able who is on duty is busy


def causes(run: Run) -> Causes:
    """The causes of each item's waiting; they add up to it."""
    work, log = run.workload, run.log
    began, until = log.enabled_at, waiting_until(run)
    waits = (work.skill >= 0) & (began >= 0) & (until > began)
    at_once = not work.hold.any() and (log.offered_at >= 0).all()
    offered = log.offered_at if at_once else np.where(log.offered_at >= 0, np.minimum(log.offered_at, until), until)
    delay, absent, overtaken = (np.zeros(len(began), np.int64) for _ in range(3))
    if not at_once:
        delay[waits] = (offered - began)[waits]
    later = _first_overtaken(run, offered, until)
    unmanned = [Unmanned.of(run, skill) for skill in range(len(run.plan.skills))]
    if later is not until or any(spans.begin[0] < run.window.until for spans in unmanned):
        for part in _parts(run, offered, until, waits):
            split = np.clip(later[part.item], part.begin, part.end)
            before, after = (
                unmanned[part.skill].time(*ends) for ends in ((part.begin, split), (split, part.end))
            )
            absent[part.item] += before + after
            overtaken[part.item] += part.end - split - after
    busy = np.where(waits, until - offered, 0) - absent - overtaken
    return Causes(delay, absent, overtaken, busy)


def waiting_until(run: Run) -> Ticks:
    """[items] when waiting ended: the first start, else the item's withdrawal, the case's leaving or the stop of
    the clock."""
    log = run.log
    if (log.started_at >= 0).all():
        return log.started_at
    left = np.where(log.left_at >= 0, log.left_at, run.window.until)[run.workload.case]
    left[log.withdrawn_item] = log.withdrawn_at
    return np.where(log.started_at >= 0, log.started_at, np.maximum(left, log.enabled_at))


class Part(NamedTuple):
    """Waiting in the queue of one skill."""

    skill: int
    item: NDArray[np.int64]
    begin: Ticks
    end: Ticks


def _parts(run: Run, offered: Ticks, until: Ticks, waits: Flags) -> list[Part]:
    """Waiting by the skill in whose queue it is spent; escalated items wait in one queue after the other."""
    log, skill, end = run.log, run.workload.skill.astype(np.int64), until.copy()
    moves = []
    for item, at in zip(log.escalated_item.tolist()[::-1], log.escalated_at.tolist()[::-1], strict=True):
        moves.append((item, at, int(end[item])))  # from the last move to the first: each ends where the next begins
        end[item] = at
    rows = np.flatnonzero(waits & (end > offered))
    pieces = [(skill[rows], rows, offered[rows], end[rows])]
    for item, at, to in moves[::-1]:
        skill[item] = run.plan.escalate_to[skill[item]]
        pieces.append((skill[[item]], np.array([item]), np.array([at]), np.array([to])))
    of, *columns = (np.concatenate(column) for column in zip(*pieces, strict=True))
    chosen = (np.flatnonzero(of == number) for number in range(len(run.plan.skills)))
    return [Part(number, *(column[of_it] for column in columns)) for number, of_it in enumerate(chosen) if len(of_it)]


def _first_overtaken(run: Run, offered: Ticks, until: Ticks) -> Ticks:
    """[items] when an item of the same skill that was offered later was first taken up; `until` where none was."""
    skill, enabled = run.workload.skill, run.log.enabled_at
    if (offered[1:] >= offered[:-1]).all() and (until[1:] >= until[:-1]).all() and (run.log.started_at >= 0).all():
        return until  # all in the order in which they came
    started = np.where(run.log.started_at >= 0, run.log.started_at, FOR_EVER)
    found = until.copy()
    moved = np.zeros(len(skill), bool)
    moved[run.log.escalated_item] = True
    for number in range(len(run.plan.skills)):
        rows = np.flatnonzero((skill == number) & (enabled >= 0) & ~moved)
        came = offered[rows]
        if (came[1:] < came[:-1]).any():
            rows = rows[np.argsort(came, kind="stable")]
            came = offered[rows]
        taken = started[rows]
        if (taken[1:] >= taken[:-1]).all():
            continue
        earliest = np.minimum.accumulate(taken[::-1])[::-1]  # among this one and all that came after it
        after = np.searchsorted(came, came, side="right")  # the first that came later, not at the same tick
        found[rows] = np.minimum(np.append(earliest, FOR_EVER)[after], until[rows])
    return found


@dataclass(frozen=True)
class Unmanned:
    """The spans of time, from tick 0 for ever, during which nobody able to do a skill is on duty."""

    begin: Ticks
    end: Ticks

    @classmethod
    def of(cls, run: Run, skill: int) -> Unmanned:
        worker, begin, end = run.duties
        able = run.plan.pace[worker, skill] > 0
        come, go = begin[able], end[able]
        order = np.argsort(come, kind="stable")
        come, gone = np.append(come[order], FOR_EVER), np.append(0, np.maximum.accumulate(go[order]))
        alone = np.flatnonzero(come > gone)
        return cls(gone[alone], come[alone])

    def time(self, begin: Ticks, end: Ticks) -> Ticks:
        """Unmanned ticks in each span [begin, end)."""
        if not len(end) or self.begin[0] >= end.max():
            return np.zeros(len(end), np.int64)
        total = np.append(0, np.cumsum(self.end[:-1] - self.begin[:-1]))

        def until(at: Ticks) -> Ticks:
            i = np.maximum(np.searchsorted(self.begin, at, side="right") - 1, 0)
            return np.asarray(total[i] + np.clip(np.minimum(at, self.end[i]) - self.begin[i], 0, None))

        return until(end) - until(begin)


# ------------------------------------------------------------------ the figures

LABELS = {
    "dispatch_delay": ("the dispatch delay", "派单延迟"),
    "nobody_on_shift": ("nobody on shift", "无人在岗"),
    "overtaken": ("others taken first", "被优先件插队"),
    "busy": ("everybody busy", "人员全忙"),
}


class Figures(NamedTuple):
    """What the KPIs of this family say; the causes of single items are not kept."""

    means: dict[str, Floats]  # by cause: [groups of items] minutes, of the items whose wait is in waiting_mean
    late: Floats  # [causes and other, groups of cases] share of the cases answered late, by their main cause


@once
def figures(run: Run) -> Figures:
    found = causes(run)
    return Figures(_means(run, found), _late(run, found))


def _means(run: Run, found: Causes) -> dict[str, Floats]:
    cells, items = item_cells(run), counted(run).items
    served = (run.log.started_at[items] >= 0) & (run.workload.skill[items] >= 0)
    cell = cells.cell if served.all() else cells.cell[served]
    n, nil = cells.groups.sums(counts(cell, cells.n)), np.zeros(cells.n)

    def total(ticks: Ticks) -> Floats:
        return totals(cell, ticks[items] if served.all() else ticks[items][served], cells.n) if ticks.any() else nil

    return {name: ratio(cells.groups.sums(total(ticks)), n) / MINUTE for name, ticks in found._asdict().items()}


def _waiting_because(name: str, english: str, chinese: str) -> None:
    @kpi(f"wait_{name}", "min", "lower", f"waiting per work item: {english}", f"每个工作项的等待时间：{chinese}")
    def figure(run: Run) -> Pairs:
        return item_cells(run).groups.pairs(figures(run).means[name])

    figure.__doc__ = f"""Waiting of the items in waiting_mean that is due to {english}; the causes add up to it. NaN
    where no item was started."""


def _late(run: Run, found: Causes) -> Floats:
    """By the cause of most of the time until the first response; "other" is work, hand-overs and delays before it."""
    work, log, of, cells = run.workload, run.log, counted(run), case_cells(run)
    cases, items, n_kinds = of.cases, of.items, len(found) + 1
    answered, left = run.responded_at[cases], log.left_at[cases]
    late = np.zeros(len(answered), bool)
    for promise, event in enumerate(work.promise_event):
        if event == "first_response":
            late |= states(run, event, work.due_at[promise, cases]) == MISSED
    if not late.any():
        return np.full((n_kinds, len(cells.groups.sums(np.zeros(cells.n)))), np.nan)
    answered = np.where(answered >= 0, answered, np.where(left >= 0, left, run.window.until))
    case, enabled = of.place_of_case(work.case[items]), log.enabled_at[items]
    before = late[case] & (enabled >= 0) & (enabled <= answered[case])
    spent = np.stack([totals(case[before], ticks[items][before], len(answered)) for ticks in found])[:, late]
    other = (answered - work.arrived_at[cases])[late] - spent.sum(axis=0)
    main = np.concatenate([spent, other[None]]).argmax(axis=0)
    count = counts(cells.cell[late].astype(np.int64) * n_kinds + main, cells.n * n_kinds).reshape(cells.n, n_kinds)
    sums = np.stack([cells.groups.sums(column) for column in count.T])
    return ratio(sums, np.broadcast_to(sums.sum(axis=0), sums.shape))


def _late_because(place: int, name: str, english: str, chinese: str) -> None:
    @kpi(f"late_{name}", "share", None, f"of those answered late: mostly {english}", f"超时件中主要因{chinese}的比例")
    def figure(run: Run) -> Pairs:
        return case_cells(run).groups.pairs(figures(run).late[place])

    figure.__doc__ = f"""Share of the cases answered late whose time until then was mostly due to {english}. NaN where
    none was late."""


OTHER = {"other": ("work and hand-overs before", "之前的处理与移交")}
for _name, _texts in LABELS.items():
    _waiting_because(_name, *_texts)
for _place, (_name, _texts) in enumerate({**LABELS, **OTHER}.items()):
    _late_because(_place, _name, *_texts)
