"""Keeping secrets out of everything that is shown: plain, base64, URL and JSON encoded."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cached_property
from json import dumps
from urllib.parse import quote, quote_plus

__all__ = ["Redactor"]

HIDDEN = "***"
SHORTEST = 6
"""A shorter secret would hide half of every text."""


class Redactor:
    """Replaces every secret it knows, in every encoding it may have taken on the way."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = frozenset(secret for secret in secrets if len(secret) >= SHORTEST)

    def __call__(self, text: str) -> str:
        return self._pattern.sub(HIDDEN, text) if self._secrets else text

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        forms = {form for secret in self._secrets for form in _forms(secret)}
        return re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield dumps(secret)[1:-1]
    yield dumps(secret, ensure_ascii=False)[1:-1]
    yield secret.encode().hex()
    for alphabet in (b"+/", b"-_"):
        for lead in range(3):
            yield _within_base64(secret.encode(), lead, alphabet)


def _within_base64(secret: bytes, lead: int, alphabet: bytes) -> str:
    """The characters that depend on the secret alone when it stands `lead` bytes into a base64 text."""
    encoded = b64encode(bytes(lead) + secret, alphabet).decode()
    return encoded[-(-lead * 8 // 6) : (lead + len(secret)) * 8 // 6]
