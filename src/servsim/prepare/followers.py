"""Which cases follow others: drawn beforehand, dormant until the case that they follow wakes them.

The streams of the followers of `source` are named `source/retry`, `source/repeat`, `source/duplicate`, those of their
own followers `source/retry/repeat` and so on; entry = that of the case that is followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from servsim.model import Scenario
from servsim.model.promises import CaseClass, Duplicate, Repeat, Retry
from servsim.prepare.arrivals import Arrived, Follows
from servsim.prepare.promises import due_of_woken
from servsim.prepare.streams import Streams
from servsim.records import EventLog, Followers, Outcome, Relation, Workload
from servsim.records.arrays import Ticks
from servsim.records.workload import NEVER

Numbers = NDArray[np.int64]
Counts = Mapping[str, int]
"""How often each kind has happened along the chain so far."""

KINDS = {
    "retry": (Relation.RETRY, 1 << Outcome.ABANDONED | 1 << Outcome.TURNED_AWAY),
    "repeat": (Relation.REPEAT, 1 << Outcome.COMPLETED),
    "duplicate": (Relation.DUPLICATE, 1 << Outcome.IN_PROCESS),
}


def groups_after(scenario: Scenario, streams: Streams, name: str, cases: Arrived) -> Iterator[tuple[str, Arrived]]:
    """The groups of cases that may follow those of a source, and those that may follow them, with the names of their
    streams."""
    if cases.follows is not None or not any(_rules(kind) for kind in scenario.case_classes.values()):
        return
    ahead: list[tuple[str, Arrived, Counts]] = [(name, cases, {})]
    while ahead:
        leader, group, counts = ahead.pop(0)
        for kind in KINDS:
            came = _group(scenario, streams, leader, group, kind, counts)
            if came is None:
                continue
            yield f"{leader}/{kind}", came
            if kind != "duplicate":
                ahead.append((f"{leader}/{kind}", came, {**counts, kind: counts.get(kind, 0) + 1}))


def _rules(kind: CaseClass) -> list[Retry | Repeat | Duplicate]:
    return [rule for rule in (kind.retry, kind.repeat, kind.duplicate) if rule is not None]


def _group(
    scenario: Scenario, streams: Streams, leader: str, group: Arrived, kind: str, counts: Counts
) -> Arrived | None:
    """Those of a group that are followed in this way; None where nobody is."""
    parts = list(_followed(scenario, streams, leader, group, kind, counts))
    if not sum(len(place) for place, *_ in parts):
        return None
    place, lag, case_class, channel = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(place, kind="stable")
    relation, on = KINDS[kind]
    return replace(
        _copied(group, place[order], scripted=kind == "retry"),
        case_class=case_class[order],
        channel=channel[order],
        source=group.source or leader,
        follows=Follows(leader, place[order], on, lag[order], relation),
    )


def _followed(
    scenario: Scenario, streams: Streams, leader: str, group: Arrived, kind: str, counts: Counts
) -> Iterator[tuple[Numbers, Ticks, Numbers, NDArray[np.object_]]]:
    """By class: who is followed (places in the group), how much later, as which class, through which channel."""
    name, classes = f"{leader}/{kind}", list(scenario.case_classes)
    own_channel = np.full(len(group.at), scenario.channel(group.source or leader), object)
    channels = own_channel if group.channel is None else group.channel
    for number, own in enumerate(scenario.case_classes.values()):
        rule = getattr(own, kind)
        if rule is None or counts.get(kind, 0) >= rule.times:
            continue
        ours = np.flatnonzero(group.case_class == number)
        ours = ours[streams.at(group.entry[ours], name, "share") < rule.share]
        lag = np.rint(rule.after.quantile(streams.at(group.entry[ours], name, "after"))).astype(np.int64)
        if own.bot is not None and group.opened is None and kind == "duplicate":  # a bot has answered at once
            still = (streams.at(group.entry[ours], leader, "bot") >= own.bot.share) | (lag <= 0)
            ours, lag = ours[still], lag[still]
        if group.opened is not None and kind == "duplicate":  # what was submitted before stands in the backlog itself
            still = ~group.opened.answered[ours] & (lag >= -group.at[ours])
            ours, lag = ours[still], lag[still]
        into = number if rule.case_class is None else classes.index(rule.case_class)
        channel = channels[ours]
        if isinstance(rule, Duplicate) and rule.channel is not None:
            channel = np.full(len(ours), rule.channel, object)
        yield ours, lag, np.full(len(ours), into), channel


def _copied(cases: Arrived, chosen: Numbers, scripted: bool) -> Arrived:
    """These cases again, dormant, with what is written for them or without."""
    again = Arrived(np.full(len(chosen), NEVER), cases.entry[chosen], cases.case_class[chosen])
    if not scripted:
        return again

    def of(column: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if column is None else column[chosen]

    return replace(
        again,
        patience=of(cases.patience),
        work={at: column[chosen] for at, column in cases.work.items()},
        ways={at: column[chosen] for at, column in cases.ways.items()},
        first_step=of(cases.first_step),
        priority=of(cases.priority),
        limits={event: column[chosen] for event, column in cases.limits.items()},
    )


def linked(came: Mapping[str, Arrived], place_of: Numbers | None) -> Followers:
    """The record of who follows whom; `place_of` is where each case stands in the workload (None: as it is)."""
    first = dict(zip(came, np.cumsum([0, *(len(cases.at) for cases in came.values())]).tolist(), strict=False))
    columns: list[tuple[Numbers, ...]] = []
    for name, cases in came.items():
        if (follows := cases.follows) is None:
            continue
        rows = np.flatnonzero(follows.place >= 0)
        case, after = rows + first[name], follows.place[rows] + first[follows.leader]
        if place_of is not None:
            case, after = place_of[case], place_of[after]
        fixed = (np.full(len(rows), follows.on), np.full(len(rows), int(follows.relation)))
        columns.append((case, after, follows.lag[rows], *fixed))
    if not columns:
        return Followers.none()
    case, after, lag, on, relation = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    order = np.argsort(case)
    return Followers(
        case=case[order].astype(np.int32),
        after=after[order].astype(np.int32),
        on=on[order].astype(np.int8),
        lag=lag[order],
        relation=relation[order].astype(np.int8),
    )


def settled(scenario: Scenario, workload: Workload, log: EventLog) -> Workload:
    """The workload with the arrivals of the cases that were woken, and what fell due from then on."""
    dormant = workload.followers.case
    if not len(dormant):
        return workload
    due, came = workload.due_at.copy(), log.arrived_at[dormant] < NEVER
    due[:, dormant[~came]] = -1
    woken = dormant[came]
    for number, kind in enumerate(scenario.case_classes.values()):
        ours = woken[workload.case_class[woken] == number]
        for place, name in enumerate(workload.promises):
            due[place, ours] = due_of_woken(scenario, kind, name, log.arrived_at[ours], due[place, ours])
    return replace(workload, arrived_at=log.arrived_at, due_at=due)
