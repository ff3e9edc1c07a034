"""`format-date`: a date or time as other text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.model import JSON
from connector.request.display import describe_value
from connector.transform.context import Scope
from connector.transform.declaration import Mapper
from connector.transform.errors import Unfit
from connector.transform.fields import text
from connector.transform.mappers.base import skip_null
from connector.transform.template import Resolve
from connector.transform.types import Map

__all__ = ["DATES"]

LETTERS = {
    "d": "%d", "j": "%-d", "D": "%a", "l": "%A", "m": "%m", "n": "%-m", "M": "%b", "F": "%B", "Y": "%Y", "y": "%y",
    "H": "%H", "G": "%-H", "h": "%I", "g": "%-I", "i": "%M", "s": "%S", "u": "%f", "A": "%p", "a": "%p", "P": "%:z",
    "O": "%z", "e": "%Z", "T": "%Z", "z": "%j", "W": "%V", "U": "%s", "%": "%%",
}  # fmt: skip
"""The date letters of PHP, which users of other platforms write."""


def _build(format: Resolve, source: Resolve | None, timezone: Resolve | None, source_timezone: Resolve) -> Map:  # noqa: A002
    def run(value: JSON, scope: Scope) -> JSON:
        moment = _parse_date(value, source(value, scope) if source else "")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=_get_zone(source_timezone(value, scope)))
        if timezone:
            moment = moment.astimezone(_get_zone(timezone(value, scope)))
        return _format_date(moment, format(value, scope))

    return skip_null(run)


def _get_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unfit(f"format-date: found {name!r}, a time zone such as Europe/Amsterdam is needed") from None


def _parse_date(value: JSON, source: str) -> datetime:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(0, UTC) + timedelta(seconds=value)
        text = value if isinstance(value, str) else "a date is text"
        if source == "unix":
            return datetime.fromtimestamp(0, UTC) + timedelta(seconds=float(text))
        if source:
            return datetime.strptime(text, _to_strptime(source))  # noqa: DTZ007  the zone comes next
        return datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        wanted = f"a date in the format {source}" if source else "an ISO 8601 date or seconds since 1970"
        raise Unfit(f"format-date: found {describe_value(value)}, {wanted} is needed") from None


def _to_strptime(format: str) -> str:  # noqa: A002
    """Return a format with percent signs; one without any is in PHP's letters."""
    if "%" in format:
        return format
    made, escaped = "", False
    for letter in format:
        if escaped or letter != "\\":
            made += letter if escaped else LETTERS.get(letter, letter)
        escaped = letter == "\\" and not escaped
    return made.replace("%-", "%").replace("%:z", "%z")


def _format_date(moment: datetime, format: str) -> JSON:  # noqa: A002
    if format == "iso":
        return moment.isoformat()
    if format == "unix":
        return int(moment.timestamp())
    if "%" in format:
        return moment.strftime(format)
    made, escaped = "", False
    for letter in format:
        if escaped or letter != "\\":
            made += letter if escaped else _format_letter(moment, letter)
        escaped = letter == "\\" and not escaped
    return made


def _format_letter(moment: datetime, letter: str) -> str:
    if letter in "jnGg":
        return str({"j": moment.day, "n": moment.month, "G": moment.hour, "g": (moment.hour + 11) % 12 + 1}[letter])
    if letter == "P":
        return moment.isoformat()[-6:]
    if letter == "U":
        return str(int(moment.timestamp()))
    if letter == "c":
        return moment.isoformat(timespec="seconds")
    if letter == "a":
        return moment.strftime("%p").lower()
    if letter == "v":
        return f"{moment.microsecond // 1000:03d}"
    return moment.strftime(LETTERS[letter]) if letter in LETTERS else letter


DATES = (
    Mapper(
        "format-date",
        "A date or time as other text.",
        {
            "format": text(
                "iso, unix, or a format: with percent signs (%Y-%m-%d) or in PHP's letters (Y-m-d).",
                default="iso",
                aliases=("to",),
            ),
            "source": text(
                "The format of what is given; ISO 8601 or seconds since 1970 unless given.",
                aliases=("from", "source_format"),
            ),
            "timezone": text("The time zone to show it in; its own unless given."),
            "source_timezone": text("The time zone of times that name none.", default="UTC"),
        },
        _build,
        sole="format",
    ),
)
