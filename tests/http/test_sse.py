"""Server-sent events, whatever the chunking."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http.response import UnacceptableBody
from connector.http.sse import EventParser, ServerEvent

STREAM = (
    b"\xef\xbb\xbf: a comment\r\n"
    b"retry: 3000\r\n"
    b'data: {"a":\r\ndata:  1}\r\n\r\n'
    b"event: named\nid: 7\ndata: x\xc3\xa9y\n\n"
    b"data\r\rdata:z\r\r"
    b"event: without data\n\n"
    b"unknown: field\ndata: last\n\n"
    b"data: [DONE]\n\n"
)  # fmt: skip
EVENTS = [
    ServerEvent("", '{"a":\n 1}'),
    ServerEvent("named", "xéy", "7"),
    ServerEvent("", "", "7"),
    ServerEvent("", "z", "7"),
    ServerEvent("", "last", "7"),
    ServerEvent("", "[DONE]", "7"),
]


def parse(*chunks: bytes) -> list[ServerEvent]:
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)] + parser.close()


def test_all_line_ends_comments_and_fields():
    assert parse(STREAM) == EVENTS


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_split_at_every_byte(cut):
    assert parse(STREAM[:cut], STREAM[cut:]) == EVENTS


def test_byte_by_byte():
    assert parse(*(STREAM[at : at + 1] for at in range(len(STREAM)))) == EVENTS


@given(st.lists(st.integers(0, len(STREAM))))
def test_any_chunking(cuts):
    places = [0, *sorted(cuts), len(STREAM)]
    assert parse(*(STREAM[a:b] for a, b in pairwise(places))) == EVENTS


@given(st.binary(max_size=400), st.integers(1, 50))
def test_chunking_never_matters_and_nothing_raises(data, size):
    assert parse(*(data[at : at + size] for at in range(0, len(data), size))) == parse(data)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_every_line_end_alone(end):
    assert parse(f"data: a{end}data: b{end}{end}data: c{end}{end}".encode()) == [
        ServerEvent("", "a\nb"), ServerEvent("", "c"),
    ]  # fmt: skip


def test_an_end_without_its_blank_line_still_counts():
    assert parse(b"data: [DONE]") == [ServerEvent("", "[DONE]")]
    assert parse(b"data: whole\n") == [ServerEvent("", "whole")]


def test_a_line_cut_short_does_not_count():
    assert parse(b'data: {"a": 1') == []


@pytest.mark.parametrize("endless", [b"x", b"data: x\n"])
def test_an_endless_line_or_event_is_refused(endless):
    parser = EventParser(most=1000)
    for _ in range(1000 // len(endless)):
        parser.feed(endless)
    with pytest.raises(UnacceptableBody, match="larger than 1000 bytes"):
        parser.feed(endless * 1000)


def test_an_event_that_ends_in_a_lone_cr_does_not_wait():
    parser = EventParser()
    assert parser.feed(b"data: a\r\r") == [ServerEvent("", "a")]
    assert parser.feed(b"\ndata: b\r\n\r") == [ServerEvent("", "b")]
    assert parser.feed(b"\n") == []
    assert parser.feed(b"data: c\n\n") == [ServerEvent("", "c")]
