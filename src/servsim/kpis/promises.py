"""Whether promises were kept: answers, resolutions, all else that has a clock (docs/semantics.md, rule 18)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from servsim.kpis.facts import case_cells, counted
from servsim.kpis.groups import Floats, Integers, counts, ratio, totals
from servsim.kpis.kpi import KPIS, Kpi, Pairs, kpi, once
from servsim.quantities import MINUTE, SECOND
from servsim.records import Run, State
from servsim.records.arrays import NONE, Ticks
from servsim.records.course import limits

Flags = NDArray[np.bool_]
BY_EVENT = ("first_response", "resolution")
"""Promises whose figures have been there before any scenario gave them."""


# ------------------------------------------------------------------ what others ask


def missed(run: Run, promise: int) -> Flags:
    """[counted cases] the promise of this number was missed."""
    return run.courses[promise].missed[counted(run).cases]


# ------------------------------------------------------------------ kept and missed


class Verdict(NamedTuple):
    """[cells of cases] counted cases with the promise kept, and with it missed. The others are open or had none."""

    kept: NDArray[np.int64]
    missed: NDArray[np.int64]


def judged(run: Run, state: Integers) -> Verdict:
    """How many promises were kept and missed, by the State of each counted case."""
    cells, n = case_cells(run), len(State)
    count = counts(cells.cell * n + state.astype(np.int64), cells.n * n).reshape(cells.n, n)
    return Verdict(count[:, State.KEPT], count[:, State.MISSED])


@once
def verdicts(run: Run) -> list[Verdict]:
    """[promises]"""
    return [judged(run, course.state[counted(run).cases]) for course in run.courses]


def kept_share(run: Run, name: str) -> Floats:
    """[groups of cases] share of the promises of this id that were kept among those kept or missed."""
    cells = case_cells(run)
    kept, lost = np.zeros(cells.n), np.zeros(cells.n)
    for verdict, of in zip(verdicts(run), run.workload.promises, strict=True):
        if of == name:
            kept, lost = kept + verdict.kept, lost + verdict.missed
    return ratio(cells.groups.sums(kept), cells.groups.sums(kept + lost))


@kpi("promise_first_response", "share", "higher", "answered within the promise", "按时响应率")
def promise_first_response(run: Run) -> Pairs:
    """Share of counted cases first answered by the due time. A case that left unanswered (given up, or ended without an
    answer) counts as a miss, so does a case unanswered when the clock stops after its due time; one whose due time is
    still to come is left out. NaN where nothing was promised or is decided."""
    return case_cells(run).groups.pairs(kept_share(run, "first_response"))


@kpi("promise_resolution", "share", "higher", "resolved within the promise", "按时办结率")
def promise_resolution(run: Run) -> Pairs:
    """Share of counted cases that ended by the due time; a rejection resolves a case. A customer who gave up counts
    as a miss, so does a case unfinished when the clock stops after its due time; one whose due time is still
    to come is left out. NaN where nothing was promised or is decided."""
    return case_cells(run).groups.pairs(kept_share(run, "resolution"))


@kpi("late_first_response", "share", "lower", "answered late or not at all", "首次响应超时率")
def late_first_response(run: Run) -> Pairs:
    """1 − promise_first_response; NaN where that is."""
    return case_cells(run).groups.pairs(1 - kept_share(run, "first_response"))


@kpi("late_resolution", "share", "lower", "resolved late or not at all", "办结超时率")
def late_resolution(run: Run) -> Pairs:
    """1 − promise_resolution; NaN where that is."""
    return case_cells(run).groups.pairs(1 - kept_share(run, "resolution"))


@kpi("answered_within_60s", "share", "higher", "answered within 60 s", "60秒内响应率")
def answered_within_60s(run: Run) -> Pairs:
    """Share of counted cases answered within 60 s of their arrival, whatever was promised. Customers who gave up before
    are misses; cases that arrive less than 60 s before the clock stops and are unanswered are left out. NaN without
    cases."""
    work, cases = run.workload, counted(run).cases
    due = work.arrived_at[cases] + 60 * SECOND
    if len(work.answered_before):
        due = np.where(work.answered_before[cases] == 1, NONE, due)
    done, left = run.responded_at[cases], run.log.left_at[cases]
    over = (done >= 0) | (due < run.window.until) | (left >= 0)
    late = np.where(over, State.MISSED, State.OPEN)
    state = np.where(due == NONE, State.NOTHING, np.where((done >= 0) & (done <= due), State.KEPT, late))
    verdict = judged(run, state)
    sums = case_cells(run).groups.sums
    return case_cells(run).groups.pairs(ratio(sums(verdict.kept), sums(verdict.kept + verdict.missed)))


# ------------------------------------------------------------------ figures of every promise that has a clock


Figure = Callable[[Run, str], Pairs]


def of_run(run: Run) -> Iterator[str]:
    """The names of the figures of the run's promises: of those that are more than due times for answer and leaving."""
    if not len(run.workload.clocks.limit):
        return
    for name, limit in zip(run.workload.promises, run.workload.clocks.limit, strict=True):
        if name not in BY_EVENT or (limit >= 0).any():
            yield from figures_of(name)


