"""Which statements of models whose answer is a formula there are besides those on file: the same keys, other values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Json = dict[str, Any]
EXIT = [{"to": "exit", "probability": 1.0}]


def ways(**to: float) -> list[Json]:
    return [{"to": step, "probability": share} for step, share in to.items()]


def exponential(mean: float) -> Json:
    return {"dist": "exponential", "mean": mean}


def statement(
    case: str,
    classes: Sequence[Json],
    steps: Sequence[Json],
    teams: Sequence[Json],
    expected: Sequence[Json],
    **more: Any,
) -> Json:
    """A statement in the form of the files; a steady state unless `run` says otherwise."""
    run = more.pop("run", {"type": "steady_state", "warm_up": 50_000.0, "suggested_run_length": 1_000_000.0})
    model = {"classes": list(classes), "steps": list(steps), "teams": list(teams), "initial_state": "empty", **more}
    return {"id": case, "model": model, "run": run, "expected": list(expected)}


def expect(metric: str, value: float, **qualifiers: Any) -> Json:
    return {"metric": metric, "value": value, "abs_error": 1e-9, **qualifiers}


def poisson(rate: float, first: str = "desk", name: str = "case", **more: Any) -> Json:
    return {"name": name, "arrivals": {"process": "poisson", "rate": rate}, "first_step": first, **more}


def desk(time: Json, discipline: str = "fcfs", **more: Any) -> Json:
    step = {"name": "desk", "type": "service", "team": "T", "service_time": time, "discipline": discipline}
    return {**step, "next": EXIT, **more}


def one_queue(case: str, rate: float, time: Json, agents: int, expected: Sequence[Json], **step: Any) -> Json:
    return statement(case, [poisson(rate)], [desk(time, **step)], [{"name": "T", "agents": agents}], expected)


# ------------------------------------------------------------------ formulas


def erlang_b(load: float, c: int) -> float:
    b = 1.0
    for k in range(1, c + 1):
        b = load * b / (k + load * b)
    return b


def erlang_c(load: float, c: int) -> float:
    b = erlang_b(load, c)
    return b / (1 - load / c * (1 - b))


def birth_death(up: Sequence[float], down: Sequence[float]) -> Any:
    """Stationary probabilities of 0, 1, … from the rates up from each and down from the next."""
    p = np.cumprod(np.concatenate([[1.0], np.array(up) / np.array(down)]))
    return p / p.sum()


def moments(of: Json) -> tuple[float, float]:
    """First and second moment."""
    kind, mean = of["dist"], of.get("mean", of.get("value", 0.0))
    if kind == "discrete":
        m = [sum(p * v**k for p, v in zip(of["probabilities"], of["values"], strict=True)) for k in (1, 2)]
        return m[0], m[1]
    if kind == "hyperexponential":
        m = [sum(p * v**k for p, v in zip(of["probabilities"], of["means"], strict=True)) for k in (1, 2)]
        return m[0], 2 * m[1]
    if kind == "mixture":
        parts = [moments(part) for part in of["components"]]
        return tuple(sum(p * m[k] for p, m in zip(of["probabilities"], parts, strict=True)) for k in (0, 1))  # type: ignore[return-value]
    if kind == "uniform":
        low, high = of["low"], of["high"]
        return (low + high) / 2, (low * low + low * high + high * high) / 3
    scv = {"deterministic": 0.0, "exponential": 1.0}.get(kind, of["scv"] if "scv" in of else 1 / of.get("shape", 1))
    return mean, mean * mean * (1 + scv)


# ------------------------------------------------------------------ one queue


def many_servers() -> Iterator[Json]:
    """M/M/c, M/M/c/K, Erlang B and Erlang A with other numbers."""
    for c, rho in ((2, 0.5), (4, 0.85), (11, 0.8), (30, 0.9)):
        mean, rate = 7.0, c * rho / 7.0
        delay = erlang_c(c * rho, c)
        wait = delay * mean / (c * (1 - rho))
        within = 1 - delay * math.exp(-c * (1 - rho) * 3 / mean)
        values = [
            expect("mean_wait", wait),
            expect("prob_delay", delay),
            expect("prob_wait_le", within, threshold=3),
            expect("mean_queue_length", rate * wait),
            expect("mean_number_in_system", rate * (wait + mean)),
            expect("mean_busy_agents", c * rho),
            expect("utilisation", rho, team="T"),
            expect("throughput", rate),
        ]
        yield one_queue(f"mm{c}", rate, exponential(mean), c, values)
    for c, k in ((3, 2), (2, 7)):
        p = birth_death([0.5] * (c + k), [min(n, c) / 8 for n in range(1, c + k + 1)])
        n, queue = np.arange(c + k + 1), np.maximum(np.arange(c + k + 1) - c, 0)
        values = [
            expect("blocking_probability", p[-1]),
            expect("mean_wait", float(p @ queue / (0.5 * (1 - p[-1]))), population="accepted"),
            expect("mean_number_in_system", float(p @ n)),
            expect("throughput", 0.5 * (1 - p[-1])),
            *(expect("prob_number_in_system", p[m], number=m) for m in (0, c, c + k)),
            expect("prob_number_in_system_le", float(p[:3].sum()), number=2),
        ]
        yield one_queue(f"mm{c}_{k}", 0.5, exponential(8.0), c, values, waiting_places=k)
    for time in ({"dist": "uniform", "low": 2, "high": 18}, {"dist": "lognormal", "mean": 10, "scv": 1.3}):
        blocked = erlang_b(5.0, 6)
        yield one_queue(
            f"loss_{time['dist']}", 0.5, time, 6, [expect("blocking_probability", blocked)], waiting_places=0
        )


def impatient() -> Iterator[Json]:
    for c, rate, patience in ((3, 0.6, 4.0), (20, 2.2, 12.0)):
        top, mean = 400, 8.0
        down = [min(n, c) / mean + max(n - c, 0) / patience for n in range(1, top + 1)]
        p = birth_death([rate] * top, down)
        queue = float(p @ np.maximum(np.arange(top + 1) - c, 0))
        values = [
            expect("abandonment_probability", queue / patience / rate),
            expect("mean_wait", queue / rate, population="all"),
            expect("mean_queue_length", queue),
            expect("prob_delay", float(p[c:].sum())),
            expect("utilisation", float(p @ np.minimum(np.arange(top + 1), c)) / c),
        ]
        who = poisson(rate, patience=exponential(patience))
        yield statement(f"erlang_a{c}", [who], [desk(exponential(mean))], [{"name": "T", "agents": c}], values)


TIMES: list[Json] = [
    {"dist": "uniform", "low": 1, "high": 15},
    {"dist": "erlang", "shape": 3, "mean": 8},
    {"dist": "gamma", "shape": 0.5, "mean": 8},
    {"dist": "lognormal", "mean": 8, "scv": 0.7},
    {"dist": "hyperexponential", "probabilities": [0.8, 0.2], "means": [5, 20]},
    {"dist": "discrete", "values": [2, 8, 20], "probabilities": [0.4, 0.4, 0.2]},
    {"dist": "deterministic", "value": 8},
    {
        "dist": "mixture",
        "probabilities": [0.5, 0.5],
        "components": [{"dist": "deterministic", "value": 4}, exponential(12)],
    },
]


def one_server() -> Iterator[Json]:
    """M/G/1: the wait by Pollaczek and Khinchine, and the same mean under last come first served and in random order;
    the response of sharing and of preemptive last come first served knows only the mean."""
    for number, time in enumerate(TIMES):
        (mean, second), rho = moments(time), 0.7
        rate = rho / mean
        wait = rate * second / 2 / (1 - rho)
        response = mean / (1 - rho)
        yield one_queue(
            f"mg1_{number}", rate, time, 1, [expect("mean_wait", wait), expect("mean_response", wait + mean)]
        )
        if number in (1, 5):
            for rule in ("lcfs", "random"):
                yield one_queue(f"mg1_{rule}_{number}", rate, time, 1, [expect("mean_wait", wait)], discipline=rule)
        if number in (1, 3, 5):
            values = [expect("mean_response", response), expect("mean_number_in_system", rate * response)]
            rule = "lcfs_preemptive_resume"
            yield one_queue(f"mg1_{rule}_{number}", rate, time, 1, values, discipline=rule)
            by_size = [expect("mean_response", 8 / (1 - rho), service_time=8)] if number == 5 else []
            values = [*values, expect("prob_system_empty", 1 - rho), *by_size]
            yield one_queue(f"mg1_ps_{number}", rate, time, 1, values, discipline="processor_sharing")


def by_size() -> Iterator[Json]:
    """Shortest first among two sizes is two priorities."""
    values, shares, rate = (4.0, 16.0), (0.6, 0.4), 0.08
    small, all_work = rate * 0.6 * 4, rate * (0.6 * 4 + 0.4 * 16)
    rest = rate * (0.6 * 16 + 0.4 * 256) / 2
    waits = rest / (1 - small), rest / (1 - small) / (1 - all_work)
    time = {"dist": "discrete", "values": list(values), "probabilities": list(shares)}
    found = [expect("mean_wait", w, service_time=v) for w, v in zip(waits, values, strict=True)]
    yield one_queue("sjf_two_sizes", rate, time, 1, found, discipline="sjf")
    found = [expect("mean_wait", w, service_time_between=[low, high])
             for w, low, high in ((waits[0], 0, 10), (waits[1], 10, None))]  # fmt: skip
    yield one_queue("sjf_between", rate, time, 1, found, discipline="sjf")


def prioritised() -> Iterator[Json]:
    """Cobham: several classes with times of their own, without and with interruption."""
    times = [TIMES[1], TIMES[4], TIMES[5]]
    rates, work = [0.03, 0.03, 0.02], [moments(time) for time in times]
    order = [2, 0, 1]  # as written down; priority 1 is the first of rates
    loads = [rate * mean for rate, (mean, _) in zip(rates, work, strict=True)]
    rest = sum(rate * second for rate, (_, second) in zip(rates, work, strict=True)) / 2
    classes = [poisson(rates[k], name=f"class {k}", priority=k + 1) for k in order]
    by_class = {f"class {k}": times[k] for k in order}
    for rule in ("priority_nonpreemptive", "priority_preemptive_resume"):
        found = []
        for k in range(3):
            before, until = 1 - sum(loads[:k]), 1 - sum(loads[: k + 1])
            if rule == "priority_nonpreemptive":
                found.append(expect("mean_wait", rest / before / until, **{"class": f"class {k}"}))
                continue
            own = sum(rate * second for rate, (_, second) in list(zip(rates, work, strict=True))[: k + 1]) / 2
            response = work[k][0] / before + own / before / until
            found.append(expect("mean_response", response, **{"class": f"class {k}"}))
            found.append(expect("mean_total_wait", response - work[k][0], **{"class": f"class {k}"}))
        yield statement(rule, classes, [desk(by_class, rule)], [{"name": "T", "agents": 1}], found)


def accumulating() -> Iterator[Json]:
    """Three classes that collect points: Kleinrock's recursion, first the slowest."""
    rates, slopes, mean = [0.03, 0.03, 0.03], [4.0, 2.0, 1.0], 9.0
    loads = [rate * mean for rate in rates]
    rho, first = sum(loads), sum(rates) * mean * mean
    waits = [0.0, 0.0, 0.0]
    for k in (2, 1, 0):
        behind = sum(loads[i] * waits[i] * (1 - slopes[i] / slopes[k]) for i in range(k + 1, 3))
        ahead = sum(loads[i] * (1 - slopes[k] / slopes[i]) for i in range(k))
        waits[k] = (first / (1 - rho) - behind) / (1 - ahead)
    classes = [poisson(rates[k], name=f"c{k}", accumulation_rate=slopes[k]) for k in (1, 2, 0)]
    found = [expect("mean_wait", waits[k], **{"class": f"c{k}"}) for k in range(3)]
    yield statement(
        "points", classes, [desk(exponential(mean), "accumulating_priority")], [{"name": "T", "agents": 1}], found
    )


