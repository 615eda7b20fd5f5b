"""What does a scenario's YAML say once its layers are put together, and which file and line set each value?

Hydra says which files, in which order, and reads the grammar of overrides; files are read, checked and merged here.

    with composing(find()) as composer:
        composed = composer.scenario("desk/peak", ["staffing.desk.day=12"])
        scenario, settings = build(composed, composer.project)

`load` does all of it. Order of the layers, later ones win: servsim's `conf/config.yaml`; options of groups (dispatch,
run, demand, …; a project's option beats servsim's of the same name); the project's `conf/project.yaml`; the scenarios
that the scenario builds on (see `servsim.project`); the scenario; the command line.
"""

from __future__ import annotations

import difflib
import itertools
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import hydra
import yaml
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import RunMode
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from servsim.model.errors import InputError
from servsim.project import DEFAULTS, JOINED, SELF, Project, find
from servsim.registry import suggestion
from servsim.sources import (
    COMMAND_LINE,
    Layer,
    Sources,
    YamlFile,
    command_line,
    dotted,
    entries,
    merged,
    nested,
    plain,
    read,
    shown,
)

if TYPE_CHECKING:
    from servsim.model import Scenario, Settings

VERSION: dict[str, Any] = {"version_base": "1.3"} if hydra.__version__.startswith("1.3.") else {}
"""Hydra 1.3 warns when version_base is left out, 1.4 warns when it is given."""

OWN = "_own_"
"""`scenarios/_own_/desk/peak` is what desk/peak sets itself, without what it builds on."""

_ORDER = ("defaults", "hydra")
"""What Hydra reads of a file to find the others."""

LIFTED = ("facts", "targets")
"""Sections of which a scenario takes an entry away by leaving it empty."""

_ONE_AT_A_TIME = threading.RLock()
"""Hydra keeps its state in globals; sessions of a web page are threads."""

_WORD = re.compile(r"(~|\+\+|\+)?([^=]*)(=(.*))?", re.DOTALL)


# ---------------------------------------------------------------------- Hydra's side
class ProjectSource(ConfigSource):
    """Reads a project's files for Hydra: groups from conf/, scenarios from scenarios/, with our words for bad files."""

    with_content: ClassVar[bool] = True
    """False where only the order of the files is asked for."""

    @staticmethod
    def scheme() -> str:
        return "servsim"

    def __init__(self, provider: str, path: str) -> None:
        super().__init__(provider, path)
        self.project = Project(Path(self.path))

    def load_config(self, config_path: str) -> ConfigResult:
        file = _file(self.project, config_path) or read(self._path(config_path))
        header = self._get_header_dict(file.text[:512])
        content = _content(file)
        if not self.with_content:
            content = {key: content[key] for key in _ORDER if key in content}
        if config_path.startswith("scenarios/"):
            header["package"] = "_global_"
            content["defaults"] = self._defaults(config_path)
        config = OmegaConf.create(content)
        return ConfigResult(provider=self.provider, path=self.full_path(), config=config, header=header)

    def _defaults(self, config_path: str) -> list[Any]:
        """A scenario's defaults, rewritten: the chain of what it builds on, each once, then the last choices."""
        name = _scenario_name(config_path)
        own = self.project.scenario_file(name)
        if f"/{OWN}/" in config_path:
            return [*own.parts, SELF]
        chain, listed = self.project.chain(name), self.project.listed_groups
        choices = {group: option for file in chain for group, option in file.choices.items()}
        added = [{f"/{group}": option} for group, option in choices.items() if group not in listed]
        overrides = [{f"override /{group}": option} for group, option in choices.items() if group in listed]
        order = [f"/scenarios/{OWN}/{file.name}" for file in chain]
        at = order.index(f"/scenarios/{OWN}/{name}")
        return [*added, *order[:at], *own.parts, SELF, *order[at + 1 :], *overrides]

    def _path(self, config_path: str) -> Path:
        if config_path.startswith("scenarios/"):
            return self.project.path(_scenario_name(config_path))
        return self.project.conf / f"{config_path.removesuffix('.yaml')}.yaml"

    def available(self) -> bool:
        return self.project.root.is_dir()

    def is_group(self, config_path: str) -> bool:
        if config_path in ("", "scenarios"):
            return True
        return (self.project.conf / config_path).is_dir()

    def is_config(self, config_path: str) -> bool:
        return JOINED in config_path or self._path(config_path).exists()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        if config_path == "scenarios":
            return [] if results_filter == ObjectType.GROUP else sorted(self.project.names)
        folder, found = self.project.conf / config_path, []
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_dir() and results_filter in (None, ObjectType.GROUP):
                found.append(path.name)
            elif path.suffix == ".yaml" and results_filter in (None, ObjectType.CONFIG):
                found.append(path.stem)
        return found


