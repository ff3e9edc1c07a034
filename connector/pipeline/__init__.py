"""What a configuration runs: incoming and outgoing connections, read, written, explained and tested.

The names below load when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.pipeline.explain import explain_incoming, explain_outgoing
    from connector.pipeline.incoming import IncomingRun
    from connector.pipeline.outgoing import OutgoingRun
    from connector.pipeline.results import Counts, ErrorsFile, Result, revive
    from connector.pipeline.runtime import Runtime, kinds, load_configuration

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
    "revive",
]

_HOMES = {
    "connector.pipeline.results": ("Counts", "ErrorsFile", "Result", "revive"),
    "connector.pipeline.explain": ("explain_incoming", "explain_outgoing"),
    "connector.pipeline.incoming": ("IncomingRun",),
    "connector.pipeline.outgoing": ("OutgoingRun",),
    "connector.pipeline.runtime": ("Runtime", "kinds", "load_configuration"),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'connector.pipeline' has no attribute {name!r}")
