"""JSONata, when the package `jsonata-python` is installed: in a process of its own, which can be stopped.

The package bounds neither memory nor its own functions, and raises the recursion limit of the process that imports it.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

import orjson

from connector.model import JSON
from connector.transform.errors import Unfit

__all__ = ["compile_jsonata", "main"]

SECONDS = 0.7
"""Processor time of one evaluation: a machine that is busy elsewhere must not make an expression fail."""
WAITING = 30.0 if hasattr(signal, "setitimer") else SECONDS
"""Seconds after which an evaluation is given up, whatever the machine does."""
STARTING = 60.0
LONGEST = 10_000
COMMAND = (sys.executable, "-P", "-c", "from connector.transform.expression.jsonata import main; main()")


def compile_jsonata(expression: str) -> Callable[[JSON], JSON]:
    """Compile an expression to a function of a document."""
    if find_spec("jsonata") is None:
        raise Unfit("JSONata needs the package jsonata-python: pip install jsonata-python; jmespath is always there")
    if len(expression) > LONGEST:
        raise Unfit(f"an expression of {len(expression)} characters; at most {LONGEST} are allowed")
    return Evaluator(expression).evaluate


class Evaluator:
    """Evaluates one expression in a process, which is started again after it was stopped."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._one_at_a_time = threading.Lock()
        self._process = self._start()

    def evaluate(self, document: JSON) -> JSON:
        with self._one_at_a_time:
            if self._process.poll() is not None:
                self._process = self._start()
            return _request(self._process, document, WAITING)

    def _start(self) -> subprocess.Popen[bytes]:
        """Start a process that has read the expression; raise Unfit when it is not valid."""
        process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  ours
        weakref.finalize(self, _end, process)
        _request(process, self._expression, STARTING)
        return process


def _request(process: subprocess.Popen[bytes], value: JSON, seconds: float) -> JSON:
    """Send one line and return the answer; a process that takes longer is killed."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        line = _exchange(process, orjson.dumps(value) + b"\n")
    finally:
        timer.cancel()
    if not line:
        _end(process)
        raise Unfit(f"the expression takes more than {SECONDS} s or too much memory, its budget; narrow it")
    answer: dict[str, Any] = orjson.loads(line)
    if "error" in answer:
        raise Unfit(f"JSONata: {answer['error']}")
    return answer["value"]


def _exchange(process: subprocess.Popen[bytes], line: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:
        return b""
    try:
        process.stdin.write(line)
        process.stdin.flush()
        return process.stdout.readline()
    except BrokenPipeError:
        return b""


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
    process.kill()
    process.wait()


MEMORY = 512 * 1024**2
OUTPUT = 32 * 1024**2


def main() -> None:
    """Answer every line with one line: `{"value": …}` or `{"error": …}`."""
    _limit()
    lines = iter(sys.stdin.buffer.readline, b"")
    try:
        library: Any = import_module("jsonata")  # it has no types
        compiled = library.Jsonata(orjson.loads(next(lines)))
    except Exception as error:  # noqa: BLE001  every error is the expression's
        _answer({"error": _message(error)})
        return
    _answer({"value": None})
    for line in lines:
        _allow(SECONDS)
        try:
            _answer({"value": compiled.evaluate(orjson.loads(line))})
        except (Exception, MemoryError) as error:  # noqa: BLE001
            _answer({"error": _message(error)})


def _limit() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _allow(seconds: float) -> None:
    """Let the system end this process after so much processor time from now on."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _answer(answer: dict[str, Any]) -> None:
    data = orjson.dumps(answer, default=_to_list)
    if len(data) > OUTPUT:
        data = orjson.dumps({"error": f"the result is larger than {OUTPUT} bytes, the budget"})
    sys.stdout.buffer.write(data + b"\n")
    sys.stdout.buffer.flush()


def _to_list(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [*cast("list[Any]", value)]
    raise TypeError(f"{type(value).__name__} is no JSON")


def _message(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
