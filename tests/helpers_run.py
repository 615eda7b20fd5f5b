"""Runs made by hand, straight from the arrays of the records: small ones for tests, large ones to measure with.

`python tests/helpers_run.py 100000 4.2` prints the processor time that all KPIs of a large run take.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from servsim.quantities import DAY, HOUR, MINUTE
from servsim.records import EventLog, Leaves, Outcome, Plan, Run, Window, Workload
from servsim.records.workload import Steps

MONDAY = np.datetime64("2026-03-02")


@dataclass
class World:
    """A run in people's words; times are minutes from the start, None is "did not happen"."""

    classes: Sequence[str] = ("ordinary",)
    channels: Sequence[str] = ("phone",)
    departments: Sequence[str] = ()
    pools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # department, skills, wage, overtime
    skills: Sequence[str] = ()
    workers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # pool, duty, breaks (lists of pairs)
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # kind, skill, responds
    promises: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # event: {class: penalty}
    cases: Sequence[Mapping[str, Any]] = ()  # at, case_class, channel, left, outcome, due {event: minute}, items
    escalations: Sequence[tuple[int, float, str]] = ()  # item, at, skill to which its own skill escalates
    window: tuple[float, float, float] = (0, 240, 240)
    start: np.datetime64 = MONDAY

    def run(self) -> Run:
        window = Window(*(round(at * MINUTE) for at in self.window))
        return Run("hand/made", self.start, window, self._plan(), self._workload(), self._log())

    @property
    def _items(self) -> list[tuple[int, Mapping[str, Any]]]:
        return [(number, item) for number, case in enumerate(self.cases) for item in case.get("items", ())]

    def _plan(self) -> Plan:
        pools, workers = list(self.pools.values()), list(self.workers.values())
        people = list(enumerate(workers))
        duty = [(w, *span) for w, worker in people for span in worker.get("duty", ())]
        rest = [(w, *span) for w, worker in people for span in worker.get("breaks", ())]
        able = [[0 if s in pool["skills"] else -1 for s in self.skills] for pool in pools]
        pool_of = [list(self.pools).index(worker["pool"]) for worker in workers]
        to = {self._items[item][1]["step"]: skill for item, _, skill in self.escalations}
        to_of_skill = {self.steps[step]["skill"]: skill for step, skill in to.items()}
        return Plan(
            departments=tuple(self.departments),
            pools=tuple(self.pools),
            skills=tuple(self.skills),
            workers=tuple(self.workers),
            pool_department=ids([self.departments.index(pool["department"]) for pool in pools]),
            pool_end_of_shift=codes([0] * len(pools)),
            pool_wage=np.array([pool.get("wage", 0.0) for pool in pools], np.float64),
            pool_overtime=np.array([pool.get("overtime", 1.5) for pool in pools], np.float64),
            preference=codes(able).reshape(len(pools), len(self.skills)),
            worker_pool=ids(pool_of),
            pace=np.full((len(workers), len(self.skills)), 100, np.int32),
            duty_worker=ids([row[0] for row in duty]),
            duty_from=ticks([row[1] for row in duty]),
            duty_to=ticks([row[2] for row in duty]),
            break_worker=ids([row[0] for row in rest]),
            break_at=ticks([row[1] for row in rest]),
            break_lasts=ticks([row[2] for row in rest]),
            break_postponed=codes([1] * len(rest)),
            assignment=("longest_idle",) * len(self.skills),
            escalate_after=ticks([5 if skill in to_of_skill else None for skill in self.skills]),
            escalate_to=ids([index(self.skills, to_of_skill.get(skill)) for skill in self.skills]),
        )

    def _workload(self) -> Workload:
        cases, items, steps = self.cases, self._items, list(self.steps)
        first = np.cumsum([0, *(len(case.get("items", ())) for case in cases)])
        seen: dict[tuple[int, str], int] = {}
        visit = []
        for case, item in items:
            visit.append(seen.setdefault((case, item["step"]), 0))
            seen[case, item["step"]] += 1
        skill = [self.steps[item["step"]].get("skill") if not item.get("automated") else None for _, item in items]
        n, last = len(items), {int(end) - 1 for end in first[1:]}
        return Workload(
            classes=tuple(self.classes),
            channels=tuple(self.channels),
            sources=("by_hand",),
            promises=tuple(self.promises),
            promise_event=tuple(self.promises),
            promise_penalty=np.array([[p.get(c, 0.0) for c in self.classes] for p in self.promises.values()]).reshape(
                len(self.promises), len(self.classes)
            ),
            steps=Steps(
                names=tuple(steps),
                process=("p",) * len(steps),
                kind=tuple(step.get("kind", "task") for step in self.steps.values()),
                skill=ids([index(self.skills, step.get("skill")) for step in self.steps.values()]),
                responds=codes([step.get("responds", 0) for step in self.steps.values()]),
            ),
            arrived_at=ticks([case["at"] for case in cases]),
            case_class=ids([self.classes.index(case.get("case_class", self.classes[0])) for case in cases]),
            channel=ids([self.channels.index(case.get("channel", self.channels[0])) for case in cases]),
            source=ids([0] * len(cases)),
            patience=ticks([None] * len(cases)),
            due_at=np.array(
                [ticks([case.get("due", {}).get(promise) for case in cases]) for promise in self.promises], np.int64
            ).reshape(len(self.promises), len(cases)),
            first_item=first.astype(np.int64),
            case=ids([case for case, _ in items]),
            step=ids([steps.index(item["step"]) for _, item in items]),
            visit=ids(visit),
            skill=ids([index(self.skills, s) for s in skill]),
            work=ticks([0] * n),
            hold=ticks([0] * n),
            next_item=ids([-1 if k in last else k + 1 for k in range(n)]),
            n_predecessors=codes([1] * n),
            leaves=codes([Leaves.COMPLETED if k in last else Leaves.NOT for k in range(n)]),
            returned=codes([item.get("returned", 0) for _, item in items]),
            rank=ticks([0] * n),
            fork_item=ids([]),
            fork_first=np.zeros(1, np.int64),
            fork_target=ids([]),
            rank_slope=codes([0] * len(self.skills)),
        )

    def _log(self) -> EventLog:
        items = [item for _, item in self._items]
        parts = [(k, *part) for k, item in enumerate(items) for part in item.get("stretches", ())]
        parts.sort(key=lambda part: part[2])
        people = list(self.workers)
        return EventLog(
            enabled_at=ticks([item.get("enabled") for item in items]),
            offered_at=ticks([item.get("offered", item.get("enabled")) for item in items]),
            started_at=ticks([item.get("started") for item in items]),
            completed_at=ticks([item.get("completed") for item in items]),
            worker=ids([index(people, item.get("worker")) for item in items]),
            stretch_item=ids([part[0] for part in parts]),
            stretch_worker=ids([people.index(part[1]) for part in parts]),
            stretch_from=ticks([part[2] for part in parts]),
            stretch_to=ticks([part[3] for part in parts]),
            escalated_item=ids([item for item, _, _ in self.escalations]),
            escalated_at=ticks([at for _, at, _ in self.escalations]),
            left_at=ticks([case.get("left") for case in self.cases]),
            outcome=codes([Outcome[case.get("outcome", "in_process").upper()] for case in self.cases]),
        )


