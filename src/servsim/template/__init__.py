"""What does `servsim new` write? A small project that runs at once and is meant to be changed."""

from __future__ import annotations

from pathlib import Path

from servsim.model.errors import InputError
from servsim.sources import shown

HERE = Path(__file__).parent


def copy_to(folder: Path) -> None:
    """Writes the project into a folder that is new or empty. Raises InputError for any other, OSError if it cannot."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{shown(folder)} is there already; name a new folder, for example: servsim new my_desk")
    for file in sorted(HERE.rglob("*")):
        if file.suffix in (".yaml", ".md"):
            copy = folder / file.relative_to(HERE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
