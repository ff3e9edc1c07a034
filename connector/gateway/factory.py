"""Build a gateway from a configuration."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from connector.catalogue import Catalogue
from connector.config import Configuration
from connector.config.models.gateway import SPENDING_FILE, GatewayToken, hash_token
from connector.errors import ConfigurationError, UnknownName
from connector.gateway.access import Caller, Callers, compile_rules
from connector.gateway.access_log import AccessLog, Retirements
from connector.gateway.budget_file import BudgetFile
from connector.gateway.handler import Gateway, RequestRules
from connector.gateway.limits import Quota, Spending
from connector.gateway.origins import Origins
from connector.gateway.page_tokens import PageTokens, sign_keys
from connector.gateway.routing import HostNames, OperationFinder
from connector.gateway.shared_counters import SharedCounters
from connector.gateway.shared_memory import SharedMemory
from connector.gateway.shared_pending import SharedPendingUsage
from connector.gateway.shared_quota import SharedQuota
from connector.gateway.usage_accounting import UsageAccounting
from connector.gateway.usage_counters import UsageCounters
from connector.gateway.usage_log import UsageLog
from connector.gateway.webhooks import WebhookReceiver, Webhooks
from connector.http import prototypes
from connector.model_registry import ModelRegistry, load_registry
from connector.pipeline import Runtime
from connector.suggestions import closest
from connector.telemetry.costs import Prices

__all__ = ["Accounts", "Clocks", "build_accounts", "build_gateway", "build_host_names"]

ADMINISTRATOR = "administrator"
Accounts = tuple[Callers, UsageAccounting, BudgetFile]
"""Who may call, how their calls are charged, and the file of their budgets."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Monotonic seconds, and seconds since 1970."""

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time


def build_gateway(
    runtime: Runtime,
    address: tuple[str, int],
    *,
    administrator: str | None,
    catalogue: Catalogue,
    clocks: Clocks,
    idle: float,
    receivers: Mapping[str, WebhookReceiver],
    accounts: Accounts | None = None,
    shared: SharedCounters | None = None,
) -> tuple[Gateway, BudgetFile]:
    """Return the gateway that a configuration describes, and the file of its budgets.

    Args:
        runtime: has the clients.
        address: host and port that it listens on.
        administrator: a token for everything, valid on this machine only.
        catalogue: says what paths mean.
        clocks: monotonic and wall time.
        idle: seconds for the next 16 KB of a body.
        receivers: what receives webhooks, by path.
        accounts: who may call, where several processes share their limits; those of this process unless given.
        shared: the counters of those processes.
    """
    configuration = runtime.configuration
    callers, accounting, budget_file = accounts or build_accounts(
        configuration, catalogue, SPENDING_FILE, clocks=clocks, administrator=administrator
    )
    gateway = Gateway(
        find_client=runtime.client,
        client_names=tuple(configuration.clients),
        operations=OperationFinder(catalogue),
        callers=callers,
        page_tokens=_page_tokens(configuration, callers, catalogue, clocks) if configuration.gateway.origins else None,
        rules=_request_rules(configuration, address, idle),
        accounting=accounting,
        access_log=_access_log(runtime, load_registry(catalogue.folder), administrator),
        counters=UsageCounters(configuration.currency),
        usage_log=UsageLog(configuration.folder, configuration.gateway.keep_usage, clocks.now),
        webhooks=Webhooks(receivers, idle) if receivers else None,
        clock=clocks.clock,
        started_at=clocks.now(),
        shared=shared,
    )
    return gateway, budget_file


def build_accounts(
    configuration: Configuration,
    catalogue: Catalogue,
    file: str,
    *,
    clocks: Clocks,
    administrator: str | None,
    memory: SharedMemory | None = None,
) -> Accounts:
    """Return who may call, how their calls are charged, and the file of their budgets.

    Args:
        configuration: has the tokens.
        catalogue: says what allow rules mean.
        file: the name of the file of budgets, beside the configuration.
        clocks: monotonic and wall time.
        administrator: a token for everything, valid on this machine only.
        memory: where limits and charges are kept, when several processes share them.
    """
    budget_file = BudgetFile(configuration.folder / file, SharedPendingUsage(memory) if memory is not None else None)
    callers = Callers(_callers(configuration, catalogue, budget_file, clocks, administrator, memory))
    prices = Prices.over_registry(configuration.prices, configuration.currency, catalogue.folder)
    return callers, UsageAccounting(prices, budget_file.pending, callers.find), budget_file


