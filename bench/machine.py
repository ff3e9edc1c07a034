"""The machine the figures come from, and who works on which of its cores."""

from __future__ import annotations

import os
import platform

__all__ = ["cores", "described", "pin"]


def described() -> str:
    """Cores, memory and Python: all that is said about the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()}, Python {platform.python_version()}"
    )


def cores() -> tuple[int | None, int | None]:
    """A core for the server and another for whoever is measured; none when there is no second one to give."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[-1], allowed[0]) if len(allowed) > 1 else (None, None)


def pin(core: int | None) -> None:
    """Stay on this core, so that server and peer never take each other's time."""
    if core is not None:
        os.sched_setaffinity(0, {core})
