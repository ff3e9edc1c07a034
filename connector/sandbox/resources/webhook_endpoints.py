"""Webhook endpoints: a URL, its event types and its signing secret."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from connector.model import JSON, is_object
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Request
from connector.sandbox.resources.crud import build_list_handler, build_retrieve_handler, delete_object, get_body
from connector.sandbox.webhooks import ENDPOINTS, NOT_LOCAL, SECRETS, derive_secret

__all__ = ["HANDLERS"]

OVERLAP = 24 * 3600
"""Seconds for which a rotated secret goes on signing beside the new one, if that is asked for."""


def create_endpoint(request: Request, backend: Backend) -> Answer:
    body = get_body(request)
    made: dict[str, JSON] = {"id": backend.new_id("we_"), "object": "webhook_endpoint", "name": body["name"]}
    now = int(backend.now())
    made |= {"url": body["url"], "event_types": body["event_types"], "created_at": now, "updated_at": now}
    return Answer(_save_with_secret(backend, made))


def update_endpoint(request: Request, backend: Backend) -> Answer:
    known = backend.require_object(ENDPOINTS, request.path["webhook_endpoint_id"])
    changed = {**known, **get_body(request)}
    if changed != known:
        changed["updated_at"] = int(backend.now())
        backend.objects.put(ENDPOINTS, changed)
    return Answer(changed)


def delete_endpoint(request: Request, backend: Backend) -> Answer:
    backend.objects.delete(SECRETS, request.path["webhook_endpoint_id"])
    return delete_object(request, backend, ENDPOINTS, "webhook_endpoint_id", "webhook_endpoint.deleted")


def rotate_secret(request: Request, backend: Backend) -> Answer:
    known = backend.require_object(ENDPOINTS, request.path["webhook_endpoint_id"])
    before = backend.objects.get(SECRETS, known["id"]) or {}
    old: dict[str, JSON] = {}
    if get_body(request).get("keep_old_secret_active_for_24_hours") and before:
        old = {"old": before["secret"], "old_until": backend.now() + OVERLAP}
    return Answer(_save_with_secret(backend, {**known, "updated_at": int(backend.now())}, old))


async def send_test(request: Request, backend: Backend) -> Answer:
    """Send a test event and return the status that the endpoint answered with."""
    endpoint = backend.require_object(ENDPOINTS, request.path["webhook_endpoint_id"])
    event_type = get_body(request)["event_type"]
    attempt = await backend.webhooks.send_test(endpoint, event_type, {"id": backend.new_id("test_")})
    if attempt.get("error") == NOT_LOCAL and backend.options.lenient:
        attempt = {"status": 200}  # taken for delivered, as a lenient sandbox takes unknown objects for known
    if "status" not in attempt:
        message = f"The test event could not be delivered to {endpoint['url']}: {attempt['error']}"
        raise ApiError(400, message, code="webhook_test_failed")
    result: dict[str, JSON] = {"object": "webhook_endpoint.test", "webhook_endpoint_id": endpoint["id"]}
    return Answer({**result, "event_type": event_type, "success": True, "status_code": attempt["status"]})


def list_event_types(_request: Request, backend: Backend) -> Answer:
    """Return the event types of the catalogue."""
    schema = backend.catalogue.payload_schema(backend.catalogue.find("webhook endpoints", "create")) or {}
    return Answer({"object": "list", "data": _allowed_types(schema)})


def _save_with_secret(
    backend: Backend, endpoint: dict[str, Any], old: Mapping[str, JSON] = MappingProxyType({})
) -> dict[str, JSON]:
    """Return the endpoint with a new secret, which is shown only once; the old one may go on signing for a while."""
    secret = derive_secret(backend.new_id("secret "))
    endpoint["signing_secret_hint"] = secret[-4:]
    backend.objects.put(ENDPOINTS, endpoint)
    backend.objects.put(SECRETS, {"id": endpoint["id"], "secret": secret, **old})
    return {**endpoint, "signing_secret": secret}


def _allowed_types(schema: Mapping[str, Any]) -> list[str]:
    """Return the values that the schema of `event_types` allows."""
    for definition in schema.get("$defs", {}).values():
        wanted = definition.get("properties", {}).get("event_types")
        if is_object(wanted):
            return list(wanted["items"]["enum"])
    return []


ENDPOINT = "/webhook_endpoints/{webhook_endpoint_id}"
HANDLERS: Mapping[str, Handler] = {
    "GET /webhook_endpoints": build_list_handler(ENDPOINTS),
    "POST /webhook_endpoints": create_endpoint,
    f"GET {ENDPOINT}": build_retrieve_handler(ENDPOINTS, "webhook_endpoint_id"),
    f"POST {ENDPOINT}": update_endpoint,
    f"DELETE {ENDPOINT}": delete_endpoint,
    f"POST {ENDPOINT}/rotate_secret": rotate_secret,
    f"POST {ENDPOINT}/test": send_test,
    "GET /webhook_event_types": list_event_types,
}
