"""Which folder is the project, which scenarios does it hold, and what does each build on?

A project is a folder with `scenarios/` (and usually `conf/`). `scenarios/desk/peak.yaml` is the scenario `desk/peak`, a
variant of the case study `desk`; `scenarios/desk/baseline.yaml` is what its variants are compared with. Files and
folders whose name begins with `_` are parts to build on, not scenarios.

How variants build on each other. A variant names in its `defaults` the scenarios that it starts from, and then says
only what differs:

    # @package _global_
    defaults: [baseline, _self_]              # or [peak, priority, _self_] for two measures together
    staffing: {desk: {day: 13}}

All files below a variant are put in one line: parents before children, in the order in which they are named, each
once. Later files win, in their values as in their choices (`- override /dispatch: edd`). Hydra alone composes a file
twice when two parents share it, and then takes the choices of the one and the values of the other; `Project.chain` is
why that does not happen here. `desk/peak+priority` is a scenario without a file: both variants together.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from servsim.model.errors import InputError
from servsim.registry import suggestion
from servsim.sources import YamlFile, dotted, entries, parsed, plain, read, shown

BASELINE = "baseline"
JOINED = "+"
LANGUAGES = ("en", "zh")
SELF = "_self_"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
DEFAULTS = Path(__file__).parent / "conf"
"""Groups and settings that come with servsim."""


@dataclass(frozen=True)
class ScenarioFile:
    """A scenario as written: what it builds on, which options it chooses, what it sets itself."""

    name: str
    yaml: YamlFile
    order: tuple[str, ...]  # names of parents, and SELF where its own settings come in
    choices: Mapping[str, Any]  # group → option
    parts: tuple[Any, ...]  # other entries of its defaults, as Hydra reads them

    @property
    def parents(self) -> tuple[str, ...]:
        return tuple(name for name in self.order if name != SELF)

    def own(self) -> dict[str, Any]:
        """What the file sets itself, without its defaults."""
        return {key: plain(value) for key, (_, value) in entries(self.yaml.root).items() if key != "defaults"}


@dataclass(frozen=True)
class Project:
    """A folder with scenarios."""

    root: Path

    @property
    def scenarios(self) -> Path:
        return self.root / "scenarios"

    @property
    def conf(self) -> Path:
        return self.root / "conf"

    # ------------------------------------------------------------------ names
    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every scenario, by study; the baseline of a study first."""
        found = [name for name in self._files if _NAME.fullmatch(name) and not _is_part(name)]
        return tuple(sorted(found, key=lambda name: (study_of(name), variant_of(name) != BASELINE, name)))

    @property
    def studies(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(study_of(name) for name in self.names if "/" in name))

    def variants(self, study: str) -> tuple[str, ...]:
        """The scenarios of a study, the baseline first."""
        return tuple(name for name in self.names if study_of(name) == study and "/" in name)

    def unusable_names(self) -> tuple[str, ...]:
        """Files that cannot be scenarios because of their name."""
        return tuple(name for name in self._files if not _NAME.fullmatch(name))

    @cached_property
    def _files(self) -> tuple[str, ...]:
        files = self.scenarios.rglob("*.yaml")
        return tuple(sorted(path.relative_to(self.scenarios).with_suffix("").as_posix() for path in files))

    def path(self, name: str) -> Path:
        return self.scenarios / f"{name}.yaml"

    def file(self, name: str) -> YamlFile:
        """The scenario's file; of several joined, a text that gives them a label and sets nothing else."""
        if JOINED not in name:
            return read(self.path(name))
        labels = [self.file(part).get("label") for part in parts_of(name)]
        told = [_by_language(plain(label), part) for label, part in zip(labels, parts_of(name), strict=True)]
        label = {language: f" {JOINED} ".join(text[language] for text in told) for language in LANGUAGES}
        return parsed(self.path(name), json.dumps({"label": label}, ensure_ascii=False))

    def has(self, name: str) -> bool:
        """Is there such a file (names are told apart by case on every system)?"""
        return bool(_NAME.fullmatch(name)) and name in self._files

    def scenario_named(self, word: str) -> str:
        """The scenario that a word means: 'desk/peak', 'scenarios/desk/peak.yaml', or 'desk' for its baseline.

        Raises InputError, with what was probably meant, where there is none.
        """
        name = _as_name(word)
        if JOINED in name:
            return self._joined(name)
        if self.has(name):
            return name
        if self.has(f"{name}/{BASELINE}"):
            return f"{name}/{BASELINE}"
        raise InputError(self._unknown(word, name))

    def _joined(self, name: str) -> str:
        """'desk/peak+priority' of itself and of 'desk/peak+desk/priority'. Raises InputError where one is missing."""
        if not all(re.split(r"[+/]", name)) or "/" not in name.partition(JOINED)[0]:
            raise InputError(f"'{name}': write the study and its variants, for example desk/peak{JOINED}priority")
        study = study_of(name)
        parts = [part if "/" in part else f"{study}/{part}" for part in name.split(JOINED)]
        found = dict.fromkeys(self.scenario_named(part) for part in parts)
        other = next((part for part in found if study_of(part) != study), None)
        if other:
            raise InputError(f"'{name}': only scenarios of one study can be joined, and {other} is of another")
        return f"{study}/{JOINED.join(map(variant_of, found))}"

    def study_named(self, word: str) -> str | None:
        """The study that a word means, None if it means a scenario or nothing."""
        name = _as_name(word)
        return name if name in self.studies and not self.has(name) else None

    def _unknown(self, word: str, name: str) -> str:
        if not name.isascii():
            return (
                f"'{word}': scenario names are ASCII letters, digits, _ and -; name the file e.g. peak.yaml and write "
                f"the Chinese name in it as label: {{zh: {posixpath.basename(name)}}}{self._known('')}"
            )
        study = name.removesuffix(f"/{BASELINE}")
        if self.variants(study):
            return f"the study '{study}' has no {BASELINE}.yaml{suggestion('', self.variants(study))}"
        if self.path(name).with_suffix(".yml").exists():
            return f"{shown(self.path(name).with_suffix('.yml'))}: rename it to {posixpath.basename(name)}.yaml"
        return f"there is no scenario '{word}'{self._known(name)}"

    def _known(self, name: str) -> str:
        """A suggestion among scenarios and studies; a variant's name alone is understood too."""
        short = [full for full in self.names if "/" in full and variant_of(full) == name]
        if short:
            return suggestion(short[0], short)
        hint = suggestion(name, [*self.names, *self.studies])
        if hint.startswith("; did") or "/" in name:
            return hint
        variants = {variant_of(full): full for full in reversed(self.names)}
        near = suggestion(name, variants)
        meant = [variants[word] for word in variants if f" {word}?" in near or f" {word} or" in near]
        return f"; did you mean {' or '.join(meant)}?" if near.startswith("; did") else hint

    # ------------------------------------------------------------------ what the project says about itself
    def default_study(self) -> str | None:
        """The study that `compare` means without words: `default_study` in conf/project.yaml, else the only one."""
        for file in ("project", "config"):
            path = self.conf / f"{file}.yaml"
            node = read(path).get("default_study") if path.is_file() else None
            if node is not None:
                return self._checked_study(read(path), str(node.value))
        return self.studies[0] if len(self.studies) == 1 else None

    def _checked_study(self, file: YamlFile, study: str) -> str:
        if study not in self.studies:
            where = file.line(entries(file.root)["default_study"][0])
            raise InputError(f"{where}: default_study: there is no study '{study}'{suggestion(study, self.studies)}")
        return study

    @cached_property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """group → its options: the folders under conf/ here and in servsim; 'demand' → ('none', 'bank_calls/trace')."""
        found: dict[str, dict[str, None]] = {}
        for base in (self.conf, DEFAULTS):
            for path in sorted(base.rglob("*.yaml")) if base.is_dir() else ():
                parts = path.relative_to(base).with_suffix("").parts
                for depth in range(1, len(parts)):
                    found.setdefault("/".join(parts[:depth]), {})["/".join(parts[depth:])] = None
        return {group: tuple(options) for group, options in sorted(found.items())}

    @cached_property
    def listed_groups(self) -> frozenset[str]:
        """Groups that the primary configuration lists: a scenario's choice of an option there is an override."""
        listed: set[str] = set()
        for path in (self._primary(), self.conf / "project.yaml"):
            for item in (plain(read(path).get("defaults")) or []) if path.is_file() else []:
                listed |= {_group(key) for key in item} if isinstance(item, Mapping) else set()
        return frozenset(listed)

    def _primary(self) -> Path:
        own = self.conf / "config.yaml"
        return own if own.is_file() else DEFAULTS / "config.yaml"

    # ------------------------------------------------------------------ what a scenario builds on
    def scenario_file(self, name: str) -> ScenarioFile:
        """The scenario's file, its references checked. Raises InputError with file and line."""
        file = self.file(name)
        if JOINED in name:
            return ScenarioFile(name, file, (*parts_of(name), SELF), {}, ())
        node = file.get("defaults")
        order: list[str] = []
        choices: dict[str, Any] = {}
        parts: list[Any] = []
        for item, at in self._defaults(file, node):
            if item == SELF:
                order.append(SELF)
            elif isinstance(item, str) and (parent := self._parent(name, item, at)):
                order.append(parent)
            elif isinstance(item, Mapping) and len(item) == 1:
                ((key, option),) = item.items()
                choices[self._chosen(str(key), option, at)] = option
            else:
                parts.append(item)
        return ScenarioFile(name, file, tuple(order if SELF in order else [*order, SELF]), choices, tuple(parts))

    def _defaults(self, file: YamlFile, node: Any) -> Iterator[tuple[Any, str]]:
        if node is None:
            return
        items = plain(node)
        if not isinstance(items, Sequence) or isinstance(items, str):
            raise InputError(f"{file.line(node)}: defaults: expected a list such as [baseline, _self_]")
        for item, at in zip(items, node.value, strict=True):
            yield item, file.line(at)

    def _parent(self, name: str, reference: str, where: str) -> str | None:
        """The scenario that an entry of `defaults` refers to; None if it refers to something else."""
        reference = reference.strip()
        if reference.startswith("/") and not reference.startswith("/scenarios/"):
            return None
        if any(sign in reference for sign in (" ", "@", "${")):
            return None
        if reference.startswith("/"):
            candidates = [reference.removeprefix("/scenarios/")]
        else:
            beside = posixpath.normpath(posixpath.join(posixpath.dirname(name), reference))
            candidates = [beside, reference]
        found = next((candidate for candidate in candidates if self.has(candidate)), None)
        if found is None:
            siblings = [variant_of(other) for other in self.variants(study_of(name)) if other != name]
            hint = suggestion(reference, siblings)
            raise InputError(f"{where}: defaults: there is no scenario '{reference}' to build on{hint}")
        return found

    def _chosen(self, key: str, option: Any, where: str) -> str:
        """The group of an entry such as `override /dispatch: edd`, checked."""
        group = _group(key)
        if group.partition("@")[0] not in self.groups:
            raise InputError(f"{where}: defaults: there is no group '{group}'{suggestion(group, self.groups)}")
        if isinstance(option, str):
            self.check_option(group, option, f"{where}: defaults")
        return group

    def check_option(self, group: str, option: str, where: str) -> None:
        """Raises InputError unless the group has the option."""
        options = self.groups[group.partition("@")[0]]
        if option not in options:
            raise InputError(f"{where}: there is no {group} '{option}'{suggestion(option, options)}")

    def chain(self, name: str) -> tuple[ScenarioFile, ...]:
        """The scenario and all that it builds on, in order: later ones win."""
        return tuple(self._linear(name, [], {}))

    def _linear(self, name: str, below: list[str], done: dict[str, None]) -> Iterator[ScenarioFile]:
        if name in below:
            circle = " → ".join([*below[below.index(name) :], name])
            raise InputError(f"{shown(self.path(name))}: builds on itself: {circle}")
        if name in done:
            return
        done[name] = None
        file = self.scenario_file(name)
        for parent in file.order:
            if parent == SELF:
                yield file
            else:
                yield from self._linear(parent, [*below, name], done)


