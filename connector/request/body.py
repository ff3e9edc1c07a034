"""Chooses the kind of a body, and makes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from connector.catalogue.operation import Operation
from connector.documents import check, dump, member_path
from connector.errors import InvalidDocument
from connector.model import JSON, Fault, items, members
from connector.request.display import describe_value
from connector.request.file_access import Roots
from connector.request.files import is_file
from connector.request.multipart import MultipartBody, build_parts
from connector.request.wire import Body, BytesBody

__all__ = [
    "JSON_TYPE",
    "Chosen",
    "choose_kind",
    "encode_body",
    "find_misplaced_files",
    "replace_files",
    "report_invalid_json",
    "view_form",
]

JSON_TYPE = "application/json"
KINDS = {"json": JSON_TYPE, "multipart": "multipart/form-data", "sdp": "application/sdp"}


class Chosen(NamedTuple):
    """The kind of body for a payload, or why there is none."""

    kind: str | None
    fault: Fault | None = None


def choose_kind(operation: Operation, payload: JSON, content_type: str | None) -> Chosen:
    """Return the kind of body that the payload asks for: by content type, files or shape, else the default."""
    kinds = operation.body
    if not kinds:
        return Chosen(None, None if payload is None or payload == {} else _refuse_payload(operation))
    if content_type is not None:
        return _choose_by_type(kinds, content_type)
    if len(kinds) == 1:
        return Chosen(kinds[0])
    fields = members(payload)
    if "multipart" in kinds and any(is_file(item) for value in fields.values() for item in (value, *items(value))):
        return Chosen("multipart")
    if "sdp" in kinds:
        return Chosen("sdp" if isinstance(payload, str) or fields.keys() <= {"sdp"} else "multipart")
    return Chosen("json" if _is_json(operation, fields) else kinds[0])


def _is_json(operation: Operation, fields: Mapping[str, JSON]) -> bool:
    """Return whether a payload without files goes as JSON: where both kinds take the same, or it has structure."""
    if "json" not in operation.body:
        return False
    return "json" not in operation.alternatives or any(_is_structured(value) for value in fields.values())


def _is_structured(value: JSON) -> bool:
    return isinstance(value, dict) or any(isinstance(item, dict) for item in items(value))


def _choose_by_type(kinds: tuple[str, ...], content_type: str) -> Chosen:
    wanted = content_type.partition(";")[0].strip().lower()
    kind = next((kind for kind in kinds if KINDS[kind] == wanted), None)
    if kind is not None:
        return Chosen(kind)
    allowed = f"allowed: {', '.join(KINDS[kind] for kind in kinds)}"
    return Chosen(kinds[0], Fault("headers.content-type", f"found {wanted[:60]!r}", allowed))


def _refuse_payload(operation: Operation) -> Fault:
    return Fault("payload", "not expected", f"{operation.name} takes none; leave it out")


def find_file_places(value: JSON, where: str) -> list[str]:
    """Return the places of files in a payload."""
    found: list[str] = []
    todo: list[tuple[JSON, str]] = [(value, where)]
    while todo:
        item, place = todo.pop()
        if isinstance(item, dict):
            if is_file(item):
                found.append(place)
                continue
            todo += [(child, member_path(place, key)) for key, child in members(item).items() if child]
        else:
            todo += [(child, f"{place}[{index}]") for index, child in enumerate(items(item)) if child]
    return found


def view_form(payload: JSON) -> JSON:
    """Return a form's payload as its schema sees it: files count as text, and nulls are left out."""
    return {name: replace_files(value) for name, value in members(payload).items() if value is not None}


def replace_files(value: JSON) -> JSON:
    """Return a value whose files count as text."""
    if isinstance(value, dict):
        return "" if is_file(value) else {key: replace_files(child) for key, child in members(value).items()}
    return [replace_files(child) for child in items(value)] if isinstance(value, list | tuple) else value


def encode_body(operation: Operation, kind: str, payload: JSON, roots: Roots) -> tuple[Body | None, list[Fault]]:
    """Return the body, or the faults for which there is none."""
    try:
        if kind == "json":
            return _encode_json({} if payload is None else payload)
        check(payload, "payload")
    except InvalidDocument as error:
        return None, [report_invalid_json(error)]
    return _encode_sdp(payload) if kind == "sdp" else _encode_form(operation, payload, roots)


def report_invalid_json(error: InvalidDocument) -> Fault:
    """Return a value that is not JSON, as a fault of its request."""
    where, _, found = str(error).partition(": ")
    return Fault(where, found, "only JSON that every reader understands is sent")


def _encode_json(payload: JSON) -> tuple[Body | None, list[Fault]]:
    data = dump(payload, "payload")
    if b'"$file"' in data or b'"$content"' in data:
        allowed = (
            "a JSON body holds no files: upload the file and name its id, or give its content as the field wants it"
        )
        faults = [Fault(place, "a file", allowed) for place in find_file_places(payload, "payload")]
        return (None, faults) if faults else (BytesBody(JSON_TYPE, data), [])
    return BytesBody(JSON_TYPE, data), []


def _encode_sdp(payload: JSON) -> tuple[Body | None, list[Fault]]:
    text = members(payload).get("sdp") if isinstance(payload, dict) else payload
    if not isinstance(text, str) or not text:
        return None, [Fault("payload.sdp", "missing" if text is None else "not text", "the offer's text is needed")]
    return BytesBody(KINDS["sdp"], text.encode()), []


def _encode_form(operation: Operation, payload: JSON, roots: Roots) -> tuple[Body | None, list[Fault]]:
    if not isinstance(payload, dict | None):
        return None, [Fault("payload", f"found {describe_value(payload)}", "an object of fields and files is allowed")]
    parts, faults = build_parts(members(payload), operation.parts, roots)
    return (None, faults) if faults else (MultipartBody(parts), [])


def find_misplaced_files(payload: Mapping[str, JSON], files: frozenset[str]) -> list[Fault]:
    """Return texts where a file is wanted, and files where something else is."""
    return [fault for name, value in payload.items() if (fault := _find_misplaced(name, value, files))]


def _find_misplaced(name: str, value: JSON, files: frozenset[str]) -> Fault | None:
    given = items(value) or [value]
    if name in files and any(isinstance(item, str) for item in given):
        allowed = '{"$file": "path"} or {"$content": "<base64>"} is allowed'
        return Fault(member_path("payload", name), "text where a file is wanted", allowed)
    if name not in files and any(is_file(item) for item in given):
        allowed = f"files go to {', '.join(sorted(files))}" if files else "this operation takes no files"
        return Fault(member_path("payload", name), "a file where none is wanted", allowed)
    return None
