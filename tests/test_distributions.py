"""Every distribution keeps the contract: monotone, not negative, integrates to its mean, written and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from servsim.model.distributions import DISTRIBUTIONS, distribution
from servsim.model.errors import problems
from servsim.quantities import HOUR, MINUTE

EXAMPLES = [
    "15 min",
    {"kind": "constant", "value": "90 s"},
    {"kind": "constant", "value": "0 min"},
    {"kind": "exponential", "mean": "5 min"},
    {"kind": "uniform", "low": "1 min", "high": "4 min"},
    {"kind": "uniform", "low": "2 min", "high": "2 min"},
    {"kind": "triangular", "low": "1 min", "mode": "2 min", "high": "9 min"},
    {"kind": "triangular", "low": "1 min", "mode": "1 min", "high": "9 min"},
    {"kind": "triangular", "low": "1 min", "mode": "9 min", "high": "9 min"},
    {"kind": "normal", "mean": "30 min", "sd": "4 min"},
    {"kind": "normal", "mean": "3 min", "sd": "4 min"},
    {"kind": "normal", "mean": "0 min", "sd": "4 min"},
    {"kind": "lognormal", "mean": "8 min", "cv": 0.8},
    {"kind": "gamma", "mean": "5 min", "cv": 0.5},
    {"kind": "gamma", "mean": "5 min", "cv": 1.5},
    {"kind": "erlang", "mean": "5 min", "k": 3},
    {"kind": "weibull", "mean": "5 min", "shape": 0.8},
    {"kind": "weibull", "mean": "5 min", "shape": 2},
    {"kind": "hyperexponential", "means": ["1 min", "1 h"], "shares": [0.7, 0.3]},
    {"kind": "hyperexponential", "means": ["5 min"], "shares": [1]},
    {
        "kind": "mixture",
        "parts": [{"share": 0.3, "of": "2 min"}, {"share": 0.7, "of": {"kind": "exponential", "mean": "1 h"}}],
    },
    {"kind": "mixture", "parts": [{"share": 1, "of": "0 min"}]},
    {"kind": "empirical", "values": ["9 min", "1 min", "5 min"]},
    {"kind": "empirical", "values": ["9 min", "1 min", "5 min"], "shares": [0.5, 0.3, 0.2]},
    {"kind": "empirical", "quantiles": {0: "1 min", 0.5: "3 min", 0.9: "3 min", 1: "20 min"}},
    {"kind": "empirical", "quantiles": ["1 min", "3 min", "20 min"]},
]
STEPPED = {"constant", "mixture", "empirical"}
"""Kinds that may have jumps, where cdf(quantile(u)) is above u."""

every = pytest.mark.parametrize("spec", EXAMPLES, ids=str)


def middles(n: int) -> np.ndarray:
    return (np.arange(n) + 0.5) / n


def test_every_registered_kind_has_an_example() -> None:
    assert {"constant"} | {spec["kind"] for spec in EXAMPLES if isinstance(spec, dict)} == set(DISTRIBUTIONS)


@every
def test_quantiles_rise_and_are_not_negative(spec: object) -> None:
    u = np.concatenate([[0.0, 1e-300, 1e-12], middles(20_000), [1 - 1e-12, 1 - 2.0**-53]])
    q = distribution(spec).quantile(u)
    assert q.dtype == np.float64 and q.shape == u.shape
    assert np.isfinite(q).all() and (q >= 0).all() and (np.diff(q) >= 0).all()


@every
def test_the_quantile_function_integrates_to_the_mean(spec: object) -> None:
    d = distribution(spec)
    # u = 3v² − 2v³ has density 6v(1 − v): it takes many points in both tails
    v = middles(400_000)
    integral = float(np.sum(d.quantile(v * v * (3 - 2 * v)) * 6 * v * (1 - v)) / len(v))
    assert integral == pytest.approx(d.mean, rel=2e-5, abs=1)


@every
def test_cdf_and_quantile_are_inverse(spec: object) -> None:
    d, u = distribution(spec), middles(1000)
    x = d.quantile(u)
    assert (d.cdf(x) >= u - 1e-8).all()
    assert (d.cdf(x * (1 - 1e-7) - 1) <= u + 1e-8).all()
    if d.kind not in STEPPED and np.ptp(x) > 0:
        assert d.cdf(x) == pytest.approx(u, abs=1e-8)
    assert d.cdf(np.array([-1.0])) == [0.0]


@every
def test_it_is_written_and_read_back(spec: object) -> None:
    d = distribution(spec)
    assert distribution(d.model_dump(mode="json")) == d
    assert distribution(d.model_dump()) == d


@pytest.mark.parametrize("spec", [s for s in EXAMPLES if isinstance(s, dict)], ids=str)
def test_the_same_kinds_hold_plain_numbers(spec: dict[str, object]) -> None:
    def plain(value: object) -> object:
        if isinstance(value, str):
            return {"2 min": 2.0, "0 min": 0.0}.get(value, float(value.split()[0])) if value[0].isdigit() else value
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        return [plain(v) for v in value] if isinstance(value, list) else value

    d = distribution(plain(spec), numbers=True)
    q = d.quantile(middles(100_000))
    assert (np.diff(q) >= 0).all() and q.mean() == pytest.approx(d.mean, rel=3e-3, abs=1e-9)
    assert distribution(d.model_dump(mode="json"), numbers=True) == d


def test_known_values() -> None:
    def at(spec: object, *u: float) -> list[float]:
        return distribution(spec).quantile(np.array(u)).tolist()

    assert at({"kind": "exponential", "mean": "10 min"}, 0.5) == pytest.approx([10 * MINUTE * np.log(2)])
    assert at({"kind": "lognormal", "mean": "1 h", "cv": 1}, 0.5) == pytest.approx([HOUR / np.sqrt(2)])
    assert at({"kind": "uniform", "low": "1 min", "high": "3 min"}, 0.5) == [2 * MINUTE]
    mixed = {"kind": "mixture", "parts": [{"share": 0.25, "of": "1 min"}, {"share": 0.75, "of": "1 h"}]}
    assert at(mixed, 0.1, 0.25, 0.2500001, 0.9) == [MINUTE, MINUTE, HOUR, HOUR]
    assert at({"kind": "empirical", "values": ["1 min", "2 min"]}, 0, 0.5, 0.51) == [MINUTE, MINUTE, 2 * MINUTE]


def test_a_normal_that_reaches_below_zero_has_the_mean_of_what_is_left() -> None:
    half_normal = distribution({"kind": "normal", "mean": "0 min", "sd": "1 h"})
    assert half_normal.mean == pytest.approx(HOUR * np.sqrt(2 / np.pi))


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("spec", "path", "words"),
    [
        (
            {"kind": "lognorml", "mean": "1 min", "cv": 1},
            ("kind",),
            "no distribution 'lognorml'; did you mean lognormal",
        ),
        ({"mean": "1 min"}, ("kind",), "is missing; known: constant, exponential"),
        ({"kind": "exponential", "mean": 6}, ("mean",), "needs a unit, for example '6 min'"),
        ({"kind": "exponential", "mean": "-6 min"}, ("mean",), "must not be negative"),
        ({"kind": "exponential", "mean": "0 min"}, ("mean",), "must be above zero"),
        ({"kind": "exponential", "maen": "6 min"}, ("maen",), "is not a known setting; did you mean mean?"),
        ({"kind": "triangular", "low": "3 min", "mode": "2 min", "high": "9 min"}, (), "needs low <= mode <= high"),
        ({"kind": "lognormal", "mean": "3 min", "cv": 0}, ("cv",), "expected a number from 0.001 to 1000, got 0"),
        ({"kind": "lognormal", "mean": "3 min"}, ("cv",), "is missing"),
        ({"kind": "erlang", "mean": "3 min", "k": 1.5}, ("k",), "expected a whole number ≥ 1, got 1.5"),
        (
            {"kind": "hyperexponential", "means": ["1 min", "2 min"], "shares": [1]},
            ("shares",),
            "one share for each value: 2",
        ),
        ({"kind": "hyperexponential", "means": ["1 min", "2 min"], "shares": [0.5, 0.4]}, ("shares",), "sum to 0.9"),
        ({"kind": "mixture", "parts": [{"share": 0.5, "of": "1 min"}]}, (), "sum to 0.5"),
        (
            {"kind": "mixture", "parts": [{"share": 1, "of": {"kind": "gama"}}]},
            ("parts", 0, "of", "kind"),
            "mean gamma?",
        ),
        ({"kind": "empirical"}, (), "exactly one of `values`, `quantiles`, `file`"),
        ({"kind": "empirical", "quantiles": {0.1: "1 min", 1: "2 min"}}, ("quantiles",), "must begin at 0 and"),
        ({"kind": "empirical", "quantiles": ["3 min", "2 min"]}, ("quantiles",), "must not fall"),
        (6, ("value",), "needs a unit"),
        (["1 min"], (), "expected a mapping with `kind`"),
    ],
)
def test_what_is_refused(spec: object, path: tuple[object, ...], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        distribution(spec)
    found = problems(caught.value, spec)
    assert len(found) == 1, found
    assert words in found[0][1]
    assert found[0][0] == (path if isinstance(spec, dict) else ())


# ------------------------------------------------------------------ from a file


def column(folder: Path, text: str | bytes, **more: str) -> object:
    data = text if isinstance(text, bytes) else text.encode("utf-8-sig")
    (folder / "calls.csv").write_bytes(data)
    return distribution({"kind": "empirical", "file": "calls.csv", "column": "service", **more}, folder=folder)


def test_values_from_a_csv_column(tmp_path: Path) -> None:
    d = column(tmp_path, "id,service\n1,3\n\n2,1\n", unit="min")
    assert d.mean == 2 * MINUTE and d.quantile(np.array([0.4, 0.6])).tolist() == [MINUTE, 3 * MINUTE]
    assert distribution(d.model_dump(mode="json"), folder=tmp_path) == d
    assert column(tmp_path, "service\n1 h\n").mean == HOUR
    assert column(tmp_path, "服务,service\n甲,1 h\n".encode("gb18030")).mean == HOUR


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "calls.csv: is empty"),
        ("id,service\n", "calls.csv: has a header but no rows"),
        ("id,servise\n1,2\n", 'calls.csv, line 1: there is no column "service"; did you mean servise?'),
        ("id,service\n1,2\n2,three\n", 'line 3, column "service": expected a number ≥ 0 (in min), got "three"'),
        ("id,service\n1,2\n2,-3\n", 'line 3, column "service": expected a number ≥ 0 (in min), got "-3"'),
        ("id,service\n1,2\n2\n", "calls.csv, line 3: has 1 cells, the header has 2"),
        ('id,service\n1,"2\n', "is not a CSV row"),
        (b"\xff\xfe\x00\x81\xff", "is not text in utf-8-sig or gb18030"),
    ],
)
def test_a_bad_file_is_named_with_line_and_column(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        column(tmp_path, text, unit="min")
    [(path, message)] = problems(caught.value, {"kind": "empirical", "file": "calls.csv"})
    assert path == ("file",) and words in message and "\n" not in message


def test_a_file_that_is_not_there_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("service\n1 min\n")
    with pytest.raises(ValidationError, match=r"there is no such file; did you mean calls\.csv\?"):
        distribution({"kind": "empirical", "file": "cals.csv", "column": "service"}, folder=tmp_path)
