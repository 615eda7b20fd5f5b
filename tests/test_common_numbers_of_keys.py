"""Every key of a scenario, given or left out: all draws of everything else stay as they were.

One rich scenario; each change gives, changes or takes away one key. What both scenarios have in common – each case,
each visit to a step, each duty, break and failure – must be the same in all that is drawn for it, but for what the
change is about. The table is complete: a key of the model that is neither in it nor among those that draw nothing
fails a test.
"""

from __future__ import annotations

import copy
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from worlds import mapping

from servsim import prepare
from servsim.model import Scenario
from servsim.model.base import OneOf
from servsim.records import Plan, Relation, Workload
from servsim.simulate import ranked

RICH = """
clock: {start: 2026-03-02, horizon: 26 h}
departments: {office: {}, back: {}}
pools:
  desk: {department: office, absence: 0.5, shrinkage: 0.1, skills: [desk, fix]}
  fix: {department: back, needs: crm, skills: [fix, chief], shrinkage: {share: 0.2, each: 20 min}}
  chief: {department: back, skills: [chief, desk]}
shifts:
  early: {days: mon-fri, hours: "06:00-14:00", breaks: [{at: "10:00", lasts: 20 min}]}
  late: {days: mon-fri, hours: "14:00-22:00"}
  often: {every: 4 h, headcount: {all: [0, 1, 2, 2, 1, 0]}}
staffing: {desk: {early: 3, late: 2}, fix: {early: 4, late: 2}, chief: {often: 1}}
workers: {li: {pool: desk, shifts: [early], pace: 90}}
calendars: {office_hours: {days: mon-fri, hours: "08:00-17:00"}}
systems:
  crm: {up: {kind: exponential, mean: 5 h}, down: {kind: gamma, mean: 20 min, cv: 0.5}, clock: working}
  printer: {up: {kind: exponential, mean: 9 h}, down: 15 min}
case_classes:
  ordinary:
    process: p
    priority: 2
    patience: {kind: exponential, mean: 40 min}
    attributes: {size: {choices: {small: 0.6, large: 0.4}}, amount: {numbers: {kind: uniform, low: 0, high: 100}}}
    retry: {share: 0.5, after: {kind: exponential, mean: 1 h}, times: 2}
    repeat: {share: 0.2, after: {kind: exponential, mean: 5 h}}
    promises: {first_response: {limit: 1 h}}
  vip:
    process: p
    attributes: {size: {choices: {small: 0.3, large: 0.7}}, amount: {numbers: {kind: uniform, low: 0, high: 900}}}
    duplicate: {share: 0.5, after: 30 min, channel: web}
  plain: {process: p, attributes: {size: {choices: {large: 1}}, amount: {numbers: 70}}}
demand:
  calls:
    mix: {ordinary: 0.7, vip: 0.3}
    arrivals: {kind: poisson, rate: 1.5/h}
    busy_days: {cv: 0.3}
  mails: {case_class: plain, arrivals: {kind: renewal, gap: {kind: gamma, mean: 1 h, cv: 0.7}}}
  visits:
    case_class: plain
    arrivals: {kind: appointments, days: mon-fri, every: 40 min, from: "08:00", to: "12:00", no_show: 0.2,
               early_or_late: {sd: 5 min}}
processes:
  p:
    start: serve
    steps:
      serve:
        {kind: task, skill: desk, responds: true, time: {kind: gamma, mean: 5 min, cv: 0.7},
         next: {pass: 0.7, serve: 0.1, end: 0.2}}
      pass:
        {kind: handoff, from: office, to: back, delay: {kind: gamma, mean: 20 min, cv: 0.7}, returned: 0.2,
         back_to: serve, next: which}
      which: {kind: decision, next: {repair: 0.6, ask: 0.4}}
      ask: {kind: delay, time: {kind: exponential, mean: 2 h}, next: repair}
      repair:
        {kind: task, skill: fix, time: {kind: gamma, mean: 30 min, cv: 0.7}, needs: printer, next: check}
      check:
        {kind: approval, skill: chief, time: {kind: gamma, mean: 3 min, cv: 0.7}, return: 0.3, return_to: repair,
         reject: 0.1, next: both}
      both: {kind: parallel, branches: [bill, tell], join: met}
      bill: {kind: task, skill: fix, time: {kind: exponential, mean: 4 min}, next: met}
      tell: {kind: task, skill: desk, time: {kind: exponential, mean: 2 min}, next: met}
      met: {kind: join, next: end}
dispatch:
  delay: {kind: gamma, mean: 2 min, cv: 0.7}
  escalate: {after: {kind: exponential, mean: 1 h}, to: fix}
  teams: {fix: {escalate: false, rule: random}}
"""


@cache
def _rich() -> dict[str, Any]:
    return mapping(**yaml.safe_load(RICH))


