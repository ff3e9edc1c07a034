"""Signed tokens and other long secrets, which are sought as plain texts.

A pattern of a token of a thousand characters has ten thousand parts. Compiling it takes longer than a call takes, and
such tokens are replaced every hour. URLs, JSON and HTML write their characters alike, so that few forms are enough; and
a text that is shorter than a token does not hold it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator

__all__ = ["LongSecrets", "is_long"]

LONG = 120
UNCHANGED = re.compile(r"[A-Za-z0-9_.-]+")


def is_long(secret: str) -> bool:
    """Return whether a secret is long and has only characters that no encoding writes differently."""
    return len(secret) >= LONG and UNCHANGED.fullmatch(secret) is not None


class LongSecrets:
    """Hides long secrets: plain, in base64 at any offset, and in hexadecimal.

    Args:
        secrets: those for which `is_long` holds.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _iter_forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)
        self._shortest = min(map(len, forms), default=0)

    def is_in(self, text: str) -> bool:
        """Return whether the text holds one of them."""
        if not self._forms or len(text) < self._shortest:
            return False
        return any(form in text for form in self._forms)

    def hide(self, text: str, instead: str) -> str:
        """Return the text with something else in their place."""
        if not self._forms or len(text) < self._shortest:
            return text
        for form in self._forms:
            text = text.replace(form, instead)
        return text


def _iter_forms(secret: str) -> Iterator[str]:
    data = secret.encode()
    yield secret
    yield data.hex()
    yield data.hex().upper()
    for lead in range(3):
        encoded = b64encode(bytes(lead) + data).decode()
        # The characters that depend on the secret alone.
        own = encoded[-(-lead * 8 // 6) : (lead + len(data)) * 8 // 6]
        yield own
        yield own.translate(URL_SAFE)


URL_SAFE = str.maketrans("+/", "-_")
