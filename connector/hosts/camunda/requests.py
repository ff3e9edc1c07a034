"""What a job asks for: an operation or a connection that is offered, and a document without what was left blank."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connector.calls.routes import operation_route, outgoing_route
from connector.errors import ConnectorError
from connector.hosts.camunda.keys import client_of_key, fill_secrets
from connector.hosts.camunda.templates import KEY, REQUEST
from connector.hosts.offers import callable_outgoing, match_operations
from connector.model import JSON, is_document, members

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from connector.catalogue import Catalogue
    from connector.delivery.attempt import RouteContext
    from connector.delivery.context import DeliveryContext
    from connector.hosts.camunda.broker import Job
    from connector.model import Outcome
    from connector.publishers import Begin, CallIntent, OnUnknown

__all__ = ["PREFIX", "JobRefused", "Requests"]

PREFIX = "camunda/"
"""The beginning of the names of the routes of jobs: no route of a configuration has a slash in its name."""
PARTS = ("path", "query", "payload")


class JobRefused(ConnectorError):
    """A job that asks for what is not offered, or for nothing that can be sent."""


@dataclass(slots=True)
class Requests:
    """Finds what jobs ask for.

    Args:
        shared: the runtime and what all attempts share.
    """

    shared: DeliveryContext
    catalogue: Catalogue
    _operations: frozenset[str] = field(init=False)
    _outgoing: frozenset[str] = field(init=False)
    _routes: dict[str, RouteContext] = field(default_factory=dict[str, "RouteContext"])

    def __post_init__(self) -> None:
        configuration = self.shared.runtime.configuration
        found = match_operations(configuration.camunda.operations, self.catalogue, "camunda.operations")
        self._operations = frozenset(one.name for one in found)
        offered = callable_outgoing(configuration, configuration.camunda.outgoing)
        self._outgoing = frozenset(name for name, _ in offered)

    def read(self, job: Job) -> tuple[RouteContext, JSON]:
        """Return the route and the document of a job; JobRefused or InvalidRequest when nothing of it can be sent."""
        request = members(job.variables.get(REQUEST))
        outgoing, operation = job.headers.get("outgoing"), job.headers.get("operation")
        if (outgoing is None) == (operation is None):
            raise JobRefused(
                "the task needs one header of `operation` and `outgoing`; make its element from a template"
            )
        if outgoing is not None:
            return self._connection(outgoing), self._checked(prune(request.get("document")))
        assert operation is not None  # noqa: S101  one of the two is there
        document = {
            name: prune(request[name]) for name in PARTS if name in request and prune(request[name]) is not None
        }
        client = client_of_key(self.shared.runtime.configuration, job.variables.get(KEY))
        route = self._operation(operation, client)
        opened = self.shared.runtime.client(client)
        coerced = self._checked(document)
        opened.prepare(operation, members(fill_secrets(self.shared.runtime.configuration, coerced)))
        return route, coerced

    def fill(self, intent: CallIntent) -> CallIntent:
        """Return a call whose secrets are filled in when it is made: neither the journal nor a log holds them."""
        call = intent.call
        if call is None or "{{" not in repr(call.request):
            return intent
        from dataclasses import replace

        async def make(asked: CallIntent, on_unknown: OnUnknown | None, begin: Begin | None) -> Outcome:
            request = fill_secrets(self.shared.runtime.configuration, dict(asked.call.request if asked.call else {}))
            filled: Awaitable[Outcome] = intent.make(asked.with_request(members(request)), on_unknown, begin)
            return await filled

        return replace(intent, make=make)

    def _checked(self, document: JSON) -> JSON:
        fill_secrets(self.shared.runtime.configuration, document)  # a placeholder that names nothing is refused first
        return document

    def _connection(self, name: str) -> RouteContext:
        if name not in self._outgoing:
            offered = ", ".join(sorted(self._outgoing)) or "none"
            raise JobRefused(f"the outgoing connection {name!r} is not offered; camunda.outgoing allows {offered}")
        if f">{name}" not in self._routes:
            attempts = self.shared.runtime.configuration.camunda.attempts
            self._routes[f">{name}"] = outgoing_route(self.shared, f"{PREFIX}{name}", name, attempts)
        return self._routes[f">{name}"]

    def _operation(self, name: str, client: str) -> RouteContext:
        if name not in self._operations:
            raise JobRefused(f"the operation {name!r} is not offered; name it under camunda.operations to allow it")
        if (place := f"{client}>{name}") not in self._routes:
            operation = self.catalogue.find(name)
            attempts = self.shared.runtime.configuration.camunda.attempts
            self._routes[place] = operation_route(self.shared, f"{PREFIX}{name}", client, operation, attempts)
        return self._routes[place]


def prune(value: JSON) -> JSON:
    """Return a value without members that are null, and without objects of nothing else: what a form left blank."""
    if not is_document(value):
        return value
    kept = {name: inner for name, one in value.items() if (inner := prune(one)) is not None}
    return kept if kept or not value else None
