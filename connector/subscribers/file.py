"""Documents in files: JSONL, JSON, CSV, Parquet; here, elsewhere, or from standard input."""

from __future__ import annotations

import gzip
import logging
import lzma
import os
import stat
import sys
import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractContextManager, aclosing
from functools import partial
from typing import BinaryIO, Literal, cast

from pydantic import Field

from connector.errors import ConfigurationError
from connector.file_access import FileAccess, is_local, suffix_of
from connector.formats import (
    BlockReader,
    Blocks,
    IncompleteEnd,
    ResumePoint,
    UnreadableDocument,
    find_reader,
    format_to_read,
    take_documents,
)
from connector.http.parameters import Section
from connector.model import JSON, is_object
from connector.request.sources import identify_remote, open_filesystem
from connector.subscribers.bookmarks import FileItems, read_file_on
from connector.subscribers.prototype import Bookmark, Context, Prototype
from connector.subscribers.thread_iterator import iterate_in_thread

__all__ = ["FILE"]

STDIN = "-"
log = logging.getLogger(__name__)


class Parameters(Section):
    """Which files, and what they are made of."""

    url: str = Field(
        description="A path or any URL that fsspec reads, with * and ** for many files; - is standard input."
    )
    format: Literal["jsonl", "json", "csv", "parquet"] | None = Field(
        default=None, description="What the files are made of; their names tell unless given."
    )
    roots: tuple[str, ...] = Field(
        default=(), description="Folders and URLs below which the files must lie; the folder of `url` unless given."
    )
    last_line: Literal["wait", "take"] | None = Field(
        default=None,
        description="What becomes of an end that may be half written, such as a last line without a line end: on a"
        " route it waits until it is whole, everywhere else it is taken.",
    )
    max_document_bytes: int = Field(default=64 * 1024**2, ge=1024, description="The largest document that is read.")


class FileReader:
    """Reads files one after the other, in the order of their names."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    async def documents(self, context: Context) -> AsyncGenerator[JSON, None]:
        async with aclosing(self._urls(context)) as urls:
            async for url in urls:
                async with aclosing(iterate_in_thread(partial(self._blocks, url, context))) as found:
                    async for item in found:
                        if isinstance(item, UnreadableDocument):
                            context.on_unreadable(item)
                        elif isinstance(item, Bookmark):
                            context.on_bookmark(item)
                        else:
                            yield item

    async def explain(self, context: Context) -> JSON:
        shown: list[JSON] = []
        async with aclosing(self._urls(context)) as urls:
            async for url in urls:
                names = [STDIN] if url == STDIN else list(self._names(url, context))
                shown.append(
                    {"url": url, "format": self._format_name(names[0] if names else url), "files": names[:100]}
                )
        return shown

    async def _urls(self, context: Context) -> AsyncGenerator[str, None]:
        async with aclosing(context.requests({"url": self._parameters.url}, {})) as requests:
            async for request in requests:
                url = request.get("url") if is_object(request) else None
                if not isinstance(url, str) or not url:
                    raise ConfigurationError("the file subscriber's input chain must give {url: …}")
                yield url

    def _blocks(self, url: str, context: Context) -> FileItems:
        if url == STDIN:
            blocks = find_reader(self._format_name(url))(_stdin(), "standard input", self._most)
            for documents in take_documents(blocks):
                yield [*documents]
            return
        for name in self._names(url, context):
            chosen = self._parameters.last_line
            waits = context.is_repeated if chosen is None else chosen == "wait"
            read = partial(_read, find_reader(self._format_name(name)), name, self._most, waits)
            known = context.find_bookmark(_part(name, context))
            yield from read_file_on(partial(_open, name), read, _stamp(name), known)

    @property
    def _most(self) -> int:
        return self._parameters.max_document_bytes

    def _format_name(self, name: str) -> str:
        if self._parameters.format is not None:
            return self._parameters.format
        return "jsonl" if name == STDIN else format_to_read(name, suffix_of(name))

    def _names(self, url: str, context: Context) -> Iterator[str]:
        return FileAccess.of(context.folder, self._parameters.url, self._parameters.roots).list_files(url)


def _stdin() -> BinaryIO:
    """Return standard input without its buffer, whose lock an abandoned reader would hold when the process ends."""
    return cast("BinaryIO", getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))


def _part(name: str, context: Context) -> str:
    """Return a file's name in bookmarks: the same from wherever the configuration is run."""
    return os.path.relpath(name, context.folder) if is_local(name) else name


def _read(reader: BlockReader, name: str, most: int, waits: bool, file: BinaryIO, *since: ResumePoint) -> Blocks:
    try:
        yield from _resolve_ends(reader(file, name, most, *since), waits=waits)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise ConfigurationError(f"cannot unpack {name!r}: {error}; it is read again with the next run") from None


def _resolve_ends(blocks: Blocks, *, waits: bool) -> Blocks:
    """Yield the blocks; take an incomplete end for what it is, or keep it and warn that it waits."""
    for block in blocks:
        items: list[JSON | UnreadableDocument | ResumePoint | IncompleteEnd] = []
        for item in block:
            if isinstance(item, IncompleteEnd) and not waits:
                items += item.items
                continue
            if isinstance(item, IncompleteEnd):
                log.warning("%s: %s; it waits until it is whole (`last_line: take` takes it)", item.where, item.what)
            items.append(item)
        yield items


def _stamp(name: str) -> str:
    """Return what changes with a file's content, without reading it; empty where only its size is known."""
    system, path = open_filesystem(name)
    try:
        system.invalidate_cache()
        details = system.info(path)
    except OSError:
        return ""
    return identify_remote(details) if identify_remote({**details, "size": 0}) != identify_remote({"size": 0}) else ""


def _open(name: str) -> AbstractContextManager[BinaryIO]:
    """Return the open file, decompressed when its name says that it is compressed."""
    from fsspec.core import OpenFile, get_compression  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs] - it has none

    system, path = open_filesystem(name)
    try:
        if is_local(name) and not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  the path is a text already
            raise ConfigurationError(f"{name!r} is no regular file")
        return cast(
            "AbstractContextManager[BinaryIO]", OpenFile(system, path, "rb", compression=get_compression(path, "infer"))
        )
    except OSError as error:
        raise ConfigurationError(f"cannot read {name!r}: {error.strerror or type(error).__name__}") from None


FILE = Prototype(
    "file",
    "Documents in files: JSONL, JSON, CSV, Parquet; globs, URLs, standard input.",
    Parameters,
    FileReader,
    ("url",),
)
