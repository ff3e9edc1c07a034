"""From a configuration to a gateway."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.catalogue import Catalogue
from connector.config.models.gateway import SPENDING_FILE, hash_token
from connector.errors import ConfigurationError, UnknownName
from connector.gateway.access import Caller, Callers, rules_of
from connector.gateway.book import Book
from connector.gateway.gateway import Gateway, Rules
from connector.gateway.journal import Journal
from connector.gateway.ledger import Ledger
from connector.gateway.operations import Operations
from connector.gateway.quota import Quota
from connector.gateway.requests import Hosts
from connector.gateway.weighing import Scales
from connector.suggestions import closest
from connector.telemetry.costs import Prices

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.config.models.gateway import GatewayToken
    from connector.pipeline import Runtime

__all__ = ["ADMINISTRATOR", "Clocks", "gateway_of"]

ADMINISTRATOR = "administrator"
"""A hidden file: in a folder of configuration files it is none of them."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds that only go on, and seconds since 1970."""

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time


def gateway_of(
    runtime: Runtime,
    bound: tuple[str, int],
    *,
    administrator: str | None,
    catalogue: Catalogue,
    clocks: Clocks,
    still: float,
) -> tuple[Gateway, Book]:
    """The gateway that a configuration describes, and the book of what was spent.

    Args:
        runtime: gives the clients, which are shared with everything else that runs on it.
        bound: the address and port it listens on.
        administrator: a token for everything, known on this machine only.
        catalogue: says what paths mean.
        clocks: what time it is.
        still: seconds without a byte of a body before its call is given up.
    """
    configuration = runtime.configuration
    settings = configuration.gateway
    book = Book(configuration.folder / SPENDING_FILE)
    callers = Callers(_callers(configuration, catalogue, book, clocks, administrator))
    redactor = configuration.redactor()
    if administrator:
        redactor.learn([administrator])
    host, port = bound
    names = {host, "localhost", "127.0.0.1", "[::1]"} if settings.loopback else {host}
    gateway = Gateway(
        client=runtime.client,
        names=tuple(configuration.clients),
        operations=Operations(catalogue),
        callers=callers,
        rules=Rules(
            Hosts(settings.hosts, names, port, secure=settings.tls is not None),
            settings.body_bytes,
            still,
            tuple(name.lower() for name in settings.headers),
        ),
        scales=Scales(Prices.over_registry(configuration.prices, configuration.currency), book.pending, callers.named),
        journal=Journal(redactor, bodies=settings.log_bodies, currency=configuration.currency),
        ledger=Ledger(configuration.currency),
        clock=clocks.clock,
        since=clocks.now(),
        on_spent=book.changed,
    )
    return gateway, book


def _callers(
    configuration: Configuration, catalogue: Catalogue, book: Book, clocks: Clocks, administrator: str | None
) -> Iterator[tuple[str, Caller]]:
    tokens = configuration.gateway.active_tokens
    budgets = {name: token for name, token in tokens.items() if token.budget is not None}
    spendings = book.read(budgets)
    for name, token in tokens.items():
        quota = Quota(
            f"the token {name}",
            requests=token.requests_per_minute,
            tokens=token.tokens_per_minute,
            budget=token.budget,
            spending=spendings.get(name),
            currency=configuration.currency,
            clock=clocks.clock,
            now=clocks.now,
        )
        yield _hash_of(name, token), _caller(name, token, quota, configuration, catalogue)
    if administrator:
        quota = Quota(ADMINISTRATOR, clock=clocks.clock, now=clocks.now)
        yield hash_token(administrator), Caller(ADMINISTRATOR, quota, metrics=True, anything=True)


def _caller(name: str, token: GatewayToken, quota: Quota, configuration: Configuration, catalogue: Catalogue) -> Caller:
    for client in token.clients or ():
        if client not in configuration.clients:
            raise UnknownName(f"client of gateway token {name!r}:", client, closest(client, configuration.clients))
    try:
        rules = rules_of(token.allow, catalogue)
    except ConfigurationError as error:
        raise ConfigurationError(f"gateway.tokens.{name}.{error}") from None
    return Caller(
        name,
        quota,
        clients=token.clients,
        models=token.models,
        unbounded_cost=token.unbounded_cost,
        rules=rules,
        metrics=token.metrics,
    )


def _hash_of(name: str, token: GatewayToken) -> str:
    try:
        return token.hash
    except ConfigurationError as error:
        raise ConfigurationError(f"gateway.tokens.{name}.hash: {error}") from None
