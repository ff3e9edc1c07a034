"""File inputs: `{"$file": "path or URL"}` and `{"$content": "<base64>", "filename": …, "content_type": …}`."""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connector.model import JSON, Fault
from connector.offline import is_offline
from connector.request.display import describe_value
from connector.request.file_access import Roots
from connector.request.sources import (
    Content,
    LocalFile,
    RemoteFile,
    Source,
    identify_file,
    identify_remote,
    open_filesystem,
)

__all__ = ["FileInput", "is_file", "open_input"]

MARKS = ("$file", "$content")
KEYS = frozenset({*MARKS, "filename", "content_type"})


@dataclass(frozen=True, slots=True)
class FileInput:
    """One file of a form: its bytes, and what its part says of it."""

    source: Source
    filename: str | None
    content_type: str | None


def is_file(value: JSON) -> bool:
    """Return whether a value means a file."""
    return isinstance(value, dict) and ("$file" in value or "$content" in value)


def open_input(value: Mapping[str, JSON], where: str, roots: Roots) -> FileInput | Fault:
    """Return the file input that a value means, or why there is none."""
    unknown = [key for key in value if key not in KEYS]
    if unknown:
        allowed = "a file has $file or $content, and may have filename and content_type"
        return Fault(f"{where}.{unknown[0]}", "unknown field", allowed)
    if "$file" in value and "$content" in value:
        return Fault(where, "holds both $file and $content", "one of them is allowed")
    for key in ("filename", "content_type"):
        fault = _check_header(value.get(key), f"{where}.{key}")
        if fault:
            return fault
    found = _open_content(value, where) if "$content" in value else _open_file(value["$file"], where, roots)
    if isinstance(found, Fault):
        return found
    source, name = found
    filename = value.get("filename", name)
    return FileInput(source, filename, value.get("content_type") or guess_content_type(filename))


def guess_content_type(filename: str | None) -> str | None:
    """Return the type that a file's extension promises; none for a part without a file name."""
    from mimetypes import guess_type

    return (guess_type(filename)[0] or "application/octet-stream") if filename else None


def _check_header(text: JSON, where: str) -> Fault | None:
    if text is None:
        return None
    if not isinstance(text, str):
        return Fault(where, f"found {describe_value(text)}", "text is allowed")
    if any(character < " " or character == "\x7f" for character in text):
        return Fault(where, "holds a control character", "a name without line breaks and control characters is allowed")
    return None


def _open_content(value: Mapping[str, JSON], where: str) -> tuple[Source, str] | Fault:
    text = value["$content"]
    try:
        return Content(base64.b64decode(text if isinstance(text, str) else "?", validate=True)), "upload"
    except (binascii.Error, ValueError):
        return Fault(f"{where}.$content", "not base64", "the file's bytes in base64 are allowed")


def _open_file(name: JSON, where: str, roots: Roots) -> tuple[Source, str] | Fault:
    place = f"{where}.$file"
    if not isinstance(name, str) or not name or "\0" in name:
        return Fault(place, "not a path", "the path or URL of a file is allowed")
    refusal = roots.refusal(name)
    if refusal:
        return Fault(place, f"found {name[:120]!r}", refusal)
    local = roots.local(name)
    return _open_local(local, place) if local is not None else _open_remote(name, place)


def _open_local(name: str, place: str) -> tuple[Source, str] | Fault:
    try:
        path = os.path.realpath(Path(name).expanduser(), strict=True)
        status = os.stat(path)  # noqa: PTH116 - of the name as it is now, without asking again what it leads to
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Fault(place, f"cannot read {name[:120]!r}: {reason.lower()}", "a file that exists is needed")
    if not stat.S_ISREG(status.st_mode):
        return Fault(place, f"{name[:120]!r} is {_name_sort(status.st_mode)}", "a regular file is allowed")
    if not os.access(path, os.R_OK):
        return Fault(place, f"cannot read {name[:120]!r}: permission denied", "a file that may be read is needed")
    return LocalFile(path, status.st_size, identify_file(status)), Path(name).name


def _open_remote(url: str, place: str) -> tuple[Source, str] | Fault:
    if is_offline():
        return RemoteFile(url, None, ""), _find_name(url)
    try:
        system, path = open_filesystem(url)
        details = system.info(path)
    except Exception as error:  # noqa: BLE001 - each storage has its own errors, without a common root
        return Fault(
            place, f"cannot read {_hide_keys(url)!r}: {_describe_error(error)}", "a file that exists is needed"
        )
    if details.get("type") == "directory":
        return Fault(place, f"{_hide_keys(url)!r} is a folder", "one file is allowed")
    size = details.get("size")
    return RemoteFile(url, size if isinstance(size, int) else None, identify_remote(details)), _find_name(path)


def _find_name(path: str) -> str:
    """Return the file's own name in a path or URL."""
    return path.rstrip("/").rsplit("/", 1)[-1].partition("?")[0] or "upload"


def _name_sort(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"


def _hide_keys(url: str) -> str:
    """Return a URL without what may be a key: its query and its user."""
    return re.sub(r"//[^/@]*@", "//", url.partition("?")[0])[:120]


def _describe_error(error: Exception) -> str:
    return f"{error}".lower()[:120] if isinstance(error, ImportError | ValueError) else type(error).__name__
