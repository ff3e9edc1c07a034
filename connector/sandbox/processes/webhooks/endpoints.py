"""Webhook endpoints: who wants to hear of which events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON, is_object
from connector.sandbox.call import Answer
from connector.sandbox.processes.kept import body_of, deleted, lists, retrieves
from connector.sandbox.processes.webhooks.sending import ENDPOINTS, SECRETS, secret_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS"]


def create(call: Call, world: World) -> Answer:
    asked = body_of(call)
    made: dict[str, JSON] = {"id": world.new_id("we_"), "object": "webhook_endpoint", "name": asked["name"]}
    made |= {"url": asked["url"], "event_types": asked["event_types"], "created_at": int(world.now())}
    return Answer(_with_secret(world, {**made, "updated_at": None}))


def update(call: Call, world: World) -> Answer:
    known = world.found(ENDPOINTS, call.path["webhook_endpoint_id"])
    known |= {**body_of(call), "updated_at": int(world.now())}
    world.objects.put(ENDPOINTS, known)
    return Answer(known)


def delete(call: Call, world: World) -> Answer:
    world.objects.delete(SECRETS, call.path["webhook_endpoint_id"])
    return deleted(call, world, ENDPOINTS, "webhook_endpoint_id", "webhook_endpoint.deleted")


def rotate(call: Call, world: World) -> Answer:
    known = world.found(ENDPOINTS, call.path["webhook_endpoint_id"])
    return Answer(_with_secret(world, {**known, "updated_at": int(world.now())}))


def test(call: Call, world: World) -> Answer:
    endpoint, event_type = world.found(ENDPOINTS, call.path["webhook_endpoint_id"]), body_of(call)["event_type"]
    world.processes.tell_one(endpoint, event_type, {"id": world.new_id("test_")})
    result: dict[str, JSON] = {"object": "webhook_endpoint.test", "webhook_endpoint_id": endpoint["id"]}
    return Answer({**result, "event_type": event_type, "success": True, "status_code": 200})


def event_types(_call: Call, world: World) -> Answer:
    """What an endpoint can ask for, as the catalogue has it."""
    schema = world.catalogue.payload_schema(world.catalogue.find("webhook endpoints", "create")) or {}
    return Answer({"object": "list", "data": _choices(schema)})


def _with_secret(world: World, endpoint: dict[str, Any]) -> dict[str, JSON]:
    """The endpoint with a new secret, which is shown this once."""
    secret = secret_from(world.new_id("secret "))
    endpoint["signing_secret_hint"] = secret[-4:]
    world.objects.put(ENDPOINTS, endpoint)
    world.objects.put(SECRETS, {"id": endpoint["id"], "secret": secret})
    return {**endpoint, "signing_secret": secret}


def _choices(schema: Mapping[str, Any]) -> list[str]:
    """The values that the schema of `event_types` allows."""
    for definition in schema.get("$defs", {}).values():
        wanted = definition.get("properties", {}).get("event_types")
        if is_object(wanted):
            return list(wanted["items"]["enum"])
    return []


ENDPOINT = "/webhook_endpoints/{webhook_endpoint_id}"
HANDLERS: Mapping[str, Handler] = {
    "GET /webhook_endpoints": lists(ENDPOINTS),
    "POST /webhook_endpoints": create,
    f"GET {ENDPOINT}": retrieves(ENDPOINTS, "webhook_endpoint_id"),
    f"POST {ENDPOINT}": update,
    f"DELETE {ENDPOINT}": delete,
    f"POST {ENDPOINT}/rotate_secret": rotate,
    f"POST {ENDPOINT}/test": test,
    "GET /webhook_event_types": event_types,
}
