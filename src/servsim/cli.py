"""What can be asked for on the command line: `servsim list | show | check | run | compare | follow | new | hydra`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from servsim import __version__
from servsim.registry import suggestion

if TYPE_CHECKING:
    from rich.console import Console

    from servsim.compose import Composed, Composer
    from servsim.experiment import Comparison
    from servsim.model import Scenario, Settings
    from servsim.project import Project

DONE, NOT_HELD, BAD_INPUT = 0, 1, 2
"""Exit codes: done; a check did not hold, a replication failed or servsim is at fault; bad input."""

MOST_PROBLEMS = 8
_NAME_WITH_SETTINGS = re.compile(r"([^\[\]=]+)\[(.+)\]")
_UNFIT_FOR_FILES = re.compile(r'[\\/:*?"<>|]')
_NEXT_SETTING = re.compile(r",(?=[^,=\[\]{}]+=)")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code. Bad input never gives a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else BAD_INPUT
    except KeyboardInterrupt:
        print("\nstopped; nothing half-written is left", file=sys.stderr)
        return NOT_HELD
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        return _told(error, "--debug" in words)


def _told(error: Exception, debug: bool) -> int:
    from servsim.model.errors import InputError

    if debug:
        traceback.print_exc()
    if isinstance(error, InputError):
        problems = str(error).splitlines()
        more = len(problems) - MOST_PROBLEMS
        shown = problems[:MOST_PROBLEMS] + ([f"… and {more} more"] if more > 0 else [])
        print("\n".join(shown), file=sys.stderr)
        return BAD_INPUT
    what = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}".rstrip(": ")
    hint = "" if debug else "; the traceback comes with --debug"
    print(f"servsim: this is a fault of servsim, please report it ({what}){hint}", file=sys.stderr)
    return NOT_HELD


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return DONE
    if words[0] in ("-V", "--version", "version"):
        print(f"servsim {__version__}")
        return DONE
    name = next((word for word in words if not word.startswith("-")), words[0])
    if name not in COMMANDS:
        from servsim.model.errors import InputError

        raise InputError(f"servsim: there is no command '{name}'{suggestion(name, COMMANDS)}")
    words.remove(name)
    command = COMMANDS[name]
    if command.passes_on:
        return command.does(argparse.Namespace(words=[word for word in words if word != "--debug"]))
    return command.does(_parser(name, command).parse_intermixed_args(words))


# ---------------------------------------------------------------------- help
@dataclass(frozen=True)
class Command:
    """A command: what it does, in a line and with examples."""

    does: Callable[[argparse.Namespace], int]
    words: str
    help: str
    examples: tuple[str, ...]
    options: tuple[tuple[str, dict[str, Any]], ...] = ()
    passes_on: bool = False


class _Parser(argparse.ArgumentParser):
    """argparse with its complaints on one line."""

    def error(self, message: str) -> NoReturn:
        known = [option for action in self._actions for option in action.option_strings]
        wrong = next(iter(re.findall(r"(?<!\S)--?[\w-]+", message)), "")
        hint = suggestion(wrong, known) if "unrecognized" in message else ""
        print(f"{self.prog}: {message}{hint}; see {self.prog} --help", file=sys.stderr)
        raise SystemExit(BAD_INPUT)


def _parser(name: str, command: Command) -> _Parser:
    examples = "\n".join(f"  servsim {example}" for example in command.examples)
    parser = _Parser(
        prog=f"servsim {name}",
        usage=f"servsim {name} {command.words}".rstrip(),
        description=command.help,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    for option, how in command.options:
        parser.add_argument(option, **how)
    parser.add_argument(
        "--project", type=Path, metavar="DIR", help="the folder with scenarios/ (default: here or above)"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    return parser


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {command.help.splitlines()[0]}" for name, command in COMMANDS.items())
    return f"""usage: servsim COMMAND [SCENARIO …] [key=value …]

Rehearses changes of staffing, dispatch and process of a service before they are rolled out.

commands:
{lines}

A SCENARIO is study/variant, the file scenarios/study/variant.yaml; the study alone means all its variants in compare
and its baseline elsewhere. key=value sets any value of it: staffing.desk.day=12, dispatch=edd, clock.horizon="2 wk".

first steps:
  servsim list
  servsim compare fault_repair
  servsim compare fault_repair/baseline staffing.desk.day=10,12,14
  servsim new my_desk

