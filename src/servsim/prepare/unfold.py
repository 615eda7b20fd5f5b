"""What there is to do: every case walks through its process before the clock starts, and leaves its work items behind.

Cases walk in a crowd: all tokens of one source that stand at a step make the visit together, in a few array operations.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from servsim.model import Scenario
from servsim.model.steps import END, REJECTED, Handoff, Step, Work
from servsim.prepare import promises
from servsim.prepare.arrivals import Arrived, arrivals
from servsim.prepare.followers import groups_after, linked
from servsim.prepare.gates import timetables
from servsim.prepare.items import Items
from servsim.prepare.opening import open_cases
from servsim.prepare.owners import Ways, owners
from servsim.prepare.redial import redials
from servsim.prepare.signatures import close, refusal_costs
from servsim.prepare.silences import silences
from servsim.prepare.staffing import skills_of
from servsim.prepare.streams import Streams
from servsim.prepare.visits import VISITS, Crowd, Walk, drawn_timers, draws_lots, own_times
from servsim.records import Leaves, Workload
from servsim.records.arrays import Ids, Ticks
from servsim.records.workload import FORK, Steps

Numbers = NDArray[np.int64]
BOT = "bot"
"""The step and kind of the item that a case leaves which a bot has solved; its start is an answer."""
SILENCE = "silence"
"""The kind of the item that stands for a verdict by silence."""
Code = TypeVar("Code", bound=np.integer[Any])


def workload(scenario: Scenario, seed: int, replication: int) -> Workload:
    """All cases and items of one replication; ranks are still zero (dispatch fills them in)."""
    streams = Streams(seed, replication)
    came: dict[str, Arrived] = {}
    sources = open_cases(scenario) | {source: arrivals(scenario, source, streams) for source in scenario.demand}
    for source, cases in sources.items():
        came[source] = cases
        came.update(groups_after(scenario, streams, source, cases))
    items, offset = Items(len(drawn_timers(scenario)), len(own_times(scenario))), 0
    for source, cases in came.items():
        for process in scenario.used_processes():
            classes = [i for i, kind in enumerate(scenario.case_classes.values()) if kind.process == process]
            members = np.flatnonzero(np.isin(cases.case_class, classes))
            if len(members):
                unfold(solved_by_bot(Walk(scenario, process, source, cases, members, offset, streams, items)))
        offset += len(cases.at)
    return assemble(scenario, streams, came, items)


def solved_by_bot(walk: Walk) -> Walk:
    """The walk of those who remain when the bots of their classes have solved their share."""
    solved, time = np.zeros(len(walk.members), bool), np.zeros(len(walk.members), np.int64)
    for number, kind in enumerate(walk.scenario.case_classes.values()):
        if kind.bot is not None:
            ours = np.flatnonzero(walk.cases.case_class[walk.members] == number)
            ours = ours[walk.streams.at(walk.entry[ours], walk.source, "bot") < kind.bot.share]
            solved[ours] = True
            u = walk.streams.at(walk.entry[ours], walk.source, "bot time")
            time[ours] = np.rint(kind.bot.time.quantile(u)).astype(np.int64)
    if not solved.any() or walk.cases.opened is not None:
        return walk
    who = np.flatnonzero(solved)
    by_bot = walk.leave_item(BOT, Crowd(who, np.full(len(who), -1)), 0, work=time[who])
    walk.items.leaves(by_bot.after, Leaves.COMPLETED)
    return replace(walk, members=walk.members[~solved])


def unfold(walk: Walk) -> None:
    """Move all tokens of a walk from step to step until everybody has left."""
    steps = walk.flow.steps
    everybody = np.arange(len(walk.members))
    from_nowhere = Crowd(everybody, np.full(len(everybody), -1))
    begins = np.full(len(everybody), "", object)
    if walk.cases.first_step is not None:
        begins = walk.cases.first_step[walk.members]
    crowds = {step or walk.flow.start: [from_nowhere[begins == step]] for step in dict.fromkeys(begins.tolist())}
    while crowds:
        ahead: dict[str, list[Crowd]] = {}
        for name, parts in crowds.items():
            for following, crowd in VISITS[steps[name].kind](walk, name, Crowd.gather(parts)):
                if not len(crowd.member):
                    continue
                if following in (END, REJECTED):
                    walk.leave(name, crowd, Leaves.COMPLETED if following == END else Leaves.REJECTED)
                else:
                    ahead.setdefault(following, []).append(crowd)
        crowds = ahead
    close(walk)


# ------------------------------------------------------------------ putting it together


def assemble(scenario: Scenario, streams: Streams, came: dict[str, Arrived], items: Items) -> Workload:
    """The workload: cases in order of arrival, items by case, what follows what."""
    cases = list(came.values())
    at = _joined([part.at for part in cases])
    by_arrival = _order(at)
    case = items.column("case")
    if by_arrival is not None:
        case = _inverse(by_arrival)[case]
    by_case = _order(case)
    (before, after), unsaid, instead = items.links(), items.silences(), items.instead()
    if by_case is not None:
        item_of = _inverse(by_case)
        before, after, instead = item_of[before], item_of[after], item_of[instead]
        unsaid = item_of[unsaid[0]], item_of[unsaid[1]]
    ways = (np.append(before, unsaid[0]), np.append(after, unsaid[1])) if len(unsaid[0]) else (before, after)

    def of_cases(column: NDArray[Code]) -> NDArray[Code]:
        return column if by_arrival is None or not column.size else column[..., by_arrival]

    def of_items(column: NDArray[Code]) -> NDArray[Code]:
        return column if by_case is None else column[by_case]

    def of_columns(column: NDArray[Code]) -> NDArray[Code]:
        return of_items(column) if len(column) else column

    def of_marks(name: str) -> NDArray[np.int8]:
        return of_columns(items.marked(name))

    followers = linked(came, None if by_arrival is None else _inverse(by_arrival))
    step, skill, number = of_items(items.column("step")), of_items(items.column("skill")), of_items(case)
    sources = tuple(dict.fromkeys(part.source or name for name, part in came.items()))
    of_source = np.array([sources.index(part.source or name) for name, part in came.items()], np.int32)
    arrived_at, channels = of_cases(at), _channels(scenario, came)
    case_class = of_cases(_joined([part.case_class.astype(np.int32) for part in cases]))
    return Workload(
        classes=tuple(scenario.case_classes),
        channels=channels[0],
        sources=sources,
        promises=promises.names(scenario),
        promise_event=promises.events(scenario),
        promise_penalty=promises.penalties(scenario),
        steps=_steps(scenario, items),
        arrived_at=arrived_at,
        case_class=case_class,
        channel=of_cases(channels[1]),
        source=of_cases(np.repeat(of_source, [len(part.at) for part in cases])),
        followers=followers,
        patience=of_cases(_patience(scenario, streams, came)),
        due_at=of_cases(np.concatenate([promises.due(scenario, part) for part in cases], axis=1)),
        first_item=np.concatenate([[0], np.cumsum(np.bincount(case, minlength=len(at)))]).astype(np.int64),
        case=number.astype(np.int32),
        step=step,
        visit=of_items(items.column("visit")),
        skill=skill,
        work=of_items(items.column("work")),
        hold=of_items(items.column("hold")),
        leaves=of_items(items.left()),
        returned=of_items(items.column("returned")).astype(np.int8),
        rank=np.zeros(items.n, np.int64),
        rank_slope=np.zeros(len(skills_of(scenario)), np.int8),
        lot=of_items(items.column("lot")) if draws_lots(scenario) else np.empty(0, np.int32),
        priority=of_cases(_priorities(came)),
        answered_before=of_cases(_answered_before(came)),
        gate=of_items(items.column("gate")) if timetables(scenario) else np.empty(0, np.int32),
        quorum=of_columns(items.quorums()),
        workers=of_columns(items.workers()),
        delivers=of_marks("delivers"),
        skipped=of_marks("skipped"),
        refused=of_marks("refused"),
        refusal_cost=refusal_costs(scenario, items),
        redial=_by_case(redials(scenario, streams, came), by_arrival),
        timer_of=_timer_of(scenario),
        own_time_of=own_times(scenario),
        own_time=np.array([of_items(items.column(f"own {k}")) for k in range(len(own_times(scenario)))]),
        timer=np.array([of_items(items.column(f"timer {k}")) for k in range(len(drawn_timers(scenario)))]),
        clocks=promises.clocks(scenario, cases, list(items.steps), by_arrival),
        owners=owners(scenario, Ways(items, step, skill, *ways), number, followers),
        silences=silences(scenario, items, unsaid, of_items),
        **_successors(before, after, items.n, instead),
    )


def _timer_of(scenario: Scenario) -> Ids:
    """[skills] which of the drawn timers is that of the skill, -1: none; empty where none is drawn."""
    drawn = list(drawn_timers(scenario))
    rows = [drawn.index(skill) if skill in drawn else -1 for skill in skills_of(scenario)]
    return np.array(rows if drawn else [], np.int32)


def _by_case(rows: Ticks, order: Numbers | None) -> Ticks:
    return rows if order is None or not rows.size else rows[order]


def _inverse(order: Numbers) -> Numbers:
    """Where each entry went."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place