@dataclass(frozen=True)
class Change:
    """`put`: values by path, None to take the key away. `keys`: those of the model that it gives, changes or takes away
    ("Class.key", "Class.*"). `about`: what may differ in what both have, as kind or "kind:step". `kept`: so much of
    what there was, at least, is still there. (Of appointments the workload does not say for which slot each was.)"""

    put: dict[str, Any]
    keys: str
    about: str = ""
    kept: float = 1.0

    def applied(self) -> dict[str, Any]:
        config = copy.deepcopy(_rich())
        for path, value in self.put.items():
            *names, last = path.split("/")
            part = config
            for name in names:
                part = part.setdefault(name, {})
            if value is None:
                del part[last]
            else:
                part[last] = copy.deepcopy(value)
        return config


S, C, D, P = "processes/p/steps/", "case_classes/", "demand/", "pools/"
DATED = {"from": "2026-03-02 10:00", "to": "2026-03-02 11:00"}
EXP = {"kind": "exponential", "mean": "30 min"}
FLOW = "next path"  # steps come in between
CALLED = {
    "headcount": 1,
    "call": {"waiting": 3, "oldest": "9 min"},
    "delay": "10 min",
    "stay": "1 h",
    "release": {"waiting": 1},
    "wage": 9,
}
CHECK = f"{S}check/"
LEVELS = {"by": "amount", "levels": {"50": "desk"}, "above": "chief"}
OPEN = {"case_class": "vip", "step": "repair", "age": "5 h", "done": "40 %", "channel": "web", "answered": True}

