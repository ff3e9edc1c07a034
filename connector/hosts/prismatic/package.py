"""The files of the package: what Prismatic's command line builds and publishes."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from connector.aio.atomic_file import write_atomically
from connector.errors import ConfigurationError
from connector.model import JSON, members

__all__ = ["write_package"]

NAME = "openai-connector-component"
MANIFEST: Mapping[str, JSON] = {
    "name": NAME,
    "version": "1.0.0",
    "private": True,
    "main": "index.js",
    "scripts": {
        "build": "esbuild index.js --bundle --platform=node --outfile=dist/index.js"
        " && node -e \"fs.copyFileSync('icon.png', 'dist/icon.png')\"",
        "publish": "npm run build && prism components:publish",
    },
    "dependencies": {"@prismatic-io/spectral": "10.31.1"},
    "devDependencies": {"esbuild": "^0.25.0"},
}
SIDE = 64
COLOUR = bytes((16, 163, 127))


def write_package(folder: Path, actions: Mapping[str, JSON], server: str) -> list[Path]:
    """Write the package; ConfigurationError for a folder that holds another.

    Args:
        server: the address that its connection has at first.
    """
    _require_ours(folder)
    described: JSON = {"server": server, "actions": dict(actions)}
    contents = {
        "package.json": _text(dict(MANIFEST)),
        "index.js": files("connector.hosts.prismatic").joinpath("component.js").read_bytes(),
        "actions.json": _text(described),
        "icon.png": _icon(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise ConfigurationError(f"--into {folder}: {error.strerror}") from None
    return [folder / name for name in contents]


def _require_ours(folder: Path) -> None:
    manifest = folder / "package.json"
    try:
        known: JSON = json.loads(manifest.read_bytes())
    except FileNotFoundError:
        return
    except (OSError, ValueError):
        known = None
    if members(known).get("name") != NAME:
        raise ConfigurationError(f"{manifest} is of another package; name another folder with --into")


def _text(document: JSON) -> bytes:
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode()


def _icon() -> bytes:
    """Return a plain square: Prismatic takes no component without an icon."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + COLOUR * SIDE) * SIDE
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
