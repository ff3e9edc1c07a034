"""What is there from the start: kinds that the API lists but nobody makes through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from connector.model import JSON

if TYPE_CHECKING:
    from connector.sandbox.world import World

__all__ = ["seed"]

SEEDS: Mapping[str, Sequence[Mapping[str, JSON]]] = {
    "organization users": ({"name": "Ada", "email": "ada@example.com", "role": "owner"},
                           {"name": "Grace", "email": "grace@example.com", "role": "reader"}),
    "project rate limits": ({"model": "gpt-4.1"}, {"model": "gpt-4.1-mini"}),
    "project api keys": ({"name": "first key"},),
    "audit logs": ({}, {}),
}  # fmt: skip
MARK = "sandbox seeds"


def seed(world: World, kind: str, parent: str) -> None:
    """Puts a kind's first objects below a parent, once."""
    if kind not in SEEDS or world.objects.get(MARK, kind, parent) is not None:
        return
    world.objects.put(MARK, {"id": kind}, parent)
    form = world.shaper.of_entity(kind)
    if form is None:
        return
    for said in SEEDS[kind]:
        made = world.shaper.filled(form, said, kind)
        world.objects.put(kind, {**said, **made}, parent)
