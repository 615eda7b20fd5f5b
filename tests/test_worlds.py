"""What happens in random worlds: a mechanism that is in a world but never does anything is not tested by it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import numpy as np
from worlds import World, random_world

from servsim.engines import ENGINES
from servsim.kpis.causes import joinings
from servsim.records import Outcome, Run

WORLDS = 150


def happened(world: World, run: Run) -> Iterator[tuple[str, object]]:
    """Mechanisms, and whether each did something, as far as a log tells."""
    plan, work, log = run.plan, run.workload, run.log
    moved = [item for item, _, _ in run.moves]
    by_people = np.setdiff1d(np.flatnonzero((work.skill >= 0) & (log.worker >= 0)), moved)
    pool, skill, by = plan.worker_pool[log.worker[by_people]], work.skill[by_people], log.worker[by_people]
    laid_down = np.flatnonzero((log.stretch_to != log.completed_at[log.stretch_item]) & (log.stretch_to < world.stop))
    ends = set(zip(plan.duty_worker.tolist(), plan.duty_to.tolist(), strict=True))
    cut = {
        plan.pool_end_of_shift[plan.worker_pool[w]]
        for w, at in zip(log.stretch_worker[laid_down].tolist(), log.stretch_to[laid_down].tolist(), strict=True)
        if (w, at) in ends
    }
    conditional = plan.overflow.conditional(len(plan.pools), len(plan.skills))
    yield "gave up", Outcome.ABANDONED in log.outcome
    yield "turned away", Outcome.TURNED_AWAY in log.outcome
    yield "tried again and was served", (log.started_at[log.blocked_item] > log.blocked_at).any()
    yield "followed another case", (log.arrived_at[work.followers.case] < world.stop).any()
    yield "escalated", len(log.escalated_item)
    yield "a join waited", len(work.fork_item) and len(joinings(run).item)
    yield "withdrawn", len(log.withdrawn_item)
    yield "interrupted", len(laid_down)
    yield from ((f"laid down at the end of a shift, rule {rule}", rule in cut) for rule in (1, 2, 4))
    yield "an outage", len(log.down_unit)
    yield "the reserve came", len(log.reserve_worker)
    yield "two changed places", len(log.duty_worker) and _worked(run) - ends
    yield "another pool helped out", bool(world.overflow) and conditional[pool, skill].any()
    yield "several at once", len(log.helper_item)
    yield "the same person", (log.worker[log.owned_item] == log.owned_by).any()
    yield "another person", len(log.barred_item)
    yield "silence decided", (log.completed_at[log.silent_item] == log.silent_at).any()
    yield "silence moved it", bool(moved) and np.isin(log.silent_item, moved).any()
    yield "a meeting was held", len(work.gate) and (log.started_at[work.gate >= 0] >= 0).any()
    yield "another pace", (plan.pace[by, skill] != 100).any()


def _worked(run: Run) -> set[tuple[int, int]]:
    return set(zip(run.log.duty_worker.tolist(), run.log.duty_to.tolist(), strict=True))


def test_every_mechanism_does_something_in_some_random_worlds() -> None:
    found = Counter[str]()
    for seed in range(WORLDS):
        world = random_world(random.Random(f"share/{seed}").randint, rich=True)
        found.update({what: int(bool(did)) for what, did in happened(world, world.run(ENGINES["reference"]))})
    assert {what: n for what, n in found.items() if n < 0.02 * WORLDS} == {}
