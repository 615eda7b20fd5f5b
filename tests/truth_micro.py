"""A deterministic statement (micro.json) as a scenario, and its log compared with the one expected."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from pydantic import ValidationError
from truth_words import (
    DAY,
    Json,
    NotStatedError,
    Piece,
    Week,
    agent_id,
    by_day,
    composed,
    hours,
    known,
    name,
    span,
    time_of_day,
    without_nulls,
)

from servsim.model import Scenario
from servsim.quantities import MINUTE
from servsim.records import Outcome, Run, State
from servsim.simulate import simulate

START = "2026-03-02"
MODEL_KEYS = ("agents", "teams", "steps", "cases", "business_hours", "outages", "tick", "horizon", "delivered_after",
              "sla")  # fmt: skip
AGENT_KEYS = ("name", "team", "shifts", "breaks", "skills", "max_concurrent", "sharing", "floating")
STEP_KEYS = ("name", "type", "team", "discipline", "next", "times", "capacity", "submission_deadline_before",
             "patience", "escalate", "overflow", "waiting_places", "system_capacity", "blocked", "preemption_victim",
             "clock_stops", "rework_first", "backfilling", "branches", "join")  # fmt: skip
CASE_KEYS = ("name", "arrival", "first_step", "service_times", "service_times_by_agent", "outcomes", "priority",
             "class", "due", "patience", "retry_after", "agents_required", "accumulation_rate")  # fmt: skip
RULES: dict[str, Json] = {
    "fcfs": {"rule": "fcfs"},
    "lcfs": {"rule": "lcfs"},
    "sjf": {"rule": "sjf"},
    "edd": {"rule": "edd"},
    "priority_nonpreemptive": {"rule": "priority"},
    "priority_preemptive_resume": {"rule": "priority", "preempt": "resume"},
    "priority_preemptive_restart": {"rule": "priority", "preempt": "restart"},
    "lcfs_preemptive_resume": {"rule": "lcfs", "preempt": "resume"},
    "accumulating_priority": {"rule": "accumulating"},
    "srpt": {"rule": "least_remaining", "preempt": "resume"},
    "processor_sharing": {"rule": "fcfs"},
}
VICTIMS = {"most_recently_started": "latest_started", "earliest_started": "earliest_started",
           "least_recently_started": "earliest_started"}  # fmt: skip
END_OF_SHIFT = {"exhaustive": "finish", "preemptive_resume": "suspend", "preemptive_restart": "restart",
                "no_late_start": "no_late_start"}  # fmt: skip
SELECTION = {"longest_idle": "longest_idle", "least_loaded": "longest_idle", "listed_order": "fixed",
             "skill_preference": "longest_idle"}  # fmt: skip
EFFECTS = {"preempt_resume": "resume", "preempt_repeat_identical": "restart", "preempt_restart": "restart"}
BUSINESS, WAIT = "business", "wait_in_business_hours"
EVENTS = {"arrival": "arrival", "arrival_at_step": "{} enabled", "start_of_step": "{} started",
          "end_of_step": "{} completed"}  # fmt: skip
LAST_DIGIT = 1e-5
"""Minutes: less than half a unit of what is written down where something does not end at a whole tick."""
Row = tuple[Any, ...]


def rows(case: Json) -> Iterator[Row]:
    """(id, metric, qualifiers, expected, simulated, error, ok, note) of the log and of each derived result."""
    try:
        told = Told(case)
        log = Log(told, simulate(Scenario.model_validate(told.scenario()), seed=1))
    except NotStatedError as error:
        yield case["id"], "log", "", "log", None, None, False, f"not stated: {error}"
        return
    except ValidationError as error:
        text = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        yield case["id"], "log", "", "log", None, None, False, f"refused: {text}"
        return
    expected, found = _sorted(case["expected_segments"]), log.segments()
    same = _alike(expected, found)
    yield case["id"], "log", "", f"{len(expected)} segments", _said(expected, found), None, same
    for key, values in case.get("expected", {}).items():
        yield from log.derived(case["id"], key, values)
    for promise in case["model"].get("sla", []):
        yield from log.promise(case["id"], promise)


def _alike(expected: list[Row], found: list[Row]) -> bool:
    """The same, but for the last digit of thirds of a minute."""
    a, b = (sorted((*row[1:4], row[0], *row[4:]) for row in rows) for rows in (expected, found))
    return _same([list(row) for row in a], [list(row) for row in b])


def _said(expected: list[Row], found: list[Row]) -> str:
    if _alike(expected, found):
        return "the same"
    return f"missing {[e for e in expected if e not in found]}, instead {[f for f in found if f not in expected]}"


def _sorted(segments: list[Json]) -> list[Row]:
    return sorted(
        (float(s["from"]), s["case"], s["step"], s["agent"], float(s["to"]), s["end"]) for s in segments
    )


# ------------------------------------------------------------------ statement → scenario


class Told:
    """One statement and how it is written as a scenario."""

    def __init__(self, case: Json) -> None:
        self.model: Json = {"agents": [], "teams": [], "steps": [], "cases": []} | without_nulls(case["model"])
        for agent in self.model["agents"]:
            agent.setdefault("shifts", [])
        for one in self.model["cases"]:
            one.setdefault("service_times", {})
        known(self.model, MODEL_KEYS, "model")
        for agent in self.model["agents"]:
            known(agent, AGENT_KEYS, "agents")
        for step in self.model["steps"]:
            known(step, STEP_KEYS, "steps")
        for one in self.model["cases"]:
            known(one, CASE_KEYS, "cases")
        self.steps: dict[str, Json] = {step["name"]: step for step in self.model["steps"]}
        self.teams: dict[str, Json] = {team["name"]: team for team in self.model["teams"]}
        self.cases: dict[str, Json] = {one["name"]: one for one in self.model["cases"]}
        self.agents: dict[str, Json] = {agent["name"]: agent for agent in self.model["agents"]}
        self.paths = {one: self.path(of) for one, of in self.cases.items()}

    def scenario(self) -> Json:
        end = self.end()
        days = [day for pieces in self.spans() for day in by_day(pieces)]
        days += list(by_day(self.business()))
        self.week = Week(days, math.ceil(end / DAY), START)
        pools, shifts, workers = self.staff()
        return {
            "name": "truth",
            "clock": {
                "start": START,
                "horizon": span(end),
                "exceptions": self.week.exceptions,
            },
            "departments": {"office": {}},
            "pools": pools or {"nobody": {"department": "office"}},
            "shifts": shifts,
            "workers": workers,
            "systems": self.systems(),
            "calendars": self.calendars(),
            "case_classes": {name(one): self.case_class(of) for one, of in self.cases.items()},
            "demand": {"cases": {"arrivals": {"kind": "listed", "cases": self.listed()}}},
            "processes": {name(one): self.process(of) for one, of in self.cases.items()},
            "dispatch": {"teams": self.rules()},
        }

    # -------------------------------------------------------------- time
    def spans(self) -> list[list[Piece]]:
        found = [[(s["from"], s["to"]) for s in agent["shifts"]] for agent in self.agents.values()]
        found += [[(at, at + 1) for at in step.get("times", ())] for step in self.steps.values()]
        return found

    def business(self) -> list[Piece]:
        return [(float(h["from"]), float(h["to"])) for h in self.model.get("business_hours", ())]

    def calendars(self) -> Json:
        """The business hours; days with the hours of the first one, and the others."""
        days = {self.week.types[day]: [hours(part) for part in parts] for day, parts in by_day(self.business()).items()}
        if not days:
            return {}
        first = next(iter(days.values()))
        same = [day for day, spans in days.items() if spans == first]
        return {BUSINESS: {"days": same, "hours": first, "also": {d: s for d, s in days.items() if d not in same}}}

    def end(self) -> float:
        """When everything is over, with room to spare."""
        last = max((to for pieces in self.spans() for _, to in pieces), default=0.0)
        last = max([last, *(of["arrival"] for of in self.cases.values())])
        work = sum(sum(times) for of in self.cases.values() for times in of["service_times"].values())
        return math.ceil((last + work) / DAY + 1) * DAY

    # -------------------------------------------------------------- staff
    def staff(self) -> tuple[Json, Json, Json]:
        pools: Json = {}
        shifts: Json = {}
        workers: Json = {}
        for agent in self.agents.values():
            pool = self.pool(agent)
            pools[pool] = {
                "department": "office",
                "skills": self.skills(agent),
                "end_of_shift": self.end_of_shift(agent["team"]),
            }
            pools[pool] |= self.needs(agent) | self.reserve(agent) | self.at_once(agent)
            if agent.get("floating"):
                continue
            pieces = [(float(s["from"]), float(s["to"])) for s in agent["shifts"]]
            breaks = [_break(of) for of in agent.get("breaks", ())]
            own = self.week.shifts(composed("shift", agent["name"]), pieces, breaks)
            shifts |= own
            workers[agent_id(agent["name"])] = {"pool": pool, "shifts": list(own)}
        return pools, shifts, workers

    def at_once(self, agent: Json) -> Json:
        """How many cases the agent has in hand; no more can come than there are."""
        shares, limit = agent.get("sharing"), agent.get("max_concurrent")
        if shares not in (None, "none", "equal"):
            raise NotStatedError(f"agents.sharing {shares}")
        disciplines = [step.get("discipline") for step in self.serving(agent["team"])]
        shares = shares == "equal" or "processor_sharing" in disciplines
        limit = int(limit or (min(200, len(self.cases)) if shares else 1))
        if limit == 1:
            return {}
        return {"at_once": {"cases": limit, **({"sharing": "equal"} if shares else {})}}

    def needs(self, agent: Json) -> Json:
        """The outages of a team are those of a system that its agents need."""
        own = [f"outage_{k}" for k, of in enumerate(self.model.get("outages", ())) if self.is_hit(agent, of)]
        return {"needs": own} if own else {}

    def is_hit(self, agent: Json, outage: Json) -> bool:
        return bool(outage.get("team", agent["team"]) == agent["team"])

    def systems(self) -> Json:
        found: Json = {}
        for k, of in enumerate(self.model.get("outages", ())):
            known(of, ("from", "to", "team", "effect_on_work"), "outages")
            effect = of.get("effect_on_work", "preempt_resume")
            if effect not in EFFECTS:
                raise NotStatedError(f"effect_on_work {effect}")
            dated = {"from": _instant(of["from"]), "to": _instant(of["to"])}
            found[f"outage_{k}"] = {"dated": {"once": dated}, "effect": EFFECTS[effect]}
        return found

    def reserve(self, agent: Json) -> Json:
        floating = agent.get("floating")
        if not floating:
            return {}
        known(floating, ("call_when_waiting_at_least", "travel", "release_when_idle_and_queue_empty"), "floating")
        if agent.get("shifts"):
            raise NotStatedError("agents.floating with shifts")
        goes = floating.get("release_when_idle_and_queue_empty", True)
        called = {"waiting": int(floating["call_when_waiting_at_least"])}
        stay = {} if goes else {"stay": span(self.end())}
        return {"reserve": {"headcount": 1, "call": called, "delay": span(floating.get("travel", 0)), **stay}}

    def end_of_shift(self, team: str) -> str:
        rule = self.teams[team].get("end_of_shift", "exhaustive")
        if rule not in END_OF_SHIFT:
            raise NotStatedError(f"teams.end_of_shift {rule}")
        return END_OF_SHIFT[rule]

    def overflow(self, step: Json, skill: str) -> Json:
        """The pools that the agents of the other team make up."""
        if not step.get("overflow"):
            return {}
        known(step["overflow"], ("after_waiting", "to_team"), "overflow")
        to, after = step["overflow"]["to_team"], step["overflow"]["after_waiting"]
        if to == step["team"]:
            return {}
        agents = [agent for agent in self.agents.values() if agent["team"] == to]
        pools = dict.fromkeys(self.pool(agent) for agent in agents if skill in self.skills(agent))
        return {"overflow": [{"to": pool, "after": span(after)} for pool in pools]}

    def pool(self, agent: Json) -> str:
        """Agents of a team who are alike and listed one after the other are one pool, so that all agents stand in the
        order in which they are listed."""
        before: list[Any] = []
        for first in self.agents.values():
            kind = [first["team"], sorted((first.get("skills") or {}).items()), self.at_once(first)]
            kind += [first["name"]] if first.get("floating") else []
            before = before if before[1:] == kind else [first["name"], *kind]
            if first["name"] == agent["name"]:
                break
        return composed("pool", *before)

    def serving(self, team: str) -> list[Json]:
        return [step for step in self.model["steps"] if step["type"] == "service" and step["team"] == team]

    def by_class(self, team: str) -> bool:
        """The classes of the team's cases have queues of their own."""
        return any("skills" in agent for agent in self.agents.values() if agent["team"] == team)

    def skill(self, step: Json, one: Json) -> str:
        team, sharing = step["team"], self.serving(step["team"])
        keys = ("discipline", "overflow", "backfilling", "rework_first", "escalate", "waiting_places",
                "system_capacity", "preemption_victim")  # fmt: skip
        together = len({str([step.get(key) for key in keys]) for step in sharing}) == 1
        own = "" if together else f"_{step['name']}"
        return composed("queue", team, own, one.get("class") if self.by_class(team) else "")

    def skills(self, agent: Json) -> Json:
        able = agent.get("skills")
        found: Json = {}
        helped = [step for step in self.steps.values() if (step.get("overflow") or {}).get("to_team") == agent["team"]]
        for step in (*self.serving(agent["team"]), *helped):
            for one in self.cases.values():
                if able is None or one.get("class") in able:
                    place = 1 if able is None else able[one.get("class")]
                    found.setdefault(self.skill(step, one), {"preference": min(100, place + 10 * (step in helped))})
        return found or {composed(agent["team"], "nothing"): {}}

    def rules(self) -> Json:
        found: Json = {}
        for step in self.steps.values():
            if step["type"] != "service":
                continue
            discipline, chosen = step.get("discipline", "fcfs"), self.teams[step["team"]].get("agent_selection")
            if discipline not in RULES:
                raise NotStatedError(f"discipline {discipline}")
            if chosen is not None and chosen not in SELECTION:
                raise NotStatedError(f"teams.agent_selection {chosen}")
            rule = {**RULES[discipline], "assignment": SELECTION[chosen or "longest_idle"]}
            rule |= self.waiting_places(step) | self.escalation(step) | self.backfilling(step)
            rule |= {"rework_first": True} if step.get("rework_first") else {}
            rates = {one.get("accumulation_rate") for one in self.cases.values()}
            if discipline == "accumulating_priority" and len(rates) < 2:
                rule["rule"] = "fcfs"
            if "preemption_victim" in step:
                if step["preemption_victim"] not in VICTIMS:
                    raise NotStatedError(f"preemption_victim {step['preemption_victim']}")
                rule["victim"] = VICTIMS[step["preemption_victim"]]
            for agent in self.agents.values():
                if agent["team"] == step["team"]:
                    own = {self.skill(step, one) for one in self.cases.values()} & set(self.skills(agent))
                    found |= {skill: rule | self.overflow(step, skill) for skill in sorted(own)}
        return found

    def backfilling(self, step: Json) -> Json:
        here = (one for name, one in self.cases.items() if step["name"] in self.paths[name])
        several = any(self.workers(step, one) > 1 for one in here)
        return {"backfilling": True} if step.get("backfilling") and several else {}

    def workers(self, step: Json, one: Json) -> int:
        """Agents at once, at every step of the case or by step."""
        needs = one.get("agents_required") or 1
        return int(needs.get(step["name"], 1) if isinstance(needs, dict) else needs)

    def escalation(self, step: Json) -> Json:
        if not step.get("escalate") or self.goes_on_elsewhere(step):
            return {}
        to, after = self.steps[step["escalate"]["to"]], step["escalate"]["after_waiting"]
        return {"escalate": {"after": span(after), "to": self.skill(to, {})}}

    def goes_on_elsewhere(self, step: Json) -> bool:
        """What is escalated from the step does not go on like what is not."""
        if not step.get("escalate"):
            return False
        to = self.steps[step["escalate"]["to"]]
        told = any({step["name"], to["name"]} & set(of.get("outcomes", {})) for of in self.cases.values())
        told = told or any(len(set(of["service_times"].get(to["name"], ()))) > 1 for of in self.cases.values())
        alike = to["type"] == "service" and to.get("next", "exit") == step.get("next", "exit")
        return told or not alike or self.by_class(to["team"]) or bool(to.get("escalate"))

    def own_times(self, step: Json, of: Json) -> Json:
        """Times of agents, and of the team to which the step's cases are escalated."""
        own: Json = {}
        for agent, times in of.get("service_times_by_agent", {}).get(step["name"], {}).items():
            own[agent_id(agent)] = self.one_time(times)
        to = self.steps[step["escalate"]["to"]] if self.escalation(step) else None
        if to is not None and to["name"] in of["service_times"]:
            time = self.one_time(of["service_times"][to["name"]])
            own |= {self.pool(agent): time for agent in self.agents.values() if agent["team"] == to["team"]}
        return own

    def one_time(self, times: list[float]) -> str:
        if len(set(times)) > 1:
            raise NotStatedError("other times of an agent at later visits")
        return span(times[0])

    def waiting_places(self, step: Json) -> Json:
        """`system_capacity` counts those who are served too."""
        agents = [agent for agent in self.agents.values() if agent["team"] == step["team"]]
        served = sum(self.at_once(agent).get("at_once", {"cases": 1})["cases"] for agent in agents)
        if step.get("waiting_places") is not None:
            return {"waiting_places": int(step["waiting_places"])}
        if step.get("system_capacity") is not None and any(self.workers(step, of) > 1 for of in self.cases.values()):
            raise NotStatedError("steps.system_capacity with agents_required")
        if step.get("system_capacity") is not None:
            return {"waiting_places": max(0, int(step["system_capacity"]) - served)}
        return {}

    # -------------------------------------------------------------- cases
    def path(self, of: Json) -> dict[str, list[str]]:
        """The ways that the case goes from each step, visit by visit."""
        if any(map(self.goes_on_elsewhere, self.steps.values())):
            return self.possible_ways(of)
        ways: dict[str, list[str]] = {}
        ahead = [of["first_step"]]
        while ahead:
            step = ahead.pop(0)
            if step == "exit":
                continue
            here = self.steps[step]
            if here["type"] == "fork":
                ways.setdefault(step, [])
                ahead += here["branches"]
                continue
            if here["type"] == "join" and step in ways:
                continue  # the other branches come here too
            outcomes = of.get("outcomes", {}).get(step, [])
            visit = len(ways.setdefault(step, []))
            way = outcomes[visit] if visit < len(outcomes) else here.get("next", "exit")
            ways[step].append(way)
            if visit > 10_000:
                raise NotStatedError("a case that never ends")
            ahead.append(way)
        return ways

    def possible_ways(self, of: Json) -> dict[str, list[str]]:
        """The same where nobody knows beforehand where the case goes: what holds for the first visit, the next …"""
        ways: dict[str, list[str]] = {}
        ahead = [of["first_step"]]
        while ahead:
            step = ahead.pop()
            if step == "exit" or step in ways:
                continue
            here, outcomes = self.steps[step], of.get("outcomes", {}).get(step, [])
            fork = here["type"] == "fork"
            ways[step] = [] if fork else [*outcomes, here.get("next", "exit")]
            ahead += here["branches"] if fork else ways[step]
            ahead += [here["escalate"]["to"]] if here.get("escalate") else []
        return ways

    def case_class(self, of: Json) -> Json:
        written: Json = {"process": name(of["name"]), "priority": int(of.get("priority", 1))}
        if "accumulation_rate" in of:
            written["accumulation"] = of["accumulation_rate"]
        if "due" in of:
            limit = {"limit": span(of["due"] - of["arrival"] + self.put_off())}
            written["promises"] = {"first_response": limit, "resolution": limit}
        if self.business() and self.steps[of["first_step"]]["type"] == "service":
            first = f"{name(of['first_step'])} started"
            written.setdefault("promises", {})[WAIT] = {"to": first, "limit": "1 min", "clock": BUSINESS}
        for promise in self.model.get("sla", ()):
            if promise["case"] == of["name"]:
                written.setdefault("promises", {})[composed("sla", promise["name"])] = self.promise(promise)
        retries = [step for step in self.paths[of["name"]] if self.steps[step].get("blocked") == "retry"]
        if retries and "retry_after" in of:
            written["redial"] = {"after": span(of["retry_after"])}
        patience = self.patience(of)
        if patience is not None:
            written["patience"] = span(patience)
        return written

    def put_off(self) -> float:
        """What was due before it came is late at once: all are due so much later, which leaves their order."""
        return max([0.0, *(1 + of["arrival"] - of["due"] for of in self.cases.values() if "due" in of)])

    def promise(self, of: Json) -> Json:
        """Kept when the case leaves; a step that it never comes to cannot stop the clock."""
        known(of, ("case", "name", "clock", "from", "target", "stops_in", "expected"), "sla")
        event, way = of["from"]["event"], self.paths[of["case"]]
        if event not in EVENTS or of["clock"] not in ("business", "calendar"):
            raise NotStatedError(f"sla.from {event}, clock {of['clock']}")
        return {
            "from": EVENTS[event].format(*(name(of["from"][key]) for key in ("step",) if key in of["from"])),
            "to": "leaving",
            "limit": span(of["target"]),
            "clock": BUSINESS if of["clock"] == "business" else "calendar",
            "pauses_in": [name(step) for step in of.get("stops_in", ()) if step in way],
        }

    def patience(self, of: Json) -> float | None:
        if "patience" in of:
            return float(of["patience"])
        first = self.steps[of["first_step"]]
        elsewhere = [s for s in self.paths[of["name"]] if "patience" in self.steps[s] and s != first["name"]]
        if elsewhere:
            raise NotStatedError("steps.patience after the first step")
        return float(first["patience"]) if "patience" in first else None

    def listed(self) -> Json:
        return {name(one): self.written(one, of) for one, of in self.cases.items()}

    def written(self, one: str, of: Json) -> Json:
        ways = {self.verdict(step): [_target(way) for way in ways] for step, ways in self.paths[one].items() if ways}
        work = {
            name(step): [span(t) for t in times]
            for step, times in of["service_times"].items()
            if step in self.paths[one]
        }
        return {
            "at": span(of["arrival"]),
            "case_class": name(one),
            "work": work,
            "next": ways,
        }

    def verdict(self, step: str) -> str:
        """The id of the step from which the case goes on."""
        return composed("done", step) if self.goes_on_elsewhere(self.steps[step]) else name(step)

    def process(self, of: Json) -> Json:
        steps = {name(step): self.step(step, ways, of) for step, ways in self.paths[of["name"]].items()}
        for step, ways in self.paths[of["name"]].items():
            if self.goes_on_elsewhere(self.steps[step]):
                steps[self.verdict(step)] = {"kind": "delay", "time": "0 min", "next": _next(ways)}
        first = name(of["first_step"])
        if steps[first]["kind"] in ("task", "approval"):
            steps[first]["responds"] = True
        return {"start": first, "steps": steps}

    def step(self, step: str, ways: list[str], of: Json) -> Json:
        here = self.steps[step]
        if here["type"] == "fork":
            return {"kind": "parallel", "branches": [name(b) for b in here["branches"]], "join": name(here["join"])}
        onward: Json = {"next": _next(ways)}
        if here["type"] == "join":
            return {"kind": "join", **onward}
        if here["type"] == "delay":
            return {"kind": "delay", "time": "0 min", **onward}
        if here["type"] == "meeting":
            return {"kind": "meeting", **self.agenda(here), **onward}
        if here["type"] != "service":
            raise NotStatedError(f"steps.type {here['type']}")
        own = self.own_times(here, of)
        work = {"skill": self.skill(here, of), "time": "0 min", "times": own, "workers": self.workers(here, of)}
        if self.goes_on_elsewhere(here):  # who is silent sends the case there; whoever works at it sends it on
            silence = {"after": span(here["escalate"]["after_waiting"]), "then": "approve"}
            back = {"return": 1.0, "return_to": self.verdict(step), "rounds": 1000, "silence": silence}
            return {"kind": "approval", **work, **back, "next": name(here["escalate"]["to"])}
        return {"kind": "task", **work, **onward}

    def agenda(self, step: Json) -> Json:
        times = by_day([(at, at + 1e-6) for at in step["times"]])
        written = {self.week.types[day]: [time_of_day(round(a, 6)) for a, _ in parts] for day, parts in times.items()}
        return {
            "committee": name(step["name"]),
            "by_day": {"holiday": []} | written,
            "seats": step.get("capacity"),
            "deadline": span(step.get("submission_deadline_before", 0)),
        }


