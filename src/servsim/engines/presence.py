"""Who is there: shifts, breaks, and what becomes of the item in hand (docs/semantics.md, rule 5)."""

from __future__ import annotations

from heapq import heappush

from servsim.engines.clock import BREAK_END, BREAK_START, COMPLETION, SHIFT_END, SHIFT_START, Moments
from servsim.engines.floor import AHEAD, GONE, Floor, Worker
from servsim.records import EndOfShift


class Presence(Floor):
    """Workers come and go, take breaks, lay items down and take them up again."""

    # ------------------------------------------------------------------ the processes
    def shifts(self) -> Moments:
        """Workers come on duty and go off duty."""
        plan = self.plan
        begins = zip(plan.duty_from.tolist(), plan.duty_worker.tolist(), plan.duty_to.tolist(), strict=True)
        changes = [(at, SHIFT_START, worker, to) for at, worker, to in begins]
        changes += [(to, SHIFT_END, worker, to) for _, _, worker, to in changes]
        for at, phase, number, to in sorted(changes):
            yield at, phase, number
            self.gather()
            if phase == SHIFT_START:
                self.come_on_duty(self.workers[number], at, to)
            else:
                self.go_off_duty(self.workers[number], at)

    def breaks(self) -> Moments:
        """Breaks fall due; the end of each is booked when it begins."""
        plan = self.plan
        columns = (plan.break_at, plan.break_worker, plan.break_lasts, plan.break_postponed)
        for at, number, lasts, postponed in sorted(zip(*(column.tolist() for column in columns), strict=True)):
            yield at, BREAK_START, number
            self.gather()
            self.break_falls_due(self.workers[number], at, lasts, bool(postponed))

    # ------------------------------------------------------------------ coming and going
    def come_on_duty(self, worker: Worker, now: int, to: int) -> None:
        worker.on_duty, worker.duty_since, worker.duty_until = True, now, to
        if worker.leaves:  # still at the last item of the shift before
            worker.leaves, worker.engaged = False, False
        elif not worker.on_break:
            self.become_free(worker, now, worker.pool.queues)

    def go_off_duty(self, worker: Worker, now: int) -> None:
        """The shift ends; what becomes of the item in hand is the pool's rule (rule 5)."""
        worker.on_duty, worker.break_due, worker.engaged = False, 0, worker.kept >= 0
        worker.present += now - worker.duty_since
        rule = worker.pool.end_of_shift
        finishes = rule in (EndOfShift.FINISH, EndOfShift.NO_LATE_START)
        if worker.item >= 0 and finishes:
            worker.leaves = worker.engaged = True
            if worker.pool.overtime_limit >= 0:
                worker.overtime_until = now + worker.pool.overtime_limit
                key = len(self.workers) + worker.id  # after the ends of shift
                self.clock.book(worker.overtime_until, SHIFT_END, key, self.end_overtime)
        elif worker.item >= 0:
            self.lay_down(worker, now)
        elif not worker.on_break:
            worker.pool.idle.remove(worker)
        if worker.kept >= 0 and rule == EndOfShift.RESTART:
            self.work_left[worker.kept] = self.work[worker.kept]
        if worker.kept >= 0 and rule != EndOfShift.SUSPEND_KEEP:
            self.hand_back(worker, now)

    def end_overtime(self, key: int) -> None:
        """So much overtime and no more: the item goes back, unless it was completed or duty began again."""
        worker, now = self.workers[key - len(self.workers)], self.clock.tick
        if worker.leaves and worker.overtime_until == now:
            self.gather()
            worker.leaves = False
            self.lay_down(worker, now)
            self.hand_back(worker, now)

    def break_falls_due(self, worker: Worker, now: int, lasts: int, postponed: bool) -> None:
        """An idle worker goes; one with an item in hand goes after it, or lays it down (rule 5)."""
        if not worker.on_duty:
            return
        if worker.on_break or (worker.item >= 0 and postponed):
            worker.break_due += lasts
            worker.engaged = True
            return
        if worker.item >= 0:
            self.lay_down(worker, now)
        else:
            worker.pool.idle.remove(worker)
        self.begin_break(worker, now, lasts)

    def begin_break(self, worker: Worker, now: int, lasts: int) -> None:
        worker.on_break = True
        self.clock.book(now + lasts, BREAK_END, worker.id, self.end_break)

    def end_break(self, number: int) -> None:
        worker = self.workers[number]
        worker.on_break = False
        self.gather()
        if worker.on_duty:
            self.become_free(worker, self.clock.tick, worker.pool.queues)

    def be_engaged(self, worker: Worker, now: int) -> None:
        """Leave, or take the break that is due, or take up again what was laid down."""
        lasts, item = worker.break_due, worker.kept
        if worker.leaves:
            worker.leaves = worker.engaged = False
        elif lasts:
            worker.break_due, worker.engaged = 0, item >= 0
            self.begin_break(worker, now, lasts)
        else:
            worker.kept, worker.engaged = -1, False
            if self.skill[item] != GONE:
                self.start(worker, item, now)
            else:
                self.become_free(worker, now, worker.pool.queues)

    # ------------------------------------------------------------------ interruptions
    def lay_down(self, worker: Worker, now: int) -> None:
        """The item in hand stays with the worker, its work left is kept."""
        item, self.careful = worker.item, True
        self.clock.cancel(COMPLETION, item)
        self.work_left[item] = self.left_of(worker, now)
        self.account(worker, now)
        worker.item, worker.kept, worker.engaged = -1, item, True

    def left_of(self, worker: Worker, now: int) -> int:
        """What is left of the work on the item in hand, at a pace of 100 %."""
        item = worker.item
        pace = worker.pace[self.skill[item]] if worker.pace else 100
        done = ((now - self.taken_up_at(item)) * pace + 50) // 100
        return max(0, self.work_left.get(item, self.work[item]) - done)

    def hand_back(self, worker: Worker, now: int) -> None:
        """What was laid down is anybody's."""
        item, worker.kept, worker.engaged = worker.kept, -1, False
        if self.skill[item] != GONE:
            self.put_back(item)
            self.dispatch(now, (self.queues[self.skill[item]],))

    def put_back(self, item: int) -> None:
        """What was laid down goes back to its queue, before others of equal rank (rule 3)."""
        queue = self.queues[self.skill[item]]
        if queue.by_work_left:
            self.rank[item] = self.work_left[item]
        heappush(queue.waiting, (self.rank[item], AHEAD, item))

    def account(self, worker: Worker, now: int) -> None:
        """Note the stretch of work that ends now, where it does not follow from start and completion."""
        since = self.taken_up_at(worker.item)
        worker.busy += now - since
        if worker.item in self.work_left:
            self.stretches.append((worker.item, worker.id, since, now))
