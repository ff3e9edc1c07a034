"""What goes with a task's end: follow-up tasks, values, and lines of files, which are appended after the commit.

A crash may leave lines in a file that are not noted yet. They are known again by what was to be written there, and are
cut before they are written anew; what somebody else has added stays. A file that is one document's own is written at
once, whole: writing it again changes nothing.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from connector.aio.atomic_file import sync_path
from connector.delivery.call_records import Redaction
from connector.engine import Change, Line, NewTask, PendingLines, Settlement, Store, failpoints
from connector.errors import ConfigurationError, ConnectorError
from connector.file_access import suffix_of
from connector.formats import FormatWriter
from connector.formats.csv import CsvWriter
from connector.formats.json import JsonWriter
from connector.formats.jsonl import JsonlWriter
from connector.formats.text import BinaryWriter, TextWriter
from connector.model import JSON, Fault, Outcome, State, members
from connector.publishers import Context
from connector.publishers.file import FileContent, FileWriter
from connector.publishers.output_file import is_permanent, open_file, unwritable

__all__ = ["HEADS", "FileAppender", "Outbox", "Unwritable", "append_lines", "publish_to_file"]


@dataclass(slots=True)
class Outbox:
    """Follow-up tasks, lines of files and small values that go with a task's end."""

    accept: list[NewTask] = field(default_factory=list[NewTask])
    lines: list[Line] = field(default_factory=list[Line])
    records: dict[tuple[str, str], JSON] = field(default_factory=dict[tuple[str, str], JSON])

    def change(self, calls: Change, settled: Settlement) -> Change:
        """Return everything as one change, with the calls and the end of the task."""
        return Change(
            accept=self.accept,
            intend=calls.intend,
            end=calls.end,
            settle=[settled],
            records=self.records,
            lines=self.lines,
            spent=calls.spent,
            reserve=calls.reserve,
        )


HEADS = "file heads"
"""The space of records that tell what a file begins with, by its place."""


async def publish_to_file(
    writer: FileWriter, document: JSON, context: Context, outbox: Outbox, redact: Redaction
) -> Outcome:
    """Put a document's line into the outbox, or write its own file; return the outcome."""
    try:
        placed = writer.content_of(document, context)
        data = _encode(placed, redact)
    except ConnectorError as error:
        fault = Fault("publisher.parameters", str(error), "a document that can stand in the file")
        return Outcome(State.NOT_SENT, reason=str(error), faults=(fault,))
    if not placed.alone:
        return _add_line(placed, data, outbox)
    try:
        await asyncio.to_thread(_write, placed.name, data)
    except OSError as error:
        return unwritable(placed.name, error)
    return Outcome(State.DONE, body={"file": placed.name})


def _add_line(placed: FileContent, data: bytes, outbox: Outbox) -> Outcome:
    outbox.lines.append(Line(place=placed.name, data=data))
    if placed.format == "csv":
        outbox.records[HEADS, placed.name] = _make_csv(placed, header=True).end().decode()
    return Outcome(State.DONE, body={"file": placed.name})


def _encode(placed: FileContent, redact: Redaction) -> bytes:
    if placed.alone:
        made: FormatWriter = TextWriter(alone=True)
        if placed.format != "text":
            made = JsonWriter(alone=True) if placed.format == "json" else BinaryWriter()
        return made.add(placed.content) + made.end()
    if redact(placed.content) is not placed.content:
        raise ConfigurationError("the line would hold a secret, and secrets are not kept")
    if not placed.is_local:
        raise ConfigurationError(f"{placed.name!r} is elsewhere: a route can add lines to files of this machine alone")
    if placed.format == "csv":
        return _make_csv(placed, header=False).add(placed.content)
    if placed.format in ("jsonl", "text"):
        return (JsonlWriter() if placed.format == "jsonl" else TextWriter(alone=False)).add(placed.content)
    raise ConfigurationError(
        f"{placed.name!r} would be {placed.format}, to which no line can be added; write jsonl, csv or text"
    )


def _make_csv(placed: FileContent, *, header: bool) -> CsvWriter:
    if not placed.columns:
        raise ConfigurationError(f"{placed.name!r} is csv: name its `columns`, so that they stay the same")
    delimiter = "\t" if suffix_of(placed.name) == ".tsv" else ","
    return CsvWriter(placed.columns, delimiter, header=header, formulas=placed.formulas)


