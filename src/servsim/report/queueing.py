"""When and where the queue stands, as a grid of hours and in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from servsim.report.findings import Estimate, Findings

KPI = "queue_length_mean"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Grid:
    """Items waiting, time averages; [rows, 24 hours], NaN where nothing is known."""

    rows: tuple[str, ...]  # as readers know them
    value: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    @property
    def longest(self) -> tuple[int, int]:
        """Row and hour of the longest queue."""
        row, hour = np.unravel_index(np.nanargmax(self.value), self.value.shape)
        return int(row), int(hour)

    def estimate(self, at: tuple[int, int], n: int) -> Estimate:
        return Estimate(float(self.value[at]), float(self.lower[at]), float(self.upper[at]), n)


def shown(found: Findings) -> tuple[str, ...]:
    """The scenarios whose queues are shown beside one another: the baseline and the best of the others."""
    return (found.baseline, *found.ranked[:1])


def by_department(found: Findings, scenario: str) -> Grid | None:
    """A row per department that has a queue at any time in one of the scenarios shown."""
    names = dict.fromkeys(name for s in shown(found) for name in _departments(found, s))
    rows = tuple(found.group(f"department={name}") for name in names)
    return _grid(found, scenario, "queue_by_department", "department", list(names), rows)


def by_weekday(found: Findings, scenario: str) -> Grid | None:
    """A row per weekday, of all departments together."""
    rows = tuple(found.words(f"weekday.{day}") for day in WEEKDAYS)
    return _grid(found, scenario, "queue_by_weekday", "weekday", range(7), rows)


def _departments(found: Findings, scenario: str) -> list[str]:
    frame = found.series("queue_by_department", scenario)
    return [] if frame is None else list(dict.fromkeys(frame.loc[frame["value"] > 0, "department"]))


def _grid(
    found: Findings, scenario: str, series: str, column: str, keys: Sequence[object], rows: tuple[str, ...]
) -> Grid | None:
    frame = found.series(series, scenario)
    if frame is None or not keys or frame["value"].isna().all():
        return None
    lines = [frame[frame[column] == key].sort_values("hour") for key in keys]
    value, lower, upper = (_stacked([line[name].to_numpy(float) for line in lines]) for name in _NAMES)
    return Grid(rows, value, lower, upper)


_NAMES = ("value", "lower", "upper")


def _stacked(lines: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """A department that this scenario lacks has no line."""
    return np.array([line if len(line) else np.full(24, np.nan) for line in lines])


# ---------------------------------------------------------------------- sentences
def where(found: Findings) -> str:
    """Where and at what hour the queue is longest, and what the best scenario makes of it; "" without a queue."""
    return found.words("sentence.gap").join(_told(found, {s: by_department(found, s) for s in shown(found)}, "at"))


def when(found: Findings) -> str:
    """The same by weekday."""
    return found.words("sentence.gap").join(_told(found, {s: by_weekday(found, s) for s in shown(found)}, "on"))


def _told(found: Findings, grids: dict[str, Grid | None], how: str) -> Iterator[str]:
    today = grids[found.baseline]
    if today is None or not np.nanmax(today.value) > 0:
        return
    at = today.longest
    place = _place(found, today, at, how)
    yield found.words("queue.longest", baseline=found.label(found.baseline), place=place, n=_items(found, today, at))
    for scenario, grid in grids.items():
        if scenario == found.baseline or grid is None or np.isnan(grid.value[at]):
            continue
        texts = {"measure": found.label(scenario), "n": _items(found, grid, at)}
        if grid.longest == at:
            yield found.words("queue.there", **texts)
        else:
            then = _place(found, grid, grid.longest, how)
            yield found.words("queue.elsewhere", **texts, place=then, most=_items(found, grid, grid.longest))
    if found.comparison.n > 1:
        widest = max(float(np.nanmax(grid.upper - grid.lower)) / 2 for grid in grids.values() if grid)
        yield found.words("queue.precision", half=found.scale(KPI, widest).value(widest, widest))


def _place(found: Findings, grid: Grid, at: tuple[int, int], how: str) -> str:
    row, hour = at
    key = "queue.hour" if len(grid.rows) == 1 else f"queue.{how}"
    return found.words(key, row=grid.rows[row], begin=f"{hour}:00", end=f"{hour + 1}:00")


def _items(found: Findings, grid: Grid, at: tuple[int, int]) -> str:
    estimate, typical = grid.estimate(at, found.comparison.n), max(10.0, float(np.nanmax(grid.value)))
    shown = found.scale(KPI, typical).numbers(estimate.mean, estimate.lower, estimate.upper)
    size = found.words("queue.items", n=shown[0])
    if np.isnan(estimate.lower):
        return size
    return found.words("interval.of", size=size, low=shown[1], high=shown[2])
