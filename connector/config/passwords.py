"""The passwords in a URL."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["passwords_of"]


def passwords_of(url: str) -> Iterator[str]:
    """Yield what must not be shown of a URL, as it is written and as it is meant."""
    try:
        parts = urlsplit(url)
        found = [parts.password or "", *parse_qs(parts.query).get("password", ())]
    except ValueError:
        return
    for password in found:
        yield from dict.fromkeys(form for form in (password, unquote(password)) if form)
