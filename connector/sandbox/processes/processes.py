"""What goes on in a sandbox while nobody calls: states that move with time, and webhooks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING

from connector.model import JSON
from connector.sandbox.processes.background import Background
from connector.sandbox.processes.movers import MOVERS, Mover
from connector.sandbox.processes.timetable import Entry, Timetable
from connector.sandbox.processes.webhooks.sending import Webhooks

if TYPE_CHECKING:
    from connector.sandbox.call import World

__all__ = ["Processes"]

TURN = 0.25
"""The seconds of work after which others have their turn."""
log = logging.getLogger(__name__)
MOVING = ContextVar("moving", default=False)
"""Whether this is work that a mover does: what is being moved must not wait for itself."""


class Processes:
    """The processes of one world; whoever reads one of them settles first, so that nothing needs a timer."""

    def __init__(self, world: World, movers: Mapping[str, Mover] = MOVERS) -> None:
        self.webhooks = Webhooks(world)
        self._world = world
        self._movers = movers
        self._timetable = Timetable(world.objects, "timetable")
        self._turn = asyncio.Lock()
        self._moving = Background(self.settle, lambda: self._until(self._timetable.due))
        self._sending = Background(self.webhooks.send_due, lambda: self._until(self.webhooks.due))

    def open(self, kind: str, name: str, due: float | None = None, parent: str = "") -> None:
        """Has the mover of its kind move the object when the moment comes: after one state's length, if none is."""
        due = self._world.now() + self._world.options.pace if due is None else due
        self._timetable.put(Entry(kind, name, parent, due, names=self._world.name()))
        self._moving.stir()

    def tell(self, event_type: str, data: Mapping[str, JSON]) -> None:
        """Sends a webhook to all who want to hear of it."""
        self.webhooks.tell(event_type, data)
        self._sending.stir()

    def tell_one(self, endpoint: Mapping[str, JSON], event_type: str, data: Mapping[str, JSON]) -> None:
        """Sends a webhook to one endpoint, whatever it wants to hear of."""
        self.webhooks.post(endpoint["url"], endpoint["id"], self.webhooks.event(event_type, data))
        self._sending.stir()

    def start(self) -> None:
        """Goes on without being asked, also with what an earlier run of the sandbox left open."""
        self._moving.start()
        self._sending.start()

    async def close(self) -> None:
        """Stops where it is; with stored state, the next run goes on from there."""
        await self._moving.stop()
        await self._sending.stop()
        await self.webhooks.close()

    async def settle(self) -> None:
        """Brings all that is due up to date, as far as a turn goes."""
        if MOVING.get():
            return
        async with self._turn:
            mark = MOVING.set(True)
            try:
                await self._move_due()
            finally:
                MOVING.reset(mark)

    async def _move_due(self) -> None:
        until = time.monotonic() + TURN
        while time.monotonic() < until and (entry := self._timetable.take(self._world.now())) is not None:
            due = await self._moved(entry)
            if due is None:
                self._timetable.drop(entry)
            else:
                self._timetable.put(replace(entry, due=due, turn=entry.turn + 1))

    async def _moved(self, entry: Entry) -> float | None:
        try:
            with self._world.apart(f"{entry.names}/{entry.turn}"):
                return await self._movers[entry.kind](self._world, entry)
        except Exception:
            log.exception("%s stopped where it is; the others go on", entry.name)
            return None

    def _until(self, due: float | None) -> float | None:
        return None if due is None else due - self._world.now()
