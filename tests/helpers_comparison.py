"""A made-up comparison with known effects, for tests of the report that need no simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from servsim import statistics
from servsim.experiment import Comparison
from servsim.kpis import KPIS
from servsim.model import Settings

N = 12

BASELINE: dict[str, float] = {
    "first_response_mean": 185.0, "first_response_p90": 420.0, "promise_first_response": 0.302,
    "late_first_response": 0.698, "cycle_time_mean": 512.0, "completion_rate": 0.964, "abandonment_rate": 0.021,
    "utilisation": 0.87, "queue_length_mean": 14.2, "overtime_hours": 36.0, "cost_wages": 48_200.0,
    "cost_total": 61_300.0, "cost_per_case": 38.4,
}  # fmt: skip

TIME = {"working": 32.0, "busy": 281.0, "nobody_on_shift": 198.0, "outage": 0.0, "meeting": 1.0}
"""What the time of a case goes into, without any noise."""

SHARES = {"promise_first_response", "late_first_response", "completion_rate", "abandonment_rate", "utilisation"}

MEASURES: dict[str, tuple[Mapping[str, str] | str, dict[str, float]]] = {
    "peak_30": (
        {"en": "Peak-hour headcount +30 %", "zh": "高峰时段增加30%人手"},
        {"first_response_mean": -92.0, "promise_first_response": 0.31, "cycle_time_mean": -88.0, "cost_per_case": 3.1},
    ),
    "reserve": (
        {"en": "Peak-hour headcount +30 % and a floating reserve of 10 %", "zh": "高峰加人30%，另设10%机动岗"},
        {
            "first_response_mean": -108.0,
            "promise_first_response": 0.36,
            "cycle_time_mean": -101.0,
            "cost_per_case": 4.4,
        },
    ),
    "auto_priority": (
        {
            "en": "Automatic priority, longest idle first, no dispatch delay",
            "zh": "自动定级、派给最空闲的专员、无派单延迟",
        },
        {"first_response_mean": -61.0, "promise_first_response": 0.0, "cycle_time_mean": -55.0, "cost_per_case": -1.2},
    ),
    "escalate": ({"en": "Escalation after 30 min", "zh": "30分钟未接单即上报主管"}, {"first_response_mean": -0.4}),
    "fewer": (
        {"en": "Two fewer at the desk", "zh": "受理台减少2人"},
        {"first_response_mean": 44.0, "promise_first_response": -0.09, "cost_per_case": -2.0},
    ),
    "nothing": ({"en": "A new wallpaper", "zh": "新墙纸"}, {}),
    "together": (
        {"en": "All together", "zh": "全部措施合用"},
        {"first_response_mean": -150.0, "promise_first_response": 0.6, "cycle_time_mean": -170.0, "cost_per_case": 5.2},
    ),
}


def comparison(
    measures: Sequence[str] = tuple(MEASURES), n: int = N, language: str = "en", failed: Sequence[tuple[str, int]] = ()
) -> Comparison:
    """Baseline and measures of the study fault_repair with the effects above, and a little noise of known seed."""
    names = ("fault_repair/baseline", *(f"fault_repair/{m}" for m in measures))
    labels = _labels()
    values = _values(measures, n, labels)
    for scenario, replication in failed:
        values[names.index(scenario), :, replication] = np.nan
    failures = [(s, r, 7, "ZeroDivisionError: division by zero (queues.py:12)") for s, r in failed]
    return Comparison(
        baseline=names[0],
        scenarios=names,
        n=n,
        kpis=_kpis(names, labels, values),
        summary=_summary(names, labels, values),
        differences=_differences(names, labels, values),
        failures=pd.DataFrame(failures, columns=["scenario", "replication", "seed", "message"]),
        digests={(s, r): f"{i:02d}{r:02d}" * 16 for i, s in enumerate(names) for r in range(n) if (s, r) not in failed},
        series={"response_times": _response_times(names, values[:, labels.index(("first_response_mean", "all"))])},
        notes=("A note for the reader.",),
        settings=Settings.model_validate({"seed": 7, "replications": n, "language": language}),
        configs={name: _config(name) for name in names},
    )


def _labels() -> list[tuple[str, str]]:
    hourly = ("first_response_mean", "utilisation", "queue_length_mean")
    return [(k, "all") for k in BASELINE] + [(k, f"hour={h:02d}") for k in hourly for h in range(24)]


def _values(measures: Sequence[str], n: int, labels: Sequence[tuple[str, str]]) -> np.ndarray:
    """[scenarios, labels, replications]; scenarios share most of their noise, as with common random numbers."""
    dice = np.random.default_rng(11)
    base = np.array([BASELINE[kpi] * _by_hour(group) for kpi, group in labels])
    common = 1 + 0.05 * dice.standard_normal((len(labels), n))
    rows = [base[:, None] * common]
    for measure in measures:
        effect = MEASURES[measure][1]
        shift = np.array([effect.get(kpi, 0.0) * _by_hour(group) for kpi, group in labels])
        own = 0.004 * dice.standard_normal((len(labels), n)) * base[:, None]
        rows.append(rows[0] + shift[:, None] + own)
    values = np.array(rows)
    share = [i for i, (kpi, _) in enumerate(labels) if kpi in SHARES]
    values[:, share] = np.clip(values[:, share], 0, 1)
    return values


def _by_hour(group: str) -> float:
    """The day's shape: little at night, peaks at 10, 15 and 20 o'clock."""
    if group == "all":
        return 1.0
    hour = int(group.removeprefix("hour="))
    return 0.35 + sum(0.75 * np.exp(-((hour - peak) ** 2) / 3) for peak in (10, 15, 20))


def _kpis(names: Sequence[str], labels: Sequence[tuple[str, str]], values: np.ndarray) -> pd.DataFrame:
    rows = [
        (name, r, *label, values[s, i, r])
        for s, name in enumerate(names)
        for r in range(values.shape[2])
        for i, label in enumerate(labels)
        if not np.isnan(values[s, i, r])
    ]
    return pd.DataFrame(rows, columns=["scenario", "replication", "kpi", "group", "value"])


def _summary(names: Sequence[str], labels: Sequence[tuple[str, str]], values: np.ndarray) -> pd.DataFrame:
    e = statistics.mean(values)
    rows = [
        (name, *label, e.mean[s, i], e.lower[s, i], e.upper[s, i], int(e.n[s, i]))
        for s, name in enumerate(names)
        for i, label in enumerate(labels)
    ]
    rows += [
        (name, f"time_{what}", "all", t, t, t, int(e.n[s, 0]))
        for s, name in enumerate(names)
        for what, t in TIME.items()
    ]
    return pd.DataFrame(rows, columns=["scenario", "kpi", "group", "mean", "lower", "upper", "n"])


def _differences(names: Sequence[str], labels: Sequence[tuple[str, str]], values: np.ndarray) -> pd.DataFrame:
    d = statistics.paired_difference(values[1:], values[:1])
    p = np.column_stack([statistics.holm(d.p[:, i]) for i in range(len(labels))]) if len(names) > 1 else d.p
    said = statistics.verdict(d.difference, p, [KPIS[kpi].better or "" for kpi, _ in labels])
    rows = [
        (name, *label, d.difference[s, i], d.lower[s, i], d.upper[s, i], p[s, i], str(said[s, i]))
        for s, name in enumerate(names[1:])
        for i, label in enumerate(labels)
        if d.n[s, i]
    ]
    columns = ["scenario", "kpi", "group", "difference", "lower", "upper", "p_adjusted", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def _response_times(names: Sequence[str], means: np.ndarray) -> pd.DataFrame:
    shares = np.linspace(0, 1, 101)
    curve = -np.log1p(-np.minimum(shares, 0.999))
    frames = [
        pd.DataFrame(
            {
                "scenario": name,
                "group": "all",
                "quantile": shares,
                "value": mean * curve,
                "lower": 0.95 * mean * curve,
                "upper": 1.05 * mean * curve,
            }
        )
        for name, mean in zip(names, (0.0 if np.isnan(of).all() else np.nanmean(of) for of in means), strict=True)
    ]
    return pd.concat(frames, ignore_index=True)


def _config(name: str) -> dict[str, Any]:
    variant = name.partition("/")[2]
    label = MEASURES[variant][0] if variant in MEASURES else {"en": "Today", "zh": "现状"}
    return {
        "name": name,
        "label": label,
        "question": {
            "en": "Which measures bring the 2-hour response rate to 90 %?",
            "zh": "哪些措施能使2小时响应率达到九成？",
        },
        "facts": {
            "late": {
                "value": 0.70,
                "kpi": "late_first_response",
                "group": "all",
                "tolerance": 0.03,
                "source": "report.txt",
                "label": {"en": "not answered within 2 h", "zh": "未在2小时内响应"},
            },
            "cycle": {"value": 480, "kpi": "cycle_time_mean", "tolerance": 10, "source": "report.txt"},
        },
        "assumptions": {"load": {"value": "12 an hour", "why": {"en": "not | reported", "zh": "资料未给出"}}},
        "currency": "CNY",
        "clock": {"start": "2026-03-02", "horizon": "4 wk", "warm_up": "1 wk", "run_out": "2 d"},
        "case_classes": {"fault": {"promises": {"value": {"limit": "2 h", "clock": "calendar"}}}},
        "seed": 7,
    }
