"""The files that a configured URL means, one by one."""

from __future__ import annotations

from collections.abc import Iterator

from connector.file_access import FileAccess, is_local
from connector.offline import is_offline
from connector.request.sources import filesystem

__all__ = ["files_of"]

GLOB = frozenset("*?[")


def files_of(url: str, places: FileAccess) -> Iterator[str]:
    """The files in the order of their names; each is judged by itself, since a link may lead anywhere.

    Where nothing may be sent, a pattern of files elsewhere stands for itself.
    """
    whole = places.find(url)
    if GLOB.isdisjoint(url) or (is_offline() and not is_local(whole)):
        yield whole
        return
    system, pattern = filesystem(whole)
    for path in sorted(system.glob(pattern)):
        if system.isdir(path):
            continue
        # A link may lead anywhere; what a filesystem elsewhere finds below a folder lies there.
        yield places.find(path) if is_local(whole) else str(system.unstrip_protocol(path))
