"""Why text of a command line is not the JSON that it was meant to be."""

from __future__ import annotations

import re
from pathlib import Path

from connector.errors import ConfigurationError
from connector.model import JSON, is_document

__all__ = ["cause", "is_meant_as_json", "refuse_placeholders"]

CURLY = "\u201c\u201d\u201e\u2018\u2019"
PLACEHOLDER = re.compile(r"\$\{[^{}]*\}|\$?\{\{[^{}]*\}\}")
BARE_KEY = re.compile(r"\{\s*[A-Za-z_][\w-]*\s*:")


def cause(text: str, option: str) -> str:
    """What most likely happened to the text, and how it is written; nothing when that cannot be told."""
    stripped = text.strip()
    if _is_file(stripped):
        return f"there is a file of that name: to read it, write {option} @{stripped}"
    if any(letter in text for letter in CURLY):
        return 'it holds typographic quotes; JSON has the plain ones: "'
    if stripped.startswith("'"):
        return "the quotes around it came with it: give it between one pair of single quotes"
    if BARE_KEY.search(stripped):
        return _quoted(option, "the shell took the double quotes away")
    if re.search(r"[{\[,:]\s*'", stripped):
        return 'JSON has double quotes: "'
    if stripped.startswith(("{", "[")) and not stripped.endswith(("}", "]")):
        return _quoted(option, "it ends in its middle: the shell took it apart at a space")
    return f"a file is read by {option.partition(' ')[0]} @NAME" if not stripped.startswith(("{", "[")) else ""


def refuse_placeholders(value: JSON, option: str) -> None:
    """Refuses what stands for a secret and would be sent as it is: `${NAME}`, `${{ NAME }}`, `{{secrets.NAME}}`."""
    if is_document(value):
        for name, item in value.items():
            refuse_placeholders(item, f"{option} {name}")
    found = PLACEHOLDER.search(value) if isinstance(value, str) else None
    if found:
        raise ConfigurationError(
            f"{option}: {found[0]} stands for a secret, and would be sent as it is: on a command line the shell fills "
            'in "$NAME" between double quotes; ${NAME} belongs into a configuration'
        )


def is_meant_as_json(text: str) -> bool:
    """Whether text has the form of an object or a list, so that it is hardly meant as text."""
    return (text[:1], text[-1:]) in (("{", "}"), ("[", "]"))


def _quoted(option: str, what: str) -> str:
    flag, _, path = option.partition(" ")
    given = f"{path}=" if path else ""
    return f'{what}; give it between single quotes: {flag} \'{given}{{"key": "value"}}\''


def _is_file(text: str) -> bool:
    try:
        return 0 < len(text) < 256 and Path(text).is_file()
    except (OSError, ValueError):
        return False
