"""How the event log of a run becomes a file that process-mining tools read: CSV and XES."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from servsim.records import Outcome, Run
from servsim.records.arrays import Ids, Ticks

TRANSITIONS = ("schedule", "start", "suspend", "resume", "complete", "pi_abort", "autoskip")
"""Of the standard life cycle of XES; pi_abort: the customer gave up while the item was open; autoskip: decided by
silence."""
SCHEDULE, START, SUSPEND, RESUME, COMPLETE, ABORT, AUTOSKIP = range(len(TRANSITIONS))

MISSED = "promise missed: {}"
"""The name of the event when it is known."""

NOT_WORK = ("join", "parallel", "silence")
"""Kinds of steps that only steer; they have no events."""

COLUMNS = (
    "case:concept:name", "concept:name", "lifecycle:transition", "time:timestamp", "org:resource", "org:role",
    "org:group", "concept:instance", "case:class", "case:channel", "case:outcome",
)  # fmt: skip
"""Case number, step (or promise that is missed), transition, time, worker, pool, department, item number (of a promise:
none; where several work on an item, that of those who help is item/2, item/3, …), and what is known about the case."""

AT_A_TIME = 100_000
"""Events turned into text at a time, so that memory does not grow with the log."""

Objects = NDArray[np.object_]


class Events(NamedTuple):
    """One row per event."""

    item: Ids  # -1: a promise is missed
    transition: NDArray[np.int8]  # index into TRANSITIONS
    at: Ticks
    worker: Ids  # -1: nobody
    case: Ids
    what: Ids  # index into the steps and, after them, the promises
    part: Ids  # where several work on an item: 2, 3, … for what those do who help; else 0

    def rows(self, which: slice | NDArray[np.intp]) -> Events:
        return Events(
            self.item[which], self.transition[which], self.at[which], self.worker[which], self.case[which],
            self.what[which], self.part[which],
        )  # fmt: skip

    def and_also(self, other: Events) -> Events:
        """These and then others."""
        return Events(
            np.append(self.item, other.item), np.append(self.transition, other.transition),
            np.append(self.at, other.at), np.append(self.worker, other.worker), np.append(self.case, other.case),
            np.append(self.what, other.what), np.append(self.part, other.part),
        )  # fmt: skip


def events(run: Run) -> Events:
    """What happened to the items, in order of time; at one instant in the order of cases, items and transitions.

    schedule: enabled. start, complete: begin and end of the work. suspend, resume: interrupted items. An item still
    open when its case is given up ends with pi_abort; autoskip: decided by silence. A promise that is missed completes
    when that is known.
    """
    work, log = run.workload, run.log
    real = ~np.isin(np.array(work.steps.kind, dtype=object), NOT_WORK)[work.step]
    given_up = np.isin(log.outcome, (Outcome.ABANDONED, Outcome.TURNED_AWAY))[work.case] & (log.completed_at < 0)
    first_worker = log.worker.copy()
    first_worker[log.stretch_item[::-1]] = log.stretch_worker[::-1]  # the earliest stretch is written last
    nobody = np.full(work.n_items, -1, np.int32)
    silent = np.zeros(work.n_items, bool)
    silent[run.silent] = True
    parts = [
        _happened(SCHEDULE, 0, log.enabled_at, nobody, real),
        _happened(START, 1, log.started_at, first_worker, real & ~silent),
        *_interruptions(run),
        _happened(COMPLETE, 2**30, log.completed_at, log.worker, real & ~silent),
        _happened(AUTOSKIP, 2**30, log.completed_at, nobody, silent),
        _happened(ABORT, 2**30, log.left_at[work.case], nobody, real & given_up & (log.enabled_at >= 0)),
    ]
    helping, numbers = _help(run)
    transition, nth, item, at, worker = (np.concatenate(column) for column in zip(*parts, *helping, strict=True))
    missed = _missed(run)
    last = np.maximum(work.first_item[missed.case + 1] - 1, 0)
    part = np.append(np.zeros(len(item) - len(numbers), np.int32), numbers)
    items = Events(item, transition.astype(np.int8), at, worker, work.case[item], work.step[item], part)
    found = items.and_also(missed)
    order = np.lexsort((np.append(nth, 2**30 + missed.what), np.append(item, last), found.case, found.at))
    return found.rows(order)


def _missed(run: Run) -> Events:
    """The promises that were missed after the clock's start, by promise and case."""
    breached = np.array([np.where(course.missed, course.breached_at, -1) for course in run.courses], np.int64)
    breached = breached.reshape(len(run.courses), run.workload.n_cases)
    number, case = np.nonzero(breached >= 0)
    none, complete = np.full(len(case), -1, np.int32), np.full(len(case), COMPLETE, np.int8)
    what = (number + len(run.workload.steps.names)).astype(np.int32)
    at, alone = breached[number, case], np.zeros(len(case), np.int32)
    return Events(none, complete, at, none, case.astype(np.int32), what, alone)


