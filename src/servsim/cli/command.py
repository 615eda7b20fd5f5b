"""What a command of the command line is: words, options, help."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from servsim.registry import suggestion

DONE, NOT_HELD, BAD_INPUT = 0, 1, 2
"""Exit codes: done; a check did not hold, a replication failed or servsim is at fault; bad input."""


@dataclass(frozen=True)
class Command:
    """A command: what it does, in a line and with examples."""

    does: Callable[[argparse.Namespace], int]
    words: str
    help: str
    examples: tuple[str, ...]
    options: tuple[tuple[str, dict[str, Any]], ...] = ()
    passes_on: bool = False


class _Parser(argparse.ArgumentParser):
    """argparse with its complaints on one line."""

    def error(self, message: str) -> NoReturn:
        known = [option for action in self._actions for option in action.option_strings]
        wrong = next(iter(re.findall(r"(?<!\S)--?[\w-]+", message)), "")
        hint = suggestion(wrong, known) if "unrecognized" in message else ""
        print(f"{self.prog}: {message}{hint}; see {self.prog} --help", file=sys.stderr)
        raise SystemExit(BAD_INPUT)


def parser_of(name: str, command: Command) -> _Parser:
    examples = "\n".join(f"  servsim {example}" for example in command.examples)
    parser = _Parser(
        prog=f"servsim {name}",
        usage=f"servsim {name} {command.words}".rstrip(),
        description=command.help,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    for option, how in command.options:
        parser.add_argument(option, **how)
    parser.add_argument(
        "--project", type=Path, metavar="DIR", help="the folder with scenarios/ (default: here or above)"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    return parser
