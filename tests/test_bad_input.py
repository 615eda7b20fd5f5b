"""Bad input gets one or two lines with file, line, path and a suggestion; exit code 2; and leaves no results behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from helpers_project import TemporaryProject

pytest_plugins = ["helpers_project"]

BASELINE = "scenarios/desk/baseline.yaml"


def refused(project: TemporaryProject, *words: str) -> str:
    """What is said about bad input: on stderr, at most two lines, nothing on stdout, no traceback, no results."""
    said = project.servsim(*words)
    assert said.code == 2, said
    assert said.out == ""
    assert 1 <= len(said.err.splitlines()) <= 2, said.err
    assert "Traceback" not in said.err
    assert "fault of servsim" not in said.err
    assert not [path for path in project.root.rglob("*") if path.name in ("results", "kpis.csv", "report.md")]
    return said.err


# ---------------------------------------------------------------------- in a file
FILE = {
    "a misspelt key": ("skill: expert", "skil: expert", "processes.request.steps.solve", "did you mean skill?"),
    "a misspelt key at the top": ("shifts:", "shfits:", "shfits", "did you mean shifts?"),
    "a misspelt step": (
        "solve: 0.25",
        "slove: 0.25",
        "processes.request.steps.intake.next.slove",
        "did you mean solve?",
    ),
    "a misspelt pool": ("expert: {day: 2}", "exprt: {day: 2}", "staffing.exprt", "did you mean expert?"),
    "a misspelt shift": ("expert: {day: 2}", "expert: {dya: 2}", "staffing.expert.dya", "did you mean day?"),
    "a misspelt department": (
        "department: technical",
        "department: techncal",
        "pools.expert",
        "did you mean technical?",
    ),
    "a misspelt skill": ("skill: expert", "skill: expret", "processes.request.steps.solve.skill", "expert"),
    "a misspelt distribution": ("kind: gamma", "kind: gama", "steps.solve.time.kind", "did you mean gamma?"),
    "a missing unit": ("mean: 25 min", "mean: 25", "processes.request.steps.solve.time.mean", "'25 min'"),
    "a negative duration": ("mean: 25 min", "mean: -25 min", "steps.solve.time.mean", "must not be negative"),
    "probabilities that do not sum to 1": ("end: 0.75", "end: 0.7", "steps.intake.next", "0.95"),
    "a loop without exit": ("next: end", "next: {solve: 1.0}", "processes.request.steps.solve", "can never leave"),
    "a date that is not one": ("start: 2026-03-02", "start: 2026-02-30", "clock.start", "write it as 2026-03-02"),
    "a time that is not one": ('"08:30-18:00"', '"08:30-25:00"', "shifts.day.hours", "25:00"),
    "text for a number": ("desk: {day: 3}", "desk: {day: three}", "staffing.desk.day", "whole number"),
    "a headcount below zero": ("desk: {day: 3}", "desk: {day: -3}", "staffing.desk.day", "whole number"),
    "no value": ("start: 2026-03-02", "start: ???", "clock.start", "no value yet"),
    "off that YAML reads as false": ('hours: "08:30-18:00"', "hours: off", "shifts.day.hours", "false"),
}


@pytest.mark.parametrize("case", FILE)
def test_a_file_with(project: TemporaryProject, case: str) -> None:
    old, new, path, hint = FILE[case]
    line = project.change(old, new)
    told = refused(project, "compare")
    assert f"{BASELINE}:{line}: " in told, told
    assert path in told
    assert hint in told


def test_an_empty_file_lacks_everything_on_one_line(project: TemporaryProject) -> None:
    project.write(BASELINE, "")
    told = refused(project, "run", "desk/baseline")
    assert told.startswith(f"{BASELINE}: clock, departments, pools, ")
    assert len(told.splitlines()) == 1


def test_a_step_that_nobody_can_do(project: TemporaryProject) -> None:
    project.change("  expert: {day: 2}\n", "")
    told = refused(project, "run", "desk/baseline")
    assert "nobody can do step 'solve'" in told
    assert f"{BASELINE}:" in told


def test_an_unreachable_step(project: TemporaryProject) -> None:
    project.change("next: {solve: 0.25, end: 0.75}", "next: end")
    told = refused(project, "run", "desk/baseline")
    assert "processes.request.steps.solve" in told
    assert f"{BASELINE}:" in told


def test_one_worker_on_two_shifts_at_once(project: TemporaryProject) -> None:
    worker = "workers: {li_wei: {pool: desk, shifts: [day, early]}}\n\ncase_classes:\n"
    project.change("case_classes:\n", worker)
    project.change("staffing:\n", "staffing:\n  # hours\n")
    project.change("shifts:\n", 'shifts:\n  early: {days: mon-fri, hours: "06:00-12:00"}\n')
    told = refused(project, "run", "desk/baseline")
    assert "workers.li_wei.shifts" in told
    assert f"{BASELINE}:" in told


def test_overlapping_shifts_of_a_pool_add_up(project: TemporaryProject) -> None:
    project.change("shifts:\n", 'shifts:\n  early: {days: mon-fri, hours: "06:00-12:00"}\n')
    project.change("desk: {day: 3}", "desk: {day: 3, early: 1}")
    assert project.servsim("show", "desk/baseline").code == 0


# ---------------------------------------------------------------------- in one of the mechanisms
RESERVE = "reserve: {headcount: 2, call: {waiting: 3}}"
LAST = "        next: end\n"
"""Where a further step can be written behind the last one."""


def ladder(levels: str) -> str:
    return f"        next: sign\n      sign: {{kind: approval, by: amount, {levels}, time: 5 min, next: end}}\n"


MECHANISMS = {
    "a reserve of a pool that does not exist": (
        "  desk: {day: 3}",
        "  floating: {day: 3}",
        "staffing.floating: there is no pool 'floating'; known: desk, expert",
    ),
    "a reserve outside of a pool": (
        "pools:\n",
        f"{RESERVE}\npools:\n",
        "reserve: is not a known setting; it belongs to pools.POOL;",
    ),
    "a reserve without a department": (
        "pools:\n",
        f"pools:\n  floating: {{{RESERVE}}}\n",
        "pools.floating.department: is missing",
    ),
    "a reserve that is never called": (
        "desk: {department: service, ",
        "desk: {department: service, reserve: {headcount: 2, call: {}}, ",
        "pools.desk.reserve.call.waiting: is missing; say when somebody is called",
    ),
    "escalation to nobody's skill": (
        "shifts:\n",
        "dispatch: {escalate: {after: 30 min, to: exprt}}\nshifts:\n",
        "dispatch.escalate.to: there is no skill 'exprt'; did you mean expert?",
    ),
    "escalation to a pool that lacks the skill": (
        "pools:\n",
        "dispatch: {teams: {desk: {escalate: {after: 30 min, to: head}}}}\n"
        "pools:\n  head: {department: service, skills: [lead]}\n",
        "dispatch.teams.desk.escalate.to: no pool has the skill 'head'; the pool of that name has lead",
    ),
    "overflow to a pool that lacks the skill": (
        "shifts:\n",
        "dispatch: {teams: {desk: {overflow: {to: expert, after: 5 min}}}}\nshifts:\n",
        "dispatch.teams.desk.overflow.to: the pool 'expert' lacks the skill 'desk'; add it to `pools.expert.skills`",
    ),
    "a ladder with a gap at the top": (
        LAST,
        ladder("levels: {1000: desk, 5000: expert}"),
        "steps.sign.above: is missing: nobody approves 5000 and more",
    ),
    "a ladder of what is not known of a case": (
        LAST,
        ladder("levels: {1000: desk}, above: expert"),
        "steps.sign.by: urgent, ordinary: no attribute 'amount'",
    ),
    "an owner who cannot do the step": (
        "        skill: expert\n",
        "        skill: expert\n        same_as: {step: intake, rule: required}\n",
        "steps.solve.same_as: nobody who can do 'intake' (desk) can do 'solve' (expert)",
    ),
    "an open case at a step that is not there": (
        "pools:\n",
        "backlog: {cases: {old: {case_class: urgent, step: slove, age: 2 h}}}\npools:\n",
        "backlog.cases.old.step: there is no step 'slove'; did you mean solve?",
    ),
}


@pytest.mark.parametrize("case", MECHANISMS)
def test_a_mechanism_with(project: TemporaryProject, case: str) -> None:
    old, new, hint = MECHANISMS[case]
    line = project.change(old, new)
    told = refused(project, "run", "desk/baseline")
    assert hint in told, told
    numbers = [int(part.split(":")[1]) for part in told.splitlines() if part.startswith(f"{BASELINE}:")]
    assert numbers and line <= min(numbers) <= line + new.count("\n"), told


def test_a_row_of_a_backlog_file_with_a_step_that_is_not_there(project: TemporaryProject) -> None:
    project.write("data/open.csv", "case_class,step,age\nurgent,intake,2 h\nurgent,slove,3 h\n")
    line = project.change("pools:\n", "backlog: {file: data/open.csv}\npools:\n")
    told = refused(project, "run", "desk/baseline")
    assert told.startswith(f"{BASELINE}:{line}: backlog.file: ")
    assert "open.csv, line 3: there is no step 'slove'; did you mean solve?" in told


def test_one_worker_who_is_off_and_would_have_to_do_it(project: TemporaryProject) -> None:
    """Only Li can do both steps, and is on leave."""
    project.change("expert: {department: technical", "expert: {skills: [expert, desk], department: technical")
    project.change("  expert: {day: 2}\n", "")
    leave = "{from: 2026-03-01, to: 2026-12-31}"
    worker = f"workers: {{li: {{pool: expert, shifts: [day], absent: {leave}}}}}\n\ncase_classes:\n"
    project.change("case_classes:\n", worker)
    rule = "        skill: expert\n        same_as: {step: intake, rule: required}\n"
    line = project.change("        skill: expert\n", rule) + 1
    told = project.servsim("check", "desk/baseline")
    assert told.code == 1
    where = f"{BASELINE}:{line}: processes.request.steps.solve.same_as: "
    assert f"{where}solve: of those who can do 'intake' too nobody is ever on duty (li)" in told.out


def test_a_meeting_with_fewer_seats_than_come(project: TemporaryProject) -> None:
    meeting = '{kind: meeting, days: mon-fri, times: ["15:00"], seats: 5, next: end}'
    line = project.change(LAST, f"        next: board\n      board: {meeting}\n") + 1
    told = project.servsim("check", "desk/baseline")
    assert told.code == 0
    assert f"warning: {BASELINE}:{line}: processes.request.steps.board.seats: " in told.out
    assert "15 meetings before the horizon with 5 seats each; more and more wait" in told.out


# ---------------------------------------------------------------------- files that cannot be read
@pytest.mark.parametrize(
    ("content", "line", "hint"),
    [
        (b"defaults: [baseline, _self_]\nstaffing:\n\tdesk: {day: 4}\n", 3, "indent with spaces"),
        (b"staffing: {desk: {day: 4}}\nstaffing: {desk: {day: 5}}\n", 2, "stands twice"),
        (b"label: {en: One\nstaffing: 3\n", 2, "not closed"),
        (b"label: One: two\n", 1, "quotes"),
        (b"clock:\n  horizon: 1 wk\n warm_up: 1 d\n", 3, "indented"),
        ("label: 高峰\n".encode("gbk"), 1, "save the file as UTF-8"),
        ("label: x\nquestion: 高峰\n".encode("gbk"), 2, "GBK"),
        ("label: x\n".encode("utf-16"), 1, "UTF-16"),
        (b"- a\n- b\n", 1, "got a list"),
        (b"just text\n", 1, "got text"),
        (b"defaults: baseline\n", 1, "expected a list"),
        (b"defaults: [basline, _self_]\n", 1, "did you mean baseline?"),
        (b"defaults:\n  - baseline\n  - _self_\n  - override /dispach: edd\n", 4, "did you mean dispatch?"),
        (b"defaults:\n  - baseline\n  - _self_\n  - override /dispatch: ed\n", 4, "did you mean edd?"),
    ],
)
def test_a_scenario_file_that_cannot_be_read(
    project: TemporaryProject,
    content: bytes,
    line: int,
    hint: str,
) -> None:
    project.path("scenarios/desk/trial.yaml").write_bytes(content)
    told = refused(project, "run", "desk/trial")
    assert f"scenarios/desk/trial.yaml:{line}" in told
    assert hint in told


def test_a_folder_instead_of_a_file(project: TemporaryProject) -> None:
    project.path("scenarios/desk/trial.yaml").mkdir()
    assert "scenarios/desk/trial.yaml: is a folder" in refused(project, "run", "desk/trial")


def test_a_project_file_that_cannot_be_read(project: TemporaryProject) -> None:
    project.write("conf/project.yaml", "default_study: dsk\n")
    assert "conf/project.yaml:1: default_study: there is no study 'dsk'; did you mean desk?" in refused(
        project, "compare"
    )
    project.write("conf/project.yaml", "language: [en\n")
    assert "conf/project.yaml:1" in refused(project, "run", "desk/baseline")


def test_a_primary_configuration_without_scenarios(project: TemporaryProject) -> None:
    project.write("conf/config.yaml", "defaults: [_self_]\n")
    assert "conf/config.yaml: its defaults lack `- scenarios: null`" in refused(project, "run", "desk/baseline")


def test_a_study_without_baseline(project: TemporaryProject) -> None:
    project.write("scenarios/floor/wide.yaml", "defaults: [desk/baseline, _self_]\n")
    for command in ("compare", "run"):
        told = refused(project, command, "floor")
        assert told == "the study 'floor' has no baseline.yaml; known: floor/wide\n"


def test_a_reference_to_nothing(project: TemporaryProject) -> None:
    project.write("scenarios/desk/trial.yaml", "defaults: [baseline, _self_]\nstaffing: {desk: {day: '${hedcount}'}}\n")
    told = refused(project, "run", "desk/trial")
    assert "'hedcount'" in told
    assert "staffing.desk.day" in told


# ---------------------------------------------------------------------- traces
TRACE = """\
    arrivals:
      kind: trace
      file: calls.csv
      columns: {arrived_at: time of call}
