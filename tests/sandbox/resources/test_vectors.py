"""Vector stores read files with time, count them, and find what is near."""

from __future__ import annotations

import io
import zipfile
import zlib

import openai
import pytest

from connector.sandbox.resources.files.storage import USES

TEXTS = {
    "refunds.txt": "Refunds are paid within five days after we got the goods back.",
    "shipping.txt": "We ship to Norway and Sweden; shipping takes a week.",
    "garden.md": "# Roses\nRoses want sun, and water in the morning.",
}


async def filled(room, **asked):
    files = {name: await room.file(text, name=name) for name, text in TEXTS.items()}
    store = await room.client.vector_stores.create(name="help", file_ids=list(files.values()), **asked)
    await room.pass_time()
    return store.id, files


async def test_files_are_read_with_time(room) -> None:
    file = await room.file("some text here")
    store = await room.client.vector_stores.create(name="help")
    assert (store.status, store.file_counts.total) == ("completed", 0)
    held = await room.client.vector_stores.files.create(store.id, file_id=file, attributes={"lang": "en"})
    assert (held.id, held.status, held.attributes) == (file, "in_progress", {"lang": "en"})
    store = await room.client.vector_stores.retrieve(store.id)
    assert (store.status, store.file_counts.in_progress) == ("in_progress", 1)
    await room.pass_time()
    held = await room.client.vector_stores.files.retrieve(file, vector_store_id=store.id)
    store = await room.client.vector_stores.retrieve(store.id)
    assert (held.status, store.status) == ("completed", "completed")
    assert held.usage_bytes == store.usage_bytes == len("some text here")
    assert (store.file_counts.completed, store.file_counts.total) == (1, 1)


async def test_what_has_no_text_fails(room) -> None:
    file = await room.file(b"\x00\xff\xfe", name="a.bin")
    store = await room.client.vector_stores.create(file_ids=[file])
    await room.pass_time()
    held = await room.client.vector_stores.files.retrieve(file, vector_store_id=store.id)
    assert (held.status, held.last_error.code) == ("failed", "unsupported_file")
    assert "a.bin" in held.last_error.message
    listed = await room.client.vector_stores.files.list(store.id, filter="failed")
    assert [one.id for one in listed.data] == [file]
    assert not (await room.client.vector_stores.files.list(store.id, filter="completed")).data


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ("When are refunds paid?", "refunds.txt"),
        ("do you ship to Sweden", "shipping.txt"),
        ("watering a rose", "garden.md"),
    ],
)
async def test_near_texts_come_first(room, query, nearest) -> None:
    store, _ = await filled(room)
    found = (await room.client.vector_stores.search(store, query=query)).data
    assert found[0].filename == nearest
    assert len(found) == 3
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert 1 >= found[0].score > found[1].score
    assert found[0].content[0].text == TEXTS[nearest]


async def test_a_search_is_bounded_and_filtered(room) -> None:
    store, files = await filled(room)
    await room.client.vector_stores.files.update(
        files["shipping.txt"], vector_store_id=store, attributes={"topic": "ship", "year": 2026}
    )
    search = room.client.vector_stores.search
    assert len((await search(store, query="days", max_num_results=1)).data) == 1
    assert not (await search(store, query="zeppelin", ranking_options={"score_threshold": 0.1})).data
    several = await search(store, query=["ship", "Norway"])
    assert several.data[0].filename == "shipping.txt"
    for wanted in (
        {"type": "eq", "key": "topic", "value": "ship"},
        {"type": "gte", "key": "year", "value": 2026},
        {"type": "in", "key": "topic", "value": ["ship", "sea"]},
        {
            "type": "and",
            "filters": [{"type": "gt", "key": "year", "value": 2000}, {"type": "ne", "key": "topic", "value": "x"}],
        },
    ):
        assert [one.filename for one in (await search(store, query="a", filters=wanted)).data] == ["shipping.txt"]
    others = {"type": "nin", "key": "topic", "value": ["ship"]}
    assert {one.filename for one in (await search(store, query="a", filters=others)).data} == {
        "refunds.txt",
        "garden.md",
    }


async def test_long_texts_are_cut_into_chunks_that_overlap(room) -> None:
    words = [f"word{n}" for n in range(250)]
    file = await room.file(" ".join(words))
    static = {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 20}
    store = await room.client.vector_stores.create(
        file_ids=[file], chunking_strategy={"type": "static", "static": static}
    )
    await room.pass_time()
    found = (await room.client.vector_stores.search(store.id, query="word90")).data
    assert len(found) == 3
    assert all("word90" in one.content[0].text for one in found[:2])
    held = await room.client.vector_stores.files.retrieve(file, vector_store_id=store.id)
    assert held.chunking_strategy.static.max_chunk_size_tokens == 100
    wrong = {"type": "static", "static": {**static, "chunk_overlap_tokens": 51}}
    with pytest.raises(openai.BadRequestError, match="half"):
        await room.client.vector_stores.create(chunking_strategy=wrong)


