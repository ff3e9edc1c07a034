"""What a document is known by on its route: its key, its version, and the key within which order matters."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import orjson

from connector.connections import Runtime
from connector.documents import dump
from connector.engine import NewTask
from connector.model import JSON, is_object
from connector.transform import Scope, Template, compile_template
from connector.transform.placeholders import to_text

if TYPE_CHECKING:
    from connector.config.models import Route

__all__ = ["Identity", "digest", "entity_id"]


class Identity:
    """Makes tasks of a route's documents.

    Args:
        runtime: the configuration at work.
        route: the route's name.
    """

    def __init__(self, runtime: Runtime, route: str) -> None:
        found: Any = runtime.configuration.find("routes", route)
        declared: Route = found
        self._route = route
        self._key = _template(declared.key, f"routes.{route}.key")
        self._version = _template(declared.version, f"routes.{route}.version")
        self._order = _template(declared.order, f"routes.{route}.order")
        self._scope = Scope(replace(runtime.chained, route={"name": route}))

    def task(
        self,
        document: JSON,
        *,
        default: str = "",
        always: bool = False,
        again: str = "",
        reading: int = 0,
        source: int = 0,
        trace: str = "",
    ) -> NewTask:
        """The task that a document becomes; ConnectorError when it is no JSON or has not what its key is made of.

        Args:
            default: its key unless the route says how to make one; without a key every document is a new one.
            always: whether it is a new one in any case unless the route says how to make a key.
            again: a mark on the version, for documents that are taken although they were seen.
            reading: the number of the reading that saw it.
            source: the task whose answer it is.
            trace: the traceparent of what it came from.
        """
        dump(document)
        key = self._text(self._key, document) if self._key else default
        version, unique = self._versioned(document, key)
        return NewTask(
            route=self._route,
            document=document,
            key=key,
            version=f"{again}{version}",
            unique="no" if always and self._key is None else unique,
            order=self._text(self._order, document) if self._order else "",
            reading=reading,
            source=source,
            trace=trace,
        )

    def event(self, document: JSON, identity: str, *, source: int = 0, trace: str = "") -> NewTask:
        """The task of an event that was sent: known by what it was sent with, unless the route has a key."""
        task = self.task(document, default=identity, source=source, trace=trace)
        return task if self._key is not None else replace(task, version=identity)

    def _versioned(self, document: JSON, key: str) -> tuple[str, Literal["version", "key"]]:
        """What differs when the document has changed: what the route says, else nothing for a key that it names."""
        if self._version is not None:
            return self._text(self._version, document), "version"
        if self._key is not None:
            return "", "key"
        return digest(document) if key else "", "version"

    def _text(self, template: Template, document: JSON) -> str:
        value = template.resolve(document, self._scope)
        return "" if value is None else to_text(value)


def digest(document: JSON) -> str:
    """What differs when a document does, whatever the order of its members."""
    return hashlib.blake2b(orjson.dumps(document, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()


def entity_id(entity: JSON) -> str:
    """The id of an entity; empty when it has none."""
    found = entity.get("id") if is_object(entity) else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def _template(text: str | None, where: str) -> Template | None:
    return None if text is None else compile_template(text, where=where)