class ProjectSearchPath(SearchPathPlugin):
    """Puts the project before servsim's defaults, so that its files win."""

    project: ClassVar[Project | None] = None

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        if self.project is not None:
            search_path.prepend("project", f"servsim://{self.project.root.as_posix()}", anchor="main")


def register() -> None:
    """Makes the project known to Hydra; again where a launcher's worker process has put other plugins in place."""
    plugins = Plugins.instance()
    if ProjectSearchPath not in plugins.discover(SearchPathPlugin):
        plugins.register(ProjectSource)
        plugins.register(ProjectSearchPath)


def _file(project: Project, config_path: str) -> YamlFile | None:
    """The file of a scenario, None for a path to anything else."""
    return project.file(_scenario_name(config_path)) if config_path.startswith("scenarios/") else None


def _scenario_name(config_path: str) -> str:
    return config_path.removeprefix("scenarios/").removeprefix(f"{OWN}/").removesuffix(".yaml")


# ---------------------------------------------------------------------- what is set on the command line
@dataclass(frozen=True)
class Setting:
    """One `key=value` as typed."""

    text: str
    key: str
    value: Any = None
    group: bool = False  # the key is a group and the value one of its options
    delete: bool = False  # ~key
    sweep: tuple[str, ...] = ()  # the texts of its values, if it has several

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(self.key.split("."))


def parse(text: str, project: Project) -> Setting:
    """What a word such as `staffing.desk.day=12`, `dispatch=edd` or `~workers.li_wei` asks for. Raises InputError."""
    match = _WORD.fullmatch(text)
    assert match is not None
    sign, key, has_value, value = match[1] or "", match[2].strip(), match[3], (match[4] or "").strip()
    if key == "scenarios":
        raise InputError(f"{COMMAND_LINE}: '{text}': write the scenario as a plain word, for example desk/peak")
    if key == "hydra" or key.startswith(("hydra.", "hydra/")):
        raise InputError(f"{COMMAND_LINE}: '{text}': Hydra's own settings go with `servsim hydra`")
    if not all(key.split(".")) or (not has_value and sign != "~"):
        raise InputError(f"{COMMAND_LINE}: cannot read '{text}'; write key=value, for example replications=50")
    group = key.partition("@")[0] in project.groups and not value.startswith("{")
    if sign == "~" or (group and value == "null"):
        return Setting(text, key, group=group, delete=True)
    override = _override(value)
    if override is None:
        return Setting(text, key, _as_yaml(text, value))
    texts = _swept(text, override) if override.is_sweep_override() else ()
    if group:
        for option in texts or (str(override.value()),):
            project.check_option(key, option, COMMAND_LINE)
    return Setting(text, key, None if texts else override.value(), group, sweep=texts)


def _override(value: str) -> Any:
    """A value in Hydra's grammar, None where it cannot be read by that: 高峰, it's, a=b."""
    try:
        return OverridesParser.create().parse_override(f"key={value}")
    except HydraException:
        return None


def _swept(text: str, override: Any) -> tuple[str, ...]:
    try:
        return tuple(override.sweep_string_iterator())
    except HydraException:
        raise InputError(f"{COMMAND_LINE}: '{text}': intervals and globs go with `servsim hydra --multirun`") from None


def _as_yaml(text: str, value: str) -> Any:
    """A value that Hydra's grammar cannot read: brackets and quotes are read as YAML, anything else is text."""
    if value[:1] not in ("[", "{", '"', "'"):
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        raise InputError(f"{COMMAND_LINE}: cannot read '{text}'; is a bracket or quote not closed?") from None


# ---------------------------------------------------------------------- composing
@dataclass(frozen=True)
class Composed:
    """A scenario's YAML after composition, where each value came from, and what was typed."""

    name: str
    mapping: dict[str, Any]
    sources: Sources
    overrides: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = field(default=(), repr=False)

    def to_yaml(self) -> str:
        return str(yaml.safe_dump(self.mapping, allow_unicode=True, sort_keys=False))


