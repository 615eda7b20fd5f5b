"""Who helped out: work that was taken up by pools to which queues overflow, and by deputies (docs/semantics.md, rule
15)."""

from __future__ import annotations

import numpy as np

from servsim.kpis.facts import counted
from servsim.kpis.groups import ratio, totals
from servsim.kpis.kpi import Pairs, kpi
from servsim.kpis.queues import skill_groups
from servsim.records import Run
from servsim.records.arrays import Ids


@kpi("overflow_share", "share", None, "taken up by other pools", "由其他人员池承接的比例")
def overflow_share(run: Run) -> Pairs:
    """Of the items that were taken up in queues that overflow, or that deputies may serve: the share taken up (for the
    first time) by pools which may do so only under a condition; of counted cases. NaN where no queue does, or nothing
    was taken up."""
    plan, log, groups = run.plan, run.log, skill_groups(run)
    conditional = plan.overflow.conditional(len(plan.pools), len(plan.skills))
    queue, worker = last_queue(run), first_worker(run)
    begun = (log.started_at >= 0) & (queue >= 0) & (worker >= 0)
    items = np.flatnonzero(begun & np.asarray(conditional.any(axis=0))[queue])
    items = items[counted(run).place_of_item(items) >= 0]
    helped = conditional[plan.worker_pool[worker[items]], queue[items]]
    all_, ours = (totals(queue[items], each, len(plan.skills)) for each in (np.ones(len(items)), helped))
    return groups.pairs(ratio(groups.sums(ours), groups.sums(all_)))


def last_queue(run: Run) -> Ids:
    """[items] the skill in whose queue the item stood last, -1 where it needs nobody."""
    queue = run.workload.skill.astype(np.int32)
    for item, _, skill in run.moves:
        queue[item] = skill
    return queue


def first_worker(run: Run) -> Ids:
    """[items] who took the item up for the first time, -1: nobody."""
    worker, log = run.log.worker.astype(np.int32), run.log
    item, first = np.unique(log.stretch_item, return_index=True)  # stretches stand in order of their beginning
    worker[item] = log.stretch_worker[first]
    return worker
