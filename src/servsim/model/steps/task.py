"""Task: somebody with the skill works on the case."""

from __future__ import annotations

from typing import Literal

from servsim.model.steps.step import STEPS, Work


@STEPS.register("task")
class Task(Work):
    """Work, then `next`."""

    kind: Literal["task"] = "task"
