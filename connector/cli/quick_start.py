"""What keeps the start of a command short: parts of libraries that no command uses are not loaded."""

from __future__ import annotations

import gc
import os
import sys
from types import ModuleType
from typing import cast

__all__ = ["import_beside", "load_less"]

AFTER = 20_000
"""The number of new objects before a collection: what is imported stays, and need not be looked through."""


def load_less() -> None:
    """Set up this process, which belongs to one command, to import less and to collect rarely."""
    gc.set_threshold(AFTER, *gc.get_threshold()[1:])
    # httpx has a command of its own, which loads click, rich and pygments; it does without where it cannot be imported.
    cast("dict[str, ModuleType | None]", sys.modules).setdefault("httpx._main", None)
    # pydantic would read the entry points of every installed distribution for plug-ins that watch validation.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def import_beside(library: str) -> None:
    """Import a library in a thread while this one goes on; whoever imports it meanwhile waits for it.

    It is for one that waits for the system, and that imports nothing of ours: aiohttp reads all certificates of the
    system, twice, and lets other threads run meanwhile. The thread is no daemon, since a library must not be in the
    middle of reading certificates when the process ends.
    """
    from importlib import import_module
    from threading import Thread

    Thread(target=import_module, args=(library,), name=f"import {library}").start()
