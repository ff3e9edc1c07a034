"""How a run is stopped from outside: the first signal lets it come to rest, the second one ends it at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["stop_on_signals"]

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_on_signals(stop: Callable[[signal.Signals], None]) -> Generator[None]:
    """While it is open, the first SIGTERM or SIGINT is told, and the second one cancels the task that opened it."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    told = False

    def heard(number: signal.Signals) -> None:
        nonlocal told
        if told and task is not None:
            task.cancel()
        elif not told:
            told = True
            stop(number)

    try:
        for number in SIGNALS:
            loop.add_signal_handler(number, heard, number)
    except (NotImplementedError, RuntimeError):  # not on this system, or not in the main thread
        yield
        return
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
