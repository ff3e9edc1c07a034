"""A whole sandbox: put together, listening, stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import apsw

from connector.catalogue import Catalogue
from connector.errors import ConfigurationError
from connector.model import JSON
from connector.sandbox.app import App
from connector.sandbox.call import Objects, Options, World
from connector.sandbox.faults import FaultPlan
from connector.sandbox.journal import Journal
from connector.sandbox.listening import Listener
from connector.sandbox.processes import Processes
from connector.sandbox.scripting import scripted

__all__ = ["Sandbox"]


class Sandbox:
    """An API on this machine: `async with Sandbox(seed=1) as sandbox: … sandbox.url`."""

    def __init__(
        self,
        *,
        seed: int = 0,
        lenient: bool = False,
        latency: float = 0.0,
        pace: float = 1.0,
        faults: Sequence[str] = (),
        script: Path | JSON = None,
        state: Path | None = None,
        webhook: str | None = None,
        webhook_secret: str | None = None,
        port: int = 0,
        catalogue: Catalogue | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Puts it together; nothing listens yet.

        Args:
            seed: the same seed and the same requests give the same answers and faults.
            lenient: unknown ids are answered with objects of the right shape.
            latency: milliseconds that every answer takes longer.
            pace: seconds that whatever moves with time spends in each state.
            faults: what goes wrong by rate, such as `429:0.05`.
            script: scripted `answers` and `faults`: a file, or its document.
            state: a file that outlives the sandbox; without it everything is in memory.
            webhook, webhook_secret: where webhooks are sent, and what they are signed with.
            port: the port to listen on; 0 picks one.
            catalogue, clock: in place of those that ship with the connector and the machine.
        """
        options = Options(
            seed=seed, lenient=lenient, latency=latency, pace=pace, webhook=webhook, webhook_secret=webhook_secret
        )
        spoken, rules = scripted(script)
        plan = FaultPlan(seed, faults, rules)
        self._objects = _objects(state)
        self.world = World(catalogue or Catalogue.open(), self._objects, options, clock)
        self.world.script = spoken
        self.world.processes = Processes(self.world)
        self._app = App(self.world, plan)
        self._listener = Listener(self._app, port)
        self._port = 0

    @property
    def url(self) -> str:
        """Where the API is; the base URL of clients."""
        return f"{self.origin}/v1"

    @property
    def origin(self) -> str:
        """Where the sandbox is: its own paths begin with `/sandbox/` here."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def requests(self) -> list[dict[str, JSON]]:
        """What arrived, oldest first."""
        return list(self.journal)

    @property
    def journal(self) -> Journal:
        return self._app.journal

    @property
    def faults(self) -> FaultPlan:
        """What is to go wrong; may be changed at any time."""
        return self._app.faults

    @property
    def webhook_secret(self) -> str:
        """What webhooks are signed with."""
        return self.world.processes.webhooks.secret

    def reset(self) -> None:
        """Begins again as if just started."""
        self._app.reset()

    async def start(self) -> None:
        """Listens, and lets time do its work."""
        self._port = await self._listener.start()
        self.world.processes.start()

    async def stop(self) -> None:
        """Ends what is under way, and closes everything."""
        await self._listener.stop()
        await self.world.processes.close()
        self._objects.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _objects(state: Path | None) -> Objects:
    try:
        return Objects(":memory:" if state is None else str(state))
    except apsw.Error as error:
        raise ConfigurationError(f"--state: {state} cannot be used: {error}") from error