def ticks(minutes: Sequence[float | None]) -> np.ndarray:
    return np.array([-1 if at is None else round(at * MINUTE) for at in minutes], np.int64)


def ids(numbers: Sequence[int]) -> np.ndarray:
    return np.array(numbers, np.int32)


def codes(numbers: Sequence[Any]) -> np.ndarray:
    return np.array(numbers, np.int8)


def index(names: Sequence[str], name: str | None) -> int:
    return -1 if name is None else list(names).index(name)


def large(n_cases: int, items_per_case: float, seed: int = 1) -> Run:
    """Four weeks of many cases in three shifts. Waiting and work are drawn, not brought about by a queue, so that a
    million rows are there at once; a worker may therefore be in two places."""
    rng = np.random.default_rng(seed)
    until, n_steps = 28 * DAY, 5
    arrived = np.sort(rng.integers(0, until, n_cases))
    size = np.maximum(1, rng.poisson(items_per_case - 1, n_cases) + 1) if items_per_case > 1 else np.ones(n_cases, int)
    first = np.concatenate([[0], np.cumsum(size)])
    n = int(first[-1])
    case = np.repeat(np.arange(n_cases, dtype=np.int32), size)
    place = np.arange(n) - first[case]
    wait = np.round(rng.exponential(9, n) * (rng.random(n) < 0.7) * MINUTE).astype(np.int64)
    work = np.round(rng.lognormal(2, 0.8, n) * MINUTE).astype(np.int64) + 1
    through = np.cumsum(wait + work)
    before = through - wait - work
    enabled = arrived[case] + before - before[first[:-1]][case]
    started, completed = enabled + wait, enabled + wait + work
    on = enabled < until
    started[started >= until], completed[completed >= until] = -1, -1
    last = completed[first[1:] - 1]
    step = (place % n_steps).astype(np.int32)
    n_workers = 90
    on_shift = started // (8 * HOUR) % 3
    worker = np.where(started >= 0, on_shift * 30 + rng.integers(0, 10, n) * 3 + step % 3, -1).astype(np.int32)
    day = np.arange(28) * DAY
    shift = np.repeat([0, 8, 16], n_workers // 3) * HOUR
    plan = Plan(
        departments=("service", "repair", "finance"),
        pools=("desk", "repair", "finance"),
        skills=("desk", "repair", "finance"),
        workers=tuple(f"w{i}" for i in range(n_workers)),
        pool_department=ids([0, 1, 2]),
        pool_end_of_shift=codes([0, 0, 0]),
        pool_wage=np.array([60.0, 80.0, 90.0]),
        pool_overtime=np.full(3, 1.5),
        preference=np.where(np.eye(3, dtype=bool), 0, -1).astype(np.int8),
        worker_pool=ids([i % 3 for i in range(n_workers)]),
        pace=np.full((n_workers, 3), 100, np.int32),
        duty_worker=np.repeat(np.arange(n_workers, dtype=np.int32), 28),
        duty_from=(shift[:, None] + day).ravel(),
        duty_to=(shift[:, None] + day + 8 * HOUR).ravel(),
        break_worker=np.repeat(np.arange(n_workers, dtype=np.int32), 28),
        break_at=(shift[:, None] + day + 4 * HOUR).ravel(),
        break_lasts=np.full(n_workers * 28, 30 * MINUTE),
        break_postponed=np.ones(n_workers * 28, np.int8),
        assignment=("longest_idle",) * 3,
        escalate_after=np.full(3, -1),
        escalate_to=ids([-1, -1, -1]),
    )
    none = np.empty(0, np.int64)
    workload = Workload(
        classes=("urgent", "ordinary", "bulk"),
        channels=("phone", "online", "counter"),
        sources=("a",),
        promises=("first_response", "resolution"),
        promise_event=("first_response", "resolution"),
        promise_penalty=np.full((2, 3), 20.0),
        steps=Steps(
            names=tuple(f"step{i}" for i in range(n_steps)),
            process=("p",) * n_steps,
            kind=("task", "task", "approval", "task", "approval"),
            skill=ids([i % 3 for i in range(n_steps)]),
            responds=codes([1, 0, 0, 0, 0]),
        ),
        arrived_at=arrived,
        case_class=rng.integers(0, 3, n_cases).astype(np.int32),
        channel=rng.integers(0, 3, n_cases).astype(np.int32),
        source=np.zeros(n_cases, np.int32),
        patience=np.full(n_cases, -1),
        due_at=np.stack([arrived + 10 * MINUTE, arrived + HOUR]),
        first_item=first,
        case=case,
        step=step,
        visit=(place // n_steps).astype(np.int32),
        skill=(step % 3).astype(np.int32),
        work=work,
        hold=np.zeros(n, np.int64),
        next_item=np.where(np.arange(n) + 1 == first[1:][case], -1, np.arange(n) + 1).astype(np.int32),
        n_predecessors=np.ones(n, np.int8),
        leaves=np.zeros(n, np.int8),
        returned=(rng.random(n) < 0.1).astype(np.int8),
        rank=np.zeros(n, np.int64),
        fork_item=ids([]),
        fork_first=np.zeros(1, np.int64),
        fork_target=ids([]),
        rank_slope=codes([0, 0, 0]),
    )
    log = EventLog(
        enabled_at=np.where(on, enabled, -1),
        offered_at=np.where(on, enabled, -1),
        started_at=started,
        completed_at=completed,
        worker=worker,
        stretch_item=ids([]),
        stretch_worker=ids([]),
        stretch_from=none,
        stretch_to=none,
        escalated_item=ids([]),
        escalated_at=none,
        left_at=last,
        outcome=np.where(last >= 0, 1, 0).astype(np.int8),
    )
    return Run("large/run", MONDAY, Window(7 * DAY, until, until), plan, workload, log)


def measure(n_cases: int, items_per_case: float) -> None:
    import tracemalloc

    from servsim import kpis

    run = large(n_cases, items_per_case)
    rows, times = len(kpis.table(dataclasses.replace(run))), []
    for _ in range(7):
        fresh, since = dataclasses.replace(run), time.process_time()
        kpis.table(fresh)
        times.append(time.process_time() - since)
    tracemalloc.start()
    kept = dataclasses.replace(run)
    kpis.table(kept)
    after, peak = (f"{size / 2**20:.0f} MB" for size in tracemalloc.get_traced_memory())
    size = f"{run.workload.n_cases} cases, {run.workload.n_items} items, {rows} rows"
    print(f"{size}: {min(times):.3f} s of processor time, {peak} of memory at the peak, {after} kept with the run")


if __name__ == "__main__":
    measure(int(sys.argv[1]), float(sys.argv[2]))
