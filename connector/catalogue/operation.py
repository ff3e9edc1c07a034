"""One operation of the catalogue: what its declaration says, and nothing that is computed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.model import JSON, Effect

__all__ = ["Operation"]

NOTHING: Mapping[str, JSON] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method and path of an entity, as the catalogue declares it."""

    entity: str
    action: str
    area: str
    method: str
    template: str
    path: Mapping[str, JSON] = field(default_factory=lambda: NOTHING)
    query: Mapping[str, JSON] = field(default_factory=lambda: NOTHING)
    required_query: tuple[str, ...] = ()
    fixed_query: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    headers: Mapping[str, JSON] = field(default_factory=lambda: NOTHING)
    body: tuple[str, ...] = ()
    payload: str | None = None
    alternatives: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """The payload's definition for a body kind where it is another than `payload`."""
    parts: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """The content type of a multipart body's parts, where it is not guessed."""
    payload_required: bool = False
    answer: Mapping[str, str | None] = field(default_factory=lambda: NOTHING)
    ends: tuple[str, ...] = ()
    stream: str | None = None
    stream_on: Mapping[str, JSON] = field(default_factory=lambda: NOTHING)
    """What switches the stream on where that is not `stream: true`."""
    pages: str | None = None
    key: str = "project"
    beta: str | None = None
    effect: Effect = Effect.OPAQUE
    reconcile: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    cost: str | None = None
    """`tokens` of a model that the request names, or `open`: not to be known from the request."""
    hands_out: str | None = None
    """`credential`: the answer holds something that calls or administers by itself."""
    verb: str | None = None
    on: str | None = None
    aliases: tuple[str, ...] = ()
    deprecated: bool = False
    removed: str | None = None

    @property
    def name(self) -> str:
        return f"{self.entity} {self.action}"

    @property
    def wire_name(self) -> str:
        """Method and template, with the query that belongs to the path."""
        fixed = "&".join(f"{name}={value}" for name, value in self.fixed_query.items())
        return f"{self.method} {self.template}{'?' if fixed else ''}{fixed}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the path parameters, in the order of the template."""
        return tuple(dict.fromkeys(re.findall(r"\{([^{}]+)\}", self.template)))
