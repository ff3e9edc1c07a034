"""The files of a skill: what they say of themselves, and the archive they are kept in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

from connector.model import JSON, is_list
from connector.sandbox.call import Upload
from connector.sandbox.processes.kept import wrong

__all__ = ["Bundle", "bundle_of"]

MANIFEST = "SKILL.md"
MOST_BYTES = 50 * 1024 * 1024
FRONT = re.compile(r"\A---\s*\n(.*?)\n---", re.DOTALL)
FIELD = re.compile(r"^(name|description):\s*(.*?)\s*$", re.MULTILINE)


class Bundle(NamedTuple):
    """A skill's name and description, and its archive."""

    name: str
    description: str
    data: bytes


def bundle_of(given: JSON, *, lenient: bool) -> Bundle:
    """The bundle of uploaded files, or of one archive; one without a manifest is refused."""
    files = _files(given)
    manifest = next((data for name, data in files.items() if name.rsplit("/", 1)[-1] == MANIFEST), None)
    if manifest is None and not lenient:
        raise wrong(f"A skill needs a {MANIFEST} with its name and description.", "files", "invalid_skill")
    said = _front(manifest or b"")
    if not lenient and not said.keys() >= {"name", "description"}:
        raise wrong(f"The front matter of {MANIFEST} lacks 'name' or 'description'.", "files", "invalid_skill")
    return Bundle(said.get("name", "skill"), said.get("description", ""), _packed(files))


def _files(given: JSON) -> dict[str, bytes]:
    uploads: Sequence[JSON] = given if is_list(given) else [given]
    files: dict[str, bytes] = {}
    for upload in uploads:
        if isinstance(upload, Upload) and upload.data.startswith(b"PK\x03\x04"):
            files |= _unpacked(upload.data)
        elif isinstance(upload, Upload):
            files[upload.filename] = upload.data
    return files


def _unpacked(data: bytes) -> dict[str, bytes]:
    try:
        with ZipFile(BytesIO(data)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_BYTES:
                raise wrong(f"The archive unpacks to more than {MOST_BYTES} bytes.", "files")
            return {part.filename: packed.read(part) for part in packed.infolist() if not part.is_dir()}
    except (BadZipFile, NotImplementedError, RuntimeError):
        raise wrong("The archive is damaged or encrypted.", "files") from None


def _packed(files: Mapping[str, bytes]) -> bytes:
    """The archive of the files; the same files give the same bytes."""
    archive = BytesIO()
    with ZipFile(archive, "w") as packed:
        for name, data in sorted(files.items()):
            packed.writestr(ZipInfo(name), data)
    return archive.getvalue()


def _front(manifest: bytes) -> dict[str, str]:
    front = FRONT.search(manifest.decode("utf-8", "replace"))
    return {found[1]: found[2].strip("\"'") for found in FIELD.finditer(front[1])} if front else {}