CHANGES: dict[str, Change] = {
    # ---------------------------------------------------------------- staff
    "headcount": Change({"staffing/desk/early": 4}, "Scenario.staffing"),
    "named worker": Change(
        {
            "workers/ann": {
                "pool": "fix",
                "shifts": ["late"],
                "joins": "2026-03-03",
                "pace": 50,
                "absent": "2026-03-04",
                "ramp_up": {"from": 40, "weeks": 3},
            }
        },
        "Scenario.workers Worker.* RampUp.* Dates.*",
    ),
    "no named worker": Change({"workers": None}, "Scenario.workers", "", 0.95),
    "a further pool": Change({f"{P}extra": {"department": "back"}, "staffing/extra": {"late": 2}}, "Scenario.pools"),
    "a further shift": Change(
        {"shifts/night": {"days": "all", "hours": "22:00-06:00"}, "staffing/desk/night": 1},
        "Scenario.shifts Shift.days Shift.hours",
    ),
    "breaks": Change(
        {"shifts/late/breaks": [{"at": "18:00", "lasts": "20 min", "rule": "pause", "waves": 2}]},
        "Shift.breaks Break.*",
        "break duty",
    ),
    "no breaks": Change({"shifts/early/breaks": None}, "Shift.breaks", "break"),
    "hand-over of shifts": Change({"shifts/early/handover": "15 min"}, "Shift.handover", "duty break"),
    "profile": Change({"shifts/often/headcount/all": [1, 1, 2, 2, 1, 1]}, "Profile.*", "duty"),
    "absence": Change({f"{P}fix/absence": 0.1}, "Pool.absence", "", 0.5),
    "no absence": Change({f"{P}desk/absence": None}, "Pool.absence"),
    "shrinkage": Change({f"{P}chief/shrinkage": 0.1}, "Pool.shrinkage Shrinkage.*"),
    "no shrinkage": Change({f"{P}desk/shrinkage": None}, "Pool.shrinkage", "", 0.5),
    "reserve": Change({f"{P}fix/reserve": CALLED}, "Pool.reserve Reserve.* Call.* Release.*"),
    "several at once": Change(
        {f"{P}desk/at_once": {"cases": 2, "pace": [100, 60]}}, "Pool.at_once AtOnce.cases AtOnce.pace"
    ),
    "sharing": Change({f"{P}desk/at_once": {"cases": 2, "sharing": "equal"}}, "AtOnce.sharing"),
    "paces and preferences": Change(
        {f"{P}desk/skills": {"desk": {"pace": 80}, "fix": {"preference": 2}}}, "Pool.skills Ability.*"
    ),
    "department": Change({f"{P}fix/department": "office"}, "Pool.department"),
    "end of shift": Change({f"{P}desk/end_of_shift": "suspend"}, "Pool.end_of_shift"),
    "overtime limit": Change({f"{P}desk/overtime_limit": "10 min"}, "Pool.overtime_limit"),
    "headcount that leaves": Change({f"{P}chief/leaves": "idle_first"}, "Pool.leaves"),
    "wage": Change({f"{P}desk/wage": 30, f"{P}desk/overtime": 2}, "Pool.wage Pool.overtime"),
    "a pool that needs a system": Change({f"{P}desk/needs": "printer"}, "Pool.needs"),
    # ---------------------------------------------------------------- systems
    "a system": Change({"systems/phone": {"up": EXP, "down": EXP}}, "Scenario.systems System.up System.down"),
    "no system": Change({"systems/printer": None, f"{S}repair/needs": None}, "Scenario.systems Task.needs"),
    "a dated outage": Change({"systems/crm/dated": {"cut": DATED}}, "System.dated Interval.*"),
    "planned downtime": Change(
        {"systems/crm/planned": {"days": "mon", "hours": "12:00-13:00"}}, "System.planned Planned.*"
    ),
    "outages that lose work": Change({"systems/crm/effect": "restart"}, "System.effect"),
    "wear by load": Change({"systems/crm/clock": "load"}, "System.clock"),
    "separate systems": Change({"systems/crm/separate": True}, "System.separate", "wear"),
    # ---------------------------------------------------------------- demand
    "a further source": Change(
        {f"{D}letters": {"case_class": "vip", "arrivals": {"kind": "poisson", "rate": "3/h"}}},
        "Scenario.demand Demand.case_class Demand.arrivals Poisson.*",
    ),
    "one source less": Change({f"{D}calls": None}, "Scenario.demand", "", 0.2),
    "a finite source": Change(
        {
            f"{C}member": {"process": "p"},
            f"{D}staff": {
                "case_class": "member",
                "arrivals": {"kind": "finite", "population": 5, "away": EXP, "times": 3},
            },
        },
        "Finite.*",
    ),
    "an hourly source": Change(
        {f"{D}web": {"case_class": "vip", "arrivals": {"kind": "hourly", "per_hour": {"all": [2] * 24}}}}, "Hourly.*"
    ),
    "listed cases": Change(
        {
            f"{D}list": {
                "arrivals": {
                    "kind": "listed",
                    "cases": {
                        "a": {
                            "at": "10:00",
                            "case_class": "vip",
                            "channel": "web",
                            "first_step": "serve",
                            "work": {"serve": "9 min"},
                            "next": {"serve": "end"},
                            "patience": "1 h",
                            "priority": 1,
                            "due": {"resolution": "9 h"},
                        }
                    },
                }
            }
        },
        "Listed.* WrittenCase.*",
    ),
    "gaps": Change({f"{D}mails/arrivals/gap/mean": "50 min"}, "Renewal.*", "arrival", 0.5),
    "rate": Change({f"{D}calls/arrivals/rate": "2/h"}, "Poisson.rate", "arrival"),
    "factor": Change({f"{D}calls/factor": 1.5}, "Demand.factor", "arrival"),
    "no busy days": Change({f"{D}calls/busy_days": None}, "Demand.busy_days BusyDays.*", "arrival", 0.5),
    "surge": Change(
        {f"{D}calls/surges": {"sale": {"from": "2026-03-02", "to": "2026-03-04", "factor": 2}}},
        "Demand.surges Surge.*",
        "arrival",
    ),
    "batches": Change({f"{D}mails/batch": {"sizes": {1: 0.5, 3: 0.5}}}, "Demand.batch Batch.*", "arrival"),
    "channel": Change({f"{D}calls/channel": "phone"}, "Demand.channel", "channel"),
    "another mix": Change(
        {f"{D}calls/mix": {"ordinary": 0.6, "vip": 0.4}}, "Demand.mix", "class patience lag relation", 0.5
    ),
    "no-shows": Change({f"{D}visits/arrivals/no_show": None}, "Appointments.no_show", "@visits"),
    "punctual appointments": Change(
        {f"{D}visits/arrivals/early_or_late": None}, "Appointments.early_or_late EarlyOrLate.*", "@visits"
    ),
    "two in a slot": Change({f"{D}visits/arrivals/per_slot": 2}, "Appointments.per_slot", "@visits"),
    "other slots": Change(
        {
            f"{D}visits/arrivals": {
                "kind": "appointments",
                "days": "mon-fri",
                "times": ["09:00", "10:00"],
                "no_show": 0.2,
            }
        },
        "Appointments.days Appointments.times Appointments.begin Appointments.end Appointments.every",
        "@visits",
    ),
    "backlog": Change(
        {"backlog": {"cases": {"old": OPEN}, "counted": False}},
        "Scenario.backlog Backlog.cases Backlog.counted OpenCase.*",
    ),
    # ---------------------------------------------------------------- classes
    "a further class": Change(
        {
            f"{C}late": {"process": "p"},
            f"{D}new": {"case_class": "late", "arrivals": {"kind": "poisson", "rate": "1/h"}},
        },
        "Scenario.case_classes CaseClass.process",
    ),
    "priority": Change({f"{C}vip/priority": 5, "dispatch/rule": "priority"}, "CaseClass.priority"),
    "head start": Change(
        {f"{C}vip/head_start": "1 h", "dispatch/rule": "head_start"}, "CaseClass.head_start Dispatch.rule"
    ),
    "accumulation": Change(
        {f"{C}vip/accumulation": 2, f"{C}ordinary/accumulation": 1, "dispatch/rule": "accumulating"},
        "CaseClass.accumulation",
    ),
    "patience": Change({f"{C}vip/patience": EXP}, "CaseClass.patience", "patience"),
    "no patience": Change(
        {f"{C}ordinary/patience": None, f"{C}ordinary/retry": None}, "CaseClass.patience", "patience", 0.5
    ),
    "one more attribute": Change(
        {f"{C}vip/attributes/colour": {"choices": {"red": 0.5, "blue": 0.5}}}, "CaseClass.attributes Attribute.choices"
    ),
    "another attribute": Change(
        {f"{C}vip/attributes/amount/numbers/high": 500}, "Attribute.numbers", "attribute amount"
    ),
    "bot": Change({f"{C}vip/bot": {"share": 0.3, "time": "1 min"}}, "CaseClass.bot Bot.*", "path", 0.7),
    "no retry": Change({f"{C}ordinary/retry": None}, "CaseClass.retry Retry.*", "", 0.5),
    "retry once": Change({f"{C}ordinary/retry/times": 1}, "Retry.times", "", 0.7),
    "no repeat": Change({f"{C}ordinary/repeat": None}, "CaseClass.repeat Repeat.*", "", 0.5),
    "repeat of another class": Change(
        {f"{C}ordinary/repeat/case_class": "vip"}, "Repeat.case_class", "class patience relation lag", 0.5
    ),
    "no duplicate": Change({f"{C}vip/duplicate": None}, "CaseClass.duplicate Duplicate.*", "", 0.5),
    "places to wait": Change(
        {
            "dispatch/teams/desk": {"waiting_places": 2, "escalate": False},
            f"{C}vip/redial": {"after": EXP, "share": 0.5},
        },
        "TeamDispatch.waiting_places CaseClass.redial Redial.*",
        "redial timer",
    ),
    "promises": Change(
        {
            f"{C}vip/promises": {
                "first_response": {"limit": "2 h", "penalty": 3, "clock": "office_hours"},
                "mended": {"limit": "9 h", "from": "repair started", "to": "check completed", "pauses_in": ["ask"]},
            }
        },
        "CaseClass.promises Promise.* Scenario.calendars",
    ),
    "no promise": Change({f"{C}ordinary/promises": None}, "CaseClass.promises"),
    "calendar": Change(
        {"calendars/office_hours/hours": "09:00-12:00", "calendars/office_hours/days": "mon"}, "BusinessCalendar.*"
    ),
    # ---------------------------------------------------------------- steps
    "service": Change({f"{S}serve/time": EXP}, "Task.time", "work:serve"),
    "skill": Change({f"{S}tell/skill": "chief"}, "Task.skill", "timer:tell"),
    "own times": Change({f"{S}repair/times": {"desk": EXP, "li": "9 min"}}, "Task.times"),
    "automated share": Change(
        {f"{S}repair/automated": {"share": 0.3, "time": "1 s"}},
        "Task.automated Automated.*",
        "work:repair hold:repair by_hand:repair timer:repair lot:repair",
    ),
    "a step that needs a system": Change({f"{S}tell/needs": "crm"}, "Task.needs"),
    "same worker": Change(
        {f"{S}tell/same_as": {"step": "serve", "rule": "required", "wait": "1 h"}},
        "Task.same_as SameAs.step SameAs.rule SameAs.wait",
    ),
    "two at once": Change({f"{S}tell/workers": 2}, "Task.workers"),
    "owner": Change({f"{S}serve/same_as": {"owner_of": "previous_case"}}, "SameAs.owner_of"),
    "four eyes": Change({f"{CHECK}not_same_as": "repair"}, "Task.not_same_as Approval.not_same_as"),
    "another who answers": Change({f"{S}repair/responds": True}, "Task.responds", "lag"),
    "other ways": Change(
        {f"{S}serve/next": {"pass": 0.6, "serve": 0.1, "end": 0.3}}, "Task.next", "next:serve path", 0.7
    ),
    "a step in between": Change(
        {f"{S}pass/next": "note", f"{S}note": {"kind": "task", "skill": "desk", "time": EXP, "next": "which"}},
        "Process.steps Handoff.next",
        FLOW,
    ),
    "another start": Change({"processes/p/start": "pass"}, "Process.start", "path patience", 0.4),
    "another process": Change(
        {"processes/q": {"start": "a", "steps": {"a": {"kind": "delay", "time": EXP, "next": "end"}}}},
        "Scenario.processes Delay.next",
    ),
    "delay": Change({f"{S}ask/time": "3 h"}, "Delay.time", "work:ask"),
    "decision": Change({f"{S}which/next": {"repair": 0.3, "ask": 0.7}}, "Decision.next", FLOW, 0.7),
    "decision by attribute": Change(
        {f"{S}which": {"kind": "decision", "by": "size", "next": {"small": "repair"}, "otherwise": "ask"}},
        "Decision.by Decision.otherwise",
        FLOW,
        0.7,
    ),
    "decision by number": Change(
        {f"{S}which": {"kind": "decision", "by": "amount", "below": {50: "repair"}, "otherwise": "ask"}},
        "Decision.below",
        FLOW,
        0.7,
    ),
    "hand-over": Change({f"{S}pass/delay": "1 min"}, "Handoff.delay", "work:pass"),
    "hand-overs by pair": Change(
        {f"{S}pass/delay": None, "hand_overs": {"office": {"back": EXP}}},
        "Scenario.hand_overs Handoff.sender Handoff.to",
        "work:pass",
    ),
    "hand-overs not sent back": Change(
        {f"{S}pass/returned": None, f"{S}pass/back_to": None},
        "Handoff.returned Handoff.back_to",
        "next:pass returned:pass path",
        0.6,
    ),
    "hand-overs sent back once": Change({f"{S}pass/rounds": 1}, "Handoff.rounds", "next:pass returned:pass path", 0.7),
    "deliveries": Change(
        {f"{S}pass/deliveries": {"times": ["10:00", "15:00"], "days": "mon-fri"}},
        "Handoff.deliveries Timetable.times Timetable.days",
    ),
    "deliveries every hour": Change(
        {f"{S}pass/deliveries": {"every": "1 h", "first": "20 min"}}, "Timetable.every Timetable.first"
    ),
    "deliveries by day": Change(
        {f"{S}pass/deliveries": {"by_day": {"mon": ["10:00"], "tue": ["15:00"]}}}, "Timetable.by_day"
    ),
    "join of one": Change({f"{S}met/needs": 1}, "Join.needs"),
    "branches in turn": Change(
        {f"{S}both": None, f"{S}met": None, f"{S}bill/next": "tell", f"{S}tell/next": "end", f"{CHECK}next": "bill"},
        "Parallel.* Join.next Approval.next",
        "next path",
        0.7,
    ),
    "meeting": Change(
        {
            f"{S}ask": {
                "kind": "meeting",
                "times": ["11:00"],
                "days": "mon-fri",
                "seats": 3,
                "deadline": "1 h",
                "lasts": "2 h",
                "time": {"kind": "exponential", "mean": "2 h"},
                "next": "repair",
            }
        },
        "Meeting.*",
    ),
    # ---------------------------------------------------------------- approvals
    "approval": Change(
        {f"{CHECK}time": EXP, f"{CHECK}needs": "crm", f"{CHECK}responds": True},
        "Approval.time Approval.needs Approval.responds",
        "work:check lag",
    ),
    "approver": Change({f"{CHECK}skill": "fix"}, "Approval.skill", "timer:check lot:check"),
    "no returns": Change({f"{CHECK}return": None}, "Approval.returned", "next:check returned:check path", 0.6),
    "returned elsewhere": Change(
        {f"{CHECK}return_to": "ask", f"{CHECK}rounds": 1},
        "Approval.return_to Approval.rounds",
        "next:check returned:check path",
        0.6,
    ),
    "no rejections": Change({f"{CHECK}reject": None}, "Approval.reject", "next:check returned:check path", 0.7),
    "approver's own times": Change({f"{CHECK}times": {"chief": EXP}}, "Approval.times"),
    "approver's same worker": Change({f"{CHECK}same_as": {"step": "repair"}}, "Approval.same_as"),
    "approved by itself": Change(
        {f"{CHECK}automated": {"share": 0.4, "time": "1 s"}},
        "Approval.automated",
        "work:check hold:check by_hand:check timer:check lot:check",
    ),
    "levels": Change(
        {f"{CHECK}skill": None, **{f"{CHECK}{k}": v for k, v in LEVELS.items()}},
        "Approval.by Approval.levels Approval.above",
        "next path timer:check work:check hold:check by_hand:check returned:check lot:check",
        0.7,
    ),
    "chain": Change(
        {
            f"{CHECK}skill": None,
            f"{CHECK}chain": [
                "fix",
                {"skill": "chief", "time": EXP, "return": 0.1, "return_to": "ask", "reject": 0.2, "rounds": 1},
            ],
        },
        "Approval.chain Link.skill Link.time Link.returned Link.return_to Link.reject Link.rounds",
        "next path timer:check lot:check returned:check",
        0.5,
    ),
    "board": Change(
        {
            f"{CHECK}skill": None,
            f"{CHECK}time": None,
            f"{CHECK}meeting": {"times": ["09:00"], "days": "mon", "seats": 2, "deadline": "1 h", "lasts": "1 h"},
        },
        "Approval.meeting Agenda.* Board.*",
        "work:check hold:check by_hand:check timer:check lot:check",
    ),
    "signed later": Change(
        {f"{CHECK}timing": "after", f"{CHECK}late_refusal": {"share": 0.3, "cost": 5, "redo": "repair"}},
        "Approval.timing Approval.late_refusal LateRefusal.*",
        "next path returned:check",
        0.5,
    ),
    "not signed": Change(
        {f"{CHECK}timing": "skip"},
        "Approval.timing",
        "next path returned:check work:check hold:check by_hand:check timer:check lot:check",
        0.5,
    ),
    "a share skipped": Change(
        {f"{CHECK}skipped": {"share": 0.3}},
        "Approval.skipped Skipped.*",
        "next path returned:check work:check hold:check by_hand:check timer:check lot:check",
        0.6,
    ),
    "deputy": Change({f"{CHECK}delegate": "fix"}, "Approval.delegate"),
    "deputy in a chain": Change(
        {f"{CHECK}skill": None, f"{CHECK}chain": [{"skill": "chief", "delegate": "fix"}]}, "Link.delegate"
    ),
    "silence approves": Change(
        {f"{CHECK}silence": {"after": "4 h", "then": "approve", "clock": "office_hours"}},
        "Approval.silence Silence.*",
        "path next",
    ),
    "silence rejects": Change({f"{CHECK}silence": {"after": "4 h", "then": "reject"}}, "Silence.then", "path next"),
    "silence escalates": Change(
        {f"{CHECK}silence": {"after": "4 h", "then": {"escalate": "desk"}}}, "Escalated.*", "timer:check"
    ),
    "silence in a chain": Change(
        {f"{CHECK}skill": None, f"{CHECK}chain": [{"skill": "chief", "silence": {"after": "4 h", "then": "reject"}}]},
        "Link.silence",
        "path next",
    ),
    "two who approve": Change({f"{CHECK}workers": 2}, "Approval.workers"),
    # ---------------------------------------------------------------- edits
    "skip": Change({"edits/go": {"kind": "skip", "process": "p", "step": "ask"}}, "Scenario.edits Skip.*", FLOW, 0.8),
    "merge": Change(
        {"edits/go": {"kind": "merge", "process": "p", "steps": ["repair", "check"], "factor": 0.9}},
        "Merge.*",
        "work:repair next returned:repair returned:check path",
        0.4,
    ),
    "automate": Change(
        {"edits/go": {"kind": "automate", "process": "p", "step": "repair", "share": 0.3}},
        "Automate.*",
        "work:repair hold:repair by_hand:repair timer:repair lot:repair",
    ),
    "move": Change(
        {"edits/go": {"kind": "move", "process": "p", "step": "pass", "after": "repair"}}, "Move.*", FLOW, 0.5
    ),
    "together": Change(
        {
            f"{S}repair/next": "bill2",
            f"{S}bill2": {"kind": "task", "skill": "fix", "time": EXP, "next": "check"},
            "edits/go": {"kind": "parallel", "process": "p", "steps": ["repair", "bill2"]},
        },
        "Together.*",
        FLOW,
        0.6,
    ),
    # ---------------------------------------------------------------- dispatch
    "another rule": Change({"dispatch/rule": "sjf"}, "Dispatch.rule"),
    "random order": Change({"dispatch/rule": "random"}, "Dispatch.rule", "lot"),
    "no random order": Change({"dispatch/teams/fix/rule": "fcfs"}, "TeamDispatch.rule", "lot"),
    "who gets it": Change({"dispatch/assignment": "fixed"}, "Dispatch.assignment"),
    "who gets it by lot": Change({"dispatch/assignment": "random"}, "Dispatch.assignment", "lot"),
    "who gets it at one": Change({"dispatch/teams/desk": {"assignment": "fixed"}}, "TeamDispatch.assignment"),
    "no dispatch delay": Change({"dispatch/delay": None}, "Dispatch.delay", "hold"),
    "dispatch delay of one": Change({"dispatch/teams/fix/delay": EXP}, "TeamDispatch.delay", "hold:repair hold:bill"),
    "ageing": Change({"dispatch/rule": "ageing", "dispatch/ageing": "1 h"}, "Dispatch.ageing"),
    "ageing of one": Change({"dispatch/teams/desk": {"rule": "ageing", "ageing": "1 h"}}, "TeamDispatch.ageing"),
    "no escalation": Change({"dispatch/escalate": None}, "Dispatch.escalate Escalation.*", "timer"),
    "escalation of one": Change(
        {"dispatch/teams/chief": {"escalate": {"after": EXP, "to": "desk"}}}, "TeamDispatch.escalate", "timer:check"
    ),
    "alert": Change({"dispatch/alert": {"after": "1 h"}}, "Dispatch.alert Alert.*"),
    "alert of one": Change({"dispatch/teams/desk": {"alert": {"after": "1 h"}}}, "TeamDispatch.alert"),
    "hold back": Change({"dispatch/hold_back": {"priority": 1, "keep": 1}}, "Dispatch.hold_back HoldBack.*"),
    "hold back of one": Change(
        {"dispatch/teams/desk": {"hold_back": {"priority": 1, "keep": 1}}}, "TeamDispatch.hold_back"
    ),
    "backfilling": Change({"dispatch/backfilling": True, f"{S}tell/workers": 2}, "Dispatch.backfilling"),
    "backfilling at one": Change(
        {"dispatch/teams/desk": {"backfilling": True}, f"{S}tell/workers": 2}, "TeamDispatch.backfilling"
    ),
    "rework first": Change(
        {"dispatch/rework_first": True, "dispatch/teams/fix/rule": "fcfs"}, "Dispatch.rework_first", "lot"
    ),
    "rework first at one": Change({"dispatch/teams/desk": {"rework_first": True}}, "TeamDispatch.rework_first"),
    "interruptions": Change(
        {"dispatch/rule": "priority", "dispatch/preempt": "resume", "dispatch/victim": "earliest_started"},
        "Dispatch.preempt Dispatch.victim",
    ),
    "interruptions of one": Change(
        {"dispatch/teams/desk": {"rule": "priority", "preempt": "restart", "victim": "earliest_started"}},
        "TeamDispatch.preempt TeamDispatch.victim",
    ),
    "overflow": Change(
        {
            "dispatch/teams/desk": {
                "overflow": [{"to": "chief", "after": "20 min", "waiting": 5, "when": "nobody_on_duty"}]
            }
        },
        "TeamDispatch.overflow Overflow.*",
    ),
    "one team like all": Change({"dispatch/teams/fix": None}, "Dispatch.teams", "lot timer"),
    # ---------------------------------------------------------------- the clock
    "a longer clock": Change({"clock/horizon": "5 d"}, "Clock.horizon", "duty break"),
    "warm-up and run-out": Change(
        {"clock/warm_up": "1 d", "clock/run_out": "1 d"}, "Clock.warm_up Clock.run_out", "duty"
    ),
    "no arrivals in the run-out": Change(
        {"clock/run_out": "1 d", "clock/arrivals_in_run_out": False}, "Clock.arrivals_in_run_out", "duty"
    ),
    "a day off": Change(
        {"clock/exceptions": {"2026-03-02": "closed"}}, "Clock.exceptions", "arrival duty break @visits"
    ),
    "holidays": Change({"clock/holidays": "CN", "clock/make_up_as": "tue"}, "Clock.holidays Clock.make_up_as"),
}

