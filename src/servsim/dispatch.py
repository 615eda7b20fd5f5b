"""Which waiting item is served next: dispatch rules, each a rank for every work item (lower first).

The place of an item in its queue is (rank + slope · offered tick, offered tick, item). The slope is 0 for rules that do
not look at the clock, 1 where waiting counts, -1 for last come. Ranks are known before the clock starts. (Which idle
worker gets the item is decided while it runs: engines/assignment.py.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from servsim.records import RankBy, Workload
from servsim.records.arrays import NONE, Ticks
from servsim.registry import Registry

NEVER = 2**62
"""Rank of what has no due time: after everything that has one."""


@dataclass(frozen=True)
class Urgency:
    """What a rule may look at besides the workload: by case class the priority (1 first), the head start, and the
    millionths of a point that are collected per minute of waiting; the wait that is worth one priority class."""

    priority: NDArray[np.int64]  # [classes]
    head_start: Ticks  # [classes]
    ageing: int
    points: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))  # [classes]


@dataclass(frozen=True)
class Rule:
    """A dispatch rule: ranks [items], the slope of the clock in them, and what else changes them in time."""

    rank: Callable[[Workload, Urgency], Ticks]
    slope: int
    by: RankBy = RankBy.NOTHING


INSTANTS = ("edd", "slack")
"""Rules whose ranks are instants: for cases that follow others they are counted from their arrival."""
RULES: Registry[Rule] = Registry("dispatch rule")


def rule(
    name: str, slope: int = 0, by: RankBy = RankBy.NOTHING
) -> Callable[[Callable[[Workload, Urgency], Ticks]], Rule]:
    """Decorator: registers a function of (workload, urgency) as a rule."""

    def enter(rank: Callable[[Workload, Urgency], Ticks]) -> Rule:
        return RULES.register(name)(Rule(rank, slope, by))

    return enter


FIRST = NEVER + 2**61
"""What is taken off the rank of rework that goes first: it comes before everything else, itself by its rank."""


def ranked(
    workload: Workload, rules: Sequence[str], urgencies: Sequence[Urgency], rework_first: Sequence[bool] = ()
) -> Workload:
    """The workload with its ranks: by the rule and the urgency of each skill, and by whether rework goes first."""
    if len(workload.followers.case):
        from_arrival = np.array([name in INSTANTS for name in rules], np.int8)
        workload = replace(workload, rank_from_arrival=from_arrival)
    rank = np.zeros(workload.n_items, np.int64)
    known: dict[tuple[str, int], Ticks] = {}
    for skill, (name, urgency) in enumerate(zip(rules, urgencies, strict=True)):
        if name in ("fcfs", "lcfs"):
            continue
        key = (name, urgency.ageing)
        if key not in known:
            known[key] = RULES[name].rank(workload, urgency)
        ours = workload.skill == skill
        rank[ours] = known[key][ours]
    if any(rework_first):
        rank -= FIRST * (np.isin(workload.skill, np.flatnonzero(rework_first)) & (workload.visit > 0))
    slope = np.array([RULES[name].slope for name in rules], np.int8)
    by = np.array([RULES[name].by for name in rules], np.int8)
    collects = (by == RankBy.POINTS).any()
    points = urgencies[0].points[workload.case_class] if collects else np.empty(0, np.int64)
    return replace(workload, rank=rank, rank_slope=slope, rank_by=by if by.any() else by[:0], points=points)


@rule("fcfs")
def fcfs(workload: Workload, urgency: Urgency) -> Ticks:
    """First come, first served."""
    return np.zeros(workload.n_items, np.int64)


@rule("lcfs", slope=-1)
def lcfs(workload: Workload, urgency: Urgency) -> Ticks:
    """Last come, first served."""
    return np.zeros(workload.n_items, np.int64)


@rule("priority")
def priority(workload: Workload, urgency: Urgency) -> Ticks:
    """Priority classes, 1 first; first come, first served within a class. Nobody is interrupted."""
    return priorities(workload, urgency)[workload.case]


@rule("edd")
def edd(workload: Workload, urgency: Urgency) -> Ticks:
    """Earliest due date: of the first response for steps that answer, of the resolution for all others."""
    return due(workload)


@rule("slack")
def slack(workload: Workload, urgency: Urgency) -> Ticks:
    """Least slack: due − work that the case still needs from people; the present tick is common to all."""
    at = due(workload)
    return np.where(at == NEVER, NEVER, at - still_to_do(workload))


def still_to_do(workload: Workload) -> Ticks:
    """[items] work for people from the item on, itself included; of ways that a verdict by silence leads to, on that
    way, and without them on all others."""
    work, case, world = np.where(workload.skill >= 0, workload.work, 0), workload.case, workload.silences.world
    if not len(world):
        ends = np.concatenate([[0], np.cumsum(work)])
        return np.asarray(ends[workload.first_item[1:]][case] - ends[:-1])
    order = np.lexsort((np.arange(len(case)), world, case))
    ends = np.concatenate([[0], np.cumsum(work[order])])
    is_last = np.append((np.diff(case[order]) != 0) | (np.diff(world[order]) != 0), True)
    last = np.flatnonzero(is_last)[np.cumsum(is_last) - is_last]
    still = np.empty(len(case), np.int64)
    still[order] = ends[last + 1] - ends[:-1]
    return still


@rule("sjf")
def sjf(workload: Workload, urgency: Urgency) -> Ticks:
    """Shortest job first, by the work of the item."""
    return workload.work


@rule("random", by=RankBy.LOT)
def random(workload: Workload, urgency: Urgency) -> Ticks:
    """Random order of service: a fresh order at every tick, from lots that were drawn beforehand; known only then."""
    return np.zeros(workload.n_items, np.int64)


@rule("head_start", slope=1)
def head_start(workload: Workload, urgency: Urgency) -> Ticks:
    """First come, first served, as if the class had come `head_start` earlier."""
    return -urgency.head_start[workload.case_class][workload.case]


@rule("ageing", slope=1)
def ageing(workload: Workload, urgency: Urgency) -> Ticks:
    """Priority classes, but having waited `ageing` longer is worth one class."""
    return priorities(workload, urgency)[workload.case] * urgency.ageing


def priorities(workload: Workload, urgency: Urgency) -> NDArray[np.int64]:
    """[cases] the priority written for the case, else that of its class."""
    of_class = urgency.priority[workload.case_class]
    return np.where(workload.priority > 0, workload.priority, of_class) if len(workload.priority) else of_class


@rule("accumulating", by=RankBy.POINTS)
def accumulating(workload: Workload, urgency: Urgency) -> Ticks:
    """The most points first: those of the class per minute × time since the item was offered; known only then."""
    return np.zeros(workload.n_items, np.int64)


@rule("least_remaining", by=RankBy.WORK_LEFT)
def least_remaining(workload: Workload, urgency: Urgency) -> Ticks:
    """Shortest remaining work first: less and less of an item that is interrupted now and then."""
    return workload.work


def due(workload: Workload) -> Ticks:
    """[items] due time of the promise that the item works towards; the other one where only that is promised; where
    neither is, the first due time of all others."""
    by_event = dict(zip(workload.promise_event, workload.due_at, strict=True))
    nothing = np.full(workload.n_cases, -1)
    first = by_event.get("first_response", nothing)[workload.case]
    last = by_event.get("resolution", nothing)[workload.case]
    answers = workload.steps.responds[workload.step] == 1
    wanted, other = np.where(answers, first, last), np.where(answers, last, first)
    at = np.where(wanted != NONE, wanted, other)
    others = [np.where(due == NONE, NEVER, due) for due in workload.due_at]
    least = np.min(others, axis=0, initial=NEVER) if others else np.full(workload.n_cases, NEVER)
    return np.where(at != NONE, at, least[workload.case])
