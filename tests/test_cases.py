"""Is every case study whole, and is its baseline what was reported? Cases are found by their folders in scenarios/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import servsim
from servsim.cli import main
from servsim.model import Scenario
from servsim.variation import varied

ROOT = Path(__file__).parents[1]
CASES = sorted(path.parent.name for path in ROOT.glob("scenarios/*/baseline.yaml"))
SCENARIOS = sorted(
    f"{path.parent.name}/{path.stem}" for case in CASES for path in ROOT.glob(f"scenarios/{case}/*.yaml")
)
MEASURED = {"bank_calls"}
"""Replayed from a file of calls: nobody proposes measures there, and what is left out stands with its figures."""
PROPOSED = [case for case in CASES if case not in MEASURED]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def written(name: str) -> dict[str, Any]:
    """What a scenario's own file says."""
    found = yaml.safe_load((ROOT / "scenarios" / f"{name}.yaml").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


STATED = [name for name in SCENARIOS if any(written(name).get("facts", {}).values())]


def load(name: str) -> Scenario:
    return servsim.load(name, project=ROOT)


def test_there_are_seven_cases_of_reported_figures() -> None:
    assert {"fault_repair", "requirement_handoff", "qualification_review", "hotline", "ticket_centre", "complaints",
            "registration_hall"} <= set(PROPOSED)  # fmt: skip


@pytest.mark.parametrize("name", STATED)
def test_the_reported_figures_come_out(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `servsim facts` does, with the replications of the case."""
    monkeypatch.chdir(ROOT)
    done = main(["facts", name])
    shown = capsys.readouterr()
    assert done == 0, shown.out + shown.err


@pytest.mark.parametrize("case", CASES)
def test_a_case_states_what_was_reported_and_where(case: str) -> None:
    facts = load(f"{case}/baseline").facts
    assert facts
    assert all(fact.source and fact.tolerance > 0 for fact in facts.values())


@pytest.mark.parametrize("case", PROPOSED)
def test_a_case_says_what_is_to_be_reached_and_what_is_not_modelled(case: str) -> None:
    baseline = load(f"{case}/baseline")
    assert baseline.targets and baseline.not_modelled and baseline.assumptions


# ------------------------------------------------------------------ words
def told(scenario: Scenario) -> Iterator[tuple[str, Any]]:
    """(where, label) of what people read of a scenario."""
    yield "title", scenario.title
    yield "label", scenario.label
    yield "question", scenario.question
    for section in ("facts", "targets", "assumptions", "not_modelled", "edits"):
        for name, entry in getattr(scenario, section).items():
            yield f"{section}.{name}", entry.label
            if section in ("assumptions", "not_modelled"):
                yield f"{section}.{name}.why", entry.why
    for section in ("departments", "pools", "shifts", "case_classes", "processes"):
        for name, entry in getattr(scenario, section).items():
            yield f"{section}.{name}", entry.label
    for name, source in scenario.demand.items():
        if source.channel is None:  # else that is what people read of
            yield f"demand.{name}", source.label


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_people_read_is_there_in_both_languages(name: str) -> None:
    scenario = load(name)
    texts = dict(told(scenario))
    assert [at for at, text in texts.items() if not (text and text.en and text.zh)] == []
    assert [at for at, text in texts.items() if CHINESE.search(text.en)] == []
    assert CHINESE.search(scenario.label.zh) and CHINESE.search(scenario.question.zh)
    for assumption in scenario.assumptions.values():
        assert not isinstance(assumption.value, dict) or set(assumption.value) == {"en", "zh"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_assumption_stands_for_settings_that_there_are(name: str) -> None:
    from servsim.compose import composing
    from servsim.project import find

    with composing(find(ROOT)) as composer:
        mapping = composer.scenario(name, []).mapping
    for assumption in load(name).assumptions.values():
        for setting in assumption.settings:
            varied(mapping, [setting], 0.99)  # raises where a setting leads nowhere


# ------------------------------------------------------------------ guides
@pytest.mark.parametrize("case", CASES)
def test_a_case_has_a_guide_in_both_languages(case: str) -> None:
    english, chinese = (ROOT / "docs" / "cases" / f"{case}{ending}" for ending in (".md", ".zh.md"))
    assert f"servsim compare {case}" in english.read_text("utf-8")
    assert f"servsim compare {case}" in chinese.read_text("utf-8")
    assert CHINESE.search(chinese.read_text("utf-8"))


@pytest.mark.parametrize("case", PROPOSED)
def test_the_guides_tell_of_every_scenario(case: str) -> None:
    names = [name.split("/")[1] for name in SCENARIOS if name.startswith(f"{case}/")]
    for ending in (".md", ".zh.md"):
        text = (ROOT / "docs" / "cases" / f"{case}{ending}").read_text("utf-8")
        assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []
