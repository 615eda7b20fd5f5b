"""How reliable systems are: the share of time that they are up, and how often they fail."""

from __future__ import annotations

import numpy as np

from servsim.kpis.groups import counts, totals, way
from servsim.kpis.kpi import Pairs, kpi
from servsim.records import Run


@kpi("availability", "share", "higher", "availability of systems", "系统可用率")
def availability(run: Run) -> Pairs:
    """Time up ÷ time within the window, on average over the units of a system and over all units. NaN without any."""
    window, log, of = run.window, run.log, run.plan.systems
    begin, end = (np.clip(at, window.begin, window.end) for at in (log.down_from, log.down_to))
    down = totals(log.down_unit, end - begin, len(of.unit_system)) / (window.end - window.begin)
    labels = way("system", of.names, np.zeros(0, np.int32)).labels
    yield "all", float(1 - down.mean()) if len(down) else float("nan")
    for number, label in enumerate(labels):
        own = down[of.unit_system == number]
        yield label, float(1 - own.mean()) if len(own) else float("nan")


@kpi("outages", "count", "lower", "outages of systems", "系统中断次数")
def outages(run: Run) -> Pairs:
    """Outages that begin within the window, of all units. 0 without systems."""
    log, of = run.log, run.plan.systems
    inside = (log.down_from >= run.window.begin) & (log.down_from < run.window.end)
    number = counts(of.unit_system[log.down_unit[inside]], len(of.names)) if len(of.names) else np.zeros(0, np.int64)
    yield "all", float(inside.sum())
    for label, n in zip(way("system", of.names, np.zeros(0, np.int32)).labels, number.tolist(), strict=True):
        yield label, float(n)
