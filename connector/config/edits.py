"""Named entries of a configuration added, changed and removed, while the rest of the file stays as it is."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as File

from connector.aio.atomic_file import write_atomically
from connector.config.changes import Change, find_changes
from connector.config.text_edits import rewrite
from connector.config.tree import read_text
from connector.errors import ConfigurationError, UnknownName
from connector.model import JSON, is_object
from connector.suggestions import closest

__all__ = ["Edit", "add_client", "add_entry", "change_entry", "entry_at", "remove_entry"]


@dataclass(frozen=True, slots=True)
class Edit:
    """A change to a file: its text before and after."""

    file: File
    before: str
    after: str

    def diff(self) -> str:
        """Return the change as a unified diff."""
        name = str(self.file)
        before, after = (text.splitlines(keepends=True) for text in (self.before, self.after))
        lines = difflib.unified_diff(before, after, f"{name} (before)", name)
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def write(self) -> None:
        """Write the file atomically."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        # A new file may hold secrets, so it is for its owner alone.
        write_atomically(self.file, self.after.encode(), mode=0o600)


def add_client(file: File, name: str, prototype: str, parameters: Mapping[str, JSON]) -> Edit:
    """Add a client to a file, which may be new; refuse a name that is taken."""
    entry: dict[str, JSON] = {"prototype": prototype} | ({"parameters": dict(parameters)} if parameters else {})
    return add_entry(file, "clients", name, entry)


def add_entry(file: File, section: str, name: str, entry: Mapping[str, JSON]) -> Edit:
    """Add an entry to a section of a file, which may be new; refuse a name that is taken."""
    before = _text(file)
    known = _entries(before, file, section)
    if name in known:
        raise ConfigurationError(
            f"{file}: there is {_article(section)} {name!r} already; change it by `edit`, or choose another name"
        )
    after = rewrite(before, [Change("put", (section, name), dict(entry))], file)
    return _verify(file, section, before, after, {**known, name: entry}, "added")


def change_entry(file: File, section: str, name: str, entry: Mapping[str, JSON]) -> Edit:
    """Change an entry: write what differs, and keep the comments of the rest."""
    before = _text(file)
    known = _entries(before, file, section)
    wanted = find_changes(_find_known(known, section, name, file), dict(entry), (section, name))
    after = rewrite(before, wanted, file)
    return _verify(file, section, before, after, {**known, name: entry}, "changed")


def remove_entry(file: File, section: str, name: str) -> Edit:
    """Remove an entry from a section."""
    before = _text(file)
    known = _entries(before, file, section)
    _find_known(known, section, name, file)
    left = {key: entry for key, entry in known.items() if key != name}
    after = rewrite(before, [Change("remove", (section, name))], file)
    return _verify(file, section, before, after, left, "removed")


def entry_at(file: File, section: str, name: str) -> JSON:
    """Return an entry as it is written in a file; raise UnknownName if there is none."""
    return _find_known(_entries(_text(file), file, section), section, name, file)


def _find_known(entries: Mapping[str, JSON], section: str, name: str, file: File) -> JSON:
    if name not in entries:
        there = f"{file} has {', '.join(entries)}" if entries else f"{file} has none"
        raise UnknownName(_singular(section), name, closest(name, entries), there)
    return entries[name]


def _verify(file: File, section: str, before: str, after: str, wanted: Mapping[str, JSON], what: str) -> Edit:
    """Return the edit if its text says exactly what is wanted and leaves all other sections alone."""
    old, new = read_text(before, str(file)), read_text(after, str(file))
    expected: dict[str, JSON] = {**(old.value or {}), section: dict(wanted)}
    found: dict[str, JSON] = new.value or {}
    same: dict[str, JSON] = {key: value or None for key, value in found.items()} | {section: found.get(section) or {}}
    if new.findings or same != {key: value or None for key, value in expected.items()} | {section: dict(wanted)}:
        hands = "add it" if what == "added" else "do it"
        raise ConfigurationError(
            f"{file}: {_article(section)} cannot be {what} in what is written there; {hands} by hand"
        )
    return Edit(file, before, after)


def _singular(section: str) -> str:
    return {"clients": "client", "routes": "route"}.get(section, f"{section} connection")


def _article(section: str) -> str:
    return f"{'an' if section[0] in 'io' else 'a'} {_singular(section)}"


def _text(file: File) -> str:
    if not file.exists():
        return ""
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            return opened.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {type(error).__name__}; save it as UTF-8") from None


def _entries(text: str, file: File, section: str) -> Mapping[str, JSON]:
    """Return a section's entries; refuse a text that cannot be read."""
    tree = read_text(text, str(file))
    if tree.findings:
        raise ConfigurationError(f"{tree.findings[0]}; `lint` shows everything")
    if tree.value is not None and not is_object(tree.value):
        raise ConfigurationError(f"{file}: not an object; `lint` shows where")
    entries = (tree.value or {}).get(section)
    if entries is not None and not is_object(entries):
        raise ConfigurationError(f"{file}: {section} is no object; `lint` shows where")
    return entries or {}
