"""A form as it arrives: its fields and files, in their order."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from connector.model import JSON
from connector.sandbox.messages import Refused, Upload

__all__ = ["boundary_of", "fields_of"]

BOUNDARY = re.compile(r'boundary="?([^";,]{1,200})', re.IGNORECASE)
PARAMETER = re.compile(r';\s*(name|filename)="([^"]*)"')


def boundary_of(content_type: str) -> bytes:
    """What stands between the parts; refused when the header does not say."""
    found = BOUNDARY.search(content_type)
    if not found:
        raise Refused(400, "Could not parse multipart form: the content type names no boundary.")
    return found[1].strip().encode()


def fields_of(data: bytes, boundary: bytes) -> Iterator[tuple[str, JSON]]:
    """Every field by its name on the wire: texts, JSON where a part says so, and Upload for files."""
    first, *parts = (b"\r\n" + data).split(b"\r\n--" + boundary)
    if first.strip() or not parts or not parts[-1].startswith(b"--"):
        raise Refused(400, "Could not parse multipart form: its parts do not end with the boundary of the header.")
    for part in parts[:-1]:
        head, found, content = part.partition(b"\r\n\r\n")
        if not found:
            raise Refused(400, "Could not parse multipart form: a part has no headers.")
        yield _field(_headers(head), content)


def _field(headers: dict[str, str], content: bytes) -> tuple[str, JSON]:
    said = {name: _unescaped(text) for name, text in PARAMETER.findall(headers.get("content-disposition", ""))}
    if "name" not in said:
        raise Refused(400, "Could not parse multipart form: a part has no name.")
    content_type = headers.get("content-type", "")
    if "filename" in said:
        return said["name"], Upload(said["filename"], content_type or "application/octet-stream", content)
    try:
        return said["name"], orjson.loads(content) if content_type == "application/json" else content.decode()
    except ValueError:
        raise Refused(400, f"Could not parse multipart form: '{said['name']}' is not what it says.") from None


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("utf-8", "replace").strip().split("\r\n")
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _unescaped(text: str) -> str:
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
