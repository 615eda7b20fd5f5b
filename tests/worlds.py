"""Small worlds written by hand or drawn at random, and the story that an engine's log tells about them.

A world is written in minutes (or any other unit) and names; `story` puts the whole log into a few lines:

    a.desk  0  0  0 10  ann          item: enabled, offered, started, completed, by whom ("-": did not happen)
    ann: a.desk 0-5                  a stretch of work of an interrupted item
    escalated a.desk 30
    left a 10, b -, c 12 abandoned
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from servsim.quantities import MINUTE
from servsim.records import (
    EndOfShift,
    EventLog,
    Followers,
    Leaves,
    Outcome,
    Overflow,
    Owners,
    Plan,
    Preempt,
    RankBy,
    Relation,
    Reserves,
    Run,
    Silences,
    Silent,
    Systems,
    Window,
    Workload,
)
from servsim.records.workload import FORK, NEVER, Steps

Engine = Callable[[Plan, Workload, int], EventLog]
ON = {"unanswered": 1, "completed": 2, "rejected": 4, "gave up": 8, "turned away": 16, "left": 30}
BREAK_RULES = {"pause": 0, "postpone": 1}


@dataclass(frozen=True)
class Do:
    """One visit: `skill` None needs nobody. `step` is what the story calls it (default: the skill, or "wait")."""

    skill: str | None
    work: int = 0
    hold: int = 0
    answers: bool = False
    rank: int = 0
    lot: int = 0
    step: str = ""
    gate: str = ""
    needs: Sequence[str] = ()  # systems; the same for all visits to a step
    same_as: str = ""
    """a step: for the person of the last visit to it on the way here; OWNER, PREVIOUS: who first answered the case, or
    the one that it follows"""
    kept: int = 0  # for that person, for so long; FOR_EVER; 0: they have it if they are idle
    not_as: Sequence[str] = ()  # steps: for nobody who was the last to do one of these on the way here
    workers: int = 1  # at once
    kind: str = ""  # of the step, for figures; the same for all visits to it
    silent: Quiet | None = None  # where nobody begins it in time; but for the way the same for all visits to the step

    @property
    def name(self) -> str:
        return self.step or self.skill or self.gate or "wait"


OWNER, PREVIOUS, FOR_EVER = "the owner", "the owner of the case before", -1

Path = Sequence["Do | tuple[Path, ...]"]
"""Visits one after the other; a tuple of paths is gone along in parallel and ends in a join; a number in
front of them: in a join that waits for so many."""


@dataclass(frozen=True)
class Quiet:
    """Not begun `after` it was offered, in the open hours of the world if `open_hours`: it is decided, and what
    follows is the same, or the `way` to the end of the case (or to the next join); or it moves to the queue `to`."""

    after: int
    way: Path | None = None
    to: str = ""
    rejected: bool = False  # at the end of the way
    open_hours: bool = False


@dataclass(frozen=True)
class Case:
    """Arrives `at`, travels along the path, gives up after `patience` (None: never)."""

    at: int
    path: Path
    patience: int | None = None
    rejected: bool = False
    follows: tuple[str, str, int] | None = None
    """(case, on, lag): dormant until that case gave up, left, was completed, or is unanswered after the lag"""
    points: int = 0  # per unit of time
    priority: int = 1
    redial: Sequence[int] = ()  # tries again after so long where there is no place to wait, in turn; as many for all


@dataclass(frozen=True)
class Person:
    """On duty in the spans; breaks as (at, lasts, "postpone" or "pause"); pace in per cent, overall or by skill."""

    pool: str
    duty: Sequence[tuple[int, int]]
    breaks: Sequence[tuple[int, int, str]] = ()
    pace: int | Mapping[str, int] = 100
    reserve: bool = False  # comes when called
    same_as: str = ""  # another place of this person
    ramp: Sequence[tuple[int, int]] = ()  # (from, per cent of all skills), in place of the pace


@dataclass(frozen=True)
class Team:
    """A pool: its skills with their preference (lower ones are looked at first), and the rule at the end of a shift."""

    skills: Mapping[str, int]
    end_of_shift: str = "finish"
    overtime_limit: int | None = None
    needs: Sequence[str] = ()  # systems
    called: Called | None = None  # when the reserve is
    at_once: Sequence[float] = ()  # speed of each item with so many in hand; where persons have places: equal if empty
    idle_first: bool = False  # who is idle leaves first


@dataclass(frozen=True)
class Called:
    """One of the reserve is called when so many wait, and for each item that waits so long; leaves when idle."""

    waiting: int | None = None
    oldest: int | None = None
    delay: int = 0
    stay: int = 0
    release: int = 0
    hours: Sequence[tuple[int, int]] = ()  # only then; none: at any hour


@dataclass(frozen=True)
class Spill:
    """A team takes items that have waited `after`, any while so many wait, or while nobody regular is on duty."""

    after: int | None = None
    waiting: int | None = None
    alone: bool = False


@dataclass(frozen=True)
class Failing:
    """A system: down in `outages` (from, to, whose: "" is everybody's), and after so much work with it (up, down)."""

    outages: Sequence[tuple[int, int, str]] = ()
    wear: Sequence[tuple[int, int]] = ()
    restart: bool = False
    by_load: bool = False
    separate: bool = False  # each worker of the teams that need it has one


@dataclass(frozen=True)
class Gate:
    """Opens at these times; at most `seats` leave (None: all) of those that have waited `deadline`, oldest first."""

    times: Sequence[int]
    seats: int | None = None
    deadline: int = 0
    lasts: int | None = None


@dataclass(frozen=True)
class World:
    """A plan and a workload in people's words. Skills are those of the teams, in the order in which they are named."""

    teams: Mapping[str, Team]
    people: Mapping[str, Person]
    cases: Mapping[str, Case]
    until: int
    assignment: Mapping[str, str] = field(default_factory=dict)  # skill: rule, default longest_idle
    escalate: Mapping[str, tuple[int, str]] = field(default_factory=dict)  # skill: (after, to)
    slope: Mapping[str, int] = field(default_factory=dict)  # skill: weight of the offered tick in the rank
    preempt: Mapping[str, str] = field(default_factory=dict)  # skill: "resume" or "restart"
    earliest: Sequence[str] = ()  # skills for whose items the one taken up first is interrupted
    from_arrival: Sequence[str] = ()  # skills whose ranks are, for cases that follow others, counted from their arrival
    by_work_left: Sequence[str] = ()  # skills ranked by the work that is left
    by_points: Sequence[str] = ()  # skills ranked by the points that their cases have collected
    by_lot: Sequence[str] = ()  # skills served in random order
    hold_back: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # skill: (priority, keep)
    timers: Mapping[str, Sequence[int]] = field(default_factory=dict)  # skill: times of its escalation, item by item
    unit: int = MINUTE
    gates: Mapping[str, Gate] = field(default_factory=dict)
    systems: Mapping[str, Failing] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)  # skill: so many may wait
    own: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # team or person: skill: work for them
    backfilling: Sequence[str] = ()  # skills in which who waits for several workers holds nobody up
    overflow: Mapping[str, Mapping[str, Spill]] = field(default_factory=dict)  # skill: team, which has it: when
    hours: Sequence[tuple[int, int]] = ()  # open hours, in which the time of silence runs

    @property
    def skills(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(skill for team in self.teams.values() for skill in team.skills))

    @property
    def stop(self) -> int:
        return self.until * self.unit

    def plan(self) -> Plan:
        skills, teams, people = self.skills, list(self.teams), list(self.people.values())
        duty = [(w, *span) for w, person in enumerate(people) for span in sorted(person.duty)]
        rest = [(w, *pause) for w, person in enumerate(people) for pause in sorted(person.breaks)]
        able = [self.teams[person.pool].skills for person in people]
        ramps = [(w, *step) for w, person in enumerate(people) for step in person.ramp]
        persons = [list(self.people).index(person.same_as or name) for name, person in self.people.items()]
        pace = [[_pace(p, s) if s in known else 0 for s in skills] for p, known in zip(people, able, strict=True)]
        moves = [self.escalate.get(skill) for skill in skills]
        return Plan(
            departments=("office",),
            pools=tuple(teams),
            skills=skills,
            workers=tuple(self.people),
            pool_department=ids([0] * len(teams)),
            pool_end_of_shift=codes([EndOfShift[team.end_of_shift.upper()] for team in self.teams.values()]),
            pool_wage=np.zeros(len(teams)),
            pool_overtime=np.ones(len(teams)),
            preference=codes([[team.skills.get(skill, -1) for skill in skills] for team in self.teams.values()]),
            worker_pool=ids([teams.index(person.pool) for person in people]),
            pace=ids(pace).reshape(len(people), len(skills)),
            duty_worker=ids([row[0] for row in duty]),
            duty_from=self.ticks([row[1] for row in duty]),
            duty_to=self.ticks([row[2] for row in duty]),
            break_worker=ids([row[0] for row in rest]),
            break_at=self.ticks([row[1] for row in rest]),
            break_lasts=self.ticks([row[2] for row in rest]),
            break_postponed=codes([BREAK_RULES[row[3]] for row in rest]),
            assignment=tuple(self.assignment.get(skill, "longest_idle") for skill in skills),
            escalate_after=self.ticks([move[0] if move else None for move in moves]),
            escalate_to=ids([skills.index(move[1]) if move else -1 for move in moves]),
            gates=tuple(self.gates),
            gate_first=ids(np.cumsum([0, *(len(gate.times) for gate in self.gates.values())])),
            gate_at=self.ticks([at for gate in self.gates.values() for at in gate.times]),
            gate_seats=ids([-1 if gate.seats is None else gate.seats for gate in self.gates.values()]),
            gate_deadline=self.ticks([gate.deadline for gate in self.gates.values()]),
            gate_lasts=self.ticks([gate.lasts for gate in self.gates.values()]),
            overtime_limit=self.ticks([team.overtime_limit for team in self.teams.values()]),
            preempts=codes([Preempt[self.preempt.get(skill, "not").upper()] for skill in skills]),
            hold_above=np.array([self.hold_back.get(skill, (-1, -1))[0] for skill in skills], np.int64),
            keep_idle=np.array([self.hold_back.get(skill, (-1, -1))[1] for skill in skills], np.int64),
            victim_earliest=codes([skill in self.earliest for skill in skills]),
            systems=self.failing(),
            idle_first=codes([team.idle_first for team in self.teams.values()]),
            reserves=self.reserves(),
            overflow=self.spills(),
            ramp_worker=ids([w for w, _, _ in ramps]),
            ramp_at=self.ticks([at for _, at, _ in ramps]),
            ramp_pace=ids([[share if s in able[w] else 0 for s in skills] for w, _, share in ramps]),
            worker_person=ids(persons if any(person.same_as for person in people) else []),
            at_once_pace=ids([[*(1000 * s for s in team.at_once), *[0] * 9][:9] for team in self.teams.values()]),
            backfilling=codes([skill in self.backfilling for skill in skills]),
            waiting_places=ids([self.places.get(skill, -1) for skill in skills] if self.places else []),
        )

    def reserves(self) -> Reserves:
        """Who is called in, as records."""
        called = [team.called or Called() for team in self.teams.values()]
        return Reserves(
            worker=codes([person.reserve for person in self.people.values()]),
            call_waiting=np.array([-1 if c.waiting is None else c.waiting for c in called], np.int64),
            call_oldest=self.ticks([c.oldest for c in called]),
            delay=self.ticks([c.delay for c in called]),
            stay=self.ticks([c.stay for c in called]),
            release=np.array([c.release for c in called], np.int64),
            wage=np.zeros(len(called)),
            hours_pool=ids([p for p, c in enumerate(called) for _ in c.hours]),
            hours_from=self.ticks([a for c in called for a, _ in c.hours]),
            hours_to=self.ticks([b for c in called for _, b in c.hours]),
        )

    def spills(self) -> Overflow:
        """When teams take items of a queue only under a condition, as records."""
        if not self.overflow:
            return Overflow()
        rows = [[self.overflow.get(skill, {}).get(team, Spill()) for skill in self.skills] for team in self.teams]
        return Overflow(
            after=np.array([self.ticks([one.after for one in row]) for row in rows]),
            waiting=ids([[-1 if one.waiting is None else one.waiting for one in row] for row in rows]),
            alone=codes([[one.alone for one in row] for row in rows]),
        )

    def failing(self) -> Systems:
        """The systems as records. A separate one wears alike for everybody."""
        names, people = list(self.systems), list(self.people.items())
        units = [
            (s, w)
            for s, (name, system) in enumerate(self.systems.items())
            for w, (_, person) in [(-1, ("", None)), *enumerate(people)]
            if (person is not None and name in self.teams[person.pool].needs if system.separate else person is None)
        ]
        owners = {"": -1, **{name: w for w, name in enumerate(self.people)}}
        outages = sorted(
            (units.index((s, owners[whose])), a, b)
            for s, system in enumerate(self.systems.values())
            for a, b, whose in system.outages
        )
        wear = [(u, *life) for u, (s, _) in enumerate(units) for life in self.systems[names[s]].wear]
        return Systems(
            names=tuple(names),
            restart=codes([system.restart for system in self.systems.values()]),
            by_load=codes([system.by_load for system in self.systems.values()]),
            unit_system=ids([s for s, _ in units]),
            unit_worker=ids([w for _, w in units]),
            outage_unit=ids([u for u, _, _ in outages]),
            outage_from=self.ticks([a for _, a, _ in outages]),
            outage_to=self.ticks([b for _, _, b in outages]),
            wear_unit=ids([u for u, _, _ in wear]),
            wear_up=self.ticks([up for _, up, _ in wear]),
            wear_down=self.ticks([down for _, _, down in wear]),
            pool_needs=codes([[name in team.needs for name in names] for team in self.teams.values()]),
        )

    def workload(self) -> Workload:
        skills, cases = self.skills, list(self.cases.values())
        items = [_items(case) for case in cases]
        first = np.cumsum([0, *map(len, items)])
        flat = [(c, item) for c, many in enumerate(items) for item in many]
        follow = [[int(first[c]) + k for k in item.then] for c, item in flat]
        steps = list(dict.fromkeys((item.do.name, item.do.skill, item.do.answers) for _, item in flat))
        needs = {(item.do.name, item.do.skill, item.do.answers): item.do.needs for _, item in flat}
        kinds = {(item.do.name, item.do.skill, item.do.answers): item.do.kind for _, item in flat}
        forks = [i for i, after in enumerate(follow) if len(after) > 1]
        before = np.bincount([k for after in follow for k in after], minlength=len(flat))
        before -= np.array([item.instead for _, item in flat], np.int64)
        out = [Leaves.REJECTED if cases[c].rejected or item.rejected else Leaves.COMPLETED for c, item in flat]
        visits: dict[tuple[int, str], int] = {}
        visit = []
        for c, item in flat:
            visit.append(visits.get((c, item.do.name), 0))
            visits[c, item.do.name] = visit[-1] + 1
        return Workload(
            classes=("ordinary",),
            channels=("phone",),
            sources=("by_hand",),
            promises=(),
            promise_event=(),
            promise_penalty=np.zeros((0, 1)),
            steps=Steps(
                names=tuple(name for name, _, _ in steps),
                process=("p",) * len(steps),
                kind=tuple(kinds[step] or ("task" if step[1] else "delay") for step in steps),
                skill=ids([skills.index(skill) if skill else -1 for _, skill, _ in steps]),
                responds=codes([answers for _, _, answers in steps]),
                needs=codes([[name in needs[step] for name in self.systems] for step in steps]).reshape(
                    len(steps), len(self.systems)
                ),
            ),
            arrived_at=np.where([bool(case.follows) for case in cases], NEVER, self.ticks([c.at for c in cases])),
            case_class=ids([0] * len(cases)),
            channel=ids([0] * len(cases)),
            source=ids([0] * len(cases)),
            patience=self.ticks([case.patience for case in cases]),
            due_at=np.zeros((0, len(cases)), np.int64),
            first_item=first.astype(np.int64),
            case=ids([c for c, _ in flat]),
            step=ids([steps.index((item.do.name, item.do.skill, item.do.answers)) for _, item in flat]),
            visit=ids(visit),
            skill=ids([skills.index(item.do.skill) if item.do.skill else -1 for _, item in flat]),
            work=self.ticks([item.do.work for _, item in flat]),
            hold=self.ticks([item.do.hold for _, item in flat]),
            next_item=ids([-1 if not after else FORK if len(after) > 1 else after[0] for after in follow]),
            n_predecessors=codes(np.maximum(1, before)),
            leaves=codes([Leaves.NOT if after else how for after, how in zip(follow, out, strict=True)]),
            returned=codes([0] * len(flat)),
            rank=np.array([self._rank(item.do) for _, item in flat], np.int64),
            fork_item=ids(forks),
            fork_first=np.cumsum([0, *(len(follow[i]) for i in forks)]).astype(np.int64),
            fork_target=ids([k for i in forks for k in follow[i]]),
            rank_slope=codes([self.slope.get(skill, 0) for skill in skills]),
            followers=self.followers(),
            rank_from_arrival=codes([skill in self.from_arrival for skill in skills]),
            lot=ids([item.do.lot for _, item in flat]),
            rank_by=codes([self._rank_by(skill) for skill in skills]),
            points=np.array([case.points * 1_000_000 for case in cases], np.int64),
            urgency=np.array([case.priority for case in cases], np.int64),
            timer_of=ids([[*self.timers].index(s) if s in self.timers else -1 for s in skills] if self.timers else []),
            timer=np.array([self.ticks(np.resize(row, len(flat)).tolist()) for row in self.timers.values()]),
            redial=self.redials(),
            own_time_of=tuple(self.own),
            own_time=np.array([self.ticks([of.get(item.do.skill) for _, item in flat]) for of in self.own.values()]),
            gate=ids([list(self.gates).index(item.do.gate) if item.do.gate else -1 for _, item in flat]),
            quorum=codes([item.quorum for _, item in flat]),
            workers=ids([item.do.workers for _, item in flat]),
            owners=self.owners(items, first.tolist()),
            silences=self.silences(
                {(item.do.name, item.do.skill, item.do.answers): item.do.silent for _, item in flat},
                [int(first[c]) + item.otherwise if item.otherwise >= 0 else -1 for c, item in flat],
            ),
        )

    def _rank(self, do: Do) -> int:
        if do.skill in self.by_points or do.skill in self.by_lot:
            return 0
        return (do.work if do.skill in self.by_work_left else do.rank) * self.unit

    def _rank_by(self, skill: str) -> RankBy:
        if skill in self.by_points:
            return RankBy.POINTS
        if skill in self.by_lot:
            return RankBy.LOT
        return RankBy.WORK_LEFT if skill in self.by_work_left else RankBy.NOTHING

    def run(self, engine: Engine) -> Run:
        plan, workload = self.plan(), self.workload()
        log = engine(plan, workload, self.stop)
        if len(log.arrived_at):
            workload = replace(workload, arrived_at=log.arrived_at)
        return Run("by/hand", np.datetime64("2026-03-02"), Window(0, self.stop, self.stop), plan, workload, log)

    def followers(self) -> Followers:
        names = list(self.cases)
        dormant = [(names.index(name), *case.follows) for name, case in self.cases.items() if case.follows]
        return Followers(
            case=ids([case for case, _, _, _ in dormant]),
            after=ids([names.index(after) for _, after, _, _ in dormant]),
            on=codes([ON[on] for _, _, on, _ in dormant]),
            lag=self.ticks([lag for _, _, _, lag in dormant]),
            relation=codes([Relation.RETRY] * len(dormant)),
        )

    def owners(self, items: Sequence[Sequence[_Item]], first: Sequence[int]) -> Owners:
        """Whose each item is, and whose it is not."""
        flat = [(c, own, k) for c, own in enumerate(items) for k in range(len(own))]
        named = max((len(own[k].do.not_as) for _, own, k in flat), default=0)
        if not named and not any(own[k].do.same_as for _, own, k in flat):
            return Owners()
        names, cases = list(self.cases), list(self.cases.values())

        def last(c: int, own: Sequence[_Item], k: int, step: str) -> int:
            place = _last_visit(own, k, step)
            return -1 if place < 0 else first[c] + place

        def of_case(c: int, owner: str) -> int:
            follows = cases[c].follows
            before = names.index(follows[0]) if follows else -1
            return {OWNER: c, PREVIOUS: before}.get(owner, -1)

        return Owners(
            item=ids([last(c, own, k, own[k].do.same_as) for c, own, k in flat]),
            of_case=ids([of_case(c, own[k].do.same_as) for c, own, k in flat]),
            kept=self.ticks([None if own[k].do.kept == FOR_EVER else own[k].do.kept for _, own, k in flat]),
            not_by=ids(
                [[last(c, own, k, [*own[k].do.not_as, *[""] * named][n]) for c, own, k in flat] for n in range(named)]
            ).reshape(named, len(flat)),
        )

    def silences(self, steps: Mapping[Any, Quiet | None], otherwise: Sequence[int]) -> Silences:
        """What silence means at each step; the world has one calendar."""
        if not any(steps.values()):
            return Silences()
        of = [one or Quiet(-1) for one in steps.values()]
        then = [0 if one.after < 0 else Silent.ESCALATE if one.to else Silent.APPROVE for one in of]
        return Silences(
            then=codes(then),
            after=np.array([one.after * self.unit for one in of], np.int64),
            calendar=codes([-1 + one.open_hours for one in of]),
            to=ids([self.skills.index(one.to) if one.to else -1 for one in of]),
            next_item=ids(otherwise),
            world=ids([-1] * len(otherwise)),
            open_first=ids([0, len(self.hours)]),
            open_from=self.ticks([begin for begin, _ in self.hours]),
            open_to=self.ticks([end for _, end in self.hours]),
        )

    def redials(self) -> np.ndarray:
        most = max((len(case.redial) for case in self.cases.values()), default=0)
        rows = [self.ticks(case.redial or [None] * most) for case in self.cases.values()]
        return np.array(rows, np.int64).reshape(len(rows), most) if most else np.empty((0, 0), np.int64)

    def shown(self) -> str:
        """The world as one could write it down."""
        parts = []
        for part in fields(self):
            value = getattr(self, part.name)
            if isinstance(value, Mapping):
                lines = "".join(f"\n        {name!r}: {one!r}," for name, one in value.items())
                value = f"{{{lines}\n    }}" if value else "{}"
            parts.append(f"    {part.name}={value},")
        return "\n".join(["World(", *parts, ")"])

    def ticks(self, times: Sequence[int | None]) -> np.ndarray:
        return np.array([-1 if at is None else round(at * self.unit) for at in times], np.int64)

    def but(self, **changes: Any) -> World:
        """The same world with some things changed."""
        return replace(self, **changes)


