"""What theory says can only help, or only hurt, does so for every single case, not only on average.

Two scenarios share all draws that they have in common, so that each case is compared with itself. Where theory promises
nothing, nothing is tested: the last tests show that more can be worse (Graham's anomalies).

Sources: Kiefer and Wolfowitz (1955) for the workload vector of G/G/c, first come, first served, which grows with each
of its entries, with each work, and with each gap that is left out; Müller and Stoyan, "Comparison Methods for
Stochastic Models and Risks" (2002), chapter 6; Baccelli, Cohen, Olsder and Quadrat, "Synchronization and Linearity"
(1992), for queues in a row; Schrage (1968) for least remaining work; Graham (1969) for the anomalies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from conftest import MORE
from flows import processes
from hypothesis import given, note, settings
from hypothesis import strategies as st
from worlds import Case, Do, Person, Team, World, mapping

from servsim import prepare
from servsim.engines import Engine
from servsim.model import Scenario
from servsim.quantities import MINUTE
from servsim.records import Run, Workload
from servsim.simulate import simulate

Change = Callable[[dict[str, Any]], None]
LATER = 2**62
seeds = st.integers(1, 10_000)
few = settings(max_examples=round(25 * MORE))


@st.composite
def durations(draw: st.DrawFn, mean: int) -> dict[str, Any]:
    """Constant, or with little, usual or much variation; whole minutes, rich in ties, among them."""
    kind = draw(st.sampled_from(["constant", "gamma", "exponential", "lognormal", "empirical"]))
    if kind == "constant":
        return {"kind": kind, "value": f"{mean} min"}
    if kind == "empirical":
        return {"kind": kind, "values": [f"{k * mean // 5} min" for k in (2, 4, 6, 8)]}
    cv = {} if kind == "exponential" else {"cv": draw(st.sampled_from([0.3, 1.0, 2.0]))}
    return {"kind": kind, "mean": f"{mean} min", **cv}


@st.composite
def desks(draw: st.DrawFn) -> dict[str, Any]:
    """A single queue, first come, first served, with one to three workers alike; two sources of demand."""
    config = mapping(
        clock={"start": "2026-03-02", "horizon": "10 h"},
        shifts={"always": {"days": "all", "hours": "01:00-24:00"}},
        staffing={"desk": {"always": draw(st.integers(1, 3))}},
        demand={
            "calls": {"case_class": "ordinary", "arrivals": {"kind": "renewal", "gap": draw(durations(5))}},
            "mails": {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "4/h"}},
        },
    )
    config["processes"]["p"]["steps"]["serve"]["time"] = draw(durations(10))
    return config


def ran(config: dict[str, Any], seed: int, **changes: Any) -> Run:
    """The run of the configuration with other values at these paths (dots are written as two underscores)."""
    made = copied(config)
    for path, value in changes.items():
        part, names = made, path.split("__")
        for name in names[:-1]:
            part = part.setdefault(name, {})
        part[names[-1]] = value
    note(str(made))
    return simulate(Scenario.model_validate(made), seed)


def copied(part: Any) -> Any:
    return {name: copied(value) for name, value in part.items()} if isinstance(part, dict) else part


def begun(run: Run, source: str | None = None) -> dict[tuple[int, int], int]:
    """By (source, place in it): when the case's work began; those that nobody has begun come last of all."""
    work, seen, found = run.workload, dict.fromkeys(range(len(run.workload.sources)), 0), {}
    for case, of in enumerate(work.source.tolist()):
        at = int(run.log.started_at[work.first_item[case]])
        if source in (None, work.sources[of]):
            found[work.sources[of], seen[of]] = at if at >= 0 else LATER
        seen[of] += 1
    return found


def assert_never_later(better: dict[Any, int], worse: dict[Any, int]) -> None:
    assert better.keys() >= worse.keys()
    later = {case: (better[case] / MINUTE, at / MINUTE) for case, at in worse.items() if better[case] > at}
    assert not later, f"later than before: {later}"
    assert better or not worse


# ------------------------------------------------------------------ one queue, first come, first served


@few
@given(config=desks(), seed=seeds)
def test_one_more_worker_lets_nobody_wait_longer(config: dict[str, Any], seed: int) -> None:
    """Another entry of the workload vector: its least one is never larger."""
    n = config["staffing"]["desk"]["always"]
    assert_never_later(begun(ran(config, seed, staffing__desk__always=n + 1)), begun(ran(config, seed)))


@few
@given(config=desks(), seed=seeds, pace=st.integers(101, 300))
def test_a_faster_pace_lets_nobody_wait_longer(config: dict[str, Any], seed: int, pace: int) -> None:
    """Each work is shorter, and the vector grows with each of them. Rounding to the tick keeps the order."""
    quick = {"department": "office", "skills": {"desk": {"pace": pace}}}
    slow, fast = ran(config, seed), ran(config, seed, pools__desk=quick)
    assert_never_later(begun(fast), begun(slow))
    done = [np.where(run.log.completed_at >= 0, run.log.completed_at, LATER) for run in (fast, slow)]
    assert (done[0] <= done[1]).all()


