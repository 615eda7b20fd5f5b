"""Parallel: the case is worked on along several branches at once, and goes on when all have come to the join."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from servsim.model.base import Id, Positive
from servsim.model.steps.step import STEPS, Onward, Step


@STEPS.register("parallel")
class Parallel(Step):
    """Begins all `branches`, each with the step named; all of them lead to `join`."""

    kind: Literal["parallel"] = "parallel"
    branches: tuple[Id, ...] = Field(min_length=2)
    join: Id

    target_fields: ClassVar[tuple[str, ...]] = ("branches", "join")

    def possible(self) -> frozenset[str]:
        return frozenset(self.branches)


@STEPS.register("join")
class Join(Onward):
    """Where the branches of one parallel meet; goes on with the first so many that come (`needs`, default: all)."""

    kind: Literal["join"] = "join"
    needs: Positive | None = None
