"""Which words the report uses: one catalogue per language, and labels in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import yaml

from servsim.registry import suggestion

LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Words:
    """The catalogue of one language: keys such as "table.scenario", texts with named {placeholders}."""

    language: str
    catalogue: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text under `key` with its placeholders filled.

        >>> words("en")("note.failures", n=2)
        'Replications that failed and are left out: 2.'
        """
        return self.catalogue[key].format(**values)

    def label(self, label: object, otherwise: str) -> str:
        """A label, plain or {en: …, zh: …}, in this language; else in any language; else `otherwise`.

        >>> words("zh").label({"en": "Desk", "zh": "受理"}, "desk"), words("zh").label(None, "desk")
        ('受理', 'desk')
        """
        if isinstance(label, Mapping):
            return str(label.get(self.language) or next(filter(None, label.values()), otherwise))
        return str(label) if label else otherwise

    def list(self, items: Sequence[str]) -> str:
        """The items as one enumeration; those with commas inside are told apart by stronger signs.

        >>> words("en").list(["A", "B", "C"]), words("en").list(["A, B", "C"])
        ('A, B and C', 'A, B; C')
        """
        if any(sign in item for item in items for sign in self("list.inside").split("|")):
            return self("list.strong").join(items)
        if len(items) < 2:
            return "".join(items)
        return self("list.comma").join(items[:-1]) + self("list.and") + items[-1]


@lru_cache
def words(language: str) -> Words:
    """The catalogue of a language. Raises ValueError for a language that has none."""
    if language not in LANGUAGES:
        raise ValueError(f"there is no report language '{language}'{suggestion(language, LANGUAGES)}")
    text = files("servsim.report").joinpath("words", f"{language}.yaml").read_text(encoding="utf-8")
    return Words(language, dict(_flat(yaml.safe_load(text))))


def _flat(tree: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in tree.items():
        found += _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", str(value))]
    return found


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