Part = tuple[Ids, NDArray[np.integer[Any]], Ids, Ticks, Ids]
"""(transition, place among the events of the item, item, at, worker)"""


def _happened(transition: int, nth: int, at: Ticks, worker: Ids, real: NDArray[np.bool_]) -> Part:
    item = np.flatnonzero(real & (at >= 0)).astype(np.int32)
    same = np.full(len(item), transition, np.int32)
    return same, np.full(len(item), nth, np.int32), item, at[item], worker[item]


def _interruptions(run: Run) -> list[Part]:
    """The end of each stretch of work that does not complete the item, the beginning of each that is not its first."""
    log = run.log
    order = np.lexsort((np.arange(len(log.stretch_item)), log.stretch_item))  # they stand in order of beginning
    item, worker = log.stretch_item[order], log.stretch_worker[order]
    begin, end = log.stretch_from[order], log.stretch_to[order]
    is_last = np.diff(item, append=-1) != 0
    first = np.flatnonzero(np.diff(item, prepend=-1))
    nth = np.arange(len(item)) - np.repeat(first, np.diff(first, append=len(item)))
    cut = np.flatnonzero(~is_last | ((log.completed_at[item] < 0) & (end < run.window.until)))
    again = np.flatnonzero(nth)
    return [
        (np.full(len(cut), SUSPEND, np.int32), 2 * nth[cut] + 2, item[cut], end[cut], worker[cut]),
        (np.full(len(again), RESUME, np.int32), 2 * nth[again] + 1, item[again], begin[again], worker[again]),
    ]


def _help(run: Run) -> tuple[list[Part], Ids]:
    """Beginning and end of each stretch of work of those who help, told after what the first one does; and their
    numbers, from 2 on for each item."""
    log = run.log
    order = np.lexsort((np.arange(len(log.helper_item)), log.helper_worker, log.helper_item))
    item, worker = log.helper_item[order], log.helper_worker[order]
    begin, end = log.helper_from[order], log.helper_to[order]
    is_new = (np.diff(item, prepend=-1) != 0) | (np.diff(worker, prepend=-1) != 0)
    is_last = np.append(is_new[1:], True)[: len(item)]
    nth = 2**30 + 1 + 2 * np.arange(len(item))
    starts = np.where(is_new, START, RESUME).astype(np.int32)
    stops = np.where(is_last & (log.completed_at[item] == end), COMPLETE, SUSPEND).astype(np.int32)
    helpers = np.cumsum(is_new)
    first = np.diff(item, prepend=-1) != 0
    number = (2 + helpers - np.maximum.accumulate(np.where(first, helpers, 0))).astype(np.int32)
    over = np.flatnonzero(end < run.window.until)
    parts: list[Part] = [
        (starts, nth.astype(np.int32), item, begin, worker),
        (stops[over], (nth + 1).astype(np.int32)[over], item[over], end[over], worker[over]),
    ]
    return parts, np.append(number, number[over])


# ---------------------------------------------------------------------- CSV
def write_csv(run: Run, path: str | Path) -> None:
    """One row per event, in order of time; COLUMNS; local times as 2026-03-02 10:15:00.000000; UTF-8.

    Raises OSError where the file cannot be written; nothing half-written is left behind.
    """
    _write(Path(path), _csv(run))


def _csv(run: Run) -> Iterator[str]:
    found, texts = events(run), _texts(run, _fields)
    yield ",".join(COLUMNS) + "\n"
    for first in range(0, len(found.at), AT_A_TIME):
        piece = found.rows(slice(first, first + AT_A_TIME))
        columns = piece.case, *_columns(run, texts, piece), _instance(piece), _about(run, texts, piece.case)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        yield "".join(
            f"{of},{what},{at.replace('T', ' ')},{who},{item},{about}\n" for of, what, at, who, item, about in rows
        )


