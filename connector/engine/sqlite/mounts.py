"""What Linux tells of mounted file systems; elsewhere nothing is known of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["is_mounted", "mount_of"]

TABLE = Path("/proc/self/mountinfo")
ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A place where something is mounted.

    Attributes:
        kind: of the file system, such as ext4 or nfs4.
    """

    device: int
    point: str
    kind: str


def is_mounted(path: Path) -> bool:
    """Return whether this very file is mounted, as a container does with single files."""
    return any(mount.point == str(path) for mount in _mounts())


def mount_of(device: int) -> Mount | None:
    """Return a mount of a device, if that can be known."""
    return next((mount for mount in _mounts() if mount.device == device), None)


def _mounts() -> Iterator[Mount]:
    try:
        lines = TABLE.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        before, _, behind = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not behind:
            continue
        major, _, minor = fields[2].partition(":")
        point = ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4])
        yield Mount(os.makedev(int(major), int(minor)), point, behind.split(" ")[0])
