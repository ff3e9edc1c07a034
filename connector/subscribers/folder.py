"""Files as they are: a document for each with its path and size, ready for upload; their content is not read."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from pydantic import Field

from connector.errors import ConfigurationError
from connector.file_access import FileAccess, is_local
from connector.http.parameters import Section
from connector.model import JSON, is_object
from connector.request.sources import open_filesystem
from connector.subscribers.prototype import Context, Prototype
from connector.subscribers.thread_iterator import iterate_in_thread

__all__ = ["FOLDER"]


class Parameters(Section):
    """Which files."""

    url: str = Field(description="A path or any URL that fsspec reads, with * and ** for many files.")
    roots: tuple[str, ...] = Field(
        default=(), description="Folders and URLs below which the files must lie; the folder of `url` unless given."
    )


class FolderReader:
    """Lists files in the order of their names."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    async def documents(self, context: Context) -> AsyncGenerator[JSON, None]:
        async with aclosing(context.requests({"url": self._parameters.url}, {})) as requests:
            async for request in requests:
                url = request.get("url") if is_object(request) else None
                if not isinstance(url, str) or not url:
                    raise ConfigurationError("the folder subscriber's input chain must give {url: …}")
                async with aclosing(iterate_in_thread(partial(self._blocks, url, context))) as files:
                    async for file in files:
                        yield file

    async def explain(self, context: Context) -> JSON:
        url = self._parameters.url
        return {"url": url, "files": [_relative(name, context) for name in self._access(context).list_files(url)][:100]}

    def _access(self, context: Context) -> FileAccess:
        return FileAccess.of(context.folder, self._parameters.url, self._parameters.roots)

    def _blocks(self, url: str, context: Context) -> Generator[list[JSON], None, None]:
        for name in self._access(context).list_files(url):
            yield [_describe(name, context)]


def _describe(name: str, context: Context) -> dict[str, JSON]:
    system, path = open_filesystem(name)
    try:
        details: Any = system.info(path)
    except OSError as error:
        raise ConfigurationError(f"cannot look at {name!r}: {error.strerror or type(error).__name__}") from None
    plain = PurePosixPath(path.replace(os.sep, "/"))
    known = {"file": _relative(name, context), "name": plain.name, "stem": plain.stem, "suffix": plain.suffix}
    return {**known, "bytes": details.get("size"), "modified": _format_time(details.get("mtime"))}


def _relative(name: str, context: Context) -> str:
    """Return a local path relative to the configuration's folder, where the paths of file fields start as well."""
    return os.path.relpath(name, context.folder) if is_local(name) else name


def _format_time(modified: object) -> str | None:
    if isinstance(modified, int | float):
        modified = datetime.fromtimestamp(modified, UTC)
    return modified.isoformat() if isinstance(modified, datetime) else None


FOLDER = Prototype(
    "folder", "Files as they are: a document for each, with its path and size.", Parameters, FolderReader, ("url",)
)
"""For uploads: `{"$file": "&{file}"}`."""
