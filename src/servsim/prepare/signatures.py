"""What is signed after the work: the signatures, those refused late, and where the case waits for the last of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from servsim.model import Approval, Scenario
from servsim.model.steps import CLOSED
from servsim.prepare.items import Items
from servsim.prepare.visits import Crowd, Walk, work
from servsim.records import Leaves

Numbers = NDArray[np.int64]


def close(walk: Walk) -> None:
    """Everybody has come to an end; who has signatures outstanding leaves with the last of them."""
    waits = np.zeros(len(walk.members), bool)
    for _, crowd, _ in walk.unsigned:
        waits[crowd.member] = True
    inherited = [walk.strays.inherit(part, crowd.member) for part, (_, crowd, _) in enumerate(walk.unsigned)]
    for _, strays in inherited:
        waits[strays] = True
    signed = [sign(walk, *part) if len(part[1].member) else (part[1], part[1]) for part in walk.unsigned]
    closed: list[Crowd] = []
    meets = next((name for name in walk.flow.steps if name.endswith(CLOSED)), "")
    for ends, how in walk.ends:
        open_ = waits[ends.member]
        walk.items.leaves(ends.after[~open_], how)
        if open_.any():
            last = walk.leave_item(meets, ends[open_], 0)
            walk.items.leaves(last.after, how)
            if how == Leaves.COMPLETED:
                walk.items.mark("delivers", ends.after[open_])
            closed.append(last)
    if not closed:
        return
    place = np.full(len(walk.members), -1)
    everybody = Crowd.gather(closed)
    place[everybody.member] = everybody.after
    for (last, unsaid), (members, strays) in zip(signed, inherited, strict=True):
        for crowd, link in ((last, walk.items.link), (unsaid, walk.items.link_instead)):
            link(crowd.after, place[crowd.member])
            item_of = dict(zip(crowd.member.tolist(), crowd.after.tolist(), strict=True))
            own = np.array([member in item_of for member in members.tolist()], bool)
            link(np.array([item_of[member] for member in members[own].tolist()], np.int64), place[strays[own]])


def sign(walk: Walk, name: str, crowd: Crowd, visit: Numbers) -> tuple[Crowd, Crowd]:
    """The signature, and what a refusal has done again: the last item of each; and what stands for signatures that
    would have been refused, had silence not given them."""
    step = walk.flow.steps[name]
    assert isinstance(step, Approval)
    refused = np.zeros(len(visit), bool)
    if step.late_share:
        refused = walk.uniforms(step.decider(name), "decision", crowd, visit) < step.late_share
    crowd = work(walk, name, crowd, visit)
    walk.items.mark("refused", crowd.after[refused])
    redo = step.late_refusal.redo if step.late_refusal else None
    again = crowd[refused]
    unsaid = again[:0]
    if redo is None or not refused.any():
        return crowd, unsaid
    if step.silence and not step.silence.to:
        unsaid = walk.unsaid(name, again, visit[refused])
    done = work(walk, redo, again, walk.count(redo, again))
    return Crowd.gather([crowd[~refused], done]), unsaid


def refusal_costs(scenario: Scenario, items: Items) -> NDArray[np.float64]:
    """[steps] what a late refusal costs; empty where nothing is signed late."""
    flows = {process: scenario.flow(process) for process, _ in items.steps}
    steps = [flows[process].steps.get(name) for process, name in items.steps]  # none: solved by a bot
    late = [step.late_refusal if isinstance(step, Approval) else None for step in steps]
    return np.array([part.cost if part else 0.0 for part in late] if any(late) else [])