def sources() -> Iterator[Json]:
    """Batches, and a lattice of arrivals."""
    sizes = {"dist": "discrete", "values": [1, 2, 5], "probabilities": [0.5, 0.3, 0.2]}
    mean, rate = 4.0, 0.06
    n, nn = moments(sizes)
    rho = rate * n * mean
    # M[X]/M/1: wait of a case
    wait = rho * mean / (1 - rho) + mean * (nn - n) / (2 * n * (1 - rho))
    who = {"name": "case", "arrivals": {"process": "batch_poisson", "batch_rate": rate, "batch_size": sizes}}
    values = [expect("mean_wait", wait), expect("utilisation", rho), expect("throughput", rate * n)]
    yield statement("batches", [who], [desk(exponential(mean))], [{"name": "T", "agents": 1}], values)
    gap = {"dist": "erlang", "shape": 2, "mean": 10.0}
    root = 0.5
    for _ in range(200):  # sigma = LT of the gap at mu(1 - sigma)
        root = (0.2 / (0.2 + (1 - root) / 7)) ** 2
    who = {"name": "case", "arrivals": {"process": "renewal", "interarrival": gap}, "first_step": "desk"}
    values = [expect("mean_wait", 7 * root / (1 - root)), expect("prob_delay", root)]
    yield statement("e2m1", [who], [desk(exponential(7.0))], [{"name": "T", "agents": 1}], values)


