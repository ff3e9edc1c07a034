"""Changes to a configuration's YAML that leave everything else, comments and order too, as it stands."""

from __future__ import annotations

import difflib
import io
from collections.abc import Mapping
from pathlib import Path as File
from typing import Any, cast

from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["Edit", "add_client"]


class Edit:
    """A file's text before and after."""

    def __init__(self, file: File, before: str, after: str) -> None:
        self.file = file
        self.before = before
        self.after = after

    def diff(self) -> str:
        """The change as a unified diff."""
        name = str(self.file)
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True), self.after.splitlines(keepends=True), f"{name} (before)", name
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def write(self) -> None:
        """Writes the file, whole or not at all."""
        import os
        import tempfile

        folder = self.file.parent
        folder.mkdir(parents=True, exist_ok=True)
        mode = self.file.stat().st_mode & 0o777 if self.file.exists() else None
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as copy:
            copy.write(self.after)
        if mode is not None:
            File(copy.name).chmod(mode)
        os.replace(copy.name, self.file)  # noqa: PTH105  one call, whole or not at all


def add_client(file: File, name: str, prototype: str, parameters: Mapping[str, JSON]) -> Edit:
    """A client more in a YAML file; a name that is taken is refused."""
    before = _text(file)
    yaml, document = _read(before, file)
    clients = document.get("clients")
    if clients is None:
        document["clients"] = clients = {}
    elif not isinstance(clients, dict):
        raise ConfigurationError(f"{file}: clients is no object; `lint` shows where")
    if name in clients:
        raise ConfigurationError(f"{file}: there is a client {name!r} already; edit it, or choose another name")
    entry: dict[str, JSON] = {"prototype": prototype}
    clients[name] = entry | ({"parameters": dict(parameters)} if parameters else {})
    written = io.StringIO()
    yaml.dump(document, written)
    return Edit(file, before, written.getvalue())


def _text(file: File) -> str:
    if not file.exists():
        return ""
    if file.suffix == ".json":
        raise ConfigurationError(f"{file} is JSON; only YAML is edited: rename it to .yaml, which holds JSON as well")
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {type(error).__name__}; save it as UTF-8") from None


def _read(text: str, file: File) -> tuple[Any, Any]:
    """The round-trip reader and the document, which keeps its comments, quotes and order."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    yaml: Any = YAML()  # the library has no types for what it reads
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(**_indentation(text))
    try:
        document = yaml.load(text) if text.strip() else None
    except YAMLError:
        raise ConfigurationError(f"{file} is not YAML that can be read; `lint` shows where") from None
    if document is not None and not isinstance(document, dict):
        raise ConfigurationError(f"{file}: not an object; `lint` shows where")
    return yaml, CommentedMap() if document is None else cast("Any", document)


def _indentation(text: str) -> dict[str, int]:
    """How the file indents: objects by their first inner line, lists by the first dash below a key."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    steps = [len(line) - len(line.lstrip(" ")) for line in lines]
    mapping = next(
        (step for line, step in zip(lines, steps, strict=True) if step and not line.lstrip().startswith("-")), 2
    )
    for index in range(1, len(lines)):
        if lines[index].lstrip().startswith("- ") and lines[index - 1].rstrip().endswith(":"):
            offset = max(steps[index] - steps[index - 1], 0)
            return {"mapping": mapping, "sequence": offset + 2, "offset": offset}
    return {"mapping": mapping, "sequence": 4, "offset": 2}
