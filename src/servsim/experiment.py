"""Which scenario is better, and how sure are we? Scenarios × replications → one tidy comparison.

Replication r of every scenario uses the same seed and hence the same cases with the same draws (common random
numbers), so scenarios are compared replication by replication. Results never depend on the number of cores or on
which replication was done first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from servsim import grading, statistics
from servsim.kpis import KPIS, series, table
from servsim.kpis.promises import figures_of
from servsim.model import Scenario, Settings
from servsim.model.errors import InputError
from servsim.registry import suggestion
from servsim.simulate import simulate

if TYPE_CHECKING:
    import pandas as pd

    from servsim.model.process import Flow
    from servsim.records import Run

Progress = Callable[[int, int], None]
Label = tuple[str, str]
"""(kpi, group)"""
Task = tuple[Scenario, int, int]
"""scenario, seed, replication"""

BATCH = 10
"""Replications added at a time by `replications: auto`, and the fewest that it makes."""


@dataclass(frozen=True)
class Comparison:
    """What came of an experiment, as tidy frames; rows in the order of scenarios, replications, KPIs, groups.

    The first scenario is the baseline. `differences` are scenario − baseline over the replications that both have; p is
    adjusted (Holm) within each family: one KPI, one kind of group (all, class, hour, …), all scenarios. Across KPIs
    nothing is adjusted: name the ones that decide as headline KPIs before you look. See `statistics.verdict`.
    """

    baseline: str
    scenarios: tuple[str, ...]
    n: int  # replications asked of each scenario; with failures some have fewer, see `summary.n`
    kpis: pd.DataFrame  # scenario, replication, kpi, group, value
    summary: pd.DataFrame  # scenario, kpi, group, mean, lower, upper, n
    differences: pd.DataFrame  # scenario, kpi, group, difference, lower, upper, p_adjusted, verdict
    failures: pd.DataFrame  # scenario, replication, seed, message
    digests: Mapping[tuple[str, int], str]  # (scenario, replication) → SHA-256 of the event log
    series: Mapping[str, pd.DataFrame]  # of the pictures: name → scenario, x columns, value, lower, upper
    notes: tuple[str, ...]  # what a reader of the tables should know
    settings: Settings
    configs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # scenario → composed mapping
    flows: Mapping[str, Mapping[str, Flow]] = field(default_factory=dict)  # scenario → process → its steps, edited

    def __repr__(self) -> str:
        """Short: in a Python session the frames are looked at one by one."""
        failed = f", {len(self.failures)} failed" if len(self.failures) else ""
        frames = ".summary, .differences, .kpis"
        return f"<Comparison of {', '.join(self.scenarios)}: {self.n} replications{failed}; {frames}>"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker sends back for one replication: small and plain. A failed one has a message and nothing else."""

    scenario: str
    replication: int
    labels: tuple[Label, ...] = ()
    values: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    series: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    failure: str = ""


def compare(
    scenarios: Sequence[Scenario],
    settings: Settings,
    progress: Progress | None = None,
    configs: Mapping[str, Mapping[str, Any]] | None = None,
) -> Comparison:
    """Runs every scenario as often as the settings say and compares each with the first, the baseline.

    `progress(done, planned)` is called after each replication; with `replications: auto` the plan may grow.
    Raises InputError for scenarios of the same name, an unknown KPI in the headline or a fact, or input that is found
    to be bad while preparing.
    """
    names = _distinct_names(scenarios)
    check_kpis(settings.headline, scenarios)
    outcomes, n, notes = _run_all(scenarios, settings, progress or (lambda done, planned: None))
    good = [o for o in outcomes if not o.failure]
    cube = _Cube.of(names, n, good)
    differences, raw_p = cube.differences()
    return Comparison(
        baseline=names[0],
        scenarios=names,
        n=n,
        kpis=cube.kpis(),
        summary=cube.summary(),
        differences=differences,
        failures=_failures(outcomes, settings.seed),
        digests={(o.scenario, o.replication): o.digest for o in good},
        series=_mean_series(good),
        notes=(*notes, *_notes(cube, differences, raw_p, settings, _called(scenarios, settings))),
        settings=settings,
        configs=configs or {},
        flows={of.name: {process: of.flow(process) for process in of.used_processes()} for of in scenarios},
    )


def run_one(
    scenario: Scenario,
    settings: Settings,
    progress: Progress | None = None,
    configs: Mapping[str, Mapping[str, Any]] | None = None,
) -> Comparison:
    """One scenario with all its replications: a comparison without differences."""
    return compare([scenario], settings, progress, configs)


