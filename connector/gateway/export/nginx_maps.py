"""nginx's maps: from a request to its path, client and caller, and whether a rule allows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from connector.gateway.export.nginx_text import quoted
from connector.gateway.export.plan import Caller, Pattern, Plan, Upstream

__all__ = ["allowing", "paths"]

LONGEST = 3000
"""nginx takes no word that is longer than 4096 bytes."""
TARGET = r"~^(?<gateway_found>/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]{0,4096})(?:\?[!\x22\x24-~]*)?$"
REFUSED = (
    ("~//", "an empty segment"),
    (r"~/\.{1,2}(?:/|$)", "a segment that climbs"),
    ("~%(?![0-9A-Fa-f]{2})", "an escape that is none"),
    (
        "~*%(?:2[5def]|3[0-9]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9aef]|[01][0-9a-f])",
        "one that hides something",
    ),
)
ADMINISTRATION = "~^/(?:organization|projects)(?:/|$)"
PRESENTED = (
    ("", "$http_api_key"),
    ("~*^bearer +(?<gateway_bearer>[A-Za-z0-9_-]+)$", "$gateway_bearer"),
)


def paths(plan: Plan) -> Iterator[str]:
    """What a request says: its path as it came, its client, the path below that client's address, its token."""
    yield "    # What a request says. A path that could be read in two ways is none."
    yield from _map("$request_uri", "$gateway_path", '""', [(TARGET, "$gateway_found")])
    yield from _map("$gateway_path", "$gateway_path_refused", "0", [("", "1"), *((each, "1") for each, _ in REFUSED)])
    yield from _map("$http_host", "$gateway_host_known", "0", [(name, "1") for name in plan.names])
    yield from _map("$http_authorization", "$gateway_token", '""', PRESENTED)
    yield from _map("$gateway_path", "$gateway_client", '""', [pair for u in plan.upstreams for pair in _client(u)])
    below = [(path, "$gateway_rest") for upstream in plan.upstreams for path in _below(upstream)]
    yield from _map("$gateway_path", "$gateway_below", '""', below)
    yield from _map("$gateway_below", "$gateway_administers", "0", [(ADMINISTRATION, "1")])


def allowing(plan: Plan) -> Iterator[str]:
    """Which calls a rule allows: caller, client, method and path are looked at together."""
    key = '"$gateway_caller $gateway_client $request_method $gateway_below"'
    slugs = {upstream.name: upstream.slug for upstream in plan.upstreams}
    rules = [(rule, "1") for caller in plan.callers for rule in _rules(caller, slugs)]
    yield "    # What is allowed; all else is denied."
    yield from _map(key, "$gateway_allowed", "0", rules)


def _client(upstream: Upstream) -> Iterator[tuple[str, str]]:
    name = _name(upstream)
    yield f"~^/{name}/v1/.", upstream.slug
    yield f"~^/v1/apis/http/{name}/.", upstream.slug


def _below(upstream: Upstream) -> Iterator[str]:
    name, rest = _name(upstream), "(?<gateway_rest>/.*)$"
    yield f"~^/{name}/v1{rest}"
    if upstream.prefix:
        yield f"~^/v1/apis/http/{name}{re.escape(upstream.prefix)}{rest}"
    yield f"~^/v1/apis/http/{name}{rest}"


def _name(upstream: Upstream) -> str:
    return re.escape(quote(upstream.name, safe="!$&'()*+,;=:@"))


def _rules(caller: Caller, slugs: dict[str, str]) -> Iterator[str]:
    """The calls of a caller: clients that allow the same together, and as many patterns as fit into a word."""
    together: dict[tuple[Pattern, ...], list[str]] = {}
    for client, patterns in caller.allowed.items():
        together.setdefault(patterns, []).append(slugs[client])
    for patterns, clients in together.items():
        whose = f"~^{caller.slug} (?:{'|'.join(clients)}) "
        for some in _words(patterns):
            yield f"{whose}(?:{'|'.join(some)})$"


def _words(patterns: tuple[Pattern, ...]) -> Iterator[list[str]]:
    some: list[str] = []
    size = 0
    for pattern in patterns:
        text = f"{_method(pattern.method)} {_but(pattern)}{pattern.path}"
        if some and size + len(text) > LONGEST:
            yield some
            some, size = [], 0
        some.append(text)
        size += len(text) + 1
    if some:
        yield some


def _method(method: str) -> str:
    return {"*": "[A-Z]+", "GET": "(?:GET|HEAD)"}.get(method, method)


def _but(pattern: Pattern) -> str:
    return f"(?!(?:{'|'.join(pattern.but)})$)" if pattern.but else ""


def _map(given: str, found: str, otherwise: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f"    map {given} {found} {{"
    yield f"        default {otherwise};"
    for text, value in pairs:
        yield f"        {quoted(text)} {value};"
    yield "    }"
