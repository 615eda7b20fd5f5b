"""servsim rehearses changes of staffing, dispatch and process of a service before they are rolled out.

    scenario = servsim.load("fault_repair/peak_30", overrides=["staffing.desk.day=12"])
    run = servsim.simulate(scenario, seed=1)               # run.cases, run.items, run.kpis()
    comparison = servsim.compare(["fault_repair/baseline", scenario], replications=50)

What is named here is the public face; it is imported when first used.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servsim.compose import load as load
    from servsim.experiment import Comparison as Comparison
    from servsim.model import Scenario as Scenario
    from servsim.records import Run as Run
    from servsim.simulate import simulate as simulate

__version__ = "0.1.0"
__all__ = ["Comparison", "Run", "Scenario", "__version__", "compare", "load", "simulate"]

_HOMES = {
    "Comparison": "servsim.experiment",
    "Run": "servsim.records",
    "Scenario": "servsim.model",
    "load": "servsim.compose",
}


def compare(scenarios: Sequence[Scenario | str], **settings: Any) -> Comparison:
    """Runs scenarios, or those with these names, on common random numbers; the first is the baseline.

    `settings` are those of the experiment: replications=50, seed=7, compute={"jobs": 1}, … (defaults as in
    `servsim.model.Settings`). Raises pydantic.ValidationError or InputError for bad input.
    """
    from servsim.compose import load
    from servsim.experiment import compare as run_all
    from servsim.model import Settings

    loaded = [load(scenario) if isinstance(scenario, str) else scenario for scenario in scenarios]
    configs = {scenario.name: scenario.model_dump(mode="json") for scenario in loaded}
    return run_all(loaded, Settings.model_validate(settings), configs=configs)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'servsim' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__


class _Face(ModuleType):
    """This package, whose `simulate` is the function even after the module of that name has been imported."""

    @property
    def simulate(self) -> Any:
        return import_module("servsim.simulate").simulate

    @simulate.setter
    def simulate(self, module: ModuleType) -> None:
        """Python binds an imported submodule to its package; here the function keeps the name."""


sys.modules[__name__].__class__ = _Face
