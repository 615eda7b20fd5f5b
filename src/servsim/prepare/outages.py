"""When systems fail: outages that are dated, planned or drawn, laid out over the clock for every unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from servsim.model import Scenario
from servsim.model.disruptions import System
from servsim.model.distributions import Distribution
from servsim.prepare.streams import Streams
from servsim.records import Systems
from servsim.records.arrays import Ticks

Span = tuple[int, int]


def systems(scenario: Scenario, workers: Sequence[tuple[str, str]], streams: Streams | None) -> Systems:
    """The systems of a scenario for its workers (name, pool); without streams only what is dated or planned."""
    names = list(scenario.systems)
    units = [(s, w) for s, name in enumerate(names) for w in _owners(scenario, name, workers)]
    outages: list[tuple[int, int, int]] = []
    wear: list[tuple[int, int, int]] = []
    for unit, (s, owner) in enumerate(units):
        system = scenario.systems[names[s]]
        name = ("outage", names[s], workers[owner][0]) if owner >= 0 else ("outage", names[s])
        known = list(fixed(scenario, system))
        if system.clock == "always":
            known += drawn(system, name, streams, scenario.clock.until)
        else:
            most = scenario.clock.until * (max(1, len(workers)) if system.clock == "load" else 1)
            wear += [(unit, up, down) for up, down in _lives(system, name, streams, most)]
        outages += [(unit, begin, end) for begin, end in together(known)]
    return Systems(
        names=tuple(names),
        restart=np.array([system.effect == "restart" for system in scenario.systems.values()], np.int8),
        by_load=np.array([system.clock == "load" for system in scenario.systems.values()], np.int8),
        unit_system=np.array([s for s, _ in units], np.int32),
        unit_worker=np.array([w for _, w in units], np.int32),
        outage_unit=np.array([u for u, _, _ in outages], np.int32),
        outage_from=np.array([a for _, a, _ in outages], np.int64),
        outage_to=np.array([b for _, _, b in outages], np.int64),
        wear_unit=np.array([u for u, _, _ in wear], np.int32),
        wear_up=np.array([up for _, up, _ in wear], np.int64),
        wear_down=np.array([down for _, _, down in wear], np.int64),
        pool_needs=np.array([[name in pool.needs for name in names] for pool in scenario.pools.values()], np.int8),
    )


def _owners(scenario: Scenario, system: str, workers: Sequence[tuple[str, str]]) -> list[int]:
    """Whose units there are: -1 for the one that is everybody's."""
    if not scenario.systems[system].separate:
        return [-1]
    return [w for w, (_, pool) in enumerate(workers) if system in scenario.pools[pool].needs]


def fixed(scenario: Scenario, system: System) -> Iterator[Span]:
    """Dated and planned outages within the clock."""
    clock = scenario.clock
    spans = [interval.ticks(clock.start) for interval in system.dated.values()]
    if system.planned is not None:
        for day in range(-1, clock.n_days + 1):
            if clock.day_type(clock.date(day)) in system.planned.days:
                spans += [(clock.midnight(day) + a, clock.midnight(day) + b) for a, b in system.planned.hours]
    yield from ((max(0, begin), end) for begin, end in spans if end > 0 and begin < clock.until)


def drawn(system: System, name: tuple[str, ...], streams: Streams | None, until: int) -> list[Span]:
    """Up and down in turn from tick 0, where the time up always passes."""
    begin, end = 0, 0
    found: list[Span] = []
    for up, down in _lives(system, name, streams, until):
        begin = end + up
        end = begin + down
        if begin < until:
            found.append((begin, end))
    return found


def _lives(system: System, name: tuple[str, ...], streams: Streams | None, until: int) -> list[Span]:
    """(up, down) in turn until so much time has passed, up alone where it wears by work; each is at least a tick."""
    if system.up is None or system.down is None or streams is None:
        return []
    n = int(until / (system.up.mean + (system.down.mean if system.clock == "always" else 0))) + 32
    while True:
        up, down = _times(system.up, n, streams, *name, "up"), _times(system.down, n, streams, *name, "down")
        if up.sum() + (down.sum() if system.clock == "always" else 0) >= until:
            return list(zip(up.tolist(), down.tolist(), strict=True))
        n *= 2


def _times(of: Distribution, n: int, streams: Streams, *name: str) -> Ticks:
    return np.maximum(1, np.rint(of.quantile(streams.uniforms(n, *name)))).astype(np.int64)


def together(spans: list[Span]) -> list[Span]:
    """The spans in order, those that touch or overlap as one."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found
