"""One file of a configuration: YAML 1.2 or JSON as plain values, with the place of each in the file."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from connector.config.findings import Finding, Path, Place, path_text
from connector.documents import HIGHEST, LOWEST, MAX_DEPTH
from connector.model import JSON, Fault

__all__ = ["Tree", "read_text"]

MOST_CHARACTERS = 8 * 1024**2
MOST_VALUES = 200_000
"""Far above any configuration that people keep; aliases can multiply a few lines beyond any bound."""
TAG = "tag:yaml.org,2002:"
SYNTAX_HINT = "quote texts that start with & * @ ? % or `, and texts that hold braces or commas inside { } and [ ]"


@dataclass(slots=True)
class Tree:
    """Plain values and where they stand."""

    value: JSON = None
    places: dict[Path, tuple[Place, Place]] = field(default_factory=dict[Path, tuple[Place, Place]])
    """For each path the place of its key (of a list's item, the item itself) and of its value."""
    findings: list[Finding] = field(default_factory=list[Finding])

    def key_place(self, path: Path) -> Place:
        """Where a member's name stands, or what is nearest to it."""
        return self._nearest(path)[0]

    def value_place(self, path: Path) -> Place:
        """Where a value stands, or what is nearest to it."""
        return self._nearest(path)[1]

    def _nearest(self, path: Path) -> tuple[Place, Place]:
        while path not in self.places and path:
            path = path[:-1]
        return self.places.get(path, (Place("", 1, 1), Place("", 1, 1)))


def read_text(text: str, file: str) -> Tree:
    """The values of a text, and everything in it that is no JSON."""
    tree = Tree(places={(): (Place(file, 1, 1), Place(file, 1, 1))})
    if len(text) > MOST_CHARACTERS:
        found = Fault("", f"the file has {len(text):,} characters", f"at most {MOST_CHARACTERS:,} are read")
        tree.findings.append(Finding("syntax", Place(file, 1, 1), found))
        return tree
    node = _compose(text, file, tree)
    if node is not None:
        reader = _Reader(file, tree)
        try:
            tree.value = reader.value(node, (), 0)
        except _TooMuch as bound:
            reader.refuse("syntax", node, (), str(bound), "do aliases in it multiply, or hold themselves?")
            tree.value = None
    return tree


def _compose(text: str, file: str, tree: Tree) -> Any:
    """The text as nodes of the YAML library; JSON is YAML once its tabs, which only indent, are blanks."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import ReusedAnchorWarning, YAMLError

    if file.endswith(".json"):
        text = text.replace("\t", " ")
    composer: Any = YAML(typ="safe", pure=True)  # the library has no types for what it reads
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML allows it, and real documents do it
            return composer.compose(text)
    except YAMLError as error:
        tree.findings.append(_syntax(error, text, file))
    except RecursionError:
        tree.findings.append(
            Finding("syntax", Place(file, 1, 1), Fault("", "nested too deep", f"at most {MAX_DEPTH} levels are read"))
        )
    return None


def _syntax(error: Any, text: str, file: str) -> Finding:
    # The library's own message quotes the line, which may hold a secret: only its words and its mark are used.
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = Place(file, mark.line + 1, mark.column + 1) if mark else _unreadable_place(error, text, file)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
    return Finding("syntax", place, Fault("", f"not YAML: {' '.join(str(problem).split())}", SYNTAX_HINT))


def _unreadable_place(error: Any, text: str, file: str) -> Place:
    before = text[: getattr(error, "position", 0)]
    return Place(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


class _TooMuch(Exception):
    """A document beyond the bounds."""


class _Reader:
    """Turns nodes into values; what cannot be one is noted and left out."""

    def __init__(self, file: str, tree: Tree) -> None:
        self._file = file
        self._tree = tree
        self._left = MOST_VALUES

    def refuse(self, rule: str, node: Any, path: Path, found: str, allowed: str) -> None:
        self._tree.findings.append(Finding(rule, self._place(node), Fault(path_text(path), found, allowed)))

    def value(self, node: Any, path: Path, depth: int, key: Any = None) -> JSON:
        self._left -= 1
        if self._left < 0:
            raise _TooMuch(f"more than {MOST_VALUES:,} values")
        if depth > MAX_DEPTH:
            raise _TooMuch(f"more than {MAX_DEPTH} levels")
        place = self._place(node)
        self._tree.places[path] = (self._place(key) if key is not None else place, place)
        if node.id != "scalar" and node.tag not in (f"{TAG}map", f"{TAG}seq"):
            self._unknown_tag(node, path)
        if node.id == "mapping":
            return self._mapping(node, path, depth)
        if node.id == "sequence":
            return [self.value(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: Any, path: Path, depth: int) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        first: dict[str, Any] = {}
        for key, item in self._members(node, path):
            name = self._name(key, path)
            if name is None:
                continue
            if name in first:
                allowed = f"it stands at {self._place(first[name])} already; keep one of them"
                self.refuse("duplicate-key", key, (*path, name), "given twice", allowed)
                continue
            first[name] = key
            found[name] = self.value(item, (*path, name), depth + 1, key)
        for key, item in self._merged(node, path):
            name = self._name(key, path)
            if name is not None and name not in found:
                found[name] = self.value(item, (*path, name), depth + 1, key)
        return found

    def _members(self, node: Any, path: Path) -> Iterator[tuple[Any, Any]]:
        for key, item in node.value:
            if not _is_merge(key):
                yield key, item
            elif any(part.id != "mapping" for part in _parts(item)):
                self.refuse(
                    "wrong-type", item, path, "`<<` merges something else than objects", "name an anchor of one"
                )

    def _merged(self, node: Any, path: Path, deep: int = 0) -> Iterator[tuple[Any, Any]]:
        """The members that `<<` brings from elsewhere; those that stand here themselves win."""
        if deep > MAX_DEPTH:
            raise _TooMuch(f"more than {MAX_DEPTH} levels")
        for key, item in node.value:
            for part in _parts(item) if _is_merge(key) else ():
                if part.id == "mapping":
                    yield from (pair for pair in part.value if not _is_merge(pair[0]))
                    yield from self._merged(part, path, deep + 1)

    def _name(self, key: Any, path: Path) -> str | None:
        if key.id == "scalar" and key.tag != f"{TAG}null":
            return _text(key.value)
        self.refuse("wrong-type", key, path, "a key that is no text", "keys are text")
        return None

    def _scalar(self, node: Any, path: Path) -> JSON:
        kind = node.tag.removeprefix(TAG)
        if kind in ("str", "timestamp"):  # a date is text, as YAML 1.2 has it
            return self._checked(_text(node.value), node, path)
        if kind == "null":
            return None
        if kind == "bool":
            return node.value.lower() in ("true", "yes", "on")
        try:
            return self._number(kind, node, path)
        except ValueError:
            self._unknown_tag(node, path)
            return None

    def _unknown_tag(self, node: Any, path: Path) -> None:
        self.refuse("wrong-type", node, path, f"the tag {node.tag} is not known", "write the value without a tag")

    def _checked(self, text: str, node: Any, path: Path) -> str:
        if any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in text):
            allowed = "only text that UTF-8 can hold, without NUL, is accepted"
            self.refuse("wrong-type", node, path, "a lone surrogate or NUL", allowed)
        return text

    def _number(self, kind: str, node: Any, path: Path) -> JSON:
        if kind not in ("int", "float"):
            raise ValueError(kind)
        text = node.value.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "nan")
        number = _integer(text) if kind == "int" else float(text)
        if isinstance(number, int) and not LOWEST <= number <= HIGHEST:
            self.refuse("wrong-type", node, path, "an integer beyond 64 bits", "write it as text, in quotes")
            return None
        if isinstance(number, float) and (number != number or abs(number) == float("inf")):
            self.refuse("wrong-type", node, path, "not a finite number", "JSON has no infinity and no NaN")
            return None
        return number

    def _place(self, node: Any) -> Place:
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)


def _is_merge(key: Any) -> bool:
    return bool(key.id == "scalar" and key.tag == f"{TAG}merge")


def _parts(item: Any) -> list[Any]:
    return list(item.value) if item.id == "sequence" else [item]


def _integer(text: str) -> int:
    return int(text, 0) if re.match(r"[+-]?0[xob]", text) else int(text)


def _text(text: str) -> str:
    """JSON's escapes may write one letter as two halves."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return text