@dataclass
class _Item:
    do: Do
    then: list[int] = field(default_factory=list)  # places of the successors within the case
    quorum: int = 0
    otherwise: int = -1  # place of what follows a verdict by silence
    instead: int = 0  # so many predecessors come instead of others
    rejected: bool = False


def _items(case: Case) -> list[_Item]:
    """The items of a case, what follows what; predecessors come first."""
    items: list[_Item] = []

    def add(do: Do, after: Sequence[int]) -> list[int]:
        for k in after:
            items[k].then.append(len(items))
        items.append(_Item(do))
        return [len(items) - 1]

    def go(path: Path, after: list[int], ends: list[int] | None = None) -> list[int]:
        """The last items; what silence leads to goes into `ends`, or is the end of the case."""
        for part in path:
            if isinstance(part, Do):
                after = add(part, after)
                if part.silent and part.silent.way is not None:
                    stray(after[0], part.silent, ends)
            else:
                after = after or add(Do(None, step="fork"), [])
                needs, branches = (part[0], part[1:]) if isinstance(part[0], int) else (0, part)
                strays: list[int] = []
                came = [k for branch in branches for k in go(branch, after, strays)]
                after = add(Do(None, step="join"), [*came, *strays])
                items[-1].quorum, items[-1].instead = needs, len(strays)
        return after

    def stray(item: int, silent: Quiet, ends: list[int] | None) -> None:
        items[item].otherwise = len(items)
        last = go(silent.way or (), add(Do(None, step="silence"), []), ends)
        if ends is not None:
            ends += last
        for k in last if ends is None else ():
            items[k].rejected = silent.rejected

    go(case.path, [])
    for item in items:
        item.then.sort()
    return items


