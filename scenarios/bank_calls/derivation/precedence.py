"""Who is served first? The head start of each kind of caller, from who overtook whom.

Whenever an agent takes a waiting caller, every other caller who waits at that instant was passed over. If kind A joins
the queue as if it had waited h longer than kind B, then A is taken before B exactly when A came less than h after B.
Only agents who took both kinds on that day tell anything: the others pass over what they do not take.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from derivation.calls import DAY
from derivation.staffing import Presence

SETTLED = 3  # s; choices closer to an arrival or a hang-up than this are ambiguous
QUESTIONS = {
    "priority over regular, account": (("account", True), ("account", False)),
    "regular account over new": (("account", False), ("new", False)),
    "priority account over new": (("account", True), ("new", False)),
    "priority stock over new": (("stock", True), ("new", False)),
    "stock over account, both priority": (("stock", True), ("account", True)),
}


def passed_over(demand: pd.DataFrame) -> pd.DataFrame:
    """One row per caller taken and other caller waiting then: kinds of both, how much later the taken one came (s)."""
    queued = demand[demand.queued].reset_index(drop=True)
    arrived, left = queued.arrived.to_numpy(), queued.left_queue.to_numpy()
    longest = float((left - arrived).max())
    taken, other = [], []
    for i in np.flatnonzero(queued.answered & (queued.server != "")):
        first, last = np.searchsorted(arrived, [left[i] - longest, left[i] - SETTLED])
        near = np.arange(first, last)
        near = near[(left[near] > left[i] + SETTLED) & (near != i)]
        taken += [i] * len(near)
        other += near.tolist()
    rows = pd.DataFrame({"taken": taken, "other": other})
    for name in ("taken", "other"):
        rows[f"{name}_process"] = queued.process.to_numpy()[rows[name]]
        rows[f"{name}_priority"] = (queued.priority == "2").to_numpy()[rows[name]]
    rows["later"] = arrived[rows.taken] - arrived[rows.other]
    rows["server"] = queued.server.to_numpy()[rows.taken]
    rows["day"] = (left[rows.taken] // DAY).astype(int)
    return rows


def head_starts(demand: pd.DataFrame, who: Presence) -> pd.DataFrame:
    """By question: choices seen, the head start in s that explains most of them, the share it explains, and the shares
    that 0 s and 90 s explain."""
    rows = passed_over(demand)
    pool = np.array([who.pool.at[agent, day] for agent, day in zip(rows.server, rows.day.clip(upper=19), strict=True)])
    takes_all = {"new": ["all_round", "account_and_new"], "stock": ["all_round", "account_and_stock"]}
    result = {}
    for question, (ahead, behind) in QUESTIONS.items():
        able = np.ones(len(rows), bool)
        for process in {ahead[0], behind[0]} & set(takes_all):
            able &= np.isin(pool, takes_all[process])
        later, first = choices(rows[able], ahead, behind)
        explained = {h: float(((later < h) == first).mean()) for h in range(-60, 301, 10)}
        best = max(explained, key=lambda h: explained[h])
        result[question] = (len(later), best, explained[best], explained[0], explained[90])
    columns = ["choices", "head_start", "explained", "explained_by_0", "explained_by_90"]
    return pd.DataFrame(result, index=columns).T.round(3)


def choices(rows: pd.DataFrame, ahead: tuple[str, bool], behind: tuple[str, bool]) -> tuple[np.ndarray, np.ndarray]:
    """(how much later the `ahead` caller came, was that one taken first?) of every choice between the two kinds."""

    def is_kind(name: str, kind: tuple[str, bool]) -> pd.Series:
        return (rows[f"{name}_process"] == kind[0]) & (rows[f"{name}_priority"] == kind[1])

    won = rows[is_kind("taken", ahead) & is_kind("other", behind)].later.to_numpy()
    lost = -rows[is_kind("taken", behind) & is_kind("other", ahead)].later.to_numpy()
    return np.concatenate([won, lost]), np.concatenate([np.ones(len(won), bool), np.zeros(len(lost), bool)])
