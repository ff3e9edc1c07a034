"""`cast-int`, `cast-float`, `cast-string`, `cast-bool`, `cast-list`: convert a value to another type."""

from __future__ import annotations

import math
from collections.abc import Callable

from connector.model import JSON, is_document, is_list
from connector.request.display import describe_value
from connector.transform.declaration import Mapper
from connector.transform.errors import Unfit
from connector.transform.mappers.base import skip_null
from connector.transform.placeholders import to_text
from connector.transform.types import Map

__all__ = ["CASTS", "as_number"]

LONGEST = 400
TRUE, FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0", ""}


def as_number(value: JSON) -> int | float:
    """Return the number that a value is or that a text holds."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and len(value) <= LONGEST:
        text = value.strip()
        try:
            number = int(text) if text.lstrip("+-").isdecimal() else float(text)
        except ValueError:
            pass
        else:
            if math.isfinite(number):
                return number
    raise Unfit(f"found {describe_value(value)}, a number is needed")


def _to_int(value: JSON) -> int:
    return int(as_number(value))


def _to_float(value: JSON) -> float:
    return float(as_number(value))


def _to_bool(value: JSON) -> bool:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in TRUE or word in FALSE:
            return word in TRUE
        raise Unfit(
            f"found {describe_value(value)}; allowed: {', '.join(sorted(TRUE))}, {', '.join(sorted(FALSE - {''}))}"
        )
    return bool(value)


def _to_list(value: JSON) -> JSON:
    if is_list(value):
        return value
    return list(value.values()) if is_document(value) else [value]


def _make_cast(name: str, summary: str, work: Callable[[JSON], JSON], *aliases: str) -> Mapper:
    def run(value: JSON, _: object) -> JSON:
        try:
            return work(value)
        except Unfit as error:
            raise Unfit(f"{name}: {error}") from None

    def build() -> Map:
        return skip_null(run)

    return Mapper(name, summary, {}, build, aliases)


CASTS = (
    _make_cast("cast-int", "A whole number; what follows the point is cut off.", _to_int, "cast-integer"),
    _make_cast("cast-float", "A number.", _to_float, "cast-number"),
    _make_cast("cast-string", "The text that shows the value; JSON for objects and lists.", to_text),
    _make_cast("cast-bool", "True or false; of texts, true, yes, on and 1 are true.", _to_bool, "cast-boolean"),
    _make_cast("cast-list", "A list: an object's values, or the one value.", _to_list, "cast-array"),
)
