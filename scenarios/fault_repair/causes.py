"""Why are cases of fault_repair answered late? The wait for the first response of every late case, split by cause.

    python scenarios/fault_repair/causes.py [fault_repair/peak_30] [key=value …] [--replications 20] [--seed 1]

Every moment between arrival and first response has one cause: the system has not pushed the case yet (dispatch
delay), nobody who could take it is on shift (a break is not counted as absence), or everybody who could is busy. A
late case counts for the cause of the largest part of its wait, its main cause. "In time without it" asks something
else: how many of the late cases would have been in time if that part of their wait, and nothing else, had been zero.
Those shares overlap, and they are no forecast: who is pushed sooner waits for a busy agent instead.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

import servsim
from servsim import statistics
from servsim.model.errors import InputError
from servsim.quantities import HOUR, MINUTE

REPORTED = {"nobody on shift": "30 %", "dispatch delay": "20 %", "everybody busy": "the rest"}
CAUSES = tuple(REPORTED)
BASELINE = "fault_repair/baseline"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="scenario, key=value")
    parser.add_argument("--replications", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_intermixed_args()
    settings = [word for word in chosen.words if "=" in word]
    name = next((word for word in chosen.words if word not in settings), BASELINE)
    try:
        scenario = servsim.load(name, overrides=settings)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    runs = (servsim.simulate(scenario, seed=chosen.seed, replication=r) for r in range(chosen.replications))
    shares = pd.DataFrame([figures(run) for run in runs])
    print("\n".join(lines(name, shares)))
    if name == BASELINE:
        run = servsim.simulate(scenario, seed=chosen.seed)
        print(f"most like the reported case: servsim follow {name} case={most_like_the_example(run)}")
    return 0


def lines(name: str, shares: pd.DataFrame) -> list[str]:
    """A row for each cause; in brackets the 95 % interval of the mean over replications."""
    shown = {column: _interval(shares[column].to_numpy()) for column in shares}
    reported = REPORTED if name == BASELINE else dict.fromkeys(CAUSES, "")
    rows = [f"{cause:<18} {shown[cause]:<22} {shown[f'without {cause}']:<22} {reported[cause]}" for cause in CAUSES]
    head = (
        f"{'of the late ones':<18} {'main cause':<22} {'in time without it':<22} {'reported' * any(reported.values())}"
    )
    example = f"{shown['pushed']} pushed after 85 min or later, {shown['8 h']} repaired after 8 h or later"
    late = f"{name}: {shown['late']} late" + (", reported 70 %" if name == BASELINE else "")
    return [line.rstrip() for line in (late, head, *rows, f"online fault reports: {example}")]


def _interval(values: np.ndarray) -> str:
    found = statistics.mean(values)
    return f"{found.mean:.1%} [{100 * found.lower:.1f}, {100 * found.upper:.1f}]"


def figures(run: servsim.Run) -> dict[str, float]:
    """Shares of one replication: late; of the late ones by cause; of online fault reports as in the example."""
    all_waits = waits(run)
    late = all_waits[all_waits.wait > all_waits.limit]
    parts = late[list(CAUSES)]
    found = {"late": len(late) / len(all_waits)}
    found |= {cause: float((parts.idxmax(axis=1) == cause).mean()) for cause in CAUSES}
    found |= {f"without {cause}": float((late.wait - late[cause] <= late.limit).mean()) for cause in CAUSES}
    faults = all_waits[(all_waits.channel == "online") & all_waits.case_class.isin(["fault", "urgent_fault"])]
    found["pushed"] = float((faults["dispatch delay"] >= 85).mean())
    found["8 h"] = float((faults.took >= 8 * 60).mean())
    return found


def waits(run: servsim.Run) -> pd.DataFrame:
    """Counted cases, with minutes: wait until the first response, limit, its three parts, and time until they left."""
    cases = run.cases[run.cases.counted].set_index("case")
    first = run.items.drop_duplicates("case").set_index("case").loc[cases.index]
    stop = run.when(np.array([run.window.until]))[0]
    answered = _minutes(run, cases.responded_at.fillna(stop))
    arrived, pushed = _minutes(run, cases.arrived_at), _minutes(run, first.offered_at.fillna(stop))
    pushed = np.minimum(pushed, answered)
    manned = np.zeros(len(cases))
    for skill in first["skill"].cat.categories:
        ours = (first["skill"] == skill).to_numpy()
        manned[ours] = manned_until(run, skill, answered[ours]) - manned_until(run, skill, pushed[ours])
    parts = {CAUSES[0]: answered - pushed - manned, CAUSES[1]: pushed - arrived, CAUSES[2]: manned}
    due, left = _minutes(run, cases.due_first_response), _minutes(run, cases.left_at.fillna(stop))
    wanted = {"wait": answered - arrived, "limit": due - arrived, **parts, "took": left - arrived}
    return cases[["case_class", "channel"]].assign(arrived=arrived, **wanted)


def _minutes(run: servsim.Run, at: pd.Series) -> np.ndarray:
    return np.asarray((at.to_numpy() - run.start) / np.timedelta64(1, "m"))


def manned_until(run: servsim.Run, skill: str, at: np.ndarray) -> np.ndarray:
    """Minutes from the start of the clock until each instant during which somebody with the skill was on shift."""
    plan = run.plan
    pools = np.flatnonzero(plan.preference[:, plan.skills.index(skill)] >= 0)
    duties = np.flatnonzero(np.isin(plan.worker_pool[plan.duty_worker], pools))
    changes = np.concatenate([plan.duty_from[duties], plan.duty_to[duties]]) / MINUTE
    step = np.repeat([1, -1], len(duties))
    order = np.argsort(changes, kind="stable")
    manned = np.cumsum(step[order])[:-1] > 0
    upto = np.concatenate([[0.0], np.cumsum(np.where(manned, np.diff(changes[order]), 0))])
    return np.interp(at, changes[order], upto)


def most_like_the_example(run: servsim.Run) -> int:
    """The online fault report nearest to: in at 10:15, pushed after 85 min, repaired after 8 h."""
    found = waits(run)
    found = found[(found.channel == "online") & found.case_class.isin(["fault", "urgent_fault"])]
    time_of_day = found.arrived % (24 * HOUR / MINUTE)
    off = (time_of_day - 615).abs() + (found["dispatch delay"] - 85).abs() + (found.took - 480).abs()
    return int(off.idxmin())


if __name__ == "__main__":
    raise SystemExit(main())
