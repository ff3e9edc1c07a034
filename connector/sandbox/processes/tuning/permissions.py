"""Who may use a checkpoint of a fine-tuned model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.model import JSON
from connector.sandbox.call import Answer
from connector.sandbox.processes.kept import Where, body_of, deleted, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS"]

PERMISSIONS = "fine-tuning checkpoint permissions"
CHECKPOINT = "fine_tuned_model_checkpoint"


def create(call: Call, world: World) -> Answer:
    given = [_permission(call, world, project) for project in body_of(call)["project_ids"]]
    ids = [permission["id"] for permission in given] or [""]
    return Answer({"object": "list", "data": given, "first_id": ids[0], "last_id": ids[-1], "has_more": False})


def list_all(call: Call, world: World) -> Answer:
    wanted = call.query.get("project_id")
    where: Where = lambda permission: wanted in (None, permission["project_id"])  # noqa: E731
    return listed(call, world, PERMISSIONS, call.path[CHECKPOINT], where=where)


def delete(call: Call, world: World) -> Answer:
    return deleted(call, world, PERMISSIONS, "permission_id", "checkpoint.permission", CHECKPOINT)


def _permission(call: Call, world: World, project: str) -> dict[str, JSON]:
    permission: dict[str, JSON] = {"id": world.new_id("cp_"), "object": "checkpoint.permission"}
    permission |= {"created_at": int(world.now()), "project_id": project}
    world.objects.put(PERMISSIONS, permission, call.path[CHECKPOINT])
    return permission


PATH = "/fine_tuning/checkpoints/{fine_tuned_model_checkpoint}/permissions"
HANDLERS: Mapping[str, Handler] = {
    f"GET {PATH}": list_all,
    f"POST {PATH}": create,
    f"DELETE {PATH}/{{permission_id}}": delete,
}
