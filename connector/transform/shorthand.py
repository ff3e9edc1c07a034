"""The notations of a step: in full, in short, in camelCase, and empty maps as empty lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from connector.model import JSON, is_document
from connector.request.display import describe_value
from connector.transform.declaration import Location

__all__ = ["as_parameters", "read_shorthand", "to_snake_case"]

HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
LONG = {"prototype", "parameters", "meta"}


def to_snake_case(name: str) -> str:
    """Return a name in snake case: `nodeFilters` as `node_filters`."""
    return HUMP.sub("_", name).lower()


def read_shorthand(raw: JSON, location: Location, noun: str) -> tuple[str, JSON, Location] | None:
    """Return name, parameters and their location of `{prototype, parameters}`, `{name: parameters}` or a name."""
    if isinstance(raw, str):
        return raw, {}, location
    if is_document(raw) and isinstance(raw.get("prototype"), str):
        for key in raw.keys() - LONG:
            location.at(key).fault("unknown key", f"a {noun} has prototype and parameters")
        return raw["prototype"], raw.get("parameters"), location.at("parameters")
    if is_document(raw):
        names = [key for key in raw if key != "meta"]
        if len(names) == 1 and _are_strings(names):
            return names[0], raw[names[0]], location.at(names[0])
        location.fault(
            f"found an object of {len(names)} keys", f"a {noun} is {{name: parameters}} or {{prototype, parameters}}"
        )
        return None
    location.fault(f"found {describe_value(raw)}", f"a {noun} is {{name: parameters}} or {{prototype, parameters}}")
    return None


def as_parameters(given: JSON, location: Location, sole: str = "") -> Mapping[str, JSON]:
    """Return parameters as an object; another value is that of the sole field, an empty list means none."""
    if given is None or given == []:
        return {}
    if is_document(given) and _are_strings(given):
        return given
    if sole and not is_document(given):
        return {sole: given}
    location.fault(f"found {describe_value(given)}", "an object of parameters by name")
    return {}


def _are_strings(keys: Iterable[Any]) -> bool:
    return all(isinstance(key, str) for key in keys)