def _last_visit(items: Sequence[_Item], place: int, step: str) -> int:
    """The last item of the step, with work for somebody, on one of the ways to that place; -1: none."""
    leads = {place}
    for k in reversed(range(place)):
        if leads.intersection([*items[k].then, items[k].otherwise]):
            leads.add(k)
            if items[k].do.skill and items[k].do.name == step:
                return k
    return -1


def _pace(person: Person, skill: str) -> int:
    return person.pace if isinstance(person.pace, int) else person.pace[skill]


def ids(numbers: Any) -> np.ndarray:
    return np.array(numbers, np.int32)


def codes(numbers: Any) -> np.ndarray:
    return np.array(numbers, np.int8)


# ------------------------------------------------------------------ the shortest ways to write one down


def tiny(cases: Mapping[str, Case], until: int = 1000, **changes: Any) -> World:
    """One desk, at which ann is always on duty; `changes` are those of a World, or `staff` of the desk by name."""
    staff = changes.pop("staff", {"ann": [(0, until)]})
    people = {name: who if isinstance(who, Person) else Person("desk", who) for name, who in staff.items()}
    return World(**{"teams": {"desk": Team({"desk": 0})}, "people": people, "cases": cases, "until": until, **changes})


ALWAYS = [(0, 1000)]


def at_desk(at: int, *work: int, patience: int | None = None, **more: Any) -> Case:
    """A case with so many visits to the desk."""
    return Case(at, [Do("desk", length, **more) for length in work], patience)


