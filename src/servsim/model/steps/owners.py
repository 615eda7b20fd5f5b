"""Who does a step because of who did another one: the same person, or somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, model_validator

from servsim.model.base import Duration, Id, Model
from servsim.model.errors import refuse


class SameAs(Model):
    """For the person who was the last to do `step` for the case; `owner_of`: for the one who answered first, this case
    or the one that it follows. Where nobody did, anybody does it.

    `preferred`: that person has it if they are idle. `required`: nobody else may do it. With `wait` it is kept for them
    for so long, then it is preferred that they do it.
    """

    step: Id | None = None
    owner_of: Literal["case", "previous_case"] | None = None
    rule: Literal["preferred", "required"] = "preferred"
    wait: Duration | None = None

    @model_validator(mode="after")
    def _says_whose(self) -> Self:
        if self.step is None and self.owner_of is None:
            raise refuse((("step",), "is missing; name the step whose worker does this one too"))
        if self.step is not None and self.owner_of is not None:
            raise refuse((("owner_of",), "cannot be combined with `step`; give one of them"))
        if self.wait == 0:
            raise refuse((("wait",), "must be longer than zero; for no waiting write `rule: preferred` alone"))
        return self

    @property
    def kept(self) -> int:
        """Ticks for which it is kept for that person; 0: not at all, -1: for ever."""
        return -1 if self.rule == "required" and self.wait is None else self.wait or 0


def _same_as(value: Any) -> Any:
    """A step alone is preferred."""
    return {"step": value} if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    """A step alone needs no list; one that is named twice is named once."""
    value = [value] if isinstance(value, str) else value
    named = isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)
    return list(dict.fromkeys(value)) if named else value


MaybeSameAs = Annotated[SameAs | None, BeforeValidator(_same_as)]
NotSameAs = Annotated[tuple[Id, ...], BeforeValidator(_listed)]
"""Steps; who did one of them last does not do this one."""


def merged(steps: Mapping[str, tuple[SameAs | None, tuple[str, ...]]]) -> tuple[SameAs | None, tuple[str, ...]]:
    """The rules of steps that are done in one visit: the first that asks for somebody from outside, and all who are
    excluded. Raises ValueError where one of the steps excludes who did another of them."""
    for name, (_, others) in steps.items():
        for other in others:
            if other in steps and other != name:
                raise ValueError(f"'{name}' is not for who did '{other}' (`not_same_as`); one visit cannot do both")
    asked = (same for same, _ in steps.values() if same is not None and (same.step is None or same.step not in steps))
    return next(asked, None), tuple(dict.fromkeys(other for _, others in steps.values() for other in others))