# ------------------------------------------------------------------ several steps


def networks() -> Iterator[Json]:
    """Jackson with a way back, a tandem of three, a closed one by mean value analysis, two classes that go round."""
    steps = [
        {**desk(exponential(4.0)), "name": "a", "team": "A", "next": ways(b=0.7, exit=0.3)},
        {**desk(exponential(12.0)), "name": "b", "team": "B", "next": ways(a=0.2, c=0.8)},
        {"name": "c", "type": "delay", "duration": {"dist": "uniform", "low": 10, "high": 50}, "next": EXIT},
    ]  # fmt: skip
    a = 0.12 / (1 - 0.14)
    flows = {"a": a, "b": 0.7 * a, "c": 0.56 * a}
    numbers = {"a": a * 4 / (1 - a * 4), "b": 0.0, "c": 0.56 * a * 30}
    load = 0.7 * a * 12
    numbers["b"] = load + erlang_c(load, 2) * (load / 2) / (1 - load / 2)
    values = [expect("throughput", flow, step=step) for step, flow in flows.items()]
    values += [expect("mean_number_in_system", n, step=step) for step, n in numbers.items()]
    values += [expect("mean_response", sum(numbers.values()) / 0.12), expect("mean_visits", a / 0.12, step="a")]
    values += [
        expect("mean_wait", (numbers["b"] - load) / flows["b"], step="b"),
        expect("utilisation", load / 2, step="b"),
    ]
    teams = [{"name": "B", "agents": 2}, {"name": "A", "agents": 1}]
    yield statement("jackson", [poisson(0.12, "a")], steps, teams, values)
    yield closed(6, [("x", 3.0, 1), ("y", 5.0, 1)], think=None)
    yield closed(9, [("x", 6.0, 2), ("y", 4.0, 1)], think=20.0)


