"""A stochastic statement (battery.json) as a scenario."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from truth_words import (
    ALWAYS,
    DAY,
    DAYS,
    WEEK,
    Json,
    NotStatedError,
    Piece,
    Week,
    agent_id,
    batch_sizes,
    by_day,
    composed,
    distribution,
    hours,
    known,
    mean_of,
    name,
    rates_in_hand,
    repeated,
    span,
    time_of_day,
    with_cv,
    without_nulls,
)

START = "2026-03-02"
EXIT = "exit"
STAFFED = "staffed"
"""The calendar of the hours in which the team of the only queue is there, and the promise that counts waits on it."""
NOBODY: Json = {
    "case_classes": {"none": {"process": "none"}},
    "demand": {"none": {"case_class": "none", "arrivals": {"kind": "poisson", "rate": "0.001/min"}}},
    "processes": {"none": {"start": "wait", "steps": {"wait": {"kind": "delay", "time": "0 min", "next": "end"}}}},
}
"""Where a statement has no cases: some that concern nobody."""
AMPLE = 200
"""People where nobody is to wait."""
CASE_KEYS = ("id", "title", "description", "features", "model", "run", "expected", "accuracy", "published", "source")
MODEL_KEYS = ("classes", "steps", "teams", "initial_state", "closed_population", "outages")
CLASS_KEYS = ("name", "arrivals", "first_step", "priority", "accumulation_rate", "lead_time", "patience",
              "agents_required", "team_preference", "if_blocked", "if_abandoned")  # fmt: skip
ARRIVAL_KEYS = ("process", "rate", "rate_by_interval", "cycle", "daily_busyness_factor", "interarrival", "count",
                "batch_rate", "batch_size")  # fmt: skip
STEP_KEYS = ("name", "type", "next", "team", "teams", "service_time", "service_time_by_team", "service_time_by_agent",
             "discipline", "waiting_places", "escalate", "next_by_attempt", "duration", "branches", "join", "epochs",
             "capacity", "duration", "submission_deadline_before", "backfilling")  # fmt: skip
TEAM_KEYS = ("name", "agents", "staffing", "staffing_semantics", "agent_groups", "end_of_shift", "surplus_agent_rule",
             "last_shift", "agent_selection", "skills", "class_preference", "takes_work_if", "max_concurrent",
             "named_agents", "cycle")  # fmt: skip
RULES: dict[str, Json] = {
    "fcfs": {"rule": "fcfs"},
    "fcfs within class": {"rule": "fcfs"},
    "lcfs": {"rule": "lcfs"},
    "random": {"rule": "random"},
    "sjf": {"rule": "sjf"},
    "edd": {"rule": "edd"},
    "priority_nonpreemptive": {"rule": "priority"},
    "accumulating_priority": {"rule": "accumulating"},
    "priority_preemptive_resume": {"rule": "priority", "preempt": "resume"},
    "priority_preemptive_restart": {"rule": "priority", "preempt": "restart"},
    "lcfs_preemptive_resume": {"rule": "lcfs", "preempt": "resume"},
    "srpt": {"rule": "least_remaining", "preempt": "resume"},
    "processor_sharing": {"rule": "fcfs"},
}
EFFECTS = {"preempt_resume": "resume", "preempt_repeat_identical": "restart"}
CLOCKS = {"always": "always", "while_busy": "working"}
EVEN = ("least_loaded", "longest_idle", "random")
SELECTION = {"least_loaded": "longest_idle", "longest_idle": "longest_idle", "random": "random",
             "listed_order": "fixed", "fastest_first": "fixed", "slowest_first": "fixed"}  # fmt: skip
END_OF_SHIFT = {"exhaustive": "finish", "preemptive_resume": "suspend", "no_late_start": "no_late_start"}


def apart(pieces: Sequence[Piece]) -> list[Piece]:
    """What is covered by any of them, in order."""
    found: list[Piece] = []
    for begin, end in sorted(pieces):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


@dataclass(frozen=True)
class Model:
    """A statement as a mapping for Scenario.model_validate, and what its figures are measured by."""

    statement: Json
    run: Json
    scenario: Json
    cycle: float | None  # minutes after which everything comes again; None: steady state
    warm_up: float
    horizon: float
    open_hours: dict[str, tuple[list[Piece], float]] = field(default_factory=dict)  # by team: pieces, period
    step_of: dict[str, str] = field(default_factory=dict)  # id of the step that another one stands for
    class_of: dict[str, str] = field(default_factory=dict)  # id of the class that another one stands for

    def step(self, step: str) -> Json:
        return next(s for s in self.statement["steps"] if name(s["name"]) == step)

    @property
    def scale(self) -> float:
        """Minutes of work, on average: what is a small error of a wait."""
        times = [mean for step in self.statement["steps"] for mean in _means(step)]
        return max(times, default=1.0)


def _means(step: Json) -> list[float]:
    found: list[float] = []
    for key in ("service_time", "duration", "service_time_by_team", "service_time_by_agent"):
        if key in step:
            found += _all_means(step[key])
    return found


def _all_means(of: Any) -> list[float]:
    if isinstance(of, Mapping) and "dist" not in of:
        return [mean for part in of.values() for mean in _all_means(part)]
    return [mean_of(of)]


def varied(model: Json, variant: Json | None) -> Json:
    """The model with the listed change."""
    model = copy.deepcopy(model)
    for key, value in (variant or {}).items():
        if key == "agents":
            for team in model["teams"]:
                team["agents"] = value
        elif key == "rate":
            for kind in model["classes"]:
                kind["arrivals"]["rate"] = value
        elif key == "service_mean":
            for step in model["steps"]:
                step["service_time"]["mean"] = value
        elif key == "closed_population":
            model[key] = value
            if isinstance(model.get("initial_state"), dict):
                first = next(iter(model["initial_state"]))
                model["initial_state"] = {first: value}
        elif key in model:
            model[key] = value
        else:
            raise NotStatedError(f"variant {key}")
    return model


def stated(statement: Json, run: Json, effort: float) -> Model:
    """The statement as a scenario of a length that holds about `effort` arrivals."""
    known(statement, MODEL_KEYS, "model")
    return Writer(completed(statement), run, effort).model()


def completed(statement: Json) -> Json:
    """The statement with what goes without saying."""
    full = without_nulls(statement)
    full = {"classes": [], "steps": [], "teams": []} | full
    for step in full["steps"]:
        if step["type"] != "fork":
            step.setdefault("next", [{"to": "exit", "probability": 1.0}])
        for way in step.get("next", ()):
            way.setdefault("probability", 1.0)
    for kind in full["classes"]:
        kind.setdefault("first_step", full["steps"][0]["name"])
        kind["arrivals"].setdefault("process", "poisson")
    return full


class Writer:
    """Writes one statement down, key by key."""

    def __init__(self, statement: Json, run: Json, effort: float) -> None:
        self.statement, self.run, self.effort = statement, run, effort
        self.steps: dict[str, Json] = {step["name"]: step for step in statement["steps"]}
        self.teams: dict[str, Json] = {team["name"]: team for team in statement["teams"]}
        self.kinds: dict[str, Json] = {kind["name"]: kind for kind in statement["classes"]}
        for kind in statement["classes"]:
            known(kind, CLASS_KEYS, "classes")
        for step in statement["steps"]:
            known(step, STEP_KEYS, "steps")
        for team in statement["teams"]:
            known(team, TEAM_KEYS, "teams")
        self.shifts: Json = {"always": ALWAYS}
        self.pools: Json = {}
        self.staffing: Json = {}
        self.workers: Json = {}
        self.rules: Json = {}
        self.open_hours: dict[str, tuple[list[Piece], float]] = {}
        self.step_of: dict[str, str] = {}
        self.class_of: dict[str, str] = {}

    def model(self) -> Model:
        self.cycle, self.warm_up, self.horizon = self.length()
        self.week = Week([], 7, START)
        for team in self.teams.values():
            self.team(team)
        for team in self.teams.values():
            self.takes_over(team)
        for step in self.steps.values():
            to = self.steps[step["escalate"]["to"]] if "escalate" in step else {}
            if to.get("type") == "delay":  # so many people that nobody waits
                ample = composed("ample", to["name"])
                self.pools[ample] = {"department": "office", "skills": [ample]}
                self.staffing[ample] = {"always": AMPLE}
        if not self.pools:
            self.pools, self.staffing = {"nobody": {"department": "office"}}, {"nobody": {"always": 1}}
        scenario = {
            "name": "truth",
            "clock": self.clock(),
            "departments": {"office": {}},
            "pools": self.pools,
            "shifts": self.shifts,
            "staffing": self.staffing,
            "workers": self.workers,
            "systems": self.systems(),
            "calendars": self.calendars(),
            **(self.work() or NOBODY),
            "dispatch": {"teams": self.rules},
        }
        return Model(
            self.statement, self.run, scenario, self.cycle, self.warm_up, self.horizon, open_hours=self.open_hours,
            step_of=self.step_of, class_of=self.class_of,
        )  # fmt: skip

    def work(self) -> Json:
        if not self.kinds:
            return {}
        written = {
            "case_classes": {name(kind): self.case_class(of) for kind, of in self.kinds.items()},
            "demand": self.demand(),
            "processes": {name(kind): self.process(of, of["first_step"]) for kind, of in self.kinds.items()},
        }
        for own, kind, step, _ in self.present():
            if step != kind["first_step"]:
                written["case_classes"][own] = {**self.case_class(kind), "process": own}
                written["processes"][own] = self.process(kind, step)
                self.class_of[own] = name(kind["name"])
        return written

    # -------------------------------------------------------------- time
    def length(self) -> tuple[float | None, float, float]:
        """(cycle, warm-up, horizon) in minutes."""
        kind, rate = self.run["type"], self.arrivals_per_minute()
        if kind == "steady_state":
            rate = rate or sum(1 / (mean_of(of["uptime"]) + mean_of(of["downtime"])) for of in self.outages())
            length, warm = self.run["suggested_run_length"], self.run.get("warm_up", 0.0)
            shorter = min(1.0, max(self.effort / (rate * length), 1e-6)) if rate else 1.0
            warm = min(warm, max(warm * shorter, 2000 / rate if rate and self.kinds else 0.0))
            return None, warm, warm + length * shorter
        if kind == "terminating":
            ends = max(self.run.get("arrivals_stop", 0.0), _number(self.run.get("end"), 0.0))
            if ends > WEEK - DAY / 2:
                raise NotStatedError(f"a terminating run of {ends} min")
            n = math.ceil(self.effort / max(rate * self.in_a_run(), 1))
            return WEEK, 0.0, max(20, min(400, n)) * WEEK
        if kind == "periodic_steady_state":
            cycle = self.run["cycle"]
            n = math.ceil(self.effort / (rate * cycle))
            warm = math.ceil(min(self.run.get("warm_up", 0.0), max(10, n / 10) * cycle) / WEEK) * WEEK
            return cycle, warm, warm + math.ceil(n * cycle / WEEK) * WEEK
        raise NotStatedError(f"run.type {kind}")

    def in_a_run(self) -> float:
        """Minutes of arrivals in a terminating run at a constant rate; other rates are counted over the week."""
        arrivals = [kind["arrivals"] for kind in self.kinds.values()]
        varies = any("rate_by_interval" in of or "count" in of for of in arrivals)
        stop = self.run.get("arrivals_stop", _number(self.run.get("end"), WEEK))
        return WEEK if varies else float(stop - self.run.get("start", 0.0))

    def arrivals_per_minute(self) -> float:
        return sum(self.mean_rate(kind) for kind in self.kinds.values())

    def mean_rate(self, kind: Json) -> float:
        arrivals = kind["arrivals"]
        process = arrivals["process"]
        if process == "renewal":
            gap = mean_of(arrivals["interarrival"])
            return float(arrivals["count"] / WEEK if "count" in arrivals else 1 / gap)
        if process == "batch_poisson":
            return float(arrivals["batch_rate"] * sum(k * p for k, p in batch_sizes(arrivals["batch_size"]).items()))
        if process == "closed":
            return self.rounds_per_minute(kind) * sum(self.visit_ratios(kind).values())
        if process != "poisson":
            raise NotStatedError(f"arrivals.process {process}")
        if "rate" in arrivals:
            return float(arrivals["rate"])
        return float(sum((b - a) * rate for a, b, rate in self.rates(arrivals)) / WEEK)

    def rates(self, arrivals: Json) -> list[tuple[float, float, float]]:
        """(from, to, rate) over a week; a terminating run begins and ends when it says."""
        low, high = 0.0, WEEK
        if self.run["type"] == "terminating":
            low, high = self.run.get("start", 0.0), self.run.get("arrivals_stop", WEEK)
        found = [
            (max(a, low), min(b, high), float(piece["rate"]))
            for piece in arrivals["rate_by_interval"]
            for a, b in repeated([(piece["from"], piece["to"])], arrivals.get("cycle"))
        ]
        return [(a, b, rate) for a, b, rate in found if a < b]

    def clock(self) -> Json:
        more = WEEK if self.cycle else max(0.02 * self.horizon, 20 * self.scale())
        return {
            "start": START,
            "horizon": span(self.horizon),
            "warm_up": span(self.warm_up),
            "run_out": span(more),
            "arrivals_in_run_out": self.run["type"] != "terminating",
        }

    def scale(self) -> float:
        return max((mean for step in self.steps.values() for mean in _means(step)), default=1.0)

    # -------------------------------------------------------------- staff
    def team(self, team: Json) -> None:
        pool = name(team["name"])
        rule = team.get("end_of_shift", "exhaustive")
        if rule not in END_OF_SHIFT:
            raise NotStatedError(f"teams.end_of_shift {rule}")
        self.pools[pool] = {
            "department": "office",
            "skills": self.skills(team),
            "end_of_shift": END_OF_SHIFT[rule],
        }
        self.pools[pool] |= self.needs(team) | self.at_once(team)
        self.staffing[pool] = {}
        if "named_agents" in team:
            self.workers |= {agent_id(agent): {"pool": pool, "shifts": ["always"]} for agent in self.named(team)}
            self.open_hours[pool] = ([(0.0, WEEK)], WEEK)
            return
        groups = self.groups(team)
        for k, (pieces, agents) in enumerate(groups):
            shifts = self.week.shifts(composed(pool, k), pieces) if pieces is not None else {"always": ALWAYS}
            self.shifts.update(shifts)
            if pieces is not None and len(shifts) > 1:
                self.one_by_one(pool, k, agents, list(shifts))
            else:
                self.staffing[pool].update(dict.fromkeys(shifts, agents))
        self.open_hours[pool] = (sorted({p for pieces, _ in groups for p in pieces or ()}), WEEK)

    def one_by_one(self, pool: str, group: int, agents: int, shifts: list[str]) -> None:
        """The same people come in all these shifts."""
        for i in range(agents):
            self.workers[composed(pool, group, i + 1)] = {"pool": pool, "shifts": shifts}

    def at_once(self, team: Json) -> Json:
        """How many cases each agent has in hand, and how fast each goes on; an agent who shares has no limit."""
        steps = list({step["name"]: step for step, _ in self.users(team["name"])}.values())
        shares = any(step.get("discipline") == "processor_sharing" for step in steps) or team.get("sharing") == "equal"
        limit = team.get("max_concurrent") or (self.no_limit(team) if shares else 1)
        if limit == 1:
            return {}
        if shares:
            return {"at_once": {"cases": limit, "sharing": "equal"}}
        rates = next((rates for step in steps for rates in _rates_in_hand(step)), [])
        rates = team.get("state_dependent_rates_per_case") or rates or [1.0] * limit
        if len(set(rates)) > 1 and team.get("agent_selection", "least_loaded") not in EVEN:
            raise NotStatedError(f"teams.agent_selection {team['agent_selection']} with max_concurrent")
        paces = [100 * rate / rates[0] for rate in (*rates, *rates[-1:] * limit)]
        return {"at_once": {"cases": limit, "pace": paces[:limit]}}

    def no_limit(self, team: Json) -> int:
        """So many that more hardly ever come: their number is geometric in the load, whatever the times."""
        load = sum(
            self.mean_rate(kind) * self.visit_ratios(kind)[step["name"]] * time_of(step, kind)
            for step, kind in self.users(team["name"])
        ) / team["agents"]
        return min(200, max(20, math.ceil(math.log(1e-8) / math.log(load)) if 0 < load < 1 else 200))

    def needs(self, team: Json) -> Json:
        own = [f"outage_{k}" for k, of in enumerate(self.outages()) if self.is_hit(team, of)]
        return {"needs": own} if own else {}

    def is_hit(self, team: Json, outage: Json) -> bool:
        return bool(outage.get("team", team["name"]) == team["name"])

    def outages(self) -> list[Json]:
        return list(self.statement.get("outages", ()))

    def systems(self) -> Json:
        """A system for each outage; that of an agent is everybody's own."""
        found: Json = {}
        for k, of in enumerate(self.outages()):
            known(of, ("scope", "team", "uptime", "downtime", "clock_runs", "effect_on_work"), "outages")
            scope, effect = of.get("scope", "team"), of.get("effect_on_work", "preempt_resume")
            unclear = scope == "team" and len(self.teams) > 1 and "team" not in of
            if scope not in ("team", "all_agents", "agent") or unclear:
                raise NotStatedError(f"outages.scope {scope}")
            if effect not in EFFECTS or of.get("clock_runs", "always") not in CLOCKS:
                raise NotStatedError(f"outages {effect} {of.get('clock_runs')}")
            found[f"outage_{k}"] = {
                "up": distribution(of["uptime"]),
                "down": distribution(of["downtime"]),
                "clock": CLOCKS[of.get("clock_runs", "always")],
                "effect": EFFECTS[effect],
                "separate": scope == "agent",
            }
        return found

    def named(self, team: Json) -> list[str]:
        """The agents in the order in which an arriving case looks at them, if there is one."""
        agents = [agent if isinstance(agent, str) else agent["name"] for agent in team["named_agents"]]
        chosen = team.get("agent_selection")
        if chosen in ("fastest_first", "slowest_first"):
            times = {name: of for s in self.steps.values() for name, of in s.get("service_time_by_agent", {}).items()}
            agents.sort(key=lambda agent: max(_all_means(times[agent])), reverse=chosen == "slowest_first")
        return agents

    def groups(self, team: Json) -> list[tuple[list[Piece] | None, int]]:
        """(when, how many) for each group of agents; None: always."""
        stays = str(team.get("last_shift", "")).startswith("stays")
        if "agent_groups" in team:
            return [
                (self.pieces(group["shifts"], team, stays or "last_shift" in group), int(group["agents"]))
                for group in team["agent_groups"]
            ]
        if "staffing" in team:
            return self.layers(team, stays)
        return [(None, int(team["agents"]))]

    def pieces(self, shifts: Sequence[Json], team: Json, stays: bool) -> list[Piece]:
        pieces = sorted((float(shift["from"]), float(shift["to"])) for shift in shifts)
        if stays and pieces:
            pieces[-1] = (pieces[-1][0], WEEK)
        return repeated(pieces, team.get("cycle") or (None if self.cycle == WEEK else self.cycle))

    def layers(self, team: Json, stays: bool) -> list[tuple[list[Piece] | None, int]]:
        """A headcount as groups: the n-th is there whenever at least n are."""
        staffing = [dict(piece) for piece in team["staffing"]]
        several = len({piece["agents"] for piece in staffing}) > 1
        if team.get("staffing_semantics") == "headcount" and several:
            self.pools[name(team["name"])]["leaves"] = "idle_first"
        levels = sorted({piece["agents"] for piece in staffing})
        last = max(piece["to"] for piece in staffing)
        found: list[tuple[list[Piece] | None, int]] = []
        for below, level in zip([0, *levels], levels, strict=False):
            there = [piece for piece in staffing if piece["agents"] >= level]
            there_last = stays and any(piece["to"] == last for piece in there)
            found.append((self.pieces(there, team, there_last), int(level - below)))
        return found

    # -------------------------------------------------------------- skills and queues
    def users(self, team: str) -> list[tuple[Json, Json]]:
        """(step, class) pairs that the team serves."""
        return [
            (step, kind)
            for step in self.steps.values()
            if step["type"] == "service" and team in self.teams_of(step)
            for kind in self.kinds.values()
            if team in self.able(step, kind)
        ]

    def teams_of(self, step: Json) -> list[str]:
        return list(step["teams"]) if "teams" in step else [step["team"]]

    def able(self, step: Json, kind: Json) -> list[str]:
        """Teams that serve the class at the step, in the order in which an arriving case looks at them."""
        teams = self.teams_of(step)
        able = [t for t in teams if kind["name"] in self.teams[t].get("skills", self.kinds)]
        wish = [t for t in kind.get("team_preference", []) if t in able]
        return wish + [t for t in able if t not in wish]

    def by_class(self, step: Json) -> bool:
        """The classes have queues of their own at the step."""
        return "teams" in step and (
            len({tuple(self.able(step, kind)) for kind in self.kinds.values()}) > 1
            or any("class_preference" in self.teams[t] for t in step["teams"])
        )

    def skill(self, step: Json, kind: Json) -> str:
        if step["type"] == "delay":
            return composed("ample", step["name"])
        if self.by_class(step):
            return composed(step["name"], kind["name"])
        if "teams" in step:
            return composed(step["name"], "queue")
        sharing = [s for s in self.steps.values() if s["type"] == "service" and s.get("team") == step["team"]]
        same = len({s.get("discipline", "fcfs") for s in sharing}) == 1
        plain = all(s.get("waiting_places") is None and "escalate" not in s for s in sharing)
        return name(step["team"]) if same and plain else composed(step["team"], step["name"])

    def skills(self, team: Json) -> Json:
        """Skills of the team with their preferences."""
        found = {}
        places = self.preferences()
        for step, kind in self.users(team["name"]):
            skill = self.skill(step, kind)
            found[skill] = {"preference": places[(team["name"], skill)]}
            self.rule(skill, step, team)
        return found or {name(team["name"]): {}}

    def preferences(self) -> dict[tuple[str, str], int]:
        """[team, skill] numbers that obey both what a freed agent and what an arriving case looks at first."""
        after: set[tuple[tuple[str, str], tuple[str, str]]] = set()
        nodes: set[tuple[str, str]] = set()
        for team in self.teams.values():
            wish = team.get("class_preference", [])
            pairs = self.users(team["name"])
            nodes |= {(team["name"], self.skill(*pair)) for pair in pairs}
            for step, one in pairs:
                for other in (k for k in self.kinds.values() if k["name"] in wish and one["name"] in wish):
                    if wish.index(one["name"]) < wish.index(other["name"]) and self.by_class(step):
                        after.add(((team["name"], self.skill(step, other)), (team["name"], self.skill(step, one))))
        for step in (s for s in self.steps.values() if "teams" in s):
            for kind in self.kinds.values():
                order = [(team, self.skill(step, kind)) for team in self.able(step, kind)]
                after |= set(zip(order[1:], order, strict=False))
        place = dict.fromkeys(nodes, 1)
        for _ in range(len(nodes) + 1):
            changed = False
            for late, early in after:
                if late in place and early in place and place[late] <= place[early]:
                    place[late], changed = place[early] + 1, True
            if not changed:
                return place
        raise NotStatedError("team_preference against class_preference")

    def rule(self, skill: str, step: Json, team: Json) -> None:
        discipline = step.get("discipline", "fcfs")
        if discipline not in RULES:
            raise NotStatedError(f"discipline {discipline}")
        chosen = team.get("agent_selection", "longest_idle")
        if chosen not in SELECTION:
            raise NotStatedError(f"teams.agent_selection {chosen}")
        self.rules[skill] = {**RULES[discipline], "assignment": SELECTION[chosen]}
        if discipline == "accumulating_priority" and len({k.get("accumulation_rate") for k in self.kinds.values()}) < 2:
            self.rules[skill]["rule"] = "fcfs"
        if step.get("backfilling") and any(self.agents_together(step, kind) > 1 for kind in self.kinds.values()):
            self.rules[skill]["backfilling"] = True
        if step.get("waiting_places") is not None:
            self.rules[skill]["waiting_places"] = int(step["waiting_places"])
        if "escalate" in step:
            known(step["escalate"], ("after_waiting", "to"), "escalate")
            to = {self.skill(self.steps[step["escalate"]["to"]], kind) for kind in self.kinds.values()}
            if len(to) > 1 or self.steps[step["escalate"]["to"]]["next"] != step["next"]:
                raise NotStatedError("steps.escalate to a step that goes on elsewhere")
            after = distribution(step["escalate"]["after_waiting"])
            self.rules[skill]["escalate"] = {"after": after, "to": to.pop()}

    def takes_over(self, team: Json) -> None:
        """A team that takes work only from long queues; where no other does, one without anybody stands for these."""
        if not team.get("takes_work_if"):
            return
        known(team["takes_work_if"], ("queue_length_at_least",), "takes_work_if")
        waiting = int(team["takes_work_if"]["queue_length_at_least"])
        for skill in self.pools[name(team["name"])]["skills"]:
            if waiting < 2 or skill not in self.rules:
                continue
            self.rules[skill].setdefault("overflow", []).append({"to": name(team["name"]), "waiting": waiting})
            able = [pool for pool, of in self.pools.items() if skill in of["skills"]]
            if len(able) == len(self.rules[skill]["overflow"]):
                self.pools[composed("others", skill)] = {"department": "office", "skills": [skill]}

    # -------------------------------------------------------------- cases
    def calendars(self) -> Json:
        """When the team of the only queue is there, where it is not always: waits are counted on this clock too."""
        queues = [step for step in self.steps.values() if step["type"] == "service"]
        if len(queues) != 1 or any(kind.get("if_abandoned") or kind.get("if_blocked") for kind in self.kinds.values()):
            return {}
        pieces = {piece for team in self.teams_of(queues[0]) for piece in self.open_hours[name(team)][0]}
        days = {self.week.types[day]: apart(parts) for day, parts in by_day(sorted(pieces)).items()}
        if not days or sum(b - a for parts in days.values() for a, b in parts) >= WEEK:
            return {}
        written = {day: [hours(part) for part in parts] for day, parts in days.items()}
        first = next(iter(written.values()))
        same = [day for day, parts in written.items() if parts == first]
        return {STAFFED: {"days": same, "hours": first, "also": {d: p for d, p in written.items() if d not in same}}}

    def case_class(self, kind: Json) -> Json:
        written: Json = {"process": name(kind["name"])}
        if "priority" in kind:
            written["priority"] = kind["priority"]
        if "accumulation_rate" in kind:
            written["accumulation"] = kind["accumulation_rate"]
        if "patience" in kind:
            written["patience"] = distribution(kind["patience"])
        if "if_blocked" in kind:
            known(kind["if_blocked"], ("retry_after", "probability"), "if_blocked")
            again = {"after": distribution(kind["if_blocked"]["retry_after"])}
            written["redial"] = {**again, "share": kind["if_blocked"].get("probability", 1.0)}
        if "if_abandoned" in kind:
            written["retry"] = self.retry(kind["if_abandoned"])
        if "lead_time" in kind:
            if kind["lead_time"].get("dist") != "deterministic":
                raise NotStatedError("classes.lead_time that is drawn")
            limit = span(kind["lead_time"]["value"])
            written["promises"] = {"first_response": {"limit": limit}, "resolution": {"limit": limit}}
        if self.calendars() and self.steps[kind["first_step"]]["type"] == "service":
            wait = {"to": f"{name(kind['first_step'])} started", "limit": "1 min", "clock": STAFFED}
            written.setdefault("promises", {})[STAFFED] = wait
        return written

    def retry(self, again: Json) -> Json:
        """Who gave up tries again, however often."""
        known(again, ("retry_after", "probability"), "if_abandoned")
        share = again.get("probability", 1.0)
        times = 30 if share == 1 else max(1, min(30, math.ceil(math.log(1e-6) / math.log(share)) if share else 1))
        return {"share": share, "after": distribution(again["retry_after"]), "times": times}

    def demand(self) -> Json:
        found: Json = {}
        for kind in self.kinds.values():
            arrivals = kind["arrivals"]
            known(arrivals, ARRIVAL_KEYS, "arrivals")
            found[name(kind["name"])] = {"case_class": name(kind["name"]), **self.arrivals(kind)}
            if "daily_busyness_factor" in arrivals:
                found[name(kind["name"])]["busy_days"] = with_cv(arrivals["daily_busyness_factor"])
        found.update(self.initial())
        return found

    def initial(self) -> Json:
        """Cases that are there at the start, as appointments at that minute of each cycle."""
        at = self.run.get("start", 0)
        return {
            composed("there", own): {
                "case_class": own,
                "arrivals": {
                    "kind": "appointments",
                    "days": DAYS[int(at // DAY)],
                    "times": [time_of_day(at % DAY)],
                    "per_slot": n,
                },
            }
            for own, _, _, n in self.present()
        }

    def present(self) -> list[tuple[str, Json, str, int]]:
        """(id of the class, class, step, how many) of the cases that are there at the start, where it matters."""
        there = self.statement.get("initial_state")
        if not isinstance(there, Mapping) or self.run["type"] != "terminating":
            return []
        found = []
        for step, cases in there.items():
            of = cases if isinstance(cases, Mapping) else dict.fromkeys(list(self.kinds)[:1], cases)
            if (not isinstance(cases, Mapping) and len(self.kinds) > 1) or step not in self.steps:
                raise NotStatedError("initial_state of several classes")
            for kind, n in of.items():
                first = step == self.kinds[kind]["first_step"]
                own = name(kind) if first else composed(kind, "from", step)
                found += [(own, self.kinds[kind], step, int(n))] if n else []
        return found

    def arrivals(self, kind: Json) -> Json:
        arrivals = kind["arrivals"]
        process = arrivals["process"]
        if process == "poisson" and "rate_by_interval" in arrivals:
            return {"arrivals": {"kind": "hourly", "per_hour": self.profile(arrivals)}}
        if process == "poisson":
            if self.cycle:
                pieces = [{"from": 0, "to": WEEK, "rate": arrivals["rate"]}]
                return {"arrivals": {"kind": "hourly", "per_hour": self.profile({"rate_by_interval": pieces})}}
            return {"arrivals": {"kind": "poisson", "rate": f"{arrivals['rate']!r}/min"}}
        if process == "closed":
            return self.members(kind)
        if process == "batch_poisson":
            return {
                "arrivals": {"kind": "poisson", "rate": f"{arrivals['batch_rate']!r}/min"},
                "batch": {"sizes": batch_sizes(arrivals["batch_size"])},
            }
        gap = arrivals["interarrival"]
        if self.cycle:
            return {"arrivals": self.appointed(gap, arrivals)}
        return {"arrivals": {"kind": "renewal", "gap": distribution(gap)}}

    # -------------------------------------------------------------- closed networks
    def population(self, kind: Json) -> int:
        """How many cases of the class circulate."""
        given = self.statement["closed_population"]
        if isinstance(given, Mapping):
            return int(given[kind["name"]])
        if len(self.kinds) > 1:
            raise NotStatedError("model.closed_population of several classes")
        return int(given)

    def is_closed(self, kind: Json) -> bool:
        return bool(kind["arrivals"]["process"] == "closed")

    def visit_ratios(self, kind: Json) -> dict[str, float]:
        """Visits to each step for one to the first; a closed population goes round to that."""
        names = list(self.steps)
        share = np.zeros((len(names), len(names)))
        for i, step in enumerate(self.steps.values()):
            for way in step.get("next") or ():
                if way["to"] in self.steps and not (self.is_closed(kind) and way["to"] == kind["first_step"]):
                    share[i, names.index(way["to"])] += way["probability"]
            for branch in step.get("branches", ()):
                share[i, names.index(branch)] += 1
            if step["type"] == "join":
                share[:, i] /= max(1, sum(share[:, i] > 0))
        first = np.array([float(step == kind["first_step"]) for step in names])
        return dict(zip(names, np.linalg.solve(np.eye(len(names)) - share.T, first).tolist(), strict=True))

    def rounds_per_minute(self, kind: Json) -> float:
        """At most so many, over all members: by the slowest team, and by the length of a round."""
        visits, work = self.visit_ratios(kind), 0.0
        by_team: dict[str, float] = {}
        for step in self.steps.values():
            busy = visits[step["name"]] * time_of(step, kind)
            work += busy
            if "team" in step:
                by_team[step["team"]] = by_team.get(step["team"], 0.0) + busy
        limits = [self.teams[team].get("agents", AMPLE) / busy for team, busy in by_team.items() if busy]
        return float(min([self.population(kind) / work, *limits]))

    def members(self, kind: Json) -> Json:
        """Each round of a member is a case, and the next begins in the next tick; enough rounds for everybody."""
        n = self.population(kind)
        rounds = math.ceil(1.5 * self.rounds_per_minute(kind) * 1.05 * self.horizon / n) + 50
        return {"arrivals": {"kind": "finite", "population": n, "away": "1 us", "times": rounds}}

    def appointed(self, gap: Json, arrivals: Json) -> Json:
        """A scripted renewal process in every cycle."""
        if not isinstance(gap, int | float) and gap["dist"] != "deterministic":
            raise NotStatedError("renewal arrivals in a terminating run")
        start, stop = self.run.get("start", 0.0), self.run.get("arrivals_stop", WEEK)
        every = mean_of(gap)
        n = arrivals.get("count", math.floor((stop - start) / every + 1e-9))
        times = [start + every * (k + 1) for k in range(n) if start + every * (k + 1) <= stop + 1e-9]
        days = {int(at // DAY) for at in times}
        if len(days) > 1:
            raise NotStatedError("renewal arrivals over several days")
        return {
            "kind": "appointments",
            "days": DAYS[days.pop()],
            "times": [time_of_day(at % DAY) for at in times],
        }

    def profile(self, arrivals: Json) -> dict[str, list[float]]:
        """Cases per hour by day and slot."""
        rates = self.rates(arrivals)
        edges = {edge % DAY for a, b, _ in rates for edge in (a, b)}
        slots = next((n for n in (24, 48, 96, 288, 1440) if all((edge * n / DAY) % 1 == 0 for edge in edges)), 0)
        if not slots:
            raise NotStatedError("rates that change within a minute")
        table: dict[str, list[float]] = {}
        for a, b, rate in rates:
            for day, parts in by_day([(a, b)]).items():
                row = table.setdefault(DAYS[day], [0.0] * slots)
                for lo, hi in parts:
                    for k in range(round(lo * slots / DAY), round(hi * slots / DAY)):
                        row[k] += rate * 60
        return table

    # -------------------------------------------------------------- the way of a case
    def process(self, kind: Json, first: str) -> Json:
        """The steps that the class can come to, begun at one of them; where the ways depend on how often a case has
        come, a step for each number."""
        steps: Json = {}
        ahead = [self.coming_to(first, {})]
        while ahead:
            step, visits = ahead.pop()
            if self.node(step, visits) in steps:
                continue
            of = self.steps[step]
            steps[self.node(step, visits)] = self.step(of, kind, visits)
            ahead += [self.coming_to(way, visits) for way in self.ways(of, kind, visits) if way != EXIT]
            ahead += [(of["join"], visits)] if "join" in of else []
        if self.steps[first]["type"] == "service":
            steps[self.node(*self.coming_to(first, {}))]["responds"] = True
        return {"start": self.node(*self.coming_to(first, {})), "steps": steps}

    def coming_to(self, step: str, visits: Mapping[str, int]) -> tuple[str, dict[str, int]]:
        """The step, and how often each step has been visited whose ways depend on that."""
        most = len(attempts(self.steps[step]))
        return step, {**visits, step: min(visits.get(step, 0) + 1, most)} if most > 1 else dict(visits)

    def node(self, step: str, visits: Mapping[str, int]) -> str:
        """The id of the step for a case that has come so often."""
        again = sorted((other, n) for other, n in visits.items() if n > 1 or other != step)
        own = composed(step, "after", *again) if again else name(step)
        self.step_of[own] = name(step)
        return own

    def ways(self, step: Json, kind: Json, visits: Mapping[str, int]) -> dict[str, float]:
        """Where the class goes from the step, and how probably; a closed population ends its round where it began."""
        if step["type"] == "fork":
            return dict.fromkeys(step["branches"], 1.0)
        given = attempts(step)
        ways: dict[str, float] = {}
        ends = {EXIT, kind["first_step"]} if self.is_closed(kind) else {EXIT}
        for way in given[min(visits.get(step["name"], 1), len(given)) - 1]:
            target = EXIT if way["to"] in ends else way["to"]
            ways[target] = ways.get(target, 0.0) + way.get("probability", 1.0)
        total = sum(ways.values())
        return {target: share / total for target, share in ways.items() if share}

    def step(self, step: Json, kind: Json, visits: Mapping[str, int]) -> Json:
        of = step["type"]
        if of == "fork":
            branches = [self.node(*self.coming_to(branch, visits)) for branch in step["branches"]]
            return {"kind": "parallel", "branches": branches, "join": self.node(step["join"], visits)}
        ways = self.ways(step, kind, visits)
        onward: Json = {
            "next": {"end" if w == EXIT else self.node(*self.coming_to(w, visits)): p for w, p in ways.items()}
        }
        if of == "join":
            return {"kind": "join", **onward}
        if of == "delay":
            return {"kind": "delay", "time": distribution(of_class(step["duration"], kind)), **onward}
        if of == "service":
            together = self.agents_together(step, kind)
            work = {"skill": self.skill(step, kind), "workers": together, **self.times(step, kind)}
            return {"kind": "task", **work, **onward}
        if of == "meeting":
            return {"kind": "meeting", **self.agenda(step), **onward}
        raise NotStatedError(f"steps.type {of}")

    def agents_together(self, step: Json, kind: Json) -> int:
        """Agents at once, at every step of the class or by step."""
        needs = kind.get("agents_required") or 1
        return int(needs.get(step["name"], 1) if isinstance(needs, Mapping) else needs)

    def agenda(self, step: Json) -> Json:
        known(step["epochs"], ("first", "every"), "epochs")
        return {
            "committee": name(step["name"]),
            "every": span(step["epochs"]["every"]),
            "first": span(step["epochs"].get("first", 0.0)),
            "seats": step.get("capacity"),
            "deadline": span(step.get("submission_deadline_before", 0.0)),
        }

    def times(self, step: Json, kind: Json) -> Json:
        """The time, and those of teams and agents that need another."""
        own: Json = {}
        for key, id_of in (("service_time_by_team", name), ("service_time_by_agent", agent_id)):
            for who, of in (step.get(key) or {}).items():
                if not isinstance(of, Mapping) or kind["name"] in of or "dist" in of:
                    own[id_of(who)] = distribution(of_class(of, kind))
        common = "service_time" in step
        time = distribution(of_class(step["service_time"], kind)) if common else next(iter(own.values()))
        if "escalate" in step:
            to = self.steps[step["escalate"]["to"]]
            if to["type"] == "service":
                after = self.times(to, kind)
                own |= after["times"] or dict.fromkeys(map(name, self.teams_of(to)), after["time"])
            else:
                own[composed("ample", to["name"])] = distribution(to["duration"])
        return {"time": time, "times": own}


def time_of(step: Json, kind: Json) -> float:
    """Minutes that the class takes at the step, on average; the least where that depends on who works."""
    if "service_time" in step or "duration" in step:
        return mean_of(of_class(step.get("service_time", step.get("duration")), kind))
    return min(_means(step), default=0.0)


def attempts(step: Json) -> list[list[Json]]:
    """The ways on after the first visit, the second, …; the last are those of all later visits."""
    given = step.get("next_by_attempt")
    after = step.get("next") or [{"to": "exit", "probability": 1.0}]
    if not given:
        return [after]
    if isinstance(given, Mapping):
        numbered = {int("".join(filter(str.isdigit, key)) or 0): ways for key, ways in given.items()}
        later = next((ways for key, ways in given.items() if not any(map(str.isdigit, key))), None)
    elif isinstance(given[0], Mapping) and "to" not in given[0]:
        numbered = {int(part.get("attempt", part.get("visit", k))): part["next"] for k, part in enumerate(given, 1)}
        later = None
    else:
        numbered, later = dict(enumerate(given, 1)), None
    last = later or (after if step.get("next") and isinstance(given, Mapping) else numbered[max(numbered)])
    return [numbered.get(k, last) for k in range(1, max(numbered) + 1)] + [last]


def _rates_in_hand(step: Json) -> list[list[float]]:
    """Rates by the number in hand, for each class that has them."""
    of = step.get("service_time") or {}
    return [rates for part in (of, *of.values()) if (rates := rates_in_hand(part))] if isinstance(of, Mapping) else []


def of_class(of: Any, kind: Json) -> Any:
    """One distribution, or one per class name."""
    return of[kind["name"]] if isinstance(of, Mapping) and "dist" not in of else of


def _number(value: Any, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise
