"""The command as the platform starts it: files in, lines of JSON out, before a sandbox of the API that has things."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.hosts.judges import ROOT
from tests.hosts.mcp.judges.serving import sandbox
from tests.warm import command

__all__ = ["KEYS", "Said", "catalog_of", "empty_streams", "furnished", "run"]

KEYS = {"api_key": "sk-canary-0123456789", "admin_api_key": "sk-admin-canary-0123456789"}


@dataclass
class Said:
    """What a process said, message by message, and how it ended."""

    code: int
    messages: list[dict[str, Any]]
    error: str

    def of(self, kind: str) -> list[Any]:
        """The messages of a type, without their envelopes."""
        names = {"CONNECTION_STATUS": "connectionStatus"}
        return [one[names.get(kind, kind.lower())] for one in self.messages if one["type"] == kind]

    def rows(self, stream: str) -> list[Any]:
        return [one["data"] for one in self.of("RECORD") if one["stream"] == stream]

    @property
    def errors(self) -> list[Any]:
        return [one["error"] for one in self.of("TRACE") if one["type"] == "ERROR"]

    def stages(self, stream: str) -> list[str]:
        told = [one["stream_status"] for one in self.of("TRACE") if one["type"] == "STREAM_STATUS"]
        return [one["status"] for one in told if one["stream_descriptor"]["name"] == stream]


def run(folder: Path, *words: str, given: str | None = None, program: list[str] | None = None, **files: Any) -> Said:
    """Run `openai-connector`, or another program, with words, and with files of JSON as options."""
    options: list[str] = []
    for name, content in files.items():
        path = folder / f"{name}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        options += [f"--{name}", str(path)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    kept |= {"PYTHONPATH": str(ROOT)} if program else {}
    asked = [*(program or command()), *words, *options]
    done = subprocess.run(
        asked, cwd=folder, env=kept, input=given, capture_output=True, text=True, timeout=60, check=False
    )
    return Said(done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr)


def catalog_of(*streams: dict[str, Any], mode: str = "incremental") -> dict[str, Any]:
    """A configured catalog; streams that cannot be read in the mode are read whole."""
    return {
        "streams": [
            {
                "stream": one,
                "sync_mode": mode if mode in one["supported_sync_modes"] else "full_refresh",
                "destination_sync_mode": "append",
            }
            for one in streams
        ]
    }


def empty_streams(folder: Path, config: dict[str, Any]) -> list[str]:
    """The streams of which the API has nothing."""
    streams = run(folder, "airbyte", "source", "discover", config=config).of("CATALOG")[0]["streams"]
    catalog = catalog_of(*streams, mode="full_refresh")
    said = run(folder, "airbyte", "source", "read", config=config, catalog=catalog)
    return [one["name"] for one in streams if not said.rows(one["name"])]


@contextmanager
def furnished() -> Iterator[str]:
    """The address of a sandbox that has files, a vector store with a file, and a stored completion."""
    with sandbox() as url:
        headers = {"Authorization": f"Bearer {KEYS['api_key']}", "OpenAI-Beta": "assistants=v2"}
        with httpx.Client(base_url=url, headers=headers) as client:

            def post(path: str, **given: Any) -> Any:
                answer = client.post(url + path, **given)
                assert answer.status_code == 200, answer.text
                return answer.json()

            names = [f"{number}.txt" for number in range(3)]
            files = [post("/files", data={"purpose": "assistants"}, files={"file": (name, b"x")}) for name in names]
            store = post("/vector_stores", json={"name": "shelf"})
            post(f"/vector_stores/{store['id']}/files", json={"file_id": files[0]["id"]})
            said = [{"role": "user", "content": "hi"}]
            post("/chat/completions", json={"model": "gpt-6-luna", "store": True, "messages": said})
        yield url