def find(folder: Path | None = None) -> Project:
    """The project at or above a folder (default: the working directory). Raises InputError where there is none."""
    start = (folder or Path.cwd()).absolute()
    if folder is not None and not start.is_dir():
        raise InputError(f"there is no folder {shown(start)}")
    for candidate in (start,) if folder is not None else (start, *start.parents):
        if (candidate / "scenarios").is_dir():
            return Project(candidate)
    place = shown(start) if folder is not None else "this folder or above it"
    raise InputError(f"there is no scenarios/ folder in {place}; `servsim new my_desk` writes a project to start from")


def study_of(name: str) -> str:
    """'desk' of 'desk/peak', 'peak' of 'peak'."""
    return name.partition("/")[0]


def variant_of(name: str) -> str:
    """'peak' of 'desk/peak' and of 'peak'."""
    return name.partition("/")[2] or name


def parts_of(name: str) -> list[str]:
    """['desk/peak', 'desk/priority'] of 'desk/peak+priority'."""
    return [f"{study_of(name)}/{variant}" for variant in variant_of(name).split(JOINED)]


def combined(study: str, names: Sequence[str]) -> str:
    """The scenario of these variants of a study together: its baseline where there are none."""
    return f"{study}/{JOINED.join(map(variant_of, names)) or BASELINE}"


