"""The messages of the protocol: JSON-RPC 2.0, in both of its eras.

Until 2025-11-25 a session begins with `initialize`. Since 2026-07-28 every request says by itself which version it
speaks, and there are no sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON, is_document, members

__all__ = [
    "CAPABILITIES_KEY",
    "HANDSHAKE_VERSIONS",
    "HEADER_MISMATCH",
    "INTERNAL_ERROR",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "LEVELS",
    "METHOD_NOT_FOUND",
    "MODERN_VERSIONS",
    "PARSE_ERROR",
    "RESOURCE_NOT_FOUND",
    "SERVER_INFO_KEY",
    "UNSUPPORTED_VERSION",
    "VERSION_KEY",
    "Message",
    "RequestId",
    "RpcError",
    "dump",
    "error_message",
    "key_of",
    "notification",
    "parse_message",
    "result_message",
]

HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN_VERSIONS = ("2026-07-28",)
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
SERVER_INFO_KEY = "io.modelcontextprotocol/serverInfo"
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
RESOURCE_NOT_FOUND = -32002
HEADER_MISMATCH = -32020
UNSUPPORTED_VERSION = -32022
LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""Of log messages, the least important first."""

KEYS = ("openai-connector/key", "openai-connector/idempotencyKey", "idempotencyKey")
"""The members of `_meta` in which a client names its call."""
LONGEST_KEY = 255

RequestId = str | int


class RpcError(Exception):
    """An error of the protocol; what a tool comes to is a result, also when it fails."""

    def __init__(self, code: int, message: str, data: JSON = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a client.

    Attributes:
        id: of a request; None for a notification or a response.
    """

    kind: Literal["request", "notification", "response"]
    method: str
    params: Mapping[str, JSON]
    id: RequestId | None = None

    @property
    def meta(self) -> Mapping[str, JSON]:
        """What the message says of itself."""
        return members(self.params.get("_meta"))

    @property
    def modern_version(self) -> str | None:
        """The version that the request says it speaks; None for one of a session."""
        found = self.meta.get(VERSION_KEY)
        return found if isinstance(found, str) else None


def parse_message(data: bytes) -> Message:
    """Return the message of a line or a body; RpcError when it is none."""
    try:
        found: JSON = parse(data, "message")
    except InvalidDocument as error:
        raise RpcError(PARSE_ERROR, f"not JSON that is accepted here: {error}") from None
    if not is_document(found) or found.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, 'one JSON-RPC 2.0 object is expected, with jsonrpc: "2.0"; no batches')
    method, params, number = found.get("method"), found.get("params"), found.get("id")
    if method is None and ("result" in found or "error" in found):
        return Message("response", "", {})
    if not isinstance(method, str) or not (params is None or is_document(params)):
        raise RpcError(INVALID_REQUEST, "a request has a method, and params that are an object")
    if "id" not in found:
        return Message("notification", method, params or {})
    if isinstance(number, bool) or not isinstance(number, str | int):
        raise RpcError(INVALID_REQUEST, "the id of a request is a text or a whole number")
    return Message("request", method, params or {}, number)


def key_of(message: Message, header: str = "") -> str:
    """Return the client's own identity of a call; RpcError when it is none that can be kept.

    Args:
        header: the request's `Idempotency-Key`, where there are headers.
    """
    found = next((message.meta[name] for name in KEYS if name in message.meta), header)
    if not isinstance(found, str | int) or isinstance(found, bool) or len(str(found)) > LONGEST_KEY:
        raise RpcError(INVALID_REQUEST, f"_meta: the key of a call is a text of at most {LONGEST_KEY} characters")
    return str(found)


def result_message(number: RequestId, result: JSON) -> dict[str, JSON]:
    """Return the response of a request that succeeded."""
    return {"jsonrpc": "2.0", "id": number, "result": result}


def error_message(number: RequestId | None, error: RpcError) -> dict[str, JSON]:
    """Return the response of a request that is refused."""
    body: dict[str, JSON] = {"code": error.code, "message": str(error)}
    return {"jsonrpc": "2.0", "id": number, "error": body if error.data is None else {**body, "data": error.data}}


def notification(method: str, params: JSON) -> dict[str, JSON]:
    """Return a message that wants no answer."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def dump(message: JSON) -> bytes:
    """Return a message as one line, without its end."""
    return orjson.dumps(message)
