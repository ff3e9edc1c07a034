"""Envoy's routes: hosts that are served, paths of clients, pages for load balancers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from connector.gateway.export.envoy_access import KEYS, RBAC
from connector.gateway.export.envoy_clusters import FRAMING, plain_headers
from connector.gateway.export.envoy_text import any_of, seconds
from connector.gateway.export.nginx_calls import CORS
from connector.gateway.export.plan import Header, Plan, Upstream
from connector.gateway.headers import NOT_FORWARDED, NOT_RETURNED
from connector.gateway.refusals import Refusal
from connector.http.forward_request import NEVER_FORWARDED
from connector.model import JSON

__all__ = ["CALLER", "leads", "virtual_hosts"]

CALLER = "x-gateway-caller"
"""Set by the look at the token, and taken away before a call goes on."""
ADMINISTRATION = ("/organization", "/projects")
OK = {"status": 200, "body": {"inline_string": '{"status":"ok"}'}}
ORIGIN = Refusal(403, "origin", "pages in browsers may not call")
UNKNOWN_HOST = Refusal(421, "unknown_host", "this host is not served here; gateway.hosts names those that are")
UNKNOWN_PATH = Refusal(404, "unknown_path", "calls go to /CLIENT/v1/PATH or /v1/apis/http/CLIENT/PATH")


def virtual_hosts(plan: Plan) -> Iterator[JSON]:
    """The gateway under its names, and for every other name nothing but its health."""
    calls = [route for upstream in plan.upstreams for route in _routes(upstream)]
    web = {"prefix": "/", "headers": [{"name": "origin", "present_match": True}]}
    yield {
        "name": "gateway",
        "domains": list(plan.names),
        "request_headers_to_remove": sorted((NOT_FORWARDED | NEVER_FORWARDED | {CALLER}) - FRAMING),
        "response_headers_to_remove": sorted((NOT_RETURNED | CORS) - FRAMING),
        "routes": [*_health(), _refusing(ORIGIN, web), *calls, _refusing(UNKNOWN_PATH, {"prefix": "/"})],
    }
    yield {"name": "others", "domains": ["*"], "routes": [*_health(), _refusing(UNKNOWN_HOST, {"prefix": "/"})]}


def leads(upstream: Upstream) -> list[str]:
    """What a path may begin with, before the part that goes on; longer ones first."""
    name = quote(upstream.name, safe="!$&'()*+,;=:@")
    atlas = f"/v1/apis/http/{name}"
    found = [f"/{name}/v1", f"{atlas}{upstream.prefix}", atlas]
    return list(dict.fromkeys(found))


def _routes(upstream: Upstream) -> Iterator[JSON]:
    admin = upstream.admin_headers != upstream.headers
    for lead in leads(upstream):
        for path in ADMINISTRATION if admin else ():
            match = {"path_separated_prefix": f"{lead}{path}"}
            yield _route(upstream, match, f"{upstream.prefix}{path}", f"{upstream.slug}_admin", upstream.admin_headers)
        match = {"prefix": f"{lead}/"}
        yield _route(upstream, match, f"{upstream.prefix}/", upstream.slug, upstream.headers)


def _route(upstream: Upstream, match: JSON, rewrite: str, cluster: str, headers: Mapping[str, Header]) -> JSON:
    return {
        "match": match,
        "route": {
            "cluster": cluster,
            "prefix_rewrite": rewrite,
            "host_rewrite_literal": upstream.authority,
            "timeout": seconds(upstream.total),
            "idle_timeout": seconds(upstream.read),
        },
        "request_headers_to_add": plain_headers(headers),
    }


def _health() -> Iterator[JSON]:
    for path in ("/healthz", "/readyz"):
        yield {"match": {"path": path}, "direct_response": OK, "typed_per_filter_config": _for_everybody()}


def _refusing(refused: Refusal, match: JSON) -> JSON:
    answer = {"status": refused.status, "body": {"inline_string": refused.body().decode()}}
    return {"match": match, "direct_response": answer, "typed_per_filter_config": _for_everybody()}


def _for_everybody() -> JSON:
    """No token is looked at."""
    off = {"@type": any_of("config.route.v3.FilterConfig"), "disabled": True}
    return {KEYS: dict(off), RBAC: dict(off)}
