"""When cases arrive, of which class: one function per kind of arrivals, drawn from the source's own streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from servsim.model import Scenario
from servsim.model.calendar import Clock
from servsim.model.cases import tick_of
from servsim.model.demand import Appointments, Arrivals, Demand, Finite, Hourly, Listed, Poisson, Renewal, Trace
from servsim.model.errors import InputError
from servsim.model.files import read_columns
from servsim.prepare.streams import Streams
from servsim.quantities import DAY, HOUR
from servsim.records import Outcome, Relation
from servsim.records.arrays import Ticks
from servsim.records.workload import NEVER
from servsim.registry import Registry, suggestion

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arrived:
    """The cases of one source in order of arrival. `entry` is where a case stands in the source's streams."""

    at: Ticks
    entry: NDArray[np.int64]
    case_class: NDArray[np.int64]  # index into the scenario's classes
    words: NDArray[np.object_] | None = None  # its name, where a file says
    channel: NDArray[np.object_] | None = None  # where a file says
    patience: Ticks | None = None
    work: dict[tuple[str, int], Ticks] = field(default_factory=dict)  # by step and visit; -1: is drawn
    ways: dict[tuple[str, int], NDArray[np.str_]] = field(default_factory=dict)  # the next step; "": is drawn
    source: str = ""  # of demand, where the cases follow others of that source
    follows: Follows | None = None
    opened: Opened | None = None
    first_step: NDArray[np.object_] | None = None  # "": the start of the process
    priority: NDArray[np.int64] | None = None  # -1: that of the class
    limits: dict[str, Ticks] = field(default_factory=dict)  # by promise, from arrival; -1: as promised to the class


@dataclass(frozen=True)
class Opened:
    """What open cases have behind them when the clock starts."""

    share: Floats  # of the work at the step reached
    time: Ticks  # the same as a time
    answered: NDArray[np.bool_]

    def left(self, work: Ticks, cases: NDArray[np.int64]) -> Ticks:
        """What is left of the work at the step that the cases have reached."""
        rest = np.rint(work * (1 - self.share[cases])).astype(np.int64) - self.time[cases]
        return np.asarray(np.maximum(0, rest))


@dataclass(frozen=True)
class Follows:
    """The cases that a group follows: those of the group `leader`, by place; -1: comes by itself."""

    leader: str
    place: NDArray[np.int64]
    on: int  # as in records.Followers
    lag: Ticks
    relation: Relation


@dataclass(frozen=True)
class Given:
    """What a kind of arrivals is given to work with."""

    source: str
    demand: Demand
    clock: Clock
    streams: Streams
    end: int  # no arrivals from here on


Kind = Callable[[Given], Arrived]
KINDS: Registry[Kind] = Registry("kind of arrivals")


def arrivals(scenario: Scenario, source: str, streams: Streams) -> Arrived:
    """The cases of one source of demand, before the clock stops (or the horizon, where arrivals stop there)."""
    clock, demand = scenario.clock, scenario.demand[source]
    end = clock.until if clock.arrivals_in_run_out else clock.horizon
    classes = list(scenario.case_classes)
    came = KINDS[demand.arrivals.kind](Given(source, demand, clock, streams, end))
    if demand.classes:
        shares = np.array([demand.classes.get(name, 0.0) for name in classes])
        drawn = came.entry if len(demand.classes) > 1 else came.entry[:0]
        u = streams.at(drawn, source, "class") if len(drawn) else np.zeros(len(came.at))
        case_class = np.searchsorted(np.cumsum(shares)[:-1], u, side="right")
        if len(demand.classes) == 1:
            case_class[:] = classes.index(next(iter(demand.classes)))
    else:
        case_class = _classes_in_file(demand.arrivals, came.words, classes)
    return replace(came, case_class=case_class)


# ------------------------------------------------------------------ rates over time


@dataclass(frozen=True)
class Intensity:
    """A piecewise constant rate: `rate[i]` per tick from edge[i] to edge[i+1]."""

    edge: Ticks
    rate: Floats

    def inverse(self, points: Floats) -> Ticks:
        """The ticks at which the cumulative rate reaches the points: exact at the edges, later points are dropped."""
        reached = np.concatenate([[0.0], np.cumsum(self.rate * np.diff(self.edge))])
        points = points[points < reached[-1]]
        i = np.searchsorted(reached, points, side="right") - 1
        at = self.edge[i] + (points - reached[i]) / self.rate[i]
        return np.asarray(np.minimum(at.astype(np.int64), self.edge[i + 1] - 1))

    @property
    def total(self) -> float:
        return float(np.sum(self.rate * np.diff(self.edge)))


