"""The arrays that the middle of the house shares: plan, workload, event log, run."""

from servsim.records.clocks import Clocks, Event, Triggers
from servsim.records.course import Course, State, course
from servsim.records.eventlog import EventLog
from servsim.records.overflow import Overflow
from servsim.records.owners import Owners
from servsim.records.plan import EndOfShift, Plan, Preempt
from servsim.records.reserves import Reserves
from servsim.records.run import Run, Window
from servsim.records.silences import Silences, Silent
from servsim.records.systems import Systems
from servsim.records.workload import Followers, Leaves, Outcome, RankBy, Relation, Workload

__all__ = [
    "Clocks",
    "Course",
    "EndOfShift",
    "Event",
    "EventLog",
    "Followers",
    "Leaves",
    "Outcome",
    "Overflow",
    "Owners",
    "Plan",
    "Preempt",
    "RankBy",
    "Relation",
    "Reserves",
    "Run",
    "Silences",
    "Silent",
    "State",
    "Systems",
    "Triggers",
    "Window",
    "Workload",
    "course",
]
