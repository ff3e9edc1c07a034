"""The built pages, read once and kept compressed; without them, a page that says how to build them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = ["Pages"]

INDEX = "index.html"
NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The studio is not built</title></head><body>
<h1>The studio's pages are not built</h1>
<p>The API works: see <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
<p>In a checkout, <code>make setup</code> builds the pages; a wheel of a release holds them.
Then start the studio again.</p>
</body></html>
"""
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
HASHED = "assets/"
"""The folder of files whose names change with what is in them."""
KEPT, ASKED = "public, max-age=31536000, immutable", "no-cache"
SMALLEST = 1000
"""Bytes below which compressing is not worth it."""


@dataclass(frozen=True, slots=True)
class Built:
    """A file of the pages."""

    data: bytes
    packed: bytes | None
    kind: str
    etag: str


class Pages:
    """Answers with the files of a folder; a path without a file is the page itself, which knows its own paths.

    Args:
        folder: what the build has written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Built] = {}
        if (folder / INDEX).is_file():
            paths = (path for path in folder.rglob("*") if path.is_file())
            self._files = {path.relative_to(folder).as_posix(): _read(path) for path in paths}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._respond(scope)(scope, receive, send)

    def _respond(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return Response("only GET and HEAD\n", 405, {"allow": "GET, HEAD"}, "text/plain")
        name = str(scope["path"]).lstrip("/")
        file = self._files.get(name)
        if file is None and "." in name.rpartition("/")[2]:
            return Response("there is no such file\n", 404, media_type="text/plain")
        file = file or self._files.get(INDEX)
        if file is None:
            return Response(NOT_BUILT, 503, media_type="text/html")
        headers = Headers(scope=scope)
        described = {"cache-control": KEPT if name.startswith(HASHED) else ASKED, "etag": file.etag}
        if file.packed is not None:
            described["vary"] = "accept-encoding"
        if headers.get("if-none-match") == file.etag:
            return Response(status_code=304, headers=described)
        if file.packed is not None and "gzip" in headers.get("accept-encoding", ""):
            return Response(file.packed, headers={**described, "content-encoding": "gzip"}, media_type=file.kind)
        return Response(file.data, headers=described, media_type=file.kind)


def _read(path: Path) -> Built:
    data = path.read_bytes()
    kind = TYPES.get(path.suffix) or guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(data, 9, mtime=0) if len(data) >= SMALLEST and not kind.startswith("font/") else None
    return Built(data, packed, kind, f'"{sha256(data).hexdigest()[:32]}"')