def closed(n: int, stations: list[tuple[str, float, int]], think: float | None) -> Json:
    """A cycle of stations, by the normalising constants of the product form."""
    factors = []
    for _, mean, agents in stations:
        f = [1.0]
        for k in range(1, n + 1):
            f.append(f[-1] * mean / min(k, agents))
        factors.append(f)
    if think is not None:
        factors.append([think**k / math.factorial(k) for k in range(n + 1)])

    def constant(parts: list[list[float]]) -> list[float]:
        g = [1.0] + [0.0] * n
        for f in parts:
            g = [sum(f[j] * g[k - j] for j in range(k + 1)) for k in range(n + 1)]
        return g

    g = constant(factors)
    names = [name for name, *_ in stations] + (["away"] if think is not None else [])
    steps: list[Json] = []
    for i, (name, mean, _) in enumerate(stations):
        onward = names[(i + 1) % len(names)]
        steps.append(
            {**desk(exponential(mean)), "name": name, "team": name, "next": [{"to": onward, "probability": 1}]}
        )
    if think is not None:
        steps.append(
            {
                "name": "away",
                "type": "delay",
                "duration": exponential(think),
                "next": [{"to": names[0], "probability": 1}],
            }
        )
    rate = g[n - 1] / g[n]
    values = [expect("throughput", rate, step=name) for name in names]
    for i, name in enumerate(names):
        rest = constant([f for k, f in enumerate(factors) if k != i])
        values.append(
            expect(
                "mean_number_in_system", sum(k * factors[i][k] * rest[n - k] for k in range(n + 1)) / g[n], step=name
            )
        )
    teams = [{"name": name, "agents": agents} for name, _, agents in stations]
    who = {"name": "case", "arrivals": {"process": "closed"}, "first_step": names[-1]}
    run = {"type": "steady_state", "warm_up": 500.0, "suggested_run_length": 100_000.0}
    return statement(
        f"closed_{n}", [who], steps, teams, values, closed_population=n, initial_state={names[-1]: n}, run=run
    )


