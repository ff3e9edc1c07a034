"""Files that are written whole or not at all."""

from __future__ import annotations

import base64
import csv
import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConfigurationError
from connector.publishers import prototypes
from connector.publishers.output_file import LocalFile, open_file

DOCUMENTS = [{"id": 1, "text": 'a, "b"\nü', "tags": ["x"]}, {"id": 2, "text": "", "tags": []}]


def text(name: str) -> str:
    return Path(name).read_text()


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def left_behind(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.partial")]


@pytest.mark.parametrize(("name", "read"), [
    ("out.jsonl", lambda path: [json.loads(line) for line in path.read_text().splitlines()]),
    ("out.json", lambda path: json.loads(path.read_text())),
])  # fmt: skip
async def test_documents_come_back_as_they_were(write: Any, tmp_path: Path, name: str, read: Any) -> None:
    outcomes = await write("file", DOCUMENTS, url=f"new/{name}")
    assert all(outcome.ok for outcome in outcomes)
    assert read(tmp_path / "new" / name) == DOCUMENTS
    assert left_behind(tmp_path) == []


async def test_csv(write: Any, tmp_path: Path) -> None:
    outcomes = await write("file", [*DOCUMENTS, {"id": 3, "other": 1}, "text", {"id": 4}], url="out.csv")
    assert [outcome.ok for outcome in outcomes] == [True, True, False, False, True]
    assert "no column is named other" in outcomes[2].reason
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {"id": "1", "text": 'a, "b"\nü', "tags": '["x"]'}
    assert [row["id"] for row in rows] == ["1", "2", "4"]


async def test_csv_of_no_documents_has_the_columns_that_were_named(write: Any, tmp_path: Path) -> None:
    await write("file", [], url="never.csv", columns=["a", "b"])
    assert not (tmp_path / "never.csv").exists()


async def test_parquet(write: Any, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")

    many = [{"id": number, "text": "x" * 10, "none": None} for number in range(2500)]
    outcomes = await write("file", [*many, {"id": "no number"}, {"id": 9, "new": 1}, {"id": 7}], url="out.parquet")
    assert [outcome.ok for outcome in outcomes[-3:]] == [False, False, True]
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.num_rows == 2501
    assert table.slice(0, 2).to_pylist() == many[:2]


async def test_one_file_a_document(write: Any, tmp_path: Path) -> None:
    image = base64.b64encode(b"\x89PNG\x00").decode()
    documents = [
        {"id": "a", "image": {"$content": image}},
        {"id": "b", "image": {"$content": "not base64!"}},
        {"id": "a", "image": "x"},
    ]
    outcomes = await write("file", documents, url="out/&{id}.png", content="&{image}")
    assert (tmp_path / "out" / "a.png").read_bytes() == b"\x89PNG\x00"
    assert [outcome.ok for outcome in outcomes] == [True, False, False]
    assert "not base64" in outcomes[1].reason
    assert "written for another document" in outcomes[2].reason
    assert left_behind(tmp_path) == []


async def test_documents_that_name_one_file_share_it(write: Any, tmp_path: Path) -> None:
    await write(
        "file",
        [{"day": "mo", "n": 1}, {"day": "tu", "n": 2}, {"day": "mo", "n": 3}],
        url="&{day}.jsonl",
        content={"n": "&{n}"},
    )
    assert (tmp_path / "mo.jsonl").read_text() == '{"n":1}\n{"n":3}\n'
    assert (tmp_path / "tu.jsonl").read_text() == '{"n":2}\n'


@pytest.mark.parametrize("name", ["../x", "/etc/x", "..", "a/../../x", "x\ny"])
async def test_a_document_cannot_name_a_file_elsewhere(write: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    [outcome] = await write("file", [{"name": name}], url="out/&{name}.json")
    if name not in ("..", "/etc/x"):  # those become `out/...json` and `out/etc/x.json`
        assert not outcome.ok
        assert "outside the allowed places" in outcome.reason or "control character" in outcome.reason
    assert names(tmp_path) == ["out"]


async def test_nothing_is_visible_before_the_end_and_nothing_after_a_break(
    publisher: Any, context: Any, tmp_path: Path
) -> None:
    (tmp_path / "out.jsonl").write_text("old\n")
    writes = publisher("file", url="out.jsonl")
    await writes.publish({"n": 1}, context)
    assert (tmp_path / "out.jsonl").read_text() == "old\n"
    kept = await writes.abandon()
    assert (tmp_path / "out.jsonl").read_text() == "old\n"
    assert [text(name) for name in kept] == ['{"n":1}\n']


async def test_appending(write: Any, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text('{"n":0}\n{"torn": ')
    await write("file", [{"n": 1}], url="out.jsonl", append=True)
    await write("file", [{"n": 2}], url="out.jsonl", append=True)
    assert (tmp_path / "out.jsonl").read_text() == '{"n":0}\n{"torn": \n{"n":1}\n{"n":2}\n'


@pytest.mark.parametrize(("parameters", "message"), [
    ({"url": "out.csv", "append": True}, "only jsonl can be appended"),
    ({"url": "s3://bucket/out.jsonl", "append": True}, "this machine"),
    ({"url": "out.jsonl", "format": "xml"}, "format"),
])  # fmt: skip
def test_what_cannot_work_is_refused_early(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prototypes().find("file").parameters.model_validate(parameters)


async def test_a_full_disk_fails_the_document_and_leaves_the_file_whole(
    publisher: Any, context: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = publisher("file", url="out.jsonl")
    assert (await writes.publish({"n": 1}, context)).ok
    whole = next(iter(writes._open.values())).file
    real, calls = whole.file, []

    class Full:
        """Takes half of the data, then has no room."""

        def write(self, data: Any) -> int:
            calls.append(1)
            if len(calls) == 1:
                return real.write(bytes(data)[:3])
            raise OSError(errno.ENOSPC, "No space left on device")

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

    whole.file = Full()
    outcome = await writes.publish({"n": 2}, context)
    assert not outcome.ok
    assert "No space left" in outcome.reason
    whole.file = real
    assert (await writes.publish({"n": 3}, context)).ok
    await writes.finish()
    assert (tmp_path / "out.jsonl").read_text() == '{"n":1}\n{"n":3}\n'


async def test_what_is_no_json_fails_alone(write: Any, tmp_path: Path) -> None:
    outcomes = await write("file", [{"n": float("nan")}, {"n": 1}], url="out.jsonl")
    assert [outcome.ok for outcome in outcomes] == [False, True]
    assert (tmp_path / "out.jsonl").read_text() == '{"n":1}\n'


async def test_a_missing_value_in_a_name_fails_the_document(write: Any) -> None:
    [outcome] = await write("file", [{}], url="&{id}.json")
    assert not outcome.ok
    assert "nothing at &{id}" in outcome.reason


async def test_elsewhere(write: Any) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    await write("file", [{"n": 1}], url="memory://kept/out.jsonl")
    try:
        assert memory.cat("/kept/out.jsonl") == b'{"n":1}\n'
        assert len(memory.ls("/kept")) == 1
    finally:
        memory.rm("/kept", recursive=True)


def test_the_rights_of_the_file_that_is_replaced_stay(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    (tmp_path / "x").chmod(0o640)
    whole = LocalFile(str(tmp_path / "x"))
    whole.append(b"new")
    whole.commit()
    assert (tmp_path / "x").read_text() == "new"
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def test_a_kill_at_any_moment_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    program = (
        "import sys, time\n"
        "from connector.publishers.output_file import LocalFile\n"
        f"whole = LocalFile({str(tmp_path / 'x')!r})\n"
        "whole.append(b'new ' * 1000)\n"
        "print('written', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert (tmp_path / "x").read_text() == "old"
    assert len(left_behind(tmp_path)) == 1


async def test_too_many_open_files_are_refused(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.publishers.file.MOST_OPEN", 2)
    outcomes = await write("file", [{"n": number} for number in range(3)], url="&{n}.jsonl")
    assert [outcome.ok for outcome in outcomes] == [True, True, False]
    assert "more than 2 files are open" in outcomes[2].reason


async def test_a_file_that_cannot_be_completed_is_told(publisher: Any, context: Any, tmp_path: Path) -> None:
    writes = publisher("file", url="out/x.jsonl")
    await writes.publish({"n": 1}, context)
    (tmp_path / "out" / "x.jsonl").mkdir()
    with pytest.raises(ConfigurationError, match="cannot complete"):
        await writes.finish()


@pytest.mark.parametrize("name", ["out.jsonl", "out.json", "out.csv", "out.tsv", "out.txt", "out.bin", "out.parquet"])
@pytest.mark.parametrize("poison", ["\ud800", 2**70, float("nan"), {"\udfff": "x"}, ["\ud800"]])
async def test_a_document_that_cannot_be_written_fails_alone(
    publisher: Any, context: Any, tmp_path: Path, name: str, poison: Any
) -> None:
    rows = name.endswith((".jsonl", ".json", ".csv", ".tsv", ".parquet"))
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
        if poison != poison:
            pytest.skip("Parquet holds it")
    writes = publisher("file", url=name)
    documents = [{"a": value} if rows else value for value in ("one", poison, "two")]
    outcomes = [await writes.publish(document, context) for document in documents]
    await writes.finish()
    assert [outcome.state.value for outcome in outcomes] == ["done", "not_sent", "done"]
    written = (tmp_path / name).read_bytes()
    assert b"one" in written
    assert b"two" in written


@pytest.mark.parametrize(("values", "kept"), [
    ([1, None, "x", 2], [1, None, 2]),
    ([None, "x", 1, None], [None, "x", None]),
    ([1, 2.5, None], [1.0, 2.5, None]),
    ([2**60 + 1, 2.5, 3], [2**60 + 1, 3]),
    ([[1], ["a"], [2]], [[1], [2]]),
    ([{"b": 1}, {"b": "x"}, {"b": 2}], [{"b": 1}, {"b": 2}]),
])  # fmt: skip
async def test_rows_of_mixed_types_in_one_parquet_file(
    publisher: Any, context: Any, tmp_path: Path, values: list[Any], kept: list[Any]
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    writes = publisher("file", url="out.parquet")
    outcomes = [await writes.publish({"a": value}, context) for value in values]
    await writes.finish()
    assert sum(outcome.ok for outcome in outcomes) == len(kept)
    assert [row["a"] for row in parquet.read_table(tmp_path / "out.parquet").to_pylist()] == kept


async def test_a_csv_cell_is_no_formula_to_a_spreadsheet(write: Any, tmp_path: Path) -> None:
    texts = [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "-5.20",
        "+49 (170) 123-45",
        "-1e-5%",
        "a=b",
    ]
    await write("file", [{"=id": text} for text in texts], url="out.csv")
    await write("file", [{"id": text} for text in texts], url="kept.csv", formulas=True)
    with (tmp_path / "out.csv").open(newline="") as file:
        head, *rows = list(csv.reader(file))
    assert head == ["'=id"]
    assert [row[0] for row in rows] == [f"'{text}" for text in texts[:6]] + texts[6:]
    with (tmp_path / "kept.csv").open(newline="") as file:
        assert [row[0] for row in csv.reader(file)][1:] == texts


def test_a_pipe_that_bears_a_name_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "rows.jsonl"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match=r"rows\.jsonl"):
        open_file(str(pipe), append=True)
    target = open_file(str(pipe), append=False)
    target.append(b"{}\n")
    target.commit()
    assert pipe.read_bytes() == b"{}\n"
