"""Clients of a configuration: made when they are used, their credentials following the places they come from."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from connector.config import Configuration, InvalidConfiguration, load, parse
from connector.config.models.clients import override_parameters
from connector.http import Client

FIRST, SECOND = "canary-first-0123456789", "canary-second-9876543210"
Write = Callable[..., Path]


class Upstream:
    """Answers, and remembers what it was shown."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.shown: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.shown.append(dict(request.headers))
        echo = {"error": {"message": f"wrong key {' '.join(request.headers.values())}", "code": "x"}}
        return httpx.Response(self.status, json=echo if self.status >= 400 else {"object": "list", "data": []})

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)


def replace(path: Path, text: str) -> None:
    """Writes a file the way secret stores do: another file moves into its place."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)  # noqa: PTH105  what they do


def configured(tmp_path: Path, **parameters: object) -> Configuration:
    entry = {"prototype": "openai", "parameters": {"token": "${file:token}", **parameters}}
    return parse({"clients": {"c": entry}}, folder=tmp_path, environ={})


async def call(client: Client) -> str:
    outcome = await client.send(client.prepare("models list"))
    return f"{outcome.sentence()} {outcome.as_document()}"


async def test_a_secret_that_is_replaced_in_mid_run_is_used_from_the_next_call_on(tmp_path: Path) -> None:
    replace(tmp_path / "token", f"{FIRST}\n")
    upstream = Upstream()
    async with configured(tmp_path).clients["c"].client(transport=upstream.transport) as client:
        await call(client)
        replace(tmp_path / "token", SECOND)
        await call(client)
    assert [shown["authorization"] for shown in upstream.shown] == [f"Bearer {FIRST}", f"Bearer {SECOND}"]


async def test_headers_follow_too(tmp_path: Path) -> None:
    replace(tmp_path / "token", FIRST)
    replace(tmp_path / "other", FIRST)
    upstream = Upstream()
    config = configured(tmp_path, headers={"X-Api-Key": "key ${file:other}"})
    async with config.clients["c"].client(transport=upstream.transport) as client:
        await call(client)
        replace(tmp_path / "other", SECOND)
        await call(client)
    assert [shown["x-api-key"] for shown in upstream.shown] == [f"key {FIRST}", f"key {SECOND}"]


async def test_a_secret_that_is_away_for_a_moment_is_still_known(tmp_path: Path) -> None:
    replace(tmp_path / "token", FIRST)
    upstream = Upstream()
    async with configured(tmp_path).clients["c"].client(transport=upstream.transport) as client:
        (tmp_path / "token").unlink()
        await call(client)
    assert upstream.shown[0]["authorization"] == f"Bearer {FIRST}"


async def test_a_key_goes_to_no_other_address_than_the_one_it_came_with(tmp_path: Path) -> None:
    replace(tmp_path / "token", FIRST)
    replace(tmp_path / "base", "https://one.example/v1")
    upstream = Upstream()
    config = configured(tmp_path, base_uri="${file:base}")
    async with config.clients["c"].client(transport=upstream.transport) as client:
        replace(tmp_path / "token", SECOND)
        replace(tmp_path / "base", "https://two.example/v1")
        await call(client)
    assert (upstream.shown[0]["host"], upstream.shown[0]["authorization"]) == ("one.example", f"Bearer {FIRST}")


@pytest.mark.filterwarnings("ignore")
async def test_no_secret_old_or_new_is_shown_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "connector")
    replace(tmp_path / "token", FIRST)
    upstream = Upstream(401)
    config = configured(tmp_path, headers={"X-Custom": "${file:token}"}, logging="full")
    client = config.clients["c"].client(transport=upstream.transport)
    said = await call(client)
    replace(tmp_path / "token", SECOND)
    said += await call(client)
    wire = client.prepare("models list")
    said += str(client.explain(wire)) + client.explain(wire).as_curl() + repr(client) + repr(config) + caplog.text
    said += repr(client._calls) + str(vars(config.clients["c"]))
    await client.close()
    assert upstream.shown[1]["x-custom"] == SECOND
    for secret in (FIRST, SECOND):
        assert secret not in said
        assert base64.b64encode(secret.encode()).decode().rstrip("=")[:-1] not in said


async def test_a_client_whose_variable_is_missing_says_where(write: Write) -> None:
    path = write("clients:\n  c: {prototype: openai, parameters: {token: '${NOBODY}'}}\n")
    with pytest.raises(InvalidConfiguration, match=r"connector\.yaml:2:46 clients\.c\.parameters\.token: \$\{NOBODY\}"):
        load(path, environ={}).clients["c"].client()


async def test_what_is_not_written_comes_from_the_environment_and_dotenv(write: Write) -> None:
    write(f"OPENAI_API_KEY={FIRST}\n", ".env")
    upstream = Upstream()
    config = load(write("clients: {c: {prototype: openai}}\n"), environ={"OPENAI_ORG_ID": "org-1"})
    async with config.clients["c"].client(transport=upstream.transport) as client:
        await call(client)
    assert upstream.shown[0]["authorization"] == f"Bearer {FIRST}"
    assert upstream.shown[0]["openai-organization"] == "org-1"


@pytest.mark.parametrize("name", ["sa-token", "tls.crt", "tls.key"])
def test_files_of_credentials_are_no_documents(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    identity = {
        "source": "kubernetes", "identityProviderId": "i", "serviceAccountId": "s", "tokenFile": "${PLACE}/sa-token"
    }  # fmt: skip
    certificate = {"file": "${PLACE}/tls.crt", "key": "tls.key"}
    parameters = {"identity": identity, "certificate": certificate}
    (tmp_path / "connector.json").write_text(
        json.dumps({"clients": {"c": {"prototype": "openai", "parameters": parameters}}})
    )
    configuration = load("connector.json", environ={"PLACE": str(tmp_path)})
    assert configuration.reserved.holds(name)
    assert configuration.reserved.holds(str(tmp_path / name))
    assert not configuration.reserved.holds("tickets.jsonl")


@pytest.mark.parametrize(
    ("written", "given", "left"),
    [
        ({"identity": {"source": "gcp"}}, {"token": "sk-1"}, {"token": "sk-1"}),
        ({"token": "${KEY}"}, {"identity": {"source": "gcp"}}, {"identity": {"source": "gcp"}}),
        ({"region": "eu"}, {"base_uri": "https://x.example"}, {"base_uri": "https://x.example"}),
        ({"identity": {"source": "gcp"}}, {"identity": {"source": "azure"}}, {"identity": {"source": "azure"}}),
    ],
)
def test_one_way_to_prove_oneself_replaces_the_other(written, given, left) -> None:
    configuration = parse({"clients": {"c": {"prototype": "openai"}}})
    entry = configuration.clients["c"].model_copy(update={"raw_parameters": written})
    assert override_parameters(entry, given) == left
