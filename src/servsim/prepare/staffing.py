"""Who is on duty when: weekly shifts, profiles and named workers, laid out over the dates of the clock."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from servsim.model import Scenario
from servsim.model.organisation import Call, Profile, Reserve, Shift
from servsim.prepare.disruptions import interruptions, is_absent
from servsim.prepare.gates import gates
from servsim.prepare.outages import systems
from servsim.prepare.streams import Streams
from servsim.quantities import DAY, WEEK
from servsim.records import EndOfShift, Overflow, Plan, Preempt, Reserves
from servsim.records.arrays import Ids

Span = tuple[int, int]


@dataclass
class Person:
    """A worker with everything that a plan needs to know about them."""

    name: str
    pool: str
    pace: dict[str, int]
    duties: list[Span] = field(default_factory=list)
    breaks: list[tuple[int, int, bool, bool]] = field(default_factory=list)  # at, lasts, postponed, paid
    is_away: Callable[[dt.date], bool] = lambda date: False  # by the roster
    streams: Streams | None = None  # none: nothing happens by chance
    is_reserve: bool = False


def plan(scenario: Scenario, seed: int | None = None, replication: int = 0) -> Plan:
    """The plan of a scenario. Duties are merged where they touch; what began earlier goes on at tick 0.

    Without a seed everybody comes as rostered: no absence and no shrinkage is drawn.
    """
    streams = None if seed is None else Streams(seed, replication)
    people = [person for person in _people(scenario, streams) for _ in range(_places(scenario, person))]
    departments, pools = tuple(scenario.departments), tuple(scenario.pools)
    skills = skills_of(scenario)
    policies = [scenario.dispatch.for_skill(skill) for skill in skills]
    escalations = [policy.escalate for policy in policies]
    preference = np.full((len(pools), len(skills)), -1, np.int8)
    for p, pool in enumerate(pools):
        for skill, ability in scenario.pools[pool].abilities.items():
            preference[p, skills.index(skill)] = ability.preference
    learns = {w: [at for at, _ in _ramp(scenario, person, skills)] for w, person in enumerate(people)}
    duties = [(w, a, b) for w, person in enumerate(people) for a, b in _cut(_merged(person.duties), learns[w])]
    breaks = [(w, *pause) for w, person in enumerate(people) for pause in sorted(person.breaks)]
    ramps = [(w, *step) for w, person in enumerate(people) for step in _ramp(scenario, person, skills)]
    rules = [EndOfShift[scenario.pools[pool].end_of_shift.upper()] for pool in pools]
    return Plan(
        departments=departments,
        pools=pools,
        skills=skills,
        workers=tuple(person.name for person in people),
        pool_department=_ids(departments.index(scenario.pools[pool].department) for pool in pools),
        pool_end_of_shift=np.array(rules, np.int8),
        pool_wage=np.array([scenario.pools[pool].wage for pool in pools], np.float64),
        pool_overtime=np.array([scenario.pools[pool].overtime for pool in pools], np.float64),
        preference=preference,
        worker_pool=_ids(pools.index(person.pool) for person in people),
        pace=np.array([[person.pace.get(skill, 0) for skill in skills] for person in people], np.int32).reshape(
            len(people), len(skills)
        ),
        duty_worker=_ids(w for w, _, _ in duties),
        duty_from=_ticks(a for _, a, _ in duties),
        duty_to=_ticks(b for _, _, b in duties),
        break_worker=_ids(w for w, *_ in breaks),
        break_at=_ticks(at for _, at, *_ in breaks),
        break_lasts=_ticks(lasts for _, _, lasts, *_ in breaks),
        break_postponed=np.array([postponed for *_, postponed, _ in breaks], np.int8),
        break_paid=np.array([paid for *_, paid in breaks], np.int8),
        assignment=tuple(policy.assignment for policy in policies),
        escalate_after=_ticks(round(e.after.mean) if e else -1 for e in escalations),
        escalate_to=_ids(skills.index(e.to) if e else -1 for e in escalations),
        waiting_places=_waiting_places(scenario, skills),
        overtime_limit=_limits(scenario.pools[pool].overtime_limit for pool in pools),
        reserves=_reserves(scenario, people),
        backfilling=_codes(policy.backfilling for policy in policies),
        overflow=_overflow(scenario, pools, skills),
        worker_person=_persons(people),
        ramp_worker=_ids(w for w, _, _ in ramps),
        ramp_at=_ticks(at for _, at, _ in ramps),
        ramp_pace=np.array([pace for *_, pace in ramps], np.int32).reshape(len(ramps), len(skills)),
        at_once_pace=_speeds(scenario),
        systems=systems(scenario, [(person.name, person.pool) for person in people], streams),
        alert_after=_limits(policy.alert for policy in policies),
        hold_above=_limits(policy.hold_back.priority if policy.hold_back else None for policy in policies),
        keep_idle=_limits(policy.hold_back.keep if policy.hold_back else None for policy in policies),
        preempts=_codes(Preempt[(policy.preempt or "not").upper()] for policy in policies),
        victim_earliest=_codes(policy.preempt and policy.victim == "earliest_started" for policy in policies),
        idle_first=_codes(scenario.pools[pool].leaves == "idle_first" for pool in pools),
        **gates(scenario),
    )


def _waiting_places(scenario: Scenario, skills: tuple[str, ...]) -> Ids:
    places = [scenario.dispatch.teams[s].waiting_places if s in scenario.dispatch.teams else None for s in skills]
    return _ids(-1 if n is None else n for n in places) if any(n is not None for n in places) else _ids(iter(()))


def skills_of(scenario: Scenario) -> tuple[str, ...]:
    """All skills, in the order in which the pools name them: the numbers that plan and workload use."""
    return tuple(dict.fromkeys(skill for pool in scenario.pools.values() for skill in pool.abilities))


def _places(scenario: Scenario, person: Person) -> int:
    """How many items the person has in hand at once; the plan has a worker for each."""
    at_once = scenario.pools[person.pool].at_once
    return at_once.cases if at_once else 1


def _ramp(scenario: Scenario, person: Person, skills: tuple[str, ...]) -> Iterator[tuple[int, list[int]]]:
    """(from tick, pace by skill) week by week of somebody who still learns."""
    worker = scenario.workers.get(person.name)
    if worker is None or worker.ramp_up is None or worker.joins is None:
        return
    for week in range(worker.ramp_up.weeks + 1):
        share = worker.ramp_up.pace(week)
        at = scenario.clock.tick(worker.joins) + week * WEEK
        if at < scenario.clock.until:
            yield at, [max(1, (person.pace[s] * share + 50) // 100) if s in person.pace else 0 for s in skills]


def _persons(people: list[Person]) -> np.ndarray:
    """[workers] the first place of the same person; empty where everybody has one."""
    first: dict[int, int] = {}
    persons = _ids(first.setdefault(id(person), w) for w, person in enumerate(people))
    return persons if len(first) < len(people) else persons[:0]


def _speeds(scenario: Scenario) -> np.ndarray:
    """[pools, number in hand] speed of each item in hand in thousandths of per cent; 0 where nothing is said."""
    of = [pool.at_once.paces() if pool.at_once else () for pool in scenario.pools.values()]
    pools = [[round(1000 * pace) for pace in paces] for paces in of]
    most = max(map(len, pools))
    return np.array([[*paces, *[0] * (most - len(paces))] for paces in pools], np.int32).reshape(len(pools), most)


def _reserves(scenario: Scenario, people: list[Person]) -> Reserves:
    """Who is called in, and the marks of each pool."""
    if not any(person.is_reserve for person in people):
        return Reserves()
    pools = scenario.pools.values()
    hours = [(p, *span) for p, (name, pool) in enumerate(scenario.pools.items()) for span in _called_in(scenario, name)]
    of = [pool.reserve or Reserve(headcount=1, call=Call(waiting=1)) for pool in pools]
    return Reserves(
        worker=np.array([person.is_reserve for person in people], np.int8),
        call_waiting=_ticks(reserve.call.waiting or -1 for reserve in of),
        call_oldest=_ticks(reserve.call.oldest or -1 for reserve in of),
        delay=_ticks(reserve.delay for reserve in of),
        stay=_ticks(reserve.stay for reserve in of),
        release=_ticks(reserve.release.waiting for reserve in of),
        wage=np.array([p.wage if r.wage is None else r.wage for p, r in zip(pools, of, strict=True)], np.float64),
        hours_pool=_ids(p for p, _, _ in hours),
        hours_from=_ticks(a for _, a, _ in hours),
        hours_to=_ticks(b for _, _, b in hours),
    )


def _called_in(scenario: Scenario, pool: str) -> list[Span]:
    """The hours to which the reserve of a pool is called; none: at any hour. Breaks are for those on shift."""
    reserve = scenario.pools[pool].reserve
    nobody = Person("", pool, {})
    for name in reserve.shifts if reserve else ():
        _work(scenario, nobody, scenario.shifts[name], 0, 1)
    never = [(-1, 0)] if reserve and reserve.shifts else []  # the shifts have no hours on the days of the clock
    return _merged(nobody.duties) or never


def _overflow(scenario: Scenario, pools: Sequence[str], skills: Sequence[str]) -> Overflow:
    """Which pools take items of a queue only under a condition."""
    overflows, shape = scenario.overflows(), (len(pools), len(skills))
    if not overflows:
        return Overflow()
    after, waiting, alone = np.full(shape, -1, np.int64), np.full(shape, -1, np.int32), np.zeros(shape, np.int8)
    for skill, ways in overflows.items():
        for one in ways:
            at = pools.index(one.to), skills.index(skill)
            after[at] = after[at] if one.after is None else one.after
            waiting[at] = waiting[at] if one.waiting is None else one.waiting
            alone[at] |= one.when is not None
    return Overflow(after, waiting, alone)


def _people(scenario: Scenario, streams: Streams | None) -> Iterator[Person]:
    """Everybody, pool by pool: first the counted, shift by shift, then the named, then the reserve."""
    for pool, abilities in ((name, pool.abilities) for name, pool in scenario.pools.items()):
        paces = {skill: ability.pace for skill, ability in abilities.items()}
        for name, headcount in scenario.staffing.get(pool, {}).items():
            shift = scenario.shifts[name]
            for k in range(headcount * _most(shift)):
                person = Person(f"{pool}.{name}.{k + 1}", pool, paces, streams=streams)
                _work(scenario, person, shift, k, headcount)
                yield person
        for worker_id, worker in scenario.workers.items():
            if worker.pool == pool:
                own = {skill: (pace * worker.pace_of(skill) + 50) // 100 for skill, pace in paces.items()}
                person = Person(worker_id, pool, own, is_away=worker.is_away, streams=streams)
                for name in worker.shifts:
                    _work(scenario, person, scenario.shifts[name], 0, 1)
                yield person
        reserve = scenario.pools[pool].reserve
        for k in range(reserve.headcount if reserve else 0):
            yield Person(f"{pool}.reserve.{k + 1}", pool, paces, is_reserve=True)


def _most(shift: Shift | Profile) -> int:
    return 1 if isinstance(shift, Shift) else max((max(slots) for slots in shift.by_day().values()), default=0)


def _work(scenario: Scenario, person: Person, shift: Shift | Profile, k: int, headcount: int) -> None:
    """Enter the duties and breaks of the k-th of those who work the shift."""
    until = scenario.clock.until
    pattern = _hours(shift) if isinstance(shift, Shift) else _slots(shift, k, headcount)
    for date, midnight, kind in scenario.clock.days:
        spans = pattern.get(kind, ())
        if not spans or _is_away(scenario, person, date):
            continue
        duties = [(max(0, midnight + a), midnight + b) for a, b in spans if midnight + b > 0]
        person.duties += [duty for duty in duties if duty[0] < until]
        if isinstance(shift, Shift):
            for pause in shift.breaks:
                at = midnight + shift.break_at(pause) + k % pause.waves * pause.lasts
                begin, left = max(0, at), pause.lasts + min(0, at)
                if begin < until and left > 0:
                    person.breaks.append((begin, left, pause.rule == "postpone", False))
        _lose(scenario, person, date, midnight, spans)


def _is_away(scenario: Scenario, person: Person, date: dt.date) -> bool:
    """On leave, or absent by chance: the shifts that begin on that date are not worked."""
    if person.is_away(date):
        return True
    share = scenario.pools[person.pool].absence
    return person.streams is not None and is_absent(person.streams, share, person.name, date)


def _lose(scenario: Scenario, person: Person, date: dt.date, midnight: int, spans: Sequence[Span]) -> None:
    """Enter the interruptions that make up the shrinkage of the duties of a date; never two at one tick."""
    shrinkage = scenario.pools[person.pool].shrinkage
    if shrinkage is None or person.streams is None:
        return
    taken = {at for at, *_ in person.breaks}
    for duty in _merged([(midnight + a, midnight + b) for a, b in spans]):
        for at, lasts in interruptions(person.streams, shrinkage, person.name, date, midnight, duty):
            if 0 <= at < scenario.clock.until and at not in taken:
                person.breaks.append((at, lasts, True, True))


def _hours(shift: Shift) -> dict[str, Sequence[Span]]:
    """The spans of a shift by type of day, in ticks since midnight."""
    hours = tuple((a, b + shift.handover) for a, b in shift.hours)
    return dict.fromkeys(shift.days, hours)


def _slots(profile: Profile, k: int, multiple: int) -> dict[str, Sequence[Span]]:
    """The k-th of a profile is there in the slots in which at least k + 1 are; by type of day."""
    length = profile.every
    return {
        kind: [(i * length, (i + 1) * length) for i, n in enumerate(counts) if n * multiple > k]
        for kind, counts in profile.by_day().items()
    }


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for a, b in sorted(spans):
        if merged and a <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
        else:
            merged.append((a, b))
    return merged


def _codes(values: Iterable[int | None]) -> np.ndarray:
    """Empty where all are zero."""
    codes = np.array([value or 0 for value in values], np.int8)
    return codes if codes.any() else codes[:0]


def _limits(values: Iterator[int | None]) -> np.ndarray:
    """-1 for none; empty where all are none."""
    limits = np.array([-1 if value is None else value for value in values], np.int64)
    return limits if (limits >= 0).any() else limits[:0]


def _cut(spans: list[Span], at: list[int]) -> Iterator[Span]:
    """The spans; those longer than a day are cut where the pace changes, which is taken on with a new duty."""
    for begin, end in spans:
        edges = [begin, *(t for t in at if begin < t < end and end - begin > DAY), end]
        yield from itertools.pairwise(edges)


def _ids(values: Iterator[int]) -> np.ndarray:
    return np.array(list(values), np.int32)


def _ticks(values: Iterator[int]) -> np.ndarray:
    return np.array(list(values), np.int64)