def figures_of(promise: str) -> Iterator[str]:
    """The names of the figures of one promise, but for those that are always there."""
    if promise not in BY_EVENT:
        yield f"promise_{promise}"
    yield from (f"elapsed_{promise}_{which}" for which in WHICH)
    yield from (f"late_by_{promise}", f"missed_{promise}")


@KPIS.family("promise_")
def promise(name: str) -> Kpi:
    """Share of the counted cases with the promise kept among those with it kept or missed; NaN without any."""

    def figure(run: Run) -> Pairs:
        return case_cells(run).groups.pairs(kept_share(run, name))

    return Kpi(f"promise_{name}", "share", "higher", "promise “{about}” kept", "“{about}”按时率", figure, name)


WHICH = {"mean": ("mean", "平均用时"), "median": ("median", "用时中位数"), "p90": ("90th percentile", "用时90分位数"),
         "max": ("longest", "最长用时")}  # fmt: skip
SHARES = {"median": 0.5, "p90": 0.9, "max": 1.0}


@KPIS.family("elapsed_")
def elapsed(name: str) -> Kpi | None:
    """Time that the clock ran, of the counted cases in which what was promised has happened; NaN without any."""
    about, _, which = name.rpartition("_")
    if which not in WHICH or not about:
        return None

    def figure(run: Run) -> Pairs:
        cells = case_cells(run)
        time, known = _elapsed(run, about)
        if which == "mean":
            n, total = counts(cells.cell[known], cells.n), totals(cells.cell[known], time, cells.n)
            return cells.groups.pairs(ratio(cells.groups.sums(total), cells.groups.sums(n)) / MINUTE)
        return cells.groups.pairs(cells.groups.quantiles(time, cells.cell[known], (SHARES[which],))[0] / MINUTE)

    english, chinese = WHICH[which]
    labels = f"time on the clock of “{{about}}”, {english}", f"“{{about}}”{chinese}"
    return Kpi(f"elapsed_{name}", "min", "lower", *labels, figure, about)


def _elapsed(run: Run, name: str) -> tuple[Ticks, Flags]:
    """The times that the clock ran, and [counted cases] of which cases they are."""
    cases = counted(run).cases
    if name not in run.workload.promises:
        known = np.zeros(len(run.log.left_at[cases]), bool)
        return np.empty(0, np.int64), known
    of = run.courses[run.workload.promises.index(name)]
    known = of.ended_at[cases] >= 0
    return of.elapsed[cases][known], known


@KPIS.family("late_by_")
def late_by(name: str) -> Kpi:
    """By how much more than the limit the clock ran, mean over the counted cases in which what was promised happened
    too late; NaN without any."""

    def figure(run: Run) -> Pairs:
        cells, (time, known) = case_cells(run), _elapsed(run, name)
        if name in run.workload.promises:
            time = time - limits(run.workload, run.workload.promises.index(name))[counted(run).cases][known]
        cell, late = cells.cell[known][time > 0], time[time > 0]
        n, total = counts(cell, cells.n), totals(cell, late, cells.n)
        return cells.groups.pairs(ratio(cells.groups.sums(total), cells.groups.sums(n)) / MINUTE)

    labels = "lateness of “{about}”, mean of what was late", "“{about}”平均超时时长"
    return Kpi(f"late_by_{name}", "min", "lower", *labels, figure, name)


@KPIS.family("missed_")
def missed_cases(name: str) -> Kpi:
    """How many counted cases missed the promise. The figure is 0 without any."""

    def figure(run: Run) -> Pairs:
        cells, lost = case_cells(run), np.zeros(case_cells(run).n)
        for verdict, of in zip(verdicts(run), run.workload.promises, strict=True):
            lost = lost + verdict.missed * (of == name)
        return cells.groups.pairs(cells.groups.sums(lost))

    labels = "promise “{about}” missed, cases", "“{about}”超时件数"
    return Kpi(f"missed_{name}", "count", "lower", *labels, figure, name)
