"""Files as they are kept: an object for the lists, the bytes beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.call import Refused

if TYPE_CHECKING:
    from connector.sandbox.call import World

__all__ = ["FILES", "USES", "file_for", "keep_file"]

FILES = "files"
USES = "sandbox file uses"
"""Below a file's id: the vector stores that hold it, so that it can be taken out when it goes."""


def keep_file(world: World, filename: str, purpose: str, data: bytes, *, seconds: int | None = None) -> dict[str, Any]:
    """A new file, which goes after so many seconds."""
    now = int(world.now())
    file: dict[str, JSON] = {"id": world.new_id("file-"), "object": "file", "bytes": len(data), "created_at": now}
    file |= {"filename": filename, "purpose": purpose, "status": "processed"}
    if seconds:
        file["expires_at"] = now + seconds
        world.processes.open(FILES, file["id"], now + seconds)
    world.keep_content(file["id"], data)
    world.objects.put(FILES, file)
    return file


def file_for(world: World, file_id: str, purpose: str, param: str) -> dict[str, Any]:
    """The file of that id, which must have been uploaded for that purpose."""
    file = world.found(FILES, file_id)
    if file["purpose"] != purpose and not world.options.lenient:
        message = f"File '{file_id}' has the purpose '{file['purpose']}'; '{param}' takes one for '{purpose}'."
        raise Refused(400, message, param=param, code="invalid_file_purpose")
    return file
