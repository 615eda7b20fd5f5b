"""How the work runs, and what scenarios change about it, in a sentence for each picture of a process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from servsim.report.findings import Findings
from servsim.report.flow import CHANGED, NEW, REMOVED, WORK, Box, Chart, charts

MOST = 5
"""Steps that a sentence names; more are counted."""
ROOM = 200
"""Boxes of all pictures beside that of the baseline; a page stays small. The best two are drawn in any case."""


@dataclass(frozen=True)
class Drawn:
    """A picture of processes, and the scenarios that it shows: those that change the processes alike."""

    name: str
    scenarios: tuple[str, ...]
    charts: tuple[Chart, ...]

    @property
    def n_boxes(self) -> int:
        return sum(len(chart.boxes) for chart in self.charts)


def drawn(found: Findings) -> list[Drawn]:
    """Those of all for which there is room, the best first."""
    every, boxes = different(found), 0
    kept = every[:3]
    for picture in every[1:]:
        boxes += picture.n_boxes
        if picture not in kept and boxes <= ROOM:
            kept.append(picture)
    return kept


def different(found: Findings) -> list[Drawn]:
    """The baseline's processes, then those of all other scenarios that differ from it, in the order of the ranking."""
    today = tuple(charts(found, found.baseline))
    if not today:
        return []
    alike: list[tuple[tuple[Chart, ...], list[str]]] = []
    for scenario in found.ranked:
        here = tuple(charts(found, scenario))
        same = next((scenarios for other, scenarios in alike if other == here), None)
        if same is not None:
            same.append(scenario)
        elif here:
            alike.append((here, [scenario]))
    names = _names([scenarios[0] for _, scenarios in alike])
    others = [Drawn(name, tuple(of), here) for name, (here, of) in zip(names, alike, strict=True)]
    return [Drawn("process", (found.baseline,), today), *others]


def _names(scenarios: list[str]) -> Iterator[str]:
    """'process_peak_30' for 'desk/peak_30'; a number behind it where two would be the same."""
    taken: set[str] = set()
    for number, scenario in enumerate(scenarios, 1):
        name = "process_" + re.sub(r"\W+", "_", scenario.partition("/")[2] or scenario, flags=re.ASCII)[:150].strip("_")
        taken.add(name := f"{name}_{number}" if name in taken else name)
        yield name


def title(found: Findings, picture: Drawn) -> str:
    if picture.scenarios == (found.baseline,):
        return found.words("flow.today", baseline=found.label(found.baseline))
    quoted = [found.words("flow.quoted", measure=found.label(scenario)) for scenario in picture.scenarios]
    return found.words("flow.with", measures=found.words.list(quoted))


def told(found: Findings, picture: Drawn) -> str:
    """What is to be seen: how many steps in how many departments; what is new, removed, changed."""
    say = found.words
    if picture.scenarios == (found.baseline,):
        return say("flow.sizes", sizes=say.list([_size(found, chart) for chart in picture.charts]))
    return say("sentence.gap").join(part for chart in picture.charts for part in _changes(found, chart))


def _size(found: Findings, chart: Chart) -> str:
    work = [box for box in chart.boxes if box.shape == WORK]
    lanes = {box.lane for box in work if box.lane}
    texts = {"process": chart.title, "steps": len(work), "departments": max(1, len(lanes))}
    return found.words("flow.size", **texts)


def _changes(found: Findings, chart: Chart) -> Iterator[str]:
    many = len(found.comparison.flows.get(found.baseline, ())) > 1
    lead = found.words("flow.of", process=chart.title) if many else ""
    name = {box.id: box.title for box in chart.boxes}
    titled = [box for box in chart.boxes if box.title]
    of = {mark: [_named(found, box) for box in titled if box.mark == mark] for mark in (NEW, REMOVED, CHANGED)}
    of = {mark: [*dict.fromkeys(names)] for mark, names in of.items()}
    of["ways"] = [
        found.words("flow.way", source=name[a.source], target=name[a.target], label=a.label)
        for a in chart.arrows
        if a.mark == CHANGED and name[a.source] and name[a.target]
    ]
    for mark, titles in of.items():
        if titles:
            yield lead + found.words(f"flow.told_{mark}", steps=_listed(found, titles))
            lead = ""
    if not any(of.values()):
        yield lead + found.words("flow.order_only")


def _named(found: Findings, box: Box) -> str:
    """The step, with what has changed about it."""
    news = found.words("list.comma").join(box.news)
    return found.words("flow.news", step=box.title, news=news) if news else box.title


def _listed(found: Findings, titles: list[str]) -> str:
    """All, or the first few and how many more."""
    more = len(titles) - MOST
    told = found.words("flow.comma").join(titles if more <= 1 else titles[:MOST])
    return found.words("flow.more", steps=told, n=more) if more > 1 else told