# ---------------------------------------------------------------------- running
def _run_all(
    scenarios: Sequence[Scenario], settings: Settings, progress: Progress
) -> tuple[list[Outcome], int, list[str]]:
    """(outcomes in order of scenario and replication, replications of each scenario, notes)"""
    if settings.replications != "auto":
        n = settings.replications
        return _in_order(_batch(scenarios, range(n), settings, progress), scenarios), n, []
    n, most, names = 0, settings.precision.at_most, tuple(scenario.name for scenario in scenarios)
    outcomes: list[Outcome] = []
    while True:
        batch = range(n, min(n + BATCH, most))
        outcomes = _in_order(outcomes + _batch(scenarios, batch, settings, progress, len(outcomes)), scenarios)
        n = batch.stop
        widest = _widest(outcomes, names, n, settings)
        if widest is None or widest.ratio <= 1 or n >= most:
            return outcomes, n, [_precision_note(widest, n, settings, _called(scenarios, settings))]


def _batch(
    scenarios: Sequence[Scenario], replications: range, settings: Settings, progress: Progress, before: int = 0
) -> list[Outcome]:
    """Outcomes in order of completion."""
    tasks = [(scenario, settings.seed, r) for r in replications for scenario in scenarios]
    planned, outcomes = before + len(tasks), []
    progress(before, planned)
    for outcome in _outcomes(tasks, _workers(settings.compute.jobs, len(tasks))):
        outcomes.append(outcome)
        progress(before + len(outcomes), planned)
    return outcomes


def _outcomes(tasks: Sequence[Task], workers: int) -> Iterator[Outcome]:
    """Outcomes as they come: in this process with one worker, else over joblib's backend (loky by default)."""
    if workers == 1:
        yield from (_replicate(*task) for task in tasks)
        return
    done = set()
    try:
        for outcome in _in_parallel(tasks, workers):
            done.add((outcome.scenario, outcome.replication))
            yield outcome
    except BrokenExecutor:  # a worker died, mostly of lack of memory, and took the queue with it
        yield from _one_by_one([task for task in tasks if (task[0].name, task[2]) not in done])


def _in_parallel(tasks: Sequence[Task], workers: int) -> Iterator[Outcome]:
    from joblib import Parallel, delayed

    try:
        pool = Parallel(n_jobs=workers, return_as="generator_unordered")
    except ValueError:  # some backends (ray, spark) hand over everything at the end only
        pool = Parallel(n_jobs=workers)
    yield from pool(delayed(_replicate)(*task) for task in tasks)


def _one_by_one(tasks: Sequence[Task]) -> Iterator[Outcome]:
    """Each task alone among the worker processes; one that kills its worker comes back as failed."""
    for scenario, seed, replication in tasks:
        try:
            yield from _in_parallel([(scenario, seed, replication)], workers=2)
        except BrokenExecutor as error:
            message = f"{type(error).__name__}: the worker process died (out of memory?)"
            yield Outcome(scenario.name, replication, failure=message)


def _workers(jobs: int, n_tasks: int) -> int:
    """Worker processes for so many tasks; −1 jobs: all cores."""
    if jobs == 1 or n_tasks <= 1:
        return 1
    from joblib import effective_n_jobs

    return min(int(effective_n_jobs(jobs)), n_tasks)


def _replicate(scenario: Scenario, seed: int, replication: int) -> Outcome:
    """One replication with its figures. What goes wrong in it is told, not raised: the others go on.

    Bad input is raised: it is the scenario's fault and would strike every replication.
    """
    try:
        run = simulate(scenario, seed=seed, replication=replication)
        figures = table(run)
        labels = tuple(zip(figures["kpi"].tolist(), figures["group"].tolist(), strict=True))
        values = figures["value"].to_numpy(dtype=np.float64)
        return Outcome(scenario.name, replication, labels, values, _series(run), run.digest)
    except InputError:
        raise
    except Exception as error:
        return Outcome(scenario.name, replication, failure=_one_line(error))


def _one_line(error: Exception) -> str:
    """'ZeroDivisionError: division by zero (queues.py:12)'"""
    lines, frames = str(error).strip().splitlines(), extract_tb(error.__traceback__)
    what = type(error).__name__ + (f": {lines[0]}" if lines else "")
    return what + (f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else "")


def _in_order(outcomes: Iterable[Outcome], scenarios: Sequence[Scenario]) -> list[Outcome]:
    place = {scenario.name: i for i, scenario in enumerate(scenarios)}
    return sorted(outcomes, key=lambda o: (place[o.scenario], o.replication))


