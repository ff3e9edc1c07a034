"""Reading YAML as plain JSON values."""

from __future__ import annotations

import datetime as dt
from typing import Any

from connector.catalogue.values import is_list, is_object
from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["read_yaml"]


def read_yaml(data: bytes, where: str) -> Any:
    """One YAML document as JSON values; duplicate keys are refused, dates become their text."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        reader: Any = YAML(typ="safe", pure=True)  # the library has no types for what it reads
        return _as_json(reader.load(data))
    except YAMLError as error:
        raise ConfigurationError(f"{where}: not YAML ({' '.join(str(error).split())})") from error


def _as_json(value: Any) -> JSON:
    if is_object(value):
        return {str(key): _as_json(item) for key, item in value.items()}
    if is_list(value):
        return [_as_json(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value
