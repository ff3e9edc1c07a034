"""JSON at the edge: parse text into one acceptable value, dump a value as compact bytes, refuse everything else.

Refused, here and nowhere else: NaN and Infinity, lone surrogates, NUL, integers beyond 64 bits, duplicate keys,
documents deeper than MAX_DEPTH, and Python values that JSON does not have.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import cast

import orjson

from connector.errors import InvalidDocument
from connector.model import JSON

__all__ = ["HIGHEST", "LOWEST", "MAX_DEPTH", "check", "check_json", "dump", "member_path", "parse", "to_json"]

MAX_DEPTH = 200
LOWEST, HIGHEST = -(2**63), 2**64 - 1
NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
NATIVE = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def parse(text: str | bytes, where: str = "document") -> JSON:
    """Return the value of a text; raise InvalidDocument saying what is wrong and where."""
    data = _utf8(text, where)
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _unreadable(data, error, where) from None
    # Bytes that come out as they went in hide nothing: a duplicate key or a rounded integer would change them.
    # Most are compact, or have the blanks and the escapes of Python's `json.dumps`.
    # Anything else (blanks, escapes, other spellings of a number) is read again by the slower and stricter reader.
    suspicious = _is_deep(data) or _has_nul(data)
    if suspicious or (orjson.dumps(value) != data and json.dumps(value).encode() != data):
        if suspicious:
            check(value, where)
        _read_strictly(data, where)
    return value


def dump(value: JSON, where: str = "document") -> bytes:
    """Return the value as compact UTF-8; raise InvalidDocument saying where it is not JSON."""
    try:
        data = orjson.dumps(value, option=NATIVE)
    except TypeError as error:
        check(value, where)
        raise InvalidDocument(f"{where}: not JSON, {str(error).lower()}") from None
    # orjson writes NaN as null and lets NUL and depth pass: look closer only where the bytes give a reason to.
    if b"null" in data or _has_nul(data) or _is_deep(data):
        check(value, where)
    return data


def check(value: JSON, where: str = "document", *, any_integer: bool = False) -> None:
    """Raise InvalidDocument, with the JSON path, unless the value is an acceptable document.

    Args:
        value: the value to check.
        where: how the document is called in messages.
        any_integer: whether integers may be of any size, as JSON Schema has them.
    """
    todo: list[tuple[JSON, str, int]] = [(value, where, 0)]
    while todo:
        item, path, depth = todo.pop()
        if isinstance(item, str):
            _check_text(item, path)
        elif isinstance(item, dict | list | tuple):
            if depth >= MAX_DEPTH:
                raise InvalidDocument(f"{where}: nested deeper than {MAX_DEPTH} levels, the most that is accepted")
            todo.extend((child, name, depth + 1) for child, name in _children(item, path))
        elif item is not None and not (any_integer and isinstance(item, int)):
            _check_scalar(item, path)


def check_json(value: JSON, where: str = "document") -> None:
    """Raise InvalidDocument unless the value is JSON, with integers of any size; fast for values that are."""
    try:
        data = orjson.dumps(value, option=NATIVE)
    except TypeError:
        check(value, where, any_integer=True)
        return
    if b"null" in data:  # which is how NaN is written as well
        check(value, where, any_integer=True)


def to_json(value: object) -> JSON:
    """Return a value of a file, a table or an answer as JSON.

    Dates become text, exact numbers stay numbers where nothing is lost, bytes become `{"$content": base64}`, and what
    is unknown becomes its text.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in cast("dict[object, object]", value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in cast("list[object]", value)]
    if isinstance(value, bytes | bytearray):
        return {"$content": base64.b64encode(value).decode("ascii")}
    return _scalar_to_json(value)


def _scalar_to_json(value: object) -> JSON:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return _decimal_to_json(value)
    return str(value)


