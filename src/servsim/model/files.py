"""What stands in the named columns of a CSV file; every complaint names file, line and column."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from servsim.model.errors import InputError
from servsim.quantities import UNITS, ticks
from servsim.registry import suggestion

T = TypeVar("T")
ENCODINGS = ("utf-8-sig", "gb18030")
_OTHER_SIGNS = {";": "semicolons", "\t": "tabs", "，": "Chinese commas", "|": "bars"}


@dataclass(frozen=True)
class Column:
    """The cells of one column, as text, with the line of the file on which each stands."""

    file: Path
    name: str
    cells: tuple[str, ...]
    lines: tuple[int, ...]

    def words(self) -> NDArray[np.object_]:
        return np.array(self.cells, dtype=object)

    def numbers(self) -> NDArray[np.float64]:
        """Finite numbers."""
        return np.array(self._each(_number, "a number"), dtype=np.float64)

    def durations(self, unit: str | None = None) -> NDArray[np.int64]:
        """Ticks: '15 min', or bare numbers where a unit is given."""
        if unit is None:
            return np.array(self._each(ticks, "a duration with its unit (or give `unit:`)"), dtype=np.int64)
        values = self._each(_not_negative, f"a number ≥ 0 (in {unit})")
        return np.rint(np.array(values, dtype=np.float64) * UNITS[unit]).astype(np.int64)

    def instants(self) -> NDArray[np.datetime64]:
        """Dates with times, '2026-03-02 08:15:30', to the microsecond."""
        return np.array(self._each(_instant, "a date and time such as 2026-03-02 08:15"), dtype="datetime64[us]")

    def check(self, read: Callable[[str], object], what: str) -> None:
        """Raises InputError for the first cell that `read` refuses; `what` is what was expected."""
        self._each(read, what)

    def _each(self, read: Callable[[str], T], what: str) -> list[T]:
        try:
            return [read(cell) for cell in self.cells]
        except ValueError:
            for cell, line in zip(self.cells, self.lines, strict=True):
                try:
                    read(cell)
                except ValueError:
                    message = f'{self.file}, line {line}, column "{self.name}": expected {what}, got "{cell}"'
                    raise InputError(message) from None
            raise


def _number(cell: str) -> float:
    value = float(cell)
    if not np.isfinite(value):
        raise ValueError(cell)
    return value


def _not_negative(cell: str) -> float:
    value = _number(cell)
    if value < 0:
        raise ValueError(cell)
    return value


def _instant(cell: str) -> dt.datetime:
    at = dt.datetime.fromisoformat(cell.replace("/", "-"))
    if at.tzinfo is not None:
        raise ValueError(cell)
    return at


def read_columns(path: Path, columns: Mapping[str, str]) -> dict[str, Column]:
    """The columns of a CSV file by what they are for: {"arrived_at": "time of call"}.

    Reads UTF-8 (with or without a mark) and, failing that, GB18030. Raises InputError for a file that is missing, empty
    or not a table, and for a column that is not there.
    """
    rows = _rows(path)
    try:
        header = _header(path, rows, columns)
        places = {purpose: header.index(name) for purpose, name in columns.items()}
        cells, lines = _cells(path, rows, header, places)
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: is not a CSV row ({error})") from None
    if not lines:
        raise InputError(f"{path}: has a header but no rows")
    return {purpose: Column(path, name, tuple(cells[purpose]), tuple(lines)) for purpose, name in columns.items()}


def check_columns(path: Path, columns: Mapping[str, str]) -> None:
    """Raises InputError unless the file is a table that has these columns."""
    _header(path, _rows(path), columns)


def _rows(path: Path) -> Any:
    """The csv reader of the file's text."""
    return csv.reader(io.StringIO(_text(path), newline=""), strict=True)


def _text(path: Path) -> str:
    if not path.is_file():
        beside = [other.name for other in path.parent.glob("*.csv")] if path.parent.is_dir() else []
        raise InputError(f"{path}: there is no such file{suggestion(path.name, sorted(beside))}")
    data = path.read_bytes()
    for encoding in ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not text.strip():
            raise InputError(f"{path}: is empty; expected a CSV file with a header line")
        return text
    raise InputError(f"{path}: is not text in {' or '.join(ENCODINGS)}; save it as CSV UTF-8")


def _header(path: Path, rows: Any, columns: Mapping[str, str]) -> list[str]:
    header = [name.strip() for name in next(rows, [])]
    for name in columns.values():
        if name not in header:
            sign = next((s for s in _OTHER_SIGNS if len(header) == 1 and s in header[0]), "")
            if sign:
                found = f"has {_OTHER_SIGNS[sign]} between its columns"
                raise InputError(f"{path}, line 1: {found}; save the file with commas")
            raise InputError(f'{path}, line 1: there is no column "{name}"{suggestion(name, filter(None, header))}')
    return header


def _cells(
    path: Path, rows: Any, header: list[str], places: Mapping[str, int]
) -> tuple[dict[str, list[str]], list[int]]:
    cells: dict[str, list[str]] = {purpose: [] for purpose in places}
    lines: list[int] = []
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise InputError(f"{path}, line {rows.line_num}: has {len(row)} cells, the header has {len(header)}")
        lines.append(rows.line_num)
        for purpose, place in places.items():
            cells[purpose].append(row[place].strip())
    return cells, lines