DRAWS_NOTHING = (
    *("Label.*", "Fact.*", "Assumption.*", "NotModelled.*", "Target.*", "Department.*"),
    *("Scenario.name", "Scenario.title", "Scenario.label", "Scenario.question"),
    *("Scorecard.*", "Criterion.*", "Indicator.*", "Season.*", "Envelopment.*", "Worth.*", "Scenario.scorecard"),
    "Subcriterion.*",
    *("Scenario.facts", "Scenario.currency", "Scenario.assumptions", "Scenario.departments"),
    *("Scenario.not_modelled", "Scenario.targets"),
    *("Scenario.dispatch", "Scenario.clock", "Clock.start"),
    *(
        "Task.parts",
        "Task.factor",
        "Task.outcome",
        "Approval.parts",
        "Approval.factor",
        "Approval.outcome",
        "WorkPart.*",
    ),
    *("Handoff.outcome", "Delay.outcome", "Join.outcome"),
    *("Trace.*", "TraceColumns.*", "Backlog.file", "Backlog.columns", "Backlog.unit", "BacklogColumns.*"),
    *("Distribution.*", "Arrivals.*", "Step.*", "Edit.*"),
)
"""Names and texts; containers of what is in the table; what stands for the parts of a merged step; the same demand,
read from a file; what others are kinds of. (Distributions: by what is drawn from them.)"""

