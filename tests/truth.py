"""Do simulated services agree with neutral statements of models whose answer is known?

    python tests/truth.py FILE… [--only ID,ID] [--replications N] [--seed S] [--json OUT] [--jobs J] [--quick]

A file holds stochastic models with exact values, or small deterministic cases with their whole log. Each becomes a
scenario, is simulated and compared; one row per value or log. The exit code is 1 if anything failed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import truth_battery
import truth_measures
import truth_micro
from pydantic import ValidationError
from truth_words import Json, NotStatedError

from servsim.model import Scenario
from servsim.simulate import simulate

TAIL = 6.3e-5
"""Two-sided probability of a false alarm for one value: that of 4 standard errors."""


@dataclass(frozen=True)
class Row:
    """One comparison."""

    id: str
    metric: str
    qualifiers: str
    expected: Any
    simulated: Any
    error: float | None
    ok: bool
    note: str = ""

    def text(self) -> str:
        shown = [f"{self.id:12} {self.metric:28} {self.qualifiers:46}"]
        shown += [_short(self.expected), _short(self.simulated)]
        shown.append(f"{self.error:.3g}".rjust(10) if self.error is not None else " " * 10)
        return " ".join([*shown, "ok" if self.ok else "FAILED", self.note]).rstrip()


def _short(value: Any) -> str:
    return f"{value:.7g}".rjust(13) if isinstance(value, int | float) else str(value).rjust(13)


@dataclass(frozen=True)
class Effort:
    """How much is simulated: arrivals in a replication, replications at first and at most; whether the errors have to
    be small, and whether a value may be off by more than its error where that is not known well."""

    arrivals: float = 60_000
    first: int = 12
    most: int = 400
    precise: bool = True
    lenient: bool = False

    @staticmethod
    def quick() -> Effort:
        return Effort(3_000, 8, 8, precise=False, lenient=True)


# ------------------------------------------------------------------ stochastic models


def battery_rows(case: Json, effort: Effort, seed: int) -> Iterator[Row]:
    """A row for each expected value of a stochastic model, variant by variant."""
    variants: dict[str, list[Json]] = {}
    for expected in case["expected"]:
        variants.setdefault(json.dumps(expected.get("variant")), []).append(expected)
    for variant, values in variants.items():
        try:
            statement = truth_battery.varied(case["model"], json.loads(variant))
            for value in values:
                truth_measures.check(value)
            yield from compared(case["id"], statement, case["run"], values, effort, seed)
        except NotStatedError as error:
            yield from (row(case["id"], value, None, None, False, f"not stated: {error}") for value in values)
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            yield from (row(case["id"], value, None, None, False, f"refused: {told}") for value in values)
        except Exception as error:  # one statement that goes wrong tells nothing about the others
            told = f"{type(error).__name__}: {error}"
            yield from (row(case["id"], value, None, None, False, f"went wrong: {told}") for value in values)


def row(case: str, of: Json, simulated: Any, error: float | None, ok: bool, note: str = "") -> Row:
    said = ("metric", "value", "abs_error", "note")
    qualifiers = " ".join(f"{k}={_plain(v)}" for k, v in of.items() if k not in said)
    return Row(case, of["metric"], qualifiers, of["value"], simulated, error, ok, note)


def _plain(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else json.dumps(value).replace('"', "")


def compared(
    case: str, statement: Json, run: Json, values: list[Json], effort: Effort, seed: int
) -> Iterator[Row]:
    """Replications until all values are known well enough, or the effort is spent; then the verdicts."""
    model = truth_battery.stated(statement, run, effort.arrivals)
    scenario = Scenario.model_validate(model.scenario)
    samples: list[list[float]] = []
    wanted = np.array([tolerance(model, of) for of in values])
    more = effort.first
    while more:
        for _ in range(more):
            one = simulate(scenario, seed=seed, replication=len(samples))
            samples.append(truth_measures.measured(model, one, values))
        means, errors, n = estimates(samples)
        more = min(still_needed(_t(0.05, n) * errors, wanted, len(samples)), effort.most - len(samples))
    for of, estimate, error, count, half in zip(values, means, errors, n, wanted, strict=True):
        yield verdict(case, of, float(estimate), float(error), int(count), float(half), effort)


def still_needed(half: Any, wanted: Any, n: int) -> int:
    """How many more replications will do, by the half-widths so far; never more than there have been."""
    if np.all(half <= wanted) or (n >= 4 and np.all(half == 0)):
        return 0
    with np.errstate(divide="ignore", invalid="ignore"):
        worst = float(np.max(np.where(half > wanted, half / wanted, 1.0)))
    return min(n, max(2, int(n * min(worst**2, 4.0)) - n))


def estimates(samples: list[list[float]]) -> tuple[Any, Any, Any]:
    """(estimates, standard errors, how many) over the replications in which there was something to measure.

    Means of cases are pooled: a replication counts by the number of its cases, and the error is that of a ratio.
    """
    table = np.array(samples, float)
    weight = np.array([[getattr(value, "weight", 1.0) for value in row] for row in samples], float)
    known = np.isfinite(table) & (weight > 0)
    table, weight = np.where(known, table, 0.0), np.where(known, weight, 0.0)
    n, total = np.sum(known, axis=0), np.maximum(np.sum(weight, axis=0), 1e-300)
    means = np.where(n > 0, np.sum(weight * table, axis=0) / total, np.nan)
    apart = np.sum((weight * (table - np.where(n > 0, means, 0.0))) ** 2, axis=0)
    errors = np.sqrt(apart * n / np.maximum(n - 1, 1)) / total
    same = np.max(np.where(known, table, -np.inf), axis=0) == np.min(np.where(known, table, np.inf), axis=0)
    return means, np.where(n > 1, np.where(same, 0.0, errors), np.inf), n


def verdict(case: str, of: Json, estimate: float, error: float, n: int, half: float, effort: Effort) -> Row:
    """Within z standard errors; and these small enough for a real test."""
    slack = of.get("abs_error", 0.0) + (1e-6 * max(1.0, abs(of["value"])) if error == 0 else 0.0)
    slack += half / 2 if effort.lenient else 0.0  # with little work the error of what is rare is not known
    near = abs(estimate - of["value"]) <= float(_t(TAIL, n)) * error + slack
    sharp = not effort.precise or float(_t(0.05, n)) * error <= 1.25 * half
    if not n:
        return row(case, of, None, None, False, "there was nothing to measure")
    told = "" if sharp or not near else "too wide to be a test"
    return row(case, of, estimate, error if np.isfinite(error) else None, near and sharp, told)


def tolerance(model: truth_battery.Model, of: Json) -> float:
    """The half-width that is asked: 2 % of the value, or what is small beside it (0.005 of a share, 1 % of a work); of
    what looks at one hour of the day or at one minute 4 % (0.01 of a share), a standard error of 2 %: queues at the
    turn of a peak vary more than all else."""
    metric, value = of["metric"], abs(of["value"])
    part = 0.04 if {"interval", "arrivals_in", "at"} & set(of) else 0.02
    if metric.startswith(("prob", "share", "abandonment", "blocking", "utilisation", "availability")):
        return max(part * value, 0.005 if part < 0.04 else 0.01)
    if metric.startswith(("variance", "wait_second")):
        return max(0.05 * value, 0.01 * model.scale**2)
    if metric.startswith(("mean_wait", "mean_response", "mean_total", "wait_percentile", "max_wait")):
        return max(part * value, 0.01 * model.scale)
    return max(part * value, 0.02)


def _t(tail: float, n: Any) -> Any:
    from scipy.special import stdtrit

    return stdtrit(np.maximum(np.asarray(n) - 1, 1), 1 - tail / 2)


# ------------------------------------------------------------------ all of it


def rows_of(case: Json, effort: Effort, seed: int) -> list[Row]:
    """All comparisons of one case of either kind."""
    if "expected_segments" in case:
        try:
            return [Row(*parts) for parts in truth_micro.rows(case)]
        except Exception as error:  # as for the others
            told = f"went wrong: {type(error).__name__}: {error}"
            return [Row(case["id"], "log", "", "log", None, None, False, told)]
    return list(battery_rows(case, effort, seed))


def cases_in(file: Path) -> list[Json]:
    found = json.loads(file.read_text(encoding="utf-8"))
    return list(found["cases"] if isinstance(found, dict) else found)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--only", default="", help="ids of cases, separated by commas")
    parser.add_argument("--replications", type=int, help="so many, instead of as many as the accuracy asks for")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the rows to a file")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one for each core)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, without asking for accuracy")
    given = parser.parse_args(arguments)
    only = {part.strip() for part in given.only.split(",") if part.strip()}
    effort = Effort.quick() if given.quick else Effort()
    if given.replications:
        effort = Effort(effort.arrivals, given.replications, given.replications, precise=False)
    try:
        cases = [case for file in given.files for case in cases_in(file)]
        unknown = only - {case["id"] for case in cases}
    except (OSError, ValueError, KeyError, TypeError) as error:
        return mistaken(f"cannot read {', '.join(map(str, given.files))}: {error}")
    if unknown:
        return mistaken(f"there is no case {', '.join(sorted(unknown))}")
    cases = [case for case in cases if not only or case["id"] in only]
    rows: list[Row] = []
    for found in answers(cases, effort, given.seed, min(given.jobs, len(cases))):
        rows += found
        print("\n".join(row.text() for row in found), flush=True)
    if given.json:
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=1, default=str), encoding="utf-8")
    failed = sum(not row.ok for row in rows)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


def mistaken(told: str) -> int:
    print(f"truth.py: {told}", file=sys.stderr)
    return 2


def answers(cases: list[Json], effort: Effort, seed: int, jobs: int) -> Iterator[list[Row]]:
    if jobs <= 1:
        yield from (rows_of(case, effort, seed) for case in cases)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(rows_of, cases, [effort] * len(cases), [seed] * len(cases))


if __name__ == "__main__":
    sys.exit(main())
