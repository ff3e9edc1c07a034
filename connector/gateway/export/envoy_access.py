"""Envoy's look at the token, and what is allowed with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from connector.gateway.export.envoy_text import any_of
from connector.gateway.export.plan import Caller, Plan
from connector.model import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KEYS", "RBAC", "authenticated", "authorised"]

KEYS = "envoy.filters.http.api_key_auth"
RBAC = "envoy.filters.http.rbac"


def authenticated(tokens: str) -> dict[str, JSON]:
    """A filter whose settings, with the tokens in them, are in a file of their own."""
    return {
        "config_discovery": {
            "config_source": {"path_config_source": {"path": tokens}, "resource_api_version": "V3"},
            "type_urls": [any_of("extensions.filters.http.api_key_auth.v3.ApiKeyAuth")],
        }
    }


def authorised(plan: Plan, leads: Mapping[str, list[str]], caller_header: str) -> JSON:
    """Who may call what; all else is denied."""
    policies = {
        caller.slug: {
            "principals": [{"header": {"name": caller_header, "string_match": {"exact": caller.slug}}}],
            "permissions": permissions,
        }
        for caller in plan.callers
        if (permissions := list(_permissions(caller, leads)))
    }
    return {"@type": any_of("extensions.filters.http.rbac.v3.RBAC"), "rules": {"action": "ALLOW", "policies": policies}}


def _permissions(caller: Caller, leads: Mapping[str, list[str]]) -> Iterator[JSON]:
    """Paths of one method together; one that must not be taken for another by itself."""
    for client, patterns in caller.allowed.items():
        lead = f"(?:{'|'.join(re.escape(each) for each in leads[client])})"
        plain: dict[str, list[str]] = {}
        for pattern in patterns:
            if pattern.but:
                yield _permission(pattern.method, f"{lead}{pattern.path}", [f"{lead}{each}" for each in pattern.but])
            else:
                plain.setdefault(pattern.method, []).append(pattern.path)
        for method, paths in plain.items():
            yield _permission(method, f"{lead}(?:{'|'.join(paths)})", [])


def _permission(method: str, path: str, but: list[str]) -> JSON:
    return {"and_rules": {"rules": [*_method(method), _path(path), *({"not_rule": _path(each)} for each in but)]}}


def _method(method: str) -> Iterator[JSON]:
    if method == "*":
        return
    expression = "GET|HEAD" if method == "GET" else method
    yield {"header": {"name": ":method", "string_match": {"safe_regex": {"regex": expression}}}}


def _path(expression: str) -> JSON:
    return {"url_path": {"path": {"safe_regex": {"regex": expression}}}}
