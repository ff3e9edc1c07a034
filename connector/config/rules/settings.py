"""Settings: an unknown engine, secrets in the file, budgets without prices, an open gateway or studio."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from connector.config.configuration import check_engine_url
from connector.config.findings import Finding, Path
from connector.config.models import Component
from connector.config.models.gateway import PathRule, is_hash, parse_rule
from connector.config.models.measures import Amount, Budget
from connector.config.names import components
from connector.config.references import has_reference
from connector.config.rules import Subject
from connector.config.secrets import passwords_in, secret_places
from connector.config.tree import walk
from connector.errors import ConfigurationError
from connector.http import prototypes
from connector.request.display import SECRET_VALUE
from connector.telemetry.costs import REGISTRY_CURRENCY

__all__ = [
    "check_allow_rules",
    "check_amounts",
    "check_budgets",
    "check_engine",
    "check_host_operations",
    "check_hosts",
    "check_listener",
    "check_origins",
    "check_plain_secrets",
    "check_tokens",
]


def check_engine(subject: Subject) -> Iterator[Finding]:
    """Report an engine URL that is not supported."""
    places: list[tuple[str | None, Path]] = [
        (subject.document.raw_engine, ("engine",)),
        *((offered.raw_engine, (host, "engine")) for host, offered in subject.document.hosts().items()),
    ]
    for written, path in places:
        if written is None or "${" in written.partition("://")[0] or "@{" in written:
            continue
        fault = check_engine_url(written)
        if fault is not None:
            yield subject.finding("unknown-engine", path, *fault)


def check_hosts(subject: Subject) -> Iterator[Finding]:
    """Report connections that no host can call, since an answer comes hours later or of many documents together."""
    document = subject.document
    for host, offered in document.hosts().items():
        for index, name in enumerate(offered.outgoing or ()):
            outgoing = document.outgoing.get(name)
            if outgoing is not None and outgoing.transport == "batch":
                found = f"{name} answers within {outgoing.batch.window}, by transport: batch"
                yield subject.finding("wrong-transport", (host, "outgoing", index), found, "deliver it by a route")
    if document.mcp.read_only and document.mcp.outgoing:
        found = "outgoing connections are not offered, since read_only is true"
        yield subject.warning("unused-setting", ("mcp", "outgoing"), found, "leave one of them out")


def check_host_operations(subject: Subject) -> Iterator[Finding]:
    """Report patterns of operations for hosts that match nothing."""
    if subject.catalogue is None:
        return
    for host, offered in subject.document.hosts().items():
        for index, text in enumerate(offered.operations):
            place = (host, "operations", index)
            try:
                rule = parse_rule(text, subject.catalogue)
            except ConfigurationError as error:
                words = str(error).removeprefix(ALLOWING).split("; ", 2)
                yield subject.finding("unmatched-rule", place, *_three(words))
                continue
            if isinstance(rule, PathRule) and "*" in text:
                found, allowed = "a path with a star", "name operations, such as `chat completions *`"
                yield subject.finding("unmatched-rule", place, found, allowed)


ADVICE = "keep it out of the file: ${NAME}, ${file:PATH} or ${keyring:SERVICE/NAME}"


def check_plain_secrets(subject: Subject) -> Iterator[Finding]:
    """Report keys and tokens that are written into the file."""
    found: list[Path] = [
        (*path, "parameters", *inner)
        for part, path, model in _parts(subject)
        for inner in secret_places(model, part.raw_parameters)
    ]
    if "${" not in subject.document.raw_engine and any(passwords_in(subject.document.raw_engine)):
        found.append(("engine",))
    signing_key = subject.document.gateway.raw_signing_key
    if signing_key and not has_reference(signing_key):
        found.append(("gateway", "signing_key"))
    api_key = subject.document.temporal.raw_api_key
    if api_key and not has_reference(api_key):
        found.append(("temporal", "api_key"))
    for path, text in walk(subject.tree.value):
        if isinstance(text, str) and SECRET_VALUE.search(text) and path not in found:
            found.append(path)
    for path in found:
        yield subject.warning("plain-secret", path, "a secret stands here as it is", ADVICE)


def _parts(subject: Subject) -> Iterator[tuple[Component, Path, type[BaseModel]]]:
    """Yield every part of a known kind with its path and the model of its parameters."""
    clients = {kind.name: kind for kind in prototypes()}
    for name, client in subject.document.clients.items():
        if client.prototype in clients:
            yield client, ("clients", name), clients[client.prototype].parameters
    for part, path in components(subject.document):
        kinds = subject.kinds.incoming if path[-1] == "subscriber" else subject.kinds.outgoing
        if kinds and part.prototype in kinds:
            yield part, path, kinds[part.prototype].parameters


def check_budgets(subject: Subject) -> Iterator[Finding]:
    """Amounts without any price, in a currency that the registry has no prices in: nothing would ever be spent."""
    currency = subject.document.currency
    if subject.document.prices or currency == REGISTRY_CURRENCY:
        return
    for budget, path in _budgets(subject):
        if budget.amount is not None:
            found = f"an amount in {currency}, and no prices are given"
            allowed = "say what models cost: prices: {MODEL: {input: 1.25, output: 10}}, or give tokens"
            yield subject.finding("unpriced-budget", (*path, "amount"), found, allowed)


def check_amounts(subject: Subject) -> Iterator[Finding]:
    """Amounts in another currency than that of the prices, which nothing converts."""
    document = subject.document
    amounts: list[tuple[Amount | None, Path]] = [(document.ask_above, ("ask_above",))]
    amounts += [(route.ask_above, ("routes", name, "ask_above")) for name, route in document.routes.items()]
    for asked, path in amounts:
        if asked is not None and asked.currency not in ("", document.currency):
            allowed = f"{document.currency} is allowed, the currency of the prices"
            yield subject.finding("other-currency", path, f"an amount in {asked.currency}", allowed)


def _budgets(subject: Subject) -> Iterator[tuple[Budget, Path]]:
    for name, route in subject.document.routes.items():
        if route.budget is not None:
            yield route.budget, ("routes", name, "budget")
    for name, token in subject.document.gateway.tokens.items():
        if token.budget is not None:
            yield token.budget, ("gateway", "tokens", name, "budget")


HASHED = "sha256: and 64 hexadecimal digits are needed; `openai-connector {}-token NAME` makes a token and its hash"
ALLOWING = "allow: "


def check_tokens(subject: Subject) -> Iterator[Finding]:
    """Report tokens that are not hashed, and tokens with the same hash."""
    seen: dict[str, str] = {}
    document = subject.document
    hashes = [("gateway", name, token.raw_hash) for name, token in document.gateway.tokens.items()]
    hashes += [("studio", name, token.raw_hash) for name, token in document.studio.tokens.items()]
    for part, name, written in hashes:
        path: Path = (part, "tokens", name, "hash")
        if has_reference(written) or "@{" in written:
            continue
        if not is_hash(written):
            plain = not written.startswith("sha256:")
            found = "a text that is no hash; if it is the token itself, make another one" if plain else "not a SHA-256"
            yield subject.finding("wrong-token", path, found, HASHED.format(part))
        elif written.lower() in seen:
            allowed = "give each a token of its own"
            yield subject.finding("wrong-token", path, f"the same hash as {seen[written.lower()]}", allowed)
        seen.setdefault(written.lower(), name)


def check_listener(subject: Subject) -> Iterator[Finding]:
    """Report a gateway or a studio that other machines can reach without TLS or without tokens."""
    for part, server in (("gateway", subject.document.gateway), ("studio", subject.document.studio)):
        if server.loopback:
            continue
        path = (part, "listen")
        if server.tls is None:
            allowed = "give tls: {certificate, key}, or listen on 127.0.0.1"
            yield subject.finding("open-listener", path, f"{server.listen} can be reached from elsewhere", allowed)
        if not server.tokens:
            found = f"{server.listen} would refuse every call: there are no tokens"
            yield subject.finding("open-listener", path, found, "give tokens: {NAME: {hash: …}}")


def check_origins(subject: Subject) -> Iterator[Finding]:
    """Report pages that may call while nothing can sign tokens for them, or nobody can ask for one."""
    gateway = subject.document.gateway
    if not gateway.origins:
        return
    path = ("gateway", "origins")
    if not gateway.raw_signing_key:
        allowed = "give signing_key: ${NAME}, a random text that `openssl rand -base64 32` prints"
        yield subject.finding("unusable-origins", path, "the tokens of pages are signed, and there is no key", allowed)
    if not gateway.active_tokens:
        allowed = "give tokens: {NAME: {hash: …}} for the server of these pages"
        yield subject.finding("unusable-origins", path, "pages get their tokens from a program with a token", allowed)


def check_allow_rules(subject: Subject) -> Iterator[Finding]:
    """Report allow rules that match nothing."""
    if subject.catalogue is None:
        return
    for name, token in subject.document.gateway.tokens.items():
        for index, text in enumerate(token.allow or ()):
            try:
                parse_rule(text, subject.catalogue)
            except ConfigurationError as error:
                words = str(error).removeprefix(ALLOWING).split("; ", 2)
                yield subject.finding("unmatched-rule", ("gateway", "tokens", name, "allow", index), *_three(words))


def _three(words: list[str]) -> tuple[str, str, str]:
    """Split words into what was found, what is allowed, what may have been meant."""
    meant = next((part for part in words[1:] if part.startswith("did you mean")), "")
    rest = [part for part in words[1:] if part != meant]
    return words[0], "; ".join(rest), meant
