"""Which fields of a form are files, and files or texts that stand where the other is wanted."""

from __future__ import annotations

from collections.abc import Mapping

from connector.documents import member_path
from connector.model import JSON, Fault, items, members
from connector.request.fields import fields_of, resolve
from connector.request.files import is_file

__all__ = ["file_fields", "misplaced"]


def file_fields(schema: dict[str, JSON]) -> frozenset[str]:
    """The top-level fields that a schema declares as binary, alone or in a list."""
    return frozenset(name for name, part in fields_of(schema, schema).items() if _is_binary(part, schema, 0))


def _is_binary(part: JSON, root: JSON, depth: int) -> bool:
    declared = members(resolve(part, root))
    if declared.get("format") == "binary":
        return True
    inner = [*items(declared.get("anyOf")), *items(declared.get("oneOf")), declared.get("items")]
    return depth < 4 and any(_is_binary(branch, root, depth + 1) for branch in inner)


def misplaced(payload: Mapping[str, JSON], files: frozenset[str]) -> list[Fault]:
    """Texts where a file is wanted, and files where something else is."""
    return [fault for name, value in payload.items() if (fault := _misplaced(name, value, files))]


def _misplaced(name: str, value: JSON, files: frozenset[str]) -> Fault | None:
    given = items(value) or [value]
    if name in files and any(isinstance(item, str) for item in given):
        allowed = '{"$file": "path"} or {"$content": "<base64>"} is allowed'
        return Fault(member_path("payload", name), "text where a file is wanted", allowed)
    if name not in files and any(is_file(item) for item in given):
        allowed = f"files go to {', '.join(sorted(files))}" if files else "this operation takes no files"
        return Fault(member_path("payload", name), "a file where none is wanted", allowed)
    return None
