"""The storages of chains on a route: what a document's chain keeps stays only if the document's end is kept as well.

A filter that passes what is new would else call a document known whose delivery broke off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connector.engine import Store
from connector.model import JSON, is_object
from connector.transform import Storage

__all__ = ["AttemptStorages", "DurableStorages"]

SHOWN = 5.0
"""Seconds for which the others see what one attempt keeps: until then it is in the store, or given up."""


@dataclass(slots=True)
class DurableStorages:
    """The storages of a process, in the store's records; what is not there is looked for where it was before.

    Attributes:
        before: by name, as chains outside of routes use them.
    """

    store: Store
    before: Mapping[str, Storage]
    clock: Callable[[], float]
    _under_way: dict[tuple[str, str], tuple[JSON, float]] = field(
        default_factory=dict[tuple[str, str], tuple[JSON, float]]
    )

    def begin(self) -> AttemptStorages:
        """Return the storages for one attempt."""
        return AttemptStorages(self)

    async def get(self, name: str, key: str) -> JSON:
        """Return what is kept, or is about to be."""
        found = self._under_way.get((name, key))
        if found is not None and found[1] > self.clock():
            return found[0]
        kept = await self.store.record(f"storage:{name}", key)
        return kept.get("value") if is_object(kept) else await self.before[name].get(key)

    def expose(self, name: str, key: str, value: JSON) -> None:
        """Let the others see what is about to be kept: of two equal documents one alone is new."""
        now = self.clock()
        self._under_way = {place: held for place, held in self._under_way.items() if held[1] > now}
        self._under_way[name, key] = value, now + SHOWN

    def withdraw(self, name: str, key: str) -> None:
        """Say that it is not kept after all."""
        self._under_way.pop((name, key), None)


class AttemptStorages:
    """What one attempt keeps."""

    def __init__(self, storages: DurableStorages) -> None:
        self._storages = storages
        self._values: dict[tuple[str, str], JSON] = {}
        self.storages: Mapping[str, Storage] = {name: _Storage(name, self) for name in storages.before}

    def records(self) -> dict[tuple[str, str], JSON]:
        """Return what is to be committed with the end."""
        for (name, key), value in self._values.items():
            self._storages.expose(name, key, value)
        return {(f"storage:{name}", key): {"value": value} for (name, key), value in self._values.items()}

    def give_up(self) -> None:
        """Nothing of it is kept."""
        for name, key in self._values:
            self._storages.withdraw(name, key)
        self._values.clear()

    async def get(self, name: str, key: str) -> JSON:
        """Return what is kept, this attempt's own first."""
        return self._values[name, key] if (name, key) in self._values else await self._storages.get(name, key)

    def put(self, name: str, key: str, value: JSON) -> None:
        """Keep a value until the end is known."""
        self._values[name, key] = value
        self._storages.expose(name, key, value)


@dataclass(frozen=True, slots=True)
class _Storage:
    """One storage, as chains use it."""

    name: str
    kept: AttemptStorages

    async def get(self, key: str) -> JSON:
        return await self.kept.get(self.name, key)

    async def put(self, key: str, value: JSON) -> None:
        self.kept.put(self.name, key, value)

    async def delete(self, key: str) -> None:
        self.kept.put(self.name, key, None)
