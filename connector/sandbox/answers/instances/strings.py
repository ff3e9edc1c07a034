"""Strings that keep to a schema's format, pattern and lengths."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from connector.model import JSON
from connector.sandbox.answers.dice import Dice
from connector.sandbox.answers.instances.patterns import Unreadable, sample
from connector.sandbox.answers.instances.words import Words
from connector.transform.regex import compile_regex
from connector.transform.signals import Unfit

__all__ = ["string"]

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = 365 * 24 * 60
STRETCHES = (0, 1, 2, 4, 8, 16, 32, 64)


def string(facts: Mapping[str, JSON], place: str, dice: Dice, words: Words) -> str:
    """A string for one place of a document: its format first, then its pattern, else words that were said."""
    formatted = FORMATS.get(str(facts.get("format")))
    if formatted is not None:
        return formatted(place, dice, words)
    if isinstance(facts.get("pattern"), str):
        return _patterned(facts, place, dice, words)
    return _fitted(words.phrase(place, dice), facts, words)


def _patterned(facts: Mapping[str, JSON], place: str, dice: Dice, words: Words) -> str:
    phrase = _fitted(words.phrase(place, dice), facts, words)
    if _accepts(facts["pattern"], phrase):
        return phrase
    try:
        samples = (sample(facts["pattern"], place, dice, stretch) for stretch in STRETCHES)
        return next((one for one in samples if len(one) >= facts.get("minLength", 0)), phrase)
    except (Unreadable, ValueError, RecursionError):
        # What comes out is checked against the whole schema anyway, which then tells that nothing was found.
        return phrase


def _accepts(pattern: str, text: str) -> bool:
    """Whether a pattern that can be read in linear time accepts the text."""
    try:
        return compile_regex(pattern).search(text) is not None
    except Unfit:
        return False


def _fitted(text: str, facts: Mapping[str, JSON], words: Words) -> str:
    low, high = int(facts.get("minLength", 0)), facts.get("maxLength")
    if len(text) < low:
        text = words.endless(low)
    return text if high is None or len(text) <= high else text[: int(high)]


def _moment(place: str, dice: Dice) -> datetime:
    return START + timedelta(minutes=dice.number(place, MINUTES))


def _uuid(place: str, dice: Dice, _: Words) -> str:
    return str(UUID(int=dice.number(place, 1 << 63) << 65 | 1 << 63, version=4))


def _host(place: str, dice: Dice, words: Words) -> str:
    word = re.sub(r"[^a-z0-9]", "", words.phrase(place, dice, 1).casefold())
    return f"{word[:40] or 'sandbox'}.example.com"


def _local(place: str, dice: Dice, words: Words) -> str:
    return _host(place, dice, words).removesuffix(".example.com")


FORMATS: Mapping[str, Callable[[str, Dice, Words], str]] = {
    "date-time": lambda place, dice, _: _moment(place, dice).isoformat().replace("+00:00", "Z"),
    "date": lambda place, dice, _: _moment(place, dice).date().isoformat(),
    "time": lambda place, dice, _: f"{_moment(place, dice):%H:%M:%S}Z",
    "duration": lambda place, dice, _: f"PT{dice.number(place, 600) + 1}M",
    "email": lambda place, dice, words: f"{_local(place, dice, words)}@example.com",
    "idn-email": lambda place, dice, words: f"{_local(place, dice, words)}@example.com",
    "hostname": _host,
    "idn-hostname": _host,
    "ipv4": lambda place, dice, _: f"192.0.2.{dice.number(place, 256)}",
    "ipv6": lambda place, dice, _: f"2001:db8::{dice.number(place, 1 << 16):x}",
    "uuid": _uuid,
    "uri": lambda place, dice, words: f"https://{_host(place, dice, words)}/",
    "iri": lambda place, dice, words: f"https://{_host(place, dice, words)}/",
    "uri-reference": lambda place, dice, words: f"/{_local(place, dice, words)}",
    "iri-reference": lambda place, dice, words: f"/{_local(place, dice, words)}",
    "json-pointer": lambda place, dice, words: f"/{_local(place, dice, words)}",
    "relative-json-pointer": lambda _, __, ___: "0",
    "regex": _local,
}
