"""The resources of Envoy's configuration: routes, the filters that check tokens and rules, and clusters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from connector.gateway.export.plan import CA_BUNDLE, CORS_HEADERS, Caller, Header, Plan, Secret, Upstream
from connector.gateway.headers import NOT_FORWARDED, NOT_RETURNED
from connector.gateway.refusals import Refusal
from connector.http.forward_request import NEVER_FORWARDED
from connector.model import JSON

__all__ = [
    "API_KEY_FILTER", "CALLER_HEADER", "RBAC_FILTER", "api_key_filter", "clusters", "duration", "path_prefixes",
    "rbac_filter", "secret_headers", "type_url", "virtual_hosts",
]  # fmt: skip

API_KEY_FILTER = "envoy.filters.http.api_key_auth"
RBAC_FILTER = "envoy.filters.http.rbac"
FRAMING = {"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect"}
"""Headers that Envoy sets itself."""
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
CALLER_HEADER = "x-gateway-caller"
"""Set by the check of the token, and removed before a call is forwarded."""
ADMINISTRATION = ("/organization", "/projects")
HEALTHY = {"status": 200, "body": {"inline_string": '{"status":"ok"}'}}
ORIGIN = Refusal(403, "origin", "pages in browsers may not call")
UNKNOWN_HOST = Refusal(421, "unknown_host", "this host is not served here; gateway.hosts names those that are")
UNKNOWN_PATH = Refusal(404, "unknown_path", "calls go to /CLIENT/v1/PATH or /v1/apis/http/CLIENT/PATH")


def virtual_hosts(plan: Plan) -> Iterator[JSON]:
    """Yield the gateway's host, and one for every other name with nothing but its health."""
    calls = [route for upstream in plan.upstreams for route in _call_routes(upstream)]
    web = {"prefix": "/", "headers": [{"name": "origin", "present_match": True}]}
    yield {
        "name": "gateway",
        "domains": list(plan.names),
        "request_headers_to_remove": sorted((NOT_FORWARDED | NEVER_FORWARDED | {CALLER_HEADER}) - FRAMING),
        "response_headers_to_remove": sorted((NOT_RETURNED | CORS_HEADERS) - FRAMING),
        "routes": [*_health(), _refuse(ORIGIN, web), *calls, _refuse(UNKNOWN_PATH, {"prefix": "/"})],
    }
    yield {"name": "others", "domains": ["*"], "routes": [*_health(), _refuse(UNKNOWN_HOST, {"prefix": "/"})]}


def path_prefixes(upstream: Upstream) -> list[str]:
    """Return the prefixes of an upstream's paths, longer ones first."""
    name = quote(upstream.name, safe="!$&'()*+,;=:@")
    atlas = f"/v1/apis/http/{name}"
    found = [f"/{name}/v1", f"{atlas}{upstream.prefix}", atlas]
    return list(dict.fromkeys(found))


def _call_routes(upstream: Upstream) -> Iterator[JSON]:
    admin = upstream.admin_headers != upstream.headers
    for prefix in path_prefixes(upstream):
        for path in ADMINISTRATION if admin else ():
            match = {"path_separated_prefix": f"{prefix}{path}"}
            rewrite, cluster = f"{upstream.prefix}{path}", f"{upstream.slug}_admin"
            yield _call_route(upstream, match, rewrite, cluster, upstream.admin_headers)
        match = {"prefix": f"{prefix}/"}
        yield _call_route(upstream, match, f"{upstream.prefix}/", upstream.slug, upstream.headers)


def _call_route(upstream: Upstream, match: JSON, rewrite: str, cluster: str, headers: Mapping[str, Header]) -> JSON:
    return {
        "match": match,
        "route": {
            "cluster": cluster,
            "prefix_rewrite": rewrite,
            "host_rewrite_literal": upstream.authority,
            "timeout": duration(upstream.total),
            "idle_timeout": duration(upstream.read),
        },
        "request_headers_to_add": _plain_headers(headers),
    }


def _health() -> Iterator[JSON]:
    for path in ("/healthz", "/readyz"):
        yield {"match": {"path": path}, "direct_response": HEALTHY, "typed_per_filter_config": _without_filters()}


def _refuse(refused: Refusal, match: JSON) -> JSON:
    answer = {"status": refused.status, "body": {"inline_string": refused.body().decode()}}
    return {"match": match, "direct_response": answer, "typed_per_filter_config": _without_filters()}


def _without_filters() -> JSON:
    """Disable the checks of token and rules."""
    off = {"@type": type_url("config.route.v3.FilterConfig"), "disabled": True}
    return {API_KEY_FILTER: dict(off), RBAC_FILTER: dict(off)}


def api_key_filter(tokens: str) -> dict[str, JSON]:
    """Return the filter that checks tokens; its settings, with the tokens, are in a file of their own."""
    return {
        "config_discovery": {
            "config_source": {"path_config_source": {"path": tokens}, "resource_api_version": "V3"},
            "type_urls": [type_url("extensions.filters.http.api_key_auth.v3.ApiKeyAuth")],
        }
    }


def rbac_filter(plan: Plan, prefixes: Mapping[str, list[str]], caller_header: str) -> JSON:
    """Return the filter of who may call what; all else is denied."""
    policies = {
        caller.slug: {
            "principals": [{"header": {"name": caller_header, "string_match": {"exact": caller.slug}}}],
            "permissions": permissions,
        }
        for caller in plan.callers
        if (permissions := list(_permissions(caller, prefixes)))
    }
    rules = {"action": "ALLOW", "policies": policies}
    return {"@type": type_url("extensions.filters.http.rbac.v3.RBAC"), "rules": rules}


