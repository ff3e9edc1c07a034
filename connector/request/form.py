"""A payload as the fields and files of a form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, cast

from connector.documents import dump, member_path
from connector.model import JSON, Fault
from connector.request.files import FileInput, is_file, open_input
from connector.request.query import scalar
from connector.request.roots import Roots

__all__ = ["Part", "parts_of"]


class Part(NamedTuple):
    """One part of a form: a text field, or a file."""

    name: str
    value: str | FileInput
    content_type: str | None = None


def parts_of(
    payload: Mapping[str, JSON], types: Mapping[str, str], roots: Roots, where: str = "payload"
) -> tuple[list[Part], list[Fault]]:
    """The parts in sending order, scalars first and files last, and the faults of the files and names."""
    fields: list[Part] = []
    files: list[Part] = []
    faults: list[Fault] = []
    for name, place, value in _leaves(payload, types, where):
        if any(character in "\r\n\0" for character in name):
            faults.append(Fault(place, "a name with a line break or NUL", "a name without them is allowed"))
        elif is_file(value):
            found = open_input(value, place, roots)
            if isinstance(found, Fault):
                faults.append(found)
            else:
                files.append(Part(name, found))
        elif name in types:
            text = value if isinstance(value, str) else dump(value, place).decode()
            files.append(Part(name, text, types[name]))
        else:
            fields.append(Part(name, scalar(value)))
    return _grouped(fields) + files, faults


def _leaves(payload: Mapping[str, JSON], types: Mapping[str, str], where: str) -> Iterator[tuple[str, str, JSON]]:
    """Every value that becomes a part, with its name on the wire and its place in the payload; nulls are dropped."""
    for key, value in payload.items():
        place = member_path(where, key)
        if key in types:
            yield key, place, value
        else:
            yield from _below(key, place, value)


def _below(name: str, place: str, value: JSON) -> Iterator[tuple[str, str, JSON]]:
    if isinstance(value, dict) and not is_file(value):
        for key, child in cast("dict[str, JSON]", value).items():
            yield from _below(f"{name}[{key}]", member_path(place, key), child)
    elif isinstance(value, list | tuple):
        for index, child in enumerate(cast("list[JSON]", value)):
            yield from _below(f"{name}[]", member_path(place, index), child)
    elif value is not None:
        yield name, place, value


def _grouped(fields: list[Part]) -> list[Part]:
    """Fields of one name together, where the first of them stands."""
    groups: dict[str, list[Part]] = {}
    for field in fields:
        groups.setdefault(field.name, []).append(field)
    return [field for group in groups.values() for field in group]
