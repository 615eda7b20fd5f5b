"""Hand-over: the case passes to another department, after a delay, and may be sent back for clarification."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from servsim.model.base import Count, Id, Share
from servsim.model.distributions import AnyDistribution, distribution
from servsim.model.errors import refuse
from servsim.model.steps.meeting import AnyTimetable
from servsim.model.steps.step import STEPS, Onward


@STEPS.register("handoff")
class Handoff(Onward):
    """Takes `delay`; then with probability `returned` the case is sent back to `back_to`, at most `rounds` times.

    With `deliveries` it waits for the next of them first: a courier who goes at set times and takes all that is there.
    """

    kind: Literal["handoff"] = "handoff"
    sender: Id | None = Field(default=None, alias="from")
    to: Id
    delay: AnyDistribution = distribution("0 min")
    returned: Share = 0.0
    back_to: Id | None = None
    rounds: Count = 3
    deliveries: AnyTimetable | None = None

    target_fields: ClassVar[tuple[str, ...]] = ("back_to",)
    return_fields: ClassVar[tuple[str, ...]] = ("back_to",)

    @model_validator(mode="after")
    def _back_to_somewhere(self) -> Self:
        if self.returned > 0 and self.back_to is None:
            raise refuse((("back_to",), "is missing; name the step to which the case is sent back"))
        return self

    def leads_on(self) -> frozenset[str]:
        return super().possible()

    def possible(self) -> frozenset[str]:
        back = {self.back_to} if self.returned > 0 and self.rounds > 0 and self.back_to else frozenset[str]()
        return self.leads_on() | back
