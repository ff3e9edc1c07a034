"""Everything that is read becomes a task once, whatever breaks off in between."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.engine import Change, StoreBroken, TaskState
from connector.errors import ConfigurationError
from connector.intake.cursor import reset_cursor
from connector.model import CallFailed
from tests.runtime.kit import until
from tests.runtime.memory import MemoryStore

OPENAI = {"prototype": "openai", "parameters": {"client": "openai", "entity": "files", "action": "list"}}


def of_file(url: str, **more: Any) -> dict[str, Any]:
    return {"subscriber": {"prototype": "file", "parameters": {"url": url}}, **more}


def lines(path: Path, *documents: Any, mode: str = "w") -> None:
    with path.open(mode) as file:
        file.writelines(json.dumps(document) + "\n" for document in documents)


class Broken(MemoryStore):
    """A store that gives up at the n-th commit that accepts documents."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at
        self.refuse = self._refuse

    def _refuse(self, change: Change) -> None:
        self.left -= bool(change.accept)
        if self.left < 0:
            raise StoreBroken("the process died here")


async def test_an_unchanged_file_gives_nothing_twice_and_a_longer_one_its_new_lines(
    readings: Any, tmp_path: Path
) -> None:
    path = tmp_path / "in.jsonl"
    lines(path, {"n": 1}, {"n": 1}, {"n": 2})
    async with readings(of_file("in.jsonl")) as at:
        assert (await at.reading().run()).accepted == 3
        assert (await at.reading().run()).read == 0
        lines(path, {"n": 3}, mode="a")
        tally = await at.reading().run()
        assert (tally.read, tally.accepted) == (1, 1)
    assert at.documents == [{"n": 1}, {"n": 1}, {"n": 2}, {"n": 3}]


