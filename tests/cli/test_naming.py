"""Operations as they are typed: unquoted, with the values of their paths, and the error that helps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.catalogue import Catalogue
from connector.cli.arguments import find_operation
from connector.errors import UnknownName

CATALOGUE = Catalogue.open()


@pytest.mark.parametrize(("typed", "name", "values"), [
    ("chat completions create", "chat completions create", {}),
    ("chat.completions create", "chat completions create", {}),
    ("chat completions", "chat completions list", {}),
    ("Get Model by ID gpt-5", "models retrieve", {"model": "gpt-5"}),
    ("Create moderation", "moderations create", {}),
    ("Create Chat Completion", "chat completions create", {}),
    ("create image", "image generations create", {}),
    ("RetrieveFile file-123", "files retrieve", {"file_id": "file-123"}),
    ("files retrieve file-1", "files retrieve", {"file_id": "file-1"}),
    ("files get file-1", "files retrieve", {"file_id": "file-1"}),
    ("batches cancel b-1", "batch cancellations create", {"batch_id": "b-1"}),
    ("vector store files delete vs_1 file_1", "vector store files delete",
     {"vector_store_id": "vs_1", "file_id": "file_1"}),
    ("vector store files vs_1", "vector store files list", {"vector_store_id": "vs_1"}),
    ("GET /files/file-1", "files retrieve", {"file_id": "file-1"}),
    ("get /files/{file_id}", "files retrieve", {}),
])  # fmt: skip
def test_names_and_values(typed: str, name: str, values: dict[str, str]) -> None:
    operation, found = find_operation(CATALOGUE, typed.split())
    assert (operation.name, found) == (name, values)


def test_every_operation_is_found_by_its_name_typed_unquoted_with_its_values() -> None:
    for operation in CATALOGUE.operations():
        values = [f"id-{number}" for number, _ in enumerate(operation.parameters)]
        found, given_ = find_operation(CATALOGUE, [*operation.name.split(), *values])
        assert found.name == operation.name
        assert list(given_.values()) == values


@pytest.mark.parametrize(("typed", "told"), [
    ("files delte", "did you mean 'delete'"),
    ("files delte file-1", "did you mean 'delete'"),
    ("chat completion create", "did you mean 'chat completions create'"),
    ("models gpt-5", "models has list, retrieve, delete"),
    ("files retrieve a b", "files retrieve has file_id in its path"),
    ("chat completions create hello", "unknown value 'hello'"),
    ("POST /nothing", "unknown operation"),
    ("xyz abc def", "`entities list` shows all"),
])  # fmt: skip
def test_what_is_unknown_is_told_with_what_may_have_been_meant(typed: str, told: str) -> None:
    with pytest.raises(UnknownName) as caught:
        find_operation(CATALOGUE, typed.split())
    assert told in str(caught.value)


SOME = st.sampled_from(["files", "chat", "create", "delete", "POST", "/files", "vs"])
WORD = st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=8)


@settings(deadline=None)
@given(st.lists(SOME | WORD, min_size=1, max_size=5))
def test_any_words_give_an_operation_or_a_sentence(words: list[str]) -> None:
    try:
        operation, values = find_operation(CATALOGUE, words)
    except UnknownName:
        return
    assert set(values) <= set(operation.parameters)
