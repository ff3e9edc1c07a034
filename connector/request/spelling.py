"""Misspellings and novelties: which unknown names are near a known one, and which unknown choices may be new.

A name is near another when both read alike but for case and separators, when one slip of the fingers (a letter left
out, doubled, wrong or swapped) makes the one the other, or when each word of it is near the word at its place: two
slips count in words of eight letters and more that begin alike. Three kinds of names are near and yet none of them:
one with another word in its place, one with another letter where the known one has a word of a single letter (`top_k`
beside `top_p`), and one that has other figures, which is another version or size.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from connector.model import JSON
from connector.request.words import WORDS

__all__ = ["is_moving", "is_plausible", "is_plural", "misspelt", "nearest"]

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+|\d+")
SEPARATORS = re.compile(r"[\W_]+")
DIGITS = re.compile(r"\d+")
LONG = 8
"""Letters of a word in which two slips are still a misspelling."""

MOVING = frozenset({
    "background", "detail", "effort", "format", "include", "model", "models", "personality", "purpose", "quality",
    "residency", "retention", "size", "sizes", "style", "summary", "tier", "tiers", "ttl", "types", "verbosity",
    "voice", "voices", "window",
})  # fmt: skip
"""Last words of the fields whose choices grow between two releases of a catalogue."""
CLOSED = frozenset({"encoding_format", "search_content_types"})
"""Fields with such a word whose choices are what a protocol can carry."""
TAG = "type"
MOST = 64


def is_moving(field: str, known: Collection[JSON], *, tells_apart: bool) -> bool:
    """Whether a field may hold a choice that is newer than the catalogue: a moving field, or the tag of a union."""
    if field == TAG:
        return tells_apart
    # A lone choice is a constant.
    return len(known) > 1 and field not in CLOSED and SEPARATORS.split(field)[-1] in MOVING


def is_plausible(value: JSON, known: Collection[JSON]) -> bool:
    """Whether a value is written as the known choices are: short, with their letters and separators."""
    names = [name for name in known if isinstance(name, str)]
    separators = {"_", *(character for name in names for character in name if not character.isalnum())}
    if not isinstance(value, str) or not 0 < len(value) <= MOST or not value[0].isalnum() or not value.isascii():
        return False
    upper = any(name != name.lower() for name in names)
    return all(character.isalnum() or character in separators for character in value) and (
        upper or value == value.lower()
    )


def nearest(value: str, known: Collection[JSON]) -> tuple[str, ...]:
    """The choices that a value misspells; none when it only has other digits."""
    names = dict.fromkeys(name for name in known if isinstance(name, str))
    if any(_form(value) == _form(name) for name in names if DIGITS.search(name)):
        return ()
    return misspelt(value, tuple(names))


def _form(value: str) -> str:
    """A value without its figures: versions and sizes of one form differ in nothing else."""
    return DIGITS.sub("0", value)


@lru_cache(maxsize=1024)
def misspelt(name: str, known: tuple[str, ...], most: int = 3) -> tuple[str, ...]:
    """The known names that a name misspells, nearest first; none when it is a name of its own."""
    plain = _squeezed(name)
    # A long text is no name, and slips are counted letter by letter.
    near = [(slips, one) for one in known if len(name) <= 2 * MOST and (slips := _slips(name, plain, one)) is not None]
    return tuple(one for _, one in sorted(near, key=lambda pair: pair[0])[:most])


def _slips(name: str, plain: str, known: str) -> int | None:
    """How many slips make a name of a known one; None when it is another name."""
    other = _squeezed(known)
    if plain == other:
        return 0
    if abs(len(plain) - len(other)) > 2:
        return None
    slips = _distance(plain, other)
    words, others = _words(name), _words(known)
    if slips > 2 or _is_another(words, others):
        return None
    if slips <= 1:
        return slips
    if len(words) != len(others) or plain[:1] != other[:1]:
        return None
    return slips if all(map(_is_near, words, others)) else None


def _is_another(words: list[str], others: list[str]) -> bool:
    """Whether a name was meant as it is written: with a word of its own, or figures, where the known one has others."""
    *stem, last = words or [""]
    if last.isdecimal() and "".join(stem).removesuffix("v") == "".join(others):
        return True
    letters = len(words) > 1
    return len(words) == len(others) and any(
        not is_plural(word, other) and (word in WORDS or (letters and len(word) == len(other) == 1))
        for word, other in zip(words, others, strict=True)
    )


def is_plural(name: str, other: str) -> bool:
    """Whether two names are one but for an s at the end."""
    return name.removesuffix("s") == other.removesuffix("s")


def _is_near(word: str, other: str) -> bool:
    slips = _distance(word, other)
    return slips <= 1 or (slips == 2 and min(len(word), len(other)) >= LONG and word[0] == other[0])


def _squeezed(name: str) -> str:
    return SEPARATORS.sub("", name).casefold()


def _words(name: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(name)]


def _distance(one: str, other: str) -> int:
    """The slips between two words: letters left out, added, wrong, or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        older, before, row = before, row, [place]
        for index, known in enumerate(other, 1):
            slips = min(before[index] + 1, row[-1] + 1, before[index - 1] + (letter != known))
            if place > 1 and index > 1 and letter == other[index - 2] and one[place - 2] == known:
                slips = min(slips, older[index - 2] + 1)
            row.append(slips)
    return row[-1]