def _decimal_to_json(value: Decimal) -> JSON:
    """Return a decimal number as one that JSON holds exactly, else as its text."""
    if not value.is_finite():
        return None
    if value == value.to_integral_value() and abs(value) < 2**63:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def member_path(path: str, key: str | int) -> str:
    """Return the JSON path of a member, as messages write it: `payload.messages[0]`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    plain = key.replace("-", "_").replace("$", "_")
    if plain.isidentifier():
        return f"{path}.{key}"
    return f"{path}[{json.dumps(key if len(key) <= 60 else key[:57] + '...')}]"


def _children(item: JSON, path: str) -> Iterator[tuple[JSON, str]]:
    if not isinstance(item, dict):
        yield from ((child, f"{path}[{index}]") for index, child in enumerate(item))
        return
    for key, child in cast("dict[object, JSON]", item).items():
        if not isinstance(key, str):
            raise InvalidDocument(f"{path}: a key is {_kind(key)}; JSON keys are text")
        _check_text(key, f"a key of {path}")
        yield child, member_path(path, key)


def _check_text(text: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidDocument(
            f"{path}: lone surrogate at character {error.start + 1}; only text that UTF-8 can hold is accepted"
        ) from None
    if "\0" in text:
        raise InvalidDocument(f"{path}: NUL at character {text.index(chr(0)) + 1}; text without NUL is accepted")


def _check_scalar(item: object, path: str) -> None:
    if isinstance(item, int):
        if not LOWEST <= item <= HIGHEST:
            raise InvalidDocument(f"{path}: integer beyond 64 bits; send it as text")
    elif isinstance(item, float):
        if item != item or item in (float("inf"), float("-inf")):
            raise InvalidDocument(f"{path}: {_number(item)} is not a JSON number")
    else:
        raise InvalidDocument(f"{path}: {_kind(item)} is not JSON; use text, number, boolean, null, array or object")


def _number(item: float) -> str:
    return "NaN" if item != item else "Infinity" if item > 0 else "-Infinity"


def _kind(item: object) -> str:
    return f"a Python {type(item).__name__}"


def _has_nul(data: bytes) -> bool:
    """Return whether a JSON text may hold a NUL; most hold no backslash, and one byte is found sooner than six."""
    return b"\\" in data and b"\\u0000" in data


def _is_deep(data: bytes) -> bool:
    """Return whether a document may be too deep; False is certain, True needs a closer look."""
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return False
    # Pairs with nothing in them are taken out until none is left, at most two levels a turn.
    brackets = data.translate(None, NO_BRACKETS)
    for _ in range(MAX_DEPTH // 2):
        left = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(left) in (0, len(brackets)):
            return len(left) > 0
        brackets = left
    return True


def _utf8(text: str | bytes, where: str) -> bytes:
    if isinstance(text, bytes):
        return text.removeprefix(b"\xef\xbb\xbf")
    try:
        return text.removeprefix("\ufeff").encode()
    except UnicodeEncodeError as error:
        line, column = _position(text[: error.start])
        raise InvalidDocument(f"{where}: lone surrogate at line {line}, column {column}") from None


def _position(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _unreadable(data: bytes, error: orjson.JSONDecodeError, where: str) -> InvalidDocument:
    if not data.strip():
        return InvalidDocument(f"{where}: empty; one JSON value is expected")
    found = error.msg.lower()
    rest = error.doc[error.pos : error.pos + 9].lstrip("-")
    if rest.startswith(("NaN", "Infinity")):
        found = f"{'NaN' if rest.startswith('NaN') else 'Infinity'} is not a JSON number"
    elif "utf-8" in found:
        found = "bytes that are not UTF-8"
    elif "surrogate" in found:
        found = "lone surrogate in text"
    elif "depth limit" in found or "recursion" in found:
        found = f"nested deeper than {MAX_DEPTH} levels"
    return InvalidDocument(f"{where}: {found} at line {error.lineno}, column {error.colno}")


class _Duplicate:
    """Marks an object with a duplicate key until its path is known."""

    def __init__(self, key: str) -> None:
        self.key = key


class _Huge:
    """Marks an integer beyond 64 bits until its path is known."""


def _read_strictly(data: bytes, where: str) -> None:
    marked: list[object] = []

    def pairs(members: list[tuple[str, JSON]]) -> JSON:
        found = dict(members)
        if len(found) == len(members):
            return found
        names = [name for name, _ in members]
        marked.append(_Duplicate(next(name for name in names if names.count(name) > 1)))
        return marked[-1]

    def integer(digits: str) -> JSON:
        # Past twenty characters no integer fits, and Python itself refuses to read thousands of digits.
        if len(digits) <= 20 and LOWEST <= (number := int(digits)) <= HIGHEST:
            return number
        marked.append(_Huge())
        return marked[-1]

    value = json.loads(data, object_pairs_hook=pairs, parse_int=integer)
    if marked:
        _report(value, where)
        # The mark was in an object that another duplicate replaced.
        raise InvalidDocument(f"{where}: duplicate keys; each key may stand once")


def _report(value: JSON, where: str) -> None:
    todo = [(value, where)]
    while todo:
        item, path = todo.pop()
        if isinstance(item, _Duplicate):
            raise InvalidDocument(f"{path}: duplicate key {item.key!r}; each key may stand once")
        if isinstance(item, _Huge):
            raise InvalidDocument(f"{path}: integer beyond 64 bits; send it as text")
        if isinstance(item, dict | list):
            todo.extend(_children(item, path))
