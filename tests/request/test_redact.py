"""Redaction: a secret is gone in whatever encoding it travelled."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.request.redact import HIDDEN, Redactor

SECRET = 'päss "word"/+\\key'
TEXT = st.text(st.characters(exclude_categories=("Cs",)))


@pytest.mark.parametrize(
    "encoded",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
    ],
)
def test_a_secret_is_hidden_in_every_encoding(encoded: str) -> None:
    assert Redactor([SECRET])(f"before {encoded} after") == f"before {HIDDEN} after"


@given(before=TEXT, secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8), after=TEXT)
def test_a_secret_is_hidden_within_base64_wherever_it_stands(before: str, secret: str, after: str) -> None:
    whole = (before + secret + after).encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        shown = Redactor([secret])(encode(whole).decode())
        assert HIDDEN in shown
        assert secret not in shown


def test_text_without_secrets_is_left_alone() -> None:
    text = "sk- is a prefix, max_tokens: 5, Bearer of news"
    assert Redactor(["another-secret"])(text) == text
    assert Redactor()(text) == text


def test_short_texts_are_no_secrets() -> None:
    assert Redactor(["", "a", "abc"])("abcdef") == "abcdef"


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnopqrst",
        f"gw-{43 * 'x'}",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
        "ghp_abcdefghijklmnopqrst",
    ],
)
def test_what_looks_like_a_key_is_hidden_though_nobody_named_it(secret: str) -> None:
    assert Redactor()(f"key {secret}, then") == f"key {HIDDEN}, then"


def test_headers_and_values_are_hidden_by_their_names() -> None:
    redact = Redactor(["my-secret"])
    assert redact.headers({"authorization": "Bearer my-secret", "cookie": "a=b", "x-a": "my-secret!", "x-b": "c"}) == {
        "authorization": f"Bearer {HIDDEN}",
        "cookie": HIDDEN,
        "x-a": f"{HIDDEN}!",
        "x-b": "c",
    }
    assert redact.value({"api_key": "x", "max_tokens": "y", "a": ["my-secret", 1, None], "my-secret": True}) == {
        "api_key": HIDDEN,
        "max_tokens": "y",
        "a": [HIDDEN, 1, None],
        HIDDEN: True,
    }


def test_a_redactor_does_not_tell_what_it_knows() -> None:
    assert "my-secret" not in repr(Redactor(["my-secret"]))
