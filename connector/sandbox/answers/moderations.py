"""Moderations: one result per text; texts and images of one message are judged together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.model import JSON, is_document
from connector.sandbox.answers.moderating import verdict
from connector.sandbox.answers.scripted import silent
from connector.sandbox.call import Answer, Call, Handler, World

__all__ = ["HANDLERS"]

MODEL = "omni-moderation-latest"


def create(call: Call, world: World) -> Answer:
    """The verdicts on an input."""
    results = list(_results(call.payload["input"]))
    return Answer(
        body={"id": world.new_id("modr-"), "model": call.payload.get("model") or MODEL, "results": results},
    )


def _results(given: JSON) -> Iterator[dict[str, JSON]]:
    if isinstance(given, str):
        yield verdict(given)
    elif given and all(is_document(part) for part in given):
        texts = [str(part["text"]) for part in given if part.get("type") == "text"]
        yield verdict("\n".join(texts), [_address(part) for part in given if part.get("type") == "image_url"])
    else:
        for text in given:
            yield verdict(str(text))


def _address(part: Mapping[str, JSON]) -> str:
    return str(part["image_url"]["url"])


HANDLERS: Mapping[str, Handler] = {"POST /moderations": silent(create)}
