"""`http-transformer`: one raw request in the middle of a chain."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from connector.errors import ConfigurationError
from connector.model import JSON, is_document
from connector.transform.calls import answered, drop_nulls
from connector.transform.context import Scope
from connector.transform.declaration import Action, Step
from connector.transform.fields import At, choice, each, path, raw, template, text, word

__all__ = ["HTTP"]


def _build(client: str, request: list[dict[str, Any]], destination: At | None) -> Action:
    if len(request) != 1:
        raise ConfigurationError("one request is needed: {method, path, query, headers, payload}")
    asked = request[0]

    def run(document: JSON, scope: Scope) -> Awaitable[JSON]:
        return answered(client, "http", _request(asked, document, scope), destination, document, scope)

    return Action(run, awaits=True)


def _request(asked: dict[str, Any], document: JSON, scope: Scope) -> dict[str, JSON]:
    method = asked["method"](document, scope).upper()
    query: JSON = asked["query"].resolve(document, scope) or {}
    payload = asked["payload"].resolve(document, scope)
    payload = drop_nulls(payload) if scope.context.omit_null else payload
    if method in ("GET", "HEAD") and isinstance(payload, dict | list):
        # As the platform does: what a reading request carries goes into its query.
        query, payload = {**query, **(payload if is_document(payload) else {})}, None
    return {
        "method": method,
        "path": asked["path"](document, scope),
        "query": query,
        "headers": asked["headers"].resolve(document, scope) or {},
        "payload": None if payload == [] else payload,
        "payload_type": "form" if asked["payload_type"] == "form" else "json",
    }


REQUEST = {
    "method": text("The HTTP method.", default="GET"),
    "path": text("The path below the client's address, with its query if any.", required=True, aliases=("uri", "url")),
    "query": template("More of the query.", default={}, aliases=("parameters",)),
    "headers": template("Headers.", default={}),
    "payload": template("The payload; that of a GET goes into the query.", aliases=("body", "json")),
    "payload_type": choice("How the payload is written.", ("data", "json", "form"), default="json"),
    "serializer": raw("Accepted from other platforms; payload_type decides."),
    "plugins": raw("Accepted from other platforms; the client decides what is logged."),
    "authentications": raw("Accepted from other platforms; the client authenticates."),
}
HTTP = Step(
    "http-transformer",
    "Sends one raw request; its answer replaces the document, or goes to a destination.",
    {
        "client": word("The configured client.", required=True),
        "request": each("The request.", REQUEST, required=True, short="path"),
        "destination": path("Where the answer goes; in the document's place unless given."),
    },
    _build,
    ("http",),
)