@few
@given(config=desks(), seed=seeds, hour=st.integers(0, 59))
def test_an_earlier_shift_lets_nobody_wait_longer(config: dict[str, Any], seed: int, hour: int) -> None:
    """The vector begins with the time until the workers come."""
    early = {"days": "all", "hours": f"00:{hour:02d}-24:00"}
    assert_never_later(begun(ran(config, seed, shifts__always=early)), begun(ran(config, seed)))


@few
@given(config=desks(), seed=seeds, minutes=st.integers(0, 14))
def test_a_shorter_dispatch_delay_lets_nobody_begin_later(config: dict[str, Any], seed: int, minutes: int) -> None:
    """The same gaps, all of them moved: who comes so much earlier finds a vector larger by no more than that."""
    slow, quick = (ran(config, seed, dispatch={"delay": f"{delay} min"}) for delay in (15, minutes))
    assert_never_later(begun(quick), begun(slow))


@few
@given(config=desks(), seed=seeds)
def test_without_a_source_of_demand_nobody_else_waits_longer(config: dict[str, Any], seed: int) -> None:
    """Who does not come is one whose work is zero."""
    alone = {"calls": config["demand"]["calls"]}
    assert_never_later(begun(ran(config, seed, demand=alone)), begun(ran(config, seed), "calls"))


@few
@given(config=desks(), seed=seeds, share=st.floats(0.1, 0.9))
def test_what_a_bot_solves_lets_nobody_else_wait_longer(config: dict[str, Any], seed: int, share: float) -> None:
    few_left = ran(config, seed, case_classes__ordinary__bot={"share": share, "time": "0 s"})
    solved = {case for case, (at, one) in enumerate(zip(*_first(few_left), strict=True)) if one < 0 <= at}
    before, after = (_first(run)[0] for run in (ran(config, seed), few_left))
    assert all(b >= a for case, (a, b) in enumerate(zip(after, before, strict=True)) if case not in solved)
    assert share < 0.3 or solved or len(before) < 20


def _first(run: Run) -> tuple[list[int], list[int]]:
    """[cases] when the first item was begun, and its skill."""
    items = run.workload.first_item[:-1]
    at = run.log.started_at[items]
    return np.where(at >= 0, at, LATER).tolist(), run.workload.skill[items].tolist()


@few
@given(config=desks(), seed=seeds, minutes=st.integers(1, 60))
def test_where_others_give_up_nobody_waits_longer(config: dict[str, Any], seed: int, minutes: int) -> None:
    """Against endless patience: who gives up is one whose work is zero (Baccelli, Boyer and Hebuterne 1984). Nothing of
    the kind holds between two finite patiences."""
    patience = {"kind": "exponential", "mean": f"{minutes} min"}
    hurried = ran(config, seed, case_classes__ordinary__patience=patience)
    served = {case: at for case, at in begun(hurried).items() if at < LATER}
    patient = begun(ran(config, seed))
    assert_never_later(served, {case: patient[case] for case in served})


# ------------------------------------------------------------------ queues in a row


def row(config: dict[str, Any], n: int) -> dict[str, Any]:
    """The desk, and n more behind it, one worker each."""
    made = copied(config)
    made["staffing"]["desk"]["always"] = 1
    for k in range(n):
        made["pools"][f"d{k}"] = {"department": "office"}
        made["staffing"][f"d{k}"] = {"always": 1}
        step = {"kind": "task", "skill": f"d{k}", "time": "9 min", "next": f"s{k + 1}" if k + 1 < n else "end"}
        made["processes"]["p"]["steps"][f"s{k}"] = step
    made["processes"]["p"]["steps"]["serve"]["next"] = "s0"
    return made


@few
@given(config=desks(), seed=seeds, step=st.sampled_from(["serve", "s0", "s1"]))
def test_a_step_left_out_of_a_row_lets_no_case_leave_later(config: dict[str, Any], seed: int, step: str) -> None:
    """Completions are maxima of sums of work (max-plus linear), and grow with each work. One worker at each step, so
    that nobody overtakes."""
    long = row(config, 2)
    skip = {"leaner": {"kind": "skip", "process": "p", "step": step}}
    left = [ran(long, seed, **changes).log.left_at for changes in ({"edits": skip}, {})]
    left = [np.where(at >= 0, at, LATER) for at in left]
    assert (left[0] <= left[1]).all()
    assert (left[0] < left[1]).any() or not len(left[0])


# ------------------------------------------------------------------ what there is to do


