"""What makes silence impossible: calendars and skills that are not there, branches that it would lead out of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from servsim.model.errors import Path
from servsim.model.process import Flow
from servsim.model.promises import CALENDAR
from servsim.model.steps import Approval, Silence, Verdict
from servsim.registry import suggestion

if TYPE_CHECKING:
    from servsim.model.scenario import Scenario

Found = Iterator[tuple[Path, str]]


def flaws(of: Scenario) -> Found:
    """(path in the YAML, what is wrong) of each approval that says what silence means."""
    for process, written in of.processes.items():
        for name, step in written.steps.items():
            path: Path = ("processes", process, "steps", name)
            for below, silence in _silences(step):
                yield from _names(of, (*path, *below), silence)
                if not silence.to and name in of.edited(process).steps:
                    yield from _signed_later(of, process, name, (*path, *below))


def _silences(step: object) -> Iterator[tuple[Path, Silence]]:
    """(path below the step, silence)"""
    if isinstance(step, Verdict) and step.silence:
        yield ("silence",), step.silence
    for k, link in enumerate(step.chain if isinstance(step, Approval) else ()):
        if link.silence:
            yield ("chain", k, "silence"), link.silence


def _names(of: Scenario, path: Path, silence: Silence) -> Found:
    clocks: Iterable[str] = (CALENDAR, *of.calendars)
    if silence.clock not in clocks:
        yield (*path, "clock"), f"there is no calendar '{silence.clock}'{suggestion(silence.clock, clocks)}"
    skills = of.skills()
    if silence.to is not None and silence.to not in skills:
        told = f"there is no skill '{silence.to}'{suggestion(silence.to, skills)}"
        yield (*path, "then", "escalate"), told
    elif silence.to is not None and not any(of.is_staffed(pool) for pool in skills[silence.to]):
        yield (*path, "then", "escalate"), f"nobody who can do '{silence.to}' is ever there"


def _signed_later(of: Scenario, process: str, name: str, path: Path) -> Found:
    """In a branch a verdict by silence joins the others; a signature that only it leads to would never come."""
    edited = of.edited(process)
    later = [at for at, step in of.flow(process).steps.items() if isinstance(step, Approval) and step.is_signed_later]
    if later and name in Flow(edited.start, edited.steps).inside_branches():
        yield path, f"in a branch does not go with what is signed after the work ({', '.join(later)}); escalate instead"