async def test_of_a_file_that_was_written_anew_only_what_differs_is_taken(readings: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    lines(path, {"n": 1}, {"n": 2}, {"n": 3})
    async with readings(of_file("in.jsonl")) as at:
        await at.reading().run()
        lines(path, {"n": 1}, {"n": "two"}, {"n": 3})
        tally = await at.reading().run()
        assert (tally.read, tally.accepted, tally.known) == (3, 1, 2)
    assert at.documents[-1] == {"n": "two"}


async def test_a_line_that_was_not_complete_is_taken_when_it_is(readings: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"n": 1}\n{"n": 2, "te')
    async with readings(of_file("in.jsonl")) as at:
        await at.reading().run()
        with path.open("a") as file:
            file.write('xt": "whole"}\n{"n": 3}')
        await at.reading().run()
        with path.open("a") as file:
            file.write('\n{"n": 4}\n')
        await at.reading().run()
    assert at.documents == [{"n": 1}, {"n": 2, "text": "whole"}, {"n": 3}, {"n": 4}]


@pytest.mark.parametrize("name", ["in.jsonl", "in.csv", "in.json", "in.jsonl.gz"])
@pytest.mark.parametrize("at", [0, 1, 2])
async def test_a_reading_that_died_goes_on_and_takes_each_document_once(
    readings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, at: int
) -> None:
    monkeypatch.setattr("connector.intake.reading.GROUP", 10)
    monkeypatch.setattr("connector.formats.jsonl.CHUNK", 100)
    monkeypatch.setattr("connector.formats.csv.ROWS", 7)
    documents = [{"n": str(number // 2)} for number in range(50)]
    written = {
        "in.jsonl": "".join(json.dumps(document) + "\n" for document in documents),
        "in.csv": "n\n" + "".join(f"{document['n']}\n" for document in documents),
        "in.json": json.dumps(documents),
    }
    text = written[name.removesuffix(".gz")].encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    store = Broken(at)
    async with readings(of_file(name), store=store) as first:
        with pytest.raises(StoreBroken):
            await first.reading().run()
        store.left = 1000
        await first.reading().run()
        assert first.documents == documents
        await first.reading().run()
    assert len(first.documents) == 50


async def test_it_goes_on_behind_what_was_accepted(readings: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("connector.intake.reading.GROUP", 100)
    monkeypatch.setattr("connector.formats.jsonl.CHUNK", 1000)
    lines(tmp_path / "in.jsonl", *({"n": number} for number in range(5000)))
    store = Broken(20)
    async with readings(of_file("in.jsonl"), store=store) as at:
        with pytest.raises(StoreBroken):
            await at.reading().run()
        accepted = len(store.kept)
        store.left = 1000
        tally = await at.reading().run()
    assert accepted >= 1000
    assert tally.read <= 5000 - accepted + 100
    assert [document["n"] for document in at.documents] == list(range(5000))


async def test_lines_that_are_no_documents_are_kept_as_tasks(readings: Any, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b'{"n": 1}\nnonsense\n{"n": NaN}\n{"n": 4}\n')
    async with readings(of_file("in.jsonl")) as at:
        tally = await at.reading().run()
        assert (tally.accepted, tally.failed) == (4, 2)
        assert (await at.reading().run()).read == 0
    assert at.documents[1]["$text"] == "nonsense"
    assert "line 2" in at.documents[1]["$error"]["reason"]


async def test_documents_on_which_the_incoming_chain_fails_are_kept_as_they_came(readings: Any, tmp_path: Path) -> None:
    lines(tmp_path / "in.jsonl", {"text": "a"}, {"none": 1})
    chain = [{"value-setter": {"configurations": [{"key": "copy", "value": "&{text}"}]}}]
    async with readings(of_file("in.jsonl", chain=chain)) as at:
        await at.reading().run()
    assert at.documents[0] == {"text": "a", "copy": "a"}
    assert at.documents[1]["none"] == 1
    assert at.documents[1]["$error"]["state"] == "failed"


async def test_a_key_tells_what_was_seen_and_a_version_what_has_changed(readings: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    lines(path, {"id": 1, "at": 1, "x": 1}, {"id": 1, "at": 1, "x": 2}, {"id": 1, "at": 2, "x": 3}, {"id": 2, "at": 1})
    async with readings(of_file("in.jsonl"), route={"key": "id", "version": "at"}) as at:
        tally = await at.reading().run()
    assert (tally.accepted, tally.known) == (3, 1)
    assert [task.key for task in at.store.kept.values()] == ["1", "1", "2"]


async def test_a_document_without_its_key_is_kept_as_one_that_could_not_be_read(readings: Any, tmp_path: Path) -> None:
    lines(tmp_path / "in.jsonl", {"id": 1}, {"no": 1})
    async with readings(of_file("in.jsonl"), route={"key": "id"}) as at:
        await at.reading().run()
    assert "id" in at.documents[1]["$error"]["reason"]


async def test_order_keys_come_from_the_document(readings: Any, tmp_path: Path) -> None:
    lines(tmp_path / "in.jsonl", {"customer": 7}, {"customer": 8})
    async with readings(of_file("in.jsonl"), route={"order": "customer"}) as at:
        await at.reading().run()
    assert [task.order for task in at.store.kept.values()] == ["7", "8"]


def pages(items: list[dict[str, Any]], size: int = 3) -> tuple[Callable[[httpx.Request], httpx.Response], list[str]]:
    """A list of the API in pages, and what was asked of it."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        after = request.url.params.get("after")
        asked.append(f"{after}")
        start = next((n + 1 for n, item in enumerate(items) if item["id"] == after), 0)
        page = items[start : start + size]
        more = start + size < len(items)
        return httpx.Response(200, json={"object": "list", "data": page, "has_more": more})

    return answer, asked


def files(count: int) -> list[dict[str, Any]]:
    return [{"id": f"file-{n}", "object": "file", "created_at": 1000 + n} for n in range(count)]


async def test_a_list_is_read_again_and_only_what_is_new_or_changed_is_taken(readings: Any) -> None:
    items = files(7)
    answer, _ = pages(items)
    async with readings({"subscriber": OPENAI}, answer) as at:
        assert (await at.reading().run()).accepted == 7
        items[2] = items[2] | {"status": "processed"}
        items.insert(0, {"id": "file-new", "object": "file", "created_at": 2000})
        tally = await at.reading().run()
    assert (tally.accepted, tally.known) == (2, 6)


async def test_a_list_that_was_broken_off_goes_on_at_its_page(readings: Any) -> None:
    answer, asked = pages(files(10))
    fails = True

    def sometimes(request: httpx.Request) -> httpx.Response:
        if fails and request.url.params.get("after") == "file-5":
            return httpx.Response(500, json={"error": {"message": "later"}})
        return answer(request)

    async with readings({"subscriber": OPENAI}, sometimes) as at:
        with pytest.raises(CallFailed):
            await at.reading().run()
        assert len(at.documents) == 6
        fails = False
        tally = await at.reading().run()
        assert asked == ["None", "file-2", "file-5", "file-8"]
        assert (tally.read, tally.known) == (4, 0)
        await at.reading().run()
    assert asked[4] == "None", "the next reading begins at the first page"
    assert not any(space.startswith("bookmarks") and "pages" in key for space, key in at.store.small)


async def test_a_page_that_is_gone_begins_the_reading_anew(readings: Any, caplog: pytest.LogCaptureFixture) -> None:
    items = files(9)
    answer, _ = pages(items)
    mode = "broken"

    def sometimes(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("after") and mode != "whole":
            return httpx.Response(500 if mode == "broken" else 400, json={"error": {"message": "no such cursor"}})
        return answer(request)

    async with readings({"subscriber": OPENAI}, sometimes) as at:
        with pytest.raises(CallFailed):
            await at.reading().run()
        mode = "expired"
        with pytest.raises(CallFailed):
            await at.reading().run()
        assert "begins anew" in caplog.text
        mode = "whole"
        await at.reading().run()
    assert [document["id"] for document in at.documents] == [item["id"] for item in items]


SINCE = {
    "prototype": "http",
    "parameters": {"client": "api", "request": {"path": "/orders", "query": {"since": "?{cursor}"}}},
}


async def test_a_cursor_moves_with_its_reading_and_overlaps(readings: Any) -> None:
    orders = [{"id": n, "at": 1000 + 10 * n} for n in range(1, 4)]
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        since = request.url.params.get("since")
        asked.append(since)
        return httpx.Response(200, json=[order for order in reversed(orders) if order["at"] >= int(since or 0)])

    cursor = {"field": "at", "start": 5, "overlap": "15s"}
    async with readings({"subscriber": SINCE, "cursor": cursor}, answer) as at:
        await at.reading().run()
        orders += [{"id": 4, "at": 1030}, {"id": 5, "at": 1050}]
        tally = await at.reading().run()
        await at.reading().run()
    assert asked == ["5", "1015", "1035"]
    assert (tally.read, tally.accepted) == (4, 2), "those of the overlap were known"
    assert [document["id"] for document in at.documents] == [3, 2, 1, 5, 4]


async def test_a_reading_that_broke_off_does_not_move_the_cursor(readings: Any) -> None:
    store = Broken(0)
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("since"))
        return httpx.Response(200, json=[{"id": 1, "at": "2026-03-01T10:00:00Z"}])

    cursor = {"field": "at", "start": "2026-01-01T00:00:00Z", "overlap": "1h"}
    async with readings({"subscriber": SINCE, "cursor": cursor}, answer, store=store) as at:
        with pytest.raises(StoreBroken):
            await at.reading().run()
        store.left = 100
        await at.reading().run()
        await at.reading().run()
    assert asked == ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-03-01T09:00:00Z"]


async def test_full_readings_take_no_notice_of_the_cursor_and_tell_what_is_gone(readings: Any) -> None:
    items = files(4)
    answer, _ = pages(items)
    incoming = {"subscriber": OPENAI, "mode": "full"}
    async with readings(incoming, answer, route={"deletions": "tombstone"}) as at:
        await at.reading().run()
        gone = items.pop(1)
        assert (await at.reading().run()).deleted == 1
        assert (await at.reading().run()).deleted == 0, "told once"
        items.append(gone)
        assert (await at.reading().run()).accepted == 1, "it is back"
        items.pop()
        assert (await at.reading().run()).deleted == 1
    tombstone = {"key": "file-1", "deleted": True}
    assert at.documents[4:] == [tombstone, gone, tombstone]


@pytest.mark.parametrize(("incoming", "route", "says"), [
    ({"subscriber": OPENAI}, {}, "mode: full"),
    (of_file("in.jsonl", mode="full"), {}, "say key: there"),
])  # fmt: skip
async def test_deletions_that_nobody_could_tell_are_refused(
    readings: Any, incoming: Any, route: Any, says: str
) -> None:
    async with readings(incoming, route={"deletions": "tombstone", **route}) as at:
        with pytest.raises(ConfigurationError, match=says):
            at.reading()


async def test_after_a_reset_everything_is_taken_again_once(readings: Any, tmp_path: Path) -> None:
    lines(tmp_path / "in.jsonl", {"n": 1}, {"n": 2})
    async with readings(of_file("in.jsonl")) as at:
        await at.reading().run()
        await at.store.commit(await reset_cursor(at.store, "route"))
        assert (await at.reading().run()).accepted == 2
        assert (await at.reading().run()).accepted == 0
    assert len(at.documents) == 4


async def test_reading_waits_at_the_bound_and_drops_nothing(readings: Any, tmp_path: Path, monkeypatch: Any) -> None:
    lines(tmp_path / "in.jsonl", *({"n": number} for number in range(100)))
    async with readings(of_file("in.jsonl"), route={"max_tasks": 10}) as at:
        reading = at.reading()
        run = asyncio.create_task(reading.run())
        most = 0
        while not run.done():
            await asyncio.sleep(0)
            live = [task for task in at.store.kept.values() if task.state is TaskState.NEW]
            most = max(most, len(live))
            if len(live) == 10 or len(at.store.kept) > 90:
                for task in live[:5]:
                    at.store.kept[task.id] = replace(task, state=TaskState.FINISHED)
                reading.ended(5)
        await run
    assert most == 10
    assert [document["n"] for document in at.documents] == list(range(100))


async def test_a_stop_accepts_what_was_read_and_the_next_reading_goes_on(
    readings: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("connector.intake.reading.GROUP", 20)
    monkeypatch.setattr("connector.formats.jsonl.CHUNK", 100)
    lines(tmp_path / "in.jsonl", *({"n": number} for number in range(500)))
    async with readings(of_file("in.jsonl")) as at:
        reading = at.reading()
        run = asyncio.create_task(reading.run())
        await until(lambda: len(at.store.kept) >= 100)
        reading.stop()
        await run
        assert 100 <= len(at.documents) < 500
        assert at.store.positions["route"]["open"]
        tally = await at.reading().run()
    assert [document["n"] for document in at.documents] == list(range(500))
    assert tally.known < 20, "at most what was read since the last bookmark"


@pytest.mark.parametrize("breaks_at", [0, 1, 2, 3])
async def test_documents_that_a_chain_gathers_come_once_however_the_reading_breaks_off(
    readings: Any, tmp_path: Path, monkeypatch: Any, breaks_at: int
) -> None:
    monkeypatch.setattr("connector.formats.jsonl.CHUNK", 40)
    lines(tmp_path / "in.jsonl", *({"n": number} for number in range(19)))
    chain = [{"aggregate": {"size": 4}}]
    monkeypatch.setattr("connector.intake.reading.GROUP", 1)
    store = Broken(breaks_at)
    async with readings(of_file("in.jsonl", chain=chain), store=store) as at:
        with pytest.raises(StoreBroken):
            await at.reading().run()
        store.left = 100
        await at.reading().run()
    seen = [item["n"] for document in at.documents for item in next(iter(document.values()))]
    assert seen == list(range(19)), at.documents


async def test_what_a_chain_keeps_is_committed_with_the_documents(readings: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    lines(path, {"id": "a"}, {"id": "b"}, {"id": "a"})
    chain = [{"storage-filter-stored-entity": {"storage": "seen", "storageKey": "&{id}"}}]
    store = Broken(0)
    sections = {"storages": {"seen": {}}}
    async with readings(of_file("in.jsonl", chain=chain), store=store, **sections) as at:
        with pytest.raises(StoreBroken):
            await at.reading().run()
        assert at.documents == []
        store.left = 100
    async with readings(of_file("in.jsonl", chain=chain), store=store, **sections) as at:
        await at.reading().run()
        assert at.documents == [{"id": "a"}, {"id": "b"}]
        lines(path, {"id": "b"}, {"id": "c"}, mode="a")
        await at.reading().run()
    assert at.documents == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    assert not (tmp_path / "storage").exists()


async def test_no_secret_gets_into_a_bookmark(readings: Any) -> None:
    secret = "sk-canary-0123456789"
    link = f"/v1/orders?page=2&key={secret}"
    subscriber = {
        "prototype": "http",
        "parameters": {
            "client": "api", "request": {"path": "/orders"}, "items": "data",
            "paging": {"by": "next_link", "read": "next"},
        },
    }  # fmt: skip
    sent = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal sent
        sent += 1
        if sent == 2:
            return httpx.Response(500)
        return httpx.Response(200, json={"data": [{"id": sent}], "next": None if sent > 2 else link})

    async with readings({"subscriber": subscriber}, answer) as at:
        with pytest.raises(CallFailed):
            await at.reading().run()
        assert secret not in repr(at.store.small) + repr(at.store.positions)


async def test_a_route_that_reads_another_has_nothing_to_read(readings: Any) -> None:
    subscriber = {"prototype": "route", "parameters": {"route": "route"}}
    async with readings({"subscriber": subscriber}) as at:
        assert (await at.reading().run()).read == 0


async def test_a_line_in_doubt_is_not_delivered_in_silence(readings: Any, tmp_path: Path) -> None:
    lines(
        tmp_path / "errors.jsonl",
        {"n": 1, "$error": {"state": "unknown", "reason": "nobody saw its end"}},
        {"n": 2, "$error": {"state": "failed", "reason": "refused"}},
    )
    async with readings(of_file("errors.jsonl")) as at:
        await at.reading().run()
    assert at.documents[0]["$error"]["state"] == "unknown"
    assert at.documents[0]["$error"]["stage"] == "incoming"
    assert at.documents[1] == {"n": 2}
