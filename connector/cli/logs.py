"""`--debug` and `--log-level`: what calling commands write about their calls to standard error."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from typer import Option

from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["Debug", "LogLevel", "LogLevelOption", "LogOptions", "Logs"]


class LogLevel(StrEnum):
    """From which level on records are written."""

    error = "error"
    warning = "warning"
    info = "info"
    debug = "debug"


Debug = Annotated[
    bool, Option("--debug", help="Log every request and answer, headers and bodies without secrets, to standard error.")
]
LogLevelOption = Annotated[
    LogLevel | None, Option("--log-level", metavar="error|warning|info|debug", help="Which log lines are written.")
]


@dataclass(frozen=True, kw_only=True)
class Logs:
    """What is to be logged."""

    debug: bool = False
    level: LogLevel | None = None

    def check(self, *, dry_run: bool = False) -> None:
        """Refuse what says two things, or logs calls where there are none."""
        if self.debug and self.level is not None:
            raise ConfigurationError("--debug logs everything: leave out --debug or --log-level")
        if dry_run and self.debug:
            raise ConfigurationError("--debug logs what is sent, and nothing is sent here: leave it out")

    @property
    def parameters(self) -> dict[str, JSON]:
        """What goes before the parameters of every client."""
        return {"logging": "full"} if self.debug else {}

    @property
    def words(self) -> list[str]:
        """The options again, for another process."""
        level = [] if self.level is None else ["--log-level", self.level.value]
        return [*level, *(["--debug"] if self.debug else [])]

    @contextmanager
    def written(
        self,
        redact: Callable[[str], str],
        *,
        mode: Literal["text", "json", "auto"] = "text",
        usual: int = logging.WARNING,
    ) -> Generator[None]:
        """Write the log while this lasts; clients that say themselves what is logged are heard unless a level is given.

        Args:
            redact: hides secrets.
            mode: how lines are written.
            usual: the level where none is given.
        """
        from connector.telemetry.logs import configure_logging

        given = None if self.level is None else getattr(logging, self.level.value.upper())
        level = logging.DEBUG if self.debug else usual if given is None else given
        undo = configure_logging(mode, redact, level=level, calls=logging.DEBUG if given is None else given)
        try:
            yield
        finally:
            undo()


@dataclass(frozen=True, kw_only=True)
class LogOptions:
    """The options of a calling command."""

    debug: Debug = False
    log_level: LogLevelOption = None

    @property
    def logs(self) -> Logs:
        return Logs(debug=self.debug, level=self.log_level)
