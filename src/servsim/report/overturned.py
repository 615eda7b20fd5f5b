"""The part of the report about what would overturn the answer: sentences, and a table for each part of the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from servsim.overturn import ORDER, Flip, Overturn, Part
from servsim.report import answer
from servsim.report.document import Blocks, Bullets, Heading, Paragraph, Typed
from servsim.report.findings import Findings
from servsim.report.tables import Cell, Table, measured
from servsim.report.targets import Aims
from servsim.report.words import capital
from servsim.report.writing import Scale, number
from servsim.statistics import WORSE

COLUMNS = ("assumption", "part", "scenario", "factor", "margin", "lower", "upper", "replications")


def blocks(found: Findings, again: str) -> Blocks:
    """Empty where that was not looked at; `again` is the command that looks at all scenarios and figures."""
    would, say = found.would, found.words
    if would is None or would.why_not == "off":
        return []
    told: Blocks = [Heading(say("page.overturn"))]
    if would.why_not:
        return [*told, Paragraph(_sentence(found, say(f"beware.{would.why_not}")))]
    names = {"best": found.label(would.best), "other": found.label(would.other)}
    by = number(100 * would.by, 0)
    told.append(Paragraph(say("overturn.meaning", **names, n=len(would.assumptions), by=by, r=would.n)))
    lines = [_line(found, would, flips) for flips in answer.alike(would)]
    told.append(Bullets(tuple(lines)) if lines else Paragraph(say("overturn.nothing")))
    for part, scenario in dict.fromkeys((part.part, part.scenario) for part in would.parts):
        told += [Heading(_title(found, would, part, scenario), 3), table(found, would, part, scenario)]
    refused = [(answer.assumption(found, name), why) for name, why in (would.refused or {}).items()]
    if refused:
        told.append(Bullets(tuple(say("overturn.refused", assumption=name, why=why) for name, why in refused)))
    return [*told, Paragraph(say("overturn.more")), Typed(again)]


def table(found: Findings, would: Overturn, name: str, scenario: str) -> Table:
    """Assumptions, the one that moves this part most first: lower, as assumed, higher."""
    say, by = found.words, number(100 * would.by, 0)
    parts = sorted((p for p in would.parts if (p.part, p.scenario) == (name, scenario)), key=lambda p: -_swing(p))
    scale = _scale(found, name)
    symbol = scale.difference_symbol if name == ORDER else scale.symbol
    titles = (say("tornado.less", by=by), say("tornado.as_assumed"), say("tornado.more", by=by))
    header = (Cell(say("table.assumption")), *(Cell(title, symbol) for title in titles))
    rows = tuple((Cell(answer.assumption(found, p.assumption)), *_cells(found, p, scale)) for p in parts)
    return Table(header, rows)


def _cells(found: Findings, part: Part, scale: Scale) -> Iterator[Cell]:
    target = Aims(found).targets.asked.get(part.part)
    turned = {0 if flip.factor < 1 else 2 for flip in part.flips}
    for k in range(3):
        margin = [float(x[k]) for x in (part.margin.mean, part.margin.lower, part.margin.upper)]
        if target is None:
            shown = margin
        else:
            shown = [target.limit + x if target.is_floor else target.limit - x for x in margin]
        mark, verdict = (found.words("overturn.turned"), WORSE) if k in turned else ("", "")
        yield measured(scale, shown[0], min(shown[1:]), max(shown[1:]), target is None, verdict, mark)


def _scale(found: Findings, part: str) -> Scale:
    return found.scale(found.leading[0]) if part == ORDER else Aims(found).scale(part)


def _title(found: Findings, would: Overturn, part: str, scenario: str) -> str:
    best, other = found.label(would.best), found.label(would.other)
    if part == ORDER:
        return found.words("overturn.ahead", kpi=found.kpi(found.leading[0]), best=best, other=other)
    return found.words("overturn.reaches", scenario=found.label(scenario), target=Aims(found).called(part))


def _swing(part: Part) -> float:
    return float(abs(part.margin.mean[2] - part.margin.mean[0]))


def _line(found: Findings, would: Overturn, flips: Sequence[Flip]) -> str:
    """A sentence, and where between the values that were run the answer turns."""
    told, say = answer.turning(found, would, flips), found.words
    changes = say.list([f"{number(100 * (flip.factor - 1), 0, signed=True)}{say('unit.gap')}%" for flip in flips])
    return _sentence(found, say("beware.from", what=told, changes=changes))


def _sentence(found: Findings, text: str) -> str:
    return capital(text) + found.words("sentence.stop")


def rows(would: Overturn) -> Iterator[tuple[Any, ...]]:
    """As COLUMNS: for a CSV file. The margin: how far the best is ahead, or beyond its target."""
    for part in would.parts:
        for k in range(3):
            margin = (float(x[k]) for x in (part.margin.mean, part.margin.lower, part.margin.upper))
            known = (part.assumption, part.part or "order", part.scenario, float(part.factors[k]))
            yield (*known, *margin, int(part.margin.n[k]))
