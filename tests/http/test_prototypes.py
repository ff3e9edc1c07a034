"""What a client is configured with: parameters, environment, addresses, keys."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint

import httpx
import pytest
from pydantic import Field

from connector import registry as registry_module
from connector.catalogue.operation import Operation
from connector.errors import ConfigurationError, UnknownName
from connector.http import Client, Prototype, describe, prototypes
from connector.http.addresses import check_base_uri, is_off_limits
from connector.http.parameters import Common
from connector.http.prototypes import FixedEndpoint
from connector.model import InvalidRequest
from connector.registry import Registry
from connector.request.wire import Wire

ADMIN = Operation(
    entity="costs", action="list", area="admin", method="GET", template="/organization/costs", key="admin"
)


def made(prototype: str = "openai", environ: dict[str, str] | None = None, **parameters) -> Client:
    return Client(prototype, environ=environ or {}, **parameters)


def sent(client: Client, wire: Wire) -> dict[str, str]:
    return dict(client._calls.build(wire).headers)


def test_the_shipped_prototypes():
    assert [kind.name for kind in prototypes()] == ["openai", "azure-openai", "openai-compatible", "http", "camunda"]
    assert all(kind.summary.endswith(".") for kind in prototypes())


def test_an_unknown_prototype_gets_a_suggestion():
    with pytest.raises(UnknownName, match="did you mean 'openai'"):
        made("opena")


@pytest.mark.parametrize("kind", [kind.name for kind in prototypes()])
def test_every_parameter_is_described(kind):
    rows = describe(kind)
    assert all(row["description"].endswith(".") for row in rows)
    assert len({row["name"] for row in rows}) == len(rows)
    assert {row["type"] for row in rows if row["name"] in ("token", "api_key", "admin_token")} <= {"secret string"}
    assert {"timeouts.read", "retry.max_retries", "limits.concurrency", "validate"} <= {row["name"] for row in rows}


def test_a_descriptions_facts():
    rows = {row["name"]: row for row in describe("openai")}
    assert rows["token"] == {
        "name": "token", "type": "secret string", "default": None, "required": False,
        "environment": "OPENAI_API_KEY", "secret": True, "description": "The project key.",
    }  # fmt: skip
    assert (rows["retry.backoff"]["type"], rows["retry.backoff"]["default"]) == ("fixed | exponential", "exponential")
    assert rows["limits.requests_per_minute"]["type"] == "number"


def test_faults_are_reported_all_at_once_and_without_values():
    with pytest.raises(ConfigurationError) as caught:
        made(tokn="x", retry={"delai": 1, "delay": -1}, timeouts={"read": "canary"}, token="sk-canary\nx")
    text = str(caught.value)
    assert "5 faults" in text
    assert "tokn: no such parameter; did you mean 'token'?" in text
    assert "retry.delai: no such parameter; did you mean 'delay'?" in text
    assert "retry.delay: input should be greater than or equal to 0" in text
    assert "canary" not in repr(caught.value)
    assert caught.value.__context__ is None


def test_a_missing_parameter_names_its_variable():
    with pytest.raises(
        ConfigurationError, match="base_uri: missing; it has no default; give it or set OPENAI_BASE_URL"
    ):
        made("openai-compatible")


def test_camel_case_is_accepted():
    client = made(
        baseUri="https://a.example", retry={"maxRetries": 7}, limits={"requestsPerMinute": 3}, token="sk-xxxx"
    )
    assert client.base_uri == "https://a.example"
    assert client.parameters.retry.max_retries == 7


ENVIRON = {
    "OPENAI_API_KEY": "sk-env", "OPENAI_ADMIN_KEY": "sk-admin", "OPENAI_ORG_ID": "org", "OPENAI_PROJECT_ID": "proj",
    "OPENAI_BASE_URL": "https://env.example/v1/",
}  # fmt: skip


def test_the_environment_gives_what_is_not_given(wire):
    client = made(environ=ENVIRON)
    assert client.base_uri == "https://env.example/v1"
    headers = sent(client, wire())
    assert headers["authorization"] == "Bearer sk-env"
    assert (headers["openai-organization"], headers["openai-project"]) == ("org", "proj")
    assert sent(made(environ=ENVIRON, token="sk-given"), wire())["authorization"] == "Bearer sk-given"
    assert made(environ={"OPENAI_BASE_URL": ""}).base_uri == "https://api.openai.com/v1"


def test_administration_takes_the_admin_key(wire):
    operation = wire("none", operation=ADMIN)
    assert sent(made(environ=ENVIRON), operation)["authorization"] == "Bearer sk-admin"
    assert sent(made(token="sk-only"), operation)["authorization"] == "Bearer sk-only"
    assert sent(made(environ=ENVIRON), wire("none", path="/organization/costs"))["authorization"] == "Bearer sk-admin"


@pytest.mark.parametrize(("admin", "variable"), [(False, "OPENAI_API_KEY"), (True, "OPENAI_ADMIN_KEY")])
async def test_a_missing_key_names_its_variable_before_anything_is_sent(make_client, wire, answers, admin, variable):
    client = make_client(answers(), token=None)
    with pytest.raises(ConfigurationError, match=variable):
        await client.send(wire("none", operation=ADMIN) if admin else wire())


def test_regions():
    assert made(region="eu", environ=ENVIRON).base_uri == "https://eu.api.openai.com/v1"
    with pytest.raises(ConfigurationError, match="region and base_uri"):
        made(region="eu", base_uri="https://x.example")


def test_azure_with_a_version_puts_the_deployment_into_the_path(wire):
    client = made("azure-openai", endpoint="https://x.example/", api_key="azure-key", api_version="2024-10-21",
                  deployments={"gpt-4o": "my gpt"})  # fmt: skip
    place = client._calls.place
    chat = place(wire(path="/chat/completions"), {"model": "gpt-4o"})
    assert chat.target == "/deployments/my%20gpt/chat/completions?api-version=2024-10-21"
    assert place(wire(path="/embeddings"), {"model": "m"}).path == "/deployments/m/embeddings"
    assert place(wire(path="/files"), {}).path == "/files"
    assert client.base_uri == "https://x.example/openai"
    assert sent(client, chat)["api-key"] == "azure-key"
    assert "authorization" not in sent(client, chat)
    with pytest.raises(InvalidRequest, match=r"payload\.model"):
        place(wire(path="/embeddings"), {})


def test_azures_v1_surface_is_like_openai(wire):
    environ = {"AZURE_OPENAI_ENDPOINT": "https://x.example", "AZURE_OPENAI_API_KEY": "azure-key"}
    client = made("azure-openai", environ=environ)
    assert client.base_uri == "https://x.example/openai/v1"
    assert client._calls.place(wire(path="/chat/completions"), {}).target == "/chat/completions"
    assert sent(client, wire())["authorization"] == "Bearer azure-key"
    token = made("azure-openai", environ=environ, token="entra-token", api_version="2024-10-21")
    assert sent(token, wire())["authorization"] == "Bearer entra-token"


def test_azure_without_a_key(wire):
    with pytest.raises(ConfigurationError, match="AZURE_OPENAI_API_KEY"):
        sent(made("azure-openai", endpoint="https://x.example"), wire())


def test_a_compatible_server_needs_no_key_and_never_sees_openais(wire):
    for spelling in ("base_uri", "baseUri"):
        client = made("openai-compatible", environ=ENVIRON, **{spelling: "http://localhost:11434/v1"})
        assert "authorization" not in sent(client, wire())
    assert client.parameters.validation == "known"
    assert sent(made("openai-compatible", environ=ENVIRON), wire())["authorization"] == "Bearer sk-env"


def test_any_api_by_its_headers(wire):
    client = made("http", base_uri="https://x.example", headers={"X-Api-Key": "k-123456", "X-Title": "t"})
    headers = sent(client, wire(headers={"x-title": "mine"}))
    assert (headers["x-api-key"], headers["x-title"]) == ("k-123456", "mine")
    assert client.redactor("k-123456") == "***"


@pytest.mark.parametrize(
    "uri",
    [
        "http://api.example/v1", "ftp://x.example", "api.openai.com/v1", "https://", "https://user:pw@x.example",
        "https://x.example?a=1", "https://x.example#f", "https://x.example/a b", "https://x.example:port", "https://[::1",
        "https://169.254.169.254/latest", "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[::ffff:169.254.169.254]/",
        "https://100.100.100.200", "https://[fd00:ec2::254]", "https://[64:ff9b::a9fe:a9fe]", "http://10.0.0.1:8000",
        "https://x.example\\@y.example",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(uri):
    with pytest.raises(ConfigurationError, match="base_uri"):
        check_base_uri(uri)


@pytest.mark.parametrize(
    "uri",
    ["https://x.example/v1", "http://localhost:8000/v1", "http://127.0.0.1", "http://[::1]:80", "http://127.9.9.9/a"],
)
def test_addresses_that_are_fine(uri):
    assert check_base_uri(uri + "/") == uri


def test_a_host_can_be_allowed():
    assert check_base_uri("http://10.0.0.1:8000", ["10.0.0.1"]) == "http://10.0.0.1:8000"
    assert check_base_uri("http://169.254.1.1", ["169.254.1.1"]) == "http://169.254.1.1"


def test_what_is_off_limits():
    assert is_off_limits("169.254.0.1")
    assert not is_off_limits("metadata.example")
    assert not is_off_limits("10.0.0.1")


class Own(Common):
    colour: str = Field(default="red", description="A colour.")


OWN = Prototype("own", "A prototype of somebody else.", Own, lambda own: FixedEndpoint(f"https://{own.colour}.example"))


def installed(monkeypatch, **values):
    class Point(EntryPoint):
        def load(self):
            return values[self.name]

    points = [Point(name, "somewhere", "openai_connector.clients") for name in values]
    monkeypatch.setattr(registry_module, "installed_points", lambda path: {"openai_connector.clients": points})


def test_others_can_add_prototypes(monkeypatch):
    installed(monkeypatch, own=OWN)
    assert made("own", colour="blue").base_uri == "https://blue.example"
    assert describe("own")[0]["name"] == "colour"


def test_a_name_that_is_taken_is_refused(monkeypatch):
    installed(monkeypatch, other=replace(OWN, name="openai"))
    with pytest.raises(
        ConfigurationError, match="two client prototypes are named 'openai', of openai-connector and of somewhere"
    ):
        prototypes()


def test_an_entry_point_that_is_no_prototype_is_refused(monkeypatch):
    installed(monkeypatch, odd=42)
    with pytest.raises(
        ConfigurationError, match=r"'odd' of openai_connector\.clients is of type int, not a client prototype"
    ):
        prototypes()


def test_a_prototype_can_be_given_as_a_value():
    assert Client(OWN, environ={}).base_uri == "https://red.example"


def test_a_registry_refuses_duplicates():
    with pytest.raises(ConfigurationError):
        Registry("thing", (OWN, OWN))


def test_a_ca_bundle_that_is_no_bundle(tmp_path):
    with pytest.raises(ConfigurationError, match="ca_bundle"):
        made(ca_bundle=str(tmp_path / "missing.pem"))
    (tmp_path / "odd.pem").write_text("not a certificate")
    with pytest.raises(ConfigurationError, match="ca_bundle"):
        made(ca_bundle=str(tmp_path / "odd.pem"))


def test_nothing_switches_certificate_checks_off():
    names = {row["name"] for kind in prototypes() for row in describe(kind)}
    assert not {name for name in names if "verify" in name or "insecure" in name}


async def test_a_transport_of_ones_own_is_used_and_closed(wire):
    class Closing(httpx.MockTransport):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    transport = Closing(lambda request: httpx.Response(200, json={}))
    async with Client("openai", transport=transport, token="sk-xxxx", environ={}) as client:
        assert (await client.send(wire())).ok
    assert transport.closed
