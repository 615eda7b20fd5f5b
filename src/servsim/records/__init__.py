"""The arrays that the middle of the house shares: plan, workload, event log, run."""

from servsim.records.eventlog import EventLog
from servsim.records.plan import EndOfShift, Plan
from servsim.records.run import Run, Window
from servsim.records.workload import Leaves, Outcome, Workload

__all__ = ["EndOfShift", "EventLog", "Leaves", "Outcome", "Plan", "Run", "Window", "Workload"]
