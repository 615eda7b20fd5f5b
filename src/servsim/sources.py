"""Which file and line set a value? YAML files with their lines, and the layers of a composed scenario."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from servsim.model.errors import InputError

COMMAND_LINE = "command line"
Entry = tuple[Node, Node]
"""A key and its value, as nodes that know their line."""


class _Loader(yaml.SafeLoader):
    """YAML as OmegaConf reads it: a date stays text, 1e5 is a number."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, sign) for tag, sign in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)[eE][-+]?\d+$"), list("-+0123456789.")
)

_MEANING = {
    "\\t": "has a tab; indent with spaces",
    "mapping values are not allowed": "is not indented like its neighbours, or is text with a colon that needs quotes",
    "could not find expected ':'": "needs 'key: value', with a space after the colon",
    "expected <block end>": "is not indented like its neighbours",
    "expected ',' or ']'": "has a [ that is not closed, or lacks a comma",
    "expected ',' or '}'": "has a { that is not closed, or lacks a comma",
    "stream end": "has a bracket or quote that is not closed",
    "cannot start any token": "has a sign that needs quotes round the text",
}


@dataclass(frozen=True)
class YamlFile:
    """A YAML file that can be read: one mapping, no key twice, every node with its line."""

    path: Path
    text: str
    root: MappingNode | None  # None: an empty file

    @property
    def shown(self) -> str:
        """The path as a reader would open it from here."""
        return shown(self.path)

    def line(self, node: Node) -> str:
        """'scenarios/desk/peak.yaml:7'"""
        return f"{self.shown}:{node.start_mark.line + 1}"

    def get(self, key: str) -> Node | None:
        """The value of a key at the top of the file."""
        entry = entries(self.root).get(key)
        return entry[1] if entry else None


def shown(path: Path) -> str:
    """The path from the working directory if it lies below it, else the whole path; with forward slashes."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def read(path: Path) -> YamlFile:
    """The file at `path`. Raises InputError with its line for anything that is not a clean YAML mapping."""
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    return _read(path, stamp)


@lru_cache(maxsize=512)
def _read(path: Path, stamp: int) -> YamlFile:
    return parsed(path, _text(path))


def parsed(path: Path, text: str) -> YamlFile:
    """A text as if it stood in a file at `path`. Raises InputError as `read`."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise InputError(_syntax(path, text, error)) from None
    except yaml.YAMLError as error:
        raise InputError(f"{shown(path)}: is not YAML ({_first_line(error)})") from None
    file = YamlFile(path, text, root if isinstance(root, MappingNode) else None)
    if root is not None and not isinstance(root, MappingNode) and not _is_null(root):
        got = "a list" if isinstance(root, SequenceNode) else "text"
        raise InputError(f"{file.line(root)}: expected settings, 'key: value', got {got}")
    for node in [file.root] if file.root else []:
        _refuse_twice(file, node)
    return file


def _text(path: Path) -> str:
    if path.is_dir():
        raise InputError(f"{shown(path)}: is a folder; expected a YAML file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read ({error.strerror or error})") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{shown(path)}:{line}: is not UTF-8 ({_looks_like(data)}); save the file as UTF-8") from None


