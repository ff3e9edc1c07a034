"""Values put into a file's text and taken out of it; every other character stays as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connector.config.changes import Change
from connector.config.findings import Path
from connector.model import JSON
from connector.yaml.writer import Layout, format_flow, format_yaml

__all__ = ["change_text", "move_item", "rename_member"]

STEP = 2


def change_text(text: str, change: Change, *, as_json: bool = False) -> str:
    """Return a text with one change, in the style of its neighbours; raise ValueError where that is not possible."""
    document = _Document(text, as_json=as_json)
    if change.kind == "remove":
        return document.remove(change.path)
    if change.kind == "insert":
        return document.insert(change.path, change.value)
    return document.put(change.path, change.value)


def rename_member(text: str, path: Path, name: str, *, as_json: bool = False) -> str:
    """Return a text in which a member of an object has another name."""
    key = _Document(text).spot(path).key
    return text[: key.start_mark.index] + _inline(name, as_json=as_json) + text[key.end_mark.index :]


def move_item(text: str, path: Path, to: int) -> str:
    """Return a text in which an item of a list stands elsewhere in it, with the comment above it."""
    document = _Document(text)
    spot = document.spot(path)
    order = list(range(len(spot.holder.value)))
    order.insert(to, order.pop(spot.index))
    return document.reorder(spot, order)


@dataclass(frozen=True, slots=True)
class _Spot:
    """A member of an object or an item of a list, and the line at which the lines of what holds it end."""

    holder: Any
    index: int
    bound: int

    @property
    def is_item(self) -> bool:
        return self.holder.id == "sequence"  # type: ignore[no-any-return]  # the library has no types

    @property
    def key(self) -> Any:
        if self.is_item:
            raise ValueError("an item has no name")
        return self.holder.value[self.index][0]

    @property
    def value(self) -> Any:
        member = self.holder.value[self.index]
        return member if self.is_item else member[1]

    @property
    def start(self) -> Any:
        """The mark where the member begins; of an item in block style its value, behind the dash."""
        return (self.value if self.is_item else self.key).start_mark

    @property
    def column(self) -> int:
        """Where its lines begin: with the name, or with the dash."""
        return (self.holder if self.is_item else self.key).start_mark.column  # type: ignore[no-any-return]


class _Document:
    """A text and the nodes in it."""

    def __init__(self, text: str, *, as_json: bool = False) -> None:
        self._text = text
        self._json = as_json
        self._lines = text.splitlines(keepends=True)
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._root = _compose(text)

    def spot(self, path: Path) -> _Spot:
        """Return the member at a path."""
        spots = self._spots(path)
        if len(spots) != len(path):
            raise ValueError(f"nothing is at {path}")
        return spots[-1]

    def put(self, path: Path, value: JSON) -> str:
        """Set a member, which may be new, or an item."""
        spots = self._spots(path)
        if len(spots) == len(path):
            return self._replace(spots[-1], value)
        missing = path[len(spots) :]
        for name in reversed(missing[1:]):
            value = {str(name): value}
        return self._add(spots, str(missing[0]), value)

    def insert(self, path: Path, value: JSON) -> str:
        """Insert an item into a list that has some."""
        spot, index = self.spot((*path[:-1], 0)), int(path[-1])
        items = spot.holder.value
        if spot.holder.flow_style:
            at = items[index].start_mark.index if index < len(items) else items[-1].end_mark.index
            item = self._flow(value)
            piece = f"{item}, " if index < len(items) else f", {item}"
            return self._text[:at] + piece + self._text[at:]
        first, last = self._span(_Spot(spot.holder, max(index - 1, 0), spot.bound))
        at = last + 1 if index else self._above(first, spot)
        return self._with_lines(at, at, self._block([value], spot.column))

    def remove(self, path: Path) -> str:
        """Remove a member or an item; an object goes with its last member, unless it is an item itself."""
        spot = self.spot(path)
        if len(spot.holder.value) == 1 and len(path) > 1:
            if spot.is_item:
                return self.put(path[:-1], [])
            return self.put(path[:-1], {}) if isinstance(path[-2], int) else self.remove(path[:-1])
        if spot.holder.flow_style:
            return self._without_flow(spot)
        first, last = self._span(spot)
        if not self._begins_line(first, spot.column):
            following = self._start_of(_Spot(spot.holder, spot.index + 1, spot.bound))
            return self._text[: spot.start.index] + self._text[following:]
        if spot.is_item and spot.index:
            first = self._above(first, spot)
        return self._with_lines(first, last + 1, [])

    def reorder(self, spot: _Spot, order: Sequence[int]) -> str:
        """Bring the items of a list into another order."""
        items = spot.holder.value
        if spot.holder.flow_style:
            texts = [self._text[item.start_mark.index : item.end_mark.index] for item in items]
            text = self._text
            for place in reversed(range(len(items))):
                start, end = items[place].start_mark.index, items[place].end_mark.index
                text = text[:start] + texts[order[place]] + text[end:]
            return text
        spans = [self._span(_Spot(spot.holder, index, spot.bound)) for index in range(len(items))]
        if not self._begins_line(spans[0][0], spot.column):
            raise ValueError("the first item stands on the line of what holds it")
        starts = [self._above(first, spot) for first, _ in spans]
        ends = [*starts[1:], spans[-1][1] + 1]
        parts = [self._lines[start:end] for start, end in zip(starts, ends, strict=True)]
        parts[-1][-1] = parts[-1][-1].rstrip("\r\n") + self._newline
        return self._with_lines(starts[0], ends[-1], [line for index in order for line in parts[index]])

    def _spots(self, path: Path) -> list[_Spot]:
        """Return the members on the way to a path, as far as they exist."""
        found: list[_Spot] = []
        node, bound = self._root, len(self._lines)
        for step in path:
            index = _find(node, step)
            if index is None:
                break
            spot = _Spot(node, index, bound)
            found.append(spot)
            node, bound = spot.value, self._end(spot)
        return found

    def _replace(self, spot: _Spot, value: JSON) -> str:
        node = spot.value
        start, end = node.start_mark.index, node.end_mark.index
        plain = node.id == "scalar" and node.style not in ("|", ">")
        block = not spot.holder.flow_style and not self._json and not self._is_short(value)
        if plain and start == end and not block:  # `key:` with nothing behind it
            mark = "-" if spot.is_item else ":"
            behind = spot.holder.start_mark.index if spot.is_item else spot.key.end_mark.index
            at = self._text.index(mark, behind) + 1
            return f"{self._text[:at]} {self._flow(value)}{self._text[at:]}"
        empty = node.id != "scalar" and not node.value
        in_flow = node.id != "scalar" and node.flow_style and not (empty and block)
        if (plain and not block) or in_flow or spot.holder.flow_style:
            return f"{self._text[:start]}{self._flow(value)}{self._text[end:]}"
        first, last = self._span(spot)
        before = self._lines[first][: spot.column]
        made = self._block([value] if spot.is_item else {spot.key.value: value}, spot.column)
        return self._with_lines(first, last + 1, [before + made[0][spot.column :], *made[1:]])

    def _is_short(self, value: JSON) -> bool:
        """Return whether a value stands on the line of its name."""
        return len(list(format_yaml({"x": value}, 0, Layout(width=0)))) == 1

    def _add(self, spots: Sequence[_Spot], name: str, value: JSON) -> str:
        """Write a new member into the innermost object that exists."""
        node = spots[-1].value if spots else self._root
        if node is not None and node.id == "mapping" and node.flow_style:
            last = node.value[-1][1] if node.value else None
            at, comma = (last.end_mark.index, ", ") if last else (node.start_mark.index + 1, "")
            member = self._flow({name: value})[1:-1]
            return f"{self._text[:at]}{comma}{member}{self._text[at:]}"
        if spots:
            return self._add_lines(spots[-1], {name: value})
        return self._at_end({name: value})

    def _at_end(self, document: dict[str, JSON]) -> str:
        text = self._text if not self._text or self._text.endswith("\n") else self._text + self._newline
        if self._json:
            return f"{json.dumps(document, indent=STEP, ensure_ascii=False)}\n"
        gap = self._newline if text.strip() else ""
        return text + gap + "".join(self._block(document, 0))

    def _add_lines(self, spot: _Spot, document: dict[str, JSON]) -> str:
        """Insert on new lines, below the last line of the object."""
        node, first = spot.value, self._first_line(spot)
        inner: int = node.value[0][0].start_mark.column if node.id == "mapping" else spot.column + STEP
        if node.id == "scalar" and node.value:  # `clients: null`, spelt out
            spelt: int = node.start_mark.column
            self._lines[first] = self._lines[first][:spelt].rstrip() + self._newline
        last = _last_line(self._lines, first, self._end(spot), inner)
        if not self._lines[last].endswith("\n"):
            self._lines[last] += self._newline
        return self._with_lines(last + 1, last + 1, self._block(document, inner, max(inner - spot.column, STEP)))

    def _without_flow(self, spot: _Spot) -> str:
        members, end = spot.holder.value, spot.value.end_mark.index
        start = spot.start.index
        if spot.index + 1 < len(members):
            following = _Spot(spot.holder, spot.index + 1, spot.bound).start.index
            comma = self._text.index(",", end) + 1
            return self._text[:start] + self._text[following if "#" not in self._text[end:following] else comma :]
        if spot.index:
            start = _Spot(spot.holder, spot.index - 1, spot.bound).value.end_mark.index
        return self._text[:start] + self._text[end:]

    def _first_line(self, spot: _Spot) -> int:
        """Return the line on which a member begins, an item with its dash."""
        line: int = spot.start.line
        if not spot.is_item or spot.holder.flow_style:
            return line
        top: int = spot.holder.start_mark.line
        while line > top and not (
            self._begins_line(line, spot.column) and self._lines[line][spot.column :].startswith("-")
        ):
            line -= 1
        return line

    def _end(self, spot: _Spot) -> int:
        """Return the line on which the next member begins."""
        following = spot.index + 1
        if following < len(spot.holder.value):
            return self._first_line(_Spot(spot.holder, following, spot.bound))
        return spot.bound

    def _span(self, spot: _Spot) -> tuple[int, int]:
        """Return the first and the last line of a member in block style."""
        first, dashes = self._first_line(spot), not spot.is_item and spot.value.id == "sequence"
        return first, _last_line(self._lines, first, self._end(spot), spot.column + 1, dashes=dashes)

    def _above(self, line: int, spot: _Spot) -> int:
        """Return the first line of the comment right above an item, or the item's own."""
        top = spot.holder.start_mark.line if spot.holder.value[0].start_mark.line < line else -1
        while line > 0 and line - 1 != top and self._lines[line - 1].lstrip(" ").startswith("#"):
            if _depth(self._lines[line - 1]) != spot.column:
                break
            line -= 1
        return line

    def _begins_line(self, line: int, column: int) -> bool:
        return not self._lines[line][:column].strip()

    def _start_of(self, spot: _Spot) -> int:
        """Return where a member in block style begins, an item with its dash."""
        if not spot.is_item:
            return spot.start.index  # type: ignore[no-any-return]  # the library has no types
        return sum(map(len, self._lines[: self._first_line(spot)])) + spot.column

    def _with_lines(self, first: int, end: int, lines: Sequence[str]) -> str:
        if first and lines and not self._lines[first - 1].endswith("\n"):
            self._lines[first - 1] += self._newline
        return "".join([*self._lines[:first], *lines, *self._lines[end:]])

    def _block(self, document: JSON, column: int, step: int = STEP) -> list[str]:
        return [f"{line}{self._newline}" for line in format_yaml(document, column, Layout(step, width=0))]

    def _flow(self, value: JSON) -> str:
        return _inline(value, as_json=self._json)


