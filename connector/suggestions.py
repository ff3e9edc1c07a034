"""What a misspelt name may have meant."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["closest", "did_you_mean"]

LONGEST = 200
"""Characters of a name; comparing two texts takes the product of their lengths."""


def closest(name: str, choices: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """The choices that read most like the name, best first; none when nothing is near."""
    from difflib import get_close_matches

    if len(name) > LONGEST:
        return ()
    by_folded = {choice.casefold(): choice for choice in choices if len(choice) <= LONGEST}
    return tuple(by_folded[match] for match in get_close_matches(name.casefold(), by_folded, n=most, cutoff=0.6))


def did_you_mean(suggestions: Iterable[str]) -> str:
    """The suggestions as a question, empty when there are none."""
    meant = " or ".join(repr(suggestion) for suggestion in suggestions)
    return f"did you mean {meant}?" if meant else ""
