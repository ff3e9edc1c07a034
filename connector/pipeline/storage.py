"""What chains keep between runs: a file for each key, below a folder."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from connector.aio.atomic_file import write_atomically
from connector.documents import dump, parse
from connector.model import JSON
from connector.transform import Storage

__all__ = ["FolderStorage", "Untouched"]


class FolderStorage:
    """Values by key; a value is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def get(self, key: str) -> JSON:
        return await asyncio.to_thread(self._get, key)

    async def put(self, key: str, value: JSON) -> None:
        await asyncio.to_thread(self._put, key, value)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
        return self._folder / name[:2] / f"{name}.json"

    def _get(self, key: str) -> JSON:
        path = self._path(key)
        return parse(path.read_bytes(), where=str(path))["value"] if path.exists() else None

    def _put(self, key: str, value: JSON) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, dump({"key": key, "value": value}))


class Untouched:
    """Another storage as it would become; the other one stays as it is."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._changed: dict[str, JSON] = {}

    async def get(self, key: str) -> JSON:
        return self._changed[key] if key in self._changed else await self._storage.get(key)

    async def put(self, key: str, value: JSON) -> None:
        self._changed[key] = value

    async def delete(self, key: str) -> None:
        self._changed[key] = None