# ------------------------------------------------------------------ the shortest scenario


def mapping(**changes: Any) -> dict[str, Any]:
    """A scenario as in YAML: one desk, always one there, ten cases an hour for a day, five minutes each; `changes`."""
    task = {"kind": "task", "skill": "desk", "time": {"kind": "exponential", "mean": "5 min"}, "next": "end"}
    return {
        "name": "tests/tiny",
        "clock": {"start": "2026-03-02", "horizon": "1 d"},
        "departments": {"office": {}},
        "pools": {"desk": {"department": "office"}},
        "shifts": {"always": {"days": "all", "hours": "00:00-24:00"}},
        "staffing": {"desk": {"always": 1}},
        "case_classes": {"ordinary": {"process": "p"}},
        "demand": {"calls": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "10/h"}}},
        "processes": {"p": {"start": "serve", "steps": {"serve": task}}},
        **changes,
    }


# ------------------------------------------------------------------ the story of a log


def story(world: World, engine: Engine) -> list[str]:
    """The whole log, one line for each item, then stretches, escalations, and when each case left."""
    return told(world, world.run(engine))


def told(world: World, run: Run) -> list[str]:
    work, log, names = run.workload, run.log, list(world.cases)
    alone = np.diff(work.first_item) == 1
    steps = [work.steps.names[step] for step in work.step]
    again = [f"{step}{visit + 1}" if visit else step for step, visit in zip(steps, work.visit, strict=True)]
    item = [names[c] if alone[c] else f"{names[c]}.{step}" for c, step in zip(work.case, again, strict=True)]

    def when(at: int) -> str:
        return "-" if at < 0 else f"{at / world.unit:g}"

    columns = zip(log.enabled_at, log.offered_at, log.started_at, log.completed_at, strict=True)
    lines = [f"{name} {' '.join(map(when, times))}" for name, times in zip(item, columns, strict=True)]
    lines = [f"{line} {run.plan.workers[w]}" if w >= 0 else line for line, w in zip(lines, log.worker, strict=True)]
    parts = zip(log.stretch_item, log.stretch_worker, log.stretch_from, log.stretch_to, strict=True)
    lines += [f"{run.plan.workers[w]}: {item[i]} {when(begin)}-{when(end)}" for i, w, begin, end in parts]
    helped = zip(log.helper_item, log.helper_worker, log.helper_from, log.helper_to, strict=True)
    lines += [f"{run.plan.workers[w]} helps: {item[i]} {when(begin)}-{when(end)}" for i, w, begin, end in helped]
    escalated = zip(log.escalated_item, log.escalated_at, strict=True)
    lines += [f"escalated {item[i]} {when(at)}" for i, at in escalated]
    lines += [f"silence on {item[i]} {when(at)}" for i, at in zip(log.silent_item, log.silent_at, strict=True)]
    owned = zip(log.owned_item, log.owned_at, log.owned_by, strict=True)
    lines += [f"for {run.plan.workers[w]}: {item[i]} {when(at)}" for i, at, w in owned]
    lines += [f"no place: {item[i]} {when(at)}" for i, at in zip(log.blocked_item, log.blocked_at, strict=True)]
    return [*lines, f"left {', '.join(map(_left, names, map(when, log.left_at), log.outcome))}".rstrip()]


