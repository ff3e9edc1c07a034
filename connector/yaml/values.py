"""Turns the nodes of the YAML library into values; what cannot be one is noted and left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connector.model import JSON
from connector.yaml.document import Path, Spot, YamlDocument, YamlFault
from connector.yaml.limits import Budget, Limits
from connector.yaml.scalars import TAG, UNKNOWN_TAG, NoValue, scalar
from connector.yaml.wording import NO_TEXT

__all__ = ["Reader"]


class Reader:
    """Reads one document within its limits."""

    def __init__(self, document: YamlDocument, limits: Limits) -> None:
        self.reached = Spot(1, 1)
        """Where the reading has got to."""
        self._document = document
        self._limits = limits
        self._budget = Budget(limits)
        self._scalars: dict[int, JSON] = {}

    def value(self, node: Any, path: Path, depth: int, key: Any = None) -> JSON:
        """Return what a node stands for, and note where it stands."""
        self._budget.spend(depth)
        place = self.reached = _spot(node)
        self._document.places[path] = (_spot(key) if key is not None else place, place)
        if node.id == "scalar":
            return self._scalar(node, path)
        if node.tag not in (f"{TAG}map", f"{TAG}seq"):
            self._refuse("wrong-type", node, path, *UNKNOWN_TAG)
        if node.id == "mapping":
            return self._mapping(node, path, depth)
        return [self.value(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]

    def _refuse(self, rule: str, node: Any, path: Path, found: str, allowed: str) -> None:
        if len(self._document.faults) < self._limits.faults:
            self._document.faults.append(YamlFault(rule, _spot(node), path, found, allowed))

    def _mapping(self, node: Any, path: Path, depth: int) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        first: dict[str, Any] = {}
        for key, item in self._members(node, path):
            name = self._name(key, path)
            if name is None:
                continue
            if name in first:
                earlier = _spot(first[name])
                allowed = f"it stands at line {earlier.line}, column {earlier.column} already; keep one of them"
                self._refuse("duplicate-key", key, (*path, name), "given twice", allowed)
                continue
            first[name] = key
            found[name] = self.value(item, (*path, name), depth + 1, key)
        for key, item in self._merged(node, depth):
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

    def _merged(self, node: Any, depth: int) -> Iterator[tuple[Any, Any]]:
        """Yield the members that `<<` brings from elsewhere; those that stand here themselves win."""
        for key, item in node.value:
            for part in _parts(item) if _is_merge(key) else ():
                self._budget.spend(depth)
                if part.id == "mapping":
                    for pair in part.value:
                        self._budget.spend(depth)
                        if not _is_merge(pair[0]):
                            yield pair
                    yield from self._merged(part, depth + 1)

    def _name(self, key: Any, path: Path) -> str | None:
        if key.id == "scalar" and key.tag != f"{TAG}null":
            self._budget.spend_text(len(key.value))
            return self._key(key, path)
        self._refuse("wrong-type", key, path, NO_TEXT, "keys are text")
        return None

    def _key(self, key: Any, path: Path) -> str | None:
        try:
            return str(scalar(f"{TAG}str", key.value, any_integer=True))
        except NoValue as wrong:
            self._refuse("wrong-type", key, path, f"a key with {wrong.found}", wrong.allowed)
        return None

    def _scalar(self, node: Any, path: Path) -> JSON:
        self._budget.spend_text(len(node.value))
        if id(node) not in self._scalars:
            try:
                value = scalar(node.tag, node.value, any_integer=self._limits.any_integer)
            except NoValue as wrong:
                value = None
                self._refuse("wrong-type", node, path, wrong.found, wrong.allowed)
            self._scalars[id(node)] = value
        return self._scalars[id(node)]


def _is_merge(key: Any) -> bool:
    return bool(key.id == "scalar" and key.tag == f"{TAG}merge")


def _parts(item: Any) -> list[Any]:
    return list(item.value) if item.id == "sequence" else [item]


def _spot(node: Any) -> Spot:
    return Spot(node.start_mark.line + 1, node.start_mark.column + 1)
