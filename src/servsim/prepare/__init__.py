"""Scenario + seed → plan and workload. The only dice in the house."""

from servsim.prepare.followers import settled
from servsim.prepare.staffing import plan
from servsim.prepare.unfold import workload

__all__ = ["plan", "settled", "workload"]
