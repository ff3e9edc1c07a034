"""Gateways that are compared in front of the same upstream: how they start, and where they listen."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.environment import Unavailable, portkey, python_of
from bench.exchange import MODEL, TOKEN
from bench.machine import cores
from bench.measure import ROOT
from connector.config.models.gateway import hash_token

__all__ = ["GATEWAYS", "Running"]

CALLER = "gw-bench-0123456789"
LONGEST = 120.0
"""Seconds that a start may take."""


@dataclass(frozen=True)
class Running:
    """A gateway that takes calls."""

    port: int
    path: str
    token: str
    pids: tuple[int, ...]
    headers: tuple[str, ...] = ()
    """Header lines that its callers send besides."""

    def cpu(self) -> float:
        """Seconds of a core that its processes have used."""
        return sum(_cpu(pid) for pid in self.pids)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def ours(upstream: str) -> Iterator[Running]:
    """`openai-connector serve`."""
    with TemporaryDirectory() as folder:
        file = _configuration(Path(folder), upstream)
        port = _free_port()
        command = [sys.executable, "-m", "connector", "serve", "-f", str(file), "--port", str(port)]
        with _started(command, port, {"BENCH_TOKEN": TOKEN}) as pid:
            yield Running(port, "/openai/v1/chat/completions", CALLER, (pid,))


@contextmanager
def nginx(upstream: str) -> Iterator[Running]:
    """nginx with what `serve --export nginx` says, and one worker."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise Unavailable("there is no nginx here; on Debian: apt-get install nginx-light")
    with TemporaryDirectory() as name:
        folder, port = Path(name), _free_port()
        told = [sys.executable, "-m", "connector", "serve", "-f", str(_configuration(folder, upstream))]
        printed = subprocess.run(
            [*told, "--export", "nginx", "--port", str(port)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        (folder / "gateway.conf").write_text(printed.replace("worker_processes auto;", "worker_processes 1;"))
        script = "".join(f"{line[3:]}\n" for line in printed.splitlines() if line.startswith("#: "))
        secrets = {**os.environ, "BENCH_TOKEN": TOKEN, "GATEWAY_TOKEN_BENCH": CALLER}
        written = subprocess.run(
            ["sh"], input=script, env=secrets, stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        (folder / "gateway-secrets.conf").write_text(written)
        command = [program, "-p", f"{folder}/", "-c", "gateway.conf", "-e", "stderr", "-g", "daemon off;"]
        with _started(command, port, {}) as pid:
            yield Running(port, "/openai/v1/chat/completions", CALLER, (pid, *_children(pid)))


@contextmanager
def pass_through(upstream: str) -> Iterator[Running]:
    """A bare aiohttp server in front of a bare aiohttp client."""
    port = _free_port()
    with _started([sys.executable, "-m", "bench.pass_through", str(port), upstream, TOKEN], port, {}) as pid:
        yield Running(port, "/v1/chat/completions", TOKEN, (pid,))


@contextmanager
def portkey_gateway(upstream: str) -> Iterator[Running]:
    """Portkey's gateway on Node, without a log of its own."""
    port = _free_port()
    with _started(["node", str(portkey()), f"--port={port}", "--headless"], port, {"NODE_ENV": "production"}) as pid:
        headers = ("x-portkey-provider: openai", f"x-portkey-custom-host: {upstream}")
        yield Running(port, "/v1/chat/completions", TOKEN, (pid,), headers)


@contextmanager
def litellm(upstream: str) -> Iterator[Running]:
    """LiteLLM's proxy with one worker and a master key."""
    python = python_of("litellm_proxy")
    with TemporaryDirectory() as name:
        folder, port = Path(name), _free_port()
        parameters = {"model": f"openai/{MODEL}", "api_base": upstream, "api_key": TOKEN}
        told = {
            "model_list": [{"model_name": MODEL, "litellm_params": parameters}],
            "general_settings": {"master_key": "sk-bench"},
        }
        (folder / "config.yaml").write_text(json.dumps(told))
        command = [str(python.parent / "litellm"), "--config", str(folder / "config.yaml"), "--host", "127.0.0.1"]
        quiet = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
        with _started(
            [*command, "--port", str(port), "--num_workers", "1", "--telemetry", "False"], port, quiet
        ) as pid:
            yield Running(port, "/v1/chat/completions", "sk-bench", (pid, *_children(pid)))


@contextmanager
def nobody(upstream: str) -> Iterator[Running]:
    """The upstream itself: what the load could ask for."""
    yield Running(int(upstream.rpartition(":")[2].partition("/")[0]), "/v1/chat/completions", TOKEN, ())


GATEWAYS: Mapping[str, Callable[[str], AbstractContextManager[Running]]] = {
    "openai-connector serve": ours,
    "bare aiohttp pass-through": pass_through,
    "nginx, exported": nginx,
    "Portkey's gateway": portkey_gateway,
    "LiteLLM's proxy": litellm,
    "no gateway": nobody,
}


def _configuration(folder: Path, upstream: str) -> Path:
    client = {"prototype": "openai-compatible", "parameters": {"base_uri": upstream, "token": "${BENCH_TOKEN}"}}
    tokens = {"bench": {"hash": hash_token(CALLER), "allow": ["chat completions create", "models *"]}}
    file = folder / "connector.json"
    file.write_text(json.dumps({"clients": {"openai": client}, "gateway": {"tokens": tokens}}))
    return file


@contextmanager
def _started(command: list[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    """The process, from when it listens to when the block ends."""
    core, _ = cores()
    pinned = command if core is None else ["taskset", "-c", str(core), *command]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "LITELLM_"))}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(pinned, cwd=ROOT, env=kept | environment, stdout=quiet, stderr=quiet) as process:
        try:
            _wait_for(port, process)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Unavailable(
        f"it ended with {process.poll()}" if process.poll() is not None else f"no port after {LONGEST:g} s"
    )


def _children(pid: int) -> tuple[int, ...]:
    """The processes that a process has started."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return tuple(int(each) for each in listed.stdout.split())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