# ---------------------------------------------------------------------- what is drawn

Facts = dict[tuple[Any, ...], Any]


def facts(config: dict[str, Any]) -> tuple[Facts, tuple[Plan, Workload]]:
    """Everything that is drawn, by (kind, whose)."""
    scenario = Scenario.model_validate(config)
    plan = prepare.plan(scenario, 1, 0)
    work = ranked(prepare.workload(scenario, 1, 0), scenario, plan.skills)
    return dict([*_of_cases(work), *_of_items(work, plan), *_of_plan(plan)]), (plan, work)


@cache
def _before() -> tuple[Facts, tuple[Plan, Workload]]:
    return facts(_rich())


@cache
def _after(name: str) -> tuple[Facts, tuple[Plan, Workload]]:
    return facts(CHANGES[name].applied())


def _keys(work: Workload) -> list[tuple[Any, ...]]:
    """[cases] (source, which of them); who follows another case: (the other, how)."""
    follows = {
        case: (after, Relation(how).name)
        for case, after, how in zip(
            work.followers.case.tolist(), work.followers.after.tolist(), work.followers.relation.tolist(), strict=True
        )
    }
    seen: dict[int, int] = {}
    keys: list[tuple[Any, ...]] = []
    for case, source in enumerate(work.source.tolist()):
        if case in follows:
            keys.append(follows[case])
            continue
        keys.append((work.sources[source], seen.get(source, 0)))
        seen[source] = seen.get(source, 0) + 1
    return [_whole(keys, key) for key in keys]


