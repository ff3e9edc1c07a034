"""Numbers and strings that keep a schema's constraints, made of the words of a text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from connector.model import JSON
from connector.sandbox.models.instances.patterns import UnsupportedPattern, sample_pattern
from connector.sandbox.models.seeded_random import SeededRandom
from connector.transform.errors import Unfit
from connector.transform.regex import compile_regex

__all__ = ["Words", "generate_number", "generate_string"]

WORD_PATTERN = re.compile(r"\w+(?:['-]\w+)*")
SEPARATORS = re.compile(r"[\W_]+")
LONGEST_TEXT = 2000
"""The part of a text that words are taken from."""
OPEN_SPAN = 100
"""How far from its lower bound an open number goes."""
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES_A_YEAR = 365 * 24 * 60
REPEATS = (0, 1, 2, 4, 8, 16, 32, 64)


class Words:
    """Phrases out of one text; a text without words has a word of the sandbox's."""

    def __init__(self, text: str) -> None:
        self.text = text[:LONGEST_TEXT]
        self._words = WORD_PATTERN.findall(self.text) or ["sandbox"]
        self._known = {part.casefold() for word in self._words for part in (word, *SEPARATORS.split(word))}

    def phrase(self, path: str, rng: SeededRandom, size: int = 3) -> str:
        """Return a few consecutive words."""
        start = rng.integer(path, max(1, len(self._words) - size + 1))
        return " ".join(self._words[start : start + size])

    def endless(self, length: int) -> str:
        """Return the words over and over, cut off at a length."""
        text = " ".join(self._words)
        return (f"{text} " * (length // (len(text) + 1) + 1))[:length]

    def mentions(self, name: str) -> bool:
        """Return whether the text has every word of a name, with any separators and case."""
        parts = [part.casefold() for part in SEPARATORS.split(name) if part]
        return bool(parts) and all(part in self._known for part in parts)


def generate_number(constraints: Mapping[str, JSON], path: str, rng: SeededRandom, *, whole: bool) -> int | float:
    """Return a number within the constraints; the lower bound where nothing lies between them."""
    step = Decimal(str(constraints.get("multipleOf") or (1 if whole else "0.01")))
    if whole and step != step.to_integral_value():
        step = Decimal(step.as_integer_ratio()[0])
    low, high = _lowest(constraints, step), _highest(constraints, step)
    if low is None:
        low = 0 if high is None or high >= 0 else high - OPEN_SPAN
    if high is None:
        high = low + OPEN_SPAN * (1 if whole else 100)
    if high < low and "multipleOf" not in constraints and not whole:
        return _between(constraints)
    turns = low + rng.integer(path, max(1, high - low + 1))
    return int(turns * step) if whole or constraints.get("type") == "integer" else float(turns * step)


def _lowest(constraints: Mapping[str, JSON], step: Decimal) -> int | None:
    """Return the first step that is not too low."""
    found = [math.ceil(Decimal(str(constraints["minimum"])) / step)] if _has(constraints, "minimum") else []
    if _has(constraints, "exclusiveMinimum"):
        found.append(math.floor(Decimal(str(constraints["exclusiveMinimum"])) / step) + 1)
    return max(found, default=None)


def _highest(constraints: Mapping[str, JSON], step: Decimal) -> int | None:
    """Return the last step that is not too high."""
    found = [math.floor(Decimal(str(constraints["maximum"])) / step)] if _has(constraints, "maximum") else []
    if _has(constraints, "exclusiveMaximum"):
        found.append(math.ceil(Decimal(str(constraints["exclusiveMaximum"])) / step) - 1)
    return min(found, default=None)


def _between(constraints: Mapping[str, JSON]) -> float:
    """Return the middle of bounds that are closer than a step."""
    low = constraints.get("minimum", constraints.get("exclusiveMinimum", 0))
    high = constraints.get("maximum", constraints.get("exclusiveMaximum", low))
    return float(low + high) / 2


def _has(constraints: Mapping[str, JSON], name: str) -> bool:
    return isinstance(constraints.get(name), int | float) and not isinstance(constraints.get(name), bool)


def generate_string(constraints: Mapping[str, JSON], path: str, rng: SeededRandom, words: Words) -> str:
    """Return a string by its format, else by its pattern, else of the text's words."""
    formatted = FORMATS.get(str(constraints.get("format")))
    if formatted is not None:
        return formatted(path, rng, words)
    if isinstance(constraints.get("pattern"), str):
        return _match_pattern(constraints, path, rng, words)
    return _fit_length(words.phrase(path, rng), constraints, words)


def _match_pattern(constraints: Mapping[str, JSON], path: str, rng: SeededRandom, words: Words) -> str:
    phrase = _fit_length(words.phrase(path, rng), constraints, words)
    if _accepts(constraints["pattern"], phrase):
        return phrase
    try:
        samples = (sample_pattern(constraints["pattern"], path, rng, stretch) for stretch in REPEATS)
        return next((one for one in samples if len(one) >= constraints.get("minLength", 0)), phrase)
    except (UnsupportedPattern, ValueError, RecursionError):
        # What comes out is checked against the whole schema anyway, which then tells that nothing was found.
        return phrase


def _accepts(pattern: str, text: str) -> bool:
    """Return whether a pattern that matches in linear time accepts the text."""
    try:
        return compile_regex(pattern).search(text) is not None
    except Unfit:
        return False


def _fit_length(text: str, constraints: Mapping[str, JSON], words: Words) -> str:
    low, high = int(constraints.get("minLength", 0)), constraints.get("maxLength")
    if len(text) < low:
        text = words.endless(low)
    return text if high is None or len(text) <= high else text[: int(high)]


def _random_time(path: str, rng: SeededRandom) -> datetime:
    return EARLIEST + timedelta(minutes=rng.integer(path, MINUTES_A_YEAR))


def _random_uuid(path: str, rng: SeededRandom, _: Words) -> str:
    return str(UUID(int=rng.integer(path, 1 << 63) << 65 | 1 << 63, version=4))


def _random_host(path: str, rng: SeededRandom, words: Words) -> str:
    word = re.sub(r"[^a-z0-9]", "", words.phrase(path, rng, 1).casefold())
    return f"{word[:40] or 'sandbox'}.example.com"


def _random_name(path: str, rng: SeededRandom, words: Words) -> str:
    return _random_host(path, rng, words).removesuffix(".example.com")


FORMATS: Mapping[str, Callable[[str, SeededRandom, Words], str]] = {
    "date-time": lambda path, rng, _: _random_time(path, rng).isoformat().replace("+00:00", "Z"),
    "date": lambda path, rng, _: _random_time(path, rng).date().isoformat(),
    "time": lambda path, rng, _: f"{_random_time(path, rng):%H:%M:%S}Z",
    "duration": lambda path, rng, _: f"PT{rng.integer(path, 600) + 1}M",
    "email": lambda path, rng, words: f"{_random_name(path, rng, words)}@example.com",
    "idn-email": lambda path, rng, words: f"{_random_name(path, rng, words)}@example.com",
    "hostname": _random_host,
    "idn-hostname": _random_host,
    "ipv4": lambda path, rng, _: f"192.0.2.{rng.integer(path, 256)}",
    "ipv6": lambda path, rng, _: f"2001:db8::{rng.integer(path, 1 << 16):x}",
    "uuid": _random_uuid,
    "uri": lambda path, rng, words: f"https://{_random_host(path, rng, words)}/",
    "iri": lambda path, rng, words: f"https://{_random_host(path, rng, words)}/",
    "uri-reference": lambda path, rng, words: f"/{_random_name(path, rng, words)}",
    "iri-reference": lambda path, rng, words: f"/{_random_name(path, rng, words)}",
    "json-pointer": lambda path, rng, words: f"/{_random_name(path, rng, words)}",
    "relative-json-pointer": lambda _, __, ___: "0",
    "regex": _random_name,
}
