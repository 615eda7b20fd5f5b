"""W1, W1flat, W2 and W3 as one writes them in SimPy at first: the program that servsim's speed is compared with.

PriorityResource, one process per case, every random number drawn when it is needed, one tuple per case-step, a data
frame at the end. Shifts (W3) by the usual work-around: SimPy's resources cannot change their capacity, so `_capacity`
is written.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import numpy as np
import pandas as pd
import simpy
from workloads import CASES_PER_WEEK, SHIFT_TEAMS, TEAMS, hourly_weights

MEAN = (10.0, 30.0, 5.0, 4.0)
SIGMA = math.sqrt(math.log(2.0))
MU = tuple(math.log(mean) - SIGMA**2 / 2 for mean in MEAN)
FRONT, SPECIALIST, APPROVAL, CLOSE = range(4)
COLUMNS = ["case", "class", "step", "enabled", "started", "completed"]


def rates_by_hour(flat: bool) -> np.ndarray:
    """Arrivals per minute in each hour of the week."""
    weekday, weekend = hourly_weights()
    weights = np.array(weekday * 5 + weekend * 2)
    rates = weights / weights.sum() * CASES_PER_WEEK / 60
    return np.full(168, rates.mean()) if flat else rates


def work(env: Any, desk: Any, case: int, kind: int, step: int, rng: Any, log: list[Any]) -> Generator[Any, Any, None]:
    enabled = env.now
    with desk.request(priority=kind) as request:
        yield request
        started = env.now
        yield env.timeout(rng.lognormal(MU[step], SIGMA))
        log.append((case, kind, step, enabled, started, env.now))


def case(env: Any, number: int, kind: int, desks: Any, rng: Any, log: list[Any]) -> Generator[Any, Any, None]:
    front, specialists, managers = desks
    yield from work(env, front, number, kind, FRONT, rng, log)
    while True:
        yield from work(env, specialists, number, kind, SPECIALIST, rng, log)
        if rng.random() < 0.1:
            break
        yield from work(env, managers, number, kind, APPROVAL, rng, log)
        if rng.random() >= 0.15:
            break
    yield from work(env, front, number, kind, CLOSE, rng, log)


def arrivals(env: Any, desks: Any, rates: Any, end: float, rng: Any, log: list[Any]) -> Generator[Any, Any, None]:
    top, number = rates.max(), 0
    while True:
        yield env.timeout(rng.exponential(1.0 / top))
        if env.now >= end:
            return
        if rng.random() < rates[int(env.now // 60) % 168] / top:
            u = rng.random()
            env.process(case(env, number, 0 if u < 0.1 else 1 if u < 0.4 else 2, desks, rng, log))
            number += 1


def shift_manager(env: Any, desks: Any) -> Generator[Any, Any, None]:
    shift = 0
    while True:
        for desk, counts in zip(desks, SHIFT_TEAMS.values(), strict=True):
            desk._capacity = counts[shift % 3]
            while desk.put_queue and len(desk.users) < desk._capacity:
                desk._trigger_put(None)
        yield env.timeout(8 * 60)
        shift += 1


def service_desk(weeks: float, flat: bool = False, shifts: bool = False, seed: int = 1) -> pd.DataFrame:
    rng, env, log = np.random.default_rng(seed), simpy.Environment(), []
    counts = [n[0] for n in SHIFT_TEAMS.values()] if shifts else list(TEAMS.values())
    desks = [simpy.PriorityResource(env, capacity=n) for n in counts]
    env.process(arrivals(env, desks, rates_by_hour(flat), weeks * 168 * 60, rng, log))
    if shifts:
        env.process(shift_manager(env, desks))
        env.run(until=weeks * 168 * 60 + 14 * 24 * 60)
    else:
        env.run()
    return pd.DataFrame(log, columns=COLUMNS)


def customer(env: Any, number: int, servers: Any, rng: Any, log: list[Any]) -> Generator[Any, Any, None]:
    enabled = env.now
    with servers.request() as request:
        yield request
        started = env.now
        yield env.timeout(rng.exponential(1.0))
        log.append((number, 0, 0, enabled, started, env.now))


def customers(env: Any, n: int, gap: float, servers: Any, rng: Any, log: list[Any]) -> Generator[Any, Any, None]:
    for number in range(n):
        yield env.timeout(rng.exponential(gap))
        env.process(customer(env, number, servers, rng, log))


def single_queue(n: int, servers: int = 20, load: float = 0.9, seed: int = 1) -> pd.DataFrame:
    rng, env, log = np.random.default_rng(seed), simpy.Environment(), []
    desk = simpy.Resource(env, capacity=servers)
    env.process(customers(env, n, 1.0 / (servers * load), desk, rng, log))
    env.run()
    return pd.DataFrame(log, columns=COLUMNS)
