"""Start from today: the cases that are open when the clock begins, written out or in a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationInfo, model_validator

from servsim.model.base import Duration, Id, Label, Model, TimeUnit, Word
from servsim.model.cases import unfit_start
from servsim.model.errors import InputError, refuse
from servsim.model.errors import Path as Place
from servsim.model.files import Column, read_columns
from servsim.model.process import Flow
from servsim.model.promises import CaseClass
from servsim.quantities import ticks
from servsim.registry import suggestion

Found = Iterator[tuple[Place, str]]
BACKLOG = "backlog"
"""The source of the open cases."""
TOLD = 5
"""So many bad rows of a file are told."""


@dataclass(frozen=True)
class Done:
    """What of the work at the present step is done: a share and a time."""

    share: float = 0.0
    time: int = 0


def _done(value: Any) -> str:
    """Checked, as it is written: '40 %', 0.4 or '20 min'."""
    done(str(value))
    return str(value)


def done(text: str) -> Done:
    """The meaning of '40 %', '0.4' (shares) or '20 min'; nothing: not begun. Raises ValueError for anything else."""
    text = text.strip()
    if not text:
        return Done()
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", text):
        share = float(match[1]) / (100 if match[2] else 1)
        if share > 1:
            raise ValueError(f"'{text}' is more than the whole; write a share such as 0.4 or '40 %', or '20 min'")
        return Done(share=share)
    return Done(time=ticks(text))


YES, NO = ("yes", "true", "1", "y"), ("no", "false", "0", "n")


def _answered(cell: str) -> bool | None:
    word = cell.strip().lower()
    if word and word not in (*YES, *NO):
        raise ValueError(cell)
    return word in YES if word else None


class OpenCase(Model):
    """A case that is open: how long ago it came, the step that it has reached, what of that step's work is done.

    `answered`: whether the customer has had an answer; by default so if an answering step lies behind, or the step
    answers and has been begun.
    """

    label: Label = Label()
    case_class: Id
    step: Id
    age: Duration
    done: Annotated[str, BeforeValidator(_done)] = "0"
    channel: Word | None = None
    answered: bool | None = None


class BacklogColumns(Model):
    """What the columns of the file are called."""

    case_class: str = "case_class"
    step: str = "step"
    age: str = "age"
    done: str | None = None
    channel: str | None = None
    answered: str | None = None

    def flat(self) -> dict[str, str]:
        named = {name: getattr(self, name) for name in self.keys()}
        return {name: column for name, column in named.items() if column is not None}


class Backlog(Model):
    """The open cases: `cases` by name, or a CSV file (path relative to the project) with one per row.

    `unit` is that of bare numbers among the ages. `counted`: they count among the cases of the run, with their
    ages; by default so where there is no warm-up.
    """

    file: str | None = None
    columns: BacklogColumns = BacklogColumns()
    unit: TimeUnit | None = None
    cases: dict[Id, OpenCase] = Field(default_factory=dict)
    counted: bool | None = None

    _rows: tuple[OpenCase, ...] = PrivateAttr(())
    _lines: tuple[str, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> Self:
        if (self.file is None) == (not self.cases):
            raise ValueError("needs either `file` or `cases`")
        if self.file is None:
            self._rows = tuple(self.cases.values())
            return self
        path = Path((info.context or {}).get("folder") or Path.cwd(), self.file)
        try:
            columns = read_columns(path, self.columns.flat())
            self._rows = tuple(_rows(columns, self.unit))
        except InputError as error:
            raise refuse((("file",), str(error)), value=self.file) from None
        self._lines = tuple(f"{path}, line {line}" for line in columns["step"].lines)
        return self

    @property
    def rows(self) -> tuple[OpenCase, ...]:
        """The open cases, in the order in which they are written."""
        return self._rows

    def flaws(self, classes: Mapping[str, CaseClass], flows: Mapping[str, Flow]) -> Found:
        """What does not fit the classes and their processes, as (path below `backlog`, message)."""
        names, told = list(self.cases), 0
        for number, row in enumerate(self._rows):
            for key, text in _flaws(row, classes, flows):
                told += 1
                if self.file is None:
                    yield ("cases", names[number], key), text
                elif told <= TOLD:
                    yield ("file",), f"{self._lines[number]}: {text}"


def _flaws(row: OpenCase, classes: Mapping[str, CaseClass], flows: Mapping[str, Flow]) -> Iterator[tuple[str, str]]:
    if row.case_class not in classes:
        yield "case_class", f"there is no case class '{row.case_class}'{suggestion(row.case_class, classes)}"
    else:
        for text in unfit_start(flows[classes[row.case_class].process], row.step):
            yield "step", text


def _rows(columns: Mapping[str, Column], unit: str | None) -> Iterator[OpenCase]:
    """The rows of a file; raises InputError with file, line and column for a cell that cannot be read."""
    empty = [""] * len(columns["step"].cells)
    ages = columns["age"].durations(unit).tolist()
    for name, read, what in (
        ("done", done, "a share such as 0.4 or 40 %, or a duration"),
        ("answered", _answered, "yes or no"),
    ):
        if name in columns:
            columns[name].check(read, what)
    cells = {name: columns[name].cells if name in columns else empty for name in ("done", "channel", "answered")}
    for i, (case_class, step) in enumerate(zip(columns["case_class"].cells, columns["step"].cells, strict=True)):
        yield OpenCase.model_construct(
            label=Label(),
            case_class=case_class,
            step=step,
            age=ages[i],
            done=cells["done"][i],
            channel=cells["channel"][i] or None,
            answered=_answered(cells["answered"][i]),
        )


def has_been_answered(case: OpenCase, flow: Flow) -> bool:
    """As stated, else whether an answering step lies behind the case or has been begun."""
    if case.answered is not None:
        return case.answered
    begun = done(case.done) != Done()
    return case.step not in flow.unanswered() or (case.step in flow.responders and begun)
