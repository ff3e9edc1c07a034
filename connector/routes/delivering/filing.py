"""Documents into files from a route: a line is committed with the task's end and written after it, once.

A file that is one document's own is written at once, whole: writing it again changes nothing.
"""

from __future__ import annotations

import asyncio

from connector.engine import Line
from connector.errors import ConfigurationError, ConnectorError
from connector.file_access import is_local, suffix_of
from connector.formats import FormatWriter
from connector.formats.csv import CsvWriter
from connector.formats.json import JsonWriter
from connector.formats.jsonl import JsonlWriter
from connector.formats.text import BinaryWriter, TextWriter
from connector.model import JSON, Fault, Outcome, State
from connector.publishers import Context
from connector.publishers.atomic_file import open_file, unwritable
from connector.publishers.file import FileContent, FileWriter
from connector.routes.delivering.draft import Draft
from connector.routes.delivering.evidence import Hiding

__all__ = ["HEADS", "filed"]

HEADS = "file heads"
"""The space of records that tell what a file begins with, by its place."""


async def filed(writer: FileWriter, document: JSON, context: Context, draft: Draft, hide: Hiding) -> Outcome:
    """What became of a document: its line stands in the draft, or its file is on disk."""
    try:
        placed = writer.content_of(document, context)
        data = _data(placed, hide)
    except ConnectorError as error:
        fault = Fault("publisher.parameters", str(error), "a document that can stand in the file")
        return Outcome(State.NOT_SENT, reason=str(error), faults=(fault,))
    if not placed.alone:
        return _line(placed, data, draft)
    try:
        await asyncio.to_thread(_write, placed.name, data)
    except OSError as error:
        return unwritable(placed.name, error)
    return Outcome(State.DONE, body={"file": placed.name})


def _line(placed: FileContent, data: bytes, draft: Draft) -> Outcome:
    draft.lines.append(Line(place=placed.name, data=data))
    if placed.format == "csv":
        draft.records[HEADS, placed.name] = _csv(placed, header=True).end().decode()
    return Outcome(State.DONE, body={"file": placed.name})


def _data(placed: FileContent, hide: Hiding) -> bytes:
    if placed.alone:
        made: FormatWriter = TextWriter(alone=True)
        if placed.format != "text":
            made = JsonWriter(alone=True) if placed.format == "json" else BinaryWriter()
        return made.add(placed.content) + made.end()
    if hide(placed.content) is not placed.content:
        raise ConfigurationError("the line would hold a secret, and secrets are not kept")
    if not is_local(placed.name):
        raise ConfigurationError(f"{placed.name!r} is elsewhere: a route can add lines to files of this machine alone")
    if placed.format == "csv":
        return _csv(placed, header=False).add(placed.content)
    if placed.format in ("jsonl", "text"):
        return (JsonlWriter() if placed.format == "jsonl" else TextWriter(alone=False)).add(placed.content)
    raise ConfigurationError(
        f"{placed.name!r} would be {placed.format}, to which no line can be added; write jsonl, csv or text"
    )


def _csv(placed: FileContent, *, header: bool) -> CsvWriter:
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
