"""What servers say about waiting, and the nonsense they also say."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http.wait_hints import LONGEST_WAIT, find_reset, parse_duration, parse_retry_after, parse_should_retry

NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "0.75"}, 0.75),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=30), usegmt=True)}, 30.0),
        ({"retry-after": format_datetime(NOW - timedelta(days=3), usegmt=True)}, None),
        ({"retry-after": "1000000000"}, LONGEST_WAIT),
        ({"retry-after": "1e300"}, LONGEST_WAIT),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, LONGEST_WAIT),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_a_hint_is_read_or_ignored_but_never_believed_blindly(headers, seconds):
    assert parse_retry_after(headers, NOW) == seconds


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), st.text(max_size=40)))
def test_no_hint_is_negative_endless_or_an_error(headers):
    hint = parse_retry_after(headers, NOW)
    assert hint is None or (math.isfinite(hint) and 0 <= hint <= LONGEST_WAIT)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("6m0s", 360), ("20ms", 0.02), ("1h2m3.5s", 3723.5), ("1d", 86400), ("7", 7), ("", None),
     ("-1s", None), ("1x", None), ("s", None), ("1s junk", None), ("nan", None)],
)  # fmt: skip
def test_rate_limit_durations(text, seconds):
    assert parse_duration(text) == seconds


def test_an_exhausted_limit_tells_when_it_is_renewed():
    headers = {
        "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20ms",
        "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6s",
    }  # fmt: skip
    assert find_reset(headers) == 6.0
    assert find_reset(headers | {"x-ratelimit-remaining-tokens": "10"}) == 0.02
    assert find_reset({}) is None


def test_the_servers_word_on_retrying():
    assert parse_should_retry({"x-should-retry": "true"}) is True
    assert parse_should_retry({"x-should-retry": "False"}) is False
    assert parse_should_retry({"x-should-retry": "maybe"}) is None
    assert parse_should_retry({}) is None
