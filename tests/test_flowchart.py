"""Pictures of processes: where boxes and arrows stand, what is marked as changed, what is written in them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flows import processes
from hypothesis import given, settings
from hypothesis import strategies as st

from servsim.experiment import compare
from servsim.model import Scenario, Settings
from servsim.report import changing, write
from servsim.report.figures.look import style, svg
from servsim.report.figures.processes import processes as draw
from servsim.report.figures.processes import shelved
from servsim.report.findings import Findings
from servsim.report.flow import CHANGED, NEW, REMOVED, Arrow, Chart, charts
from servsim.report.flowchart import Layout, Placed, Route, layout
from servsim.report.flowtracks import layers, leading_back
from servsim.report.words import words

TODAY: dict[str, Any] = {
    "clock": {"start": "2026-03-02", "horizon": "1 wk"},
    "departments": {"front": {"label": {"en": "Front", "zh": "前台"}}, "back": {"label": {"en": "Back", "zh": "后台"}}},
    "pools": {
        "desk": {"label": {"en": "Clerks", "zh": "专员"}, "department": "front"},
        "chief": {"label": {"en": "Chief", "zh": "主管"}, "department": "front"},
        "lab": {"department": "back"},
    },
    "shifts": {"day": {"days": "mon-fri", "hours": "08:00-17:00"}},
    "staffing": {"desk": {"day": 2}, "chief": {"day": 1}, "lab": {"day": 1}},
    "case_classes": {"paper": {"label": {"en": "Paper", "zh": "纸质"}, "process": "p"}, "file": {"process": "p"}},
    "demand": {"mail": {"mix": {"paper": 0.5, "file": 0.5}, "arrivals": {"kind": "poisson", "rate": "1/h"}}},
    "processes": {
        "p": {
            "start": "take",
            "steps": {
                "take": {"kind": "task", "label": {"en": "Take it down", "zh": "登记"}, "skill": "desk",
                         "time": "10 min", "next": "kind"},
                "kind": {"kind": "decision", "by": "case_class", "next": {"paper": "scan", "file": "check"}},
                "scan": {"kind": "task", "label": "Scan", "skill": "desk", "time": "4 min", "next": "check"},
                "check": {"kind": "task", "label": "Check", "skill": "lab", "time": "3 h", "next": "sign"},
                "sign": {"kind": "approval", "label": "Sign", "skill": "chief", "time": "5 min", "reject": 0.1,
                         "return": 0.2, "return_to": "check", "next": "end"},
            },
        }
    },
}  # fmt: skip


def found(language: str = "en", **scenarios: dict[str, Any]) -> Findings:
    """The desk as it is, and scenarios that are made of it by changes of `processes.p.steps`, `edits` or `skill`."""
    configs = {"desk/baseline": TODAY} | {f"desk/{name}": _changed(change) for name, change in scenarios.items()}
    made = {name: Scenario.model_validate({"name": name, **config}) for name, config in configs.items()}
    comparison = SimpleNamespace(
        baseline="desk/baseline", scenarios=tuple(configs), configs=configs, settings=SimpleNamespace(headline=()),
        flows={name: {p: scenario.flow(p) for p in scenario.used_processes()} for name, scenario in made.items()},
    )  # fmt: skip
    return Findings(comparison, words(language))  # type: ignore[arg-type]


def _changed(change: dict[str, Any]) -> dict[str, Any]:
    steps = {at: {**step, **change.get(at, {})} for at, step in TODAY["processes"]["p"]["steps"].items()}
    return {**TODAY, "processes": {"p": {"start": "take", "steps": steps}}, "edits": change.get("edits", {})}


def chart_of(changed: dict[str, Any], language: str = "en") -> Chart:
    (chart,) = charts(found(language, other=changed), "desk/other")
    return chart


def marks(chart: Chart) -> dict[str, str]:
    return {box.id: box.mark for box in chart.boxes if box.mark}


def details(chart: Chart, box: str) -> list[str]:
    return next([*one.details.values()] for one in chart.boxes if one.id == box)


# ---------------------------------------------------------------------- what is drawn
def test_boxes_say_who_works_and_how_long_and_arrows_when_they_are_taken() -> None:
    (chart,) = charts(found(), "desk/baseline")
    assert details(chart, "take") == ["Clerks", "10 min"] and details(chart, "check") == ["3 h"]
    ways = {(arrow.source, arrow.target): arrow.label for arrow in chart.arrows}
    assert ways == {
        (">", "take"): "", ("take", "kind"): "", ("kind", "scan"): "Paper", ("kind", "check"): "file",
        ("scan", "check"): "", ("check", "sign"): "", ("sign", "sign>end"): "", ("sign", "sign>rejected"): "10 %",
        ("sign", "check"): "20 % back",
    }  # fmt: skip
    assert {box.id: box.lane for box in chart.boxes if box.lane} == {
        "take": "front", "scan": "front", "check": "back", "sign": "front",
    }  # fmt: skip
    assert not chart.changed and chart.lanes == {"front": "Front", "back": "Back"}


def test_texts_are_in_the_language_of_the_reader() -> None:
    (chart,) = charts(found("zh"), "desk/baseline")
    assert next(box.title for box in chart.boxes if box.id == "take") == "登记"
    assert details(chart, "take") == ["专员", "10分钟"] and [*chart.lanes.values()] == ["前台", "后台"]
    assert "20%退回" in {arrow.label for arrow in chart.arrows}


def test_a_changed_time_is_told_with_the_one_before() -> None:
    chart = chart_of({"take": {"time": "6 min"}})
    assert marks(chart) == {"take": CHANGED} and details(chart, "take") == ["Clerks", "6 min (was 10 min)"]


def test_a_change_that_is_not_written_in_the_box_marks_it_all_the_same() -> None:
    chart = chart_of({"take": {"time": {"kind": "exponential", "mean": "10 min"}}})
    assert marks(chart) == {"take": CHANGED}


def test_another_skill_moves_a_step_to_another_lane() -> None:
    chart = chart_of({"check": {"skill": "chief"}})
    assert marks(chart) == {"check": CHANGED} and details(chart, "check") == ["Chief", "3 h"]
    assert next(box.lane for box in chart.boxes if box.id == "check") == "front"


def test_other_shares_mark_the_arrow_and_not_the_box() -> None:
    chart = chart_of({"sign": {"reject": 0.05}})
    changed = {(arrow.source, arrow.target): (arrow.label, arrow.mark) for arrow in chart.arrows if arrow.mark}
    assert not marks(chart) and changed == {("sign", "sign>rejected"): ("5 % (was 10 %)", CHANGED)}


def test_a_skipped_step_stays_in_the_picture_as_removed() -> None:
    chart = chart_of({"edits": {"no_scan": {"kind": "skip", "process": "p", "step": "scan"}}})
    assert marks(chart) == {"scan": REMOVED}
    ways = {(arrow.source, arrow.target): arrow.mark for arrow in chart.arrows if arrow.mark}
    assert ways == {("kind", "check"): CHANGED, ("kind", "scan"): REMOVED, ("scan", "check"): REMOVED}


def test_merged_steps_say_where_they_went() -> None:
    chart = chart_of({"edits": {"one": {"kind": "merge", "process": "p", "steps": ["check", "sign"]}}})
    assert marks(chart)["sign"] == REMOVED and details(chart, "sign") == ["now in: Check"]
    assert details(chart, "check")[0] == "2 in one"


def test_new_steps_are_marked_as_new() -> None:
    both = {"kind": "parallel", "process": "p", "steps": ["check", "sign"]}
    chart = chart_of({"edits": {"both": both}, "sign": {"return": 0.0, "return_to": None, "reject": 0.0}})
    assert {at for at, mark in marks(chart).items() if mark == NEW} == {"both", "both_join"}


def test_only_scenarios_that_differ_have_a_picture_and_those_alike_share_one() -> None:
    quick = {"take": {"time": "6 min"}}
    drawn = changing.drawn(found(same={}, quick=quick, again=quick, other={"take": {"time": "5 min"}}))
    assert [(one.name, one.scenarios) for one in drawn] == [
        ("process", ("desk/baseline",)),
        ("process_quick", ("desk/quick", "desk/again")),
        ("process_other", ("desk/other",)),
    ]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Removed: Scan. Changed: Take it down, 6 min (was 10 min)."),
        ("zh", "取消：Scan。变更：登记改为6分钟（原10分钟）。"),
    ],
)
def test_a_sentence_tells_what_changes(language: str, told: str) -> None:
    change = {"take": {"time": "6 min"}, "edits": {"no": {"kind": "skip", "process": "p", "step": "scan"}}}
    here = found(language, other=change)
    text = changing.told(here, changing.drawn(here)[1])
    assert text.startswith(told)


# ---------------------------------------------------------------------- where it stands
def test_an_arrow_that_leads_back_is_told_from_those_that_lead_on() -> None:
    arrows = [Arrow("a", "b"), Arrow("b", "c"), Arrow("c", "b"), Arrow("a", "c"), Arrow("c", "c")]
    assert leading_back(["a", "b", "c"], arrows) == {2, 4}
    assert layers(["a", "b", "c"], [arrows[n] for n in (0, 1, 3)]) == {"a": 0, "b": 1, "c": 2}


def test_pictures_stand_side_by_side_as_far_as_the_width_goes() -> None:
    places, width, height = shelved([(4.0, 2.0), (4.0, 3.0), (5.0, 1.0)])
    assert places == [(0.0, 0.0), (4.35, 0.0), (0.0, 3.35)] and (width, height) == (8.35, 4.35)


def spread(process: dict[str, Any], tick: int) -> dict[str, Any]:
    """The same process with its work among the pools."""
    pools = ("desk", "chief", "lab")
    steps = {}
    for number, (at, step) in enumerate(process["p"]["steps"].items()):
        own = {"skill": pools[(number + tick) % 3]} if "skill" in step else {"to": "back"} if "to" in step else {}
        steps[at] = {**step, **own}
    return {"p": {**process["p"], "steps": steps}}


@settings(max_examples=60, deadline=None)
@given(before=processes(), after=processes(), tick=st.integers(0, 2), language=st.sampled_from(("en", "zh")))
def test_in_random_processes_nothing_overlaps_and_every_arrow_has_both_ends(
    before: dict[str, Any], after: dict[str, Any], tick: int, language: str
) -> None:
    both = {"desk/baseline": before, "desk/other": after}
    configs = {name: {**TODAY, "processes": spread(process, tick)} for name, process in both.items()}
    made = {name: Scenario.model_validate({"name": name, **config}) for name, config in configs.items()}
    flows = {name: {"p": scenario.flow("p")} for name, scenario in made.items()}
    comparison = SimpleNamespace(baseline="desk/baseline", scenarios=tuple(configs), configs=configs, flows=flows)
    here = Findings(comparison, words(language))  # type: ignore[arg-type]
    for chart in [*charts(here, "desk/baseline"), *charts(here, "desk/other")]:
        drawn = layout(chart)
        assert drawn == layout(chart)
        _boxes_are_apart_and_in_their_lanes(drawn, chart)
        _arrows_have_both_ends_and_cross_no_box(drawn)


def _boxes_are_apart_and_in_their_lanes(drawn: Layout, chart: Chart) -> None:
    lanes = {lane.name: lane for lane in drawn.lanes}
    assert {placed.box.id for placed in drawn.boxes} == {box.id for box in chart.boxes}
    for i, one in enumerate(drawn.boxes):
        left, right = one.x - one.width / 2, one.x + one.width / 2
        assert left >= 0 and right <= drawn.width and one.top >= 0 and one.bottom <= drawn.height
        if one.box.lane:
            lane = lanes[(chart.lanes[one.box.lane],)]
            assert lane.left <= left and right <= lane.right
        for other in drawn.boxes[i + 1 :]:
            beside = abs(one.x - other.x) >= (one.width + other.width) / 2
            assert beside or one.bottom < other.top or other.bottom < one.top


def _arrows_have_both_ends_and_cross_no_box(drawn: Layout) -> None:
    where = {placed.box.id: placed for placed in drawn.boxes}
    assert len(drawn.routes) == len({(route.arrow.source, route.arrow.target) for route in drawn.routes})
    for route in drawn.routes:
        first, last = where[route.arrow.source], where[route.arrow.target]
        assert route.start[1] == pytest.approx(first.bottom) and abs(route.start[0] - first.x) <= first.width / 2
        assert route.end[1] == pytest.approx(last.top) and abs(route.end[0] - last.x) <= last.width / 2
        assert route.leads_back == (first.top >= last.top)
        hit = [box.box.id for box in drawn.boxes for point in points(route) if _inside(point, box)]
        assert not hit, (route, hit)


def points(route: Route) -> list[tuple[float, float]]:
    at, found = route.start, []
    for piece in route.pieces:
        a, b, c, d = at, piece[0], piece[len(piece) // 2], piece[-1]
        for k in range(1, 12):
            t = k / 12
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            found.append(tuple(sum(w * p[i] for w, p in zip(weights, (a, b, c, d), strict=True)) for i in (0, 1)))
        at = piece[-1]
    return found  # type: ignore[return-value]


def _inside(point: tuple[float, float], box: Placed) -> bool:
    return abs(point[0] - box.x) < box.width / 2 - 1e-9 and box.top + 1e-9 < point[1] < box.bottom - 1e-9


# ---------------------------------------------------------------------- drawn
@pytest.mark.parametrize(("language", "texts"), [("en", ("Front", "Clerks")), ("zh", ("前台", "专员", "变更", "取消"))])
def test_a_drawing_holds_all_texts_as_text_and_is_the_same_to_the_byte(language: str, texts: tuple[str, ...]) -> None:
    change = {"take": {"time": "6 min"}, "edits": {"no": {"kind": "skip", "process": "p", "step": "scan"}}}
    here = found(language, other=change)
    drawn = []
    for _ in range(2):
        with style():
            drawn.append(svg(draw(here, changing.drawn(here)[1])))
    assert drawn[0] == drawn[1] and all(f">{text}" in drawn[0] for text in texts)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_simulated_comparison_has_all_pictures_in_its_page_and_the_same_bytes_again(
    language: str, tmp_path: Path
) -> None:
    configs = {"desk/baseline": TODAY, "desk/quick": _changed({"check": {"time": "1 h"}})}
    made = [Scenario.model_validate({"name": name, **config}) for name, config in configs.items()]
    how = Settings.model_validate({"seed": 3, "replications": 2, "language": language, "compute": {"jobs": 1}})
    pages = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        write(compare(made, how, configs=configs), folder, language)
        pages.append((folder / "report.html").read_bytes())
    assert pages[0] == pages[1]
    text, say = pages[0].decode(), words(language)
    drawn = {path.stem for path in (tmp_path / "one" / "figures").iterdir()}
    assert {"process", "process_quick", "queue_by_department", "queue_by_weekday", "time_spent"} <= drawn
    places = [text.index(f">{say(key)}</h2>") for key in ("page.where", "page.queue", "page.process", "page.changed")]
    pictures = ("time_spent", "queue_by_department", "process", "process_quick")
    spots = [text.index(f'aria-labelledby="{name}-t"') for name in pictures]
    assert sorted([*places, *spots]) == [spot for pair in zip(places, spots, strict=True) for spot in pair]
    assert {"en": "60 min (was 3 h)", "zh": "60分钟（原3小时）"}[language] in text
