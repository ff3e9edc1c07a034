"""Where the values of references come from: the environment, `.env`, files and the system's keyring.

Each is read when it is used, so that a secret that is replaced during a run is the new one from then on.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path as File

from connector.config.references import Reference
from connector.errors import ConfigurationError

__all__ = ["Providers", "parse_dotenv"]

MOST_BYTES = 1024**2
KEYRING_SECONDS = 30.0
"""How long a keyring's answer is kept, because asking may start another process."""


class Providers:
    """Look up references; read files and keyrings again only if they may have changed."""

    def __init__(
        self, environ: Mapping[str, str] | None, folder: File, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._folder = folder
        self._clock = clock
        self._files: dict[File, tuple[object, str]] = {}
        self.dotenv = folder / ".env"
        self._dotenv: tuple[str, dict[str, str]] = ("", {})
        self._keyring: dict[str, tuple[float, str | None]] = {}

    def __repr__(self) -> str:
        return f"Providers({str(self._folder)!r})"

    def find(self, reference: Reference) -> str | None:
        """Return the value of a reference; None if it is not set."""
        if reference.kind == "file":
            return self._file(self._folder / reference.name)
        if reference.kind == "keyring":
            return self._from_keyring(reference.name)
        return self._environ.get(reference.name) or self._from_dotenv().get(reference.name) or None

    def source(self, reference: Reference) -> str:
        """Return the name of the provider that has the value; empty if none has."""
        if reference.kind != "environment":
            return reference.kind if self.find(reference) is not None else ""
        if self._environ.get(reference.name):
            return "environment"
        return ".env" if self._from_dotenv().get(reference.name) else ""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of the process, and behind them those of `.env` beside the configuration."""
        return {**self._from_dotenv(), **{name: value for name, value in self._environ.items() if value}}

    def wrong_lines(self) -> list[int]:
        """Return the numbers of the lines of `.env` that are neither a variable nor a comment."""
        return parse_dotenv(self._file(self.dotenv, whole=True) or "")[1]

    def _from_dotenv(self) -> dict[str, str]:
        text = self._file(self.dotenv, whole=True) or ""
        if text != self._dotenv[0]:
            self._dotenv = (text, parse_dotenv(text)[0])
        return self._dotenv[1]

    def _file(self, file: File, *, whole: bool = False) -> str | None:
        """Return a file's text; unless `whole`, without the line break at its end."""
        try:
            status = file.stat()
        except OSError:
            return None
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._files.get(file)
        if known is None or known[0] != stamp:
            known = self._files[file] = (stamp, _read(file, status))
        return known[1] if whole else known[1].removesuffix("\n").removesuffix("\r")

    def _from_keyring(self, name: str) -> str | None:
        known = self._keyring.get(name)
        if known is None or self._clock() - known[0] > KEYRING_SECONDS:
            known = self._keyring[name] = (self._clock(), _ask_keyring(name))
        return known[1]


def _read(file: File, status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"{str(file)!r} is no regular file; a variable is read from one")
    if status.st_size > MOST_BYTES:
        raise ConfigurationError(f"{str(file)!r} has {status.st_size:,} bytes; at most {MOST_BYTES:,} make a variable")
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{str(file)!r} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{str(file)!r} is not UTF-8; a variable is text") from None


def _ask_keyring(name: str) -> str | None:
    from importlib import import_module

    service, _, user = name.rpartition("/")
    if not service or not user:
        raise ConfigurationError(f"${{keyring:{name}}}: write it as ${{keyring:SERVICE/NAME}}")
    try:
        keyring = import_module("keyring")
    except ImportError:
        raise ConfigurationError(f"${{keyring:{name}}} needs the package keyring: pip install keyring") from None
    try:
        found: str | None = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise ConfigurationError(f"${{keyring:{name}}}: the keyring refuses: {type(error).__name__}") from None
    return found


LINE = re.compile(
    r"""(?x) \s* (?:export\s+)? (?P<name>[A-Za-z_][A-Za-z0-9_.-]*) \s*=\s*
    (?: '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | (?P<plain>[^'"\s].*?)? ) \s* (?:(?<!\S)\#.*)? $"""
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse_dotenv(text: str) -> tuple[dict[str, str], list[int]]:
    """Return the variables of a file, and the numbers of the lines that are neither a variable nor a comment."""
    found: dict[str, str] = {}
    wrong: list[int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = LINE.fullmatch(line)
        if match is not None:
            found[match["name"]] = _value(match)
        elif line.strip() and not line.lstrip().startswith("#"):
            wrong.append(number)
    return found, wrong


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        return re.sub(r"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[1]), match["double"])
    return match["single"] or (match["plain"] or "").strip()
