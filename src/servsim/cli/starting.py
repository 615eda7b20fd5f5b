"""Commands to start with and to hand over: new, hydra."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from servsim.cli.asking import split
from servsim.cli.command import DONE, Command


def _new(args: argparse.Namespace) -> int:
    from servsim.model.errors import InputError
    from servsim.sources import shown
    from servsim.template import copy_to

    names, settings = split(args.words)
    language = next((word.partition("=")[2] for word in settings if word.startswith("language=")), "en")
    if len(names) != 1 or len(settings) > 1 or (settings and not settings[0].startswith("language=")):
        raise InputError("servsim new: name the folder, for example: servsim new my_desk (or: new my_desk language=zh)")
    folder = (args.project or Path()) / names[0]
    try:
        copy_to(folder, language)
    except OSError as error:
        raise InputError(f"{shown(folder)}: cannot be written ({error.strerror or error})") from error
    typed = f'"{folder}"' if re.search(r"\s", str(folder)) else folder
    print(f"wrote a small project to {shown(folder)}/. Next:\n  cd {typed}\n  servsim list\n  servsim compare")
    return DONE


def _hydra(args: argparse.Namespace) -> int:
    from servsim.hydra_app import run

    return run(args.words)


COMMANDS = {
    "new": Command(
        _new,
        "FOLDER [language=zh]",
        "Writes a small commented project to start from.",
        ("new my_desk", "new my_desk language=zh"),
    ),
    "hydra": Command(
        _hydra,
        "[SCENARIO] [key=value …] [--multirun] [Hydra's options]",
        "The same configurations through @hydra.main: --multirun, launchers, sweepers.",
        ("hydra fault_repair/baseline --multirun staffing.desk.day=10,12,14",),
        passes_on=True,
    ),
}
