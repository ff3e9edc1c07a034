"""Rules of an allow list: what they allow, and what they never mean."""

from __future__ import annotations

import pytest

from connector.catalogue import Catalogue
from connector.config.models.gateway import parse_rule
from connector.errors import ConfigurationError


def allows(text: str, call: str, catalogue: Catalogue) -> bool:
    method, path = call.split()
    found = catalogue.match(method, path)
    return parse_rule(text, catalogue).allows(method, path, found[0] if found else None)


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("chat completions create", "POST /chat/completions", "GET /chat/completions"),
        ("CreateChatCompletion", "POST /chat/completions", "POST /completions"),
        ("models *", "DELETE /models/ft:x", "GET /files"),
        ("models", "GET /models", "DELETE /models/x"),
        ("* list", "GET /files", "GET /files/file-1"),
        ("vector store f* retrieve", "GET /vector_stores/v/files/f", "GET /vector_stores/v"),
        ("batches cancel", "POST /batches/b/cancel", "POST /batches"),
        ("batches cancel*", "POST /batches/b/cancel", "POST /batches"),
        ("*", "POST /responses", "POST /organization/projects"),
        ("* *", "POST /responses", "GET /organization/costs"),
        ("projects *", "GET /organization/projects", "POST /responses"),
        ("POST /custom/*", "POST /custom/a/b", "GET /custom/a"),
        ("* /custom/[a]?x", "PUT /custom/[a]?x", "PUT /custom/a1x"),
        ("GET /*", "GET /anything", "GET /organization/users"),
        ("GET /organization/*", "GET /organization/users", "DELETE /organization/users/u"),
    ],
)
def test_a_rule_allows_what_it_names_and_no_more(text: str, yes: str, no: str, catalogue: Catalogue) -> None:
    assert allows(text, yes, catalogue)
    assert not allows(text, no, catalogue)


@pytest.mark.parametrize("text", ["", "modles *", "chat completion create", "post /x", "/custom/*", "models lst"])
def test_a_rule_that_allows_nothing_is_refused(text: str, catalogue: Catalogue) -> None:
    with pytest.raises(ConfigurationError, match="allow: "):
        parse_rule(text, catalogue)
