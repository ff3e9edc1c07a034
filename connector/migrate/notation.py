"""Values of other platforms in our notation: maps and lists, placeholders, secrets, and what only looks like ours."""

from __future__ import annotations

import re

from connector.model import JSON, is_list, is_object

__all__ = ["as_list", "as_map", "environment_name", "translate_secrets", "translate_text", "translate_value"]

SECRETS = re.compile(
    r"\{\{\s*secrets\.([A-Za-z_][\w.-]*)\s*\}\}|\$\{\{\s*(?:env\.|secrets\.)?([A-Za-z_][\w.-]*)\s*\}\}"
)
"""Camunda's `{{secrets.NAME}}` and Atlas's `${{ NAME }}`."""
OTHERS = re.compile(r"\$\{(?![A-Za-z_]\w*(?::-[^{}]*)?\})")
"""`${` that begins no reference of ours."""
OPENING = re.compile(r"[&?@]\{")
INSIDE = re.compile(r"""[{}]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`""", re.DOTALL)


def as_map(value: JSON) -> dict[str, JSON]:
    """Return an object; an empty one may have been written as a list, and anything else has no members."""
    return dict(value) if is_object(value) else {}


def as_list(value: JSON) -> list[JSON]:
    """Return a list: of one thing, of the values of an object of positions, or an empty one."""
    if is_list(value):
        return list(value)
    if is_object(value) and value and all(key.isdigit() for key in value):
        return list(value.values())
    return [] if value is None or value == "" or value == {} else [value]


def translate_value(value: JSON, *, strict: bool = False) -> JSON:
    """Return a value with every text in our notation."""
    if isinstance(value, str):
        return translate_text(value, strict=strict)
    if is_object(value):
        return {key: translate_value(item, strict=strict) for key, item in value.items()}
    return [translate_value(item, strict=strict) for item in value] if is_list(value) else value


def translate_text(text: str, *, strict: bool = False) -> str:
    """Return a text in our notation; with strict, what its placeholders name must be there."""
    return _placeholders(translate_secrets(text), strict)


def translate_secrets(text: str) -> str:
    """Return a text whose secrets are `${NAME}`; any other `${` stays plain text."""
    # What looks like a reference and is none is escaped first, so that the new references stay what they are.
    parts: list[str] = []
    end = 0
    for found in SECRETS.finditer(text):
        parts += [_escape(text[end : found.start()]), f"${{{environment_name(found[1] or found[2])}}}"]
        end = found.end()
    return "".join([*parts, _escape(text[end:])])


def environment_name(name: str) -> str:
    """Return a name that an environment variable can have."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return f"_{plain}" if plain[:1].isdigit() else plain or "_"


def _escape(text: str) -> str:
    # `${{` is no reference of ours either, and needs no care.
    return OTHERS.sub(lambda found: "${" if text[found.end() : found.end() + 1] == "{" else "\\${", text)


def _placeholders(text: str, strict: bool) -> str:
    parts: list[str] = []
    end = 0
    for opening in OPENING.finditer(text):
        if opening.start() < end:
            continue
        parts.append(text[end : opening.start()])
        end = opening.end()
        close = _find_closing(text, end) if opening[0] == "&{" else None
        if close is None:
            parts.append("\\" + opening[0])
            continue
        body = text[end:close].strip()
        parts.append(f"{'&' if strict or body == '@' else '?'}{{{body}}}")
        end = close + 1
    return "".join([*parts, text[end:]])


def _find_closing(text: str, start: int) -> int | None:
    """Return where the brace closes, past quotes and inner braces."""
    depth = 1
    for found in INSIDE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if not depth:
            return found.start()
    return None