def _successors(before: Numbers, after: Numbers, n: int, instead: Numbers) -> dict[str, Any]:
    """next_item, n_predecessors and the forks, from the links; `instead`: what items lead to in place of others."""
    out_degree = np.bincount(before, minlength=n)
    waits_for = np.bincount(after, minlength=n) - np.bincount(instead, minlength=n)
    next_item = np.full(n, -1, np.int32)
    single = out_degree[before] == 1
    next_item[before[single]] = after[single]
    several = np.flatnonzero(out_degree > 1)
    next_item[several] = FORK
    order = np.lexsort((after[~single], before[~single]))
    return {
        "next_item": next_item,
        "n_predecessors": np.maximum(1, waits_for).astype(np.int8),
        "fork_item": several.astype(np.int32),
        "fork_first": np.concatenate([[0], np.cumsum(out_degree[several])]).astype(np.int64),
        "fork_target": after[~single][order].astype(np.int32),
    }


def _steps(scenario: Scenario, items: Items) -> Steps:
    ids = [step for _, step in items.steps]
    skills, flows = skills_of(scenario), {process: scenario.flow(process) for process, _ in items.steps}
    kinds = [flows[process].steps.get(step, Step(kind=_kind(step))) for process, step in items.steps]
    return Steps(
        names=tuple(s if ids.count(s) == 1 else f"{p}.{s}" for p, s in items.steps),
        process=tuple(process for process, _ in items.steps),
        kind=tuple(step.kind for step in kinds),
        skill=np.array([skills.index(s.skill) if isinstance(s, Work) else -1 for s in kinds], np.int32),
        responds=np.array([s in flows[p].responders or s == BOT for p, s in items.steps], np.int8),
        needs=np.array(
            [[isinstance(s, Work) and name in s.needs for name in scenario.systems] for s in kinds], np.int8
        ).reshape(len(kinds), len(scenario.systems)),
        sender=_departments(scenario, [s.sender if isinstance(s, Handoff) else None for s in kinds]),
        receiver=_departments(scenario, [s.to if isinstance(s, Handoff) else None for s in kinds]),
    )


