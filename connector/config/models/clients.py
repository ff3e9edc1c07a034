"""A configured client, and the `Client` that it describes, whose credentials follow their sources."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from pydantic import Field
from pydantic.alias_generators import to_camel

from connector.config.findings import Path
from connector.config.models.section import Component
from connector.config.references import Reference, references_in
from connector.config.secrets import is_secret_parameter
from connector.config.tree import without
from connector.config.variables import Scope
from connector.errors import ConfigurationError
from connector.http import prototypes
from connector.http.configuration import configure, list_secrets, normalise
from connector.model import JSON, is_object, members

if TYPE_CHECKING:
    from connector.http import Client, Prototype
    from connector.http.parameters import Common
    from connector.http.prototypes import Endpoint
    from connector.request.wire import Wire

__all__ = ["ClientEntry", "drop_missing_secrets", "make_client", "override_parameters"]

REPLACED = {"base_uri": "region", "token": "identity", "identity": "token"}
"""Parameters that are another way to give what one of the command line gives."""
CREDENTIAL_FILES = {"identity": ("token_file",), "certificate": ("file", "key")}
"""Parameters that name files with credentials, by section."""


class ClientEntry(Component):
    """A client: which API it calls, and with which credentials."""

    description: str = Field(default="", description="What it is for.")

    @property
    def parameters(self) -> dict[str, JSON]:
        """The parameters with their references replaced as they are now, secrets included: not to be shown."""
        return cast("dict[str, JSON]", self.resolve(self.raw_parameters, "parameters", for_client=True))

    def credential_files(self) -> Iterator[str]:
        """Yield the files that hold its credentials, as far as they are named now."""
        for section, names in CREDENTIAL_FILES.items():
            written = members(self.raw_parameters.get(section))
            for name in names:
                with suppress(ConfigurationError):
                    file = self.resolve(written.get(name, written.get(to_camel(name))), "parameters", for_client=True)
                    yield from [file] if isinstance(file, str) and file else []

    def with_parameters(self, parameters: Mapping[str, JSON]) -> ClientEntry:
        """Return the same entry with other parameters in place of what is written."""
        return self.model_copy(update={"raw_parameters": override_parameters(self, parameters)}) if parameters else self

    def without_missing_secrets(self, warn: Callable[[str], None]) -> ClientEntry:
        """Return the entry without the secrets that are not set; warn about each."""
        if self._scope is None:
            return self
        return self.model_copy(update={"raw_parameters": drop_missing_secrets(self, self._scope, warn)})

    def client(self, **options: Any) -> Client:
        """Return a client whose credentials follow their sources; `options` are those of connector.Client."""
        if self._scope is None:
            raise ConfigurationError("this client belongs to no configuration; load one to use it")
        return make_client(self, self._scope, options)


def make_client(entry: ClientEntry, scope: Scope, options: dict[str, Any]) -> Client:
    """Return the client that an entry describes."""
    from connector.http import Client

    kind = prototypes().find(entry.prototype)

    def learn(secrets: Iterable[str]) -> None:
        client.redactor.learn(secrets)

    def endpoint(parameters: Common) -> Endpoint:
        return LiveEndpoint(kind, entry, references, scope, parameters, learn)

    references = _find_references(entry)
    environ = options.pop("environ", scope.variables.providers.environment)
    live = replace(kind, endpoint=endpoint) if references else kind
    client = Client(live, environ=environ, **options, **entry.parameters)
    learn(scope.variables.secrets(entry.raw_parameters))
    return client


def _find_references(entry: ClientEntry) -> list[Reference]:
    """Return the references in an entry's parameters, whose values may change."""
    found = references_in(entry.raw_parameters, declared=True)
    return [reference for _, reference in found if isinstance(reference, Reference)]


class LiveEndpoint:
    """An endpoint whose credentials follow their sources; its address never changes.

    Args:
        kind: the client's prototype.
        entry: the client as it is configured.
        references: those in its parameters.
        scope: replaces references.
        parameters: the parameters at the start.
        learn: takes secrets that must not be shown.
    """

    def __init__(
        self,
        kind: Prototype,
        entry: ClientEntry,
        references: Sequence[Reference],
        scope: Scope,
        parameters: Common,
        learn: Callable[[Iterable[str]], None],
    ) -> None:
        self._kind = kind
        self._entry = entry
        self._environ = scope.variables.providers
        self._first = self._now = kind.endpoint(parameters)
        self._given: Mapping[str, JSON] = entry.parameters
        self._references = references
        self._find = scope.variables.find
        self._values = self._look_up()
        self._headers: Mapping[str, str] = {}
        self._learn = learn

    @property
    def base_uri(self) -> str:
        return self._first.base_uri

    @property
    def is_fixed(self) -> bool:
        """Whether neither paths nor headers depend on what is in a call's body."""
        return getattr(self._first, "is_fixed", False)

    def place(self, wire: Wire, payload: JSON) -> Wire:
        return self._first.place(wire, payload)

    def credentials(self, wire: Wire) -> Mapping[str, str]:
        # A secret that is being replaced may be missing for a moment: the last known value still holds.
        with suppress(ConfigurationError):
            self._refresh()
        return {**self._headers, **self._now.credentials(wire)}

    def _look_up(self) -> list[JSON]:
        """Return the values of the references: cheaper to compare than the parameters."""
        return [self._find(reference) for reference in self._references]

    def _refresh(self) -> None:
        values = self._look_up()
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
        self._learn(list_secrets(parameters))
        self._given, self._now = given, now
        self._headers = {name: value.get_secret_value() for name, value in parameters.headers.items()}


def override_parameters(entry: ClientEntry, parameters: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return an entry's parameters as written, overridden by others; groups are merged member by member."""
    fields = prototypes().find(entry.prototype).parameters.model_fields
    written, other = (normalise(each, fields) for each in (entry.raw_parameters, parameters))
    for name, instead in REPLACED.items():
        if name in other:
            written = {key: value for key, value in written.items() if key != instead}
    return _merge(written, other)


def drop_missing_secrets(entry: ClientEntry, scope: Scope, warn: Callable[[str], None]) -> dict[str, JSON]:
    """Return an entry's parameters without the secrets that are not set; warn about each."""
    missing = list(_find_missing(entry, scope))
    for _, why in missing:
        warn(f"warning: {why}")
    left: dict[str, JSON] = without(entry.raw_parameters, [place for place, _ in missing])
    return left


def _find_missing(entry: ClientEntry, scope: Scope) -> Iterator[tuple[Path, str]]:
    model = prototypes().find(entry.prototype).parameters
    where = (*scope.path, "parameters")
    for place, finding in scope.variables.problems(entry.raw_parameters, where, declared=True):
        inner = place[len(where) :]
        if is_secret_parameter(model, inner):
            yield inner, finding.words


def _merge(written: Mapping[str, JSON], other: Mapping[str, JSON]) -> dict[str, JSON]:
    kept = {_other_spelling(name, other): value for name, value in written.items()}
    for name, value in other.items():
        before = kept.get(name)
        kept[name] = _merge(before, value) if is_object(before) and is_object(value) else value
    return kept


def _other_spelling(name: str, names: Collection[str]) -> str:
    """Return the spelling of a name, snake_case or camelCase, that is among the names; else the name."""
    return next((other for other in names if to_camel(other) == to_camel(name)), name)
