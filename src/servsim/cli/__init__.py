"""What can be asked for on the command line, and how a word becomes one of the commands."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import traceback
from collections.abc import Sequence

from servsim import __version__
from servsim.cli import looking, running, starting, tuning, varying
from servsim.cli.command import BAD_INPUT, DONE, NOT_HELD, parser_of
from servsim.registry import suggestion

MOST_PROBLEMS = 8


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code. Bad input never gives a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else BAD_INPUT
    except KeyboardInterrupt:
        print("\nstopped; nothing half-written is left", file=sys.stderr)
        return NOT_HELD
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        return _told(error, "--debug" in words)


def _told(error: Exception, debug: bool) -> int:
    from servsim.model.errors import InputError

    if debug:
        traceback.print_exc()
    if isinstance(error, InputError):
        problems = str(error).splitlines()
        more = len(problems) - MOST_PROBLEMS
        shown = problems[:MOST_PROBLEMS] + ([f"… and {more} more"] if more > 0 else [])
        print("\n".join(shown), file=sys.stderr)
        return BAD_INPUT
    what = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}".rstrip(": ")
    hint = "" if debug else "; the traceback comes with --debug"
    print(f"servsim: this is a fault of servsim, please report it ({what}){hint}", file=sys.stderr)
    return NOT_HELD


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return DONE
    if words[0] in ("-V", "--version", "version"):
        print(f"servsim {__version__}")
        return DONE
    name = next((word for word in words if not word.startswith("-")), words[0])
    if name not in COMMANDS:
        from servsim.model.errors import InputError

        raise InputError(f"servsim: there is no command '{name}'{suggestion(name, COMMANDS)}")
    words.remove(name)
    command = COMMANDS[name]
    if command.passes_on:
        return command.does(argparse.Namespace(words=[word for word in words if word != "--debug"]))
    return command.does(parser_of(name, command).parse_intermixed_args(words))


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {command.help.splitlines()[0]}" for name, command in COMMANDS.items())
    return f"""usage: servsim COMMAND [SCENARIO …] [key=value …]

Rehearses changes of staffing, dispatch and process of a service before they are rolled out.

commands:
{lines}

A SCENARIO is study/variant, the file scenarios/study/variant.yaml; study/one+other is both variants together; the
study alone means all its variants in compare and its baseline elsewhere. key=value sets any value of a scenario:
staffing.desk.day=12, dispatch=edd, clock.horizon="2 wk".

first steps:
  servsim list
  servsim compare fault_repair
  servsim compare fault_repair/baseline staffing.desk.day=10,12,14
  servsim new my_desk

`servsim COMMAND --help` tells more. Exit codes: 0 done, 1 a check did not hold or a replication failed, 2 bad input."""


COMMANDS = {**looking.COMMANDS, **running.COMMANDS, **varying.COMMANDS, **tuning.COMMANDS, **starting.COMMANDS}
