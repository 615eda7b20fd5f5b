"""Approval: somebody decides; the case goes on, back for rework, or out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from servsim.model.base import Count, Id, Share
from servsim.model.errors import Path, refuse
from servsim.model.steps.step import REJECTED, STEPS, Work


@STEPS.register("approval")
class Approval(Work):
    """Work; then with probability `reject` the case leaves as rejected, with `return` it goes to `return_to`, else on.

    A case is returned at most `rounds` times by this step; then what would be returned is approved.
    """

    kind: Literal["approval"] = "approval"
    returned: Share = Field(default=0.0, alias="return")
    return_to: Id | None = None
    reject: Share = 0.0
    rounds: Count = 3

    target_fields: ClassVar[tuple[str, ...]] = ("return_to",)
    return_fields: ClassVar[tuple[str, ...]] = ("return_to",)

    @model_validator(mode="after")
    def _outcomes(self) -> Self:
        if self.returned > 0 and self.return_to is None:
            raise refuse((("return_to",), "is missing; name the step to which the case is returned"))
        if self.returned + self.reject > 1 + 1e-9:
            raise refuse((("return",), f"return and reject sum to {self.returned + self.reject:.10g}, above 1"))
        return self

    def references(self) -> Iterator[tuple[Path, str]]:
        yield from super().references()
        if self.reject > 0:
            yield ("reject",), REJECTED

    def leads_on(self) -> frozenset[str]:
        onward = super().possible() if self.reject < 1 else frozenset[str]()
        return onward | ({REJECTED} if self.reject > 0 else frozenset())

    def possible(self) -> frozenset[str]:
        back = {self.return_to} if self.returned > 0 and self.rounds > 0 and self.return_to else frozenset[str]()
        return self.leads_on() | back
