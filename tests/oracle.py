"""The rules of docs/semantics.md a second time: slow, plain, tick by tick, and written from that page alone.

No agenda, no heap, no shortcut: at every tick all workers and all items are asked whether something is due, phase
after phase, round after round. Whatever an engine does must come to the same log in every column.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from oracle_headcount import Headcount
from oracle_joint import Joint
from oracle_outages import Outages
from oracle_overflow import Overflow
from oracle_owners import Owners
from oracle_reserve import Reserve
from oracle_sharing import Sharing, rounded
from oracle_silence import Silence

from servsim.records import EndOfShift, EventLog, Outcome, Plan, Preempt, RankBy, Workload
from servsim.records.workload import FORK, NEVER

AHEAD, HELD, QUEUED, RUNNING, IN_HAND, LAID_DOWN, DONE, GONE, AT_GATE = (
    "ahead", "held", "queued", "running", "in hand", "laid down", "done", "gone", "at a gate",
)  # fmt: skip


@dataclass
class Item:
    number: int
    case: int
    skill: int
    left: int  # work at 100 %
    hold: int
    rank: int
    lot: int
    waits_for: int  # predecessors
    answers: bool
    leaves: int
    then: list[int] = field(default_factory=list)
    state: str = AHEAD
    enabled: int = -1
    offered: int = -1
    asked: int = -1  # offered for the last time
    new: bool = False  # not yet looked at whether there is a place
    again: int = -1  # found no place and tries again then
    tries: int = 0
    full: int = 0  # work for who took it up first
    started: int = -1
    completed: int = -1
    worker: int = -1
    entered: int = -1  # its present queue
    ends: int = -1  # in hand or running by itself
    interrupted: bool = False
    gate: int = -1
    quorum: int = 0
    not_awaited: bool = False
    otherwise: int = -1  # what follows a verdict by silence
    owner: int = -1  # whose it is
    kept_until: int = -1
    not_by: set[int] = field(default_factory=set)
    crew: set[int] = field(default_factory=set)  # persons who completed it
    needs: int = 1  # workers at once
    units: Fraction = Fraction(0)  # of work left, where several are in hand

    @property
    def place(self) -> tuple[int, int, int]:
        return self.rank, -1 if self.interrupted else self.asked, self.number


@dataclass
class Worker:
    number: int
    pool: int
    on_duty: bool = False
    duty_from: int = 0
    duty_to: int = 0
    break_ends: int = -1
    break_owed: int = 0
    hand: Item | None = None
    kept: Item | None = None
    since: int = 0  # took up the item in hand
    overtime: bool = False
    overtime_to: int = -1
    learnt_at: int = -1  # came on duty with nothing in hand
    idle_since: int = 0
    busy: int = 0
    rostered: int = 0

    @property
    def is_idle(self) -> bool:
        return self.on_duty and self.break_ends < 0 and self.hand is None


class Oracle(Headcount, Joint, Outages, Overflow, Owners, Reserve, Sharing, Silence):
    """One run, by brute force."""

    def __init__(self, plan: Plan, work: Workload) -> None:
        self.plan, self.work = plan, work
        self.workers = [Worker(w, int(pool)) for w, pool in enumerate(plan.worker_pool)]
        self.items = [
            Item(
                number=i,
                case=int(work.case[i]),
                skill=int(work.skill[i]),
                left=int(work.work[i]),
                hold=int(work.hold[i]),
                rank=int(work.rank[i]),
                lot=int(work.lot[i]) if len(work.lot) else 0,
                waits_for=int(work.quorum[i] if len(work.quorum) and work.quorum[i] else work.n_predecessors[i]),
                answers=bool(work.steps.responds[work.step[i]]),
                leaves=int(work.leaves[i]),
                gate=int(work.gate[i]) if len(work.gate) else -1,
                quorum=int(work.quorum[i]) if len(work.quorum) else 0,
            )
            for i in range(work.n_items)
        ]
        for i, item in enumerate(self.items):
            after = int(work.next_item[i])
            if after == FORK:
                k = work.fork_item.tolist().index(i)
                item.then = work.fork_target[work.fork_first[k] : work.fork_first[k + 1]].tolist()
            elif after >= 0:
                item.then = [after]
        self.arrived = [False] * work.n_cases
        self.came_at = work.arrived_at.tolist()
        self.asked: set[int] = set()  # cases whose patience has run out
        self.wakes_at: dict[int, int] = {}  # dormant case: when it comes
        self.asks_at: dict[int, int] = {}  # dormant case: when it comes unless the other case has been answered
        self.left = [-1] * work.n_cases
        self.outcome = [int(Outcome.IN_PROCESS)] * work.n_cases
        self.gives_up: dict[int, list[Item]] = {}  # case: what was in hand when patience ran out
        self.stretches: list[tuple[int, int, int, int]] = []
        self.escalated: list[tuple[int, int]] = []
        self.withdrawn: list[tuple[int, int]] = []
        self.turned: set[int] = set()  # cases that found no place to wait
        self.blocked: list[tuple[int, int]] = []
        self.prepare_headcount()
        self.prepare_silence()
        self.prepare_outages()
        self.prepare_reserve()
        self.prepare_overflow()
        self.prepare_owners()
        self.prepare_joint()

    # ------------------------------------------------------------------ the clock
    def run(self, until: int) -> EventLog:
        for t in range(until):
            self.scheduled_rounds(t)
            self.pass_a_tick()
            self.wait_a_tick(t)
            self.work_a_tick()
        return self.log(until)

    def scheduled_rounds(self, t: int) -> None:
        first, self.has_met = True, False
        while first or self.something_is_due(t):
            self.completions(t)
            if first:
                self.ends_of_shift(t)
                self.outages_start(t)
                self.starts_of_shift(t)
                self.outages_end(t)
            self.reserve_arrives(t)
            if first:
                self.breaks_due(t)
                self.ends_of_break(t)
            self.dispatch(t)
            self.comings(t)
            self.patience(t)
            if first:
                self.no_longer_kept(t)
            self.escalations(t)
            if first:
                self.long_waits(t)
                self.come_of_age(t)
                self.silence_speaks(t)
            self.has_met = False
            if first:
                self.meetings(t)
            first = False

    def something_is_due(self, t: int) -> bool:
        busy = any(w.hand is not None and w.hand.ends == t for w in self.workers)
        follows = t in self.wakes_at.values() or t in self.asks_at.values()
        busy = busy or t in self.arrives.values()
        return busy or self.has_met or follows or any(self.escalates(item, t) for item in self.items)

    def completions(self, t: int) -> None:
        for number in sorted({w.hand.number for w in self.workers if w.hand is not None and w.hand.ends == t}):
            item = self.items[number]
            team = self.with_hand_on(item)
            item.crew = {self.first_place(w.number) for w in team}
            for w in team:
                self.let_go(w, t)
            self.release(team, t)
            self.finish(item, t)

    def ends_of_shift(self, t: int) -> None:
        for place in range(len(self.workers)):
            w = self.holding(place)
            if not (w.on_duty and w.duty_to == t):
                continue
            w = self.who_leaves(w, t)
            if w is None:
                continue
            rule = self.plan.pool_end_of_shift[w.pool]
            w.on_duty, w.break_owed = False, 0
            w.rostered += t - w.duty_from
            if w.hand is not None and rule in (EndOfShift.FINISH, EndOfShift.NO_LATE_START):
                w.overtime = True
                limit = self.plan.overtime_limit[w.pool] if len(self.plan.overtime_limit) else -1
                w.overtime_to = t + limit if limit >= 0 else -1
            elif w.hand is not None:
                self.lay_down(w, t)
            if w.kept is not None and rule == EndOfShift.RESTART:
                w.kept.left = w.kept.full
            if w.kept is not None and rule != EndOfShift.SUSPEND_KEEP:
                self.put_back(w)
        for w in self.workers:
            if w.overtime and w.overtime_to == t:
                w.overtime = False
                self.lay_down(w, t)
                self.put_back(w)

    def breaks_due(self, t: int) -> None:
        plan = self.plan
        for k in range(len(plan.break_worker)):
            w = self.holding(plan.break_worker[k])
            if plan.break_at[k] != t or not w.on_duty:
                continue
            if w.break_ends >= 0 or (w.hand is not None and (plan.break_postponed[k] or w.hand.needs > 1)):
                w.break_owed += int(plan.break_lasts[k])
                continue
            if w.hand is not None:
                self.lay_down(w, t)
            w.break_ends = t + int(plan.break_lasts[k])

    def starts_of_shift(self, t: int) -> None:
        plan = self.plan
        for k in range(len(plan.duty_worker)):
            if plan.duty_from[k] != t:
                continue
            if (plan.duty_worker[k], t) in self.stayed:
                continue
            w = self.holding(plan.duty_worker[k])
            self.came[w.number] = t
            w.on_duty, w.duty_from, w.duty_to = True, t, int(plan.duty_to[k])
            w.learnt_at = w.learnt_at if w.overtime else t
            if w.overtime:
                w.overtime = False
            elif w.break_ends < 0:
                self.become_free(w, t)

    def ends_of_break(self, t: int) -> None:
        for w in self.workers:
            if w.break_ends == t:
                w.break_ends = -1
                if w.on_duty:
                    self.become_free(w, t)

    def comings(self, t: int) -> None:
        """Arrivals, ends of what runs by itself, pushes: one by one in the order of the items, each dispatched."""
        for item in self.items:
            is_first = item.number == self.work.first_item[item.case]
            is_due = is_first and not self.arrived[item.case]
            if is_due and (max(0, self.came_at[item.case]) == t or self.wakes(item.case, t)):
                self.arrived[item.case] = True
                if self.came_at[item.case] == NEVER:
                    self.came_at[item.case] = t
                    for own in self.of_case(item.case):
                        timed = self.work.rank_from_arrival[own.skill] if len(self.work.rank_from_arrival) else 0
                        own.rank += t if own.skill >= 0 and timed else 0
                for _, follower, on, lag in self.followers_of(item.case):
                    if on >> Outcome.IN_PROCESS & 1:
                        self.asks_at[follower] = max(t, self.came_at[item.case] + lag)
                self.enable(item, t)
            elif item.state == HELD and t == (item.enabled + item.hold if item.again < 0 else item.again):
                self.offer(item, t)
            elif item.state == RUNNING and item.ends == t:
                self.finish(item, t)
            else:
                continue
            self.dispatch(t)

    # ------------------------------------------------------------------ cases that follow others
    def followers_of(self, case: int) -> list[tuple[int, int, int, int]]:
        """(the case, the one that follows, on, lag)"""
        dormant = self.work.followers
        rows = zip(
            dormant.after.tolist(), dormant.case.tolist(), dormant.on.tolist(), dormant.lag.tolist(), strict=True
        )
        return [row for row in rows if row[0] == case]

    def wakes(self, case: int, t: int) -> bool:
        if self.wakes_at.get(case) == t:
            del self.wakes_at[case]
            return True
        if self.asks_at.get(case) != t:
            return False
        del self.asks_at[case]
        after = int(self.work.followers.after[self.work.followers.case.tolist().index(case)])
        answered = any(item.answers and item.started >= 0 for item in self.of_case(after))
        return not answered and self.left[after] < 0

    def patience(self, t: int) -> None:
        for case in range(self.work.n_cases):
            limit = self.work.patience[case]
            ends = max(self.came_at[case] + limit, self.came_at[case], 0)
            if limit < 0 or ends != t or self.left[case] >= 0 or case in self.asked | self.turned:
                continue
            self.asked.add(case)
            own = self.of_case(case)
            if any(item.answers and item.started >= 0 for item in own):
                continue
            self.leave_unserved(case, t)
            self.dispatch(t)

    def leave_unserved(self, case: int, t: int) -> None:
        own = self.of_case(case)
        in_hand = [item for item in own if item.state == IN_HAND]
        for item in own:
            if item.state not in (DONE, IN_HAND):
                item.state = GONE
        if in_hand:
            self.gives_up[case] = in_hand
        else:
            self.leave(case, t, Outcome.TURNED_AWAY if case in self.turned else Outcome.ABANDONED)
        self.send_home(t)

    # ------------------------------------------------------------------ places to wait
    def places(self, t: int) -> bool:
        """After dispatch: newcomers keep a place, first numbers first, or are turned away; True if somebody was."""
        limits, before = self.plan.waiting_places, len(self.blocked)
        newcomers = [item for item in self.items if item.new]
        for item in newcomers:
            item.new = False
            others = (o for o in self.items if o.state == QUEUED and o.skill == item.skill)
            waiting = [o for o in others if o is not item and not o.new]
            if item.state != QUEUED or len(waiting) < limits[item.skill]:
                continue
            self.blocked.append((item.number, t))
            row = self.work.redial[item.case] if self.work.redial.size else np.array([-1])
            lag = int(row[item.tries % len(row)])
            if lag >= 0:
                item.tries, item.state, item.again = item.tries + 1, HELD, t + lag
                item.rank -= int(self.work.rank_slope[item.skill]) * t
            else:
                self.turned.add(item.case)
                self.leave_unserved(item.case, t)
        return len(self.blocked) > before

    def escalations(self, t: int) -> None:
        for item in self.items:
            if self.escalates(item, t):
                self.escalated.append((item.number, t))
                item.skill, item.entered = int(self.plan.escalate_to[item.skill]), t
                self.entered_since.append(item.skill)
                if self.by_work_left(item):
                    item.rank = item.left
                self.dispatch(t)

    def escalates(self, item: Item, t: int) -> bool:
        after = self.plan.escalate_after[item.skill] if item.skill >= 0 else -1
        if after >= 0 and len(self.work.timer_of) and self.work.timer_of[item.skill] >= 0:
            after = self.work.timer[self.work.timer_of[item.skill], item.number]
        return bool(item.state == QUEUED and item.started < 0 and after >= 0 and item.entered + after == t)

    # ------------------------------------------------------------------ gates
    def meetings(self, t: int) -> None:
        for gate in range(len(self.plan.gate_first) - 1):
            openings = self.plan.gate_at[self.plan.gate_first[gate] : self.plan.gate_first[gate + 1]]
            if t in openings.tolist():
                self.meeting(gate, t)

    def meeting(self, gate: int, t: int) -> None:
        plan, self.has_met = self.plan, True
        here = [item for item in self.items if item.state == AT_GATE and item.gate == gate]
        here = [item for item in here if item.offered + plan.gate_deadline[gate] <= t]
        here.sort(key=lambda item: (item.offered, item.number))
        if plan.gate_seats[gate] >= 0:
            here = here[: plan.gate_seats[gate]]
        lasts, spent, agenda = plan.gate_lasts[gate], 0, []
        for item in here:
            if lasts >= 0 and spent + item.left > lasts:
                break
            spent += item.left
            agenda.append((item, t + (spent if lasts >= 0 else item.left)))
        for item, ends in agenda:
            item.started, item.state, item.ends = t, RUNNING, ends
        for item, ends in agenda:
            if ends == t and item.state == RUNNING:
                self.finish(item, t)

    # ------------------------------------------------------------------ items
    def of_case(self, case: int) -> list[Item]:
        return [item for item in self.items if item.case == case]

    def enable(self, item: Item, t: int) -> None:
        item.enabled = t
        if item.hold:
            item.state = HELD
        else:
            self.offer(item, t)

    def offer(self, item: Item, t: int) -> None:
        item.offered, item.asked = t if item.offered < 0 else item.offered, t
        self.begin_to_wait(item)
        if item.skill >= 0:
            item.new = bool(len(self.plan.waiting_places)) and self.plan.waiting_places[item.skill] >= 0
            item.state, item.entered = QUEUED, t
            self.entered_since.append(item.skill)
            item.rank += int(self.work.rank_slope[item.skill]) * t
            self.settle_owner(item, t)
            return
        if item.gate >= 0:
            item.state = AT_GATE
            return
        self.run_by_itself(item, t, t + item.left)

    def run_by_itself(self, item: Item, t: int, ends: int) -> None:
        item.started, item.state, item.ends = t, RUNNING, ends
        if ends == t:
            self.finish(item, t)

    def finish(self, item: Item, t: int) -> None:
        item.state, item.completed = DONE, t
        if item.case in self.gives_up:
            if all(other.state == DONE for other in self.gives_up[item.case]):
                self.leave(item.case, t, Outcome.TURNED_AWAY if item.case in self.turned else Outcome.ABANDONED)
            return
        if item.not_awaited:
            return
        if not item.then:
            self.leave(item.case, t, Outcome(item.leaves))
        for number in item.then:
            after = self.items[number]
            if after.state == GONE:
                continue
            after.waits_for -= 1
            if not after.waits_for:
                self.withdraw(after, t)
                self.enable(after, t)

    def withdraw(self, join: Item, t: int) -> None:
        """What the join does not wait for: withdrawn, or finished by those who have it in hand."""
        if not join.quorum:
            return
        own, leads = self.of_case(join.case), {join.number}
        for item in reversed(own):  # what follows stands behind
            if leads & {*item.then, item.otherwise}:
                leads.add(item.number)
        for item in own:
            if item is join or item.number not in leads or item.state in (DONE, GONE):
                continue
            if item.state == IN_HAND:
                item.not_awaited = True
            else:
                item.state = GONE
                self.withdrawn.append((item.number, t))

    def leave(self, case: int, t: int, how: Outcome) -> None:
        self.left[case], self.outcome[case] = t, int(how)
        for _, follower, on, lag in self.followers_of(case):
            if on >> how & 1:
                self.wakes_at[follower] = t + lag

    # ------------------------------------------------------------------ workers
    def pace(self, w: Worker, item: Item) -> int:
        steps = np.flatnonzero((self.plan.ramp_worker == w.number) & (self.plan.ramp_at <= w.learnt_at))
        return int(self.plan.ramp_pace[steps[-1], item.skill] if len(steps) else self.plan.pace[w.number, item.skill])

    def service(self, w: Worker, item: Item) -> int:
        left = item.left if item.interrupted else self.own_time(w, item)
        return half_up(left * 100, self.pace(w, item))

    def own_time(self, w: Worker, item: Item) -> int:
        """The work if this worker takes the item up first: theirs, else their pool's, else that of the step."""
        rows = dict(zip(self.work.own_time_of, self.work.own_time, strict=True))
        for who in (self.plan.workers[w.number], self.plan.pools[w.pool]):
            if who in rows and rows[who][item.number] >= 0:
                return int(rows[who][item.number])
        return item.left

    def take_up(self, w: Worker, item: Item, t: int) -> None:
        if not item.interrupted:
            item.left = item.full = self.own_time(w, item)
        w.hand, w.since, item.new = item, t, False
        item.state, item.worker, item.ends = IN_HAND, w.number, t + self.service(w, item)
        if item.started < 0:
            item.started = t
        item.units = Fraction(item.left)
        self.foresee(w, t, new=item)

    def let_go(self, w: Worker, t: int) -> Item:
        assert w.hand is not None
        item, w.hand = w.hand, None
        w.busy += t - w.since
        (self.stretches if item.worker == w.number else self.helped).append((item.number, w.number, w.since, t))
        self.foresee(w, t)
        return item

    def lay_down(self, w: Worker, t: int) -> None:
        assert w.hand is not None
        slowest, team = self.workers[w.hand.worker], self.with_hand_on(w.hand)
        for one in team:
            item = self.let_go(one, t)
        item.left = max(0, item.left - half_up((t - w.since) * self.pace(slowest, item), 100))
        if self.shares_work(w):
            item.left = rounded(max(Fraction(0), item.units))
        item.state, item.interrupted, w.kept = LAID_DOWN, True, item
        self.release([one for one in team if one is not w], t)

    def put_back(self, w: Worker) -> None:
        """What was laid down is anybody's."""
        assert w.kept is not None
        if w.kept.state != GONE:
            w.kept.state = QUEUED
        if self.by_work_left(w.kept):
            w.kept.rank = w.kept.left
        w.kept = None

    def become_free(self, w: Worker, t: int) -> None:
        if self.is_stopped(w):
            return
        item, w.kept = w.kept, None
        if not w.break_owed and item is not None and item.state != GONE and self.is_blocked(item):
            w.kept = item
            self.put_back(w)
            item = None
        if w.break_owed:
            w.break_ends, w.break_owed, w.kept = t + w.break_owed, 0, item
        elif item is not None and item.state != GONE:
            self.take_up(w, item, t)
        else:
            w.idle_since = t
            self.relieve(w, t)

    # ------------------------------------------------------------------ dispatch
    def dispatch(self, t: int) -> None:
        self.send_home(t)
        self.match(t)
        self.send_home(t)
        self.look(t)

    def match(self, t: int) -> None:
        while True:
            self.see_who_waits(t)
            pairs = [
                (int(self.plan.preference[w.pool, item.skill]), self.place(item, t), w)
                for w in self.workers
                if w.is_idle and not self.is_stopped(w)
                for item in self.items
                if item.state == QUEUED and self.plan.preference[w.pool, item.skill] >= 0 and self.fits(w, item, t)
                if item.needs == 1
            ]
            several = [item for item in self.items if item.state == QUEUED and item.needs > 1]
            firsts = [(team[0], item) for item in several if (team := self.team(item, t))]
            pairs += [(int(self.plan.preference[w.pool, item.skill]), self.place(item, t), w) for w, item in firsts]
            if not pairs and (self.interruption(t) or self.places(t)):
                continue
            if not pairs:
                return
            best = min((preference, place) for preference, place, _ in pairs)
            able = [w for preference, place, w in pairs if (preference, place) == best]
            item = self.items[best[1][2]]
            if item.needs > 1:
                self.take_up_together(self.team(item, t), item, t)
                continue
            able = [w for w in able if self.in_hand(w) == min(map(self.in_hand, able))]
            self.take_up(self.named(able, item, t), item, t)

    def place(self, item: Item, t: int) -> tuple[int, int, int]:
        """The item's place in its queue; by points it changes from tick to tick."""
        if len(self.work.rank_by) and self.work.rank_by[item.skill] == RankBy.POINTS:
            return -int(self.work.points[item.case]) * (t - item.asked), *item.place[1:]
        if len(self.work.rank_by) and self.work.rank_by[item.skill] == RankBy.LOT:
            return splitmix(int(self.work.lot[item.number]) * 0x9E3779B97F4A7C15 + t), *item.place[1:]
        return item.place

    def interruption(self, t: int) -> bool:
        """The first waiting item that comes before one in hand takes its worker."""
        found = [
            (item.place, -self.rank_in_hand(w, t), w.since * (1 if self.earliest(item) else -1), w)
            for item in self.items
            if item.state == QUEUED and self.preempts(item) and item.needs == 1
            for w in self.workers
            if self.gives_way(w, item, t) and self.fits(w, item, t)
        ]
        if not found:
            return False
        place, _, _, w = min(found, key=lambda one: (*one[:3], one[3].number))
        victim = w.hand
        assert victim is not None
        self.lay_down(w, t)
        if self.preempts(victim) == Preempt.RESTART:
            victim.left = victim.full
        self.put_back(w)
        self.take_up(w, self.items[place[2]], t)
        return True

    def preempts(self, item: Item) -> int:
        """Nobody interrupts, or is interrupted, where the order changes while items wait."""
        restless = len(self.work.rank_by) and self.work.rank_by[item.skill] in (RankBy.POINTS, RankBy.LOT)
        return int(self.plan.preempts[item.skill]) if len(self.plan.preempts) and not restless else Preempt.NOT

    def earliest(self, item: Item) -> bool:
        return bool(len(self.plan.victim_earliest) and self.plan.victim_earliest[item.skill])

    def gives_way(self, w: Worker, item: Item, t: int) -> bool:
        """On duty, with something in hand that is not yet done, that may be interrupted and comes after the item."""
        wish = self.plan.preference[w.pool]
        if w.hand is None or not w.on_duty or w.break_owed or w.hand.ends == t or wish[item.skill] < 0:
            return False
        if not self.preempts(w.hand) or wish[item.skill] > wish[w.hand.skill]:
            return False
        return item.place[0] < self.rank_in_hand(w, t)

    def rank_in_hand(self, w: Worker, t: int) -> int:
        assert w.hand is not None
        if self.by_work_left(w.hand):
            if self.shares_work(w):
                return rounded(max(Fraction(0), w.hand.units))
            slowest = self.workers[w.hand.worker]
            return max(0, w.hand.left - half_up((t - w.since) * self.pace(slowest, w.hand), 100))
        return w.hand.rank

    def by_work_left(self, item: Item) -> bool:
        return bool(len(self.work.rank_by) and self.work.rank_by[item.skill] == RankBy.WORK_LEFT)

    def fits(self, w: Worker, item: Item, t: int) -> bool:
        late_starts = self.plan.pool_end_of_shift[w.pool] != EndOfShift.NO_LATE_START
        if self.is_blocked(item) or not self.is_open(w.pool, item) or not self.is_for(w, item, t):
            return False
        if self.waits_for_other(w, item):
            return False
        least = self.plan.keep_idle[item.skill] + item.needs if self.is_held_back(item) else 0
        if self.is_held_back(item) and (not w.is_idle or self.could(item) < least):
            return False
        return late_starts or t + self.service(w, item) <= w.duty_to

    def is_held_back(self, item: Item) -> bool:
        above = self.plan.hold_above[item.skill] if len(self.plan.hold_above) else -1
        return bool(0 <= above < self.work.urgency[item.case])

    def could(self, item: Item) -> int:
        """So many eligible workers are idle."""
        able = (w for w in self.workers if self.plan.preference[w.pool, item.skill] >= 0)
        return sum(w.is_idle and not self.is_stopped(w) and self.is_open(w.pool, item) for w in able)

    def named(self, able: list[Worker], item: Item, t: int) -> Worker:
        rule = self.plan.assignment[item.skill]
        if rule == "random":
            return able[item.lot % len(able)]
        if rule == "fixed":
            return able[0]

        def first_of_all(w: Worker) -> int:
            if rule == "least_utilised":
                return w.busy * 1_000_000 // max(1, w.rostered + t - w.duty_from)
            return {"fastest": -1, "slowest": 1}.get(rule, 0) * self.pace(w, item)

        return min(able, key=lambda w: (first_of_all(w), self.since_idle(w), w.number))

    # ------------------------------------------------------------------ the log
    def log(self, until: int) -> EventLog:
        for w in self.workers:
            if w.hand is not None:
                self.let_go(w, until)
        broken = [part for part in self.stretches if self.items[part[0]].interrupted]
        broken.sort(key=lambda part: (part[2], part[0]))
        parts, moves = np.array(broken, np.int64).reshape(-1, 4), np.array(self.escalated, np.int64).reshape(-1, 2)

        helped = sorted(self.helped, key=lambda part: (part[2], part[0], part[1]))

        def ticks(name: str) -> np.ndarray:
            return np.array([getattr(item, name) for item in self.items], np.int64)

        return EventLog(
            enabled_at=ticks("enabled"),
            offered_at=ticks("offered"),
            started_at=ticks("started"),
            completed_at=ticks("completed"),
            worker=ticks("worker").astype(np.int32),
            stretch_item=parts[:, 0].astype(np.int32),
            stretch_worker=parts[:, 1].astype(np.int32),
            stretch_from=parts[:, 2].copy(),
            stretch_to=parts[:, 3].copy(),
            escalated_item=moves[:, 0].astype(np.int32),
            escalated_at=moves[:, 1].copy(),
            withdrawn_item=np.array([row[0] for row in self.withdrawn], np.int32),
            withdrawn_at=np.array([row[1] for row in self.withdrawn], np.int64),
            left_at=np.array(self.left, np.int64),
            outcome=np.array(self.outcome, np.int8),
            blocked_item=np.array([i for i, _ in self.blocked], np.int32),
            blocked_at=np.array([at for _, at in self.blocked], np.int64),
            arrived_at=np.array(self.came_at if len(self.work.followers.case) else [], np.int64),
            down_unit=np.array([u for u, _, _ in self.down_log], np.int32),
            down_from=np.array([begin for _, begin, _ in self.down_log], np.int64),
            reserve_worker=np.array([w for w, _, _ in self.stays(until)], np.int32),
            reserve_from=np.array([begin for _, begin, _ in self.stays(until)], np.int64),
            reserve_to=np.array([end for _, _, end in self.stays(until)], np.int64),
            helper_item=np.array([part[0] for part in helped], np.int32),
            helper_worker=np.array([part[1] for part in helped], np.int32),
            helper_from=np.array([part[2] for part in helped], np.int64),
            helper_to=np.array([part[3] for part in helped], np.int64),
            barred_item=np.array([i for i, _, _ in self.barred], np.int32),
            barred_at=np.array([at for _, at, _ in self.barred], np.int64),
            barred_who=np.array([w for _, _, w in self.barred], np.int32),
            owned_item=np.array([i for i, _, _ in self.owned], np.int32),
            owned_at=np.array([at for _, at, _ in self.owned], np.int64),
            owned_by=np.array([w for _, _, w in self.owned], np.int32),
            silent_item=np.array([i for i, _ in self.silences], np.int32),
            silent_at=np.array([at for _, at in self.silences], np.int64),
            duty_worker=np.array([w for w, _, _ in self.duties()], np.int32),
            duty_from=np.array([begin for _, begin, _ in self.duties()], np.int64),
            duty_to=np.array([end for _, _, end in self.duties()], np.int64),
            down_to=np.array([end if end >= 0 else until for _, _, end in self.down_log], np.int64),
        )


def half_up(a: int, b: int) -> int:
    """a ÷ b, rounded half up."""
    return (2 * a + b) // (2 * b)


def oracle(plan: Plan, workload: Workload, until: int) -> EventLog:
    """What happens to `workload` under `plan` before the tick `until`."""
    return Oracle(plan, workload).run(until)


def splitmix(x: int) -> int:
    """The finisher of splitmix64, in steps of 64 bits."""
    x %= 2**64
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ x >> shift) * factor % 2**64
    return x ^ x >> 31
