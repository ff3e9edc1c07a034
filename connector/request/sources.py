"""Where the bytes of file inputs come from: the request itself, a file of this machine, or any URL that fsspec reads.

A file is looked at when the request is prepared and opened anew for every pass over the body. What is no longer the
file that was looked at is not sent on.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast

from connector.errors import ConnectorError
from connector.model import JSON
from connector.offline import refuse_offline
from connector.request.file_access import Roots

__all__ = [
    "CHUNK",
    "ChangedFile",
    "Content",
    "LocalFile",
    "RemoteFile",
    "Source",
    "identify_file",
    "identify_remote",
    "open_filesystem",
]

CHUNK = 256 * 1024


class ChangedFile(ConnectorError):
    """A file that is no longer what it was when its request was prepared."""


class Source(Protocol):
    """Where the bytes of a file input come from, as often as they are needed."""

    @property
    def name(self) -> str:
        """Where the bytes are, for people to read."""
        ...

    @property
    def size(self) -> int | None: ...

    def chunks(self) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that the request itself contains."""

    data: bytes

    @property
    def name(self) -> str:
        return "the request itself"

    @property
    def size(self) -> int:
        return len(self.data)

    async def chunks(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.data), CHUNK):
            yield self.data[start : start + CHUNK]


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A regular file, known by its inode, size and time of change."""

    path: str
    size: int
    identity: tuple[int, int, int, int]

    @property
    def name(self) -> str:
        return self.path

    async def chunks(self) -> AsyncIterator[bytes]:
        file = await asyncio.to_thread(self._open)
        try:
            async for chunk in _read_chunks(file, self.size, self.path):
                yield chunk
            self._compare(os.fstat(file.fileno()))
        finally:
            file.close()

    def _open(self) -> BinaryIO:
        # Not through a link that was put there since, and not waiting for the other end of a pipe.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            file = os.fdopen(os.open(self.path, flags), "rb", buffering=0)
        except OSError as error:
            raise ChangedFile(f"{self.path!r} can no longer be read: {error.strerror}; nothing more was sent") from None
        try:
            self._compare(os.fstat(file.fileno()))
        except ChangedFile:
            file.close()
            raise
        return cast("BinaryIO", file)

    def _compare(self, now: os.stat_result) -> None:
        if identify_file(now) != self.identity:
            raise ChangedFile(
                f"{self.path!r} changed since its request was prepared; prepare it again when it is at rest"
            )


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file behind any URL that fsspec reads."""

    url: str
    size: int | None
    mark: str

    @property
    def name(self) -> str:
        return self.url

    async def chunks(self) -> AsyncIterator[bytes]:
        file = await asyncio.to_thread(self._open)
        try:
            async for chunk in _read_chunks(file, self.size, self.url):
                yield chunk
        finally:
            await asyncio.to_thread(file.close)

    def _open(self) -> BinaryIO:
        system, path = open_filesystem(self.url)
        system.invalidate_cache()
        try:
            details, file = system.info(path), system.open(path, "rb")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ChangedFile(f"{self.url!r} can no longer be read: {reason}; nothing more was sent") from None
        if identify_remote(details) != self.mark:
            file.close()
            raise ChangedFile(f"{self.url!r} changed since its request was prepared; prepare it again")
        return cast("BinaryIO", file)


async def _read_chunks(file: BinaryIO, size: int | None, name: str) -> AsyncIterator[bytes]:
    """Yield the bytes of an open file, no more and no fewer than were announced; the reading waits in a thread."""
    read = 0
    while chunk := await asyncio.to_thread(file.read, CHUNK):
        read += len(chunk)
        if size is not None and read > size:
            raise ChangedFile(f"{name!r} grew while it was sent; prepare it again when it is at rest")
        yield chunk
    if size is not None and read < size:
        raise ChangedFile(f"{name!r} ended after {read} of {size} bytes; prepare it again when it is at rest")


def open_filesystem(url: str) -> tuple[Any, str]:
    """Return what reads a URL, and the path it has there."""
    if Roots().local(url) is None:
        refuse_offline(f"{url.partition('://')[0]}://…")
    from fsspec import core  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs] - it has none

    return cast("tuple[Any, str]", cast("Any", core).url_to_fs(url))


def identify_remote(details: Mapping[str, JSON]) -> str:
    """Return what is known of a remote file's content without reading it."""
    names = ("size", "ETag", "etag", "mtime", "last_modified", "LastModified", "updated", "generation", "crc")
    return repr([str(details[name]) for name in names if name in details])


def identify_file(status: os.stat_result) -> tuple[int, int, int, int]:
    """Return what changes when a file is written to or replaced."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
