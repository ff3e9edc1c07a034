"""The messages of Airbyte's protocol, one a line."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from connector.hosts.pipe import Lines
from connector.model import JSON
from connector.request.redaction import Redactor

__all__ = ["FAILURES", "Channel", "LogMessages", "Stage"]

Stage = Literal["STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"]
FAILURES = {"config": "config_error", "transient": "transient_error", "system": "system_error"}
"""What Airbyte calls the causes of errors."""
LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}


@dataclass(frozen=True, slots=True)
class Channel:
    """Tells the platform what happens.

    Args:
        lines: what the platform reads.
        redact: hides secrets in texts.
        wall: the time as Unix seconds.
    """

    lines: Lines
    redact: Redactor
    wall: Callable[[], float] = time.time

    def spec(self, form: JSON, page: str, modes: Sequence[str] | None = None) -> None:
        """Tell how the connector is configured; a destination tells its modes as well."""
        shown: dict[str, JSON] = {"documentationUrl": page, "connectionSpecification": form}
        if modes is None:
            shown["supportsIncremental"] = True
        else:
            shown |= {"supportsIncremental": True, "supported_destination_sync_modes": [*modes]}
        self._tell({"type": "SPEC", "spec": shown})

    def status(self, problem: str = "") -> None:
        """Tell whether a configuration works."""
        shown: dict[str, JSON] = {"status": "FAILED" if problem else "SUCCEEDED"}
        shown |= {"message": self.redact(problem)} if problem else {}
        self._tell({"type": "CONNECTION_STATUS", "connectionStatus": shown})

    def catalog(self, streams: Sequence[JSON]) -> None:
        """Tell what can be read."""
        self._tell({"type": "CATALOG", "catalog": {"streams": [*streams]}})

    def record(self, stream: str, data: JSON) -> None:
        """Give a row; it may wait for the next ones."""
        self.lines.write(
            {"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": int(self.wall() * 1000)}}
        )

    def state(self, stream: str, state: JSON, rows: int) -> None:
        """Give the state that covers the rows before it, and how many they are since the last one."""
        shown: JSON = {"stream_descriptor": {"name": stream}, "stream_state": state}
        stats: JSON = {"recordCount": float(rows)}
        self._tell({"type": "STATE", "state": {"type": "STREAM", "stream": shown, "sourceStats": stats}})

    def echo(self, message: JSON) -> None:
        """Give back a message of the platform's."""
        self._tell(message)

    def stage(self, stream: str, stage: Stage) -> None:
        """Tell how far a stream is."""
        told: JSON = {"stream_descriptor": {"name": stream}, "status": stage}
        self._trace({"type": "STREAM_STATUS", "stream_status": told})

    def error(self, message: str, cause: str, *, detail: str = "", stream: str = "") -> None:
        """Tell what went wrong, and whose it is: `config`, `transient` or `system`."""
        told: dict[str, JSON] = {"message": self.redact(message), "failure_type": FAILURES[cause]}
        told |= {"internal_message": self.redact(detail)} if detail else {}
        told |= {"stream_descriptor": {"name": stream}} if stream else {}
        self._trace({"type": "ERROR", "error": told})

    def log(self, level: str, message: str) -> None:
        """Write a line into the platform's log."""
        self._tell({"type": "LOG", "log": {"level": level, "message": self.redact(message)}})

    def _trace(self, trace: dict[str, JSON]) -> None:
        self._tell({"type": "TRACE", "trace": {**trace, "emitted_at": self.wall() * 1000}})

    def _tell(self, message: JSON) -> None:
        self.lines.write(message)
        self.lines.flush()


class LogMessages(logging.Handler):
    """Passes our log on to the platform's.

    Args:
        channel: what the platform reads.
    """

    def __init__(self, channel: Channel) -> None:
        super().__init__(logging.INFO)
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        self._channel.log(LEVELS.get(record.levelname, record.levelname), self.format(record))
