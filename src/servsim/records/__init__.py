"""The arrays that the middle of the house shares: plan, workload, event log, run."""

from servsim.records.eventlog import EventLog
from servsim.records.plan import EndOfShift, Plan, Preempt
from servsim.records.reserves import Reserves
from servsim.records.run import Run, Window
from servsim.records.systems import Systems
from servsim.records.workload import Followers, Leaves, Outcome, RankBy, Relation, Workload

__all__ = [
    "EndOfShift",
    "EventLog",
    "Followers",
    "Leaves",
    "Outcome",
    "Plan",
    "Preempt",
    "RankBy",
    "Relation",
    "Reserves",
    "Run",
    "Systems",
    "Window",
    "Workload",
]