`servsim COMMAND --help` tells more. Exit codes: 0 done, 1 a check did not hold or a replication failed, 2 bad input."""


# ---------------------------------------------------------------------- words → scenarios
@dataclass(frozen=True)
class Asked:
    """A scenario as named on the command line: desk/peak, or desk/peak[staffing.desk.day=12]."""

    name: str
    settings: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """What is added to its name; a sign that no file name may have becomes a dash."""
        return _UNFIT_FOR_FILES.sub("-", f"[{','.join(self.settings)}]") if self.settings else ""


@dataclass(frozen=True)
class Loaded:
    """A scenario ready to run, the settings that its files ask for, and the YAML that made it."""

    scenario: Scenario
    settings: Settings
    composed: Composed


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """(names, settings)"""
    if "=" in words:
        from servsim.model.errors import InputError

        raise InputError("command line: write a setting without spaces, for example replications=50")
    names = [word for word in words if "=" not in word.partition("[")[0] and word[:1] not in ("~", "+")]
    return names, [word for word in words if word not in names]


def _asked(project: Project, word: str) -> Asked:
    match = _NAME_WITH_SETTINGS.fullmatch(word)
    if match is None:
        return Asked(project.scenario_named(word))
    return Asked(project.scenario_named(match[1]), tuple(_NEXT_SETTING.split(match[2])))


def _composed(composer: Composer, asked: Asked, settings: Sequence[str]) -> Composed:
    return composer.scenario(asked.name, [*settings, *asked.settings], asked.suffix)


def _loaded(composer: Composer, asked: Asked, settings: Sequence[str]) -> Loaded:
    from servsim.compose import build

    composed = _composed(composer, asked, settings)
    return Loaded(*build(composed, composer.project), composed)


def _all_loaded(project: Project, asked: Sequence[Asked], settings: Sequence[str]) -> list[Loaded]:
    """All of them, or all that is wrong with them."""
    from servsim.compose import composing
    from servsim.model.errors import InputError

    loaded, problems = [], []
    with composing(project) as composer:
        for one in dict.fromkeys(asked):
            try:
                loaded.append(_loaded(composer, one, settings))
            except InputError as error:
                problems += str(error).splitlines()
    if problems:
        raise InputError("\n".join(dict.fromkeys(problems)))
    return loaded


def _one(project: Project, names: Sequence[str], command: str) -> Asked:
    from servsim.model.errors import InputError

    if len(names) != 1:
        example = next(iter(project.names), "desk/baseline")
        much = "one scenario" if names else "a scenario"
        raise InputError(f"servsim {command}: name {much}, for example: servsim {command} {example}")
    return _asked(project, names[0])


def _several(project: Project, names: Sequence[str], command: str) -> list[Asked]:
    return [_asked(project, name) for name in names] or [_one(project, names, command)]


# ---------------------------------------------------------------------- list, show, check
def _list(args: argparse.Namespace) -> int:
    from servsim.project import find

    project = find(args.project)
    names, settings = _split(args.words)
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


_LANGUAGES = ("en", "zh")


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
    from servsim.sources import read

    chosen = next((word.partition("=")[2] for word in settings if word.startswith("language=")), None)
    shared = project.conf / "project.yaml"
    node = read(shared).get("language") if chosen is None and shared.is_file() else None
    language = chosen or (str(node.value) if node else "en")
    if language not in _LANGUAGES:
        raise InputError(f"language: there is no '{language}'{suggestion(language, _LANGUAGES)}")
    return language


def _label(label: Any, language: str) -> str:
    if isinstance(label, dict):
        return str(label.get(language) or next(iter(label.values()), ""))
    return str(label or "")


def _show(args: argparse.Namespace) -> int:
    from servsim.compose import composing
    from servsim.project import find

    project = find(args.project)
    names, settings = _split(args.words)
    with composing(project) as composer:
        combinations = composer.expand(settings)
    asked = _several(project, names, "show")
    loaded = [one for combination in combinations for one in _all_loaded(project, asked, combination)]
    print("---\n".join(one.composed.to_yaml() for one in loaded), end="")
    return DONE


def _check(args: argparse.Namespace) -> int:
    from servsim.lint import lint
    from servsim.project import find

    project = find(args.project)
    names, settings = _split(args.words)
    holds = True
    for loaded in _all_loaded(project, _several(project, names, "check"), settings):
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


# ---------------------------------------------------------------------- run, compare, follow
def _run_one(args: argparse.Namespace) -> int:
    from servsim.experiment import run_one
    from servsim.project import find

    project = find(args.project)
    names, words = _split(args.words)
    (loaded,) = _all_loaded(project, [_one(project, names, "run")], words)
    scenario, settings = loaded.scenario, loaded.settings
    folder = _results_folder(project, settings, scenario.name)
    with _progress(settings.language) as progress:
        comparison = run_one(scenario, settings, progress, {scenario.name: loaded.composed.mapping})
    code = _reported(comparison, folder, words)
    if args.log:
        _write_log(scenario, settings, folder / f"log.{args.log}")
    return code


def _compare(args: argparse.Namespace) -> int:
    from servsim.compose import composing
    from servsim.experiment import compare
    from servsim.project import find, study_of

    project = find(args.project)
    names, words = _split(args.words)
    with composing(project) as composer:
        asked, common = _to_compare(composer, names, words)
    loaded = _without_repetition(_all_loaded(project, asked, common))
    settings = _common_settings(loaded)
    folder = _results_folder(project, settings, study_of(asked[0].name))
    configs = {one.scenario.name: one.composed.mapping for one in loaded}
    with _progress(settings.language) as progress:
        comparison = compare([one.scenario for one in loaded], settings, progress, configs)
    return _reported(comparison, folder, common)


def _to_compare(composer: Composer, names: Sequence[str], words: Sequence[str]) -> tuple[list[Asked], list[str]]:
    """(scenarios, the baseline first; settings that hold for all of them).

    One scenario alone is compared with its study's baseline. A swept setting adds, behind the first scenario as it is,
    every scenario with each of its values: desk/peak[staffing.desk.day=12].
    """
    asked = _scenarios_to_compare(composer.project, names)
    common = [word for word in words if not composer.expand([word])[1:]]
    swept = [word for word in words if word not in common]
    if not swept:
        return asked, common
    _refuse_sweeps_of_settings(swept)
    each = [Asked(one.name, (*one.settings, *values)) for one in asked for values in composer.expand(swept)]
    return [asked[0], *each], common


def _scenarios_to_compare(project: Project, names: Sequence[str]) -> list[Asked]:
    from servsim.model.errors import InputError
    from servsim.project import BASELINE, study_of

    if not names:
        study = project.default_study()
        if study is None:
            raise InputError(f"servsim compare: name a study{suggestion('', project.studies)}")
        names = [study]
    asked: list[Asked] = []
    for name in names:
        study = project.study_named(name)
        if study:
            project.scenario_named(f"{study}/{BASELINE}")
        asked += [Asked(each) for each in project.variants(study)] if study else [_asked(project, name)]
    first = asked[0]
    baseline = f"{study_of(first.name)}/{BASELINE}"
    alone = len(asked) == 1 and (first.name != baseline or first.settings) and project.has(baseline)
    return [Asked(baseline), first] if alone else asked


def _refuse_sweeps_of_settings(swept: Sequence[str]) -> None:
    from servsim.model import Settings
    from servsim.model.errors import InputError

    for word in swept:
        key = word.partition("=")[0]
        if key.partition(".")[0] in (*Settings.model_fields, "run"):
            raise InputError(f"command line: '{word}': {key} holds for the whole experiment and takes one value")


def _without_repetition(loaded: Sequence[Loaded]) -> list[Loaded]:
    """Without swept scenarios that are the first one as it is."""

    def content(one: Loaded) -> Any:
        return one.scenario.model_copy(update={"name": "", "label": None})

    first = loaded[0]
    same = [one for one in loaded[1:] if "[" in one.scenario.name and content(one) == content(first)]
    for one in same:
        print(f"note: {one.scenario.name} is {first.scenario.name} as it is", file=sys.stderr)
    return [one for one in loaded if one not in same]


def _common_settings(loaded: Sequence[Loaded]) -> Settings:
    """The baseline's settings hold for all; says so where another scenario asks for something else."""
    settings = loaded[0].settings
    for one in loaded[1:]:
        for key in type(settings).model_fields:
            theirs, ours = getattr(one.settings, key), getattr(settings, key)
            if theirs != ours:
                print(f"note: {one.scenario.name} asks for {key} {theirs}; {ours} holds for all", file=sys.stderr)
    return settings


