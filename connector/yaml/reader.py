"""Reads a text as one YAML document; any other text is a fault with its line and column."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from typing import Any

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.yaml.document import (
    CONFIGURATION,
    DECLARATIONS,
    LimitExceeded,
    Limits,
    Position,
    YamlDocument,
    YamlFault,
)
from connector.yaml.values import NO_TEXT, NodeReader

__all__ = ["read_document", "read_yaml"]

ALIASES_HINT = "do aliases in it multiply, or hold themselves?"
START = Position(1, 1)
LONGEST_LINE = 10_000


def read_yaml(data: bytes | str, where: str, limits: Limits = DECLARATIONS) -> JSON:
    """Return the one document of a text; raise ConfigurationError with its first fault."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{where}: not UTF-8 at {_decode_position(error)}; save it as UTF-8") from None
    document = read_document(text, limits)
    if document.faults:
        raise ConfigurationError(f"{where}: {document.faults[0]}")
    return document.value


def read_document(text: str, limits: Limits = CONFIGURATION) -> YamlDocument:
    """Return the values of a text, and everything in it that is not JSON."""
    document = YamlDocument(places={(): (START, START)})
    if len(text) > limits.characters:
        found = f"the file has {len(text):,} characters"
        allowed = f"at most {limits.characters:,} are read; divide it into several files"
        document.faults.append(YamlFault("syntax", START, (), found, allowed))
        return document
    node = _compose(text, document)
    if node is not None:
        reader = NodeReader(document, limits)
        try:
            document.value = reader.value(node, (), 0)
        except LimitExceeded as bound:
            document.faults.append(YamlFault("syntax", reader.position, (), str(bound), ALIASES_HINT))
            document.value = None
    if document.faults:
        lines = text.splitlines()
        document.faults = [_explain(fault, lines) for fault in document.faults]
    return document


def _explain(fault: YamlFault, lines: list[str]) -> YamlFault:
    """Return the fault, explained when a reference without quotes caused it."""
    if (fault.rule != "syntax" and fault.found != NO_TEXT) or fault.position.line > len(lines):
        return fault
    cause = find_unquoted(lines[fault.position.line - 1][:LONGEST_LINE], fault.position.column)
    return replace(fault, found=cause[0], allowed=cause[1]) if cause else fault


def _compose(text: str, document: YamlDocument) -> Any:
    """Return the text as nodes of the YAML library, or None with a fault."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import ReusedAnchorWarning, YAMLError

    from connector.yaml.scanner import BoundedScanner, DirectComposer, DirectParser

    library: Any = YAML(typ="safe", pure=True)  # the library has no types for what it reads
    library.Scanner, library.Parser, library.Composer = BoundedScanner, DirectParser, DirectComposer
    constructor: Any = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML allows it, and real documents do it
            constructor, _ = library.get_constructor_parser(text)
            return constructor.composer.get_single_node()
    except YAMLError as error:
        document.faults.append(_syntax_fault(error, text))
    except RecursionError:
        document.faults.append(
            YamlFault("syntax", _library_position(library), (), "nested too deep", "at most 200 levels are read")
        )
    except Exception:  # noqa: BLE001  on some texts the library raises errors of Python's own
        document.faults.append(YamlFault("syntax", _library_position(library), (), "not YAML: unreadable", SYNTAX_HINT))
    return None


def _library_position(library: Any) -> Position:
    reader = library.reader
    return Position(reader.line + 1, reader.column + 1)


def _syntax_fault(error: Any, text: str) -> YamlFault:
    # The library's own message quotes the line, which may hold a secret: only its words and its mark are used.
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position = Position(mark.line + 1, mark.column + 1) if mark else _position_at(text, getattr(error, "position", 0))
    found, allowed = describe_error(error)
    return YamlFault("syntax", position, (), f"not YAML: {found}", allowed)


def _position_at(text: str, position: int) -> Position:
    before = text[:position]
    return Position(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _decode_position(error: UnicodeDecodeError) -> str:
    before = bytes(error.object[: error.start])
    return f"line {before.count(10) + 1}, column {len(before) - before.rfind(10)}"


SYNTAX_HINT = "quote texts that start with & * @ ? % or `, and texts that hold braces or commas inside { } and [ ]"
QUOTE = 'put such a text in quotes: "…"'
QUOTED = re.compile(r"'[^']{3,}'")
BRACES = re.compile(r"([$&@]?)(\{\{?)\s*(secrets\.|env\.)?([^{}]+)\}\}?")
"""A reference or a placeholder, of this configuration or of another platform."""
NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)\s*(?::-.*)?")
CLOSERS = {"}": "{", "]": "["}


def describe_error(error: Any) -> tuple[str, str]:
    """Return what was found and what to do about it, for an error of the YAML library."""
    problem = " ".join(str(getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable").split())
    context = str(getattr(error, "context", None) or "")
    begun = getattr(error, "context_mark", None)
    line = f" that begins on line {begun.line + 1}" if begun else ""
    character = re.match(r"found character '(.+)' that cannot start any token", problem)
    if character:
        return _describe_character(character[1])
    if "found a tab character" in problem or "\\t" in problem:
        return "a tab", "indent by blanks: replace the tab"
    unclosed = re.match(r"expected ',' or '([}\]])'", problem)
    if unclosed:
        closer = unclosed[1]
        allowed = f"close it with {closer}; in quotes, a text may hold braces and commas"
        return f"a {CLOSERS[closer]}{line} is not closed", allowed
    if "expected <block end>" in problem:
        column = f", here in column {begun.column + 1}" if begun else ""
        return "not indented as the lines around it", f"what belongs together begins in the same column{column}"
    if "mapping values are not allowed" in problem:
        return "a colon where none can be", f"is the line above complete, and this one indented as it? if not, {QUOTE}"
    if "quoted scalar" in context or "unexpected end of stream" in problem:
        return f"a quote{line} is not closed", "close it with the same sign, ' or \""
    if "could not find expected ':'" in problem:
        return "a key without its colon", "write NAME: VALUE"
    if "undefined alias" in problem:
        return "an alias of nothing", QUOTE
    return QUOTED.sub("…", problem), SYNTAX_HINT  # what is quoted may be a password that was not


def _describe_character(found: str) -> tuple[str, str]:
    if found in ("\\t", "\t"):
        return "a tab at the beginning of the line", "indent by blanks: replace the tab"
    return f"a text that begins with {found}", QUOTE


def find_unquoted(line: str, column: int) -> tuple[str, str] | None:
    """Return what to write for a reference around a column whose braces YAML takes for an object."""
    for match in BRACES.finditer(line):
        if match.start() < column <= match.end() + 1 and (match[1] or match[2] == "{{"):
            return _describe_reference(match)
    return None


def _describe_reference(match: re.Match[str]) -> tuple[str, str]:
    """Describe a reference; only a name is shown, anything else may be a secret."""
    sign, braces, prefix = match[1], match[2], match[3] or ""
    named = NAME.fullmatch(match[4])
    name = named[1] if named else "…"
    if braces == "{":
        found = f"{sign}{{{name}}} without quotes"
        return f"not YAML: {found}", f'put the whole text in quotes: "{sign}{{{name}}}"'
    found = f"{sign}{{{{{prefix}{name}}}}} without quotes, which YAML takes for an object"
    if named and (prefix or "." not in name):
        return found, f'write "${{{name}}}" for a variable of the environment; put any other text in quotes'
    return found, "put the whole text in quotes"