def _fields(values: Mapping[str, str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values.values())
    return line.getvalue()


# ---------------------------------------------------------------------- XES
EXTENSIONS = {"Concept": "concept", "Lifecycle": "lifecycle", "Time": "time", "Organizational": "org"}

HEADER = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xes.features="" xmlns="http://www.xes-standard.org/">
{extensions}  <global scope="trace">
    <string key="concept:name" value="0"/>
    <string key="class" value=""/>
    <string key="channel" value=""/>
    <string key="outcome" value=""/>
  </global>
  <global scope="event">
    <string key="concept:name" value=""/>
    <string key="lifecycle:transition" value="complete"/>
    <date key="time:timestamp" value="1970-01-01T00:00:00.000000+00:00"/>
    <string key="concept:instance" value=""/>
  </global>
  <classifier name="Activity" keys="concept:name lifecycle:transition"/>
  <classifier name="Step" keys="concept:name"/>
"""


def write_xes(run: Run, path: str | Path) -> None:
    """XES 1.0: a trace per case in order of arrival, its events in order of time; UTF-8.

    The format wants a time zone: local times are written as if they were UTC, so that no tool moves them. Raises
    OSError where the file cannot be written; nothing half-written is left behind.
    """
    _write(Path(path), _xes(run))


def _xes(run: Run) -> Iterator[str]:
    found, texts = events(run), _texts(run, _attributes)
    found = found.rows(np.argsort(found.case, kind="stable"))
    line = '  <extension name="{0}" prefix="{1}" uri="http://www.xes-standard.org/{1}.xesext"/>\n'
    yield HEADER.format(extensions="".join(line.format(*pair) for pair in EXTENSIONS.items()))
    for first in range(0, len(found.at), AT_A_TIME):
        piece = found.rows(slice(first, first + AT_A_TIME))
        before = found.case[first - 1] if first else -1
        opens = _traces(run, texts, piece.case, np.diff(piece.case, prepend=before) != 0, first > 0)
        columns = opens, *_columns(run, texts, piece), _instance(piece)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        yield "".join(
            f'{trace}    <event>{what}<date key="time:timestamp" value="{at}+00:00"/>{who}'
            f'<string key="concept:instance" value="{item}"/></event>\n'
            for trace, what, at, who, item in rows
        )
    yield ("  </trace>\n" if len(found.at) else "") + "</log>\n"


def _traces(run: Run, texts: Texts, case: Ids, is_new: NDArray[np.bool_], close: bool) -> Objects:
    """[events] what stands before an event: the head of its trace where it is the first of its case."""
    opens = np.full(len(case), "", object)
    new = np.flatnonzero(is_new)
    heads = [
        f'  </trace>\n  <trace>\n    <string key="concept:name" value="{number}"/>{about}\n'
        for number, about in zip(case[new].tolist(), _about(run, texts, case[new]).tolist(), strict=True)
    ]
    if heads and not close:
        heads[0] = heads[0].removeprefix("  </trace>\n")
    opens[new] = heads
    return opens


def _attributes(values: Mapping[str, str]) -> str:
    keys = ((key.removeprefix("case:"), value) for key, value in values.items() if value)
    return "".join(f"<string key={quoteattr(key)} value={quoteattr(value)}/>" for key, value in keys)


# ---------------------------------------------------------------------- texts that rows share
class Texts(NamedTuple):
    """The parts of a row that come from small tables, ready to be joined."""

    what: Objects  # [steps and promises, transitions]
    who: Objects  # [workers, then steps and promises for events of nobody]
    about: Objects  # [classes, channels, outcomes]


def _texts(run: Run, text: Callable[[Mapping[str, str]], str]) -> Texts:
    """The tables, each entry worded by `text` from its columns and values."""
    plan, work, departments = run.plan, run.workload, (*run.plan.departments, "")
    of_skill = (*(plan.department_of_skill().tolist() if plan.pools else ()), -1)
    names = (*work.steps.names, *(MISSED.format(promise) for promise in work.promises))
    what = (
        {"concept:name": name, "lifecycle:transition": transition}
        for name, transition in product(names, TRANSITIONS)
    )
    who = [
        {"org:resource": worker, "org:role": plan.pools[p], "org:group": departments[plan.pool_department[p]]}
        for worker, p in zip(plan.workers, plan.worker_pool.tolist(), strict=True)
    ]
    who += [
        {"org:resource": "", "org:role": "", "org:group": departments[of_skill[skill]]}
        for skill in (*work.steps.skill.tolist(), *(-1 for _ in work.promises))
    ]
    about = (
        {"case:class": one, "case:channel": channel, "case:outcome": outcome.name.lower()}
        for one, channel, outcome in product(work.classes, work.channels, Outcome)
    )
    return Texts(
        what=_table(text, what, len(names), len(TRANSITIONS)),
        who=_table(text, who, len(who)),
        about=_table(text, about, len(work.classes), len(work.channels), len(Outcome)),
    )


def _table(text: Callable[[Mapping[str, str]], str], rows: Iterable[Mapping[str, str]], *shape: int) -> Objects:
    return np.array([text(row) for row in rows], object).reshape(shape)


def _columns(run: Run, texts: Texts, piece: Events) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """What, when and who, as text, for each event."""
    who = np.where(piece.worker >= 0, piece.worker, len(run.plan.workers) + piece.what)
    at = np.datetime_as_string(run.when(piece.at), unit="us")
    return texts.what[piece.what, piece.transition], at, texts.who[who]


def _instance(piece: Events) -> NDArray[Any]:
    """Item numbers, with that of each who helps; nothing where a promise is missed."""
    instance = np.where(piece.item >= 0, piece.item.astype(object), "")
    for k in np.flatnonzero(piece.part).tolist():
        instance[k] = f"{piece.item[k]}/{piece.part[k]}"
    return instance


def _about(run: Run, texts: Texts, case: Ids) -> Objects:
    return texts.about[run.workload.case_class[case], run.workload.channel[case], run.log.outcome[case]]


def _write(path: Path, pieces: Iterable[str]) -> None:
    """Writes beside the file first, so that a log is there as a whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
