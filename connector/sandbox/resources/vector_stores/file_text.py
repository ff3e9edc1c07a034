"""The text of a file: plain, or out of HTML, Office documents and simple PDFs."""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from zipfile import BadZipFile, ZipFile

__all__ = ["UnreadableFile", "extract_text"]

MOST_UNPACKED = 64 * 1024 * 1024
"""The limit of bytes that are unpacked of one file."""
OFFICE_PARTS = re.compile(r"^(word/document|ppt/slides/slide\d+|xl/sharedStrings)\.xml$")
TAG = re.compile(r"<[^<>]*>")
PARAGRAPH = re.compile(r"</(?:w:p|a:p|si|p|div|li|h\d|tr)>|<br\s*/?>")
STREAM = re.compile(rb"stream\r?\n")
PDF_TEXT = re.compile(rb"\(((?:[^()\\]|\\.)*+)(\)?)|\b(?:T\*|TD|Td|ET)\b")
ESCAPE = re.compile(rb"\\(.)")


class UnreadableFile(Exception):
    """A file without readable text."""


def extract_text(data: bytes, filename: str) -> str:
    """Return the text of a file: plain, or out of HTML, Office documents and simple PDFs."""
    if data.startswith(b"PK\x03\x04"):
        return _read_office(data)
    if data.startswith(b"%PDF-"):
        return _read_pdf(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFile("the file is neither text nor a document that text can be read from") from None
    if "\0" in text:
        raise UnreadableFile("the file holds NUL and so is not text")
    return _strip_markup(text) if filename.lower().endswith((".html", ".htm", ".xml")) else text


def _strip_markup(markup: str) -> str:
    lines = html.unescape(TAG.sub("", PARAGRAPH.sub("\n", markup))).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


def _read_office(data: bytes) -> str:
    try:
        with ZipFile(BytesIO(data)) as packed:
            parts = [part for part in packed.infolist() if OFFICE_PARTS.match(part.filename)]
            if sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise UnreadableFile(f"the document unpacks to more than {MOST_UNPACKED} bytes")
            texts = [_strip_markup(packed.read(part).decode("utf-8", "replace")) for part in parts]
    except (BadZipFile, zlib.error, NotImplementedError, RuntimeError):
        raise UnreadableFile("the archive is damaged or encrypted") from None
    if not texts:
        raise UnreadableFile("the archive holds no document")
    return "\n".join(texts)


def _read_pdf(data: bytes) -> str:
    """Return the text of the content streams; fonts with tables of their own are not read."""
    shown = [_pdf_text(_inflate(found)) for found in _pdf_streams(data)]
    text = "\n".join(page for page in shown if page)
    if not text:
        raise UnreadableFile("no text was found in the PDF")
    return text


def _pdf_streams(data: bytes) -> Iterator[bytes]:
    """Yield the bytes between `stream` and `endstream`."""
    at = 0
    while (begin := STREAM.search(data, at)) and (end := data.find(b"endstream", begin.end())) >= 0:
        yield data[begin.end() : end].removesuffix(b"\n").removesuffix(b"\r")
        at = end + len(b"endstream")


def _inflate(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream, MOST_UNPACKED)
    except zlib.error:
        return stream


def _pdf_text(content: bytes) -> str:
    if b"BT" not in content:
        return ""
    pieces = (_pdf_piece(found) for found in PDF_TEXT.finditer(content))
    lines = b"".join(pieces).decode("latin-1").splitlines()
    return "\n".join(line for line in lines if line.strip())


def _pdf_piece(found: re.Match[bytes]) -> bytes:
    """Return the text of a closed string, or a line end for a move to the next line."""
    if found[1] is None:
        return b"\n"
    return ESCAPE.sub(rb"\1", found[1]) if found[2] else b""
