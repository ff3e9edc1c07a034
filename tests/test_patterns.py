"""Every regular expression of the connector takes linear time, whatever text it meets."""

import ast
import importlib
import random
import re
import re._parser as parser
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import connector
from tests.timing import cpu_seconds, in_proportion, slowness

ROOT = Path(connector.__file__).parent
SHORT, SMALL, LARGE = (16, 20, 22, 24, 26, 28, 30, 34, 40, 60, 200, 500), 1_000, 4_000
MOST_PUMPS = 60
SHARES = 40
"""So many tests divide the patterns: they are looked for where they are tested, not by every process that collects."""
VERY_SLOW = 0.02
"""Seconds for a text of at most a few hundred characters that no linear pattern takes."""
UNNOTICED = 0.0005
"""Seconds for a small text that no quadratic pattern stays below."""
GROWTH = 9
"""Times as long for a text four times as long: a linear pattern comes to four, a quadratic one to sixteen."""


@pytest.mark.parametrize("share", range(SHARES))
def test_no_pattern_is_worse_than_linear(share: int) -> None:
    found = patterns()[share::SHARES]
    assert found
    for pattern in found:
        for attack in attacks(pattern.compiled):
            for use in pattern.uses:
                told = f"{pattern.place}: {use}: slow on {attack!r}, the middle repeated"
                assert not explodes(pattern.compiled, use, attack), told


BAD = [r"(a+)+$", r"\beyJ[\w-]{10,}\.[\w.-]+", r"x*y*x*$", r"\s+$", r"k(?:a|b.*),(.*?);", r"(x+x+)+y"]


@pytest.mark.parametrize("bad", BAD)
def test_what_is_worse_is_found(bad: str) -> None:
    found = re.compile(bad)
    assert any(explodes(found, "search", attack) for attack in attacks(found))


def explodes(pattern: re.Pattern, use: str, attack: tuple[str, str, str]) -> bool:
    """Whether a text four times as long takes much more than four times as long; one slow moment is no proof."""
    for length in SHORT:
        tiny = taken(pattern, use, made(attack, length))
        if cpu_seconds(tiny) > VERY_SLOW and cpu_seconds(tiny) > VERY_SLOW * slowness():
            return True
    small = taken(pattern, use, made(attack, SMALL))
    if cpu_seconds(small) < UNNOTICED:
        return False
    return not in_proportion(GROWTH, small, taken(pattern, use, made(attack, LARGE)), unnoticed=0)


def taken(pattern: re.Pattern, use: str, text: str) -> Callable[[], None]:
    """Return what lets the pattern look at the text."""
    subject = text if isinstance(pattern.pattern, str) else text.encode("utf-8", "surrogatepass")
    empty = subject[:0]

    def run() -> None:
        if use in ("sub", "subn"):
            pattern.sub(lambda found: empty, subject)
        else:
            found = getattr(pattern, use)(subject)
            if use == "finditer":
                list(found)

    return run


