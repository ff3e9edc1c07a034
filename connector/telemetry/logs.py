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
"""The fields that a record may have beside its message, by `extra`; no others are written."""
OWN_LOGGER = "connector"
CALLS_LOGGER = "connector.http.asked"
MAX_MESSAGE = 16 * 1024
"""Characters of a message; what is longer is a body, and those are kept elsewhere."""


class _Lines(logging.Formatter):
    """What both formats share."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def message(self, record: logging.LogRecord) -> str:
        """Return the redacted message, with its traceback if it has one."""
        try:
            text = record.getMessage()
        except Exception as error:  # noqa: BLE001  a wrong logging call must not end the program
            text = f"{record.msg!r} cannot be written: {type(error).__name__}"
        if record.exc_info and record.exc_info[0] is not None:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        shown = self._redact(text)
        return shown if len(shown) <= MAX_MESSAGE else f"{shown[:MAX_MESSAGE]}… ({len(shown):,} characters)"

    def fields(self, record: logging.LogRecord) -> Iterable[tuple[str, JSON]]:
        """Return the redacted fields of a record."""
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
        fields = " ".join(f"{name}={value}" for name, value in self.fields(record) if name != "event")
        head = f"{at:%H:%M:%S}.{int(record.msecs):03d} {record.levelname.lower():<7} "
        lines = [_line(line) for line in self.message(record).splitlines()] or [""]
        return head + "\n    ".join(lines) + (f"  {_line(fields)}" if fields else "")


class _Handler(logging.StreamHandler[TextIO]):
    """Write lines; drop one that cannot be written."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Say nothing: logging's own complaint quotes the record with its secrets."""


def configure_logging(
    mode: Mode,
    redact: Redact,
    *,
    stream: TextIO | None = None,
    level: int = logging.INFO,
    calls: int = logging.DEBUG,
) -> Callable[[], None]:
    """Write this process's log to standard error, and return what undoes it.

    Args:
        mode: text, json, or auto: text on a terminal and JSON elsewhere.
        redact: hides secrets.
        stream: where lines go in place of standard error.
        level: the lowest level of the connector's own records; of others, warnings are written.
        calls: the same for clients that configure the logging of their calls.
    """
    out = sys.stderr if stream is None else stream
    lines = TextLines if mode == "text" or (mode == "auto" and out.isatty()) else JsonLines
    handler = _Handler(out)
    handler.setFormatter(lines(redact))
    root, own, calls_logger = logging.getLogger(), logging.getLogger(OWN_LOGGER), logging.getLogger(CALLS_LOGGER)
    before = own.level, calls_logger.level
    own.setLevel(level)
    calls_logger.setLevel(calls)
    root.addHandler(handler)

    def undo() -> None:
        root.removeHandler(handler)
        own.setLevel(before[0])
        calls_logger.setLevel(before[1])
        handler.close()

    return undo


def _line(text: str) -> str:
    """Return a text on one line, without characters that act on a terminal."""
    return escape_controls(text).replace("\n", "\\n").replace("\t", "\\t")
