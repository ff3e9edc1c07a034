"""From a text to a document; whatever the text is, it is a document or a fault with its line and column."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.yaml.document import Spot, YamlDocument, YamlFault
from connector.yaml.limits import CONFIGURATION, DECLARATIONS, Limits, TooMuch
from connector.yaml.values import Reader
from connector.yaml.wording import NO_TEXT, SYNTAX_HINT, unquoted, worded

__all__ = ["read_document", "read_yaml"]

ALIASES_HINT = "do aliases in it multiply, or hold themselves?"
START = Spot(1, 1)
LONGEST_LINE = 10_000


def read_yaml(data: bytes | str, where: str, limits: Limits = DECLARATIONS) -> JSON:
    """Return the one document of a text; ConfigurationError names the first thing that is wrong with it."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{where}: not UTF-8 at {_position(error)}; save it as UTF-8") from None
    document = read_document(text, limits)
    if document.faults:
        raise ConfigurationError(f"{where}: {document.faults[0]}")
    return document.value


def read_document(text: str, limits: Limits = CONFIGURATION) -> YamlDocument:
    """Return the values of a text, and everything in it that is no JSON."""
    document = YamlDocument(places={(): (START, START)})
    if len(text) > limits.characters:
        found = f"the file has {len(text):,} characters"
        allowed = f"at most {limits.characters:,} are read; divide it into several files"
        document.faults.append(YamlFault("syntax", START, (), found, allowed))
        return document
    node = _compose(text, document)
    if node is not None:
        reader = Reader(document, limits)
        try:
            document.value = reader.value(node, (), 0)
        except TooMuch as bound:
            document.faults.append(YamlFault("syntax", reader.reached, (), str(bound), ALIASES_HINT))
            document.value = None
    if document.faults:
        lines = text.splitlines()
        document.faults = [_plain(fault, lines) for fault in document.faults]
    return document


def _plain(fault: YamlFault, lines: list[str]) -> YamlFault:
    """Return the fault, in other words when a reference without quotes is what caused it."""
    if (fault.rule != "syntax" and fault.found != NO_TEXT) or fault.spot.line > len(lines):
        return fault
    cause = unquoted(lines[fault.spot.line - 1][:LONGEST_LINE], fault.spot.column)
    return replace(fault, found=cause[0], allowed=cause[1]) if cause else fault


def _compose(text: str, document: YamlDocument) -> Any:
    """Return the text as nodes of the YAML library, or None with a fault."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import ReusedAnchorWarning, YAMLError

    library: Any = YAML(typ="safe", pure=True)  # the library has no types for what it reads
    constructor: Any = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML allows it, and real documents do it
            constructor, _ = library.get_constructor_parser(text)
            return constructor.composer.get_single_node()
    except YAMLError as error:
        document.faults.append(_syntax(error, text))
    except RecursionError:
        document.faults.append(
            YamlFault("syntax", _reached(library), (), "nested too deep", "at most 200 levels are read")
        )
    except Exception:  # noqa: BLE001  the library raises whatever Python does on some texts
        document.faults.append(YamlFault("syntax", _reached(library), (), "not YAML: unreadable", SYNTAX_HINT))
    return None


def _reached(library: Any) -> Spot:
    reader = library.reader
    return Spot(reader.line + 1, reader.column + 1)


def _syntax(error: Any, text: str) -> YamlFault:
    # The library's own message quotes the line, which may hold a secret: only its words and its mark are used.
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    spot = Spot(mark.line + 1, mark.column + 1) if mark else _spot_at(text, getattr(error, "position", 0))
    found, allowed = worded(error)
    return YamlFault("syntax", spot, (), f"not YAML: {found}", allowed)


def _spot_at(text: str, position: int) -> Spot:
    before = text[:position]
    return Spot(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _position(error: UnicodeDecodeError) -> str:
    before = bytes(error.object[: error.start])
    return f"line {before.count(10) + 1}, column {len(before) - before.rfind(10)}"
