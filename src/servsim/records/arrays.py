"""The array types of the records: ticks, ids, and how a record is frozen and hashed."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ticks = NDArray[np.int64]
Ids = NDArray[np.int32]
Codes = NDArray[np.int8]

NONE = -1
"""Stands for "none" in every id column and "never" in every tick column."""


def digest(record: Any) -> str:
    """SHA-256 over the bytes of a record's arrays, in the order of its fields."""
    sha = hashlib.sha256()
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, np.ndarray):
            sha.update(field.name.encode())
            sha.update(np.ascontiguousarray(value).tobytes())
    return sha.hexdigest()


def freeze(record: Any) -> None:
    """Makes a record's arrays read-only (called at the end of construction)."""
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
