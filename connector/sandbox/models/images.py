"""Images: created, edited and varied; inline, at a URL of the sandbox, or in a stream."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.model import JSON, is_list, items
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Event, Request
from connector.sandbox.models.media.pictures import draw_picture, parse_size
from connector.sandbox.models.script_handlers import with_scripted_body
from connector.sandbox.models.tokens import count_tokens

__all__ = ["HANDLERS"]

SHOWN_SIZES = ("1024x1024", "1024x1536", "1536x1024")
SHOWN_QUALITIES = ("low", "medium", "high")
SHOWN_FORMATS = ("png", "webp", "jpeg")
"""The values that an answer can show; others are left out of it."""
INPUT_IMAGE_TOKENS = 194
OUTPUT_TOKENS = {"low": 272, "medium": 1056, "high": 4160}
DALL_E = "dall-e"


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """The options of a request for images, with their defaults."""

    text: str
    model: str
    number: int
    size: str
    form: str
    quality: str
    background: str
    sources: int

    @property
    def is_dall_e(self) -> bool:
        """Whether the model is of the older kind, which answers in another form."""
        return self.model.startswith(DALL_E)

    def picture(self, turn: int) -> bytes:
        """Return one of the pictures; each has a colour of its own."""
        return draw_picture(f"{self.text}#{turn}", *parse_size(self.size), self.form)

    @property
    def usage(self) -> dict[str, JSON]:
        """The usage of all pictures."""
        text, images = count_tokens(self.text), self.sources * INPUT_IMAGE_TOKENS
        made = OUTPUT_TOKENS[self.quality] * self.number
        details = {"text_tokens": text, "image_tokens": images}
        spent: dict[str, JSON] = {"input_tokens": text + images, "input_tokens_details": details}
        return {**spent, "output_tokens": made, "total_tokens": text + images + made}


def create_image(request: Request, backend: Backend) -> Answer:
    """Return images of a prompt."""
    return _build_answer(request, backend, _read_options(request.payload, "dall-e-2"), "image_generation")


def edit_image(request: Request, backend: Backend) -> Answer:
    """Return images made from others."""
    return _build_answer(request, backend, _read_options(request.payload, "gpt-image-1.5"), "image_edit")


def vary_image(request: Request, backend: Backend) -> Answer:
    """Return variations of an image."""
    return _build_answer(request, backend, _read_options(request.payload, "dall-e-2"), "image_variation")


def _read_options(payload: Mapping[str, JSON], model: str) -> ImageOptions:
    width, height = parse_size(payload.get("size"))
    sources: JSON = payload.get("images") or payload.get("image") or ()
    quality = payload.get("quality")
    return ImageOptions(
        text=str(payload.get("prompt") or "a variation"),
        model=str(payload.get("model") or model),
        number=payload.get("n") or 1,
        size=f"{width}x{height}",
        form=str(payload.get("output_format") or "png"),
        quality=quality if quality in SHOWN_QUALITIES else "medium",
        background="transparent" if payload.get("background") == "transparent" else "opaque",
        sources=len(items(sources)) if is_list(sources) or not sources else 1,
    )


def _build_answer(request: Request, backend: Backend, options: ImageOptions, event: str) -> Answer:
    if request.payload.get("stream") and not options.is_dall_e:
        partial = request.payload.get("partial_images") or 0
        return Answer(body={"usage": options.usage}, events=_stream_events(options, partial, event, int(backend.now())))
    by_address = options.is_dall_e and request.payload.get("response_format") != "b64_json"
    pictures = [options.picture(turn) for turn in range(options.number)]
    data = [_as_url(one, options, request, backend) if by_address else _as_base64(one) for one in pictures]
    if options.model == "dall-e-3":
        data = [{**one, "revised_prompt": options.text} for one in data]
    made: dict[str, JSON] = {"created": int(backend.now()), "data": data}
    return Answer(
        body=made if options.is_dall_e else {**made, **_describe_options(options), "usage": _detailed_usage(options)}
    )


def _as_base64(data: bytes) -> dict[str, JSON]:
    return {"b64_json": base64.b64encode(data).decode()}


def _as_url(data: bytes, options: ImageOptions, request: Request, backend: Backend) -> dict[str, JSON]:
    name = f"{backend.new_id('img-')}.{options.form}"
    backend.save_content(name, data)
    return {"url": f"http://{request.headers.get('host', 'localhost')}/sandbox/files/{name}"}


def _describe_options(options: ImageOptions) -> dict[str, JSON]:
    about: dict[str, JSON] = {"background": options.background, "quality": options.quality}
    about |= {"size": options.size} if options.size in SHOWN_SIZES else {}
    return about | ({"output_format": options.form} if options.form in SHOWN_FORMATS else {})


def _detailed_usage(options: ImageOptions) -> dict[str, JSON]:
    usage = options.usage
    return {**usage, "output_tokens_details": {"image_tokens": usage["output_tokens"], "text_tokens": 0}}


def _stream_events(options: ImageOptions, partial: int, event: str, now: int) -> Iterator[Event]:
    """Yield the partial pictures that were asked for, and the finished one."""
    default: dict[str, JSON] = {"size": "auto", "output_format": "png"}
    frame: dict[str, JSON] = {"created_at": now, **default, **_describe_options(options)}
    for turn in range(partial):
        unfinished = {"type": f"{event}.partial_image", **_as_base64(options.picture(turn + 1)), **frame}
        yield Event({**unfinished, "partial_image_index": turn}, f"{event}.partial_image")
    finished = {"type": f"{event}.completed", **_as_base64(options.picture(0)), **frame, "usage": options.usage}
    yield Event(finished, f"{event}.completed")


HANDLERS: Mapping[str, Handler] = {
    "POST /images/generations": with_scripted_body(create_image),
    "POST /images/edits": with_scripted_body(edit_image),
    "POST /images/variations": with_scripted_body(vary_image),
}
