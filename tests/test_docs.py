"""What the documents say is so: doctests of every page and module, and every `servsim` command that a page shows."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import servsim
from servsim.cli import main

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


FEW = {
    "compare": ["replications=2", "overturn=0"],
    "run": ["replications=2"],
    "attribute": ["replications=2"],
    "sensitivity": ["replications=2", "clock.horizon=2 wk"],
    "facts": ["replications=2"],
    "tune": ["replications=2", "points=16", "per_point=1", "clock.horizon=2 wk"],
}
"""What makes a command quick."""


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_examples_of_a_page_are_true(page: Path) -> None:
    result = doctest.testfile(str(page), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8")
    assert not result.failed


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def commands() -> Iterator[object]:
    """Each `servsim …` line of a shell block, once whatever the language; tests/test_guides.py follows the guides."""
    seen = set()
    for page in (page for page in PAGES if page.parent.name != "guides"):
        for language, block in FENCE.findall(page.read_text("utf-8")):
            for line in block.splitlines() if language in ("sh", "console") else ():
                command = line.removeprefix("$ ").split("  #")[0].strip()
                if command.startswith("servsim ") and command.replace(" language=zh", "") not in seen:
                    seen.add(command.replace(" language=zh", ""))
                    yield pytest.param(command, id=f"{name(page)}: {command}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository's own project."""
    folder = tmp_path_factory.mktemp("project")
    for part in ("conf", "scenarios"):
        shutil.copytree(ROOT / part, folder / part)
    return folder


@pytest.mark.parametrize("command", list(commands()))
def test_the_commands_of_a_page_work(command: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    typed = shlex.split(command)[1:]
    few = FEW.get(typed[0], [])
    shortened = {word.partition("=")[0] for word in few}
    words = [*(word for word in typed if word.partition("=")[0] not in shortened), *few]
    missed = 1 if words[0] in ("facts", "tune") else 0  # so few runs may miss a fact; tests/test_cases.py runs them all
    assert main(words) in (0, missed)


def modules() -> list[str]:
    found = pkgutil.walk_packages(servsim.__path__, "servsim.")
    return [module.name for module in found if not module.name.endswith("__main__")]


@pytest.mark.parametrize("module", modules())
def test_the_examples_of_a_module_are_true(module: str) -> None:
    assert not doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS).failed
