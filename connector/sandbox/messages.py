"""What goes in and out of a handler: requests, answers, events, files, errors and what a model says."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from connector.catalogue import Operation
from connector.model import JSON

__all__ = ["Answer", "ApiError", "Event", "Request", "Upload"]

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart request."""

    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """One authenticated and validated request."""

    operation: Operation
    path: Mapping[str, str]
    query: Mapping[str, JSON]
    payload: JSON
    """Files in it are Upload values."""
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    """By lower-case names."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream; text is sent unchanged, anything else as JSON."""

    data: JSON
    name: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: a JSON body, bytes of another type, or events."""

    body: JSON = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    data: bytes | None = None
    content_type: str = "application/json"
    events: Iterable[Event] | AsyncIterable[Event] | None = None
    used: JSON = None
    """What was used, where the body does not say it."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool: its arguments as JSON text, or the input of a custom tool."""

    name: str
    arguments: str
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model says: a text, tool calls or a refusal."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    refusal: str | None = None


class ApiError(Exception):
    """An error that is answered in the API's own form."""

    def __init__(
        self,
        status: int,
        message: str,
        type: str = "invalid_request_error",  # noqa: A002 - the field's name in the error body
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        self.status = status
        self.message = message
        self.type = type
        self.param = param
        self.code = code
        self.headers = headers
        super().__init__(message)

    def as_answer(self) -> Answer:
        """Return the answer with the error."""
        error = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return Answer({"error": error}, self.status, self.headers)
