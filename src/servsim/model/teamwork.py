"""What makes steps that need several workers at once impossible: too few people, or rules that are for one person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from servsim.model.errors import Path
from servsim.model.steps import Approval, Step, Work
from servsim.registry import suggestion

if TYPE_CHECKING:
    from servsim.model.scenario import Scenario

Found = Iterator[tuple[Path, str]]


def flaws(of: Scenario) -> Found:
    """(path in the YAML, what is wrong)."""
    for process, written in of.processes.items():
        yield from _classes(of, process, written.steps)
    yield from dict(_steps(of)).items()  # one line for each place
    yield from _backfilling(of)


def _classes(of: Scenario, process: str, steps: Mapping[str, Step]) -> Found:
    for name, step in steps.items():
        for kind in step.workers if isinstance(step, Work) and isinstance(step.workers, dict) else ():
            path: Path = ("processes", process, "steps", name, "workers", kind)
            if kind not in of.case_classes:
                yield path, f"there is no case class '{kind}'{suggestion(kind, of.case_classes)}"
            elif of.case_classes[kind].process != process:
                yield path, f"'{kind}' goes through the process '{of.case_classes[kind].process}', not through this one"


def _steps(of: Scenario) -> Found:
    """Steps that need several, in each queue in which their items may come to wait."""
    for process in of.used_processes():
        classes = [name for name in of.classes_in_use() if of.case_classes[name].process == process]
        for name, step in of.flow(process).steps.items():
            if isinstance(step, Work) and not step.needs_nobody:
                needs = max(map(step.workers_of, classes), default=1)
                if needs > 1:
                    path: Path = ("processes", process, "steps", _written(of, process, name), "workers")
                    yield from ((path, message) for message in _pools(of, step))
                    yield from ((path, message) for message in _people(of, step, needs, classes))


def _written(of: Scenario, process: str, step: str) -> str:
    """The step of the YAML; a compound approval stands for several."""
    steps = of.edited(process).steps
    return step if step in steps else next((name for name in steps if step.startswith(f"{name}_")), step)


def _queues(of: Scenario, step: Work) -> tuple[str, ...]:
    """The skills in whose queues its items may come to wait."""
    moved = step.silence.to if isinstance(step, Approval) and step.silence else None
    return tuple(dict.fromkeys(queue for skill in (step.skill, moved) if skill for queue in of.dispatch.chain(skill)))


def _pools(of: Scenario, step: Work) -> Iterator[str]:
    """Pools whose rules are for one person."""
    able = of.skills()
    for queue in _queues(of, step):
        for name in able.get(queue, ()):
            pool, who = of.pools[name], f"the workers of '{name}', who have the skill '{queue}',"
            if pool.at_once:
                yield f"{who} have several items in hand (`at_once`); several workers at once need pools without that"
            if pool.end_of_shift == "suspend_keep":
                yield (
                    f"{who} keep what they have in hand for their next shift (`suspend_keep`), which the others do not "
                    "share; choose another `end_of_shift`, such as suspend"
                )


def _people(of: Scenario, step: Work, needs: int, classes: Sequence[str]) -> Iterator[str]:
    """Too few of them, also of those who may be taken by what is held back."""
    most = sum(of.most_on_duty(pool) + _reserve(of, pool) for pool in of.skills().get(step.skill, ()))
    policy = of.dispatch.for_skill(step.skill).hold_back
    held = [name for name in classes if policy and of.case_classes[name].priority > policy.priority]
    at_once = max(map(step.workers_of, held), default=1)
    if most < needs:
        yield f"needs {needs} workers with the skill '{step.skill}' at once; there are never more than {most}"
    elif policy and at_once > 1 and most < policy.keep + at_once:
        told = f"needs {at_once} workers at once besides the {policy.keep} whom `hold_back` keeps idle"
        yield f"{told}; there are never more than {most}"


def _reserve(of: Scenario, pool: str) -> int:
    reserve = of.pools[pool].reserve
    return reserve.headcount if reserve else 0


def _backfilling(of: Scenario) -> Found:
    flows = (of.flow(process) for process in of.used_processes())
    works = [step for flow in flows for step in flow.steps.values() if isinstance(step, Work)]
    several = [step for step in works if max(map(step.workers_of, of.classes_in_use()), default=1) > 1]
    queues = {queue for step in several for queue in _queues(of, step)}
    told = "has no effect: no step {} needs several `workers`"
    if of.dispatch.backfilling and not queues:
        yield ("dispatch", "backfilling"), told.format("that is worked on")
    for name, team in of.dispatch.teams.items():
        if team.backfilling and name not in queues:
            yield ("dispatch", "teams", name, "backfilling"), told.format(f"with the skill '{name}'")