def _follow(args: argparse.Namespace) -> int:
    from servsim.model.errors import InputError
    from servsim.project import find
    from servsim.report.story import story
    from servsim.simulate import simulate

    project = find(args.project)
    names, words = _split(args.words)
    numbers = {key: next((w.partition("=")[2] for w in words if w.startswith(f"{key}=")), None) for key in _NUMBERS}
    words = [word for word in words if word.partition("=")[0] not in numbers]
    if numbers["case"] is None:
        raise InputError("servsim follow: which case? for example: servsim follow desk/baseline case=17")
    (loaded,) = _all_loaded(project, [_one(project, names, "follow")], words)
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


# ---------------------------------------------------------------------- results
def _results_folder(project: Project, settings: Settings, otherwise: str) -> Path:
    """results/<experiment>; raises InputError before anything is simulated if it could not be written there."""
    from servsim.model.errors import InputError
    from servsim.sources import is_writable, shown

    name = settings.experiment or _UNFIT_FOR_FILES.sub("-", otherwise)
    if Path(name).name != name or name in ("", ".", ".."):
        raise InputError(f"experiment: '{name}' is not the name of a folder; write for example experiment=trial_1")
    folder = project.root / settings.results / name
    in_the_way = next((place for place in (folder, *folder.parents) if place.exists() and not place.is_dir()), None)
    if in_the_way:
        raise InputError(f"results: {shown(in_the_way)} is a file, so {shown(folder)} cannot be written; set results=…")
    if not is_writable(folder):
        raise InputError(f"results: {shown(folder)} cannot be written; set results=… to a folder of yours")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "provenance.json").is_file():
        raise InputError(f"results: {shown(folder)} holds files that are not servsim's; choose another experiment=…")
    return folder


