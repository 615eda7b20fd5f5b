"""The kinds of step; one file each."""

from servsim.model.steps.approval import CLOSED, SILENT, Approval, Board, Silence, Verdict, expanded
from servsim.model.steps.decision import Decision
from servsim.model.steps.delay import Delay
from servsim.model.steps.handoff import Handoff
from servsim.model.steps.meeting import Agenda, AnyTimetable, Meeting, Timetable
from servsim.model.steps.parallel import Join, Parallel
from servsim.model.steps.step import END, EXITS, REJECTED, STEPS, Automated, Onward, Step, Work, WorkPart
from servsim.model.steps.task import Task

__all__ = [
    "CLOSED",
    "END",
    "EXITS",
    "REJECTED",
    "SILENT",
    "STEPS",
    "Agenda",
    "AnyTimetable",
    "Approval",
    "Automated",
    "Board",
    "Decision",
    "Delay",
    "Handoff",
    "Join",
    "Meeting",
    "Onward",
    "Parallel",
    "Silence",
    "Step",
    "Task",
    "Timetable",
    "Verdict",
    "Work",
    "WorkPart",
    "expanded",
]
