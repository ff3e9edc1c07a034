"""Reading YAML as plain JSON values."""

from __future__ import annotations

import datetime as dt
import warnings
from typing import Any

from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list

__all__ = ["read_yaml"]

MOST = 2_000_000
"""Values in one document; the API's own has a tenth of that. Aliases can multiply a few lines beyond any bound."""
DEEPEST = 200


def read_yaml(data: bytes, where: str) -> Any:
    """One YAML document as JSON values; duplicate keys and endless aliases are refused, dates become their text."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import ReusedAnchorWarning, YAMLError

    reader: Any = YAML(typ="safe", pure=True)  # the library has no types for what it reads
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML allows it, and real documents do it
            loaded = reader.load(data)
    except YAMLError as error:
        raise ConfigurationError(f"{where}: not YAML ({' '.join(str(error).split())})") from error
    return _Plain(where).value(loaded, 0)


class _Plain:
    """Copies what a reader gave as JSON values, within bounds."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._left = MOST

    def value(self, found: Any, depth: int) -> JSON:
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            bound = f"{MOST} values" if self._left < 0 else f"{DEEPEST} levels"
            raise ConfigurationError(
                f"{self._where}: more than {bound}; do aliases in it multiply, or hold themselves?"
            )
        if is_document(found):
            return {str(key): self.value(item, depth + 1) for key, item in found.items()}
        if is_list(found):
            return [self.value(item, depth + 1) for item in found]
        return found.isoformat() if isinstance(found, dt.date) else found
