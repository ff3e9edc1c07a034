"""Results go to standard output: JSON for programs, something to read for people; all else goes to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from connector.cli.exit_codes import ExitCode
from connector.documents import dump
from connector.errors import ConfigurationError
from connector.model import JSON, Outcome
from connector.terminal import escape_controls

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress

__all__ = [
    "Picker",
    "flush",
    "line_writer",
    "picker",
    "print_command",
    "print_document",
    "print_line",
    "print_table",
    "print_text",
    "progress",
    "say",
    "say_what_is_awaited",
    "shown",
    "wants_json",
]


def say(text: str) -> None:
    """Print a sentence for the person at the terminal, to standard error."""
    sys.stderr.write(f"{escape_controls(text)}\n")


def print_text(text: str) -> None:
    """Print a result for people, with control characters escaped."""
    sys.stdout.write(f"{escape_controls(text)}\n")
    sys.stdout.flush()


def print_command(text: str) -> None:
    """Print a command line or file for other programs; escape control characters only on a terminal."""
    sys.stdout.write(f"{escape_controls(text) if sys.stdout.isatty() else text}\n")


def print_line(value: JSON) -> None:
    """Print one JSON value on one line, and flush."""
    line_writer()(value)
    flush()


def line_writer() -> Callable[[JSON], object]:
    """Return a function that writes one JSON value on one line; `flush` writes them out."""
    write = sys.stdout.buffer.write
    if sys.stdout.isatty():
        return lambda value: write(escape_controls(dump(value).decode()).encode() + b"\n")
    return lambda value: write(dump(value) + b"\n")


def flush() -> None:
    """Flush standard output."""
    sys.stdout.buffer.flush()


def print_document(value: JSON) -> None:
    """Print one JSON value: on a terminal text as it is and the rest indented, elsewhere compact."""
    if isinstance(value, str) and sys.stdout.isatty():
        print_text(value)
    elif sys.stdout.isatty():
        import json

        print_text(json.dumps(value, indent=2, ensure_ascii=False))
    else:
        print_line(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows for a person, cut to the width of the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(escape_controls(cell)) for cell in row))
    Console().print(table)


class Picker:
    """Select a part of each value by `--select`, and remember whether anything was found."""

    def __init__(self, expression: str | None) -> None:
        self._expression = expression
        self._used = self._found = False
        self._search: Callable[[JSON], JSON] = lambda value: value
        if expression is not None:
            self._search = _compiled(expression)

    def __call__(self, value: JSON) -> JSON:
        picked = self._search(value)
        self._used = True
        self._found = self._found or picked not in (None, [], {})
        return picked

    def ended(self, code: ExitCode) -> ExitCode:
        """Return the exit code of a command, which is NOTHING if it went well and nothing was selected."""
        if self._expression is None or self._found or not self._used or code is not ExitCode.DONE:
            return code
        say(f"nothing was found by --select {self._expression!r}; without it everything is printed")
        return ExitCode.NOTHING


def picker(expression: str | None) -> Picker:
    """Return what applies `--select` to each value."""
    return Picker(expression)


def _compiled(expression: str) -> Callable[[JSON], JSON]:
    import jmespath
    from jmespath.exceptions import JMESPathError

    def refused(error: JMESPathError) -> ConfigurationError:
        return ConfigurationError(f"--select {expression!r}: {str(error).splitlines()[0]}")

    try:
        compiled = jmespath.compile(expression)
    except JMESPathError as error:
        raise refused(error) from None

    def search(value: JSON) -> JSON:
        try:
            return compiled.search(value)
        except JMESPathError as error:
            raise refused(error) from None

    return search


def shown(outcome: Outcome) -> dict[str, JSON]:
    """Return an outcome as JSON, with bytes in the notation of requests."""
    document = outcome.as_document()
    if isinstance(outcome.body, bytes):
        import base64

        content = base64.b64encode(outcome.body).decode("ascii")
        document["body"] = {"$content": content, "content_type": outcome.headers.get("content-type", "")}
    return document


def progress() -> Progress:
    """Return a progress bar on standard error, which is silent unless that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    return Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)


def say_what_is_awaited() -> None:
    """Tell a person at a terminal what standard input is read for."""
    if sys.stdin.isatty():
        say("reading documents from standard input, one JSON object a line; Ctrl-D ends them (or: … < documents.jsonl)")


def wants_json(asked: bool | None) -> bool:
    """Return whether to print JSON: as the options say, else unless standard output is a terminal."""
    return not sys.stdout.isatty() if asked is None else asked
