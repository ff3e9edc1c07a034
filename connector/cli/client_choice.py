"""The client of a command: a configured one, or one of a prototype."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from connector.cli.options import configuration_here
from connector.cli.output import say
from connector.errors import ConfigurationError, ConnectorError, UnknownName
from connector.model import JSON
from connector.suggestions import closest

if TYPE_CHECKING:
    from connector.cli.options import ClientOptions
    from connector.config import Configuration
    from connector.config.models import ClientEntry
    from connector.http import Client

__all__ = ["choose_client"]

DEFAULT = "openai"
"""The prototype that is used if no client is configured or named."""


def choose_client(options: ClientOptions, parameters: Mapping[str, JSON], *, dry_run: bool) -> Client:
    """Return the named client, else the only configured one, else one of the prototype `openai`.

    Args:
        options: the client and the configuration.
        parameters: override the configured parameters.
        dry_run: whether nothing will be sent, so that a secret may be missing.
    """
    from connector.catalogue import Catalogue
    from connector.http import Client

    catalogue = Catalogue.open(options.folder())
    entry = _find_configured(options)
    if entry is None:
        return Client(options.client or DEFAULT, catalogue=catalogue, **parameters)
    if dry_run:
        entry = entry.without_missing_secrets(say)
    return entry.with_parameters(parameters).client(catalogue=catalogue)


def _find_configured(options: ClientOptions) -> ClientEntry | None:
    """Return the configured client that is meant; None if a prototype is."""
    source = options.config or configuration_here()
    configuration = None if source is None else _load(source, options)
    clients: Mapping[str, ClientEntry] = {} if configuration is None else configuration.clients
    if options.client is not None:
        _check_known(options.client, clients)
        return clients.get(options.client)
    if len(clients) > 1:
        raise ConfigurationError(
            f"{source} configures {len(clients)} clients, {', '.join(clients)}: say which with --client NAME"
        )
    return next(iter(clients.values()), None)


def _load(source: Path, options: ClientOptions) -> Configuration | None:
    """Return the configuration; None if it has faults, was not named, and a prototype was."""
    from connector.http import prototypes
    from connector.pipeline import load_configuration

    try:
        return load_configuration(source)
    except ConnectorError as error:
        if options.config is None and options.client in prototypes():
            say(f"warning: {source} has faults, so --client {options.client} is the prototype; `lint` shows them")
            return None
        hint = "" if options.config else f"\nto call without {source}, name a prototype such as --client {DEFAULT}"
        raise ConfigurationError(f"{error}{hint}") from error


def _check_known(name: str, clients: Mapping[str, ClientEntry]) -> None:
    """Raise, with suggestions, if neither a client nor a prototype has the name."""
    from connector.http import prototypes

    kinds = [kind.name for kind in prototypes()]
    if name in clients or name in kinds:
        return
    configured = f"configured: {', '.join(clients)}" if clients else "no client is configured"
    hint = f"{configured}; prototypes: {', '.join(kinds)}"
    raise UnknownName("client", name, closest(name, [*clients, *kinds]), hint)
