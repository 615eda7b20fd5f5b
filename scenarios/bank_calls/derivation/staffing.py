"""How many agents were there, with which skills, and how many of them could take a call?

Three steps. On duty: from an agent's call to the next one, unless the gap is longer than a threshold. Skills: what an
agent took on that day. Availability: how long after a call an agent takes the next one while account calls wait (the
rest is wrap-up, short breaks, being somewhere else). Effective headcount = on duty × availability, in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from derivation.calls import DAY, DAY_GROUPS, FIRST_DAY, N_DAYS, OPENING, day_groups, in_incident
from derivation.hanging_up import kaplan_meier

LONGEST_GAP = 20 * 60  # s; an agent without a call for longer was off duty
HAND_OVER = 2  # s; the queue empties up to this long before the agent who emptied it is seen to serve
PARTS_OF_DAY = ((7, 11), (11, 15), (15, 19), (19, 24))  # hours
SECONDS = N_DAYS * DAY + 3600
POOLS = {"all_round": "ans", "account_and_new": "an", "account_and_stock": "as", "stock_desk": "s"}
TAKE_ACCOUNT = [pool for pool, skills in POOLS.items() if "a" in skills]
LEAST_SHARE = pd.Series({"a": 0.35, "n": 0.05, "s": 0.03})  # of the day's calls, and two calls, to count as a skill


@dataclass(frozen=True)
class Presence:
    """Second by second, per agent: serving, on duty; and the pool of each agent on each day."""

    agents: list[str]
    serving: np.ndarray  # [agents, seconds] bool
    on_duty: np.ndarray  # [agents, seconds] bool
    pool: pd.DataFrame  # agents × days → name of the pool, "" when absent


def presence(served: pd.DataFrame, longest_gap: int = LONGEST_GAP) -> Presence:
    """Serving and on duty from the agents' calls; calls that overlap count once."""
    agents = sorted(served.server.unique())
    serving = np.zeros((len(agents), SECONDS), bool)
    for row, agent in enumerate(agents):
        own = served[served.server == agent]
        for begin, end in zip(own.begin, own.end, strict=True):
            serving[row, begin:end] = True
    on_duty = np.array([until_closing(bridged(row, longest_gap), longest_gap) for row in serving])
    return Presence(agents, serving, on_duty, pools(served, agents))


def stretches(present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(begins, ends) in seconds of the stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], present.astype(np.int8), [0]])))
    return edges[::2], edges[1::2]


def bridged(serving: np.ndarray, longest_gap: int) -> np.ndarray:
    """Serving, with the gaps up to the threshold filled."""
    begins, ends = stretches(serving)
    filled = serving.copy()
    for end, begin in zip(ends[:-1], begins[1:], strict=True):
        if begin - end <= longest_gap:
            filled[end:begin] = True
    return filled


def until_closing(present: np.ndarray, longest_gap: int) -> np.ndarray:
    """On duty, to the closing hour where the last call ended no longer before it than the threshold.

    Nobody calls after closing, so no next call can show that the agent was still there. At opening nothing is filled:
    the first call is the best sign of when an agent came.
    """
    closing = np.array([day * DAY + OPENING[group][1] * 3600 for day, group in enumerate(day_groups())], int)
    for close in closing:
        last = np.flatnonzero(present[close - longest_gap : close])
        if len(last):
            present[close - longest_gap + last[-1] : close] = True
    return present


