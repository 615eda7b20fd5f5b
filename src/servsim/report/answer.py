"""The answer in three plain sentences: what helps most, whether it reaches the target, what to beware of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from servsim import statistics
from servsim.kpis import KPIS
from servsim.overturn import ORDER, Flip, Overturn, values
from servsim.report import sentences, tables
from servsim.report.findings import Findings
from servsim.report.targets import Aims
from servsim.report.writing import number


def three(found: Findings) -> list[str]:
    """What helps most and by how much; the target, or what it costs where there is none; what to beware of.

    Empty where the scenarios cannot be ranked.
    """
    if found.contenders is None:
        return []
    reached, beware = Aims(found).answer(), _beware(found)
    gap = found.words("sentence.gap")
    second = [gap.join(reached)] if reached else _money(found)
    return [_best(found, with_cost=bool(reached)), *second, *([beware] if beware else [])]


# ---------------------------------------------------------------------- what helps most
def _best(found: Findings, with_cost: bool) -> str:
    say, kpi = found.words, found.leading[0]
    assert found.contenders is not None
    best, other = found.contenders
    if best == found.baseline:
        d = found.difference(other, kpi)
        told = sentences.plain(found, kpi, d) if d and not math.isnan(d.value) else ""
        return say("lead.nothing", aim=sentences.aim(found, kpi), measure=found.label(other), difference=told)
    d = found.difference(best, kpi)
    assert d is not None
    cost = sentences.cost(found, best) if with_cost else ""
    return say(
        "lead.best",
        best=found.label(best),
        clause=sentences.clause(found, best, kpi, d),
        cost=say("lead.cost", cost=cost) if cost else "",
        next="" if other == found.baseline else _next(found, best, other, kpi),
    )


def _next(found: Findings, best: str, other: str, kpi: str) -> str:
    """How far the next one is behind, replication by replication."""
    gap, low, high = _gap(found, best, other, kpi)
    if math.isnan(gap):
        return ""
    is_shown = low * high > 0 or low == high != 0
    shown = sentences.written(found, kpi, found.scale(kpi).numbers(gap, low, high, signed=not is_shown))
    told = {"other": found.label(other), "gap": shown, "price": _price(found, best, other)}
    return found.words("lead.next" if is_shown else "lead.level", **told)


def _gap(found: Findings, best: str, other: str, kpi: str) -> tuple[float, float, float]:
    """How far ahead the best is, replication by replication, and the ends of the interval."""
    first, second = (values(found.comparison, scenario, kpi) for scenario in (best, other))
    d = statistics.paired_difference(first, second)
    sign = -1.0 if KPIS[kpi].better == "lower" else 1.0
    low, high = sorted((sign * float(d.lower), sign * float(d.upper)))
    return sign * float(d.difference), low, high


def _is_level(found: Findings) -> bool:
    """Whether the best measure is not shown to be ahead of the next."""
    assert found.contenders is not None
    best, other = found.contenders
    _, low, high = _gap(found, best, other, found.leading[0])
    return best != found.baseline and other != found.baseline and low <= 0 <= high and not low == high != 0


def _price(found: Findings, best: str, other: str) -> str:
    """', but ¥29,000 cheaper': how much less or more the next one costs, where that is shown."""
    kpi = next(iter(found.money), None)
    if kpi is None:
        return ""
    first, second = (values(found.comparison, scenario, kpi) for scenario in (best, other))
    d = statistics.paired_difference(first, second)
    saved, low, high = (float(x) for x in (d.difference, d.lower, d.upper))
    if math.isnan(low) or low * high <= 0:
        return ""
    least, most = sorted((abs(low), abs(high)))
    by = sentences.written(found, kpi, found.scale(kpi).numbers(abs(saved), least, most))
    return found.words("lead.cheaper" if saved > 0 else "lead.dearer", by=by)


def _money(found: Findings) -> list[str]:
    assert found.contenders is not None
    best = found.contenders[0]
    cost = "" if best == found.baseline else sentences.cost(found, best)
    return [found.words("lead.money", cost=cost)] if cost else []


# ---------------------------------------------------------------------- what to beware of
def _beware(found: Findings) -> str:
    told = [*_missed(found), *_overturning(found)]
    return found.words("beware.told", what=found.words("list.strong").join(told)) if told else ""


def _missed(found: Findings) -> Iterator[str]:
    """The facts that the baseline misses, one of them by name."""
    missed = tables.missed(found)
    if missed:
        fact, reported, simulated = tables.fact_told(found, missed[0])
        texts = {"fact": fact, "reported": reported, "simulated": simulated}
        key = "beware.fact" if len(missed) == 1 else "beware.facts"
        yield found.words(key, baseline=found.label(found.baseline), n=len(missed), **texts)


def _overturning(found: Findings) -> Iterator[str]:
    """The first two assumptions that would overturn the answer, or that none does, or why that is not known."""
    would, say = found.would, found.words
    if would is None:
        return
    if would.why_not:
        yield say(f"beware.{would.why_not}")
    elif would.flips:
        yield from (turning(found, would, flips) for flips in alike(would)[:2])
    else:
        things = [tables.named(found, entry, name) for name, entry in tables.left_out(found)]
        rest = say("beware.left_out", things=say.list(things)) if things else ""
        n = len(would.assumptions)
        key = f"beware.holds{'_level' if _is_level(found) else ''}{'_one' if n == 1 else ''}"
        names = {"best": found.label(would.best), "other": found.label(would.other)}
        yield say(key, by=number(100 * would.by, 0), n=n, **names) + rest


def alike(would: Overturn) -> list[list[Flip]]:
    """The flips that one sentence tells: of one part of the answer, in one direction."""
    groups: dict[tuple[object, ...], list[Flip]] = {}
    for flip in would.flips:
        same = (flip.part.part, flip.part.scenario, flip.factor > 1)
        groups.setdefault(same, []).append(flip)
    return list(groups.values())


def turning(found: Findings, would: Overturn, flips: Sequence[Flip]) -> str:
    """'“Peak shift” would miss the target on average if “Volume” (then 76 %) were 10 % higher'"""
    say, first = found.words, flips[0]
    aims, is_order = Aims(found), first.part.part == ORDER
    kind = "order" if is_order else "lost" if first.was_so else "won"
    target = "" if is_order else _target(found, aims, first.part.part)
    return say(
        f"beware.{kind}_{'higher' if first.factor > 1 else 'lower'}",
        which=say("beware.or").join(_which(found, aims, flip) for flip in flips),
        by=number(100 * would.by, 0), target=target, scenario=found.label(first.part.scenario),
        best=found.label(would.best), other=found.label(would.other),
    )  # fmt: skip


def _which(found: Findings, aims: Aims, flip: Flip) -> str:
    named, luck = assumption(found, flip.part.assumption), "" if flip.is_shown else "_luck"
    if flip.part.part == ORDER:
        return found.words(f"beware.order_which{luck}", assumption=named)
    end, target = (2 if flip.factor > 1 else 0), aims.targets.asked[flip.part.part]
    ends = (float(x[end]) for x in (flip.part.margin.mean, flip.part.margin.lower, flip.part.margin.upper))
    level, *around = (target.limit + x if target.is_floor else target.limit - x for x in ends)
    scale = aims.scale(flip.part.part)
    shown, low, high = scale.numbers(level, min(around), max(around))
    texts = {"level": scale.written(scale.symbol, shown), "low": low, "high": high}
    return found.words(f"beware.target_which{luck}", assumption=named, **texts)


def _target(found: Findings, aims: Aims, name: str) -> str:
    """'the target' where there is only one."""
    if len(aims.names) == 1:
        return found.words("beware.the_target")
    return found.words("beware.that_target", target=aims.called(name))


def assumption(found: Findings, name: str) -> str:
    """The label of an assumption of any scenario."""
    entries = (c.get("assumptions", {}).get(name) for c in found.comparison.configs.values())
    return tables.named(found, next(filter(None, entries), {}), name)
