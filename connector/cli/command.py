"""Commands made of dataclasses, and groups of commands whose help shows every summary whole."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from typer import Typer
from typer.core import TyperGroup

from connector.cli.plain_values import skip_adapters
from connector.model import JSON

if TYPE_CHECKING:
    from typer._click import Command, Context

__all__ = ["Group", "command", "group"]

Options = TypeVar("Options")


def command(run: Callable[[Options], None], options: type[Options], **decided: JSON) -> Callable[..., None]:
    """Return a command with an option for each field of a dataclass; fields in `decided` are fixed."""
    kinds = get_type_hints(options, include_extras=True)
    options_of = [field for field in fields(options) if field.name not in decided]  # type: ignore[arg-type]  # a dataclass

    def of_options(**values: Any) -> None:
        run(options(**values, **decided))

    parameters = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=kinds[field.name],
        )
        for field in options_of
    ]
    of_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect documents
    of_options.__annotations__ = {field.name: kinds[field.name] for field in options_of}
    of_options.__doc__ = run.__doc__
    return of_options


HELP = {"help_option_names": ["-h", "--help"]}


class Group(TyperGroup):
    """A group whose help wraps the summaries of its commands instead of cutting them to one line."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for command in self.commands.values():
            command.short_help = command.short_help or _summary(command.help)

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        skip_adapters(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            skip_adapters(found.get_params(ctx))
        return found


def _summary(text: str | None) -> str:
    return " ".join(inspect.cleandoc(text or "").partition("\n\n")[0].split())


def group(help: str | None, *, name: str | None = None, cls: type[Group] = Group) -> Typer:  # noqa: A002  Typer's own word
    """Return a group of commands with plain help, which `-h` shows as well; one with a name can complete itself."""
    return Typer(
        cls=cls,
        name=name,
        help=help,
        add_completion=name is not None,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=HELP,
    )
