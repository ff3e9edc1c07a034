"""`--to cat.png`: the images of a JSON answer, written as the files that they are."""

from __future__ import annotations

import asyncio
import base64
import binascii
import copy
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

from connector.cli.output import say
from connector.model import JSON, Outcome, is_document, is_list

__all__ = ["is_image", "write_images"]

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp"))
MOST = 256 * 1024**2


def is_image(file: Path | None) -> bool:
    """Whether a file's name says that it is an image."""
    return file is not None and file.suffix.lower() in SUFFIXES


async def write_images(outcome: Outcome, file: Path) -> tuple[Outcome, bool]:
    """The outcome with its images written beside each other, `cat-1.png` and so on; whether there were any."""
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
    """Where an answer holds images: of the images API, and of the tool that makes them in a response."""
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

    return await save_body(chunks(), file, MOST)
