"""A configured client, whose credentials follow the places that they come from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connector.config.references import Reference, references_in
from connector.config.variables import Scope
from connector.errors import ConfigurationError
from connector.http import Client, prototypes
from connector.http.configuration import configure, secrets_of
from connector.model import JSON

if TYPE_CHECKING:
    from connector.config.models import ClientEntry
    from connector.http import Prototype
    from connector.http.parameters import Common
    from connector.http.prototypes import Endpoint
    from connector.request import Redactor
    from connector.request.wire import Wire

__all__ = ["made"]


def made(entry: ClientEntry, scope: Scope, options: dict[str, Any]) -> Client:
    """The client that an entry describes."""
    following: list[Following] = []
    kind = prototypes().find(entry.prototype)

    def endpoint(parameters: Common) -> Endpoint:
        following.append(Following(kind, entry, scope, parameters))
        return following[-1]

    environ = options.pop("environ", scope.variables.providers.environment)
    client = Client(replace(kind, endpoint=endpoint), environ=environ, **options, **entry.parameters)
    client.redactor.learn(scope.variables.secrets(entry.raw_parameters))
    following[0].redactor = client.redactor
    return client


class Following:
    """An endpoint that shows the credentials as they are now; where calls go does not change while it lives."""

    def __init__(self, kind: Prototype, entry: ClientEntry, scope: Scope, parameters: Common) -> None:
        self._kind = kind
        self._entry = entry
        self._environ = scope.variables.providers
        self._place = self._now = kind.endpoint(parameters)
        self._given: Mapping[str, JSON] = entry.parameters
        found = references_in(entry.raw_parameters, declared=True)
        self._references = [reference for _, reference in found if isinstance(reference, Reference)]
        self._find = scope.variables.find
        self._values = self._looked_up()
        self._headers: Mapping[str, str] = {}
        self.redactor: Redactor | None = None

    @property
    def base_uri(self) -> str:
        return self._place.base_uri

    def place(self, wire: Wire, payload: JSON) -> Wire:
        return self._place.place(wire, payload)

    def credentials(self, wire: Wire) -> Mapping[str, str]:
        # A secret that is being replaced may be away for a moment: what was known last still holds.
        with suppress(ConfigurationError):
            self._follow()
        return {**self._headers, **self._now.credentials(wire)}

    def _looked_up(self) -> list[JSON]:
        """What the references lead to: cheaper than the parameters, and the same as long as they are."""
        return [self._find(reference) for reference in self._references]

    def _follow(self) -> None:
        values = self._looked_up()
        if values == self._values:
            return
        given = self._entry.parameters
        self._values = values
        if given == self._given:
            return
        parameters = configure(self._kind, given, self._environ.environment)
        now = self._kind.endpoint(parameters)
        if now.base_uri != self.base_uri:
            return  # a key goes to no other address than the one it came with; that takes a reload
        if self.redactor is not None:
            self.redactor.learn(secrets_of(parameters))
        self._given, self._now = given, now
        self._headers = {name: value.get_secret_value() for name, value in parameters.headers.items()}
