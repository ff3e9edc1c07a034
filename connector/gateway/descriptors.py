"""Room for connections: each call holds one to its caller and one to upstream."""

from __future__ import annotations

from connector.gateway.journal import LOG

__all__ = ["make_room"]

OTHERS = 128


def make_room(connections: int) -> None:
    """Raises the process's limit of open files as far as it may; warns when that is not far enough."""
    try:
        import resource
    except ImportError:  # not on this system
        return
    needed = 2 * connections + OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < needed:
        LOG.warning("the system allows %d open files; %d connections at a time may need %d", most, connections, needed)
