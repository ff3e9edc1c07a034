"""A checked configuration, by the names of its entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path as File
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import unquote

from connector.config.findings import Finding, InvalidConfiguration
from connector.config.models import (
    Camunda,
    Chain,
    ClientEntry,
    Document,
    Gateway,
    GatewayToken,
    Incoming,
    Mcp,
    Outgoing,
    Price,
    Retention,
    Route,
    Schedule,
    Section,
    Storage,
    Studio,
    StudioToken,
    Telemetry,
    Temporal,
    Variable,
)
from connector.config.models.gateway import MCP_SPENDING_FILE, SPENDING_FILE
from connector.config.models.measures import Amount
from connector.config.references import Reference, references_in
from connector.config.secrets import passwords_in
from connector.config.sources import ENDINGS, SECTIONS, catalogue_in, folders_of
from connector.config.tree import Tree
from connector.config.variables import Variables, literal_secrets
from connector.errors import ConfigurationError, UnknownName
from connector.model import JSON
from connector.request.file_access import Reserved
from connector.suggestions import closest, did_you_mean
from connector.telemetry.usage_log import USAGE_FILE

if TYPE_CHECKING:
    from connector.request import Redactor

__all__ = ["ENGINES", "Configuration", "check_engine_url", "resolve_engine_url"]

ENGINES = ("sqlite", "postgresql")
SHAPES = "sqlite:///FILE and postgresql://USER:PASSWORD@HOST/DATABASE are allowed"
SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A checked configuration: its entries by name, its secrets looked up when they are used."""

    folder: File
    """The folder in which relative names start."""
    clients: Mapping[str, ClientEntry]
    incoming: Mapping[str, Incoming]
    outgoing: Mapping[str, Outgoing]
    routes: Mapping[str, Route]
    chains: Mapping[str, Chain]
    schedules: Mapping[str, Schedule]
    storages: Mapping[str, Storage]
    variables: Mapping[str, Variable]
    prices: Mapping[str, Price]
    currency: str
    ask_above: Amount | None
    retention: Retention
    gateway: Gateway
    studio: Studio
    mcp: Mcp
    camunda: Camunda
    temporal: Temporal
    telemetry: Telemetry
    entities: str | None
    raw_engine: str = field(repr=False)
    tree: Tree = field(repr=False)
    lookup: Variables = field(repr=False)
    whole: bool = False
    """Whether every file of the folder is part of the configuration."""

    @classmethod
    def from_document(
        cls, document: Document, tree: Tree, lookup: Variables, folder: File, *, whole: bool = False
    ) -> Configuration:
        """Return the configuration of a document that passed every check."""
        document.bind(lookup, ())
        parts = {name: getattr(document, name) for name in Document.model_fields}
        parts |= {name: MappingProxyType(parts[name]) for name in SECTIONS}
        return cls(folder=folder, tree=tree, lookup=lookup, whole=whole, **parts)

    @property
    def catalogue_folder(self) -> File | None:
        """The folder of the configuration's own catalogue, if it has one."""
        return catalogue_in(self.folder, self.entities)

    @property
    def engine_url(self) -> str:
        """The engine's URL as it is now, with its password: not to be shown."""
        return resolve_engine_url(self.raw_engine, self.lookup, self.folder)

    @property
    def mcp_engine_url(self) -> str | None:
        """The URL of the engine that notes the calls of MCP clients, as it is now; None when none is named."""
        written = self.mcp.raw_engine
        return None if written is None else resolve_engine_url(written, self.lookup, self.folder, where="mcp.engine")

    @property
    def camunda_engine_url(self) -> str:
        """The URL of the engine that notes the calls of Camunda's jobs, as it is now."""
        written = self.camunda.raw_engine or "sqlite:///camunda.db"
        return resolve_engine_url(written, self.lookup, self.folder, where="camunda.engine")

    @property
    def temporal_engine_url(self) -> str:
        """The URL of the engine that notes the calls of Temporal's activities, as it is now."""
        written = self.temporal.raw_engine or "sqlite:///temporal.db"
        return resolve_engine_url(written, self.lookup, self.folder, where="temporal.engine")

    @property
    def reserved(self) -> Reserved:
        """The connector's own files, which no document may name."""
        written = {begin.file for begin, _ in self.tree.places.values()}
        own: list[str | File] = [
            *written,
            self.lookup.providers.dotenv,
            self.folder / SPENDING_FILE,
            self.folder / MCP_SPENDING_FILE,
            self.folder / USAGE_FILE,
            *self._secret_files(),
        ]
        engines = (self.engine_url, self.mcp_engine_url or "", self.camunda_engine_url, self.temporal_engine_url)
        own += [engine.removeprefix(SQLITE) for engine in engines if engine.startswith(SQLITE)]
        return Reserved(own, folders_of(self.folder) if self.whole else (), ENDINGS)

    def _secret_files(self) -> Iterator[File]:
        for _, reference in references_in(self.tree.value):
            if isinstance(reference, Reference) and reference.kind == "file":
                yield self.folder / reference.name
        for client in self.clients.values():
            yield from (File(name) for name in client.credential_files())
        for tls in (self.gateway.tls, self.studio.tls):
            if tls is not None:
                yield from (self.folder / tls.certificate, self.folder / tls.key)
        if self.temporal.tls is not None and self.temporal.tls.key is not None:
            yield self.folder / self.temporal.tls.key

    def find(self, section: str, name: str) -> Section:
        """Return an entry by its name; raise UnknownName, with suggestions, if there is none."""
        entries: Mapping[str, Section] = getattr(self, section)
        if name not in entries:
            hint = f"there are {', '.join(entries)}" if entries else "none is declared"
            raise UnknownName(section.removesuffix("s"), name, closest(name, entries), hint)
        return entries[name]

    def saved_chains(self) -> dict[str, JSON]:
        """Return the saved chains as the chain compiler takes them."""
        return {name: chain.as_document() for name, chain in self.chains.items()}

    def variable_values(self) -> dict[str, JSON]:
        """Return the values of `@{variables.…}` as they are now, secrets included."""
        return self.lookup.values()

    def redactor(self) -> Redactor:
        """Return a redactor that knows the secrets of the configuration as they are set now."""
        from connector.request import Redactor

        return Redactor((*self.lookup.secrets(self.tree.value), *self._private()))

    def _private(self) -> Iterator[str]:
        """Yield passwords and hashes, which references with other names than those of secrets may hold."""
        with suppress(ConfigurationError):
            yield from passwords_in(self.engine_url)
        with suppress(ConfigurationError):
            yield from passwords_in(self.mcp_engine_url or "")
        with suppress(ConfigurationError):
            yield from passwords_in(self.camunda_engine_url)
        with suppress(ConfigurationError):
            yield from passwords_in(self.temporal_engine_url)
        for entry in self.clients.values():
            yield from literal_secrets(entry.raw_parameters)
        tokens: list[GatewayToken | StudioToken] = [*self.gateway.tokens.values(), *self.studio.tokens.values()]
        for token in tokens:
            with suppress(ConfigurationError):
                yield token.hash.partition(":")[2]
        with suppress(ConfigurationError):
            yield self.gateway.signing_key
        with suppress(ConfigurationError):
            yield self.temporal.api_key or ""

    def require(self, parts: Iterable[tuple[str, str]]) -> None:
        """Raise, naming all of them, if variables are not set that these (section, name) parts need."""
        found: list[Finding] = []
        for section, name in parts:
            written = self.tree.value.get(section, {}).get(name)
            problems = self.lookup.problems(written, (section, name), declared=section == "clients")
            found += [finding for _, finding in problems]
        if found:
            raise InvalidConfiguration(found)


def check_engine_url(url: str) -> tuple[str, str, str] | None:
    """Return what was found, what is allowed and what may have been meant, or None if the URL is right."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "found no URL", SHAPES, ""
    if scheme not in ENGINES:
        return f"unknown engine {scheme[:30]!r}", SHAPES, did_you_mean(closest(scheme, ENGINES))
    if scheme == "sqlite" and (not rest.startswith("/") or not rest[1:]):
        return "found no file", "sqlite:///FILE is allowed, beside the configuration unless absolute", ""
    return None


def resolve_engine_url(written: str, variables: Variables, folder: File, *, where: str = "engine") -> str:
    """Return the URL with its references replaced and, for SQLite, with the absolute path of its file."""
    url = str(variables.resolve(written, tuple(where.split(".")), for_client=True))
    fault = check_engine_url(url)
    if fault is not None:
        raise ConfigurationError("; ".join(part for part in (f"{where}: {fault[0]}", *fault[1:]) if part))
    if not url.startswith(SQLITE):
        return url
    return f"{SQLITE}{(folder / unquote(url.removeprefix(SQLITE))).absolute()}"