@dataclass(frozen=True)
class Composer:
    """Composes scenarios of one project; made by `composing`, which holds Hydra's globals meanwhile."""

    project: Project

    def expand(self, words: Sequence[str]) -> list[tuple[str, ...]]:
        """A list of settings for each combination of swept values: `a=1,2`, `a=range(10,15,2)`, `dispatch=fcfs,edd`."""
        each = []
        for word in words:
            key, sweep = word.partition("=")[0], parse(word, self.project).sweep
            each.append([f"{key}={value}" for value in sweep] if sweep else [word])
        return list(itertools.product(*each))

    def scenario(self, name: str, overrides: Sequence[str] = (), suffix: str = "") -> Composed:
        """A scenario with settings put over it; `suffix` is added to its name. Raises InputError."""
        settings = tuple(parse(word, self.project) for word in overrides)
        for setting in settings:
            if setting.sweep:
                listed = f"{setting.key}=[{','.join(setting.sweep)}]"
                message = f"has several values; that is for `servsim compare` (a list is written {listed})"
                raise InputError(f"{COMMAND_LINE}: '{setting.text}' {message}")
        try:
            mapping, sources = self._composed(name, settings)
        except InputError:
            raise
        except (HydraException, OmegaConfBaseException, ValueError) as error:
            raise InputError(self._in_plain_words(error)) from error
        return Composed(name + suffix, _named(mapping, name, suffix, sources), sources, tuple(overrides), settings)

    def _composed(self, name: str, settings: Sequence[Setting]) -> tuple[dict[str, Any], Sources]:
        """Puts the files together in Hydra's order, and over them what was typed.

        An option (`dispatch=edd`) replaces the one that the files chose and goes over what the scenario sets itself.
        """
        files = list(self._files(self._for_hydra(name, settings)))
        chosen = {f"{setting.key}/{setting.value}" for setting in settings if setting.group and not setting.delete}
        files += [(path, package) for path, package in files if path in chosen]
        config: Any = {}
        typed: Any = {}
        for path, package in files:
            content = {k: v for k, v in _content(self._file(path)).items() if k not in _ORDER}
            config = merged(config, nested(package, content))
        for setting in settings:
            if setting.delete and not setting.group:
                config = _without(config, setting)
            elif not setting.group:
                typed = merged(typed, nested(setting.path, setting.value))
        layers = [Layer(shown(self._path(path)), package, self._file(path).root) for path, package in files]
        sources = Sources((*layers, command_line(typed)))
        return _resolved(merged(config, typed), sources), sources

    def _for_hydra(self, name: str, settings: Sequence[Setting]) -> Iterator[str]:
        """The scenario and the options in Hydra's grammar; a group that no file chooses from yet is added."""
        yield f"scenarios={name}"
        groups = [setting for setting in settings if setting.group]
        listed = set(self.project.listed_groups)
        if any(setting.key not in listed for setting in groups):
            listed |= set(self._defaults([f"scenarios={name}"]).overrides.known_choices)
        for setting in groups:
            add = "" if setting.key in listed else "+"
            yield f"~{setting.key}" if setting.delete else f"{add}{setting.key}={setting.value}"

    def _files(self, words: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The project's and servsim's files, in order: (path in Hydra, package)."""
        for entry in self._defaults(words).defaults:
            if not str(entry.config_path).startswith("hydra/"):
                package = str(entry.package or "").split(".")
                yield str(entry.config_path), tuple(part for part in package if part and part != "_global_")

    def _defaults(self, words: Iterable[str]) -> Any:
        loader: Any = GlobalHydra.instance().config_loader()
        return loader.compute_defaults_list("config", list(words), RunMode.RUN)

    def _file(self, config_path: str) -> YamlFile:
        return _file(self.project, config_path) or read(self._path(config_path))

    def _path(self, config_path: str) -> Path:
        if config_path.startswith("scenarios/"):
            return self.project.path(_scenario_name(config_path))
        own = self.project.conf / f"{config_path}.yaml"
        return own if own.is_file() else DEFAULTS / f"{config_path}.yaml"

    def _shown(self, config_path: str) -> str:
        return shown(self._path(config_path))

    def _in_plain_words(self, error: Exception) -> str:
        """Hydra's and OmegaConf's messages, as far as they get through our own checks, on one or two lines."""
        text = "\n".join(str(part) for part in (error, error.__cause__) if part)
        if match := re.search(r"In '([^']+)': Could not (?:find|load) '([^']+)'", text):
            group, _, option = match[2].rpartition("/")
            hint = suggestion(option, self.project.groups.get(group, ()))
            return f"{self._shown(match[1])}: there is no conf/{match[2]}.yaml{hint}"
        if "Could not override 'scenarios'" in text:
            return f"{self._shown('config')}: its defaults lack `- scenarios: null`, as the last entry"
        if match := re.search(r"Could not delete '([^']+)'", text):
            return f"{COMMAND_LINE}: cannot delete '{match[1]}': there is no such setting here"
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return " — ".join(lines[:2])


@contextmanager
def composing(project: Project) -> Iterator[Composer]:
    """A composer for the project; Hydra's globals are as before afterwards."""
    with _ONE_AT_A_TIME:
        before = GlobalHydra.instance().hydra, ProjectSearchPath.project, ProjectSource.with_content
        GlobalHydra.instance().clear()
        ProjectSearchPath.project, ProjectSource.with_content = project, False
        register()
        try:
            with hydra.initialize_config_module("servsim.conf", job_name="servsim", **VERSION):
                yield Composer(project)
        finally:
            GlobalHydra.instance().hydra, ProjectSearchPath.project, ProjectSource.with_content = before


def _content(file: YamlFile) -> dict[str, Any]:
    return {key: plain(value) for key, (_, value) in entries(file.root).items()}


def _resolved(mapping: dict[str, Any], sources: Sources) -> dict[str, Any]:
    """The mapping with references `${…}` followed. Raises InputError for one that leads nowhere and for `???`."""
    if not any(sign in str(mapping) for sign in ("${", "???")):
        return mapping
    try:
        resolved: Any = OmegaConf.to_container(OmegaConf.create(mapping), resolve=True, throw_on_missing=True)
        return {str(key): value for key, value in resolved.items()}
    except OmegaConfBaseException as error:
        key = str(error.full_key or "")
        where = sources.where([int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", key)])
        message = _first_line(error)
        if match := re.search(r"Interpolation key '([^']*)' not found", message):
            message = f"there is no setting '{match[1]}' that ${{{match[1]}}} could refer to"
        elif isinstance(error, MissingMandatoryValue):
            message = f"has no value yet (???); give it one here or as {key}=…"
        raise InputError(": ".join(filter(None, [where, key, message]))) from None


def _without(tree: Any, setting: Setting, depth: int = 0) -> Any:
    """The tree without what `~a.b` names. Raises InputError where there is nothing."""
    part = setting.path[depth]
    if not isinstance(tree, Mapping) or part not in tree:
        raise InputError(f"{COMMAND_LINE}: cannot delete '{setting.key}': there is no such setting here")
    if depth + 1 == len(setting.path):
        return {key: value for key, value in tree.items() if key != part}
    return {**tree, part: _without(tree[part], setting, depth + 1)}


def _named(mapping: Mapping[str, Any], name: str, suffix: str, sources: Sources) -> dict[str, Any]:
    """The mapping with the scenario's own name first, and without a label or question that it only inherits."""
    own = [layer for layer in sources.layers if layer.where == COMMAND_LINE] + [
        layer for layer in sources.layers if layer.where.endswith(f"scenarios/{name}.yaml")
    ]
    kept = {
        key: _without_lifted(key, value, sources) if key in LIFTED else value
        for key, value in mapping.items()
        if key not in ("name", "default_study")
        and (key not in ("label", "question") or any(layer.at((key,)) is not None for layer in own))
    }
    if suffix and kept.get("label"):
        kept["label"] = _with_suffix(kept["label"], suffix)
    return _in_order({"name": name + suffix, **kept})


def _without_lifted(section: str, entries: Any, sources: Sources) -> Any:
    """A section without the entries that a scenario leaves empty and that are given in what it builds on."""

    def is_lifted(name: str) -> bool:
        return sum(layer.at((section, name)) is not None for layer in sources.layers) > 1

    if not isinstance(entries, Mapping):
        return entries
    return {name: entry for name, entry in entries.items() if entry is not None or not is_lifted(str(name))}


def _in_order(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """What is simulated, then how, in the order of the model; what the model does not know last."""
    from servsim.model import Scenario, Settings

    known = [*Scenario.model_fields, *Settings.model_fields]
    return {key: mapping[key] for key in [*(k for k in known if k in mapping), *(k for k in mapping if k not in known)]}


def _with_suffix(label: Any, suffix: str) -> Any:
    if isinstance(label, Mapping):
        return {language: f"{text} {suffix}" for language, text in label.items()}
    return f"{label} {suffix}"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


# ---------------------------------------------------------------------- from YAML to the model
def build(composed: Composed, project: Project) -> tuple[Scenario, Settings]:
    """The validated scenario and the settings of the experiment. Raises InputError with one line per problem."""
    from pydantic import ValidationError

    from servsim.model import Scenario, Settings, split

    scenario_part, settings_part = split(composed.mapping | {"name": re.split(r"[\[+]", composed.name)[0]})
    found: list[Any] = []
    problems: list[str] = []
    for model, part in ((Scenario, scenario_part), (Settings, settings_part)):
        try:
            found.append(model.model_validate(part, context={"folder": project.root}))
        except ValidationError as error:
            problems += explain(error, part, composed)
    if problems:
        raise InputError("\n".join(dict.fromkeys(problems)))
    return found[0].model_copy(update={"name": composed.name}), found[1]


def explain(error: Any, data: Mapping[str, Any], composed: Composed) -> list[str]:
    """'scenarios/desk/peak.yaml:7: staffing.desk.day: expected …' for each problem."""
    from servsim.model.errors import problems

    language = str(composed.mapping.get("language", "en"))
    lines = []
    own = _own_file(composed)
    for message, paths in _together(problems(error, data, language), data):
        unknown = _unknown_setting(paths[0], message, composed)
        where = composed.sources.where(paths[0]) or own
        lines.append(unknown or f"{where}: {', '.join(map(dotted, paths)) or composed.name}: {message}")
    return list(dict.fromkeys(lines))


Place = tuple[str | int, ...]


def _own_file(composed: Composed) -> str:
    """The scenario's own file, for what stands in none."""
    name = f"scenarios/{composed.name.partition('[')[0]}.yaml"
    return next((layer.where for layer in composed.sources.layers if layer.where.endswith(name)), name)


def _together(found: Sequence[tuple[Place, str]], data: Mapping[str, Any]) -> list[tuple[str, list[Place]]]:
    """(message, paths): all sections that a scenario lacks in one, anything else by itself."""
    told: list[tuple[str, list[Place]]] = []
    lacks: dict[str, list[Place]] = {}
    for path, message in found:
        if len(path) == 1 and path[0] not in data and message in lacks:
            lacks[message].append(path)
            continue
        told.append((message, [path]))
        if len(path) == 1 and path[0] not in data:
            lacks[message] = told[-1][1]
    return told


def _unknown_setting(path: Sequence[str | int], message: str, composed: Composed) -> str | None:
    """For a key typed on the command line that is like one of the files' but not it: what was probably meant.

    `demand.onlnie.factor=2` would otherwise be told as a demand that lacks its case class.
    """
    for setting in composed.settings:
        typed = setting.path
        if tuple(path) == typed and message.startswith("expected"):
            continue
        for depth in range(len(typed)):
            known = composed.sources.keys_in_files(typed[:depth])
            if typed[depth] in known:
                continue
            near = difflib.get_close_matches(typed[depth], known, 1, 0.6)
            if not near or tuple(map(str, path[: depth + 1])) != typed[: depth + 1]:
                break
            meant = ".".join([*typed[:depth], near[0], *typed[depth + 1 :]])
            return f"{COMMAND_LINE}: unknown setting '{setting.key}'; did you mean {meant}?"
    return None


def load(name: str, overrides: Sequence[str] = (), project: str | Path | None = None) -> Scenario:
    """The validated scenario `name` ('desk/peak') of the project at or above the working directory.

    `overrides` are as on the command line: "staffing.desk.day=12", "dispatch=edd". Safe in threads. Raises InputError.
    """
    place = find(Path(project) if project is not None else None)
    with composing(place) as composer:
        composed = composer.scenario(place.scenario_named(name), overrides)
    return build(composed, place)[0]
