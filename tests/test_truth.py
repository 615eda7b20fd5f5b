"""Every neutral statement with a known answer that a scenario can state comes out right (tests/truth.py).

The small deterministic cases in full; the stochastic ones with little work each, so that a wrong rule is seen and the
run stays short. `python tests/truth.py FILE…` asks for the full accuracy.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import truth

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "truth"
THERE = FOLDER.is_dir()
CASES = {case["id"]: case for file in ("micro.json", "battery.json") if THERE for case in truth.cases_in(FOLDER / file)}

NOT_STATED: set[str] = set()
"""What a scenario cannot say yet."""

needs_statements = pytest.mark.skipif(
    not THERE and "CI" not in os.environ, reason=f"the statements are not there: {FOLDER}"
)


@needs_statements
def test_statements_are_there() -> None:
    assert len(CASES) > 100


@needs_statements
@pytest.mark.parametrize("case", sorted(set(CASES) - NOT_STATED))
def test_case(case: str) -> None:
    rows = truth.rows_of(CASES[case], truth.Effort.quick(), seed=7)
    wrong = [row.text() for row in rows if not row.ok]
    assert not wrong, "\n".join(wrong)


@needs_statements
def test_what_cannot_be_stated() -> None:
    """Exactly these; the list shrinks."""
    nothing = truth.Effort(arrivals=20, first=2, most=2, precise=False)
    found = {
        case: sorted({row.note for row in truth.rows_of(CASES[case], nothing, seed=1) if "not stated" in row.note})
        for case in sorted(NOT_STATED & set(CASES))
    }
    assert {case for case, notes in found.items() if notes} == NOT_STATED, found


# ------------------------------------------------------------------ the command itself


ONE_CLERK = {
    "id": "clerk",
    "model": {
        "classes": [{"name": "case", "arrivals": {"process": "poisson", "rate": 0.1}, "first_step": "desk"}],
        "steps": [
            {
                "name": "desk",
                "type": "service",
                "team": "T",
                "service_time": {"dist": "exponential", "mean": 5},
                "discipline": "fcfs",
                "next": [{"to": "exit", "probability": 1.0}],
            }
        ],
        "teams": [{"name": "T", "agents": 1}],
        "initial_state": "empty",
    },
    "run": {"type": "steady_state", "warm_up": 2000, "suggested_run_length": 100000},
    "expected": [{"metric": "mean_wait", "value": 5.0, "abs_error": 0}],
}


def test_a_right_value_passes_and_a_wrong_one_fails() -> None:
    effort = truth.Effort(5_000, 20, 80)
    assert [row.ok for row in truth.rows_of(ONE_CLERK, effort, seed=1)] == [True]
    wrong = {**ONE_CLERK, "expected": [{"metric": "mean_wait", "value": 6.0, "abs_error": 0}]}
    assert [row.ok for row in truth.rows_of(wrong, effort, seed=1)] == [False]


def test_too_little_work_is_no_proof() -> None:
    (row,) = truth.rows_of(ONE_CLERK, truth.Effort(100, 4, 4), seed=1)
    assert not row.ok
    assert row.note == "too wide to be a test"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"discipline": "whim"}, "not stated: discipline whim"),
        ({"magic": 1}, "not stated: steps.magic"),
        ({"type": "oracle"}, "not stated: steps.type oracle"),
    ],
)
def test_what_is_unknown_is_told_and_fails(change: dict[str, object], told: str) -> None:
    model = {**ONE_CLERK["model"], "steps": [{**ONE_CLERK["model"]["steps"][0], **change}]}  # type: ignore[dict-item]
    (row,) = truth.rows_of({**ONE_CLERK, "model": model}, truth.Effort.quick(), seed=1)
    assert (row.ok, row.note) == (False, told)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"cases": [ONE_CLERK, {**ONE_CLERK, "id": "other"}]}))
    out = tmp_path / "out.json"
    assert truth.main([str(file), "--only", "clerk", "--replications", "4", "--jobs", "1", "--json", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 0 failed"
    assert json.loads(out.read_text())[0]["metric"] == "mean_wait"


def test_command_that_is_mistaken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line on what is wrong, and exit code 2."""
    file = tmp_path / "cases.json"
    file.write_text("{")
    for arguments in ([str(tmp_path / "none.json")], [str(file)]):
        assert truth.main(arguments) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    file.write_text(json.dumps({"cases": [ONE_CLERK]}))
    assert truth.main([str(file), "--only", "clerk,clark"]) == 2
    assert capsys.readouterr().err == "truth.py: there is no case clark\n"


def test_one_statement_that_goes_wrong_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cases.json"
    broken = {**ONE_CLERK, "id": "broken", "model": {**ONE_CLERK["model"], "teams": "none"}}  # type: ignore[dict-item]
    file.write_text(json.dumps([broken, ONE_CLERK]))
    assert truth.main([str(file), "--replications", "4", "--jobs", "2"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 1 failed"
