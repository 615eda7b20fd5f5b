"""The command that finds values of assumptions which reproduce the facts: tune."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from servsim.cli.asking import Asked, Loaded, all_loaded, one_of, split
from servsim.cli.command import DONE, NOT_HELD, Command
from servsim.cli.results import console, progress_bar, results_folder, tell_failures, writing
from servsim.cli.varying import settings_of_all

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from servsim.experiment import Comparison
    from servsim.model import Scenario, Settings
    from servsim.project import Project
    from servsim.report.tuned import Tuned
    from servsim.tuning import Ranges

PER_POINT = 4
"""Replications at each point unless another number is typed."""


def _tune(args: argparse.Namespace) -> int:
    from servsim.experiment import check_kpis
    from servsim.project import find, study_of
    from servsim.report.findings import Findings
    from servsim.report.page import command
    from servsim.report.tuned import Tuned
    from servsim.report.words import words
    from servsim.tuning import fewest, tune

    project = find(args.project)
    names, typed = split(args.words)
    points, typed = _whole("points", typed)
    per_point, typed = _whole("per_point", typed, least=1)
    asked = one_of(project, names, "tune")
    (stated,) = all_loaded(project, [asked], typed)
    settings, ranges = stated.settings, _ranges(stated)
    check_kpis(settings.headline, [stated.scenario])
    points = _enough(points, fewest(len(ranges.assumptions)))
    folder = results_folder(project, settings, f"{study_of(asked.name)}-tune")
    tried = _Tried(project, asked, stated, typed, ranges)
    tuning = tune(ranges, tried.values, points, per_point or PER_POINT, _replications(settings), settings.seed)
    comparison, lines = tried.confirmed(tuning.factors)
    found = Findings(comparison, words(settings.language))
    how = [f"points={points}", f"per_point={per_point or PER_POINT}"]
    again = command(found, [*how, *typed], "tune", [stated.scenario.name])
    tuned = Tuned(found, tuning, stated.scenario, lines, tuple(typed))
    return _reported(tuned, folder, again, typed)


def _reported(tuned: Tuned, folder: Path, typed: str, words_typed: Sequence[str]) -> int:
    """Prints the tables and writes the report; not held where a fact is missed."""
    from servsim.report import write_tuning
    from servsim.report.terminal import tuning_tables
    from servsim.sources import shown

    console().print(tuning_tables(tuned))
    print("\n".join(tuned.lines))
    with writing(folder):
        write_tuning(tuned, folder, typed, words_typed)
    print(f"\n{shown(folder)}/report.html")
    return NOT_HELD if tell_failures(tuned.found.comparison) != DONE or tuned.missed() else DONE


@dataclass(frozen=True)
class _Tried:
    """A scenario with its assumptions multiplied by factors, run as often as is asked for."""

    project: Project
    asked: Asked
    stated: Loaded
    typed: Sequence[str]
    ranges: Ranges

    def values(self, factors: NDArray[np.float64], replications: int) -> NDArray[np.float64]:
        """What comes out at each point, on other random numbers than those of the confirmation."""
        from servsim.experiment import compare

        loaded = self._loaded(factors, [f"point {i}" for i in range(len(factors))])
        settings = self.stated.settings
        settings = settings.model_copy(update={"seed": settings.seed + 1, "replications": replications})
        with progress_bar(settings.language) as progress:
            comparison = compare([one.scenario for one in loaded], settings, progress)
        if len(comparison.failures):
            some = f"{len(comparison.failures)} of {len(loaded) * comparison.n}"
            print(f"note: {some} runs of the search failed and are left out", file=sys.stderr)
        return _of_facts(comparison, self.stated.scenario)

    def confirmed(self, factors: NDArray[np.float64]) -> tuple[Comparison, tuple[str, ...]]:
        """(as stated beside as found, what is typed for the latter)"""
        from servsim.experiment import compare

        lines = self._lines(factors)
        every = [self.stated, *self._loaded(factors[None, :], ["tuned"])]
        configs = {one.scenario.name: one.composed.mapping for one in every}
        settings = self.stated.settings
        with progress_bar(settings.language) as progress:
            return compare([one.scenario for one in every], settings, progress, configs), lines

    def _lines(self, factors: NDArray[np.float64]) -> tuple[str, ...]:
        pairs = zip(self.ranges.assumptions, factors.tolist(), strict=True)
        return settings_of_all(self.stated, {name: factor for name, factor in pairs if factor != 1})

    def _loaded(self, factors: NDArray[np.float64], called: Sequence[str]) -> list[Loaded]:
        pairs = zip(factors, called, strict=True)
        again = [Asked(self.asked.name, self.asked.settings, name, self._lines(row)) for row, name in pairs]
        return all_loaded(self.project, again, self.typed)


def _whole(key: str, words: Sequence[str], least: int = 1) -> tuple[int | None, list[str]]:
    """(the number typed as key=number, None where there is none, the other words); raises InputError."""
    from servsim.model.errors import InputError

    text = next((word.partition("=")[2] for word in words if word.startswith(f"{key}=")), None)
    if text is not None and (not text.isdecimal() or int(text) < least):
        raise InputError(f"command line: {key}: expected a whole number ≥ {least}, got '{text}'")
    return (int(text) if text is not None else None), [word for word in words if not word.startswith(f"{key}=")]


def _enough(points: int | None, fewest: int) -> int:
    from servsim.model.errors import InputError

    if points is not None and points < fewest:
        raise InputError(f"command line: points: expected at least {fewest} for so many ranges, got '{points}'")
    return 2 * fewest if points is None else points


def _replications(settings: Settings) -> int:
    return settings.precision.at_most if settings.replications == "auto" else settings.replications


def _ranges(stated: Loaded) -> Ranges:
    """What may be varied how far, and what it is to reach. Raises InputError where there is nothing of either."""
    import numpy as np

    from servsim.model.errors import InputError
    from servsim.tuning import Ranges

    scenario = stated.scenario
    free = {name: one.range for name, one in scenario.assumptions.items() if one.range is not None}
    if not free:
        raise InputError(
            f"{scenario.name}: no assumption gives a `range`, so there is nothing to tune; write for example "
            "assumptions.volume.range: [0.8, 1.25]"
        )
    if not scenario.facts:
        raise InputError(f"{scenario.name}: states no `facts`, so there is nothing to tune to")
    low, high = np.array(list(free.values())).T
    facts = list(scenario.facts.values())
    reported = [1 - one.value if one.transform == "complement" else one.value for one in facts]
    tolerance = [max(one.tolerance, 1e-3 * abs(one.value), 1e-9) for one in facts]
    return Ranges(tuple(free), low, high, tuple(scenario.facts), np.array(reported), np.array(tolerance))


def _of_facts(comparison: Comparison, scenario: Scenario) -> NDArray[np.float64]:
    """What the facts are compared with: [scenarios, facts, replications], NaN: none. Raises InputError."""
    import numpy as np

    from servsim.model.errors import InputError

    frame = comparison.kpis
    values = []
    for name, fact in scenario.facts.items():
        rows = frame[(frame["kpi"] == fact.kpi) & (frame["group"] == fact.group)]
        table = rows.pivot(index="scenario", columns="replication", values="value")
        found = table.reindex(index=list(comparison.scenarios), columns=range(comparison.n)).to_numpy(np.float64)
        if np.isfinite(found).any(axis=1).sum() < len(found) / 2:
            raise InputError(f"{scenario.name}: facts.{name}: {fact.kpi} of group '{fact.group}' has no value here")
        values.append(found)
    return np.stack(values, axis=1)


COMMANDS = {
    "tune": Command(
        _tune,
        "STUDY | SCENARIO [points=NUMBER] [per_point=NUMBER] [key=value …]",
        "Which values of the assumptions reproduce the facts, and how well the facts determine them.\n"
        "Searches the `range`s of the assumptions, prints the settings to paste, tells which facts clash.\n"
        "Exit code 1 where a fact is missed. Writes results/STUDY-tune.",
        ("tune fault_repair", "tune fault_repair points=40 per_point=8 replications=50"),
    ),
}
