"""Text that a simple regular expression accepts: classes, groups, alternatives, repeats; no look-around."""

from __future__ import annotations

import string
from dataclasses import dataclass

from connector.sandbox.models.seeded_random import SeededRandom

__all__ = ["UnsupportedPattern", "sample_pattern"]

PRINTABLE = string.ascii_letters + string.digits + "-_.,:;!?@#$%&*+=/()[]{}<>'\"~ "
CLASSES = {
    "d": string.digits, "w": string.ascii_lowercase + string.digits + "_", "s": " ",
    "D": string.ascii_lowercase, "W": "-", "S": string.ascii_lowercase,
}  # fmt: skip
CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
LETTERS = string.ascii_lowercase
UNBOUNDED = 1 << 16
MOST_PARTS = 20_000


class UnsupportedPattern(ValueError):
    """A pattern that is not supported here."""


@dataclass(frozen=True, slots=True)
class Characters:
    """One character out of several."""

    options: str


@dataclass(frozen=True, slots=True)
class Group:
    """One of several sequences of parts."""

    sequences: tuple[tuple[Part, ...], ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part repeated between two bounds."""

    part: Characters | Group
    low: int
    high: int


Part = Characters | Group | Repeat


def sample_pattern(pattern: str, place: str, rng: SeededRandom, stretch: int = 0) -> str:
    """Return a text that the pattern accepts; `stretch` adds to the lowest number of repeats."""
    reader = _PatternParser(pattern)
    group = reader.parse_group()
    if reader.rest:
        raise UnsupportedPattern(f"{pattern}: unbalanced bracket at character {reader.place + 1}")
    return _PatternSampler(rng, stretch).text(group, place)


class _PatternSampler:
    def __init__(self, rng: SeededRandom, stretch: int) -> None:
        self._rng = rng
        self._stretch = stretch
        self._left = MOST_PARTS

    def text(self, part: Part, place: str) -> str:
        self._left -= 1
        if self._left < 0:
            raise UnsupportedPattern(f"a pattern whose shortest text has more than {MOST_PARTS} parts")
        if isinstance(part, Characters):
            return self._rng.choice(place, part.options)
        if isinstance(part, Repeat):
            times = min(part.high, max(part.low, 1 if part.high else 0) + self._stretch)
            return "".join(self.text(part.part, f"{place}.{turn}") for turn in range(times))
        sequence = self._rng.choice(place, part.sequences)
        return "".join(self.text(one, f"{place}/{index}") for index, one in enumerate(sequence))


class _PatternParser:
    """Parses a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self.place = 0

    @property
    def rest(self) -> str:
        return self._pattern[self.place :]

    def parse_group(self) -> Group:
        sequences: list[tuple[Part, ...]] = [self._parse_sequence()]
        while self._skip("|"):
            sequences.append(self._parse_sequence())
        return Group(tuple(sequences))

    def _parse_sequence(self) -> tuple[Part, ...]:
        parts: list[Part] = []
        while self.rest and self.rest[0] not in "|)":
            if self._skip("^") or self._skip("$") or self._skip(r"\b") or self._skip(r"\A") or self._skip(r"\Z"):
                continue
            parts.append(self._parse_repeat(self._parse_atom()))
        return tuple(parts)

    def _parse_atom(self) -> Characters | Group:
        if self._skip("("):
            return self._parse_group()
        if self._skip("["):
            return Characters(self._parse_class())
        if self._skip("."):
            return Characters(LETTERS)
        return Characters(self._parse_escape() if self._skip("\\") else self._take())

    def _parse_group(self) -> Group:
        if self._skip("?") and not self._skip(":"):
            if self.rest[:1] not in ("P", "<") or self.rest[1:2] in ("=", "!"):
                raise UnsupportedPattern(f"{self._pattern}: look-around and options are not understood")
            self.place = self._pattern.index(">", self.place) + 1
        group = self.parse_group()
        if not self._skip(")"):
            raise UnsupportedPattern(f"{self._pattern}: a group that does not end")
        return group

    def _parse_class(self) -> str:
        negated = self._skip("^")
        found = ""
        while not found or not self.rest.startswith("]"):
            first = self._parse_escape() if self._skip("\\") else self._take()
            if len(first) == 1 and self.rest[:1] == "-" and self.rest[1:2] not in ("]", ""):
                self.place += 1
                last = self._parse_escape() if self._skip("\\") else self._take()
                if len(last) != 1:
                    raise UnsupportedPattern(f"{self._pattern}: a range that ends in a class")
                first = "".join(chr(code) for code in range(ord(first), min(ord(last), ord(first) + 255) + 1))
            found += first
        self.place += 1
        options = "".join(one for one in PRINTABLE if one not in found) if negated else found
        if not options:
            raise UnsupportedPattern(f"{self._pattern}: a class that nothing printable is in")
        return options

    def _parse_escape(self) -> str:
        name = self._take()
        if name in CLASSES:
            return CLASSES[name]
        if name in CONTROLS:
            return CONTROLS[name]
        if name in ("p", "P") and self._skip("{"):
            self.place = self._pattern.index("}", self.place) + 1
            return LETTERS
        if name in ("x", "u"):
            size = 2 if name == "x" else 4
            code = "".join(self._take() for _ in range(size))
            return chr(int(code, 16))
        if name.isalnum():
            raise UnsupportedPattern(f"{self._pattern}: \\{name} is not understood")
        return name

    def _parse_repeat(self, atom: Characters | Group) -> Part:
        bounds = self._parse_bounds()
        if bounds is None:
            return atom
        if not self._skip("?"):
            self._skip("+")
        return Repeat(atom, *bounds)

    def _parse_bounds(self) -> tuple[int, int] | None:
        for sign, bounds in (("*", (0, UNBOUNDED)), ("+", (1, UNBOUNDED)), ("?", (0, 1))):
            if self._skip(sign):
                return bounds
        inside, end, _ = self.rest[1:].partition("}")
        low, comma, high = inside.partition(",")
        if not self.rest.startswith("{") or not end or not low.isdigit() or not (high.isdigit() or not high):
            return None
        self.place += len(inside) + 2
        return int(low), int(high) if high else UNBOUNDED if comma else int(low)

    def _skip(self, sign: str) -> bool:
        found = self._pattern.startswith(sign, self.place)
        self.place += len(sign) if found else 0
        return found

    def _take(self) -> str:
        if not self.rest:
            raise UnsupportedPattern(f"{self._pattern}: ends too early")
        self.place += 1
        return self._pattern[self.place - 1]
