"""Regular expressions in linear time, by RE2: no pattern can run away on any text."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

from connector.transform.errors import Unfit

__all__ = ["compile_regex", "substitute"]

LONGEST = 1_000
MEMORY = 8 * 1024**2
OUTPUT = 32 * 1024**2
Regex = Any
"""A compiled pattern; the library has no types."""


@lru_cache(maxsize=512)
def compile_regex(pattern: str) -> Regex:
    """Compile a pattern; look-around and back references do not exist in RE2 and are refused."""
    if len(pattern) > LONGEST:
        raise Unfit(f"a regular expression of {len(pattern)} characters; at most {LONGEST} are allowed")
    try:
        library: Any = import_module("re2")  # it has no types
    except ImportError:
        raise Unfit("regular expressions need the package google-re2: pip install google-re2") from None
    options = library.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    try:
        return library.compile(pattern, options)
    except library.error as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise Unfit(
            f"the regular expression {pattern[:60]!r} cannot be used ({reason}); RE2 syntax is allowed, "
            "which has neither look-around nor back references"
        ) from None


def substitute(regex: Regex, replace: str, text: str) -> str:
    r"""Replace every match; `$1` and `\1` mean groups, and a text that grows beyond the bound is refused."""
    grown = 0

    def put(match: Any) -> str:
        nonlocal grown
        made: str = expand(match, replace)
        grown += len(made)
        if grown > OUTPUT:
            raise Unfit(f"the replaced text would be longer than {OUTPUT} characters")
        return made

    result: str = regex.sub(put, text)
    return result


@lru_cache(maxsize=256)
def _parse_replacement(template: str) -> tuple[str | int, ...]:
    import re

    parts: list[str | int] = []
    at = 0
    for found in re.finditer(r"[$\\](\d{1,2})|\$\{(\d{1,2})\}", template):
        parts += [template[at : found.start()], int(found[1] or found[2])]
        at = found.end()
    return (*parts, template[at:])


def expand(match: Any, template: str) -> str:
    """Return the replacement for one match."""
    try:
        return "".join([part if isinstance(part, str) else match[part] or "" for part in _parse_replacement(template)])
    except (IndexError, KeyError):
        raise Unfit(f"the replacement {template[:60]!r} names a group that the expression does not have") from None
