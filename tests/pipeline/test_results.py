"""Failed documents go back the way they came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.documents import parse
from connector.errors import ConfigurationError, InvalidDocument
from connector.pipeline import ErrorsFile, revive


@pytest.mark.parametrize("document", [{"a": 1}, {}, [1], "text", None, 5, {"$error": 1}, {"$document": {"a": 1}}])
def test_a_document_comes_back_as_it_was(tmp_path: Path, document: Any) -> None:
    errors = ErrorsFile(tmp_path / "errors.jsonl")
    errors.write(document, "failed", "because")
    errors.close()
    back = revive(parse((tmp_path / "errors.jsonl").read_bytes()))
    assert (back.document, back.earlier["reason"], back.outcome, back.in_doubt) == (document, "because", None, False)


def test_a_line_that_never_failed_is_its_own_document() -> None:
    assert revive({"$text": "x"}).document == {"$text": "x"}
    assert revive({"$error": "mine"}).document == {"$error": "mine"}


def test_a_line_that_was_mended_is_read_again() -> None:
    assert revive({"$text": '{"a": 1}', "$error": {}}).document == {"a": 1}
    with pytest.raises(InvalidDocument):
        revive({"$text": '{"a": ', "$error": {}})


def test_no_file_is_made_for_nothing(tmp_path: Path) -> None:
    ErrorsFile(tmp_path / "errors.jsonl").close()
    ErrorsFile(None).write({}, "failed", "x")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigurationError, match="no folder"):
        ErrorsFile(tmp_path / "missing" / "errors.jsonl")
