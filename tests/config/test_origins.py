"""Origins in a configuration: only what a browser would send, and the reason for everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config.models.origins import check_origin

KEPT = [
    "https://app.example.com", "https://app.example.com:8443", "http://localhost:3000", "http://canvas.localhost",
    "http://127.0.0.1:8080", "http://[::1]:3000", "https://xn--mnchen-3ya.example", "https://192.0.2.7",
    "https://[2001:db8::1]", "https://my_app.example", "https://intranet",
]  # fmt: skip
REFUSED = [
    ("*", "a wildcard lets in"),
    ("https://*.example.com", "a wildcard lets in"),
    ("null", "so it names no page"),
    ("https://app.example.com/", "write https://app.example.com"),
    ("https://app.example.com/canvas?x=1", "ends before the path"),
    ("https://app.example.com#top", "ends before the path"),
    ("https://App.Example.com", "in lower case: write https://app.example.com"),
    ("HTTPS://app.example.com", "https://app.example.com or"),
    ("https://app.example.com.", "ends in a dot"),
    ("https://app.example.com:443", "leave out the port"),
    ("https://app.example.com:", "leave out the port"),
    ("http://localhost:80", "leave out the port"),
    ("https://app.example.com:08443", "without zeros"),
    ("https://app.example.com:65536", "1 to 65535"),
    ("https://app.example.com:0", "1 to 65535"),
    ("https://münchen.example", "write https://xn--mnchen-3ya.example"),
    ("https://me@app.example.com", "is allowed: scheme"),
    ("app.example.com", "is allowed: scheme"),
    ("ftp://app.example.com", "is allowed: scheme"),
    ("https://", "none that browsers send"),
    ("https://-app.example", "none that browsers send"),
    ("https://app..example", "none that browsers send"),
    ("https://127.1", "none that browsers send"),
    ("https://0x7f.0.0.1", "none that browsers send"),
    ("https://[::0:1]", "none that browsers send"),
    ("https://[fe80::1%25eth0]", "none that browsers send"),
    ("https://app.example.com evil", "none that browsers send"),
    ("http://app.example.com", "only https is allowed"),
    ("http://localhost.evil.example", "only https is allowed"),
    ("http://127.evil.example", "only https is allowed"),
    ("https://app.example.com\n", "is allowed: scheme"),
    ("", "is allowed: scheme"),
]


@pytest.mark.parametrize("text", KEPT)
def test_what_browsers_send_is_kept(text: str) -> None:
    assert check_origin(text) == text


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_anything_else_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match="found ") as refused:
        check_origin(text)
    assert why in str(refused.value)


@given(st.text(max_size=300) | st.from_regex(r"https?://[a-z0-9.:\[\]%-]{0,40}", fullmatch=True))
def test_no_text_breaks_the_check(text: str) -> None:
    said = ""
    try:
        kept = check_origin(text)
    except ValueError as error:
        kept, said = text, str(error)
    assert kept == text
    assert not said or (said.startswith("found ") and len(said) < 700)
