"""`${NAME}` in the texts of a configuration: parsed, and filled in once it is looked up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connector.config.findings import Path
from connector.config.tree import walk
from connector.model import JSON
from connector.transform.placeholders import escape

__all__ = [
    "ALLOWED",
    "Malformed",
    "Reference",
    "Template",
    "fill_inert",
    "fill_template",
    "has_reference",
    "parse",
    "references_in",
]

ALLOWED = "${NAME}, ${NAME:-default}, ${file:PATH} and ${keyring:SERVICE/NAME} are allowed; \\${ is plain text"
TOKEN = re.compile(
    r"\\\$\{|\\\{\{|\$\{(?!\{)([^{}]*)(\})?|@\{variables\.([\w-]+)\}"
    r"|(?P<foreign>\$\{\{[^{}]*\}\}|\{\{\s*secrets\.[^{}]*\}\})"
)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a value that is kept elsewhere."""

    kind: str
    """environment, file, keyring, or variable: one that the configuration declares."""
    name: str
    default: str | None = None

    def __str__(self) -> str:
        if self.kind == "variable":
            return f"@{{variables.{self.name}}}"
        prefix = "" if self.kind == "environment" else f"{self.kind}:"
        return f"${{{prefix}{self.name}}}"


@dataclass(frozen=True, slots=True)
class Malformed:
    """Text that begins like a reference and is not one."""

    text: str

    @property
    def meant(self) -> str:
        """How another platform's reference to a secret is written here."""
        name = re.search(r"\b([A-Za-z_][A-Za-z0-9_]*)\s*\}\}", self.text)
        return f"write ${{{name[1]}}}" if name else ""


Template = tuple[str | Reference | Malformed, ...]


def _is_foreign(text: str, at: int) -> bool:
    """Return whether another platform's reference to a secret begins there, the only one that can be escaped."""
    return re.match(r"\{\{\s*secrets\.", text[at:]) is not None


def has_reference(text: str) -> bool:
    """Return whether a text may hold a reference."""
    return "${" in text or "{{" in text


def parse(text: str, *, declared: bool = False) -> Template:
    """Parse a text into plain parts and references; with `declared`, `@{variables.…}` is a reference too."""
    parts: list[str | Reference | Malformed] = []
    end = 0
    for token in TOKEN.finditer(text):
        parts.append(text[end : token.start()])
        end = token.end()
        if token[0].startswith("@"):
            parts.append(Reference("variable", token[3]) if declared else token[0])
        elif token[0].startswith("\\"):
            parts.append(token[0][1:] if token[0] == "\\${" or _is_foreign(text, token.end() - 2) else token[0])
        elif token["foreign"]:
            parts.append(Malformed(token[0]))
        else:
            parts.append(_reference(token[1]) if token[2] else Malformed(token[0]))
    parts.append(text[end:])
    return tuple(part for part in parts if part != "")


def references_in(
    value: JSON, path: Path = (), *, declared: bool = False
) -> Iterator[tuple[Path, Reference | Malformed]]:
    """Yield every reference in a value with its path."""
    for place, text in walk(value, path):
        if isinstance(text, str) and (has_reference(text) or (declared and "@{" in text)):
            yield from ((place, part) for part in parse(text, declared=declared) if not isinstance(part, str))


def _reference(body: str) -> Reference | Malformed:
    name, separator, rest = body.partition(":-")
    default = rest if separator else None
    kind, colon, inner = name.partition(":")
    if colon and kind in ("file", "keyring") and inner.strip():
        return Reference(kind, inner.strip(), default)
    return Reference("environment", name, default) if NAME.fullmatch(name) else Malformed(f"${{{body}}}")


SIGN_AT_END = re.compile(r"(?<!\\)(\\*)([&?@])$")
SLASHES_AT_END = re.compile(r"(?<!\\)(\\+)$")
OPENING = re.compile(r"(?<!\\)\\*[&?@]\{")


def fill_template(template: Template, find: Callable[[Reference], JSON]) -> str:
    """Return a template with its values inserted as they are, for parameters without placeholders."""
    return "".join(_text_of(part, find) for part in template)


def fill_inert(template: Template, find: Callable[[Reference], JSON]) -> str:
    """Return a template with its values inserted and escaped, so that only the template can hold placeholders.

    A value could also complete a placeholder with its neighbours, so the seams are escaped as well.
    """
    text = ""
    for part in template:
        text = _join(text, escape(str(find(part))) if isinstance(part, Reference) else _text_of(part, find))
    return text


def _join(text: str, piece: str) -> str:
    """Join two pieces so that no placeholder arises at the seam."""
    if piece.startswith("{"):
        text = SIGN_AT_END.sub(r"\1\1\\\2", text)
    elif OPENING.match(piece):
        text = SLASHES_AT_END.sub(r"\1\1", text)
    return text + piece


def _text_of(part: str | Reference | Malformed, find: Callable[[Reference], JSON]) -> str:
    if isinstance(part, Reference):
        return str(find(part))
    return part if isinstance(part, str) else part.text