def made(attack: tuple[str, str, str], length: int) -> str:
    lead, pump, end = attack
    return lead + pump * max(1, length // len(pump)) + end


def attacks(pattern: re.Pattern) -> Iterator[tuple[str, str, str]]:
    """A beginning, what is repeated and an end: pumps are what neighbours in the pattern match together."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    draw = random.Random(7)
    parts = list(parser.parse(text, pattern.flags & (re.VERBOSE | re.IGNORECASE)))
    pumps = {" ", "a", "0", "\\", '"', "-", "a ", "a-", "\n", "\r\n"}
    for row in rows(parts):
        samples = [sample(part, draw) for part in row]
        for begin in range(len(row)):
            pumps |= {"".join(samples[begin:end]) for end in range(begin + 1, min(len(row), begin + 6) + 1)}
    pumps |= {pump + "-" for pump in pumps} | {pump[:-1] for pump in pumps}
    shortest = sorted((pump for pump in pumps if pump), key=lambda pump: (len(pump), pump))[:MOST_PUMPS]
    leads = sorted({"", sample(parts[0], draw) if parts else ""})
    return ((lead, pump, "\x00!") for pump in shortest for lead in leads)


def rows(parts: list) -> Iterator[list]:
    """Every sequence in a pattern: the whole, and those in its groups, repeats and alternatives."""
    yield parts
    for part in parts:
        for inner in inside(part):
            yield from rows(list(inner))


def inside(part: tuple) -> list:
    name, value = str(part[0]), part[1]
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return [value[2]]
    if name == "SUBPATTERN":
        return [value[3]]
    if name in ("ASSERT", "ASSERT_NOT"):
        return [value[1]]
    if name == "ATOMIC_GROUP":
        return [value]
    return list(value[1]) if name == "BRANCH" else []


def sample(part: tuple, draw: random.Random) -> str:
    """A text that this part of a pattern matches."""
    name, value = str(part[0]), part[1]
    if name == "LITERAL":
        return chr(value)
    if name == "NOT_LITERAL":
        return "a" if value != ord("a") else "b"
    if name == "ANY":
        return "a"
    if name == "IN":
        return member(value, draw)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return "".join(sample(inner, draw) for inner in value[2])
    if name == "BRANCH":
        return "".join(sample(inner, draw) for inner in draw.choice(value[1]))
    groups = [] if name.startswith("ASSERT") else inside(part)
    return "".join(sample(inner, draw) for group in groups for inner in group)


CATEGORIES = {"CATEGORY_DIGIT": "7", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "w"}
OTHERS = {"CATEGORY_NOT_DIGIT": "a", "CATEGORY_NOT_SPACE": "a", "CATEGORY_NOT_WORD": "-"}


def member(options: list[tuple], draw: random.Random) -> str:
    if str(options[0][0]) == "NEGATE":
        letters = [*"a0 -.~", *map(chr, range(0x300))]
        return next(letter for letter in letters if not any(holds(option, letter) for option in options[1:]))
    option, value = options[draw.randrange(len(options))]
    if str(option) == "RANGE":
        return chr(value[0])
    return chr(value) if str(option) == "LITERAL" else (CATEGORIES | OTHERS)[str(value)]


def holds(option: tuple, letter: str) -> bool:
    name, value = str(option[0]), option[1]
    if name == "RANGE":
        return value[0] <= ord(letter) <= value[1]
    if name == "LITERAL":
        return value == ord(letter)
    category = str(value)
    is_of = {"DIGIT": letter.isdigit(), "SPACE": letter.isspace(), "WORD": letter.isalnum() or letter == "_"}
    return is_of[category.rpartition("_")[2]] is not category.startswith("CATEGORY_NOT")


class Pattern(NamedTuple):
    """A pattern, where it is, and the methods by which the package uses it."""

    place: str
    compiled: re.Pattern
    uses: frozenset[str]


METHODS = frozenset({"search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"})


@cache
def patterns() -> list[Pattern]:
    """Those that modules hold, and those that calls of `re` spell out."""
    uses: dict[int, set[str]] = {}
    places: dict[int, tuple[str, re.Pattern]] = {}
    literal: list[Pattern] = []
    for path in sorted(ROOT.rglob("*.py")):
        module, source = name_of(path), path.read_text(encoding="utf-8")
        holding = [] if module.endswith("__main__") else [*held(vars(importlib.import_module(module)))]
        if not holding and "re." not in source:
            continue
        nodes = [*ast.walk(ast.parse(source))]
        called = [*calls(nodes)]
        for name, value in holding:
            places.setdefault(id(value), (f"{module}.{name}", value))
            own = {method for target, method in called if target == name.partition("[")[0]}
            uses.setdefault(id(value), set()).update(own)
        literal += [
            Pattern(f"{module}:{node.lineno}", re.compile(node.args[0].value), frozenset({method}))
            for node in nodes
            if isinstance(node, ast.Call) and (method := spelled(node))
        ]
    kept = [Pattern(place, value, frozenset(uses[key] or METHODS)) for key, (place, value) in places.items()]
    return kept + literal


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


def held(names: dict) -> Iterator[tuple[str, re.Pattern]]:
    for name, value in names.items():
        for number, item in enumerate(value if isinstance(value, tuple | list) else [value]):
            if isinstance(item, re.Pattern):
                yield (f"{name}[{number}]" if item is not value else name), item


def calls(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """NAME.method, for the methods of a pattern."""
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            target = node.value
            yield getattr(target, "id", getattr(target, "attr", "")), node.attr


def spelled(call: ast.Call) -> str:
    """The method of `re` that a call with a literal pattern uses."""
    function = call.func
    if not isinstance(function, ast.Attribute) or getattr(function.value, "id", "") != "re":
        return ""
    literal = bool(call.args) and isinstance(call.args[0], ast.Constant)
    return function.attr if literal and function.attr in METHODS else ""
