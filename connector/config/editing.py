"""A client more in a configuration's file: new lines in the right place, everything else as it stands."""

from __future__ import annotations

import difflib
import io
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as File
from textwrap import indent
from typing import Any

from connector.config.reading import read_text
from connector.errors import ConfigurationError
from connector.model import JSON, is_object

__all__ = ["Edit", "add_client"]

SECTION = "clients"


@dataclass(frozen=True, slots=True)
class Edit:
    """A file's text before and after."""

    file: File
    before: str
    after: str

    def diff(self) -> str:
        """The change as a unified diff."""
        name = str(self.file)
        before, after = (text.splitlines(keepends=True) for text in (self.before, self.after))
        lines = difflib.unified_diff(before, after, f"{name} (before)", name)
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def write(self) -> None:
        """Writes the file, whole or not at all."""
        folder = self.file.parent
        folder.mkdir(parents=True, exist_ok=True)
        mode = self.file.stat().st_mode & 0o777 if self.file.exists() else None
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=folder, delete=False) as copy:
            copy.write(self.after)
        if mode is not None:
            File(copy.name).chmod(mode)
        os.replace(copy.name, self.file)  # noqa: PTH105  one call, whole or not at all


def add_client(file: File, name: str, prototype: str, parameters: Mapping[str, JSON]) -> Edit:
    """A client more in a file, which may be new; a name that is taken is refused."""
    before = _text(file)
    known = _clients(before, file)
    if name in known:
        raise ConfigurationError(f"{file}: there is a client {name!r} already; edit it, or choose another name")
    entry: dict[str, JSON] = {"prototype": prototype} | ({"parameters": dict(parameters)} if parameters else {})
    after = _Insertion(before, file).of(name, entry)
    if not _holds(after, {**known, name: entry}, file):
        raise ConfigurationError(f"{file}: a client cannot be added to what is written there; add it by hand")
    return Edit(file, before, after)


def _holds(text: str, clients: Mapping[str, JSON], file: File) -> bool:
    """Whether a text has exactly these clients."""
    tree = read_text(text, str(file))
    return not tree.findings and is_object(tree.value) and tree.value.get(SECTION) == clients


def _text(file: File) -> str:
    if not file.exists():
        return ""
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            return opened.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {type(error).__name__}; save it as UTF-8") from None


def _clients(text: str, file: File) -> Mapping[str, JSON]:
    """The clients of a text that can be read."""
    tree = read_text(text, str(file))
    if tree.findings:
        raise ConfigurationError(f"{tree.findings[0]}; `lint` shows everything")
    if tree.value is not None and not is_object(tree.value):
        raise ConfigurationError(f"{file}: not an object; `lint` shows where")
    clients = (tree.value or {}).get(SECTION)
    if clients is not None and not is_object(clients):
        raise ConfigurationError(f"{file}: {SECTION} is no object; `lint` shows where")
    return clients or {}


class _Insertion:
    """Finds the place of a new client, and writes it as its neighbours are written."""

    def __init__(self, text: str, file: File) -> None:
        self._text = text
        self._json = file.suffix == ".json"
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._root = _compose(text)

    def of(self, name: str, entry: dict[str, JSON]) -> str:
        """The text with the client."""
        if self._root is None:
            return self._at_end({SECTION: {name: entry}})
        pairs = self._root.value
        found = next((index for index, (key, _) in enumerate(pairs) if key.value == SECTION), None)
        if found is None and self._root.flow_style:
            return self._in_flow(self._root, SECTION, {name: entry})
        if found is None:
            return self._at_end({SECTION: {name: entry}})
        key, clients = pairs[found]
        if clients.id == "mapping" and clients.flow_style:
            return self._in_flow(clients, name, entry)
        following = pairs[found + 1][0].start_mark.line if found + 1 < len(pairs) else None
        return self._in_block(key, clients, following, {name: entry})

    def _at_end(self, document: dict[str, JSON]) -> str:
        text = self._text if not self._text or self._text.endswith("\n") else self._text + self._newline
        if self._json:
            return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n"
        gap = self._newline if text.strip() else ""
        return text + gap + self._block(document, 2)

    def _in_flow(self, mapping: Any, name: str, entry: JSON) -> str:
        """Between braces, after the last member."""
        if mapping.value:
            at, comma = mapping.value[-1][1].end_mark.index, ", "
        else:
            at, comma = mapping.start_mark.index + 1, ""
        return f"{self._text[:at]}{comma}{self._flow(name, entry)}{self._text[at:]}"

    def _in_block(self, key: Any, clients: Any, following: int | None, document: dict[str, JSON]) -> str:
        """On lines of its own, below the last line that belongs to the clients."""
        lines = self._text.splitlines(keepends=True)
        column: int = key.start_mark.column
        start: int = key.start_mark.line
        inner = clients.value[0][0].start_mark.column if clients.id == "mapping" else column + 2
        if clients.id == "scalar" and clients.value:  # `clients: null`, spelt out
            spelt: int = clients.start_mark.column
            lines[start] = lines[start][:spelt].rstrip() + self._newline
        last = max(
            index for index in range(start, following or len(lines)) if _belongs(lines[index], inner, index == start)
        )
        if not lines[last].endswith("\n"):
            lines[last] += self._newline
        lines.insert(last + 1, indent(self._block(document, inner - column), " " * inner))
        return "".join(lines)

    def _block(self, document: dict[str, JSON], step: int) -> str:
        text = _dumped(document, step, flow=False)
        return text.replace("\n", self._newline)

    def _flow(self, name: str, entry: JSON) -> str:
        if self._json:
            return json.dumps({name: entry}, ensure_ascii=False)[1:-1]
        return _dumped({name: entry}, 2, flow=True).strip()[1:-1]


def _belongs(line: str, column: int, first: bool) -> bool:
    """Whether a line is the section's own: its first, or one that is indented like its entries, comments too."""
    text = line.strip()
    return first or (bool(text) and len(line) - len(line.lstrip(" ")) >= column)


def _compose(text: str) -> Any:
    from ruamel.yaml import YAML

    composer: Any = YAML(typ="safe", pure=True)  # the library has no types for what it reads
    return composer.compose(text.replace("\t", " "))


def _dumped(document: dict[str, JSON], step: int, *, flow: bool) -> str:
    from ruamel.yaml import YAML

    dumper: Any = YAML(typ="safe", pure=True)
    dumper.default_flow_style = flow
    dumper.sort_base_mapping_type_on_output = False
    dumper.allow_unicode = True
    dumper.width = 4096
    dumper.indent = max(step, 2)
    written = io.StringIO()
    dumper.dump(document, written)
    return written.getvalue()
