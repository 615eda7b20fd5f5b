"""Which steps a case goes through, who does them, what a scenario changes about that: a process as boxes and arrows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from servsim.model import steps
from servsim.model.process import Flow
from servsim.model.steps import EXITS, REJECTED, Approval, Decision, Handoff, Onward, Parallel, Step, Verdict, Work
from servsim.quantities import DAY, HOUR, MINUTE, SECOND, written
from servsim.report.findings import Findings
from servsim.report.writing import duration, number

NEW, REMOVED, CHANGED = "new", "removed", "changed"
START = ">"
"""Where a case begins; no step is called so."""

WORK, DECISION, FORK, WAIT, BEGIN, END, OUT = "work", "decision", "fork", "wait", "begin", "end", "out"
"""What a box stands for: work, a decision, branches that part or meet, passing time, the ways in and out."""

ROUTING = {"next", "outcome", "otherwise", "below", "branches", "join", "return_to", "back_to", "returned", "reject"}
"""What arrows say of a step."""
_UNITS = (("d", DAY), ("h", HOUR), ("min", MINUTE), ("s", SECOND))


@dataclass(frozen=True)
class Box:
    """A step, or a way in or out. `lane`: the department that works on it, "" where nobody does."""

    id: str
    shape: str
    lane: str
    title: str
    details: Mapping[str, str] = field(default_factory=dict)  # of what kind → the words
    rest: str = ""  # settings that are not shown, to be compared
    parts: tuple[str, ...] = ()  # the steps that are done in one here
    news: tuple[str, ...] = ()  # those of the details that have changed
    mark: str = ""


@dataclass(frozen=True)
class Arrow:
    """A way from box to box. `label` says when it is taken, "" always."""

    source: str
    target: str
    label: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Chart:
    """A process. What it lost in comparison with another is among boxes and arrows, marked as removed."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    lanes: Mapping[str, str]  # department → its name, in the order of the configuration

    @property
    def changed(self) -> bool:
        return any(box.mark for box in self.boxes) or any(arrow.mark for arrow in self.arrows)


def charts(found: Findings, scenario: str) -> list[Chart]:
    """The processes of a scenario; beside the baseline only those that differ from it, with what differs marked."""
    flows = found.comparison.flows
    today, here = flows.get(found.baseline, {}), flows.get(scenario, {})
    drawn = [Reader(found, scenario).chart(name, flow) for name, flow in here.items()]
    if scenario == found.baseline:
        return drawn
    before = Reader(found, found.baseline)
    pairs = [(chart, before.chart(n, today[n]) if n in today else None) for n, chart in zip(here, drawn, strict=True)]
    marked = [compared(chart, old, found) for chart, old in pairs]
    return [chart for chart in marked if chart.changed]


