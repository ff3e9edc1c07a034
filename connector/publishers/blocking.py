"""Faults on this side that no waiting mends: a path that is wrong, a folder that may not be written to."""

from __future__ import annotations

import errno

from connector.model import Outcome, State
from connector.publishers.intent import BLOCKED

__all__ = ["is_permanent", "unwritable"]

PERMANENT = {
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG,
    errno.ENXIO, errno.ENODEV, errno.EINVAL,
}  # fmt: skip


def is_permanent(error: OSError) -> bool:
    """Return whether a file stays out of reach until somebody has changed something."""
    return error.errno in PERMANENT


def unwritable(name: str, error: OSError) -> Outcome:
    """Return what a document comes to whose file cannot be written."""
    action = BLOCKED if is_permanent(error) else ""
    return Outcome(State.NOT_SENT, reason=f"cannot write {name!r}: {error.strerror or error}", action=action)
