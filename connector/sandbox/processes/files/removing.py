"""A file goes, and what follows from that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.sandbox.processes.files.stored import FILES, USES
from connector.sandbox.processes.vectors.stored import take_out

if TYPE_CHECKING:
    from connector.sandbox.call import World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["expire", "remove_file"]


def remove_file(world: World, file_id: str) -> None:
    """The file is gone with its bytes, and from the vector stores that held it."""
    for store in list(world.objects.all(USES, file_id)):
        take_out(world, store["id"], file_id)
    world.objects.delete(FILES, file_id)
    world.drop_content(file_id)


async def expire(world: World, entry: Entry) -> None:
    """A file's time is over."""
    remove_file(world, entry.id)
