"""Parse the body of a request that counts against a limit; refuse what another reader could take for something else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.gateway.refusals import Refusal
from connector.model import JSON, is_document
from connector.request.wire import BytesBody

__all__ = ["ParsedBody", "parse_body"]

JSON_TYPE = re.compile(r"application/json(?:\s*;\s*charset=\"?utf-8\"?)?\s*", re.IGNORECASE)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ALLOWED = "a token with limits sends application/json in UTF-8 or multipart/form-data, without a content encoding"
FORM_TYPE = re.compile(r"multipart/form-data\s*;\s*boundary=(\"?)([0-9A-Za-z'()+_,\-./:=?]{1,70})\1\s*", re.IGNORECASE)
DISPOSITION = re.compile(
    r'form-data; ?name="([^"\\%]{1,200})"(?:; ?filename="(?:[^"\\]|\\.)*")?'
    r"(?:; ?filename\*=[A-Za-z0-9\-]+'[\w\-]*'[^;\s\"]*)?",
    re.IGNORECASE,
)
PART_HEADER = re.compile(r"([A-Za-z-]+): ?(.*)")
PART_HEADERS = ("content-disposition", "content-type", "content-length", "content-transfer-encoding")
PLAIN_ENCODINGS = ("binary", "8bit", "7bit")
TEXT_TYPE = re.compile(r"(?:text/plain|application/json)(?:\s*;\s*charset=\"?utf-8\"?)?", re.IGNORECASE)
ALLOWED_FORM = (
    'a token with limits sends parts that begin with `Content-Disposition: form-data; name="…"`, lines that end in CRLF'
    " and each field once"
)


@dataclass(slots=True)
class ParsedBody:
    """The payload of a body, and the sizes of its files."""

    payload: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    size: int = 0
    """Bytes beside files."""
    files: list[int] = field(default_factory=list[int])
    """The bytes of each file."""


def parse_body(request: web.BaseRequest, body: BytesBody | None, *, is_strict: bool) -> ParsedBody:
    """Return what a body says.

    Args:
        request: its headers say how to read the body.
        body: as it came.
        is_strict: whether to refuse a body that cannot be read in exactly one way; else only its size counts.
    """
    if body is None or not body.data:
        return ParsedBody()
    try:
        return _parse(request, body)
    except Refusal:
        if is_strict:
            raise
        return ParsedBody(size=len(body.data))


def _parse(request: web.BaseRequest, body: BytesBody) -> ParsedBody:
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refusal(415, "body_unclear", f"the body has a content encoding; {ALLOWED}", close=True)
    if JSON_TYPE.fullmatch(body.content_type):
        return ParsedBody(_parse_json(body.data), len(body.data))
    if body.content_type.lower().startswith("multipart/form-data"):
        return _parse_form(body.content_type, body.data)
    raise Refusal(415, "body_unclear", f"the body's type is {body.content_type[:60]!r}; {ALLOWED}", close=True)


def _parse_json(data: bytes) -> Mapping[str, JSON]:
    if data.startswith(BYTE_ORDER_MARK):
        raise Refusal(400, "body_unclear", f"the body begins with a byte order mark; {ALLOWED}", close=True)
    try:
        payload = parse(data, "body")
    except InvalidDocument as error:
        raise Refusal(400, "body_unclear", f"{error}; {ALLOWED}", close=True) from None
    if not is_document(payload):
        raise Refusal(400, "body_unclear", f"the body is no JSON object; {ALLOWED}", close=True)
    return payload


def _parse_form(content_type: str, data: bytes) -> ParsedBody:
    """Return what a multipart form says; Refusal when two readers could take it for two forms."""
    found = FORM_TYPE.fullmatch(content_type)
    if found is None:
        raise _unclear("its content type is not `multipart/form-data; boundary=…`")
    fields: dict[str, str] = {}
    files: list[int] = []
    for head, content in _parts(data, b"--" + found[2].encode()):
        headers = _part_headers(head)
        name, is_file = _part_name(headers)
        if is_file:
            files.append(len(content))
            continue
        if name in fields and not name.endswith("[]"):
            raise _unclear(f"the field {name!r} is given more than once")
        fields[name] = _field_text(name, headers, content)
    payload = {name: _field_value(name, text) for name, text in fields.items()}
    return ParsedBody(payload, len(data) - sum(files), files)


def _parts(data: bytes, delimiter: bytes) -> Iterator[tuple[bytes, bytes]]:
    pieces = (b"\r\n" + data).split(b"\r\n" + delimiter)
    if pieces[0] or pieces[-1] not in (b"--", b"--\r\n") or data.count(delimiter) != len(pieces) - 1:
        raise _unclear("its parts are not divided by the boundary of its content type alone")
    for piece in pieces[1:-1]:
        head, found, content = piece.partition(b"\r\n\r\n")
        if not found or not head.startswith(b"\r\n"):
            raise _unclear("a part has no headers")
        yield head[2:], content


def _part_headers(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        found = PART_HEADER.fullmatch(line)
        name = found[1].lower() if found is not None else ""
        if found is None or name not in PART_HEADERS or name in headers or not line.isprintable():
            raise _unclear("a part has headers that are unknown, doubled or malformed")
        headers[name] = found[2].strip()
    if headers.get("content-transfer-encoding", "binary").lower() not in PLAIN_ENCODINGS:
        raise _unclear("a part is encoded")
    return headers


def _part_name(headers: dict[str, str]) -> tuple[str, bool]:
    """Return the name of a part, and whether it is a file."""
    found = DISPOSITION.fullmatch(headers.get("content-disposition", ""))
    if found is None:
        raise _unclear("the name of a part is not plain")
    name, is_file = found[1], "filename" in headers["content-disposition"][found.end(1) :].lower()
    segments = re.split(r"[\[\].]+", name.strip().casefold())
    if "_charset_" in segments or ("model" in segments and (name != "model" or is_file)):
        raise _unclear(f"the field {name!r} could be taken for another")
    return name, is_file


def _field_text(name: str, headers: dict[str, str], content: bytes) -> str:
    if TEXT_TYPE.fullmatch(headers.get("content-type", "text/plain")) is None:
        raise _unclear(f"the field {name!r} is no text in UTF-8")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _unclear(f"the field {name!r} is no text in UTF-8") from None


def _field_value(name: str, text: str) -> JSON:
    """Return a field's value: some are JSON, such as the session of a realtime call, and may name a model."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return parse(text.encode(), name)
    except InvalidDocument:
        if "model" not in text.casefold() and "\\u" not in text:
            return text
    raise Refusal(400, "body_unclear", f"the field {name[:60]!r} can be read in more than one way", close=True)


def _unclear(what: str) -> Refusal:
    return Refusal(400, "body_unclear", f"the form cannot be read in one way only: {what}; {ALLOWED_FORM}", close=True)
