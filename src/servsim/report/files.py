"""Which files a report leaves behind, and that they are the same to the byte for the same seed."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import yaml

from servsim.report import overturned
from servsim.report.changed import COLUMNS as CHANGES
from servsim.report.changed import Changed
from servsim.report.document import Block, Picture, to_html, to_markdown
from servsim.report.findings import Findings
from servsim.report.overturned import COLUMNS as OVERTURN
from servsim.report.page import blocks, command
from servsim.report.scorecard import COLUMNS as SCORES
from servsim.report.scorecard import Scored
from servsim.report.targets import COLUMNS as TARGETS
from servsim.report.targets import Aims
from servsim.report.words import words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from servsim.experiment import Comparison
    from servsim.overturn import Overturn
    from servsim.report.attributed import Attributed
    from servsim.report.tornado import Tornado
    from servsim.report.tuned import Tuned

LIBRARIES = (
    "simpy", "numpy", "pandas", "scipy", "matplotlib", "pydantic", "hydra-core", "omegaconf", "joblib", "PyYAML",
    "rich", "holidays", "jinja2", "xlsxwriter",
)  # fmt: skip

COLUMNS = {
    "kpis": ("scenario", "replication", "kpi", "group", "value"),
    "summary": ("scenario", "kpi", "group", "mean", "lower", "upper", "n"),
    "differences": ("scenario", "kpi", "group", "difference", "lower", "upper", "p_adjusted", "verdict"),
}


def write(
    comparison: Comparison, folder: Path, language: str, overrides: Sequence[str] = (), would: Overturn | None = None
) -> None:
    """Writes the whole report into `folder`, replacing an earlier report there but nothing else.

    `would`: what would overturn the answer, where that was looked at.
    Raises OSError where the folder cannot be written.
    """
    from servsim.report.figures import draw_all

    found = Findings(comparison, words(language), would)

    def fill(stage: Path) -> None:
        drawn = draw_all(found)
        _write_page(stage, blocks(found, list(drawn), overrides), drawn, found)
        scored = Scored.of(found)
        if scored is not None:
            _write_text(stage / "scorecard.csv", to_csv(SCORES, scored.rows()))
        _write_details(found, stage)
        _write_basis(found, stage, overrides, command(found, overrides))

    _replaced(folder, fill)


def _write_details(found: Findings, folder: Path) -> None:
    """What the page tells of targets, changed settings and what would overturn the answer, for other programs."""
    aims, changed = Aims(found), Changed(found)
    if aims.targets.asked:
        _write_text(folder / "targets.csv", to_csv(TARGETS, aims.rows()))
    if found.alternatives:
        _write_text(folder / "changes.csv", to_csv(CHANGES, changed.rows()))
    if found.would and found.would.parts:
        _write_text(folder / "overturn.csv", to_csv(OVERTURN, overturned.rows(found.would)))


def write_attribution(attributed: Attributed, folder: Path, overrides: Sequence[str] = ()) -> None:
    """As `write`, for what an attribution found."""
    from servsim.report.attributed import COLUMNS as columns
    from servsim.report.figures import draw_attribution

    def fill(stage: Path) -> None:
        pages = attributed.page(overrides)
        _write_page(stage, pages, draw_attribution(attributed), attributed.found, attributed.runs)
        _write_text(stage / "attribution.csv", to_csv(columns, attributed.rows()))
        _write_basis(attributed.found, stage, overrides, attributed.command(overrides))

    _replaced(folder, fill)


def write_sensitivity(tornado: Tornado, folder: Path, typed: str, overrides: Sequence[str] = ()) -> None:
    """As `write`, for what a sensitivity analysis found; `typed` is its command."""
    from servsim.report.figures import draw_tornado
    from servsim.report.tornado import COLUMNS as columns
    from servsim.report.tornado import FLIP_COLUMNS

    def fill(stage: Path) -> None:
        _write_page(stage, tornado.page(typed), draw_tornado(tornado), tornado.found, tornado.scenarios)
        _write_text(stage / "sensitivity.csv", to_csv(columns, tornado.rows()))
        _write_text(stage / "flips.csv", to_csv(FLIP_COLUMNS, tornado.flip_rows()))
        _write_basis(tornado.found, stage, overrides, typed)

    _replaced(folder, fill)


def write_tuning(tuned: Tuned, folder: Path, typed: str, overrides: Sequence[str] = ()) -> None:
    """As `write`, for what a tuning found; `typed` is its command."""
    from servsim.report.figures.spans import draw_tuning
    from servsim.report.tuned import COLUMNS as columns
    from servsim.report.tuned import FACT_COLUMNS

    def fill(stage: Path) -> None:
        _write_page(stage, tuned.page(typed), draw_tuning(tuned), tuned.found, tuned.names)
        _write_text(stage / "tuning.csv", to_csv(columns, tuned.rows()))
        _write_text(stage / "facts.csv", to_csv(FACT_COLUMNS, tuned.fact_rows()))
        _write_text(stage / "design.csv", to_csv(tuned.design_columns(), tuned.design_rows()))
        _write_basis(tuned.found, stage, overrides, typed)

    _replaced(folder, fill)


def _replaced(folder: Path, fill: Callable[[Path], None]) -> None:
    """The folder with what `fill` writes in place of what it held under the same names.

    All files are first written beside the folder, so that a report that cannot be finished leaves the earlier one
    as it was. Raises OSError where the folder cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        fill(stage)
        folder.mkdir(exist_ok=True)
        for made in sorted(stage.iterdir()):
            _replace(folder / made.name, made)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def config_names(scenarios: Sequence[str]) -> dict[str, str]:
    """Scenario → file name: 'peak_30' for 'fault_repair/peak_30' where all are of one study, else 'study__variant'.

    >>> config_names(["a/x", "a/y[demand.file=d/e.csv]"])
    {'a/x': 'x', 'a/y[demand.file=d/e.csv]': 'y[demand.file=d__e.csv]'}
    >>> config_names(["a/x", "b/x"])
    {'a/x': 'a__x', 'b/x': 'b__x'}
    >>> {len(name) for name in config_names(["a/x[" + "y" * 300, "a/x[" + "y" * 301]).values()}
    {113}
    """
    studies = {s.partition("[")[0].rpartition("/")[0] for s in scenarios}
    shared = f"{studies.pop()}/" if len(studies) == 1 else ""
    return {s: _fitting(re.sub(r'[:*?"<>|\\]', "_", s.removeprefix(shared).replace("/", "__"))) for s in scenarios}


