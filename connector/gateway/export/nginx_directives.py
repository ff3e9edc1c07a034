"""The directives of nginx's configuration: maps from a request to caller, client and permission, and proxying."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from connector.gateway.export.plan import CA_BUNDLE, CORS_HEADERS, Caller, Header, Pattern, Plan, Secret, Upstream
from connector.gateway.headers import NOT_FORWARDED, NOT_RETURNED
from connector.http.forward_request import NEVER_FORWARDED

__all__ = [
    "admin_header_maps", "hide_headers", "permission_map", "proxy_location", "quote_word", "request_maps",
    "upstream_block",
]  # fmt: skip

PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:-]+")
KEEPALIVE = 128
FRAMING = {"host", "content-length", "transfer-encoding", "connection"}
"""Headers that nginx sets itself."""
REDIRECTS = "301 302 303 307 308"
MAX_WORD = 3000
"""nginx takes no word of more than 4096 bytes."""
TARGET = r"~^(?<gateway_found>/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]{0,4096})(?:\?[!\x22\x24-~]*)?$"
REFUSED_PATHS = (
    ("~//", "an empty segment"),
    (r"~/\.{1,2}(?:/|$)", "a segment that climbs"),
    ("~%(?![0-9A-Fa-f]{2})", "an escape that is none"),
    (
        "~*%(?:2[5def]|3[0-9]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9aef]|[01][0-9a-f])",
        "one that hides something",
    ),
)
ADMINISTRATION = "~^/(?:organization|projects)(?:/|$)"
TOKEN_HEADERS = (
    ("", "$http_api_key"),
    ("~*^bearer +(?<gateway_bearer>[A-Za-z0-9_-]+)$", "$gateway_bearer"),
)


def request_maps(plan: Plan) -> Iterator[str]:
    """Yield maps from a request to its path, its client, the path below that client's address, and its token."""
    yield "    # What a request says. A path that could be read in two ways is none."
    yield from _map("$request_uri", "$gateway_path", '""', [(TARGET, "$gateway_found")])
    yield from _map(
        "$gateway_path", "$gateway_path_refused", "0", [("", "1"), *((each, "1") for each, _ in REFUSED_PATHS)]
    )
    yield from _map("$http_host", "$gateway_host_known", "0", [(name, "1") for name in plan.names])
    yield from _map("$http_authorization", "$gateway_token", '""', TOKEN_HEADERS)
    yield from _map(
        "$gateway_path", "$gateway_client", '""', [pair for u in plan.upstreams for pair in _client_patterns(u)]
    )
    below = [(path, "$gateway_rest") for upstream in plan.upstreams for path in _paths_below(upstream)]
    yield from _map("$gateway_path", "$gateway_below", '""', below)
    yield from _map("$gateway_below", "$gateway_administers", "0", [(ADMINISTRATION, "1")])


def permission_map(plan: Plan) -> Iterator[str]:
    """Yield the map from caller, client, method and path to whether a rule allows them."""
    key = '"$gateway_caller $gateway_client $request_method $gateway_below"'
    slugs = {upstream.name: upstream.slug for upstream in plan.upstreams}
    rules = [(rule, "1") for caller in plan.callers for rule in _rules(caller, slugs)]
    yield "    # What is allowed; all else is denied."
    yield from _map(key, "$gateway_allowed", "0", rules)


def _client_patterns(upstream: Upstream) -> Iterator[tuple[str, str]]:
    name = _escaped_name(upstream)
    yield f"~^/{name}/v1/.", upstream.slug
    yield f"~^/v1/apis/http/{name}/.", upstream.slug


def _paths_below(upstream: Upstream) -> Iterator[str]:
    name, rest = _escaped_name(upstream), "(?<gateway_rest>/.*)$"
    yield f"~^/{name}/v1{rest}"
    if upstream.prefix:
        yield f"~^/v1/apis/http/{name}{re.escape(upstream.prefix)}{rest}"
    yield f"~^/v1/apis/http/{name}{rest}"


def _escaped_name(upstream: Upstream) -> str:
    return re.escape(quote(upstream.name, safe="!$&'()*+,;=:@"))


def _rules(caller: Caller, slugs: dict[str, str]) -> Iterator[str]:
    """Yield a caller's rules: clients that allow the same together, and as many patterns as fit into a word."""
    together: dict[tuple[Pattern, ...], list[str]] = {}
    for client, patterns in caller.allowed.items():
        together.setdefault(patterns, []).append(slugs[client])
    for patterns, clients in together.items():
        whose = f"~^{caller.slug} (?:{'|'.join(clients)}) "
        for some in _group_by_size(patterns):
            yield f"{whose}(?:{'|'.join(some)})$"


