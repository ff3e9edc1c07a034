"""Wheels of packages that are read as data: named by the caller, else fetched by pip, and never installed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.errors import ConfigurationError

__all__ = ["wheel_of"]

VERSION = re.compile(r"v?(\d+(?:\.\d+)*(?:(?:a|b|rc|\.post|\.dev)\d+)*)", re.IGNORECASE)
DOWNLOAD = ("-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:")
HINT = "a wheel or the folder of an unpacked one may be named instead"


@contextmanager
def wheel_of(package: str, wanted: str) -> Generator[Path]:
    """Give the wheel or folder that is wanted; a version is fetched by pip, from where pip is set to look."""
    if wanted.strip() and Path(wanted).exists():
        yield Path(wanted)
        return
    exact = _read_version(package, wanted.strip())
    with TemporaryDirectory() as into:
        yield _download(exact, Path(into))


def _read_version(package: str, wanted: str) -> str:
    if wanted == "latest":
        return package
    version = VERSION.fullmatch(wanted)
    if version is not None:
        return f"{package}=={version.group(1)}"
    if wanted.endswith(".whl") or "/" in wanted:
        raise ConfigurationError(f"{wanted}: no such wheel or folder")
    raise ConfigurationError(
        f"found {wanted!r} for {package}: a version such as 1.2.3, `latest`, a wheel or the folder of one is needed"
    )


def _download(exact: str, into: Path) -> Path:
    command = (sys.executable, *DOWNLOAD, "--dest", str(into), exact)
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a list, no shell
    wheels = list(into.glob("*.whl"))
    if ended.returncode or not wheels:
        said = ended.stderr.strip().splitlines()
        errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
        reason = (errors or said or ["it gave no wheel"])[-1]
        raise ConfigurationError(f"{exact}: pip cannot fetch it: {reason}; {HINT}")
    return wheels[0]
