"""What makes two calls the same call: whom they reach and everything they say."""

from __future__ import annotations

from hashlib import blake2b

import orjson

from connector.model import JSON
from connector.outgoing import Effort
from connector.request import BytesBody, Wire
from connector.request.files import FileInput
from connector.request.multipart import MultipartBody
from connector.request.sources import Content, LocalFile, RemoteFile, Source

__all__ = ["fingerprint"]

LENGTH = 16


def fingerprint(effort: Effort, occurrence: int = 0) -> str:
    """A digest that is equal for calls that would send the same; of equal calls of one document each has its own."""
    digest = blake2b(digest_size=LENGTH)
    for part in _parts(effort):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return f"{digest.hexdigest()}.{occurrence}" if occurrence else digest.hexdigest()


def _parts(effort: Effort) -> list[bytes]:
    parts = [effort.target.encode(), effort.operation.encode(), _packed(effort.content)]
    return parts if effort.sent is None else parts + _of_wire(effort.sent.wire)


def _of_wire(wire: Wire) -> list[bytes]:
    parts = [wire.method.encode(), wire.path.encode(), _packed(wire.query), _packed(sorted(_told(wire).items()))]
    body = wire.body
    if isinstance(body, MultipartBody):
        return parts + [_packed([name, _value(value), kind]) for name, value, kind in body.parts]
    return [*parts, body.data] if isinstance(body, BytesBody) else [*parts, repr(body).encode()]


def _told(wire: Wire) -> dict[str, str]:
    """The headers, but for the boundary of a form, which is another one each time."""
    return {name: value for name, value in wire.headers.items() if name != "content-type"}


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