@dataclass(frozen=True)
class Reader:
    """A scenario's processes in the reader's words."""

    found: Findings
    scenario: str

    @property
    def config(self) -> Mapping[str, Any]:
        return self.found.comparison.configs.get(self.scenario, {})

    def chart(self, name: str, flow: Flow) -> Chart:
        boxes = [Box(START, BEGIN, "", ""), *(self._box(at, step) for at, step in flow.steps.items())]
        arrows = [Arrow(START, flow.start)]
        for at, step in flow.steps.items():
            arrows += _joined(self, at, step)
        exits = [arrow.target for arrow in arrows if arrow.target.partition(START)[2] in EXITS]
        boxes += [self._exit(target) for target in dict.fromkeys(exits)]
        there = _reached(arrows)
        title = self.found.words.label(self._of("processes", name).get("label"), name)
        lanes = {at: self.name("departments", at) for at in self.config.get("departments") or {}}
        kept = tuple(arrow for arrow in arrows if {arrow.source, arrow.target} <= there)
        return Chart(title, tuple(box for box in boxes if box.id in there), kept, lanes)

    def name(self, section: str, name: str) -> str:
        return self.found.words.label(self._of(section, name).get("label"), name)

    def _of(self, section: str, name: str) -> Mapping[str, Any]:
        return (self.config.get(section) or {}).get(name) or {}

    def _exit(self, place: str) -> Box:
        out = place.endswith(REJECTED)
        return Box(place, OUT if out else END, "", self.found.words("flow.rejected") if out else "")

    # ------------------------------------------------------------------ boxes
    def _box(self, at: str, step: Step) -> Box:
        parts = tuple(part.step for part in step.parts) if isinstance(step, Work) else ()
        rest = repr(step.model_dump(exclude={"label", *ROUTING}))
        return replace(self._drawn(at, step), rest=rest, parts=parts)

    def _drawn(self, at: str, step: Step) -> Box:
        label = step.label.text(self.found.words.language)
        match step:
            case Work():
                return Box(at, WORK, self._department(step.skill), label or at, dict(self._work(step)))
            case Decision():
                return Box(at, DECISION, "", label)
            case Parallel():
                return Box(at, FORK, "", label)
            case steps.Join(needs=needs):
                return Box(at, FORK, "", label, {"needs": self.found.words("flow.needs", n=needs)} if needs else {})
            case Handoff(sender=sender, delay=delay):
                title = label or self.found.words("flow.handover", to=self.name("departments", step.to))
                return Box(at, WAIT, sender or "", title, dict(self._takes(delay.mean)))
            case steps.Delay(time=time):
                return Box(at, WAIT, "", label or at, dict(self._takes(time.mean)))
            case steps.Meeting() | steps.Board():
                return Box(at, WAIT, "", label or at, {"meeting": self.found.words("flow.meeting")})
        return Box(at, WORK, "", label or at)

    def _work(self, step: Work) -> Iterator[tuple[str, str]]:
        say, pools = self.found.words, self._pools(step.skill)
        if self._department(step.skill) in self._of_several_pools or len(pools) > 1:
            yield "who", self._who(step.skill)
        if len(step.parts) > 1:
            yield "merged", say("flow.merged", n=len(step.parts))
        yield from self._takes(step.factor * sum(part.time.mean for part in step.parts_of("_")))
        automated = {part.automated.share for part in step.parts_of("_") if part.automated}
        if automated:
            yield "automated", say("flow.automated", share=self._percent(max(automated)))
        if isinstance(step.workers, int) and step.workers > 1:
            yield "workers", say("flow.workers", n=step.workers)
        yield from self._whose(step)
        if isinstance(step, Verdict) and step.silence and step.silence.then != "reject":
            key = "flow.silence_approve" if step.silence.then == "approve" else "flow.silence_escalate"
            after = duration(written(step.silence.after), say)
            yield "silence", say(key, after=after, to=self._who(step.silence.to or ""))
        if isinstance(step, Approval) and step.is_signed_later:
            yield "signed", say("flow.signed_later")
        if isinstance(step, Approval) and step.skip_share:
            yield "skipped", say("flow.skipped", share=self._percent(step.skip_share))

    def _who(self, skill: str) -> str:
        return self.found.words.list([self.name("pools", pool) for pool in self._pools(skill)])

    def _whose(self, step: Work) -> Iterator[tuple[str, str]]:
        """Who has to do it, or may not, because of who did something before."""
        say = self.found.words
        if step.same_as and step.same_as.step:
            yield "same", say("flow.same_as", step=self._title(step.same_as.step))
        elif step.same_as:
            yield "same", say("flow.same_owner")
        if step.not_same_as:
            yield "other", say("flow.not_same_as", steps=say.list([self._title(at) for at in step.not_same_as]))

    def _title(self, at: str) -> str:
        steps = self.found.comparison.flows[self.scenario].values()
        return next((s.steps[at].label.text(self.found.words.language, at) for s in steps if at in s.steps), at)

    @cached_property
    def _of_several_pools(self) -> set[str]:
        """Departments of which it has to be said who works: those with several pools, in whatever scenario."""
        configs = [self.found.comparison.configs.get(s, {}) for s in self.found.comparison.scenarios]
        pools = {name: pool.get("department", "") for of in configs for name, pool in (of.get("pools") or {}).items()}
        return {name for name, n in Counter(pools.values()).items() if n > 1}

    def _takes(self, mean: float) -> Iterator[tuple[str, str]]:
        if mean > 0:
            unit, length = next((unit, length) for unit, length in _UNITS if mean >= 2 * length or unit == "s")
            yield "takes", f"{mean / length:.3g}{self.found.words('unit.gap')}{self.found.words(f'unit.{unit}')}"

    def _all_pools(self) -> list[str]:
        return sorted(self.config.get("pools") or {})

    def _pools(self, skill: str) -> list[str]:
        """Who has the skill, in the order in which the plan numbers them."""
        able = {name: (self._of("pools", name).get("skills") or [name]) for name in self._all_pools()}
        return [name for name, skills in able.items() if skill in skills]

    def _department(self, skill: str) -> str:
        return next((str(self._of("pools", pool).get("department", "")) for pool in self._pools(skill)), "")

    # ------------------------------------------------------------------ arrows
    def ways(self, step: Step) -> Iterator[tuple[str, str]]:
        """(next step, when) of all that may come next; what is done again comes last."""
        say = self.found.words
        if isinstance(step, Decision):
            yield from self._decided(step)
        elif isinstance(step, Parallel):
            yield from ((branch, "") for branch in step.branches)
        elif isinstance(step, Onward):
            ways = {to: share for to, share in step.next.items() if share > 0}
            yield from ((to, self._percent(share) if len(ways) > 1 else "") for to, share in ways.items())
        if isinstance(step, Handoff) and step.returned > 0 and step.rounds and step.back_to:
            yield step.back_to, say("flow.returned", share=self._percent(step.returned))
        if isinstance(step, Verdict) and not (isinstance(step, Approval) and step.is_signed_later):
            if step.reject > 0:
                yield REJECTED, self._percent(step.reject)
            if step.silence and step.silence.then == "reject":
                yield REJECTED, say("flow.silence")
            if step.returned > 0 and step.rounds and step.return_to:
                yield step.return_to, say("flow.returned", share=self._percent(step.returned))

    def _decided(self, step: Decision) -> Iterator[tuple[str, str]]:
        if step.by is None:
            ways = {to: share for to, share in step.routes.items() if share > 0}
            yield from ((to, self._percent(share) if len(ways) > 1 else "") for to, share in ways.items())
        else:
            yield from ((str(to), self._value(step.by, value)) for value, to in step.next.items())
            yield from ((to, f"< {bound:g}") for bound, to in step.below.items())
            if step.otherwise is not None:
                yield step.otherwise, self.found.words("flow.otherwise")

    def _value(self, by: str, value: str) -> str:
        if by == "case_class":
            return self.name("case_classes", value)
        if by == "channel":
            sources = {(of or {}).get("channel") or at: at for at, of in (self.config.get("demand") or {}).items()}
            return self.name("demand", sources[value]) if value in sources else value
        return value

    def _percent(self, share: float) -> str:
        near = (places for places in (0, 1, 2) if places == 2 or abs(100 * share - round(100 * share, places)) < 0.05)
        return f"{number(100 * share, next(near))}{self.found.words('unit.gap')}%"


