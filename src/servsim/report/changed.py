"""What did each scenario change? The difference of the composed configurations, in words of the reader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from servsim.model import Settings
from servsim.quantities import ticks
from servsim.report.findings import Findings
from servsim.report.tables import Cell, Table
from servsim.report.writing import NONE, duration

Path = tuple[str, ...]
Tree = Mapping[str, Any]

COLUMNS = ("scenario", "setting", "before", "after")
MISSING = object()
_WORDS_ONLY = (
    "name", "title", "label", "question", "facts", "assumptions", "not_modelled", "targets", "scorecard", "_", "run",
)  # fmt: skip
"""What says something about a scenario, and how it is run, but is not simulated."""
_MOST = 12
"""Settings of a scenario that the page lists; the file has all."""
_MANY = 8
"""Numbers or durations of a list that the page writes out."""
_LONG = 90
"""Signs of a value that the page shows."""

_IDS: Mapping[str, tuple[str, ...]] = {
    "departments": ("departments",), "pools": ("pools",), "staffing": ("pools",), "shifts": ("shifts",),
    "case_classes": ("case_classes",), "mix": ("case_classes",), "demand": ("demand", "case_classes"),
    "processes": ("processes",),
    "steps": ("steps",), "next": ("steps", "case_classes", "demand"), "teams": ("pools", "demand", "skill"),
    "skills": ("pools", "demand", "skill"), "systems": ("systems",), "edits": ("edits",), "workers": ("workers",),
    "calendars": ("calendars",), "promises": ("promises",), "hand_overs": ("departments",), "surges": ("surges",),
    "attributes": ("attributes",), "choices": (), "numbers": (), "exceptions": (),
}  # fmt: skip
"""Keys below which there are ids, and where these have their labels."""
_ANY = ("pools", "steps", "departments", "shifts", "case_classes", "demand", "attributes", "skill")
_DAYS = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)(?:-(?:mon|tue|wed|thu|fri|sat|sun))?")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)? ?(?:wk|d|h|min|s)(?: |$))+")


@dataclass(frozen=True)
class Change:
    """A setting that a scenario has otherwise than the baseline, or in addition, or no longer."""

    path: Path
    before: Any
    after: Any


def changes(before: Tree, after: Tree, above: Path = ()) -> Iterator[Change]:
    """What differs, in the order of the keys; without what is only words."""
    for key in dict.fromkeys([*before, *after]):
        path = (*above, str(key))
        if key == "label" or (not above and (key in _WORDS_ONLY or key in Settings.model_fields)):
            continue
        old, new = before.get(key, MISSING), after.get(key, MISSING)
        if old == new or {_nothing(old), _nothing(new)} == {True}:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping) and old.get("kind") == new.get("kind"):
            yield from changes(old, new, path)
        elif (old is MISSING or _nothing(old)) and _is_only_a_level(new):
            yield from changes({}, new, path)
        elif (new is MISSING or _nothing(new)) and _is_only_a_level(old):
            yield from changes(old, {}, path)
        else:
            yield Change(path, old, new)


def _nothing(value: Any) -> bool:
    return value is MISSING or value is None or value in ({}, [], ())


def _is_only_a_level(value: Any) -> bool:
    """A mapping of mappings that are no one thing with a name."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and "label" not in value
        and all(isinstance(v, Mapping) for v in value.values())
    )