def _left(case: str, at: str, outcome: int) -> str:
    how = Outcome(outcome).name.lower()
    shown = (Outcome.REJECTED, Outcome.ABANDONED, Outcome.TURNED_AWAY)
    return f"{case} {at}" + (f" {how}" if outcome in shown else "")


def expect(engine: Engine, world: World, lines: str) -> None:
    """The log is exactly this one (spaces do not matter)."""
    expected = [" ".join(line.split()) for line in lines.splitlines()]
    assert story(world, engine) == [line for line in expected if line]


# ------------------------------------------------------------------ worlds drawn at random

Pick = Callable[[int, int], int]
"""A whole number between two bounds, both included."""
ASSIGNMENT = ("longest_idle", "least_utilised", "fastest", "slowest", "fixed", "random")
END_OF_SHIFT = ("finish", "suspend", "suspend_keep", "no_late_start", "restart")


def random_world(pick: Pick, rich: bool = False) -> World:
    """A small world on a coarse grid, rich in ties; every mechanism is in some worlds and missing from others. A rich
    one has nearly all of them at once."""

    def sometimes(one_in: int = 3) -> bool:
        return pick(0, one_in - 1) == one_in - 1

    def has(one_in: int = 3) -> bool:
        return bool(pick(0, 4)) if rich else sometimes(one_in)

    grid, until = pick(1, 4), 8 * pick(2, 5)
    skills = "ABC"[: pick(1, 3)]
    teams = _teams(pick, skills, has())
    overflow, teams = _overflow(pick, teams, skills, grid) if has() else ({}, teams)
    people = _people(pick, teams, grid, until, with_breaks=has(2), paced=has())
    if has():
        teams = {name: replace(team, idle_first=bool(pick(0, 3))) for name, team in teams.items()}
    holds, patient, forks, ranked = has(), not has(), has(), has(2)
    owned, several = has(), has() and not (rich and pick(0, 1))
    if several:  # nobody keeps for the next shift what others had in hand too
        teams = {name: replace(t, end_of_shift=t.end_of_shift.replace("_keep", "")) for name, t in teams.items()}

    gates = _gates(pick, grid, until) if has() else {}
    systems, teams = _systems(pick, teams, people, grid) if has() else ({}, teams)
    if has():
        teams, people = _reserve(pick, teams, people, grid)

    def do() -> Do:
        if gates and sometimes(4):
            kind = ("meeting", "handoff")[pick(0, 1)]
            return Do(None, work=pick(0, 2) * grid, gate="MN"[pick(0, len(gates) - 1)], step=kind, kind=kind)
        if sometimes(8):
            return Do(None, work=pick(0, 2) * grid, step="over", kind="handoff")
        return Do(
            None if sometimes(8) else skills[pick(0, len(skills) - 1)],
            work=pick(0, 3) * grid if not sometimes(5) else pick(0, 7),
            hold=pick(0, 2) * grid if holds else 0,
            answers=sometimes(2),
            rank=pick(0, 2) if ranked else 0,
            lot=pick(0, 5),
            workers=pick(1, 3) if several and pick(0, 1) else 1,
        )

    def tried() -> Do:
        one = _owned(pick, do(), skills, grid) if owned else do()
        if not systems or not one.skill or pick(0, 1):
            return one
        return replace(one, step=f"{one.skill}!", needs=[name for name, of in systems.items() if not of.separate])

    def path(depth: int) -> list[Any]:
        parts: list[Any] = []
        for _ in range(pick(1 - depth, 3 - depth) + (pick(0, 3) if owned and not depth else 0)):
            if forks and depth < 2 and sometimes():
                branches = [path(1) for _ in range(pick(2, 3))]
                parts.append((pick(1, len(branches) - 1), *branches) if sometimes() else tuple(branches))
            else:
                parts.append(quiet(depth) if approvers and not pick(0, 2) else tried())
        return parts

    approvers, hours = has(), _hours(pick, grid, until)

    def quiet(depth: int) -> Do:
        """A visit of which silence speaks."""
        one = tried()
        if not one.skill and not one.gate:
            return one
        way = path(2 if depth else 1) if pick(0, 1) else None
        to = skills[pick(0, len(skills) - 1)] if one.skill and not pick(0, 2) else ""
        silent = Quiet(pick(1, 4) * grid, None if to else way, to, not pick(0, 3), bool(hours) and not pick(0, 1))
        step = f"{one.name}~{silent.after}{to}{silent.open_hours}"
        return replace(one, step=step, silent=silent)

    places = has()
    redials = places and bool(pick(0, 2))

    at, cases = -grid * pick(0, 3) if sometimes(6) else 0, {}
    for name in "abcdefg"[: pick(1, 7)]:
        at += pick(0, 2) * grid
        patience = None if patient else pick(0, 4) * grid
        again = tuple(pick(1, 3) * grid for _ in range(2)) if redials and pick(0, 3) else ()
        cases[name] = Case(
            at, path(0), patience, rejected=sometimes(6), points=pick(0, 3), redial=again, priority=pick(1, 3)
        )
    if has(4):
        for name in "uvwxyz"[: pick(1, 5)]:
            follows = (list(cases)[pick(0, len(cases) - 1)], list(ON)[pick(0, len(ON) - 1)], pick(0, 3) * grid)
            cases[name] = Case(0, path(0), pick(0, 4) * grid if sometimes() else None, sometimes(6), follows=follows)
    return World(
        teams=teams,
        people=people,
        cases=cases,
        until=until,
        assignment={skill: ASSIGNMENT[pick(0, len(ASSIGNMENT) - 1)] for skill in skills} if has() else {},
        escalate=_escalations(pick, skills, grid) if has() and not redials else {},
        from_arrival=[skill for skill in skills if pick(0, 1)] if has() else [],
        slope={skill: pick(-1, 1) for skill in skills} if has() else {},
        unit=1,
        gates=gates,
        systems=systems,
        **_interruptions(pick, skills, has()),
        timers={skill: [pick(1, 4) * grid for _ in range(3)] for skill in skills if pick(0, 1)} if has() else {},
        places={skill: pick(0, 2) for skill in skills if pick(0, 1)} if places else {},
        own=_own_times(pick, [*teams, *people], skills, grid) if has(4) else {},
        overflow=overflow,
        hours=hours,
        backfilling=[skill for skill in skills if not pick(0, 2)] if several else [],
    )


