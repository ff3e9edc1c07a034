"""Values of files, tables and answers as JSON: dates as text, exact numbers as numbers where nothing is lost."""

from __future__ import annotations

import base64
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import cast

from connector.model import JSON

__all__ = ["plain"]


def plain(value: object) -> JSON:
    """The value as JSON; bytes become `{"$content": base64}`, what is unknown becomes its text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in cast("dict[object, object]", value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in cast("list[object]", value)]
    if isinstance(value, bytes | bytearray):
        return {"$content": base64.b64encode(value).decode("ascii")}
    return _scalar(value)


def _scalar(value: object) -> JSON:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return _number(value)
    return str(value)


def _number(value: Decimal) -> JSON:
    """A decimal number as one that JSON can hold exactly, else as its text."""
    if not value.is_finite():
        return None
    if value == value.to_integral_value() and abs(value) < 2**63:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
