"""What a command leaves behind: tables on the terminal, a folder under results/."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from servsim.cli.asking import UNFIT_FOR_FILES
from servsim.cli.command import DONE, NOT_HELD

if TYPE_CHECKING:
    from rich.console import Console

    from servsim.attribution import Design
    from servsim.experiment import Comparison
    from servsim.model import Scenario, Settings
    from servsim.overturn import Overturn
    from servsim.project import Project
    from servsim.report.tornado import Tornado


def results_folder(project: Project, settings: Settings, otherwise: str) -> Path:
    """results/<experiment>; raises InputError before anything is simulated if it could not be written there."""
    from servsim.model.errors import InputError
    from servsim.sources import is_writable, shown

    name = settings.experiment or UNFIT_FOR_FILES.sub("-", otherwise)
    if Path(name).name != name or name in ("", ".", ".."):
        raise InputError(f"experiment: '{name}' is not the name of a folder; write for example experiment=trial_1")
    folder = project.root / settings.results / name
    in_the_way = next((place for place in (folder, *folder.parents) if place.exists() and not place.is_dir()), None)
    if in_the_way:
        raise InputError(f"results: {shown(in_the_way)} is a file, so {shown(folder)} cannot be written; set results=…")
    if not is_writable(folder):
        raise InputError(f"results: {shown(folder)} cannot be written; set results=… to a folder of yours")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "provenance.json").is_file():
        raise InputError(f"results: {shown(folder)} holds files that are not servsim's; choose another experiment=…")
    return folder


_LOGS = ("log.csv", "log.xes")
"""What `run --log` writes beside the report; left there by an earlier run, it would not belong to other figures."""


def _tells_of(folder: Path, comparison: Comparison) -> bool:
    """Whether an event log in the folder is that of replication 0 of the comparison's only scenario."""
    try:
        before = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["event_logs"]
    except (OSError, ValueError, KeyError):
        return False
    digests = {f"{name} {n}": digest for (name, n), digest in comparison.digests.items() if n == 0}
    return {f"{name} 0": logs.get("0") for name, logs in before.items()} == digests


def reported(comparison: Comparison, folder: Path, common: Sequence[str], would: Overturn | None = None) -> int:
    """Prints the tables and writes the report; the exit code. `common`: the settings typed for all scenarios; `would`:
    what would overturn the answer."""
    from servsim.report import write
    from servsim.report.terminal import comparison_table, run_table
    from servsim.sources import shown

    language = comparison.settings.language
    several = len(comparison.scenarios) > 1
    console().print(comparison_table(comparison, language, would) if several else run_table(comparison, language))
    stale = [] if _tells_of(folder, comparison) else [folder / log for log in _LOGS]
    with writing(folder):
        write(comparison, folder, language, common, would)
        for log in stale:
            log.unlink(missing_ok=True)
    print(f"\n{shown(folder)}/report.html")
    return tell_failures(comparison)


MOST_FAILURES = 5


def reported_attribution(comparison: Comparison, design: Design, folder: Path, words_typed: Sequence[str]) -> int:
    """As `reported`, for what the combinations of a design come down to."""
    from servsim.report import write_attribution
    from servsim.report.attributed import Attributed
    from servsim.report.findings import Findings
    from servsim.report.terminal import attribution_tables
    from servsim.report.words import words
    from servsim.sources import shown

    attributed = Attributed.of(Findings(comparison, words(comparison.settings.language)), design)
    console().print(attribution_tables(attributed))
    with writing(folder):
        write_attribution(attributed, folder, words_typed)
    print(f"\n{shown(folder)}/report.html")
    return tell_failures(comparison)


def reported_sensitivity(tornado: Tornado, folder: Path, typed: str, words_typed: Sequence[str]) -> int:
    """As `reported`, for what a sensitivity analysis found."""
    from servsim.report import write_sensitivity
    from servsim.report.terminal import sensitivity_tables
    from servsim.sources import shown

    console().print(sensitivity_tables(tornado))
    with writing(folder):
        write_sensitivity(tornado, folder, typed, words_typed)
    print(f"\n{shown(folder)}/report.html")
    return tell_failures(tornado.found.comparison)


def tell_failures(comparison: Comparison) -> int:
    """Says which replications failed; the exit code."""
    failures = list(comparison.failures.itertuples(index=False))
    for failure in failures[:MOST_FAILURES]:
        who = f"{failure.scenario} replication {failure.replication} seed {failure.seed}"
        print(f"failed: {who}: {failure.message}", file=sys.stderr)
    if len(failures) > MOST_FAILURES:
        told = f"… and {len(failures) - MOST_FAILURES} more of {comparison.n * len(comparison.scenarios)}"
        print(f"failed: {told}; the report has all", file=sys.stderr)
    return NOT_HELD if len(comparison.failures) else DONE


def console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


@contextlib.contextmanager
def progress_bar(language: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task({"zh": "仿真中"}.get(language, "simulating"), total=None)
        yield lambda done, planned: bar.update(task, completed=done, total=planned)


def write_log(scenario: Scenario, settings: Settings, path: Path) -> None:
    """The event log of replication 0."""
    from servsim.report.logs import write_csv, write_xes
    from servsim.simulate import simulate
    from servsim.sources import shown

    write = {".csv": write_csv, ".xes": write_xes}[path.suffix]
    with writing(path):
        write(simulate(scenario, seed=settings.seed, replication=0), path)
    print(shown(path))


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """What cannot be written is bad input: the place was chosen by the user."""
    from servsim.model.errors import InputError
    from servsim.sources import shown

    try:
        yield
    except OSError as error:
        raise InputError(f"results: {shown(path)} cannot be written ({error.strerror or error})") from error
