"""docs/scenario.md has every key of a scenario, and no other; each of its examples is what the key takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import TypeAdapter

from servsim.model import Scenario
from servsim.model.base import Model
from servsim.model.distributions import DISTRIBUTIONS, distribution
from servsim.model.keys import home, sections
from servsim.model.settings import Settings

PAGE = (Path(__file__).parent.parent / "docs" / "scenario.md").read_text("utf-8")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
ROW = re.compile(r"^\| (\*\*)?`(\w+)`(?:\*\*)? \| `([^`]*)`", re.MULTILINE)
BY_EDITS = {"outcome", "parts", "factor"}
"""Keys of steps that are no settings."""
Key = tuple[str, str]
"""(path of the mapping with the kind of its member, key)"""


def written() -> dict[str, list[tuple[bool, str, str]]]:
    """(needed, key, example) of each row, by the heading of its table."""
    parts = HEADING.split(PAGE)[1:]
    tables = dict(zip(parts[::2], parts[1::2], strict=True))
    return {head.strip("`"): [(bool(b), k, e) for b, k, e in ROW.findall(text)] for head, text in tables.items()}


def models() -> dict[str, list[type[Model]]]:
    """Each mapping of a scenario once, where it stands first."""
    seen: set[type[Model]] = set()
    found: dict[str, list[type[Model]]] = {"settings": [Settings]}
    for path, model in sections(Scenario):
        if model not in seen and not path.endswith(("label", ".parts")):
            found.setdefault(path or "scenario", []).append(model)
        seen.add(model)
    return found


def base(heading: str) -> tuple[str, set[str]]:
    path, _, kinds = heading.partition(" (")
    return path, set(kinds.rstrip(")").split(", ")) - {""}


def rows(place: str) -> Iterator[tuple[bool, str, str]]:
    """The rows that tell about a mapping: of its own table and of those about several kinds of it."""
    path, kind = base(place)
    for heading, table in written().items():
        of, kinds = base(heading)
        if of == path and (kinds >= kind if kinds else bool(table)):
            yield from table


@pytest.mark.parametrize("place", models())
def test_every_key_is_there_and_bold_where_it_cannot_be_left_out(place: str) -> None:
    hidden = BY_EDITS if "steps.STEP (" in place else set()
    fields = [(f.alias or n, f) for m in models()[place] for n, f in m.model_fields.items()]
    expected = {key: field.is_required() for key, field in fields if key != "label" and key not in hidden}
    assert {key: needed for needed, key, _ in rows(place)} == expected


@pytest.mark.parametrize(
    ("place", "key", "example"), [(place, key, example) for place in models() for _, key, example in rows(place)]
)
def test_the_example_is_what_the_key_takes(place: str, key: str, example: str) -> None:
    value = yaml.safe_load(example)
    assert list(value) == [key]
    fields = [f for m in models()[place] for n, f in m.model_fields.items() if (f.alias or n) == key]
    kind = {"kind": base(place)[1]} if key == "kind" else {}
    if kind and value["kind"] not in kind["kind"]:
        return  # the table of all kinds shows one
    of: Any = fields[0].annotation
    for part in fields[0].metadata:
        of = Annotated[of, part]
    TypeAdapter(of).validate_python(value[key])


def test_every_distribution_has_an_example() -> None:
    table = PAGE[PAGE.index("\n## Distributions") :]
    examples: dict[str, Any] = dict(re.findall(r"^\| `(\w+)` \| `(\{[^`]*\})`", table, re.MULTILINE))
    assert list(examples) == list(DISTRIBUTIONS)
    for kind, example in examples.items():
        assert distribution(yaml.safe_load(example)).kind == kind


def test_where_a_key_belongs() -> None:
    assert home("reserve") == "pools.POOL"
    assert home("escalate") == "dispatch"
    assert home("return") == "processes.PROCESS.steps.STEP (approval, board)"
    assert home("label") is None  # belongs to many
    assert home("nonsense") is None
