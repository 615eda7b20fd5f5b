"""What a scenario changes, told in words: the difference of two configurations."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers_comparison import comparison
from test_scenario_reference import written

from servsim.report import write
from servsim.report.changed import MISSING, Change, Changed, changes
from servsim.report.findings import Findings
from servsim.report.words import words

BASE: dict[str, Any] = {
    "name": "desk/baseline",
    "label": {"en": "Today", "zh": "现状"},
    "seed": 1,
    "pools": {"clerks": {"label": {"en": "Clerks", "zh": "坐席"}, "wage": 40}},
    "shifts": {"day": {"label": {"en": "Day", "zh": "日班"}, "days": "mon-fri", "hours": "09:00-17:00"}},
    "staffing": {"clerks": {"day": 3}},
    "dispatch": {"rule": "fcfs", "teams": {"calls": {"delay": "90 min"}}},
    "processes": {
        "answer": {
            "label": {"en": "Answer", "zh": "答复"},
            "steps": {
                "check": {"label": {"en": "Check", "zh": "审核"}, "kind": "task", "skill": "calls", "next": "send"},
                "send": {"label": {"en": "Send", "zh": "发出"}, "time": {"kind": "constant", "value": "5 min"}},
            },
        }
    },
}


def told(language: str = "en", **scenarios: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The rows of the table; each scenario is the baseline with top keys replaced."""
    made = comparison(["peak_30", "reserve", "together"][: len(scenarios)])
    named = dict(zip(made.scenarios, [BASE, *({**BASE, "label": n, **s} for n, s in scenarios.items())], strict=True))
    table = Changed(Findings(replace(made, configs=named), words(language))).table()
    return [tuple(cell.text for cell in row) for row in table.rows]


def test_only_what_is_simulated_counts_and_levels_are_gone_through() -> None:
    after = {**BASE, "name": "x", "label": "X", "seed": 7, "question": "?"}
    after["staffing"] = {"clerks": {"day": 4, "late": 1}}
    after["dispatch"] = {"rule": "fcfs", "teams": {**BASE["dispatch"]["teams"], "mail": {"escalate": {"after": "1 h"}}}}
    assert list(changes(BASE, after)) == [
        Change(("staffing", "clerks", "day"), 3, 4),
        Change(("staffing", "clerks", "late"), MISSING, 1),
        Change(("dispatch", "teams", "mail", "escalate"), MISSING, {"after": "1 h"}),
    ]


def test_a_label_is_no_change_and_another_kind_is_told_whole() -> None:
    steps = BASE["processes"]["answer"]["steps"]
    after = {**BASE, "pools": {"clerks": {"label": "Staff", "wage": 40}}}
    time = {"kind": "lognormal", "value": "5 min", "cv": 1}
    after["processes"] = {"answer": {**BASE["processes"]["answer"], "steps": {**steps, "send": {"time": time}}}}
    place = ("processes", "answer", "steps", "send", "time")
    assert list(changes(BASE, after)) == [Change(place, steps["send"]["time"], time)]


def test_settings_are_told_by_label_in_the_readers_language() -> None:
    late = {"label": {"en": "Late", "zh": "晚班"}, "days": "mon-fri", "hours": ["17:00-20:00", "21:00-22:00"]}
    more = {"shifts": {**BASE["shifts"], "late": late}, "staffing": {"clerks": {"day": 3, "late": 2}}}
    assert told("en", more=more) == [
        ("more", "Shifts › Late", "–", "days: Mon–Fri; hours: 17:00-20:00, 21:00-22:00"),
        ("", "Staffing › Clerks › Late", "–", "2"),
    ]
    assert told("zh", more=more)[0] == ("more", "班次 › 晚班", "–", "日期：周一至周五；时间：17:00-20:00、21:00-22:00")
    rule = {"dispatch": {"rule": "edd", "teams": {"calls": {"delay": "0 min"}}}}
    assert told("zh", rule=rule) == [
        ("rule", "派单 › 规则", "先到先办", "到期早者优先"),
        ("", "派单 › 队列 › 审核 › 延迟", "90分钟", "0分钟"),
    ]


def test_edits_are_told_as_sentences() -> None:
    skip = {"kind": "skip", "process": "answer", "step": "check"}
    merge = {"kind": "merge", "process": "answer", "steps": ["check", "send"], "factor": 0.8, "label": "One visit"}
    rows = told("en", edited={"edits": {"no_check": skip, "one": merge}})
    assert rows == [
        ("edited", "Changes of the process › Answer", "–", "“Check” is left out"),
        ("", "Changes of the process › Answer", "–",
         "One visit; one visit instead of “Check” and “Send”, with 80 % of the work"),
    ]  # fmt: skip


