"""Skills: archives of instructions, in versions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

from connector.model import JSON, is_list
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Request, Upload
from connector.sandbox.resources.crud import bad_request, build_list_handler, build_retrieve_handler, get_body

__all__ = ["HANDLERS"]

MANIFEST = "SKILL.md"
MOST_BYTES = 50 * 1024 * 1024
FRONT = re.compile(r"\A---\s*\n(.*?)\n---", re.DOTALL)
FIELD = re.compile(r"^(name|description):\s*(.*?)\s*$", re.MULTILINE)
SKILLS = "skills"
VERSIONS = "skill versions"


class Bundle(NamedTuple):
    """The name, the description and the archive of a skill."""

    name: str
    description: str
    data: bytes


def read_bundle(given: JSON, *, lenient: bool) -> Bundle:
    """Return the bundle of uploaded files, or of one archive; raise ApiError without a manifest."""
    files = _collect_files(given)
    manifest = next((data for name, data in files.items() if name.rsplit("/", 1)[-1] == MANIFEST), None)
    if manifest is None and not lenient:
        raise bad_request(f"A skill needs a {MANIFEST} with its name and description.", "files", "invalid_skill")
    manifest_fields = _read_front_matter(manifest or b"")
    if not lenient and not manifest_fields.keys() >= {"name", "description"}:
        raise bad_request(f"The front matter of {MANIFEST} lacks 'name' or 'description'.", "files", "invalid_skill")
    return Bundle(manifest_fields.get("name", "skill"), manifest_fields.get("description", ""), _pack(files))


def _collect_files(given: JSON) -> dict[str, bytes]:
    uploads: Sequence[JSON] = given if is_list(given) else [given]
    files: dict[str, bytes] = {}
    for upload in uploads:
        if isinstance(upload, Upload) and upload.data.startswith(b"PK\x03\x04"):
            files |= _unpack(upload.data)
        elif isinstance(upload, Upload):
            files[upload.filename] = upload.data
    return files


def _unpack(data: bytes) -> dict[str, bytes]:
    try:
        with ZipFile(BytesIO(data)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_BYTES:
                raise bad_request(f"The archive unpacks to more than {MOST_BYTES} bytes.", "files")
            return {part.filename: packed.read(part) for part in packed.infolist() if not part.is_dir()}
    except (BadZipFile, NotImplementedError, RuntimeError):
        raise bad_request("The archive is damaged or encrypted.", "files") from None


def _pack(files: Mapping[str, bytes]) -> bytes:
    """Return the archive of the files; the same bytes for the same files."""
    archive = BytesIO()
    with ZipFile(archive, "w") as packed:
        for name, data in sorted(files.items()):
            packed.writestr(ZipInfo(name), data)
    return archive.getvalue()


def _read_front_matter(manifest: bytes) -> dict[str, str]:
    front = FRONT.search(manifest.decode("utf-8", "replace"))
    return {found[1]: found[2].strip("\"'") for found in FIELD.finditer(front[1])} if front else {}


def create_skill(request: Request, backend: Backend) -> Answer:
    bundle = read_bundle(get_body(request).get("files"), lenient=backend.options.lenient)
    made: dict[str, JSON] = {"id": backend.new_id("skill_"), "object": "skill", "created_at": int(backend.now())}
    made |= {"name": bundle.name, "description": bundle.description, "default_version": "1", "latest_version": "1"}
    backend.objects.put(SKILLS, made)
    _add_version(backend, made["id"], "1", bundle)
    return Answer(made)


def update_skill(request: Request, backend: Backend) -> Answer:
    known, wanted = backend.require_object(SKILLS, request.path["skill_id"]), get_body(request)["default_version"]
    version = _find_version(backend, known["id"], wanted)
    known |= {"default_version": wanted, "name": version["name"], "description": version["description"]}
    backend.objects.put(SKILLS, known)
    return Answer(known)


def delete_skill(request: Request, backend: Backend) -> Answer:
    skill = request.path["skill_id"]
    backend.require_object(SKILLS, skill)
    for version in list(backend.objects.all(VERSIONS, skill)):
        backend.delete_content(version["id"])
    backend.objects.delete(SKILLS, skill)
    return Answer({"id": skill, "object": "skill.deleted", "deleted": True})


def download_skill(request: Request, backend: Backend) -> Answer:
    known = backend.require_object(SKILLS, request.path["skill_id"])
    return _archive_answer(backend, _find_version(backend, request.path["skill_id"], known["default_version"]))


def create_version(request: Request, backend: Backend) -> Answer:
    known, body = backend.require_object(SKILLS, request.path["skill_id"]), get_body(request)
    bundle = read_bundle(body.get("files"), lenient=backend.options.lenient)
    latest = known["latest_version"]
    number = str(int(latest) + 1) if latest.isdecimal() else "1"
    known["latest_version"] = number
    if body.get("default"):
        known |= {"default_version": number, "name": bundle.name, "description": bundle.description}
    backend.objects.put(SKILLS, known)
    return Answer(_add_version(backend, request.path["skill_id"], number, bundle))


def retrieve_version(request: Request, backend: Backend) -> Answer:
    return Answer(_find_version(backend, request.path["skill_id"], request.path["version"]))


def download_version(request: Request, backend: Backend) -> Answer:
    return _archive_answer(backend, _find_version(backend, request.path["skill_id"], request.path["version"]))


def delete_version(request: Request, backend: Backend) -> Answer:
    skill = backend.require_object(SKILLS, request.path["skill_id"])
    version = _find_version(backend, request.path["skill_id"], request.path["version"])
    if version["version"] == skill["default_version"] and not backend.options.lenient:
        raise bad_request("The default version cannot be deleted: make another one the default first.", "version")
    backend.objects.delete(VERSIONS, version["id"], request.path["skill_id"])
    backend.delete_content(version["id"])
    if version["version"] == skill["latest_version"]:
        left = backend.objects.page(VERSIONS, request.path["skill_id"], limit=1).items
        skill["latest_version"] = left[0]["version"] if left else skill["default_version"]
        backend.objects.put(SKILLS, skill)
    gone = {"id": version["id"], "object": "skill.version.deleted", "deleted": True}
    return Answer({**gone, "version": request.path["version"]})


def _add_version(backend: Backend, skill: str, number: str, bundle: Bundle) -> dict[str, JSON]:
    made: dict[str, JSON] = {"id": backend.new_id("skillver_"), "object": "skill.version", "skill_id": skill}
    made |= {"created_at": int(backend.now()), "version": number}
    made |= {"name": bundle.name, "description": bundle.description}
    backend.save_content(made["id"], bundle.data)
    backend.objects.put(VERSIONS, made, skill)
    return made


def _find_version(backend: Backend, skill: str, number: str) -> dict[str, Any]:
    versions = backend.objects.page(VERSIONS, skill, limit=1, where=lambda one: number in (one["version"], "latest"))
    if versions.items:
        return versions.items[0]
    if backend.options.lenient:
        return {**backend.require_object(VERSIONS, number, skill), "skill_id": skill, "version": number}
    raise ApiError(404, f"Skill '{skill}' has no version '{number}'.", param="version", code="not_found")


def _archive_answer(backend: Backend, version: Mapping[str, Any]) -> Answer:
    return Answer(data=backend.read_content(version["id"]), content_type="application/zip")


SKILL = "/skills/{skill_id}"
HANDLERS: Mapping[str, Handler] = {
    "GET /skills": build_list_handler(SKILLS),
    "POST /skills": create_skill,
    f"GET {SKILL}": build_retrieve_handler(SKILLS, "skill_id"),
    f"POST {SKILL}": update_skill,
    f"DELETE {SKILL}": delete_skill,
    f"GET {SKILL}/content": download_skill,
    f"GET {SKILL}/versions": build_list_handler(VERSIONS, (SKILLS, "skill_id")),
    f"POST {SKILL}/versions": create_version,
    f"GET {SKILL}/versions/{{version}}": retrieve_version,
    f"DELETE {SKILL}/versions/{{version}}": delete_version,
    f"GET {SKILL}/versions/{{version}}/content": download_version,
}
