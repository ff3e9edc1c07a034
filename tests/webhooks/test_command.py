"""`serve --routes`: the gateway and the routes in one process, which a webhook goes through to its end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

from connector.sandbox.webhooks import sign
from tests import warm

SECRET = "whsec_c2VjcmV0LW9uZQ=="
CONFIGURATION = """
clients:
  openai: {prototype: openai, parameters: {base_uri: "http://127.0.0.1:9/v1", token: any}}
incoming:
  events: {subscriber: {prototype: webhook, parameters: {path: /hooks/openai, secret: "${OPENAI_WEBHOOK_SECRET}"}}}
outgoing:
  kept: {publisher: {prototype: file, parameters: {url: events.jsonl}}}
routes:
  events: {incoming: events, outgoing: kept}
"""


def served(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "OPENAI_WEBHOOK_SECRET": SECRET}
    command = [*warm.command(), "serve", "-f", str(folder), "--port", "0", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def test_a_webhook_goes_through_its_route(tmp_path: Path) -> None:
    (tmp_path / "connector.yaml").write_text(CONFIGURATION)
    body = json.dumps({"id": "evt_1", "type": "batch.completed", "data": {"id": "batch_1"}}).encode()
    with served(tmp_path, "--routes") as process:
        assert process.stderr is not None
        try:
            url = next(found[1] for line in process.stderr if (found := re.search(r"webhooks: (\S+)", line)))
            headers = sign(SECRET, "wh_1", int(time.time()), body)
            request = urllib.request.Request(url, data=body, headers=headers, method="POST")
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert answer.status == 200
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
    assert process.returncode == 0
    # What was acknowledged is delivered by whoever runs next, if the stop came before its turn.
    command = [*warm.command(), "run", "-f", str(tmp_path), "--once"]
    environment = {**os.environ, "OPENAI_WEBHOOK_SECRET": SECRET}
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
    assert json.loads((tmp_path / "events.jsonl").read_text()) == json.loads(body)


def test_without_routes_it_says_that_nothing_is_received(tmp_path: Path) -> None:
    (tmp_path / "connector.yaml").write_text(CONFIGURATION)
    with served(tmp_path) as process:
        assert process.stderr is not None
        try:
            said = [line for line, _ in zip(process.stderr, range(2), strict=False)]
            assert any("incoming.events receives nothing here: serve --routes listens" in line for line in said), said
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
