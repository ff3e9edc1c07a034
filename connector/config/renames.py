"""An entry of a configuration with another name, and everything that names it along with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path as File

from connector.config.findings import Path
from connector.config.loading import Draft
from connector.config.names import chain_faults, chains_of, uses
from connector.config.text_edits import put_in_text, rename_in_text
from connector.config.tree import read_text, value_at
from connector.config.validation import templates_in
from connector.errors import ConfigurationError, UnknownName
from connector.model import JSON, is_object
from connector.suggestions import closest

__all__ = ["rename_entry"]


def rename_entry(draft: Draft, texts: Mapping[File, str], section: str, name: str, to: str) -> dict[File, str]:
    """Return the texts that change when an entry gets another name.

    Args:
        draft: the configuration that the texts make.
        texts: all its files.
    """
    entries = value_at(draft.tree.value, (section,))
    if not is_object(entries) or name not in entries:
        raise UnknownName(section, name, closest(name, entries if is_object(entries) else ()))
    if to in entries:
        raise ConfigurationError(f"{section} has a {to!r} already; choose another name")
    places = list(dict.fromkeys(_find_uses(draft, section, name)))
    changed: dict[File, str] = {}
    for file, text in texts.items():
        after = text
        for path in places:
            after = _follow(after, file, path, section, (name, to))
        if name in _entries(after, file, section):
            after = rename_in_text(after, file, (section, name), to)
        if after != text:
            changed[file] = after
    return changed


def _find_uses(draft: Draft, section: str, name: str) -> Iterator[Path]:
    document = draft.document
    if section == "variables":
        yield from (path for path, text in templates_in(draft.tree.value) if _variable(name).search(text))
    elif section == "chains":
        # The compiler knows where a chain is used: wherever it is missed.
        others = {each: list(chain.raw_steps) for each, chain in document.chains.items() if each != name}
        faults = chain_faults(chains_of(document), others, draft.subject.find_models)
        yield from (path for path, fault in faults if fault.found.startswith("unknown") and repr(name) in fault.found)
    else:
        yield from (use.path for use in uses(document) if section in use.sections and use.name == name)


def _follow(text: str, file: File, path: Path, section: str, names: tuple[str, str]) -> str:
    """Return a text in which a use has the new name, if the use is in it."""
    name, to = names
    value = read_text(text, str(file)).value
    found = value_at(value, path)
    if section == "variables":
        if not isinstance(found, str):
            return text
        return put_in_text(text, file, path, _variable(name).sub(lambda match: f"{match[1]}{to}{match[2]}", found))
    if found is None and isinstance(path[-1], int):  # one item, written without a list
        path, found = path[:-1], value_at(value, path[:-1])
    if found == name:
        return put_in_text(text, file, path, to)
    if is_object(found):
        return _follow_step(text, file, path, found, names)
    if found is not None and path[-1] == name:
        return rename_in_text(text, file, path, to)
    return text


def _follow_step(text: str, file: File, path: Path, step: Mapping[str, JSON], names: tuple[str, str]) -> str:
    name, to = names
    if step.get("prototype") == name:
        return put_in_text(text, file, (*path, "prototype"), to)
    if name in step:
        return rename_in_text(text, file, (*path, name), to)
    return rename_in_text(text, file, path, to) if path[-1] == name else text


def _variable(name: str) -> re.Pattern[str]:
    return re.compile(rf"((?<!\\)@\{{\s*variables\.){re.escape(name)}(?![\w-])()")


def _entries(text: str, file: File, section: str) -> Mapping[str, JSON]:
    value = read_text(text, str(file)).value
    entries = value.get(section) if is_object(value) else None
    return entries if is_object(entries) else {}
