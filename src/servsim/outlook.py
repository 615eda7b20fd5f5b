"""What is to be expected before anything is simulated? Arrivals, visits per case, load and people on duty by hour.

Expected values only, as if nothing ever waited: visits from the flow equations of the process, load from the expected
arrivals, capacity from the plan of who is on duty. Work is booked in the hour in which it would come up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from servsim.model import (
    EXITS,
    REJECTED,
    Approval,
    Board,
    CaseClass,
    Decision,
    Delay,
    Demand,
    Finite,
    Handoff,
    Hourly,
    Meeting,
    Parallel,
    Poisson,
    Pool,
    Renewal,
    Scenario,
    Step,
    Verdict,
    Work,
)
from servsim.prepare import plan
from servsim.prepare.arrivals import Given, Intensity, arrivals, intensity
from servsim.prepare.streams import Streams
from servsim.quantities import DAY, HOUR
from servsim.records import Plan

Floats = NDArray[np.float64]
Ticks = NDArray[np.int64]


# ---------------------------------------------------------------------- what comes in


@dataclass(frozen=True)
class Inflow:
    """The cases of one class from one source through one channel; `expected` by the ticks in `at`, from 0 on."""

    source: str
    case_class: str
    channel: str
    at: Ticks
    expected: Floats
    on_file: Mapping[str, float] = field(default_factory=dict)  # step → mean work (ticks) that a trace or a list gives

    def by(self, at: Ticks) -> Floats:
        """Cases expected before each instant."""
        return np.interp(at, self.at, self.expected)


def inflows(scenario: Scenario) -> list[Inflow]:
    """Everything that arrives."""
    found: list[Inflow] = []
    for source, demand in scenario.demand.items():
        if (rates := _rates(scenario, source, demand)) is None:
            found += _counted(scenario, source)
            continue
        channel, at, expected = scenario.channel(source), rates.edge, _reached(rates) * _batch_mean(demand)
        found += [
            Inflow(source, name, channel, at, expected * share) for name, share in demand.classes.items() if share
        ]
    return [again for inflow in found if inflow.expected[-1] > 0 for again in _reaching(scenario, inflow)]


def _reaching(scenario: Scenario, inflow: Inflow) -> Iterator[Inflow]:
    """What a bot leaves over, and the contacts that are repeated, as if they came at once."""
    kind = scenario.case_classes[inflow.case_class]
    left = inflow.expected * (1 - kind.bot.share if kind.bot else 1.0)
    if kind.repeat is None:
        yield replace(inflow, expected=left)
        return
    share, times = kind.repeat.share, kind.repeat.times
    again = sum(share**k for k in range(1, times + 1))
    if kind.repeat.case_class is None:
        yield replace(inflow, expected=left * (1 + again))
    else:
        yield replace(inflow, expected=left)
        yield replace(inflow, case_class=kind.repeat.case_class, expected=inflow.expected * share)


def _rates(scenario: Scenario, source: str, demand: Demand) -> Intensity | None:
    """Expected arrivals over time, factors and surges included; None for kinds that have no rate."""
    kind, clock = demand.arrivals, scenario.clock
    end = clock.until if clock.arrivals_in_run_out else clock.horizon
    busy = demand.busy_days.mean if demand.busy_days else 1.0
    without_dice = demand.model_copy(update={"busy_days": None, "factor": demand.factor * busy})
    given = Given(source, without_dice, clock, Streams(0, 0), end)
    if isinstance(kind, Hourly):
        rates, silent = kind.by_day(), np.zeros(24)
        return intensity(given, lambda day: rates.get(day, silent) / HOUR)
    if isinstance(kind, Finite):  # at most: as if everybody were always away
        return intensity(given, lambda day: np.full(1, kind.population / kind.away.mean))
    if isinstance(kind, Poisson | Renewal):
        rate = kind.rate if isinstance(kind, Poisson) else 1 / kind.gap.mean
        return intensity(given, lambda day: np.full(1, rate))
    return None


def _reached(over_time: Intensity) -> Floats:
    return np.concatenate([[0.0], np.cumsum(over_time.rate * np.diff(over_time.edge))])


def _batch_mean(demand: Demand) -> float:
    return demand.batch.mean if demand.batch else 1.0


def _counted(scenario: Scenario, source: str) -> Iterator[Inflow]:
    """A trace or a list counts as it stands in the file, appointments as they come in one replication."""
    came = arrivals(scenario, source, Streams(0, 0))
    own = np.full(len(came.at), scenario.channel(source), object)
    channels = came.channel if came.channel is not None else own
    for k, case_class in enumerate(scenario.case_classes):
        for channel in dict.fromkeys(channels[came.case_class == k].tolist()):
            ours = (came.case_class == k) & (channels == channel)
            first = {step: work[ours] for (step, visit), work in came.work.items() if visit == 0}
            on_file = {step: float(work.mean()) for step, work in first.items() if (work >= 0).all()}
            yield Inflow(source, case_class, channel, *_rising(came.at[ours]), on_file)


def _rising(at: Ticks) -> tuple[Ticks, Floats]:
    """(instants, arrivals by then), a count that rises within the tick of each arrival."""
    when, together = np.unique(at, return_counts=True)
    instants = np.concatenate([[0], np.stack([when, when + 1], axis=1).ravel()])
    return instants, np.repeat(np.concatenate([[0], np.cumsum(together)]), 2)[:-1].astype(np.float64)


# ---------------------------------------------------------------------- where it goes


@dataclass(frozen=True)
class Travel:
    """How often a case comes to each step (and way out), and how long after its arrival on average (ticks)."""

    visits: Mapping[str, float]
    after: Mapping[str, float]


def travel(scenario: Scenario, inflow: Inflow, until: Collection[str] = (), with_delays: bool = True) -> Travel:
    """Solves v = start + v·P for the visits, and m = (m + v·t)·P for the time passed.

    t is the mean time that a step takes without any waiting; `with_delays=False` counts time at work only. After a
    parallel it is the average of the branches. A case goes no further than the steps in `until`.
    """
    case_class = scenario.case_classes[inflow.case_class]
    flow = scenario.flow(case_class.process)
    names = [*flow.steps, *EXITS]
    place = {name: i for i, name in enumerate(names)}
    routes, takes = np.zeros((len(names), len(names))), np.zeros(len(names))
    branches = {step.join: len(step.branches) for step in flow.steps.values() if isinstance(step, Parallel)}
    for name, step in flow.steps.items():
        takes[place[name]] = _duration(scenario, step, inflow.on_file.get(name), with_delays)
        if name not in until:
            for target, p in ways(step, inflow, case_class).items():
                routes[place[name], place[target]] += p / branches.get(target, 1)
    start = np.zeros(len(names))
    start[place[flow.start]] = 1
    visits = np.linalg.solve(np.eye(len(names)) - routes.T, start)
    passed = np.linalg.solve(np.eye(len(names)) - routes.T, (visits * takes) @ routes)
    after = np.divide(passed, visits, out=np.zeros(len(names)), where=visits > 0)
    return Travel(dict(zip(names, visits.tolist(), strict=True)), dict(zip(names, after.tolist(), strict=True)))


def ways(step: Step, inflow: Inflow, case_class: CaseClass) -> dict[str, float]:
    """Probability of each way from a step; 1 for each branch of a parallel."""
    if isinstance(step, Parallel):
        return dict.fromkeys(step.branches, 1.0)
    if isinstance(step, Decision):
        return _decided(step, inflow, case_class)
    if isinstance(step, Approval) and step.is_signed_later:
        return dict(step.next)
    if isinstance(step, Verdict):
        judged = 1 - step.skip_share if isinstance(step, Approval) else 1.0
        return _onward(step.next, step.returned * judged, step.return_to, step.rounds, step.reject * judged)
    if isinstance(step, Handoff):
        return _onward(step.next, step.returned, step.back_to, step.rounds)
    return dict(getattr(step, "next", {}))


def _onward(
    following: Mapping[str, float], returned: float, back: str | None, rounds: int, reject: float = 0.0
) -> dict[str, float]:
    """With at most n rounds there are 1 + q + … + qⁿ visits; the share that is returned on average is 1 − 1/visits."""
    share = 1 - 1 / sum(returned**k for k in range(rounds + 1)) if back else 0.0
    routes = {target: p * (1 - share - reject) for target, p in following.items()}
    for target, p in ((back, share), (REJECTED, reject)):
        if target and p > 0:
            routes[target] = routes.get(target, 0.0) + p
    return routes


def _decided(step: Decision, inflow: Inflow, case_class: CaseClass) -> dict[str, float]:
    if step.by is None:
        return step.routes
    if step.by in ("case_class", "channel"):
        values = {inflow.case_class if step.by == "case_class" else inflow.channel: 1.0}
    else:
        attribute = case_class.attributes[step.by]
        if attribute.numbers is not None:
            bounds = sorted(step.below)
            below = [0.0, *attribute.numbers.cdf(np.array(bounds, np.float64)).tolist(), 1.0]
            targets = [*(step.below[bound] for bound in bounds), step.otherwise]
            return _added((t, q - p) for t, p, q in zip(targets, below[:-1], below[1:], strict=True) if t)
        values = attribute.choices or {}
    return _added((target, p) for value, p in values.items() if (target := step.step_of(value)))


def _added(routes: Iterable[tuple[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for target, p in routes:
        total[target] = total.get(target, 0.0) + p
    return total


def _duration(scenario: Scenario, step: Step, on_file: float | None, with_delays: bool) -> float:
    """Mean time (ticks) from enabled to completed if nothing waits."""
    if isinstance(step, Work):
        at_work = on_file if on_file is not None else step.mean_work()
        return at_work + (dispatch_delay(scenario, step) if with_delays else 0.0)
    if isinstance(step, Delay | Handoff | Meeting | Board) and with_delays:
        return (step.delay if isinstance(step, Handoff) else step.time).mean
    return 0.0


def dispatch_delay(scenario: Scenario, step: Step) -> float:
    delay = scenario.dispatch.for_skill(step.skill).delay if isinstance(step, Work) else None
    return delay.mean if delay is not None else 0.0


# ---------------------------------------------------------------------- load and capacity by hour


@dataclass(frozen=True)
class Team:
    """A skill, or several that share people: work that comes up and people on duty, hour by hour (person-hours)."""

    skills: tuple[str, ...]
    load: Floats  # [days, 24]
    capacity: Floats  # [days, 24] at the standard pace
    pools: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{', '.join(self.skills)} together" if len(self.skills) > 1 else self.skills[0]

    @property
    def where(self) -> str:
        return f"staffing.{self.pools[0]}" if self.pools else "staffing"


class Outlook:
    """What a scenario leads one to expect, on the grid of the calendar's hours from the start to the horizon."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.plan: Plan = plan(scenario)
        self.inflows = inflows(scenario)
        clock = scenario.clock
        n_days = -(-(clock.offset + clock.horizon) // DAY)
        self.edges: Ticks = np.clip(clock.midnight(0) + np.arange(24 * n_days + 1) * HOUR, 0, clock.horizon)
        self.day_types = [clock.day_type(clock.date(day)) for day in range(n_days)]

    @cached_property
    def load(self) -> dict[str, Floats]:
        """[days, 24] person-hours of work that come up, by skill."""
        total: dict[str, Floats] = {}
        for inflow in self.inflows:
            journey, steps = travel(self.scenario, inflow), self._steps(inflow)
            for name, step in steps.items():
                later = journey.after[name] + dispatch_delay(self.scenario, step)
                cases = np.diff(inflow.by(self.edges - int(later))) * journey.visits[name]
                each = inflow.on_file.get(name, step.mean_work()) / HOUR
                hours = cases * each * step.workers_of(inflow.case_class)
                total[step.skill] = total.get(step.skill, np.zeros(len(hours))) + hours
        return {skill: hours.reshape(-1, 24) for skill, hours in total.items() if hours.sum() > 0}

    @cached_property
    def impatient(self) -> frozenset[str]:
        """Skills that serve cases which may give up."""
        waits = [i for i in self.inflows if self.scenario.case_classes[i.case_class].patience is not None]
        return frozenset(step.skill for inflow in waits for step in self._steps(inflow).values())

    def _steps(self, inflow: Inflow) -> dict[str, Work]:
        flow = self.scenario.flow(self.scenario.case_classes[inflow.case_class].process)
        return {name: step for name, step in flow.steps.items() if isinstance(step, Work)}

    def team(self, skills: Sequence[str]) -> Team:
        at = [self.plan.skills.index(skill) for skill in skills]
        able = np.flatnonzero((self.plan.preference[:, at] >= 0).any(axis=1))
        pools = tuple(self.plan.pools[pool] for pool in able)
        load = np.sum([self.load[skill] for skill in skills], axis=0)
        fastest = self.plan.pace[:, at].max(axis=1, initial=0) / 100 * self.present[self.plan.worker_pool]
        capacity = on_duty(self.plan, fastest, self.edges)
        if self.plan.reserves.worker.any():  # may be there whenever they may be called
            reserve = np.bincount(self.plan.worker_pool, fastest * self.plan.reserves.worker, len(self.plan.pools))
            capacity = capacity + reserve @ self.called
        return Team(tuple(skills), load, capacity.reshape(-1, 24), pools)

    @cached_property
    def called(self) -> Floats:
        """[pools, hours] hours of each hour of the clock to which the reserve of a pool may be called."""
        of, begin, end = self.plan.reserves, self.edges[:-1], self.edges[1:]
        hours = np.tile((end - begin) / HOUR, (len(self.plan.pools), 1))
        for pool in np.unique(of.hours_pool):
            spans = zip(of.hours_from[of.hours_pool == pool], of.hours_to[of.hours_pool == pool], strict=True)
            hours[pool] = sum(np.maximum(np.minimum(end, b) - np.maximum(begin, a), 0) / HOUR for a, b in spans)
        return hours

    def most_together(self, skill: str) -> int:
        """The largest number of people who can do it on duty at a time, with all of the reserve."""
        plan = self.plan
        able = plan.pace[:, plan.skills.index(skill)] > 0
        ours = np.flatnonzero(able[plan.duty_worker])
        at = np.concatenate([plan.duty_from[ours], plan.duty_to[ours]])
        change = np.repeat([1, -1], len(ours))
        there = np.cumsum(change[np.lexsort((change, at))])
        return int(there.max(initial=0) + able[np.flatnonzero(plan.reserves.worker)].sum())

    @property
    def present(self) -> Floats:
        """[pools] expected share of the rostered time that is left by absence and shrinkage, for each place of those
        who have several items in hand."""
        pools = [self.scenario.pools[pool] for pool in self.plan.pools]
        lost = [pool.shrinkage.share if pool.shrinkage else 0.0 for pool in pools]
        return np.array(
            [(1 - pool.absence) * (1 - share) * _place(pool) for pool, share in zip(pools, lost, strict=True)],
            np.float64,
        )

    def sharing(self) -> Iterator[list[str]]:
        """Skills with work, put together as long as some pool has skills in both."""
        groups = [{skill} for skill in self.load]
        for able in (self.plan.preference >= 0).tolist():
            pool = {skill for skill, has in zip(self.plan.skills, able, strict=True) if has}
            touched = [group for group in groups if group & pool]
            groups = [g for g in groups if g not in touched] + ([set().union(*touched)] if touched else [])
        yield from (sorted(group) for group in groups if len(group) > 1)


def _place(pool: Pool) -> float:
    """Speed of one of the places of a worker when all are taken."""
    return pool.at_once.all_together / pool.at_once.cases if pool.at_once else 1.0


def on_duty(plan: Plan, weight: Floats, edges: Ticks) -> Floats:
    """Person-hours on duty between the edges, breaks taken off; each worker counts by `weight` [workers]."""
    ends = plan.break_at + plan.break_lasts
    at = np.concatenate([plan.duty_from, plan.break_at, plan.duty_to, ends])
    come, rest = weight[plan.duty_worker], weight[plan.break_worker]
    change = np.concatenate([come, -rest, -come, rest])
    if not len(at):
        return np.zeros(len(edges) - 1)
    order = np.argsort(at, kind="stable")
    at, people = at[order], np.cumsum(change[order])
    worked = np.concatenate([[0.0], np.cumsum(people[:-1] * np.diff(at))])
    return np.asarray(np.diff(np.interp(edges, at, worked)) / HOUR)