def _whole(keys: list[tuple[Any, ...]], key: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*_whole(keys, keys[key[0]]), key[1]) if isinstance(key[0], int) else key


def _of_cases(work: Workload) -> Iterator[tuple[Any, Any]]:
    keys, names = _keys(work), work.steps.names
    lag = dict(zip(work.followers.case.tolist(), work.followers.lag.tolist(), strict=True))
    for case, key in enumerate(keys):
        own = slice(*work.first_item[case : case + 2].tolist())
        yield ("arrival", key), int(work.arrived_at[case])
        yield ("class", key), work.classes[work.case_class[case]]
        yield ("channel", key), work.channels[work.channel[case]]
        yield ("patience", key), int(work.patience[case])
        yield ("path", key), tuple(names[step] for step in work.step[own])
        if case in lag:
            yield ("lag", key), lag[case]
        if work.redial.size:
            yield ("redial", key), tuple(work.redial[case].tolist())


def _of_items(work: Workload, plan: Plan) -> Iterator[tuple[Any, Any]]:
    keys, names = _keys(work), work.steps.names
    rows = zip(work.case.tolist(), work.step.tolist(), work.visit.tolist(), strict=True)
    for item, (case, step, visit) in enumerate(rows):
        key = (keys[case], names[step], visit)
        after = int(work.next_item[item])
        yield ("work", key), int(work.work[item])
        yield ("hold", key), int(work.hold[item])
        yield ("by_hand", key), bool(work.skill[item] >= 0)
        yield ("returned", key), int(work.returned[item])
        yield ("next", key), names[work.step[after]] if after >= 0 else (after, int(work.leaves[item]))
        if len(work.lot):
            yield ("lot", key), int(work.lot[item])
        for skill, timer in enumerate(work.timer_of.tolist()):
            if timer >= 0:
                yield ("timer", key, plan.skills[skill]), int(work.timer[timer, item])
        for row, who in enumerate(work.own_time_of):
            yield ("own time", key, who), int(work.own_time[row, item])


