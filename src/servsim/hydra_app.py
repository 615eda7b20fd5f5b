"""How do the same configurations run through @hydra.main, for --multirun, launchers and sweepers?

    servsim hydra fault_repair/baseline --multirun staffing.desk.day=10,12,14

Each job simulates one scenario, writes its report to Hydra's output folder under results/hydra/ and returns the mean of
the first headline KPI, the figure that a sweeper minimises or maximises.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from servsim.compose import VERSION, ProjectSearchPath, build, composing, parse, register
from servsim.model.errors import InputError
from servsim.project import Project, find

_TAKES_A_WORD = ("--cfg", "-c", "--info", "-i", "--package", "-p", "--config-name", "-cn", "--config-dir", "-cd")
_SWEEPS = ("--multirun", "-m")
_ROOM = 300
"""Letters that the second line of a message of Hydra's may take."""


def run(words: Sequence[str]) -> int:
    """Runs Hydra's application on the words of the command line; the exit code. Raises InputError."""
    place, words = _project(words)
    project = find(place)
    translated = _translated(project, words)
    before = ProjectSearchPath.project
    ProjectSearchPath.project = project
    register()
    try:
        with contextlib.chdir(project.root), _command_line(["servsim hydra", *translated]):
            _job()
    except (HydraException, OmegaConfBaseException) as error:
        lines = [line.strip() for part in (error, error.__cause__) if part for line in str(part).splitlines() if line]
        more = " ".join(lines[1:]).partition(" Config search path")[0][:_ROOM]
        raise InputError("\n".join(filter(None, [*lines[:1], more]))) from error
    finally:
        ProjectSearchPath.project = before
    return 0


@contextlib.contextmanager
def _command_line(words: list[str]) -> Iterator[None]:
    """Hydra reads sys.argv; and its own printer of errors is switched off, so that they come out to us."""
    before, variable = (sys.argv, os.environ.get("HYDRA_FULL_ERROR")), "HYDRA_FULL_ERROR"
    sys.argv, os.environ[variable] = words, "1"
    try:
        yield
    finally:
        sys.argv = before[0]
        if before[1] is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before[1]


def _project(words: Sequence[str]) -> tuple[Path | None, list[str]]:
    """(the folder behind --project, the other words)"""
    rest = list(words)
    if "--project" not in rest:
        return None, rest
    at = rest.index("--project")
    if at + 1 == len(rest):
        raise InputError("servsim hydra: --project needs a folder")
    return Path(rest[at + 1]), rest[:at] + rest[at + 2 :]


def _translated(project: Project, words: Sequence[str]) -> list[str]:
    """Our words in Hydra's grammar: scenarios as plain words, settings that the YAML lacks, any text as a value.

    Settings come before options: Hydra does not take them on both sides of an option.
    """
    names, settings, options = _sorted_out(words)
    sweeping = any(word in _SWEEPS for word in options)
    scenarios = [name for word in names for name in _scenarios(project, word, sweeping)]
    elsewhere = (project.conf / "config.yaml").is_file() or any(map(_is_hydras, settings))
    if not scenarios and not elsewhere and all(word in _SWEEPS for word in options):
        raise InputError("servsim hydra: name a scenario, for example: servsim hydra desk/baseline")
    _check(project, scenarios, settings)
    chosen = [f"scenarios={','.join(scenarios)}"] if scenarios else []
    return [*chosen, *(_setting(project, word) for word in settings), *options]


def _sorted_out(words: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """(names of scenarios, settings, Hydra's options with their values)"""
    names: list[str] = []
    settings: list[str] = []
    options: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        if word.startswith("-") or before in _TAKES_A_WORD:
            options.append(word)
        elif "=" in word or word.startswith("~"):
            settings.append(word)
        else:
            names.append(word)
    return names, settings, options


def _scenarios(project: Project, word: str, sweeping: bool) -> Iterator[str]:
    for name in word.split(","):
        study = project.study_named(name) if sweeping else None
        yield from project.variants(study) if study else [project.scenario_named(name)]


def _check(project: Project, scenarios: Sequence[str], settings: Sequence[str]) -> None:
    """InputError, before Hydra makes any folder, for scenarios that are not sound with the first values of a sweep."""
    ours = [word.lstrip("+") for word in settings if not _is_hydras(word) and not _is_for_a_sweeper(word)]
    with composing(project) as composer:
        first = [composer.expand([word])[0][0] for word in ours]
        for name in scenarios:
            build(composer.scenario(name, first), project)


def _is_for_a_sweeper(word: str) -> bool:
    """interval(1,10), glob(*): only a sweeper knows the values."""
    return any(f"{what}(" in word for what in ("interval", "glob"))


def _is_hydras(word: str) -> bool:
    return word.lstrip("+~").startswith(("hydra.", "hydra/"))


def _setting(project: Project, word: str) -> str:
    if _is_hydras(word) or word.startswith("~"):
        return word
    if _is_for_a_sweeper(word):
        key = word.lstrip("+").partition("=")[0]
        return word if key in project.groups else f"++{word.lstrip('+')}"
    setting = parse(word, project)
    if setting.group:
        return word
    key, value = word.lstrip("+").partition("=")[::2]
    return f"++{key}={value if _is_grammatical(value) else _quoted(value)}"


def _is_grammatical(value: str) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    try:
        OverridesParser.create().parse_override(f"key={value}")
    except HydraException:
        return False
    return True


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@hydra.main(config_path="pkg://servsim.conf", config_name="config", **VERSION)
def _job(config: DictConfig) -> float:
    """One scenario, with what Hydra chose for this job; the mean of the first headline KPI."""
    from servsim.experiment import run_one
    from servsim.report import write

    hydra_config: Any = HydraConfig.get()
    name = hydra_config.runtime.choices.get("scenarios")
    if not name:
        raise InputError("servsim hydra: name a scenario, for example: servsim hydra desk/baseline")
    words = [str(word).lstrip("+") for word in hydra_config.overrides.task if not str(word).startswith("scenarios=")]
    project = find(Path.cwd())
    with composing(project) as composer:
        composed = composer.scenario(str(name), words)
    scenario, settings = build(composed, project)
    comparison = run_one(scenario, settings, None, {scenario.name: composed.mapping})
    folder = Path(hydra_config.runtime.output_dir)
    write(comparison, folder, settings.language, words)
    objective = _mean(comparison, settings.headline[0])
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    print(f"{' '.join([scenario.name, *words])}: {settings.headline[0]} {objective:.6g}  {shown.as_posix()}/report.md")
    return objective


def _mean(comparison: Any, kpi: str) -> float:
    summary = comparison.summary
    values = summary.loc[(summary["kpi"] == kpi) & (summary["group"] == "all"), "mean"]
    return float(values.iloc[0]) if len(values) else float("nan")
