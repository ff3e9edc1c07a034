"""The tasks that a host's process works on now: renewed while they are, left alone once another worker has them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager

__all__ = ["Leases"]


class Leases:
    """The tasks that are attempted in this process."""

    def __init__(self) -> None:
        self.held: dict[int, asyncio.Task[object] | None] = {}

    @contextmanager
    def hold(self, task: int) -> Generator[None]:
        """Hold a task for as long as it is attempted."""
        self.held[task] = asyncio.current_task()
        try:
            yield
        finally:
            del self.held[task]

    @property
    def leased(self) -> Sequence[int]:
        """The tasks whose leases are to be renewed."""
        return tuple(self.held)

    async def abandon(self, tasks: Collection[int]) -> None:
        """Cancel attempts at tasks that another worker has now."""
        for task in tasks:
            attempt = self.held.get(task)
            if attempt is not None:
                attempt.cancel()

    async def renew(self) -> None:
        """Do nothing: a host reads nothing that would have to be renewed."""
