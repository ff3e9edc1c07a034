"""Documents into files, each whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from pydantic import Field, model_validator

from connector.errors import ConfigurationError, ConnectorError, InvalidDocument
from connector.file_access import FileAccess, is_local, suffix_of
from connector.formats import SINGLE_DOCUMENT, FormatWriter, format_to_write, make_writer
from connector.http.parameters import Section
from connector.model import JSON, Outcome, State
from connector.publishers.output_file import OpenFile, open_file, unwritable
from connector.publishers.prototype import Context, Prototype
from connector.transform.placeholders import has_placeholder, to_text
from connector.transform.template import compile_template

__all__ = ["FILE", "FileContent", "FileWriter"]

Result = TypeVar("Result")
MOST_OPEN = 200
WHOLE = "&{@}"
"""The content that is the document as it is."""


class Parameters(Section):
    """Which file, and what it is made of."""

    url: str = Field(description="A path or any URL that fsspec writes; with placeholders, documents name their files.")
    format: Literal["jsonl", "json", "csv", "parquet", "binary", "text"] | None = Field(
        default=None,
        description="What the file is made of; its name tells unless given. With placeholders in url, json, binary and "
        "text are one file a document; documents of the other formats share the file that they name.",
    )
    content: JSON = Field(default=WHOLE, description="What of a document is written; all of it unless given.")
    columns: tuple[str, ...] = Field(
        default=(), description="The columns of CSV and Parquet; the first rows' unless given."
    )
    formulas: bool = Field(
        default=False,
        description="Whether CSV cells that a spreadsheet would run as a formula are written as they are; unless set, "
        "a single quote goes before a text that begins with =, +, -, @, a tab or a carriage return and is no number.",
    )
    append: bool = Field(
        default=False, description="Whether JSONL is added to a file that is there, document by document, at once."
    )
    roots: tuple[str, ...] = Field(
        default=(), description="Folders and URLs below which the files must lie; the folder of `url` unless given."
    )

    @model_validator(mode="after")
    def _appendable(self) -> Parameters:
        if self.append and (self.format or format_to_write(self.url, suffix_of(self.url))) != "jsonl":
            raise ValueError("only jsonl can be appended to; the other formats have an end")
        if self.append and not is_local(self.url):
            raise ValueError("only files of this machine can be appended to")
        return self


@dataclass(frozen=True, slots=True)
class FileContent:
    """What a document adds to which file.

    Attributes:
        name: the file's path or URL.
        is_local: whether it is a file of this machine.
        format: the file's format.
        content: what of the document is written.
        alone: whether the file holds this document only.
        columns: the columns of CSV and Parquet.
        formulas: whether CSV cells may be formulas.
    """

    name: str
    is_local: bool
    format: str
    content: JSON
    alone: bool
    columns: tuple[str, ...]
    formulas: bool


class _Place(NamedTuple):
    """The file of a document."""

    name: str
    format: str
    is_local: bool


@dataclass(slots=True)
class _Open:
    file: OpenFile
    writer: FormatWriter


class FileWriter:
    """Writes documents one after the other in a thread of its own."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._url = compile_template(parameters.url, where="publisher.parameters.url")
        content = parameters.content
        self._content = None if content == WHOLE else compile_template(content, where="publisher.parameters.content")
        self._many = has_placeholder(parameters.url)
        self._sole: _Place | None = None
        self._open: dict[str, _Open] = {}
        self._complete: set[str] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outgoing")

    async def publish(self, document: JSON, context: Context) -> Outcome:
        try:
            name, format_, _ = self._file_of(document, context)
            content = self._find_content(document, context)
            return await self._in_thread(self._write, name, format_, content)
        except ConnectorError as error:
            return Outcome(State.NOT_SENT, reason=str(error))

    async def explain(self, document: JSON, context: Context) -> JSON:
        name, format_, _ = self._file_of(document, context)
        return {"file": name, "format": format_, "content": self._find_content(document, context)}

    def content_of(self, document: JSON, context: Context) -> FileContent:
        """Return what a document adds to which file; nothing is written."""
        name, format_, local = self._file_of(document, context)
        content, alone = self._find_content(document, context), self._many and format_ in SINGLE_DOCUMENT
        return FileContent(name, local, format_, content, alone, self._parameters.columns, self._parameters.formulas)

    @property
    def shared_format(self) -> str:
        """The format of the one file of all documents; empty when documents name their files."""
        asked = self._parameters
        return "" if self._many else asked.format or format_to_write(asked.url, suffix_of(asked.url))

    @property
    def columns(self) -> tuple[str, ...]:
        """The named columns of every file."""
        return self._parameters.columns

    async def finish(self) -> None:
        try:
            await self._in_thread(self._finish)
        finally:
            self._thread.shutdown(wait=False)

    async def abandon(self) -> list[str]:
        try:
            return await self._in_thread(self._abandon)
        finally:
            self._thread.shutdown(wait=False)

    def _find_content(self, document: JSON, context: Context) -> JSON:
        return document if self._content is None else self._content(document, context.scope)

    def _file_of(self, document: JSON, context: Context) -> _Place:
        """Return the file of a document; a name without placeholders is resolved once."""
        if self._sole is not None:
            return self._sole
        place = self._resolve_file(document, context)
        self._sole = None if self._many else place
        return place

    def _resolve_file(self, document: JSON, context: Context) -> _Place:
        written = to_text(self._url(document, context.scope))
        asked = self._parameters
        name = FileAccess.of(context.folder, asked.url, asked.roots, context.reserved).resolve(written)
        return _Place(name, asked.format or format_to_write(written, suffix_of(written)), is_local(name))

    def _write(self, name: str, format_: str, content: JSON) -> Outcome:
        alone = self._many and format_ in SINGLE_DOCUMENT
        if name in self._complete:
            raise InvalidDocument(f"the file {name!r} was written for another document of this run; make names differ")
        try:
            opened = self._open_once(name, format_, alone=alone)
            opened.file.append(opened.writer.add(content))
            if alone:
                self._commit(name)
        except OSError as error:
            return unwritable(name, error)
        return Outcome(State.DONE, body={"file": name})

    def _open_once(self, name: str, format_: str, *, alone: bool) -> _Open:
        if name not in self._open:
            if len(self._open) >= MOST_OPEN:
                raise ConfigurationError(
                    f"more than {MOST_OPEN} files are open; use a format that is one file a document"
                )
            writer = self._make_writer(name, format_, alone=alone)
            self._open[name] = _Open(open_file(name, append=self._parameters.append), writer)
        return self._open[name]

    def _make_writer(self, name: str, format_: str, *, alone: bool) -> FormatWriter:
        return make_writer(
            format_,
            columns=self._parameters.columns,
            delimiter="\t" if suffix_of(name) == ".tsv" else ",",
            formulas=self._parameters.formulas,
            alone=alone,
        )

    def _commit(self, name: str) -> None:
        opened = self._open[name]
        opened.file.append(opened.writer.end())
        opened.file.commit()
        del self._open[name]
        self._complete.add(name)

    def _finish(self) -> None:
        for name in list(self._open):
            try:
                self._commit(name)
            except OSError as error:
                raise ConfigurationError(f"cannot complete {name!r}: {error.strerror or error}") from None

    def _abandon(self) -> list[str]:
        for opened in self._open.values():
            opened.file.abandon()
        return [opened.file.unfinished for opened in self._open.values()]

    async def _in_thread(self, work: Callable[..., Result], *given: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)


FILE = Prototype(
    "file",
    "Files: JSONL, JSON, CSV, Parquet, text, or one file a document.",
    Parameters,
    FileWriter,
    ("url", "content"),
)
