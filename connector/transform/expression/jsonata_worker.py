"""The process that evaluates one JSONata expression: the expression, then documents, a line each, on its input."""

from __future__ import annotations

import contextlib
import sys
from importlib import import_module
from typing import Any, cast

import orjson

__all__ = ["main"]

MEMORY = 512 * 1024**2
OUTPUT = 32 * 1024**2


def main() -> None:
    """Answer every line with one line: `{"value": …}` or `{"error": …}`."""
    _limit()
    lines = iter(sys.stdin.buffer.readline, b"")
    try:
        library: Any = import_module("jsonata")  # it has no types
        compiled = library.Jsonata(orjson.loads(next(lines)))
    except Exception as error:  # noqa: BLE001  whatever it is, it belongs to the expression
        _answer({"error": _words(error)})
        return
    _answer({"value": None})
    for line in lines:
        try:
            _answer({"value": compiled.evaluate(orjson.loads(line))})
        except (Exception, MemoryError) as error:  # noqa: BLE001
            _answer({"error": _words(error)})


def _limit() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _answer(answer: dict[str, Any]) -> None:
    data = orjson.dumps(answer, default=_plain)
    if len(data) > OUTPUT:
        data = orjson.dumps({"error": f"the result is larger than {OUTPUT} bytes, the budget"})
    sys.stdout.buffer.write(data + b"\n")
    sys.stdout.buffer.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [*cast("list[Any]", value)]
    raise TypeError(f"{type(value).__name__} is no JSON")


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
