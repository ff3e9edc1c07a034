"""Values put into a file's text and taken out of it; every other character stays as it is."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Any

from connector.model import JSON, is_object

__all__ = ["find_changes", "put_value", "remove_value"]

STEP = 2
Path = tuple[str, ...]


def find_changes(before: JSON, after: JSON, path: Path = ()) -> list[tuple[Path, JSON, bool]]:
    """Return the smallest changes between two values: a path, its value, and whether it is set or removed."""
    if not is_object(before) or not is_object(after):
        return [] if before == after else [(path, after, True)]
    removed = [((*path, name), None, False) for name in before if name not in after]
    inner = [
        change
        for name, value in after.items()
        for change in (
            find_changes(before[name], value, (*path, name)) if name in before else [((*path, name), value, True)]
        )
    ]
    return removed + inner


@dataclass(frozen=True)
class _Spot:
    """A member of a mapping, with its neighbours and the line at which its own lines end."""

    mapping: Any
    index: int
    bound: int

    @property
    def pair(self) -> tuple[Any, Any]:
        return self.mapping.value[self.index]  # type: ignore[no-any-return]  # the library has no types

    @property
    def end(self) -> int:
        """The line on which the next member begins."""
        following = self.index + 1
        return self.mapping.value[following][0].start_mark.line if following < len(self.mapping.value) else self.bound


def put_value(text: str, path: Path, value: JSON, *, as_json: bool = False) -> str:
    """Return the text with a value at a path, in the style of its neighbours."""
    root = _compose(text)
    spots = _spots(root, path, text)
    if spots and len(spots) == len(path):
        return _replace(text, spots, path, value, as_json=as_json)
    missing = path[len(spots) :]
    document: JSON = value
    for name in reversed(missing[1:]):
        document = {name: document}
    return _Insertion(text, as_json=as_json).of(root, spots, missing[0], document)


def remove_value(text: str, path: Path) -> str:
    """Return the text without the member at a path."""
    spots = _spots(_compose(text), path, text)
    spot = spots[-1]
    if len(spots) > 1 and len(spot.mapping.value) == 1:
        return remove_value(text, path[:-1])  # an object that would be empty goes with its last member
    return _without_flow(text, spot) if spot.mapping.flow_style else _without_lines(text, spot)


def _spots(root: Any, path: Path, text: str) -> list[_Spot]:
    """Return the members on the way to a path, as far as they exist."""
    found: list[_Spot] = []
    node, bound = root, len(text.splitlines())
    for name in path:
        if node is None or node.id != "mapping":
            break
        index = next((index for index, (key, _) in enumerate(node.value) if key.value == name), None)
        if index is None:
            break
        found.append(_Spot(node, index, bound))
        node, bound = found[-1].pair[1], found[-1].end
    return found


def _replace(text: str, spots: Sequence[_Spot], path: Path, value: JSON, *, as_json: bool) -> str:
    key, node = spots[-1].pair
    plain = node.id == "scalar" and node.style not in ("|", ">")
    if plain and node.start_mark.index == node.end_mark.index:  # `key:` with nothing behind it
        at = text.index(":", key.end_mark.index) + 1
        return f"{text[:at]} {_inline(value, as_json=as_json)}{text[at:]}"
    if plain or node.flow_style:
        start, end = node.start_mark.index, node.end_mark.index
        return f"{text[:start]}{_inline(value, as_json=as_json)}{text[end:]}"
    kept = _without_lines(text, spots[-1]) if len(spots[-1].mapping.value) > 1 else remove_value(text, path)
    return put_value(kept, path, value, as_json=as_json)


def _without_flow(text: str, spot: _Spot) -> str:
    members, (key, node) = spot.mapping.value, spot.pair
    start, end = key.start_mark.index, node.end_mark.index
    if spot.index + 1 < len(members):
        following = members[spot.index + 1][0].start_mark.index
        comma = text.index(",", end) + 1
        return text[:start] + text[following if "#" not in text[end:following] else comma :]
    if spot.index:
        start = members[spot.index - 1][1].end_mark.index
    return text[:start] + text[end:]


def _without_lines(text: str, spot: _Spot) -> str:
    lines = text.splitlines(keepends=True)
    key, node = spot.pair[0].start_mark, spot.pair[1]
    last = _last_line(lines, key.line, spot.end, key.column + 1, dashes=node.id == "sequence")
    return "".join(lines[: key.line] + lines[last + 1 :])


def _last_line(lines: Sequence[str], first: int, end: int, column: int, *, dashes: bool = False) -> int:
    """Return the last line of a member that begins on the first one: those that are indented deeper, comments included.

    Args:
        dashes: whether the member is a list, whose items may begin one column to the left.
    """

    def belongs(line: str) -> bool:
        return _depth(line) >= column or (dashes and _depth(line) == column - 1 and line.lstrip().startswith("-"))

    return max(index for index in range(first, end) if index == first or belongs(lines[index]))


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" ")) if line.strip() else -1


class _Insertion:
    """Write a new member in the style of its neighbours."""

    def __init__(self, text: str, *, as_json: bool) -> None:
        self._text = text
        self._json = as_json
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def of(self, root: Any, spots: Sequence[_Spot], name: str, value: JSON) -> str:
        """Return the text with a new member in the innermost object that exists."""
        node = spots[-1].pair[1] if spots else root
        if node is not None and node.id == "mapping" and node.flow_style:
            return self._in_flow(node, name, value)
        if not spots:
            return self._at_end({name: value})
        return self._in_block(spots[-1], {name: value})

    def _at_end(self, document: dict[str, JSON]) -> str:
        text = self._text if not self._text or self._text.endswith("\n") else self._text + self._newline
        if self._json:
            return f"{json.dumps(document, indent=STEP, ensure_ascii=False)}\n"
        gap = self._newline if text.strip() else ""
        return text + gap + self._block(document, STEP)

    def _in_flow(self, mapping: Any, name: str, value: JSON) -> str:
        """Insert between braces, after the last member."""
        if mapping.value:
            at, comma = mapping.value[-1][1].end_mark.index, ", "
        else:
            at, comma = mapping.start_mark.index + 1, ""
        member = _inline({name: value}, as_json=self._json)[1:-1]
        return f"{self._text[:at]}{comma}{member}{self._text[at:]}"

    def _in_block(self, spot: _Spot, document: dict[str, JSON]) -> str:
        """Insert on new lines, below the last line of the object."""
        lines = self._text.splitlines(keepends=True)
        key, node = spot.pair
        column: int = key.start_mark.column
        start: int = key.start_mark.line
        inner = node.value[0][0].start_mark.column if node.id == "mapping" else column + STEP
        if node.id == "scalar" and node.value:  # `clients: null`, spelt out
            spelt: int = node.start_mark.column
            lines[start] = lines[start][:spelt].rstrip() + self._newline
        last = _last_line(lines, start, spot.end, inner)
        if not lines[last].endswith("\n"):
            lines[last] += self._newline
        lines.insert(last + 1, indent(self._block(document, inner - column), " " * inner))
        return "".join(lines)

    def _block(self, document: dict[str, JSON], step: int) -> str:
        return _dump(document, step, flow=False).replace("\n", self._newline)


def _inline(value: JSON, *, as_json: bool) -> str:
    """Return a value on one line."""
    if as_json:
        return json.dumps(value, ensure_ascii=False)
    text = _dump({"": value}, STEP, flow=True).strip()
    return text[1:-1].partition(": ")[2] if not is_object(value) else _dump(value, STEP, flow=True).strip()


def _compose(text: str) -> Any:
    from ruamel.yaml import YAML

    composer: Any = YAML(typ="safe", pure=True)  # the library has no types for what it reads
    return composer.compose(text.replace("\t", " "))


def _dump(document: Mapping[str, JSON], step: int, *, flow: bool) -> str:
    from ruamel.yaml import YAML

    dumper: Any = YAML(typ="safe", pure=True)
    dumper.default_flow_style = flow
    dumper.sort_base_mapping_type_on_output = False
    dumper.allow_unicode = True
    dumper.width = 4096
    dumper.indent = max(step, STEP)
    written = io.StringIO()
    dumper.dump(document, written)
    return written.getvalue()
