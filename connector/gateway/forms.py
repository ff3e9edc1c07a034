"""A multipart form that can be read in one way only; what another reader could take for something else is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from connector.gateway.refusals import Refused

__all__ = ["Form", "form_of"]

CONTENT_TYPE = re.compile(
    r"multipart/form-data\s*;\s*boundary=(\"?)([0-9A-Za-z'()+_,\-./:=?]{1,70})\1\s*", re.IGNORECASE
)
DISPOSITION = re.compile(
    r'form-data; ?name="([^"\\%]{1,200})"(?:; ?filename="(?:[^"\\]|\\.)*")?'
    r"(?:; ?filename\*=[A-Za-z0-9\-]+'[\w\-]*'[^;\s\"]*)?",
    re.IGNORECASE,
)
HEADER = re.compile(r"([A-Za-z-]+): ?(.*)")
KNOWN = ("content-disposition", "content-type", "content-length", "content-transfer-encoding")
PLAIN = ("binary", "8bit", "7bit")
TEXT = re.compile(r"(?:text/plain|application/json)(?:\s*;\s*charset=\"?utf-8\"?)?", re.IGNORECASE)
ALLOWED = (
    'a token with limits sends parts that begin with `Content-Disposition: form-data; name="…"`, lines that end in CRLF'
    " and each field once"
)


@dataclass(slots=True)
class Form:
    """The fields of a form, and how much stands in its files."""

    fields: dict[str, str] = field(default_factory=dict[str, str])
    files: list[int] = field(default_factory=list[int])
    """The bytes of each file."""


def form_of(content_type: str, data: bytes) -> Form:
    """What a form says; Refused when two readers could take it for two forms."""
    found = CONTENT_TYPE.fullmatch(content_type)
    if found is None:
        raise _unclear("its content type is not `multipart/form-data; boundary=…`")
    form = Form()
    for head, content in _parts(data, b"--" + found[2].encode()):
        headers = _headers(head)
        name, is_file = _named(headers)
        if is_file:
            form.files.append(len(content))
            continue
        if name in form.fields and not name.endswith("[]"):
            raise _unclear(f"the field {name!r} is given more than once")
        form.fields[name] = _text(name, headers, content)
    return form


def _parts(data: bytes, mark: bytes) -> Iterator[tuple[bytes, bytes]]:
    pieces = (b"\r\n" + data).split(b"\r\n" + mark)
    if pieces[0] or pieces[-1] not in (b"--", b"--\r\n") or data.count(mark) != len(pieces) - 1:
        raise _unclear("its parts are not divided by the boundary of its content type alone")
    for piece in pieces[1:-1]:
        head, found, content = piece.partition(b"\r\n\r\n")
        if not found or not head.startswith(b"\r\n"):
            raise _unclear("a part has no headers")
        yield head[2:], content


def _headers(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        found = HEADER.fullmatch(line)
        name = found[1].lower() if found is not None else ""
        if found is None or name not in KNOWN or name in headers or not line.isprintable():
            raise _unclear("a part has headers that are unknown, doubled or malformed")
        headers[name] = found[2].strip()
    if headers.get("content-transfer-encoding", "binary").lower() not in PLAIN:
        raise _unclear("a part is encoded")
    return headers


def _named(headers: dict[str, str]) -> tuple[str, bool]:
    """The name of a part, and whether it is a file."""
    found = DISPOSITION.fullmatch(headers.get("content-disposition", ""))
    if found is None:
        raise _unclear("the name of a part is not plain")
    name, is_file = found[1], "filename" in headers["content-disposition"][found.end(1) :].lower()
    own = re.split(r"[\[\].]+", name.strip().casefold())
    if "_charset_" in own or ("model" in own and (name != "model" or is_file)):
        raise _unclear(f"the field {name!r} could be taken for another")
    return name, is_file


def _text(name: str, headers: dict[str, str], content: bytes) -> str:
    if TEXT.fullmatch(headers.get("content-type", "text/plain")) is None:
        raise _unclear(f"the field {name!r} is no text in UTF-8")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _unclear(f"the field {name!r} is no text in UTF-8") from None


def _unclear(what: str) -> Refused:
    return Refused(400, "body_unclear", f"the form cannot be read in one way only: {what}; {ALLOWED}", close=True)
