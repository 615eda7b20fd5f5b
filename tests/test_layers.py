"""Who may import whom: the table of ARCHITECTURE.md, held against the imports that stand in the source."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import servsim

ROOT = Path(servsim.__file__).parent
GROUND = {"quantities", "registry", "records"}
BELOW_SIMULATE = GROUND | {"statistics", "model", "dispatch", "engines", "kpis", "prepare"}
ABOVE_RUNS = {
    "experiment", "attribution", "sensitivity", "grading", "scoring", "kriging", "tuning", "targets", "overturn",
}  # fmt: skip
BELOW_REPORT = BELOW_SIMULATE | {"simulate", "lint", "outlook"} | ABOVE_RUNS
TOP = {"variation", "compose", "sources", "project", "template", "hydra_app"}

MAY_IMPORT = {
    "quantities": set(),
    "registry": set(),
    "records": {"quantities"},
    "statistics": set(),
    "model": {"quantities", "registry"},
    "dispatch": GROUND,
    "engines": GROUND,
    "kpis": GROUND,
    "prepare": GROUND | {"model"},
    "simulate": BELOW_SIMULATE,
    "outlook": BELOW_SIMULATE,
    "lint": BELOW_SIMULATE | {"outlook"},
    "experiment": BELOW_SIMULATE | {"simulate", "grading"},
    "attribution": {"statistics", "experiment"},
    "sensitivity": {"statistics", "experiment"},
    "scoring": set(),
    "kriging": set(),
    "tuning": {"statistics", "kriging"},
    "targets": {"statistics", "experiment", "model"},
    "overturn": {"statistics", "experiment", "model", "targets"},
    "grading": {"statistics", "scoring", "model", "kpis"},
    "report": GROUND | {"model", "kpis", "statistics"} | (ABOVE_RUNS - {"kriging"}),
    "variation": {"quantities", "registry", "model"},
    "sources": GROUND | {"model"},
    "template": GROUND | {"model", "sources"},
    "project": GROUND | {"model", "sources"},
    "compose": GROUND | {"model", "sources", "project"},
    "hydra_app": BELOW_REPORT | TOP | {"report"},
    "cli": BELOW_REPORT | TOP | {"report", ""},
    "__main__": {"cli"},
    "": {"compose", "experiment", "model", "records", "simulate"},  # the public face
}
"""Part of servsim: the parts that it may import."""

OWNERS = {
    "simpy": {"engines"},
    "numba": {"engines"},
    "hydra": {"compose", "hydra_app"},
    "omegaconf": {"compose", "hydra_app"},
    "pydantic": {"model", "compose", "cli"},
    "pydantic_core": {"model"},
    "holidays": {"model"},
    "matplotlib": {"report"},
    "joblib": {"experiment"},
    "rich": {"report", "cli"},
    "yaml": {"report", "sources", "compose", "cli"},
    "jinja2": {"report"},
    "markupsafe": {"report"},
    "xlsxwriter": {"report"},
    "scipy": {"model", "prepare", "statistics", "scoring", "kriging", "tuning"},
    "pandas": {"records", "kpis", "simulate", "experiment", "report", "lint", "cli"},
    "numpy": set(MAY_IMPORT) - {"quantities", "registry", "", "__main__"},
}
"""Third-party package: the parts that may import it. What is not named here is imported nowhere."""

LATE = {"pandas", "scipy", "matplotlib", "rich", "holidays", "joblib", "xlsxwriter"}
"""Imported when they are needed and not before: `servsim --help` and `servsim show` are quick."""


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def part_of(path: Path) -> str:
    """'kpis' for kpis/queues.py, 'simulate' for simulate.py, '' for the package's own __init__.py."""
    first = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(dotted name, is it imported with the module) of all imports; those for type checkers alone are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    late = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            names = (
                [f"servsim.{alias.name}" for alias in node.names] if node.module == "servsim" else [node.module or ""]
            )
            yield from ((name, id(node) not in late) for name in names)


def test_the_table_knows_every_part() -> None:
    parts = {part_of(path) for path in modules()} - {"conf"}
    assert parts == set(MAY_IMPORT)


def test_nothing_is_above_itself() -> None:
    """The table has no circles: every part can be put above all those that it imports."""
    left = {part: set(below) - {"", part} for part, below in MAY_IMPORT.items() if part}
    while left:
        lowest = [part for part, below in left.items() if not below & set(left)]
        assert lowest, f"a circle among {sorted(left)}"
        for part in lowest:
            del left[part]


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_parts_import_only_what_lies_below(path: Path) -> None:
    part = part_of(path)
    for name, _ in imports(path):
        top, _, rest = name.partition(".")
        if top != "servsim":
            continue
        other = rest.partition(".")[0]
        if other and not (ROOT / other).is_dir() and not (ROOT / f"{other}.py").is_file():
            other = ""  # a name of the package's own, such as __version__
        assert other == part or other in MAY_IMPORT.get(part, set()), f"{part or 'servsim'} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_third_parties_have_their_place(path: Path) -> None:
    part = part_of(path)
    for name, _ in imports(path):
        top = name.partition(".")[0]
        if top != "servsim" and top not in sys.stdlib_module_names:
            assert part in OWNERS.get(top, set()), f"{part} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_slow_to_import_is_imported_late(path: Path) -> None:
    at_once = {name.partition(".")[0] for name, is_early in imports(path) if is_early}
    allowed = {"rich"} if part_of(path) == "report" else {"joblib"} if part_of(path) == "experiment" else set()
    assert not at_once & LATE - allowed


def test_nothing_slow_is_loaded_with_the_parts_below_the_report() -> None:
    parts = ["cli", "compose", "model", "prepare", "dispatch", "engines", "kpis", "statistics", "simulate", "lint"]
    code = f"import sys; from importlib import import_module as load; [load('servsim.' + p) for p in {parts}]"
    shown = f"{code}; print(*sorted({LATE} & set(sys.modules)))"
    env = {**os.environ, "PYTHONPATH": str(ROOT.parent)}
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, env=env, check=True)
    assert done.stdout.split() == []
