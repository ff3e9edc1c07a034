"""What the workers of one gateway share: limits, budgets, pending charges, pauses and counters."""

from __future__ import annotations

import socket

from connector.catalogue import Catalogue
from connector.config import Configuration
from connector.config.models.gateway import SPENDING_FILE
from connector.gateway.factory import Clocks, build_accounts
from connector.gateway.server import WorkerPlace
from connector.gateway.shared_counters import ROOM as COUNTERS
from connector.gateway.shared_counters import SharedCounters
from connector.gateway.shared_memory import SharedMemory
from connector.gateway.shared_pauses import ROOM as PAUSE
from connector.gateway.shared_pauses import SharedPauses
from connector.gateway.shared_pending import ROOM as PENDING
from connector.gateway.shared_quota import SharedQuota, size_of_quota

__all__ = ["WorkerAccounts"]

SPARE = 64 * 1024


class WorkerAccounts:
    """The accounts of a gateway, made before its workers are.

    Args:
        configuration: has the tokens.
        catalogue: says what allow rules mean.
        workers: how many there will be.
        administrator: a token for everything, valid on this machine only.
        clocks: monotonic and wall time.
    """

    def __init__(
        self,
        configuration: Configuration,
        catalogue: Catalogue,
        workers: int,
        administrator: str | None,
        clocks: Clocks | None = None,
    ) -> None:
        quotas = 8 * size_of_quota(workers) * (len(configuration.gateway.active_tokens) + 1)
        texts = PENDING + workers * (COUNTERS + 64) + len(configuration.clients) * (PAUSE + 64)
        self._memory = memory = SharedMemory(quotas + texts + SPARE, workers)
        self._ready = memory.numbers(workers + 1)
        self._counters = SharedCounters(memory)
        self._pauses = SharedPauses(memory, configuration.clients)
        self._accounts = build_accounts(
            configuration,
            catalogue,
            SPENDING_FILE,
            clocks=clocks or Clocks(),
            administrator=administrator,
            memory=memory,
        )

    def take_place(self, worker: int, bound: socket.socket) -> WorkerPlace:
        """Return what a worker shares, in its own process."""
        self._memory.worker = worker
        return WorkerPlace(bound, self._memory.workers, self._accounts, self._counters, self._pauses)

    def note_ready(self) -> None:
        """Note that this worker takes calls."""
        self._ready[self._memory.worker] = 1.0

    def is_ready(self, worker: int) -> bool:
        """Whether a worker has taken calls."""
        return self._ready[worker] > 0

    def give_up(self, worker: int) -> None:
        """Count what a worker that died had reserved as spent."""
        with self._memory.lock:
            for caller in self._accounts[0]:
                if isinstance(caller.quota, SharedQuota):
                    caller.quota.shared.give_up(worker)

    def save(self) -> None:
        """Save budgets and pending charges that have changed."""
        self._accounts[2].save_changes()
