"""What a chain is given from outside: variables, the clock, storages, calls, and reports of lost documents."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol
from weakref import WeakValueDictionary

from connector.errors import ConfigurationError
from connector.model import JSON, JSONValue, Outcome
from connector.transform.errors import Failed, Skipped, Unfit

__all__ = ["Call", "Context", "Scope", "Storage", "TraceEntry"]

Call = Callable[[str, Literal["openai", "http"], Mapping[str, JSON]], Awaitable[Outcome]]


class Storage(Protocol):
    """Holds values by key for storage steps."""

    async def get(self, key: str) -> JSON: ...
    async def put(self, key: str, value: JSON) -> None: ...
    async def delete(self, key: str) -> None: ...


async def _refuse_call(client: str, kind: Literal["openai", "http"], request: Mapping[str, JSON]) -> Outcome:
    raise ConfigurationError(f"no calls can be made here: nothing stands behind client {client!r} ({kind}, {request})")


def _now() -> datetime:
    return datetime.now(UTC)


def _ignore(document: JSON, reason: str) -> None:
    """Report a skipped document to no one."""


@dataclass(frozen=True, slots=True)
class Context:
    """What every document of a run shares.

    Args:
        variables, task, route: what `@{variables.…}`, `@{task.…}` and `@{route.…}` name.
        now: the clock behind `@{now}`.
        missing: what a placeholder without a value does: fail the document, or yield null.
        omit_null: whether payloads of calls lose their nulls.
        concurrency: how many documents may wait at a time.
        on_skip: called with each document that a filter dropped, and the reason.
        on_failed: called with each document that failed; without it the failure is raised.
        call: how `openai` and `http-transformer` reach a client.
        storages: what storage steps name.
    """

    variables: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    task: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    route: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    now: Callable[[], datetime] = _now
    missing: Literal["error", "empty"] = "error"
    omit_null: bool = False
    concurrency: int = 16
    on_skip: Callable[[JSON, str], None] = _ignore
    on_failed: Callable[[JSON, Failed], None] | None = None
    call: Call = _refuse_call
    storages: Mapping[str, Storage] = field(default_factory=dict[str, Storage])


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """What one step made of one document, for --explain."""

    where: str
    step: str
    before: JSON
    after: JSON
    note: str = ""
    seconds: float = field(default=0.0, compare=False)
    """How long the step took, with the steps within it."""


Locks = WeakValueDictionary[str, asyncio.Lock]
"""Locks by name; one is dropped with its last user."""


@dataclass(slots=True)
class Scope:
    """What a step sees beside its document: the context, the parameters of its chain, the locks of the run."""

    context: Context
    parameters: Mapping[str, JSONValue] = field(default_factory=dict[str, JSONValue])
    trace: list[TraceEntry] | None = None
    locks: Locks = field(default_factory=Locks)

    def inner(self, parameters: Mapping[str, JSONValue]) -> Scope:
        """Return the scope of a saved chain with these parameters."""
        return Scope(self.context, parameters, self.trace, self.locks)

    def report(self, document: JSONValue, signal: Skipped | Failed) -> None:
        """Report a document that goes no further; raise when the context has no `on_failed`."""
        if isinstance(signal, Skipped):
            self.context.on_skip(document, str(signal))
        elif self.context.on_failed is None:
            raise signal
        else:
            self.context.on_failed(document, signal)

    async def fetch(self, storage: str, key: str) -> JSONValue:
        """Return what a storage has under a key, or None."""
        return await self._storage(storage).get(key) if key else None

    async def store(self, storage: str, key: str, value: JSONValue) -> None:
        """Put a value into a storage; without a key nothing could find it, and nothing is put."""
        if key:
            await self._storage(storage).put(key, value)

    def lock(self, storage: str, key: str) -> asyncio.Lock:
        """Return the lock of a key, so that of two documents that bring it at a time only one is new."""
        return self.locks.setdefault(f"{storage}\0{key}", asyncio.Lock())

    def _storage(self, name: str) -> Storage:
        storages = self.context.storages
        if name not in storages:
            known = ", ".join(storages) or "none"
            raise Unfit(f"no storage is named {name!r}; there are: {known}")
        return storages[name]