def test_long_lists_are_short_and_what_is_in_another_scenario_is_told_by_its_name() -> None:
    profile = {"every": "30 min", "headcount": [0] * 20 + [5] * 28}
    one = {"shifts": {**BASE["shifts"], "profile": profile}}
    two = {"staffing": {"clerks": {"day": 9}}}
    rows = told("en", one=one, two=two, both={**one, **two, "dispatch": {**BASE["dispatch"], "rule": "edd"}})
    assert rows[1] == ("one", "Shifts › profile", "–", "every: 30 min; headcount: 48 values, 0 to 5")
    assert ("both", "all changes of", "", "“two” and “one”") in rows
    assert rows[-1] == ("", "Dispatch › rule", "first come, first served", "earliest due date")


def test_only_the_same_value_is_in_another_scenario_and_the_largest_is_named() -> None:
    late = {"shifts": {**BASE["shifts"], "late": {"days": "sat", "hours": "09:00-12:00"}}}
    rows = told("en", three={"staffing": {"clerks": {"day": 4}}}, five={**late, "staffing": {"clerks": {"day": 5}}})
    assert not any("all changes of" in row for row in rows)
    one = {"staffing": {"clerks": {"day": 4}}}
    rows = told("en", one=one, two={**one, **late}, all={**one, **late, "dispatch": {"rule": "edd"}})
    assert [row[::3] for row in rows if row[1] == "all changes of"] == [("all", "“two”"), ("two", "“one”")]
    rows = told("en", one=one, same=one)
    assert [row[:2] for row in rows] == [(name, "Staffing › Clerks › Day") for name in ("same", "one")]


def test_what_does_not_fit_is_counted() -> None:
    day = {**BASE["shifts"]["day"], "label": "Day"}
    many = {f"s{i:02d}": {**day, "label": f"S{i}"} for i in range(14)}
    rows = told("en", many={"shifts": {**BASE["shifts"], **many}})
    assert len(rows) == 13
    assert rows[11][1] == "Shifts › S11"
    assert "2" in rows[12][1]


def test_a_scenario_that_changes_nothing_is_told_so() -> None:
    assert told("en", same={}) == [("same", "no setting", "", "")]


def test_the_file_has_every_change_as_it_is(tmp_path: Path) -> None:
    made = comparison(["peak_30"])
    base = made.configs["fault_repair/baseline"]
    after = {**made.configs["fault_repair/peak_30"], "staffing": {"desk": {"peak": 3}}}
    write(replace(made, configs={"fault_repair/baseline": base, "fault_repair/peak_30": after}), tmp_path, "en")
    with (tmp_path / "changes.csv").open(encoding="utf-8") as file:
        assert list(csv.reader(file))[1:] == [["fault_repair/peak_30", "staffing.desk", "", '{"peak": 3}']]


def test_ids_without_a_label_are_told_by_what_has_one() -> None:
    """A skill by its steps, else by who has it; a surge, an event and a demand by what they are about."""
    teams = {**BASE["dispatch"]["teams"], "calls": {"escalate": {"after": "30 min", "to": "overdue"}}}
    pools = {"clerks": {**BASE["pools"]["clerks"], "skills": ["calls", "overdue"]}}
    rows = told("zh", up={"pools": pools, "dispatch": {**BASE["dispatch"], "teams": teams}})
    assert any("到：" in row[3] and "overdue" not in row[3] for row in rows), rows
    sale = {"label": {"en": "Sale", "zh": "大促"}, "from": "2026-11-11", "to": "2026-11-11", "factor": 3}
    (row,) = told("zh", sale={"demand": {"x": {"surges": {"sale": sale}}}})
    assert row[1] == "业务量 › x › 突发高峰 › 大促"
    promises = {"solved": {"limit": "2 h", "to": "check completed"}}
    rows = told("zh", sooner={"case_classes": {"fault": {"promises": promises}}})
    assert any("“审核”完成" in row[3] for row in rows), rows
    many = [f"{n} s" for n in range(20)]
    rows = told("zh", spread={"processes": {"answer": {"steps": {"send": {"time": {"quantiles": many}}}}}})
    assert any("20个数值，0秒至19秒" in row[3] for row in rows), rows


def test_keys_of_a_scenario_that_a_measure_may_change_have_words() -> None:
    about = ("facts", "assumptions", "not_modelled", "targets", "scorecard", "settings")
    texts = {"name", "title", "question", "label", "facts", "assumptions", "not_modelled", "targets", "scorecard"}
    known = {key.removeprefix("setting.") for key in words("en").catalogue if key.startswith("setting.")}
    tables = {head: rows for head, rows in written().items() if not head.startswith((*about, "Distributions"))}
    keys = {key for rows in tables.values() for _, key, _ in rows}
    assert sorted(keys - known - texts) == []
