"""What makes two calls the same call: whom they reach and everything they say."""

from __future__ import annotations

from hashlib import blake2b

import orjson

from connector.model import JSON
from connector.publishers import CallIntent
from connector.request import BytesBody, Wire
from connector.request.files import FileInput
from connector.request.multipart import MultipartBody
from connector.request.sources import Content, LocalFile, RemoteFile, Source
from connector.routes.delivering.marking import place_of

__all__ = ["fingerprint"]

LENGTH = 16


def fingerprint(intent: CallIntent) -> str:
    """A digest that is equal for calls that would send the same."""
    parts = _parts(intent)
    # Their lengths first, so that no other parts make the same row of bytes.
    return blake2b(b"".join([_packed([len(part) for part in parts]), *parts]), digest_size=LENGTH).hexdigest()


def _parts(intent: CallIntent) -> list[bytes]:
    if intent.call is None:
        return [_packed([intent.target, intent.operation, intent.content])]
    # A client is whom it calls: a name that was changed makes nothing be paid for again.
    return [_packed([place_of(intent.call.client), intent.operation, intent.content]), *_of_wire(intent.call.wire)]


def _of_wire(wire: Wire) -> list[bytes]:
    # The type of a body is left out: the boundary of a form is another one each time.
    headers = {name: value for name, value in wire.headers.items() if name != "content-type"}
    parts = [_packed([wire.method, wire.path, wire.query, headers])]
    body = wire.body
    if isinstance(body, MultipartBody):
        return parts + [_packed([name, _value(value), kind]) for name, value, kind in body.parts]
    return [*parts, body.data] if isinstance(body, BytesBody) else [*parts, repr(body).encode()]


def _value(value: str | FileInput) -> JSON:
    return value if isinstance(value, str) else [value.filename, value.content_type, *_identity(value.source)]


def _identity(source: Source) -> list[JSON]:
    """What tells a file's content without reading it, where it need not be read."""
    if isinstance(source, Content):
        return [blake2b(source.data, digest_size=LENGTH).hexdigest()]
    if isinstance(source, LocalFile):
        return [source.path, list(source.identity)]
    return [source.url, source.size, source.mark] if isinstance(source, RemoteFile) else [source.name, source.size]


def _packed(value: JSON) -> bytes:
    return orjson.dumps(value, default=repr, option=orjson.OPT_SORT_KEYS)
