"""From a configuration to the plan of another proxy; what does not fit is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector.config.models.gateway import Gateway as Settings
from connector.errors import ConfigurationError, UnknownName
from connector.gateway.access import compile_rules
from connector.gateway.export.credentials import Marked, names_of
from connector.gateway.export.patterns import Patterns
from connector.gateway.export.plan import Caller, Plan, Source, Upstream
from connector.gateway.routing import ANY_API, HostNames
from connector.request.wire import Wire
from connector.suggestions import closest

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.config import Configuration
    from connector.config.models.gateway import GatewayToken

__all__ = ["plan_of"]

MOVED = "the client {} is left out: where its calls go depends on what they hold, or a proxy stands before it"


class Planning:
    """Reads a configuration once, and notes what is lost on the way."""

    def __init__(self, configuration: Configuration, catalogue: Catalogue) -> None:
        self._configuration = configuration
        self._catalogue = catalogue
        self._patterns = Patterns(catalogue)
        self._sources: dict[str, Source] = {}
        self._variable, self._slug = names_of(), names_of()
        self.lost: list[str] = []

    def upstreams(self) -> Iterator[Upstream]:
        """The clients whose calls can be passed on by their paths alone."""
        for name, entry in self._configuration.clients.items():
            marked = Marked(name, entry, self._configuration, self._sources, self._variable)
            parameters, endpoint = marked.parameters, marked.endpoint
            asked = Wire(method="POST", path="/chat/completions")
            if endpoint.place(asked, {"model": "any"}) != asked or parameters.proxy is not None:
                self.lost.append(MOVED.format(name))
                continue
            self._note_limits(name, marked)
            address = urlsplit(endpoint.base_uri)
            times, bundle = parameters.timeouts, parameters.ca_bundle
            yield Upstream(
                name, self._slug(name), address.scheme, address.hostname or "",
                address.port or {"http": 80, "https": 443}[address.scheme], address.path.rstrip("/"),
                marked.headers(), marked.admin_headers(), times.connect, times.read, times.total,
                str(Path(bundle).absolute()) if bundle else None,
            )  # fmt: skip

    def callers(self, upstreams: tuple[Upstream, ...]) -> Iterator[Caller]:
        """The tokens that are in force."""
        for name, token in self._configuration.gateway.active_tokens.items():
            for client in token.clients or ():
                if client not in self._configuration.clients:
                    raise UnknownName(
                        f"client of gateway token {name!r}:", client, closest(client, self._configuration.clients)
                    )
            rules = compile_rules(token.allow, self._catalogue)
            allowed = {
                each.name: self._patterns.of(rules, known=self._configuration.clients[each.name].prototype != ANY_API)
                for each in upstreams
                if token.clients is None or each.name in token.clients
            }
            self._note_quota(name, token)
            yield Caller(name, self._slug(name), token.hash, allowed, token.requests_per_minute)

    def _note_limits(self, name: str, marked: Marked) -> None:
        limits = marked.parameters.limits
        told = [f"{limits.concurrency} calls at a time"]
        told += [f"{limits.requests_per_minute:g} requests a minute"] if limits.requests_per_minute else []
        told += [f"{limits.tokens_per_minute:g} tokens a minute"] if limits.tokens_per_minute else []
        self.lost.append(
            f"the limits of the client {name} ({', '.join(told)}), its waits after 429, its pause when money is spent"
        )

    def _note_quota(self, name: str, token: GatewayToken) -> None:
        if (budget := token.budget) is not None:
            limits = [f"{budget.amount:g} {self._configuration.currency}"] if budget.amount is not None else []
            limits += [f"{budget.tokens} tokens"] if budget.tokens is not None else []
            self.lost.append(f"the budget of {name} ({' or '.join(limits)} every {budget.every})")
        if token.tokens_per_minute is not None:
            self.lost.append(f"the {token.tokens_per_minute} tokens a minute of {name}")
        if token.models is not None:
            self.lost.append(f"the models of {name} ({', '.join(token.models) or 'none'})")
        if token.metrics:
            self.lost.append(f"/metrics and /usage for {name}")


def plan_of(configuration: Configuration, catalogue: Catalogue, port: int | None) -> Plan:
    """What the gateway of a configuration does.

    Args:
        configuration: with its `gateway` section.
        catalogue: says what paths mean.
        port: in place of the configured one.
    """
    settings = configuration.gateway
    where = settings.port if port is None else port
    _check(configuration, where)
    planning = Planning(configuration, catalogue)
    upstreams = tuple(planning.upstreams())
    callers = tuple(planning.callers(upstreams))
    tls = settings.tls
    planning.lost.append("the list of callers' headers that go on: all do but those that are taken away by name")
    planning.lost.append(f"the {settings.most_of_one_address} connections that one address may have")
    return Plan(
        host=settings.host,
        port=where,
        names=tuple(sorted(_hosts(settings, where).allowed)),
        certificate=str((configuration.folder / tls.certificate).absolute()) if tls else None,
        key=str((configuration.folder / tls.key).absolute()) if tls else None,
        body_bytes=settings.body_bytes,
        connections=settings.connections,
        upstreams=upstreams,
        callers=callers,
        lost=tuple(planning.lost),
    )


def _check(configuration: Configuration, port: int) -> None:
    if not port:
        raise ConfigurationError("gateway.listen: port 0 is any port; another proxy needs one: give --port")
    if not configuration.clients:
        raise ConfigurationError("the configuration declares no clients, so there is nobody to pass calls on to")
    if not configuration.gateway.active_tokens:
        raise ConfigurationError(
            "gateway.tokens: no token is in force, so nobody could call;"
            " `openai-connector gateway-token NAME` makes a token and its hash"
        )


def _hosts(settings: Settings, port: int) -> HostNames:
    bound = {"localhost", "127.0.0.1", "[::1]"} if settings.loopback else {settings.host}
    return HostNames(settings.hosts, bound, port, secure=settings.tls is not None)
