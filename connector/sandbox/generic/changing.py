"""Verbs: what is done to an object that is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connector.model import JSON, is_document
from connector.sandbox.generic.keeping import found
from connector.sandbox.generic.places import ONLY, Place
from connector.sandbox.messages import Answer, Call
from connector.shapes import items

if TYPE_CHECKING:
    from connector.sandbox.forms import Form
    from connector.sandbox.generic.places import Places
    from connector.sandbox.world import World

__all__ = ["changed"]

STATES = {"cancel": "cancelled", "archive": "archived", "pause": "paused", "resume": "active", "reject": "rejected"}
SWITCHES = {"activate": True, "deactivate": False}
SECRETS = {"rotate_secret"}


def changed(call: Call, world: World, places: Places) -> Answer:
    """The object after what was done to it."""
    operation, said = call.operation, call.payload if is_document(call.payload) else {}
    if operation.verb in SWITCHES:
        return _switched(call, world, places, active=SWITCHES[operation.verb])
    place = places.of(operation, call.path)
    before = found(world, place) if place.id else {}
    if operation.verb == "update":
        after = {**before, **said}
    else:
        after = {**before, **_moved(world.shaper.form(operation), operation.verb or "", int(world.now()))}
    _keep(world, place, after, before)
    return Answer(body=world.shaped(operation, {**said, **after}))


def _keep(world: World, place: Place, after: Mapping[str, JSON], before: Mapping[str, JSON]) -> None:
    """Keeps what changed; an object that was only made up for a lenient answer is not kept."""
    if not place.id or (place.id != ONLY and world.objects.get(place.kind, place.id, place.parent) is None):
        return
    if after != before or place.id == ONLY:
        world.objects.put(place.kind, {**after, "id": place.id}, place.parent)
    world.effect(place.id)


def _moved(form: Form, verb: str, now: int) -> dict[str, JSON]:
    """The state that a verb leads to, as far as the object has such a state."""
    state = STATES.get(verb)
    status = form.fields.get("status")
    if state is None or status is None or not status.fits(state):
        return {}
    return {"status": state} | ({f"{state}_at": now} if f"{state}_at" in form.fields else {})


def _switched(call: Call, world: World, places: Places, *, active: bool) -> Answer:
    """The objects that a payload names, switched on or off where the operation stands."""
    said = call.payload if is_document(call.payload) else {}
    place = places.of(call.operation, call.path)
    names = [str(name) for name in items(next(iter(said.values()), None))]
    source = "organization certificates"
    data: list[JSON] = []
    for name in names:
        known = world.objects.get(place.kind, name, _all(call)) or world.found(source, name)
        world.objects.put(place.kind, {**known, "active": active}, _all(call))
        world.effect(name)
        data.append({**known, "active": active})
    item = world.shaper.form(call.operation).fields["data"].item
    shown = [world.shaper.filled(item, one, place.kind) for one in data]
    return Answer(body=world.shaped(call.operation, {}) | {"data": shown})


def _all(call: Call) -> str:
    return "/".join(call.path.values())