def _hours(pick: Pick, grid: int, until: int) -> list[tuple[int, int]]:
    """Open hours with gaps, if any."""
    hours: list[tuple[int, int]] = []
    at = pick(0, 2) * grid
    while pick(0, 3) and at < until:
        hours.append((at, at + pick(1, 4) * grid))
        at = hours[-1][1] + pick(1, 3) * grid
    return hours


def _owned(pick: Pick, do: Do, skills: str, grid: int) -> Do:
    """Some visits are for who did something before, some for others."""
    if not do.skill or not pick(0, 3):
        return do
    owners = ["", "", *skills, *skills, *skills, OWNER, OWNER, PREVIOUS]
    return replace(
        do,
        same_as=owners[pick(0, len(owners) - 1)],
        kept=(0, 0, FOR_EVER, grid, 2 * grid, 3 * grid)[pick(0, 5)],
        not_as=[skill for skill in skills if not pick(0, 3)],
    )


def _overflow(
    pick: Pick, teams: dict[str, Team], skills: str, grid: int
) -> tuple[dict[str, dict[str, Spill]], dict[str, Team]]:
    """Some queues overflow to teams that have the skill besides, or only for that."""
    overflow: dict[str, dict[str, Spill]] = {}
    for skill in skills:
        for name, team in teams.items() if pick(0, 2) else ():
            if len(teams) < 2 or pick(0, 1):
                continue
            teams = {**teams, name: replace(team, skills={skill: pick(0, 2), **team.skills})}
            after = grid * pick(1, 3) if pick(0, 1) else None
            spill = Spill(after, pick(1, 3) if not pick(0, 2) else None, not pick(0, 2))
            overflow.setdefault(skill, {})[name] = spill
    return overflow, teams


