"""Does the bank_calls model behave like the call centre that was recorded? Reported and simulated, hour by hour.

    python scenarios/bank_calls/compare_reported.py [--replications 20] [--seed 1] [--trace]

Reads reported.csv beside this file (derived figures). The calls themselves are needed only for --trace, which replays
their arrivals and lengths from data/bank_calls_trace.csv, written by derive.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import servsim
from servsim.model.errors import InputError

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
TRACE = PROJECT / "data" / "bank_calls_trace.csv"
MEASURES = {  # column of reported.csv → heading, digits after the point, factor
    "hang_up_share": ("hang-ups, %", 1, 100),
    "mean_wait_s": ("mean wait, s", 0, 1),
    "within_60s_share": ("within 60 s, %", 1, 100),
    "load_effective": ("agents' load, %", 1, 100),
}
ROUNDING = "headcounts are rounded; another rounding with the same sums moves the mean wait of an hour by up to 17 s"
WHY: Mapping[tuple[str, ...], str] = {
    (
        "07",
        "08",
    ): "account calls of 7 to 8 last 144 s, those of the whole day 187 s; the model has one length for all hours",
    (
        "09",
        "10",
        "11",
    ): "from day to day there were 5.7 to 7.8 agents and hang-ups followed; the model has one roster per kind of day",
    ("12", "13", "14"): ROUNDING,
    ("15", "16", "17", "18"): ROUNDING,
    ("19", "20"): "Saturday opens at 19:30 with calls for 3.1 agents at once; three, rounded, fall behind where the "
    "recorded 3.2 to 3.5 kept up",
    (
        "21",
        "22",
        "23",
    ): "two to four agents, so rounding weighs most; and recorded agents took the next call sooner the "
    "more callers waited (after 83 s with one, 28 s with three)",
}
EXPLANATION = """\
Simulated: mean of the replications and, in brackets, the 95 % prediction interval: where the figure of one more
simulated period of 20 days would lie; a reported figure outside of it has a *. Mean wait: of all, until answer or
hang-up. Load: serving ÷ effective agents."""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--replications", type=int, default=20, help="simulated periods of 20 days, at least 2")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--trace", action="store_true", help="replay the recorded arrivals and lengths of calls")
    chosen = arguments.parse_args()
    if chosen.replications < 2:
        arguments.error("--replications: an interval needs at least 2")
    if chosen.trace and not TRACE.is_file():
        print(f"{TRACE}: there is no such file; write it with scenarios/bank_calls/derive.py FOLDER", file=sys.stderr)
        return 2
    try:
        overrides = ["demand=bank_calls/trace"] if chosen.trace else []
        scenario = servsim.load("bank_calls/baseline", overrides, project=PROJECT)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    reported = pd.read_csv(HERE / "reported.csv", dtype={"hour": str}).set_index("hour")
    runs = [measured(servsim.simulate(scenario, seed=chosen.seed, replication=r)) for r in range(chosen.replications)]
    print("\n".join(page(reported, pd.concat(runs, keys=range(len(runs))))))
    return 0


# ------------------------------------------------------------------ figures


def measured(run: servsim.Run) -> pd.DataFrame:
    """The measures of one replication by hour of arrival (load: by hour of the clock), with a row "all"."""
    cases = run.cases[run.cases.counted]
    hour = cases.arrived_at.dt.strftime("%H")
    wait = (cases.responded_at.fillna(cases.left_at) - cases.arrived_at).dt.total_seconds()
    kpis = run.kpis().set_index(["kpi", "group"]).value
    rows = [*sorted(hour.unique()), "all"]
    return pd.DataFrame(
        {
            "hang_up_share": by_hour(kpis["abandonment_rate"], rows),
            "mean_wait_s": pd.concat([wait.groupby(hour).mean(), pd.Series({"all": wait.mean()})]),
            "within_60s_share": by_hour(kpis["answered_within_60s"], rows),
            "load_effective": by_hour(kpis["utilisation"], rows),
        }
    )


def by_hour(values: pd.Series, rows: list[str]) -> pd.Series:
    """A KPI's figures of the hours and of all."""
    return values.rename(lambda group: group.removeprefix("hour=")).reindex(rows)


def interval(values: pd.Series) -> tuple[float, float]:
    """95 % prediction interval for one more replication: mean ± t · s · √(1 + 1/n)."""
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * values.std() * np.sqrt(1 + 1 / len(values))
    return float(values.mean() - half), float(values.mean() + half)


# ------------------------------------------------------------------ page


def page(reported: pd.DataFrame, simulated: pd.DataFrame) -> Iterator[str]:
    """The lines of the comparison: what it shows, the table, where and why the model is off."""
    n, width = simulated.index.get_level_values(0).nunique(), 27
    yield f"bank_calls/baseline, {n} replications of 20 days, beside the record of 1 to 20 February 1999\n"
    yield EXPLANATION + "\n"
    yield f"{'':12}" + "".join(f"{heading:^{width}}" for heading, _, _ in MEASURES.values()).rstrip()
    yield f"{'hour':>4} {'calls':>6} " + f"{'reported   simulated':^{width}}".rstrip().ljust(width) * len(MEASURES)
    off: dict[str, list[str]] = {}
    for hour, row in reported.iterrows():
        cells = {name: cell(row[name], simulated.xs(hour, level=1)[name], name) for name in MEASURES}
        off[str(hour)] = [MEASURES[name][0].partition(",")[0] for name, text in cells.items() if "*" in text]
        yield f"{hour:>4} {row.calls:>6.0f} " + "".join(f"{text:<{width}}" for text in cells.values()).rstrip()
    yield ""
    yield from verdict(off)


def cell(reported: float, simulated: pd.Series, measure: str) -> str:
    """'  12.6    13.2 [ 9.6, 16.7]', with a * after a reported figure outside of the interval."""
    _, digits, factor = MEASURES[measure]
    low, high = interval(simulated)
    mark = " " if low <= reported <= high else "*"
    figures = [f"{value * factor:.{digits}f}" for value in (reported, simulated.mean(), low, high)]
    return f"{figures[0]:>6}{mark} {figures[1]:>6} [{figures[2]:>4}, {figures[3]:>4}]"


def verdict(off: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Where the model is off, in words, and why as far as is known."""
    hours = {hour: names for hour, names in off.items() if hour != "all"}
    outside, n = sum(map(len, hours.values())), len(hours) * len(MEASURES)
    whole = (
        "all four figures of the whole period lie" if not off.get("all") else f"{', '.join(off['all'])} do not all lie"
    )
    yield f"Where the model is off: {outside} of {n} hourly figures are outside; {whole} inside the interval."
    for part, reason in WHY.items():
        named = [f"{hour} h ({', '.join(hours[hour])})" for hour in part if hours.get(hour)]
        if named:
            yield f"- {'; '.join(named)}: {reason}."


if __name__ == "__main__":
    sys.exit(main())
