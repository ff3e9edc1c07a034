"""The lines that hosts send: JSON, and what other programs write for JSON.

A row must not end every sync that contains it. So what no document holds is replaced in rows, and the log says so.
"""

from __future__ import annotations

import json
import logging
import math
import re

import orjson

from connector.documents import HIGHEST, LOWEST
from connector.model import JSON, is_document, is_list

__all__ = ["LineReader"]

log = logging.getLogger(__name__)
LONG_NUMBER = re.compile(rb"\d{19}")
LONE = re.compile("[\ud800-\udfff]")
LEFT_OUT = "texts have no NUL and no halves of characters, NaN is null, and integers beyond 64 bits are texts"


class LineReader:
    """Reads lines one after the other."""

    def __init__(self) -> None:
        self.number = 0
        """The number of the last line."""
        self._has_told = False

    def read(self, line: bytes) -> JSON:
        """Return the value of the next line; ValueError when it has none."""
        self.number += 1
        try:
            value: JSON = orjson.loads(line)
        except orjson.JSONDecodeError:
            return self._mend(line)
        return self._mend(line) if b"\\u0000" in line or LONG_NUMBER.search(line) else value

    def _mend(self, line: bytes) -> JSON:
        try:
            given: JSON = json.loads(line)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if not is_document(given) or given.get("type") != "RECORD":
            return given
        mended = _mend(given)
        if mended != given and not self._has_told:
            self._has_told = True
            log.warning("line %d was changed: %s. Later lines are changed without being named", self.number, LEFT_OUT)
        return mended


def _mend(value: JSON) -> JSON:
    """Return a value as documents can hold it."""
    if isinstance(value, str):
        return LONE.sub("\ufffd", value.replace("\0", ""))
    if is_document(value):
        return {str(_mend(name)): _mend(one) for name, one in value.items()}
    if is_list(value):
        return [_mend(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not LOWEST <= value <= HIGHEST:
        return str(value)
    return value