def _permissions(caller: Caller, prefixes: Mapping[str, list[str]]) -> Iterator[JSON]:
    """Yield one permission for the paths of each method, and one for each path with exclusions."""
    for client, patterns in caller.allowed.items():
        prefix = f"(?:{'|'.join(re.escape(each) for each in prefixes[client])})"
        plain: dict[str, list[str]] = {}
        for pattern in patterns:
            if pattern.exclude:
                exclude = [f"{prefix}{each}" for each in pattern.exclude]
                yield _permission(pattern.method, f"{prefix}{pattern.path}", exclude)
            else:
                plain.setdefault(pattern.method, []).append(pattern.path)
        for method, paths in plain.items():
            yield _permission(method, f"{prefix}(?:{'|'.join(paths)})", [])


def _permission(method: str, path: str, exclude: list[str]) -> JSON:
    rules = [*_match_method(method), _match_path(path), *({"not_rule": _match_path(each)} for each in exclude)]
    return {"and_rules": {"rules": rules}}


def _match_method(method: str) -> Iterator[JSON]:
    if method == "*":
        return
    expression = "GET|HEAD" if method == "GET" else method
    yield {"header": {"name": ":method", "string_match": {"safe_regex": {"regex": expression}}}}


def _match_path(expression: str) -> JSON:
    return {"url_path": {"path": {"safe_regex": {"regex": expression}}}}


def clusters(plan: Plan, file: str) -> Iterator[JSON]:
    """Yield one cluster for each client, and one for its administration where that has other credentials."""
    for upstream, name, headers in _credential_sets(plan):
        yield _cluster(upstream, name, headers, file)


def secret_headers(plan: Plan) -> Iterator[tuple[str, Header]]:
    """Yield the names and values of secret headers."""
    for _, name, headers in _credential_sets(plan):
        yield from ((_secret_name(name, header), value) for header, value in headers.items() if _is_secret(value))


def _plain_headers(headers: Mapping[str, Header]) -> list[JSON]:
    """Return the headers without secrets."""
    return [
        {
            "header": {"key": name, "value": "".join(map(str, value)).replace("%", "%%")},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
        for name, value in headers.items()
        if not _is_secret(value)
    ]


def _credential_sets(plan: Plan) -> Iterator[tuple[Upstream, str, Mapping[str, Header]]]:
    for upstream in plan.upstreams:
        yield upstream, upstream.slug, upstream.headers
        if upstream.admin_headers != upstream.headers:
            yield upstream, f"{upstream.slug}_admin", upstream.admin_headers


def _cluster(upstream: Upstream, name: str, headers: Mapping[str, Header], file: str) -> JSON:
    address = {"socket_address": {"address": upstream.host, "port_value": upstream.port}}
    injected = [
        _inject_secret(_secret_name(name, key), key, file) for key, value in headers.items() if _is_secret(value)
    ]
    codec = {"@type": type_url("extensions.filters.http.upstream_codec.v3.UpstreamCodec")}
    options: JSON = {
        "@type": f"type.googleapis.com/{HTTP_OPTIONS}",
        "explicit_http_config": {"http_protocol_options": {}},
        "http_filters": [*injected, {"name": "envoy.filters.http.upstream_codec", "typed_config": codec}],
    }
    cluster: dict[str, JSON] = {
        "name": name,
        "type": "LOGICAL_DNS",
        "connect_timeout": duration(upstream.connect),
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        "typed_extension_protocol_options": {HTTP_OPTIONS: options},
    }
    return {**cluster, "transport_socket": _tls(upstream)} if upstream.scheme == "https" else cluster


def _inject_secret(secret: str, header: str, file: str) -> JSON:
    """Return a filter that puts a secret from a watched file into a header."""
    generic = {
        "@type": type_url("extensions.http.injected_credentials.generic.v3.Generic"),
        "credential": {"name": secret, "sds_config": {"path_config_source": {"path": file}}},
        "header": header,
    }
    return {
        "name": "envoy.filters.http.credential_injector",
        "typed_config": {
            "@type": type_url("extensions.filters.http.credential_injector.v3.CredentialInjector"),
            "overwrite": True,
            "credential": {"name": "envoy.http.injected_credentials.generic", "typed_config": generic},
        },
    }


def _tls(upstream: Upstream) -> JSON:
    trusted = {"filename": upstream.ca_bundle or CA_BUNDLE}
    names = [{"san_type": "DNS", "matcher": {"exact": upstream.host}}]
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": type_url("extensions.transport_sockets.tls.v3.UpstreamTlsContext"),
            "sni": upstream.host,
            "common_tls_context": {
                "validation_context": {"trusted_ca": trusted, "match_typed_subject_alt_names": names}
            },
        },
    }


def _secret_name(cluster: str, header: str) -> str:
    return f"{cluster}_{header.lower().replace('-', '_')}"


def _is_secret(value: Header) -> bool:
    return any(isinstance(part, Secret) for part in value)


def type_url(message: str) -> str:
    """Return the type URL of an extension's settings."""
    return f"type.googleapis.com/envoy.{message}"


def duration(number: float) -> str:
    """Return a duration in Envoy's notation."""
    return f"{number:.3f}".rstrip("0").rstrip(".") + "s"
