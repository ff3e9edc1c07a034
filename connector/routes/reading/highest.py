"""Values by which readings go on: numbers and times, of which the highest counts, and an overlap before them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["before", "higher"]


def higher(first: JSON, second: JSON) -> JSON:
    """The higher of two values; one that is null counts for nothing."""
    if first is None or second is None:
        return second if first is None else first
    one, other = _ordered(first), _ordered(second)
    if type(one) is not type(other):
        seen = f"the cursor was {_shown(first)} and is now {_shown(second)}"
        raise ConfigurationError(f"{seen}, which cannot be compared; let its field give values of one kind")
    return second if other > one else first  # type: ignore[operator]  # the types are the same


def before(value: JSON, seconds: float) -> JSON:
    """The value so many seconds earlier, written in the same way; text that is no time stays as it is."""
    if not seconds or value is None:
        return value
    if isinstance(value, int | float):
        return value - (int(seconds) if isinstance(value, int) and seconds == int(seconds) else seconds)
    found = _time(value) if isinstance(value, str) else None
    if found is None:
        return value
    earlier = found - timedelta(seconds=seconds)
    if len(value) == len("2026-01-01"):
        return earlier.date().isoformat()
    text = earlier.isoformat(sep=value[10])
    return text.removesuffix("+00:00") + "Z" if value.endswith(("Z", "z")) else text


def _ordered(value: JSON) -> float | datetime | str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ConfigurationError(f"the cursor is {_shown(value)}; a number, a time or other text is needed")
    if isinstance(value, str):
        found = _time(value)
        return value if found is None else found if found.tzinfo else found.replace(tzinfo=UTC)
    return float(value)


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if len(text) >= len("2026-01-01") and text[4] == "-" else None


def _shown(value: JSON) -> str:
    return repr(value)[:60]
