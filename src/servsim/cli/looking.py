"""Commands that look at scenarios without running them: list, show, check."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from servsim.cli.asking import all_loaded, several, split
from servsim.cli.command import BAD_INPUT, DONE, NOT_HELD, Command
from servsim.registry import suggestion

if TYPE_CHECKING:
    from servsim.project import Project


def _list(args: argparse.Namespace) -> int:
    from servsim.project import find

    project = find(args.project)
    names, settings = split(args.words)
    language, broken = _language(project, settings), False
    for study in _studies(project, names):
        scenarios = project.variants(study) if study else [name for name in project.names if "/" not in name]
        width = max(map(len, scenarios))
        for name in scenarios:
            label, what, sound = _described(project, name, language)
            broken = broken or not sound
            print(f"{name:<{width}}  {label}".rstrip())
            for line in _wrapped(what):
                print(f"    {line}")
        print()
    for name in project.unusable_names() if not names else ():
        print(f"scenarios/{name}.yaml is left out: scenario names are ASCII letters, digits, _ and -")
    return BAD_INPUT if broken else DONE


def _wrapped(text: str) -> list[str]:
    """Lines that fit the terminal."""
    room = min(shutil.get_terminal_size().columns, 120) - 6
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)


def _described(project: Project, name: str, language: str) -> tuple[str, str, bool]:
    """(label, what it changes or what is wrong with it, whether it can be read)"""
    from servsim.model.errors import InputError
    from servsim.project import BASELINE, changes, variant_of

    try:
        chain = project.chain(name)
    except InputError as error:
        return "", str(error), False
    own = next(file for file in chain if file.name == name)
    what = "" if variant_of(name) == BASELINE else changes([*(file for file in chain if file is not own), own])
    return _label(own.own().get("label"), language), what, True


def _studies(project: Project, names: Sequence[str]) -> list[str]:
    """Studies to list; '' stands for scenarios outside of any."""
    from servsim.model.errors import InputError

    for name in names:
        if name.rstrip("/") not in project.studies:
            raise InputError(f"there is no study '{name}'{suggestion(name, project.studies)}")
    alone = [""] if any("/" not in name for name in project.names) else []
    return [name.rstrip("/") for name in names] or [*project.studies, *alone]


def _language(project: Project, settings: Sequence[str]) -> str:
    from servsim.model.errors import InputError
    from servsim.project import LANGUAGES
    from servsim.sources import read

    chosen = next((word.partition("=")[2] for word in settings if word.startswith("language=")), None)
    shared = project.conf / "project.yaml"
    node = read(shared).get("language") if chosen is None and shared.is_file() else None
    language = chosen or (str(node.value) if node else "en")
    if language not in LANGUAGES:
        raise InputError(f"language: there is no '{language}'{suggestion(language, LANGUAGES)}")
    return language


def _label(label: Any, language: str) -> str:
    if isinstance(label, dict):
        return str(label.get(language) or next(iter(label.values()), ""))
    return str(label or "")


def _show(args: argparse.Namespace) -> int:
    from servsim.compose import composing
    from servsim.project import find

    project = find(args.project)
    names, settings = split(args.words)
    with composing(project) as composer:
        combinations = composer.expand(settings)
    asked = several(project, names, "show")
    loaded = [one for combination in combinations for one in all_loaded(project, asked, combination)]
    print("---\n".join(one.composed.to_yaml() for one in loaded), end="")
    return DONE


def _check(args: argparse.Namespace) -> int:
    from servsim.lint import lint
    from servsim.project import find

    project = find(args.project)
    names, settings = split(args.words)
    holds = True
    for loaded in all_loaded(project, several(project, names, "check"), settings):
        findings = lint(loaded.scenario)
        errors = [finding for finding in findings if finding.severity == "error"]
        holds = holds and not errors
        print(f"{loaded.scenario.name}: {_verdict(len(errors), len(findings) - len(errors))}")
        for finding in findings:
            place = loaded.composed.sources.where(finding.where.split("."))
            print(f"  {finding.severity}: {place}: {finding.where}: {finding.message}")
    return DONE if holds else NOT_HELD


def _verdict(errors: int, warnings: int) -> str:
    counted = [f"{n} {what}{'' if n == 1 else 's'}" for n, what in ((errors, "error"), (warnings, "warning")) if n]
    return ", ".join(counted) or "nothing to complain about"


COMMANDS = {
    "list": Command(
        _list,
        "[STUDY …]",
        "The case studies of this project, their scenarios and what each changes.",
        ("list", "list fault_repair", "list language=zh"),
    ),
    "show": Command(
        _show,
        "SCENARIO … [key=value …]",
        "The YAML of a scenario once everything that it builds on is put together.",
        (
            "show fault_repair/peak_30",
            "show fault_repair/peak_30 staffing.desk.day=12",
            "show fault_repair dispatch=fcfs,edd",
        ),
    ),
    "check": Command(
        _check,
        "SCENARIO … [key=value …]",
        "Whether a scenario is sound: settings, offered load against capacity, steps that nobody can do.",
        ("check fault_repair/peak_30", "check fault_repair/baseline staffing.desk.day=4"),
    ),
}
