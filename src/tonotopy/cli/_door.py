"""The door of the command line: verbs load late, and every error leaves as one line and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NoReturn

import click

from tonotopy.cli._text import one_line
from tonotopy.core.errors import TonotopyError

#: Exit codes; the table in the docstring of the package says what they mean.
NO = 1
MISTAKE = 2
FAULT = 3
INTERRUPTED = 130
READER_LEFT = 141

RESUME = "interrupted; finished work is kept: the same command goes on from there"


class Door(click.Group):
    """A group whose verbs are the modules named in ``verbs``, each with a command named ``command``."""

    def __init__(self, *args: Any, verbs: Sequence[str] = (), **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.verbs = tuple(verbs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Verbs in the order in which they were declared."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        if cmd_name not in self.verbs:
            return None
        command: click.Command = import_module(f"tonotopy.cli.{cmd_name}").command
        return command

    def make_context(self, *args: Any, **keywords: Any) -> click.Context:
        """Parse; prints the help where it is asked for."""
        with _leaving_by_our_rules():
            return super().make_context(*args, **keywords)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb."""
        with _leaving_by_our_rules():
            return super().invoke(ctx)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **keywords: Any) -> Any:
        """Run; leave with an exit code, and on an error with one line on stderr."""
        keywords["standalone_mode"] = False  # or click would leave by its own rules
        try:
            code = super().main(args, *rest, **keywords)
            sys.stdout.flush()
        except Exception as error:  # noqa: BLE001  the one place where every error is caught
            _leave(error)
        except KeyboardInterrupt as stop:
            _leave(stop)
        raise SystemExit(code if isinstance(code, int) else 0)


@contextmanager
def _leaving_by_our_rules() -> Iterator[None]:
    """Meet an interruption and a closed pipe before click does, which has another exit code for them."""
    try:
        yield
    except (KeyboardInterrupt, BrokenPipeError) as error:
        _leave(error)


def explain(error: BaseException) -> tuple[str, int]:
    """One line and an exit code for any error.

    Examples
    --------
    >>> explain(TonotopyError("a site", "'conv9'"))
    ("expected a site; got 'conv9'", 2)
    >>> explain(OSError(errno.ENOSPC, "No space left on device"))
    ('the disk is full; finished work is kept: make room and give the same command again', 2)
    """
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return RESUME, INTERRUPTED
    if isinstance(error, click.ClickException):
        return _usage(error), MISTAKE
    if isinstance(error, TonotopyError):
        return str(error), MISTAKE
    if isinstance(error, OSError):
        return _refusal(error), MISTAKE
    if isinstance(error, MemoryError):
        return "out of memory; --workers 1 or a smaller --preset needs less", MISTAKE
    kind = type(error).__name__
    return f"a fault of tonotopy: {kind}: {error}; TONOTOPY_DEBUG=1 shows where", FAULT


def _usage(error: click.ClickException) -> str:
    """What click has to say, with the verb whose help says more."""
    context = getattr(error, "ctx", None)
    where = f"; {context.command_path} --help says more" if context else ""
    return error.format_message().rstrip(".") + where


def _refusal(error: OSError) -> str:
    """What the machine refused to do."""
    if error.errno == errno.ENOSPC:
        return "the disk is full; finished work is kept: make room and give the same command again"
    what = error.strerror or str(error)
    return f"{what}: {error.filename}" if error.filename else what


def _give_up_output() -> None:
    """What python flushes at its own exit must not meet a closed pipe or a full disk again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(error: BaseException) -> NoReturn:
    """Say it in one line and exit."""
    if isinstance(error, OSError):
        _give_up_output()
    if isinstance(error, BrokenPipeError):
        raise SystemExit(READER_LEFT)
    if os.environ.get("TONOTOPY_DEBUG", "") not in ("", "0"):
        traceback.print_exception(error, file=sys.stderr)
    message, code = explain(error)
    sys.stderr.write(f"{'' if code == INTERRUPTED else 'error: '}{one_line(message)}\n")
    raise SystemExit(code)
