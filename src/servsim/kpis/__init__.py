"""Run → numbers: the shelf of KPIs and the table of all of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from servsim.kpis.kpi import KPIS, Kpi
from servsim.records import Run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KPIS", "Kpi", "table"]

FAMILIES = (
    "durations", "promises", "outcomes", "following", "work", "spent", "coordination", "owners", "staff",
    "systems", "queues", "overflow", "gates", "signatures", "cost",
)  # fmt: skip
"""The modules that hold KPIs, in the order in which tables show them: importing one puts its KPIs on the shelf."""

for family in FAMILIES:
    import_module(f"servsim.kpis.{family}")

from servsim.kpis.promises import of_run  # noqa: E402  (after all families, so that each keeps its place)


def table(run: Run) -> pd.DataFrame:
    """Every KPI of a run: columns kpi, group, value (minutes, hours, shares, counts, money; NaN: no answer).

    Named groups (class=, channel=, department=, step=, skill=, pool=) are always there, hours (hour=09) where there
    is something to tell.
    """
    import pandas as pd

    every = [*KPIS, *of_run(run)]
    rows = [(name, group, value) for name in every for group, value in KPIS[name].function(run)]
    names, groups, values = zip(*rows, strict=True)
    return pd.DataFrame({"kpi": names, "group": groups, "value": values})
