"""One call of a client: a prepared request with its address, headers and limits, and how its answer is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import httpx

from connector.errors import ConfigurationError
from connector.http.attempt_result import AttemptResult
from connector.http.parameters import Common
from connector.http.prototypes import Endpoint, FixedEndpoint
from connector.http.raw_response import Header, RawResponse
from connector.http.response import (
    ACCEPTED_ENCODINGS,
    check_size,
    decode_body,
    iter_body,
    iter_once,
    read_body,
    save_body,
    unpack_embeddings,
)
from connector.http.sse import collect_data
from connector.http.transports.base import Progress
from connector.model import JSON, Effect, JSONInput, State
from connector.request.wire import Wire
from connector.version import version

__all__ = ["Call", "CallFactory", "FloatsWire"]

BYTES_PER_TOKEN = 4
ACCEPT = {"json": "application/json", "events": "text/event-stream"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatsWire(Wire):
    """A wire on which the client itself asks for base64 embeddings, so that the caller gets floats back."""

    @classmethod
    def of(cls, wire: Wire) -> FloatsWire:
        values: dict[str, Any] = {field.name: getattr(wire, field.name) for field in fields(Wire)}
        values["origins"] = {**wire.origins, "payload.encoding_format": "client parameter embeddings"}
        return cls(**values)


@dataclass(slots=True, kw_only=True)
class Call:
    """A wire with its address, headers and limits.

    Attributes:
        address: the same as text; that of a forwarded request is as it came.
        total: seconds for all attempts together.
        retries: attempts after the first.
        answer: the kind of answer that is due.
        max_bytes: the largest answer that is read.
        file: where the answer's body is written to.
        on_unknown: whether a costly call without a known end is sent again; None leaves it to the client.
    """

    wire: Wire
    url: httpx.URL
    address: str
    headers: list[Header]
    timeouts: Mapping[str, float]
    total: float
    retries: int
    answer: str
    max_bytes: int
    file: Path | None = None
    on_unknown: Literal["hold", "retry"] | None = None
    progress: Progress = field(default_factory=Progress)

    def start_progress(self) -> Progress:
        """Return what the next attempt notes how far it got in."""
        self.progress = Progress()
        return self.progress

    async def read_response(self, response: RawResponse, headers: Mapping[str, str]) -> JSON:
        """Read the body of a success as the kind of answer that is due."""
        content_type = headers.get("content-type", "")
        whole = None if "content-encoding" in headers else response.take_whole()
        chunks = iter_body(response.stream, headers) if whole is None else iter_once(whole)
        if self.file is not None:
            size = await save_body(chunks, self.file, self.max_bytes)
            return {"file": str(self.file), "bytes": size, "content_type": content_type or None}
        if "event-stream" in content_type and self.answer in ("events", "json"):
            return await collect_data(chunks, self.wire.operation, self.max_bytes)
        data = await read_body(chunks, self.max_bytes) if whole is None else check_size(whole, self.max_bytes)
        kind = "empty" if response.status == 204 else self.answer
        body = decode_body(kind, data, content_type, strict=self._is_strict(data), text_too=self._takes_text)
        return unpack_embeddings(body) if isinstance(self.wire, FloatsWire) else body

    def time_out(self) -> AttemptResult:
        """Return the result of an attempt that used up the time."""
        if self.progress.handed_over is False:
            return AttemptResult(State.NOT_SENT, reason=f"no connection within {self.total:g} seconds")
        return AttemptResult(State.UNKNOWN, reason=f"no complete answer within {self.total:g} seconds")

    @property
    def creates_entity(self) -> bool:
        """Whether an entity in the answer was made by this call."""
        return self.wire.method == "POST" and self.wire.effect not in (Effect.NONE, Effect.IDEMPOTENT)

    @property
    def estimated_tokens(self) -> int:
        """A rough count of the tokens that the model reads."""
        length = self.wire.body.length if self.wire.body is not None else 0
        return (length or 0) // BYTES_PER_TOKEN

    def _is_strict(self, data: bytes) -> bool:
        """Return whether only JSON will do, since the catalogue says that JSON is due."""
        return self.wire.operation is not None and (bool(data) or self.wire.method != "DELETE")

    @property
    def _takes_text(self) -> bool:
        return self.wire.operation is not None and "text" in self.wire.operation.answer


class CallFactory:
    """Makes the calls of one client, with its address, headers, credentials and limits.

    Args:
        parameters: the client's.
        endpoint: where its calls go, and the credentials they carry.
    """

    def __init__(self, parameters: Common, endpoint: Endpoint) -> None:
        self._parameters = parameters
        self._endpoint = endpoint
        self._fixed = endpoint if isinstance(endpoint, FixedEndpoint) else None
        self.base_uri = endpoint.base_uri
        self._parse_url = lru_cache(maxsize=512)(_parse_url)
        timeouts = parameters.timeouts
        self._timeouts = {
            "connect": timeouts.connect, "read": timeouts.read, "write": timeouts.read, "pool": timeouts.connect,
        }  # fmt: skip

    @property
    def is_fixed(self) -> bool:
        """Whether address and credentials of a call do not depend on what is in its body."""
        return getattr(self._endpoint, "is_fixed", False)

    def find_address(self, wire: Wire) -> str:
        """Return the whole address of a wire."""
        return f"{self.base_uri}{wire.target if wire.query else wire.path}"

    def parse_address(self, wire: Wire) -> httpx.URL:
        """Return the whole address of a wire as httpx takes it."""
        return self._parse_url(self.find_address(wire))[0]

    def place(self, wire: Wire, payload: JSONInput) -> Wire:
        """Return the wire as the API wants its path and query."""
        return wire if self._fixed is not None else self._endpoint.place(wire, payload)

    def find_credentials(self, wire: Wire) -> Mapping[str, str]:
        """Return the headers that authorise a call; ConfigurationError names the variable to set for a missing key."""
        return self._fixed.headers if self._fixed is not None else self._endpoint.credentials(wire)

    def build(
        self,
        wire: Wire,
        *,
        total: float | None = None,
        retries: int | None = None,
        answer: str | None = None,
        file: Path | None = None,
        on_unknown: Literal["hold", "retry"] | None = None,
    ) -> Call:
        """Return the call of a wire; what is not given is as the client's parameters say."""
        parameters = self._parameters
        if file is not None and not file.parent.is_dir():
            raise ConfigurationError(f"to: there is no folder {str(file.parent)!r} to write the answer to")
        kind = answer or wire.answer
        url, address = self._parse_url(self.find_address(wire))
        return Call(
            wire=wire,
            url=url,
            address=address,
            headers=self.build_headers(wire, kind, url, self.find_credentials(wire)),
            timeouts=self._timeouts,
            total=parameters.timeouts.total if total is None else total,
            retries=parameters.retry.max_retries if retries is None else retries,
            answer=kind,
            max_bytes=parameters.max_answer_bytes if file is None else parameters.max_file_bytes,
            file=file,
            on_unknown=on_unknown,
        )

    def build_forward(self, wire: Wire, address: str) -> Call:
        """Return the call of another program's request; its headers are added when it is sent."""
        return Call(
            wire=wire,
            url=self._parse_url(address)[0],
            address=address,
            headers=[],
            timeouts=self._timeouts,
            total=self._parameters.timeouts.total,
            retries=self._parameters.retry.max_retries,
            answer="json",
            max_bytes=self._parameters.max_file_bytes,
        )

    def build_headers(self, wire: Wire, answer: str, url: httpx.URL, credentials: Mapping[str, str]) -> list[Header]:
        """Return all headers but those that frame the body; of two with one name the more particular one goes out."""
        accept = ACCEPT.get(answer, "*/*")
        own = {"host": url.netloc.decode(), "accept": accept}
        return list((own | self._common_headers | _lower(credentials) | _lower(wire.headers)).items())

    def override_headers(self, wire: Wire) -> dict[str, str]:
        """Return the headers that take the place of a forwarded request's, by lower-case name."""
        credentials = {name.lower(): value for name, value in self.find_credentials(wire).items()}
        return {**self._forward_headers, **credentials}

    @cached_property
    def _common_headers(self) -> dict[str, str]:
        own = {"accept-encoding": ACCEPTED_ENCODINGS, "user-agent": f"openai-connector/{version()}"}
        return own | _lower(self._given_headers)

    @cached_property
    def _forward_headers(self) -> dict[str, str]:
        # What is forwarded is passed on as it comes, so it comes unpacked.
        given = {name.lower(): value for name, value in self._given_headers.items()}
        return {"accept-encoding": "identity", **given}

    @property
    def _given_headers(self) -> dict[str, str]:
        return {name: value.get_secret_value() for name, value in self._parameters.headers.items()}


def _parse_url(address: str) -> tuple[httpx.URL, str]:
    url = httpx.URL(address)
    return url, str(url)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
