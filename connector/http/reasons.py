"""Why an attempt is not done, in words."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from connector.http.attempt import Tried
from connector.http.complaint import codes_of, message_of
from connector.http.policy import Verdict
from connector.model import items
from connector.request import Redactor

__all__ = ["told"]

LONGEST = 500
PLAIN = ("error", "invalid_request_error")
"""Codes that say no more than that there is an error."""


def told(tried: Tried, verdict: Verdict | None, hide: Redactor) -> str:
    """The server's own words, its code, and what to do; secrets are hidden before a text is cut."""
    parts = (hide(part) for part in _parts(tried, verdict) if part)
    return "; ".join(part if len(part) <= LONGEST else f"{part[: LONGEST - 3]}..." for part in parts)


def _parts(tried: Tried, verdict: Verdict | None) -> Iterator[str]:
    body = next(reversed(items(tried.body)), tried.body)
    said = tried.reason or message_of(body)
    codes = ", ".join(sorted(code for code in codes_of(body) if code not in PLAIN))
    yield f"{said or 'the server does not say why'}{f' [{codes}]' if codes else ''}"
    if tried.status is not None and 300 <= tried.status < 400:
        parts = urlsplit(tried.headers.get("location", ""))
        yield f"the server redirects to {parts.hostname or parts.path or 'nowhere'}"
    if verdict is not None:
        yield verdict.advice
