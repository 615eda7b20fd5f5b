"""What the expected values of a stochastic statement mean, measured on one run. Instants are minutes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from truth_battery import STAFFED, Model
from truth_words import DAY, Json, NotStatedError, agent_id, name

from servsim.quantities import MINUTE
from servsim.records import Outcome, Relation, Run

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
NEVER = np.inf
NEVER_CAME = 2**62
KEYS = ("metric", "value", "abs_error", "note", "class", "step", "team", "agent", "threshold", "percentile", "number",
        "at", "interval", "arrivals_in", "population", "clock", "service_time", "service_time_between",
        "variant")  # fmt: skip


def minutes(ticks: NDArray[np.int64]) -> Floats:
    return np.where(ticks >= 0, ticks / MINUTE, NEVER)


def overlap(a: Floats, b: Floats, low: float, high: float) -> Floats:
    """How much of each [a, b) lies in [low, high)."""
    return np.maximum(np.minimum(b, high) - np.maximum(a, low), 0.0)


class Observed:
    """One run, as the metrics look at it."""

    def __init__(self, model: Model, run: Run) -> None:
        self.model, self.run = model, run
        self.start, self.end = model.warm_up, model.horizon
        work, log = run.workload, run.log
        self.arrived = np.where(work.arrived_at < NEVER_CAME, minutes(work.arrived_at), NEVER)
        self.left = minutes(log.left_at)
        self.outcome = log.outcome
        classes = [model.class_of.get(kind, kind) for kind in work.classes]
        self.case_class = np.array(classes, object)[work.case_class]
        ids = [text.split(".", 1)[-1] for text in work.steps.names]
        self.step = np.array([model.step_of.get(step, step) for step in ids], object)[work.step]
        self.case = work.case
        self.there = log.offered_at >= 0
        self.offered = minutes(log.offered_at)
        self.started = minutes(log.started_at)
        self.completed = minutes(log.completed_at)
        self.work = work.work / MINUTE
        persons = run.plan.worker_person
        self.person = persons if len(persons) else np.arange(len(run.plan.workers))
        self.worker = np.where(log.worker >= 0, self.person[log.worker], -1)
        self.escalated = np.empty(0, np.int64)
        if len(log.escalated_item):
            self.escalate(log.escalated_item, minutes(log.escalated_at))
        self.follow(work.followers)

    def follow(self, followers: Any) -> None:
        """Who tries again as a case of its own is the same case to the statement."""
        again = followers.relation == Relation.RETRY
        came = again & np.isfinite(self.arrived[followers.case])
        self.tried_again, self.tried_before = followers.case[came], followers.after[came]
        self.first_try = np.ones(len(self.arrived), bool)
        self.first_try[followers.case[again]] = False
        self.root, self.last_try = np.arange(len(self.arrived)), np.arange(len(self.arrived))
        order = np.argsort(self.arrived[self.tried_again], kind="stable")
        for case, before in zip(self.tried_again[order].tolist(), self.tried_before[order].tolist(), strict=True):
            self.root[case] = self.root[before]
            self.last_try[self.root[case]] = case

    def escalate(self, items: NDArray[np.int32], at: Floats) -> None:
        """What was escalated came to another step: a visit of its own, that ends the one before."""
        order = np.lexsort((at, items))
        items, at = items[order], at[order]
        again = np.append(False, items[1:] == items[:-1])
        new = len(self.step) + np.arange(len(items))
        before = np.where(again, new - 1, items)
        to = {name(s["name"]): name(s["escalate"]["to"]) for s in self.model.statement["steps"] if "escalate" in s}
        for column in ("step", "case", "there", "started", "completed", "work", "worker"):
            values = getattr(self, column)
            setattr(self, column, np.concatenate([values, values[items]]))
        for one, previous in zip(new.tolist(), before.tolist(), strict=True):
            self.step[one] = to[self.step[previous]]
        self.offered = np.concatenate([self.offered, at])
        self.started[before] = self.completed[before] = NEVER
        self.visit_after = np.full(new[0], -1)
        self.visit_after[items] = new
        self.escalated, self.escalated_at = before, at

    # -------------------------------------------------------------- visits
    @cached_property
    def wait_end(self) -> Floats:
        """[items] until start, abandonment or escalation."""
        until = np.minimum(self.started, self.left[self.case])
        if len(self.escalated):
            until[self.escalated] = self.escalated_at
        return until

    @cached_property
    def item_end(self) -> Floats:
        """[items] until completed, or gone."""
        until = np.minimum(self.completed, self.left[self.case])
        if len(self.escalated):
            until[self.escalated] = self.escalated_at
        return until

    @cached_property
    def stretches(self) -> tuple[Any, Any, Floats, Floats]:
        item, worker, begin, end = self.run.stretches()
        if len(self.escalated):
            item = np.where(self.visit_after[item] >= 0, self.visit_after[item], item)
        return item, self.person[worker], begin / MINUTE, end / MINUTE

    @property
    def turns(self) -> tuple[Any, Any, Floats, Floats]:
        """The stretches of one for each item: without those who help."""
        n = len(self.stretches[0]) - len(self.run.log.helper_item)
        item, worker, begin, end = self.stretches
        return item[:n], worker[:n], begin[:n], end[:n]

    def steps(self, of: Json) -> list[str]:
        """The steps that a value looks at: the one named, else all at which cases queue."""
        if "step" in of:
            return [name(of["step"])]
        steps = self.model.statement["steps"]
        queues = [name(s["name"]) for s in steps if s["type"] in ("service", "meeting")]
        return queues or [name(s["name"]) for s in steps if s["type"] == "delay"]

    def visits(self, of: Json) -> Flags:
        """[items] visits within the window that the qualifiers ask for."""
        chosen = self.there & np.isin(self.step, self.steps(of))
        chosen &= self.tries(of)[self.case] if self.model.cycle else self.in_window(self.offered)
        if "class" in of:
            chosen &= self.case_class[self.case] == name(of["class"])
        return np.asarray(chosen & self.of_size(of))

    def of_size(self, of: Json) -> Flags:
        """[items] whose work is that asked for."""
        chosen = np.ones(len(self.work), bool)
        if "service_time" in of:
            chosen &= np.isin(self.step, self.steps(of)) & (np.abs(self.work - of["service_time"]) < 1e-6)
        if "service_time_between" in of:
            low, high = of["service_time_between"]
            chosen &= np.isin(self.step, self.steps(of))
            chosen &= (self.work >= (low or 0)) & (self.work < (np.inf if high is None else high))
        return np.asarray(chosen)

    def in_window(self, at: Floats) -> Flags:
        return np.asarray((at >= self.start) & (at < self.end))

    def phase(self, at: Floats) -> Floats:
        assert self.model.cycle
        return np.asarray(at % self.model.cycle)

    def cases(self, of: Json) -> Flags:
        """[cases] that arrive in the window; later tries are no cases of their own."""
        return self.tries(of) & self.first_try

    def tries(self, of: Json) -> Flags:
        """[cases] that arrive in the window, for the first time or again."""
        chosen = self.in_window(self.arrived)
        if "class" in of:
            chosen &= self.case_class == name(of["class"])
        if "arrivals_in" in of:
            low, high = of["arrivals_in"]
            chosen &= (self.phase(self.arrived) >= low) & (self.phase(self.arrived) < high)
        if "service_time" in of or "service_time_between" in of:
            fits = self.there & self.of_size(of)
            chosen &= np.isin(np.arange(len(self.arrived)), self.case[fits])
        return chosen

    # -------------------------------------------------------------- waits
    def waits(self, of: Json) -> tuple[Floats, Flags]:
        """(wait, started) of the visits whose wait is known."""
        chosen = self.visits(of)
        end, started = self.wait_end[chosen], self.started[chosen] <= self.wait_end[chosen]
        begin = self.offered[chosen]
        known = np.isfinite(end) & (self.outcome[self.case[chosen]] != TURNED_AWAY)
        begin, end, started = begin[known], end[known], started[known] & np.isfinite(end[known])
        if of.get("clock") == "business" and STAFFED in self.run.workload.promises:
            course = self.run.courses[self.run.workload.promises.index(STAFFED)]
            return np.asarray(course.elapsed[self.case[chosen][known]] / MINUTE), started
        return self.passed(of, begin, end), started

    def passed(self, of: Json, begin: Floats, end: Floats) -> Floats:
        """The time between, on the clock that is asked for."""
        if of.get("clock") == "business":
            return self.business(of, end) - self.business(of, begin)
        return np.asarray(np.round(end - begin, 9))

    def business(self, of: Json, at: Floats) -> Floats:
        """Staffed minutes before each instant."""
        teams = {name(t) for s in self.steps(of) for t in _teams(self.model.step(s))}
        passed = np.zeros(len(at))
        pieces = {p for team in teams for p in self.model.open_hours[team][0]}
        period = next(self.model.open_hours[team][1] for team in teams)
        whole, rest = np.divmod(at, period)
        for low, high in pieces:
            passed += whole * (high - low) + np.clip(rest - low, 0, high - low)
        return passed

    def population(self, of: Json) -> Floats:
        wait, started = self.waits(of)
        return {
            "all": wait,
            "abandoned": wait[~started],
            "served": wait[started],
            "accepted": wait[started],
        }[of.get("population", "served")]

    # -------------------------------------------------------------- time averages
    @property
    def length(self) -> float:
        return self.end - self.start

    def looked_at(self, of: Json) -> tuple[float, float] | None:
        """The part of each cycle that is looked at; None: all of it."""
        if "interval" in of:
            if self.model.cycle is None:
                raise NotStatedError("an interval of a run that has no cycle")
            return float(of["interval"][0]), float(of["interval"][1])
        if self.model.run["type"] != "terminating":
            return None
        end, stop = self.model.run.get("end"), self.model.run.get("arrivals_stop")
        return float(self.model.run.get("start", 0.0)), float(end if isinstance(end, int | float) else stop)

    def minutes_before(self, at: Floats, of: Json) -> Floats:
        """How much of what is looked at lies before each instant."""
        at, part = np.clip(at, self.start, self.end), self.looked_at(of)
        if part is None:
            return at - self.start
        whole, rest = np.divmod(at, self.model.cycle)
        low, high = part
        return np.asarray((whole - self.start // self.model.cycle) * (high - low) + np.clip(rest - low, 0, high - low))

    def total(self, of: Json) -> float:
        return float(self.minutes_before(np.array([self.end]), of)[0])

    def per_minute(self, at: Floats, of: Json) -> float:
        """How many of the instants lie in what is looked at, per minute of it."""
        part = self.looked_at(of)
        if part is not None:
            at = at[(self.phase(at) >= part[0]) & (self.phase(at) < part[1])]
        return len(at) / self.total(of)

    def time_in(self, begin: Floats, end: Floats, of: Json) -> float:
        """Time average of how many of the [begin, end) hold, over the window or the interval of each cycle."""
        spent = self.minutes_before(end, of) - self.minutes_before(begin, of)
        return float(np.sum(spent) / self.total(of))

    def at(self, begin: Floats, end: Floats, of: Json) -> Floats:
        """[cycles] how many of the [begin, end) hold at that minute of each cycle."""
        cycle = self.model.cycle
        assert cycle
        moments = np.arange(self.start, self.end, cycle) + of["at"]
        on = np.searchsorted(np.sort(begin), moments, side="right")
        return np.asarray(on - np.searchsorted(np.sort(end), moments, side="right"), np.float64)

    def presence(self, of: Json) -> tuple[Floats, Floats]:
        """(from, to) of the cases in the system, or in the step."""
        if "step" in of:
            chosen = self.there & (self.step == name(of["step"]))
            if "class" in of:
                chosen &= self.case_class[self.case] == name(of["class"])
            return self.offered[chosen], self.item_end[chosen]
        chosen = self.case_class == name(of["class"]) if "class" in of else np.ones(len(self.arrived), bool)
        return self.arrived[chosen], self.left[chosen]

    def orbit(self, chosen: Flags) -> tuple[Floats, Floats]:
        """(from, to): from each time that there was no place until the next try, the start or the end of all."""
        log = self.run.log
        order = np.lexsort((log.blocked_at, log.blocked_item))
        order = order[chosen[log.blocked_item[order]]]
        item, at = log.blocked_item[order], minutes(log.blocked_at[order])
        until = self.wait_end[item]
        again = np.append(item[1:] == item[:-1], False) if len(item) else np.zeros(0, bool)
        until[again] = np.append(at[1:], NEVER)[again]
        return at, until

    def queues(self, of: Json) -> tuple[Floats, Floats]:
        """(from, to) of all waiting, interrupted work included, without those who wait to try again."""
        chosen = self.there & np.isin(self.step, self.steps(of))
        if "class" in of:
            chosen &= self.case_class[self.case] == name(of["class"])
        begin, end = self.offered[chosen], self.wait_end[chosen]
        if len(self.run.log.blocked_item):
            absent = self.orbit(chosen)
            begin, end = np.concatenate([begin, absent[1]]), np.concatenate([end, absent[0]])
        item, _, _, until = self.turns
        several = np.bincount(item, minlength=len(chosen)) > 1
        broken = np.flatnonzero(several[item] & chosen[item])
        order = broken[np.lexsort((until[broken], item[broken]))]
        again = np.flatnonzero(item[order][1:] == item[order][:-1])
        begins, ends = until[order[again]], self.turns[2][order[again + 1]]
        last = np.append(item[order][1:] != item[order][:-1], True) if len(order) else np.zeros(0, bool)
        open_end = order[last & ~np.isfinite(self.completed[item[order]])] if len(order) else order
        gone = np.minimum(self.left[self.case[item[open_end]]], NEVER)
        return np.concatenate([begin, begins, until[open_end]]), np.concatenate([end, ends, gone])

    def busy(self, of: Json) -> tuple[Floats, Floats]:
        """(from, to) of stretches of work; several cases at once keep an agent busy once."""
        item, worker, begin, end = self.stretches
        chosen = np.isin(worker, self.workers(of))
        if "step" in of:
            chosen &= self.step[item] == name(of["step"])
        if "class" in of:
            chosen &= self.case_class[self.case[item]] == name(of["class"])
        if not len(self.run.plan.worker_person):
            return begin[chosen], end[chosen]
        return united(worker[chosen], begin[chosen], end[chosen])

    def workers(self, of: Json) -> Any:
        """The agents in question: of several places the first stands for the agent."""
        found = self.places(of)
        return found[self.person[found] == found]

    def places(self, of: Json) -> Any:
        plan = self.run.plan
        pool = np.array(plan.pools, object)[plan.worker_pool]
        if "agent" in of:
            return np.flatnonzero(np.array(plan.workers, object) == agent_id(of["agent"]))
        if "team" in of:
            return np.flatnonzero(pool == name(of["team"]))
        if "step" in of:
            teams = [name(team) for team in _teams(self.model.step(name(of["step"])))]
            return np.flatnonzero(np.isin(pool, teams))
        return np.flatnonzero(np.isin(pool, [name(team["name"]) for team in self.model.statement["teams"]]))

    def duties(self, of: Json) -> tuple[Floats, Floats]:
        """(from, to) of the presence of the agents in question."""
        plan = self.run.plan
        ours = np.isin(plan.duty_worker, self.workers(of))
        return plan.duty_from[ours] / MINUTE, plan.duty_to[ours] / MINUTE

    def history(self, spans: tuple[Floats, Floats], of: Json) -> tuple[Floats, Floats]:
        """(how many, how long) between one change and the next, in what is looked at."""
        begin, end = (self.minutes_before(at, of) for at in spans)
        at = np.concatenate([[0.0], begin, end, [self.total(of)]])
        step = np.concatenate([[0], np.ones(len(begin)), -np.ones(len(end)), [0]])
        order = np.argsort(at, kind="stable")
        return np.cumsum(step[order])[:-1], np.diff(at[order])


def _teams(step: Json) -> list[str]:
    return list(step["teams"]) if "teams" in step else [step["team"]] if "team" in step else []


def united(who: NDArray[Any], begin: Floats, end: Floats) -> tuple[Floats, Floats]:
    """The spans of each without their overlaps."""
    order = np.lexsort((begin, who))
    begin, end = begin[order], end[order]
    for one in np.split(np.arange(len(order)), np.flatnonzero(np.diff(who[order])) + 1):
        begin[one] = np.maximum(begin[one], np.maximum.accumulate(np.append(0.0, end[one]))[:-1])
    return begin[end > begin], end[end > begin]


TURNED_AWAY = Outcome.TURNED_AWAY
Measure = Callable[[Observed, Json], float]
MEASURES: dict[str, Measure] = {}


def measure(*names: str) -> Callable[[Measure], Measure]:
    def enter(function: Measure) -> Measure:
        MEASURES.update(dict.fromkeys(names, function))
        return function

    return enter


class Ratio(float):
    """A mean, and over how many: means of several runs are pooled by that."""

    weight: float

    def __new__(cls, value: float, weight: float) -> Ratio:
        ratio = super().__new__(cls, value)
        ratio.weight = weight
        return ratio


def mean(values: Any) -> float:
    return ratio(float(np.sum(values)), len(values))


def ratio(part: float, of: float) -> Ratio:
    return Ratio(part / of if of else float("nan"), float(of))


def measured(model: Model, run: Run, expected: list[Json]) -> list[float]:
    """One number for each expected value; raises NotStatedError where a metric or a qualifier is unknown."""
    observed = Observed(model, run)
    return [MEASURES[of["metric"]](observed, of) for of in expected]


def check(expected: Json) -> None:
    if expected["metric"] not in MEASURES:
        raise NotStatedError(f"metric {expected['metric']}")
    for key in expected:
        if key not in KEYS:
            raise NotStatedError(f"qualifier {key}")


# ------------------------------------------------------------------ waits and responses


@measure("mean_wait")
def mean_wait(o: Observed, of: Json) -> float:
    return mean(o.population(of))


@measure("variance_wait")
def variance_wait(o: Observed, of: Json) -> float:
    return float(np.var(o.population(of)))


@measure("wait_second_moment")
def wait_second_moment(o: Observed, of: Json) -> float:
    return mean(o.population(of) ** 2)


@measure("max_wait")
def max_wait(o: Observed, of: Json) -> float:
    return float(np.max(o.population(of)))


@measure("wait_percentile")
def wait_percentile(o: Observed, of: Json) -> float:
    return float(np.percentile(o.population(of), of["percentile"]))


@measure("prob_wait_le")
def prob_wait_le(o: Observed, of: Json) -> float:
    """Of all (unless a population is named): started after waiting at most so long."""
    if "population" in of:
        return mean(o.population(of) <= of["threshold"] + 1e-9)
    wait, started = o.waits(of)
    return mean(started & (wait <= of["threshold"] + 1e-9))


@measure("prob_served_within")
def prob_served_within(o: Observed, of: Json) -> float:
    wait, started = o.waits(of)
    turned = np.sum(o.cases(of) & (o.outcome == TURNED_AWAY))
    return ratio(float(np.sum(started & (wait <= of["threshold"] + 1e-9))), len(wait) + float(turned))


@measure("prob_delay")
def prob_delay(o: Observed, of: Json) -> float:
    wait, started = o.waits(of)
    return mean((wait > 1e-9) | ~started)


@measure("mean_response", "variance_response", "prob_response_le")
def response(o: Observed, of: Json) -> float:
    times = responses(o, of)
    if of["metric"] == "mean_response":
        return mean(times)
    return float(np.var(times)) if of["metric"] == "variance_response" else mean(times <= of["threshold"] + 1e-9)


def responses(o: Observed, of: Json) -> Floats:
    if "step" in of:
        chosen = o.visits(of) & np.isfinite(o.completed)
        return o.passed(of, o.offered[chosen], o.completed[chosen])
    last = o.last_try
    chosen = o.cases(of) & np.isfinite(o.left[last]) & (o.outcome[last] != TURNED_AWAY)
    if of.get("population") == "abandoned":
        chosen &= o.outcome[last] == Outcome.ABANDONED
    elif of.get("population") != "all":
        chosen &= o.outcome[last] != Outcome.ABANDONED
    return o.passed(of, o.arrived[chosen], o.left[last][chosen])


@measure("mean_total_wait")
def mean_total_wait(o: Observed, of: Json) -> float:
    """Response minus service: per case."""
    chosen = o.cases(of) & np.isfinite(o.left)
    item, _, begin, end = o.turns
    served = np.bincount(o.case[item], end - begin, minlength=len(chosen))
    return mean((o.left - o.arrived - served)[chosen])


@measure("mean_completion_time", "mean_handle_time")
def mean_completion_time(o: Observed, of: Json) -> float:
    chosen = o.visits(of) & np.isfinite(o.completed)
    return mean(o.completed[chosen] - o.started[chosen])


@measure("mean_join_delay")
def mean_join_delay(o: Observed, of: Json) -> float:
    joins = [s["name"] for s in o.model.statement["steps"] if s["type"] == "join"]
    ends = [
        name(s["name"])
        for s in o.model.statement["steps"]
        if any(way["to"] in joins for way in s.get("next", ()))
    ]
    joined = np.full(len(o.arrived), NEVER)
    at_join = o.there & np.isin(o.step, [name(join) for join in joins])
    joined[o.case[at_join]] = o.offered[at_join]
    branch = o.there & np.isin(o.step, ends) & np.isfinite(joined[o.case]) & o.cases({})[o.case]
    return mean(joined[o.case[branch]] - o.completed[branch])


@measure("prob_started_same_day")
def prob_started_same_day(o: Observed, of: Json) -> float:
    chosen = o.visits(of)
    plan = o.run.plan
    closings = np.sort(np.unique(plan.duty_to / MINUTE))
    at = o.arrived[o.case[chosen]]
    i = np.searchsorted(closings, (np.floor(at / DAY) + 1) * DAY, side="right") - 1
    closing = closings[np.maximum(i, 0)]
    return mean(o.started[chosen] < closing)


# ------------------------------------------------------------------ shares and rates per case


@measure("abandonment_probability", "blocking_probability")
def ended_so(o: Observed, of: Json) -> float:
    """Of all tries."""
    how = Outcome.ABANDONED if of["metric"] == "abandonment_probability" else TURNED_AWAY
    tries = o.tries(of) & np.isfinite(o.left)
    again = np.bincount(o.case[o.run.log.blocked_item], minlength=len(tries)) - (o.outcome == TURNED_AWAY)
    more = float(np.sum(again[tries])) if len(o.run.log.blocked_item) else 0.0
    ended = float(np.sum(o.outcome[tries] == how)) + (more if how == TURNED_AWAY else 0.0)
    return ratio(ended, float(np.sum(tries)) + more)


@measure("share_escalated")
def share_escalated(o: Observed, of: Json) -> float:
    escalated = np.zeros(len(o.arrived), bool)
    escalated[o.case[o.escalated]] = True
    return mean(escalated[o.cases(of)])


@measure("throughput")
def throughput(o: Observed, of: Json) -> float:
    if "step" in of:
        chosen = (o.step == name(of["step"])) & o.in_window(o.completed)
        if "class" in of:
            chosen &= o.case_class[o.case] == name(of["class"])
        return o.per_minute(o.completed[chosen], of)
    done = o.in_window(o.left) & (o.outcome == Outcome.COMPLETED)
    if "class" in of:
        done &= o.case_class == name(of["class"])
    return o.per_minute(o.left[done], of)


@measure("mean_visits")
def mean_visits(o: Observed, of: Json) -> float:
    cases = o.cases(of) & np.isfinite(o.left)
    visits = o.there & np.isin(o.step, o.steps(of)) & cases[o.case]
    return ratio(float(np.sum(visits)), float(np.sum(cases)))


@measure("prob_no_return")
def prob_no_return(o: Observed, of: Json) -> float:
    """No step is visited twice."""
    steps = np.unique(o.step, return_inverse=True)[1].reshape(-1)
    visits = np.stack([o.case[o.there], steps[o.there]])
    twice, n = np.unique(visits, axis=1, return_counts=True)
    again = np.zeros(len(o.arrived), bool)
    again[twice[0, n > 1]] = True
    return mean(~again[o.cases(of) & np.isfinite(o.left)])


@measure("share_served_by_team", "share_served_by_agent")
def share_served_by(o: Observed, of: Json) -> float:
    visits = o.visits({k: v for k, v in of.items() if k in ("class", "step", "arrivals_in")})
    by = np.isin(o.worker, o.workers(of)) & np.isfinite(o.started)
    loses = any(s.get("waiting_places") is not None for s in o.model.statement["steps"])
    among = visits if loses else visits & np.isfinite(o.started)
    return ratio(float(np.sum(by & visits)), float(np.sum(among)))


@measure("mean_attempts", "prob_first_attempt_blocked")
def attempts(o: Observed, of: Json) -> float:
    blocked = np.bincount(o.case[o.run.log.blocked_item], minlength=len(o.arrived))
    if of["metric"] != "mean_attempts":
        return mean(blocked[o.cases(of)] > 0)
    turned = (o.outcome == TURNED_AWAY).astype(int)  # the last of the tries that were blocked is no more than that
    tries = np.bincount(o.root, (np.isfinite(o.arrived) * (1 + blocked - turned)), minlength=len(o.arrived))
    return mean(tries[o.cases(of) & np.isfinite(o.left[o.last_try])])


@measure("share_finally_lost")
def share_finally_lost(o: Observed, of: Json) -> float:
    last = o.last_try[o.cases(of)]
    return mean(np.isin(o.outcome[last[np.isfinite(o.left[last])]], (Outcome.ABANDONED, TURNED_AWAY)))


@measure("mean_number_in_orbit")
def mean_number_in_orbit(o: Observed, of: Json) -> float:
    """Those who gave up, or found no place, until they try again."""
    begin, end = o.orbit(np.ones(len(o.step), bool))
    gone = o.left[o.tried_before], o.arrived[o.tried_again]
    return o.time_in(np.concatenate([begin, gone[0]]), np.concatenate([end, gone[1]]), of)


# ------------------------------------------------------------------ time averages


@measure("utilisation", "share_of_time_working")
def utilisation(o: Observed, of: Json) -> float:
    present = o.time_in(*o.duties(of), of)
    return ratio(o.time_in(*o.busy(of), of), present)


@measure("mean_busy_agents")
def mean_busy_agents(o: Observed, of: Json) -> float:
    return o.time_in(*o.busy(of), of)


@measure("mean_queue_length")
def mean_queue_length(o: Observed, of: Json) -> float:
    return o.time_in(*o.queues(of), of)


@measure("mean_number_in_system")
def mean_number_in_system(o: Observed, of: Json) -> float:
    return o.time_in(*o.presence(of), of)


@measure("prob_number_in_system", "prob_number_in_system_le", "prob_system_empty")
def prob_number_in_system(o: Observed, of: Json) -> float:
    n = of.get("number", 0)
    if "at" in of:
        there = o.at(*o.presence(of), of)
        return mean(there <= n if of["metric"].endswith("_le") else there == n)
    there, lasts = o.history(o.presence(of), of)
    holds = there <= n if of["metric"].endswith("_le") else there == n
    return float(np.sum(lasts[holds]) / o.total(of))


@measure("prob_all_agents_busy")
def prob_all_agents_busy(o: Observed, of: Json) -> float:
    busy, lasts = o.history(o.busy(of), of)
    return float(np.sum(lasts[busy >= len(o.workers(of))]) / o.total(of))


@measure("prob_idle_agent_while_queue")
def prob_idle_agent_while_queue(o: Observed, of: Json) -> float:
    """Time share in which somebody waits and somebody is idle."""
    (b, e), (wb, we) = (tuple(o.minutes_before(at, of) for at in spans) for spans in (o.busy(of), o.queues(of)))
    at = np.concatenate([[0.0], b, e, wb, we, [o.total(of)]])
    busy = np.concatenate([[0], np.ones(len(b)), -np.ones(len(e)), np.zeros(2 * len(wb)), [0]])
    wait = np.concatenate([[0], np.zeros(2 * len(b)), np.ones(len(wb)), -np.ones(len(we)), [0]])
    order = np.argsort(at, kind="stable")
    holds = (np.cumsum(busy[order]) < len(o.workers(of))) & (np.cumsum(wait[order]) > 0)
    return float(np.sum(np.diff(at[order])[holds[:-1]]) / o.total(of))


@measure("share_of_time_agent_busy")
def share_of_time_agent_busy(o: Observed, of: Json) -> float:
    """An agent has at least one case in hand."""
    return utilisation(o, of)


# ------------------------------------------------------------------ at a minute


@measure("expected_number_in_system", "number_in_system")
def expected_number_in_system(o: Observed, of: Json) -> float:
    return mean(o.at(*o.presence(of), of))


@measure("expected_queue_length", "number_in_queue")
def expected_queue_length(o: Observed, of: Json) -> float:
    return mean(o.at(*o.queues(of), of))


@measure("expected_busy_agents")
def expected_busy_agents(o: Observed, of: Json) -> float:
    return mean(o.at(*o.busy(of), of))


@measure("variance_number_in_system")
def variance_number_in_system(o: Observed, of: Json) -> float:
    return float(np.var(o.at(*o.presence(of), of), ddof=1))


@measure("prob_agent_idle")
def prob_agent_idle(o: Observed, of: Json) -> float:
    """Somebody who is on duty has nothing to do."""
    return mean(o.at(*o.busy(of), of) < o.at(*o.duties(of), of))


# ------------------------------------------------------------------ outages


@measure("availability", "failure_rate")
def availability(o: Observed, of: Json) -> float:
    log = o.run.log
    units = len(o.run.plan.systems.unit_system)
    down = overlap(log.down_from / MINUTE, log.down_to / MINUTE, o.start, o.end)
    if of["metric"] == "availability":
        return 1 - float(np.sum(down)) / o.length / units
    return float(np.sum(o.in_window(log.down_from / MINUTE)) / o.length / units)


@measure("prob_up")
def prob_up(o: Observed, of: Json) -> float:
    """So many minutes after the start of a time up: at the beginning, and at the end of each outage."""
    log, found = o.run.log, []
    for unit in range(len(o.run.plan.systems.unit_system)):
        own = log.down_unit == unit
        down_from, down_to = log.down_from[own] / MINUTE, log.down_to[own] / MINUTE
        begins = np.concatenate([[0.0], down_to[down_to < o.end - of["at"]]])
        i = np.searchsorted(down_from, begins + of["at"], side="right") - 1
        found.append((i < 0) | (begins + of["at"] >= down_to[np.maximum(i, 0)]) if len(down_to) else i < 0)
    return mean(np.concatenate(found))


# ------------------------------------------------------------------ arrivals and days


@measure("mean_arrivals", "expected_arrivals", "variance_arrivals", "prob_no_arrival")
def counts(o: Observed, of: Json) -> float:
    cycle = o.model.cycle
    assert cycle
    low, high = of["interval"]
    ours = o.cases({k: v for k, v in of.items() if k == "class"})
    ours &= (o.phase(o.arrived) >= low) & (o.phase(o.arrived) < high)
    n = np.bincount(((o.arrived[ours] - o.start) // cycle).astype(int), minlength=round(o.length / cycle))
    if of["metric"] == "variance_arrivals":
        return float(np.var(n, ddof=1))
    return mean(n == 0) if of["metric"] == "prob_no_arrival" else mean(n)


@measure("time_last_completion")
def time_last_completion(o: Observed, of: Json) -> float:
    cycle = o.model.cycle
    assert cycle
    chosen = o.cases({}) & np.isfinite(o.left)
    number = ((o.arrived[chosen] - o.start) // cycle).astype(int)
    last = np.full(round(o.length / cycle), np.nan)
    for k in np.unique(number):
        last[k] = np.max(o.left[chosen][number == k]) - o.start - k * cycle
    return float(np.nanmean(last))


# ------------------------------------------------------------------ meetings


@measure("mean_batch_size", "variance_batch_size", "mean_left_after_meeting", "prob_nothing_left")
def meetings(o: Observed, of: Json) -> float:
    """Per meeting: how many cases were dealt with, how many remain."""
    step = next(s for s in o.model.statement["steps"] if s["type"] == "meeting" and _is(of, s))
    epochs = step["epochs"]
    k = np.arange(np.ceil((o.start - epochs["first"]) / epochs["every"]), (o.end - epochs["first"]) / epochs["every"])
    moments = epochs["first"] + k * epochs["every"]
    ours = o.there & (o.step == name(step["name"]))
    ends = np.sort(o.wait_end[ours])
    taken = np.searchsorted(ends, moments + 1e-7) - np.searchsorted(ends, moments - 1e-7)
    if of["metric"] == "mean_batch_size":
        return mean(taken)
    if of["metric"] == "variance_batch_size":
        return float(np.var(taken, ddof=1))
    began = np.searchsorted(np.sort(o.offered[ours]), moments + 1e-7)
    left = began - np.searchsorted(ends, moments + 1e-7)
    return mean(left) if of["metric"] == "mean_left_after_meeting" else mean(left == 0)


def _is(of: Json, step: Json) -> bool:
    return "step" not in of or of["step"] == step["name"]
