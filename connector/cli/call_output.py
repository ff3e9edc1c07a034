"""The output of one call: its explanation, its outcome, its events, or the images that it made."""

from __future__ import annotations

import asyncio
import base64
import binascii
import copy
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector.cli.exit_codes import ExitCode, of_outcome
from connector.cli.output import Picker, print_command, print_document, print_line, say, shown
from connector.errors import ConfigurationError
from connector.model import JSON, Effect, Outcome, is_document, is_list

if TYPE_CHECKING:
    from connector.http import Client
    from connector.request import Explanation, Wire

__all__ = [
    "is_image",
    "print_events",
    "print_explanation",
    "print_outcome",
    "print_warnings",
    "warn_when_interrupted",
    "write_images",
]


def print_warnings(of: Wire | Explanation) -> None:
    for warning in of.warnings:
        say(f"warning: {warning}")


def print_explanation(client: Client, wire: Wire, notation: str, pick: Picker) -> ExitCode:
    """Print the exact request, with secrets masked; send nothing."""
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
def warn_when_interrupted(effect: Effect, what: str) -> Generator[None]:
    """Warn, when interrupted, that the call in progress may have been paid for."""
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


def hint_at_address(client: Client, outcome: Outcome) -> None:
    """Ask whether an address without a path is complete: most hosts have the API below /v1."""
    place = urlsplit(client.base_uri)
    if outcome.status == NOT_FOUND and client.prototype.name in VERSIONED and place.path in ("", "/"):
        say(f"is {place.scheme}://{place.netloc} the whole address? most hosts have the API below {place.netloc}/v1")


async def print_outcome(client: Client, wire: Wire, timeout: float | None, to: Path | None, pick: Picker) -> ExitCode:  # noqa: ASYNC109  the client keeps time
    """Send a call; print its outcome, and in words what went wrong."""
    images = to if is_image(to) and wire.answer == "json" else None
    if images is not None and not images.parent.is_dir():
        raise ConfigurationError(f"--to: there is no folder {str(images.parent)!r} to write the image to")
    with warn_when_interrupted(wire.effect, _named(wire)):
        outcome = await client.send(wire, timeout=timeout, to=None if images else to)
    there = True
    if images is not None:
        outcome, there = await write_images(outcome, images)
    print_document(pick(shown(outcome)))
    if not outcome.ok:
        say(outcome.sentence())
        hint_at_address(client, outcome)
    code = of_outcome(outcome)
    return pick.ended(code if there else ExitCode.NOTHING)


async def print_events(client: Client, wire: Wire, timeout: float | None, pick: Picker) -> ExitCode:  # noqa: ASYNC109  the client keeps time
    """Send a call; print each event on a line as it arrives."""
    with warn_when_interrupted(wire.effect, _named(wire)):
        async for event in client.stream(wire, timeout=timeout):
            print_line(pick(event))
    return pick.ended(ExitCode.DONE)


SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp"))
MOST_BYTES = 256 * 1024**2


def is_image(file: Path | None) -> bool:
    """Return whether a file's name is that of an image."""
    return file is not None and file.suffix.lower() in SUFFIXES


async def write_images(outcome: Outcome, file: Path) -> tuple[Outcome, bool]:
    """Write the images of an outcome, `cat-1.png` and so on; return the outcome, and whether there were any."""
    body = copy.deepcopy(outcome.body)
    if not outcome.ok:
        return outcome, True
    places = list(_images(body))
    for number, (holder, key) in enumerate(places, start=1):
        one = file if len(places) == 1 else file.with_name(f"{file.stem}-{number}{file.suffix}")
        try:
            size = await _save(base64.b64decode(holder[key], validate=True), one)
        except (binascii.Error, ValueError, OSError) as error:  # what was paid for is printed all the same
            say(f"{one} was not written: {getattr(error, 'strerror', None) or 'the image is not base64'}")
            return outcome, False
        holder[key] = {"file": str(one), "bytes": size}
        say(f"wrote {one}, {size:,} bytes")
    if not places:
        _say_why(body, file)
    return replace(outcome, body=body), bool(places)


def _images(body: JSON) -> Iterator[tuple[dict[str, JSON], str]]:
    """Yield the members of an answer that hold images: of the images API, and of the image tool of responses."""
    if not is_document(body):
        return
    for section, key in (("data", "b64_json"), ("output", "result")):
        items = body.get(section)
        for item in items if is_list(items) else ():
            made = section == "data" or (is_document(item) and item.get("type") == "image_generation_call")
            if made and is_document(item) and isinstance(item.get(key), str):
                yield item, key


def _say_why(body: JSON, file: Path) -> None:
    data = body.get("data") if is_document(body) else None
    urls = [item["url"] for item in data if is_document(item) and "url" in item] if is_list(data) else []
    if urls:
        say(f"{file} was not written: the answer holds addresses in place of images; fetch them soon, they expire,")
        say("or ask for the images themselves with --set payload.response_format=b64_json")
    else:
        say(f"{file} was not written: there is no image in the answer; --to FILE.json writes the answer itself")


async def _save(content: bytes, file: Path) -> int:
    from connector.http.response import save_body

    async def chunks() -> AsyncIterator[bytes]:
        await asyncio.sleep(0)
        yield content

    return await save_body(chunks(), file, MOST_BYTES)
