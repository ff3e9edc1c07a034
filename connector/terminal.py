"""Text from outside, made safe for a terminal."""

from __future__ import annotations

import re

__all__ = ["escape_controls"]

CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff]"
)
"""Characters that a terminal acts upon or that cannot be encoded; not tabs and line ends."""


def escape_controls(text: str) -> str:
    r"""Return the text with what a terminal would act on written as JSON writes it, such as `\u001b`."""
    return text if text.isascii() and text.isprintable() else CONTROLS.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
