"""Named members of one kind, and what the writer of a misspelt name probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


def suggestion(word: str, known: Iterable[str]) -> str:
    """'; did you mean x?' for near misses, else '; known: a, b, c' (at most twelve names).

    >>> suggestion("proirity", ["fcfs", "priority"])
    '; did you mean priority?'
    """
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(word, names, 2, 0.6)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"; known: {shown}" if names else ""


class Registry(Generic[T]):
    """A table of named members of one kind, in the order in which they were written down."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._members: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator: enters what follows under `name`."""

        def enter(member: T) -> T:
            if name in self._members:
                raise ValueError(f"there is already a {self.kind} named '{name}'")
            self._members[name] = member
            return member

        return enter

    def __getitem__(self, name: str) -> T:
        if name not in self._members:
            raise LookupError(f"there is no {self.kind} '{name}'{suggestion(name, self._members)}")
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members
