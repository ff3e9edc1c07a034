"""Several processes that run the same routes, started and stopped together."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from connector.cli.exit_codes import ExitCode, worst

__all__ = ["fleet"]


async def fleet(count: int, arguments: Sequence[str]) -> int:
    """Runs the command in so many processes; the exit code is the worst of theirs."""
    from connector.runtime.stopping import stopped_by_signals

    command = [sys.executable, "-m", "connector", *arguments]
    # A group of their own each: what the terminal sends comes from here, and once.
    started = [await asyncio.create_subprocess_exec(*command, start_new_session=True) for _ in range(count)]

    def stop() -> None:
        for process in started:
            if process.returncode is None:
                process.terminate()

    try:
        with stopped_by_signals(lambda _: stop()):
            codes = await asyncio.gather(*(process.wait() for process in started))
    except asyncio.CancelledError:
        stop()
        await asyncio.gather(*(process.wait() for process in started))
        raise
    known = {int(code) for code in ExitCode}
    return next((code for code in codes if code not in known), int(worst(ExitCode(code) for code in codes)))
