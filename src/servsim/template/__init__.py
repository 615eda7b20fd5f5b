"""What does `servsim new` write? A small project that runs at once and is meant to be changed."""

from __future__ import annotations

from pathlib import Path

from servsim.model.errors import InputError
from servsim.registry import suggestion
from servsim.sources import shown

HERE = Path(__file__).parent
LANGUAGES = ("en", "zh")


def copy_to(folder: Path, language: str = "en") -> None:
    """Writes the project, with comments in the language, into a folder that is new or empty.

    Raises InputError for any other folder or language, OSError if it cannot.
    """
    if language not in LANGUAGES:
        raise InputError(f"language: there is no '{language}'{suggestion(language, LANGUAGES)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{shown(folder)} is there already; name a new folder, for example: servsim new my_desk")
    for file in sorted((HERE / language).rglob("*")):
        if file.suffix in (".yaml", ".md"):
            copy = folder / file.relative_to(HERE / language)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
