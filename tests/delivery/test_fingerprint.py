"""What makes two calls the same call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector import Client
from connector.delivery.call_records import fingerprint
from connector.publishers import CallIntent, ClientCall, client_intent

CHAT = {"payload": {"model": "m", "messages": [{"role": "user", "content": "a"}]}}


@pytest.fixture
def intent(tmp_path: Path) -> Any:
    client = Client("openai", token="sk-test-12345678", environ={}, file_roots=[str(tmp_path)])

    def make(operation: str, request: Any, target: str = "openai", to: str | None = None) -> CallIntent:
        def prepare(asked: Any) -> Any:
            return client.prepare(operation, asked)

        return client_intent(
            target, ClientCall(client=client, wire=prepare(request), request=request, prepare=prepare), to=to
        )

    return make


def test_the_same_request_is_the_same_call(intent: Any) -> None:
    assert fingerprint(intent("chat completions create", CHAT)) == fingerprint(intent("chat completions create", CHAT))


def test_everything_that_is_said_makes_it_another(intent: Any) -> None:
    other = {"payload": {**CHAT["payload"], "n": 2}}
    headers = {**CHAT, "headers": {"X-Mine": "1"}}
    found = {
        fingerprint(intent("chat completions create", CHAT)),
        fingerprint(intent("chat completions create", other)),
        fingerprint(intent("chat completions create", headers)),
        fingerprint(intent("chat completions create", CHAT, to="file")),
        fingerprint(intent("files retrieve", {"path": {"file_id": "a"}})),
        fingerprint(intent("files retrieve", {"path": {"file_id": "b"}})),
        fingerprint(intent("files list", {"query": {"limit": 1}})),
        fingerprint(intent("files list", {"query": {"limit": 2}})),
    }
    assert len(found) == 8


def test_a_client_is_whom_it_calls(intent: Any, tmp_path: Path) -> None:
    first, named = intent("chat completions create", CHAT), intent("chat completions create", CHAT, target="other")
    assert fingerprint(named) == fingerprint(first)
    for more in ({"organization": "org-2"}, {"project": "p"}, {"base_uri": "https://other.example/v1"}):
        client = Client("openai", token="sk-test-12345678", environ={}, **more)
        other = replace(first, call=replace(first.call, client=client))
        assert fingerprint(other) != fingerprint(first), more


def test_a_form_is_the_same_although_its_boundary_is_not(intent: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"{}\n")
    ask = {"payload": {"purpose": "batch", "file": {"$file": str(file)}}}
    first = fingerprint(intent("files create", ask))
    assert fingerprint(intent("files create", ask)) == first
    file.write_bytes(b"{}\n{}\n")
    assert fingerprint(intent("files create", ask)) != first
    content = {"payload": {"purpose": "batch", "file": {"$content": "e30K", "filename": "a"}}}
    other = {"payload": {"purpose": "batch", "file": {"$content": "e31K", "filename": "a"}}}
    assert fingerprint(intent("files create", content)) != fingerprint(intent("files create", other))