def _joined(reader: Reader, at: str, step: Step) -> Iterator[Arrow]:
    """The arrows from a step, one to each place; the ways out of each step are places of their own."""
    ways: dict[str, list[str]] = {}
    for to, when in reader.ways(step):
        ways.setdefault(f"{at}{START}{to}" if to in EXITS else to, []).append(when)
    for to, labels in ways.items():
        yield Arrow(at, to, reader.found.words.list(list(dict.fromkeys(filter(None, labels)))))


def _reached(arrows: list[Arrow]) -> set[str]:
    there, ahead = {START}, [START]
    while ahead:
        at = ahead.pop()
        new = [arrow.target for arrow in arrows if arrow.source == at and arrow.target not in there]
        there.update(new)
        ahead += new
    return there


# ---------------------------------------------------------------------- what differs
def compared(chart: Chart, before: Chart | None, found: Findings) -> Chart:
    """The chart with what is new, changed and removed in it marked; all is new where there was no such process."""
    if before is None:
        return replace(chart, boxes=tuple(replace(box, mark=NEW) for box in chart.boxes))
    old = {box.id: box for box in before.boxes}
    boxes = [_box_compared(box, old.get(box.id), found) for box in chart.boxes]
    here = {box.id for box in chart.boxes}
    gone = [box for box in before.boxes if box.id not in here and box.shape not in (END, OUT)]
    boxes += [_gone(box, chart, found) for box in gone]
    drawn = {box.id for box in boxes}
    ways = {(arrow.source, arrow.target): arrow for arrow in before.arrows}
    arrows = [_arrow_compared(arrow, ways.get((arrow.source, arrow.target)), found) for arrow in chart.arrows]
    there = {(arrow.source, arrow.target) for arrow in chart.arrows}
    lost = [way for way in before.arrows if (way.source, way.target) not in there and {way.source, way.target} <= drawn]
    arrows += [replace(way, mark=REMOVED) for way in lost]
    return replace(chart, boxes=tuple(boxes), arrows=tuple(arrows), lanes={**before.lanes, **chart.lanes})


def _box_compared(box: Box, before: Box | None, found: Findings) -> Box:
    if before is None:
        return box if box.shape in (END, OUT) else replace(box, mark=NEW)
    if replace(box, id=before.id) == before:
        return box
    was = {kind: text for kind, text in before.details.items() if box.details.get(kind, text) != text}
    told = {kind: _instead(found, text, was[kind]) if kind in was else text for kind, text in box.details.items()}
    news = tuple(text for kind, text in told.items() if kind in was or kind not in before.details)
    return replace(box, details=told, news=news, mark=CHANGED)


def _gone(box: Box, chart: Chart, found: Findings) -> Box:
    """A box that is no longer there; what was merged into another one says so."""
    into = next((other.title for other in chart.boxes if box.id in other.parts), "")
    details = {"into": found.words("flow.into", step=into)} if into else box.details
    return replace(box, details=details, mark=REMOVED)


def _instead(found: Findings, now: str, before: str) -> str:
    return found.words("flow.instead", now=now, before=before)


def _arrow_compared(arrow: Arrow, before: Arrow | None, found: Findings) -> Arrow:
    if before is None:
        return replace(arrow, mark=NEW)
    if arrow.label == before.label:
        return arrow
    if not (arrow.label and before.label):
        return replace(arrow, mark=CHANGED)
    return replace(arrow, label=_instead(found, arrow.label, before.label), mark=CHANGED)
