"""File inputs: `{"$file": "path or URL"}` and `{"$content": "<base64>", "filename": …, "content_type": …}`.

A file is looked at when the request is prepared and opened anew for every pass over the body. What is no longer the
file that was looked at is not sent on.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import re
import stat
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from connector.errors import ConnectorError
from connector.model import JSON, Fault
from connector.request.roots import Roots
from connector.request.shown import kind

__all__ = ["CHUNK", "ChangedFile", "Content", "FileInput", "LocalFile", "RemoteFile", "Source", "is_file", "open_input"]

CHUNK = 256 * 1024
MARKS = ("$file", "$content")
KEYS = frozenset({*MARKS, "filename", "content_type"})


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
class FileInput:
    """One file of a form: its bytes, and what its part says of it."""

    source: Source
    filename: str | None
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that stood in the request itself."""

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
            async for chunk in _pass(file, self.size, self.path):
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
        if _identity(now) != self.identity:
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
            async for chunk in _pass(file, self.size, self.url):
                yield chunk
        finally:
            await asyncio.to_thread(file.close)

    def _open(self) -> BinaryIO:
        system, path = _filesystem(self.url)
        if _mark(system.info(path)) != self.mark:
            raise ChangedFile(f"{self.url!r} changed since its request was prepared; prepare it again")
        return cast("BinaryIO", system.open(path, "rb"))


async def _pass(file: BinaryIO, size: int | None, name: str) -> AsyncIterator[bytes]:
    """The bytes of an open file, no more and no fewer than were announced; the reading waits in a thread."""
    read = 0
    while chunk := await asyncio.to_thread(file.read, CHUNK):
        read += len(chunk)
        if size is not None and read > size:
            raise ChangedFile(f"{name!r} grew while it was sent; prepare it again when it is at rest")
        yield chunk
    if size is not None and read < size:
        raise ChangedFile(f"{name!r} ended after {read} of {size} bytes; prepare it again when it is at rest")


def is_file(value: JSON) -> bool:
    """Whether a value stands for a file."""
    return isinstance(value, dict) and ("$file" in value or "$content" in value)


def open_input(value: Mapping[str, JSON], where: str, roots: Roots) -> FileInput | Fault:
    """The file input that a value stands for, or why there is none."""
    unknown = [key for key in value if key not in KEYS]
    if unknown:
        allowed = "a file has $file or $content, and may have filename and content_type"
        return Fault(f"{where}.{unknown[0]}", "unknown field", allowed)
    if "$file" in value and "$content" in value:
        return Fault(where, "holds both $file and $content", "one of them is allowed")
    for key in ("filename", "content_type"):
        fault = _header_fault(value.get(key), f"{where}.{key}")
        if fault:
            return fault
    found = _content(value, where) if "$content" in value else _file(value["$file"], where, roots)
    if isinstance(found, Fault):
        return found
    source, name = found
    filename = value.get("filename", name)
    return FileInput(source, filename, value.get("content_type") or guessed_type(filename))


def guessed_type(filename: str | None) -> str | None:
    """The type that a file's extension promises; none for a part without a file name."""
    from mimetypes import guess_type

    return (guess_type(filename)[0] or "application/octet-stream") if filename else None


def _header_fault(text: JSON, where: str) -> Fault | None:
    if text is None:
        return None
    if not isinstance(text, str):
        return Fault(where, f"found {kind(text)}", "text is allowed")
    if any(character < " " or character == "\x7f" for character in text):
        return Fault(where, "holds a control character", "a name without line breaks and control characters is allowed")
    return None


def _content(value: Mapping[str, JSON], where: str) -> tuple[Source, str] | Fault:
    text = value["$content"]
    try:
        return Content(base64.b64decode(text if isinstance(text, str) else "?", validate=True)), "upload"
    except (binascii.Error, ValueError):
        return Fault(f"{where}.$content", "not base64", "the file's bytes in base64 are allowed")


def _file(name: JSON, where: str, roots: Roots) -> tuple[Source, str] | Fault:
    place = f"{where}.$file"
    if not isinstance(name, str) or not name or "\0" in name:
        return Fault(place, "not a path", "the path or URL of a file is allowed")
    refusal = roots.refusal(name)
    if refusal:
        return Fault(place, f"found {name[:120]!r}", refusal)
    local = roots.local(name)
    return _local(local, place) if local is not None else _remote(name, place)


def _local(name: str, place: str) -> tuple[Source, str] | Fault:
    try:
        path = os.path.realpath(Path(name).expanduser(), strict=True)
        status = os.stat(path)  # noqa: PTH116 - of the name as it is now, without asking again what it leads to
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Fault(place, f"cannot read {name[:120]!r}: {reason.lower()}", "a file that exists is needed")
    if not stat.S_ISREG(status.st_mode):
        return Fault(place, f"{name[:120]!r} is {_sort(status.st_mode)}", "a regular file is allowed")
    if not os.access(path, os.R_OK):
        return Fault(place, f"cannot read {name[:120]!r}: permission denied", "a file that may be read is needed")
    return LocalFile(path, status.st_size, _identity(status)), Path(name).name


def _remote(url: str, place: str) -> tuple[Source, str] | Fault:
    try:
        system, path = _filesystem(url)
        details = system.info(path)
    except (ImportError, OSError, ValueError, KeyError) as error:
        return Fault(place, f"cannot read {_safe(url)!r}: {_reason(error)}", "a file that exists is needed")
    if details.get("type") == "directory":
        return Fault(place, f"{_safe(url)!r} is a folder", "one file is allowed")
    size = details.get("size")
    name = path.rstrip("/").rsplit("/", 1)[-1].partition("?")[0]
    return RemoteFile(url, size if isinstance(size, int) else None, _mark(details)), name or "upload"


def _filesystem(url: str) -> tuple[Any, str]:
    from fsspec import core  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs] - it has none

    return cast("tuple[Any, str]", cast("Any", core).url_to_fs(url))


def _mark(details: Mapping[str, JSON]) -> str:
    """What is known of a remote file's content without reading it."""
    names = ("size", "ETag", "etag", "mtime", "last_modified", "LastModified", "updated", "generation", "crc")
    return repr([str(details[name]) for name in names if name in details])


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _sort(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"


def _safe(url: str) -> str:
    """A URL without what may be a key: its query and its user."""
    return re.sub(r"//[^/@]*@", "//", url.partition("?")[0])[:120]


def _reason(error: Exception) -> str:
    return f"{error}".lower()[:120] if isinstance(error, ImportError | ValueError) else type(error).__name__
