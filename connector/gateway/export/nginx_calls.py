"""nginx's part that calls: a client's address, its headers, its time-outs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connector.gateway.export.nginx_text import interpolated, quoted
from connector.gateway.export.plan import Upstream
from connector.gateway.headers import NOT_FORWARDED, NOT_RETURNED
from connector.http.forward_request import NEVER_FORWARDED

__all__ = ["CORS", "header_maps", "hidden", "proxied", "upstream_block"]

KEPT = 128
FRAMING = {"host", "content-length", "transfer-encoding", "connection"}
"""Headers that nginx sets itself."""
CORS = frozenset({
    "access-control-allow-origin", "access-control-allow-credentials", "access-control-allow-methods",
    "access-control-allow-headers", "access-control-allow-private-network", "access-control-max-age",
    "access-control-expose-headers",
})  # fmt: skip
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
REDIRECTS = "301 302 303 307 308"


def upstream_block(upstream: Upstream) -> Iterator[str]:
    """Connections that are kept."""
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    yield f"    upstream gateway_{upstream.slug} {{ server {host}:{upstream.port}; keepalive {KEPT}; }}"


def hidden() -> Iterator[str]:
    """The headers of answers that do not go back."""
    yield from (f"    proxy_hide_header {name};" for name in sorted((NOT_RETURNED | CORS) - FRAMING))


def header_maps(upstream: Upstream) -> Iterator[str]:
    """Headers that are others when an organization is administered."""
    for name, value in upstream.admin_headers.items():
        own = upstream.headers.get(name, ())
        if own != value:
            variable, texts = _variable(upstream, name), (interpolated(own), interpolated(value))
            yield f"    map $gateway_administers {variable} {{ 0 {texts[0]}; 1 {texts[1]}; }}"


def proxied(upstream: Upstream, rates: Iterable[str]) -> Iterator[str]:
    """The place that a client's calls are sent to once they are allowed."""
    yield f"\n        location = /gateway-client/{upstream.slug} {{"
    yield from (f"            {line}" for line in (*rates, *_call(upstream)))
    yield "        }"


def _call(upstream: Upstream) -> Iterator[str]:
    yield "internal;"
    target = f"{upstream.scheme}://gateway_{upstream.slug}{upstream.prefix}$gateway_below$is_args$args"
    yield f"proxy_pass {target};"
    yield f"proxy_set_header Host {quoted(upstream.authority)};"
    yield 'proxy_set_header Connection "";'
    ours = {name.lower() for name in (*upstream.headers, *upstream.admin_headers)}
    for name in dict.fromkeys((*upstream.headers, *upstream.admin_headers)):
        yield f"proxy_set_header {name} {_value(upstream, name)};"
    for name in sorted((NOT_FORWARDED | NEVER_FORWARDED) - ours - FRAMING):
        yield f'proxy_set_header {name} "";'
    yield f"proxy_connect_timeout {_time(upstream.connect)};"
    yield f"proxy_read_timeout {_time(upstream.read)};"
    yield f"proxy_send_timeout {_time(upstream.read)};"
    if upstream.scheme == "https":
        yield from _tls(upstream)
    yield "error_page 401 = @gateway_client_refused;"
    yield f"error_page {REDIRECTS} = @gateway_redirected;"
    yield "limit_req_status 598;"
    yield "error_page 598 = @gateway_limited;"


def _tls(upstream: Upstream) -> Iterator[str]:
    yield "proxy_ssl_server_name on;"
    yield f"proxy_ssl_name {quoted(upstream.host)};"
    yield "proxy_ssl_verify on;"
    yield "proxy_ssl_verify_depth 5;"
    yield f"proxy_ssl_trusted_certificate {quoted(upstream.ca_bundle or BUNDLE)};"


def _value(upstream: Upstream, name: str) -> str:
    own, admin = upstream.headers.get(name, ()), upstream.admin_headers.get(name, ())
    return interpolated(own) if own == admin else _variable(upstream, name)


def _variable(upstream: Upstream, header: str) -> str:
    return f"$gateway_{upstream.slug}_{header.lower().replace('-', '_')}"


def _time(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"
