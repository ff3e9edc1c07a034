"""JSONata, when the package `jsonata-python` is installed: evaluated beside this process, so that it can be stopped.

The package knows neither a bound on memory nor one on its own functions, and raises the recursion limit of whatever
process imports it. A process of its own can be limited, and ended when its time is up.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import orjson

from connector.model import JSON
from connector.transform.signals import Unfit

__all__ = ["compile_jsonata"]

SECONDS = 0.7
STARTING = 10.0
LONGEST = 10_000
COMMAND = (sys.executable, "-P", "-c", "from connector.transform.expression.jsonata_worker import main; main()")


def compile_jsonata(expression: str) -> Callable[[JSON], JSON]:
    """A function from a document to the expression's value."""
    if find_spec("jsonata") is None:
        raise Unfit("JSONata needs the package jsonata-python: pip install jsonata-python; jmespath is always there")
    if len(expression) > LONGEST:
        raise Unfit(f"an expression of {len(expression)} characters; at most {LONGEST} are allowed")
    return Evaluator(expression).evaluate


class Evaluator:
    """One expression in a process, which is begun again after it had to be ended."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._one_at_a_time = threading.Lock()
        self._process = self._started()

    def evaluate(self, document: JSON) -> JSON:
        with self._one_at_a_time:
            if self._process.poll() is not None:
                self._process = self._started()
            return _asked(self._process, document, SECONDS)

    def _started(self) -> subprocess.Popen[bytes]:
        """A process that has read the expression; raises Unfit when it is none."""
        process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  ours
        weakref.finalize(self, _end, process)
        _asked(process, self._expression, STARTING)
        return process


def _asked(process: subprocess.Popen[bytes], value: JSON, seconds: float) -> JSON:
    """The answer to one line, or Unfit; a process that takes longer is ended."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        line = _exchanged(process, orjson.dumps(value) + b"\n")
    finally:
        timer.cancel()
    if not line:
        _end(process)
        raise Unfit(f"the expression takes more than {seconds} s or too much memory, its budget; narrow it")
    answer: dict[str, Any] = orjson.loads(line)
    if "error" in answer:
        raise Unfit(f"JSONata: {answer['error']}")
    return answer["value"]


def _exchanged(process: subprocess.Popen[bytes], line: bytes) -> bytes:
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