def _kind(step: str) -> str:
    """Of items that stand for no step of the process."""
    return BOT if step == BOT else SILENCE


def _departments(scenario: Scenario, names: list[str | None]) -> Ids:
    departments = list(scenario.departments)
    return np.array([-1 if name is None else departments.index(name) for name in names], np.int32)


def _channels(scenario: Scenario, came: dict[str, Arrived]) -> tuple[tuple[str, ...], Ids]:
    """Names of the channels, and that of each case; a source without one is its own channel."""
    numbers: dict[str, int] = {}
    codes = []
    for source, cases in came.items():
        if cases.channel is None:
            own = numbers.setdefault(scenario.channel(source), len(numbers))
            codes.append(np.full(len(cases.at), own, np.int32))
        else:
            words = cases.channel.tolist()
            codes.append(np.array([numbers.setdefault(word, len(numbers)) for word in words], np.int32))
    return tuple(numbers), _joined(codes)


def _patience(scenario: Scenario, streams: Streams, came: dict[str, Arrived]) -> Ticks:
    parts = []
    for source, cases in came.items():
        patience = np.full(len(cases.at), -1)
        for number, kind in enumerate(scenario.case_classes.values()):
            ours = np.flatnonzero(cases.case_class == number)
            if kind.patience is not None and len(ours):
                u = streams.at(cases.entry[ours], source, "patience")
                if cases.opened is not None:
                    survived = kind.patience.cdf(-cases.at[ours].astype(np.float64))
                    u = np.minimum(survived + u * (1 - survived), 1 - 2.0**-53)
                patience[ours] = np.rint(kind.patience.quantile(u)).astype(np.int64)
        if cases.opened is not None:
            patience = np.where(cases.opened.answered, -1, patience)
        given = cases.patience
        parts.append(patience if given is None else np.where(given >= 0, given, patience))
    return _joined(parts)


def _priorities(came: dict[str, Arrived]) -> NDArray[np.int64]:
    """[cases] what is written for single cases, -1: as the class; empty where nothing is."""
    if all(cases.priority is None or (cases.priority < 0).all() for cases in came.values()):
        return np.empty(0, np.int64)
    return _joined([np.full(len(c.at), -1) if c.priority is None else c.priority for c in came.values()])


def _answered_before(came: dict[str, Arrived]) -> NDArray[np.int8]:
    """[cases] 1: answered before the clock's start; empty where nobody was."""
    nobody = {name: np.zeros(len(cases.at), np.int8) for name, cases in came.items()}
    parts = [c.opened.answered.astype(np.int8) if c.opened else nobody[name] for name, c in came.items()]
    answered = _joined(parts)
    return answered if answered.any() else np.empty(0, np.int8)


def _joined(parts: list[NDArray[Code]]) -> NDArray[Code]:
    return np.concatenate(parts)


def _order(keys: Numbers) -> Numbers | None:
    """What sorts the keys, in a stable way; None where they are sorted already."""
    return None if (keys[1:] >= keys[:-1]).all() else np.argsort(keys, kind="stable")
