"""What holds in every run, whatever the mechanisms: each law reads the log, the plan and the workload, and no engine.

A law yields a line for each breach; `breaches(run)` is all of them. They are exact to the tick, and know of every
mechanism that makes an exception; where the log alone cannot tell which of two rules held, both are allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np

from servsim.kpis.causes import causes
from servsim.kpis.queues import in_process, queues
from servsim.records import EndOfShift, Outcome, Preempt, Run
from servsim.records.workload import FORK, NEVER

Law = Callable[["Seen"], Iterator[str]]
Part = tuple[int, int, int, int]
"""A stretch of work: from, to, item, worker."""
Span = tuple[int, int]
EVER = 2**62


class Seen:
    """A run, arranged for looking things up. For small runs: much is gone through tick by tick."""

    def __init__(self, run: Run) -> None:
        self.run, self.plan, self.work, self.log = run, run.plan, run.workload, run.log
        self.until = run.window.until
        item, worker, begin, end = (column.tolist() for column in run.stretches())
        self.parts: list[Part] = sorted(zip(begin, end, item, worker, strict=True))
        n = len(item) - len(self.log.helper_item)
        self.led: list[Part] = sorted(zip(begin[:n], end[:n], item[:n], worker[:n], strict=True))
        self.helped: list[Part] = sorted(zip(begin[n:], end[n:], item[n:], worker[n:], strict=True))
        self.moves = self.run.moves
        self.started, self.completed = self.log.started_at.tolist(), self.log.completed_at.tolist()
        self.offered, self.enabled = self.log.offered_at.tolist(), self.log.enabled_at.tolist()
        self.left, self.outcome = self.log.left_at.tolist(), self.log.outcome.tolist()
        self.case, self.skill = self.work.case.tolist(), self.work.skill.tolist()
        self.withdrawn = dict(zip(self.log.withdrawn_item.tolist(), self.log.withdrawn_at.tolist(), strict=True))
        self.n_workers = len(self.plan.workers)
        self.pool = self.plan.worker_pool.tolist()
        self.person = self.plan.person_of().tolist()

    @cached_property
    def by_worker(self) -> list[list[Part]]:
        return [[part for part in self.parts if part[3] == w] for w in range(self.n_workers)]

    @cached_property
    def by_item(self) -> dict[int, list[Part]]:
        """Of those who lead the work on it, or do it alone."""
        found: dict[int, list[Part]] = {}
        for part in self.led:
            found.setdefault(part[2], []).append(part)
        return found

    def needs(self, item: int) -> int:
        """So many work on it together."""
        of = self.work.workers
        return max(1, int(of[item])) if len(of) else 1

    @cached_property
    def duties(self) -> list[list[Span]]:
        """[workers] spans on duty, also those of the reserve, which has no end that is known beforehand."""
        found: list[list[Span]] = [[] for _ in range(self.n_workers)]
        for w, a, b in zip(*(column.tolist() for column in self.run.duties), strict=True):
            found[w].append((a, b))
        return found

    def ends_at(self, w: int, at: int) -> int:
        """When the duty of that tick was to end; -1: off duty."""
        for a, b in self.duties[w]:
            if a <= at < b:
                return EVER if self.is_reserve(w) else b
        return -1

    def is_reserve(self, w: int) -> bool:
        of = self.plan.reserves.worker
        return bool(len(of) and of[w])

    def rule(self, w: int) -> int:
        return int(self.plan.pool_end_of_shift[self.pool[w]])

    @cached_property
    def unsure(self) -> list[bool]:
        """[workers] when their breaks fall due is not in the log: places of the roster change hands."""
        first, breaks = self.plan.idle_first, {self.pool[w] for w in self.plan.break_worker.tolist()}
        return [bool(len(first) and first[pool]) and pool in breaks for pool in self.pool]

    def is_swapped(self, w: int) -> bool:
        """Duties end as worked, which nobody knows beforehand."""
        return bool(len(self.plan.idle_first) and self.plan.idle_first[self.pool[w]])

    def limit(self, w: int) -> int:
        of = self.plan.overtime_limit
        limit = int(of[self.pool[w]]) if len(of) else -1
        return limit if limit >= 0 else EVER

    # ------------------------------------------------------------------ systems
    @cached_property
    def down(self) -> list[list[Span]]:
        """[units] outages."""
        found: list[list[Span]] = [[] for _ in self.plan.systems.unit_system]
        log = self.log
        for u, a, b in zip(log.down_unit.tolist(), log.down_from.tolist(), log.down_to.tolist(), strict=True):
            found[u].append((a, b))
        return found

    @cached_property
    def units_of_worker(self) -> list[list[int]]:
        return [self.plan.systems.units_of(w, self.pool[w]) for w in range(self.n_workers)]

    @cached_property
    def units_of_item(self) -> list[list[int]]:
        """The shared systems that the step needs."""
        needs, of = self.work.steps.needs, self.plan.systems
        if not needs.any():
            return [[] for _ in self.case]
        rows = [[u for u, s in enumerate(of.unit_system) if of.unit_worker[u] < 0 and row[s]] for row in needs]
        return [rows[step] for step in self.work.step]

    def is_down(self, units: list[int], at: int) -> bool:
        return any(a <= at < b for u in units for a, b in self.down[u])

    # ------------------------------------------------------------------ breaks
    @cached_property
    def on_break(self) -> list[list[bool]]:
        """[workers, ticks] at the end of the tick: the rules of breaks, applied to what was worked."""
        due: list[dict[int, tuple[int, int]]] = [{} for _ in range(self.n_workers)]
        plan = self.plan
        columns = (plan.break_worker, plan.break_at, plan.break_lasts, plan.break_postponed)
        for w, at, lasts, postponed in zip(*(column.tolist() for column in columns), strict=True):
            due[w][at] = (lasts, postponed)
        return [
            self.breaks_of(w, due[w]) if due[w] and not self.unsure[w] else [False] * self.until
            for w in range(self.n_workers)
        ]

    def breaks_of(self, w: int, due: dict[int, tuple[int, int]]) -> list[bool]:
        rests, own = [], self.units_of_worker[w]
        ends, owed = -1, 0
        for t in range(self.until):
            hand = next((part for part in self.by_worker[w] if part[0] < t <= part[1]), None)
            ended = hand is not None and hand[1] == t
            done = ended and self.completed[hand[2]] == t
            if any(b == t for _, b in self.duties[w]):
                owed = owed if done and owed else 0
                ends, owed = (t + owed, 0) if done and owed else (ends, 0)
            elif done and owed:
                ends, owed = t + owed, 0
            stops = [*own, *(self.units_of_item[hand[2]] if hand else ())]
            together = hand is not None and self.needs(hand[2]) > 1
            if ended and not done and owed and (together or any(a == t for u in stops for a, _ in self.down[u])):
                ends, owed = t + owed, 0
            on_duty = self.ends_at(w, t) >= 0
            if on_duty and owed and ends < 0 and own and not self.is_down(own, t) and self.is_down(own, t - 1):
                ends, owed = t + owed, 0
            if t in due and on_duty:
                lasts, postponed = due[t]
                busy = (hand is not None and hand[1] > t) or any(part[0] == t for part in self.by_worker[w])
                postponed = postponed or (together and hand is not None and hand[1] > t)
                if ends >= 0 or (busy and postponed and not self.is_down(own, t)):
                    owed += lasts
                else:
                    ends = t + lasts
            if ends == t:
                ends = -1
                if on_duty and owed and not self.is_down(own, t):
                    ends, owed = t + owed, 0
            if owed and ends < 0 and any(p[0] == p[1] == t == self.completed[p[2]] for p in self.by_worker[w]):
                ends, owed = t + owed, 0
            rests.append(ends > t)
        return rests

    # ------------------------------------------------------------------ work
    def paces(self, w: int, skill: int, at: int) -> set[int]:
        """In per cent: that of the duty's beginning, or of the one before if it was still at an item of that."""
        plan = self.plan
        steps = sorted((a, k) for k, (v, a) in enumerate(zip(plan.ramp_worker, plan.ramp_at, strict=True)) if v == w)
        if not steps:
            return {int(plan.pace[w, skill])}
        found = set()
        for begin in [a for a, _ in self.duties[w] if a <= at][-9 if self.is_swapped(w) else -2 :]:
            known = [k for a, k in steps if a <= begin]
            found.add(int(plan.ramp_pace[known[-1], skill] if known else plan.pace[w, skill]))
        return found

    def queue_of(self, item: int, at: int) -> int:
        """The skill in whose queue the item stands, or stood when it was taken up."""
        skill = self.skill[item]
        for moved, when, to in self.moves:
            if moved == item and when <= at:
                skill = to
        return skill

    def time_of(self, w: int, item: int) -> int:
        """The work of the item if this worker takes it up first."""
        rows = dict(zip(self.work.own_time_of, self.work.own_time, strict=True))
        for who in (self.plan.workers[w], self.plan.pools[self.pool[w]]):
            if who in rows and rows[who][item] >= 0:
                return int(rows[who][item])
        return int(self.work.work[item])

    def shares_with(self, w: int) -> list[int]:
        """The places of the same person."""
        return [v for v in range(self.n_workers) if self.person[v] == self.person[w]]

    def lefts(self, item: int, until: int) -> tuple[set[int], list[str]]:
        """What may be left of the work after the stretches that ended before or at `until`, and what cannot be."""
        parts, wrong = self.by_item.get(item, []), []
        if not parts:
            return set(), []
        full = self.time_of(parts[0][3], item)
        left = {full}
        for k, part in enumerate(parts):
            if part[1] > until:
                break
            begin, end, _, w = part
            last = k + 1 == len(parts)
            skill = self.queue_of(item, self.started[item])
            if len(self.shares_with(w)) > 1:
                left, fits = self.after_sharing(part, left, last)
            else:
                left, fits = self.after_working(part, left, self.paces(w, skill, begin), last)
            if not fits:
                wrong.append(f"item {item} worked on {begin}-{end} by {self.plan.workers[w]}: not its work at the pace")
            if not last or (self.completed[item] < 0 and end < self.until):
                left = self.begun_again(part, self.until if last else parts[k + 1][0], left, full)
        return left, wrong

    def after_working(self, part: Part, left: set[int], paces: set[int], last: bool) -> tuple[set[int], bool]:
        begin, end, item, _ = part
        length = end - begin
        fits = [(one, pace, (200 * one + pace) // (2 * pace)) for one in left for pace in paces]
        if last and self.completed[item] >= 0:
            return {0}, any(ticks == length for _, _, ticks in fits)
        if last and end == self.until:
            fits = [row for row in fits if row[2] >= length]
        else:
            fits = [row for row in fits if row[2] > length or not length]
        return {max(0, one - (length * pace + 50) // 100) for one, pace, _ in fits}, bool(fits)

    def after_sharing(self, part: Part, left: set[int], last: bool) -> tuple[set[int], bool]:
        begin, end, item, w = part
        skill = self.queue_of(item, self.started[item])
        results, fits = set(), False
        for pace in self.paces(w, skill, begin):
            speeds = [Fraction(pace, 100) * self.share(w, t) for t in range(begin, end)]
            done = sum(speeds, Fraction(0))
            slack = Fraction(pace, 100) * self.fastest(w) / 2  # half a tick, at the speed of who is alone in the end
            for one in left:
                if last and self.completed[item] >= 0:
                    fits |= abs(one - done) <= slack
                else:
                    fits |= one - done >= -slack
                    rest = max(Fraction(0), one - done)
                    results.add((2 * rest.numerator + rest.denominator) // (2 * rest.denominator))
        return results or {0}, fits

    def fastest(self, w: int) -> Fraction:
        paces = [int(pace) for pace in self.plan.at_once_pace[self.pool[w]] if pace]
        return Fraction(max(paces), 100_000) if paces else Fraction(1)

    def share(self, w: int, t: int) -> Fraction:
        """Speed of each item that the person has in hand at the tick."""
        places = self.shares_with(w)
        n = sum(part[0] <= t < part[1] for place in places for part in self.by_worker[place])
        paces = [int(pace) for pace in self.plan.at_once_pace[self.pool[w]] if pace]
        return Fraction(paces[n - 1], 100_000) if paces else Fraction(1, n)

    def begun_again(self, part: Part, again: int, left: set[int], full: int) -> set[int]:
        """Work that is lost: surely at the end of a shift with that rule, else perhaps, where something allows it."""
        _, end, item, w = part
        ends = [b for _, b in self.duties[w] if end <= b <= again]
        if self.rule(w) == EndOfShift.RESTART and ends:
            return {full} if end in ends and part[0] < end else left | {full}
        skill, of = self.queue_of(item, self.started[item]), self.plan.systems
        others = [other[3] for other in self.helped if other[:3] == part[:3]]
        if any(self.rule(v) == EndOfShift.RESTART and any(end == b for _, b in self.duties[v]) for v in others):
            return left | {full}
        units = [*(u for v in (w, *others) for u in self.units_of_worker[v]), *self.units_of_item[item]]
        fails = any(of.restart[of.unit_system[u]] and a == end for u in units for a, _ in self.down[u])
        if fails or (len(self.plan.preempts) and self.plan.preempts[skill] == Preempt.RESTART):
            return left | {full}
        return left

    # ------------------------------------------------------------------ waiting
    @cached_property
    def gone(self) -> list[int]:
        """[cases] from when on its items surely are in no queue: it left, gave up, was turned away."""
        at = [left if left >= 0 else EVER for left in self.left]
        arrived, answers = self.work.arrived_at.tolist(), self.work.steps.responds[self.work.step]
        for case, patience in enumerate(self.work.patience.tolist()):
            if patience >= 0 and self.outcome[case] not in (Outcome.COMPLETED, Outcome.REJECTED):
                ends = max(arrived[case] + patience, arrived[case], 0)
                own = range(*self.work.first_item[case : case + 2].tolist())
                if not any(answers[i] and 0 <= self.started[i] < ends for i in own):
                    at[case] = min(at[case], ends)
        for item, tries in self.blocked.items():
            if tries[1] < 0:
                at[self.case[item]] = min(at[self.case[item]], tries[0])
        return at

    @cached_property
    def blocked(self) -> dict[int, tuple[int, int]]:
        """By item: when it found no place for the last time, and when it is offered anew (-1: never)."""
        found: dict[int, tuple[int, int]] = {}
        tries: dict[int, int] = {}
        lags = self.work.redial
        for item, at in zip(self.log.blocked_item.tolist(), self.log.blocked_at.tolist(), strict=True):
            k, case = tries.get(item, 0), self.case[item]
            lag = int(lags[case, k % lags.shape[1]]) if lags.size else -1
            found[item], tries[item] = (at, at + lag if lag >= 0 else -1), k + 1
        return found

    def waits(self, item: int) -> Iterator[tuple[int, int, int]]:
        """(from, to, who laid it down or -1): while the item surely is in a queue, or with whom who laid it down."""
        if self.skill[item] < 0 or self.offered[item] < 0:
            return
        end = min(self.gone[self.case[item]], self.withdrawn.get(item, EVER), self.until)
        begin, holder = self.offered[item], -1
        if item in self.blocked:
            begin = self.blocked[item][1] if self.blocked[item][1] >= 0 else EVER
        for a, b, _, w in self.by_item.get(item, []):
            yield begin, min(a, end), holder
            begin, holder = b, w
        if item not in self.by_item and self.started[item] >= 0:  # decided by silence
            yield begin, min(self.started[item], end), holder
        elif self.completed[item] < 0:
            yield begin, end, holder

    @cached_property
    def bound(self) -> list[tuple[int, int, int]]:
        """(item, from, to): while items that need several workers may be waiting for them."""
        found = []
        for item, n in enumerate(self.work.workers.tolist()):
            skill = self.skill[item]
            if n < 2 or skill < 0 or self.offered[item] < 0:
                continue
            left = self.left[self.case[item]]
            ends = self.completed[item] if self.completed[item] >= 0 else left if left >= 0 else self.until
            found.append((item, self.offered[item], ends))
        return found

    def is_queued(self, item: int, span: tuple[int, int, int], at: int) -> bool:
        """The item surely waits in a queue at the end of the tick, and nothing that its step needs is down."""
        begin, end, holder = span
        if not begin <= at < end or self.is_down(self.units_of_item[item], at):
            return False
        return holder < 0 or not self.may_hold(holder, at)

    def entered(self, item: int, at: int) -> int:
        """When the item entered the queue in which it stands: moved by an escalation, or offered for the last time."""
        moved = [when for moving, when, _ in self.moves if moving == item and when <= at]
        offered = self.blocked[item][1] if item in self.blocked and self.blocked[item][1] <= at else self.offered[item]
        return max([offered, *moved])

    def has_regular(self, queue: int, at: int) -> bool:
        """Somebody of the queue's own pools is on duty by the roster."""
        conditional = self.plan.overflow.conditional(len(self.plan.pools), len(self.plan.skills))[:, queue]
        own = (self.plan.preference[:, queue] >= 0) & ~conditional
        return any(own[self.pool[w]] and self.ends_at(w, at) not in (-1, EVER) for w in range(self.n_workers))

    # ------------------------------------------------------------------ who did something before
    def owner(self, item: int, at: int) -> tuple[int, int]:
        """The person whose the item is, and since when it is offered; -1: nobody's."""
        log, found = self.log, (-1, -1)
        rows = zip(log.owned_item.tolist(), log.owned_at.tolist(), log.owned_by.tolist(), strict=True)
        for owned, when, who in rows:
            if owned == item and when <= at:
                found = who, when
        return found

    def not_by(self, item: int) -> set[int]:
        """The persons who may not do it: they have done others before it was offered."""
        log = self.log
        at = max(log.barred_at[log.barred_item == item], default=-1)
        return set(log.barred_who[(log.barred_item == item) & (log.barred_at == at)].tolist())

    def may_hold(self, w: int, at: int) -> bool:
        """The worker may have kept what was laid down."""
        if self.unsure[w] or self.on_break[w][at] or self.is_down(self.units_of_worker[w], at):
            return True
        return self.rule(w) == EndOfShift.SUSPEND_KEEP and self.ends_at(w, at) < 0

    def is_free(self, w: int, at: int) -> bool:
        """On duty at the end of the tick, not on a break, not standing still, with nothing in hand."""
        if self.unsure[w] or self.ends_at(w, at) < 0 or self.on_break[w][at]:
            return False
        if self.is_down(self.units_of_worker[w], at):
            return False
        return not any(a <= at < b for a, b, _, _ in self.by_worker[w])


# ---------------------------------------------------------------------- cases


def no_case_is_lost(seen: Seen) -> Iterator[str]:
    """Arrived = completed + rejected + abandoned + turned away + in process; who is in process has an item open."""
    work, log = seen.work, seen.log
    came = (work.arrived_at < seen.until) & (log.enabled_at[work.first_item[:-1]] >= 0)
    if ((work.arrived_at < seen.until) != came).any():
        yield "a case arrived and its first item was not enabled, or the other way round"
    if np.bincount(log.outcome[came], minlength=len(Outcome)).sum() != came.sum() or log.outcome[~came].any():
        yield "a case that did not arrive has an outcome"
    if ((log.outcome == Outcome.IN_PROCESS) != (log.left_at < 0)).any():
        yield "in process and left"
    for case in np.flatnonzero(came).tolist():
        yield from _accounts(seen, case)


def _accounts(seen: Seen, case: int) -> Iterator[str]:
    work, how, left = seen.work, seen.outcome[case], seen.left[case]
    own = range(*work.first_item[case : case + 2].tolist())
    done = [seen.completed[i] for i in own if seen.completed[i] >= 0]
    still = [i for i in own if seen.enabled[i] >= 0 and seen.completed[i] < 0 and i not in seen.withdrawn]
    if how in (Outcome.COMPLETED, Outcome.REJECTED):
        ends = [i for i in own if work.leaves[i] == how and seen.completed[i] == left]
        if not ends or (not work.quorum[list(own)].any() and (still or left != max(done))):
            yield f"case {case} left at {left}, not with its last item"
    elif how == Outcome.IN_PROCESS and not still:
        yield f"case {case} is in process without an open item"
    elif how == Outcome.ABANDONED:
        gave_up = max(int(work.arrived_at[case] + work.patience[case]), int(work.arrived_at[case]), 0)
        hands = {i for i in own for part in seen.by_item.get(i, []) if part[0] <= gave_up <= part[1]}
        late = left > gave_up and left not in {seen.completed[i] for i in hands}
        if work.patience[case] < 0 or left < gave_up or late:
            yield f"case {case} gave up at {left}, though its patience ran out at {gave_up}"
    elif how == Outcome.TURNED_AWAY:
        last = [seen.blocked[i] for i in own if i in seen.blocked and seen.blocked[i][1] < 0]
        if not last or left < last[-1][0]:
            yield f"case {case} was turned away at {left} where it had a place"


def a_case_is_there_while_an_item_is_open(seen: Seen) -> Iterator[str]:
    """Little's law as an identity: the integral of the number of cases there – of whom an item is enabled and neither
    completed nor withdrawn – is the sum of the times from arrival to leaving; so for the cases and the items that
    wait, as the figures count them."""
    work = seen.work
    number = [0] * (seen.until + 1)
    for case in range(work.n_cases):
        left = seen.left[case] if seen.left[case] >= 0 else seen.until
        there: set[int] = set()
        for i in range(*work.first_item[case : case + 2].tolist()):
            if seen.enabled[i] >= 0:
                end = seen.completed[i] if seen.completed[i] >= 0 else seen.withdrawn.get(i, left)
                there |= set(range(seen.enabled[i], min(end, left)))
        for t in there:
            number[t] += 1
    came = work.arrived_at < seen.until
    left = np.where(seen.log.left_at >= 0, seen.log.left_at, seen.until)
    spent = int((left - np.maximum(work.arrived_at, 0))[came].sum())
    if sum(number) != spent:
        yield f"cases: the integral of the number is {sum(number)}, the sum of the times {spent}"
    counted = in_process(seen.run).sum()
    if abs(counted - spent) > 1e-6 * max(1, spent):
        yield f"cases: the figures count {counted}, the sum of the times is {spent}"
    begun = (work.skill >= 0) & (seen.log.enabled_at >= 0)
    ends = np.where(seen.log.started_at >= 0, seen.log.started_at, np.maximum(left[work.case], seen.log.enabled_at))
    for i, at in seen.withdrawn.items():
        ends[i] = at if seen.started[i] < 0 else ends[i]
    waited = int((ends - seen.log.enabled_at)[begun].sum())
    queued = queues(seen.run).waiting.sum()
    if abs(queued - waited) > 1e-6 * max(1, waited):
        yield f"items: the integral of the queues is {queued}, the sum of the waits {waited}"


# ---------------------------------------------------------------------- items


def an_item_goes_through_its_marks_in_order(seen: Seen) -> Iterator[str]:
    """Enabled, offered after the dispatch delay, started, completed; nothing at or after the stop of the clock."""
    for i, hold in enumerate(seen.work.hold.tolist()):
        marks = [seen.enabled[i], seen.offered[i], seen.started[i], seen.completed[i]]
        happened = [at for at in marks if at >= 0]
        if -1 in marks[: len(happened)] or happened != sorted(happened) or any(at >= seen.until for at in happened):
            yield f"item {i}: enabled, offered, started, completed at {marks}"
        if seen.offered[i] >= 0 and seen.offered[i] - seen.enabled[i] != hold:
            yield f"item {i}: offered {seen.offered[i] - seen.enabled[i]} after it was enabled, not {hold}"
        if i in seen.withdrawn and seen.completed[i] > seen.withdrawn[i]:
            yield f"item {i}: withdrawn at {seen.withdrawn[i]}, completed at {seen.completed[i]}"


def an_item_is_enabled_with_what_it_waits_for(seen: Seen) -> Iterator[str]:
    """At arrival, or when the last of its predecessors is completed – of a join that needs k, the k-th."""
    work = seen.work
    before: dict[int, list[int]] = {}
    for i, after in enumerate(work.next_item.tolist()):
        if after >= 0:
            before.setdefault(after, []).append(i)
    for k, i in enumerate(work.fork_item.tolist()):
        for after in work.fork_target[work.fork_first[k] : work.fork_first[k + 1]].tolist():
            before.setdefault(after, []).append(i)
    first = set(work.first_item[:-1].tolist())
    if work.silences:
        yield from _enabled_where_silence_speaks(seen, before)
        return
    for i, at in enumerate(seen.enabled):
        if at < 0 or i in first:
            if at >= 0 and at != max(int(work.arrived_at[seen.case[i]]), 0):
                yield f"item {i}: enabled at {at}, not at the arrival"
            continue
        done = sorted(seen.completed[k] for k in before[i] if seen.completed[k] >= 0)
        needed = int(work.quorum[i]) if len(work.quorum) and work.quorum[i] else len(before[i])
        if len(done) < needed or done[needed - 1] != at:
            yield f"item {i}: enabled at {at}, predecessors completed at {done}"
    for i, after in enumerate(work.next_item.tolist()):
        ends = seen.left[seen.case[i]]
        if after >= 0 and before[after] == [i] and seen.completed[i] >= 0 and seen.enabled[after] < 0:
            gives_up = seen.gone[seen.case[i]] <= seen.completed[i] or ends == seen.completed[i]
            if not gives_up and not work.quorum[slice(*work.first_item[seen.case[i] : seen.case[i] + 2])].any():
                yield f"item {after}: not enabled though item {i} is completed"
    assert FORK < 0 < NEVER


def _enabled_where_silence_speaks(seen: Seen, before: dict[int, list[int]]) -> Iterator[str]:
    """A verdict by silence may lead elsewhere than that of a person: one of those that lead there is just completed."""
    for i, after in enumerate(seen.work.silences.next_item.tolist()):
        if after >= 0:
            before.setdefault(after, []).append(i)
    for i, at in enumerate(seen.enabled):
        if at >= 0 and i in before and at not in {seen.completed[k] for k in before[i]}:
            yield f"item {i}: enabled at {at}, and nothing that leads there is completed then"


def waits_add_up(seen: Seen) -> Iterator[str]:
    """The causes of waiting add up to it, for each item, and none of them is negative: from enabled to the first start
    (of a hand-over: to its end), to the withdrawal, to the leaving of the case, or to the stop of the clock; and a
    branch waits from its completion until the others are completed too."""
    found, kinds = causes(seen.run), seen.work.steps.kind
    columns = {name: np.asarray(column).tolist() for name, column in found._asdict().items()}
    for i, begin in enumerate(seen.enabled):
        of = {name: column[i] for name, column in columns.items()}
        joining, after = of.pop("joining", 0), int(seen.work.next_item[i])
        over = kinds[seen.work.step[i]] == "handoff" and seen.skill[i] < 0
        ends = seen.completed[i] if over else seen.started[i]
        if ends < 0:
            left = seen.left[seen.case[i]]
            ends = max(begin, seen.withdrawn.get(i, left if left >= 0 else seen.until))
        if min(0, joining, *of.values()) < 0 or sum(of.values()) != (ends - begin if begin >= 0 else 0):
            yield f"item {i}: waited {begin}-{ends}, because of {of}"
        met = (
            after >= 0
            and seen.enabled[after] >= seen.completed[i] >= 0
            and not seen.work.quorum[after : after + 1].any()
        )
        joins = met and seen.work.n_predecessors[after] > 1 and not seen.work.silences
        if joins and joining != seen.enabled[after] - seen.completed[i]:
            yield f"item {i}: waited {joining} for the other branches"


def service_adds_up_to_the_work(seen: Seen) -> Iterator[str]:
    """At the pace of who works on it, rounded half up; over interruptions, new beginnings, and several in hand."""
    for item in seen.by_item:
        yield from seen.lefts(item, seen.until)[1]


# ---------------------------------------------------------------------- workers


def nobody_is_in_two_places(seen: Seen) -> Iterator[str]:
    """One item in each place of a worker, one worker at each item, no more items in hand than the person has places."""
    for name, rows in (("worker", seen.by_worker), ("item", list(seen.by_item.values()))):
        for number, parts in enumerate(rows):
            for one, other in pairwise(parts):
                if one[1] > other[0]:
                    yield f"{name} {number}: {one} and {other}"
    for part in seen.helped:
        if not any(part[:2] == led[:2] and part[3] != led[3] for led in seen.by_item.get(part[2], [])):
            yield f"{seen.plan.workers[part[3]]} helps alone with item {part[2]}: {part}"
    for begin, end, item, _ in seen.led:
        if 1 + sum(part[:3] == (begin, end, item) for part in seen.helped) != seen.needs(item) and begin < end:
            yield f"item {item} needs {seen.needs(item)}, and has not so many {begin}-{end}"
    for item, parts in seen.by_item.items():
        if seen.completed[item] >= 0 and max(part[1] for part in parts) != seen.completed[item]:
            yield f"item {item} is completed at {seen.completed[item]}, and worked on until {parts[-1][1]}"


def nobody_works_off_duty(seen: Seen) -> Iterator[str]:
    """Work begins on duty. After the shift it goes on only where the pool finishes what is in hand, no longer than the
    overtime limit; nobody works on a break, or with what is down; no late start where that is the rule."""
    for w, parts in enumerate(seen.by_worker):
        name = seen.plan.workers[w]
        for begin, end, item, _ in parts:
            until = seen.ends_at(w, begin)
            if until < 0 and begin == end and any(b == begin for _, b in seen.duties[w]):
                until = begin  # taken up and laid down, or completed, in the tick in which the duty ended
            if until < 0:
                yield f"{name} begins item {item} at {begin}, off duty"
                continue
            if until == EVER and not any(a <= begin and end <= b for a, b in seen.duties[w]):
                yield f"{name} works on item {item} until {end}, and was not there"
            yield from _overtime(seen, w, begin, end, item, until)
            if any(seen.on_break[w][begin:end]):
                yield f"{name} works on item {item} {begin}-{end}, during a break"
            for u in {*seen.units_of_worker[w], *seen.units_of_item[item]}:
                if any(a < end and begin < b for a, b in seen.down[u]):
                    yield f"{name} works on item {item} {begin}-{end}, with a system that is down"


def _overtime(seen: Seen, w: int, begin: int, end: int, item: int, until: int) -> Iterator[str]:
    rule = seen.rule(w)
    while end > until and (nxt := next((b for a, b in seen.duties[w] if a == until), None)):
        until = nxt  # the next duty begins where this one ends
        if rule not in (EndOfShift.FINISH, EndOfShift.NO_LATE_START):
            break
    if end <= until or until == EVER:
        return
    name = seen.plan.workers[w]
    if rule not in (EndOfShift.FINISH, EndOfShift.NO_LATE_START):
        yield f"{name} works on item {item} until {end}, after the shift ({until})"
    later = [a for a, _ in seen.duties[w] if until < a < end]
    if not later and end > until + seen.limit(w):
        yield f"{name} works on item {item} until {end}, beyond the overtime limit ({until} + {seen.limit(w)})"
    whole = len(seen.by_item[item]) == 1 and len(seen.shares_with(w)) == 1
    whole = whole and not seen.is_swapped(w)
    if rule == EndOfShift.NO_LATE_START and whole and end > seen.ends_at(w, begin):
        yield f"{name} starts item {item} at {begin}, too late for the shift"


def the_reserve_comes_when_called(seen: Seen) -> Iterator[str]:
    """Who comes stays at least so long, or until their hours end, comes in these hours, and comes again after the
    delay at the earliest."""
    of = seen.plan.reserves
    for w in range(seen.n_workers):
        pool = seen.pool[w]
        hours = [*zip(of.hours_from.tolist(), of.hours_to.tolist(), of.hours_pool.tolist(), strict=True)]
        mine = [(begin, end) for begin, end, owner in hours if owner == pool] or [(0, seen.until)]
        spans = seen.duties[w] if seen.is_reserve(w) else []
        for k, (a, b) in enumerate(spans):
            closing = next((end for begin, end in mine if begin <= a < end), None)
            if closing is None:
                yield f"{seen.plan.workers[w]} comes at {a}, outside of the hours"
            elif b < min(a + of.stay[pool], closing, seen.until):
                yield f"{seen.plan.workers[w]} stays {a}-{b}"
            if a - (spans[k - 1][1] if k else 0) < of.delay[pool]:
                yield f"{seen.plan.workers[w]} comes at {a}, before the delay is over"


def nobody_idles_while_work_waits(seen: Seen) -> Iterator[str]:
    """At the end of every tick nobody who is free has the skill for an item that waits, unless the item has to be held
    back, cannot be finished in time where that is the rule, or needs what is down."""
    waits = [list(seen.waits(item)) if skill >= 0 else [] for item, skill in enumerate(seen.skill)]
    for t in range(seen.until):
        free = [w for w in range(seen.n_workers) if seen.is_free(w, t)]
        there = [item for item, spans in enumerate(waits) if any(seen.is_queued(item, span, t) for span in spans)]
        queue_of = {item: seen.queue_of(item, t) for item in there} if free else {}
        waiting = [list(queue_of.values()).count(queue) for queue in range(len(seen.plan.skills))]
        for item, queue in queue_of.items():
            able = [w for w in free if seen.plan.preference[seen.pool[w], queue] >= 0]
            able = [w for w in able if is_open(seen, w, item, queue, t, waiting)]
            if is_held_back(seen, item, queue, len(able)):
                continue
            others = [one for one, begin, end in seen.bound if begin <= t < end and one != item]
            if seen.needs(item) > 1:
                ready = [w for w in able if not seen.work.owners and seen.rule(w) != EndOfShift.NO_LATE_START]
                if not others and len(ready) >= seen.needs(item):
                    yield f"{seen.needs(item)} idle at {t}, item {item}, which needs so many, waits"
                continue
            queues = [seen.queue_of(one, t) for one in others]
            queues = [q for q in queues if not (len(seen.plan.backfilling) and seen.plan.backfilling[q])]
            held = {w for w in able if any(seen.plan.preference[seen.pool[w], q] >= 0 for q in queues)}
            for w in (w for w in able if w not in held):
                if is_for(seen, w, item, queue, t) and not is_too_late(seen, w, item, queue, t):
                    yield f"{seen.plan.workers[w]} idles at {t}, item {item} waits"


def is_open(seen: Seen, w: int, item: int, queue: int, at: int, waiting: list[int]) -> bool:
    """The pool surely takes the item: it is one of the queue's own, or one of the conditions is met."""
    of, pool = seen.plan.overflow, seen.pool[w]
    if not of.conditional(len(seen.plan.pools), len(seen.plan.skills))[pool, queue]:
        return True
    if of.after[pool, queue] >= 0 and at >= seen.entered(item, at) + of.after[pool, queue]:
        return True
    if of.waiting[pool, queue] >= 0 and waiting[queue] >= of.waiting[pool, queue]:
        return True
    return bool(of.alone[pool, queue]) and not seen.has_regular(queue, at)


def is_for(seen: Seen, w: int, item: int, queue: int, at: int) -> bool:
    """Not one of those who may not do it; its owner, where it is kept for one or where the owner is free."""
    of = seen.work.owners
    if not of:
        return True
    if seen.person[w] in seen.not_by(item):
        return False
    owner, since = seen.owner(item, at)
    if owner in (-1, seen.person[w]) or queue != seen.skill[item]:
        return True
    kept = int(of.kept[item])
    free = any(seen.is_free(place, at) for place in seen.shares_with(owner))
    return kept >= 0 and at >= since + kept and not free


def is_held_back(seen: Seen, item: int, queue: int, free: int) -> bool:
    plan = seen.plan
    above = int(plan.hold_above[queue]) if len(plan.hold_above) else -1
    spare = free - seen.needs(item)
    return above >= 0 and bool(seen.work.urgency[seen.case[item]] > above) and spare < plan.keep_idle[queue]


def everybody_does_what_is_theirs(seen: Seen) -> Iterator[str]:
    """Nobody does what others have to; what is kept for somebody is begun by nobody else in that time; and pools that
    help out take only what they may."""
    conditional = seen.plan.overflow.conditional(len(seen.plan.pools), len(seen.plan.skills))
    for begin, end, item, w in seen.parts:
        queue = seen.queue_of(item, begin)
        if seen.work.owners:
            owner, since = seen.owner(item, begin)
            kept = int(seen.work.owners.kept[item])
            team = {seen.person[part[3]] for part in seen.parts if part[:3] == (begin, end, item)}
            theirs = owner == -1 or owner in team or queue != seen.skill[item]
            if seen.person[w] in seen.not_by(item):
                yield f"{seen.plan.workers[w]} does item {item}, after its makers"
            if not theirs and (kept < 0 or begin < since + kept):
                yield f"{seen.plan.workers[w]} takes item {item} at {begin}, kept for {seen.plan.workers[owner]}"
        if conditional[seen.pool[w], queue]:
            of = seen.plan.overflow
            may = of.after[seen.pool[w], queue]
            only = of.waiting[seen.pool[w], queue] < 0 and not of.alone[seen.pool[w], queue]
            if only and seen.started[item] == begin and begin < seen.entered(item, begin) + may:
                yield f"{seen.plan.workers[w]} helps out with item {item} at {begin}, too early"


def is_too_late(seen: Seen, w: int, item: int, queue: int, at: int) -> bool:
    if seen.rule(w) != EndOfShift.NO_LATE_START:
        return False
    if seen.is_swapped(w):
        return True
    begun = 0 <= seen.started[item] <= at and seen.by_item[item][0][0] <= at
    lefts = seen.lefts(item, at)[0] if begun else {seen.time_of(w, item)}
    ends = seen.ends_at(w, at)
    return any(at + (200 * left + p) // (2 * p) > ends for left in lefts for p in seen.paces(w, queue, at))


def gates_open_by_their_timetable(seen: Seen) -> Iterator[str]:
    """Who waits for a date starts at an opening, not after its deadline, no more at a time than there are seats."""
    plan, gates = seen.plan, seen.work.gate.tolist()
    for item in seen.log.silent_item.tolist():  # decided by silence, not in the meeting
        gates[item] = -1
    for gate in range(len(plan.gates)):
        openings = plan.gate_at[plan.gate_first[gate] : plan.gate_first[gate + 1]].tolist()
        left = [seen.started[i] for i, g in enumerate(gates) if g == gate and seen.started[i] >= 0]
        for i, g in enumerate(gates):
            if g == gate and seen.started[i] >= 0:
                in_time = seen.offered[i] + plan.gate_deadline[gate] <= seen.started[i]
                if seen.started[i] not in openings or not in_time:
                    yield f"item {i} starts at {seen.started[i]}, offered at {seen.offered[i]}"
        seats = int(plan.gate_seats[gate])
        yield from (f"gate {gate}: too many at {at}" for at in set(left) if 0 <= seats < left.count(at))


LAWS: tuple[Law, ...] = (
    no_case_is_lost,
    a_case_is_there_while_an_item_is_open,
    an_item_goes_through_its_marks_in_order,
    an_item_is_enabled_with_what_it_waits_for,
    waits_add_up,
    service_adds_up_to_the_work,
    nobody_is_in_two_places,
    nobody_works_off_duty,
    the_reserve_comes_when_called,
    nobody_idles_while_work_waits,
    everybody_does_what_is_theirs,
    gates_open_by_their_timetable,
)


def breaches(run: Run) -> list[str]:
    """What is wrong with a run, by law; empty in every world."""
    seen = Seen(run)
    return [f"{law.__name__}: {breach}" for law in LAWS for breach in law(seen)]