@dataclass(frozen=True)
class Changed:
    """What all scenarios change."""

    found: Findings

    @cached_property
    def each(self) -> Mapping[str, tuple[Change, ...]]:
        configs, base = self.found.comparison.configs, self.found.config
        found = {s: tuple(changes(base, configs[s])) for s in self.found.ranked if s in configs}
        return dict(sorted(found.items(), key=lambda item: bool(_within(found, item[0]))))

    def table(self) -> Table:
        """Scenarios and their settings, before and after; what is all in another scenario is told by its label."""
        say = self.found.words
        header = ("table.scenario", "changed.setting", "changed.before", "changed.after")
        rows = [row for scenario in self.each for row in self._rows_of(scenario)]
        return Table(tuple(Cell(say(key)) for key in header), tuple(rows), numeric=False)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """As COLUMNS: for a CSV file; values as JSON, nothing where there is none."""
        for scenario, found in self.each.items():
            for change in found:
                yield (scenario, ".".join(change.path), _json(change.before), _json(change.after))

    # ------------------------------------------------------------------ rows
    def _rows_of(self, scenario: str) -> Iterator[tuple[Cell, ...]]:
        say, name = self.found.words, self.found.label(scenario)
        within, rest = self._taken_apart(scenario)
        lines: list[tuple[str, str, str]] = []
        if within:
            labels = say.list([f"“{self.found.label(other)}”" for other in within])
            lines.append((say("changed.includes"), "", labels))
        lines += [self._line(scenario, change) for change in rest[:_MOST]]
        if len(rest) > _MOST:
            lines.append((say("changed.more", n=len(rest) - _MOST), "", say("changed.more_where")))
        for i, line in enumerate(lines or [(say("changed.nothing"), "", "")]):
            yield (Cell(name if i == 0 else ""), *map(Cell, line))

    def _taken_apart(self, scenario: str) -> tuple[list[str], list[Change]]:
        """(the largest other scenarios all of whose changes it has too, its changes beyond these)"""
        parts = _within(self.each, scenario)
        largest = [s for s in parts if not any(parts[s] < parts[t] for t in parts)]
        known: set[str] = set()
        kept = []
        for s in sorted(largest, key=lambda s: -len(parts[s])):
            if not parts[s] <= known:
                kept.append(s)
                known |= parts[s]
        return kept, [change for change in self.each[scenario] if _key(change) not in known]

    def _line(self, scenario: str, change: Change) -> tuple[str, str, str]:
        config = self.found.comparison.configs[scenario]
        names = _Names(self.found, (config, self.found.config))
        if change.path[0] == "edits" and len(change.path) == 2 and isinstance(change.after, Mapping):
            return names.path((*change.path[:1], str(change.after.get("process", "")))), NONE, names.edit(change.after)
        return names.path(change.path), names.value(change.before), names.value(change.after)


def _within(each: Mapping[str, Sequence[Change]], scenario: str) -> dict[str, set[str]]:
    """The other scenarios all of whose changes this one has too, and more, with these changes."""
    keys = {s: {_key(change) for change in found} for s, found in each.items() if found}
    return {s: found for s, found in keys.items() if found < keys.get(scenario, set())}


def _key(change: Change) -> str:
    return f"{'.'.join(change.path)} = {_json(change.after)}"


def _json(value: Any) -> str:
    return "" if value is MISSING else json.dumps(value, ensure_ascii=False, default=str)


