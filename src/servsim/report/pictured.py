"""Which pictures stand where on the page, under which title, with which sentence on what is to be seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from servsim.report import changing, queueing
from servsim.report.document import Blocks, Bullets, Picture
from servsim.report.findings import Findings

RANKING = ("comparison",)
TIME = ("time_spent",)
QUEUE = ("queue_by_department", "queue_by_weekday", "queue_by_hour")
MORE = ("waiting_by_hour", "response_times", "utilisation_by_hour")

SEEN: dict[str, Callable[[Findings], str]] = {"queue_by_department": queueing.where, "queue_by_weekday": queueing.when}
"""What is told of a picture, made from its figures."""


def pictures(found: Findings, drawn: Sequence[str], wanted: Sequence[str]) -> Blocks:
    """Those of the wanted ones that are drawn, in this order."""
    return [
        Picture(name, found.words(f"figure.{name}"), SEEN[name](found) if name in SEEN else "")
        for name in wanted
        if name in drawn
    ]


def today(found: Findings) -> Blocks:
    """The processes of the baseline."""
    return _processes(found, changing.drawn(found)[:1])


def changed(found: Findings) -> Blocks:
    """The processes of the scenarios that change them; those for which there is no room in words."""
    pictures = changing.drawn(found)[1:]
    others = [picture for picture in changing.different(found)[1:] if picture not in pictures]
    told = [found.words("flow.untold", title=changing.title(found, of), told=changing.told(found, of)) for of in others]
    return [*_processes(found, pictures), *([Bullets(tuple(told))] if told else [])]


def _processes(found: Findings, of: Sequence[changing.Drawn]) -> Blocks:
    return [Picture(each.name, changing.title(found, each), changing.told(found, each)) for each in of]
