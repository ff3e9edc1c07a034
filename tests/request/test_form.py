"""Payloads as forms: names with brackets, scalars before files, and streams whose length is known."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import MultipartReader, StreamReader
from aiohttp.base_protocol import BaseProtocol
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.request.file_access import Roots
from connector.request.files import FileInput
from connector.request.multipart import MultipartBody, Part, build_parts, quote_name
from connector.request.query import flatten

Read = Callable[[MultipartBody], Awaitable[bytes]]
ANYWHERE = Roots()
NAMES = st.text(
    st.characters(min_codepoint=32, exclude_characters='[];/$"\\\x7f', exclude_categories=("Cs",)), min_size=1
)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)))
SCALARS = st.booleans() | st.integers() | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(SCALARS) | st.dictionaries(NAMES, inner), max_leaves=6)


def content(text: str | bytes, **more: str | None) -> dict[str, str | None]:
    data = text.encode() if isinstance(text, str) else text
    return {"$content": base64.b64encode(data).decode(), **more}


async def decoded(body: MultipartBody, data: bytes) -> list[tuple[str | None, str | None, str | None, bytes]]:
    """The parts as aiohttp's parser sees them."""
    import asyncio

    stream = StreamReader(BaseProtocol(asyncio.get_running_loop()), 2**16)
    stream.feed_data(data)
    stream.feed_eof()
    reader = MultipartReader({"Content-Type": body.content_type}, stream)
    found = []
    while part := await reader.next():
        found.append((part.name, part.filename, part.headers.get("Content-Type"), bytes(await part.read())))
    return found


@given(st.dictionaries(NAMES, VALUES))
@settings(max_examples=60)
async def test_fields_decode_to_what_they_came_from(payload: dict[str, Any]) -> None:
    parts, faults = build_parts(payload, {}, ANYWHERE)
    assert not faults
    expected = [pair for name, value in payload.items() for pair in flatten(name, value)]
    assert sorted((part.name, part.value) for part in parts) == sorted(expected)
    body = MultipartBody(parts)
    data = b"".join([chunk async for chunk in body.chunks()])
    assert len(data) == body.length
    if expected:
        found = await decoded(body, data)
        assert sorted((name, text.decode()) for name, _, _, text in found) == sorted(expected)


@given(st.lists(st.binary(), min_size=1, max_size=4))
@settings(max_examples=40)
async def test_files_decode_to_their_bytes(contents: list[bytes]) -> None:
    files = [content(data, filename=f"{index}.bin") for index, data in enumerate(contents)]
    parts, _ = build_parts({"files": files, "z": 1}, {}, ANYWHERE)
    body = MultipartBody(parts)
    data = b"".join([chunk async for chunk in body.chunks()])
    assert len(data) == body.length
    found = await decoded(body, data)
    assert found[0] == ("z", None, None, b"1")
    assert found[1:] == [
        ("files[]", f"{index}.bin", "application/octet-stream", data) for index, data in enumerate(contents)
    ]


@given(st.text())
def test_a_quoted_name_stays_between_its_quotes(name: str) -> None:
    shown = quote_name(name)
    assert not set(shown) & {'"', "\r", "\n", "\0"}
    if "%" not in name and name.isprintable():
        assert shown.replace("%22", '"').replace("\\\\", "\\") == name


async def test_files_come_last_and_equal_names_together(read: Read) -> None:
    payload = {"file": content("x", filename="a.txt"), "k": ["1", "2"], "o": {"k": 1}, "b": True, "n": None}
    body = MultipartBody(build_parts(payload, {}, ANYWHERE)[0], "BOUNDARY")
    lines = (await read(body)).decode().split("\r\n")
    assert [line for line in lines if "name=" in line or line.startswith("--")] == [
        "--BOUNDARY",
        'Content-Disposition: form-data; name="k[]"',
        "--BOUNDARY",
        'Content-Disposition: form-data; name="k[]"',
        "--BOUNDARY",
        'Content-Disposition: form-data; name="o[k]"',
        "--BOUNDARY",
        'Content-Disposition: form-data; name="b"',
        "--BOUNDARY",
        'Content-Disposition: form-data; name="file"; filename="a.txt"',
        "--BOUNDARY--",
    ]


def test_a_part_can_have_a_type_of_its_own() -> None:
    parts, _ = build_parts(
        {"session": {"a": "ü"}, "sdp": "v=0", "x": 1}, {"session": "application/json", "sdp": "a/b"}, ANYWHERE
    )
    assert parts == [Part("x", "1"), Part("session", '{"a":"ü"}', "application/json"), Part("sdp", "v=0", "a/b")]


@pytest.mark.parametrize(
    ("more", "filename", "content_type"),
    [
        ({}, "upload", "application/octet-stream"),
        ({"filename": "a.png"}, "a.png", "image/png"),
        ({"filename": "a.unheard-of"}, "a.unheard-of", "application/octet-stream"),
        ({"filename": "a.png", "content_type": "x/y"}, "a.png", "x/y"),
        ({"filename": None}, None, None),
        ({"filename": "", "content_type": "x/y"}, "", "x/y"),
    ],
)
def test_a_file_s_name_and_type(more: dict[str, Any], filename: str | None, content_type: str | None) -> None:
    [part], _ = build_parts({"file": content("x", **more)}, {}, ANYWHERE)
    assert isinstance(part.value, FileInput)
    assert (part.value.filename, part.value.content_type) == (filename, content_type)


@pytest.mark.parametrize("name", ["a\r\nb", "a\nb", "a\0b", "a\tb"])
def test_names_that_would_break_a_header_are_refused(name: str) -> None:
    for payload in ({"file": content("x", filename=name)}, {"file": content("x", filename="a", content_type=name)}):
        assert len(build_parts(payload, {}, ANYWHERE)[1]) == 1


@pytest.mark.parametrize("name", ["a\r\nContent-Type: x", "a\0"])
def test_field_names_with_line_breaks_are_refused(name: str) -> None:
    assert build_parts({name: 1}, {}, ANYWHERE)[1]
    assert build_parts({"a": {name: 1}}, {}, ANYWHERE)[1]


def test_quotes_and_backslashes_in_names_are_escaped() -> None:
    assert quote_name('a"b\\c') == "a%22b\\\\c"


async def test_boundaries_differ_and_stay() -> None:
    one, other = MultipartBody([Part("a", "1")]), MultipartBody([Part("a", "1")])
    assert one.boundary != other.boundary
    passes = [b"".join([chunk async for chunk in one.chunks()]) for _ in range(2)]
    assert passes[0] == passes[1]
