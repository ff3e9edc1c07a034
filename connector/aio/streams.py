"""Take items from a source while waiting for something else as well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Generic, TypeVar

from connector.aio.tasks import cancel_all

__all__ = ["Lookahead", "iterate_with_deadlines", "take_until"]

Item = TypeVar("Item")


class Lookahead(Generic[Item]):
    """Fetches one item ahead of its use.

    Args:
        source: gives the items; it is closed with this.
        on_fetched: called when an item, the end, or an error of the source can be taken.
    """

    def __init__(
        self, source: AsyncIterable[Item] | Iterable[Item], on_fetched: Callable[[], object] | None = None
    ) -> None:
        self._source = aiter(source) if isinstance(source, AsyncIterable) else iter(source)
        self._on_fetched = on_fetched
        self._pending: asyncio.Future[tuple[Item] | None] | None = None
        self.has_ended = False

    def fetch(self) -> asyncio.Future[tuple[Item] | None]:
        """Return the future of the next item, which is started unless it is under way; iterators give it at once."""
        if self._pending is None:
            source = self._source
            self._pending = (
                asyncio.ensure_future(_anext(source)) if isinstance(source, AsyncIterator) else _next(source)
            )
            if self._on_fetched is not None:
                on_fetched = self._on_fetched
                self._pending.add_done_callback(lambda _: on_fetched())
        return self._pending

    @property
    def is_ready(self) -> bool:
        """Whether an item, the end, or an error can be taken without waiting."""
        return self._pending is not None and self._pending.done()

    def take(self) -> tuple[Item] | None:
        """Return the item that was fetched, in a tuple, or None at the end; raise the error of the source."""
        pending, self._pending = self._pending, None
        if pending is None:
            raise RuntimeError("nothing was fetched")
        found = pending.result()
        self.has_ended = found is None
        return found

    def cancel(self) -> None:
        """Cancel the fetching, if an item is being fetched."""
        if self._pending is not None:
            self._pending.cancel()

    async def close(self) -> None:
        """Cancel the fetching, and close the source if it can be closed."""
        await cancel_all(self._pending)
        close = getattr(self._source, "aclose", None)
        if close is not None:
            await close()


async def _anext(source: AsyncIterator[Item]) -> tuple[Item] | None:
    try:
        return (await anext(source),)
    except StopAsyncIteration:
        return None


def _next(source: Iterator[Item]) -> asyncio.Future[tuple[Item] | None]:
    found: asyncio.Future[tuple[Item] | None] = asyncio.get_running_loop().create_future()
    try:
        found.set_result((next(source),))
    except StopIteration:
        found.set_result(None)
    return found


async def take_until(stop: asyncio.Event, source: AsyncIterable[Item]) -> AsyncGenerator[Item, None]:
    """Yield items until the source ends or the event is set; an item that is being fetched then is dropped."""
    items = Lookahead(source)
    stopped = asyncio.ensure_future(stop.wait())
    stopped.add_done_callback(lambda _: items.cancel())
    try:
        while not stop.is_set():
            try:
                await items.fetch()
            except asyncio.CancelledError:
                me = asyncio.current_task()
                if stop.is_set() and (me is None or not me.cancelling()):
                    return
                raise
            found = items.take()
            if found is None:
                return
            yield found[0]
    finally:
        await cancel_all(stopped)
        await items.close()


async def iterate_with_deadlines(
    source: AsyncIterable[Item] | Iterable[Item], due: Callable[[], float | None]
) -> AsyncGenerator[tuple[Item] | None, None]:
    """Yield each item in a tuple, and None whenever a deadline passes before the next item has come.

    Args:
        source: gives the items; it is closed at the end.
        due: returns the deadline by the monotonic clock, if there is one; asked before each item.
    """
    items = Lookahead(source)
    try:
        while True:
            deadline = due()
            await asyncio.wait(
                {items.fetch()}, timeout=None if deadline is None else max(deadline - time.monotonic(), 0)
            )
            if not items.is_ready:
                yield None
                continue
            found = items.take()
            if found is None:
                return
            items.fetch()
            yield found
    finally:
        await items.close()