def _of_plan(plan: Plan) -> Iterator[tuple[Any, Any]]:
    seen: dict[Any, int] = {}
    for w, begin, end in zip(plan.duty_worker, plan.duty_from.tolist(), plan.duty_to.tolist(), strict=True):
        yield ("duty", plan.workers[w], begin), end
    for w, at, lasts in zip(plan.break_worker, plan.break_at.tolist(), plan.break_lasts.tolist(), strict=True):
        yield ("break", plan.workers[w], at), lasts
    of = plan.systems
    for unit, up, down in zip(of.wear_unit.tolist(), of.wear_up.tolist(), of.wear_down.tolist(), strict=True):
        owner = plan.workers[of.unit_worker[unit]] if of.unit_worker[unit] >= 0 else ""
        whose = (of.names[of.unit_system[unit]], owner)
        yield ("wear", whose, seen.get(whose, 0)), (up, down)
        seen[whose] = seen.get(whose, 0) + 1


# ---------------------------------------------------------------------- the tests


def is_about(fact: tuple[Any, ...], about: str) -> bool:
    """The change is about such facts: of the kind, of the kind at the step ("kind:step"), of the source ("@source")."""
    if f"@{_source(fact)}" in about.split():
        return True
    return any(what == fact[0] or (":" in what and what.split(":") == [fact[0], fact[1][1]]) for what in about.split())


