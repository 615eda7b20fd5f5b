"""What silence means at each step, in whose open hours it is counted, and what follows where it decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from servsim.model import Scenario
from servsim.model.promises import CALENDAR
from servsim.model.steps import Verdict
from servsim.prepare.items import Items
from servsim.prepare.staffing import skills_of
from servsim.records import Silences, Silent

Numbers = NDArray[np.int64]
MEANING = {"approve": Silent.APPROVE, "reject": Silent.REJECT}


def silences(
    scenario: Scenario,
    items: Items,
    unsaid: tuple[Numbers, Numbers],
    of_items: Callable[[NDArray[Any]], NDArray[Any]],
) -> Silences:
    """Empty where silence means nothing at any step that is visited. `unsaid`: items as in the workload, and what
    follows a verdict by silence on each."""
    flows = {process: scenario.flow(process).steps for process, _ in items.steps}
    steps = [flows[process].get(name) for process, name in items.steps]
    of = [step.silence if isinstance(step, Verdict) else None for step in steps]
    if not any(of):
        return Silences()
    skills, clocks = skills_of(scenario), list(dict.fromkeys(one.clock for one in of if one and one.clock != CALENDAR))
    openings = [scenario.calendars[clock].openings(scenario.clock) for clock in clocks]
    following = np.full(items.n, -1, np.int32)
    following[unsaid[0]] = unsaid[1]
    return Silences(
        then=np.array([MEANING.get(str(one.then), Silent.ESCALATE) if one else Silent.NOTHING for one in of], np.int8),
        after=np.array([one.after if one else -1 for one in of], np.int64),
        calendar=np.array([clocks.index(one.clock) if one and one.clock != CALENDAR else -1 for one in of], np.int8),
        to=np.array([skills.index(one.to) if one and one.to else -1 for one in of], np.int32),
        next_item=following,
        world=of_items(items.worlds()),
        open_first=np.cumsum([0, *(len(hours.begin) for hours in openings)]).astype(np.int32),
        open_from=np.concatenate([np.empty(0, np.int64), *(hours.begin for hours in openings)]),
        open_to=np.concatenate([np.empty(0, np.int64), *(hours.end for hours in openings)]),
    )
