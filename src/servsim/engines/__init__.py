"""Engines: (plan, workload, until) → event log. Every one obeys docs/semantics.md."""

from collections.abc import Callable

from servsim.engines.reference import simulate
from servsim.records import EventLog, Plan, Workload
from servsim.registry import Registry

Engine = Callable[[Plan, Workload, int], EventLog]
ENGINES: Registry[Engine] = Registry("engine")
ENGINES.register("reference")(simulate)

__all__ = ["ENGINES", "Engine"]
