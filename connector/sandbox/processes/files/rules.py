"""What may be uploaded for which purpose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import is_object
from connector.sandbox.call import Refused

__all__ = ["check_file"]

MEGABYTE = 1024 * 1024
MOST_BYTES = 512 * MEGABYTE
MOST_BATCH_BYTES = 200 * MEGABYTE
LINES = frozenset({"jsonl"})
IMAGES = frozenset({"gif", "jpeg", "jpg", "png", "webp"})
TEXTS = frozenset({"c", "cpp", "cs", "css", "csv", "go", "htm", "html", "java", "js", "json", "jsonl", "md", "php"})
PACKED = frozenset(
    {"doc", "docx", "pdf", "pkl", "pptx", "py", "rb", "sh", "tar", "tex", "ts", "txt", "xlsx", "xml", "zip"}
)
DOCUMENTS = IMAGES | TEXTS | PACKED
EXTENSIONS: Mapping[str, frozenset[str]] = {
    "assistants": DOCUMENTS,
    "batch": LINES,
    "evals": LINES,
    "fine-tune": LINES,
    "vision": IMAGES,
}


def check_file(filename: str, purpose: str, data: bytes) -> None:
    """Refuses a file that the API would not take for that purpose; a name without an extension is let pass."""
    if len(data) > MOST_BYTES:
        raise Refused(413, f"The file is {len(data)} bytes; the most is {MOST_BYTES}.", param="file")
    if purpose == "batch" and len(data) > MOST_BATCH_BYTES:
        raise _wrong(f"The batch file is {len(data)} bytes; the most is {MOST_BATCH_BYTES}.")
    extension = PurePosixPath(filename).suffix.removeprefix(".").lower()
    allowed = EXTENSIONS.get(purpose, frozenset())
    if extension and allowed and extension not in allowed:
        supported = ", ".join(f'"{one}"' for one in sorted(allowed))
        raise _wrong(f"Invalid extension {extension} for purpose '{purpose}'. Supported formats: {supported}.")
    if purpose == "fine-tune":
        _check_lines(data)


def _check_lines(data: bytes) -> None:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip() and not _is_object(line):
            start = line[:40].decode("utf-8", "replace")
            message = f'every line must be a JSON object. Line {number} is not (it starts with: "{start}")'
            raise _wrong(f"Expected file to have JSONL format, where {message}.")


def _is_object(line: bytes) -> bool:
    try:
        return is_object(parse(line))
    except InvalidDocument:
        return False


def _wrong(message: str) -> Refused:
    return Refused(400, message, param="file", code="invalid_file")
