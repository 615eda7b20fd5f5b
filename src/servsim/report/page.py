"""What the report of a comparison says, from top to bottom: sentences, tables and pictures as blocks of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from servsim.report import answer, overturned, pictured, sentences, tables
from servsim.report.changed import Changed
from servsim.report.document import Block, Blocks, Bullets, Heading, Paragraph, Typed, notes
from servsim.report.findings import Findings
from servsim.report.scorecard import Scored
from servsim.report.targets import Aims, period
from servsim.report.writing import duration


def blocks(found: Findings, pictures: Sequence[str], overrides: Sequence[str] = ()) -> Blocks:
    """The whole page. `pictures` are the names of those that are drawn."""
    return [
        *_head(found),
        *_answer(found),
        *_results(found, pictures),
        *_where(found, pictures),
        *_titled(found, "page.queue", pictured.pictures(found, pictures, pictured.QUEUE)),
        *_scorecard(found),
        *_titled(found, "page.pictures", pictured.pictures(found, pictures, pictured.MORE)),
        *_titled(found, "page.process", pictured.today(found)),
        *_changed(found),
        *_basis(found),
        *overturned.blocks(found, _more(found, overrides)),
        *_counted(found, command(found, overrides)),
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
    return [*_basis(found), *_counted(found, typed)]


def _counted(found: Findings, typed: str) -> Blocks:
    return [*_counting(found), *_reproduce(found, typed), *_notes(found)]


def _more(found: Findings, overrides: Sequence[str]) -> str:
    """The command that varies the assumptions in all scenarios."""
    return command(found, [f"by={100 * found.would.by:g}" if found.would else "", *overrides], "sensitivity")


def command(found: Findings, overrides: Sequence[str] = (), verb: str = "", names: Sequence[str] = ()) -> str:
    """The command that gives the same result again; `compare` or `run` unless another verb is named."""
    verb = verb or ("compare" if found.alternatives else "run")
    settings = found.comparison.settings
    names = names or found.comparison.scenarios
    fixed = [f"replications={found.comparison.n}", f"seed={settings.seed}"]
    fixes = ("", "replications", "seed")
    kept = [o for o in overrides if o.partition("=")[0] not in fixes and not _is_swept(o, names)]
    return " ".join(["servsim", verb, *map(_quoted, [*names, *fixed, *kept])])


def _head(found: Findings) -> Blocks:
    say = found.words
    title = "page.title" if found.alternatives else "page.title_alone"
    question = say.label(found.config.get("question"), "")
    asked: Blocks = [Heading(say("page.question")), Paragraph(question)] if question else []
    return [Heading(say(title, study=found.study, scenario=found.label(found.baseline)), 1), *asked]


def _answer(found: Findings) -> Blocks:
    told, gap = answer.three(found), found.words("sentence.gap")
    if not told:
        alone = [*sentences.answer(found), *Aims(found).answer()]
        return [Heading(found.words("page.answer")), Paragraph(gap.join(alone))]
    lead: Blocks = [Bullets(tuple(told), is_lead=True), Paragraph(sentences.basis(found))]
    return [Heading(found.words("page.answer")), *lead]


def _results(found: Findings, drawn: Sequence[str]) -> Blocks:
    say = found.words
    aims = Aims(found).blocks()
    if not found.alternatives:
        return [*aims, Heading(say("page.results")), tables.kpis(found, found.baseline)]
    ranking = tables.comparison(found)
    told: Blocks = [Heading(say("page.ranking")), ranking, *notes(ranking)]
    told += [*pictured.pictures(found, drawn, pictured.RANKING), *_measures(found), *aims]
    costs = Paragraph(say("page.costs_text", period=period(found)))
    return [*told, Heading(say("page.costs")), costs, tables.costs(found)] if found.money else told


def _measures(found: Findings) -> Blocks:
    """What the measures were shown to do, then each in a sentence."""
    if not found.leading:
        return []
    told = Paragraph(found.words("sentence.gap").join(sentences.sorted_by_effect(found)))
    each = Bullets(tuple(sentences.measure(found, scenario) for scenario in found.ranked))
    return [Heading(found.words("page.measures"), 3), told, each]


def _changed(found: Findings) -> Blocks:
    table = Changed(found).table()
    if not table.rows:
        return []
    text = found.words("changed.text", baseline=found.label(found.baseline))
    return [Heading(found.words("page.changed")), Paragraph(text), table, *pictured.changed(found)]


def _where(found: Findings, drawn: Sequence[str]) -> Blocks:
    told = tuple(sentences.where(found))
    parts: Blocks = [Bullets(told)] if told else []
    return _titled(found, "page.where", [*parts, *pictured.pictures(found, drawn, pictured.TIME)])


def _titled(found: Findings, title: str, parts: Blocks) -> Blocks:
    """A heading above what there is; nothing without."""
    return [Heading(found.words(title)), *parts] if parts else []


def _basis(found: Findings) -> Blocks:
    say, facts, assumptions = found.words, tables.facts(found), tables.assumptions(found)
    left_out = tables.not_modelled(found)
    told: Blocks = []
    if facts.rows:
        text = say("page.facts_text", baseline=found.label(found.baseline))
        told += [Heading(say("page.facts"), 3), Paragraph(text), facts]
    if assumptions.rows:
        told += [Heading(say("page.assumptions"), 3), Paragraph(say("page.assumptions_text")), assumptions]
    if left_out.rows:
        told += [Heading(say("page.not_modelled"), 3), Paragraph(say("page.not_modelled_text")), left_out]
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
