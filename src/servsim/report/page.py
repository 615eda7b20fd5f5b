"""What the report of a comparison says, from top to bottom: sentences, tables and pictures as blocks of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from servsim.report import sentences, tables
from servsim.report.document import Block, Blocks, Bullets, Heading, Paragraph, Picture, Typed, notes
from servsim.report.findings import Findings
from servsim.report.scorecard import Scored
from servsim.report.writing import duration


def blocks(found: Findings, pictures: Sequence[str], overrides: Sequence[str] = ()) -> Blocks:
    """The whole page. `pictures` are the names of those that are drawn."""
    return [
        *_head(found),
        *_answer(found),
        *_results(found),
        *_where(found),
        *_scorecard(found),
        *_pictures(found, pictures),
        *rests(found, command(found, overrides)),
    ]


def _scorecard(found: Findings) -> Blocks:
    scored = Scored.of(found)
    if scored is None:
        return []
    say = found.words
    told: Blocks = [Heading(say("scorecard.title")), Paragraph(say("sentence.gap").join(scored.answer()))]
    for key, content in scored.tables():
        told += [Heading(say(key), 3), content, *notes(content)]
    return told


def rests(found: Findings, typed: str) -> Blocks:
    """What the answer rests on, how it was counted, how to get it again with the command `typed`."""
    return [*_basis(found), *_counting(found), *_reproduce(found, typed), *_notes(found)]


def command(found: Findings, overrides: Sequence[str] = (), verb: str = "", names: Sequence[str] = ()) -> str:
    """The command that gives the same result again; `compare` or `run` unless another verb is named."""
    verb = verb or ("compare" if found.alternatives else "run")
    settings = found.comparison.settings
    names = names or found.comparison.scenarios
    fixed = [f"replications={found.comparison.n}", f"seed={settings.seed}"]
    kept = [o for o in overrides if o.partition("=")[0] not in ("replications", "seed") and not _is_swept(o, names)]
    return " ".join(["servsim", verb, *map(_quoted, [*names, *fixed, *kept])])


def _head(found: Findings) -> Blocks:
    say = found.words
    title = "page.title" if found.alternatives else "page.title_alone"
    question = say.label(found.config.get("question"), "")
    asked: Blocks = [Heading(say("page.question")), Paragraph(question)] if question else []
    study = found.baseline.partition("/")[0]
    return [Heading(say(title, study=study, scenario=found.label(found.baseline)), 1), *asked]


def _answer(found: Findings) -> Blocks:
    say = found.words
    measures = tuple(sentences.measure(found, s) for s in found.ranked) if found.leading else ()
    answer = Paragraph(say("sentence.gap").join(sentences.answer(found)))
    return [Heading(say("page.answer")), answer, *([Bullets(measures)] if measures else [])]


def _results(found: Findings) -> Blocks:
    say = found.words
    if not found.alternatives:
        return [Heading(say("page.results")), tables.kpis(found, found.baseline)]
    ranking = tables.comparison(found)
    told: Blocks = [Heading(say("page.ranking")), ranking, *notes(ranking)]
    return [*told, Heading(say("page.costs")), tables.costs(found)] if found.money else told


def _where(found: Findings) -> Blocks:
    told = tuple(sentences.where(found))
    return [Heading(found.words("page.where")), Bullets(told)] if told else []


def _pictures(found: Findings, pictures: Sequence[str]) -> Blocks:
    shown: Blocks = [Picture(name, found.words(f"figure.{name}")) for name in pictures]
    return [Heading(found.words("page.pictures")), *shown] if shown else []


def _basis(found: Findings) -> Blocks:
    say, facts, assumptions = found.words, tables.facts(found), tables.assumptions(found)
    told: Blocks = []
    if facts.rows:
        text = say("page.facts_text", baseline=found.label(found.baseline))
        told += [Heading(say("page.facts"), 3), Paragraph(text), facts]
    if assumptions.rows:
        told += [Heading(say("page.assumptions"), 3), Paragraph(say("page.assumptions_text")), assumptions]
    return [Heading(say("page.rests")), *told] if told else []


def _counting(found: Findings) -> Blocks:
    say, clock = found.words, found.config.get("clock") or {}
    times = {name: duration(str(clock.get(name, default)), say) for name, default in _CLOCK.items()}
    told = [say("page.window", **times), say("page.unfinished"), say("page.utilisation")]
    return [Heading(say("page.counting")), Paragraph(say("sentence.gap").join(told))]


_CLOCK = {"start": "–", "horizon": "–", "warm_up": "0 d", "run_out": "0 d"}


def _reproduce(found: Findings, typed: str) -> list[Block]:
    say, n = found.words, found.comparison.n
    text = say("page.reproduce_text", seed=found.comparison.settings.seed, n=n)
    return [Heading(say("page.reproduce")), Paragraph(text), Typed(typed), Paragraph(say("page.files"))]


def _notes(found: Findings) -> Blocks:
    say, failed = found.words, tables.failures(found)
    told: Blocks = [Heading(say("page.notes")), Bullets(found.comparison.notes)] if found.comparison.notes else []
    return [*told, Heading(say("page.failures")), failed] if failed.rows else told


def _is_swept(override: str, names: Sequence[str]) -> bool:
    """Whether its values have become scenarios of their own: x=1,2 → desk/peak[x=1], desk/peak[x=2]."""
    key, _, value = override.partition("=")
    return "," in value and any(f"{key}=" in name.partition("[")[2] for name in names)


def _quoted(word: str) -> str:
    """As one word of a shell, in double quotes so that it holds on Windows too."""
    return word if re.fullmatch(r"[\w./=,:+~@%-]+", word, re.ASCII) else f'"{word}"'
