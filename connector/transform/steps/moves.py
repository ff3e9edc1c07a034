"""`pattern-copy`, `pattern-move`, `accessor-copy`, `accessor-move`: values copied and moved within a document."""

from __future__ import annotations

from collections.abc import Callable

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.transform.block import make_sync
from connector.transform.conditions.logic import first_failing
from connector.transform.context import Scope
from connector.transform.declaration import Step
from connector.transform.edit import Edit, assign, remove
from connector.transform.fields import accessor, boolean, conditions, pattern, word
from connector.transform.paths import MISSING, Match, Pattern, Segments, compile_replacement, path_getter
from connector.transform.template import Resolve
from connector.transform.types import Check, Run, Selector

__all__ = ["PATTERNS", "RELOCATE"]

refused = make_sync(first_failing)


def _build_pattern(moves: bool) -> Callable[..., Run]:
    def build(pattern: Pattern, replacement: str, conditions: list[Check]) -> Run:
        target = compile_target(replacement, pattern)
        if pattern.is_path and not conditions:
            return _move_one(pattern.segments, target(()), moves)

        def run(document: JSON, scope: Scope) -> JSON:
            matches = [
                match for match in pattern.matches(document) if not refused(conditions, match.value, document, scope)
            ]
            return _move_all(document, [(match, target(match.captures)) for match in matches], moves)

        return run

    return build


def _move_one(source: Segments, target: Segments, moves: bool) -> Run:
    """Return the run that copies or moves the value at one path."""
    find = path_getter(source)

    def run(document: JSON, _: Scope) -> JSON:
        value = find(document)
        if value is MISSING or source == target:
            return document
        return assign(remove(document, source) if moves else document, target, value)

    return run


def _move_all(document: JSON, matches: list[tuple[Match, tuple[str, ...]]], moves: bool) -> JSON:
    edit = Edit(document)
    # Everything is taken away before anything is put: a target may be another match's place.
    for match, target in matches:
        if moves and match.path != target:
            edit.remove(match.path)
    for match, target in matches:
        if match.path != target:
            edit.set(target, match.value)
    return edit.end()


def compile_target(text: str, pattern: Pattern) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """Return a function from captures to a target; several matches need several targets."""
    if pattern.stars and "$" not in text:
        raise ConfigurationError("a pattern with * needs $1 in its replacement: all matches would go to one place")
    return compile_replacement(text, pattern.stars)


PATTERN_FIELDS = {
    "pattern": pattern("What is taken; each * captures a key.", required=True),
    "replacement": word("The target; $1 is the text that the first * captured.", required=True),
    "conditions": conditions("What a value must fulfil to be taken."),
}
PATTERNS = (
    Step(
        "pattern-copy",
        "Copies what a pattern matches to where its captures say.",
        PATTERN_FIELDS,
        _build_pattern(moves=False),
    ),
    Step(
        "pattern-move",
        "Moves what a pattern matches to where its captures say.",
        PATTERN_FIELDS,
        _build_pattern(moves=True),
    ),
)


def _build_accessor(moves: bool) -> Callable[..., Run]:
    def build(source: Selector, destination: Selector, strip_enclosures: Resolve) -> Run:
        def run(document: JSON, scope: Scope) -> JSON:
            members = source.read(document, enclosed=not strip_enclosures(document, scope))
            if not members:
                return document
            return destination.write(source.clear(document) if moves else document, members)

        return run

    return build


ACCESSOR_FIELDS = {
    "source": accessor("What is taken.", required=True),
    "destination": accessor("Where it goes.", required=True),
    "strip_enclosures": boolean("Whether the path around what is taken is left behind.", default=True),
}
RELOCATE = (
    Step(
        "accessor-copy",
        "Copies what one accessor names to where another points.",
        ACCESSOR_FIELDS,
        _build_accessor(moves=False),
    ),
    Step(
        "accessor-move",
        "Moves what one accessor names to where another points.",
        ACCESSOR_FIELDS,
        _build_accessor(moves=True),
    ),
)
