"""The windows and tiers that a configuration may name are those of the API's own document."""

from __future__ import annotations

import json
from typing import Any, get_args, get_type_hints

from connector.catalogue import Catalogue
from connector.config.models import Outgoing, Route
from connector.config.models.connections import Batch
from connector.config.rules.routes import TRANSPORT_PATHS
from connector.delivery.deadlines.waits import CALLS
from connector.model_registry.rates import EVERY_TIER

CATALOGUE = Catalogue.open()


def enums(entity: str, field: str) -> list[set[str]]:
    """Every list of values that the payload of an entity's creation gives for a field."""
    schema = CATALOGUE.payload_schema(CATALOGUE.find(entity, "create", use="write"))
    found: list[set[str]] = []

    def visit(node: Any, *, inside: bool) -> None:
        if isinstance(node, dict):
            if inside and "enum" in node:
                found.append({one for one in node["enum"] if one is not None})
            for name, value in node.items():
                visit(value, inside=name == field or (inside and name in ("anyOf", "properties")))
        elif isinstance(node, list):
            for value in node:
                visit(value, inside=inside)

    visit(json.loads(json.dumps(schema)), inside=False)
    return found


def choices(kind: Any, field: str) -> set[str]:
    """What a field of the configuration takes."""

    def leaves(hint: Any) -> set[str]:
        return set().union(*(leaves(one) if get_args(one) else {one} for one in get_args(hint)))

    return {one for one in leaves(get_type_hints(kind)[field]) if isinstance(one, str)}


def test_batches_have_one_window() -> None:
    assert enums("batches", "completion_window") == [choices(Batch, "window")] == [{"24h"}]


def test_background_responses_have_two_windows_beside_none() -> None:
    [windows] = enums("responses", "completion_window")
    assert choices(Outgoing, "window") == windows - {"soonest"}
    named = {one.removeprefix("window-") for one in choices(Route, "transports") if one.startswith("window-")}
    assert named == windows - {"soonest"}


def test_every_transport_has_paths_a_price_and_an_assumption() -> None:
    named = choices(Route, "transports")
    assert named <= {*TRANSPORT_PATHS} & {*EVERY_TIER} & {*CALLS}
    assert CATALOGUE.find("chat completions", "create", use="write").template in TRANSPORT_PATHS["priority"]
