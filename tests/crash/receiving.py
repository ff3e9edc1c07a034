"""Webhooks for a connector that is killed while it takes them."""

from __future__ import annotations

import json
import signal
import socket
import time
from contextlib import suppress

from tests.crash.bench import Bench
from tests.crash.chains import HOOKED, SECRET

__all__ = ["documents_received", "events_received", "free_port", "until_open"]


def events_received(bench: Bench, times: int) -> None:
    """Events are acknowledged when they are on disk; their chain calls, and the process is killed at it."""
    bench.offer(0)
    points = ("delivery.intent.committed", "upstream.effect", "delivery.outcome.seen", "worker.settle.before", "")
    left: list[str] = []
    for number, point in enumerate(points * times):
        port = free_port()
        command = ("serve", "--routes", "--port", str(port))
        if point.startswith("upstream"):
            run = bench.run(*command)
            bench.ask("/trap", {"moment": point, "left": 3, "pid": run.pid, "signal": signal.SIGKILL})
        else:
            run = bench.run(*command, **({"point": point, "nth": 3, "signal": "KILL"} if point else {}))
        until_open(port)
        left = bench.hook(port, [*left, *(f"doc-hook-{n:05}" for n in range(number * 8, number * 8 + 8))])
        if not point:
            left = bench.hook(port, left)
            run.send(signal.SIGTERM)
        bench.ended(run, point)
    if left:
        raise AssertionError(f"events were never acknowledged: {left}")


def documents_received(bench: Bench, times: int) -> None:
    """The same for what anybody sends, signed as the standard has it."""
    file = bench.folder / "connector.yaml"
    document = json.loads(file.read_text())
    signed = {"path": "/hooks/made", "signature": "standard-webhooks", "secret": SECRET}
    document["incoming"][HOOKED]["subscriber"] = {"prototype": "http-receiver", "parameters": signed}
    file.write_text(json.dumps(document))
    events_received(bench, times)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def until_open(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("nobody listens")
