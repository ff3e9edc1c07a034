"""No document names a file of the connector's own, to write it or to send it away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from connector.config import load
from connector.errors import ConfigurationError
from connector.file_access import FileAccess
from connector.model import InvalidRequest
from connector.pipeline import Runtime
from connector.pipeline.outgoing import OutgoingRun
from connector.request.file_access import Reserved, Roots

CONFIGURATION = """
clients:
  openai: {prototype: openai, parameters: {token: "${file:key.txt}"}}
gateway:
  tls: {certificate: tls.pem, key: tls.key}
engine: sqlite:///tasks.db
outgoing:
  named: {publisher: {prototype: file, parameters: {url: "&{name}", format: text, content: "&{text}"}}}
  below: {publisher: {prototype: file, parameters: {url: "out/&{name}", format: text, content: "&{text}"}}}
  rows: {publisher: {prototype: file, parameters: {url: "&{name}", format: jsonl, append: true}}}
  itself: {publisher: {prototype: file, parameters: {url: connector.yaml, format: text, content: "&{text}"}}}
"""
OURS = [
    "connector.yaml", "./connector.yaml", "out/../connector.yaml", "CONNECTOR.YAML", "link.yaml", "hard.yaml",
    "inside/connector.yaml", ".env", ".gateway-spent.json", "key.txt", "tls.pem", "tls.key",
    "tasks.db", "tasks.db-wal", "tasks.db-shm", "tasks.db-journal", "tasks.db.lock", "file://{folder}/connector.yaml",
    ".git/config", ".ssh/authorized_keys", "a/.hidden/b",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "connector.yaml").write_text(CONFIGURATION)
    (tmp_path / "key.txt").write_text("a-key")
    (tmp_path / "link.yaml").symlink_to("connector.yaml")
    (tmp_path / "inside").symlink_to(".")
    os.link(tmp_path / "connector.yaml", tmp_path / "hard.yaml")
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def publish(source: Path, connection: str, document: Any) -> str:
    """What became of a document; where a file may not be, the whole run may end."""

    async def documents() -> Any:
        yield document

    async with Runtime(load(source)) as runtime:
        run = OutgoingRun(runtime, connection)
        try:
            return " ".join([result.reason async for result in run.results(documents())])
        except ConfigurationError as error:
            return str(error)


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("connection", ["named", "rows"])
async def test_a_document_overwrites_no_file_of_ours(folder: Path, connection: str, name: str) -> None:
    before = contents(folder)
    found = await publish(
        folder / "connector.yaml", connection, {"name": name.format(folder=folder), "text": "routes: {}"}
    )
    assert "belongs to the connector itself" in found or "hidden" in found
    assert contents(folder) == before


async def test_a_configured_name_is_no_file_of_ours_either(folder: Path) -> None:
    assert "belongs to the connector itself" in await publish(folder / "connector.yaml", "itself", {"text": "x"})


@pytest.mark.parametrize("name", ["a.yaml", "b/c.txt", "tasks.database", "key.txt2"])
async def test_other_names_are_written(folder: Path, name: str) -> None:
    assert await publish(folder / "connector.yaml", "below", {"name": name, "text": "x"}) == ""
    assert (folder / "out" / name).read_text().strip() == "x"


async def test_a_document_adds_nothing_to_a_folder_of_configuration(folder: Path) -> None:
    for name in ("hard.yaml", "link.yaml", "inside"):
        (folder / name).unlink()
    for name in ("more.yaml", "routes/more.yaml", "clients/new.json"):
        assert "belongs to the connector itself" in await publish(folder, "named", {"name": name, "text": "routes: {}"})
    assert await publish(folder, "named", {"name": "notes.txt", "text": "x"}) == ""
    assert await publish(folder, "below", {"name": "more.yaml", "text": "x"}) == ""


@pytest.mark.parametrize("name", ["connector.yaml", "key.txt", "inside/.env", "hard.yaml", "tasks.db-wal"])
async def test_a_document_uploads_no_file_of_ours(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / ".env").write_text("A=secret")
    async with Runtime(load(folder / "connector.yaml")) as runtime:
        client = runtime.client("openai")
        request = {"payload": {"purpose": "batch", "file": {"$file": name}}}
        with pytest.raises(InvalidRequest, match="belongs to the connector itself"):
            client.prepare(client.catalogue.find("files", "create"), request)
        request["payload"]["file"] = {"$file": "tests.txt"}
        (folder / "tests.txt").write_text("x")
        client.prepare(client.catalogue.find("files", "create"), request)


@pytest.mark.parametrize(
    "name",
    [
        "zip://x.txt::{folder}/connector.yaml",
        "zip://x.txt::file://{folder}/connector.yaml",
        "zip://x.txt::local:{folder}/connector.yaml",
        "zip://x.txt::FILE:{folder}/connector.yaml",
        "dir://connector.yaml::file://{folder}",
        "simplecache::{folder}/connector.yaml",
        "connector.yaml::",
        "{folder}/connector.yaml::",
        "~nobody-of-this-name/x",
        "a\0b",
        "a\x1bb",
        "a\ud800",
        "{folder}/connector.yaml ",
        "{folder}/connector.yaml.",
    ],
)
def test_no_spelling_leads_to_a_file_of_the_connector(tmp_path: Path, name: str) -> None:
    own = tmp_path / "connector.yaml"
    own.write_text("clients: {}")
    reserved = Reserved([own])
    named = name.format(folder=tmp_path)
    assert Roots((tmp_path,), reserved).refusal(named) is not None
    if "~" not in name:  # a folder of that name, which is not there
        assert Roots((), reserved).refusal(named) is not None
        with pytest.raises(ConfigurationError):
            FileAccess.of(tmp_path, "&{name}", (), reserved).resolve(named)
