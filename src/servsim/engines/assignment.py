"""Which idle worker gets the item: one function per assignment rule.

A rule is given the idle, eligible workers (longest idle first, then lowest number), the skill, the item's lot and the
present tick. It returns one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from servsim.registry import Registry

if TYPE_CHECKING:
    from servsim.engines.floor import Worker

Rule = Callable[[Sequence["Worker"], int, int, int], "Worker"]
RULES: Registry[Rule] = Registry("assignment rule")


@RULES.register("longest_idle")
def longest_idle(idle: Sequence[Worker], skill: int, lot: int, now: int) -> Worker:
    """Who has been idle longest: since the last completion, start of shift or end of break."""
    return idle[0]


@RULES.register("least_utilised")
def least_utilised(idle: Sequence[Worker], skill: int, lot: int, now: int) -> Worker:
    """The lowest busy ÷ rostered time so far, in millionths; among equals the longest idle."""
    return min(idle, key=lambda w: w.busy * 1_000_000 // max(w.present + now - w.duty_since, 1))


@RULES.register("fastest")
def fastest(idle: Sequence[Worker], skill: int, lot: int, now: int) -> Worker:
    """The highest pace at this skill; among equals the longest idle."""
    return max(idle, key=lambda w: w.pace[skill] if w.pace else 100)


@RULES.register("slowest")
def slowest(idle: Sequence[Worker], skill: int, lot: int, now: int) -> Worker:
    """The lowest pace at this skill, so that the quick stay free; among equals the longest idle."""
    return min(idle, key=lambda w: w.pace[skill] if w.pace else 100)


@RULES.register("fixed")
def fixed(idle: Sequence[Worker], skill: int, lot: int, now: int) -> Worker:
    """The first in the order of the roster."""
    return min(idle, key=lambda w: w.id)


@RULES.register("random")
def random(idle: Sequence[Worker], skill: int, lot: int, now: int) -> Worker:
    """By the item's lot, drawn beforehand."""
    return sorted(idle, key=lambda w: w.id)[lot % len(idle)]
