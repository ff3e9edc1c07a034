"""Files as they are stored, and what may be uploaded for which purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON, is_object
from connector.sandbox.backend import Backend
from connector.sandbox.messages import ApiError

__all__ = ["FILES", "USES", "check_file", "require_file", "save_file", "save_large_file"]

FILES = "files"
USES = "sandbox file uses"
"""Below a file: the vector stores that have it, so that it can be removed from them."""
MEGABYTE = 1024 * 1024
MOST_BYTES = 512 * MEGABYTE
MOST_BATCH_BYTES = 200 * MEGABYTE
LINE_FORMATS = frozenset({"jsonl"})
PART = MEGABYTE
"""Bytes of a large file that are saved at once."""
IMAGE_FORMATS = frozenset({"gif", "jpeg", "jpg", "png", "webp"})
TEXT_FORMATS = frozenset(
    {"c", "cpp", "cs", "css", "csv", "go", "htm", "html", "java", "js", "json", "jsonl", "md", "php"}
)
BINARY_FORMATS = frozenset(
    {"doc", "docx", "pdf", "pkl", "pptx", "py", "rb", "sh", "tar", "tex", "ts", "txt", "xlsx", "xml", "zip"}
)
DOCUMENT_FORMATS = IMAGE_FORMATS | TEXT_FORMATS | BINARY_FORMATS
EXTENSIONS: Mapping[str, frozenset[str]] = {
    "assistants": DOCUMENT_FORMATS,
    "batch": LINE_FORMATS,
    "evals": LINE_FORMATS,
    "fine-tune": LINE_FORMATS,
    "vision": IMAGE_FORMATS,
}


def save_file(
    backend: Backend, filename: str, purpose: str, data: bytes, *, seconds: int | None = None
) -> dict[str, Any]:
    """Save a new file, which expires after some seconds."""
    file = _describe_file(backend, filename, purpose, len(data), seconds)
    backend.save_content(file["id"], data)
    backend.objects.put(FILES, file)
    return file


async def save_large_file(
    backend: Backend, filename: str, purpose: str, data: bytearray, *, seconds: int | None = None
) -> dict[str, Any]:
    """Do the same in parts, between which other tasks have their turn."""
    file = _describe_file(backend, filename, purpose, len(data), seconds)
    view = memoryview(data)
    for start in range(0, len(view), PART):
        backend.objects.append_content(file["id"], bytes(view[start : start + PART]))
        await asyncio.sleep(0)
    backend.objects.put(FILES, file)
    return file


def _describe_file(backend: Backend, filename: str, purpose: str, size: int, seconds: int | None) -> dict[str, Any]:
    now = int(backend.now())
    file: dict[str, JSON] = {"id": backend.new_id("file-"), "object": "file", "bytes": size, "created_at": now}
    file |= {"filename": filename, "purpose": purpose, "status": "processed"}
    if seconds:
        file["expires_at"] = now + seconds
        backend.scheduler.schedule(FILES, file["id"], now + seconds)
    return file


def require_file(backend: Backend, file_id: str, purpose: str, param: str) -> dict[str, Any]:
    """Return the file of an id; raise ApiError where it has another purpose."""
    file = backend.require_object(FILES, file_id)
    if file["purpose"] != purpose and not backend.options.lenient:
        message = f"File '{file_id}' has the purpose '{file['purpose']}'; '{param}' takes one for '{purpose}'."
        raise ApiError(400, message, param=param, code="invalid_file_purpose")
    return file


def check_file(filename: str, purpose: str, data: bytes) -> None:
    """Raise ApiError for a file that the API does not take for a purpose; a name without an extension passes."""
    if len(data) > MOST_BYTES:
        raise ApiError(413, f"The file is {len(data)} bytes; the most is {MOST_BYTES}.", param="file")
    if purpose == "batch" and len(data) > MOST_BATCH_BYTES:
        raise _invalid_file(f"The batch file is {len(data)} bytes; the most is {MOST_BATCH_BYTES}.")
    extension = PurePosixPath(filename).suffix.removeprefix(".").lower()
    allowed = EXTENSIONS.get(purpose, frozenset())
    if extension and allowed and extension not in allowed:
        supported = ", ".join(f'"{one}"' for one in sorted(allowed))
        raise _invalid_file(f"Invalid extension {extension} for purpose '{purpose}'. Supported formats: {supported}.")
    if purpose == "fine-tune":
        _check_lines(data)


def _check_lines(data: bytes) -> None:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip() and not _is_object(line):
            start = line[:40].decode("utf-8", "replace")
            message = f'every line must be a JSON object. Line {number} is not (it starts with: "{start}")'
            raise _invalid_file(f"Expected file to have JSONL format, where {message}.")


def _is_object(line: bytes) -> bool:
    try:
        return is_object(parse(line))
    except InvalidDocument:
        return False


def _invalid_file(message: str) -> ApiError:
    return ApiError(400, message, param="file", code="invalid_file")
