"""Path values reach their place in the path, and nothing else."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.request.path import Template, check_segment, fill_template

TEMPLATE = Template.of("/files/{file_id}/content")


@given(st.text())
def test_an_accepted_value_is_one_segment_that_decodes_to_itself(value: str) -> None:
    path, faults = fill_template(TEMPLATE, {"file_id": value})
    if faults:
        return
    before, segment, after = path.split("/")[1:]
    assert (before, after) == ("files", "content")
    assert unquote(segment) == value
    assert re.fullmatch(r"([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})+", segment)


@given(st.text(st.sampled_from("./\\%2eE2fF5cC\t\n\x00ab"), max_size=12))
def test_no_value_climbs_however_often_it_is_decoded(value: str) -> None:
    path, faults = fill_template(TEMPLATE, {"file_id": value})
    for _ in range(3):
        if faults:
            return
        assert ".." not in re.split(r"[/\\]", path)
        path = unquote(path)


@pytest.mark.parametrize(
    "value", ["..", ".", "%2e%2e", "%2E.", ".%2e", "%252e%252E", "../x", "a/../b", "a\\..\\b", "./a"]
)
def test_dot_segments_are_refused_in_every_disguise(value: str) -> None:
    assert fill_template(TEMPLATE, {"file_id": value})[1]


@pytest.mark.parametrize(
    ("value", "segment"),
    [("%2e", "%252e"), ("a%2Fb", "a%252Fb"), ("...", "..."), ("a..b", "a..b"), (".a", ".a"), ("~", "~"), (True, "true"),
     (7, "7"), (1.5, "1.5"), ("!$&'()*+,;=:@", "!$&'()*+,;=:@")],
)  # fmt: skip
def test_harmless_values_are_sent_as_they_are(value: object, segment: str) -> None:
    assert fill_template(TEMPLATE, {"file_id": value}) == (f"/files/{segment}/content", [])


@pytest.mark.parametrize(
    "value", [None, "", [], {}, "a\nb", "a\0", "\x7f", "\x85", "\ud800", float("nan"), float("inf")]
)
def test_what_is_no_segment_is_refused(value: object) -> None:
    _, faults = fill_template(TEMPLATE, {"file_id": value})
    assert [fault.where for fault in faults] == ["path.file_id"]


def test_missing_and_unknown_names_are_found_at_once() -> None:
    _, faults = fill_template(Template.of("/a/{one}/{two}"), {"one": "", "tow": "x"})
    assert [str(fault) for fault in faults] == [
        "path.one: empty; at least one character is needed",
        "path.two: missing; this operation needs it in its path",
        "path.tow: unknown parameter; the path takes one, two; did you mean 'two'?",
    ]


def test_a_path_without_parameters_takes_none() -> None:
    assert fill_template(Template.of("/models"), {}) == ("/models", [])
    assert [str(fault) for fault in fill_template(Template.of("/models"), {"x": 1})[1]] == [
        "path.x: unknown parameter; the path takes no parameters"
    ]


def test_ordinary_names_are_not_even_looked_at() -> None:
    assert check_segment("file-abc_123:x") is None