def _target(way: str) -> str:
    return "end" if way == "exit" else name(way)


def _next(ways: list[str]) -> dict[str, float]:
    return {_target(way): float(way == ways[-1]) for way in dict.fromkeys(ways)}


def _instant(minute: float) -> str:
    return str(dt.datetime.fromisoformat(START) + dt.timedelta(minutes=minute))


def _break(of: Json) -> tuple[float, float, str]:
    return float(of["planned_start"]), float(of["duration"]), of["mode"]


# ------------------------------------------------------------------ log → what is expected of it


class Log:
    """The run of a statement, in its words: minutes and names."""

    def __init__(self, told: Told, run: Run) -> None:
        self.told, self.run = told, run
        work, log = run.workload, run.log
        cases = list(told.cases)
        order = sorted(range(len(cases)), key=lambda i: told.cases[cases[i]]["arrival"])
        self.cases = [cases[i] for i in order]
        self.names = {name(text): text for text in told.steps} | {agent_id(text): text for text in told.agents}
        self.step = [self.names.get(text.split(".", 1)[-1], text) for text in work.steps.names]
        floating = {f"{told.pool(agent)}.reserve.1": who for who, agent in told.agents.items() if agent.get("floating")}
        self.agents = [floating.get(worker) or self.names.get(worker, worker) for worker in run.plan.workers]
        if len(run.plan.worker_person):  # places of one person
            self.agents = [self.agents[person] for person in run.plan.worker_person]
        self.items = [i for i in range(work.n_items) if log.enabled_at[i] >= 0]

    def at(self, tick: Any) -> float:
        return round(float(tick) / MINUTE, 9)

    def step_of(self, item: int) -> str:
        return self.step[self.run.workload.step[item]]

    def step_worked_at(self, item: int, begin: int) -> str:
        """What was escalated before it was taken up is at the step to which it was."""
        log, step = self.run.log, self.step_of(item)
        for other, at in zip(log.escalated_item.tolist(), log.escalated_at.tolist(), strict=True):
            if other == item and at <= begin:
                step = self.told.steps[step]["escalate"]["to"]
        return step

    def escalated(self, _: Any) -> dict[str, float]:
        log, case = self.run.log, self.run.workload.case
        items, at = [*log.escalated_item, *log.silent_item], [*log.escalated_at, *log.silent_at]
        return {self.cases[case[i]]: self.at(tick) for i, tick in zip(items, at, strict=True)}

    def segments(self) -> list[Row]:
        item, worker, begin, end = self.run.stretches()
        completed = self.run.log.completed_at
        horizon = self.told.model.get("horizon", math.inf)
        found = []
        for i, w, a, b in zip(item.tolist(), worker.tolist(), begin.tolist(), end.tolist(), strict=True):
            case = self.cases[self.run.workload.case[i]]
            how = "completed" if b == completed[i] else "interrupted"
            if self.at(a) < horizon and (a < b or how == "completed"):  # who starts and stops at once has done nothing
                found.append((self.at(a), case, self.step_worked_at(i, a), self.agents[w], self.at(b), how))
        return sorted(found)

    # -------------------------------------------------------------- visits
    def visits(self, case: str, step: str | None = None) -> list[int]:
        """Items of the case at the step, in order; without a step: those at which it queues."""
        queues = {s["name"] for s in self.told.steps.values() if s["type"] in ("service", "meeting")}
        number = self.cases.index(case)
        return [
            i
            for i in self.items
            if self.run.workload.case[i] == number
            and (self.step_of(i) == step or (step is None and self.step_of(i) in queues))
        ]

    def wait(self, item: int) -> float:
        return self.at(self.run.log.started_at[item] - self.run.log.offered_at[item])

    def left(self, case: str) -> float:
        return self.at(self.run.log.left_at[self.cases.index(case)])

    def outcome(self, how: str) -> dict[str, float]:
        outcome = getattr(Outcome, how, None)
        return {
            case: self.left(case) for k, case in enumerate(self.cases) if outcome is not None
            and self.run.log.outcome[k] == outcome
        }  # fmt: skip

    # -------------------------------------------------------------- expected
    def derived(self, case: str, key: str, values: Any) -> Iterator[Row]:
        if key in WHOLE:
            found = WHOLE[key](self, values)
            yield case, key, "", values, found, None, _same(values, found), ""
        elif key in BY_NAME:
            for one, value in values.items():
                found = BY_NAME[key](self, one, value)
                yield case, key, one, value, found, None, _same(value, found), ""
        else:
            yield case, key, "", values, None, None, False, f"not stated: expected.{key}"

    def overtime(self, agent: str, _: Any) -> float:
        """Minutes of work outside the shifts."""
        shifts = self.told.agents[agent]["shifts"]
        total = 0.0
        for a, _c, _s, who, b, _e in self.segments():
            if who == agent:
                total += b - a - sum(max(0.0, min(b, s["to"]) - max(a, s["from"])) for s in shifts)
        return round(total, 9)

    def completed_same_day(self, _: Any) -> int:
        ends = [(self.told.cases[c]["arrival"], self.left(c)) for c in self.cases if self.left(c) >= 0]
        return sum(a // DAY == b // DAY for a, b in ends)

    def breaks_taken(self, agent: str, _: Any) -> list[list[float]]:
        """From when the break is due and nothing is in hand any more, for its length."""
        found = []
        for of in self.told.agents[agent].get("breaks", ()):
            due = of["planned_start"]
            in_hand = [b for a, _c, _s, who, b, _e in self.segments() if who == agent and a < due < b]
            begin = max([due, *in_hand]) if of["mode"] == "postpone" else due
            found.append([begin, begin + of["duration"]])
        return found

    def floater_present(self, agent: str, _: Any) -> list[list[float]]:
        log = self.run.log
        rows = zip(log.reserve_worker.tolist(), log.reserve_from, log.reserve_to, strict=True)
        return [[self.at(a), self.at(b)] for w, a, b in rows if self.agents[w] == agent]

    def time_averages(self, values: Json) -> Json:
        until = values["until"]
        waits = [(self.at(self.run.log.offered_at[i]), self.started(i)) for c in self.cases for i in self.visits(c)]
        queue = sum(max(0.0, min(b, until) - min(a, until)) for a, b in waits)
        busy = sum(max(0.0, min(b, until) - min(a, until)) for a, _, _, _, b, _ in self.segments())
        found = {"mean_queue_length": queue / until, "utilisation": busy / until / len(self.agents)}
        return {key: until if key == "until" else found.get(key) for key in values}

    def started(self, item: int) -> float:
        tick = self.run.log.started_at[item]
        return self.at(tick) if tick >= 0 else math.inf

    def worked(self, agent: str, _: Any) -> float:
        return float(sum(b - a for a, _c, _s, who, b, _e in self.segments() if who == agent))

    def present(self, agent: str) -> float:
        return float(sum(shift["to"] - shift["from"] for shift in self.told.agents[agent]["shifts"]))

    def interruptions(self, case: str, _: Any) -> int:
        return sum(c == case and how == "interrupted" for _a, c, _s, _w, _b, how in self.segments())

    def late(self, case: str, _: Any) -> float:
        return max(0.0, self.left(case) - self.told.cases[case]["due"])

    def work_share(self, case: str, _: Any) -> float:
        work = sum(b - a for a, c, _, _, b, _ in self.segments() if c == case)
        return work / (self.left(case) - self.told.cases[case]["arrival"])

    def end_of(self, case: str, step: str) -> float:
        """When the last visit to the step was completed."""
        return self.at(self.run.log.completed_at[self.visits(case, step)[-1]])

    def joined(self, case: str, _: Any) -> float:
        joins = [step["name"] for step in self.told.steps.values() if step["type"] == "join"]
        return max(self.end_of(case, step) for step in joins if self.visits(case, step))

    def attempts(self, case: str, _: Any) -> int:
        number = self.cases.index(case)
        return 1 + int(np.sum(self.run.workload.case[self.run.log.blocked_item] == number))

    def passes(self, case: str, _: Any) -> int:
        return max(Counter(self.step_of(i) for i in self.visits(case)).values())

    def business_wait(self, case: str, _: Any) -> float:
        """Open time until the first start, on the clock of a promise of nothing else."""
        course = self.run.courses[self.run.workload.promises.index(WAIT)]
        return self.at(course.elapsed[self.cases.index(case)])

    # -------------------------------------------------------------- promises
    def promise(self, case: str, of: Json) -> Iterator[Row]:
        """Due, elapsed, met and late by, as servsim says."""
        number, course = self.cases.index(of["case"]), self.run.workload.promises.index(composed("sla", of["name"]))
        one = self.run.courses[course]
        elapsed = self.at(one.elapsed[number])
        found = {
            "due": self.at(one.due_at[number]),
            "elapsed": elapsed,
            "met": bool(one.state[number] == State.KEPT),
            "late_by": max(0.0, elapsed - of["target"]),
        }
        for key, value in of["expected"].items():
            yield case, "sla", f"{of['name']} {key}", value, found.get(key), None, _same(value, found.get(key)), ""


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, bool) or isinstance(found, bool) or expected is None or found is None:
        return expected == found
    if isinstance(expected, int | float):
        return isinstance(found, int | float | np.integer | np.floating) and math.isclose(
            expected, found, rel_tol=1e-9, abs_tol=LAST_DIGIT
        )
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(_same(v, found.get(k)) for k, v in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(_same, expected, found))
    return bool(expected == found)


