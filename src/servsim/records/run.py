"""One replication of one scenario: plan, workload and log together, and the tables people read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from servsim.quantities import MINUTE
from servsim.records.arrays import Codes, Ids, Ticks, digest
from servsim.records.course import Course, State, course
from servsim.records.eventlog import EventLog
from servsim.records.plan import Plan
from servsim.records.silences import Silent
from servsim.records.workload import NEVER, Outcome, Workload

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Window:
    """Cases that arrive in [begin, end) are counted, from `since` on where it is given; the clock runs from 0 to
    `until`."""

    begin: int
    end: int
    until: int
    since: int | None = None
    """before 0: the backlog is counted too"""

    @property
    def counts_from(self) -> int:
        """Cases that arrive from here on are counted."""
        return self.begin if self.since is None else self.since


@dataclass(frozen=True)
class Run:
    """What one replication was given and what came of it."""

    scenario: str
    start: np.datetime64  # date and time of tick 0
    window: Window
    plan: Plan
    workload: Workload
    log: EventLog
    seed: int = 0
    replication: int = 0

    # ------------------------------------------------------------------ derived columns, in ticks
    @cached_property
    def responded_at(self) -> Ticks:
        """[cases] first start of a step that answers the customer, -1 where there was none, or before the start."""
        work, started = self.workload, self.log.started_at
        answers = (work.steps.responds[work.step] == 1) & (started >= 0)
        at = np.full(work.n_cases, np.iinfo(np.int64).max)
        np.minimum.at(at, work.case[answers], started[answers])
        at[at == np.iinfo(np.int64).max] = -1
        at[np.flatnonzero(work.answered_before)] = -1
        return at

    @cached_property
    def alerted_at(self) -> Ticks:
        """[items] when the item was reported as not started in time, -1 where it was not."""
        work, log, none = self.workload, self.log, np.full(self.workload.n_items, -1)
        if not len(self.plan.alert_after):
            return none
        at = log.offered_at + np.append(self.plan.alert_after, -1)[work.skill]
        waits = (log.offered_at >= 0) & (np.append(self.plan.alert_after, -1)[work.skill] >= 0)
        left = log.left_at[work.case]
        ends = np.where(log.started_at >= 0, log.started_at, np.where(left >= 0, left, self.window.until))
        return np.where(waits & (at < np.minimum(ends, self.window.until)), at, none)

    @cached_property
    def delivered_at(self) -> Ticks:
        """[cases] when all but signatures that may follow was done, -1 where it was not, or the case was rejected."""
        work, log = self.workload, self.log
        at = np.where(log.outcome == Outcome.COMPLETED, log.left_at, -1)
        ends = np.flatnonzero(work.delivers == 1)
        at[work.case[ends]] = log.completed_at[ends]
        return np.where(log.outcome == Outcome.ABANDONED, -1, at)

    @cached_property
    def courses(self) -> tuple[Course, ...]:
        """[promises] what became of each, case by case."""
        return tuple(course(self, promise) for promise in range(len(self.workload.promises)))

    @cached_property
    def counted(self) -> np.ndarray:
        """[cases] True for cases that arrive within the window."""
        at = self.workload.arrived_at
        return (at >= self.window.counts_from) & (at < self.window.end)

    @cached_property
    def item_department(self) -> Ids:
        """[items] department that owns the step's skill, -1 for steps that need nobody."""
        of_skill = np.append(self.plan.department_of_skill(), np.int32(-1))  # the last one stands for -1
        return of_skill[self.workload.skill]

    @cached_property
    def duties(self) -> tuple[Ids, Ticks, Ticks]:
        """(worker, from, to) of everybody's presence, by worker and time: as rostered, of the reserve as called, and
        where the idle leave first as it came about."""
        plan, log = self.plan, self.log
        if not len(log.reserve_worker) and not plan.idle_first.any():
            return plan.duty_worker, plan.duty_from, plan.duty_to
        places = np.isin(plan.worker_pool[plan.duty_worker], np.flatnonzero(plan.idle_first))
        fixed = np.flatnonzero(~places)
        worker = np.concatenate([plan.duty_worker[fixed], log.reserve_worker, log.duty_worker])
        begin = np.concatenate([plan.duty_from[fixed], log.reserve_from, log.duty_from])
        end = np.concatenate([plan.duty_to[fixed], log.reserve_to, log.duty_to])
        order = np.lexsort((end, begin, worker))
        return worker[order], begin[order], end[order]

    @cached_property
    def moves(self) -> list[tuple[int, int, int]]:
        """(item, tick, skill) of items that moved to another queue, by escalation or by silence, in order of time."""
        log, of, skill = self.log, self.workload.silences, self.workload.skill.astype(np.int64)
        away = of.then[self.workload.step[log.silent_item]] == Silent.ESCALATE if of else np.zeros(0, bool)
        found = [(at, 0, k, item) for k, (item, at) in enumerate(_pairs(log.escalated_item, log.escalated_at))]
        found += [(at, 1, k, item) for k, (item, at) in enumerate(_pairs(log.silent_item[away], log.silent_at[away]))]
        told: list[tuple[int, int, int]] = []
        spoken = {(item, at) for at, silent, _, item in found if silent}
        for at, silent, _, item in sorted(found):
            if (item, at) in spoken and (silent or not self._moves_before_silence(item, at, int(skill[item]), told)):
                spoken.remove((item, at))
                skill[item] = of.to[self.workload.step[item]]
                told.append((item, at, int(skill[item])))
            if not silent:
                skill[item] = self.plan.escalate_to[skill[item]]
                told.append((item, at, int(skill[item])))
        return told

    def _moves_before_silence(self, item: int, at: int, skill: int, told: list[tuple[int, int, int]]) -> bool:
        """True if the escalation at that tick is due in the queue in which the item stands since an earlier one; of
        those due at a tick the first comes before silence, all others after it (rule 2)."""
        work, log = self.workload, self.log
        tries = log.blocked_at[(log.blocked_item == item) & (log.blocked_at < at)]
        lags = work.redial[work.case[item]] if work.redial.size else tries
        again = [int(tries[-1] + lags[(len(tries) - 1) % len(lags)])] if len(tries) else []
        entered = max([int(log.offered_at[item]), *again, *(when for moved, when, _ in told if moved == item)])
        drawn = int(work.timer_of[skill]) if len(work.timer_of) else -1
        after = int(work.timer[drawn, item] if drawn >= 0 else self.plan.escalate_after[skill])
        return entered < at and after >= 0 and entered + after == at

    @cached_property
    def silent(self) -> Ids:
        """The items that were decided by silence."""
        of, item = self.workload.silences, self.log.silent_item
        return item[of.then[self.workload.step[item]] != Silent.ESCALATE] if of else item

    @cached_property
    def returned(self) -> Codes:
        """[items] 1: the visit ends in a return, if it ends by somebody's word."""
        returned = self.workload.returned
        if len(self.silent):
            returned = returned.copy()
            returned[self.silent] = 0
        return returned

    @cached_property
    def refused(self) -> Codes:
        """[items] 1: a signature refused after the work, if it is not given by silence; empty: there are none."""
        refused = self.workload.refused
        if len(self.silent) and len(refused):
            refused = refused.copy()
            refused[self.silent] = 0
        return refused

    def stretches(self) -> tuple[Ids, Ids, Ticks, Ticks]:
        """(item, worker, from, to) of every stretch of work by a worker, those who help included; `to` is the clock's
        stop for work in hand."""
        log = self.log
        broken = np.zeros(self.workload.n_items, bool)
        broken[log.stretch_item] = True
        whole = np.flatnonzero((log.worker >= 0) & (log.started_at >= 0) & ~broken).astype(np.int32)
        ends = log.completed_at[whole]
        until = np.where(ends >= 0, ends, self.window.until)
        return (
            np.concatenate([whole, log.stretch_item, log.helper_item]),
            np.concatenate([log.worker[whole], log.stretch_worker, log.helper_worker]),
            np.concatenate([log.started_at[whole], log.stretch_from, log.helper_from]),
            np.concatenate([until, log.stretch_to, log.helper_to]),
        )

    @cached_property
    def _worked(self) -> Ticks:
        """[items] from started to completed, less interruptions; of no meaning for items that are not completed."""
        log = self.log
        time = log.completed_at - log.started_at
        time[log.stretch_item] = 0
        np.add.at(time, log.stretch_item, log.stretch_to - log.stretch_from)
        return time

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the event log."""
        return digest(self.log)

    # ------------------------------------------------------------------ tables
    def when(self, at: Ticks) -> np.ndarray:
        """Ticks as datetime64[us], NaT where -1."""
        return self.instant(at, (at >= 0) & (at < NEVER))

    def instant(self, at: Ticks, known: np.ndarray) -> np.ndarray:
        """Ticks as datetime64[us], also before the start; NaT where not known."""
        stamps = self.start.astype("datetime64[us]") + at.astype("timedelta64[us]")
        return np.where(known, stamps, np.datetime64("NaT", "us"))

    @cached_property
    def cases(self) -> pd.DataFrame:
        """One row per case that came: case, case_class, channel, source, arrived_at, responded_at, left_at, outcome,
        counted, and for each promise due_<promise>, breached_<promise>. Instants are timestamps, NaT where it did not
        happen."""
        import pandas as pd

        work, log = self.workload, self.log
        columns: dict[str, object] = {
            "case": np.arange(work.n_cases),
            "case_class": named(work.classes, work.case_class),
            "channel": named(work.channels, work.channel),
            "source": named(work.sources, work.source),
            "arrived_at": self.instant(work.arrived_at, work.arrived_at < NEVER),
            "responded_at": self.when(self.responded_at),
            "left_at": self.when(log.left_at),
            "outcome": named(tuple(o.name.lower() for o in Outcome), log.outcome),
            "counted": self.counted,
        }
        for promise, of in zip(work.promises, self.courses, strict=True):
            known = of.state != State.NOTHING
            columns[f"due_{promise}"] = self.instant(of.due_at, known & (of.due_at != -1))
            columns[f"breached_{promise}"] = self.instant(of.breached_at, of.missed)
        return pd.DataFrame(columns)[work.arrived_at < NEVER]

    @cached_property
    def items(self) -> pd.DataFrame:
        """One row per work item that was enabled: item, case, case_class, channel, step, kind, visit, skill,
        department, pool, worker, enabled_at, offered_at, started_at, completed_at, waiting and processing in min."""
        import pandas as pd

        plan, work, log = self.plan, self.workload, self.log
        keep = np.flatnonzero(log.enabled_at >= 0)
        step, case, worker = work.step[keep], work.case[keep], log.worker[keep]
        pool = np.where(worker >= 0, plan.worker_pool[worker], -1) if len(plan.workers) else np.full(len(keep), -1)
        started, completed, enabled = log.started_at[keep], log.completed_at[keep], log.enabled_at[keep]
        return pd.DataFrame(
            {
                "item": keep,
                "case": case,
                "case_class": named(work.classes, work.case_class[case]),
                "channel": named(work.channels, work.channel[case]),
                "step": named(work.steps.names, step),
                "kind": named(work.steps.kind, step),
                "visit": work.visit[keep],
                "skill": named(plan.skills, work.skill[keep]),
                "department": named(plan.departments, self.item_department[keep]),
                "pool": named(plan.pools, pool),
                "worker": named(plan.workers, worker),
                "enabled_at": self.when(enabled),
                "offered_at": self.when(log.offered_at[keep]),
                "started_at": self.when(started),
                "completed_at": self.when(completed),
                "waiting": np.where(started >= 0, (started - enabled) / MINUTE, np.nan),
                "processing": np.where(completed >= 0, self._worked[keep] / MINUTE, np.nan),
            }
        )


def _pairs(item: Ids, at: Ticks) -> Iterator[tuple[int, int]]:
    return zip(item.tolist(), at.tolist(), strict=True)


def named(names: tuple[str, ...], codes: NDArray[Any]) -> pd.Series[Any]:
    """Codes as a categorical column of names (which may repeat); -1 is missing."""
    import pandas as pd

    categories = list(dict.fromkeys(names))
    category = np.array([*(categories.index(name) for name in names), -1])  # the last one stands for -1
    dtype = pd.CategoricalDtype(categories)
    return pd.Series(pd.Categorical.from_codes(category[codes], dtype=dtype))
