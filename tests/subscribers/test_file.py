"""Files: every format, globs, broken lines, roots, memory."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import tracemalloc
from contextlib import aclosing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connector.errors import ConfigurationError
from connector.subscribers import Context, prototypes


async def test_a_bad_line_is_lost_with_its_number_and_its_neighbours_come(read: Any, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b'{"a": 1}\n{"a": \n\n{"a": 2, "a": 3}\n{"a": NaN}\n\xff\xfe\n{"a": 4}')
    documents, lost = await read("file", url="in.jsonl")
    assert documents == [{"a": 1}, {"a": 4}]
    assert [one.reason.split(": ")[0].rpartition(", ")[2] for one in lost] == ["line 2", "line 4", "line 5", "line 6"]
    assert lost[0].document == {"$text": '{"a": '}


async def test_globs_give_the_files_in_order_and_folders_not_at_all(read: Any, tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"from": name}))
    (tmp_path / "d.jsonl").mkdir()
    documents, _ = await read("file", url="*.jsonl")
    assert [document["from"] for document in documents] == ["a", "b", "c"]
    assert await read("file", url="nothing-*.jsonl") == ([], [])


async def test_a_missing_file_is_named(read: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*missing\.jsonl.*No such file"):
        await read("file", url="missing.jsonl")


@pytest.mark.parametrize("size", [1, 3, 64, 1 << 20])
async def test_a_json_list_is_read_item_by_item_wherever_the_reads_end(
    read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("connector.formats.json.CHUNK", size)
    items = [{"a": 'é,]}\\"'}, 12345, [1, [2]], "x", None, True, 1.5e3, {"b": {"c": "ü" * 50}}]
    (tmp_path / "in.json").write_text(
        " [\n" + " , ".join(json.dumps(item, ensure_ascii=False) for item in items) + " ]\n"
    )
    documents, lost = await read("file", url="in.json")
    assert (documents, lost) == (items, [])


@pytest.mark.parametrize(("text", "documents", "reason"), [
    ("[]", [], ""),
    (" [ ] ", [], ""),
    ('{"a": 1}', [{"a": 1}], ""),
    ('[1, {"a":1,"a":2}, 3]', [1, 3], "duplicate key"),
    ('[1, {"a": ', [1], "nothing after it was read"),
    ("[1 2]", [1], "no ',' or ']' after item 1"),
    ("[1, 2", [1, 2], "no ',' or ']' after item 2"),
    ("", [], "empty"),
])  # fmt: skip
async def test_json_says_what_is_broken(
    read: Any, tmp_path: Path, text: str, documents: list[Any], reason: str
) -> None:
    (tmp_path / "in.json").write_text(text)
    found, lost = await read("file", url="in.json")
    assert found == documents
    assert len(lost) == bool(reason)
    assert all(reason in one.reason for one in lost)


async def test_bytes_that_are_no_text_are_lost(read: Any, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_bytes(b'["a\xff", "b"]')
    (tmp_path / "in.csv").write_bytes(b"a\nx\xff\nb\n")
    documents, lost = await read("file", url="in.json")
    assert documents == ["b"]
    assert "surrogate" in lost[0].reason
    documents, lost = await read("file", url="in.csv")
    assert documents == [{"a": "b"}]
    assert "line 2: bytes that are not UTF-8" in lost[0].reason


async def test_csv_rows_stand_under_the_header(read: Any, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('\ufeffid,text\n1,"a ""b"",\nc"\n2\n3,x,y\n\n4,ü\n', encoding="utf-8")
    documents, lost = await read("file", url="in.csv")
    assert documents == [{"id": "1", "text": 'a "b",\nc'}, {"id": "4", "text": "ü"}]
    assert ["line 4: 1 values under 2 columns" in lost[0].reason, "line 5: 3 values" in lost[1].reason] == [True, True]
    (tmp_path / "in.tsv").write_text("a\tb\n1\t2\n")
    assert (await read("file", url="in.tsv"))[0] == [{"a": "1", "b": "2"}]
    (tmp_path / "twice.csv").write_text("a,a\n1,2\n")
    assert "names a column twice" in (await read("file", url="twice.csv"))[1][0].reason


async def test_parquet_rows_become_json(read: Any, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    from datetime import date
    from decimal import Decimal

    rows = [
        {"n": 1, "day": date(2026, 1, 2), "price": Decimal("1.50"), "raw": b"\x00\xff", "tags": ["a"]},
        {"n": 2, "day": None, "price": Decimal("3.00"), "raw": None, "tags": []},
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "in.parquet")
    documents, lost = await read("file", url="in.parquet")
    assert lost == []
    assert documents == [
        {"n": 1, "day": "2026-01-02", "price": 1.5, "raw": {"$content": "AP8="}, "tags": ["a"]},
        {"n": 2, "day": None, "price": 3, "raw": None, "tags": []},
    ]
    (tmp_path / "no.parquet").write_text("text")
    assert "not a readable Parquet file" in (await read("file", url="no.parquet"))[1][0].reason


async def test_what_is_missing_for_parquet_is_said(read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'openai-connector\[parquet\]'"):
        await read("file", url="in.parquet")


async def test_packed_files_and_urls_of_elsewhere(read: Any, tmp_path: Path) -> None:
    import fsspec

    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n'))
    assert (await read("file", url="in.jsonl.gz"))[0] == [{"a": 1}]
    memory = fsspec.filesystem("memory")
    memory.pipe("/things/x.jsonl", b'{"b": 2}\n')
    memory.pipe("/things/y.jsonl", b'{"b": 3}\n')
    try:
        assert (await read("file", url="memory://things/*.jsonl"))[0] == [{"b": 2}, {"b": 3}]
    finally:
        memory.rm("/things", recursive=True)


async def test_standard_input(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b'{"a": 1}\n')))
    assert (await read("file", url="-"))[0] == [{"a": 1}]


async def test_a_slow_pipe_gives_each_document_when_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end, start = os.pipe()
    with os.fdopen(end, "rb") as pipe, os.fdopen(start, "wb", buffering=0) as feed:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=pipe))
        kind = prototypes().find("file")
        reader = kind.build(kind.parameters.model_validate({"url": "-"}))
        async with aclosing(reader.documents(Context(folder=tmp_path))) as documents:
            for number in range(3):
                feed.write(b'{"n": %d}\n' % number)
                assert await anext(documents) == {"n": number}
            feed.close()


async def test_a_file_of_no_known_kind_needs_a_format(read: Any, tmp_path: Path) -> None:
    (tmp_path / "in.data").write_text('{"a": 1}')
    with pytest.raises(ConfigurationError, match="say which format it is: jsonl, json, csv, parquet"):
        await read("file", url="in.data")
    assert (await read("file", url="in.data", format="jsonl"))[0] == [{"a": 1}]


async def test_links_and_devices_lead_nowhere(read: Any, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.jsonl").write_text('{"secret": 1}')
    (inside / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    with pytest.raises(ConfigurationError, match="outside the allowed places"):
        await read("file", url="inside/*.jsonl")
    os.mkfifo(inside / "pipe.jsonl")
    with pytest.raises(ConfigurationError, match="no regular file"):
        await read("file", url="inside/pipe.jsonl")


async def test_an_input_chain_cannot_lead_out_of_the_folder(read: Any, tmp_path: Path) -> None:
    async def elsewhere(*_: Any) -> Any:
        yield {"url": "../../etc/passwd"}

    with pytest.raises(ConfigurationError, match="outside the allowed places"):
        await read("file", Context(folder=tmp_path, requests=elsewhere), url="in/x.jsonl", format="jsonl")


async def test_a_document_that_is_too_long_is_lost_and_never_held(read: Any, tmp_path: Path) -> None:
    with (tmp_path / "in.jsonl").open("wb") as file:
        file.write(b'{"a": 1}\n{"b": "')
        for _ in range(64):
            file.write(b"x" * 1024**2)
        file.write(b'"}\n{"c": 2}\n')
    tracemalloc.start()
    documents, lost = await read("file", url="in.jsonl", max_document_bytes=1024)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert documents == [{"a": 1}, {"c": 2}]
    assert len(lost) == 1
    assert "line 2: longer than 1024 bytes" in lost[0].reason
    assert peak < 8 * 1024**2


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv"])
async def test_many_documents_pass_in_flat_memory(tmp_path: Path, ending: str) -> None:
    count = 30_000
    with (tmp_path / f"in.{ending}").open("w") as file:
        start, line, between, end = {
            "jsonl": ("", '{"n": "%d", "text": "%s"}', "\n", "\n"),
            "json": ("[", '{"n": "%d", "text": "%s"}', ",", "]"),
            "csv": ("n,text\n", "%d,%s", "\n", "\n"),
        }[ending]
        file.write(start + between.join(line % (number, "x" * 100) for number in range(count)) + end)
    kind = prototypes().find("file")
    reader = kind.build(kind.parameters.model_validate({"url": f"in.{ending}"}))
    seen = 0
    tracemalloc.start()
    async with aclosing(reader.documents(Context(folder=tmp_path))) as documents:
        async for document in documents:
            assert document["n"] == str(seen)
            seen += 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == count
    assert peak < 6 * 1024**2
