"""One prepared call of a client: its request as often as it is tried, and how its answer is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import httpx

from connector.http.attempt import AttemptResult
from connector.http.parameters import Common
from connector.http.response import ACCEPTED_ENCODINGS, decode_body, iter_body, read_body, save_body, unpack_embeddings
from connector.http.sse import collect_data
from connector.http.transports.base import Progress
from connector.model import JSON, Effect, State
from connector.request.wire import Body, BytesBody, Wire
from connector.version import version

__all__ = ["Call", "FloatsWire", "HeaderBuilder", "decode_headers"]

BYTES_PER_TOKEN = 4
ACCEPT = {"json": "application/json", "events": "text/event-stream"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatsWire(Wire):
    """A wire on which we ask for base64 embeddings ourselves, so that the caller gets floats back."""

    @classmethod
    def of(cls, wire: Wire) -> FloatsWire:
        values: dict[str, Any] = {field.name: getattr(wire, field.name) for field in fields(Wire)}
        values["origins"] = {**wire.origins, "payload.encoding_format": "client parameter embeddings"}
        return cls(**values)


@dataclass(slots=True, kw_only=True)
class Call:
    """A wire with its address, headers and limits."""

    wire: Wire
    url: httpx.URL
    headers: list[tuple[bytes, bytes]]
    timeouts: Mapping[str, float]
    total: float
    retries: int
    kind: str
    most: int
    to: Path | None = None
    on_unknown: Literal["hold", "retry"] | None = None
    progress: Progress = field(default_factory=Progress)

    def request(self) -> httpx.Request:
        """A fresh request; its body starts from the beginning."""
        stream, framing = _body(self.wire)
        return httpx.Request(
            self.wire.method,
            self.url,
            headers=[*self.headers, *framing],
            stream=stream,
            extensions={"timeout": self.timeouts, "progress": self.fresh_progress()},
        )

    def fresh_progress(self) -> Progress:
        """What the next attempt tells how far it got."""
        self.progress = Progress()
        return self.progress

    async def take(self, response: httpx.Response, headers: Mapping[str, str]) -> JSON:
        """Reads the answer of a success as the kind that is due."""
        chunks = iter_body(response, headers)
        content_type = headers.get("content-type", "")
        if self.to is not None:
            size = await save_body(chunks, self.to, self.most)
            return {"file": str(self.to), "bytes": size, "content_type": content_type or None}
        if "event-stream" in content_type and self.kind in ("events", "json"):
            return await collect_data(chunks, self.wire.operation, self.most)
        data = await read_body(chunks, self.most)
        kind = "empty" if response.status_code == 204 else self.kind
        body = decode_body(kind, data, content_type, strict=self._strict(data), text_too=self._text_too)
        return unpack_embeddings(body) if isinstance(self.wire, FloatsWire) else body

    def late(self) -> AttemptResult:
        """What an attempt came to that used up the time."""
        if self.progress.handed_over is False:
            return AttemptResult(State.NOT_SENT, reason=f"no connection within {self.total:g} seconds")
        return AttemptResult(State.UNKNOWN, reason=f"no complete answer within {self.total:g} seconds")

    @property
    def created(self) -> bool:
        """Whether an entity in the answer was made by this call."""
        return self.wire.method == "POST" and self.wire.effect not in (Effect.NONE, Effect.IDEMPOTENT)

    @property
    def tokens(self) -> int:
        """A rough count of what the request gives the model to read."""
        length = self.wire.body.length if self.wire.body is not None else 0
        return (length or 0) // BYTES_PER_TOKEN

    def _strict(self, data: bytes) -> bool:
        """Whether an answer that is not JSON is somebody else's: only where the catalogue says that JSON is due."""
        return self.wire.operation is not None and (bool(data) or self.wire.method != "DELETE")

    @property
    def _text_too(self) -> bool:
        return self.wire.operation is not None and "text" in self.wire.operation.answer


class _Stream(httpx.AsyncByteStream):
    """A body that is read while it is sent."""

    def __init__(self, body: Body) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.chunks()


NOTHING = httpx.ByteStream(b"")


def _body(wire: Wire) -> tuple[httpx.AsyncByteStream, list[tuple[bytes, bytes]]]:
    """The body as httpx takes it, and the headers that frame it."""
    body = wire.body
    if body is None:
        return NOTHING, [(b"content-length", b"0")] if wire.method in ("POST", "PUT", "PATCH") else []
    stream = httpx.ByteStream(body.data) if isinstance(body, BytesBody) else _Stream(body)
    if body.length is None:
        return stream, [(b"transfer-encoding", b"chunked")]
    return stream, [(b"content-length", b"%d" % body.length)]


class HeaderBuilder:
    """Puts a client's headers together; of two with one name the more particular one goes out."""

    def __init__(self, parameters: Common) -> None:
        self._parameters = parameters

    @cached_property
    def _common(self) -> dict[bytes, bytes]:
        own = {"accept-encoding": ACCEPTED_ENCODINGS, "user-agent": f"openai-connector/{version()}"}
        given = {name: value.get_secret_value() for name, value in self._parameters.headers.items()}
        return _encoded(own) | _encoded(given)

    def of(self, wire: Wire, kind: str, url: httpx.URL, credentials: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        """The headers of one call, without those that frame its body."""
        accept = ACCEPT.get(kind, "*/*").encode()
        return list(
            (
                {b"host": url.netloc, b"accept": accept} | self._common | _encoded(credentials) | _encoded(wire.headers)
            ).items()
        )

    def over(self, credentials: Mapping[str, str]) -> dict[str, str]:
        """The headers that take the place of a caller's own, by lower-case name; answers come unpacked."""
        return {**self._given, **{name.lower(): value for name, value in credentials.items()}}

    @cached_property
    def _given(self) -> dict[str, str]:
        given = {name.lower(): value.get_secret_value() for name, value in self._parameters.headers.items()}
        return {"accept-encoding": "identity", **given}


def decode_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers for reading; not yet redacted."""
    return {name.decode(): value.decode() for name, value in headers}


def _encoded(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    return {name.lower().encode("ascii"): value.encode() for name, value in headers.items()}
