"""Commands that let the clock run: run, compare, attribute, facts, follow."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from servsim.cli.asking import (
    Asked,
    all_loaded,
    asked_for,
    common_settings,
    one_of,
    split,
    to_compare,
    without_repetition,
)
from servsim.cli.command import DONE, NOT_HELD, Command
from servsim.cli.overturning import overturned
from servsim.cli.results import (
    console,
    progress_bar,
    reported,
    reported_attribution,
    results_folder,
    tell_failures,
    write_log,
)

if TYPE_CHECKING:
    from servsim.project import Project


def _run_one(args: argparse.Namespace) -> int:
    from servsim.experiment import run_one
    from servsim.project import find

    project = find(args.project)
    names, words = split(args.words)
    (loaded,) = all_loaded(project, [one_of(project, names, "run")], words)
    scenario, settings = loaded.scenario, loaded.settings
    folder = results_folder(project, settings, scenario.name)
    with progress_bar(settings.language) as progress:
        comparison = run_one(scenario, settings, progress, {scenario.name: loaded.composed.mapping})
    code = reported(comparison, folder, words)
    if args.log:
        write_log(scenario, settings, folder / f"log.{args.log}")
    return code


def _compare(args: argparse.Namespace) -> int:
    from servsim.compose import composing
    from servsim.experiment import compare
    from servsim.project import find, study_of

    project = find(args.project)
    names, words = split(args.words)
    with composing(project) as composer:
        asked, common = to_compare(composer, names, words)
    every = all_loaded(project, asked, common)
    pairs = {one.scenario.name: (how, one) for how, one in zip(dict.fromkeys(asked), every, strict=True)}
    loaded = without_repetition(every)
    settings = common_settings(loaded)
    folder = results_folder(project, settings, study_of(asked[0].name))
    configs = {one.scenario.name: one.composed.mapping for one in loaded}
    with progress_bar(settings.language) as progress:
        comparison = compare([one.scenario for one in loaded], settings, progress, configs)
    with progress_bar(settings.language) as progress:
        would = overturned(project, pairs, common, comparison, progress)
    return reported(comparison, folder, common, would)


def _attribute(args: argparse.Namespace) -> int:
    from servsim.attribution import Design
    from servsim.experiment import compare
    from servsim.project import combined, find, study_of

    project = find(args.project)
    names, words = split(args.words)
    design = Design.of(_measures(project, names))
    study = study_of(design.measures[0])
    asked = [Asked(combined(study, measures)) for measures in design.combinations]
    loaded = all_loaded(project, asked, words)
    settings = common_settings(loaded)
    folder = results_folder(project, settings, f"{study}-attribution")
    configs = {one.scenario.name: one.composed.mapping for one in loaded}
    with progress_bar(settings.language) as progress:
        comparison = compare([one.scenario for one in loaded], settings, progress, configs)
    return reported_attribution(comparison, design, folder, words)


def _measures(project: Project, names: Sequence[str]) -> list[str]:
    """The scenarios named, or those of a study that build on its baseline and nothing else. Raises InputError."""
    from servsim.attribution import MOST
    from servsim.model.errors import InputError
    from servsim.project import BASELINE, study_of

    study = project.study_named(names[0]) if len(names) == 1 else None if names else project.default_study()
    if study:
        baseline = project.scenario_named(f"{study}/{BASELINE}")
        variants = [name for name in project.variants(study) if name != baseline]
        measures = [name for name in variants if [file.name for file in project.chain(name)] == [baseline, name]]
    else:
        measures = list(dict.fromkeys(project.scenario_named(name) for name in names))
    other = next((name for name in measures if study_of(name) != study_of(measures[0])), None)
    if other:
        raise InputError(f"servsim attribute: {other} is of another study than {measures[0]}")
    if not 2 <= len(measures) <= MOST:
        told = f"{len(measures)} scenario{'' if len(measures) == 1 else 's'}"
        raise InputError(f"servsim attribute: expected 2 to {MOST} measures to take apart, got {told}; name them")
    return measures


def _facts(args: argparse.Namespace) -> int:
    from servsim.experiment import run_one
    from servsim.project import find
    from servsim.report.terminal import facts_table

    project = find(args.project)
    names, words = split(args.words)
    all_hold = True
    for one in all_loaded(project, _with_facts(project, names), words):
        scenario, language = one.scenario, one.settings.language
        if not scenario.facts:
            print(f"{scenario.name}: no facts are stated\n")
            continue
        with progress_bar(language) as progress:
            found = run_one(scenario, one.settings, progress, {scenario.name: one.composed.mapping})
        shown, hold = facts_table(found, language)
        console().print(shown)
        all_hold = tell_failures(found) == DONE and hold and all_hold
    return DONE if all_hold else NOT_HELD


def _with_facts(project: Project, names: Sequence[str]) -> list[Asked]:
    """The scenarios named, or the baselines of all studies."""
    from servsim.project import BASELINE

    every = [f"{study}/{BASELINE}" for study in project.studies if project.has(f"{study}/{BASELINE}")]
    return [asked_for(project, name) for name in names or every]


def _follow(args: argparse.Namespace) -> int:
    from servsim.model.errors import InputError
    from servsim.project import find
    from servsim.report.story import story
    from servsim.simulate import simulate

    project = find(args.project)
    names, words = split(args.words)
    numbers = {key: next((w.partition("=")[2] for w in words if w.startswith(f"{key}=")), None) for key in _NUMBERS}
    words = [word for word in words if word.partition("=")[0] not in numbers]
    if numbers["case"] is None:
        raise InputError("servsim follow: which case? for example: servsim follow desk/baseline case=17")
    (loaded,) = all_loaded(project, [one_of(project, names, "follow")], words)
    case, replication = (_number(key, numbers[key] or "0") for key in _NUMBERS)
    run = simulate(loaded.scenario, seed=loaded.settings.seed, replication=replication)
    print(story(run, case, loaded.settings.language))
    return DONE


_NUMBERS = ("case", "replication")


def _number(key: str, text: str) -> int:
    from servsim.model.errors import InputError

    if not text.isdecimal():
        raise InputError(f"command line: {key}: expected a whole number ≥ 0, got '{text}'")
    return int(text)


COMMANDS = {
    "run": Command(
        _run_one,
        "SCENARIO [key=value …] [--log csv|xes]",
        "All figures of one scenario with their intervals.\n"
        "Writes results/STUDY-VARIANT, in place of the last run there; experiment=NAME writes results/NAME.",
        ("run fault_repair/peak_30", "run fault_repair/peak_30 replications=50 seed=7", "run fault_repair --log xes"),
        (("--log", {"choices": ("csv", "xes"), "help": "also write the event log of replication 0"}),),
    ),
    "compare": Command(
        _compare,
        "[STUDY | SCENARIO …] [key=value …]",
        "Which scenario is better than the baseline, by how much, and how sure that is.\n"
        "The first scenario is the baseline. A setting with several values adds a scenario for each.\n"
        "Writes results/STUDY, in place of the last comparison there; experiment=NAME writes results/NAME.",
        (
            "compare fault_repair",
            "compare fault_repair/baseline fault_repair/peak_30 replications=50 seed=7 staffing.desk.day=12",
            "compare fault_repair/baseline staffing.desk.day=10,12,14 experiment=more_by_day",
            'compare fault_repair/baseline "staffing.desk.day=range(10,15,2)" dispatch=fcfs,edd',
        ),
    ),
    "attribute": Command(
        _attribute,
        "[STUDY | SCENARIO SCENARIO …] [key=value …]",
        "What each of several measures contributes to their joint effect, and which only work together.\n"
        "Runs all combinations of up to 6 measures, a fraction of them of up to 11. Writes results/STUDY-attribution.",
        ("attribute fault_repair", "attribute fault_repair/peak_30 fault_repair/escalate_30 replications=10"),
    ),
    "facts": Command(
        _facts,
        "[STUDY | SCENARIO …] [key=value …]",
        "What the sources report beside what the baseline simulates; exit code 1 where one is missed.",
        ("facts", "facts fault_repair replications=40"),
    ),
    "follow": Command(
        _follow,
        "SCENARIO case=NUMBER [replication=NUMBER] [key=value …]",
        "What happened to one case, step by step.",
        ("follow fault_repair/baseline case=17", "follow fault_repair/baseline case=17 replication=3 seed=7"),
    ),
}
