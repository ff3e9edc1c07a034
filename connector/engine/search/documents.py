"""Which documents fit a filter, and which trigrams every one of them has."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from connector.engine.search.paths import FieldValue
from connector.engine.search.query import TaskFilter

__all__ = ["DocumentMatch"]

SHORTEST = 3
"""Characters of a trigram: shorter text cannot be looked up."""
PLAIN = 10**15
"""Whole numbers below are written as their digits; larger ones may have an exponent."""


class DocumentMatch:
    """The conditions of a filter on documents.

    Args:
        wanted: the filter.
    """

    def __init__(self, wanted: TaskFilter) -> None:
        self._needles = [needle.encode(errors="replace").lower() for needle in _needles(wanted.text)]
        self._fields = wanted.fields
        hints = [_needles(wanted.text), *(_hints(one) for one in wanted.fields)]
        self.expression = " AND ".join(f"({part})" for hint in hints if hint and (part := _expression(hint)))
        """What the trigram index is asked; empty when it cannot tell."""

    @property
    def reads(self) -> bool:
        """Whether documents decide."""
        return bool(self._needles or self._fields)

    def fits(self, document: bytes) -> bool:
        """Return whether a document fits."""
        if self._needles:
            lowered = document.lower()
            if not any(needle in lowered for needle in self._needles):
                return False
        if not self._fields:
            return True
        value = orjson.loads(document)
        return all(one.fits(value) for one in self._fields)


def _needles(text: str) -> Sequence[str]:
    """Return a text as it may stand in JSON: as it is, and as part of a string."""
    if not text:
        return ()
    written = orjson.dumps(text.encode(errors="replace").decode()).decode()[1:-1]
    return (text,) if written == text else (text, written)


def _hints(wanted: FieldValue) -> Sequence[str]:
    """Return texts of which a document with the value has one; none when nothing can be said."""
    name = wanted.path[-1]
    before = f"{orjson.dumps(name).decode()}:" if isinstance(name, str) else ""
    try:
        value = orjson.loads(wanted.text)
    except ValueError:
        return (before + orjson.dumps(wanted.text).decode(),)
    as_text = before + orjson.dumps(wanted.text).decode()
    if value is None or isinstance(value, bool):
        return as_text, f"{before}{wanted.text.strip()}"
    if isinstance(value, int | float) and value == int(value) and abs(value) < PLAIN:
        return as_text, f"{before}{int(value)}"
    if isinstance(value, float):
        return as_text, before + orjson.dumps(value).decode()
    return ()


def _expression(texts: Sequence[str]) -> str:
    """Return the question for documents with all trigrams of one of the texts; empty when one of them has none."""
    parts: list[str] = []
    for text in texts:
        trigrams = {text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1)}
        if not trigrams or "\0" in text:
            return ""
        parts.append(" AND ".join('"' + trigram.replace('"', '""') + '"' for trigram in sorted(trigrams)))
    return " OR ".join(f"({part})" for part in parts)
