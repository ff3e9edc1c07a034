"""The stories of foreign clients, started from here, and what is to be held against what they saw."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.request import urlopen

from tests.hosts.judges import ROOT, python_of, variables
from tests.warm import command, mistaken

__all__ = ["breaches", "miscounts", "tell"]

SCRIPT = Path(__file__).with_name("story.py")
TOOLS = ["greet", "slow", "models_list", "explain"]


def tell(client: str, folder: Path, upstream: str, mode: str = "", mutant: str = "") -> dict[str, Any]:
    """What a foreign client saw of our server on its pipe, and how often the API was called for it."""
    said = f"Ada-{token_hex(4)}"
    words = mistaken("tests.hosts.mcp.mutants", mutant) if mutant else command()
    with _silence() as port:
        path = folder / f"{client}{mode}.json"
        path.write_text(json.dumps(_configuration(upstream, port, f"calls-{client}{mode}.db")))
        told = folder / f"{client}{mode}.told"
        arguments = [
            str(python_of("mcp")),
            str(SCRIPT),
            client,
            mode,
            said,
            str(told),
            *words,
            "mcp",
            "-f",
            str(path),
        ]
        environment = variables(SANDBOX=upstream, PYTHONPATH=str(ROOT) if mutant else "")
        done = subprocess.run(
            arguments, cwd=ROOT, capture_output=True, text=True, timeout=90, env=environment, check=False
        )
    if done.returncode:
        return {"failed": done.stderr[-1500:]}
    found: dict[str, Any] = json.loads(told.read_text())
    found |= {"name": said, "sent": _count(upstream, said)}
    (folder / f"{client}{mode}.sent").write_text(json.dumps(found["sent"]))
    return found


def breaches(client: str, folder: Path, upstream: str, mode: str = "", mutant: str = "") -> list[str]:
    """What is wrong with what a client saw, but for how often the API was called."""
    found = tell(client, folder, upstream, mode, mutant)
    if "failed" in found:
        return [found["failed"]]
    expected: Mapping[str, bool] = {
        "the tools are listed": found["tools"] == TOOLS,
        "only what reads is said to read": found.get("read_only", TOOLS[2:]) == TOOLS[2:],
        "explain shows the request": found.get("explained", "/chat/completions").endswith("/chat/completions"),
        "the answers are the model's": bool(found["answers"])
        and all(f"Greet {found['name']}." in one for one in found["answers"]),
        "the repeat is known": found.get("repeats", [False, True]) == [False, True],
        "a failure is an error": bool(found.get("wrong", True)),
        "progress is reported": bool(found.get("progress", True)),
        "what was cancelled is told as unknown": found.get("cancelled", "unknown") == "unknown",
    }
    return [name for name, holds in expected.items() if not holds]


def miscounts(folder: Path) -> list[str]:
    """The clients for which the API was called more or less often than once."""
    found: list[str] = []
    for path in folder.glob("*.sent"):
        sent = json.loads(path.read_text())
        if sent != 1:
            found.append(f"{path.stem}: {sent} calls where one was meant")
    return found


def _configuration(upstream: str, silent: int, engine: str) -> dict[str, Any]:
    def greets(client: str) -> dict[str, Any]:
        messages = [{"role": "user", "content": "Greet &{name}."}]
        return {
            "description": "Greets a customer by name.",
            "request": {"payload": {"model": "gpt-6-luna", "messages": messages}},
            "publisher": {"prototype": "openai", "parameters": {"client": client, "entity": "chat completions"}},
            "answer": {"chain": ["answer-text"]},
        }

    def client(address: str) -> dict[str, Any]:
        return {"prototype": "openai", "parameters": {"token": "made-up", "base_uri": address}}

    return {
        "clients": {"openai": client(upstream), "silent": client(f"http://127.0.0.1:{silent}/v1")},
        "outgoing": {"greet": greets("openai"), "slow": greets("silent")},
        "mcp": {"operations": ["models list"], "engine": f"sqlite:///{engine}"},
    }


@contextmanager
def _silence() -> Iterator[int]:
    """The port of an API that takes requests and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(listening.accept()[0])
                except OSError:  # closed
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for one in held:
            one.close()


def _count(upstream: str, said: str) -> int:
    """How often the sandbox was asked for this greeting, as its own record of requests has it."""
    with urlopen(f"{upstream.removesuffix('/v1')}/sandbox/requests", timeout=10) as answer:
        records = [json.loads(line) for line in answer]
    return sum(_last_message(record["payload"]) == f"Greet {said}." for record in records)


def _last_message(payload: Any) -> Any:
    """What a chat is asked last; None for what is no chat: other tests ask the same sandbox for other things."""
    messages = payload.get("messages") if isinstance(payload, dict) else None
    return messages[-1]["content"] if messages else None
