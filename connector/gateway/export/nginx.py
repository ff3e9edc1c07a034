"""nginx: one file, and the secrets that it includes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connector.gateway.export.nginx_directives import (
    admin_header_maps,
    hide_headers,
    permission_map,
    proxy_location,
    quote_word,
    request_maps,
    upstream_block,
)
from connector.gateway.export.plan import Caller, Plan
from connector.gateway.export.script import MARK, check_caller, check_secret, comment_out, token_variable
from connector.gateway.refusals import Refusal
from connector.gateway.routing import METHODS

__all__ = ["write_nginx"]

SECRETS = "gateway-secrets.conf"
UNSUPPORTED = (
    "usage and cost by token, client and model; budgets and tokens a minute need to read answers",
    "an unknown outcome told as such: a 502 or 504 of nginx's own does not say whether the call took effect",
    "the hashes of gateway tokens: nginx cannot hash, so the tokens themselves stand in " + SECRETS,
    "a comparison of tokens that takes the same time always",
    "the time-out of a whole call: only connecting and silence are timed",
    "headers that the caller's Connection names are dropped only when they are hop-by-hop by themselves",
    "the administrator's token of this machine, /metrics, /usage, and a drain that turns /readyz to 503",
    "addresses that change: an upstream's name is looked up when nginx starts or reloads",
)
HEAD = """\
# nginx, made by `openai-connector serve --export nginx`: the same routes, credentials, allow lists and time-outs.
# Say it again after each change of the configuration; nothing here is secret.
#
# 1. Give it a folder of its own, and call it gateway.conf there.
# 2. Write the secrets, which stand nowhere else, from the environment ({variables}):
#
#        (umask 077; sed -n 's/^{mark}//p' gateway.conf | sh > secrets.new && mv secrets.new {secrets})
#
# 3. Start it there:  nginx -p "$PWD/" -c gateway.conf -g 'daemon off;'
#
# What nginx does not carry:"""
MAIN = """
worker_processes auto;
worker_rlimit_nofile {files};
pid nginx.pid;
error_log error.log;

events {{
    worker_connections {files};
}}

http {{
    map_hash_bucket_size 512;
    variables_hash_max_size 4096;
    include {secrets};
    geo $gateway_dollar {{ default "$"; }}
    client_body_temp_path temp-body;
    proxy_temp_path temp-proxy;
    log_format gateway '$time_iso8601 "$gateway_caller" "$gateway_client" $request_method "$gateway_path" '
        '$status $request_time';
    access_log access.log gateway;
    server_tokens off;
    reset_timedout_connection on;

    # Callers who are slow, large or many.
    client_header_timeout 10s;
    client_body_timeout 60s;
    send_timeout 60s;
    keepalive_timeout 75s;
    keepalive_requests 1000000;
    large_client_header_buffers 8 8k;
    client_max_body_size {body};
    limit_conn_zone $server_name zone=gateway_connections:32k;
    limit_conn gateway_connections {connections};
    limit_conn_status 503;

    # Both ways without buffering; nothing is sent twice; what upstream says to proxies is not heard.
    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_request_buffering off;
    proxy_next_upstream off;
    proxy_redirect off;
    proxy_intercept_errors on;
    proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;"""
SERVER = """
    server {{
        listen {listen};{tls}
        server_name _;
        default_type application/json;

        location = /healthz {{ return 200 '{{"status":"ok"}}'; }}
        location = /readyz {{ return 200 '{{"status":"ok"}}'; }}

        location / {{
            add_header Cache-Control no-store always;
            if ($request !~ "^[A-Z]+ /") {{ {form} }}
            if ($gateway_path_refused) {{ {path} }}
            if ($request_method !~ "^({methods})$") {{ {method} }}
            if ($gateway_host_known = 0) {{ {host} }}
            if ($http_origin != "") {{ {origin} }}
            if ($gateway_token = "") {{ {missing} }}
            if ($gateway_caller = "") {{ {invalid} }}
            if ($gateway_client = "") {{ {unknown} }}
            if ($gateway_allowed = 0) {{ {denied} }}
            rewrite ^ /gateway-client/$gateway_client last;
        }}"""
TLS = """
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;"""
ERROR_LOCATIONS = {
    "gateway_client_refused": Refusal(502, "client_refused", "upstream does not take the client's credentials"),
    "gateway_redirected": Refusal(502, "redirected", "upstream answers with a redirect, which is not followed"),
    "gateway_limited": Refusal(429, "rate_limit_exceeded", "requests_per_minute: wait a moment"),
}