def _group_by_size(patterns: tuple[Pattern, ...]) -> Iterator[list[str]]:
    some: list[str] = []
    size = 0
    for pattern in patterns:
        text = f"{_method(pattern.method)} {_excluded(pattern)}{pattern.path}"
        if some and size + len(text) > MAX_WORD:
            yield some
            some, size = [], 0
        some.append(text)
        size += len(text) + 1
    if some:
        yield some


def _method(method: str) -> str:
    return {"*": "[A-Z]+", "GET": "(?:GET|HEAD)"}.get(method, method)


def _excluded(pattern: Pattern) -> str:
    return f"(?!(?:{'|'.join(pattern.exclude)})$)" if pattern.exclude else ""


def _map(given: str, found: str, otherwise: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f"    map {given} {found} {{"
    yield f"        default {otherwise};"
    for text, value in pairs:
        yield f"        {quote_word(text)} {value};"
    yield "    }"


def upstream_block(upstream: Upstream) -> Iterator[str]:
    """Yield the upstream, with connections that are kept alive."""
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    yield f"    upstream gateway_{upstream.slug} {{ server {host}:{upstream.port}; keepalive {KEEPALIVE}; }}"


def hide_headers() -> Iterator[str]:
    """Yield what hides headers of answers that do not go back."""
    yield from (f"    proxy_hide_header {name};" for name in sorted((NOT_RETURNED | CORS_HEADERS) - FRAMING))


def admin_header_maps(upstream: Upstream) -> Iterator[str]:
    """Yield maps of headers that differ when an organization is administered."""
    for name, value in upstream.admin_headers.items():
        own = upstream.headers.get(name, ())
        if own != value:
            variable, texts = _variable(upstream, name), (interpolate(own), interpolate(value))
            yield f"    map $gateway_administers {variable} {{ 0 {texts[0]}; 1 {texts[1]}; }}"


def proxy_location(upstream: Upstream, rates: Iterable[str]) -> Iterator[str]:
    """Yield the location that forwards a client's calls once they are allowed."""
    yield f"\n        location = /gateway-client/{upstream.slug} {{"
    yield from (f"            {line}" for line in (*rates, *_proxy_directives(upstream)))
    yield "        }"


def _proxy_directives(upstream: Upstream) -> Iterator[str]:
    yield "internal;"
    target = f"{upstream.scheme}://gateway_{upstream.slug}{upstream.prefix}$gateway_below$is_args$args"
    yield f"proxy_pass {target};"
    yield f"proxy_set_header Host {quote_word(upstream.authority)};"
    yield 'proxy_set_header Connection "";'
    ours = {name.lower() for name in (*upstream.headers, *upstream.admin_headers)}
    for name in dict.fromkeys((*upstream.headers, *upstream.admin_headers)):
        yield f"proxy_set_header {name} {_header_value(upstream, name)};"
    for name in sorted((NOT_FORWARDED | NEVER_FORWARDED) - ours - FRAMING):
        yield f'proxy_set_header {name} "";'
    yield f"proxy_connect_timeout {_milliseconds(upstream.connect)};"
    yield f"proxy_read_timeout {_milliseconds(upstream.read)};"
    yield f"proxy_send_timeout {_milliseconds(upstream.read)};"
    if upstream.scheme == "https":
        yield from _tls(upstream)
    yield "error_page 401 = @gateway_client_refused;"
    yield f"error_page {REDIRECTS} = @gateway_redirected;"
    yield "limit_req_status 598;"
    yield "error_page 598 = @gateway_limited;"


def _tls(upstream: Upstream) -> Iterator[str]:
    yield "proxy_ssl_server_name on;"
    yield f"proxy_ssl_name {quote_word(upstream.host)};"
    yield "proxy_ssl_verify on;"
    yield "proxy_ssl_verify_depth 5;"
    yield f"proxy_ssl_trusted_certificate {quote_word(upstream.ca_bundle or CA_BUNDLE)};"


def _header_value(upstream: Upstream, name: str) -> str:
    own, admin = upstream.headers.get(name, ()), upstream.admin_headers.get(name, ())
    return interpolate(own) if own == admin else _variable(upstream, name)


def _variable(upstream: Upstream, header: str) -> str:
    return f"$gateway_{upstream.slug}_{header.lower().replace('-', '_')}"


def _milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"


def quote_word(text: str) -> str:
    """Return a text as one word of nginx's configuration."""
    if PLAIN_WORD.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def interpolate(value: Header) -> str:
    """Return a header's value as a word in which only secrets are variables."""
    return quote_word("".join(_interpolate_part(part) for part in value))


def _interpolate_part(part: str | Secret) -> str:
    if isinstance(part, Secret):
        return f"${{{part.name}}}"
    return part.replace("$", "${gateway_dollar}")
