"""Who moves what, by the kind of object."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from connector.sandbox.processes import background_responses, chatkit, containers
from connector.sandbox.processes.batches import moving as batches
from connector.sandbox.processes.evals import moving as evals
from connector.sandbox.processes.files import removing, uploads
from connector.sandbox.processes.files.stored import FILES
from connector.sandbox.processes.threads import moving as runs
from connector.sandbox.processes.threads import working
from connector.sandbox.processes.tuning import moving as tuning
from connector.sandbox.processes.vectors import stored as held
from connector.sandbox.processes.vectors import stores

if TYPE_CHECKING:
    from connector.sandbox.call import World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["MOVERS", "Mover"]

VIDEOS = "videos"

Mover = Callable[["World", "Entry"], Awaitable[float | None]]
"""Brings an object whose time has come a step on; gives when its next step is due, nothing after the last."""


async def finish_video(world: World, entry: Entry) -> None:
    """A video is finished; what it looks like until then is told when it is read."""
    if world.objects.get(VIDEOS, entry.id) is not None:
        world.tell("video.completed", {"id": entry.id})


MOVERS: Mapping[str, Mover] = {
    background_responses.RESPONSES: background_responses.move,
    batches.BATCHES: batches.move,
    chatkit.SESSIONS: chatkit.expire,
    containers.CONTAINERS: containers.expire,
    evals.RUNS: evals.move,
    tuning.JOBS: tuning.move,
    working.RUNS: runs.move,
    FILES: removing.expire,
    uploads.UPLOADS: uploads.expire,
    held.HELD: held.read,
    held.STORES: stores.expire,
    VIDEOS: finish_video,
}