def intensity(given: Given, per_day: Callable[[str], Floats]) -> Intensity:
    """`per_day(day type)` gives rates per tick in equal slots; factors, surges and busy days multiply them."""
    clock, demand = given.clock, given.demand
    edges, rates = [], []
    busy = _busy_factors(given, clock.n_days)
    for day in range(clock.n_days):
        date, start = clock.date(day), clock.midnight(day)
        slots = per_day(clock.day_type(date))
        edges.append(start + np.arange(len(slots)) * (DAY // len(slots)))
        rates.append(slots * demand.factor_on(date) * busy[day])
    edge, rate = np.concatenate([*edges, [clock.midnight(clock.n_days)]]), np.concatenate(rates)
    edge = np.clip(edge, 0, given.end)
    long_enough = np.diff(edge) > 0
    return Intensity(np.append(edge[:-1][long_enough], edge[-1]), rate[long_enough])


def _busy_factors(given: Given, n_days: int) -> Floats:
    """The factor of each date."""
    if given.demand.busy_days is None:
        return np.ones(n_days)
    return given.demand.busy_days.quantile(given.streams.uniforms(n_days, given.source, "busy day"))


def _walk(given: Given, gaps: Callable[[Floats], Floats], total: float, mean: float) -> Floats:
    """Cumulative gaps, enough of them to pass `total`; `mean` is that of a gap."""
    n = int(total / mean + 8 * np.sqrt(total / mean) + 32)
    while True:
        reached = np.cumsum(gaps(given.streams.uniforms(n, given.source, "arrival")))
        if reached[-1] >= total:
            return reached
        n *= 2


def _came(given: Given, at: Ticks) -> Arrived:
    """The arrivals, each a batch where the demand says so."""
    if given.demand.batch is not None:
        sizes, shares = (np.array(list(part)) for part in zip(*sorted(given.demand.batch.sizes.items()), strict=True))
        u = given.streams.uniforms(len(at), given.source, "batch")
        at = np.repeat(at, sizes[np.searchsorted(np.cumsum(shares)[:-1], u, side="right")])
    return Arrived(at, np.arange(len(at)), np.empty(0, np.int64))


# ------------------------------------------------------------------ the kinds


@KINDS.register("hourly")
def hourly(given: Given) -> Arrived:
    """Poisson with a rate by slot of the day: a unit-rate process through the inverse of the cumulative rate."""
    kind = given.demand.arrivals
    assert isinstance(kind, Hourly)
    rates = kind.by_day()
    silent = np.zeros(24)
    return _poisson(given, lambda day: rates.get(day, silent) / HOUR)


@KINDS.register("poisson")
def poisson(given: Given) -> Arrived:
    """Poisson at a constant rate, on closed days too."""
    kind = given.demand.arrivals
    assert isinstance(kind, Poisson)
    return _poisson(given, lambda _: np.full(1, kind.rate))


def _poisson(given: Given, per_day: Callable[[str], Floats]) -> Arrived:
    over_time = intensity(given, per_day)
    points = _walk(given, lambda u: -np.log1p(-u), over_time.total, 1.0)
    return _came(given, over_time.inverse(points))


@KINDS.register("renewal")
def renewal(given: Given) -> Arrived:
    """Independent gaps; a factor of 2 makes the process's own time run twice as fast."""
    kind = given.demand.arrivals
    assert isinstance(kind, Renewal)
    own_time = intensity(given, lambda _: np.ones(1))
    points = _walk(given, kind.gap.quantile, own_time.total, kind.gap.mean)
    return _came(given, own_time.inverse(points))


@KINDS.register("appointments")
def appointments(given: Given) -> Arrived:
    """Appointed times, early or late by a normal deviation; who does not come is not a case."""
    kind, clock = given.demand.arrivals, given.clock
    assert isinstance(kind, Appointments)
    days = [day for day in range(clock.n_days) if clock.day_type(clock.date(day)) in kind.days]
    slots = np.repeat(np.array(kind.slots(), np.int64), kind.per_slot)
    at = (np.array([clock.midnight(day) for day in days], np.int64)[:, None] + slots).ravel()
    entry = np.arange(len(at))
    if kind.early_or_late:
        from scipy.special import ndtri

        u = np.clip(given.streams.uniforms(len(at), given.source, "early or late"), 2.0**-54, None)
        at = at + np.rint(kind.early_or_late.sd * ndtri(u)).astype(np.int64)
    comes = given.streams.uniforms(len(at), given.source, "no show") >= kind.no_show
    keep = np.flatnonzero(comes & (at >= 0) & (at < given.end))
    keep = keep[np.argsort(at[keep], kind="stable")]
    return Arrived(at[keep], entry[keep], np.empty(0, np.int64))


@KINDS.register("trace")
def trace(given: Given) -> Arrived:
    """Arrivals as in the file. Rows outside the clock are left out; entry i is row i of the file."""
    kind, clock = given.demand.arrivals, given.clock
    assert isinstance(kind, Trace)
    columns = read_columns(kind.path, kind.columns.flat())
    instants = columns["arrived_at"].instants()
    first = np.datetime64(kind.first_date or clock.start.date(), "us")
    at = (instants - first).astype(np.int64) - clock.offset
    order = np.argsort(at, kind="stable")
    keep = order[(at[order] >= 0) & (at[order] < given.end)]
    if not len(keep):
        raise InputError(
            f"{kind.path}: no row arrives within the clock; the file goes from {instants.min()} to {instants.max()}; "
            "set `from` to the date in the file that is to be the clock's first"
        )
    service = {
        (k.removeprefix("service."), 0): v.durations(kind.unit)[keep] for k, v in columns.items() if "service." in k
    }
    return Arrived(
        at=at[keep],
        entry=keep,
        case_class=np.empty(0, np.int64),
        words=columns["case_class"].words()[keep] if "case_class" in columns else None,
        channel=columns["channel"].words()[keep] if "channel" in columns else None,
        patience=columns["patience"].durations(kind.unit)[keep] if "patience" in columns else None,
        work=service,
    )


@KINDS.register("listed")
def listed(given: Given) -> Arrived:
    """Cases as they are written out. Those after the end are left out; entry i is case i of the list."""
    kind = given.demand.arrivals
    assert isinstance(kind, Listed)
    all_at = np.array([tick_of(case.at, given.clock) for case in kind.cases.values()], np.int64)
    keep = np.argsort(all_at, kind="stable")
    keep = keep[all_at[keep] < given.end]
    cases = [list(kind.cases.values())[i] for i in keep.tolist()]
    own, events = given.demand.channel or given.source, {event for case in cases for event in case.due}
    return Arrived(
        at=all_at[keep],
        entry=keep,
        case_class=np.empty(0, np.int64),
        words=np.array([case.case_class or "" for case in cases], object),
        channel=np.array([case.channel or own for case in cases], object) if any(c.channel for c in cases) else None,
        patience=_given([case.patience for case in cases]),
        work=_scripts([case.work for case in cases], -1, np.int64),
        ways={at: way.astype(np.str_) for at, way in _scripts([case.next for case in cases], "", object).items()},
        first_step=np.array([case.first_step or "" for case in cases], object),
        priority=_given([case.priority for case in cases]),
        limits={event: _given([case.due.get(event) for case in cases]) for event in sorted(events)},
    )


@KINDS.register("finite")
def finite(given: Given) -> Arrived:
    """Each member once after a first time away, then again after each leaving; enough often for the whole clock. Entry
    k × population + m is the k-th time of member m."""
    kind = given.demand.arrivals
    assert isinstance(kind, Finite)
    n, away = kind.population, np.empty((0, kind.population))
    rounds = int(given.end / kind.away.mean) + 2
    while not len(away) or (away.sum(axis=0).min() < given.end and len(away) != kind.times):
        rounds = min(rounds, kind.times or rounds)
        u = given.streams.uniforms(rounds * n, given.source, "arrival")
        away = np.rint(kind.away.quantile(u)).reshape(rounds, n)
        rounds *= 2
    useful = np.cumsum(away, axis=0) < given.end  # nobody can come later than by being served at once
    lag, entry = away[useful].astype(np.int64), np.flatnonzero(useful.ravel())
    first = entry < n
    at = np.where(first, lag, NEVER)
    order = np.argsort(at, kind="stable")
    place = np.full(rounds * n, -1)
    place[entry[order]] = np.arange(len(entry))
    before = np.where(first, -1, place[entry - n])[order]
    left = sum(1 << outcome for outcome in Outcome if outcome != Outcome.IN_PROCESS)
    follows = Follows(given.source, before, left, lag[order], Relation.RETURN)
    return Arrived(at[order], entry[order], np.empty(0, np.int64), follows=follows)


def _given(values: Sequence[int | None]) -> NDArray[np.int64]:
    return np.array([-1 if value is None else value for value in values], np.int64)


def _scripts(
    scripts: Sequence[Mapping[str, Sequence[Any]]], nothing: object, dtype: type
) -> dict[tuple[str, int], NDArray[Any]]:
    """By step and visit, what is written for each case."""
    found: dict[tuple[str, int], NDArray[Any]] = {}
    for case, script in enumerate(scripts):
        for step, visits in script.items():
            for visit, value in enumerate(visits):
                column = found.setdefault((step, visit), np.full(len(scripts), nothing, dtype))
                column[case] = value
    return found


def _classes_in_file(kind: Arrivals, words: NDArray[np.object_] | None, classes: list[str]) -> NDArray[np.int64]:
    known = {name: i for i, name in enumerate(classes)}
    assert words is not None
    for word in dict.fromkeys(words.tolist()):
        if word not in known:
            where = kind.path if isinstance(kind, Trace) else kind.kind
            raise InputError(f"{where}: there is no case class '{word}'{suggestion(str(word), classes)}")
    return np.array([known[word] for word in words.tolist()], np.int64)
