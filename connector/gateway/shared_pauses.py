"""The pauses of clients over all workers of a gateway: what one finds out holds for the others a moment later."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import orjson

from connector.gateway.shared_memory import SharedMemory, SharedText
from connector.http import Client
from connector.http.policy import Actor, Pause

__all__ = ["ROOM", "SharedPauses"]

INTERVAL = 0.1
"""Seconds after which the others know."""
ROOM = 4096
LONGEST = 1000


class SharedPauses:
    """The pause of each client as a text in shared memory; empty while there is none.

    Args:
        memory: where.
        clients: their names.
    """

    def __init__(self, memory: SharedMemory, clients: Iterable[str]) -> None:
        self._texts = {name: memory.text(ROOM) for name in clients}
        self._known: dict[str, tuple[Pause | None, float]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self, clients: Mapping[str, Client]) -> None:
        """Tell the other workers what these clients find out, and let them know what others tell, from now on."""
        for name, client in clients.items():
            self.exchange(name, client)
        self._timer = asyncio.get_running_loop().call_later(INTERVAL, self.start, clients)

    def stop(self) -> None:
        """Neither tell nor hear anything any more."""
        if self._timer is not None:
            self._timer.cancel()

    def exchange(self, name: str, client: Client) -> None:
        """Tell what this client has found out since, or let it know what another has."""
        text = self._texts[name]
        pause, version = self._known.get(name, (None, 0.0))
        if client.paused is not pause:
            text.write(_dump(client.paused))
        elif text.version != version:
            heard = _parse(text)
            if heard is None:
                client.resume()
            else:
                client.pause(heard)
        self._known[name] = client.paused, text.version


def _dump(pause: Pause | None) -> bytes:
    return b"" if pause is None else orjson.dumps([pause.reason[:LONGEST], pause.who, pause.status])


def _parse(text: SharedText) -> Pause | None:
    said = text.read()
    if not said:
        return None
    reason, who, status = orjson.loads(said)
    return Pause(reason, Actor(who), status)