def _fitting(name: str) -> str:
    """The name, or its beginning and a digest of it: file systems allow 255 bytes."""
    if len(name.encode()) <= 240:
        return name
    return f"{name.encode()[:100].decode(errors='ignore')}~{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _write_basis(found: Findings, folder: Path, overrides: Sequence[str], typed: str) -> None:
    """The figures of all replications, the complete settings, and what made these files."""
    comparison = found.comparison
    configs = {s: to_yaml(comparison.configs[s]) for s in comparison.scenarios if s in comparison.configs}
    for scenario, name in config_names(comparison.scenarios).items():
        if scenario in configs:
            _write_text(folder / "config" / f"{name}.yaml", configs[scenario])
    _write_text(folder / "overrides.yaml", to_yaml(list(overrides)))
    for name, columns in COLUMNS.items():
        rows = getattr(comparison, name)[list(columns)].itertuples(index=False, name=None)
        _write_text(folder / f"{name}.csv", to_csv(columns, rows))
    provenance = json.dumps(_provenance(found, configs, typed, folder), indent=2, ensure_ascii=False)
    _write_text(folder / "provenance.json", provenance + "\n")


def _write_page(
    folder: Path, page: Sequence[Block], drawn: Mapping[str, Figure], found: Findings, listed: Sequence[str] = ()
) -> None:
    """The page in one HTML file that needs no other, as Markdown with its pictures beside it, and as a workbook.

    `listed`: the scenarios whose figures the workbook lists, where the report is no comparison of them all.
    """
    from servsim.report.figures.look import pdf, png, svg
    from servsim.report.workbook import write_workbook

    pictures = {name: svg(figure) for name, figure in drawn.items()}
    places = {name: f"figures/{name}.svg" for name in pictures}
    for name, text in pictures.items():
        _write_text(folder / places[name], text)
    _write_text(folder / "report.md", to_markdown(page, places))
    _write_text(folder / "report.html", to_html(page, pictures, found.words.language))
    write_workbook(folder / "report.xlsx", page, found, _made_by(), listed)
    asked = found.comparison.settings.pictures
    for name, figure in drawn.items() if "png" in asked else ():
        (folder / "figures" / f"{name}.png").write_bytes(png(figure))
    if "pdf" in asked and drawn:
        titles = {block.name: block.title for block in page if isinstance(block, Picture)}
        pdf(folder / "figures.pdf", drawn, titles)


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    r"""Rows as CSV with eight significant digits and '\n' line ends on every system; no answer is an empty field.

    >>> to_csv(["kpi", "value"], [("wait", 1 / 3), ("late, all", float("nan"))])
    'kpi,value\nwait,0.33333333\n"late, all",\n'
    """
    lines = [",".join(columns)]
    lines += [",".join(_field(value) for value in row) for row in rows]
    return "\n".join(lines) + "\n"


def _field(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value + 0.0:.8g}"
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def to_yaml(value: Any) -> str:
    """Plain YAML, keys in their order, other letters than ASCII as they are."""
    return str(yaml.safe_dump(_plain(value), allow_unicode=True, sort_keys=False, width=120))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def _provenance(found: Findings, configs: Mapping[str, str], typed: str, folder: Path) -> dict[str, Any]:
    """What made these files: enough to make them again."""
    comparison = found.comparison
    logs: dict[str, dict[str, str]] = {s: {} for s in comparison.scenarios}
    for (scenario, replication), digest in sorted(comparison.digests.items()):
        logs[scenario][str(replication)] = digest
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": typed,
        "seed": comparison.settings.seed,
        "replications": {s: found.replications(s) for s in comparison.scenarios},
        "failures": len(comparison.failures),
        "versions": {"servsim": _version("servsim"), "python": platform.python_version()}
        | {name: _version(name) for name in LIBRARIES},
        "platform": platform.platform(),
        "git": _git(folder),
        "configs": {s: hashlib.sha256(text.encode()).hexdigest() for s, text in configs.items()},
        "event_logs": logs,
    }


def _made_by() -> dict[str, str]:
    """Name → version of what decides the figures."""
    names = ("servsim", "numpy", "scipy", "pandas", "simpy")
    return {"Python": platform.python_version()} | {name: str(_version(name)) for name in names}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(folder: Path) -> dict[str, Any] | None:
    """Commit of the project that the folder lies in, and whether its files differ from it; None outside of git."""
    commit = _git_says(folder, "rev-parse", "HEAD")
    changes = _git_says(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "changed": bool(changes)} if commit else None


def _git_says(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


def _replace(old: Path, new: Path) -> None:
    if old.is_dir() and not old.is_symlink():
        shutil.rmtree(old)
    new.replace(old)
