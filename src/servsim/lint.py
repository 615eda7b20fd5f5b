"""Can this work at all? What demand, rosters and promises say about each other before anything is simulated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from servsim.model import EXITS, Flow, Promise, Scenario, Work
from servsim.model.calendar import DAY_TYPES
from servsim.model.committees import meetings as committees_of
from servsim.model.owning import each_may_be_excluded, skills_of_makers
from servsim.model.promised import places
from servsim.model.promises import CALENDAR, Happening
from servsim.model.steps import Agenda
from servsim.outlook import Inflow, Outlook, Team, dispatch_delay, travel
from servsim.quantities import DAY, MINUTE, SECOND, WEEK, written

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_MORE = 1 + 1e-9
"""Load above capacity means by more than rounding, …"""
_MUCH_MORE = 1.05
"""… and within one hour, where the next hour may make up for it, by so much."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a scenario that a planner should know; an error cannot work, a warning may be meant."""

    severity: Literal["error", "warning"]
    message: str
    where: str  # path in the YAML


def lint(scenario: Scenario) -> list[Finding]:
    """Load above capacity, hours without anybody on duty, promises that cannot be kept; errors first.

    Raises InputError where a trace cannot be read.
    """
    outlook = Outlook(scenario)
    found = [*_never_on_duty(outlook), *_overload(outlook), *_promises(scenario, outlook.inflows)]
    found += [*_nobody_takes_over(scenario), *_nobody_above(outlook)]
    found += [*_not_needed(scenario), *_seats(outlook), *_too_few_at_once(outlook)]
    found += [*_never_called(outlook), *_away(outlook), *_nobody_gives_up(scenario)]
    return sorted(found, key=lambda finding: finding.severity)


# ---------------------------------------------------------------------- findings


def _never_on_duty(outlook: Outlook) -> Iterator[Finding]:
    for skill, load in outlook.load.items():
        team = outlook.team([skill])
        if team.capacity.sum() == 0:
            message = (
                f"{skill}: nobody who can do it is on duty at any time, while {_hours(load.sum())} of work come in"
            )
            yield Finding("error", message, team.where)


def _too_few_at_once(outlook: Outlook) -> Iterator[Finding]:
    """Steps that need more workers than ever are on duty at the same time."""
    scenario = outlook.scenario
    for process in scenario.used_processes():
        classes = [name for name in scenario.classes_in_use() if scenario.case_classes[name].process == process]
        for name, step in scenario.flow(process).steps.items():
            needs = max(map(step.workers_of, classes), default=1) if isinstance(step, Work) else 1
            if needs > 1 and isinstance(step, Work) and (most := outlook.most_together(step.skill)) < needs:
                told = f"needs {needs} workers at once, and never more than {most} who can do {step.skill} are on duty"
                where = f"processes.{process}.steps.{name}.workers"
                yield Finding("error", f"{name}: {told} together; it is never started", where)


def _seats(outlook: Outlook) -> Iterator[Finding]:
    """Meetings to which more comes than they have seats for; those of one committee together."""
    scenario, horizon = outlook.scenario, outlook.scenario.clock.horizon
    committees: dict[tuple[str, ...], list[tuple[tuple[str, str], Agenda]]] = {}
    for place, step in committees_of(scenario):
        own = place if step.committee is None else (step.committee,)
        committees.setdefault(own, []).append((place, step))
        if not _held(scenario, step):
            where = f"processes.{place[0]}.steps.{place[1]}"
            yield Finding("error", f"{place[1]}: no meeting is held before the horizon", where)
    for together in committees.values():
        (process, name), step = together[0]
        times, comes = _held(scenario, step), sum(_come_to(outlook, place, horizon) for place, _ in together)
        if times and step.seats is not None and comes > times * step.seats * _MORE:
            held = f"{times} meetings before the horizon with {step.seats} seats each"
            message = f"{name}: {_number(comes)} items come to {held}; more and more wait"
            yield Finding("warning", message, f"processes.{process}.steps.{name}.seats")


def _held(scenario: Scenario, step: Agenda) -> int:
    return int((step.openings(scenario.clock) < scenario.clock.horizon).sum())


def _come_to(outlook: Outlook, place: tuple[str, str], until: int) -> float:
    """Expected visits to the step of a process before a tick."""
    scenario, (process, step) = outlook.scenario, place
    ours = [i for i in outlook.inflows if scenario.case_classes[i.case_class].process == process]
    return float(sum(i.by(np.array([until]))[0] * travel(scenario, i).visits[step] for i in ours))


def _not_needed(scenario: Scenario) -> Iterator[Finding]:
    steps = (step for process in scenario.used_processes() for step in scenario.flow(process).steps.values())
    needed = {system for step in steps if isinstance(step, Work) for system in step.needs}
    needed |= {system for pool in scenario.pools.values() for system in pool.needs}
    for system in scenario.systems:
        if system not in needed:
            message = f"{system}: no step and no pool needs it; its outages are without effect"
            yield Finding("warning", message, f"systems.{system}")


