"""Configurations of other proxies, and an nginx that runs with one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.catalogue import Catalogue
from connector.config.models.gateway import hash_token
from connector.gateway.export import Proxy, export_proxy_config
from connector.pipeline import load_configuration
from tests.programs import needed

BOT, OTHER = "gw-bot-0987654321", "gw-other-1234567890"
SECRETS = {
    "UPSTREAM_KEY": "sk-canary-upstream$1", "ADMIN_KEY": "sk-canary-admin", "GATEWAY_TOKEN_BOT": BOT,
    "GATEWAY_TOKEN_OTHER": OTHER,
}  # fmt: skip
PROXIES_NEED = """\
fastcgi_temp_path temp-1;
uwsgi_temp_path temp-2;
scgi_temp_path temp-3;
"""
"""Folders that Debian's nginx makes whether they are used or not."""


def configuration(address: str, **gateway: Any) -> dict[str, Any]:
    """One client and two tokens: one for a few operations, one for every operation that is no administration."""
    parameters = {
        "base_uri": address, "token": "${UPSTREAM_KEY}", "admin_token": "${ADMIN_KEY}", "organization": "org-1",
        "timeouts": {"connect": 2, "read": 5}, "headers": {"X-Team": 'a$b "c"'},
    }  # fmt: skip
    tokens = {
        "bot": {"hash": hash_token(BOT), "allow": ["chat completions create", "files *", "GET /custom/*"]},
        "other": {"hash": hash_token(OTHER)},
    }
    return {
        "clients": {"openai": {"prototype": "openai", "parameters": parameters}},
        "gateway": {"tokens": tokens, **gateway},
    }


Export = Callable[..., str]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.open(None)


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Export:
    """The text that a configuration becomes."""

    def made(written: Any, proxy: Proxy = "nginx", environ: dict[str, str] | None = None, **told: Any) -> str:
        file = tmp_path_factory.mktemp("configuration") / "connector.json"
        file.write_text(json.dumps(written))
        return export_proxy_config(
            load_configuration(file, SECRETS if environ is None else environ), proxy, catalogue, **told
        )

    return made


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def write_secrets(folder: Path, printed: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs the command that the export itself says."""
    command = next(line.removeprefix("#").strip() for line in printed.splitlines() if "sed -n" in line)
    environment = {"PATH": os.environ["PATH"], **environ}
    return subprocess.run(
        [needed("bash"), "-c", f"set -o pipefail; {command}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass
class Proxied:
    """An nginx that runs with an export."""

    url: str
    port: int
    folder: Path

    def call(self, method: str, path: str, token: str | None = BOT, **told: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        given = {**headers, **told.pop("headers", {})}
        with httpx.Client(trust_env=False, verify=False, timeout=60) as http:
            return http.request(method, f"{self.url}{path}", headers=given, **told)

    def raw(self, data: bytes) -> bytes:
        """What comes back on a connection of its own until nginx closes it."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory, export: Export) -> Iterator[Callable[..., Proxied]]:
    """Starts nginx with the export of a configuration, in a folder of its own."""
    program = needed("nginx")
    with ExitStack() as stack:

        def started(written: dict[str, Any]) -> Proxied:
            port = free_port()
            folder = tmp_path_factory.mktemp("nginx")
            printed = export(written, port=port)
            (folder / "gateway.conf").write_text(printed)
            done = write_secrets(folder, printed, SECRETS)
            assert done.returncode == 0, done.stderr
            secrets = folder / "gateway-secrets.conf"
            assert secrets.stat().st_mode & 0o077 == 0
            secrets.write_text(PROXIES_NEED + secrets.read_text())
            stack.enter_context(_running(program, folder, port))
            return Proxied(f"http://127.0.0.1:{port}", port, folder)

        yield started


@contextmanager
def _running(program: str, folder: Path, port: int) -> Iterator[None]:
    command = [program, "-p", f"{folder}/", "-c", "gateway.conf", "-g", "daemon off;", "-e", "stderr"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            _wait_for(port, process)
            yield
        finally:
            process.terminate()
            process.communicate(timeout=10)


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    """Until somebody listens; nginx that ended says why."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
            continue
        return
    pytest.fail(f"nginx ended: {process.stderr.read() if process.stderr else ''}")
