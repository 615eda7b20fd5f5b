"""Scenarios build on each other as a planner expects, and every value knows its file and line."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from servsim.compose import Composed, build, composing, load
from servsim.model.errors import InputError
from servsim.project import find
from servsim.sources import read

if TYPE_CHECKING:
    from helpers_project import TemporaryProject

pytest_plugins = ["helpers_project"]


def compose(name: str, *overrides: str) -> Composed:
    with composing(find()) as composer:
        return composer.scenario(name, overrides)


def small(root: Path, **files: str) -> None:
    """A study `s` of these files; `__` in a name is a slash."""
    for name, text in files.items():
        path = root / "scenarios" / "s" / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# @package _global_\n{text}", encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    small(
        tmp_path,
        baseline="defaults:\n  - override /dispatch: priority\nx: 1\nstaffing: {desk: {day: 1, late: 1}}\n",
        peak="defaults: [baseline, _self_, override /dispatch: edd]\nstaffing: {desk: {day: 2}}\n",
        late="defaults: [baseline, _self_]\nstaffing: {desk: {late: 3}}\n",
        deep="defaults: [peak, _self_, override /dispatch: sjf]\nx: 9\n",
        both="defaults: [peak, late, _self_]\n",
        all="defaults: [both, deep, _self_]\n",
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def outcome(name: str) -> tuple[Any, ...]:
    got = compose(name).mapping
    return got["dispatch"]["rule"], got["x"], got["staffing"]["desk"]["day"], got["staffing"]["desk"]["late"]


# ---------------------------------------------------------------------- building on each other
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("s/baseline", ("priority", 1, 1, 1)),
        ("s/peak", ("edd", 1, 2, 1)),  # the variant's choice beats its baseline's
        ("s/deep", ("sjf", 9, 2, 1)),  # three levels
        ("s/both", ("edd", 1, 2, 3)),  # two parents with one baseline: both count, the baseline resets neither
        ("s/all", ("sjf", 9, 2, 3)),  # parents of parents
    ],
)
def test_a_variant_is_what_it_builds_on_and_then_its_own(root: Path, name: str, expected: tuple[Any, ...]) -> None:
    assert outcome(name) == expected


def test_the_parent_named_later_wins(root: Path) -> None:
    small(root, one="defaults: [baseline, _self_]\nx: 5\n", two="defaults: [baseline, _self_]\nx: 6\n")
    small(root, ab="defaults: [one, two, _self_]\n", ba="defaults: [two, one, _self_]\n")
    assert outcome("s/ab")[1] == 6
    assert outcome("s/ba")[1] == 5


def test_parents_may_be_named_from_the_scenarios_folder(root: Path) -> None:
    small(root, x__y="defaults: [/scenarios/s/peak, _self_]\nx: 7\n", z="defaults: [s/late, _self_]\n")
    assert outcome("s/x/y") == ("edd", 7, 2, 1)
    assert outcome("s/z")[3] == 3


def test_variants_joined_are_as_a_file_that_builds_on_them(root: Path) -> None:
    small(root, peak="label: {en: Peak, zh: 高峰}\ndefaults: [baseline, _self_, override /dispatch: edd]\nx: 3\n")
    joined, written = compose("s/peak+late").mapping, compose("s/both").mapping
    assert joined.pop("label") == {"en": "Peak + late", "zh": "高峰 + late"}
    assert {**joined, "name": "s/both"} == written
    assert outcome("s/late+deep") == ("sjf", 9, 1, 3)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("s/peak+lat", "there is no scenario 's/lat'; did you mean s/late"),
        ("peak+late", "'peak\\+late': write the study and its variants"),
        ("s/peak+", "'s/peak\\+': write the study and its variants"),
        ("s/peak+t/late", "there is no scenario 't/late'"),
    ],
)
def test_what_cannot_be_joined_is_told(root: Path, name: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        find().scenario_named(name)
    assert find().scenario_named("s/peak+s/late+peak") == "s/peak+late"


def test_own_values_come_where_self_stands(root: Path) -> None:
    small(root, first="defaults: [baseline, _self_, deep]\nx: 5\n")
    assert outcome("s/first")[1] == 9


def test_parts_are_built_on_and_not_listed(root: Path) -> None:
    small(root, _part="x: 4\n", whole="defaults: [baseline, _part, _self_]\n")
    assert outcome("s/whole")[1] == 4
    assert "s/_part" not in find().names


def test_a_scenario_needs_no_package_line_and_may_begin_with_a_mark(root: Path) -> None:
    text = "\ufeffdefaults: [baseline, _self_]\nx: 8\n"
    (root / "scenarios" / "s" / "notepad.yaml").write_text(text, encoding="utf-8")
    assert outcome("s/notepad")[1] == 8


def test_a_circle_is_told(root: Path) -> None:
    small(root, a="defaults: [b, _self_]\n", b="defaults: [a, _self_]\n")
    with pytest.raises(InputError, match=r"builds on itself: s/a → s/b → s/a"):
        compose("s/a")


def test_a_replaced_kind_leaves_nothing_behind(root: Path) -> None:
    small(root, log="time: {kind: lognormal, mean: 8 min, cv: 0.8}\n")
    small(root, exp="defaults: [log, _self_]\ntime: {kind: exponential, mean: 9 min}\n")
    small(root, slow="defaults: [log, _self_]\ntime: {mean: 9 min}\n")
    assert compose("s/exp").mapping["time"] == {"kind": "exponential", "mean": "9 min"}
    assert compose("s/slow").mapping["time"] == {"kind": "lognormal", "mean": "9 min", "cv": 0.8}
    typed = compose("s/log", "time={kind: constant, value: 3 min}").mapping["time"]
    assert typed == {"kind": "constant", "value": "3 min"}


def test_a_label_is_not_inherited(root: Path) -> None:
    small(root, named="label: {en: Today}\nx: 1\n", heir="defaults: [named, _self_]\n")
    assert compose("s/named").mapping["label"] == {"en": "Today"}
    assert "label" not in compose("s/heir").mapping
    assert compose("s/heir").mapping["name"] == "s/heir"
    assert compose("s/heir", "label.zh=高峰").mapping["label"] == {"en": "Today", "zh": "高峰"}


def test_a_variant_takes_away_a_fact_of_its_baseline_by_leaving_it_empty(root: Path) -> None:
    small(
        root,
        named="facts: {wait: {value: 1}, late: {value: 2}}\n",
        heir="defaults: [named, _self_]\nfacts: {wait: }\n",
        heirs="defaults: [heir, _self_]\n",
        blank="facts: {wait: }\n",
    )
    assert compose("s/heir").mapping["facts"] == compose("s/heirs").mapping["facts"] == {"late": {"value": 2}}
    assert compose("s/blank").mapping["facts"] == {"wait": None}  # one's own fact without a value is no fact yet


# ---------------------------------------------------------------------- groups
def test_the_projects_option_beats_the_packages_of_the_same_name(root: Path) -> None:
    (root / "conf" / "dispatch").mkdir(parents=True)
    (root / "conf" / "dispatch" / "edd.yaml").write_text("rule: edd\ndelay: 5 min\n")
    assert compose("s/peak").mapping["dispatch"] == {"rule": "edd", "delay": "5 min"}


def test_a_typed_option_replaces_the_chosen_one_and_beats_the_scenario(root: Path) -> None:
    small(root, inline="defaults: [baseline, _self_]\ndispatch: {rule: slack, delay: 1 min}\n")
    assert compose("s/inline", "dispatch=edd").mapping["dispatch"] == {"rule": "edd", "delay": "1 min"}
    assert compose("s/inline", "dispatch=ageing").mapping["dispatch"]["ageing"] == "30 min"
    assert "ageing" not in compose("s/inline", "dispatch=edd").mapping["dispatch"]
    typed = compose("s/inline", "dispatch=edd", "dispatch.delay=9 min").mapping["dispatch"]
    assert typed == {"rule": "edd", "delay": "9 min"}


def test_options_may_lie_in_folders_and_groups_may_be_the_projects_own(root: Path) -> None:
    for name, text in {"demand/bank/trace": "online: {factor: 2}", "process/v1": "p: 1", "process/v2": "p: 2"}.items():
        path = root / "conf" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    small(root, own="defaults: [baseline, _self_, override /process: v1]\n")
    small(root, heir="defaults: [own, _self_, override /process: v2]\n")
    assert compose("s/baseline", "demand=bank/trace").mapping["demand"] == {"online": {"factor": 2}}
    assert compose("s/own").mapping["process"] == {"p": 1}
    assert compose("s/heir").mapping["process"] == {"p": 2}
    assert compose("s/own", "process=v2").mapping["process"] == {"p": 2}
    assert compose("s/baseline", "process=v2").mapping["process"] == {"p": 2}


def test_project_yaml_lies_between_the_options_and_the_scenarios(root: Path) -> None:
    (root / "conf").mkdir()
    (root / "conf" / "project.yaml").write_text("default_study: s\nreplications: 7\nx: 0\n")
    mapping = compose("s/baseline").mapping
    assert (mapping["replications"], mapping["x"]) == (7, 1)
    assert "default_study" not in mapping
    assert compose("s/baseline", "run=quick").mapping["replications"] == 5


# ---------------------------------------------------------------------- what is typed
@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("a.b=12", 12),
        ("a.b=0.30", 0.3),
        ("a.b=2 wk", "2 wk"),
        ("a.b=2026-03-02", "2026-03-02"),
        ("a.b=17:30", "17:30"),
        ("a.b=08:30-17:30", "08:30-17:30"),
        ("a.b=12/h", "12/h"),
        ("a.b=50%", "50%"),
        ("a.b=高峰 时段", "高峰 时段"),
        ("a.b=it's", "it's"),
        ("a.b=x=y", "x=y"),
        ("a.b=a (b)", "a (b)"),
        ("a.b={en: 高, n: 1}", {"en": "高", "n": 1}),
        ("a.b=[1, 2]", [1, 2]),
        ("a.b='1,2'", "1,2"),
        ("a.b=null", None),
        ("a.b=true", True),
        ("+a.b=1", 1),
        ("++a.b=1", 1),
    ],
)
def test_a_value_gets_through_as_it_is_meant(root: Path, word: str, value: Any) -> None:
    assert compose("s/baseline", word).mapping["a"] == {"b": value}


def test_keys_that_hydra_cannot_read_get_through(root: Path) -> None:
    got = compose(
        "s/baseline", "clock.exceptions.2026-03-18=closed", "staffing.柜员.day=1", "~staffing.desk.late"
    ).mapping
    assert got["clock"] == {"exceptions": {"2026-03-18": "closed"}}
    assert got["staffing"] == {"desk": {"day": 1}, "柜员": {"day": 1}}


def test_sweeps_become_one_list_of_settings_for_each_combination(root: Path) -> None:
    with composing(find()) as composer:
        assert composer.expand(["a=1,2", "dispatch=fcfs,edd", "seed=3"]) == [
            ("a=1", "dispatch=fcfs", "seed=3"),
            ("a=1", "dispatch=edd", "seed=3"),
            ("a=2", "dispatch=fcfs", "seed=3"),
            ("a=2", "dispatch=edd", "seed=3"),
        ]
        assert [s[0] for s in composer.expand(["a=range(10,15,2)"])] == ["a=10", "a=12", "a=14"]
        assert composer.expand([]) == [()]


# ---------------------------------------------------------------------- where a value comes from
def test_a_value_comes_from_the_last_file_that_sets_it(root: Path) -> None:
    sources = compose("s/both", "clock.start=2026-03-02").sources
    assert sources.where(("staffing", "desk", "day")) == "scenarios/s/peak.yaml:3"
    assert sources.where(("staffing", "desk", "late")) == "scenarios/s/late.yaml:3"
    assert sources.where(("x",)) == "scenarios/s/baseline.yaml:4"
    assert sources.where(("clock", "start")) == "command line"
    assert (
        sources.where(("staffing", "desk", "night")) == "scenarios/s/late.yaml:3"
    )  # missing: the deepest place there is
    assert sources.where(("dispatch", "rule")).endswith("conf/dispatch/edd.yaml:2")


def test_lists_and_merged_mappings_have_lines(root: Path) -> None:
    small(root, lists="base: &b\n  p: 1\nl:\n  - {at: 1}\n  - at: 2\nm:\n  <<: *b\n  q: 2\n")
    sources = compose("s/lists").sources
    assert sources.where(("l", 1, "at")) == "scenarios/s/lists.yaml:6"
    assert sources.where(("m", "p")) == "scenarios/s/lists.yaml:3"
    assert compose("s/lists").mapping["m"] == {"p": 1, "q": 2}


def test_yaml_is_read_as_omegaconf_reads_it(root: Path) -> None:
    small(root, values="a: 2026-03-02\nb: 1e5\nc: 17:30\nd: 0.5\ne: ~\n")
    mapping = compose("s/values").mapping
    assert [mapping[k] for k in "abcde"] == ["2026-03-02", 1e5, 1050, 0.5, None]


# ---------------------------------------------------------------------- load
def test_every_scenario_of_the_template_is_sound(project: TemporaryProject) -> None:
    place = find()
    with composing(place) as composer:
        for name in place.names:
            scenario, settings = build(composer.scenario(name), place)
            assert scenario.name == name
            assert settings.replications == 20


def test_the_templates_of_both_languages_differ_in_comments_only(tmp_path: Path) -> None:
    from servsim.template import copy_to

    for language in ("en", "zh"):
        copy_to(tmp_path / language, language)
    files = sorted(path.relative_to(tmp_path / "en") for path in (tmp_path / "en").rglob("*.yaml"))
    assert len(files) == 5
    for file in files:
        english, chinese = (
            yaml.safe_load((tmp_path / language / file).read_text("utf-8")) for language in ("en", "zh")
        )
        assert chinese == {**english, **({"language": "zh"} if "language" in english else {})}
    words = [(tmp_path / "zh" / file).read_text("utf-8") for file in [*files, "README.md"]]
    assert not [text for text in words if re.search("#+ [A-Z][a-z]+ [a-z]", text)]


def test_load_gives_a_scenario_and_leaves_hydra_as_it_was(project: TemporaryProject) -> None:
    from hydra.core.global_hydra import GlobalHydra

    before = GlobalHydra.instance().hydra
    scenario = load("desk/one_more", ["staffing.desk.day=9"], project=project.root)
    assert scenario.staffing["desk"] == {"day": 9}
    assert GlobalHydra.instance().hydra is before


def test_load_works_in_threads(project: TemporaryProject) -> None:
    got: list[int] = []

    def one(n: int) -> None:
        got.append(load("desk/baseline", [f"staffing.desk.day={n}"]).staffing["desk"]["day"])

    threads = [threading.Thread(target=one, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [1, 2, 3, 4]


def test_a_file_that_changed_is_read_again(root: Path) -> None:
    path = root / "scenarios" / "s" / "changing.yaml"
    path.write_text("x: 1\n")
    assert read(path).text == "x: 1\n"
    path.write_text("x: 22\n")
    assert read(path).text == "x: 22\n"