def two_who_go_round() -> Iterator[Json]:
    """Two classes of members and one clerk, all alike but for how often they come: a chain over (x, y) waiting."""
    n, away, mean = (3, 2), (20.0, 60.0), 5.0
    states = [(x, y) for x in range(n[0] + 1) for y in range(n[1] + 1)]
    at = {state: i for i, state in enumerate(states)}
    q = np.zeros((len(states), len(states)))
    for (x, y), i in at.items():
        for rate, to in (((n[0] - x) / away[0], (x + 1, y)), ((n[1] - y) / away[1], (x, y + 1))):
            if to in at:
                q[i, at[to]] += rate
        if x + y:  # in random order
            for rate, to in ((x / (x + y) / mean, (x - 1, y)), (y / (x + y) / mean, (x, y - 1))):
                if rate:
                    q[i, at[to]] += rate
    q -= np.diag(q.sum(axis=1))
    p = np.linalg.lstsq(np.vstack([q.T, np.ones(len(states))]), np.append(np.zeros(len(states)), 1.0), rcond=None)[0]
    steps = [
        {"name": "away", "type": "delay", "duration": {"often": exponential(away[0]), "seldom": exponential(away[1])},
         "next": [{"to": "desk", "probability": 1}]},
        desk(exponential(mean), "random", next=[{"to": "away", "probability": 1}]),
    ]  # fmt: skip
    classes = [{"name": kind, "arrivals": {"process": "closed"}, "first_step": "away"} for kind in ("often", "seldom")]
    values = [
        expect(
            "mean_number_in_system", float(sum(p[i] * x for (x, _), i in at.items())), step="desk", **{"class": "often"}
        ),
        expect(
            "mean_number_in_system",
            float(sum(p[i] * y for (_, y), i in at.items())),
            step="desk",
            **{"class": "seldom"},
        ),
        expect("utilisation", 1 - float(p[at[(0, 0)]]), step="desk"),
    ]
    run = {"type": "steady_state", "warm_up": 1_000.0, "suggested_run_length": 200_000.0}
    population = {"often": 3, "seldom": 2}
    yield statement(
        "two_go_round", classes, steps, [{"name": "T", "agents": 1}], values, closed_population=population, run=run
    )


