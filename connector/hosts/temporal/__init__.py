"""Activities of Temporal that are paid for once, and a worker that offers them.

Workflows may import this: nothing is loaded until activities are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.extras import require_extra
from connector.hosts.temporal.error_types import CONFLICT, FAILED, INVALID, NOT_DONE, SKIPPED, TOO_LARGE, UNKNOWN

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from connector.config import Configuration
    from connector.hosts.temporal.definitions import Activities

__all__ = ["CONFLICT", "FAILED", "INVALID", "NOT_DONE", "SKIPPED", "TOO_LARGE", "UNKNOWN", "activities"]


def activities(
    configuration: Configuration | Path | str, folder: Path | None = None
) -> AbstractAsyncContextManager[Activities]:
    """Open the activities of a configuration, for a worker of one's own: `Worker(…, activities=opened.definitions)`.

    Args:
        configuration: what was loaded, or the path of its file or folder.
        folder: a catalogue in place of the configuration's.
    """
    require_extra("temporalio", "temporal", "connector.hosts.temporal")
    from connector.hosts.temporal.definitions import open_activities

    return open_activities(configuration, folder)