def write_nginx(plan: Plan) -> str:
    """Return a complete configuration of nginx."""
    files = 2 * plan.connections + 128
    limits = [_rate_limit(caller) for caller in plan.callers if caller.per_minute is not None]
    parts = [
        *_head(plan),
        MAIN.format(files=files, secrets=SECRETS, body=plan.body_bytes, connections=plan.connections),
        *hide_headers(),
        "",
        *request_maps(plan),
        *permission_map(plan),
        *_rate_zones(plan.callers),
        *(line for each in plan.upstreams for line in upstream_block(each)),
        *(line for each in plan.upstreams for line in admin_header_maps(each)),
        _server(plan),
        *(line for each in plan.upstreams for line in proxy_location(each, limits)),
        *(f"        location @{name} {{ {_return(refused)} }}" for name, refused in ERROR_LOCATIONS.items()),
        "    }\n}",
    ]
    return "\n".join(parts)


def _head(plan: Plan) -> Iterator[str]:
    variables = [name for secret in plan.secrets for name in re.findall(r"\$\{(\w+)", secret.shell)]
    needed = ", ".join((*dict.fromkeys(variables), *(token_variable(each) for each in plan.callers)))
    yield HEAD.format(variables=needed, secrets=SECRETS, mark=MARK)
    yield from (f"# - {each}" for each in (*UNSUPPORTED, *plan.unsupported))
    yield "#"
    yield from comment_out(_script(plan))


def _script(plan: Plan) -> list[str]:
    """Return the script of the included file: secrets as constants, which are not interpolated, and tokens as a map."""
    credentials = [
        f'{check_secret(each)}; printf \'geo ${each.name} {{ default "%s"; }}\\n\' "${each.name}"'
        for each in plan.secrets
    ]
    tokens = [
        f'{check_caller(each)}; printf \'    "~^%s$" {each.slug};\\n\' "${token_variable(each)}"'
        for each in plan.callers
    ]
    begin = """printf 'map $gateway_token $gateway_caller {\\n    default "";\\n'"""
    return [*credentials, begin, *tokens, "echo '}'"]


def _server(plan: Plan) -> str:
    listen = f"[{plan.host}]:{plan.port}" if ":" in plan.host else f"{plan.host}:{plan.port}"
    secure = plan.certificate is not None
    tls = TLS.format(certificate=quote_word(plan.certificate or ""), key=quote_word(plan.key or ""))
    return SERVER.format(
        listen=f"{listen} ssl" if secure else listen,
        tls=tls if secure else "",
        methods="|".join(METHODS),
        form=_return(Refusal(400, "path_refused", "absolute URLs and other forms are not taken")),
        path=_return(Refusal(400, "path_refused", "the path is none that could be passed on")),
        method=_return(Refusal(405, "method_not_allowed", f"allowed: {', '.join(METHODS)}")),
        host=_return(Refusal(421, "unknown_host", "this host is not served here; gateway.hosts names those that are")),
        origin=_return(Refusal(403, "origin", "pages in browsers may not call")),
        missing=_return(Refusal(401, "missing_token", "a gateway token is needed: Authorization: Bearer TOKEN")),
        invalid=_return(Refusal(401, "invalid_token", "this is no gateway token that is in force")),
        unknown=_return(Refusal(404, "unknown_path", "calls go to /CLIENT/v1/PATH or /v1/apis/http/CLIENT/PATH")),
        denied=_return(Refusal(403, "not_allowed", "no rule of this token allows that")),
    )


def _return(refused: Refusal) -> str:
    return f"return {refused.status} '{refused.body().decode().replace(chr(39), f'{chr(92)}{chr(39)}')}';"


def _rate_zones(callers: tuple[Caller, ...]) -> Iterator[str]:
    """Yield a zone for each caller with a rate limit."""
    for each in callers:
        if each.per_minute is not None:
            zone = f"gateway_rate_{each.slug}"
            yield f'    map $gateway_caller ${zone} {{ default ""; {each.slug} 1; }}'
            yield f"    limit_req_zone ${zone} zone={zone}:32k rate={each.per_minute}r/m;"


def _rate_limit(caller: Caller) -> str:
    burst = f" burst={caller.per_minute - 1} nodelay" if caller.per_minute and caller.per_minute > 1 else ""
    return f"limit_req zone=gateway_rate_{caller.slug}{burst};"
