"""Suggestions for misspelt names."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["closest", "did_you_mean"]

LONGEST = 200
"""The most characters of a name that is compared; the time grows with the product of both lengths."""


def closest(name: str, choices: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """Return the choices most similar to the name, best first; none when nothing is similar."""
    from difflib import get_close_matches

    if len(name) > LONGEST:
        return ()
    by_folded = {choice.casefold(): choice for choice in choices if len(choice) <= LONGEST}
    return tuple(by_folded[match] for match in get_close_matches(name.casefold(), by_folded, n=most, cutoff=0.6))


def did_you_mean(suggestions: Iterable[str]) -> str:
    """Return the suggestions as a question; empty when there are none."""
    meant = " or ".join(repr(suggestion) for suggestion in suggestions)
    return f"did you mean {meant}?" if meant else ""
