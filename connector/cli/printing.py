"""How one prepared call is shown: explained, sent, or streamed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from connector.cli.exit_codes import ExitCode, of_outcome
from connector.cli.output import print_document, print_line, say, shown
from connector.errors import ConfigurationError
from connector.model import JSON

if TYPE_CHECKING:
    from connector.http import Client
    from connector.request import Explanation, Wire

__all__ = ["Pick", "print_events", "print_explanation", "print_outcome", "print_warnings"]

Pick = Callable[[JSON], JSON]


def print_warnings(of: Wire | Explanation) -> None:
    for warning in of.warnings:
        say(f"warning: {warning}")


def print_explanation(client: Client, wire: Wire, notation: str, pick: Pick) -> ExitCode:
    """The exact request, redacted; nothing is sent."""
    explanation = client.explain(wire)
    print_warnings(explanation)
    if notation == "curl":
        print(explanation.as_curl())  # noqa: T201  a command line to paste
    elif notation == "json":
        print_document(pick(explanation.as_document()))
    else:
        raise ConfigurationError(f"--as {notation!r}: json or curl")
    return ExitCode.DONE


async def print_outcome(client: Client, wire: Wire, timeout: float | None, to: Path | None, pick: Pick) -> ExitCode:  # noqa: ASYNC109  the client keeps time
    """The call's envelope, and in words what went wrong."""
    outcome = await client.send(wire, timeout=timeout, to=to)
    print_document(pick(shown(outcome)))
    if not outcome.ok:
        say(outcome.sentence())
    return of_outcome(outcome)


async def print_events(client: Client, wire: Wire, timeout: float | None, pick: Pick) -> ExitCode:  # noqa: ASYNC109  the client keeps time
    """Each event on a line as it comes."""
    async for event in client.stream(wire, timeout=timeout):
        print_line(pick(event))
    return ExitCode.DONE
