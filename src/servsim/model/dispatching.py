"""Who is served next, by whom, and when waiting items move on: the rules' names and their settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from servsim.model.base import Duration, Id, Model
from servsim.model.distributions import AnyDistribution, Distribution
from servsim.registry import suggestion

RULES = ("fcfs", "lcfs", "priority", "edd", "slack", "sjf", "random", "head_start", "ageing")
ASSIGNMENTS = ("longest_idle", "least_utilised", "fastest", "fixed", "random")


def _named(what: str, known: tuple[str, ...]) -> BeforeValidator:
    def read(value: Any) -> str:
        if value not in known:
            raise ValueError(f"there is no {what} '{value}'{suggestion(str(value), known)}")
        return str(value)

    return BeforeValidator(read)


Rule = Annotated[str, _named("dispatch rule", RULES)]
Assignment = Annotated[str, _named("assignment rule", ASSIGNMENTS)]


class Escalation(Model):
    """An item that has waited `after` in its queue moves to that of the skill `to`."""

    after: Duration
    to: Id


def _escalation(value: Any) -> Any:
    return value if value is False else Escalation.model_validate(value)


class TeamDispatch(Model):
    """What differs for one skill; what is not given (or null) is that of all. `escalate: false`: never."""

    rule: Rule | None = None
    assignment: Assignment | None = None
    delay: AnyDistribution | None = None
    ageing: Duration | None = None
    escalate: Annotated[Escalation | Literal[False], BeforeValidator(_escalation)] | None = None


@dataclass(frozen=True)
class Policy:
    """The settings that hold for one skill."""

    rule: str
    assignment: str
    delay: Distribution | None
    ageing: int | None
    escalate: Escalation | None


class Dispatch(Model):
    """The rules of all skills. `delay`: from enabled to offered; `ageing`: the wait worth one priority class."""

    rule: Rule = "fcfs"
    assignment: Assignment = "longest_idle"
    delay: AnyDistribution | None = None
    ageing: Duration | None = None
    escalate: Escalation | None = None
    teams: dict[Id, TeamDispatch] = Field(default_factory=dict)

    def for_skill(self, skill: str) -> Policy:
        """The settings of a skill: its own where given, else those of all."""
        team = self.teams.get(skill, TeamDispatch())
        escalate = self.escalate if team.escalate is None else team.escalate or None
        if escalate is not None and escalate.to == skill and team.escalate is None:
            escalate = None
        return Policy(
            rule=team.rule or self.rule,
            assignment=team.assignment or self.assignment,
            delay=team.delay if team.delay is not None else self.delay,
            ageing=team.ageing if team.ageing is not None else self.ageing,
            escalate=escalate,
        )
