"""Calls of any path: as they are given, but never to another host and never out of their place."""

# ruff: noqa: E501 - a table of cases is read by its lines
from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.catalogue import Catalogue
from connector.model import Effect, InvalidRequest
from connector.request import prepare_raw

Read = Callable[[Any], Awaitable[bytes]]


@pytest.mark.parametrize(
    "path",
    [
        "", "models", "http://example.com/x", "https://user:pass@example.com/", "//example.com/x", "///x", "/\\example.com",
        "/..", "/a/../b", "/a/./b", "/a/%2e%2e/b", "/a/%2E%2e", "/a/%252e%252e/b", "/a/..%2fb", "/a%2f..%2fb", "/a\\..\\b",
        "/a%5c..%5cb", "/a//b", "/a\nb", "/a%0d%0ab", "/a\0", "/a%00", "/a#b", "/\ud800", "/a?b\r\nHost: x",
    ],
)  # fmt: skip
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        prepare_raw("GET", path)
    assert refused.value.faults[0].where == "path"
    assert "\n" not in refused.value.operation


@given(st.text(st.sampled_from("/.%25eE2fF\\?#ab@: ü"), max_size=14))
def test_no_accepted_path_climbs_or_leaves(path: str) -> None:
    try:
        wire = prepare_raw("GET", path)
    except InvalidRequest:
        return
    assert wire.path.startswith("/")
    assert not wire.path.startswith("//")
    assert wire.path.isascii()
    for decoded in (wire.path, unquote(wire.path), unquote(unquote(wire.path))):
        assert not {".", ".."} & set(re.split(r"[/\\]", decoded))


@pytest.mark.parametrize(
    ("path", "encoded"),
    [
        ("/models", "/models"),
        ("/models/ft:a@b", "/models/ft:a@b"),
        ("/models/a%2Fb", "/models/a%2Fb"),
        ("/models/a b", "/models/a%20b"),
        ("/models/100%", "/models/100%25"),
        ("/models/ü", "/models/%C3%BC"),
        ("/v1/models", "/models"),
        ("/v1", "/"),
        ("/v1beta/models", "/v1beta/models"),
    ],
)
def test_paths_are_encoded_once_and_relative_to_the_client(path: str, encoded: str) -> None:
    assert prepare_raw("GET", path, base_path="/v1").path == encoded


def test_queries_of_the_path_and_of_the_call_are_joined() -> None:
    wire = prepare_raw("get", "/x?a=1&b[]=2&c=%26", query={"d": [True, None], "e": {"f": 3}})
    assert wire.query == (("a", "1"), ("b[]", "2"), ("c", "&"), ("d[]", "true"), ("e[f]", "3"))
    assert wire.target == "/x?a=1&b%5B%5D=2&c=%26&d%5B%5D=true&e%5Bf%5D=3"


@pytest.mark.parametrize(
    ("method", "effect"),
    [
        ("GET", "none"),
        ("HEAD", "none"),
        ("DELETE", "idempotent"),
        ("POST", "opaque"),
        ("PUT", "opaque"),
        ("patch", "opaque"),
    ],
)
def test_the_effect_of_an_unknown_path_is_its_method_s(method: str, effect: str) -> None:
    wire = prepare_raw(method, "/unheard/of")
    assert (wire.method, wire.effect, wire.operation) == (method.upper(), Effect(effect), None)


def test_a_path_of_the_catalogue_is_known(catalogue: Catalogue) -> None:
    wire = prepare_raw("POST", "/v1/batches/b/cancel", catalogue=catalogue, base_path="/v1")
    assert wire.operation is catalogue.find("POST /batches/{batch_id}/cancel")
    assert wire.effect is Effect.IDEMPOTENT
    wire = prepare_raw("GET", "/vector_stores", catalogue=catalogue)
    assert wire.headers["openai-beta"] == "assistants=v2"
    wire = prepare_raw("GET", "/files/f/content", catalogue=catalogue)
    assert wire.answer == "binary"
    assert prepare_raw("GET", "/files/f/content", catalogue=catalogue, answer="text").answer == "text"


async def test_bodies_are_json_text_forms_or_files(read: Read) -> None:
    wire = prepare_raw("POST", "/x", json={"a": "ü"})
    assert (wire.headers["content-type"], await read(wire.body)) == ("application/json", '{"a":"ü"}'.encode())
    wire = prepare_raw("POST", "/x", data="a,b", headers={"Content-Type": "text/csv"})
    assert (wire.headers["content-type"], await read(wire.body)) == ("text/csv", b"a,b")
    wire = prepare_raw("POST", "/x", data=b"\xff")
    assert (wire.headers["content-type"], await read(wire.body)) == ("application/octet-stream", b"\xff")
    wire = prepare_raw("POST", "/x", data={"a": [1, 2], "b": "c d"})
    assert (wire.headers["content-type"], await read(wire.body)) == (
        "application/x-www-form-urlencoded", b"a%5B%5D=1&a%5B%5D=2&b=c+d",
    )  # fmt: skip
    file = {"$content": base64.b64encode(b"x").decode(), "filename": "a.txt"}
    wire = prepare_raw("POST", "/x", form={"a": 1}, files={"file": file})
    body = await read(wire.body)
    assert wire.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="a"\r\n\r\n1\r\n' in body
    assert b'filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nx\r\n' in body


def test_a_call_without_a_body_has_none() -> None:
    wire = prepare_raw("POST", "/x")
    assert (wire.body, wire.headers) == (None, {"content-type": "application/json", "accept": "application/json"})
    assert prepare_raw("GET", "/x", answer="binary").headers == {"accept": "*/*"}


def test_all_faults_come_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        prepare_raw("BREW", "x", query={"a": float("nan")}, headers={"host": "x"}, json={}, data="x", answer="tea")
    assert [fault.where for fault in refused.value.faults] == [
        "method",
        "path",
        "query.a",
        "headers.host",
        "body",
        "answer",
    ]


@pytest.mark.parametrize(
    "body",
    [{"json": float("nan")}, {"form": {"a": "\ud800"}}, {"form": {"f": {"$file": "/dev/null"}}}, {"json": {"a": "\0"}}],
)
def test_bodies_that_cannot_be_sent_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        prepare_raw("POST", "/x", **body)
