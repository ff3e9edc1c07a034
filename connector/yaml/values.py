"""Turns the nodes of the YAML library into JSON values; what is not one is noted and left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connector.documents import HIGHEST, LOWEST
from connector.model import JSON
from connector.yaml.document import Budget, Limits, Path, Position, YamlDocument, YamlFault

__all__ = ["NO_TEXT", "NodeReader"]

TAG = "tag:yaml.org,2002:"
UNKNOWN_TAG = ("an unknown tag", "write the value without it; text that begins with ! stands in quotes")
"""The tag is not shown: it may be a password without quotes."""
NO_TEXT = "a key that is no text"
MOST_DIGITS = 400
"""Digits of the longest integer that is looked at; Python itself refuses a few thousand."""
INTEGER = re.compile(r"[+-]?(0x[0-9a-f]+|0o[0-7]+|0b[01]+|[0-9]+)")


class NoValue(Exception):
    """A scalar that is not a JSON value: what was found, and what is allowed."""

    def __init__(self, found: str, allowed: str) -> None:
        self.found = found
        self.allowed = allowed
        super().__init__(found)


def read_scalar(tag: str, text: str, *, any_integer: bool) -> JSON:
    """Return the value of a scalar with a tag; raise NoValue when it has none."""
    kind = tag.removeprefix(TAG)
    if kind in ("str", "timestamp"):  # a date is text, as YAML 1.2 has it
        return _check_text(_join_surrogates(text))
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on")
    if kind == "int":
        return _read_integer(text.lower().replace("_", ""), any_integer=any_integer)
    if kind == "float":
        return _read_float(text.lower().replace("_", ""))
    raise NoValue(*UNKNOWN_TAG)


def _join_surrogates(text: str) -> str:
    """Return the text with surrogate pairs joined, as JSON escapes write them."""
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return text


def _check_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _unencodable() from None
    if "\0" in text:
        raise _unencodable()
    return text


def _unencodable() -> NoValue:
    return NoValue("a lone surrogate or NUL", "only text that UTF-8 can hold, without NUL, is accepted")


def _read_integer(text: str, *, any_integer: bool) -> int:
    if not INTEGER.fullmatch(text):
        raise NoValue("no integer", "write digits, or put it in quotes as text")
    if len(text) > MOST_DIGITS:
        raise _too_large()
    number = int(text, 0) if re.match(r"[+-]?0[xob]", text) else int(text)
    if not any_integer and not LOWEST <= number <= HIGHEST:
        raise _too_large()
    return number


def _too_large() -> NoValue:
    return NoValue("an integer beyond 64 bits", "write it as text, in quotes")


def _read_float(text: str) -> float:
    try:
        number = float(text.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise NoValue("no number", "write a decimal number, or put it in quotes as text") from None
    if number != number or abs(number) == float("inf"):
        raise NoValue("not a finite number", "JSON has no infinity and no NaN")
    return number


class NodeReader:
    """Reads one document within its limits."""

    def __init__(self, document: YamlDocument, limits: Limits) -> None:
        self.position = Position(1, 1)
        """The position that was read last."""
        self._document = document
        self._limits = limits
        self._budget = Budget(limits)
        self._scalars: dict[int, JSON] = {}

    def value(self, node: Any, path: Path, depth: int, key: Any = None) -> JSON:
        """Return the value of a node, and note its position."""
        self._budget.spend(depth)
        place = self.position = _position(node)
        self._document.places[path] = (_position(key) if key is not None else place, place)
        if node.id == "scalar":
            return self._scalar(node, path)
        if node.tag not in (f"{TAG}map", f"{TAG}seq"):
            self._refuse("wrong-type", node, path, *UNKNOWN_TAG)
        if node.id == "mapping":
            return self._mapping(node, path, depth)
        return [self.value(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]

    def _refuse(self, rule: str, node: Any, path: Path, found: str, allowed: str) -> None:
        if len(self._document.faults) < self._limits.faults:
            self._document.faults.append(YamlFault(rule, _position(node), path, found, allowed))

    def _mapping(self, node: Any, path: Path, depth: int) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        first: dict[str, Any] = {}
        for key, item in self._members(node, path):
            name = self._name(key, path)
            if name is None:
                continue
            if name in first:
                earlier = _position(first[name])
                allowed = f"it stands at line {earlier.line}, column {earlier.column} already; keep one of them"
                self._refuse("duplicate-key", key, (*path, name), "given twice", allowed)
                continue
            first[name] = key
            found[name] = self.value(item, (*path, name), depth + 1, key)
        for key, item in self._merge(node, depth):
            name = self._name(key, path)
            if name is not None and name not in found:
                found[name] = self.value(item, (*path, name), depth + 1, key)
        return found

    def _members(self, node: Any, path: Path) -> Iterator[tuple[Any, Any]]:
        for key, item in node.value:
            if not _is_merge(key):
                yield key, item
            elif any(part.id != "mapping" for part in _parts(item)):
                found = "`<<` merges something else than objects"
                self._refuse("wrong-type", item, path, found, "name an anchor of one")

    def _merge(self, node: Any, depth: int) -> Iterator[tuple[Any, Any]]:
        """Yield the members that `<<` brings from elsewhere; members of the object itself win."""
        for key, item in node.value:
            for part in _parts(item) if _is_merge(key) else ():
                self._budget.spend(depth)
                if part.id == "mapping":
                    for pair in part.value:
                        self._budget.spend(depth)
                        if not _is_merge(pair[0]):
                            yield pair
                    yield from self._merge(part, depth + 1)

    def _name(self, key: Any, path: Path) -> str | None:
        if key.id == "scalar" and key.tag != f"{TAG}null":
            self._budget.spend_text(len(key.value))
            return self._key(key, path)
        self._refuse("wrong-type", key, path, NO_TEXT, "keys are text")
        return None

    def _key(self, key: Any, path: Path) -> str | None:
        try:
            return str(read_scalar(f"{TAG}str", key.value, any_integer=True))
        except NoValue as wrong:
            self._refuse("wrong-type", key, path, f"a key with {wrong.found}", wrong.allowed)
        return None

    def _scalar(self, node: Any, path: Path) -> JSON:
        self._budget.spend_text(len(node.value))
        if id(node) not in self._scalars:
            try:
                value = read_scalar(node.tag, node.value, any_integer=self._limits.any_integer)
            except NoValue as wrong:
                value = None
                self._refuse("wrong-type", node, path, wrong.found, wrong.allowed)
            self._scalars[id(node)] = value
        return self._scalars[id(node)]


def _is_merge(key: Any) -> bool:
    return bool(key.id == "scalar" and key.tag == f"{TAG}merge")


def _parts(item: Any) -> list[Any]:
    return list(item.value) if item.id == "sequence" else [item]


def _position(node: Any) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)
