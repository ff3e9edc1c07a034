"""Redaction: a secret is gone in whatever encoding it travelled."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.request.display import SECRET_VALUE
from connector.request.redaction import HIDDEN, Redactor, hide_secret_values
from tests.timing import within

SECRET = 'päss "word"/+\\key'
TEXT_CHARACTERS = st.characters(exclude_categories=("Cs",))
TEXT = st.text(TEXT_CHARACTERS)


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


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:s3cret@db/x", "postgresql://me:***@db/x"),
        ("postgresql://me:s3@cret@db/x?sslmode=require", "postgresql://me:***@db/x?sslmode=require"),
        ("postgresql://db/x?user=me&password=s3cret", "postgresql://db/x?user=me&password=***"),
        ("mssql://db/x?odbc_connect=PWD%3Ds3cret", "mssql://db/x?odbc_connect=***"),
        ("https://h/a?api%5Fkey=s3cret&b=1#end", "https://h/a?api%5Fkey=***&b=1#end"),
        (
            "https://h/a?X-Amz-Signature=s3cret&sig=s3cret&X-Amz-Date=1",
            "https://h/a?X-Amz-Signature=***&sig=***&X-Amz-Date=1",
        ),
        ("https://h/a?token=&key=s3cret", "https://h/a?token=&key=***"),
        ("https://h/a?tokens=5&b", "https://h/a?tokens=5&b"),
    ],
)
def test_a_url_is_shown_without_its_credentials(url: str, shown: str) -> None:
    assert Redactor().url(url) == shown


def test_a_password_in_a_url_is_hidden_within_a_sentence() -> None:
    assert Redactor()("cannot reach redis://:s3cret@cache:6379/0 now") == "cannot reach redis://:***@cache:6379/0 now"


@pytest.mark.parametrize("secret", ["a/b+c=d/e", "tök/en+1"])
def test_a_secret_is_hidden_when_it_was_encoded_twice_or_in_lower_case(secret: str) -> None:
    forms = [
        quote(quote(secret, safe="")),
        quote(secret, safe="").lower(),
        json.dumps(secret)[1:-1].replace("/", "\\/"),
    ]
    forms.append(json.dumps(json.dumps(secret)[1:-1])[1:-1])
    assert [Redactor([secret])(form) for form in forms] == [HIDDEN] * len(forms)


HTML = "".join(f"&#{ord(letter)};" if not letter.isalnum() else letter for letter in SECRET)


@pytest.mark.parametrize(
    "encoded",
    [
        quote(quote(SECRET.lower()).lower()).lower(),
        quote(SECRET, safe="").replace("%2F", "%2f"),
        escape(SECRET),
        escape(escape(SECRET)),
        HTML,
        HTML.replace("&#47;", "&#x2F;").replace("&", "&amp;"),
        json.dumps(SECRET)[1:-1].replace("u00e4", "u00E4").replace("/", r"\u002f"),
        json.dumps(json.dumps(json.dumps(SECRET)))[7:-7],
        ascii(SECRET)[1:-1],
        SECRET.encode().decode("latin-1"),
        quote(base64.b64encode(b"??>" + SECRET.encode() + b"?>").decode(), safe="")[6:-6],
        base64.b64encode(SECRET.encode()).decode().replace("/", r"\/"),
    ],
)
def test_a_secret_is_hidden_however_its_characters_are_written(encoded: str) -> None:
    shown = Redactor([SECRET, SECRET + "longer"])(f"<{encoded}>")
    assert HIDDEN in shown
    assert len(shown) <= len(f"<{HIDDEN}>") + 4


@given(st.text(TEXT_CHARACTERS, min_size=6), st.sampled_from([quote, escape, quote_plus, str, json.dumps]))
def test_whatever_a_secret_is_made_of(secret: str, encode: Callable[[str], str]) -> None:
    encoded = encode(secret)
    assert secret not in Redactor([secret])(f"a {encoded} b")
    assert encoded.strip('"') not in Redactor([secret])(f"a {encoded} b")


def test_a_thousand_secrets_are_looked_for_in_one_go() -> None:
    redact = Redactor(f"sk-{number:040}" for number in range(1000))
    text = "sk-" + "0" * 500_000
    redact("begin")
    assert within(2, lambda: redact(f"{text} sk-{'7'.zfill(40)}")).endswith(HIDDEN)


def test_a_value_keeps_its_shape_when_a_secret_looks_like_a_part_of_json() -> None:
    redact = Redactor(['"abc123', "}, {1234"])
    value = {"k": "abc123", "l": [{"m": 1}, {"n": '"abc123"'}], '"abc123': "}, {1234"}
    assert redact.hide_known_in(value) == {"k": "abc123", "l": [{"m": 1}, {"n": f'{HIDDEN}"'}], HIDDEN: HIDDEN}


def test_the_headers_of_an_answer_are_changed_only_where_they_hold_a_secret() -> None:
    plain = [(b"x-request-id", b"req_1"), (b"date", b"today")]
    redact = Redactor(["the-secret"])
    assert redact.hide_in_raw_headers(plain) is plain
    encoded = base64.b64encode(b"user:the-secret")
    assert redact.hide_in_raw_headers([(b"x-echo", b"a the-secret"), (b"x-basic", encoded)])[0] == (b"x-echo", b"a ***")
    assert encoded not in redact.hide_in_raw_headers([(b"x-basic", encoded)])[0][1]
    assert redact.hide_in_headers({"x-request-id": "the-secret"}) == {"x-request-id": HIDDEN}


STARTS = ("sk-", "sk_", "ek_", "sess-", "rk-", "ghp_", "xoxb-", "gw-", "Bearer ", "bearer ", "eyJ")
PIECES = st.sampled_from([*STARTS, "x" * 20, "a.b", " ", "é"])


@given(st.lists(PIECES, max_size=8).map("".join), st.from_regex(SECRET_VALUE))
def test_a_text_that_needs_no_pattern_holds_no_secret_value(text, secret):
    for each in (text, secret, f"{text} {secret}"):
        assert hide_secret_values(each, HIDDEN) == SECRET_VALUE.sub(HIDDEN, each)


TOKEN = "eyJhbGciOiJSUzI1NiJ9." + "Zm9vYmFy-_0" * 80 + "." + "c2ln" * 40
"""A signed token: long, and of characters that no encoding writes differently."""


@pytest.mark.parametrize("lead", [b"", b"a", b"ab", b"user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_long_token_is_hidden_in_base64_wherever_it_stands(lead, encode):
    redactor = Redactor([TOKEN, "sk-short-secret-1"])
    text = encode(lead + TOKEN.encode() + b" and more").decode()
    assert TOKEN[300:340] not in redactor.hide_known(text)
    assert redactor.has_secret(text.encode())
    assert len(redactor.hide_known(text)) < 60


@pytest.mark.parametrize("write", [str, quote, json.dumps, escape, lambda text: text.encode().hex().upper()])
def test_a_long_token_is_hidden_however_it_is_written(write):
    redactor = Redactor([TOKEN])
    assert redactor.hide_known(f"x {write(TOKEN)} y").replace('"', "") == "x *** y"
    assert redactor.hide_known("nothing here") == "nothing here"
    assert not redactor.has_secret(b"nothing here" * 200)


def test_a_new_long_token_costs_no_pattern():
    redactor = Redactor(["sk-short-secret-1"])
    redactor.hide_known("x")
    compiled = redactor._pattern
    redactor.learn([TOKEN])
    assert redactor.hide_known(f"sk-short-secret-1 {TOKEN}") == "*** ***"
    assert redactor._pattern.pattern == compiled.pattern


def test_what_is_forgotten_is_hidden_no_longer_here_and_where_it_was_passed_on():
    one, other = Redactor(["sk-short-secret-1"]), Redactor(["sk-other-secret-2"])
    one.pass_on_to(other)
    one.learn([TOKEN])
    assert other.hide_known(f"sk-short-secret-1 sk-other-secret-2 {TOKEN}") == "*** *** ***"
    one.forget([TOKEN])
    for redactor in (one, other):
        assert redactor.hide_known(TOKEN) == TOKEN
    assert one.secrets == {"sk-short-secret-1"}


ENCODINGS: list[Callable[[str], str]] = [
    str,
    quote,
    lambda text: quote(text, safe=""),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    escape,
    lambda text: text.encode().hex(),
    lambda text: text.encode().hex().upper(),
    *(
        lambda text, lead=lead, encode=encode: encode(b"u" * lead + text.encode() + b"more").decode()
        for lead in range(3)
        for encode in (base64.b64encode, base64.urlsafe_b64encode)
    ),
]
LETTERS = st.text(st.sampled_from('abcXYZ019_.-+/\\"%& é€'), min_size=6, max_size=30)


@given(st.lists(LETTERS, min_size=1, max_size=10), st.sampled_from(ENCODINGS), st.data())
def test_the_first_look_misses_nothing_that_the_pattern_finds(secrets, encode, data):
    redactor = Redactor(secrets)
    text = f"{data.draw(TEXT)}{encode(data.draw(st.sampled_from(secrets)))}{data.draw(TEXT)}"
    found = text.encode()
    assert redactor.has_secret(found) is (redactor._pattern.search(found.decode("latin-1")) is not None)


def test_texts_without_a_secret_never_ask_the_pattern():
    redactor = Redactor(["sk-proj-a-key-like-others", "another_password.1"])
    assert not redactor._needles.may_be_in(json.dumps({"text": "some words\n and more " * 50}))
    assert redactor._needles.may_be_in("it was another_password.1!")
