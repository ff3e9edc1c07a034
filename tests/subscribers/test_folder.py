"""Files as documents: where they are, not what is in them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConfigurationError
from connector.subscribers import Context, prototypes
from connector.subscribers.folder import FolderReader, Parameters


async def test_each_file_is_a_document_in_the_order_of_the_names(read: Any, tmp_path: Path) -> None:
    (tmp_path / "calls" / "deep.mp3").mkdir(parents=True)
    (tmp_path / "calls" / "b.mp3").write_bytes(b"12345")
    (tmp_path / "calls" / "a b.tar.gz").write_bytes(b"")
    os.utime(tmp_path / "calls" / "b.mp3", (0, 86_400))
    documents, lost = await read("folder", url="calls/*")
    assert [document["name"] for document in documents] == ["a b.tar.gz", "b.mp3"]
    assert documents[1] == {
        "file": "calls/b.mp3", "name": "b.mp3", "stem": "b", "suffix": ".mp3", "bytes": 5,
        "modified": "1970-01-02T00:00:00+00:00",
    }  # fmt: skip
    assert lost == []


async def test_subfolders_count_when_asked(read: Any, tmp_path: Path) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "z.txt").write_text("")
    assert await read("folder", url="x/*.txt") == ([], [])
    documents, _ = await read("folder", url="x/**/*.txt")
    assert [document["file"] for document in documents] == ["x/y/z.txt"]


async def test_a_file_that_is_not_there(read: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot look at .*nothing\.txt.*No such file"):
        await read("folder", url="nothing.txt")


async def test_a_link_that_leads_out_is_refused(read: Any, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.txt").write_text("s")
    (tmp_path / "in" / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(ConfigurationError, match="outside the allowed places"):
        await read("folder", url="in/*.txt")


async def test_explain_lists_files_and_opens_none(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"")
    explained = await FolderReader(Parameters(url="*.pdf")).explain(Context(folder=tmp_path))
    assert explained == {"url": "*.pdf", "files": ["a.pdf"]}


def test_it_is_a_kind_of_subscriber() -> None:
    assert prototypes().find("folder").summary.startswith("Files as they are")
