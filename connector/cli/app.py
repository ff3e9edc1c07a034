"""The command line, put together; every command's work is imported when it runs."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Exit, Option

from connector.cli.command import group
from connector.cli.command_table import CommandTable
from connector.cli.quick_start import load_less
from connector.errors import ConnectorError

__all__ = ["app", "main"]

INTERRUPTED = 130

app = group(
    "Call any operation of the OpenAI API by name, checked before it is sent.",
    name="openai-connector",
    cls=CommandTable,
)


def _version(wanted: bool) -> None:
    if wanted:
        from connector.version import version as installed

        print(installed())  # noqa: T201  the result
        raise Exit


@app.callback()
def openai_connector(
    *,
    version: Annotated[bool, Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Call any operation of the OpenAI API by name, checked before it is sent."""


def main() -> None:
    """The command `openai-connector`: errors are sentences, exit codes are documented."""
    load_less()
    try:
        app()
    except ConnectorError as error:
        from connector.cli.exit_codes import of_error

        _say(f"openai-connector: {error}")
        sys.exit(of_error(error))
    except KeyboardInterrupt:
        _say("interrupted")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


def _say(text: str) -> None:
    from connector.cli.output import say

    say(text)
