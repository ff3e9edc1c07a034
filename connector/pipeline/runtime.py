"""An opened configuration: its clients, chains, storages and prototypes, made once and closed together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ValidationError

from connector import publishers, subscribers
from connector.config import Configuration, Kinds, load
from connector.config.model_errors import translate_errors
from connector.errors import ConfigurationError
from connector.model import JSON, InvalidRequest, Outcome, State
from connector.model_registry import ModelRegistry, load_registry
from connector.pipeline.storage import FolderStorage
from connector.publishers import ClientCall, Perform, client_intent, perform_now
from connector.transform import Chain, Context, Scope, Storage, compile_chain, compile_template
from connector.transform.context import Call

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.config.models import Component
    from connector.fleet import FleetShares
    from connector.http import Client
    from connector.http.policy import Pause
    from connector.request import Wire

__all__ = ["Runtime", "call_client", "kinds", "load_configuration"]

SECTIONS = ("path", "query", "payload", "headers")


async def call_client(
    client: Client,
    kind: Literal["openai", "http"],
    request: Mapping[str, JSON],
    *,
    name: str = "",
    perform: Perform = perform_now,
) -> Outcome:
    """Return what one call came to; a request that must not be sent is an outcome as well."""

    def prepare(asked: Mapping[str, JSON]) -> Wire:
        return _prepare_operation(client, asked) if kind == "openai" else _prepare_raw(client, asked)

    try:
        sent = ClientCall(client=client, wire=prepare(request), request=request, prepare=prepare)
    except InvalidRequest as error:
        return Outcome(State.NOT_SENT, reason=str(error), faults=error.faults)
    return await perform(client_intent(name, sent))


def _prepare_operation(client: Client, request: Mapping[str, JSON]) -> Wire:
    operation = client.catalogue.find(request["entity"], request.get("action"))
    return client.prepare(operation, {name: request[name] for name in SECTIONS if request.get(name) is not None})


def _prepare_raw(client: Client, request: Mapping[str, JSON]) -> Wire:
    payload, form = request.get("payload"), request.get("form")
    if request.get("payload_type") == "form":
        payload, form = None, payload
    parts = {name: request[name] for name in ("query", "headers", "answer") if request.get(name) is not None}
    return client.prepare_raw(request.get("method") or "GET", request["path"], json=payload, form=form, **parts)


Model = TypeVar("Model", bound=BaseModel)


def kinds() -> Kinds:
    """Return the kinds of subscriber and publisher that can run."""
    return Kinds.of(subscribers.prototypes(), publishers.prototypes())


def load_configuration(source: Path | str, environ: Mapping[str, str] | None = None) -> Configuration:
    """Return the configuration in a file or folder, its prototypes' parameters checked."""
    return load(source, environ=environ, kinds=kinds())


def _no_options(_: str) -> Mapping[str, Any]:
    return {}


def _own_catalogue(configuration: Configuration) -> Catalogue | None:
    folder = configuration.catalogue_folder
    from connector.catalogue import Catalogue

    return None if folder is None else Catalogue.open(folder)


class Runtime:
    """What the connections of a configuration share while they run.

    Args:
        configuration: what was declared.
        client_options: for a client's name, more of what its constructor takes.
        storages: in place of the configuration's.
        publisher: replaces a kind of publisher, as when a connection is only tried.
        parameters: what goes before the parameters of every client.
        catalogue: the entities that can be named; those of the configuration, else those that ship, unless given.
        shares: divides the limits of clients' accounts among processes; this one has them for itself unless given.
    """

    def __init__(
        self,
        configuration: Configuration,
        client_options: Callable[[str], Mapping[str, Any]] | None = None,
        *,
        storages: Mapping[str, Storage] | None = None,
        publisher: Callable[[publishers.Prototype], publishers.Prototype] = lambda kind: kind,
        parameters: Mapping[str, JSON] | None = None,
        catalogue: Catalogue | None = None,
        shares: FleetShares | None = None,
    ) -> None:
        self.shares = shares
        self.configuration = configuration
        self.redact = configuration.redactor()
        self.publisher = publisher
        self._options = client_options or _no_options
        self._parameters = parameters or {}
        self._catalogue = catalogue or _own_catalogue(configuration)
        self._clients: dict[str, Client] = {}
        self._open = AsyncExitStack()
        self._saved = configuration.saved_chains()
        self.chained = Context(
            variables=configuration.variable_values(),
            call=self.call,
            storages=storages or {name: FolderStorage(self._folder(name)) for name in configuration.storages},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def client(self, name: str) -> Client:
        """Return the client of a name, made when it is first used."""
        if name not in self._clients:
            entry: Any = self.configuration.find("clients", name)
            options = {
                "catalogue": self._catalogue,
                "reserved": self.configuration.reserved,
                "shares": self.shares,
                **self._options(name),
            }
            client = entry.with_parameters(self._parameters).client(**options)
            self._open.push_async_callback(client.close)
            client.redactor.pass_on_to(self.redact)
            self._clients[name] = client
        return self._clients[name]

    async def call(self, client: str, kind: Literal["openai", "http"], request: Mapping[str, JSON]) -> Outcome:
        """Make one call through a named client."""
        return await call_client(self.client(client), kind, request, name=client)

    def calls(self, perform: publishers.Perform) -> Call:
        """Return a call function whose calls go through a journal."""

        async def call(client: str, kind: Literal["openai", "http"], request: Mapping[str, JSON]) -> Outcome:
            return await call_client(self.client(client), kind, request, name=client, perform=perform)

        return call

    @property
    def paused(self) -> Pause | None:
        """Why a client is paused until a person acts."""
        return next((client.paused for client in self._clients.values() if client.paused), None)

    @property
    def catalogue_folder(self) -> Path | None:
        """The folder of the catalogue that is used; None for the one that ships."""
        return None if self._catalogue is None else self._catalogue.folder

    @cached_property
    def models(self) -> ModelRegistry:
        """The facts about models of the catalogue that is used."""
        return load_registry(self.catalogue_folder)

    def secrets(self) -> list[frozenset[str]]:
        """Return what must be shown nowhere: the configuration's secrets, and those of each client as they are now."""
        return [self.redact.secrets, *[client.redactor.secrets for client in self._clients.values()]]

    def chain(self, steps: JSON, where: str) -> Chain:
        """Return the chain that steps of the configuration are."""
        return compile_chain(steps, self._saved, where=where, models=lambda: self.models)

    def parameters(self, part: Component, model: type[Model], templates: tuple[str, ...], where: str) -> Model:
        """Return a prototype's parameters; variables in those that are no templates are put in now."""
        given = {
            name: value
            if name in templates
            else compile_template(value, where=f"{where}.{name}").resolve({}, self.scope)
            for name, value in part.parameters.items()
        }
        try:
            return model.model_validate(given)
        except ValidationError as error:
            faults = [str(one.fault) for one in translate_errors(error, model, given, (where,))]
        raise ConfigurationError("\n".join([f"{where} cannot work:", *(f"  {self.redact(fault)}" for fault in faults)]))

    @property
    def scope(self) -> Scope:
        """What placeholders in parameters are resolved in."""
        return Scope(self.chained)

    def _folder(self, storage: str) -> Path:
        path = self.configuration.storages[storage].path
        return self.configuration.folder / (path if path is not None else f"storage/{storage}")
