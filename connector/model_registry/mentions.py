"""Finds the models that files name, says which of them retire, and writes their successors in their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from difflib import unified_diff
from pathlib import Path

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.model_registry.registry import LifeCycle, Model, ModelRegistry, price_change

__all__ = ["Mention", "find_mentions", "replace_mentions", "text_files"]

KINDS_OF_FILES = frozenset(
    {".yaml", ".yml", ".json", ".jsonl", ".toml", ".md", ".txt", ".env", ".py", ".ts", ".js", ".sh", ".csv", ".ini"}
)
PASSED_OVER = frozenset(
    {".git", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", "build", "dist"}
)
MOST_BYTES = 10_000_000
_TOKEN = re.compile(r"(?<![\w./:@-])[A-Za-z](?:[\w.:-]*\w)?")
_MODEL_KEY = re.compile(r"""model["']?\s*[:=]\s*["']?$""", re.IGNORECASE)
"""The text before a model whose name could be any word."""
_TELLING = re.compile(r"^(?=.*\d)[\w.:]+-[\w.:-]+$")
"""A name that is no word of a language: it has a digit and a hyphen."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One place in a file that names a model which retires or is retired."""

    path: Path
    line: int
    column: int
    name: str
    model: Model
    life_cycle: LifeCycle
    successor: Model | None

    def as_document(self) -> dict[str, JSON]:
        """Return the mention for programs."""
        return {
            "file": str(self.path),
            "line": self.line,
            "column": self.column,
            "model": self.name,
            "life_cycle": self.life_cycle.value,
            "shutdown": self.model.shutdown.isoformat() if self.model.shutdown else None,
            "successor": self.successor.name if self.successor else None,
            "price_change": price_change(self.model, self.successor) if self.successor else None,
        }


def text_files(places: Iterable[Path]) -> Iterator[Path]:
    """Yield the text files among some files and below some folders."""
    for place in places:
        if place.is_dir():
            found = (path for path in sorted(place.rglob("*")) if not PASSED_OVER & set(path.relative_to(place).parts))
            yield from (path for path in found if path.is_file() and _is_text(path))
        elif place.is_file():
            yield place
        else:
            raise ConfigurationError(f"{place}: no such file or folder")


def _is_text(path: Path) -> bool:
    return (path.suffix in KINDS_OF_FILES or path.name == ".env") and path.stat().st_size <= MOST_BYTES


def find_mentions(path: Path, registry: ModelRegistry, today: date, within: int) -> list[Mention]:
    """Return where a file names models that are retired, or retire within a number of days."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return []
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    return [
        Mention(
            path, number, found.start() + 1, found.group(), model, life_cycle, registry.successor(found.group(), today)
        )
        for number, line in enumerate(text.splitlines(), 1)
        for found, model in _models_in(line, registry)
        if (life_cycle := model.life_cycle(today, within)) is not LifeCycle.ACTIVE
    ]


def _models_in(line: str, registry: ModelRegistry) -> Iterator[tuple[re.Match[str], Model]]:
    for found in _TOKEN.finditer(line):
        name = found.group()
        if _TELLING.match(name) or _MODEL_KEY.search(line, 0, found.start()):
            model = registry.find(name)
            if model is not None and model.kind != "other":
                yield found, model


def replace_mentions(path: Path, mentions: Iterable[Mention]) -> tuple[str, str]:
    """Return a file's text with successors in the place of what retires, and the diff of it.

    A fine-tuned model has no successor, and neither has a model whose successor is of another kind.
    """
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    for each in sorted(mentions, key=lambda mention: (mention.line, mention.column), reverse=True):
        successor = each.successor
        if successor is None or successor.kind != each.model.kind or each.name.startswith("ft:"):
            continue
        line, start = lines[each.line - 1], each.column - 1
        lines[each.line - 1] = line[:start] + successor.name + line[start + len(each.name) :]
    changed = "".join(lines)
    diff = unified_diff(text.splitlines(keepends=True), lines, str(path), str(path))
    return changed, "".join(line if line.endswith("\n") else f"{line}\n" for line in diff)
