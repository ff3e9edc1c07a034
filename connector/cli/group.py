"""Groups of commands whose help says each command's purpose whole, however narrow the terminal is."""

from __future__ import annotations

import inspect
from typing import Any

from typer import Typer
from typer.core import TyperGroup

__all__ = ["group"]

HELP = {"help_option_names": ["-h", "--help"]}


class Group(TyperGroup):
    """A group that lets its commands' summaries wrap, where they would be cut to one line."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for command in self.commands.values():
            command.short_help = command.short_help or _summary(command.help)


def _summary(text: str | None) -> str:
    return " ".join(inspect.cleandoc(text or "").partition("\n\n")[0].split())


def group(help: str, *, name: str | None = None) -> Typer:  # noqa: A002  Typer's own word
    """A group of commands with plain help, which `-h` shows as well."""
    return Typer(
        cls=Group,
        name=name,
        help=help,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=HELP,
    )
