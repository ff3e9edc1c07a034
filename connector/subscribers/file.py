"""Documents in files: JSONL, JSON, CSV, Parquet; here, elsewhere, or from standard input."""

from __future__ import annotations

import gzip
import logging
import lzma
import os
import stat
import sys
import zlib
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from functools import partial
from typing import Any, BinaryIO, Literal, cast

from pydantic import Field

from connector.errors import ConfigurationError
from connector.file_access import FileAccess, is_local, suffix_of
from connector.http.parameters import Section
from connector.model import JSON, is_object
from connector.request.sources import filesystem, mark_of
from connector.subscribers.context import Bookmark, Context, Lost
from connector.subscribers.formats import Blocks, Format, Reached, Unfinished, format_of
from connector.subscribers.listing import files_of
from connector.subscribers.prototype import Prototype
from connector.subscribers.resuming import Found, resumed
from connector.subscribers.threads import from_thread

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


class Reading:
    """Reads files one after the other, in the order of their names."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    async def documents(self, context: Context) -> AsyncGenerator[JSON, None]:
        async with aclosing(self._urls(context)) as urls:
            async for url in urls:
                async with aclosing(from_thread(self._blocks(url, context))) as found:
                    async for item in found:
                        if isinstance(item, Lost):
                            context.lost(item)
                        elif isinstance(item, Bookmark):
                            context.mark(item)
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

    def _blocks(self, url: str, context: Context) -> Callable[[], Found]:
        def read() -> Found:
            if url == STDIN:
                blocks = _reader(self._format_name(url))(_stdin(), "standard input", self._most)
                yield from _ended(blocks, waits=False)
                return
            for name in self._names(url, context):
                asked = self._parameters.last_line
                waits = context.comes_back if asked is None else asked == "wait"
                documents = partial(_read, _resumable(self._format_name(name)), name, self._most, waits)
                known = context.marked(_part(name, context))
                yield from resumed(partial(_opened, name), documents, _stamp(name), known)

        return read

    @property
    def _most(self) -> int:
        return self._parameters.max_document_bytes

    def _format_name(self, name: str) -> str:
        if self._parameters.format is not None:
            return self._parameters.format
        return "jsonl" if name == STDIN else format_of(name, suffix_of(name))

    def _names(self, url: str, context: Context) -> Iterator[str]:
        return files_of(url, FileAccess.of(context.folder, self._parameters.url, self._parameters.roots))


def _stdin() -> BinaryIO:
    """Standard input without its buffer, whose lock a reader that is left behind would hold when the process ends."""
    return cast("BinaryIO", getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))


def _reader(name: str) -> Format:
    from importlib import import_module

    return cast("Format", import_module(f"connector.subscribers.formats.{name}").documents)


def _resumable(name: str) -> Format:
    """The same, telling where a file goes on if the format can."""
    from importlib import import_module

    module = import_module(f"connector.subscribers.formats.{name}")
    return cast("Format", getattr(module, "resumable", module.documents))


def _part(name: str, context: Context) -> str:
    """What a file is called in bookmarks: the same from wherever the configuration is run."""
    return os.path.relpath(name, context.folder) if is_local(name) else name


def _read(format_: Format, name: str, most: int, waits: bool, file: BinaryIO, *since: Reached) -> Blocks:
    try:
        yield from _ended(format_(file, name, most, *since), waits=waits)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise ConfigurationError(f"cannot unpack {name!r}: {error}; it is read again with the next run") from None


def _ended(blocks: Blocks, *, waits: bool) -> Blocks:
    """The blocks, whose end is what it is, or waits until it is whole; then it is said."""
    for block in blocks:
        found: list[JSON | Lost | Reached | Unfinished] = []
        for item in block:
            if isinstance(item, Unfinished) and not waits:
                found += item.items
                continue
            if isinstance(item, Unfinished):
                log.warning("%s: %s; it waits until it is whole (`last_line: take` takes it)", item.where, item.what)
            found.append(item)
        yield found


def _stamp(name: str) -> str:
    """What is known of a file's content without reading it; nothing where its size is all there is to know."""
    system, path = filesystem(name)
    try:
        system.invalidate_cache()
        details = system.info(path)
    except OSError:
        return ""
    return mark_of(details) if mark_of({**details, "size": 0}) != mark_of({"size": 0}) else ""


def _opened(name: str) -> Any:
    """The open file, unpacked when its name says that it is packed."""
    from fsspec.core import OpenFile, get_compression  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs] - it has none

    system, path = filesystem(name)
    try:
        if is_local(name) and not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  the path is a text already
            raise ConfigurationError(f"{name!r} is no regular file")
        return cast("BinaryIO", OpenFile(system, path, "rb", compression=get_compression(path, "infer")))
    except OSError as error:
        raise ConfigurationError(f"cannot read {name!r}: {error.strerror or type(error).__name__}") from None


FILE = Prototype(
    "file", "Documents in files: JSONL, JSON, CSV, Parquet; globs, URLs, standard input.", Parameters, Reading, ("url",)
)
