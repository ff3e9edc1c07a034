"""Containers, skills, chatkit sessions and models."""

from __future__ import annotations

import io
import zipfile

import openai
import pytest

SKILL = b"---\nname: sums\ndescription: Adds numbers.\n---\n# Sums\n"


async def test_a_container_holds_files_until_nobody_uses_it(room) -> None:
    source = await room.file(b"\x00bytes", name="data.bin")
    container = await room.client.containers.create(
        name="box", file_ids=[source], expires_after={"anchor": "last_active_at", "minutes": 10}
    )
    added = await room.client.containers.files.create(container.id, file=("more.txt", b"more"))
    assert (added.path, added.bytes, added.source) == ("/mnt/data/more.txt", 4, "user")
    copied = await room.client.containers.files.create(container.id, file_id=source)
    held = [one.path async for one in room.client.containers.files.list(container.id, order="asc")]
    assert held == ["/mnt/data/data.bin", "/mnt/data/more.txt", "/mnt/data/data.bin"]
    content = await room.client.containers.files.content.retrieve(copied.id, container_id=container.id)
    assert content.content == b"\x00bytes"
    await room.client.containers.files.delete(copied.id, container_id=container.id)
    with pytest.raises(openai.NotFoundError):
        await room.client.containers.files.retrieve(copied.id, container_id=container.id)
    await room.pass_time(599)
    await room.client.containers.files.create(container.id, file=("a.txt", b"a"))
    await room.pass_time(599)
    assert (await room.client.containers.retrieve(container.id)).status == "running"
    await room.pass_time(1)
    assert (await room.client.containers.retrieve(container.id)).status == "expired"
    with pytest.raises(openai.BadRequestError, match="expired"):
        await room.client.containers.files.create(container.id, file=("a.txt", b"a"))


async def test_a_container_goes_with_what_it_holds(room) -> None:
    container = await room.client.containers.create(name="box")
    held = await room.client.containers.files.create(container.id, file=("a.txt", b"a"))
    await room.client.containers.delete(container.id)
    assert room.backend.objects.content(held.id) is None
    assert not (await room.client.containers.list()).data
    with pytest.raises(openai.NotFoundError):
        await room.client.containers.files.list(container.id)


async def test_a_skill_has_versions(room) -> None:
    skill = await room.client.skills.create(files=[("sums/SKILL.md", SKILL), ("sums/run.sh", b"echo")])
    assert (skill.name, skill.description, skill.default_version) == ("sums", "Adds numbers.", "1")
    second = await room.client.skills.versions.create(skill.id, files=[("SKILL.md", SKILL.replace(b"sums", b"totals"))])
    assert (second.version, second.name) == ("2", "totals")
    known = await room.client.skills.retrieve(skill.id)
    assert (known.default_version, known.latest_version, known.name) == ("1", "2", "sums")
    archive = await room.client.skills.content.retrieve(skill.id)
    with zipfile.ZipFile(io.BytesIO(archive.content)) as packed:
        assert packed.namelist() == ["sums/SKILL.md", "sums/run.sh"]
        assert packed.read("sums/SKILL.md") == SKILL
    with pytest.raises(openai.BadRequestError, match="default version"):
        await room.client.skills.versions.delete("1", skill_id=skill.id)
    assert (await room.client.skills.update(skill.id, default_version="2")).name == "totals"
    gone = await room.client.skills.versions.delete("1", skill_id=skill.id)
    assert (gone.version, gone.deleted) == ("1", True)
    assert [one.version async for one in room.client.skills.versions.list(skill.id)] == ["2"]
    with pytest.raises(openai.NotFoundError, match="version '1'"):
        await room.client.skills.versions.retrieve("1", skill_id=skill.id)
    await room.client.skills.delete(skill.id)
    with pytest.raises(openai.NotFoundError):
        await room.client.skills.retrieve(skill.id)


async def test_a_skill_may_come_as_an_archive(room) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("sums/SKILL.md", SKILL)
    skill = await room.client.skills.create(files=("sums.zip", archive.getvalue()))
    assert skill.name == "sums"


@pytest.mark.parametrize("files", [[("a.md", SKILL)], [("SKILL.md", b"no front matter")], ("a.zip", b"PK\x03\x04junk")])
async def test_what_is_no_skill_is_refused(room, files) -> None:
    with pytest.raises(openai.BadRequestError):
        await room.client.skills.create(files=files)


async def test_a_chatkit_session_lasts_ten_minutes(room) -> None:
    sessions = room.client.beta.chatkit.sessions
    asked = {"user": "ada", "workflow": {"id": "wf_1", "version": "2"}}
    session = await sessions.create(**asked, chatkit_configuration={"file_upload": {"enabled": True, "max_files": 3}})
    assert (session.status, session.user, session.workflow.version) == ("active", "ada", "2")
    assert session.chatkit_configuration.file_upload.max_files == 3
    assert session.chatkit_configuration.history.enabled
    other = await sessions.create(**asked)
    assert other.client_secret != session.client_secret
    assert (await sessions.cancel(session.id)).status == "cancelled"
    await room.pass_time(600)
    assert (await sessions.cancel(other.id)).status == "expired"


async def test_known_models_are_there_and_others_are_not(room) -> None:
    names = {model.id async for model in room.client.models.list()}
    assert {"gpt-5", "gpt-4.1-mini", "text-embedding-3-small", "whisper-1"} <= names
    assert (await room.client.models.retrieve("gpt-5")).owned_by == "system"
    with pytest.raises(openai.NotFoundError) as refused:
        await room.client.models.retrieve("gpt-none")
    assert refused.value.code == "model_not_found"
    with pytest.raises(openai.PermissionDeniedError):
        await room.client.models.delete("gpt-5")
