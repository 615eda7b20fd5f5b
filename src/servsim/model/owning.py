"""What makes rules about who did something before impossible: who could never be found, and who is never left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from servsim.model.demand import Finite
from servsim.model.errors import Path
from servsim.model.process import Flow, reach
from servsim.model.steps import EXITS, Approval, Step, Work, expanded
from servsim.registry import suggestion

if TYPE_CHECKING:
    from servsim.model.scenario import Scenario

Found = Iterator[tuple[Path, str]]


def flaws(of: Scenario) -> Found:
    """(path, message) of each rule that names what nobody does, or whom nobody can be."""
    for process, written in of.processes.items():
        for name, step in written.steps.items():
            if isinstance(step, Work) and (step.same_as or step.not_same_as):
                path: Path = ("processes", process, "steps", name)
                found = [*_names(of, process, path, name, step)]
                yield from found or (_people(of, process, path, name, step) if process in of.used_processes() else ())


# ------------------------------------------------------------------ the steps that are named


def _names(of: Scenario, process: str, path: Path, name: str, step: Work) -> Found:
    """Every step that is named is one that somebody does before; steps made or taken out by edits are no mistake."""
    written = of.processes[process]
    flow = Flow(written.start, expanded(written.steps))
    edited = of.flow(process)
    for where, earlier in _named(step):
        if earlier in edited.steps and earlier not in flow.steps:
            continue
        if message := _mistake(flow, name, earlier):
            yield (*path, *where), message


def _named(step: Work) -> Iterator[tuple[Path, str]]:
    """(path below the step, step named there)"""
    if step.same_as and step.same_as.step is not None:
        yield ("same_as", "step"), step.same_as.step
    for i, earlier in enumerate(step.not_same_as):
        yield ("not_same_as", i), earlier


def _mistake(flow: Flow, name: str, earlier: str) -> str:
    """Why nobody can have done that step before this one, empty if somebody can."""
    if earlier not in flow.steps:
        return f"there is no step '{earlier}'{suggestion(earlier, _by_hand(flow.steps))}"
    doing = [at for at in flow.doing(earlier) if not _of(flow, at).needs_nobody]
    if not doing:
        return f"'{earlier}' is done by nobody ({flow.steps[earlier].kind}); name a task or an approval"
    if any(isinstance(step, Approval) and step.is_signed_later for step in (flow.steps[at] for at in doing)):
        return f"'{earlier}' is signed after the work (`timing: after`); nobody has done it by then"
    behind = reach((after for at in doing for after in _after(flow, at)), lambda at: _after(flow, at))
    if not behind.intersection(flow.doing(name)):
        return f"no way leads from '{earlier}' to '{name}'; name a step that comes before"
    return ""


def _by_hand(steps: Mapping[str, Step]) -> list[str]:
    return [name for name, step in steps.items() if isinstance(step, Work)]


def _after(flow: Flow, at: str) -> frozenset[str]:
    return frozenset() if at in EXITS else flow.steps[at].possible() - set(EXITS)


def _of(flow: Flow, at: str) -> Work:
    step = flow.steps[at]
    assert isinstance(step, Work)
    return step


# ------------------------------------------------------------------ the people


def _people(of: Scenario, process: str, path: Path, name: str, step: Work) -> Found:
    """The same person can do both steps; somebody is left when others are excluded."""
    flow = of.flow(process)
    for at in flow.doing(name):
        if _of(flow, at).needs_nobody:
            continue
        if step.same_as:
            yield from _nobody_can_do_both(of, flow, (*path, "same_as"), at)
        if step.not_same_as:
            yield from _nobody_is_left(of, flow, (*path, "not_same_as"), at)


def _nobody_can_do_both(of: Scenario, flow: Flow, path: Path, at: str) -> Found:
    same, skill = _of(flow, at).same_as, _of(flow, at).skill
    if same is None:
        return
    flows = [flow]
    if same.owner_of == "previous_case":
        members = any(isinstance(source.arrivals, Finite) for source in of.demand.values())
        if not members and not any(of.case_classes[name].repeat for name in of.classes_in_use()):
            told = "no case class has `repeat` and no source is `finite`: no case follows one that was answered"
            yield (*path, "owner_of"), f"has no effect: {told}"
            return
        flows = [of.flow(process) for process in of.used_processes()]
    earlier = [_of(other, n) for other in flows for n in (other.doing(same.step) if same.step else other.responders)]
    skills = {each.skill for each in earlier if not each.needs_nobody}
    if skills and not any(skill in pool.abilities and skills & set(pool.abilities) for pool in of.pools.values()):
        what = f"'{same.step}'" if same.step else "the step that answers"
        told = f"nobody who can do {what} ({', '.join(sorted(skills))}) can do '{at}' ({skill})"
        yield path, f"{told}; give a pool both skills, or leave the rule out"


def _nobody_is_left(of: Scenario, flow: Flow, path: Path, at: str) -> Found:
    """All who can do the step may have done the others, one each."""
    step = _of(flow, at)
    able = [name for name, pool in of.pools.items() if step.skill in pool.abilities for _ in range(people(of, name))]
    if able and each_may_be_excluded(of, able, skills_of_makers(flow, step)):
        who = f"only one can do '{at}' ({step.skill}), who" if len(able) == 1 else f"all {len(able)} who can do '{at}'"
        told = f"{who} may have done {', '.join(repr(earlier) for earlier in step.not_same_as)} too"
        yield path, f"{told}; then nobody is left: give somebody else the skill"


def skills_of_makers(flow: Flow, step: Work) -> list[set[str]]:
    """For each step that `not_same_as` names, the skills of who does it."""
    doing = ([_of(flow, at) for at in flow.doing(earlier)] for earlier in step.not_same_as)
    return [{work.skill for work in works if not work.needs_nobody} for works in doing]


def each_may_be_excluded(of: Scenario, able: Sequence[str], makers: Sequence[set[str]]) -> bool:
    """Each of these people (by their pools) may have done another of the steps (by their skills)."""
    if not able:
        return True
    if len(able) > len(makers):
        return False
    first, rest = of.pools[able[0]].abilities, able[1:]
    return any(
        skills & set(first) and each_may_be_excluded(of, rest, [*makers[:k], *makers[k + 1 :]])
        for k, skills in enumerate(makers)
    )


def people(of: Scenario, pool: str) -> int:
    """So many people belong to the pool, whenever they are there."""
    reserve = of.pools[pool].reserve
    return of.most_on_duty(pool) + (reserve.headcount if reserve else 0)