def _never_called(outlook: Outlook) -> Iterator[Finding]:
    for name, pool in outlook.scenario.pools.items():
        if pool.reserve is None:
            continue
        where = f"pools.{name}.reserve"
        if not set(pool.abilities) & set(outlook.load):
            yield Finding("warning", f"{name}: no work comes to the queues of its reserve; it is never called", where)
        elif pool.reserve.shifts and not outlook.called[outlook.plan.pools.index(name)].any():
            told = f"{name}: the shifts of its reserve have no hours before the clock stops; it is never called"
            yield Finding("warning", told, f"{where}.shifts")
        elif pool.reserve.delay >= outlook.scenario.clock.until:
            yield Finding("warning", f"{name}: its reserve would arrive after the clock has stopped", f"{where}.delay")


def _away(outlook: Outlook) -> Iterator[Finding]:
    """Work that waits for one person, or for a second one, of whom too few are on duty."""
    scenario = outlook.scenario
    for process in scenario.used_processes():
        flow = scenario.flow(process)
        for name, step in flow.steps.items():
            if not isinstance(step, Work) or step.needs_nobody:
                continue
            where = f"processes.{process}.steps.{name}"
            if step.not_same_as:
                yield from _nobody_else(outlook, flow, name, step, f"{where}.not_same_as")
            if step.same_as is not None:
                yield from _never_the_same(outlook, flow, name, step, f"{where}.same_as")
                yield from _off_for_good(outlook, name, step, f"{where}.same_as")


def _nobody_else(outlook: Outlook, flow: Flow, name: str, step: Work, where: str) -> Iterator[Finding]:
    scenario, last = outlook.scenario, _last_duties(outlook, step.skill)
    there = [who for who, at in last.items() if at > 0]
    pools = [outlook.plan.pools[outlook.plan.worker_pool[outlook.plan.workers.index(who)]] for who in there]
    if there and each_may_be_excluded(scenario, pools, skills_of_makers(flow, step)):
        some = f"{_listed(there)} {'is' if len(there) == 1 else 'are'} ever on duty"
        message = f"{name}: of the {len(last)} who can do it only {some}; what they made themselves waits for ever"
        yield Finding("warning", message, where)


def _never_the_same(outlook: Outlook, flow: Flow, name: str, step: Work, where: str) -> Iterator[Finding]:
    earlier = step.same_as.step if step.same_as else None
    if earlier is None:
        return
    before = {flow.steps[at].skill for at in flow.doing(earlier)}  # type: ignore[attr-defined]
    able = _last_duties(outlook, step.skill)
    both = [who for who in able if any(who in _last_duties(outlook, skill) for skill in before)]
    if both and not any(able[who] for who in both):
        message = f"{name}: of those who can do '{earlier}' too nobody is ever on duty ({_listed(both, 3)})"
        yield Finding("warning", f"{message}; the rule has no effect", where)


