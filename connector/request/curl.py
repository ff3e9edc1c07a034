"""A call as a command line for curl, its secrets as variables of the environment."""

from __future__ import annotations

import base64
import re
from shlex import quote
from typing import TYPE_CHECKING

from connector.request.display import SECRET_NAME
from connector.request.files import FileInput
from connector.request.multipart import MultipartBody
from connector.request.redaction import HIDDEN, Redactor, hide_credentials
from connector.request.sources import Content, LocalFile
from connector.request.wire import BytesBody

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.request.multipart import Part
    from connector.request.wire import Body, Wire

__all__ = ["command"]

INLINE = 8 * 1024
"""A longer body is put into a file of its own, not into the command line."""
CURL_KNOWS = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})
"""Headers that curl sends by itself, or whose answer it would print packed."""
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def command(wire: Wire, url: str, headers: Mapping[str, str], secrets: Mapping[str, str]) -> str:
    """Return a line that a POSIX shell runs; a file whose bytes are in the request needs bash."""
    words = _ShellWords(secrets)
    lines = [f"curl -sS{'N' if wire.answer == 'events' else ''}{_write_method(wire)} {words.url(url)}"]
    for name, value in headers.items():
        if name not in CURL_KNOWS and not (name == "content-type" and isinstance(wire.body, MultipartBody)):
            lines.append(f"-H {words(f'{name}: {value}', name)}")
    lines += _write_body(wire.body, words) if wire.body is not None or wire.method == "POST" else []
    if wire.answer == "binary":
        lines.append("-o answer.bin")
    return " \\\n  ".join(lines)


class _ShellWords:
    """Words of a shell, without any secret."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._names = {secret: name for secret, name in secrets.items() if secret}
        self._redact = Redactor(secrets)
        known = sorted(self._names, key=len, reverse=True)
        self._split = re.compile("(" + "|".join(map(re.escape, known)) + ")") if known else None

    def __call__(self, text: str, name: str = "") -> str:
        pieces = self._split.split(text) if self._split else [text]
        if len(pieces) == 1:
            label = text.partition(": ")[0]
            hidden = f"{label}: {HIDDEN}" if name and SECRET_NAME.search(name) else self._redact(text)
            return quote(hidden)
        return "".join(self._write_piece(piece) for piece in pieces if piece)

    def url(self, url: str) -> str:
        """Return a URL whose credentials are variables or hidden."""
        return self(hide_credentials(url, keep=self._names))

    def _write_piece(self, piece: str) -> str:
        if piece not in self._names:
            return quote(self._redact(piece))
        name = self._names[piece]
        return f'"${name}"' if VARIABLE.fullmatch(name) else quote(HIDDEN)


def _write_method(wire: Wire) -> str:
    has_body = wire.body is not None
    if wire.method == "HEAD":
        return " -I"
    return "" if wire.method == ("POST" if has_body else "GET") else f" -X {quote(wire.method)}"


def _write_body(body: Body | None, words: _ShellWords) -> list[str]:
    if isinstance(body, MultipartBody):
        return [_write_part(part, words) for part in body.parts]
    if not isinstance(body, BytesBody):
        return ["--data-raw ''"]
    try:
        return [f"--data-raw {words(body.data.decode())}"]
    except UnicodeDecodeError:
        return [f"--data-binary @{_write_inline(body.data, 'body.bin')}"]


def _write_part(part: Part, words: _ShellWords) -> str:
    if not isinstance(part.value, FileInput):
        if part.content_type is None:
            return f"--form-string {words(f'{part.name}={part.value}')}"
        return f"-F {words(f'{part.name}={_quote(part.value)};type={part.content_type}')}"
    file = part.value
    options = f";filename={_quote(file.filename)}" if file.filename else ""
    options += f";type={file.content_type}" if file.content_type else ""
    return f"-F {words(f'{part.name}=@')}{_write_source(file)}{words(options)}"


def _write_source(file: FileInput) -> str:
    source = file.source
    if isinstance(source, Content):
        return _write_inline(source.data, file.filename or "content.bin")
    if isinstance(source, LocalFile):
        return quote(_quote(source.path))
    return f"<(curl -sSL {quote(source.name)})" if source.name.startswith("http") else quote(_quote(source.name))


def _write_inline(data: bytes, name: str) -> str:
    """Return a shell word for bytes; many of them are left for a file of that name."""
    if len(data) > INLINE:
        return quote(_quote(name))
    return f"<(printf %s {quote(base64.b64encode(data).decode())} | base64 -d)"


def _quote(text: str) -> str:
    """Return a value as curl's own form notation quotes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
