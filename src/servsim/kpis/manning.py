"""When is there somebody for a queue: able and on duty, and not stopped by an outage (docs/semantics.md, rule 10)?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from servsim.records import Run
from servsim.records.arrays import Ticks


@dataclass(frozen=True)
class Spans:
    """Spans of time [begin, end), in order and apart from one another."""

    begin: Ticks
    end: Ticks

    @classmethod
    def union(cls, begin: Ticks, end: Ticks) -> Spans:
        """What any of these spans covers."""
        order = np.argsort(begin, kind="stable")
        order = order[(end > begin)[order]]
        begin, reach = begin[order], np.maximum.accumulate(end[order])
        first = np.append(True, begin[1:] > reach[:-1]) if len(begin) else np.zeros(0, bool)
        return cls(begin[first], reach[np.append(first[1:], True)] if len(begin) else reach)

    def without(self, other: Spans) -> Spans:
        """What these spans cover and the others do not."""
        at = np.concatenate([self.begin, self.end, other.begin, other.end])
        ones, n = np.ones(len(self.begin), np.int64), np.ones(len(other.begin), np.int64)
        order = np.argsort(at, kind="stable")
        ours = np.cumsum(np.concatenate([ones, -ones, 0 * n, 0 * n])[order])
        theirs = np.cumsum(np.concatenate([0 * ones, 0 * ones, n, -n])[order])
        left = np.flatnonzero((ours > 0) & (theirs == 0))
        return Spans.union(at[order][left], at[order][left + 1]) if len(left) else Spans(at[:0], at[:0])

    def covers(self, begin: int, end: int) -> bool:
        """Is all of [begin, end) in one of the spans?"""
        return bool(((self.begin <= begin) & (self.end >= end)).any())

    def time(self, begin: Ticks, end: Ticks) -> Ticks:
        """Ticks of each span [begin, end), from 0 on, that are covered."""
        return self._before(end) - self._before(begin)

    def _before(self, at: Ticks) -> Ticks:
        total = np.append(0, np.cumsum(self.end - self.begin))
        i = np.searchsorted(self.begin, at, side="right")
        return np.asarray(total[i] - np.maximum(np.append(0, self.end)[i] - at, 0))


NOBODY: frozenset[int] = frozenset()


class Manning:
    """For each queue when somebody who may serve it is on duty, and when somebody of these can work.

    A break is not absence; who finishes something after the shift is not on duty. Pools to which a queue overflows
    count while they may take what is there; `of_age` says how many of their ages the item has passed.
    """

    def __init__(self, run: Run, crowded: Callable[[int, int], Spans]) -> None:
        """`crowded(queue, n)`: when at least so many wait in the queue."""
        self.run, self.crowded = run, crowded
        self.duties = run.duties
        self.any_outage = bool(len(run.log.down_unit))
        self.like_step = self._like_step()  # [steps] the first step that needs the same systems
        overflow, shape = run.plan.overflow, (len(run.plan.pools), len(run.plan.skills))
        self.conditional = overflow.conditional(*shape)
        self.ages = [np.unique(column[column >= 0]).tolist() for column in overflow.after.T]  # [queues] or empty
        self._kept: dict[object, Spans] = {}
        self._workers: dict[tuple[int, int], dict[int, Spans]] = {}

    def always(self) -> bool:
        """Is somebody able to work on duty for every queue at every tick?"""
        until = self.run.window.until
        return not self.any_outage and all(self.on_duty(q).covers(0, until) for q in range(len(self.run.plan.skills)))

    def on_duty(self, queue: int, of_age: int = 0) -> Spans:
        """When anybody who may serve the queue is on duty."""
        return self._once((queue, of_age), lambda: self._together(self._on_duty(queue, of_age)))

    def at_work(self, queue: int, step: int, of_age: int = 0, but: frozenset[int] = NOBODY) -> Spans:
        """When any of these can work, but certain persons, and what the step needs is up."""
        like = int(self.like_step[step])
        return self._once((queue, of_age, like, but), lambda: self._at_work(queue, like, of_age, but))

    def _once(self, key: object, made: Callable[[], Spans]) -> Spans:
        if key not in self._kept:
            self._kept[key] = made()
        return self._kept[key]

    # ------------------------------------------------------------------ who is there
    def _on_duty(self, queue: int, of_age: int) -> dict[int, Spans]:
        """By pool: when anybody of it is on duty and may take what waits."""
        plan, (worker, begin, end) = self.run.plan, self.duties
        able = plan.pace[worker, queue] > 0
        pool, found = plan.worker_pool[worker], {}
        for one in np.unique(pool[able]).tolist():
            rows = able & (pool == one)
            found[one] = self._while_open(Spans.union(begin[rows], end[rows]), one, queue, of_age)
        return found

    def _at_work(self, queue: int, step: int, of_age: int, but: frozenset[int]) -> Spans:
        together = self.on_duty(queue, of_age)
        if self.any_outage or but:
            person, found = self.run.plan.person_of().tolist(), self._by_worker(queue, of_age)
            together = self._together({one: spans for one, spans in found.items() if person[one] not in but})
        needs, of = self.run.workload.steps.needs, self.run.plan.systems
        needed = np.flatnonzero(needs[step]) if len(needs) else np.empty(0, np.int64)
        return together.without(self._down(np.flatnonzero((of.unit_worker < 0) & np.isin(of.unit_system, needed))))

    def _by_worker(self, queue: int, of_age: int) -> dict[int, Spans]:
        """By worker: when they are on duty, do not stand still and may take what waits."""
        if (queue, of_age) not in self._workers:
            found, (worker, begin, end) = dict[int, Spans](), self.duties
            for one in np.flatnonzero(self.run.plan.pace[:, queue] > 0).tolist():
                pool = int(self.run.plan.worker_pool[one])
                units = np.array(self.run.plan.systems.units_of(one, pool), np.int64)
                there = Spans.union(begin[worker == one], end[worker == one]).without(self._down(units))
                found[one] = self._while_open(there, pool, queue, of_age)
            self._workers[queue, of_age] = found
        return self._workers[queue, of_age]

    def _while_open(self, there: Spans, pool: int, queue: int, of_age: int) -> Spans:
        """What of the presence of a pool counts for the queue."""
        if not self.conditional[pool, queue]:
            return there
        of = self.run.plan.overflow
        if of_age and 0 <= of.after[pool, queue] <= self.ages[queue][of_age - 1]:
            return there
        closed = there
        if of.waiting[pool, queue] >= 0:
            closed = closed.without(self.crowded(queue, int(of.waiting[pool, queue])))
        if of.alone[pool, queue]:
            closed = closed.without(closed.without(self._regular(queue)))
        return there.without(closed)

    def _regular(self, queue: int) -> Spans:
        """When anybody is on duty by the roster of a pool that always serves the queue."""
        plan, (worker, begin, end) = self.run.plan, self.duties
        rows = (plan.pace[worker, queue] > 0) & ~self.conditional[plan.worker_pool[worker], queue]
        if plan.reserves.worker.any():
            rows &= plan.reserves.worker[worker] == 0
        return Spans.union(begin[rows], end[rows])

    def _together(self, found: dict[int, Spans]) -> Spans:
        none = self.duties[1][:0]
        begins, ends = [none, *(s.begin for s in found.values())], [none, *(s.end for s in found.values())]
        return Spans.union(np.concatenate(begins), np.concatenate(ends))

    def _down(self, units: Ticks) -> Spans:
        log = self.run.log
        rows = np.isin(log.down_unit, units)
        return Spans.union(log.down_from[rows], log.down_to[rows])

    def _like_step(self) -> Ticks:
        steps = self.run.workload.steps
        if not len(self.run.log.down_unit) or not len(steps.needs):
            return np.zeros(len(steps.names), np.int64)
        _, first, which = np.unique(steps.needs, axis=0, return_index=True, return_inverse=True)
        return np.asarray(first[which.ravel()])