BY_NAME = {
    "waits": lambda log, one, _: log.wait(log.visits(one)[0]),
    "completed": lambda log, one, _: log.left(one),
    "closed": lambda log, one, _: log.left(one),
    "delivered": lambda log, one, _: log.end_of(one, log.told.model["delivered_after"]),
    "response": lambda log, one, _: log.left(one) - log.told.cases[one]["arrival"],
    "overtime": Log.overtime,
    "floater_present": Log.floater_present,
    "breaks_taken": Log.breaks_taken,
    "tickets_by_agent": lambda log, one, _: len({s[1:3] for s in log.segments() if s[3] == one}),
    "waits_by_step": lambda log, one, value: {s: log.wait(log.visits(one, s)[0]) for s in value},
    "waits_by_visit": lambda log, one, _: [log.wait(i) for i in log.visits(one)],
    "visits": lambda log, one, value: {s: len(log.visits(one, s)) for s in value},
    "work_share_of_response": Log.work_share,
    "joined": Log.joined,
    "passes": Log.passes,
    "attempts": Log.attempts,
    "business_waits": Log.business_wait,
    "starts": lambda log, one, _: log.started(log.visits(one)[0]),
    "started": lambda log, one, _: log.started(log.visits(one)[0]),
    "responses": lambda log, one, _: log.left(one) - log.told.cases[one]["arrival"],
    "interruptions": Log.interruptions,
    "late_by": Log.late,
    "tardiness": Log.late,
    "busy": Log.worked,
    "worked": Log.worked,
    "utilisation": lambda log, one, _: log.worked(one, None) / log.present(one),
}
WHOLE = {
    "mean_wait": lambda log, _: float(np.mean([log.wait(log.visits(c)[0]) for c in log.cases])),
    "max_wait": lambda log, _: max(log.wait(log.visits(c)[0]) for c in log.cases),
    "last_completion": lambda log, _: max(log.left(c) for c in log.cases),
    "completed_same_day": Log.completed_same_day,
    "time_averages": Log.time_averages,
    "mean_wait_of": lambda log, v: {
        "cases": v["cases"], "value": sum(log.wait(log.visits(c)[0]) for c in v["cases"]) / len(v["cases"])
    },
    "abandoned": lambda log, _: log.outcome("ABANDONED"),
    "escalated": Log.escalated,
    "rejected": lambda log, _: log.outcome("TURNED_AWAY"),
}  # fmt: skip
