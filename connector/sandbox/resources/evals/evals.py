"""Evals: a data source and the testing criteria."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.model import JSON
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.crud import build_list_handler, build_retrieve_handler, get_body

__all__ = ["EVALS", "HANDLERS"]

EVALS = "evals"
ROLES = ("user", "assistant", "system", "developer")
SAMPLE_SCHEMA: Mapping[str, JSON] = {
    "type": "object",
    "properties": {"output_text": {"type": "string"}, "output_json": {"type": "object"}},
    "required": ["output_text"],
}


def create_eval(request: Request, backend: Backend) -> Answer:
    body = get_body(request)
    made: dict[str, JSON] = {"id": backend.new_id("eval_"), "object": "eval", "created_at": int(backend.now())}
    made |= {"name": body.get("name", ""), "metadata": body.get("metadata", {})}
    made["data_source_config"] = _build_source(body["data_source_config"])
    made["testing_criteria"] = [_build_criterion(backend, criterion) for criterion in body["testing_criteria"]]
    backend.objects.put(EVALS, made)
    return Answer(made)


def update_eval(request: Request, backend: Backend) -> Answer:
    known = backend.require_object(EVALS, request.path["eval_id"])
    known |= {name: value for name, value in get_body(request).items() if name in ("name", "metadata")}
    backend.objects.put(EVALS, known)
    return Answer(known)


def delete_eval(request: Request, backend: Backend) -> Answer:
    backend.require_object(EVALS, request.path["eval_id"])
    backend.objects.delete(EVALS, request.path["eval_id"])
    return Answer({"object": "eval.deleted", "deleted": True, "eval_id": request.path["eval_id"]})


def _build_source(body: Mapping[str, Any]) -> dict[str, JSON]:
    """Return the configuration with the schema of items and samples."""
    if body["type"] != "custom":
        properties = {"item": {"type": "object"}, "sample": SAMPLE_SCHEMA}
        schema = {"type": "object", "properties": properties, "required": ["item", "sample"]}
        return {"type": body["type"], "metadata": body.get("metadata") or {}, "schema": schema}
    properties = {"item": body["item_schema"]}
    properties |= {"sample": SAMPLE_SCHEMA} if body.get("include_sample_schema") else {}
    return {"type": "custom", "schema": {"type": "object", "properties": properties, "required": list(properties)}}


def _build_criterion(backend: Backend, body: Mapping[str, Any]) -> dict[str, JSON]:
    """Return a criterion with an id, and with known roles in its messages."""
    made = {"id": backend.new_id(f"{body['name']}-"), **body}
    if body["type"] == "label_model":
        made["input"] = [
            {**message, "role": message["role"] if message["role"] in ROLES else "user"} for message in body["input"]
        ]
    return made


HANDLERS: Mapping[str, Handler] = {
    "GET /evals": build_list_handler(EVALS, order="asc"),
    "POST /evals": create_eval,
    "GET /evals/{eval_id}": build_retrieve_handler(EVALS, "eval_id"),
    "POST /evals/{eval_id}": update_eval,
    "DELETE /evals/{eval_id}": delete_eval,
}