_LOGS = ("log.csv", "log.xes")
"""What `run --log` writes beside the report; left there by an earlier run, it would not belong to other figures."""


def _tells_of(folder: Path, comparison: Comparison) -> bool:
    """Whether an event log in the folder is that of replication 0 of the comparison's only scenario."""
    try:
        before = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["event_logs"]
    except (OSError, ValueError, KeyError):
        return False
    digests = {f"{name} {n}": digest for (name, n), digest in comparison.digests.items() if n == 0}
    return {f"{name} 0": logs.get("0") for name, logs in before.items()} == digests


def _reported(comparison: Comparison, folder: Path, common: Sequence[str]) -> int:
    """Prints the tables and writes the report; the exit code. `common`: the settings typed for all scenarios."""
    from servsim.report import write
    from servsim.report.terminal import comparison_table, run_table
    from servsim.sources import shown

    language = comparison.settings.language
    table = comparison_table if len(comparison.scenarios) > 1 else run_table
    _console().print(table(comparison, language))
    stale = [] if _tells_of(folder, comparison) else [folder / log for log in _LOGS]
    with _writing(folder):
        write(comparison, folder, language, common)
        for log in stale:
            log.unlink(missing_ok=True)
    print(f"\n{shown(folder)}/report.md")
    for failure in comparison.failures.itertuples(index=False):
        who = f"{failure.scenario} replication {failure.replication} seed {failure.seed}"
        print(f"failed: {who}: {failure.message}", file=sys.stderr)
    return NOT_HELD if len(comparison.failures) else DONE


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


@contextlib.contextmanager
def _progress(language: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task({"zh": "仿真中"}.get(language, "simulating"), total=None)
        yield lambda done, planned: bar.update(task, completed=done, total=planned)


def _write_log(scenario: Scenario, settings: Settings, path: Path) -> None:
    """The event log of replication 0."""
    from servsim.report.logs import write_csv, write_xes
    from servsim.simulate import simulate
    from servsim.sources import shown

    write = {".csv": write_csv, ".xes": write_xes}[path.suffix]
    with _writing(path):
        write(simulate(scenario, seed=settings.seed, replication=0), path)
    print(shown(path))


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """What cannot be written is bad input: the place was chosen by the user."""
    from servsim.model.errors import InputError
    from servsim.sources import shown

    try:
        yield
    except OSError as error:
        raise InputError(f"results: {shown(path)} cannot be written ({error.strerror or error})") from error


# ---------------------------------------------------------------------- new, hydra
def _new(args: argparse.Namespace) -> int:
    from servsim.model.errors import InputError
    from servsim.sources import shown
    from servsim.template import copy_to

    if len(args.words) != 1:
        raise InputError("servsim new: name the folder, for example: servsim new my_desk")
    folder = (args.project or Path()) / args.words[0]
    try:
        copy_to(folder)
    except OSError as error:
        raise InputError(f"{shown(folder)}: cannot be written ({error.strerror or error})") from error
    typed = f'"{folder}"' if re.search(r"\s", str(folder)) else folder
    print(f"wrote a small project to {shown(folder)}/. Next:\n  cd {typed}\n  servsim list\n  servsim compare")
    return DONE


def _hydra(args: argparse.Namespace) -> int:
    from servsim.hydra_app import run

    return run(args.words)


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
    "follow": Command(
        _follow,
        "SCENARIO case=NUMBER [replication=NUMBER] [key=value …]",
        "What happened to one case, step by step.",
        ("follow fault_repair/baseline case=17", "follow fault_repair/baseline case=17 replication=3 seed=7"),
    ),
    "new": Command(_new, "FOLDER", "Writes a small commented project to start from.", ("new my_desk",)),
    "hydra": Command(
        _hydra,
        "[SCENARIO] [key=value …] [--multirun] [Hydra's options]",
        "The same configurations through @hydra.main: --multirun, launchers, sweepers.",
        ("hydra fault_repair/baseline --multirun staffing.desk.day=10,12,14",),
        passes_on=True,
    ),
}

if __name__ == "__main__":
    sys.exit(main())
