"""The service as a SimPy model: cases arrive, queue, are taken up by workers on duty, move on and leave.

Everything random is in the workload and everything about presence in the plan; here stands only what happens when.
Rule numbers refer to docs/semantics.md.

A queue is *plain* if its one pool serves no other queue and the worker idle longest takes whatever is first. Most are,
and for them a match is one look at the head of a line; all others go through `dispatch`, which has the rule in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from operator import attrgetter

import numpy as np

from servsim.engines.clock import ARRIVAL, COMPLETION, DISPATCH, ESCALATION, PATIENCE, Moments
from servsim.engines.floor import GONE, WAKES, Match, Place, Pool, Queue, Worker, ticks_at
from servsim.engines.followers import Following
from servsim.engines.gates import Gates
from servsim.engines.headcount import Headcount
from servsim.engines.joint import Joint
from servsim.engines.logbook import log_of
from servsim.engines.outages import Outages
from servsim.engines.overflow import Overflow
from servsim.engines.own_times import OwnTimes
from servsim.engines.owners import Owners
from servsim.engines.places import WaitingPlaces
from servsim.engines.preemption import Preemption
from servsim.engines.quorums import Quorums
from servsim.engines.ramps import Ramps
from servsim.engines.reserve import Reserve
from servsim.engines.sharing import Sharing
from servsim.engines.silence import Silence
from servsim.engines.timeouts import Timeouts
from servsim.records import EndOfShift, EventLog, Plan, Workload
from servsim.records.workload import FORK


def simulate(plan: Plan, workload: Workload, until: int) -> EventLog:
    """The log of what happens to `workload` under `plan` before the tick `until`."""
    return service(plan, workload).run(until)


def service(plan: Plan, workload: Workload) -> Service:
    """A service with those of the rarer mechanisms that the plan and the workload have: the others cost nothing."""
    used = tuple(kind for kind in RARE if kind.is_used(plan, workload))
    kind: type[Service] = type("Service", (*used, Service), {})
    return kind(plan, workload)


class Service(Preemption, WaitingPlaces, Timeouts, Gates, Following, Quorums):
    """The service organisation at work: one method for each thing that can happen in it."""

    # ------------------------------------------------------------------ the processes
    def run(self, until: int) -> EventLog:
        """Open the doors, let the clock run, write the log."""
        for process in self.processes():
            self.clock.process(process)
        self.clock.run(until)
        return log_of(self, until)

    def processes(self) -> list[Moments]:
        """What happens by itself."""
        return [self.arrivals(), self.shifts(), self.breaks(), self.meetings()]

    def arrivals(self) -> Moments:
        """Cases come in, one by one."""
        work = self.workload
        enters = np.maximum(work.arrived_at, 0)
        ends = np.where(work.patience >= 0, np.maximum(work.arrived_at + work.patience, enters), -1)
        patience = ends.tolist() if (ends >= 0).any() else None
        timed = patience or self.unanswered
        enter = self.reach if self.hold else self.offer
        for case, (at, item) in enumerate(zip(enters.tolist(), work.first_item.tolist(), strict=False)):
            yield at, ARRIVAL, item
            if timed:
                if case in self.unanswered:
                    self.watch(case, int(work.arrived_at[case]))
                if patience and patience[case] >= 0:
                    self.clock.book(patience[case], PATIENCE, case, self.lose_patience)
            enter(item, at)

    # ------------------------------------------------------------------ a case moves on
    def reach(self, item: int, now: int) -> None:
        """The case has reached the step; the push to the queue may take a while (rule 6)."""
        if self.hold and self.hold[item]:
            self.clock.book(now + self.hold[item], ARRIVAL, item, self.push)
        else:
            self.offer(item, now)

    def push(self, item: int) -> None:
        """The dispatch delay is over."""
        if self.skill[item] != GONE:
            self.offer(item, self.clock.tick)
        elif item not in self.tries:
            self.never_offered.append(item)

    def offer(self, item: int, now: int) -> None:
        """The item joins the queue of its skill, or is taken up at once; one that needs nobody runs by itself."""
        skill = self.skill[item]
        if skill < 0:
            self.run_by_itself(item, now)
            return
        queue = self.queues[skill]
        if queue.slope:
            self.rank[item] += queue.slope * now
        if queue.plain and queue.idle and not self.simultaneous:
            self.start(queue.idle.popleft(), item, now)
            return
        place = (self.rank[item], now, item)
        if queue.simple:
            heappush(queue.waiting, place)
        else:
            if queue.limit >= 0:
                self.newcomers.append(place)
            self.enter(queue, place, now)

    def enter(self, queue: Queue, place: Place, now: int) -> None:
        heappush(queue.waiting, place)
        if queue.escalate_after >= 0:
            after = queue.timer[place[2]] if queue.timer else queue.escalate_after
            self.clock.book(now + after, ESCALATION, place[2], self.escalate)
        self.dispatch(now, (queue,))

    def run_by_itself(self, item: int, now: int) -> None:
        if self.gate_of and self.gate_of[item] >= 0:
            self.wait_at(self.gate_of[item], item, now)
            return
        self.started[item] = now
        if self.work[item]:
            self.clock.book(now + self.work[item], ARRIVAL, item, self.come_back)
        else:
            self.completed[item] = now
            self.move_on(item, now)

    def come_back(self, item: int) -> None:
        """A delay is over."""
        if self.skill[item] != GONE:
            self.completed[item] = self.clock.tick
            self.move_on(item, self.clock.tick)

    def move_on(self, item: int, now: int) -> None:
        """What follows a completed item: the next one, several at once, or nothing more."""
        following = self.next_item[item]
        if self.giving_up and self.case_of(item) in self.giving_up:
            self.cut_short.append(item)
            if all(self.completed[i] >= 0 or self.skill[i] == GONE for i in self.items_of(self.case_of(item))):
                self.leave_unserved(self.case_of(item), now)
        elif item in self.not_awaited:
            self.cut_short.append(item)
        elif following >= 0:
            self.come_to(following, now)
        elif following == FORK:
            self.fork(item, now)
        elif following == WAKES:
            self.wake(self.case_of(item), int(self.workload.leaves[item]), now)

    def fork(self, item: int, now: int) -> None:
        """All branches begin, then one dispatch for all of them."""
        waits, self.simultaneous = self.simultaneous, True
        for branch in self.forks[item]:
            self.come_to(branch, now)
        self.simultaneous = waits
        self.dispatch(now, self.queues)

    def come_to(self, item: int, now: int) -> None:
        """One of those that lead to the item is completed; it is reached with the last of those needed."""
        if item in self.withdrawn:
            self.never_reached.append(item)
            return
        if item in self.joins:
            self.still_to_join[item] = self.still_to_join.get(item, self.joins[item]) - 1
            if self.still_to_join[item]:
                return
            if item in self.quorums:
                self.withdraw(item, now)
        self.reach(item, now)

    # ------------------------------------------------------------------ work meets worker
    def start(self, worker: Worker, item: int, now: int) -> None:
        """The worker takes the item up, for the first time or again."""
        work = self.work[item]
        if self.careful and item in self.work_left:
            work = self.work_left[item]
            self.resumed_at[item] = now
        else:
            self.started[item] = now
        self.worker_of[item] = worker.id
        worker.item = item
        if worker.pace:
            work = ticks_at(worker.pace[self.skill[item]], work)
        if work:
            heappush(self.agenda, (now + work, COMPLETION, item, self.completes))
        else:
            self.clock.book_in_next_round(COMPLETION, item, self.complete_at_once)

    def complete_at_once(self, item: int) -> None:
        """Work of zero length, in a round of its own: somebody may have become idle at this tick already."""
        self.gather()
        self.complete(item)

    def complete(self, item: int) -> None:
        """The item in hand is done: the case moves on, the worker looks for the next one."""
        now, worker = self.clock.tick, self.workers[self.worker_of[item]]
        self.completed[item] = now
        if self.careful:
            self.account(worker, now)
        worker.item = -1
        if self.agenda[0][0] == now and self.clock.more_before(DISPATCH):
            self.gather()
        following = self.next_item[item]
        if following >= 0 and self.straight:
            self.offer(following, now)
        elif following != -1 or self.giving_up:
            waits, self.simultaneous = self.simultaneous, self.simultaneous or worker.queue is None
            self.move_on(item, now)  # who completed it is idle when what follows is dispatched
            self.simultaneous = waits
        if worker.engaged or worker.queue is None or self.simultaneous:
            self.become_free(worker, now, self.queues if following != -1 else worker.pool.queues)
        else:
            self.take_next(worker, worker.queue, now)

    def take_next(self, worker: Worker, queue: Queue, now: int) -> None:
        """From a plain queue: its first item, or stand at the end of the line of idle workers."""
        waiting = queue.waiting
        while waiting:
            item = heappop(waiting)[2]
            if self.skill[item] == queue.skill:
                self.start(worker, item, now)
                return
        worker.idle_since = now
        queue.idle.append(worker)

    def become_free(self, worker: Worker, now: int, queues: Sequence[Queue]) -> None:
        """After a completion, a start of shift, the end of a break: what is due first, else stand in line."""
        if worker.engaged:
            self.be_engaged(worker, now)
        else:
            self.be_idle(worker, now)
        self.dispatch(now, queues)

    def be_idle(self, worker: Worker, now: int) -> None:
        """Stand at the end of the line of the idle; those idle since the same tick stand in the order of the roster."""
        worker.idle_since = now
        idle = worker.pool.idle
        place = len(idle)
        while place and idle[place - 1].idle_since == now and idle[place - 1].id > worker.id:
            place -= 1
        idle.insert(place, worker)

    def gather(self) -> None:
        """Completions and changes of presence of one round all happen before anything is dispatched (rule 2)."""
        if not self.simultaneous:
            self.simultaneous = True
            self.clock.book(self.clock.tick, DISPATCH, 0, self.end_of_round)

    def end_of_round(self, _: int) -> None:
        self.simultaneous = False
        self.dispatch(self.clock.tick, self.queues)

    # ------------------------------------------------------------------ the rule of dispatch in full
    def dispatch(self, now: int, queues: Sequence[Queue]) -> None:
        """While some waiting item has an eligible idle worker, the least meets the worker who is named (rule 3).

        `queues` are those in which a match may have become possible by what happened last.
        """
        while not self.simultaneous:
            best = self.best_match(queues, now)
            if best is None:
                if self.preempting and self.interrupt(now):
                    queues = self.queues
                    continue
                if self.newcomers and self.look_for_places(now):
                    continue
                return
            _, place, number = best
            worker, item = self.workers[number], place[2]
            self.queues[self.skill[item]].remove(place)
            worker.pool.idle.remove(worker)
            self.start(worker, item, now)

    def best_match(self, queues: Sequence[Queue], now: int) -> Match | None:
        """The least match that is possible in one of these queues."""
        best: Match | None = None
        for queue in queues:
            if queue.waiting and (match := self.first_match(queue, now)) and (best is None or match < best):
                best = match
        return best

    def first_match(self, queue: Queue, now: int) -> Match | None:
        """The queue's first item that has an eligible idle worker, with the worker who gets it (rules 3, 4).

        Where not everybody may start everything, a later item may be first because a pool prefers it more."""
        pools = [pool for pool in queue.pools if pool.idle]
        are_few = queue.keep > 0 and sum(len(pool.idle) for pool in pools) <= queue.keep
        best: Match | None = None
        for place in self.places(queue) if pools else ():
            if are_few and self.is_held_back(queue, place[2]):
                continue
            able = self.able(pools, queue, place[2], now)
            if able:
                worker = queue.picks(able, queue.skill, self.lot[place[2]] if self.lot else 0, now)
                match = worker.pool.preference[queue.skill], place, worker.id
                if match[0] == min(pool.preference[queue.skill] for pool in pools):
                    return match
                best = min(match, best or match)
        return best

    def able(self, pools: list[Pool], queue: Queue, item: int, now: int) -> Sequence[Worker]:
        """Who may start the item, longest idle first, from the pools that prefer it most."""
        if len(pools) == 1 and not queue.picky:
            return pools[0].idle
        able = [worker for pool in pools for worker in pool.idle]
        if queue.picky:
            if len(able) <= queue.keep and self.is_held_back(queue, item):
                return ()
            able = [worker for worker in able if self.may_start(worker, item, now)]
        first = min((worker.pool.preference[queue.skill] for worker in able), default=0)
        able = [worker for worker in able if worker.pool.preference[queue.skill] == first]
        able.sort(key=attrgetter("idle_since", "id"))
        return able

    def may_start(self, worker: Worker, item: int, now: int) -> bool:
        """False where the pool does not start what cannot be finished before the shift ends (rule 5)."""
        if worker.pool.end_of_shift != EndOfShift.NO_LATE_START:
            return True
        work = self.work_left.get(item, self.work[item])
        pace = worker.pace[self.skill[item]] if worker.pace else 100
        return now + ticks_at(pace, work) <= worker.duty_until


RARE = (Silence, Owners, Headcount, Joint, OwnTimes, Sharing, Reserve, Overflow, Outages, Ramps)
"""What most services do not have; those that come first have the first say."""
