"""Where queues overflow to, deputies included, and whether that can be: the pool has the skill, and is not alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from servsim.model.dispatching import Overflow
from servsim.model.errors import Path
from servsim.model.steps import Approval
from servsim.registry import suggestion

if TYPE_CHECKING:
    from servsim.model.scenario import Scenario

Found = Iterator[tuple[Path, str]]


def overflows(of: Scenario) -> dict[str, list[Overflow]]:
    """By skill: what the dispatch says, then the deputies of who approves."""
    found = {skill: list(team.overflow or ()) for skill, team in of.dispatch.teams.items()}
    for _, skill, pool in _delegations(of):
        found.setdefault(skill, []).append(Overflow(to=pool, when="nobody_on_duty"))
    return {skill: ways for skill, ways in found.items() if ways}


def _delegations(of: Scenario) -> Iterator[tuple[Path, str, str]]:
    """(where it is written, skill, pool of the deputies) of the approvals that have some."""
    for process in of.processes:
        for name, step in of.edited(process).steps.items():
            ways = step.expanded(name) if isinstance(step, Approval) and step.is_compound else {name: step}
            for one in ways.values():
                if isinstance(one, Approval) and one.delegate is not None:
                    yield ("processes", process, "steps", name, "delegate"), one.skill, one.delegate


def flaws(of: Scenario) -> Found:
    """(path in the YAML, what is wrong) of pools that cannot take over, or that nobody would be left beside."""
    skills, ways = of.skills(), overflows(of)
    for skill, team in of.dispatch.teams.items():
        path: Path = ("dispatch", "teams", skill, "overflow")
        pools = [one.to for one in team.overflow or ()]
        for i, pool in enumerate(pools):
            where: Path = (*path, *((i,) if len(pools) > 1 else ()), "to")
            yield from _takes_over(of, where, pool, skill)
            if pool in pools[:i]:
                yield where, f"'{pool}' comes twice; give all conditions in one entry: any one of them suffices"
        if pools and skill in skills and set(skills[skill]) <= {one.to for one in ways[skill]}:
            told = f"leaves nobody who serves the queue at once: {_have(skills[skill], skill)}"
            yield path, f"{told}; name another pool, or give the skill to one"
    for path, skill, pool in _delegations(of):
        yield from _takes_over(of, path, pool, skill)
        if set(skills.get(skill, ())) <= {one.to for one in ways[skill]}:
            yield path, f"leaves nobody for whom '{pool}' could stand in: {_have(skills.get(skill, []), skill)}"


def _have(pools: list[str], skill: str) -> str:
    if len(pools) == 1:
        return f"only '{pools[0]}' has the skill '{skill}'"
    return f"all pools with the skill '{skill}' ({', '.join(pools)}) take over from one another"


def _takes_over(of: Scenario, path: Path, pool: str, skill: str) -> Found:
    if pool not in of.pools:
        yield path, f"there is no pool '{pool}'{suggestion(pool, of.pools)}"
    elif skill not in of.pools[pool].abilities:
        yield path, f"the pool '{pool}' lacks the skill '{skill}'; add it to `pools.{pool}.skills`"