def _own_times(pick: Pick, everybody: Sequence[str], skills: str, grid: int) -> dict[str, dict[str, int]]:
    """Some teams and some people need another time for some skills."""
    some = [who for who in everybody if not pick(0, 2)]
    return {who: {skill: pick(0, 3) * grid for skill in skills if pick(0, 1)} for who in some}


def _interruptions(pick: Pick, skills: str, some: bool) -> dict[str, Any]:
    """Some queues interrupt, some are ranked by what is left."""
    if not some:
        return {}
    by_points = [skill for skill in skills if not pick(0, 3)]
    return {
        "preempt": {s: ("resume", "restart")[pick(0, 1)] for s in skills if pick(0, 3) and s not in by_points},
        "earliest": [skill for skill in skills if pick(0, 1)],
        "by_work_left": [skill for skill in skills if not pick(0, 2)],
        "by_points": by_points,
        "hold_back": {skill: (pick(1, 2), pick(1, 2)) for skill in skills if not pick(0, 3)},
    }


def _reserve(
    pick: Pick, teams: dict[str, Team], people: dict[str, Person], grid: int
) -> tuple[dict[str, Team], dict[str, Person]]:
    """Some of the people come when called, some teams have additional ones who do."""
    who = dict(people)
    for name, team in teams.items():
        if pick(0, 1):
            marks = pick(1, 3) if pick(0, 2) else None, grid * pick(1, 2) if not pick(0, 2) else None
            called = Called(*marks, grid * pick(0, 2), grid * pick(0, 3), pick(0, 1) if not pick(0, 2) else 0)
            if not pick(0, 2):
                begin = grid * pick(0, 6)
                called = replace(called, hours=[(begin, begin + grid * pick(2, 8))])
            teams = {**teams, name: replace(team, called=called)}
            for k in range(pick(1, 2)):
                pace = {skill: (100, 50)[pick(0, 1)] for skill in team.skills}
                who[f"{name}r{k}"] = Person(name, [], pace=pace, reserve=True)
    return teams, who