# ---------------------------------------------------------------------- words
@dataclass(frozen=True)
class _Names:
    """How keys, ids and values are called; `configs`: where labels are looked up, one after the other."""

    found: Findings
    configs: Sequence[Tree]

    def path(self, path: Path) -> str:
        """'Staffing › Agents › Peak shift'"""
        parts = [self._part(path, i) for i in range(len(path))]
        text = self.found.words("changed.path").join(part for part in parts if part)
        return text[:1].upper() + text[1:]

    def _part(self, path: Path, i: int) -> str:
        above, key = path[i - 1] if i else "", path[i]
        if i > 1 and path[i - 2] == "staffing":
            return self.label(key, ("shifts",))
        if i > 1 and path[i - 2] == "hand_overs":
            return self.label(key, ("departments",))
        if above in _IDS:
            return self.label(key, ("processes",) if above == "edits" else _IDS[above])
        return self.key(key)

    def key(self, key: str) -> str:
        return self.found.words.catalogue.get(f"setting.{key}") or key.replace("_", " ")

    def label(self, name: str, kinds: Sequence[str]) -> str:
        """The label of an id, else the id."""
        for kind in kinds:
            for config in self.configs:
                for entry in _entries(config, kind, name):
                    if isinstance(entry, Mapping) and entry.get("label"):
                        return self.found.words.label(entry["label"], name)
        known = self.found.words.catalogue.get(f"promise.{name}") if "promises" in kinds else None
        return known or (self._for_or_by(name) if "skill" in kinds else "") or name

    def _for_or_by(self, skill: str) -> str:
        """The steps that want a skill, else who has it; "" for a pool."""
        pools = self.configs[0].get("pools") or {}
        if skill in pools:
            return ""
        steps = [p.get("steps") or {} for p in (self.configs[0].get("processes") or {}).values()]
        wanting = [name for of in steps for name, step in of.items() if (step or {}).get("skill") == skill]
        if wanting:
            return self.found.words.list(list(dict.fromkeys(self.label(name, ("steps",)) for name in wanting)))
        holders = [pool for pool in pools if skill in ((pools[pool] or {}).get("skills") or ())]
        return self.found.words.list([self.label(pool, ("pools",)) for pool in holders])

    # ------------------------------------------------------------------ values
    def value(self, value: Any) -> str:
        """As people write it; long lists by how many values there are and between which they lie."""
        if value is MISSING:
            return NONE
        text = self._plain(value)
        return text if len(text) <= _LONG else text[: _LONG - 1].rstrip(" ,;，；、") + " …"

    def _plain(self, value: Any) -> str:
        say = self.found.words
        if isinstance(value, bool) or value is None:
            return say("value.none" if value is None else "value.yes" if value else "value.no")
        if isinstance(value, int | float):
            return f"{value:,.10g}"
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return say("list.strong").join(self._pair(str(key), v) for key, v in value.items() if key != "label")
        items = list(value)
        if len(items) > _MANY and all(isinstance(x, int | float) for x in items):
            return say("changed.values", n=len(items), low=f"{min(items):g}", high=f"{max(items):g}")
        if len(items) > _MANY and all(isinstance(x, str) and _DURATION.fullmatch(x) for x in items):
            low, high = (self._text(pick(items, key=ticks)) for pick in (min, max))
            return say("changed.values", n=len(items), low=low, high=high)
        return say("list.comma").join(map(self._plain, items))

    def _pair(self, key: str, value: Any) -> str:
        if key == "kind":
            return self._plain(value)
        if key in ("department", "pool", "calendar") and isinstance(value, str):
            value = self.label(value, (f"{key}s",))
        known = self.found.words.catalogue.get(f"setting.{key}")
        name = known or (self._text(key) if _DAYS.fullmatch(key) else self._any(key))
        return self.found.words("changed.pair", what=name, value=self._plain(value))

    def _text(self, text: str) -> str:
        say = self.found.words
        if known := say.catalogue.get(f"value.{text}"):
            return known
        if _DAYS.fullmatch(text):
            return say("day.to").join(say(f"day.{day}") for day in text.split("-"))
        step, _, state = text.partition(" ")
        if f"value.{state}" in say.catalogue and (named := self.label(step, ("steps",))) != step:
            return say("changed.event", step=named, state=say(f"value.{state}"))
        return duration(text, say) if _DURATION.fullmatch(text) else self._any(text)

    def _any(self, name: str) -> str:
        return self.label(name, _ANY)

    def edit(self, edit: Tree) -> str:
        """A change of a process in words: by its own label where it has one."""
        say, kind = self.found.words, str(edit.get("kind"))
        steps = [self.label(str(s), ("steps",)) for s in edit.get("steps") or [edit.get("step", "")]]
        listed = say.list([f"“{step}”" for step in steps])
        only = listed if kind in ("merge", "parallel") else steps[0]
        factor = edit.get("factor", 1.0)
        key = "merge_factor" if kind == "merge" and factor != 1 else kind
        if f"edit.{key}" not in say.catalogue:
            return self._plain(edit)
        share = f"{100 * float(factor if kind == 'merge' else edit.get('share', 0)):.10g}"
        told = say(f"edit.{key}", steps=only, share=share, after=self.label(str(edit.get("after", "")), ("steps",)))
        label = say.label(edit.get("label"), "")
        return f"{label}{say('list.strong')}{told}" if label else told


def _entries(config: Tree, kind: str, name: str) -> Iterator[Any]:
    """What stands under an id in a part of a configuration."""
    processes = [p for p in (config.get("processes") or {}).values() if isinstance(p, Mapping)]
    classes = [c for c in (config.get("case_classes") or {}).values() if isinstance(c, Mapping)]
    if kind == "steps":
        yield from (p["steps"][name] for p in processes if name in (p.get("steps") or {}))
    elif kind == "skill":
        steps = [s for p in processes for s in (p.get("steps") or {}).values() if isinstance(s, Mapping)]
        with_skill = [s for s in steps if s.get("skill") == name]
        yield from with_skill if len(with_skill) == 1 else ()
    elif kind == "surges":
        yield from (d[kind][name] for d in (config.get("demand") or {}).values() if name in (d.get(kind) or {}))
    elif kind in ("promises", "attributes"):
        yield from (c[kind][name] for c in classes if name in (c.get(kind) or {}))
    else:
        found = (config.get(kind) or {}).get(name)
        yield from [found] if found is not None else []