def build_host_names(configuration: Configuration, address: tuple[str, int], *, is_loopback: bool) -> HostNames:
    """Return the names by which a server at an address may be called."""
    settings, (host, port) = configuration.gateway, address
    bound = {host, "localhost", "127.0.0.1", "[::1]"} if is_loopback else {host}
    return HostNames(settings.hosts, bound, port, secure=settings.tls is not None)


def _request_rules(configuration: Configuration, address: tuple[str, int], idle: float) -> RequestRules:
    settings = configuration.gateway
    hosts = build_host_names(configuration, address, is_loopback=settings.loopback)
    headers = tuple(name.lower() for name in settings.headers)
    return RequestRules(hosts, Origins(settings.origins, headers), settings.body_bytes, idle, headers)


def _page_tokens(configuration: Configuration, callers: Callers, catalogue: Catalogue, clocks: Clocks) -> PageTokens:
    settings = configuration.gateway
    hashes = {name: _hash(name, token) for name, token in settings.active_tokens.items()}
    return PageTokens(
        frozenset(settings.origins),
        sign_keys(settings.signing_key, hashes),
        callers.find,
        client_names=tuple(configuration.clients),
        compile_rules=lambda allow: compile_rules(allow, catalogue),
        now=clocks.now,
    )


def _access_log(runtime: Runtime, models: ModelRegistry, administrator: str | None) -> AccessLog:
    configuration = runtime.configuration
    redactor = configuration.redactor()
    runtime.redact.pass_on_to(redactor)
    if administrator:
        redactor.learn([administrator])
    known = {kind.name for kind in prototypes() if kind.knows_models}
    clients = [name for name, entry in configuration.clients.items() if entry.prototype in known]
    return AccessLog(
        redactor,
        bodies=configuration.gateway.log_bodies,
        currency=configuration.currency,
        retirements=Retirements(models, clients) if clients else None,
    )


def _callers(
    configuration: Configuration,
    catalogue: Catalogue,
    budget_file: BudgetFile,
    clocks: Clocks,
    administrator: str | None,
    memory: SharedMemory | None,
) -> Iterator[tuple[str, Caller]]:
    """Yield each caller with the hash of its token."""
    tokens = configuration.gateway.active_tokens
    spendings = budget_file.read(name for name, token in tokens.items() if token.budget is not None)
    for name, token in tokens.items():
        quota = _quota(name, token, spendings.get(name), configuration.currency, clocks, memory)
        budget_file.watch(name, quota.spending)
        yield _hash(name, token), _caller(name, token, quota, configuration, catalogue)
    if administrator:
        quota = Quota(ADMINISTRATOR, clock=clocks.clock, now=clocks.now)
        yield hash_token(administrator), Caller(ADMINISTRATOR, quota, metrics=True, is_administrator=True)


def _quota(
    name: str,
    token: GatewayToken,
    spending: Spending | None,
    currency: str,
    clocks: Clocks,
    memory: SharedMemory | None,
) -> Quota:
    make = Quota if memory is None else partial(SharedQuota, memory)
    return make(
        f"the token {name}",
        requests=token.requests_per_minute,
        tokens=token.tokens_per_minute,
        budget=token.budget,
        spending=spending,
        currency=currency,
        clock=clocks.clock,
        now=clocks.now,
    )


def _caller(name: str, token: GatewayToken, quota: Quota, configuration: Configuration, catalogue: Catalogue) -> Caller:
    for client in token.clients or ():
        if client not in configuration.clients:
            raise UnknownName(f"client of gateway token {name!r}:", client, closest(client, configuration.clients))
    try:
        rules = compile_rules(token.allow, catalogue)
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


def _hash(name: str, token: GatewayToken) -> str:
    try:
        return token.hash
    except ConfigurationError as error:
        raise ConfigurationError(f"gateway.tokens.{name}.hash: {error}") from None