"""


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (None, "there is no such file"),
        ("", "is empty"),
        ("time of call\n", "no rows"),
        ("time of call;kind\n2026-03-03 09:00;a\n", "has semicolons between its columns"),
        ("time of cal\n2026-03-03 09:00\n", 'there is no column "time of call"; did you mean time of cal?'),
        ("time of call\n2026-03-03 09:00\nyesterday\n", 'line 3, column "time of call"'),
        ("time of call,x\n2026-03-03 09:00,1\n2026-03-03 09:00\n", "line 3: has 1 cells, the header has 2"),
    ],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_a_trace_that_is_no_table(
    project: TemporaryProject,
    command: str,
    content: str | None,
    hint: str,
) -> None:
    text = project.path(BASELINE).read_text(encoding="utf-8")
    begin, end = text.index("    arrivals:"), text.index("# What happens to a case")
    project.write(BASELINE, text[:begin] + TRACE + "\n" + text[end:])
    if content is not None:
        project.write("calls.csv", content)
    told = refused(project, command, "desk/baseline")
    assert "calls.csv" in told
    assert hint in told


# ---------------------------------------------------------------------- on the command line
@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["run", "desk/baselin"], "there is no scenario 'desk/baselin'; did you mean desk/baseline?"),
        (["run", "one_more"], "did you mean desk/one_more?"),
        (["run", "one_mroe"], "did you mean desk/one_more?"),
        (["run", "dsk"], "did you mean desk?"),
        (["run", "null"], "there is no scenario 'null'"),
        (["run", ""], "there is no scenario ''"),
        (["run", "desk/baseline", "scenarios=desk/both"], "write the scenario as a plain word"),
        (["run"], "name a scenario, for example: servsim run desk/baseline"),
        (["run", "desk/both", "desk/one_more"], "name one scenario"),
        (["run", "高峰"], "label: {zh: 高峰}"),
        (["run", "desk/高峰"], "ASCII"),
        (["compare", "desk/both", "desk/one_mroe"], "did you mean desk/one_more?"),
        (["shwo", "desk"], "there is no command 'shwo'; did you mean show?"),
        (["run", "desk/both", "--lgo", "csv"], "--lgo"),
        (["run", "desk/both", "--log", "csw"], "csw"),
        (["follow", "desk/both"], "which case?"),
        (["follow", "desk/both", "case=x"], "expected a whole number"),
        (["run", "desk/both", "replications", "=", "3"], "without spaces"),
        (["new"], "name the folder"),
        (["list", "dsk"], "did you mean desk?"),
        (["run", "desk/both", "--project", "nowhere"], "there is no folder"),
        (["run", "desk/both", "--project", "conf"], "servsim new my_desk"),
        (["hydra", "desk/botth"], "did you mean desk/both?"),
        (["hydra", "desk/both", "dispatch=ed"], "did you mean edd?"),
        (["hydra", "desk/both", "--multirun", "staffing.dsk.day=3,4"], "did you mean staffing.desk.day?"),
        (["hydra", "--multirun", "staffing.desk.day=3,4"], "name a scenario"),
    ],
)
def test_words_that_mean_nothing(project: TemporaryProject, words: list[str], hint: str) -> None:
    assert hint in refused(project, *words)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("staffng.desk.day=12", "unknown setting 'staffng.desk.day'; did you mean staffing.desk.day?"),
        ("staffing.dsek.day=12", "unknown setting 'staffing.dsek.day'; did you mean staffing.desk.day?"),
        ("staffing.desk.dya=12", "unknown setting 'staffing.desk.dya'; did you mean staffing.desk.day?"),
        ("replicatons=5", "did you mean replications?"),
        ("demand.phne.factor=2", "did you mean demand.phone.factor?"),
        ("processes.request.steps.intke.time=5 min", "did you mean processes.request.steps.intake.time?"),
        ("clock.horizn=2 wk", "did you mean clock.horizon?"),
        ("clock.holidys=CN", "did you mean holidays?"),
        ("nonsense.x=1", "nonsense"),
        ("staffing.柜员.day=1", "柜员"),
        ("dispach=edd", "did you mean dispatch?"),
        ("dispatch=ed", "there is no dispatch 'ed'; did you mean edd?"),
        ("dispatch.rule=prioritty", "did you mean priority?"),
        ("dispatch.assignment=fixd", "did you mean fixed?"),
        ("run=quik", "did you mean quick?"),
        ("~workrs", "there is no such setting"),
        ("replications=many", "expected a whole number ≥ 1, or auto"),
        ("replications=0", "expected a whole number ≥ 1, or auto"),
        ("seed=[1,2", "is a bracket or quote not closed?"),
        ("seed=1,2", "that is for `servsim compare`"),
        ("clock.horizon=14", "needs a unit"),
        ("clock.start=monday", "is not a date"),
        ("language=fr", "language"),
        ("headline=[first_respons_mean]", "did you mean first_response_mean"),
        ("=3", "write key=value"),
        ("a..b=3", "write key=value"),
        ("hydra.job.name=x", "servsim hydra"),
        ("experiment=../away", "is not the name of a folder"),
    ],
)
def test_a_setting_that_does_not_exist_or_fit(project: TemporaryProject, word: str, hint: str) -> None:
    told = refused(project, "run", "desk/both", word)
    assert hint in told
    assert "command line" in told or word.startswith(("headline", "experiment"))


def test_a_sweep_of_what_holds_for_the_whole_experiment(project: TemporaryProject) -> None:
    assert "takes one value" in refused(project, "compare", "desk", "seed=1,2")
    assert "takes one value" in refused(project, "compare", "desk", "run=quick,standard")


def test_a_chinese_file_name_is_told_in_the_list(project: TemporaryProject) -> None:
    project.write("scenarios/desk/高峰.yaml", "label: x\n")
    said = project.servsim("list")
    assert said.code == 0
    assert "scenarios/desk/高峰.yaml is left out" in said.out
    assert "label: {zh: 高峰}" in refused(project, "run", "desk/高峰")


def test_a_yml_file_is_told_to_be_renamed(project: TemporaryProject) -> None:
    project.write("scenarios/desk/trial.yml", "label: x\n")
    assert "scenarios/desk/trial.yml: rename it to trial.yaml" in refused(project, "run", "desk/trial")


def test_several_problems_are_told_together(project: TemporaryProject) -> None:
    project.change("mean: 25 min", "mean: 25")
    project.change("start: 2026-03-02", "start: 2026-02-30")
    said = project.servsim("run", "desk/baseline", "staffing.desk.day=three")
    assert said.code == 2
    assert len(said.err.splitlines()) == 3


def test_outside_of_a_project(project: TemporaryProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert "`servsim new my_desk` writes a project" in refused(project, "list")


# ---------------------------------------------------------------------- results
def test_a_results_folder_that_is_a_file(project: TemporaryProject) -> None:
    project.write("taken", "mine")
    told = refused(project, "run", "desk/baseline", "results=taken")
    assert "taken is a file" in told
    assert project.path("taken").read_text() == "mine"


def test_a_results_folder_that_cannot_be_written(
    project: TemporaryProject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("servsim.sources.TemporaryFile", refuse)  # by hand, since the superuser may write anywhere
    assert "cannot be written; set results=…" in refused(project, "compare")


def test_a_results_folder_with_files_of_others(project: TemporaryProject) -> None:
    project.write("out/desk/thesis.txt", "mine")
    told = refused(project, "compare", "results=out")
    assert "holds files that are not servsim's; choose another experiment=…" in told
    assert [path.name for path in project.path("out/desk").iterdir()] == ["thesis.txt"]


def test_a_new_project_over_an_old_one(project: TemporaryProject) -> None:
    assert "is there already" in refused(project, "new", "scenarios")


# ---------------------------------------------------------------------- servsim's own faults
def test_a_fault_of_servsim_is_one_line_and_no_bad_input(
    project: TemporaryProject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("servsim.project.find", fail)
    said = project.servsim("list")
    assert said.code == 1
    assert said.err == (
        "servsim: this is a fault of servsim, please report it (ZeroDivisionError: oops); "
        "the traceback comes with --debug\n"
    )
    assert "Traceback" in project.servsim("list", "--debug").err
