"""Names with brackets become arrays and objects, and forms become fields."""

from __future__ import annotations

import pytest

from connector.sandbox.http.form_data import expand_brackets, parse_multipart, read_boundary
from connector.sandbox.messages import ApiError, Upload


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("a", "1")], {"a": "1"}),
        ([("a", "1"), ("a", "2")], {"a": ["1", "2"]}),
        ([("a[]", "1"), ("a[]", "2")], {"a": ["1", "2"]}),
        ([("a[gt]", "1"), ("a[lt]", "2")], {"a": {"gt": "1", "lt": "2"}}),
        ([("a[b][]", "1"), ("a[b][]", "2")], {"a": {"b": ["1", "2"]}}),
        ([("a[][x]", "1"), ("a[][y]", "2"), ("a[][x]", "3")], {"a": [{"x": "1", "y": "2"}, {"x": "3"}]}),
        ([("a", "1"), ("a[b]", "2")], {"a": {"b": "2"}}),
        ([("[a]", "1")], {"[a]": "1"}),
        ([("a" + "[x]" * 5000, "1")], None),
    ],
)
def test_names_with_brackets(pairs: list[tuple[str, str]], expected: object) -> None:
    found = expand_brackets(pairs)
    assert expected is None or found == expected


def _form(*parts: bytes) -> bytes:
    return b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + b"--B--\r\n"


def test_a_form_has_texts_files_and_json() -> None:
    data = _form(
        b'Content-Disposition: form-data; name="purpose"\r\n\r\nbatch',
        b'Content-Disposition: form-data; name="file"; filename="a%22b.txt"\r\nContent-Type: text/plain\r\n\r\n\r\n--b',
        b'Content-Disposition: form-data; name="session"\r\nContent-Type: application/json\r\n\r\n{"a": 1}',
    )
    assert list(parse_multipart(data, read_boundary('multipart/form-data; boundary="B"'))) == [
        ("purpose", "batch"),
        ("file", Upload('a"b.txt', "text/plain", b"\r\n--b")),
        ("session", {"a": 1}),
    ]


def test_names_may_stand_without_quotes() -> None:
    data = _form(b"Content-Disposition: form-data; name=file; filename=a.txt\r\nContent-Type: text/plain\r\n\r\nx")
    assert list(parse_multipart(data, b"B")) == [("file", Upload("a.txt", "text/plain", b"x"))]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing",
        b"--B\r\n",
        _form(b'Content-Disposition: form-data; name="a"'),
        _form(b"Content-Type: text/plain\r\n\r\nx"),
        _form(b'Content-Disposition: form-data; name="a"\r\n\r\n\xff\xfe'),
        _form(b'Content-Disposition: form-data; name="a"\r\nContent-Type: application/json\r\n\r\n{'),
    ],
)
def test_a_form_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ApiError, match="Could not parse multipart form"):
        list(parse_multipart(data, b"B"))


def test_a_form_without_boundary_is_refused() -> None:
    with pytest.raises(ApiError, match="no boundary"):
        read_boundary("multipart/form-data")
