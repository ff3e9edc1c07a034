"""Evals themselves: what is tested, and by which criteria."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.call import Answer
from connector.sandbox.processes.kept import body_of, lists, retrieves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["EVALS", "HANDLERS"]

EVALS = "evals"
ROLES = ("user", "assistant", "system", "developer")
SAMPLE: Mapping[str, JSON] = {
    "type": "object",
    "properties": {"output_text": {"type": "string"}, "output_json": {"type": "object"}},
    "required": ["output_text"],
}


def create(call: Call, world: World) -> Answer:
    asked = body_of(call)
    made: dict[str, JSON] = {"id": world.new_id("eval_"), "object": "eval", "created_at": int(world.now())}
    made |= {"name": asked.get("name", ""), "metadata": asked.get("metadata", {})}
    made["data_source_config"] = _source(asked["data_source_config"])
    made["testing_criteria"] = [_criterion(world, criterion) for criterion in asked["testing_criteria"]]
    world.objects.put(EVALS, made)
    return Answer(made)


def update(call: Call, world: World) -> Answer:
    known = world.found(EVALS, call.path["eval_id"])
    known |= {name: value for name, value in body_of(call).items() if name in ("name", "metadata")}
    world.objects.put(EVALS, known)
    return Answer(known)


def delete(call: Call, world: World) -> Answer:
    world.found(EVALS, call.path["eval_id"])
    world.objects.delete(EVALS, call.path["eval_id"])
    return Answer({"object": "eval.deleted", "deleted": True, "eval_id": call.path["eval_id"]})


def _source(asked: Mapping[str, Any]) -> dict[str, JSON]:
    """The configuration with the schema that items and samples then have."""
    if asked["type"] != "custom":
        properties = {"item": {"type": "object"}, "sample": SAMPLE}
        schema = {"type": "object", "properties": properties, "required": ["item", "sample"]}
        return {"type": asked["type"], "metadata": asked.get("metadata") or {}, "schema": schema}
    properties = {"item": asked["item_schema"]}
    properties |= {"sample": SAMPLE} if asked.get("include_sample_schema") else {}
    return {"type": "custom", "schema": {"type": "object", "properties": properties, "required": list(properties)}}


def _criterion(world: World, asked: Mapping[str, Any]) -> dict[str, JSON]:
    """A criterion under an id; a message in it has a role that is known."""
    made = {"id": world.new_id(f"{asked['name']}-"), **asked}
    if asked["type"] == "label_model":
        made["input"] = [{**said, "role": said["role"] if said["role"] in ROLES else "user"} for said in asked["input"]]
    return made


HANDLERS: Mapping[str, Handler] = {
    "GET /evals": lists(EVALS, order="asc"),
    "POST /evals": create,
    "GET /evals/{eval_id}": retrieves(EVALS, "eval_id"),
    "POST /evals/{eval_id}": update,
    "DELETE /evals/{eval_id}": delete,
}
