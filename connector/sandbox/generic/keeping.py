"""Objects are made, read and forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connector.model import JSON, is_document, is_list
from connector.sandbox.generic.places import ONLY, Place
from connector.sandbox.generic.seeding import seed
from connector.sandbox.messages import Answer, Call, Upload

if TYPE_CHECKING:
    from connector.sandbox.generic.places import Places
    from connector.sandbox.world import World

__all__ = ["created", "deleted", "retrieved"]


def created(call: Call, world: World, places: Places) -> Answer:
    """A new object from the payload, kept under its id; several where the operation makes several."""
    place = places.of(call.operation, call.path)
    said = call.payload if is_document(call.payload) else {}
    form = world.shaper.form(call.operation)
    if "data" in form.fields and "has_more" in form.fields:
        made = [_kept(call, world, place, one, listed=True) for one in _each(said)]
        return Answer(body=world.shaped(call.operation, {"data": made, "has_more": False}))
    return Answer(body=_kept(call, world, place, said))


def retrieved(call: Call, world: World, places: Places) -> Answer:
    """The object of that id, or its content where the operation gives bytes."""
    place = places.of(call.operation, call.path)
    if "binary" in call.operation.answer:
        data = world.content(place.id or "")
        return Answer(data=data, content_type="application/octet-stream")
    return Answer(body=world.shaped(call.operation, found(world, place)))


def deleted(call: Call, world: World, places: Places) -> Answer:
    """The object is no longer there."""
    place = places.of(call.operation, call.path)
    if place.id != ONLY:
        found(world, place)
    world.objects.delete(place.kind, place.id or "", place.parent)
    world.effect(place.id or "")
    return Answer(body=world.shaped(call.operation, {"id": place.id, "deleted": True}))


def found(world: World, place: Place) -> dict[str, JSON]:
    """The object of a place; one that there is only one of is there from the start."""
    seed(world, place.kind, place.parent)
    if place.id == ONLY:
        return world.objects.get(place.kind, ONLY, place.parent) or {}
    return world.found(place.kind, place.id or "", place.parent)


def _kept(call: Call, world: World, place: Place, said: Mapping[str, JSON], *, listed: bool = False) -> JSON:
    form = world.shaper.form(call.operation)
    form = form.fields["data"].item if listed else form
    above = {name: value for name, value in call.path.items() if name not in said}
    body = world.shaper.filled(form, {**above, **_texts(said)}, place.kind)
    name = said.get(place.own or "") or body.get("id") or world.new_id("obj_")
    for upload in _uploads(said):
        world.keep_content(str(name), upload.data)
    world.objects.put(place.kind, {**above, **_texts(said), **body, "id": name}, place.parent)
    return body


def _texts(said: Mapping[str, JSON]) -> dict[str, JSON]:
    """What was said without its files."""
    return {name: value for name, value in said.items() if not isinstance(value, Upload) and not _is_files(value)}


def _is_files(value: JSON) -> bool:
    return is_list(value) and any(isinstance(item, Upload) for item in value)


def _uploads(said: Mapping[str, JSON]) -> list[Upload]:
    return [value for value in said.values() if isinstance(value, Upload)]


def _each(said: Mapping[str, JSON]) -> list[dict[str, JSON]]:
    """The objects that one payload stands for: one for each item of its list."""
    for name, value in said.items():
        if is_list(value):
            return [one if is_document(one) else {name.removesuffix("s"): one} for one in value]
    return [dict(said)]
