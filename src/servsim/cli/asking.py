"""Which scenarios and settings the words of a command line mean."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from servsim.registry import suggestion

if TYPE_CHECKING:
    from servsim.compose import Composed, Composer
    from servsim.model import Scenario, Settings
    from servsim.project import Project

UNFIT_FOR_FILES = re.compile(r'[\\/:*?"<>|]')
_UNFIT_FOR_NAMES = re.compile(r"[^ -~]|[\\/]")
_NAME_WITH_SETTINGS = re.compile(r"([^\[\]=]+)\[(.+)\]")
_NEXT_SETTING = re.compile(r",(?=[^,=\[\]{}]+=)")


@dataclass(frozen=True)
class Asked:
    """A scenario as named on the command line: desk/peak, or desk/peak[staffing.desk.day=12]."""

    name: str
    settings: tuple[str, ...] = ()
    called: str = ""  # what its name says of `varied`
    varied: tuple[str, ...] = ()  # settings that its name does not spell out

    @property
    def suffix(self) -> str:
        """What is added to its name: its settings without quotes, and what it is called."""
        told = ",".join([*(_unquoted(setting) for setting in self.settings), *filter(None, [self.called])])
        return f"[{_UNFIT_FOR_NAMES.sub('-', told)}]" if told else ""


@dataclass(frozen=True)
class Loaded:
    """A scenario ready to run, the settings that its files ask for, and the YAML that made it."""

    scenario: Scenario
    settings: Settings
    composed: Composed


def _unquoted(setting: str) -> str:
    key, sign, value = setting.partition("=")
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return f"{key}{sign}{value[1:-1] if quoted else value}"


def split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """(names, settings)"""
    if "=" in words:
        from servsim.model.errors import InputError

        raise InputError("command line: write a setting without spaces, for example replications=50")
    names = [word for word in words if "=" not in word.partition("[")[0] and word[:1] not in ("~", "+")]
    return names, [word for word in words if word not in names]


def asked_for(project: Project, word: str) -> Asked:
    match = _NAME_WITH_SETTINGS.fullmatch(word)
    if match is None:
        return Asked(project.scenario_named(word))
    return Asked(project.scenario_named(match[1]), tuple(_NEXT_SETTING.split(match[2])))


def _composed(composer: Composer, asked: Asked, settings: Sequence[str]) -> Composed:
    return composer.scenario(asked.name, [*settings, *asked.settings, *asked.varied], asked.suffix)


def _loaded(composer: Composer, asked: Asked, settings: Sequence[str]) -> Loaded:
    from servsim.compose import build

    composed = _composed(composer, asked, settings)
    return Loaded(*build(composed, composer.project), composed)


def all_loaded(project: Project, asked: Sequence[Asked], settings: Sequence[str]) -> list[Loaded]:
    """All of them, or all that is wrong with them."""
    from servsim.compose import composing
    from servsim.model.errors import InputError

    loaded: list[Loaded] = []
    problems: dict[str, list[str]] = {}
    wanted = list(dict.fromkeys(asked))
    with composing(project) as composer:
        for one in wanted:
            try:
                loaded.append(_loaded(composer, one, settings))
            except InputError as error:
                for line in str(error).splitlines():
                    problems.setdefault(line, []).append(one.name)
    if problems:
        raise InputError("\n".join(_of(line, names, len(wanted)) for line, names in problems.items()))
    return loaded


def _of(problem: str, names: Sequence[str], wanted: int) -> str:
    """A typed setting that suits only some of the scenarios names one that it does not suit."""
    from servsim.sources import COMMAND_LINE

    partly = problem.startswith(COMMAND_LINE) and len(names) < wanted
    return f"{problem} (in {names[0]})" if partly else problem


def one_of(project: Project, names: Sequence[str], command: str) -> Asked:
    from servsim.model.errors import InputError

    if len(names) != 1:
        example = next(iter(project.names), "desk/baseline")
        much = "one scenario" if names else "a scenario"
        raise InputError(f"servsim {command}: name {much}, for example: servsim {command} {example}")
    return asked_for(project, names[0])


def several(project: Project, names: Sequence[str], command: str) -> list[Asked]:
    return [asked_for(project, name) for name in names] or [one_of(project, names, command)]


# ---------------------------------------------------------------------- what is compared
def to_compare(composer: Composer, names: Sequence[str], words: Sequence[str]) -> tuple[list[Asked], list[str]]:
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
        asked += [Asked(each) for each in project.variants(study)] if study else [asked_for(project, name)]
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


def without_repetition(loaded: Sequence[Loaded]) -> list[Loaded]:
    """Without swept scenarios that are the first one as it is."""

    def content(one: Loaded) -> Any:
        return one.scenario.model_copy(update={"name": "", "label": None})

    first = loaded[0]
    same = [one for one in loaded[1:] if "[" in one.scenario.name and content(one) == content(first)]
    for one in same:
        print(f"note: {one.scenario.name} is {first.scenario.name} as it is", file=sys.stderr)
    return [one for one in loaded if one not in same]


def common_settings(loaded: Sequence[Loaded]) -> Settings:
    """The baseline's settings hold for all; says so where another scenario asks for something else."""
    settings = loaded[0].settings
    for one in loaded[1:]:
        for key in type(settings).model_fields:
            theirs, ours = getattr(one.settings, key), getattr(settings, key)
            if theirs != ours:
                print(f"note: {one.scenario.name} asks for {key} {theirs}; {ours} holds for all", file=sys.stderr)
    return settings
