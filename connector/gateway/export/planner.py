"""Plan another proxy's configuration: upstreams, callers, their rules as regular expressions, and what gets lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.config import Configuration
from connector.config.models.gateway import ADMINISTERS, HANDS_OUT, GatewayToken, PathRule, Rule
from connector.config.models.gateway import Gateway as GatewaySettings
from connector.errors import ConfigurationError, UnknownName
from connector.gateway.access import compile_rules
from connector.gateway.export.credentials import ClientCredentials, make_slugs
from connector.gateway.export.plan import Caller, Pattern, Plan, Secret, Upstream
from connector.gateway.routing import ANY_API, HostNames
from connector.request.wire import Wire
from connector.suggestions import closest

__all__ = ["make_plan"]

LEFT_OUT = "the client {} is left out: where its calls go depends on what they hold, or a proxy stands before it"
PROVES_ITSELF = "the client {} is left out: it proves itself by identity or certificate, which are renewed here only"
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
SEGMENT = "[^/]+"
ADMIN_PATHS = f"(?i:{ADMINISTERS.pattern})"
CREDENTIALS = f"(?i:{HANDS_OUT.pattern})"


def make_plan(configuration: Configuration, catalogue: Catalogue, port: int | None) -> Plan:
    """Return what the gateway of a configuration does.

    Args:
        configuration: with its `gateway` section.
        catalogue: says what paths mean.
        port: replaces the configured one.
    """
    settings = configuration.gateway
    where = settings.port if port is None else port
    _check(configuration, where)
    planner = _Planner(configuration, catalogue)
    upstreams = tuple(planner.upstreams())
    callers = tuple(planner.callers(upstreams))
    tls = settings.tls
    planner.unsupported.append("the list of callers' headers that go on: all do but those that are taken away by name")
    planner.unsupported.append(f"the {settings.most_of_one_address} connections that one address may have")
    if settings.origins:
        planner.unsupported.append(
            f"pages in browsers ({', '.join(settings.origins)}): their tokens are signed, expire and belong to one"
            " origin, which only the gateway checks; every request with an Origin is refused, and nobody gets a token"
        )
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
        unsupported=tuple(planner.unsupported),
    )


def _check(configuration: Configuration, port: int) -> None:
    if not port:
        raise ConfigurationError("gateway.listen: port 0 is any port; another proxy needs one: give --port")
    if not configuration.clients:
        raise ConfigurationError("the configuration declares no clients, so no call can be forwarded")
    if not configuration.gateway.active_tokens:
        raise ConfigurationError(
            "gateway.tokens: no token is in force, so every call would be refused;"
            " `openai-connector gateway-token NAME` makes a token and its hash"
        )


def _hosts(settings: GatewaySettings, port: int) -> HostNames:
    bound = {"localhost", "127.0.0.1", "[::1]"} if settings.loopback else {settings.host}
    return HostNames(settings.hosts, bound, port, secure=settings.tls is not None)


class _Planner:
    """Reads a configuration once, and notes what other proxies cannot do."""

    def __init__(self, configuration: Configuration, catalogue: Catalogue) -> None:
        self._configuration = configuration
        self._catalogue = catalogue
        self._patterns = _RulePatterns(catalogue)
        self._secrets: dict[str, Secret] = {}
        self._variable, self._slug = make_slugs(), make_slugs()
        self.unsupported: list[str] = []

    def upstreams(self) -> Iterator[Upstream]:
        """Yield the clients whose calls can be forwarded by their paths alone."""
        for name, entry in self._configuration.clients.items():
            credentials = ClientCredentials(name, entry, self._configuration, self._secrets, self._variable)
            parameters, endpoint = credentials.parameters, credentials.endpoint
            example = Wire(method="POST", path="/chat/completions")
            if endpoint.place(example, {"model": "any"}) != example or parameters.proxy is not None:
                self.unsupported.append(LEFT_OUT.format(name))
                continue
            if parameters.workload is not None or parameters.certificate is not None:
                self.unsupported.append(PROVES_ITSELF.format(name))
                continue
            self._note_limits(name, credentials)
            address = urlsplit(endpoint.base_uri)
            times, bundle = parameters.timeouts, parameters.ca_bundle
            yield Upstream(
                name, self._slug(name), address.scheme, address.hostname or "",
                address.port or {"http": 80, "https": 443}[address.scheme], address.path.rstrip("/"),
                credentials.headers(), credentials.admin_headers(), times.connect, times.read, times.total,
                str(Path(bundle).absolute()) if bundle else None,
            )  # fmt: skip

    def callers(self, upstreams: tuple[Upstream, ...]) -> Iterator[Caller]:
        """Yield the owners of active tokens."""
        clients = self._configuration.clients
        for name, token in self._configuration.gateway.active_tokens.items():
            for client in token.clients or ():
                if client not in self._configuration.clients:
                    raise UnknownName(
                        f"client of gateway token {name!r}:", client, closest(client, self._configuration.clients)
                    )
            rules = compile_rules(token.allow, self._catalogue)
            allowed = {
                each.name: self._patterns.compile(rules, is_known=clients[each.name].prototype != ANY_API)
                for each in upstreams
                if token.clients is None or each.name in token.clients
            }
            self._note_quota(name, token)
            yield Caller(name, self._slug(name), token.hash, allowed, token.requests_per_minute)

    def _note_limits(self, name: str, credentials: ClientCredentials) -> None:
        limits = credentials.parameters.limits
        limited = [f"{limits.concurrency} calls at a time"]
        limited += [f"{limits.requests_per_minute:g} requests a minute"] if limits.requests_per_minute else []
        limited += [f"{limits.tokens_per_minute:g} tokens a minute"] if limits.tokens_per_minute else []
        self.unsupported.append(
            f"the limits of the client {name} ({', '.join(limited)}), its waits after 429,"
            " its pause when money is spent"
        )

    def _note_quota(self, name: str, token: GatewayToken) -> None:
        if (budget := token.budget) is not None:
            limits = [f"{budget.amount:g} {self._configuration.currency}"] if budget.amount is not None else []
            limits += [f"{budget.tokens} tokens"] if budget.tokens is not None else []
            self.unsupported.append(f"the budget of {name} ({' or '.join(limits)} every {budget.every})")
        if token.tokens_per_minute is not None:
            self.unsupported.append(f"the {token.tokens_per_minute} tokens a minute of {name}")
        if token.models is not None:
            self.unsupported.append(f"the models of {name} ({', '.join(token.models) or 'none'})")
        if token.metrics:
            self.unsupported.append(f"/metrics and /usage for {name}")


class _RulePatterns:
    """Translates rules to patterns, by the catalogue's paths."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def compile(self, rules: tuple[Rule, ...] | None, *, is_known: bool) -> tuple[Pattern, ...]:
        """Return the calls that rules allow for a client.

        Args:
            rules: None for every operation that does not administer.
            is_known: whether the catalogue describes the client's API.
        """
        if rules is None:
            everything = frozenset(
                name for name, each in self._operations.items() if each.key != "admin" and each.hands_out is None
            )
            return self._compile_operations(everything) if is_known else ()
        found: list[Pattern] = []
        for rule in rules:
            if isinstance(rule, PathRule):
                found.append(self._compile_path_rule(rule, is_known=is_known))
            elif is_known:
                found += self._compile_operations(rule.operations)
        return tuple(dict.fromkeys(found))

    def _compile_operations(self, names: frozenset[str]) -> tuple[Pattern, ...]:
        return tuple(self._compile_operation(each) for name, each in self._operations.items() if name in names)

    def _compile_operation(self, operation: Operation) -> Pattern:
        path = _compile_template(operation.template)
        fits = re.compile(path)
        others = (
            other.template
            for other in self._operations.values()
            if other.method == operation.method and other.template != operation.template
        )
        exclude = tuple(_compile_template(other) for other in others if fits.fullmatch(PLACEHOLDER.sub("x", other)))
        return Pattern(operation.method, path, exclude)

    def _compile_path_rule(self, rule: PathRule, *, is_known: bool) -> Pattern:
        path = rule.text.split(None, 1)[1]
        handing_out = self._credential_paths if is_known else (CREDENTIALS,)
        exclude = (*(() if rule.names_administration else (ADMIN_PATHS,)), *(() if rule.names_its_end else handing_out))
        return Pattern(rule.method, ".*".join(re.escape(part) for part in path.split("*")), exclude)

    @cached_property
    def _credential_paths(self) -> tuple[str, ...]:
        """The paths of operations that hand out credentials."""
        paths = (_compile_template(each.template) for each in self._operations.values() if each.hands_out is not None)
        return (*dict.fromkeys(paths),)

    @cached_property
    def _operations(self) -> dict[str, Operation]:
        """The operation that each method and path means; of several with one path, the one that the gateway finds."""
        found: dict[str, Operation] = {}
        for each in self._catalogue.operations():
            match = self._catalogue.match(each.method, PLACEHOLDER.sub("x", each.template))
            if match is not None and match[0].name == each.name:
                found[each.name] = each
        return found


def _compile_template(template: str) -> str:
    return SEGMENT.join(re.escape(part) for part in PLACEHOLDER.split(template))
