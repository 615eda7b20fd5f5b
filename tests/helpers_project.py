"""A project in a folder of its own, and the command line run in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from servsim.cli import main
from servsim.template import copy_to


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class TemporaryProject:
    """The project that `servsim new` writes, as the working directory."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def servsim(self, *words: str) -> Said:
        self.capsys.readouterr()
        code = main(list(words))
        told = self.capsys.readouterr()
        return Said(code, told.out, told.err)

    def path(self, name: str) -> Path:
        return self.root / name

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def change(self, old: str, new: str, name: str = "scenarios/desk/baseline.yaml") -> int:
        """Replaces a text that stands once in a file; the line on which it stood."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1


Make = Callable[[str], TemporaryProject]


@pytest.fixture
def make_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Make:
    def make(folder: str) -> TemporaryProject:
        root = tmp_path / folder
        copy_to(root)
        monkeypatch.chdir(root)
        return TemporaryProject(root, capsys)

    return make


@pytest.fixture
def project(make_project: Make) -> TemporaryProject:
    return make_project("my desk 项目")
