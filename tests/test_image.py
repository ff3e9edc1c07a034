"""The container image, as far as it can be known without building it: what it is made of, and that its commands run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.installed import ROOT, build_wheel, clean_environment

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
LINES = [line for line in DOCKERFILE.splitlines() if line.strip() and not line.startswith("#")]
STAGES = DOCKERFILE.split("\nFROM ")[1:]
CERTIFICATES = ROOT / "tests" / "http" / "certificates"
CONFIGURATION = """
clients:
  openai: {prototype: openai, parameters: {token: any}}
gateway:
  listen: 127.0.0.1:0
"""


def instruction(word: str) -> list[str]:
    return [line.split(" ", 1)[1] for line in LINES if line.startswith(f"{word} ")]


def test_every_base_is_one_exact_python_that_is_promised() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    bases = {line.split(" AS ")[0] for line in instruction("FROM")}
    assert len(bases) == 1
    found = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-bookworm", bases.pop())
    assert found
    assert f"Programming Language :: Python :: {found[1]}" in classifiers


def test_what_runs_is_nobody_special_and_is_asked_for_its_health() -> None:
    last = STAGES[-1]
    assert re.search(r"(?m)^USER (\d+)$", last)
    assert last.index("\nUSER 10001") < last.index("\nENTRYPOINT")
    assert "--uid 10001" in last
    assert "HEALTHCHECK" in last


def test_nothing_secret_and_nothing_unpinned_gets_in() -> None:
    assert not [line for line in LINES if line.startswith(("ADD", "ARG", "ONBUILD"))]
    assert not re.search(r"(?i)token|secret|password|api_key|curl|wget|https?://", "\n".join(LINES))
    installs = [part for line in instruction("RUN") for part in line.split("&&") if " install " in part]
    assert len(installs) == 2
    assert all("--no-deps" in part and ("--require-hashes" in part or "--no-index" in part) for part in installs)


def test_what_is_copied_is_let_through_and_nothing_else_is() -> None:
    copied = {source for line in instruction("COPY") if not line.startswith("--from") for source in line.split()[:-1]}
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignore[1] == "*"
    assert copied == {line.removeprefix("!") for line in ignore[2:]}
    assert all((ROOT / source).is_file() for source in copied if not source.startswith("dist/"))


def test_the_image_has_the_versions_that_are_tested() -> None:
    """What the connector needs, with the extras, as requirements.lock pins it for the tests."""
    pin = re.compile(r"(?m)^([\w.-]+)==(\S+)")
    image, tested = (
        dict(pin.findall((ROOT / name).read_text(encoding="utf-8")))
        for name in ("requirements-runtime.lock", "requirements.lock")
    )
    assert {"aiohttp", "asyncpg", "typer", "opentelemetry-sdk"} <= image.keys()
    assert image.items() <= tested.items()
    assert not {"pytest", "openai", "ruff"} & image.keys()


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    return clean_environment(folder / "env", build_wheel(ROOT, folder))


@contextmanager
def serving(tools: Path, folder: Path) -> Iterator[str]:
    """The image's entry point with its command; its address as it says it."""
    words = [*json.loads(instruction("ENTRYPOINT")[0]), *json.loads(instruction("CMD")[0])]
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "OPENAI_CONNECTOR_GATEWAY_TOKEN": "gw-example"}
    process = subprocess.Popen(
        [str(tools / words[0]), *words[1:]], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if found := re.search(r"https?://127\.0\.0\.1:\d+", line):
                yield found[0]
                break
        else:
            pytest.fail(said)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def healthy(tools: Path, address: str) -> tuple[int, str]:
    """What the image's health check comes to, its file taken from this checkout."""
    program, script = json.loads(instruction("HEALTHCHECK")[0].split("CMD ")[1])
    assert script == "/opt/connector/healthcheck.py"
    done = subprocess.run(
        [str(tools / program), "-W", "error", str(ROOT / "docker" / "healthcheck.py")],
        env={**os.environ, "OPENAI_CONNECTOR_HEALTH_URL": f"{address}/healthz"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_the_entry_point_serves_and_the_check_knows(tools: Path, tmp_path: Path, secure: bool) -> None:
    tls = f"  tls: {{certificate: {CERTIFICATES / 'good.pem'}, key: {CERTIFICATES / 'good.pem'}}}\n"
    (tmp_path / "connector.yaml").write_text(CONFIGURATION + (tls if secure else ""), encoding="utf-8")
    with serving(tools, tmp_path) as address:
        assert address.startswith("https:" if secure else "http:")
        assert healthy(tools, address) == (0, "")
    code, said = healthy(tools, address)
    assert code == 1
    assert address in said
