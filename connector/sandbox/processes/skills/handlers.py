"""Skills and their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.call import Answer, Refused
from connector.sandbox.processes.kept import body_of, lists, retrieves, wrong
from connector.sandbox.processes.skills.bundle import Bundle, bundle_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS"]

SKILLS = "skills"
VERSIONS = "skill versions"


def create(call: Call, world: World) -> Answer:
    bundle = bundle_of(body_of(call).get("files"), lenient=world.options.lenient)
    made: dict[str, JSON] = {"id": world.new_id("skill_"), "object": "skill", "created_at": int(world.now())}
    made |= {"name": bundle.name, "description": bundle.description, "default_version": "1", "latest_version": "1"}
    world.objects.put(SKILLS, made)
    _add(world, made["id"], "1", bundle)
    return Answer(made)


def update(call: Call, world: World) -> Answer:
    known, wanted = world.found(SKILLS, call.path["skill_id"]), body_of(call)["default_version"]
    version = _version(world, known["id"], wanted)
    known |= {"default_version": wanted, "name": version["name"], "description": version["description"]}
    world.objects.put(SKILLS, known)
    return Answer(known)


def delete(call: Call, world: World) -> Answer:
    skill = call.path["skill_id"]
    world.found(SKILLS, skill)
    for version in list(world.objects.all(VERSIONS, skill)):
        world.drop_content(version["id"])
    world.objects.delete(SKILLS, skill)
    return Answer({"id": skill, "object": "skill.deleted", "deleted": True})


def content(call: Call, world: World) -> Answer:
    known = world.found(SKILLS, call.path["skill_id"])
    return _content(world, _version(world, call.path["skill_id"], known["default_version"]))


def create_version(call: Call, world: World) -> Answer:
    known, asked = world.found(SKILLS, call.path["skill_id"]), body_of(call)
    bundle = bundle_of(asked.get("files"), lenient=world.options.lenient)
    latest = known["latest_version"]
    number = str(int(latest) + 1) if latest.isdecimal() else "1"
    known["latest_version"] = number
    if asked.get("default"):
        known |= {"default_version": number, "name": bundle.name, "description": bundle.description}
    world.objects.put(SKILLS, known)
    return Answer(_add(world, call.path["skill_id"], number, bundle))


def retrieve_version(call: Call, world: World) -> Answer:
    return Answer(_version(world, call.path["skill_id"], call.path["version"]))


def version_content(call: Call, world: World) -> Answer:
    return _content(world, _version(world, call.path["skill_id"], call.path["version"]))


def delete_version(call: Call, world: World) -> Answer:
    skill = world.found(SKILLS, call.path["skill_id"])
    version = _version(world, call.path["skill_id"], call.path["version"])
    if version["version"] == skill["default_version"] and not world.options.lenient:
        raise wrong("The default version cannot be deleted: make another one the default first.", "version")
    world.objects.delete(VERSIONS, version["id"], call.path["skill_id"])
    world.drop_content(version["id"])
    if version["version"] == skill["latest_version"]:
        left = world.objects.page(VERSIONS, call.path["skill_id"], limit=1).items
        skill["latest_version"] = left[0]["version"] if left else skill["default_version"]
        world.objects.put(SKILLS, skill)
    gone = {"id": version["id"], "object": "skill.version.deleted", "deleted": True}
    return Answer({**gone, "version": call.path["version"]})


def _add(world: World, skill: str, number: str, bundle: Bundle) -> dict[str, JSON]:
    made: dict[str, JSON] = {"id": world.new_id("skillver_"), "object": "skill.version", "skill_id": skill}
    made |= {"created_at": int(world.now()), "version": number}
    made |= {"name": bundle.name, "description": bundle.description}
    world.keep_content(made["id"], bundle.data)
    world.objects.put(VERSIONS, made, skill)
    return made


def _version(world: World, skill: str, number: str) -> dict[str, Any]:
    versions = world.objects.page(VERSIONS, skill, limit=1, where=lambda one: number in (one["version"], "latest"))
    if versions.items:
        return versions.items[0]
    if world.options.lenient:
        return {**world.found(VERSIONS, number, skill), "skill_id": skill, "version": number}
    raise Refused(404, f"Skill '{skill}' has no version '{number}'.", param="version", code="not_found")


def _content(world: World, version: Mapping[str, Any]) -> Answer:
    return Answer(data=world.content(version["id"]), content_type="application/zip")


SKILL = "/skills/{skill_id}"
HANDLERS: Mapping[str, Handler] = {
    "GET /skills": lists(SKILLS),
    "POST /skills": create,
    f"GET {SKILL}": retrieves(SKILLS, "skill_id"),
    f"POST {SKILL}": update,
    f"DELETE {SKILL}": delete,
    f"GET {SKILL}/content": content,
    f"GET {SKILL}/versions": lists(VERSIONS, (SKILLS, "skill_id")),
    f"POST {SKILL}/versions": create_version,
    f"GET {SKILL}/versions/{{version}}": retrieve_version,
    f"DELETE {SKILL}/versions/{{version}}": delete_version,
    f"GET {SKILL}/versions/{{version}}/content": version_content,
}
