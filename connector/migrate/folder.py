"""The folder that an import writes: a file for each entry, named after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from connector.errors import ConfigurationError
from connector.migrate.report import Report
from connector.model import JSON
from connector.yaml.writer import comment, format_yaml

__all__ = ["Entry", "Folder", "safe_name"]

CASES = """To be run with `openai-connector test` in the folder above.
A case whose expectation was not exported says only that nothing fails; answers to calls were not exported at all,
empty ones replace them."""
REPORT = "import-report.md"
LONGEST = 100
"""Letters in a name of a configuration."""


@dataclass(slots=True)
class Entry:
    """One thing of a configuration."""

    section: str
    name: str
    body: JSON
    title: str = ""
    """What it was called."""
    comment: str = ""
    """What was written about it."""
    notes: list[str] = field(default_factory=list[str])
    cases: list[JSON] = field(default_factory=list[JSON])
    """Tests of it."""

    def text(self) -> str:
        """Return the content of its file."""
        blocks = ["\n".join(comment(text)) for text in (self.title, self.comment, *self.notes) if text.strip()]
        head = "\n#\n".join(blocks).splitlines()
        named = next(format_yaml({self.name: {}}, 2)).removesuffix(" {}")
        body = format_yaml(self.body, 4) if self.body else [f"{named} {{}}"]
        return _text([*head, f"{self.section}:", *([named] if self.body else []), *body])


@dataclass(slots=True)
class Folder:
    """What is going to be written."""

    entries: dict[tuple[str, str], Entry] = field(default_factory=dict[tuple[str, str], Entry])
    schemas: dict[str, JSON] = field(default_factory=dict[str, JSON])

    def add(self, entry: Entry) -> Entry:
        self.entries[entry.section, entry.name] = entry
        return entry

    def names(self, section: str) -> list[str]:
        return [name for found, name in self.entries if found == section]

    def document(self) -> dict[str, dict[str, JSON]]:
        """Return the configuration as one value."""
        whole: dict[str, dict[str, JSON]] = {}
        for (section, name), entry in self.entries.items():
            whole.setdefault(section, {})[name] = entry.body
        return whole

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the text of each file."""
        taken: set[str] = set()
        for (section, name), entry in self.entries.items():
            stem = f"{section}/{_file_name(name, section, taken)}"
            yield f"{stem}.yaml", entry.text()
            if entry.cases:
                # A case of a chain finds its chain by the name of its file; others name what they are about.
                cases = _file_name(name if section == "chains" else f"{section}-{name}", "tests", taken)
                yield f"tests/{cases}.test.yaml", _text([*comment(CASES), *format_yaml(entry.cases)])
        if not self.entries:
            yield "connector.yaml", _text(["# Nothing of the import became a part of a configuration.", "clients: {}"])
        for name, schema in self.schemas.items():
            yield f"schemas/{_file_name(name, 'schemas', taken)}.schema.yaml", _text(format_yaml(schema))

    def write(self, into: Path, report: Report) -> None:
        """Write the files and the report into a new or empty folder."""
        if into.exists() and (not into.is_dir() or any(into.iterdir())):
            raise ConfigurationError(f"{str(into)!r} is not an empty folder; name a new one with --into")
        try:
            for name, text in self.files():
                _write(into / name, text)
                report.files.append(name)
            report.files.sort()
            _write(into / REPORT, _text(report.text()))
        except OSError as error:
            raise ConfigurationError(f"cannot write {str(into)!r}: {error.strerror or error}") from None


def safe_name(name: str, taken: Iterable[str] = ()) -> str:
    """Return a name that a configuration can have and that is not taken."""
    plain = re.sub(r"[^\w .:-]", "-", name.strip())[:LONGEST].strip(" .:-") or "unnamed"
    found, number, used = plain, 2, set(taken)
    while found in used:
        found, number = f"{plain[: LONGEST - 4]}-{number}", number + 1
    return found


def _file_name(name: str, section: str, taken: set[str]) -> str:
    """Return a file name that differs from the others in more than case."""
    plain = re.sub(r"[^\w.-]+", "-", name)
    found, number = plain, 2
    while f"{section}/{found}".casefold() in taken or found.endswith((".test", ".schema")):
        found, number = f"{plain}-{number}", number + 1
    taken.add(f"{section}/{found}".casefold())
    return found


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
