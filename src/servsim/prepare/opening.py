"""Start from today: the open cases of the backlog as arrivals before the clock's start."""

from __future__ import annotations

import numpy as np

from servsim.model import Scenario
from servsim.model.backlog import BACKLOG, done, has_been_answered
from servsim.prepare.arrivals import Arrived, Opened


def open_cases(scenario: Scenario) -> dict[str, Arrived]:
    """The backlog as a source of its own, oldest first; entry i is row i. Nothing where there is none."""
    if scenario.backlog is None:
        return {}
    rows, classes = scenario.backlog.rows, list(scenario.case_classes)
    at = -np.array([row.age for row in rows], np.int64)
    keep = np.argsort(at, kind="stable")
    cases = [rows[i] for i in keep.tolist()]
    work_done = [done(case.done) for case in cases]
    flows = {name: scenario.flow(kind.process) for name, kind in scenario.case_classes.items()}
    opened = Opened(
        share=np.array([part.share for part in work_done]),
        time=np.array([part.time for part in work_done], np.int64),
        answered=np.array([has_been_answered(case, flows[case.case_class]) for case in cases], bool),
    )
    arrived = Arrived(
        at=at[keep],
        entry=keep,
        case_class=np.array([classes.index(case.case_class) for case in cases], np.int64),
        channel=np.array([case.channel or BACKLOG for case in cases], object),
        first_step=np.array([case.step for case in cases], object),
        opened=opened,
    )
    return {BACKLOG: arrived}
