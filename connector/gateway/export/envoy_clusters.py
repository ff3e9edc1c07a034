"""Envoy's clusters: a client's address, its time-out to connect, and the credentials that go with each call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.gateway.export.envoy_text import any_of, seconds
from connector.gateway.export.plan import Header, Plan, Source, Upstream
from connector.model import JSON

__all__ = ["FRAMING", "clusters", "plain_headers", "secrets"]

FRAMING = {"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect"}
"""Headers that Envoy sees to itself."""
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
PROTOCOL = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def clusters(plan: Plan, file: str) -> Iterator[JSON]:
    """One for each client, and another one where an organization is administered with other credentials."""
    for upstream, name, headers in _kinds(plan):
        yield _cluster(upstream, name, headers, file)


def secrets(plan: Plan) -> Iterator[tuple[str, Header]]:
    """The values of headers that hold secrets, by the names under which they are found."""
    for _, name, headers in _kinds(plan):
        yield from ((_called(name, header), value) for header, value in headers.items() if _is_secret(value))


def plain_headers(headers: Mapping[str, Header]) -> list[JSON]:
    """The headers that hold no secret."""
    return [
        {
            "header": {"key": name, "value": "".join(map(str, value)).replace("%", "%%")},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
        for name, value in headers.items()
        if not _is_secret(value)
    ]


def _kinds(plan: Plan) -> Iterator[tuple[Upstream, str, Mapping[str, Header]]]:
    for upstream in plan.upstreams:
        yield upstream, upstream.slug, upstream.headers
        if upstream.admin_headers != upstream.headers:
            yield upstream, f"{upstream.slug}_admin", upstream.admin_headers


def _cluster(upstream: Upstream, name: str, headers: Mapping[str, Header], file: str) -> JSON:
    address = {"socket_address": {"address": upstream.host, "port_value": upstream.port}}
    injected = [_injected(_called(name, key), key, file) for key, value in headers.items() if _is_secret(value)]
    codec = {"@type": any_of("extensions.filters.http.upstream_codec.v3.UpstreamCodec")}
    options: JSON = {
        "@type": f"type.googleapis.com/{PROTOCOL}",
        "explicit_http_config": {"http_protocol_options": {}},
        "http_filters": [*injected, {"name": "envoy.filters.http.upstream_codec", "typed_config": codec}],
    }
    cluster: dict[str, JSON] = {
        "name": name,
        "type": "LOGICAL_DNS",
        "connect_timeout": seconds(upstream.connect),
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        "typed_extension_protocol_options": {PROTOCOL: options},
    }
    return {**cluster, "transport_socket": _tls(upstream)} if upstream.scheme == "https" else cluster


def _injected(secret: str, header: str, file: str) -> JSON:
    """A filter that puts a secret, looked up in a watched file, into a header."""
    generic = {
        "@type": any_of("extensions.http.injected_credentials.generic.v3.Generic"),
        "credential": {"name": secret, "sds_config": {"path_config_source": {"path": file}}},
        "header": header,
    }
    return {
        "name": "envoy.filters.http.credential_injector",
        "typed_config": {
            "@type": any_of("extensions.filters.http.credential_injector.v3.CredentialInjector"),
            "overwrite": True,
            "credential": {"name": "envoy.http.injected_credentials.generic", "typed_config": generic},
        },
    }


def _tls(upstream: Upstream) -> JSON:
    trusted = {"filename": upstream.ca_bundle or BUNDLE}
    names = [{"san_type": "DNS", "matcher": {"exact": upstream.host}}]
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": any_of("extensions.transport_sockets.tls.v3.UpstreamTlsContext"),
            "sni": upstream.host,
            "common_tls_context": {
                "validation_context": {"trusted_ca": trusted, "match_typed_subject_alt_names": names}
            },
        },
    }


def _called(cluster: str, header: str) -> str:
    return f"{cluster}_{header.lower().replace('-', '_')}"


def _is_secret(value: Header) -> bool:
    return any(isinstance(part, Source) for part in value)
