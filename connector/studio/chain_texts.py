"""The chains that there are to try, each as the text that a person wrote, and that text put back into its file."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from connector.config.text_edits import put_in_text
from connector.config.tree import read_text, value_at
from connector.errors import ConfigurationError, UnknownName
from connector.model import JSON, is_document, is_list, is_object, members
from connector.studio.config_files import ConfigText
from connector.studio.context import StudioContext
from connector.suggestions import closest
from connector.transform.library import ready_made
from connector.yaml.writer import format_yaml

__all__ = ["ChainText", "Kind", "find_chain", "list_chains", "put_chain"]

Kind = Literal["chains", "ready", "incoming", "outgoing", "routes"]
WHOLE: frozenset[Kind] = frozenset(("chains", "ready"))
"""Kinds whose text is a whole saved chain, `{parameters, steps}` or its steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainText:
    """A chain as it is written.

    Attributes:
        kind: the part of the configuration that it is of, or `ready` for one that ships.
        summary: what it is for.
        text: its steps as YAML, or all of a saved chain.
        file: the file of the configuration that it stands in; None for one that ships.
        path: where it stands there.
        line: its line there.
    """

    kind: Kind
    name: str
    summary: str = ""
    text: str = ""
    file: ConfigText | None = None
    path: tuple[str, ...] = ()
    line: int | None = None


def list_chains(context: StudioContext) -> list[ChainText]:
    """Return all chains: those of the configuration by its parts, then those that ship."""
    found: list[ChainText] = []
    for file in context.files.read():
        found += _chains_of(file)
    own = {one.name for one in found if one.kind == "chains"}
    shipped = ready_made()
    return found + [
        ChainText(kind="ready", name=name, summary=_summary_of(shipped.file(name).read_text(encoding="utf-8")))
        for name in shipped
        if name not in own
    ]


def find_chain(context: StudioContext, kind: Kind, name: str) -> ChainText:
    """Return one chain with its text; raise UnknownName when there is none."""
    if kind == "ready":
        shipped = ready_made()
        if name not in shipped:
            raise UnknownName("ready-made chain", name, closest(name, shipped), "GET /playground/chains lists them")
        text = shipped.file(name).read_text(encoding="utf-8")
        return ChainText(kind=kind, name=name, summary=_summary_of(text), text=text)
    entries = {one.name: one for file in context.files.read() for one in _chains_of(file) if one.kind == kind}
    if name not in entries:
        hint = f"there are {', '.join(entries)}" if entries else f"the configuration has no {kind}"
        raise UnknownName(f"chain of {kind}", name, closest(name, entries), hint)
    return entries[name]


def put_chain(chain: ChainText, text: str) -> tuple[ConfigText, str]:
    """Return the file of a chain, and what it says with another text in the chain's place; comments of both are kept
    where they can be.

    Raises:
        ConfigurationError: for a chain that stands in no file, or a text that cannot be read.
    """
    if chain.file is None:
        raise ConfigurationError(f"{chain.name!r} ships with the connector; save it as a chain of the configuration")
    tree = read_text(text, f"{chain.name}.yaml")
    if tree.findings:
        raise ConfigurationError(f"the chain cannot be read: {tree.findings[0]}")
    value: JSON = [] if tree.value is None else tree.value
    named = Path(chain.file.name)
    plain = put_in_text(chain.file.text, named, chain.path, value)
    block = _replace_block(chain.file.text, chain, text)
    if block is not None and read_text(block, named.name).value == read_text(plain, named.name).value:
        return chain.file, block
    return chain.file, plain


def _summary_of(text: str) -> str:
    """Return the summary of a chain that ships; only its line is read, as there are many chains."""
    line = next((line for line in text.splitlines() if line.startswith("summary:")), "")
    return str(members(read_text(line, "chain.yaml").value).get("summary") or "")


def _chains_of(file: ConfigText) -> Generator[ChainText]:
    tree = read_text(file.text, file.name)
    parts: Mapping[str, JSON] = tree.value if is_document(tree.value) else {}
    kinds: Sequence[Kind] = ("outgoing", "incoming", "routes", "chains")
    for kind in kinds:
        for name, entry in members(parts.get(kind)).items():
            path = (kind, name) if kind == "chains" else (kind, name, "chain")
            written = entry if kind == "chains" else members(entry).get("chain")
            if kind == "routes" and written is None:
                continue  # most routes have none, and their outgoing connection does the work
            yield ChainText(
                kind=kind,
                name=name,
                summary=str(members(entry).get("summary") or members(entry).get("description") or ""),
                text=_text_of(file.text, path, written),
                file=file,
                path=path,
                line=tree.key_place(path).line,
            )


def _text_of(text: str, path: tuple[str, ...], written: JSON) -> str:
    """Return the text of a chain as it stands in its file, or written anew where it stands on one line."""
    if written is None:
        return ""
    span = _find_block(text, path)
    if span is not None:
        lines = [line[span.indent :] if line.strip() else "" for line in text.splitlines()[span.begin : span.end]]
        found = "\n".join(lines) + "\n"
        if read_text(found, "chain.yaml").value == written:
            return found
    steps = [written] if isinstance(written, str) or (is_object(written) and path[0] != "chains") else written
    return "\n".join(format_yaml(steps)) + "\n"


@dataclass(frozen=True, slots=True)
class _Span:
    """Lines of a block value, counted from 0, and by how much they are indented."""

    begin: int
    end: int
    indent: int


def _find_block(text: str, path: tuple[str, ...]) -> _Span | None:
    """Return the lines of a value that stands below its key, with the comments before it; None for any other."""
    tree = read_text(text, "chain.yaml")
    if path not in tree.places:
        return None
    key, place = tree.places[path]
    if place.line <= key.line:
        return None
    lines, indent = text.splitlines(), place.column - 1
    items = is_list(value_at(tree.value, path))
    begin, end = place.line - 1, place.line
    while begin > key.line and lines[begin - 1].strip().startswith("#") and _indent(lines[begin - 1]) >= indent:
        begin -= 1
    for number in range(place.line, len(lines)):
        line = lines[number]
        if not line.strip() or (line.lstrip().startswith("#") and _indent(line) < indent):
            continue
        is_item = line.lstrip().startswith(("- ", "#")) or line.strip() == "-"
        if _indent(line) < indent or (items and _indent(line) == indent and not is_item):
            break
        end = number + 1
    return _Span(begin, end, indent)


def _replace_block(text: str, chain: ChainText, steps: str) -> str | None:
    span = _find_block(text, chain.path)
    if span is None or not steps.strip():
        return None
    lines = text.splitlines(keepends=True)
    ending = "\r\n" if lines[0].endswith("\r\n") else "\n"
    new = [f"{' ' * span.indent}{line}{ending}" if line.strip() else ending for line in steps.rstrip().splitlines()]
    return "".join([*lines[: span.begin], *new, *lines[span.end :]])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
