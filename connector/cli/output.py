"""Results go to standard output: JSON for programs, something to read for people; all else goes to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from connector.documents import dump
from connector.errors import ConfigurationError
from connector.model import JSON, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress

__all__ = ["picker", "print_document", "print_line", "print_table", "progress", "say", "shown", "wants_json"]


def say(text: str) -> None:
    """A sentence for the person at the terminal."""
    sys.stderr.write(f"{text}\n")


def print_line(value: JSON) -> None:
    """One JSON value on one line, at once."""
    sys.stdout.buffer.write(dump(value) + b"\n")
    sys.stdout.buffer.flush()


def print_document(value: JSON) -> None:
    """One JSON value: text as it is, the rest indented on a terminal and compact elsewhere."""
    if isinstance(value, str) and sys.stdout.isatty():
        sys.stdout.write(f"{value}\n")
    elif sys.stdout.isatty():
        import json

        sys.stdout.write(f"{json.dumps(value, indent=2, ensure_ascii=False)}\n")
    else:
        print_line(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows for a person, cut to the terminal's width."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def picker(expression: str | None) -> Callable[[JSON], JSON]:
    """What `--select` does to a value."""
    if expression is None:
        return lambda value: value
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        compiled = jmespath.compile(expression)
    except JMESPathError as error:
        raise ConfigurationError(f"--select {expression!r}: {str(error).splitlines()[0]}") from None

    def pick(value: JSON) -> JSON:
        try:
            return compiled.search(value)
        except JMESPathError as error:
            raise ConfigurationError(f"--select {expression!r}: {str(error).splitlines()[0]}") from None

    return pick


def shown(outcome: Outcome) -> dict[str, JSON]:
    """An outcome as JSON; bytes become the notation that a request takes them in."""
    document = outcome.as_document()
    if isinstance(outcome.body, bytes):
        import base64

        content = base64.b64encode(outcome.body).decode("ascii")
        document["body"] = {"$content": content, "content_type": outcome.headers.get("content-type", "")}
    return document


def progress() -> Progress:
    """A progress bar on standard error, silent when that is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    return Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)


def wants_json(asked: bool | None) -> bool:
    """Whether a result is for a program: as it was asked for, else whether standard output is no terminal."""
    return not sys.stdout.isatty() if asked is None else asked
