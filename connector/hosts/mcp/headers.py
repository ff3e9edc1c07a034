"""What the headers of a request say again that its body says: since 2026-07-28 others on the way may read them."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping

from connector.hosts.mcp.protocol import (
    CAPABILITIES_KEY,
    HEADER_MISMATCH,
    INVALID_PARAMS,
    MODERN_VERSIONS,
    UNSUPPORTED_VERSION,
    VERSION_KEY,
    Message,
    RpcError,
)
from connector.model import JSON

__all__ = ["VERSION", "check_headers"]

VERSION = "mcp-protocol-version"
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""The member of each method's parameters that its request names in a header as well."""
ENCODED = re.compile(r"=\?base64\?(.*)\?=")


def check_headers(headers: Mapping[str, str], message: Message) -> None:
    """Refuse a request whose headers say something else than its body: they may have been read on the way."""
    version = message.modern_version
    missing = [name for name in (VERSION_KEY, CAPABILITIES_KEY) if name not in message.meta]
    if missing or version is None:
        raise RpcError(INVALID_PARAMS, f"params._meta lacks {', '.join(missing) or VERSION_KEY}")
    wanted = {VERSION: version, "mcp-method": message.method}
    named = message.params.get(NAMED.get(message.method, ""))
    if isinstance(named, str):
        wanted["mcp-name"] = named
    for name, value in wanted.items():
        if _decode(headers.get(name)) != value:
            raise RpcError(HEADER_MISMATCH, f"the header {name} does not say what the body says")
    if version not in MODERN_VERSIONS:
        data: JSON = {"supported": [*MODERN_VERSIONS], "requested": version}
        raise RpcError(UNSUPPORTED_VERSION, "this version of the protocol is not spoken here", data)


def _decode(value: str | None) -> str | None:
    """Return a header's text; what no header can hold is sent as base64."""
    encoded = ENCODED.fullmatch(value) if value is not None else None
    if encoded is None:
        return value
    try:
        return b64decode(encoded[1], validate=True).decode()
    except (Error, UnicodeDecodeError):
        return None
