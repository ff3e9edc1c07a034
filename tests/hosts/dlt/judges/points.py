"""Points of dlt's own at which a pipeline is ended: before and after each of its steps is on disk."""

from __future__ import annotations

import os
import signal
from collections import Counter
from functools import wraps
from typing import Any

from dlt.common.destination.client import RunnableLoadJob
from dlt.extract.extract import Extract
from dlt.load import Load
from dlt.normalize import Normalize

from tests.hosts.dlt.judges.names import STEPS

__all__ = ["plant"]

METHODS: tuple[tuple[Any, str], ...] = (
    (Extract, "extract"),
    (Extract, "commit_packages"),
    (Normalize, "run"),
    (RunnableLoadJob, "run_managed"),
    (Load, "complete_package"),
)


def plant(point: str, nth: int = 1) -> None:
    """Ends this process the n-th time that a point is come to."""
    _, step, when = point.split(".")
    kind, name = METHODS[STEPS.index(step)]
    method, seen = getattr(kind, name), Counter[str]()

    def reach(here: str) -> None:
        seen[here] += 1
        if here == when and seen[here] == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    @wraps(method)
    def reaching(*arguments: Any, **named: Any) -> Any:
        reach("before")
        done = method(*arguments, **named)
        reach("after")
        return done

    setattr(kind, name, reaching)