def attempts() -> Iterator[Json]:
    """Ways that depend on how often a case has come: back with 60 % after the first visit, 20 % after the second."""
    ways = {"1": [{"to": "fix", "probability": 0.6}, {"to": "exit", "probability": 0.4}],
            "2": [{"to": "fix", "probability": 0.2}, {"to": "exit", "probability": 0.8}], "3": EXIT}  # fmt: skip
    fix = {"name": "fix", "type": "delay", "duration": exponential(30.0), "next": [{"to": "check", "probability": 1.0}]}
    for case, given in (("attempts_by_number", ways), ("attempts_in_turn", list(ways.values()))):
        check = {"name": "check", "type": "delay", "duration": exponential(10.0), "next_by_attempt": given}
        values = [
            expect("mean_visits", 1.72, step="check"),
            expect("mean_visits", 0.72, step="fix"),
            expect("mean_response", 17.2 + 21.6),
            expect("prob_no_return", 0.4),
        ]
        yield statement(case, [poisson(0.1, "check")], [check, fix], [], values)


def forks() -> Iterator[Json]:
    """Four parallel exponential reviews: the last of them; and a step after they have met."""
    mean = 40.0
    branches = [{"name": f"r{k}", "type": "delay", "duration": exponential(mean), "next": ways(join=1)}
                for k in range(4)]  # fmt: skip
    steps = [
        {"name": "join", "type": "join", "next": [{"to": "sign", "probability": 1}]},
        {"name": "sign", "type": "delay", "duration": {"dist": "deterministic", "value": 5}},
        *branches,
        {"name": "fork", "type": "fork", "branches": [b["name"] for b in branches], "join": "join"},
    ]
    longest = mean * (1 + 1 / 2 + 1 / 3 + 1 / 4)
    values = [expect("mean_response", longest + 5), expect("mean_join_delay", longest - mean)]
    yield statement("four_reviews", [poisson(0.05, "fork")], steps, [], values)


# ------------------------------------------------------------------ trying again, moving on


def again() -> Iterator[Json]:
    """A busy line and people who give up: some try again, as a chain over (in the system, in orbit) has it."""
    yield retrials("redial", blocked=True)
    yield retrials("call_again", blocked=False)


def retrials(case: str, blocked: bool) -> Json:
    rate, mean, back, share, patience, c = 0.15, 8.0, 25.0, 0.6, 10.0, 2
    top, orbit = (c if blocked else 25), 25
    at = {(n, m): n * (orbit + 1) + m for n in range(top + 1) for m in range(orbit + 1)}
    q = np.zeros((len(at), len(at)))
    for (n, m), i in at.items():
        flows = [(min(n, c) / mean, (n - 1, m)), (m / back, (n + 1, m - 1)), (rate, (n + 1, m))]
        if blocked and n == c:
            flows = [(c / mean, (n - 1, m)), (rate * share, (n, m + 1)), (m / back * (1 - share), (n, m - 1))]
        elif not blocked and n > c:
            gone = (n - c) / patience
            flows += [(gone * share, (n - 1, m + 1)), (gone * (1 - share), (n - 1, m))]
        for flow, to in flows:
            if flow and to in at:
                q[i, at[to]] += flow
    q -= np.diag(q.sum(axis=1))
    p = np.linalg.lstsq(np.vstack([q.T, np.ones(len(at))]), np.append(np.zeros(len(at)), 1.0), rcond=None)[0]
    tries = rate + sum(p[i] * m / back for (_, m), i in at.items())
    if blocked:
        failed = sum(p[i] * (rate + m / back) for (n, m), i in at.items() if n == c)
    else:
        failed = sum(p[i] * max(n - c, 0) / patience for (n, _), i in at.items())
    values = [
        expect("mean_number_in_orbit", float(sum(p[i] * m for (_, m), i in at.items()))),
        expect("utilisation", float(sum(p[i] * min(n, c) for (n, _), i in at.items())) / c),
        expect("mean_attempts", tries / rate),
        expect("share_finally_lost", failed * (1 - share) / rate),
        expect("blocking_probability" if blocked else "abandonment_probability", failed / tries),
    ]
    return_to = {"retry_after": exponential(back), "probability": share}
    key = {"if_blocked": return_to} if blocked else {"if_abandoned": return_to, "patience": exponential(patience)}
    step = desk(exponential(mean), **({"waiting_places": 0} if blocked else {}))
    return statement(case, [poisson(rate, **key)], [step], [{"name": "T", "agents": c}], values)