def _by_language(label: Any, name: str) -> dict[str, str]:
    known = label if isinstance(label, Mapping) else {}
    default = next(iter(known.values()), None) or (label if isinstance(label, str) else variant_of(name))
    return {language: str(known.get(language) or default) for language in LANGUAGES}


def _is_part(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("/"))


def _as_name(word: str) -> str:
    """'desk/peak' of 'scenarios/desk/peak.yaml' and of 'desk\\peak'."""
    name = word.strip().replace("\\", "/").removeprefix("./").removesuffix(".yaml").rstrip("/")
    return name.removeprefix("scenarios/")


def _group(key: str) -> str:
    """'dispatch' of 'override /dispatch'."""
    return key.removeprefix("override ").strip().removeprefix("/")


# ---------------------------------------------------------------------- what a scenario changes
_TEXTS = ("name", "title", "label", "question", "facts", "assumptions", "not_modelled", "targets")
_MOST = 6
"""Changes that are told one by one."""


def changes(chain: Sequence[ScenarioFile]) -> str:
    """What the last scenario of a chain changes, on one line: 'dispatch=edd, staffing.desk.day 3 → 4, + shifts.peak'.

    A scenario that sets nothing itself is told by what it builds on: 'peak + priority'.
    """
    file, below = chain[-1], chain[:-1]
    before = [other.own() for other in below]
    own = {key: value for key, value in file.own().items() if key not in _TEXTS}
    told = [*(f"{group}={option}" for group, option in file.choices.items()), *_told(own, before, ())]
    if len(told) > _MOST:
        told = [*told[: _MOST - 1], f"… {len(told) - _MOST + 1} more"]
    parents = [variant_of(name) for name in file.parents if variant_of(name) != BASELINE]
    return ", ".join(filter(None, [" + ".join(parents), *told]))


def _told(tree: Mapping[str, Any], before: Sequence[Any], above: tuple[str, ...]) -> Iterator[str]:
    for key, value in tree.items():
        path = (*above, str(key))
        olds = [old[key] for old in before if isinstance(old, Mapping) and key in old]
        if key == "label":
            continue
        if isinstance(value, Mapping) and value and (olds or path == ("edits",)):
            yield from _told(value, olds, path)
        elif isinstance(value, Mapping) and above == ("edits",) and "kind" in value:
            yield _edit(value)
        elif isinstance(value, Mapping):
            yield f"+ {dotted(path)}"
        elif olds and not isinstance(olds[-1], Mapping | list) and not isinstance(value, list):
            yield f"{dotted(path)} {olds[-1]} → {value}"
        else:
            yield f"{dotted(path)}={'[…]' if isinstance(value, list) else value}"


def _edit(value: Mapping[str, Any]) -> str:
    """'merge check + assess', 'move sign after intake'"""
    steps = value.get("steps") if isinstance(value.get("steps"), list) else [value.get("step", "")]
    after = f" after {value['after']}" if "after" in value else ""
    return f"{value['kind']} {' + '.join(map(str, steps or []))}{after}".rstrip()