def pools(served: pd.DataFrame, agents: list[str]) -> pd.DataFrame:
    """Pool of each agent and day, from the kinds of calls taken; account-only days go to the pool that takes stock."""
    kind = served.type.map({"NE": "s", "NW": "n"}).fillna("a")
    day = (served.begin // DAY).clip(upper=N_DAYS - 1)
    taken = pd.crosstab([served.server, day], kind).reindex(columns=list("ans"), fill_value=0)
    has = (taken >= 2) & (taken.div(taken.sum(axis=1), axis=0) >= LEAST_SHARE)
    letters = has.apply(lambda row: "".join(skill for skill in "ans" if row[skill]), axis=1)
    letters = letters.replace({"": "as", "a": "as", "n": "an", "ns": "ans"})
    names = {skills: pool for pool, skills in POOLS.items()}
    return letters.map(names).unstack(fill_value="").reindex(index=agents, columns=range(N_DAYS), fill_value="")


def in_pool(who: Presence, chosen: list[str]) -> np.ndarray:
    """[agents, seconds] True where the agent's pool of that day is one of the chosen."""
    day = np.minimum(np.arange(SECONDS) // DAY, N_DAYS - 1)
    return who.pool.isin(chosen).to_numpy()[:, day]


def waiting(demand: pd.DataFrame, after: float = 0) -> np.ndarray:
    """[seconds] account calls that have waited for at least `after` seconds."""
    queued = demand[demand.queued & (demand.process == "account") & (demand.wait > after)]
    change = np.zeros(SECONDS + 1, int)
    np.add.at(change, (queued.arrived + after).astype(int), 1)
    np.add.at(change, queued.left_queue.astype(int).clip(upper=SECONDS), -1)
    return change.cumsum()[:SECONDS]


# ------------------------------------------------------------------ availability


def returns(who: Presence, queue: np.ndarray) -> pd.DataFrame:
    """After each call that ends while account calls wait: hour, seconds until the agent's next call, seen?, the call.

    `seen` is False where the queue emptied first: then nobody can tell whether the agent was available.
    """
    empty = np.append(np.where(queue == 0, np.arange(SECONDS), SECONDS), SECONDS)
    next_empty = np.minimum.accumulate(empty[::-1])[::-1]
    takes = in_pool(who, TAKE_ACCOUNT)
    rows = []
    for agent, serving in enumerate(who.serving):
        begins, ends = stretches(serving)
        for begin, end, again in zip(begins[:-1], ends[:-1], begins[1:], strict=True):
            if end < SECONDS and queue[end] and takes[agent, end]:
                gap, emptied = again - end, next_empty[end] - end
                seen = gap <= emptied + HAND_OVER
                rows.append((end % DAY // 3600, gap if seen else emptied, seen, end - begin))
    return pd.DataFrame(rows, columns=["hour", "gap", "seen", "call"])


def mean_gap(after: pd.DataFrame, longest: int = LONGEST_GAP) -> float:
    """Mean seconds until the next call is taken, gaps counted up to the longest: the area under Kaplan–Meier."""
    seen = after.seen & (after.gap < longest)
    curve = kaplan_meier(after.gap.clip(upper=longest).to_numpy(float), seen.to_numpy(bool))
    at = np.concatenate([[0], curve["at"], [longest]])
    return float((np.diff(at) * np.concatenate([[1], curve.still])).sum())


def availability(who: Presence, queue: np.ndarray, longest: int = LONGEST_GAP) -> pd.DataFrame:
    """By part of the day: calls that ended while others waited, mean gap in s, available = call ÷ (call + gap), its
    standard error by the bootstrap (200 samples)."""
    after = returns(who, queue)
    rows = {}
    for begin, end in PARTS_OF_DAY:
        part = after[after.hour.between(begin, end - 1)]
        dice = np.random.default_rng(1999)
        samples = [share_available(part.iloc[dice.integers(0, len(part), len(part))], longest) for _ in range(200)]
        rows[f"{begin}-{end}"] = (len(part), mean_gap(part, longest), share_available(part, longest), np.std(samples))
    return pd.DataFrame(rows, index=["calls", "gap", "available", "standard_error"]).T


def share_available(after: pd.DataFrame, longest: int = LONGEST_GAP) -> float:
    """Mean call ÷ (mean call + mean gap)."""
    return float(after.call.mean() / (after.call.mean() + mean_gap(after, longest)))


def busy_while_waiting(who: Presence, queue: np.ndarray, at_least: int = 1) -> float:
    """Serving ÷ on duty of those who take account calls, over the seconds with at least so many account calls waiting.

    A cross-check from below: queues last longest when agents are away, so these seconds show too few of them.
    """
    takes, seen = in_pool(who, TAKE_ACCOUNT), queue >= at_least
    return float((who.serving & takes)[:, seen].sum() / (who.on_duty & takes)[:, seen].sum())


# ------------------------------------------------------------------ headcount


def per_half_hour(who: Presence, what: np.ndarray) -> dict[str, pd.DataFrame]:
    """Mean number of agents by day group: half hours × pools; the incidents are left out."""
    group = np.array(day_groups())
    seen = ~in_incident(np.arange(N_DAYS * DAY))
    observed = seen.reshape(N_DAYS, 48, 1800).sum(2)
    result = {name: pd.DataFrame(0.0, index=range(48), columns=list(POOLS)) for name in DAY_GROUPS}
    for pool in POOLS:
        present = (what & in_pool(who, [pool])).sum(0)[: N_DAYS * DAY] * seen
        present = present.reshape(N_DAYS, 48, 1800).sum(2)
        for name in DAY_GROUPS:
            result[name][pool] = present[group == name].sum(0) / observed[group == name].sum(0)
    return result


def effective(who: Presence, available: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """On duty × availability of the part of the day, by day group: half hours × pools; nobody in closed hours."""
    factor = np.zeros(48)
    for (begin, end), share in zip(PARTS_OF_DAY, available.available, strict=True):
        factor[2 * begin : 2 * end] = share
    return {
        name: present.mul(factor * np.isin(np.arange(48), half_hours(OPENING[name])), axis=0)
        for name, present in per_half_hour(who, who.on_duty).items()
    }


def half_hours(opening: tuple[float, float]) -> range:
    """The half hours of the day between opening and closing."""
    return range(round(2 * opening[0]), round(2 * opening[1]))


def headcounts(wanted: pd.DataFrame, opening: tuple[float, float]) -> pd.DataFrame:
    """Whole numbers that keep the sums: what rounding leaves over is carried into the next half hour.

    The total is rounded first, so that no half hour is off by more than one agent; the pools share it as near to their
    means as they can with somebody for each skill.
    """
    whole = pd.DataFrame(0, index=wanted.index, columns=wanted.columns)
    carried = np.zeros(wanted.shape[1])
    for half_hour in half_hours(opening):
        target = wanted.loc[half_hour].to_numpy() + carried
        given = min(splits(max(round(target.sum()), 1)), key=lambda split: float(((split - target) ** 2).sum()))
        whole.loc[half_hour] = given
        carried = target - given
    return whole


def splits(total: int) -> Iterator[np.ndarray]:
    """Every way to share a number of agents among the pools that leaves no skill without anybody."""
    for split in product(range(total + 1), repeat=len(POOLS)):
        takers = [sum(n for n, skills in zip(split, POOLS.values(), strict=True) if skill in skills) for skill in "ans"]
        if sum(split) == total and min(takers) > 0:
            yield np.array(split)


def by_weekday(whole: dict[str, pd.DataFrame], pool: str) -> dict[str, list[int]]:
    """Headcounts of one pool by weekday. One agent stays half an hour after closing for those who still wait then."""
    weekdays = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    group = {weekday: name for name, days in DAY_GROUPS.items() for weekday in days}
    counts = {day: whole[group[day]][pool].tolist() for day in weekdays}
    if pool == "all_round":
        for day, after in zip(weekdays, (*weekdays[1:], weekdays[0]), strict=True):
            closes = half_hours(OPENING[group[day]]).stop
            counts[day if closes < 48 else after][closes % 48] = 1
    return counts


def by_day(who: Presence) -> pd.DataFrame:
    """Hours on duty and serving by date."""
    dates = [(FIRST_DAY + pd.Timedelta(days=day)).date().isoformat() for day in range(N_DAYS)]
    rows = {
        name: what.sum(0)[: N_DAYS * DAY].reshape(N_DAYS, DAY).sum(1) / 3600
        for name, what in (("on_duty", who.on_duty), ("serving", who.serving))
    }
    return pd.DataFrame(rows, index=dates).round(1)


def sensitivity(served: pd.DataFrame, queue: np.ndarray) -> pd.DataFrame:
    """By threshold in minutes: hours on duty, serving ÷ on duty, availability over the day, effective hours."""
    rows = {}
    for threshold in (10, 15, 20, 30, 45):
        who = presence(served, threshold * 60)
        available = availability(who, queue, threshold * 60)
        hours = {name: table.to_numpy().sum() / 2 for name, table in effective(who, available).items()}
        total = sum(hours[name] * day_groups().count(name) for name in hours)
        on_duty = who.on_duty.sum() / 3600
        rows[threshold] = (on_duty, who.serving.sum() / who.on_duty.sum(), total / on_duty, total)
    return pd.DataFrame(rows, index=["on_duty_hours", "serving_share", "available", "effective_hours"]).T.round(3)