def escalated_twice() -> Iterator[Json]:
    """The first two lines are down for good: after exactly 10 and 20 more minutes everything is at the third."""
    lines = [
        {**desk(exponential(5.0)), "name": "one", "team": "A", "escalate": {"after_waiting": 10, "to": "two"}},
        {**desk(exponential(5.0)), "name": "two", "team": "B",
         "escalate": {"after_waiting": {"dist": "deterministic", "value": 20}, "to": "three"}},
        {**desk(exponential(5.0)), "name": "three", "team": "C"},
    ]  # fmt: skip
    teams = [{"name": "A", "agents": 1}, {"name": "B", "agents": 1}, {"name": "C", "agents": 1}]
    never = {"uptime": {"dist": "deterministic", "value": 0.001}, "downtime": {"dist": "deterministic", "value": 1e9}}
    down = [{"scope": "team", "team": team, **never} for team in "AB"]
    rho = 0.6
    values = [
        expect("mean_wait", 10, step="one", population="all"),
        expect("mean_wait", 20, step="two", population="all"),
        expect("mean_wait", rho * 5 / (1 - rho), step="three"),
        expect("share_escalated", 1.0),
        expect("mean_response", 30 + 5 / (1 - rho)),
        expect("mean_number_in_system", 0.12 * 20, step="two"),
    ]
    yield statement("twice", [poisson(0.12, "one")], lines, teams, values, outages=down)


# ------------------------------------------------------------------ outages


def outages() -> Iterator[Json]:
    """Who breaks down is as slow as they are seldom up: M/M/1 with an M/M/1-like completion time."""
    up, down, rate, mean = 50.0, 12.0, 0.06, 8.0
    values = [expect("availability", up / (up + down))]
    # failures while busy, resume: completion = work + repairs; P-K with its moments
    first = mean * (1 + down / up)
    second = 2 * mean**2 * (1 + down / up) ** 2 + mean / up * 2 * down**2
    wait = rate * second / 2 / (1 - rate * first)
    values = [expect("mean_completion_time", first), expect("mean_wait", wait)]
    of = {"scope": "agent", "uptime": exponential(up), "downtime": exponential(down), "clock_runs": "while_busy"}
    yield statement(
        "breaks_down", [poisson(rate)], [desk(exponential(mean))], [{"name": "T", "agents": 1}], values, outages=[of]
    )
    # the same work from scratch: work x takes (e^{x/up} - 1)(up + down)
    x = 8.0
    first = (math.exp(x / up) - 1) * (up + down)
    time = {"dist": "deterministic", "value": x}
    of = {**of, "scope": "team", "effect_on_work": "preempt_repeat_identical"}
    yield statement("from_scratch", [poisson(rate)], [desk(time)], [{"name": "T", "agents": 1}],
                    [expect("mean_completion_time", first)], outages=[of])  # fmt: skip
    of = {"scope": "agent", "uptime": exponential(up), "downtime": exponential(down), "clock_runs": "always"}
    yield statement("workplaces", [], [], [{"name": "t", "agents": 3}],
                    [expect("availability", up / (up + down)), expect("failure_rate", 1 / (up + down)),
                     expect("prob_up", (up + down * math.exp(-20 * (1 / up + 1 / down))) / (up + down), at=20)],
                    outages=[of])  # fmt: skip


# ------------------------------------------------------------------ days