def _off_for_good(outlook: Outlook, name: str, step: Work, where: str) -> Iterator[Finding]:
    """Somebody for whom work may be kept is off days before the others are."""
    last, clock = _last_duties(outlook, step.skill), outlook.scenario.clock
    if step.same_as is None or step.same_as.kept >= 0:
        return
    early = [who for who, at in last.items() if 0 < at < max(last.values()) - 2 * DAY]
    if early:
        day = clock.date((max(last[who] for who in early) + clock.offset - 1) // DAY)
        told = f"after {day:%Y-%m-%d} {_listed(early, 3)} {'is' if len(early) == 1 else 'are'} not on duty again"
        yield Finding("warning", f"{name}: {told}; what is kept for them waits for ever, give a `wait`", where)


def _last_duties(outlook: Outlook, skill: str) -> dict[str, int]:
    """Who can do it → tick at which their last duty ends, 0: never on duty. The reserve can be called at any time."""
    plan, horizon, found = outlook.plan, outlook.scenario.clock.horizon, dict[str, int]()
    number = plan.skills.index(skill)
    for worker in np.flatnonzero((plan.pace[:, number] > 0) & (plan.person_of() == np.arange(len(plan.workers)))):
        called = len(plan.reserves.worker) and plan.reserves.worker[worker]
        ends = plan.duty_to[(plan.duty_worker == worker) & (plan.duty_from < horizon)]
        found[plan.workers[worker]] = horizon if called else int(min(horizon, ends.max(initial=0)))
    return found


def _nobody_takes_over(scenario: Scenario) -> Iterator[Finding]:
    for skill, ways in scenario.overflows().items():
        for pool in dict.fromkeys(one.to for one in ways if not scenario.is_staffed(one.to)):
            message = f"{pool}: nobody is ever on duty who could take over from {skill}"
            yield Finding("warning", message, f"pools.{pool}")


def _nobody_gives_up(scenario: Scenario) -> Iterator[Finding]:
    """Classes whose customers would try again, but never leave without having been served."""
    limited = any(team.waiting_places is not None for team in scenario.dispatch.teams.values())
    for name in scenario.classes_in_use():
        of = scenario.case_classes[name]
        if of.retry and of.patience is None and not limited:
            told = f"{name}: nobody gives up (no `patience`) or is turned away (no `waiting_places`); it has no effect"
            yield Finding("warning", told, f"case_classes.{name}.retry")


def _nobody_above(outlook: Outlook) -> Iterator[Finding]:
    """Queues to which items are escalated and which nobody ever serves."""
    scenario, dispatch, skills = outlook.scenario, outlook.scenario.dispatch, outlook.scenario.skills()
    reached = dict.fromkeys(queue for skill in outlook.load for queue in dispatch.chain(skill)[:-1])
    for skill in reached:
        above = dispatch.for_skill(skill).escalate
        if above and not any(map(scenario.is_staffed, skills[above.to])):
            own = skill in dispatch.teams and dispatch.teams[skill].escalate
            message = f"{above.to}: nobody is ever on duty who could take what is escalated from {skill}"
            yield Finding("warning", message, f"dispatch.{f'teams.{skill}.' if own else ''}escalate")


def _overload(outlook: Outlook) -> Iterator[Finding]:
    hopeless: set[str] = set()
    for team in map(outlook.team, [*([skill] for skill in outlook.load), *outlook.sharing()]):
        if team.capacity.sum() == 0 or (len(team.skills) > 1 and hopeless & set(team.skills)):
            continue
        if team.load.sum() > team.capacity.sum() * _MORE:
            hopeless |= set(team.skills)
            yield _too_much(outlook, team)
            continue
        yield from _too_much_on_some_days(outlook, team)
        if len(team.skills) == 1:
            yield from _too_much_in_some_hours(outlook, team)
            yield from _nobody_in_some_hours(outlook, team)


def _too_much(outlook: Outlook, team: Team) -> Finding:
    weeks = outlook.scenario.clock.horizon / WEEK
    per, unit = (weeks, " a week") if weeks >= 1 else (1.0, "")
    load, capacity = team.load.sum() / per, team.capacity.sum() / per
    escalations = [outlook.scenario.dispatch.for_skill(skill).escalate for skill in team.skills]
    gives_up, moves_on = outlook.impatient & set(team.skills), next(filter(None, escalations), None)
    then = "the queue grows without limit"
    if gives_up:
        then = "the queue grows until those who wait give up"
    elif moves_on:
        then = f"the queue grows until work moves on to {moves_on.to}, which is not counted here"
    what = f"{_hours(load)} of work{unit} for {_hours(capacity)} on duty ({_per_cent(load / capacity)})"
    return Finding("warning" if gives_up or moves_on else "error", f"{team.name}: {what}; {then}", team.where)


def _too_much_on_some_days(outlook: Outlook, team: Team) -> Iterator[Finding]:
    """Days of the week on average, then dates (surges) whose day of the week is not among them."""
    load, capacity = team.load.sum(axis=1), team.capacity.sum(axis=1)
    days: dict[str, tuple[float, float]] = {}
    for kind in DAY_TYPES:
        of = np.array([day == kind for day in outlook.day_types])
        if of.any() and load[of].mean() > capacity[of].mean() * _MORE and capacity[of].any():
            days[_DAY_NAMES[kind]] = (load[of].mean(), capacity[of].mean())
    usual = [_DAY_NAMES[kind] in days for kind in outlook.day_types]
    for day in np.flatnonzero((load > capacity * _MORE) & (capacity > 0) & ~np.array(usual)):
        days[f"{outlook.scenario.clock.date(int(day))}"] = (load[day], capacity[day])
    if days:
        told = [f"{day} ({_hours(work)} for {_hours(there)})" for day, (work, there) in days.items()]
        message = f"{team.name}: more work than time on duty on {_listed(told)}; the rest waits for another day"
        yield Finding("warning", message, team.where)


def _too_much_in_some_hours(outlook: Outlook, team: Team) -> Iterator[Finding]:
    load, capacity = _typical(outlook, team.load), _typical(outlook, team.capacity)
    over = (load > capacity * _MUCH_MORE) & (capacity > 0)
    if not over.any():
        return
    excess = np.where(over, load - capacity, -1)
    day, hour = np.unravel_index(np.argmax(excess), excess.shape)
    worst = f"{_number(load[day, hour])} people's worth of work per hour for {_number(capacity[day, hour])} on duty"
    peak = "" if over.sum() == 1 else f"the most {_DAY_NAMES[DAY_TYPES[day]]} {hour:02d}:00-{hour + 1:02d}:00: "
    yield Finding("warning", f"{team.name}: more work than can be done {_when(over)}; {peak}{worst}", team.where)


def _nobody_in_some_hours(outlook: Outlook, team: Team) -> Iterator[Finding]:
    load, capacity = _typical(outlook, team.load), _typical(outlook, team.capacity)
    share = team.load[team.capacity == 0].sum() / team.load.sum()
    if share >= 0.005:
        when = _when((capacity == 0) & (load > 0)) or "on some dates"
        message = f"{team.name}: nobody is on duty {when}, when {share:.0%} of the work comes up; it waits"
        yield Finding("warning", message, team.where)


def _promises(scenario: Scenario, inflows: Sequence[Inflow]) -> Iterator[Finding]:
    told = set()
    for inflow in inflows:
        for event, promise in scenario.case_classes[inflow.case_class].promises.items():
            where = f"case_classes.{inflow.case_class}.promises.{event}"
            if promise.since != "arrival" or promise.pauses_in:
                continue
            of = Happening.of(promise.ends_with(event))
            needed = _needed(scenario, inflow, of, promise)
            if where in told or needed <= promise.limit:
                continue
            told.add(where)
            what = {"answer": "an answer", "leaving": "to be done", "delivery": "to be done"}.get(of.event, promise.to)
            takes = f"that takes {_duration_text(needed)} on average even if nothing waits"
            if needed == math.inf:
                takes = "no step answers" if of.event == "answer" else "no case comes there"
            message = f"{inflow.case_class}: promised {what} within {written(promise.limit)}, but {takes}"
            yield Finding("warning", message, where)


def _needed(scenario: Scenario, inflow: Inflow, of: Happening, promise: Promise) -> float:
    """Mean time (ticks) to the event without any waiting (of a step until it begins); inf where it never comes.

    Where the promise runs on business hours, only the time at work is counted.
    """
    on_calendar = promise.clock == CALENDAR
    process = scenario.case_classes[inflow.case_class].process
    flow = scenario.flow(process)
    ends: Sequence[str] = sorted(flow.responders) if of.event == "answer" else EXITS
    if of.step is not None:
        ends = places(scenario.edited(process).steps, of.step, of.event)
    journey = travel(scenario, inflow, ends, on_calendar)
    passed = visits = 0.0
    for name in ends:
        waits = name in flow.steps and on_calendar and of.event != "enabled"
        hold = dispatch_delay(scenario, flow.steps[name]) if waits else 0.0
        visits += journey.visits[name]
        passed += journey.visits[name] * (journey.after[name] + hold)
    return passed / visits if visits > 0 else math.inf


# ---------------------------------------------------------------------- words


_DAY_NAMES = {day: {"holiday": "holidays", "closed": "closed dates"}.get(day, day.capitalize()) for day in DAY_TYPES}


def _typical(outlook: Outlook, by_day: Floats) -> Floats:
    """[day types, 24] the average day of each type; 0 for types that do not occur."""
    rows = [by_day[[day == kind for day in outlook.day_types]] for kind in DAY_TYPES]
    return np.array([days.mean(axis=0) if len(days) else np.zeros(24) for days in rows])


def _when(flags: Flags) -> str:
    """'Mon-Fri 10:00-12:00, 14:00-15:00; Sat 09:00-12:00' of [day types, 24]."""
    hours = [_ranges(row) for row in flags]
    runs: list[list[int]] = []  # days in a row with the same hours
    for day in range(len(DAY_TYPES)):
        if runs and day < 7 and hours[day] == hours[runs[-1][-1]]:
            runs[-1].append(day)
        else:
            runs.append([day])
    named = {_span(run): hours[run[0]] for run in runs if hours[run[0]]}
    return "; ".join(f"{days} {ranges}" for days, ranges in named.items())


def _span(days: Sequence[int]) -> str:
    first, last = (_DAY_NAMES[DAY_TYPES[day]] for day in (days[0], days[-1]))
    return first if first == last else f"{first}-{last}"


def _ranges(row: Flags) -> str:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(int))).reshape(-1, 2)
    return ", ".join(f"{begin:02d}:00-{end:02d}:00" for begin, end in edges.tolist())


def _listed(told: Sequence[str], most: int = 6) -> str:
    return ", ".join(told[:most]) + (f" and {len(told) - most} more" if len(told) > most else "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}".removesuffix(".0")


def _hours(value: float) -> str:
    return f"{_number(value)} h"


def _per_cent(share: float) -> str:
    return f"{share:.1%}" if 1 < share < 1.1 else f"{share:.0%}"


def _duration_text(duration: float) -> str:
    unit = MINUTE if duration >= 10 * MINUTE else SECOND
    return written(round(duration / unit) * unit)
