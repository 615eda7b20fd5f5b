"""How much is there at a time: cases in process and work items waiting."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from servsim.kpis.facts import skill_department
from servsim.kpis.groups import Floats, Groups, everything, ratio, way
from servsim.kpis.kpi import Pairs, kpi, once
from servsim.kpis.spans import by_hour, by_weekday, longest, queue_spans, window_by_hour
from servsim.kpis.staff import hour_groups
from servsim.records import Run


@once
def skill_groups(run: Run) -> Groups:
    """Groups of skills, which is of queues; cell = skill."""
    plan, each = run.plan, np.arange(len(run.plan.skills))
    department = way("department", plan.departments, skill_department(run))
    return Groups((everything(len(each)), way("skill", plan.skills, each), department))


class Queues(NamedTuple):
    waiting: Floats  # [skills, 7, 24] item-ticks of waiting within the window, by weekday and hour of the day
    longest: Floats  # [groups of skills] items


@once
def queues(run: Run) -> Queues:
    spans, n = queue_spans(run), len(run.plan.skills)
    peaks = [longest(run, spans, way.of_cell[spans.skill], len(way.labels)) for way in skill_groups(run).ways]
    return Queues(by_weekday(run, spans.begin, spans.end, spans.skill, n), np.concatenate(peaks))


@once
def in_process(run: Run) -> Floats:
    """[classes, 24] case-ticks in the system within the window, by hour of the day."""
    work, left = run.workload, run.log.left_at
    until = np.where(left >= 0, left, run.window.until)
    return by_hour(run, work.arrived_at, until, work.case_class, len(work.classes))


def _mean(run: Run, groups: Groups, present: Floats) -> Pairs:
    """Time averages of what was present ([cells, 24] ticks): in each group, and in all by hour of the day."""
    window = window_by_hour(run)
    over_window = groups.sums(present.sum(axis=1)) / max(window.sum(), 1)
    return groups.pairs(over_window) + hour_groups(run).pairs(ratio(present.sum(axis=0), window))


@kpi("work_in_process_mean", "count", "lower", "cases in process", "在办事项数")
def work_in_process_mean(run: Run) -> Pairs:
    """Time average, over the window, of the cases in the system, also of those that arrived before it. Groups
    "hour=09": average over that hour of the clock. 0 without cases."""
    classes = run.workload.classes
    groups = Groups((everything(len(classes)), way("class", classes, np.arange(len(classes)))))
    return _mean(run, groups, in_process(run))


@kpi("queue_length_mean", "count", "lower", "work items waiting", "排队工作项数（平均）")
def queue_length_mean(run: Run) -> Pairs:
    """Time average, over the window, of the items enabled but not yet started, dispatch delay included, also those of
    cases that are not counted. Interrupted items do not count again. Groups "hour=09": average over
    that hour of the clock. 0 without items."""
    return _mean(run, skill_groups(run), queues(run).waiting.sum(axis=1))


@kpi("queue_length_max", "count", "lower", "work items waiting, most at a time", "排队工作项数（最多）")
def queue_length_max(run: Run) -> Pairs:
    """Largest number of such items at a time within the window. 0 without items."""
    return skill_groups(run).pairs(queues(run).longest)
