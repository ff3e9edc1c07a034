"""File inputs: read where they may be read, as often as needed, and never after they changed."""

# ruff: noqa: ASYNC240 - a test may wait for its own small file
from __future__ import annotations

import base64
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from connector.model import Fault
from connector.request import ChangedFile
from connector.request.file_access import Roots
from connector.request.files import FileInput, open_input
from connector.request.multipart import MultipartBody, Part
from connector.request.sources import CHUNK

Read = Callable[[Any], Awaitable[bytes]]
ANYWHERE = Roots()


def opened(value: dict[str, Any], roots: Roots = ANYWHERE) -> FileInput:
    found = open_input(value, "payload.file", roots)
    assert isinstance(found, FileInput), found
    return found


def refused(value: dict[str, Any], roots: Roots = ANYWHERE) -> str:
    found = open_input(value, "payload.file", roots)
    assert isinstance(found, Fault)
    return str(found)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes ü.txt"
    path.write_bytes(b"x" * (CHUNK + 7))
    return path


async def test_a_file_is_read_anew_for_every_pass(notes: Path, read: Read) -> None:
    file = opened({"$file": str(notes)})
    assert (file.filename, file.content_type, file.source.size) == ("notes ü.txt", "text/plain", CHUNK + 7)
    assert await read(file.source) == await read(file.source) == notes.read_bytes()


async def test_a_file_comes_in_pieces(notes: Path) -> None:
    assert [len(chunk) async for chunk in opened({"$file": str(notes)}).source.chunks()] == [CHUNK, 7]


async def test_content_comes_in_pieces(read: Read) -> None:
    data = os.urandom(2 * CHUNK + 1)
    file = opened({"$content": base64.b64encode(data).decode()})
    assert await read(file.source) == data
    assert [len(chunk) async for chunk in file.source.chunks()] == [CHUNK, CHUNK, 1]


def test_a_file_may_go_by_another_name(notes: Path) -> None:
    file = opened({"$file": str(notes), "filename": "b.jsonl", "content_type": "application/jsonl"})
    assert (file.filename, file.content_type) == ("b.jsonl", "application/jsonl")


def test_a_file_url_is_a_path(notes: Path) -> None:
    assert opened({"$file": notes.as_uri()}).source.size == CHUNK + 7


async def test_a_file_that_changed_before_it_is_sent_is_not_sent(notes: Path, read: Read) -> None:
    file = opened({"$file": str(notes)})
    notes.write_bytes(b"other")
    with pytest.raises(ChangedFile, match=r"changed since its request was prepared"):
        await read(file.source)


async def test_a_file_of_the_same_size_that_was_put_in_its_place_is_not_sent(notes: Path, read: Read) -> None:
    file = opened({"$file": str(notes)})
    other = notes.with_name("other")
    other.write_bytes(b"y" * (CHUNK + 7))
    other.replace(notes)
    with pytest.raises(ChangedFile):
        await read(file.source)


async def test_a_file_that_changes_while_it_is_sent_aborts(notes: Path) -> None:
    chunks = opened({"$file": str(notes)}).source.chunks()
    assert len(await anext(chunks)) == CHUNK
    with notes.open("ab") as file:
        file.write(b"more")
    with pytest.raises(ChangedFile, match="grew while it was sent"):
        [chunk async for chunk in chunks]


async def test_a_file_that_shrinks_while_it_is_sent_aborts(notes: Path) -> None:
    chunks = opened({"$file": str(notes)}).source.chunks()
    await anext(chunks)
    os.truncate(notes, CHUNK)
    with pytest.raises(ChangedFile, match=f"ended after {CHUNK} of {CHUNK + 7} bytes"):
        [chunk async for chunk in chunks]


async def test_a_file_that_is_gone_is_not_sent(notes: Path, read: Read) -> None:
    file = opened({"$file": str(notes)})
    notes.unlink()
    with pytest.raises(ChangedFile, match="can no longer be read"):
        await read(file.source)


async def test_a_link_put_in_the_file_s_place_is_not_followed(notes: Path, tmp_path: Path, read: Read) -> None:
    file = opened({"$file": str(notes)})
    moved = notes.rename(tmp_path / "moved")
    notes.symlink_to(moved)
    with pytest.raises(ChangedFile):
        await read(file.source)


