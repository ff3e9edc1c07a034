"""Removes secrets from everything that is shown: whatever their encoding, and wherever they stand."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from connector.model import items, members
from connector.request.encodings import pattern_of
from connector.request.shown import SECRET_NAME, without_secret_values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from connector.model import JSON

__all__ = ["HIDDEN", "Redactor", "without_credentials"]

HIDDEN = "***"
PASSWORD = re.compile(r"(//[^/?#@:\s]*):[^/?#\s]*@")
"""A user's password in a URL; it may hold an `@` itself."""
SIGNED = re.compile(
    r"(?i)(x-(amz|goog)-(signature|credential|security-token)|sig|signature|sas|key|code|pwd|pass|passphrase"
    r"|ssl_?password|odbc_connect)"
)
"""Parameters of a query that carry a credential, beside those that are named after one."""
SHORTEST = 6
"""A shorter secret would hide half of every text."""
LONGEST_KNOWN = 40
MOST_KNOWN = 1000
"""Names and words that come in every line of a log; so many short texts are looked at only once."""


class Redactor:
    """Knows some secrets, and hides them plain, in base64, in URLs, in JSON, in HTML and in hexadecimal."""

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
        known = self._secrets | {secret for secret in secrets if len(secret) >= SHORTEST}
        if known == self._secrets:
            return
        self._secrets = known
        self.__dict__.pop("_pattern", None)
        # A new one, not an emptied one: whoever is looking at a text meanwhile adds it to the old.
        self._harmless = set()

    def __call__(self, text: str) -> str:
        """The text without the secrets, and without what looks like one."""
        harmless = self._harmless
        if text in harmless:
            return text
        shown = without_secret_values(self.known(text), HIDDEN)
        if "://" in shown:
            shown = PASSWORD.sub(rf"\1:{HIDDEN}@", shown)
        if len(text) <= LONGEST_KNOWN and shown == text and len(harmless) < MOST_KNOWN:
            harmless.add(text)
        return shown

    def known(self, text: str) -> str:
        """The text without the secrets; what only looks like one stays as it is."""
        return self._pattern.sub(HIDDEN, text) if self._secrets else text

    def known_in(self, value: JSON) -> JSON:
        """A JSON value without the secrets, in keys and texts; what only looks like one stays as it is."""
        if isinstance(value, str):
            return self.known(value)
        if isinstance(value, dict):
            return {self.known(key): self.known_in(child) for key, child in members(value).items()}
        return [self.known_in(child) for child in items(value)] if isinstance(value, list | tuple) else value

    def holds(self, data: bytes) -> bool:
        """Whether one of the secrets stands in these bytes, in any of its encodings."""
        return bool(self._secrets) and self._pattern.search(data.decode("latin-1")) is not None

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Headers without the secrets, and without the values of those that are made for secrets."""
        return {name: self._header(name, value) for name, value in headers.items()}

    def sent_back(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The headers of an answer that is passed on, without the secrets; as they are where they hold none."""
        if not self.holds(b"\n".join([value for _, value in headers])):
            return headers
        return [(name, self.known(value.decode("latin-1")).encode("latin-1")) for name, value in headers]

    def answered(self, headers: dict[str, str]) -> dict[str, str]:
        """The headers of an answer without the secrets; as they are where they hold none."""
        if not self.holds("\n".join(headers.values()).encode(errors="replace")):
            return headers
        return {name: self.known(value) for name, value in headers.items()}

    def url(self, url: str) -> str:
        """A URL without its password, and without what its query says under a secret's name."""
        return self(without_credentials(url))

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
    def _pattern(self) -> re.Pattern[str]:
        return pattern_of(self._secrets)


def without_credentials(url: str, keep: Collection[str] = ()) -> str:
    """A URL without its password and the secret values of its query, but for those that hold one of `keep`."""
    address, mark, query = PASSWORD.sub(rf"\1:{HIDDEN}@", url).partition("?")
    query, hash_sign, fragment = query.partition("#")
    shown = "&".join(_parameter(pair, keep) for pair in query.split("&"))
    return f"{address}{mark}{shown}{hash_sign}{fragment}"


def _parameter(pair: str, keep: Collection[str]) -> str:
    """A parameter of a query, its value hidden where its name says that it is secret."""
    name, _, value = pair.partition("=")
    plain = unquote_plus(name)
    secret = SECRET_NAME.search(plain) or SIGNED.fullmatch(plain)
    return f"{name}={HIDDEN}" if secret and value and not any(text in value for text in keep) else pair
