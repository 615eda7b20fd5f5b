"""When and where the queue stands: the grids, what is told of them, and that the map shows these numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from helpers_comparison import comparison

from servsim.report import pictured, queueing
from servsim.report.figures.heat import queue_by_department, queue_by_weekday
from servsim.report.figures.look import style, svg
from servsim.report.findings import Findings
from servsim.report.words import LANGUAGES, words

HOURS = range(24)


def series(peaks: dict[str, dict[tuple[object, int], float]], column: str, keys: list[object]) -> pd.DataFrame:
    """One item everywhere, but for the peaks (scenario → (row, hour) → items); intervals of ±10 %."""
    rows = [(s, key, h, of.get((key, h), 1.0)) for s, of in peaks.items() for key in keys for h in HOURS]
    frame = pd.DataFrame(rows, columns=["scenario", column, "hour", "value"])
    return frame.assign(lower=0.9 * frame["value"], upper=1.1 * frame["value"])


def found(language: str = "en", empty: bool = False) -> Findings:
    """Two departments; the front is longest at 11 today, the back at 14 with the best measure."""
    made = comparison(["reserve", "peak_30"])
    base, best = "fault_repair/baseline", "fault_repair/reserve"
    places = {base: {("front", 11): 23.0}, best: {("front", 11): 4.0, ("back", 14): 6.0}}
    week = {base: {(0, 9): 31.4}, best: {(0, 9): 12.0}}
    frames = {
        "queue_by_department": series(places, "department", ["back", "front", "idle"]),
        "queue_by_weekday": series(week, "weekday", [*range(7)]),
    }
    idle = frames["queue_by_department"]["department"] == "idle"
    for name, frame in frames.items():
        frame.loc[idle if name == "queue_by_department" else frame["weekday"] == 6, ["value", "lower", "upper"]] = 0.0
        if empty:
            frame[["value", "lower", "upper"]] = 0.0
    label = {"front": {"en": "Front desk", "zh": "前台"}, "back": {"en": "Back office", "zh": "后台"}}
    departments = {name: {"label": text} for name, text in label.items()}
    configs = {name: {**config, "departments": departments} for name, config in made.configs.items()}
    return Findings(replace(made, series={**made.series, **frames}, configs=configs), words(language))


def test_a_grid_holds_the_series_by_department_without_those_that_never_have_a_queue() -> None:
    grid = queueing.by_department(found(), "fault_repair/baseline")
    assert grid is not None and grid.rows == ("Back office", "Front desk")
    assert grid.value[1, 11] == 23 and grid.lower[1, 11] == pytest.approx(20.7) and grid.value.sum() == 23 + 47
    assert grid.longest == (1, 11)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_queue_is_told_with_its_interval_and_what_the_best_measure_makes_of_it(language: str) -> None:
    assert queueing.where(found(language)) == {
        "en": "“Today”: the queue is longest at Front desk between 11:00 and 12:00, 23.0 items (20.7 to 25.3) "
        "on average. With “Peak-hour headcount +30 % and a floating reserve of 10 %” it is 4.0 items (3.6 to 4.4) then "
        "and there; its longest is 6.0 items (5.4 to 6.6), at Back office between 14:00 and 15:00. Ranges in brackets "
        "are 95 % intervals; in the map they are ±2.3 at most.",
        "zh": "“现状”：前台11:00–12:00排队最长，平均23.0件（20.7至25.3）。"
        "“高峰加人30%，另设10%机动岗”下同一时段同一处为4.0件（3.6至4.4）；排队最长之处变为后台14:00–15:00，6.0件（5.4至6.6）。"
        "括号内为95%置信区间；图中各格的区间最宽为±2.3件。",
    }[language]


def test_by_weekday_the_day_is_told() -> None:
    told = queueing.when(found())
    assert told.startswith("“Today”: the queue is longest on Monday between 9:00 and 10:00, 31.4 items (28.3 to 34.5)")
    assert "it is 12.0 items (10.8 to 13.2) then and there, still its longest." in told
    assert queueing.when(found("zh")).startswith("“现状”：周一9:00–10:00排队最长，平均31.4件（28.3至34.5）。")


@pytest.mark.parametrize("draw", [queue_by_department, queue_by_weekday])
def test_the_map_shows_the_numbers_of_the_grid_in_the_same_shades_in_both_panels(draw) -> None:  # type: ignore[no-untyped-def]
    here = found()
    grid_of = queueing.by_department if draw is queue_by_department else queueing.by_weekday
    with style():
        figure = draw(here)
    panels = [axes for axes in figure.axes if axes.get_title(loc="left")]
    assert len(panels) == 2
    norms = set()
    for axes, scenario in zip(panels, queueing.shown(here), strict=True):
        grid = grid_of(here, scenario)
        (mesh, *_) = axes.collections
        np.testing.assert_array_equal(np.asarray(mesh.get_array()).reshape(grid.value.shape), grid.value)
        norms.add(tuple(mesh.norm.boundaries))
        written = {(text.get_position()[1] - 0.5, text.get_position()[0] - 0.5): text.get_text() for text in axes.texts}
        assert set(written) == {(row, hour) for row, hour in np.argwhere(grid.value > 0)}
        assert written[grid.longest] == f"{grid.value[grid.longest]:.{0 if grid.value[grid.longest] >= 9.95 else 1}f}"
    assert len(norms) == 1


def test_a_day_of_which_nothing_is_known_is_grey_and_bears_no_number() -> None:
    here = found()
    frame = here.comparison.series["queue_by_weekday"]
    frame.loc[frame["weekday"] == 3, ["value", "lower", "upper"]] = np.nan
    with style():
        figure = queue_by_weekday(here)
    assert figure is not None
    assert not [text for text in figure.axes[0].texts if text.get_position()[1] == 3.5]
    assert np.asarray(np.ma.getmaskarray(figure.axes[0].collections[0].get_array())).reshape(7, 24)[3].all()


def test_without_a_queue_nothing_is_told_or_drawn() -> None:
    here = found(empty=True)
    assert queueing.where(here) == queueing.when(here) == ""
    assert queue_by_department(here) is None and queue_by_weekday(here) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_the_maps_with_their_sentences(language: str) -> None:
    shown = pictured.pictures(found(language), ["queue_by_weekday", "queue_by_department"], pictured.QUEUE)
    assert [picture.name for picture in shown] == ["queue_by_department", "queue_by_weekday"]  # type: ignore[union-attr]
    assert all(picture.text and picture.title for picture in shown)  # type: ignore[union-attr]
    with style():
        drawn = svg(queue_by_department(found(language)))  # type: ignore[arg-type]
    assert {"en": "Front desk", "zh": "前台"}[language] in drawn and ">23<" in drawn
