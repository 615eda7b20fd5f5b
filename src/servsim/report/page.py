"""What the report page says: one Markdown document from sentences, tables and pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from servsim.report import sentences, tables
from servsim.report.findings import Findings
from servsim.report.scorecard import Scored
from servsim.report.tables import Cell, Table
from servsim.report.writing import duration

Blocks = list[str]


def markdown(found: Findings, pictures: Mapping[str, str], overrides: Sequence[str] = ()) -> str:
    """The whole page. `pictures`: name of a picture → its file, relative to the page."""
    blocks = [
        *_head(found),
        *_answer(found),
        *_results(found),
        *_where(found),
        *_scorecard(found),
        *_pictures(found, pictures),
        *rests(found, command(found, overrides)),
    ]
    return "\n\n".join(blocks) + "\n"


def _scorecard(found: Findings) -> Blocks:
    scored = Scored.of(found)
    if scored is None:
        return []
    say = found.words
    blocks = [f"## {say('scorecard.title')}", say("sentence.gap").join(scored.answer())]
    for key, content in scored.tables():
        blocks += [f"### {say(key)}", table(content), *_remarks(content)]
    return blocks


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


def table(content: Table) -> str:
    """A table as Markdown, numbers to the right."""
    header = [_text(cell) for cell in content.header]
    rule = [":--", *("--:" if content.numeric else ":--" for _ in header[1:])]
    rows = [[_text(cell) for cell in row] for row in content.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *rows))


def _head(found: Findings) -> Blocks:
    say = found.words
    title = "page.title" if found.alternatives else "page.title_alone"
    question = say.label(found.config.get("question"), "")
    asked = [f"## {say('page.question')}", question] if question else []
    study = found.baseline.partition("/")[0]
    return [f"# {say(title, study=study, scenario=found.label(found.baseline))}", *asked]


def _answer(found: Findings) -> Blocks:
    say = found.words
    measures = "\n".join(f"- {sentences.measure(found, s)}" for s in found.ranked) if found.leading else ""
    return [f"## {say('page.answer')}", say("sentence.gap").join(sentences.answer(found)), *filter(None, [measures])]


def _results(found: Findings) -> Blocks:
    say = found.words
    if not found.alternatives:
        return [f"## {say('page.results')}", table(tables.kpis(found, found.baseline))]
    ranking, costs = tables.comparison(found), tables.costs(found)
    blocks = [f"## {say('page.ranking')}", table(ranking), *_remarks(ranking)]
    return [*blocks, f"## {say('page.costs')}", table(costs)] if found.money else blocks


def _where(found: Findings) -> Blocks:
    told = "\n".join(f"- {sentence}" for sentence in sentences.where(found))
    return [f"## {found.words('page.where')}", told] if told else []


def _pictures(found: Findings, pictures: Mapping[str, str]) -> Blocks:
    shown = [f"![{found.words(f'figure.{name}')}]({path})" for name, path in pictures.items()]
    return [f"## {found.words('page.pictures')}", *shown] if shown else []


def _basis(found: Findings) -> Blocks:
    say, facts, assumptions = found.words, tables.facts(found), tables.assumptions(found)
    blocks: Blocks = []
    if facts.rows:
        text = say("page.facts_text", baseline=found.label(found.baseline))
        blocks += [f"### {say('page.facts')}", text, table(facts)]
    if assumptions.rows:
        blocks += [f"### {say('page.assumptions')}", say("page.assumptions_text"), table(assumptions)]
    return [f"## {say('page.rests')}", *blocks] if blocks else []


def _counting(found: Findings) -> Blocks:
    say, clock = found.words, found.config.get("clock") or {}
    times = {name: duration(str(clock.get(name, default)), say) for name, default in _CLOCK.items()}
    told = [say("page.window", **times), say("page.unfinished"), say("page.utilisation")]
    return [f"## {say('page.counting')}", say("sentence.gap").join(told)]


_CLOCK = {"start": "–", "horizon": "–", "warm_up": "0 d", "run_out": "0 d"}


def _reproduce(found: Findings, typed: str) -> Blocks:
    say, n = found.words, found.comparison.n
    text = say("page.reproduce_text", seed=found.comparison.settings.seed, n=n)
    shell = f"```sh\n{typed}\n```"
    return [f"## {say('page.reproduce')}", text, shell, say("page.files")]


def _notes(found: Findings) -> Blocks:
    say, failed = found.words, tables.failures(found)
    notes = "\n".join(f"- {note}" for note in found.comparison.notes)
    blocks = [f"## {say('page.notes')}", notes] if notes else []
    return [*blocks, f"## {say('page.failures')}", table(failed)] if failed.rows else blocks


def _remarks(content: Table) -> Blocks:
    return ["\n".join(f"- {note}" for note in content.notes)] if content.notes else []


def _text(cell: Cell) -> str:
    detail = f"({cell.detail})" if cell.detail and not cell.detail.startswith("[") else cell.detail
    whole = " ".join(filter(None, [cell.text, detail, cell.mark]))
    return re.sub(r"\s+", " ", whole).replace("|", r"\|")


def _is_swept(override: str, names: Sequence[str]) -> bool:
    """Whether its values have become scenarios of their own: x=1,2 → desk/peak[x=1], desk/peak[x=2]."""
    key, _, value = override.partition("=")
    return "," in value and any(f"{key}=" in name.partition("[")[2] for name in names)


def _quoted(word: str) -> str:
    """As one word of a shell, in double quotes so that it holds on Windows too."""
    return word if re.fullmatch(r"[\w./=,:+~@%-]+", word, re.ASCII) else f'"{word}"'
