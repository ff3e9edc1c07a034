"""`http-transformer` and `openai`: a call in the middle of a chain."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Literal

from connector.errors import ConfigurationError
from connector.model import JSON, State, is_document, is_list
from connector.transform.context import Scope
from connector.transform.declaration import Step
from connector.transform.edit import assign
from connector.transform.errors import Unfit
from connector.transform.fields import PathOf, choice, each, path, raw, template, text, word
from connector.transform.template import Resolve, Template
from connector.transform.types import Action

__all__ = ["HTTP", "OPENAI", "call_client", "drop_nulls"]


async def call_client(
    client: str,
    kind: Literal["openai", "http"],
    request: Mapping[str, JSON],
    destination: PathOf | None,
    document: JSON,
    scope: Scope,
) -> JSON:
    """Make a call and return the document with the body of the answer at the destination, or the body alone."""
    outcome = await scope.context.call(client, kind, request)
    if outcome.state is not State.DONE:
        raise Unfit(f"{client}: {outcome.sentence()}")
    if destination is None:
        return outcome.body
    return assign(document, destination(document, scope), outcome.body)


def drop_nulls(value: JSON) -> JSON:
    """Return the value without members that are null; items of lists stay."""
    if is_document(value):
        return {key: drop_nulls(item) for key, item in value.items() if item is not None}
    return [drop_nulls(item) for item in value] if is_list(value) else value


def _build_http(client: str, request: list[dict[str, Any]], destination: PathOf | None) -> Action:
    if len(request) != 1:
        raise ConfigurationError("one request is needed: {method, path, query, headers, payload}")
    asked = request[0]

    def run(document: JSON, scope: Scope) -> Awaitable[JSON]:
        return call_client(client, "http", _build_request(asked, document, scope), destination, document, scope)

    return Action(run, awaits=True)


def _build_request(asked: dict[str, Any], document: JSON, scope: Scope) -> dict[str, JSON]:
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
    _build_http,
    ("http",),
)


def _build_openai(
    client: str,
    entity: Resolve,
    action: Resolve | None,
    path: Template,
    query: Template,
    payload: Template,
    headers: Template,
    destination: PathOf | None,
) -> Action:
    def run(document: JSON, scope: Scope) -> Awaitable[JSON]:
        body = payload.resolve(document, scope)
        request = {
            "entity": entity(document, scope),
            "action": action(document, scope) if action else None,
            "path": path.resolve(document, scope),
            "query": query.resolve(document, scope),
            "payload": drop_nulls(body) if scope.context.omit_null else body,
            "headers": headers.resolve(document, scope),
        }
        return call_client(client, "openai", request, destination, document, scope)

    return Action(run, awaits=True)


OPENAI = Step(
    "openai",
    "Calls an operation of the OpenAI API; its answer replaces the document, or goes to a destination.",
    {
        "client": word("The configured client.", default="openai"),
        "entity": text("What it is about, such as embeddings.", required=True),
        "action": text("What is done: list, retrieve, create, delete or a verb; the entity's own unless given."),
        "path": template("Values for the path.", default={}),
        "query": template("Values for the query.", default={}),
        "payload": template("The payload."),
        "headers": template("More headers.", default={}),
        "destination": path("Where the answer goes; in the document's place unless given."),
    },
    _build_openai,
)