def _systems(
    pick: Pick, teams: dict[str, Team], people: dict[str, Person], grid: int
) -> tuple[dict[str, Failing], dict[str, Team]]:
    """One or two systems, some everybody's, some separate, and the teams that need them."""
    systems: dict[str, Failing] = {}
    for name in ("crm", "line")[: pick(1, 2)]:
        separate = not pick(0, 2)
        users = [team for team in teams if pick(0, 1)]
        teams = {t: replace(of, needs=[*of.needs, name] if t in users else of.needs) for t, of in teams.items()}
        owners = [who for who, person in people.items() if person.pool in users] if separate else [""]
        outages = []
        for whose in owners:
            at = pick(0, 3) * grid
            for _ in range(pick(0, 2)):
                end = at + pick(1, 3) * grid
                outages.append((at, end, whose))
                at = end + pick(1, 3) * grid
        wear = [(pick(1, 4) * grid, pick(1, 2) * grid) for _ in range(pick(0, 3))]
        systems[name] = Failing(outages, wear, not pick(0, 2), not pick(0, 2), separate)
    return systems, teams


def _gates(pick: Pick, grid: int, until: int) -> dict[str, Gate]:
    gates = {}
    for name in "MN"[: pick(1, 2)]:
        every = grid * pick(1, 6)
        seats, lasts = pick(0, 2) or None, grid * pick(0, 3) if pick(0, 1) else None
        gates[name] = Gate(range(grid * pick(0, 3), until, every), seats, grid * pick(0, 2), lasts)
    return gates


def _teams(pick: Pick, skills: str, shared: bool) -> dict[str, Team]:
    rules = [(END_OF_SHIFT[max(0, pick(-1, 4))], pick(1, 2) if pick(0, 1) else None) for _ in skills]
    if not shared:
        return {f"P{skill}": Team({skill: 0}, *rule) for skill, rule in zip(skills, rules, strict=True)}
    teams = {}
    for k, rule in enumerate(rules):
        able = {skill: pick(0, 2) for skill in skills if pick(0, 1)}
        teams[f"P{k}"] = Team(able or {skills[k]: 0}, *rule)
    missing = [skill for skill in skills if not any(skill in team.skills for team in teams.values())]
    return {**teams, "P": Team(dict.fromkeys(missing, 1))} if missing else teams


def _people(
    pick: Pick, teams: Mapping[str, Team], grid: int, until: int, with_breaks: bool, paced: bool
) -> dict[str, Person]:
    paces, people = (50, 100, 200, 30), {}
    for team in teams:
        for k in range(pick(0, 3)):
            pace = {skill: paces[pick(0, 3)] for skill in teams[team].skills} if paced else 100
            duty, breaks, at = [], [], grid * pick(0, 2)
            for _ in range(pick(1, 3)):
                end = at + grid * pick(1, 6)
                duty.append((at, end))
                for _ in range(pick(0, 2) if with_breaks else 0):
                    if end - at > 1:
                        breaks.append((pick(at, end - 1), grid * pick(1, 2), ("pause", "postpone")[pick(0, 1)]))
                at = end + grid * pick(0, 2)
            if not pick(0, 3):
                duty, breaks = [(0, until)], [part for part in breaks if part[0] < until]
            breaks = list({part[0]: part for part in breaks}.values())
            people[f"{team}{'xyz'[k]}"] = Person(team, duty, breaks, pace)
    return people


def _escalations(pick: Pick, skills: str, grid: int) -> dict[str, tuple[int, str]]:
    """Some queues move on; without a wait only to a later one, lest an item goes round within one tick."""
    moves = {}
    for k, skill in enumerate(skills):
        to = skills[pick(0, len(skills) - 1)]
        if to != skill and pick(0, 1):
            moves[skill] = (grid * pick(0 if to > skills[k] else 1, 2), to)
    return moves
