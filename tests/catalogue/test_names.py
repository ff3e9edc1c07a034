"""The general rule by which operations are named, without any overlay."""

import pytest

from connector.catalogue.importer.names import (
    Name,
    NamingRules,
    is_plural,
    name_operation,
    nominalize,
    singularize,
    split_words,
)

RULES = NamingRules()


def named(wire_name: str, *, lists: bool = False, singleton: bool = False, rules: NamingRules = RULES) -> Name:
    method, path = wire_name.split()
    return name_operation(method, path, rules, lists=lists, singleton=singleton)


@pytest.mark.parametrize(
    ("wire_name", "name"),
    [
        ("GET /files/{id}", Name("files", "retrieve")),
        ("GET /files/{id}/content", Name("file content", "retrieve")),
        ("POST /files", Name("files", "create")),
        ("DELETE /files/{id}", Name("files", "delete")),
        ("DELETE /spend_limit", Name("spend limit", "delete")),
        ("PUT /files/{id}", Name("files", "replace")),
        ("PATCH /files/{id}", Name("files", "update")),
        ("POST /files/{id}", Name("file updates", "create", "update", "files")),
        ("POST /batches/{id}/cancel", Name("batch cancellations", "create", "cancel", "batches")),
        ("POST /stores/{id}/search", Name("store searches", "create", "search", "stores")),
        (
            "POST /runs/{id}/submit_tool_outputs",
            Name("run tool output submissions", "create", "submit_tool_outputs", "runs"),
        ),
        ("POST /images/edits", Name("image edits", "create")),
        ("POST /search", Name("search", "create")),
        ("POST /chat/completions", Name("chat completions", "create")),
        ("GET /api/v2/vectorStores/{id}/file-batches/{b}/files/{f}", Name("vector store file batch files", "retrieve")),
        ("GET /", Name("root", "retrieve")),
        ("POST /answers?beta=true", Name("beta answers", "create")),
        ("POST /answers/{id}/cancel?beta=true", Name("beta answer cancellations", "create", "cancel", "beta answers")),
    ],
)
def test_a_path_tells_the_name(wire_name: str, name: Name) -> None:
    assert named(wire_name) == name


def test_a_get_that_answers_a_list_lists() -> None:
    assert named("GET /files", lists=True) == Name("files", "list")
    assert named("GET /files/{id}", lists=True) == Name("files", "retrieve")


def test_a_post_beside_a_single_thing_updates_it() -> None:
    assert named("POST /spend_limit", singleton=True) == Name("spend limit updates", "create", "update", "spend limit")


def test_words_and_rewrites_of_an_overlay_come_first() -> None:
    rules = NamingRules([{"from": "^/org/", "to": "/"}], {"fine_tuning": "fine-tuning"})
    assert named("GET /org/fine_tuning/jobs/{id}", rules=rules) == Name("fine-tuning jobs", "retrieve")


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("files", "file"), ("batches", "batch"), ("responses", "response"), ("policies", "policy"), ("boxes", "box"),
        ("content", "content"), ("status", "status"), ("access", "access"), ("data", "data"), ("analysis", "analysis"),
    ],
)  # fmt: skip
def test_singulars(many: str, one: str) -> None:
    assert singularize(many) == one


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("statuses", "status"), ("job aliases", "job alias"), ("children", "child"), ("people", "person"),
        ("buses", "bus"), ("indices", "index"), ("analyses", "analysis"), ("series", "series"),
        ("training data", "training data"),
    ],
)  # fmt: skip
def test_words_that_no_ending_tells(many: str, one: str) -> None:
    assert is_plural(many)
    assert singularize(many) == one
    assert is_plural(one) == (many == one)


def test_words_of_every_spelling() -> None:
    assert (
        split_words("vector_stores")
        == split_words("vector-stores")
        == split_words("vectorStores")
        == ["vector", "stores"]
    )


def test_a_segment_that_is_no_verb_has_no_noun() -> None:
    assert nominalize(["files"]) is None
    assert nominalize(["rotate", "secrets"]) == "secret rotations"
