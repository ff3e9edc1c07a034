"""Names and values that are not known: misspellings of known ones, or novelties that a newer API may know.

A name is near another when both read alike but for case and separators, when one slip of the fingers (a letter left
out, doubled, wrong or swapped) makes the one the other, or when each word of it is near the word at its place: two
slips count in words of eight letters and more that begin alike. Three kinds of names are near and yet none of them:
one with another word in its place, one with another letter where the known one has a word of a single letter (`top_k`
beside `top_p`), and one that has other figures, which is another version or size.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from connector.documents import member_path
from connector.model import JSON, Fault
from connector.request.display import join_names, list_choices, show_value
from connector.suggestions import closest, did_you_mean

__all__ = [
    "WORDS",
    "Novelty",
    "find_misspelt",
    "find_nearest",
    "is_moving",
    "is_plausible",
    "is_plural",
    "report_unknown_choice",
    "report_unknown_field",
    "report_unknown_parameter",
]

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
WORDS = frozenset(
    """
    alac ask avif band base batch best blend block bound brand budget cap chain chat cite class clip cloud code
    codes colour cost crop data date dates day deep depth dice draft edge edit edits even event fade fail fast fee
    fields find fine fire fit fix flow fold font form frame free from full fuse gain game gate gif goal grade grid
    group hard head heat heif hold host hour id image info intent ip jxl kind lane last late layer lead left less
    level lift limit line link list live load lock log long loop mark mask match math mean merge mesh mime mind mint
    mix mock month most move mute name near net next node noise note once opus order own pace pack pad page pair
    part past path pcma pcmu peak phase pick pin ping pitch pixel place plan play plug point pool port post press
    price prior probe proof range rank rate ratio raw read real region rest right ring risk role room root rope
    route row rule safe sale salt same save scale scan scene scope score sea search seat seed seek send serve set
    shape shard share shift shot shots side sign site size skill skip slot slow smart soft sort sound space span
    spec speech speed spend stack stage star start stat state step steps stop stops store stream style sum swap sync
    tail tap target task team tempo term test text theme thread tick tie tier tile till time tint title tone top
    topic total trace track trail train tree trial trim true tune turn uhd unit uri url urn use value vary vast view
    vote wait warm watch wave webm wide width word work year zone zoom
    """.split()  # noqa: SIM905 - a list of words is read by its lines
)
"""Words that differ by one letter from another one and mean something else: `speed` beside `seed`.

