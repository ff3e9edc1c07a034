"""Other ways people write a client's parameters, brought to the one way that models know."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from connector.model import JSON, is_object

__all__ = ["normalised"]

ADDRESSES = ("base_uri", "baseUri", "base_url", "baseUrl", "endpoint")


def normalised(given: Mapping[str, JSON], known: Collection[str]) -> dict[str, JSON]:
    """The parameters with the address under the prototype's own name, and tries in all as retries after the first."""
    address = next((name for name in ADDRESSES if name in known), "base_uri")
    named = {address if name in ADDRESSES else name: value for name, value in given.items()}
    retry = named.get("retry")
    if is_object(retry) and isinstance(retry.get("attempts"), int) and "max_retries" not in retry:
        others = {name: value for name, value in retry.items() if name != "attempts"}
        named["retry"] = {**others, "max_retries": retry["attempts"] - 1}
    return named
