"""Every command does what its help says, in a project of its own."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

import servsim
from servsim.cli import COMMANDS

if TYPE_CHECKING:
    from helpers_project import TemporaryProject

pytest_plugins = ["helpers_project"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ---------------------------------------------------------------------- help
def test_alone_it_prints_help(project: TemporaryProject) -> None:
    said = project.servsim()
    assert said.code == 0
    assert all(f"  {name} " in said.out for name in COMMANDS)
    assert project.servsim("--help").out == said.out


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "hydra"])
def test_each_command_has_help_with_examples(project: TemporaryProject, command: str) -> None:
    said = project.servsim(command, "--help")
    assert said.code == 0
    assert f"usage: servsim {command}" in said.out
    assert f"examples:\n  servsim {command}" in said.out
    assert all(example.startswith(command) for example in COMMANDS[command].examples)


def test_the_version_is_that_of_the_package(project: TemporaryProject) -> None:
    pyproject = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert project.servsim("--version").out == f"servsim {pyproject['project']['version']}\n"


def test_help_and_the_package_come_without_heavy_imports() -> None:
    for code in ("import servsim", "from servsim.cli import main; main(['--help'])"):
        heavy = "{'numpy', 'pandas', 'hydra', 'pydantic', 'scipy', 'matplotlib', 'rich'} & set(sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", f"import sys\n{code}\nsys.exit(str({heavy}) if {heavy} else 0)"],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr


def test_show_comes_without_pandas_and_the_like() -> None:
    heavy = "{'pandas', 'scipy', 'matplotlib', 'rich', 'simpy', 'joblib'} & set(sys.modules)"
    code = f"import sys, servsim.compose, servsim.model\nsys.exit(str({heavy}) if {heavy} else 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------------- list, show, check
def test_list_tells_what_each_scenario_changes(project: TemporaryProject) -> None:
    assert project.servsim("list").out == (
        "desk/baseline      Today\n"
        "desk/both          Both measures\n"
        "    one_more + urgent_first\n"
        "desk/one_more      One more at the desk\n"
        "    staffing.desk.day 3 → 4\n"
        "desk/urgent_first  Urgent cases first\n"
        "    dispatch=priority\n"
        "\n"
    )
    assert "紧急优先" in project.servsim("list", "desk", "language=zh").out


def test_list_names_what_is_new_and_only_counts_the_many(project: TemporaryProject) -> None:
    clock = "".join(f"    2026-03-{day:02d}: closed\n" for day in range(10, 20))
    shift = "shifts: {late: {days: sat, hours: '10:00-12:00'}}\nstaffing: {desk: {late: 1}}\n"
    project.write("scenarios/desk/late.yaml", f"defaults: [one_more, _self_]\n{shift}")
    project.write("scenarios/desk/shut.yaml", f"defaults: [shut_1, _self_]\nclock:\n  exceptions:\n{clock}")
    project.write(
        "scenarios/desk/shut_1.yaml", "defaults: [baseline, _self_]\nclock: {exceptions: {2026-03-09: closed}}\n"
    )
    out = " ".join(project.servsim("list").out.split())
    assert "desk/late one_more, + shifts.late, staffing.desk.late=1 desk/" in out
    assert "desk/shut_1 + clock.exceptions desk/" in out
    assert "… 5 more" in out


def test_list_tells_edits_of_a_process_in_words(project: TemporaryProject) -> None:
    project.write(
        "scenarios/desk/lean.yaml",
        "# @package _global_\ndefaults: [baseline, _self_]\nedits:\n"
        "  one: {kind: merge, process: request, steps: [intake, solve]}\n"
        "  two: {kind: move, process: request, step: solve, after: intake}\n",
    )
    assert "merge intake + solve, move solve after intake" in project.servsim("list").out


def test_list_shows_the_others_where_one_file_is_broken(project: TemporaryProject) -> None:
    project.write("scenarios/desk/broken.yaml", "a: [\n")
    said = project.servsim("list")
    assert said.code == 2
    complaint = 'scenarios/desk/broken.yaml:1: "a: [" has a bracket or quote that is not closed'
    assert complaint in " ".join(said.out.split())
    assert "desk/one_more" in said.out


def test_show_prints_the_composed_yaml(project: TemporaryProject) -> None:
    said = project.servsim("show", "desk/both", "clock.horizon=2 wk")
    shown = yaml.safe_load(said.out)
    assert shown["name"] == "desk/both"
    assert shown["staffing"]["desk"]["day"] == 4
    assert shown["dispatch"]["rule"] == "priority"
    assert shown["clock"]["horizon"] == "2 wk"
    assert next(iter(shown)) == "name"


def test_show_prints_several_with_a_line_between_them(project: TemporaryProject) -> None:
    said = project.servsim("show", "desk", "desk/both", "dispatch=fcfs,edd")
    shown = list(yaml.safe_load_all(said.out))
    assert [(one["name"], one["dispatch"]["rule"]) for one in shown] == [
        ("desk/baseline", "fcfs"),
        ("desk/both", "fcfs"),
        ("desk/baseline", "edd"),
        ("desk/both", "edd"),
    ]


def test_what_show_prints_is_the_scenario(project: TemporaryProject) -> None:
    from servsim.model import split

    mapping = yaml.safe_load(project.servsim("show", "desk/both").out)
    assert servsim.Scenario.model_validate(split(mapping)[0]) == servsim.load("desk/both")


def test_check_says_whether_it_holds(project: TemporaryProject) -> None:
    said = project.servsim("check", "desk")
    assert (said.code, said.out) == (0, "desk/baseline: nothing to complain about\n")
    said = project.servsim("check", "desk/baseline", "desk/one_more", "staffing.desk.day=1")
    assert said.code == 1
    assert "error: command line: staffing.desk:" in said.out
    assert said.out.count("error: ") == 2


# ---------------------------------------------------------------------- run, compare, follow
def test_compare_writes_every_file(project: TemporaryProject) -> None:
    said = project.servsim("compare", "replications=3")
    folder = project.path("results/desk")
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("results/desk/report.html\n")
    assert "One more at the desk" in said.out
    for name in ("kpis.csv", "summary.csv", "differences.csv", "overrides.yaml", "provenance.json"):
        assert (folder / name).is_file()
    assert {path.stem for path in (folder / "config").iterdir()} == {"baseline", "one_more", "urgent_first", "both"}
    assert yaml.safe_load((folder / "overrides.yaml").read_text(encoding="utf-8")) == ["replications=3"]
    assert {row["replication"] for row in rows(folder / "kpis.csv")} == {"0", "1", "2"}
    assert {row["scenario"] for row in rows(folder / "differences.csv")} == {
        "desk/one_more",
        "desk/urgent_first",
        "desk/both",
    }
    assert not [path for path in project.path("results").iterdir() if path != folder]


def test_the_same_seed_gives_the_same_bytes(project: TemporaryProject) -> None:
    words = ("compare", "desk/baseline", "desk/one_more", "replications=2", "seed=7")
    for extra in ("experiment=first", "experiment=second"):
        assert project.servsim(*words, extra).code == 0
    for name in ("kpis.csv", "summary.csv", "differences.csv"):
        first, second = (project.path(f"results/{folder}/{name}").read_bytes() for folder in ("first", "second"))
        assert first == second


def test_a_sweep_adds_scenarios_behind_the_baseline(project: TemporaryProject) -> None:
    said = project.servsim("compare", "desk/baseline", "staffing.desk.day=3,4", "dispatch=fcfs,edd", "replications=2")
    assert said.code == 0
    assert "note: desk/baseline[staffing.desk.day=3,dispatch=fcfs] is desk/baseline as it is" in said.err
    provenance = json.loads(project.path("results/desk/provenance.json").read_text(encoding="utf-8"))
    assert list(provenance["event_logs"]) == [
        "desk/baseline",
        "desk/baseline[staffing.desk.day=3,dispatch=edd]",
        "desk/baseline[staffing.desk.day=4,dispatch=fcfs]",
        "desk/baseline[staffing.desk.day=4,dispatch=edd]",
    ]
    digests = provenance["event_logs"]
    again = project.servsim(
        "run", "desk/baseline[staffing.desk.day=4,dispatch=edd]", "replications=2", "experiment=again"
    )
    assert again.code == 0
    alone = json.loads(project.path("results/again/provenance.json").read_text(encoding="utf-8"))["event_logs"]
    assert alone == {
        "desk/baseline[staffing.desk.day=4,dispatch=edd]": digests["desk/baseline[staffing.desk.day=4,dispatch=edd]"]
    }


def test_the_name_of_a_sweep_shows_its_values_without_quotes(project: TemporaryProject) -> None:
    said = project.servsim("compare", "desk", 'shifts.day.hours="09:00-17:00","10:00-17:00"', "replications=2")
    assert said.code == 0, said
    names = {row["scenario"] for row in rows(project.path("results/desk/summary.csv"))}
    assert "desk/baseline[shifts.day.hours=10:00-17:00]" in names


def test_a_typed_setting_says_which_scenario_it_does_not_suit(project: TemporaryProject) -> None:
    said = project.servsim(
        "compare", "desk/baseline", "desk/one_more[shifts.late.hours=10:00-19:00]", "staffing.desk.late=1"
    )
    assert (said.code, said.out) == (2, "")
    told = "command line: staffing.desk.late: there is no shift 'late'; known: day (in desk/baseline)"
    assert said.err.splitlines()[0] == told


def test_sensitivity_tells_scenarios_apart_that_differ_by_typed_settings(project: TemporaryProject) -> None:
    names = ("desk/baseline", "desk/baseline[staffing.desk.day=4]", "desk/baseline[staffing.desk.day=5]")
    said = project.servsim("sensitivity", *names, "replications=2", "clock.horizon=2 wk", "compute.jobs=1")
    assert said.code == 0, said
    runs = {row["scenario"] for row in rows(project.path("results/desk-sensitivity/summary.csv"))}
    assert "desk/baseline[staffing.desk.day=5,volume +10 %]" in runs


def test_a_variant_alone_is_compared_with_its_baseline(project: TemporaryProject) -> None:
    project.servsim("compare", "desk/one_more", "replications=2")
    assert {row["scenario"] for row in rows(project.path("results/desk/summary.csv"))} == {
        "desk/baseline",
        "desk/one_more",
    }


def test_settings_that_only_a_variant_asks_for_are_told_and_not_taken(project: TemporaryProject) -> None:
    project.write("scenarios/desk/keen.yaml", "defaults: [baseline, _self_]\nreplications: 50\n")
    said = project.servsim("compare", "desk/keen", "run=quick", "clock.horizon=8 d")
    assert said.code == 0
    project.write("scenarios/desk/keen.yaml", "defaults: [baseline, _self_]\nseed: 50\n")
    said = project.servsim("compare", "desk/keen", "run=quick", "clock.horizon=8 d")
    assert said.err == "note: desk/keen asks for seed 50; 1 holds for all\n"


def test_run_writes_its_own_folder_and_the_log(project: TemporaryProject) -> None:
    for kind in ("csv", "xes"):
        said = project.servsim("run", "desk/one_more", "replications=2", "--log", kind)
        assert (said.code, said.err) == (0, "")
        assert project.path(f"results/desk-one_more/log.{kind}").stat().st_size > 1000
    assert rows(project.path("results/desk-one_more/log.csv"))[0]["concept:name"] == "intake"


def test_an_event_log_does_not_outlive_the_figures_that_it_belongs_to(project: TemporaryProject) -> None:
    log = project.path("results/desk-one_more/log.csv")
    assert project.servsim("run", "desk/one_more", "replications=2", "--log", "csv").code == 0
    assert project.servsim("run", "desk/one_more", "replications=3").code == 0
    assert log.is_file()
    assert project.servsim("run", "desk/one_more", "replications=2", "seed=2").code == 0
    assert not log.exists()


def test_options_may_stand_between_the_words(project: TemporaryProject) -> None:
    said = project.servsim("run", "--log", "csv", "desk/baseline", "--project", ".", "replications=2", "seed=3")
    assert said.code == 0


def test_a_failed_replication_is_told_and_the_others_stay(
    project: TemporaryProject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from servsim import experiment

    ours = experiment.simulate

    def one_fails(scenario: object, seed: int, replication: int) -> object:
        if replication == 1:
            raise ZeroDivisionError("oops")
        return ours(scenario, seed=seed, replication=replication)  # type: ignore[arg-type]

    monkeypatch.setattr(experiment, "simulate", one_fails)
    said = project.servsim("run", "desk/baseline", "replications=3", "compute=single")
    assert said.code == 1
    assert "failed: desk/baseline replication 1 seed 1: ZeroDivisionError: oops" in said.err
    assert project.path("results/desk-baseline/kpis.csv").is_file()


def test_follow_tells_one_case(project: TemporaryProject) -> None:
    said = project.servsim("follow", "desk/baseline", "case=17", "replication=1", "seed=2")
    assert said.code == 0
    assert "Case 17" in said.out
    assert "arrives" in said.out
    said = project.servsim("follow", "desk/baseline", "case=999999")
    assert said.code == 2
    assert "999999" in said.err


def test_attribute_runs_all_combinations(project: TemporaryProject) -> None:
    said = project.servsim("attribute", "replications=3", "clock.horizon=2 wk", "compute.jobs=1")
    assert said.code == 0, said
    assert "All 2 measures together" in said.out
    folder = project.path("results/desk-attribution")
    found = rows(folder / "attribution.csv")
    waits = {(r["effect"], r["measure"]): float(r["value"]) for r in found if r["kpi"] == "first_response_mean"}
    fair = [value for (effect, _), value in waits.items() if effect == "fair"]
    assert sum(fair) == pytest.approx(waits["total", ""])
    summary = {(r["scenario"], r["kpi"], r["group"]): float(r["mean"] or "nan") for r in rows(folder / "summary.csv")}
    scenarios = list(dict.fromkeys(scenario for scenario, _, _ in summary))
    assert [scenario.count("+") for scenario in scenarios] == [0, 0, 0, 1]
    ends = [summary[scenario, "first_response_mean", "all"] for scenario in (scenarios[0], scenarios[-1])]
    assert waits["total", ""] == pytest.approx(ends[1] - ends[0])
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert "servsim attribute desk/" in page
    assert all((folder / link).is_file() for link in re.findall(r"\]\((figures/.*?)\)", page))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["desk/one_more"], "expected 2 to 11 measures to take apart, got 1 scenario"),
        (["desk/one_more", "desk/nothing"], "there is no scenario 'desk/nothing'"),
    ],
)
def test_attribute_tells_what_it_cannot_take_apart(project: TemporaryProject, names: list[str], told: str) -> None:
    said = project.servsim("attribute", *names)
    assert said.code == 2
    assert told in said.err


def test_sensitivity_varies_each_assumption_alone(project: TemporaryProject) -> None:
    typed = ("desk/one_more", "by=20", "replications=3", "clock.horizon=2 wk", "compute.jobs=1")
    said = project.servsim("sensitivity", *typed)
    assert said.code == 0, said
    assert "20 % lower" in said.out
    folder = project.path("results/desk-sensitivity")
    runs = list(dict.fromkeys(row["scenario"] for row in rows(folder / "summary.csv")))
    ends = ["", *(f"[{name} {sign}20 %]" for name in ("volume", "talk") for sign in "-+")]
    assert runs == [f"desk/{name}{end}" for end in ends for name in ("baseline", "one_more")]
    config = yaml.safe_load((folder / "config" / "one_more[volume +20 %].yaml").read_text(encoding="utf-8"))
    assert {source["factor"] for source in config["demand"].values()} == {1.2}
    levels = {
        (r["scenario"], r["factor"]): float(r["level"])
        for r in rows(folder / "sensitivity.csv")
        if (r["kpi"], r["assumption"]) == ("first_response_mean", "volume")
    }
    assert levels["desk/baseline", "0.8"] < levels["desk/baseline", "1"] < levels["desk/baseline", "1.2"]
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert "servsim sensitivity desk/baseline desk/one_more" in page
    assert "by=20" in page


@pytest.mark.parametrize(
    ("settings", "words", "told"),
    [
        (None, (), "desk/baseline: no assumption names its `settings`"),
        ("[demand.*.factr]", (), "'demand.*.factr' leads nowhere; did you mean factor"),
        ("[demand.*.factor]", ("by=0",), "by: expected per cent between 0 and 100, got '0'"),
    ],
)
def test_what_cannot_be_varied_is_told(
    project: TemporaryProject, settings: str | None, words: tuple[str, ...], told: str
) -> None:
    for written in ("[demand.*.factor]", "[processes.*.steps.*.time]"):
        project.change(f"settings: {written}", f"settings: {settings}" if settings else "settings: []")
    said = project.servsim("sensitivity", "desk/one_more", *words)
    assert (said.code, len(said.err.splitlines())) == (2, 1), said
    assert told in said.err


SCORECARD = """
scorecard:
  criteria:
    speed: {indicators: {answer: {kpi: first_response_mean, typical: [5 min, 10 min, 30 min, 2 h]}}}
    load: {indicators: {busy: {kpi: utilisation, typical: [0.6, 0.7, 0.8, 0.95]}}}
    end: {indicators: {done: {kpi: completion_rate, typical: [0.99, 0.95, 0.9, 0.8]}}}
  judgements: {speed/load: 3, load/end: %s, speed/end: 3}
