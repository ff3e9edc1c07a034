"""The gateway as a process: it runs until it is told to stop, and stops without cutting anybody off."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

from connector.gateway.listening import Listening

__all__ = ["serve"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def serve(listening: Listening, grace: float, say: Callable[[str], None]) -> bool:
    """Takes calls until the first signal; a second one ends the wait for those under way.

    Args:
        listening: a gateway that was entered.
        grace: seconds that calls under way may go on.
        say: tells the person at the terminal.

    Returns:
        Whether every call came to its end.
    """
    stop, now = asyncio.Event(), asyncio.Event()
    with _told_by_signals(stop, now):
        await stop.wait()
        under_way = listening.gateway.in_flight
        if under_way:
            calls = f"{under_way} call{'' if under_way == 1 else 's'} under way"
            say(f"stopping: {calls} may go on for {grace:g} s; stop again to break off")
        draining = asyncio.create_task(listening.drain(grace))
        hurry = asyncio.create_task(now.wait())
        await asyncio.wait((draining, hurry), return_when=asyncio.FIRST_COMPLETED)
        for task in (draining, hurry):
            task.cancel()
        await asyncio.gather(draining, hurry, return_exceptions=True)
    return not listening.gateway.in_flight


@contextmanager
def _told_by_signals(stop: asyncio.Event, now: asyncio.Event) -> Generator[None]:
    loop = asyncio.get_running_loop()

    def signalled() -> None:
        (now if stop.is_set() else stop).set()

    for number in SIGNALS:
        loop.add_signal_handler(number, signalled)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
