"""Which keys a scenario has, and where: for a key that stands in the wrong place, and for docs/scenario.md."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from servsim.model.base import Model, OneOf

WORDS = {"pools": "POOL", "shifts": "SHIFT", "workers": "WORKER", "calendars": "CALENDAR", "case_classes": "CLASS",
         "demand": "SOURCE", "processes": "PROCESS", "steps": "STEP", "edits": "EDIT", "teams": "SKILL",
         "systems": "SYSTEM", "departments": "DEPARTMENT", "promises": "PROMISE", "facts": "FACT", "cases": "CASE",
         "assumptions": "ASSUMPTION", "attributes": "ATTRIBUTE", "criteria": "CRITERION", "indicators": "INDICATOR",
         "targets": "TARGET",
         "not_modelled": "THING", "seasons": "SEASON", "worth": "GAIN",
         "surges": "SURGE", "skills": "SKILL", "dated": "OUTAGE"}  # fmt: skip
"""What stands for the ids of a section in a path such as pools.POOL.reserve."""


def sections(model: type[Model], path: str = "") -> Iterator[tuple[str, type[Model]]]:
    """(path, model) of each mapping that has keys of its own, in the order of the YAML; members of a family by their
    kind: 'processes.PROCESS.steps.STEP (approval)'. What is inside distributions is not told."""
    yield path, model
    for name, field in model.model_fields.items():
        key = f"{path}.{field.alias or name}".lstrip(".")
        for many, found, kind in _below((*field.metadata, field.annotation)):
            place = f"{key}.{WORDS.get(name, 'ID')}" if many else key
            yield from ((f"{at} ({kind})" if kind and at == place else at, of) for at, of in sections(found, place))


def _below(parts: Any, many: bool = False) -> Iterator[tuple[bool, type[Model], str]]:
    """(one for each id, model, kind) of what an annotation and its metadata hold."""
    families = [part.family for part in parts if isinstance(part, OneOf)]
    for family in families:
        yield from ((many, family[kind], kind) for kind in family if family.kind != "distribution")
    for part in () if families else parts:
        if isinstance(part, type) and issubclass(part, Model):
            yield many, part, ""
        inside = (*typing.get_args(part), *getattr(part, "__metadata__", ()))
        if typing.get_origin(part) is typing.Annotated:
            inside = (typing.get_args(part)[0], *part.__metadata__)
        yield from _below(inside, many or typing.get_origin(part) in (dict, Mapping))


A_FEW = 4
"""A key that stands in more places is nowhere in particular."""


def home(key: str) -> str | None:
    """The mapping to which a key belongs, such as 'pools.POOL' or 'processes.PROCESS.steps.STEP (approval)'; of a few
    the outermost. None where that is no one place, or a key of many."""
    places = _homes().get(key, {})
    least = min((place.count(".") for place in places), default=0)
    outermost = [place for place in places if place.count(".") == least]
    if len(places) > A_FEW or len(outermost) != 1:
        return None
    kinds = ", ".join(sorted(places[outermost[0]]))
    return f"{outermost[0]} ({kinds})" if kinds else outermost[0]


@cache
def _homes() -> dict[str, dict[str, set[str]]]:
    """The places of each key, with the kinds of member that have it."""
    from servsim.model.scenario import Scenario

    found: dict[str, dict[str, set[str]]] = {}
    for path, model in sections(Scenario):
        place, _, kind = path.partition(" (")
        for key in model.keys() if path else ():
            found.setdefault(key, {}).setdefault(place, set()).update({kind.rstrip(")")} - {""})
    return found
