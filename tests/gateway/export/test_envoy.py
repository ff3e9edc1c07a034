"""Envoy's configuration, by its form only: there is no Envoy here that could run it."""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.gateway.export.conftest import SECRETS, configuration, write_secrets

ADDRESS = "https://api.example.com/v1"
ROUTED = {"match", "route", "request_headers_to_add"}


def parsed(text: str) -> Any:
    return copy.deepcopy(_parsed(text))


@cache
def _parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


@pytest.fixture
def made(export) -> Any:
    return parsed(export(configuration(ADDRESS), "envoy", port=8800))


@pytest.fixture
def manager(made) -> Any:
    filters = made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
    return filters[0]["typed_config"]


def permitted(manager: Any, caller: str, method: str, path: str) -> bool:
    """Whether a policy lets a call through, as Envoy reads it: every expression on the whole text."""
    rules = next(each for each in manager["http_filters"] if each["name"].endswith(".rbac"))["typed_config"]["rules"]
    assert rules["action"] == "ALLOW"
    policy = rules["policies"].get(caller, {"permissions": []})
    return any(
        all(_fits(rule, method, path) for rule in permission["and_rules"]["rules"])
        for permission in policy["permissions"]
    )


def _fits(rule: Any, method: str, path: str) -> bool:
    if "not_rule" in rule:
        return not _fits(rule["not_rule"], method, path)
    if "header" in rule:
        assert rule["header"]["name"] == ":method"
        return re.fullmatch(rule["header"]["string_match"]["safe_regex"]["regex"], method) is not None
    return re.fullmatch(rule["url_path"]["path"]["safe_regex"]["regex"], path) is not None


@pytest.mark.parametrize(
    ("caller", "method", "path", "allowed"),
    [
        ("bot", "POST", "/openai/v1/chat/completions", True),
        ("bot", "POST", "/v1/apis/http/openai/v1/chat/completions", True),
        ("bot", "POST", "/v1/apis/http/openai/chat/completions", True),
        ("bot", "GET", "/openai/v1/chat/completions", False),
        ("bot", "HEAD", "/openai/v1/files/f", True),
        ("bot", "GET", "/openai/v1/files/f/content", False),
        ("bot", "GET", "/openai/v1/custom/a/b", True),
        ("bot", "GET", "/openai/v1/models", False),
        ("bot", "GET", "/other/v1/files", False),
        ("other", "GET", "/openai/v1/agents/automations", True),
        ("other", "GET", "/openai/v1/organization/projects", False),
        ("nobody", "GET", "/openai/v1/files", False),
    ],
)
def test_only_what_a_rule_allows_is_permitted(manager, caller, method, path, allowed):
    assert permitted(manager, caller, method, path) == allowed


def test_who_calls_is_only_said_by_the_look_at_the_token(manager):
    assert manager["early_header_mutation_extensions"][0]["typed_config"]["mutations"] == [
        {"remove": "x-gateway-caller"}
    ]
    names = [each["name"].rpartition(".")[2] for each in manager["http_filters"]]
    assert names == ["api_key_auth", "rbac", "router"]
    policies = manager["http_filters"][1]["typed_config"]["rules"]["policies"]
    for name, policy in policies.items():
        assert policy["principals"] == [{"header": {"name": "x-gateway-caller", "string_match": {"exact": name}}}]


def test_routes_lead_to_the_clients_with_their_time_outs(manager):
    gateway, others = manager["route_config"]["virtual_hosts"]
    assert set(gateway["domains"]) == {"127.0.0.1:8800", "localhost:8800", "[::1]:8800"}
    routes = [each for each in gateway["routes"] if "route" in each]
    assert all(set(each) == ROUTED for each in routes)
    found = [
        (next(iter(each["match"].values())), each["route"]["cluster"], each["route"]["prefix_rewrite"])
        for each in routes
    ]
    assert found[:3] == [
        ("/openai/v1/organization", "openai_admin", "/v1/organization"),
        ("/openai/v1/projects", "openai_admin", "/v1/projects"),
        ("/openai/v1/", "openai", "/v1/"),
    ]
    for each in routes:
        assert (each["route"]["timeout"], each["route"]["idle_timeout"]) == ("600s", "5s")
        assert each["route"]["host_rewrite_literal"] == "api.example.com"
    assert routes[-1]["match"] == {"prefix": "/v1/apis/http/openai/"}
    assert {"authorization", "cookie", "x-gateway-caller", "openai-project"} <= set(
        gateway["request_headers_to_remove"]
    )
    assert "set-cookie" in gateway["response_headers_to_remove"]
    assert others["domains"] == ["*"]
    assert others["routes"][-1]["direct_response"]["status"] == 421


def test_credentials_are_looked_up_in_a_file_that_the_script_writes(export, tmp_path):
    printed = export(configuration(ADDRESS), "envoy")
    (tmp_path / "gateway.yaml").write_text(printed)
    done = write_secrets(tmp_path, printed, SECRETS)
    assert done.returncode == 0, done.stderr
    asked = {
        found["credential"]["name"]: found["header"]
        for cluster in parsed(printed)["static_resources"]["clusters"]
        for options in cluster["typed_extension_protocol_options"].values()
        for each in options["http_filters"][:-1]
        if (found := each["typed_config"]["credential"]["typed_config"])
    }
    assert asked == {"openai_authorization": "Authorization", "openai_admin_authorization": "Authorization"}
    found = parsed((tmp_path / "gateway-secrets.yaml").read_text())["resources"]
    kept = {each["name"]: each["generic_secret"]["secret"]["inline_string"] for each in found}
    assert kept == {
        "openai_authorization": "Bearer sk-canary-upstream$1", "openai_admin_authorization": "Bearer sk-canary-admin",
    }  # fmt: skip
    tokens = parsed((tmp_path / "gateway-tokens.yaml").read_text())["resources"][0]["typed_config"]["credentials"]
    assert [each["client"] for each in tokens] == ["bot", "other"]
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("gateway-*.yaml")} == {0}


def test_upstreams_certificate_is_looked_at(made):
    for cluster in made["static_resources"]["clusters"]:
        tls = cluster["transport_socket"]["typed_config"]
        assert tls["sni"] == "api.example.com"
        validation = tls["common_tls_context"]["validation_context"]
        assert validation["match_typed_subject_alt_names"] == [
            {"san_type": "DNS", "matcher": {"exact": "api.example.com"}}
        ]
        assert validation["trusted_ca"]["filename"]


def test_every_extension_says_its_type(made):
    found = list(_extensions(made))
    assert len(found) > 10
    assert all(re.fullmatch(r"type\.googleapis\.com/envoy(\.\w+)+\.v3\.\w+", each["@type"]) for each in found)


def _extensions(value: Any) -> Any:
    if isinstance(value, list):
        for item in value:
            yield from _extensions(item)
    if isinstance(value, dict):
        if "typed_config" in value:
            yield value["typed_config"]
        for item in value.values():
            yield from _extensions(item)


def test_tls_of_our_own(export, tmp_path):
    tls = {"certificate": "cert.pem", "key": "key.pem"}
    made = parsed(
        export(configuration(ADDRESS, listen="0.0.0.0:8443", tls=tls, hosts=["gateway.example.com"]), "envoy")
    )
    chain = made["static_resources"]["listeners"][0]["filter_chains"][0]
    found = chain["transport_socket"]["typed_config"]["common_tls_context"]["tls_certificates"][0]
    assert found["certificate_chain"]["filename"].endswith("/cert.pem")
    domains = chain["filters"][0]["typed_config"]["route_config"]["virtual_hosts"][0]["domains"]
    assert "gateway.example.com:8443" in domains
