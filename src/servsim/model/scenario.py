"""Scenario: everything that is simulated, in one frozen value whose references all lead somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from servsim.model import committees, overflowing, owning, promised, silencing, teamwork
from servsim.model.backlog import BACKLOG, Backlog
from servsim.model.base import Count, Id, Label, Model, Name
from servsim.model.basis import Assumption, Fact, NotModelled, Target
from servsim.model.calendar import BusinessCalendar, Clock
from servsim.model.cases import tick_of
from servsim.model.demand import Demand, Finite, Listed, Trace
from servsim.model.dispatching import UNINTERRUPTED, Dispatch, Overflow
from servsim.model.disruptions import System
from servsim.model.distributions import AnyDistribution
from servsim.model.edits import AnyEdit
from servsim.model.errors import Path, refuse
from servsim.model.organisation import Ability, AnyShift, Department, Pool, Profile, Shift, Worker, overlap
from servsim.model.process import Flow, Process, flaws
from servsim.model.promises import CALENDAR, Attribute, CaseClass
from servsim.model.scorecard import Scorecard
from servsim.model.settings import Settings
from servsim.model.steps import EXITS, Approval, Decision, Handoff, Step, Task, Work, expanded
from servsim.registry import suggestion

Found = Iterator[tuple[Path, str]]


class Scenario(Model):
    """One configuration of the service organisation."""

    known_elsewhere: ClassVar[tuple[str, ...]] = tuple(Settings.model_fields)

    name: Name
    label: Label = Label()
    title: Label = Label()
    question: Label = Label()
    facts: dict[Id, Fact] = Field(default_factory=dict)
    assumptions: dict[Id, Assumption] = Field(default_factory=dict)
    not_modelled: dict[Id, NotModelled] = Field(default_factory=dict)
    targets: dict[Id, Target] = Field(default_factory=dict)
    scorecard: Scorecard | None = None
    currency: str = "CNY"
    clock: Clock
    departments: dict[Id, Department] = Field(min_length=1)
    pools: dict[Id, Pool] = Field(min_length=1)
    shifts: dict[Id, AnyShift] = Field(default_factory=dict)
    staffing: dict[Id, dict[Id, Count]] = Field(default_factory=dict)
    workers: dict[Id, Worker] = Field(default_factory=dict)
    calendars: dict[Id, BusinessCalendar] = Field(default_factory=dict)
    case_classes: dict[Id, CaseClass] = Field(min_length=1)
    demand: dict[Id, Demand]
    backlog: Backlog | None = None
    processes: dict[Id, Process] = Field(min_length=1)
    edits: dict[Id, AnyEdit] = Field(default_factory=dict)
    dispatch: Dispatch = Dispatch()
    hand_overs: dict[Id, dict[Id, AnyDistribution]] = Field(default_factory=dict)
    """From department to department: the delay of hand-overs that name both and give none of their own."""
    systems: dict[Id, System] = Field(default_factory=dict)

    @field_validator("departments", mode="before")
    @classmethod
    def _bare_names(cls, value: Any) -> Any:
        """`repair:` with nothing behind it is a department without a label."""
        if not isinstance(value, Mapping):
            return value
        return {name: {} if department is None else department for name, department in value.items()}

    @field_validator("pools")
    @classmethod
    def _own_skill(cls, pools: dict[str, Pool]) -> dict[str, Pool]:
        return {
            name: pool if pool.skills else pool.model_copy(update={"skills": {name: Ability()}})
            for name, pool in pools.items()
        }

    @model_validator(mode="after")
    def _everything_leads_somewhere(self) -> Self:
        found = [*_organisation(self), *_work(self), *_processes(self), *_systems(self)]
        found += [*_headcounts(self), *_reworks(self)]
        if not found:
            found = [*_promises(self), *_backlog(self), *_lists(self)]
            found = found or [*_decisions(self), *_nobody(self), *owning.flaws(self), *overflowing.flaws(self)]
            found = found or [*teamwork.flaws(self), *silencing.flaws(self), *committees.flaws(self)]
        if found:
            raise refuse(*found)
        return self

    # -------------------------------------------------------------- derived

    def flow(self, process: str) -> Flow:
        """The process after its edits; laid out once."""
        if process not in self._flows:
            edited = self.edited(process)
            steps = {name: self._on_its_way(step) for name, step in expanded(edited.steps).items()}
            self._flows[process] = Flow(edited.start, steps)
        return self._flows[process]

    @cached_property
    def _flows(self) -> dict[str, Flow]:
        return {}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("_flows", None)
        return copied

    def _on_its_way(self, step: Step) -> Step:
        """A hand-over that says nothing about its delay takes as long as between these departments in general."""
        if not isinstance(step, Handoff) or "delay" in step.model_fields_set:
            return step
        delay = self.hand_overs.get(step.sender or "", {}).get(step.to)
        return step if delay is None else step.model_copy(update={"delay": delay})

    def edited(self, process: str) -> Process:
        """The process after its edits, in the order of the YAML. Raises ValidationError with paths of the scenario."""
        current = self.processes[process]
        gone: dict[str, str] = {}  # step → the edit that took it away
        for name, edit in self.edits.items():
            if edit.process != process:
                continue
            before = current
            try:
                current = edit.apply(current, name)
            except ValidationError as error:
                told = ((("edits", name, *e["loc"]), _why_gone(e["msg"], gone)) for e in error.errors())
                raise refuse(*told) from None
            gone |= {step: name for step in before.steps if step not in current.steps}
        return current

    def classes_in_use(self) -> tuple[str, ...]:
        """Case classes that arrive, in their order; all of them where a trace says which."""
        lists = [source.arrivals.classes for source in self.demand.values() if isinstance(source.arrivals, Listed)]
        by_file = any(isinstance(s.arrivals, Trace) and not s.classes for s in self.demand.values())
        if self.backlog:
            lists.append(tuple(row.case_class for row in self.backlog.rows))
        named = {name for source in (*lists, *(s.classes for s in self.demand.values())) for name in source}
        while more := {name for known in named for name in self.case_classes[known].leads_to()} - named:
            named |= more
        return tuple(name for name in self.case_classes if by_file or name in named)

    def used_processes(self) -> tuple[str, ...]:
        """Processes of the classes that arrive, in their order."""
        used = {self.case_classes[name].process for name in self.classes_in_use()}
        return tuple(name for name in self.processes if name in used)

    def channel(self, source: str) -> str:
        """The channel of a source of demand; its own id where none is named."""
        return (self.demand[source].channel if source in self.demand else None) or source

    @property
    def counts_backlog(self) -> bool:
        """The open cases of the beginning are among the counted ones."""
        return self.backlog is not None and self.backlog.counted is not False and not self.clock.warm_up

    def skills(self) -> dict[str, list[str]]:
        """The pools that have each skill."""
        found: dict[str, list[str]] = {}
        for name, pool in self.pools.items():
            for skill in pool.abilities:
                found.setdefault(skill, []).append(name)
        return found

    def overflows(self) -> dict[str, list[Overflow]]:
        """Where the queue of a skill overflows to: as the dispatch says, and to the deputies of who approves."""
        return overflowing.overflows(self)

    def most_on_duty(self, pool: str) -> int:
        """No more than so many are ever on duty in the pool at a time."""
        staff = self.staffing.get(pool, {}).items()
        counted = sum(n * _most(self.shifts[shift]) for shift, n in staff if shift in self.shifts)
        return counted + sum(worker.pool == pool for worker in self.workers.values())

    def is_staffed(self, pool: str) -> bool:
        """Somebody is ever on duty in the pool."""
        counted = any(n > 0 and _has_people(self.shifts[shift]) for shift, n in self.staffing.get(pool, {}).items())
        called = self.pools[pool].reserve is not None
        return counted or called or any(worker.pool == pool for worker in self.workers.values())


def _why_gone(message: str, gone: Mapping[str, str]) -> str:
    """Says which earlier edit took a step away that a later one names."""
    edit = next((edit for step, edit in gone.items() if message.startswith(f"there is no step '{step}'")), None)
    return f"{message}; edits.{edit} comes before and has taken it away" if edit else message


def _most(shift: Shift | Profile) -> int:
    return 1 if isinstance(shift, Shift) else max((max(counts) for counts in shift.headcount.values()), default=0)


def _has_people(shift: Shift | Profile) -> bool:
    return isinstance(shift, Shift) or any(n > 0 for counts in shift.headcount.values() for n in counts)


# ------------------------------------------------------------------ references, in the order of the YAML


def _unknown(path: Path, what: str, name: str, known: Iterable[str]) -> Found:
    names = list(known)
    if name not in names:
        yield path, f"there is no {what} '{name}'{suggestion(name, names)}"


def _unknown_skill(of: Scenario, path: Path, name: str) -> Found:
    """Queues are those of skills; a pool that has other skills has no queue of its own name."""
    skills = of.skills()
    if name in of.pools and name not in skills:
        own = ", ".join(of.pools[name].abilities)
        yield path, f"no pool has the skill '{name}'; the pool of that name has {own}: name that, or add the skill"
    else:
        yield from _unknown(path, "skill", name, skills)


def _backlog(of: Scenario) -> Found:
    if of.backlog is None:
        if not of.demand:
            yield ("demand",), "needs at least one source of demand (or a `backlog`)"
        return
    if BACKLOG in of.demand:
        yield ("demand", BACKLOG), f"'{BACKLOG}' is the source of the open cases; choose another id"
    if of.backlog.counted and of.clock.warm_up:
        yield ("backlog", "counted"), "a run that counts its backlog has no warm-up; leave out `warm_up` or `counted`"
    flows = {name: of.flow(name) for name in of.processes}
    yield from ((("backlog", *path), text) for path, text in of.backlog.flaws(of.case_classes, flows))


def _organisation(of: Scenario) -> Found:
    for sender, delays in of.hand_overs.items():
        yield from _unknown(("hand_overs", sender), "department", sender, of.departments)
        for to in delays:
            yield from _unknown(("hand_overs", sender, to), "department", to, of.departments)
    for name, pool in of.pools.items():
        yield from _unknown(("pools", name, "department"), "department", pool.department, of.departments)
        for i, shift in enumerate(pool.reserve.shifts if pool.reserve else ()):
            yield from _unknown(("pools", name, "reserve", "shifts", i), "shift", shift, of.shifts)
    for name, counts in of.staffing.items():
        yield from _unknown(("staffing", name), "pool", name, of.pools)
        for shift in counts:
            yield from _unknown(("staffing", name, shift), "shift", shift, of.shifts)
    for name, worker in of.workers.items():
        yield from _worker(of, name, worker)


def _worker(of: Scenario, name: str, worker: Worker) -> Found:
    path: Path = ("workers", name)
    yield from _unknown((*path, "pool"), "pool", worker.pool, of.pools)
    if isinstance(worker.pace, dict) and worker.pool in of.pools:
        for skill in worker.pace:
            yield from _unknown(
                (*path, "pace", skill), f"skill of {worker.pool}", skill, of.pools[worker.pool].abilities
            )
    own: list[tuple[str, Shift]] = []
    for i, shift_name in enumerate(worker.shifts):
        yield from _unknown((*path, "shifts", i), "shift", shift_name, of.shifts)
        shift = of.shifts.get(shift_name)
        if isinstance(shift, Profile):
            yield (
                (*path, "shifts", i),
                f"'{shift_name}' is a profile of headcounts; a named worker needs a shift with hours",
            )
        elif shift is not None:
            for other, hours in own:
                if day := overlap(hours, shift):
                    message = f"the shifts '{other}' and '{shift_name}' overlap ({day}); a worker is on one at a time"
                    yield (*path, "shifts", i), message
            own.append((shift_name, shift))


def _work(of: Scenario) -> Found:
    if CALENDAR in of.calendars:
        yield ("calendars", CALENDAR), f"'{CALENDAR}' is the clock that never stops; choose another id"
    for name, case_class in of.case_classes.items():
        path: Path = ("case_classes", name)
        yield from _unknown((*path, "process"), "process", case_class.process, of.processes)
        if case_class.bot and case_class.process in of.processes and "bot" in of.processes[case_class.process].steps:
            yield (*path, "bot"), f"the process '{case_class.process}' has a step 'bot'; give that step another id"
        for key in ("repeat", "duplicate"):
            follower = getattr(case_class, key)
            if follower and follower.case_class is not None:
                yield from _unknown((*path, key, "case_class"), "case class", follower.case_class, of.case_classes)
        for event, promise in case_class.promises.items():
            known = [CALENDAR, *of.calendars]
            yield from _unknown((*path, "promises", event, "clock"), "calendar", promise.clock, known)
    for name, source in of.demand.items():
        for case in source.classes:
            where: Path = ("demand", name, "mix", case) if source.mix else ("demand", name, "case_class")
            yield from _unknown(where, "case class", case, of.case_classes)
        if isinstance(source.arrivals, Finite):
            kinds = [of.case_classes[case] for case in source.classes if case in of.case_classes]
            for key in ("retry", "repeat", "duplicate"):
                if any(getattr(kind, key) for kind in kinds):
                    yield ("demand", name, "arrivals"), f"members come again by themselves; no `{key}` besides"
        if isinstance(source.arrivals, Listed):
            for number, written in source.arrivals.cases.items():
                where = ("demand", name, "arrivals", "cases", number, "case_class")
                if written.case_class is not None:
                    yield from _unknown(where, "case class", written.case_class, of.case_classes)
        if isinstance(source.arrivals, Trace):
            steps = [step for process in of.processes.values() for step in process.steps]
            for step in source.arrivals.columns.service:
                yield from _unknown(("demand", name, "arrivals", "columns", "service", step), "step", step, steps)
    yield from _dispatch(of)


def _dispatch(of: Scenario) -> Found:
    skills, dispatch = of.skills(), of.dispatch
    if dispatch.escalate:
        yield from _unknown_skill(of, ("dispatch", "escalate", "to"), dispatch.escalate.to)
    for name, team in dispatch.teams.items():
        yield from _unknown_skill(of, ("dispatch", "teams", name), name)
        if team.escalate:
            yield from _unknown_skill(of, ("dispatch", "teams", name, "escalate", "to"), team.escalate.to)
            if team.escalate.to == name:
                yield ("dispatch", "teams", name, "escalate", "to"), "is the skill itself"
            elif name in (chain := _escalated(of, team.escalate.to)):
                told = f"goes round in a circle: {' → '.join([name, *chain[: chain.index(name) + 1]])}"
                yield ("dispatch", "teams", name, "escalate", "to"), told
    places: list[tuple[Path, str]] = [(("dispatch", "rule"), dispatch.rule)]
    places += [(("dispatch", "teams", name, "rule"), team.rule) for name, team in dispatch.teams.items() if team.rule]
    for path, rule in places:
        skill = str(path[2]) if len(path) > 2 else ""
        if rule == "ageing" and not dispatch.for_skill(skill).ageing:
            yield path, "the rule ageing needs `ageing`: the wait that is worth one priority class, such as '30 min'"
        if rule == "accumulating" and len({case_class.accumulation for case_class in of.case_classes.values()}) < 2:
            yield path, "the rule accumulating needs classes of different `accumulation`, points per minute of waiting"
        if rule == "head_start" and not any(case_class.head_start for case_class in of.case_classes.values()):
            yield path, "the rule head_start needs `head_start` in at least one case class, such as '90 s'"
    yield from _interruptions(dispatch, skills)
    yield from _held_back(of, skills)
    yield from _waiting_places(of)


def _escalated(of: Scenario, skill: str) -> list[str]:
    """The skills that an item passes by escalation, this one first; the last is the first to come again, if any."""
    chain = [skill]
    while (further := of.dispatch.for_skill(chain[-1]).escalate) and chain.count(chain[-1]) < 2:
        chain.append(further.to)
    return chain


def _waiting_places(of: Scenario) -> Found:
    """Who tries again can be turned away, and does not wait for an escalation meanwhile."""
    limited = [name for name, team in of.dispatch.teams.items() if team.waiting_places is not None]
    for name, kind in of.case_classes.items():
        if kind.redial and not limited:
            yield ("case_classes", name, "redial"), "has no effect: no team has `waiting_places` in `dispatch.teams`"
        for team in limited if kind.redial else ():
            if of.dispatch.for_skill(team).escalate:
                told = f"does not go together with `redial` ({name}); write `escalate: false`"
                yield ("dispatch", "teams", team, "waiting_places"), told


def _interruptions(dispatch: Dispatch, skills: Iterable[str]) -> Found:
    """Where it is said that items interrupt one another, some rule lets one that comes later go first."""
    for name, team in dispatch.teams.items():
        if team.preempt and (rule := dispatch.for_skill(name).rule) in UNINTERRUPTED:
            yield ("dispatch", "teams", name, "preempt"), _NO_INTERRUPTIONS.format(rule)
    if dispatch.preempt and not any(dispatch.for_skill(skill).preempt for skill in skills):
        yield ("dispatch", "preempt"), _NO_INTERRUPTIONS.format(dispatch.rule)


def _held_back(of: Scenario, skills: Mapping[str, list[str]]) -> Found:
    """What is held back is sometimes started, and something is held back."""
    for skill, pools in skills.items():
        policy, team = of.dispatch.for_skill(skill).hold_back, of.dispatch.teams.get(skill)
        own = team is not None and team.hold_back is not None
        path: Path = ("dispatch", "teams", skill, "hold_back") if own else ("dispatch", "hold_back")
        if policy is None:
            continue
        most = sum(of.most_on_duty(pool) for pool in pools)
        if most <= policy.keep:
            told = f"at most {most} can do {skill}; cases of a priority above {policy.priority} are never started"
            yield (*path, "keep"), told
        by_file = any(isinstance(source.arrivals, Trace) for source in of.demand.values())
        if not by_file and all(kind.priority <= policy.priority for kind in of.case_classes.values()):
            yield (*path, "priority"), f"holds nothing back: no case class has a priority above {policy.priority}"


_NO_INTERRUPTIONS = "has no effect: under the rule {} nobody is interrupted; choose another, such as priority"


def _reworks(of: Scenario) -> Found:
    """Rework goes first by its rank: one that stays as it is, and for which nobody is interrupted."""
    for skill in dict.fromkeys(skill for pool in of.pools.values() for skill in pool.abilities):
        policy, own = of.dispatch.for_skill(skill), of.dispatch.teams.get(skill)
        where = ("dispatch", "teams", skill) if own and own.rework_first else ("dispatch",)
        if policy.rework_first and policy.preempt:
            yield (*where, "rework_first"), f"does not go with `preempt` at the skill '{skill}'"
        elif policy.rework_first and policy.rule in ("random", "accumulating", "least_remaining"):
            told = f"does not go with the rule '{policy.rule}' at the skill '{skill}'"
            yield (*where, "rework_first"), f"{told}, whose order changes in time"


def _headcounts(of: Scenario) -> Found:
    """Where the idle leave first, workers stand for one another: nobody is quicker than the others."""
    same = {name for name, worker in of.workers.items() if worker.pool in of.pools}
    same = {name for name in same if of.pools[of.workers[name].pool].leaves == "idle_first"}
    told = "does not go with `leaves: idle_first` of the pool '{}', whose workers stand for one another"
    for name in (name for name in of.workers if name in same):
        worker = of.workers[name]
        for key, has in (("pace", worker.pace != 100), ("ramp_up", worker.ramp_up is not None)):
            if has:
                yield ("workers", name, key), told.format(worker.pool)
    for process_name, process in of.processes.items():
        for step_name, step in process.steps.items():
            for who in step.times if isinstance(step, Work) else ():
                if who in same:
                    where: Path = ("processes", process_name, "steps", step_name, "times", who)
                    yield where, told.format(of.workers[who].pool)


def _systems(of: Scenario) -> Found:
    """What is needed exists; a system of which everybody has one of their own is needed by people, not by steps."""
    for name, pool in of.pools.items():
        for i, system in enumerate(pool.needs):
            yield from _unknown(("pools", name, "needs", i), "system", system, of.systems)
    for process_name, process in of.processes.items():
        for step_name, step in process.steps.items():
            for i, system in enumerate(step.needs if isinstance(step, Work) else ()):
                where: Path = ("processes", process_name, "steps", step_name, "needs", i)
                yield from _unknown(where, "system", system, of.systems)
                if system in of.systems and of.systems[system].separate:
                    yield where, f"every worker has a {system} of their own (`separate`); name it in `pools.….needs`"


# ------------------------------------------------------------------ processes


def _processes(of: Scenario) -> Found:
    for name, edit in of.edits.items():
        yield from _unknown(("edits", name, "process"), "process", edit.process, of.processes)
    for name, process in of.processes.items():
        try:
            edited = of.edited(name)
        except ValidationError as error:
            yield from ((tuple(e["loc"]), e["msg"]) for e in error.errors())
            continue
        try:
            expanded(edited.steps)
        except ValidationError as error:
            yield from (((*("processes", name), *e["loc"]), e["msg"]) for e in error.errors())
        for path, message in flaws(edited.start, edited.steps):
            yield _written_path(of, name, process, path), message + _because_of_edits(of, name, path)
        for step_name, step in process.steps.items():
            where: Path = ("processes", name, "steps", step_name)
            for who in step.times if isinstance(step, Work) else ():
                yield from _unknown((*where, "times", who), "pool or named worker", who, [*of.pools, *of.workers])
            redo = step.late_refusal.redo if isinstance(step, Approval) and step.late_refusal else None
            if redo in EXITS or not isinstance(edited.steps.get(redo or ""), Task | None):
                yield ("processes", name, "steps", step_name, "late_refusal", "redo"), f"'{redo}' is no task"
            if isinstance(step, Handoff):
                yield from _unknown((*where, "to"), "department", step.to, of.departments)
                if step.sender is not None:
                    yield from _unknown((*where, "from"), "department", step.sender, of.departments)


def _written_path(of: Scenario, name: str, process: Process, path: Path) -> Path:
    """The place in the YAML: that of the step, or of the edit that made it."""
    if len(path) > 1 and path[1] not in process.steps:
        maker = next((edit for edit in of.edits if path[1] in (edit, f"{edit}_join")), None)
        return ("edits", maker) if maker else ("processes", name)
    return ("processes", name, *path)


def _because_of_edits(of: Scenario, name: str, path: Path) -> str:
    edits = [edit_name for edit_name, edit in of.edits.items() if edit.process == name]
    step = f"'{path[1]}': " if len(path) > 1 and path[1] in of.edits else ""
    return f" ({step}after the edits {', '.join(edits)})" if edits else ""


def _promises(of: Scenario) -> Found:
    """Clocks of promises begin, stop and stand still with what happens in the processes of their classes."""
    for name, case_class in of.case_classes.items():
        if all(promise.is_plain(event) for event, promise in case_class.promises.items()):
            continue
        steps, flow = of.edited(case_class.process).steps, of.flow(case_class.process)
        for event, promise in case_class.promises.items():
            for path, message in promised.flaws(event, promise, steps, flow):
                yield ("case_classes", name, "promises", event, *path), message + _edited(of, case_class.process)


def _edited(of: Scenario, process: str) -> str:
    edits = [name for name, edit in of.edits.items() if edit.process == process]
    return f" (after the edits {', '.join(edits)})" if edits else ""


def _decisions(of: Scenario) -> Found:
    """Every decision looks at something that its cases have, and knows a way for every value."""
    for name in of.used_processes():
        classes = {c: of.case_classes[c] for c in of.classes_in_use() if of.case_classes[c].process == name}
        for step_name, step in of.flow(name).steps.items():
            if isinstance(step, Decision) and step.by is not None:
                path: Path = ("processes", name, "steps", step_name)
                yield from _decision(of, path, step, step.by, classes)


def _decision(of: Scenario, path: Path, step: Decision, by: str, classes: Mapping[str, CaseClass]) -> Found:
    if by in ("case_class", "channel"):
        if step.below:
            yield (*path, "below"), f"{by} is not a number; write `next`: a step for each value"
            return
        known = list(classes) if by == "case_class" else _channels(of, classes)
        if known is not None:
            everything = of.case_classes if by == "case_class" else [of.channel(source) for source in of.demand]
            yield from _values(path, step, by.replace("_", " "), known, everything)
        return
    attributes = {name: case_class.attributes.get(by) for name, case_class in classes.items()}
    lacking = [name for name, attribute in attributes.items() if attribute is None]
    if lacking:
        known_names = ["case_class", "channel", *(name for c in classes.values() for name in c.attributes)]
        yield (*path, "by"), f"{', '.join(lacking)}: no attribute '{by}'{suggestion(by, known_names)}"
    else:
        yield from _attribute(path, step, by, [attribute for attribute in attributes.values() if attribute])


def _attribute(path: Path, step: Decision, by: str, attributes: list[Attribute]) -> Found:
    choices = list(dict.fromkeys(value for attribute in attributes for value in attribute.choices or ()))
    if step.next and any(attribute.choices is None for attribute in attributes):
        yield (*path, "next"), f"'{by}' is a number; write `below`: a step for each bound, and `otherwise`"
    elif step.below and choices:
        yield (*path, "below"), f"'{by}' is one of {', '.join(choices)}; write `next`: a step for each"
    elif choices:
        yield from _values(path, step, f"value of '{by}'", choices, choices)


def _values(path: Path, step: Decision, what: str, arriving: list[str], known: Iterable[str]) -> Found:
    for value in step.next:
        yield from _unknown((*path, "next", value), what, value, known)
    lost = [value for value in arriving if step.step_of(value) is None]
    if lost:
        yield (*path, "next"), f"says no step for {', '.join(lost)}; name one, or give `otherwise`"


def _channels(of: Scenario, classes: Mapping[str, CaseClass]) -> list[str] | None:
    """Channels through which these classes come; None where a file says."""
    sources = {n: s for n, s in of.demand.items() if not s.classes or set(s.classes) & set(classes)}
    if any(isinstance(s.arrivals, Trace) and s.arrivals.columns.channel for s in sources.values()):
        return None
    listed = [source.arrivals.cases.values() for source in sources.values() if isinstance(source.arrivals, Listed)]
    written = [case.channel for cases in listed for case in cases if case.channel]
    return list(dict.fromkeys([*(of.channel(name) for name in sources), *written]))


def _lists(of: Scenario) -> Found:
    """Cases that are written out fit their processes and the clock."""
    for name, source in of.demand.items():
        if not isinstance(source.arrivals, Listed):
            continue
        for number, case in source.arrivals.cases.items():
            path: Path = ("demand", name, "arrivals", "cases", number)
            classes = [case.case_class] if case.case_class else [c for c, share in source.classes.items() if share]
            if tick_of(case.at, of.clock) < 0:
                yield (*path, "at"), f"'{case.at}' lies before the clock's start, {of.clock.start:%Y-%m-%d %H:%M}"
            for case_class in classes:
                flow = of.flow(of.case_classes[case_class].process)
                yield from (((*path, *below), message) for below, message in case.flaws(flow))


def _who(of: Scenario, process: str, step: str) -> Path:
    """The place in the YAML that says who does the step; one made of a compound approval is said there."""
    for name, written in of.edited(process).steps.items():
        if isinstance(written, Approval) and written.is_compound and step in written.expanded(name):
            return ("processes", process, "steps", name, "levels" if written.levels else "chain")
    return ("processes", process, "steps", step, "skill")


def _nobody(of: Scenario) -> Found:
    """Steps that cases come to and nobody can do."""
    skills = of.skills()
    for name in of.used_processes():
        for step_name, step in of.flow(name).steps.items():
            if not isinstance(step, Work) or step.needs_nobody:
                continue
            path = _who(of, name, step_name)
            able = skills.get(step.skill, [])
            if not able:
                hint = suggestion(step.skill, skills)
                yield path, f"nobody can do step '{step_name}': no pool has the skill '{step.skill}'{hint}"
            elif not any(of.is_staffed(pool) for pool in able):
                where = f"the headcount of {', '.join(able)} is 0 in staffing"
                yield path, f"nobody can do step '{step_name}': {where}, and no worker is named"
