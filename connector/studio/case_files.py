"""The test cases of chains and connections: found, and a new one written as a person would write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connector.aio.atomic_file import write_atomically
from connector.config.sources import folder_of
from connector.config.tree import read_text
from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON, is_list, members
from connector.studio.chain_texts import Kind
from connector.studio.config_files import ConfigFiles, ConfigText, Stale, diff_texts, etag_of
from connector.transform.library import ready_made
from connector.yaml.writer import format_yaml

__all__ = ["FoundCase", "append_case", "case_file", "find_cases"]

ENDING = ".test.yaml"
MOST_FILES, MOST_CASES = 200, 500
PLAIN_NAME = re.compile(r"[\w][\w.@ -]{0,100}")
EXPECTED = ("output", "outputs", "skipped", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class FoundCase:
    """A case, and the file that it stands in; an empty name stands for one that ships."""

    file: str
    case: Mapping[str, JSON]

    @property
    def expected(self) -> dict[str, JSON]:
        """What it says must come out."""
        return {name: self.case[name] for name in EXPECTED if name in self.case}


def find_cases(source: Path, kind: Kind, name: str) -> list[FoundCase]:
    """Return the cases with an input that there are for a chain or a connection."""
    found: list[FoundCase] = []
    if kind in ("chains", "ready"):
        if kind == "ready":
            found += _read(ready_made().cases(name), "")
        path = folder_of(source) / f"{name}{ENDING}"
        found += [one for one in _read(path, path.name) if "incoming" not in one.case and "outgoing" not in one.case]
    else:
        files = sorted(folder_of(source).glob(f"*{ENDING}"))[:MOST_FILES]
        found += [one for file in files for one in _read(file, file.name) if one.case.get(kind) == name]
    return [one for one in found if "input" in one.case][:MOST_CASES]


def case_file(source: Path, name: str) -> ConfigText:
    """Return the file into which new cases of a chain or connection are written; it may not be there yet."""
    if PLAIN_NAME.fullmatch(name) is None:
        raise ConfigurationError(f"{name!r} cannot name a file; write its case by hand")
    path = folder_of(source) / f"{name}{ENDING}"
    text = _text_of(path)
    return ConfigText(path.name, text, etag_of(text))


def append_case(files: ConfigFiles, name: str, case: Mapping[str, JSON], etag: str) -> tuple[ConfigText, str]:
    """Write a case behind those that a file has, and return the file with the difference.

    Raises:
        Stale: when the file is no longer the one of the etag.
        ConfigurationError: when it has such a case, or is no list of cases.
    """
    with files.locked():
        before = case_file(files.source, name)
        if before.etag != etag:
            raise Stale(f"{before.name} was changed since it was read")
        text = _append(before, case)
        write_atomically(folder_of(files.source) / before.name, text.encode())
        return ConfigText(before.name, text, etag_of(text)), diff_texts(before.name, before.text, text)


def _append(file: ConfigText, case: Mapping[str, JSON]) -> str:
    tree = read_text(file.text, file.name)
    there: JSON = [] if tree.value is None else tree.value
    if tree.findings or not is_list(there):
        raise ConfigurationError(f"{file.name} is no list of cases; mend it, then save the case again")
    if any(members(one).get("name") == case["name"] for one in there):
        raise ConfigurationError(f"{file.name} has a case {str(case['name'])!r} already; give this one another name")
    indent = tree.value_place(()).column - 1 if there else 0
    ending = "\r\n" if "\r\n" in file.text else "\n"
    text = file.text if not file.text or file.text.endswith("\n") else file.text + ending
    if file.text.strip() in ("[]", "null"):
        text = ""
    text += "".join(f"{line}{ending}" for line in format_yaml([dict(case)], indent))
    if read_text(text, file.name).value != [*there, dict(case)]:
        raise ConfigurationError(f"the case cannot be written behind those of {file.name}; write it by hand")
    return text


def _read(path: Path, file: str) -> list[FoundCase]:
    """Return the cases of a file; one that cannot be read has none here, and `test` says why."""
    try:
        cases = read_text(_text_of(path), path.name).value
    except ConnectorError:
        return []
    return [FoundCase(file, members(case)) for case in cases if members(case)] if is_list(cases) else []


def _text_of(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as opened:
            return opened.read()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name} cannot be read: {type(error).__name__}; save it as UTF-8") from None
