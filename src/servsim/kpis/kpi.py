"""What a KPI is, and the shelf on which all of them stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Literal, TypeVar

from servsim.records import Run
from servsim.registry import Registry

Pairs = Iterable[tuple[str, float]]
"""(group, value): "all", "class=urgent", "hour=09" … and the figure for it."""

Unit = Literal["min", "h", "share", "count", "money"]
Better = Literal["lower", "higher"] | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kpi:
    """A figure of a run: how it is called, in which unit, which way is better, how it is worked out; where it is that
    of something in the scenario, `about` is the id of this, and {about} stands for its name in the labels."""

    name: str
    unit: Unit
    better: Better
    label_en: str
    label_zh: str
    function: Callable[[Run], Pairs]
    about: str = ""

    def label(self, language: str = "en", about: str = "") -> str:
        return (self.label_zh if language == "zh" else self.label_en).replace("{about}", about or self.about)


class Shelf(Registry[Kpi]):
    """KPIs by name. Those that exist for everything of one kind in a scenario are made when they are asked for."""

    def __init__(self) -> None:
        super().__init__("KPI")
        self._families: dict[str, Callable[[str], Kpi | None]] = {}

    def family(self, prefix: str) -> Callable[[Callable[[str], Kpi | None]], Callable[[str], Kpi | None]]:
        """Decorator: enters a function that makes the KPI of a name behind the prefix; None where there is none."""

        def enter(make: Callable[[str], Kpi | None]) -> Callable[[str], Kpi | None]:
            self._families[prefix] = make
            return make

        return enter

    def __getitem__(self, name: str) -> Kpi:
        return self._made(name) or super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and self._made(name) is not None)

    def _made(self, name: str) -> Kpi | None:
        if super().__contains__(name):
            return None
        starts = [start for start in self._families if name.startswith(start) and name != start]
        return self._families[starts[0]](name.removeprefix(starts[0])) if starts else None


KPIS = Shelf()


def kpi(
    name: str, unit: Unit, better: Better, label_en: str, label_zh: str
) -> Callable[[Callable[[Run], Pairs]], Callable[[Run], Pairs]]:
    """Decorator: puts a function of a run on the shelf under `name`."""

    def enter(function: Callable[[Run], Pairs]) -> Callable[[Run], Pairs]:
        KPIS.register(name)(Kpi(name, unit, better, label_en, label_zh, function))
        return function

    return enter


def once(function: Callable[[Run], T]) -> Callable[[Run], T]:
    """Decorator: the answer of a function of a run is worked out once and kept with the run.

    KPIs of a family share their columns this way. The answer must not refer to the run: the circle would keep
    the arrays of finished replications in memory.
    """
    key = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def kept(run: Run) -> T:
        shelf = vars(run)
        if key not in shelf:
            shelf[key] = function(run)
        answer: T = shelf[key]
        return answer

    return kept
