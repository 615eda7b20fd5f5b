"""How many times as fast as the straightforward SimPy program? `python benchmarks/speed.py [w1 w2 …] [--rounds 3]`

Each round runs both programs on the same workload, one after the other, each in a process of its own; a ratio is taken
per round and the median printed. Counted are CPU seconds from the empty model to the log in columns: for servsim
preparing the workload, the clock, writing the event log to a file, and all KPIs; for the other program its data frame.
Not counted: the start of the interpreter and imports. Memory is the growth of the process's peak. Mean waits stand
beside each other: it must be the same work.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
WORKLOADS = ("w1", "w1flat", "w2", "w3")


def peak_bytes() -> int:
    """The process's peak of resident memory; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def by_servsim(workload: str, scale: float) -> dict[str, object]:
    import numpy as np
    import workloads

    from servsim.simulate import simulate

    scenario = (
        workloads.single_queue(round(1_000_000 * scale))
        if workload == "w2"
        else workloads.service_desk(8 * scale, flat=workload == "w1flat", shifts=workload == "w3")
    )
    simulate(workloads.service_desk(0.02)).kpis()  # imports
    before, started = peak_bytes(), time.process_time()
    run = simulate(scenario)
    run.kpis()
    with tempfile.TemporaryFile() as file:
        log = run.log
        np.savez(file, **{name: getattr(log, name) for name in log.__dataclass_fields__})
    seconds = time.process_time() - started
    waits = (log.started_at - log.enabled_at) / 60e6
    order = ["serve"] if workload == "w2" else ["intake", "work", "approve", "close"]
    step = [run.workload.steps.names.index(name) for name in order]
    return {
        "seconds": seconds,
        "steps": run.workload.n_items,
        "bytes": peak_bytes() - before,
        "waits": [float(waits[run.workload.step == s].mean()) for s in step],
    }


def by_simpy(workload: str, scale: float) -> dict[str, object]:
    import straightforward

    before, started = peak_bytes(), time.process_time()
    if workload == "w2":
        log = straightforward.single_queue(round(1_000_000 * scale))
    else:
        log = straightforward.service_desk(8 * scale, flat=workload == "w1flat", shifts=workload == "w3")
    seconds = time.process_time() - started
    waits = (log.started - log.enabled).groupby(log.step).mean().tolist()
    return {"seconds": seconds, "steps": len(log), "bytes": peak_bytes() - before, "waits": waits}


def measure(program: str, workload: str, scale: float) -> dict[str, object]:
    command = [sys.executable, str(HERE / "speed.py"), "--one", program, workload, "--scale", str(scale)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compare(workload: str, rounds: int, scale: float) -> None:
    pairs = [(measure("simpy", workload, scale), measure("servsim", workload, scale)) for _ in range(rounds)]
    ratios = [(ours["steps"] / ours["seconds"]) / (other["steps"] / other["seconds"]) for other, ours in pairs]
    other, ours = pairs[-1]
    print(
        f"| {workload:6} | {ours['steps']:>9,} | {ours['steps'] / ours['seconds']:>9,.0f} | "
        f"{other['steps'] / other['seconds']:>9,.0f} | **{statistics.median(ratios):.1f} ×** "
        f"({min(ratios):.1f}–{max(ratios):.1f}) | {ours['bytes'] / ours['steps']:.0f} | "
        f"{_minutes(ours['waits'])} / {_minutes(other['waits'])} |",
        flush=True,
    )


def _minutes(waits: object) -> str:
    return ", ".join(f"{wait:.2f}" for wait in waits)  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", default=WORKLOADS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="1 = 100,000 cases (W2: a million)")
    parser.add_argument("--one", choices=["servsim", "simpy"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        program = by_servsim if args.one == "servsim" else by_simpy
        print(json.dumps(program(args.workloads[0], args.scale)))
        return
    print("| load | case-steps | servsim, case-steps per CPU second | straightforward SimPy | ratio (range) "
          "| bytes per case-step | mean waits in min: servsim / SimPy |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    for workload in args.workloads:
        compare(workload, args.rounds, args.scale)


if __name__ == "__main__":
    main()