@settings(max_examples=round(60 * MORE))
@given(flow=processes(), seed=seeds, data=st.data())
def test_a_step_left_out_never_adds_work(flow: dict[str, Any], seed: int, data: st.DataObject) -> None:
    """Of a step that only leads on, nobody's work grows, and what is left is the same. (Without a step that rejects, or
    from which some go elsewhere, others have more to do.)"""
    steps = flow["p"]["steps"]
    ahead = {name: step["next"] for name, step in steps.items() if step["kind"] in ("task", "delay")}
    plain = [name for name, following in ahead.items() if isinstance(following, str)]
    inner = [name for name in plain if len(steps) > 1 and not steps[name]["next"].startswith("j")]
    joins = {branch for step in steps.values() for branch in step.get("branches", ())}
    inner = [name for name in inner if name not in joins]
    if not inner:
        return
    edits = {"go": {"kind": "skip", "process": "p", "step": data.draw(st.sampled_from(inner))}}
    config = mapping(processes=flow, clock={"start": "2026-03-02", "horizon": "6 h"})
    note(f"{flow} {edits}")
    before, after = (work_of(prepared({**config, **more}, seed)) for more in ({}, {"edits": edits}))
    assert after.keys() == before.keys()
    assert all(work <= before[case] for case, work in after.items())


def prepared(config: dict[str, Any], seed: int) -> Workload:
    return prepare.workload(Scenario.model_validate(config), seed, 0)


def work_of(work: Workload) -> dict[int, int]:
    """By case: the work of all its items."""
    return dict(enumerate(np.add.reduceat(work.work, work.first_item[:-1]).tolist() if work.n_cases else []))


# ------------------------------------------------------------------ the order of work


@few
@given(config=desks(), seed=seeds, rule=st.sampled_from(["fcfs", "lcfs", "sjf", "random", "least_remaining"]))
def test_least_remaining_work_is_unbeaten_at_every_moment(config: dict[str, Any], seed: int, rule: str) -> None:
    """With one worker who may be interrupted, never more cases are there than under any other rule (Schrage 1968)."""
    srpt = {"rule": "least_remaining", "preempt": "resume"}
    fewest, others = (
        ran(config, seed, staffing__desk__always=1, shifts__always={"days": "all", "hours": "00:00-24:00"}, dispatch=d)
        for d in (srpt, {"rule": rule})
    )
    done = [np.sort(run.log.left_at[run.log.left_at >= 0]) for run in (fewest, others)]
    n = len(done[1])
    assert len(done[0]) >= n
    assert (done[0][:n] <= done[1]).all()


@few
@given(config=desks(), seed=seeds)
def test_who_goes_first_does_not_notice_the_others(config: dict[str, Any], seed: int) -> None:
    """Under preemptive priority, one worker: the first class has the desk to itself, to the tick."""
    config = copied(config)
    config["case_classes"]["later"] = {"process": "p", "priority": 2}
    config["case_classes"]["ordinary"]["priority"] = 1
    config["demand"]["mails"]["case_class"] = "later"
    dispatch = {"rule": "priority", "preempt": "resume"}
    together = ran(config, seed, staffing__desk__always=1, dispatch=dispatch)
    alone = ran(config, seed, staffing__desk__always=1, dispatch=dispatch, demand={"calls": config["demand"]["calls"]})
    assert begun(together, "calls") == begun(alone)
    calls = together.workload.source == together.workload.sources.index("calls")
    assert together.log.left_at[calls].tolist() == alone.log.left_at.tolist()


# ------------------------------------------------------------------ where more is worse

NEEDS = {1: (9,), 4: (5, 6, 7, 8)}
TIMES = (3, 2, 2, 2, 4, 4, 4, 4, 9)


def graham(workers: int, shorter: int = 0) -> World:
    """Nine tasks in the order of a list, the ninth after the first, the fifth to the eighth after the fourth."""

    def task(k: int) -> Do:
        return Do("desk", TIMES[k - 1] - shorter, rank=k, step=f"T{k}")

    after = {k: [task(k), tuple([task(n)] for n in then)] if len(then) > 1 else [task(k), task(then[0])]
             for k, then in NEEDS.items()}  # fmt: skip
    branches = tuple(after.get(k, [task(k)]) for k in (1, 2, 3, 4))
    people = {f"w{k}": Person("desk", [(0, 99)]) for k in range(workers)}
    return World({"desk": Team({"desk": 0})}, people, {"all": Case(0, [branches])}, until=99, unit=1)


def test_a_fourth_worker_can_make_everything_later(engine: Engine) -> None:
    """Graham (1969): with three the nine tasks take 12, with four 15. So "one more worker never hurts" holds where work
    stands in one line, and not where some of it waits for other work."""
    assert graham(3).run(engine).log.left_at.tolist() == [12]
    assert graham(4).run(engine).log.left_at.tolist() == [15]


def test_less_work_in_every_task_can_make_everything_later(engine: Engine) -> None:
    """Graham (1969): with three workers and one unit less in every task, 13 instead of 12."""
    assert graham(3, shorter=1).run(engine).log.left_at.tolist() == [13]
