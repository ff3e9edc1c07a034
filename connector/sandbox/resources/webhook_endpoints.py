"""Webhook endpoints: a URL, its event types and its signing secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.model import JSON, is_object
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.crud import build_list_handler, build_retrieve_handler, delete_object, get_body
from connector.sandbox.webhooks import ENDPOINTS, SECRETS, derive_secret

__all__ = ["HANDLERS"]


def create_endpoint(request: Request, backend: Backend) -> Answer:
    body = get_body(request)
    made: dict[str, JSON] = {"id": backend.new_id("we_"), "object": "webhook_endpoint", "name": body["name"]}
    made |= {"url": body["url"], "event_types": body["event_types"], "created_at": int(backend.now())}
    return Answer(_save_with_secret(backend, {**made, "updated_at": None}))


def update_endpoint(request: Request, backend: Backend) -> Answer:
    known = backend.require_object(ENDPOINTS, request.path["webhook_endpoint_id"])
    known |= {**get_body(request), "updated_at": int(backend.now())}
    backend.objects.put(ENDPOINTS, known)
    return Answer(known)


def delete_endpoint(request: Request, backend: Backend) -> Answer:
    backend.objects.delete(SECRETS, request.path["webhook_endpoint_id"])
    return delete_object(request, backend, ENDPOINTS, "webhook_endpoint_id", "webhook_endpoint.deleted")


def rotate_secret(request: Request, backend: Backend) -> Answer:
    known = backend.require_object(ENDPOINTS, request.path["webhook_endpoint_id"])
    return Answer(_save_with_secret(backend, {**known, "updated_at": int(backend.now())}))


def send_test(request: Request, backend: Backend) -> Answer:
    endpoint, event_type = (
        backend.require_object(ENDPOINTS, request.path["webhook_endpoint_id"]),
        get_body(request)["event_type"],
    )
    backend.webhooks.send_to(endpoint, event_type, {"id": backend.new_id("test_")})
    result: dict[str, JSON] = {"object": "webhook_endpoint.test", "webhook_endpoint_id": endpoint["id"]}
    return Answer({**result, "event_type": event_type, "success": True, "status_code": 200})


def list_event_types(_request: Request, backend: Backend) -> Answer:
    """Return the event types of the catalogue."""
    schema = backend.catalogue.payload_schema(backend.catalogue.find("webhook endpoints", "create")) or {}
    return Answer({"object": "list", "data": _allowed_types(schema)})


def _save_with_secret(backend: Backend, endpoint: dict[str, Any]) -> dict[str, JSON]:
    """Return the endpoint with a new secret, which is shown only once."""
    secret = derive_secret(backend.new_id("secret "))
    endpoint["signing_secret_hint"] = secret[-4:]
    backend.objects.put(ENDPOINTS, endpoint)
    backend.objects.put(SECRETS, {"id": endpoint["id"], "secret": secret})
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
