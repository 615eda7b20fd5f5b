"""What `compare` runs besides, to say which assumption would overturn the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from servsim.cli.asking import Asked, Loaded, all_loaded
from servsim.cli.varying import settings_of

if TYPE_CHECKING:
    from servsim.experiment import Comparison, Progress
    from servsim.model import Scenario
    from servsim.overturn import Ends, Overturn
    from servsim.project import Project

Pairs = Mapping[str, tuple[Asked, Loaded]]
"""Scenario → how it was asked for, and as it was loaded."""


def overturned(
    project: Project, pairs: Pairs, common: Sequence[str], comparison: Comparison, progress: Progress | None
) -> Overturn | None:
    """Which assumptions would overturn the answer; None where there is no answer."""
    from servsim.overturn import Overturn, replications
    from servsim.report.findings import Findings
    from servsim.report.words import words

    found = Findings(comparison, words(comparison.settings.language))
    if found.contenders is None:
        return None
    best, other = found.contenders
    by = (comparison.settings.overturn or 0.0) / 100
    told = Overturn(best, other, by)
    if not by:
        return replace(told, why_not="off")
    names = dict.fromkeys(n for s in (best, other) for n, a in pairs[s][1].scenario.assumptions.items() if a.settings)
    if not names:
        return replace(told, why_not="no_settings")
    if not replications(comparison, len(names)):
        return replace(told, why_not="few_replications")
    return _varied(project, pairs, common, comparison, progress, told, tuple(names))


def _varied(
    project: Project, pairs: Pairs, common: Sequence[str], comparison: Comparison, progress: Progress | None,
    told: Overturn, names: Sequence[str],
) -> Overturn:  # fmt: skip
    from servsim.experiment import compare
    from servsim.kpis import KPIS
    from servsim.model.errors import InputError
    from servsim.overturn import parts, replications
    from servsim.report.findings import Findings
    from servsim.report.words import words
    from servsim.targets import Targets

    targets = Targets(comparison).asked
    with_wages = any(KPIS[target.kpi].unit == "money" for target in targets.values())
    ends: list[Ends] = []
    refused: dict[str, str] = {}
    again: dict[str, Loaded] = {}
    for name in names:
        try:
            end, loaded = _ends(project, [pairs[told.best], pairs[told.other]], common, name, told.by, with_wages)
        except InputError as error:
            told_first = str(error).splitlines()[0]
            refused[name] = told_first.partition(f"assumptions.{name}.settings: ")[2] or told_first
        else:
            ends += [end] if loaded else []
            again |= loaded
    told = replace(told, refused=refused)
    if not again:
        return replace(told, why_not="no_settings")
    n = replications(comparison, len(ends))
    settings = comparison.settings.model_copy(update={"replications": n})
    runs = compare([one.scenario for one in again.values()], settings, progress)
    kpi = Findings(comparison, words(settings.language)).leading[0]
    sign = -1.0 if KPIS[kpi].better == "lower" else 1.0
    return replace(told, n=n, parts=parts(comparison, runs, ends, told.best, told.other, kpi, sign, targets))


def _ends(
    project: Project, both: Sequence[tuple[Asked, Loaded]], common: Sequence[str], assumption: str, by: float,
    with_wages: bool,
) -> tuple[Ends, dict[str, Loaded]]:  # fmt: skip
    """(the two scenarios at both values, those that have to be run). Raises InputError.

    A scenario that the assumption does not touch, or that rounding leaves as it is, keeps its name.
    """
    from servsim.overturn import Ends

    factors = (1 - by, 1 + by)
    names: list[tuple[str, str]] = []
    again: dict[str, Loaded] = {}
    for asked, loaded in both:
        called = []
        for factor in factors:
            typed = settings_of(loaded, assumption, factor)
            varied = replace(asked, called=f"{assumption} {100 * (factor - 1):+g} %", varied=typed)
            one = all_loaded(project, [varied], common)[0] if typed else loaded
            is_same = _content(one, with_wages) == _content(loaded, with_wages)
            called.append(loaded.scenario.name if is_same else one.scenario.name)
            again |= {} if is_same else {one.scenario.name: one}
        names.append((called[0], called[1]))
    return Ends(assumption, factors, *names), again


def _content(one: Loaded, with_wages: bool) -> Scenario:
    """What two scenarios have to have in common to come to the same figures; in money they may differ without wages."""
    pools = one.scenario.pools
    paid = pools if with_wages else {name: pool.model_copy(update={"wage": 0.0}) for name, pool in pools.items()}
    return one.scenario.model_copy(update={"name": "", "label": None, "pools": paid})
