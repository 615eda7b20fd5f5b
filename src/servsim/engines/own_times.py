"""Who works decides how long it takes: times of their own for pools and workers (docs/semantics.md, rule 4)."""

from __future__ import annotations

from servsim.engines.floor import Floor, Worker
from servsim.records import Plan, Workload


class OwnTimes(Floor):
    """An item takes the time of who takes it up first; what is laid down goes on with that."""

    @staticmethod
    def is_used(plan: Plan, workload: Workload) -> bool:
        return bool(workload.own_time_of)

    def _take_in_plan(self, plan: Plan) -> None:
        super()._take_in_plan(plan)
        rows = {name: row for row, name in enumerate(self.workload.own_time_of)}
        pools = [plan.pools[pool] for pool in plan.worker_pool.tolist()]
        self.rows = [
            [rows[name] for name in names if name in rows] for names in zip(plan.workers, pools, strict=True)
        ]

    def time_of(self, worker: Worker, item: int) -> int:
        """The worker's own time, else that of the pool, else that of the step."""
        own = (int(self.workload.own_time[row, item]) for row in self.rows[worker.id])
        return next((time for time in own if time >= 0), int(self.workload.work[item]))

    def start(self, worker: Worker, item: int, now: int) -> None:
        if item not in self.work_left:
            self.work[item] = self.time_of(worker, item)
        super().start(worker, item, now)

    def may_start(self, worker: Worker, item: int, now: int) -> bool:
        if item in self.work_left:
            return super().may_start(worker, item, now)
        common, self.work[item] = self.work[item], self.time_of(worker, item)
        may = super().may_start(worker, item, now)
        self.work[item] = common  # until somebody takes it up
        return may