def _source(fact: tuple[Any, ...]) -> str:
    whose = fact[1]
    return str(whose[0][0] if whose and isinstance(whose[0], tuple) else whose[0])


@pytest.mark.parametrize("name", CHANGES)
def test_all_other_draws_stay_as_they_were(name: str) -> None:
    change = CHANGES[name]
    (before, _), (after, _) = _before(), _after(name)
    common = before.keys() & after.keys()
    wrong = [fact for fact in common if before[fact] != after[fact] and not is_about(fact, change.about)]
    told = [f"{fact}: {before[fact]} → {after[fact]}" for fact in sorted(wrong, key=str)[:9]]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(common)}", *told])
    lost = [fact for fact in before.keys() - after.keys() if not is_about(fact, change.about)]
    assert len(lost) <= (1 - change.kept) * len(before), f"{len(lost)} of {len(before)}: {sorted(map(str, lost))[:9]}"


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_changes_something(name: str) -> None:
    """Else the table would say nothing about its key."""
    from test_common_numbers import same

    change = CHANGES[name]
    one, other = Scenario.model_validate(_rich()), Scenario.model_validate(change.applied())
    assert one != other
    unseen = {"calendar", "another process", "holidays", "one more attribute", "another attribute"}  # nobody looks
    alike = [same(a, b) for a, b in zip(_before()[1], _after(name)[1], strict=True)]
    assert name in unseen or not all(alike)


def keys_of(model: type[BaseModel], seen: dict[type[BaseModel], None] | None = None) -> set[str]:
    """'Class.key' of every key that may stand in the model, and below it."""
    seen = {} if seen is None else seen
    if model in seen:
        return set()
    seen[model] = None
    found = {f"{model.__name__}.{name}" for name in model.model_fields}
    for of in model.model_fields.values():
        for part in [*of.metadata, *_parts(of.annotation)]:
            below = [part.family[kind] for kind in part.family] if isinstance(part, OneOf) else [part]
            for one in below:
                found |= keys_of(one, seen) if isinstance(one, type) and issubclass(one, BaseModel) else set()
    return found


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in (*getattr(annotation, "__metadata__", ()), *typing.get_args(annotation)):
        yield from _parts(part)


def test_the_table_is_complete() -> None:
    """Every key of the model is in the table, or draws nothing; and every key of the table is one of the model."""
    from servsim.model import distributions

    known = keys_of(Scenario)
    shapes = {name for name, part in vars(distributions).items() if isinstance(part, type)}
    keys = {key for key in known if not key.endswith((".label", ".kind")) and key.split(".")[0] not in shapes}
    told = {key for change in CHANGES.values() for key in change.keys.split()} | set(DRAWS_NOTHING)
    assert {key for key in keys if key not in told and f"{key.split('.')[0]}.*" not in told} == set()
    classes = {key.split(".")[0] for key in known}
    assert {key for key in told if key not in known and (not key.endswith(".*") or key[:-2] not in classes)} == set()