def _find(node: Any, step: str | int) -> int | None:
    """Return the place of a member in a node."""
    if node is None or isinstance(step, int) != (node.id == "sequence"):
        return None
    if isinstance(step, int):
        return step if step < len(node.value) else None
    if node.id != "mapping":
        return None
    return next((index for index, (key, _) in enumerate(node.value) if key.value == step), None)


def _last_line(lines: Sequence[str], first: int, end: int, column: int, *, dashes: bool = False) -> int:
    """Return the last line of a member that begins on the first one: those that are indented deeper, comments included.

    Args:
        dashes: whether the member is a list, whose items may begin one column to the left.
    """

    def belongs(line: str) -> bool:
        return _depth(line) >= column or (dashes and _depth(line) == column - 1 and line.lstrip().startswith("-"))

    return max(index for index in range(first, max(end, first + 1)) if index == first or belongs(lines[index]))


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" ")) if line.strip() else -1


def _inline(value: JSON, *, as_json: bool) -> str:
    """Return a value on one line."""
    return json.dumps(value, ensure_ascii=False) if as_json else format_flow(value)


def _compose(text: str) -> Any:
    from ruamel.yaml import YAML

    composer: Any = YAML(typ="safe", pure=True)  # the library has no types for what it reads
    return composer.compose(text.replace("\t", " "))
