"""When those who found no place to wait try again: drawn for the first so many times, then in turn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from servsim.model import Scenario
from servsim.prepare.arrivals import Arrived
from servsim.prepare.streams import Streams
from servsim.records.arrays import Ticks

TIMES = 32
"""Draws for each case; who tries more often goes through them again."""


def redials(scenario: Scenario, streams: Streams, came: Mapping[str, Arrived]) -> Ticks:
    """[cases, times] waits before the next try, -1 for none; no column where nobody can be turned away."""
    limited = any(team.waiting_places is not None for team in scenario.dispatch.teams.values())
    if not limited or not any(kind.redial for kind in scenario.case_classes.values()):
        return np.empty((0, 0), np.int64)
    parts = []
    for source, cases in came.items():
        lags = np.full((len(cases.at), TIMES), -1)
        for number, kind in enumerate(scenario.case_classes.values()):
            ours = np.flatnonzero(cases.case_class == number)
            for k in range(TIMES) if kind.redial and len(ours) else ():
                assert kind.redial is not None
                after = kind.redial.after.quantile(streams.at(cases.entry[ours], source, "redial", k))
                lag = np.maximum(np.rint(after).astype(np.int64), 1)
                gives_up = streams.at(cases.entry[ours], source, "redial share", k) >= kind.redial.share
                lags[ours, k] = np.where(gives_up, -1, lag)
        parts.append(lags)
    return np.concatenate(parts)
