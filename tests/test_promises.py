"""Rule 18, promises: their clocks counted tick by tick in random worlds, by hand, and as a scenario says them."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import MORE
from hypothesis import given, note
from hypothesis import strategies as st
from oracle_promises import Promised, seen, watched
from worlds import Pick, random_world, told

from servsim.engines import Engine
from servsim.records import Clocks, Event, Run, State, Triggers

WORDS = ("arrival", "answer", "leaving", "enabled", "offered", "started", "completed")


# ------------------------------------------------------------------ counted tick by tick


@dataclasses.dataclass(frozen=True)
class Dealt:
    """A promise for the cases of one class of a random world, and in whose open hours its clock runs."""

    of: Promised
    calendar: int  # -1: always


def dealt(pick: Pick, n_steps: int, n_calendars: int) -> Dealt:
    def steps() -> tuple[int, ...]:
        return tuple(k for k in range(n_steps) if pick(0, 2) == 0)

    begins = "arrival" if pick(0, 1) else ("answer", *WORDS[3:])[pick(0, 4)]
    ends = WORDS[1:][pick(0, 5)]
    of_step = [steps() if word in WORDS[3:] else () for word in (begins, ends)]
    of = Promised(
        pick(0, 3) if pick(0, 1) else pick(0, 30),
        begins, of_step[0], bool(pick(0, 1)) and begins in WORDS[3:],
        ends, of_step[1], bool(pick(0, 1)) and ends in WORDS[3:],
        steps() if pick(0, 2) else (),
    )  # fmt: skip
    return Dealt(of, pick(-1, n_calendars - 1))


def hours(pick: Pick) -> list[tuple[int, int]]:
    """Open hours that never touch, some of them long closed."""
    found, at = [], -30
    while at < 150:
        at += pick(1, 9)
        found.append((at, at := at + pick(1, 9)))
    return found


def promised(run: Run, deals: list[list[Dealt]], calendars: list[list[tuple[int, int]]], classes: list[int]) -> Run:
    """The run with these promises ([promises][classes]) made beforehand; nothing else depends on them."""
    n_steps, shape = len(run.workload.steps.names), (len(deals), len(deals[0]))

    def codes(of: Callable[[Dealt], Any]) -> np.ndarray:
        return np.array([[of(deal) for deal in row] for row in deals], np.int8)

    def flags(of: Callable[[Dealt], Any]) -> np.ndarray:
        rows = [[[k in of(deal) for k in range(n_steps)] for deal in row] for row in deals]
        return np.array(rows, np.int8).reshape(*shape, n_steps)

    case_class = np.array(classes, np.int32)
    clocks = Clocks(
        np.array([[row[k].of.limit for k in classes] for row in deals], np.int64),
        np.array([[row[k].calendar for k in classes] for row in deals], np.int8),
        Triggers(
            codes(lambda d: Event[d.of.begins.upper()]),
            flags(lambda d: d.of.begin_steps),
            codes(lambda d: d.of.begin_last),
        ),
        Triggers(
            codes(lambda d: Event[d.of.ends.upper()]),
            flags(lambda d: d.of.end_steps),
            codes(lambda d: d.of.end_last),
        ),
        flags(lambda d: d.of.pauses),
        np.cumsum([0, *map(len, calendars)]).astype(np.int32),
        np.array([a for part in calendars for a, _ in part], np.int64),
        np.array([b for part in calendars for _, b in part], np.int64),
    )
    work = dataclasses.replace(
        run.workload,
        classes=tuple("xyz"[: shape[1]]),
        case_class=case_class,
        promises=tuple("pqrs"[: shape[0]]),
        promise_event=("",) * shape[0],
        promise_penalty=np.zeros(shape),
        due_at=np.full((shape[0], run.workload.n_cases), -1),
        clocks=clocks,
    )
    return dataclasses.replace(run, workload=work)


def wrong(pick: Pick, engine: Engine) -> str:
    """Draws a world and promises; empty if all clocks ran as counted tick by tick."""
    world = random_world(pick).but(unit=1)
    run = world.run(engine)
    n_steps = len(run.workload.steps.names)
    calendars = [hours(pick) for _ in range(pick(0, 2))]
    deals = [[dealt(pick, n_steps, len(calendars)) for _ in range(2)] for _ in range(3)]
    classes = [pick(0, 1) for _ in range(run.workload.n_cases)]
    run = promised(run, deals, calendars, classes)
    for number, course in enumerate(run.courses):
        for case, of_class in enumerate(classes):
            deal = deals[number][of_class]
            is_open = opened(calendars[deal.calendar]) if deal.calendar >= 0 else lambda t: True
            truth = watched(seen(run, case), deal.of, is_open, run.window.until)
            found = {
                "began": course.began_at[case], "ended": course.ended_at[case], "elapsed": course.elapsed[case],
                "due": course.due_at[case], "breached": course.breached_at[case],
                "state": State(course.state[case]).name,
            }  # fmt: skip
            if truth != found:
                parts = [world.shown(), *told(world, run), f"{deal} of case {case}", f"hours {calendars}"]
                return "\n".join([*parts, f"counted {truth}", f"found   {found}"])
    return ""


def opened(spans: list[tuple[int, int]]) -> Callable[[int], bool]:
    ticks = {t for a, b in spans for t in range(a, b)}
    return lambda t: t in ticks


@given(data=st.data())
def test_clocks_run_as_counted_tick_by_tick(engine: Engine, data: st.DataObject) -> None:
    found = wrong(lambda low, high: data.draw(st.integers(low, high)), engine)
    note(found)
    assert not found


@pytest.mark.parametrize("block", range(4))
def test_the_same_on_many_more_worlds(engine: Engine, block: int) -> None:
    for seed in range(round(250 * MORE)):
        assert not wrong(random.Random(f"promises/{block}/{seed}").randint, engine), f"seed {block}/{seed}"
