from __future__ import annotations

import pytest

from connector.model import JSON
from connector.pagination import items_of, next_query


@pytest.mark.parametrize(
    ("pages", "body", "expected"),
    [
        ("cursor", {"data": [{"id": "a"}], "last_id": "b", "has_more": True}, {"after": "b"}),
        ("cursor", {"data": [{"id": "a"}, {"id": "c"}], "has_more": True}, {"after": "c"}),
        ("cursor", {"data": [{"id": "a"}], "last_id": "a", "has_more": False}, {}),
        ("cursor", {"data": [{"id": "a"}]}, {"after": "a"}),
        ("cursor", {"data": [], "has_more": True}, {}),
        ("cursor", {"data": [], "last_id": "z", "has_more": True}, {"after": "z"}),
        ("cursor", {"data": [{"name": "no id"}], "has_more": True}, {}),
        ("cursor", {"data": None, "has_more": True}, {}),
        ("next", {"data": [{}], "next": "n", "has_more": True}, {"after": "n"}),
        ("next", {"data": [{}], "next": None, "has_more": True}, {}),
        ("page", {"data": [{}], "next_page": "p", "has_more": True}, {"page": "p"}),
        ("page", {"data": [{}], "next": "p"}, {"page": "p"}),
        ("page", {"data": [{}], "next_page": None, "has_more": False}, {}),
        (None, {"data": [{"id": "a"}], "has_more": True}, {}),
        ("cursor", "not a list", {}),
    ],
)
def test_where_the_next_page_is(pages: str | None, body: JSON, expected: dict[str, str]) -> None:
    assert next_query(pages, body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"data": [1, 2]}, [1, 2]),
        ({"data": []}, []),
        ({"id": "x"}, [{"id": "x"}]),
        ({"data": "text"}, [{"data": "text"}]),
        (None, []),
        ([1], [[1]]),
    ],
)
def test_the_entities_of_an_answer(body: JSON, expected: list[JSON]) -> None:
    assert items_of(body) == expected