# ---------------------------------------------------------------------- checks
def _distinct_names(scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    names = tuple(scenario.name for scenario in scenarios)
    if not names:
        raise InputError("there is nothing to run: name at least one scenario")
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice:
        raise InputError(f"two scenarios are called '{twice}'; give each its own name")
    return names


def check_kpis(headline: Sequence[str], scenarios: Sequence[Scenario]) -> None:
    """Raises InputError for an unknown KPI in the headline, a fact, a target or a scorecard."""
    for scenario in scenarios:
        for name, fact in scenario.facts.items():
            if unknown := _unknown_kpi(fact.kpi, [scenario]):
                raise InputError(f"{scenario.name}: facts.{name}.kpi: {unknown}")
        for name, target in scenario.targets.items():
            if unknown := _unknown_kpi(target.kpi, [scenario]):
                raise InputError(f"{scenario.name}: targets.{name}.kpi: {unknown}")
        if scenario.scorecard is not None:
            for path, kpi in scenario.scorecard.kpis().items():
                if unknown := _unknown_kpi(kpi, [scenario]):
                    raise InputError(f"{scenario.name}: scorecard.{'.'.join(path)}: {unknown}")
            grading.check(scenario.scorecard)
    for kpi in headline:
        if unknown := _unknown_kpi(kpi, scenarios):
            raise InputError(f"headline: {unknown}")


def _unknown_kpi(kpi: str, scenarios: Sequence[Scenario]) -> str:
    """What is wrong with the name: no KPI, or one of a promise that no scenario makes."""
    promises = {name for of in scenarios for kind in of.case_classes.values() for name in kind.promises}
    if kpi in KPIS and (not KPIS[kpi].about or KPIS[kpi].about in promises):
        return ""
    known = [*KPIS, *(name for promise in sorted(promises) for name in figures_of(promise))]
    return f"there is no KPI '{kpi}'{suggestion(kpi, known)}"


# ---------------------------------------------------------------------- figures → frames
@dataclass(frozen=True)
class _Cube:
    """All figures of an experiment in one array, so that every statistic is one vectorised call."""

    scenarios: tuple[str, ...]
    labels: tuple[Label, ...]
    values: NDArray[np.float64]  # [scenarios, labels, replications], NaN: no answer
    there: NDArray[np.bool_]  # same shape: the table had such a row

    @classmethod
    def of(cls, scenarios: tuple[str, ...], n: int, outcomes: Sequence[Outcome]) -> _Cube:
        labels = _ordered_labels(outcomes)
        column = {label: i for i, label in enumerate(labels)}
        row = {name: i for i, name in enumerate(scenarios)}
        values = np.full((len(scenarios), len(labels), n), np.nan)
        there = np.zeros(values.shape, dtype=bool)
        for outcome in outcomes:
            at = [column[label] for label in outcome.labels]
            values[row[outcome.scenario], at, outcome.replication] = outcome.values
            there[row[outcome.scenario], at, outcome.replication] = True
        return cls(scenarios, labels, values, there)

    def kpis(self) -> pd.DataFrame:
        """scenario, replication, kpi, group, value: every figure of every replication."""
        scenario, replication, label = np.nonzero(self.there.transpose(0, 2, 1))
        figures = {"value": self.values[scenario, label, replication]}
        return self._frame(scenario, label, figures, replication=replication)

    def summary(self) -> pd.DataFrame:
        """scenario, kpi, group, mean, lower, upper, n"""
        e = statistics.mean(self.values)
        scenario, label = at = np.nonzero(self.there.any(axis=-1))
        return self._frame(
            scenario, label, {"mean": e.mean[at], "lower": e.lower[at], "upper": e.upper[at], "n": e.n[at]}
        )

    def differences(self) -> tuple[pd.DataFrame, NDArray[np.float64]]:
        """(scenario, kpi, group, difference, lower, upper, p_adjusted, verdict; the p-values before adjusting)

        A row wherever a scenario and the baseline both have a value in at least one replication.
        """
        d = statistics.paired_difference(self.values[1:], self.values[:1])
        adjusted = np.full(d.p.shape, np.nan)
        for family in self._families():
            adjusted[:, family] = statistics.holm(d.p[:, family].ravel()).reshape(-1, len(family))
        said = statistics.verdict(d.difference, adjusted, [_better(kpi) for kpi, _ in self.labels])
        scenario, label = at = np.nonzero(d.n > 0)
        figures: dict[str, Any] = {"difference": d.difference[at], "lower": d.lower[at], "upper": d.upper[at]}
        figures |= {"p_adjusted": adjusted[at], "verdict": said[at]}
        return self._frame(scenario + 1, label, figures), d.p[at]

    def _families(self) -> list[NDArray[np.int64]]:
        """Labels whose differences are read together: one KPI, one kind of group."""
        members: dict[Label, list[int]] = {}
        for i, (kpi, group) in enumerate(self.labels):
            members.setdefault((kpi, _kind_of_group(group)), []).append(i)
        return [np.array(family) for family in members.values()]

    def _frame(self, scenario: Any, label: Any, figures: Mapping[str, Any], **ids: Any) -> pd.DataFrame:
        import pandas as pd

        kpi, group = (pd.Series([part[i] for part in self.labels], dtype=str) for i in (0, 1))
        return pd.DataFrame(
            {
                "scenario": pd.Series(self.scenarios, dtype=str).take(scenario).to_numpy(),
                **ids,
                "kpi": kpi.take(label).to_numpy(),
                "group": group.take(label).to_numpy(),
                **figures,
            }
        )


def _ordered_labels(outcomes: Sequence[Outcome]) -> tuple[Label, ...]:
    """Every (kpi, group) of the tables; KPIs, kinds of group and groups each in order of first appearance.

    A class that first turns up in replication 7 still stands with its KPI.
    """
    tables = dict.fromkeys(outcome.labels for outcome in outcomes)
    labels = list(dict.fromkeys(label for rows in tables for label in rows))
    kpi = {name: i for i, name in enumerate(dict.fromkeys(kpi for kpi, _ in labels))}
    kind = {name: i for i, name in enumerate(dict.fromkeys(_kind_of_group(group) for _, group in labels))}
    return tuple(sorted(labels, key=lambda label: (kpi[label[0]], kind[_kind_of_group(label[1])])))


def _kind_of_group(group: str) -> str:
    """'class' of 'class=urgent', 'all' of 'all'."""
    return group.partition("=")[0]


def _better(kpi: str) -> str:
    return (KPIS[kpi].better or "") if kpi in KPIS else ""


def _failures(outcomes: Sequence[Outcome], seed: int) -> pd.DataFrame:
    import pandas as pd

    rows = [(o.scenario, o.replication, seed, o.failure) for o in outcomes if o.failure]
    return pd.DataFrame(rows, columns=["scenario", "replication", "seed", "message"])


# ---------------------------------------------------------------------- series for the pictures
def _series(run: Run) -> dict[str, pd.DataFrame]:
    """Each picture's series of one run: x columns, then `value`."""
    return {name: function(run) for name, function in series.SERIES.items()}


def _mean_series(outcomes: Sequence[Outcome]) -> dict[str, pd.DataFrame]:
    """name → scenario, x columns, value, lower, upper: the mean over the replications that have a value at x."""
    import pandas as pd

    of: dict[str, dict[str, list[pd.DataFrame]]] = {}
    for outcome in outcomes:
        for name, frame in outcome.series.items():
            of.setdefault(name, {}).setdefault(outcome.scenario, []).append(frame)
    return {
        name: pd.concat([_mean_frame(frames, scenario) for scenario, frames in parts.items()], ignore_index=True)
        for name, parts in of.items()
    }


def _mean_frame(frames: Sequence[pd.DataFrame], scenario: str) -> pd.DataFrame:
    """The frames, alike but for their values, as one."""
    e = statistics.mean(np.column_stack([frame["value"].to_numpy(dtype=np.float64) for frame in frames]))
    x = frames[0].drop(columns="value")
    x.insert(0, "scenario", scenario)
    return x.assign(value=e.mean, lower=e.lower, upper=e.upper)


# ---------------------------------------------------------------------- precision and notes
@dataclass(frozen=True, slots=True)
class _Widest:
    """The headline figure whose interval is widest for what is asked of it; a ratio above 1 is too wide."""

    ratio: float
    kpi: str
    scenario: str


def _widest(outcomes: Sequence[Outcome], scenarios: tuple[str, ...], n: int, settings: Settings) -> _Widest | None:
    """Over the headline KPIs at group "all" of every scenario; None where none of them has an answer.

    The half-width asked is a share of the mean, or for KPIs that are shares themselves (0.05: five points) absolute.
    """
    cube = _Cube.of(scenarios, n, [o for o in outcomes if not o.failure])
    rows = [i for i, label in enumerate(cube.labels) if label[0] in settings.headline and label[1] == "all"]
    values = cube.values[:, rows]
    absolute = np.array([KPIS[cube.labels[i][0]].unit == "share" for i in rows], dtype=bool)
    width = np.where(absolute, statistics.mean(values).half_width, statistics.relative_half_width(values))
    if not rows or np.isnan(width).all():
        return None
    scenario, row = np.unravel_index(np.nanargmax(width), width.shape)
    ratio = float(width[scenario, row]) / settings.precision.half_width
    return _Widest(ratio, cube.labels[rows[row]][0], scenarios[scenario])


_NOTES = {
    "reached": {
        "en": "{n} replications: every headline figure is as precise as asked (±{asked:.3g} % of the mean, for shares "
        "±{asked:.3g} points). The widest: {kpi} of {scenario}, ±{width:.3g}.",
        "zh": "共{n}次重复：所有主要指标均达到要求的精度（均值的±{asked:.3g}%，占比类为±{asked:.3g}个百分点）。"
        "区间最宽的是{scenario}的{kpi}：±{width:.3g}。",
    },
    "not_reached": {
        "en": "After {n} replications, the most allowed, the precision asked (±{asked:.3g} % of the mean, for shares "
        "±{asked:.3g} points) is not reached: {kpi} of {scenario} is at ±{width:.3g}.",
        "zh": "已做{n}次重复（上限），仍未达到要求的精度（均值的±{asked:.3g}%，占比类为±{asked:.3g}个百分点）："
        "{scenario}的{kpi}为±{width:.3g}。",
    },
    "nothing_to_judge": {
        "en": "No headline figure has an answer, so {n} replications were made without a look at the precision.",
        "zh": "主要指标均无结果，因此做了{n}次重复，未判断精度。",
    },
    "single": {
        "en": "One replication: no intervals and no verdicts. Ask for at least two, better twenty.",
        "zh": "只有一次重复：没有区间，也没有结论。请至少做两次，最好二十次。",
    },
    "no_answer": {
        "en": "{kpi} has no answer in {scenario}.",
        "zh": "{scenario}没有“{kpi}”的结果。",
    },
    "luck": {
        "en": "{kpi} of {scenario}: the interval taken alone leaves out 0, but among {m} scenarios such an interval "
        "may well be luck (adjusted p = {p:.2g}); hence no difference shown.",
        "zh": "{scenario}的{kpi}：区间本身不含0，但同时比较{m}个方案，出现一个这样的区间很可能只是偶然"
        "（校正后p={p:.2g}），因此判为未显示差异。",
    },
}


def _note(kind: str, settings: Settings, **facts: Any) -> str:
    return _NOTES[kind]["zh" if settings.language == "zh" else "en"].format(**facts)


def _precision_note(widest: _Widest | None, n: int, settings: Settings, called: Mapping[str, str]) -> str:
    if widest is None:
        return _note("nothing_to_judge", settings, n=n)
    asked = 100 * settings.precision.half_width
    kind = "reached" if widest.ratio <= 1 else "not_reached"
    kpi, scenario = called[widest.kpi], called[widest.scenario]
    return _note(kind, settings, n=n, asked=asked, width=widest.ratio * asked, kpi=kpi, scenario=scenario)


def _notes(
    cube: _Cube, differences: pd.DataFrame, raw_p: NDArray[np.float64], settings: Settings, called: Mapping[str, str]
) -> Iterator[str]:
    """What the tables alone would leave a reader to wonder about."""
    if cube.values.shape[-1] == 1:
        yield _note("single", settings)
    for kpi in settings.headline:
        answers = [cube.values[:, i] for i, label in enumerate(cube.labels) if label == (kpi, "all")]
        for i, scenario in enumerate(cube.scenarios):
            if not any((~np.isnan(values[i])).any() for values in answers):
                yield _note("no_answer", settings, kpi=called[kpi], scenario=called[scenario])
    headline = differences["kpi"].isin(list(settings.headline)) & (differences["group"] == "all")
    lucky = headline & (raw_p < statistics.ALPHA) & (differences["verdict"] == statistics.NOT_SHOWN)
    for row in differences[lucky].itertuples():
        names = {"kpi": called[str(row.kpi)], "scenario": called[str(row.scenario)]}
        yield _note("luck", settings, m=len(cube.scenarios) - 1, p=row.p_adjusted, **names)


def _called(scenarios: Sequence[Scenario], settings: Settings) -> dict[str, str]:
    """Scenario or headline KPI → its label in the language of the settings, else its name."""
    language = "zh" if settings.language == "zh" else "en"
    of = [promise for s in scenarios for kind in s.case_classes.values() for promise in kind.promises.items()]
    promises = {name: label for name, promise in of if (label := promise.label.text(language))}
    kpis = {kpi: KPIS[kpi].label(language, promises.get(KPIS[kpi].about, "")) for kpi in settings.headline}
    return kpis | {s.name: f"“{label}”" if (label := s.label.text(language)) else s.name for s in scenarios}