def _write(name: str, data: bytes) -> None:
    target = open_file(name, append=False)
    try:
        target.append(data)
        target.commit()
    except OSError:
        target.abandon()
        raise


BEGUN = "file beginnings"
"""The space of records that tell what is written before a place's first line."""
AT_ONCE = 1000


class Unwritable(ConfigurationError):
    """Files that stay unwritable until a person acts."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is on disk now: the number of the last line, and the file's length."""

    last: int
    length: int


class FileAppender:
    """Writes what files are to end with; one for all workers at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def write(self) -> int:
        """Write all pending lines; return their number.

        A file that cannot be written to keeps no other from being written; ConfigurationError tells of it at the end,
        Unwritable when waiting does not help.
        """
        count, faults, passing = 0, list[str](), False
        for name in await self._store.pending_files():
            try:
                count += await self._write(name)
            except OSError as error:
                passing = passing or not is_permanent(error)
                faults.append(f"cannot append to {name!r}: {error.strerror or error}; its lines are kept until it can")
        if faults:
            raise (ConfigurationError if passing else Unwritable)("; ".join(faults))
        return count

    async def _write(self, name: str) -> int:
        count, has_more = 0, True
        while has_more and (place := await self._store.pending_lines(name, AT_ONCE)).lines:
            place, head, is_first = await self._begin(place)
            failpoints.reach("delivery.lines.before")
            written = await asyncio.to_thread(append_lines, place, head, is_first=is_first)
            failpoints.reach("delivery.lines.written")
            await self._store.commit(Change(written={name: (written.last, written.length)}))
            count += len(place.lines)
            has_more = len(place.lines) == AT_ONCE
        return count

    async def _begin(self, place: PendingLines) -> tuple[PendingLines, bytes, bool]:
        """Return the place with the length at which our lines begin, what goes before them, and whether none is there.

        The length is noted before the first line is written.
        """
        begun = members(await self._store.record(BEGUN, place.name))
        length, torn = await asyncio.to_thread(_length, place.name)
        if not begun or length < place.length:  # a new file, or one that was cut or replaced
            head: JSON = None if length else await self._store.record(HEADS, place.name)
            begun = {"at": length, "head": "\n" if torn else head or ""}
            note = Change(records={(BEGUN, place.name): begun}, written={place.name: (0, length)})
            await self._store.commit(note)
            place = PendingLines(place.name, length, place.lines)
        is_first = place.length == begun["at"]
        return place, str(begun["head"]).encode() if is_first else b"", is_first


def append_lines(place: PendingLines, head: bytes, *, is_first: bool = True) -> Written:
    """Append a place's lines unless they are there already; all are on disk when it returns."""
    path = Path(place.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not an AtomicFile: the file grows, and others may append to it too, so it is repaired in place.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        is_new = is_first or not os.fstat(file.fileno()).st_size
        due = head + b"".join(line.data for _, line in place.lines)
        start = _find_start(file, place.length, due)
        if start is not None:
            _write_all(file, start, due)
        os.fsync(file.fileno())
        length = os.fstat(file.fileno()).st_size
    if is_new:  # a file that has grown keeps its entry in its folder
        sync_path(path.parent)
    return Written(place.lines[-1][0], length)


def _find_start(file: BinaryIO, length: int, due: bytes) -> int | None:
    """Return where to write, after everything that is not ours; None when it is written already."""
    size = os.fstat(file.fileno()).st_size
    file.seek(min(length, size))
    tail = _read(file, len(due))
    if tail == due:
        return None
    # What a power loss leaves of bytes that were not synced is nothing, or zeros.
    if length + len(tail) == size and all(found in (byte, 0) for found, byte in zip(tail, due, strict=False)):
        file.truncate(length)
        return length
    return size


def _write_all(file: BinaryIO, start: int, due: bytes) -> None:
    """Write all of it; when that fails, the file is as it was before."""
    file.seek(start)
    left = memoryview(due)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError:
        file.truncate(start)
        raise


def _read(file: BinaryIO, size: int) -> bytes:
    found = bytearray()
    while len(found) < size and (chunk := file.read(size - len(found))):
        found += chunk
    return bytes(found)


def _length(name: str) -> tuple[int, bool]:
    """Return a file's length, and whether it ends in the middle of a line."""
    try:
        with Path(name).open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            if not length:
                return 0, False
            file.seek(length - 1)
            return length, file.read(1) != b"\n"
    except FileNotFoundError:
        return 0, False
