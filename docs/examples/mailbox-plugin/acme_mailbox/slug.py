"""Texts in the form of addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from unicodedata import normalize

from connector.plugins import JSON, Mapper, Scope, Unfit, fields

__all__ = ["SLUG"]


def build(separator: Callable[[JSON, Scope], str]) -> Callable[[JSON, Scope], JSON]:
    """Return what changes one value."""

    def work(value: JSON, scope: Scope) -> JSON:
        if not isinstance(value, str):
            raise Unfit(f"found {type(value).__name__}; a slug is made of text")
        plain = normalize("NFKD", value).encode("ascii", "ignore").decode().lower()
        return separator(value, scope).join(re.findall(r"[a-z0-9]+", plain))

    return work


SLUG = Mapper(
    "slug",
    "Text in lower case without accents, its words joined.",
    {"separator": fields.text("What joins the words.", default="-")},
    build,
    sole="separator",
)
