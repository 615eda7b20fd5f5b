"""Delay: time passes and nobody is busy, as when a customer or a courier is awaited."""

from __future__ import annotations

from typing import Literal

from servsim.model.distributions import AnyDistribution
from servsim.model.steps.step import STEPS, Onward


@STEPS.register("delay")
class Delay(Onward):
    """Waits for `time`, then `next`."""

    kind: Literal["delay"] = "delay"
    time: AnyDistribution
