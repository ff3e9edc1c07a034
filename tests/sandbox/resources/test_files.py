"""Files come back byte for byte, whole or in parts, and go with their time."""

from __future__ import annotations

import hashlib

import openai
import pytest


async def test_bytes_come_back_as_they_went(room) -> None:
    data = bytes(range(256)) * 40
    file = await room.client.files.create(file=("blob.bin", data), purpose="user_data")
    assert (file.bytes, file.filename, file.purpose) == (len(data), "blob.bin", "user_data")
    assert (await room.client.files.content(file.id)).content == data


async def test_lists_go_by_purpose_and_cursor(room) -> None:
    made = [await room.file(f"{n}", "user_data") for n in range(5)]
    await room.file(b"x", "assistants")
    pages = room.client.files.list(purpose="user_data", limit=2, order="asc")
    assert [file.id async for file in pages] == made
    newest = await room.client.files.list(limit=1)
    assert newest.data[0].purpose == "assistants"
    assert newest.has_more


async def test_a_lost_cursor_is_refused(room) -> None:
    with pytest.raises(openai.BadRequestError, match="file-none"):
        await room.client.files.list(after="file-none")


async def test_a_deleted_file_is_gone(room) -> None:
    file = await room.file("bye")
    assert (await room.client.files.delete(file)).deleted
    for gone in (room.client.files.retrieve, room.client.files.content, room.client.files.delete):
        with pytest.raises(openai.NotFoundError, match=file):
            await gone(file)


async def test_a_file_goes_when_its_time_is_over(room) -> None:
    file = await room.client.files.create(
        file=("a.txt", b"a"), purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert file.expires_at == file.created_at + 3600
    await room.pass_time(3599)
    assert (await room.client.files.retrieve(file.id)).id == file.id
    await room.pass_time(1)
    with pytest.raises(openai.NotFoundError):
        await room.client.files.retrieve(file.id)
    assert room.backend.objects.content(file.id) is None


@pytest.mark.parametrize(
    ("name", "purpose", "data", "fault"),
    [
        ("a.exe", "assistants", b"MZ", "Invalid extension exe"),
        ("a.pdf", "batch", b"%PDF", 'Supported formats: "jsonl"'),
        ("a.txt", "vision", b"a", '"png"'),
        ("a.jsonl", "fine-tune", b'{"a": 1}\n[1]\n', "Line 2 is not"),
    ],
)
async def test_a_purpose_takes_only_its_kind_of_file(room, name, purpose, data, fault) -> None:
    with pytest.raises(openai.BadRequestError, match=fault):
        await room.client.files.create(file=(name, data), purpose=purpose)


async def begun(room, size: int, **asked):
    return await room.client.uploads.create(
        bytes=size, filename="big.txt", mime_type="text/plain", purpose="user_data", **asked
    )


async def test_parts_are_put_together_as_they_are_named(room) -> None:
    upload = await begun(room, 9)
    parts = {
        word: (await room.client.uploads.parts.create(upload.id, data=word)).id for word in (b"ghi", b"abc", b"def")
    }
    ids = [parts[word] for word in (b"abc", b"def", b"ghi")]
    done = await room.client.uploads.complete(upload.id, part_ids=ids, md5=hashlib.md5(b"abcdefghi").hexdigest())
    assert done.status == "completed"
    assert done.file.bytes == 9
    assert (await room.client.files.content(done.file.id)).content == b"abcdefghi"
    assert all(room.backend.objects.content(part) is None for part in ids)
    with pytest.raises(openai.BadRequestError, match="is completed"):
        await room.client.uploads.parts.create(upload.id, data=b"more")


@pytest.mark.parametrize(
    ("size", "named", "digest", "fault"),
    [
        (4, ["first"], None, "3 bytes"),
        (3, ["first", "first"], None, "named twice"),
        (3, ["part_none"], None, "No such part"),
        (3, ["first"], "0" * 32, "MD5 is"),
    ],
)
async def test_what_was_not_announced_is_not_completed(room, size, named, digest, fault) -> None:
    upload = await begun(room, size)
    first = (await room.client.uploads.parts.create(upload.id, data=b"abc")).id
    ids = [first if name == "first" else name for name in named]
    with pytest.raises(openai.BadRequestError, match=fault):
        await room.client.uploads.complete(upload.id, part_ids=ids, **({"md5": digest} if digest else {}))
    assert not room.backend.objects.count("files")


async def test_a_part_of_another_upload_is_none_of_this_one(room) -> None:
    mine, other = await begun(room, 3), await begun(room, 3)
    part = await room.client.uploads.parts.create(other.id, data=b"abc")
    with pytest.raises(openai.BadRequestError, match="No such part"):
        await room.client.uploads.complete(mine.id, part_ids=[part.id])


async def test_an_upload_is_cancelled_or_expires(room) -> None:
    cancelled, expired = await begun(room, 3), await begun(room, 3)
    assert (await room.client.uploads.cancel(cancelled.id)).status == "cancelled"
    await room.pass_time(3600)
    for upload, state in ((cancelled, "cancelled"), (expired, "expired")):
        with pytest.raises(openai.BadRequestError, match=f"is {state}"):
            await room.client.uploads.parts.create(upload.id, data=b"abc")


async def test_the_file_of_an_upload_has_the_life_that_was_asked_for(room) -> None:
    upload = await begun(room, 1, expires_after={"anchor": "created_at", "seconds": 7200})
    part = await room.client.uploads.parts.create(upload.id, data=b"a")
    file = (await room.client.uploads.complete(upload.id, part_ids=[part.id])).file
    assert file.expires_at == file.created_at + 7200
