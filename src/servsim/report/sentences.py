"""What the comparison says in plain sentences: which measures help, by how much, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from servsim.kpis import KPIS
from servsim.report.findings import Difference, Findings
from servsim.report.words import capital
from servsim.report.writing import NONE
from servsim.statistics import BETTER, NO_VERDICT, NOT_SHOWN, WORSE

SORTS = ("helps", "helps_partly", "mixed", "no_difference", "harms", "no_result")
"""What measures do to the leading KPIs, in the order in which it is told."""


def answer(found: Findings) -> list[str]:
    """The answer in a few sentences: the measures sorted by what they were shown to do, then what was compared."""
    if not found.alternatives:
        return [found.words("answer.alone", baseline=found.label(found.baseline), n=found.replications(found.baseline))]
    return [*sorted_by_effect(found), basis(found)]


def basis(found: Findings) -> str:
    """How the scenarios were compared."""
    return found.words("answer.basis", baseline=found.label(found.baseline), n=found.replications(found.baseline))


def sorted_by_effect(found: Findings) -> list[str]:
    """The measures sorted by what they were shown to do to the leading KPIs."""
    say, told = found.words, []
    aims = say.list([aim(found, kpi) for kpi in found.leading])
    for sort in SORTS if found.leading else ():
        measures = [found.label(scenario) for scenario in found.ranked if _sort(found, scenario) == sort]
        if measures:
            told.append(say(f"answer.{sort}", measures=say.list(measures), aims=aims))
    return told


def measure(found: Findings, scenario: str, name: str = "") -> str:
    """One measure's effect on the leading KPIs and its cost, with intervals; by its label or another name."""
    effects = _effects(found, scenario, name or found.label(scenario))
    costs = cost(found, scenario)
    stop = found.words("sentence.stop")
    return found.words("measure.joint").join([effects, capital(costs) + stop] if costs else [effects])


def where(found: Findings) -> list[str]:
    """Where the time of the baseline's cases goes, and what those were waiting for that missed a promise."""
    say, time = found.words, found.time_spent(found.baseline)
    told = []
    if time:
        total = found.scale("cycle_time_mean", sum(time.values())).value(sum(time.values()))
        told.append(say("where.time", baseline=found.label(found.baseline), total=total, parts=_shares(found, time)))
    for promise, parts in found.late_because(found.baseline).items():
        named = say.catalogue.get(f"where.{promise}") or found.group(f"promise={promise}")
        told.append(say("where.late", promise=named, parts=_shares(found, parts)))
    return told


LEAST = 0.01
"""Parts of less than that are not told."""


def _shares(found: Findings, parts: Mapping[str, float]) -> str:
    """'everybody busy 51 %, nobody on shift 29 %': the larger ones, the largest first."""
    total = sum(parts.values())
    large = sorted((p for p in parts.items() if p[1] >= LEAST * total), key=lambda part: -part[1])
    say = found.words
    return say.list(
        [say("where.part", what=say(f"spent.{what}"), share=round(100 * part / total)) for what, part in large]
    )


def _sort(found: Findings, scenario: str) -> str:
    verdicts = {d.verdict for kpi in found.leading if (d := found.difference(scenario, kpi))}
    if not verdicts:
        return "no_result"
    if WORSE in verdicts:
        return "mixed" if BETTER in verdicts else "harms"
    if BETTER in verdicts:
        return "helps" if verdicts == {BETTER} else "helps_partly"
    return "no_difference"


def aim(found: Findings, kpi: str) -> str:
    """'shorten the mean first response': the better way for a KPI."""
    way = {"lower": "down", "higher": "up"}.get(KPIS[kpi].better or "", "change")
    return found.words(f"aim.{_kind(kpi)}.{way}", kpi=found.phrase(kpi))


def _effects(found: Findings, scenario: str, label: str) -> str:
    say = found.words
    pairs = [(kpi, d) for kpi in found.leading if (d := found.difference(scenario, kpi)) and not math.isnan(d.value)]
    if not pairs:
        return say("measure.no_result", measure=label)
    if all(d.verdict == NOT_SHOWN for _, d in pairs):
        told = say.list([plain(found, kpi, d) for kpi, d in pairs])
        return say("measure.no_difference", measure=label, differences=told)
    text = clause(found, scenario, *pairs[0])
    for before, after in pairwise(pairs):
        link = "measure.and" if before[1].verdict == after[1].verdict else "measure.but"
        text += say(link) + clause(found, scenario, *after)
    return say("measure.effects", measure=label, effects=text)


def clause(found: Findings, scenario: str, kpi: str, d: Difference) -> str:
    """'shortens the mean first response time by 12.3 min (10.5 to 14.1) to 23.1 min'."""
    say, level = found.words, found.estimate(scenario, kpi)
    if d.verdict == NOT_SHOWN or level is None:
        return say("clause.no_difference", difference=_signed(found, kpi, d), kpi=found.phrase(kpi))
    to = found.scale(kpi).value(level.mean, level.half_width)
    return say(f"clause.{_kind(kpi)}.{_way(d)}", kpi=found.phrase(kpi), by=_by(found, kpi, d), to=to)


def cost(found: Findings, scenario: str) -> str:
    """'the cost per case rises by ¥3.20 (2.90 to 3.50)' for the first KPI in money; '' where there is none."""
    kpi = next(iter(found.money), None)
    d = found.difference(scenario, kpi) if kpi else None
    if kpi is None or d is None or math.isnan(d.value):
        return ""
    level = found.estimate(scenario, kpi)
    if d.value == 0 and (level is None or level.mean == 0):  # nobody stated any wages
        return ""
    if d.value == d.lower == d.upper == 0:
        return found.words("cost.same", kpi=found.phrase(kpi))
    if d.verdict == NOT_SHOWN or (d.verdict == NO_VERDICT and d.lower <= 0 <= d.upper):
        return found.words("cost.no_difference", difference=_signed(found, kpi, d), kpi=found.phrase(kpi))
    return found.words(f"cost.{_way(d)}", kpi=found.phrase(kpi), by=_by(found, kpi, d))


def _by(found: Findings, kpi: str, d: Difference) -> str:
    """Size and interval of a difference in the direction that the verb names."""
    sign = 1 if _way(d) == "up" else -1
    low, high = sorted((sign * d.lower, sign * d.upper))
    numbers = found.scale(kpi).numbers(sign * d.value, low, high, signed=True)
    return written(found, kpi, [n.removeprefix("+") for n in numbers])


def plain(found: Findings, kpi: str, d: Difference) -> str:
    """'the mean first response time, -0.2 min (-0.9 to 0.5)'."""
    return found.words("clause.plain", kpi=found.phrase(kpi), difference=_signed(found, kpi, d))


def _signed(found: Findings, kpi: str, d: Difference) -> str:
    return written(found, kpi, found.scale(kpi).numbers(d.value, d.lower, d.upper, signed=True))


def written(found: Findings, kpi: str, numbers: Sequence[str]) -> str:
    value, low, high = numbers
    size = found.scale(kpi).difference(value, in_words=True)
    key = "interval.none" if NONE in (low, high) else "interval.of"
    return found.words(key, size=size, low=low, high=high)


def _kind(kpi: str) -> str:
    return "time" if KPIS[kpi].unit == "min" else "other"


def _way(d: Difference) -> str:
    return "up" if d.value > 0 else "down"
