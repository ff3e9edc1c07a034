"""What is put into a running connector from outside: kills at named points, other disks, shorter waits, mutants.

The product knows nothing of it. Points are `failpoints.reach(...)` of the engine and of delivery; those of the wire
are put around the transport's own methods.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

__all__ = ["WIRE", "plant"]

WIRE = ("wire.before", "wire.sent", "wire.headers", "wire.part")
"""Points of a call: before its first byte, after its last, with the answer's headers, with some of its body."""
LASTS = 0.7
"""Seconds for which a clock that jumps stays where it is."""
OLDER = 3_000.0
"""By how many seconds a batch of an earlier round is older."""


class Points:
    """Takes the place of `failpoints.reach`: writes down which are reached, and kills at one of them."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._log = os.open(plan["reached"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.power: Any = None

    def __call__(self, name: str) -> None:
        with self._lock:
            self._seen[name] += 1
            seen = self._seen[name]
            if seen == 1:
                os.write(self._log, f"{name}\n".encode())
        if name == self._plan.get("point") and seen == self._plan.get("nth", 1):
            self._end()

    def _end(self) -> None:
        how = self._plan.get("signal", "KILL")
        if how == "POWER":
            self.power()
        os.kill(os.getpid(), signal.SIGKILL if how == "POWER" else signal.Signals[f"SIG{how}"])


def plant(text: str) -> None:
    """Does what a plan says, before the connector begins."""
    plan: dict[str, Any] = json.loads(text)
    _jump(plan.get("clocks", ()))
    from connector.engine import failpoints
    from tests.crash.host_mutants import HOST_MUTANTS
    from tests.crash.mutants import MUTANTS, put

    reach = Points(plan)
    put(failpoints, reach=reach)
    _shorten(plan)
    _tell_accepted(plan)
    _wire(reach)
    if plan.get("signal") == "POWER" or "disk" in plan:
        from tests.crash.power import Power

        power = Power(Path(plan["folder"]), plan["seed"], plan.get("keeps", 0.0), plan.get("disk"))
        reach.power = power.fails
    for name in plan.get("mutants", ()):
        (HOST_MUTANTS[name][0] if name in HOST_MUTANTS else MUTANTS[name].plant)()


def _jump(offsets: Sequence[float]) -> None:
    """The clock of the process is so much ahead or behind, each for a while, from before anything asks for the time."""
    import time

    now, began = time.time, time.monotonic()
    if offsets:
        time.time = lambda: now() + offsets[int((time.monotonic() - began) / LASTS) % len(offsets)]


def _shorten(plan: dict[str, Any]) -> None:
    """Waits for a list to be readable, and for a log to grow, take too long to be repeated a hundred times."""
    from connector.delivery import reconcile
    from connector.engine.sqlite import writer
    from connector.resilience import Backoff
    from tests.crash.mutants import put

    put(reconcile, LOOKUPS=Backoff(0.2, 0.5))
    put(writer, CHECKPOINT_PAGES=60, RETRY_PAGES=20)
    if plan["engine"].startswith("postgresql"):
        _shorten_heartbeats()
    if "moves" in plan:
        _move_up(plan["moves"])


def _shorten_heartbeats() -> None:
    """A worker that is gone is missed after seconds, not after half a minute."""
    from connector.engine.postgresql import PostgreSQLStore
    from connector.intake import readings
    from connector.runtime import housekeeping
    from tests.crash.mutants import put

    PostgreSQLStore.open.__func__.__kwdefaults__["patience"] = 3.0
    put(housekeeping, HEARTBEAT=0.5, LEASE=3.0, POLL=2.0)
    put(readings, LEASE=3.0)


def _move_up(before: float) -> None:
    """Batches are asked after at once; those whose answers are needed before a time are most of an hour older."""
    from connector.delivery.batch import job
    from connector.delivery.deadlines.plan import TransportPlan
    from tests.crash.mutants import put

    must = TransportPlan.must_move_up
    put(job, MIN_POLL=0.1, MAX_POLL=0.2, RETRY_DELAY=0.2)
    put(TransportPlan, must_move_up=lambda self, needed, now: must(self, needed, now + OLDER * (needed < before)))


def _tell_accepted(plan: dict[str, Any]) -> None:
    """Whatever the store says that it has accepted is written down by somebody else."""
    log = os.open(plan["accepted"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def told(kind: Any) -> None:
        commit = kind.commit

        @wraps(commit)
        async def committed(self: Any, change: Any) -> Any:
            given = await commit(self, change)
            for task, id_ in zip(change.accept, given.accepted, strict=True):
                if id_:
                    os.write(log, json.dumps([id_, task.route, task.key]).encode() + b"\n")
            return given

        kind.commit = committed

    from connector.engine.sqlite.store import SqliteStore

    told(SqliteStore)
    if plan["engine"].startswith("postgresql"):
        from connector.engine.postgresql import PostgreSQLStore

        told(PostgreSQLStore)


def _wire(reach: Points) -> None:
    from connector.http.transports import aiohttp_transport
    from connector.http.transports.aiohttp_connection import DirectSender, Exchange

    hand_over, write = Exchange.hand_over, DirectSender.write
    exchange, read = aiohttp_transport.AiohttpTransport.exchange, aiohttp_transport.ResponseStream.__aiter__

    def handing_over(self: Any, connection: Any) -> None:
        hand_over(self, connection)
        reach("wire.before")

    async def sending(*arguments: Any) -> None:
        await write(*arguments)
        reach("wire.sent")

    async def exchanging(*arguments: Any, **named: Any) -> Any:
        answer = await exchange(*arguments, **named)
        reach("wire.headers")
        return answer

    async def reading(self: Any) -> AsyncIterator[bytes]:
        async with contextlib.aclosing(read(self)) as chunks:
            async for chunk in chunks:
                reach("wire.part")
                yield chunk

    Exchange.hand_over = handing_over
    DirectSender.write = sending
    aiohttp_transport.AiohttpTransport.exchange = exchanging
    aiohttp_transport.ResponseStream.__aiter__ = reading
