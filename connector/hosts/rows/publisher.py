"""Publishing rows: each is a call whose key is what the row is, so that a host that repeats it pays once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from connector.calls.host_calls import CallAnswer, HostCall, HostCalls
from connector.calls.routes import outgoing_route
from connector.calls.upkeep import open_calls
from connector.delivery.attempt import RouteContext
from connector.delivery.call_records import list_calls
from connector.documents import dump
from connector.engine import TaskState, open_store
from connector.errors import ConfigurationError
from connector.hosts.rows.settings import RowSettings, load_of
from connector.model import JSON, is_document, members
from connector.pipeline import Runtime

__all__ = ["RowPublisher", "Trouble", "key_of", "open_publisher"]

SETTLED = (TaskState.FINISHED, TaskState.SKIPPED)
PATIENCE = 86_400.0
SHOWN = 120


@dataclass(frozen=True, slots=True)
class Trouble:
    """A row that was not published.

    Attributes:
        cause: `config` for what waits for a person, else `transient` or `system`.
    """

    message: str
    cause: str


@dataclass(slots=True)
class RowPublisher:
    """Publishes rows, several at a time.

    Args:
        calls: makes calls that are noted.
        route: the connection.
        concurrency: rows at a time.
    """

    calls: HostCalls
    route: RouteContext
    concurrency: int
    _under_way: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, "asyncio.Task[None]"])
    _troubles: list[Trouble] = field(default_factory=list[Trouble])
    _broken: Exception | None = None

    @property
    def secrets(self) -> Collection[str]:
        """What must not be shown."""
        return self.calls.shared.runtime.configuration.redactor().secrets

    async def publish(self, key: str, row: JSON) -> None:
        """Begin to publish a row, as soon as few enough are under way."""
        while len(self._under_way) >= self.concurrency:
            await asyncio.wait(list(self._under_way.values()), return_when=asyncio.FIRST_COMPLETED)
        if self._broken is not None:
            raise self._broken
        if key not in self._under_way:
            self._under_way[key] = asyncio.create_task(self._publish(key, row))

    async def settle(self) -> Sequence[Trouble]:
        """Wait until every row has ended; return what keeps any of them from being published."""
        await self.finish()
        if self._broken is not None:
            raise self._broken
        return tuple(self._troubles)

    async def finish(self) -> None:
        """Wait until every row has ended, in whatever way."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values())

    async def _publish(self, key: str, row: JSON) -> None:
        try:
            answer = await self.calls.call(self.route, HostCall(document=row, key=key), lambda _: None)
        except Exception as error:  # noqa: BLE001  told to the one who waits for all rows
            self._broken = self._broken or error
            return
        finally:
            del self._under_way[key]
        if answer.state not in SETTLED:
            self._troubles.append(_describe(key, answer))


def _describe(key: str, answer: CallAnswer) -> Trouble:
    """Say what became of a row that was not published, with the evidence where it may have been."""
    where = f"row {key[:SHOWN]} (task {answer.task})"
    if answer.state is TaskState.UNKNOWN:
        return Trouble(
            f"{where} may have been published, and is not repeated by itself: {answer.reason}"
            f" [{list_calls(answer.doubts)}]. Look, then say `tasks done` or `tasks retry` over the same engine",
            "config",
        )
    cause = "system" if answer.state is TaskState.FAILED else "transient"
    return Trouble(f"{where} was not published: {answer.reason or answer.state.value}", cause)


def key_of(stream: str, row: JSON, primary_key: Sequence[Sequence[str]], scope: str) -> str:
    """Return what a row is: its stream, its key, and what it says; a row that changed is another one.

    Args:
        primary_key: the paths of the fields that tell rows apart; empty where all of them do.
        scope: keeps apart what is equal and yet meant twice, such as a generation of the stream.
    """
    names: list[JSON] = [_find(row, path) for path in primary_key]
    if any(name is None for name in names):
        fields = ", ".join(".".join(path) for path in primary_key)
        raise ConfigurationError(f"{stream}: a row has no value for its key ({fields})")
    said = sha256(dump([scope, row])).hexdigest()[:40]
    return f"{stream} {dump(names).decode()[:SHOWN] if names else ''} {said}"


def _find(row: JSON, path: Sequence[str]) -> JSON:
    found = row
    for name in path:
        found = members(found).get(name) if is_document(found) else None
    return found


@asynccontextmanager
async def open_publisher(settings: RowSettings, host: str, patience: float = PATIENCE) -> AsyncGenerator[RowPublisher]:
    """Open what publishes rows.

    Args:
        host: the beginning of the name of the route, under which people find its tasks.
        patience: seconds for which a row that cannot be sent is waited for.
    """
    configuration = load_of(settings)
    async with Runtime(configuration) as runtime:
        store = await open_store(settings.engine.get_secret_value())
        try:
            async with open_calls(runtime, store, None, wait=patience) as calls:
                name = f"{host}/{settings.outgoing}"
                route = outgoing_route(calls.shared, name, settings.outgoing, settings.attempts)
                publisher = RowPublisher(calls, route, settings.concurrency)
                try:
                    yield publisher
                finally:
                    await publisher.finish()
        finally:
            await store.close()
