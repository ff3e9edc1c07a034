"""Facts of the official SDK: names of models and the days on which they stop, read from its wheel as data.

The SDK's types list the names, and their docstrings say which of them stop when. They are parsed and never imported.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from connector.errors import ConfigurationError
from connector.model_registry.packages import read_package

__all__ = ["SdkFacts", "read_sdk_facts"]

KINDS: Mapping[str, str] = {
    "openai/types/shared/chat_model.py": "text",
    "openai/types/shared/responses_model.py": "text",
    "openai/types/image_model.py": "image",
    "openai/types/audio_model.py": "transcription",
    "openai/types/audio/speech_model.py": "speech",
    "openai/types/embedding_model.py": "embedding",
    "openai/types/moderation_model.py": "moderation",
    "openai/types/video_model.py": "video",
}
"""Files whose names are models of one kind."""
_GROUP = re.compile(r'-\s+("[^"]+"(?:,\s*"[^"]+")*):\s+(.*?)(?=\n\s*-\s+"|\Z)', re.DOTALL)
_NAME = re.compile(r'"([^"]+)"')
_ISO = re.compile(r"(?:shut ?down|retired|retirement)\D{0,40}?(\d{4}-\d{2}-\d{2})")
_LONG = re.compile(r"(?:shut down|retired)\s+on\s+([A-Z][a-z]+ \d{1,2}, \d{4})")


@dataclass(frozen=True, slots=True)
class SdkFacts:
    """What one release of the SDK says."""

    version: str
    kinds: Mapping[str, str]
    """The kind of each model that a list names."""
    shutdowns: Mapping[str, date]
    """The day on which each model stops, or stopped."""


def read_sdk_facts(source: Path) -> SdkFacts:
    """Read the facts from a wheel, or from a folder that one was unpacked into."""
    kinds: dict[str, str] = {}
    shutdowns: dict[str, date] = {}
    version = "unknown"
    try:
        for name, text in read_package(source, "openai").items():
            if name == "openai/_version.py":
                found = re.search(r"__version__ = ['\"]([^'\"]+)", text)
                version = found.group(1) if found else version
            elif "Deprecated values" in text or name in KINDS:
                tree = ast.parse(text)
                shutdowns.update(_shutdowns(tree))
                kinds.update(dict.fromkeys(_literals(tree), KINDS[name]) if name in KINDS else {})
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConfigurationError(f"{source}: no wheel or folder of the official SDK: {error}") from error
    if not kinds:
        raise ConfigurationError(f"{source}: no wheel or folder of the official SDK: no list of models in it")
    return SdkFacts(version, kinds, shutdowns)


def _literals(tree: ast.Module) -> Iterator[str]:
    """The texts of every `Literal[…]` in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "Literal":
            for each in ast.walk(node.slice):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.value


def _shutdowns(tree: ast.Module) -> Iterator[tuple[str, date]]:
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if not isinstance(text, str) or "Deprecated values" not in text:
            continue
        for names, text_of_day in _GROUP.findall(text.split("Deprecated values", 1)[1]):
            day = _day(" ".join(text_of_day.split()))
            if day is not None:
                yield from ((name, day) for name in _NAME.findall(names))


def _day(text: str) -> date | None:
    iso, long = _ISO.search(text), _LONG.search(text)
    try:
        if iso:
            return date.fromisoformat(iso.group(1))
        return datetime.strptime(long.group(1), "%B %d, %Y").date() if long else None  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None
