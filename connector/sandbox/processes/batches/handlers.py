"""Batches: created, read, cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.model import JSON
from connector.sandbox.call import Answer
from connector.sandbox.processes.batches.moving import BATCHES, DAY, KEPT
from connector.sandbox.processes.files.stored import file_for
from connector.sandbox.processes.kept import body_of, conflict, lists, retrieves
from connector.shapes import members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS"]

OPEN = ("validating", "in_progress", "finalizing")


def create(call: Call, world: World) -> Answer:
    asked = body_of(call)
    file_for(world, asked["input_file_id"], "batch", "input_file_id")
    now = int(world.now())
    batch: dict[str, JSON] = {"id": world.new_id("batch_"), "object": "batch", "endpoint": asked["endpoint"]}
    batch |= {"input_file_id": asked["input_file_id"], "completion_window": asked["completion_window"]}
    batch |= {"status": "validating", "created_at": now, "expires_at": now + DAY}
    batch |= {"request_counts": {"total": 0, "completed": 0, "failed": 0}, "metadata": asked.get("metadata")}
    world.objects.put(BATCHES, batch)
    seconds = members(asked.get("output_expires_after")).get("seconds")
    world.objects.put(KEPT, {"id": batch["id"], "created": world.now(), "next": 0, "seconds": seconds})
    world.processes.open(BATCHES, batch["id"], world.now() + world.options.pace)
    return Answer(batch)


def cancel(call: Call, world: World) -> Answer:
    batch = world.found(BATCHES, call.path["batch_id"])
    if batch["status"] in OPEN:
        batch |= {"status": "cancelling", "cancelling_at": int(world.now())}
        world.objects.put(BATCHES, batch)
        world.processes.open(BATCHES, batch["id"], world.now() + world.options.pace)
    elif batch["status"] not in ("cancelling", "cancelled") and not world.options.lenient:
        raise conflict(f"Cannot cancel a batch with status '{batch['status']}'.")
    return Answer(batch)


HANDLERS: Mapping[str, Handler] = {
    "GET /batches": lists(BATCHES),
    "POST /batches": create,
    "GET /batches/{batch_id}": retrieves(BATCHES, "batch_id"),
    "POST /batches/{batch_id}/cancel": cancel,
}
