"""Cases written out one by one: when each comes, the work and the ways that are known beforehand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from servsim.model.base import Duration, Id, Label, Model, Positive, Word
from servsim.model.calendar import Clock
from servsim.model.errors import Path
from servsim.model.process import Flow
from servsim.model.steps import EXITS, REJECTED, Approval, Delay, Handoff, Work
from servsim.quantities import clock_time, ticks, time_of_day
from servsim.registry import suggestion

Found = Iterator[tuple[Path, str]]


def _moment(value: Any) -> str:
    """A moment in the form that is kept; raises ValueError for what is none of the three."""
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, int) and not isinstance(value, bool):
        return clock_time(time_of_day(value))
    text = str(value).strip()
    for read in (dt.datetime.fromisoformat, time_of_day, ticks):
        try:
            read(text)
        except ValueError:
            continue
        return text
    raise ValueError(
        f"cannot read '{value}' as a moment; write '2026-03-02 10:15', '10:15' (on the first day) "
        "or '15 min' (after the start)"
    )


Moment = Annotated[str, BeforeValidator(_moment)]
"""'2026-03-02 10:15', '10:15' (on the first day) or '15 min' (after the clock's start)."""


def tick_of(moment: str, clock: Clock) -> int:
    """The moment's tick; may lie before the clock's start."""
    for read in (dt.datetime.fromisoformat, time_of_day):
        try:
            at = read(moment)
        except ValueError:
            continue
        if isinstance(at, int):
            return clock.midnight(0) + at
        return round((at - clock.start) / dt.timedelta(microseconds=1))
    return ticks(moment)


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str | int) else value


Times = Annotated[tuple[Duration, ...], BeforeValidator(_several), Field(min_length=1)]
Ways = Annotated[tuple[Id, ...], BeforeValidator(_several), Field(min_length=1)]


class WrittenCase(Model):
    """One case. `work` and `next` say, by step, the work and the way on of its first visit, its second, and so on;
    what they do not say is drawn as for any other case."""

    label: Label = Label()
    at: Moment
    case_class: Id | None = None
    channel: Word | None = None
    first_step: Id | None = None
    work: dict[Id, Times] = Field(default_factory=dict)
    next: dict[Id, Ways] = Field(default_factory=dict)
    patience: Duration | None = None
    priority: Positive | None = None
    due: dict[Literal["first_response", "resolution"], Duration] = Field(default_factory=dict)

    def flaws(self, flow: Flow) -> Found:
        """What does not fit the process, as (path below the case, message)."""
        if self.first_step is not None:
            yield from ((("first_step",), text) for text in unfit_start(flow, self.first_step))
        for step in self.work:
            if step not in flow.steps:
                yield ("work", step), f"there is no step '{step}'{suggestion(step, flow.steps)}"
            elif not isinstance(flow.steps[step], Work | Delay | Handoff):
                yield ("work", step), f"a {flow.steps[step].kind} takes no time"
        for step, targets in self.next.items():
            if step not in flow.steps:
                yield ("next", step), f"there is no step '{step}'{suggestion(step, flow.steps)}"
                continue
            ways = ways_from(flow, step)
            for i, target in enumerate(targets):
                if target not in ways:
                    text = f"'{step}' does not lead to '{target}'{suggestion(target, ways)}"
                    yield ("next", step, i), f"{text} (a way with the probability 0 is gone only by such cases)"


def ways_from(flow: Flow, step: str) -> tuple[str, ...]:
    """Where the step may send a case: what it names; an approval may always reject."""
    here = flow.steps[step]
    if here.kind == "parallel":
        return ()
    rejects = {REJECTED} if isinstance(here, Approval) else set()
    return tuple(sorted(here.successors() | rejects))


def unfit_start(flow: Flow, step: str) -> Iterable[str]:
    """Why a case cannot begin at the step; nothing where it can."""
    if step not in flow.steps:
        yield f"there is no step '{step}'{suggestion(step, [*flow.steps, *EXITS])}"
    elif flow.steps[step].kind == "join" or step in flow.inside_branches():
        yield f"a case cannot begin at '{step}': what became of the other branches is not known"
