"""One operation of the catalogue, as its entry declares it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.errors import ConfigurationError
from connector.model import JSON, Effect, JSONValue

__all__ = ["METHODS", "ORDER", "Operation", "parse_operation"]

NOTHING: Mapping[str, JSON] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method and path of an entity, as the catalogue declares it."""

    entity: str
    action: str
    area: str
    method: str
    template: str
    path: Mapping[str, JSONValue] = field(default_factory=lambda: NOTHING)
    query: Mapping[str, JSONValue] = field(default_factory=lambda: NOTHING)
    required_query: tuple[str, ...] = ()
    fixed_query: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    headers: Mapping[str, JSONValue] = field(default_factory=lambda: NOTHING)
    body: tuple[str, ...] = ()
    payload: str | None = None
    alternatives: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """The payload's definition for kinds of body that have another than `payload`."""
    parts: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """The content type of a multipart body's parts, where it is not guessed."""
    payload_required: bool = False
    answer: Mapping[str, str | None] = field(default_factory=lambda: NOTHING)
    ends: tuple[str, ...] = ()
    stream: str | None = None
    stream_on: Mapping[str, JSONValue] = field(default_factory=lambda: NOTHING)
    """What turns streaming on where that is not `stream: true`."""
    pages: str | None = None
    key: str = "project"
    beta: str | None = None
    effect: Effect = Effect.OPAQUE
    reconcile: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    cost: str | None = None
    """`tokens` of a model that the request names, or `open`: unknown from the request."""
    hands_out: str | None = None
    """`credential`: the answer holds something that grants access by itself."""
    verb: str | None = None
    on: str | None = None
    aliases: tuple[str, ...] = ()
    deprecated: bool = False
    removed: str | None = None
    name: str = field(init=False, compare=False)
    """Entity and action, as in `chat completions create`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.entity} {self.action}")

    @property
    def wire_name(self) -> str:
        """Return method and template, with the query that belongs to the path."""
        fixed = "&".join(f"{name}={value}" for name, value in self.fixed_query.items())
        return f"{self.method} {self.template}{'?' if fixed else ''}{fixed}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Return the names of the path parameters, in the order of the template."""
        return tuple(dict.fromkeys(re.findall(r"\{([^{}]+)\}", self.template)))


METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
ORDER = (
    "verb", "on", "aliases", "fixed_query", "path", "query", "required_query", "headers", "pages", "body", "parts",
    "payload", "alternatives", "payload_required", "answer", "stream", "stream_on", "ends", "beta", "key", "effect",
    "reconcile", "cost", "hands_out", "deprecated", "removed",
)  # fmt: skip
"""The keys of an entry after its method, in the order in which they are written."""

LISTS = frozenset({"aliases", "required_query", "body"})


def parse_operation(area: str, entity: str, action: str, entry: Mapping[str, JSON]) -> Operation:
    """Parse an entry; what it leaves out has its default."""
    methods = [key for key in entry if key in METHODS]
    unknown = [key for key in entry if key not in METHODS and key not in ORDER]
    if len(methods) != 1 or unknown:
        found = f"unknown key {unknown[0]!r}" if unknown else f"{len(methods)} methods"
        allowed = f"an entry has one of {', '.join(METHODS)}, and {', '.join(ORDER)}"
        raise ConfigurationError(f"{area}.yaml: {entity}: {action}: {found}; {allowed}")
    method = methods[0]
    fields: dict[str, Any] = {key: value for key, value in entry.items() if key != method}
    for key in LISTS & fields.keys():
        fields[key] = tuple(fields[key])
    if "ends" in fields:
        fields["ends"] = (fields["ends"],) if isinstance(fields["ends"], str) else tuple(fields["ends"])
    default = Effect.NONE if method in ("get", "head", "options") else Effect.OPAQUE
    fields["effect"] = Effect(fields.get("effect", default))
    return Operation(entity=entity, action=action, area=area, method=method.upper(), template=entry[method], **fields)
