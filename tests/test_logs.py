"""Event logs as files that read back to the same events, and the story of one case."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from helpers_run import World, large
from test_kpis import HAND_MADE

from servsim.records import Run
from servsim.report import logs
from servsim.report.logs import TRANSITIONS, events, write_csv, write_xes
from servsim.report.story import story

XES = "{http://www.xes-standard.org/}"
Row = tuple[str, str, str, str, str, str, str]  # case, item, step, transition, time, worker, department


def from_arrays(run: Run) -> list[Row]:
    found, names = events(run), run.workload.steps.names
    promises = run.workload.promises
    rows = zip(*(column.tolist() for column in found), strict=True)
    group = run.plan.departments
    return [
        (
            str(case),
            (f"{item}/{part}" if part else str(item)) if item >= 0 else "",
            names[run.workload.step[item]] if item >= 0 else f"promise missed: {promises[what - len(names)]}",
            TRANSITIONS[transition],
            str(np.datetime_as_string(run.when(np.array([at]))[0], unit="us")),
            run.plan.workers[worker] if worker >= 0 else "",
            group[run.item_department[item]] if item >= 0 and run.item_department[item] >= 0 else "",
        )
        for item, transition, at, worker, case, what, part in rows
    ]


def from_csv(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            (
                row["case:concept:name"], row["concept:instance"], row["concept:name"], row["lifecycle:transition"],
                row["time:timestamp"].replace(" ", "T"), row["org:resource"], row["org:group"],
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def from_xes(path: Path) -> list[Row]:
    rows = []
    for trace in ElementTree.parse(path).getroot().iter(f"{XES}trace"):
        case = attributes(trace)["concept:name"]
        for event in trace.iter(f"{XES}event"):
            at = attributes(event)
            rows.append((
                case, at["concept:instance"], at["concept:name"], at["lifecycle:transition"],
                at["time:timestamp"].removesuffix("+00:00"), at.get("org:resource", ""), at.get("org:group", ""),
            ))  # fmt: skip
    return rows


def attributes(element: ElementTree.Element) -> dict[str, str]:
    return {part.attrib["key"]: part.attrib["value"] for part in element if "key" in part.attrib}


def by_case(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: int(row[0]))


@pytest.fixture(params=["by hand", "at random", "odd names", "empty"])
def run(request: pytest.FixtureRequest) -> Run:
    odd = {"ann": 'Ann "A", <&>', "bo": "王波", "cy": "cy\u3000'c'"}

    def renamed(case: dict[str, Any]) -> dict[str, Any]:
        items = [
            {key: odd.get(value, value) if key == "worker" else value for key, value in item.items()}
            | {"stretches": [(odd[who], *span) for who, *span in item.get("stretches", ())]}
            for item in case["items"]
        ]
        return {**case, "items": items}

    worlds: dict[str, Callable[[], Run]] = {
        "by hand": HAND_MADE.run,
        "at random": lambda: large(200, 3),
        "odd names": dataclasses.replace(
            HAND_MADE,
            workers={odd[name]: worker for name, worker in HAND_MADE.workers.items()},
            cases=[renamed(dict(case)) for case in HAND_MADE.cases],
        ).run,
        "empty": World().run,
    }
    return worlds[request.param]()


def test_csv_reads_back_to_the_same_events(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "AT_A_TIME", 7)
    write_csv(run, tmp_path / "log.csv")
    assert from_csv(tmp_path / "log.csv") == from_arrays(run)


def test_xes_reads_back_to_the_same_events(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "AT_A_TIME", 7)
    write_xes(run, tmp_path / "log.xes")
    assert from_xes(tmp_path / "log.xes") == by_case(from_arrays(run))


def test_the_life_cycle_of_an_interrupted_item() -> None:
    told = [row[3:] for row in from_arrays(HAND_MADE.run()) if row[:3] == ("3", "9", "intake")]
    assert told == [
        ("schedule", "2026-03-02T09:30:00.000000", "", "front"),
        ("start", "2026-03-02T09:35:00.000000", "bo", "front"),
        ("suspend", "2026-03-02T09:45:00.000000", "bo", "front"),
        ("resume", "2026-03-02T10:30:00.000000", "ann", "front"),
        ("complete", "2026-03-02T10:40:00.000000", "ann", "front"),
    ]


def test_a_customer_who_gives_up_ends_the_open_item() -> None:
    told = [row[2:5] for row in from_arrays(HAND_MADE.run()) if row[0] == "2"]
    assert told == [
        ("intake", "schedule", "2026-03-02T09:10:00.000000"),
        ("intake", "pi_abort", "2026-03-02T09:20:00.000000"),
        ("promise missed: first_response", "complete", "2026-03-02T09:20:00.000000"),
        ("promise missed: resolution", "complete", "2026-03-02T09:20:00.000000"),
    ]


def test_a_promise_that_runs_out_is_an_event_at_the_first_tick_beyond_it() -> None:
    told = [row for row in from_arrays(HAND_MADE.run()) if row[2] == "promise missed: resolution" and row[0] == "3"]
    assert told == [("3", "", "promise missed: resolution", "complete", "2026-03-02T10:30:00.000001", "", "")]


def test_an_interrupted_item_still_in_hand_at_the_end_is_not_suspended_again() -> None:
    item = {"step": "a", "enabled": 0, "started": 0, "worker": "w", "stretches": [("w", 0, 10), ("w", 40, 60)]}
    world = World(
        departments=("d",), pools={"p": {"department": "d", "skills": ["s"]}}, skills=("s",),
        workers={"w": {"pool": "p", "duty": [(0, 60)]}}, steps={"a": {"skill": "s"}},
        cases=[{"at": 0, "items": [item]}], window=(0, 60, 60),
    )  # fmt: skip
    assert [row[3] for row in from_arrays(world.run())] == ["schedule", "start", "suspend", "resume"]


def test_joins_leave_no_events() -> None:
    items = [{"step": "a", "enabled": 0, "started": 0, "completed": 1}]
    items += [{"step": "j", "enabled": 1, "started": 1, "completed": 1}]
    run = World(steps={"a": {"kind": "delay"}, "j": {"kind": "join"}}, cases=[{"at": 0, "items": items}]).run()
    assert {run.workload.steps.names[what] for what in events(run).what} == {"a"}


def test_csv_is_what_process_mining_tools_take(tmp_path: Path) -> None:
    write_csv(HAND_MADE.run(), tmp_path / "log.csv")
    table = pd.read_csv(tmp_path / "log.csv", parse_dates=["time:timestamp"])
    assert list(table.columns) == list(logs.COLUMNS)
    assert table["time:timestamp"].is_monotonic_increasing
    assert table.iloc[1].tolist()[:3] == [0, "intake", "start"]
    assert table["time:timestamp"][1] == pd.Timestamp("2026-03-02 08:00")
    assert table.iloc[1].tolist()[4:] == ["ann", "desk", "front", 0, "urgent", "phone", "completed"]


def test_xes_declares_what_it_uses_in_the_order_of_the_standard(tmp_path: Path) -> None:
    write_xes(HAND_MADE.run(), tmp_path / "log.xes")
    log = ElementTree.parse(tmp_path / "log.xes").getroot()
    assert log.tag == f"{XES}log" and log.attrib["xes.version"] == "1.0" and "xes.features" in log.attrib
    order = [part.tag.removeprefix(XES) for part in log]
    assert order == sorted(order, key=["extension", "global", "classifier", "trace"].index)
    of_trace, of_event = (attributes(part) for part in log.iter(f"{XES}global"))
    prefixes = {part.attrib["prefix"] for part in log.iter(f"{XES}extension")}
    for part in log.iter(f"{XES}classifier"):
        assert set(part.attrib["keys"].split()) <= of_event.keys()
    for trace in log.iter(f"{XES}trace"):
        assert of_trace.keys() <= attributes(trace).keys()
    for event in log.iter(f"{XES}event"):
        assert of_event.keys() <= attributes(event).keys()
        assert {key.partition(":")[0] for key in attributes(event)} <= prefixes


@pytest.mark.parametrize("write", [write_csv, write_xes])
def test_a_log_that_cannot_be_finished_leaves_nothing(
    write: Callable[[Run, Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(logs, "_columns", fail)
    with pytest.raises(OSError, match="disk full"):
        write(HAND_MADE.run(), tmp_path / "log")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- story
def test_the_story_of_a_case() -> None:
    assert story(HAND_MADE.run(), 3).splitlines() == [
        "Case 3 · urgent · online",
        " 1. Mon 2026-03-02 09:30:00  arrives",
        " 2. Mon 2026-03-02 09:30:00  reaches intake",
        " 3. Mon 2026-03-02 09:35:00  intake: bo (desk) starts after 5 min of waiting (everybody busy); the customer "
        "is answered, 5 min after arrival",
        " 4. Mon 2026-03-02 09:45:00  intake: interrupted; bo (desk) has worked 10 min on it",
        " 5. Mon 2026-03-02 10:30:00  intake: ann (desk) resumes",
        " 6. Mon 2026-03-02 10:30:00  resolution: the time promised has run out",
        " 7. Mon 2026-03-02 10:40:00  intake: completed after 20 min of work",
        " 8. Mon 2026-03-02 10:40:00  reaches fix",
        " 9. Mon 2026-03-02 10:50:00  fix: cy (repair) starts after 10 min of waiting (everybody busy)",
        "10. Mon 2026-03-02 11:20:00  fix: completed after 30 min of work",
        "11. Mon 2026-03-02 11:20:00  leaves, completed, 1 h 50 min after arrival",
        "12. answer promised by Mon 2026-03-02 09:50:00: kept, 15 min to spare",
        "13. resolution promised by Mon 2026-03-02 10:30:00: missed by 50 min",
    ]


def test_the_story_in_chinese() -> None:
    assert story(HAND_MADE.run(), 2, "zh").splitlines() == [
        "事项 2 · ordinary · phone",
        "1. 周一 2026-03-02 09:10:00  到达",
        "2. 周一 2026-03-02 09:10:00  进入环节 intake",
        "3. 周一 2026-03-02 09:20:00  客户放弃，距到达 10分钟",
        "4. 承诺 周一 2026-03-02 09:40:00 前响应：未兑现，客户已放弃",
        "5. 承诺 周一 2026-03-02 11:20:00 前办结：未兑现，客户已放弃",
    ]


@pytest.mark.parametrize(
    ("case", "last_lines"),
    [
        (1, ["15. Mon 2026-03-02 08:50:00  leaves, rejected, 45 min after arrival",
             "16. answer promised by Mon 2026-03-02 08:08:00: missed by 2 min",
             "17. resolution promised by Mon 2026-03-02 09:40:00: kept, 50 min to spare"]),
        (5, ["3. Mon 2026-03-02 13:00:00  the clock stops; the case is still in process after 1 h 5 min",
             "4. answer promised by Mon 2026-03-02 14:40:00: not due yet when the clock stops"]),
        (6, ["3. Mon 2026-03-02 12:20:00  answer: the time promised has run out",
             "4. Mon 2026-03-02 13:00:00  the clock stops; the case is still in process after 50 min",
             "5. answer promised by Mon 2026-03-02 12:20:00: missed, still open 40 min after that when the clock "
             "stops"]),
    ],
)  # fmt: skip
def test_how_stories_end(case: int, last_lines: list[str]) -> None:
    assert story(HAND_MADE.run(), case).splitlines()[-len(last_lines) :] == last_lines


def test_dispatch_delay_escalation_and_work_that_needs_nobody() -> None:
    world = World(
        departments=("d",),
        pools={"p": {"department": "d", "skills": ["s"]}, "boss": {"department": "d", "skills": ["t"]}},
        skills=("s", "t"),
        workers={"eve": {"pool": "boss", "duty": [(0, 900)]}},
        steps={"push": {"kind": "handoff"}, "sign": {"kind": "approval", "skill": "s"}, "a": {"skill": "s"}},
        cases=[
            {
                "at": 615,  # the worked example: reported 10:15, pushed to the team 11:40
                "items": [
                    {"step": "push", "enabled": 615, "started": 615, "completed": 620, "returned": 1},
                    {"step": "sign", "enabled": 620, "started": 620, "completed": 620, "automated": True},
                    {"step": "a", "enabled": 620, "offered": 700, "started": 720, "worker": "eve"},
                ],
            }
        ],
        escalations=[(2, 705, "t")],
        window=(0, 900, 900),
    )
    assert [line[4:] for line in story(world.run(), 0).splitlines()[1:]] == [
        "Mon 2026-03-02 10:15:00  arrives",
        "Mon 2026-03-02 10:15:00  push: handed over",
        "Mon 2026-03-02 10:20:00  push: hand-over takes 5 min; sent back",
        "Mon 2026-03-02 10:20:00  sign: runs by itself",
        "Mon 2026-03-02 10:20:00  sign: done by itself after 0 min",
        "Mon 2026-03-02 10:20:00  reaches a",
        "Mon 2026-03-02 11:40:00  a: pushed to the queue of s after 1 h 20 min of dispatch delay",
        "Mon 2026-03-02 11:45:00  a: not taken up in time, moves to the queue of t",
        "Mon 2026-03-02 12:00:00  a: eve (boss) starts after 1 h 40 min of waiting (dispatch delay 1 h 20 min, "
        "everybody busy 20 min)",
        "Mon 2026-03-02 15:00:00  the clock stops; the case is still in process after 4 h 45 min",
    ]


@pytest.mark.parametrize("case", [-1, 7])
def test_a_wrong_number_is_told_the_known_range(case: int) -> None:
    with pytest.raises(ValueError, match=f"case {case}: this run has cases 0 to 6"):
        story(HAND_MADE.run(), case)


def test_an_empty_run_has_no_story() -> None:
    with pytest.raises(ValueError, match="没有事项"):
        story(World().run(), 0, "zh")
