"""Workers whose pace changes over time (docs/semantics.md, rule 4)."""

from __future__ import annotations

from bisect import bisect_right

from servsim.engines.floor import Worker
from servsim.engines.presence import Presence
from servsim.records import Plan, Workload


class Ramps(Presence):
    """New staff become quicker from one shift to another."""

    @staticmethod
    def is_used(plan: Plan, workload: Workload) -> bool:
        return bool(len(plan.ramp_at))

    def __init__(self, plan: Plan, workload: Workload) -> None:
        super().__init__(plan, workload)
        self.ramps: dict[int, tuple[list[int], list[list[int]]]] = {}
        columns = (plan.ramp_worker.tolist(), plan.ramp_at.tolist(), plan.ramp_pace.tolist())
        for worker, at, pace in zip(*columns, strict=True):
            times, paces = self.ramps.setdefault(worker, ([], []))
            times.append(at)
            paces.append(pace)

    def come_on_duty(self, worker: Worker, now: int, to: int) -> None:
        """The pace is that of the shift's beginning; who is still at an item of the shift before keeps theirs."""
        if worker.id in self.ramps and not worker.leaves:
            times, paces = self.ramps[worker.id]
            step = bisect_right(times, now) - 1
            if step >= 0:
                worker.pace = paces[step]
        super().come_on_duty(worker, now, to)
