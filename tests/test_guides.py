"""Each guide can be followed word by word, in both languages: its files are written, its commands typed, in its order,
and what they print is what the guide shows (`...` stands for what it leaves out)."""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from servsim.cli import main

ROOT = Path(__file__).parent.parent
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ALIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
WIDTH = "100"
"""Columns of the terminal that the guides show."""


def blocks(guide: Path) -> list[tuple[str, str]]:
    """(language of the block, text) in the order of the guide."""
    return FENCE.findall(guide.read_text("utf-8"))


def typed(block: str) -> Iterator[tuple[str, str]]:
    """(command, what it prints) of a console block."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command.split("  #")[0].strip(), printed


def written(block: str, folder: Path) -> None:
    """The file that a YAML block shows, in the place that its first line names."""
    place, _, text = block.removeprefix("# ").partition("\n")
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def quoted(guide: Path) -> list[str]:
    """What a guide quotes from the report, line by line."""
    return [line.removeprefix("> ") for line in guide.read_text("utf-8").splitlines() if line.startswith("> ")]


def test_there_are_guides_in_both_languages() -> None:
    names = {guide.name for guide in GUIDES}
    english = {name for name in names if not name.endswith(".zh.md")}
    assert names - english == {name.removesuffix(".md") + ".zh.md" for name in english}
    assert len(english) >= 5


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_a_guide_can_be_followed(
    guide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", WIDTH)
    for kind, block in blocks(guide):
        if kind == "yaml" and block.startswith("# ") and block.split("\n")[0].endswith(".yaml"):
            written(block, Path.cwd())
        for command, expected in typed(block) if kind == "console" else ():
            words = shlex.split(command)
            if words[0] == "cd":
                monkeypatch.chdir(words[1])
                continue
            assert words[0] == "servsim", command
            main(words[1:])
            out = capsys.readouterr()
            printed = re.sub(r"[ \t]+$", "", out.out + out.err, flags=re.MULTILINE)
            assert doctest.OutputChecker().check_output(expected, printed, ALIKE), f"$ {command}\n{printed}"
    for line in quoted(guide):
        assert any(line in page.read_text("utf-8") for page in Path.cwd().glob("results/*/report.md")), line


@pytest.mark.parametrize("guide", [g for g in GUIDES if g.name.endswith(".zh.md")], ids=lambda guide: guide.name)
def test_both_languages_of_a_guide_do_the_same(guide: Path) -> None:
    other = guide.with_name(guide.name.removesuffix(".zh.md") + ".md")
    assert list(done(guide)) == list(done(other))


def done(guide: Path) -> Iterator[str]:
    """What a guide writes and types."""
    for kind, block in blocks(guide):
        if kind == "yaml":
            yield block
        elif kind == "console":
            yield from (command.removesuffix(" language=zh") for command, _ in typed(block))
