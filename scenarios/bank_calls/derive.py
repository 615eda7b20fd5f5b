"""What does the bank's call file say? Prints the findings and writes the derived figures into the bank_calls scenarios.

    python scenarios/bank_calls/derive.py FOLDER      # the folder that holds calls.csv.gz

Needs numpy, pandas and scipy. Writes conf/demand/bank_calls/hourly.yaml, the scenarios and reported.csv beside this
file (derived figures only), and data/bank_calls_trace.csv, which stays out of the repository. The same input gives the
same files.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from derivation import arriving, calls, hanging_up, precedence, reported, serving, staffing  # noqa: E402
from derivation.writing import fill, number, numbers, seconds  # noqa: E402

PROJECT = HERE.parents[1]
SHORTER = 0.85
CLASSES = {"account": ("priority", "regular"), "stock": ("stock_priority", "stock")}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path, help="the folder that holds calls.csv.gz")
    folder = arguments.parse_args().folder
    if not (folder / "calls.csv.gz").is_file():
        print(f"{folder}: there is no calls.csv.gz in it", file=sys.stderr)
        return 2
    pd.set_option("display.width", 160, "display.max_columns", 30, "display.max_rows", 100)
    raw = calls.read(folder)
    found = calls.sort_out(raw)
    who = staffing.presence(found.served)
    available = staffing.availability(who, staffing.waiting(found.demand))
    effective = staffing.effective(who, available)
    table = reported.by_hour(found.demand, who, effective)
    tell(raw, found, who, available, table)
    write(found.demand, effective, table)
    return 0


# ------------------------------------------------------------------ telling


def say(title: str, *tables: object) -> None:
    """A heading and what belongs under it."""
    print(f"\n== {title}")
    for table in tables:
        print(table.to_string() if isinstance(table, pd.DataFrame | pd.Series) else table)


def tell(
    raw: pd.DataFrame, found: calls.Calls, who: staffing.Presence, available: pd.DataFrame, table: pd.DataFrame
) -> None:
    """Prints all findings."""
    demand = found.demand
    say(f"{len(raw)} rows, of which demand for agents: {len(demand)}. Set aside:", found.set_aside)
    say("Recording quirks among the rows that count", calls.quirks(raw, demand))
    say("Share of priority customers, from queued calls", arriving.priority_shares(demand).round(3))
    cvs = {"all": arriving.busy_days(demand)} | {name: arriving.busy_days(demand, name) for name in arriving.INTERVAL}
    together = arriving.correlation(demand)
    say("Busy days: cv beyond Poisson, Sunday to Thursday", pd.Series(cvs), f"account and new together: {together}")
    say("Service times in seconds, by kind of call; lognormal fitted to calls over 10 s", serving.table(demand))
    say("Mean service time in seconds by hour of arrival", serving.by_hour(demand).T)
    say("Patience in seconds, by kind of caller", hanging_up.table(demand).T)
    say("Who is served first: the head start that explains most choices", precedence.head_starts(demand, who))
    tell_staff(found, who, available)
    say("Reported by hour", table)


def tell_staff(found: calls.Calls, who: staffing.Presence, available: pd.DataFrame) -> None:
    """Prints the findings about agents."""
    queue = staffing.waiting(found.demand)
    hours = {pool: (who.on_duty & staffing.in_pool(who, [pool])).sum() / 3600 for pool in staffing.POOLS}
    say("Hours on duty by pool", pd.Series(hours).round(1))
    say("Hours on duty and serving by day", staffing.by_day(who).T)
    old = staffing.waiting(found.demand, 5)
    say(
        "Availability after a call while account calls wait",
        available.round(3),
        f"serving ÷ on duty while an account call has waited 5 s: {staffing.busy_while_waiting(who, old):.3f}"
        f" (three or more waiting: {staffing.busy_while_waiting(who, old, 3):.3f})",
    )
    say("If so many minutes without a call count as off duty", staffing.sensitivity(found.served, queue))


# ------------------------------------------------------------------ writing


def figures(demand: pd.DataFrame, effective: dict[str, pd.DataFrame], table: pd.DataFrame) -> dict[str, str]:
    """Every derived figure as it stands in the YAML, by the key on its line."""
    whole = {name: staffing.headcounts(effective[name], calls.OPENING[name]) for name in effective}
    texts = {
        "fact.hang_up": number(table.hang_up_share["all"], 3),
        "fact.within_60s": number(table.within_60s_share["all"], 3),
    }
    for pool in staffing.POOLS:
        counts = staffing.by_weekday(whole, pool)
        for name, days in calls.DAY_GROUPS.items():
            texts[f"staff.{pool}.{name}"] = numbers(counts[days[0]])
    for group in hanging_up.GROUPS:
        texts[f"patience.{group}"] = seconds(hanging_up.quantiles(*hanging_up.observed(demand, group)))
    for process in arriving.INTERVAL:
        quantiles = serving.quantiles(serving.durations(demand, process))
        texts[f"service.{process}"] = seconds(quantiles)
        texts[f"shorter.{process}"] = f"[{', '.join(f'{number(q * SHORTER, 2)} s' for q in quantiles)}]"
        texts[f"cv.{process}"] = number(arriving.busy_days(demand, process), 3)
        for name, rates in arriving.per_hour(demand, process).items():
            texts[f"rate.{process}.{name}"] = numbers(rates, 2)
    for process, (prior, other) in CLASSES.items():
        share = arriving.priority_share(demand, process)
        texts[f"mix.{process}"] = f"{{{prior}: {number(share, 3)}, {other}: {number(1 - share, 3)}}}"
    return texts


def write(demand: pd.DataFrame, effective: dict[str, pd.DataFrame], table: pd.DataFrame) -> None:
    """Writes the figures into the YAML files, the reported table, and the trace of the calls."""
    texts = figures(demand, effective, table)
    say("Written")
    for path in (PROJECT / "conf/demand/bank_calls/hourly.yaml", HERE / "baseline.yaml", HERE / "shorter_calls.yaml"):
        print(f"{path.relative_to(PROJECT).as_posix()}: {fill(path, texts)} lines changed")
    table.to_csv(HERE / "reported.csv", float_format="%.4g", lineterminator="\n")
    print("scenarios/bank_calls/reported.csv")
    print(f"data/bank_calls_trace.csv: {write_trace(demand)} calls; not for the repository")


def write_trace(demand: pd.DataFrame) -> int:
    """The calls as a trace: when, which class, how long the service took (drawn, where the caller hung up before)."""
    dice = np.random.default_rng(1999)
    share = {process: arriving.priority_share(demand, process) for process in CLASSES}
    service = demand.service.to_numpy(float).copy()
    for process in arriving.INTERVAL:
        missing = np.isnan(service) & (demand.process == process).to_numpy()
        quantiles = serving.quantiles(serving.durations(demand, process))
        drawn = np.interp(dice.random(missing.sum()), np.linspace(0, 1, len(quantiles)), quantiles)
        service[missing] = np.round(drawn)
    trace = pd.DataFrame(
        {
            "arrived_at": calls.FIRST_DAY + pd.to_timedelta(demand.arrived, unit="s"),
            "case_class": reported.case_class(demand, dice, share),
            "service": service.astype(int),
        }
    )
    folder = PROJECT / "data"
    folder.mkdir(exist_ok=True)
    trace.to_csv(folder / "bank_calls_trace.csv", index=False, lineterminator="\n", date_format="%Y-%m-%d %H:%M:%S")
    return len(trace)


if __name__ == "__main__":
    sys.exit(main())
