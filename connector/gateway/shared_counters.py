"""The counters of all workers of a gateway, of which any may be asked; each tells the others its own now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson

from connector.gateway.access_log import LOG
from connector.gateway.shared_memory import SharedMemory, SharedText
from connector.gateway.usage_counters import UsageCounters
from connector.model import JSON, members

__all__ = ["SharedCounters"]

INTERVAL = 1.0
"""Seconds for which the others may not know of a call."""
ROOM = 4 * 1024 * 1024


class SharedCounters:
    """The counters of each worker as texts in shared memory.

    Args:
        memory: where; it says which worker this is.
    """

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory
        self._texts: list[SharedText] = [memory.text(ROOM) for _ in range(memory.workers)]
        self._timer: asyncio.TimerHandle | None = None
        self._told: JSON = None

    def start(self, own: UsageCounters, in_flight: Callable[[], int]) -> None:
        """Tell the others the counters of this worker from now on, those of one that died before it included."""
        own.add_all(self._read(self._texts[self._memory.worker - 1]))
        self._tell(own, in_flight)

    def stop(self) -> None:
        """Tell nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def merge(self, own: UsageCounters) -> UsageCounters:
        """Return the sum of this worker's counters, which are exact, and those that the others told."""
        found = UsageCounters(own.currency)
        found.add_all(own.dump())
        for number, text in enumerate(self._texts, 1):
            if number != self._memory.worker:
                found.add_all(self._read(text))
        return found

    def others_in_flight(self) -> int:
        """Return the calls under way in other workers."""
        others = (text for number, text in enumerate(self._texts, 1) if number != self._memory.worker)
        return sum(int(members(self._read(text)).get("in_flight") or 0) for text in others)

    def _tell(self, own: UsageCounters, in_flight: Callable[[], int]) -> None:
        told: dict[str, JSON] = {**own.dump(), "in_flight": in_flight()}
        if told != self._told and not self._texts[self._memory.worker - 1].write(orjson.dumps(told)):
            LOG.warning("the counters of worker %d have no room: pages of other workers lack them", self._memory.worker)
        self._told = told
        self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._tell, own, in_flight)

    @staticmethod
    def _read(text: SharedText) -> dict[str, JSON]:
        said = text.read()
        return dict(members(orjson.loads(said))) if said else {}
