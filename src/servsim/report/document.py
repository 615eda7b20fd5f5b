"""What a page is made of, whatever it is written in: headings, paragraphs, lists, tables, pictures, commands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from servsim.report.tables import Cell, Table
from servsim.statistics import BETTER, WORSE


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Bullets:
    lines: tuple[str, ...]
    is_lead: bool = False  # the answer itself: large, numbered


@dataclass(frozen=True)
class Picture:
    """One of the pictures that are drawn beside the page; `text` says what is to be seen."""

    name: str
    title: str
    text: str = ""


@dataclass(frozen=True)
class Typed:
    """What is typed in a terminal."""

    text: str


Block = Heading | Paragraph | Bullets | Picture | Typed | Table
Blocks = list[Block]


def notes(content: Table) -> Blocks:
    """The notes below a table."""
    return [Bullets(content.notes)] if content.notes else []


# ---------------------------------------------------------------------- Markdown
def to_markdown(blocks: Sequence[Block], places: Mapping[str, str]) -> str:
    """`places`: name of a picture → its file, relative to the page; others are left out."""
    parts = [_markdown(block, places) for block in blocks if not isinstance(block, Picture) or block.name in places]
    return "\n\n".join(parts) + "\n"


def _markdown(block: Block, places: Mapping[str, str]) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {text}"
        case Paragraph(text):
            return text
        case Bullets(lines, is_lead):
            return "\n".join(f"{f'{i}.' if is_lead else '-'} {line}" for i, line in enumerate(lines, 1))
        case Picture(name, title, text):
            return f"![{title}]({places[name]})" + (f"\n\n{text}" if text else "")
        case Typed(text):
            return f"```sh\n{text}\n```"
        case Table():
            return markdown_table(block)


def markdown_table(content: Table) -> str:
    """Numbers to the right."""
    header = [_text(cell) for cell in content.header]
    rule = [":--", *("--:" if content.numeric else ":--" for _ in header[1:])]
    rows = [[_text(cell) for cell in row] for row in content.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *rows))


def _text(cell: Cell) -> str:
    detail = f"({cell.detail})" if cell.detail and not cell.detail.startswith("[") else cell.detail
    whole = " ".join(filter(None, [cell.text, detail, cell.mark]))
    return re.sub(r"\s+", " ", whole).replace("|", r"\|")


# ---------------------------------------------------------------------- HTML
def to_html(blocks: Sequence[Block], pictures: Mapping[str, str], language: str) -> str:
    """One file that needs no other and no network. `pictures`: name → SVG; others are left out.

    The texts are escaped; nothing in the page runs.
    """
    from jinja2 import Environment, PackageLoader, select_autoescape

    templates = Environment(
        loader=PackageLoader("servsim.report", "pages"), autoescape=select_autoescape(default=True),
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    shown = [block for block in blocks if not isinstance(block, Picture) or block.name in pictures]
    headings = [(f"s{i}", block) for i, block in enumerate(shown) if isinstance(block, Heading)]
    return templates.get_template("page.html").render(
        title=next((heading.text for _, heading in headings), "servsim"),
        contents=[(place, heading.text) for place, heading in headings if heading.level == 2],
        blocks=list(enumerate(shown)),
        language=language,
        svg={
            block.name: _inline(block, pictures[block.name], f"i{place}-")
            for place, block in enumerate(shown)
            if isinstance(block, Picture)
        },
        better=BETTER,
        worse=WORSE,
        kind=lambda block: type(block).__name__,
        coded=_coded,
    )


SMALLEST, LARGEST = 1.1, 1.8
"""Pixels that a point of a picture takes at least and at most: a wide one is scrolled, a small one not blown up."""


def _coded(text: str) -> str:
    """A text as HTML, `names` as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _inline(block: Picture, svg: str, prefix: str) -> str:
    """An SVG to stand within a page: as wide as there is room, the ids of several pictures told apart by a prefix."""
    from markupsafe import Markup

    name = block.name
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}", svg[svg.index("<svg") :])
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    described = f' aria-describedby="{name}-d"' if block.text else ""

    def root(found: re.Match[str]) -> str:
        points = float(found[1].split()[2])
        widest = f"min-width: {SMALLEST * points:.0f}px; max-width: {LARGEST * points:.0f}px"
        fonts = re.search(r'font-family="[^"]*"', found[0])
        kept = f" {fonts[0]}" if fonts else ""
        return f'<svg viewBox="{found[1]}"{kept} style="{widest}" role="img" aria-labelledby="{name}-t"{described}>'

    return Markup(re.sub(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', root, body, count=1))
