"""Images: made, edited and varied; in the answer itself, at an address of the sandbox, or in a stream."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.model import JSON, is_list
from connector.sandbox.answers.pictures import picture
from connector.sandbox.answers.scripted import silent
from connector.sandbox.answers.sizes import sides_of
from connector.sandbox.answers.tokens import count
from connector.sandbox.call import Answer, Call, Event, Handler, World
from connector.shapes import items

__all__ = ["HANDLERS"]

SHOWN_SIZES = ("1024x1024", "1024x1536", "1536x1024")
SHOWN_QUALITIES = ("low", "medium", "high")
SHOWN_FORMATS = ("png", "webp", "jpeg")
"""The only values that the API's answer has for these; others are left out of it."""
INPUT_IMAGE_TOKENS = 194
TOKENS = {"low": 272, "medium": 1056, "high": 4160}
DALL_E = "dall-e"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, with what stands where nothing is said."""

    said: str
    model: str
    number: int
    size: str
    form: str
    quality: str
    background: str
    sources: int

    @property
    def is_dall_e(self) -> bool:
        """Whether a model of the older kind is asked, which answers in another way."""
        return self.model.startswith(DALL_E)

    def picture(self, turn: int) -> bytes:
        """One of the pictures; each has a colour of its own."""
        return picture(f"{self.said}#{turn}", *sides_of(self.size), self.form)

    @property
    def usage(self) -> dict[str, JSON]:
        """What the pictures are taken for."""
        text, images = count(self.said), self.sources * INPUT_IMAGE_TOKENS
        made = TOKENS[self.quality] * self.number
        details = {"text_tokens": text, "image_tokens": images}
        spent: dict[str, JSON] = {"input_tokens": text + images, "input_tokens_details": details}
        return {**spent, "output_tokens": made, "total_tokens": text + images + made}


def generate(call: Call, world: World) -> Answer:
    """Images of a prompt."""
    return _answer(call, world, _wanted(call.payload, "dall-e-2"), "image_generation")


def edit(call: Call, world: World) -> Answer:
    """Images made of others."""
    return _answer(call, world, _wanted(call.payload, "gpt-image-1.5"), "image_edit")


def vary(call: Call, world: World) -> Answer:
    """Images like another one."""
    return _answer(call, world, _wanted(call.payload, "dall-e-2"), "image_variation")


def _wanted(payload: Mapping[str, JSON], model: str) -> Wanted:
    width, height = sides_of(payload.get("size"))
    sources: JSON = payload.get("images") or payload.get("image") or ()
    quality = payload.get("quality")
    return Wanted(
        said=str(payload.get("prompt") or "a variation"),
        model=str(payload.get("model") or model),
        number=payload.get("n") or 1,
        size=f"{width}x{height}",
        form=str(payload.get("output_format") or "png"),
        quality=quality if quality in SHOWN_QUALITIES else "medium",
        background="transparent" if payload.get("background") == "transparent" else "opaque",
        sources=len(items(sources)) if is_list(sources) or not sources else 1,
    )


def _answer(call: Call, world: World, wanted: Wanted, event: str) -> Answer:
    if call.payload.get("stream") and not wanted.is_dall_e:
        partial = call.payload.get("partial_images") or 0
        return Answer(body={"usage": wanted.usage}, events=_events(wanted, partial, event, int(world.now())))
    by_address = wanted.is_dall_e and call.payload.get("response_format") != "b64_json"
    pictures = [wanted.picture(turn) for turn in range(wanted.number)]
    data = [_by_address(one, wanted, call, world) if by_address else _inline(one) for one in pictures]
    if wanted.model == "dall-e-3":
        data = [{**one, "revised_prompt": wanted.said} for one in data]
    made: dict[str, JSON] = {"created": int(world.now()), "data": data}
    return Answer(body=made if wanted.is_dall_e else {**made, **_about(wanted), "usage": _detailed(wanted)})


def _inline(data: bytes) -> dict[str, JSON]:
    return {"b64_json": base64.b64encode(data).decode()}


def _by_address(data: bytes, wanted: Wanted, call: Call, world: World) -> dict[str, JSON]:
    name = f"{world.new_id('img-')}.{wanted.form}"
    world.keep_content(name, data)
    return {"url": f"http://{call.headers.get('host', 'localhost')}/sandbox/files/{name}"}


def _about(wanted: Wanted) -> dict[str, JSON]:
    about: dict[str, JSON] = {"background": wanted.background, "quality": wanted.quality}
    about |= {"size": wanted.size} if wanted.size in SHOWN_SIZES else {}
    return about | ({"output_format": wanted.form} if wanted.form in SHOWN_FORMATS else {})


def _detailed(wanted: Wanted) -> dict[str, JSON]:
    usage = wanted.usage
    return {**usage, "output_tokens_details": {"image_tokens": usage["output_tokens"], "text_tokens": 0}}


def _events(wanted: Wanted, partial: int, event: str, now: int) -> Iterator[Event]:
    """The unfinished pictures that were asked for, and the finished one."""
    usual: dict[str, JSON] = {"size": "auto", "output_format": "png"}
    frame: dict[str, JSON] = {"created_at": now, **usual, **_about(wanted)}
    for turn in range(partial):
        unfinished = {"type": f"{event}.partial_image", **_inline(wanted.picture(turn + 1)), **frame}
        yield Event({**unfinished, "partial_image_index": turn}, f"{event}.partial_image")
    finished = {"type": f"{event}.completed", **_inline(wanted.picture(0)), **frame, "usage": wanted.usage}
    yield Event(finished, f"{event}.completed")


HANDLERS: Mapping[str, Handler] = {
    "POST /images/generations": silent(generate),
    "POST /images/edits": silent(edit),
    "POST /images/variations": silent(vary),
}
