"""Where the search index of a store lies: beside its file, or in the configuration's folder."""

from __future__ import annotations

import os
import tempfile
from hashlib import blake2b
from pathlib import Path

__all__ = ["find_index"]

SQLITE = "sqlite:///"
FOLDER = ".openai-connector"


def find_index(engine: str, folder: Path) -> Path:
    """Return the file of a store's index; it can be lost at any time.

    Args:
        engine: the store's URL.
        folder: the configuration's.
    """
    if engine.startswith(SQLITE):
        file = Path(engine.removeprefix(SQLITE)).resolve()
        return file.with_name(f"{file.name}.search")
    name = f"tasks-{blake2b(engine.encode(), digest_size=8).hexdigest()}.search"
    if os.access(folder, os.W_OK):
        return folder / FOLDER / name
    return Path(tempfile.mkdtemp(prefix="openai-connector-")) / name