async def test_an_abandoned_pass_closes_its_file(notes: Path) -> None:
    chunks = opened({"$file": str(notes)}).source.chunks()
    await anext(chunks)
    before = len(list(Path("/proc/self/fd").iterdir()))
    await chunks.aclose()  # type: ignore[attr-defined]
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 1


def test_devices_pipes_sockets_and_folders_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for name, sort in [("/dev/null", "device"), ("pipe", "pipe"), ("socket", "socket"), (".", "folder")]:
            found = refused({"$file": str(tmp_path / name)})
            assert f"is a {sort}; a regular file is allowed" in found


@pytest.mark.parametrize("name", ["", "a\0b", 7, None, "/nowhere/at all"])
def test_what_is_no_file_is_refused(name: object) -> None:
    assert refused({"$file": name}).startswith("payload.file.$file: ")


@pytest.mark.parametrize(
    "value",
    [
        {"$content": "%%"},
        {"$content": 7},
        {"$content": "eA"},
        {"$content": "eA==", "$file": "x"},
        {"$content": "eA==", "n": 1},
        {"$content": "eA==", "filename": 7},
    ],
)
def test_inputs_that_say_something_else_are_refused(value: dict[str, Any]) -> None:
    assert refused(value).startswith("payload.file")


def test_roots_hold(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("a")
    (tmp_path / "secret.txt").write_text("s")
    (tmp_path / "inner").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "in" / "folder").symlink_to(tmp_path)
    roots = Roots([str(tmp_path / "in")])
    assert opened({"$file": str(tmp_path / "in" / "a.txt")}, roots).source.size == 1
    assert opened({"$file": str(tmp_path / "in" / "folder" / "in" / "a.txt")}, roots).source.size == 1
    for name in ["secret.txt", "in/../secret.txt", "in/link", "in/folder/secret.txt", "inner"]:
        assert "are allowed" in refused({"$file": str(tmp_path / name)}, roots)
    for url in [f"file://{tmp_path}/secret.txt", f"local://{tmp_path}/in/%2e%2e/secret.txt", "https://example.com/a"]:
        assert "are allowed" in refused({"$file": url}, roots)


@pytest.mark.parametrize(
    ("url", "held"),
    [
        ("s3://bucket/in/a", True),
        ("s3://bucket/in", True),
        ("zip://a.txt::s3://bucket/in/a.zip", True),
        ("s3://bucket/inner", False),
        ("s3://bucket/in/../a", False),
        ("s3://bucket/in/%2e%2e/a", False),
        ("s3://bucket/in/%252e%252e/a", False),
        ("s3://bucket/in\\..\\a", False),
        ("s3://user@bucket/in/a", False),
        ("https://bucket/in/a", False),
        ("/etc/passwd", False),
        ("zip://a.txt::/etc/a.zip", False),
        ("reference://::s3://bucket/in/a", False),
        ("simplecache::s3://bucket/in/a", False),
    ],
)
def test_url_roots_hold(url: str, held: bool) -> None:
    assert (Roots(["s3://bucket/in/"]).refusal(url) is None) is held


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    system.pipe_file("/box/a.csv", b"1,2\n" * 100_000)
    yield system
    system.rm("/box", recursive=True)


async def test_a_remote_file_is_streamed(memory: Any, read: Read) -> None:
    file = opened({"$file": "memory://box/a.csv"})
    assert (file.filename, file.content_type, file.source.size) == ("a.csv", "text/csv", 400_000)
    body = MultipartBody([Part("file", file)])
    assert len(await read(body)) == body.length
    assert await read(file.source) == b"1,2\n" * 100_000


async def test_a_remote_file_that_changed_is_not_sent(memory: Any, read: Read) -> None:
    file = opened({"$file": "memory://box/a.csv"})
    memory.pipe_file("/box/a.csv", b"other")
    with pytest.raises(ChangedFile, match="changed since"):
        await read(file.source)


def test_remote_files_that_are_not_there_are_refused_without_their_keys(memory: Any) -> None:
    assert "'memory://box/b'" in refused({"$file": "memory://box/b?key=secret"})
    assert "is a folder" in refused({"$file": "memory://box"})
    assert "cannot read" in refused({"$file": "unheard-of://box"})


async def test_a_length_that_is_not_known_is_not_promised(read: Read) -> None:
    class Endless:
        name, size = "pipe", None

        async def chunks(self) -> Any:
            yield b"abc"

    body = MultipartBody([Part("file", FileInput(Endless(), "a", None))])
    assert body.length is None
    assert b"abc" in await read(body)