A name that holds one where a known name has the other was meant as it was written.
"""


def is_moving(field: str, known: Collection[JSON], *, tells_apart: bool) -> bool:
    """Return whether a field may hold a choice that is newer than the catalogue: a moving one, or a tag."""
    if field == TAG:
        return tells_apart
    # A lone choice is a constant.
    return len(known) > 1 and field not in CLOSED and SEPARATORS.split(field)[-1] in MOVING


def is_plausible(value: JSON, known: Collection[JSON]) -> bool:
    """Return whether a value is written as the known choices are: short, with their letters and separators."""
    names = [name for name in known if isinstance(name, str)]
    separators = {"_", *(character for name in names for character in name if not character.isalnum())}
    if not isinstance(value, str) or not 0 < len(value) <= MOST or not value[0].isalnum() or not value.isascii():
        return False
    upper = any(name != name.lower() for name in names)
    return all(character.isalnum() or character in separators for character in value) and (
        upper or value == value.lower()
    )


def find_nearest(value: str, known: Collection[JSON]) -> tuple[str, ...]:
    """Return the choices that a value misspells; none when it only has other digits."""
    names = dict.fromkeys(name for name in known if isinstance(name, str))
    if any(_hide_digits(value) == _hide_digits(name) for name in names if DIGITS.search(name)):
        return ()
    return find_misspelt(value, tuple(names))


def _hide_digits(value: str) -> str:
    """Return a value without its figures: versions and sizes of one form differ in nothing else."""
    return DIGITS.sub("0", value)


@lru_cache(maxsize=1024)
def find_misspelt(name: str, known: tuple[str, ...], most: int = 3) -> tuple[str, ...]:
    """Return the known names that a name misspells, nearest first; none when it is a name of its own."""
    plain = _squeeze(name)
    # A long text is no name, and slips are counted letter by letter.
    near = [
        (slips, one) for one in known if len(name) <= 2 * MOST and (slips := _count_slips(name, plain, one)) is not None
    ]
    return tuple(one for _, one in sorted(near, key=lambda pair: pair[0])[:most])


def _count_slips(name: str, plain: str, known: str) -> int | None:
    """Return how many slips lead from a name to a known one; None when it is another name."""
    other = _squeeze(known)
    if plain == other:
        return 0
    if abs(len(plain) - len(other)) > 2:
        return None
    slips = _measure_distance(plain, other)
    words, others = _split_words(name), _split_words(known)
    if slips > 2 or _is_other_name(words, others):
        return None
    if slips <= 1:
        return slips
    if len(words) != len(others) or plain[:1] != other[:1]:
        return None
    return slips if all(map(_is_near, words, others)) else None


def _is_other_name(words: list[str], others: list[str]) -> bool:
    """Return whether a name is meant as written: with a word or figures of its own where the known one has others."""
    *stem, last = words or [""]
    if last.isdecimal() and "".join(stem).removesuffix("v") == "".join(others):
        return True
    letters = len(words) > 1
    return len(words) == len(others) and any(
        not is_plural(word, other) and (word in WORDS or (letters and len(word) == len(other) == 1))
        for word, other in zip(words, others, strict=True)
    )


def is_plural(name: str, other: str) -> bool:
    """Return whether two names are one but for an s at the end."""
    return name.removesuffix("s") == other.removesuffix("s")


def _is_near(word: str, other: str) -> bool:
    slips = _measure_distance(word, other)
    return slips <= 1 or (slips == 2 and min(len(word), len(other)) >= LONG and word[0] == other[0])


def _squeeze(name: str) -> str:
    return SEPARATORS.sub("", name).casefold()


def _split_words(name: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(name)]


def _measure_distance(one: str, other: str) -> int:
    """Return the slips between two words: letters left out, added, wrong, or swapped with their neighbour."""
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


@dataclass(frozen=True, slots=True)
class Novelty(Fault):
    """A name or a value that is not known, and may only be newer than the catalogue."""

    is_field: bool = True
    is_misspelt: bool = False
    """Whether it is near a known one, so that it is taken for a misspelling."""


def report_unknown_field(
    place: str, name: str, known: Collection[str], elsewhere: Collection[str] = (), given: Collection[str] = ()
) -> Novelty:
    """Return a field that is none of the known ones.

    One that other branches of a union know is no misspelling, nor is `models` where `model` is given too.
    """
    near = find_misspelt(name, tuple(known)) or (() if name in elsewhere else find_misspelt(name, tuple(elsewhere)))
    near = tuple(one for one in near if not (one in given and is_plural(name, one)))
    allowed = f"known here: {join_names(known)}" if known else "no field of that name is known here"
    hint = did_you_mean(near or closest(name, known))
    return Novelty(member_path(place, name), "unknown field", allowed, hint, is_misspelt=bool(near))


def report_unknown_parameter(name: str, known: Collection[str]) -> Novelty:
    """Return a parameter that a query does not take."""
    near = find_misspelt(name, tuple(known))
    allowed = f"the query takes {join_names(known)}" if known else "the query takes no parameters"
    hint = did_you_mean(near or closest(name, known))
    return Novelty(f"query.{name}", "unknown parameter", allowed, hint, is_misspelt=bool(near))


def report_unknown_choice(place: str, field: str, value: JSON, choices: list[JSON], *, tells_apart: bool) -> Fault:
    """Return a value that is none of the choices: a novelty where choices grow and it is written like one of them."""
    words = (f"found {show_value(value, place)}", *list_choices(value, choices))
    known = list(dict.fromkeys(choice for choice in choices if isinstance(choice, str)))
    if not is_moving(field, known, tells_apart=tells_apart) or not is_plausible(value, known):
        return Fault(place, *words)
    near = find_nearest(value, known)
    found, allowed, hint = words
    return Novelty(place, found, allowed, did_you_mean(near) or hint, is_field=False, is_misspelt=bool(near))
