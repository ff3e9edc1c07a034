"""What a configuration runs: incoming and outgoing connections, read, written, explained and tested.

The names below load when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.connections.counts import Counts
    from connector.connections.explaining import explain_incoming, explain_outgoing
    from connector.connections.incoming import IncomingRun
    from connector.connections.outgoing import OutgoingRun
    from connector.connections.records import ErrorsFile, revived
    from connector.connections.result import Result
    from connector.connections.runtime import Runtime, kinds, load_configuration

__all__ = [
    "Counts",
    "ErrorsFile",
    "IncomingRun",
    "OutgoingRun",
    "Result",
    "Runtime",
    "explain_incoming",
    "explain_outgoing",
    "kinds",
    "load_configuration",
    "revived",
]

_HOMES = {
    "connector.connections.counts": ("Counts",),
    "connector.connections.explaining": ("explain_incoming", "explain_outgoing"),
    "connector.connections.incoming": ("IncomingRun",),
    "connector.connections.outgoing": ("OutgoingRun",),
    "connector.connections.records": ("ErrorsFile", "revived"),
    "connector.connections.result": ("Result",),
    "connector.connections.runtime": ("Runtime", "kinds", "load_configuration"),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'connector.connections' has no attribute {name!r}")