"""


def test_a_scorecard_grades_every_scenario(project: TemporaryProject) -> None:
    text = project.path("scenarios/desk/baseline.yaml").read_text(encoding="utf-8")
    project.write("scenarios/desk/baseline.yaml", text + SCORECARD % 1)
    said = project.servsim("compare", "desk/baseline", "desk/one_more", "replications=2", "compute.jobs=1")
    assert said.code == 0, said
    assert "is graded" in said.out
    found = {(r["scenario"], r["of"]): r for r in rows(project.path("results/desk/scorecard.csv"))}
    assert set(found) == {
        (f"desk/{name}", of)
        for name in ("baseline", "one_more")
        for of in ("all", "criterion=speed", "criterion=load", "criterion=end")
    }
    assert float(found["desk/one_more", "all"]["score"]) > float(found["desk/baseline", "all"]["score"])
    assert "## Scorecard" in project.path("results/desk/report.md").read_text(encoding="utf-8")


def test_judgements_that_contradict_each_other_are_refused_before_anything_runs(project: TemporaryProject) -> None:
    text = project.path("scenarios/desk/baseline.yaml").read_text(encoding="utf-8")
    project.write("scenarios/desk/baseline.yaml", text + SCORECARD % 9)
    said = project.servsim("run", "desk")
    assert (said.code, len(said.err.splitlines())) == (2, 1), said
    assert "scorecard.judgements: contradict each other (consistency ratio" in said.err


def test_facts_are_held_against_what_is_simulated(project: TemporaryProject) -> None:
    assert project.servsim("facts").out == "desk/baseline: no facts are stated\n\n"
    fact = "facts: {busy: {label: how busy, value: %s, kpi: utilisation, tolerance: 0.05, source: the manager}}\n"
    text = project.path("scenarios/desk/baseline.yaml").read_text(encoding="utf-8")
    for value, code, verdict in (("0.99", 1, " no "), ("0.01", 1, " no ")):
        project.write("scenarios/desk/baseline.yaml", text + fact % value)
        said = project.servsim("facts", "desk", "replications=2")
        assert (said.code, verdict in said.out) == (code, True), said
    simulated = float(said.out.split("how busy")[1].split("%")[1].split()[0]) / 100
    project.write("scenarios/desk/baseline.yaml", text + fact % simulated)
    said = project.servsim("facts", "replications=2")
    assert (said.code, " yes " in said.out, "the manager" in said.out) == (0, True, True), said


# ---------------------------------------------------------------------- new, hydra, names of folders
def test_new_writes_a_project_that_runs(project: TemporaryProject) -> None:
    said = project.servsim("new", "inside/my other desk")
    assert said.code == 0
    assert '\n  cd "inside/my other desk"\n' in said.out
    assert project.servsim("run", "desk", "--project", "inside/my other desk", "run=quick").code == 0
    assert project.path("inside/my other desk/results/desk-baseline/report.md").is_file()


def test_a_project_is_found_from_a_folder_in_it(
    project: TemporaryProject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(project.path("scenarios/desk"))
    said = project.servsim("run", "desk/baseline", "replications=2")
    assert said.code == 0
    assert project.path("results/desk-baseline/report.md").is_file()


def test_a_trace_is_found_from_the_projects_folder(
    project: TemporaryProject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrivals = "arrivals: {kind: trace, file: calls.csv, columns: {arrived_at: at}}"
    project.write("conf/demand/trace.yaml", f"phone: {{{arrivals}}}\n")
    project.write("calls.csv", "at\n" + "".join(f"2026-03-10 {hour:02d}:00\n" for hour in range(9, 17)))
    monkeypatch.chdir(project.path("conf"))
    said = project.servsim("run", "desk/baseline", "demand=trace", "replications=2")
    assert (said.code, said.err) == (0, "")


def test_hydra_runs_the_same_scenario_to_the_same_log(project: TemporaryProject) -> None:
    words = ("replications=2", "compute=single", "clock.horizon=2 wk", "label.zh=高峰")
    assert project.servsim("run", "desk/one_more", *words).code == 0
    ours = json.loads(project.path("results/desk-one_more/provenance.json").read_text(encoding="utf-8"))
    said = project.servsim("hydra", "desk", "--multirun", *words, "hydra.sweep.dir=results/sweep")
    assert said.code == 0
    assert "desk/one_more" in said.out
    jobs = sorted(project.path("results/sweep").glob("*/provenance.json"))
    logs = [json.loads(job.read_text(encoding="utf-8"))["event_logs"] for job in jobs]
    assert [next(iter(log)) for log in logs] == ["desk/baseline", "desk/both", "desk/one_more", "desk/urgent_first"]
    assert logs[2] == ours["event_logs"]


def test_hydra_leaves_nothing_changed_behind(project: TemporaryProject) -> None:
    before = list(sys.argv), Path.cwd()
    said = project.servsim("hydra", "desk/both", "--cfg", "job")
    assert said.code == 0
    assert yaml.safe_load(said.out)["dispatch"]["rule"] == "priority"
    assert (list(sys.argv), Path.cwd()) == before
    assert "servsim hydra [SCENARIO]" in project.servsim("hydra", "--help").out


# ---------------------------------------------------------------------- Python
def test_the_public_face(project: TemporaryProject) -> None:
    import servsim.simulate  # binds the module's name on the package, were it not for the face

    scenario = servsim.load("desk/one_more", overrides=["clock.horizon=2 wk"])
    run = servsim.simulate(scenario, seed=1, replication=0)
    assert isinstance(run, servsim.Run)
    assert len(run.cases) > 100
    comparison = servsim.compare(["desk/baseline", scenario], replications=2, seed=1, compute={"jobs": 1})
    assert isinstance(comparison, servsim.Comparison)
    assert comparison.scenarios == ("desk/baseline", "desk/one_more")
    assert isinstance(scenario, servsim.Scenario)
    assert set(servsim.__all__) <= set(dir(servsim))
    with pytest.raises(AttributeError):
        _ = servsim.nonsense


def test_show_is_quick(project: TemporaryProject) -> None:
    project.servsim("show", "desk/both")
    begin = time.perf_counter()
    project.servsim("show", "desk/both")
    assert time.perf_counter() - begin < 1
