"""How one prepared call is shown: explained, sent, or streamed."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector.cli.exit_codes import ExitCode, of_outcome
from connector.cli.images import is_image, write_images
from connector.cli.output import Picker, print_command, print_document, print_line, say, shown
from connector.errors import ConfigurationError
from connector.model import Effect

if TYPE_CHECKING:
    from connector.http import Client
    from connector.model import Outcome
    from connector.request import Explanation, Wire

__all__ = ["print_events", "print_explanation", "print_outcome", "print_warnings", "told_when_interrupted"]


def print_warnings(of: Wire | Explanation) -> None:
    for warning in of.warnings:
        say(f"warning: {warning}")


def print_explanation(client: Client, wire: Wire, notation: str, pick: Picker) -> ExitCode:
    """The exact request, redacted; nothing is sent."""
    explanation = client.explain(wire)
    print_warnings(explanation)
    if notation == "curl":
        print_command(explanation.as_curl())
    elif notation == "json":
        print_document(pick(explanation.as_document()))
    else:
        raise ConfigurationError(f"--as {notation!r}: json or curl")
    return pick.ended(ExitCode.DONE)


NOT_FOUND = 404
VERSIONED = ("openai", "openai-compatible")
"""Prototypes whose hosts have the API below /v1."""


@contextmanager
def told_when_interrupted(effect: Effect, what: str) -> Generator[None]:
    """Says what an interrupt leaves open: that a call which was under way may have been paid for."""
    try:
        yield
    except asyncio.CancelledError:
        if effect is not Effect.NONE:
            say(
                f"interrupted: {what} was under way: it may have taken effect and may be paid for; look before a repeat"
            )
        raise


def _named(wire: Wire) -> str:
    return wire.operation.name if wire.operation else f"{wire.method} {wire.path}"


def ask_about_address(client: Client, outcome: Outcome) -> None:
    """Asks whether an address without a path is the API's: most hosts have it below /v1."""
    place = urlsplit(client.base_uri)
    if outcome.status == NOT_FOUND and client.prototype.name in VERSIONED and place.path in ("", "/"):
        say(f"is {place.scheme}://{place.netloc} the whole address? most hosts have the API below {place.netloc}/v1")


async def print_outcome(client: Client, wire: Wire, timeout: float | None, to: Path | None, pick: Picker) -> ExitCode:  # noqa: ASYNC109  the client keeps time
    """The call's envelope, and in words what went wrong."""
    images = to if is_image(to) and wire.answer == "json" else None
    if images is not None and not images.parent.is_dir():
        raise ConfigurationError(f"--to: there is no folder {str(images.parent)!r} to write the image to")
    with told_when_interrupted(wire.effect, _named(wire)):
        outcome = await client.send(wire, timeout=timeout, to=None if images else to)
    there = True
    if images is not None:
        outcome, there = await write_images(outcome, images)
    print_document(pick(shown(outcome)))
    if not outcome.ok:
        say(outcome.sentence())
        ask_about_address(client, outcome)
    code = of_outcome(outcome)
    return pick.ended(code if there else ExitCode.NOTHING)


async def print_events(client: Client, wire: Wire, timeout: float | None, pick: Picker) -> ExitCode:  # noqa: ASYNC109  the client keeps time
    """Each event on a line as it comes."""
    with told_when_interrupted(wire.effect, _named(wire)):
        async for event in client.stream(wire, timeout=timeout):
            print_line(pick(event))
    return pick.ended(ExitCode.DONE)
