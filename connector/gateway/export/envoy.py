"""Envoy: one file, and two that it watches: secrets, and the tokens of callers."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from connector.gateway.export.envoy_resources import (
    API_KEY_FILTER,
    CALLER_HEADER,
    RBAC_FILTER,
    api_key_filter,
    clusters,
    duration,
    path_prefixes,
    rbac_filter,
    secret_headers,
    type_url,
    virtual_hosts,
)
from connector.gateway.export.plan import Plan
from connector.gateway.export.script import MARK, check_caller, check_secret, comment_out, shell_value, token_variable
from connector.model import JSON

__all__ = ["write_envoy"]

MAX_REGEX = 1_000_000
"""The bound of a regular expression; Envoy's own is smaller than an allow list."""
EXTENSION = "config.core.v3.TypedExtensionConfig"
SECRETS, TOKENS = "gateway-secrets.yaml", "gateway-tokens.yaml"
UNSUPPORTED = (
    "usage and cost by token, client and model; budgets and tokens a minute need to read answers",
    "requests a minute of a token",
    "an unknown outcome told as such: a 503 or 504 of Envoy's own does not say whether the call took effect",
    "the hashes of gateway tokens: the tokens themselves stand in " + TOKENS,
    "the bound on a request's body, which Envoy keeps only where it holds the body back",
    "the administrator's token of this machine, /metrics, /usage, and a drain that turns /readyz to 503",
)
HEAD = """\
# Envoy 1.35 or newer, made by `openai-connector serve --export envoy`: the same routes, credentials, allow lists and
# time-outs. Say it again after each change of the configuration; nothing here is secret.
# Only the form of this file was checked when it was made: try it with `envoy --mode validate -c gateway.yaml`.
#
# 1. Give it a folder of its own, and call it gateway.yaml there.
# 2. Write the two files that it watches, from the environment ({variables}):
#
#        sed -n 's/^{mark}//p' gateway.yaml | sh
#
# 3. Start it there:  envoy -c gateway.yaml
#
# What Envoy does not carry:"""
SECRET = f"""  - {{ "@type": {type_url("extensions.transport_sockets.tls.v3.Secret")}, name: %s,"""
FUNCTION = f"""\
umask 077
secret() {{  # NAME VALUE
    printf '{SECRET} generic_secret: {{ secret: {{ inline_string: "%s" }} }} }}\\n' "$1" "$2"
}}"""


def write_envoy(plan: Plan) -> str:
    """Return a complete configuration of Envoy."""
    from ruamel.yaml import YAML

    yaml: Any = YAML()
    yaml.width = 120
    out = io.StringIO()
    yaml.dump(_bootstrap(plan), out)
    return "\n".join((*_head(plan), out.getvalue()))


def _head(plan: Plan) -> Iterator[str]:
    variables = [name for source in plan.secrets for name in re.findall(r"\$\{(\w+)", source.shell)]
    needed = ", ".join((*dict.fromkeys(variables), *(token_variable(each) for each in plan.callers)))
    yield HEAD.format(variables=needed, mark=MARK)
    yield from (f"# - {each}" for each in (*UNSUPPORTED, *plan.unsupported))
    yield "#"
    yield from comment_out(_script(plan))


def _script(plan: Plan) -> list[str]:
    """Return the script that writes both files, each atomically."""
    return [
        *FUNCTION.splitlines(),
        *(check_secret(each) for each in plan.secrets),
        *(check_caller(each) for each in plan.callers),
        "{",
        "    echo 'resources:'",
        *(f"    secret {name} {shell_value(header)}" for name, header in secret_headers(plan)),
        f"}} > {SECRETS}.new",
        "{",
        f"    echo 'resources: [{{ \"@type\": {type_url(EXTENSION)}, name: {API_KEY_FILTER},'",
        f"    echo '  typed_config: {{ \"@type\": {type_url('extensions.filters.http.api_key_auth.v3.ApiKeyAuth')},'",
        f"    echo '    forwarding: {{ header: {CALLER_HEADER}, hide_credentials: true }},'",
        "    echo '    key_sources: [{ header: authorization }, { header: api-key }],'",
        "    echo '    credentials: ['",
        *(f'    echo "      {{ key: \\"${token_variable(each)}\\", client: {each.slug} }},"' for each in plan.callers),
        "    echo '    ] } }]'",
        f"}} > {TOKENS}.new",
        f"mv {SECRETS}.new {SECRETS}; mv {TOKENS}.new {TOKENS}",
    ]


def _bootstrap(plan: Plan) -> JSON:
    large = {"max_program_size": {"error_level": MAX_REGEX, "warn_level": MAX_REGEX}}
    return {
        "layered_runtime": {"layers": [{"name": "gateway", "static_layer": {"re2": large}}]},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": type_url(
                            "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
                        ),
                        "max_active_downstream_connections": plan.connections,
                    },
                }
            ]
        },
        "static_resources": {
            "listeners": [_listener(plan)],
            "clusters": list(clusters(plan, SECRETS)),
        },
    }


def _listener(plan: Plan) -> JSON:
    chain: dict[str, JSON] = {
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": _manager(plan)}]
    }
    if plan.certificate is not None:
        chain["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": type_url("extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
                "common_tls_context": {
                    "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                    "tls_certificates": [
                        {"certificate_chain": {"filename": plan.certificate}, "private_key": {"filename": plan.key}}
                    ],
                },
            },
        }
    address = {"socket_address": {"address": plan.host, "port_value": plan.port}}
    return {"name": "gateway", "address": address, "filter_chains": [chain]}


def _manager(plan: Plan) -> JSON:
    """Return the connection manager: how requests are read, and the filters that they go through."""
    longest = max((each.read for each in plan.upstreams), default=60.0)
    by_client = {each.name: path_prefixes(each) for each in plan.upstreams}
    router = {"@type": type_url("extensions.filters.http.router.v3.Router")}
    return {
        "@type": type_url("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "gateway",
        "use_remote_address": True,
        "skip_xff_append": True,
        "normalize_path": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "request_headers_timeout": "10s",
        "stream_idle_timeout": duration(longest),
        "max_request_headers_kb": 64,
        "common_http_protocol_options": {
            "idle_timeout": "75s",
            "max_headers_count": 100,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "early_header_mutation_extensions": [_remove_caller_header()],
        "route_config": {"name": "gateway", "virtual_hosts": list(virtual_hosts(plan))},
        "http_filters": [
            {"name": API_KEY_FILTER, **api_key_filter(TOKENS)},
            {"name": RBAC_FILTER, "typed_config": rbac_filter(plan, by_client, CALLER_HEADER)},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
    }


def _remove_caller_header() -> JSON:
    """Remove the header that only the check of the token may set."""
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {
            "@type": type_url("extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"),
            "mutations": [{"remove": CALLER_HEADER}],
        },
    }
