"""Overlays: hand-written YAML that adds what a document does not say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.catalogue.importer.names import NamingRules
from connector.catalogue.index import normalize_name
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, items, members
from connector.yaml import read_yaml

__all__ = ["Overlay", "Overlays", "matches", "merge_patch", "read_overlays"]

SECTIONS = frozenset({
    "applies_to", "names", "areas", "keys", "operations", "aliases", "paths", "components", "x-additions", "x-relaxed",
    "x-filled", "x-handed-back",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Overlay:
    """One file of an overlays folder."""

    file: str
    text: bytes
    content: Mapping[str, Any]

    @property
    def is_generated(self) -> bool:
        """Whether an update makes it anew, so that nobody needs to mend it by hand."""
        return self.text.startswith(b"# Made by ")

    @property
    def addresses(self) -> list[str]:
        """Return the addresses of its documents; none when it applies with the rest of its folder."""
        return items(self.content.get("applies_to"))


@dataclass(frozen=True, slots=True)
class Overlays:
    """The overlays that apply to one document."""

    files: Sequence[Overlay] = ()
    naming: NamingRules = field(default_factory=NamingRules)

    def section(self, name: str) -> dict[str, JSON]:
        """Merge one section of every file; raise ConfigurationError for a key in two files."""
        merged: dict[str, JSON] = {}
        for overlay in self.files:
            declared = members(overlay.content.get(name))
            if twice := merged.keys() & declared.keys():
                raise ConfigurationError(f"overlays/{overlay.file}: {name}: {min(twice)!r} stands in another file too")
            merged |= declared
        return merged

    def patches(self, wire_name: str) -> Iterable[Mapping[str, JSON]]:
        """Yield the patches of one operation: patterns with `*` first, its own name last."""
        every = self._patches()
        for pattern, patch in (*(one for one in every if "*" in one[0]), *(one for one in every if "*" not in one[0])):
            if matches(pattern, wire_name):
                yield patch

    def patterns(self) -> Iterable[str]:
        """Return the operations, or patterns of operations, that patches are for."""
        return [pattern for pattern, _ in self._patches()]

    def _patches(self) -> list[tuple[str, dict[str, JSON]]]:
        return [item for overlay in self.files for item in members(overlay.content.get("operations")).items()]

    def area(self, path: str) -> str | None:
        """Return the area of a path by the longest matching pattern."""
        fitting = [pattern for pattern in self.section("areas") if matches(pattern, path)]
        return self.section("areas")[max(fitting, key=len)] if fitting else None


def read_overlays(folder: Path, addresses: Sequence[str]) -> Overlays:
    """Read the overlays in a folder that apply to a document served at these addresses.

    A file that names no address goes with the others: it applies when one of them does, or when none names any.
    """
    texts = {path: path.read_bytes() for path in sorted(folder.glob("*.yaml"))}
    speaking = [_read(path, text) for path, text in texts.items() if b"\napplies_to:" in text]
    files = [overlay for overlay in speaking if set(overlay.addresses) & set(addresses)]
    if files or not speaking:
        files += [_read(path, text) for path, text in texts.items() if b"\napplies_to:" not in text]
    files.sort(key=lambda overlay: overlay.file)
    names = [members(overlay.content.get("names")) for overlay in files]
    rewrites = [rewrite for name in names for rewrite in items(name.get("rewrites"))]
    known = {word: written for name in names for word, written in members(name.get("words")).items()}
    return Overlays(files, NamingRules(rewrites, known))


def _read(path: Path, text: bytes) -> Overlay:
    content = members(read_yaml(text, str(path)))
    if unknown := sorted(content.keys() - SECTIONS):
        allowed = ", ".join(sorted(SECTIONS))
        raise ConfigurationError(f"{path}: unknown section {unknown[0]!r}; an overlay has {allowed}")
    return Overlay(path.name, text, content)


def matches(pattern: str, name: str) -> bool:
    """Return whether a pattern, in which `*` matches anything, matches a whole name."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


def merge_patch(entry: Mapping[str, JSON], patch: Mapping[str, JSON]) -> dict[str, JSON]:
    """Merge a patch into an entry: aliases add up, maps but the answer merge, null removes, all else replaces."""
    result = dict(entry)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif key == "aliases":
            result[key] = _drop_repeats([*result.get(key, []), *value])
        elif key != "answer" and is_document(value) and is_document(result.get(key)):
            result[key] = {**result[key], **value}
        else:
            result[key] = value
    return result


def _drop_repeats(aliases: Iterable[str]) -> list[str]:
    """Drop aliases that are equal to an earlier one but for separators and case."""
    first: dict[str, str] = {}
    for alias in aliases:
        first.setdefault(normalize_name(alias), alias)
    return list(first.values())