async def test_the_content_of_a_file_is_its_text(room) -> None:
    html = await room.file("<h1>Hello</h1><p>you &amp; me</p>", name="a.html")
    store = await room.client.vector_stores.create(file_ids=[html])
    await room.pass_time()
    page = await room.client.vector_stores.files.content(html, vector_store_id=store.id)
    assert [part.text for part in page.data] == ["Hello\nyou & me"]


def office(text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("word/document.xml", f"<w:p><w:t>{text}</w:t></w:p>")
    return packed.getvalue()


def pdf(text: str) -> bytes:
    content = zlib.compress(f"BT /F1 12 Tf ({text}) Tj ET".encode())
    return b"%PDF-1.4\n1 0 obj << /Length 1 >>\nstream\n" + content + b"\nendstream\nendobj\n%%EOF"


@pytest.mark.parametrize(("name", "data"), [("a.docx", office("the zebra")), ("a.pdf", pdf("the zebra"))])
async def test_documents_are_searched_by_their_text(room, name, data) -> None:
    store = await room.client.vector_stores.create(file_ids=[await room.file(data, name=name)])
    await room.pass_time()
    [found] = (await room.client.vector_stores.search(store.id, query="zebra")).data
    assert found.content[0].text.strip() == "the zebra"
    assert found.score > 0.5


async def test_batches_of_files_count_for_themselves(room) -> None:
    files = [await room.file(f"text {n}") for n in range(3)]
    store = await room.client.vector_stores.create(file_ids=[await room.file("another")])
    batch = await room.client.vector_stores.file_batches.create(store.id, file_ids=files, attributes={"from": "batch"})
    assert (batch.status, batch.file_counts.in_progress, batch.file_counts.total) == ("in_progress", 3, 3)
    await room.pass_time()
    batch = await room.client.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store.id)
    assert (batch.status, batch.file_counts.completed) == ("completed", 3)
    pages = room.client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id, limit=2, order="asc")
    held = [one async for one in pages]
    assert [one.id for one in held] == files
    assert held[0].attributes == {"from": "batch"}
    assert (await room.client.vector_stores.retrieve(store.id)).file_counts.completed == 4


async def test_a_cancelled_batch_leaves_its_files_unread(room) -> None:
    store = await room.client.vector_stores.create()
    files = [{"file_id": await room.file(f"text {n}"), "attributes": {"n": n}} for n in range(2)]
    batch = await room.client.vector_stores.file_batches.create(store.id, files=files)
    batch = await room.client.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id)
    assert (batch.status, batch.file_counts.cancelled) == ("cancelled", 2)
    await room.pass_time()
    store = await room.client.vector_stores.retrieve(store.id)
    assert (store.file_counts.cancelled, store.file_counts.completed) == (2, 0)
    assert not (await room.client.vector_stores.search(store.id, query="text")).data


async def test_a_file_leaves_a_store_alone_or_with_its_own_end(room) -> None:
    store, files = await filled(room)
    await room.client.vector_stores.files.delete(files["garden.md"], vector_store_id=store)
    assert (await room.client.files.retrieve(files["garden.md"])).id
    await room.client.files.delete(files["refunds.txt"])
    left = await room.client.vector_stores.files.list(store)
    assert [one.id for one in left.data] == [files["shipping.txt"]]
    counted = await room.client.vector_stores.retrieve(store)
    assert (counted.file_counts.total, counted.usage_bytes) == (1, len(TEXTS["shipping.txt"]))
    found = (await room.client.vector_stores.search(store, query="refunds")).data
    assert [one.filename for one in found] == ["shipping.txt"]


async def test_a_store_that_nobody_uses_expires(room) -> None:
    store, _ = await filled(room, expires_after={"anchor": "last_active_at", "days": 1})
    await room.pass_time(86_000)
    await room.client.vector_stores.search(store, query="roses")
    await room.pass_time(86_000)
    assert (await room.client.vector_stores.retrieve(store)).status == "completed"
    await room.pass_time(400)
    assert (await room.client.vector_stores.retrieve(store)).status == "expired"
    with pytest.raises(openai.BadRequestError, match="expired"):
        await room.client.vector_stores.search(store, query="roses")


async def test_a_store_is_changed_and_deleted_with_what_it_holds(room) -> None:
    store, files = await filled(room)
    changed = await room.client.vector_stores.update(
        store, name="other", metadata={"a": "b"}, expires_after={"anchor": "last_active_at", "days": 2}
    )
    assert (changed.name, changed.metadata, changed.expires_after.days) == ("other", {"a": "b"}, 2)
    assert (await room.client.vector_stores.update(store, expires_after=None)).expires_at is None
    assert room.backend.objects.count(USES, files["garden.md"])
    assert (await room.client.vector_stores.delete(store)).deleted
    assert not room.backend.objects.count("vector store files", store)
    assert not room.backend.objects.count(USES, files["garden.md"])
    with pytest.raises(openai.NotFoundError):
        await room.client.vector_stores.files.list(store)


async def test_a_store_of_an_unknown_file_is_not_made(room) -> None:
    with pytest.raises(openai.NotFoundError, match="file-none"):
        await room.client.vector_stores.create(file_ids=["file-none"])
    assert not (await room.client.vector_stores.list()).data
