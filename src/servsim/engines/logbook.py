"""The log of a service that has come to its end: what was noted, and what follows from it."""

from __future__ import annotations

import numpy as np

from servsim.engines.followers import Following
from servsim.records import EventLog, Outcome, Workload
from servsim.records.arrays import Ticks
from servsim.records.workload import NEVER


def log_of(floor: Following, until: int) -> EventLog:
    """The facts, with what follows from them: when each item was enabled and offered, when each case left."""
    for worker in floor.workers:
        if worker.item in floor.work_left and floor.worker_of[worker.item] == worker.id:
            floor.stretches.append((worker.item, worker.id, floor.taken_up_at(worker.item), until))
    work = floor.workload
    completed = np.frombuffer(floor.completed, np.int64)
    arrived = np.minimum(work.arrived_at, NEVER)
    arrived[list(floor.came_at)] = list(floor.came_at.values())
    enabled = enabled_at(work, arrived, completed, floor.cut_short, floor.otherwise, until)
    enabled[floor.never_reached] = -1
    left_at, outcome = np.full(work.n_cases, -1), np.zeros(work.n_cases, np.int8)
    last = np.flatnonzero((work.leaves > 0) & (completed >= 0))
    aside = [*floor.cut_short, *floor.otherwise]
    last = np.setdiff1d(last, aside, assume_unique=True) if aside else last
    left_at[work.case[last]], outcome[work.case[last]] = completed[last], work.leaves[last]
    gone = list(floor.abandoned)
    left_at[gone], outcome[gone] = list(floor.abandoned.values()), Outcome.ABANDONED
    outcome[[case for case in gone if case in floor.turned_away]] = Outcome.TURNED_AWAY
    offered = np.where(enabled >= 0, enabled + work.hold, -1)
    offered[floor.never_offered] = -1
    limit = np.where(left_at >= 0, left_at, until - 1)
    limit[list(floor.giving_up)] = list(floor.giving_up.values())
    stretches = np.array(sorted(floor.stretches, key=lambda s: (s[2], s[0])), np.int64).reshape(-1, 4)
    escalations, blocked = (np.array(rows, np.int64).reshape(-1, 2) for rows in (floor.escalations, floor.blocked))
    return EventLog(
        enabled_at=enabled,
        offered_at=np.where(offered <= limit[work.case], offered, -1),
        started_at=np.frombuffer(floor.started, np.int64),
        completed_at=completed,
        worker=np.frombuffer(floor.worker_of, np.int32),
        stretch_item=stretches[:, 0].astype(np.int32),
        stretch_worker=stretches[:, 1].astype(np.int32),
        stretch_from=stretches[:, 2].copy(),
        stretch_to=stretches[:, 3].copy(),
        escalated_item=escalations[:, 0].astype(np.int32),
        escalated_at=escalations[:, 1].copy(),
        left_at=left_at,
        outcome=outcome,
        withdrawn_item=np.array(list(floor.withdrawn), np.int32),
        withdrawn_at=np.array(list(floor.withdrawn.values()), np.int64),
        blocked_item=blocked[:, 0].astype(np.int32),
        blocked_at=blocked[:, 1].copy(),
        arrived_at=arrived if len(work.followers.case) else np.empty(0, np.int64),
    )


def enabled_at(
    work: Workload, arrived: Ticks, completed: Ticks, cut_short: list[int], otherwise: list[int], until: int
) -> Ticks:
    """[items] when the last predecessor was completed, or the case arrived; -1 where that did not happen. What follows
    those that silence decided `otherwise` is not what follows usually."""
    done = completed.copy()
    done[[*cut_short, *otherwise]] = -1
    enabled = np.full(work.n_items, -1)
    enabled[work.first_item[:-1]] = np.where(arrived < until, np.maximum(arrived, 0), -1)
    chained = np.flatnonzero(work.next_item >= 0)
    after, before = work.next_item[chained], done[chained]
    if len(work.fork_item):
        after = np.concatenate([after, work.fork_target])
        before = np.concatenate([before, np.repeat(done[work.fork_item], np.diff(work.fork_first))])
    if otherwise:
        after = np.concatenate([after, work.silences.next_item[otherwise]])
        before = np.concatenate([before, completed[otherwise]])
        after, before = after[before >= 0], before[before >= 0]
    enabled[after] = before
    joined = work.n_predecessors[after] > 1
    if joined.any():
        after, before = after[joined], before[joined]
        enabled[after] = -1
        np.maximum.at(enabled, after, before)
        came = np.bincount(after[before >= 0], minlength=work.n_items)[after]
        needed = work.n_predecessors[after]
        if len(work.quorum):
            needed = np.where(work.quorum[after] > 0, work.quorum[after], needed)
        enabled[after[came < needed]] = -1
    return enabled