def _looks_like(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it looks like UTF-16"
    try:
        data.decode("gb18030")
        return "it looks like GBK"
    except UnicodeDecodeError:
        return "unknown encoding"


def _syntax(path: Path, text: str, error: yaml.MarkedYAMLError) -> str:
    problem, lines = str(error.problem or error.context), text.splitlines()
    mark = error.problem_mark or error.context_mark
    if "stream end" in problem or (mark and mark.line >= len(lines)):
        mark, problem = error.context_mark or mark, "stream end"
    number = min(mark.line if mark else 0, max(len(lines) - 1, 0))
    line = [*lines[number : number + 1], ""][0]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        problem = "\\t"
    meaning = next((ours for theirs, ours in _MEANING.items() if theirs in problem), f"is not YAML ({problem})")
    quoted = f': "{line.strip()[:60]}"' if line.strip() else ": the file"
    return f"{shown(path)}:{number + 1}{quoted} {meaning}"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _refuse_twice(file: YamlFile, node: Node) -> None:
    """Raises InputError for a key that stands twice in one mapping."""
    if isinstance(node, MappingNode):
        first: dict[str, Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in first and name != "<<":
                also = first[name].start_mark.line + 1
                raise InputError(f"{file.line(key)}: '{name}' stands twice in one mapping (first on line {also})")
            first[name] = key
            _refuse_twice(file, value)
    elif isinstance(node, SequenceNode):
        for item in node.value:
            _refuse_twice(file, item)


# ---------------------------------------------------------------------- nodes
def entries(node: Node | None) -> dict[str, Entry]:
    """The entries of a mapping by key, those merged in with `<<` included; nothing for any other node."""
    found: dict[str, Entry] = {}
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == "<<":
                merged = value.value if isinstance(value, SequenceNode) else [value]
                for part in merged:
                    found = {**entries(part), **found}
        found |= {str(key.value): (key, value) for key, value in node.value if key.value != "<<"}
    return found


def plain(node: Node | None) -> Any:
    """What a node says, as plain Python values."""
    if node is None:
        return None
    return _Loader("").construct_document(node)


# ---------------------------------------------------------------------- layers
@dataclass(frozen=True)
class Layer:
    """One file's share of a composed configuration; it stands under `package`."""

    where: str
    package: tuple[str, ...]
    root: Node | None

    def reach(self, path: Sequence[str | int]) -> tuple[int, Node | None, Node | None]:
        """(how many parts of the path this layer has, the key that it got to, the value there)."""
        inside = tuple(map(str, path[: len(self.package)])) == self.package
        if not inside or self.root is None:
            return (0, None, None) if not path else (-1, None, None)
        depth, node = len(self.package), self.root
        key = node if depth else None
        for part in path[depth:]:
            step = _child(node, part)
            if step is None:
                return depth, key, None
            (key, node), depth = step, depth + 1
        return depth, key, node

    def at(self, path: Sequence[str | int]) -> Node | None:
        """The value at the whole path, None where this layer says nothing about it."""
        depth, _, node = self.reach(path)
        return node if depth == len(path) else None


def _child(node: Node, part: str | int) -> Entry | None:
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return entries(node).get(str(part))


@dataclass(frozen=True)
class Sources:
    """The layers of a composed scenario in order; later ones win."""

    layers: tuple[Layer, ...] = ()

    def where(self, path: Sequence[str | int]) -> str:
        """'scenarios/desk/peak.yaml:7' or 'command line': the last layer that has most of the path; '' if none has."""
        best, place = 0, ""
        for layer in self.layers:
            depth, key, _ = layer.reach(path)
            if key is not None and depth >= max(best, 1):
                best = depth
                place = layer.where if layer.where == COMMAND_LINE else f"{layer.where}:{key.start_mark.line + 1}"
        return place

    def keys_in_files(self, path: Sequence[str | int]) -> list[str]:
        """The keys that the files give below a path."""
        files = (layer for layer in self.layers if layer.where != COMMAND_LINE)
        return list(dict.fromkeys(key for layer in files for key in entries(layer.at(path))))


def merged(old: Any, new: Any) -> Any:
    """A value over an earlier one: mappings key by key, anything else replaces; `???` is no value.

    A mapping of another `kind` replaces too: what went with the old kind does not fit the new one.

    >>> merged({"kind": "lognormal", "mean": "8 min", "cv": 0.8}, {"mean": "9 min"})
    {'kind': 'lognormal', 'mean': '9 min', 'cv': 0.8}
    >>> merged({"kind": "lognormal", "mean": "8 min", "cv": 0.8}, {"kind": "exponential", "mean": "9 min"})
    {'kind': 'exponential', 'mean': '9 min'}
    >>> merged([{"at": "10:00"}, {"at": "12:00"}], {"1": {"at": "12:30"}})
    [{'at': '10:00'}, {'at': '12:30'}]
    """
    if isinstance(new, str) and new == "???":
        return old
    if not isinstance(new, Mapping):
        return new
    if isinstance(old, list) and all(str(key).isdecimal() and int(key) < len(old) for key in new):
        return [merged(item, new.get(str(i), "???")) for i, item in enumerate(old)]
    if not isinstance(old, Mapping) or old.get("kind", new.get("kind")) != new.get("kind", old.get("kind")):
        return new
    keys = {str(key): key for key in old}  # 1000 in a file and 1000 as typed are one key
    return {**old, **{(k := keys.get(str(key), key)): merged(old.get(k, value), value) for key, value in new.items()}}


def nested(path: Sequence[str], value: Any) -> Any:
    """The value as it stands in a mapping at a path."""
    for part in reversed(path):
        value = {part: value}
    return value


def command_line(settings: Mapping[str, Any]) -> Layer:
    """The layer of what was set on the command line."""
    text = yaml.safe_dump(dict(settings), allow_unicode=True)
    return Layer(COMMAND_LINE, (), yaml.compose(text, Loader=_Loader))


def dotted(path: Sequence[str | int]) -> str:
    """'steps.intake.time', 'breaks[0].at'"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def is_writable(folder: Path) -> bool:
    """Can a file be made in the folder (or in the nearest folder above it that exists)?"""
    while not folder.exists():
        folder = folder.parent
    try:
        with TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
