"""Objects created, retrieved, changed and deleted by what the catalogue says of an operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_document, is_list, items
from connector.sandbox.answer_templates import AnswerTemplate
from connector.sandbox.backend import Backend
from connector.sandbox.generic.locations import SINGLETON, Location, Locations
from connector.sandbox.messages import Answer, Request, Upload

__all__ = ["change_object", "create_object", "delete_object", "retrieve_object", "seed_objects"]

SEEDS: Mapping[str, Sequence[Mapping[str, JSON]]] = {
    "organization users": ({"name": "Ada", "email": "ada@example.com", "role": "owner"},
                           {"name": "Grace", "email": "grace@example.com", "role": "reader"}),
    "project rate limits": ({"model": "gpt-4.1"}, {"model": "gpt-4.1-mini"}),
    "project api keys": ({"name": "first key"},),
    "audit logs": ({}, {}),
}  # fmt: skip
SEEDED = "sandbox seeds"
STATES = {"cancel": "cancelled", "archive": "archived", "pause": "paused", "resume": "active", "reject": "rejected"}
SWITCHES = {"activate": True, "deactivate": False}
SECRETS = {"rotate_secret"}


def seed_objects(backend: Backend, kind: str, parent: str) -> None:
    """Create the first objects of a kind below a parent, once."""
    if kind not in SEEDS or backend.objects.get(SEEDED, kind, parent) is not None:
        return
    backend.objects.put(SEEDED, {"id": kind}, parent)
    template = backend.answer_builder.entity_template(kind)
    if template is None:
        return
    for payload in SEEDS[kind]:
        made = backend.answer_builder.fill(template, payload, kind)
        backend.objects.put(kind, {**payload, **made}, parent)


def create_object(request: Request, backend: Backend, locations: Locations) -> Answer:
    """Create an object from the payload, or one for each item where the operation creates several."""
    location = locations.locate(request.operation, request.path)
    payload = request.payload if is_document(request.payload) else {}
    template = backend.answer_builder.template(request.operation)
    if "data" in template.fields and "has_more" in template.fields:
        made = [_save_object(request, backend, location, one, listed=True) for one in _split_items(payload)]
        return Answer(body=backend.build_answer(request.operation, {"data": made, "has_more": False}))
    return Answer(body=_save_object(request, backend, location, payload))


def retrieve_object(request: Request, backend: Backend, locations: Locations) -> Answer:
    """Return an object, or its content where the operation answers with bytes."""
    location = locations.locate(request.operation, request.path)
    if "binary" in request.operation.answer:
        data = backend.read_content(location.id or "")
        return Answer(data=data, content_type="application/octet-stream")
    return Answer(body=backend.build_answer(request.operation, find_object(backend, location)))


def delete_object(request: Request, backend: Backend, locations: Locations) -> Answer:
    """Delete an object."""
    location = locations.locate(request.operation, request.path)
    if location.id != SINGLETON:
        find_object(backend, location)
    backend.objects.delete(location.kind, location.id or "", location.parent)
    backend.record_effect(location.id or "")
    return Answer(body=backend.build_answer(request.operation, {"id": location.id, "deleted": True}))


def find_object(backend: Backend, location: Location) -> dict[str, JSON]:
    """Return the object of a location; a singleton always exists."""
    seed_objects(backend, location.kind, location.parent)
    if location.id == SINGLETON:
        return backend.objects.get(location.kind, SINGLETON, location.parent) or {}
    return backend.require_object(location.kind, location.id or "", location.parent)


def _save_object(
    request: Request, backend: Backend, location: Location, payload: Mapping[str, JSON], *, listed: bool = False
) -> JSON:
    template = backend.answer_builder.template(request.operation)
    template = template.fields["data"].item if listed else template
    above = {name: value for name, value in request.path.items() if name not in payload}
    body = backend.answer_builder.fill(template, {**above, **_without_files(payload)}, location.kind)
    name = payload.get(location.own or "") or body.get("id") or backend.new_id("obj_")
    for upload in _find_uploads(payload):
        backend.save_content(str(name), upload.data)
    backend.objects.put(location.kind, {**above, **_without_files(payload), **body, "id": name}, location.parent)
    return body


def _without_files(payload: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the payload without its files."""
    return {name: value for name, value in payload.items() if not isinstance(value, Upload) and not _is_files(value)}


def _is_files(value: JSON) -> bool:
    return is_list(value) and any(isinstance(item, Upload) for item in value)


def _find_uploads(payload: Mapping[str, JSON]) -> list[Upload]:
    return [value for value in payload.values() if isinstance(value, Upload)]


def _split_items(payload: Mapping[str, JSON]) -> list[dict[str, JSON]]:
    """Return the objects in a payload: one for each item of its list."""
    for name, value in payload.items():
        if is_list(value):
            return [one if is_document(one) else {name.removesuffix("s"): one} for one in value]
    return [dict(payload)]


def change_object(request: Request, backend: Backend, locations: Locations) -> Answer:
    """Change the state or the fields of an object, and return it."""
    operation, payload = request.operation, request.payload if is_document(request.payload) else {}
    if operation.verb in SWITCHES:
        return _switch_objects(request, backend, locations, active=SWITCHES[operation.verb])
    location = locations.locate(operation, request.path)
    before = find_object(backend, location) if location.id else {}
    if operation.verb == "update":
        after = {**before, **payload}
    else:
        after = {
            **before,
            **_next_state(backend.answer_builder.template(operation), operation.verb or "", int(backend.now())),
        }
    _save_change(backend, location, after, before)
    return Answer(body=backend.build_answer(operation, {**payload, **after}))


def _save_change(backend: Backend, location: Location, after: Mapping[str, JSON], before: Mapping[str, JSON]) -> None:
    """Save a changed object; one that was invented for a lenient answer is not saved."""
    if not location.id or (
        location.id != SINGLETON and backend.objects.get(location.kind, location.id, location.parent) is None
    ):
        return
    if after != before or location.id == SINGLETON:
        backend.objects.put(location.kind, {**after, "id": location.id}, location.parent)
    backend.record_effect(location.id)


def _next_state(template: AnswerTemplate, verb: str, now: int) -> dict[str, JSON]:
    """Return the state that a verb leads to, if the object has such a state."""
    state = STATES.get(verb)
    status = template.fields.get("status")
    if state is None or status is None or not status.accepts(state):
        return {}
    return {"status": state} | ({f"{state}_at": now} if f"{state}_at" in template.fields else {})


def _switch_objects(request: Request, backend: Backend, locations: Locations, *, active: bool) -> Answer:
    """Activate or deactivate the objects that a payload names."""
    payload = request.payload if is_document(request.payload) else {}
    location = locations.locate(request.operation, request.path)
    names = [str(name) for name in items(next(iter(payload.values()), None))]
    source = "organization certificates"
    data: list[JSON] = []
    for name in names:
        known = backend.objects.get(location.kind, name, _parent_path(request)) or backend.require_object(source, name)
        backend.objects.put(location.kind, {**known, "active": active}, _parent_path(request))
        backend.record_effect(name)
        data.append({**known, "active": active})
    item = backend.answer_builder.template(request.operation).fields["data"].item
    shown = [backend.answer_builder.fill(item, one, location.kind) for one in data]
    return Answer(body=backend.build_answer(request.operation, {}) | {"data": shown})


def _parent_path(request: Request) -> str:
    return "/".join(request.path.values())
