"""How long customers wait for an answer, and for the end: first response and cycle time."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from servsim.kpis.facts import case_cells, counted, ended
from servsim.kpis.groups import Floats, counts, ratio, totals
from servsim.kpis.kpi import Pairs, kpi, once
from servsim.quantities import MINUTE
from servsim.records import Run
from servsim.records.arrays import Ticks


class Spread(NamedTuple):
    """[groups] minutes; NaN for a group without a case."""

    mean: Floats
    median: Floats
    p90: Floats
    p95: Floats
    max: Floats


WORDS = {
    "mean": ("mean", "平均值"),
    "median": ("median", "中位数"),
    "p90": ("90th percentile", "90分位"),
    "p95": ("95th percentile", "95分位"),
    "max": ("longest", "最长"),
}


@once
def first_response(run: Run) -> Spread:
    """From arrival to the first start of a step that answers the customer, of counted cases that were answered."""
    cases = counted(run).cases
    at = run.responded_at[cases]
    return _spread(run, at - run.workload.arrived_at[cases], at >= 0)


@once
def cycle_time(run: Run) -> Spread:
    """From arrival to leaving, of counted cases that ended (completed or rejected) before the clock stopped."""
    cases = counted(run).cases
    return _spread(run, run.log.left_at[cases] - run.workload.arrived_at[cases], ended(run))


def _spread(run: Run, duration: Ticks, known: NDArray[np.bool_]) -> Spread:
    cells = case_cells(run)
    cell = cells.cell
    if not known.all():
        duration, cell = duration[known], cell[known]
    total, n = totals(cell, duration, cells.n), counts(cell, cells.n)
    mean = ratio(cells.groups.sums(total), cells.groups.sums(n))
    return Spread(*(np.vstack([mean, cells.groups.quantiles(duration, cell, (0.5, 0.9, 0.95, 1.0))]) / MINUTE))


def _register(family: str, spread: Callable[[Run], Spread], label_en: str, label_zh: str) -> None:
    for which, (en, zh) in WORDS.items():

        def figure(run: Run, which: str = which) -> Pairs:
            return case_cells(run).groups.pairs(getattr(spread(run), which))

        figure.__doc__ = f"{spread.__doc__} Here: {en}; NaN where there was no such case."
        kpi(f"{family}_{which}", "min", "lower", f"{label_en}, {en}", f"{label_zh}（{zh}）")(figure)


_register("first_response", first_response, "first response time", "首次响应时间")
_register("cycle_time", cycle_time, "cycle time", "全程时长")
