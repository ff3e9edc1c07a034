"""Which Python runs a peer: ours, or one of its own for a peer whose dependencies would disturb ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["INSTALLED_ONLY", "Unavailable", "home", "portkey", "python_of"]

HOME = Path(__file__).resolve().parents[1] / ".bench"
# litellm imports mcp for a call with tools, and does not say that it needs it.
APART = {
    "litellm": ("litellm", "mcp"),
    "litellm_proxy": ("litellm[proxy]",),
    "jsonata_alone": ("jsonata-python", "orjson"),
    "dlt_map": ("dlt", "orjson"),
    "airbyte": ("airbyte-cdk", "orjson"),
    "dbos_steps": ("dbos", "aiohttp"),
    "procrastinate_jobs": ("procrastinate", "aiohttp"),
    "celery_redis": ("celery[redis]", "httpx"),
}
PORTKEY = "@portkey-ai/gateway@1.15.2"
LONGEST = 600
INSTALLED_ONLY = "BENCH_INSTALLED_ONLY"
"""The environment's word that peers without an environment of their own are left out, instead of making one."""


class Unavailable(Exception):
    """Why a peer cannot be measured here."""


def home() -> Path:
    """A folder for what the bench keeps and leaves, which git does not see."""
    HOME.mkdir(exist_ok=True)
    (HOME / ".gitignore").write_text("*\n", encoding="utf-8")
    return HOME


def python_of(peer: str) -> Path:
    """The interpreter for this peer; its environment is made the first time it is asked for."""
    return _own(peer) if peer in APART else Path(sys.executable)


def _own(peer: str) -> Path:
    place = HOME / peer
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        _refuse_to_install()
        print(f"{peer}: installing it into {place.relative_to(HOME.parent)}", file=sys.stderr, flush=True)
        home()
        _run(sys.executable, "-m", "venv", "--clear", str(place))
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *APART[peer])
        (place / "ready").touch()
    return python


def portkey() -> Path:
    """The program of Portkey's gateway for Node; it is installed the first time it is asked for."""
    place = HOME / "portkey"
    program = place / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise Unavailable("there is no Node here")
    if not (place / "ready").exists():
        _refuse_to_install()
        print(f"{PORTKEY}: installing it into {place.relative_to(HOME.parent)}", file=sys.stderr, flush=True)
        home()
        place.mkdir(exist_ok=True)
        _run(npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(place), PORTKEY)
        (place / "ready").touch()
    return program


def _refuse_to_install() -> None:
    if os.environ.get(INSTALLED_ONLY):
        raise Unavailable("it is not installed; `make bench` without --quick installs it")


def _run(*command: str) -> None:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"`{' '.join(command[1:4])}` took over {LONGEST} s") from None
    if ended.returncode:
        errors = [line for line in ended.stderr.splitlines() if line.startswith("ERROR")]
        raise Unavailable(f"it cannot be installed: {errors[-1] if errors else ended.stderr[-300:].strip()}")
