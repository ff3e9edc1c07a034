"""The log: lines for people on a terminal, a JSON object a line elsewhere, and secrets in neither."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from math import isfinite
from typing import Literal, TextIO

import orjson

from connector.model import JSON
from connector.terminal import escape_controls

__all__ = ["FIELDS", "JsonLines", "Mode", "TextLines", "configure_logging"]

Mode = Literal["text", "json", "auto"]
Redact = Callable[[str], str]
FIELDS = (
    "event", "route", "task", "attempt", "token", "client", "operation", "state", "status", "seconds", "request_id",
    "trace_id",
)  # fmt: skip
"""What a record may tell beside its message, by `extra`; these names and no others are written."""
OURS = "connector"
ASKED = "connector.http.asked"
MOST = 16 * 1024
"""Characters of a message; what is longer is a body, and those are kept elsewhere."""


class _Lines(logging.Formatter):
    """What both notations have in common."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def message(self, record: logging.LogRecord) -> str:
        """The message with its traceback, if any, without secrets."""
        try:
            text = record.getMessage()
        except Exception as error:  # noqa: BLE001  a wrong call of the log must not end what is logged
            text = f"{record.msg!r} cannot be written: {type(error).__name__}"
        if record.exc_info and record.exc_info[0] is not None:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        shown = self._redact(text)
        return shown if len(shown) <= MOST else f"{shown[:MOST]}… ({len(shown):,} characters)"

    def fields(self, record: logging.LogRecord) -> Iterable[tuple[str, JSON]]:
        """What the record tells beside its message, without secrets."""
        given = record.__dict__
        for name in FIELDS:
            value = given.get(name)
            if value is None or value == "":
                continue
            if type(value) is str:
                yield name, self._redact(value)
            elif isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
                yield name, value
            else:
                yield name, self._redact(str(value))


class JsonLines(_Lines):
    """One JSON object a record, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        shown: dict[str, JSON] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message(record),
        }
        shown.update(self.fields(record))
        try:
            return orjson.dumps(shown).decode()
        except orjson.JSONEncodeError:
            pass
        # What UTF-8 cannot hold, a lone surrogate, becomes the escape that JSON has for it.
        return json.dumps(shown, ensure_ascii=False).encode(errors="backslashreplace").decode()


class TextLines(_Lines):
    """One line a record, further lines of a message indented: no message can look like two records."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).astimezone()
        told = " ".join(f"{name}={value}" for name, value in self.fields(record) if name != "event")
        head = f"{at:%H:%M:%S}.{int(record.msecs):03d} {record.levelname.lower():<7} "
        lines = [_line(line) for line in self.message(record).splitlines()] or [""]
        return head + "\n    ".join(lines) + (f"  {_line(told)}" if told else "")


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; one that cannot be written is let go."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Says nothing: what logging would say holds the record as it came, secrets and all."""


def configure_logging(
    mode: Mode,
    redact: Redact,
    *,
    stream: TextIO | None = None,
    level: int = logging.INFO,
    asked: int = logging.DEBUG,
) -> Callable[[], None]:
    """Writes this process's log to standard error; returns what undoes it.

    Args:
        mode: text, json, or auto: text on a terminal and JSON elsewhere.
        redact: hides secrets.
        stream: where lines go in place of standard error.
        level: from which level on the connector's own records are written; of others, warnings.
        asked: the same for clients that say themselves what is logged of their calls.
    """
    out = sys.stderr if stream is None else stream
    lines = TextLines if mode == "text" or (mode == "auto" and out.isatty()) else JsonLines
    handler = _Handler(out)
    handler.setFormatter(lines(redact))
    everybody, own, calls = logging.getLogger(), logging.getLogger(OURS), logging.getLogger(ASKED)
    before = own.level, calls.level
    own.setLevel(level)
    calls.setLevel(asked)
    everybody.addHandler(handler)

    def undo() -> None:
        everybody.removeHandler(handler)
        own.setLevel(before[0])
        calls.setLevel(before[1])
        handler.close()

    return undo


def _line(text: str) -> str:
    """A text on one line, acting on no terminal."""
    return escape_controls(text).replace("\n", "\\n").replace("\t", "\\t")
