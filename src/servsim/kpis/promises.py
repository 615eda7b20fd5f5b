"""Whether cases were answered and resolved in time: promises kept and missed, and what the misses cost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from servsim.kpis.facts import case_cells, counted, ended
from servsim.kpis.groups import Floats, counts, ratio
from servsim.kpis.kpi import Pairs, kpi, once
from servsim.quantities import SECOND
from servsim.records import Run
from servsim.records.arrays import NONE, Ticks


class Verdict(NamedTuple):
    """[cells of cases] counted cases with the promise kept, and with it missed. The others are open or had none."""

    kept: NDArray[np.int64]
    missed: NDArray[np.int64]


OPEN, KEPT, MISSED = 0, 1, 2


def states(run: Run, event: str, due: Ticks) -> NDArray[np.int64]:
    """[counted cases] what became of a promise with these due times ([counted cases], -1: nothing promised).

    KEPT: answered (resolved: completed or rejected) at the due time or before. MISSED: later; or not yet when the clock
    stops and the due time has passed; or the case left before without. OPEN: a case still open whose due time has not
    passed when the clock stops; or nothing was promised.
    """
    cases = counted(run).cases
    left = run.log.left_at[cases]
    done = run.responded_at[cases] if event == "first_response" else np.where(ended(run), left, -1)
    over = (done >= 0) | (due < run.window.until) | (left >= 0)
    return np.where(due == NONE, OPEN, np.where((done >= 0) & (done <= due), KEPT, np.where(over, MISSED, OPEN)))


def judged(run: Run, event: str, due: Ticks) -> Verdict:
    """How many promises were kept and missed."""
    cells, state = case_cells(run), states(run, event, due)
    count = counts(cells.cell * 3 + state, cells.n * 3).reshape(cells.n, 3)
    return Verdict(count[:, KEPT], count[:, MISSED])


@once
def verdicts(run: Run) -> list[Verdict]:
    """[promises]"""
    work, cases = run.workload, counted(run).cases
    return [judged(run, event, work.due_at[p, cases]) for p, event in enumerate(work.promise_event)]


def kept_share(run: Run, event: str) -> Floats:
    """[groups of cases] share of the promises of this event that were kept among those kept or missed."""
    cells = case_cells(run)
    kept, missed = np.zeros(cells.n), np.zeros(cells.n)
    for verdict, of in zip(verdicts(run), run.workload.promise_event, strict=True):
        if of == event:
            kept, missed = kept + verdict.kept, missed + verdict.missed
    return ratio(cells.groups.sums(kept), cells.groups.sums(kept + missed))


@kpi("promise_first_response", "share", "higher", "answered within the promise", "按承诺时限首次响应的比例")
def promise_first_response(run: Run) -> Pairs:
    """Share of counted cases first answered by the due time. A case that left unanswered (given up, or ended without an
    answer) counts as a miss, so does a case unanswered when the clock stops after its due time; one whose due time is
    still to come is left out. NaN where nothing was promised or is decided."""
    return case_cells(run).groups.pairs(kept_share(run, "first_response"))


@kpi("promise_resolution", "share", "higher", "resolved within the promise", "按承诺时限办结的比例")
def promise_resolution(run: Run) -> Pairs:
    """Share of counted cases that ended by the due time; a rejection resolves a case. A customer who gave up counts
    as a miss, so does a case unfinished when the clock stops after its due time; one whose due time is still
    to come is left out. NaN where nothing was promised or is decided."""
    return case_cells(run).groups.pairs(kept_share(run, "resolution"))


@kpi("late_first_response", "share", "lower", "answered late or not at all", "首次响应超时的比例")
def late_first_response(run: Run) -> Pairs:
    """1 − promise_first_response; NaN where that is."""
    return case_cells(run).groups.pairs(1 - kept_share(run, "first_response"))


@kpi("late_resolution", "share", "lower", "resolved late or not at all", "办结超时的比例")
def late_resolution(run: Run) -> Pairs:
    """1 − promise_resolution; NaN where that is."""
    return case_cells(run).groups.pairs(1 - kept_share(run, "resolution"))


@kpi("answered_within_60s", "share", "higher", "answered within 60 s", "60秒内响应的比例")
def answered_within_60s(run: Run) -> Pairs:
    """Share of counted cases answered within 60 s of their arrival, whatever was promised. Customers who gave up before
    are misses; cases that arrive less than 60 s before the clock stops and are unanswered are left out. NaN without
    cases."""
    work, cases = run.workload, counted(run).cases
    due = work.arrived_at[cases] + 60 * SECOND
    if len(work.answered_before):
        due = np.where(work.answered_before[cases] == 1, NONE, due)
    verdict = judged(run, "first_response", due)
    sums = case_cells(run).groups.sums
    return case_cells(run).groups.pairs(ratio(sums(verdict.kept), sums(verdict.kept + verdict.missed)))
