"""Forms: multipart bodies, and names such as `name[]` and `name[key]`, which mean arrays and objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

import orjson

from connector.model import JSON, is_document, is_list
from connector.sandbox.messages import ApiError, Upload

__all__ = ["expand_brackets", "parse_multipart", "read_boundary"]

BOUNDARY = re.compile(r'boundary="?([^";,]{1,200})', re.IGNORECASE)
PARAMETER = re.compile(r';\s*(name|filename)=(?:"([^"]*)"|([^\s";]+))')
BRACKETS = re.compile(r"\[([^\[\]]*)\]")
DEEPEST = 32


def read_boundary(content_type: str) -> bytes:
    """Return the boundary between the parts; raise ApiError where the header has none."""
    found = BOUNDARY.search(content_type)
    if not found:
        raise ApiError(400, "Could not parse multipart form: the content type names no boundary.")
    return found[1].strip().encode()


def parse_multipart(data: bytes, boundary: bytes) -> Iterator[tuple[str, JSON]]:
    """Yield every field by its name on the wire: text, JSON where a part says so, an Upload for a file."""
    first, *parts = (b"\r\n" + data).split(b"\r\n--" + boundary)
    if first.strip() or not parts or not parts[-1].startswith(b"--"):
        raise ApiError(400, "Could not parse multipart form: its parts do not end with the boundary of the header.")
    for part in parts[:-1]:
        head, found, content = part.partition(b"\r\n\r\n")
        if not found:
            raise ApiError(400, "Could not parse multipart form: a part has no headers.")
        yield _parse_field(_parse_headers(head), content)


def _parse_field(headers: dict[str, str], content: bytes) -> tuple[str, JSON]:
    found = PARAMETER.findall(headers.get("content-disposition", ""))
    parameters = {name: _unescape(quoted or bare) for name, quoted, bare in found}
    if "name" not in parameters:
        raise ApiError(400, "Could not parse multipart form: a part has no name.")
    content_type = headers.get("content-type", "")
    if "filename" in parameters:
        return parameters["name"], Upload(parameters["filename"], content_type or "application/octet-stream", content)
    try:
        return parameters["name"], orjson.loads(content) if content_type == "application/json" else content.decode()
    except ValueError:
        raise ApiError(400, f"Could not parse multipart form: '{parameters['name']}' is not what it says.") from None


def _parse_headers(head: bytes) -> dict[str, str]:
    lines = head.decode("utf-8", "replace").strip().split("\r\n")
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _unescape(text: str) -> str:
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def expand_brackets(pairs: Iterable[tuple[str, JSON]]) -> dict[str, JSON]:
    """Return the values of name-value pairs; a plain name that comes twice becomes a list."""
    found: dict[str, JSON] = {}
    for name, value in pairs:
        bracket = name.find("[")
        if bracket <= 0:
            _add_value(found, name, value)
            continue
        keys = [name[:bracket], *BRACKETS.findall(name[bracket:])[:DEEPEST]]
        _set_at(found, keys, value)
    return found


def _add_value(found: dict[str, JSON], name: str, value: JSON) -> None:
    if name not in found:
        found[name] = value
    elif is_list(found[name]):
        found[name].append(value)
    else:
        found[name] = [found[name], value]


def _set_at(found: dict[str, JSON], keys: list[str], value: JSON) -> None:
    """Set a value where its keys lead; an empty key is the next item of an array."""
    at: JSON = found
    for key, following in pairwise(keys):
        at = _step_into_array(at, following) if is_list(at) else _step_into_object(at, key, following)
    if is_list(at):
        at.append(value)
    else:
        _add_value(at, keys[-1], value)


def _step_into_object(at: dict[str, JSON], key: str, following: str) -> JSON:
    empty: JSON = [] if following == "" else {}
    if not isinstance(at.get(key), type(empty)):
        at[key] = empty
    return at[key]


def _step_into_array(at: list[JSON], following: str) -> JSON:
    """Return the item for a value: the last one, unless that has the name already."""
    if following == "":
        at.append([])
    elif not at or not is_document(at[-1]) or following in at[-1]:
        at.append({})
    return at[-1]
