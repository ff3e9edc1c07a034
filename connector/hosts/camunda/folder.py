"""A folder of element templates: one whose content has changed gets the next version, others stay as they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from connector.aio.atomic_file import write_atomically
from connector.documents import parse
from connector.errors import ConfigurationError, InvalidDocument
from connector.model import JSON, is_document

__all__ = ["Written", "write_templates"]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one template: new, changed or unchanged."""

    path: Path
    version: int
    change: str


def write_templates(folder: Path, templates: Iterable[Mapping[str, JSON]]) -> list[Written]:
    """Write each template into a file by its id; ConfigurationError for a file that is something else."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(folder / f"{template['id']}.json", template) for template in templates]


def _write(path: Path, template: Mapping[str, JSON]) -> Written:
    known = _read(path)
    version = 1 if known is None else known["version"]
    if known is not None and {**known, "version": 0} == {**template, "version": 0}:
        return Written(path, version, "unchanged")
    version += known is not None
    text = json.dumps({**template, "version": version}, indent=2, ensure_ascii=False)
    write_atomically(path, f"{text}\n".encode())
    return Written(path, version, "new" if known is None else "changed")


def _read(path: Path) -> dict[str, JSON] | None:
    """Return the template that a file holds; None where there is no file."""
    try:
        known = parse(path.read_bytes(), where=str(path))
    except FileNotFoundError:
        return None
    except InvalidDocument as error:
        raise ConfigurationError(f"{error}; move the file away, or name another --folder") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    version = known.get("version") if is_document(known) else None
    if not is_document(known) or not isinstance(version, int) or isinstance(version, bool):
        raise ConfigurationError(
            f"{path}: no element template with a version; move the file away, or name another --folder"
        )
    return known