def days() -> Iterator[Json]:
    """Rates that change by the minute, busy days, queues that are there at the start."""
    rates = [{"from": 480, "to": 485, "rate": 4.0}, {"from": 485, "to": 547, "rate": 0.5}]
    delay = {"name": "wait", "type": "delay", "duration": {"dist": "deterministic", "value": 30}}
    who = {"name": "case", "arrivals": {"process": "poisson", "rate_by_interval": rates, "cycle": None}}
    run = {"type": "terminating", "start": 480, "arrivals_stop": 547, "end": "when_empty"}
    values = [
        expect("mean_arrivals", 20.0, interval=[480, 485]),
        expect("variance_arrivals", 20.0, interval=[480, 485]),
        expect("expected_number_in_system", 22.5, at=490),
        expect("variance_number_in_system", 22.5, at=490),
        expect("expected_number_in_system", 15.0, at=540),
        expect("mean_response", 30.0),
    ]
    yield statement("by_the_minute", [who], [delay], [], values, run=run)
    busy = {"dist": "gamma", "mean": 1.0, "shape": 4}
    two = {"dist": "discrete", "values": [0.5, 2.0], "probabilities": [2 / 3, 1 / 3]}
    for case, factor, variance in (("busy_days", busy, 0.25), ("two_kinds_of_day", two, 0.5)):
        who = {"name": "case", "first_step": "wait",
               "arrivals": {"process": "poisson", "rate_by_interval": rates,
                            "daily_busyness_factor": factor}}  # fmt: skip
        values = [
            expect("mean_arrivals", 51.0, interval=[480, 547]),
            expect("variance_arrivals", 51.0 + variance * 51**2, interval=[480, 547]),
            expect("variance_arrivals", 20.0 + variance * 20**2, interval=[480, 485]),
        ]
        yield statement(case, [who], [delay], [], values, run=run)
    yield drained()


def drained() -> Json:
    """Six and three are there at the start and nobody comes: pure deaths at rate min(n, 2) / 10."""
    from scipy.linalg import expm

    q = np.zeros((7, 7))
    for n in range(1, 7):
        q[n, n - 1], q[n, n] = min(n, 2) / 10, -min(n, 2) / 10
    values = [expect("expected_number_in_system", 6.0, at=60, step="desk")]
    for t in (5, 20, 45):
        p = expm(q * t)[6]
        values.append(expect("expected_number_in_system", float(p @ np.arange(7)), at=60 + t, step="desk"))
        values.append(
            expect("expected_queue_length", float(p @ np.maximum(np.arange(7) - 2, 0)), at=60 + t, step="desk")
        )
        values.append(expect("prob_agent_idle", float(p[:2].sum()), at=60 + t, step="desk"))
        values.append(expect("expected_number_in_system", 3 * math.exp(-t / 30), at=60 + t, step="home"))
    steps = [desk(exponential(10.0)), {"name": "home", "type": "delay", "duration": exponential(30.0)}]
    who = {"name": "case", "arrivals": {"process": "poisson", "rate": 1e-6}, "first_step": "desk"}
    run = {"type": "terminating", "start": 60, "arrivals_stop": 120, "end": 120}
    there = {"desk": 6, "home": 3}
    return statement("drained", [who], steps, [{"name": "T", "agents": 2}], values, initial_state=there, run=run)


def agendas() -> Iterator[Json]:
    """A meeting every 90 minutes from minute 15 on, with a deadline 20 minutes before: waits of 20 to 110 minutes."""
    every, first, deadline, rate = 90.0, 15.0, 20.0, 0.06
    epochs = {"every": every, "first": first}
    step = {"name": "board", "type": "meeting", "epochs": epochs, "capacity": None, "next": EXIT}
    values = [
        expect("mean_wait", deadline + every / 2),
        expect("variance_wait", every**2 / 12),
        expect("prob_wait_le", 4 / 9, threshold=60),
        expect("mean_batch_size", rate * every),
        expect("mean_left_after_meeting", rate * deadline),
        expect("prob_nothing_left", math.exp(-rate * deadline)),
    ]
    who = [poisson(rate, "board")]
    yield statement("agenda", who, [{**step, "submission_deadline_before": deadline}], [], values)


ALL = (many_servers, impatient, one_server, by_size, prioritised, accumulating, sources, networks, two_who_go_round,
       attempts, forks, again, escalated_twice, outages, days, agendas)  # fmt: skip


def all_of_them() -> Mapping[str, Json]:
    return {case["id"]: case for make in ALL for case in make()}
