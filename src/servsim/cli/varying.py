"""Commands that vary what is assumed: sensitivity."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from servsim.cli.asking import Asked, Loaded, all_loaded, common_settings, split, to_compare
from servsim.cli.command import Command
from servsim.cli.results import progress_bar, reported_sensitivity, results_folder

if TYPE_CHECKING:
    from servsim.project import Project
    from servsim.sensitivity import Varied

BY = 10.0
"""Per cent by which each assumption is varied unless another number is typed."""


def _sensitivity(args: argparse.Namespace) -> int:
    from servsim.compose import composing
    from servsim.experiment import compare
    from servsim.project import find, study_of
    from servsim.report.findings import Findings
    from servsim.report.page import command
    from servsim.report.tornado import Tornado
    from servsim.report.words import words

    project = find(args.project)
    names, typed = split(args.words)
    by, typed = _by(typed)
    with composing(project) as composer:
        asked, typed = to_compare(composer, names, typed)
    plain = all_loaded(project, asked, typed)
    settings = common_settings(plain)
    folder = results_folder(project, settings, f"{study_of(asked[0].name)}-sensitivity")
    varied, loaded = _varied(project, asked, plain, typed, by)
    every = [*plain, *loaded]
    with progress_bar(settings.language) as progress:
        configs = {one.scenario.name: one.composed.mapping for one in every}
        comparison = compare([one.scenario for one in every], settings, progress, configs)
    found = Findings(comparison, words(settings.language))
    scenarios = [one.scenario.name for one in plain]
    again = command(found, [f"by={by:g}", *typed], "sensitivity", scenarios)
    return reported_sensitivity(Tornado.of(found, scenarios, varied, by / 100), folder, again, typed)


def _by(words: Sequence[str]) -> tuple[float, list[str]]:
    """(per cent, the other settings); raises InputError."""
    from servsim.model.errors import InputError

    text = next((word.partition("=")[2] for word in words if word.startswith("by=")), f"{BY:g}")
    try:
        by = float(text.removesuffix("%"))
    except ValueError:
        by = 0.0
    if not 0 < by < 100:
        raise InputError(f"command line: by: expected per cent between 0 and 100, got '{text}'")
    return by, [word for word in words if not word.startswith("by=")]


def _varied(
    project: Project, asked: Sequence[Asked], plain: Sequence[Loaded], typed: Sequence[str], by: float
) -> tuple[list[Varied], list[Loaded]]:
    """Every assumption that names its settings, lower and higher, in every scenario that has it. Raises InputError."""
    from servsim.model.errors import InputError
    from servsim.sensitivity import Varied

    with_settings = {
        name: assumption
        for one in plain
        for name, assumption in one.scenario.assumptions.items()
        if assumption.settings
    }
    if not with_settings:
        raise InputError(
            f"{plain[0].scenario.name}: no assumption names its `settings`, so there is nothing to vary; write for "
            "example assumptions.volume.settings: [demand.*.factor]"
        )
    runs: list[Varied] = []
    every: list[Loaded] = []
    for name in with_settings:
        for factor in (1 - by / 100, 1 + by / 100):
            called = f"{name} {100 * (factor - 1):+g} %"
            again = [
                Asked(one.name, one.settings, called, settings_of(loaded, name, factor))
                for one, loaded in zip(asked, plain, strict=True)
            ]
            loaded = all_loaded(project, again, typed)
            runs.append(Varied(name, factor, tuple(one.scenario.name for one in loaded)))
            every += loaded
    return runs, every


def settings_of(loaded: Loaded, name: str, factor: float) -> tuple[str, ...]:
    """What is typed to vary the assumption in a scenario; a measure may do away with some of its settings."""
    return settings_of_all(loaded, {name: factor})


def settings_of_all(loaded: Loaded, factors: Mapping[str, float]) -> tuple[str, ...]:
    """What is typed to vary several assumptions together; what several stand for is multiplied by all of them."""
    from servsim.variation import put, typed

    tree: Any = loaded.composed.mapping
    told: dict[tuple[str, ...], Any] = {}
    for name, factor in factors.items():
        changed = _changes(loaded, tree, name, factor)
        told |= changed
        for path, value in changed.items() if len(factors) > 1 else ():
            tree = put(tree, path, value)
    return typed(told)


def _changes(loaded: Loaded, tree: Any, name: str, factor: float) -> dict[tuple[str, ...], Any]:
    from servsim.model.errors import InputError
    from servsim.variation import changes

    assumption = loaded.scenario.assumptions.get(name)
    try:
        return changes(tree, assumption.settings, factor) if assumption else {}
    except InputError as error:
        where = loaded.composed.sources.where(("assumptions", name, "settings"))
        raise InputError(f"{where}: assumptions.{name}.settings: {error}") from None


COMMANDS = {
    "sensitivity": Command(
        _sensitivity,
        "[STUDY | SCENARIO …] [by=PERCENT] [key=value …]",
        "Which assumption would overturn the answer: each one lower and higher, alone, in all scenarios alike.\n"
        "Varies the assumptions that name their `settings`. Writes results/STUDY-sensitivity.",
        ("sensitivity fault_repair/peak_30", "sensitivity fault_repair by=5 replications=10"),
    ),
}
