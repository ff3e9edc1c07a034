"""The official SDK for Node as the client of both servers."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.programs import needed
from tests.servers.conftest import Server

HOME = Path(__file__).parents[2] / ".node"
PROGRAM = Path(__file__).with_name("calls.mjs")


@pytest.fixture(scope="session")
def node() -> Path:
    """The folder in which `make node` put the SDK; tests fetch nothing."""
    needed("node")
    if not (HOME / "node_modules" / "openai").exists():
        pytest.skip("the SDK for Node is not here; `make node` fetches it")
    return HOME


@pytest.fixture(scope="session")
def found(node: Path, servers: dict[str, Server]) -> dict[str, Any]:
    """What the same program saw of each server."""
    program = node / PROGRAM.name
    shutil.copyfile(PROGRAM, program)
    seen: dict[str, Any] = {}
    for name, server in servers.items():
        command = [needed("node"), str(program), server.base_url, server.key]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        seen[name] = json.loads(done.stdout)
    return seen


@pytest.fixture(params=["sandbox", "gateway"])
def saw(request: pytest.FixtureRequest, found: dict[str, Any]) -> Any:
    return found[request.param]


def test_chat_and_responses_with_their_streams(saw):
    assert saw["chat"] == saw["chatStream"] == "Is anybody there?"
    assert saw["chunks"] > 2
    assert saw["response"] == saw["responseStream"] == "Hello there"


def test_files_uploads_and_binaries(saw):
    assert saw["file"] == {"bytes": 2_048_000, "same": True, "deleted": True}
    assert saw["upload"] == "0123456789abcdefghij"
    assert saw["speech"] > 100


def test_lists_are_read_page_by_page(saw):
    assert saw["stores"] == [f"node-{number}" for number in range(7)]


def test_errors_are_of_the_classes_that_the_sdk_has_for_them(saw):
    assert saw["errors"] == {
        "wrong": ["BadRequestError", 400],
        "unknown": ["NotFoundError", 404],
        "key": ["AuthenticationError", 401],
    }
