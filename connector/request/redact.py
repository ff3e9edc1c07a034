"""Removes secrets from everything that is shown: whatever their encoding, and wherever they stand."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cached_property
from json import dumps
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from connector.request.shown import SECRET_NAME, SECRET_VALUE
from connector.shapes import items, members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from connector.model import JSON

__all__ = ["HIDDEN", "Redactor"]

HIDDEN = "***"
SHORTEST = 6
"""A shorter secret would hide half of every text."""
LONGEST_KNOWN = 40
MOST_KNOWN = 1000
"""Names and words that come in every line of a log; so many short texts are looked at only once."""


class Redactor:
    """Knows some secrets, and hides them plain, in base64, in URLs, in JSON and in hexadecimal."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = frozenset(secret for secret in secrets if len(secret) >= SHORTEST)
        self._harmless: set[str] = set()

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"

    @property
    def secrets(self) -> frozenset[str]:
        """What is hidden; not to be shown."""
        return self._secrets

    def learn(self, secrets: Iterable[str]) -> None:
        """Hides these too from now on: a key that was replaced is still one."""
        self._secrets |= {secret for secret in secrets if len(secret) >= SHORTEST}
        self.__dict__.pop("_pattern", None)
        self.__dict__.pop("_encoded", None)
        # A new one, not an emptied one: whoever is looking at a text meanwhile adds it to the old.
        self._harmless = set()

    def __call__(self, text: str) -> str:
        """The text without the secrets, and without what looks like one."""
        harmless = self._harmless
        if text in harmless:
            return text
        shown = SECRET_VALUE.sub(HIDDEN, self._pattern.sub(HIDDEN, text) if self._secrets else text)
        if len(text) <= LONGEST_KNOWN and shown == text and len(harmless) < MOST_KNOWN:
            harmless.add(text)
        return shown

    def known(self, text: str) -> str:
        """The text without the secrets; what only looks like one stays as it is."""
        return self._pattern.sub(HIDDEN, text) if self._secrets else text

    def holds(self, data: bytes) -> bool:
        """Whether one of the secrets stands in these bytes, in any of its encodings."""
        return any(form in data for form in self._encoded)

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Headers without the secrets, and without the values of those that are made for secrets."""
        return {name: self._header(name, value) for name, value in headers.items()}

    def value(self, value: JSON, name: str = "") -> JSON:
        """A JSON value without the secrets, and without what stands under a secret's name."""
        if isinstance(value, str):
            return HIDDEN if SECRET_NAME.search(name) else self(value)
        if isinstance(value, dict):
            return {self(key): self.value(child, key) for key, child in members(value).items()}
        return [self.value(child, name) for child in items(value)] if isinstance(value, list | tuple) else value

    def _header(self, name: str, value: str) -> str:
        shown = self(value)
        return HIDDEN if shown == value and SECRET_NAME.search(name) else shown

    @cached_property
    def _encoded(self) -> tuple[bytes, ...]:
        return tuple({form.encode() for secret in self._secrets for form in _forms(secret)})

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        forms = {form for secret in self._secrets for form in _forms(secret)}
        return re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield from (dumps(secret)[1:-1], dumps(secret, ensure_ascii=False)[1:-1])
    yield from (secret.encode().hex(), secret.encode().hex().upper())
    for alphabet in (b"+/", b"-_"):
        yield from (_within_base64(secret.encode(), lead, alphabet) for lead in range(3))


def _within_base64(secret: bytes, lead: int, alphabet: bytes) -> str:
    """The characters that depend on the secret alone when it stands `lead` bytes into a base64 text."""
    encoded = b64encode(bytes(lead) + secret, alphabet).decode()
    return encoded[-(-lead * 8 // 6) : (lead + len(secret)) * 8 // 6]
