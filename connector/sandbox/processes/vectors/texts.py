"""The text in a stored file, as a vector store reads it."""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from zipfile import BadZipFile, ZipFile

__all__ = ["Unreadable", "text_of"]

MOST = 64 * 1024 * 1024
"""The most that is unpacked of one file."""
PARTS = re.compile(r"^(word/document|ppt/slides/slide\d+|xl/sharedStrings)\.xml$")
TAG = re.compile(r"<[^<>]*>")
PARAGRAPH = re.compile(r"</(?:w:p|a:p|si|p|div|li|h\d|tr)>|<br\s*/?>")
STREAM = re.compile(rb"stream\r?\n")
SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*+)(\)?)|\b(?:T\*|TD|Td|ET)\b")
ESCAPE = re.compile(rb"\\(.)")


class Unreadable(Exception):
    """A file whose text cannot be had."""


def text_of(data: bytes, filename: str) -> str:
    """The file's text: as it stands, or out of the markup of HTML, Office files and simple PDFs."""
    if data.startswith(b"PK\x03\x04"):
        return _office(data)
    if data.startswith(b"%PDF-"):
        return _pdf(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("the file is neither text nor a document that text can be read from") from None
    if "\0" in text:
        raise Unreadable("the file holds NUL and so is not text")
    return _plain(text) if filename.lower().endswith((".html", ".htm", ".xml")) else text


def _plain(markup: str) -> str:
    lines = html.unescape(TAG.sub("", PARAGRAPH.sub("\n", markup))).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


def _office(data: bytes) -> str:
    try:
        with ZipFile(BytesIO(data)) as packed:
            parts = [part for part in packed.infolist() if PARTS.match(part.filename)]
            if sum(part.file_size for part in parts) > MOST:
                raise Unreadable(f"the document unpacks to more than {MOST} bytes")
            texts = [_plain(packed.read(part).decode("utf-8", "replace")) for part in parts]
    except (BadZipFile, zlib.error, NotImplementedError, RuntimeError):
        raise Unreadable("the archive is damaged or encrypted") from None
    if not texts:
        raise Unreadable("the archive holds no document")
    return "\n".join(texts)


def _pdf(data: bytes) -> str:
    """What the content streams show; good for plain PDFs, not for fonts with tables of their own."""
    shown = [_shown(_inflated(found)) for found in _streams(data)]
    text = "\n".join(page for page in shown if page)
    if not text:
        raise Unreadable("no text was found in the PDF")
    return text


def _streams(data: bytes) -> Iterator[bytes]:
    """What stands between `stream` and `endstream`."""
    at = 0
    while (begin := STREAM.search(data, at)) and (end := data.find(b"endstream", begin.end())) >= 0:
        yield data[begin.end() : end].removesuffix(b"\n").removesuffix(b"\r")
        at = end + len(b"endstream")


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream, MOST)
    except zlib.error:
        return stream


def _shown(content: bytes) -> str:
    if b"BT" not in content:
        return ""
    pieces = (_piece(found) for found in SHOWN.finditer(content))
    lines = b"".join(pieces).decode("latin-1").splitlines()
    return "\n".join(line for line in lines if line.strip())


def _piece(found: re.Match[bytes]) -> bytes:
    """The text of a string that is closed; a line end for what moves to the next line."""
    if found[1] is None:
        return b"\n"
    return ESCAPE.sub(rb"\1", found[1]) if found[2] else b""
