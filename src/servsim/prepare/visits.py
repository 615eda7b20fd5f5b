"""What a crowd of cases leaves behind at a step, and where each goes next: one function per step kind.

Randomness comes from the streams (source, process.step, purpose, visit), entry = the case's place in its source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from servsim.model import Scenario
from servsim.model.distributions import Distribution
from servsim.model.errors import InputError
from servsim.model.steps import (
    REJECTED,
    SILENT,
    Approval,
    Board,
    Decision,
    Delay,
    Handoff,
    Join,
    Meeting,
    Onward,
    Parallel,
    Work,
)
from servsim.prepare.arrivals import Arrived
from servsim.prepare.gates import gate_numbers
from servsim.prepare.items import Items
from servsim.prepare.staffing import skills_of
from servsim.prepare.streams import Streams, Uniforms
from servsim.records import Leaves
from servsim.records.arrays import Ticks
from servsim.registry import Registry

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Crowd:
    """Tokens that stand at the same step: who they are (index into the walk's members) and the item each comes from."""

    member: Numbers
    after: Numbers  # -1: from nowhere, the case has just arrived

    def __getitem__(self, chosen: Numbers | Flags | slice) -> Crowd:
        return Crowd(self.member[chosen], self.after[chosen])

    @staticmethod
    def gather(parts: list[Crowd]) -> Crowd:
        if len(parts) == 1:
            return parts[0]
        return Crowd(np.concatenate([p.member for p in parts]), np.concatenate([p.after for p in parts]))


MOST_WAYS = 100
"""A case may go on in so many ways, on average, as silence has it."""
Visit = Iterator[tuple[str, Crowd]]
VISITS: Registry[Callable[[Walk, str, Crowd], Visit]] = Registry("step kind")


class Strays:
    """Members that are other members as they go on after a verdict by silence.

    One that strayed in a branch comes to its join in place of the member who began the parallel, and ends there.
    """

    def __init__(self) -> None:
        self.first = -1  # number of the first, -1: there are none
        self.parent: dict[int, int] = {}
        self.unsigned: dict[int, int] = {}  # so many parts of the unsigned had been left before
        self._ends_at: dict[int, tuple[str, int]] = {}  # the join, and whom it stands for there
        self._awaited: dict[str, dict[int, int]] = {}  # join → member → strays that are still on their way
        self._there: dict[str, list[tuple[int, int]]] = {}  # join → (member, item)

    def __bool__(self) -> bool:
        return self.first >= 0

    def begin(self, first: int, parents: Numbers, join: str, unsigned: int) -> None:
        """New members from `first` on, one for each parent; `join`: that of the innermost parallel around them."""
        self.first = first if self.first < 0 else self.first
        for number, parent in enumerate(parents.tolist(), first):
            self.parent[number], self.unsigned[number] = parent, unsigned
            if join:
                at, holder = self._ends_at.get(parent, ("", parent))
                holder = holder if at == join else parent
                self._ends_at[number] = (join, holder)
                awaited = self._awaited.setdefault(join, {})
                awaited[holder] = awaited.get(holder, 0) + 1

    def inherit(self, part: int, members: Numbers) -> tuple[Numbers, Numbers]:
        """(member, stray) for each that strayed, once or more often, after one of the members had left this part of
        what is unsigned."""
        found: dict[int, int] = {}
        have = set(members.tolist()) if self else set()
        for stray, parent in self.parent.items() if have else ():
            member = found.get(parent, parent)
            if part < self.unsigned[stray] and member in have:
                found[stray] = member
        return np.array(list(found.values()), np.int64), np.array(list(found), np.int64)

    def come_to(self, join: str, crowd: Crowd) -> Crowd:
        """Those who end at the join stay there; the others are returned."""
        ends = np.array([self._ends_at.get(member, ("", -1))[0] == join for member in crowd.member.tolist()], bool)
        for member, item in zip(crowd.member[ends].tolist(), crowd.after[ends].tolist(), strict=True):
            holder = self._ends_at[member][1]
            self._awaited[join][holder] -= 1
            self._there.setdefault(join, []).append((holder, item))
        return crowd[~ends]

    def are_all_there(self, join: str, n: int) -> Flags:
        """[members] nobody who stands for them is still on the way."""
        all_there = np.ones(n, bool)
        all_there[[holder for holder, number in self._awaited.get(join, {}).items() if number]] = False
        return all_there

    def join(self, join: str, joined: Crowd) -> tuple[Numbers, Numbers]:
        """(last item of who came in place of others, item of the join) of these; they are through."""
        item_of = dict(zip(joined.member.tolist(), joined.after.tolist(), strict=True))
        there = self._there.pop(join, [])
        self._there[join] = [pair for pair in there if pair[0] not in item_of]
        pairs = [(item, item_of[holder]) for holder, item in there if holder in item_of]
        before, after = np.array(pairs, np.int64).reshape(-1, 2).T
        return before, after


@dataclass
class Walk:
    """The members of one source that go through one process, and what they have seen of it."""

    scenario: Scenario
    process: str
    source: str  # and first part of the names of its streams
    cases: Arrived
    members: Numbers  # indices into `cases`
    offset: int  # of the source's cases among all cases
    streams: Streams
    items: Items
    _seen: dict[tuple[str, str], Numbers] = field(default_factory=dict)
    _met: dict[str, list[Crowd]] = field(default_factory=dict)
    unsigned: list[tuple[str, Crowd, Numbers]] = field(default_factory=list)  # step, who, which visit
    ends: list[tuple[Crowd, Leaves]] = field(default_factory=list)
    strays: Strays = field(default_factory=lambda: Strays())

    def __post_init__(self) -> None:
        self.flow = self.scenario.flow(self.process)
        self.skills = skills_of(self.scenario)
        self.entry = self.cases.entry[self.members]
        self.draws_lots = draws_lots(self.scenario)
        self.gates = gate_numbers(self.scenario)

    def count(self, step: str, crowd: Crowd, what: str = "visits") -> Numbers:
        """How often each has been counted here before; counts this time."""
        seen = self._seen.setdefault((step, what), np.zeros(len(self.members), np.int64))
        before = seen[crowd.member]
        seen[crowd.member] = before + 1
        return before

    def uncount(self, step: str, crowd: Crowd, what: str) -> None:
        """As if they had not been counted for the last time."""
        if len(crowd.member):
            self._seen[step, what][crowd.member] -= 1

    def stray(self, step: str, crowd: Crowd) -> Crowd:
        """The same cases as they go on if silence decides here: members of their own, with all that they have seen,
        behind an item that stands for the verdict."""
        parents, first = crowd.member, len(self.members)
        drawn = self.strays.first if self.strays else first
        if first + len(parents) > MOST_WAYS * (drawn + 1_000):
            told = f"silence would open more than {MOST_WAYS} ways for each case; lower `rounds`, or let it escalate"
            raise InputError(f"processes.{self.process}.steps.{step}: {told}")
        self.strays.begin(first, parents, self.flow.join_around(step), len(self.unsigned))
        self.members = np.concatenate([self.members, self.members[parents]])
        self.entry = np.concatenate([self.entry, self.entry[parents]])
        for key, seen in self._seen.items():
            self._seen[key] = np.concatenate([seen, seen[parents]])
        new = Crowd(np.arange(first, first + len(parents)), crowd.after)
        new = self.unsaid(step, new, self._seen[step, "visits"][parents] - 1)
        self.items.world(new.after, new.member)
        return new

    def unsaid(self, step: str, crowd: Crowd, visit: Numbers) -> Crowd:
        """An item that stands for the verdict by silence on each item."""
        case, lots = self.members[crowd.member] + self.offset, np.zeros(len(visit), np.int64)
        number = self.items.add((self.process, f"{step}{SILENT}"), case, np.full(len(visit), -1), visit, lots, {})
        self.items.silence(crowd.after, number)
        return Crowd(crowd.member, number)

    def uniforms(self, step: str, purpose: str, crowd: Crowd, visit: Numbers) -> Uniforms:
        """One draw for each token, from the stream of the step, the purpose and the visit."""
        entry = self.entry[crowd.member]
        name = (self.source, f"{self.process}.{step}", purpose)
        if not visit.any():
            return self.streams.at(entry, *name, 0)
        u = np.empty(len(entry))
        for k in np.unique(visit):
            now = visit == k
            u[now] = self.streams.at(entry[now], *name, k)
        return u

    def times(self, of: Distribution, step: str, purpose: str, crowd: Crowd, visit: Numbers) -> Ticks:
        """One duration for each token, in ticks."""
        if of.is_constant:
            return np.full(len(crowd.member), round(of.mean))
        return np.rint(of.quantile(self.uniforms(step, purpose, crowd, visit))).astype(np.int64)

    def leave_item(self, step: str, crowd: Crowd, visit: Numbers | int, **columns: Numbers | int) -> Crowd:
        """Each token leaves an item behind and stands behind it."""
        if self.cases.opened is not None and (new := crowd.after < 0).any():
            left = self.cases.opened.left(np.asarray(columns.get("work", 0)), self.members[crowd.member])
            columns["work"] = np.where(new, left, columns.get("work", 0))
            columns["hold"] = np.where(new, 0, columns.get("hold", 0))
        case = self.members[crowd.member] + self.offset
        lot = self.uniforms(step, "lot", crowd, np.broadcast_to(visit, case.shape)) if self.draws_lots else 0.0
        lots = np.asarray(lot * 2**31, np.int64)
        number = self.items.add((self.process, step), case, crowd.after, visit, lots, columns)
        if self.strays:
            stray = crowd.member >= self.strays.first
            self.items.world(number[stray], crowd.member[stray])
        return Crowd(crowd.member, number)

    def stand_on_something(self, step: str, crowd: Crowd) -> Crowd:
        """Tokens that come from nowhere leave an item without work, so that there is something to come from."""
        new = crowd.after < 0
        if not new.any():
            return crowd
        return Crowd.gather([crowd[~new], self.leave_item(step, crowd[new], 0)])

    def leave(self, step: str, crowd: Crowd, how: Leaves) -> None:
        self.ends.append((self.stand_on_something(step, crowd), how))

    def choose(self, step: str, onward: Onward, crowd: Crowd, visit: Numbers) -> Visit:
        """Send each token to one of the following steps."""
        if self.cases.ways:
            told = self.told(step, crowd, visit)
            yield from self.as_told(told, crowd)
            crowd, visit = crowd[told == ""], visit[told == ""]
        routes = {target: p for target, p in onward.next.items() if p > 0}
        yield from self.split(routes, crowd, lambda: self.uniforms(onward.outcome or step, "next", crowd, visit))

    def told(self, step: str, crowd: Crowd, visit: Numbers) -> NDArray[np.str_]:
        """Where the case is written to go from here; "" where that is drawn."""
        ways = np.full(len(crowd.member), "")
        for (name, k), written in self.cases.ways.items():
            if name == step:
                ways = np.where(visit == k, written[self.members[crowd.member]], ways)
        return ways

    def as_told(self, told: NDArray[np.str_], crowd: Crowd) -> Visit:
        for target in dict.fromkeys(told.tolist()):
            if target:
                yield target, crowd[told == target]

    def split(self, routes: dict[str, float], crowd: Crowd, draw: Callable[[], Uniforms]) -> Visit:
        if len(routes) == 1:
            yield next(iter(routes)), crowd
            return
        way = np.searchsorted(np.cumsum(list(routes.values()))[:-1], draw(), side="right")
        for i, target in enumerate(routes):
            yield target, crowd[way == i]


def draws_lots(scenario: Scenario) -> bool:
    """True if some rule draws lots."""
    policies = map(scenario.dispatch.for_skill, skills_of(scenario))
    return any("random" in (policy.rule, policy.assignment) for policy in policies)


def drawn_timers(scenario: Scenario) -> dict[str, Distribution]:
    """The skills whose escalation has no fixed time, and the distribution of that time."""
    escalations = {skill: scenario.dispatch.for_skill(skill).escalate for skill in skills_of(scenario)}
    return {skill: one.after for skill, one in escalations.items() if one and not one.after.is_constant}


def timers(walk: Walk, step: str, skill: str, crowd: Crowd, visit: Numbers) -> dict[str, Ticks]:
    """How long each item waits in those of the queues it may come to where that is drawn; a tick at least."""
    drawn, chain, of = drawn_timers(walk.scenario), walk.scenario.dispatch.chain(skill), walk.flow.steps[step]
    if isinstance(of, Approval) and of.silence and of.silence.to:
        chain += walk.scenario.dispatch.chain(of.silence.to)
    return {
        f"timer {k}": np.maximum(1, walk.times(time, step, f"escalation/{queue}", crowd, visit))
        for k, (queue, time) in enumerate(drawn.items())
        if queue in chain
    }


# ------------------------------------------------------------------ the kinds


@VISITS.register("task")
def task(walk: Walk, name: str, crowd: Crowd) -> Visit:
    """Somebody works on it, or it is automated; then on."""
    visit = walk.count(name, crowd)
    crowd = work(walk, name, crowd, visit)
    step = walk.flow.steps[name]
    assert isinstance(step, Onward)
    yield from walk.choose(name, step, crowd, visit)


def work(walk: Walk, name: str, crowd: Crowd, visit: Numbers, returned: Numbers | int = 0) -> Crowd:
    """The item of a visit that needs somebody, at least for the share that is not automated."""
    step = walk.flow.steps[name]
    assert isinstance(step, Work)
    by_hand = np.zeros(len(crowd.member), np.int64)
    by_itself = by_hand.copy()
    needed = np.zeros(len(crowd.member), bool)
    for part in step.parts_of(name):
        time = walk.times(part.time, part.step, "work", crowd, visit)
        time = replayed(walk, part.step, crowd, visit, time)
        if part.automated is None:
            needed[:] = True
        else:
            automatic = walk.uniforms(part.step, "automated", crowd, visit) < part.automated.share
            needed |= ~automatic
            by_itself += np.where(automatic, walk.times(part.automated.time, part.step, "machine", crowd, visit), 0)
            time = np.where(automatic, 0, time)
        by_hand += time
    if step.factor != 1:
        by_hand = np.rint(by_hand * step.factor).astype(np.int64)
    policy = walk.scenario.dispatch.for_skill(step.skill)
    hold = by_itself * needed
    if policy.delay is not None:
        hold = hold + walk.times(policy.delay, name, "dispatch delay", crowd, visit) * needed
    skill = np.where(needed, walk.skills.index(step.skill), -1)
    done = np.where(needed, by_hand, by_itself)
    more = timers(walk, name, step.skill, crowd, visit) | by_who_works(walk, name, step, crowd, visit, needed)
    stands = walk.leave_item(name, crowd, visit, skill=skill, work=done, hold=hold, returned=returned, **more)
    if step.workers != 1:
        walk.items.several(stands.after[needed], workers(walk, step, stands[needed]))
    return stands


def workers(walk: Walk, step: Work, crowd: Crowd) -> Numbers:
    """How many each case needs at once."""
    by_class = np.array([step.workers_of(name) for name in walk.scenario.case_classes])
    return np.asarray(by_class[walk.cases.case_class[walk.members[crowd.member]]])


def own_times(scenario: Scenario) -> tuple[str, ...]:
    """The pools and workers that need a time of their own for some step."""
    steps = (step for process in scenario.used_processes() for step in scenario.flow(process).steps.values())
    return tuple(dict.fromkeys(who for step in steps if isinstance(step, Work) for who in step.times))


def by_who_works(
    walk: Walk, name: str, step: Work, crowd: Crowd, visit: Numbers, needed: NDArray[np.bool_]
) -> dict[str, Ticks]:
    """The work if one of these takes the item up, from the same draw as that of everybody else."""
    own = own_times(walk.scenario) if step.times and not step.parts else ()
    rows = {k: step.times[who] for k, who in enumerate(own) if who in step.times}
    times = {k: walk.times(time, name, "work", crowd, visit) for k, time in rows.items()}
    return {f"own {k}": np.where(needed, np.rint(time * step.factor), -1) for k, time in times.items()}


def replayed(walk: Walk, step: str, crowd: Crowd, visit: Numbers, time: Ticks) -> Ticks:
    """The times that a trace or a list says instead of drawn ones."""
    for (name, k), written in walk.cases.work.items():
        if name == step:
            known = written[walk.members[crowd.member]]
            time = np.where((visit == k) & (known >= 0), known, time)
    return time


@VISITS.register("approval")
@VISITS.register("board")
def approval(walk: Walk, name: str, crowd: Crowd) -> Visit:
    """Work; then u < return: back (at most so many times), else u < return + reject: out, else on."""
    step = walk.flow.steps[name]
    assert isinstance(step, Approval | Board)
    visit = walk.count(name, crowd)
    if isinstance(step, Approval) and step.skip_share:
        passes = walk.uniforms(step.decider(name), "skipped", crowd, visit) < step.skip_share
        passed = walk.leave_item(name, crowd[passes], visit[passes])
        walk.items.mark("skipped", passed.after)
        yield from walk.choose(name, step, passed, visit[passes])
        crowd, visit = crowd[~passes], visit[~passes]
    if isinstance(step, Approval) and step.is_signed_later:
        crowd, visit = walk.stand_on_something(name, crowd), visit[np.argsort(crowd.after < 0, kind="stable")]
        walk.unsigned.append((name, crowd, visit))
        yield from walk.choose(name, step, crowd, visit)
        return
    decides = step.returned + step.reject > 0
    u = walk.uniforms(decider(step, name), "decision", crowd, visit) if decides else np.ones(len(visit))
    told = walk.told(name, crowd, visit)
    drawn = told == ""
    back = (u < step.returned) & drawn
    counted = back.copy()
    back[back] = walk.count(name, crowd[back], "returns") < step.rounds
    back |= ~drawn & (told == step.return_to)
    out = (u >= step.returned) & (u < step.returned + step.reject) & drawn | (told == REJECTED)
    if isinstance(step, Board):
        crowd = at_gate(walk, name, step.time, crowd, visit, back.astype(np.int64))
    else:
        crowd = work(walk, name, crowd, visit, back.astype(np.int64))
    if step.silence and not step.silence.to:
        same = out if step.silence.then == "reject" else ~back & ~out
        yield from by_silence(walk, name, step, crowd, visit, same, counted)
    if step.return_to is not None:
        yield step.return_to, crowd[back]
    yield REJECTED, crowd[out]
    on = ~back & ~out
    yield from walk.choose(name, step, crowd[on], visit[on])


def by_silence(
    walk: Walk, name: str, step: Approval | Board, crowd: Crowd, visit: Numbers, same: Flags, returns: Flags
) -> Visit:
    """Where silence says something else than somebody would: the way from there. `same`: it does not; `returns`: have
    been counted as returned."""
    assert step.silence is not None
    here, visit = crowd[~same], visit[~same]
    if not len(here.member):
        return
    stray = walk.stray(name, here)
    walk.uncount(name, stray[returns[~same]], "returns")
    if step.silence.then == "reject":
        yield REJECTED, stray
        return
    routes = {target: p for target, p in step.next.items() if p > 0}
    yield from walk.split(routes, stray, lambda: walk.uniforms(step.outcome or name, "next", stray, visit))


def decider(step: Approval | Board, name: str) -> str:
    return step.decider(name) if isinstance(step, Approval) else name


@VISITS.register("handoff")
def handoff(walk: Walk, name: str, crowd: Crowd) -> Visit:
    """Time passes; then u < returned: back for clarification (at most so many times), else on."""
    step = walk.flow.steps[name]
    assert isinstance(step, Handoff)
    visit = walk.count(name, crowd)
    time = replayed(walk, name, crowd, visit, walk.times(step.delay, name, "work", crowd, visit))
    told = walk.told(name, crowd, visit)
    back = np.zeros(len(visit), bool)
    if step.returned:
        back = (walk.uniforms(name, "decision", crowd, visit) < step.returned) & (told == "")
        back[back] = walk.count(name, crowd[back], "returns") < step.rounds
    back |= (told != "") & (told == step.back_to)
    gate = walk.gates.get((walk.process, name), -1)
    crowd = walk.leave_item(name, crowd, visit, work=time, returned=back.astype(np.int64), gate=gate)
    if step.back_to is not None:
        yield step.back_to, crowd[back]
    yield from walk.choose(name, step, crowd[~back], visit[~back])


@VISITS.register("delay")
def delay(walk: Walk, name: str, crowd: Crowd) -> Visit:
    """Time passes."""
    step = walk.flow.steps[name]
    assert isinstance(step, Delay)
    visit = walk.count(name, crowd)
    time = replayed(walk, name, crowd, visit, walk.times(step.time, name, "work", crowd, visit))
    crowd = walk.leave_item(name, crowd, visit, work=time)
    yield from walk.choose(name, step, crowd, visit)


@VISITS.register("meeting")
def meeting(walk: Walk, name: str, crowd: Crowd) -> Visit:
    """Waits for a meeting, which takes its time."""
    step = walk.flow.steps[name]
    assert isinstance(step, Meeting)
    visit = walk.count(name, crowd)
    yield from walk.choose(name, step, at_gate(walk, name, step.time, crowd, visit), visit)


def at_gate(
    walk: Walk, name: str, time: Distribution, crowd: Crowd, visit: Numbers, returned: Numbers | int = 0
) -> Crowd:
    """The item of a visit that waits for a date."""
    work, gate = walk.times(time, name, "work", crowd, visit), walk.gates[walk.process, name]
    return walk.leave_item(name, crowd, visit, work=work, gate=gate, returned=returned)


@VISITS.register("decision")
def decision(walk: Walk, name: str, crowd: Crowd) -> Visit:
    """No item: the case takes one of the ways."""
    step = walk.flow.steps[name]
    assert isinstance(step, Decision)
    visit = walk.count(name, crowd)
    if walk.cases.ways:
        told = walk.told(name, crowd, visit)
        yield from walk.as_told(told, crowd)
        crowd, visit = crowd[told == ""], visit[told == ""]
    if step.by is None:
        routes = {target: p for target, p in step.routes.items() if p > 0}
        yield from walk.split(routes, crowd, lambda: walk.uniforms(name, "next", crowd, visit))
        return
    values = attribute(walk, step.by, crowd)
    if step.below:
        bounds = sorted(step.below)
        way = np.searchsorted(bounds, values.astype(np.float64), side="right")
        targets = [step.below[bound] for bound in bounds] + [step.otherwise]
    else:
        known, way = np.unique(values.astype(str), return_inverse=True)
        targets = [step.step_of(value) for value in known.tolist()]
    for i, target in enumerate(targets):
        if target is not None:
            yield target, crowd[way == i]


def attribute(walk: Walk, name: str, crowd: Crowd) -> NDArray[np.object_]:
    """What each case is like: its class, its channel, a choice or a number drawn once for the case."""
    index = walk.members[crowd.member]
    classes = list(walk.scenario.case_classes)
    case_class = walk.cases.case_class[index]
    if name == "case_class":
        return np.array(classes, object)[case_class]
    if name == "channel":
        own = walk.scenario.channel(walk.cases.source or walk.source)
        return walk.cases.channel[index] if walk.cases.channel is not None else np.full(len(index), own, object)
    u = walk.streams.at(walk.cases.entry[index], walk.cases.source or walk.source, "attribute", name)
    values = np.empty(len(index), object)
    for k in np.unique(case_class):
        ours = case_class == k
        of = walk.scenario.case_classes[classes[k]].attributes[name]
        if of.choices is not None:
            way = np.searchsorted(np.cumsum(list(of.choices.values()))[:-1], u[ours], side="right")
            values[ours] = np.array(list(of.choices), object)[way]
        elif of.numbers is not None:
            values[ours] = of.numbers.quantile(u[ours])
    return values


@VISITS.register("parallel")
def parallel(walk: Walk, name: str, crowd: Crowd) -> Visit:
    """A token for each branch, all behind the same item."""
    step = walk.flow.steps[name]
    assert isinstance(step, Parallel)
    crowd = walk.stand_on_something(name, crowd)
    for branch in step.branches:
        yield branch, crowd


@VISITS.register("join")
def join(walk: Walk, name: str, crowd: Crowd) -> Visit:
    """Tokens wait until all branches of their case have come; then one token goes on."""
    step = walk.flow.steps[name]
    assert isinstance(step, Join)
    fork = next(s for s in walk.flow.steps.values() if isinstance(s, Parallel) and s.join == name)
    here = Crowd.gather([*walk._met.pop(name, []), walk.strays.come_to(name, crowd) if walk.strays else crowd])
    complete = np.bincount(here.member, minlength=len(walk.members)) == len(fork.branches)
    if walk.strays:
        complete &= walk.strays.are_all_there(name, len(walk.members))
    ready = complete[here.member]
    walk._met[name] = [here[~ready]]
    here = here[ready][np.argsort(here.member[ready], kind="stable")]
    last = np.arange(len(here.member)) % len(fork.branches) == len(fork.branches) - 1
    visit = walk.count(name, here[last])
    joined = walk.leave_item(name, here[last], visit)
    if step.needs and step.needs < len(fork.branches):
        walk.items.quorum(joined.after, step.needs)
    for i in range(len(fork.branches) - 1):
        others = np.flatnonzero(last) - 1 - i
        walk.items.link(here.after[others], joined.after)
    if walk.strays:
        walk.items.link_instead(*walk.strays.join(name, joined))
    yield from walk.choose(name, step, joined, visit)
