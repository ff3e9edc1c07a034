"""Handle the signals that stop a process: the first one gently, the next ones less so."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress

__all__ = ["STOP_SIGNALS", "drain_on_signals", "handle_signals"]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

Handler = Callable[[signal.Signals], object]


@contextmanager
def handle_signals(
    first: Handler, then: Handler | None, signals: Sequence[signal.Signals] = STOP_SIGNALS
) -> Generator[None]:
    """Call a handler in the event loop for the first signal, and another one for each signal after it.

    Outside the main thread, where Python allows no handlers, nothing is handled.

    Args:
        first: called with the first signal.
        then: called with every later signal; None leaves those to Python.
        signals: which are handled while this is open.
    """
    loop = asyncio.get_running_loop()
    has_begun = False

    def handle(number: signal.Signals) -> None:
        nonlocal has_begun
        handler, has_begun = (then if has_begun else first), True
        if then is None:
            _remove(loop, signals)
        if handler is not None:
            handler(number)

    try:
        _install(loop, signals, handle)
        yield
    finally:
        _remove(loop, signals)


@contextmanager
def drain_on_signals(stop: Handler) -> Generator[None]:
    """Call a handler for the first signal, and cancel the task that opened this for each signal after it."""
    task = asyncio.current_task()
    with handle_signals(stop, lambda _: task.cancel() if task is not None else None):
        yield


def _install(loop: asyncio.AbstractEventLoop, signals: Sequence[signal.Signals], handle: Handler) -> None:
    for number in signals:
        with suppress(RuntimeError, ValueError):  # not in the main thread
            try:
                loop.add_signal_handler(number, handle, number)
            except NotImplementedError:  # Windows
                signal.signal(number, _call_in(loop, number, handle))


def _call_in(loop: asyncio.AbstractEventLoop, number: signal.Signals, handle: Handler) -> Callable[..., None]:
    def call(*_: object) -> None:
        loop.call_soon_threadsafe(handle, number)

    return call


def _remove(loop: asyncio.AbstractEventLoop, signals: Sequence[signal.Signals]) -> None:
    for number in signals:
        try:
            loop.remove_signal_handler(number)
        except NotImplementedError:  # Windows
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
