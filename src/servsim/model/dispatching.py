"""Who is served next, by whom, and when waiting items move on: the rules' names and their settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from servsim.model.base import Count, Duration, Id, Model, Positive
from servsim.model.distributions import AnyDistribution, Distribution
from servsim.model.errors import refuse
from servsim.registry import suggestion

RULES = ("fcfs", "lcfs", "priority", "edd", "slack", "sjf", "random", "head_start", "ageing", "accumulating",
         "least_remaining")  # fmt: skip
ASSIGNMENTS = ("longest_idle", "least_utilised", "fastest", "slowest", "fixed", "random")


UNINTERRUPTED = ("fcfs", "random", "accumulating")
"""Rules under which nobody is interrupted: who comes later does not go first."""


def _named(what: str, known: tuple[str, ...]) -> BeforeValidator:
    def read(value: Any) -> str:
        if value not in known:
            raise ValueError(f"there is no {what} '{value}'{suggestion(str(value), known)}")
        return str(value)

    return BeforeValidator(read)


Rule = Annotated[str, _named("dispatch rule", RULES)]
Assignment = Annotated[str, _named("assignment rule", ASSIGNMENTS)]


class Escalation(Model):
    """An item that has waited `after` (drawn for each item, if it is a distribution) in its queue moves to that of the
    skill `to`."""

    after: AnyDistribution
    to: Id


def _escalation(value: Any) -> Any:
    return value if value is False else Escalation.model_validate(value)


class Alert(Model):
    """An item not started `after` it was offered is reported; nothing else follows from it."""

    after: Duration


def _alert(value: Any) -> Any:
    return value if value is False else Alert.model_validate(value)


class HoldBack(Model):
    """Cases of a priority above `priority` are started only while more than `keep` eligible workers are idle."""

    priority: Positive = 1
    keep: Positive


def _hold_back(value: Any) -> Any:
    return value if value is False else HoldBack.model_validate(value)


def _some_time(value: int) -> int:
    if value <= 0:
        raise ValueError("must be more than no time at all; who may take everything at once needs only the skill")
    return value


class Overflow(Model):
    """Workers of the pool `to` may take items of the queue that have waited `after`, any item while `waiting` wait
    there, or any while nobody of the other pools is on duty (`when`). One of those given suffices."""

    to: Id
    after: Annotated[Duration, AfterValidator(_some_time)] | None = None
    waiting: Positive | None = None
    when: Literal["nobody_on_duty"] | None = None

    @model_validator(mode="after")
    def _a_condition(self) -> Self:
        if self.after is None and self.waiting is None and self.when is None:
            told = "says not when: give `after: 5 min`, `waiting: 3` or `when: nobody_on_duty`"
            raise refuse(((), f"{told} (without a condition the skill in the pool suffices)"))
        return self


def _overflows(value: Any) -> Any:
    """One may stand without a list; `false` for none."""
    if value is False:
        return ()
    return value if isinstance(value, list | tuple) else (Overflow.model_validate(value),)


Preempt = Literal["resume", "restart"]
Victim = Literal["latest_started", "earliest_started"]


class TeamDispatch(Model):
    """What differs for one skill; what is not given (or null) is that of all. `false` for `escalate`,
    `preempt`, `alert`, `hold_back` and `overflow`: never."""

    rule: Rule | None = None
    assignment: Assignment | None = None
    delay: AnyDistribution | None = None
    ageing: Duration | None = None
    escalate: Annotated[Escalation | Literal[False], BeforeValidator(_escalation)] | None = None
    alert: Annotated[Alert | Literal[False], BeforeValidator(_alert)] | None = None
    hold_back: Annotated[HoldBack | Literal[False], BeforeValidator(_hold_back)] | None = None
    preempt: Preempt | Literal[False] | None = None
    victim: Victim | None = None
    rework_first: bool | None = None
    backfilling: bool | None = None
    """An item that waits for several workers holds nobody up."""
    waiting_places: Count | None = None
    """Who is offered, cannot be served at once and finds so many waiting leaves, or tries again (`redial`)."""
    overflow: Annotated[tuple[Overflow, ...], BeforeValidator(_overflows)] | None = None


@dataclass(frozen=True)
class Policy:
    """The settings that hold for one skill."""

    hold_back: HoldBack | None
    alert: int | None

    rule: str
    assignment: str
    delay: Distribution | None
    ageing: int | None
    escalate: Escalation | None
    preempt: Preempt | None
    victim: Victim
    backfilling: bool
    rework_first: bool


class Dispatch(Model):
    """The rules of all skills. `delay`: from enabled to offered; `ageing`: the wait worth one priority class.

    `preempt`: who comes first interrupts, and interrupted work is resumed or begun again; among items in hand of the
    same rank, `victim` is interrupted. `backfilling`: who waits for several workers holds nobody up.
    `rework_first`: what comes to its step again goes before what comes for the first time.
    """

    rule: Rule = "fcfs"
    assignment: Assignment = "longest_idle"
    delay: AnyDistribution | None = None
    ageing: Duration | None = None
    escalate: Escalation | None = None
    alert: Alert | None = None
    hold_back: HoldBack | None = None
    preempt: Preempt | None = None
    victim: Victim = "latest_started"
    backfilling: bool = False
    rework_first: bool = False
    teams: dict[Id, TeamDispatch] = Field(default_factory=dict)

    def chain(self, skill: str) -> tuple[str, ...]:
        """The queues in which an item of the skill may come to wait, one after the other."""
        chain: list[str] = []
        while skill not in chain:
            chain.append(skill)
            escalate = self.for_skill(skill).escalate
            skill = escalate.to if escalate else skill
        return tuple(chain)

    def for_skill(self, skill: str) -> Policy:
        """The settings of a skill: its own where given, else those of all."""
        team = self.teams.get(skill, TeamDispatch())
        escalate = self.escalate if team.escalate is None else team.escalate or None
        if escalate is not None and escalate.to == skill and team.escalate is None:
            escalate = None
        rule = team.rule or self.rule
        preempt = self.preempt if team.preempt is None else team.preempt or None
        alert = self.alert if team.alert is None else team.alert or None
        return Policy(
            rule=rule,
            assignment=team.assignment or self.assignment,
            delay=team.delay if team.delay is not None else self.delay,
            ageing=team.ageing if team.ageing is not None else self.ageing,
            escalate=escalate,
            alert=alert.after if alert else None,
            hold_back=self.hold_back if team.hold_back is None else team.hold_back or None,
            preempt=None if rule in UNINTERRUPTED else preempt,
            victim=team.victim or self.victim,
            backfilling=self.backfilling if team.backfilling is None else team.backfilling,
            rework_first=self.rework_first if team.rework_first is None else team.rework_first,
        )
