"""Warnings of budgets, passed on: to a webhook through a configured client, or to a command."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from connector.delivery.budget import BudgetWarning
from connector.documents import dump
from connector.errors import ConnectorError
from connector.pipeline import Runtime

if TYPE_CHECKING:
    from connector.config.models import Alarm

__all__ = ["BudgetAlarm"]

PATIENCE = 30.0
"""Seconds that whoever is told may take."""

log = logging.getLogger(__name__)


class BudgetAlarm:
    """Tells whom a budget names; a warning that cannot be passed on is in the log, and stops nothing.

    Args:
        runtime: the opened configuration.
        alarm: whom to tell; None for the log alone.
    """

    def __init__(self, runtime: Runtime, alarm: Alarm | None) -> None:
        self._runtime = runtime
        self._alarm = alarm

    async def tell(self, warning: BudgetWarning) -> None:
        """Pass a warning on."""
        alarm = self._alarm
        if alarm is None:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                why = await self._call(alarm.client, alarm.path, warning) if alarm.client else ""
                why = await _run(alarm.command, warning) if alarm.command else why
        except TimeoutError:
            why = f"it took longer than {PATIENCE:.0f} s"
        except (ConnectorError, OSError) as error:
            why = str(error)
        if why:
            log.error("%s; nobody could be told: %s", warning.sentence, self._runtime.redact(why))

    async def _call(self, client: str, path: str, warning: BudgetWarning) -> str:
        """Call the webhook; return why that failed."""
        request = {"method": "POST", "path": path, "payload": dict(warning.document)}
        outcome = await self._runtime.call(client, "http", request)
        return "" if outcome.ok else outcome.sentence()


async def _run(command: Sequence[str], warning: BudgetWarning) -> str:
    """Run the command with the warning on its standard input; return why that failed."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=asyncio.subprocess.DEVNULL, stderr=pipe, start_new_session=True
    )
    try:
        _, said = await process.communicate(dump(warning.document))
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode == 0:
        return ""
    return f"{command[0]} ended with {process.returncode}: {said.decode(errors='replace').strip()[:300]}"
