"""A batch's file: written from what is kept of its lines, and sent from disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from connector.delivery.batch.line import is_line, line_of
from connector.engine import CallRecord, Store, Task
from connector.http import Client
from connector.model import JSON
from connector.publishers import CallIntent, ClientCall
from connector.publishers.intent import client_intent
from connector.request import Wire
from connector.request.files import FileInput
from connector.request.multipart import MultipartBody
from connector.request.sources import LocalFile, identify_file

__all__ = ["batch_create", "file_create", "file_delete", "members_of", "open_lines", "write_lines"]

AT_ONCE = 200


async def members_of(store: Store, carrier: int, after: int = 0) -> AsyncGenerator[Task, None]:
    """The tasks that still go in a batch, with their calls, in the order of their lines."""
    while found := await store.carried_tasks(carrier, after=after, limit=AT_ONCE):
        for one in found:
            task = await store.task(one.id)
            if task is not None:
                yield task
        after = found[-1].id


def open_lines(task: Task) -> list[CallRecord]:
    """The lines of a task in a batch that are not answered: of those that were before, the end is known."""
    return [call for call in task.calls if call.open and is_line(call)]


async def write_lines(store: Store, carrier: int, path: Path) -> int:
    """Writes the file of a batch; returns how many lines it has."""
    count = 0
    with path.open("wb") as file:
        async with aclosing(members_of(store, carrier)) as members:
            lines: list[bytes] = []
            async for task in members:
                lines += [line_of(call) for call in open_lines(task)]
                if len(lines) >= AT_ONCE:
                    count += await _put(file, lines)
        count += await _put(file, lines)
    return count


async def _put(file: BinaryIO, lines: list[bytes]) -> int:
    count = len(lines)
    await asyncio.to_thread(file.writelines, lines)
    lines.clear()
    return count


def file_create(client: Client, target: str, path: Path, name: str) -> CallIntent:
    """The upload of a batch's file, which is read from disk while it is sent."""

    def prepare(request: Mapping[str, JSON]) -> Wire:
        payload = request["payload"]
        filename = payload["file"].get("filename", name)
        stands = {**payload, "file": {"$content": "", "filename": filename, "content_type": "application/jsonl"}}
        wire = client.prepare("files create", {"payload": stands})
        status = path.stat()
        source = LocalFile(str(path), status.st_size, identify_file(status))
        body = wire.body
        if not isinstance(body, MultipartBody):
            raise TypeError("an upload is a form")
        parts = [
            part._replace(value=replace(part.value, source=source)) if isinstance(part.value, FileInput) else part
            for part in body.parts
        ]
        return replace(wire, body=MultipartBody(parts, body.boundary))

    request: dict[str, JSON] = {"payload": {"purpose": "batch", "file": {"$file": name}}}
    return client_intent(target, ClientCall(client=client, wire=prepare(request), request=request, prepare=prepare))


def batch_create(client: Client, target: str, payload: JSON) -> CallIntent:
    """The batch itself."""
    return _intent(client, target, "batches create", {"payload": payload})


def file_delete(client: Client, target: str, file: str) -> CallIntent:
    """The removal of a file that nobody needs any more."""
    return _intent(client, target, "files delete", {"path": {"file_id": file}})


def _intent(client: Client, target: str, operation: str, request: Mapping[str, JSON]) -> CallIntent:
    def prepare(request: Mapping[str, JSON]) -> Wire:
        return client.prepare(operation, request)

    return client_intent(target, ClientCall(client=client, wire=prepare(request), request=request, prepare=prepare))
